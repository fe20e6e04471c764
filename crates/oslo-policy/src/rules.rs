// SPDX-License-Identifier: Apache-2.0
//! The rules of a program, compiled: what it registers ([`DefaultRule`]), how it wants them read ([`Options`]), what is in force ([`Rules`]).
//!
//! Invariants of [`Rules`]: every reference is an index of a rule; references form no circle; the bounds of `link` hold.

use std::{collections::HashMap, path::PathBuf};

use crate::{check::Check, creds::Scope, eval::Need, problem::Problem};

/// A rule that a program registers. Made for static tables.
#[derive(Debug, Clone, Copy)]
pub struct DefaultRule<'a> {
    pub name: &'a str,
    pub check: &'a str,
    /// Empty: any.
    pub scope_types: &'a [Scope],
    pub description: &'a str,
    pub operations: &'a [Operation<'a>],
    /// The rule this one replaces.
    pub deprecated: Option<DeprecatedRule<'a>>,
    pub removal: Option<Removal<'a>>,
}

/// An operation of the API that a rule guards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation<'a> {
    pub method: &'a str,
    pub path: &'a str,
}

/// What a rule was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeprecatedRule<'a> {
    pub name: &'a str,
    pub check: &'a str,
    pub reason: &'a str,
    pub since: &'a str,
}

/// A rule that will go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal<'a> {
    pub reason: &'a str,
    pub since: &'a str,
}

impl<'a> Operation<'a> {
    #[must_use]
    pub const fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path }
    }
}

impl<'a> DefaultRule<'a> {
    #[must_use]
    pub const fn new(name: &'a str, check: &'a str) -> Self {
        Self { name, check, scope_types: &[], description: "", operations: &[], deprecated: None, removal: None }
    }

    #[must_use]
    pub const fn scopes(mut self, scope_types: &'a [Scope]) -> Self {
        self.scope_types = scope_types;
        self
    }

    #[must_use]
    pub const fn described(mut self, description: &'a str, operations: &'a [Operation<'a>]) -> Self {
        self.description = description;
        self.operations = operations;
        self
    }

    #[must_use]
    pub const fn replaces(mut self, name: &'a str, check: &'a str, reason: &'a str, since: &'a str) -> Self {
        self.deprecated = Some(DeprecatedRule { name, check, reason, since });
        self
    }

    #[must_use]
    pub const fn goes(mut self, reason: &'a str, since: &'a str) -> Self {
        self.removal = Some(Removal { reason, since });
        self
    }
}

/// `[oslo_policy]`, as far as it concerns decisions.
#[derive(Debug, Clone)]
pub struct Options {
    /// Judges what has no rule of its own.
    pub default_rule: String,
    /// Without it, what a deprecated form of a default allowed stays allowed.
    pub enforce_new_defaults: bool,
    pub enforce_scope: bool,
    /// As oslo.policy: what is not understood fails, a reference to no rule means the default rule; both become warnings. Circles of
    /// references are refused all the same.
    pub lenient: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { default_rule: "default".to_owned(), enforce_new_defaults: true, enforce_scope: true, lenient: false }
    }
}

/// A rule of [`Rules`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub(crate) u32);

impl RuleId {
    pub(crate) fn at(self) -> usize {
        self.0 as usize
    }
}

/// Where the rule in force comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    Default,
    /// The default, or what it was before.
    DefaultOrDeprecated,
    File {
        file: PathBuf,
        line: Option<usize>,
    },
    /// From a file, under the name it had before.
    FileByOldName {
        old: String,
        file: PathBuf,
        line: Option<usize>,
    },
}

/// A rule in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed<'a> {
    pub name: &'a str,
    pub check: &'a str,
    pub scopes: &'a [Scope],
    pub origin: &'a Origin,
}

#[derive(Debug)]
pub(crate) struct Entry {
    pub name: Box<str>,
    pub text: Box<str>,
    pub check: Check<RuleId>,
    pub scopes: Box<[Scope]>,
    pub origin: Origin,
    /// A file says what the program says anyway.
    pub redundant: bool,
    pub reads: Box<[Box<str>]>,
    pub needs: Box<[Need]>,
}

/// In place of an attribute: the whole target.
pub const EVERYTHING: &str = "*";

/// The compiled rules.
#[derive(Debug)]
pub struct Rules {
    pub(crate) entries: Vec<Entry>,
    pub(crate) index: HashMap<Box<str>, RuleId>,
    pub(crate) default: Option<RuleId>,
    pub(crate) enforce_scope: bool,
    pub(crate) warnings: Vec<Problem>,
}

impl Rules {
    #[must_use]
    pub fn find(&self, name: &str) -> Option<RuleId> {
        self.index.get(name).copied()
    }

    /// The rule that judges what has none of its own.
    #[must_use]
    pub fn default_rule(&self) -> Option<RuleId> {
        self.default
    }

    #[must_use]
    pub fn name(&self, id: RuleId) -> &str {
        self.entry(id).map_or("", |e| &e.name)
    }

    /// The attributes of other objects that a decision on this rule may ask for.
    #[must_use]
    pub fn required_targets(&self, id: RuleId) -> &[Need] {
        self.entry(id).map_or(&[], |e| &e.needs)
    }

    /// The attributes of the target that a decision on this rule may look at; of two targets equal in these the decision is the same.
    /// [`EVERYTHING`] among them stands for all.
    #[must_use]
    pub fn reads(&self, id: RuleId) -> &[Box<str>] {
        self.entry(id).map_or(&[], |e| &e.reads)
    }

    /// The scopes a token may have; empty: any.
    #[must_use]
    pub fn scopes(&self, id: RuleId) -> &[Scope] {
        self.entry(id).map_or(&[], |e| &e.scopes)
    }

    /// The rules in force: the program's in its order, then those only files have.
    pub fn list(&self) -> impl Iterator<Item = Listed<'_>> {
        self.entries.iter().map(listed)
    }

    /// The rules of files that say what the program says anyway.
    pub fn redundant(&self) -> impl Iterator<Item = Listed<'_>> {
        self.entries.iter().filter(|e| e.redundant).map(listed)
    }

    /// The rules that ask a remote server, by name, with the URL as it is written.
    #[must_use]
    pub fn remote(&self) -> Vec<(&str, String)> {
        let mut found = Vec::new();
        for entry in &self.entries {
            entry.check.walk(&mut |_| {}, &mut |leaf| {
                if leaf.is_remote() {
                    found.push((&*entry.name, leaf.to_string()));
                }
            });
        }
        found
    }

    /// What an operator should know, though the rules work.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    pub(crate) fn enforces_scope(&self) -> bool {
        self.enforce_scope
    }

    /// An id of other rules, which only a mistake of the program can bring here, never holds.
    pub(crate) fn check(&self, id: RuleId) -> &Check<RuleId> {
        self.entry(id).map_or(&Check::Never, |e| &e.check)
    }

    fn entry(&self, id: RuleId) -> Option<&Entry> {
        self.entries.get(id.at())
    }
}

fn listed(e: &Entry) -> Listed<'_> {
    Listed { name: &e.name, check: &e.text, scopes: &e.scopes, origin: &e.origin }
}
