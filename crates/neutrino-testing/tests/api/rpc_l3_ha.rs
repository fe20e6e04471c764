// SPDX-License-Identifier: Apache-2.0
//! Highly available routers and their agents.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::{
    l3_agent_scheduler::router,
    routers::network,
    rpc_l3::{call, host, ids, sync, told, updated},
};

async fn topology(server: &Server) -> (String, String) {
    host(server, "h1", "legacy").await;
    host(server, "h2", "legacy").await;
    let (outside, _) = network(server, json!({"router:external": true}), "198.51.100.0/24").await;
    let (_, subnet) = network(server, json!({}), "10.1.0.0/24").await;
    let router = router(server, json!({"ha": true, "external_gateway_info": {"network_id": outside}})).await;
    let plugged = server.put(&format!("/routers/{router}/add_router_interface"), json!({ "subnet_id": subnet })).await;
    assert_eq!(plugged.status, 200, "{}", plugged.text);
    (router, outside)
}

async fn say(server: &Server, host: &str, router: &str, state: &str) {
    let args = json!({"host": host, "states": {router: state}});
    server.rpc("q-l3-plugin", "1.5", "update_ha_routers_states", args).await.unwrap();
}

/// The states as the API shows them, by host.
async fn states(server: &Server, router: &str) -> Vec<(String, String)> {
    let agents = server.get(&format!("/routers/{router}/l3-agents")).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap_or("none").to_owned();
    let mut states: Vec<_> = agents.as_array().unwrap().iter().map(|agent| (text(&agent["host"]), text(&agent["ha_state"]))).collect();
    states.sort();
    states
}

fn pair(host: &str, state: &str) -> (String, String) {
    (host.to_owned(), state.to_owned())
}

#[tokio::test]
async fn each_instance_has_its_port_and_interfaces_follow_the_active_one() {
    let server = Server::full().await;
    let (router, _) = topology(&server).await;
    assert_eq!(told(&server).last(), Some(&updated(&router, "h2")));
    for host in ["h1", "h2"] {
        assert!(ids(&server, host).await.contains(&router));
        let synced = sync(&server, host, json!([router])).await.remove(0);
        let port = &synced["_ha_interface"];
        assert_eq!((&port["binding:host_id"], &synced["_ha_state"]), (&json!(host), &json!("standby")));
        assert_eq!(
            (&port["device_owner"], &port["subnets"][0]["cidr"]),
            (&json!("network:router_ha_interface"), &json!("169.254.192.0/18"))
        );
        assert_eq!(synced["_interfaces"][0]["binding:host_id"], "", "it is active nowhere");
        assert!(synced["ha_vr_id"].as_i64().unwrap() > 0);
        assert_eq!(synced["gw_port_host"], Value::Null);
        let count = server.rpc("q-l3-plugin", "1.11", "get_host_ha_router_count", json!({ "host": host })).await.unwrap();
        assert_eq!(count, 1);
    }
    for (active, other) in [("h1", "h2"), ("h2", "h1")] {
        say(&server, active, &router, "active").await;
        say(&server, other, &router, "standby").await;
        let mut expected = [pair(active, "active"), pair(other, "standby")];
        expected.sort();
        assert_eq!(states(&server, &router).await, expected);
        let synced = sync(&server, other, json!([router])).await.remove(0);
        assert_eq!((&synced["_ha_state"], &synced["gw_port_host"]), (&json!("standby"), &json!(active)));
        for port in [&synced["gw_port"], &synced["_interfaces"][0]] {
            assert_eq!((&port["binding:host_id"], &port["binding:vif_type"]), (&json!(active), &json!("ovs")));
        }
    }
    let wrong = json!({"host": "h1", "states": {router.clone(): "sleepy"}});
    assert_eq!(server.rpc("q-l3-plugin", "1.5", "update_ha_routers_states", wrong).await.unwrap_err().status(), 400);
    let stranger = json!({"host": "h9", "states": {router.clone(): "active"}});
    server.rpc("q-l3-plugin", "1.5", "update_ha_routers_states", stranger).await.unwrap();
}

#[tokio::test]
async fn ports_between_instances_are_down_until_they_are_wired() {
    let server = Server::full().await;
    let (router, _) = topology(&server).await;
    let synced = sync(&server, "h1", json!([router])).await.remove(0);
    let port = synced["_ha_interface"]["id"].as_str().unwrap().to_owned();
    let cx = neutrino_core::Context::internal("test");
    server.bus.take();
    neutrino_ml2::mech::status::update_port_status(&server.engine, &cx, &port, "ACTIVE", None).await.unwrap();
    assert_eq!(told(&server), [updated(&router, "h1")], "its agent waits for it");
    let shown = async || server.get(&format!("/ports/{port}")).await.expect(200)["status"].clone();
    assert_eq!(shown().await, "ACTIVE");
    call_distrust(&server, "h2").await;
    assert_eq!(shown().await, "ACTIVE");
    call_distrust(&server, "h1").await;
    assert_eq!(shown().await, "DOWN");
}

async fn call_distrust(server: &Server, host: &str) {
    let args = json!({ "host": host });
    assert_eq!(server.rpc("q-l3-plugin", "1.10", "update_all_ha_network_port_statuses", args).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn what_no_agent_serves_is_not_synced() {
    let server = Server::full().await;
    let (router, _) = topology(&server).await;
    host(&server, "h3", "legacy").await;
    assert_eq!(call(&server, "sync_routers", json!({"host": "h3", "router_ids": [router]})).await, json!([]));
}

/// Of one router and of many: becoming active, which moves their ports, and beginning anew.
#[tokio::test]
async fn words_of_many_routers_cost_the_same_as_of_one() {
    let server = Server::full().await;
    let (_, outside) = topology(&server).await;
    let mut routers = Vec::new();
    for number in 2..14 {
        let (_, subnet) = network(&server, json!({}), &format!("10.{number}.0.0/24")).await;
        let id = router(&server, json!({"ha": true, "external_gateway_info": {"network_id": outside}})).await;
        server.put(&format!("/routers/{id}/add_router_interface"), json!({ "subnet_id": subnet })).await.expect(200);
        routers.push(id);
    }
    for host in ["h1", "h2"] {
        sync(&server, host, json!(routers)).await;
    }
    let active = async |host: &str, routers: &[String]| {
        let states: serde_json::Map<_, _> = routers.iter().map(|id| (id.clone(), json!("active"))).collect();
        let before = server.statements();
        server.rpc("q-l3-plugin", "1.5", "update_ha_routers_states", json!({"host": host, "states": states})).await.unwrap();
        server.statements() - before
    };
    for host in ["h1", "h2"] {
        assert_eq!(active(host, &routers[..1]).await, active(host, &routers[1..]).await, "{host}");
        let there = format!(
            "SELECT count(*) FROM ml2_port_bindings b JOIN routerports r ON r.port_id = b.port_id WHERE b.host = '{host}' AND b.vif_type = 'ovs' \
             AND r.port_type <> 'network:router_ha_interface'"
        );
        assert_eq!(server.count(&there).await, 2 * i64::try_from(routers.len()).unwrap());
    }
    let mut costs = Vec::new();
    for count in [1, routers.len()] {
        let owned = routers[..count].iter().map(|id| format!("'{id}'")).collect::<Vec<_>>().join(", ");
        server
            .sql(&format!(
                "UPDATE ports SET status = 'ACTIVE' WHERE device_owner = 'network:router_ha_interface' AND device_id IN ({owned})"
            ))
            .await;
        let before = server.statements();
        call_distrust(&server, "h1").await;
        costs.push(server.statements() - before);
    }
    assert_eq!(costs[0], costs[1]);
}
