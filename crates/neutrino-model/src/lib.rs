// SPDX-License-Identifier: Apache-2.0
//! The vocabulary of tables: attributes, resources, extensions, the validators and converters they name, and the two shapes of
//! data that they describe: a [`Body`] (what a request asks for) and a [`Record`] (what is stored).
//!
//! Owns no I/O, no SQL beyond column names, no resource. Tables are `static` data built by `const fn`; a feature declares its own.
//! Invariants: a [`Table`] does not change once built; `tenant_id` and `project_id` are one attribute with two names.

pub mod attribute;
pub mod body;
pub mod convert;
pub mod extension;
pub mod record;
pub mod resource;
pub mod table;
pub mod validate;

pub use attribute::{Attribute, Column, Default, Join, Kind, Place, Source};
pub use body::Body;
pub use convert::Converter;
pub use extension::Extension;
pub use record::{Extent, Page, Record, View};
pub use resource::{Action, Methods, Parent, Resource, Stack, Visibility};
pub use table::Table;
pub use validate::{Choice, Invalid, KeySpec, Limits, Validator};
