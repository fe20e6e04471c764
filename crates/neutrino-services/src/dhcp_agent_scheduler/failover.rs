// SPDX-License-Identifier: Apache-2.0
//! Takes networks away from DHCP agents that have died, and gives them to others.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Worker, agents::Rounds};
use neutrino_db::{Sql, args};
use neutrino_types::Result;

use super::{api, notify, place, schedule};
use crate::agents;

pub struct Failover {
    pub down_after_s: i64,
}

#[async_trait]
impl Worker for Failover {
    fn name(&self) -> &'static str {
        "DHCP agent failover"
    }

    fn is_periodic(&self) -> bool {
        true
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
        let cx = Context::internal(self.name());
        let mut rounds = Rounds::new(self.name(), &cx, self.down_after_s);
        while rounds.next(&cx, &mut stop).await {
            if let Err(error) = remove_networks_from_down_agents(&engine, &cx).await {
                tracing::error!(error = %error, log = error.log().unwrap_or_default(), "networks of dead DHCP agents stay where they are");
            }
        }
        Ok(())
    }
}

/// One look: networks leave agents that are dead and not just starting, provided that another agent could serve. The number of networks moved.
///
/// # Errors
/// The database's.
pub async fn remove_networks_from_down_agents(engine: &Engine, cx: &Context) -> Result<usize> {
    let (settings, now) = (agents::settings(engine), cx.now());
    let mut tx = engine.db.reader().await?;
    let all = place::dhcp_agents(&mut tx, Sql::raw("1 = 1")).await?;
    let dead: HashMap<&str, &str> = all
        .iter()
        .filter(|agent| agent.heard < settings.dead_before(now) && !agent.is_starting(&settings, now) && agent.candidate.load.1 > 0)
        .map(|agent| (agent.candidate.id.as_str(), agent.candidate.host.as_str()))
        .collect();
    if dead.is_empty() {
        return Ok(0);
    }
    if !all.iter().any(|agent| agent.is_eligible(&settings, now)) {
        tracing::warn!("no DHCP agent is alive: networks stay where they are");
        return Ok(0);
    }
    let mut sql = Sql::raw("SELECT network_id, dhcp_agent_id FROM networkdhcpagentbindings WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "dhcp_agent_id", dead.keys().copied())).push(" ORDER BY network_id, dhcp_agent_id");
    let rows = tx.select(sql).await?;
    drop(tx);
    let mut moved = 0;
    for row in rows {
        let (network_id, agent_id) = (row.text(0)?, row.text(1)?);
        let host = dead.get(agent_id.as_str()).copied().unwrap_or_default().to_owned();
        match leave(engine, cx, &network_id, &agent_id, &host).await {
            Ok(()) => moved += 1,
            // One network must not keep the others from being served.
            Err(error) => {
                tracing::error!(network_id, agent_id, error = %error, log = error.log().unwrap_or_default(), "not moved from a dead DHCP agent");
            }
        }
    }
    Ok(moved)
}

async fn leave(engine: &Engine, cx: &Context, network_id: &str, agent_id: &str, host: &str) -> Result<()> {
    tracing::warn!(network_id, agent_id, host, "the DHCP agent has died: the network is taken from it");
    let names = [agent_id, host, network_id].map(str::to_owned);
    engine
        .transact(cx, "ports", "remove network from dead DHCP agent", |op| {
            let [agent_id, host, network_id] = names.clone();
            Box::pin(async move {
                // It may have come back, or gone, in between.
                let dead_before = agents::settings(op.engine).dead_before(op.cx.now());
                let sql = "SELECT count(*) FROM agents WHERE id = ? AND heartbeat_timestamp < ?";
                if op.tx.count(sql, args![&agent_id, dead_before]).await? == 0 {
                    return Ok(());
                }
                match api::remove(op, &agent_id, &host, &network_id).await {
                    Err(error) if error.status() == 409 => Ok(()),
                    done => done,
                }
            })
        })
        .await?;
    // The dead one is not told: when it is back it asks for what it serves.
    notify::added(engine, cx, &schedule(engine, cx, network_id, None).await?);
    Ok(())
}
