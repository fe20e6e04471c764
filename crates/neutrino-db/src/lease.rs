// SPDX-License-Identifier: Apache-2.0
//! Connections that go from one user to the next without a detour over the pool.
//!
//! The pool asks every connection that comes back whether it still lives: a way to the database and back for each request, and a task of its own.
//! A connection whose last statement went well a moment ago need not be asked. What rests here is idle for [`TRUSTED_IDLE`] at most and was taken
//! from the pool at most [`ROUND`] ago; all else goes back to the pool, which knows about lifetimes and lost connections.
//!
//! Where setting a connection up for writing or for reading costs a way to the database, each rests as it is set up, and is taken for the other
//! use only when the pool has none left.
//!
//! Invariants: nobody begins to wait for a connection of the pool while one rests here; the pool gets connections back that are set up for reading.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::future::BoxFuture;
use sqlx::{Database, Pool, pool::PoolConnection};

/// How long a connection may have been idle to be taken as it is.
pub const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// How long a connection may stay away from the pool, which ends it when it is older than `connection_recycle_time`.
const ROUND: Duration = Duration::from_secs(60);

/// What a connection is set up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// For statements outside a transaction, as it comes from the pool.
    Reading,
    /// For transactions that begin with their first statement.
    Writing,
}

/// Sets a connection up for a use. It has no open transaction.
pub type SetUp<DB> = for<'c> fn(&'c mut <DB as Database>::Connection, Use) -> BoxFuture<'c, Result<(), sqlx::Error>>;

/// A pool, and those of its connections that rest.
pub struct Lender<DB: Database> {
    pool: Pool<DB>,
    state: Arc<Mutex<State<DB>>>,
}

struct State<DB: Database> {
    resting: Vec<Rested<DB>>,
    /// How many wait for a connection of the pool.
    waiting: usize,
    closed: bool,
    set_up: SetUp<DB>,
}

struct Rested<DB: Database> {
    connection: PoolConnection<DB>,
    is_for: Use,
    taken: Instant,
    used: Instant,
}

/// A connection that rests again when it is dropped, if its last statement [went well](Lease::went_well).
pub struct Lease<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    home: Arc<Mutex<State<DB>>>,
    is_for: Use,
    /// Has it rested, unasked?
    rested: bool,
    taken: Instant,
    is_good: bool,
    /// May a transaction be open on it, or its setting up have been given up halfway? Such a connection is not used again.
    is_open: bool,
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
    /// `set_up` is called for connections that change their use only.
    pub fn new(pool: Pool<DB>, set_up: SetUp<DB>) -> Self {
        Self { pool, state: Arc::new(Mutex::new(State { resting: Vec::new(), waiting: 0, closed: false, set_up })) }
    }

    /// How many connections there are, lent or not.
    pub fn open(&self) -> u32 {
        self.pool.size()
    }

    /// A connection for this use: one that rests, or one of the pool. One that has rested and cannot be set up is given up for another.
    pub async fn acquire(&self, wanted: Use) -> Result<Lease<DB>, sqlx::Error> {
        loop {
            let (connection, is_for, rested, taken) = match self.rested(wanted) {
                Ok(rested) => (rested.connection, rested.is_for, true, rested.taken),
                Err(_waiting) => (self.pool.acquire().await?, Use::Reading, false, Instant::now()),
            };
            let home = Arc::clone(&self.state);
            let mut lease = Lease { connection: Some(connection), home, is_for, rested, taken, is_good: false, is_open: false };
            if is_for == wanted {
                return Ok(lease);
            }
            let set_up = locked(&self.state).set_up;
            lease.opens();
            match set_up(&mut lease, wanted).await {
                Ok(()) => {
                    (lease.is_open, lease.is_for, lease.rested) = (false, wanted, false);
                    return Ok(lease);
                }
                Err(_) if rested => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The connection for this use that was used last, or the place of one that waits.
    fn rested(&self, wanted: Use) -> Result<Rested<DB>, Waiting<'_, DB>> {
        let mut state = locked(&self.state);
        let stale = state.resting.partition_point(|rested| rested.used.elapsed() >= TRUSTED_IDLE);
        let stale: Vec<_> = state.resting.drain(..stale).collect();
        // Reading `size` is racy, as is all that follows from it: a connection may be set up for another use though the pool had one, or somebody
        // waits for what comes back next.
        let is_used_up = || self.pool.num_idle() == 0 && self.pool.size() >= self.pool.options().get_max_connections();
        let found = state.resting.iter().rposition(|rested| rested.is_for == wanted);
        let found = found.or_else(|| state.resting.len().checked_sub(1).filter(|_| stale.is_empty() && is_used_up()));
        let result = match found {
            Some(at) => Ok(state.resting.remove(at)),
            None => {
                state.waiting += 1;
                Err(Waiting(&self.state))
            }
        };
        let set_up = state.set_up;
        drop(state);
        stale.into_iter().for_each(|rested| give_back(rested.connection, rested.is_for, set_up));
        result
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

/// Back to the pool, set up for reading. Outside a runtime that cannot be; then nobody is left to use it.
fn give_back<DB: Database>(mut connection: PoolConnection<DB>, is_for: Use, set_up: SetUp<DB>) {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        drop(connection.leak());
        return;
    };
    if is_for == Use::Reading {
        return;
    }
    runtime.spawn(async move {
        if set_up(&mut connection, Use::Reading).await.is_err() {
            connection.close_on_drop();
        }
    });
}

impl<DB: Database> Drop for State<DB> {
    fn drop(&mut self) {
        // With the last of those who lend from the pool goes the pool.
        self.resting.drain(..).for_each(|rested| give_back(rested.connection, Use::Reading, self.set_up));
    }
}

impl<DB: Database> Lease<DB> {
    /// Notes how the statement ended that was run on the connection last; one that is given up in the middle never says so.
    pub fn went_well(&mut self, well: bool) {
        self.is_good = well;
    }

    /// From now on a transaction may be open on it.
    pub fn opens(&mut self) {
        self.is_open = true;
    }

    /// Notes whether the end of the transaction went well.
    pub fn ended(&mut self, well: bool) {
        self.is_open = !well;
        self.is_good = well;
    }

    /// Was it taken as it rested, so that it is not known whether it still lives?
    pub fn has_rested(&self) -> bool {
        self.rested
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
        let Some(mut connection) = self.connection.take() else { return };
        if self.is_open {
            connection.close_on_drop();
        }
        let mut state = locked(&self.home);
        if self.is_good && !self.is_open && self.taken.elapsed() <= ROUND && state.waiting == 0 && !state.closed {
            state.resting.push(Rested { connection, is_for: self.is_for, taken: self.taken, used: Instant::now() });
            return;
        }
        let (set_up, is_for) = (state.set_up, if self.is_open { Use::Reading } else { self.is_for });
        drop(state);
        give_back(connection, is_for, set_up);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use sqlx::{Sqlite, sqlite::SqlitePoolOptions};

    use super::*;

    async fn lender(connections: u32) -> Lender<Sqlite> {
        let pool = SqlitePoolOptions::new().max_connections(connections).connect("sqlite::memory:").await.unwrap();
        Lender::new(pool, |_, _| Box::pin(async { Ok(()) }))
    }

    fn resting(lender: &Lender<Sqlite>) -> Vec<Use> {
        locked(&lender.state).resting.iter().map(|rested| rested.is_for).collect()
    }

    async fn used(lender: &Lender<Sqlite>, for_what: Use) {
        lender.acquire(for_what).await.unwrap().went_well(true);
    }

    #[tokio::test]
    async fn a_good_connection_rests_and_a_doubtful_one_goes_to_the_pool() {
        let lender = lender(1).await;
        used(&lender, Use::Reading).await;
        assert_eq!(resting(&lender).len(), 1);
        let lease = lender.acquire(Use::Reading).await.unwrap();
        assert!(lease.has_rested());
        assert_eq!(resting(&lender).len(), 0);
        drop(lease);
        assert_eq!(resting(&lender).len(), 0);
        // The only one there is came back to the pool.
        assert!(!lender.acquire(Use::Reading).await.unwrap().has_rested());
    }

    #[tokio::test]
    async fn a_connection_keeps_its_use_while_the_pool_has_others() {
        let lender = lender(2).await;
        used(&lender, Use::Reading).await;
        used(&lender, Use::Writing).await;
        assert_eq!(resting(&lender), [Use::Reading, Use::Writing]);
        let readers = [lender.acquire(Use::Reading).await.unwrap(), lender.acquire(Use::Reading).await.unwrap()];
        assert_eq!(readers.each_ref().map(Lease::has_rested), [true, false]);
        assert_eq!(lender.pool.size(), 2);
    }

    #[tokio::test]
    async fn a_connection_whose_transaction_has_no_end_is_closed() {
        let lender = lender(1).await;
        for ends_well in [false, true] {
            let mut lease = lender.acquire(Use::Writing).await.unwrap();
            lease.opens();
            lease.went_well(true);
            if ends_well {
                lease.ended(true);
            }
            drop(lease);
            assert_eq!(resting(&lender).len(), usize::from(ends_well));
        }
    }

    #[tokio::test]
    async fn the_pool_gets_connections_for_reading() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await.unwrap();
        let lender = Lender::new(pool, |_, is_for| {
            CALLS.fetch_add(if is_for == Use::Reading { 100 } else { 1 }, Ordering::SeqCst);
            Box::pin(async { Ok(()) })
        });
        used(&lender, Use::Writing).await;
        locked(&lender.state).resting[0].used = Instant::now().checked_sub(TRUSTED_IDLE).unwrap();
        used(&lender, Use::Reading).await;
        assert_eq!(CALLS.load(Ordering::SeqCst), 101);
    }

    #[tokio::test]
    async fn who_waits_for_the_pool_gets_what_would_rest() {
        let lender = Arc::new(lender(1).await);
        let mut lease = lender.acquire(Use::Writing).await.unwrap();
        let waiter = tokio::spawn({
            let lender = Arc::clone(&lender);
            async move { lender.acquire(Use::Reading).await.map(drop) }
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
        let lender = lender(2).await;
        used(&lender, Use::Reading).await;
        used(&lender, Use::Writing).await;
        lender.close().await;
        assert!(lender.acquire(Use::Reading).await.is_err());
    }
}
