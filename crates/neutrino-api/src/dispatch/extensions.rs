// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/`, `/v2.0/extensions` and `/v2.0/extensions/{alias}`.

use http::StatusCode;
use neutrino_core::Registry;
use neutrino_model::{Extension, Stack};
use serde_json::{Value, json};

use crate::app::{Request, Response};
use crate::http::fault::routed_fault;

/// The core resources with their links.
pub fn root(registry: &Registry, request: &Request) -> Response {
    let base = request.base_url();
    let resources: Vec<Value> = registry
        .entries()
        .map(|(_, entry)| entry.table.resource)
        .filter(|resource| resource.stack == Stack::Core && resource.parent.is_none())
        .map(|resource| {
            json!({
                "links": [{"rel": "self", "href": format!("{base}/{}", resource.path)}],
                "name": resource.member,
                "collection": resource.collection,
            })
        })
        .collect();
    Response::json(StatusCode::OK, &json!({ "resources": resources }))
}

pub fn list(registry: &Registry) -> Response {
    let mut sorted: Vec<_> = registry.extensions().iter().collect();
    sorted.sort_by_key(|e| e.alias);
    let extensions: Vec<Value> = sorted.into_iter().map(|e| body(e)).collect();
    Response::json(StatusCode::OK, &json!({ "extensions": extensions }))
}

pub fn show(registry: &Registry, request: &Request, alias: &str) -> Response {
    match registry.extensions().iter().find(|e| e.alias == alias) {
        Some(extension) => Response::json(StatusCode::OK, &json!({ "extension": body(extension) })),
        None => missing(request),
    }
}

/// Here Neutron answers in WebOb's form.
pub fn missing(request: &Request) -> Response {
    routed_fault(request, StatusCode::NOT_FOUND, "The resource could not be found.")
}

fn body(extension: &Extension) -> Value {
    json!({
        "name": extension.name,
        "alias": extension.alias,
        "description": extension.description,
        "updated": extension.updated,
        "links": [],
    })
}
