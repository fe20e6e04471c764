// SPDX-License-Identifier: Apache-2.0
//! `/agents/{id}/dhcp-networks` and `/networks/{id}/dhcp-agents`.

use async_trait::async_trait;
use neutrino_core::{Authorized, Context, Engine, Facet, Op, listing};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Kind, Result, error::kinds};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Placed, hooks::RESERVED, notify, place};
use crate::agents;

const INVALID_DHCP_AGENT: Kind = Kind::new("InvalidDHCPAgent", 404);
const HOSTED: Kind = Kind::new("NetworkHostedByDHCPAgent", 409);
const NOT_HOSTED: Kind = Kind::new("NetworkNotHostedByDhcpAgent", 409);

pub struct Networks;

#[async_trait]
impl Facet for Networks {
    fn path(&self) -> &'static str {
        "dhcp-networks"
    }

    fn collections(&self) -> &'static [&'static str] {
        &["agents"]
    }

    fn verbs(&self) -> &'static [&'static str] {
        &["get", "create", "delete"]
    }

    async fn call(
        &self,
        engine: &Engine,
        cx: &Context,
        agent: &Record,
        item: Option<&str>,
        method: &str,
        body: &Value,
    ) -> Result<(u16, Option<Value>)> {
        match (method, item) {
            ("GET", None) => {
                let sql = "SELECT network_id FROM networkdhcpagentbindings WHERE dhcp_agent_id = ?";
                let networks = listing::objects(engine, cx, "networks", ids(engine, sql, agent.id()).await?).await?;
                Ok((200, Some(json!({ "networks": networks }))))
            }
            ("POST", None) => {
                let network_id = body["network_id"].as_str().ok_or_else(|| {
                    kinds::BAD_REQUEST.error(
                        "Failed to parse request. The body must be {\"network_id\": \"...\"}, the network that the agent shall serve.",
                    )
                })?;
                add(engine, cx, agent, network_id).await?;
                Ok((201, Some(Value::Null)))
            }
            ("DELETE", Some(network_id)) => {
                let (agent_id, host) = (agent.id().to_owned(), agent.str("host").to_owned());
                engine
                    .transact(&cx.elevated(), "ports", "remove network from DHCP agent", |op| {
                        let (agent_id, host, network_id) = (agent_id.clone(), host.clone(), network_id.to_owned());
                        Box::pin(async move { remove(op, &agent_id, &host, &network_id).await })
                    })
                    .await?;
                notify::removed(engine, cx, network_id, agent.str("host"));
                Ok((204, None))
            }
            _ => {
                Err(kinds::METHOD_NOT_ALLOWED
                    .error("Networks of a DHCP agent are listed with GET, added with POST and removed with DELETE."))
            }
        }
    }
}

pub struct Agents;

#[async_trait]
impl Facet for Agents {
    fn path(&self) -> &'static str {
        "dhcp-agents"
    }

    fn collections(&self) -> &'static [&'static str] {
        &["networks"]
    }

    fn verbs(&self) -> &'static [&'static str] {
        &["get"]
    }

    async fn call(
        &self,
        engine: &Engine,
        cx: &Context,
        network: &Record,
        item: Option<&str>,
        method: &str,
        _body: &Value,
    ) -> Result<(u16, Option<Value>)> {
        if (method, item) != ("GET", None) {
            return Err(kinds::METHOD_NOT_ALLOWED.error("The DHCP agents of a network are listed with GET; change them at the agent."));
        }
        let sql = "SELECT dhcp_agent_id FROM networkdhcpagentbindings WHERE network_id = ?";
        let agents = listing::objects(engine, cx, "agents", ids(engine, sql, network.id()).await?).await?;
        Ok((200, Some(json!({ "agents": agents }))))
    }
}

async fn ids(engine: &Engine, sql: &str, id: &str) -> Result<Vec<String>> {
    let rows = engine.db.reader().await?.query(sql, args![id]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

async fn add(engine: &Engine, cx: &Context, agent: &Record, network_id: &str) -> Result<()> {
    let auth = Authorized::internal("the network that is given to an agent, in the caller's view");
    engine.show(cx, &auth, "networks", None, network_id, Some(&["id".to_owned()])).await?;
    let serves = agents::settings(engine).services_on_disabled || agent.bool("admin_state_up");
    if agent.str("agent_type") != agents::DHCP || !serves {
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
