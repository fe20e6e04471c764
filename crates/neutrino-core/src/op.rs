// SPDX-License-Identifier: Apache-2.0
//! One write operation inside its transaction: rows in, rows out, revisions, nested objects.
//!
//! Invariant: an object's revision rises at most once in a transaction, however many of its parts change.

use std::{
    any::{Any, TypeId},
    collections::{BTreeSet, HashMap},
};

use futures::future::BoxFuture;
use neutrino_db::{Arg, Dialect, Pending, Sql, Tx, args, quote};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result};

use crate::{
    Change, Changes, Context, Engine, Verb,
    loading::load,
    registry::Entry,
    rows::{JoinedRow, Rows},
};

const STANDARD: &str = "standard_attr_id";
const STANDARD_HEAD: &str = "INSERT INTO standardattributes (resource_type, created_at, updated_at, description, revision_number) VALUES";

/// What an operation did to objects other than its own; the engine finishes their business after the commit.
#[derive(Default)]
pub(crate) struct Side {
    touched: BTreeSet<i64>,
    fresh: BTreeSet<i64>,
    /// What the engine has claimed: the id of its standard attributes, and whether as a whole.
    held: Option<Held>,
    pub changes: Changes,
    pub created: Vec<(String, String)>,
    pub updated: Vec<(String, Record)>,
    pub deleted: Vec<(String, Record)>,
    notes: HashMap<TypeId, Box<dyn Any + Send>>,
    pub effects: Vec<Effect>,
}

/// What follows a commit outside the database.
pub(crate) type Effect = Box<dyn for<'e> FnOnce(&'e Engine, &'e Context) -> BoxFuture<'e, Result<()>> + Send>;

/// The object that a transaction claimed when it began.
struct Held {
    table: &'static str,
    id: String,
    standard_attr_id: i64,
    whole: bool,
}

/// See the module's documentation.
pub struct Op<'a> {
    pub cx: &'a Context,
    pub engine: &'a Engine,
    pub tx: &'a mut Tx,
    pub(crate) entry: &'a Entry,
    pub(crate) side: &'a mut Side,
}

impl Op<'_> {
    /// What a feature noted in this transaction, such as facts that it read once for many objects; made when first asked for. It
    /// goes with the transaction, so a repeated try begins without it.
    pub fn note<T: Default + Any + Send>(&mut self) -> &mut T {
        let note = self.side.notes.entry(TypeId::of::<T>()).or_insert_with(|| Box::<T>::default());
        if !note.is::<T>() {
            *note = Box::<T>::default();
        }
        match note.downcast_mut() {
            Some(note) => note,
            // The key is the type's own id.
            None => unreachable!(),
        }
    }

    /// Leaves something to be done once this transaction is committed: it may talk to others, its failure is logged. When the transaction
    /// fails, or is tried again, or the objects of a create are not confirmed, it is forgotten.
    pub fn afterwards<F>(&mut self, effect: F)
    where
        F: for<'e> FnOnce(&'e Engine, &'e Context) -> BoxFuture<'e, Result<()>> + Send + 'static,
    {
        self.side.effects.push(Box::new(effect));
    }

    /// Asks the quota for more objects of a collection, before they are written. The engine does it for what a request creates; this is
    /// for resources without a table, which write their rows themselves.
    ///
    /// # Errors
    /// 409 `OverQuota`; the database's.
    #[inline(never)]
    pub fn reserve<'a>(&'a mut self, collection: &'a str, project_id: &'a str, count: i64) -> Pending<'a, ()> {
        Box::pin(async move {
            let Some(quota) = self.engine.registry.quota() else { return Ok(()) };
            quota.reserve(self, collection, &[(project_id, count)].into()).await
        })
    }

    /// The same transaction in the sight of another context: for what the server does on its own account in the middle of a request.
    pub fn seen_by<'b>(&'b mut self, cx: &'b Context) -> Op<'b> {
        Op { cx, engine: self.engine, tx: &mut *self.tx, entry: self.entry, side: &mut *self.side }
    }

    /// The same transaction on another collection.
    fn on(&mut self, collection: &str) -> Result<Op<'_>> {
        let entry = self.engine.entry(collection)?;
        Ok(Op { cx: self.cx, engine: self.engine, tx: &mut *self.tx, entry, side: &mut *self.side })
    }

    /// Inserts the object's rows: standard attributes, the main row with every stored attribute of the body, and the one-to-one
    /// tables. `extra` gives columns of the main table that are no attribute, or overrides one; with `standard_attr_id` the standard attributes
    /// are there already.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn insert<'a>(&'a mut self, id: &'a str, body: &'a Body, extra: &'a [(&'static str, Arg)]) -> Pending<'a, ()> {
        Box::pin(async move {
            let resource = self.entry.table.resource;
            let table = resource.table.ok_or_else(|| Error::internal("insert into a resource without a table"))?;
            let Rows { main: mut columns, description, joined } = Rows::of_new(&self.entry.table, body);
            for (name, arg) in extra {
                columns.retain(|(known, _)| known != name);
                columns.push((name, arg.clone()));
            }
            let is_given = columns.iter().any(|(name, _)| *name == STANDARD);
            if let Some(row) = self.standard_row(description).filter(|_| !is_given) {
                let id = self.tx.insert_returning_id(&format!("{STANDARD_HEAD} (?, ?, ?, ?, ?)"), row).await?;
                self.side.fresh.insert(id);
                columns.push((STANDARD, id.into()));
            }
            if !columns.iter().any(|(name, _)| *name == "id") {
                columns.push(("id", id.into()));
            }
            self.insert_row(table, columns).await?;
            for row in joined.into_iter().filter(|row| row.wanted) {
                let mut columns = row.columns;
                columns.push((row.join.key, id.into()));
                self.insert_row(row.join.table, columns).await?;
            }
            Ok(())
        })
    }

    /// Inserts the standard attributes of an object and of so many of another type that come with it, in one statement where the database can;
    /// their ids, the object's first, for [`Op::insert`] as the column `standard_attr_id`.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn insert_standard<'a>(&'a mut self, body: &'a Body, others: &'static str, count: usize) -> Pending<'a, Vec<i64>> {
        Box::pin(async move {
            let now = self.cx.now();
            let description = Rows::of_new(&self.entry.table, body).description;
            let mut rows = vec![self.standard_row(description).ok_or_else(|| Error::internal("an object without standard attributes"))?];
            rows.extend((0..count).map(|_| args![others, now, now, Arg::Null, 0]));
            let ids = self.tx.insert_all_returning_ids(STANDARD_HEAD, rows).await?;
            self.side.fresh.extend(&ids);
            Ok(ids)
        })
    }

    /// The row of `standardattributes` of a new object.
    fn standard_row(&self, description: Option<Arg>) -> Option<Vec<Arg>> {
        let (resource, now) = (self.entry.table.resource, self.cx.now());
        Some(args![resource.standard?, now, now, description.unwrap_or(Arg::Null), resource.first_revision])
    }

    /// Inserts one row.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn insert_row<'a>(&'a mut self, table: &'a str, columns: Vec<(&'a str, Arg)>) -> Pending<'a, ()> {
        Box::pin(async move {
            let names: Vec<String> = columns.iter().map(|(name, _)| quote(name)).collect();
            let marks = vec!["?"; columns.len()].join(", ");
            let text = format!("INSERT INTO {} ({}) VALUES ({marks})", quote(table), names.join(", "));
            self.tx.execute(&text, columns.into_iter().map(|(_, arg)| arg).collect()).await?;
            Ok(())
        })
    }

    /// Writes the stored attributes of the body that differ from the original, and raises the revision if any does.
    ///
    /// # Errors
    /// The database's, by class; transient when another transaction changed the object in between.
    #[inline(never)]
    pub fn update<'a>(&'a mut self, original: &'a Record, body: &'a Body) -> Pending<'a, ()> {
        Box::pin(async move {
            let resource = self.entry.table.resource;
            let table = resource.table.ok_or_else(|| Error::internal("update of a resource without a table"))?;
            let rows = Rows::of_change(&self.entry.table, original, body);
            if !rows.is_empty() {
                self.touch(original.standard_attr_id);
            }
            let Rows { main, description, joined } = rows;
            if !main.is_empty() && self.update_row(table, "id", original.id(), main).await? == 0 {
                return Err(Error::stale(format!("{} {} is gone", resource.member, original.id())));
            }
            if let Some(description) = description {
                let args = vec![description, original.standard_attr_id.into()];
                self.tx.execute("UPDATE standardattributes SET description = ? WHERE id = ?", args).await?;
            }
            for JoinedRow { join, mut columns, .. } in joined {
                if self.update_row(join.table, join.key, original.id(), columns.clone()).await? == 0 {
                    columns.push((join.key, original.id().into()));
                    self.insert_row(join.table, columns).await?;
                }
            }
            Ok(())
        })
    }

    /// Sets columns of the rows whose `key` is `id`; the number of rows.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn update_row<'a>(&'a mut self, table: &'a str, key: &'a str, id: &'a str, columns: Vec<(&'a str, Arg)>) -> Pending<'a, u64> {
        Box::pin(async move {
            let sets: Vec<String> = columns.iter().map(|(name, _)| format!("{} = ?", quote(name))).collect();
            let text = format!("UPDATE {} SET {} WHERE {} = ?", quote(table), sets.join(", "), quote(key));
            let mut args: Vec<Arg> = columns.into_iter().map(|(_, arg)| arg).collect();
            args.push(id.into());
            self.tx.execute(&text, args).await
        })
    }

    /// Deletes the object's row and its standard attributes.
    ///
    /// # Errors
    /// The database's, by class; transient when the row is gone already.
    #[inline(never)]
    pub fn delete<'a>(&'a mut self, original: &'a Record) -> Pending<'a, ()> {
        Box::pin(async move {
            let resource = self.entry.table.resource;
            let table = resource.table.ok_or_else(|| Error::internal("delete of a resource without a table"))?;
            if self.tx.execute(&format!("DELETE FROM {} WHERE id = ?", quote(table)), args![original.id()]).await? == 0 {
                return Err(Error::stale(format!("{} {} is gone", resource.member, original.id())));
            }
            if resource.standard.is_some() {
                self.tx.execute("DELETE FROM standardattributes WHERE id = ?", args![original.standard_attr_id]).await?;
                self.side.touched.remove(&original.standard_attr_id);
            }
            Ok(())
        })
    }

    /// Raises the revision of the object with these standard attributes, once per transaction, when the operation ends. An object
    /// that the transaction itself made keeps its first revision.
    pub fn touch(&mut self, standard_attr_id: i64) {
        if standard_attr_id != 0 {
            self.side.touched.insert(standard_attr_id);
        }
    }

    /// [`Op::touch`] by collection and id, for a parent whose record is not at hand.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn touch_object<'a>(&'a mut self, collection: &'a str, id: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            let resource = self.engine.entry(collection)?.table.resource;
            if let (Some(table), Some(_)) = (resource.table, resource.standard) {
                let text = format!("SELECT standard_attr_id FROM {} WHERE id = ?", quote(table));
                if let Some(row) = self.tx.query_one(&text, args![id]).await? {
                    self.touch(row.int(0)?);
                }
            }
            Ok(())
        })
    }

    /// [`Op::lock`] of an object that is about to be loaded and changed: what the load sees is the newest state, and stays so. `whole`: others
    /// may not even begin to refer to it, which matters when it goes.
    #[inline(never)]
    pub(crate) fn hold<'a>(&'a mut self, id: &'a str, whole: bool) -> Pending<'a, ()> {
        Box::pin(async move {
            match self.entry.table.resource.table {
                Some(table) => self.claim(&quote(table), id, whole).await,
                None => Ok(()),
            }
        })
    }

    /// From here on the loaded object counts as held, and a [`Op::lock`] of it costs nothing.
    pub(crate) fn is_held(&mut self, original: &Record, whole: bool) {
        let resource = original.table().resource;
        self.side.held =
            resource.table.map(|table| Held { table, id: original.id().to_owned(), standard_attr_id: original.standard_attr_id, whole });
    }

    /// Has this transaction claimed the object, before it was loaded?
    #[must_use]
    pub fn holds(&self, object: &Record) -> bool {
        let held = self.side.held.as_ref();
        held.is_some_and(|held| Some(held.table) == object.table().resource.table && held.id == object.id())
    }

    /// On PostgreSQL a write that changes no key does not keep others from referring to the row, and each leaves a dead copy of it; there
    /// the row is locked. Elsewhere see [`Op::lock`].
    async fn claim(&mut self, quoted_table: &str, id: &str, whole: bool) -> Result<()> {
        match self.tx.dialect() {
            Dialect::Sqlite => {}
            Dialect::MySql => {
                self.tx.execute(&format!("UPDATE {quoted_table} SET id = id WHERE id = ?"), args![id]).await?;
            }
            Dialect::Postgres => {
                let strength = if whole { "FOR UPDATE" } else { "FOR NO KEY UPDATE" };
                self.tx.query(&format!("SELECT 1 FROM {quoted_table} WHERE id = ? {strength}"), args![id]).await?;
            }
        }
        Ok(())
    }

    /// Claims the object's row for this transaction by a write that changes nothing, so that others that change it, or refer to it,
    /// wait or fail; gives its standard attributes' id (0 without any), `None` when the object is gone. On SQLite there is one
    /// writer anyway. Between nodes of a Galera cluster a claim is not seen: what rests on it there is that the same transaction
    /// also raises the object's revision or deletes it, which certification compares.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn lock<'a>(&'a mut self, collection: &'a str, id: &'a str) -> Pending<'a, Option<i64>> {
        Box::pin(async move {
            let resource = self.engine.entry(collection)?.table.resource;
            let table = resource.table.ok_or_else(|| Error::internal(format!("{collection} has no table")))?;
            if let Some(held) = &self.side.held
                && (held.table, held.id.as_str()) == (table, id)
                && (held.whole || self.tx.dialect() != Dialect::Postgres)
            {
                return Ok(Some(held.standard_attr_id));
            }
            let table = quote(table);
            self.claim(&table, id, true).await?;
            let column = if resource.standard.is_some() { "standard_attr_id" } else { "0" };
            let row = self.tx.query_one(&format!("SELECT {column} FROM {table} WHERE id = ?"), args![id]).await?;
            row.map(|row| row.int(0)).transpose()
        })
    }

    /// [`Op::lock`] of many objects with one statement, for changes that leave their ids alone; what is read of them afterwards is their newest
    /// state. Those that are gone are passed over.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn lock_all<'a>(&'a mut self, collection: &'a str, ids: &'a [&'a str]) -> Pending<'a, ()> {
        Box::pin(async move {
            let table = self.engine.entry(collection)?.table.resource.table;
            let table = quote(table.ok_or_else(|| Error::internal(format!("{collection} has no table")))?);
            let dialect = self.tx.dialect();
            let by_id = Sql::in_texts(dialect, "id", ids.iter().copied());
            match dialect {
                Dialect::Sqlite => {}
                Dialect::MySql => {
                    let mut sql = Sql::raw(format!("UPDATE {table} SET id = id WHERE "));
                    sql.append(by_id).push(" ORDER BY id");
                    self.tx.run(sql).await?;
                }
                Dialect::Postgres => {
                    let mut sql = Sql::raw(format!("SELECT 1 FROM {table} WHERE "));
                    sql.append(by_id).push(" ORDER BY id FOR NO KEY UPDATE");
                    self.tx.select(sql).await?;
                }
            }
            Ok(())
        })
    }

    /// Makes this transaction the only one that holds a claim of this name until it ends: another that claims it waits, or fails and is tried
    /// again. For rules over many rows that no unique key can state. A row of `quotausages` that no project owns serves for it; it is
    /// written for real, so that nodes of a Galera cluster see the clash, too.
    ///
    /// # Errors
    /// The database's, by class; transient when another one makes the first claim.
    #[inline(never)]
    pub fn claim_name<'a>(&'a mut self, name: &'a str) -> Pending<'a, ()> {
        Box::pin(async move {
            let update = "UPDATE quotausages SET reserved = CASE WHEN reserved < 1000000 THEN reserved + 1 ELSE 0 END WHERE project_id = '' AND resource = ?";
            if self.tx.execute(update, args![name]).await? > 0 {
                return Ok(());
            }
            let insert = "INSERT INTO quotausages (project_id, resource, dirty, in_use, reserved) VALUES ('', ?, ?, 0, 1)";
            match self.tx.execute(insert, args![name, false]).await {
                Err(error) if error.is_duplicate("") => Err(Error::stale(format!("first claim of {name}"))),
                other => other.map(drop),
            }
        })
    }

    /// Writes the revisions that were raised. The engine calls it before it loads the result; a feature need not.
    #[inline(never)]
    pub(crate) fn flush<'a>(&'a mut self) -> Pending<'a, ()> {
        Box::pin(async move {
            let touched: Vec<i64> = std::mem::take(&mut self.side.touched).difference(&self.side.fresh).copied().collect();
            if touched.is_empty() {
                return Ok(());
            }
            let mut sql = Sql::raw("UPDATE standardattributes SET revision_number = revision_number + 1, updated_at = ");
            sql.bind(self.cx.now()).push(" WHERE ").append(Sql::in_ints(self.tx.dialect(), "id", &touched));
            self.tx.run(sql).await?;
            self.side.changes.raised.extend(&touched);
            // A later part of the same operation must not raise them again.
            self.side.fresh.extend(touched);
            Ok(())
        })
    }

    /// Loads objects by id, whole, whoever owns them, in the order of their ids. Missing ones are left out.
    ///
    /// # Errors
    /// The database's, by class.
    #[inline(never)]
    pub fn load<'a>(&'a mut self, collection: &'a str, ids: &'a [&'a str]) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            let entry = self.engine.entry(collection)?;
            let cx = self.cx.elevated();
            load(entry, &cx, self.tx, ids).await
        })
    }

    /// Loads one object whoever owns it.
    ///
    /// # Errors
    /// The resource's own 404, or the database's.
    #[inline(never)]
    pub fn find<'a>(&'a mut self, collection: &'a str, id: &'a str) -> Pending<'a, Record> {
        Box::pin(async move {
            let found = self.load(collection, &[id]).await?.into_iter().next();
            found.ok_or_else(|| not_found(self.engine, collection, id))
        })
    }

    /// Writes an object of another collection in this transaction, with that collection's rules and hooks. Its `before_*` do not
    /// run; its `after_create` runs after the commit.
    ///
    /// # Errors
    /// What those rules say.
    #[inline(never)]
    pub fn create_object<'a>(&'a mut self, collection: &'a str, body: &'a mut Body) -> Pending<'a, String> {
        Box::pin(async move {
            let id = self.cx.new_id();
            let mut op = self.on(collection)?;
            let entry = op.entry;
            entry.behaviour.create(&mut op, &id, body).await?;
            for hook in &entry.hooks {
                hook.create(&mut op, &id, body).await?;
            }
            self.side.created.push((collection.to_owned(), id.clone()));
            self.changed(collection, &id, Verb::Created, None);
            Ok(id)
        })
    }

    /// Deletes an object of another collection in this transaction, as [`Op::create_object`] creates one.
    ///
    /// # Errors
    /// What those rules say.
    #[inline(never)]
    pub fn delete_object<'a>(&'a mut self, collection: &'a str, original: &'a Record) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut op = self.on(collection)?;
            let entry = op.entry;
            for hook in &entry.hooks {
                hook.delete(&mut op, original).await?;
            }
            entry.behaviour.delete(&mut op, original).await?;
            self.side.deleted.push((collection.to_owned(), original.clone()));
            self.changed(collection, original.id(), Verb::Deleted, Some(original));
            Ok(())
        })
    }

    /// Updates an object of another collection in this transaction, as [`Op::create_object`] creates one: what follows an update
    /// (`after_update`) runs after the commit, once for each object.
    ///
    /// # Errors
    /// What those rules say.
    #[inline(never)]
    pub fn update_object<'a>(&'a mut self, collection: &'a str, original: &'a Record, body: &'a mut Body) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut op = self.on(collection)?;
            let entry = op.entry;
            entry.behaviour.update(&mut op, original, body).await?;
            for hook in &entry.hooks {
                hook.update(&mut op, original, body).await?;
            }
            if !self.side.updated.iter().any(|(name, known)| name == collection && known.id() == original.id()) {
                self.side.updated.push((collection.to_owned(), original.clone()));
            }
            self.changed(collection, original.id(), Verb::Updated, Some(original));
            Ok(())
        })
    }

    /// Notes a change of an object for those who watch ([`crate::Watcher`]). The engine does it for the objects of a request and for those
    /// written by `*_object`; raised revisions are seen by themselves. This is for rows that a feature writes by its own SQL.
    pub fn changed(&mut self, collection: &str, id: &str, verb: Verb, before: Option<&Record>) {
        let change = Change { collection: collection.to_owned(), id: id.to_owned(), verb, before: before.cloned(), after: None };
        self.side.changes.objects.push(change);
    }
}

pub(crate) fn not_found(engine: &Engine, collection: &str, id: &str) -> Error {
    match engine.entry(collection) {
        Ok(entry) => {
            let resource = entry.table.resource;
            let id: String = id.chars().take(64).collect();
            resource.not_found.error(format!("{} {id} could not be found.", title(resource.member)))
        }
        Err(error) => error,
    }
}

/// `security_group` as the beginning of a sentence: `Security group`.
pub(crate) fn title(member: &str) -> String {
    let text = member.replace(['_', '-'], " ");
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}
