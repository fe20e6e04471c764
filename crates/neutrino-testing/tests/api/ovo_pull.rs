// SPDX-License-Identifier: Apache-2.0
//! `pull` and `bulk_pull`: versioned objects as agents ask for them, compared with those that Neutron sent.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_testing::{PROJECT, Server, contract};
use serde_json::{Value, json};

use crate::{
    bindings::{on_host, ovs_agent},
    ndp_proxies::Scoped,
    port_forwardings::Forwarded,
    ports::{create, network, subnet},
    security_groups::id,
};

const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// The newest version of each kind.
pub const NEWEST: [(&str, &str); 15] = [
    ("QosPolicy", "1.10"),
    ("Trunk", "1.1"),
    ("SubPort", "1.0"),
    ("Port", "1.11"),
    ("Subnet", "1.2"),
    ("Network", "1.3"),
    ("SecurityGroup", "1.6"),
    ("SecurityGroupRule", "1.3"),
    ("Log", "1.0"),
    ("PortForwarding", "1.3"),
    ("ConntrackHelper", "1.0"),
    ("AddressGroup", "1.2"),
    ("LocalIPAssociation", "1.0"),
    ("NDPProxy", "1.0"),
    ("Agent", "1.1"),
];

pub fn newest(kind: &str) -> &'static str {
    NEWEST.iter().find(|(name, _)| *name == kind).unwrap().1
}

pub async fn bulk(server: &Server, kind: &str, version: &str, filters: Value) -> neutrino_types::Result<Vec<Value>> {
    let args = json!({"resource_type": kind, "version": version, "filter_kwargs": filters});
    let found = server.rpc("q-plugin", "1.1", "bulk_pull", args).await?;
    Ok(found.as_array().unwrap().clone())
}

/// The data of all objects of a kind that meet the filters.
pub async fn all(server: &Server, kind: &str, filters: Value) -> Vec<Value> {
    bulk(server, kind, newest(kind), filters).await.unwrap().into_iter().map(|mut o| o["versioned_object.data"].take()).collect()
}

async fn pull(server: &Server, kind: &str, version: &str, id: &str) -> neutrino_types::Result<Value> {
    let args = json!({"resource_type": kind, "version": version, "resource_id": id});
    server.rpc("q-plugin", "1.1", "pull", args).await
}

async fn one(server: &Server, kind: &str, id: &str) -> Value {
    pull(server, kind, newest(kind), id).await.unwrap()
}

async fn post(server: &Server, path: &str, member: &str, body: Value) -> Value {
    server.post(path, json!({ member: body })).await.expect(201)
}

/// A network with a subnet, and a port with everything on a host with an agent.
struct Lab {
    server: Server,
    network: String,
    subnet: String,
    group: Value,
    port: Value,
}

impl Lab {
    async fn new() -> Self {
        let server = Server::full().await;
        ovs_agent(&server, "h1").await;
        let network = network(&server).await;
        let routes =
            json!({"host_routes": [{"destination": "10.9.0.0/24", "nexthop": "10.5.0.9"}], "dns_nameservers": ["10.5.0.3", "10.5.0.2"]});
        let subnet = subnet(&server, &network, "10.5.0.0/24", routes).await;
        let group = post(&server, "/security-groups", "security_group", json!({"name": "g"})).await;
        let more = json!({"security_groups": [group["id"]], "name": "p", "allowed_address_pairs": [{"ip_address": "10.5.0.77"}],
            "extra_dhcp_opts": [{"opt_name": "bootfile-name", "opt_value": "pxe.0"}]});
        let port = on_host(&server, &network, "h1", more).await.expect(201);
        Self { server, network, subnet, group, port }
    }
}

#[tokio::test]
async fn a_port_is_all_that_an_agent_needs_to_know() {
    let lab = Lab::new().await;
    let port = one(&lab.server, "Port", id(&lab.port)).await;
    assert_eq!(
        (&port["versioned_object.name"], &port["versioned_object.namespace"], &port["versioned_object.version"]),
        (&json!("Port"), &json!("versionedobjects"), &json!("1.11"))
    );
    assert_eq!(port.get("versioned_object.changes"), None);
    let data = &port["versioned_object.data"];
    assert_eq!((&data["security_group_ids"], &data["name"]), (&json!([lab.group["id"]]), &json!("p")));
    for name in ["mac_address", "network_id", "device_id", "device_owner", "status", "revision_number", "created_at", "updated_at"] {
        assert_eq!(data[name], lab.port[name], "{name}");
    }
    let inner = |list: &str| data[list][0]["versioned_object.data"].clone();
    let pair = json!({"port_id": lab.port["id"], "mac_address": lab.port["mac_address"], "ip_address": "10.5.0.77"});
    assert_eq!(inner("allowed_address_pairs"), pair);
    let fixed = &lab.port["fixed_ips"][0];
    let fixed =
        json!({"port_id": lab.port["id"], "subnet_id": fixed["subnet_id"], "network_id": lab.network, "ip_address": fixed["ip_address"]});
    assert_eq!(inner("fixed_ips"), fixed);
    let binding = inner("bindings");
    assert_eq!((&binding["host"], &binding["vif_type"], &binding["status"]), (&json!("h1"), &json!("ovs"), &json!("ACTIVE")));
    assert_eq!(binding["profile"], "{}");
    let details: Value = serde_json::from_str(binding["vif_details"].as_str().unwrap()).unwrap();
    assert_eq!((&details["port_filter"], &details["bridge_name"]), (&json!(true), &json!("br-int")));
    assert!(binding["vif_details"].as_str().unwrap().contains("\": "), "{binding}");
    let level = inner("binding_levels");
    assert_eq!((&level["host"], &level["level"], &level["driver"]), (&json!("h1"), &json!(0), &json!("openvswitch")));
    let segment = &level["segment"]["versioned_object.data"];
    assert_eq!((&segment["network_type"], &segment["id"], &segment["is_dynamic"]), (&json!("vxlan"), &level["segment_id"], &json!(false)));
    assert!(segment["segmentation_id"].is_i64() && segment.get("physical_network").is_none(), "{segment}");
    assert_eq!(data["security"]["versioned_object.data"], json!({"id": lab.port["id"], "port_security_enabled": true}));
    assert_eq!(inner("dhcp_options")["opt_value"], "pxe.0");
}

#[tokio::test]
async fn what_is_not_there_is_null_or_nothing() {
    let server = Server::full().await;
    for (kind, version) in NEWEST {
        assert_eq!(pull(&server, kind, version, NOBODY).await.unwrap(), Value::Null, "{kind}");
        assert!(bulk(&server, kind, version, Value::Null).await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn unknown_types_and_versions_are_refused() {
    let server = Server::full().await;
    let name = |error: neutrino_types::Error| error.kind().name.to_owned();
    assert_eq!(pull(&server, "Nope", "1.0", "x").await.map_err(name), Err("Invalid".to_owned()));
    assert_eq!(bulk(&server, "Nope", "1.0", json!({})).await.map_err(name), Err("InvalidResourceTypeClass".to_owned()));
    assert_eq!(bulk(&server, "Port", "1.12", json!({})).await.map_err(name), Err("InvalidTargetVersion".to_owned()));
    assert_eq!(bulk(&server, "QosPolicy", "1.7", json!({})).await.map_err(name), Err("IncompatibleObjectVersion".to_owned()));
}

#[tokio::test]
async fn filters_are_obeyed_or_refused() {
    let lab = Lab::new().await;
    let server = &lab.server;
    let other = create(server, &lab.network, json!({"port_security_enabled": false})).await.expect(201);
    let ids = |ports: Vec<Value>| ports.iter().map(|port| port["id"].as_str().unwrap().to_owned()).collect::<BTreeSet<_>>();
    let (a, b) = (id(&lab.port).to_owned(), id(&other).to_owned());
    let (only_a, only_b, both) = (BTreeSet::from([a.clone()]), BTreeSet::from([b.clone()]), BTreeSet::from([a.clone(), b.clone()]));
    for (filters, found) in [
        (json!({"id": [a]}), &only_a),
        (json!({"id": b}), &only_b),
        (json!({"id": [a, b, NOBODY]}), &both),
        (json!({"id": []}), &BTreeSet::new()),
        (json!({"security_group_ids": [lab.group["id"]]}), &only_a),
        (json!({"security_group_ids": [NOBODY]}), &BTreeSet::new()),
        (json!({"security_group_ids": [lab.group["id"]], "id": [b]}), &BTreeSet::new()),
        (json!({"network_id": lab.network, "device_owner": ["compute:nova", "x"]}), &only_a),
        (json!({"mac_address": [other["mac_address"]]}), &only_b),
        (json!({"admin_state_up": true}), &both),
        (json!({"admin_state_up": [false]}), &BTreeSet::new()),
        (json!({"tenant_id": [PROJECT]}), &both),
        (json!({"project_id": [null]}), &BTreeSet::new()),
    ] {
        assert_eq!(ids(all(server, "Port", filters.clone()).await), *found, "{filters}");
    }
    let rules = all(server, "SecurityGroupRule", json!({"security_group_id": [lab.group["id"]]})).await;
    assert_eq!(rules.len(), lab.group["security_group_rules"].as_array().unwrap().len());
    assert!(all(server, "SecurityGroupRule", json!({"remote_address_group_id": [NOBODY]})).await.is_empty());
    assert!(all(server, "SecurityGroup", json!({"is_default": [true], "shared": false})).await.len() == 1);
    for (kind, filters) in [
        ("Port", json!({"fixed_ips": ["x"]})),
        ("Port", json!({"nope": ["x"]})),
        ("Port", json!({"id": [1]})),
        ("Port", json!({"id": {"contains": "x"}})),
        ("Port", json!({"qos_policy_id": ["x"]})),
        ("SubPort", json!({"segmentation_id": ["x"]})),
        ("Network", json!({"admin_state_up": ["x"]})),
        ("Network", json!({"created_at": ["x"]})),
    ] {
        let refused = bulk(server, kind, newest(kind), filters.clone()).await.unwrap_err();
        assert_eq!(refused.kind().name, "InvalidInput", "{filters}");
    }
    let args = json!({"resource_type": "Port", "version": "1.11", "filter_kwargs": []});
    assert!(server.rpc("q-plugin", "1.1", "bulk_pull", args).await.is_err());
}

#[tokio::test]
async fn older_agents_get_older_objects() {
    let lab = Lab::new().await;
    let keys = |object: &Value| object["versioned_object.data"].as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let new = keys(&one(&lab.server, "Port", id(&lab.port)).await);
    let old = pull(&lab.server, "Port", "1.7", id(&lab.port)).await.unwrap();
    assert_eq!(old["versioned_object.version"], "1.7");
    let kept = keys(&old);
    let lost: BTreeSet<_> = new.difference(&kept).map(String::as_str).collect();
    assert_eq!(lost, BTreeSet::from(["hints", "pvlan_type", "pvlan_community"]));
    let group = pull(&lab.server, "SecurityGroup", "1.2", id(&lab.group)).await.unwrap();
    let rule = &group["versioned_object.data"]["rules"][0];
    assert_eq!((&rule["versioned_object.version"], rule["versioned_object.data"].get("belongs_to_default_sg")), (&json!("1.0"), None));
    let subnet = pull(&lab.server, "Subnet", "1.0", &lab.subnet).await.unwrap();
    assert_eq!(subnet["versioned_object.data"].get("external"), None);
    let network = pull(&lab.server, "Network", "1.1", &lab.network).await.unwrap();
    assert_eq!((network["versioned_object.data"].get("pvlan"), network["versioned_object.data"].get("qinq")), (None, None));
    let policy = post(&lab.server, "/qos/policies", "policy", json!({"name": "q"})).await;
    let path = format!("/qos/policies/{}", id(&policy));
    let rates = [
        ("bandwidth_limit_rule", json!({"max_kbps": 9})),
        ("packet_rate_limit_rule", json!({"max_kpps": 9})),
        ("minimum_packet_rate_rule", json!({"min_kpps": 9, "direction": "any"})),
    ];
    for (rule, body) in rates {
        post(&lab.server, &format!("{path}/{rule}s"), rule, body).await;
    }
    for (version, names) in [
        ("1.10", &["QosBandwidthLimitRule", "QosMinimumPacketRateRule", "QosPacketRateLimitRule"][..]),
        ("1.9", &["QosBandwidthLimitRule", "QosPacketRateLimitRule"]),
        ("1.8", &["QosBandwidthLimitRule"]),
    ] {
        let object = pull(&lab.server, "QosPolicy", version, id(&policy)).await.unwrap();
        let rules = object["versioned_object.data"]["rules"].as_array().unwrap();
        assert_eq!(rules.iter().map(|rule| rule["versioned_object.name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    }
}

#[tokio::test]
async fn a_bulk_pull_costs_the_same_for_one_and_for_many() {
    let lab = Lab::new().await;
    let mut costs = Vec::new();
    for filters in [json!({"id": [lab.port["id"]]}), json!({})] {
        let before = lab.server.statements();
        let found = all(&lab.server, "Port", filters).await.len();
        costs.push((found, lab.server.statements() - before));
        for n in 0..5 {
            on_host(&lab.server, &lab.network, "h1", json!({"name": n.to_string()})).await.expect(201);
        }
    }
    assert_eq!((costs[0].0, costs[1].0), (1, 6));
    assert_eq!(costs[0].1, costs[1].1);
}

/// Everything that agents may see, at least once.
async fn everything(lab: &Lab) {
    let server = &lab.server;
    for (kind, direction) in
        [("bandwidth_limit_rule", json!({"max_kbps": 9, "max_burst_kbps": 1})), ("dscp_marking_rule", json!({"dscp_mark": 26}))]
    {
        let policy = post(server, "/qos/policies", "policy", json!({"name": kind})).await;
        post(server, &format!("/qos/policies/{}/{kind}s", id(&policy)), kind, direction).await;
    }
    let addresses = post(server, "/address-groups", "address_group", json!({"name": "a", "addresses": ["198.18.1.0/24"]})).await;
    for rule in [
        json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 2}),
        json!({"protocol": "tcp"}),
        json!({"protocol": "tcp", "remote_address_group_id": addresses["id"]}),
        json!({"protocol": "icmp", "remote_ip_prefix": "0.0.0.0/0"}),
        json!({"protocol": "udp", "port_range_min": 1, "port_range_max": 2, "remote_group_id": lab.group["id"]}),
    ] {
        let mut body = json!({"security_group_id": lab.group["id"], "direction": "ingress"});
        body.as_object_mut().unwrap().extend(rule.as_object().unwrap().clone());
        post(server, "/security-group-rules", "security_group_rule", body).await;
    }
    post(server, "/log/logs", "log", json!({"resource_type": "security_group", "resource_id": lab.group["id"], "project_id": PROJECT}))
        .await;
    let (parent, child) =
        (create(server, &lab.network, json!({})).await.expect(201), create(server, &lab.network, json!({})).await.expect(201));
    let sub_port = json!([{"port_id": child["id"], "segmentation_type": "vlan", "segmentation_id": 5}]);
    post(server, "/trunks", "trunk", json!({"port_id": parent["id"], "sub_ports": sub_port})).await;
    let forwarded = Forwarded::new(server, PROJECT).await;
    forwarded.add(server, json!({"external_port": 2222, "internal_port": 22})).await.expect(201);
    let flat = json!({"provider:network_type": "vlan", "provider:physical_network": "physnet1", "provider:segmentation_id": 150});
    let vlan = post(server, "/networks", "network", flat).await;
    server.sql(&format!("UPDATE networksegments SET segmentation_id = NULL WHERE network_id = '{}'", id(&vlan))).await;
    subnet(server, id(&vlan), "10.77.0.0/24", json!({"gateway_ip": null})).await;
    let v6 = json!({"subnet": {"network_id": lab.network, "ip_version": 6, "cidr": "2001:db8:31::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}});
    server.post("/subnets", v6).await.expect(201);
    let router = post(server, "/routers", "router", json!({})).await;
    let helper = json!({"protocol": "udp", "port": 69, "helper": "tftp"});
    post(server, &format!("/routers/{}/conntrack_helpers", id(&router)), "conntrack_helper", helper).await;
    server
        .sql(&format!(
            "INSERT INTO portdnses (port_id, current_dns_name, current_dns_domain, previous_dns_name, previous_dns_domain, dns_name, dns_domain) \
             VALUES ('{0}', '', '', '', '', '', ''); \
             INSERT INTO ml2_distributed_port_bindings (port_id, host, router_id, vif_type, vif_details, vnic_type, profile, status) \
             VALUES ('{0}', 'h2', '{1}', 'ovs', '', 'normal', '', 'DOWN')",
            id(&lab.port),
            id(&router)
        ))
        .await;
    let scoped = Scoped::new(server, PROJECT).await;
    let inside = scoped.port(server, PROJECT).await;
    post(server, "/ndp_proxies", "ndp_proxy", scoped.body(&inside)).await;
    let local = post(server, "/local-ips", "local_ip", json!({"network_id": lab.network})).await;
    let associated = json!({"fixed_port_id": lab.port["id"], "fixed_ip": lab.port["fixed_ips"][0]["ip_address"]});
    post(server, &format!("/local-ips/{}/port_associations", id(&local)), "port_association", associated).await;
}

/// The keys of an object and of all in it.
fn shapes(object: &Value, found: &mut BTreeMap<String, BTreeSet<Vec<String>>>) {
    let data = object["versioned_object.data"].as_object().unwrap();
    let name = format!("{} {}", object["versioned_object.name"].as_str().unwrap(), object["versioned_object.version"].as_str().unwrap());
    found.entry(name).or_default().insert(data.keys().cloned().collect());
    let inner = data.values().flat_map(|value| value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice));
    for object in inner.filter(|value| value.get("versioned_object.name").is_some()) {
        shapes(object, found);
    }
}

#[tokio::test]
async fn every_shape_that_neutron_sent_is_one_of_ours() {
    let lab = Lab::new().await;
    everything(&lab).await;
    let mut ours = BTreeMap::new();
    for (kind, version) in NEWEST {
        let found = bulk(&lab.server, kind, version, json!({})).await.unwrap();
        assert!(!found.is_empty(), "{kind}");
        found.iter().for_each(|object| shapes(object, &mut ours));
    }
    let captured: Value = serde_json::from_str(include_str!("ovo_shapes.json")).unwrap();
    let mut missing = Vec::new();
    for shape in captured.as_array().unwrap() {
        let name = format!("{} {}", shape["name"].as_str().unwrap(), shape["version"].as_str().unwrap());
        let keys: Vec<String> = serde_json::from_value(shape["keys"].clone()).unwrap();
        if !ours.get(&name).is_some_and(|shapes| shapes.contains(&keys)) {
            missing.push(format!("{name}: {keys:?}; ours: {:?}", ours.get(&name)));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[tokio::test]
async fn every_field_is_neutrons() {
    let lab = Lab::new().await;
    everything(&lab).await;
    let contract = contract::read("ovo.json");
    let mut ours = BTreeMap::new();
    for (kind, version) in NEWEST {
        bulk(&lab.server, kind, version, json!({})).await.unwrap().iter().for_each(|object| shapes(object, &mut ours));
    }
    for (name, shapes) in ours {
        let (name, version) = name.split_once(' ').unwrap();
        let object = &contract["objects"][name];
        assert_eq!(object["version"], version, "{name}");
        let fields = object["fields"].as_object().unwrap();
        for keys in shapes {
            if let Some(strange) = keys.iter().find(|key| !fields.contains_key(*key)) {
                panic!("{name} has no {strange}");
            }
            let lacks = |(key, field): &(&String, &Value)| field["nullable"] == false && !keys.contains(key);
            let missing: Vec<_> = fields.iter().filter(lacks).map(|(key, _)| key).collect();
            assert!(missing.is_empty(), "{name} lacks {missing:?}: {keys:?}");
        }
    }
}

#[tokio::test]
async fn a_trunk_is_asked_for_by_its_port() {
    let lab = Lab::new().await;
    everything(&lab).await;
    let trunks = all(&lab.server, "Trunk", json!({})).await;
    let trunk = one(&lab.server, "Trunk", trunks[0]["port_id"].as_str().unwrap()).await;
    assert_eq!(trunk["versioned_object.data"], trunks[0]);
    assert_eq!(trunks[0]["sub_ports"][0]["versioned_object.data"]["trunk_id"], trunks[0]["id"]);
    assert_eq!(one(&lab.server, "Trunk", id(&trunks[0])).await, Value::Null);
    let local = all(&lab.server, "LocalIPAssociation", json!({"fixed_port_id": lab.port["id"]})).await;
    let id = local[0]["id"].as_str().unwrap();
    assert_eq!(id, format!("{}_{}", local[0]["local_ip_id"].as_str().unwrap(), local[0]["fixed_port_id"].as_str().unwrap()));
    assert_eq!(one(&lab.server, "LocalIPAssociation", id).await["versioned_object.data"], local[0]);
}
