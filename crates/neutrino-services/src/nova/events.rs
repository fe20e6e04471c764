// SPDX-License-Identifier: Apache-2.0
//! Which changes Nova hears of, and as what.
//!
//! Of ports of servers only: a `compute:` owner and a device that is a UUID. A port that becomes active was plugged, one that ceases to be
//! was unplugged; other changes of a port, or of its floating IP, changed the server's network.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, arrivals::Arrivals};
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Wanted, queue::Queue};

/// Attributes whose change says nothing of its own.
const SILENT: [&str; 3] = ["status", "revision_number", "updated_at"];

fn is_of_server(port: &Record) -> bool {
    port.str("device_owner").starts_with("compute:") && Uuid::try_parse(port.str("device_id")).is_ok()
}

fn event(port: &Record, name: &str) -> Value {
    json!({"server_uuid": port.str("device_id"), "name": name, "tag": port.id()})
}

/// What a change of status means.
fn status_event(before: &Record, after: &Record) -> Option<Value> {
    let (name, status) = match (before.str("status"), after.str("status")) {
        ("ACTIVE", "DOWN") => ("network-vif-unplugged", "completed"),
        ("DOWN" | "BUILD", "ACTIVE") => ("network-vif-plugged", "completed"),
        ("DOWN" | "BUILD", "ERROR") => ("network-vif-plugged", "failed"),
        _ => return None,
    };
    let mut event = event(after, name);
    event["status"] = status.into();
    Some(event)
}

fn has_changed(before: &Record, after: &Record) -> bool {
    let attributes = after.table().attributes.iter().enumerate();
    attributes.filter(|(_, attribute)| !SILENT.contains(&attribute.name)).any(|(at, _)| before.at(at) != after.at(at))
}

/// Changes of ports.
pub struct Ports {
    pub queue: Arc<Queue>,
    pub wanted: Wanted,
}

#[async_trait]
impl Hook for Ports {
    async fn after_update(&self, _engine: &Engine, _cx: &Context, original: &Record, port: &Record) -> Result<()> {
        if !is_of_server(port) {
            return Ok(());
        }
        if self.wanted.status_changes
            && let Some(event) = status_event(original, port)
        {
            self.queue.push(event);
        }
        if self.wanted.data_changes && has_changed(original, port) {
            self.queue.push(event(port, "network-changed"));
        }
        Ok(())
    }

    async fn after_delete(&self, _engine: &Engine, _cx: &Context, port: &Record) -> Result<()> {
        if self.wanted.data_changes && is_of_server(port) {
            self.queue.push(event(port, "network-vif-deleted"));
        }
        Ok(())
    }
}

/// Ports of servers that are on their way to another host, which waits for them to be plugged there.
pub struct Moving {
    pub queue: Arc<Queue>,
}

impl Arrivals for Moving {
    fn plugged(&self, port: &Record) {
        if is_of_server(port) {
            let mut event = event(port, "network-vif-plugged");
            event["status"] = "completed".into();
            self.queue.push(event);
        }
    }
}

/// Changes of floating IPs.
pub struct FloatingIps {
    pub queue: Arc<Queue>,
}

impl FloatingIps {
    async fn tell(&self, engine: &Engine, cx: &Context, port_id: Option<&str>) -> Result<()> {
        let Some(port_id) = port_id else { return Ok(()) };
        match engine.original(&cx.elevated(), "ports", None, port_id).await {
            Ok(port) if is_of_server(&port) => self.queue.push(event(&port, "network-changed")),
            Ok(_) => {}
            Err(error) if error.status() == 404 => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[async_trait]
impl Hook for FloatingIps {
    async fn after_create(&self, engine: &Engine, cx: &Context, floating: &Record) -> Result<()> {
        self.tell(engine, cx, floating.opt_str("port_id")).await
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, floating: &Record) -> Result<()> {
        let (before, after) = (original.opt_str("port_id"), floating.opt_str("port_id"));
        if before != after {
            self.tell(engine, cx, before).await?;
        }
        self.tell(engine, cx, after).await
    }

    async fn after_delete(&self, engine: &Engine, cx: &Context, floating: &Record) -> Result<()> {
        self.tell(engine, cx, floating.opt_str("port_id")).await
    }
}
