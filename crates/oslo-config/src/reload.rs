// SPDX-License-Identifier: Apache-2.0
//! Reading the configuration anew while the program runs.
//!
//! Owns: which values may change then. Invariant: only options declared `mutable` change; a fault anywhere
//! leaves everything as it was.

use std::sync::{Arc, PoisonError};

use crate::config::Config;
use crate::error::ConfigErrors;
use crate::load::Table;

/// What a reload found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub group: String,
    pub name: String,
    /// False: the file says something new, but the option cannot change without a restart.
    pub applied: bool,
}

impl Config {
    /// Reads the same sources again and applies the changes of mutable options to this configuration and its
    /// clones.
    ///
    /// # Errors
    /// As [`Config::load`]; nothing is changed then.
    pub fn reload(&self) -> Result<Vec<Change>, ConfigErrors> {
        let inner = &self.inner;
        let mut errors = Vec::new();
        let fresh = Config::build(inner.sources.clone(), inner.declared.clone(), inner.overrides.clone(), &mut errors)
            .ok_or(ConfigErrors(errors))?
            .table();
        let mut table: Table = (*self.table()).clone();
        let mut changes = Vec::new();
        for (key, slot) in fresh.iter() {
            let Some(old) = table.get_mut(key) else { continue };
            if old.value == slot.value {
                continue;
            }
            changes.push(Change { group: key.0.clone(), name: key.1.clone(), applied: slot.opt.mutable });
            if slot.opt.mutable {
                *old = slot.clone();
            }
        }
        *inner.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(table);
        Ok(changes)
    }
}
