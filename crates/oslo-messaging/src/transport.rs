// SPDX-License-Identifier: Apache-2.0
//! The transport: what a program holds to send, to call and to serve.
//!
//! Owns: who waits for which answer, and the queue of what goes out. Invariants: sending waits only for room in that queue; a call ends at
//! its timeout at the latest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    dispatch::{Dispatcher, Handler},
    fake::Fake,
    ids,
    message::{self, Failure, Request},
    options::Options,
    parcel::{Address, Parcel, Ticket},
    queue_names, rabbit,
    stats::{self, Stats},
    topology,
    url::TransportUrl,
};

/// Messages that wait to be taken to the broker before senders have to wait.
const OUTGOING: usize = 1000;
/// Bytes of messages that the broker has not confirmed, before senders have to wait: answers can have megabytes.
const OUTGOING_BYTES: usize = 16 * 1024 * 1024;

/// A broker that was away takes messages again.
#[derive(Clone, Copy, Debug)]
pub struct Return {
    pub at: Instant,
    /// For how long it was away.
    pub away: Duration,
}

/// To whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub topic: String,
    /// The server of the topic; without one any of them.
    pub server: Option<String>,
    /// All servers of the topic.
    pub fanout: bool,
}

impl Target {
    fn address(self) -> Address {
        match (self.fanout, self.server) {
            (true, _) => Address::Fanout(self.topic),
            (false, Some(server)) => Address::Topic(format!("{}.{server}", self.topic)),
            (false, None) => Address::Topic(self.topic),
        }
    }
}

/// Why a call has no result.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// Nobody answered in time.
    Timeout,
    /// The transport was closed, or is `fake://` and nobody in this process serves the topic.
    Closed,
    /// The other side failed.
    Failed(Failure),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CallError::Timeout => f.write_str("nobody answered in time"),
            CallError::Closed => {
                f.write_str("nobody is there to answer: the transport is closed, or is fake:// and nobody in this process serves the topic")
            }
            CallError::Failed(failure) => failure.fmt(f),
        }
    }
}

/// The way out, shared by all that send.
#[derive(Clone)]
pub(crate) struct Outgoing {
    sender: mpsc::Sender<Parcel>,
    room: Arc<Semaphore>,
    stats: Arc<Stats>,
}

impl Outgoing {
    fn new(sender: mpsc::Sender<Parcel>, stats: Arc<Stats>) -> Self {
        Self { sender, room: Arc::new(Semaphore::new(OUTGOING_BYTES)), stats }
    }

    /// Waits for room. After the end of the transport the message is lost.
    pub async fn send(&self, mut parcel: Parcel) {
        stats::add(&self.stats.outgoing, 1);
        let bytes = u32::try_from(parcel.body.len().min(OUTGOING_BYTES)).unwrap_or(u32::MAX);
        parcel.room = Arc::clone(&self.room).acquire_many_owned(bytes).await.ok().map(Arc::new);
        if let Err(lost) = self.sender.send(parcel).await {
            stats::subtract(&self.stats.outgoing, 1);
            tracing::warn!("a message for {} is lost: the transport is closed", lost.0.address.name());
        }
    }
}

/// Who waits for an answer, by the id of the message.
#[derive(Default)]
pub(crate) struct Waiters(Mutex<HashMap<String, oneshot::Sender<Result<Value, Failure>>>>);

impl Waiters {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<Result<Value, Failure>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on an answer that came in.
    pub fn take(&self, body: &[u8], stats: &Stats) {
        stats::add(&stats.received, 1);
        match message::read_reply(body) {
            // A sign of life: the caller has a timeout of its own.
            Ok(reply) if !reply.ending && reply.result.as_ref().is_ok_and(Value::is_null) => {}
            Ok(reply) => match self.lock().remove(&reply.message_id) {
                // A caller that left in this moment is no fault.
                Some(waiter) => drop(waiter.send(reply.result)),
                None => tracing::debug!("nobody waits for the answer to message {} any longer", reply.message_id),
            },
            Err(reason) => {
                stats::add(&stats.unreadable, 1);
                tracing::error!("an answer cannot be read and is dropped: {reason}");
            }
        }
    }
}

/// A call that is waited for. Make it before the request is sent.
pub struct Pending {
    message_id: String,
    timeout: Duration,
    receiver: oneshot::Receiver<Result<Value, Failure>>,
    waiters: Arc<Waiters>,
}

impl Pending {
    #[must_use]
    pub fn id(&self) -> PendingId {
        PendingId { message_id: self.message_id.clone(), expires: tokio::time::Instant::now() + self.timeout, timeout: self.timeout }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// That there is none in time; the failure that it tells.
    pub async fn wait(mut self) -> Result<Value, CallError> {
        match tokio::time::timeout(self.timeout, &mut self.receiver).await {
            Ok(Ok(result)) => result.map_err(CallError::Failed),
            Ok(Err(_)) => Err(CallError::Closed),
            Err(_) => Err(CallError::Timeout),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.waiters.lock().remove(&self.message_id);
    }
}

/// What the request of a [`Pending`] call is sent with.
#[derive(Clone, Debug)]
pub struct PendingId {
    message_id: String,
    expires: tokio::time::Instant,
    timeout: Duration,
}

enum Wire {
    Rabbit(rabbit::Rabbit),
    Fake(Arc<Fake>),
}

/// A topic that is served until [`Serving::stop`].
pub struct Serving {
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
    dispatcher: Arc<Dispatcher>,
}

impl Serving {
    /// Takes no more requests, and waits until those that were taken are answered.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!("the listener of {} broke off: {error}", self.dispatcher.topic);
        }
        self.dispatcher.drain().await;
    }
}

/// See the module's documentation. Made inside a tokio runtime.
pub struct Transport {
    pub options: Arc<Options>,
    outgoing: Outgoing,
    wire: Wire,
    waiters: Arc<Waiters>,
    reply_queue: OnceLock<String>,
    stats: Arc<Stats>,
    stop: CancellationToken,
    /// Ends when all that goes out is out.
    sender: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

impl Transport {
    /// Starts to connect; a broker that is away is tried again.
    #[must_use]
    pub fn start(url: &TransportUrl, options: Options) -> Arc<Self> {
        let (options, stats, stop) = (Arc::new(options), Arc::new(Stats::default()), CancellationToken::new());
        let (sender, receiver) = mpsc::channel(OUTGOING);
        let outgoing = Outgoing::new(sender, stats.clone());
        let (wire, task) = if url.transport == "fake" {
            let fake = Arc::new(Fake::default());
            (Wire::Fake(fake.clone()), tokio::spawn(fake.carry(receiver, stats.clone(), stop.clone())))
        } else {
            let rabbit = rabbit::Rabbit::new(url, options.clone(), stats.clone());
            let task = rabbit.send(receiver, stop.clone());
            (Wire::Rabbit(rabbit), task)
        };
        let sender = Mutex::new(Some(task));
        Arc::new(Self { options, outgoing, wire, waiters: Arc::default(), reply_queue: OnceLock::new(), stats, stop, sender })
    }

    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Serves a topic as one of its servers: what is for any of them, for `server`, and for all.
    #[must_use]
    pub fn serve(&self, topic: &str, server: &str, concurrency: usize, handler: Arc<dyn Handler>) -> Serving {
        let (outgoing, stats) = (self.outgoing.clone(), self.stats.clone());
        let dispatcher = Arc::new(Dispatcher::new(topic, handler, concurrency, outgoing, stats, self.options.ping));
        let stop = CancellationToken::new();
        let task = match &self.wire {
            Wire::Rabbit(rabbit) => {
                let (options, exchange) = (&self.options.queues, &self.options.exchange);
                let unique = queue_names::unique(self.options.queue_manager.as_ref());
                let queues = vec![
                    topology::topic_queue(options, exchange, topic),
                    topology::topic_queue(options, exchange, &format!("{topic}.{server}")),
                    topology::fanout_queue(options, topic, &unique),
                ];
                tokio::spawn(rabbit.clone().listen(queues, rabbit::Sink::Requests(dispatcher.clone()), concurrency, stop.clone()))
            }
            Wire::Fake(fake) => {
                let addresses =
                    [Address::Topic(topic.to_owned()), Address::Topic(format!("{topic}.{server}")), Address::Fanout(topic.to_owned())];
                tokio::spawn(fake.clone().serve(addresses.to_vec(), dispatcher.clone(), stop.clone()))
            }
        };
        Serving { stop, task, dispatcher }
    }

    /// Prepares a call; `timeout` or `rpc_response_timeout`.
    #[must_use]
    pub fn expect_answer(&self, timeout: Option<Duration>) -> Pending {
        let (sender, receiver) = oneshot::channel();
        let message_id = ids::unique();
        self.waiters.lock().insert(message_id.clone(), sender);
        let timeout = timeout.unwrap_or(self.options.response_timeout);
        Pending { message_id, timeout, receiver, waiters: self.waiters.clone() }
    }

    /// Does the broker take messages now, as far as is known?
    #[must_use]
    pub fn is_connected(&self) -> bool {
        match &self.wire {
            Wire::Rabbit(rabbit) => rabbit.is_connected(),
            Wire::Fake(_) => true,
        }
    }

    /// The last return of the broker, and every one that comes, however short it was away.
    #[must_use]
    pub fn returns(&self) -> watch::Receiver<Option<Return>> {
        match &self.wire {
            Wire::Rabbit(rabbit) => rabbit.returns(),
            // It is never away.
            Wire::Fake(_) => watch::channel(None).1,
        }
    }

    /// Sends a request; `call` when an answer is expected. Waits only for room.
    pub async fn send(&self, target: Target, request: Request, call: Option<&PendingId>) {
        self.send_with(target, request, call, None).await;
    }

    /// [`Transport::send`]; the ticket is dropped when the broker has confirmed the message, or it is given up.
    pub async fn send_with(&self, target: Target, request: Request, call: Option<&PendingId>, ticket: Option<Ticket>) {
        let address = target.address();
        if let (Wire::Fake(fake), Some(call)) = (&self.wire, call)
            && !fake.serves(&address)
        {
            self.waiters.lock().remove(&call.message_id);
            return;
        }
        let id = ids::unique();
        let mut parcel = match call {
            Some(call) => {
                let body = message::write_request(request, &id, Some((&call.message_id, self.reply_queue())));
                Parcel::new(address, body)
            }
            None => Parcel::new(address, message::write_request(request, &id, None)),
        };
        parcel.ticket = ticket;
        parcel.expires = call.map(|call| (call.expires, call.timeout));
        self.outgoing.send(parcel).await;
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    /// As [`Pending::wait`].
    pub async fn call(&self, target: Target, request: Request, timeout: Option<Duration>) -> Result<Value, CallError> {
        let pending = self.expect_answer(timeout);
        self.send(target, request, Some(&pending.id())).await;
        pending.wait().await
    }

    /// Sends a notification to `topic.priority`. `envelope`: in the form 2.0. `retries`: how often it is tried again; `None` without limit.
    pub async fn notify(&self, topic: String, mut message: Map<String, Value>, envelope: bool, retries: Option<u32>) {
        message.insert("_unique_id".to_owned(), ids::unique().into());
        let message = Value::Object(message);
        let body = if envelope { message::seal(&message) } else { message.to_string().into_bytes() };
        self.outgoing.send(Parcel { retries, ..Parcel::new(Address::Notification(topic), body) }).await;
    }

    /// The name of the queue of answers; the first use begins to read it.
    fn reply_queue(&self) -> &str {
        self.reply_queue.get_or_init(|| {
            let unique = queue_names::unique(self.options.queue_manager.as_ref());
            let queue = topology::reply_queue(&self.options.queues, &unique);
            let (name, waiters) = (queue.name.clone(), self.waiters.clone());
            match &self.wire {
                Wire::Rabbit(rabbit) => {
                    tokio::spawn(rabbit.clone().listen(vec![queue], rabbit::Sink::Replies(waiters), 1000, self.stop.clone()));
                }
                Wire::Fake(fake) => fake.answers(&name, waiters),
            }
            name
        })
    }

    /// Sends what waits, for as long as `grace`, and closes. Serving must have been stopped before.
    pub async fn close(&self, grace: Duration) {
        self.stop.cancel();
        let task = self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return };
        if tokio::time::timeout(grace, &mut task).await.is_err() {
            let left = self.stats.outgoing.load(std::sync::atomic::Ordering::Relaxed);
            tracing::warn!("{left} messages could not be sent before the end");
            task.abort();
        }
        if let Wire::Rabbit(rabbit) = &self.wire {
            rabbit.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_on_its_way_is_bounded_in_bytes() {
        let (sender, mut receiver) = mpsc::channel(OUTGOING);
        let outgoing = Outgoing::new(sender, Arc::default());
        let parcel = |bytes| Parcel::new(Address::Topic("t".into()), vec![0; bytes]);
        for bytes in [OUTGOING_BYTES / 2, OUTGOING_BYTES / 2] {
            outgoing.send(parcel(bytes)).await;
        }
        // One that is larger than all has its turn, too.
        let mut third = std::pin::pin!(outgoing.send(parcel(OUTGOING_BYTES + 1)));
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(receiver.recv().await);
        assert!(futures::poll!(third.as_mut()).is_pending());
        drop(receiver.recv().await);
        assert!(futures::poll!(third.as_mut()).is_ready());
    }
}
