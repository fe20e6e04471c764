// SPDX-License-Identifier: Apache-2.0
//! From a delivered body to a handler and its answer, whatever brought the body.
//!
//! Invariants: no more requests are handled at a time than was said; a request is handled once though it is delivered twice; a handler that
//! panics is a failure for its caller and nothing else; a request is acknowledged when it is handled and the answer on its way, so that another
//! process gets it when this one is killed.

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::FutureExt as _;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    dedup::Seen,
    ids,
    message::{self, Failure, Incoming, Reply, ReplyTo, Request},
    parcel::{Address, Parcel, Ticket},
    stats::{self, Stats},
    transport::Outgoing,
};

/// Answers requests of a topic.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The result, or what the caller is to get as an exception. The result of a cast goes nowhere.
    async fn handle(&self, request: Request) -> Result<Value, Failure>;
}

/// Acknowledges a request.
pub(crate) type Receipt = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How long the end waits for a broker that takes no answer.
const UNSENT_AT_END: Duration = Duration::from_secs(5);

/// Takes the requests of one topic.
pub(crate) struct Dispatcher {
    pub topic: String,
    handler: Arc<dyn Handler>,
    room: Arc<Semaphore>,
    seen: Mutex<Seen>,
    tasks: TaskTracker,
    ending: CancellationToken,
    outgoing: Outgoing,
    stats: Arc<Stats>,
    ping: bool,
}

impl Dispatcher {
    pub fn new(topic: &str, handler: Arc<dyn Handler>, concurrency: usize, outgoing: Outgoing, stats: Arc<Stats>, ping: bool) -> Self {
        Self {
            topic: topic.to_owned(),
            handler,
            room: Arc::new(Semaphore::new(concurrency.clamp(1, Semaphore::MAX_PERMITS))),
            seen: Mutex::default(),
            tasks: TaskTracker::new(),
            ending: CancellationToken::new(),
            outgoing,
            stats,
            ping,
        }
    }

    /// Waits until one more request may be handled.
    pub async fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).acquire_owned().await.ok()
    }

    /// Starts the handler of a request, in a task of its own. `receipt`: when it is not acknowledged yet.
    pub fn take(self: &Arc<Self>, body: &[u8], permit: OwnedSemaphorePermit, receipt: Option<Receipt>) {
        stats::add(&self.stats.received, 1);
        let Some(incoming) = self.read(body) else {
            if let Some(receipt) = receipt {
                self.tasks.spawn(receipt);
            }
            return;
        };
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            stats::add(&this.stats.handling, 1);
            let answer = this.handle(incoming).await;
            stats::subtract(&this.stats.handling, 1);
            drop(permit);
            let Some(receipt) = receipt else { return };
            let sent = async {
                if let Some(answer) = answer {
                    // The message holds the other end until it is on its way, or never will be.
                    let _ = answer.await;
                }
            };
            tokio::select! {
                () = sent => receipt.await,
                () = this.over() => {}
            }
        });
    }

    /// `None` when there is nothing to be handled.
    fn read(&self, body: &[u8]) -> Option<Incoming> {
        let incoming = match message::read_request(body) {
            Ok(incoming) => incoming,
            Err(reason) => {
                stats::add(&self.stats.unreadable, 1);
                tracing::error!("a message on {} cannot be read and is dropped: {reason}", self.topic);
                return None;
            }
        };
        if let Some(id) = &incoming.unique_id
            && !self.seen.lock().unwrap_or_else(PoisonError::into_inner).is_new(id)
        {
            stats::add(&self.stats.duplicates, 1);
            tracing::warn!("{} on {} was delivered twice (message {id}): handled once", incoming.request.method, self.topic);
            return None;
        }
        Some(incoming)
    }

    /// Handles and answers it; for a call, what ends when the answer is on its way.
    async fn handle(&self, incoming: Incoming) -> Option<oneshot::Receiver<()>> {
        let Incoming { request, reply_to, .. } = incoming;
        let method = request.method.clone();
        let work = AssertUnwindSafe(self.answer(request)).catch_unwind();
        let outcome = match reply_to.as_ref().and_then(|reply| Some((reply, reply.monitor_s.filter(|seconds| *seconds >= 2)?))) {
            Some((reply_to, seconds)) => self.with_signs_of_life(reply_to, seconds, work).await,
            None => work.await,
        };
        let result = match outcome {
            Ok(result) => result,
            Err(_) => {
                tracing::error!("{method} on {} broke off", self.topic);
                Err(Failure::new("RuntimeError", "builtins", format!("The server failed while it handled {method}.")))
            }
        };
        let (held, sent) = oneshot::channel();
        self.reply(&reply_to?, result, true, Some(Arc::new(held))).await;
        Some(sent)
    }

    async fn answer(&self, request: Request) -> Result<Value, Failure> {
        if self.ping && request.method == "oslo_rpc_server_ping" {
            return Ok("pong".into());
        }
        self.handler.handle(request).await
    }

    /// Tells a caller that waits for it, twice in the time it grants, that its request is being handled.
    async fn with_signs_of_life<T>(&self, reply_to: &ReplyTo, seconds: u64, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                () = tokio::time::sleep(Duration::from_millis(seconds.saturating_mul(500))) => {
                    self.reply(reply_to, Ok(Value::Null), false, None).await;
                }
            }
        }
    }

    async fn reply(&self, reply_to: &ReplyTo, result: Result<Value, Failure>, ending: bool, ticket: Option<Ticket>) {
        let reply = Reply { message_id: reply_to.message_id.clone(), unique_id: Some(ids::unique()), result, ending };
        self.outgoing.send(Parcel { ticket, ..Parcel::new(Address::Reply(reply_to.queue.clone()), message::write_reply(&reply)) }).await;
    }

    /// Waits until the handlers that run have answered, and their answers are on their way.
    pub async fn drain(&self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// When the end was asked for some time ago.
    async fn over(&self) {
        self.ending.cancelled().await;
        tokio::time::sleep(UNSENT_AT_END).await;
    }
}
