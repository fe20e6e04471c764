// SPDX-License-Identifier: Apache-2.0
//! The accept loop, and its end.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::admission::Admission;
use super::connection::{self, Shared};
use super::{ListenConfig, body, tls};
use crate::app::App;
use crate::metrics::HttpMetrics;

/// Rest after the system refused to accept a connection (no file descriptor left, usually).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens; nothing is accepted before [`Listener::serve`].
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    config: ListenConfig,
}

/// What was left when a listener had stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because the graceful timeout had passed.
    pub connections_cut: usize,
    /// Requests that still ran then. They go on until the runtime ends.
    pub requests_running: usize,
}

impl Listener {
    /// Reads the certificates and binds the address. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// What cannot be bound or read; the message names the address or the option.
    pub fn bind(config: ListenConfig) -> io::Result<Self> {
        let tls = config.tls.as_ref().map(tls::acceptor).transpose()?;
        let socket = TcpListener::from_std(config.open()?)?;
        Ok(Self { socket, tls, config })
    }

    /// The address that is listened on, with the port that the system chose for port 0.
    ///
    /// # Errors
    /// The system's, when the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `http` or `https`.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// Serves `app` until `stop` is cancelled, then drains: no new connection, the requests in flight are answered, within
    /// `graceful_shutdown_timeout`.
    pub async fn serve(self, app: Arc<dyn App>, metrics: Option<Arc<HttpMetrics>>, stop: CancellationToken) -> Drained {
        let Self { socket, tls, config } = self;
        let limits = config.limits;
        let shared = Arc::new(Shared {
            admission: Admission::new(app, &limits, config.log_requests, metrics),
            budget: body::byte_budget(&limits),
            tls,
            drain: stop.clone(),
            cut: CancellationToken::new(),
            limits,
        });
        let connections = TaskTracker::new();
        tokio::select! {
            () = stop.cancelled() => {}
            () = accept(&socket, &shared, &connections) => {}
        }
        drop(socket);
        drain(&shared, &connections).await
    }
}

async fn accept(socket: &TcpListener, shared: &Arc<Shared>, connections: &TaskTracker) {
    let places = Arc::new(Semaphore::new(shared.limits.max_connections.clamp(1, Semaphore::MAX_PERMITS)));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, remote)) => {
                connections.spawn(hold(place, connection::serve(Arc::clone(shared), stream, remote)));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted; trying again");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn hold(place: OwnedSemaphorePermit, work: impl Future<Output = ()>) {
    work.await;
    drop(place);
}

async fn drain(shared: &Shared, connections: &TaskTracker) -> Drained {
    let running = &shared.admission.running;
    connections.close();
    running.close();
    let all = async {
        connections.wait().await;
        running.wait().await;
    };
    let seconds = shared.limits.graceful_shutdown_timeout_seconds;
    if seconds == 0 {
        all.await;
        return Drained::default();
    }
    if timeout(Duration::from_secs(seconds), all).await.is_ok() {
        return Drained::default();
    }
    let left = Drained { connections_cut: connections.len(), requests_running: running.len() };
    shared.cut.cancel();
    connections.wait().await;
    tracing::warn!("stopped after {seconds} seconds with {} requests unfinished", left.requests_running);
    left
}
