// SPDX-License-Identifier: Apache-2.0
//! What agents ask of logs: `get_sg_log_info_for_port` and `get_sg_log_info_for_log_resources`.

use neutrino_core::{Context, versions};
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

use crate::{
    bindings::{on_host, ovs_agent},
    ports::{network, subnet},
    security_groups::{group, id},
};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A group with a rule of its own, and a port on a host that has it.
struct Lab {
    server: Server,
    network: String,
    group: Value,
    port: Value,
}

async fn rule(server: &Server, group: &Value, more: Value) -> Value {
    let mut body = json!({"security_group_id": group["id"], "direction": "ingress"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/security-group-rules", json!({ "security_group_rule": body })).await.expect(201)
}

impl Lab {
    async fn new() -> Self {
        let server = Server::full().await;
        ovs_agent(&server, "h1").await;
        let network = network(&server).await;
        subnet(&server, &network, "10.5.0.0/24", json!({})).await;
        let group = group(&server, "g").await;
        rule(&server, &group, json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 2, "remote_ip_prefix": "192.0.2.0/24"}))
            .await;
        rule(&server, &group, json!({"direction": "egress", "protocol": "udp", "remote_ip_prefix": "192.0.2.0/24"})).await;
        rule(&server, &group, json!({"protocol": "udp", "remote_group_id": group["id"]})).await;
        let port = on_host(&server, &network, "h1", json!({"security_groups": [group["id"]]})).await.expect(201);
        server.sql("UPDATE ports SET status = 'ACTIVE'").await;
        Self { server, network, group, port }
    }

    async fn log(&self, more: Value) -> Value {
        let mut body = json!({"resource_type": "security_group", "project_id": PROJECT});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.server.post("/log/logs", json!({ "log": body })).await.expect(201)
    }

    async fn for_port(&self, port: &Value) -> Value {
        let args = json!({"resource_type": "security_group", "port_id": port["id"]});
        self.server.rpc("logging-plugin", "1.0", "get_sg_log_info_for_port", args).await.unwrap()
    }

    async fn for_logs(&self, logs: &[&Value]) -> Value {
        let args = json!({"resource_type": "security_group", "log_resources": logs});
        self.server.rpc("logging-plugin", "1.1", "get_sg_log_info_for_log_resources", args).await.unwrap()
    }
}

fn ports(info: &Value) -> Vec<&str> {
    info["ports_log"].as_array().unwrap().iter().map(|port| port["port_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_port_is_logged_with_the_rules_of_its_groups() {
    let lab = Lab::new().await;
    assert_eq!(lab.for_port(&lab.port).await, json!([]));
    let log = lab.log(json!({"resource_id": lab.group["id"], "event": "DROP"})).await;
    let info = lab.for_port(&lab.port).await;
    let group = &lab.group["id"];
    let rules = json!([
        {"direction": "egress", "ethertype": "IPv4", "security_group_id": group},
        {"direction": "egress", "ethertype": "IPv6", "security_group_id": group},
        {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 1, "port_range_max": 2,
            "source_ip_prefix": "192.0.2.0/24", "security_group_id": group},
        {"direction": "egress", "ethertype": "IPv4", "protocol": "udp", "dest_ip_prefix": "192.0.2.0/24", "security_group_id": group},
        {"direction": "ingress", "ethertype": "IPv4", "protocol": "udp", "remote_group_id": group, "security_group_id": group},
    ]);
    let logged = json!([{"port_id": lab.port["id"], "security_group_rules": rules}]);
    assert_eq!(info, json!([{"id": log["id"], "ports_log": logged, "event": "DROP", "project_id": PROJECT}]));
    assert_eq!(lab.for_logs(&[&log]).await, info);
    assert_eq!(lab.for_port(&json!({"id": NOBODY})).await, json!([]));
}

#[tokio::test]
async fn logs_name_a_group_a_port_both_or_neither() {
    let lab = Lab::new().await;
    let other = group(&lab.server, "other").await;
    let plain = on_host(&lab.server, &lab.network, "h1", json!({"security_groups": [other["id"]]})).await.expect(201);
    lab.server.sql("UPDATE ports SET status = 'ACTIVE'").await;
    let (a, b) = (id(&lab.port), id(&plain));
    for (log, of_a, of_b, logged) in [
        (json!({"resource_id": lab.group["id"]}), 1, 0, vec![a]),
        (json!({"target_id": plain["id"]}), 0, 1, vec![b]),
        (json!({"target_id": plain["id"], "resource_id": other["id"]}), 0, 1, vec![b]),
        (json!({"enabled": false}), 0, 0, vec![a, b]),
        (json!({}), 1, 1, vec![a, b]),
    ] {
        let made = lab.log(log.clone()).await;
        for (port, count) in [(&lab.port, of_a), (&plain, of_b)] {
            assert_eq!(lab.for_port(port).await.as_array().map(Vec::len), Some(count), "{log}");
        }
        let info = lab.for_logs(&[&made]).await;
        let (mut found, mut wanted) = (ports(&info[0]), logged);
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{log}");
        assert_eq!(lab.server.delete(&format!("/log/logs/{}", id(&made))).await.status, 204);
    }
    // A port that is down has nothing to log.
    let log = lab.log(json!({"target_id": plain["id"]})).await;
    lab.server.sql(&format!("UPDATE ports SET status = 'DOWN' WHERE id = '{b}'")).await;
    assert_eq!(lab.for_logs(&[&log]).await[0]["ports_log"], json!([]));
}

#[tokio::test]
async fn other_types_of_resources_are_refused() {
    let lab = Lab::new().await;
    let call = |method: &'static str, args: Value| lab.server.rpc("logging-plugin", "1.0", method, args);
    let refused = call("get_sg_log_info_for_port", json!({"resource_type": "snat", "port_id": "x"})).await.unwrap_err();
    assert_eq!(refused.status(), 501);
    assert!(call("get_sg_log_info_for_port", json!({})).await.is_err());
    assert!(call("get_sg_log_info_for_log_resources", json!({"log_resources": "x"})).await.is_err());
    assert_eq!(call("get_sg_log_info_for_log_resources", json!({"log_resources": []})).await.unwrap(), json!([]));
}

#[tokio::test]
async fn the_cost_does_not_grow_with_ports_and_logs() {
    let lab = Lab::new().await;
    let first = lab.log(json!({"resource_id": lab.group["id"]})).await;
    let before = lab.server.statements();
    lab.for_logs(&[&first]).await;
    let cost = lab.server.statements() - before;
    let second = lab.log(json!({})).await;
    for _ in 0..5 {
        on_host(&lab.server, &lab.network, "h1", json!({"security_groups": [lab.group["id"]]})).await.expect(201);
    }
    lab.server.sql("UPDATE ports SET status = 'ACTIVE'").await;
    let before = lab.server.statements();
    let info = lab.for_logs(&[&first, &second]).await;
    assert_eq!(lab.server.statements() - before, cost);
    assert_eq!((ports(&info[0]).len(), ports(&info[1]).len()), (6, 6));
}

#[tokio::test]
async fn a_log_is_told_again_when_rules_change() {
    let lab = Lab::new().await;
    let versions_of_agent = json!({"Log": "1.0"});
    versions::reported(&lab.server.engine, &Context::internal("test"), "a", "h1", versions_of_agent.as_object().unwrap());
    let log = lab.log(json!({"resource_id": lab.group["id"]})).await;
    lab.server.pushes().await;
    rule(&lab.server, &lab.group, json!({"protocol": "icmp"})).await;
    let told = lab.server.pushes().await.into_iter().find(|message| message.topic == "neutron-vo-Log-1.0").unwrap();
    assert_eq!(told.args["event_type"], "updated");
    assert_eq!(told.args["resource_list"][0]["versioned_object.data"]["id"], log["id"]);
}
