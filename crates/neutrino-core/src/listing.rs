// SPDX-License-Identifier: Apache-2.0
//! Whole objects of a collection as the caller sees them, for answers whose form is not a table's own.

use neutrino_model::View;
use neutrino_types::{Error, Result};
use serde_json::Value;

use crate::{Context, Engine, Filter, ListQuery};

/// The objects with these ids that the caller may see, in the order of their ids. A constant number of statements.
///
/// # Errors
/// The database's.
pub async fn objects(engine: &Engine, cx: &Context, collection: &str, ids: Vec<String>) -> Result<Vec<Value>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let table = &engine.entry(collection)?.table;
    let mut query = ListQuery::default();
    if let Some(attribute) = table.find("id") {
        query.filters.push(Filter { attribute, values: ids.into_iter().map(Value::from).collect() });
    }
    let auth = engine.judge(cx).read(collection, None).await?;
    let rows = engine.list(cx, &auth, collection, None, &query).await?;
    let hidden = auth.hidden(engine, cx, rows.first()).await?;
    let view = View::new(table, |name| !table.find(name).and_then(|at| hidden.get(at)).copied().unwrap_or(false));
    let mut text = Vec::new();
    rows.iter()
        .map(|row| {
            text.clear();
            view.write(row, &mut text);
            serde_json::from_slice(&text).map_err(|error| Error::internal(format!("a record is no JSON: {error}")))
        })
        .collect()
}
