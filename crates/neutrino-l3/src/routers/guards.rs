// SPDX-License-Identifier: Apache-2.0
//! What routers forbid to others: a port that a router plugs in is deleted with the interface or the gateway, not by itself.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use super::{CENTRALIZED_SNAT, DISTRIBUTED_INTERFACE, GATEWAY, HA_INTERFACE, INTERFACE, errors::SERVICE_PORT_IN_USE};

const OWNERS: &[&str] = &[INTERFACE, GATEWAY, HA_INTERFACE, DISTRIBUTED_INTERFACE, CENTRALIZED_SNAT];

pub struct Ports;

#[async_trait]
impl Hook for Ports {
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
        Err(SERVICE_PORT_IN_USE.error(format!(
            "Port {} cannot be deleted directly via the port API: it has device owner {owner}. Remove the router's interface or gateway.",
            port.id()
        )))
    }
}
