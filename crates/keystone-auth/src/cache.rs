// SPDX-License-Identifier: Apache-2.0
//! Answers of Keystone, for a while.
//!
//! Owns: what is known about tokens, by keyed digest. Invariants: bounded in number and in bytes; no token in memory, and
//! the digests mean nothing outside this process; refusals are kept apart, so that nonsense evicts nothing that is valid.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ring::hmac;
use ring::rand::SystemRandom;

use crate::options::{Limits, OptionError};
use crate::token::TokenInfo;

/// A token's digest under a key that this process alone knows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest([u8; 32]);

/// Makes digests.
pub(crate) struct Digester(hmac::Key);

impl Digester {
    /// # Errors
    /// The system gives no random bytes.
    pub(crate) fn new() -> Result<Self, OptionError> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new());
        key.map(Self).map_err(|_| OptionError::new("token_cache_time", "the system gives no random bytes for the cache's key"))
    }

    pub(crate) fn digest(&self, token: &str) -> Digest {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(hmac::sign(&self.0, token.as_bytes()).as_ref()) {
            *to = *from;
        }
        Digest(bytes)
    }
}

/// What is known about a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Valid(Arc<TokenInfo>),
    Invalid,
}

pub(crate) struct Cache {
    valid: Mutex<Shelf<Digest, Arc<TokenInfo>>>,
    /// With whether expired tokens were asked for: what was refused for being expired may be accepted then.
    invalid: Mutex<Shelf<(Digest, bool), ()>>,
    valid_time: Option<Duration>,
    invalid_time: Duration,
}

impl Cache {
    pub(crate) fn new(valid_time: Option<Duration>, limits: &Limits) -> Self {
        Self {
            valid: Mutex::new(Shelf::new(limits.cached_tokens, limits.cached_bytes)),
            invalid: Mutex::new(Shelf::new(limits.cached_refusals, usize::MAX)),
            valid_time,
            invalid_time: valid_time.unwrap_or_default().min(limits.refusal_time),
        }
    }

    pub(crate) fn get(&self, digest: Digest, allow_expired: bool, now: Duration) -> Option<Known> {
        if let Some(info) = self.valid.lock().unwrap_or_else(PoisonError::into_inner).get(&digest, now) {
            return Some(Known::Valid(info));
        }
        let refused = self.invalid.lock().unwrap_or_else(PoisonError::into_inner).get(&(digest, allow_expired), now);
        refused.map(|()| Known::Invalid)
    }

    pub(crate) fn put(&self, digest: Digest, allow_expired: bool, known: &Known, now: Duration) {
        let Some(valid_time) = self.valid_time else { return };
        match known {
            Known::Valid(info) => {
                let entry = Entry { value: Arc::clone(info), until: now.saturating_add(valid_time), weight: info.weight(), age: 0 };
                self.valid.lock().unwrap_or_else(PoisonError::into_inner).put(digest, entry, now);
            }
            Known::Invalid => {
                let entry = Entry { value: (), until: now.saturating_add(self.invalid_time), weight: 0, age: 0 };
                self.invalid.lock().unwrap_or_else(PoisonError::into_inner).put((digest, allow_expired), entry, now);
            }
        }
    }

    pub(crate) fn len(&self) -> (usize, usize) {
        let valid = self.valid.lock().unwrap_or_else(PoisonError::into_inner).entries.len();
        (valid, self.invalid.lock().unwrap_or_else(PoisonError::into_inner).entries.len())
    }
}

struct Entry<V> {
    value: V,
    until: Duration,
    weight: usize,
    age: u64,
}

/// A bounded map whose oldest entries go first. All entries live equally long, hence the oldest is the first to expire.
struct Shelf<K, V> {
    entries: HashMap<K, Entry<V>>,
    by_age: BTreeMap<u64, K>,
    next_age: u64,
    weight: usize,
    most_entries: usize,
    most_weight: usize,
}

impl<K: Copy + Eq + std::hash::Hash, V: Clone> Shelf<K, V> {
    fn new(most_entries: usize, most_weight: usize) -> Self {
        Self { entries: HashMap::new(), by_age: BTreeMap::new(), next_age: 0, weight: 0, most_entries, most_weight }
    }

    fn get(&self, key: &K, now: Duration) -> Option<V> {
        self.entries.get(key).filter(|entry| now < entry.until).map(|entry| entry.value.clone())
    }

    fn put(&mut self, key: K, entry: Entry<V>, now: Duration) {
        self.remove(&key);
        if entry.weight > self.most_weight || self.most_entries == 0 {
            return;
        }
        while let Some((_, oldest)) = self.by_age.first_key_value() {
            let oldest = *oldest;
            let full = self.entries.len() >= self.most_entries || self.weight.saturating_add(entry.weight) > self.most_weight;
            let over = self.entries.get(&oldest).is_none_or(|entry| entry.until <= now);
            if !full && !over {
                break;
            }
            self.remove(&oldest);
        }
        self.next_age += 1;
        self.weight += entry.weight;
        self.by_age.insert(self.next_age, key);
        self.entries.insert(key, Entry { age: self.next_age, ..entry });
    }

    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.by_age.remove(&entry.age);
            self.weight -= entry.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn entry(value: u32, until: u32, weight: usize) -> Entry<u32> {
        Entry { value, until: SECOND * until, weight, age: 0 }
    }

    #[test]
    fn bounded_in_number_and_weight_oldest_first() {
        let mut shelf: Shelf<u32, u32> = Shelf::new(3, 100);
        for key in 0..10 {
            shelf.put(key, entry(key, 60, 1), SECOND);
            assert!(shelf.entries.len() <= 3 && shelf.by_age.len() == shelf.entries.len());
        }
        assert_eq!((shelf.get(&6, SECOND), shelf.get(&7, SECOND)), (None, Some(7)));
        shelf.put(7, entry(70, 60, 1), SECOND);
        shelf.put(11, entry(11, 60, 1), SECOND);
        assert_eq!((shelf.get(&7, SECOND), shelf.get(&8, SECOND)), (Some(70), None));
        shelf.put(12, entry(12, 60, 99), SECOND);
        assert!(shelf.weight <= 100 && shelf.get(&12, SECOND) == Some(12), "{}", shelf.weight);
        shelf.put(13, entry(13, 60, 101), SECOND);
        assert_eq!(shelf.get(&13, SECOND), None);
        for _ in 0..100 {
            shelf.put(14, entry(14, 60, 50), SECOND);
        }
        assert_eq!((shelf.weight, shelf.by_age.len()), (50, 1));
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let mut shelf: Shelf<u32, u32> = Shelf::new(100, 100);
        for key in 0..50 {
            shelf.put(key, entry(key, 10, 1), SECOND);
        }
        assert_eq!((shelf.get(&1, SECOND * 9), shelf.get(&1, SECOND * 10)), (Some(1), None));
        shelf.put(99, entry(99, 20, 1), SECOND * 10);
        assert_eq!((shelf.entries.len(), shelf.weight), (1, 1));
    }

    #[test]
    fn digests_differ_by_token_and_by_process() {
        let (one, two) = (Digester::new().unwrap(), Digester::new().unwrap());
        assert!(one.digest("a") == one.digest("a") && one.digest("a") != one.digest("b") && one.digest("a") != two.digest("a"));
    }
}
