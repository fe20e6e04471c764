// SPDX-License-Identifier: Apache-2.0
//! The figures of the database and of the token cache, for Prometheus. Owns their names; the counting is `neutrino-db`'s and
//! `keystone-auth`'s.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keystone_auth::Validator;
use neutrino_api::metrics::Metrics;
use neutrino_db::Db;
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
    metrics.register("keystone_cache_misses", "Tokens not found in the cache", counter(|stats| stats.misses));
    metrics.register("keystone_questions", "Questions put to Keystone about a token", counter(|stats| stats.questions));
    metrics.register("keystone_failures", "Questions that Keystone did not answer", counter(|stats| stats.failures));
    metrics.register("keystone_turned_away", "Requests refused because too many waited for Keystone", counter(|stats| stats.turned_away));
    let gauge = figure(MetricType::Gauge, |stats| stats.cached_tokens as u64);
    metrics.register("keystone_cached_tokens", "Tokens in the cache", gauge);
}
