// SPDX-License-Identifier: Apache-2.0
//! What L3 agents, and OVS agents for distributed routers, ask the server.
//!
//! Owns the endpoints of `q-l3-plugin`, those of distributed routers on `q-plugin`, and `dvr_fip_gateway_port_network` with the ports behind it.
//! Refuses to own: routers and floating IPs themselves, which agent serves a router, casts to agents ([`crate::notifier`]). Invariants: an
//! answer costs a constant number of statements, but for what it must write: ports that are not yet where the agent is; an external
//! network has one floating IP gateway port for an agent (a unique key).

mod dvr;
mod floating_ips;
pub(crate) mod gateways;
mod hosts;
mod objects;
mod plain;
mod routers;
mod states;
mod sync;
mod wiring;

use neutrino_core::{Builder, RpcEndpoint};
use neutrino_types::Kind;

const AGENT_NOT_FOUND: Kind = Kind::new("AgentNotFoundByTypeHost", 404);

static L3: RpcEndpoint = RpcEndpoint {
    topics: &["q-l3-plugin"],
    namespace: None,
    version: (1, 13),
    methods: &[
        ("get_router_ids", |engine, cx, args| Box::pin(routers::get_router_ids(engine, cx, args))),
        ("sync_routers", |engine, cx, args| Box::pin(routers::sync_routers(engine, cx, args))),
        ("get_host_ha_router_count", |engine, _, args| Box::pin(routers::get_host_ha_router_count(engine, args))),
        ("get_service_plugin_list", |engine, _, _| Box::pin(async { Ok(plain::service_plugins(engine)) })),
        ("get_networks", |engine, cx, args| Box::pin(plain::get_networks(engine, cx, args))),
        ("get_ports_by_subnet", |engine, cx, args| Box::pin(plain::get_ports_by_subnet(engine, cx, args))),
        ("update_floatingip_statuses", |engine, cx, args| Box::pin(floating_ips::update_statuses(engine, cx, args))),
        ("update_all_ha_network_port_statuses", |engine, cx, args| Box::pin(states::distrust_ports(engine, cx, args))),
        ("update_ha_routers_states", |engine, cx, args| Box::pin(states::update(engine, cx, args))),
        ("get_agent_gateway_port", |engine, cx, args| Box::pin(gateways::get(engine, cx, args))),
        ("delete_agent_gateway_port", |engine, cx, args| Box::pin(gateways::delete(engine, cx, args))),
    ],
};

static DVR: RpcEndpoint = RpcEndpoint {
    topics: &["q-plugin"],
    namespace: None,
    version: (1, 1),
    methods: &[
        ("get_dvr_mac_address_list", |engine, _, _| Box::pin(dvr::mac_addresses(engine))),
        ("get_dvr_mac_address_by_host", |engine, cx, args| Box::pin(dvr::mac_address_of_host(engine, cx, args))),
        ("get_ports_on_host_by_subnet", |engine, cx, args| Box::pin(dvr::ports_on_host(engine, cx, args))),
        ("get_subnet_for_dvr", |engine, cx, args| Box::pin(dvr::subnet(engine, cx, args))),
    ],
};

pub fn register(builder: &mut Builder) {
    builder.rpc(&L3).rpc(&DVR).hook("agents", gateways::OfAgents);
}
