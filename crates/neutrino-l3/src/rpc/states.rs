// SPDX-License-Identifier: Apache-2.0
//! What agents say of highly available routers: where each is active, which is where its interfaces go.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_core::{
    Context, Engine,
    agents::L3,
    bindings::BindingService,
    rpc::{Args, text},
};
use neutrino_db::{Sql, args};
use neutrino_types::{Result, error::kinds};
use serde_json::Value;

use super::hosts::settle;
use crate::routers::{CENTRALIZED_SNAT, GATEWAY, HA_INTERFACE, HA_NETWORK_PORT};

const STATES: [&str; 3] = ["active", "standby", "unknown"];

/// Notes the states of the routers of a host's agent, and moves the interfaces of those that have become active there.
pub async fn update(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let (cx, host) = (&cx.elevated(), text(arguments, "host")?.to_owned());
    let mut by_state: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for (router, state) in arguments.get("states").and_then(Value::as_object).into_iter().flatten() {
        let known = STATES.iter().find(|known| Some(**known) == state.as_str());
        let state = known.ok_or_else(|| kinds::INVALID_INPUT.error(format!("The state {state} of router {router} is none.")))?;
        by_state.entry(state).or_default().insert(router.clone());
    }
    let active = by_state.get("active").cloned().unwrap_or_default();
    let noted = host.clone();
    engine
        .transact(cx, "routers", "states of routers", |op| {
            let (by_state, host) = (by_state.clone(), noted.clone());
            Box::pin(async move {
                for (state, routers) in by_state {
                    let mut sql = Sql::new(
                        "UPDATE ha_router_agent_port_bindings SET state = ? WHERE l3_agent_id IN \
                         (SELECT id FROM agents WHERE agent_type = ? AND host = ?) AND ",
                        args![state, L3, host.as_str()],
                    );
                    sql.append(Sql::in_texts(op.tx.dialect(), "router_id", routers.iter().map(String::as_str)));
                    op.tx.run(sql).await?;
                }
                Ok(())
            })
        })
        .await?;
    let ports = misplaced(engine, &host, &active).await?;
    if !ports.is_empty() {
        settle(engine, cx, &ports.iter().map(String::as_str).collect::<Vec<_>>(), &host).await;
    }
    Ok(Value::Null)
}

/// The ports of highly available routers that are not bound on the host where their routers are active.
async fn misplaced(engine: &Engine, host: &str, active: &BTreeSet<String>) -> Result<Vec<String>> {
    if active.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::new(
        "SELECT r.port_id FROM routerports r JOIN router_extra_attributes e ON e.router_id = r.router_id AND e.ha = ? \
         LEFT JOIN ml2_port_bindings b ON b.port_id = r.port_id AND b.status = 'ACTIVE' WHERE r.port_type IN (?, ?, ?) \
         AND (b.host IS NULL OR b.host <> ? OR b.vif_type IN ('unbound', 'binding_failed')) AND ",
        args![true, HA_INTERFACE, CENTRALIZED_SNAT, GATEWAY, host],
    );
    sql.append(Sql::in_texts(tx.dialect(), "r.router_id", active.iter().map(String::as_str))).push(" ORDER BY r.port_id");
    tx.select(sql).await?.iter().map(|row| row.text(0)).collect()
}

/// An agent that starts anew does not trust that the ports over which its routers watch each other are wired: they are down until the
/// L2 agent of the host says otherwise.
pub async fn distrust_ports(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let sql = "SELECT p.id FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
               WHERE p.device_owner = ? AND p.status = 'ACTIVE' AND b.host = ? ORDER BY p.id";
    let rows = engine.db.reader().await?.query(sql, args![HA_NETWORK_PORT, text(arguments, "host")?]).await?;
    let Some(bindings) = engine.registry.service::<BindingService>() else { return Ok(Value::Null) };
    let ids: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    bindings.0.set_statuses(engine, &cx.elevated(), &ids.iter().map(String::as_str).collect::<Vec<_>>(), "DOWN").await?;
    Ok(Value::Null)
}
