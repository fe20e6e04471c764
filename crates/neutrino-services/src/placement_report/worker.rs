// SPDX-License-Identifier: Apache-2.0
//! Tells Placement of agents, and notes whether it knows all.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use neutrino_core::{Engine, Worker, placement::ReportingAgents};
use neutrino_db::args;
use neutrino_types::Result;
use serde_json::Value;
use tokio::sync::watch;

use super::{
    hooks::Queue,
    kind,
    state::{Parent, Provider, Report, State},
};
use crate::placement::{Answer, Client};

/// See the module's documentation.
pub struct Reporter {
    pub queue: Arc<Queue>,
    /// The name of the device that stands for tunnels.
    pub tunnels: String,
    /// Seconds in which reports gather.
    pub interval_s: u64,
}

#[async_trait]
impl Worker for Reporter {
    fn name(&self) -> &'static str {
        "resources of agents for Placement"
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: watch::Receiver<bool>) -> Result<()> {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = self.queue.filled() => {}
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = self.batch(&engine) => {}
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = tokio::time::sleep(Duration::from_secs(self.interval_s)) => {}
            }
        }
    }
}

impl Reporter {
    /// What fails here is tried again with the agent's next report, which sees that it was not told.
    async fn batch(&self, engine: &Engine) {
        for id in self.queue.take() {
            if let Err(error) = self.agent(engine, &id).await {
                tracing::error!(log = error.log().unwrap_or_default(), "agent {id} could not be read or noted for Placement: {error}");
            }
        }
    }

    async fn agent(&self, engine: &Engine, id: &str) -> Result<()> {
        let sql = "SELECT agent_type, host, configurations FROM agents WHERE id = ?";
        let found = engine.db.reader().await?.query_one(sql, args![id]).await?;
        let (Some(row), Some(client), Some(agents)) =
            (found, engine.registry.service::<Client>(), engine.registry.service::<ReportingAgents>())
        else {
            return Ok(());
        };
        let (agent_type, host) = (row.text(0)?, row.text(1)?);
        let configurations: Value = serde_json::from_str(&row.text(2)?).unwrap_or_default();
        let Some(kind) = kind(&agents, &agent_type) else { return Ok(()) };
        let state = Report { kind, host: &host, configurations: &configurations, tunnels: &self.tunnels }.state();
        let failures = tell(&client, &state).await;
        if !failures.is_empty() {
            tracing::warn!("Placement does not know all resources of the {agent_type} on {host}: {}", failures.join("; "));
        }
        let mut tx = engine.db.begin().await?;
        tx.execute("UPDATE agents SET resources_synced = ? WHERE id = ?", args![failures.is_empty(), id]).await?;
        tx.commit().await
    }
}

/// Tells as much as can be told; what could not, as sentences. Nothing is told without the hypervisors.
async fn tell(client: &Client, state: &State) -> Vec<String> {
    let mut hypervisors = BTreeMap::new();
    for provider in &state.providers {
        if let Parent::Hypervisor(name) = &provider.parent {
            match client.provider_named(name).await {
                Ok(id) => drop(hypervisors.insert(name.as_str(), id)),
                Err(failure) => return vec![format!("the resource provider {name}: {failure}")],
            }
        }
    }
    let mut failures = Vec::new();
    let mut note = |what: String, answer: Answer<()>| {
        if let Err(failure) = answer {
            failures.push(format!("{what}: {failure}"));
        }
    };
    for name in &state.traits {
        note(format!("the trait {name}"), client.ensure_trait(name).await);
    }
    for provider in &state.providers {
        let parent = match &provider.parent {
            Parent::Hypervisor(name) => hypervisors.get(name.as_str()).map(String::as_str).unwrap_or_default(),
            Parent::Agent(id) => id.as_str(),
        };
        note(format!("the resource provider {}", provider.name), client.ensure_provider(&provider.id, &provider.name, Some(parent)).await);
    }
    for provider in &state.providers {
        note(format!("traits of {}", provider.name), client.put_traits(&provider.id, &provider.traits).await);
        note(format!("inventories of {}", provider.name), put(client, provider).await);
    }
    failures
}

async fn put(client: &Client, provider: &Provider) -> Answer<()> {
    if provider.inventories.is_empty() {
        return Ok(());
    }
    client.put_inventories(&provider.id, &provider.inventories).await
}
