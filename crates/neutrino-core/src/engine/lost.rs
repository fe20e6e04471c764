// SPDX-License-Identifier: Apache-2.0
//! Commits of the engine's whose answer is lost: what tells whether they took place.
//!
//! A create took place if its row is there, a delete if it is gone. An update is looked at from within the next try: when the object is what the
//! last try left, that try took place. An action is known by an object that it made or removed; without one, its caller is told that
//! nobody knows.

use std::sync::{Mutex, PoisonError};

use neutrino_db::{Sql, Witness, quote};
use neutrino_model::Record;
use neutrino_types::{Class, Error, Result};

use super::{Engine, Precondition};
use crate::{Op, op::Side, registry::Entry};

/// The row of an object as a witness of its creation (`present`), or of its deletion.
pub(super) fn row(entry: &Entry, id: Option<&str>, present: bool) -> Witness {
    match (entry.table.resource.table, id) {
        (Some(table), Some(id)) => {
            Witness::Row { sql: Sql::new(format!("SELECT 1 FROM {} WHERE id = ?", quote(table)), vec![id.into()]), present }
        }
        _ => Witness::None,
    }
}

/// A witness among the objects that an operation made or removed beside its own.
pub(super) fn beside(engine: &Engine, side: &Side) -> Witness {
    let made = side.created.first().map(|(collection, id)| (collection, id.as_str(), true));
    let removed = side.deleted.first().map(|(collection, record)| (collection, record.id(), false));
    let Some((collection, id, present)) = made.or(removed) else { return Witness::None };
    engine.entry(collection).map_or(Witness::None, |entry| row(entry, Some(id), present))
}

/// What an update was about to answer: the object before, the object after, and what was done beside.
type Outcome = (Record, Record, Side);

/// The try of an update whose COMMIT got no answer.
#[derive(Default)]
pub(super) struct LastTry(Mutex<Option<Outcome>>);

impl LastTry {
    /// The outcome of a commit, kept for the next try when nobody knows what became of it.
    pub fn keep(&self, committed: Result<()>, outcome: Outcome) -> Result<Outcome> {
        match committed {
            Ok(()) => Ok(outcome),
            Err(error) => {
                if *error.class() == Class::Repeatable {
                    *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
                }
                Err(error)
            }
        }
    }

    /// The outcome of the last try, when the object is as it left it. Otherwise the update is made again, which is right whether it took place
    /// and others changed the object since, or not; but for a precondition, of which nobody can tell then.
    ///
    /// # Errors
    /// The database's; undecided.
    pub async fn took_place(&self, op: &mut Op<'_>, collection: &str, id: &str, precondition: Precondition) -> Result<Option<Outcome>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(outcome) = kept else { return Ok(None) };
        op.hold(id, false).await?;
        let now = op.load(collection, &[id]).await?.pop();
        let same = |now: &Record| (0..now.table().attributes.len()).all(|at| now.at(at) == outcome.1.at(at));
        if now.as_ref().is_some_and(same) {
            return Ok(Some(outcome));
        }
        let before = now.and_then(|now| now.int("revision_number"));
        if precondition.revision.is_some() && precondition.revision != before {
            return Err(Error::undecided(format!(
                "the answer to the COMMIT of an update of {collection} {id} was lost, and it has changed since"
            )));
        }
        Ok(None)
    }
}
