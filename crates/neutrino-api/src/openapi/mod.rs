// SPDX-License-Identifier: Apache-2.0
//! The API described as an OpenAPI 3.1 document, made from the tables that are on.
//!
//! Owns how tables, facets and endpoints become paths and schemas, and who may read the document: everybody, as with the list of versions.
//! Names no resource. Invariant: what is served is described; the parts that no table describes do it themselves.

mod paths;
mod schemas;

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::Registry;
use serde_json::{Map, Value, json};

use crate::app::{App, Request, Response};

/// The release of Neutron whose API this is.
const RELEASE: &str = "29.0.0";
/// Where the API is mounted in the pipeline that is built in.
const MOUNT: &str = "/v2.0";
/// The document's path after the mount.
pub const PATH: &str = "/openapi.json";

/// The whole document.
#[must_use]
pub fn document(registry: &Registry) -> Value {
    let mut components = Map::new();
    let paths = paths::all(registry, &mut components);
    components.insert("error".to_owned(), schemas::error());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "OpenStack Networking",
            "summary": "The API of Neutron, as far as this server is configured to serve it.",
            "version": RELEASE,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "servers": [{"url": MOUNT}],
        "security": [{}, {"token": []}],
        "tags": tags(registry),
        "paths": paths,
        "components": {
            "schemas": components,
            "parameters": paths::parameters(),
            "responses": paths::responses(),
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token", "description": "A token of Keystone."}},
        },
    })
}

/// One tag for each extension that brings a collection.
fn tags(registry: &Registry) -> Value {
    let mut tags = vec![json!({"name": "core", "description": "What is always there."})];
    for extension in registry.extensions() {
        if registry.entries().any(|(_, entry)| entry.alias == extension.alias) {
            tags.push(json!({"name": extension.alias, "description": extension.description}));
        }
    }
    Value::Array(tags)
}

/// Answers for the document before anybody is asked who he is; every other request goes on to the pipeline.
pub struct Open {
    api: Arc<dyn App>,
    pipeline: Arc<dyn App>,
}

impl Open {
    #[must_use]
    pub fn new(api: Arc<dyn App>, pipeline: Arc<dyn App>) -> Self {
        Self { api, pipeline }
    }
}

#[async_trait]
impl App for Open {
    async fn call(&self, mut request: Request) -> Response {
        if request.path.strip_prefix(MOUNT) == Some(PATH) && request.method == http::Method::GET {
            PATH.clone_into(&mut request.path);
            MOUNT.clone_into(&mut request.script_name);
            return self.api.call(request).await;
        }
        self.pipeline.call(request).await
    }
}
