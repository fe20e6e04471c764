// SPDX-License-Identifier: Apache-2.0
//! Passing changes on to agents: what matters to a [`Listener`] gathers, and a worker tells it in batches.
//!
//! Owns: the bounded queue between commits and the worker, and how often a batch is tried. Refuses to own: what is told, and to whom. Invariants:
//! changes are passed on in the order of their commits; a commit never waits; what waits at the server's end is passed on first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use neutrino_types::Result;
use tokio::sync::Notify;

use crate::{Builder, Change, Changes, Context, Engine, Watcher, Worker, delivery::Ticket};

/// Tells agents of changes.
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Who hears of them, for the log: `DHCP agents`.
    const NAME: &'static str;

    /// Could they need to know? Looks at the change alone.
    fn wants(change: &Change) -> bool;

    /// Does a server that starts find it again, when the one before it was killed? If not, the request is answered when it is told.
    fn is_found_again(_change: &Change) -> bool {
        false
    }

    /// Tells them of a batch, in its order. A constant number of statements.
    ///
    /// # Errors
    /// The database's; then nothing was told, and the batch is tried again.
    async fn tell(engine: &Engine, batch: &[(Context, Change)]) -> Result<()>;
}

/// How often a batch is tried while the database fails.
const MAX_TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_secs(1);

/// Changes beyond this are dropped: they come faster than they can be passed on, for long.
const MAX_WAITING: usize = 50_000;
/// Changes that are passed on together.
const MAX_BATCH: usize = 1000;

type Waiting = ((Context, Change), Option<Ticket>);

/// Changes that wait for the worker, in the order of their commits.
struct Backlog {
    name: &'static str,
    waiting: Mutex<VecDeque<Waiting>>,
    filled: Notify,
}

impl Backlog {
    /// `name`: who waits for them, for the log.
    fn new(name: &'static str) -> Self {
        Self { name, waiting: Mutex::default(), filled: Notify::new() }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a change at the end; one that does not fit is dropped.
    fn push(&self, cx: &Context, change: Change, ticket: Option<Ticket>) {
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
            waiting.push_back(((cx.clone(), change), ticket));
        }
        self.filled.notify_one();
    }

    /// Waits until there is a change.
    async fn filled(&self) {
        while self.waiting().is_empty() {
            self.filled.notified().await;
        }
    }

    /// Waits until there is a change; false when the server stops: then what waits still is to be passed on.
    async fn next(&self, stop: &mut tokio::sync::watch::Receiver<bool>) -> bool {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => false,
            () = self.filled() => true,
        }
    }

    /// Takes the first changes out; none when none wait.
    fn take(&self) -> (Vec<(Context, Change)>, Vec<Option<Ticket>>) {
        let mut waiting = self.waiting();
        let count = waiting.len().min(MAX_BATCH);
        waiting.drain(..count).unzip()
    }
}

/// The changes that wait for a listener. A service of the registry.
struct Relay<L> {
    backlog: Backlog,
    listener: std::marker::PhantomData<fn() -> L>,
}

/// As a watcher and as a worker.
struct Half<L>(Arc<Relay<L>>);

/// Has a listener told of every change from now on.
pub fn register<L: Listener>(builder: &mut Builder) {
    let relay = Arc::new(Relay::<L> { backlog: Backlog::new(L::NAME), listener: std::marker::PhantomData });
    builder.watcher(Half(relay.clone())).worker(Half(relay.clone())).service(relay);
}

/// Tells everything that waits now, without waiting for the worker.
pub async fn flush<L: Listener>(engine: &Engine) {
    if let Some(relay) = engine.registry.service::<Relay<L>>() {
        relay.tell_waiting(engine).await;
    }
}

impl<L: Listener> Watcher for Half<L> {
    fn changed(&self, _engine: &Engine, cx: &Context, changes: &Changes) {
        for change in changes.objects.iter().filter(|change| L::wants(change)) {
            let ticket = if L::is_found_again(change) { None } else { cx.ticket() };
            self.0.backlog.push(cx, change.clone(), ticket);
        }
    }
}

#[async_trait]
impl<L: Listener> Worker for Half<L> {
    fn name(&self) -> &'static str {
        L::NAME
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: tokio::sync::watch::Receiver<bool>) -> Result<()> {
        while self.0.backlog.next(&mut stop).await {
            self.0.tell_waiting(&engine).await;
        }
        self.0.tell_waiting(&engine).await;
        Ok(())
    }
}

impl<L: Listener> Relay<L> {
    async fn tell_waiting(&self, engine: &Engine) {
        loop {
            // The tickets go when the messages have theirs.
            let (batch, _tickets) = self.backlog.take();
            if batch.is_empty() {
                return;
            }
            let mut tries = 1;
            while let Err(error) = L::tell(engine, &batch).await {
                let log = error.log().unwrap_or_default();
                if tries == MAX_TRIES {
                    tracing::error!(error = %error, log, "{} do not hear of {} change(s)", L::NAME, batch.len());
                    break;
                }
                tracing::warn!(error = %error, log, "{} cannot be told yet", L::NAME);
                tries += 1;
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Verb;

    #[tokio::test]
    async fn order_is_kept_and_the_number_is_bounded() {
        let (backlog, cx) = (Backlog::new("a test"), Context::internal("test"));
        for n in 0..MAX_WAITING + 5 {
            let change = Change { collection: "x".to_owned(), id: n.to_string(), verb: Verb::Created, before: None, after: None };
            backlog.push(&cx, change, None);
        }
        backlog.filled().await;
        let mut next = 0;
        loop {
            let (taken, _) = backlog.take();
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
