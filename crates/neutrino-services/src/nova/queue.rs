// SPDX-License-Identifier: Apache-2.0
//! Events that wait to be sent, in order.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::sync::Notify;

/// Events beyond this are dropped: Nova has been away for long.
const MAX_WAITING: usize = 10_000;
/// Events of one request.
const MAX_BATCH: usize = 500;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Mutex<VecDeque<Value>>,
    filled: Notify,
}

impl Queue {
    fn waiting(&self) -> MutexGuard<'_, VecDeque<Value>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts an event at the end; one that does not fit is dropped.
    pub fn push(&self, event: Value) {
        {
            let mut waiting = self.waiting();
            if waiting.len() >= MAX_WAITING {
                tracing::error!("{MAX_WAITING} events wait for Nova already; this one is dropped: {event}");
                return;
            }
            waiting.push_back(event);
        }
        self.filled.notify_one();
    }

    /// Waits until there is an event.
    pub async fn filled(&self) {
        while !self.has_some() {
            self.filled.notified().await;
        }
    }

    pub fn has_some(&self) -> bool {
        !self.waiting().is_empty()
    }

    /// Takes the first events out.
    pub fn take(&self) -> Vec<Value> {
        let mut waiting = self.waiting();
        let count = waiting.len().min(MAX_BATCH);
        waiting.drain(..count).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn order_is_kept_and_the_number_is_bounded() {
        let queue = Queue::default();
        for n in 0..MAX_WAITING + 5 {
            queue.push(n.into());
        }
        queue.filled().await;
        let first = queue.take();
        assert_eq!((first.len(), first[0].clone(), first[MAX_BATCH - 1].clone()), (MAX_BATCH, 0.into(), (MAX_BATCH - 1).into()));
        let mut rest = 0;
        loop {
            let taken = queue.take().len();
            if taken == 0 {
                break;
            }
            rest += taken;
        }
        assert_eq!(rest, MAX_WAITING - MAX_BATCH);
    }
}
