// SPDX-License-Identifier: Apache-2.0
//! `/local-ips` and their associations with ports.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::policy::{As, by};

const MEMBER: &[&str] = &["member", "reader"];
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

/// A network of the project with an IPv4 subnet.
async fn network(by: &As<'_>) -> Value {
    let network = by.post("/networks", json!({"network": {}})).await.expect(201);
    let subnet = json!({"network_id": network["id"], "ip_version": 4, "cidr": "10.7.0.0/24"});
    by.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    network
}

async fn port(by: &As<'_>, network: &Value, addresses: Value) -> Value {
    by.post("/ports", json!({"port": {"network_id": network["id"], "fixed_ips": addresses}})).await.expect(201)
}

#[tokio::test]
async fn one_on_a_network_holds_a_port_of_its_own() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let bare = a.post("/networks", json!({"network": {}})).await.expect(201);
    a.post("/local-ips", json!({"local_ip": {"network_id": bare["id"]}})).await.refused(400, "BadRequest");
    a.post("/local-ips", json!({"local_ip": {"network_id": NOBODY}})).await.refused(404, "NetworkNotFound");
    a.post("/local-ips", json!({"local_ip": {}})).await.refused(400, "LocalIPPortOrNetworkRequired");
    let network = network(&a).await;
    let made = a.post("/local-ips", json!({"local_ip": {"network_id": network["id"], "name": "l"}})).await.expect(201);
    assert_eq!((&made["ip_mode"], &made["network_id"], &made["revision_number"]), (&json!("translate"), &network["id"], &json!(0)));
    let held = a.get(&format!("/ports/{}", made["local_port_id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&held["device_owner"], &held["device_id"], &held["status"]), (&json!("network:local_ip"), &made["id"], &json!("N/A")));
    assert_eq!((&held["fixed_ips"][0]["ip_address"], &held["project_id"]), (&made["local_ip_address"], &json!("a")));
    a.delete(&format!("/ports/{}", id(&held))).await.refused(409, "ServicePortInUse");
    let path = format!("/local-ips/{}", id(&made));
    let changed = a.put(&path, json!({"local_ip": {"name": "m", "description": "d"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["description"]), (&json!("m"), &json!("d")));
    a.put(&path, json!({"local_ip": {"ip_mode": "passthrough"}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(a.delete(&path).await.status, 204);
    a.get(&path).await.refused(404, "LocalIPNotFound");
    a.get(&format!("/ports/{}", id(&held))).await.refused(404, "PortNotFound");
}

#[tokio::test]
async fn one_of_a_port_has_an_address_of_it() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = network(&a).await;
    let one = port(&a, &network, json!([{"ip_address": "10.7.0.9"}])).await;
    let two = port(&a, &network, json!([{"ip_address": "10.7.0.10"}, {"ip_address": "10.7.0.11"}])).await;
    let none = port(&a, &network, json!([])).await;
    let post = async |body: Value| server.post("/local-ips", json!({ "local_ip": body })).await;
    post(json!({"local_port_id": none["id"]})).await.refused(400, "LocalIPNoIP");
    post(json!({"local_port_id": two["id"]})).await.refused(400, "LocalIPNoRequestedIP");
    post(json!({"local_port_id": two["id"], "local_ip_address": "10.7.0.9"})).await.refused(400, "LocalIPRequestedIPNotFound");
    post(json!({"local_port_id": one["id"], "local_ip_address": "10.7.0.10"})).await.refused(400, "LocalIPRequestedIPNotFound");
    post(json!({"local_port_id": NOBODY})).await.refused(400, "BadRequest");
    post(json!({"local_port_id": one["id"], "ip_mode": "other"})).await.refused(400, "HTTPBadRequest");
    let second = post(json!({"local_port_id": two["id"], "local_ip_address": "10.7.0.11"})).await.expect(201);
    assert_eq!((&second["local_ip_address"], &second["network_id"]), (&json!("10.7.0.11"), &network["id"]));
    let made = post(json!({"local_port_id": one["id"], "ip_mode": "passthrough"})).await.expect(201);
    assert_eq!(made["local_ip_address"], "10.7.0.9");
    // The port was there before, and stays.
    assert_eq!(server.delete(&format!("/local-ips/{}", id(&made))).await.status, 204);
    server.get(&format!("/ports/{}", id(&one))).await.expect(200);
}

#[tokio::test]
async fn an_address_that_cannot_be_leaves_nothing_behind() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = network(&a).await;
    let before = server.count("SELECT count(*) FROM ports").await;
    // An address is for administrators to choose unless the rules say otherwise.
    let body = json!({"local_ip": {"network_id": network["id"], "local_ip_address": "10.8.0.9"}});
    server.post("/local-ips", body).await.refused(400, "InvalidIpForNetwork");
    assert_eq!(server.count("SELECT count(*) FROM ports").await, before);
    let body = json!({"local_ip": {"network_id": network["id"], "local_ip_address": "10.7.0.77"}});
    assert_eq!(server.post("/local-ips", body).await.expect(201)["local_ip_address"], "10.7.0.77");
}

#[tokio::test]
async fn ports_are_associated_once_each() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = network(&a).await;
    let made = a.post("/local-ips", json!({"local_ip": {"network_id": network["id"]}})).await.expect(201);
    let path = format!("/local_ips/{}/port_associations", id(&made));
    let (one, two) = (port(&a, &network, json!([{"ip_address": "10.7.0.9"}])).await, port(&a, &network, json!([])).await);
    let post = async |body: Value| a.post(&path, json!({ "port_association": body })).await;
    let associated = post(json!({"fixed_port_id": one["id"]})).await.expect(201);
    let expected = json!({"local_ip_id": made["id"], "fixed_port_id": one["id"], "fixed_ip": "10.7.0.9",
        "local_ip_address": made["local_ip_address"], "host": ""});
    assert_eq!(associated, expected);
    post(json!({"fixed_port_id": one["id"]})).await.refused(409, "Conflict");
    post(json!({"fixed_port_id": two["id"]})).await.refused(400, "LocalIPNoIP");
    post(json!({"fixed_port_id": one["id"], "fixed_ip": "10.7.0.200"})).await.refused(400, "LocalIPRequestedIPNotFound");
    post(json!({"fixed_port_id": NOBODY})).await.refused(400, "BadRequest");
    assert_eq!(a.get(&path).await.body["port_associations"], json!([expected]));
    a.get(&format!("{path}?fixed_port_id={}", id(&two))).await.expect_rows("port_associations", 0);
    let single = format!("{path}/{}", id(&one));
    assert_eq!(a.get(&single).await.expect(200), expected);
    a.delete(&format!("/local-ips/{}", id(&made))).await.refused(409, "LocalIPInUse");
    assert_eq!(a.put(&single, json!({"port_association": {}})).await.status, 405);
    assert_eq!(a.delete(&single).await.status, 204);
    a.delete(&single).await.refused(404, "LocalIPAssociationNotFound");
    server.get(&format!("/local_ips/{NOBODY}/port_associations")).await.refused(404, "LocalIPNotFound");
    assert_eq!(a.delete(&format!("/local-ips/{}", id(&made))).await.status, 204);
}

/// The class of the advisories of 2026: an association is reached through its own local IP, and only by who sees that.
#[tokio::test]
async fn an_association_is_reached_through_its_own_local_ip_only() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let (mine, theirs) = (network(&a).await, network(&b).await);
    let local = a.post("/local-ips", json!({"local_ip": {"network_id": mine["id"]}})).await.expect(201);
    let foreign = b.post("/local-ips", json!({"local_ip": {"network_id": theirs["id"]}})).await.expect(201);
    let port = port(&a, &mine, json!([{"ip_address": "10.7.0.9"}])).await;
    let path = format!("/local_ips/{}/port_associations", id(&local));
    a.post(&path, json!({"port_association": {"fixed_port_id": port["id"]}})).await.expect(201);
    let through_own = format!("/local_ips/{}/port_associations/{}", id(&foreign), id(&port));
    b.get(&through_own).await.refused(404, "LocalIPAssociationNotFound");
    b.delete(&through_own).await.refused(404, "LocalIPAssociationNotFound");
    for answer in [b.get(&path).await, b.get(&format!("{path}/{}", id(&port))).await, b.delete(&format!("{path}/{}", id(&port))).await] {
        answer.refused(404, "LocalIPNotFound");
    }
    // A foreign port is not there for it.
    let steal = json!({"port_association": {"fixed_port_id": port["id"]}});
    b.post(&format!("/local_ips/{}/port_associations", id(&foreign)), steal.clone()).await.refused(400, "BadRequest");
    b.post("/local-ips", json!({"local_ip": {"local_port_id": port["id"]}})).await.refused(400, "BadRequest");
    b.post(&path, steal).await.refused(403, "PolicyNotAuthorized");
    b.get(&format!("/local-ips/{}", id(&local))).await.refused(404, "LocalIPNotFound");
    b.delete(&format!("/local-ips/{}", id(&local))).await.refused(404, "LocalIPNotFound");
    a.get(&path).await.expect_rows("port_associations", 1);
}
