// SPDX-License-Identifier: Apache-2.0
//! Shows that arrive while others of the same kind are under way share a statement.
//!
//! A show costs the database nearly the same for one object as for ten: what it pays for is the statement over twenty tables. So at most
//! [`AT_ONCE`] statements of one kind (the same collection, attributes and caller) are under way; who comes meanwhile waits until one of them
//! ends and then asks for all that wait, at once. Alone, nobody waits.
//!
//! Invariants: an object is read by a statement that starts after it was asked for, so that everybody sees what was committed before; nobody
//! gets what was read in the sight of another caller; who waits for longer than [`PATIENCE`], or whose leader fails or goes away, asks alone.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use neutrino_model::{Record, Table};
use tokio::sync::oneshot;

use crate::context::Caller;

/// How many statements of one kind are under way before others wait for them.
const AT_ONCE: usize = 2;

/// How many objects one statement asks for.
const MOST: usize = 64;

/// How long one waits for another's statement: longer than it takes unless its connection hangs. Under load, waiting is what helps.
const PATIENCE: Duration = Duration::from_secs(1);

/// What must be the same for two shows to share a statement.
pub(crate) struct Kind {
    pub table: Arc<Table>,
    pub wanted: Vec<bool>,
    pub caller: Arc<Caller>,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.table, &other.table) && self.wanted == other.wanted && same_sight(&self.caller, &other.caller)
    }
}

/// Do both see the same? Tokens and names do not matter.
fn same_sight(a: &Arc<Caller>, b: &Arc<Caller>) -> bool {
    let of = |caller: &Caller| {
        (caller.is_admin, caller.is_service, caller.has_global_access, caller.is_admin_project, caller.can_set_project_id)
    };
    Arc::ptr_eq(a, b)
        || of(a) == of(b)
            && a.project_id == b.project_id
            && a.user_id == b.user_id
            && a.roles == b.roles
            && a.domain_id == b.domain_id
            && a.system_scope == b.system_scope
}

/// Those who ask for one kind of object at this moment.
struct Group {
    kind: Arc<Kind>,
    under_way: usize,
    waiting: Vec<Waiting>,
}

struct Waiting {
    id: String,
    turn: oneshot::Sender<Turn>,
}

/// What becomes of one who waits.
pub(crate) enum Turn {
    /// Ask, for these others, too.
    Lead(Lead),
    /// This was found by another's statement.
    Found(Record),
}

/// All groups of a process.
#[derive(Clone, Default)]
pub(crate) struct Gathering(Arc<Mutex<Vec<Group>>>);

impl Gathering {
    fn groups(&self) -> MutexGuard<'_, Vec<Group>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn it is; `None`: ask alone.
    pub async fn turn(&self, kind: Kind, id: &str) -> Option<Turn> {
        let waits = {
            let mut groups = self.groups();
            match groups.iter_mut().find(|group| *group.kind == kind) {
                Some(group) if group.under_way >= AT_ONCE => {
                    let (turn, waits) = oneshot::channel();
                    group.waiting.push(Waiting { id: id.to_owned(), turn });
                    waits
                }
                Some(group) => {
                    group.under_way += 1;
                    let kind = Arc::clone(&group.kind);
                    return Some(Turn::Lead(Lead { home: self.clone(), kind, others: Vec::new() }));
                }
                None => {
                    let kind = Arc::new(kind);
                    groups.push(Group { kind: Arc::clone(&kind), under_way: 1, waiting: Vec::new() });
                    return Some(Turn::Lead(Lead { home: self.clone(), kind, others: Vec::new() }));
                }
            }
        };
        tokio::time::timeout(PATIENCE, waits).await.ok()?.ok()
    }
}

/// The right to ask, and those to ask for. Dropped, it goes to those who wait by then.
pub(crate) struct Lead {
    home: Gathering,
    kind: Arc<Kind>,
    others: Vec<Waiting>,
}

impl Lead {
    /// The ids to ask for, each once.
    pub fn ids<'a>(&'a self, own: &'a str) -> Vec<&'a str> {
        let mut ids = vec![own];
        ids.extend(self.others.iter().map(|other| other.id.as_str()));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Are there others to ask for?
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// Gives everybody what was found; one's own is returned.
    pub fn share(mut self, own: &str, mut found: Vec<Record>) -> Option<Record> {
        for other in self.others.drain(..) {
            // Whose object is not there asks alone: perhaps the database knows it by what it takes for the same id.
            if let Some(record) = found.iter().find(|record| record.id() == other.id) {
                _ = other.turn.send(Turn::Found(record.clone()));
            }
        }
        let at = found.iter().position(|record| record.id() == own)?;
        Some(found.swap_remove(at))
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // The lock is not held while a turn is given away: if nobody takes it, that is a Lead to be dropped, too.
        let mut next = Vec::new();
        {
            let mut groups = self.home.groups();
            let Some(at) = groups.iter().position(|group| Arc::ptr_eq(&group.kind, &self.kind)) else { return };
            let group = &mut groups[at];
            if group.waiting.is_empty() {
                group.under_way -= 1;
                if group.under_way == 0 {
                    groups.swap_remove(at);
                }
                return;
            }
            let most = group.waiting.len().min(MOST);
            next.extend(group.waiting.drain(..most));
        }
        let first = next.remove(0);
        let lead = Self { home: self.home.clone(), kind: Arc::clone(&self.kind), others: next };
        _ = first.turn.send(Turn::Lead(lead));
    }
}

#[cfg(test)]
mod tests {
    use neutrino_model::Resource;
    use neutrino_types::error::kinds;

    use super::*;

    static THINGS: Resource = Resource::new("things", "thing", "things", "things", kinds::NOT_FOUND, &[]);

    fn kind(table: &Arc<Table>, project: &str) -> Kind {
        let caller = Caller { project_id: Some(project.to_owned()), ..Caller::default() };
        Kind { table: Arc::clone(table), wanted: vec![true], caller: Arc::new(caller) }
    }

    async fn lead(home: &Gathering, kind: Kind) -> Lead {
        match home.turn(kind, "x").await {
            Some(Turn::Lead(lead)) => lead,
            Some(Turn::Found(_)) => panic!("an answer instead of the lead"),
            None => panic!("nobody's turn"),
        }
    }

    #[tokio::test]
    async fn who_comes_while_others_are_under_way_is_asked_for_together() {
        let (home, table) = (Gathering::default(), Arc::new(Table::new(&THINGS, &[])));
        let first = lead(&home, kind(&table, "a")).await;
        let second = lead(&home, kind(&table, "a")).await;
        assert!(!first.has_others() && !second.has_others());
        // Another caller does not wait for them.
        drop(lead(&home, kind(&table, "b")).await);
        let waiting: Vec<_> = ["m", "n", "n"]
            .into_iter()
            .map(|id| {
                let (home, kind) = (home.clone(), kind(&table, "a"));
                tokio::spawn(async move { home.turn(kind, id).await })
            })
            .collect();
        while home.groups()[0].waiting.len() < 3 {
            tokio::task::yield_now().await;
        }
        drop(first);
        let mut turns = Vec::new();
        for waits in waiting {
            turns.push(waits.await.unwrap());
            if let Some(Some(Turn::Lead(lead))) = turns.last() {
                assert_eq!(lead.ids("m"), ["m", "n"]);
                // It goes away without an answer: who waited for it asks alone.
                turns.clear();
            }
        }
        assert!(turns.iter().all(Option::is_none));
        drop(second);
        assert!(home.groups().is_empty());
    }

    #[tokio::test]
    async fn the_lead_passes_over_those_who_no_longer_wait() {
        let (home, table) = (Gathering::default(), Arc::new(Table::new(&THINGS, &[])));
        let leads = [lead(&home, kind(&table, "a")).await, lead(&home, kind(&table, "a")).await];
        assert!(home.turn(kind(&table, "a"), "late").await.is_none());
        assert_eq!(home.groups()[0].waiting.len(), 1);
        drop(leads);
        assert!(home.groups().is_empty());
    }
}
