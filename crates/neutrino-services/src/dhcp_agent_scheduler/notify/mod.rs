// SPDX-License-Identifier: Apache-2.0
//! What DHCP agents are told (`neutron/api/rpc/agentnotifiers/dhcp_rpc_agent_api.py`): networks that they get and lose, at once; and changes of
//! networks, subnets and ports, by a worker that takes what has gathered since it last looked.
//!
//! Invariants: nothing is told before its commit; a batch of changes costs a constant number of statements; a request waits for neither. A
//! network that an agent has just been given is fetched by the agent as it then is, so that it does not matter whether the change that led
//! to it is told as well.

mod payloads;
mod recipients;

use async_trait::async_trait;
use chrono::NaiveDateTime;
use neutrino_core::{
    Change, Context, Engine, Verb,
    relay::{self, Listener},
    rpc::{self, Message},
};
use neutrino_db::args;
use neutrino_types::Result;
use serde_json::{Value, json};

use super::Placed;

pub const TOPIC: &str = "dhcp_agent";
const VERSION: &str = "1.0";

/// What an agent does first; a lower number is more urgent.
mod priority {
    pub const NETWORK_CREATE: u8 = 0;
    pub const NETWORK_UPDATE: u8 = 1;
    pub const NETWORK_DELETE: u8 = 2;
    pub const SUBNET_UPDATE: u8 = 3;
    pub const SUBNET_DELETE: u8 = 4;
    /// For the one agent of a network that shall serve a new port before others do.
    pub const PORT_CREATE_HIGH: u8 = 5;
    pub const PORT: u8 = 6;
}

fn cast(engine: &Engine, cx: &Context, topic: &str, host: &str, method: &'static str, mut payload: Value, priority: u8) {
    payload["priority"] = priority.into();
    rpc::cast(engine, cx, Message::new(topic, VERSION, method, json!({ "payload": payload })).to(host));
}

/// Agents that were given networks fetch them.
pub fn added(engine: &Engine, cx: &Context, placed: &[Placed]) {
    for one in placed {
        let payload = json!({"network": {"id": one.network_id}});
        cast(engine, cx, TOPIC, &one.host, "network_create_end", payload, priority::NETWORK_CREATE);
    }
}

/// An agent that lost a network stops serving it.
pub fn removed(engine: &Engine, cx: &Context, network_id: &str, host: &str) {
    cast(engine, cx, TOPIC, host, "network_delete_end", json!({"network_id": network_id}), priority::NETWORK_DELETE);
}

/// DHCP agents, as those who hear of changes of networks, subnets and ports.
pub struct DhcpAgents;

#[async_trait]
impl Listener for DhcpAgents {
    const NAME: &'static str = "DHCP agents";

    fn wants(change: &Change) -> bool {
        matters(change)
    }

    fn is_found_again(change: &Change) -> bool {
        change.verb != Verb::Deleted
    }

    async fn tell(engine: &Engine, batch: &[(Context, Change)]) -> Result<()> {
        payloads::tell(engine, batch).await
    }
}

/// Tells agents everything that waits now.
pub async fn flush(engine: &Engine) {
    relay::flush::<DhcpAgents>(engine).await;
}

/// Agents look again at the networks that changed since then, of which a server that was killed may not have told them; at the start of this one.
///
/// # Errors
/// The database's.
pub async fn recall(engine: &Engine, since: NaiveDateTime) -> Result<()> {
    let cx = Context::internal("");
    let changed = |part: &str| format!("{part} x JOIN standardattributes a ON a.id = x.standard_attr_id WHERE a.updated_at >= ?");
    let text = format!(
        "SELECT n.id, n.admin_state_up, g.host FROM networks n JOIN networkdhcpagentbindings b ON b.network_id = n.id \
         JOIN agents g ON g.id = b.dhcp_agent_id WHERE n.id IN (SELECT x.id FROM {} UNION SELECT x.network_id FROM {} \
         UNION SELECT x.network_id FROM {}) ORDER BY n.id, g.host",
        changed("networks"),
        changed("subnets"),
        changed("ports")
    );
    for row in engine.db.reader().await?.query(&text, args![since, since, since]).await? {
        let payload = json!({"network": {"id": row.text(0)?, "admin_state_up": row.bool(1)?}});
        cast(engine, &cx, TOPIC, &row.text(2)?, "network_update_end", payload, priority::NETWORK_UPDATE);
    }
    Ok(())
}

/// Could an agent need to know?
fn matters(change: &Change) -> bool {
    match (change.collection.as_str(), change.verb, &change.before, &change.after) {
        ("networks", Verb::Created, ..) => false,
        ("ports", Verb::Updated, Some(before), Some(after)) => payloads::port_matters(before, after),
        (collection, ..) => ["networks", "subnets", "ports"].contains(&collection),
    }
}
