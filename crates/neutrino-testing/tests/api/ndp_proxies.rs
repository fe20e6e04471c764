// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/ndp_proxies`, and `enable_ndp_proxy` of routers.

use futures::future::join_all;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

use crate::policy::by;
use crate::routers::{MEMBER, id, network, router};

fn of(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// Networks of one IPv6 address scope, outside and inside of a router that is a proxy.
pub struct Scoped {
    pub pool: String,
    pub outside: String,
    pub outside_v4: String,
    pub inside: String,
    pub inside_v6: String,
    /// Its path.
    pub router: String,
}

async fn pool(server: &Server, prefix: &str) -> String {
    let scope = json!({"address_scope": {"name": "s", "ip_version": 6, "shared": true}});
    let scope = server.post("/address-scopes", scope).await.expect(201);
    let pool = json!({"name": "p", "prefixes": [prefix], "default_prefixlen": 64, "address_scope_id": scope["id"], "shared": true});
    of(&server.post("/subnetpools", json!({ "subnetpool": pool })).await.expect(201)).to_owned()
}

async fn subnet_of(server: &Server, network: &str, pool: &str) -> String {
    let subnet = json!({"network_id": network, "ip_version": 6, "subnetpool_id": pool});
    of(&server.post("/subnets", json!({ "subnet": subnet })).await.expect(201)).to_owned()
}

impl Scoped {
    pub async fn new(server: &Server, project: &str) -> Self {
        let pool = pool(server, "2001:db8:a::/48").await;
        let (outside, outside_v4) = network(server, json!({"router:external": true}), "192.0.2.0/24").await;
        subnet_of(server, &outside, &pool).await;
        let (inside, _) = network(server, json!({"project_id": project}), "10.0.0.0/24").await;
        let inside_v6 = subnet_of(server, &inside, &pool).await;
        let gateway = json!({"project_id": project, "enable_ndp_proxy": true, "external_gateway_info": {"network_id": outside}});
        let router = router(server, gateway).await;
        server.put(&format!("{router}/add_router_interface"), json!({"subnet_id": inside_v6})).await.expect(200);
        Self { pool, outside, outside_v4, inside, inside_v6, router }
    }

    pub async fn port(&self, server: &Server, project: &str) -> Value {
        let port = json!({"network_id": self.inside, "project_id": project, "fixed_ips": [{"subnet_id": self.inside_v6}]});
        server.post("/ports", json!({ "port": port })).await.expect(201)
    }

    /// What a create names.
    pub fn body(&self, port: &Value) -> Value {
        json!({"router_id": id(&self.router), "port_id": port["id"]})
    }
}

async fn create(server: &Server, body: Value) -> Answer {
    server.post("/ndp_proxies", json!({ "ndp_proxy": body })).await
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::full().await;
    let place = Scoped::new(&server, PROJECT).await;
    let port = place.port(&server, PROJECT).await;
    let mut body = place.body(&port);
    (body["name"], body["description"]) = (json!("n"), json!("d"));
    let made = create(&server, body.clone()).await.expect(201);
    for (name, value) in [
        ("name", &json!("n")),
        ("description", &json!("d")),
        ("router_id", &json!(id(&place.router))),
        ("port_id", &port["id"]),
        ("ip_address", &port["fixed_ips"][0]["ip_address"]),
        ("project_id", &json!(PROJECT)),
        ("revision_number", &json!(0)),
    ] {
        assert_eq!(made[name], *value, "{name}: {made}");
    }
    create(&server, body).await.refused(409, "NeutronDbObjectDuplicateEntry");
    let path = format!("/ndp_proxies/{}", of(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    assert_eq!(server.get(&format!("/ndp-proxies/{}", of(&made))).await.expect(200), made);
    let changed = server.put(&path, json!({"ndp_proxy": {"name": "m"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["revision_number"]), (&json!("m"), &json!(1)));
    server.put(&path, json!({"ndp_proxy": {"ip_address": "2001:db8::1"}})).await.refused(400, "HTTPBadRequest");
    for (filter, count) in [("name=m", 1), ("description=d", 1), ("name=n", 0), ("sort_key=ip_address&sort_dir=asc", 1)] {
        server.get(&format!("/ndp_proxies?{filter}")).await.expect_rows("ndp_proxies", count);
    }
    for bad in ["router_id=x", "port_id=x", "ip_address=x", "project_id=x"] {
        server.get(&format!("/ndp_proxies?{bad}")).await.refused(400, "HTTPBadRequest");
    }
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "NDPProxyNotFound");
}

#[tokio::test]
async fn only_what_the_router_reaches() {
    let server = Server::full().await;
    let place = Scoped::new(&server, PROJECT).await;
    let port = place.port(&server, PROJECT).await;
    let with = |more: Value| {
        let mut body = place.body(&port);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let nobody = "11111111-1111-4111-8111-111111111111";
    let v4 = json!({"network_id": place.inside, "fixed_ips": [{"ip_address": "10.0.0.77"}]});
    let v4 = server.post("/ports", json!({ "port": v4 })).await.expect(201);
    let (far, _) = network(&server, json!({}), "10.1.0.0/24").await;
    let far = server.post("/ports", json!({"port": {"network_id": far}})).await.expect(201);
    // A subnet of another scope behind the same router; one that the router is not plugged into.
    let (other, _) = network(&server, json!({}), "10.2.0.0/24").await;
    let there = subnet_of(&server, &other, &pool(&server, "2001:db8:b::/48").await).await;
    server.put(&format!("{}/add_router_interface", place.router), json!({"subnet_id": there})).await.expect(200);
    let foreign = server.post("/ports", json!({"port": {"network_id": other}})).await.expect(201);
    let unplugged = subnet_of(&server, &place.inside, &place.pool).await;
    let beyond = json!({"network_id": place.inside, "fixed_ips": [{"subnet_id": unplugged}]});
    let beyond = server.post("/ports", json!({ "port": beyond })).await.expect(201);
    for (more, status, kind) in [
        (json!({"port_id": nobody}), 404, "PortNotFound"),
        (json!({"router_id": nobody}), 409, "PortUnreachableRouter"),
        (json!({"port_id": far["id"]}), 409, "PortUnreachableRouter"),
        (json!({"port_id": beyond["id"]}), 409, "PortUnreachableRouter"),
        (json!({"port_id": beyond["id"], "ip_address": beyond["fixed_ips"][0]["ip_address"]}), 400, "InvalidAddress"),
        (json!({"port_id": foreign["id"]}), 409, "AddressScopeConflict"),
        (json!({"port_id": v4["id"]}), 400, "BadRequest"),
        (json!({"ip_address": "2001:db8:a::77"}), 400, "InvalidAddress"),
        (json!({"ip_address": "10.0.0.77"}), 400, "InvalidAddress"),
        (json!({"ip_address": "x"}), 400, "HTTPBadRequest"),
    ] {
        create(&server, with(more)).await.refused(status, kind);
    }
    server.put(&place.router, json!({"router": {"enable_ndp_proxy": false}})).await.expect(200);
    create(&server, with(json!({}))).await.refused(409, "RouterNDPProxyNotEnable");
    assert_eq!(server.count("SELECT count(*) FROM ndp_proxies").await, 0);
}

#[tokio::test]
async fn which_routers_are_proxies() {
    let server = Server::full().await;
    let place = Scoped::new(&server, PROJECT).await;
    let (plain, _) = network(&server, json!({"router:external": true}), "2001:db8:c::/64").await;
    let make = async |body: Value| server.post("/routers", json!({ "router": body })).await;
    make(json!({"enable_ndp_proxy": true})).await.refused(409, "RouterGatewayNotValid");
    let body = json!({"enable_ndp_proxy": true, "external_gateway_info": {"network_id": plain}});
    make(body).await.refused(409, "RouterGatewayNotValid");
    for body in [
        json!({}),
        json!({"enable_ndp_proxy": false}),
        json!({"enable_ndp_proxy": null}),
        json!({"external_gateway_info": {"network_id": place.outside}}),
        json!({"enable_ndp_proxy": false, "external_gateway_info": {"network_id": place.outside}}),
    ] {
        assert_eq!(make(body.clone()).await.expect(201)["enable_ndp_proxy"], false, "{body}");
    }
    server.get("/routers?enable_ndp_proxy=True").await.expect_rows("routers", 1);
    let path = &place.router;
    let change = async |body: Value| server.put(path, json!({ "router": body })).await;
    let is = async || server.get(path).await.expect(200)["enable_ndp_proxy"].clone();
    change(json!({"enable_ndp_proxy": false})).await.expect(200);
    // A change of something else leaves it.
    change(json!({"name": "r"})).await.expect(200);
    assert_eq!(is().await, false);
    assert_eq!(change(json!({"enable_ndp_proxy": true})).await.expect(200)["enable_ndp_proxy"], true);
    let v4_only = json!({"external_gateway_info": {"network_id": place.outside, "external_fixed_ips": [{"subnet_id": place.outside_v4}]}});
    change(v4_only).await.refused(409, "RouterIPv6GatewayInUse");
    change(json!({"external_gateway_info": {}, "enable_ndp_proxy": true})).await.refused(409, "RouterGatewayNotValid");
    assert_eq!(change(json!({"external_gateway_info": {}})).await.expect(200)["enable_ndp_proxy"], false);
    change(json!({"enable_ndp_proxy": true})).await.refused(409, "RouterGatewayNotValid");
    let gateway = json!({"network_id": place.outside});
    assert_eq!(change(json!({"external_gateway_info": gateway})).await.expect(200)["enable_ndp_proxy"], false);
    assert_eq!(change(json!({"external_gateway_info": gateway, "enable_ndp_proxy": true})).await.expect(200)["enable_ndp_proxy"], true);
    let by_default = [("DEFAULT", "service_plugins", "router,ndp_proxy"), ("DEFAULT", "enable_ndp_proxy_by_default", "true")];
    let server = Server::with(&by_default).await;
    let place = Scoped::new(&server, PROJECT).await;
    let body = json!({"router": {"external_gateway_info": {"network_id": place.outside}}});
    assert_eq!(server.post("/routers", body).await.expect(201)["enable_ndp_proxy"], true);
}

#[tokio::test]
async fn what_proxies_need_stays() {
    let server = Server::full().await;
    let place = Scoped::new(&server, PROJECT).await;
    let port = place.port(&server, PROJECT).await;
    let made = create(&server, place.body(&port)).await.expect(201);
    let path = format!("/ndp_proxies/{}", of(&made));
    let unplug = format!("{}/remove_router_interface", place.router);
    server.put(&unplug, json!({"subnet_id": place.inside_v6})).await.refused(409, "RouterInterfaceInUseByNDPProxy");
    let clear = json!({"router": {"external_gateway_info": {}}});
    server.put(&place.router, clear.clone()).await.refused(409, "RouterGatewayInUseByNDPProxy");
    // A second subnet on the interface, which may go.
    let second = subnet_of(&server, &place.inside, &place.pool).await;
    server.put(&format!("{}/add_router_interface", place.router), json!({"subnet_id": second})).await.expect(200);
    server.put(&unplug, json!({"subnet_id": place.inside_v6})).await.refused(409, "RouterInterfaceInUseByNDPProxy");
    server.put(&unplug, json!({"subnet_id": second})).await.expect(200);
    // The address goes, and the proxy with it.
    let moved = json!({"port": {"fixed_ips": [{"subnet_id": place.inside_v6, "ip_address": port["fixed_ips"][0]["ip_address"]}]}});
    server.put(&format!("/ports/{}", of(&port)), moved).await.expect(200);
    server.get(&path).await.expect(200);
    let other = json!({"port": {"fixed_ips": [{"ip_address": "10.0.0.9"}]}});
    server.put(&format!("/ports/{}", of(&port)), other).await.expect(200);
    server.get(&path).await.refused(404, "NDPProxyNotFound");
    let port = place.port(&server, PROJECT).await;
    create(&server, place.body(&port)).await.expect(201);
    assert_eq!(server.delete(&format!("/ports/{}", of(&port))).await.status, 204);
    server.get("/ndp_proxies").await.expect_rows("ndp_proxies", 0);
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'ndp_proxies'").await, 0);
    server.put(&unplug, json!({"subnet_id": place.inside_v6})).await.expect(200);
    server.put(&place.router, clear).await.expect(200);
    assert_eq!(server.delete(&place.router).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM router_ndp_proxy_state").await, 0);
}

#[tokio::test]
async fn others_and_many() {
    let server = Server::full().await;
    let place = Scoped::new(&server, "a").await;
    let port = place.port(&server, "a").await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let body = json!({"ndp_proxy": place.body(&port)});
    by(&server, "a", &["reader"]).post("/ndp_proxies", body.clone()).await.refused(403, "PolicyNotAuthorized");
    b.post("/ndp_proxies", body.clone()).await.refused(404, "PortNotFound");
    let made = a.post("/ndp_proxies", body.clone()).await.expect(201);
    let path = format!("/ndp_proxies/{}", of(&made));
    b.get(&path).await.refused(404, "NDPProxyNotFound");
    b.put(&path, json!({"ndp_proxy": {"name": "x"}})).await.refused(404, "NDPProxyNotFound");
    b.delete(&path).await.refused(404, "NDPProxyNotFound");
    b.get("/ndp_proxies").await.expect_rows("ndp_proxies", 0);
    assert_eq!(a.delete(&path).await.status, 204);
    let answers = join_all((0..8).map(|_| a.post("/ndp_proxies", body.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let bulk = json!({"ndp_proxys": [place.body(&port)]});
    a.post("/ndp_proxies", bulk).await.refused(400, "HTTPBadRequest");
}
