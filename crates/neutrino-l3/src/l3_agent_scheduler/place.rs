// SPDX-License-Identifier: Apache-2.0
//! Scheduling: from a router to the agents that shall serve it, in one transaction.

use neutrino_core::{
    Context, Engine, Op,
    agents::{self, L3},
    scheduling,
};
use neutrino_db::{Row, Sql, Tx, args};
use neutrino_types::{Error, Result};

use super::{
    Scheduler,
    agents::{Agent, Mode, enabled, suits},
    scheduler,
};
use crate::routers::ha;

/// An agent that a router was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub router_id: String,
    pub agent_id: String,
    pub host: String,
}

/// A router and what decides who may serve it.
#[derive(Clone, Debug)]
pub struct Router {
    pub id: String,
    pub project_id: String,
    pub distributed: bool,
    pub ha: bool,
    pub has_gateway: bool,
    pub hints: Vec<String>,
}

const ROUTER: &str = "SELECT r.id, r.project_id, e.distributed, e.ha, r.gw_port_id, e.availability_zone_hints FROM routers r \
                      LEFT JOIN router_extra_attributes e ON e.router_id = r.id WHERE ";

impl Router {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.text(0)?,
            project_id: row.opt_text(1)?.unwrap_or_default(),
            distributed: row.opt_int(2)?.unwrap_or_default() != 0,
            ha: row.opt_int(3)?.unwrap_or_default() != 0,
            has_gateway: row.opt_text(4)?.is_some(),
            hints: row.opt_text(5)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default(),
        })
    }

    pub async fn find(tx: &mut Tx, id: &str) -> Result<Option<Self>> {
        tx.query_one(&format!("{ROUTER}r.id = ?"), args![id]).await?.as_ref().map(Self::read).transpose()
    }

    /// How many agents it shall have, of those that are there.
    fn agents_wanted(&self, rules: &Scheduler, alive: &[Agent]) -> usize {
        if !self.ha {
            return 1;
        }
        let able = alive.iter().filter(|agent| Mode::of(&agent.configurations) != Mode::Dvr).count();
        rules.most_agents.map_or(able, |most| most.min(able))
    }
}

pub(super) struct Binding {
    pub agent_id: String,
    index: i64,
    zone: Option<String>,
}

/// The agents of a router, in the order in which it got them.
pub(super) async fn bindings(tx: &mut Tx, router_id: &str) -> Result<Vec<Binding>> {
    let sql = "SELECT b.l3_agent_id, b.binding_index, a.availability_zone FROM routerl3agentbindings b \
               JOIN agents a ON a.id = b.l3_agent_id WHERE b.router_id = ? ORDER BY b.binding_index";
    let rows = tx.query(sql, args![router_id]).await?;
    rows.iter().map(|row| Ok(Binding { agent_id: row.text(0)?, index: row.int(1)?, zone: row.opt_text(2)? })).collect()
}

/// Gives a router the agents that it lacks.
///
/// # Errors
/// The database's.
pub async fn schedule(engine: &Engine, cx: &Context, router_id: &str) -> Result<Vec<Placed>> {
    let Some(rules) = scheduler(engine) else { return Ok(Vec::new()) };
    if !lacks_agents(engine, cx, router_id).await? {
        return Ok(Vec::new());
    }
    let (router_id, cx) = (router_id.to_owned(), cx.elevated());
    engine
        .transact(&cx, "routers", "schedule router", |op| {
            let (rules, router_id) = (rules.clone(), router_id.clone());
            Box::pin(async move { place(op, &rules, &router_id, None).await })
        })
        .await
}

/// Is it worth a transaction? Most often a router has its agents, or there are none.
async fn lacks_agents(engine: &Engine, cx: &Context, router_id: &str) -> Result<bool> {
    let sql = "SELECT (SELECT count(*) FROM routerl3agentbindings WHERE router_id = ?), \
               (SELECT count(*) FROM router_extra_attributes WHERE router_id = ? AND ha = ?), \
               (SELECT count(*) FROM agents WHERE agent_type = ? AND admin_state_up = ? AND heartbeat_timestamp >= ?)";
    let alive_since = agents::settings(engine).alive_since(cx.now());
    let row = engine.db.reader().await?.query_one(sql, args![router_id, router_id, true, L3, true, alive_since]).await?;
    let Some(row) = row else { return Ok(false) };
    let (held, ha, alive) = (row.int(0)?, row.int(1)? > 0, row.int(2)?);
    Ok(if ha { held < alive } else { held == 0 && alive > 0 })
}

/// Chooses agents for a router and binds it to them. `only`: no other agent counts.
///
/// # Errors
/// Transient when another server was faster; the database's.
pub(super) async fn place(op: &mut Op<'_>, rules: &Scheduler, router_id: &str, only: Option<&str>) -> Result<Vec<Placed>> {
    // The router must not go, and nobody else shall place it, meanwhile.
    if op.lock("routers", router_id).await?.is_none() {
        return Ok(Vec::new());
    }
    let Some(router) = Router::find(op.tx, router_id).await? else { return Ok(Vec::new()) };
    let known = bindings(op.tx, router_id).await?;
    if !router.ha && !known.is_empty() {
        return Ok(Vec::new());
    }
    let (settings, now) = (agents::settings(op.engine), op.cx.now());
    let mut alive = enabled(op.tx, Sql::raw("1 = 1")).await?;
    alive.retain(|agent| agent.is_alive(&settings, now));
    let wanted = router.agents_wanted(rules, &alive);
    let Some(missing) = wanted.checked_sub(known.len()).filter(|missing| *missing > 0) else { return Ok(Vec::new()) };
    let zones = rules.zones(&router.hints);
    let may = |agent: &Agent| {
        let (id, zone) = (&agent.candidate.id, &agent.candidate.zone);
        only.is_none_or(|only| only == id)
            && suits(&agent.configurations, &router)
            && (zones.is_empty() || zone.as_ref().is_some_and(|zone| zones.contains(zone)))
            && !known.iter().any(|binding| binding.agent_id == *id)
    };
    let candidates = alive.into_iter().filter(|agent| may(agent)).map(|agent| agent.candidate).collect();
    let hosting: Vec<Option<String>> = known.iter().map(|binding| binding.zone.clone()).collect();
    let cx = op.cx;
    let chosen = scheduling::choose(rules.driver, candidates, &hosting, missing, || cx.random());
    let mut taken: Vec<i64> = known.iter().map(|binding| binding.index).collect();
    let mut placed = Vec::with_capacity(chosen.len());
    for agent in chosen {
        let Some(index) = scheduling::vacant_index(&taken, wanted, false) else { break };
        bind(op, &router, &agent.id, index).await?;
        taken.push(index);
        placed.push(Placed { router_id: router_id.to_owned(), agent_id: agent.id, host: agent.host });
    }
    if placed.is_empty() && known.is_empty() {
        tracing::warn!(router_id, "no L3 agent can serve the router; it is tried again with its next change");
    }
    Ok(placed)
}

/// Writes a binding; an agent of a highly available router gets a port beside it.
async fn bind(op: &mut Op<'_>, router: &Router, agent_id: &str, index: i64) -> Result<()> {
    let columns = vec![("router_id", router.id.as_str().into()), ("l3_agent_id", agent_id.into()), ("binding_index", index.into())];
    op.insert_row("routerl3agentbindings", columns).await.map_err(|error| match error.is_duplicate("") || error.is_foreign_key() {
        true => Error::stale(format!("router {} or agent {agent_id} changed while it was scheduled", router.id)),
        false => error,
    })?;
    if router.ha {
        ha::plug(op, &router.id, &router.project_id, agent_id).await?;
    }
    Ok(())
}

/// Gives a router to an agent by hand, a highly available one even beyond the usual number of agents. The agent that serves it already, when
/// that is the reason why not.
///
/// # Errors
/// As [`place`].
pub(super) async fn add(op: &mut Op<'_>, router: &Router, agent_id: &str) -> Result<Option<String>> {
    let known = bindings(op.tx, &router.id).await?;
    if known.iter().any(|binding| binding.agent_id == agent_id) {
        return Ok(None);
    }
    if let Some(other) = known.first().filter(|_| !router.ha) {
        return Ok(Some(other.agent_id.clone()));
    }
    let taken: Vec<i64> = known.iter().map(|binding| binding.index).collect();
    if let Some(index) = scheduling::vacant_index(&taken, 0, true) {
        bind(op, router, agent_id, index).await?;
    }
    Ok(None)
}

/// Takes a router from an agent. Whether it served it.
///
/// # Errors
/// The database's.
pub(super) async fn remove(op: &mut Op<'_>, router_id: &str, agent_id: &str) -> Result<bool> {
    let sql = "DELETE FROM routerl3agentbindings WHERE router_id = ? AND l3_agent_id = ?";
    let served = op.tx.execute(sql, args![router_id, agent_id]).await? > 0;
    ha::unplug(op, router_id, agent_id).await?;
    Ok(served)
}

/// Gives an agent that asks for work the routers that lack one and that it may serve: what `get_router_ids` begins with.
///
/// # Errors
/// The database's.
pub async fn auto_schedule(engine: &Engine, cx: &Context, host: &str) -> Result<Vec<Placed>> {
    let Some(rules) = scheduler(engine).filter(|rules| rules.auto_schedule) else { return Ok(Vec::new()) };
    let (settings, now) = (agents::settings(engine), cx.now());
    let mut tx = engine.db.reader().await?;
    let here = enabled(&mut tx, Sql::new("a.host = ?", args![host])).await?.into_iter().find(|agent| agent.is_alive(&settings, now));
    let Some(agent) = here else { return Ok(Vec::new()) };
    let most = rules.most_agents.and_then(|most| i64::try_from(most).ok()).unwrap_or(i64::MAX);
    let sql = format!(
        "{ROUTER}(SELECT count(*) FROM routerl3agentbindings b WHERE b.router_id = r.id) < CASE WHEN e.ha = ? THEN ? ELSE 1 END \
         AND NOT EXISTS (SELECT 1 FROM routerl3agentbindings b WHERE b.router_id = r.id AND b.l3_agent_id = ?) ORDER BY r.id"
    );
    let rows = tx.query(&sql, args![true, most, &agent.candidate.id]).await?;
    drop(tx);
    let (mut placed, cx) = (Vec::new(), cx.elevated());
    for row in rows {
        let router = Router::read(&row)?;
        if !suits(&agent.configurations, &router) {
            continue;
        }
        let done = engine.transact(&cx, "routers", "auto schedule router", |op| {
            let (rules, router_id, agent_id) = (rules.clone(), router.id.clone(), agent.candidate.id.clone());
            Box::pin(async move { place(op, &rules, &router_id, Some(&agent_id)).await })
        });
        match done.await {
            Ok(more) => placed.extend(more),
            // One router must not keep the others from being served.
            Err(error) => {
                tracing::warn!(router_id = router.id, error = %error, log = error.log().unwrap_or_default(), "not scheduled");
            }
        }
    }
    Ok(placed)
}
