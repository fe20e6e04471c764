// SPDX-License-Identifier: Apache-2.0
//! From a path to what it means, by the tables that are on.

use std::{collections::HashMap, sync::Arc};

use neutrino_core::{Endpoint, Facet, Registry};
use neutrino_model::{Action, Stack};
use neutrino_types::{Result, error::kinds};
use percent_encoding::percent_decode_str;

/// A path longer than this names nothing.
const MAX_SEGMENTS: usize = 8;

/// What a path names. Keys are the registry's; parents and ids come from the path.
pub enum Route {
    /// `/v2.0/`
    Root,
    Extensions,
    Extension(String),
    /// The description of the API.
    OpenApi,
    Collection(String, Option<String>),
    Member(String, Option<String>, String),
    /// The id is empty for an action on a collection.
    Action(String, Option<String>, String, Action),
    /// Collection, id, the facet, and the part of it.
    Facet(String, String, Arc<dyn Facet>, Option<String>),
    /// The endpoint, and the segments after its own.
    Endpoint(Arc<dyn Endpoint>, Vec<String>),
}

/// Endings that name a format which the API has not; the core collections read the last part of a path so.
const OTHER_FORMATS: [&str; 14] = ["css", "csv", "gif", "htm", "html", "jpeg", "jpg", "js", "pdf", "png", "svg", "tar", "txt", "xml"];

struct Node {
    key: String,
    stack: Stack,
    actions: &'static [Action],
    /// Child collections by their path segment, with underscores.
    children: HashMap<String, (String, &'static [Action])>,
    facets: Vec<Arc<dyn Facet>>,
}

pub struct Routes {
    /// By the path after `/v2.0/`, of one or two segments, with underscores (`networks`, `qos/rule_types`).
    nodes: HashMap<String, Node>,
    endpoints: HashMap<&'static str, Arc<dyn Endpoint>>,
}

impl Routes {
    pub fn new(registry: &Registry) -> Self {
        let mut nodes: HashMap<String, Node> = HashMap::new();
        for (key, entry) in registry.entries().filter(|(_, e)| e.table.resource.parent.is_none()) {
            let resource = entry.table.resource;
            let mut children = HashMap::new();
            for (child_key, child) in registry.entries() {
                if child.table.resource.parent.is_some_and(|p| p.collection == key) {
                    children.insert(underscored(child.table.resource.path), (child_key.to_owned(), child.table.resource.actions));
                }
            }
            let facets: Vec<_> = registry.facets().iter().filter(|f| f.collections().contains(&key)).cloned().collect();
            let node = Node { key: key.to_owned(), stack: resource.stack, actions: resource.actions, children, facets };
            nodes.entry(underscored(resource.path)).or_insert(node);
        }
        let endpoints = registry.endpoints().iter().map(|e| (e.path(), e.clone())).collect();
        Self { nodes, endpoints }
    }

    /// A part of the objects of the collection with this name.
    fn part(&self, collection: &str, part: &str) -> Option<(&Node, &Arc<dyn Facet>)> {
        let node = self.nodes.values().find(|node| node.key == collection)?;
        Some((node, node.facets.iter().find(|facet| facet.path() == part)?))
    }

    /// # Errors
    /// 404 when the path names nothing.
    pub fn find(&self, path: &str) -> Result<Route> {
        let nothing = || kinds::NOT_FOUND.error("The resource could not be found.");
        if path.is_empty() {
            return Err(nothing());
        }
        let trimmed = path.trim_end_matches('/');
        let trimmed = match trimmed.strip_suffix(".json") {
            Some("/") => return Err(nothing()),
            Some(rest) => rest,
            None => trimmed,
        };
        let segments: Vec<&str> = trimmed.split('/').skip(1).collect();
        if segments.len() > MAX_SEGMENTS {
            return Err(nothing());
        }
        let (node, rest) = match segments.as_slice() {
            [] | [""] => return Ok(Route::Root),
            ["extensions"] => return Ok(Route::Extensions),
            ["openapi"] => return Ok(Route::OpenApi),
            ["extensions", alias] => return Ok(Route::Extension(decode(alias)?)),
            [first, rest @ ..] if self.endpoints.contains_key(first) => {
                let endpoint = self.endpoints.get(first).ok_or_else(nothing)?;
                return Ok(Route::Endpoint(endpoint.clone(), rest.iter().map(|s| decode(s)).collect::<Result<_>>()?));
            }
            [first, rest @ ..] => match (self.nodes.get(&underscored(first)), rest) {
                (Some(node), rest) => (node, rest),
                // Parts of objects are found without the collection's prefix, too: clients set the tags of QoS policies there.
                (None, [id, part, rest @ ..]) if self.part(first, part).is_some() => {
                    let (node, facet) = self.part(first, part).ok_or_else(nothing)?;
                    let item = match rest {
                        [] => None,
                        [item] => Some(decode(item)?),
                        _ => return Err(nothing()),
                    };
                    return Ok(Route::Facet(node.key.clone(), decode(id)?, facet.clone(), item));
                }
                (None, [second, rest @ ..]) => (self.nodes.get(&underscored(&format!("{first}/{second}"))).ok_or_else(nothing)?, rest),
                (None, []) => return Err(nothing()),
            },
        };
        let action =
            |actions: &'static [Action], name: &str, member: bool| actions.iter().find(|a| a.name == name && a.member == member).copied();
        let key = node.key.clone();
        let format = if let [id] = rest { id.rsplit_once('.').map(|(_, ending)| ending) } else { None };
        if node.stack == Stack::Core && format.is_some_and(|ending| OTHER_FORMATS.contains(&ending)) {
            return Err(nothing());
        }
        match rest {
            [] => Ok(Route::Collection(key, None)),
            [name] if action(node.actions, name, false).is_some() => {
                let found = action(node.actions, name, false).ok_or_else(nothing)?;
                Ok(Route::Action(key, None, String::new(), found))
            }
            [id] => Ok(Route::Member(key, None, decode(id)?)),
            [id, name, rest @ ..] => {
                let id = decode(id)?;
                if let (Some(found), []) = (action(node.actions, name, true), rest) {
                    return Ok(Route::Action(key, None, id, found));
                }
                if let Some(facet) = node.facets.iter().find(|facet| facet.path() == *name) {
                    return match rest {
                        [] => Ok(Route::Facet(key, id, facet.clone(), None)),
                        [item] => Ok(Route::Facet(key, id, facet.clone(), Some(decode(item)?))),
                        _ => Err(nothing()),
                    };
                }
                let (child, actions) = node.children.get(&underscored(name)).ok_or_else(nothing)?;
                match rest {
                    [] => Ok(Route::Collection(child.clone(), Some(id))),
                    [item] => Ok(Route::Member(child.clone(), Some(id), decode(item)?)),
                    [item, name] => {
                        let found = action(actions, name, true).ok_or_else(nothing)?;
                        Ok(Route::Action(child.clone(), Some(id), decode(item)?, found))
                    }
                    _ => Err(nothing()),
                }
            }
        }
    }
}

/// As in Neutron, a hyphen and an underscore are the same in the name of a collection.
fn underscored(path: &str) -> String {
    path.replace('-', "_")
}

fn decode(segment: &str) -> Result<String> {
    let text = percent_decode_str(segment).decode_utf8();
    text.map(std::borrow::Cow::into_owned).map_err(|_| kinds::BAD_REQUEST.error("The path is not UTF-8 text."))
}
