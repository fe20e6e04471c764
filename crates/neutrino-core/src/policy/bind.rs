// SPDX-License-Identifier: Apache-2.0
//! Which rule judges which operation of which collection.
//!
//! Names follow Neutron's: `create_network`; for a child `create_floatingip_port_forwarding`; for the lists beside agents
//! `get_dhcp-networks`. The first of the forms that is registered counts. Nothing here decides.

use std::{collections::HashMap, sync::Arc};

use oslo_policy::{RuleId, Rules};

use crate::Registry;

/// What an operation is called in the name of a rule.
pub const VERBS: [&str; 4] = ["get", "create", "update", "delete"];

/// The names that rules of a collection may have.
struct Shape {
    key: String,
    /// What may follow the verb, the best first.
    stems: Vec<String>,
    /// The attributes by index; the project under one name.
    attributes: Vec<&'static str>,
    /// The operations that exist, in the order of [`VERBS`].
    exists: [bool; 4],
    /// Attributes whose setting has a rule of its own; may a create, may an update name them?
    enforced: Vec<(&'static str, [bool; 2])>,
    actions: Vec<&'static str>,
    /// Their paths, and what may be done with them.
    facets: Vec<(&'static str, &'static [&'static str])>,
}

/// The names of everything that is on; rules are bound to them again whenever they change.
pub(crate) struct Names(Vec<Shape>);

impl Names {
    pub fn of(registry: &Registry) -> Self {
        let shapes = registry.entries().map(|(key, entry)| {
            let resource = entry.table.resource;
            let mut stems = Vec::new();
            if let Some(parent) = resource.parent {
                let member = registry.entry(parent.collection).map_or(parent.collection, |e| e.table.resource.member);
                stems.push(format!("{member}_{}", resource.member));
            }
            stems.push(resource.member.to_owned());
            stems.push(resource.member.replace('_', "-"));
            stems.push(resource.path.to_owned());
            stems.push(resource.path.trim_end_matches('s').to_owned());
            let methods = resource.methods;
            Shape {
                key: key.to_owned(),
                stems,
                attributes: entry.table.attributes.iter().map(|a| a.name).collect(),
                exists: [methods.list || methods.show, methods.create, methods.update, methods.delete],
                enforced: entry.table.attributes.iter().filter(|a| a.enforce_policy).map(|a| (a.name, [a.post, a.put])).collect(),
                actions: resource.actions.iter().map(|a| a.name).collect(),
                facets: registry.facets().iter().filter(|f| f.collections().contains(&key)).map(|f| (f.path(), f.verbs())).collect(),
            }
        });
        Self(shapes.collect())
    }
}

/// The rule of an operation: its name, and the rule itself if it is registered.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    pub id: Option<RuleId>,
}

/// The rules of one collection.
#[derive(Debug)]
pub struct CollectionRules {
    /// In the order of [`VERBS`].
    operations: [Rule; 4],
    /// By attribute index: the rule that an answer asks before it shows the attribute. Without a rule it is shown.
    pub(crate) shows: Vec<Option<RuleId>>,
    /// What the names of further rules start with after the verb.
    stem: String,
}

impl CollectionRules {
    #[must_use]
    pub fn operation(&self, verb: &str) -> &Rule {
        &self.operations[VERBS.iter().position(|known| *known == verb).unwrap_or(0)]
    }

    /// What may follow the verb in the name of a rule about a part of an object: `network`.
    #[must_use]
    pub fn stem(&self) -> &str {
        &self.stem
    }
}

/// Rules, bound to what is on.
#[derive(Debug)]
pub struct Bound {
    pub rules: Arc<Rules>,
    collections: HashMap<String, CollectionRules>,
    /// Operations, attributes, actions and parts of what is on that name no registered rule: the default rule judges them.
    pub unnamed: Vec<String>,
}

impl Bound {
    pub(crate) fn new(rules: Arc<Rules>, names: &Names) -> Self {
        let mut unnamed = Vec::new();
        let mut collections = HashMap::new();
        for shape in &names.0 {
            let operations = VERBS.map(|verb| {
                let found = shape.stems.iter().map(|stem| format!("{verb}_{stem}")).find(|name| rules.find(name).is_some());
                let name = found.unwrap_or_else(|| format!("{verb}_{}", shape.stems.first().map_or("", String::as_str)));
                Rule { id: rules.find(&name), name }
            });
            let stem = shape.stems.first().cloned().unwrap_or_default();
            let member = shape.stems.get(shape.stems.len().saturating_sub(4)).cloned().unwrap_or_default();
            let shows = shape
                .attributes
                .iter()
                .map(|name| rules.find(&format!("get_{stem}:{name}")).or_else(|| rules.find(&format!("get_{member}:{name}"))))
                .collect();
            for (rule, exists) in operations.iter().zip(shape.exists) {
                if exists && rule.id.is_none() {
                    unnamed.push(rule.name.clone());
                }
            }
            for (n, verb) in ["create", "update"].into_iter().enumerate() {
                let named = shape.enforced.iter().filter(|(_, may)| shape.exists[n + 1] && may[n]);
                let rules_of = named.map(|(name, _)| format!("{verb}_{stem}:{name}"));
                unnamed.extend(rules_of.filter(|name| rules.find(name).is_none()));
            }
            unnamed.extend(shape.actions.iter().filter(|name| rules.find(name).is_none()).map(|name| (*name).to_owned()));
            for (facet, verbs) in &shape.facets {
                let rules = verbs.iter().map(|verb| facet_rule(&rules, verb, &stem, &shape.key, facet));
                unnamed.extend(rules.filter(|rule| rule.id.is_none()).map(|rule| rule.name));
            }
            collections.insert(shape.key.clone(), CollectionRules { operations, shows, stem });
        }
        unnamed.sort();
        unnamed.dedup();
        Self { rules, collections, unnamed }
    }

    #[must_use]
    pub fn collection(&self, key: &str) -> Option<&CollectionRules> {
        self.collections.get(key)
    }

    /// The rule of a facet: `get_network:tags`, in the older form `get_segments_tags`, or of lists beside agents `get_dhcp-networks`.
    #[must_use]
    pub fn facet(&self, verb: &str, key: &str, facet: &str) -> Rule {
        let stem = self.collection(key).map_or(key, |c| c.stem());
        facet_rule(&self.rules, verb, stem, key, facet)
    }

    /// A rule by its name.
    #[must_use]
    pub fn rule(&self, name: String) -> Rule {
        Rule { id: self.rules.find(&name), name }
    }
}

fn facet_rule(rules: &Rules, verb: &str, stem: &str, key: &str, facet: &str) -> Rule {
    let one = facet.trim_end_matches('s');
    let forms = [format!("{verb}_{stem}:{facet}"), format!("{verb}_{key}_{facet}"), format!("{verb}_{facet}"), format!("{verb}_{one}")];
    let found = forms.iter().find(|name| rules.find(name).is_some());
    let name = found.unwrap_or(&forms[0]).clone();
    Rule { id: rules.find(&name), name }
}
