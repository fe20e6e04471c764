// SPDX-License-Identifier: Apache-2.0
//! `/trunks`: ports that carry other ports, the actions on them, what ports say of it, and races.

use futures::future::join_all;
use http::Method;
use neutrino_api::app::Identity;
use neutrino_core::Context;
use neutrino_services::trunks;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

const ON: &[(&str, &str, &str)] = &[
    ("DEFAULT", "service_plugins", "trunk"),
    ("ml2", "mechanism_drivers", "openvswitch"),
    ("ml2", "project_network_types", "vxlan"),
    ("ml2_type_vxlan", "vni_ranges", "1:100"),
    ("ml2_type_vlan", "network_vlan_ranges", "physnet1:100:200"),
];
const NOBODY: &str = "11111111-1111-1111-1111-111111111111";

struct Lab {
    server: Server,
    network: Value,
}

impl Lab {
    async fn new() -> Self {
        let server = Server::with(ON).await;
        let network = network(&server, json!({"name": "n"})).await;
        Self { server, network }
    }

    async fn ports(&self, count: usize) -> Vec<String> {
        let ports = vec![json!({"network_id": self.network}); count];
        let made = self.server.post("/ports", json!({ "ports": ports })).await.expect(201);
        made.as_array().unwrap().iter().map(|port| port["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn trunk(&self, port: &str, sub_ports: &[(&str, i64)]) -> Answer {
        self.server.post("/trunks", json!({"trunk": {"port_id": port, "sub_ports": list(sub_ports)}})).await
    }

    async fn act(&self, trunk: &Value, action: &str, sub_ports: Value) -> Answer {
        let path = format!("/trunks/{}/{action}", trunk["id"].as_str().unwrap());
        self.server.put(&path, json!({ "sub_ports": sub_ports })).await
    }

    async fn show(&self, path: &str, id: &str) -> Value {
        self.server.get(&format!("/{path}/{id}")).await.expect(200)
    }
}

async fn network(server: &Server, body: Value) -> Value {
    server.post("/networks", json!({ "network": body })).await.expect(201)["id"].clone()
}

fn list(sub_ports: &[(&str, i64)]) -> Value {
    sub_ports.iter().map(|(port, id)| json!({"port_id": port, "segmentation_type": "vlan", "segmentation_id": id})).collect()
}

#[tokio::test]
async fn a_trunk_has_its_attributes() {
    let lab = Lab::new().await;
    let ports = lab.ports(2).await;
    let trunk = lab.trunk(&ports[0], &[(&ports[1], 5)]).await.expect(201);
    let mut keys: Vec<&str> = trunk.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "admin_state_up",
            "created_at",
            "description",
            "id",
            "name",
            "port_id",
            "project_id",
            "revision_number",
            "status",
            "sub_ports",
            "tags",
            "tenant_id",
            "updated_at"
        ]
    );
    assert_eq!((&trunk["status"], &trunk["revision_number"], &trunk["admin_state_up"]), (&json!("DOWN"), &json!(0), &json!(true)));
    assert_eq!(trunk["sub_ports"], list(&[(&ports[1], 5)]));
    let path = format!("/trunks/{}", trunk["id"].as_str().unwrap());
    let change = json!({"trunk": {"name": "t", "description": "d", "admin_state_up": false}});
    let changed = lab.server.put(&path, change).await.expect(200);
    assert_eq!((&changed["name"], &changed["revision_number"]), (&json!("t"), &json!(1)));
    lab.server.put(&path, json!({"trunk": {"port_id": NOBODY}})).await.refused(400, "HTTPBadRequest");
    lab.server.post("/trunks", json!({"trunks": [{"port_id": ports[0]}]})).await.refused(400, "HTTPBadRequest");
    lab.server.get(&format!("/trunks?port_id={}", ports[0])).await.expect_rows("trunks", 1);
    lab.server.get("/trunks?sub_ports=x").await.refused(400, "HTTPBadRequest");
    assert_eq!(lab.server.put(&format!("{path}/tags/red"), Value::Null).await.status, 201);
    lab.server.get("/trunks?tags=red").await.expect_rows("trunks", 1);
}

#[tokio::test]
async fn a_parent_shows_its_sub_ports() {
    let lab = Lab::new().await;
    let ports = lab.ports(3).await;
    let trunk = lab.trunk(&ports[0], &[(&ports[1], 9), (&ports[2], 5)]).await.expect(201);
    let (parent, first) = (lab.show("ports", &ports[0]).await, lab.show("ports", &ports[2]).await);
    let details = &parent["trunk_details"];
    assert_eq!(details["trunk_id"], trunk["id"]);
    let expected = json!({"segmentation_id": 5, "segmentation_type": "vlan", "port_id": ports[2], "mac_address": first["mac_address"]});
    assert_eq!((&details["sub_ports"][0], details["sub_ports"].as_array().map(Vec::len)), (&expected, Some(2)));
    assert!(first.get("trunk_details").is_none());
    let listed = lab.server.get("/ports?fields=id&fields=trunk_details").await.expect(200);
    let parents = listed.as_array().unwrap().iter().filter(|port| port.get("trunk_details").is_some()).count();
    assert_eq!(parents, 1);
}

#[tokio::test]
async fn a_port_has_one_place_in_one_trunk() {
    let lab = Lab::new().await;
    let p = lab.ports(6).await;
    lab.trunk(&p[0], &[(&p[1], 5)]).await.expect(201);
    lab.trunk(&p[0], &[]).await.refused(409, "ParentPortInUse");
    lab.trunk(&p[1], &[]).await.refused(409, "TrunkPortInUse");
    lab.trunk(&p[2], &[(&p[2], 5)]).await.refused(409, "ParentPortInUse");
    lab.trunk(&p[2], &[(&p[1], 5)]).await.refused(409, "TrunkPortInUse");
    lab.trunk(&p[2], &[(&p[0], 5)]).await.refused(409, "ParentPortInUse");
    lab.trunk(NOBODY, &[]).await.refused(404, "PortNotFound");
    lab.trunk(&p[2], &[(NOBODY, 5)]).await.refused(404, "PortNotFound");
    let busy = json!({"port": {"device_id": "a device"}});
    lab.server.put(&format!("/ports/{}", p[3]), busy).await.expect(200);
    lab.trunk(&p[2], &[(&p[3], 5)]).await.refused(409, "PortInUse");
    lab.server.delete(&format!("/ports/{}", p[0])).await.refused(409, "PortInUseAsTrunkParent");
    lab.server.delete(&format!("/ports/{}", p[1])).await.refused(409, "PortInUseAsSubPort");
    assert_eq!(lab.server.count("SELECT count(*) FROM trunks").await, 1);
}

#[tokio::test]
async fn segmentation_is_judged() {
    let lab = Lab::new().await;
    let p = lab.ports(4).await;
    for id in [0, 4095, -1] {
        lab.trunk(&p[0], &[(&p[1], id)]).await.refused(400, "InvalidInput");
    }
    for (item, kind) in [
        (json!({"port_id": p[1]}), "InvalidInput"),
        (json!({"port_id": p[1], "segmentation_type": "vlan"}), "HTTPBadRequest"),
        (json!({"port_id": p[1], "segmentation_type": "vxlan", "segmentation_id": 5}), "InvalidInput"),
        (json!({"port_id": p[1], "segmentation_type": "vlan", "segmentation_id": "x"}), "InvalidInput"),
        (json!({"port_id": p[1], "segmentation_type": "inherit"}), "InvalidInput"),
    ] {
        let body = json!({"trunk": {"port_id": p[0], "sub_ports": [item]}});
        lab.server.post("/trunks", body).await.refused(400, kind);
    }
    lab.trunk(&p[0], &[(&p[1], 7), (&p[2], 7)]).await.refused(400, "HTTPBadRequest");
    // Two spellings of one number pass the validator and meet in the trunk.
    let twice = json!([{"port_id": p[1], "segmentation_type": "vlan", "segmentation_id": 7}, {"port_id": p[2], "segmentation_type": "vlan", "segmentation_id": "7"}]);
    lab.server.post("/trunks", json!({"trunk": {"port_id": p[0], "sub_ports": twice}})).await.refused(409, "DuplicateSubPort");
}

#[tokio::test]
async fn a_sub_port_inherits_the_vlan_of_its_network() {
    let lab = Lab::new().await;
    let vlan =
        json!({"provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 150, "mtu": 1400});
    let vlan = network(&lab.server, vlan).await;
    let sub_port = lab.server.post("/ports", json!({"port": {"network_id": vlan}})).await.expect(201);
    let parent = lab.ports(1).await;
    let body = json!({"port_id": parent[0], "sub_ports": [{"port_id": sub_port["id"], "segmentation_type": "inherit"}]});
    let trunk = lab.server.post("/trunks", json!({ "trunk": body })).await.expect(201);
    assert_eq!(trunk["sub_ports"], list(&[(sub_port["id"].as_str().unwrap(), 150)]));
}

#[tokio::test]
async fn a_sub_port_has_no_larger_mtu_than_its_parent() {
    let lab = Lab::new().await;
    let small = network(&lab.server, json!({"mtu": 1300})).await;
    let small = lab.server.post("/ports", json!({"port": {"network_id": small}})).await.expect(201);
    let (small, large) = (small["id"].as_str().unwrap(), lab.ports(1).await);
    lab.trunk(small, &[(&large[0], 5)]).await.refused(409, "SubPortMtuGreaterThanTrunkPortMtu");
    lab.trunk(&large[0], &[(small, 5)]).await.expect(201);
}

#[tokio::test]
async fn sub_ports_come_and_go() {
    let lab = Lab::new().await;
    let p = lab.ports(5).await;
    let trunk = lab.trunk(&p[0], &[(&p[1], 5)]).await.expect(201);
    let added = lab.act(&trunk, "add_subports", list(&[(&p[2], 6)])).await;
    assert_eq!((added.status, &added.body["sub_ports"]), (200, &list(&[(&p[1], 5), (&p[2], 6)])));
    assert_eq!(added.body["revision_number"], 0);
    lab.act(&trunk, "add_subports", list(&[(&p[3], 6)])).await.refused(409, "DuplicateSubPort");
    lab.act(&trunk, "add_subports", list(&[(&p[2], 8)])).await.refused(409, "TrunkPortInUse");
    lab.act(&trunk, "add_subports", list(&[(&p[0], 8)])).await.refused(409, "ParentPortInUse");
    lab.act(&trunk, "add_subports", list(&[(NOBODY, 8)])).await.refused(404, "PortNotFound");
    lab.act(&trunk, "remove_subports", json!([{"port_id": p[4]}])).await.refused(404, "SubPortNotFound");
    // All or none.
    lab.act(&trunk, "remove_subports", json!([{"port_id": p[1]}, {"port_id": p[4]}])).await.refused(404, "SubPortNotFound");
    lab.act(&trunk, "add_subports", list(&[(&p[3], 7), (&p[2], 8)])).await.refused(409, "TrunkPortInUse");
    let removed = lab.act(&trunk, "remove_subports", json!([{"port_id": p[1]}])).await;
    assert_eq!((removed.status, &removed.body["sub_ports"]), (200, &list(&[(&p[2], 6)])));
    let path = format!("/trunks/{}", trunk["id"].as_str().unwrap());
    let shown = lab.server.get(&format!("{path}/get_subports")).await;
    assert_eq!(shown.body, json!({"sub_ports": list(&[(&p[2], 6)])}));
    assert_eq!(lab.server.delete(&path).await.status, 204);
    assert_eq!(lab.server.count("SELECT count(*) FROM subports").await, 0);
    lab.server.delete(&format!("/ports/{}", p[2])).await;
}

#[tokio::test]
async fn bodies_of_actions_are_judged() {
    let lab = Lab::new().await;
    let p = lab.ports(1).await;
    let trunk = lab.trunk(&p[0], &[]).await.expect(201);
    let path = format!("/trunks/{}", trunk["id"].as_str().unwrap());
    for action in ["add_subports", "remove_subports"] {
        for body in
            [json!({}), json!({"sub_ports": {}}), json!({"sub_ports": [1]}), json!({"sub_ports": [{"port_id": "x"}]}), json!({"x": 1})]
        {
            lab.server.put(&format!("{path}/{action}"), body).await.refused(400, "InvalidInput");
        }
        assert_eq!(lab.server.put(&format!("{path}/{action}"), json!({"sub_ports": []})).await.status, 200);
        lab.server.put(&format!("/trunks/{NOBODY}/{action}"), json!({"sub_ports": []})).await.refused(404, "TrunkNotFound");
    }
    lab.server.get(&format!("/trunks/{NOBODY}/get_subports")).await.refused(404, "TrunkNotFound");
}

#[tokio::test]
async fn a_trunk_that_is_down_does_not_change() {
    let lab = Lab::new().await;
    let p = lab.ports(3).await;
    let trunk = lab.trunk(&p[0], &[(&p[1], 5)]).await.expect(201);
    let path = format!("/trunks/{}", trunk["id"].as_str().unwrap());
    lab.server.put(&path, json!({"trunk": {"admin_state_up": false}})).await.expect(200);
    lab.act(&trunk, "add_subports", list(&[(&p[2], 6)])).await.refused(409, "TrunkDisabled");
    lab.act(&trunk, "remove_subports", json!([{"port_id": p[1]}])).await.refused(409, "TrunkDisabled");
    lab.server.delete(&path).await.refused(409, "TrunkDisabled");
    lab.server.put(&path, json!({"trunk": {"admin_state_up": true}})).await.expect(200);
    assert_eq!(lab.server.delete(&path).await.status, 204);
}

#[tokio::test]
async fn the_status_follows_changes() {
    let lab = Lab::new().await;
    let p = lab.ports(3).await;
    let trunk = lab.trunk(&p[0], &[(&p[1], 5)]).await.expect(201);
    let id = trunk["id"].as_str().unwrap();
    let cx = Context::internal("an agent");
    assert!(trunks::set_status(&lab.server.engine, &cx, id, "ACTIVE").await.unwrap());
    assert!(!trunks::set_status(&lab.server.engine, &cx, id, "ACTIVE").await.unwrap());
    let active = lab.show("trunks", id).await;
    assert_eq!((&active["status"], &active["revision_number"]), (&json!("ACTIVE"), &json!(1)));
    let added = lab.act(&trunk, "add_subports", list(&[(&p[2], 6)])).await.body;
    assert_eq!((&added["status"], &added["revision_number"]), (&json!("DOWN"), &json!(2)));
    trunks::set_status(&lab.server.engine, &cx, id, "ERROR").await.unwrap();
    lab.act(&trunk, "remove_subports", json!([{"port_id": p[2]}])).await;
    trunks::set_status(&lab.server.engine, &cx, id, "ERROR").await.unwrap();
    lab.act(&trunk, "add_subports", list(&[(&p[2], 6)])).await.refused(409, "TrunkInErrorState");
    let removed = lab.act(&trunk, "remove_subports", json!([{"port_id": p[1]}])).await.body;
    assert_eq!(removed["status"], "DOWN");
}

/// An agent of the switch on a host.
async fn switch(server: &Server, host: &str) {
    let reported = json!({"tunnel_types": ["vxlan"], "bridge_mappings": {}, "integration_bridge": "br-int"});
    crate::agents::switch(server, host, reported).await;
}

#[tokio::test]
async fn sub_ports_follow_their_parent_to_its_host() {
    let lab = Lab::new().await;
    switch(&lab.server, "h1").await;
    let p = lab.ports(3).await;
    let trunk = lab.trunk(&p[0], &[(&p[1], 5)]).await.expect(201);
    let id = trunk["id"].as_str().unwrap();
    let bind = json!({"port": {"binding:host_id": "h1", "device_owner": "compute:nova", "device_id": "vm"}});
    let parent = lab.server.put(&format!("/ports/{}", p[0]), bind).await.expect(200);
    assert_eq!(parent["binding:vif_type"], "ovs");
    let bridge: String = format!("tbr-{id}").chars().take(14).collect();
    assert_eq!(parent["binding:vif_details"]["bridge_name"], bridge);
    // Nothing happens before the parent is wired.
    assert_eq!(lab.show("ports", &p[1]).await["binding:host_id"], "");
    let cx = Context::internal("an agent");
    neutrino_ml2::mech::status::update_port_status(&lab.server.engine, &cx, &p[0], "ACTIVE", None).await.unwrap();
    let sub_port = lab.show("ports", &p[1]).await;
    assert_eq!((&sub_port["binding:host_id"], &sub_port["device_owner"]), (&json!("h1"), &json!("trunk:subport")));
    // While the parent is bound the trunk stays, and no other can be made of a bound port.
    lab.server.delete(&format!("/trunks/{id}")).await.refused(409, "TrunkInUse");
    lab.server.put(&format!("/ports/{}", p[2]), json!({"port": {"binding:host_id": "h1"}})).await.expect(200);
    lab.trunk(&p[2], &[]).await.refused(409, "ParentPortInUse");
    // The guest goes: the trunk is down, and may be deleted.
    trunks::set_status(&lab.server.engine, &cx, id, "ACTIVE").await.unwrap();
    lab.server.put(&format!("/ports/{}", p[0]), json!({"port": {"binding:host_id": ""}})).await.expect(200);
    assert_eq!(lab.show("trunks", id).await["status"], "DOWN");
    assert_eq!(lab.server.delete(&format!("/trunks/{id}")).await.status, 204);
}

fn member(project: &str) -> Identity {
    Identity { project_id: Some(project.to_owned()), roles: vec!["member".to_owned()], ..Identity::default() }
}

#[tokio::test]
async fn another_project_sees_nothing() {
    let lab = Lab::new().await;
    let p = lab.ports(3).await;
    let trunk = lab.trunk(&p[0], &[(&p[1], 5)]).await.expect(201);
    let path = format!("/trunks/{}", trunk["id"].as_str().unwrap());
    let other = async |method, path: &str, body: Value| lab.server.send_as(member("other"), method, path, body.to_string(), &[]).await;
    other(Method::GET, &path, Value::Null).await.refused(404, "TrunkNotFound");
    other(Method::GET, "/trunks", Value::Null).await.expect_rows("trunks", 0);
    for action in ["add_subports", "remove_subports"] {
        other(Method::PUT, &format!("{path}/{action}"), json!({"sub_ports": []})).await.refused(404, "TrunkNotFound");
    }
    other(Method::GET, &format!("{path}/get_subports"), Value::Null).await.refused(404, "TrunkNotFound");
    other(Method::DELETE, &path, Value::Null).await.refused(404, "TrunkNotFound");
    // Neither a parent nor a sub-port may be a port that the caller does not see.
    other(Method::POST, "/trunks", json!({"trunk": {"port_id": p[2]}})).await.refused(404, "PortNotFound");
    let own = other(Method::POST, "/networks", json!({"network": {"name": "own"}})).await.expect(201);
    let own = other(Method::POST, "/ports", json!({"port": {"network_id": own["id"]}})).await.expect(201);
    let stolen = json!({"trunk": {"port_id": own["id"], "sub_ports": list(&[(&p[2], 5)])}});
    other(Method::POST, "/trunks", stolen).await.refused(404, "PortNotFound");
}

#[tokio::test]
async fn the_quota_bounds_them() {
    let mut options = ON.to_vec();
    options.push(("quotas", "default_quota", "1"));
    let lab = Lab { server: Server::with(&options).await, network: Value::Null };
    let lab = Lab { network: network(&lab.server, json!({})).await, ..lab };
    let p = lab.ports(2).await;
    lab.trunk(&p[0], &[]).await.expect(201);
    lab.trunk(&p[1], &[]).await.refused(409, "OverQuota");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_gets_a_port() {
    let lab = Lab::new().await;
    let p = lab.ports(13).await;
    let lab = &lab;
    let wanted = &p[0];
    // Half of them want it as their parent, half as a sub-port.
    let answers = join_all((1..13).map(async |n| match n % 2 {
        0 => lab.trunk(wanted, &[(&p[n], 5)]).await,
        _ => lab.trunk(&p[n], &[(wanted, 5)]).await,
    }))
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)));
    let places = "SELECT (SELECT count(*) FROM trunks) + (SELECT count(*) FROM subports)";
    assert_eq!(lab.server.count(places).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_tag_is_used_once_whoever_is_first() {
    let lab = Lab::new().await;
    let p = lab.ports(9).await;
    let trunk = lab.trunk(&p[0], &[]).await.expect(201);
    let (lab, trunk) = (&lab, &trunk);
    let answers = join_all(p[1..].iter().map(async |port| lab.act(trunk, "add_subports", list(&[(port, 5)])).await)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.refused(409, "DuplicateSubPort");
    }
}

#[tokio::test]
async fn a_server_without_the_driver_does_not_start() {
    let options = [("DEFAULT", "service_plugins", "trunk"), ("ml2", "mechanism_drivers", "macvtap")];
    let tables = [&[neutrino_core::plugins::OPTIONS][..], neutrino_ml2::OPTIONS, neutrino_services::OPTIONS].concat();
    let config = oslo_config::Config::for_test(&tables, &options).unwrap();
    let refused = neutrino_services::register(&mut neutrino_core::Builder::default(), &config);
    assert!(refused.unwrap_err().contains("openvswitch"));
}

#[tokio::test]
async fn a_thousand_are_listed_at_once() {
    let lab = Lab::new().await;
    let mut ids = Vec::new();
    for _ in 0..11 {
        ids.extend(lab.ports(100).await);
    }
    let (parents, sub_ports) = ids.split_at(1000);
    for (n, parent) in parents.iter().enumerate() {
        let own: Vec<(&str, i64)> = sub_ports.get(n).map(|port| (port.as_str(), 5)).into_iter().collect();
        lab.trunk(parent, &own).await.expect(201);
    }
    let (before, start) = (lab.server.statements(), std::time::Instant::now());
    lab.server.get("/trunks").await.expect_rows("trunks", 1000);
    println!("1,000 trunks in {:?} with {} statements", start.elapsed(), lab.server.statements() - before);
    assert!(lab.server.statements() - before <= 3);
    let before = lab.server.statements();
    lab.server
        .get(&format!("/trunks/{}", lab.server.get("/trunks?limit=1&fields=id").await.body["trunks"][0]["id"].as_str().unwrap()))
        .await
        .expect(200);
    assert!(lab.server.statements() - before <= 6);
}
