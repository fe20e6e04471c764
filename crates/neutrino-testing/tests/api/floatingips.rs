// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/floatingips` and `/v2.0/floatingip_pools`.

use futures::future::join_all;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

use crate::policy::by;
use crate::routers::{MEMBER, id, network, router, subnet};

/// An external network, a router with its gateway there, and a network inside that the router is plugged into; all the project's but the
/// external network.
pub struct Place {
    pub outside: String,
    pub outside_subnet: String,
    pub inside: String,
    pub inside_subnet: String,
    /// Its path.
    pub router: String,
}

impl Place {
    pub async fn new(server: &Server, project: &str) -> Self {
        let (outside, outside_subnet) = Self::network(server, json!({"router:external": true}), "192.0.2").await;
        let (inside, inside_subnet) = Self::network(server, json!({"project_id": project}), "10.0.0").await;
        let gateway = json!({"project_id": project, "external_gateway_info": {"network_id": outside}});
        let router = router(server, gateway).await;
        server.put(&format!("{router}/add_router_interface"), json!({"subnet_id": inside_subnet})).await.expect(200);
        Self { outside, outside_subnet, inside, inside_subnet, router }
    }

    /// A network whose pool leaves addresses that tests may name.
    async fn network(server: &Server, attributes: Value, prefix: &str) -> (String, String) {
        let made = server.post("/networks", json!({ "network": attributes })).await.expect(201);
        let pool = json!([{"start": format!("{prefix}.100"), "end": format!("{prefix}.200")}]);
        let attributes = json!({"cidr": format!("{prefix}.0/24"), "allocation_pools": pool});
        let subnet = subnet(server, of(&made), attributes).await;
        (of(&made).to_owned(), subnet)
    }

    /// A port inside.
    pub async fn port(&self, server: &Server, mut attributes: Value) -> Value {
        attributes["network_id"] = json!(self.inside);
        if attributes.get("fixed_ips").is_none() {
            attributes["fixed_ips"] = json!([{"subnet_id": self.inside_subnet}]);
        }
        server.post("/ports", json!({ "port": attributes })).await.expect(201)
    }

    pub async fn floating_ip(&self, server: &Server, mut attributes: Value) -> Answer {
        attributes["floating_network_id"] = json!(self.outside);
        server.post("/floatingips", json!({ "floatingip": attributes })).await
    }
}

pub fn address(port: &Value) -> &str {
    port["fixed_ips"][0]["ip_address"].as_str().unwrap()
}

fn of(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

async fn change(server: &Server, floating_ip: &Value, attributes: Value) -> Answer {
    server.put(&format!("/floatingips/{}", of(floating_ip)), json!({ "floatingip": attributes })).await
}

/// Nothing is left over and nothing is lost.
pub async fn check(server: &Server) {
    assert_eq!(server.violations().await, Vec::<String>::new());
    for sql in [
        "SELECT count(*) FROM floatingips f WHERE NOT EXISTS (SELECT 1 FROM ports p WHERE p.id = f.floating_port_id AND p.device_id = f.id)",
        "SELECT count(*) FROM standardattributes s WHERE s.resource_type = 'floatingips' \
         AND NOT EXISTS (SELECT 1 FROM floatingips f WHERE f.standard_attr_id = s.id)",
    ] {
        assert_eq!(server.count(sql).await, 0, "{sql}");
    }
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let made = place.floating_ip(&server, json!({"description": "d"})).await.expect(201);
    for (name, value) in [
        ("status", json!("DOWN")),
        ("router_id", json!(null)),
        ("port_id", json!(null)),
        ("fixed_ip_address", json!(null)),
        ("port_details", json!(null)),
        ("port_forwardings", json!([])),
        ("description", json!("d")),
        ("tags", json!([])),
        ("revision_number", json!(0)),
        ("project_id", json!(PROJECT)),
        ("floating_network_id", json!(place.outside)),
    ] {
        assert_eq!(made[name], value, "{name}: {made}");
    }
    assert!(made["floating_ip_address"].as_str().unwrap().starts_with("192.0.2."), "{made}");
    assert!(made.get("subnet_id").is_none());
    let outside = server.get(&format!("/ports?device_id={}", of(&made))).await.expect(200)[0].clone();
    for (name, value) in [("device_owner", "network:floatingip"), ("project_id", ""), ("status", "N/A")] {
        assert_eq!(outside[name], value, "{outside}");
    }
    server.delete(&format!("/ports/{}", of(&outside))).await.refused(409, "ServicePortInUse");
    let port = place.port(&server, json!({"name": "p"})).await;
    let there = change(&server, &made, json!({"port_id": port["id"]})).await.expect(200);
    assert_eq!(
        (&there["port_id"], there["fixed_ip_address"].as_str(), there["router_id"].as_str()),
        (&port["id"], Some(address(&port)), Some(id(&place.router)))
    );
    assert_eq!(there["revision_number"], 1);
    let details = json!({"name": "p", "network_id": place.inside, "mac_address": port["mac_address"], "admin_state_up": true,
        "status": "DOWN", "device_id": "", "device_owner": ""});
    assert_eq!(there["port_details"], details);
    let path = format!("/floatingips/{}", of(&made));
    assert_eq!(server.get(&path).await.expect(200), there);
    let free = change(&server, &made, json!({"port_id": null})).await.expect(200);
    assert_eq!((&free["port_id"], &free["router_id"], &free["fixed_ip_address"]), (&json!(null), &json!(null), &json!(null)));
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "FloatingIPNotFound");
    server.get(&format!("/ports/{}", of(&outside))).await.refused(404, "PortNotFound");
    check(&server).await;
}

#[tokio::test]
async fn what_an_update_does_to_the_association() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let (one, other) = (place.port(&server, json!({})).await, place.port(&server, json!({})).await);
    let made = place.floating_ip(&server, json!({"port_id": one["id"]})).await.expect(201);
    assert_eq!(made["port_id"], one["id"]);
    // What names no port leaves it.
    let described = change(&server, &made, json!({"description": "x"})).await.expect(200);
    assert_eq!((&described["port_id"], &described["description"]), (&one["id"], &json!("x")));
    let same = change(&server, &made, json!({"port_id": one["id"]})).await.expect(200);
    assert_eq!(same["revision_number"], described["revision_number"]);
    let moved = change(&server, &made, json!({"port_id": other["id"]})).await.expect(200);
    assert_eq!((&moved["port_id"], moved["fixed_ip_address"].as_str()), (&other["id"], Some(address(&other))));
    // An update of nothing ends it, as it always has.
    let ended = change(&server, &made, json!({})).await.expect(200);
    assert_eq!((&ended["port_id"], &ended["router_id"]), (&json!(null), &json!(null)));
    for body in [json!({"fixed_ip_address": "10.0.0.9"}), json!({"fixed_ip_address": "10.0.0.9", "port_id": null})] {
        change(&server, &made, body).await.refused(400, "BadRequest");
    }
    for (body, kind) in [
        (json!({"port_id": "11111111-1111-4111-8111-111111111111"}), "PortNotFound"),
        (json!({"port_id": one["id"], "router_id": "11111111-1111-4111-8111-111111111111"}), "RouterNotFound"),
        (json!({"router_id": "11111111-1111-4111-8111-111111111111"}), "RouterNotFound"),
    ] {
        change(&server, &made, body).await.refused(404, kind);
    }
    for body in [json!({"floating_ip_address": "192.0.2.9"}), json!({"status": "ACTIVE"}), json!({"subnet_id": place.outside_subnet})] {
        change(&server, &made, body).await.refused(400, "HTTPBadRequest");
    }
    check(&server).await;
}

#[tokio::test]
async fn an_address_inside_has_one_floating_ip_of_a_network() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let port = place.port(&server, json!({})).await;
    place.floating_ip(&server, json!({"port_id": port["id"]})).await.expect(201);
    let rows = server.count("SELECT count(*) FROM ports").await;
    place.floating_ip(&server, json!({"port_id": port["id"]})).await.refused(409, "FloatingIPPortAlreadyAssociated");
    assert_eq!(server.count("SELECT count(*) FROM ports").await, rows);
    let free = place.floating_ip(&server, json!({})).await.expect(201);
    change(&server, &free, json!({"port_id": port["id"]})).await.refused(409, "FloatingIPPortAlreadyAssociated");
    check(&server).await;
}

#[tokio::test]
async fn ports_with_several_addresses() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let subnet_id = &place.inside_subnet;
    let v6 = subnet(&server, &place.inside, json!({"cidr": "2001:db8:1::/64"})).await;
    let two = place.port(&server, json!({"fixed_ips": [{"subnet_id": subnet_id}, {"subnet_id": subnet_id}, {"subnet_id": v6}]})).await;
    let v4: Vec<&str> =
        two["fixed_ips"].as_array().unwrap().iter().filter_map(|ip| ip["ip_address"].as_str()).filter(|ip| !ip.contains(':')).collect();
    place.floating_ip(&server, json!({"port_id": two["id"]})).await.refused(400, "BadRequest");
    for bad in ["10.0.0.250", "2001:db8:1::1"] {
        place.floating_ip(&server, json!({"port_id": two["id"], "fixed_ip_address": bad})).await.refused(400, "BadRequest");
    }
    let made = place.floating_ip(&server, json!({"port_id": two["id"], "fixed_ip_address": v4[1]})).await.expect(201);
    assert_eq!(made["fixed_ip_address"], v4[1]);
    // An update of something else does not ask for the address again.
    assert_eq!(change(&server, &made, json!({"description": "x"})).await.expect(200)["fixed_ip_address"], v4[1]);
    change(&server, &made, json!({"port_id": two["id"]})).await.refused(400, "BadRequest");
    let moved = change(&server, &made, json!({"port_id": two["id"], "fixed_ip_address": v4[0]})).await.expect(200);
    assert_eq!(moved["fixed_ip_address"], v4[0]);
    place.floating_ip(&server, json!({"port_id": two["id"], "fixed_ip_address": v4[1]})).await.expect(201);
    // Only IPv6.
    let six = place.port(&server, json!({"fixed_ips": [{"subnet_id": v6}]})).await;
    place.floating_ip(&server, json!({"port_id": six["id"]})).await.refused(400, "BadRequest");
    // Both addresses that have floating IPs stay.
    let path = format!("/ports/{}", of(&two));
    for kept in &v4 {
        let body = json!({"port": {"fixed_ips": [{"subnet_id": subnet_id, "ip_address": kept}]}});
        server.put(&path, body).await.refused(400, "BadRequest");
    }
    let more: Vec<Value> = v4.iter().map(|ip| json!({"subnet_id": subnet_id, "ip_address": ip})).collect();
    server.put(&path, json!({"port": {"fixed_ips": more}})).await.expect(200);
    check(&server).await;
}

#[tokio::test]
async fn the_address_outside_and_its_network() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let made = place.floating_ip(&server, json!({"floating_ip_address": "192.0.2.77"})).await.expect(201);
    assert_eq!(made["floating_ip_address"], "192.0.2.77");
    for (body, status, kind) in [
        (json!({"floating_ip_address": "192.0.2.77"}), 409, "IpAddressAlreadyAllocated"),
        (json!({"floating_ip_address": "203.0.113.1"}), 400, "InvalidIpForNetwork"),
        (json!({"floating_ip_address": "203.0.113.1", "subnet_id": place.outside_subnet}), 400, "InvalidIpForSubnet"),
        (json!({"floating_ip_address": "x"}), 400, "HTTPBadRequest"),
        (json!({"subnet_id": place.inside_subnet}), 400, "InvalidInput"),
        (json!({"subnet_id": "11111111-1111-4111-8111-111111111111"}), 404, "SubnetNotFound"),
        (json!({"fixed_ip_address": "10.0.0.9"}), 400, "BadRequest"),
    ] {
        place.floating_ip(&server, body).await.refused(status, kind);
    }
    let v6 = subnet(&server, &place.outside, json!({"cidr": "2001:db8:2::/64"})).await;
    place.floating_ip(&server, json!({"subnet_id": v6})).await.refused(400, "ExternalIpAddressExhausted");
    place.floating_ip(&server, json!({"floating_ip_address": "2001:db8:2::9"})).await.refused(400, "ExternalIpAddressExhausted");
    assert_eq!(place.floating_ip(&server, json!({"subnet_id": place.outside_subnet})).await.status, 201);
    let both = place.floating_ip(&server, json!({})).await.expect(201);
    assert!(both["floating_ip_address"].as_str().unwrap().starts_with("192.0.2."));
    let on = async |network: &str| server.post("/floatingips", json!({"floatingip": {"floating_network_id": network}})).await;
    on(&place.inside).await.refused(400, "BadRequest");
    on("11111111-1111-4111-8111-111111111111").await.refused(404, "NetworkNotFound");
    let (only_v6, _) = network(&server, json!({"router:external": true}), "2001:db8:3::/64").await;
    on(&only_v6).await.refused(400, "BadRequest");
    let (small, _) = network(&server, json!({"router:external": true}), "198.51.100.0/30").await;
    assert_eq!(on(&small).await.status, 201);
    on(&small).await.refused(409, "IpAddressGenerationFailure");
    let bulk = json!({"floatingips": [{"floating_network_id": place.outside}]});
    server.post("/floatingips", bulk).await.refused(400, "HTTPBadRequest");
    check(&server).await;
}

#[tokio::test]
async fn the_router_is_the_one_between() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let (apart, apart_subnet) = network(&server, json!({}), "10.1.0.0/24").await;
    let port = json!({"network_id": apart, "fixed_ips": [{"subnet_id": apart_subnet}]});
    let port = server.post("/ports", json!({ "port": port })).await.expect(201);
    place.floating_ip(&server, json!({"port_id": port["id"]})).await.refused(404, "ExternalGatewayForFloatingIPNotFound");
    // A router that is named need only lead out: there are other ways to it.
    let named = json!({"port_id": port["id"], "router_id": id(&place.router)});
    let made = place.floating_ip(&server, named).await.expect(201);
    assert_eq!(made["router_id"], id(&place.router));
    change(&server, &made, json!({"router_id": null})).await.refused(404, "ExternalGatewayForFloatingIPNotFound");
    let closed = router(&server, json!({})).await;
    change(&server, &made, json!({"router_id": id(&closed)})).await.refused(409, "Conflict");
    // The router with the subnet's gateway address is chosen before another.
    let gateway = json!({"external_gateway_info": {"network_id": place.outside}});
    let second = router(&server, gateway).await;
    let plug = place.port(&server, json!({})).await;
    server.put(&format!("{second}/add_router_interface"), json!({"port_id": plug["id"]})).await.expect(200);
    let inside = place.port(&server, json!({})).await;
    let made = place.floating_ip(&server, json!({"port_id": inside["id"]})).await.expect(201);
    assert_eq!(made["router_id"], id(&place.router));
    let moved = change(&server, &made, json!({"router_id": id(&second)})).await.expect(200);
    assert_eq!((&moved["router_id"], &moved["port_id"]), (&json!(id(&second)), &inside["id"]));
    let last = "SELECT count(*) FROM floatingips WHERE last_known_router_id = '";
    assert_eq!(server.count(&format!("{last}{}'", id(&place.router))).await, 1);
}

#[tokio::test]
async fn routers_keep_what_floating_ips_need() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let port = place.port(&server, json!({})).await;
    let made = place.floating_ip(&server, json!({"port_id": port["id"]})).await.expect(201);
    let unplug = format!("{}/remove_router_interface", place.router);
    server.put(&unplug, json!({"subnet_id": place.inside_subnet})).await.refused(409, "RouterInterfaceInUseByFloatingIP");
    let clear = json!({"router": {"external_gateway_info": {}}});
    server.put(&place.router, clear.clone()).await.refused(409, "RouterExternalGatewayInUseByFloatingIp");
    change(&server, &made, json!({"port_id": null})).await.expect(200);
    server.put(&unplug, json!({"subnet_id": place.inside_subnet})).await.expect(200);
    server.put(&place.router, clear).await.expect(200);
}

#[tokio::test]
async fn a_port_or_a_network_that_goes() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let port = place.port(&server, json!({})).await;
    let made = place.floating_ip(&server, json!({"port_id": port["id"]})).await.expect(201);
    assert_eq!(server.delete(&format!("/ports/{}", of(&port))).await.status, 204);
    let free = server.get(&format!("/floatingips/{}", of(&made))).await.expect(200);
    assert_eq!(
        (&free["port_id"], &free["router_id"], &free["fixed_ip_address"], &free["revision_number"]),
        (&json!(null), &json!(null), &json!(null), &json!(1))
    );
    // The external network takes floating IPs that nobody uses with it; one in use keeps it.
    let port = place.port(&server, json!({})).await;
    change(&server, &made, json!({"port_id": port["id"]})).await.expect(200);
    place.floating_ip(&server, json!({})).await.expect(201);
    let path = format!("/networks/{}", place.outside);
    server.delete(&path).await.refused(409, "NetworkInUse");
    assert_eq!(server.count("SELECT count(*) FROM floatingips").await, 2);
    change(&server, &made, json!({"port_id": null})).await.expect(200);
    server.put(&place.router, json!({"router": {"external_gateway_info": {}}})).await.expect(200);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM floatingips").await, 0);
    check(&server).await;
}

#[tokio::test]
async fn other_projects() {
    let server = Server::full().await;
    let place = Place::new(&server, "a").await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let outside = &place.outside;
    let body = |more: Value| {
        let mut body = json!({"floating_network_id": outside});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "floatingip": body })
    };
    let port = place.port(&server, json!({"project_id": "a"})).await;
    let made = a.post("/floatingips", body(json!({"port_id": port["id"]}))).await.expect(201);
    let path = format!("/floatingips/{}", of(&made));
    b.get(&path).await.refused(404, "FloatingIPNotFound");
    b.put(&path, json!({"floatingip": {"port_id": null}})).await.refused(404, "FloatingIPNotFound");
    b.delete(&path).await.refused(404, "FloatingIPNotFound");
    b.get("/floatingips").await.expect_rows("floatingips", 0);
    b.get(&format!("/floatingips?port_id={}", of(&port))).await.expect_rows("floatingips", 0);
    // The port outside is nobody's.
    a.get("/ports?device_owner=network:floatingip").await.expect_rows("ports", 0);
    // Neither port nor router of others.
    b.post("/floatingips", body(json!({"port_id": port["id"]}))).await.refused(404, "PortNotFound");
    b.post("/floatingips", body(json!({"router_id": id(&place.router)}))).await.refused(404, "RouterNotFound");
    // A port of another project on a's own network is seen, but not served.
    let guest = place.port(&server, json!({"project_id": "b"})).await;
    a.post("/floatingips", body(json!({"port_id": guest["id"]}))).await.refused(400, "BadRequest");
    // An address may be chosen by who manages the project.
    let chosen = body(json!({"floating_ip_address": "192.0.2.99"}));
    a.post("/floatingips", chosen.clone()).await.refused(403, "PolicyNotAuthorized");
    by(&server, "a", &["manager", "member", "reader"]).post("/floatingips", chosen).await.expect(201);
    by(&server, "a", &["reader"]).post("/floatingips", body(json!({}))).await.refused(403, "PolicyNotAuthorized");
    // A floating IP that an administrator gave to a's port is not a's to take away.
    let given = a.post("/ports", json!({"port": {"network_id": place.inside}})).await.expect(201);
    place.floating_ip(&server, json!({"port_id": given["id"]})).await.expect(201);
    let given = format!("/ports/{}", of(&given));
    a.delete(&given).await.refused(409, "FipAssociated");
    let other = json!({"port": {"fixed_ips": [{"subnet_id": place.inside_subnet, "ip_address": "10.0.0.222"}]}});
    a.put(&given, other).await.refused(400, "BadRequest");
    assert_eq!(server.delete(&given).await.status, 204);
    check(&server).await;
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let port = place.port(&server, json!({})).await;
    let there = place.floating_ip(&server, json!({"port_id": port["id"], "description": "d"})).await.expect(201);
    let free = place.floating_ip(&server, json!({"floating_ip_address": "192.0.2.250"})).await.expect(201);
    server.put(&format!("/floatingips/{}/tags", of(&there)), json!({"tags": ["red"]})).await.expect(200);
    let router = id(&place.router);
    for (filter, count) in [
        (format!("port_id={}", of(&port)), 1),
        (format!("router_id={router}"), 1),
        (format!("fixed_ip_address={}", address(&port)), 1),
        ("floating_ip_address=192.0.2.250".to_owned(), 1),
        ("floating_ip_address=x".to_owned(), 0),
        (format!("floating_network_id={}", place.outside), 2),
        ("status=DOWN".to_owned(), 2),
        ("status=ACTIVE".to_owned(), 0),
        ("description=d".to_owned(), 1),
        ("tags=red".to_owned(), 1),
        ("not-tags=red".to_owned(), 1),
        ("revision_number=0".to_owned(), 1),
        (format!("id={}&id={}", of(&there), of(&free)), 2),
        (format!("project_id={PROJECT}"), 2),
    ] {
        server.get(&format!("/floatingips?{filter}")).await.expect_rows("floatingips", count);
    }
    for bad in ["port_details=x", "dns_name=x", "port_forwardings=x", "sort_key=port_id&sort_dir=asc", "subnet_id=x"] {
        server.get(&format!("/floatingips?{bad}")).await.refused(400, "HTTPBadRequest");
    }
    let sorted = server.get("/floatingips?sort_key=fixed_ip_address&sort_dir=desc&fields=id&fields=port_details").await.expect(200);
    assert_eq!((&sorted[0]["id"], &sorted[0]["port_details"]["status"]), (&there["id"], &json!("DOWN")));
    assert_eq!(sorted[1]["port_details"], json!(null));
}

#[tokio::test]
async fn dns_names_need_an_external_service() {
    let options =
        [("DEFAULT", "service_plugins", "router"), ("ml2", "extension_drivers", "dns"), ("DEFAULT", "dns_domain", "example.org.")];
    let server = Server::with(&options).await;
    let place = Place::new(&server, PROJECT).await;
    let made = place.floating_ip(&server, json!({"dns_name": "www", "dns_domain": "example.org."})).await.expect(201);
    assert_eq!((&made["dns_name"], &made["dns_domain"]), (&json!(""), &json!("")));
    place.floating_ip(&server, json!({"dns_name": "-"})).await.refused(400, "HTTPBadRequest");
}

#[tokio::test]
async fn a_distributed_router_serves_ports_of_virtual_bridges() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let direct = place.port(&server, json!({"binding:vnic_type": "direct"})).await;
    let made = place.floating_ip(&server, json!({"port_id": direct["id"]})).await.expect(201);
    change(&server, &made, json!({"port_id": null})).await.expect(200);
    server.put(&place.router, json!({"router": {"admin_state_up": false}})).await.expect(200);
    server.put(&place.router, json!({"router": {"distributed": true}})).await.expect(200);
    change(&server, &made, json!({"port_id": direct["id"]})).await.refused(400, "BadRequest");
    let normal = place.port(&server, json!({})).await;
    change(&server, &made, json!({"port_id": normal["id"]})).await.expect(200);
}

#[tokio::test]
async fn quotas_count_floating_ips() {
    let server = Server::with(&[("DEFAULT", "service_plugins", "router"), ("quotas", "quota_floatingip", "2")]).await;
    let (outside, _) = network(&server, json!({"router:external": true}), "192.0.2.0/24").await;
    let body = json!({"floatingip": {"floating_network_id": outside}});
    for status in [201, 201, 409] {
        assert_eq!(server.post("/floatingips", body.clone()).await.status, status);
    }
    server.post("/floatingips", body).await.refused(409, "OverQuota");
    check(&server).await;
}

#[tokio::test]
async fn pools_are_subnets_of_external_networks() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    subnet(&server, &place.outside, json!({"cidr": "2001:db8:2::/64"})).await;
    let (hidden, _) = network(&server, json!({"router:external": true}), "198.51.100.0/24").await;
    let pools = server.get("/floatingip_pools").await;
    pools.expect_rows("floatingip_pools", 2);
    server.get("/floatingip-pools").await.expect_rows("floatingip_pools", 2);
    let rules = server.get(&format!("/rbac-policies?object_id={hidden}")).await.expect(200);
    server.delete(&format!("/rbac-policies/{}", of(&rules[0]))).await;
    let b = by(&server, "b", MEMBER);
    let pools = b.get("/floatingip_pools").await.expect(200);
    let pool = json!([{"subnet_id": place.outside_subnet, "subnet_name": "", "network_id": place.outside, "cidr": "192.0.2.0/24",
        "project_id": "b", "tenant_id": "b"}]);
    assert_eq!(pools, pool);
    b.get("/floatingip_pools?subnet_id=x").await.refused(400, "HTTPBadRequest");
    b.post("/floatingip_pools", json!({"floatingip_pool": {}})).await.refused(405, "HTTPMethodNotAllowed");
    b.get(&format!("/floatingip_pools/{}", place.outside_subnet)).await.refused(405, "HTTPMethodNotAllowed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_share_no_address_and_no_port() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let port = place.port(&server, json!({})).await;
    // Of 12 that want the same port one gets it, and the others leave nothing behind.
    let answers = join_all((0..12).map(|_| place.floating_ip(&server, json!({"port_id": port["id"]})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.refused(409, "FloatingIPPortAlreadyAssociated");
    }
    let named = join_all((0..12).map(|_| place.floating_ip(&server, json!({"floating_ip_address": "192.0.2.50"})))).await;
    assert_eq!(named.iter().filter(|answer| answer.status == 201).count(), 1);
    let free = join_all((0..24).map(|_| place.floating_ip(&server, json!({})))).await;
    let free: Vec<Value> = free.into_iter().map(|answer| answer.expect(201)).collect();
    check(&server).await;
    // Free ones that all want one port.
    let other = place.port(&server, json!({})).await;
    let answers = join_all(free.iter().map(|one| change(&server, one, json!({"port_id": other["id"]})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    check(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_association_and_the_end_of_its_port() {
    let server = Server::full().await;
    let place = Place::new(&server, PROJECT).await;
    let made = place.floating_ip(&server, json!({})).await.expect(201);
    for _ in 0..10 {
        let port = place.port(&server, json!({})).await;
        let path = format!("/ports/{}", of(&port));
        let (changed, deleted) = futures::join!(change(&server, &made, json!({"port_id": port["id"]})), server.delete(&path));
        assert_eq!(deleted.status, 204, "{}", deleted.text);
        assert!([200, 404].contains(&changed.status), "{}", changed.text);
        check(&server).await;
    }
    // Two that delete it.
    let path = format!("/floatingips/{}", of(&made));
    let (one, other) = futures::join!(server.delete(&path), server.delete(&path));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 404]);
    check(&server).await;
}

#[tokio::test]
async fn interfaces_on_external_networks_lead_out_where_the_operator_says_so() {
    let plugins = ("DEFAULT", "service_plugins", "router");
    let closed = Server::with(&[plugins]).await;
    let server = Server::with(&[plugins, ("neutrino", "router_interface_fip", "true")]).await;
    for (server, leads) in [(&closed, false), (&server, true)] {
        assert_eq!(server.get("/extensions/router-interface-fip").await.status == 200, leads);
        let (inside, inside_subnet) = network(server, json!({}), "10.0.0.0/24").await;
        let (outside, outside_subnet) = network(server, json!({"router:external": true}), "192.0.2.0/24").await;
        let path = router(server, json!({})).await;
        let plug =
            async |verb: &str, subnet: &str| server.put(&format!("{path}/{verb}_router_interface"), json!({"subnet_id": subnet})).await;
        plug("add", &inside_subnet).await.expect(200);
        plug("add", &outside_subnet).await.expect(200);
        let port = server.post("/ports", json!({"port": {"network_id": inside}})).await.expect(201);
        let made = server.post("/floatingips", json!({"floatingip": {"floating_network_id": outside}})).await.expect(201);
        let changed = change(server, &made, json!({"port_id": port["id"]})).await;
        if !leads {
            changed.refused(404, "ExternalGatewayForFloatingIPNotFound");
            continue;
        }
        assert_eq!(changed.expect(200)["router_id"], id(&path));
        // A port of the external network itself is not reached through its own interface.
        let port = server.post("/ports", json!({"port": {"network_id": outside}})).await.expect(201);
        let other = server.post("/floatingips", json!({"floatingip": {"floating_network_id": outside}})).await.expect(201);
        change(server, &other, json!({"port_id": port["id"]})).await.refused(404, "ExternalGatewayForFloatingIPNotFound");
        plug("remove", &outside_subnet).await.refused(409, "RouterInterfaceInUseAsGatewayByFloatingIP");
        plug("remove", &inside_subnet).await.refused(409, "RouterInterfaceInUseByFloatingIP");
        check(server).await;
        change(server, &made, json!({"port_id": null})).await.expect(200);
        plug("remove", &outside_subnet).await.expect(200);
        plug("remove", &inside_subnet).await.expect(200);
        check(server).await;
    }
}
