// SPDX-License-Identifier: Apache-2.0
//! The ways of choosing by the names that operators give them (`neutron/scheduler/dhcp_agent_scheduler.py`).

use neutrino_core::scheduling::Driver;
use oslo_config::Config;

const MODULE: &str = "neutron.scheduler.dhcp_agent_scheduler.";
const KNOWN: [&str; 3] = [
    "neutron.scheduler.dhcp_agent_scheduler.ChanceScheduler",
    "neutron.scheduler.dhcp_agent_scheduler.WeightScheduler",
    "neutron.scheduler.dhcp_agent_scheduler.AZAwareWeightScheduler",
];

/// # Errors
/// A sentence for the operator, with the known names.
pub fn driver(config: &Config) -> Result<Driver, String> {
    let name = config.text("DEFAULT", "network_scheduler_driver");
    match name.strip_prefix(MODULE) {
        Some("ChanceScheduler") => Ok(Driver::Chance),
        Some("WeightScheduler") => Ok(Driver::Weight),
        Some("AZAwareWeightScheduler") => Ok(Driver::ZoneAwareWeight),
        _ => Err(config.refuse("DEFAULT", "network_scheduler_driver", &name, "is not a scheduler that is known", &KNOWN).to_string()),
    }
}
