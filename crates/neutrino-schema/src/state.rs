// SPDX-License-Identifier: Apache-2.0
//! What a database holds, judged by its stamp and its tables, and what an operator has to do about it.

use std::{collections::HashSet, fmt};

use neutrino_db::{Db, Dialect, Tx, args};

use crate::{HEADS, TABLES, own, tables::REVISIONS};

/// A failure to judge or to make a schema. Its text is for the operator, who sees all of it.
#[derive(Debug)]
pub enum SchemaError {
    /// The database is not one that can be worked with; the sentences name what to do.
    Refused(String),
    /// The database did not do what it was asked.
    Database(neutrino_types::Error),
}

pub type Result<T> = std::result::Result<T, SchemaError>;

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) => f.write_str(text),
            Self::Database(error) => write!(f, "The database reported an error: {}", error.log().unwrap_or_else(|| error.message())),
        }
    }
}

impl std::error::Error for SchemaError {}

impl From<neutrino_types::Error> for SchemaError {
    fn from(error: neutrino_types::Error) -> Self {
        Self::Database(error)
    }
}

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// No table of Neutron's or ours.
    Empty,
    /// Stamped with Neutron's heads, and no table is missing. `own` is the version of our tables, `None` when Neutron made it.
    Current { own: Option<i64> },
    /// Tables without a stamp. `ours`: our marker is there, so it was our creation that was cut short, or is still running.
    Unfinished { ours: bool, present: usize },
    /// Stamped with revisions that Neutron passed on the way to its heads.
    Older { revisions: Vec<String> },
    /// Stamped with revisions that Neutron 29.0.0 does not know.
    Unknown { revisions: Vec<String> },
    /// Stamped with the heads, but tables are missing.
    Damaged { missing: Vec<String> },
    /// Our own tables are of a later build.
    NewerOwn { version: i64 },
}

impl State {
    /// Why a server cannot run on it and what to do, or `None` when it can.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        Some(match self {
            Self::Current { .. } => return None,
            Self::Empty => "The database holds no Neutron schema. Create it with: neutron-db-manage upgrade heads".to_owned(),
            Self::Unfinished { ours: true, present } => format!(
                "The creation of the schema was cut short, or is still running elsewhere: {present} of {} tables exist, and the stamp in \
                 alembic_version is missing. No data was stored in it yet. If no other \"neutron-db-manage upgrade\" is running, drop \
                 the database, create it again empty, and run: neutron-db-manage upgrade heads",
                TABLES.len()
            ),
            Self::Unfinished { ours: false, present } => format!(
                "The database holds tables by Neutron's names ({present} of them), but alembic_version does not say at which revision. \
                 A migration of Neutron's was cut short, or the database belongs to something else. Restore it from a backup, or name \
                 an empty database in [database] connection"
            ),
            Self::Older { revisions } => format!(
                "The database is at revision {}, which is older than what this server works with ({}). Stop all Neutron servers, \
                 bring it up with Neutron 29.0.0's own \"neutron-db-manage upgrade heads\", then start again",
                with_releases(revisions),
                HEADS.join(", ")
            ),
            Self::Unknown { revisions } => format!(
                "The database is stamped with revision {}, which Neutron 29.0.0 does not know: a later Neutron made it, or another \
                 service. This server works with {}. Name another database in [database] connection, or restore a backup from \
                 before the upgrade",
                revisions.join(", "),
                HEADS.join(", ")
            ),
            Self::Damaged { missing } => format!(
                "The database is stamped as complete, but lacks {}. It was damaged after it was made: restore it from a backup",
                several(missing)
            ),
            Self::NewerOwn { version } => format!(
                "The database was last upgraded by a later build of this server (its own tables are at version {version}, this build \
                 knows {}). Start that build, or a later one",
                own::VERSION
            ),
        })
    }
}

/// `a (pike), b (2025.1)`.
fn with_releases(revisions: &[String]) -> String {
    let release = |revision: &str| REVISIONS.iter().find(|(known, _)| *known == revision).map_or("unknown", |(_, release)| release);
    revisions.iter().map(|r| format!("{r} ({})", release(r))).collect::<Vec<_>>().join(", ")
}

/// The first few of many names.
fn several(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// Judges a database by its stamp and the names of its tables: three cheap statements.
///
/// # Errors
/// When the database does not answer.
pub async fn state(db: &Db) -> Result<State> {
    state_in(&mut db.reader().await?).await
}

/// The revisions in `alembic_version`, sorted; none on an empty database.
///
/// # Errors
/// When the database does not answer.
pub async fn current(db: &Db) -> Result<Vec<String>> {
    let mut tx = db.reader().await?;
    if table_names(&mut tx).await?.contains("alembic_version") { stamp(&mut tx).await } else { Ok(Vec::new()) }
}

/// Refuses any database that a server cannot run on. For the start of a server: looks at no column.
///
/// # Errors
/// [`SchemaError::Refused`] with what to do.
pub async fn ensure_current(db: &Db) -> Result<()> {
    state(db).await?.refusal().map_or(Ok(()), |text| Err(SchemaError::Refused(text)))
}

/// As [`ensure_current`], and every column of every table must be there.
///
/// # Errors
/// [`SchemaError::Refused`] with what to do.
pub async fn check(db: &Db) -> Result<()> {
    ensure_current(db).await?;
    let present = column_names(&mut db.reader().await?).await?;
    let missing: Vec<String> = TABLES
        .iter()
        .flat_map(|table| table.columns.iter().map(|column| (table.name, column.name)))
        .filter(|(table, column)| !present.contains(&((*table).to_owned(), (*column).to_owned())))
        .map(|(table, column)| format!("{table}.{column}"))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(SchemaError::Refused(State::Damaged { missing }.refusal().unwrap_or_default())) }
}

pub(crate) async fn state_in(tx: &mut Tx) -> Result<State> {
    let present = table_names(tx).await?;
    let is_there = |name: &str| present.contains(name);
    let revisions = if is_there("alembic_version") { stamp(tx).await? } else { Vec::new() };
    let marked = is_there(own::NEUTRINO_SCHEMA_VERSION.name);
    if revisions.is_empty() {
        let present = TABLES.iter().filter(|table| is_there(table.name)).count();
        return Ok(if present == 0 && !marked { State::Empty } else { State::Unfinished { ours: marked, present } });
    }
    if revisions != HEADS {
        let unknown: Vec<String> = revisions.iter().filter(|r| !REVISIONS.iter().any(|(known, _)| known == r)).cloned().collect();
        return Ok(if unknown.is_empty() { State::Older { revisions } } else { State::Unknown { revisions: unknown } });
    }
    let missing: Vec<String> = TABLES.iter().filter(|table| !is_there(table.name)).map(|table| table.name.to_owned()).collect();
    if !missing.is_empty() {
        return Ok(State::Damaged { missing });
    }
    let own = if marked { own_version(tx).await? } else { None };
    Ok(own.filter(|v| *v > own::VERSION).map_or(State::Current { own }, |version| State::NewerOwn { version }))
}

async fn stamp(tx: &mut Tx) -> Result<Vec<String>> {
    let rows = tx.query("SELECT version_num FROM alembic_version ORDER BY version_num", args![]).await?;
    Ok(rows.iter().map(|row| row.text(0)).collect::<neutrino_types::Result<_>>()?)
}

async fn own_version(tx: &mut Tx) -> Result<Option<i64>> {
    let row = tx.query_one("SELECT version FROM neutrino_schema_version ORDER BY version DESC", args![]).await?;
    Ok(row.map(|row| row.int(0)).transpose()?)
}

pub(crate) async fn table_names(tx: &mut Tx) -> Result<HashSet<String>> {
    let text = match tx.dialect() {
        Dialect::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Dialect::MySql => "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
        Dialect::Postgres => "SELECT CAST(table_name AS varchar) FROM information_schema.tables WHERE table_schema = current_schema()",
    };
    let rows = tx.query(text, args![]).await?;
    Ok(rows.iter().map(|row| row.text(0)).collect::<neutrino_types::Result<_>>()?)
}

async fn column_names(tx: &mut Tx) -> Result<HashSet<(String, String)>> {
    let text = match tx.dialect() {
        Dialect::Sqlite => "SELECT m.name, c.name FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'",
        Dialect::MySql => "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()",
        Dialect::Postgres => {
            "SELECT CAST(table_name AS varchar), CAST(column_name AS varchar) FROM information_schema.columns \
             WHERE table_schema = current_schema()"
        }
    };
    let rows = tx.query(text, args![]).await?;
    Ok(rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<neutrino_types::Result<_>>()?)
}
