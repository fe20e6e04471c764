// SPDX-License-Identifier: Apache-2.0
//! Prometheus metrics: one registry for the process, the HTTP figures, and the small server that shows them.
//!
//! Owns the figures of requests. Others (database, queues) make their own and [`Metrics::register`] them. Invariant: labels come from
//! closed sets, so that no client can make the registry grow.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};
use tokio_util::sync::CancellationToken;

use crate::app::{App, Request, Response};
use crate::http::{Drained, Limits, ListenConfig, Listener, fault::fault};

/// The registry of the process. Names are prefixed with `neutrino_`.
pub struct Metrics {
    registry: Mutex<Registry>,
}

impl Metrics {
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { registry: Mutex::new(Registry::with_prefix("neutrino")) })
    }

    /// Adds a metric. `help` is a sentence; the unit is part of the name (`db_statement_seconds`). Counters get `_total` appended.
    pub fn register(&self, name: &str, help: &str, metric: impl Metric) {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner).register(name, help.trim_end_matches('.'), metric);
    }

    /// All metrics in the OpenMetrics text format.
    ///
    /// # Errors
    /// A metric that cannot be written.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry.lock().unwrap_or_else(PoisonError::into_inner))?;
        Ok(text)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    resource: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LatencyLabels {
    method: &'static str,
    resource: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    reason: &'static str,
}

/// Upper bounds of the latency histogram, in seconds.
const LATENCY_BOUNDS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

fn latency_histogram() -> Histogram {
    Histogram::new(LATENCY_BOUNDS)
}

/// The figures of the API: requests by method, collection and status, their latency, and how many are in flight.
pub struct HttpMetrics {
    collections: HashSet<String>,
    requests: Family<RequestLabels, Counter>,
    latency: Family<LatencyLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    refused: Family<RefusalLabels, Counter>,
}

impl HttpMetrics {
    /// `collections` are the paths that the router knows, without version and slashes around: `networks`, `qos/policies`. Every other
    /// path counts as `other`.
    #[must_use]
    pub fn register(metrics: &Metrics, collections: impl IntoIterator<Item = String>) -> Arc<Self> {
        let this = Arc::new(Self {
            collections: collections.into_iter().collect(),
            requests: Family::default(),
            latency: Family::new_with_constructor(latency_histogram),
            in_flight: Gauge::default(),
            refused: Family::default(),
        });
        metrics.register("http_requests", "Requests answered, by method, collection and status", this.requests.clone());
        metrics.register("http_request_seconds", "Time from a request's start to its answer, in seconds", this.latency.clone());
        metrics.register("http_requests_in_flight", "Requests that are being worked on", this.in_flight.clone());
        metrics.register("http_refused", "Requests that were refused before they reached the API, by reason", this.refused.clone());
        this
    }

    pub(crate) fn started(&self) {
        self.in_flight.inc();
    }

    pub(crate) fn finished(&self, method: &Method, path: &str, status: u16, taken: Duration) {
        self.in_flight.dec();
        let (method, resource) = (method_label(method), self.resource(path));
        self.latency.get_or_create(&LatencyLabels { method, resource: resource.clone() }).observe(taken.as_secs_f64());
        self.requests.get_or_create(&RequestLabels { method, resource, status }).inc();
    }

    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&RefusalLabels { reason }).inc();
    }

    fn resource(&self, path: &str) -> String {
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let Some(first) = segments.next() else { return "versions".to_owned() };
        if first == "healthcheck" {
            return first.to_owned();
        }
        let name = |segment: Option<&str>| segment.map(|text| text.strip_suffix(".json").unwrap_or(text).to_owned());
        let (Some(second), third) = (name(segments.next()), name(segments.next())) else {
            return if first == "v2.0" { "versions".to_owned() } else { "other".to_owned() };
        };
        let prefixed = third.map(|third| format!("{second}/{third}"));
        prefixed
            .filter(|both| self.collections.contains(both))
            .unwrap_or_else(|| if self.collections.contains(&second) { second } else { "other".to_owned() })
    }
}

fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// The listener of `/metrics`.
pub struct MetricsListener {
    listener: Listener,
}

impl MetricsListener {
    /// # Errors
    /// The address cannot be bound.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let limits = Limits {
            client_socket_timeout_seconds: 30,
            max_body_bytes: 0,
            max_connections: 16,
            wsgi_default_pool_size: 4,
            max_waiting_requests: 16,
            graceful_shutdown_timeout_seconds: 1,
            ..Limits::default()
        };
        let (bind_host, bind_port) = (address.ip().to_string(), address.port());
        let config = ListenConfig { bind_host, bind_port, limits, log_requests: false, ..ListenConfig::default() };
        Ok(Self { listener: Listener::bind(config)? })
    }

    /// # Errors
    /// The system's, when the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub async fn serve(self, metrics: Arc<Metrics>, stop: CancellationToken) -> Drained {
        self.listener.serve(Arc::new(MetricsApp { metrics }), None, stop).await
    }
}

/// Binds `address` and answers `GET /metrics` there until `stop` is cancelled.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve_metrics(address: SocketAddr, metrics: Arc<Metrics>, stop: CancellationToken) -> io::Result<()> {
    MetricsListener::bind(address)?.serve(metrics, stop).await;
    Ok(())
}

struct MetricsApp {
    metrics: Arc<Metrics>,
}

#[async_trait]
impl App for MetricsApp {
    async fn call(&self, request: Request) -> Response {
        if request.path != "/metrics" {
            return fault(&request, StatusCode::NOT_FOUND, "The metrics are at /metrics.");
        }
        if request.method != Method::GET && request.method != Method::HEAD {
            return fault(&request, StatusCode::METHOD_NOT_ALLOWED, "Metrics can only be read: use GET.");
        }
        match self.metrics.encode() {
            Ok(text) => Response::new(StatusCode::OK, "application/openmetrics-text; version=1.0.0; charset=utf-8", text),
            Err(error) => {
                tracing::error!(%error, "the metrics could not be written");
                fault(&request, StatusCode::INTERNAL_SERVER_ERROR, "The metrics could not be written.")
            }
        }
    }
}
