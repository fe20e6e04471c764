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
    if is_full(&error) {
        let message = "The database has no room for more: nothing was changed. The operator has to make room.";
        return kinds::UNAVAILABLE.error(message).with_log(format!("{what}: {error}"));
    }
    let class = match &error {
        sqlx::Error::Database(db) => {
            if db.is_unique_violation() {
                Class::Duplicate(duplicate_key(db.as_ref()))
            } else if db.is_foreign_key_violation() {
                Class::ForeignKey
            } else {
                match (db.code().as_deref(), mysql_number(db.as_ref())) {
                    (_, Some(1062)) => Class::Duplicate(duplicate_key(db.as_ref())),
                    (_, Some(1451 | 1452)) => Class::ForeignKey,
                    (code, number) if passes(code, number) => Class::Transient,
                    _ => Class::Internal,
                }
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => Class::Transient,
        _ => Class::Internal,
    };
    Error::database(class, format!("{what}: {error}"))
}

fn mysql_number(db: &dyn sqlx::error::DatabaseError) -> Option<u16> {
    db.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number)
}

/// SQLSTATEs of PostgreSQL, or SQLite's codes (in the same place); numbers of MySQL.
fn passes(code: Option<&str>, number: Option<u16>) -> bool {
    match (code, number) {
        // Lock wait timeout, deadlock (also how Galera reports that certification failed); MySQL's group replication says that in its own way.
        (_, Some(1205 | 1213 | 3100 | 3101)) => true,
        // A node that only reads, by an option or for its role; one that Galera keeps from working.
        (_, Some(1290 | 1836 | 1047)) => true,
        // Too many connections of all, of the user; a server that goes down; a statement or connection that was ended from outside, or had nothing
        // to do for too long.
        (_, Some(1040 | 1203 | 1053 | 1317 | 1927 | 4031)) => true,
        (_, Some(_)) => false,
        // Serialization failure, deadlock, lock not available; a standby that only reads; too many connections.
        (Some("40001" | "40P01" | "55P03" | "25006" | "53300"), _) => true,
        // The server goes down, crashed, or is on its way up; the connection is gone.
        (Some("57P01" | "57P02" | "57P03" | "57014" | "08000" | "08003" | "08006"), _) => true,
        // SQLite: BUSY, LOCKED and their extended codes.
        (Some("5" | "6" | "261" | "517" | "262"), _) => true,
        _ => false,
    }
}

/// No room on the disk or in the table space, wherever that is told.
fn is_full(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(db) = error else { return false };
    match (db.code().as_deref(), mysql_number(db.as_ref())) {
        (_, Some(number)) => matches!(number, 1021 | 1114 | 1041),
        (code, None) => matches!(code, Some("53100" | "13")),
    }
}

/// The server takes no writes on this connection, and will not: another connection may lead to one that does.
pub fn is_read_only(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(db) = error else { return false };
    match (db.code().as_deref(), mysql_number(db.as_ref())) {
        (_, Some(number)) => matches!(number, 1290 | 1836),
        (code, None) => code == Some("25006"),
    }
}

/// The connection is gone: whatever was asked on it may be asked on another one, if it can be asked twice.
pub fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(db) => match (db.code().as_deref(), mysql_number(db.as_ref())) {
            // The server goes down; the connection was ended from outside, or for having nothing to do.
            (_, Some(number)) => matches!(number, 1053 | 1927 | 4031),
            (code, None) => code.is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
        },
        _ => false,
    }
}

/// After this failure of a COMMIT the transaction may have taken place.
pub fn leaves_open(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(db) => match (db.code().as_deref(), mysql_number(db.as_ref())) {
            // The server goes down; the connection or statement was ended from outside; an error in the middle of it; Galera lost its group.
            (_, Some(number)) => matches!(number, 1053 | 1317 | 1927 | 1180 | 1047),
            (code, None) => code.is_some_and(|code| code.starts_with("57") || code.starts_with("08") || code == "40003"),
        },
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
        _ => false,
    }
}

/// Values that no column or comparison of the database takes, whatever its rows are: what of it the caller may be told. Characters are NUL on
/// PostgreSQL (also in JSON), and what needs four bytes on a MySQL database of `utf8mb3`.
fn unkept(db: &dyn sqlx::error::DatabaseError) -> Option<&'static str> {
    match (mysql_number(db), db.code().as_deref()) {
        (Some(1267 | 1270 | 1271 | 1366 | 3854 | 3988), _) | (_, Some("22021" | "22P05")) => {
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
