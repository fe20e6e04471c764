// SPDX-License-Identifier: Apache-2.0
//! A resource with all attributes that the loaded extensions gave it, frozen: every attribute has an index.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::{Attribute, Resource};

/// See the module's documentation.
#[derive(Debug)]
pub struct Table {
    pub resource: &'static Resource,
    pub attributes: Vec<Attribute>,
    index: HashMap<&'static str, usize, RandomState>,
}

impl Table {
    /// The resource's own attributes, then each extension's in order; a later one of the same name takes the earlier one's place.
    #[must_use]
    pub fn new(resource: &'static Resource, extensions: &[&'static [Attribute]]) -> Self {
        let mut table = Self { resource, attributes: Vec::new(), index: HashMap::default() };
        for attribute in std::iter::once(&resource.attributes).chain(extensions).copied().flatten() {
            table.add(*attribute);
        }
        // One attribute, two names; whichever a resource declares.
        match (table.index.get("tenant_id").copied(), table.index.get("project_id").copied()) {
            (Some(at), None) => _ = table.index.insert("project_id", at),
            (None, Some(at)) => _ = table.index.insert("tenant_id", at),
            _ => {}
        }
        table
    }

    fn add(&mut self, attribute: Attribute) {
        match self.index.get(attribute.name) {
            Some(&at) => self.attributes[at] = attribute,
            None => {
                self.index.insert(attribute.name, self.attributes.len());
                self.attributes.push(attribute);
            }
        }
    }

    /// The index of an attribute by name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.find(name).map(|at| &self.attributes[at])
    }

    /// The index of the primary key: `id` for nearly all, also where Neutron's table does not say so; else the first attribute.
    #[must_use]
    pub fn primary_key(&self) -> Option<usize> {
        let declared = self.attributes.iter().position(|a| a.primary_key);
        declared.or_else(|| self.find("id")).or(if self.attributes.is_empty() { None } else { Some(0) })
    }

    /// True for the attribute that is `project_id` and `tenant_id`.
    #[must_use]
    pub fn is_project(&self, at: usize) -> bool {
        self.find("project_id") == Some(at)
    }
}
