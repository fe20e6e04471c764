// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/`, `/v2.0/extensions` and `/v2.0/extensions/{alias}`.

use http::StatusCode;
use neutrino_core::Registry;
use neutrino_model::{Extension, Stack};
use serde_json::{Value, json};

use crate::app::{Request, Response};

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
    let extensions: Vec<Value> = registry.extensions().iter().map(|e| body(e)).collect();
    Response::json(StatusCode::OK, &json!({ "extensions": extensions }))
}

pub fn show(registry: &Registry, alias: &str) -> Response {
    match registry.extensions().iter().find(|e| e.alias == alias) {
        Some(extension) => Response::json(StatusCode::OK, &json!({ "extension": body(extension) })),
        None => missing(),
    }
}

/// Neutron answers here in plain text.
pub fn missing() -> Response {
    Response::text(StatusCode::NOT_FOUND, "404 Not Found\n\nThe resource could not be found.\n\n   ")
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
