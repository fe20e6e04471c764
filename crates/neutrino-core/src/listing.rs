// SPDX-License-Identifier: Apache-2.0
//! Objects of a collection for answers whose form is not a table's own: as the caller sees them, or whole, as agents get them.

use neutrino_model::{Record, Table, View};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::Value;

use crate::{Authorized, Context, Engine, Filter, ListQuery};

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
    rows.iter().map(|row| json(&view, row)).collect()
}

fn json(view: &View, row: &Record) -> Result<Value> {
    let mut text = Vec::new();
    view.write(row, &mut text);
    serde_json::from_slice(&text).map_err(|error| Error::internal(format!("a record is no JSON: {error}")))
}

/// Records of one collection as Neutron's plugins hand them to agents: every attribute that is visible to anybody, and the id of the standard
/// attributes where there are some.
///
/// # Errors
/// Internal: a record that is no JSON.
pub fn dicts(table: &Table, rows: &[Record]) -> Result<Vec<Value>> {
    let view = View::new(table, |_| true);
    rows.iter()
        .map(|row| {
            let mut dict = json(&view, row)?;
            if row.standard_attr_id != 0 {
                dict["standard_attr_id"] = row.standard_attr_id.into();
            }
            // Subnets have it from their network, and the API does not show it.
            if table.find("shared").is_some() && dict.get("shared").is_none() {
                dict["shared"] = row.get("shared").clone();
            }
            Ok(dict)
        })
        .collect()
}

/// [`dicts`] of one record.
///
/// # Errors
/// As there.
pub fn dict(row: &Record) -> Result<Value> {
    Ok(dicts(row.table(), std::slice::from_ref(row))?.pop().unwrap_or_default())
}

/// What a call of an agent filters by: `{"network_id": ["..."], "fixed_ips": {"ip_address": ["..."]}}`. Null is no filter.
///
/// # Errors
/// 400 `InvalidInput` for filters that are no object, and for an attribute that the table has not: without it the answer would be wrong.
pub fn query(engine: &Engine, collection: &str, filters: &Value) -> Result<ListQuery> {
    let table = &engine.entry(collection)?.table;
    let mut query = ListQuery::default();
    let filters = match filters {
        Value::Null => return Ok(query),
        Value::Object(filters) => filters,
        _ => return Err(kinds::INVALID_INPUT.error("The filters of the call are no dictionary.")),
    };
    for (name, value) in filters {
        let unknown = || kinds::INVALID_INPUT.error(format!("{collection} cannot be looked for by '{name}'."));
        let attribute = table.find(name).ok_or_else(unknown)?;
        let values = match value {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        let limits = &engine.registry.limits;
        let good = |value: Value| match &table.attributes[attribute].convert {
            Some(converter) => converter.convert(value, limits).unwrap_or_default(),
            None => value,
        };
        query.filters.push(Filter { attribute, values: values.into_iter().map(good).collect() });
    }
    Ok(query)
}

/// Objects that fulfil a query, whole, as agents get them ([`dicts`]). A constant number of statements.
///
/// # Errors
/// The query's; the database's.
pub async fn for_agents(engine: &Engine, cx: &Context, collection: &str, query: &ListQuery) -> Result<Vec<Value>> {
    let auth = Authorized::internal("agents get whole objects");
    let rows = engine.list(&cx.elevated(), &auth, collection, None, query).await?;
    dicts(&engine.entry(collection)?.table, &rows)
}
