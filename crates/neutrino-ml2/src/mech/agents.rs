// SPDX-License-Identifier: Apache-2.0
//! What agents reported of themselves, as far as binding needs it: the table `agents`, read only.

use chrono::NaiveDateTime;
use neutrino_db::{Row, Sql, Tx, args};
use neutrino_types::Result;
use oslo_config::Opt;
use serde_json::Value;

pub const OPTION: Opt = Opt::int("DEFAULT", "agent_down_time")
    .default("75")
    .min(1)
    .max(2_147_483)
    .help("Seconds without a report after which an agent counts as down.");

pub const OPEN_VSWITCH: &str = "Open vSwitch agent";
pub const NIC_SWITCH: &str = "NIC Switch agent";
pub const MACVTAP: &str = "Macvtap agent";

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub agent_type: String,
    pub host: String,
    pub alive: bool,
    /// What it reported; an object.
    pub configurations: Value,
}

impl Agent {
    /// A text that the agent reported.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.configurations[key].as_str()
    }

    /// Does the agent map this physical network to a bridge or device under this key?
    #[must_use]
    pub fn maps(&self, key: &str, physical_network: Option<&str>) -> bool {
        physical_network.is_some_and(|name| self.configurations[key].get(name).is_some())
    }
}

/// Asks for the agents that reported from a host.
#[must_use]
pub fn asked(host: &str) -> Sql {
    Sql::new("SELECT agent_type, heartbeat_timestamp, configurations FROM agents WHERE host = ? ORDER BY agent_type, id", args![host])
}

/// The agents that reported from a host.
///
/// # Errors
/// The database's.
pub async fn on_host(tx: &mut Tx, host: &str, now: NaiveDateTime, down_after_s: i64) -> Result<Vec<Agent>> {
    read(&tx.select(asked(host)).await?, host, now, down_after_s)
}

/// The agents in what [`asked`] gave.
///
/// # Errors
/// That the database gave something else.
pub fn read(rows: &[Row], host: &str, now: NaiveDateTime, down_after_s: i64) -> Result<Vec<Agent>> {
    let mut agents = Vec::with_capacity(rows.len());
    for row in rows {
        let heard = row.opt_time(1)?;
        agents.push(Agent {
            agent_type: row.text(0)?,
            host: host.to_owned(),
            alive: heard.is_some_and(|heard| now.signed_duration_since(heard).num_seconds() <= down_after_s),
            // An agent that reports nonsense maps nothing.
            configurations: serde_json::from_str(&row.text(2)?).unwrap_or_default(),
        });
    }
    Ok(agents)
}
