// SPDX-License-Identifier: Apache-2.0
//! The number of statements of every list, show and create, with few objects and with many.

use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

const MANY: usize = 40;

/// The `n`th object of a collection. A new collection needs a line here.
fn body(collection: &str, n: usize, network: &Value, group: &Value, label: &Value) -> Value {
    match collection {
        "networks" | "routers" | "policies" | "security_groups" => json!({"name": format!("x{n}")}),
        "address_groups" => json!({"name": format!("x{n}"), "addresses": ["10.0.0.0/24", "10.1.0.0/24"]}),
        "address_scopes" => json!({"name": format!("x{n}"), "ip_version": 4}),
        "subnetpools" => json!({"name": format!("x{n}"), "prefixes": ["10.0.0.0/8", "172.16.0.0/12"]}),
        "subnets" => {
            json!({"network_id": network, "ip_version": 4, "cidr": format!("10.9.{n}.0/24"), "dns_nameservers": ["192.0.2.1"], "enable_dhcp": n.is_multiple_of(2)})
        }
        "ports" => {
            json!({"network_id": network, "allowed_address_pairs": [{"ip_address": "192.0.2.9"}], "extra_dhcp_opts": [{"opt_name": "a", "opt_value": "b"}]})
        }
        "security_group_rules" => {
            json!({"security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": n + 1, "port_range_max": n + 1})
        }
        "default_security_group_rules" => {
            json!({"direction": "ingress", "used_in_default_sg": true, "used_in_non_default_sg": false, "protocol": "udp", "port_range_min": n + 1, "port_range_max": n + 1})
        }
        "security_groups_default_statefulness" => json!({"stateful": true, "project_id": format!("p{n}")}),
        "rbac_policies" => {
            json!({"object_type": "network", "object_id": network, "target_tenant": format!("{n:032x}"), "action": "access_as_shared"})
        }
        "metering_labels" => json!({"name": format!("x{n}")}),
        "metering_label_rules" => json!({"metering_label_id": label, "direction": "egress", "source_ip_prefix": format!("10.9.{n}.0/24")}),
        "flavors" => json!({"name": format!("x{n}"), "service_type": "CORE"}),
        "service_profiles" => json!({"metainfo": "m"}),
        "logs" => json!({"resource_type": "security_group", "resource_id": group}),
        "local_ips" => json!({"network_id": network}),
        "segments" => json!({"network_id": network, "network_type": "vxlan"}),
        "network_segment_ranges" => json!({"network_type": "vxlan", "minimum": 5000 + 10 * n, "maximum": 5005 + 10 * n}),
        "trunks" => json!({"name": format!("x{n}")}),
        other => panic!("name a body for {other}"),
    }
}

/// Bodies that need objects of their own, which are made before anything is counted.
async fn prepared(server: &Server, collection: &str) -> Vec<Value> {
    let mut bodies = Vec::new();
    match collection {
        "floatingips" => {
            let place = crate::floatingips::Place::new(server, PROJECT).await;
            for _ in 0..MANY {
                let port = place.port(server, json!({})).await;
                bodies.push(json!({"floating_network_id": place.outside, "port_id": port["id"]}));
            }
        }
        "ndp_proxies" => {
            let place = crate::ndp_proxies::Scoped::new(server, PROJECT).await;
            for _ in 0..MANY {
                bodies.push(place.body(&place.port(server, PROJECT).await));
            }
        }
        _ => {}
    }
    bodies
}

#[tokio::test]
async fn do_not_grow_with_the_number_of_objects() {
    let server = Server::full().await;
    let network = server.post("/networks", json!({"network": {"name": "base"}})).await.expect(201)["id"].clone();
    let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.8.0.0/16"});
    server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    let group = server.post("/security-groups", json!({"security_group": {"name": "base"}})).await.expect(201)["id"].clone();
    let label = server.post("/metering/metering-labels", json!({"metering_label": {"name": "base"}})).await.expect(201)["id"].clone();
    let tables: Vec<_> = server.engine.registry.entries().map(|(name, entry)| (name.to_owned(), entry.table.clone())).collect();
    let mut grown = Vec::new();
    for (collection, table) in tables {
        let resource = table.resource;
        // Agents make themselves known; the API only refuses to create one.
        if resource.parent.is_some() || !resource.methods.create || collection == "agents" {
            continue;
        }
        let prepared = prepared(&server, &collection).await;
        let mut seen = Vec::new();
        for n in 0..MANY {
            let mut wanted = prepared.get(n).cloned().unwrap_or_else(|| body(&collection, n, &network, &group, &label));
            if collection == "trunks" {
                // Each needs a port of its own.
                wanted["port_id"] = server.post("/ports", json!({"port": {"network_id": network}})).await.expect(201)["id"].clone();
            }
            let start = server.statements();
            let made = server.post(&format!("/{}", resource.path), json!({ resource.member: wanted })).await.expect(201);
            let create = server.statements() - start;
            if n == 1 || n == MANY - 1 {
                let start = server.statements();
                server.get(&format!("/{}", resource.path)).await.expect(200);
                let list = server.statements() - start;
                let start = server.statements();
                server.get(&format!("/{}/{}", resource.path, made["id"].as_str().unwrap())).await.expect(200);
                seen.push([create, list, server.statements() - start]);
            }
        }
        println!("{collection}: create {}, list {}, show {}", seen[1][0], seen[1][1], seen[1][2]);
        if seen[0] != seen[1] {
            grown.push(format!(
                "{collection}: [create, list, show] took {:?} statements with few objects and {:?} with {MANY}",
                seen[0], seen[1]
            ));
        }
    }
    assert!(grown.is_empty(), "{}", grown.join("\n"));
}
