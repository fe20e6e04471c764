// SPDX-License-Identifier: Apache-2.0
//! What metering agents ask and are told. Names and forms: recordings of Neutron 29.0.0 with its own agents.

use neutrino_services::metering::flush;
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

use crate::{agents::age, ports::id, rpc_reports::report};

/// An L3 agent on a host, and a router that it serves.
async fn router(server: &Server, host: &str, body: Value) -> String {
    report(server, "L3 agent", host, json!({"configurations": {"agent_mode": "legacy"}})).await;
    let router = id(&server.post("/routers", json!({ "router": body })).await.expect(201));
    let agent = server.get(&format!("/agents?host={host}&agent_type=L3%20agent")).await.expect(200)[0]["id"].clone();
    let path = format!("/agents/{}/l3-routers", agent.as_str().unwrap());
    server.post(&path, json!({ "router_id": router })).await.expect(201);
    router
}

async fn label(server: &Server, more: Value) -> String {
    id(&server.post("/metering/metering-labels", json!({ "metering_label": more })).await.expect(201))
}

async fn rule(server: &Server, label: &str, direction: &str) -> Value {
    let rule = json!({"metering_label_id": label, "direction": direction, "remote_ip_prefix": "198.51.100.0/24"});
    server.post("/metering/metering-label-rules", json!({ "metering_label_rule": rule })).await.expect(201)
}

async fn sync(server: &Server, host: Value) -> Value {
    server.rpc("q-metering-plugin", "1.0", "get_sync_data_metering", json!({ "host": host })).await.unwrap()
}

async fn told(server: &Server) -> Vec<(String, String, Value)> {
    flush(&server.engine).await;
    let messages = server.bus.take().into_iter().filter(|message| message.topic == "metering_agent");
    messages
        .map(|message| {
            assert_eq!(message.version, "1.0");
            (message.method.to_owned(), message.server.unwrap_or_default(), message.args["routers"].clone())
        })
        .collect()
}

#[tokio::test]
async fn agents_get_the_labels_of_the_routers_on_their_host() {
    let server = Server::full().await;
    assert_eq!(sync(&server, json!("h1")).await, Value::Null, "no such host");
    let first = router(&server, "h1", json!({"name": "r1"})).await;
    assert_eq!(sync(&server, json!("h1")).await, json!([]), "nothing is counted");
    router(&server, "h1", json!({"name": "r2", "project_id": "other"})).await;
    router(&server, "h1", json!({"name": "r3", "admin_state_up": false})).await;
    let third = router(&server, "h2", json!({"name": "r4", "project_id": "other"})).await;
    let own = label(&server, json!({"name": "m1"})).await;
    let made = rule(&server, &own, "ingress").await;
    let whole = json!([{
        "id": first, "name": "r1", "project_id": PROJECT, "admin_state_up": true, "status": "ACTIVE", "gw_port_id": null, "distributed": false,
        "_metering_labels": [{"id": own, "rules": [made], "shared": false, "name": "m1"}],
    }]);
    assert_eq!(sync(&server, json!("h1")).await, whole);
    assert_eq!(sync(&server, Value::Null).await, whole);
    assert_eq!(sync(&server, json!("h2")).await, json!([]));
    let shared = label(&server, json!({"name": "all", "shared": true})).await;
    let here = sync(&server, json!("h2")).await;
    assert_eq!((here.as_array().unwrap().len(), &here[0]["id"]), (1, &json!(third)));
    assert_eq!(here[0]["_metering_labels"], json!([{"id": shared, "rules": [], "shared": true, "name": "all"}]));
    let both = sync(&server, json!("h1")).await;
    let counts: Vec<usize> = both.as_array().unwrap().iter().map(|r| r["_metering_labels"].as_array().unwrap().len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 3, "{both}");
}

#[tokio::test]
async fn agents_hear_of_labels_and_rules() {
    let server = Server::full().await;
    let first = router(&server, "h1", json!({})).await;
    router(&server, "h2", json!({"project_id": "other"})).await;
    let silent = router(&server, "h3", json!({})).await;
    let agent = server.get("/agents?host=h3").await.expect(200)[0]["id"].as_str().unwrap().to_owned();
    age(&server, &agent, 100).await;
    told(&server).await;
    let own = label(&server, json!({"name": "m1"})).await;
    let heard = told(&server).await;
    assert_eq!(heard.len(), 1, "another project's host and a dead one hear nothing: {heard:?} {silent}");
    assert_eq!((heard[0].0.as_str(), heard[0].1.as_str(), &heard[0].2[0]["id"]), ("add_metering_label", "h1", &json!(first)));
    assert_eq!(heard[0].2[0]["_metering_labels"], json!([{"id": own, "rules": [], "shared": false, "name": "m1"}]));

    let made = rule(&server, &own, "ingress").await;
    let heard = told(&server).await;
    assert_eq!((heard.len(), heard[0].0.as_str(), heard[0].1.as_str()), (1, "add_metering_label_rule", "h1"));
    assert_eq!(heard[0].2[0]["_metering_labels"], json!([{"id": own, "rule": made}]));

    let other = rule(&server, &own, "egress").await;
    server.delete(&format!("/metering/metering-label-rules/{}", id(&made))).await;
    let heard = told(&server).await;
    let methods: Vec<&str> = heard.iter().map(|(method, ..)| method.as_str()).collect();
    assert_eq!(methods, ["add_metering_label_rule", "remove_metering_label_rule"]);
    assert_eq!(heard[1].2[0]["_metering_labels"], json!([{"id": own, "rule": made}]));

    server.delete(&format!("/metering/metering-labels/{own}")).await;
    let heard = told(&server).await;
    assert_eq!((heard.len(), heard[0].0.as_str(), heard[0].1.as_str()), (1, "remove_metering_label", "h1"));
    assert_eq!(heard[0].2[0]["_metering_labels"], json!([{"id": own, "rules": [other], "shared": false, "name": "m1"}]));

    label(&server, json!({"shared": true})).await;
    let hosts: Vec<String> = told(&server).await.into_iter().map(|(_, host, _)| host).collect();
    assert_eq!(hosts, ["h1", "h2"]);
}

#[tokio::test]
async fn statements_do_not_grow() {
    let server = Server::full().await;
    let mut counts = Vec::new();
    for many in [1, 20] {
        for _ in 0..many {
            router(&server, "h1", json!({})).await;
            let own = label(&server, json!({})).await;
            rule(&server, &own, "ingress").await;
        }
        let before = server.statements();
        assert!(!told(&server).await.is_empty());
        let between = server.statements();
        sync(&server, json!("h1")).await;
        counts.push((between - before, server.statements() - between));
    }
    assert_eq!(counts[0], counts[1]);
}
