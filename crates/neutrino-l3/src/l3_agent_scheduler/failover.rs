// SPDX-License-Identifier: Apache-2.0
//! Moves routers from L3 agents that have died to others. Highly available routers have others already.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{
    Context, Engine, Op, Worker,
    agents::{self, Rounds},
};
use neutrino_db::args;
use neutrino_types::{Kind, Result};

use super::{Placed, place, scheduler};
use crate::notifier;

const RESCHEDULING_FAILED: Kind = Kind::new("RouterReschedulingFailed", 409);

pub struct Failover {
    pub down_after_s: i64,
}

#[async_trait]
impl Worker for Failover {
    fn name(&self) -> &'static str {
        "L3 agent failover"
    }

    fn is_periodic(&self) -> bool {
        true
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
        let cx = Context::internal(self.name());
        let mut rounds = Rounds::new(self.name(), &cx, self.down_after_s);
        while rounds.next(&cx, &mut stop).await {
            if let Err(error) = reschedule_routers_from_down_agents(&engine, &cx).await {
                tracing::error!(error = %error, log = error.log().unwrap_or_default(), "routers of dead L3 agents stay where they are");
            }
        }
        Ok(())
    }
}

/// One look: the routers of agents that are dead, and that the operator did not switch off, go to others. The number of routers moved.
///
/// # Errors
/// The database's.
pub async fn reschedule_routers_from_down_agents(engine: &Engine, cx: &Context) -> Result<usize> {
    let sql = "SELECT b.router_id, b.l3_agent_id, a.host FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id \
               LEFT JOIN router_extra_attributes e ON e.router_id = b.router_id \
               WHERE a.heartbeat_timestamp < ? AND a.admin_state_up = ? AND (e.ha IS NULL OR e.ha = ?) ORDER BY b.router_id";
    let dead_before = agents::settings(engine).dead_before(cx.now());
    let rows = engine.db.reader().await?.query(sql, args![dead_before, true, false]).await?;
    let mut moved = 0;
    for row in rows {
        let (router_id, agent_id) = (row.text(0)?, row.text(1)?);
        tracing::warn!(router_id, agent_id, "the L3 agent has died: the router goes to another");
        let names = [router_id.clone(), agent_id.clone()];
        let done = engine.transact(cx, "routers", "reschedule router", |op| {
            let [router_id, agent_id] = names.clone();
            Box::pin(async move { move_away(op, &router_id, &agent_id).await })
        });
        match done.await {
            Ok(placed) => {
                moved += usize::from(!placed.is_empty());
                tell(engine, cx, &router_id, &row.text(2)?, &placed).await?;
            }
            // One router must not keep the others from being served.
            Err(error) => {
                tracing::error!(router_id, agent_id, error = %error, log = error.log().unwrap_or_default(), "not moved from a dead L3 agent");
            }
        }
    }
    Ok(moved)
}

/// A router stays where it is when nobody else can serve it: its agent may come back.
async fn move_away(op: &mut Op<'_>, router_id: &str, agent_id: &str) -> Result<Vec<Placed>> {
    let Some(rules) = scheduler(op.engine) else { return Ok(Vec::new()) };
    // It may have come back, or gone, in between.
    let sql = "SELECT count(*) FROM agents WHERE id = ? AND heartbeat_timestamp < ?";
    let alive_since = agents::settings(op.engine).alive_since(op.cx.now());
    if op.tx.count(sql, args![agent_id, alive_since]).await? == 0 || !place::remove(op, router_id, agent_id).await? {
        return Ok(Vec::new());
    }
    let placed = place::place(op, &rules, router_id, None).await?;
    if placed.is_empty() {
        return Err(RESCHEDULING_FAILED.error(format!("Failed rescheduling router {router_id}: no eligible L3 agent found.")));
    }
    Ok(placed)
}

/// The old agent, should it come back, and the new ones.
async fn tell(engine: &Engine, cx: &Context, router_id: &str, old_host: &str, placed: &[Placed]) -> Result<()> {
    if placed.is_empty() {
        return Ok(());
    }
    if placed.iter().all(|placed| placed.host != old_host) {
        notifier::router_left_agent(engine, cx, router_id, old_host).await?;
    }
    for placed in placed {
        notifier::router_added_to_agent(engine, cx, router_id, &placed.host).await;
    }
    Ok(())
}
