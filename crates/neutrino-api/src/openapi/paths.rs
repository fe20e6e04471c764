// SPDX-License-Identifier: Apache-2.0
//! Paths and operations: the five of each collection, actions, child collections, and what describes itself.

use neutrino_core::{Described, Registry, registry::Entry};
use neutrino_model::{Table, resource::Action};
use serde_json::{Map, Value, json};

use super::schemas;

fn reference(kind: &str, name: &str) -> Value {
    json!({"$ref": format!("#/components/{kind}/{name}")})
}

fn content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

/// Parameters of every list.
pub fn parameters() -> Value {
    let query =
        |name: &str, description: &str, schema: Value| json!({"name": name, "in": "query", "description": description, "schema": schema});
    json!({
        "limit": query("limit", "The most objects of a page.", json!({"type": "integer", "minimum": 0})),
        "marker": query("marker", "The id of the last object of the page before.", json!({"type": "string"})),
        "page_reverse": query("page_reverse", "Whether the page before the marker is wanted.", json!({"type": "boolean"})),
        "if_match": {
            "name": "If-Match", "in": "header", "description": "revision_number=N: change the object only while it has this revision.",
            "schema": {"type": "string", "pattern": "^revision_number=[0-9]+$"},
        },
    })
}

/// Answers that operations share.
pub fn responses() -> Value {
    json!({
        "refused": {"description": "The request is refused; the type says why.", "content": content(&reference("schemas", "error"))},
        "nothing": {"description": "Done; there is nothing to show."},
    })
}

fn parameter(name: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}})
}

/// One operation. `success`: the status and what it answers with.
struct Operation<'a> {
    id: String,
    summary: String,
    tag: &'a str,
    parameters: Vec<Value>,
    request: Option<Value>,
    success: (u16, Option<Value>),
}

impl Operation<'_> {
    fn write(self) -> Value {
        let (status, answer) = self.success;
        let success = match answer {
            Some(schema) => json!({"description": "Done.", "content": content(&schema)}),
            None => reference("responses", "nothing"),
        };
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.summary,
            "tags": [self.tag],
            "parameters": self.parameters,
            "responses": {status.to_string(): success, "4XX": reference("responses", "refused"), "503": reference("responses", "refused")},
        });
        if let Some(schema) = self.request {
            operation["requestBody"] = json!({"required": true, "content": content(&schema)});
        }
        operation
    }
}

/// A member of a request or an answer: `{"network": {...}}`.
fn wrapped(key: &str, schema: &Value) -> Value {
    json!({"type": "object", "required": [key], "properties": {key: schema}, "additionalProperties": false})
}

/// What the operations of one collection share.
struct Collection<'a> {
    entry: &'a Entry,
    /// Of schemas and operations: the registry's key.
    name: String,
    tag: &'a str,
    path: String,
    /// The parameters in the path before the object's own.
    before: Vec<Value>,
}

/// Every path, with the schemas that they refer to.
pub fn all(registry: &Registry, components: &mut Map<String, Value>) -> Value {
    let mut paths = Map::new();
    for (key, entry) in registry.entries() {
        let resource = entry.table.resource;
        let (path, before) = match resource.parent {
            None => (format!("/{}", resource.path), Vec::new()),
            Some(parent) => {
                let Some(above) = registry.entry(parent.collection) else { continue };
                (format!("/{}/{{{}}}/{}", above.table.resource.path, parent.attribute, resource.path), vec![parameter(parent.attribute)])
            }
        };
        let name = key.replace(['/', '-'], "_");
        let tag = if entry.alias.is_empty() { "core" } else { entry.alias };
        let collection = Collection { entry, name, tag, path, before };
        collection.describe(&mut paths, components);
        for facet in registry.facets().iter().filter(|facet| facet.collections().contains(&key)) {
            let described = facet.describe();
            let (root, name) = (format!("{}/{{id}}/{}", collection.path, facet.path()), format!("{}_{}", collection.name, facet.path()));
            own(&mut paths, &root, &name, tag, &[parameter("id")], described.unwrap_or_else(|| generic(facet.verbs())));
        }
    }
    for endpoint in registry.endpoints() {
        own(&mut paths, &format!("/{}", endpoint.path()), endpoint.path(), "core", &[], endpoint.describe());
    }
    itself(&mut paths);
    Value::Object(paths)
}

/// What is known of a facet that does not describe itself.
fn generic(verbs: &[&str]) -> Vec<Described> {
    let any = || Some(json!({"type": "object"}));
    let all = verbs.iter().map(|verb| match *verb {
        "create" => Described { method: "POST", rest: "", request: any(), status: 201, answer: Some(json!({})) },
        "update" => Described { method: "PUT", rest: "", request: any(), status: 200, answer: any() },
        "delete" => Described { method: "DELETE", rest: "/{item}", request: None, status: 204, answer: None },
        _ => Described { method: "GET", rest: "", request: None, status: 200, answer: any() },
    });
    all.collect()
}

/// What describes itself.
fn own(paths: &mut Map<String, Value>, root: &str, name: &str, tag: &str, before: &[Value], all: Vec<Described>) {
    for one in all {
        let path = format!("{root}{}", one.rest);
        let mut parameters = before.to_vec();
        let names = one.rest.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        parameters.extend(names.map(parameter));
        let verb = one.method.to_lowercase();
        let id = format!("{verb}_{name}{}", one.rest.replace(['/', '{', '}'], "_")).replace('-', "_");
        let summary = format!("{} {path}", one.method);
        let operation = Operation { id, summary, tag, parameters, request: one.request, success: (one.status, one.answer) };
        put(paths, path, &verb, operation.write());
    }
}

fn put(paths: &mut Map<String, Value>, path: String, verb: &str, operation: Value) {
    if let Some(item) = paths.entry(path).or_insert_with(|| json!({})).as_object_mut() {
        item.insert(verb.to_owned(), operation);
    }
}

impl Collection<'_> {
    fn operation(&self, verb: &str, of: &str, parameters: Vec<Value>) -> Operation<'_> {
        let what = of.replace(['_', '-'], " ");
        let parameters = self.before.iter().cloned().chain(parameters).collect();
        Operation {
            id: format!("{verb}_{}", self.name),
            summary: format!("{}{} {what}.", verb[..1].to_uppercase(), &verb[1..]),
            tag: self.tag,
            parameters,
            request: None,
            success: (200, None),
        }
    }

    fn describe(&self, paths: &mut Map<String, Value>, components: &mut Map<String, Value>) {
        let (table, resource) = (&self.entry.table, self.entry.table.resource);
        let (methods, name) = (resource.methods, &self.name);
        components.insert(name.clone(), schemas::answer(table));
        let answer = reference("schemas", name);
        let one = || Some(wrapped(resource.member, &answer));
        if methods.list {
            let mut operation = self.operation("list", resource.collection, list_parameters(table));
            operation.success.1 = Some(page(resource.collection, &answer));
            put(paths, self.path.clone(), "get", operation.write());
        }
        if methods.create {
            let schema = format!("{name}_create");
            components.insert(schema.clone(), schemas::request(table, true));
            let schema = reference("schemas", &schema);
            let mut operation = self.operation("create", resource.member, Vec::new());
            operation.request = Some(if resource.bulk {
                let many = json!({"type": "array", "minItems": 1, "items": schema});
                json!({"oneOf": [wrapped(resource.member, &schema), wrapped(resource.collection, &many)]})
            } else {
                wrapped(resource.member, &schema)
            });
            let many = json!({"type": "array", "items": answer});
            operation.success = (201, Some(json!({"anyOf": [wrapped(resource.member, &answer), wrapped(resource.collection, &many)]})));
            put(paths, self.path.clone(), "post", operation.write());
        }
        let member = format!("{}/{{id}}", self.path);
        let matching = || reference("parameters", "if_match");
        if methods.show {
            let mut operation = self.operation("show", resource.member, vec![parameter("id"), fields(table)]);
            operation.success.1 = one();
            put(paths, member.clone(), "get", operation.write());
        }
        if methods.update {
            let schema = format!("{name}_update");
            components.insert(schema.clone(), schemas::request(table, false));
            let mut operation = self.operation("update", resource.member, vec![parameter("id"), matching()]);
            operation.request = Some(wrapped(resource.member, &reference("schemas", &schema)));
            operation.success.1 = one();
            put(paths, member.clone(), "put", operation.write());
        }
        if methods.delete {
            let mut operation = self.operation("delete", resource.member, vec![parameter("id"), matching()]);
            operation.success = (204, None);
            put(paths, member, "delete", operation.write());
        }
        for action in resource.actions {
            self.action(paths, action);
        }
    }

    fn action(&self, paths: &mut Map<String, Value>, action: &Action) {
        let (path, parameters) = match action.member {
            true => (format!("{}/{{id}}/{}", self.path, action.name), vec![parameter("id")]),
            false => (format!("{}/{}", self.path, action.name), Vec::new()),
        };
        let mut operation = self.operation(action.name, self.entry.table.resource.member, parameters);
        operation.summary = format!("{} of {}.", action.name.replace('_', " "), self.entry.table.resource.member.replace('_', " "));
        if action.method != "GET" {
            operation.request = Some(json!({"type": "object"}));
        }
        operation.success.1 = Some(json!({}));
        put(paths, path, &action.method.to_lowercase(), operation.write());
    }
}

fn page(collection: &str, answer: &Value) -> Value {
    let link = json!({"type": "object", "properties": {"rel": {"enum": ["next", "previous"]}, "href": {"type": "string"}}});
    json!({
        "type": "object",
        "required": [collection],
        "properties": {
            collection: {"type": "array", "items": answer},
            format!("{collection}_links"): {"type": "array", "items": link},
        },
        "additionalProperties": false,
    })
}

fn fields(table: &Table) -> Value {
    let names: Vec<&str> = table.attributes.iter().filter(|attribute| attribute.visible).map(|attribute| attribute.name).collect();
    let schema = match table.resource.whole_answers {
        true => json!({"type": "array", "items": {"type": "string"}}),
        false => json!({"type": "array", "items": {"enum": names}}),
    };
    json!({"name": "fields", "in": "query", "description": "The attributes that are wanted; all if none is named.", "schema": schema})
}

fn list_parameters(table: &Table) -> Vec<Value> {
    let mut all = vec![fields(table)];
    all.extend(["limit", "marker", "page_reverse"].map(|name| reference("parameters", name)));
    let sorts: Vec<&str> = table.attributes.iter().filter(|attribute| attribute.sort).map(|attribute| attribute.name).collect();
    if !sorts.is_empty() {
        let keys = json!({"type": "array", "items": {"enum": sorts}});
        let directions = json!({"type": "array", "items": {"enum": ["asc", "desc"]}});
        all.push(json!({"name": "sort_key", "in": "query", "description": "What to sort by, the first first.", "schema": keys}));
        all.push(json!({"name": "sort_dir", "in": "query", "description": "One direction for each sort_key.", "schema": directions}));
    }
    let open = table.resource.any_filter;
    for (at, attribute) in table.attributes.iter().enumerate().filter(|(_, attribute)| attribute.filter || (open && attribute.visible)) {
        let names = if table.is_project(at) { &["project_id", "tenant_id"][..] } else { &[attribute.name][..] };
        let schema = json!({"type": "array", "items": {"type": ["string", "boolean", "integer"]}});
        all.extend(names.iter().map(|name| json!({"name": name, "in": "query", "description": "Any of these.", "schema": schema})));
    }
    all
}

/// What belongs to no table: the root, the extensions, this document.
fn itself(paths: &mut Map<String, Value>) {
    let extension = json!({
        "type": "object",
        "required": ["alias", "name", "description", "updated", "links"],
        "properties": {
            "alias": {"type": "string"}, "name": {"type": "string"}, "description": {"type": "string"}, "updated": {"type": "string"},
            "links": {"type": "array"},
        },
    });
    let get = |id: &str, summary: &str, parameters: Vec<Value>, schema: Value| {
        let (id, summary) = (id.to_owned(), summary.to_owned());
        Operation { id, summary, tag: "core", parameters, request: None, success: (200, Some(schema)) }.write()
    };
    let many = |key: &str, items: Value| wrapped(key, &json!({"type": "array", "items": items}));
    put(paths, "/".to_owned(), "get", get("root", "The core resources.", Vec::new(), many("resources", json!({"type": "object"}))));
    let list = get("list_extensions", "The extensions that are on.", Vec::new(), many("extensions", extension.clone()));
    put(paths, "/extensions".to_owned(), "get", list);
    let mut show = get("show_extension", "One extension.", vec![parameter("alias")], wrapped("extension", &extension));
    // In the form that the request accepts.
    let text = json!({"schema": {"type": "string"}});
    let forms = json!({"text/plain": text, "text/html": text, "application/json": {"schema": {"type": "object"}}});
    show["responses"]["404"] = json!({"description": "There is no such extension.", "content": forms});
    put(paths, "/extensions/{alias}".to_owned(), "get", show);
    put(paths, super::PATH.to_owned(), "get", get("openapi", "This document.", Vec::new(), json!({"type": "object"})));
}
