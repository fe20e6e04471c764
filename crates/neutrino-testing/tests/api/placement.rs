// SPDX-License-Identifier: Apache-2.0
//! What Placement and Nova hear: of routed networks, of agents, of QoS policies. By a Placement and a Nova of few words in one.

use std::{collections::BTreeMap, time::Duration};

use neutrino_core::Context;
use neutrino_services::agents::{AgentState, report};
use neutrino_testing::Server;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::recorded::{Asked, Service};

#[derive(Default)]
struct Cloud {
    providers: BTreeMap<String, Provider>,
    traits: Vec<String>,
    allocations: BTreeMap<String, Value>,
    aggregates: Vec<Value>,
    /// Requests that change something meet another change this often.
    races: usize,
    /// So many requests are answered 503.
    outage: usize,
    /// Nothing more can be allocated.
    full: bool,
}

#[derive(Clone, Debug, Default)]
struct Provider {
    name: String,
    parent: Option<String>,
    generation: i64,
    inventories: Value,
    traits: Value,
    aggregates: Value,
}

fn problem(status: u16, code: &str) -> (u16, Value) {
    (status, json!({"errors": [{"status": status, "code": code, "detail": "no"}]}))
}

fn answer(cloud: &mut Cloud, asked: &Asked) -> (u16, Value) {
    if cloud.outage > 0 {
        cloud.outage -= 1;
        return problem(503, "undefined");
    }
    assert_eq!(asked.header("x-auth-token"), "own");
    let path = asked.path.split('?').next().unwrap_or_default();
    if let Some(path) = path.strip_prefix("/compute") {
        assert_eq!(asked.header("x-openstack-nova-api-version"), "2.41");
        return nova(cloud, asked, path);
    }
    assert_eq!(asked.header("openstack-api-version"), "placement 1.37");
    let parts: Vec<&str> = path.strip_prefix("/placement/").unwrap().split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["resource_providers"]) => {
            let name = asked.query("name").unwrap();
            let found: Vec<Value> =
                cloud.providers.iter().filter(|(_, known)| known.name == name).map(|(id, _)| json!({ "uuid": id })).collect();
            (200, json!({ "resource_providers": found }))
        }
        ("POST", ["resource_providers"]) => {
            let text = |key: &str| asked.body[key].as_str().map(str::to_owned);
            let provider = Provider { name: text("name").unwrap(), parent: text("parent_provider_uuid"), ..Provider::default() };
            cloud.providers.insert(text("uuid").unwrap(), provider);
            (200, json!({}))
        }
        ("PUT", ["traits", name]) => {
            cloud.traits.push((*name).to_owned());
            (201, Value::Null)
        }
        ("GET", ["allocations", consumer]) => {
            (200, cloud.allocations.get(*consumer).cloned().unwrap_or_else(|| json!({"allocations": {}})))
        }
        ("PUT", ["allocations", consumer]) => {
            if cloud.races > 0 {
                cloud.races -= 1;
                return problem(409, "placement.concurrent_update");
            }
            if cloud.full {
                return problem(409, "placement.undefined_code");
            }
            cloud.allocations.insert((*consumer).to_owned(), asked.body.clone());
            (204, Value::Null)
        }
        (method, ["resource_providers", id, rest @ ..]) => provider(cloud, asked, method, id, rest),
        _ => panic!("{asked:?}"),
    }
}

fn provider(cloud: &mut Cloud, asked: &Asked, method: &str, id: &str, rest: &[&str]) -> (u16, Value) {
    let Some(known) = cloud.providers.get_mut(id) else { return problem(404, "undefined") };
    match (method, rest) {
        ("GET", []) => (200, json!({"uuid": id, "generation": known.generation})),
        ("PUT", []) => {
            known.name = asked.body["name"].as_str().unwrap().to_owned();
            known.parent = asked.body["parent_provider_uuid"].as_str().map(str::to_owned);
            (200, json!({}))
        }
        ("DELETE", []) => {
            cloud.providers.remove(id);
            (204, Value::Null)
        }
        ("GET", ["aggregates"]) => (200, json!({"aggregates": known.aggregates})),
        ("PUT", [part]) => {
            if cloud.races > 0 {
                cloud.races -= 1;
                known.generation += 1;
            }
            if asked.body["resource_provider_generation"] != known.generation {
                return problem(409, "placement.concurrent_update");
            }
            known.generation += 1;
            let place = match *part {
                "inventories" => &mut known.inventories,
                "traits" => &mut known.traits,
                "aggregates" => &mut known.aggregates,
                _ => panic!("{asked:?}"),
            };
            *place = asked.body[*part].clone();
            (200, json!({}))
        }
        _ => panic!("{asked:?}"),
    }
}

fn nova(cloud: &mut Cloud, asked: &Asked, path: &str) -> (u16, Value) {
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match (asked.method.as_str(), parts.as_slice()) {
        ("GET", ["os-aggregates"]) => (200, json!({"aggregates": cloud.aggregates})),
        ("POST", ["os-aggregates"]) => {
            let id = cloud.aggregates.len() + 1;
            let made = json!({"id": id, "uuid": format!("a-{id}"), "name": asked.body["aggregate"]["name"], "hosts": []});
            cloud.aggregates.push(made.clone());
            (200, json!({ "aggregate": made }))
        }
        ("POST", ["os-aggregates", id, "action"]) => {
            let aggregate = cloud.aggregates.iter_mut().find(|known| known["id"].as_i64() == id.parse().ok()).unwrap();
            let hosts = aggregate["hosts"].as_array_mut().unwrap();
            if let Some(host) = asked.body["add_host"]["host"].as_str() {
                hosts.push(json!(host));
            } else {
                hosts.retain(|host| *host != asked.body["remove_host"]["host"]);
            }
            (200, json!({}))
        }
        ("DELETE", ["os-aggregates", id]) => {
            cloud.aggregates.retain(|known| known["id"].as_i64() != id.parse().ok());
            (200, json!({}))
        }
        _ => panic!("{asked:?}"),
    }
}

async fn cloud() -> Service<Cloud> {
    Service::start(&["placement", "compute"], answer).await
}

async fn server(address: &str) -> Server {
    let url = format!("http://{address}");
    let mut options = vec![
        ("DEFAULT", "service_plugins", "segments,qos,placement"),
        ("DEFAULT", "send_events_interval", "0"),
        ("ml2", "extension_drivers", "qos"),
        ("ml2", "mechanism_drivers", "openvswitch"),
        ("ml2_type_vlan", "network_vlan_ranges", "p1:100:200"),
    ];
    for group in ["placement", "nova"] {
        options.extend([(group, "auth_type", "password"), (group, "auth_url", url.as_str())]);
        options.extend(["username", "password", "user_domain_id", "project_name", "project_domain_id"].map(|name| (group, name, "x")));
    }
    Server::with(&options).await
}

/// Runs the workers as a server does.
fn run(server: &Server) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    for worker in server.engine.registry.workers().iter().filter(|worker| worker.name().ends_with("for Placement")) {
        let (worker, engine, stopped) = (worker.clone(), server.engine.clone(), stopped.clone());
        tokio::spawn(async move { worker.run(engine, stopped).await });
    }
    stop
}

/// Waits until it is so.
async fn until(cloud: &Service<Cloud>, what: &str, is: impl Fn(&Cloud) -> bool) {
    for _ in 0..1000 {
        if cloud.with(|cloud| is(cloud)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: {:?} {:?}", cloud.with(|cloud| cloud.providers.clone()), cloud.with(|cloud| cloud.aggregates.clone()));
}

fn amounts(cloud: &Cloud, segment: &str) -> (i64, i64) {
    let inventory = cloud.providers.get(segment).map(|known| known.inventories["IPV4_ADDRESS"].clone()).unwrap_or_default();
    (inventory["total"].as_i64().unwrap_or(-1), inventory["reserved"].as_i64().unwrap_or(-1))
}

async fn agent(server: &Server, host: &str, start: bool, configurations: Value) {
    let state = AgentState {
        agent_type: "Open vSwitch agent".to_owned(),
        binary: "neutron-openvswitch-agent".to_owned(),
        host: host.to_owned(),
        topic: "N/A".to_owned(),
        configurations: configurations.as_object().cloned().unwrap(),
        start_flag: start,
        ..AgentState::default()
    };
    let cx = Context::internal("report");
    let done = server.engine.transact(&cx, "agents", "report", move |op| {
        let state = state.clone();
        Box::pin(async move { report(op, &state).await })
    });
    done.await.unwrap();
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap()
}

#[tokio::test]
async fn a_routed_network_is_an_inventory_of_addresses() {
    let cloud = cloud().await;
    let server = server(&cloud.address).await;
    let _stop = run(&server);
    agent(&server, "h1", true, json!({"bridge_mappings": {"p1": "br-x"}})).await;
    let network = json!({"provider:network_type": "vlan", "provider:physical_network": "p1", "provider:segmentation_id": 150});
    let network = server.post("/networks", json!({ "network": network })).await.expect(201)["id"].clone();
    let segments = server.get(&format!("/segments?network_id={}", network.as_str().unwrap())).await.expect(200);
    let segment = text(&segments[0], "id").to_owned();
    // Placement is away at first, and others change the provider at the same time.
    cloud.with(|cloud| (cloud.outage, cloud.races) = (1, 2));
    let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24", "segment_id": segment});
    let subnet = server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    until(&cloud, "a subnet", |cloud| amounts(cloud, &segment) == (254, 2)).await;
    let known = cloud.with(|cloud| cloud.providers[&segment].clone());
    assert_eq!((known.name, known.aggregates), (format!("Neutron segment id {segment}"), json!(["a-1"])));
    assert_eq!(cloud.with(|cloud| cloud.aggregates[0]["hosts"].clone()), json!(["h1"]));
    // Hosts come and go.
    agent(&server, "h2", true, json!({"bridge_mappings": {"p1": "br-x"}})).await;
    until(&cloud, "a host", |cloud| cloud.aggregates[0]["hosts"].as_array().map(Vec::len) == Some(2)).await;
    agent(&server, "h1", false, json!({"bridge_mappings": {"p2": "br-x"}})).await;
    until(&cloud, "a host less", |cloud| cloud.aggregates[0]["hosts"] == json!(["h2"])).await;
    // A port takes an address, a machine's is Nova's to allocate.
    let make = async |owner: &str| {
        let port = json!({"network_id": network, "device_owner": owner, "fixed_ips": [{"subnet_id": subnet["id"]}]});
        format!("/ports/{}", text(&server.post("/ports", json!({ "port": port })).await.expect(201), "id"))
    };
    let (own, machine) = (make("network:x").await, make("compute:nova").await);
    until(&cloud, "a port", |cloud| amounts(cloud, &segment) == (254, 3)).await;
    server.put(&machine, json!({"port": {"device_owner": ""}})).await.expect(200);
    until(&cloud, "a port that is no machine's", |cloud| amounts(cloud, &segment) == (254, 4)).await;
    for port in [&own, &machine] {
        assert_eq!(server.delete(port).await.status, 204);
    }
    until(&cloud, "no port", |cloud| amounts(cloud, &segment) == (254, 2)).await;
    let path = format!("/subnets/{}", text(&subnet, "id"));
    let pools = json!([{"start": "10.0.0.10", "end": "10.0.0.19"}]);
    server.put(&path, json!({"subnet": {"allocation_pools": pools, "enable_dhcp": false}})).await.expect(200);
    until(&cloud, "smaller pools", |cloud| amounts(cloud, &segment) == (11, 1)).await;
    assert_eq!(server.delete(&path).await.status, 204);
    until(&cloud, "no subnet", |cloud| cloud.providers.is_empty() && cloud.aggregates.is_empty()).await;
}

#[tokio::test]
async fn a_network_takes_its_segments_out_of_placement() {
    let cloud = cloud().await;
    let server = server(&cloud.address).await;
    let _stop = run(&server);
    let network = json!({"provider:network_type": "vlan", "provider:physical_network": "p1", "provider:segmentation_id": 151});
    let network = server.post("/networks", json!({ "network": network })).await.expect(201)["id"].clone();
    let path = format!("/networks/{}", network.as_str().unwrap());
    let segments = server.get(&format!("/segments?network_id={}", network.as_str().unwrap())).await.expect(200);
    let segment = text(&segments[0], "id").to_owned();
    let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24", "segment_id": segment});
    server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    until(&cloud, "a subnet", |cloud| amounts(cloud, &segment) == (254, 2)).await;
    assert_eq!(server.delete(&path).await.status, 204);
    until(&cloud, "nothing", |cloud| cloud.providers.is_empty() && cloud.aggregates.is_empty()).await;
}

#[tokio::test]
async fn agents_resources_are_providers() {
    let cloud = cloud().await;
    let server = server(&cloud.address).await;
    let _stop = run(&server);
    let report = json!({"bridge_mappings": {"p1": "br-x"}, "resource_provider_bandwidths": {"br-x": {"egress": 1000, "ingress": 2000}},
        "resource_provider_inventory_defaults": {"allocation_ratio": 1.0}, "resource_provider_hypervisors": {"br-x": "h1.org"}});
    let synced = async || server.get("/agents?host=h1").await.expect(200)[0]["resources_synced"].clone();
    // Nova has not made the hypervisor known yet.
    agent(&server, "h1", true, report.clone()).await;
    for _ in 0..500 {
        if synced().await == false {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(synced().await, false);
    let hypervisor = Provider { name: "h1.org".to_owned(), ..Provider::default() };
    cloud.with(|cloud| drop(cloud.providers.insert("hyper".to_owned(), hypervisor)));
    cloud.with(|cloud| cloud.races = 1);
    agent(&server, "h1", false, report.clone()).await;
    until(&cloud, "a device", |cloud| {
        let device = cloud.providers.values().find(|known| known.name == "h1.org:Open vSwitch agent:br-x");
        device.is_some_and(|known| known.inventories["NET_BW_IGR_KILOBIT_PER_SEC"]["total"] == 2000)
    })
    .await;
    let all = cloud.with(|cloud| cloud.providers.clone());
    let named = |name: &str| all.iter().find(|(_, known)| known.name == name).unwrap();
    let (of_agent, of_device) = (named("h1.org:Open vSwitch agent"), named("h1.org:Open vSwitch agent:br-x"));
    assert_eq!((of_agent.1.parent.as_deref(), of_device.1.parent.as_ref()), (Some("hyper"), Some(of_agent.0)));
    assert_eq!(of_device.1.traits[0], "CUSTOM_PHYSNET_P1");
    assert!(cloud.with(|cloud| cloud.traits.contains(&"CUSTOM_VNIC_TYPE_NORMAL".to_owned())));
    for _ in 0..500 {
        if synced().await == true {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(synced().await, true);
    // What is known is not told again, unless the agent starts anew. Times are whole seconds: a report of the same one could be its first.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    cloud.take();
    agent(&server, "h1", false, report.clone()).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(cloud.take().len(), 0);
    agent(&server, "h1", true, report).await;
    for _ in 0..500 {
        if !cloud.take().is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("an agent that starts is told of again");
}

const PROVIDER: &str = "36a9f27c-0001-4000-8000-000000000001";
const MACHINE: &str = "6b9e6d83-6a3f-4d2e-9f0e-3f1f6f1e0a01";

async fn policy(server: &Server, kbps: i64) -> String {
    let policy = server.post("/qos/policies", json!({"policy": {"name": "x"}})).await.expect(201);
    let path = format!("/qos/policies/{}/minimum_bandwidth_rules", text(&policy, "id"));
    server.post(&path, json!({"minimum_bandwidth_rule": {"min_kbps": kbps}})).await.expect(201);
    text(&policy, "id").to_owned()
}

/// A machine's port that was scheduled by its policy, or its network's.
async fn scheduled(cloud: &Service<Cloud>, server: &Server, port: Value) -> String {
    let port = server.post("/ports", json!({ "port": port })).await.expect(201);
    let path = format!("/ports/{}", text(&port, "id"));
    let group = text(&port["resource_request"]["request_groups"][0], "id");
    server.put(&path, json!({"port": {"binding:profile": {"allocation": {group: PROVIDER}}}})).await.expect(200);
    let allocation = json!({"allocations": {PROVIDER: {"resources": {"NET_BW_EGR_KILOBIT_PER_SEC": 1000}}, "host": {"resources": {"VCPU": 1}}},
        "consumer_generation": 1});
    cloud.with(|cloud| drop(cloud.allocations.insert(MACHINE.to_owned(), allocation)));
    path
}

fn allocated(cloud: &Service<Cloud>) -> Value {
    cloud.with(|cloud| cloud.allocations[MACHINE]["allocations"][PROVIDER]["resources"]["NET_BW_EGR_KILOBIT_PER_SEC"].clone())
}

#[tokio::test]
async fn another_policy_of_a_machines_port_changes_its_allocation() {
    let cloud = cloud().await;
    let server = server(&cloud.address).await;
    let (small, large) = (policy(&server, 1000).await, policy(&server, 3000).await);
    let network = server.post("/networks", json!({"network": {}})).await.expect(201)["id"].clone();
    let port = json!({"network_id": network, "qos_policy_id": small, "device_owner": "compute:nova", "device_id": MACHINE});
    let path = scheduled(&cloud, &server, port).await;
    let give = async |policy: Value| server.put(&path, json!({"port": {"qos_policy_id": policy}})).await;
    cloud.with(|cloud| cloud.races = 2);
    let given = give(json!(large)).await.expect(200);
    assert_eq!(allocated(&cloud), 3000);
    let group = text(&given["resource_request"]["request_groups"][0], "id");
    assert_eq!(given["binding:profile"], json!({"allocation": {group: PROVIDER}}));
    // So much is not left; Placement is away: all stays as it is.
    cloud.with(|cloud| cloud.full = true);
    give(json!(small)).await.refused(409, "QosPlacementAllocationUpdateConflict");
    cloud.with(|cloud| (cloud.full, cloud.outage) = (false, 1));
    give(json!(small)).await.refused(503, "HTTPServiceUnavailable");
    let shown = server.get(&path).await.expect(200);
    assert_eq!((&shown["qos_policy_id"], allocated(&cloud)), (&json!(large), json!(3000)));
    // Nothing is asked for any more.
    give(Value::Null).await.expect(200);
    assert_eq!(allocated(&cloud), Value::Null);
    assert_eq!(cloud.with(|cloud| cloud.allocations[MACHINE]["allocations"]["host"]["resources"]["VCPU"].clone()), 1);
}

#[tokio::test]
async fn so_does_another_policy_of_its_network() {
    let cloud = cloud().await;
    let server = server(&cloud.address).await;
    let (small, large) = (policy(&server, 1000).await, policy(&server, 3000).await);
    let network = server.post("/networks", json!({"network": {"qos_policy_id": small}})).await.expect(201)["id"].clone();
    let port = json!({"network_id": network, "device_owner": "compute:nova", "device_id": MACHINE});
    let path = scheduled(&cloud, &server, port).await;
    let of_network = format!("/networks/{}", network.as_str().unwrap());
    let give = || server.put(&of_network, json!({"network": {"qos_policy_id": large}}));
    cloud.with(|cloud| cloud.full = true);
    give().await.refused(409, "QosPlacementAllocationUpdateConflict");
    cloud.with(|cloud| cloud.full = false);
    give().await.expect(200);
    assert_eq!(allocated(&cloud), 3000);
    let shown = server.get(&path).await.expect(200);
    let group = text(&shown["resource_request"]["request_groups"][0], "id");
    assert_eq!(shown["binding:profile"], json!({"allocation": {group: PROVIDER}}));
}

#[test]
fn the_plugin_needs_credentials() {
    let mut builder = neutrino_core::Builder::default();
    let config = neutrino_testing::config(&[("DEFAULT", "service_plugins", "placement")]);
    assert!(neutrino_services::placement_report::register(&mut builder, &config).unwrap_err().contains("[placement]"));
}
