// SPDX-License-Identifier: Apache-2.0
//! Which reports of agents are passed on.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use neutrino_core::{Hook, Op, placement::ReportingAgents};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::Result;
use tokio::sync::Notify;

use super::kind;

/// Ids of agents, each once; as many as there are agents at most.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<BTreeSet<String>>,
    filled: Notify,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn push(&self, id: String) {
        self.waiting().insert(id);
        self.filled.notify_one();
    }

    pub async fn filled(&self) {
        while self.waiting().is_empty() {
            self.filled.notified().await;
        }
    }

    pub fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.waiting())
    }
}

/// Does the report tell of resources that Placement is to know?
fn tells(op: &Op<'_>, body: &Body) -> bool {
    let agents = op.engine.registry.service::<ReportingAgents>();
    let known = agents.is_some_and(|agents| kind(&agents, body.str("agent_type").unwrap_or_default()).is_some());
    known && body.get("configurations").is_some_and(|configurations| configurations["resource_provider_bandwidths"].is_object())
}

fn note(op: &mut Op<'_>, id: &str) {
    let id = id.to_owned();
    op.afterwards(move |engine, _| {
        if let Some(queue) = engine.registry.service::<Queue>() {
            queue.push(id);
        }
        Box::pin(async { Ok(()) })
    });
}

pub struct Reports;

#[async_trait]
impl Hook for Reports {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        if tells(op, body) {
            note(op, id);
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if !tells(op, body) {
            return Ok(());
        }
        let sql = "SELECT resources_synced, started_at, heartbeat_timestamp FROM agents WHERE id = ?";
        let Some(row) = op.tx.query_one(sql, args![original.id()]).await? else { return Ok(()) };
        // The report that it began with is this one.
        let has_started = row.opt_time(1)? == row.opt_time(2)?;
        if has_started || row.opt_bool(0)? != Some(true) {
            note(op, original.id());
        }
        Ok(())
    }
}
