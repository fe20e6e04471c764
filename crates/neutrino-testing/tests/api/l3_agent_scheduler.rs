// SPDX-License-Identifier: Apache-2.0
use neutrino_core::Context;
use neutrino_l3::l3_agent_scheduler::{auto_schedule, reschedule_routers_from_down_agents};
use neutrino_services::agents::L3;
use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::agents::{age, report, state};

pub async fn agent(server: &Server, host: &str, configurations: Value) -> String {
    report(server, state(L3, host, Some("nova"), configurations)).await.id
}

pub async fn router(server: &Server, more: Value) -> String {
    let mut router = json!({"name": "r"});
    router.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/routers", json!({ "router": router })).await.expect(201)["id"].as_str().unwrap().to_owned()
}

async fn network(server: &Server, cidr: &str, external: bool) -> (String, String) {
    let network = server.post("/networks", json!({"network": {"name": "n", "router:external": external}})).await.expect(201);
    let subnet = json!({"network_id": network["id"], "ip_version": 4, "cidr": cidr});
    let subnet = server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    (network["id"].as_str().unwrap().to_owned(), subnet["id"].as_str().unwrap().to_owned())
}

/// The agents that serve a router.
pub async fn agents_of(server: &Server, router: &str) -> Vec<String> {
    let agents = server.get(&format!("/routers/{router}/l3-agents")).await.expect(200);
    let mut ids: Vec<String> = agents.as_array().unwrap().iter().map(|agent| agent["id"].as_str().unwrap().to_owned()).collect();
    ids.sort_unstable();
    ids
}

async fn add(server: &Server, agent: &str, router: &str) -> neutrino_testing::Answer {
    server.post(&format!("/agents/{agent}/l3-routers"), json!({ "router_id": router })).await
}

#[tokio::test]
async fn routers_are_given_and_taken_by_hand() {
    let server = Server::full().await;
    let (a, b) = (agent(&server, "h1", json!({})).await, agent(&server, "h2", json!({})).await);
    let r = router(&server, json!({})).await;
    assert_eq!(agents_of(&server, &r).await, Vec::<String>::new());
    assert_eq!(add(&server, &a, &r).await.status, 201);
    let listed = server.get(&format!("/routers/{r}/l3-agents")).await.expect(200);
    assert_eq!((&listed[0]["id"], &listed[0]["ha_state"], &listed[0]["host"]), (&json!(a), &Value::Null, &json!("h1")));
    let routers = server.get(&format!("/agents/{a}/l3-routers")).await.expect(200);
    assert_eq!((routers.as_array().unwrap().len(), &routers[0]["id"]), (1, &json!(r)));
    assert_eq!(server.get(&format!("/routers/{r}")).await.expect(200)["availability_zones"], json!(["nova"]));
    assert_eq!(add(&server, &a, &r).await.status, 201);
    add(&server, &b, &r).await.refused(409, "RouterHostedByL3Agent");
    assert_eq!(server.delete(&format!("/agents/{b}/l3-routers/{r}")).await.status, 204);
    assert_eq!(agents_of(&server, &r).await, [a.as_str()]);
    assert_eq!(server.delete(&format!("/agents/{a}/l3-routers/{r}")).await.status, 204);
    assert_eq!(agents_of(&server, &r).await, Vec::<String>::new());
    server.get(&format!("/agents/{a}/l3-routers")).await.expect_rows("routers", 0);
    let absent = "11111111-1111-1111-1111-111111111111";
    add(&server, &a, absent).await.refused(404, "RouterNotFound");
    add(&server, absent, &r).await.refused(404, "AgentNotFound");
    server.delete(&format!("/agents/{a}/l3-routers/{absent}")).await.refused(404, "RouterNotFound");
    server.get(&format!("/routers/{absent}/l3-agents")).await.refused(404, "RouterNotFound");
    server.post(&format!("/agents/{a}/l3-routers"), json!({})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.put(&format!("/agents/{a}/l3-routers/{r}"), json!({})).await.status, 405);
}

#[tokio::test]
async fn bindings_go_with_routers_and_agents() {
    let server = Server::full().await;
    let a = agent(&server, "h1", json!({})).await;
    let (r, other) = (router(&server, json!({})).await, router(&server, json!({})).await);
    for id in [&r, &other] {
        assert_eq!(add(&server, &a, id).await.status, 201);
    }
    assert_eq!(server.delete(&format!("/routers/{r}")).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM routerl3agentbindings").await, 1);
    assert_eq!(server.delete(&format!("/agents/{a}")).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM routerl3agentbindings").await, 0);
    server.get(&format!("/routers/{other}")).await.expect(200);
}

#[tokio::test]
async fn not_every_agent_serves_every_router() {
    let server = Server::full().await;
    let central = router(&server, json!({})).await;
    let distributed = router(&server, json!({"distributed": true})).await;
    let dhcp = crate::agents::dhcp(&server, "h", "nova").await;
    add(&server, &dhcp, &central).await.refused(404, "InvalidL3Agent");
    for mode in ["dvr", "dvr_no_external"] {
        let dvr = agent(&server, mode, json!({"agent_mode": mode})).await;
        add(&server, &dvr, &central).await.refused(409, "DVRL3CannotAssignToDvrAgent");
        let taken = server.delete(&format!("/agents/{dvr}/l3-routers/{central}")).await;
        taken.refused(409, "DVRL3CannotRemoveFromDvrAgent");
    }
    let legacy = agent(&server, "legacy", json!({"agent_mode": "legacy"})).await;
    add(&server, &legacy, &distributed).await.refused(409, "RouterL3AgentMismatch");
    let internal = agent(&server, "internal", json!({"handle_internal_only_routers": false})).await;
    add(&server, &internal, &central).await.refused(404, "InvalidL3Agent");
    let snat = agent(&server, "snat", json!({"agent_mode": "dvr_snat"})).await;
    assert_eq!(add(&server, &snat, &distributed).await.status, 201);
    server.put(&format!("/agents/{legacy}"), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    add(&server, &legacy, &central).await.refused(404, "InvalidL3Agent");
    let kept = server
        .restart(&[("DEFAULT", "service_plugins", "router"), ("DEFAULT", "enable_services_on_agents_with_admin_state_down", "true")])
        .await;
    assert_eq!(add(&kept, &legacy, &central).await.status, 201);
}

#[tokio::test]
async fn a_router_is_scheduled_once_it_leads_somewhere() {
    let server = Server::full().await;
    let (outside, _) = network(&server, "192.0.2.0/24", true).await;
    let (_, inside) = network(&server, "10.1.0.0/24", false).await;
    let early = router(&server, json!({"external_gateway_info": {"network_id": outside}})).await;
    assert_eq!(agents_of(&server, &early).await, Vec::<String>::new());
    let busy = agent(&server, "busy", json!({})).await;
    let dead = agent(&server, "dead", json!({})).await;
    age(&server, &dead, 100).await;
    let off = agent(&server, "off", json!({})).await;
    server.put(&format!("/agents/{off}"), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    // An agent that came later gets it with the next change.
    server.put(&format!("/routers/{early}"), json!({"router": {"name": "x"}})).await.expect(200);
    assert_eq!(agents_of(&server, &early).await, [busy.as_str()]);
    let idle = agent(&server, "idle", json!({})).await;
    let bare = router(&server, json!({})).await;
    assert_eq!(agents_of(&server, &bare).await, Vec::<String>::new());
    server.put(&format!("/routers/{bare}/add_router_interface"), json!({ "subnet_id": inside })).await.expect(200);
    assert_eq!(agents_of(&server, &bare).await, [idle.as_str()]);
    let before = server.count("SELECT count(*) FROM routerl3agentbindings").await;
    server.put(&format!("/routers/{bare}"), json!({"router": {"name": "y"}})).await.expect(200);
    assert_eq!(server.count("SELECT count(*) FROM routerl3agentbindings").await, before);
}

#[tokio::test]
async fn the_operator_chooses_how_agents_are_chosen() {
    let zones = [
        ("DEFAULT", "service_plugins", "router"),
        ("DEFAULT", "router_scheduler_driver", "neutron.scheduler.l3_agent_scheduler.AZLeastRoutersScheduler"),
    ];
    let server = Server::with(&zones).await;
    let a = report(&server, state(L3, "a", Some("z1"), json!({}))).await.id;
    let b = report(&server, state(L3, "b", Some("z2"), json!({}))).await.id;
    let (outside, _) = network(&server, "192.0.2.0/24", true).await;
    let gateway = json!({"network_id": outside});
    for _ in 0..3 {
        let r = router(&server, json!({"external_gateway_info": gateway, "availability_zone_hints": ["z2"]})).await;
        assert_eq!(agents_of(&server, &r).await, [b.as_str()]);
        assert_eq!(server.get(&format!("/routers/{r}")).await.expect(200)["availability_zones"], json!(["z2"]));
    }
    let r = router(&server, json!({"external_gateway_info": gateway})).await;
    assert_eq!(agents_of(&server, &r).await, [a.as_str()]);
    let chance = [
        ("DEFAULT", "service_plugins", "router"),
        ("DEFAULT", "router_scheduler_driver", "neutron.scheduler.l3_agent_scheduler.ChanceScheduler"),
    ];
    let server = server.restart(&chance).await;
    let r = router(&server, json!({"external_gateway_info": gateway})).await;
    assert_eq!(agents_of(&server, &r).await.len(), 1);
    let tables = [&[neutrino_core::plugins::OPTIONS][..], neutrino_ml2::OPTIONS, neutrino_services::OPTIONS, neutrino_l3::OPTIONS].concat();
    let wrong = [("DEFAULT", "service_plugins", "router"), ("DEFAULT", "router_scheduler_driver", "x.Y")];
    let config = oslo_config::Config::for_test(&tables, &wrong).unwrap();
    let told = neutrino_l3::register(&mut neutrino_core::Builder::default(), &config).unwrap_err();
    assert!(told.contains("LeastRoutersScheduler"), "{told}");
}

#[tokio::test]
async fn routers_leave_agents_that_have_died() {
    let server = Server::full().await;
    let cx = Context::internal("test");
    let a = agent(&server, "a", json!({})).await;
    let r = router(&server, json!({})).await;
    assert_eq!(add(&server, &a, &r).await.status, 201);
    age(&server, &a, 100).await;
    assert_eq!(reschedule_routers_from_down_agents(&server.engine, &cx).await.unwrap(), 0, "down, but not yet dead");
    age(&server, &a, 200).await;
    assert_eq!(reschedule_routers_from_down_agents(&server.engine, &cx).await.unwrap(), 0, "nobody else can serve it");
    assert_eq!(agents_of(&server, &r).await, [a.as_str()]);
    let b = agent(&server, "b", json!({})).await;
    server.put(&format!("/agents/{a}"), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    assert_eq!(reschedule_routers_from_down_agents(&server.engine, &cx).await.unwrap(), 0, "the operator switched it off");
    server.put(&format!("/agents/{a}"), json!({"agent": {"admin_state_up": true}})).await.expect(200);
    assert_eq!(reschedule_routers_from_down_agents(&server.engine, &cx).await.unwrap(), 1);
    assert_eq!(agents_of(&server, &r).await, [b.as_str()]);
}

#[tokio::test]
async fn an_agent_that_asks_for_work_gets_routers_without_one() {
    let server = Server::full().await;
    let cx = Context::internal("test");
    let (a, b) = (router(&server, json!({})).await, router(&server, json!({})).await);
    let distributed = router(&server, json!({"distributed": true})).await;
    let held = agent(&server, "h1", json!({})).await;
    assert_eq!(add(&server, &held, &a).await.status, 201);
    let id = agent(&server, "h2", json!({})).await;
    let placed = auto_schedule(&server.engine, &cx, "h2").await.unwrap();
    assert_eq!(placed.iter().map(|p| (p.router_id.as_str(), p.agent_id.as_str())).collect::<Vec<_>>(), [(b.as_str(), id.as_str())]);
    assert_eq!(agents_of(&server, &distributed).await, Vec::<String>::new());
    assert_eq!(auto_schedule(&server.engine, &cx, "nowhere").await.unwrap(), []);
    let server = server.restart(&[("DEFAULT", "service_plugins", "router"), ("DEFAULT", "router_auto_schedule", "false")]).await;
    router(&server, json!({})).await;
    assert_eq!(auto_schedule(&server.engine, &cx, "h2").await.unwrap(), []);
}

#[tokio::test]
async fn a_router_gets_one_agent_whoever_schedules_it() {
    let server = Server::full().await;
    for host in ["h1", "h2", "h3", "h4"] {
        agent(&server, host, json!({})).await;
    }
    let r = router(&server, json!({})).await;
    let path = format!("/routers/{r}");
    let answers = futures::future::join_all((0..8).map(|n| server.put(&path, json!({"router": {"name": format!("n{n}")}})))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(agents_of(&server, &r).await.len(), 1);
}

#[tokio::test]
async fn only_administrators_see_where_routers_are() {
    let server = Server::full().await;
    let a = agent(&server, "h1", json!({})).await;
    let r = router(&server, json!({})).await;
    let member = || neutrino_api::app::Identity {
        user_id: Some("u".to_owned()),
        project_id: Some(neutrino_testing::PROJECT.to_owned()),
        roles: ["member", "reader"].map(str::to_owned).to_vec(),
        ..Default::default()
    };
    let asked = server.send_as(member(), http::Method::GET, &format!("/routers/{r}/l3-agents"), "", &[]).await;
    assert_eq!(asked.status, 403, "{}", asked.text);
    let asked = server.send_as(member(), http::Method::GET, &format!("/agents/{a}/l3-routers"), "", &[]).await;
    assert!(matches!(asked.status, 403 | 404), "{}", asked.text);
}

#[tokio::test]
async fn lists_cost_the_same_for_any_number() {
    let server = Server::full().await;
    let a = agent(&server, "h1", json!({})).await;
    let mut seen = Vec::new();
    for n in 0..12 {
        let r = router(&server, json!({})).await;
        assert_eq!(add(&server, &a, &r).await.status, 201);
        if n == 1 || n == 11 {
            let start = server.statements();
            server.get(&format!("/agents/{a}/l3-routers")).await.expect(200);
            seen.push(server.statements() - start);
        }
    }
    assert_eq!(seen[0], seen[1]);
}
