// SPDX-License-Identifier: Apache-2.0
//! A transaction, or a plain connection for reading.

use std::{
    future::{self, Future},
    pin::Pin,
};

use futures::TryStreamExt as _;

use neutrino_types::{Error, Result};
use sqlx::{AssertSqlSafe, Executor as _, MySql, Postgres, Sqlite, query::Query};

use crate::{
    Arg, Db, Dialect, Row, Sql, Witness, classify,
    classify::classify,
    commit,
    lease::Lease,
    pack,
    transaction::{Beginning, Transaction},
};

pub(crate) enum Conn {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    SqliteRead(Lease<Sqlite>),
    MySql(Transaction<MySql>),
    MySqlRead(Lease<MySql>),
    Postgres(Transaction<Postgres>),
    PostgresRead(Lease<Postgres>),
}

impl Conn {
    /// Is it for reading outside a transaction, on a connection that may be exchanged for another?
    fn reads_on_any(&self) -> bool {
        matches!(self, Self::MySqlRead(_) | Self::PostgresRead(_))
    }

    /// Is the next statement the first word of a transaction, on a connection that may be lost by now? To be asked before each statement.
    fn takes_the_risk(&mut self) -> bool {
        match self {
            Self::MySql(transaction) => transaction.takes_the_risk(),
            Self::Postgres(transaction) => transaction.takes_the_risk(),
            Self::Sqlite(_) | Self::SqliteRead(_) | Self::MySqlRead(_) | Self::PostgresRead(_) => false,
        }
    }

    /// Runs a statement that writes: the number of rows it touched, and what it says of keys that the database made. `keyed`: it inserts one row
    /// into a table whose key `id` the database makes.
    async fn write(&mut self, text: &str, args: Vec<Arg>, keyed: bool) -> std::result::Result<(u64, Option<i64>), sqlx::Error> {
        match self {
            Self::Sqlite(c) => sqlite(text, args).execute(&mut **c).await.map(|d| (d.rows_affected(), Some(d.last_insert_rowid()))),
            Self::SqliteRead(c) => sqlite(text, args).execute(&mut **c).await.map(|d| (d.rows_affected(), None)),
            Self::MySql(c) => {
                let done = mysql(text, args).execute(&mut **c).await;
                done.map(|d| (d.rows_affected(), i64::try_from(d.last_insert_id()).ok()))
            }
            Self::MySqlRead(c) => mysql(text, args).execute(&mut **c).await.map(|d| (d.rows_affected(), None)),
            Self::Postgres(c) if keyed => {
                let row = postgres(&format!("{text} RETURNING id"), args).fetch_one(&mut **c).await;
                row.map(|row| (1, Row::Postgres(row).int(0).ok()))
            }
            Self::Postgres(c) => postgres(text, args).execute(&mut **c).await.map(|d| (d.rows_affected(), None)),
            Self::PostgresRead(c) => postgres(text, args).execute(&mut **c).await.map(|d| (d.rows_affected(), None)),
        }
    }

    /// Hands over the rows of a SELECT as they come, so that they are worked on while the database goes on.
    async fn fetch(
        &mut self,
        text: &str,
        args: Vec<Arg>,
        take: &mut (dyn FnMut(Row) -> Taken + Send),
    ) -> std::result::Result<(), sqlx::Error> {
        self.went_well(false);
        let done = match self {
            Self::Sqlite(c) => sqlite(text, args).fetch(&mut **c).try_for_each(|row| take(Row::Sqlite(row))).await,
            Self::SqliteRead(c) => sqlite(text, args).fetch(&mut **c).try_for_each(|row| take(Row::Sqlite(row))).await,
            Self::MySql(c) => mysql(text, args).fetch(&mut **c).try_for_each(|row| take(Row::MySql(row))).await,
            Self::MySqlRead(c) => mysql(text, args).fetch(&mut **c).try_for_each(|row| take(Row::MySql(row))).await,
            Self::Postgres(c) => postgres(text, args).fetch(&mut **c).try_for_each(|row| take(Row::Postgres(row))).await,
            Self::PostgresRead(c) => postgres(text, args).fetch(&mut **c).try_for_each(|row| take(Row::Postgres(row))).await,
        };
        self.went_well(done.is_ok());
        done
    }

    fn went_well(&mut self, well: bool) {
        match self {
            Self::SqliteRead(c) => c.went_well(well),
            Self::MySqlRead(c) => c.went_well(well),
            Self::PostgresRead(c) => c.went_well(well),
            Self::Sqlite(_) | Self::MySql(_) | Self::Postgres(_) => {}
        }
    }
}

/// What follows a row of a result: nothing, at once.
type Taken = future::Ready<std::result::Result<(), sqlx::Error>>;

/// What is under way in the database. On the heap, so that the code of the drivers is not part of everything that waits for them.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

type Effect = Box<dyn FnOnce() + Send>;

/// A transaction: dropped without [`Tx::commit`] it is rolled back. Also what [`crate::Db::reader`] gives, then without a transaction.
pub struct Tx {
    conn: Conn,
    effects: Vec<Effect>,
    db: Db,
    witness: Witness,
}

macro_rules! bind {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                Arg::Null => query.bind(None::<String>),
                Arg::Bool(v) => query.bind(v),
                Arg::Int(v) => query.bind(v),
                Arg::Float(v) => query.bind(v),
                Arg::Text(v) => query.bind(v),
                Arg::Time(v) => query.bind(v),
            };
        }
        query
    }};
}

fn sqlite(text: &str, args: Vec<Arg>) -> Query<'static, Sqlite, sqlx::sqlite::SqliteArguments> {
    bind!(sqlx::query(AssertSqlSafe(text.to_owned())), args)
}
fn mysql(text: &str, args: Vec<Arg>) -> Query<'static, MySql, sqlx::mysql::MySqlArguments> {
    bind!(sqlx::query(AssertSqlSafe(text.to_owned())), args)
}
fn postgres(text: &str, args: Vec<Arg>) -> Query<'static, Postgres, sqlx::postgres::PgArguments> {
    let text = number_placeholders(text, &args);
    bind!(sqlx::query(AssertSqlSafe(text)), args.into_iter().filter(|arg| *arg != Arg::Null))
}

impl Tx {
    pub(crate) fn new(conn: Conn, db: Db) -> Self {
        Self { conn, effects: Vec::new(), db, witness: Witness::None }
    }

    /// Says how to find out whether this transaction took place, for when the answer to its COMMIT is lost. The last one that is named counts.
    pub fn witness(&mut self, witness: Witness) {
        self.witness = witness;
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.conn {
            Conn::Sqlite(_) | Conn::SqliteRead(_) => Dialect::Sqlite,
            Conn::MySql(_) | Conn::MySqlRead(_) => Dialect::MySql,
            Conn::Postgres(_) | Conn::PostgresRead(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement; the number of rows it touched.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn execute<'a>(&'a mut self, text: &'a str, args: Vec<Arg>) -> Pending<'a, u64> {
        Box::pin(async move { self.write(text, args, false).await.map(|(count, _)| count) })
    }

    /// [`Conn::write`], on another connection if it is the first word of a transaction and this one is lost.
    async fn write(&mut self, text: &str, args: Vec<Arg>, keyed: bool) -> Result<(u64, Option<i64>)> {
        self.db.stats().note(text, &args);
        // What is no SELECT may leave something behind on a connection for reading.
        self.conn.went_well(false);
        let again = self.conn.takes_the_risk().then(|| args.clone());
        let done = match (self.conn.write(text, args, keyed).await, again) {
            (Err(error), Some(args)) if classify::is_lost(&error) => {
                self.conn = self.db.beginning(Beginning::Said).await?;
                self.conn.write(text, args, keyed).await
            }
            (done, _) => done,
        };
        match done {
            Ok(done) => Ok(done),
            Err(error) => Err(self.failed(text, error).await),
        }
    }

    /// The failure of a statement, by class; a connection that takes no writes is left.
    async fn failed(&mut self, text: &str, error: sqlx::Error) -> Error {
        if classify::is_read_only(&error) {
            self.leave().await;
        }
        classify(text, error)
    }

    /// Has the server end this connection, so that the pool makes another one in its place: behind an address that moves from server to server
    /// the next may lead to one that takes writes.
    async fn leave(&mut self) {
        // The server answers with the end of the connection, which is an error of its own.
        let _ = match self.dialect() {
            Dialect::Sqlite => Ok(()),
            Dialect::MySql => self.execute_raw("KILL CONNECTION_ID()").await,
            Dialect::Postgres => self.execute_raw("SELECT pg_terminate_backend(pg_backend_pid())").await,
        };
    }

    /// Runs a statement without preparing it: for DDL and PRAGMA. Several statements separated by `;` are allowed.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn execute_raw<'a>(&'a mut self, text: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            self.db.stats().note(text, &[]);
            self.conn.went_well(false);
            // What it leaves behind is not known, so it is not run again.
            self.conn.takes_the_risk();
            let sql = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
            let done = match &mut self.conn {
                Conn::Sqlite(c) => c.execute(sql).await.map(drop),
                Conn::SqliteRead(c) => c.execute(sql).await.map(drop),
                Conn::MySql(c) => c.execute(sql).await.map(drop),
                Conn::MySqlRead(c) => c.execute(sql).await.map(drop),
                Conn::Postgres(c) => c.execute(sql).await.map(drop),
                Conn::PostgresRead(c) => c.execute(sql).await.map(drop),
            };
            done.map_err(|e| classify(text, e))
        })
    }

    /// Inserts one row into a table whose key `id` the database makes; returns that key.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn insert_returning_id<'a>(&'a mut self, text: &'a str, args: Vec<Arg>) -> Pending<'a, i64> {
        Box::pin(async move {
            let (_, id) = self.write(text, args, true).await?;
            id.ok_or_else(|| Error::internal(format!("no key came back from: {text}")))
        })
    }

    /// Inserts rows into a table whose key `id` the database makes; returns those keys, in the order of the rows. One statement where the database
    /// tells the keys of many, else one for each row. `head`: `INSERT INTO ... VALUES`; all rows have the same columns.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn insert_all_returning_ids<'a>(&'a mut self, head: &'a str, rows: Vec<Vec<Arg>>) -> Pending<'a, Vec<i64>> {
        Box::pin(async move {
            let Some(first) = rows.first() else { return Ok(Vec::new()) };
            let marks = format!("({})", vec!["?"; first.len()].join(", "));
            if rows.len() == 1 || !self.db.returns_keys() {
                let text = format!("{head} {marks}");
                let mut ids = Vec::with_capacity(rows.len());
                for row in rows {
                    ids.push(self.insert_returning_id(&text, row).await?);
                }
                return Ok(ids);
            }
            let text = format!("{head} {} RETURNING id", vec![marks.as_str(); rows.len()].join(", "));
            let mut ids = self.read_as_it_is(&text, rows.into_iter().flatten().collect(), &|row| row.int(0)).await?;
            // Keys are given out in the order of the rows; in which order they come back is not said.
            ids.sort_unstable();
            Ok(ids)
        })
    }

    /// All rows of a SELECT.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn query<'a>(&'a mut self, text: &'a str, args: Vec<Arg>) -> Pending<'a, Vec<Row>> {
        Box::pin(self.read(text, args, Ok))
    }

    /// What is made of each row of a SELECT, while the database goes on with the next.
    ///
    /// # Errors
    /// The database's, by class; that of a row.
    async fn read<T: Send>(&mut self, text: &str, args: Vec<Arg>, make: impl Fn(Row) -> Result<T> + Send + Sync) -> Result<Vec<T>> {
        if self.dialect() == Dialect::Sqlite
            && let Some(packed) = pack::packed(text)
        {
            let rows = self.read_as_it_is(&packed, args, &Ok).await?;
            let row = rows.first().ok_or_else(|| Error::internal("a packed result has no row"))?;
            return pack::unpack(row.str(0)?)?.into_iter().map(|row| make(Row::Packed(row))).collect();
        }
        self.read_as_it_is(text, args, &make).await
    }

    /// [`Tx::read`] without packing.
    pub(crate) async fn read_as_it_is<T: Send>(
        &mut self,
        text: &str,
        mut args: Vec<Arg>,
        make: &(dyn Fn(Row) -> Result<T> + Send + Sync),
    ) -> Result<Vec<T>> {
        self.db.stats().note(text, &args);
        let reads = self.conn.reads_on_any();
        let again = (reads || self.conn.takes_the_risk()).then(|| args.clone());
        // All that are open may have gone at the same time.
        let mut left = if reads { self.db.open_connections() } else { 1 };
        loop {
            let mut made = Made::default();
            match (self.conn.fetch(text, args, &mut |row| made.push(|| make(row))).await, &again) {
                (Ok(()), _) => return made.all(),
                // The connection went while nobody used it, or just now: a SELECT outside a transaction, or as its first word, is as good on another one.
                (Err(error), Some(again)) if left > 0 && classify::is_lost(&error) => {
                    left -= 1;
                    args = again.clone();
                    self.conn = if reads { self.db.reading().await? } else { self.db.beginning(Beginning::Said).await? };
                }
                (Err(error), _) => return Err(self.failed(text, error).await),
            }
        }
    }

    /// The first row of a SELECT, if any.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn query_one<'a>(&'a mut self, text: &'a str, args: Vec<Arg>) -> Pending<'a, Option<Row>> {
        Box::pin(async move { Ok(self.query(text, args).await?.into_iter().next()) })
    }

    /// [`Tx::query`] of a built statement.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn select(&mut self, sql: Sql) -> Pending<'_, Vec<Row>> {
        Box::pin(async move { self.query(&sql.text, sql.args).await })
    }

    /// What is made of each row of a built statement, while the database goes on with the next.
    ///
    /// # Errors
    /// The database's, by class; that of a row.
    #[inline(never)]
    pub fn select_as<'a, T: Send + 'a>(&'a mut self, sql: Sql, make: impl Fn(Row) -> Result<T> + Send + Sync + 'a) -> Pending<'a, Vec<T>> {
        Box::pin(async move { self.read(&sql.text, sql.args, make).await })
    }

    /// [`Tx::execute`] of a built statement.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn run(&mut self, sql: Sql) -> Pending<'_, u64> {
        Box::pin(async move { self.execute(&sql.text, sql.args).await })
    }

    /// The first column of the first row of a count, 0 without rows.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn count<'a>(&'a mut self, text: &'a str, args: Vec<Arg>) -> Pending<'a, i64> {
        Box::pin(async move { Ok(self.query_one(text, args).await?.map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0)) })
    }

    /// Queues an effect for after the commit. Effects run in the order they were queued; a rollback drops them.
    pub fn after_commit(&mut self, effect: impl FnOnce() + Send + 'static) {
        self.effects.push(Box::new(effect));
    }

    /// Commits and runs the queued effects. When the answer of the database is lost, finds out whether the transaction took place.
    ///
    /// # Errors
    /// The database's, by class. Nothing was written then, but for [`Class::Repeatable`] and [`Error::undecided`].
    ///
    /// [`Class::Repeatable`]: neutrino_types::Class::Repeatable
    #[inline(never)]
    pub fn commit(mut self) -> Pending<'static, ()> {
        Box::pin(async move {
            let number = self.number().await?;
            let Self { conn, effects, db, witness } = self;
            let done = match conn {
                Conn::Sqlite(tx) => tx.commit().await,
                Conn::MySql(tx) => tx.commit().await,
                Conn::Postgres(tx) => tx.commit().await,
                Conn::SqliteRead(_) | Conn::MySqlRead(_) | Conn::PostgresRead(_) => Ok(()),
            };
            match done {
                Ok(()) => {}
                Err(error) if classify::leaves_open(&error) => commit::resolve(&db, &witness, number, &error).await?,
                Err(error) => return Err(classify("COMMIT", error)),
            }
            for effect in effects {
                effect();
            }
            Ok(())
        })
    }

    /// PostgreSQL's number of this transaction, by which it tells later what became of it; `None` where there is no such thing, or
    /// nothing was written.
    async fn number(&mut self) -> Result<Option<i64>> {
        let Conn::Postgres(c) = &mut self.conn else { return Ok(None) };
        let row = postgres("SELECT txid_current_if_assigned()", Vec::new()).fetch_one(&mut **c).await;
        Row::Postgres(row.map_err(|e| classify("COMMIT", e))?).opt_int(0)
    }

    /// Rolls back at once instead of when the connection is next used.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn rollback(self) -> Pending<'static, ()> {
        Box::pin(async move {
            let done = match self.conn {
                Conn::Sqlite(tx) => tx.rollback().await,
                Conn::MySql(tx) => tx.rollback().await,
                Conn::Postgres(tx) => tx.rollback().await,
                Conn::SqliteRead(_) | Conn::MySqlRead(_) | Conn::PostgresRead(_) => Ok(()),
            };
            done.map_err(|e| classify("ROLLBACK", e))
        })
    }
}

/// What was made of the rows of a result.
struct Made<T> {
    rows: Vec<T>,
    failure: Option<Error>,
}

impl<T> Default for Made<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), failure: None }
    }
}

impl<T> Made<T> {
    /// After a row that failed the others are passed over: the connection is of use again only when all of them are read.
    fn push(&mut self, make: impl FnOnce() -> Result<T>) -> Taken {
        if self.failure.is_none() {
            match make() {
                Ok(row) => self.rows.push(row),
                Err(error) => self.failure = Some(error),
            }
        }
        future::ready(Ok(()))
    }

    fn all(self) -> Result<Vec<T>> {
        self.failure.map_or(Ok(self.rows), Err)
    }
}

/// PostgreSQL's placeholders are numbered: `?` outside quotes becomes `$1`, `$2`, ... A null is written out, since a bound one has a
/// type there, and that of text does not go into a column of numbers.
fn number_placeholders(text: &str, args: &[Arg]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut number, mut quoted) = (0, None);
    let mut args = args.iter();
    for c in text.chars() {
        match (quoted, c) {
            (None, '?') if args.next() == Some(&Arg::Null) => {
                out.push_str("NULL");
                continue;
            }
            (None, '?') => {
                number += 1;
                out.push('$');
                out.push_str(&number.to_string());
                continue;
            }
            (None, '\'' | '"') => quoted = Some(c),
            (Some(q), c) if q == c => quoted = None,
            _ => {}
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn placeholders_are_numbered_outside_quotes() {
        assert_eq!(super::number_placeholders("a = ? AND b = '?' AND \"c?\" = ?", &[]), "a = $1 AND b = '?' AND \"c?\" = $2");
    }

    #[test]
    fn nulls_have_no_type_on_postgres() {
        let args = crate::args![1, None::<i64>, 2];
        assert_eq!(super::number_placeholders("VALUES (?, ?, '?', ?)", &args), "VALUES ($1, NULL, '?', $2)");
    }
}
