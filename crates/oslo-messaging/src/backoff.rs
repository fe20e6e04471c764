// SPDX-License-Identifier: Apache-2.0
//! How long to wait between tries to reach a broker.

use std::time::Duration;

/// Pauses that begin with `rabbit_retry_interval`, grow by `rabbit_retry_backoff` and end at `rabbit_interval_max`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Backoff {
    pub first_s: u64,
    pub step_s: u64,
    pub most_s: u64,
}

impl Backoff {
    /// The pause after this many failures, the first being 0.
    pub fn pause(&self, failures: u64) -> Duration {
        Duration::from_secs(self.first_s.saturating_add(self.step_s.saturating_mul(failures)).min(self.most_s.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let backoff = Backoff { first_s: 1, step_s: 2, most_s: 6 };
        assert_eq!([0, 1, 2, 3, u64::MAX].map(|failures| backoff.pause(failures).as_secs()), [1, 3, 5, 6, 6]);
    }
}
