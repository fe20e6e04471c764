// SPDX-License-Identifier: Apache-2.0
//! Rules that follow their files.
//!
//! Whoever decides takes [`Live::current`] and keeps it for the whole of one request. [`Live::poll`] is called from time to time; files
//! that cannot be used leave the rules as they were and are reported once.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::{
    files::{Source, Stamp},
    language::Language,
    problem::Problems,
    rules::{DefaultRule, Options, Rules},
};

/// See the module's documentation.
#[derive(Debug)]
pub struct Live {
    defaults: Vec<DefaultRule<'static>>,
    source: Source,
    language: Language,
    options: Options,
    rules: RwLock<Arc<Rules>>,
    stamp: Mutex<Stamp>,
}

impl Live {
    /// Reads and compiles.
    ///
    /// # Errors
    /// As [`Source::read`] and [`Rules::build`].
    pub fn start(defaults: Vec<DefaultRule<'static>>, source: Source, language: Language, options: Options) -> Result<Self, Problems> {
        let stamp = source.stamp();
        let rules = Rules::build(&defaults, &source.read()?, &language, &options)?;
        Ok(Self { defaults, source, language, options, rules: RwLock::new(Arc::new(rules)), stamp: Mutex::new(stamp) })
    }

    /// The rules in force.
    #[must_use]
    pub fn current(&self) -> Arc<Rules> {
        Arc::clone(&self.rules.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files again if they have changed since the last call. Touches the disk: not for the path of a request.
    ///
    /// # Errors
    /// What is wrong with them; the old rules stay.
    pub fn poll(&self) -> Result<bool, Problems> {
        let mut stamp = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.source.stamp();
        if *stamp == now {
            return Ok(false);
        }
        *stamp = now;
        let rules = Rules::build(&self.defaults, &self.source.read()?, &self.language, &self.options)?;
        *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
        Ok(true)
    }
}
