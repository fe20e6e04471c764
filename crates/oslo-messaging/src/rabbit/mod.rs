// SPDX-License-Identifier: Apache-2.0
//! RabbitMQ: one connection that sends, one that receives, and how both come back.

mod amqp;
mod held;
mod link;
mod listener;
mod publisher;

use std::sync::Arc;

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub(crate) use listener::Sink;

use crate::{options::Options, parcel::Parcel, stats::Stats, topology::Queue, transport::Return, url::TransportUrl};

/// See the module's documentation.
#[derive(Clone)]
pub(crate) struct Rabbit {
    options: Arc<Options>,
    stats: Arc<Stats>,
    sending: link::Link,
    receiving: link::Link,
}

impl Rabbit {
    pub fn new(url: &TransportUrl, options: Arc<Options>, stats: Arc<Stats>) -> Self {
        let link = |purpose| link::Link::new(url, options.clone(), stats.clone(), purpose);
        Self { sending: link("sending"), receiving: link("receiving"), options, stats }
    }

    /// Sends what comes out of the queue, until told to stop and all is sent.
    pub fn send(&self, receiver: mpsc::Receiver<Parcel>, stop: CancellationToken) -> JoinHandle<()> {
        let publisher = publisher::Publisher::new(self.options.clone(), self.stats.clone(), self.sending.clone(), receiver);
        tokio::spawn(publisher.run(stop))
    }

    /// Reads queues until told to stop, declaring them anew whenever they or the broker were gone.
    pub async fn listen(self, queues: Vec<Queue>, sink: Sink, concurrency: usize, stop: CancellationToken) {
        listener::Listener::new(self.options, self.stats, self.receiving, queues, sink, concurrency).run(stop).await;
    }

    /// Is there a connection for sending?
    pub fn is_connected(&self) -> bool {
        self.sending.is_connected()
    }

    /// Each return of the broker.
    pub fn returns(&self) -> watch::Receiver<Option<Return>> {
        self.sending.returns()
    }

    pub async fn close(&self) {
        self.sending.close().await;
        self.receiving.close().await;
    }
}
