// SPDX-License-Identifier: Apache-2.0
//! Which request is worked on when, and how: the pool, the queue before it, and the detached task that runs the application.
//!
//! Invariants: at most `wsgi_default_pool_size` requests run and `max_waiting_requests` wait; a request that has started runs to its
//! end whoever still listens; a panic of the application is an answer of 500 and a line in the log, never a lost connection.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use futures::FutureExt;
use http::Method;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::Limits;
use super::refusal::Refusal;
use crate::app::{App, Request, Response};
use crate::filters::catch_errors::panicked;
use crate::metrics::HttpMetrics;

pub(super) struct Admission {
    app: Arc<dyn App>,
    pool: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    log_requests: bool,
    metrics: Option<Arc<HttpMetrics>>,
    /// The requests that have started and not ended.
    pub running: TaskTracker,
}

impl Admission {
    pub fn new(app: Arc<dyn App>, limits: &Limits, log_requests: bool, metrics: Option<Arc<HttpMetrics>>) -> Self {
        Self {
            app,
            pool: Arc::new(Semaphore::new(limits.wsgi_default_pool_size.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: AtomicUsize::new(0),
            max_waiting: limits.max_waiting_requests,
            log_requests,
            metrics,
            running: TaskTracker::new(),
        }
    }

    /// Waits for a place, then runs the request in its own task. Dropping this future gives up the place in the queue, but does not
    /// stop a request that has started.
    pub async fn run(&self, request: Request, held: Option<OwnedSemaphorePermit>) -> Result<Response, Refusal> {
        let place = self.place().await?;
        let record = Record::of(&request, self.log_requests, self.metrics.clone());
        let span = tracing::info_span!(
            "request",
            request_id = request.info.request_id,
            global_request_id = tracing::field::Empty,
            user_id = tracing::field::Empty,
            project_id = tracing::field::Empty,
        );
        let app = Arc::clone(&self.app);
        let work = async move {
            let response = match AssertUnwindSafe(app.call(request)).catch_unwind().await {
                Ok(response) => response,
                Err(panic) => panicked(&*panic),
            };
            drop((place, held));
            record.finish(&response);
            response
        };
        Ok(self.running.spawn(work.instrument(span)).await.unwrap_or_else(|error| panicked(&error)))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        if let Ok(place) = Arc::clone(&self.pool).try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Waiting::enter(&self.waiting);
        if waiting.ahead >= self.max_waiting {
            return Err(Refusal::busy("As many requests as it takes are waiting already."));
        }
        Arc::clone(&self.pool).acquire_owned().await.map_err(|_| Refusal::busy("It is stopping."))
    }

    /// Counts a request that was answered without reaching the application.
    pub fn refused(&self, refusal: &Refusal) {
        if let Some(metrics) = &self.metrics {
            metrics.refused(refusal.reason);
        }
    }
}

struct Waiting<'a> {
    count: &'a AtomicUsize,
    ahead: usize,
}

impl<'a> Waiting<'a> {
    fn enter(count: &'a AtomicUsize) -> Self {
        Self { ahead: count.fetch_add(1, Ordering::Relaxed), count }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the log and the metrics say of a request once it has ended.
struct Record {
    method: Method,
    path: String,
    query: Option<String>,
    remote: String,
    started: Instant,
    log: bool,
    metrics: Option<Arc<HttpMetrics>>,
}

impl Record {
    fn of(request: &Request, log: bool, metrics: Option<Arc<HttpMetrics>>) -> Self {
        if let Some(metrics) = &metrics {
            metrics.started();
        }
        let (method, path, query) = (request.method.clone(), request.path.clone(), request.query.clone());
        Self { method, path, query, remote: request.info.remote_address.clone(), started: Instant::now(), log, metrics }
    }

    fn finish(self, response: &Response) {
        let (taken, status) = (self.started.elapsed(), response.status.as_u16());
        if let Some(metrics) = &self.metrics {
            metrics.finished(&self.method, &self.path, status, taken);
        }
        if self.log {
            let (mark, query) = if self.query.is_some() { ("?", self.query.as_deref().unwrap_or_default()) } else { ("", "") };
            tracing::info!(
                "{} \"{} {}{mark}{query} HTTP/1.1\" status: {status}  len: {} time: {:.7}",
                self.remote,
                self.method,
                self.path,
                response.body.len(),
                taken.as_secs_f64()
            );
        }
    }
}
