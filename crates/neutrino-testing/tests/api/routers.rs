// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/routers`: gateways, interfaces, routes, distributed routers, and what they forbid to others.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::policy::by;

pub const MEMBER: &[&str] = &["member", "reader"];

/// A network with one subnet; their ids.
pub async fn network(server: &Server, attributes: Value, cidr: &str) -> (String, String) {
    let network = server.post("/networks", json!({ "network": attributes })).await.expect(201);
    let id = network["id"].as_str().unwrap().to_owned();
    let subnet = subnet(server, &id, json!({ "cidr": cidr })).await;
    (id, subnet)
}

/// Another subnet of a network.
pub async fn subnet(server: &Server, network_id: &str, mut attributes: Value) -> String {
    let is_v6 = attributes["cidr"].as_str().unwrap().contains(':');
    attributes["network_id"] = json!(network_id);
    attributes["ip_version"] = json!(if is_v6 { 6 } else { 4 });
    let subnet = server.post("/subnets", json!({ "subnet": attributes })).await.expect(201);
    subnet["id"].as_str().unwrap().to_owned()
}

/// A router; its path.
pub async fn router(server: &Server, attributes: Value) -> String {
    let router = server.post("/routers", json!({ "router": attributes })).await.expect(201);
    format!("/routers/{}", router["id"].as_str().unwrap())
}

pub fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_router_is_made_changed_shown_and_deleted() {
    let server = Server::full().await;
    let made = server.post("/routers", json!({"router": {"name": "r", "description": "d"}})).await.expect(201);
    for (name, value) in [
        ("name", json!("r")),
        ("description", json!("d")),
        ("admin_state_up", json!(true)),
        ("status", json!("ACTIVE")),
        ("external_gateway_info", json!(null)),
        ("routes", json!([])),
        ("distributed", json!(false)),
        ("availability_zones", json!([])),
        ("availability_zone_hints", json!([])),
        ("tags", json!([])),
        ("revision_number", json!(1)),
    ] {
        assert_eq!(made[name], value, "{name}: {made}");
    }
    let path = format!("/routers/{}", made["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), made);
    let changed = server.put(&path, json!({"router": {"name": "s", "admin_state_up": false}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["admin_state_up"]), (&json!("s"), &json!(false)));
    assert_eq!(changed["revision_number"], 2);
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "RouterNotFound");
}

#[tokio::test]
async fn interfaces_take_the_gateway_address_and_give_it_back() {
    let server = Server::full().await;
    let (network, subnet) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = router(&server, json!({})).await;
    let added = server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    let port = server.get(&format!("/ports/{}", added["port_id"].as_str().unwrap())).await.expect(200);
    assert_eq!(port["device_owner"], "network:router_interface");
    assert_eq!(port["device_id"], id(&path));
    assert_eq!(port["fixed_ips"], json!([{"subnet_id": subnet, "ip_address": "10.0.0.1"}]));
    assert_eq!(added["subnet_ids"], json!([subnet]));
    assert_eq!(added["network_id"], json!(network));
    server.delete(&path).await.refused(409, "RouterInUse");
    let removed = server.put(&format!("{path}/remove_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    assert_eq!(removed["port_id"], added["port_id"]);
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM routerports").await, 0);
}

#[tokio::test]
async fn a_gateway_leads_out_and_goes_with_the_router() {
    let server = Server::full().await;
    let (network, subnet) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let path = router(&server, json!({"external_gateway_info": {"network_id": network}})).await;
    let info = server.get(&path).await.expect(200)["external_gateway_info"].clone();
    assert_eq!(info["network_id"], json!(network));
    assert_eq!(info["enable_snat"], true);
    assert_eq!(info["external_fixed_ips"][0]["subnet_id"], json!(subnet));
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 0);
}

#[tokio::test]
async fn other_projects_see_no_router() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let made = a.post("/routers", json!({"router": {}})).await.expect(201);
    let path = format!("/routers/{}", made["id"].as_str().unwrap());
    a.get(&path).await.expect(200);
    b.get(&path).await.refused(404, "RouterNotFound");
    b.get("/routers").await.expect_rows("routers", 0);
    b.put(&path, json!({"router": {"name": "x"}})).await.refused(404, "RouterNotFound");
    b.delete(&path).await.refused(404, "RouterNotFound");
    for action in ["add_router_interface", "remove_router_interface", "add_extraroutes", "remove_extraroutes"] {
        b.put(&format!("{path}/{action}"), json!({"subnet_id": made["id"]})).await.refused(404, "RouterNotFound");
    }
    assert_eq!(a.delete(&path).await.status, 204);
}
