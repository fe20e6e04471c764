// SPDX-License-Identifier: Apache-2.0
//! `flavors`, `service_profiles`, `service_providers`, and flavors of routers.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::policy::by;

const SINGLE: &str = "neutron.services.l3_router.service_providers.single_node.SingleNodeDriver";
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap().to_owned()
}

async fn flavor(server: &Server) -> Value {
    server.post("/flavors", json!({"flavor": {"name": "f", "service_type": "L3_ROUTER_NAT"}})).await.expect(201)
}

async fn profile(server: &Server, body: Value) -> Value {
    server.post("/service_profiles", json!({ "service_profile": body })).await.expect(201)
}

async fn give(server: &Server, flavor: &Value, profile: &Value) {
    let path = format!("/flavors/{}/service_profiles", id(flavor));
    assert_eq!(server.post(&path, json!({"service_profile": {"id": profile["id"]}})).await.expect(201), json!({"id": profile["id"]}));
}

#[tokio::test]
async fn a_flavor_is_of_a_service_that_is_on() {
    let server = Server::full().await;
    let made = flavor(&server).await;
    assert_eq!((&made["enabled"], &made["service_profiles"], &made["description"]), (&json!(true), &json!([]), &json!("")));
    for unknown in ["nope", "VPN", ""] {
        let body = json!({"flavor": {"name": "f", "service_type": unknown}});
        server.post("/flavors", body).await.refused(400, "InvalidServiceType");
    }
    let path = format!("/flavors/{}", id(&made));
    server.put(&path, json!({"flavor": {"service_type": "QOS"}})).await.refused(400, "HTTPBadRequest");
    let changed = server.put(&path, json!({"flavor": {"enabled": false, "description": "d"}})).await.expect(200);
    assert_eq!((&changed["enabled"], &changed["description"]), (&json!(false), &json!("d")));
    server.put(&path, json!({"flavor": {"enabled": null}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "FlavorNotFound");
    let without = Server::start().await;
    let body = json!({"flavor": {"name": "f", "service_type": "L3_ROUTER_NAT"}});
    without.post("/flavors", body).await.refused(400, "InvalidServiceType");
}

#[tokio::test]
async fn a_profile_has_a_driver_that_is_there_or_metadata() {
    let server = Server::full().await;
    let post = async |body: Value| server.post("/service_profiles", json!({ "service_profile": body })).await;
    post(json!({})).await.refused(400, "ServiceProfileEmpty");
    post(json!({"driver": "nope"})).await.refused(404, "ServiceProfileDriverNotFound");
    post(json!({"metainfo": 5})).await.refused(400, "HTTPBadRequest");
    post(json!({"metainfo": "x".repeat(4097)})).await.refused(400, "HTTPBadRequest");
    let made = post(json!({"driver": SINGLE})).await.expect(201);
    assert_eq!((&made["driver"], &made["metainfo"]), (&json!(SINGLE), &json!("")));
    let path = format!("/service_profiles/{}", id(&made));
    server.put(&path, json!({"service_profile": {"driver": "nope"}})).await.refused(404, "ServiceProfileDriverNotFound");
    server.put(&path, json!({"service_profile": {"enabled": false}})).await.expect(200);
    let flavor = flavor(&server).await;
    give(&server, &flavor, &made).await;
    server.put(&path, json!({"service_profile": {"enabled": true}})).await.refused(409, "ServiceProfileInUse");
    server.delete(&path).await.refused(409, "ServiceProfileInUse");
    assert_eq!(server.delete(&format!("/flavors/{}", id(&flavor))).await.status, 204);
    assert_eq!(server.delete(&path).await.status, 204);
}

#[tokio::test]
async fn profiles_are_given_to_flavors_once_and_taken_away() {
    let server = Server::full().await;
    let (flavor, profile) = (flavor(&server).await, profile(&server, json!({"metainfo": "m"})).await);
    let path = format!("/flavors/{}/service_profiles", id(&flavor));
    give(&server, &flavor, &profile).await;
    let again = json!({"service_profile": {"id": profile["id"]}});
    server.post(&path, again.clone()).await.refused(409, "FlavorServiceProfileBindingExists");
    server.post(&path, json!({"service_profile": {"id": NOBODY}})).await.refused(404, "ServiceProfileNotFound");
    server.post(&format!("/flavors/{NOBODY}/service_profiles"), again).await.refused(404, "FlavorNotFound");
    assert_eq!(server.get(&path).await.body["service_profiles"], json!([{"id": profile["id"]}]));
    assert_eq!(server.get(&format!("/flavors/{}", id(&flavor))).await.expect(200)["service_profiles"], json!([profile["id"]]));
    let one = format!("{path}/{}", id(&profile));
    assert_eq!(server.get(&one).await.expect(200), json!({"id": profile["id"]}));
    assert_eq!(server.delete(&one).await.status, 204);
    server.delete(&one).await.refused(404, "FlavorServiceProfileBindingNotFound");
    server.get(&one).await.refused(404, "FlavorServiceProfileBindingNotFound");
    server.get(&format!("/flavors/{NOBODY}/service_profiles")).await.refused(404, "FlavorNotFound");
}

#[tokio::test]
async fn an_association_is_found_through_its_own_flavor_only() {
    let server = Server::full().await;
    let (mine, other) = (flavor(&server).await, flavor(&server).await);
    let profile = profile(&server, json!({"metainfo": "m"})).await;
    give(&server, &mine, &profile).await;
    let wrong = format!("/flavors/{}/service_profiles/{}", id(&other), id(&profile));
    server.get(&wrong).await.refused(404, "FlavorServiceProfileBindingNotFound");
    server.delete(&wrong).await.refused(404, "FlavorServiceProfileBindingNotFound");
}

#[tokio::test]
async fn the_next_provider_is_that_of_the_first_profile() {
    let server = Server::full().await;
    let flavor = flavor(&server).await;
    let path = format!("/flavors/{}/next_providers", id(&flavor));
    server.get(&path).await.refused(404, "FlavorServiceProfileBindingNotFound");
    let off = profile(&server, json!({"driver": SINGLE, "enabled": false})).await;
    give(&server, &flavor, &off).await;
    server.get(&path).await.refused(503, "ServiceProfileDisabled");
    server.delete(&format!("/flavors/{}/service_profiles/{}", id(&flavor), id(&off))).await;
    let on = profile(&server, json!({"driver": SINGLE, "metainfo": "m"})).await;
    give(&server, &flavor, &on).await;
    let next = json!([{"provider": "single_node", "driver": SINGLE, "metainfo": "m"}]);
    assert_eq!(server.get(&path).await.body["next_providers"], next);
    server.get(&format!("/flavors/{NOBODY}/next_providers")).await.refused(404, "FlavorNotFound");
}

#[tokio::test]
async fn providers_are_those_of_the_configuration() {
    let server = Server::full().await;
    let names = async |server: &Server, query: &str| {
        let all = server.get(&format!("/service-providers{query}")).await.body["service_providers"].take();
        all.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&server, "").await, ["dvrha", "dvr", "ha", "single_node"]);
    assert_eq!(names(&server, "?service_type=L3_ROUTER_NAT&name=ha").await, ["ha"]);
    assert_eq!(names(&server, "?service_type=VPN").await, Vec::<String>::new());
    assert_eq!(names(&server, "?default=True").await, Vec::<String>::new());
    assert_eq!(names(&server, "?driver=unknown").await.len(), 4);
    assert_eq!(server.get("/service-providers?fields=default&name=dvr").await.body["service_providers"], json!([{"default": false}]));
    assert_eq!(server.get("/service-providers/ha").await.status, 405);
    let text = format!("L3_ROUTER_NAT:Main:{SINGLE}:default");
    let named = Server::with(&[("DEFAULT", "service_plugins", "router"), ("service_providers", "service_provider", &text)]).await;
    assert_eq!(names(&named, "?default=true").await, ["main"]);
}

#[tokio::test]
async fn a_router_of_a_flavor_keeps_its_provider() {
    let server = Server::full().await;
    let (flavor, profile) = (flavor(&server).await, profile(&server, json!({"driver": SINGLE})).await);
    let router = |extra: Value| {
        let mut router = json!({"name": "r", "flavor_id": flavor["id"]});
        router.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        json!({ "router": router })
    };
    server.post("/routers", router(json!({}))).await.refused(404, "FlavorServiceProfileBindingNotFound");
    give(&server, &flavor, &profile).await;
    server.post("/routers", router(json!({"flavor_id": NOBODY}))).await.refused(404, "FlavorNotFound");
    server.post("/routers", router(json!({"flavor_id": null}))).await.refused(404, "FlavorNotFound");
    server.post("/routers", router(json!({"distributed": true}))).await.refused(400, "InvalidInput");
    let made = server.post("/routers", router(json!({}))).await.expect(201);
    assert_eq!(made["flavor_id"], flavor["id"]);
    let path = format!("/routers/{}", id(&made));
    server.put(&path, json!({"router": {"flavor_id": flavor["id"]}})).await.refused(400, "HTTPBadRequest");
    server.put(&path, json!({"router": {"admin_state_up": false}})).await.expect(200);
    server.put(&path, json!({"router": {"distributed": true}})).await.refused(400, "InvalidInput");
    server.delete(&format!("/flavors/{}", id(&flavor))).await.refused(409, "FlavorInUse");
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM providerresourceassociations").await, 0);
    assert_eq!(server.delete(&format!("/flavors/{}", id(&flavor))).await.status, 204);
}

#[tokio::test]
async fn every_router_has_the_provider_that_can_have_it() {
    let server = Server::full().await;
    let provider =
        async |name: &str| server.count(&format!("SELECT count(*) FROM providerresourceassociations WHERE provider_name = '{name}'")).await;
    let made = server.post("/routers", json!({"router": {"name": "r", "distributed": true}})).await.expect(201);
    assert_eq!((provider("dvr").await, made["flavor_id"].clone()), (1, Value::Null));
    let path = format!("/routers/{}", id(&made));
    server.put(&path, json!({"router": {"admin_state_up": false}})).await.expect(200);
    server.put(&path, json!({"router": {"distributed": false}})).await.expect(200);
    assert_eq!((provider("dvr").await, provider("single_node").await), (0, 1));
}

#[tokio::test]
async fn members_see_flavors_and_providers_and_nothing_more() {
    let server = Server::full().await;
    let (flavor, profile) = (flavor(&server).await, profile(&server, json!({"metainfo": "m"})).await);
    let member = by(&server, "a", &["member", "reader"]);
    member.get("/flavors").await.expect_rows("flavors", 1);
    member.get("/service-providers").await.expect_rows("service_providers", 4);
    member.get("/service_profiles").await.expect_rows("service_profiles", 0);
    member.get(&format!("/service_profiles/{}", id(&profile))).await.refused(404, "HTTPNotFound");
    member.post("/flavors", json!({"flavor": {"service_type": "CORE"}})).await.refused(403, "PolicyNotAuthorized");
    let give = json!({"service_profile": {"id": profile["id"]}});
    member.post(&format!("/flavors/{}/service_profiles", id(&flavor)), give).await.refused(403, "PolicyNotAuthorized");
    by(&server, "a", &[]).get("/flavors").await.expect_rows("flavors", 0);
}
