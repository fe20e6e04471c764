// SPDX-License-Identifier: Apache-2.0
//! What a rule is asked about: an object as it is, a request on top of it, and attributes of other objects that were loaded for it.

use std::collections::{HashMap, HashSet};

use neutrino_model::{Body, Record};
use neutrino_types::Result;
use oslo_policy::{Attr, Need, Target};
use serde_json::{Map, Value};

use crate::{Authorized, Context, Engine, ListQuery, query::Filter};

/// The resource under which rules speak of the object in the URL before theirs.
pub(crate) const EXT_PARENT: &str = "ext_parent";

/// Attributes that are true or false and belong to no attribute table under this name.
pub(crate) fn is_boolean(resource: &str, field: &str) -> bool {
    matches!((resource, field), (_, "shared" | "router:external" | "belongs_to_default_sg"))
}

/// The object in the URL before the one an operation is about.
#[derive(Clone, Debug)]
pub(crate) struct ParentOf {
    pub collection: String,
    pub id: String,
}

/// Attributes of other objects, by need and object.
#[derive(Debug, Default)]
pub(crate) struct Loaded(HashMap<(String, String), Value>);

/// See the module's documentation.
pub(crate) struct Subject<'a> {
    pub record: Option<&'a Record>,
    pub body: Option<&'a Body>,
    pub parent: Option<&'a ParentOf>,
    pub loaded: &'a Loaded,
}

impl Subject<'_> {
    fn own(&self, key: &str) -> Option<&Value> {
        if let Some(value) = self.body.and_then(|body| body.get(key)) {
            return Some(value);
        }
        let record = self.record?;
        record.table().find(key).map(|at| record.at(at))
    }

    fn text(&self, key: &str) -> &str {
        self.own(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Under which name the object that a need is about is kept in [`Loaded`].
    fn place(&self, key: &str) -> Option<String> {
        let resource = key.split_once(':').map_or_else(|| key.split('_').next().unwrap_or_default(), |(resource, _)| resource);
        let id = match resource {
            "network" => self.text("network_id").to_owned(),
            "networks" => format!("{} {}", self.text("network_id"), self.text("project_id")),
            "security_group" | "security_group_rules" => self.text("security_group_id").to_owned(),
            EXT_PARENT => self.parent.map(|p| p.id.clone()).or_else(|| Some(self.text("qos_policy_id").to_owned()))?,
            _ => return None,
        };
        Some(id)
    }

    /// The whole, for a remote server.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut target = Map::new();
        if let Some(record) = self.record {
            let named = record.table().attributes.iter().enumerate();
            target.extend(named.map(|(at, attribute)| (attribute.name.to_owned(), record.at(at).clone())));
        }
        if let Some(body) = self.body {
            let named = body.table().attributes.iter().enumerate();
            target.extend(named.filter_map(|(at, attribute)| Some((attribute.name.to_owned(), body.at(at)?.clone()))));
        }
        for name in ["project_id", "tenant_id"] {
            if let Some(project) = self.own(name) {
                target.insert(name.to_owned(), project.clone());
            }
        }
        target
    }

    /// The objects that a need is about.
    pub fn wants(&self, need: &Need) -> Want {
        Want { need: need.clone(), id: self.place(need.key()).unwrap_or_default(), parent: self.parent.cloned() }
    }
}

impl Target for Subject<'_> {
    fn get(&self, key: &str) -> Option<Attr<'_>> {
        if let Some(value) = self.own(key) {
            return Some(Attr::from(value));
        }
        if let Some(parent) = self.parent
            && key.strip_prefix(EXT_PARENT).is_some_and(|rest| rest.starts_with('_') && rest.ends_with("_id"))
        {
            return Some(Attr::from(parent.id.as_str()));
        }
        let id = self.place(key)?;
        self.loaded.0.get(&(key.to_owned(), id)).map(Attr::from)
    }
}

/// An attribute of another object that a decision asks for.
#[derive(Clone, Debug)]
pub(crate) struct Want {
    pub need: Need,
    id: String,
    parent: Option<ParentOf>,
}

impl Loaded {
    /// Loads what is wanted, with one statement for each kind of need. What is not there is null, which equals no project; parents
    /// that are not there are returned, as collection and id.
    pub async fn load(&mut self, engine: &Engine, cx: &Context, wants: Vec<Want>) -> Result<Vec<(String, String)>> {
        let mut missing = Vec::new();
        let mut by_need: HashMap<String, Vec<Want>> = HashMap::new();
        for want in wants {
            by_need.entry(want.need.key().to_owned()).or_default().push(want);
        }
        for (key, wants) in by_need {
            for want in &wants {
                self.0.entry((key.clone(), want.id.clone())).or_insert(Value::Null);
            }
            let Some(first) = wants.first() else { continue };
            match first.need.resource() {
                "networks" => self.shared(engine, cx, &key, &wants).await?,
                "security_group_rules" => self.default_groups(engine, cx, &key, &wants).await?,
                resource => {
                    let collection = match resource {
                        "network" => "networks".to_owned(),
                        "security_group" => "security_groups".to_owned(),
                        _ => first.parent.as_ref().map_or_else(|| "policies".to_owned(), |p| p.collection.clone()),
                    };
                    let field = first.need.field().to_owned();
                    let mut ids: HashSet<String> = wants.iter().map(|w| w.id.clone()).collect();
                    for record in find(engine, &cx.elevated(), &collection, ids.clone(), &field).await? {
                        self.0.insert((key.clone(), record.id().to_owned()), record.get(&field).clone());
                        ids.remove(record.id());
                    }
                    missing.extend(ids.into_iter().map(|id| (collection.clone(), id)));
                }
            }
        }
        Ok(missing)
    }

    /// Is the network shared, in the eyes of the object's own project?
    async fn shared(&mut self, engine: &Engine, cx: &Context, key: &str, wants: &[Want]) -> Result<()> {
        let mut by_project: HashMap<&str, HashSet<String>> = HashMap::new();
        for want in wants {
            if let Some((network, project)) = want.id.split_once(' ') {
                by_project.entry(project).or_default().insert(network.to_owned());
            }
        }
        for (project, networks) in by_project {
            let seen_by = if project.is_empty() { cx.elevated() } else { cx.of_project(project) };
            for record in find(engine, &seen_by, "networks", networks, "shared").await? {
                self.0.insert((key.to_owned(), format!("{} {project}", record.id())), record.get("shared").clone());
            }
        }
        Ok(())
    }

    async fn default_groups(&mut self, engine: &Engine, cx: &Context, key: &str, wants: &[Want]) -> Result<()> {
        let ids = wants.iter().map(|w| w.id.clone()).collect();
        for record in find(engine, &cx.elevated(), "security_groups", ids, "name").await? {
            self.0.insert((key.to_owned(), record.id().to_owned()), Value::Bool(record.str("name") == "default"));
        }
        Ok(())
    }
}

/// Objects by id with one attribute; nothing for a collection that is off.
async fn find(engine: &Engine, cx: &Context, collection: &str, ids: HashSet<String>, field: &str) -> Result<Vec<Record>> {
    let Some(entry) = engine.registry.entry(collection) else { return Ok(Vec::new()) };
    let Some(attribute) = entry.table.primary_key() else { return Ok(Vec::new()) };
    let values = ids.into_iter().filter(|id| !id.is_empty()).map(Value::from).collect::<Vec<_>>();
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let query = ListQuery {
        filters: vec![Filter { attribute, values }],
        fields: Some(vec!["id".to_owned(), field.to_owned()]),
        ..ListQuery::default()
    };
    let auth = Authorized::internal("an attribute of a parent that a rule asks for");
    // The list of parents judges nothing, so this ends; the compiler needs to be told.
    Box::pin(engine.list(cx, &auth, collection, None, &query)).await
}
