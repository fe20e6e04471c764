// SPDX-License-Identifier: Apache-2.0
//! Reads objects of any kind with everything in them: one statement for the kind and one for each kind below it, however many objects.

use std::collections::{HashMap, HashSet};

use futures::future::BoxFuture;
use neutrino_db::{Dialect, Row, Sql, Tx};
use neutrino_types::{Error, Result, cidr::Cidr, error::kinds};
use serde_json::Value;

use crate::{
    json,
    object::{Data, Field, Form, Link, Object, Source, Strings},
};

/// The objects that meet a condition over the kind's tables.
///
/// # Errors
/// The database's.
pub async fn load(tx: &mut Tx, object: &'static Object, condition: Sql) -> Result<Vec<Data>> {
    Ok(rows(tx, object, None, condition).await?.into_iter().map(|(_, data)| data).collect())
}

/// The objects of these ids; those that are gone are left out.
///
/// # Errors
/// The database's.
pub async fn load_ids(tx: &mut Tx, object: &'static Object, ids: &[&str]) -> Result<Vec<Data>> {
    let keys = ids.iter().map(|id| object.key_of(id));
    let condition = Sql::in_texts(tx.dialect(), object.key, keys);
    let mut found = load(tx, object, condition).await?;
    if object.pair {
        let ids: HashSet<&str> = ids.iter().copied().collect();
        found.retain(|data| data.get(object.id).and_then(Value::as_str).is_some_and(|id| ids.contains(id)));
    }
    Ok(found)
}

/// What the filters of a call mean in SQL.
///
/// # Errors
/// 400 `InvalidInput` for a filter that cannot be obeyed: it would be worse to pass over it.
pub fn condition(object: &Object, dialect: Dialect, filters: &Data) -> Result<Sql> {
    let mut parts = Vec::with_capacity(filters.len());
    for (name, value) in filters {
        let values = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        parts.push(one_filter(object, dialect, name, values)?);
    }
    Ok(Sql::join(parts, " AND "))
}

fn one_filter(object: &Object, dialect: Dialect, name: &str, values: &[Value]) -> Result<Sql> {
    if let Some(extra) = object.filters.iter().find(|extra| extra.name == name) {
        let mut sql = Sql::raw(extra.prefix);
        sql.append(one_of(dialect, Form::Text, extra.column, name, values)?).push(")");
        return Ok(sql);
    }
    let asked = if name == "tenant_id" { "project_id" } else { name };
    match object.fields.iter().find(|field| field.name == asked && field.filter).map(|field| field.source) {
        Some(Source::Column(form, column)) => one_of(dialect, form, column, name, values),
        _ => {
            let name: String = name.chars().take(64).collect();
            Err(kinds::INVALID_INPUT.error(format!("'{name}' is not supported for filtering of {}.", object.name)))
        }
    }
}

/// The expression has one of these values; a null among them means that it has none.
fn one_of(dialect: Dialect, form: Form, column: &str, name: &str, values: &[Value]) -> Result<Sql> {
    let wrong = || kinds::INVALID_INPUT.error(format!("The filter '{name}' has a value that cannot be compared with it."));
    let given = values.iter().filter(|value| !value.is_null());
    let mut parts = Vec::new();
    match form {
        Form::Text => {
            let texts = given.map(|value| value.as_str().ok_or_else(wrong)).collect::<Result<Vec<_>>>()?;
            parts.push(Sql::in_texts(dialect, column, texts));
        }
        Form::Int => {
            let number = |value: &Value| value.as_i64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(wrong);
            parts.push(Sql::in_ints(dialect, column, &given.map(number).collect::<Result<Vec<_>>>()?));
        }
        Form::Bool => {
            for value in given {
                let mut sql = Sql::raw(format!("{column} = "));
                sql.bind(value.as_bool().ok_or_else(wrong)?);
                parts.push(sql);
            }
        }
        Form::Time | Form::Json | Form::Texts | Form::NetworkOf => return Err(wrong()),
    }
    if values.iter().any(Value::is_null) {
        parts.push(Sql::raw(format!("{column} IS NULL")));
    }
    Ok(if parts.is_empty() { Sql::raw("1 = 0") } else { Sql::join(parts, " OR ") })
}

/// Objects with what `by` is for each.
fn rows<'a>(
    tx: &'a mut Tx,
    object: &'static Object,
    by: Option<&'static str>,
    condition: Sql,
) -> BoxFuture<'a, Result<Vec<(String, Data)>>> {
    Box::pin(async move {
        let mut columns = vec![by.unwrap_or(object.key)];
        list_columns(object, &mut columns);
        let mut sql = Sql::raw(format!("SELECT {} FROM {} WHERE ", columns.join(", "), object.from));
        sql.append(condition);
        sql.push(" ORDER BY ").push(object.order);
        let mut found = Vec::new();
        for row in tx.select(sql).await? {
            let mut at = 1;
            found.push((row.opt_text(0)?.unwrap_or_default(), decode(&row, &mut at, object)?));
        }
        if !found.is_empty() {
            for field in object.fields {
                match field.source {
                    Source::Many(links) => many(tx, &mut found, field, links).await?,
                    Source::One(link) => one(tx, &mut found, field, link).await?,
                    Source::Strings(strings) => list_strings(tx, &mut found, object, field, strings).await?,
                    Source::Column(..) | Source::Pair(..) | Source::Joined(_) => {}
                }
            }
        }
        Ok(found)
    })
}

fn list_columns(object: &'static Object, columns: &mut Vec<&'static str>) {
    for field in object.fields {
        match field.source {
            Source::Column(_, column) => columns.push(column),
            Source::Pair(_, first, second, _) => columns.extend([first, second]),
            Source::Joined(inner) => list_columns(inner, columns),
            Source::Many(_) | Source::One(_) | Source::Strings(_) => {}
        }
    }
}

/// The data of a row from the column `at`; what other statements bring has its place already.
fn decode(row: &Row, at: &mut usize, object: &'static Object) -> Result<Data> {
    let mut data = Data::new();
    for field in object.fields {
        let value = match field.source {
            Source::Column(form, _) => {
                *at += 1;
                value_of(row, *at - 1, form)?
            }
            Source::Pair(form, _, _, between) => {
                *at += 2;
                match (value_of(row, *at - 2, form)?, value_of(row, *at - 1, form)?) {
                    (Some(a), Some(b)) => Some(Value::from(format!("{}{between}{}", plain(&a), plain(&b)))),
                    _ => None,
                }
            }
            Source::Joined(inner) => {
                let is_there = row_has(row, *at, inner)?;
                let data = decode(row, at, inner)?;
                Some(if is_there { inner.wrap(data) } else { Value::Null })
            }
            Source::Many(_) | Source::Strings(_) => Some(Value::Array(Vec::new())),
            Source::One(_) => Some(Value::Null),
        };
        if let Some(value) = value.or_else(|| field.null.map(Value::from)) {
            data.insert(field.name.to_owned(), value);
        }
    }
    Ok(data)
}

fn row_has(row: &Row, at: usize, inner: &Object) -> Result<bool> {
    match inner.fields.first().map(|field| field.source) {
        Some(Source::Column(form, _)) => Ok(value_of(row, at, form)?.is_some()),
        _ => Ok(false),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn value_of(row: &Row, at: usize, form: Form) -> Result<Option<Value>> {
    Ok(match form {
        Form::Text => row.opt_text(at)?.map(Value::from),
        Form::Int => row.opt_int(at)?.map(Value::from),
        Form::Bool => row.opt_bool(at)?.map(Value::from),
        Form::Time => row.opt_iso_time(at)?.map(Value::from),
        Form::Json => row.opt_text(at)?.filter(|text| !text.is_empty()).map(|text| match serde_json::from_str(&text) {
            Ok(value) => Value::from(json::text(&value)),
            Err(_) => Value::from(text),
        }),
        Form::Texts => match row.opt_text(at)?.filter(|text| !text.is_empty()) {
            Some(text) => {
                let list: Vec<String> =
                    serde_json::from_str(&text).map_err(|e| Error::internal(format!("{text} is no list of texts: {e}")))?;
                (!list.is_empty()).then(|| Value::from(list))
            }
            None => None,
        },
        Form::NetworkOf => row.opt_text(at)?.map(|text| match Cidr::parse_with_address(&text) {
            Ok((_, network)) => Value::from(network.to_string()),
            Err(_) => Value::from(text),
        }),
    })
}

fn keys(found: &[(String, Data)], key: &str) -> Vec<String> {
    let keys: HashSet<&str> = found.iter().filter_map(|(_, data)| data.get(key)?.as_str()).collect();
    let mut keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
    keys.sort_unstable();
    keys
}

async fn many(tx: &mut Tx, found: &mut [(String, Data)], field: &Field, links: &'static [Link]) -> Result<()> {
    for link in links {
        let keys = keys(found, link.key);
        let by_key = Sql::in_texts(tx.dialect(), link.by, keys.iter().map(String::as_str));
        let mut groups: HashMap<String, Vec<Value>> = HashMap::new();
        for (key, data) in rows(tx, link.object, Some(link.by), by_key).await? {
            groups.entry(key).or_default().push(link.object.wrap(data));
        }
        for (_, data) in found.iter_mut() {
            let group = data.get(link.key).and_then(Value::as_str).and_then(|key| groups.get(key)).cloned();
            if let (Some(group), Some(Value::Array(list))) = (group, data.get_mut(field.name)) {
                list.extend(group);
            }
        }
    }
    Ok(())
}

async fn one(tx: &mut Tx, found: &mut [(String, Data)], field: &Field, link: Link) -> Result<()> {
    let keys = keys(found, link.key);
    let by_key = Sql::in_texts(tx.dialect(), link.by, keys.iter().map(String::as_str));
    let objects: HashMap<String, Value> =
        rows(tx, link.object, Some(link.by), by_key).await?.into_iter().map(|(key, data)| (key, link.object.wrap(data))).collect();
    for (_, data) in found.iter_mut() {
        let object = data.get(link.key).and_then(Value::as_str).and_then(|key| objects.get(key)).cloned();
        if let Some(object) = object {
            data.insert(field.name.to_owned(), object);
        }
    }
    Ok(())
}

async fn list_strings(tx: &mut Tx, found: &mut [(String, Data)], object: &Object, field: &Field, strings: Strings) -> Result<()> {
    let keys = keys(found, object.id);
    let mut sql = Sql::raw(format!("SELECT {}, {} FROM {} WHERE ", strings.by, strings.column, strings.table));
    sql.append(Sql::in_texts(tx.dialect(), strings.by, keys.iter().map(String::as_str)));
    sql.push(" ORDER BY ").push(strings.column);
    let mut groups: HashMap<String, Vec<Value>> = HashMap::new();
    for row in tx.select(sql).await? {
        groups.entry(row.text(0)?).or_default().push(row.text(1)?.into());
    }
    for (_, data) in found.iter_mut() {
        let group = data.get(object.id).and_then(Value::as_str).and_then(|key| groups.remove(key));
        if let Some(group) = group {
            data.insert(field.name.to_owned(), Value::Array(group));
        }
    }
    Ok(())
}
