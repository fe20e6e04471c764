// SPDX-License-Identifier: Apache-2.0
//! The figures of the database, for Prometheus. Owns their names; the counting is `neutrino-db`'s.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use neutrino_api::metrics::Metrics;
use neutrino_db::{Db, Stats};
use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

/// One counter of the statistics, read when it is asked for.
struct StatsCounter {
    stats: Arc<Stats>,
    read: fn(&Stats) -> u64,
}

impl fmt::Debug for StatsCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StatsCounter")
    }
}

impl EncodeMetric for StatsCounter {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        encoder.encode_counter::<NoLabelSet, _, u64>(&(self.read)(&self.stats), None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Counter
    }
}

/// Adds the counters of a database.
pub fn register_database(metrics: &Metrics, db: &Db) {
    let counter = |read: fn(&Stats) -> u64| StatsCounter { stats: Arc::clone(db.stats()), read };
    metrics.register("db_statements", "Statements sent to the database", counter(|stats| stats.statements.load(Ordering::Relaxed)));
    metrics.register("db_transactions", "Transactions begun", counter(|stats| stats.transactions.load(Ordering::Relaxed)));
    metrics.register("db_retries", "Transactions that were tried again", counter(|stats| stats.retries.load(Ordering::Relaxed)));
}
