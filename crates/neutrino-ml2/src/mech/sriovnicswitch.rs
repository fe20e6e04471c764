// SPDX-License-Identifier: Apache-2.0
//! The mechanism driver `sriovnicswitch`: binds virtual functions by the NIC switch agent, physical ones without any.

use async_trait::async_trait;
use neutrino_core::{Op, placement::ReportingAgent};
use neutrino_types::Result;
use oslo_config::{Config, Opt};
use serde_json::Map;

use super::{
    agent_driver::{ByAgent, reaches},
    agents::{Agent, NIC_SWITCH},
    driver::{Attempt, Bound, Change, MechanismDriver, Segment},
};

pub const OPTION: Opt =
    Opt::list("sriov_driver", "vnic_type_prohibit_list").default("").help("VNIC types that the driver sriovnicswitch does not bind.");

const VNIC_TYPES: [&str; 4] = ["direct", "macvtap", "direct-physical", "accelerator-direct"];

#[derive(Debug)]
pub struct SriovNicSwitch(ByAgent);

impl SriovNicSwitch {
    /// # Errors
    /// A sentence for the operator.
    pub fn new(config: &Config) -> std::result::Result<Self, String> {
        Ok(Self(ByAgent::new(NIC_SWITCH, &VNIC_TYPES, config, "sriov_driver")?))
    }
}

/// An agent does not see a physical function, so nobody would report its port up.
fn complete(segment: &Segment, vnic_type: &str, agent: bool) -> Bound {
    let vlan = if segment.network_type == "vlan" { segment.segmentation_id.unwrap_or_default() } else { 0 };
    let mut vif_details = Map::new();
    vif_details.insert("port_filter".to_owned(), false.into());
    vif_details.insert("connectivity".to_owned(), "l2".into());
    vif_details.insert("vlan".to_owned(), vlan.to_string().into());
    let vif_type = if vnic_type == "direct-physical" { "hostdev_physical" } else { "hw_veb" };
    let status = Some(if agent { "DOWN" } else { "ACTIVE" });
    Bound::Complete { segment_id: segment.id.clone(), vif_type, vif_details, status }
}

#[async_trait]
impl MechanismDriver for SriovNicSwitch {
    fn name(&self) -> &'static str {
        "sriovnicswitch"
    }

    fn reporting_agent(&self) -> Option<ReportingAgent> {
        Some(self.0.reporting("87f1895c-73bb-11e8-9008-c4d987b2a692", "device_mappings"))
    }

    fn connectivity(&self) -> &'static str {
        "l2"
    }

    fn agent_type(&self) -> Option<&'static str> {
        Some(self.0.agent_type)
    }

    fn reaches(&self, segment: &Segment, agent: &Agent) -> Option<bool> {
        Some(agent.agent_type == self.0.agent_type && reaches(segment, agent, "device_mappings", &["flat", "vlan"]))
    }

    async fn port_precommit(&self, op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        self.0.block(op, change).await
    }

    async fn bind_port(&self, attempt: &Attempt<'_>) -> Result<Option<Bound>> {
        let offloaded = attempt.vnic_type == "direct" && attempt.asks_for("switchdev");
        if offloaded || !self.0.supports(attempt.vnic_type) {
            return Ok(None);
        }
        if attempt.vnic_type == "direct-physical" {
            let fits = |segment: &&Segment| matches!(segment.network_type.as_str(), "flat" | "vlan");
            return Ok(attempt.allowed_segments().find(fits).map(|segment| complete(segment, attempt.vnic_type, false)));
        }
        Ok(self.0.bind(attempt, |segment, agent| {
            reaches(segment, agent, "device_mappings", &["flat", "vlan"]).then(|| complete(segment, attempt.vnic_type, true))
        }))
    }
}
