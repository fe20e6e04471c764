// SPDX-License-Identifier: Apache-2.0
use neutrino_api::app::Identity;
use neutrino_core::Context;
use neutrino_services::agents::{self, AgentState, Reported, Status};
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

/// A report of an agent, taken in as the RPC server does.
pub async fn report(server: &Server, state: AgentState) -> Reported {
    let cx = Context::internal("test");
    let done = server.engine.transact(&cx, "agents", "report", |op| {
        let state = state.clone();
        Box::pin(async move { agents::report(op, &state).await })
    });
    done.await.unwrap()
}

pub fn state(agent_type: &str, host: &str, zone: Option<&str>, configurations: Value) -> AgentState {
    AgentState::of(&json!({
        "agent_type": agent_type,
        "binary": "neutron-agent",
        "host": host,
        "topic": "N/A",
        "availability_zone": zone,
        "configurations": configurations,
        "start_flag": true,
    }))
    .unwrap()
}

/// What an agent of the switch reports on a host.
pub async fn switch(server: &Server, host: &str, configurations: Value) {
    report(server, state("Open vSwitch agent", host, None, configurations)).await;
}

pub async fn dhcp(server: &Server, host: &str, zone: &str) -> String {
    report(server, state(agents::DHCP, host, Some(zone), json!({"networks": 0}))).await.id
}

/// Makes the agent look as if it had been silent for so long.
pub async fn age(server: &Server, id: &str, seconds: i64) {
    let then = (Context::internal("test").now() - chrono::Duration::seconds(seconds)).format("%Y-%m-%d %H:%M:%S");
    server.sql(&format!("UPDATE agents SET heartbeat_timestamp = '{then}', started_at = '{then}' WHERE id = '{id}'")).await;
}

#[tokio::test]
async fn reports_make_agents_known() {
    let server = Server::full().await;
    let first = report(&server, state("X agent", "h1", Some("z1"), json!({"a": {"b": [1]}}))).await;
    assert_eq!((first.status, first.admin_state_up, &first.resource_versions), (Status::New, true, &None));
    let agent = server.get(&format!("/agents/{}", first.id)).await.expect(200);
    for (name, value) in [
        ("agent_type", json!("X agent")),
        ("binary", json!("neutron-agent")),
        ("topic", json!("N/A")),
        ("host", json!("h1")),
        ("admin_state_up", json!(true)),
        ("alive", json!(true)),
        ("configurations", json!({"a": {"b": [1]}})),
        ("description", Value::Null),
        ("resources_synced", Value::Null),
        ("availability_zone", json!("z1")),
    ] {
        assert_eq!(agent[name], value, "{name}");
    }
    assert_eq!(agent.as_object().unwrap().len(), 14, "{agent}");
    for name in ["created_at", "started_at", "heartbeat_timestamp"] {
        let text = agent[name].as_str().unwrap();
        assert!(text.len() == 19 && text.as_bytes()[10] == b' ', "{name}: {text}");
    }
    let again = report(&server, state("X agent", "h1", Some("z2"), json!({"c": 2}))).await;
    assert_eq!((again.status, &again.id), (Status::Alive, &first.id));
    let agent = server.get(&format!("/agents/{}", first.id)).await.expect(200);
    assert_eq!((&agent["configurations"], &agent["availability_zone"]), (&json!({"c": 2}), &json!("z2")));
    assert_ne!(report(&server, state("X agent", "h2", None, json!({}))).await.id, first.id);
}

#[tokio::test]
async fn silent_agents_are_down_and_come_back_with_their_versions() {
    let server = Server::full().await;
    let mut said = state("X agent", "h1", Some("z"), json!({}));
    said.resource_versions = json!({"Port": "1.9"}).as_object().cloned();
    let id = report(&server, said).await.id;
    age(&server, &id, 100).await;
    let agent = server.get(&format!("/agents/{id}")).await.expect(200);
    let started = agent["started_at"].clone();
    assert_eq!(agent["alive"], json!(false));
    server.get("/agents?alive=True").await.expect_rows("agents", 0);
    server.get("/agents?alive=no").await.expect_rows("agents", 1);
    let mut beat = state("X agent", "h1", None, json!({}));
    (beat.start_flag, beat.availability_zone) = (false, None);
    let back = report(&server, beat.clone()).await;
    assert_eq!((back.status, back.resource_versions), (Status::Revived, json!({"Port": "1.9"}).as_object().cloned()));
    let agent = server.get(&format!("/agents/{id}")).await.expect(200);
    assert_eq!((&agent["alive"], &agent["started_at"], &agent["availability_zone"]), (&json!(true), &started, &json!("z")));
    assert_eq!(report(&server, beat).await.resource_versions, None);
}

#[tokio::test]
async fn the_operator_may_keep_new_agents_off() {
    let server = Server::with(&[("DEFAULT", "enable_new_agents", "false"), ("DEFAULT", "agent_down_time", "10")]).await;
    let id = report(&server, state("X agent", "h1", None, json!({}))).await.id;
    age(&server, &id, 12).await;
    let agent = server.get(&format!("/agents/{id}")).await.expect(200);
    assert_eq!((&agent["admin_state_up"], &agent["alive"]), (&json!(false), &json!(false)));
}

#[tokio::test]
async fn what_may_be_changed() {
    let server = Server::full().await;
    let id = dhcp(&server, "h1", "nova").await;
    let path = format!("/agents/{id}");
    let changed = server.put(&path, json!({"agent": {"admin_state_up": "false", "description": "d"}})).await.expect(200);
    assert_eq!((&changed["admin_state_up"], &changed["description"]), (&json!(false), &json!("d")));
    server.put(&path, json!({"agent": {"description": null}})).await.expect(200);
    server.put(&path, json!({"agent": {}})).await.expect(200);
    server.put(&path, json!({"agent": {"admin_state_up": "x"}})).await.refused(400, "InvalidInput");
    for name in ["host", "agent_type", "binary", "topic", "alive", "configurations", "availability_zone", "resources_synced", "created_at"]
    {
        server.put(&path, json!({"agent": {name: "x"}})).await.refused(400, "HTTPBadRequest");
    }
    server.post("/agents", json!({"agent": {}})).await.refused(400, "BadRequest");
    server.post("/agents", json!({"agent": {"host": "x"}})).await.refused(400, "HTTPBadRequest");
    server.post("/agents", json!({"agents": [{}]})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.delete(&path).await.status, 204);
    for answer in [server.get(&path).await, server.delete(&path).await, server.put(&path, json!({"agent": {}})).await] {
        answer.refused(404, "AgentNotFound");
    }
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let server = Server::full().await;
    for host in ["h2", "h1", "h3"] {
        dhcp(&server, host, host).await;
        report(&server, state(agents::L3, host, None, json!({}))).await;
    }
    for (query, rows) in [
        ("host=h1", 2),
        ("host=h1&host=h2", 4),
        ("agent_type=DHCP%20agent", 3),
        ("availability_zone=h3", 1),
        ("binary=neutron-agent", 6),
        ("topic=x", 0),
        ("admin_state_up=true", 6),
        ("alive=true", 6),
        ("alive=false&alive=true", 0),
        ("description=", 0),
    ] {
        server.get(&format!("/agents?{query}")).await.expect_rows("agents", rows);
    }
    for name in ["configurations", "created_at", "started_at", "resources_synced", "nothing"] {
        server.get(&format!("/agents?{name}=x")).await.refused(400, "HTTPBadRequest");
    }
    server.get("/agents?alive=x").await.refused(400, "InvalidInput");
    server.get("/agents?sort_key=alive&sort_dir=asc").await.refused(400, "BadRequest");
    for name in ["configurations", "resources_synced", "availability_zone"] {
        server.get(&format!("/agents?sort_key={name}&sort_dir=asc")).await.refused(400, "HTTPBadRequest");
    }
    let sorted = server.get("/agents?agent_type=L3%20agent&sort_key=host&sort_dir=desc&fields=host").await.expect(200);
    assert_eq!(sorted, json!([{"host": "h3"}, {"host": "h2"}, {"host": "h1"}]));
    server.get("/agents?sort_key=heartbeat_timestamp&sort_dir=desc&sort_key=created_at&sort_dir=asc").await.expect_rows("agents", 6);
    let page = server.get("/agents?limit=4&fields=alive").await;
    assert_eq!((page.body["agents"].as_array().unwrap().len(), &page.body["agents"][0]), (4, &json!({"alive": true})));
    let next = page.body["agents_links"][0]["href"].as_str().unwrap().split("/v2.0").nth(1).unwrap().to_owned();
    server.get(&next).await.expect_rows("agents", 2);
}

#[tokio::test]
async fn only_administrators_see_agents() {
    let server = Server::full().await;
    let id = dhcp(&server, "h1", "nova").await;
    let user = || Identity {
        project_id: Some(PROJECT.to_owned()),
        roles: vec!["member".to_owned(), "reader".to_owned()],
        is_admin: Some(false),
        ..Identity::default()
    };
    let listed = server.send_as(user(), http::Method::GET, "/agents", "", &[]).await;
    listed.expect_rows("agents", 0);
    assert_eq!(server.send_as(user(), http::Method::GET, &format!("/agents/{id}"), "", &[]).await.status, 404);
    assert_eq!(server.send_as(user(), http::Method::DELETE, &format!("/agents/{id}"), "", &[]).await.status, 404);
    let zones = server.send_as(user(), http::Method::GET, "/availability_zones", "", &[]).await;
    zones.expect_rows("availability_zones", 1);
}

#[tokio::test]
async fn agents_of_hosts_are_forgotten() {
    let server = Server::full().await;
    let id = dhcp(&server, "h1", "nova").await;
    let cx = Context::internal("test");
    let forget = async || {
        let done = server.engine.transact(&cx, "agents", "delete", |op| Box::pin(agents::delete_by_host(op, agents::DHCP, "h1")));
        done.await.unwrap()
    };
    assert!(forget().await);
    server.get(&format!("/agents/{id}")).await.refused(404, "AgentNotFound");
    assert!(!forget().await);
}

#[tokio::test]
async fn first_reports_at_once_make_one_agent() {
    let server = Server::full().await;
    let reports = (0..16).map(|_| report(&server, state("X agent", "h1", None, json!({}))));
    let ids: std::collections::HashSet<String> = futures::future::join_all(reports).await.into_iter().map(|r| r.id).collect();
    assert_eq!((ids.len(), server.count("SELECT count(*) FROM agents").await), (1, 1));
}

#[tokio::test]
async fn zones_are_those_of_agents() {
    let server = Server::full().await;
    server.get("/availability_zones").await.expect_rows("availability_zones", 0);
    let one = dhcp(&server, "h1", "z1").await;
    dhcp(&server, "h2", "z2").await;
    report(&server, state(agents::L3, "h1", Some("z1"), json!({}))).await;
    report(&server, state("X agent", "h1", Some("z9"), json!({}))).await;
    report(&server, state(agents::L3, "h9", None, json!({}))).await;
    server.put(&format!("/agents/{one}"), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    let zones = server.get("/availability_zones").await.expect(200);
    assert_eq!(
        zones,
        json!([
            {"name": "z1", "resource": "network", "state": "unavailable"},
            {"name": "z1", "resource": "router", "state": "available"},
            {"name": "z2", "resource": "network", "state": "available"},
        ])
    );
    for (query, rows) in [("resource=router", 1), ("resource=x", 0), ("name=z1", 2), ("state=unavailable", 1)] {
        server.get(&format!("/availability_zones?{query}")).await.expect_rows("availability_zones", rows);
    }
    server.get("/availability_zones?x=1").await.refused(400, "HTTPBadRequest");
    dhcp(&server, "h3", "z1").await;
    assert_eq!(server.get("/availability_zones?name=z1&resource=network").await.expect(200)[0]["state"], json!("available"));
}

#[tokio::test]
async fn statements_do_not_grow() {
    let server = Server::full().await;
    let count = async |path: &str| {
        let before = server.statements();
        assert_eq!(server.get(path).await.status, 200);
        server.statements() - before
    };
    let id = dhcp(&server, "h", "nova").await;
    let paths = ["/agents".to_owned(), format!("/agents/{id}"), "/availability_zones".to_owned()];
    let mut few = Vec::new();
    for path in &paths {
        few.push(count(path).await);
    }
    for n in 0..40 {
        dhcp(&server, &format!("h{n}"), &format!("z{n}")).await;
    }
    for (path, few) in paths.iter().zip(few) {
        assert_eq!(count(path).await, few, "{path}");
    }
}
