// SPDX-License-Identifier: Apache-2.0
//! Objects by their ids, as the API knows them, many at once; and as the dictionaries that messages carry.

use std::collections::HashMap;

use neutrino_core::{Authorized, Context, Engine, Filter, ListQuery, listing};
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::Value;

/// These attributes of objects, by id; what is not served is passed over. Those that are gone are left out.
///
/// # Errors
/// The database's.
pub async fn some<'a>(
    engine: &Engine,
    cx: &Context,
    collection: &str,
    ids: impl IntoIterator<Item = &'a str>,
    fields: &[&str],
) -> Result<HashMap<String, Record>> {
    let values: Vec<Value> = ids.into_iter().map(Value::from).collect();
    let entry = engine.entry(collection)?;
    let Some(attribute) = entry.table.find("id").filter(|_| !values.is_empty()) else { return Ok(HashMap::new()) };
    let query = ListQuery {
        filters: vec![Filter { attribute, values }],
        fields: Some(fields.iter().map(|name| (*name).to_owned()).collect()),
        ..ListQuery::default()
    };
    let auth = Authorized::internal("what agents are told");
    let rows = engine.list(&cx.elevated(), &auth, collection, None, &query).await?;
    Ok(rows.into_iter().map(|row| (row.id().to_owned(), row)).collect())
}

/// [`some`] with all attributes.
///
/// # Errors
/// As there.
pub async fn whole<'a>(
    engine: &Engine,
    cx: &Context,
    collection: &str,
    ids: impl IntoIterator<Item = &'a str>,
) -> Result<HashMap<String, Record>> {
    let table = engine.entry(collection)?.table.clone();
    let all: Vec<&str> = table.attributes.iter().map(|attribute| attribute.name).collect();
    some(engine, cx, collection, ids, &all).await
}

/// An object as messages carry it ([`listing::dict`]). Networks say of two features whether they have them even where those are off.
///
/// # Errors
/// Internal: a record that is no JSON.
pub fn dict(record: &Record) -> Result<Value> {
    let mut dict = listing::dict(record)?;
    if record.table().resource.collection == "networks" {
        for name in ["qinq", "vlan_transparent"] {
            if dict.get(name).is_none() {
                dict[name] = Value::Null;
            }
        }
    }
    Ok(dict)
}
