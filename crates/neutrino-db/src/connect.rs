// SPDX-License-Identifier: Apache-2.0
//! The pool behind a `[database] connection`, and the retry of whole transactions.

use std::{
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use neutrino_types::{Error, Result};
use rand::RngExt as _;
use sqlx::{
    MySql, MySqlConnection, Postgres, Sqlite, SqlitePool,
    mysql::MySqlPoolOptions,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Arg, Sql, Tx, classify,
    classify::classify,
    lease::{Lender, TRUSTED_IDLE, Use},
    transaction::{Beginning, Server as _, Transaction},
    tx::{Conn, Pending},
    url,
};

/// How often a transaction is tried in all before the failure is the answer.
const MAX_TRIES: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Sqlite,
    MySql,
    Postgres,
}

/// Counters for metrics and for the tests that assert statement counts.
#[derive(Debug, Default)]
pub struct Stats {
    pub statements: AtomicU64,
    pub transactions: AtomicU64,
    pub retries: AtomicU64,
    /// Commits whose answer never came.
    pub lost_commits: AtomicU64,
    recorded: Mutex<Option<Vec<Sql>>>,
    recording: AtomicBool,
}

impl Stats {
    /// Counts a statement, and keeps it while [`Stats::record`] is on.
    pub(crate) fn note(&self, text: &str, args: &[Arg]) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        if self.recording.load(Ordering::Relaxed)
            && let Ok(mut recorded) = self.recorded.lock()
            && let Some(list) = recorded.as_mut()
        {
            list.push(Sql::new(text, args.to_vec()));
        }
    }

    /// Starts to keep every statement with its values, for tests and benches. Not for production: nothing bounds it.
    pub fn record(&self) {
        if let Ok(mut recorded) = self.recorded.lock() {
            *recorded = Some(Vec::new());
            self.recording.store(true, Ordering::Relaxed);
        }
    }

    /// Stops keeping statements and gives those kept.
    #[must_use]
    pub fn recorded(&self) -> Vec<Sql> {
        self.recording.store(false, Ordering::Relaxed);
        self.recorded.lock().ok().and_then(|mut recorded| recorded.take()).unwrap_or_default()
    }
}

/// Sizes and times of the pool, as `[database]` has them.
#[derive(Clone, Debug)]
pub struct DbOptions {
    /// `max_pool_size` + `max_overflow`.
    pub max_connections: u32,
    pub pool_timeout_ms: u64,
    pub connection_recycle_s: u64,
    /// `mysql_sql_mode`; what the server's own statements need is added.
    pub mysql_sql_mode: String,
    /// `mysql_wsrep_sync_wait`; `None` leaves it to the database.
    pub mysql_wsrep_sync_wait: Option<i64>,
}

impl Default for DbOptions {
    fn default() -> Self {
        let mysql_sql_mode = "TRADITIONAL".to_owned();
        Self { max_connections: 16, pool_timeout_ms: 30_000, connection_recycle_s: 3600, mysql_sql_mode, mysql_wsrep_sync_wait: None }
    }
}

enum Backend {
    /// One writer, many readers: SQLite serializes writers anyway, and a queue of ours is fairer than its busy handler.
    Sqlite {
        writer: SqlitePool,
        readers: Lender<Sqlite>,
    },
    MySql {
        lender: Lender<MySql>,
        beginning: Beginning,
    },
    Postgres(Lender<Postgres>),
}

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    backend: Arc<Backend>,
    stats: Arc<Stats>,
    patience: Duration,
    /// The most that the pool holds.
    connections: u32,
    /// Does it know `INSERT ... RETURNING`?
    returns_keys: bool,
}

impl Db {
    /// Connects by a URL in the forms that oslo.db takes: `sqlite:////abs/path`, `mysql+pymysql://...`, `postgresql+psycopg2://...`.
    ///
    /// # Errors
    /// When the URL is not understood or the database does not answer.
    #[inline(never)]
    pub fn connect<'a>(url: &'a str, options: &'a DbOptions) -> Pending<'a, Self> {
        Box::pin(async move {
            let (base, rest) = url::split(url)?;
            let backend = match base {
                url::Base::Sqlite => sqlite(rest, options).await?,
                url::Base::MySql => mysql(rest, options).await?,
                url::Base::Postgres => postgres(rest, options).await?,
            };
            let patience = Duration::from_millis(options.pool_timeout_ms);
            let mut db = Self {
                backend: Arc::new(backend),
                stats: Arc::default(),
                patience,
                connections: options.max_connections,
                returns_keys: true,
            };
            if db.dialect() == Dialect::MySql {
                let version = db.reader().await?.query_one("SELECT VERSION()", Vec::new()).await?.map(|row| row.text(0)).transpose()?;
                db.returns_keys = returns_keys(&version.unwrap_or_default());
            }
            Ok(db)
        })
    }

    /// How long a request waits for a database that is away: `pool_timeout`.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// How many connections there are at the moment, to be used or at rest.
    pub(crate) fn open_connections(&self) -> u32 {
        match &*self.backend {
            Backend::Sqlite { readers, .. } => readers.open(),
            Backend::MySql { lender, .. } => lender.open(),
            Backend::Postgres(lender) => lender.open(),
        }
    }

    pub(crate) fn returns_keys(&self) -> bool {
        self.returns_keys
    }

    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match *self.backend {
            Backend::Sqlite { .. } => Dialect::Sqlite,
            Backend::MySql { .. } => Dialect::MySql,
            Backend::Postgres(_) => Dialect::Postgres,
        }
    }

    #[must_use]
    pub fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// Starts a transaction that may write (`BEGIN IMMEDIATE` on SQLite).
    ///
    /// # Errors
    /// When no connection can be had in time.
    #[inline(never)]
    pub fn begin(&self) -> Pending<'_, Tx> {
        Box::pin(async move {
            self.stats.transactions.fetch_add(1, Ordering::Relaxed);
            Ok(Tx::new(self.beginning(Beginning::Implied).await?, self.clone()))
        })
    }

    /// `how`: begun with BEGIN, the connection is known to live.
    pub(crate) async fn beginning(&self, how: Beginning) -> Result<Conn> {
        // Connections that a moment ago were good may all be gone by now; the pool drops those on which BEGIN fails.
        let mut left = self.connections;
        loop {
            let begun = match &*self.backend {
                Backend::Sqlite { writer, .. } => writer.begin_with("BEGIN IMMEDIATE").await.map(Conn::Sqlite),
                Backend::MySql { lender, beginning } => Transaction::begin(lender, how.min(*beginning)).await.map(Conn::MySql),
                Backend::Postgres(lender) => Transaction::begin(lender, Beginning::Said).await.map(Conn::Postgres),
            };
            match begun {
                Err(error) if left > 0 && classify::is_lost(&error) => left -= 1,
                begun => return begun.map_err(|e| classify("BEGIN", e)),
            }
        }
    }

    /// A connection for reading, without a transaction: each statement sees what is committed when it starts.
    ///
    /// # Errors
    /// When no connection can be had in time.
    #[inline(never)]
    pub fn reader(&self) -> Pending<'_, Tx> {
        Box::pin(async move { Ok(Tx::new(self.reading().await?, self.clone())) })
    }

    pub(crate) async fn reading(&self) -> Result<Conn> {
        let conn = match &*self.backend {
            Backend::Sqlite { readers, .. } => readers.acquire(Use::Reading).await.map(Conn::SqliteRead),
            Backend::MySql { lender, .. } => lender.acquire(Use::Reading).await.map(Conn::MySqlRead),
            Backend::Postgres(lender) => lender.acquire(Use::Reading).await.map(Conn::PostgresRead),
        };
        conn.map_err(|e| classify("connect", e))
    }

    /// Runs `operation` until it succeeds, fails for good, or has failed ten times or for the time of `pool_timeout` for passing reasons, with
    /// a growing, jittered pause between. The closure begins and commits its own transaction, and must be free of effects outside it.
    ///
    /// # Errors
    /// The last try's; 503 when it might have succeeded later.
    pub async fn retry<T, F, Fut>(&self, name: &'static str, mut operation: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T>>,
    {
        let (mut tries, started) = (1, tokio::time::Instant::now());
        loop {
            match operation().await {
                Err(error) if error.is_transient() && tries < MAX_TRIES && started.elapsed() < self.patience => {
                    self.stats.retries.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(operation = name, tries, error = error.log().unwrap_or_default(), "transaction is tried again");
                    let ceiling_ms = 5_u64 << tries.min(7);
                    #[expect(clippy::disallowed_methods, reason = "a pause needs no reproducible randomness")]
                    let pause_ms = rand::rng().random_range(1..=ceiling_ms);
                    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                    tries += 1;
                }
                result => return result.map_err(Error::given_up),
            }
        }
    }

    /// Closes all connections; outstanding ones as they are returned.
    pub async fn close(&self) {
        match &*self.backend {
            Backend::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Backend::MySql { lender, .. } => lender.close().await,
            Backend::Postgres(lender) => lender.close().await,
        }
    }
}

/// MariaDB does from 10.5 on, MySQL does not: `10.11.6-MariaDB-0+deb12u1`.
fn returns_keys(version: &str) -> bool {
    let mut numbers = version.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    version.contains("MariaDB") && (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (10, 5)
}

/// Asks a connection that was idle for longer whether it still lives.
async fn alive<C: sqlx::Connection>(conn: &mut C, past: sqlx::pool::PoolConnectionMetadata) -> std::result::Result<bool, sqlx::Error> {
    if past.idle_for > TRUSTED_IDLE {
        conn.ping().await?;
    }
    Ok(true)
}

/// Where both uses are the same.
fn as_it_is<C>(_: &mut C, _: Use) -> BoxFuture<'_, std::result::Result<(), sqlx::Error>> {
    Box::pin(async { Ok(()) })
}

fn set_up_mysql(connection: &mut MySqlConnection, is_for: Use) -> BoxFuture<'_, std::result::Result<(), sqlx::Error>> {
    MySql::tell(connection, if is_for == Use::Writing { "SET autocommit = 0" } else { "SET autocommit = 1" })
}

async fn sqlite(rest: &str, options: &DbOptions) -> Result<Backend> {
    let path = url::sqlite_file(rest)?;
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(10))
        .statement_cache_capacity(512)
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "memory");
    let timeout = Duration::from_millis(options.pool_timeout_ms);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(timeout)
        .test_before_acquire(false)
        .max_lifetime(None)
        .idle_timeout(None)
        // SQLite itself rolls back when the disk is full, and then ROLLBACK fails: such a connection is not used again.
        .before_acquire(|conn, _| {
            use sqlx::Connection as _;
            let settled = !conn.is_in_transaction();
            Box::pin(async move { Ok(settled) })
        })
        .connect_with(connect.clone())
        .await
        .map_err(|e| classify("connect", e))?;
    let readers = SqlitePoolOptions::new()
        .max_connections(options.max_connections.min(8))
        .acquire_timeout(timeout)
        .test_before_acquire(false)
        .max_lifetime(None)
        .connect_lazy_with(connect.pragma("query_only", "on"));
    Ok(Backend::Sqlite { writer, readers: Lender::new(readers, as_it_is) })
}

async fn mysql(rest: &str, options: &DbOptions) -> Result<Backend> {
    let connect = url::mysql(rest)?.statement_cache_capacity(512);
    let mode = &options.mysql_sql_mode;
    let separator = if mode.is_empty() { "" } else { "," };
    let mut settings = format!("SET SESSION sql_mode = '{mode}{separator}ANSI_QUOTES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00'");
    if let Some(wait) = options.mysql_wsrep_sync_wait {
        settings.push_str(&format!(", wsrep_sync_wait = {wait}"));
    }
    let pool = MySqlPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_millis(options.pool_timeout_ms))
        .max_lifetime(Duration::from_secs(options.connection_recycle_s))
        .test_before_acquire(false)
        .before_acquire(|conn, past| Box::pin(alive(conn, past)))
        .after_connect(move |conn, _| {
            let settings = settings.clone();
            Box::pin(async move {
                use sqlx::Executor as _;
                conn.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                conn.execute(sqlx::AssertSqlSafe(settings)).await?;
                Ok(())
            })
        })
        .connect_with(connect)
        .await
        .map_err(|e| classify("connect", e))?;
    let waits: Option<(String, String)> =
        sqlx::query_as("SHOW VARIABLES LIKE 'wsrep_sync_wait'").fetch_optional(&pool).await.map_err(|e| classify("connect", e))?;
    // A node of a cluster that is to wait until it knows what the others do, does so at BEGIN.
    let beginning = if waits.is_none_or(|(_, value)| value == "0") { Beginning::Implied } else { Beginning::Said };
    Ok(Backend::MySql { lender: Lender::new(pool, set_up_mysql), beginning })
}

async fn postgres(rest: &str, options: &DbOptions) -> Result<Backend> {
    PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(Duration::from_millis(options.pool_timeout_ms))
        .max_lifetime(Duration::from_secs(options.connection_recycle_s))
        .test_before_acquire(false)
        .before_acquire(|conn, past| Box::pin(alive(conn, past)))
        .connect_with(url::postgres(rest)?.statement_cache_capacity(512))
        .await
        .map(|pool| Backend::Postgres(Lender::new(pool, as_it_is)))
        .map_err(|e| classify("connect", e))
}

#[cfg(test)]
mod tests {
    #[test]
    fn who_returns_keys_is_known_by_its_version() {
        let known = ["10.11.6-MariaDB-0+deb12u1", "11.4.2-MariaDB", "10.4.32-MariaDB", "8.4.0", "5.5.5-10.6.1-MariaDB", ""]
            .map(super::returns_keys);
        assert_eq!(known, [true, true, false, false, false, false]);
    }
}
