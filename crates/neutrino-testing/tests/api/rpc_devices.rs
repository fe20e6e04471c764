// SPDX-License-Identifier: Apache-2.0
//! What L2 agents ask about devices and say of them.

use neutrino_core::Context;
use neutrino_ml2::mech::{distributed::update_distributed_port_binding, provisioning};
use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::{
    bindings::{agent, on_host, ovs_agent, segmented, shown},
    ports::{create, id, subnet, update},
};

pub const ML2: &[(&str, &str, &str)] =
    &[("ml2", "mechanism_drivers", "openvswitch,l2population"), ("ml2", "extension_drivers", "port_security")];

/// A server with a VXLAN network of one subnet, and hosts `h1` and `h2`.
pub async fn lab(options: &[(&str, &str, &str)]) -> (Server, String) {
    let server = Server::with(options).await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    subnet(&server, &net, "10.5.0.0/16", json!({})).await;
    ovs_agent(&server, "h1").await;
    ovs_agent(&server, "h2").await;
    (server, net)
}

pub async fn call(server: &Server, method: &str, args: Value) -> Value {
    server.rpc("q-plugin", "1.3", method, args).await.unwrap()
}

async fn details(server: &Server, device: Value, host: &str) -> Value {
    call(server, "get_device_details", json!({"device": device, "agent_id": "a", "host": host})).await
}

async fn status(server: &Server, port: &Value) -> String {
    shown(server, port).await["status"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_details_of_a_device_are_its_port_network_and_segment() {
    let (server, net) = lab(ML2).await;
    let port = on_host(&server, &net, "h1", json!({"binding:profile": {"pci_slot": "0000:01:00.1"}})).await.expect(201);
    let mut mtu = server.get(&format!("/networks/{net}")).await.expect(200)["mtu"].take();
    let expected = json!({"device": id(&port), "network_id": net, "port_id": id(&port), "mac_address": port["mac_address"],
        "admin_state_up": true, "network_type": "vxlan", "segmentation_id": 5, "physical_network": null, "mtu": mtu.take(),
        "fixed_ips": port["fixed_ips"], "device_owner": "compute:nova", "allowed_address_pairs": [], "port_security_enabled": true,
        "qos_policy_id": null, "qos_network_policy_id": null, "profile": {"pci_slot": "0000:01:00.1"}, "propagate_uplink_status": false});
    assert_eq!(details(&server, json!(id(&port)), "h1").await, expected);
    assert_eq!(status(&server, &port).await, "BUILD", "who asks begins to wire");
    for device in [
        json!(format!("tap{}", &id(&port)[..11])),
        json!(format!("qvo{}", &id(&port)[..11])),
        json!(&id(&port)[..13]),
        port["mac_address"].clone(),
        json!([port["mac_address"], "0000:01:00.1"]),
    ] {
        let answer = details(&server, device.clone(), "h1").await;
        assert_eq!(answer["port_id"], port["id"], "{device}");
        assert_eq!(answer["device"], if device.is_array() { device[0].clone() } else { device });
    }
    for device in
        [json!("tap"), json!("x"), json!("tap%"), json!([port["mac_address"], "0000:01:00.2"]), json!("fa:16:3e:ff:ff:fe"), json!("")]
    {
        let name = if device.is_array() { device[0].clone() } else { device.clone() };
        assert_eq!(details(&server, device, "h1").await, json!({"device": name}));
    }
    assert_eq!(details(&server, json!(id(&port)), "h2").await, json!({"device": id(&port), "no_active_binding": true}));
    let unbound = create(&server, &net, json!({})).await.expect(201);
    assert_eq!(details(&server, json!(id(&unbound)), "h1").await, json!({"device": id(&unbound)}));
    assert_eq!(status(&server, &unbound).await, "DOWN");

    let listed = json!({"devices": [id(&port), "nope"], "agent_id": "a", "host": "h1"});
    let both = call(&server, "get_devices_details_list_and_failed_devices", listed.clone()).await;
    assert_eq!(both, json!({"devices": [expected, {"device": "nope"}], "failed_devices": []}));
    assert_eq!(call(&server, "get_devices_details_list", listed).await, both["devices"]);
    assert!(server.rpc("q-plugin", "1.9", "get_device_details", json!({})).await.is_err());
    let wrong = server.rpc("q-plugin", "1.9", "get_devices_details_list", json!({"devices": [7]})).await;
    assert_eq!(wrong.unwrap_err().status(), 400);
}

#[tokio::test]
async fn a_port_that_is_down_or_waits_is_told_apart() {
    let (server, net) = lab(ML2).await;
    let down = on_host(&server, &net, "h1", json!({"admin_state_up": false})).await.expect(201);
    assert_eq!(details(&server, json!(id(&down)), "h1").await["admin_state_up"], false);
    assert_eq!(status(&server, &down).await, "DOWN");
    let late = on_host(&server, &net, "h3", json!({})).await.expect(201);
    assert_eq!(late["binding:vif_type"], "binding_failed");
    ovs_agent(&server, "h3").await;
    assert_eq!(details(&server, json!(id(&late)), "h3").await["segmentation_id"], 5, "it is bound when its agent asks");
    let network = call(&server, "get_network_details", json!({"network": net, "agent_id": "a", "host": "h1"})).await;
    let mut shown = server.get(&format!("/networks/{net}")).await.expect(200);
    shown["standard_attr_id"] = network["standard_attr_id"].clone();
    // Agents get these also where the API has no such attributes.
    for name in ["qinq", "vlan_transparent"] {
        shown[name] = shown[name].take();
    }
    assert_eq!(network, shown);
    assert!(network["standard_attr_id"].is_i64());
    let missing = server.rpc("q-plugin", "1.6", "get_network_details", json!({"network": "x"})).await;
    assert_eq!(missing.unwrap_err().kind().name, "NetworkNotFound");
    let on = call(&server, "get_ports_by_vnic_type_and_host", json!({"vnic_type": "normal", "host": "h1"})).await;
    assert_eq!((on.as_array().unwrap().len(), &on[0]["id"], &on[0]["tenant_id"]), (1, &down["id"], &down["tenant_id"]));
}

#[tokio::test]
async fn a_port_is_active_when_its_host_has_wired_it() {
    let (server, net) = lab(ML2).await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let up = |host: &str| json!({"device": id(&port), "agent_id": "a", "host": host});
    assert_eq!(call(&server, "update_device_up", up("h2")).await, Value::Null);
    assert_eq!(status(&server, &port).await, "DOWN", "another host has no say");
    assert_eq!(call(&server, "update_device_up", up("h1")).await, Value::Null);
    assert_eq!(status(&server, &port).await, "ACTIVE");
    let revision = shown(&server, &port).await["revision_number"].clone();
    call(&server, "update_device_up", up("h1")).await;
    assert_eq!(shown(&server, &port).await["revision_number"], revision, "nothing is new");
    let gone = |host: &str| json!({"device": id(&port), "agent_id": "a", "host": host});
    assert_eq!(call(&server, "update_device_down", gone("h2")).await, json!({"device": id(&port), "exists": true}));
    assert_eq!(status(&server, &port).await, "ACTIVE");
    call(&server, "update_device_down", gone("h1")).await;
    assert_eq!(status(&server, &port).await, "DOWN");
    let nowhere = json!({"device": "tapnothing", "agent_id": "a"});
    assert_eq!(call(&server, "update_device_down", nowhere).await, json!({"device": "tapnothing", "exists": false}));

    // A DHCP agent has to be ready, too.
    server
        .sql(&format!(
            "INSERT INTO provisioningblocks (standard_attr_id, entity) SELECT standard_attr_id, 'DHCP' FROM ports WHERE id = '{}'",
            id(&port)
        ))
        .await;
    let listed = json!({"devices_up": [id(&port), "x"], "devices_down": ["y"], "agent_id": "a", "host": "h1", "refresh_tunnels": false});
    let answer = json!({"devices_up": [id(&port), "x"], "failed_devices_up": [], "devices_down": [{"device": "y", "exists": true}],
        "failed_devices_down": []});
    assert_eq!(call(&server, "update_device_list", listed.clone()).await, answer);
    assert_eq!(status(&server, &port).await, "DOWN");
    assert_eq!(server.count("SELECT count(*) FROM provisioningblocks WHERE entity = 'L2'").await, 0);
    let cx = Context::internal("test");
    provisioning::provisioning_complete(&server.engine, &cx, &id(&port), provisioning::DHCP_ENTITY).await.unwrap();
    assert_eq!(status(&server, &port).await, "ACTIVE");

    let off = on_host(&server, &net, "h1", json!({"admin_state_up": false})).await.expect(201);
    call(&server, "update_device_up", json!({"device": id(&off), "host": "h1"})).await;
    assert_eq!(status(&server, &off).await, "DOWN", "the operator wants it so");
}

#[tokio::test]
async fn a_distributed_port_has_a_status_on_each_host() {
    let (server, net) = lab(ML2).await;
    let port = create(&server, &net, json!({"device_owner": "network:router_interface_distributed"})).await.expect(201);
    let cx = Context::internal("test");
    for host in ["h1", "h2"] {
        update_distributed_port_binding(&server.engine, &cx, &id(&port), host, "r1").await.unwrap();
    }
    assert_eq!(details(&server, json!(id(&port)), "h1").await["segmentation_id"], 5);
    assert_eq!(details(&server, json!(id(&port)), "h9").await, json!({"device": id(&port)}));
    let change = async |method: &str, host: &str| {
        call(&server, method, json!({"device": id(&port), "host": host})).await;
        status(&server, &port).await
    };
    let mut revision = shown(&server, &port).await["revision_number"].as_i64().unwrap();
    // As in Neutron: one for the binding on the host, and one for the port if its own status changes.
    for (method, host, status, rises) in [
        ("update_device_up", "h1", "ACTIVE", 2),
        ("update_device_up", "h9", "ACTIVE", 0),
        ("update_device_up", "h2", "ACTIVE", 1),
        ("update_device_up", "h2", "ACTIVE", 0),
        ("update_device_down", "h1", "ACTIVE", 1),
        ("update_device_down", "h2", "DOWN", 2),
    ] {
        assert_eq!(change(method, host).await, status, "{method} {host}");
        let is = shown(&server, &port).await["revision_number"].as_i64().unwrap();
        assert_eq!(is - revision, rises, "{method} {host}");
        revision = is;
    }
    let bindings = "SELECT count(*) FROM ml2_distributed_port_bindings";
    server.sql("UPDATE ml2_distributed_port_bindings SET router_id = NULL, status = 'ACTIVE' WHERE host = 'h2'").await;
    change("update_device_down", "h2").await;
    assert_eq!(server.count(bindings).await, 1, "what no router wants goes when it is down");
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, 1);
}

#[tokio::test]
async fn calls_cost_the_same_at_one_device_and_at_fifty() {
    let (server, net) = lab(ML2).await;
    let mut ports = Vec::new();
    for _ in 0..51 {
        ports.push(id(&on_host(&server, &net, "h1", json!({})).await.expect(201)));
    }
    let cost = async |method: &str, args: Value| {
        let before = server.statements();
        let answer = call(&server, method, args).await;
        (server.statements() - before, answer)
    };
    for (method, name) in [
        ("update_device_list", "devices_up"),
        ("update_device_list", "devices_up"),
        ("get_devices_details_list", "devices"),
        ("get_devices_details_list_and_failed_devices", "devices"),
        ("update_device_list", "devices_up"),
        ("security_group_info_for_devices", "devices"),
        ("security_group_rules_for_devices", "devices"),
        ("update_device_list", "devices_down"),
        ("update_device_list", "devices_down"),
    ] {
        let args = |devices: &[String]| json!({name: devices, "agent_id": "a", "host": "h1"});
        let (one, _) = cost(method, args(&ports[..1])).await;
        let (many, answer) = cost(method, args(&ports[1..])).await;
        assert_eq!(many, one, "{method} {name} {answer}");
        println!("{method} {name}: {one} statements");
    }
    let statuses = server.count("SELECT count(*) FROM ports WHERE status = 'DOWN'").await;
    assert_eq!(statuses, 51);
}

/// The kind of each value, key by key.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), shape(value))).collect()),
        Value::Array(list) => list.first().map_or(json!([]), |first| json!([shape(first)])),
        Value::String(_) => json!("text"),
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("truth"),
        Value::Null => Value::Null,
    }
}

#[tokio::test]
async fn answers_have_neutrons_shapes() {
    let (server, net) = lab(ML2).await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let shapes = neutrino_testing::contract::read("rpc-shapes.json");
    let device = json!({"device": id(&port), "host": "h1"});
    let devices = json!({"devices": [id(&port), "x"], "host": "h1"});
    let wired = json!({"devices_up": [id(&port)], "devices_down": ["x"], "host": "h1"});
    let tunnel = json!({"tunnel_ip": "192.0.2.1", "tunnel_type": "vxlan", "host": "h1"});
    for (name, method, args) in [
        ("get_device_details", "get_device_details", device.clone()),
        ("get_devices_details_list_and_failed_devices", "get_devices_details_list_and_failed_devices", devices.clone()),
        ("update_device_up", "update_device_up", device),
        ("update_device_list", "update_device_list", wired),
        ("tunnel_sync", "tunnel_sync", tunnel),
    ] {
        assert_eq!(shape(&call(&server, method, args).await), shape(&shapes[name]), "{name}");
    }
    // What a port shows depends on what is on; what is said of its rules does not.
    let info = call(&server, "security_group_info_for_devices", devices).await;
    let expected = &shapes["sg_info_for_devices"];
    let first = |info: &Value, key: &str| info[key].as_object().unwrap().values().next().unwrap().clone();
    let kinds = |info: &Value| {
        let rules = first(info, "security_groups");
        let mut rules: Vec<Value> = rules.as_array().unwrap().iter().map(shape).collect();
        rules.sort_by_key(Value::to_string);
        let device = first(info, "devices");
        (rules, shape(&device["security_group_rules"]), shape(&device["security_group_source_groups"]), shape(&device["fixed_ips"]))
    };
    assert_eq!(kinds(&info), kinds(expected));
    assert_eq!(shape(&first(&info, "sg_member_ips")["IPv4"]), shape(&first(expected, "sg_member_ips")["IPv4"]));
}

#[tokio::test]
async fn tunnel_endpoints_follow_their_hosts() {
    let server = Server::with(&[("ml2", "type_drivers", "local,flat,vlan,vxlan,gre")]).await;
    let sync = async |ip: &str, host: Option<&str>| {
        let answer = call(&server, "tunnel_sync", json!({"tunnel_ip": ip, "tunnel_type": "vxlan", "host": host})).await;
        let told: Vec<(String, Value)> =
            server.bus.take().into_iter().map(|m| (m.topic, m.args["tunnel_ip"].clone())).filter(|(t, _)| t.contains("tunnel")).collect();
        (answer["tunnels"].clone(), told)
    };
    let update = |ip: &str| ("q-agent-notifier-tunnel-update".to_owned(), json!(ip));
    let delete = |ip: &str| ("q-agent-notifier-tunnel-delete".to_owned(), json!(ip));
    let end = |ip: &str, host: Option<&str>| json!({"ip_address": ip, "udp_port": 4789, "host": host});
    assert_eq!(sync("192.0.2.1", Some("h1")).await, (json!([end("192.0.2.1", Some("h1"))]), vec![update("192.0.2.1")]));
    let two = json!([end("192.0.2.1", Some("h1")), end("192.0.2.2", Some("h2"))]);
    assert_eq!(sync("192.0.2.2", Some("h2")).await.0, two);
    assert_eq!(sync("192.0.2.2", Some("h2")).await, (two, vec![update("192.0.2.2")]), "again");
    let moved = json!([end("192.0.2.1", Some("h1")), end("192.0.2.3", Some("h2"))]);
    assert_eq!(sync("192.0.2.3", Some("h2")).await, (moved, vec![delete("192.0.2.2"), update("192.0.2.3")]), "a new address");
    let taken = json!([end("192.0.2.1", Some("h2"))]);
    assert_eq!(sync("192.0.2.1", Some("h2")).await, (taken, vec![update("192.0.2.1")]), "another's address");
    assert_eq!(sync("192.0.2.9", None).await.0, json!([end("192.0.2.1", Some("h2")), end("192.0.2.9", None)]));
    assert_eq!(sync("192.0.2.9", Some("h9")).await.0, json!([end("192.0.2.1", Some("h2")), end("192.0.2.9", Some("h9"))]));
    let gre = call(&server, "tunnel_sync", json!({"tunnel_ip": "192.0.2.1", "tunnel_type": "gre", "host": "h1"})).await;
    assert_eq!(gre, json!({"tunnels": [{"ip_address": "192.0.2.1", "host": "h1"}]}));
    for wrong in [
        json!({"tunnel_ip": "", "tunnel_type": "vxlan"}),
        json!({"tunnel_type": "vxlan"}),
        json!({"tunnel_ip": "2001:db8::1", "tunnel_type": "vxlan"}),
        json!({"tunnel_ip": "192.0.2.1"}),
        json!({"tunnel_ip": "192.0.2.1", "tunnel_type": "vlan"}),
        json!({"tunnel_ip": "192.0.2.1", "tunnel_type": "geneve"}),
    ] {
        assert_eq!(server.rpc("q-plugin", "1.4", "tunnel_sync", wrong).await.unwrap_err().kind().name, "InvalidInput");
    }

    let reported = json!({"tunneling_ip": "192.0.2.1", "tunnel_types": ["vxlan", "gre"]});
    agent(&server, "Open vSwitch agent", "h2", reported, 0).await;
    server.sql("UPDATE agents SET \"binary\" = 'neutron-openvswitch-agent'").await;
    let agents = server.get("/agents").await.expect(200);
    server.bus.take();
    assert_eq!(server.delete(&format!("/agents/{}", agents[0]["id"].as_str().unwrap())).await.status, 204);
    assert_eq!(server.bus.take_method("tunnel_delete").len(), 2);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_endpoints").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM ml2_gre_endpoints").await, 0);
}

#[tokio::test]
async fn hosts_that_swap_addresses_at_once_keep_one_each() {
    let server = std::sync::Arc::new(Server::start().await);
    let tasks: Vec<_> = (0..16)
        .map(|n| {
            let server = server.clone();
            let args = json!({"tunnel_ip": format!("192.0.2.{}", n % 4), "tunnel_type": "vxlan", "host": format!("h{}", n / 4)});
            tokio::spawn(async move { server.rpc("q-plugin", "1.4", "tunnel_sync", args).await.map(drop) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let all = server.count("SELECT count(*) FROM ml2_vxlan_endpoints").await;
    assert_eq!(server.count("SELECT count(DISTINCT host) FROM ml2_vxlan_endpoints").await, all);
}

#[tokio::test]
async fn agents_hear_of_changed_ports_and_networks() {
    let (server, net) = lab(ML2).await;
    let unbound = create(&server, &net, json!({})).await.expect(201);
    update(&server, &unbound, json!({"admin_state_up": false})).await.expect(200);
    assert_eq!(server.bus.take_method("port_update"), [], "nobody has an unbound port");
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    assert_eq!(server.bus.take_method("port_update"), [], "a new port is seen when it is plugged");
    update(&server, &port, json!({"name": "n"})).await.expect(200);
    assert_eq!(server.bus.take_method("port_update"), [], "a name is none of theirs");
    let changed = update(&server, &port, json!({"admin_state_up": false})).await.expect(200);
    let [told] = server.bus.take_method("port_update").try_into().unwrap();
    assert_eq!((told.topic.as_str(), told.version, told.fanout), ("q-agent-notifier-port-update", "1.0", true));
    assert!(told.args["port"]["standard_attr_id"].is_i64());
    let mut expected = changed.clone();
    expected["standard_attr_id"] = told.args["port"]["standard_attr_id"].clone();
    assert_eq!(told.args, json!({"port": expected, "network_type": "vxlan", "segmentation_id": 5, "physical_network": null}));
    update(&server, &port, json!({"binding:host_id": "h2"})).await.expect(200);
    let [told] = server.bus.take_method("port_update").try_into().unwrap();
    assert_eq!((&told.args["port"]["binding:host_id"], &told.args["port"]["binding:vif_type"]), (&json!("h2"), &json!("ovs")));

    _ = server.post(&format!("/ports/{}/bindings", id(&port)), json!({"binding": {"host": "h1"}})).await.expect(201);
    server.bus.take();
    assert_eq!(server.put(&format!("/ports/{}/bindings/h1/activate", id(&port)), json!({})).await.status, 200);
    let told = server.bus.take();
    let of = |method: &str| told.iter().find(|message| message.method == method).unwrap();
    let (off, on) = (of("binding_deactivate"), of("binding_activate"));
    assert_eq!(off.args, json!({"port_id": id(&port), "host": "h2", "network_id": net}));
    assert_eq!((on.topic.as_str(), on.version), ("q-agent-notifier-binding-activate", "1.5"));
    assert_eq!(on.args, json!({"port_id": id(&port), "host": "h1"}));

    server.delete(&format!("/ports/{}", id(&port))).await;
    let [told] = server.bus.take_method("port_delete").try_into().unwrap();
    assert_eq!((told.topic.as_str(), &told.args), ("q-agent-notifier-port-delete", &json!({"port_id": id(&port)})));
    server.put(&format!("/networks/{net}"), json!({"network": {"name": "x"}})).await.expect(200);
    assert_eq!(server.bus.take_method("network_update"), []);
    server.put(&format!("/networks/{net}"), json!({"network": {"mtu": 1400}})).await.expect(200);
    let [told] = server.bus.take_method("network_update").try_into().unwrap();
    assert_eq!((told.version, &told.args["network"]["mtu"]), ("1.4", &json!(1400)));
    server.delete(&format!("/ports/{}", id(&unbound))).await;
    assert_eq!(server.delete(&format!("/networks/{net}")).await.status, 204);
    let [told] = server.bus.take_method("network_delete").try_into().unwrap();
    assert_eq!((told.topic.as_str(), &told.args), ("q-agent-notifier-network-delete", &json!({"network_id": net})));
}
