// SPDX-License-Identifier: Apache-2.0
//! Notifications of API requests by the drivers of `[oslo_messaging_notifications]`, in oslo.messaging's form.
//!
//! Owns: the options, the form of a message, the drivers `noop`, `log`, `test`, and what `messagingv2` and `messaging` give to whoever carries
//! it to the message bus ([`Outlet`]). What is sent, and when, is the HTTP layer's. The driver `routing` is refused at start.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use neutrino_core::{
    Builder, Context,
    notifications::{Notice, NotificationService, Notifications, Outlet},
};
use oslo_config::{Config, Opt};
use serde_json::{Value, json};

const GROUP: &str = "oslo_messaging_notifications";

pub static OPTIONS: &[Opt] = &[
    Opt::multi(GROUP, "driver")
        .deprecated(&[("DEFAULT", "notification_driver")])
        .help("Where notifications of API requests go: messagingv2, messaging, log, noop or test; may be given several times."),
    Opt::list(GROUP, "topics")
        .default("notifications")
        .deprecated(&[("DEFAULT", "notification_topics"), ("rpc_notifier2", "topics")])
        .help("Topics of notifications; the priority is appended: notifications.info."),
];

/// Drivers of oslo.messaging; the flag says which work here.
const DRIVERS: [(&str, bool); 6] =
    [("noop", true), ("log", true), ("test", true), ("messaging", true), ("messagingv2", true), ("routing", false)];

/// Messages that the driver `test` remembers.
const KEPT: usize = 1000;

/// The notifier.
#[derive(Default)]
pub struct Notifier {
    log: bool,
    test: bool,
    publisher: String,
    /// For each driver that needs a bus, whether its messages have an envelope.
    envelopes: Vec<bool>,
    topics: Vec<String>,
    outlet: Arc<Outlet>,
    kept: Mutex<VecDeque<Value>>,
}

impl Notifier {
    /// What the driver `test` remembers, the oldest first.
    #[must_use]
    pub fn kept(&self) -> Vec<Value> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Notifications for Notifier {
    fn emit(&self, cx: &Context, event: &str, payload: Value) {
        let message = json!({
            "message_id": cx.new_id(),
            "publisher_id": self.publisher,
            "event_type": event,
            "priority": "INFO",
            "payload": payload,
            "timestamp": format!("{}.000000", cx.now().format("%Y-%m-%d %H:%M:%S")),
        });
        for envelope in &self.envelopes {
            let (topics, message) = (self.topics.iter().map(|topic| format!("{topic}.info")).collect(), message.clone());
            self.outlet.give(Notice { cx: cx.clone(), topics, message, envelope: *envelope });
        }
        if self.log {
            tracing::info!(target: "oslo.messaging.notification", request_id = %cx.request_id, "{message}");
        }
        if self.test {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() == KEPT {
                kept.pop_front();
            }
            kept.push_back(message);
        }
    }
}

/// # Errors
/// A sentence for the operator: a driver that is not known, or that needs a message bus.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let drivers = config.multi(GROUP, "driver");
    for driver in drivers.iter().filter(|driver| !driver.is_empty()) {
        let known: Vec<&str> = DRIVERS.iter().filter(|(_, works)| *works).map(|(name, _)| *name).collect();
        let reason = match DRIVERS.iter().find(|(name, _)| name == driver) {
            Some((_, true)) => continue,
            Some((_, false)) => "this driver is not supported",
            None => "no such driver of notifications",
        };
        return Err(config.refuse(GROUP, "driver", driver, reason, &known).to_string());
    }
    let has = |name: &str| drivers.iter().any(|driver| driver == name);
    let buses = [("messagingv2", true), ("messaging", false)];
    let envelopes: Vec<bool> = buses.into_iter().filter(|(driver, _)| has(driver)).map(|(_, envelope)| envelope).collect();
    if has("log") || has("test") || !envelopes.is_empty() {
        let publisher = format!("network.{}", neutrino_core::plugins::host(config));
        let (topics, outlet) = (config.list(GROUP, "topics"), Arc::new(Outlet::default()));
        if !envelopes.is_empty() {
            builder.service(outlet.clone());
        }
        let (log, test, kept) = (has("log"), has("test"), Mutex::default());
        let notifier = Arc::new(Notifier { log, test, publisher, envelopes, topics, outlet, kept });
        builder.service(notifier.clone()).service(Arc::new(NotificationService(notifier)));
    }
    Ok(())
}
