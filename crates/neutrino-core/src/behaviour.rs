// SPDX-License-Identifier: Apache-2.0
//! What a feature implements: the rules of its own resources ([`Behaviour`]), what it adds to those of others ([`Hook`]), and
//! attributes that are loaded once per page ([`Loader`]).
//!
//! The order of an operation, for the behaviour first and then for each hook in order of registration:
//! `before_*` (may read, may refuse, no transaction) → `create`/`update`/`delete` in the transaction (may refuse, rolls all back)
//! → commit → `confirm_create` (may talk to others; its failure undoes a create) → `after_*` (may talk to others; its failure is logged).

use async_trait::async_trait;
use neutrino_db::{Dialect, Row, Sql, Tx};
use neutrino_model::{Body, Page, Record};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::Value;

use crate::{Context, Engine, ListQuery, Op, op::not_found};

/// Where a URL leads: a collection as registered, the id of the parent for a child, and the object's own.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub collection: &'a str,
    pub parent: Option<&'a str>,
    pub id: &'a str,
}

/// The rules of one resource. Every method has a default that does what a plain table needs.
#[async_trait]
pub trait Behaviour: Send + Sync {
    /// Runs before the transaction of a create, once for each object: guards that need no lock, values to fill in.
    async fn before_create(&self, _engine: &Engine, _cx: &Context, _body: &mut Body) -> Result<()> {
        Ok(())
    }

    /// [`Behaviour::before_create`] for all objects of a request, in order. For rules that hold between the objects of one request.
    async fn before_create_all(&self, engine: &Engine, cx: &Context, bodies: &mut [Body]) -> Result<()> {
        for body in bodies {
            self.before_create(engine, cx, body).await?;
        }
        Ok(())
    }

    /// Runs before a list is read: objects that a first look brings into being, filters that need a look-up of their own.
    async fn before_list(&self, _engine: &Engine, _cx: &Context, _query: &mut ListQuery) -> Result<()> {
        Ok(())
    }

    /// Writes a new object. The default inserts the row with all its stored attributes.
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        op.insert(id, body, &[]).await
    }

    /// Runs in the transaction once all objects of a create are written and loaded.
    async fn created(&self, _op: &mut Op<'_>, _record: &Record) -> Result<()> {
        Ok(())
    }

    /// Runs after the commit of a create: what must come about outside the database for the object to stand. A failure deletes all objects
    /// of the request again, as a delete request would, and is the caller's answer. For objects made beside the request's own it is logged.
    async fn confirm_create(&self, _engine: &Engine, _cx: &Context, _record: &Record) -> Result<()> {
        Ok(())
    }

    /// Runs after the commit of a create. May replace the record by a newer state.
    async fn after_create(&self, _engine: &Engine, _cx: &Context, _record: &mut Record) -> Result<()> {
        Ok(())
    }

    /// Runs before the transaction of an update.
    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, _body: &mut Body) -> Result<()> {
        Ok(())
    }

    /// Writes an update. The default writes the stored attributes that differ.
    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        op.update(original, body).await
    }

    /// Runs in the transaction once the update is written and the object loaded again.
    async fn updated(&self, _op: &mut Op<'_>, _original: &Record, _record: &Record) -> Result<()> {
        Ok(())
    }

    /// Runs after the commit of an update. May replace the record by a newer state.
    async fn after_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, _record: &mut Record) -> Result<()> {
        Ok(())
    }

    /// Runs before the transaction of a delete.
    async fn before_delete(&self, _engine: &Engine, _cx: &Context, _original: &Record) -> Result<()> {
        Ok(())
    }

    /// Deletes an object. The default deletes the row and its standard attributes; rows of others go by cascade.
    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        op.delete(original).await
    }

    /// Runs after the commit of a delete.
    async fn after_delete(&self, _engine: &Engine, _cx: &Context, _original: &Record) -> Result<()> {
        Ok(())
    }

    /// Makes the rows of a resource that has no table of its own. `parent` is the id in the URL for a child resource. The
    /// engine filters, sorts, pages and cuts fields afterwards.
    async fn rows(&self, _engine: &Engine, _cx: &Context, _tx: &mut Tx, _parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        Err(Error::internal("a resource without a table has no rows()"))
    }

    /// Shows one object of a resource that has no table of its own; `fields` is what the request wants of it. The default looks for it
    /// among the rows.
    async fn show_row(&self, engine: &Engine, cx: &Context, place: Place<'_>, _fields: Option<&[String]>) -> Result<Record> {
        let table = engine.entry(place.collection)?.table.clone();
        let key = table.primary_key().map_or("id", |at| table.attributes[at].name);
        let mut tx = engine.db.reader().await?;
        let rows = self.rows(engine, cx, &mut tx, place.parent, &ListQuery::by(&table, key, place.id)).await?;
        let found = rows.into_iter().find(|row| row.str(key) == place.id);
        found.ok_or_else(|| not_found(engine, place.collection, place.id))
    }

    /// Such an object as a write starts from.
    async fn original_row(&self, engine: &Engine, cx: &Context, place: Place<'_>) -> Result<Record> {
        self.show_row(engine, cx, place, None).await
    }

    /// Creates an object of a resource that has no table of its own. Transactions are the feature's ([`Engine::transact`]).
    async fn create_row(&self, _engine: &Engine, _cx: &Context, _body: &Body) -> Result<Record> {
        Err(Error::internal("a resource without a table has no create_row()"))
    }

    /// Updates such an object.
    async fn update_row(&self, _engine: &Engine, _cx: &Context, _original: &Record, _body: &Body) -> Result<Record> {
        Err(Error::internal("a resource without a table has no update_row()"))
    }

    /// Deletes such an object.
    async fn delete_row(&self, _engine: &Engine, _cx: &Context, _original: &Record) -> Result<()> {
        Err(Error::internal("a resource without a table has no delete_row()"))
    }

    /// Runs an action (`PUT /collection/{id}/name`, or on a collection with an empty id). The answer is the body, and the status
    /// if it is not 200.
    async fn action(&self, _engine: &Engine, _cx: &Context, name: &str, _id: &str, _request: &Value) -> Result<(u16, Value)> {
        Err(kinds::NOT_IMPLEMENTED.error(format!("The action {name} is not supported.")))
    }
}

/// A plain table needs no rules of its own.
#[derive(Debug)]
pub struct Plain;

impl Behaviour for Plain {}

/// What a feature does when objects of another feature change. Defaults do nothing.
#[async_trait]
pub trait Hook: Send + Sync {
    /// May refuse, or fill in values.
    async fn before_create(&self, _engine: &Engine, _cx: &Context, _body: &mut Body) -> Result<()> {
        Ok(())
    }
    /// In the transaction, after the object's own rows.
    async fn create(&self, _op: &mut Op<'_>, _id: &str, _body: &Body) -> Result<()> {
        Ok(())
    }
    /// [`Behaviour::confirm_create`].
    async fn confirm_create(&self, _engine: &Engine, _cx: &Context, _record: &Record) -> Result<()> {
        Ok(())
    }
    async fn after_create(&self, _engine: &Engine, _cx: &Context, _record: &Record) -> Result<()> {
        Ok(())
    }
    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, _body: &mut Body) -> Result<()> {
        Ok(())
    }
    async fn update(&self, _op: &mut Op<'_>, _original: &Record, _body: &Body) -> Result<()> {
        Ok(())
    }
    async fn after_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, _record: &Record) -> Result<()> {
        Ok(())
    }
    /// An SQL condition over the object, whose id is `:id`, without which neither [`Hook::before_delete`] nor [`Hook::delete`] has anything to do.
    /// The conditions of all hooks are one statement, so most of what could refer to an object costs nothing where nothing does. In the
    /// transaction they are asked when the object is claimed.
    fn delete_if(&self) -> Option<&'static str> {
        None
    }
    async fn before_delete(&self, _engine: &Engine, _cx: &Context, _original: &Record) -> Result<()> {
        Ok(())
    }
    /// In the transaction, before the object's own rows go.
    async fn delete(&self, _op: &mut Op<'_>, _original: &Record) -> Result<()> {
        Ok(())
    }
    async fn after_delete(&self, _engine: &Engine, _cx: &Context, _original: &Record) -> Result<()> {
        Ok(())
    }
}

/// Attributes that one statement fills for a whole page, and how lists are filtered by them.
///
/// What has one SELECT gives it with [`Loader::query`] and takes its rows with [`Loader::fill`]: those of all loaders of a page go to the database
/// together. What needs more, or none, is [`Loader::load`].
#[async_trait]
pub trait Loader: Send + Sync {
    /// The attributes it fills. It runs only when one of them is wanted.
    fn fills(&self) -> &'static [&'static str];

    /// Attributes it reads from the rows, beside `id`; they are fetched even if the caller does not want them.
    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Does its query go by the ids of the rows alone? It then runs beside the SELECT of objects whose ids are known.
    fn asks_by_id(&self) -> bool {
        self.needs().is_empty()
    }

    /// The SELECT of what it fills; `None` if there is none for this page. Asked for before any loader has filled anything: it may go by columns
    /// of the resource's own table only ([`of_page`](crate::loading::of_page)). If it [asks by id](Loader::asks_by_id), rows that are not the page's may come back.
    fn query(&self, _dialect: Dialect, _page: &Page) -> Option<Sql> {
        None
    }

    /// Fills the page from the rows of its query, after the loaders registered before it.
    fn fill(&self, _page: &mut Page, _rows: Vec<Row>) -> Result<()> {
        Ok(())
    }

    /// Fills the page when there is no query, after the loaders registered before it. A constant number of statements, whatever the number of rows.
    async fn load(&self, _cx: &Context, _tx: &mut Tx, _page: &mut Page) -> Result<()> {
        Ok(())
    }

    /// The condition over the main table `t` for a filter by one of its attributes; `None` if it cannot be filtered by.
    fn filter(&self, _cx: &Context, _dialect: Dialect, _attribute: &str, _values: &[Value]) -> Result<Option<Sql>> {
        Ok(None)
    }
}

/// What must be done once before the first request is served: bringing tables in line with the configuration.
#[async_trait]
pub trait Startup: Send + Sync {
    fn name(&self) -> &'static str;

    /// Runs in every server process, maybe in several at once; doing it again must change nothing.
    async fn run(&self, engine: &Engine) -> Result<()>;
}

/// Work that runs beside the API for as long as the server does: periodic tasks, queues.
#[async_trait]
pub trait Worker: Send + Sync {
    fn name(&self) -> &'static str;

    /// Does it look after the whole deployment from time to time? Then it runs only in processes that do periodic work; queues of what this
    /// process has to do run in all.
    fn is_periodic(&self) -> bool {
        false
    }

    /// Runs until `stop` resolves. Ending earlier stops the server.
    async fn run(&self, engine: std::sync::Arc<Engine>, stop: tokio::sync::watch::Receiver<bool>) -> Result<()>;
}

/// One operation of a part of the API that no table describes, for the description of the API.
#[derive(Clone, Debug)]
pub struct Described {
    /// `GET`, `PUT`, ...
    pub method: &'static str,
    /// What follows the part's own path, a name in braces for each id: `/{tag}`.
    pub rest: &'static str,
    /// The JSON Schema of the request's body, if it has one.
    pub request: Option<Value>,
    /// The status of success, and the JSON Schema of its body.
    pub status: u16,
    pub answer: Option<Value>,
}

/// A place at the root of the API whose requests and answers have a form of their own: `/quotas/{project}/details`.
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// The first segment of its paths.
    fn path(&self) -> &'static str;

    /// The policy rule that a request needs, its target the project that the path names first (or none); `None` when an identity is enough.
    /// `rest`: the further segments of the path. Fails for what is not there: 404, 405.
    fn rule(&self, cx: &Context, method: &str, rest: &[String]) -> Result<Option<&'static str>>;

    /// Its operations.
    fn describe(&self) -> Vec<Described> {
        Vec::new()
    }

    /// Answers a request that policy let through: the status, and the body if there is one. `body` is null when the request has none.
    async fn call(&self, engine: &Engine, cx: &Context, method: &str, rest: &[String], body: &Value) -> Result<(u16, Option<Value>)>;
}

/// A sub-resource of several collections whose requests and answers have a form of their own: `/networks/{id}/tags`.
#[async_trait]
pub trait Facet: Send + Sync {
    /// What follows the parent's id in the URL.
    fn path(&self) -> &'static str;

    fn collections(&self) -> &'static [&'static str];

    /// What may be done with it, of `get`, `create`, `update` and `delete`: each needs a rule of the policy. The rest is 405.
    fn verbs(&self) -> &'static [&'static str] {
        &["get", "create", "update", "delete"]
    }

    /// Its operations, if more can be said of them than [`Facet::verbs`] does.
    fn describe(&self) -> Option<Vec<Described>> {
        None
    }

    /// Answers a request for the whole (`item` is `None`) or for one part of it: the status, and the body if there is one. `parent` is the
    /// whole object in the caller's view; `body` is null when the request has none.
    async fn call(
        &self,
        engine: &Engine,
        cx: &Context,
        parent: &Record,
        item: Option<&str>,
        method: &str,
        body: &Value,
    ) -> Result<(u16, Option<Value>)>;
}
