// SPDX-License-Identifier: Apache-2.0
//! Sends, with confirmations, in order.
//!
//! Invariants: a message leaves memory when the broker has confirmed it, or with a line in the log; after a broken connection what was not
//! confirmed is sent again, in its order (receivers drop what they have seen); a message that the broker refuses does not hold up the others;
//! an answer, and a cast to one receiver, whose queue is not there is tried again for a while.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use lapin::{
    Channel, Confirmation, Connection, PublisherConfirm,
    message::BasicReturnMessage,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    amqp,
    held::{Held, PAUSE},
    link::Link,
};
use crate::{
    options::Options,
    parcel::{Address, Parcel},
    stats::{self, Stats},
    topology::{self, Exchange},
};

/// Messages that may be without confirmation at a time.
const UNCONFIRMED: usize = 500;
/// How often a message is sent that makes the broker close the channel.
const REFUSALS: u32 = 3;
/// How long the end waits for a broker that is away.
const AWAY_AT_END: Duration = Duration::from_secs(5);
/// Answers whose queue is not there, at most; more are given up.
const MISSING_ANSWERS: usize = 2000;

/// See the module's documentation.
pub(super) struct Publisher {
    options: Arc<Options>,
    stats: Arc<Stats>,
    link: Link,
    receiver: mpsc::Receiver<Parcel>,
    /// To be sent again, before what waits in the queue.
    again: VecDeque<Parcel>,
    /// Answers whose queue was not there, with the time of the next try, the earliest first.
    missing: VecDeque<(Instant, Parcel)>,
    /// Casts to receivers whose queue was not there.
    held: Held,
    /// Of the next cast.
    number: u64,
    /// Queues of answers and of receivers that are not there: since when, and when that was last seen.
    gone: HashMap<String, (Instant, Instant)>,
    /// Exchanges that others declared as not durable.
    fallback: HashSet<String>,
    /// After a refusal messages go one by one, so that the one that is refused is known.
    careful: bool,
}

/// How sending on a channel ended.
enum End {
    Done,
    Broken(lapin::Error),
}

/// What a channel has in flight.
struct Flight {
    channel: Channel,
    unconfirmed: VecDeque<(Parcel, PublisherConfirm)>,
    /// Exchanges and queues that were declared on this connection.
    declared: HashSet<String>,
}

impl Publisher {
    pub fn new(options: Arc<Options>, stats: Arc<Stats>, link: Link, receiver: mpsc::Receiver<Parcel>) -> Self {
        let (again, missing, gone, fallback) = (VecDeque::new(), VecDeque::new(), HashMap::new(), HashSet::new());
        Self { options, stats, link, receiver, again, missing, held: Held::default(), number: 1, gone, fallback, careful: false }
    }

    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let connection = tokio::select! {
                connection = self.link.connection() => connection,
                () = over(&stop) => None,
            };
            let Some(connection) = connection else {
                let left = self.stats.outgoing.load(std::sync::atomic::Ordering::Relaxed);
                if left > 0 {
                    tracing::warn!("{left} messages are not sent: there is no AMQP server");
                }
                return;
            };
            match self.send_on(&connection, &stop).await {
                End::Done => return,
                End::Broken(error) => {
                    tracing::warn!("sending broke off, what was not confirmed is sent again: {error}");
                    self.fall_back(&error.to_string());
                    if error.is_amqp_soft_error() {
                        self.careful = true;
                    }
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn fall_back(&mut self, reason: &str) {
        if !reason.contains("inequivalent arg 'durable'") {
            return;
        }
        if let Some(name) = reason.split("exchange '").nth(1).and_then(|rest| rest.split('\'').next()) {
            tracing::warn!("exchange {name} is not durable, because others declared it so");
            self.fallback.insert(name.to_owned());
        }
    }

    async fn send_on(&mut self, connection: &Connection, stop: &CancellationToken) -> End {
        let opened = async {
            let channel = connection.create_channel().await?;
            channel.confirm_select(ConfirmSelectOptions::default()).await?;
            Ok(channel)
        };
        let channel = match opened.await {
            Ok(channel) => channel,
            Err(error) => return End::Broken(error),
        };
        let mut flight = Flight { channel, unconfirmed: VecDeque::new(), declared: HashSet::new() };
        let ended = match self.work(&mut flight, stop).await {
            Ok(()) => return End::Done,
            Err(error) => error,
        };
        self.take_back(flight, &ended);
        End::Broken(ended)
    }

    /// What was not confirmed is sent again. Only a channel that the broker closed has the message itself as a possible reason.
    fn take_back(&mut self, flight: Flight, error: &lapin::Error) {
        let alone = flight.unconfirmed.len() == 1;
        for (mut parcel, _) in flight.unconfirmed.into_iter().rev() {
            stats::add(&self.stats.sent_again, 1);
            parcel.failures += u32::from(alone && error.is_amqp_soft_error());
            if parcel.failures >= REFUSALS {
                tracing::error!("a message for {} is given up, the broker refuses it: {error}", parcel.address.name());
                self.forget(&self.stats.given_up);
            } else {
                self.again.push_front(parcel);
            }
        }
    }

    fn forget(&self, counter: &std::sync::atomic::AtomicU64) {
        stats::subtract(&self.stats.outgoing, 1);
        stats::add(counter, 1);
    }

    async fn work(&mut self, flight: &mut Flight, stop: &CancellationToken) -> lapin::Result<()> {
        loop {
            let room = flight.unconfirmed.len() < if self.careful { 1 } else { UNCONFIRMED };
            let (wake, look) = (self.missing.front().map(|(at, _)| *at), self.held.wake());
            tokio::select! {
                biased;
                Some(confirmed) = confirmation(&mut flight.unconfirmed) => self.confirmed(flight, confirmed?),
                parcel = next(&mut self.again, &mut self.receiver, stop), if room => match parcel {
                    Some(parcel) => self.publish(flight, parcel).await?,
                    None if flight.unconfirmed.is_empty() => return Ok(()),
                    // The rest is confirmed first; nothing more comes.
                    None => {
                        while let Some(confirmed) = confirmation(&mut flight.unconfirmed).await {
                            self.confirmed(flight, confirmed?);
                        }
                    }
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {
                    self.again.extend(self.missing.pop_front().map(|(_, parcel)| parcel));
                }
                () = sleep_until(look.unwrap_or_else(Instant::now)), if look.is_some() => {
                    let (parcels, there) = self.held.due();
                    self.again.extend(parcels);
                    if let Some(queue) = there {
                        self.gone.remove(&queue);
                    }
                }
                // An idle channel that the broker closed is noticed, too.
                () = tokio::time::sleep(Duration::from_secs(1)), if flight.unconfirmed.is_empty() => {
                    if !flight.channel.status().connected() {
                        return Err(lapin::ErrorKind::InvalidChannel(flight.channel.id()).into());
                    }
                }
            }
        }
    }

    fn confirmed(&mut self, flight: &mut Flight, confirmation: Confirmation) {
        let Some((parcel, _)) = flight.unconfirmed.pop_front() else { return };
        match confirmation {
            Confirmation::Nack(None) => {
                tracing::warn!("the broker could not take a message for {}; it is sent again", parcel.address.name());
                stats::add(&self.stats.sent_again, 1);
                self.again.push_back(parcel);
            }
            Confirmation::Ack(None) | Confirmation::NotRequested => self.forget(&self.stats.sent),
            // When several are confirmed at once, what came back need not be this one: it is known by what it says.
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => self.returned(returned),
        }
        if self.again.is_empty() {
            self.careful = false;
        }
    }

    /// A message came back because its queue is not there: the caller, or the agent, may be connecting again.
    fn returned(&mut self, returned: BasicReturnMessage) {
        let BasicReturnMessage { delivery, .. } = returned;
        let queue = delivery.routing_key.to_string();
        let over = self.is_gone_for_long(&queue);
        // Casts have a number.
        let number = delivery.properties.message_id().as_ref().and_then(|number| number.as_str().parse().ok());
        if let Some(number) = number {
            if !over && !self.held.is_full() {
                return self.held.returned(Parcel { number, ..Parcel::new(Address::Topic(queue), delivery.data) });
            }
            let dropped = 1 + if over { self.held.give_up(&queue) } else { 0 };
            if dropped > 1 || !over {
                tracing::warn!("{queue} does not exist: messages to it are dropped: {dropped}");
            }
            for _ in 0..dropped {
                self.forget(&self.stats.given_up);
            }
        } else if over || self.missing.len() >= MISSING_ANSWERS {
            tracing::warn!("{queue} does not exist: an answer to it is dropped");
            self.forget(&self.stats.given_up);
        } else {
            self.missing.push_back((Instant::now() + PAUSE, Parcel::new(Address::Reply(queue), delivery.data)));
        }
    }

    fn is_gone_for_long(&mut self, queue: &str) -> bool {
        let (now, patience) = (Instant::now(), self.options.missing_consumer_timeout);
        self.gone.retain(|_, (_, last)| now.duration_since(*last) < patience.max(Duration::from_secs(60)));
        let known = self.gone.entry(queue.to_owned()).or_insert((now, now));
        if now.duration_since(known.1) > Duration::from_secs(5) && now.duration_since(known.0) < patience {
            // It has been there in between.
            known.0 = now;
        }
        known.1 = now;
        now.duration_since(known.0) >= patience
    }

    fn exchange(&self, address: &Address) -> Option<Exchange> {
        let (options, name) = (&self.options.queues, &self.options.exchange);
        let mut exchange = match address {
            Address::Reply(_) => return None,
            Address::Fanout(topic) => topology::fanout_exchange(options, topic),
            Address::Topic(_) | Address::Notification(_) => topology::topic_exchange(options, name),
        };
        exchange.durable = exchange.durable && !self.fallback.contains(&exchange.name);
        Some(exchange)
    }

    async fn publish(&mut self, flight: &mut Flight, mut parcel: Parcel) -> lapin::Result<()> {
        if parcel.is_over() {
            tracing::warn!("a call to {} is not sent any more: its time is over", parcel.address.name());
            self.forget(&self.stats.given_up);
            return Ok(());
        }
        if parcel.is_cast() {
            if parcel.number == 0 {
                parcel.number = self.number;
                self.number += 1;
            }
            if !parcel.again && self.held.holds(parcel.address.name()) {
                self.held.hold(parcel);
                return Ok(());
            }
        }
        match self.hand_over(flight, &parcel).await {
            Ok(confirm) => {
                if matches!(parcel.address, Address::Reply(_)) {
                    // It is on its way, and is sent again if need be: what it answers is not to be answered again.
                    parcel.ticket = None;
                }
                flight.unconfirmed.push_back((parcel, confirm));
                Ok(())
            }
            Err(error) => {
                let retries = parcel.retries.map(|retries| retries.saturating_sub(1));
                if parcel.retries == Some(0) {
                    tracing::error!("a message for {} is given up: {error}", parcel.address.name());
                    self.forget(&self.stats.given_up);
                } else {
                    let failures = parcel.failures + u32::from(error.is_amqp_soft_error() && flight.unconfirmed.is_empty());
                    // It stands behind those that were handed over before it, which are put in front of it.
                    if failures < REFUSALS {
                        self.again.push_front(Parcel { retries, failures, ..parcel });
                    } else {
                        tracing::error!("a message for {} is given up, the broker refuses it: {error}", parcel.address.name());
                        self.forget(&self.stats.given_up);
                    }
                }
                Err(error)
            }
        }
    }

    async fn hand_over(&self, flight: &mut Flight, parcel: &Parcel) -> lapin::Result<PublisherConfirm> {
        let exchange = self.exchange(&parcel.address);
        if let Some(exchange) = &exchange {
            if exchange.auto_delete {
                // It goes with its last queue: declared each time, without waiting.
                amqp::declare_exchange(&flight.channel, exchange, false).await?;
            } else if !flight.declared.contains(&exchange.name) {
                amqp::declare_exchange(&flight.channel, exchange, true).await?;
                flight.declared.insert(exchange.name.clone());
            }
        }
        if let (Address::Notification(topic), Some(exchange)) = (&parcel.address, &exchange) {
            let key = format!("queue {topic}");
            if !flight.declared.contains(&key) {
                let mut queue = topology::notification_queue(&self.options.queues, &exchange.name, topic);
                queue.durable = exchange.durable;
                queue.binding = Some((exchange.clone(), topic.clone()));
                amqp::declare_queue(&flight.channel, &queue).await?;
                flight.declared.insert(key);
            }
        }
        let mandatory = parcel.is_cast() || matches!(parcel.address, Address::Reply(_)) && self.options.mandatory_replies;
        let key = if matches!(parcel.address, Address::Fanout(_)) { "" } else { parcel.address.name() };
        let name = exchange.map_or_else(String::new, |exchange| exchange.name);
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        // The broker counts from now: a call that waited here has less time left.
        let expiration = parcel.expires.map(|(end, all)| match end.saturating_duration_since(Instant::now()) {
            left if all.saturating_sub(left) < Duration::from_secs(1) => all.as_millis(),
            left => left.as_millis(),
        });
        let properties = amqp::properties(expiration, parcel.is_cast().then_some(parcel.number));
        flight.channel.basic_publish(name.as_str().into(), key.into(), options, &parcel.body, properties).await
    }
}

/// When the end was asked for some time ago.
async fn over(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(AWAY_AT_END).await;
}

/// The confirmation of the oldest message; `None` when there is none in flight.
async fn confirmation(unconfirmed: &mut VecDeque<(Parcel, PublisherConfirm)>) -> Option<lapin::Result<Confirmation>> {
    let (_, confirm) = unconfirmed.front_mut()?;
    Some(Pin::new(confirm).await)
}

/// What is to be sent next; `None` when the transport is closed and nothing is left.
async fn next(again: &mut VecDeque<Parcel>, receiver: &mut mpsc::Receiver<Parcel>, stop: &CancellationToken) -> Option<Parcel> {
    if let Some(parcel) = again.pop_front() {
        return Some(parcel);
    }
    tokio::select! {
        biased;
        parcel = receiver.recv() => parcel,
        () = stop.cancelled() => None,
    }
}
