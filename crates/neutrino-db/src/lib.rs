// SPDX-License-Identifier: Apache-2.0
//! Connections, transactions, retries and error classes over SQLite, MySQL/MariaDB and PostgreSQL.
//!
//! Owns every use of sqlx in the tree; knows no table of Neutron. SQL is text with `?` placeholders and identifiers in double
//! quotes where they need any (MySQL sessions run with `ANSI_QUOTES`); [`Sql`] builds the dynamic kind.
//! Invariants: a [`Tx`] that is dropped is rolled back; on SQLite there is one writer; effects queued with [`Tx::after_commit`]
//! run in order and only after the commit; a COMMIT whose answer is lost is looked into ([`Witness`]); a retried closure owns its transaction, so inner code cannot start a retry.

mod arg;
mod classify;
mod commit;
mod connect;
mod lease;
mod pack;
mod row;
mod sql;
mod together;
mod transaction;
mod tx;
mod url;

#[cfg(test)]
mod tests;

pub use arg::Arg;
pub use commit::Witness;
pub use connect::{Db, DbOptions, Dialect, Stats};
pub use row::Row;
pub use sql::{Sql, quote};
pub use tx::{Pending, Tx};
