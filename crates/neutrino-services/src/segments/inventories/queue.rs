// SPDX-License-Identifier: Apache-2.0
//! What is to be looked at, each once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// Notes beyond this are dropped: Placement has been away for long.
const MOST: usize = 20_000;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Waiting {
    /// Segments, and whether their hosts are to be looked at, too.
    pub segments: BTreeMap<String, bool>,
    /// Subnets and ports whose segments are not known yet.
    pub subnets: BTreeSet<String>,
    pub ports: BTreeSet<String>,
}

impl Waiting {
    fn len(&self) -> usize {
        self.segments.len() + self.subnets.len() + self.ports.len()
    }
}

#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    filled: Notify,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Waiting)) {
        {
            let mut waiting = self.waiting();
            if waiting.len() >= MOST {
                tracing::error!("{MOST} changes of routed networks wait for Placement already; this one is dropped");
                return;
            }
            note(&mut waiting);
        }
        self.filled.notify_one();
    }

    /// The addresses of a segment changed; with `hosts` those who reach it, too.
    pub fn segment(&self, id: &str, hosts: bool) {
        self.note(|waiting| *waiting.segments.entry(id.to_owned()).or_default() |= hosts);
    }

    pub fn subnet(&self, id: &str) {
        self.note(|waiting| {
            waiting.subnets.insert(id.to_owned());
        });
    }

    pub fn port(&self, id: &str) {
        self.note(|waiting| {
            waiting.ports.insert(id.to_owned());
        });
    }

    /// Waits until there is something.
    pub async fn filled(&self) {
        while self.waiting().len() == 0 {
            self.filled.notified().await;
        }
    }

    /// Takes all out.
    pub fn take(&self) -> Waiting {
        std::mem::take(&mut *self.waiting())
    }
}
