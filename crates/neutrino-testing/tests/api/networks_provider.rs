// SPDX-License-Identifier: Apache-2.0
//! Segments of networks: every network type, what is refused, what runs out, what comes back.

use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

const RANGES: &[(&str, &str, &str)] = &[
    ("ml2", "project_network_types", "vxlan,gre"),
    ("ml2_type_vlan", "network_vlan_ranges", "foo:100:109,bar"),
    ("ml2_type_vxlan", "vni_ranges", "1:3,2:5"),
    ("ml2_type_gre", "tunnel_id_ranges", "70:71"),
    ("ml2_type_geneve", "vni_ranges", "20000:20010"),
    ("ml2_type_geneve", "max_header_size", "38"),
    ("ml2_type_flat", "flat_networks", "flat1,flat2"),
    ("ml2", "physical_network_mtus", "foo:1400,flat2:9000"),
];

fn network(attributes: Value) -> Value {
    json!({"network": attributes})
}

async fn create(server: &Server, attributes: Value) -> Answer {
    server.post("/networks", network(attributes)).await
}

fn path(network: &Value) -> String {
    format!("/networks/{}", network["id"].as_str().unwrap())
}

fn vlan(id: i64) -> Value {
    json!({"provider:network_type": "vlan", "provider:physical_network": "foo", "provider:segmentation_id": id})
}

fn segment(network: &Value) -> [&Value; 3] {
    ["provider:network_type", "provider:physical_network", "provider:segmentation_id"].map(|name| &network[name])
}

#[tokio::test]
async fn each_type_gives_its_segment_and_mtu() {
    let server = Server::with(RANGES).await;
    for (asked, physical, ids, mtu) in [
        (json!({}), json!(null), 1..=5, 1450),
        (json!({"provider:network_type": "local"}), json!(null), 0..=0, 1500),
        (json!({"provider:network_type": "flat", "provider:physical_network": "flat1"}), json!("flat1"), 0..=0, 1500),
        (json!({"provider:network_type": "flat", "provider:physical_network": "flat2"}), json!("flat2"), 0..=0, 1500),
        (json!({"provider:network_type": "vlan"}), json!("foo"), 100..=109, 1400),
        (json!({"provider:network_type": "vlan", "provider:physical_network": "bar"}), json!("bar"), 1..=4094, 1500),
        (vlan(4000), json!("foo"), 4000..=4000, 1400),
        (json!({"provider:network_type": "vxlan"}), json!(null), 1..=5, 1450),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": "77"}), json!(null), 77..=77, 1450),
        (json!({"provider:network_type": "gre"}), json!(null), 70..=71, 1458),
        (json!({"provider:network_type": "geneve"}), json!(null), 20000..=20010, 1442),
    ] {
        let network = create(&server, asked.clone()).await.expect(201);
        let [network_type, physical_network, id] = segment(&network);
        assert_eq!(network_type, asked.get("provider:network_type").unwrap_or(&json!("vxlan")), "{asked}");
        assert_eq!(physical_network, &physical, "{asked}");
        assert!(ids.contains(&id.as_i64().unwrap_or_default()), "{asked}: {network}");
        assert_eq!(network["mtu"], mtu, "{asked}");
        assert_eq!(network.get("segments"), None, "a network of one segment has no list of them");
        assert_eq!(network["revision_number"], 1);
        assert_eq!(server.get(&path(&network)).await.expect(200), network);
        assert_eq!(server.delete(&path(&network)).await.status, 204);
    }
    assert_eq!(server.count("SELECT count(*) FROM networksegments").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type LIKE 'network%'").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ml2_flat_allocations").await, 0);
    for (table, rows) in [("vlan", 10 + 4094), ("vxlan", 5), ("gre", 2), ("geneve", 11)] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM ml2_{table}_allocations")).await, rows, "{table}");
        assert_eq!(server.count(&format!("SELECT count(*) FROM ml2_{table}_allocations WHERE allocated")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn bad_segments_are_refused() {
    let server = Server::with(RANGES).await;
    for (asked, kind) in [
        (json!({"provider:network_type": "bogus"}), "InvalidInput"),
        (json!({"provider:network_type": ""}), "InvalidInput"),
        (json!({"provider:network_type": null}), "HTTPBadRequest"),
        (json!({"provider:network_type": "v".repeat(33)}), "HTTPBadRequest"),
        (json!({"provider:physical_network": "foo"}), "InvalidInput"),
        (json!({"provider:segmentation_id": 7}), "InvalidInput"),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": null}), "InvalidInput"),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": "x"}), "InvalidInput"),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": 1 << 24}), "InvalidInput"),
        (json!({"provider:network_type": "vxlan", "provider:segmentation_id": -3}), "InvalidInput"),
        (json!({"provider:network_type": "vxlan", "provider:physical_network": "foo"}), "InvalidInput"),
        (json!({"provider:network_type": "gre", "provider:segmentation_id": 1_u64 << 32}), "InvalidInput"),
        (json!({"provider:network_type": "vlan", "provider:physical_network": "nowhere"}), "InvalidInput"),
        (json!({"provider:network_type": "vlan", "provider:segmentation_id": 5}), "InvalidInput"),
        (vlan(0), "InvalidInput"),
        (vlan(4095), "InvalidInput"),
        (json!({"provider:network_type": "flat"}), "InvalidInput"),
        (json!({"provider:network_type": "flat", "provider:physical_network": "foo"}), "InvalidInput"),
        (json!({"provider:network_type": "flat", "provider:physical_network": "flat1", "provider:segmentation_id": 1}), "InvalidInput"),
        (json!({"provider:network_type": "local", "provider:physical_network": "foo"}), "InvalidInput"),
        (json!({"provider:network_type": "local", "provider:segmentation_id": 1}), "InvalidInput"),
        (
            json!({"provider:network_type": "vxlan", "segments": [{"provider:network_type": "vxlan"}]}),
            "SegmentsSetInConjunctionWithProviders",
        ),
        (json!({"segments": [{"provider:physical_network": "foo"}]}), "InvalidInput"),
        (json!({"segments": [{"provider:network_type": "vlan", "colour": "red"}]}), "HTTPBadRequest"),
        (json!({"segments": [vlan(100), vlan(100)]}), "SegmentsContainDuplicateEntry"),
        (json!({"segments": "vlan"}), "HTTPBadRequest"),
        (json!({"mtu": 1451}), "InvalidInput"),
        (json!({"mtu": -1}), "HTTPBadRequest"),
        (json!({"mtu": "large"}), "InvalidInput"),
        (json!({"segments": [{"provider:network_type": "vxlan"}, {"provider:network_type": "geneve"}], "mtu": 1443}), "InvalidInput"),
    ] {
        let answer = create(&server, asked.clone()).await;
        assert_eq!((answer.status, answer.error()), (400, kind), "{asked}: {}", answer.text);
    }
    assert_eq!(server.count("SELECT count(*) FROM networks").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_allocations WHERE allocated").await, 0);
}

#[tokio::test]
async fn what_is_in_use_is_refused_and_comes_back() {
    let server = Server::with(RANGES).await;
    let flat = json!({"provider:network_type": "flat", "provider:physical_network": "flat1"});
    let vxlan = json!({"provider:network_type": "vxlan", "provider:segmentation_id": 4});
    let outside = json!({"provider:network_type": "vxlan", "provider:segmentation_id": 900});
    for (asked, kind) in [
        (flat, "FlatNetworkInUse"),
        (vxlan, "TunnelIdInUse"),
        (outside, "TunnelIdInUse"),
        (vlan(105), "VlanIdInUse"),
        (vlan(9), "VlanIdInUse"),
    ] {
        let network = create(&server, asked.clone()).await.expect(201);
        create(&server, asked.clone()).await.refused(409, kind);
        assert_eq!(server.delete(&path(&network)).await.status, 204);
        let network = create(&server, asked).await.expect(201);
        assert_eq!(server.delete(&path(&network)).await.status, 204);
    }
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_allocations").await, 5);
}

#[tokio::test]
async fn projects_use_up_one_type_after_the_other() {
    let server = Server::with(RANGES).await;
    let mut types = Vec::new();
    for _ in 0..7 {
        let network = create(&server, json!({})).await.expect(201);
        types.push(network["provider:network_type"].as_str().unwrap().to_owned());
    }
    assert_eq!(types, ["vxlan", "vxlan", "vxlan", "vxlan", "vxlan", "gre", "gre"]);
    create(&server, json!({})).await.refused(503, "NoNetworkAvailable");
    create(&server, json!({"provider:network_type": "gre"})).await.refused(503, "NoNetworkAvailable");
    _ = create(&server, json!({"provider:network_type": "vlan", "provider:physical_network": ""})).await.expect(201);
    assert_eq!(server.count("SELECT count(*) FROM networks").await, 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_for_few_vlans_gives_each_once() {
    let server = Server::with(&[("ml2", "project_network_types", "vlan"), ("ml2_type_vlan", "network_vlan_ranges", "foo:100:109")]).await;
    let answers = futures::future::join_all((0..64).map(|_| create(&server, json!({})))).await;
    let mut ids: Vec<i64> =
        answers.iter().filter(|a| a.status == 201).map(|a| a.body["network"]["provider:segmentation_id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (100..=109).collect::<Vec<_>>());
    for answer in answers.iter().filter(|a| a.status != 201) {
        assert_eq!((answer.status, answer.error()), (503, "NoNetworkAvailable"), "{}", answer.text);
    }
    assert_eq!(server.count("SELECT count(*) FROM networksegments").await, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_for_one_vlan_has_one_winner() {
    let server = Server::with(RANGES).await;
    let answers = futures::future::join_all((0..24).map(|n| create(&server, vlan(if n % 2 == 0 { 105 } else { 2000 })))).await;
    assert_eq!(answers.iter().filter(|a| a.status == 201).count(), 2);
    assert!(answers.iter().all(|a| a.status == 201 || (a.status, a.error()) == (409, "VlanIdInUse")));
}

#[tokio::test]
async fn several_segments_are_shown_as_a_list() {
    let server = Server::with(RANGES).await;
    let asked = json!({"segments": [vlan(107), {"provider:network_type": "vxlan"}, {"provider:network_type": "vlan"}]});
    let network = create(&server, asked).await.expect(201);
    let segments = network["segments"].as_array().unwrap();
    assert_eq!(segments[0], vlan(107));
    assert_eq!((&segments[1]["provider:network_type"], &segments[1]["provider:physical_network"]), (&json!("vxlan"), &json!(null)));
    assert_eq!(segments[2]["provider:physical_network"], "foo");
    assert_eq!(network.get("provider:network_type"), None);
    assert_eq!(network["mtu"], 1400);
    let shown = server.get(&format!("{}?fields=segments&fields=provider:network_type", path(&network))).await.expect(200);
    assert_eq!(shown, json!({"segments": segments}));
    // The third segment got any free VLAN of the range.
    let free = if segments[2]["provider:segmentation_id"] == 101 { 102 } else { 101 };
    let only = create(&server, json!({"segments": [vlan(free)]})).await.expect(201);
    assert_eq!((only.get("segments"), segment(&only)), (None, [&json!("vlan"), &json!("foo"), &json!(free)]));
    let none = create(&server, json!({"segments": []})).await.expect(201);
    assert_eq!(none["provider:network_type"], "vxlan");
    server.put(&path(&network), json!({"network": {"provider:segmentation_id": 103}})).await.refused(400, "InvalidInput");
    assert_eq!(server.delete(&path(&network)).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 1);
}

#[tokio::test]
async fn only_the_vlan_of_a_network_can_change() {
    let server = Server::with(RANGES).await;
    let made = create(&server, vlan(103)).await.expect(201);
    let path = path(&made);
    let put = async |attributes: Value| server.put(&path, network(attributes)).await;
    put(json!({"provider:segmentation_id": 103})).await.refused(409, "VlanIdInUse");
    let changed = put(json!({"provider:segmentation_id": 104, "provider:network_type": "vlan"})).await.expect(200);
    assert_eq!((&changed["provider:segmentation_id"], &changed["revision_number"]), (&json!(104), &made["revision_number"]));
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated AND vlan_id = 104").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 1);
    for (asked, kind) in [
        (json!({"provider:network_type": "vxlan"}), "InvalidInput"),
        (json!({"provider:physical_network": "bar"}), "InvalidInput"),
        (json!({"provider:segmentation_id": 5000}), "InvalidInput"),
        (json!({"provider:segmentation_id": null}), "InvalidInput"),
    ] {
        put(asked).await.refused(400, kind);
    }
    assert_eq!(put(json!({"provider:segmentation_id": 0})).await.expect(200), changed);
    assert_eq!(put(json!({"segments": [{"provider:network_type": "vxlan"}]})).await.expect(200), changed);
    let vxlan = create(&server, json!({})).await.expect(201);
    server
        .put(&format!("/networks/{}", vxlan["id"].as_str().unwrap()), network(json!({"provider:segmentation_id": 90})))
        .await
        .refused(400, "InvalidInput");
}

#[tokio::test]
async fn lists_are_filtered_by_segment() {
    let server = Server::with(RANGES).await;
    for asked in [vlan(101), vlan(102), json!({}), json!({"provider:network_type": "flat", "provider:physical_network": "flat1"})] {
        _ = create(&server, asked).await.expect(201);
    }
    _ = create(&server, json!({"segments": [vlan(107), {"provider:network_type": "vxlan"}]})).await.expect(201);
    for (query, count) in [
        ("provider:network_type=vlan", 3),
        ("provider:network_type=vlan&provider:network_type=flat", 4),
        ("provider:network_type=gre", 0),
        ("provider:physical_network=foo", 3),
        ("provider:segmentation_id=101&provider:segmentation_id=107", 2),
        ("provider:network_type=vlan&provider:segmentation_id=101", 1),
        ("mtu=1500", 1),
    ] {
        let rows = server.get(&format!("/networks?{query}")).await.expect(200);
        assert_eq!(rows.as_array().unwrap().len(), count, "{query}");
    }
    server.get("/networks?provider:segmentation_id=abc").await.refused(400, "InvalidInput");
    server.get("/networks?segments=abc").await.refused(400, "HTTPBadRequest");
    let sorted = server.get("/networks?sort_key=mtu&sort_dir=desc&fields=mtu").await.expect(200);
    assert_eq!(sorted[0], json!({"mtu": 1500}));
}

#[tokio::test]
async fn an_external_network_may_have_a_type_of_its_own() {
    let mut options = RANGES.to_vec();
    options.push(("ml2", "external_network_type", "vlan"));
    let server = Server::with(&options).await;
    let external = create(&server, json!({"router:external": true})).await.expect(201);
    assert_eq!(external["provider:network_type"], "vlan");
    assert_eq!(create(&server, json!({})).await.expect(201)["provider:network_type"], "vxlan");
}

#[tokio::test]
async fn mtus_follow_the_configuration() {
    for (options, network_type, mtu) in [
        (&[("DEFAULT", "global_physnet_mtu", "9000")][..], "vxlan", 8950),
        (&[("DEFAULT", "global_physnet_mtu", "9000"), ("ml2", "path_mtu", "1600")], "vxlan", 1550),
        (&[("ml2", "overlay_ip_version", "6")], "vxlan", 1430),
        (&[("ml2", "overlay_ip_version", "6")], "geneve", 1430),
        (&[("ml2", "path_mtu", "1400")], "vlan", 1500),
        (&[("DEFAULT", "global_physnet_mtu", "0")], "vlan", 0),
        (&[("DEFAULT", "global_physnet_mtu", "0"), ("ml2", "physical_network_mtus", "foo:1234")], "vlan", 1234),
    ] {
        let mut all = vec![
            ("ml2_type_vlan", "network_vlan_ranges", "foo:100:109"),
            ("ml2_type_vxlan", "vni_ranges", "1:3"),
            ("ml2_type_geneve", "vni_ranges", "1:3"),
        ];
        all.extend_from_slice(options);
        let server = Server::with(&all).await;
        let network = create(&server, json!({"provider:network_type": network_type})).await.expect(201);
        assert_eq!(network["mtu"], mtu, "{options:?}");
    }
}

#[tokio::test]
async fn mtus_can_change_within_bounds() {
    let server = Server::with(RANGES).await;
    let made = create(&server, json!({"mtu": "1200"})).await.expect(201);
    assert_eq!(made["mtu"], 1200);
    let path = path(&made);
    let put = async |mtu: i64| server.put(&path, network(json!({"mtu": mtu}))).await;
    assert_eq!(put(1300).await.expect(200)["mtu"], 1300);
    put(1451).await.refused(400, "InvalidInput");
    assert_eq!(put(0).await.expect(200)["mtu"], 1450);
    assert_eq!(put(67).await.expect(200)["mtu"], 67);
    let id = made["id"].as_str().unwrap();
    server.sql("INSERT INTO standardattributes (id, resource_type, revision_number) VALUES (900, 'subnets', 0)").await;
    server
        .sql(&format!(
            "INSERT INTO subnets (id, network_id, ip_version, cidr, standard_attr_id) VALUES ('s', '{id}', 4, '10.0.0.0/24', 900)"
        ))
        .await;
    put(67).await.refused(409, "NetworkMTUSubnetConflict");
    assert_eq!(put(68).await.expect(200)["mtu"], 68);
    server.sql("UPDATE subnets SET ip_version = 6").await;
    put(1279).await.refused(409, "NetworkMTUSubnetConflict");
    assert_eq!(put(1280).await.expect(200)["mtu"], 1280);
}

#[tokio::test]
async fn allocations_follow_the_configured_ranges() {
    let vlans = |ranges: &'static str| vec![("ml2_type_vlan", "network_vlan_ranges", ranges)];
    let server = Server::with(&vlans("foo:100:109,bar:1:5")).await;
    _ = create(&server, vlan(109)).await.expect(201);
    _ = create(&server, vlan(50)).await.expect(201);
    let count = "SELECT count(*) FROM ml2_vlan_allocations";
    assert_eq!(server.count(count).await, 16);
    let server = server.restart(&vlans("foo:105:107,foo:104:106")).await;
    assert_eq!(server.count(count).await, 6, "104 to 107, and what is taken");
    assert_eq!(server.count("SELECT count(*) FROM ml2_vlan_allocations WHERE allocated").await, 2);
    let server = server.restart(&vlans("foo:105:107,foo:104:106")).await;
    assert_eq!(server.count(count).await, 6);
    let many = [("ml2_type_vxlan", "vni_ranges", "1:25000,30000:30000"), ("ml2_type_vlan", "network_vlan_ranges", "foo:100:109")];
    let server = server.restart(&many).await;
    assert_eq!(server.count(count).await, 11);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_allocations").await, 25001);
    assert_eq!(server.count("SELECT min(vxlan_vni) FROM ml2_vxlan_allocations").await, 1);
    assert_eq!(server.count("SELECT max(vxlan_vni) FROM ml2_vxlan_allocations").await, 30000);
}

#[tokio::test]
async fn ports_that_know_the_vlan_keep_it() {
    let mut options = RANGES.to_vec();
    options.push(("ml2", "mechanism_drivers", "openvswitch"));
    let server = Server::with(&options).await;
    let made = create(&server, vlan(103)).await.expect(201);
    let put = async |id: i64| server.put(&path(&made), network(json!({"provider:segmentation_id": id}))).await;
    let _ = server.post("/ports", json!({"port": {"network_id": made["id"]}})).await.expect(201);
    let _ = put(104).await.expect(200);
    server.sql("UPDATE ml2_port_bindings SET vif_type = 'ovs'").await;
    let _ = put(105).await.expect(200);
    server.sql("UPDATE ml2_port_bindings SET vif_type = 'hw_veb'").await;
    put(106).await.refused(400, "InvalidInput");
    let server = server.restart(RANGES).await;
    server.sql("UPDATE ml2_port_bindings SET vif_type = 'ovs'").await;
    server.put(&path(&made), network(json!({"provider:segmentation_id": 106}))).await.refused(400, "InvalidInput");
    assert_eq!(server.get(&path(&made)).await.expect(200)["provider:segmentation_id"], 105);
}
