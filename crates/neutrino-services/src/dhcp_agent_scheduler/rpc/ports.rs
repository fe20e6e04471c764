// SPDX-License-Identifier: Apache-2.0
//! The ports that DHCP agents have on the networks that they serve.

use futures::future::BoxFuture;
use neutrino_core::{
    Authorized, Context, Engine, Precondition, listing,
    rpc::{self, Args},
};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Kind, Result, error::kinds};
use serde_json::{Map, Value};

use super::super::{api::device_id, hooks::RESERVED};
use crate::agents;

const NETWORK_NOT_FOUND: Kind = Kind::new("NetworkNotFound", 404);
/// The agent begins again when it gets none of what it asked for: what it asked for is gone or has changed.
const OUTDATED: [&str; 3] = ["NetworkNotFound", "SubnetNotFound", "InvalidInput"];
/// How often an update is tried while others change the port.
const MAX_TRIES: usize = 10;

fn auth() -> Authorized {
    Authorized::internal("the port of a DHCP agent")
}

/// # Errors
/// 404 `PortNotFound`.
pub fn get_dhcp_port<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let port = engine.original(&cx.elevated(), "ports", None, rpc::text(args, "port_id")?).await?;
        listing::dict(&port)
    })
}

/// The port's attributes in a call, and its host.
fn asked(args: &Args) -> Result<Map<String, Value>> {
    let port = args.get("port").and_then(|outer| outer["port"].as_object());
    let mut port = port.cloned().ok_or_else(|| kinds::INVALID_INPUT.error("The call has no argument 'port' with a 'port' in it."))?;
    port.insert("binding:host_id".to_owned(), rpc::text(args, "host")?.into());
    Ok(port)
}

/// Makes the agent's port on a network. Null when network or subnets are gone.
pub fn create_dhcp_port<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let mut port = asked(args)?;
        port.insert("device_owner".to_owned(), "network:dhcp".into());
        let made = create(engine, &cx.elevated(), &port).await;
        settled(engine, &port, made).await
    })
}

async fn create(engine: &Engine, cx: &Context, port: &Map<String, Value>) -> Result<Value> {
    let table = engine.entry("ports")?.table.clone();
    let body = Body::create(table, port, None, &engine.registry.limits)?;
    let made = engine.create(cx, &auth(), "ports", vec![body]).await?;
    made.first().map_or(Ok(Value::Null), listing::dict)
}

/// Changes the agent's port, or makes a reserved one its own. Null when the port is gone or another agent's, or its subnets are gone.
///
/// # Errors
/// 404 `NetworkNotFound` when the agent does not serve the network.
pub fn update_dhcp_port<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let (id, host, mut port) = (rpc::text(args, "port_id")?, rpc::text(args, "host")?, asked(args)?);
        let network = port.remove("network_id").and_then(|id| id.as_str().map(str::to_owned));
        let network = network.ok_or_else(|| kinds::INVALID_INPUT.error("The port in the call names no network."))?;
        let cx = cx.elevated();
        for _ in 0..MAX_TRIES {
            let old = match engine.original(&cx, "ports", None, id).await {
                Ok(old) => old,
                Err(error) if error.status() == 404 => return Ok(Value::Null),
                Err(error) => return Err(error),
            };
            if old.str("device_id") != RESERVED && old.str("device_id") != device_id(host, &network) {
                tracing::debug!(port = id, host, "the port belongs to another agent by now");
                return Ok(Value::Null);
            }
            serves(engine, host, &network).await?;
            match update(engine, &cx, &old, &port).await {
                // Another agent may have taken it: look again.
                Err(error) if error.is(kinds::REVISION_MISMATCH) => {}
                Err(error) if error.kind().name == "PortNotFound" => return Ok(Value::Null),
                done => return settled(engine, &port, done).await,
            }
        }
        Err(Error::internal(format!("DHCP port {id} changed during each of {MAX_TRIES} tries to update it")))
    })
}

async fn update(engine: &Engine, cx: &Context, old: &Record, port: &Map<String, Value>) -> Result<Value> {
    let body = Body::update(old.table().clone(), port, &engine.registry.limits)?;
    let unchanged = Precondition { revision: old.int("revision_number") };
    let new = engine.update(cx, &auth(), "ports", old, body, unchanged).await?;
    listing::dict(&new)
}

async fn serves(engine: &Engine, host: &str, network_id: &str) -> Result<()> {
    let sql = "SELECT count(*) FROM networkdhcpagentbindings b JOIN agents a ON a.id = b.dhcp_agent_id \
               WHERE b.network_id = ? AND a.agent_type = ? AND a.host = ?";
    if engine.db.reader().await?.count(sql, args![network_id, agents::DHCP, host]).await? > 0 {
        return Ok(());
    }
    tracing::warn!(network_id, host, "a DHCP agent asks for a port on a network that it does not serve");
    Err(NETWORK_NOT_FOUND.error(format!("Network {network_id} could not be found: the DHCP agent on {host} does not serve it.")))
}

/// What the agent hears of a write that failed: nothing when what it wanted is outdated.
async fn settled(engine: &Engine, port: &Map<String, Value>, done: Result<Value>) -> Result<Value> {
    let error = match done {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let outdated = match error.kind().name {
        name if OUTDATED.contains(&name) || error.is_foreign_key() => true,
        name if name.starts_with("IpAddressGenerationFailure") => subnet_is_gone(engine, port).await?,
        _ => false,
    };
    if !outdated {
        return Err(error);
    }
    let device_id = port.get("device_id").map(Value::to_string).unwrap_or_default();
    tracing::warn!(device_id, error = %error, "a DHCP agent's port is not made or changed");
    Ok(Value::Null)
}

async fn subnet_is_gone(engine: &Engine, port: &Map<String, Value>) -> Result<bool> {
    let first = port.get("fixed_ips").and_then(|ips| ips[0]["subnet_id"].as_str());
    let Some(subnet_id) = first else { return Ok(false) };
    Ok(engine.db.reader().await?.count("SELECT count(*) FROM subnets WHERE id = ?", args![subnet_id]).await? == 0)
}

/// Deletes the port that the agent has on a network.
pub fn release_dhcp_port<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let (network, device) = (rpc::text(args, "network_id")?, rpc::text(args, "device_id")?);
        let sql = "SELECT id FROM ports WHERE network_id = ? AND device_id = ?";
        let rows = engine.db.reader().await?.query(sql, args![network, device]).await?;
        let cx = cx.elevated();
        // There is one, or none.
        for row in rows {
            let gone = async {
                let port = engine.original(&cx, "ports", None, &row.text(0)?).await?;
                engine.delete(&cx, &auth(), "ports", &port, Precondition::default()).await
            };
            match gone.await {
                Err(error) if error.kind().name == "PortNotFound" => {}
                done => done?,
            }
        }
        Ok(Value::Null)
    })
}
