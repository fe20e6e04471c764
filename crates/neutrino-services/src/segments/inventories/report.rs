// SPDX-License-Identifier: Apache-2.0
//! Brings Placement and Nova in line with what the database says of segments.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use neutrino_core::{Engine, Worker};
use neutrino_types::Result;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::{Queue, aggregates::Nova, facts, facts::Facts};
use crate::placement::Client;

/// The class of resources.
const ADDRESSES: &str = "IPV4_ADDRESS";
/// The pause after a failure; it doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// See the module's documentation.
pub struct Reporter {
    pub queue: Arc<Queue>,
    pub nova: Option<Nova>,
    /// Seconds in which changes gather.
    pub interval_s: u64,
}

/// As Neutron names provider and aggregate.
fn name(segment: &str) -> String {
    format!("Neutron segment id {segment}")
}

fn inventories(facts: &Facts) -> Map<String, Value> {
    let inventory = json!({"total": facts.total, "reserved": facts.reserved.min(facts.total), "min_unit": 1, "max_unit": 1, "step_size": 1,
        "allocation_ratio": 1.0});
    Map::from_iter([(ADDRESSES.to_owned(), inventory)])
}

#[async_trait]
impl Worker for Reporter {
    fn name(&self) -> &'static str {
        "addresses of routed networks for Placement"
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: watch::Receiver<bool>) -> Result<()> {
        let mut pause = FIRST_PAUSE;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = self.queue.filled() => {}
            }
            let wait = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                done = self.batch(&engine) => match done {
                    true => {
                        pause = FIRST_PAUSE;
                        Duration::from_secs(self.interval_s)
                    }
                    false => {
                        let wait = pause;
                        pause = (pause * 2).min(LONGEST_PAUSE);
                        wait
                    }
                },
            };
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}

impl Reporter {
    /// Tells all that waits; what fails waits again. Did all succeed?
    async fn batch(&self, engine: &Engine) -> bool {
        let waiting = self.queue.take();
        let segments = match facts::segments(engine, &waiting).await {
            Ok(segments) => segments,
            Err(error) => {
                tracing::error!(log = error.log().unwrap_or_default(), "the segments of changed subnets cannot be read: {error}");
                waiting.subnets.iter().for_each(|id| self.queue.subnet(id));
                waiting.ports.iter().for_each(|id| self.queue.port(id));
                self.again(&waiting.segments);
                return false;
            }
        };
        let mut failed = BTreeMap::new();
        for (segment, hosts) in segments {
            if let Err(reason) = self.tell(engine, &segment, hosts).await {
                tracing::error!("Placement and Nova could not be told of segment {segment}, and will be later: {reason}");
                failed.insert(segment, hosts);
            }
        }
        self.again(&failed);
        failed.is_empty()
    }

    fn again(&self, segments: &BTreeMap<String, bool>) {
        segments.iter().for_each(|(id, hosts)| self.queue.segment(id, *hosts));
    }

    async fn tell(&self, engine: &Engine, segment: &str, hosts: bool) -> std::result::Result<(), String> {
        let Some(placement) = engine.registry.service::<Client>() else { return Ok(()) };
        let facts = facts::of_segment(engine, segment).await.map_err(|error| format!("{error} {}", error.log().unwrap_or_default()))?;
        let known = placement.has_provider(segment).await.map_err(|failure| failure.to_string())?;
        match (facts.total > 0, known) {
            (false, false) => Ok(()),
            (false, true) => self.forget(&placement, segment).await,
            (true, known) => self.show(&placement, segment, &facts, hosts || !known).await,
        }
    }

    async fn show(&self, placement: &Client, segment: &str, facts: &Facts, hosts: bool) -> std::result::Result<(), String> {
        let text = |failure: crate::placement::Failure| failure.to_string();
        if hosts {
            placement.ensure_provider(segment, &name(segment), None).await.map_err(text)?;
            if let Some(nova) = &self.nova {
                let aggregate = nova.ensure(&name(segment)).await?;
                placement.put_aggregates(segment, &[aggregate.uuid.as_str()]).await.map_err(text)?;
                nova.set_hosts(&aggregate, &facts.hosts).await?;
            }
        }
        placement.put_inventories(segment, &inventories(facts)).await.map_err(text)
    }

    async fn forget(&self, placement: &Client, segment: &str) -> std::result::Result<(), String> {
        let text = |failure: crate::placement::Failure| failure.to_string();
        if let Some(nova) = &self.nova {
            for uuid in placement.aggregates(segment).await.map_err(text)? {
                if let Some(aggregate) = nova.find(&uuid).await? {
                    nova.delete(&aggregate).await?;
                }
            }
        }
        match placement.delete_provider(segment).await {
            // Machines still have addresses there: they go first, and nobody says when. The operator reads of it.
            Err(crate::placement::Failure::Conflict(reason)) => {
                tracing::warn!("the resource provider of segment {segment} stays in Placement: {reason}");
                Ok(())
            }
            done => done.map_err(text),
        }
    }
}
