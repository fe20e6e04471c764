// SPDX-License-Identifier: Apache-2.0
//! What a failure of the database means: by its code, never by its prose where a code exists.

use neutrino_types::{Class, Error, error::kinds};

/// SQLSTATEs and vendor codes: SQLite primary/extended result codes, MySQL error numbers, PostgreSQL SQLSTATEs.
pub fn classify(what: &str, error: sqlx::Error) -> Error {
    if let sqlx::Error::Database(db) = &error
        && let Some(message) = unkept(db.as_ref())
    {
        return kinds::BAD_REQUEST.error(message).with_log(format!("{what}: {error}"));
    }
    let class = match &error {
        sqlx::Error::Database(db) => {
            if db.is_unique_violation() {
                Class::Duplicate(duplicate_key(db.as_ref()))
            } else if db.is_foreign_key_violation() {
                Class::ForeignKey
            } else {
                let number = db.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number);
                match (db.code().as_deref(), number) {
                    // MySQL: lock wait timeout, deadlock, Galera certification (reported as deadlock), read-only node, WSREP not ready.
                    (_, Some(1205 | 1213 | 1047 | 1290 | 1836)) => Class::Transient,
                    (_, Some(1062)) => Class::Duplicate(duplicate_key(db.as_ref())),
                    (_, Some(1451 | 1452)) => Class::ForeignKey,
                    // PostgreSQL: serialization failure, deadlock, lock not available, admin shutdown.
                    (Some("40001" | "40P01" | "55P03" | "57P01"), _) => Class::Transient,
                    // SQLite: BUSY, LOCKED and their extended codes.
                    (Some("5" | "6" | "261" | "517" | "262"), _) => Class::Transient,
                    _ => Class::Internal,
                }
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => Class::Transient,
        _ => Class::Internal,
    };
    Error::database(class, format!("{what}: {error}"))
}

/// Values that no column or comparison of the database takes, whatever its rows are: what of it the caller may be told. Characters are NUL on
/// PostgreSQL (also in JSON), and what needs four bytes on a MySQL database of `utf8mb3`.
fn unkept(db: &dyn sqlx::error::DatabaseError) -> Option<&'static str> {
    let number = db.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number);
    match (number, db.code().as_deref()) {
        (Some(1267 | 1270 | 1271 | 1366), _) | (_, Some("22021" | "22P05")) => {
            Some("A text in the request has a character that this database cannot keep.")
        }
        (Some(1406), _) | (_, Some("22001")) => Some("A text in the request is longer than what it is for."),
        (Some(1264), _) | (_, Some("22003")) => Some("A number in the request is larger than what it is for."),
        _ => None,
    }
}

/// The violated key: the constraint where the backend names it, else its message (SQLite: `UNIQUE constraint failed: t.a, t.b`).
fn duplicate_key(db: &dyn sqlx::error::DatabaseError) -> String {
    db.constraint().map_or_else(|| db.message().to_owned(), str::to_owned)
}
