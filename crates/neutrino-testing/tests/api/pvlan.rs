// SPDX-License-Identifier: Apache-2.0
//! Private VLANs: types and communities of ports.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::routers::whole;

async fn network(server: &Server, attributes: Value) -> String {
    server.post("/networks", json!({ "network": attributes })).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ports_have_types_on_private_networks_only() {
    let server = Server::full().await;
    let (private, plain) = (network(&server, json!({"pvlan": true})).await, network(&server, json!({})).await);
    let make = async |network: &str, attributes: Value| {
        let mut port = attributes;
        port["network_id"] = json!(network);
        server.post("/ports", json!({ "port": port })).await
    };
    let port = make(&private, json!({})).await.expect(201);
    assert_eq!((&port["pvlan_type"], &port["pvlan_community"]), (&json!("promiscuous"), &json!(null)));
    let isolated = make(&private, json!({"pvlan_type": "isolated"})).await.expect(201);
    assert_eq!(isolated["pvlan_type"], "isolated");
    let community = json!({"pvlan_type": "community", "pvlan_community": "c1"});
    assert_eq!(make(&private, community.clone()).await.expect(201)["pvlan_community"], "c1");
    make(&private, json!({"pvlan_type": "community"})).await.refused(400, "PVLANCommunityNameRequired");
    make(&private, json!({"pvlan_type": "isolated", "pvlan_community": "c1"})).await.refused(400, "PVLANCannotSetCommunityName");
    make(&private, json!({"pvlan_type": "x"})).await.refused(400, "HTTPBadRequest");
    make(&private, json!({"pvlan_type": "community", "pvlan_community": "1c"})).await.refused(400, "HTTPBadRequest");
    make(&private, json!({"port_security_enabled": false})).await.refused(400, "PVLANPortSecurityDisabled");
    make(&plain, community.clone()).await.refused(400, "PVLANNotEnabledOnNetwork");
    assert_eq!(make(&plain, json!({})).await.expect(201)["pvlan_type"], json!(null));
    let path = format!("/ports/{}", isolated["id"].as_str().unwrap());
    assert_eq!(server.put(&path, json!({ "port": community })).await.expect(200)["pvlan_community"], "c1");
    assert_eq!(server.put(&path, json!({"port": {"pvlan_community": "c2"}})).await.expect(200)["pvlan_community"], "c2");
    let now = server.put(&path, json!({"port": {"pvlan_type": "isolated"}})).await.expect(200);
    assert_eq!((&now["pvlan_type"], &now["pvlan_community"]), (&json!("isolated"), &json!(null)));
    assert_eq!(server.get("/ports?pvlan_type=isolated").await.body["ports"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/networks?pvlan=true").await.body["networks"].as_array().unwrap().len(), 1);
    whole(&server).await;
}

#[tokio::test]
async fn networks_become_private_and_public_with_their_ports() {
    let server = Server::full().await;
    let id = network(&server, json!({})).await;
    let port = server.post("/ports", json!({"port": {"network_id": id}})).await.expect(201);
    let path = format!("/ports/{}", port["id"].as_str().unwrap());
    let set = async |attributes: Value| server.put(&format!("/networks/{id}"), json!({ "network": attributes })).await;
    assert_eq!(set(json!({"pvlan": true})).await.expect(200)["pvlan"], true);
    assert_eq!(server.get(&path).await.expect(200)["pvlan_type"], "promiscuous");
    set(json!({"port_security_enabled": false})).await.refused(400, "PVLANNetworkPortSecurityDisabled");
    assert_eq!(set(json!({"pvlan": false})).await.expect(200)["pvlan"], false);
    assert_eq!(server.get(&path).await.expect(200)["pvlan_type"], json!(null));
    server.put(&path, json!({"port": {"port_security_enabled": false, "security_groups": []}})).await.expect(200);
    set(json!({"pvlan": true})).await.refused(400, "PVLANPortSecurityDisabled");
    let insecure = json!({"network": {"pvlan": true, "port_security_enabled": false}});
    server.post("/networks", insecure).await.refused(400, "PVLANNetworkPortSecurityDisabled");
    whole(&server).await;
}
