// SPDX-License-Identifier: Apache-2.0
//! What each committed write changed, for those who pass it on: versioned objects to agents, notifications, streams.
//!
//! Owns: the list of a transaction's changes. Refuses to own: who is told what. Invariants: watchers see a change only after its commit, once
//! for each transaction, and never keep a request waiting; an object's revision does not rise without a change of it being seen.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{Duration, NaiveDateTime};
use futures::future::BoxFuture;
use neutrino_model::Record;
use neutrino_types::Result;
use tokio::sync::watch;

use crate::{Context, Engine, Worker};

/// A server that is killed has this much left unsaid, at most.
const UNSAID: Duration = Duration::seconds(120);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    Created,
    Updated,
    Deleted,
}

/// A change of one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// As registered: `ports`, or `parent/child`.
    pub collection: String,
    pub id: String,
    pub verb: Verb,
    /// As it was, where the write knew it: always of what is deleted.
    pub before: Option<Record>,
    /// As it is, where the write loaded it.
    pub after: Option<Record>,
}

/// All that one transaction changed.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// In the order of the writes.
    pub objects: Vec<Change>,
    /// Standard attributes whose revision rose; their objects may or may not be among [`Changes::objects`].
    pub raised: Vec<i64>,
}

impl Changes {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.raised.is_empty()
    }
}

/// Is told of every commit. Register with [`crate::Builder::watcher`].
pub trait Watcher: Send + Sync {
    /// Takes note and returns at once; what needs a database or a network is for a worker.
    fn changed(&self, engine: &Engine, cx: &Context, changes: &Changes);
}

/// What changed since then may not have been told: a server that was killed between a commit and the messages that follow it. Long ago if nothing
/// changed for long. A server that starts tells it again.
///
/// # Errors
/// The database's.
pub async fn untold_since(engine: &Engine, cx: &Context) -> Result<NaiveDateTime> {
    let row = engine.db.reader().await?.query_one("SELECT max(updated_at) FROM standardattributes", Vec::new()).await?;
    let last = row.map(|row| row.opt_time(0)).transpose()?.flatten();
    Ok(last.map_or_else(|| cx.now(), |last| last.min(cx.now())) - UNSAID)
}

/// Tells again what changed since a time: as a worker when a server starts, since one that was killed may not have told it; and after the broker
/// was away ([`crate::Builder::after_outage`]), since what all agents are told reaches only those that are there.
#[derive(Clone, Copy)]
pub struct Recall {
    /// For the log: `what DHCP agents may not have heard`.
    pub name: &'static str,
    pub tell: for<'a> fn(&'a Engine, NaiveDateTime) -> BoxFuture<'a, Result<()>>,
}

impl Recall {
    async fn tell(&self, engine: &Engine, since: Result<NaiveDateTime>) {
        let told = match since {
            Ok(since) => (self.tell)(engine, since).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::error!(error = %error, log = error.log().unwrap_or_default(), "{} is not told again", self.name);
        }
    }
}

/// Tells again what changed since the broker went away, or shortly before.
pub async fn tell_again(engine: &Engine, away_since: NaiveDateTime) {
    let cx = Context::internal("");
    for recall in engine.registry.after_outage() {
        let since = untold_since(engine, &cx).await.map(|since| since.min(away_since));
        recall.tell(engine, since).await;
    }
}

#[async_trait]
impl Worker for Recall {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn run(&self, engine: Arc<Engine>, mut stop: watch::Receiver<bool>) -> Result<()> {
        let since = untold_since(&engine, &Context::internal("")).await;
        self.tell(&engine, since).await;
        // It ends when the sender has gone, too.
        let _ = stop.wait_for(|stop| *stop).await;
        Ok(())
    }
}
