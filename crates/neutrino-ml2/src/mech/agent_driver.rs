// SPDX-License-Identifier: Apache-2.0
//! What drivers that bind by an L2 agent have in common.
//!
//! Owns: which agent and segment are tried, in which order; the provisioning block that waits for the agent's word; the option
//! `vnic_type_prohibit_list`.

use neutrino_core::{Op, placement::ReportingAgent};
use neutrino_db::args;
use neutrino_types::Result;
use oslo_config::Config;

use super::{
    agents::Agent,
    driver::{Attempt, Bound, Change, Segment},
    provisioning,
};

/// An agent's kind and the types of ports that a driver binds by it.
#[derive(Debug)]
pub struct ByAgent {
    pub agent_type: &'static str,
    pub vnic_types: Vec<&'static str>,
}

impl ByAgent {
    /// The supported types less those that the operator prohibits.
    ///
    /// # Errors
    /// A sentence for the operator when the list names another type, or leaves none.
    pub fn new(agent_type: &'static str, supported: &[&'static str], config: &Config, group: &str) -> std::result::Result<Self, String> {
        let prohibited = config.list(group, "vnic_type_prohibit_list");
        let fault = |value: &str, reason: &str| config.refuse(group, "vnic_type_prohibit_list", value, reason, supported).to_string();
        if let Some(unknown) = prohibited.iter().find(|name| !name.is_empty() && !supported.contains(&name.as_str())) {
            return Err(fault(unknown, "this driver binds no ports of that type"));
        }
        let vnic_types: Vec<&'static str> = supported.iter().copied().filter(|name| !prohibited.iter().any(|p| p == name)).collect();
        if vnic_types.is_empty() {
            return Err(fault(&prohibited.join(","), "this leaves the driver no type of port to bind"));
        }
        Ok(Self { agent_type, vnic_types })
    }

    /// What Placement is told of such agents: the UUID of the namespace is Neutron's.
    #[must_use]
    pub fn reporting(&self, namespace: &'static str, mappings: &'static str) -> ReportingAgent {
        ReportingAgent { agent_type: self.agent_type, namespace, mappings, vnic_types: self.vnic_types.clone() }
    }

    #[must_use]
    pub fn supports(&self, vnic_type: &str) -> bool {
        self.vnic_types.contains(&vnic_type)
    }

    /// The first answer for a living agent of this kind and an allowed segment.
    pub fn bind(&self, attempt: &Attempt<'_>, bind: impl Fn(&Segment, &Agent) -> Option<Bound>) -> Option<Bound> {
        if !self.supports(attempt.vnic_type) {
            return None;
        }
        for agent in attempt.agents.iter().filter(|agent| agent.agent_type == self.agent_type) {
            if !agent.alive {
                tracing::warn!(port = attempt.port.id(), host = attempt.host, agent = self.agent_type, "not bound: the agent is down");
                continue;
            }
            if attempt.vnic_type == "smart-nic" && agent.configurations["baremetal_smartnic"].as_bool() != Some(true) {
                continue;
            }
            if let Some(bound) = attempt.allowed_segments().find_map(|segment| bind(segment, agent)) {
                return Some(bound);
            }
        }
        None
    }

    /// Holds the port back from ACTIVE until the agent says that it is wired.
    pub async fn block(&self, op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        let port = change.object();
        let host = port.str("binding:host_id");
        let waits = !matches!(change, Change::Deleted(_))
            && change.changes("binding:host_id")
            && !host.is_empty()
            && port.str("status") != "ACTIVE"
            && !provisioning::NOT_BLOCKED.contains(&port.str("device_owner"))
            && self.supports(port.str("binding:vnic_type"));
        if !waits {
            return Ok(());
        }
        let agents = op.tx.count("SELECT count(*) FROM agents WHERE host = ? AND agent_type = ?", args![host, self.agent_type]).await?;
        if agents > 0 {
            provisioning::add_block(op, port.standard_attr_id, provisioning::L2_AGENT_ENTITY).await?;
        }
        Ok(())
    }
}

/// Can the agent carry the segment: is its type among those allowed, and its physical network mapped under this key?
#[must_use]
pub fn reaches(segment: &Segment, agent: &Agent, mappings: &str, network_types: &[&str]) -> bool {
    let physical = matches!(segment.network_type.as_str(), "flat" | "vlan");
    network_types.contains(&segment.network_type.as_str()) && (!physical || agent.maps(mappings, segment.physical_network.as_deref()))
}
