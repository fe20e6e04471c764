// SPDX-License-Identifier: Apache-2.0
//! What must hold of highly available routers in the database, beyond what its keys say.

use neutrino_core::Builder;

// Neutron keeps 0 for routers that are not highly available.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "VRID that two routers of a project have",
        "SELECT r.project_id FROM routers r JOIN router_extra_attributes e ON e.router_id = r.id WHERE e.ha_vr_id > 0 \
         GROUP BY r.project_id, e.ha_vr_id HAVING count(*) > 1",
    ),
    (
        "VRID that is taken for no router",
        "SELECT a.network_id FROM ha_router_vrid_allocations a JOIN ha_router_networks n ON n.network_id = a.network_id \
         WHERE NOT EXISTS (SELECT 1 FROM routers r JOIN router_extra_attributes e ON e.router_id = r.id \
         WHERE r.project_id = n.project_id AND e.ha_vr_id = a.vr_id)",
    ),
    (
        "port of a highly available router on its HA network that is for no agent",
        "SELECT p.id FROM ports p JOIN routers r ON r.id = p.device_id WHERE p.device_owner = 'network:router_ha_interface' \
         AND p.id NOT IN (SELECT port_id FROM ha_router_agent_port_bindings)",
    ),
    (
        "port of a highly available router for an agent that does not serve it",
        "SELECT b.port_id FROM ha_router_agent_port_bindings b WHERE NOT EXISTS (SELECT 1 FROM routerl3agentbindings a \
         WHERE a.router_id = b.router_id AND a.l3_agent_id = b.l3_agent_id)",
    ),
    (
        "router with several agents that is not highly available",
        "SELECT b.router_id FROM routerl3agentbindings b JOIN router_extra_attributes e ON e.router_id = b.router_id WHERE NOT e.ha \
         GROUP BY b.router_id HAVING count(*) > 1",
    ),
];

pub(super) fn register(builder: &mut Builder) {
    builder.invariants(INVARIANTS);
}
