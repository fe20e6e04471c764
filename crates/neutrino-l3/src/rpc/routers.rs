// SPDX-License-Identifier: Apache-2.0
//! Which routers an agent has, and all there is to know of them.

use std::collections::BTreeSet;

use neutrino_core::{
    Context, Engine,
    rpc::{Args, text, texts},
};
use neutrino_db::{Sql, Tx};
use neutrino_types::Result;
use serde_json::Value;

use super::{
    AGENT_NOT_FOUND, hosts,
    sync::{self, Agent},
};
use crate::{l3_agent_scheduler, spread};

/// The ids of all routers of the agent on a host, after it got those that lack an agent.
pub async fn get_router_ids(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let (cx, host) = (&cx.elevated(), text(args, "host")?);
    for placed in l3_agent_scheduler::auto_schedule(engine, cx, host).await? {
        tracing::info!(router_id = placed.router_id, host, "the router got the agent that asked for work");
    }
    let mut tx = engine.db.reader().await?;
    let Some(agent) = Agent::of_host(engine, &mut tx, host).await?.filter(|agent| agent.serves) else {
        return Ok(Value::Array(Vec::new()));
    };
    let ids = routers_of(engine, &mut tx, &agent, &[], true).await?;
    Ok(ids.into_iter().collect())
}

/// The routers of the agent on a host, all or of those asked for; with their ports bound there.
pub async fn sync_routers(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let (cx, host, asked) = (&cx.elevated(), text(args, "host")?, texts(args, "router_ids")?);
    let (agent, routers) = load(engine, cx, host, &asked).await?;
    // What was bound is shown as it is then.
    let routers = if hosts::ensure(engine, cx, host, &routers).await? { load(engine, cx, host, &asked).await?.1 } else { routers };
    tracing::debug!(host, agent = agent.id, asked = asked.len(), routers = routers.len(), "routers were synced");
    Ok(routers.into_iter().map(|router| Value::Object(router.shown)).collect())
}

async fn load(engine: &Engine, cx: &Context, host: &str, asked: &[String]) -> Result<(Agent, Vec<sync::Router>)> {
    let mut tx = engine.db.reader().await?;
    let agent = Agent::of_host(engine, &mut tx, host).await?;
    let agent = agent.ok_or_else(|| AGENT_NOT_FOUND.error(format!("No L3 agent has reported from host {host}.")))?;
    if !agent.serves {
        tracing::info!(host, "the L3 agent is switched off and gets no routers");
        return Ok((agent, Vec::new()));
    }
    let ids = routers_of(engine, &mut tx, &agent, asked, true).await?;
    drop(tx);
    let routers = sync::data(engine, cx, &agent, &ids).await?;
    Ok((agent, routers))
}

/// How many routers of the agent are highly available and up.
pub async fn get_host_ha_router_count(engine: &Engine, args: &Args) -> Result<Value> {
    let mut tx = engine.db.reader().await?;
    let Some(agent) = Agent::of_host(engine, &mut tx, text(args, "host")?).await?.filter(|agent| agent.serves) else { return Ok(0.into()) };
    let ids = routers_of(engine, &mut tx, &agent, &[], false).await?;
    let mut sql = Sql::raw("SELECT count(*) FROM routers r JOIN router_extra_attributes e ON e.router_id = r.id WHERE r.admin_state_up = ");
    sql.bind(true).push(" AND e.ha = ").bind(true).push(" AND ");
    sql.append(Sql::in_texts(tx.dialect(), "r.id", ids.iter().map(String::as_str)));
    let count = tx.select(sql).await?.first().map(|row| row.int(0)).transpose()?.unwrap_or_default();
    Ok(count.into())
}

/// The routers of an agent: those that it was given, and for a DVR agent the distributed ones that are on its host. `asked`: only of these and
/// their neighbours; none means all.
async fn routers_of(engine: &Engine, tx: &mut Tx, agent: &Agent, asked: &[String], with_distributed: bool) -> Result<BTreeSet<String>> {
    let mut found = spread::bound_to(tx, &agent.id, asked).await?;
    let wanted: BTreeSet<String> = asked.iter().cloned().collect();
    if !with_distributed || !agent.is_distributed() || (!wanted.is_empty() && found == wanted) {
        return Ok(found);
    }
    let served = spread::served(engine);
    let here = spread::on_host(tx, served, &agent.host).await?;
    if wanted.is_empty() {
        found.extend(here);
    } else {
        let open: BTreeSet<String> = wanted.difference(&found).cloned().collect();
        let needed = spread::needed_on(tx, served, &agent.host, &open).await?;
        let beside = spread::neighbours(tx, &open).await?;
        let beside = beside.into_iter().filter(|(_, other)| here.contains(other)).map(|(router, _)| router);
        found.extend(needed.into_iter().chain(beside));
    }
    if !found.is_empty() {
        let others = spread::neighbours(tx, &found).await?;
        found.extend(others.into_iter().map(|(_, other)| other));
    }
    Ok(found)
}
