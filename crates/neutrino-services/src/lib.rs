// SPDX-License-Identifier: Apache-2.0
//! Features beside the core plugin, one module each: what all objects share, security groups, address groups, ...
//!
//! Siblings do not know each other; what one needs of another goes through hooks and services of `neutrino-core`.

pub mod address_groups;
pub mod agents;
pub mod auto_allocated_topology;
pub mod designate;
pub mod dhcp_agent_scheduler;
pub mod flavors;
pub mod local_ip;
pub mod logging;
pub mod metadata;
pub mod metering;
pub mod notifications;
pub mod nova;
pub mod placement;
pub mod placement_report;
pub mod pvlan;
pub mod qos;
pub mod quotas;
pub mod rbac_policies;
mod remote;
pub mod security_groups;
pub mod segments;
pub mod shims;
pub mod standard;
pub mod tags;
pub mod trunks;

use neutrino_core::{Builder, service_plugin};
use oslo_config::{Config, Opt};

/// The options that these features obey.
pub static OPTIONS: &[&[Opt]] = &[
    quotas::OPTIONS,
    agents::OPTIONS,
    dhcp_agent_scheduler::OPTIONS,
    flavors::OPTIONS,
    shims::OPTIONS,
    notifications::OPTIONS,
    nova::OPTIONS,
    designate::OPTIONS,
    placement::OPTIONS,
    placement_report::OPTIONS,
];

/// Turns on what the configuration asks for.
///
/// # Errors
/// A sentence for the operator: what was asked for and is not known, or does not fit.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    shims::register(builder, config);
    placement::register(builder, config)?;
    agents::register(builder, config);
    dhcp_agent_scheduler::register(builder, config)?;
    standard::register(builder);
    security_groups::register(builder);
    address_groups::register(builder);
    trunks::register(builder, config)?;
    qos::register(builder, config);
    segments::register(builder, config)?;
    placement_report::register(builder, config)?;
    tags::register(builder);
    if service_plugin(config, "pvlan") {
        pvlan::register(builder);
    }
    rbac_policies::register(builder);
    metering::register(builder, config);
    metadata::register(builder);
    flavors::register(builder, config)?;
    auto_allocated_topology::register(builder, config);
    logging::register(builder, config);
    local_ip::register(builder, config);
    notifications::register(builder, config)?;
    nova::register(builder, config)?;
    designate::register(builder, config)?;
    quotas::register(builder, config)?;
    Ok(())
}
