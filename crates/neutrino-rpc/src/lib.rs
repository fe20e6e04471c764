// SPDX-License-Identifier: Apache-2.0
//! What features declare for agents, on the message bus: the topics that are served, and what agents are told.
//!
//! Owns: how many requests are handled at a time, the identity of a message, the exceptions that agents get, the queue of what goes out, and
//! the figures of all that. Refuses to own: the wire (`oslo-messaging`) and what any method does (the features).
//! Invariants: a request of the API never waits for a broker that takes nothing, and for others a second at most; messages go out in the order in which they were given; a handler runs to its
//! end once it has begun.

mod context;
mod failures;
mod metrics;
mod notices;
mod outbox;
mod server;
mod settings;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use neutrino_core::{Builder, Engine, notifications::Outlet, rpc::BusService};
use oslo_config::{Config, ConfigError};
use oslo_messaging::{Stats, Transport, transport::Return};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use metrics::RpcMetrics;
pub use settings::{OPTIONS, Settings};

/// How long what still waits is sent at the end, when the operator sets no limit.
const LONGEST_GRACE: Duration = Duration::from_secs(60);

/// The bus of one process.
pub struct Rpc {
    settings: Settings,
    outbox: Arc<outbox::Outbox>,
    transport: OnceLock<Arc<Transport>>,
    pub metrics: RpcMetrics,
}

/// See [`Rpc::returns`].
pub struct Returns(watch::Receiver<Option<Return>>);

impl Returns {
    /// Waits until the broker, which was away, takes messages again; for how long it was away. None is missed, however short, but of several
    /// since the last call only the last is told.
    pub async fn next(&mut self) -> Duration {
        while self.0.changed().await.is_ok() {
            if let Some(found) = *self.0.borrow_and_update() {
                return found.away;
            }
        }
        // The bus is closed.
        std::future::pending().await
    }
}

/// Offers the bus to features. `program`: the name of this process.
///
/// # Errors
/// What the configuration asks for and cannot be.
pub fn register(builder: &mut Builder, conf: &Config, program: &str) -> Result<Arc<Rpc>, ConfigError> {
    let settings = Settings::read(conf, program)?;
    let outbox = Arc::new(outbox::Outbox::default());
    builder.service(Arc::new(BusService(outbox.clone())));
    Ok(Arc::new(Rpc { settings, outbox, transport: OnceLock::new(), metrics: RpcMetrics::default() }))
}

impl Rpc {
    /// The transport; the first use connects.
    fn transport(&self) -> &Arc<Transport> {
        self.transport.get_or_init(|| {
            let transport = Transport::start(&self.settings.url, self.settings.options.clone());
            self.outbox.connect(transport.clone());
            transport
        })
    }

    /// Figures of the wire, once it is connected.
    #[must_use]
    pub fn stats(&self) -> Arc<Stats> {
        self.transport().stats().clone()
    }

    /// Figures of the queue of what goes out: waiting, coalesced, lost.
    #[must_use]
    pub fn outbox_figures(&self) -> Arc<outbox::Figures> {
        self.outbox.figures.clone()
    }

    /// A sentence for the log: where the bus is.
    #[must_use]
    pub fn describe(&self) -> String {
        self.settings.describe()
    }

    /// The broker's returns, from now on.
    #[must_use]
    pub fn returns(&self) -> Returns {
        Returns(self.transport().returns())
    }

    /// Says again what stays true and may not have been heard: [`neutrino_core::rpc::Message::lasting`].
    pub fn repeat(&self) {
        self.outbox.repeat();
    }

    /// Serves the topics of the features until told to stop, and then what was taken.
    ///
    /// # Errors
    /// None today; the form is the supervisor's.
    pub async fn serve(self: Arc<Self>, engine: Arc<Engine>, stop: CancellationToken) -> Result<(), String> {
        let servings = server::serve(self.transport(), &engine, &self.settings, &self.metrics);
        stop.cancelled().await;
        for serving in servings {
            serving.stop().await;
        }
        Ok(())
    }

    /// Sends what features tell agents and what the API tells other programs; told to stop, sends what is left and closes.
    ///
    /// # Errors
    /// None today; the form is the supervisor's.
    pub async fn send(self: Arc<Self>, engine: Arc<Engine>, stop: CancellationToken) -> Result<(), String> {
        let transport = self.transport().clone();
        let notices = engine.registry.service::<Outlet>().map(|outlet| {
            let own = self.settings.notifications.as_ref().map(|(url, options)| Transport::start(url, options.clone()));
            let (transport, stop, retries) = (own.unwrap_or_else(|| transport.clone()), stop.clone(), self.settings.notification_retries);
            tokio::spawn(async move {
                notices::send(&outlet, &transport, retries, stop).await;
                transport
            })
        });
        self.outbox.send(&transport, stop).await;
        let grace = if self.settings.grace.is_zero() { LONGEST_GRACE } else { self.settings.grace };
        if let Some(notices) = notices {
            match notices.await {
                Ok(own) if !Arc::ptr_eq(&own, &transport) => own.close(grace).await,
                Ok(_) => {}
                Err(error) => tracing::error!("the sender of notifications broke off: {error}"),
            }
        }
        transport.close(grace).await;
        Ok(())
    }
}
