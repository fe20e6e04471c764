// SPDX-License-Identifier: Apache-2.0
//! Making the schema on an empty database, and adding our own tables to one that Neutron made.
//!
//! Invariant: the stamp in `alembic_version` is written last, in the transaction that also writes the seed rows. On SQLite and
//! PostgreSQL that transaction holds the tables too. MySQL commits after each CREATE TABLE, so there our marker table comes first:
//! marker without stamp is a creation that was cut short, and is refused from then on.

use neutrino_db::{Db, Dialect, Tx, args};

use crate::{
    HEADS, ddl, own, seed,
    state::{Result, SchemaError, State, state_in, table_names},
};

/// PostgreSQL's advisory lock that two creations at once would both take: "neutrino" in ASCII.
const POSTGRES_LOCK: i64 = 0x6e65_7574_7269_6e6f;

/// What [`upgrade`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgraded {
    /// The database was empty: everything was made.
    Created,
    /// Neutron made the database, or an earlier build did: our own tables were added.
    OwnTablesAdded,
    /// There was nothing to do.
    AlreadyCurrent,
}

/// Brings a database to Neutron's heads and our own version. Can be run again at any time.
///
/// # Errors
/// [`SchemaError::Refused`] for a database that is neither empty nor at the heads, with what to do; nothing was changed then.
pub async fn upgrade(db: &Db) -> Result<Upgraded> {
    let mut tx = db.begin().await?;
    if tx.dialect() == Dialect::Postgres {
        tx.query("SELECT pg_advisory_xact_lock(?)", args![POSTGRES_LOCK]).await?;
    }
    let found = state_in(&mut tx).await?;
    match found {
        State::Current { own: Some(own::VERSION) } => Ok(Upgraded::AlreadyCurrent),
        State::Current { .. } => {
            add_own_tables(tx, db).await?;
            Ok(Upgraded::OwnTablesAdded)
        }
        State::Empty => {
            create(tx, db).await?;
            Ok(Upgraded::Created)
        }
        other => Err(SchemaError::Refused(other.refusal().unwrap_or_default())),
    }
}

async fn create(mut tx: Tx, db: &Db) -> Result<()> {
    let dialect = tx.dialect();
    // The marker first: see the module's invariant. On MySQL its creation also decides between two upgrades at once.
    for (number, statement) in own::TABLES.iter().flat_map(|table| ddl::create(table, dialect)).enumerate() {
        if let Err(error) = tx.execute_raw(&statement).await {
            let refusal = if number == 0 && dialect == Dialect::MySql { state_in(&mut tx).await?.refusal() } else { None };
            return Err(refusal.map_or(SchemaError::Database(error), SchemaError::Refused));
        }
    }
    for statement in ddl::in_creation_order().into_iter().flat_map(|table| ddl::create(table, dialect)) {
        tx.execute_raw(&statement).await?;
    }
    let mut tx = data_transaction(tx, db).await?;
    seed::insert(&mut tx).await?;
    record_own_version(&mut tx).await?;
    for head in HEADS {
        tx.execute("INSERT INTO alembic_version (version_num) VALUES (?)", args![*head]).await?;
    }
    Ok(tx.commit().await?)
}

async fn add_own_tables(mut tx: Tx, db: &Db) -> Result<()> {
    let dialect = tx.dialect();
    // On MySQL an earlier try may have made some of them.
    let present = table_names(&mut tx).await?;
    let absent = own::TABLES.iter().filter(|table| !present.contains(table.name));
    for statement in absent.flat_map(|table| ddl::create(table, dialect)) {
        tx.execute_raw(&statement).await?;
    }
    let mut tx = data_transaction(tx, db).await?;
    record_own_version(&mut tx).await?;
    Ok(tx.commit().await?)
}

/// The transaction for the rows: the same one, or on MySQL, where the last CREATE TABLE ended it, a new one.
async fn data_transaction(tx: Tx, db: &Db) -> Result<Tx> {
    if tx.dialect() == Dialect::MySql {
        tx.commit().await?;
        return Ok(db.begin().await?);
    }
    Ok(tx)
}

async fn record_own_version(tx: &mut Tx) -> Result<()> {
    tx.execute("DELETE FROM neutrino_schema_version", args![]).await?;
    tx.execute("INSERT INTO neutrino_schema_version (version) VALUES (?)", args![own::VERSION]).await?;
    Ok(())
}
