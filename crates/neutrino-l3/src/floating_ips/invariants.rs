// SPDX-License-Identifier: Apache-2.0
//! What must hold of floating IPs in the database, beyond what its keys say.

use neutrino_core::Builder;

const INVARIANTS: &[(&str, &str)] = &[
    (
        "port of a floating IP that has none",
        "SELECT p.id FROM ports p WHERE p.device_owner = 'network:floatingip' \
         AND NOT EXISTS (SELECT 1 FROM floatingips f WHERE f.floating_port_id = p.id)",
    ),
    (
        "floating IP whose port outside does not hold its address",
        "SELECT f.id FROM floatingips f WHERE NOT EXISTS \
         (SELECT 1 FROM ipallocations a WHERE a.port_id = f.floating_port_id AND a.ip_address = f.floating_ip_address)",
    ),
    (
        "floating IP that leads to an address which its port does not have",
        "SELECT f.id FROM floatingips f WHERE f.fixed_port_id IS NOT NULL AND NOT EXISTS \
         (SELECT 1 FROM ipallocations a WHERE a.port_id = f.fixed_port_id AND a.ip_address = f.fixed_ip_address)",
    ),
    (
        "floating IP that leads to a port without a router or an address",
        "SELECT id FROM floatingips WHERE fixed_port_id IS NOT NULL AND (router_id IS NULL OR fixed_ip_address IS NULL)",
    ),
    (
        "address of an external network that several floating IPs have",
        "SELECT min(id) FROM floatingips GROUP BY floating_network_id, floating_ip_address HAVING count(*) > 1",
    ),
    (
        "floating IP on a router that has no way out to its network",
        "SELECT f.id FROM floatingips f WHERE f.router_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ports p \
         WHERE p.device_id = f.router_id AND p.network_id = f.floating_network_id AND p.device_owner LIKE 'network:%')",
    ),
];

pub(super) fn register(builder: &mut Builder) {
    builder.invariants(INVARIANTS);
}
