// SPDX-License-Identifier: Apache-2.0
//! Which of the agents that could serve shall serve (`neutron/scheduler`). No I/O.

use std::collections::BTreeMap;

/// How agents are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// Any.
    Chance,
    /// The least busy.
    Weight,
    /// The least busy, spread over availability zones.
    ZoneAwareWeight,
}

/// An agent that could serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub id: String,
    pub host: String,
    pub zone: Option<String>,
    /// What it says of its load, and what it serves.
    pub load: (i64, i64),
}

/// Chooses `count` of the candidates, or all if there are fewer. `hosting`: the zones of agents that serve already.
#[must_use]
pub fn choose(
    driver: Driver,
    mut candidates: Vec<Candidate>,
    hosting: &[Option<String>],
    count: usize,
    mut random: impl FnMut() -> u64,
) -> Vec<Candidate> {
    let count = count.min(candidates.len());
    if driver == Driver::Chance {
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count {
            let most = u64::try_from(candidates.len()).unwrap_or(u64::MAX);
            let at = usize::try_from(random() % most).unwrap_or_default();
            chosen.push(candidates.swap_remove(at));
        }
        return chosen;
    }
    candidates.sort_by(|a, b| (a.load, &a.id).cmp(&(b.load, &b.id)));
    if driver == Driver::Weight {
        candidates.truncate(count);
        return candidates;
    }
    let mut served: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for zone in hosting {
        *served.entry(zone.clone()).or_default() += 1;
    }
    let mut chosen: Vec<Candidate> = Vec::with_capacity(count);
    while chosen.len() < count {
        // The first of the least served zones; within it the least busy, since the candidates are sorted.
        let next = candidates.iter().enumerate().min_by_key(|(at, agent)| (served.get(&agent.zone).copied().unwrap_or_default(), *at));
        let Some(at) = next.map(|(at, _)| at) else { break };
        let agent = candidates.remove(at);
        *served.entry(agent.zone.clone()).or_default() += 1;
        chosen.push(agent);
    }
    chosen
}

/// The lowest free index of a binding, if there is room for one more among `most`; with `forced` there always is.
#[must_use]
pub fn vacant_index(taken: &[i64], most: usize, forced: bool) -> Option<i64> {
    if taken.len() >= most && !forced {
        return None;
    }
    (1..).find(|index| !taken.contains(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(id: &str, zone: &str, load: i64) -> Candidate {
        Candidate { id: id.to_owned(), host: id.to_owned(), zone: Some(zone.to_owned()), load: (load, 0) }
    }

    fn ids(chosen: &[Candidate]) -> Vec<&str> {
        chosen.iter().map(|c| c.id.as_str()).collect()
    }

    #[test]
    fn chance_takes_any_but_none_twice() {
        let all = vec![agent("a", "z", 0), agent("b", "z", 9), agent("c", "z", 0)];
        let mut seed = 7;
        let chosen = choose(Driver::Chance, all.clone(), &[], 9, || {
            seed += 5;
            seed
        });
        let mut names = ids(&chosen);
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(ids(&choose(Driver::Chance, all, &[], 1, || 1)), ["b"]);
    }

    #[test]
    fn the_least_busy_come_first() {
        let all = vec![agent("a", "z", 5), agent("b", "z", 1), agent("c", "z", 3)];
        assert_eq!(ids(&choose(Driver::Weight, all, &[], 2, || 0)), ["b", "c"]);
    }

    #[test]
    fn zones_take_turns() {
        let all = vec![agent("a", "z1", 0), agent("b", "z1", 1), agent("c", "z2", 5), agent("d", "z2", 6)];
        assert_eq!(ids(&choose(Driver::ZoneAwareWeight, all.clone(), &[], 3, || 0)), ["a", "c", "b"]);
        assert_eq!(ids(&choose(Driver::ZoneAwareWeight, all, &[Some("z1".to_owned())], 1, || 0)), ["c"]);
    }

    #[test]
    fn indexes_fill_gaps() {
        assert_eq!(vacant_index(&[], 1, false), Some(1));
        assert_eq!(vacant_index(&[1, 3], 3, false), Some(2));
        assert_eq!(vacant_index(&[3], 1, false), None);
        assert_eq!(vacant_index(&[3], 1, true), Some(1));
        assert_eq!(vacant_index(&[1, 2], 2, true), Some(3));
    }
}
