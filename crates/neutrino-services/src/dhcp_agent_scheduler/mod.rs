// SPDX-License-Identifier: Apache-2.0
//! Which DHCP agents serve which networks.
//!
//! Owns the table `networkdhcpagentbindings` and the extension `dhcp_agent_scheduler`. A network is scheduled when its first subnet or port
//! is made, by hand, when an agent asks for work ([`auto_schedule`]), and anew when its agents have died. [`rpc`] answers agents, [`notify`]
//! tells them. Refuses to own: the ports of networks, which the core plugin makes, and when a port is ready.
//! Invariants: an agent serves a network once; `binding_index` is unique for a network, so that two servers cannot give it too many agents.

mod api;
mod choose;
mod failover;
mod hooks;
mod notify;
mod place;
mod rpc;

use std::sync::Arc;

use neutrino_core::{
    Builder, Engine,
    changes::Recall,
    scheduling::Driver,
    served::{AgentsOf, OfAgent},
};
use neutrino_model::Extension;
use oslo_config::{Config, Opt};

pub use api::device_id;
pub use failover::remove_networks_from_down_agents;
pub use notify::{flush, recall};
pub use place::{Placed, auto_schedule, schedule};

pub static OPTIONS: &[Opt] = &[
    Opt::str("DEFAULT", "network_scheduler_driver")
        .default("neutron.scheduler.dhcp_agent_scheduler.WeightScheduler")
        .help("How the DHCP agents of a network are chosen."),
    Opt::bool("DEFAULT", "network_auto_schedule").default("true").help("Schedule networks to DHCP agents without being asked."),
    Opt::bool("DEFAULT", "allow_automatic_dhcp_failover").default("true").help("Take networks away from DHCP agents that have died."),
    Opt::int("DEFAULT", "dhcp_agents_per_network").default("1").min(1).help("How many DHCP agents serve a network."),
    Opt::bool("DEFAULT", "dhcp_agent_notification").default("true").help("Let DHCP agents know of new networks, subnets and ports."),
    Opt::bool("DEFAULT", "enable_traditional_dhcp").default("true").help("Serve DHCP by DHCP agents."),
];

static EXTENSION: Extension =
    Extension::new("dhcp_agent_scheduler", "DHCP Agent Scheduler", "Schedule networks among dhcp agents", "2013-02-07T10:00:00-00:00")
        .requires(&["agent"]);

/// What the operator says about scheduling. A service of the registry.
#[derive(Clone, Debug)]
pub struct Scheduler {
    pub driver: Driver,
    pub agents_per_network: usize,
    pub auto_schedule: bool,
    /// Zones that serve a network that names none.
    pub default_zones: Vec<String>,
}

/// # Errors
/// A sentence for the operator: a driver that is not known.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let driver = choose::driver(config)?;
    rpc::register(builder);
    if !config.bool("DEFAULT", "enable_traditional_dhcp") {
        return Ok(());
    }
    builder.service(Arc::new(Scheduler {
        driver,
        agents_per_network: usize::try_from(config.int("DEFAULT", "dhcp_agents_per_network")).unwrap_or(1),
        auto_schedule: config.bool("DEFAULT", "network_auto_schedule"),
        default_zones: config.list("DEFAULT", "default_availability_zones").into_iter().filter(|zone| !zone.is_empty()).collect(),
    }));
    builder.extension(&EXTENSION).facet(OfAgent(api::Networks)).facet(AgentsOf(api::Agents));
    if config.bool("DEFAULT", "dhcp_agent_notification") {
        builder.hook("subnets", hooks::First::default()).hook("ports", hooks::First::default());
        neutrino_core::relay::register::<notify::DhcpAgents>(builder);
        builder.worker(Recall { name: "what DHCP agents may not have heard", tell: |engine, since| Box::pin(recall(engine, since)) });
    }
    builder.hook("agents", hooks::NewHosts);
    if config.bool("DEFAULT", "allow_automatic_dhcp_failover") {
        builder.worker(failover::Failover { down_after_s: config.int("DEFAULT", "agent_down_time") });
    }
    Ok(())
}

/// The scheduler, unless the operator turned it off.
#[must_use]
pub fn scheduler(engine: &Engine) -> Option<Arc<Scheduler>> {
    engine.registry.service::<Scheduler>()
}
