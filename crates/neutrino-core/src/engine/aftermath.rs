// SPDX-License-Identifier: Apache-2.0
//! What follows a commit: the confirmation of new objects, their undoing when it fails, and what was made, changed or removed beside them.

use std::collections::HashMap;

use neutrino_model::Record;
use neutrino_types::Result;

use super::{Engine, Precondition, log_failure};
use crate::{Authorized, Change, Context, loading, op::Side, registry::Entry};

impl Engine {
    /// Asks everybody whether new objects may stand; when one may not, all that the request made are deleted again.
    ///
    /// # Errors
    /// What the first refusal says.
    pub(super) async fn confirm(&self, cx: &Context, entry: &Entry, collection: &str, records: &[Record]) -> Result<()> {
        for record in records {
            if let Err(error) = self.confirm_one(cx, entry, record).await {
                self.undo(cx, collection, records).await;
                return Err(error);
            }
        }
        Ok(())
    }

    async fn confirm_one(&self, cx: &Context, entry: &Entry, record: &Record) -> Result<()> {
        entry.behaviour.confirm_create(self, cx, record).await?;
        for hook in &entry.hooks {
            hook.confirm_create(self, cx, record).await?;
        }
        Ok(())
    }

    async fn undo(&self, cx: &Context, collection: &str, records: &[Record]) {
        let (cx, auth) = (cx.elevated(), Authorized::internal("a create that was not confirmed is undone"));
        for record in records.iter().rev() {
            if let Err(error) = self.delete(&cx, &auth, collection, record, Precondition::default()).await {
                let log = error.log().unwrap_or_default();
                tracing::error!(collection, id = record.id(), error = %error, log, "an object that was refused after the commit stays: delete it");
            }
        }
    }

    /// Shows watchers what was committed: the operation's own objects, then those beside them.
    pub(super) fn tell(&self, cx: &Context, side: &mut Side, own: impl FnOnce() -> Vec<Change>) {
        if self.registry.watchers().is_empty() {
            return;
        }
        let mut changes = std::mem::take(&mut side.changes);
        changes.objects.splice(0..0, own());
        if !changes.is_empty() {
            for watcher in self.registry.watchers() {
                watcher.changed(self, cx, &changes);
            }
        }
    }

    /// What follows the commit for objects that the operation made, changed or removed beside its own, and what it left to be done.
    pub(super) async fn settle(&self, cx: &Context, side: Side) {
        for effect in side.effects {
            log_failure("what a change leaves to be done", effect(self, cx).await);
        }
        let now = self.all_now(cx, side.updated.iter().map(|(collection, original)| (collection.as_str(), original.id()))).await;
        for (collection, original) in &side.updated {
            // One that the same operation deleted has no after.
            let (Ok(entry), Some(mut record)) = (self.entry(collection), now.get(original.id()).cloned()) else { continue };
            log_failure("after update", entry.behaviour.after_update(self, cx, original, &mut record).await);
            for hook in &entry.hooks {
                log_failure("after update", hook.after_update(self, cx, original, &record).await);
            }
        }
        for (collection, original) in side.deleted {
            let Ok(entry) = self.entry(&collection) else { continue };
            log_failure("after delete", entry.behaviour.after_delete(self, cx, &original).await);
            for hook in &entry.hooks {
                log_failure("after delete", hook.after_delete(self, cx, &original).await);
            }
        }
        let now = self.all_now(cx, side.created.iter().map(|(collection, id)| (collection.as_str(), id.as_str()))).await;
        for (collection, id) in &side.created {
            let (Ok(entry), Some(mut record)) = (self.entry(collection), now.get(id).cloned()) else { continue };
            log_failure("confirming a create", self.confirm_one(cx, entry, &record).await);
            log_failure("after create", entry.behaviour.after_create(self, cx, &mut record).await);
            for hook in &entry.hooks {
                log_failure("after create", hook.after_create(self, cx, &record).await);
            }
        }
    }

    /// Objects as they are by now, by id; without those that are gone. A read for each collection.
    async fn all_now<'a>(&self, cx: &Context, objects: impl Iterator<Item = (&'a str, &'a str)>) -> HashMap<String, Record> {
        let mut wanted: Vec<(&str, Vec<&str>)> = Vec::new();
        for (collection, id) in objects {
            match wanted.iter_mut().find(|(known, _)| *known == collection) {
                Some((_, ids)) => ids.push(id),
                None => wanted.push((collection, vec![id])),
            }
        }
        let (cx, mut found) = (&cx.elevated(), HashMap::new());
        for (collection, ids) in &wanted {
            let read =
                self.db.retry("load", || async { loading::load(self.entry(collection)?, cx, &mut self.db.reader().await?, ids).await });
            match read.await {
                Ok(records) => found.extend(records.into_iter().map(|record| (record.id().to_owned(), record))),
                Err(error) => log_failure("what follows a change", Err(error)),
            }
        }
        found
    }
}
