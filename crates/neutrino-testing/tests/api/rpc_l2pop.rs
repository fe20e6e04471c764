// SPDX-License-Identifier: Apache-2.0
//! What the driver `l2population` tells agents. Host `hN` has its tunnels end at 192.0.2.N.

use neutrino_core::{Context, changes, rpc::Message};
use neutrino_ml2::mech::distributed::update_distributed_port_binding;
use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::{
    bindings::{agent, on_host, segmented},
    l3_agent_scheduler::{agent as l3_agent, router},
    ports::{create, id, subnet, update},
    rpc_devices::{ML2, call},
};

const FLOOD: [&str; 2] = ["00:00:00:00:00:00", "0.0.0.0"];

async fn lab(hosts: &[usize]) -> (Server, String) {
    let server = Server::with(ML2).await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    subnet(&server, &net, "10.5.0.0/16", json!({})).await;
    for n in hosts {
        let reported = json!({"tunnel_types": ["vxlan"], "tunneling_ip": format!("192.0.2.{n}"), "l2_population": true});
        agent(&server, "Open vSwitch agent", &format!("h{n}"), reported, 0).await;
    }
    (server, net)
}

async fn report(server: &Server, up: bool, ports: &[&Value], host: &str) -> Vec<Message> {
    let ports: Vec<String> = ports.iter().map(|port| id(port)).collect();
    let (up, down) = if up { (ports, vec![]) } else { (vec![], ports) };
    server.bus.take();
    call(server, "update_device_list", json!({"devices_up": up, "devices_down": down, "agent_id": "a", "host": host})).await;
    told(server)
}

fn told(server: &Server) -> Vec<Message> {
    server.bus.take().into_iter().filter(|message| message.topic == "q-agent-notifier-l2population-update").collect()
}

/// The entries of a port.
fn of(port: &Value) -> Vec<Value> {
    port["fixed_ips"].as_array().unwrap().iter().map(|ip| json!([port["mac_address"], ip["ip_address"]])).collect()
}

fn entries(flood: bool, ports: &[&Value]) -> Value {
    let mut all: Vec<Value> = if flood { vec![json!(FLOOD)] } else { vec![] };
    all.extend(ports.iter().flat_map(|port| of(port)));
    json!(all)
}

fn fdb(net: &str, tunnels: &Value) -> Value {
    json!({"fdb_entries": {net: {"segment_id": 5, "network_type": "vxlan", "ports": tunnels}}})
}

/// `(method, host or all, args)`.
fn short(messages: &[Message]) -> Vec<(&str, &str, Value)> {
    messages.iter().map(|m| (m.method, if m.fanout { "all" } else { m.server.as_deref().unwrap() }, m.args.clone())).collect()
}

#[tokio::test]
async fn ports_come_and_go() {
    let (server, net) = lab(&[1, 2]).await;
    let mut ports = Vec::new();
    for host in ["h1", "h1", "h2", "h1"] {
        ports.push(on_host(&server, &net, host, json!({})).await.expect(201));
    }
    let [a, b, c, late] = <[Value; 4]>::try_from(ports).unwrap();
    assert_eq!(told(&server), [], "nothing is up");
    let first = report(&server, true, &[&a], "h1").await;
    assert_eq!(short(&first), [("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(true, &[&a])})))]);
    assert_eq!(first[0].version, "1.0");
    report(&server, true, &[&b], "h1").await;
    let (one, two) = (entries(true, &[&a, &b]), entries(true, &[&c]));
    let far = report(&server, true, &[&c], "h2").await;
    let mut known = far[0].args["fdb_entries"][&net]["ports"]["192.0.2.1"].as_array().unwrap().clone();
    known.sort_by_key(Value::to_string);
    let mut expected = one.as_array().unwrap().clone();
    expected.sort_by_key(Value::to_string);
    assert_eq!((far[0].server.as_deref(), known), (Some("h2"), expected), "the new host learns all");
    assert_eq!(short(&far[1..]), [("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.2": two})))]);
    let third = report(&server, true, &[&late], "h1").await;
    assert_eq!(short(&third), [("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(false, &[&late])})))]);
    assert_eq!(report(&server, true, &[&late], "h2").await, [], "not its port");

    let gone = report(&server, false, &[&late], "h1").await;
    assert_eq!(short(&gone), [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(false, &[&late])})))]);
    server.delete(&format!("/ports/{}", id(&a))).await;
    assert_eq!(short(&told(&server)), [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(false, &[&a])})))]);
    server.delete(&format!("/ports/{}", id(&b))).await;
    let last = told(&server);
    assert_eq!(
        short(&last),
        [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(true, &[&b])})))],
        "the last of the host"
    );
    let unbound = create(&server, &net, json!({})).await.expect(201);
    server.delete(&format!("/ports/{}", id(&unbound))).await;
    assert_eq!(told(&server), []);
}

#[tokio::test]
async fn many_ports_are_one_message_and_a_restarted_agent_learns_again() {
    let (server, net) = lab(&[1, 2]).await;
    let mut ports = Vec::new();
    for n in 0..6 {
        ports.push(on_host(&server, &net, if n < 5 { "h1" } else { "h2" }, json!({})).await.expect(201));
    }
    report(&server, true, &[&ports[5]], "h2").await;
    let messages = report(&server, true, &ports[..5].iter().collect::<Vec<_>>(), "h1").await;
    assert_eq!(short(&messages[..1]), [("add_fdb_entries", "h1", fdb(&net, &json!({"192.0.2.2": entries(true, &[&ports[5]])})))]);
    let all = messages[1].args["fdb_entries"][&net]["ports"]["192.0.2.1"].as_array().unwrap().len();
    assert_eq!((messages.len(), all), (2, 6));
    let again = json!({"devices_up": ports[..5].iter().map(id).collect::<Vec<_>>(), "host": "h1", "refresh_tunnels": true});
    call(&server, "update_device_list", again).await;
    let messages = told(&server);
    assert_eq!((messages.len(), messages[0].server.as_deref()), (2, Some("h1")));
}

/// The broker was away, or a server was killed: who changed lately is told again, as if it came up now.
#[tokio::test]
async fn what_agents_may_not_have_heard_is_told_again() {
    let (server, net) = lab(&[1, 2]).await;
    let mut ports = Vec::new();
    for host in ["h1", "h1", "h2", "h2"] {
        ports.push(on_host(&server, &net, host, json!({})).await.expect(201));
    }
    let [old, new, far, down] = <[Value; 4]>::try_from(ports).unwrap();
    report(&server, true, &[&old, &new], "h1").await;
    report(&server, true, &[&far], "h2").await;
    let only = format!("SELECT standard_attr_id FROM ports WHERE id IN ('{}', '{}')", id(&new), id(&down));
    server.sql(&format!("UPDATE standardattributes SET updated_at = '2020-01-01 00:00:00' WHERE id NOT IN ({only})")).await;
    let away_since = Context::internal("").now();
    changes::tell_again(&server.engine, away_since).await;
    let again = told(&server);
    let expected = fdb(&net, &json!({"192.0.2.1": entries(true, &[&new])}));
    assert_eq!(short(&again), [("add_fdb_entries", "all", expected)], "what is up, and no port that did not change");
    let long_ago = away_since - chrono::Duration::days(9999);
    changes::tell_again(&server.engine, long_ago).await;
    let again = told(&server);
    let tunnels = again[0].args["fdb_entries"][&net]["ports"].as_object().unwrap();
    let mut said: Vec<_> = tunnels.iter().map(|(ip, entries)| (ip.as_str(), entries.as_array().unwrap().len())).collect();
    said.sort_unstable();
    assert_eq!((again.len(), said), (1, vec![("192.0.2.1", 3), ("192.0.2.2", 2)]), "an outage of any length: both hosts");
}

#[tokio::test]
async fn a_port_moves_and_changes_its_addresses() {
    let (server, net) = lab(&[1, 2]).await;
    let at = |address: &str| json!({"fixed_ips": [{ "ip_address": address }]});
    let port = on_host(&server, &net, "h1", at("10.5.0.100")).await.expect(201);
    let stays = on_host(&server, &net, "h2", at("10.5.0.101")).await.expect(201);
    report(&server, true, &[&port], "h1").await;
    report(&server, true, &[&stays], "h2").await;
    update(&server, &port, json!({"mac_address": "fa:16:3e:00:00:01", "binding:host_id": "h1"})).await;
    told(&server);
    let old = of(&port);
    let now = update(&server, &port, at("10.5.0.200")).await.expect(200);
    let change = json!({"chg_ip": {&net: {"192.0.2.1": {"before": old, "after": of(&now)}}}});
    assert_eq!(short(&told(&server)), [("update_fdb_entries", "all", json!({"fdb_entries": change}))]);
    let moved = update(&server, &port, json!({"binding:host_id": "h2"})).await.expect(200);
    assert_eq!(short(&told(&server)), [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(true, &[&now])})))]);
    let up = report(&server, true, &[&moved], "h2").await;
    assert_eq!(up.last().unwrap().args["fdb_entries"][&net]["ports"]["192.0.2.2"].as_array().unwrap().last(), of(&now).last());
    let left = report(&server, false, &[&moved], "h1").await;
    assert_eq!(
        short(&left),
        [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": entries(true, &[&now])})))],
        "its old host says so, too"
    );
}

#[tokio::test]
async fn distributed_ports_are_flooded_to_only() {
    let (server, net) = lab(&[1, 2]).await;
    let port = create(&server, &net, json!({"device_owner": "network:router_interface_distributed"})).await.expect(201);
    let cx = Context::internal("test");
    for host in ["h1", "h2"] {
        update_distributed_port_binding(&server.engine, &cx, &id(&port), host, "r1").await.unwrap();
    }
    let first = report(&server, true, &[&port], "h1").await;
    assert_eq!(short(&first).last().unwrap(), &("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": [FLOOD]}))));
    let second = report(&server, true, &[&port], "h2").await;
    assert_eq!(
        short(&second),
        [
            ("add_fdb_entries", "h2", fdb(&net, &json!({"192.0.2.1": [FLOOD]}))),
            ("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.2": [FLOOD]}))),
        ]
    );
    let down = report(&server, false, &[&port], "h2").await;
    assert_eq!(short(&down), [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.2": [FLOOD]})))]);
    server.delete(&format!("/ports/{}", id(&port))).await;
}

#[tokio::test]
async fn ports_of_highly_available_routers_are_on_all_their_hosts() {
    let server = Server::with(&[ML2[0], ML2[1], ("DEFAULT", "service_plugins", "router")]).await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    let inside = subnet(&server, &net, "10.5.0.0/16", json!({})).await;
    for n in [1, 2] {
        l3_agent(&server, &format!("h{n}"), json!({})).await;
        let reported = json!({"tunnel_types": ["vxlan"], "tunneling_ip": format!("192.0.2.{n}")});
        agent(&server, "Open vSwitch agent", &format!("h{n}"), reported, 0).await;
    }
    let router = router(&server, json!({"ha": true})).await;
    server.put(&format!("/routers/{router}/add_router_interface"), json!({"subnet_id": inside})).await;
    let port = server.get(&format!("/ports?network_id={net}")).await.expect(200)[0].clone();
    assert_eq!(port["device_owner"], "network:ha_router_replicated_interface");
    let port = update(&server, &port, json!({"binding:host_id": "h1"})).await.expect(200);
    let first = report(&server, true, &[&port], "h1").await;
    assert_eq!(
        short(&first),
        [
            ("add_fdb_entries", "h1", fdb(&net, &json!({"192.0.2.2": [FLOOD]}))),
            ("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.1": [FLOOD]}))),
        ],
        "its address is on either host"
    );
    let second = report(&server, true, &[&port], "h2").await;
    assert_eq!(
        short(&second),
        [
            ("add_fdb_entries", "h2", fdb(&net, &json!({"192.0.2.1": [FLOOD]}))),
            ("add_fdb_entries", "all", fdb(&net, &json!({"192.0.2.2": [FLOOD]}))),
        ]
    );
    let down = report(&server, false, &[&port], "h2").await;
    assert_eq!(short(&down), [("remove_fdb_entries", "all", fdb(&net, &json!({"192.0.2.2": entries(false, &[&port])})))]);
}

#[tokio::test]
async fn networks_without_tunnels_and_hosts_without_are_left_alone() {
    let (server, net) = lab(&[1]).await;
    agent(&server, "Open vSwitch agent", "bare", json!({"tunnel_types": ["vxlan"]}), 0).await;
    let port = on_host(&server, &net, "bare", json!({})).await.expect(201);
    assert_eq!(report(&server, true, &[&port], "bare").await, []);
    let flat = segmented(&server, "flat", Some("physnet1"), None).await;
    server.sql("UPDATE agents SET configurations = '{\"tunnel_types\": [\"vxlan\"], \"tunneling_ip\": \"192.0.2.1\", \"bridge_mappings\": {\"physnet1\": \"br\"}}' WHERE host = 'h1'").await;
    let port = on_host(&server, &flat, "h1", json!({})).await.expect(201);
    assert_eq!(port["binding:vif_type"], "ovs");
    assert_eq!(report(&server, true, &[&port], "h1").await, []);
}
