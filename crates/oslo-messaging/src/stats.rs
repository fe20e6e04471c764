// SPDX-License-Identifier: Apache-2.0
//! What a transport counts.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Figures of one transport; they only grow, except those that say otherwise.
        #[derive(Debug, Default)]
        pub struct Stats {
            $($(#[$doc])* pub $name: AtomicU64,)*
        }
    };
}

stats! {
    /// Messages that wait to be sent or confirmed (a level).
    outgoing,
    /// Messages that the broker confirmed.
    sent,
    /// Messages that were sent again, because a connection or channel broke before they were confirmed.
    sent_again,
    /// Messages that were given up: their time was over, the broker refused them, or nobody has the queue of an answer.
    given_up,
    /// Requests and answers that came in.
    received,
    /// Requests that had come in before.
    duplicates,
    /// Messages that could not be read.
    unreadable,
    /// Requests that are handled now (a level).
    handling,
    /// Connections that were made.
    connections,
    /// Queues that were declared anew because they were gone.
    queues_lost,
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

pub(crate) fn subtract(counter: &AtomicU64, count: u64) {
    counter.fetch_sub(count, Ordering::Relaxed);
}
