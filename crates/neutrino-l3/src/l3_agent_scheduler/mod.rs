// SPDX-License-Identifier: Apache-2.0
//! Which L3 agents serve which routers.
//!
//! Owns the table `routerl3agentbindings` and the extension `l3_agent_scheduler`. A router is scheduled when it gets a gateway or changes, by
//! hand, when an agent asks for work ([`auto_schedule`]), and anew when its agent has died. Refuses to own: what agents are told ([`crate::notifier`]), and the port
//! that a highly available router has for each of its agents. Invariants: an agent serves a router once; `binding_index` is unique for a router, so
//! that two servers cannot give it too many agents; a router that is not highly available has one agent.

mod agents;
mod api;
mod failover;
mod hooks;
mod place;

use std::sync::Arc;

use neutrino_core::{
    Builder, Engine,
    scheduling::Driver,
    served::{AgentsOf, OfAgent},
};
use neutrino_model::Extension;
use oslo_config::{Config, Opt};

pub use agents::Mode;
pub use failover::reschedule_routers_from_down_agents;
pub use place::{Placed, auto_schedule, schedule};

use crate::routers::{Placement, PlacementService};

const MODULE: &str = "neutron.scheduler.l3_agent_scheduler.";
const KNOWN: [&str; 3] = [
    "neutron.scheduler.l3_agent_scheduler.ChanceScheduler",
    "neutron.scheduler.l3_agent_scheduler.LeastRoutersScheduler",
    "neutron.scheduler.l3_agent_scheduler.AZLeastRoutersScheduler",
];

pub static OPTIONS: &[Opt] = &[
    Opt::str("DEFAULT", "router_scheduler_driver")
        .default("neutron.scheduler.l3_agent_scheduler.LeastRoutersScheduler")
        .help("How the L3 agents of a router are chosen."),
    Opt::bool("DEFAULT", "router_auto_schedule").default("true").help("Give an L3 agent that asks for work the routers that lack one."),
    Opt::bool("DEFAULT", "allow_automatic_l3agent_failover").default("false").help("Move routers from L3 agents that have died to others."),
    Opt::int("DEFAULT", "max_l3_agents_per_router").default("3").min(0).help("How many L3 agents serve a highly available router; 0: all."),
];

static EXTENSION: Extension =
    Extension::new("l3_agent_scheduler", "L3 Agent Scheduler", "Schedule routers among l3 agents", "2013-02-07T10:00:00-00:00")
        .requires(&["agent", "router"]);

/// What the operator says about scheduling. A service of the registry.
#[derive(Clone, Debug)]
pub struct Scheduler {
    pub driver: Driver,
    pub auto_schedule: bool,
    /// Agents of a highly available router; `None`: all.
    pub most_agents: Option<usize>,
    /// Zones that serve a router that names none.
    pub default_zones: Vec<String>,
}

impl Scheduler {
    /// The zones whose agents may serve a router with these hints; none when they do not matter.
    fn zones<'a>(&'a self, hints: &'a [String]) -> &'a [String] {
        match self.driver {
            Driver::ZoneAwareWeight if hints.is_empty() => &self.default_zones,
            Driver::ZoneAwareWeight => hints,
            Driver::Chance | Driver::Weight => &[],
        }
    }
}

/// # Errors
/// A sentence for the operator: a driver that is not known.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let name = config.text("DEFAULT", "router_scheduler_driver");
    let driver = match name.strip_prefix(MODULE) {
        Some("ChanceScheduler") => Driver::Chance,
        Some("LeastRoutersScheduler") => Driver::Weight,
        Some("AZLeastRoutersScheduler") => Driver::ZoneAwareWeight,
        _ => {
            return Err(config.refuse("DEFAULT", "router_scheduler_driver", &name, "is not a scheduler that is known", &KNOWN).to_string());
        }
    };
    builder.service(Arc::new(Scheduler {
        driver,
        auto_schedule: config.bool("DEFAULT", "router_auto_schedule"),
        most_agents: usize::try_from(config.int("DEFAULT", "max_l3_agents_per_router")).ok().filter(|most| *most > 0),
        default_zones: config.list("DEFAULT", "default_availability_zones").into_iter().filter(|zone| !zone.is_empty()).collect(),
    }));
    builder.service(Arc::new(PlacementService(Arc::new(hooks::Changes) as Arc<dyn Placement>)));
    builder.extension(&EXTENSION).facet(OfAgent(api::Routers)).facet(AgentsOf(api::Agents)).hook("routers", hooks::Changes);
    if config.bool("DEFAULT", "allow_automatic_l3agent_failover") {
        builder.worker(failover::Failover { down_after_s: config.int("DEFAULT", "agent_down_time") });
    }
    Ok(())
}

/// The scheduler, if routers are on.
fn scheduler(engine: &Engine) -> Option<Arc<Scheduler>> {
    engine.registry.service::<Scheduler>()
}
