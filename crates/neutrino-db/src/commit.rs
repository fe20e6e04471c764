// SPDX-License-Identifier: Apache-2.0
//! What became of a transaction whose COMMIT got no answer: resolved, not guessed.
//!
//! A connection that breaks after COMMIT was sent leaves open whether the database carried it out. PostgreSQL numbers its transactions and
//! tells what became of each. Elsewhere the transaction names a [`Witness`] beforehand: a row that is there, or gone, if and only if it took
//! place. The witness is read with a lock, so that a COMMIT that the old connection still carries out is waited for.
//! Invariant: an answer of "did not take place" is given only when it cannot take place any more; what cannot be found out is an error that says so.

use std::time::Duration;

use neutrino_types::{Class, Error, Result};
use tokio::time::Instant;

use crate::{Db, Dialect, Pending, Sql, args};

/// How to find out whether a transaction took place.
#[derive(Clone, Debug, Default)]
pub enum Witness {
    /// There is no way: a lost answer is the caller's error, which says so.
    #[default]
    None,
    /// It need not be known: running the transaction again is right in either case, and its owner does.
    Repeatable,
    /// `sql` finds a row if and only if it took place (`present`), or did not (not `present`). One SELECT of rows that this transaction wrote
    /// or deleted, which can be followed by `FOR UPDATE`.
    Row { sql: Sql, present: bool },
}

/// `Ok` when the transaction took place, though its answer was lost.
///
/// # Errors
/// Transient when it did not take place; [`Class::Repeatable`]; [`Error::undecided`] when it cannot be found out in the time that a request has.
#[inline(never)]
pub(crate) fn resolve<'a>(db: &'a Db, witness: &'a Witness, number: Option<i64>, lost: &'a sqlx::Error) -> Pending<'a, ()> {
    Box::pin(async move {
        db.stats().lost_commits.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if matches!(witness, Witness::Repeatable) {
            return Err(Error::database(Class::Repeatable, format!("the answer to COMMIT was lost: {lost}")));
        }
        let (until, mut pause) = (Instant::now() + db.patience(), Duration::from_millis(20));
        loop {
            let failure = match look(db, witness, number).await {
                Ok(Some(true)) => {
                    tracing::warn!("the answer to COMMIT was lost ({lost}); the transaction took place");
                    return Ok(());
                }
                Ok(Some(false)) => return Err(Error::stale(format!("COMMIT did not take place: {lost}"))),
                Ok(None) => {
                    return Err(Error::undecided(format!("the answer to COMMIT was lost, and nothing tells what became of it: {lost}")));
                }
                Err(failure) => failure,
            };
            if Instant::now() >= until {
                let log = failure.log().unwrap_or_else(|| failure.message());
                return Err(Error::undecided(format!(
                    "the answer to COMMIT was lost ({lost}), and the database does not tell what became of it: {log}"
                )));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    })
}

/// Whether the transaction took place; `None` when there is nothing to look at. An error: look again.
async fn look(db: &Db, witness: &Witness, number: Option<i64>) -> Result<Option<bool>> {
    match (db.dialect(), witness) {
        (Dialect::Postgres, _) => {
            // Without a number it wrote nothing.
            let Some(number) = number else { return Ok(Some(true)) };
            let row = db.reader().await?.query_one("SELECT CAST(txid_status(?) AS varchar)", args![number]).await?;
            match row.map(|row| row.opt_text(0)).transpose()?.flatten().as_deref() {
                Some("committed") => Ok(Some(true)),
                Some("aborted") => Ok(Some(false)),
                Some(_) => Err(Error::stale("the transaction is still in progress")),
                None => Ok(None),
            }
        }
        (_, Witness::None | Witness::Repeatable) => Ok(None),
        (Dialect::Sqlite, Witness::Row { sql, present }) => {
            let found = db.reader().await?.query_one(&sql.text, sql.args.clone()).await?.is_some();
            Ok(Some(found == *present))
        }
        (Dialect::MySql, Witness::Row { sql, present }) => {
            if is_there(db, sql).await? == *present {
                return Ok(Some(true));
            }
            // Another node of a cluster may have to hear of it yet.
            if !is_clustered(db).await? {
                return Ok(Some(false));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(Some(is_there(db, sql).await? == *present))
        }
    }
}

/// Is the row there, once everybody who holds it has let go of it?
async fn is_there(db: &Db, sql: &Sql) -> Result<bool> {
    let mut tx = db.begin().await?;
    let found = tx.query_one(&format!("{} FOR UPDATE", sql.text), sql.args.clone()).await?.is_some();
    tx.rollback().await?;
    Ok(found)
}

async fn is_clustered(db: &Db) -> Result<bool> {
    let rows = db.reader().await?.query("SHOW STATUS LIKE 'wsrep_connected'", args![]).await?;
    Ok(rows.first().map(|row| row.text(1)).transpose()?.as_deref() == Some("ON"))
}
