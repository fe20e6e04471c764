// SPDX-License-Identifier: Apache-2.0
//! `/agents/{id}/dhcp-networks` and `/networks/{id}/dhcp-agents`.

use std::collections::HashMap;

use async_trait::async_trait;
use neutrino_core::{
    Context, Engine, Op,
    agents::{DHCP, may_serve},
    served::{self, Served, Serving},
};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Kind, Result};
use serde_json::Value;
use uuid::Uuid;

use super::{Placed, hooks::RESERVED, notify, place};

const INVALID_DHCP_AGENT: Kind = Kind::new("InvalidDHCPAgent", 404);
const HOSTED: Kind = Kind::new("NetworkHostedByDHCPAgent", 409);
const NOT_HOSTED: Kind = Kind::new("NetworkNotHostedByDhcpAgent", 409);

pub struct Networks;

#[async_trait]
impl Served for Networks {
    const PATH: &'static str = "dhcp-networks";
    const COLLECTION: &'static str = "networks";
    const KEY: &'static str = "network_id";
    const OF_AGENT: &'static str = "SELECT network_id FROM networkdhcpagentbindings WHERE dhcp_agent_id = ?";

    async fn add(&self, engine: &Engine, cx: &Context, agent: &Record, id: &str) -> Result<()> {
        add(engine, cx, agent, id).await
    }

    async fn remove(&self, engine: &Engine, cx: &Context, agent: &Record, id: &str) -> Result<()> {
        let (agent_id, host) = (agent.id().to_owned(), agent.str("host").to_owned());
        engine
            .transact(&cx.elevated(), "ports", "remove network from DHCP agent", |op| {
                let (agent_id, host, network_id) = (agent_id.clone(), host.clone(), id.to_owned());
                Box::pin(async move { remove(op, &agent_id, &host, &network_id).await })
            })
            .await?;
        notify::removed(engine, cx, id, agent.str("host"));
        Ok(())
    }
}

pub struct Agents;

#[async_trait]
impl Serving for Agents {
    const PATH: &'static str = "dhcp-agents";
    const COLLECTIONS: &'static [&'static str] = &["networks"];

    async fn agents(&self, engine: &Engine, _cx: &Context, network: &Record) -> Result<HashMap<String, Value>> {
        let ids = served::ids(engine, "SELECT dhcp_agent_id FROM networkdhcpagentbindings WHERE network_id = ?", network.id()).await?;
        Ok(ids.into_iter().map(|id| (id, Value::Null)).collect())
    }
}

async fn add(engine: &Engine, cx: &Context, agent: &Record, network_id: &str) -> Result<()> {
    engine.original(cx, "networks", None, network_id).await?;
    if agent.str("agent_type") != DHCP || !may_serve(engine, agent.bool("admin_state_up")) {
        return Err(INVALID_DHCP_AGENT.error(format!("Agent {} is not a DHCP agent, or is disabled.", agent.id())));
    }
    let (agent_id, network) = (agent.id().to_owned(), network_id.to_owned());
    let cx = cx.elevated();
    let added = engine.transact(&cx, "networks", "add network to DHCP agent", |op| {
        let (agent_id, network) = (agent_id.clone(), network.clone());
        Box::pin(async move { place::add(op, &network, &agent_id).await })
    });
    if added.await? {
        let placed = Placed { network_id: network_id.to_owned(), agent_id: agent.id().to_owned(), host: agent.str("host").to_owned() };
        notify::added(engine, &cx, &[placed]);
        return Ok(());
    }
    Err(HOSTED.error(format!("Network {network_id} is already served by the DHCP agent {}.", agent.id())))
}

/// Takes a network from an agent. The agent's port on it waits for the next one, so that it keeps its address.
///
/// # Errors
/// 409 `NetworkNotHostedByDhcpAgent`; the database's.
pub(super) async fn remove(op: &mut Op<'_>, agent_id: &str, host: &str, network_id: &str) -> Result<()> {
    let sql = "DELETE FROM networkdhcpagentbindings WHERE network_id = ? AND dhcp_agent_id = ?";
    if op.tx.execute(sql, args![network_id, agent_id]).await? == 0 {
        return Err(NOT_HOSTED.error(format!("Network {network_id} is not served by the DHCP agent {agent_id}.")));
    }
    let sql = "SELECT id FROM ports WHERE network_id = ? AND device_id = ?";
    let rows = op.tx.query(sql, args![network_id, device_id(host, network_id)]).await?;
    let ports: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    for port in op.load("ports", &ports).await? {
        let mut body = Body::empty(port.table().clone());
        body.set("device_id", RESERVED);
        op.update_object("ports", &port, &mut body).await?;
    }
    Ok(())
}

/// The `device_id` of the port that a DHCP agent has on a network (`get_dhcp_agent_device_id` in `neutron/common/utils.py`).
#[must_use]
pub fn device_id(host: &str, network_id: &str) -> String {
    let name = host.split('.').next().unwrap_or_default();
    format!("dhcp{}-{network_id}", Uuid::new_v5(&Uuid::NAMESPACE_DNS, name.as_bytes()))
}

#[cfg(test)]
mod tests {
    /// Expected: `neutron.common.utils.get_dhcp_agent_device_id`.
    #[test]
    fn devices_are_named_as_agents_name_them() {
        assert_eq!(super::device_id("host1.example.org", "net"), super::device_id("host1", "net"));
        assert_eq!(super::device_id("host1", "net"), "dhcp540ba512-ba2e-5213-b381-56c767787d41-net");
    }
}
