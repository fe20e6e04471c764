// SPDX-License-Identifier: Apache-2.0
//! What Placement should know of an agent, made from its configurations (`neutron/agent/common/placement_report.py`).
//!
//! The names and ids of providers are those that Neutron gives, so that nothing changes for machines that use them.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_core::placement::ReportingAgent;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::placement::custom_trait;

const TUNNEL: &str = "CUSTOM_NETWORK_TUNNEL_PROVIDER";
const BANDWIDTHS: [(&str, &str); 2] = [("egress", "NET_BW_EGR_KILOBIT_PER_SEC"), ("ingress", "NET_BW_IGR_KILOBIT_PER_SEC")];
const PACKET_RATES: [(&str, &str); 3] = [
    ("egress", "NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC"),
    ("ingress", "NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC"),
    ("any", "NET_PACKET_RATE_KILOPACKET_PER_SEC"),
];

/// A resource provider as it should be.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    /// The name of the hypervisor's provider for an agent's, the id of the agent's for a device's.
    pub parent: Parent,
    pub traits: Vec<String>,
    /// Empty: what is there stays.
    pub inventories: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Parent {
    Hypervisor(String),
    Agent(String),
}

/// All of one agent: the traits to be made known, and the providers, parents first.
#[derive(Debug, Default, PartialEq)]
pub struct State {
    pub traits: BTreeSet<String>,
    pub providers: Vec<Provider>,
}

fn inventories(amounts: &Value, classes: &[(&str, &str)], defaults: &Value) -> Map<String, Value> {
    let mut found = Map::new();
    for (direction, class) in classes {
        if let Some(total) = amounts[*direction].as_i64().filter(|total| *total > 0) {
            let mut inventory = defaults.as_object().cloned().unwrap_or_default();
            inventory.insert("total".to_owned(), total.into());
            found.insert((*class).to_owned(), Value::Object(inventory));
        }
    }
    found
}

/// Device by device, the traits of the physical networks that it leads to.
fn physical_traits(mappings: &Value) -> BTreeMap<&str, String> {
    let mut found = BTreeMap::new();
    for (network, devices) in mappings.as_object().into_iter().flatten() {
        let one = devices.as_str().into_iter();
        for device in one.chain(devices.as_array().into_iter().flatten().filter_map(Value::as_str)) {
            found.insert(device, custom_trait("PHYSNET_", network));
        }
    }
    found
}

/// What an agent on a host reported.
pub struct Report<'a> {
    pub kind: &'a ReportingAgent,
    pub host: &'a str,
    pub configurations: &'a Value,
    /// The name of the device that stands for tunnels.
    pub tunnels: &'a str,
}

impl Report<'_> {
    fn id(&self, name: &str) -> String {
        let namespace = Uuid::parse_str(self.kind.namespace).unwrap_or_default();
        Uuid::new_v5(&namespace, name.as_bytes()).to_string()
    }

    /// An agent may serve several hypervisors.
    fn hypervisor<'b>(&'b self, device: &str) -> &'b str {
        self.configurations["resource_provider_hypervisors"][device].as_str().unwrap_or(self.host)
    }

    fn traits_of(&self, device: &str, physical: &BTreeMap<&str, String>, vnic_types: &[String]) -> Vec<String> {
        let tunnel = (device == self.tunnels).then(|| TUNNEL.to_owned());
        tunnel.into_iter().chain(physical.get(device).cloned()).chain(vnic_types.iter().cloned()).collect()
    }

    fn packet_rates(&self, hypervisor: &str) -> Map<String, Value> {
        let [without, with] =
            ["without", "with"].map(|word| &self.configurations[format!("resource_provider_packet_processing_{word}_direction")]);
        let chosen = if without.as_object().is_some_and(|map| !map.is_empty()) { without } else { with };
        let defaults = &self.configurations["resource_provider_packet_processing_inventory_defaults"];
        inventories(&chosen[hypervisor], &PACKET_RATES, defaults)
    }

    pub fn state(&self) -> State {
        let vnic_types: Vec<String> = self.kind.vnic_types.iter().map(|name| custom_trait("VNIC_TYPE_", name)).collect();
        let physical = physical_traits(&self.configurations[self.kind.mappings]);
        let bandwidths = self.configurations["resource_provider_bandwidths"].as_object().cloned().unwrap_or_default();
        let defaults = &self.configurations["resource_provider_inventory_defaults"];
        let mut state = State::default();
        state.traits.insert(TUNNEL.to_owned());
        state.traits.extend(vnic_types.iter().cloned());
        state.traits.extend(bandwidths.keys().filter_map(|device| physical.get(device.as_str()).cloned()));
        let hypervisors: BTreeSet<&str> = bandwidths.keys().map(|device| self.hypervisor(device)).collect();
        for name in hypervisors {
            state.providers.push(Provider {
                id: self.id(name),
                name: format!("{name}:{}", self.kind.agent_type),
                parent: Parent::Hypervisor(name.to_owned()),
                traits: vnic_types.clone(),
                inventories: self.packet_rates(name),
            });
        }
        for (device, amounts) in &bandwidths {
            let hypervisor = self.hypervisor(device);
            state.providers.push(Provider {
                id: self.id(&format!("{hypervisor}:{device}")),
                name: format!("{hypervisor}:{}:{device}", self.kind.agent_type),
                parent: Parent::Agent(self.id(hypervisor)),
                traits: self.traits_of(device, &physical, &vnic_types),
                inventories: inventories(amounts, &BANDWIDTHS, defaults),
            });
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn providers_are_named_as_neutron_names_them() {
        let kind = ReportingAgent {
            agent_type: "Open vSwitch agent",
            namespace: "87ee7d5c-73bb-11e8-9008-c4d987b2a692",
            mappings: "bridge_mappings",
            vnic_types: vec!["normal"],
        };
        let configurations = json!({"bridge_mappings": {"physnet0": "br-ex"},
            "resource_provider_bandwidths": {"br-ex": {"egress": 1000, "ingress": null}, "rp_tunnelled": {"egress": 5, "ingress": 6}},
            "resource_provider_inventory_defaults": {"allocation_ratio": 1.0},
            "resource_provider_packet_processing_without_direction": {"host1": {"any": 7}}});
        let state = Report { kind: &kind, host: "host1", configurations: &configurations, tunnels: "rp_tunnelled" }.state();
        let names: Vec<&str> = state.providers.iter().map(|provider| provider.name.as_str()).collect();
        assert_eq!(names, ["host1:Open vSwitch agent", "host1:Open vSwitch agent:br-ex", "host1:Open vSwitch agent:rp_tunnelled"]);
        let namespace = Uuid::parse_str(kind.namespace).unwrap();
        assert_eq!(state.providers[1].id, Uuid::new_v5(&namespace, b"host1:br-ex").to_string());
        assert_eq!(state.providers[1].parent, Parent::Agent(state.providers[0].id.clone()));
        assert_eq!(state.providers[1].traits, ["CUSTOM_PHYSNET_PHYSNET0", "CUSTOM_VNIC_TYPE_NORMAL"]);
        assert_eq!(state.providers[2].traits, [TUNNEL, "CUSTOM_VNIC_TYPE_NORMAL"]);
        let expected = json!({"NET_BW_EGR_KILOBIT_PER_SEC": {"allocation_ratio": 1.0, "total": 1000}});
        assert_eq!(Value::Object(state.providers[1].inventories.clone()), expected);
        assert_eq!(state.providers[0].inventories["NET_PACKET_RATE_KILOPACKET_PER_SEC"]["total"], 7);
    }
}
