// SPDX-License-Identifier: Apache-2.0
//! The figures of the database, of the token cache, of the message bus and of pushed objects, for Prometheus. Owns their names; the counting
//! is `neutrino-db`'s, `keystone-auth`'s, `neutrino-rpc`'s, `oslo-messaging`'s and `neutrino-ovo`'s.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keystone_auth::Validator;
use neutrino_api::metrics::Metrics;
use neutrino_db::Db;
use neutrino_ovo::Pusher;
use neutrino_rpc::Rpc;
use oslo_messaging::Stats;
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// A figure that is kept elsewhere and read when it is asked for.
struct Figure<F> {
    kind: MetricType,
    read: F,
}

impl<F> fmt::Debug for Figure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Figure")
    }
}

impl<F: Fn() -> u64> EncodeMetric for Figure<F> {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        match self.kind {
            MetricType::Gauge => encoder.encode_gauge(&i64::try_from((self.read)()).unwrap_or(i64::MAX)),
            _ => encoder.encode_counter::<NoLabelSet, _, u64>(&(self.read)(), None),
        }
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}

/// Adds the counters of a database.
pub fn register_database(metrics: &Metrics, db: &Db) {
    let counter = |read: fn(&neutrino_db::Stats) -> u64| {
        let stats = Arc::clone(db.stats());
        Figure { kind: MetricType::Counter, read: move || read(&stats) }
    };
    metrics.register("db_statements", "Statements sent to the database", counter(|stats| stats.statements.load(Ordering::Relaxed)));
    metrics.register("db_transactions", "Transactions begun", counter(|stats| stats.transactions.load(Ordering::Relaxed)));
    metrics.register("db_retries", "Transactions that were tried again", counter(|stats| stats.retries.load(Ordering::Relaxed)));
    metrics.register("db_lost_commits", "Commits whose answer never came", counter(|stats| stats.lost_commits.load(Ordering::Relaxed)));
}

/// Adds the figures of the token cache.
pub fn register_keystone(metrics: &Metrics, validator: &Validator) {
    let figure = |kind: MetricType, read: fn(keystone_auth::Stats) -> u64| {
        let validator = validator.clone();
        Figure { kind, read: move || read(validator.stats()) }
    };
    let counter = |read| figure(MetricType::Counter, read);
    metrics.register("keystone_cache_hits", "Tokens found in the cache", counter(|stats| stats.hits + stats.refusal_hits));
    metrics.register("keystone_shared_cache_hits", "Tokens found in memcached", counter(|stats| stats.shared_hits));
    metrics.register("keystone_cache_misses", "Tokens not found in the cache", counter(|stats| stats.misses));
    metrics.register("keystone_questions", "Questions put to Keystone about a token", counter(|stats| stats.questions));
    metrics.register("keystone_failures", "Questions that Keystone did not answer", counter(|stats| stats.failures));
    metrics.register("keystone_turned_away", "Requests refused because too many waited for Keystone", counter(|stats| stats.turned_away));
    let gauge = figure(MetricType::Gauge, |stats| stats.cached_tokens as u64);
    metrics.register("keystone_cached_tokens", "Tokens in the cache", gauge);
}

/// Adds the figures of what agents are told of objects.
pub fn register_pusher(metrics: &Metrics, pusher: &Pusher) {
    let figure = |kind: MetricType, read: fn(&Pusher) -> u64| {
        let pusher = pusher.clone();
        Figure { kind, read: move || read(&pusher) }
    };
    metrics.register("ovo_waiting", "Changed objects that wait to be pushed to agents", figure(MetricType::Gauge, Pusher::waiting));
    let overflows = figure(MetricType::Counter, Pusher::overflows);
    metrics.register("ovo_overflows", "Changes that did not fit into the queue and were looked up by their time instead", overflows);
    metrics.register(
        "ovo_repeated",
        "Batches of changed objects that could not be pushed at once",
        figure(MetricType::Counter, Pusher::repeated),
    );
}

/// Adds the figures of the message bus.
pub fn register_bus(metrics: &Metrics, rpc: &Rpc) {
    metrics.register("rpc_requests", "Requests of agents, by topic and method", rpc.metrics.requests());
    metrics.register("rpc_failures", "Requests of agents that failed or were refused", rpc.metrics.failures());
    metrics.register("rpc_seconds", "Time that a request of an agent took", rpc.metrics.seconds());
    metrics.register("rpc_unserved", "Requests for methods or versions that are not served", rpc.metrics.unserved());
    let (waiting, coalesced, lost) = (rpc.outbox_figures(), rpc.outbox_figures(), rpc.outbox_figures());
    let gauge = Figure { kind: MetricType::Gauge, read: move || waiting.waiting.load(Ordering::Relaxed) };
    metrics.register("rpc_outbox_waiting", "Messages for agents that wait to be sent", gauge);
    let counter = Figure { kind: MetricType::Counter, read: move || coalesced.coalesced.load(Ordering::Relaxed) };
    metrics.register("rpc_outbox_coalesced", "Messages for agents that were equal to one that waited", counter);
    let counter = Figure { kind: MetricType::Counter, read: move || lost.lost.load(Ordering::Relaxed) };
    metrics.register("rpc_outbox_lost", "Messages for agents that were dropped because too many waited", counter);
    let wire = |kind: MetricType, read: fn(&Stats) -> u64| {
        let stats = rpc.stats();
        Figure { kind, read: move || read(&stats) }
    };
    let gauge = |read| wire(MetricType::Gauge, read);
    let counter = |read| wire(MetricType::Counter, read);
    metrics.register("amqp_outgoing", "Messages that the broker has not confirmed", gauge(|stats| stats.outgoing.load(Ordering::Relaxed)));
    metrics.register("amqp_handling", "Requests that are handled now", gauge(|stats| stats.handling.load(Ordering::Relaxed)));
    metrics.register("amqp_sent", "Messages that the broker confirmed", counter(|stats| stats.sent.load(Ordering::Relaxed)));
    metrics.register("amqp_sent_again", "Messages that were sent again", counter(|stats| stats.sent_again.load(Ordering::Relaxed)));
    metrics.register("amqp_given_up", "Messages that could not be delivered", counter(|stats| stats.given_up.load(Ordering::Relaxed)));
    metrics.register("amqp_received", "Messages that came in", counter(|stats| stats.received.load(Ordering::Relaxed)));
    metrics.register("amqp_duplicates", "Requests that came in twice", counter(|stats| stats.duplicates.load(Ordering::Relaxed)));
    metrics.register(
        "amqp_connections",
        "Connections that were made to brokers",
        counter(|stats| stats.connections.load(Ordering::Relaxed)),
    );
    metrics.register(
        "amqp_queues_lost",
        "Queues that were gone and declared anew",
        counter(|stats| stats.queues_lost.load(Ordering::Relaxed)),
    );
}
