// SPDX-License-Identifier: Apache-2.0
//! Reads some queues on a channel of its own.
//!
//! Invariants: a request is acknowledged when it was answered, or, when it is delivered once more because nobody did that, before it is handled: one
//! that ends the process is tried twice, not for ever; the broker sends no more ahead than is bounded here; queues that are gone are declared anew.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, Stream, StreamExt as _, stream};
use lapin::{
    Channel, Connection,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions},
    types::{AMQPValue, FieldTable},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{amqp, link::Link};
use crate::{
    dispatch::{Dispatcher, Receipt},
    options::Options,
    stats::{self, Stats},
    topology::Queue,
    transport::Waiters,
};

/// Who gets what is read.
#[derive(Clone)]
pub(crate) enum Sink {
    Requests(Arc<Dispatcher>),
    Replies(Arc<Waiters>),
}

/// See the module's documentation.
pub(super) struct Listener {
    options: Arc<Options>,
    stats: Arc<Stats>,
    link: Link,
    queues: Vec<Queue>,
    sink: Sink,
    /// What the broker may send on each queue before it is acknowledged.
    prefetch: u16,
    /// Where a stream is read on.
    offset: Option<i64>,
}

/// How reading ended.
enum End {
    Told,
    /// The connection or channel broke, for this reason.
    Broken(String),
    /// The broker cancelled the consumer of a queue: the queue is gone.
    Lost(String),
}

impl From<lapin::Error> for End {
    fn from(error: lapin::Error) -> Self {
        End::Broken(error.to_string())
    }
}

/// The number of a queue, and what came from it; `None` when no more comes.
type Item = (usize, Option<lapin::Result<Delivery>>);

impl Listener {
    pub fn new(options: Arc<Options>, stats: Arc<Stats>, link: Link, queues: Vec<Queue>, sink: Sink, concurrency: usize) -> Self {
        let ahead = if options.prefetch > 0 { usize::from(options.prefetch) } else { concurrency.clamp(25, 1000) };
        let prefetch = u16::try_from(concurrency.saturating_add(ahead)).unwrap_or(u16::MAX);
        Self { options, stats, link, queues, sink, prefetch, offset: None }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        let mut lost: Option<Instant> = None;
        loop {
            let connection = tokio::select! {
                connection = self.link.connection() => connection,
                () = stop.cancelled() => return,
            };
            let Some(connection) = connection else { return };
            let names = self.queues.iter().map(|queue| queue.name.as_str()).collect::<Vec<_>>().join(", ");
            match self.read(&connection, &stop).await {
                End::Told => return,
                End::Broken(reason) => {
                    self.step_back(&reason);
                    tracing::error!("{names} cannot be read: {reason}");
                }
                End::Lost(queue) => {
                    stats::add(&self.stats.queues_lost, 1);
                    let again = lost.replace(Instant::now()).is_some_and(|before| before.elapsed() < Duration::from_secs(5));
                    if self.options.redeclare_at_once && !again {
                        tracing::error!("queue {queue} is gone; it is declared anew");
                        continue;
                    }
                    tracing::error!("queue {queue} is gone; it is declared anew in {} s", self.options.redeclare_delay.as_secs_f32());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(self.options.redeclare_delay) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Somebody declared these exchanges or queues as not durable before us: then they are.
    fn step_back(&mut self, reason: &str) {
        if !reason.contains("inequivalent arg 'durable'") {
            return;
        }
        tracing::warn!("durable exchanges and queues are not possible beside those that are there: {reason}");
        for queue in &mut self.queues {
            let names_exchange = queue.binding.as_ref().is_some_and(|(exchange, _)| reason.contains(&format!("'{}'", exchange.name)));
            if let Some((exchange, _)) = &mut queue.binding
                && names_exchange
            {
                exchange.durable = false;
            }
            if names_exchange || reason.contains(&format!("'{}'", queue.name)) {
                queue.durable = false;
            }
        }
    }

    async fn read(&mut self, connection: &Connection, stop: &CancellationToken) -> End {
        let channel = match connection.create_channel().await {
            Ok(channel) => channel,
            Err(error) => return error.into(),
        };
        let ended = match self.consume(&channel).await {
            Ok(mut items) => {
                let ended = self.pass_on(&mut items, stop).await;
                if matches!(ended, End::Told) {
                    self.leave(&channel, items).await;
                }
                ended
            }
            Err(error) => error.into(),
        };
        if channel.status().connected() {
            let _ = channel.close(200, "OK".into()).await;
        }
        ended
    }

    /// Gives back what was sent ahead, and keeps the channel until what is at work is acknowledged.
    async fn leave(&self, channel: &Channel, mut items: impl Stream<Item = Item> + Unpin) {
        for index in 0..self.queues.len() {
            let _ = channel.basic_cancel(tag(index).as_str().into(), BasicCancelOptions::default()).await;
        }
        while let Some(Some((_, item))) = items.next().now_or_never() {
            if let Some(Ok(delivery)) = item {
                let _ = delivery.acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await;
            }
        }
        if let Sink::Requests(dispatcher) = &self.sink {
            dispatcher.drain().await;
        }
    }

    async fn consume(&self, channel: &Channel) -> lapin::Result<impl Stream<Item = Item> + use<>> {
        channel.basic_qos(self.prefetch, BasicQosOptions::default()).await?;
        let mut streams = Vec::new();
        for (index, queue) in self.queues.iter().enumerate() {
            amqp::declare_queue(channel, queue).await?;
            let mut arguments = amqp::table(&queue.consumer_arguments);
            if let (true, Some(offset)) = (queue.is_stream(), self.offset) {
                arguments.insert("x-stream-offset".into(), AMQPValue::LongLongInt(offset));
            }
            let (name, tag) = (queue.name.as_str().into(), tag(index).as_str().into());
            let consumer = channel.basic_consume(name, tag, BasicConsumeOptions::default(), arguments).await?;
            let ended = stream::once(async move { (index, None) });
            streams.push(consumer.map(move |delivery| (index, Some(delivery))).chain(ended).boxed());
        }
        Ok(stream::select_all(streams))
    }

    async fn pass_on(&mut self, items: &mut (impl Stream<Item = Item> + Unpin), stop: &CancellationToken) -> End {
        loop {
            let (index, item) = tokio::select! {
                item = items.next() => match item {
                    Some(item) => item,
                    None => return End::Broken("the channel is closed".to_owned()),
                },
                () = stop.cancelled() => return End::Told,
            };
            let delivery = match item {
                Some(Ok(delivery)) => delivery,
                Some(Err(error)) => return error.into(),
                None => return End::Lost(self.queues[index].name.clone()),
            };
            let stream = self.queues[index].is_stream();
            if let Err(end) = self.take(delivery, stream, stop).await {
                return end;
            }
        }
    }

    async fn take(&mut self, delivery: Delivery, stream: bool, stop: &CancellationToken) -> Result<(), End> {
        match &self.sink {
            Sink::Replies(waiters) => {
                delivery.acker.ack(BasicAckOptions::default()).await?;
                waiters.take(&delivery.data, &self.stats);
            }
            Sink::Requests(dispatcher) => {
                let permit = tokio::select! {
                    permit = dispatcher.room() => permit,
                    () = stop.cancelled() => None,
                };
                let Some(permit) = permit else { return Err(End::Told) };
                let acker = delivery.acker;
                let receipt: Option<Receipt> = if stream || delivery.redelivered {
                    // One that cannot be acknowledged will be delivered again: it is not handled now.
                    acker.ack(BasicAckOptions::default()).await?;
                    None
                } else {
                    // On a channel that is gone: then it comes again, and is known.
                    Some(Box::pin(async move { drop(acker.ack(BasicAckOptions::default()).await) }))
                };
                dispatcher.take(&delivery.data, permit, receipt);
            }
        }
        if stream && let Some(offset) = delivery.properties.headers().as_ref().and_then(offset) {
            self.offset = Some(offset + 1);
        }
        Ok(())
    }
}

/// Consumer tags are numbers from 1, as kombu's.
fn tag(index: usize) -> String {
    (index + 1).to_string()
}

fn offset(headers: &FieldTable) -> Option<i64> {
    match headers.inner().get("x-stream-offset") {
        Some(AMQPValue::LongLongInt(offset)) => Some(*offset),
        _ => None,
    }
}
