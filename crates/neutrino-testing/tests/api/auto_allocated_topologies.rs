// SPDX-License-Identifier: Apache-2.0
//! `/auto-allocated-topology/{project}`.

use std::sync::Arc;

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::policy::by;

const MEMBER: &[&str] = &["member", "reader"];

/// A default external network with a subnet, and default pools.
async fn ground(server: &Server) -> Value {
    let network = json!({"network": {"name": "outside", "router:external": true, "is_default": true}});
    let network = server.post("/networks", network).await.expect(201);
    let subnet = json!({"subnet": {"network_id": network["id"], "ip_version": 4, "cidr": "192.0.2.0/24"}});
    server.post("/subnets", subnet).await.expect(201);
    for (prefixes, length) in [("10.0.0.0/16", 26), ("2001:db8::/48", 64)] {
        let pool = json!({"name": "default", "prefixes": [prefixes], "default_prefixlen": length, "is_default": true, "shared": true});
        server.post("/subnetpools", json!({ "subnetpool": pool })).await.expect(201);
    }
    network
}

#[tokio::test]
async fn a_project_gets_a_network_that_leads_out() {
    let server = Server::full().await;
    let outside = ground(&server).await;
    let a = by(&server, "a", MEMBER);
    let made = a.get("/auto-allocated-topology/None").await.expect(200);
    assert_eq!((&made["project_id"], &made["tenant_id"]), (&json!("a"), &json!("a")));
    let again = a.get("/auto-allocated-topology/a").await.expect(200);
    assert_eq!(again, made);
    assert_eq!(server.get("/auto-allocated-topology/a").await.expect(200), made);
    let network = a.get(&format!("/networks/{}", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&network["name"], &network["admin_state_up"]), (&json!("auto_allocated_network"), &json!(true)));
    let subnets = a.get("/subnets?name=auto_allocated_subnet_v4&name=auto_allocated_subnet_v6").await;
    subnets.expect_rows("subnets", 2);
    let routers = a.get("/routers").await;
    let router = &routers.body["routers"][0];
    assert_eq!(router["external_gateway_info"]["network_id"], outside["id"]);
    a.get("/ports?device_owner=network:router_interface").await.expect_rows("ports", 2);
}

#[tokio::test]
async fn without_its_requirements_nothing_is_made() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    for query in ["", "?fields=dry-run"] {
        a.get(&format!("/auto-allocated-topology/a{query}")).await.refused(409, "AutoAllocationFailure");
    }
    let network = json!({"network": {"name": "outside", "router:external": true, "is_default": true}});
    server.post("/networks", network).await.expect(201);
    for query in ["", "?fields=dry-run"] {
        let answer = a.get(&format!("/auto-allocated-topology/a{query}")).await;
        assert!(answer.text.contains("No default subnetpools"), "{}", answer.text);
    }
    // The external network has no subnet: the router cannot lead out, and the network that was made for it goes, too.
    let pool = json!({"name": "p", "prefixes": ["10.0.0.0/16"], "default_prefixlen": 26, "is_default": true, "shared": true});
    server.post("/subnetpools", json!({ "subnetpool": pool })).await.expect(201);
    let answer = a.get("/auto-allocated-topology/a").await;
    if answer.status != 200 {
        answer.refused(409, "AutoAllocationFailure");
        a.get("/routers").await.expect_rows("routers", 0);
        assert_eq!(server.count("SELECT count(*) FROM networks WHERE project_id = 'a'").await, 0);
    }
}

#[tokio::test]
async fn what_fails_leaves_nothing_behind() {
    let server = Server::full().await;
    ground(&server).await;
    // No address is left outside.
    let outside = server.get("/networks?name=outside").await.body["networks"][0]["id"].clone();
    let subnet = server.get("/subnets?ip_version=4").await.body["subnets"][0]["id"].as_str().unwrap().to_owned();
    server.put(&format!("/subnets/{subnet}"), json!({"subnet": {"allocation_pools": [{"start": "192.0.2.9", "end": "192.0.2.9"}]}})).await;
    server.post("/ports", json!({"port": {"network_id": outside}})).await.expect(201);
    let a = by(&server, "a", MEMBER);
    let before = server.count("SELECT count(*) FROM standardattributes").await;
    a.get("/auto-allocated-topology/a").await.refused(409, "AutoAllocationFailure");
    assert_eq!(server.count("SELECT count(*) FROM standardattributes").await, before);
    assert_eq!(server.count("SELECT count(*) FROM auto_allocated_topologies").await, 0);
    a.get("/networks?name=auto_allocated_network").await.expect_rows("networks", 0);
}

#[tokio::test]
async fn a_dry_run_makes_nothing() {
    let server = Server::full().await;
    ground(&server).await;
    let a = by(&server, "a", MEMBER);
    let passed = a.get("/auto-allocated-topology/a?fields=dry-run").await.expect(200);
    assert_eq!(passed, json!({"id": "dry-run=pass", "project_id": "a", "tenant_id": "a"}));
    a.get("/networks?project_id=a").await.expect_rows("networks", 0);
    a.get("/auto-allocated-topology/a?fields=id").await.refused(400, "BadRequest");
    a.get("/networks?project_id=a").await.expect_rows("networks", 0);
}

#[tokio::test]
async fn a_topology_is_taken_apart_as_a_whole() {
    let server = Server::full().await;
    ground(&server).await;
    let a = by(&server, "a", MEMBER);
    // A delete does not build what it would delete.
    assert_eq!(a.delete("/auto-allocated-topology/a").await.status, 204);
    let made = a.get("/auto-allocated-topology/a").await.expect(200);
    let port = a.post("/ports", json!({"port": {"network_id": made["id"]}})).await.expect(201);
    a.delete("/auto-allocated-topology/a").await.refused(409, "NetworkInUse");
    a.get("/routers").await.expect_rows("routers", 1);
    a.delete(&format!("/ports/{}", port["id"].as_str().unwrap())).await;
    assert_eq!(a.delete("/auto-allocated-topology/a").await.status, 204);
    a.get("/routers").await.expect_rows("routers", 0);
    assert_eq!(server.count("SELECT count(*) FROM networks WHERE project_id = 'a'").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM auto_allocated_topologies").await, 0);
    let other = a.get("/auto-allocated-topology/a").await.expect(200);
    assert_ne!(other["id"], made["id"]);
}

#[tokio::test]
async fn nobody_builds_for_others() {
    let server = Server::full().await;
    ground(&server).await;
    by(&server, "b", MEMBER).get("/auto-allocated-topology/a").await.refused(403, "NotAuthorized");
    by(&server, "b", MEMBER).delete("/auto-allocated-topology/a").await.refused(403, "NotAuthorized");
    by(&server, "a", &[]).get("/auto-allocated-topology/a").await.refused(403, "PolicyNotAuthorized");
    assert_eq!(server.count("SELECT count(*) FROM auto_allocated_topologies").await, 0);
    by(&server, "a", MEMBER).get("/auto-allocated-topology/a").await.expect(200);
    by(&server, "a", &["reader"]).delete("/auto-allocated-topology/a").await.refused(403, "PolicyNotAuthorized");
}

#[tokio::test]
async fn requests_that_race_get_one_topology() {
    let server = Arc::new(Server::full().await);
    ground(&server).await;
    let asks: Vec<_> = (0..8)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { by(&server, "a", MEMBER).get("/auto-allocated-topology/a").await.expect(200) })
        })
        .collect();
    let mut seen = Vec::new();
    for ask in asks {
        seen.push(ask.await.unwrap()["id"].clone());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1);
    assert_eq!(server.count("SELECT count(*) FROM networks WHERE project_id = 'a'").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM routers").await, 1);
}

#[tokio::test]
async fn without_routers_there_is_none() {
    let server = Server::start().await;
    server.get("/auto-allocated-topology/a").await.refused(404, "HTTPNotFound");
    assert!(!server.engine.registry.has_extension("auto-allocated-topology"));
}
