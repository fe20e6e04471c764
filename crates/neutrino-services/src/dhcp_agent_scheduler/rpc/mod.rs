// SPDX-License-Identifier: Apache-2.0
//! What DHCP agents call (`DhcpRpcCallback` in `neutron/api/rpc/handlers/dhcp_rpc.py`).
//!
//! Owns: the form of a network as DHCP agents get it ([`networks`]), and the ports that agents have on networks ([`ports`]). Invariants: a
//! full synchronization costs the same number of statements whatever the number of networks; an agent takes over a reserved port only if no
//! other agent did.

mod networks;
mod ports;

use futures::future::BoxFuture;
use neutrino_core::{
    Builder, Context, Engine, RpcEndpoint, listing,
    provisioning::{self, ProvisioningService},
    rpc::{self, Args},
};
use neutrino_types::{Result, error::kinds};
use serde_json::Value;

static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &["q-plugin"],
    namespace: None,
    version: (1, 10),
    methods: &[
        ("get_active_networks_info", networks::get_active_networks_info),
        ("get_network_info", networks::get_network_info),
        ("get_networks", get_networks),
        ("get_dhcp_port", ports::get_dhcp_port),
        ("create_dhcp_port", ports::create_dhcp_port),
        ("update_dhcp_port", ports::update_dhcp_port),
        ("release_dhcp_port", ports::release_dhcp_port),
        ("dhcp_ready_on_ports", dhcp_ready_on_ports),
    ],
};

pub fn register(builder: &mut Builder) {
    builder.rpc(&ENDPOINT);
}

/// Networks that fulfil `filters`, with the attributes that `fields` names, or all.
fn get_networks<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let query = listing::query(engine, "networks", args.get("filters").unwrap_or(&Value::Null))?;
        let fields = rpc::texts(args, "fields")?;
        let mut networks = listing::for_agents(engine, cx, "networks", &query).await?;
        if !fields.is_empty() {
            for network in networks.iter_mut().filter_map(Value::as_object_mut) {
                network.retain(|name, _| fields.contains(name));
            }
        }
        Ok(Value::Array(networks))
    })
}

/// The agent serves the addresses of these ports.
fn dhcp_ready_on_ports<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        if !args.contains_key("port_ids") {
            return Err(kinds::INVALID_INPUT.error("The call has no argument 'port_ids'."));
        }
        let port_ids = rpc::texts(args, "port_ids")?;
        if let Some(service) = engine.registry.service::<ProvisioningService>() {
            service.0.complete(engine, cx, &port_ids, provisioning::DHCP).await?;
        }
        Ok(Value::Null)
    })
}
