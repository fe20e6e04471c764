// SPDX-License-Identifier: Apache-2.0
//! Distributed routers: where they are, and what agents on hosts get and hear of them.

use std::collections::BTreeSet;

use neutrino_core::Context;
use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::{
    l3_agent_scheduler::router,
    routers::network,
    rpc_l3::{call, host, ids, sync, told, updated},
};

/// A distributed router with a gateway whose central part is on `net`; machines can be on `c1` and `c2`.
struct Topology {
    outside: String,
    inside: String,
    subnet: String,
    router: String,
}

impl Topology {
    async fn new(server: &Server) -> Self {
        host(server, "net", "dvr_snat").await;
        host(server, "c1", "dvr").await;
        host(server, "c2", "dvr").await;
        let (outside, _) = network(server, json!({"router:external": true}), "198.51.100.0/24").await;
        let (inside, subnet) = network(server, json!({}), "10.1.0.0/24").await;
        let router = router(server, json!({"distributed": true, "external_gateway_info": {"network_id": outside}})).await;
        let plugged = server.put(&format!("/routers/{router}/add_router_interface"), json!({ "subnet_id": subnet })).await;
        assert_eq!(plugged.status, 200, "{}", plugged.text);
        server.bus.take();
        Self { outside, inside, subnet, router }
    }

    async fn machine(&self, server: &Server, host: &str) -> Value {
        let port = json!({"network_id": self.inside, "device_owner": "compute:nova", "device_id": "vm", "binding:host_id": host});
        server.post("/ports", json!({ "port": port })).await.expect(201)
    }

    fn arp(&self, method: &str, port: &Value) -> String {
        let entry = json!({"ip_address": port["fixed_ips"][0]["ip_address"], "mac_address": port["mac_address"], "subnet_id": self.subnet});
        format!("{method} * {}", json!({"payload": {"router_id": self.router, "arp_table": entry}}))
    }

    fn removed(&self, host: &str) -> String {
        format!("router_removed_from_agent {host} {}", json!({"payload": {"router_id": self.router}}))
    }
}

fn path(port: &Value) -> String {
    format!("/ports/{}", port["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_router_is_where_its_machines_are() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let only = BTreeSet::from([there.router.clone()]);
    assert_eq!((ids(&server, "net").await, ids(&server, "c1").await), (only.clone(), BTreeSet::new()));
    let first = there.machine(&server, "c1").await;
    assert_eq!(told(&server), [updated(&there.router, "c1"), there.arp("add_arp_entry", &first)]);
    assert_eq!((ids(&server, "c1").await, ids(&server, "c2").await), (only.clone(), BTreeSet::new()));
    let second = there.machine(&server, "c1").await;
    told(&server);

    server.put(&format!("/routers/{}", there.router), json!({"router": {"name": "other"}})).await.expect(200);
    assert_eq!(told(&server), [updated(&there.router, "c1"), updated(&there.router, "net")]);

    assert_eq!(server.delete(&path(&second)).await.status, 204);
    assert_eq!(told(&server), [there.arp("del_arp_entry", &second)], "one machine is left");
    server.put(&path(&first), json!({"port": {"binding:host_id": "c2"}})).await.expect(200);
    let moved = told(&server);
    assert!(moved.contains(&there.removed("c1")) && moved.contains(&updated(&there.router, "c2")), "{moved:?}");
    assert_eq!((ids(&server, "c1").await, ids(&server, "c2").await), (BTreeSet::new(), only));
    assert_eq!(server.delete(&path(&first)).await.status, 204);
    assert_eq!(told(&server), [there.arp("del_arp_entry", &first), there.removed("c2")]);
    // The central part stays where it is.
    let central = there.machine(&server, "net").await;
    told(&server);
    assert_eq!(server.delete(&path(&central)).await.status, 204);
    assert_eq!(told(&server), [there.arp("del_arp_entry", &central)]);
}

#[tokio::test]
async fn agents_get_what_they_need_of_it() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    there.machine(&server, "c1").await;
    for host in ["net", "c1"] {
        let router = sync(&server, host, json!([there.router])).await.remove(0);
        assert_eq!((&router["distributed"], &router["gw_port_host"]), (&json!(true), &json!("net")), "{host}");
        assert_eq!(router["gw_port"]["binding:host_id"], "net", "{host}");
        let snat = &router["_snat_router_interfaces"][0];
        assert_eq!((&snat["device_owner"], &snat["binding:host_id"]), (&json!("network:router_centralized_snat"), &json!("net")));
        assert_eq!(snat["subnets"][0]["id"], json!(there.subnet));
        let interface = &router["_interfaces"][0];
        assert_eq!(
            (&interface["device_owner"], &interface["binding:vif_type"]),
            (&json!("network:router_interface_distributed"), &json!("distributed"))
        );
        assert_eq!(router["_floatingip_agent_interfaces"], json!([]));
        let sql = format!("SELECT count(*) FROM ml2_distributed_port_bindings WHERE host = '{host}' AND vif_type = 'ovs'");
        assert_eq!(server.count(&sql).await, 1, "{host}");
    }
    let nobody = sync(&server, "c2", json!([there.router])).await;
    assert_eq!(nobody.len(), 0, "it has no machine there");
    host(&server, "old", "legacy").await;
    assert_eq!(sync(&server, "old", json!([there.router])).await.len(), 0);
}

#[tokio::test]
async fn a_floating_ip_is_served_on_the_host_of_its_port() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let port = there.machine(&server, "c1").await;
    there.machine(&server, "c2").await;
    told(&server);
    let body = json!({"floatingip": {"floating_network_id": there.outside, "port_id": port["id"]}});
    let floating_ip = server.post("/floatingips", body).await.expect(201);
    assert_eq!(told(&server), [updated(&there.router, "c1")]);
    let ports = format!("/ports?device_owner=network:floatingip_agent_gateway&network_id={}", there.outside);
    let gateways = server.get(&ports).await.expect(200);
    assert_eq!((gateways.as_array().unwrap().len(), &gateways[0]["binding:host_id"]), (1, &json!("c1")));
    let here = sync(&server, "c1", json!([there.router])).await.remove(0);
    let shown = &here["_floatingips"][0];
    assert_eq!((&shown["id"], &shown["host"], &shown["dest_host"]), (&floating_ip["id"], &json!("c1"), &Value::Null));
    assert_eq!(here["_floatingip_agent_interfaces"][0]["id"], gateways[0]["id"]);
    assert_eq!(here["_floatingip_agent_interfaces"][0]["subnets"][0]["cidr"], "198.51.100.0/24");
    for host in ["c2", "net"] {
        assert!(sync(&server, host, json!([there.router])).await[0].get("_floatingips").is_none(), "{host}");
    }
    // A port that is nowhere is served by the central part.
    let loose = json!({"port": {"network_id": there.inside}});
    let loose = server.post("/ports", loose).await.expect(201);
    told(&server);
    let body = json!({"floatingip": {"floating_network_id": there.outside, "port_id": loose["id"]}});
    server.post("/floatingips", body).await.expect(201);
    assert_eq!(told(&server), [updated(&there.router, "net")]);
    let central = sync(&server, "net", json!([there.router])).await.remove(0);
    assert_eq!(
        (&central["_floatingips"][0]["host"], &central["_floatingips"][0]["dvr_snat_bound"]),
        (&json!("FLOATING_IP_HOST_NEEDS_BINDING"), &json!(true))
    );

    assert_eq!(server.delete(&format!("/floatingips/{}", floating_ip["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(told(&server), [updated(&there.router, "c1")]);
    for one in server.get("/floatingips").await.expect(200).as_array().unwrap() {
        assert_eq!(server.delete(&format!("/floatingips/{}", one["id"].as_str().unwrap())).await.status, 204);
    }
    told(&server);
    server.put(&format!("/routers/{}", there.router), json!({"router": {"external_gateway_info": {}}})).await.expect(200);
    let forgotten = format!("fipnamespace_delete_on_ext_net * {}", json!({"ext_net_id": there.outside}));
    assert!(told(&server).contains(&forgotten));
    server.get(&ports).await.expect_rows("ports", 0);
    assert_eq!(server.count("SELECT count(*) FROM dvr_fip_gateway_port_network").await, 0);
}

/// Gateways of agents go with the last gateway of routers, by whichever way that goes.
#[tokio::test]
async fn gateways_of_agents_go_with_the_last_of_several_gateways() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let (second, _) = network(&server, json!({"router:external": true}), "203.0.113.0/24").await;
    let path = format!("/routers/{}", there.router);
    let act = async |verb: &str, networks: &[&str]| {
        let gateways: Vec<Value> = networks.iter().map(|network| json!({"network_id": network})).collect();
        server.put(&format!("{path}/{verb}_external_gateways"), json!({"router": {"external_gateways": gateways}})).await.expect(200);
        told(&server).into_iter().filter(|message| message.starts_with("fipnamespace")).collect::<Vec<_>>()
    };
    let ask = async |network: &str| {
        let args = json!({"network_id": network, "host": "c1"});
        server.rpc("q-l3-plugin", "1.2", "get_agent_gateway_port", args).await.unwrap()
    };
    let left = async || server.get("/ports?device_owner=network:floatingip_agent_gateway").await.expect(200).as_array().unwrap().len();
    let gone = |network: &str| format!("fipnamespace_delete_on_ext_net * {}", json!({"ext_net_id": network}));
    assert_eq!(act("add", &[&second]).await, Vec::<String>::new());
    for network in [&there.outside, &second] {
        ask(network).await;
    }
    assert_eq!(left().await, 2);
    assert_eq!(act("remove", &[&second]).await, [gone(&second)]);
    assert_eq!(left().await, 1);
    assert_eq!(act("update", &[&second]).await, [gone(&there.outside)]);
    assert_eq!(left().await, 0);
    act("add", &[&there.outside]).await;
    for network in [&there.outside, &second] {
        ask(network).await;
    }
    let unplug = json!({"subnet_id": there.subnet});
    assert_eq!(server.put(&format!("{path}/remove_router_interface"), unplug).await.status, 200);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(left().await, 0, "a router goes with all its gateways");
}

#[tokio::test]
async fn an_agent_has_one_gateway_for_floating_ips_whoever_asks() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let ask = || server.rpc("q-l3-plugin", "1.2", "get_agent_gateway_port", json!({"network_id": there.outside, "host": "c1"}));
    let asked = futures::future::join_all((0..12).map(|_| ask())).await;
    let ports: BTreeSet<String> = asked.into_iter().map(|port| port.unwrap()["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ports.len(), 1);
    let port = ask().await.unwrap();
    assert_eq!((&port["binding:host_id"], &port["project_id"], &port["fixed_ips"][0]["prefixlen"]), (&json!("c1"), &json!(""), &json!(24)));
    assert_eq!(port["device_owner"], "network:floatingip_agent_gateway");
    host(&server, "inner", "dvr_no_external").await;
    for host in ["inner", "nowhere"] {
        let none = server.rpc("q-l3-plugin", "1.2", "get_agent_gateway_port", json!({"network_id": there.outside, "host": host})).await;
        assert_eq!(none.unwrap(), Value::Null, "{host}");
    }
    call(&server, "get_agent_gateway_port", json!({"network_id": there.outside, "host": "c2"})).await;
    let count = async || server.count("SELECT count(*) FROM dvr_fip_gateway_port_network").await;
    assert_eq!(count().await, 2);
    server.rpc("q-l3-plugin", "1.7", "delete_agent_gateway_port", json!({"network_id": there.outside, "host": "c1"})).await.unwrap();
    assert_eq!(count().await, 1);
    let left = server.get("/ports?device_owner=network:floatingip_agent_gateway").await.expect(200);
    assert_eq!((left.as_array().unwrap().len(), &left[0]["binding:host_id"]), (1, &json!("c2")));
    let agents = server.get("/agents?host=c2&agent_type=L3%20agent").await.expect(200);
    assert_eq!(server.delete(&format!("/agents/{}", agents[0]["id"].as_str().unwrap())).await.status, 204);
    server.get("/ports?device_owner=network:floatingip_agent_gateway").await.expect_rows("ports", 0);
}

#[tokio::test]
async fn routers_of_one_network_lead_to_each_others_machines() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let (_, far) = network(&server, json!({}), "10.2.0.0/24").await;
    let other = router(&server, json!({"distributed": true})).await;
    server.put(&format!("/routers/{other}/add_router_interface"), json!({ "subnet_id": far })).await.expect(200);
    // A leg of the second router on the first one's network.
    let leg = server.post("/ports", json!({"port": {"network_id": there.inside}})).await.expect(201);
    server.put(&format!("/routers/{other}/add_router_interface"), json!({"port_id": leg["id"]})).await.expect(200);
    there.machine(&server, "c1").await;
    assert_eq!(ids(&server, "c1").await, BTreeSet::from([there.router.clone(), other.clone()]));
    told(&server);
    server.put(&format!("/routers/{other}"), json!({"router": {"name": "other"}})).await.expect(200);
    assert!(told(&server).contains(&updated(&other, "c1")));
    let unplug = json!({"port_id": leg["id"]});
    assert_eq!(server.put(&format!("/routers/{other}/remove_router_interface"), unplug).await.status, 200);
    let gone = format!("router_removed_from_agent c1 {}", json!({"payload": {"router_id": other}}));
    let messages = told(&server);
    assert!(messages.contains(&gone), "{messages:?}");
    assert_eq!(ids(&server, "c1").await, BTreeSet::from([there.router]));
}

#[tokio::test]
async fn an_interface_that_goes_takes_the_router_from_hosts() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    there.machine(&server, "c1").await;
    sync(&server, "c1", Value::Null).await;
    told(&server);
    let unplug = json!({"subnet_id": there.subnet});
    assert_eq!(server.put(&format!("/routers/{}/remove_router_interface", there.router), unplug).await.status, 200);
    assert_eq!(told(&server), [updated(&there.router, "net"), there.removed("c1")]);
    assert_eq!(server.count("SELECT count(*) FROM ml2_distributed_port_bindings").await, 0);
}

#[tokio::test]
async fn hosts_have_addresses_that_all_agents_know() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let dvr = async |method: &str, args: Value| server.rpc("q-plugin", "1.0", method, args).await.unwrap();
    let first = dvr("get_dvr_mac_address_by_host", json!({"host": "c1"})).await;
    assert_eq!(first["host"], "c1");
    assert!(first["mac_address"].as_str().unwrap().starts_with("FA-16-3F-"), "{first}");
    let sent = server.bus.take_method("dvr_mac_address_update");
    assert_eq!((sent.len(), sent[0].topic.as_str(), sent[0].fanout), (1, "q-agent-notifier-dvr-update", true));
    assert_eq!(sent[0].args, json!({"dvr_macs": [first]}));
    assert_eq!(dvr("get_dvr_mac_address_by_host", json!({"host": "c1"})).await, first);
    assert_eq!(server.bus.take_method("dvr_mac_address_update").len(), 0, "nothing new");
    dvr("get_dvr_mac_address_by_host", json!({"host": "c2"})).await;
    let told = server.bus.take_method("dvr_mac_address_update");
    neutrino_l3::notifier::recall(&server.engine, Context::internal("").now()).await.unwrap();
    assert_eq!(server.bus.take_method("dvr_mac_address_update"), told[told.len() - 1..], "who was away hears of all");
    assert_eq!(dvr("get_dvr_mac_address_list", json!({})).await.as_array().unwrap().len(), 2);

    let port = there.machine(&server, "c1").await;
    let here = dvr("get_ports_on_host_by_subnet", json!({"host": "c1", "subnet": there.subnet})).await;
    assert_eq!((here.as_array().unwrap().len(), &here[0]["id"], &here[0]["mac_address"]), (1, &port["id"], &port["mac_address"]));
    assert_eq!(dvr("get_ports_on_host_by_subnet", json!({"host": "c2", "subnet": there.subnet})).await, json!([]));
    let interface =
        server.get(&format!("/ports?device_id={}&device_owner=network:router_interface_distributed", there.router)).await.expect(200);
    let asked = json!({"subnet": there.subnet, "fixed_ips": [{"subnet_id": there.subnet, "ip_address": "10.1.0.1"}]});
    let subnet = dvr("get_subnet_for_dvr", asked).await;
    assert_eq!((&subnet["gateway_mac"], &subnet["cidr"]), (&interface[0]["mac_address"], &json!("10.1.0.0/24")));
    assert_eq!(dvr("get_subnet_for_dvr", json!({"subnet": there.subnet})).await, subnet);
    let absent = json!({"subnet": "11111111-1111-1111-1111-111111111111", "fixed_ips": null});
    assert_eq!(dvr("get_subnet_for_dvr", absent).await, json!({}));

    server.bus.take();
    for agent in server.get("/agents?host=c2").await.expect(200).as_array().unwrap() {
        assert_eq!(server.delete(&format!("/agents/{}", agent["id"].as_str().unwrap())).await.status, 204);
    }
    assert_eq!(server.bus.take_method("dvr_mac_address_update")[0].args, json!({"dvr_macs": [first]}));
}

#[tokio::test]
async fn a_router_that_becomes_central_leaves_its_hosts() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    there.machine(&server, "c1").await;
    sync(&server, "c1", Value::Null).await;
    let path = format!("/routers/{}", there.router);
    server.put(&path, json!({"router": {"admin_state_up": false}})).await.expect(200);
    server.put(&path, json!({"router": {"distributed": false}})).await.expect(200);
    assert_eq!(server.count("SELECT count(*) FROM ml2_distributed_port_bindings").await, 0);
    server.put(&path, json!({"router": {"admin_state_up": true}})).await.expect(200);
    assert_eq!(ids(&server, "c1").await, BTreeSet::new());
    let router = sync(&server, "net", json!([there.router])).await.remove(0);
    assert_eq!(
        (&router["_interfaces"][0]["device_owner"], &router["_interfaces"][0]["binding:host_id"]),
        (&json!("network:router_interface"), &json!("net"))
    );
}

#[tokio::test]
async fn a_host_to_which_a_machine_moves_is_prepared() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let port = there.machine(&server, "c1").await;
    let body = json!({"floatingip": {"floating_network_id": there.outside, "port_id": port["id"]}});
    server.post("/floatingips", body).await.expect(201);
    assert_eq!(sync(&server, "c2", json!([there.router])).await.len(), 0);
    told(&server);
    server.put(&path(&port), json!({"port": {"binding:profile": {"migrating_to": "c2"}}})).await.expect(200);
    assert_eq!(told(&server), [updated(&there.router, "c2"), there.arp("add_arp_entry", &port)]);
    let next = sync(&server, "c2", json!([there.router])).await.remove(0);
    let floating_ip = &next["_floatingips"][0];
    assert_eq!((&floating_ip["host"], &floating_ip["dest_host"]), (&json!("c1"), &json!("c2")));
    assert_eq!(next["_floatingip_agent_interfaces"][0]["binding:host_id"], "c2");
    assert!(sync(&server, "net", json!([there.router])).await[0].get("_floatingips").is_none());
    server.put(&path(&port), json!({"port": {"binding:host_id": "c2", "binding:profile": {}}})).await.expect(200);
    let moved = told(&server);
    assert!(moved.contains(&there.removed("c1")) && moved.contains(&updated(&there.router, "c2")), "{moved:?}");
    assert_eq!(sync(&server, "c1", json!([there.router])).await.len(), 0);
}

#[tokio::test]
async fn a_host_without_a_way_out_leaves_floating_ips_to_the_central_part() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    host(&server, "inner", "dvr_no_external").await;
    let port = there.machine(&server, "inner").await;
    told(&server);
    let body = json!({"floatingip": {"floating_network_id": there.outside, "port_id": port["id"]}});
    server.post("/floatingips", body).await.expect(201);
    assert_eq!(told(&server), [updated(&there.router, "net")]);
    for host in ["net", "inner"] {
        let router = sync(&server, host, json!([there.router])).await.remove(0);
        assert_eq!(router["_floatingips"][0]["host"], "FLOATING_IP_HOST_NEEDS_BINDING", "{host}");
    }
    server.get("/ports?device_owner=network:floatingip_agent_gateway").await.expect_rows("ports", 0);
}

#[tokio::test]
async fn other_addresses_of_a_port_are_known_as_well() {
    let server = Server::full().await;
    let there = Topology::new(&server).await;
    let port = there.machine(&server, "c1").await;
    told(&server);
    let pairs = json!([{"ip_address": "10.1.0.77"}, {"ip_address": "10.9.0.0/24"}]);
    server.put(&path(&port), json!({"port": {"allowed_address_pairs": pairs}})).await.expect(200);
    let mut other = port.clone();
    other["fixed_ips"][0]["ip_address"] = json!("10.1.0.77");
    assert_eq!(told(&server), [there.arp("add_arp_entry", &port), there.arp("add_arp_entry", &other)]);
    server.put(&path(&port), json!({"port": {"admin_state_up": false}})).await.expect(200);
    assert_eq!(told(&server), [there.arp("del_arp_entry", &other), there.arp("add_arp_entry", &port)]);
    server.put(&path(&port), json!({"port": {"name": "other"}})).await.expect(200);
    assert_eq!(told(&server), Vec::<String>::new());
    assert_eq!(server.delete(&path(&port)).await.status, 204);
    let gone = told(&server);
    assert!(gone.contains(&there.arp("del_arp_entry", &other)) && gone.contains(&there.removed("c1")), "{gone:?}");
}
