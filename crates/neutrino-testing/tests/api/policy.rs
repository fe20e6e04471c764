// SPDX-License-Identifier: Apache-2.0
//! Who may do what: roles, projects, hidden attributes, and that nothing is served without a rule.

use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

/// A caller with a token: a project and roles.
pub struct As<'a> {
    server: &'a Server,
    identity: Identity,
}

pub fn by<'a>(server: &'a Server, project: &str, roles: &[&str]) -> As<'a> {
    let identity = Identity {
        user_id: Some(format!("user-of-{project}")),
        project_id: Some(project.to_owned()),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Identity::default()
    };
    As { server, identity }
}

impl As<'_> {
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.server.send_as(self.identity.clone(), method, path, body, &[]).await
    }
    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, Some(body)).await
    }
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, Some(body)).await
    }
    /// [`As::put`] for a path that is made on the spot.
    pub async fn put_owned(&self, path: String, body: Value) -> Answer {
        self.put(&path, body).await
    }
    pub async fn delete(&self, path: &str) -> Answer {
        self.ask(Method::DELETE, path, None).await
    }
}

const MEMBER: &[&str] = &["member", "reader"];

/// Neutron registers no rule for these; its default rule (administrators and the owner) judges them. The list may only shrink.
const WITHOUT_A_RULE: &[&str] = &[
    "create_floatingip:qos_policy_id",
    "create_local_ip:local_ip_address",
    "create_network:mtu",
    "create_network:qos_policy_id",
    "create_port:hardware_offload_type",
    "create_port:qos_policy_id",
    "create_port_binding:profile",
    "create_port_binding:vnic_type",
    "create_rbac_policy:action",
    "create_rbac_policy:object_id",
    "create_rbac_policy:object_type",
    "create_router:flavor_id",
    "create_trunk:sub_ports",
    "get_flavor_next_provider",
    "update_default_security_group_rule",
    "update_floatingip:qos_policy_id",
    "update_network:mtu",
    "update_network:qos_policy_id",
    "update_port:qos_policy_id",
    "update_port_binding",
    "update_port_binding:profile",
    "update_port_binding:vnic_type",
    "update_security_group_rule",
];

#[tokio::test]
async fn nothing_is_served_without_a_rule() {
    let server = Server::full().await;
    assert_eq!(server.engine.policy.current().unnamed, WITHOUT_A_RULE);
}

#[tokio::test]
async fn a_project_sees_and_changes_its_own() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let network = a.post("/networks", json!({"network": {"name": "mine"}})).await.expect(201);
    let path = format!("/networks/{}", network["id"].as_str().unwrap());
    assert_eq!(network["project_id"], "a");
    a.get(&path).await.expect(200);
    b.get(&path).await.refused(404, "NetworkNotFound");
    b.get("/networks").await.expect_rows("networks", 0);
    b.put(&path, json!({"network": {"name": "theirs"}})).await.refused(404, "NetworkNotFound");
    b.delete(&path).await.refused(404, "NetworkNotFound");
    server.get(&path).await.expect(200);
    a.put(&path, json!({"network": {"name": "ours"}})).await.expect(200);
    assert_eq!(a.delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_reader_only_reads_and_nobody_does_nothing() {
    let server = Server::full().await;
    let (member, reader, nobody) = (by(&server, "a", MEMBER), by(&server, "a", &["reader"]), by(&server, "a", &[]));
    reader.post("/networks", json!({"network": {}})).await.refused(403, "PolicyNotAuthorized");
    let network = member.post("/networks", json!({"network": {}})).await.expect(201);
    let path = format!("/networks/{}", network["id"].as_str().unwrap());
    reader.get(&path).await.expect(200);
    reader.put(&path, json!({"network": {"name": "x"}})).await.refused(403, "PolicyNotAuthorized");
    reader.delete(&path).await.refused(403, "PolicyNotAuthorized");
    // Who may not even see it is told that it is not there.
    nobody.get(&path).await.refused(404, "HTTPNotFound");
    nobody.get("/networks").await.expect_rows("networks", 0);
    nobody.delete(&path).await.refused(404, "HTTPNotFound");
    member.get(&path).await.expect(200);
}

#[tokio::test]
async fn attributes_have_rules_of_their_own() {
    let server = Server::full().await;
    let member = by(&server, "a", MEMBER);
    for attribute in [json!({"shared": true}), json!({"router:external": true}), json!({"provider:network_type": "vxlan"})] {
        member.post("/networks", json!({"network": attribute})).await.refused(403, "PolicyNotAuthorized");
    }
    // What a default says anyway is no choice.
    let network = member.post("/networks", json!({"network": {"shared": false}})).await.expect(201);
    let path = format!("/networks/{}", network["id"].as_str().unwrap());
    assert_eq!(network.get("provider:network_type"), None);
    assert_eq!(member.get(&path).await.expect(200).get("provider:segmentation_id"), None);
    let listed = member.get("/networks").await;
    assert_eq!(listed.body["networks"][0].get("provider:network_type"), None);
    assert_eq!(member.get(&format!("{path}?fields=provider:network_type&fields=name")).await.expect(200), json!({"name": ""}));
    assert_eq!(server.get(&path).await.expect(200)["provider:network_type"], "vxlan");
    member.put(&path, json!({"network": {"shared": false}})).await.refused(403, "PolicyNotAuthorized");
    let none = server.get("/networks").await;
    assert_eq!(none.body["networks"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_port_on_the_shared_network_of_others() {
    let server = Server::full().await;
    let (owner, other) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let network = server.post("/networks", json!({"network": {"shared": true, "project_id": "a"}})).await.expect(201);
    let id = network["id"].as_str().unwrap();
    let subnet = owner.post("/subnets", json!({"subnet": {"network_id": id, "ip_version": 4, "cidr": "10.0.0.0/24"}})).await.expect(201);
    other
        .post("/subnets", json!({"subnet": {"network_id": id, "ip_version": 4, "cidr": "10.1.0.0/24"}}))
        .await
        .refused(403, "PolicyNotAuthorized");
    let port = other.post("/ports", json!({"port": {"network_id": id}})).await.expect(201);
    assert_eq!(port.get("binding:host_id"), None);
    assert_eq!(port["binding:vnic_type"], "normal");
    let subnet_id = subnet["id"].as_str().unwrap();
    for asked in [
        json!({"mac_address": "fa:16:3e:00:00:01"}),
        json!({"fixed_ips": [{"ip_address": "10.0.0.77"}]}),
        json!({"port_security_enabled": false}),
        json!({"device_owner": "network:dhcp"}),
        json!({"allowed_address_pairs": [{"ip_address": "10.0.0.9"}]}),
        json!({"binding:host_id": "h"}),
        json!({"binding:profile": {"a": 1}}),
    ] {
        let mut body = asked.clone();
        body["network_id"] = json!(id);
        other.post("/ports", json!({"port": body})).await.refused(403, "PolicyNotAuthorized");
        let path = format!("/ports/{}", port["id"].as_str().unwrap());
        other.put(&path, json!({"port": asked})).await.refused(403, "PolicyNotAuthorized");
    }
    other.post("/ports", json!({"port": {"network_id": id, "fixed_ips": [{"subnet_id": subnet_id}]}})).await.expect(201);
    owner.post("/ports", json!({"port": {"network_id": id, "mac_address": "fa:16:3e:00:00:02"}})).await.expect(201);
    // The network's owner sees and deletes the ports of others on it.
    owner.get("/ports").await.expect_rows("ports", 3);
    other.get("/ports").await.expect_rows("ports", 2);
    assert_eq!(owner.delete(&format!("/ports/{}", port["id"].as_str().unwrap())).await.status, 204);
}

#[tokio::test]
async fn another_project_may_not_be_named() {
    let server = Server::full().await;
    let body = || json!({"network": {"project_id": "b"}});
    by(&server, "a", MEMBER).post("/networks", body()).await.refused(400, "HTTPBadRequest");
    assert_eq!(by(&server, "a", &["admin", "member", "reader"]).post("/networks", body()).await.expect(201)["project_id"], "b");
}

#[tokio::test]
async fn a_child_is_reached_through_a_parent_that_one_sees() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", &["member", "reader", "manager", "service"]));
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    let port = a.post("/ports", json!({"port": {"network_id": network["id"], "device_owner": "compute:nova"}})).await.expect(201);
    let bindings = format!("/ports/{}/bindings", port["id"].as_str().unwrap());
    a.get(&bindings).await.expect_rows("bindings", 0);
    let name = port["id"].as_str().unwrap();
    server.put(&format!("/ports/{name}"), json!({"port": {"binding:host_id": "h"}})).await.expect(200);
    by(&server, "c", MEMBER).get(&bindings).await.refused(404, "PortNotFound");
    // A service sees the ports of every project.
    b.get(&bindings).await.expect_rows("bindings", 1);
}

#[tokio::test]
async fn rules_of_a_page_cost_no_statement_for_each_row() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let mut counts = Vec::new();
    for round in [1, 6] {
        for _ in 0..round {
            let network = server.post("/networks", json!({"network": {"shared": true, "project_id": "a"}})).await.expect(201);
            b.post("/ports", json!({"port": {"network_id": network["id"]}})).await.expect(201);
        }
        let before = server.statements();
        a.get("/ports").await.expect_rows("ports", if round == 1 { 1 } else { 7 });
        counts.push(server.statements() - before);
    }
    assert_eq!(counts[0], counts[1]);
}
