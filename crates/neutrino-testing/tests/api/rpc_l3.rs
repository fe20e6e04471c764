// SPDX-License-Identifier: Apache-2.0
//! What L3 agents ask, and what they are told of routers.

use std::collections::BTreeSet;

use neutrino_core::{Context, changes, rpc::Message};
use neutrino_services::agents::L3;
use neutrino_testing::{Server, contract};
use serde_json::{Value, json};

use crate::{
    agents::{age, report, state},
    l3_agent_scheduler::{agent, agents_of, router},
    routers::network,
};

/// A host with an L3 agent of this mode and an OVS agent that binds.
pub async fn host(server: &Server, name: &str, mode: &str) -> String {
    let ovs = json!({"bridge_mappings": {"physnet1": "br-ex"}, "tunnel_types": ["vxlan"], "integration_bridge": "br-int",
        "ovs_hybrid_plug": false, "datapath_type": "system"});
    report(server, state("Open vSwitch agent", name, None, ovs)).await;
    report(server, state(L3, name, Some("nova"), json!({"agent_mode": mode}))).await.id
}

pub async fn call(server: &Server, method: &str, args: Value) -> Value {
    server.rpc("q-l3-plugin", "1.0", method, args).await.unwrap()
}

pub async fn sync(server: &Server, host: &str, ids: Value) -> Vec<Value> {
    call(server, "sync_routers", json!({"host": host, "router_ids": ids})).await.as_array().unwrap().clone()
}

pub async fn ids(server: &Server, host: &str) -> BTreeSet<String> {
    let ids = server.rpc("q-l3-plugin", "1.9", "get_router_ids", json!({ "host": host })).await.unwrap();
    ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

/// What was sent, as `method host arguments`; fanouts have `*` for a host.
pub fn told(server: &Server) -> Vec<String> {
    let one = |message: Message| {
        let host = if message.fanout { "*".to_owned() } else { message.server.unwrap_or_default() };
        (message.topic == "l3_agent").then(|| format!("{} {host} {}", message.method, message.args))
    };
    server.bus.take().into_iter().filter_map(one).collect()
}

pub fn updated(router: &str, host: &str) -> String {
    format!("routers_updated {host} {}", json!({"routers": [router]}))
}

async fn plug(server: &Server, router: &str, subnet: &str) -> String {
    let done = server.put(&format!("/routers/{router}/add_router_interface"), json!({ "subnet_id": subnet })).await;
    assert_eq!(done.status, 200, "{}", done.text);
    done.body["port_id"].as_str().unwrap().to_owned()
}

/// A router on `host` that leads from a subnet out, with a machine's port that has a floating IP.
struct Topology {
    outside: String,
    subnet: String,
    router: String,
    port: String,
    floating_ip: String,
}

impl Topology {
    async fn new(server: &Server, number: usize) -> Self {
        let (outside, _) = network(server, json!({"router:external": true}), &format!("198.51.{number}.0/24")).await;
        let (inside, subnet) = network(server, json!({}), &format!("10.{number}.0.0/24")).await;
        let router = router(server, json!({"external_gateway_info": {"network_id": outside}})).await;
        plug(server, &router, &subnet).await;
        let port = json!({"port": {"network_id": inside, "device_owner": "compute:nova", "device_id": "vm"}});
        let port = server.post("/ports", port).await.expect(201)["id"].as_str().unwrap().to_owned();
        let floating_ip = json!({"floatingip": {"floating_network_id": outside, "port_id": port}});
        let floating_ip = server.post("/floatingips", floating_ip).await.expect(201)["id"].as_str().unwrap().to_owned();
        Self { outside, subnet, router, port, floating_ip }
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_router_is_synced_whole_and_its_ports_bound() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    assert_eq!(ids(&server, "h1").await, BTreeSet::from([there.router.clone()]));
    let synced = sync(&server, "h1", json!([there.router])).await;
    assert_eq!(synced.len(), 1);
    let router = &synced[0];
    let known = contract::read("rpc-shapes.json");
    let known = &known["l3_sync_routers"][0];
    for (what, ours, theirs) in [
        ("router", router, known),
        ("gateway", &router["gw_port"], &known["gw_port"]),
        ("interface", &router["_interfaces"][0], &known["_interfaces"][0]),
        ("floating IP", &router["_floatingips"][0], &known["_floatingips"][0]),
    ] {
        let missing: Vec<&str> = keys(theirs).difference(&keys(ours)).copied().collect();
        assert_eq!(missing, Vec::<&str>::new(), "{what}");
    }
    for port in [&router["gw_port"], &router["_interfaces"][0]] {
        assert_eq!((&port["binding:host_id"], &port["binding:vif_type"]), (&json!("h1"), &json!("ovs")));
        assert_eq!((&port["fixed_ips"][0]["prefixlen"], &port["extra_subnets"]), (&json!(24), &json!([])));
        assert_eq!(port["address_scopes"], json!({"4": null, "6": null}));
        assert!(port["mtu"].as_i64().unwrap() > 0, "{port}");
    }
    let interface = &router["_interfaces"][0];
    assert_eq!(
        interface["subnets"],
        json!([{"id": there.subnet, "cidr": "10.1.0.0/24", "gateway_ip": "10.1.0.1", "dns_nameservers": [], "ipv6_ra_mode": null, "subnetpool_id": null}])
    );
    assert_eq!((&router["gw_port_host"], &router["ha_vr_id"], &router["enable_snat"]), (&json!("h1"), &json!(0), &json!(true)));
    assert_eq!((&router["_floatingips"][0]["id"], &router["gw_port"]["network_id"]), (&json!(there.floating_ip), &json!(there.outside)));
    assert!(router.get("_snat_router_interfaces").is_none(), "for DVR agents only");
    // All, or those that are asked for; what the agent does not have is left out.
    assert_eq!(sync(&server, "h1", Value::Null).await.len(), 1);
    assert_eq!(sync(&server, "h1", json!(["11111111-1111-1111-1111-111111111111"])).await.len(), 0);
    server.put(&format!("/routers/{}", there.router), json!({"router": {"admin_state_up": false}})).await.expect(200);
    assert_eq!(sync(&server, "h1", Value::Null).await.len(), 0, "it is down");
    let unknown = server.rpc("q-l3-plugin", "1.0", "sync_routers", json!({"host": "nowhere"})).await.unwrap_err();
    assert_eq!(unknown.kind().name, "AgentNotFoundByTypeHost");
    assert_eq!(ids(&server, "nowhere").await.len(), 0);
}

#[tokio::test]
async fn an_agent_that_is_switched_off_has_nothing() {
    let server = Server::full().await;
    let id = host(&server, "h1", "legacy").await;
    Topology::new(&server, 1).await;
    server.put(&format!("/agents/{id}"), json!({"agent": {"admin_state_up": false}})).await.expect(200);
    assert_eq!((ids(&server, "h1").await.len(), sync(&server, "h1", Value::Null).await.len()), (0, 0));
}

#[tokio::test]
async fn ports_follow_the_router_to_another_agent() {
    let server = Server::full().await;
    let first = host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    sync(&server, "h1", Value::Null).await;
    let second = host(&server, "h2", "legacy").await;
    server.bus.take();
    assert_eq!(server.delete(&format!("/agents/{first}/l3-routers/{}", there.router)).await.status, 204);
    assert_eq!(told(&server), [format!("router_removed_from_agent h1 {}", json!({"payload": {"router_id": there.router}}))]);
    assert_eq!(server.post(&format!("/agents/{second}/l3-routers"), json!({"router_id": there.router})).await.status, 201);
    assert_eq!(told(&server), [format!("router_added_to_agent h2 {}", json!({"payload": [there.router]}))]);
    assert_eq!(sync(&server, "h1", json!([there.router])).await.len(), 0);
    let router = sync(&server, "h2", json!([there.router])).await.remove(0);
    assert_eq!((&router["gw_port"]["binding:host_id"], &router["_interfaces"][0]["binding:host_id"]), (&json!("h2"), &json!("h2")));
}

#[tokio::test]
async fn a_sync_costs_the_same_for_many_routers() {
    let server = Server::full().await;
    host(&server, "h1", "dvr_snat").await;
    let mut costs = Vec::new();
    for count in [1, 30] {
        for number in costs.len() * 40 + 1..=costs.len() * 40 + count {
            Topology::new(&server, number).await;
        }
        sync(&server, "h1", Value::Null).await;
        let before = server.statements();
        assert!(sync(&server, "h1", Value::Null).await.len() >= count);
        costs.push(server.statements() - before);
    }
    assert_eq!(costs[0], costs[1]);
    let before = server.statements();
    assert!(ids(&server, "h1").await.len() > 30);
    assert!(server.statements() - before <= 8, "{}", server.statements() - before);
}

/// How many objects have reached each revision: another number whenever one of them rises. (A sum has another type on each database.)
async fn revisions(server: &Server) -> Vec<i64> {
    let mut reached = Vec::new();
    for revision in 0..20 {
        reached.push(server.count(&format!("SELECT count(*) FROM standardattributes WHERE revision_number >= {revision}")).await);
    }
    reached
}

/// The first sync after routers came, which binds their ports; the second one writes nothing.
#[tokio::test]
async fn a_sync_that_binds_costs_the_same_for_many_routers() {
    let server = Server::full().await;
    host(&server, "h1", "dvr_snat").await;
    for distributed in [false, true] {
        let mut costs = Vec::new();
        for count in [1, 20] {
            let first = 1 + costs.len() * 30 + usize::from(distributed) * 100;
            for number in first..first + count {
                let (outside, _) = network(&server, json!({"router:external": true}), &format!("198.51.{number}.0/24")).await;
                let (_, subnet) = network(&server, json!({}), &format!("10.{number}.0.0/24")).await;
                let router = router(&server, json!({"distributed": distributed, "external_gateway_info": {"network_id": outside}})).await;
                plug(&server, &router, &subnet).await;
            }
            server.bus.take();
            let before = server.statements();
            let routers = sync(&server, "h1", Value::Null).await;
            costs.push(server.statements() - before);
            let moved = if distributed { 2 } else { 2 * count };
            // What follows the commit may still be under way.
            let mut told = 0;
            for _ in 0..200 {
                told += server.bus.take_method("port_update").len();
                if told >= moved.min(2 * count) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            assert!(told >= moved.min(2 * count), "{told} ports of {count} routers");
            for router in routers {
                assert_eq!((&router["gw_port"]["binding:host_id"], &router["gw_port"]["binding:vif_type"]), (&json!("h1"), &json!("ovs")));
            }
            let levels = "SELECT count(*) FROM routerports r WHERE NOT EXISTS (SELECT 1 FROM ml2_port_binding_levels l WHERE l.port_id = r.port_id AND l.host = 'h1')";
            assert_eq!(server.count(levels).await, 0);
            let before = revisions(&server).await;
            sync(&server, "h1", Value::Null).await;
            assert_eq!(revisions(&server).await, before);
        }
        assert_eq!(costs[0], costs[1], "distributed: {distributed}");
    }
}

/// A server that is killed between a commit and its messages: the next one says them.
#[tokio::test]
async fn what_was_not_told_before_a_crash_is_told_at_the_start() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    report(&server, state("DHCP agent", "h1", Some("nova"), json!({}))).await;
    let there = Topology::new(&server, 1).await;
    let old = Topology::new(&server, 2).await;
    sync(&server, "h1", Value::Null).await;
    let before = "UPDATE standardattributes SET updated_at = '2020-01-01 00:00:00' WHERE id IN (SELECT standard_attr_id FROM";
    for table in ["routers", "networks", "subnets", "ports", "floatingips", "securitygroups", "securitygrouprules"] {
        server.sql(&format!("{before} {table})")).await;
    }
    let recall = async || {
        server.bus.take();
        let since = changes::untold_since(&server.engine, &Context::internal("")).await.unwrap();
        neutrino_l3::notifier::recall(&server.engine, since).await.unwrap();
        neutrino_services::dhcp_agent_scheduler::recall(&server.engine, since).await.unwrap();
        server.bus.take()
    };
    server.put(&format!("/floatingips/{}", there.floating_ip), json!({"floatingip": {"description": "new"}})).await.expect(200);
    server.put(&format!("/ports/{}", old.port), json!({"port": {"description": "new"}})).await.expect(200);
    let messages = recall().await;
    let of =
        |method: &str| messages.iter().filter(|message| message.method == method).map(|message| message.args.clone()).collect::<Vec<_>>();
    assert_eq!(of("routers_updated"), [json!({"routers": [there.router]})]);
    let networks = of("network_update_end");
    assert_eq!(networks.len(), 1, "{networks:?}");
    assert_eq!(networks[0]["payload"]["network"]["admin_state_up"], true);
}

#[tokio::test]
async fn l2_agents_hear_of_a_gateway_that_gets_another_address() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    sync(&server, "h1", Value::Null).await;
    server.bus.take();
    server.delete(&format!("/floatingips/{}", there.floating_ip)).await;
    let info = json!({"network_id": there.outside, "external_fixed_ips": [{"ip_address": "198.51.1.77"}]});
    server.put(&format!("/routers/{}", there.router), json!({"router": {"external_gateway_info": info}})).await.expect(200);
    let told = server.bus.take_method("port_update");
    assert_eq!(told.len(), 1);
    let port = &told[0].args["port"];
    assert_eq!((&port["device_owner"], &port["fixed_ips"][0]["ip_address"]), (&json!("network:router_gateway"), &json!("198.51.1.77")));
}

#[tokio::test]
async fn agents_hear_of_each_change_once() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let (outside, external_subnet) = network(&server, json!({"router:external": true}), "198.51.100.0/24").await;
    let (inside, subnet) = network(&server, json!({}), "10.1.0.0/24").await;
    let router = router(&server, json!({})).await;
    assert_eq!(told(&server), Vec::<String>::new(), "nobody has it yet");
    let path = format!("/routers/{router}");
    let change = async |change: Value| {
        server.put(&path, json!({ "router": change })).await.expect(200);
        told(&server)
    };
    let once = vec![updated(&router, "h1")];
    assert_eq!(change(json!({"external_gateway_info": {"network_id": outside}})).await, once);
    assert_eq!(change(json!({"admin_state_up": false})).await, once);
    assert_eq!(change(json!({"admin_state_up": true})).await, once);
    plug(&server, &router, &subnet).await;
    assert_eq!(told(&server), once);
    let routes = json!({"router": {"routes": [{"destination": "10.9.0.0/24", "nexthop": "10.1.0.9"}]}});
    server.put(&format!("{path}/add_extraroutes"), routes.clone()).await.expect(200);
    assert_eq!(told(&server), once);
    server.put(&format!("{path}/remove_extraroutes"), routes).await.expect(200);
    assert_eq!(told(&server), once);

    let port = json!({"port": {"network_id": inside, "device_owner": "compute:nova", "device_id": "vm"}});
    let port = server.post("/ports", port).await.expect(201)["id"].as_str().unwrap().to_owned();
    assert_eq!(told(&server), Vec::<String>::new());
    let floating_ip = server.post("/floatingips", json!({"floatingip": {"floating_network_id": outside}})).await.expect(201);
    let floating_ip = format!("/floatingips/{}", floating_ip["id"].as_str().unwrap());
    assert_eq!(told(&server), Vec::<String>::new(), "it leads nowhere");
    server.put(&floating_ip, json!({"floatingip": {"port_id": port}})).await.expect(200);
    assert_eq!(told(&server), once);
    server.put(&floating_ip, json!({"floatingip": {"port_id": null}})).await.expect(200);
    assert_eq!(told(&server), once);
    server.put(&floating_ip, json!({"floatingip": {"port_id": port}})).await.expect(200);
    assert_eq!(told(&server), once);
    assert_eq!(server.delete(&format!("/ports/{port}")).await.status, 204);
    assert_eq!(told(&server), once, "its floating IP leads nowhere now");
    assert_eq!(server.delete(&floating_ip).await.status, 204);
    assert_eq!(told(&server), Vec::<String>::new());

    server.put(&format!("/subnets/{external_subnet}"), json!({"subnet": {"gateway_ip": null}})).await.expect(200);
    assert_eq!(told(&server), once);
    let unplug = json!({ "subnet_id": subnet });
    assert_eq!(server.put(&format!("{path}/remove_router_interface"), unplug).await.status, 200);
    assert_eq!(told(&server), once);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(told(&server), [format!("router_deleted * {}", json!({ "router_id": router }))]);
    assert_eq!(server.delete(&format!("/networks/{outside}")).await.status, 204);
    assert_eq!(told(&server), [format!("fipnamespace_delete_on_ext_net * {}", json!({ "ext_net_id": outside }))]);
}

#[tokio::test]
async fn a_refused_change_is_told_to_nobody() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    server.bus.take();
    server.delete(&format!("/routers/{}", there.router)).await.refused(409, "RouterInUse");
    let unplug = json!({"subnet_id": there.subnet});
    let refused = server.put(&format!("/routers/{}/remove_router_interface", there.router), unplug).await;
    refused.refused(409, "RouterInterfaceInUseByFloatingIP");
    assert_eq!(told(&server), Vec::<String>::new());
}

#[tokio::test]
async fn the_dead_and_those_that_are_off_are_not_told() {
    let server = Server::full().await;
    let id = host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    age(&server, &id, 1000).await;
    server.bus.take();
    server.put(&format!("/routers/{}", there.router), json!({"router": {"name": "other"}})).await.expect(200);
    assert_eq!(told(&server), Vec::<String>::new());
}

#[tokio::test]
async fn a_router_of_a_dead_agent_is_told_to_the_old_and_the_new() {
    let server = Server::full().await;
    let id = host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    agent(&server, "h2", json!({})).await;
    age(&server, &id, 1000).await;
    server.bus.take();
    let cx = neutrino_core::Context::internal("test");
    let moved = neutrino_l3::l3_agent_scheduler::reschedule_routers_from_down_agents(&server.engine, &cx).await.unwrap();
    assert_eq!(moved, 1);
    let removed = format!("router_removed_from_agent h1 {}", json!({"payload": {"router_id": there.router}}));
    let added = format!("router_added_to_agent h2 {}", json!({"payload": [there.router]}));
    assert_eq!(told(&server), [removed, added]);
    assert_eq!(agents_of(&server, &there.router).await.len(), 1);
}

#[tokio::test]
async fn agents_say_what_became_of_floating_ips() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    let path = format!("/floatingips/{}", there.floating_ip);
    let shown = async || server.get(&path).await.expect(200);
    assert_eq!(shown().await["status"], "DOWN");
    let say = async |status: &str| {
        let statuses = json!({there.floating_ip.clone(): status, "11111111-1111-1111-1111-111111111111": "DOWN"});
        server.rpc("q-l3-plugin", "1.1", "update_floatingip_statuses", json!({"router_id": there.router, "fip_statuses": statuses})).await
    };
    say("ACTIVE").await.unwrap();
    let active = shown().await;
    assert_eq!(active["status"], "ACTIVE");
    say("ACTIVE").await.unwrap();
    assert_eq!(shown().await["revision_number"], active["revision_number"], "nothing changed");
    assert_eq!(say("MAYBE").await.unwrap_err().status(), 400);
    assert_eq!(server.delete(&format!("/ports/{}", there.port)).await.status, 204);
    assert_eq!(shown().await["status"], "ACTIVE", "until the agent says so");
    let none = json!({"router_id": there.router, "fip_statuses": {}});
    server.rpc("q-l3-plugin", "1.1", "update_floatingip_statuses", none).await.unwrap();
    assert_eq!(shown().await["status"], "DOWN", "the router does not have it any more");
}

#[tokio::test]
async fn forwarded_ports_name_their_floating_ips() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    let floating_ip = server.post("/floatingips", json!({"floatingip": {"floating_network_id": there.outside}})).await.expect(201);
    let port = server.get(&format!("/ports/{}", there.port)).await.expect(200);
    server.put(&format!("/floatingips/{}", there.floating_ip), json!({"floatingip": {"port_id": null}})).await.expect(200);
    let id = floating_ip["id"].as_str().unwrap();
    let forwarding = json!({"port_forwarding": {"protocol": "tcp", "external_port": 80, "internal_port": 80,
        "internal_port_id": there.port, "internal_ip_address": port["fixed_ips"][0]["ip_address"]}});
    server.post(&format!("/floatingips/{id}/port_forwardings"), forwarding).await.expect(201);
    let router = sync(&server, "h1", Value::Null).await.remove(0);
    assert_eq!(router["fip_managed_by_port_forwardings"], json!([id]));
    let address = floating_ip["floating_ip_address"].as_str().unwrap();
    assert_eq!(router["port_forwardings_fip_set"], json!([format!("{address}/32")]));
    assert_eq!(router["_pf_floatingips"][0]["id"], id);
    assert!(router.get("_floatingips").is_none());
}

#[tokio::test]
async fn other_answers() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let there = Topology::new(&server, 1).await;
    let plugins = call(&server, "get_service_plugin_list", json!({})).await;
    for name in ["CORE", "L3_ROUTER_NAT", "QOS", "METERING", "PORTFORWARDING"] {
        assert!(plugins.as_array().unwrap().contains(&json!(name)), "{name}");
    }
    let networks = server.rpc("q-l3-plugin", "1.12", "get_networks", json!({"filters": {"id": [there.outside]}, "fields": ["id", "name"]}));
    assert_eq!(networks.await.unwrap(), json!([{"id": there.outside, "name": ""}]));
    sync(&server, "h1", Value::Null).await;
    let ports = call(&server, "get_ports_by_subnet", json!({"host": "h1", "subnet_id": there.subnet})).await;
    let ports = ports.as_array().unwrap();
    assert_eq!(ports.len(), 1, "the machine is nowhere");
    assert_eq!(
        (&ports[0]["device_owner"], &ports[0]["fixed_ips"][0]["ip_address"]),
        (&json!("network:router_interface"), &json!("10.1.0.1"))
    );
    assert_eq!(ports[0]["allowed_address_pairs"], json!([]));
}

#[tokio::test]
async fn a_router_that_is_deleted_meanwhile_is_left_out() {
    let server = Server::full().await;
    host(&server, "h1", "legacy").await;
    let (outside, _) = network(&server, json!({"router:external": true}), "198.51.100.0/24").await;
    let mut routers = Vec::new();
    for _ in 0..6 {
        routers.push(router(&server, json!({"external_gateway_info": {"network_id": outside}})).await);
    }
    let paths: Vec<String> = routers.iter().map(|id| format!("/routers/{id}")).collect();
    let deleted = futures::future::join_all(paths.iter().map(|path| server.delete(path)));
    let synced = futures::future::join_all((0..4).map(|_| sync(&server, "h1", json!(routers))));
    let (deleted, _) = futures::future::join(deleted, synced).await;
    assert!(deleted.iter().all(|answer| answer.status == 204));
    assert_eq!(sync(&server, "h1", json!(routers)).await.len(), 0);
}
