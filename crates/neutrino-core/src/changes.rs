// SPDX-License-Identifier: Apache-2.0
//! What each committed write changed, for those who pass it on: versioned objects to agents, notifications, streams.
//!
//! Owns: the list of a transaction's changes. Refuses to own: who is told what. Invariants: watchers see a change only after its commit, once
//! for each transaction, and never keep a request waiting; an object's revision does not rise without a change of it being seen.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use neutrino_model::Record;
use tokio::sync::Notify;

use crate::{Context, Engine};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Created,
    Updated,
    Deleted,
}

/// A change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// As registered: `ports`, or `parent/child`.
    pub collection: String,
    pub id: String,
    pub verb: Verb,
    /// As it was, where the write knew it: always of what is deleted.
    pub before: Option<Record>,
    /// As it is, where the write loaded it.
    pub after: Option<Record>,
}

/// All that one transaction changed.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// In the order of the writes.
    pub objects: Vec<Change>,
    /// Standard attributes whose revision rose; their objects may or may not be among [`Changes::objects`].
    pub raised: Vec<i64>,
}

impl Changes {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.raised.is_empty()
    }
}

/// Is told of every commit. Register with [`crate::Builder::watcher`].
pub trait Watcher: Send + Sync {
    /// Takes note and returns at once; what needs a database or a network is for a worker.
    fn changed(&self, engine: &Engine, cx: &Context, changes: &Changes);
}

/// Changes beyond this are dropped: they come faster than they can be passed on, for long.
const MAX_WAITING: usize = 50_000;
/// Changes that are passed on together.
const MAX_BATCH: usize = 1000;

/// Changes that wait for a worker, in the order of their commits.
pub struct Backlog {
    name: &'static str,
    waiting: Mutex<VecDeque<(Context, Change)>>,
    filled: Notify,
}

impl Backlog {
    /// `name`: who waits for them, for the log.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, waiting: Mutex::default(), filled: Notify::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<(Context, Change)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a change at the end; one that does not fit is dropped.
    pub fn push(&self, cx: &Context, change: Change) {
        {
            let mut waiting = self.waiting();
            if waiting.len() >= MAX_WAITING {
                tracing::error!(
                    "{MAX_WAITING} changes wait for {} already: that of {} {} is dropped",
                    self.name,
                    change.collection,
                    change.id
                );
                return;
            }
            waiting.push_back((cx.clone(), change));
        }
        self.filled.notify_one();
    }

    /// Waits until there is a change.
    pub async fn filled(&self) {
        while self.waiting().is_empty() {
            self.filled.notified().await;
        }
    }

    /// Waits until there is a change; false when the server stops: then what waits still is to be passed on.
    pub async fn next(&self, stop: &mut tokio::sync::watch::Receiver<bool>) -> bool {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => false,
            () = self.filled() => true,
        }
    }

    /// Takes the first changes out; none when none wait.
    pub fn take(&self) -> Vec<(Context, Change)> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(MAX_BATCH);
        waiting.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn order_is_kept_and_the_number_is_bounded() {
        let (backlog, cx) = (Backlog::new("a test"), Context::internal("test"));
        for n in 0..MAX_WAITING + 5 {
            let change = Change { collection: "x".to_owned(), id: n.to_string(), verb: Verb::Created, before: None, after: None };
            backlog.push(&cx, change);
        }
        backlog.filled().await;
        let mut next = 0;
        loop {
            let taken = backlog.take();
            for (_, change) in &taken {
                assert_eq!(change.id, next.to_string());
                next += 1;
            }
            if taken.is_empty() {
                break;
            }
        }
        assert_eq!(next, MAX_WAITING);
    }
}
