// SPDX-License-Identifier: Apache-2.0
//! A resource: its names in URLs and bodies, its attributes, its table, who sees its rows, and what may be done with it.

use neutrino_types::Kind;

use crate::Attribute;

/// Which of Neutron's two controllers answers for a resource. They differ in the type of some errors, which clients can see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// networks, subnets, ports, subnetpools: a body that is no JSON is `HTTPBadRequest`.
    Core,
    /// Every other collection: a body that is no JSON is `MalformedRequestBody`.
    Extension,
}

/// Which of the five operations exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods {
    pub list: bool,
    pub show: bool,
    pub create: bool,
    pub update: bool,
    pub delete: bool,
}

impl Methods {
    pub const ALL: Self = Self { list: true, show: true, create: true, update: true, delete: true };
    pub const READ: Self = Self { list: true, show: true, create: false, update: false, delete: false };
    /// All but update.
    pub const IMMUTABLE: Self = Self { list: true, show: true, create: true, update: false, delete: true };
}

/// An operation beside the five: `PUT /subnetpools/{id}/add_prefixes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Action {
    pub name: &'static str,
    /// `PUT`, `GET`, ...
    pub method: &'static str,
    /// On one object (`/collection/{id}/name`) or on the collection (`/collection/name`).
    pub member: bool,
}

/// The object that a child resource belongs to: `/ports/{port_id}/bindings`. A child is always loaded by (parent, child).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The collection of the parent as registered: `ports`.
    pub collection: &'static str,
    /// The attribute of the child that names the parent: `port_id`.
    pub attribute: &'static str,
}

/// Which rows a caller without admin rights sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// All of them.
    Everyone,
    /// None: the policy alone admits.
    Admin,
    /// Those of the caller's project (`t.project_id`).
    Owner,
    /// An SQL condition over the main table `t`; `:project` stands for the caller's project. Write sharing as `EXISTS`, never as a join.
    Sql(&'static str),
}

/// See the module's documentation.
#[derive(Debug)]
pub struct Resource {
    /// The key of a list body: `security_groups`.
    pub collection: &'static str,
    /// The key of a single body: `security_group`.
    pub member: &'static str,
    /// The URL after `/v2.0/`: `security-groups`, `qos/policies`; for a child what follows the parent's id.
    pub path: &'static str,
    pub parent: Option<Parent>,
    pub attributes: &'static [Attribute],
    /// The main table; `None`: the feature makes the rows itself ([`Resource::virtual_rows`]).
    pub table: Option<&'static str>,
    /// `standardattributes.resource_type`, where the resource has standard attributes.
    pub standard: Option<&'static str>,
    pub not_found: Kind,
    pub stack: Stack,
    pub methods: Methods,
    /// Is a list body accepted at create?
    pub bulk: bool,
    pub actions: &'static [Action],
    pub visibility: Visibility,
    /// Is what a converter refuses always `HTTPBadRequest`? So for the few collections that Neutron's second controller converts.
    pub plain_refusals: bool,
    /// Are filters obeyed that no attribute declares? The names of attributes filter, other names are passed over.
    pub any_filter: bool,
    /// Is `fields` a word to the feature, whose answers are always whole?
    pub whole_answers: bool,
    /// `standardattributes.revision_number` of a new object, as Neutron's creation flow leaves it.
    pub first_revision: i64,
}

impl Resource {
    /// A resource kept in `table`, with all five operations and bulk create.
    #[must_use]
    pub const fn new(
        collection: &'static str,
        member: &'static str,
        path: &'static str,
        table: &'static str,
        not_found: Kind,
        attributes: &'static [Attribute],
    ) -> Self {
        Self {
            collection,
            member,
            path,
            parent: None,
            attributes,
            table: Some(table),
            standard: None,
            not_found,
            stack: Stack::Extension,
            methods: Methods::ALL,
            bulk: true,
            actions: &[],
            visibility: Visibility::Owner,
            first_revision: 0,
            plain_refusals: false,
            any_filter: false,
            whole_answers: false,
        }
    }
    #[must_use]
    pub const fn core(mut self) -> Self {
        self.stack = Stack::Core;
        self
    }
    #[must_use]
    pub const fn standard(mut self, resource_type: &'static str) -> Self {
        self.standard = Some(resource_type);
        self
    }
    #[must_use]
    pub const fn methods(mut self, methods: Methods) -> Self {
        self.methods = methods;
        self
    }
    #[must_use]
    pub const fn no_bulk(mut self) -> Self {
        self.bulk = false;
        self
    }
    #[must_use]
    pub const fn actions(mut self, actions: &'static [Action]) -> Self {
        self.actions = actions;
        self
    }
    #[must_use]
    pub const fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }
    #[must_use]
    pub const fn child_of(mut self, collection: &'static str, attribute: &'static str) -> Self {
        self.parent = Some(Parent { collection, attribute });
        self
    }
    #[must_use]
    pub const fn first_revision(mut self, revision: i64) -> Self {
        self.first_revision = revision;
        self
    }
    #[must_use]
    pub const fn plain_refusals(mut self) -> Self {
        self.plain_refusals = true;
        self
    }
    #[must_use]
    pub const fn any_filter(mut self) -> Self {
        self.any_filter = true;
        self
    }
    #[must_use]
    pub const fn whole_answers(mut self) -> Self {
        self.whole_answers = true;
        self
    }
    /// Not kept in a table of its own: the feature's `rows` makes the records.
    #[must_use]
    pub const fn virtual_rows(mut self) -> Self {
        self.table = None;
        self
    }
}

/// SQL that says whether the caller's project, or every project, was given an action on the object by a row of this RBAC table.
#[macro_export]
macro_rules! rbac_exists {
    ($table:literal, $action:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM ",
            $table,
            " r WHERE r.object_id = t.id AND r.action = '",
            $action,
            "' AND r.target_project IN ('*', :project))"
        )
    };
}

/// SQL for [`Visibility::Sql`]: the caller's project owns the object or it is shared with it.
#[macro_export]
macro_rules! owned_or_shared {
    ($table:literal) => {
        concat!("t.project_id = :project OR ", $crate::rbac_exists!($table, "access_as_shared"))
    };
}
