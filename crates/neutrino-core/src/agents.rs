// SPDX-License-Identifier: Apache-2.0
//! What schedulers need to know of agents: when one counts as dead, and when to look for those that are.
//!
//! Refuses to own: the agents themselves, and what is scheduled to them.

use std::{sync::Arc, time};

use chrono::{Duration, NaiveDateTime};
use oslo_config::Config;

use crate::{Context, Engine};

/// Agent types, as agents name themselves.
pub const DHCP: &str = "DHCP agent";
pub const L3: &str = "L3 agent";

/// What the operator says about all agents. A service of the registry.
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

/// May an agent with this switch be given something to serve?
#[must_use]
pub fn may_serve(engine: &Engine, admin_state_up: bool) -> bool {
    admin_state_up || settings(engine).services_on_disabled
}

/// The settings in force.
#[must_use]
pub fn settings(engine: &Engine) -> Arc<Settings> {
    engine.registry.service::<Settings>().unwrap_or_default()
}

/// When to look for agents that have died.
pub struct Rounds {
    name: &'static str,
    down_after_s: u64,
    wait_s: u64,
    last: NaiveDateTime,
}

impl Rounds {
    #[must_use]
    pub fn new(name: &'static str, cx: &Context, down_after_s: i64) -> Self {
        let down_after_s = u64::try_from(down_after_s).unwrap_or(75).max(1);
        let period = (down_after_s / 2).max(1);
        // Agents shall have time to report after a start, and several servers shall not look at the same moment.
        Self { name, down_after_s, wait_s: period + cx.random() % (period + 1), last: cx.now() }
    }

    /// Waits until the next look; false when the server stops.
    pub async fn next(&mut self, cx: &Context, stop: &mut tokio::sync::watch::Receiver<bool>) -> bool {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return false,
                () = tokio::time::sleep(time::Duration::from_secs(self.wait_s)) => {}
            }
            let passed = (cx.now() - self.last).num_seconds();
            self.last = cx.now();
            // After a jump of the clock every agent looks dead until it reports again.
            if passed <= i64::try_from(self.wait_s + self.down_after_s).unwrap_or(i64::MAX) {
                self.wait_s = (self.down_after_s / 2).max(1);
                return true;
            }
            tracing::warn!("{}: the clock moved by {passed} s since the last look at agents; they get time to report", self.name);
            self.wait_s = self.down_after_s * 2;
        }
    }
}
