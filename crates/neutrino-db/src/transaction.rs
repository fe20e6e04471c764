// SPDX-License-Identifier: Apache-2.0
//! A transaction on a lent connection, which rests again afterwards.
//!
//! On MySQL connections for writing have autocommit off: a transaction begins with its first statement, and BEGIN, a way to the database and back,
//! is saved. PostgreSQL has no such thing.
//! Invariants: a connection that is given back has no open transaction; one that is dropped is rolled back, by a task of its own.

use std::ops::{Deref, DerefMut};

use futures::future::BoxFuture;
use sqlx::{Database, Executor, MySql, Postgres};

use crate::lease::{Lease, Lender, Use};

type Outcome = Result<(), sqlx::Error>;

/// How a database begins transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Beginning {
    /// By BEGIN.
    Said,
    /// With the first statement, on a connection for writing.
    Implied,
}

/// A transaction: dropped before its end it is rolled back.
pub struct Transaction<DB: Server> {
    lease: Option<Lease<DB>>,
    /// Is the first statement the first to be heard on a connection that has rested?
    is_unproven: bool,
}

/// A database server, told in words to begin and end transactions.
pub trait Server: Database {
    /// Runs a statement that has neither values nor a result.
    fn tell<'c>(connection: &'c mut Self::Connection, text: &'static str) -> BoxFuture<'c, Outcome>;
}

impl Server for MySql {
    fn tell<'c>(connection: &'c mut Self::Connection, text: &'static str) -> BoxFuture<'c, Outcome> {
        Box::pin(async move { connection.execute(sqlx::raw_sql(text)).await.map(drop) })
    }
}

impl Server for Postgres {
    fn tell<'c>(connection: &'c mut Self::Connection, text: &'static str) -> BoxFuture<'c, Outcome> {
        Box::pin(async move { connection.execute(sqlx::raw_sql(text)).await.map(drop) })
    }
}

impl<DB: Server> Transaction<DB> {
    pub async fn begin(lender: &Lender<DB>, beginning: Beginning) -> Result<Self, sqlx::Error> {
        let lease = match beginning {
            Beginning::Implied => {
                let mut lease = lender.acquire(Use::Writing).await?;
                lease.opens();
                lease
            }
            Beginning::Said => {
                let mut lease = lender.acquire(Use::Reading).await?;
                lease.opens();
                DB::tell(&mut lease, "BEGIN").await?;
                lease
            }
        };
        let is_unproven = beginning == Beginning::Implied && lease.has_rested();
        Ok(Self { lease: Some(lease), is_unproven })
    }

    /// Whether nothing was said yet on a connection of which it is not known whether it still lives; false from now on.
    pub fn takes_the_risk(&mut self) -> bool {
        std::mem::take(&mut self.is_unproven)
    }

    pub async fn commit(self) -> Outcome {
        self.end("COMMIT").await
    }

    pub async fn rollback(self) -> Outcome {
        self.end("ROLLBACK").await
    }

    /// What ends otherwise than well leaves the connection in doubt, which is then not used again.
    async fn end(mut self, how: &'static str) -> Outcome {
        if self.is_unproven {
            // Nothing was said, so there is nothing to end, and no word on whether the connection lives.
            return Ok(());
        }
        let Some(mut lease) = self.lease.take() else { return Ok(()) };
        let done = DB::tell(&mut lease, how).await;
        lease.ended(done.is_ok());
        done
    }
}

impl<DB: Server> Drop for Transaction<DB> {
    fn drop(&mut self) {
        let Some(mut lease) = self.lease.take() else { return };
        if self.is_unproven {
            lease.ended(true);
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let done = DB::tell(&mut lease, "ROLLBACK").await;
            lease.ended(done.is_ok());
        });
    }
}

impl<DB: Server> Deref for Transaction<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match &self.lease {
            Some(lease) => lease,
            // Taken away by `end` and `drop` only.
            None => unreachable!(),
        }
    }
}

impl<DB: Server> DerefMut for Transaction<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.lease {
            Some(lease) => lease,
            None => unreachable!(),
        }
    }
}
