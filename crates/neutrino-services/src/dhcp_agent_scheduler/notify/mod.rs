// SPDX-License-Identifier: Apache-2.0
//! What DHCP agents are told (`neutron/api/rpc/agentnotifiers/dhcp_rpc_agent_api.py`): networks that they get and lose, at once; and changes of
//! networks, subnets and ports, by a worker that takes what has gathered since it last looked.
//!
//! Invariants: nothing is told before its commit; a batch of changes costs a constant number of statements; a request waits for neither. A
//! network that an agent has just been given is fetched by the agent as it then is, so that it does not matter whether the change that led
//! to it is told as well.

mod payloads;
mod recipients;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use neutrino_core::{
    Backlog, Change, Changes, Context, Engine, Verb, Watcher, Worker,
    rpc::{self, Message},
};
use neutrino_types::Result;
use serde_json::{Value, json};

use super::Placed;

pub const TOPIC: &str = "dhcp_agent";
const VERSION: &str = "1.0";

/// What an agent does first; a lower number is more urgent.
mod priority {
    pub const NETWORK_CREATE: u8 = 0;
    pub const NETWORK_UPDATE: u8 = 1;
    pub const NETWORK_DELETE: u8 = 2;
    pub const SUBNET_UPDATE: u8 = 3;
    pub const SUBNET_DELETE: u8 = 4;
    /// For the one agent of a network that shall serve a new port before others do.
    pub const PORT_CREATE_HIGH: u8 = 5;
    pub const PORT: u8 = 6;
}

/// How often a batch is tried while the database fails.
const MAX_TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

fn cast(engine: &Engine, cx: &Context, topic: &str, host: &str, method: &'static str, mut payload: Value, priority: u8) {
    payload["priority"] = priority.into();
    rpc::cast(engine, cx, Message::new(topic, VERSION, method, json!({ "payload": payload })).to(host));
}

/// Agents that were given networks fetch them.
pub fn added(engine: &Engine, cx: &Context, placed: &[Placed]) {
    for one in placed {
        let payload = json!({"network": {"id": one.network_id}});
        cast(engine, cx, TOPIC, &one.host, "network_create_end", payload, priority::NETWORK_CREATE);
    }
}

/// An agent that lost a network stops serving it.
pub fn removed(engine: &Engine, cx: &Context, network_id: &str, host: &str) {
    cast(engine, cx, TOPIC, host, "network_delete_end", json!({"network_id": network_id}), priority::NETWORK_DELETE);
}

/// The changes that wait to be told. A service of the registry.
pub struct Notifier(Backlog);

impl Notifier {
    pub fn new() -> Self {
        Self(Backlog::new("DHCP agents"))
    }
}

/// Takes note of changes of networks, subnets and ports.
pub struct Watch(pub Arc<Notifier>);

impl Watcher for Watch {
    fn changed(&self, _engine: &Engine, cx: &Context, changes: &Changes) {
        for change in changes.objects.iter().filter(|change| matters(change)) {
            self.0.0.push(cx, change.clone());
        }
    }
}

/// Could an agent need to know?
fn matters(change: &Change) -> bool {
    match (change.collection.as_str(), change.verb, &change.before, &change.after) {
        ("networks", Verb::Created, ..) => false,
        ("ports", Verb::Updated, Some(before), Some(after)) => payloads::port_matters(before, after),
        (collection, ..) => ["networks", "subnets", "ports"].contains(&collection),
    }
}

/// Tells what waits.
pub struct Sender(pub Arc<Notifier>);

#[async_trait]
impl Worker for Sender {
    fn name(&self) -> &'static str {
        "DHCP notifications"
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
        while self.0.0.next(&mut stop).await {
            tell_waiting(&engine, &self.0).await;
        }
        tell_waiting(&engine, &self.0).await;
        Ok(())
    }
}

/// Tells agents everything that waits now.
pub async fn flush(engine: &Engine) {
    if let Some(notifier) = engine.registry.service::<Notifier>() {
        tell_waiting(engine, &notifier).await;
    }
}

async fn tell_waiting(engine: &Engine, notifier: &Notifier) {
    loop {
        let batch = notifier.0.take();
        if batch.is_empty() {
            return;
        }
        let mut tries = 1;
        while let Err(error) = payloads::tell(engine, &batch).await {
            let log = error.log().unwrap_or_default();
            if tries == MAX_TRIES {
                tracing::error!(error = %error, log, "DHCP agents do not hear of {} change(s)", batch.len());
                break;
            }
            tracing::warn!(error = %error, log, "DHCP agents cannot be told yet");
            tries += 1;
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    }
}
