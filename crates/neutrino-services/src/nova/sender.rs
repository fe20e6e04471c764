// SPDX-License-Identifier: Apache-2.0
//! Sends what has gathered, and reads what Nova made of it.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use keystone_auth::Service;
use neutrino_core::{Engine, Worker};
use neutrino_types::Result;

use serde_json::{Value, json};
use tokio::sync::watch;

use super::queue::Queue;

/// The first pause before a request is repeated; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// When the server stops, what is still waiting gets this long.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// See the module's documentation.
pub struct Sender {
    pub queue: Arc<Queue>,
    pub service: Service,
    /// Seconds in which events gather after a request.
    pub interval_s: u64,
    /// How often a request is repeated that had no answer.
    pub retries: u64,
}

#[async_trait]
impl Worker for Sender {
    fn name(&self) -> &'static str {
        "events for Nova"
    }

    async fn run(&self, _engine: Arc<Engine>, mut stop: watch::Receiver<bool>) -> Result<()> {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = self.queue.filled() => {}
            }
            if !self.deliver(stop.clone()).await {
                return Ok(());
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = tokio::time::sleep(Duration::from_secs(self.interval_s)) => {}
            }
        }
        while self.queue.has_some() && self.deliver(stop.clone()).await {}
        Ok(())
    }
}

impl Sender {
    /// Sends the first events. What was taken out of the queue is in nobody else's hands: a stop waits for it, if not for long. False when
    /// that was too long.
    async fn deliver(&self, mut stop: watch::Receiver<bool>) -> bool {
        let patience = async {
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(LAST_WORDS).await;
        };
        tokio::select! {
            () = self.send(self.queue.take()) => true,
            () = patience => {
                tracing::warn!("the server stops before Nova has heard of all events");
                false
            }
        }
    }

    /// Delivers the events, or gives them up after several tries.
    async fn send(&self, events: Vec<Value>) {
        let count = events.len();
        let body = json!({ "events": events }).to_string();
        let mut pause = FIRST_PAUSE;
        for turn in 0..=self.retries {
            match self.service.post("/os-server-external-events", body.clone().into()).await {
                Ok((200..=299, answer)) => return told(&answer),
                // No server of these events is known to Nova: they may be gone already.
                Ok((404, _)) => return tracing::debug!("Nova knows no server of these events: {body}"),
                Ok((status @ 400..=499, answer)) => {
                    let answer: String = String::from_utf8_lossy(&answer).chars().take(500).collect();
                    return tracing::error!("Nova refuses {count} events with {status}: {answer}");
                }
                Ok((status, _)) => tracing::warn!("Nova answers {count} events with {status}"),
                Err(reason) => tracing::warn!("Nova cannot be told of {count} events: {reason}"),
            }
            if turn < self.retries {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        tracing::error!("{count} events for Nova are given up: {body:.2000}");
    }
}

/// Nova judges each event by itself.
fn told(answer: &[u8]) {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let Some(events) = answer["events"].as_array() else {
        return tracing::error!("Nova's answer to events cannot be read");
    };
    for event in events {
        match event["code"].as_i64() {
            Some(200) => tracing::info!("Nova has taken the event {event}"),
            _ => tracing::warn!("Nova did not take the event {event}"),
        }
    }
}
