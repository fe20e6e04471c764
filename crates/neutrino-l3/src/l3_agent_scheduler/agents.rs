// SPDX-License-Identifier: Apache-2.0
//! L3 agents as a scheduler sees them, and which routers each may serve.

use chrono::NaiveDateTime;
use neutrino_core::{
    agents::{L3, Settings},
    scheduling::Candidate,
};
use neutrino_db::{Sql, Tx, args};
use neutrino_types::Result;
use serde_json::Value;

use super::place::Router;

/// What an agent does for routers, as it says itself (`agent_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whole routers.
    Legacy,
    /// Whole routers, and the central part of distributed ones.
    DvrSnat,
    /// The part of distributed routers on a compute node; nothing is scheduled to it.
    Dvr,
}

impl Mode {
    pub fn of(configurations: &Value) -> Self {
        match configurations["agent_mode"].as_str() {
            Some("dvr" | "dvr_no_external") => Self::Dvr,
            Some("dvr_snat") => Self::DvrSnat,
            _ => Self::Legacy,
        }
    }

    /// A DVR agent that leaves floating IPs to the central part.
    pub fn is_internal(configurations: &Value) -> bool {
        configurations["agent_mode"].as_str() == Some("dvr_no_external")
    }
}

/// May an agent that says this of itself serve the router?
pub fn suits(configurations: &Value, router: &Router) -> bool {
    let mode_fits = match Mode::of(configurations) {
        Mode::Dvr => false,
        Mode::Legacy => !router.distributed,
        Mode::DvrSnat => true,
    };
    let only = configurations["router_id"].as_str().filter(|id| !id.is_empty());
    let takes_internal = configurations["handle_internal_only_routers"].as_bool().unwrap_or(true);
    mode_fits && only.is_none_or(|id| id == router.id) && (takes_internal || router.has_gateway)
}

/// An L3 agent.
pub struct Agent {
    pub candidate: Candidate,
    pub heard: NaiveDateTime,
    pub configurations: Value,
}

impl Agent {
    pub fn is_alive(&self, settings: &Settings, now: NaiveDateTime) -> bool {
        self.heard >= settings.alive_since(now)
    }
}

/// The L3 agents that are switched on and fulfil a condition over `a`.
pub async fn enabled(tx: &mut Tx, condition: Sql) -> Result<Vec<Agent>> {
    let mut sql = Sql::new(
        "SELECT a.id, a.host, a.availability_zone, (SELECT count(*) FROM routerl3agentbindings b WHERE b.l3_agent_id = a.id), \
         a.heartbeat_timestamp, a.configurations FROM agents a WHERE a.agent_type = ? AND a.admin_state_up = ? AND "
            .to_owned(),
        args![L3, true],
    );
    sql.append(condition).push(" ORDER BY a.id");
    let rows = tx.select(sql).await?;
    rows.iter()
        .map(|row| {
            let candidate = Candidate { id: row.text(0)?, host: row.text(1)?, zone: row.opt_text(2)?, load: (0, row.int(3)?) };
            let configurations = serde_json::from_str(&row.opt_text(5)?.unwrap_or_default()).unwrap_or_default();
            Ok(Agent { candidate, heard: row.opt_time(4)?.unwrap_or_default(), configurations })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn router(distributed: bool, has_gateway: bool) -> Router {
        Router { id: "r".to_owned(), project_id: "p".to_owned(), distributed, ha: false, has_gateway, hints: Vec::new() }
    }

    #[test]
    fn agents_serve_what_their_mode_allows() {
        for (configurations, central, distributed) in [
            (json!({}), true, false),
            (json!({"agent_mode": "legacy"}), true, false),
            (json!({"agent_mode": "dvr_snat"}), true, true),
            (json!({"agent_mode": "dvr"}), false, false),
            (json!({"agent_mode": "dvr_no_external"}), false, false),
            (json!({"router_id": "r"}), true, false),
            (json!({"router_id": "other"}), false, false),
            (json!({"handle_internal_only_routers": false}), false, false),
        ] {
            assert_eq!(suits(&configurations, &router(false, false)), central, "{configurations}");
            assert_eq!(suits(&configurations, &router(true, false)), distributed, "{configurations}");
        }
        assert!(suits(&json!({"handle_internal_only_routers": false}), &router(false, true)));
    }
}
