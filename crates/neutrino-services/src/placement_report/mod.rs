// SPDX-License-Identifier: Apache-2.0
//! The service plugin `placement`: bandwidths and packet rates that agents report become resource providers, traits and inventories in
//! Placement (`neutron/services/placement_report`).
//!
//! Owns `resources_synced` of agents. A report only notes that an agent is to be looked at: when it is new, has just started, or was not told
//! successfully so far; a worker tells. Invariants: an agent waits once; no report waits for Placement; what an agent no longer reports stays in
//! Placement, as machines may still use it.

mod hooks;
mod state;
mod worker;

use std::sync::Arc;

use neutrino_core::{Builder, placement::ReportingAgents, service_plugin};
use oslo_config::{Config, Opt};

use crate::placement;

const NAME: &str = "placement";
const TUNNELS: &str = "tunnelled_network_rp_name";

pub static OPTIONS: &[Opt] =
    &[Opt::str("ml2", TUNNELS).default("rp_tunnelled").help("The resource provider of bandwidth for tunnels, among the agents' devices.")];

/// # Errors
/// A sentence for the operator: the plugin without credentials for Placement.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    if !service_plugin(config, NAME) {
        return Ok(());
    }
    if !placement::is_set(config) {
        let reason = "needs the credentials of [placement]";
        return Err(config.refuse::<&str>("DEFAULT", "service_plugins", NAME, reason, &[]).to_string());
    }
    let queue = Arc::new(hooks::Queue::default());
    builder.plugin(NAME);
    builder.hook("agents", hooks::Reports);
    builder.service(queue.clone());
    let tunnels = config.text("ml2", TUNNELS);
    let interval_s = u64::try_from(config.int("DEFAULT", "send_events_interval")).unwrap_or_default();
    builder.worker(worker::Reporter { queue, tunnels, interval_s });
    Ok(())
}

/// Is this kind of agent among those that drivers bind by?
fn kind<'a>(agents: &'a ReportingAgents, agent_type: &str) -> Option<&'a neutrino_core::placement::ReportingAgent> {
    agents.0.iter().find(|known| known.agent_type == agent_type)
}
