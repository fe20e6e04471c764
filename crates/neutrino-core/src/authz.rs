// SPDX-License-Identifier: Apache-2.0
//! The proof that somebody was allowed to do something.
//!
//! Every entry point of the engine takes one. It is made by the policy ([`crate::policy::Judge`]), which the HTTP layer asks once per
//! operation, or by [`Authorized::internal`], which names its reason and can be searched for. The proof of a read carries what the caller may
//! see, and the engine obeys it.

use neutrino_db::Pending;
use neutrino_model::Record;

use crate::{Context, Engine, policy::Reading, registry::Entry};

/// See the module's documentation. Cannot be made outside this crate but by [`Authorized::internal`].
#[derive(Debug)]
pub struct Authorized {
    _action: String,
    reading: Option<Reading>,
}

impl Authorized {
    /// The server's own work, with the reason.
    #[must_use]
    pub fn internal(reason: &'static str) -> Self {
        Self { _action: reason.to_owned(), reading: None }
    }

    pub(crate) fn by_policy(verb: &str, key: &str, reading: Reading) -> Self {
        Self { _action: format!("{verb} {key}"), reading: Some(reading) }
    }

    /// Marks the attributes that the rules look at as wanted.
    pub(crate) fn mark(&self, entry: &Entry, wanted: &mut [bool]) {
        if let Some(reading) = &self.reading {
            reading.mark(entry, wanted);
        }
    }

    /// The rows that the caller may see.
    #[inline(never)]
    pub(crate) fn admit<'a>(&'a self, engine: &'a Engine, cx: &'a Context, rows: Vec<Record>) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            match &self.reading {
                Some(reading) => reading.admit(engine, cx, rows).await,
                None => Ok(rows),
            }
        })
    }

    /// By attribute index: is it left out of the caller's answer? Judged on the first row.
    ///
    /// # Errors
    /// The database's.
    #[inline(never)]
    pub fn hidden<'a>(&'a self, engine: &'a Engine, cx: &'a Context, first: Option<&'a Record>) -> Pending<'a, Vec<bool>> {
        Box::pin(async move {
            match &self.reading {
                Some(reading) => reading.hidden(engine, cx, first).await,
                None => Ok(first.map(|row| vec![false; row.table().attributes.len()]).unwrap_or_default()),
            }
        })
    }
}
