// SPDX-License-Identifier: Apache-2.0
use neutrino_core::Context;
use neutrino_ml2::mech::{
    bind::rebind_failed,
    distributed::{delete_bindings_of_router, update_distributed_port_binding},
    provisioning,
    status::update_port_status,
};
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

use crate::ports::{create, id, network, subnet, update};

const OVS: &[(&str, &str, &str)] = &[("ml2", "mechanism_drivers", "openvswitch,sriovnicswitch,macvtap,logger")];

/// An agent's row, as its reports would make it, heard of `ago` seconds before now.
pub async fn agent(server: &Server, kind: &str, host: &str, configurations: Value, ago: i64) {
    let heard = Context::internal("test").now() - chrono::Duration::seconds(ago);
    let heard = heard.format("%Y-%m-%d %H:%M:%S");
    server
        .sql(&format!(
            "INSERT INTO agents (id, agent_type, \"binary\", topic, host, admin_state_up, created_at, started_at, heartbeat_timestamp, \
             configurations, \"load\") VALUES ('{kind}{host}', '{kind}', 'b', 't', '{host}', TRUE, '{heard}', '{heard}', '{heard}', '{configurations}', 0)"
        ))
        .await;
}

pub async fn ovs_agent(server: &Server, host: &str) {
    let reported = json!({"bridge_mappings": {"physnet1": "br-ex"}, "tunnel_types": ["vxlan"], "integration_bridge": "br-int",
        "ovs_hybrid_plug": false, "datapath_type": "system"});
    agent(server, "Open vSwitch agent", host, reported, 0).await;
}

/// A network with one segment.
pub async fn segmented(server: &Server, kind: &str, physical: Option<&str>, number: Option<i64>) -> String {
    let net = network(server).await;
    server.sql(&format!("DELETE FROM networksegments WHERE network_id = '{net}'")).await;
    segment(server, &net, &format!("seg-{kind}-{net}").chars().take(36).collect::<String>(), kind, physical, number, 0).await;
    net
}

async fn segment(server: &Server, net: &str, id: &str, kind: &str, physical: Option<&str>, number: Option<i64>, index: i64) {
    let physical = physical.map_or("NULL".to_owned(), |name| format!("'{name}'"));
    let number = number.map_or("NULL".to_owned(), |number| number.to_string());
    server
        .sql(&format!(
            "INSERT INTO standardattributes (resource_type, created_at, updated_at, revision_number) \
             VALUES ('networksegments', '2026-01-01 00:00:00', '2026-01-01 00:00:00', 0); \
             INSERT INTO networksegments (id, network_id, network_type, physical_network, segmentation_id, is_dynamic, segment_index, standard_attr_id) \
             VALUES ('{id}', '{net}', '{kind}', {physical}, {number}, FALSE, {index}, (SELECT max(id) FROM standardattributes))"
        ))
        .await;
}

pub async fn on_host(server: &Server, net: &str, host: &str, more: Value) -> Answer {
    let mut body = json!({"binding:host_id": host, "device_owner": "compute:nova", "device_id": "vm"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    create(server, net, body).await
}

fn binding(port: &Value) -> (&str, &str) {
    (port["binding:host_id"].as_str().unwrap(), port["binding:vif_type"].as_str().unwrap())
}

pub async fn shown(server: &Server, port: &Value) -> Value {
    server.get(&format!("/ports/{}", id(port))).await.expect(200)
}

#[tokio::test]
async fn a_port_is_bound_by_the_agent_of_its_host() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let free = create(&server, &net, json!({})).await.expect(201);
    assert_eq!(binding(&free), ("", "unbound"));
    assert_eq!(
        (&free["binding:vnic_type"], &free["binding:profile"], &free["binding:vif_details"]),
        (&json!("normal"), &json!({}), &json!({}))
    );
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    assert_eq!(binding(&port), ("h1", "ovs"));
    assert_eq!(
        port["binding:vif_details"],
        json!({"connectivity": "l2", "port_filter": true, "ovs_hybrid_plug": false, "ovs_create_tap": true,
            "datapath_type": "system", "bridge_name": "br-int", "bound_drivers": {"0": "openvswitch"}})
    );
    assert_eq!((&port["status"], &port["revision_number"]), (&json!("DOWN"), &json!(3)));
    assert_eq!(shown(&server, &port).await, port);
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, 1);

    let unbound = update(&server, &port, json!({"binding:host_id": ""})).await.expect(200);
    assert_eq!(binding(&unbound), ("", "unbound"));
    assert_eq!(unbound["binding:vif_details"], json!({}));
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, 0);
    let nowhere = update(&server, &port, json!({"binding:host_id": "h9"})).await.expect(200);
    assert_eq!(binding(&nowhere), ("h9", "binding_failed"));
    let back = update(&server, &port, json!({"binding:host_id": "h1"})).await.expect(200);
    assert_eq!(binding(&back), ("h1", "ovs"));
    assert_eq!(server.get("/ports?binding:host_id=h1&fields=id").await.expect(200), json!([{"id": id(&port)}]));
    assert_eq!(server.get("/ports?binding:host_id=h9").await.expect(200), json!([]));
}

#[tokio::test]
async fn who_cannot_reach_the_segment_does_not_bind() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    agent(&server, "Open vSwitch agent", "dead", json!({"tunnel_types": ["vxlan"]}), 3600).await;
    agent(&server, "Open vSwitch agent", "mad", json!("nonsense"), 0).await;
    let vxlan = segmented(&server, "vxlan", None, Some(5)).await;
    let vlan = segmented(&server, "vlan", Some("physnet1"), Some(7)).await;
    let other = segmented(&server, "vlan", Some("physnet2"), Some(7)).await;
    let gre = segmented(&server, "gre", None, Some(7)).await;
    for (net, host, expected) in [
        (&vxlan, "h1", "ovs"),
        (&vxlan, "dead", "binding_failed"),
        (&vxlan, "mad", "binding_failed"),
        (&vxlan, "nobody", "binding_failed"),
        (&vlan, "h1", "ovs"),
        (&other, "h1", "binding_failed"),
        (&gre, "h1", "binding_failed"),
    ] {
        let port = on_host(&server, net, host, json!({})).await.expect(201);
        assert_eq!(binding(&port), (host, expected), "{net}");
    }
    let none = Server::start().await;
    let net = segmented(&none, "vxlan", None, Some(5)).await;
    assert_eq!(binding(&on_host(&none, &net, "h1", json!({})).await.expect(201)), ("h1", "binding_failed"), "no driver at all");
    none.sql("DELETE FROM networksegments").await;
    assert_eq!(binding(&on_host(&none, &net, "h1", json!({})).await.expect(201)), ("h1", "unbound"), "nothing to bind to");
}

#[tokio::test]
async fn other_vnic_types_have_other_drivers() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    agent(&server, "NIC Switch agent", "h1", json!({"device_mappings": {"physnet1": ["eth3"]}}), 0).await;
    agent(&server, "Macvtap agent", "m1", json!({"interface_mappings": {"physnet1": "eth0"}}), 0).await;
    let userspace = json!({"bridge_mappings": {"physnet1": "br"}, "datapath_type": "netdev",
        "ovs_capabilities": {"iface_types": ["dpdkvhostuserclient"]}, "vhostuser_socket_dir": "/tmp/socks"});
    agent(&server, "Open vSwitch agent", "dpdk", userspace, 0).await;
    let net = segmented(&server, "vlan", Some("physnet1"), Some(7)).await;

    let direct = on_host(&server, &net, "h1", json!({"binding:vnic_type": "direct"})).await.expect(201);
    assert_eq!(binding(&direct), ("h1", "hw_veb"));
    assert_eq!(
        direct["binding:vif_details"],
        json!({"port_filter": false, "connectivity": "l2", "vlan": "7", "bound_drivers": {"0": "sriovnicswitch"}})
    );
    let offload = json!({"binding:vnic_type": "direct", "binding:profile": {"capabilities": ["switchdev"]}});
    let offloaded = on_host(&server, &net, "h1", offload).await.expect(201);
    assert_eq!(offloaded["binding:vif_details"]["bound_drivers"], json!({"0": "openvswitch"}));
    let physical = json!({"binding:vnic_type": "direct-physical", "binding:profile": {"device_mac_address": "00:11:22:33:44:55"}});
    let physical = on_host(&server, &net, "anywhere", physical).await.expect(201);
    assert_eq!(
        (binding(&physical), &physical["status"], &physical["mac_address"]),
        (("anywhere", "hostdev_physical"), &json!("ACTIVE"), &json!("00:11:22:33:44:55"))
    );
    let left =
        update(&server, &physical, json!({"device_id": "", "device_owner": "", "binding:host_id": null, "binding:profile": null})).await;
    assert_ne!(left.expect(200)["mac_address"], "00:11:22:33:44:55");
    let tap = on_host(&server, &net, "m1", json!({})).await.expect(201);
    assert_eq!(
        tap["binding:vif_details"],
        json!({"port_filter": false, "connectivity": "l2", "vlan": 7, "physical_interface": "eth0", "macvtap_source": "eth0.7",
            "macvtap_mode": "bridge", "bound_drivers": {"0": "macvtap"}})
    );
    let user = on_host(&server, &net, "dpdk", json!({})).await.expect(201);
    assert_eq!(binding(&user), ("dpdk", "vhostuser"));
    let socket = format!("/tmp/socks/vhu{}", &id(&user)[..11]);
    assert_eq!(
        (&user["binding:vif_details"]["vhostuser_socket"], &user["binding:vif_details"]["vhostuser_mode"]),
        (&json!(socket), &json!("server"))
    );
    let remote = on_host(&server, &net, "h1", json!({"binding:vnic_type": "remote-managed"})).await.expect(201);
    assert_eq!(binding(&remote), ("h1", "binding_failed"));
}

#[tokio::test]
async fn a_bound_port_keeps_its_mac_and_vnic_type() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    update(&server, &port, json!({"mac_address": "fa:16:3e:00:00:09"})).await.refused(409, "PortBound");
    update(&server, &port, json!({"mac_address": null})).await.refused(409, "PortBound");
    update(&server, &port, json!({"binding:vnic_type": "direct"})).await.refused(409, "PortInUse");
    update(&server, &port, json!({"numa_affinity_policy": "required"})).await.refused(409, "PortBoundNUMAAffinityPolicy");
    assert_eq!(update(&server, &port, json!({"mac_address": port["mac_address"]})).await.status, 200, "the same is no change");
    let profile = json!({"binding:profile": {"key": "value"}});
    let changed = update(&server, &port, profile).await.expect(200);
    assert_eq!((&changed["binding:profile"], binding(&changed)), (&json!({"key": "value"}), ("h1", "ovs")), "bound again");
    let cleared = update(&server, &port, json!({"binding:profile": null})).await.expect(200);
    assert_eq!(cleared["binding:profile"], json!({}));
    _ = update(&server, &port, json!({"binding:host_id": null})).await.expect(200);
    assert_eq!(update(&server, &port, json!({"binding:vnic_type": "direct"})).await.expect(200)["binding:vnic_type"], "direct");
}

#[tokio::test]
async fn levels_of_a_hierarchy_are_kept_and_shown() {
    let server = Server::with(&[("ml2", "mechanism_drivers", "test")]).await;
    let net = segmented(&server, "local", None, None).await;
    segment(&server, &net, "seg-below", "vlan", Some("physnet1"), Some(9), 1).await;
    let port = on_host(&server, &net, "host-hierarchical", json!({})).await.expect(201);
    assert_eq!(port["binding:vif_details"]["bound_drivers"], json!({"0": "test", "1": "test"}));
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels WHERE level = 1 AND segment_id = 'seg-below'").await, 1);
    let active = on_host(&server, &net, "host-ovs-filter-active", json!({})).await.expect(201);
    assert_eq!((binding(&active).1, &active["status"]), ("ovs", &json!("ACTIVE")));
    let bridge = on_host(&server, &net, "host-bridge-filter", json!({})).await.expect(201);
    assert_eq!(binding(&bridge).1, "bridge");
}

#[tokio::test]
async fn several_bindings_one_active() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    ovs_agent(&server, "h2").await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let path = format!("/ports/{}/bindings", id(&port));
    let post = |body: Value| {
        let (server, path) = (&server, &path);
        async move { server.post(path, json!({"binding": body})).await }
    };
    post(json!({"host": "h1"})).await.refused(409, "PortBindingAlreadyExists");
    post(json!({"host": "nobody"})).await.refused(409, "PortBindingError");
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_bindings").await, 1);
    for bad in [json!({}), json!({"host": 5}), json!({"host": "h2", "vnic_type": "x"}), json!({"host": "h2", "status": "ACTIVE"})] {
        assert_eq!(post(bad.clone()).await.status, 400, "{bad}");
    }
    post(json!({"host": ""})).await.refused(400, "InvalidInput");
    let details = json!({"connectivity": "l2", "port_filter": true, "ovs_hybrid_plug": false, "ovs_create_tap": true,
        "datapath_type": "system", "bridge_name": "br-int"});
    let second = post(json!({"host": "h2", "profile": {"a": 1}})).await.expect(201);
    let expected = json!({"host": "h2", "vif_type": "ovs", "vnic_type": "normal", "status": "INACTIVE", "profile": {"a": 1},
        "vif_details": details});
    assert_eq!(second, expected);
    assert_eq!(server.get(&format!("{path}/h2")).await.expect(200), expected);
    assert_eq!(binding(&shown(&server, &port).await), ("h1", "ovs"), "the active one counts");
    let listed = server.get(&format!("{path}?fields=host&fields=status")).await.expect(200);
    assert_eq!(listed, json!([{"host": "h1", "status": "ACTIVE"}, {"host": "h2", "status": "INACTIVE"}]));
    assert_eq!(server.get(&format!("{path}?status=INACTIVE&fields=host")).await.expect(200), json!([{"host": "h2"}]));
    server.get(&format!("{path}/h3")).await.refused(404, "PortBindingNotFound");
    server.put(&format!("{path}/h3/activate"), json!({})).await.refused(404, "PortBindingNotFound");
    server.put(&format!("{path}/h1/activate"), json!({})).await.refused(409, "PortBindingAlreadyActive");
    server.get("/ports/00000000-0000-4000-8000-000000000000/bindings").await.refused(404, "PortNotFound");

    let changed = server.put(&format!("{path}/h2"), json!({"binding": {"profile": {"b": 2}}})).await.expect(200);
    assert_eq!((&changed["profile"], &changed["status"]), (&json!({"b": 2}), &json!("INACTIVE")));
    server.put(&format!("{path}/h2"), json!({"binding": {"host": "h7"}})).await.refused(400, "BadRequest");
    update(&server, &port, json!({"binding:host_id": "h2"})).await.refused(409, "PortBindingAlreadyExists");

    // Nova sends no body.
    let activated = server.send(http::Method::PUT, &format!("{path}/h2/activate"), "", &[]).await;
    assert_eq!((activated.status, &activated.body["status"]), (200, &json!("ACTIVE")), "{}", activated.text);
    let now = shown(&server, &port).await;
    assert_eq!((binding(&now), &now["status"]), (("h2", "ovs"), &json!("DOWN")));
    assert_eq!(now["binding:vif_details"]["bound_drivers"], json!({"0": "openvswitch"}));
    let old = server.get(&format!("{path}/h1")).await.expect(200);
    assert_eq!((&old["status"], &old["vif_type"], &old["vif_details"]), (&json!("INACTIVE"), &json!("unbound"), &json!({})));
    assert_eq!(server.delete(&format!("{path}/h1")).await.status, 204);
    server.delete(&format!("{path}/h1")).await.refused(404, "PortBindingNotFound");
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, 1);

    // Without an active binding the port can be bound anew.
    assert_eq!(server.delete(&format!("{path}/h2")).await.status, 204);
    assert_eq!(binding(&shown(&server, &port).await), ("", "unbound"));
    assert_eq!(binding(&update(&server, &port, json!({"binding:host_id": "h1"})).await.expect(200)), ("h1", "ovs"));
    let plain = create(&server, &net, json!({"binding:host_id": "h1"})).await.expect(201);
    server.post(&format!("/ports/{}/bindings", id(&plain)), json!({"binding": {"host": "h2"}})).await.refused(400, "BadRequest");
}

#[tokio::test]
async fn two_activations_at_once_leave_one_active() {
    let server = std::sync::Arc::new(Server::with(OVS).await);
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    for host in ["h1", "h2", "h3"] {
        ovs_agent(&server, host).await;
    }
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let path = format!("/ports/{}/bindings", id(&port));
    for host in ["h2", "h3"] {
        server.post(&path, json!({"binding": {"host": host}})).await.expect(201).as_object().unwrap();
    }
    let tasks: Vec<_> = ["h2", "h3", "h2", "h3"]
        .map(|host| {
            let (server, path) = (server.clone(), format!("{path}/{host}/activate"));
            tokio::spawn(async move { server.put(&path, json!({})).await.status })
        })
        .into();
    for task in tasks {
        assert!(matches!(task.await.unwrap(), 200 | 409));
    }
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_bindings WHERE status = 'ACTIVE'").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_bindings").await, 3);
}

#[tokio::test]
async fn a_port_goes_active_when_all_have_done_their_part() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    server
        .sql(&format!(
            "INSERT INTO networkdhcpagentbindings (network_id, dhcp_agent_id, binding_index) VALUES ('{net}', 'Open vSwitch agenth1', 1)"
        ))
        .await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let blocks = "SELECT count(*) FROM provisioningblocks";
    assert_eq!(server.count(blocks).await, 2, "DHCP and L2");
    let cx = Context::internal("test");
    let complete = async |entity: &str| {
        provisioning::provisioning_complete(&server.engine, &cx, &id(&port), entity).await.unwrap();
        shown(&server, &port).await["status"].clone()
    };
    assert_eq!(complete("L2").await, "DOWN");
    assert_eq!(complete("DHCP").await, "ACTIVE");
    assert_eq!(server.count(blocks).await, 0);
    let before = shown(&server, &port).await["revision_number"].clone();
    assert!(update_port_status(&server.engine, &cx, &id(&port), "ACTIVE", None).await.unwrap());
    assert_eq!(shown(&server, &port).await["revision_number"], before, "nothing changed");
    assert!(update_port_status(&server.engine, &cx, &id(&port), "DOWN", None).await.unwrap());
    assert!(!update_port_status(&server.engine, &cx, "no-such-port", "DOWN", None).await.unwrap());

    // Other addresses must reach the DHCP agent first; another host must be wired first.
    let had = port["fixed_ips"][0]["ip_address"].as_str().unwrap();
    let other = if had == "10.5.0.99" { "10.5.0.98" } else { "10.5.0.99" };
    _ = update(&server, &port, json!({"fixed_ips": [{"ip_address": other}]})).await.expect(200);
    assert_eq!(server.count(blocks).await, 1);
    _ = update(&server, &port, json!({"admin_state_up": false})).await.expect(200);
    assert_eq!(complete("DHCP").await, "DOWN", "administratively down");
    _ = update(&server, &port, json!({"admin_state_up": true, "binding:host_id": "h9"})).await.expect(200);
    assert_eq!(complete("L2").await, "DOWN", "not bound");

    let service = create(&server, &net, json!({"device_owner": "network:dhcp", "binding:host_id": "h1"})).await.expect(201);
    assert_eq!(server.count(blocks).await, 0, "nothing waits for a service's port: {}", id(&service));
}

#[tokio::test]
async fn a_bulk_of_bound_ports_is_bound() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    let items: Vec<Value> = (0..5).map(|_| json!({"network_id": net, "binding:host_id": "h1"})).collect();
    let made = server.post("/ports", json!({"ports": items})).await.expect(201);
    assert!(made.as_array().unwrap().iter().all(|port| binding(port) == ("h1", "ovs")));
}

#[test]
fn unknown_drivers_stop_the_start() {
    for (drivers, expected) in [("openvswitch,nonsense", "nonsense"), ("ovn", "OVN is not supported yet"), ("linuxbridge", "removed")] {
        let told = crate::ports::refused_at_start(&[("ml2", "mechanism_drivers", drivers)]);
        assert!(told.contains(expected) && told.contains("sriovnicswitch"), "{told}");
    }
    let told = crate::ports::refused_at_start(&[
        ("ovs_driver", "vnic_type_prohibit_list", "macvtap"),
        ("ml2", "mechanism_drivers", "openvswitch"),
    ]);
    assert!(told.contains("vnic_type_prohibit_list"), "{told}");
}

#[tokio::test]
async fn a_failed_binding_is_tried_again_when_the_agent_is_back() {
    let server = Server::with(OVS).await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let other = on_host(&server, &net, "h2", json!({})).await.expect(201);
    assert_eq!((binding(&port).1, binding(&other).1), ("binding_failed", "binding_failed"));
    ovs_agent(&server, "h1").await;
    assert_eq!(rebind_failed(&server.engine, &Context::internal("test"), "h1").await.unwrap(), 1);
    assert_eq!(binding(&shown(&server, &port).await).1, "ovs");
    assert_eq!(binding(&shown(&server, &other).await).1, "binding_failed");
    ovs_agent(&server, "h2").await;
    let tried = update(&server, &other, json!({"name": "x"})).await.expect(200);
    assert_eq!(binding(&tried).1, "ovs", "any update tries again");
}

#[tokio::test]
async fn a_distributed_port_is_bound_on_each_host() {
    let server = Server::with(OVS).await;
    ovs_agent(&server, "h1").await;
    ovs_agent(&server, "h2").await;
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    let owner = json!({"device_owner": "network:router_interface_distributed", "binding:host_id": "h1"});
    let port = create(&server, &net, owner).await.expect(201);
    assert_eq!((binding(&port), &port["binding:vif_details"]), (("", "distributed"), &json!({})));
    let cx = Context::internal("test");
    for (host, written) in [("h1", true), ("h1", false), ("h2", true), ("h3", true), ("", false)] {
        let done = update_distributed_port_binding(&server.engine, &cx, &id(&port), host, "r1").await.unwrap();
        assert_eq!(done, written, "{host}");
    }
    let on =
        |vif_type: &str| format!("SELECT count(*) FROM ml2_distributed_port_bindings WHERE vif_type = '{vif_type}' AND router_id = 'r1'");
    assert_eq!((server.count(&on("ovs")).await, server.count(&on("binding_failed")).await), (2, 1));
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, 2);
    let status = async |status: &str, host: &str| {
        assert!(update_port_status(&server.engine, &cx, &id(&port), status, Some(host)).await.unwrap());
        shown(&server, &port).await["status"].clone()
    };
    assert_eq!(status("ACTIVE", "h1").await, "ACTIVE");
    assert_eq!(status("ACTIVE", "h2").await, "ACTIVE");
    assert_eq!(status("DOWN", "h1").await, "ACTIVE", "h2 is up");
    assert_eq!(status("DOWN", "h2").await, "DOWN");
    server
        .engine
        .transact(&cx, "ports", "test", |op| Box::pin(async move { delete_bindings_of_router(op, "r1", None).await }))
        .await
        .unwrap();
    assert_eq!(server.count("SELECT count(*) FROM ml2_distributed_port_bindings").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, 0);
}

#[tokio::test]
async fn changes_at_once_end_in_one_whole_state() {
    let server = std::sync::Arc::new(Server::with(OVS).await);
    let net = segmented(&server, "vxlan", None, Some(5)).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    ovs_agent(&server, "h1").await;
    ovs_agent(&server, "h2").await;
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let change = |n: usize| match n % 4 {
        0 => json!({"binding:host_id": "h2"}),
        1 => json!({"binding:host_id": "h1", "binding:profile": {"n": n}}),
        2 => json!({"fixed_ips": [{"ip_address": format!("10.5.0.{}", 100 + n)}]}),
        _ => json!({"binding:host_id": null}),
    };
    let tasks: Vec<_> = (0..24)
        .map(|n| {
            let (server, port, change) = (server.clone(), port.clone(), change(n));
            tokio::spawn(async move { update(&server, &port, change).await })
        })
        .collect();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let end = shown(&server, &port).await;
    let (host, vif_type) = binding(&end);
    assert_eq!(vif_type, if host.is_empty() { "unbound" } else { "ovs" }, "{end}");
    assert_eq!(server.count("SELECT count(*) FROM ml2_port_binding_levels").await, i64::from(!host.is_empty()));
    assert_eq!(server.count("SELECT count(*) FROM ipallocations").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM ipamallocations").await, 1);

    let racing: Vec<_> = (0..8)
        .map(|n| {
            let (server, port, change) = (server.clone(), port.clone(), change(n));
            tokio::spawn(async move { update(&server, &port, change).await.status })
        })
        .collect();
    let gone = server.delete(&format!("/ports/{}", id(&port))).await.status;
    assert_eq!(gone, 204);
    for task in racing {
        assert!(matches!(task.await.unwrap(), 200 | 404));
    }
    for table in ["ports", "ml2_port_bindings", "ml2_port_binding_levels", "ipallocations", "ipamallocations", "provisioningblocks"] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}
