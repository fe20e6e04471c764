// SPDX-License-Identifier: Apache-2.0
//! `/agents/{id}/l3-routers` and `/routers/{id}/l3-agents`.

use std::collections::HashMap;

use async_trait::async_trait;
use neutrino_core::{
    Context, Engine,
    agents::{self, L3, may_serve},
    served::{Served, Serving},
};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{Kind, Result};
use serde_json::{Value, json};

use super::{
    agents::{Mode, suits},
    place::{self, Router},
};
use crate::{
    notifier,
    routers::{ROUTER_NOT_FOUND, ha::HA},
};

const INVALID_L3_AGENT: Kind = Kind::new("InvalidL3Agent", 404);
const HOSTED: Kind = Kind::new("RouterHostedByL3Agent", 409);
const MISMATCH: Kind = Kind::new("RouterL3AgentMismatch", 409);
const NOT_TO_DVR_AGENT: Kind = Kind::new("DVRL3CannotAssignToDvrAgent", 409);
const NOT_FROM_DVR_AGENT: Kind = Kind::new("DVRL3CannotRemoveFromDvrAgent", 409);

pub struct Routers;

#[async_trait]
impl Served for Routers {
    const PATH: &'static str = "l3-routers";
    const COLLECTION: &'static str = "routers";
    const KEY: &'static str = "router_id";
    const OF_AGENT: &'static str = "SELECT router_id FROM routerl3agentbindings WHERE l3_agent_id = ?";

    async fn add(&self, engine: &Engine, cx: &Context, agent: &Record, id: &str) -> Result<()> {
        add(engine, cx, agent, id).await
    }

    async fn remove(&self, engine: &Engine, cx: &Context, agent: &Record, id: &str) -> Result<()> {
        remove(engine, cx, agent, id).await
    }
}

/// Refuses agents that cannot serve the router.
fn ensure_fits(engine: &Engine, agent: &Record, router: &Router) -> Result<()> {
    let invalid =
        || Err(INVALID_L3_AGENT.error(format!("Agent {} is not an L3 agent that can serve the router, or is disabled.", agent.id())));
    if agent.str("agent_type") != L3 {
        return invalid();
    }
    let configurations = agent.get("configurations");
    match Mode::of(configurations) {
        Mode::Dvr => {
            return Err(NOT_TO_DVR_AGENT.error(format!(
                "Agent {} is in DVR mode: it serves the distributed routers of its host, and no router is assigned to it by hand.",
                agent.id()
            )));
        }
        Mode::Legacy if router.distributed => {
            return Err(MISMATCH.error(format!("Router {} is distributed, and L3 agent {} is in legacy mode.", router.id, agent.id())));
        }
        Mode::Legacy | Mode::DvrSnat => {}
    }
    if may_serve(engine, agent.bool("admin_state_up")) && suits(configurations, router) { Ok(()) } else { invalid() }
}

async fn add(engine: &Engine, cx: &Context, agent: &Record, router_id: &str) -> Result<()> {
    engine.original(cx, "routers", None, router_id).await?;
    let (whole, agent_id, id) = (agent.clone(), agent.id().to_owned(), router_id.to_owned());
    let cx = cx.elevated();
    let hosted_by = engine.transact(&cx, "routers", "add router to L3 agent", |op| {
        let (whole, agent_id, id) = (whole.clone(), agent_id.clone(), id.clone());
        Box::pin(async move {
            let found = op.lock("routers", &id).await?;
            let router = Router::find(op.tx, &id).await?.filter(|_| found.is_some());
            let router = router.ok_or_else(|| ROUTER_NOT_FOUND.error(format!("Router {id} could not be found.")))?;
            ensure_fits(op.engine, &whole, &router)?;
            place::add(op, &router, &agent_id).await
        })
    });
    match hosted_by.await? {
        None => {
            notifier::router_added_to_agent(engine, &cx, router_id, agent.str("host")).await;
            Ok(())
        }
        Some(other) => Err(HOSTED.error(format!("Router {router_id} is already hosted by the L3 agent {other}."))),
    }
}

/// To remove a router that the agent does not serve is no error.
async fn remove(engine: &Engine, cx: &Context, agent: &Record, router_id: &str) -> Result<()> {
    if Mode::of(agent.get("configurations")) == Mode::Dvr {
        return Err(NOT_FROM_DVR_AGENT.error(format!(
            "Agent {} is in DVR mode: it serves the distributed routers of its host, and no router is removed from it by hand.",
            agent.id()
        )));
    }
    engine.original(cx, "routers", None, router_id).await?;
    let (agent_id, id) = (agent.id().to_owned(), router_id.to_owned());
    engine
        .transact(&cx.elevated(), "routers", "remove router from L3 agent", |op| {
            let (agent_id, id) = (agent_id.clone(), id.clone());
            Box::pin(async move { place::remove(op, &id, &agent_id).await.map(drop) })
        })
        .await?;
    notifier::router_left_agent(engine, cx, router_id, agent.str("host")).await
}

pub struct Agents;

#[async_trait]
impl Serving for Agents {
    const PATH: &'static str = "l3-agents";
    const COLLECTIONS: &'static [&'static str] = &["routers"];

    async fn agents(&self, engine: &Engine, cx: &Context, router: &Record) -> Result<HashMap<String, Value>> {
        let states = states(engine, cx, router).await?;
        Ok(states.into_iter().map(|(id, state)| (id, json!({ "ha_state": state }))).collect())
    }
}

/// The agents of a router, each with what it is for a highly available one: what it last said, unless it is dead since. Then it is in standby, or
/// nobody knows, when all the others are dead, too.
async fn states(engine: &Engine, cx: &Context, router: &Record) -> Result<HashMap<String, Value>> {
    let mut tx = engine.db.reader().await?;
    if !router.bool(HA) {
        let rows = tx.query("SELECT l3_agent_id FROM routerl3agentbindings WHERE router_id = ?", args![router.id()]).await?;
        return rows.iter().map(|row| Ok((row.text(0)?, Value::Null))).collect();
    }
    let sql = "SELECT b.l3_agent_id, b.state, CASE WHEN a.admin_state_up = ? AND a.heartbeat_timestamp >= ? THEN 1 ELSE 0 END \
               FROM ha_router_agent_port_bindings b JOIN agents a ON a.id = b.l3_agent_id WHERE b.router_id = ?";
    let alive_since = agents::settings(engine).alive_since(cx.now());
    let mut said = Vec::new();
    for row in tx.query(sql, args![true, alive_since, router.id()]).await? {
        said.push((row.text(0)?, row.opt_text(1)?.unwrap_or_default(), row.int(2)? > 0));
    }
    let nobody = said.iter().all(|(_, state, alive)| !alive && state != "unknown");
    let state = |state: String, alive: bool| match (state.as_str(), alive) {
        ("active", false) if nobody => "unknown".to_owned(),
        ("active", false) => "standby".to_owned(),
        _ => state,
    };
    Ok(said.into_iter().map(|(id, last, alive)| (id, state(last, alive).into())).collect())
}
