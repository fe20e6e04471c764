// SPDX-License-Identifier: Apache-2.0
//! Many Open vSwitch agents in one process, for `scripts/rpc-load`: they speak the real protocol to a server, several on each connection.
//!
//! `agents URL report FIRST COUNT CONNECTIONS`: each reports its state as one that starts.
//! `agents URL sync PLAN CONNECTIONS`: each does what it does when it starts with ports: PLAN is `{host: {"ports": [..], "networks": [..],
//! "groups": [..]}}`.
//! `agents URL register HOST 1`: an Open vSwitch, a DHCP and an L3 agent of one host report.
//! `agents URL networks HOST 1`: the DHCP agent asks for all its networks, makes its ports there, says that all ports are ready, and asks again.
//! `agents URL routers HOST 1`: the L3 agent asks which routers it has, and for them: 256 at a time, as Neutron's does, and all at once.
//! Prints one JSON line: seconds, calls, failures, and how long calls took; for one host, how long each step took and what came of it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use oslo_config::{Config, Opt};
use oslo_messaging::{Options, Request, Target, Transport, TransportUrl};
use serde_json::{Map, Value, json};

static URL: &[Opt] = &[Opt::str("DEFAULT", "transport_url").secret().help("The broker.")];

/// What the agent understands, as Neutron's own says it.
const VERSIONS: [(&str, &str); 12] = [
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
];

/// The time that reports carry: a server passes over those from before its start. `AGENTS_NOW`, as 2026-01-31T23:59:59.000000.
fn now() -> String {
    std::env::var("AGENTS_NOW").unwrap_or_else(|_| "2100-01-01T00:00:00.000000".to_owned())
}

#[derive(Default)]
struct Record {
    /// Milliseconds of each call.
    took: Vec<u128>,
    failures: Vec<String>,
}

#[derive(Clone)]
struct Agent {
    host: String,
    number: usize,
    transport: Arc<Transport>,
    record: Arc<Mutex<Record>>,
}

impl Agent {
    async fn call(&self, topic: &str, version: &str, method: &str, args: Value, timeout_s: u64) -> Value {
        let object = |value: Value| if let Value::Object(map) = value { map } else { Map::new() };
        let context =
            object(json!({"is_admin": true, "user": null, "project_id": null, "roles": [], "request_id": format!("req-{}", self.host)}));
        let request = Request { method: method.to_owned(), namespace: None, version: version.to_owned(), args: object(args), context };
        let target = Target { topic: topic.to_owned(), ..Target::default() };
        let began = Instant::now();
        let result = self.transport.call(target, request, Some(Duration::from_secs(timeout_s))).await;
        let Ok(mut record) = self.record.lock() else { return Value::Null };
        record.took.push(began.elapsed().as_millis());
        result.unwrap_or_else(|error| {
            record.failures.push(format!("{method}: {error}"));
            Value::Null
        })
    }

    /// [`Agent::call`], with the seconds that it took noted for the report.
    async fn step(&self, steps: &mut Vec<Value>, topic: &str, version: &str, method: &str, args: Value) -> Value {
        let began = Instant::now();
        let answer = self.call(topic, version, method, args, 60).await;
        let bytes = answer.to_string().len();
        let rows = answer.as_array().map_or(0, Vec::len);
        steps.push(
            json!({"method": method, "seconds": (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0, "rows": rows, "bytes": bytes}),
        );
        answer
    }

    async fn register(&self) {
        self.report(true, 0).await;
        for (binary, kind, topic, configurations) in [
            ("neutron-dhcp-agent", "DHCP agent", "dhcp_agent", json!({"dhcp_driver": "Dnsmasq", "networks": 0, "ports": 0, "subnets": 0})),
            (
                "neutron-l3-agent",
                "L3 agent",
                "l3_agent",
                json!({"agent_mode": "legacy", "routers": 0, "handle_internal_only_routers": true}),
            ),
        ] {
            let state = json!({"binary": binary, "host": self.host, "topic": topic, "configurations": configurations, "agent_type": kind,
                "availability_zone": "nova", "start_flag": true, "uuid": format!("{}-{kind}", self.host)});
            let args = json!({"agent_state": {"agent_state": state}, "time": now()});
            self.call("q-reports-plugin", "1.4", "report_state", args, 60).await;
        }
    }

    async fn networks(&self, steps: &mut Vec<Value>) {
        let all = json!({"host": self.host, "enable_dhcp_filter": false});
        let networks = self.step(steps, "q-plugin", "1.1", "get_active_networks_info", all.clone()).await;
        let began = Instant::now();
        let networks = networks.as_array().cloned().unwrap_or_default();
        let is_dhcp = |port: &&Value| port["device_owner"] == "network:dhcp";
        let (mut made, mut ready) = (0, Vec::new());
        for network in &networks {
            let ports: Vec<&Value> = network["ports"].as_array().into_iter().flatten().collect();
            ready.extend(ports.iter().filter_map(|port| port["id"].as_str()).map(str::to_owned));
            if ports.iter().any(is_dhcp) {
                continue;
            }
            let subnets = network["subnets"].as_array().into_iter().flatten();
            let fixed_ips: Vec<Value> = subnets.map(|subnet| json!({"subnet_id": subnet["id"]})).collect();
            let device = format!("dhcp-{}-{}", self.host, network["id"].as_str().unwrap_or_default());
            let port = json!({"name": "", "admin_state_up": true, "device_id": device, "network_id": network["id"],
                "project_id": network["project_id"], "fixed_ips": fixed_ips});
            let args = json!({"port": {"port": port}, "host": self.host});
            let port = self.call("q-plugin", "1.1", "create_dhcp_port", args, 60).await;
            ready.extend(port["id"].as_str().map(str::to_owned));
            made += 1;
        }
        steps.push(json!({"method": "create_dhcp_port", "calls": made, "seconds": began.elapsed().as_secs_f64()}));
        let began = Instant::now();
        for some in ready.chunks(64) {
            self.call("q-plugin", "1.5", "dhcp_ready_on_ports", json!({"port_ids": some}), 60).await;
        }
        steps.push(json!({"method": "dhcp_ready_on_ports", "calls": ready.len().div_ceil(64), "seconds": began.elapsed().as_secs_f64()}));
        self.step(steps, "q-plugin", "1.1", "get_active_networks_info", all).await;
    }

    async fn routers(&self, steps: &mut Vec<Value>) {
        let ids = self.step(steps, "q-l3-plugin", "1.9", "get_router_ids", json!({"host": self.host})).await;
        let ids = ids.as_array().cloned().unwrap_or_default();
        // The first time their ports are bound on the host; then nothing is written.
        for _ in 0..2 {
            for some in ids.chunks(256) {
                self.step(steps, "q-l3-plugin", "1.0", "sync_routers", json!({"host": self.host, "router_ids": some})).await;
            }
        }
        self.step(steps, "q-l3-plugin", "1.0", "sync_routers", json!({"host": self.host, "router_ids": ids})).await;
    }

    fn address(&self) -> String {
        format!("198.18.{}.{}", self.number / 250, self.number % 250 + 1)
    }

    async fn report(&self, start: bool, devices: usize) {
        let versions: Map<String, Value> = VERSIONS.iter().map(|(name, version)| ((*name).to_owned(), (*version).into())).collect();
        let configurations = json!({"bridge_mappings": {"physnet1": "br-ex"}, "integration_bridge": "br-int", "tunnel_types": ["vxlan"],
            "tunneling_ip": self.address(), "l2_population": true, "arp_responder_enabled": true, "enable_distributed_routing": false,
            "extensions": ["qos"], "datapath_type": "netdev", "ovs_hybrid_plug": false, "devices": devices, "in_distributed_mode": false});
        let mut state = json!({"binary": "neutron-openvswitch-agent", "host": self.host, "topic": "N/A", "configurations": configurations,
            "agent_type": "Open vSwitch agent", "uuid": self.host});
        if start {
            state["start_flag"] = true.into();
            state["resource_versions"] = Value::Object(versions);
        }
        let args = json!({"agent_state": {"agent_state": state}, "time": now()});
        self.call("q-reports-plugin", "1.4", "report_state", args, 60).await;
    }

    async fn sync(&self, plan: &Value) {
        let id = format!("ovs-agent-{}", self.host);
        self.call("q-reports-plugin", "1.4", "has_alive_neutron_server", json!({}), 60).await;
        self.report(true, 0).await;
        let tunnel = json!({"tunnel_ip": self.address(), "tunnel_type": "vxlan", "host": self.host});
        self.call("q-plugin", "1.4", "tunnel_sync", tunnel, 60).await;
        for port in plan["ports"].as_array().into_iter().flatten() {
            let args = json!({"resource_type": "Port", "version": "1.11", "resource_id": port});
            self.call("q-plugin", "1.1", "pull", args, 60).await;
        }
        for network in plan["networks"].as_array().into_iter().flatten() {
            let args = json!({"network": network, "agent_id": id, "host": self.host});
            self.call("q-plugin", "1.6", "get_network_details", args, 60).await;
            let args = json!({"resource_type": "Network", "version": "1.3", "resource_id": network});
            self.call("q-plugin", "1.1", "pull", args, 60).await;
        }
        for group in plan["groups"].as_array().into_iter().flatten() {
            let args = json!({"resource_type": "SecurityGroupRule", "version": "1.3", "filter_kwargs": {"security_group_id": group}});
            self.call("q-plugin", "1.1", "bulk_pull", args, 60).await;
        }
        let args = json!({"devices_up": plan["ports"], "devices_down": [], "agent_id": id, "host": self.host, "refresh_tunnels": true});
        self.call("q-plugin", "1.9", "update_device_list", args, 60).await;
        self.report(false, 10).await;
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let word = |index: usize| words.get(index).map(String::as_str).unwrap_or_default();
    let plan: Map<String, Value> = match word(1) {
        "report" => {
            let (first, count): (usize, usize) = (word(2).parse()?, word(3).parse()?);
            (first..first + count).map(|number| (format!("load-{number:04}"), Value::Null)).collect()
        }
        "sync" => serde_json::from_str(&std::fs::read_to_string(word(2))?)?,
        "register" | "networks" | "routers" => Map::from_iter([(word(2).to_owned(), word(1).into())]),
        _ => {
            return Err(
                "usage: agents URL report FIRST COUNT CONNECTIONS | sync PLAN CONNECTIONS | register|networks|routers HOST 1".into()
            );
        }
    };
    let connections: usize = words.last().ok_or("no number of connections")?.parse()?;
    let conf = Config::for_test(&[oslo_messaging::OPTIONS, URL], &[])?;
    let url = TransportUrl::parse(word(0))?;
    let mut transports = Vec::new();
    for _ in 0..connections.max(1) {
        transports.push(Transport::start(&url, Options::read(&conf, &url, "agents")?));
    }
    let record = Arc::new(Mutex::new(Record::default()));
    let steps = Arc::new(tokio::sync::Mutex::new(Vec::<Value>::new()));
    let began = Instant::now();
    let mut tasks = Vec::new();
    for (index, (host, plan)) in plan.into_iter().enumerate() {
        let number = host.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(index);
        let agent = Agent { host, number, transport: transports[index % transports.len()].clone(), record: record.clone() };
        let steps = steps.clone();
        tasks.push(tokio::spawn(async move {
            match plan.as_str() {
                Some("register") => agent.register().await,
                Some("networks") => {
                    let mut steps = steps.lock().await;
                    agent.networks(&mut steps).await;
                }
                Some(_) => {
                    let mut steps = steps.lock().await;
                    agent.routers(&mut steps).await;
                }
                None if plan.is_null() => agent.report(true, 0).await,
                None => agent.sync(&plan).await,
            }
        }));
    }
    let agents = tasks.len();
    for task in tasks {
        task.await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    for transport in transports {
        transport.close(Duration::from_secs(5)).await;
    }
    let steps = steps.lock().await.clone();
    let Ok(mut record) = record.lock() else { return Ok(()) };
    record.took.sort_unstable();
    let part = |of: usize| record.took.get(record.took.len() * of / 100).copied().unwrap_or_default() as u64;
    let examples: Vec<_> = record.failures.iter().take(3).collect();
    let mut line = json!({"agents": agents, "seconds": (seconds * 100.0).round() / 100.0, "calls": record.took.len(), "failures": record.failures.len(),
        "examples": examples, "ms_50": part(50), "ms_99": part(99), "ms_most": record.took.last().copied().unwrap_or_default() as u64});
    if !steps.is_empty() {
        line["steps"] = steps.into();
    }
    std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes())?;
    Ok(())
}
