// SPDX-License-Identifier: Apache-2.0
//! Which kinds of check a program understands beyond the language's own.
//!
//! `rule:`, `role:`, `http:`, `https:` and the comparison of a credential belong to the language. A program adds its kinds here, before
//! any rule is read; [`crate::Owner`] and [`crate::Field`] are two it need not write itself.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Debug,
    sync::Arc,
};

use crate::{
    creds::Credentials,
    eval::{Need, Stop},
    target::Target,
};

/// A kind of check that a program adds: reads the text after the colon, once, when the rules are built.
pub trait Kind: Debug + Send + Sync {
    /// # Errors
    /// What is wrong with the text, for the operator who wrote it.
    fn compile(&self, kind: &str, text: &str) -> Result<Arc<dyn Custom>, String>;
}

/// One compiled check of a [`Kind`].
pub trait Custom: Debug + Send + Sync {
    /// # Errors
    /// [`Stop`], when it cannot be decided with what is at hand.
    fn check(&self, target: &dyn Target, creds: &Credentials) -> Result<bool, Stop>;

    /// The attributes of the target it looks at.
    fn reads(&self) -> BTreeSet<Box<str>>;

    /// The attribute of another object it may ask for.
    fn needs(&self) -> Option<Need> {
        None
    }

    /// The result, when no target can change it.
    fn by_credentials(&self, _creds: &Credentials) -> Option<bool> {
        None
    }
}

/// The kinds of check and the credentials that rules may use.
#[derive(Debug, Clone, Default)]
pub struct Language {
    kinds: BTreeMap<Box<str>, Arc<dyn Kind>>,
    credentials: BTreeSet<Box<str>>,
}

/// Kinds that belong to the language: a program cannot give them another meaning.
pub(crate) const OWN_KINDS: [&str; 4] = ["rule", "role", "http", "https"];

impl Language {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind. `rule`, `role`, `http` and `https` stay the language's own whatever is added under their names.
    #[must_use]
    pub fn with(mut self, name: &str, kind: Arc<dyn Kind>) -> Self {
        self.kinds.insert(name.into(), kind);
        self
    }

    /// Names what the program puts into [`Credentials::extra`]. Once one is named, a rule of an operator's file that asks for a credential
    /// that nothing sets gives a warning.
    #[must_use]
    pub fn with_credentials(mut self, names: &[&str]) -> Self {
        self.credentials.extend(names.iter().map(|name| Box::from(*name)));
        self
    }

    pub(crate) fn kind(&self, name: &str) -> Option<&dyn Kind> {
        self.kinds.get(name).map(AsRef::as_ref)
    }

    /// Is it a credential that something sets? Yes, as long as the program has not said what it sets.
    pub(crate) fn knows_credential(&self, name: &str) -> bool {
        self.credentials.is_empty() || self.credentials.contains(name) || Credentials::NAMES.contains(&name)
    }

    /// Every word that may stand before a colon.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        OWN_KINDS
            .into_iter()
            .chain(Credentials::NAMES)
            .chain(self.kinds.keys().map(AsRef::as_ref))
            .chain(self.credentials.iter().map(AsRef::as_ref))
    }
}
