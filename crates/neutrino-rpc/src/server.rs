// SPDX-License-Identifier: Apache-2.0
//! The topics that are served, and the way of one request of an agent.

use std::{sync::Arc, time::Instant};

use async_trait::async_trait;
use neutrino_core::{
    Delivery, Engine, RpcEndpoint,
    rpc::{self, Args},
};
use oslo_messaging::{Failure, Handler, Request, Serving, Transport};
use serde_json::Value;
use tracing::Instrument as _;

use crate::{
    context, failures,
    metrics::{Labels, RpcMetrics},
    settings::Settings,
};

/// The topic of agents' reports, which has workers of its own: a report that waits behind a great sync looks like a dead agent.
const REPORTS: &str = "q-reports-plugin";

/// Serves every topic that a feature declares.
pub(crate) fn serve(transport: &Transport, engine: &Arc<Engine>, settings: &Settings, metrics: &RpcMetrics) -> Vec<Serving> {
    let mut topics: Vec<&'static str> = engine.registry.rpc().iter().flat_map(|endpoint| endpoint.topics).copied().collect();
    topics.sort_unstable();
    topics.dedup();
    let mut servings = Vec::new();
    for topic in topics {
        let concurrency = if topic == REPORTS { settings.report_concurrency } else { settings.concurrency };
        let Some(concurrency) = concurrency else { continue };
        let endpoints = engine.registry.rpc().iter().copied().filter(|endpoint| endpoint.topics.contains(&topic)).collect();
        let handler = Topic { name: topic, engine: engine.clone(), endpoints, metrics: metrics.clone() };
        servings.push(transport.serve(topic, &settings.host, concurrency, Arc::new(handler)));
    }
    let served = servings.len();
    if served == 0 {
        tracing::warn!("no topic is served: agents are not answered by this process (rpc_workers)");
    } else {
        tracing::info!("{served} topics are served for agents as {}", settings.host);
    }
    servings
}

struct Topic {
    name: &'static str,
    engine: Arc<Engine>,
    endpoints: Vec<&'static RpcEndpoint>,
    metrics: RpcMetrics,
}

impl Topic {
    /// The name of a method as its endpoint declares it, for labels.
    fn declared(&self, method: &str) -> Option<&'static str> {
        self.endpoints.iter().flat_map(|endpoint| endpoint.methods).map(|(name, _)| *name).find(|name| *name == method)
    }
}

#[async_trait]
impl Handler for Topic {
    async fn handle(&self, request: Request) -> Result<Value, Failure> {
        let Request { method, namespace, version, args, context } = request;
        let found = rpc::find(self.endpoints.iter().copied(), self.name, namespace.as_deref(), &version, &method);
        let handler = match found {
            Ok(handler) => handler,
            Err(unserved) => {
                self.metrics.unserved.inc();
                tracing::warn!("{method} {version} on {} (namespace {namespace:?}) is not served: {unserved:?}", self.name);
                return Err(failures::of_unserved(unserved, &method, &version));
            }
        };
        let labels = Labels { topic: self.name, method: self.declared(&method).unwrap_or_default() };
        let delivery = Delivery::default();
        let cx = context::read(&context).awaited(&delivery);
        let span = tracing::info_span!("rpc", request_id = %cx.request_id);
        let began = Instant::now();
        let args: Args = args;
        let result = handler(&self.engine, &cx, &args).instrument(span.clone()).await;
        rpc::delivered(&self.engine, &delivery).await;
        let _entered = span.enter();
        let took = began.elapsed();
        self.metrics.requests.get_or_create(&labels).inc();
        self.metrics.seconds.get_or_create(&labels).observe(took.as_secs_f64());
        tracing::debug!("{method} on {} took {} ms", self.name, took.as_millis());
        result.map_err(|error| {
            self.metrics.failures.get_or_create(&labels).inc();
            match error.log() {
                Some(log) => tracing::error!("{method} on {} failed: {log}", self.name),
                None => tracing::info!("{method} on {} is refused: {error}", self.name),
            }
            failures::of_error(&error)
        })
    }
}
