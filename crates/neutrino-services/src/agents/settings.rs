// SPDX-License-Identifier: Apache-2.0
//! What the operator says about all agents. `agent_down_time` is declared by the core plugin, which reads it too.

use std::sync::Arc;

use chrono::{Duration, NaiveDateTime};
use neutrino_core::Engine;
use oslo_config::{Config, Opt};

pub static OPTIONS: &[Opt] = &[
    Opt::bool("DEFAULT", "enable_new_agents")
        .default("true")
        .help("Whether an agent that reports for the first time may be scheduled to at once."),
    Opt::str("DEFAULT", "dhcp_load_type")
        .default("networks")
        .choices(&["networks", "subnets", "ports"])
        .help("What a DHCP agent's load is counted in."),
    Opt::list("DEFAULT", "default_availability_zones").default("").help("Zones for networks and routers that name none; empty for any."),
    Opt::bool("DEFAULT", "enable_services_on_agents_with_admin_state_down")
        .default("false")
        .help("Keep what is scheduled to an agent working, and allow scheduling by hand, while its admin_state_up is false."),
];

/// See the module's documentation. A service of the registry.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Seconds without a report after which an agent counts as down.
    pub down_after_s: i64,
    pub enable_new_agents: bool,
    pub dhcp_load_type: String,
    pub services_on_disabled: bool,
}

impl Settings {
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            down_after_s: config.int("DEFAULT", "agent_down_time").max(1),
            enable_new_agents: config.bool("DEFAULT", "enable_new_agents"),
            dhcp_load_type: config.text("DEFAULT", "dhcp_load_type"),
            services_on_disabled: config.bool("DEFAULT", "enable_services_on_agents_with_admin_state_down"),
        }
    }

    /// An agent that was heard of at this time or later is alive.
    #[must_use]
    pub fn alive_since(&self, now: NaiveDateTime) -> NaiveDateTime {
        now - Duration::seconds(self.down_after_s)
    }

    /// An agent that was last heard of before this time is dead: what it hosts goes elsewhere.
    #[must_use]
    pub fn dead_before(&self, now: NaiveDateTime) -> NaiveDateTime {
        now - Duration::seconds(self.down_after_s * 2)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self { down_after_s: 75, enable_new_agents: true, dhcp_load_type: "networks".to_owned(), services_on_disabled: false }
    }
}

/// The settings in force.
#[must_use]
pub fn settings(engine: &Engine) -> Arc<Settings> {
    engine.registry.service::<Settings>().unwrap_or_default()
}
