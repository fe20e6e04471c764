// SPDX-License-Identifier: Apache-2.0
//! What is to be pushed: bounded, each object once, in the order in which they first changed.
//!
//! Invariant: nothing is lost silently. When changes come faster than they are pushed, what does not fit is found again by the time of its
//! change ([`Batch::since`]), and a deletion has more room than anything else.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use indexmap::{IndexMap, map::Entry};
use neutrino_core::delivery::Ticket;

use crate::object::{Data, Object};

/// Objects waiting.
const MOST: usize = 50_000;
/// With deletions.
const MOST_GONE: usize = 500_000;

/// What happened to an object, by the words of the wire.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Created,
    Updated,
    /// With what it was, of kinds that say so.
    Deleted(Data),
}

/// By name of the kind, and id.
pub type Key = (&'static str, String);

/// What is taken out of the queue at once.
#[derive(Debug, Default)]
pub struct Batch {
    pub items: IndexMap<Key, Event>,
    /// Standard attributes whose objects changed.
    pub raised: BTreeSet<i64>,
    /// Objects that changed at this time or later were left out.
    pub since: Option<NaiveDateTime>,
    /// Of requests that wait until what they deleted is told.
    pub tickets: Vec<Ticket>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.raised.is_empty() && self.since.is_none()
    }

    /// Notes an event, together with what is known of the object already.
    pub fn note(&mut self, object: &'static Object, id: &str, event: Event) {
        match self.items.entry((object.name, id.to_owned())) {
            Entry::Occupied(mut known) => {
                let stays = matches!(
                    (known.get(), &event),
                    (Event::Deleted(_), Event::Updated | Event::Created) | (Event::Created, Event::Updated)
                );
                if !stays {
                    known.insert(event);
                }
            }
            Entry::Vacant(place) => {
                place.insert(event);
            }
        }
    }

    /// Takes back what could not be pushed; it came before what is here.
    fn put_before(&mut self, earlier: Self) {
        let later = std::mem::replace(self, earlier);
        for ((name, id), event) in later.items {
            if let Some(object) = crate::kinds::find(name) {
                self.note(object, &id, event);
            }
        }
        self.raised.extend(later.raised);
        self.since = self.since.or(later.since);
        self.tickets.extend(later.tickets);
    }
}

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: Batch,
    /// Changes that did not fit, for the operator.
    pub overflows: u64,
    /// Batches that could not be pushed at once, for the operator.
    pub put_back: u64,
}

impl Queue {
    pub fn note(&mut self, now: NaiveDateTime, object: &'static Object, id: &str, event: Event) {
        let most = if matches!(event, Event::Deleted(_)) { MOST_GONE } else { MOST };
        if self.waiting.items.len() < most {
            self.waiting.note(object, id, event);
        } else {
            self.overflow(now, object.name);
        }
    }

    /// The next batch goes with this ticket, unless it has too many already.
    pub fn hold(&mut self, ticket: Option<Ticket>) {
        self.waiting.tickets.extend(ticket.filter(|_| self.waiting.tickets.len() < MOST));
    }

    pub fn raise(&mut self, now: NaiveDateTime, raised: &[i64]) {
        if self.waiting.raised.len() + raised.len() <= MOST {
            self.waiting.raised.extend(raised);
        } else {
            self.overflow(now, "standard attributes");
        }
    }

    fn overflow(&mut self, now: NaiveDateTime, what: &str) {
        self.overflows += 1;
        if self.waiting.since.is_none() {
            tracing::error!(
                what,
                overflows = self.overflows,
                "objects change faster than agents can be told; what was left out will be looked up by the time of its change"
            );
            // The clock counts whole seconds, and a transaction begins before it is seen.
            self.waiting.since = Some(now - chrono::Duration::seconds(60));
        }
    }

    /// Has all that changed at this time or later looked up.
    pub fn look_up_since(&mut self, since: NaiveDateTime) {
        self.waiting.since = Some(self.waiting.since.map_or(since, |known| known.min(since)));
    }

    pub fn take(&mut self) -> Batch {
        std::mem::take(&mut self.waiting)
    }

    /// What waits: objects, and standard attributes whose objects are not known yet.
    pub fn len(&self) -> u64 {
        (self.waiting.items.len() + self.waiting.raised.len()) as u64
    }

    pub fn put_back(&mut self, batch: Batch) {
        self.put_back += 1;
        self.waiting.put_before(batch);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{PORT, TRUNK};

    fn now() -> NaiveDateTime {
        chrono::DateTime::UNIX_EPOCH.naive_utc()
    }

    #[test]
    fn changes_of_one_object_become_one() {
        let mut queue = Queue::default();
        queue.note(now(), &PORT, "p", Event::Updated);
        queue.note(now(), &TRUNK, "t", Event::Created);
        queue.note(now(), &TRUNK, "t", Event::Updated);
        queue.note(now(), &PORT, "p", Event::Updated);
        let batch = queue.take();
        let items: Vec<_> = batch.items.into_iter().collect();
        assert_eq!(items, [(("Port", "p".to_owned()), Event::Updated), (("Trunk", "t".to_owned()), Event::Created)]);
        queue.note(now(), &TRUNK, "t", Event::Created);
        queue.note(now(), &TRUNK, "t", Event::Deleted(Data::new()));
        queue.note(now(), &TRUNK, "t", Event::Updated);
        assert_eq!(queue.take().items.into_values().collect::<Vec<_>>(), [Event::Deleted(Data::new())]);
        assert!(queue.take().is_empty());
    }

    #[test]
    fn what_comes_back_stands_before_what_came_since() {
        let mut queue = Queue::default();
        queue.note(now(), &PORT, "p", Event::Updated);
        let batch = queue.take();
        queue.note(now(), &PORT, "q", Event::Updated);
        queue.put_back(batch);
        assert_eq!(queue.take().items.into_keys().map(|(_, id)| id).collect::<Vec<_>>(), ["p", "q"]);
    }

    #[test]
    fn what_does_not_fit_is_found_again_by_its_time() {
        let mut queue = Queue::default();
        for n in 0..=MOST {
            queue.note(now(), &PORT, &n.to_string(), Event::Updated);
        }
        queue.note(now(), &TRUNK, "t", Event::Deleted(Data::new()));
        assert_eq!(queue.overflows, 1);
        let batch = queue.take();
        assert_eq!((batch.items.len(), batch.since), (MOST + 1, Some(now() - chrono::Duration::seconds(60))));
    }
}
