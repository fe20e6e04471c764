// SPDX-License-Identifier: Apache-2.0
//! Connections that go from one reader to the next without a detour over the pool.
//!
//! The pool asks every connection that comes back whether it still lives: a way to the database and back for each request, and a task of its own.
//! A connection whose last statement went well a moment ago need not be asked. What rests here is idle for [`TRUSTED_IDLE`] at most and was taken
//! from the pool at most [`ROUND`] ago; all else goes back to the pool, which knows about lifetimes and lost connections.
//!
//! Invariant: nobody waits for a connection of the pool while one rests here.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Database, Pool, pool::PoolConnection};

/// How long a connection may have been idle to be taken as it is.
pub const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// How long a connection may stay away from the pool, which ends it when it is older than `connection_recycle_time`.
const ROUND: Duration = Duration::from_secs(60);

/// A pool, and those of its connections that rest.
pub struct Lender<DB: Database> {
    pub pool: Pool<DB>,
    state: Arc<Mutex<State<DB>>>,
}

struct State<DB: Database> {
    resting: Vec<Rested<DB>>,
    /// How many wait for a connection of the pool.
    waiting: usize,
    closed: bool,
}

struct Rested<DB: Database> {
    connection: PoolConnection<DB>,
    taken: Instant,
    used: Instant,
}

/// A connection that rests again when it is dropped, if its last statement [went well](Lease::went_well).
pub struct Lease<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    home: Arc<Mutex<State<DB>>>,
    taken: Instant,
    is_good: bool,
}

/// Counts somebody who waits, however the waiting ends.
struct Waiting<'a, DB: Database>(&'a Mutex<State<DB>>);

impl<DB: Database> Drop for Waiting<'_, DB> {
    fn drop(&mut self) {
        locked(self.0).waiting -= 1;
    }
}

fn locked<DB: Database>(state: &Mutex<State<DB>>) -> std::sync::MutexGuard<'_, State<DB>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<DB: Database> Lender<DB> {
    pub fn new(pool: Pool<DB>) -> Self {
        Self { pool, state: Arc::new(Mutex::new(State { resting: Vec::new(), waiting: 0, closed: false })) }
    }

    /// A connection that rests, or one of the pool.
    pub async fn acquire(&self) -> Result<Lease<DB>, sqlx::Error> {
        let (connection, taken) = match self.rested() {
            Ok(rested) => (rested.connection, rested.taken),
            Err(_waiting) => (self.pool.acquire().await?, Instant::now()),
        };
        Ok(Lease { connection: Some(connection), home: Arc::clone(&self.state), taken, is_good: false })
    }

    /// The same for what gives its connection to the pool afterwards, as transactions do.
    pub async fn acquire_once(&self) -> Result<PoolConnection<DB>, sqlx::Error> {
        match self.rested() {
            Ok(rested) => Ok(rested.connection),
            Err(_waiting) => self.pool.acquire().await,
        }
    }

    /// The connection that was used last, or the place of one that waits.
    fn rested(&self) -> Result<Rested<DB>, Waiting<'_, DB>> {
        let mut state = locked(&self.state);
        let found = state.resting.pop().filter(|rested| rested.used.elapsed() < TRUSTED_IDLE);
        let Some(rested) = found else {
            // The others have been idle for longer.
            let stale = std::mem::take(&mut state.resting);
            state.waiting += 1;
            drop(state);
            drop(stale);
            return Err(Waiting(&self.state));
        };
        Ok(rested)
    }

    /// Closes all connections; those that are in use as they are returned.
    pub async fn close(&self) {
        let resting = {
            let mut state = locked(&self.state);
            state.closed = true;
            std::mem::take(&mut state.resting)
        };
        drop(resting);
        self.pool.close().await;
    }
}

/// Outside a runtime a connection cannot go back to its pool; then nobody is left to use it.
impl<DB: Database> Drop for State<DB> {
    fn drop(&mut self) {
        if tokio::runtime::Handle::try_current().is_err() {
            self.resting.drain(..).for_each(|rested| drop(rested.connection.leak()));
        }
    }
}

impl<DB: Database> Lease<DB> {
    /// Notes how the statement ended that was run on the connection last; one that is given up in the middle never says so.
    pub fn went_well(&mut self, well: bool) {
        self.is_good = well;
    }
}

impl<DB: Database> Deref for Lease<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match &self.connection {
            Some(connection) => connection,
            // Taken away by `drop` only.
            None => unreachable!(),
        }
    }
}

impl<DB: Database> DerefMut for Lease<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.connection {
            Some(connection) => connection,
            None => unreachable!(),
        }
    }
}

impl<DB: Database> Drop for Lease<DB> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if !self.is_good || self.taken.elapsed() > ROUND {
            return;
        }
        let mut state = locked(&self.home);
        if state.waiting == 0 && !state.closed {
            state.resting.push(Rested { connection, taken: self.taken, used: Instant::now() });
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{Sqlite, sqlite::SqlitePoolOptions};

    use super::*;

    async fn lender() -> Lender<Sqlite> {
        Lender::new(SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap())
    }

    fn resting(lender: &Lender<Sqlite>) -> usize {
        locked(&lender.state).resting.len()
    }

    #[tokio::test]
    async fn a_good_connection_rests_and_a_doubtful_one_goes_to_the_pool() {
        let lender = lender().await;
        let mut lease = lender.acquire().await.unwrap();
        lease.went_well(true);
        drop(lease);
        assert_eq!(resting(&lender), 1);
        let lease = lender.acquire().await.unwrap();
        assert_eq!(resting(&lender), 0);
        drop(lease);
        assert_eq!(resting(&lender), 0);
        // The only one there is came back to the pool.
        drop(lender.acquire_once().await.unwrap());
    }

    #[tokio::test]
    async fn who_waits_for_the_pool_gets_what_would_rest() {
        let lender = Arc::new(lender().await);
        let mut lease = lender.acquire().await.unwrap();
        let waiter = tokio::spawn({
            let lender = Arc::clone(&lender);
            async move { lender.acquire().await.map(drop) }
        });
        while locked(&lender.state).waiting == 0 {
            tokio::task::yield_now().await;
        }
        lease.went_well(true);
        drop(lease);
        waiter.await.unwrap().unwrap();
        assert_eq!(locked(&lender.state).waiting, 0);
    }

    #[tokio::test]
    async fn closing_does_not_wait_for_what_rests() {
        let lender = lender().await;
        let mut lease = lender.acquire().await.unwrap();
        lease.went_well(true);
        drop(lease);
        lender.close().await;
        assert!(lender.acquire().await.is_err());
    }
}
