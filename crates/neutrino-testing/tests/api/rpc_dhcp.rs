// SPDX-License-Identifier: Apache-2.0
//! What DHCP agents ask and are told. Names and forms: recordings of Neutron 29.0.0 with its own agents.

use neutrino_core::{Context, rpc::Message};
use neutrino_services::dhcp_agent_scheduler::{flush, remove_networks_from_down_agents};
use neutrino_testing::Server;
use neutrino_types::Result;
use serde_json::{Value, json};

use crate::{
    agents::age,
    ports::{create, id, network, subnet, update},
    rpc_reports::report,
};

const SUBNET: [&str; 25] = [
    "id",
    "name",
    "project_id",
    "tenant_id",
    "network_id",
    "ip_version",
    "subnetpool_id",
    "enable_dhcp",
    "ipv6_ra_mode",
    "ipv6_address_mode",
    "standard_attr_id",
    "gateway_ip",
    "cidr",
    "allocation_pools",
    "host_routes",
    "dns_nameservers",
    "shared",
    "description",
    "router:external",
    "service_types",
    "segment_id",
    "tags",
    "revision_number",
    "created_at",
    "updated_at",
];
const PORT: [&str; 32] = [
    "id",
    "name",
    "network_id",
    "project_id",
    "tenant_id",
    "mac_address",
    "admin_state_up",
    "status",
    "device_id",
    "device_owner",
    "standard_attr_id",
    "fixed_ips",
    "allowed_address_pairs",
    "extra_dhcp_opts",
    "security_groups",
    "description",
    "binding:vnic_type",
    "binding:profile",
    "binding:host_id",
    "binding:vif_type",
    "binding:vif_details",
    "port_security_enabled",
    "qos_policy_id",
    "qos_network_policy_id",
    "dns_name",
    "dns_assignment",
    "resource_request",
    "ip_allocation",
    "tags",
    "revision_number",
    "created_at",
    "updated_at",
];
const NETWORK: [&str; 8] = ["id", "project_id", "admin_state_up", "subnets", "non_local_subnets", "ports", "mtu", "segments"];

#[track_caller]
fn has_all(object: &Value, names: &[&str]) {
    for name in names {
        assert!(object.get(name).is_some(), "no {name} in {object}");
    }
}

/// An agent of the switch and one for DHCP on a host.
pub async fn host(server: &Server, host: &str) {
    let switch = json!({"configurations": {"tunnel_types": ["vxlan"], "bridge_mappings": {}, "integration_bridge": "br-int"}});
    report(server, "Open vSwitch agent", host, switch).await;
    report(server, "DHCP agent", host, json!({"topic": "dhcp_agent", "availability_zone": "nova", "start_flag": true})).await;
}

async fn agent(server: &Server, host: &str) -> String {
    server.get(&format!("/agents?host={host}&agent_type=DHCP%20agent")).await.expect(200)[0]["id"].as_str().unwrap().to_owned()
}

async fn call(server: &Server, method: &str, args: Value) -> Result<Value> {
    server.rpc("q-plugin", "1.10", method, args).await
}

pub async fn sync(server: &Server, host: &str) -> Vec<Value> {
    call(server, "get_active_networks_info", json!({"host": host})).await.unwrap().as_array().unwrap().clone()
}

/// What DHCP agents were told since the last time: method, host and payload.
async fn told(server: &Server) -> Vec<(String, String, Value)> {
    flush(&server.engine).await;
    let messages = server.bus.take().into_iter().filter(|message| message.topic == "dhcp_agent");
    messages
        .map(|Message { server, fanout, version, method, args, .. }| {
            assert_eq!((version, args.as_object().unwrap().len(), server.is_none()), ("1.0", 1, fanout));
            (method.to_owned(), server.unwrap_or_default(), args["payload"].clone())
        })
        .collect()
}

fn methods(told: &[(String, String, Value)]) -> Vec<(&str, &str)> {
    told.iter().map(|(method, host, _)| (method.as_str(), host.as_str())).collect()
}

fn device_of(host: &str, network: &str) -> String {
    neutrino_services::dhcp_agent_scheduler::device_id(host, network)
}

async fn dhcp_port(server: &Server, host: &str, network: &str, subnets: &[&str]) -> Result<Value> {
    let fixed_ips: Vec<Value> = subnets.iter().map(|id| json!({"subnet_id": id})).collect();
    let port = json!({"name": "", "admin_state_up": true, "device_id": device_of(host, network), "network_id": network,
        "project_id": "p", "fixed_ips": fixed_ips});
    call(server, "create_dhcp_port", json!({"port": {"port": port}, "host": host})).await
}

#[tokio::test]
async fn an_agent_gets_the_networks_that_it_serves_whole() {
    let server = Server::full().await;
    let net = network(&server).await;
    let sub = subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    let without = subnet(&server, &net, "10.1.0.0/24", json!({"enable_dhcp": false})).await;
    let empty = network(&server).await;
    create(&server, &net, json!({})).await.expect(201);
    create(&server, &empty, json!({})).await.expect(201);
    assert!(sync(&server, "h1").await.is_empty(), "no such agent");
    host(&server, "h1").await;
    // Only a network with DHCP wants an agent.
    let infos = sync(&server, "h1").await;
    assert_eq!(infos.len(), 1);
    let info = &infos[0];
    has_all(info, &NETWORK[..7]);
    assert_eq!(info.as_object().unwrap().len(), 7);
    assert_eq!((&info["id"], &info["mtu"], &info["admin_state_up"]), (&json!(net), &json!(1450), &json!(true)));
    assert_eq!((info["subnets"].as_array().unwrap().len(), &info["subnets"][0]["id"]), (1, &json!(sub)));
    assert_eq!((info["ports"].as_array().unwrap().len(), &info["non_local_subnets"]), (1, &json!([])));
    has_all(&info["subnets"][0], &SUBNET);
    has_all(&info["ports"][0], &PORT);
    let all = call(&server, "get_active_networks_info", json!({"host": "h1", "enable_dhcp_filter": false})).await.unwrap();
    assert_eq!(all[0]["subnets"].as_array().unwrap().len(), 2);
    let one = call(&server, "get_network_info", json!({"host": "h1", "network_id": net})).await.unwrap();
    assert_eq!(&one, info);
    let other = json!({"host": "h9", "network_id": net, "enable_dhcp": false});
    assert_eq!(call(&server, "get_network_info", other).await.unwrap()["subnets"][0]["id"], json!(without));
    assert_eq!(call(&server, "get_network_info", json!({"host": "h1", "network_id": "gone"})).await.unwrap(), Value::Null);
    let networks = call(&server, "get_networks", json!({"filters": {"id": [net]}, "fields": ["id", "mtu"]})).await.unwrap();
    assert_eq!(networks, json!([{"id": net, "mtu": 1450}]));
    // A network that is down is not served, and an agent that is switched off serves none.
    server.put(&format!("/networks/{net}"), json!({"network": {"admin_state_up": false}})).await.expect(200);
    assert!(sync(&server, "h1").await.is_empty());
    server.put(&format!("/networks/{net}"), json!({"network": {"admin_state_up": true}})).await.expect(200);
    server.put(&format!("/agents/{}", agent(&server, "h1").await), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    assert!(sync(&server, "h1").await.is_empty());
}

#[tokio::test]
async fn an_agent_of_a_segment_is_told_what_lies_elsewhere() {
    let server = Server::full().await;
    let net = network(&server).await;
    let segment = server.get(&format!("/segments?network_id={net}")).await.expect(200)[0]["id"].as_str().unwrap().to_owned();
    let second = json!({"segment": {"network_id": net, "network_type": "vxlan", "name": "two"}});
    let second = id(&server.post("/segments", second).await.expect(201));
    let here = subnet(&server, &net, "10.0.0.0/24", json!({"segment_id": segment})).await;
    let there = subnet(&server, &net, "10.1.0.0/24", json!({"segment_id": second})).await;
    for (segment, host) in [(&segment, "h1"), (&second, "h2")] {
        server.sql(&format!("INSERT INTO segmenthostmappings (segment_id, host) VALUES ('{segment}', '{host}')")).await;
    }
    host(&server, "h1").await;
    let info = sync(&server, "h1").await.remove(0);
    has_all(&info, &NETWORK);
    let ids = |name: &str| info[name].as_array().unwrap().iter().map(id).collect::<Vec<_>>();
    assert_eq!((ids("subnets"), ids("non_local_subnets")), (vec![here], vec![there]));
    let second = info["segments"].as_array().unwrap().iter().find(|one| one["id"] == json!(second)).unwrap();
    let expected =
        ["id", "network_id", "name", "network_type", "physical_network", "segmentation_id", "is_dynamic", "segment_index", "hosts"];
    has_all(second, &expected);
    assert_eq!((&second["hosts"], &second["name"]), (&json!(["h2"]), &json!("two")));
    // An agent there is given the network when its host is known.
    told(&server).await;
    host(&server, "h2").await;
    assert_eq!(methods(&told(&server).await), [("network_create_end", "h2")]);
}

#[tokio::test]
async fn agents_have_ports_of_their_own() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let net = network(&server).await;
    let sub = subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    let port = dhcp_port(&server, "h1", &net, &[&sub]).await.unwrap();
    has_all(&port, &PORT);
    for (name, value) in [
        ("device_owner", json!("network:dhcp")),
        ("project_id", json!("p")),
        ("binding:host_id", json!("h1")),
        ("binding:vif_type", json!("ovs")),
        ("security_groups", json!([])),
        ("port_security_enabled", json!(false)),
        ("fixed_ips", json!([{"subnet_id": sub, "ip_address": "10.0.0.2"}])),
    ] {
        assert_eq!(port[name], value, "{name}");
    }
    assert_eq!(call(&server, "get_dhcp_port", json!({"port_id": port["id"], "host": "h1"})).await.unwrap(), port);
    let missing = call(&server, "get_dhcp_port", json!({"port_id": "gone"})).await.unwrap_err();
    assert_eq!(missing.kind().name, "PortNotFound");
    let released = json!({"network_id": net, "device_id": device_of("h1", &net), "host": "h1"});
    for _ in 0..2 {
        assert_eq!(call(&server, "release_dhcp_port", released.clone()).await.unwrap(), Value::Null);
        server.get("/ports").await.expect_rows("ports", 0);
    }
    // What is gone is no fault of the agent's: it looks again. Addresses that are used up are.
    assert_eq!(dhcp_port(&server, "h1", "5b2e0a35-5b4d-4c5d-8a3f-7b5c1f9e0d11", &[]).await.unwrap(), Value::Null);
    assert_eq!(dhcp_port(&server, "h1", &net, &["5b2e0a35-5b4d-4c5d-8a3f-7b5c1f9e0d11"]).await.unwrap(), Value::Null);
    let small = subnet(&server, &net, "10.2.0.0/30", json!({})).await;
    create(&server, &net, json!({"fixed_ips": [{"subnet_id": small}]})).await.expect(201);
    let full = dhcp_port(&server, "h1", &net, &[&small]).await.unwrap_err();
    assert_eq!(full.kind().name, "IpAddressGenerationFailure");
}

#[tokio::test]
async fn an_agents_port_costs_few_statements() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let mut costs = Vec::new();
    // The first one makes the project's default group, too.
    for count in [1, 1, 5] {
        let net = network(&server).await;
        let mut subnets = Vec::new();
        for n in 0..count {
            subnets.push(subnet(&server, &net, &format!("10.{n}.0.0/24"), json!({})).await);
        }
        let subnets: Vec<&str> = subnets.iter().map(String::as_str).collect();
        let before = server.statements();
        dhcp_port(&server, "h1", &net, &subnets).await.unwrap();
        costs.push(server.statements() - before);
    }
    assert!(costs[1] <= 30, "{costs:?}");
    // A free address is looked for, and taken, in each subnet.
    assert!(costs[2] <= costs[1] + 2 * 4, "{costs:?}");
}

#[tokio::test]
async fn a_reserved_port_is_taken_by_one_agent() {
    let server = Server::full().await;
    host(&server, "h1").await;
    host(&server, "h2").await;
    let net = network(&server).await;
    let sub = subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    for name in ["h1", "h2"] {
        let given = server.post(&format!("/agents/{}/dhcp-networks", agent(&server, name).await), json!({"network_id": net})).await;
        assert!([201, 409].contains(&given.status), "{}", given.text);
    }
    let port = dhcp_port(&server, "h1", &net, &[&sub]).await.unwrap();
    let gone = server.delete(&format!("/agents/{}/dhcp-networks/{net}", agent(&server, "h1").await)).await;
    assert_eq!(gone.status, 204, "{}", gone.text);
    let reserved = server.get(&format!("/ports/{}", id(&port))).await.expect(200);
    assert_eq!(reserved["device_id"], "reserved_dhcp_port");
    let take = async |host: &str| {
        let change = json!({"port": {"network_id": net, "device_id": device_of(host, &net)}});
        call(&server, "update_dhcp_port", json!({"port_id": id(&port), "port": change, "host": host})).await
    };
    let refused = take("h1").await.unwrap_err();
    assert_eq!(refused.kind().name, "NetworkNotFound", "it serves the network no longer");
    server.post(&format!("/agents/{}/dhcp-networks", agent(&server, "h1").await), json!({"network_id": net})).await.expect(201);
    let (one, two) = futures::future::join(take("h1"), take("h2")).await;
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.is_null(), two.is_null(), "{one} {two}");
    let (winner, loser, taken) = if two.is_null() { ("h1", "h2", one) } else { ("h2", "h1", two) };
    assert_eq!((&taken["device_id"], &taken["binding:host_id"]), (&json!(device_of(winner, &net)), &json!(winner)));
    assert_eq!(taken["fixed_ips"], port["fixed_ips"], "the address stays");
    assert_eq!(take(loser).await.unwrap(), Value::Null);
    // New subnets come to the port.
    let more = subnet(&server, &net, "10.3.0.0/24", json!({})).await;
    let change = json!({"port": {"network_id": net, "fixed_ips": [{"subnet_id": sub, "ip_address": "10.0.0.2"}, {"subnet_id": more}]}});
    let grown = call(&server, "update_dhcp_port", json!({"port_id": id(&port), "port": change, "host": winner})).await.unwrap();
    assert_eq!(grown["fixed_ips"].as_array().unwrap().len(), 2);
    let change = json!({"port_id": "gone", "port": {"port": {"network_id": net}}, "host": winner});
    assert_eq!(call(&server, "update_dhcp_port", change).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_port_waits_for_its_addresses_to_be_served() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let net = network(&server).await;
    subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    let mut ports = Vec::new();
    for n in 0..3 {
        let body = json!({"binding:host_id": "h1", "device_owner": "compute:nova", "device_id": format!("vm{n}")});
        ports.push(id(&create(&server, &net, body).await.expect(201)));
    }
    let blocks = async |entity: &str| server.count(&format!("SELECT count(*) FROM provisioningblocks WHERE entity = '{entity}'")).await;
    assert_eq!((blocks("DHCP").await, blocks("L2").await), (3, 3));
    let done = json!({"port_ids": [ports[0], ports[1], "gone"]});
    assert_eq!(call(&server, "dhcp_ready_on_ports", done.clone()).await.unwrap(), Value::Null);
    assert_eq!((blocks("DHCP").await, blocks("L2").await), (1, 3));
    server.sql("DELETE FROM provisioningblocks WHERE entity = 'L2'").await;
    call(&server, "dhcp_ready_on_ports", done).await.unwrap();
    let status = async |n: usize| server.get(&format!("/ports/{}", ports[n])).await.expect(200)["status"].clone();
    assert_eq!((status(0).await, status(1).await, status(2).await), (json!("ACTIVE"), json!("ACTIVE"), json!("DOWN")));
    assert!(call(&server, "dhcp_ready_on_ports", json!({})).await.is_err());
    // Ports of the network's own services wait for nothing, and neither do those without DHCP.
    create(&server, &net, json!({"binding:host_id": "h1", "device_owner": "network:dhcp"})).await.expect(201);
    let plain = network(&server).await;
    subnet(&server, &plain, "10.1.0.0/24", json!({"enable_dhcp": false})).await;
    create(&server, &plain, json!({"binding:host_id": "h1", "device_owner": "compute:nova"})).await.expect(201);
    assert_eq!(blocks("DHCP").await, 1);
}

#[tokio::test]
async fn agents_hear_of_what_changes_on_their_networks() {
    let server = Server::full().await;
    let net = network(&server).await;
    host(&server, "h1").await;
    assert!(told(&server).await.is_empty(), "a new network waits for its first subnet");
    let sub = subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    let heard = told(&server).await;
    assert_eq!(methods(&heard), [("network_create_end", "h1"), ("subnet_create_end", "h1")]);
    assert_eq!(heard[0].2, json!({"network": {"id": net}, "priority": 0}));
    has_all(&heard[1].2["subnet"], &SUBNET);
    assert_eq!((&heard[1].2["priority"], &heard[1].2["subnet"]["network"]["id"]), (&json!(3), &json!(net)));
    has_all(&heard[1].2["subnet"]["network"], &["subnets", "provider:network_type", "mtu", "standard_attr_id", "availability_zones"]);

    let port = create(&server, &net, json!({"device_owner": "compute:nova", "device_id": "vm"})).await.expect(201);
    let heard = told(&server).await;
    assert_eq!(methods(&heard), [("port_create_end", "h1")]);
    has_all(&heard[0].2["port"], &PORT);
    assert_eq!((&heard[0].2["priority"], &heard[0].2["port"]["network"]["id"]), (&json!(5), &json!(net)));

    update(&server, &port, json!({"name": "x", "device_id": "y"})).await.expect(200);
    assert!(told(&server).await.is_empty(), "agents do not serve names");
    update(&server, &port, json!({"extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": "pxe.0"}]})).await.expect(200);
    let heard = told(&server).await;
    assert_eq!(methods(&heard), [("port_update_end", "h1")]);
    assert_eq!((&heard[0].2["priority"], heard[0].2["port"].get("network")), (&json!(6), None));
    assert_eq!(heard[0].2["port"]["extra_dhcp_opts"][0]["opt_name"], "bootfile-name");

    server.put(&format!("/subnets/{sub}"), json!({"subnet": {"dns_nameservers": ["192.0.2.1"]}})).await.expect(200);
    server.put(&format!("/networks/{net}"), json!({"network": {"name": "other"}})).await.expect(200);
    let heard = told(&server).await;
    assert_eq!(methods(&heard), [("subnet_update_end", "h1"), ("network_update_end", "h1")]);
    assert_eq!((&heard[0].2["subnet"]["dns_nameservers"], &heard[0].2["priority"]), (&json!(["192.0.2.1"]), &json!(3)));
    assert_eq!((&heard[1].2["network"]["name"], &heard[1].2["priority"]), (&json!("other"), &json!(1)));

    server.delete(&format!("/ports/{}", id(&port))).await;
    server.delete(&format!("/subnets/{sub}")).await;
    let heard = told(&server).await;
    assert_eq!(methods(&heard), [("port_delete_end", "h1"), ("subnet_delete_end", "h1")]);
    assert_eq!(heard[0].2, json!({"port_id": port["id"], "network_id": net, "fixed_ips": port["fixed_ips"], "priority": 6}));
    assert_eq!(heard[1].2, json!({"subnet_id": sub, "network_id": net, "priority": 4}));
    server.delete(&format!("/networks/{net}")).await;
    assert_eq!(told(&server).await, [("network_delete_end".to_owned(), String::new(), json!({"network_id": net, "priority": 2}))]);
}

#[tokio::test]
async fn one_agent_of_several_serves_a_new_port_first() {
    let options = [("DEFAULT", "dhcp_agents_per_network", "2"), ("DEFAULT", "dhcp_agent_notification", "true")];
    let server = Server::with(&options).await;
    host(&server, "h1").await;
    host(&server, "h2").await;
    let net = network(&server).await;
    subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    assert_eq!(told(&server).await.len(), 4);
    create(&server, &net, json!({})).await.expect(201);
    let heard = told(&server).await;
    let mut priorities: Vec<i64> = heard.iter().map(|(_, _, payload)| payload["priority"].as_i64().unwrap()).collect();
    priorities.sort_unstable();
    assert_eq!(priorities, [5, 6]);
    assert_ne!(heard[0].1, heard[1].1);
    server.put(&format!("/agents/{}", agent(&server, "h2").await), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    server.bus.take();
    create(&server, &net, json!({})).await.expect(201);
    assert_eq!(methods(&told(&server).await), [("port_create_end", "h1")]);
}

#[tokio::test]
async fn agents_that_are_given_networks_or_lose_them_hear_of_it() {
    let server = Server::full().await;
    let net = network(&server).await;
    subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    host(&server, "h1").await;
    let one = agent(&server, "h1").await;
    server.bus.take();
    server.post(&format!("/agents/{one}/dhcp-networks"), json!({"network_id": net})).await.expect(201);
    assert_eq!(
        told(&server).await[..1],
        [("network_create_end".to_owned(), "h1".to_owned(), json!({"network": {"id": net}, "priority": 0}))]
    );
    server.delete(&format!("/agents/{one}/dhcp-networks/{net}")).await;
    assert_eq!(told(&server).await, [("network_delete_end".to_owned(), "h1".to_owned(), json!({"network_id": net, "priority": 2}))]);
    // What a dead agent served goes to another, which alone is told.
    assert_eq!(sync(&server, "h1").await.len(), 1);
    host(&server, "h2").await;
    age(&server, &one, 1000).await;
    server.bus.take();
    let cx = Context::internal("test");
    assert_eq!(remove_networks_from_down_agents(&server.engine, &cx).await.unwrap(), 1);
    assert_eq!(methods(&told(&server).await), [("network_create_end", "h2")]);
    assert_eq!(server.get(&format!("/networks/{net}/dhcp-agents")).await.expect(200)[0]["host"], "h2");
}

#[tokio::test]
async fn a_port_that_a_router_takes_is_news() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let net = network(&server).await;
    subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    let port = create(&server, &net, json!({})).await.expect(201);
    let router = id(&server.post("/routers", json!({"router": {}})).await.expect(201));
    told(&server).await;
    let body = json!({"port_id": port["id"]});
    assert_eq!(server.put(&format!("/routers/{router}/add_router_interface"), body.clone()).await.status, 200);
    let heard = told(&server).await;
    assert_eq!(methods(&heard), [("port_create_end", "h1")]);
    assert_eq!(heard[0].2["port"]["device_owner"], "network:router_interface");
    assert_eq!(server.put(&format!("/routers/{router}/remove_router_interface"), body).await.status, 200);
    assert_eq!(methods(&told(&server).await), [("port_delete_end", "h1")]);
}

#[tokio::test]
async fn what_is_rolled_back_is_not_told() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let net = network(&server).await;
    subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    told(&server).await;
    let refused = create(&server, &net, json!({"fixed_ips": [{"ip_address": "10.9.9.9"}]})).await;
    assert_eq!(refused.status, 400);
    assert!(told(&server).await.is_empty());
}

#[tokio::test]
async fn metadata_agents_find_ports() {
    let server = Server::full().await;
    let net = network(&server).await;
    subnet(&server, &net, "10.0.0.0/24", json!({})).await;
    let port = create(&server, &net, json!({"device_id": "vm", "fixed_ips": [{"ip_address": "10.0.0.9"}]})).await.expect(201);
    create(&server, &net, json!({"device_id": "other"})).await.expect(201);
    let find = async |filters: Value| server.rpc("q-plugin", "1.0", "get_ports", json!({"filters": filters})).await;
    let found = find(json!({"network_id": [net], "fixed_ips": {"ip_address": ["10.0.0.9"]}})).await.unwrap();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["id"]), (1, &port["id"]));
    has_all(&found[0], &PORT);
    for (filters, count) in [
        (json!({"device_id": ["vm"], "device_owner": ["network:router_interface"]}), 0),
        (json!({"device_id": ["vm", "other"]}), 2),
        (json!({"mac_address": [port["mac_address"]]}), 1),
        (json!({"id": [port["id"]]}), 1),
        (json!({}), 2),
        (Value::Null, 2),
    ] {
        assert_eq!(find(filters.clone()).await.unwrap().as_array().unwrap().len(), count, "{filters}");
    }
    assert_eq!(find(json!({"nothing": ["x"]})).await.unwrap_err().kind().name, "InvalidInput");
}

#[tokio::test]
async fn a_full_synchronization_costs_the_same_for_few_networks_and_for_many() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let mut counts = Vec::new();
    for many in [1, 50] {
        // Networks that nobody was given: the agent finds them by itself.
        server.put(&format!("/agents/{}", agent(&server, "h1").await), json!({"agent": {"admin_state_up": false}})).await.expect(200);
        for n in 0..many {
            let net = network(&server).await;
            subnet(&server, &net, &format!("10.{n}.0.0/24"), json!({})).await;
            create(&server, &net, json!({})).await.expect(201);
        }
        server.put(&format!("/agents/{}", agent(&server, "h1").await), json!({"agent": {"admin_state_up": true}})).await.expect(200);
        told(&server).await;
        for round in 0..2 {
            let before = server.statements();
            sync(&server, "h1").await;
            counts.push((round, server.statements() - before));
        }
    }
    assert_eq!(sync(&server, "h1").await.len(), 51);
    assert_eq!(counts[..2], counts[2..], "statements of the first and of later rounds");
    // Telling agents costs the same for one change and for many.
    let ports = server.get("/ports?fields=id").await.expect(200);
    let change = async |count: usize| {
        for port in &ports.as_array().unwrap()[..count] {
            update(&server, port, json!({"extra_dhcp_opts": [{"opt_name": "x", "opt_value": format!("{count}")}]})).await.expect(200);
        }
        let before = server.statements();
        assert_eq!(told(&server).await.len(), count);
        server.statements() - before
    };
    assert_eq!(change(1).await, change(50).await);
}
