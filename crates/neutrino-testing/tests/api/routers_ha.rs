// SPDX-License-Identifier: Apache-2.0
//! Highly available routers: the attribute, the network of each project, the ports and states at agents.

use neutrino_services::agents::L3;
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

use crate::{
    agents::{age, report, state},
    l3_agent_scheduler::{agent, agents_of, router},
};

async fn ha_networks(server: &Server) -> Vec<Value> {
    let all = server.get("/networks").await.expect(200);
    all.as_array().unwrap().iter().filter(|n| n["name"].as_str().unwrap().starts_with("HA network project ")).cloned().collect()
}

async fn ha_ports(server: &Server, router: &str) -> Vec<Value> {
    let ports = server.get(&format!("/ports?device_owner=network:router_ha_interface&device_id={router}")).await.expect(200);
    ports.as_array().unwrap().clone()
}

async fn agents(server: &Server, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        ids.push(agent(server, &format!("h{n}"), json!({})).await);
    }
    ids
}

/// Nothing is left of routers: no network, port or number.
async fn ensure_clean(server: &Server) {
    for table in
        ["ha_router_networks", "ha_router_vrid_allocations", "ha_router_agent_port_bindings", "routerl3agentbindings", "networks", "ports"]
    {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_project_has_one_network_from_its_first_router_to_its_last() {
    let server = Server::full().await;
    let ids = agents(&server, 4).await;
    let first = router(&server, json!({"ha": true})).await;
    assert_eq!(server.get(&format!("/routers/{first}")).await.expect(200)["ha"], json!(true));
    let networks = ha_networks(&server).await;
    assert_eq!(networks.len(), 1);
    let network = &networks[0];
    assert_eq!((&network["project_id"], &network["shared"]), (&json!(""), &json!(false)));
    assert_eq!(network["name"], json!(format!("HA network project {PROJECT}")));
    let subnet = server.get(&format!("/subnets?network_id={}", network["id"].as_str().unwrap())).await.expect(200)[0].clone();
    assert_eq!((&subnet["cidr"], &subnet["gateway_ip"], &subnet["enable_dhcp"]), (&json!("169.254.192.0/18"), &Value::Null, &json!(false)));
    assert_eq!(agents_of(&server, &first).await.len(), 3, "max_l3_agents_per_router");
    let ports = ha_ports(&server, &first).await;
    assert_eq!(ports.len(), 3);
    for port in &ports {
        assert_eq!((&port["network_id"], &port["project_id"]), (&network["id"], &json!("")));
        assert_eq!(port["fixed_ips"][0]["subnet_id"], subnet["id"]);
        let refused = server.delete(&format!("/ports/{}", port["id"].as_str().unwrap())).await;
        refused.refused(409, "ServicePortInUse");
    }
    let second = router(&server, json!({"ha": true})).await;
    assert_eq!(ha_networks(&server).await.len(), 1);
    assert_eq!(server.count("SELECT count(DISTINCT ha_vr_id) FROM router_extra_attributes").await, 2);
    assert_eq!(server.count("SELECT count(*) FROM ha_router_vrid_allocations").await, 2);
    router(&server, json!({"ha": true, "project_id": "other"})).await;
    assert_eq!(ha_networks(&server).await.len(), 2);
    assert_eq!(server.delete(&format!("/routers/{first}")).await.status, 204);
    assert_eq!(ha_networks(&server).await.len(), 2);
    assert_eq!(server.delete(&format!("/routers/{second}")).await.status, 204);
    let left = ha_networks(&server).await;
    assert_eq!((left.len(), &left[0]["name"]), (1, &json!("HA network project other")));
    assert_eq!(server.count("SELECT count(*) FROM ha_router_vrid_allocations").await, 1);
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn routers_are_plain_unless_asked_for() {
    let server = Server::full().await;
    let plain = router(&server, json!({})).await;
    let path = format!("/routers/{plain}");
    assert_eq!(server.get(&path).await.expect(200)["ha"], json!(false));
    assert_eq!(router(&server, json!({"ha": null})).await.len(), 36);
    assert_eq!(ha_networks(&server).await.len(), 0);
    let server = server.restart(&[("DEFAULT", "service_plugins", "router"), ("DEFAULT", "l3_ha", "true")]).await;
    let usual = router(&server, json!({})).await;
    assert_eq!(server.get(&format!("/routers/{usual}")).await.expect(200)["ha"], json!(true));
    let no = router(&server, json!({"ha": false})).await;
    assert_eq!(server.get(&format!("/routers/{no}")).await.expect(200)["ha"], json!(false));
    let member = neutrino_api::app::Identity {
        user_id: Some("u".to_owned()),
        project_id: Some("p".to_owned()),
        roles: ["member", "reader"].map(str::to_owned).to_vec(),
        ..Default::default()
    };
    let body = json!({"router": {"ha": true}}).to_string();
    assert_eq!(server.send_as(member.clone(), http::Method::POST, "/routers", body, &[]).await.status, 403);
    let made = server.send_as(member.clone(), http::Method::POST, "/routers", json!({"router": {}}).to_string(), &[]).await.expect(201);
    assert_eq!(made.get("ha"), None, "only administrators see it");
    let path = format!("/routers/{}", made["id"].as_str().unwrap());
    assert_eq!(ha_networks(&server).await.len(), 2);
    server.send_as(member.clone(), http::Method::GET, "/networks", "", &[]).await.expect_rows("networks", 0);
    assert_eq!(server.send_as(member, http::Method::DELETE, &path, "", &[]).await.status, 204);
    assert_eq!(ha_networks(&server).await.len(), 1);
}

#[tokio::test]
async fn the_kind_changes_while_the_router_is_down() {
    let server = Server::full().await;
    agents(&server, 2).await;
    let r = router(&server, json!({})).await;
    let network = server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201);
    let subnet = json!({"network_id": network["id"], "ip_version": 4, "cidr": "10.1.0.0/24"});
    let subnet = server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    let path = format!("/routers/{r}");
    server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": subnet["id"]})).await.expect(200);
    assert_eq!(agents_of(&server, &r).await.len(), 1);
    let interface = || async {
        let ports = server.get(&format!("/ports?network_id={}", network["id"].as_str().unwrap())).await.expect(200);
        ports[0]["device_owner"].as_str().unwrap().to_owned()
    };
    server.put(&path, json!({"router": {"ha": true}})).await.refused(400, "BadRequest");
    server.put(&path, json!({"router": {"ha": false, "name": "x"}})).await.expect(200);
    let changed = server.put(&path, json!({"router": {"ha": true, "admin_state_up": false}})).await.expect(200);
    assert_eq!(changed["ha"], json!(true));
    assert_eq!(interface().await, "network:ha_router_replicated_interface");
    assert_eq!(agents_of(&server, &r).await.len(), 2);
    assert_eq!(ha_ports(&server, &r).await.len(), 2);
    server.put(&path, json!({"router": {"admin_state_up": true}})).await.expect(200);
    server.put(&path, json!({"router": {"ha": false}})).await.refused(400, "BadRequest");
    server.put(&path, json!({"router": {"admin_state_up": false}})).await.expect(200);
    server.put(&path, json!({"router": {"ha": false}})).await.expect(200);
    assert_eq!(interface().await, "network:router_interface");
    assert_eq!((agents_of(&server, &r).await.len(), ha_ports(&server, &r).await.len()), (1, 0));
    assert_eq!(ha_networks(&server).await.len(), 0);
    server.put(&path, json!({"router": {"ha": true, "distributed": true}})).await.expect(200);
    assert_eq!(interface().await, "network:router_interface_distributed");
    server.put(&path, json!({"router": {"distributed": false}})).await.expect(200);
    assert_eq!(interface().await, "network:ha_router_replicated_interface");
    server.put(&format!("{path}/remove_router_interface"), json!({"subnet_id": subnet["id"]})).await.expect(200);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.delete(&format!("/networks/{}", network["id"].as_str().unwrap())).await.status, 204);
    ensure_clean(&server).await;
}

#[tokio::test]
async fn agents_come_and_go() {
    let server = Server::with(&[("DEFAULT", "service_plugins", "router"), ("DEFAULT", "max_l3_agents_per_router", "0")]).await;
    let r = router(&server, json!({"ha": true})).await;
    assert_eq!((agents_of(&server, &r).await.len(), ha_networks(&server).await.len()), (0, 1));
    let ids = agents(&server, 4).await;
    report(&server, state(L3, "compute", Some("nova"), json!({"agent_mode": "dvr"}))).await;
    server.put(&format!("/routers/{r}"), json!({"router": {"name": "x"}})).await.expect(200);
    assert_eq!(agents_of(&server, &r).await.len(), 4);
    assert_eq!(server.delete(&format!("/agents/{}/l3-routers/{r}", ids[0])).await.status, 204);
    assert_eq!((agents_of(&server, &r).await.len(), ha_ports(&server, &r).await.len()), (3, 3));
    assert_eq!(server.delete(&format!("/agents/{}", ids[1])).await.status, 204);
    assert_eq!((agents_of(&server, &r).await.len(), ha_ports(&server, &r).await.len()), (2, 2));
    let back = server.post(&format!("/agents/{}/l3-routers", ids[0]), json!({"router_id": r})).await;
    assert_eq!(back.status, 201, "{}", back.text);
    assert_eq!((agents_of(&server, &r).await.len(), ha_ports(&server, &r).await.len()), (3, 3));
    assert_eq!(server.delete(&format!("/routers/{r}")).await.status, 204);
    ensure_clean(&server).await;
}

#[tokio::test]
async fn states_are_what_living_agents_say() {
    let server = Server::full().await;
    let ids = agents(&server, 2).await;
    let r = router(&server, json!({"ha": true})).await;
    let states = || async {
        let agents = server.get(&format!("/routers/{r}/l3-agents")).await.expect(200);
        let state = |id: &String| agents.as_array().unwrap().iter().find(|a| a["id"] == json!(id)).unwrap()["ha_state"].clone();
        ids.iter().map(state).collect::<Vec<_>>()
    };
    assert_eq!(states().await, ["standby", "standby"]);
    server.sql(&format!("UPDATE ha_router_agent_port_bindings SET state = 'active' WHERE l3_agent_id = '{}'", ids[0])).await;
    assert_eq!(states().await, ["active", "standby"]);
    age(&server, &ids[0], 100).await;
    assert_eq!(states().await, ["standby", "standby"], "another will take over");
    age(&server, &ids[1], 100).await;
    assert_eq!(states().await, ["unknown", "standby"], "who is active cannot be told");
}

#[tokio::test]
async fn the_operator_says_what_the_network_is() {
    let options = [
        ("DEFAULT", "service_plugins", "router"),
        ("DEFAULT", "l3_ha_net_cidr", "198.18.0.0/24"),
        ("DEFAULT", "l3_ha_network_type", "vlan"),
        ("DEFAULT", "l3_ha_network_physical_name", "physnet1"),
        ("ml2", "type_drivers", "local,flat,vlan,gre,vxlan,geneve"),
        ("ml2_type_vlan", "network_vlan_ranges", "physnet1:100:200"),
    ];
    let server = Server::with(&options).await;
    router(&server, json!({"ha": true})).await;
    let network = ha_networks(&server).await.remove(0);
    assert_eq!((&network["provider:network_type"], &network["provider:physical_network"]), (&json!("vlan"), &json!("physnet1")));
    assert_eq!(server.get("/subnets?cidr=198.18.0.0/24").await.expect(200).as_array().unwrap().len(), 1);
    for wrong in ["198.18.0.0", "198.18.0.1/24", "x"] {
        let tables =
            [&[neutrino_core::plugins::OPTIONS][..], neutrino_ml2::OPTIONS, neutrino_services::OPTIONS, neutrino_l3::OPTIONS].concat();
        let config = [("DEFAULT", "service_plugins", "router"), ("DEFAULT", "l3_ha_net_cidr", wrong)];
        let config = oslo_config::Config::for_test(&tables, &config).unwrap();
        let told = neutrino_l3::register(&mut neutrino_core::Builder::default(), &config).unwrap_err();
        assert!(told.contains("l3_ha_net_cidr"), "{told}");
    }
}

#[tokio::test]
async fn an_operator_may_give_a_project_its_network() {
    let server = Server::full().await;
    let given = server.post("/networks", json!({"network": {"name": "given", "ha": true}})).await.expect(201);
    assert_eq!(given.get("ha"), None);
    server.post("/networks", json!({"network": {"ha": true}})).await.refused(409, "DuplicatedHANetwork");
    let r = router(&server, json!({"ha": true})).await;
    assert_eq!(ha_networks(&server).await.len(), 0);
    assert_eq!(
        server.get(&format!("/subnets?network_id={}", given["id"].as_str().unwrap())).await.expect(200).as_array().unwrap().len(),
        1
    );
    assert_eq!(server.delete(&format!("/routers/{r}")).await.status, 204);
    ensure_clean(&server).await;
}

#[tokio::test]
async fn a_full_network_takes_no_more_routers() {
    let server = Server::full().await;
    let r = router(&server, json!({"ha": true})).await;
    let network = ha_networks(&server).await.remove(0);
    server.sql("DELETE FROM ha_router_vrid_allocations").await;
    let rows: Vec<String> = (1..=254).map(|vr_id| format!("('{}', {vr_id})", network["id"].as_str().unwrap())).collect();
    server.sql(&format!("INSERT INTO ha_router_vrid_allocations (network_id, vr_id) VALUES {}", rows.join(", "))).await;
    server.post("/routers", json!({"router": {"ha": true}})).await.refused(409, "NoVRIDAvailable");
    assert_eq!(server.delete(&format!("/routers/{r}")).await.status, 204);
    ensure_clean(&server).await;
}

#[tokio::test]
async fn many_at_once_leave_nothing_behind() {
    let server = Server::full().await;
    agents(&server, 3).await;
    let life = |n: usize| {
        let server = &server;
        async move {
            for round in 0..3 {
                let body = json!({"router": {"name": format!("r{n}-{round}"), "ha": true, "project_id": format!("p{}", n % 2)}});
                let made = server.post("/routers", body).await.expect(201);
                let id = made["id"].as_str().unwrap().to_owned();
                if round == 1 {
                    server.put(&format!("/routers/{id}"), json!({"router": {"name": "x"}})).await.expect(200);
                }
                let gone = server.delete(&format!("/routers/{id}")).await;
                assert_eq!(gone.status, 204, "{}", gone.text);
            }
        }
    };
    futures::future::join_all((0..12).map(life)).await;
    ensure_clean(&server).await;
    futures::future::join_all((0..8).map(|n| router(&server, json!({"ha": n > 1})))).await;
    assert_eq!(ha_networks(&server).await.len(), 1);
    assert_eq!(server.count("SELECT count(*) FROM ha_router_vrid_allocations").await, 6);
    assert_eq!(server.count("SELECT count(*) FROM ha_router_agent_port_bindings").await, 18);
}
