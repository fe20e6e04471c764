// SPDX-License-Identifier: Apache-2.0
//! Routers with several gateways, and what else Neutron serves with OVN alone: EVPN, leaked routes, default routes.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::{
    policy::by,
    routers::{MEMBER, network, router, whole},
};

fn addresses(gateways: &Value) -> Vec<&str> {
    gateways.as_array().unwrap().iter().map(|gateway| gateway["external_fixed_ips"][0]["ip_address"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn gateways_are_added_changed_and_removed() {
    let server = Server::full().await;
    let (one, _) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (two, _) = network(&server, json!({"router:external": true}), "198.51.100.0/24").await;
    let path = router(&server, json!({})).await;
    let act = async |verb: &str, gateways: Value| {
        server.put(&format!("{path}/{verb}_external_gateways"), json!({"router": {"external_gateways": gateways}})).await
    };
    assert_eq!(server.get(&path).await.expect(200)["external_gateways"], json!([]));
    act("remove", json!([{"network_id": one}])).await.refused(400, "UnableToRemoveGateways");
    let at = |network: &str, address: &str| json!({"network_id": network, "external_fixed_ips": [{"ip_address": address}]});
    let now = act("add", json!([at(&one, "192.0.2.10"), at(&one, "192.0.2.11"), at(&two, "198.51.100.12")])).await.expect(200);
    assert_eq!(addresses(&now["external_gateways"]), ["192.0.2.10", "192.0.2.11", "198.51.100.12"]);
    assert_eq!(now["external_gateway_info"]["external_fixed_ips"], now["external_gateways"][0]["external_fixed_ips"]);
    // Several lead to the network: which one?
    act("remove", json!([{"network_id": one}])).await.refused(400, "UnableToMatchGateways");
    act("remove", json!([at(&one, "192.0.2.99")])).await.refused(400, "UnableToMatchGateways");
    // The first goes: the next takes its place.
    let now = act("remove", json!([at(&one, "192.0.2.10")])).await.expect(200);
    assert_eq!(addresses(&now["external_gateways"]), ["192.0.2.11", "198.51.100.12"]);
    assert_eq!(now["external_gateway_info"]["external_fixed_ips"][0]["ip_address"], "192.0.2.11");
    // The second becomes the first; another address; one more.
    let now = act("update", json!([{"network_id": two}, at(&one, "192.0.2.20")])).await.expect(200);
    assert_eq!(addresses(&now["external_gateways"]), ["198.51.100.12", "192.0.2.20"]);
    whole(&server).await;
    let now = server.put(&path, json!({"router": {"external_gateway_info": null}})).await.expect(200);
    assert_eq!(addresses(&now["external_gateways"]), ["192.0.2.20"]);
    assert_eq!(now["external_gateway_info"]["network_id"], json!(one));
    assert_eq!(act("update", json!([])).await.expect(200)["external_gateways"], json!([]));
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 0);
    act("add", json!([{"network_id": one}, {"network_id": one}])).await.expect(200);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 0);
}

#[tokio::test]
async fn gateways_keep_apart_and_are_read_carefully() {
    let server = Server::full().await;
    let (one, _) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (over, _) = network(&server, json!({"router:external": true}), "192.0.2.128/25").await;
    let (inside, _) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = router(&server, json!({})).await;
    let ask = async |body: Value| server.put(&format!("{path}/add_external_gateways"), body).await;
    let of = |gateways: Value| json!({"router": {"external_gateways": gateways}});
    for body in [
        json!(null),
        json!([]),
        json!({}),
        json!({"router": 5}),
        of(json!(5)),
        of(json!([5])),
        of(json!([{}])),
        of(json!([{"network_id": "x"}])),
    ] {
        let answer = ask(body.clone()).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
    }
    ask(of(json!([{"network_id": inside}]))).await.refused(400, "BadRequest");
    ask(of(json!([{"network_id": one}, {"network_id": over}]))).await.refused(400, "BadRequest");
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 0);
    ask(json!({"router": {}})).await.expect(200);
    let member = by(&server, "a", MEMBER);
    let made = member.post("/routers", json!({"router": {}})).await.expect(201);
    let own = format!("/routers/{}/add_external_gateways", made["id"].as_str().unwrap());
    member.put(&own, of(json!([{"network_id": one, "enable_snat": false}]))).await.refused(403, "PolicyNotAuthorized");
    let now = member.put(&own, of(json!([{"network_id": one}]))).await.expect(200);
    assert_eq!(now.get("distributed"), None);
    by(&server, "b", MEMBER).put(&own, of(json!([]))).await.refused(404, "RouterNotFound");
    let off = Server::with(&[("DEFAULT", "service_plugins", "router")]).await;
    let path = router(&off, json!({})).await;
    assert_eq!(off.put(&format!("{path}/add_external_gateways"), of(json!([]))).await.status, 404);
    assert_eq!(off.get(&path).await.expect(200).get("external_gateways"), None);
}

#[tokio::test]
async fn default_routes_say_what_the_operator_or_the_request_says() {
    let server = Server::full().await;
    let made = server.post("/routers", json!({"router": {"enable_default_route_bfd": true}})).await.expect(201);
    assert_eq!((&made["enable_default_route_bfd"], &made["enable_default_route_ecmp"]), (&json!(true), &json!(false)));
    let path = format!("/routers/{}", made["id"].as_str().unwrap());
    let now = server.put(&path, json!({"router": {"enable_default_route_ecmp": true, "enable_default_route_bfd": null}})).await.expect(200);
    assert_eq!((&now["enable_default_route_bfd"], &now["enable_default_route_ecmp"]), (&json!(true), &json!(true)));
    let member = by(&server, "a", MEMBER);
    member.post("/routers", json!({"router": {"enable_default_route_bfd": true}})).await.refused(403, "PolicyNotAuthorized");
}

#[tokio::test]
async fn an_evpn_vni_belongs_to_one_router() {
    let server = Server::full().await;
    let make = async |vni: Value| server.post("/routers", json!({"router": {"evpn_vni": vni}})).await;
    let first = make(json!(500)).await.expect(201);
    assert_eq!(first["evpn_vni"], 500);
    make(json!(500)).await.refused(409, "EVPNVNIInUse");
    assert_eq!(make(json!(0)).await.expect(201)["evpn_vni"], 1);
    assert_eq!(make(json!(0)).await.expect(201)["evpn_vni"], 2);
    assert_eq!(router(&server, json!({})).await.len(), "/routers/".len() + 36);
    make(json!(16_777_216)).await.refused(400, "HTTPBadRequest");
    make(json!(-1)).await.refused(400, "HTTPBadRequest");
    let path = format!("/routers/{}", first["id"].as_str().unwrap());
    server.put(&path, json!({"router": {"evpn_vni": 7}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.get("/routers?evpn_vni=500").await.body["routers"].as_array().unwrap().len(), 1);
    // Its networks are known in the fabric while it is plugged into them.
    let (_, subnet) = network(&server, json!({}), "10.0.0.0/24").await;
    let plain = router(&server, json!({})).await;
    let advertised = json!({"subnet_id": subnet, "advertise_host": true});
    server.put(&format!("{plain}/add_router_interface"), advertised.clone()).await.refused(404, "EVPNVNINotFound");
    server.put(&format!("{path}/add_router_interface"), advertised).await.expect(200);
    assert_eq!(server.count("SELECT count(*) FROM evpn_advertised_ports").await, 1);
    server.put(&format!("{path}/remove_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    assert_eq!(server.count("SELECT count(*) FROM evpn_networks").await, 0);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM vni_allocations WHERE vni = 500").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM vlan_allocations").await, 2);
    whole(&server).await;
}

#[tokio::test]
async fn routes_leak_where_a_gateway_is() {
    let server = Server::full().await;
    let (external, _) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (_, subnet) = network(&server, json!({}), "10.0.0.0/16").await;
    let (_, over) = network(&server, json!({}), "10.0.1.0/24").await;
    let leak = async |id: &str, leak: bool| server.put(&format!("/subnets/{id}"), json!({"subnet": {"leak_routes": leak}})).await;
    assert_eq!(server.get(&format!("/subnets/{subnet}")).await.expect(200)["leak_routes"], false);
    leak(&subnet, true).await.refused(400, "BadRequest");
    let (path, other) =
        (router(&server, json!({})).await, router(&server, json!({"external_gateway_info": {"network_id": external}})).await);
    server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    leak(&subnet, true).await.refused(400, "BadRequest");
    server.put(&path, json!({"router": {"external_gateway_info": {"network_id": external}}})).await.expect(200);
    assert_eq!(leak(&subnet, true).await.expect(200)["leak_routes"], true);
    assert_eq!(leak(&subnet, true).await.expect(200)["leak_routes"], true);
    server.put(&format!("{other}/add_router_interface"), json!({"subnet_id": over})).await.expect(200);
    leak(&over, true).await.refused(400, "BadRequest");
    assert_eq!(leak(&subnet, false).await.expect(200)["leak_routes"], false);
    leak(&over, true).await.expect(200);
    let member = by(&server, neutrino_testing::PROJECT, MEMBER);
    member.put(&format!("/subnets/{over}"), json!({"subnet": {"leak_routes": false}})).await.refused(403, "PolicyNotAuthorized");
}
