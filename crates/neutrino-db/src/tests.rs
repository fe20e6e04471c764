// SPDX-License-Identifier: Apache-2.0
use std::sync::atomic::Ordering;
use std::sync::{Arc, atomic::AtomicU32};

use neutrino_types::{Class, Error, Result};

use crate::{Db, DbOptions, Sql, args};

async fn open(folder: &tempfile::TempDir) -> Result<Db> {
    let db = Db::connect(&format!("sqlite:///{}/t.sqlite", folder.path().display()), &DbOptions::default()).await?;
    let mut tx = db.begin().await?;
    tx.execute_raw("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, up BOOLEAN)").await?;
    tx.commit().await?;
    Ok(db)
}

fn folder() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|e| Error::internal(e.to_string()))
}

#[tokio::test]
async fn a_dropped_transaction_leaves_nothing_and_runs_no_effect() -> Result<()> {
    let folder = folder()?;
    let db = open(&folder).await?;
    let ran = Arc::new(AtomicU32::new(0));
    {
        let mut tx = db.begin().await?;
        let ran = ran.clone();
        tx.execute("INSERT INTO t (name, up) VALUES (?, ?)", args!["a", true]).await?;
        tx.after_commit(move || _ = ran.fetch_add(1, Ordering::SeqCst));
    }
    assert_eq!(db.reader().await?.count("SELECT count(*) FROM t", args![]).await?, 0);
    let mut tx = db.begin().await?;
    let id = tx.insert_returning_id("INSERT INTO t (name, up) VALUES (?, ?)", args!["b", false]).await?;
    let counter = ran.clone();
    tx.after_commit(move || _ = counter.fetch_add(1, Ordering::SeqCst));
    tx.commit().await?;
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    let row = db.reader().await?.query_one("SELECT name, up, id FROM t WHERE id = ?", args![id]).await?;
    let row = row.ok_or_else(|| Error::internal("no row"))?;
    assert_eq!((row.text(0)?, row.bool(1)?, row.int(2)?), ("b".to_owned(), false, id));
    Ok(())
}

#[tokio::test]
async fn failures_are_classified_and_readers_cannot_write() -> Result<()> {
    let folder = folder()?;
    let db = open(&folder).await?;
    let mut tx = db.begin().await?;
    tx.execute("INSERT INTO t (name) VALUES (?)", args!["a"]).await?;
    let error = tx.execute("INSERT INTO t (name) VALUES (?)", args!["a"]).await.err();
    assert!(error.as_ref().is_some_and(|e| e.is_duplicate("t.name")), "{error:?}");
    tx.commit().await?;
    assert!(db.reader().await?.execute("DELETE FROM t", args![]).await.is_err());
    Ok(())
}

#[tokio::test]
async fn in_list_finds_all_named_rows() -> Result<()> {
    let folder = folder()?;
    let db = open(&folder).await?;
    let mut tx = db.begin().await?;
    for name in ["a", "b", "c"] {
        tx.execute("INSERT INTO t (name) VALUES (?)", args![name]).await?;
    }
    let mut sql = Sql::raw("SELECT name FROM t WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "name", ["a", "c", "x"]));
    assert_eq!(tx.select(sql).await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn retry_stops_after_ten_tries_and_only_for_passing_reasons() -> Result<()> {
    let folder = folder()?;
    let db = open(&folder).await?;
    let tries = AtomicU32::new(0);
    let failed: Result<()> = db
        .retry("test", || async {
            tries.fetch_add(1, Ordering::SeqCst);
            Err(Error::stale("again"))
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(tries.load(Ordering::SeqCst), 10);
    let final_error: Result<()> = db.retry("test", || async { Err(Error::database(Class::ForeignKey, "no")) }).await;
    assert!(final_error.is_err_and(|e| e.is_foreign_key()));
    assert_eq!(db.stats().retries.load(Ordering::Relaxed), 9);
    Ok(())
}

#[tokio::test]
async fn a_packed_result_keeps_order_types_and_null() -> Result<()> {
    let folder = folder()?;
    let db = open(&folder).await?;
    let mut tx = db.begin().await?;
    for n in 0..500_i64 {
        let name = format!("{:03}\"\u{1F600}\n", (n * 7919) % 500);
        tx.execute("INSERT INTO t (id, name, up) VALUES (?, ?, ?)", args![n, name, if n % 3 == 0 { None } else { Some(n % 2 == 0) }])
            .await?;
    }
    tx.commit().await?;
    let mut reader = db.reader().await?;
    let rows = reader.query("SELECT name, id, up FROM t ORDER BY name DESC, id", args![]).await?;
    let names = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let mut sorted = names.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    assert_eq!(names, sorted);
    for row in &rows {
        let id = row.int(1)?;
        assert_eq!(row.opt_bool(2)?, if id % 3 == 0 { None } else { Some(id % 2 == 0) });
    }
    assert_eq!(reader.query("SELECT id FROM t WHERE id < ? ORDER BY id LIMIT 3", args![100_i64]).await?.len(), 3);
    Ok(())
}
