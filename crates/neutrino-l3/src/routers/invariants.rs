// SPDX-License-Identifier: Apache-2.0
//! What must hold of routers in the database, beyond what its keys say.

use neutrino_core::Builder;

const INVARIANTS: &[(&str, &str)] = &[
    ("router without its extra attributes", "SELECT id FROM routers WHERE id NOT IN (SELECT router_id FROM router_extra_attributes)"),
    (
        "router whose first gateway is not among its ports",
        "SELECT r.id FROM routers r WHERE r.gw_port_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM routerports p \
         WHERE p.router_id = r.id AND p.port_id = r.gw_port_id AND p.port_type = 'network:router_gateway')",
    ),
    (
        "router with gateways, none of which is the first",
        "SELECT DISTINCT r.id FROM routers r JOIN routerports p ON p.router_id = r.id AND p.port_type = 'network:router_gateway' \
         WHERE r.gw_port_id IS NULL",
    ),
    (
        "port that names a router which has not plugged it in",
        "SELECT p.id FROM ports p JOIN routers r ON r.id = p.device_id WHERE p.device_owner IN ('network:router_interface', \
         'network:router_interface_distributed', 'network:ha_router_replicated_interface', 'network:router_gateway', \
         'network:router_centralized_snat') AND p.id NOT IN (SELECT port_id FROM routerports)",
    ),
    (
        "port of a router that names another device",
        "SELECT p.id FROM routerports r JOIN ports p ON p.id = r.port_id WHERE p.device_id <> r.router_id AND p.device_id <> ''",
    ),
    (
        "router with several interfaces on one subnet",
        "SELECT rp.router_id FROM routerports rp JOIN ipallocations a ON a.port_id = rp.port_id WHERE rp.port_type IN \
         ('network:router_interface', 'network:router_interface_distributed', 'network:ha_router_replicated_interface') \
         GROUP BY rp.router_id, a.subnet_id HAVING count(*) > 1",
    ),
    (
        "gateway to a network that is not external",
        "SELECT p.id FROM routerports r JOIN ports p ON p.id = r.port_id WHERE r.port_type = 'network:router_gateway' \
         AND p.network_id NOT IN (SELECT network_id FROM externalnetworks)",
    ),
    (
        "interface of a distributed router with a gateway, without a port for SNAT on its subnet",
        "SELECT i.port_id FROM routerports i JOIN router_extra_attributes e ON e.router_id = i.router_id \
         JOIN routers r ON r.id = i.router_id JOIN ipallocations a ON a.port_id = i.port_id \
         WHERE e.distributed AND r.gw_port_id IS NOT NULL AND i.port_type = 'network:router_interface_distributed' \
         AND NOT EXISTS (SELECT 1 FROM routerports s JOIN ipallocations b ON b.port_id = s.port_id \
         WHERE s.router_id = i.router_id AND s.port_type = 'network:router_centralized_snat' AND b.subnet_id = a.subnet_id)",
    ),
    (
        "port for SNAT of a router that has no use for it",
        "SELECT s.port_id FROM routerports s JOIN routers r ON r.id = s.router_id \
         JOIN router_extra_attributes e ON e.router_id = s.router_id \
         WHERE s.port_type = 'network:router_centralized_snat' AND (r.gw_port_id IS NULL OR NOT e.distributed)",
    ),
];

pub(super) fn register(builder: &mut Builder) {
    builder.invariants(INVARIANTS);
}
