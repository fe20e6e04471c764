// SPDX-License-Identifier: Apache-2.0
//! Pages of lists, however they are cut, show each object as it is shown alone.

use neutrino_testing::Server;
use serde_json::{Value, json};

/// What each port shows by itself.
async fn alone(s: &Server, page: &[Value]) -> Vec<Value> {
    let mut shown = Vec::new();
    for port in page {
        shown.push(s.get(&format!("/ports/{}", port["id"].as_str().unwrap())).await.body["port"].take());
    }
    shown
}

async fn listed(s: &Server, query: &str) -> Vec<Value> {
    let answer = s.get(&format!("/ports?{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.body["ports"].as_array().cloned().unwrap()
}

#[tokio::test]
async fn pages_of_any_extent_show_what_each_object_shows() {
    let s = Server::full().await;
    let policy = s.post("/qos/policies", json!({"policy": {"name": "gold"}})).await.expect(201)["id"].clone();
    let mut networks = Vec::new();
    for (policy, cidr) in [(Value::Null, "10.3.0.0/24"), (policy.clone(), "10.3.1.0/24")] {
        let network = s.post("/networks", json!({"network": {"qos_policy_id": policy}})).await.expect(201)["id"].clone();
        s.post("/subnets", json!({"subnet": {"network_id": network, "ip_version": 4, "cidr": cidr}})).await;
        networks.push(network);
    }
    let ports: Vec<Value> = (0..70)
        .map(|n| {
            let mut port = json!({"network_id": networks[usize::from(n % 3 == 0)], "name": format!("p{}", n % 7), "tags": [format!("t{n}"), "of-all"],
                "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": n.to_string()}]});
            match n % 4 {
                0 => port["port_security_enabled"] = false.into(),
                1 => {
                    port["device_profile"] = format!("gpu-{n}").into();
                    port["dns_name"] = format!("vm-{n}").into();
                }
                2 => port["qos_policy_id"] = policy.clone(),
                _ => port["allowed_address_pairs"] = json!([{"ip_address": format!("192.0.2.{n}")}]),
            }
            port
        })
        .collect();
    assert_eq!(s.post("/ports", json!({"ports": ports})).await.status, 201);

    let all = listed(&s, "").await;
    assert_eq!(all.len(), 70);
    assert_eq!(alone(&s, &all).await, all);
    assert!(all.iter().all(|port| port["tags"].as_array().is_some_and(|tags| tags.len() == 2)));
    // One-to-one tables: some ports have a row and some have none, and one table is found through the network.
    let with = |name: &str, value: &Value| all.iter().filter(|port| port[name] == *value).count();
    assert_eq!((with("port_security_enabled", &json!(false)), with("port_security_enabled", &json!(true))), (18, 52));
    assert_eq!(
        (with("qos_policy_id", &policy), with("qos_network_policy_id", &policy), with("device_profile", &Value::Null)),
        (17, 24, 52)
    );
    let id = |at: usize| all[at]["id"].as_str().unwrap();
    for (query, from, to) in [
        ("limit=100".to_owned(), 0, 70),
        ("limit=20".to_owned(), 0, 20),
        (format!("limit=30&marker={}", id(9)), 10, 40),
        (format!("limit=20&marker={}&page_reverse=true", id(50)), 30, 50),
    ] {
        assert_eq!(listed(&s, &query).await, all[from..to], "{query}");
    }
    for query in
        ["sort_key=name&sort_dir=asc&limit=25", "sort_key=name&sort_dir=desc", "name=p3&limit=20", "limit=25&sort_key=id&sort_dir=desc"]
    {
        let page = listed(&s, query).await;
        assert!(page.len() >= 10, "{query}");
        assert_eq!(alone(&s, &page).await, page, "{query}");
    }
}
