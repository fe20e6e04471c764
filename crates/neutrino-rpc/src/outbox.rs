// SPDX-License-Identifier: Apache-2.0
//! What features tell agents, on its way to the wire.
//!
//! Invariants: giving a message never waits; messages leave in the order of their last giving: one that is equal to one that still waits
//! takes its place at the end, so that what agents hear last is true; the queue is bounded, and when it is full the oldest go, with a line
//! in the log, for agents that come back ask for everything; who waits for a broker that does not take messages is let go.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use neutrino_core::{
    Context, Delivery,
    delivery::Ticket,
    rpc::{Bus, Message},
};
use neutrino_types::{Error, Result};
use oslo_messaging::{Request, Target, Transport, transport::PendingId};
use serde_json::{Map, Value};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{context, failures};

/// Messages that wait for a broker, at most.
const MOST: usize = 100_000;

/// Messages that wait when who has many gives no more: some have fifty objects.
const FEW: usize = 20;

/// Requests that one message keeps waiting, at most: while a broker takes nothing, equal ones come together without end.
const MOST_TICKETS: usize = 1000;

/// What stays true is kept for so long, to be said again; while the broker is away, and for so long after its return, all of it.
const KEPT: Duration = Duration::from_secs(60);

/// Messages that are kept to be said again, at most.
const MOST_KEPT: usize = 2000;

/// How long an answer waits for the broker, at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the queue counts.
#[derive(Debug, Default)]
pub struct Figures {
    /// Messages that wait (a level).
    pub waiting: AtomicU64,
    /// Messages that were equal to one that waited.
    pub coalesced: AtomicU64,
    /// Messages that went because there were too many.
    pub lost: AtomicU64,
}

/// Was said, and stays true.
struct Kept {
    at: Instant,
    message: Message,
    context: Map<String, Value>,
}

struct Entry {
    message: Message,
    context: Map<String, Value>,
    call: Option<PendingId>,
    tickets: Vec<Ticket>,
    hash: u64,
}

#[derive(Default)]
struct Waiting {
    /// By the order of their giving.
    entries: BTreeMap<u64, Entry>,
    /// The place of a waiting message by the hash of what it says.
    places: HashMap<u64, u64>,
    next: u64,
}

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    kept: Mutex<VecDeque<Kept>>,
    filled: Notify,
    /// Fewer than [`FEW`] wait.
    roomy: Notify,
    transport: OnceLock<Arc<Transport>>,
    /// How many messages the broker had taken when somebody waited for it in vain, and one; until it takes more nobody waits for it.
    stuck_at: AtomicU64,
    pub figures: Arc<Figures>,
}

impl Waiting {
    fn push(&mut self, mut entry: Entry, figures: &Figures) {
        let place = self.next;
        self.next += 1;
        if entry.call.is_none() {
            let equal = self.places.get(&entry.hash).copied();
            if let Some(equal) = equal.filter(|at| self.entries.get(at).is_some_and(|waits| waits.message == entry.message)) {
                entry.tickets.extend(self.entries.remove(&equal).into_iter().flat_map(|equal| equal.tickets));
                entry.tickets.truncate(MOST_TICKETS);
                figures.coalesced.fetch_add(1, Ordering::Relaxed);
            }
            self.places.insert(entry.hash, place);
        }
        self.entries.insert(place, entry);
        if self.entries.len() > MOST {
            self.pop();
            if figures.lost.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000) {
                tracing::error!("more than {MOST} messages wait for the message bus: the oldest are dropped");
            }
        }
        figures.waiting.store(self.entries.len() as u64, Ordering::Relaxed);
    }

    fn pop(&mut self) -> Option<Entry> {
        let (place, entry) = self.entries.pop_first()?;
        if self.places.get(&entry.hash) == Some(&place) {
            self.places.remove(&entry.hash);
        }
        Some(entry)
    }
}

fn hash(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&message.topic, &message.server, message.fanout, message.namespace, message.version, message.method).hash(&mut hasher);
    message.args.to_string().hash(&mut hasher);
    hasher.finish()
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn connect(&self, transport: Arc<Transport>) {
        // A second one would be another process.
        let _ = self.transport.set(transport);
    }

    fn give(&self, cx: &Context, message: Message, call: Option<PendingId>) {
        // Who calls waits for the answer.
        let tickets = if call.is_none() { cx.ticket().into_iter().collect() } else { Vec::new() };
        let context = context::write(cx);
        if message.lasting && call.is_none() {
            self.keep(&message, &context);
        }
        self.push(message, context, call, tickets);
    }

    fn push(&self, message: Message, context: Map<String, Value>, call: Option<PendingId>, tickets: Vec<Ticket>) {
        let entry = Entry { hash: hash(&message), context, message, call, tickets };
        self.lock().push(entry, &self.figures);
        self.filled.notify_one();
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, message: &Message, context: &Map<String, Value>) {
        let now = Instant::now();
        let mut kept = self.kept();
        if self.transport.get().is_some_and(|transport| is_settled(transport, now)) {
            while kept.front().is_some_and(|oldest| now.duration_since(oldest.at) > KEPT) {
                kept.pop_front();
            }
        }
        if kept.len() == MOST_KEPT {
            kept.pop_front();
        }
        kept.push_back(Kept { at: now, message: message.clone(), context: context.clone() });
    }

    /// Gives what is kept once more.
    pub fn repeat(&self) {
        let again: Vec<_> = self.kept().iter().map(|kept| (kept.message.clone(), kept.context.clone())).collect();
        for (message, context) in again {
            self.push(message, context, None, Vec::new());
        }
    }

    fn take(&self) -> Option<Entry> {
        let mut waiting = self.lock();
        let entry = waiting.pop();
        self.figures.waiting.store(waiting.entries.len() as u64, Ordering::Relaxed);
        if waiting.entries.len() < FEW {
            self.roomy.notify_waiters();
        }
        entry
    }

    /// Carries messages to the wire until told to stop and none is left.
    pub async fn send(&self, transport: &Transport, stop: CancellationToken) {
        loop {
            while let Some(Entry { message, context, call, tickets, .. }) = self.take() {
                let Message { topic, server, fanout, namespace, version, method, args, lasting: _ } = message;
                let args = match args {
                    Value::Object(args) => args,
                    Value::Null => Map::new(),
                    other => Map::from_iter([("payload".to_owned(), other)]),
                };
                let (namespace, version) = (namespace.map(str::to_owned), version.to_owned());
                let request = Request { method: method.to_owned(), namespace, version, args, context };
                tracing::debug!("to {topic}: {method}{}", if fanout { " (all)" } else { "" });
                let ticket = (!tickets.is_empty()).then(|| Arc::new(tickets) as Ticket);
                let sending = transport.send_with(Target { topic, server, fanout }, request, call.as_ref(), ticket);
                tokio::select! {
                    () = sending => {}
                    // A broker that is away must not hold up the end: what is left is lost.
                    () = gone(&stop, transport) => return,
                }
            }
            if stop.is_cancelled() {
                return;
            }
            tokio::select! {
                () = self.filled.notified() => {}
                () = stop.cancelled() => {}
            }
        }
    }
}

/// Is the broker there, and was for so long that nothing has to be said again?
fn is_settled(transport: &Transport, now: Instant) -> bool {
    transport.is_connected() && transport.returns().borrow().is_none_or(|last| now.duration_since(last.at) > KEPT)
}

/// When the end was asked for and nothing has left for a while.
async fn gone(stop: &CancellationToken, transport: &Transport) {
    stop.cancelled().await;
    loop {
        let sent = transport.stats().sent.load(Ordering::Relaxed);
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        if transport.stats().sent.load(Ordering::Relaxed) == sent {
            return;
        }
    }
}

#[async_trait]
impl Bus for Outbox {
    fn cast(&self, cx: &Context, message: Message) {
        self.give(cx, message, None);
    }

    async fn room(&self) {
        loop {
            let roomy = self.roomy.notified();
            if self.lock().entries.len() < FEW {
                return;
            }
            roomy.await;
        }
    }

    async fn delivered(&self, delivery: &Delivery) {
        let Some(transport) = self.transport.get().filter(|transport| transport.is_connected()) else { return };
        let taken = || transport.stats().sent.load(Ordering::Relaxed) + 1;
        if self.stuck_at.load(Ordering::Relaxed) != taken() && tokio::time::timeout(PATIENCE, delivery.done()).await.is_err() {
            tracing::warn!("the message bus takes messages slowly: a request is answered before agents are told");
            self.stuck_at.store(taken(), Ordering::Relaxed);
        }
    }

    async fn call(&self, cx: &Context, message: Message) -> Result<Value> {
        let transport = self.transport.get().ok_or_else(|| Error::internal("the message bus is not connected yet"))?;
        let pending = transport.expect_answer(None);
        let place = message.server.as_ref().map_or_else(|| message.topic.clone(), |server| format!("{}.{server}", message.topic));
        let method = message.method;
        self.give(cx, message, Some(pending.id()));
        pending.wait().await.map_err(|error| failures::of_call(&error, method, &place))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(topic: &str, id: u64) -> Message {
        Message::new(topic, "1.0", "m", json!({"id": id}))
    }

    fn taken(outbox: &Outbox) -> Vec<Message> {
        std::iter::from_fn(|| outbox.take()).map(|entry| entry.message).collect()
    }

    #[test]
    fn equal_messages_that_wait_become_one_at_the_end() {
        let (outbox, cx) = (Outbox::default(), Context::internal("test"));
        for id in [1, 2, 1, 3, 2] {
            outbox.cast(&cx, message("a", id));
        }
        outbox.cast(&cx, message("b", 1));
        assert_eq!(taken(&outbox), [message("a", 1), message("a", 3), message("a", 2), message("b", 1)]);
        assert_eq!((outbox.figures.coalesced.load(Ordering::Relaxed), outbox.figures.waiting.load(Ordering::Relaxed)), (2, 0));
        outbox.cast(&cx, message("a", 1));
        assert_eq!(taken(&outbox).len(), 1);
        assert!(outbox.lock().places.is_empty());
    }

    #[test]
    fn what_stays_true_can_be_said_again() {
        let (outbox, cx) = (Outbox::default(), Context::internal("test"));
        outbox.cast(&cx, message("a", 1));
        outbox.cast(&cx, message("gone", 1).lasting());
        outbox.cast(&cx, message("gone", 2).lasting());
        assert_eq!(taken(&outbox).len(), 3);
        for _ in 0..2 {
            outbox.repeat();
            outbox.repeat();
            assert_eq!(taken(&outbox), [message("gone", 1).lasting(), message("gone", 2).lasting()], "equal ones that wait are one");
        }
        for id in 0..=MOST_KEPT as u64 {
            outbox.cast(&cx, message("more", id).lasting());
        }
        taken(&outbox);
        outbox.repeat();
        let again = taken(&outbox);
        assert_eq!((again.len(), &again[0]), (MOST_KEPT, &message("more", 1).lasting()));
    }

    #[tokio::test]
    async fn who_has_many_waits_until_few_are_left() {
        let (outbox, cx) = (Outbox::default(), Context::internal("test"));
        outbox.room().await;
        for id in 0..FEW as u64 {
            outbox.cast(&cx, message("a", id));
        }
        let mut room = std::pin::pin!(outbox.room());
        let mut looked = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(room.as_mut().poll(&mut looked).is_pending());
        outbox.take();
        assert!(room.as_mut().poll(&mut looked).is_ready());
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let (outbox, cx) = (Outbox::default(), Context::internal("test"));
        for id in 0..=MOST as u64 {
            outbox.cast(&cx, message("a", id));
        }
        assert_eq!(outbox.figures.lost.load(Ordering::Relaxed), 1);
        assert_eq!(outbox.take().map(|entry| entry.message), Some(message("a", 1)));
    }
}
