// SPDX-License-Identifier: Apache-2.0
//! Tells the operator's log about agents that went silent.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Worker};
use neutrino_db::args;
use neutrino_types::Result;

use super::settings;

/// The most agents that one line names.
const NAMED: usize = 20;

pub struct HealthCheck {
    pub period_s: i64,
}

#[async_trait]
impl Worker for HealthCheck {
    fn name(&self) -> &'static str {
        "agent health check"
    }

    fn is_periodic(&self) -> bool {
        true
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
        let period = Duration::from_secs(u64::try_from(self.period_s).unwrap_or(75).max(1));
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = tokio::time::sleep(period) => {}
            }
            match dead(&engine).await {
                Ok(dead) if dead.is_empty() => {}
                Ok(dead) => {
                    let more = if dead.len() > NAMED { ", ..." } else { "" };
                    tracing::warn!("{} agent(s) have not reported in time: {}{more}", dead.len(), dead[..dead.len().min(NAMED)].join(", "));
                }
                Err(error) => tracing::error!(error = %error, log = error.log().unwrap_or_default(), "agents could not be checked"),
            }
        }
    }
}

async fn dead(engine: &Engine) -> Result<Vec<String>> {
    let oldest = settings(engine).alive_since(Context::internal("agent health check").now());
    let sql = "SELECT agent_type, host FROM agents WHERE admin_state_up = ? AND heartbeat_timestamp < ? ORDER BY agent_type, host";
    let rows = engine.db.reader().await?.query(sql, args![true, oldest]).await?;
    rows.iter().map(|row| Ok(format!("{} on {}", row.text(0)?, row.text(1)?))).collect()
}
