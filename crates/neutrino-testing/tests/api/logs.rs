// SPDX-License-Identifier: Apache-2.0
//! `/log/logs` and `/log/loggable-resources`.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::policy::by;

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

fn log(extra: Value) -> Value {
    let mut log = json!({"resource_type": "security_group"});
    log.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    json!({ "log": log })
}

/// A port with its security group.
async fn port(server: &Server, extra: Value) -> (String, String) {
    let network = server.post("/networks", json!({"network": {}})).await.expect(201);
    let mut port = json!({"network_id": network["id"]});
    port.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let port = server.post("/ports", json!({ "port": port })).await.expect(201);
    (id(&port), port["security_groups"][0].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_log_says_what_is_logged() {
    let server = Server::full().await;
    let made = server.post("/log/logs", log(json!({"name": "l"}))).await.expect(201);
    assert_eq!((&made["event"], &made["enabled"], &made["revision_number"]), (&json!("ALL"), &json!(true), &json!(0)));
    assert_eq!((&made["resource_id"], &made["target_id"]), (&Value::Null, &Value::Null));
    let path = format!("/log/logs/{}", id(&made));
    let changed = server.put(&path, json!({"log": {"enabled": false, "name": "m", "description": "d"}})).await.expect(200);
    assert_eq!((&changed["enabled"], &changed["description"], &changed["revision_number"]), (&json!(false), &json!("d"), &json!(1)));
    for fixed in [json!({"event": "DROP"}), json!({"resource_id": null}), json!({"resource_type": "security_group"})] {
        server.put(&path, json!({ "log": fixed })).await.refused(400, "HTTPBadRequest");
    }
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "LogResourceNotFound");
    assert_eq!(server.get("/logs").await.status, 404);
}

#[tokio::test]
async fn only_what_a_driver_supports_is_logged() {
    let server = Server::full().await;
    assert_eq!(server.get("/log/loggable-resources").await.body["loggable_resources"], json!([{"type": "security_group"}]));
    assert_eq!(server.get("/log/loggable_resources").await.status, 200);
    for unknown in ["snat", "firewall_v2", ""] {
        server.post("/log/logs", json!({"log": {"resource_type": unknown}})).await.refused(400, "InvalidLogResourceType");
    }
    server.post("/log/logs", log(json!({"event": "NONE"}))).await.refused(400, "HTTPBadRequest");
    let other = Server::with(&[("DEFAULT", "service_plugins", "log"), ("ml2", "mechanism_drivers", "sriovnicswitch")]).await;
    other.get("/log/loggable-resources").await.expect_rows("loggable_resources", 0);
    other.post("/log/logs", log(json!({}))).await.refused(400, "InvalidLogResourceType");
}

#[tokio::test]
async fn group_and_port_belong_together() {
    let server = Server::full().await;
    let (port_id, group_id) = port(&server, json!({})).await;
    server.post("/log/logs", log(json!({"resource_id": NOBODY}))).await.refused(404, "ResourceNotFound");
    server.post("/log/logs", log(json!({"target_id": NOBODY}))).await.refused(404, "TargetResourceNotFound");
    server.post("/log/logs", log(json!({"resource_id": group_id, "target_id": port_id}))).await.expect(201);
    let other = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    let both = log(json!({"resource_id": other["id"], "target_id": port_id}));
    server.post("/log/logs", both).await.refused(400, "InvalidResourceConstraint");
    let (direct, _) = port(&server, json!({"binding:vnic_type": "direct"})).await;
    server.post("/log/logs", log(json!({"target_id": direct}))).await.refused(409, "LoggingTypeNotSupported");
}

#[tokio::test]
async fn a_log_goes_with_its_group_or_port() {
    let server = Server::full().await;
    let (port_id, _) = port(&server, json!({})).await;
    let group = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    server.post("/log/logs", log(json!({"target_id": port_id}))).await.expect(201);
    server.post("/log/logs", log(json!({"resource_id": group["id"], "enabled": false}))).await.expect(201);
    server.post("/log/logs", log(json!({}))).await.expect(201);
    assert_eq!(server.delete(&format!("/ports/{port_id}")).await.status, 204);
    server.get("/log/logs").await.expect_rows("logs", 2);
    assert_eq!(server.delete(&format!("/security-groups/{}", id(&group))).await.status, 204);
    server.get("/log/logs").await.expect_rows("logs", 1);
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'logs'").await, 1);
}

#[tokio::test]
async fn managers_log_what_is_theirs() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", &["manager", "member", "reader"]), by(&server, "b", &["manager", "member", "reader"]));
    by(&server, "a", &["member", "reader"]).post("/log/logs", log(json!({}))).await.refused(403, "PolicyNotAuthorized");
    let made = a.post("/log/logs", log(json!({}))).await.expect(201);
    let path = format!("/log/logs/{}", id(&made));
    a.get(&path).await.expect(200);
    for answer in [b.get(&path).await, b.put(&path, json!({"log": {"name": "x"}})).await, b.delete(&path).await] {
        answer.refused(404, "LogResourceNotFound");
    }
    // Neither the group nor the port of others can be logged.
    let (port_id, group_id) = port(&server, json!({})).await;
    a.post("/log/logs", log(json!({"resource_id": group_id}))).await.refused(404, "ResourceNotFound");
    a.post("/log/logs", log(json!({"target_id": port_id}))).await.refused(404, "TargetResourceNotFound");
}
