// SPDX-License-Identifier: Apache-2.0
//! What L2 agents call and are told: devices, tunnels, rules of security groups, and fanouts about ports and networks.
//!
//! Owns the tables `ml2_*_endpoints` and the shape of answers. Refuses to own: the wire, the status and binding of ports (`mech`), versioned
//! objects. Invariants: a call costs a constant number of statements however many devices it names, apart from distributed ports whose
//! status changes and ports that must be bound; nothing is told before the commit of what it speaks of.

mod details;
mod devices;
pub mod load;
pub mod notify;
mod security_groups;
mod tunnels;
mod wiring;

use neutrino_core::{Builder, RpcEndpoint, rpc::Args};
use neutrino_types::{Result, error::kinds};
use oslo_config::Config;
use serde_json::Value;

/// The topic of the core plugin.
const PLUGIN: &str = "q-plugin";

static DEVICES: RpcEndpoint = RpcEndpoint {
    topics: &[PLUGIN],
    namespace: None,
    version: (1, 9),
    methods: &[
        ("get_device_details", |engine, cx, args| Box::pin(details::one(engine, cx, args))),
        ("get_devices_details_list", |engine, cx, args| Box::pin(details::list(engine, cx, args))),
        ("get_devices_details_list_and_failed_devices", |engine, cx, args| Box::pin(details::list_and_failed(engine, cx, args))),
        ("get_network_details", |engine, cx, args| Box::pin(details::network(engine, cx, args))),
        ("get_ports_by_vnic_type_and_host", |engine, cx, args| Box::pin(details::ports_on_host(engine, cx, args))),
        ("update_device_up", |engine, cx, args| Box::pin(wiring::up(engine, cx, args))),
        ("update_device_down", |engine, cx, args| Box::pin(wiring::down(engine, cx, args))),
        ("update_device_list", |engine, cx, args| Box::pin(wiring::list(engine, cx, args))),
        ("tunnel_sync", |engine, cx, args| Box::pin(tunnels::sync(engine, cx, args))),
    ],
};

static SECURITY_GROUPS: RpcEndpoint = RpcEndpoint {
    topics: &[PLUGIN],
    namespace: None,
    version: (1, 3),
    methods: &[
        ("security_group_rules_for_devices", |engine, cx, args| Box::pin(security_groups::rules_for_devices(engine, cx, args))),
        ("security_group_info_for_devices", |engine, cx, args| Box::pin(security_groups::info_for_devices(engine, cx, args))),
    ],
};

pub fn register(builder: &mut Builder, config: &Config) {
    builder.rpc(&DEVICES).rpc(&SECURITY_GROUPS);
    tunnels::register(builder, config);
    notify::register(builder);
}

/// The host that calls; `None` where an old agent does not say.
fn host(args: &Args) -> Option<&str> {
    args.get("host").and_then(Value::as_str).filter(|host| !host.is_empty())
}

/// A list argument; empty when it is missing or null.
///
/// # Errors
/// 400 `InvalidInput` that names it.
fn list<'a>(args: &'a Args, name: &str) -> Result<&'a [Value]> {
    match args.get(name) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(kinds::INVALID_INPUT.error(format!("The argument '{name}' of the call is no list."))),
    }
}
