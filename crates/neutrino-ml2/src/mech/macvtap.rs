// SPDX-License-Identifier: Apache-2.0
//! The mechanism driver `macvtap`: binds by the macvtap agent of the host.

use async_trait::async_trait;
use neutrino_core::Op;
use neutrino_types::Result;
use serde_json::{Map, Value};

use super::{
    agent_driver::{ByAgent, reaches},
    agents::{Agent, MACVTAP},
    driver::{Attempt, Bound, Change, MechanismDriver, Segment},
};

/// The longest name of a network device less the longest `.vlan`.
const STEM_LENGTH: usize = 15 - 5;
const HASH_LENGTH: usize = 6;

#[derive(Debug)]
pub struct Macvtap(ByAgent);

impl Default for Macvtap {
    fn default() -> Self {
        Self(ByAgent { agent_type: MACVTAP, vnic_types: vec!["normal"] })
    }
}

/// The name of the VLAN device over `interface`, as the agent forms it: a long name gives way to a hash.
fn vlan_device(interface: &str, vlan: i64) -> String {
    if interface.len() <= STEM_LENGTH {
        return format!("{interface}.{vlan}");
    }
    let hash = sha1_smol::Sha1::from(interface).digest().to_string();
    let stem: String = interface.chars().take(STEM_LENGTH - HASH_LENGTH).collect();
    format!("{stem}{}.{vlan}", &hash[..HASH_LENGTH])
}

fn bind(attempt: &Attempt<'_>, segment: &Segment, agent: &Agent) -> Option<Bound> {
    if !reaches(segment, agent, "interface_mappings", &["flat", "vlan"]) {
        return None;
    }
    let interface = agent.configurations["interface_mappings"][segment.physical_network.as_deref()?].as_str()?;
    let mut vif_details = Map::new();
    let mut put = |key: &str, value: Value| vif_details.insert(key.to_owned(), value);
    put("port_filter", false.into());
    put("connectivity", "l2".into());
    let source = match segment.segmentation_id.filter(|_| segment.network_type == "vlan") {
        Some(vlan) => {
            put("vlan", vlan.into());
            vlan_device(interface, vlan)
        }
        None => interface.to_owned(),
    };
    // A migrating guest keeps the name of its device, so both hosts must name it alike.
    let migrating = attempt.profile.get("migrating_to").is_some_and(|to| !to.is_null());
    let before = attempt.port.get("binding:vif_details")["macvtap_source"].as_str();
    if migrating && before.is_some_and(|before| before != source) {
        tracing::error!(
            port = attempt.port.id(),
            host = attempt.host,
            source,
            before,
            "not bound: the hosts of the migration name the device differently"
        );
        return None;
    }
    put("physical_interface", interface.into());
    put("macvtap_source", source.into());
    put("macvtap_mode", "bridge".into());
    Some(Bound::Complete { segment_id: segment.id.clone(), vif_type: "macvtap", vif_details, status: None })
}

#[async_trait]
impl MechanismDriver for Macvtap {
    fn name(&self) -> &'static str {
        "macvtap"
    }

    fn connectivity(&self) -> &'static str {
        "l2"
    }

    fn agent_type(&self) -> Option<&'static str> {
        Some(self.0.agent_type)
    }

    fn reaches(&self, segment: &Segment, agent: &Agent) -> Option<bool> {
        Some(agent.agent_type == self.0.agent_type && reaches(segment, agent, "interface_mappings", &["flat", "vlan"]))
    }

    async fn port_precommit(&self, op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        self.0.block(op, change).await
    }

    async fn bind_port(&self, attempt: &Attempt<'_>) -> Result<Option<Bound>> {
        Ok(self.0.bind(attempt, |segment, agent| bind(attempt, segment, agent)))
    }
}

#[cfg(test)]
mod tests {
    /// Expected: neutron.plugins.ml2.drivers.macvtap.macvtap_common.get_vlan_device_name.
    #[test]
    fn vlan_devices() {
        assert_eq!(super::vlan_device("eth0", 7), "eth0.7");
        assert_eq!(super::vlan_device("0123456789", 4094), "0123456789.4094");
        assert_eq!(super::vlan_device("enp130s0f0np0", 100), "enp1e5baed.100");
    }
}
