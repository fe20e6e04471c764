// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::{PROJECT, Server};
use serde_json::json;

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let network = server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201);
    assert_eq!(network["name"], "n");
    assert_eq!(network["admin_state_up"], true);
    assert_eq!(network["status"], "ACTIVE");
    assert_eq!(network["shared"], false);
    assert_eq!(network["subnets"], json!([]));
    assert_eq!(network["ipv4_address_scope"], json!(null));
    assert_eq!(network["ipv6_address_scope"], json!(null));
    assert_eq!(network["project_id"], PROJECT);
    assert_eq!(network["revision_number"], 1);
    let path = format!("/networks/{}", network["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), network);
    let changed = server.put(&path, json!({"network": {"admin_state_up": "false", "name": "m"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["admin_state_up"]), (&json!("m"), &json!(false)));
    assert_eq!(changed["revision_number"], 2);
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "NetworkNotFound");
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'networks'").await, 0);
}
