// SPDX-License-Identifier: Apache-2.0
//! Notifications of API requests by the drivers of `[oslo_messaging_notifications]`, in oslo.messaging's form.
//!
//! Owns: the options, the form of a message, the drivers `noop`, `log` and `test`. What is sent, and when, is the HTTP layer's. The drivers
//! that need a message bus are refused at start: a message that nobody gets is worse than none that was promised.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use neutrino_core::{
    Builder, Context,
    notifications::{NotificationService, Notifications},
};
use oslo_config::{Config, Opt};
use serde_json::{Value, json};

const GROUP: &str = "oslo_messaging_notifications";

pub static OPTIONS: &[Opt] = &[
    Opt::multi(GROUP, "driver")
        .deprecated(&[("DEFAULT", "notification_driver")])
        .help("Where notifications of API requests go: noop, log or test; may be given several times."),
    Opt::str("DEFAULT", "host").help("The name of this machine in notifications; its host name if unset."),
];

/// Drivers of oslo.messaging; the flag says which work here.
const DRIVERS: [(&str, bool); 6] =
    [("noop", true), ("log", true), ("test", true), ("messaging", false), ("messagingv2", false), ("routing", false)];

/// Messages that the driver `test` remembers.
const KEPT: usize = 1000;

/// The notifier.
#[derive(Debug, Default)]
pub struct Notifier {
    log: bool,
    test: bool,
    publisher: String,
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

fn host(config: &Config) -> String {
    let named = config.str("DEFAULT", "host").filter(|host| !host.is_empty());
    let of_machine = || std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|name| name.trim().to_owned());
    named.or_else(of_machine).unwrap_or_else(|| "localhost".to_owned())
}

/// # Errors
/// A sentence for the operator: a driver that is not known, or that needs a message bus.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let drivers = config.multi(GROUP, "driver");
    for driver in drivers.iter().filter(|driver| !driver.is_empty()) {
        let known: Vec<&str> = DRIVERS.iter().filter(|(_, works)| *works).map(|(name, _)| *name).collect();
        let reason = match DRIVERS.iter().find(|(name, _)| name == driver) {
            Some((_, true)) => continue,
            Some((_, false)) => "notifications over a message bus are not supported yet",
            None => "no such driver of notifications",
        };
        return Err(config.refuse(GROUP, "driver", driver, reason, &known).to_string());
    }
    let has = |name: &str| drivers.iter().any(|driver| driver == name);
    if has("log") || has("test") {
        let publisher = format!("network.{}", host(config));
        let notifier = Arc::new(Notifier { log: has("log"), test: has("test"), publisher, kept: Mutex::default() });
        builder.service(notifier.clone()).service(Arc::new(NotificationService(notifier)));
    }
    Ok(())
}
