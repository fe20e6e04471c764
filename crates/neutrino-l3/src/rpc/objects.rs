// SPDX-License-Identifier: Apache-2.0
//! Whole objects as agents get them: all that the API shows an administrator.

use neutrino_core::{Authorized, Context, Engine, Filter, ListQuery, Precondition};
use neutrino_model::{Body, View};
use neutrino_types::{Error, Result};
use serde_json::{Map, Value};

pub type Object = Map<String, Value>;

/// Objects with these values of an attribute. A constant number of statements.
///
/// # Errors
/// The database's.
pub async fn by<'a>(
    engine: &Engine,
    cx: &Context,
    collection: &str,
    attribute: &str,
    values: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<Object>> {
    let values: Vec<Value> = values.into_iter().map(Value::from).collect();
    let Some(attribute) = engine.entry(collection)?.table.find(attribute).filter(|_| !values.is_empty()) else { return Ok(Vec::new()) };
    list(engine, cx, collection, &ListQuery { filters: vec![Filter { attribute, values }], ..ListQuery::default() }).await
}

/// Objects that a query asks for, each with its `standard_attr_id`.
///
/// # Errors
/// The database's.
pub async fn list(engine: &Engine, cx: &Context, collection: &str, query: &ListQuery) -> Result<Vec<Object>> {
    let auth = Authorized::internal("what agents are told of the objects that they serve");
    let table = &engine.entry(collection)?.table;
    let rows = engine.list(cx, &auth, collection, None, query).await?;
    let view = View::new(table, |name| query.wants(name));
    let mut text = Vec::new();
    rows.iter()
        .map(|row| {
            text.clear();
            view.write(row, &mut text);
            let mut object: Object = serde_json::from_slice(&text).map_err(|error| Error::internal(format!("no JSON: {error}")))?;
            object.insert("standard_attr_id".to_owned(), row.standard_attr_id.into());
            Ok(object)
        })
        .collect()
}

/// The text of a key; empty when it is none.
pub fn text<'a>(object: &'a Object, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub fn is(object: &Object, key: &str) -> bool {
    object.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// Moves a port to a host, by the ports' own rules. A port that is gone is no error. Whether it is there.
///
/// # Errors
/// What ports say; the database's.
pub async fn move_port(engine: &Engine, cx: &Context, port_id: &str, host: &str) -> Result<bool> {
    let mut request = Map::new();
    request.insert("binding:host_id".to_owned(), host.into());
    let body = Body::update(engine.entry("ports")?.table.clone(), &request, &engine.registry.limits)?;
    let done = async {
        let port = engine.original(cx, "ports", None, port_id).await?;
        let auth = Authorized::internal("a router's port goes where its agent is");
        engine.update(cx, &auth, "ports", &port, body, Precondition::default()).await
    };
    match done.await {
        Ok(_) => Ok(true),
        Err(error) if error.status() == 404 => Ok(false),
        Err(error) => Err(error),
    }
}
