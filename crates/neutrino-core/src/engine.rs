// SPDX-License-Identifier: Apache-2.0
//! Lists, shows, creates, updates and deletes the objects of any table, by the rules its feature registered.
//!
//! The order of a write: load the original in the caller's view, guards before the transaction, the transaction (retried as a whole), the commit,
//! then what follows it. A create that is not confirmed after the commit is undone; any other failure after the commit is logged, and the answer
//! is what was stored.

use std::sync::Arc;

use neutrino_db::{Db, Pending, Row, Sql, Witness};
use neutrino_model::{Body, Extent, Record};
use neutrino_types::{Error, Result, error::kinds};

use crate::{
    Authorized, Change, Context, Hook, Judge, ListQuery, Op, Policy, Registry, Verb,
    behaviour::Place,
    gathering::{Gathering, Kind, Turn},
    loading,
    op::{Side, not_found},
    quota,
    registry::Entry,
    select::{self, Select},
};

/// What must hold of an object for a write to go on: `If-Match: revision_number=N`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Precondition {
    pub revision: Option<i64>,
}

/// The database, what is on, and the rules. One per process.
pub struct Engine {
    pub db: Db,
    pub registry: Arc<Registry>,
    pub policy: Policy,
    shows: Gathering,
}

impl Engine {
    #[must_use]
    pub fn new(db: Db, registry: Registry, policy: Policy) -> Self {
        Self { db, registry: Arc::new(registry), policy, shows: Gathering::default() }
    }

    /// Who decides on the operations of one request.
    #[must_use]
    pub fn judge<'a>(&'a self, cx: &'a Context) -> Judge<'a> {
        Judge::new(self, cx)
    }

    /// Does what must be done before the first request.
    ///
    /// # Errors
    /// The first step's that fails; the database's.
    pub async fn start(&self) -> Result<()> {
        for step in self.registry.startups() {
            tracing::debug!("start: {}", step.name());
            step.run(self).await?;
        }
        Ok(())
    }

    /// The entry of a collection that is on.
    ///
    /// # Errors
    /// Internal: a feature named a collection that is not there.
    pub fn entry(&self, collection: &str) -> Result<&Entry> {
        self.registry.entry(collection).ok_or_else(|| Error::internal(format!("no collection \"{collection}\" is registered")))
    }

    /// A page of a collection in the caller's view. `parent`: the id in the URL for a child resource.
    ///
    /// # Errors
    /// 404 for an unknown marker, 400 for a filter that cannot be; the database's.
    #[inline(never)]
    pub fn list<'a>(
        &'a self,
        cx: &'a Context,
        auth: &'a Authorized,
        collection: &'a str,
        parent: Option<&'a str>,
        query: &'a ListQuery,
    ) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            let entry = self.entry(collection)?;
            let mut query = query.clone();
            entry.behaviour.before_list(self, cx, &mut query).await?;
            let query = &query;
            let mut tx = self.db.reader().await?;
            if entry.table.resource.table.is_none() {
                let rows = entry.behaviour.rows(self, cx, &mut tx, parent, query).await?;
                drop(tx);
                let rows = auth.admit(self, cx, rows).await?;
                return crate::engine::virtual_rows::page(self, collection, rows, query);
            }
            let mut wanted = select::wanted(entry, query.fields.as_deref(), Some(auth));
            for (at, _) in &query.sort {
                wanted[*at] = true;
            }
            let mut select = Select::new(entry, cx, tx.dialect(), &wanted);
            let marker = match &query.marker {
                Some(id) => {
                    let by_id = Sql::new("t.id = ?", vec![id.into()]);
                    let row = tx.select(select.page(&ListQuery::default(), Some(by_id), None)?).await?.into_iter().next();
                    match row {
                        Some(row) => Some(select.decode(row)?),
                        // Nothing follows what the caller does not see; whether it is there is not told.
                        None if !cx.sees_all() && entry.table.resource.stack == neutrino_model::Stack::Extension => return Ok(Vec::new()),
                        None => return Err(not_found(self, collection, id)),
                    }
                }
                None => None,
            };
            let child = child_of(entry, parent);
            let unconditional = child.is_none() && select.has_no_condition(query);
            // With a loader there is a second statement, with which others can go.
            let has_beside =
                entry.loaders.iter().any(|loader| loader.fills().iter().any(|name| entry.table.find(name).is_some_and(|at| wanted[at])));
            if unconditional && has_beside && query.limit.is_none_or(|limit| limit >= loading::MANY) {
                select.leave_out_tables(query);
            }
            let sql = select.page(query, child, marker.as_ref())?;
            let mut records = tx.select_as(sql, |row| select.decode(row)).await?;
            let extent = match marker {
                None if unconditional && query.limit.is_none_or(|limit| records.len() < limit) => Extent::All,
                // In the order of ids, none of those that are not on the page lies between two that are.
                _ if unconditional && query.sort.is_empty() => Extent::Run,
                _ => Extent::Some,
            };
            if query.page_reverse {
                records.reverse();
            }
            let apart = select.into_apart();
            let records = loading::fill(entry, cx, &mut tx, records, wanted, apart, extent).await?;
            drop(tx);
            auth.admit(self, cx, records).await
        })
    }

    /// One object in the caller's view; who may not see it gets the 404 of what is not there.
    ///
    /// # Errors
    /// The resource's own 404; the database's.
    #[inline(never)]
    pub fn show<'a>(
        &'a self,
        cx: &'a Context,
        auth: &'a Authorized,
        collection: &'a str,
        parent: Option<&'a str>,
        id: &'a str,
        fields: Option<&'a [String]>,
    ) -> Pending<'a, Record> {
        Box::pin(async move {
            let entry = self.entry(collection)?;
            if entry.table.resource.table.is_none() {
                let found = entry.behaviour.show_row(self, cx, Place { collection, parent, id }, fields).await?;
                return self.admitted(cx, auth, found).await;
            }
            let wanted = select::wanted(entry, fields, Some(auth));
            let found = match child_of(entry, parent) {
                None => self.gathered(entry, cx, id, wanted).await?,
                child => loading::by_ids(entry, cx, &mut self.db.reader().await?, &[id], child, wanted).await?.pop(),
            };
            let Some(record) = found else {
                self.ensure_parent(cx, entry, parent).await?;
                return Err(not_found(self, collection, id));
            };
            self.admitted(cx, auth, record).await
        })
    }

    /// The object with this id as the caller sees it, read by itself or with others that are asked for at the same time.
    async fn gathered(&self, entry: &Entry, cx: &Context, id: &str, wanted: Vec<bool>) -> Result<Option<Record>> {
        let kind = Kind { table: Arc::clone(&entry.table), wanted: wanted.clone(), caller: Arc::clone(&cx.caller) };
        match self.shows.turn(kind, id).await {
            Some(Turn::Found(found)) => return Ok(Some(found)),
            Some(Turn::Lead(lead)) if lead.has_others() => {
                // What fails or is not found may be so because of the others: an id that the database cannot take, or takes for another.
                if let Ok(found) = loading::by_ids(entry, cx, &mut self.db.reader().await?, &lead.ids(id), None, wanted.clone()).await
                    && let Some(found) = lead.share(id, found)
                {
                    return Ok(Some(found));
                }
            }
            lead => {
                let found = loading::by_ids(entry, cx, &mut self.db.reader().await?, &[id], None, wanted).await?.pop();
                drop(lead);
                return Ok(found);
            }
        }
        Ok(loading::by_ids(entry, cx, &mut self.db.reader().await?, &[id], None, wanted).await?.pop())
    }

    /// A child is reached through its parent only: who may not see that gets its 404.
    #[inline(never)]
    pub(crate) fn ensure_parent<'a>(&'a self, cx: &'a Context, entry: &'a Entry, parent: Option<&'a str>) -> Pending<'a, ()> {
        Box::pin(async move {
            let (Some(declared), Some(id)) = (entry.table.resource.parent, parent) else { return Ok(()) };
            if self.registry.entry(declared.collection).is_none_or(|parent| parent.table.resource.table.is_none()) {
                return Ok(());
            }
            let auth = Authorized::internal("is the parent in the URL in the caller's view?");
            Box::pin(self.show(cx, &auth, declared.collection, None, id, Some(&["id".to_owned()]))).await.map(drop)
        })
    }

    /// What the policy hides is not there.
    async fn admitted(&self, cx: &Context, auth: &Authorized, record: Record) -> Result<Record> {
        let admitted = auth.admit(self, cx, vec![record]).await?.pop();
        admitted.ok_or_else(|| kinds::NOT_FOUND.error("The resource could not be found."))
    }

    /// One whole object in the caller's view: what a write starts from and policy judges.
    ///
    /// # Errors
    /// As [`Engine::show`].
    #[inline(never)]
    pub fn original<'a>(&'a self, cx: &'a Context, collection: &'a str, parent: Option<&'a str>, id: &'a str) -> Pending<'a, Record> {
        Box::pin(async move {
            let auth = Authorized::internal("the object that a write is about to be judged on");
            let entry = self.entry(collection)?;
            if entry.table.resource.table.is_none() {
                return entry.behaviour.original_row(self, cx, Place { collection, parent, id }).await;
            }
            let all: Vec<String> = entry.table.attributes.iter().map(|a| a.name.to_owned()).collect();
            self.db.retry("load", || self.show(cx, &auth, collection, parent, id, Some(&all))).await
        })
    }

    /// Creates objects, all or none; one transaction.
    ///
    /// # Errors
    /// What the rules say; the database's.
    #[inline(never)]
    pub fn create<'a>(
        &'a self,
        cx: &'a Context,
        _auth: &'a Authorized,
        collection: &'a str,
        mut bodies: Vec<Body>,
    ) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            let entry = self.entry(collection)?;
            entry.behaviour.before_create_all(self, cx, &mut bodies).await?;
            for body in &mut bodies {
                for hook in &entry.hooks {
                    hook.before_create(self, cx, body).await?;
                }
            }
            if entry.table.resource.table.is_none() {
                let mut records = Vec::with_capacity(bodies.len());
                for body in &bodies {
                    records.push(entry.behaviour.create_row(self, cx, body).await?);
                }
                return Ok(records);
            }
            let bodies = &bodies;
            let (mut records, mut side) = self
                .db
                .retry("create", || async {
                    let mut tx = self.db.begin().await?;
                    let mut side = Side::default();
                    let mut op = Op { cx, engine: self, tx: &mut tx, entry, side: &mut side };
                    if let Some(bounds) = self.registry.quota() {
                        bounds.reserve(&mut op, collection, &quota::by_project(bodies)).await?;
                    }
                    let mut ids = Vec::with_capacity(bodies.len());
                    for body in bodies {
                        let id = cx.new_id();
                        let mut body = body.clone();
                        entry.behaviour.create(&mut op, &id, &mut body).await?;
                        for hook in &entry.hooks {
                            hook.create(&mut op, &id, &body).await?;
                        }
                        ids.push(id);
                    }
                    op.flush().await?;
                    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                    let records = loading::load(entry, cx, op.tx, &ids).await?;
                    if records.len() != ids.len() {
                        return Err(Error::internal(format!("{collection}: {} created, {} found", ids.len(), records.len())));
                    }
                    for record in &records {
                        entry.behaviour.created(&mut op, record).await?;
                    }
                    op.flush().await?;
                    tx.witness(lost::row(entry, ids.first().copied(), true));
                    tx.commit().await?;
                    Ok((records, side))
                })
                .await?;
            self.tell(cx, &mut side, || records.iter().map(|record| change(collection, Verb::Created, None, Some(record))).collect());
            if let Err(error) = self.confirm(cx, entry, collection, &records).await {
                side.effects.clear();
                self.settle(cx, side).await;
                return Err(error);
            }
            for record in &mut records {
                log_failure("after create", entry.behaviour.after_create(self, cx, record).await);
                for hook in &entry.hooks {
                    log_failure("after create", hook.after_create(self, cx, record).await);
                }
            }
            self.settle(cx, side).await;
            Ok(records)
        })
    }

    /// Updates an object. `original` is what [`Engine::original`] gave and policy was asked about.
    ///
    /// # Errors
    /// 412 when the precondition does not hold; what the rules say; the database's.
    #[inline(never)]
    pub fn update<'a>(
        &'a self,
        cx: &'a Context,
        _auth: &'a Authorized,
        collection: &'a str,
        original: &'a Record,
        mut body: Body,
        precondition: Precondition,
    ) -> Pending<'a, Record> {
        Box::pin(async move {
            let entry = self.entry(collection)?;
            entry.behaviour.before_update(self, cx, original, &mut body).await?;
            for hook in &entry.hooks {
                hook.before_update(self, cx, original, &mut body).await?;
            }
            if entry.table.resource.table.is_none() {
                return entry.behaviour.update_row(self, cx, original, &body).await;
            }
            let (body, id) = (&body, original.id());
            let last = &lost::LastTry::default();
            let (original, mut record, mut side) = self
                .db
                .retry("update", || async {
                    let mut tx = self.db.begin().await?;
                    let mut side = Side::default();
                    let mut op = Op { cx, engine: self, tx: &mut tx, entry, side: &mut side };
                    if let Some(done) = last.took_place(&mut op, collection, id, precondition).await? {
                        return Ok(done);
                    }
                    let (original, _) = current(&mut op, collection, id, precondition, None).await?;
                    let mut body = body.clone();
                    entry.behaviour.update(&mut op, &original, &mut body).await?;
                    for hook in &entry.hooks {
                        hook.update(&mut op, &original, &body).await?;
                    }
                    op.flush().await?;
                    let record = op.find(collection, id).await?;
                    entry.behaviour.updated(&mut op, &original, &record).await?;
                    op.flush().await?;
                    tx.witness(Witness::Repeatable);
                    let committed = tx.commit().await;
                    last.keep(committed, (original, record, side))
                })
                .await?;
            self.tell(cx, &mut side, || vec![change(collection, Verb::Updated, Some(&original), Some(&record))]);
            log_failure("after update", entry.behaviour.after_update(self, cx, &original, &mut record).await);
            for hook in &entry.hooks {
                log_failure("after update", hook.after_update(self, cx, &original, &record).await);
            }
            self.settle(cx, side).await;
            Ok(record)
        })
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// 412 when the precondition does not hold; what the rules say; the database's.
    #[inline(never)]
    pub fn delete<'a>(
        &'a self,
        cx: &'a Context,
        _auth: &'a Authorized,
        collection: &'a str,
        original: &'a Record,
        precondition: Precondition,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            let entry = self.entry(collection)?;
            entry.behaviour.before_delete(self, cx, original).await?;
            let mut reader = self.db.reader().await?;
            let conditions = Conditions::of(&entry.hooks);
            let answer = match conditions.query(entry, original.id()) {
                Some(query) => Some(reader.select(query).await?),
                None => None,
            };
            drop(reader);
            for hook in conditions.concerned(answer.as_deref())? {
                hook.before_delete(self, cx, original).await?;
            }
            if entry.table.resource.table.is_none() {
                return entry.behaviour.delete_row(self, cx, original).await;
            }
            let id = original.id();
            let (original, mut side) = self
                .db
                .retry("delete", || async {
                    let mut tx = self.db.begin().await?;
                    let mut side = Side::default();
                    let mut op = Op { cx, engine: self, tx: &mut tx, entry, side: &mut side };
                    let (original, answer) = current(&mut op, collection, id, precondition, Some(&conditions)).await?;
                    for hook in conditions.concerned(answer.as_deref())? {
                        hook.delete(&mut op, &original).await?;
                    }
                    entry.behaviour.delete(&mut op, &original).await?;
                    op.flush().await?;
                    tx.witness(lost::row(entry, Some(id), false));
                    tx.commit().await?;
                    Ok((original, side))
                })
                .await?;
            self.tell(cx, &mut side, || vec![change(collection, Verb::Deleted, Some(&original), None)]);
            self.settle(cx, side).await;
            log_failure("after delete", entry.behaviour.after_delete(self, cx, &original).await);
            for hook in &entry.hooks {
                log_failure("after delete", hook.after_delete(self, cx, &original).await);
            }
            Ok(())
        })
    }

    /// Runs a write that belongs to no single create, update or delete (an action, a periodic task) as one retried transaction
    /// of `collection`'s rules.
    ///
    /// # Errors
    /// What the closure says; the database's.
    pub async fn transact<T, F>(&self, cx: &Context, collection: &str, name: &'static str, operation: F) -> Result<T>
    where
        T: Send,
        F: for<'o> Fn(&'o mut Op<'_>) -> futures::future::BoxFuture<'o, Result<T>> + Send + Sync,
    {
        let entry = self.entry(collection)?;
        let operation = &operation;
        let (value, mut side) = self
            .db
            .retry(name, || async move {
                let mut tx = self.db.begin().await?;
                let mut side = Side::default();
                let mut op = Op { cx, engine: self, tx: &mut tx, entry, side: &mut side };
                let value = operation(&mut op).await?;
                op.flush().await?;
                let witness = lost::beside(self, &side);
                tx.witness(witness);
                tx.commit().await?;
                Ok((value, side))
            })
            .await?;
        self.tell(cx, &mut side, Vec::new);
        self.settle(cx, side).await;
        Ok(value)
    }
}

/// The object as it is, claimed for this transaction: two changes of one object come one after the other, and a precondition that held
/// still holds when the change is written. For one that `goes`, also the answer to what its hooks ask.
async fn current(
    op: &mut Op<'_>,
    collection: &str,
    id: &str,
    precondition: Precondition,
    goes: Option<&Conditions<'_>>,
) -> Result<(Record, Option<Vec<Row>>)> {
    op.hold(id, goes.is_some()).await?;
    let (original, answer) = match goes.and_then(|conditions| conditions.query(op.entry, id)) {
        Some(query) => {
            let (found, answer) = loading::load_beside(op.entry, &op.cx.elevated(), op.tx, id, query).await?;
            (found.ok_or_else(|| not_found(op.engine, collection, id))?, Some(answer))
        }
        None => (op.find(collection, id).await?, None),
    };
    op.is_held(&original, goes.is_some());
    if let (Some(asked), Some(is)) = (precondition.revision, original.int("revision_number"))
        && asked != is
    {
        return Err(kinds::REVISION_MISMATCH.error(format!(
            "Constrained to {asked}, but current revision is {is}: read the {} again and repeat the change.",
            original.table().resource.member
        )));
    }
    Ok((original, answer))
}

/// The hooks of a collection, and under which conditions a delete concerns them ([`Hook::delete_if`]).
struct Conditions<'h>(&'h [Arc<dyn Hook>]);

impl<'h> Conditions<'h> {
    fn of(hooks: &'h [Arc<dyn Hook>]) -> Self {
        Self(hooks)
    }

    /// One row with a column for each condition; `None` without any.
    fn query(&self, entry: &Entry, id: &str) -> Option<Sql> {
        let table = entry.table.resource.table?;
        let mut sql = Sql::raw("SELECT ");
        let mut asked = 0;
        for condition in self.0.iter().filter_map(|hook| hook.delete_if()) {
            sql.push(if asked > 0 { ", CASE WHEN " } else { "CASE WHEN " });
            for (n, part) in condition.split(":id").enumerate() {
                if n > 0 {
                    sql.bind(id);
                }
                sql.push(part);
            }
            sql.push(" THEN 1 ELSE 0 END");
            asked += 1;
        }
        sql.push(" FROM ").push_name(table).push(" it WHERE it.id = ").bind(id);
        (asked > 0).then_some(sql)
    }

    /// The hooks that the delete concerns, by the answer to the query; all where there is no query. Of an object that is gone it concerns those
    /// that ask nothing.
    fn concerned(&self, answer: Option<&[Row]>) -> Result<Vec<&'h Arc<dyn Hook>>> {
        let mut column = 0;
        let mut found = Vec::with_capacity(self.0.len());
        for hook in self.0 {
            let concerned = match (answer.map(<[Row]>::first), hook.delete_if()) {
                (_, None) | (None, _) => true,
                (Some(Some(row)), Some(_)) => {
                    column += 1;
                    row.int(column - 1)? != 0
                }
                (Some(None), Some(_)) => false,
            };
            if concerned {
                found.push(hook);
            }
        }
        Ok(found)
    }
}

fn child_of(entry: &Entry, parent: Option<&str>) -> Option<Sql> {
    let (declared, id) = (entry.table.resource.parent?, parent?);
    let column = entry.table.attribute(declared.attribute).and_then(|a| match &a.source {
        neutrino_model::Source::Column(column) => Some(column.name),
        _ => None,
    })?;
    Some(Sql::new(format!("t.{} = ?", neutrino_db::quote(column)), vec![id.into()]))
}

fn change(collection: &str, verb: Verb, before: Option<&Record>, after: Option<&Record>) -> Change {
    let id = after.or(before).map(|record| record.id().to_owned()).unwrap_or_default();
    Change { collection: collection.to_owned(), id, verb, before: before.cloned(), after: after.cloned() }
}

fn log_failure(what: &str, result: Result<()>) {
    if let Err(error) = result {
        tracing::error!(error = %error, log = error.log().unwrap_or_default(), "{what} failed; what was stored stands");
    }
}

mod aftermath;
mod lost;
mod virtual_rows;
