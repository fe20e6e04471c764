// SPDX-License-Identifier: Apache-2.0
//! Neutron's schema: its tables as data, their creation on an empty database, and the judgement of a database that is there.
//!
//! Owns the names, types and keys of every table at Neutron's heads `5c85685d616d` and `c7f8d9e0f1a2`, and our own additive tables
//! (`neutrino_*`, [`own`]). Does not own any query of a feature, and does not run Neutron's historical migrations.
//!
//! Invariants: the tables are those of the contract (a test compares them); a database is either empty, whole and stamped, or
//! refused with a sentence that says what to do: [`upgrade`] cut short at any moment leaves no fourth kind.
//!
//! Where a dialect cannot be as Neutron's migrations leave it on MySQL:
//! - SQLite and PostgreSQL keep words of an enumeration in a `VARCHAR` with a `CHECK`; PostgreSQL's own enumerated types are not made.
//! - SQLite and PostgreSQL name indexes per database, not per table, so the indexes that MySQL makes for foreign keys by itself
//!   are called `ix_<table>_<columns>` there.
//! - SQLite does not enforce the lengths of texts, and compares texts case by case where MySQL's usual collations do not.

pub mod ddl;
mod model;
pub mod own;
mod seed;
mod state;
pub mod tables;
mod upgrade;

pub use model::{Check, Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type};
pub use state::{Result, SchemaError, State, check, current, ensure_current, state};
pub use tables::{HEADS, TABLES};
pub use upgrade::{Upgraded, upgrade};

/// The table of this name: Neutron's or ours.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    let found = TABLES.binary_search_by(|table| table.name.cmp(name)).ok().and_then(|at| TABLES.get(at)).copied();
    found.or_else(|| own::TABLES.iter().copied().find(|table| table.name == name))
}

/// What a mapping names that does not exist: the table, or those of the columns that it lacks, as `table.column`. Empty when all is
/// well. For tests of the crates that write SQL.
#[must_use]
pub fn unknown_names<'a>(name: &str, columns: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    match table(name) {
        None => vec![name.to_owned()],
        Some(table) => columns.into_iter().filter(|c| table.column(c).is_none()).map(|c| format!("{name}.{c}")).collect(),
    }
}
