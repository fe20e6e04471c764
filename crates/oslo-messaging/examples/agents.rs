// SPDX-License-Identifier: Apache-2.0
//! Many Open vSwitch agents in one process, for `scripts/rpc-load`: they speak the real protocol to a server, several on each connection.
//!
//! `agents URL report FIRST COUNT CONNECTIONS`: each reports its state as one that starts.
//! `agents URL sync PLAN CONNECTIONS`: each does what it does when it starts with ports: PLAN is `{host: {"ports": [..], "networks": [..],
//! "groups": [..]}}`. Prints one JSON line: seconds, calls, failures, and how long calls took.

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
        let args = json!({"agent_state": {"agent_state": state}, "time": "2026-01-01T00:00:00.000000"});
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
        _ => return Err("usage: agents URL report FIRST COUNT CONNECTIONS | agents URL sync PLAN CONNECTIONS".into()),
    };
    let connections: usize = words.last().ok_or("no number of connections")?.parse()?;
    let conf = Config::for_test(&[oslo_messaging::OPTIONS, URL], &[])?;
    let url = TransportUrl::parse(word(0))?;
    let mut transports = Vec::new();
    for _ in 0..connections.max(1) {
        transports.push(Transport::start(&url, Options::read(&conf, &url, "agents")?));
    }
    let record = Arc::new(Mutex::new(Record::default()));
    let began = Instant::now();
    let mut tasks = Vec::new();
    for (index, (host, plan)) in plan.into_iter().enumerate() {
        let number = host.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(index);
        let agent = Agent { host, number, transport: transports[index % transports.len()].clone(), record: record.clone() };
        tasks.push(tokio::spawn(async move { if plan.is_null() { agent.report(true, 0).await } else { agent.sync(&plan).await } }));
    }
    let agents = tasks.len();
    for task in tasks {
        task.await?;
    }
    let seconds = began.elapsed().as_secs_f64();
    for transport in transports {
        transport.close(Duration::from_secs(5)).await;
    }
    let Ok(mut record) = record.lock() else { return Ok(()) };
    record.took.sort_unstable();
    let part = |of: usize| record.took.get(record.took.len() * of / 100).copied().unwrap_or_default() as u64;
    let examples: Vec<_> = record.failures.iter().take(3).collect();
    let line = json!({"agents": agents, "seconds": (seconds * 100.0).round() / 100.0, "calls": record.took.len(), "failures": record.failures.len(),
        "examples": examples, "ms_50": part(50), "ms_99": part(99), "ms_most": record.took.last().copied().unwrap_or_default() as u64});
    std::io::Write::write_all(&mut std::io::stdout(), format!("{line}\n").as_bytes())?;
    Ok(())
}
