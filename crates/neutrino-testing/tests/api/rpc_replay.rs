// SPDX-License-Identifier: Apache-2.0
//! What Neutron's agents were seen to call, called here: each recorded call gets an answer of the recorded shape, key by key.
//!
//! The recordings are those of the peer kit (`agents/capture`). A topology like theirs is made first; ids in arguments are those of ours.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_testing::{Server, contract};
use serde_json::{Map, Value, json};

const HOST: &str = "lab-host1";

/// The recording's server: `agents/bin/conf-gen ovs` of the peer kit.
const OPTIONS: &[(&str, &str, &str)] = &[
    (
        "DEFAULT",
        "service_plugins",
        "router,metering,qos,trunk,port_forwarding,conntrack_helper,segments,network_ip_availability,auto_allocate,tag,flavors,revisions,timestamp,log",
    ),
    ("DEFAULT", "dns_domain", "lab.example."),
    ("DEFAULT", "dhcp_agents_per_network", "1"),
    ("ml2", "type_drivers", "flat,vlan,vxlan"),
    ("ml2", "project_network_types", "vxlan"),
    ("ml2", "mechanism_drivers", "openvswitch,l2population"),
    ("ml2", "extension_drivers", "port_security,qos,dns"),
    ("ml2_type_flat", "flat_networks", "physnet1"),
    ("ml2_type_vxlan", "vni_ranges", "1000:2000"),
];

struct Lab {
    server: Server,
    ids: BTreeMap<&'static str, String>,
    wrong: Vec<String>,
    called: BTreeSet<String>,
}

/// A recorded call, by its topic and method; the one that answered most where there are several.
struct Recorded(Vec<Value>);

impl Recorded {
    fn read() -> Self {
        let text = std::fs::read_to_string(contract::peer("agents/capture/methods-observed.json")).unwrap();
        Self(serde_json::from_str::<Vec<Value>>(&text).unwrap())
    }

    /// What agents call: the topics of the server.
    fn calls(&self) -> impl Iterator<Item = &Value> {
        let topics = ["q-plugin", "q-reports-plugin", "q-l3-plugin", "q-metering-plugin", "trunk", "logging-plugin"];
        self.0.iter().filter(move |call| topics.contains(&call["topic"].as_str().unwrap_or_default()))
    }

    fn one(&self, topic: &str, method: &str) -> &Value {
        self.calls()
            .find(|call| call["topic"] == topic && call["method"] == method)
            .unwrap_or_else(|| panic!("no record of {topic} {method}"))
    }
}

impl Lab {
    fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    async fn make(&mut self, name: &'static str, path: &str, member: &str, body: Value) -> Value {
        let made = self.server.post(path, json!({ member: body })).await.expect(201);
        self.ids.insert(name, made["id"].as_str().unwrap().to_owned());
        made
    }

    /// Calls the method as it was called then, with these arguments in place of the recorded ones, and compares the answers' shapes.
    async fn replay(&mut self, recorded: &Recorded, topic: &str, method: &str, args: Value) -> Value {
        let call = recorded.one(topic, method);
        for name in call["args_sample"].as_object().into_iter().flat_map(Map::keys) {
            assert!(args.get(name).is_some(), "{method} was called with {name}");
        }
        let answer = self.server.rpc(topic, call["version"].as_str().unwrap(), method, args).await;
        let answer = answer.unwrap_or_else(|error| panic!("{method}: {error} {:?}", error.log()));
        compare(&format!("{topic} {method}"), &call["return_sample"], &answer, &mut self.wrong);
        self.called.insert(format!("{topic} {method}"));
        answer
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Keys that some ports have in Neutron and none of the recorded ones had: those of extension drivers that were off there, of parents of trunks, and of
/// what was bound by nobody.
const BESIDE: [&str; 4] = ["device_profile", "numa_affinity_policy", "trunk_details", "bound_drivers"];

/// Is the key an id, so that the object is a map and no record?
fn is_id(key: &str) -> bool {
    key.len() == 36 && key.matches('-').count() == 4
}

/// Objects of versioned lists are compared with those of their own name.
fn group(value: &Value) -> String {
    value["versioned_object.name"].as_str().unwrap_or_default().to_owned()
}

fn compare(at: &str, theirs: &Value, ours: &Value, wrong: &mut Vec<String>) {
    compare_all(at, std::slice::from_ref(theirs), ours, wrong);
}

/// Compares a value with all that were recorded at its place.
fn compare_all(at: &str, theirs: &[Value], ours: &Value, wrong: &mut Vec<String>) {
    let known: Vec<&Value> = theirs.iter().filter(|value| !value.is_null()).collect();
    if known.is_empty() || ours.is_null() {
        return;
    }
    if !known.iter().any(|value| kind(value) == kind(ours)) {
        wrong.push(format!("{at}: {} here, {} there", kind(ours), kind(known[0])));
        return;
    }
    match ours {
        Value::Array(list) => {
            let theirs: Vec<&Value> = known.iter().filter_map(|value| value.as_array()).flatten().collect();
            for one in list {
                let name = group(one);
                let alike: Vec<Value> = theirs.iter().filter(|value| group(value) == name).map(|value| (*value).clone()).collect();
                compare_all(&format!("{at}[{name}]"), &alike, one, wrong);
            }
        }
        Value::Object(map) if map.keys().any(|key| is_id(key)) => {
            let theirs: Vec<Value> = known.iter().filter_map(|value| value.as_object()).flat_map(|map| map.values().cloned()).collect();
            for one in map.values() {
                compare_all(&format!("{at}.*"), &theirs, one, wrong);
            }
        }
        // Nothing is known yet, as of a port that is not bound.
        Value::Object(map) if map.is_empty() => {}
        Value::Object(map) => {
            let theirs: Vec<&Map<String, Value>> = known.iter().filter_map(|value| value.as_object()).collect();
            let always = theirs[0].keys().filter(|key| theirs.iter().all(|one| one.contains_key(*key)));
            for key in always.filter(|key| !map.contains_key(*key)) {
                wrong.push(format!("{at}: {key} is missing"));
            }
            for (key, value) in map {
                let values: Vec<Value> = theirs.iter().filter_map(|one| one.get(key).cloned()).collect();
                if values.is_empty() && !BESIDE.contains(&key.as_str()) {
                    wrong.push(format!("{at}: {key} is not there in Neutron"));
                }
                compare_all(&format!("{at}.{key}"), &values, value, wrong);
            }
        }
        _ => {}
    }
}

/// The agents of the recording report as they did; then the topology of the peer kit's `topo-up`, and what `exercise-ovs` adds.
async fn lab() -> Lab {
    let mut lab = Lab { server: Server::with(OPTIONS).await, ids: BTreeMap::new(), wrong: Vec::new(), called: BTreeSet::new() };
    let startup = std::fs::read_to_string(contract::peer("agents/capture/ovs-startup.jsonl")).unwrap();
    let mut seen = BTreeSet::new();
    for line in startup.lines() {
        let message: Value = serde_json::from_str::<Value>(line).unwrap()["message"].take();
        let binary = message["args"]["agent_state"]["agent_state"]["binary"].as_str().unwrap_or_default().to_owned();
        if message["method"] == "report_state" && seen.insert(binary) {
            let mut args = message["args"].clone();
            args["time"] = json!(chrono::Utc::now().naive_utc().format("%Y-%m-%dT%H:%M:%S%.6f").to_string());
            let answer = lab.server.rpc("q-reports-plugin", "1.4", "report_state", args).await.unwrap();
            assert_eq!(answer, "new");
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    lab.make("sg", "/security-groups", "security_group", json!({"name": "lab-sg"})).await;
    let sg = lab.id("sg").to_owned();
    for rule in [
        json!({"protocol": "icmp", "ethertype": "IPv4", "remote_ip_prefix": "0.0.0.0/0"}),
        json!({"protocol": "tcp", "ethertype": "IPv4", "port_range_min": 7001, "port_range_max": 7002}),
        json!({"protocol": "icmpv6", "ethertype": "IPv6"}),
        json!({"protocol": "udp", "ethertype": "IPv4", "port_range_min": 9000, "port_range_max": 9010, "remote_group_id": sg}),
    ] {
        let mut rule = rule;
        rule["security_group_id"] = json!(sg);
        rule["direction"] = json!("ingress");
        lab.make("rule", "/security-group-rules", "security_group_rule", rule).await;
    }
    for (network, subnet, cidr) in [("net1", "net1_sub", "10.31.0.0/24"), ("net2", "net2_sub", "10.32.0.0/24")] {
        lab.make(network, "/networks", "network", json!({"name": network})).await;
        let id = lab.id(network).to_owned();
        lab.make(
            subnet,
            "/subnets",
            "subnet",
            json!({"network_id": id, "ip_version": 4, "cidr": cidr, "dns_nameservers": ["198.51.100.53"]}),
        )
        .await;
    }
    let external = json!({"router:external": true, "provider:network_type": "flat", "provider:physical_network": "physnet1"});
    lab.make("ext", "/networks", "network", external).await;
    let id = lab.id("ext").to_owned();
    let body = json!({"network_id": id, "ip_version": 4, "cidr": "198.51.100.0/24", "gateway_ip": "198.51.100.1", "enable_dhcp": false});
    lab.make("ext_sub", "/subnets", "subnet", body).await;
    lab.make("router", "/routers", "router", json!({"name": "r1", "external_gateway_info": {"network_id": id}})).await;
    for subnet in ["net1_sub", "net2_sub"] {
        let path = format!("/routers/{}/add_router_interface", lab.id("router"));
        lab.server.put(&path, json!({"subnet_id": lab.id(subnet)})).await;
    }
    for (vm, network) in [("vm1", "net1"), ("vm2", "net1"), ("vm3", "net2")] {
        let body = json!({"network_id": lab.id(network), "security_groups": [sg], "device_owner": "compute:nova", "device_id": vm, "binding:host_id": HOST});
        lab.make(vm, "/ports", "port", body).await;
    }
    let body = json!({"floating_network_id": id, "port_id": lab.id("vm1")});
    lab.make("fip", "/floatingips", "floatingip", body).await;
    lab.make("qos", "/qos/policies", "policy", json!({"name": "q1"})).await;
    for (kind, member, body) in [
        ("bandwidth_limit_rules", "bandwidth_limit_rule", json!({"max_kbps": 2000, "max_burst_kbps": 200})),
        ("dscp_marking_rules", "dscp_marking_rule", json!({"dscp_mark": 26})),
    ] {
        let path = format!("/qos/policies/{}/{kind}", lab.id("qos"));
        lab.make("qos_rule", &path, member, body).await;
    }
    let body = json!({"network_id": lab.id("net2"), "security_groups": [sg]});
    lab.make("parent", "/ports", "port", json!({"network_id": lab.id("net1"), "security_groups": [sg]})).await;
    lab.make("subport", "/ports", "port", body).await;
    let subports = json!([{"port_id": lab.id("subport"), "segmentation_type": "vlan", "segmentation_id": 101}]);
    let body = json!({"port_id": lab.id("parent"), "sub_ports": subports});
    lab.make("trunk", "/trunks", "trunk", body).await;
    // A bound port cannot become a parent; its machine starts afterwards.
    let body = json!({"port": {"device_owner": "compute:nova", "binding:host_id": HOST}});
    lab.server.put(&format!("/ports/{}", lab.id("parent")), body).await.expect(200);
    lab.make("label", "/metering/metering-labels", "metering_label", json!({"name": "m1"})).await;
    let body = json!({"metering_label_id": lab.id("label"), "direction": "egress", "remote_ip_prefix": "0.0.0.0/0"});
    lab.make("label_rule", "/metering/metering-label-rules", "metering_label_rule", body).await;
    lab
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_recorded_call_is_answered_in_the_recorded_shape() {
    let recorded = Recorded::read();
    let mut lab = lab().await;
    let r = &recorded;
    let own = |lab: &Lab, name: &str| lab.id(name).to_owned();
    let (router, net1, sub1, ext) = (own(&lab, "router"), own(&lab, "net1"), own(&lab, "net1_sub"), own(&lab, "ext"));
    let (vm1, vm2, sg) = (own(&lab, "vm1"), own(&lab, "vm2"), own(&lab, "sg"));

    let mut args = r.one("q-reports-plugin", "report_state")["args_sample"].clone();
    args["time"] = json!(chrono::Utc::now().naive_utc().format("%Y-%m-%dT%H:%M:%S%.6f").to_string());
    lab.replay(r, "q-reports-plugin", "report_state", args).await;
    lab.replay(r, "q-reports-plugin", "has_alive_neutron_server", json!({})).await;

    // DHCP agent.
    let active = lab.replay(r, "q-plugin", "get_active_networks_info", json!({"host": HOST, "enable_dhcp_filter": false})).await;
    assert!(active.as_array().is_some_and(|networks| networks.iter().any(|network| network["id"] == net1.as_str())), "{active}");
    let device = format!("dhcpbd07104f-6b84-599e-b29e-3fc16c027ba1-{net1}");
    let port = json!({"port": {"name": "", "admin_state_up": true, "device_id": device, "network_id": net1, "project_id": "labproj",
                               "fixed_ips": [{"subnet_id": sub1}]}});
    let made = lab.replay(r, "q-plugin", "create_dhcp_port", json!({"port": port, "host": HOST})).await;
    let port = json!({"port": {"network_id": net1, "device_id": device}});
    lab.replay(r, "q-plugin", "update_dhcp_port", json!({"port_id": made["id"], "port": port, "host": HOST})).await;
    lab.replay(r, "q-plugin", "get_network_info", json!({"network_id": net1, "host": HOST})).await;
    lab.replay(r, "q-plugin", "dhcp_ready_on_ports", json!({"port_ids": [vm1, vm2, made["id"]]})).await;
    let filters = json!({"device_id": [router], "device_owner": ["network:router_interface", "network:router_interface_distributed"]});
    let ports = lab.replay(r, "q-plugin", "get_ports", json!({ "filters": filters })).await;
    assert_eq!(ports.as_array().map(Vec::len), Some(2), "{ports}");

    // OVS agent.
    lab.replay(r, "q-plugin", "tunnel_sync", json!({"tunnel_ip": "198.18.0.1", "tunnel_type": "vxlan", "host": HOST})).await;
    let agent = format!("ovs-agent-{HOST}");
    lab.replay(r, "q-plugin", "get_network_details", json!({"network": ext, "agent_id": agent, "host": HOST})).await;
    for (resource_type, version, filter) in [("Port", "1.11", json!({"id": [vm1]})), ("Port", "1.11", json!({"security_group_ids": [sg]}))]
    {
        let args = json!({"resource_type": resource_type, "version": version, "filter_kwargs": filter});
        let pulled = lab.replay(r, "q-plugin", "bulk_pull", args).await;
        assert!(pulled.as_array().is_some_and(|list| !list.is_empty()), "{resource_type} {filter}: {pulled}");
    }
    let args = json!({"resource_type": "QosPolicy", "version": "1.10", "resource_id": lab.id("qos")});
    lab.replay(r, "q-plugin", "pull", args).await;
    let args =
        json!({"devices_up": [vm1, vm2], "devices_down": [own(&lab, "vm3")], "agent_id": agent, "host": HOST, "refresh_tunnels": true});
    lab.replay(r, "q-plugin", "update_device_list", args).await;
    let port = lab.server.get(&format!("/ports/{vm1}")).await.expect(200);
    assert_eq!(port["status"], "ACTIVE", "DHCP and L2 are ready");
    lab.replay(r, "q-plugin", "update_device_down", json!({"device": vm2, "agent_id": agent, "host": HOST})).await;
    lab.replay(r, "q-plugin", "get_dvr_mac_address_by_host", json!({"host": HOST})).await;
    lab.replay(r, "q-plugin", "get_dvr_mac_address_list", json!({})).await;
    lab.replay(r, "q-plugin", "get_ports_on_host_by_subnet", json!({"host": HOST, "subnet": sub1})).await;
    let fixed = json!([{"subnet_id": sub1, "ip_address": "10.31.0.1"}]);
    lab.replay(r, "q-plugin", "get_subnet_for_dvr", json!({"subnet": sub1, "fixed_ips": fixed})).await;

    // L3 agent.
    let ids = lab.replay(r, "q-l3-plugin", "get_router_ids", json!({"host": HOST})).await;
    assert_eq!(ids, json!([router]));
    let routers = lab.replay(r, "q-l3-plugin", "sync_routers", json!({"host": HOST, "router_ids": [router]})).await;
    assert_eq!(routers[0]["_floatingips"][0]["id"], lab.id("fip"), "{routers}");
    let statuses = json!({lab.id("fip"): "ACTIVE"});
    lab.replay(r, "q-l3-plugin", "update_floatingip_statuses", json!({"router_id": router, "fip_statuses": statuses})).await;
    lab.replay(r, "q-l3-plugin", "get_host_ha_router_count", json!({"host": HOST})).await;
    lab.replay(r, "q-l3-plugin", "get_ports_by_subnet", json!({"host": HOST, "subnet_id": sub1})).await;
    lab.replay(r, "q-l3-plugin", "update_ha_routers_states", json!({"host": HOST, "states": {}})).await;
    lab.replay(r, "q-l3-plugin", "get_agent_gateway_port", json!({"network_id": ext, "host": HOST})).await;

    // Metering, trunks, logs.
    lab.replay(r, "q-metering-plugin", "get_sync_data_metering", json!({"host": HOST})).await;
    let subports =
        json!([{"port_id": lab.id("subport"), "trunk_id": lab.id("trunk"), "segmentation_type": "vlan", "segmentation_id": 101}]);
    lab.replay(r, "trunk", "update_subport_bindings", json!({ "subports": subports })).await;
    let args = json!({"trunk_id": lab.id("trunk"), "status": "ACTIVE"});
    lab.replay(r, "trunk", "update_trunk_status", args).await;
    let body = json!({"log": {"name": "l1", "resource_type": "security_group", "resource_id": sg}});
    let log = lab.server.post("/log/logs", body).await.expect(201);
    lab.replay(r, "logging-plugin", "get_sg_log_info_for_port", json!({"resource_type": "security_group", "port_id": vm1})).await;
    let args = json!({"resource_type": "security_group", "log_resources": [log]});
    lab.replay(r, "logging-plugin", "get_sg_log_info_for_log_resources", args).await;
    lab.replay(r, "q-plugin", "release_dhcp_port", json!({"network_id": net1, "device_id": device, "host": HOST})).await;

    let all: BTreeSet<String> =
        r.calls().map(|call| format!("{} {}", call["topic"].as_str().unwrap(), call["method"].as_str().unwrap())).collect();
    assert_eq!(all.difference(&lab.called).collect::<Vec<_>>(), Vec::<&String>::new(), "recorded, and not called here");
    assert!(lab.wrong.is_empty(), "{:#?}", lab.wrong);
}
