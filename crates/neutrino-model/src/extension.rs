// SPDX-License-Identifier: Apache-2.0
//! An API extension: what `/v2.0/extensions` says of it, and what it adds to the tables.

use crate::{Attribute, Resource};

/// Static data of one extension. A shim extension, which only announces a behaviour, has neither `extends` nor `resources`.
#[derive(Debug)]
pub struct Extension {
    pub alias: &'static str,
    pub name: &'static str,
    pub description: &'static str,
    /// As Neutron writes it; not always a valid time.
    pub updated: &'static str,
    /// Aliases without which this one cannot be on.
    pub requires: &'static [&'static str],
    /// Attributes added to resources of others, by collection. One of a name that is there already takes its place.
    pub extends: &'static [(&'static str, &'static [Attribute])],
    pub resources: &'static [&'static Resource],
}

impl Extension {
    #[must_use]
    pub const fn new(alias: &'static str, name: &'static str, description: &'static str, updated: &'static str) -> Self {
        Self { alias, name, description, updated, requires: &[], extends: &[], resources: &[] }
    }
    #[must_use]
    pub const fn requires(mut self, aliases: &'static [&'static str]) -> Self {
        self.requires = aliases;
        self
    }
    #[must_use]
    pub const fn extends(mut self, extends: &'static [(&'static str, &'static [Attribute])]) -> Self {
        self.extends = extends;
        self
    }
    #[must_use]
    pub const fn resources(mut self, resources: &'static [&'static Resource]) -> Self {
        self.resources = resources;
        self
    }
}
