// SPDX-License-Identifier: Apache-2.0
//! One question at a time: callers that ask the same thing at the same time share one answer.
//!
//! Invariant: a question goes on when the caller that began it goes away; it ends with a value or, if its task died, with
//! none. There are never more than `capacity` questions.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

pub(crate) struct Flights<K, V> {
    running: Mutex<HashMap<K, watch::Receiver<Option<V>>>>,
    capacity: usize,
}

/// Why a caller got no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// There are as many questions as may be.
    Full,
    /// The task that asked came to an end without an answer.
    Died,
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self { running: Mutex::new(HashMap::new()), capacity: capacity.max(1) })
    }

    /// Waits for the answer to `key`; `ask` is called only if nobody else is asking.
    pub(crate) async fn join<F>(self: &Arc<Self>, key: K, ask: impl FnOnce() -> F) -> Result<V, Lost>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut answer = self.board(key, ask)?;
        let value = answer.wait_for(Option::is_some).await.map_err(|_| Lost::Died)?;
        value.clone().ok_or(Lost::Died)
    }

    fn board<F>(self: &Arc<Self>, key: K, ask: impl FnOnce() -> F) -> Result<watch::Receiver<Option<V>>, Lost>
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = running.get(&key) {
            return Ok(answer.clone());
        }
        if running.len() >= self.capacity {
            return Err(Lost::Full);
        }
        let (sender, answer) = watch::channel(None);
        running.insert(key.clone(), answer.clone());
        let landing = Landing { flights: Arc::clone(self), key };
        let question = ask();
        tokio::spawn(async move {
            let landing = landing;
            let value = question.await;
            drop(landing);
            let _ = sender.send(Some(value));
        });
        Ok(answer)
    }
}

/// Takes the question off the list, also when its task panics or is dropped.
struct Landing<K: Eq + Hash, V> {
    flights: Arc<Flights<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Landing<K, V> {
    fn drop(&mut self) {
        self.flights.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_question_outlives_its_first_caller_and_its_own_panic() {
        let flights: Arc<Flights<u8, u8>> = Flights::new(1);
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            7
        };
        let first = tokio::time::timeout(Duration::from_millis(1), flights.join(1, slow)).await;
        assert!(first.is_err());
        assert_eq!(flights.join(2, || async { 0 }).await, Err(Lost::Full));
        assert_eq!(flights.join(1, || async { 0 }).await, Ok(7));
        assert_eq!(flights.join(1, || async { panic!("on purpose") }).await, Err(Lost::Died));
        assert_eq!(flights.join(1, || async { 8 }).await, Ok(8));
    }
}
