// SPDX-License-Identifier: Apache-2.0
//! Casts to a receiver whose queue is not there: an agent that connects again after its broker was restarted declares its queue a little
//! later than we send.
//!
//! Invariants: what a receiver is to hear leaves in the order of its number; while its queue is not there only the first is tried, every
//! [`PAUSE`]; when that one does not come back, the others follow.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use tokio::time::Instant;

use crate::parcel::Parcel;

/// Pause before a message is tried again whose queue is not there.
pub(super) const PAUSE: Duration = Duration::from_millis(250);
/// Casts that are held, at most.
const MOST: usize = 10_000;

#[derive(Default)]
struct Queue {
    parcels: BTreeMap<u64, Parcel>,
    /// The first was sent again, and did not come back yet.
    trying: bool,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Held {
    queues: HashMap<String, Queue>,
    /// One for each queue, the earliest first.
    timers: VecDeque<(Instant, String)>,
    count: usize,
}

impl Held {
    /// What is sent to this queue now must wait behind others; those that are more than can be held do not.
    pub fn holds(&self, queue: &str) -> bool {
        self.queues.contains_key(queue) && !self.is_full()
    }

    pub fn is_full(&self) -> bool {
        self.count >= MOST
    }

    fn put(&mut self, parcel: Parcel) -> &mut Queue {
        let name = parcel.address.name().to_owned();
        if !self.queues.contains_key(&name) {
            self.timers.push_back((Instant::now() + PAUSE, name.clone()));
        }
        let queue = self.queues.entry(name).or_default();
        // Whoever waits for it is let go, and whoever waits for its room.
        let before = queue.parcels.insert(parcel.number, Parcel { ticket: None, room: None, again: false, ..parcel });
        self.count += usize::from(before.is_none());
        queue
    }

    /// A cast that stands behind others.
    pub fn hold(&mut self, parcel: Parcel) {
        self.put(parcel);
    }

    /// A cast came back.
    pub fn returned(&mut self, parcel: Parcel) {
        self.put(parcel).trying = false;
    }

    /// When there is something to do.
    pub fn wake(&self) -> Option<Instant> {
        self.timers.front().map(|(at, _)| *at)
    }

    /// What is to be sent now, in order, and the queue that is there again.
    pub fn due(&mut self) -> (Vec<Parcel>, Option<String>) {
        let Some((_, name)) = self.timers.pop_front() else { return (Vec::new(), None) };
        if let Some(queue) = self.queues.get_mut(&name).filter(|queue| !queue.trying) {
            let first = queue.parcels.pop_first().map(|(_, first)| Parcel { again: true, ..first });
            queue.trying = true;
            self.count -= usize::from(first.is_some());
            self.timers.push_back((Instant::now() + PAUSE, name));
            return (first.into_iter().collect(), None);
        }
        let parcels: Vec<_> = self.queues.remove(&name).into_iter().flat_map(|queue| queue.parcels.into_values()).collect();
        self.count -= parcels.len();
        (parcels, Some(name))
    }

    /// Nobody will come; how many are dropped.
    pub fn give_up(&mut self, name: &str) -> usize {
        let Some(queue) = self.queues.remove(name) else { return 0 };
        self.timers.retain(|(_, other)| other != name);
        self.count -= queue.parcels.len();
        queue.parcels.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parcel::Address;

    fn cast(number: u64) -> Parcel {
        Parcel { number, ..Parcel::new(Address::Topic("a.host".into()), Vec::new()) }
    }

    fn numbers(due: &(Vec<Parcel>, Option<String>)) -> Vec<u64> {
        due.0.iter().map(|parcel| parcel.number).collect()
    }

    #[test]
    fn the_first_is_tried_and_the_others_follow_it() {
        let mut held = Held::default();
        held.returned(cast(1));
        held.hold(cast(3));
        // It was on its way when the first came back.
        held.returned(cast(2));
        assert!(held.holds("a.host") && !held.holds("a.other"));
        let first = held.due();
        assert_eq!((numbers(&first), first.0[0].again, &first.1), (vec![1], true, &None));
        held.returned(cast(1));
        assert_eq!(numbers(&held.due()), [1]);
        held.hold(cast(4));
        let rest = held.due();
        assert_eq!((numbers(&rest), rest.1.as_deref()), (vec![2, 3, 4], Some("a.host")));
        assert!(rest.0.iter().all(|parcel| !parcel.again));
        assert_eq!((held.count, held.wake(), held.holds("a.host")), (0, None, false));
    }

    #[test]
    fn what_nobody_will_hear_is_dropped() {
        let mut held = Held::default();
        held.returned(cast(1));
        held.hold(cast(2));
        assert_eq!((held.give_up("a.host"), held.give_up("a.host"), held.count, held.wake()), (2, 0, 0, None));
        for number in 0..MOST as u64 {
            held.returned(cast(number));
        }
        assert!(held.is_full() && !held.holds("a.host"));
    }
}
