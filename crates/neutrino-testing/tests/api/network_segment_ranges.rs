// SPDX-License-Identifier: Apache-2.0
//! `/network_segment_ranges`: which segmentation ids there are, and whose networks get which.

use futures::future::join_all;
use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

const ON: &[(&str, &str, &str)] = &[
    ("DEFAULT", "service_plugins", "network_segment_range"),
    ("ml2", "type_drivers", "local,flat,vlan,vxlan"),
    ("ml2", "project_network_types", "vxlan"),
    ("ml2_type_vxlan", "vni_ranges", "1:10"),
    ("ml2_type_vlan", "network_vlan_ranges", "p1:100:109"),
];

async fn create(server: &Server, body: Value) -> Answer {
    server.post("/network_segment_ranges", json!({ "network_segment_range": body })).await
}

fn vxlan(first: i64, last: i64) -> Value {
    json!({"name": "r", "network_type": "vxlan", "minimum": first, "maximum": last})
}

async fn network(server: &Server, project: &str) -> Answer {
    server.post("/networks", json!({"network": {"project_id": project}})).await
}

fn path(range: &Value) -> String {
    format!("/network_segment_ranges/{}", range["id"].as_str().unwrap())
}

async fn listed(server: &Server, filter: &str) -> Vec<Value> {
    server.get(&format!("/network_segment_ranges?{filter}")).await.expect(200).as_array().unwrap().clone()
}

#[tokio::test]
async fn the_configuration_gives_the_default_ranges() {
    let server = Server::with(ON).await;
    let mut all = listed(&server, "name=").await;
    all.sort_by_key(|range| range["network_type"].to_string());
    let mut keys: Vec<&str> = all[0].as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let expected = [
        "available",
        "created_at",
        "default",
        "description",
        "id",
        "maximum",
        "minimum",
        "name",
        "network_type",
        "physical_network",
        "project_id",
        "revision_number",
        "shared",
        "tags",
        "tenant_id",
        "updated_at",
        "used",
    ];
    assert_eq!(keys, expected);
    let shown: Vec<Value> =
        all.iter().map(|r| json!([r["network_type"], r["physical_network"], r["minimum"], r["maximum"], r["default"]])).collect();
    assert_eq!(shown, [json!(["vlan", "p1", 100, 109, true]), json!(["vxlan", "", 1, 10, true])]);
    assert_eq!(all[1]["available"], json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
    server.put(&path(&all[0]), json!({"network_segment_range": {"name": "x"}})).await.refused(400, "NetworkSegmentRangeDefaultReadOnly");
    server.delete(&path(&all[0])).await.refused(400, "NetworkSegmentRangeDefaultReadOnly");
    // Another start with other ranges: those of the configuration are no longer there, and the ids follow.
    let mut other = ON.to_vec();
    other[3].2 = "5:12";
    let server = server.restart(&other).await;
    let all = listed(&server, "network_type=vxlan").await;
    assert_eq!((all.len(), &all[0]["minimum"], all[0]["available"].as_array().map(Vec::len)), (1, &json!(5), Some(8)));
    // And without the plugin the configuration itself.
    other[0].2 = "";
    let server = server.restart(&other).await;
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_allocations").await, 8);
}

#[tokio::test]
async fn a_range_has_its_attributes() {
    let server = Server::with(ON).await;
    let made = create(&server, vxlan(100, 102)).await.expect(201);
    let shown = json!([made["shared"], made["project_id"], made["default"], made["available"], made["used"], made["physical_network"]]);
    assert_eq!(shown, json!([true, null, false, [100, 101, 102], {}, ""]));
    let own = json!({"network_type": "vxlan", "minimum": 200, "maximum": 200, "shared": false, "project_id": "p"});
    let own = create(&server, own).await.expect(201);
    assert_eq!((&own["shared"], &own["project_id"]), (&json!(false), &json!("p")));
    let changed = server.put(&path(&made), json!({"network_segment_range": {"name": "n", "maximum": 104}})).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["available"], &changed["revision_number"]),
        (&json!("n"), &json!([100, 101, 102, 103, 104]), &json!(1))
    );
    assert_eq!(server.delete(&path(&made)).await.status, 204);
    server.get(&path(&made)).await.refused(404, "NetworkSegmentRangeNotFound");
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_allocations WHERE vxlan_vni BETWEEN 100 AND 104").await, 0);
    assert_eq!(server.get("/network-segment-ranges").await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let server = Server::with(ON).await;
    let vlan = json!({"network_type": "vlan", "physical_network": "p9", "minimum": 100, "maximum": 105});
    let with = |change: Value| {
        let mut body = vlan.clone();
        body.as_object_mut().unwrap().extend(change.as_object().cloned().unwrap());
        body
    };
    create(&server, vlan.clone()).await.expect(201);
    for (change, status, kind) in [
        (json!({"minimum": 105, "maximum": 110}), 409, "NetworkSegmentRangeOverlaps"),
        (json!({"minimum": 90, "maximum": 120}), 409, "NetworkSegmentRangeOverlaps"),
        (json!({"minimum": 300, "maximum": 200}), 400, "NetworkVlanRangeError"),
        (json!({"maximum": 5000}), 400, "NetworkVlanRangeError"),
        (json!({"minimum": 0}), 400, "HTTPBadRequest"),
        (json!({"physical_network": ""}), 400, "BadRequest"),
        (json!({"network_type": "flat"}), 400, "HTTPBadRequest"),
        (json!({"network_type": "gre"}), 400, "NetworkSegmentRangeNetTypeNotSupported"),
        (json!({"network_type": "vxlan", "minimum": 1, "maximum": 16_777_216}), 400, "NetworkTunnelRangeError"),
        (json!({"shared": false, "project_id": ""}), 400, "BadRequest"),
    ] {
        create(&server, with(change)).await.refused(status, kind);
    }
    // Another physical network has its own ids; default ranges do not count.
    create(&server, with(json!({"physical_network": "p8"}))).await.expect(201);
    let inside = create(&server, vxlan(3, 4)).await.expect(201);
    let beside = create(&server, vxlan(5, 6)).await.expect(201);
    let grow = json!({"network_segment_range": {"minimum": 4}});
    server.put(&path(&beside), grow).await.refused(409, "NetworkSegmentRangeOverlaps");
    server.put(&path(&inside), json!({"network_segment_range": {"minimum": 9}})).await.refused(400, "NetworkTunnelRangeError");
}

#[tokio::test]
async fn a_project_uses_its_own_ids_first_and_no_others() {
    let server = Server::with(ON).await;
    let own = json!({"network_type": "vxlan", "minimum": 500, "maximum": 501, "shared": false, "project_id": "rich"});
    create(&server, own).await.expect(201);
    let foreign = json!({"network_type": "vxlan", "minimum": 2, "maximum": 10, "shared": false, "project_id": "other"});
    create(&server, foreign).await.expect(201);
    let mut got = Vec::new();
    for _ in 0..3 {
        got.push(network(&server, "rich").await.expect(201)["provider:segmentation_id"].as_i64().unwrap());
    }
    got.sort_unstable();
    // The third is the only shared id that is nobody's own.
    assert_eq!(got, [1, 500, 501]);
    network(&server, "rich").await.refused(503, "NoNetworkAvailable");
    let other = network(&server, "other").await.expect(201)["provider:segmentation_id"].as_i64().unwrap();
    assert!((2..=10).contains(&other));
    network(&server, "poor").await.refused(503, "NoNetworkAvailable");
}

#[tokio::test]
async fn ids_that_networks_use_stay() {
    let server = Server::with(ON).await;
    let range = json!({"network_type": "vlan", "physical_network": "p9", "minimum": 10, "maximum": 15});
    let range = create(&server, range).await.expect(201);
    let vlan = |name: &str, id: i64| json!({"network": {"provider:network_type": "vlan", "provider:physical_network": name, "provider:segmentation_id": id}});
    // The physical network is one of a range, not of the configuration.
    let made = server.post("/networks", vlan("p9", 12)).await.expect(201);
    server.post("/networks", vlan("p7", 12)).await.refused(400, "InvalidInput");
    let shown = server.get(&path(&range)).await.expect(200);
    assert_eq!((&shown["used"], &shown["available"]), (&json!({"12": PROJECT}), &json!([10, 11, 13, 14, 15])));
    let change = async |first: i64, last: i64| {
        server.put(&path(&range), json!({"network_segment_range": {"minimum": first, "maximum": last}})).await
    };
    change(13, 15).await.refused(409, "NetworkSegmentRangeReferencedByProject");
    change(10, 11).await.refused(409, "NetworkSegmentRangeReferencedByProject");
    assert_eq!(change(12, 12).await.expect(200)["available"], json!([]));
    server.delete(&path(&range)).await.refused(409, "NetworkSegmentRangeReferencedByProject");
    assert_eq!(server.delete(&format!("/networks/{}", made["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(server.get(&path(&range)).await.expect(200)["available"], json!([12]));
    assert_eq!(server.delete(&path(&range)).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE physical_network = 'p9'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ids_and_ranges_are_taken_once() {
    let server = Server::with(ON).await;
    let server = &server;
    let answers = join_all((0..14).map(|_| network(server, "p"))).await;
    let mut ids: Vec<i64> = Vec::new();
    for answer in answers {
        match answer.status {
            201 => ids.push(answer.expect(201)["provider:segmentation_id"].as_i64().unwrap()),
            _ => answer.refused(503, "NoNetworkAvailable"),
        }
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=10).collect::<Vec<_>>());
    let answers = join_all((0..8).map(|n| create(server, vxlan(100 + n, 120 + n)))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
}

#[tokio::test]
async fn pages_take_a_constant_number_of_statements() {
    let server = Server::with(ON).await;
    let count = async || {
        let before = server.statements();
        assert_eq!(server.get("/network_segment_ranges").await.status, 200);
        server.statements() - before
    };
    let few = count().await;
    for n in 1..30 {
        create(&server, vxlan(n * 100, n * 100 + 5)).await.expect(201);
    }
    assert_eq!(count().await, few);
}

#[tokio::test]
async fn only_administrators_see_ranges() {
    let server = Server::with(ON).await;
    let made = create(&server, vxlan(100, 102)).await.expect(201);
    let member = Identity { project_id: Some("other".to_owned()), roles: vec!["member".to_owned()], ..Identity::default() };
    let ask = async |method: Method, path: &str, body: Value| server.send_as(member.clone(), method, path, body.to_string(), &[]).await;
    assert_eq!(ask(Method::GET, &path(&made), Value::Null).await.status, 404);
    assert_eq!(ask(Method::DELETE, &path(&made), Value::Null).await.status, 404);
    let body = json!({ "network_segment_range": vxlan(200, 201) });
    assert_eq!(ask(Method::POST, "/network_segment_ranges", body).await.status, 403);
}
