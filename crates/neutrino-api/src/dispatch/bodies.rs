// SPDX-License-Identifier: Apache-2.0
//! Request bodies as JSON: one object under its member key, or a list of them under its plural.

use neutrino_model::{Resource, Stack};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Map, Value};

/// The objects of a create request, and whether they came as a list.
pub fn create(raw: &[u8], resource: &Resource, allow_bulk: bool) -> Result<(Vec<Map<String, Value>>, bool)> {
    let mut body = object(raw, resource)?;
    // Neutron forms the plural of a list body with an "s", whatever the collection is called.
    let plural = format!("{}s", resource.member);
    let Some(list) = body.remove(&plural) else {
        return Ok((vec![member(&mut body, resource)?], false));
    };
    if !allow_bulk || !resource.bulk {
        return Err(kinds::BAD_REQUEST.error("Bulk operation not supported: create the objects one by one."));
    }
    let Value::Array(items) = list else {
        return Err(kinds::BAD_REQUEST.error(format!("'{plural}' must be a list of objects.")));
    };
    if items.is_empty() {
        return Err(kinds::BAD_REQUEST.error("Resources required: the list is empty."));
    }
    let items = items.into_iter().map(|item| match item {
        Value::Object(mut item) => match item.remove(resource.member) {
            Some(Value::Object(inner)) => Ok(inner),
            Some(other) => {
                item.insert(resource.member.to_owned(), other);
                Ok(item)
            }
            None => Ok(item),
        },
        _ => Err(kinds::BAD_REQUEST.error(format!("Every item of '{plural}' must be an object."))),
    });
    Ok((items.collect::<Result<_>>()?, true))
}

/// The object of an update request.
pub fn update(raw: &[u8], resource: &Resource) -> Result<Map<String, Value>> {
    // As in Neutron, the second controller has a type of its own for a body that is there and says nothing.
    if resource.stack == Stack::Extension && (raw.is_empty() || parse(raw, resource)?.is_null()) {
        return Err(kinds::BAD_REQUEST_PLUGIN.error(format!("The body must be an object with the key '{}'.", resource.member)));
    }
    member(&mut object(raw, resource)?, resource)
}

/// Refuses the list form of a create where there is none.
pub fn no_list(raw: &[u8], resource: &Resource) -> Result<()> {
    let plural = format!("{}s", resource.member);
    match serde_json::from_slice::<Value>(raw) {
        Ok(body) if body.get(&plural).is_some() => {
            Err(kinds::BAD_REQUEST.error("Bulk operation not supported: change the objects one by one."))
        }
        _ => Ok(()),
    }
}

/// The body of an action; null when there is none.
pub fn any(raw: &[u8], resource: &Resource) -> Result<Value> {
    if raw.is_empty() {
        return Ok(Value::Null);
    }
    parse(raw, resource)
}

/// The body of a request to an endpoint; null when there is none.
pub fn plain(raw: &[u8]) -> Result<Value> {
    if raw.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(raw).map_err(|e| malformed(Stack::Extension, &e))
}

fn member(body: &mut Map<String, Value>, resource: &Resource) -> Result<Map<String, Value>> {
    match body.remove(resource.member) {
        Some(Value::Object(item)) => Ok(item),
        Some(_) => Err(kinds::BAD_REQUEST.error(format!("'{}' must be an object.", resource.member))),
        None => Err(kinds::BAD_REQUEST.error(format!("Unable to find '{}' in request body.", resource.member))),
    }
}

fn object(raw: &[u8], resource: &Resource) -> Result<Map<String, Value>> {
    if raw.is_empty() {
        return Err(kinds::BAD_REQUEST.error("Resource body required: the request has none."));
    }
    match parse(raw, resource)? {
        Value::Object(body) => Ok(body),
        _ => Err(kinds::BAD_REQUEST.error(format!("The body must be an object with the key '{}'.", resource.member))),
    }
}

fn parse(raw: &[u8], resource: &Resource) -> Result<Value> {
    serde_json::from_slice(raw).map_err(|e| malformed(resource.stack, &e))
}

/// Nesting is bounded by the parser at 128 levels; that, too, ends here.
fn malformed(stack: Stack, error: &serde_json::Error) -> Error {
    let place = format!("line {}, column {}", error.line(), error.column());
    match stack {
        Stack::Core => kinds::BAD_REQUEST
            .error(format!("The server could not comply with the request since it is malformed: the body is no JSON at {place}.")),
        Stack::Extension => kinds::MALFORMED_BODY.error(format!("Malformed request body: it is no JSON at {place}.")),
    }
}
