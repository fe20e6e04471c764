// SPDX-License-Identifier: Apache-2.0
//! The tables against the facts: every stored attribute names a real column, every attribute is what Neutron's is.

use neutrino_model::{Attribute, Default, Place, Source};
use neutrino_testing::{Server, contract};
use serde_json::{Map, Value, json};

#[tokio::test]
async fn every_stored_attribute_names_a_column_of_the_schema() {
    let server = Server::full().await;
    let mut wrong = Vec::new();
    for (collection, entry) in server.engine.registry.entries() {
        let resource = entry.table.resource;
        if let Some(table) = resource.table {
            wrong.extend(neutrino_schema::unknown_names(table, ["id"]));
        }
        for attribute in &entry.table.attributes {
            let Source::Column(column) = &attribute.source else { continue };
            let table = match column.place {
                Place::Main => resource.table.unwrap_or("(none)"),
                Place::Standard => "standardattributes",
                Place::Joined(join) => {
                    wrong.extend(neutrino_schema::unknown_names(join.table, [join.key]));
                    join.table
                }
            };
            for name in neutrino_schema::unknown_names(table, [column.name]) {
                wrong.push(format!("{collection}.{}: {name}", attribute.name));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Attributes that differ on purpose, as `collection.attribute`; `docs/differences.md` has the reasons.
const DIFFERENT: &[&str] = &[];

#[tokio::test]
async fn attributes_are_neutrons() {
    let server = Server::full().await;
    let (facts, definitions) = (contract::read("api-composed.json"), contract::read("api.json"));
    let mut wrong = Vec::new();
    for (collection, entry) in server.engine.registry.entries() {
        if entry.table.resource.parent.is_some() {
            continue;
        }
        let Some(theirs) = facts["ovs"]["collections"][collection].as_object() else {
            wrong.push(format!("{collection} is no collection of Neutron's"));
            continue;
        };
        // What Neutron serves with OVN alone.
        let with_ovn = facts["ovn"]["collections_diff_vs_ovs"][collection]["extra_attrs"].as_object();
        // What none of the recorded configurations has.
        let defined = |name: &str| {
            let all = definitions["definitions"].as_object()?;
            all.values().map(|definition| &definition["resource_attribute_map"][collection][name]).find(|fact| !fact.is_null())
        };
        for attribute in &entry.table.attributes {
            let name = format!("{collection}.{}", attribute.name);
            // What neither a request nor an answer can name is our own business.
            let inward = !(attribute.visible || attribute.post || attribute.put || attribute.filter);
            if DIFFERENT.contains(&name.as_str()) || (inward && !theirs.contains_key(attribute.name)) {
                continue;
            }
            let other = if attribute.name == "project_id" { "tenant_id" } else { "project_id" };
            let listed = theirs.get(attribute.name).or_else(|| theirs.get(other).filter(|_| attribute.name.ends_with("t_id")));
            let Some(fact) = listed.or_else(|| with_ovn?.get(attribute.name)).or_else(|| defined(attribute.name)) else {
                // Neutron lists some collections' attributes only in part (those that extensions gave them).
                if theirs.contains_key("id") {
                    wrong.push(format!("{name} is no attribute of Neutron's"));
                }
                continue;
            };
            compare(&name, attribute, fact, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare(name: &str, ours: &Attribute, fact: &Value, wrong: &mut Vec<String>) {
    let flag = |key: &str| fact[key].as_bool().unwrap_or_default();
    for (what, is, should) in [
        ("allow_post", ours.post, flag("allow_post")),
        ("allow_put", ours.put, flag("allow_put")),
        ("is_visible", ours.visible, flag("is_visible")),
        ("is_filter", ours.filter, flag("is_filter")),
        ("is_sort_key", ours.sort, flag("is_sort_key")),
        ("primary_key", ours.primary_key, flag("primary_key")),
        ("enforce_policy", ours.enforce_policy, flag("enforce_policy")),
        ("required_by_policy", ours.required_by_policy, flag("required_by_policy")),
    ] {
        if is != should {
            wrong.push(format!("{name}: {what} is {is}, Neutron's {should}"));
        }
    }
    let default = match ours.default {
        Default::Unset => Some(json!("@ATTR_NOT_SPECIFIED")),
        other => other.value(),
    };
    // What cannot be posted has no use for a default.
    if ours.post && default.as_ref() != fact.get("default") {
        wrong.push(format!("{name}: default is {default:?}, Neutron's {:?}", fact.get("default")));
    }
    for (what, is) in [("convert_to", ours.convert.as_ref()), ("convert_list_to", ours.convert_list.as_ref())] {
        if is.map(|c| c.name()) != fact[what].as_str() {
            wrong.push(format!("{name}: {what} is {:?}, Neutron's {}", is.map(|c| c.name()), fact[what]));
        }
    }
    let validate = ours.validate.as_ref().map_or(Value::Null, |v| Value::Object(Map::from_iter([(v.name().to_owned(), v.arg_json())])));
    let theirs = fact.get("validate").cloned().unwrap_or(Value::Null);
    if validate != theirs {
        wrong.push(format!("{name}: validate is {validate}, Neutron's {theirs}"));
    }
}

#[tokio::test]
async fn extensions_are_neutrons() {
    let server = Server::full().await;
    let facts = contract::read("extensions.json");
    let mut wrong = Vec::new();
    for extension in server.engine.registry.extensions() {
        let fact = &facts["aliases"][extension.alias];
        // Names of Ocata, which `whole` compares.
        if fact["listed_29"]["ml2_ovs_all_intree"] == false && fact["ocata"]["exists_in_29"] == false {
            continue;
        }
        for (what, is) in [("name", extension.name), ("description", extension.description), ("updated", extension.updated)] {
            if fact[what] != is {
                wrong.push(format!("{}: {what} is {is:?}, Neutron's {}", extension.alias, fact[what]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
