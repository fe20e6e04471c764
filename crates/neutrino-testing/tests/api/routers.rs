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

#[tokio::test]
async fn interfaces_are_refused_where_they_cannot_be() {
    let server = Server::full().await;
    let (net, first) = network(&server, json!({}), "10.0.0.0/24").await;
    let second = subnet(&server, &net, json!({"cidr": "10.0.1.0/24"})).await;
    let (_, overlapping) = network(&server, json!({}), "10.0.0.128/25").await;
    let (_, none) = network(&server, json!({}), "10.3.0.0/24").await;
    server.put(&format!("/subnets/{none}"), json!({"subnet": {"gateway_ip": null}})).await.expect(200);
    let (path, other) = (router(&server, json!({})).await, router(&server, json!({})).await);
    let add = async |path: &str, body: Value| server.put(&format!("{path}/add_router_interface"), body).await;
    for body in [json!({}), json!([]), json!({"subnet_id": "x"}), json!({"port_id": null}), json!({"subnet_id": first, "port_id": first})] {
        add(&path, body).await.refused(400, "BadRequest");
    }
    let missing = "00000000-0000-4000-8000-000000000000";
    add(&path, json!({"subnet_id": missing})).await.refused(404, "SubnetNotFound");
    add(&path, json!({"port_id": missing})).await.refused(404, "PortNotFound");
    add(&path, json!({"subnet_id": none})).await.refused(400, "BadRequest");
    add(&path, json!({"subnet_id": first})).await.expect(200);
    add(&path, json!({"subnet_id": first})).await.refused(400, "BadRequest");
    add(&path, json!({"subnet_id": overlapping})).await.refused(400, "BadRequest");
    // The gateway address is taken.
    add(&other, json!({"subnet_id": first})).await.refused(409, "IpAddressAlreadyAllocated");
    let port = async |fixed_ips: Value, more: Value| {
        let mut body = more;
        body["network_id"] = json!(net);
        body["fixed_ips"] = fixed_ips;
        server.post("/ports", json!({ "port": body })).await.expect(201)["id"].clone()
    };
    let used = port(json!([{"subnet_id": second}]), json!({"device_id": "vm", "device_owner": "compute:x"})).await;
    add(&path, json!({"port_id": used})).await.refused(409, "PortInUse");
    let bare = port(json!([]), json!({})).await;
    add(&path, json!({"port_id": bare})).await.refused(400, "BadRequest");
    let two = port(json!([{"subnet_id": second}, {"subnet_id": first}]), json!({})).await;
    add(&other, json!({"port_id": two})).await.refused(400, "BadRequest");
    // Nothing of a refusal stays.
    let after = server.get(&format!("/ports/{}", two.as_str().unwrap())).await.expect(200);
    assert_eq!((&after["device_id"], &after["device_owner"]), (&json!(""), &json!("")));
    let good = port(json!([{"subnet_id": second}]), json!({})).await;
    let added = add(&path, json!({"port_id": good})).await.expect(200);
    assert_eq!(added["subnet_ids"], json!([second]));
    let remove = async |body: Value| server.put(&format!("{path}/remove_router_interface"), body).await;
    remove(json!({})).await.refused(400, "BadRequest");
    remove(json!({"port_id": missing})).await.refused(404, "RouterInterfaceNotFound");
    remove(json!({"subnet_id": missing})).await.refused(404, "SubnetNotFound");
    remove(json!({"subnet_id": overlapping})).await.refused(404, "RouterInterfaceNotFoundForSubnet");
    remove(json!({"port_id": good, "subnet_id": first})).await.refused(400, "SubnetMismatchForPort");
    remove(json!({"port_id": good, "subnet_id": second})).await.expect(200);
    server.get(&format!("/ports/{}", good.as_str().unwrap())).await.refused(404, "PortNotFound");
}

#[tokio::test]
async fn ipv6_subnets_of_a_network_share_a_port() {
    let server = Server::full().await;
    let (net, first) = network(&server, json!({}), "fd00:1::/64").await;
    let second = subnet(&server, &net, json!({"cidr": "fd00:2::/64"})).await;
    let foreign = subnet(&server, &net, json!({"cidr": "fd00:3::/64", "ipv6_address_mode": "slaac"})).await;
    let path = router(&server, json!({})).await;
    let add = async |body: Value| server.put(&format!("{path}/add_router_interface"), body).await;
    let one = add(json!({"subnet_id": first})).await.expect(200);
    let two = add(json!({"subnet_id": second})).await.expect(200);
    assert_eq!(one["port_id"], two["port_id"]);
    add(json!({"subnet_id": foreign})).await.refused(400, "BadRequest");
    let port = server.post("/ports", json!({"port": {"network_id": net, "fixed_ips": [{"subnet_id": first}]}})).await.expect(201);
    add(json!({"port_id": port["id"]})).await.refused(400, "BadRequest");
    let at = format!("/ports/{}", one["port_id"].as_str().unwrap());
    assert_eq!(server.get(&at).await.expect(200)["fixed_ips"].as_array().unwrap().len(), 2);
    server.put(&format!("{path}/remove_router_interface"), json!({"subnet_id": first})).await.expect(200);
    let left = server.get(&at).await.expect(200);
    assert_eq!(left["fixed_ips"][0]["subnet_id"], json!(second));
    server.put(&format!("{path}/remove_router_interface"), json!({"port_id": one["port_id"]})).await.expect(200);
    server.get(&at).await.refused(404, "PortNotFound");
}

#[tokio::test]
async fn a_routers_ports_are_not_for_the_ports_api() {
    let server = Server::full().await;
    let (external, outside) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (net, inside) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = router(&server, json!({"external_gateway_info": {"network_id": external}})).await;
    let added = server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": inside})).await.expect(200);
    let interface = format!("/ports/{}", added["port_id"].as_str().unwrap());
    let ports = server.get("/ports?device_owner=network:router_gateway").await;
    let gateway = format!("/ports/{}", ports.body["ports"][0]["id"].as_str().unwrap());
    assert_eq!(ports.body["ports"][0]["project_id"], "");
    server.delete(&interface).await.refused(409, "ServicePortInUse");
    server.delete(&gateway).await.refused(409, "ServicePortInUse");
    server.put(&interface, json!({"port": {"fixed_ips": [{"ip_address": "10.0.0.9"}]}})).await.refused(400, "BadRequest");
    server.put(&interface, json!({"port": {"fixed_ips": []}})).await.refused(400, "BadRequest");
    server.put(&interface, json!({"port": {"fixed_ips": [{"ip_address": "10.0.0.1"}], "name": "n"}})).await.expect(200);
    server.put(&gateway, json!({"port": {"fixed_ips": [{"ip_address": "192.0.2.9"}]}})).await.expect(200);
    server.delete(&format!("/subnets/{inside}")).await.refused(409, "SubnetInUse");
    server.delete(&format!("/networks/{net}")).await.refused(409, "NetworkInUse");
    server.delete(&format!("/subnets/{outside}")).await.refused(409, "SubnetInUse");
    server.delete(&format!("/networks/{external}")).await.refused(409, "NetworkInUse");
    let external_no_more = json!({"network": {"router:external": false}});
    server.put(&format!("/networks/{external}"), external_no_more.clone()).await.refused(409, "ExternalNetworkInUse");
    server.put(&format!("/subnets/{inside}"), json!({"subnet": {"gateway_ip": "10.0.0.7"}})).await.refused(409, "GatewayIpInUse");
    server.put(&path, json!({"router": {"external_gateway_info": null}})).await.expect(200);
    server.put(&format!("/networks/{external}"), external_no_more).await.expect(200);
}

#[tokio::test]
async fn projects_plug_in_what_is_theirs() {
    const ALICE: &str = "11111111111111111111111111111111";
    let server = Server::full().await;
    let (a, b) = (by(&server, ALICE, MEMBER), by(&server, "b", MEMBER));
    let (shared, of_all) = network(&server, json!({"shared": true}), "10.0.0.0/24").await;
    let (lent, of_friends) = network(&server, json!({}), "10.1.0.0/24").await;
    let (_, hidden) = network(&server, json!({}), "10.2.0.0/24").await;
    let grant = json!({"object_type": "network", "object_id": lent, "target_tenant": ALICE, "action": "access_as_shared"});
    server.post("/rbac-policies", json!({ "rbac_policy": grant })).await.expect(201);
    let made = a.post("/routers", json!({"router": {}})).await.expect(201);
    let path = format!("/routers/{}", made["id"].as_str().unwrap());
    let add = |body: Value| a.put_owned(format!("{path}/add_router_interface"), body);
    add(json!({"subnet_id": of_all})).await.refused(400, "BadRequest");
    add(json!({"subnet_id": hidden})).await.refused(404, "SubnetNotFound");
    add(json!({"subnet_id": of_friends})).await.expect(200);
    // The port of somebody else is not seen; an own port on the shared network may be plugged.
    let foreign = b.post("/ports", json!({"port": {"network_id": shared}})).await.expect(201);
    add(json!({"port_id": foreign["id"]})).await.refused(404, "PortNotFound");
    let own = a.post("/ports", json!({"port": {"network_id": shared}})).await.expect(201);
    add(json!({"port_id": own["id"]})).await.expect(200);
    // A port must not claim a router of another project (OSSA 2014-008).
    let claim = json!({"port": {"network_id": lent, "device_id": made["id"], "device_owner": "network:router_interface"}});
    let own_net = b.post("/networks", json!({"network": {}})).await.expect(201);
    let mut claim_b = claim.clone();
    claim_b["port"]["network_id"] = own_net["id"].clone();
    b.post("/ports", claim_b).await.refused(409, "DeviceIDNotOwnedByTenant");
    let port = b.post("/ports", json!({"port": {"network_id": own_net["id"], "device_id": made["id"]}})).await.expect(201);
    b.put(&format!("/ports/{}", port["id"].as_str().unwrap()), json!({"port": {"device_owner": "network:router_interface"}}))
        .await
        .refused(409, "DeviceIDNotOwnedByTenant");
}

#[tokio::test]
async fn gateways_change_and_are_refused() {
    let server = Server::full().await;
    let (one, subnet_one) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (two, _) = network(&server, json!({"router:external": true}), "198.51.100.0/24").await;
    let (inside, inner) = network(&server, json!({}), "10.0.0.0/24").await;
    let (_, overlapping) = network(&server, json!({}), "192.0.2.128/25").await;
    let path = router(&server, json!({})).await;
    let set = async |info: Value| server.put(&path, json!({"router": {"external_gateway_info": info}})).await;
    set(json!({"network_id": inside})).await.refused(400, "BadRequest");
    set(json!({"network_id": "00000000-0000-4000-8000-000000000000"})).await.refused(404, "NetworkNotFound");
    let at = |address: &str| json!({"network_id": one, "external_fixed_ips": [{"ip_address": address}]});
    set(at("192.0.2.1")).await.refused(400, "BadRequest");
    set(at("203.0.113.1")).await.refused(400, "InvalidIpForNetwork");
    let shown = set(at("192.0.2.50")).await.expect(200)["external_gateway_info"].clone();
    assert_eq!(shown["external_fixed_ips"], json!([{"subnet_id": subnet_one, "ip_address": "192.0.2.50"}]));
    assert_eq!(set(json!({"network_id": one, "enable_snat": false})).await.expect(200)["external_gateway_info"]["enable_snat"], false);
    let shown = set(at("192.0.2.51")).await.expect(200)["external_gateway_info"].clone();
    assert_eq!(shown["external_fixed_ips"][0]["ip_address"], "192.0.2.51");
    assert_eq!(shown["enable_snat"], true);
    server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": overlapping})).await.refused(400, "BadRequest");
    server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": inner})).await.expect(200);
    assert_eq!(set(json!({"network_id": two})).await.expect(200)["external_gateway_info"]["network_id"], json!(two));
    assert_eq!(server.count("SELECT count(*) FROM ports WHERE device_owner = 'network:router_gateway'").await, 1);
    // A floating IP needs the gateway.
    let id = id(&path);
    server
        .sql(&format!(
            "INSERT INTO standardattributes (id, resource_type, revision_number) VALUES (99999, 'floatingips', 0); \
             INSERT INTO floatingips (id, project_id, floating_ip_address, floating_network_id, floating_port_id, router_id, standard_attr_id) \
             SELECT 'f', 'p', '198.51.100.7', '{two}', gw_port_id, '{id}', 99999 FROM routers WHERE id = '{id}'"
        ))
        .await;
    set(json!(null)).await.refused(409, "RouterExternalGatewayInUseByFloatingIp");
    set(json!({"network_id": one})).await.refused(409, "RouterExternalGatewayInUseByFloatingIp");
    server.sql("DELETE FROM floatingips").await;
    assert_eq!(set(json!(null)).await.expect(200)["external_gateway_info"], json!(null));
    assert_eq!(server.count("SELECT count(*) FROM ports WHERE device_owner = 'network:router_gateway'").await, 0);
}

#[tokio::test]
async fn who_may_choose_addresses_outside() {
    let server = Server::full().await;
    let member = by(&server, "a", MEMBER);
    let (external, subnet) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    for info in [json!({"enable_snat": false}), json!({"external_fixed_ips": [{"subnet_id": subnet}]})] {
        let mut info = info;
        info["network_id"] = json!(external);
        member.post("/routers", json!({"router": {"external_gateway_info": info}})).await.refused(403, "PolicyNotAuthorized");
    }
    let made = member.post("/routers", json!({"router": {"external_gateway_info": {"network_id": external}}})).await.expect(201);
    assert_eq!(made["external_gateway_info"]["enable_snat"], true);
    assert_eq!(made.get("distributed"), None);
    member.post("/routers", json!({"router": {"distributed": true}})).await.refused(403, "PolicyNotAuthorized");
    // The port of the gateway belongs to nobody.
    member.get("/ports").await.expect_rows("ports", 0);
}

#[tokio::test]
async fn routes_need_a_next_hop_that_is_connected() {
    let server = Server::full().await;
    let (_, subnet) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = router(&server, json!({})).await;
    let add = server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    let route = |destination: &str, nexthop: &str| json!({"destination": destination, "nexthop": nexthop});
    let set = async |routes: Value| server.put(&path, json!({"router": {"routes": routes}})).await;
    set(json!([route("20.0.0.0/24", "10.9.0.1")])).await.refused(400, "InvalidRoutes");
    set(json!([route("20.0.0.0/24", "10.0.0.1")])).await.refused(400, "InvalidRoutes");
    set(json!([route("x", "10.0.0.1")])).await.refused(400, "HTTPBadRequest");
    let both = json!([route("20.0.0.0/24", "10.0.0.5"), route("20.0.1.0/24", "10.0.0.6")]);
    assert_eq!(set(both.clone()).await.expect(200)["routes"], both);
    let remove = json!({"subnet_id": subnet});
    server.put(&format!("{path}/remove_router_interface"), remove.clone()).await.refused(409, "RouterInterfaceInUseByRoute");
    let atomic =
        async |verb: &str, routes: Value| server.put(&format!("{path}/{verb}_extraroutes"), json!({"router": {"routes": routes}})).await;
    let third = route("20.0.2.0/24", "10.0.0.7");
    let now = atomic("add", json!([third, route("20.0.0.0/24", "10.0.0.5")])).await.expect(200);
    assert_eq!(now["routes"].as_array().unwrap().len(), 3);
    let now = atomic("remove", json!([third, route("30.0.0.0/24", "10.0.0.5")])).await.expect(200);
    assert_eq!(now["routes"], both);
    atomic("add", json!([route("20.0.3.0/24", "10.9.0.5")])).await.refused(400, "InvalidRoutes");
    for body in [json!({}), json!({"router": {}}), json!({"router": {"routes": 5}}), json!([]), json!({"router": []})] {
        let answer = server.put(&format!("{path}/add_extraroutes"), body).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    assert_eq!(set(json!(null)).await.expect(200)["routes"], json!([]));
    server.put(&format!("{path}/remove_router_interface"), json!({"port_id": add["port_id"]})).await.expect(200);
}

#[tokio::test]
async fn routes_are_bounded_by_the_quota_of_the_routers_project() {
    let server = Server::with(&[("DEFAULT", "service_plugins", "router"), ("quotas", "quota_router_route", "2")]).await;
    let (_, subnet) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = router(&server, json!({})).await;
    server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    let routes = |count: usize| {
        let routes: Vec<Value> = (0..count).map(|n| json!({"destination": format!("20.0.{n}.0/24"), "nexthop": "10.0.0.5"})).collect();
        json!({"router": {"routes": routes}})
    };
    server.put(&path, routes(3)).await.refused(409, "OverQuota");
    server.put(&path, routes(2)).await.expect(200);
    server.put(&format!("/quotas/{}", neutrino_testing::PROJECT), json!({"quota": {"router_route": 3}})).await.expect(200);
    server.put(&path, routes(3)).await.expect(200);
    server.put(&path, routes(4)).await.refused(409, "OverQuota");
    let limited = server.restart(&[("DEFAULT", "service_plugins", "router"), ("quotas", "quota_router", "1")]).await;
    limited.post("/routers", json!({"router": {}})).await.refused(409, "OverQuota");
}

#[tokio::test]
async fn distributed_routers_keep_ports_for_snat() {
    let server = Server::full().await;
    let (external, _) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (net, first) = network(&server, json!({}), "10.0.0.0/24").await;
    let second = subnet(&server, &net, json!({"cidr": "10.0.1.0/24"})).await;
    let path = router(&server, json!({"distributed": true, "external_gateway_info": {"network_id": external}})).await;
    let owners = async |owner: &str| server.count(&format!("SELECT count(*) FROM ports WHERE device_owner = 'network:{owner}'")).await;
    for id in [&first, &second] {
        server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": id})).await.expect(200);
    }
    assert_eq!((owners("router_interface_distributed").await, owners("router_centralized_snat").await), (2, 2));
    let snat = server.get("/ports?device_owner=network:router_centralized_snat").await;
    server.delete(&format!("/ports/{}", snat.body["ports"][0]["id"].as_str().unwrap())).await.refused(409, "ServicePortInUse");
    server.put(&format!("{path}/remove_router_interface"), json!({"subnet_id": first})).await.expect(200);
    assert_eq!(owners("router_centralized_snat").await, 1);
    server.put(&path, json!({"router": {"distributed": false}})).await.refused(400, "BadRequest");
    server.put(&path, json!({"router": {"admin_state_up": false}})).await.expect(200);
    assert_eq!(server.put(&path, json!({"router": {"distributed": false}})).await.expect(200)["distributed"], false);
    assert_eq!((owners("router_interface").await, owners("router_centralized_snat").await), (1, 0));
    server.put(&path, json!({"router": {"distributed": true}})).await.expect(200);
    assert_eq!((owners("router_interface_distributed").await, owners("router_centralized_snat").await), (1, 1));
    server.put(&path, json!({"router": {"external_gateway_info": null}})).await.expect(200);
    assert_eq!(owners("router_centralized_snat").await, 0);
    whole(&server).await;
}

#[tokio::test]
async fn revisions_rise_with_what_belongs_to_a_router() {
    let server = Server::full().await;
    let (external, _) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let (_, subnet) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = router(&server, json!({})).await;
    let revision = async || server.get(&path).await.expect(200)["revision_number"].as_i64().unwrap();
    let mut last = revision().await;
    for (target, body) in [
        (path.clone(), json!({"router": {"external_gateway_info": {"network_id": external}}})),
        (format!("{path}/add_router_interface"), json!({"subnet_id": subnet})),
        (path.clone(), json!({"router": {"routes": [{"destination": "20.0.0.0/24", "nexthop": "10.0.0.5"}]}})),
        (format!("{path}/tags"), json!({"tags": ["a"]})),
        (format!("{path}/remove_extraroutes"), json!({"router": {"routes": [{"destination": "20.0.0.0/24", "nexthop": "10.0.0.5"}]}})),
        (format!("{path}/remove_router_interface"), json!({"subnet_id": subnet})),
    ] {
        server.put(&target, body).await.expect(200);
        let now = revision().await;
        assert!(now > last, "{target}: {last} -> {now}");
        last = now;
    }
    assert_eq!(server.get("/routers?tags=a").await.body["routers"].as_array().unwrap().len(), 1);
    assert_eq!(server.get("/routers?not-tags=a").await.body["routers"].as_array().unwrap().len(), 0);
    let stale = format!("revision_number={}", last - 1);
    let put = |condition: String| {
        let server = &server;
        let path = path.clone();
        async move {
            let body = json!({"router": {"name": "x"}}).to_string();
            server.send(http::Method::PUT, &path, body, &[("if-match", condition.as_str())]).await
        }
    };
    assert_eq!(put(stale).await.status, 412);
    put(format!("revision_number={last}")).await.expect(200);
}

#[tokio::test]
async fn an_empty_page_leads_back() {
    let server = Server::full().await;
    let id = id(&router(&server, json!({})).await).to_owned();
    let answer = server.get(&format!("/routers?limit=1&sort_key=name&sort_dir=asc&marker={id}")).await;
    let links = answer.body["routers_links"].as_array().unwrap();
    assert_eq!((links.len(), &links[0]["rel"]), (1, &json!("previous")));
    let href = links[0]["href"].as_str().unwrap();
    assert!(href.ends_with("/routers?limit=1&sort_key=name&sort_dir=asc&page_reverse=True"), "{href}");
    let back = server.get(&href[href.find("/routers").unwrap()..]).await;
    assert_eq!(back.body["routers"][0]["id"], json!(id));
}

/// Fails the test when the database is not whole.
pub async fn whole(server: &Server) {
    let found = server.violations().await;
    assert!(found.is_empty(), "{found:?}");
}
