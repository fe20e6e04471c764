// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/floatingips/{id}/port_forwardings`.

use futures::future::join_all;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

use crate::floatingips::{Place, address, check};
use crate::policy::by;
use crate::routers::{MEMBER, id, network, subnet};

fn of(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// A floating IP without a port, a port inside, and the path of the forwardings between them.
pub struct Forwarded {
    pub place: Place,
    pub floating_ip: Value,
    pub port: Value,
    pub path: String,
}

impl Forwarded {
    pub async fn new(server: &Server, project: &str) -> Self {
        let place = Place::new(server, project).await;
        let floating_ip = place.floating_ip(server, json!({"project_id": project})).await.expect(201);
        let port = place.port(server, json!({"project_id": project})).await;
        let path = format!("/floatingips/{}/port_forwardings", of(&floating_ip));
        Self { place, floating_ip, port, path }
    }

    /// TCP to the port inside, with these attributes on top.
    pub fn body(&self, more: Value) -> Value {
        let mut body = json!({"protocol": "tcp", "internal_port_id": self.port["id"], "internal_ip_address": address(&self.port)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "port_forwarding": body })
    }

    pub async fn add(&self, server: &Server, more: Value) -> Answer {
        server.post(&self.path, self.body(more)).await
    }

    async fn change(&self, server: &Server, forwarding: &Value, attributes: Value) -> Answer {
        server.put(&format!("{}/{}", self.path, of(forwarding)), json!({ "port_forwarding": attributes })).await
    }

    async fn floating_ip(&self, server: &Server) -> Value {
        server.get(&format!("/floatingips/{}", of(&self.floating_ip))).await.expect(200)
    }
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let made = f.add(&server, json!({"external_port": 2222, "internal_port": 22, "description": "d"})).await.expect(201);
    let is = json!({"id": made["id"], "external_port": 2222, "external_port_range": "2222:2222", "internal_port": 22,
        "internal_port_range": "22:22", "protocol": "tcp", "internal_port_id": f.port["id"], "internal_ip_address": address(&f.port),
        "description": "d"});
    assert_eq!(made, is);
    let path = format!("{}/{}", f.path, of(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    assert_eq!(server.get(&f.path).await.expect(200), json!([made]));
    let whole = f.floating_ip(&server).await;
    assert_eq!((&whole["router_id"], &whole["port_id"]), (&json!(id(&f.place.router)), &json!(null)));
    let short = json!([{"id": made["id"], "protocol": "tcp", "internal_ip_address": address(&f.port), "internal_port_id": f.port["id"],
        "internal_port": 22, "external_port": 2222}]);
    assert_eq!((&whole["port_forwardings"], &whole["revision_number"]), (&short, &json!(1)));
    let port = server.get(&format!("/ports/{}", of(&f.port))).await.expect(200);
    assert_eq!(port["revision_number"].as_i64(), f.port["revision_number"].as_i64().map(|n| n + 1));
    let changed = f.change(&server, &made, json!({"external_port": 2200, "description": "e"})).await.expect(200);
    assert_eq!((&changed["external_port_range"], &changed["description"]), (&json!("2200:2200"), &json!("e")));
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "PortForwardingNotFound");
    let free = f.floating_ip(&server).await;
    assert_eq!((&free["router_id"], &free["port_forwardings"]), (&json!(null), &json!([])));
}

#[tokio::test]
async fn ports_and_ranges() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    for (body, external, internal) in [
        (json!({"external_port_range": "3000:3010", "internal_port_range": "4000:4010"}), "3000:3010", "4000:4010"),
        (json!({"external_port_range": "3100:3110", "internal_port_range": "4100"}), "3100:3110", "4100:4100"),
        (json!({"external_port_range": "3200:3210", "internal_port": 4200}), "3200:3210", "4200:4200"),
        (json!({"external_port": 3300, "external_port_range": "1:2", "internal_port": "4300"}), "3300:3300", "4300:4300"),
        (json!({"external_port": 2222, "internal_port": 22, "protocol": "udp"}), "2222:2222", "22:22"),
        (json!({"external_port": 2222, "internal_port": 22}), "2222:2222", "22:22"),
    ] {
        let made = f.add(&server, body).await.expect(201);
        assert_eq!((&made["external_port_range"], &made["internal_port_range"]), (&json!(external), &json!(internal)), "{made}");
    }
    let range = server.get(&format!("{}?external_port_range=3000:3010", f.path)).await.expect(200);
    assert_eq!((&range[0]["external_port"], &range[0]["internal_port"]), (&json!(null), &json!(null)));
    let shown = f.floating_ip(&server).await["port_forwardings"].clone();
    assert!(shown.as_array().unwrap().iter().any(|one| one.get("external_port").is_none() && one.get("internal_port").is_none()));
    for body in [
        // As many inside as outside, or one.
        json!({"external_port_range": "3400:3410", "internal_port_range": "4400:4405"}),
        json!({"external_port": 3400, "internal_port_range": "4400:4405"}),
        // A port and a range that do not say the same.
        json!({"external_port": 3400, "internal_port": 3400, "internal_port_range": "3401:3401"}),
        // Taken.
        json!({"external_port": 2222, "internal_port": 23}),
        json!({"external_port": 2223, "internal_port": 22}),
        json!({"external_port_range": "3005:3015", "internal_port_range": "4500:4510"}),
        json!({"external_port_range": "3505:3515", "internal_port_range": "4005:4015"}),
        json!({"external_port_range": "2990:3100", "internal_port": 4600}),
        // No port at one side.
        json!({}),
        json!({"external_port": 9}),
        json!({"internal_port": 9}),
        json!({"external_port_range": "9:10"}),
    ] {
        f.add(&server, body).await.refused(400, "BadRequest");
    }
    for (body, kind) in [
        (json!({"external_port": 0, "internal_port": 9}), "HTTPBadRequest"),
        (json!({"external_port": 65536, "internal_port": 9}), "HTTPBadRequest"),
        (json!({"external_port_range": "9:8", "internal_port_range": "9:8"}), "HTTPBadRequest"),
        (json!({"external_port_range": "0:8", "internal_port_range": "0:8"}), "HTTPBadRequest"),
        (json!({"external_port_range": "x", "internal_port_range": "x"}), "HTTPBadRequest"),
        (json!({"external_port": 9, "internal_port": 9, "protocol": "17"}), "HTTPBadRequest"),
        (json!({"external_port": 9, "internal_port": 9, "protocol": null}), "HTTPBadRequest"),
        (json!({"external_port": 9, "internal_port": 9, "protocol": "esp"}), "InvalidInput"),
        (json!({"external_port": 9, "internal_port": 9, "description": "x".repeat(256)}), "HTTPBadRequest"),
        (json!({"external_port": 9, "internal_port": 9, "external_port_start": 9}), "HTTPBadRequest"),
    ] {
        f.add(&server, body).await.refused(400, kind);
    }
    server.get(&f.path).await.expect_rows("port_forwardings", 6);
}

#[tokio::test]
async fn the_port_inside() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let v6 = subnet(&server, &f.place.inside, json!({"cidr": "2001:db8:1::/64"})).await;
    let six = f.place.port(&server, json!({"fixed_ips": [{"subnet_id": v6}]})).await;
    let (apart, _) = network(&server, json!({}), "10.1.0.0/24").await;
    let far = server.post("/ports", json!({"port": {"network_id": apart}})).await.expect(201);
    let ports = json!({"external_port": 9, "internal_port": 9});
    let with = |more: Value| {
        let mut body = ports.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, status, kind) in [
        (with(json!({"internal_ip_address": "10.0.0.250"})), 400, "BadRequest"),
        (with(json!({"internal_ip_address": "2001:db8:1::9"})), 400, "BadRequest"),
        (with(json!({"internal_ip_address": "x"})), 400, "HTTPBadRequest"),
        (with(json!({"internal_port_id": six["id"], "internal_ip_address": address(&six)})), 400, "BadRequest"),
        (with(json!({"internal_port_id": far["id"], "internal_ip_address": address(&far)})), 400, "BadRequest"),
        (with(json!({"internal_port_id": "11111111-1111-4111-8111-111111111111"})), 404, "PortNotFound"),
    ] {
        f.add(&server, body).await.refused(status, kind);
    }
    // A second port behind the same router, and one behind another.
    let second = f.place.port(&server, json!({})).await;
    let made = f.add(&server, with(json!({"internal_port_id": second["id"], "internal_ip_address": address(&second)}))).await.expect(201);
    let (elsewhere, there) = network(&server, json!({}), "10.2.0.0/24").await;
    let other = crate::routers::router(&server, json!({"external_gateway_info": {"network_id": f.place.outside}})).await;
    server.put(&format!("{other}/add_router_interface"), json!({"subnet_id": there})).await.expect(200);
    let behind = server.post("/ports", json!({"port": {"network_id": elsewhere}})).await.expect(201);
    let body = json!({"external_port": 10, "internal_port": 9, "internal_port_id": behind["id"], "internal_ip_address": address(&behind)});
    f.add(&server, body).await.refused(400, "BadRequest");
    // A change of the port alone means its first address.
    let moved = f.change(&server, &made, json!({"internal_port_id": f.port["id"]})).await.expect(200);
    assert_eq!((&moved["internal_port_id"], moved["internal_ip_address"].as_str()), (&f.port["id"], Some(address(&f.port))));
    let body = json!({"internal_port_id": behind["id"], "internal_ip_address": address(&behind)});
    f.change(&server, &made, body).await.refused(400, "BadRequest");
    f.change(&server, &made, json!({"internal_ip_address": "10.0.0.250"})).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn an_update_is_checked_as_a_create() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let made = f.add(&server, json!({"external_port": 1, "internal_port": 1})).await.expect(201);
    f.add(&server, json!({"external_port": 2, "internal_port": 2})).await.expect(201);
    f.add(&server, json!({"external_port": 1, "internal_port": 1, "protocol": "udp"})).await.expect(201);
    for bad in [
        json!({"external_port": 2}),
        json!({"internal_port": 2}),
        json!({"external_port_range": "2:5"}),
        json!({"internal_port_range": "7:9"}),
        json!({"protocol": "udp"}),
    ] {
        f.change(&server, &made, bad).await.refused(400, "BadRequest");
    }
    for nothing in [json!({}), json!({"external_port": null}), json!({"external_port": 1}), json!({"internal_port_range": null})] {
        assert_eq!(f.change(&server, &made, nothing).await.expect(200), made);
    }
    let ranged = f.change(&server, &made, json!({"external_port_range": "10:12", "internal_port_range": "20:22"})).await.expect(200);
    assert_eq!((&ranged["external_port"], &ranged["internal_port_range"]), (&json!(null), &json!("20:22")));
    let single = f.change(&server, &made, json!({"internal_port": 30})).await.expect(200);
    assert_eq!((&single["external_port_range"], &single["internal_port"]), (&json!("10:12"), &json!(30)));
    f.change(&server, &made, json!({"floatingip_id": f.floating_ip["id"]})).await.refused(400, "HTTPBadRequest");
}

#[tokio::test]
async fn a_floating_ip_leads_to_a_port_or_has_forwardings() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let made = f.add(&server, json!({"external_port": 1, "internal_port": 1})).await.expect(201);
    let path = format!("/floatingips/{}", of(&f.floating_ip));
    let other = f.place.port(&server, json!({})).await;
    let associate = json!({"floatingip": {"port_id": other["id"]}});
    server.put(&path, associate.clone()).await.refused(409, "FipInUseByPortForwarding");
    server.delete(&path).await.refused(409, "FipInUseByPortForwarding");
    for body in [json!({"description": "x"}), json!({"port_id": null}), json!({}), json!({"router_id": null})] {
        let kept = server.put(&path, json!({ "floatingip": body })).await.expect(200);
        assert_eq!(kept["router_id"], id(&f.place.router));
    }
    let unplug = format!("{}/remove_router_interface", f.place.router);
    server.put(&unplug, json!({"subnet_id": f.place.inside_subnet})).await.refused(409, "RouterInterfaceInUseByFloatingIP");
    let clear = json!({"router": {"external_gateway_info": {}}});
    server.put(&f.place.router, clear).await.refused(409, "RouterExternalGatewayInUseByFloatingIp");
    // A port with a floating IP of its own gets no forwarding, and a floating IP with a port gives none.
    let whole = f.place.floating_ip(&server, json!({"port_id": other["id"]})).await.expect(201);
    let to_other = json!({"external_port": 2, "internal_port": 2, "internal_port_id": other["id"], "internal_ip_address": address(&other)});
    f.add(&server, to_other.clone()).await.refused(409, "PortHasBindingFloatingIP");
    f.change(&server, &made, json!({"internal_port_id": other["id"]})).await.refused(409, "PortHasBindingFloatingIP");
    let there = format!("/floatingips/{}/port_forwardings", of(&whole));
    let body = f.body(json!({"external_port": 2, "internal_port": 2}));
    server.post(&there, body).await.refused(409, "FloatingIPPortAlreadyAssociated");
    assert_eq!(server.delete(&format!("{}/{}", f.path, of(&made))).await.status, 204);
    server.put(&format!("/floatingips/{}", of(&whole)), json!({"floatingip": {"port_id": null}})).await.expect(200);
    server.put(&path, associate).await.expect(200);
}

#[tokio::test]
async fn a_distributed_router_does_not_mix_them() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    f.add(&server, json!({"external_port": 1, "internal_port": 1})).await.expect(201);
    let free = f.place.floating_ip(&server, json!({"port_id": f.port["id"]})).await.expect(201);
    let free = format!("/floatingips/{}", of(&free));
    server.put(&free, json!({"floatingip": {"port_id": null}})).await.expect(200);
    server.put(&f.place.router, json!({"router": {"admin_state_up": false}})).await.expect(200);
    server.put(&f.place.router, json!({"router": {"distributed": true}})).await.expect(200);
    server.put(&free, json!({"floatingip": {"port_id": f.port["id"]}})).await.refused(400, "PortHasPortForwarding");
    f.place.floating_ip(&server, json!({"port_id": f.port["id"]})).await.refused(400, "PortHasPortForwarding");
}

#[tokio::test]
async fn an_address_that_goes_takes_its_forwardings_along() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let second = f.place.port(&server, json!({})).await;
    for n in 1..4 {
        f.add(&server, json!({"external_port": n, "internal_port": n})).await.expect(201);
    }
    let to_second =
        json!({"external_port": 9, "internal_port": 9, "internal_port_id": second["id"], "internal_ip_address": address(&second)});
    f.add(&server, to_second).await.expect(201);
    let body = json!({"port": {"fixed_ips": [{"subnet_id": f.place.inside_subnet, "ip_address": "10.0.0.240"}]}});
    server.put(&format!("/ports/{}", of(&f.port)), body).await.expect(200);
    server.get(&f.path).await.expect_rows("port_forwardings", 1);
    assert_eq!(f.floating_ip(&server).await["router_id"], id(&f.place.router));
    assert_eq!(server.delete(&format!("/ports/{}", of(&second))).await.status, 204);
    server.get(&f.path).await.expect_rows("port_forwardings", 0);
    assert_eq!(f.floating_ip(&server).await["router_id"], json!(null));
    check(&server).await;
    let orphans = "SELECT count(*) FROM standardattributes WHERE resource_type = 'port_forwardings'";
    assert_eq!(server.count(orphans).await, 0);
}

#[tokio::test]
async fn lists_bulk_and_others() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, "a").await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let one = f.body(json!({"external_port": 5, "internal_port": 5, "description": "d"}))["port_forwarding"].clone();
    let mut other = one.clone();
    (other["external_port"], other["internal_port"]) = (json!(3), json!(3));
    let twice = json!({"port_forwardings": [one, one]});
    a.post(&f.path, twice).await.refused(400, "BadRequest");
    a.get(&f.path).await.expect_rows("port_forwardings", 0);
    a.post(&f.path, json!({"port_forwardings": [one, other]})).await.expect(201);
    for (filter, count) in
        [("external_port=5", 1), ("external_port_range=3", 1), ("external_port_range=x", 0), ("protocol=tcp", 2), ("description=d", 2)]
    {
        a.get(&format!("{}?{filter}", f.path)).await.expect_rows("port_forwardings", count);
    }
    for sort in ["external_port", "external_port_range"] {
        let sorted = a.get(&format!("{}?sort_key={sort}&sort_dir=asc&limit=1", f.path)).await;
        sorted.expect_rows("port_forwardings", 1);
        assert_eq!(sorted.body["port_forwardings"][0]["external_port"], 3);
        let next = sorted.body["port_forwardings"][0]["id"].as_str().unwrap();
        let next = a.get(&format!("{}?sort_key={sort}&sort_dir=asc&limit=1&marker={next}", f.path)).await;
        assert_eq!(next.body["port_forwardings"][0]["external_port"], 5, "{}", next.text);
    }
    a.get(&format!("{}?internal_port=5", f.path)).await.refused(400, "HTTPBadRequest");
    b.get(&f.path).await.refused(404, "FloatingIPNotFound");
    b.post(&f.path, f.body(json!({"external_port": 7, "internal_port": 7}))).await.refused(403, "PolicyNotAuthorized");
    let reader = by(&server, "a", &["reader"]);
    reader.get(&f.path).await.expect_rows("port_forwardings", 2);
    reader.post(&f.path, f.body(json!({"external_port": 7, "internal_port": 7}))).await.refused(403, "PolicyNotAuthorized");
    let nowhere = "/floatingips/11111111-1111-4111-8111-111111111111/port_forwardings";
    server.post(nowhere, f.body(json!({"external_port": 7, "internal_port": 7}))).await.refused(404, "FloatingIPNotFound");
}

#[tokio::test]
async fn a_list_takes_a_constant_number_of_statements() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let mut counts = Vec::new();
    for n in 1..=30 {
        let start = server.statements();
        f.add(&server, json!({"external_port": n, "internal_port": n})).await.expect(201);
        let create = server.statements() - start;
        if n == 2 || n == 30 {
            let start = server.statements();
            server.get(&f.path).await.expect(200);
            let list = server.statements() - start;
            let start = server.statements();
            server.get("/floatingips").await.expect(200);
            counts.push((create, list, server.statements() - start));
        }
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once() {
    let server = Server::full().await;
    let f = Forwarded::new(&server, PROJECT).await;
    let same = join_all((0..12).map(|_| f.add(&server, json!({"external_port": 1, "internal_port": 1})))).await;
    assert_eq!(same.iter().filter(|answer| answer.status == 201).count(), 1);
    // Overlapping ranges: no key of the table knows them.
    let ranges = (0..12).map(|n| {
        let range = format!("{}:{}", 100 + n, 120 + n);
        f.add(&server, json!({"external_port_range": range, "internal_port": 1000 + n}))
    });
    assert_eq!(join_all(ranges).await.iter().filter(|answer| answer.status == 201).count(), 1);
    // Forwardings of a floating IP, and its association with a port.
    for n in 0..8 {
        let free = f.place.floating_ip(&server, json!({})).await.expect(201);
        let other = f.place.port(&server, json!({})).await;
        let path = format!("/floatingips/{}", of(&free));
        let forwards = format!("{path}/port_forwardings");
        let (one, two) = futures::join!(
            server.post(&forwards, f.body(json!({"external_port": 2, "internal_port": 2000 + n}))),
            server.put(&path, json!({"floatingip": {"port_id": other["id"]}}))
        );
        assert_eq!([one.status, two.status].iter().filter(|status| **status < 300).count(), 1, "{} {}", one.text, two.text);
    }
    check(&server).await;
}
