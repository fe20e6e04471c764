// SPDX-License-Identifier: Apache-2.0
//! What the API tells the operator's other programs of each request: `network.create.start`, `network.create.end`.
//!
//! A feature offers it as a service of the registry ([`NotificationService`]); without one nothing is prepared. Whoever implements it takes
//! the message at once and sends it later: a request does not wait for a message bus.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::Value;
use tokio::sync::Notify;

use crate::Context;

/// See the module's documentation.
pub trait Notifications: Send + Sync {
    /// Takes one message. `event`: `<resource>.<verb>.start` or `.end`.
    fn emit(&self, cx: &Context, event: &str, payload: Value);
}

/// The service, by its type.
pub struct NotificationService(pub Arc<dyn Notifications>);

/// A message for a message bus.
#[derive(Clone)]
pub struct Notice {
    pub cx: Context,
    /// Whole names, with the priority: `notifications.info`.
    pub topics: Vec<String>,
    pub message: Value,
    /// In oslo.messaging's form 2.0, or bare.
    pub envelope: bool,
}

/// Messages that wait for whoever carries them to a bus: a service of the registry, where a driver needs it. Bounded: the oldest go when
/// there are too many, with a line in the log.
#[derive(Default)]
pub struct Outlet {
    waiting: Mutex<VecDeque<Notice>>,
    filled: Notify,
    lost: AtomicU64,
}

/// Messages that wait, at most.
const WAITING: usize = 10_000;

impl Outlet {
    pub fn give(&self, notice: Notice) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(notice);
        if waiting.len() > WAITING {
            waiting.pop_front();
            if self.lost.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000) {
                tracing::error!("more than {WAITING} notifications wait for the message bus: the oldest are dropped");
            }
        }
        drop(waiting);
        self.filled.notify_one();
    }

    #[must_use]
    pub fn take(&self) -> Option<Notice> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Waits until something is given.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }
}
