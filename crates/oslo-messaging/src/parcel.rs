// SPDX-License-Identifier: Apache-2.0
//! A message on its way out.

use std::{any::Any, sync::Arc, time::Duration};

use tokio::{sync::OwnedSemaphorePermit, time::Instant};

/// Where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// A queue of the exchange of topics: `TOPIC` or `TOPIC.HOST`.
    Topic(String),
    /// All servers of a topic.
    Fanout(String),
    /// The queue of an answer, by the default exchange.
    Reply(String),
    /// A topic of notifications, whose queue the sender declares.
    Notification(String),
}

impl Address {
    /// For logs.
    pub fn name(&self) -> &str {
        match self {
            Address::Topic(name) | Address::Fanout(name) | Address::Reply(name) | Address::Notification(name) => name,
        }
    }
}

/// Somebody waits until it is dropped.
pub type Ticket = Arc<dyn Any + Send + Sync>;

#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub address: Address,
    pub body: Vec<u8>,
    /// When nobody waits for it any longer, and the time that it had at first: the broker drops it then.
    pub expires: Option<(Instant, Duration)>,
    /// How often it may be tried again after the first time; `None` is without limit.
    pub retries: Option<u32>,
    /// How often the broker refused it or broke off.
    pub failures: u32,
    /// Of casts, in the order of their sending; 0 before that.
    pub number: u64,
    /// A cast that is sent again to see whether its receiver's queue is there.
    pub again: bool,
    /// Dropped when the broker has the message, or never will; of an answer, when it is on its way.
    pub ticket: Option<Ticket>,
    /// Its share of the bytes that may be on their way.
    pub room: Option<Arc<OwnedSemaphorePermit>>,
}

impl Parcel {
    pub fn new(address: Address, body: Vec<u8>) -> Self {
        Self { address, body, expires: None, retries: None, failures: 0, number: 0, again: false, ticket: None, room: None }
    }

    /// To one receiver, who does not answer.
    pub fn is_cast(&self) -> bool {
        matches!(self.address, Address::Topic(_)) && self.expires.is_none()
    }

    pub fn is_over(&self) -> bool {
        self.expires.is_some_and(|(end, _)| end <= Instant::now())
    }
}
