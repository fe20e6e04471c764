// SPDX-License-Identifier: Apache-2.0
//! The API as a whole against Neutron's: what 29.0.0 with every service plugin of its own tree announces and serves, and what Ocata did.
//! `tables` compares what we have with theirs; here is what they have and we do not.

use std::collections::BTreeSet;

use neutrino_testing::{Server, contract};
use serde_json::Value;

/// What differs on purpose, as the tests below name it.
const DIFFERENT: &[&str] = &[
    // Two names in Neutron's maps for what is only added to `port_forwardings`.
    "attribute floating-ip-port-forwarding-description",
    "attribute floating-ip-port-forwarding-port-ranges",
    // Its attribute `network_id` is that of the request that gives an agent a network.
    "attribute dhcp-networks.network_id",
    // It comes with the extension driver `dns_domain_keywords`, which excludes the one that the tests turn on.
    "extension dns-integration-domain-keywords",
    // The map has these for templates whose attributes it then does not list; `tables` compares what we have.
    "attribute default_security_group_rules",
    // Neutron has them by accident, since QoS adds attributes to these collections, and answers 500.
    "route /qos/networks",
    "route /qos/ports",
];

/// What is announced beside Neutron's: names of Ocata.
const OF_OCATA: &[&str] = &["tag", "tag-ext"];

/// Is the name this entry of a list, or a part of it?
fn is(entry: &str, name: &str) -> bool {
    entry == name || name.starts_with(&format!("{entry}."))
}

fn check(what: &str, missing: &BTreeSet<String>) {
    let new: Vec<&String> = missing.iter().filter(|name| !DIFFERENT.iter().any(|entry| is(entry, name))).collect();
    assert!(new.is_empty(), "{what}: not served, and not listed in DIFFERENT: {new:#?}");
}

#[tokio::test]
async fn every_extension_of_neutron_is_announced() {
    let server = Server::full().await;
    let facts = contract::read("extensions.json");
    let theirs = facts["aliases"].as_object().unwrap().iter().filter(|(_, fact)| fact["listed_29"]["ml2_ovs_all_intree"] == true);
    let theirs: BTreeSet<&str> = theirs.map(|(alias, _)| alias.as_str()).collect();
    assert_eq!(theirs.len(), 130);
    let ours: BTreeSet<&str> = server.engine.registry.extensions().iter().map(|extension| extension.alias).collect();
    check("extension", &theirs.difference(&ours).map(|alias| format!("extension {alias}")).collect());
    // Other plugins of 29.0.0 announce more.
    let beside: Vec<&str> = ours.difference(&theirs).copied().filter(|alias| facts["aliases"][alias]["lib_definition"].is_null()).collect();
    assert_eq!(beside, OF_OCATA);
}

/// Every method of every endpoint of Neutron's server, in every version, on the topics where it serves them; no other version.
#[tokio::test]
async fn every_method_for_agents_is_served() {
    let server = Server::full().await;
    let facts = contract::read("rpc.json");
    // The class that a server's consumer names, or the first part of its module's, and its topics.
    let topics = |class: &str| -> &[&str] {
        match class.rsplit('.').next().unwrap_or_default() {
            "L3RpcCallback" => &["q-l3-plugin"],
            "AgentExtRpcCallback" => &["q-plugin", "q-reports-plugin"],
            "MeteringRpcCallbacks" => &["q-metering-plugin"],
            "TrunkSkeleton" => &["trunk"],
            "LoggingApiSkeleton" => &["logging-plugin"],
            "ResourcesPushToServerRpcCallback" => &["q-server-resource-versions"],
            _ => &["q-plugin"],
        }
    };
    let find = |topic, namespace, version: String, method| {
        neutrino_core::rpc::find(server.engine.registry.rpc().iter().copied(), topic, namespace, &version, method)
    };
    let mut seen = 0;
    for endpoint in facts["endpoints"].as_array().unwrap() {
        let class = endpoint["class"].as_str().unwrap();
        // The base of agents' servers, and what agents themselves serve.
        let agents = class.ends_with(".Manager") || class.ends_with(".ResourcesPushRpcCallback");
        if endpoint["side"] != "server" || !class.starts_with("neutron.") || agents {
            continue;
        }
        let namespace = endpoint["target"]["namespace"].as_str();
        let (major, minor) = endpoint["target"]["version"].as_str().unwrap().split_once('.').unwrap();
        let minor: u32 = minor.parse().unwrap();
        for method in endpoint["methods"].as_object().unwrap().keys() {
            for topic in topics(class) {
                for minor in 0..=minor {
                    let found = find(topic, namespace, format!("{major}.{minor}"), method);
                    assert!(found.is_ok(), "{class}: {method} {major}.{minor} on {topic}: {:?}", found.err());
                }
                let newer = find(topic, namespace, format!("{major}.{}", minor + 1), method);
                assert!(newer.is_err(), "{class}: {method} in a version that Neutron does not serve");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 51);
    let served: BTreeSet<&str> = server.engine.registry.rpc().iter().flat_map(|endpoint| endpoint.topics).copied().collect();
    let theirs = facts["ml2_server_consumers"].as_object().unwrap().keys().map(|topic| topic.split(' ').next().unwrap());
    assert_eq!(served, theirs.collect());
}

#[tokio::test]
async fn a_client_of_ocata_finds_its_extensions() {
    let plugins = ("DEFAULT", "service_plugins", "router,metering,qos");
    let server = Server::with(&[plugins, ("ml2", "extension_drivers", "port_security")]).await;
    let facts = contract::read("ocata-walkthrough.json");
    let listed = server.get("/extensions").await.body["extensions"].take();
    let mut missing = BTreeSet::new();
    for fact in facts["extensions"]["extensions"].as_array().unwrap() {
        let Some(is) = listed.as_array().unwrap().iter().find(|is| is["alias"] == fact["alias"]) else {
            missing.insert(format!("extension {}", fact["alias"].as_str().unwrap()));
            continue;
        };
        // Neutron has written out its name since.
        if fact["alias"] != "extra_dhcp_opt" {
            assert_eq!((&is["name"], &is["updated"]), (&fact["name"], &fact["updated"]), "{}", fact["alias"]);
        }
    }
    assert_eq!(missing, BTreeSet::new());
    let without = server.restart(&[plugins, ("neutrino", "ocata_extensions", "false")]).await;
    assert_eq!(without.get("/extensions/tag").await.status, 404);
    assert!(!without.engine.registry.has_extension("tag-ext"));
}

#[tokio::test]
async fn every_attribute_of_neutron_is_there() {
    let server = Server::full().await;
    let registry = &server.engine.registry;
    let facts = contract::read("api-composed.json");
    let mut missing = BTreeSet::new();
    for (collection, fact) in facts["ovs"]["collections"].as_object().unwrap() {
        let parent = fact["@parent"]["collection_name"].as_str();
        let attributes = if parent.is_some() { &fact["parameters"] } else { fact };
        let key = parent.map_or_else(|| collection.clone(), |parent| format!("{parent}/{collection}"));
        let Some(attributes) = attributes.as_object().filter(|attributes| !attributes.is_empty()) else { continue };
        let is_facet = |parent: &str| registry.facets().iter().any(|f| f.path() == collection && f.collections().contains(&parent));
        if parent.is_some_and(is_facet) {
            continue;
        }
        let entry = registry.entry(&key);
        let Some(entry) = entry else {
            missing.insert(format!("attribute {collection}"));
            continue;
        };
        let absent = attributes.keys().filter(|name| entry.table.find(name).is_none());
        missing.extend(absent.map(|name| format!("attribute {collection}.{name}")));
    }
    check("attribute", &missing);
}

#[tokio::test]
async fn every_route_of_neutron_is_served() {
    let server = Server::full().await;
    let registry = &server.engine.registry;
    let facts = contract::read("api-composed.json");
    let mut missing = BTreeSet::new();
    for fact in facts["ovs"]["routes"].as_array().unwrap() {
        let text = |key: &str| fact[key].as_str().unwrap_or_default();
        let path = format!("{}/{}", text("path_prefix"), text("collection"));
        let path = path.trim_start_matches('/');
        let parent = fact["parent"]["collection_name"].as_str();
        let name = parent.map_or_else(|| format!("route /{path}"), |parent| format!("route {parent}: {path}"));
        let last = path.rsplit('/').next().unwrap_or_default();
        let of_parent = |above: &str| parent.is_some_and(|parent| above.replace('-', "_") == parent.replace('-', "_"));
        let entry = registry.entries().map(|(_, entry)| entry).find(|entry| {
            let resource = entry.table.resource;
            match resource.parent {
                None => parent.is_none() && resource.path == path,
                Some(above) => of_parent(above.collection) && resource.path.replace('-', "_") == last.replace('-', "_"),
            }
        });
        let is_facet =
            registry.facets().iter().any(|facet| facet.path() == last && facet.collections().iter().any(|above| of_parent(above)));
        let is_endpoint = parent.is_none() && registry.endpoints().iter().any(|endpoint| endpoint.path() == path);
        if entry.is_none() && !is_facet && !is_endpoint {
            missing.insert(name);
            continue;
        }
        let actions = fact["member_actions"].as_object().into_iter().flatten().filter(|(action, _)| *action != "edit");
        for (action, method) in actions.filter(|_| !is_endpoint) {
            let has = entry.is_some_and(|entry| entry.table.resource.actions.iter().any(|a| a.name == action && *method == *a.method));
            if !has {
                missing.insert(format!("{name}: {action}"));
            }
        }
    }
    check("route", &missing);
}

#[tokio::test]
async fn the_root_names_the_core_resources() {
    let server = Server::full().await;
    let facts = contract::read("ocata-walkthrough.json");
    let names = |body: &Value| {
        let all = body["resources"].as_array().unwrap().iter();
        all.map(|one| (one["name"].to_string(), one["collection"].to_string(), one["links"][0]["rel"].to_string())).collect::<BTreeSet<_>>()
    };
    assert_eq!(names(&server.get("/").await.body), names(&facts["root"]));
}
