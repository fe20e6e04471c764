// SPDX-License-Identifier: Apache-2.0
//! Messages that a broker delivers twice, because a connection broke before an acknowledgement or a confirmation arrived.

use std::collections::{HashSet, VecDeque};

/// How many messages are remembered.
const REMEMBERED: usize = 1024;

/// The ids of the last messages.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    order: VecDeque<String>,
    ids: HashSet<String>,
}

impl Seen {
    /// Remembers the id; false when it is known.
    pub fn is_new(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_are_remembered() {
        let mut seen = Seen::default();
        assert!(seen.is_new("a"));
        assert!(!seen.is_new("a"));
        for id in 0..REMEMBERED {
            assert!(seen.is_new(&id.to_string()));
        }
        assert_eq!((seen.ids.len(), seen.order.len()), (REMEMBERED, REMEMBERED));
        assert!(seen.is_new("a"));
    }
}
