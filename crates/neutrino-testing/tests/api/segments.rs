// SPDX-License-Identifier: Apache-2.0
//! `/segments` and routed networks: segments as objects, subnets on them, hosts that reach them, addresses that wait for a host.

use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

const ON: &[(&str, &str, &str)] = &[
    ("DEFAULT", "service_plugins", "segments"),
    ("ml2", "mechanism_drivers", "openvswitch"),
    ("ml2", "project_network_types", "vxlan"),
    ("ml2_type_vxlan", "vni_ranges", "1:100"),
    ("ml2_type_vlan", "network_vlan_ranges", "p1:100:200,p2:100:200"),
];
const NOBODY: &str = "11111111-1111-1111-1111-111111111111";

/// A network with a segment on each of two physical networks.
struct Lab {
    server: Server,
    network: Value,
    segments: [Value; 2],
}

impl Lab {
    async fn new() -> Self {
        let server = Server::with(ON).await;
        let network = vlan(&server, "p1", 110).await;
        let first = segments(&server, &network).await.remove(0)["id"].clone();
        let second = segment(&server, &network, json!({"physical_network": "p2", "segmentation_id": 120})).await.expect(201)["id"].clone();
        Self { server, network, segments: [first, second] }
    }

    async fn subnet(&self, at: usize, body: Value) -> Answer {
        let mut subnet = json!({"network_id": self.network, "ip_version": 4, "segment_id": self.segments[at]});
        subnet.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
        self.server.post("/subnets", json!({ "subnet": subnet })).await
    }

    async fn port(&self, body: Value) -> Answer {
        let mut port = json!({"network_id": self.network});
        port.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
        self.server.post("/ports", json!({ "port": port })).await
    }

    async fn routes(&self, subnet: &Value) -> Vec<String> {
        let shown = self.server.get(&format!("/subnets/{}", subnet["id"].as_str().unwrap())).await.expect(200);
        let routes = shown["host_routes"].as_array().unwrap().iter();
        routes.map(|r| format!("{} {}", r["destination"].as_str().unwrap(), r["nexthop"].as_str().unwrap())).collect()
    }
}

async fn vlan(server: &Server, physical: &str, id: i64) -> Value {
    let body = json!({"provider:network_type": "vlan", "provider:physical_network": physical, "provider:segmentation_id": id});
    server.post("/networks", json!({ "network": body })).await.expect(201)["id"].clone()
}

async fn segments(server: &Server, network: &Value) -> Vec<Value> {
    let path = format!("/segments?network_id={}&sort_key=segmentation_id&sort_dir=asc", network.as_str().unwrap());
    server.get(&path).await.expect(200).as_array().unwrap().clone()
}

async fn segment(server: &Server, network: &Value, body: Value) -> Answer {
    let mut segment = json!({"network_id": network, "network_type": "vlan"});
    segment.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap());
    server.post("/segments", json!({ "segment": segment })).await
}

/// An agent of the switch that reports its bridges.
async fn switch(server: &Server, host: &str, physical: &[&str]) {
    let mappings: serde_json::Map<String, Value> = physical.iter().map(|name| ((*name).to_owned(), json!("br-x"))).collect();
    crate::agents::switch(server, host, json!({"tunnel_types": ["vxlan"], "bridge_mappings": mappings})).await;
}

async fn mapped(server: &Server, segment: &Value) -> i64 {
    server.count(&format!("SELECT count(*) FROM segmenthostmappings WHERE segment_id = {}", segment.to_string().replace('"', "'"))).await
}

#[tokio::test]
async fn networks_have_segments_as_objects() {
    let server = Server::with(ON).await;
    let network = vlan(&server, "p1", 150).await;
    let all = segments(&server, &network).await;
    let mut keys: Vec<&str> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "created_at",
        "description",
        "id",
        "name",
        "network_id",
        "network_type",
        "physical_network",
        "revision_number",
        "segmentation_id",
        "updated_at",
    ];
    assert_eq!(keys, expected);
    assert_eq!((&all[0]["segmentation_id"], &all[0]["name"]), (&json!(150), &Value::Null));
    let path = format!("/segments/{}", all[0]["id"].as_str().unwrap());
    let changed = server.put(&path, json!({"segment": {"name": "s", "description": "d"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["description"], &changed["revision_number"]), (&json!("s"), &json!("d"), &json!(1)));
    server.put(&path, json!({"segment": {"segmentation_id": 5}})).await.refused(400, "HTTPBadRequest");
    server.get("/segments?segmentation_id=150").await.refused(400, "HTTPBadRequest");
    server.get(&format!("/segments/{NOBODY}")).await.refused(404, "SegmentNotFound");
    server.get("/segments?name=s&network_type=vlan&physical_network=p1").await.expect_rows("segments", 1);
}

#[tokio::test]
async fn a_network_gets_further_segments() {
    let server = Server::with(ON).await;
    let network = vlan(&server, "p1", 110).await;
    let made = segment(&server, &network, json!({"physical_network": "p2", "segmentation_id": 120, "name": "x"})).await.expect(201);
    assert_eq!((&made["name"], &made["description"]), (&json!("x"), &json!("")));
    segment(&server, &network, json!({"physical_network": "p2", "segmentation_id": 120})).await.refused(409, "VlanIdInUse");
    segment(&server, &network, json!({"physical_network": "p2", "segmentation_id": 9999})).await.refused(400, "InvalidInput");
    segment(&server, &network, json!({"physical_network": "p3"})).await.refused(400, "InvalidInput");
    segment(&server, &network, json!({"network_type": "zzz"})).await.refused(400, "InvalidInput");
    // Tunnels carry less than the network's MTU says.
    segment(&server, &network, json!({"network_type": "vxlan"})).await.refused(400, "InvalidInput");
    segment(&server, &json!(NOBODY), json!({"physical_network": "p2"})).await.refused(404, "NetworkNotFound");
    let chosen = segment(&server, &network, json!({})).await.expect(201);
    assert!(chosen["physical_network"].is_string() && chosen["segmentation_id"].is_number());
    server.post("/segments", json!({"segments": [{"network_id": network, "network_type": "vlan"}]})).await.refused(400, "HTTPBadRequest");
    let shown = server.get(&format!("/networks/{}", network.as_str().unwrap())).await.expect(200);
    assert_eq!(shown["segments"].as_array().map(Vec::len), Some(3));
    // What was refused took nothing.
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 3);
    for gone in [&made, &chosen] {
        assert_eq!(server.delete(&format!("/segments/{}", gone["id"].as_str().unwrap())).await.status, 204);
    }
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 1);
    assert_eq!(server.delete(&format!("/networks/{}", network.as_str().unwrap())).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM networksegments").await, 0);
}

#[tokio::test]
async fn a_segment_in_use_stays() {
    let lab = Lab::new().await;
    lab.subnet(0, json!({"cidr": "10.1.0.0/24"})).await.expect(201);
    let path = |at: usize| format!("/segments/{}", lab.segments[at].as_str().unwrap());
    lab.server.delete(&path(0)).await.refused(409, "SegmentInUse");
    assert_eq!(lab.server.delete(&path(1)).await.status, 204);
    // A port that is bound to it holds it, too.
    let other = vlan(&lab.server, "p1", 130).await;
    switch(&lab.server, "h1", &["p1"]).await;
    let port = json!({"port": {"network_id": other, "binding:host_id": "h1"}});
    assert_eq!(lab.server.post("/ports", port).await.expect(201)["binding:vif_type"], "ovs");
    let segment = segments(&lab.server, &other).await.remove(0);
    lab.server.delete(&format!("/segments/{}", segment["id"].as_str().unwrap())).await.refused(409, "SegmentInUse");
}

#[tokio::test]
async fn all_subnets_of_a_network_are_on_segments_or_none() {
    let lab = Lab::new().await;
    let network = format!("/networks/{}", lab.network.as_str().unwrap());
    assert_eq!(lab.server.get(&network).await.expect(200)["l2_adjacency"], true);
    let first = lab.subnet(0, json!({"cidr": "10.1.0.0/24"})).await.expect(201);
    assert_eq!(first["segment_id"], lab.segments[0]);
    assert_eq!(lab.server.get(&network).await.expect(200)["l2_adjacency"], false);
    lab.subnet(0, json!({"cidr": "10.9.0.0/24", "segment_id": null})).await.refused(400, "SubnetsNotAllAssociatedWithSegments");
    lab.subnet(0, json!({"cidr": "10.9.0.0/24", "segment_id": NOBODY})).await.refused(404, "SegmentNotFound");
    let path = format!("/subnets/{}", first["id"].as_str().unwrap());
    let change = async |segment: &Value| lab.server.put(&path, json!({"subnet": {"segment_id": segment}})).await;
    change(&lab.segments[1]).await.refused(400, "SubnetSegmentAssociationChangeNotAllowed");
    assert_eq!(change(&lab.segments[0]).await.status, 200);
    let foreign = vlan(&lab.server, "p1", 160).await;
    let foreign = segments(&lab.server, &foreign).await.remove(0)["id"].clone();
    lab.subnet(0, json!({"cidr": "10.9.0.0/24", "segment_id": foreign})).await.refused(400, "NetworkIdsDontMatch");
}

#[tokio::test]
async fn a_network_of_one_segment_becomes_routed() {
    let server = Server::with(ON).await;
    let network = vlan(&server, "p1", 110).await;
    let subnet = json!({"subnet": {"network_id": network, "ip_version": 4, "cidr": "10.1.0.0/24"}});
    let subnet = server.post("/subnets", subnet).await.expect(201);
    let path = format!("/subnets/{}", subnet["id"].as_str().unwrap());
    let own = segments(&server, &network).await.remove(0)["id"].clone();
    let second = segment(&server, &network, json!({"physical_network": "p2"})).await.expect(201);
    let change = json!({"subnet": {"segment_id": own}});
    server.put(&path, change.clone()).await.refused(400, "NoUpdateSubnetWhenMultipleSegmentsOnNetwork");
    assert_eq!(server.delete(&format!("/segments/{}", second["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(server.put(&path, change).await.expect(200)["segment_id"], own);
}

#[tokio::test]
async fn subnets_route_to_each_other() {
    let lab = Lab::new().await;
    let a = lab.subnet(0, json!({"cidr": "10.1.0.0/24"})).await.expect(201);
    assert!(lab.routes(&a).await.is_empty());
    let b = lab.subnet(1, json!({"cidr": "10.2.0.0/24"})).await.expect(201);
    assert_eq!(lab.routes(&a).await, ["10.2.0.0/24 10.1.0.1"]);
    assert_eq!(lab.routes(&b).await, ["10.1.0.0/24 10.2.0.1"]);
    // A user's route that covers a peer stands for it.
    let own = json!([{"destination": "10.1.0.0/16", "nexthop": "10.3.0.9"}]);
    let c = lab.subnet(1, json!({"cidr": "10.3.0.0/24", "host_routes": own})).await.expect(201);
    assert_eq!(lab.routes(&c).await, ["10.1.0.0/16 10.3.0.9"]);
    assert_eq!(lab.routes(&a).await, ["10.2.0.0/24 10.1.0.1", "10.3.0.0/24 10.1.0.1"]);
    // A user cannot take them away, but another gateway takes them over.
    let path = format!("/subnets/{}", a["id"].as_str().unwrap());
    lab.server.put(&path, json!({"subnet": {"host_routes": []}})).await.expect(200);
    assert_eq!(lab.routes(&a).await.len(), 2);
    let gateway = json!({"subnet": {"gateway_ip": "10.1.0.9", "allocation_pools": [{"start": "10.1.0.20", "end": "10.1.0.99"}]}});
    lab.server.put(&path, gateway).await.expect(200);
    assert_eq!(lab.routes(&a).await, ["10.2.0.0/24 10.1.0.9", "10.3.0.0/24 10.1.0.9"]);
    assert_eq!(lab.server.delete(&format!("/subnets/{}", b["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(lab.routes(&a).await, ["10.3.0.0/24 10.1.0.9"]);
}

#[tokio::test]
async fn addresses_wait_for_the_host() {
    let lab = Lab::new().await;
    switch(&lab.server, "h2", &["p2"]).await;
    lab.subnet(0, json!({"cidr": "10.1.0.0/24"})).await.expect(201);
    lab.subnet(1, json!({"cidr": "10.2.0.0/24"})).await.expect(201);
    let port = lab.port(json!({})).await.expect(201);
    assert_eq!((&port["fixed_ips"], &port["ip_allocation"]), (&json!([]), &json!("deferred")));
    lab.server.get("/ports?ip_allocation=deferred").await.expect_rows("ports", 1);
    let path = format!("/ports/{}", port["id"].as_str().unwrap());
    let host = |name: &str| json!({"port": {"binding:host_id": name}});
    lab.server.put(&path, host("nowhere")).await.refused(409, "HostNotConnectedToAnySegment");
    let placed = lab.server.put(&path, host("h2")).await.expect(200);
    assert!(placed["fixed_ips"][0]["ip_address"].as_str().unwrap().starts_with("10.2.0."), "{placed}");
    assert_eq!(placed["ip_allocation"], "immediate");
    // A port with addresses of the other segment cannot go there.
    switch(&lab.server, "h1", &["p1"]).await;
    lab.server.put(&path, host("h1")).await.refused(409, "HostNotCompatibleWithFixedIps");
    let there = lab.port(json!({"binding:host_id": "h1"})).await.expect(201);
    assert!(there["fixed_ips"][0]["ip_address"].as_str().unwrap().starts_with("10.1.0."), "{there}");
    let none = lab.port(json!({"fixed_ips": []})).await.expect(201);
    assert_eq!(none["ip_allocation"], "none");
}

#[tokio::test]
async fn hosts_are_mapped_by_their_agents() {
    let lab = Lab::new().await;
    let of = async |server: &Server| (mapped(server, &lab.segments[0]).await, mapped(server, &lab.segments[1]).await);
    assert_eq!(of(&lab.server).await, (0, 0));
    switch(&lab.server, "h1", &["p1"]).await;
    assert_eq!(of(&lab.server).await, (1, 0));
    switch(&lab.server, "h1", &["p1", "p2"]).await;
    assert_eq!(of(&lab.server).await, (1, 1));
    switch(&lab.server, "h1", &["p2"]).await;
    assert_eq!(of(&lab.server).await, (0, 1));
    // A new segment, and a new network's, are known to the hosts that are there.
    let further = segment(&lab.server, &lab.network, json!({"physical_network": "p2", "segmentation_id": 130})).await.expect(201);
    assert_eq!(mapped(&lab.server, &further["id"]).await, 1);
    let network = vlan(&lab.server, "p2", 140).await;
    let own = segments(&lab.server, &network).await.remove(0);
    assert_eq!(mapped(&lab.server, &own["id"]).await, 1);
}

#[tokio::test]
async fn only_administrators_see_segments() {
    let lab = Lab::new().await;
    let member = Identity { project_id: Some("other".to_owned()), roles: vec!["member".to_owned()], ..Identity::default() };
    let ask = async |method: Method, path: &str, body: Value| lab.server.send_as(member.clone(), method, path, body.to_string(), &[]).await;
    let path = format!("/segments/{}", lab.segments[0].as_str().unwrap());
    assert_eq!(ask(Method::GET, &path, Value::Null).await.status, 404);
    ask(Method::GET, "/segments", Value::Null).await.expect_rows("segments", 0);
    assert_eq!(ask(Method::DELETE, &path, Value::Null).await.status, 404);
    let body = json!({"segment": {"network_id": lab.network, "network_type": "vlan"}});
    assert_eq!(ask(Method::POST, "/segments", body).await.status, 403);
}

#[tokio::test]
async fn nothing_of_it_is_there_when_it_is_off() {
    let server = Server::start().await;
    assert_eq!(server.get("/segments").await.status, 404);
    let network = server.post("/networks", json!({"network": {}})).await.expect(201);
    assert!(network.get("l2_adjacency").is_none());
    let subnet = json!({"subnet": {"network_id": network["id"], "ip_version": 4, "cidr": "10.1.0.0/24", "segment_id": null}});
    assert_eq!(server.post("/subnets", subnet).await.status, 400);
}
