// SPDX-License-Identifier: Apache-2.0
//! Agents that have more than is theirs when a server starts.
//!
//! Of what was deleted while the broker was away nothing is left to tell when the server is killed, too. But an agent's last report, from before
//! that, says how much it had: one that had more networks or routers than it is to have now is made to sync, as one that was switched on.
//! Which is harmless when it has heard of it in between.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{
    Context, Engine, Worker,
    rpc::{self, Message},
};
use neutrino_db::args;
use neutrino_types::Result;
use serde_json::json;

use super::{DHCP, L3, parsed};

pub struct Surplus;

#[async_trait]
impl Worker for Surplus {
    fn name(&self) -> &'static str {
        "agents with too much"
    }

    fn is_periodic(&self) -> bool {
        true
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
        if let Err(error) = sync_surplus(&engine, &Context::internal(self.name())).await {
            tracing::error!(error = %error, log = error.log().unwrap_or_default(), "agents could not be compared with what is theirs");
        }
        // A worker that ends before is a failure.
        let _ = stop.wait_for(|stop| *stop).await;
        Ok(())
    }
}

/// A DHCP agent counts networks that have something to serve; an L3 agent of distributed routers has those of its host's machines, too, which
/// nobody counts.
const COUNTED: &str = "SELECT a.host, a.agent_type, a.configurations, \
    (SELECT count(*) FROM networkdhcpagentbindings b WHERE b.dhcp_agent_id = a.id \
        AND EXISTS (SELECT 1 FROM subnets s WHERE s.network_id = b.network_id AND s.enable_dhcp = ?)), \
    (SELECT count(*) FROM routerl3agentbindings b WHERE b.l3_agent_id = a.id) \
    FROM agents a WHERE a.agent_type IN (?, ?) AND a.admin_state_up = ? ORDER BY a.host";

/// Makes agents sync that have more than is theirs. How many.
///
/// # Errors
/// The database's.
pub async fn sync_surplus(engine: &Engine, cx: &Context) -> Result<usize> {
    let rows = engine.db.reader().await?.query(COUNTED, args![true, DHCP, L3, true]).await?;
    let mut count = 0;
    for row in rows {
        let (host, configurations) = (row.text(0)?, parsed(&row.text(2)?));
        let (topic, has, wanted) = match row.text(1)?.as_str() {
            DHCP => ("dhcp_agent", &configurations["networks"], row.int(3)?),
            _ if configurations["agent_mode"] == "legacy" => ("l3_agent", &configurations["routers"], row.int(4)?),
            _ => continue,
        };
        if has.as_i64().is_some_and(|has| has > wanted) {
            tracing::info!(host, topic, has = %has, wanted, "an agent has more than is its own: it is asked to sync");
            let payload = json!({"payload": {"admin_state_up": true}});
            rpc::cast(engine, cx, Message::new(topic, "1.0", "agent_updated", payload).to(host));
            count += 1;
        }
    }
    Ok(count)
}
