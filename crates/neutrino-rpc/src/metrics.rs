// SPDX-License-Identifier: Apache-2.0
//! Requests of agents, by topic and method. Labels are of methods that are served only, so that no caller can make the figures grow.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
};

/// Upper bounds of the time a request takes, in seconds.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct Labels {
    pub topic: &'static str,
    pub method: &'static str,
}

/// The figures; register each.
#[derive(Clone)]
pub struct RpcMetrics {
    pub(crate) requests: Family<Labels, Counter>,
    pub(crate) failures: Family<Labels, Counter>,
    pub(crate) seconds: Family<Labels, Histogram, fn() -> Histogram>,
    pub(crate) unserved: Counter,
}

impl Default for RpcMetrics {
    fn default() -> Self {
        let seconds = Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        Self { requests: Family::default(), failures: Family::default(), seconds, unserved: Counter::default() }
    }
}

impl RpcMetrics {
    #[must_use]
    pub fn requests(&self) -> impl prometheus_client::registry::Metric + use<> {
        self.requests.clone()
    }

    #[must_use]
    pub fn failures(&self) -> impl prometheus_client::registry::Metric + use<> {
        self.failures.clone()
    }

    #[must_use]
    pub fn seconds(&self) -> impl prometheus_client::registry::Metric + use<> {
        self.seconds.clone()
    }

    #[must_use]
    pub fn unserved(&self) -> impl prometheus_client::registry::Metric + use<> {
        self.unserved.clone()
    }
}
