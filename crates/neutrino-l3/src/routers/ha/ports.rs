// SPDX-License-Identifier: Apache-2.0
//! The ports of a highly available router on its HA network: one for each of its agents.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{Error, Result};
use serde_json::json;

use super::network;
use crate::routers::{HA_NETWORK_PORT, ports};

/// Gives the router a port for an agent that serves it from now on.
///
/// # Errors
/// What ports say, such as that the network has no address left; transient when the router or the agent has just gone; the database's.
pub(crate) async fn plug(op: &mut Op<'_>, router_id: &str, project_id: &str, agent_id: &str) -> Result<()> {
    let network_id = network::ensure(op, project_id).await?;
    let request = json!({
        "network_id": network_id, "project_id": "", "name": format!("HA port project {project_id}"), "admin_state_up": true,
        "device_id": router_id, "device_owner": HA_NETWORK_PORT,
    });
    let port_id = network::make(op, "ports", &request).await?;
    ports::attach(op, router_id, &port_id, HA_NETWORK_PORT).await?;
    let columns = vec![
        ("port_id", port_id.as_str().into()),
        ("router_id", router_id.into()),
        ("l3_agent_id", agent_id.into()),
        ("state", "standby".into()),
    ];
    op.insert_row("ha_router_agent_port_bindings", columns).await.map_err(|error| match error.is_duplicate("") || error.is_foreign_key() {
        true => Error::stale(format!("router {router_id} or agent {agent_id} changed meanwhile")),
        false => error,
    })
}

/// Takes the port away again.
///
/// # Errors
/// The database's.
pub(crate) async fn unplug(op: &mut Op<'_>, router_id: &str, agent_id: &str) -> Result<()> {
    let sql = "SELECT port_id FROM ha_router_agent_port_bindings WHERE router_id = ? AND l3_agent_id = ? ORDER BY port_id";
    let rows = op.tx.query(sql, args![router_id, agent_id]).await?;
    for row in rows {
        ports::delete(op, &row.text(0)?).await?;
    }
    Ok(())
}

/// Takes all such ports of a router away.
///
/// # Errors
/// The database's.
pub(crate) async fn unplug_all(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    let sql = "SELECT port_id FROM routerports WHERE router_id = ? AND port_type = ? ORDER BY port_id";
    let rows = op.tx.query(sql, args![router_id, HA_NETWORK_PORT]).await?;
    for row in rows {
        ports::delete(op, &row.text(0)?).await?;
    }
    Ok(())
}

/// The ports of an agent go with it.
pub(super) struct OfAgents;

#[async_trait]
impl Hook for OfAgents {
    async fn delete(&self, op: &mut Op<'_>, agent: &Record) -> Result<()> {
        let sql = "SELECT port_id FROM ha_router_agent_port_bindings WHERE l3_agent_id = ? ORDER BY port_id";
        let rows = op.tx.query(sql, args![agent.id()]).await?;
        for row in rows {
            ports::delete(op, &row.text(0)?).await?;
        }
        Ok(())
    }
}
