// SPDX-License-Identifier: Apache-2.0
//! What agents say of themselves over RPC, and what they are told.

use neutrino_core::Context;
use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::agents::age;

/// A time as messages have it, so many seconds from now.
fn time(seconds: i64) -> String {
    (Context::internal("test").now() + chrono::Duration::seconds(seconds)).format("%Y-%m-%dT%H:%M:%S.000001").to_string()
}

fn message(agent_type: &str, host: &str, more: Value) -> Value {
    let mut state = json!({"binary": "neutron-agent", "host": host, "topic": "N/A", "configurations": {"log_agent_heartbeats": false},
        "agent_type": agent_type, "uuid": "95b9044f-631d-46b6-9e39-a3bcb5721572"});
    state.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"agent_state": {"agent_state": state}, "time": time(1)})
}

pub async fn report(server: &Server, agent_type: &str, host: &str, more: Value) -> Value {
    server.rpc("q-reports-plugin", "1.4", "report_state", message(agent_type, host, more)).await.unwrap()
}

async fn id(server: &Server, host: &str) -> String {
    server.get(&format!("/agents?host={host}")).await.expect(200)[0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_report_is_answered_with_how_the_agent_was() {
    let server = Server::full().await;
    let first = json!({"start_flag": true, "availability_zone": "nova", "resource_versions": {"Port": "1.11"}});
    assert_eq!(report(&server, "X agent", "h1", first).await, "new");
    assert_eq!(report(&server, "X agent", "h1", json!({})).await, "alive");
    let agent = id(&server, "h1").await;
    age(&server, &agent, 100).await;
    assert_eq!(report(&server, "X agent", "h1", json!({})).await, "revived");
    let shown = server.get(&format!("/agents/{agent}")).await.expect(200);
    assert_eq!((&shown["alive"], &shown["availability_zone"]), (&json!(true), &json!("nova")));
    // Any topic of agents serves it, and any older minor version.
    let answer = server.rpc("q-plugin", "1.0", "report_state", message("X agent", "h1", json!({}))).await.unwrap();
    assert_eq!(answer, "alive");
}

#[tokio::test]
async fn reports_from_before_the_start_are_passed_over() {
    let server = Server::full().await;
    let mut old = message("X agent", "h1", json!({"start_flag": true}));
    old["time"] = json!(time(-100));
    assert_eq!(server.rpc("q-reports-plugin", "1.0", "report_state", old).await.unwrap(), Value::Null);
    server.get("/agents").await.expect_rows("agents", 0);
    // A clock that is ahead makes an error in the log, and a report that counts.
    let mut ahead = message("X agent", "h1", json!({"start_flag": true}));
    ahead["time"] = json!(time(5000));
    assert_eq!(server.rpc("q-reports-plugin", "1.0", "report_state", ahead).await.unwrap(), "new");
}

#[tokio::test]
async fn reports_without_what_they_need_are_refused() {
    let server = Server::full().await;
    for (name, value) in [("time", json!("today")), ("time", Value::Null), ("agent_state", json!({})), ("agent_state", Value::Null)] {
        let mut broken = message("X agent", "h1", json!({}));
        broken[name] = value;
        let refused = server.rpc("q-reports-plugin", "1.0", "report_state", broken).await.unwrap_err();
        assert_eq!(refused.kind().name, "InvalidInput", "{name}");
    }
    server.get("/agents").await.expect_rows("agents", 0);
}

#[tokio::test]
async fn agents_ask_whether_a_server_lives() {
    let server = Server::full().await;
    assert_eq!(server.rpc("q-reports-plugin", "1.4", "has_alive_neutron_server", json!({})).await.unwrap(), true);
    server.engine.db.close().await;
    assert_eq!(server.rpc("q-reports-plugin", "1.4", "has_alive_neutron_server", json!({})).await.unwrap(), false);
}

#[tokio::test]
async fn agents_are_looked_up_and_forgotten() {
    let server = Server::full().await;
    for host in ["h1", "h2"] {
        report(&server, "X agent", host, json!({"resource_versions": {"Port": "1.11"}})).await;
        report(&server, "Y agent", host, json!({})).await;
    }
    age(&server, &id(&server, "h2").await, 100).await;
    let get = async |filters: Value| server.rpc("q-reports-plugin", "1.4", "get_agents", filters).await;
    let count = async |filters: Value| get(filters).await.unwrap().as_array().unwrap().len();
    assert_eq!(count(json!({})).await, 4);
    assert_eq!(count(json!({"host": "h1"})).await, 2);
    assert_eq!(count(json!({"host": ["h1", "h2"], "agent_type": "X agent"})).await, 2);
    assert_eq!((count(json!({"is_active": true})).await, count(json!({"is_active": false})).await), (3, 1));
    assert_eq!(count(json!({"admin_state_up": false})).await, 0);
    assert!(get(json!({"load; --": 1})).await.is_err());
    let one = get(json!({"host": "h1", "agent_type": "X agent"})).await.unwrap()[0].clone();
    assert_eq!(one["resource_versions"], json!({"Port": "1.11"}));
    assert_eq!(one["configurations"], json!({"log_agent_heartbeats": false}));
    let names: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
    let ovo = [
        "id",
        "agent_type",
        "binary",
        "topic",
        "host",
        "availability_zone",
        "admin_state_up",
        "started_at",
        "created_at",
        "heartbeat_timestamp",
        "description",
        "configurations",
        "resource_versions",
        "load",
        "resources_synced",
    ];
    assert!(names.len() == ovo.len() && ovo.iter().all(|name| names.contains(name)), "{names:?}");
    let delete = async |args: Value| server.rpc("q-reports-plugin", "1.4", "delete_agent", args).await.unwrap();
    for args in [json!({"host": "h1"}), json!({"host": "h9", "agent_type": "X agent"}), json!({"host": "h1", "agent_type": "X agent"})] {
        assert_eq!(delete(args).await, Value::Null);
    }
    assert_eq!(count(json!({"host": "h1"})).await, 1);
    assert_eq!(count(json!({})).await, 3);
}

#[tokio::test]
async fn agents_that_are_switched_hear_of_it() {
    let server = Server::full().await;
    for (kind, host, topic) in
        [("DHCP agent", "h1", Some("dhcp_agent")), ("L3 agent", "h2", Some("l3_agent")), ("Metering agent", "h3", None)]
    {
        report(&server, kind, host, json!({})).await;
        let path = format!("/agents/{}", id(&server, host).await);
        server.bus.take();
        server.put(&path, json!({"agent": {"description": "x", "admin_state_up": true}})).await.expect(200);
        assert!(server.bus.take_method("agent_updated").is_empty(), "nothing was switched");
        server.put(&path, json!({"agent": {"admin_state_up": false}})).await.expect(200);
        let told = server.bus.take_method("agent_updated");
        assert_eq!(told.len(), usize::from(topic.is_some()), "{kind}");
        for message in told {
            assert_eq!((Some(message.topic.as_str()), message.server.as_deref(), message.version), (topic, Some(host), "1.0"));
            assert_eq!(message.args, json!({"payload": {"admin_state_up": false}}));
        }
    }
}

#[tokio::test]
async fn agents_that_had_more_than_is_theirs_are_made_to_sync_by_a_server_that_starts() {
    let server = Server::full().await;
    let states = [
        ("DHCP agent", "d0", json!({"networks": 0})),
        ("DHCP agent", "d1", json!({"networks": 1})),
        ("L3 agent", "l0", json!({"agent_mode": "legacy", "routers": 0})),
        ("L3 agent", "l1", json!({"agent_mode": "legacy", "routers": 1})),
        ("L3 agent", "l2", json!({"agent_mode": "dvr_snat", "routers": 1})),
    ];
    for (kind, host, configurations) in states {
        report(&server, kind, host, json!({"configurations": configurations})).await;
    }
    let network = server.post("/networks", json!({"network": {}})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let agent = id(&server, "d1").await;
    server.post(&format!("/agents/{agent}/dhcp-networks"), json!({"network_id": network})).await.expect(201);
    server.bus.take();
    let synced = neutrino_services::agents::sync_surplus(&server.engine, &Context::internal("test")).await.unwrap();
    let told: Vec<_> =
        server.bus.take_method("agent_updated").into_iter().map(|message| (message.topic, message.server.unwrap())).collect();
    assert_eq!((synced, told), (2, vec![("dhcp_agent".into(), "d1".into()), ("l3_agent".into(), "l1".into())]));
}

#[tokio::test]
async fn ports_that_failed_are_bound_when_their_agent_is_back() {
    let server = Server::full().await;
    let ovs = json!({"configurations": {"tunnel_types": ["vxlan"], "bridge_mappings": {}, "integration_bridge": "br-int"}});
    report(&server, "Open vSwitch agent", "h1", ovs.clone()).await;
    age(&server, &id(&server, "h1").await, 100).await;
    let net = crate::ports::network(&server).await;
    let body = json!({"binding:host_id": "h1", "device_owner": "compute:nova", "device_id": "vm"});
    let port = crate::ports::create(&server, &net, body).await.expect(201);
    assert_eq!(port["binding:vif_type"], "binding_failed");
    let path = format!("/ports/{}", port["id"].as_str().unwrap());
    report(&server, "DHCP agent", "h1", json!({})).await;
    assert_eq!(server.get(&path).await.expect(200)["binding:vif_type"], "binding_failed");
    assert_eq!(report(&server, "Open vSwitch agent", "h1", ovs).await, "revived");
    assert_eq!(server.get(&path).await.expect(200)["binding:vif_type"], "ovs");
}

#[tokio::test]
async fn a_report_costs_few_statements() {
    let server = Server::full().await;
    report(&server, "X agent", "h1", json!({"start_flag": true})).await;
    let before = server.statements();
    report(&server, "X agent", "h1", json!({})).await;
    let few = server.statements() - before;
    assert!(few <= 4, "{few} statements");
}
