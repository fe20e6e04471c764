// SPDX-License-Identifier: Apache-2.0
//! Our own tables. They are additive: Neutron never looks at them, and its server runs on a database that has them.
//!
//! Every name starts with `neutrino_`. A change here raises [`VERSION`], which is recorded in `neutrino_schema_version` apart from
//! Neutron's stamp.

use crate::model::{Column, Table, Type};

/// The version of our own tables that this build makes and needs.
pub const VERSION: i64 = 1;

/// One row, written when everything else is in place. On MySQL the table is the first thing made on an empty database, so a
/// creation that was cut short shows.
pub static NEUTRINO_SCHEMA_VERSION: Table = Table {
    name: "neutrino_schema_version",
    columns: &[Column::required("version", Type::Integer)],
    primary_key: &["version"],
    ..Table::NONE
};

/// Every table of ours, in the order in which they can be made.
pub static TABLES: &[&Table] = &[&NEUTRINO_SCHEMA_VERSION];
