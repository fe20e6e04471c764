// SPDX-License-Identifier: Apache-2.0
//! What agents on a trunk's host call: `update_subport_bindings` and `update_trunk_status`.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::{
    bindings::ovs_agent,
    ports::{create, network, subnet, update},
    security_groups::id,
};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A trunk whose parent is on a host, with sub-ports that are not yet.
struct Lab {
    server: Server,
    trunk: String,
    sub_ports: Vec<Value>,
}

impl Lab {
    async fn new(count: i64) -> Self {
        let server = Server::full().await;
        ovs_agent(&server, "h1").await;
        let net = network(&server).await;
        subnet(&server, &net, "10.5.0.0/24", json!({})).await;
        let parent = create(&server, &net, json!({})).await.expect(201);
        let mut sub_ports = Vec::new();
        for number in 1..=count {
            let port = create(&server, &net, json!({})).await.expect(201);
            sub_ports.push(json!({"port_id": port["id"], "segmentation_type": "vlan", "segmentation_id": number}));
        }
        let trunk = server.post("/trunks", json!({"trunk": {"port_id": parent["id"], "sub_ports": sub_ports}})).await.expect(201);
        let there = json!({"binding:host_id": "h1", "device_owner": "compute:nova", "device_id": "vm"});
        update(&server, &parent, there).await.expect(200);
        Self { server, trunk: id(&trunk).to_owned(), sub_ports }
    }

    async fn status(&self) -> String {
        self.server.get(&format!("/trunks/{}", self.trunk)).await.expect(200)["status"].as_str().unwrap().to_owned()
    }

    /// The sub-ports as the agent names them.
    fn named(&self) -> Vec<Value> {
        let named = |sub_port: &Value| {
            let mut named = sub_port.clone();
            named["trunk_id"] = json!(self.trunk);
            named
        };
        self.sub_ports.iter().map(named).collect()
    }

    async fn call(&self, method: &str, args: Value) -> neutrino_types::Result<Value> {
        self.server.rpc("trunk", "1.0", method, args).await
    }

    async fn bind(&self, sub_ports: Vec<Value>) -> Value {
        self.call("update_subport_bindings", json!({ "subports": sub_ports })).await.unwrap()
    }
}

#[tokio::test]
async fn sub_ports_follow_their_parent() {
    let lab = Lab::new(2).await;
    let answer = lab.bind(lab.named()).await;
    assert_eq!(answer.as_object().map(|map| map.keys().collect::<Vec<_>>()), Some(vec![&lab.trunk]));
    let ports = answer[&lab.trunk].as_array().unwrap();
    assert_eq!(ports.len(), 2);
    for (port, asked) in ports.iter().zip(&lab.sub_ports) {
        assert_eq!((&port["id"], &port["binding:host_id"]), (&asked["port_id"], &json!("h1")));
        assert_eq!((&port["binding:vif_type"], &port["device_owner"]), (&json!("ovs"), &json!("trunk:subport")));
        // As in what was captured of Neutron.
        for key in [
            "name",
            "network_id",
            "mac_address",
            "admin_state_up",
            "status",
            "fixed_ips",
            "security_groups",
            "binding:vif_details",
            "revision_number",
            "tenant_id",
        ] {
            assert!(port.get(key).is_some(), "{key}: {port}");
        }
    }
    assert_eq!(lab.status().await, "BUILD");
    assert_eq!(lab.call("update_trunk_status", json!({"trunk_id": lab.trunk, "status": "ACTIVE"})).await.unwrap(), Value::Null);
    assert_eq!(lab.status().await, "ACTIVE");
}

#[tokio::test]
async fn an_agent_that_comes_back_costs_no_more_with_many_sub_ports() {
    let mut costs = Vec::new();
    for count in [2, 20] {
        let lab = Lab::new(count).await;
        let first = lab.bind(lab.named()).await;
        let before = lab.server.statements();
        let second = lab.bind(lab.named()).await;
        costs.push(lab.server.statements() - before);
        assert_eq!(first, second, "nothing has changed");
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn a_trunk_without_all_of_its_sub_ports_is_degraded() {
    let lab = Lab::new(1).await;
    let mut asked = lab.named();
    asked.push(json!({"port_id": NOBODY, "trunk_id": lab.trunk, "segmentation_type": "vlan", "segmentation_id": 9}));
    let answer = lab.bind(asked).await;
    assert_eq!(answer[&lab.trunk].as_array().map(Vec::len), Some(1));
    assert_eq!(lab.status().await, "DEGRADED");
}

#[tokio::test]
async fn a_trunk_whose_sub_port_cannot_be_bound_is_in_error() {
    let lab = Lab::new(1).await;
    lab.server.sql("DELETE FROM agents").await;
    assert_eq!(lab.bind(lab.named()).await[&lab.trunk], json!([]));
    assert_eq!(lab.status().await, "ERROR");
}

#[tokio::test]
async fn what_is_gone_is_passed_over_and_nonsense_refused() {
    let lab = Lab::new(1).await;
    let gone = json!({"port_id": lab.sub_ports[0]["port_id"], "trunk_id": NOBODY});
    assert_eq!(lab.bind(vec![gone]).await, json!({}));
    assert_eq!(lab.bind(vec![]).await, json!({}));
    assert_eq!(lab.call("update_trunk_status", json!({"trunk_id": NOBODY, "status": "ACTIVE"})).await.unwrap(), Value::Null);
    for (method, args) in [
        ("update_trunk_status", json!({"trunk_id": lab.trunk, "status": "HAPPY"})),
        ("update_trunk_status", json!({"status": "ACTIVE"})),
        ("update_subport_bindings", json!({})),
        ("update_subport_bindings", json!({"subports": [{"port_id": "x"}]})),
    ] {
        assert_eq!(lab.call(method, args.clone()).await.unwrap_err().kind().name, "InvalidInput", "{method} {args}");
    }
    assert_eq!(lab.status().await, "DOWN");
}
