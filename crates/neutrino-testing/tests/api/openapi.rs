// SPDX-License-Identifier: Apache-2.0
//! `/openapi.json`: all that is served is described. `scripts/openapi-check` holds the document against its own standard, and the answers
//! against it.

use std::collections::BTreeSet;

use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::Server;
use serde_json::{Value, json};

async fn document(server: &Server) -> Value {
    // Nobody is asked who he is.
    let nobody = Identity { user_id: Some("u".to_owned()), ..Identity::default() };
    let answer = server.send_as(nobody, Method::GET, "/openapi.json", "", &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.body
}

#[tokio::test]
async fn every_operation_of_every_collection_is_described() {
    let server = Server::full().await;
    let document = document(&server).await;
    let has = |path: &str, verb: &str| document["paths"][path][verb].is_object();
    let mut missing = Vec::new();
    for (key, entry) in server.engine.registry.entries() {
        let resource = entry.table.resource;
        let above = resource.parent.and_then(|parent| Some((server.engine.registry.entry(parent.collection)?, parent.attribute)));
        let path = match above {
            Some((above, attribute)) => format!("/{}/{{{attribute}}}/{}", above.table.resource.path, resource.path),
            None => format!("/{}", resource.path),
        };
        let (one, methods) = (format!("{path}/{{id}}"), resource.methods);
        for (exists, path, verb) in [
            (methods.list, &path, "get"),
            (methods.create, &path, "post"),
            (methods.show, &one, "get"),
            (methods.update, &one, "put"),
            (methods.delete, &one, "delete"),
        ] {
            if exists != has(path, verb) {
                missing.push(format!("{key}: {verb} {path}"));
            }
        }
        for action in resource.actions {
            let path = if action.member { format!("{one}/{}", action.name) } else { format!("{path}/{}", action.name) };
            if !has(&path, &action.method.to_lowercase()) {
                missing.push(format!("{key}: {path}"));
            }
        }
    }
    for facet in server.engine.registry.facets() {
        for collection in facet.collections() {
            if let Some(entry) = server.engine.registry.entry(collection) {
                let path = format!("/{}/{{id}}/{}", entry.table.resource.path, facet.path());
                if !has(&path, "get") {
                    missing.push(path);
                }
            }
        }
    }
    missing.extend(server.engine.registry.endpoints().iter().filter(|one| one.describe().is_empty()).map(|one| one.path().to_owned()));
    assert_eq!(missing, Vec::<String>::new());
    assert!(has("/quotas/{project_id}/details", "get") && has("/networks/{id}/tags/{tag}", "put") && has("/extensions", "get"));
}

fn walk(value: &Value, see: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                see(key, value);
                walk(value, see);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, see)),
        _ => {}
    }
}

#[tokio::test]
async fn references_lead_somewhere_and_operations_have_names_of_their_own() {
    let server = Server::full().await;
    let document = document(&server).await;
    let (mut dangling, mut names, mut twice) = (Vec::new(), BTreeSet::new(), Vec::new());
    walk(&document, &mut |key, value| match key {
        "$ref" => {
            let target = value.as_str().unwrap().trim_start_matches('#');
            if document.pointer(target).is_none() {
                dangling.push(target.to_owned());
            }
        }
        "operationId" if !names.insert(value.to_string()) => twice.push(value.to_string()),
        _ => {}
    });
    assert_eq!((dangling, twice), (Vec::<String>::new(), Vec::<String>::new()));
    assert!(names.len() > 150, "{}", names.len());
}

#[tokio::test]
async fn schemas_say_what_the_validators_say() {
    let server = Server::full().await;
    let document = document(&server).await;
    let schemas = &document["components"]["schemas"];
    let create = &schemas["networks_create"];
    assert_eq!(create["properties"]["name"], json!({"type": "string", "maxLength": 255, "default": ""}));
    assert_eq!(create["properties"]["admin_state_up"], json!({"type": "boolean", "default": true}));
    assert_eq!(create.get("required"), None);
    assert_eq!(schemas["subnets_create"]["required"], json!(["ip_version", "network_id"]));
    assert_eq!(schemas["subnets_create"]["properties"]["ip_version"]["enum"], json!([4, 6]));
    assert_eq!(schemas["networks_update"]["properties"].get("id"), None);
    assert_eq!(schemas["networks"]["properties"]["mtu"], json!({"type": ["integer", "null"]}));
    let list = document["paths"]["/networks"]["get"]["parameters"].as_array().unwrap();
    let named = |name: &str| list.iter().any(|parameter| parameter["name"] == name);
    assert!(named("fields") && named("sort_key") && named("name") && named("project_id") && !named("availability_zones"));
    // What is off is not described.
    let small = Server::start().await;
    assert!(!self::document(&small).await["paths"]["/routers"].is_object());
}
