// SPDX-License-Identifier: Apache-2.0
//! Agents whose resources Placement keeps account of, as the drivers that bind by them know them.
//!
//! The core plugin offers them as a service of the registry ([`ReportingAgents`]).

/// One kind of agent.
#[derive(Clone, Debug)]
pub struct ReportingAgent {
    pub agent_type: &'static str,
    /// The UUID from which those of its resource providers are made.
    pub namespace: &'static str,
    /// What of its configurations maps physical networks to a device, or to a list of them.
    pub mappings: &'static str,
    /// The types of ports that its driver binds.
    pub vnic_types: Vec<&'static str>,
}

/// The service, by its type.
pub struct ReportingAgents(pub Vec<ReportingAgent>);
