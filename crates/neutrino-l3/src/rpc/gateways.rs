// SPDX-License-Identifier: Apache-2.0
//! The ports through which a host's distributed routers serve floating IPs: one for an external network and an agent.

use async_trait::async_trait;
use neutrino_core::{
    Context, Engine, Hook, Op,
    agents::L3,
    rpc::{Args, text as argument},
};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result};
use serde_json::{Value, json};

use super::{
    objects::{self, Object, text},
    sync::{AGENT_GATEWAY, Agent},
    wiring,
};
use crate::routers::GATEWAY;

/// The port of a host, made when it has none.
pub async fn get(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let (cx, network_id, host) = (&cx.elevated(), argument(arguments, "network_id")?, argument(arguments, "host")?);
    let Some(id) = ensure(engine, cx, network_id, host).await? else { return Ok(Value::Null) };
    let mut port = load(engine, cx, &id).await?;
    let settled =
        |port: &Object| text(port, "binding:host_id") == host && !["unbound", "binding_failed"].contains(&text(port, "binding:vif_type"));
    if port.as_ref().is_some_and(|port| !settled(port)) && objects::move_port(engine, cx, &id, host).await? {
        port = load(engine, cx, &id).await?;
    }
    let Some(mut port) = port else { return Ok(Value::Null) };
    let mut tx = engine.db.reader().await?;
    wiring::fill(&mut tx, engine.registry.has_extension("segment"), &mut [&mut port]).await?;
    Ok(Value::Object(port))
}

async fn load(engine: &Engine, cx: &Context, id: &str) -> Result<Option<Object>> {
    Ok(objects::by(engine, cx, "ports", "id", [id]).await?.pop())
}

/// The id of the port; `None` for a host without an L3 agent, or whose agent has no way out.
///
/// # Errors
/// What ports say; the database's.
pub async fn ensure(engine: &Engine, cx: &Context, network_id: &str, host: &str) -> Result<Option<String>> {
    let Some(agent) = Agent::of_host(engine, &mut engine.db.reader().await?, host).await?.filter(|agent| !agent.is_internal) else {
        tracing::warn!(host, network_id, "no gateway for floating IPs: the host has no L3 agent that leads out");
        return Ok(None);
    };
    let known = "SELECT id FROM ports WHERE network_id = ? AND device_id = ? AND device_owner = ? ORDER BY id";
    let found = engine.db.reader().await?.query_one(known, args![network_id, &agent.id, AGENT_GATEWAY]).await?;
    if let Some(row) = found {
        return row.text(0).map(Some);
    }
    let names = [network_id.to_owned(), agent.id, host.to_owned()];
    let made = engine.transact(cx, "ports", "gateway of an agent", |op| {
        let [network_id, agent_id, host] = names.clone();
        Box::pin(async move {
            // One at a time for an agent; the unique key of the table holds where this claim does not.
            if op.lock("agents", &agent_id).await?.is_none() {
                return Ok(None);
            }
            match op.tx.query_one(known, args![&network_id, &agent_id, AGENT_GATEWAY]).await? {
                Some(row) => row.text(0).map(Some),
                None => make(op, &network_id, &agent_id, &host).await.map(Some),
            }
        })
    });
    made.await
}

async fn make(op: &mut Op<'_>, network_id: &str, agent_id: &str, host: &str) -> Result<String> {
    let request = json!({
        "network_id": network_id, "device_id": agent_id, "device_owner": AGENT_GATEWAY, "binding:host_id": host, "project_id": "",
        "admin_state_up": true, "name": "",
    });
    let request = request.as_object().cloned().unwrap_or_default();
    let engine = op.engine;
    let mut body = Body::create(engine.entry("ports")?.table.clone(), &request, Some(""), &engine.registry.limits)?;
    let id = op.create_object("ports", &mut body).await?;
    let row = "SELECT count(*) FROM dvr_fip_gateway_port_network WHERE network_id = ? AND agent_id = ?";
    if op.tx.count(row, args![network_id, agent_id]).await? == 0 {
        let columns = vec![("network_id", network_id.into()), ("agent_id", agent_id.into())];
        op.insert_row("dvr_fip_gateway_port_network", columns).await.map_err(|error| match error.is_duplicate("") {
            true => Error::stale(format!("agent {agent_id} got its gateway to network {network_id} by another request")),
            false => error,
        })?;
    }
    Ok(id)
}

/// Takes the port of a host away.
pub async fn delete(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let names = [argument(arguments, "network_id")?.to_owned(), argument(arguments, "host")?.to_owned()];
    engine
        .transact(&cx.elevated(), "ports", "remove gateway of an agent", |op| {
            let [network_id, host] = names.clone();
            Box::pin(async move {
                let sql = "SELECT p.id FROM ports p JOIN agents a ON a.id = p.device_id WHERE p.network_id = ? AND p.device_owner = ? \
                           AND a.agent_type = ? AND a.host = ? ORDER BY p.id";
                remove(op, sql, args![&network_id, AGENT_GATEWAY, L3, &host]).await?;
                let sql = "DELETE FROM dvr_fip_gateway_port_network WHERE network_id = ? AND agent_id IN \
                           (SELECT id FROM agents WHERE agent_type = ? AND host = ?)";
                op.tx.execute(sql, args![&network_id, L3, &host]).await.map(drop)
            })
        })
        .await?;
    Ok(Value::Null)
}

async fn remove(op: &mut Op<'_>, sql: &str, arguments: Vec<neutrino_db::Arg>) -> Result<()> {
    let ids: Vec<String> = op.tx.query(sql, arguments).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for port in op.load("ports", &ids).await? {
        op.delete_object("ports", &port).await?;
    }
    Ok(())
}

/// Takes the ports of all hosts away once no router leads to the network any more. Whether that is so.
///
/// # Errors
/// The database's.
pub async fn forget(engine: &Engine, cx: &Context, network_id: &str) -> Result<bool> {
    let network_id = network_id.to_owned();
    engine
        .transact(&cx.elevated(), "ports", "remove gateways of agents", |op| {
            let network_id = network_id.clone();
            Box::pin(async move {
                let sql = "SELECT count(*) FROM ports WHERE network_id = ? AND device_owner = ?";
                if op.tx.count(sql, args![&network_id, GATEWAY]).await? > 0 {
                    return Ok(false);
                }
                let sql = "SELECT id FROM ports WHERE network_id = ? AND device_owner = ? ORDER BY id";
                remove(op, sql, args![&network_id, AGENT_GATEWAY]).await?;
                op.tx.execute("DELETE FROM dvr_fip_gateway_port_network WHERE network_id = ?", args![&network_id]).await?;
                Ok(true)
            })
        })
        .await
}

/// The ports of an agent go with it.
pub struct OfAgents;

#[async_trait]
impl Hook for OfAgents {
    async fn delete(&self, op: &mut Op<'_>, agent: &Record) -> Result<()> {
        if agent.str("agent_type") != L3 {
            return Ok(());
        }
        remove(op, "SELECT id FROM ports WHERE device_id = ? AND device_owner = ? ORDER BY id", args![agent.id(), AGENT_GATEWAY]).await
    }
}
