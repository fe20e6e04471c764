// SPDX-License-Identifier: Apache-2.0
//! What routers forbid to others: a port that a router plugs in is deleted with the interface or the gateway, not by itself, and an
//! interface keeps its IPv4 address.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result, error::kinds};

use super::{
    CENTRALIZED_SNAT, DISTRIBUTED_INTERFACE, GATEWAY, HA_INTERFACE, HA_NETWORK_PORT, INTERFACE, INTERFACE_OWNERS,
    errors::SERVICE_PORT_IN_USE,
};

/// Owners of ports that go with their routers only.
const OWNERS: &[&str] = &[INTERFACE, GATEWAY, HA_INTERFACE, HA_NETWORK_PORT, DISTRIBUTED_INTERFACE, CENTRALIZED_SNAT];
/// Owners of ports whose addresses stay.
const STEADY: &[&str] = &[INTERFACE, HA_INTERFACE, HA_NETWORK_PORT, DISTRIBUTED_INTERFACE, CENTRALIZED_SNAT];

pub struct Ports;

#[async_trait]
impl Hook for Ports {
    /// Nothing of this is done by routers themselves, which change only the IPv6 addresses of a port.
    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let owner = body.str("device_owner").unwrap_or_else(|| original.str("device_owner"));
        if !body.names("fixed_ips") || !STEADY.contains(&owner) {
            return Ok(());
        }
        let device_id = body.str("device_id").unwrap_or_else(|| original.str("device_id"));
        if op.tx.count("SELECT count(*) FROM routers WHERE id = ?", args![device_id]).await? == 0 {
            return Ok(());
        }
        let is_v4 = |address: &&str| !address.contains(':');
        let mut before: Vec<&str> =
            original.list("fixed_ips").iter().filter_map(|entry| entry["ip_address"].as_str()).filter(is_v4).collect();
        let rows = op.tx.query("SELECT ip_address FROM ipallocations WHERE port_id = ?", args![original.id()]).await?;
        let held: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        let mut after: Vec<&str> = held.iter().map(String::as_str).filter(is_v4).collect();
        before.sort_unstable();
        after.sort_unstable();
        if before == after {
            return Ok(());
        }
        Err(kinds::BAD_REQUEST_PLUGIN.error(format!(
            "Bad ports request: the IPv4 addresses of port {} are those of a router's interface and cannot change: plug the router in anew.",
            original.id()
        )))
    }

    async fn before_delete(&self, engine: &Engine, _cx: &Context, port: &Record) -> Result<()> {
        let owner = port.str("device_owner");
        if !OWNERS.contains(&owner) {
            return Ok(());
        }
        // A port that outlived its router may go.
        let mut tx = engine.db.reader().await?;
        if tx.count("SELECT count(*) FROM routers WHERE id = ?", args![port.str("device_id")]).await? == 0 {
            return Ok(());
        }
        Err(in_use(port.id(), owner))
    }

    /// A router takes its own note of a port away first; a note that is there was made since the request was looked at.
    async fn delete(&self, op: &mut Op<'_>, port: &Record) -> Result<()> {
        let owner = port.str("device_owner");
        let is_plugged = INTERFACE_OWNERS.contains(&owner)
            && op.tx.count("SELECT count(*) FROM routerports WHERE port_id = ?", args![port.id()]).await? > 0;
        if is_plugged { Err(in_use(port.id(), owner)) } else { Ok(()) }
    }
}

fn in_use(port_id: &str, owner: &str) -> Error {
    SERVICE_PORT_IN_USE.error(format!(
        "Port {port_id} cannot be deleted directly via the port API: it has device owner {owner}. Remove the router's interface or gateway."
    ))
}
