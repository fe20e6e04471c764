// SPDX-License-Identifier: Apache-2.0
//! Distributed routers: the attribute, the owners of their interfaces, and the ports through which SNAT stays in one place.
//!
//! Rules: `distributed` changes only while the router is down; a distributed router with a gateway has, for each interface, one port of
//! owner `network:router_centralized_snat` on the same subnets, which belongs to no project.

use std::collections::BTreeSet;

use neutrino_core::{Op, bindings::BindingService};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::Result;
use serde_json::{Value, json};

use super::{
    CENTRALIZED_SNAT, DISTRIBUTED_INTERFACE, HA_INTERFACE, INTERFACE, INTERFACE_OWNERS, Settings,
    attached::{self, Attached},
    errors::bad,
    ports,
    rules::facts,
};

pub(crate) const DISTRIBUTED: &str = "distributed";

/// The owner of a router's interfaces.
pub(crate) fn interface_owner(distributed: bool, ha: bool) -> &'static str {
    match (distributed, ha) {
        (true, _) => DISTRIBUTED_INTERFACE,
        (false, true) => HA_INTERFACE,
        (false, false) => INTERFACE,
    }
}

/// A router that does not say is what the operator's default says.
pub(crate) fn create(body: &mut Body, settings: &Settings) {
    if settings.may_be_distributed && body.bool(DISTRIBUTED).is_none() {
        body.set(DISTRIBUTED, settings.distributed_by_default);
    }
}

/// Prepares a change of `distributed`; true when there is one.
///
/// # Errors
/// `BadRequest` while the router is up.
pub(crate) fn check_change(original: &Record, body: &mut Body) -> Result<bool> {
    let Some(asked) = body.bool(DISTRIBUTED) else {
        // Null asks for nothing.
        body.remove(DISTRIBUTED);
        return Ok(false);
    };
    if asked == original.bool(DISTRIBUTED) {
        return Ok(false);
    }
    if original.bool("admin_state_up") {
        return Err(bad("the attribute 'distributed' of an active router cannot change: set its admin_state_up to false first"));
    }
    Ok(true)
}

/// After a change of the router's kind: interfaces get the owner that fits, and SNAT its ports or none.
pub(crate) async fn migrate(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    let (_, owner) = facts(op, router_id).await?;
    if let (true, Some(bindings)) = (owner != DISTRIBUTED_INTERFACE, op.engine.registry.service::<BindingService>()) {
        bindings.0.unbind_distributed(op, router_id, None).await?;
    }
    for port in attached::ports(op, router_id).await? {
        if INTERFACE_OWNERS.contains(&port.kind.as_str()) && port.kind != owner {
            ports::update(op, &port.port_id, json!({"device_owner": owner})).await?;
            op.tx.execute("UPDATE routerports SET port_type = ? WHERE port_id = ?", args![owner, &port.port_id]).await?;
        }
    }
    align(op, router_id).await
}

/// Makes and removes the ports of SNAT so that they fit the interfaces and the gateway.
pub(crate) async fn align(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    let sql = "SELECT e.distributed, r.gw_port_id FROM routers r JOIN router_extra_attributes e ON e.router_id = r.id WHERE r.id = ?";
    let Some(row) = op.tx.query_one(sql, args![router_id]).await? else { return Ok(()) };
    let wanted = row.bool(0)? && row.opt_text(1)?.is_some();
    let all = attached::ports(op, router_id).await?;
    let (held, others): (Vec<Attached>, Vec<Attached>) = all.into_iter().partition(|port| port.kind == CENTRALIZED_SNAT);
    let interfaces: Vec<&Attached> = others.iter().filter(|port| wanted && INTERFACE_OWNERS.contains(&port.kind.as_str())).collect();
    for port in &held {
        if !interfaces.iter().any(|interface| subnets(interface) == subnets(port)) {
            ports::delete(op, &port.port_id).await?;
        }
    }
    for interface in interfaces {
        let places = subnets(interface);
        if !held.iter().any(|port| subnets(port) == places) {
            let fixed_ips: Vec<Value> = places.iter().map(|subnet| json!({"subnet_id": subnet})).collect();
            ports::create(op, router_id, CENTRALIZED_SNAT, "", &interface.network_id, Some(fixed_ips.into())).await?;
        }
    }
    Ok(())
}

fn subnets(port: &Attached) -> BTreeSet<&str> {
    port.addresses.iter().map(|(subnet, _)| subnet.as_str()).collect()
}
