// SPDX-License-Identifier: Apache-2.0
//! The mechanism driver `openvswitch`: binds by the Open vSwitch agent of the host.

use async_trait::async_trait;
use neutrino_core::{Op, placement::ReportingAgent};
use neutrino_types::Result;
use oslo_config::{Config, Opt};
use serde_json::{Map, Value, json};

use super::{
    agent_driver::{ByAgent, reaches},
    agents::{Agent, OPEN_VSWITCH},
    driver::{Attempt, Bound, Change, MechanismDriver, Segment},
};

pub const OPTIONS: [Opt; 2] = [
    Opt::list("ovs_driver", "vnic_type_prohibit_list").default("").help("VNIC types that the driver openvswitch does not bind."),
    Opt::bool("ovs_driver", "ovs_create_tap")
        .default("true")
        .removal("the agent needs no help any more")
        .help("Tell the agent to make the tap device of a port on the system datapath."),
];

const VNIC_TYPES: [&str; 4] = ["normal", "direct", "smart-nic", "vdpa"];
const SOCKET_FOLDER: &str = "/var/run/openvswitch";
/// The longest name of a network device.
const DEVICE_NAME_LENGTH: usize = 14;

#[derive(Debug)]
pub struct OpenVSwitch {
    by: ByAgent,
    /// `enable_security_group`: does the agent filter?
    port_filter: bool,
    create_tap: bool,
}

impl OpenVSwitch {
    /// # Errors
    /// A sentence for the operator.
    pub fn new(config: &Config) -> std::result::Result<Self, String> {
        let filters =
            !config.is_declared("securitygroup", "enable_security_group") || config.bool("securitygroup", "enable_security_group");
        Ok(Self {
            by: ByAgent::new(OPEN_VSWITCH, &VNIC_TYPES, config, "ovs_driver")?,
            port_filter: filters,
            create_tap: config.bool("ovs_driver", "ovs_create_tap"),
        })
    }

    fn bind(&self, attempt: &Attempt<'_>, segment: &Segment, agent: &Agent) -> Option<Bound> {
        if !carries(segment, agent) {
            return None;
        }
        let user = attempt.vnic_type != "direct" && is_vhost_user(agent);
        let mut vif_details = if user { vhost_user_details(agent, attempt.port.id()) } else { self.details(attempt, agent) };
        vif_details.insert("datapath_type".to_owned(), agent.text("datapath_type").unwrap_or("system").into());
        let bridge = trunk_bridge(attempt).or_else(|| agent.text("integration_bridge").filter(|b| !b.is_empty()).map(str::to_owned));
        if let Some(bridge) = bridge {
            vif_details.insert("bridge_name".to_owned(), bridge.into());
        }
        let vif_type = if user { "vhostuser" } else { "ovs" };
        Some(Bound::Complete { segment_id: segment.id.clone(), vif_type, vif_details, status: None })
    }

    fn details(&self, attempt: &Attempt<'_>, agent: &Agent) -> Map<String, Value> {
        let hybrid = &agent.configurations["ovs_hybrid_plug"];
        let mut details = object(json!({"connectivity": "l2", "port_filter": self.port_filter, "ovs_hybrid_plug": hybrid}));
        let system = agent.text("datapath_type").unwrap_or("system") == "system";
        if self.create_tap && system && attempt.vnic_type != "direct" && hybrid.as_bool() != Some(true) {
            details.insert("ovs_create_tap".to_owned(), true.into());
        }
        details
    }
}

/// A port that carries a trunk is plugged into a bridge of its own, where its tags are told apart.
fn trunk_bridge(attempt: &Attempt<'_>) -> Option<String> {
    let trunk = attempt.port.get("trunk_details")["trunk_id"].as_str()?;
    Some(format!("tbr-{trunk}").chars().take(DEVICE_NAME_LENGTH).collect())
}

/// The agent has the tunnels or the bridge that the segment needs.
fn carries(segment: &Segment, agent: &Agent) -> bool {
    let tunnels = agent.configurations["tunnel_types"].as_array();
    let mut types: Vec<&str> = tunnels.into_iter().flatten().filter_map(Value::as_str).collect();
    types.extend(["local", "flat", "vlan"]);
    reaches(segment, agent, "bridge_mappings", &types)
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}

fn interface_types(agent: &Agent) -> Vec<&str> {
    agent.configurations["ovs_capabilities"]["iface_types"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The userspace datapath with vhost-user interfaces.
fn is_vhost_user(agent: &Agent) -> bool {
    let types = interface_types(agent);
    agent.text("datapath_type") == Some("netdev") && types.iter().any(|t| matches!(*t, "dpdkvhostuser" | "dpdkvhostuserclient"))
}

fn vhost_user_details(agent: &Agent, port_id: &str) -> Map<String, Value> {
    // Where the switch is the client, the hypervisor serves the socket.
    let mode = if interface_types(agent).contains(&"dpdkvhostuserclient") { "server" } else { "client" };
    let folder = agent.text("vhostuser_socket_dir").unwrap_or(SOCKET_FOLDER).trim_end_matches('/');
    let name: String = format!("vhu{port_id}").chars().take(DEVICE_NAME_LENGTH).collect();
    object(json!({"port_filter": false, "ovs_hybrid_plug": false, "vhostuser_mode": mode, "vhostuser_ovs_plug": true,
        "vhostuser_socket": format!("{folder}/{name}")}))
}

#[async_trait]
impl MechanismDriver for OpenVSwitch {
    fn name(&self) -> &'static str {
        "openvswitch"
    }

    fn follows_segmentation_id(&self) -> &'static [&'static str] {
        &["ovs", "vhostuser"]
    }

    fn reporting_agent(&self) -> Option<ReportingAgent> {
        Some(self.by.reporting("87ee7d5c-73bb-11e8-9008-c4d987b2a692", "bridge_mappings"))
    }

    fn connectivity(&self) -> &'static str {
        "l2"
    }

    fn agent_type(&self) -> Option<&'static str> {
        Some(self.by.agent_type)
    }

    fn reaches(&self, segment: &Segment, agent: &Agent) -> Option<bool> {
        Some(agent.agent_type == self.by.agent_type && carries(segment, agent))
    }

    async fn port_precommit(&self, op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        self.by.block(op, change).await
    }

    async fn bind_port(&self, attempt: &Attempt<'_>) -> Result<Option<Bound>> {
        // A virtual function without offload is the NIC's own matter.
        if attempt.vnic_type == "direct" && !attempt.asks_for("switchdev") {
            return Ok(None);
        }
        Ok(self.by.bind(attempt, |segment, agent| self.bind(attempt, segment, agent)))
    }
}
