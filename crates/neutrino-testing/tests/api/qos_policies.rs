// SPDX-License-Identifier: Apache-2.0
//! `/qos/policies`: sharing, defaults, who sees and has them; `/qos/rule-types`.

use neutrino_testing::{PROJECT, SERVICE_PLUGINS, Server};
use serde_json::{Value, json};

use crate::policy::by;

pub const MANAGER: &[&str] = &["manager", "member", "reader"];
const MEMBER: &[&str] = &["member", "reader"];
pub const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// With these mechanism drivers: without any no rule can be enforced.
pub async fn with(mechanism_drivers: &str, plugins: &str) -> Server {
    Server::with(&[
        ("DEFAULT", "service_plugins", plugins),
        ("ml2", "project_network_types", "vxlan"),
        ("ml2_type_vxlan", "vni_ranges", "1:2000"),
        ("ml2_type_vlan", "network_vlan_ranges", "physnet1:100:200"),
        ("ml2", "extension_drivers", "port_security,qos"),
        ("ml2", "mechanism_drivers", mechanism_drivers),
    ])
    .await
}

pub async fn server() -> Server {
    with("openvswitch", SERVICE_PLUGINS).await
}

/// A policy; its path.
pub async fn policy(server: &Server, attributes: Value) -> String {
    let policy = server.post("/qos/policies", json!({ "policy": attributes })).await.expect(201);
    format!("/qos/policies/{}", policy["id"].as_str().unwrap())
}

pub fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

pub async fn shown(server: &Server, path: &str, attribute: &str) -> Value {
    server.get(path).await.expect(200)[attribute].clone()
}

#[tokio::test]
async fn a_policy_lives_from_create_to_delete() {
    let server = server().await;
    let made = server.post("/qos/policies", json!({"policy": {"name": "p", "description": "d"}})).await.expect(201);
    let expected = json!({"id": made["id"], "name": "p", "description": "d", "project_id": PROJECT, "tenant_id": PROJECT, "shared": false,
        "is_default": false, "rules": [], "tags": [], "revision_number": 0, "created_at": made["created_at"], "updated_at": made["updated_at"]});
    assert_eq!(made, expected);
    let path = format!("/qos/policies/{}", made["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), made);
    let changed = server.put(&path, json!({"policy": {"name": "q", "description": "e"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["description"], &changed["revision_number"]), (&json!("q"), &json!("e"), &json!(1)));
    assert_eq!(server.put(&format!("/policies/{}/tags", id(&path)), json!({"tags": ["red"]})).await.status, 200);
    server.get("/qos/policies?tags=red&name=q&shared=False&is_default=False").await.expect_rows("policies", 1);
    server.get("/qos/policies?is_default=True").await.expect_rows("policies", 0);
    server.put(&path, json!({"policy": {"rules": []}})).await.refused(400, "HTTPBadRequest");
    server.put(&path, json!({"policy": {"project_id": A}})).await.refused(400, "HTTPBadRequest");
    server.post("/qos/policies", json!({"policy": {"project_id": ""}})).await.refused(400, "BadRequest");
    server.get("/qos/policies?sort_key=shared&sort_dir=asc").await.refused(400, "HTTPBadRequest");
    server.get("/qos/policies?rules=x").await.refused(400, "HTTPBadRequest");
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "QosPolicyNotFound");
    server.delete(&path).await.refused(404, "QosPolicyNotFound");
    server.put(&path, json!({"policy": {}})).await.refused(404, "QosPolicyNotFound");
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'qos_policies'").await, 0);
}

#[tokio::test]
async fn a_project_has_one_default() {
    let server = server().await;
    let first = policy(&server, json!({"project_id": A, "is_default": true})).await;
    let is = server.get(&first).await.expect(200);
    assert_eq!((&is["is_default"], &is["revision_number"]), (&json!(true), &json!(1)));
    let another = json!({"policy": {"project_id": A, "is_default": true}});
    server.post("/qos/policies", another.clone()).await.refused(409, "QoSPolicyDefaultAlreadyExists");
    let second = policy(&server, json!({"project_id": A})).await;
    server.put(&second, json!({"policy": {"is_default": true}})).await.refused(409, "QoSPolicyDefaultAlreadyExists");
    policy(&server, json!({"project_id": B, "is_default": true})).await;
    let same = server.put(&first, json!({"policy": {"is_default": true}})).await.expect(200);
    assert_eq!(same["revision_number"], 1);
    // A refusal leaves nothing behind.
    assert_eq!(server.count("SELECT count(*) FROM qos_policies").await, 3);
    let ceased = server.put(&first, json!({"policy": {"is_default": false, "name": "x"}})).await.expect(200);
    assert_eq!((&ceased["is_default"], &ceased["revision_number"]), (&json!(false), &json!(2)));
    server.put(&second, json!({"policy": {"is_default": true}})).await.expect(200);
    assert_eq!(server.delete(&second).await.status, 204);
    server.post("/qos/policies", another).await.expect(201);
}

#[tokio::test]
async fn two_defaults_at_once_are_one() {
    let server = server().await;
    let one = || server.post("/qos/policies", json!({"policy": {"project_id": A, "is_default": true}}));
    let answers = futures::future::join_all((0..6).map(|_| one())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn new_networks_have_the_default_of_their_project() {
    let server = server().await;
    let default = policy(&server, json!({"project_id": A, "is_default": true})).await;
    let other = policy(&server, json!({"project_id": A})).await;
    let network = |body: Value| server.post("/networks", json!({ "network": body }));
    assert_eq!(network(json!({"project_id": A})).await.expect(201)["qos_policy_id"], id(&default));
    assert_eq!(network(json!({"project_id": A, "qos_policy_id": null})).await.expect(201)["qos_policy_id"], id(&default));
    assert_eq!(network(json!({"project_id": A, "qos_policy_id": id(&other)})).await.expect(201)["qos_policy_id"], id(&other));
    assert_eq!(network(json!({"project_id": B})).await.expect(201)["qos_policy_id"], Value::Null);
    // Its own project gets it, too, without being told.
    let own = by(&server, A, MEMBER).post("/networks", json!({"network": {}})).await.expect(201);
    assert_eq!((&own["qos_policy_id"], &own["revision_number"]), (&json!(id(&default)), &json!(1)));
}

#[tokio::test]
async fn a_policy_in_use_stays() {
    let server = server().await;
    let path = policy(&server, json!({"project_id": A})).await;
    let network = server.post("/networks", json!({"network": {"qos_policy_id": id(&path)}})).await.expect(201);
    let net = format!("/networks/{}", network["id"].as_str().unwrap());
    server.delete(&path).await.refused(409, "QosPolicyInUse");
    let none = server.put(&net, json!({"network": {"qos_policy_id": null}})).await.expect(200);
    assert_eq!((&none["qos_policy_id"], &none["revision_number"]), (&Value::Null, &json!(2)));
    let port = json!({"port": {"network_id": network["id"], "qos_policy_id": id(&path)}});
    let port = server.post("/ports", port).await.expect(201);
    server.delete(&path).await.refused(409, "QosPolicyInUse");
    assert_eq!(server.delete(&format!("/ports/{}", port["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM qos_port_policy_bindings").await, 0);
}

#[tokio::test]
async fn a_policy_that_is_taken_while_it_goes_is_never_lost() {
    let server = server().await;
    for _ in 0..5 {
        let path = policy(&server, json!({})).await;
        let take = server.post("/networks", json!({"network": {"qos_policy_id": id(&path)}}));
        let (taken, gone) = tokio::join!(take, server.delete(&path));
        match (taken.status, gone.status) {
            (201, 409) => assert_eq!(taken.body["network"]["qos_policy_id"], id(&path)),
            (404, 204) => {}
            other => panic!("{other:?}: {} {}", taken.text, gone.text),
        }
    }
}

#[tokio::test]
async fn others_see_a_policy_when_it_is_shared() {
    let server = server().await;
    let (a, b, reader) = (by(&server, A, MANAGER), by(&server, B, MANAGER), by(&server, A, &["reader"]));
    let made = a.post("/qos/policies", json!({"policy": {"name": "p"}})).await.expect(201);
    let path = format!("/qos/policies/{}", made["id"].as_str().unwrap());
    reader.get(&path).await.expect(200);
    reader.put(&path, json!({"policy": {"name": "x"}})).await.refused(403, "PolicyNotAuthorized");
    by(&server, A, MEMBER).post("/qos/policies", json!({"policy": {}})).await.refused(403, "PolicyNotAuthorized");
    b.get(&path).await.refused(404, "QosPolicyNotFound");
    b.get("/qos/policies").await.expect_rows("policies", 0);
    b.get(&format!("/qos/policies?limit=1&marker={}", id(&path))).await.expect_rows("policies", 0);
    server.get("/qos/policies?limit=1&marker=x").await.refused(404, "QosPolicyNotFound");
    b.put(&path, json!({"policy": {"name": "x"}})).await.refused(404, "QosPolicyNotFound");
    b.put(&path, json!({"policy": {"name": "x".repeat(256)}})).await.refused(400, "HTTPBadRequest");
    b.delete(&path).await.refused(404, "QosPolicyNotFound");
    b.post("/networks", json!({"network": {"qos_policy_id": made["id"]}})).await.refused(404, "QosPolicyNotFound");
    b.get("/networks").await.expect_rows("networks", 0);
    // By an RBAC policy, with one project.
    let share =
        json!({"rbac_policy": {"object_type": "qos_policy", "object_id": made["id"], "target_tenant": B, "action": "access_as_shared"}});
    let rbac = a.post("/rbac-policies", share.clone()).await.expect(201);
    a.post("/rbac-policies", share).await.refused(409, "DuplicateRbacPolicy");
    let external = json!({"object_type": "qos_policy", "object_id": made["id"], "target_tenant": B, "action": "access_as_external"});
    server.post("/rbac-policies", json!({ "rbac_policy": external })).await.refused(400, "InvalidActionForType");
    assert_eq!(b.get(&path).await.expect(200)["shared"], true);
    assert_eq!(a.get(&path).await.expect(200)["shared"], false);
    // An update does not look at `shared`, a delete does (`_fetch_resource` in `neutron/pecan_wsgi/hooks/policy_enforcement.py`).
    b.put(&path, json!({"policy": {"name": "x"}})).await.refused(404, "HTTPNotFound");
    b.delete(&path).await.refused(403, "PolicyNotAuthorized");
    let network = b.post("/networks", json!({"network": {"qos_policy_id": made["id"]}})).await.expect(201);
    let rbac = format!("/rbac-policies/{}", rbac["id"].as_str().unwrap());
    a.delete(&rbac).await.refused(409, "RbacPolicyInUse");
    b.put(&format!("/networks/{}", network["id"].as_str().unwrap()), json!({"network": {"qos_policy_id": null}})).await.expect(200);
    assert_eq!(a.delete(&rbac).await.status, 204);
    b.get(&path).await.refused(404, "QosPolicyNotFound");
}

#[tokio::test]
async fn a_policy_ceases_to_be_shared_when_nobody_else_has_it() {
    let server = server().await;
    let path = policy(&server, json!({"project_id": A, "shared": true})).await;
    let (a, b) = (by(&server, A, MANAGER), by(&server, B, MEMBER));
    assert_eq!(b.get(&path).await.expect(200)["shared"], true);
    server.get(&format!("/rbac-policies?object_type=qos_policy&object_id={}", id(&path))).await.expect_rows("rbac_policies", 1);
    let network = b.post("/networks", json!({"network": {}})).await.expect(201);
    let port = b.post("/ports", json!({"port": {"network_id": network["id"], "qos_policy_id": id(&path)}})).await.expect(201);
    a.put(&path, json!({"policy": {"shared": false}})).await.refused(409, "RbacPolicyInUse");
    assert_eq!(shown(&server, &path, "shared").await, true);
    let again = a.put(&path, json!({"policy": {"shared": true}})).await.expect(200);
    assert_eq!(again["revision_number"], 0);
    let share =
        json!({"rbac_policy": {"object_type": "qos_policy", "object_id": id(&path), "target_tenant": B, "action": "access_as_shared"}});
    server.post("/rbac-policies", share).await.expect(201);
    assert_eq!(a.put(&path, json!({"policy": {"shared": false}})).await.expect(200)["shared"], false);
    assert_eq!(b.get(&path).await.expect(200)["shared"], true);
    b.delete(&format!("/ports/{}", port["id"].as_str().unwrap())).await;
    // As in Neutron its owner's own use counts.
    let path = policy(&server, json!({"project_id": A, "shared": true})).await;
    let network = a.post("/networks", json!({"network": {"qos_policy_id": id(&path)}})).await.expect(201);
    a.put(&path, json!({"policy": {"shared": false}})).await.refused(409, "RbacPolicyInUse");
    let rbacs = server.get(&format!("/rbac-policies?object_id={}", id(&path))).await;
    let wild = format!("/rbac-policies/{}", rbacs.body["rbac_policies"][0]["id"].as_str().unwrap());
    a.delete(&wild).await.refused(409, "RbacPolicyInUse");
    server.put(&wild, json!({"rbac_policy": {"target_tenant": A}})).await.refused(409, "RbacPolicyInUse");
    assert_eq!(a.delete(&format!("/networks/{}", network["id"].as_str().unwrap())).await.status, 204);
    a.put(&path, json!({"policy": {"shared": false}})).await.expect(200);
}

#[tokio::test]
async fn rule_types_are_those_of_the_drivers() {
    let names = |answer: neutrino_testing::Answer| -> Vec<String> {
        let types = answer.expect(200);
        types.as_array().unwrap().iter().map(|t| t["type"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["bandwidth_limit", "dscp_marking", "minimum_bandwidth", "minimum_packet_rate", "packet_rate_limit"];
    let common = ["bandwidth_limit", "minimum_bandwidth"];
    let server = with("openvswitch,sriovnicswitch", SERVICE_PLUGINS).await;
    assert_eq!(names(server.get("/qos/rule-types").await), common);
    assert_eq!(names(server.get("/qos/rule_types").await), common);
    assert_eq!(names(server.get("/qos/rule-types?all_supported=True").await), all);
    assert_eq!(names(server.get("/qos/rule-types?all_supported=False").await), common);
    server.get("/qos/rule-types?all_rules=x").await.refused(400, "InvalidInput");
    server.get("/qos/rule-types?type=dscp_marking").await.refused(400, "HTTPBadRequest");
    assert_eq!(server.get("/qos/rule-types").await.body["rule_types"][0], json!({"type": "bandwidth_limit"}));
    let details = server.get("/qos/rule-types/bandwidth_limit").await.expect(200);
    let range = json!({"start": 0, "end": 2_147_483_647});
    let numbers =
        ["max_kbps", "max_burst_kbps"].map(|name| json!({"parameter_name": name, "parameter_type": "range", "parameter_values": range}));
    let direction = |values: Value| json!({"parameter_name": "direction", "parameter_type": "choices", "parameter_values": values});
    let parameters = |values: Value| json!([numbers[0], numbers[1], direction(values)]);
    let expected = json!({"type": "bandwidth_limit", "drivers": [
        {"name": "openvswitch", "supported_parameters": parameters(json!(["ingress", "egress"]))},
        {"name": "sriovnicswitch", "supported_parameters": parameters(json!(["egress"]))},
    ]});
    assert_eq!(details, expected);
    let marks = server.get("/qos/rule-types/dscp_marking").await.expect(200);
    assert_eq!(marks["drivers"][0]["supported_parameters"][0]["parameter_values"].as_array().map(Vec::len), Some(22));
    assert_eq!(server.get("/qos/rule-types/nope").await.status, 404);
    let member = by(&server, A, MEMBER);
    assert_eq!(names(member.get("/qos/rule-types").await), common);
    member.get("/qos/rule-types/dscp_marking").await.refused(403, "NotAuthorized");
    assert_eq!(server.post("/qos/rule-types", json!({"rule_type": {}})).await.status, 405);
    let without = with("", "qos").await;
    assert_eq!(names(without.get("/qos/rule-types").await), Vec::<String>::new());
    assert_eq!(names(without.get("/qos/rule-types?all_rules=True").await), all);
}

#[tokio::test]
async fn without_the_driver_networks_and_ports_have_no_policies() {
    let server = Server::with(&[("DEFAULT", "service_plugins", "qos")]).await;
    let path = policy(&server, json!({})).await;
    server.post("/networks", json!({"network": {"qos_policy_id": id(&path)}})).await.refused(400, "HTTPBadRequest");
    let network = server.post("/networks", json!({"network": {}})).await.expect(201);
    let port = server.post("/ports", json!({"port": {"network_id": network["id"]}})).await.expect(201);
    assert_eq!((network.get("qos_policy_id"), port.get("qos_policy_id")), (None, None));
    assert_eq!(port["resource_request"], Value::Null);
    let off = Server::with(&[("ml2", "extension_drivers", "qos")]).await;
    assert_eq!(off.get("/qos/policies").await.status, 404);
    assert_eq!(off.get("/extensions/qos").await.status, 404);
}
