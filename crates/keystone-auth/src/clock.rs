// SPDX-License-Identifier: Apache-2.0
//! Time, so that tests can set it.
//!
//! Invariant: ages (cache, pauses) are measured with `elapsed`, which never goes back; only a token's own expiry is
//! compared with the calendar.

use std::fmt;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

/// The two notions of time that checking tokens needs.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The calendar, in UTC.
    fn now(&self) -> DateTime<Utc>;
    /// Time since some fixed moment; it never goes back.
    fn elapsed(&self) -> Duration;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}
