// SPDX-License-Identifier: Apache-2.0
//! `/availability_zones`, and the hints of networks and routers that name them.

use neutrino_core::Context;
use neutrino_services::agents::{AgentState, report};
use neutrino_testing::Server;
use serde_json::{Value, json};

async fn agent(server: &Server, agent_type: &str, zone: &str) {
    let state = AgentState {
        agent_type: agent_type.to_owned(),
        binary: "neutron-agent".to_owned(),
        host: format!("host-{zone}"),
        topic: "topic".to_owned(),
        availability_zone: Some(Some(zone.to_owned())),
        ..AgentState::default()
    };
    let cx = Context::internal("report");
    let done = server.engine.transact(&cx, "agents", "report", move |op| {
        let state = state.clone();
        Box::pin(async move { report(op, &state).await })
    });
    done.await.unwrap();
}

async fn lab() -> Server {
    let server = Server::with(&[("DEFAULT", "service_plugins", "router")]).await;
    agent(&server, "DHCP agent", "z1").await;
    agent(&server, "L3 agent", "z2").await;
    server
}

async fn network(server: &Server, hints: Value) -> neutrino_testing::Answer {
    server.post("/networks", json!({"network": {"availability_zone_hints": hints}})).await
}

#[tokio::test]
async fn zones_are_those_of_the_agents() {
    let server = lab().await;
    let zones = server.get("/availability_zones").await.expect(200);
    let zone = |name: &str, resource: &str| json!({"name": name, "resource": resource, "state": "available"});
    assert_eq!(zones, json!([zone("z1", "network"), zone("z2", "router")]));
    server.get("/availability_zones?resource=router").await.expect_rows("availability_zones", 1);
    server.get("/availability_zones?state=unavailable").await.expect_rows("availability_zones", 0);
    let agents = server.get("/agents?agent_type=DHCP%20agent").await.expect(200);
    let down = json!({"agent": {"admin_state_up": false}});
    server.put(&format!("/agents/{}", agents[0]["id"].as_str().unwrap()), down).await.expect(200);
    server.get("/availability_zones?state=unavailable").await.expect_rows("availability_zones", 1);
}

#[tokio::test]
async fn hints_name_zones_that_are_there() {
    let server = lab().await;
    let made = network(&server, json!(["z1"])).await.expect(201);
    assert_eq!((&made["availability_zone_hints"], &made["availability_zones"]), (&json!(["z1"]), &json!([])));
    for wrong in ["z2", "z3"] {
        network(&server, json!([wrong])).await.refused(404, "AvailabilityZoneNotFound");
    }
    assert_eq!(network(&server, json!("z1")).await.status, 400);
    let router = |hints: Value| json!({"router": {"availability_zone_hints": hints}});
    assert_eq!(server.post("/routers", router(json!(["z2"]))).await.expect(201)["availability_zone_hints"], json!(["z2"]));
    server.post("/routers", router(json!(["z1"]))).await.refused(404, "AvailabilityZoneNotFound");
}

#[tokio::test]
async fn a_network_shows_where_it_is_served() {
    let server = lab().await;
    let made = network(&server, json!(["z1"])).await.expect(201);
    let subnet = json!({"subnet": {"network_id": made["id"], "ip_version": 4, "cidr": "10.1.0.0/24"}});
    server.post("/subnets", subnet).await.expect(201);
    let shown = server.get(&format!("/networks/{}", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(shown["availability_zones"], json!(["z1"]));
}
