// SPDX-License-Identifier: Apache-2.0
//! Which agents hear of what: those that serve the network, and of a subnet on a segment those that the segment reaches.

use std::collections::{BTreeSet, HashMap};

use neutrino_core::Engine;
use neutrino_db::Sql;
use neutrino_types::Result;

use crate::agents;

/// Where an agent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub topic: String,
    pub host: String,
}

/// The agents of networks, and the hosts that segments reach.
#[derive(Debug, Default)]
pub struct Recipients {
    serving: HashMap<String, Vec<Address>>,
    reached: HashMap<String, BTreeSet<String>>,
}

impl Recipients {
    /// One statement, and one more when there are segments.
    pub async fn of(engine: &Engine, networks: &BTreeSet<&str>, segments: &BTreeSet<&str>) -> Result<Self> {
        let mut found = Self::default();
        if networks.is_empty() {
            return Ok(found);
        }
        let mut tx = engine.db.reader().await?;
        let mut sql = Sql::raw(
            "SELECT b.network_id, a.topic, a.host, a.admin_state_up FROM networkdhcpagentbindings b JOIN agents a ON a.id = b.dhcp_agent_id WHERE ",
        );
        sql.append(Sql::in_texts(tx.dialect(), "b.network_id", networks.iter().copied())).push(" ORDER BY b.network_id, b.binding_index");
        let also_disabled = agents::settings(engine).services_on_disabled;
        for row in tx.select(sql).await? {
            if row.bool(3)? || also_disabled {
                found.serving.entry(row.text(0)?).or_default().push(Address { topic: row.text(1)?, host: row.text(2)? });
            }
        }
        if !segments.is_empty() && !found.serving.is_empty() {
            let mut sql = Sql::raw("SELECT segment_id, host FROM segmenthostmappings WHERE ");
            sql.append(Sql::in_texts(tx.dialect(), "segment_id", segments.iter().copied()));
            for row in tx.select(sql).await? {
                found.reached.entry(row.text(0)?).or_default().insert(row.text(1)?);
            }
        }
        Ok(found)
    }

    pub fn any(&self) -> bool {
        !self.serving.is_empty()
    }

    pub fn serve(&self, network_id: &str) -> bool {
        self.serving.contains_key(network_id)
    }

    /// A segment that reaches no host is none that agents are chosen by.
    pub fn of_network(&self, network_id: &str, segment_id: Option<&str>) -> Vec<&Address> {
        let reached = segment_id.and_then(|id| self.reached.get(id));
        let agents = self.serving.get(network_id).map_or(&[][..], Vec::as_slice);
        agents.iter().filter(|agent| reached.is_none_or(|hosts| hosts.contains(&agent.host))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_choose_among_agents() {
        let agent = |host: &str| Address { topic: "dhcp_agent".to_owned(), host: host.to_owned() };
        let recipients = Recipients {
            serving: HashMap::from([("n".to_owned(), vec![agent("h1"), agent("h2")])]),
            reached: HashMap::from([("s".to_owned(), BTreeSet::from(["h2".to_owned()]))]),
        };
        let hosts = |network, segment| recipients.of_network(network, segment).iter().map(|a| a.host.clone()).collect::<Vec<_>>();
        assert_eq!(hosts("n", None), ["h1", "h2"]);
        assert_eq!(hosts("n", Some("s")), ["h2"]);
        assert_eq!(hosts("n", Some("unreached")), ["h1", "h2"]);
        assert!(hosts("m", None).is_empty());
    }
}
