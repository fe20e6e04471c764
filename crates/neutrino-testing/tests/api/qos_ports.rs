// SPDX-License-Identifier: Apache-2.0
//! Policies of networks, ports and gateways, whether their rules can be enforced, and what ports ask of Placement.

use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    policy::by,
    qos_policies::{A, B, MANAGER, id, policy, server, shown, with},
};

const MEMBER: &[&str] = &["member", "reader"];

async fn rule(server: &Server, policy: &str, member: &str, body: Value) -> Answer {
    server.post(&format!("{policy}/{member}s"), json!({ member: body })).await
}

async fn network(server: &Server, attributes: Value) -> String {
    let network = server.post("/networks", json!({ "network": attributes })).await.expect(201);
    format!("/networks/{}", network["id"].as_str().unwrap())
}

async fn try_port(server: &Server, network: &str, attributes: Value) -> Answer {
    let mut port = attributes;
    port["network_id"] = json!(id(network));
    server.post("/ports", json!({ "port": port })).await
}

async fn port(server: &Server, network: &str, attributes: Value) -> String {
    let port = try_port(server, network, attributes).await.expect(201);
    format!("/ports/{}", port["id"].as_str().unwrap())
}

async fn give(server: &Server, path: &str, policy: Option<&str>) -> Answer {
    let member = if path.starts_with("/ports") { "port" } else { "network" };
    server.put(path, json!({ member: {"qos_policy_id": policy.map(id)} })).await
}

#[tokio::test]
async fn a_port_has_its_own_policy_or_its_networks() {
    let server = server().await;
    let (own, of_network) = (policy(&server, json!({})).await, policy(&server, json!({})).await);
    let net = network(&server, json!({"qos_policy_id": id(&of_network)})).await;
    let made = try_port(&server, &net, json!({"qos_policy_id": id(&own)})).await.expect(201);
    assert_eq!((&made["qos_policy_id"], &made["qos_network_policy_id"]), (&json!(id(&own)), &json!(id(&of_network))));
    let path = format!("/ports/{}", made["id"].as_str().unwrap());
    let first = made["revision_number"].as_i64().unwrap();
    let same = give(&server, &path, Some(&own)).await.expect(200);
    assert_eq!(same["revision_number"], first);
    let none = give(&server, &path, None).await.expect(200);
    assert_eq!((&none["qos_policy_id"], &none["revision_number"]), (&Value::Null, &json!(first + 1)));
    let kept = server.put(&path, json!({"port": {"name": "x"}})).await.expect(200);
    assert_eq!(kept["qos_network_policy_id"], id(&of_network));
    give(&server, &net, None).await.expect(200);
    assert_eq!(shown(&server, &path, "qos_network_policy_id").await, Value::Null);
    let nowhere = "00000000-0000-0000-0000-000000000000";
    give(&server, &path, Some(nowhere)).await.refused(404, "QosPolicyNotFound");
    give(&server, &net, Some(nowhere)).await.refused(404, "QosPolicyNotFound");
    try_port(&server, &net, json!({"qos_policy_id": nowhere})).await.refused(404, "QosPolicyNotFound");
    try_port(&server, &net, json!({"qos_policy_id": "x"})).await.refused(400, "HTTPBadRequest");
    server.post("/networks", json!({"network": {"qos_policy_id": 5}})).await.refused(400, "HTTPBadRequest");
    try_port(&server, &net, json!({"qos_network_policy_id": id(&own)})).await.refused(400, "HTTPBadRequest");
    server.get("/ports").await.expect_rows("ports", 1);
}

#[tokio::test]
async fn only_a_policy_that_one_sees_is_given_or_taken_away() {
    let server = server().await;
    let (a, b) = (by(&server, A, MANAGER), by(&server, B, MEMBER));
    let hidden = policy(&server, json!({"project_id": A})).await;
    let net = b.post("/networks", json!({"network": {}})).await.expect(201);
    let create = json!({"port": {"network_id": net["id"], "qos_policy_id": id(&hidden)}});
    b.post("/ports", create).await.refused(404, "QosPolicyNotFound");
    let made = b.post("/ports", json!({"port": {"network_id": net["id"]}})).await.expect(201);
    assert_eq!(made.get("resource_request"), None);
    let path = format!("/ports/{}", made["id"].as_str().unwrap());
    b.put(&path, json!({"port": {"qos_policy_id": id(&hidden)}})).await.refused(404, "QosPolicyNotFound");
    assert_eq!(shown(&server, &path, "qos_policy_id").await, Value::Null);
    // What an administrator gave is not the project's to take away.
    give(&server, &path, Some(&hidden)).await.expect(200);
    let net_path = format!("/networks/{}", net["id"].as_str().unwrap());
    give(&server, &net_path, Some(&hidden)).await.expect(200);
    b.put(&path, json!({"port": {"qos_policy_id": null}})).await.refused(403, "PolicyRemoveAuthorizationError");
    b.put(&net_path, json!({"network": {"qos_policy_id": null}})).await.refused(403, "PolicyRemoveAuthorizationError");
    b.put(&path, json!({"port": {"name": "x"}})).await.expect(200);
    assert_eq!(shown(&server, &path, "qos_policy_id").await, id(&hidden));
    a.put(&hidden, json!({"policy": {"shared": true}})).await.expect(200);
    b.put(&path, json!({"port": {"qos_policy_id": null}})).await.expect(200);
    b.put(&net_path, json!({"network": {"qos_policy_id": null}})).await.expect(200);
}

#[tokio::test]
async fn rules_are_enforced_by_a_driver_or_refused() {
    let server = with("openvswitch,sriovnicswitch", "qos").await;
    let net = network(&server, json!({})).await;
    let path = policy(&server, json!({})).await;
    rule(&server, &path, "dscp_marking_rule", json!({"dscp_mark": 8})).await.expect(201);
    let on = |kind: &str| json!({"qos_policy_id": id(&path), "binding:vnic_type": kind});
    for kind in ["macvtap", "direct-physical", "baremetal"] {
        try_port(&server, &net, on(kind)).await.refused(409, "QosRuleNotSupported");
    }
    server.get("/ports").await.expect_rows("ports", 0);
    assert_eq!(server.count("SELECT count(*) FROM qos_port_policy_bindings").await, 0);
    port(&server, &net, on("normal")).await;
    // SR-IOV limits what leaves, Open vSwitch both.
    let limits = policy(&server, json!({})).await;
    let macvtap = port(&server, &net, json!({"qos_policy_id": id(&limits), "binding:vnic_type": "macvtap"})).await;
    rule(&server, &limits, "bandwidth_limit_rule", json!({"max_kbps": 1})).await.expect(201);
    let ingress = json!({"max_kbps": 1, "direction": "ingress"});
    rule(&server, &limits, "bandwidth_limit_rule", ingress.clone()).await.refused(409, "QosRuleNotSupported");
    let embedded = shown(&server, &limits, "rules").await;
    assert_eq!(embedded.as_array().map(Vec::len), Some(1));
    let egress = format!("{limits}/bandwidth_limit_rules/{}", embedded[0]["id"].as_str().unwrap());
    server.put(&egress, json!({"bandwidth_limit_rule": {"direction": "ingress"}})).await.refused(409, "QosRuleNotSupported");
    server.put(&egress, json!({"bandwidth_limit_rule": {"max_kbps": 2}})).await.expect(200);
    give(&server, &macvtap, Some(&path)).await.refused(409, "QosRuleNotSupported");
    assert_eq!(shown(&server, &macvtap, "qos_policy_id").await, id(&limits));
    // By way of its network a port has the same limits, and none once it has a policy of its own.
    give(&server, &net, Some(&path)).await.expect(200);
    give(&server, &macvtap, None).await.expect(200);
    give(&server, &net, None).await.expect(200);
    give(&server, &net, Some(&path)).await.refused(409, "QosRuleNotSupported");
    assert_eq!(shown(&server, &net, "qos_policy_id").await, Value::Null);
    give(&server, &net, Some(&limits)).await.expect(200);
    rule(&server, &limits, "bandwidth_limit_rule", ingress).await.refused(409, "QosRuleNotSupported");
    try_port(&server, &net, json!({"binding:vnic_type": "baremetal"})).await.refused(409, "QosRuleNotSupported");
}

#[tokio::test]
async fn a_bound_port_is_judged_by_its_interface() {
    let server = with("openvswitch,sriovnicswitch", "qos").await;
    let net = network(&server, json!({})).await;
    let path = policy(&server, json!({})).await;
    rule(&server, &path, "dscp_marking_rule", json!({"dscp_mark": 8})).await.expect(201);
    for (vif_type, status) in [("ovs", 200), ("vhostuser", 200), ("hw_veb", 409), ("unbound", 200), ("binding_failed", 200), ("other", 409)]
    {
        let path_of_port = port(&server, &net, json!({})).await;
        server.sql(&format!("UPDATE ml2_port_bindings SET vif_type = '{vif_type}' WHERE port_id = '{}'", id(&path_of_port))).await;
        assert_eq!(give(&server, &path_of_port, Some(&path)).await.status, status, "{vif_type}");
    }
}

#[tokio::test]
async fn without_drivers_no_rule_can_be_enforced() {
    let server = with("", "qos").await;
    let (empty, full) = (policy(&server, json!({})).await, policy(&server, json!({})).await);
    rule(&server, &full, "dscp_marking_rule", json!({"dscp_mark": 8})).await.expect(201);
    let net = network(&server, json!({"qos_policy_id": id(&empty)})).await;
    let refused = server.post("/networks", json!({"network": {"qos_policy_id": id(&full)}})).await;
    refused.refused(409, "QosRuleNotSupportedByNetwork");
    give(&server, &net, Some(&full)).await.refused(409, "QosRuleNotSupportedByNetwork");
    try_port(&server, &net, json!({"qos_policy_id": id(&full)})).await.refused(409, "QosRuleNotSupported");
    server.get("/networks").await.expect_rows("networks", 1);
}

#[tokio::test]
async fn minimums_do_not_change_under_machines() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    let net = network(&server, json!({"qos_policy_id": id(&path)})).await;
    let made = rule(&server, &path, "minimum_bandwidth_rule", json!({"min_kbps": 10})).await.expect(201);
    let minimum = format!("{path}/minimum_bandwidth_rules/{}", made["id"].as_str().unwrap());
    let machine = port(&server, &net, json!({"device_owner": "compute:nova", "device_id": "m"})).await;
    server.put(&minimum, json!({"minimum_bandwidth_rule": {"min_kbps": 20}})).await.refused(501, "HTTPNotImplemented");
    assert_eq!(server.delete(&minimum).await.status, 501);
    let more = json!({"min_kbps": 5, "direction": "ingress"});
    assert_eq!(rule(&server, &path, "minimum_bandwidth_rule", more.clone()).await.status, 501);
    assert_eq!(rule(&server, &path, "minimum_packet_rate_rule", json!({"min_kpps": 5})).await.status, 501);
    // Nothing else is bound to Placement.
    rule(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 100})).await.expect(201);
    assert_eq!(shown(&server, &path, "rules").await.as_array().map(Vec::len), Some(2));
    // Without an allocation another policy is only a matter of the data plane.
    let other = policy(&server, json!({})).await;
    give(&server, &machine, Some(&other)).await.expect(200);
    server.put(&minimum, json!({"minimum_bandwidth_rule": {"min_kbps": 20}})).await.expect(200);
    give(&server, &machine, None).await.expect(200);
    let profile = json!({"binding:profile": {"allocation": {"g": "36a9f27c-0001-4000-8000-000000000001"}}});
    server.put(&machine, json!({ "port": profile })).await.expect(200);
    assert_eq!(give(&server, &machine, Some(&other)).await.status, 501);
    assert_eq!(give(&server, &net, Some(&other)).await.status, 501);
    give(&server, &machine, Some(&path)).await.expect(200);
    assert_eq!(shown(&server, &net, "qos_policy_id").await, id(&path));
}

#[tokio::test]
async fn a_port_asks_for_what_its_minimums_say() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    let mut ids = Vec::new();
    for (member, body) in [
        ("minimum_bandwidth_rule", json!({"min_kbps": 2000, "direction": "ingress"})),
        ("minimum_bandwidth_rule", json!({"min_kbps": 1000})),
        ("minimum_packet_rate_rule", json!({"min_kpps": 30, "direction": "any"})),
    ] {
        ids.push(rule(&server, &path, member, body).await.expect(201)["id"].as_str().unwrap().to_owned());
    }
    let tunnel = network(&server, json!({})).await;
    let physical = json!({"provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 101});
    let vlan = network(&server, physical).await;
    let bandwidths = json!({"NET_BW_EGR_KILOBIT_PER_SEC": 1000, "NET_BW_IGR_KILOBIT_PER_SEC": 2000});
    for (net, of_network, kind, required) in [
        (&tunnel, false, "normal", ["CUSTOM_NETWORK_TUNNEL_PROVIDER", "CUSTOM_VNIC_TYPE_NORMAL"]),
        (&vlan, false, "direct", ["CUSTOM_PHYSNET_PHYSNET1", "CUSTOM_VNIC_TYPE_DIRECT"]),
        (&vlan, true, "normal", ["CUSTOM_PHYSNET_PHYSNET1", "CUSTOM_VNIC_TYPE_NORMAL"]),
    ] {
        let mut body = json!({"binding:vnic_type": kind});
        if of_network {
            give(&server, net, Some(&path)).await.expect(200);
        } else {
            body["qos_policy_id"] = json!(id(&path));
        }
        let made = try_port(&server, net, body).await.expect(201);
        let port_id = made["id"].as_str().unwrap();
        let name = |ids: &[&str]| Uuid::new_v5(&port_id.parse().unwrap(), ids.join(":").as_bytes()).to_string();
        let (first, second) = (name(&[&ids[1], &ids[0]]), name(&[&ids[2]]));
        let expected = json!({
            "request_groups": [
                {"id": first, "required": required, "resources": bandwidths},
                {"id": second, "required": [required[1]], "resources": {"NET_PACKET_RATE_KILOPACKET_PER_SEC": 30}},
            ],
            "same_subtree": [first, second],
        });
        assert_eq!(made["resource_request"], expected);
        let alone = server.get(&format!("/ports/{port_id}?fields=resource_request")).await.expect(200);
        assert_eq!(alone, json!({"resource_request": expected}));
        assert_eq!(server.get(&format!("/ports?id={port_id}")).await.body["ports"][0]["resource_request"], expected);
    }
    let plain = policy(&server, json!({})).await;
    rule(&server, &plain, "dscp_marking_rule", json!({"dscp_mark": 8})).await.expect(201);
    let without = port(&server, &tunnel, json!({"qos_policy_id": id(&plain)})).await;
    assert_eq!(shown(&server, &without, "resource_request").await, Value::Null);
}

#[tokio::test]
async fn a_page_of_ports_costs_as_many_statements_as_one() {
    let server = server().await;
    let mut counts = Vec::new();
    for round in [1, 8] {
        for n in 0..round {
            let path = policy(&server, json!({})).await;
            rule(&server, &path, "minimum_bandwidth_rule", json!({"min_kbps": n + 1})).await.expect(201);
            let net = network(&server, json!({"qos_policy_id": id(&path)})).await;
            port(&server, &net, json!({})).await;
            port(&server, &net, json!({"qos_policy_id": id(&path)})).await;
        }
        let before = server.statements();
        let listed = server.get("/ports").await;
        assert!(listed.body["ports"].as_array().unwrap().iter().all(|port| port["resource_request"].is_object()));
        counts.push(server.statements() - before);
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn a_gateway_has_a_policy() {
    let server = server().await;
    let (path, other) = (policy(&server, json!({})).await, policy(&server, json!({})).await);
    let net = network(&server, json!({"router:external": true})).await;
    let subnet = json!({"network_id": id(&net), "ip_version": 4, "cidr": "192.0.2.0/24"});
    server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    let gateway = |more: Value| {
        let mut info = json!({"network_id": id(&net)});
        info.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"router": {"external_gateway_info": info}})
    };
    let made = server.post("/routers", gateway(json!({"qos_policy_id": id(&path)}))).await.expect(201);
    assert_eq!(made["external_gateway_info"]["qos_policy_id"], id(&path));
    let router = format!("/routers/{}", made["id"].as_str().unwrap());
    let of = |router: Value| router["external_gateway_info"].get("qos_policy_id").cloned();
    assert_eq!(of(server.get(&router).await.expect(200)), Some(json!(id(&path))));
    server.delete(&path).await.refused(409, "QosPolicyInUse");
    let kept = server.put(&router, gateway(json!({}))).await.expect(200);
    assert_eq!(of(kept.clone()), Some(json!(id(&path))));
    let changed = server.put(&router, gateway(json!({"qos_policy_id": id(&other)}))).await.expect(200);
    assert_eq!(of(changed.clone()), Some(json!(id(&other))));
    assert_eq!(changed["revision_number"].as_i64(), kept["revision_number"].as_i64().map(|n| n + 1));
    let none = server.put(&router, gateway(json!({"qos_policy_id": null}))).await.expect(200);
    assert_eq!(of(none), None);
    give(&server, &net, Some(&path)).await.expect(200);
    assert_eq!(of(server.get(&router).await.expect(200)), Some(Value::Null));
    let nowhere = json!({"qos_policy_id": "00000000-0000-0000-0000-000000000000"});
    server.put(&router, gateway(nowhere)).await.refused(404, "QosPolicyNotFound");
    server.put(&router, gateway(json!({"qos_policy_id": "x"}))).await.refused(400, "HTTPBadRequest");
    server.put(&router, gateway(json!({"qos_policy_id": id(&other)}))).await.expect(200);
    let cleared = server.put(&router, json!({"router": {"external_gateway_info": {}}})).await.expect(200);
    assert_eq!(cleared["external_gateway_info"], Value::Null);
    assert_eq!(server.delete(&other).await.status, 204);
    server.put(&router, gateway(json!({"qos_policy_id": id(&path)}))).await.expect(200);
    assert_eq!(server.delete(&router).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM qos_router_gw_policy_bindings").await, 0);
}

#[tokio::test]
async fn a_gateway_of_a_project_has_only_what_it_sees() {
    let server = server().await;
    let b = by(&server, B, MEMBER);
    let hidden = policy(&server, json!({"project_id": A})).await;
    let net = network(&server, json!({"router:external": true})).await;
    let body = |policy: &str| json!({"router": {"external_gateway_info": {"network_id": id(&net), "qos_policy_id": id(policy)}}});
    b.post("/routers", body(&hidden)).await.refused(404, "QosPolicyNotFound");
    b.get("/routers").await.expect_rows("routers", 0);
    let shared = policy(&server, json!({"project_id": A, "shared": true})).await;
    let router = b.post("/routers", body(&shared)).await.expect(201);
    assert_eq!(router["external_gateway_info"]["qos_policy_id"], id(&shared));
    server.put(&shared, json!({"policy": {"shared": false}})).await.refused(409, "RbacPolicyInUse");
}

#[tokio::test]
async fn a_floating_ip_has_a_policy() {
    let server = server().await;
    let (path, other) = (policy(&server, json!({})).await, policy(&server, json!({})).await);
    let net = network(&server, json!({"router:external": true})).await;
    let subnet = json!({"network_id": id(&net), "ip_version": 4, "cidr": "192.0.2.0/24"});
    server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    let body = |policy: &str| json!({"floatingip": {"floating_network_id": id(&net), "qos_policy_id": policy}});
    let made = server.post("/floatingips", body(id(&path))).await.expect(201);
    assert_eq!(made["qos_policy_id"], id(&path));
    let floating = format!("/floatingips/{}", made["id"].as_str().unwrap());
    let put = |policy: Value| server.put(&floating, json!({"floatingip": {"qos_policy_id": policy}}));
    assert_eq!(server.get(&floating).await.expect(200)["qos_policy_id"], id(&path));
    server.delete(&path).await.refused(409, "QosPolicyInUse");
    let kept = server.put(&floating, json!({"floatingip": {"description": "x"}})).await.expect(200);
    assert_eq!(kept["qos_policy_id"], id(&path));
    let changed = put(json!(id(&other))).await.expect(200);
    assert_eq!(changed["qos_policy_id"], id(&other));
    assert_eq!(changed["revision_number"].as_i64(), kept["revision_number"].as_i64().map(|n| n + 1));
    assert_eq!(put(Value::Null).await.expect(200)["qos_policy_id"], Value::Null);
    assert_eq!(server.delete(&path).await.status, 204);
    let nowhere = "00000000-0000-0000-0000-000000000000";
    put(json!(nowhere)).await.refused(404, "QosPolicyNotFound");
    server.post("/floatingips", body(nowhere)).await.refused(404, "QosPolicyNotFound");
    server.post("/floatingips", body("x")).await.refused(400, "HTTPBadRequest");
    server.get("/floatingips").await.expect_rows("floatingips", 1);
    server.get(&format!("/floatingips?qos_policy_id={}", id(&other))).await.refused(400, "HTTPBadRequest");
    // Only what its project sees, and sharing stays while it is used.
    let b = by(&server, B, MEMBER);
    let theirs = policy(&server, json!({"project_id": A})).await;
    b.post("/floatingips", body(id(&theirs))).await.refused(404, "QosPolicyNotFound");
    server.put(&theirs, json!({"policy": {"shared": true}})).await.expect(200);
    let used = b.post("/floatingips", body(id(&theirs))).await.expect(201);
    server.put(&theirs, json!({"policy": {"shared": false}})).await.refused(409, "RbacPolicyInUse");
    assert_eq!(b.delete(&format!("/floatingips/{}", used["id"].as_str().unwrap())).await.status, 204);
    server.put(&theirs, json!({"policy": {"shared": false}})).await.expect(200);
    assert_eq!(server.count("SELECT count(*) FROM qos_fip_policy_bindings").await, 0);
}
