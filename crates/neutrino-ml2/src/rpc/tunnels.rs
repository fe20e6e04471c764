// SPDX-License-Identifier: Apache-2.0
//! Where tunnels end: `tunnel_sync`, by which an agent makes its address known and learns those of all others.
//!
//! Owns the tables `ml2_*_endpoints`. Invariant: an address belongs to one host, and a host has one address, each by a key; who comes last
//! is right.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{
    Builder, Context, Engine, Hook, Op,
    rpc::{self, Args},
};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{
    Error, Result,
    error::kinds,
    ip::{Ip, IpVersion},
};
use oslo_config::Config;
use serde_json::{Map, Value, json};

use super::{host, notify};
use crate::type_drivers::TypeManager;

/// The UDP port of VXLAN.
const VXLAN_PORT: i64 = 4789;
const OVS_AGENT: &str = "neutron-openvswitch-agent";

/// `overlay_ip_version`.
struct Settings {
    ip_version: i64,
}

/// The table of a tunnel type.
fn table(engine: &Engine, tunnel_type: &str) -> Option<&'static str> {
    let loaded = engine.registry.service::<TypeManager>().is_some_and(|types| types.network_types().any(|name| name == tunnel_type));
    match tunnel_type {
        "vxlan" if loaded => Some("ml2_vxlan_endpoints"),
        "gre" if loaded => Some("ml2_gre_endpoints"),
        "geneve" if loaded => Some("ml2_geneve_endpoints"),
        _ => None,
    }
}

/// `tunnel_sync`.
pub async fn sync(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let refuse = |reason: String| kinds::INVALID_INPUT.error(reason);
    let ip = rpc::text(args, "tunnel_ip")?;
    let version = match ip.parse::<Ip>() {
        Ok(address) if address.version() == IpVersion::V4 => 4,
        Ok(_) => 6,
        Err(_) => return Err(refuse(format!("The tunnel_ip '{}' is no IP address.", ip.chars().take(64).collect::<String>()))),
    };
    if engine.registry.service::<Settings>().is_some_and(|settings| settings.ip_version != version) {
        return Err(refuse(format!("The tunnel_ip {ip} is not of the version that overlay_ip_version names.")));
    }
    let tunnel_type = rpc::text(args, "tunnel_type")?;
    let table = table(engine, tunnel_type).ok_or_else(|| {
        let name: String = tunnel_type.chars().take(32).collect();
        refuse(format!("The network type '{name}' of the tunnel at {ip} is not one that [ml2] type_drivers loads, or has no tunnels."))
    })?;
    let what = Arc::new((ip.to_owned(), host(args).map(str::to_owned)));
    let cx = cx.elevated();
    let (tunnels, left) = engine
        .transact(&cx, "networks", "tunnel_sync", move |op| {
            let what = what.clone();
            Box::pin(async move {
                let left = settle(op, table, &what.0, what.1.as_deref()).await?;
                Ok((endpoints(op, table).await?, left))
            })
        })
        .await?;
    if let Some(old) = left {
        notify::tunnel_delete(engine, &cx, &old, tunnel_type);
    }
    notify::tunnel_update(engine, &cx, ip, tunnel_type);
    Ok(json!({"tunnels": tunnels}))
}

/// Makes the row of an address and its host the only one of both. The address that the host had before and that nobody has now.
async fn settle(op: &mut Op<'_>, table: &str, ip: &str, host: Option<&str>) -> Result<Option<String>> {
    let owner = op.tx.query_one(&format!("SELECT host FROM {table} WHERE ip_address = ?"), args![ip]).await?;
    let owner: Option<Option<String>> = owner.map(|row| row.opt_text(0)).transpose()?;
    let mut left = None;
    if let Some(host) = host {
        let before = op.tx.query_one(&format!("SELECT ip_address FROM {table} WHERE host = ?"), args![host]).await?;
        let before: Option<String> = before.map(|row| row.text(0)).transpose()?;
        if owner.as_ref().is_some_and(|owner| owner.as_deref() == Some(host)) {
            return Ok(None);
        }
        // The old address of a host that takes another's may be another's by now: nobody is told to forget it.
        left = before.filter(|_| owner.is_none());
        op.tx.execute(&format!("DELETE FROM {table} WHERE host = ? OR ip_address = ?"), args![host, ip]).await?;
    } else if owner.is_some() {
        return Ok(None);
    }
    let mut columns = vec![("ip_address", ip.into()), ("host", host.into())];
    if table == "ml2_vxlan_endpoints" {
        columns.push(("udp_port", VXLAN_PORT.into()));
    }
    match op.insert_row(table, columns).await {
        Err(error) if error.is_duplicate("") => Err(Error::stale(format!("tunnel endpoint {ip} came in between"))),
        done => done.map(|()| left),
    }
}

async fn endpoints(op: &mut Op<'_>, table: &str) -> Result<Vec<Value>> {
    let with_port = table == "ml2_vxlan_endpoints";
    let columns = if with_port { "ip_address, host, udp_port" } else { "ip_address, host" };
    let rows = op.tx.query(&format!("SELECT {columns} FROM {table} ORDER BY ip_address"), Vec::new()).await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in &rows {
        let mut one = Map::new();
        one.insert("ip_address".to_owned(), row.text(0)?.into());
        if with_port {
            one.insert("udp_port".to_owned(), row.int(2)?.into());
        }
        one.insert("host".to_owned(), row.opt_text(1)?.into());
        all.push(Value::Object(one));
    }
    Ok(all)
}

/// The tunnels of an agent that is deleted end.
struct Agents;

#[async_trait]
impl Hook for Agents {
    async fn after_delete(&self, engine: &Engine, cx: &Context, agent: &Record) -> Result<()> {
        let configurations = agent.get("configurations");
        let Some(ip) = configurations["tunneling_ip"].as_str().filter(|_| agent.str("binary") == OVS_AGENT) else { return Ok(()) };
        for tunnel_type in configurations["tunnel_types"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            notify::tunnel_delete(engine, cx, ip, tunnel_type);
            let Some(table) = table(engine, tunnel_type) else { continue };
            let ip = ip.to_owned();
            engine
                .transact(cx, "networks", "delete_tunnel_endpoint", move |op| {
                    let ip = ip.clone();
                    Box::pin(async move { op.tx.execute(&format!("DELETE FROM {table} WHERE ip_address = ?"), args![ip]).await.map(drop) })
                })
                .await?;
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder, config: &Config) {
    builder.service(Arc::new(Settings { ip_version: config.int("ml2", "overlay_ip_version") }));
    builder.hook_where_served("agents", Agents);
}
