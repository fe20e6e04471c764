// SPDX-License-Identifier: Apache-2.0
//! An agent has wired devices, or lost them.
//!
//! A port becomes ACTIVE or DOWN only by the agent of the host that it is bound to; what the agent of another host says goes to mechanism
//! drivers alone (a port of a highly available router is on several hosts).

use std::collections::{HashMap, HashSet};

use neutrino_core::{Context, Engine, arrivals::ArrivalService, rpc::Args};
use neutrino_db::{Sql, Tx, args};
use neutrino_types::{Result, error::kinds};
use serde_json::{Value, json};

use super::{
    devices::{Device, resolve},
    host, list as list_of,
    load::some,
};
use crate::mech::{
    driver::Wiring,
    manager,
    portbindings::DVR_INTERFACE,
    provisioning::L2_AGENT_ENTITY,
    status::{complete, update_port_status, update_statuses},
};

/// A port as far as its status goes.
struct Port {
    id: String,
    owner: String,
    /// Of a distributed port, that on the calling host.
    status: String,
    blocked: bool,
    /// Is it bound to the calling host? An agent that names no host speaks for all.
    here: bool,
}

impl Port {
    fn is_distributed(&self) -> bool {
        self.owner == DVR_INTERFACE
    }
}

fn device(args: &Args) -> Result<&Value> {
    args.get("device").ok_or_else(|| kinds::INVALID_INPUT.error("The call names no device."))
}

fn refreshes(args: &Args) -> bool {
    ["refresh_tunnels", "agent_restarted"].iter().any(|name| args.get(*name).and_then(Value::as_bool) == Some(true))
}

/// `update_device_up`.
pub async fn up(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let devices = [Device::of(device(args)?)?];
    set_up(engine, &cx.elevated(), &devices, host(args), refreshes(args)).await?;
    Ok(Value::Null)
}

/// `update_device_down`.
pub async fn down(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let devices = [Device::of(device(args)?)?];
    let mut answers = set_down(engine, &cx.elevated(), &devices, host(args)).await?;
    Ok(answers.pop().unwrap_or_default())
}

/// `update_device_list`.
pub async fn list(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let (cx, host) = (&cx.elevated(), host(args));
    let (up, down) = (list_of(args, "devices_up")?, list_of(args, "devices_down")?);
    let (devices_up, devices_down) = (Device::all(up)?, Device::all(down)?);
    let (up, failed_up) = match set_up(engine, cx, &devices_up, host, refreshes(args)).await {
        Ok(()) => (up, &[][..]),
        Err(error) => {
            failed("up", &error);
            (&[][..], up)
        }
    };
    let (down, failed_down) = match set_down(engine, cx, &devices_down, host).await {
        Ok(answers) => (answers, &[][..]),
        Err(error) => {
            failed("down", &error);
            (Vec::new(), down)
        }
    };
    Ok(json!({"devices_up": up, "failed_devices_up": failed_up, "devices_down": down, "failed_devices_down": failed_down}))
}

fn failed(what: &str, error: &neutrino_types::Error) {
    let log = error.log().unwrap_or_default();
    tracing::error!(error = %error, log, "devices could not be set {what}; the agent says it again");
}

async fn set_up(engine: &Engine, cx: &Context, devices: &[Device], host: Option<&str>, refresh: bool) -> Result<()> {
    let (_, ports) = look(engine, devices, host).await?;
    let mut waiting = Vec::new();
    for port in ports.values().filter(|port| port.here) {
        if port.is_distributed() {
            if port.status != "ACTIVE" {
                update_port_status(engine, cx, &port.id, "ACTIVE", host).await?;
            }
        } else if port.status != "ACTIVE" || port.blocked {
            waiting.push(port.id.as_str());
        }
    }
    let told = complete(engine, cx, &waiting, L2_AGENT_ENTITY).await?;
    announce_arrivals(engine, cx, &ports).await?;
    // Elsewhere: the guest is on its way to the host; that its port is not there yet is no news for agents.
    let wired = |port: &&Port| if port.is_distributed() { refresh } else { port.here || !port.owner.starts_with("compute:") };
    tell(engine, cx, ports.values().filter(wired), host, Kind { up: true, refresh, told: &told }).await;
    Ok(())
}

/// Guests' ports that are plugged on a host before they are bound there: who moves the guests waits for it.
async fn announce_arrivals(engine: &Engine, cx: &Context, ports: &HashMap<String, Port>) -> Result<()> {
    let moving: Vec<&str> =
        ports.values().filter(|port| !port.here && port.owner.starts_with("compute:")).map(|port| port.id.as_str()).collect();
    let Some(service) = engine.registry.service::<ArrivalService>().filter(|_| !moving.is_empty()) else { return Ok(()) };
    for port in some(engine, cx, "ports", moving, &["device_id", "device_owner"]).await?.values() {
        service.0.plugged(port);
    }
    Ok(())
}

async fn set_down(engine: &Engine, cx: &Context, devices: &[Device], host: Option<&str>) -> Result<Vec<Value>> {
    let (ids, ports) = look(engine, devices, host).await?;
    let mut falling = Vec::new();
    for port in ports.values().filter(|port| port.here && port.status != "DOWN") {
        if port.is_distributed() {
            update_port_status(engine, cx, &port.id, "DOWN", host).await?;
        } else {
            falling.push(port.id.as_str());
        }
    }
    let told = update_statuses(engine, cx, &falling, "DOWN").await?;
    let wired = ports.values().filter(|port| !port.is_distributed());
    tell(engine, cx, wired, host, Kind { up: false, refresh: false, told: &told }).await;
    let answer = |(device, id): (&Device, &Option<String>)| {
        // A port that is not there is not bound to the host, and of those an agent hears no more than of others.
        let exists = host.is_some() || id.as_ref().is_some_and(|id| ports.contains_key(id));
        json!({"device": device.name, "exists": exists})
    };
    Ok(devices.iter().zip(&ids).map(answer).collect())
}

struct Kind<'a> {
    up: bool,
    refresh: bool,
    /// Ports whose change of status drivers have heard of.
    told: &'a [String],
}

async fn tell(engine: &Engine, cx: &Context, ports: impl Iterator<Item = &Port>, host: Option<&str>, kind: Kind<'_>) {
    let ids: Vec<&str> = ports.map(|port| port.id.as_str()).collect();
    let told: HashSet<&str> = kind.told.iter().map(String::as_str).collect();
    if let (Some(host), false) = (host, ids.is_empty()) {
        manager(engine).wired(engine, cx, &Wiring { host, ports: &ids, up: kind.up, refresh: kind.refresh, told: &told }).await;
    }
}

/// The ids of the devices, and the ports that there are. At most three statements.
async fn look(engine: &Engine, devices: &[Device], host: Option<&str>) -> Result<(Vec<Option<String>>, HashMap<String, Port>)> {
    if devices.is_empty() {
        return Ok((Vec::new(), HashMap::new()));
    }
    let mut tx = engine.db.reader().await?;
    let ids = resolve(&mut tx, devices).await?;
    let known: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
    let mut ports = HashMap::with_capacity(known.len());
    if known.is_empty() {
        return Ok((ids, ports));
    }
    let mut sql = Sql::raw(
        "SELECT p.id, p.device_owner, p.status, b.host, \
         EXISTS (SELECT 1 FROM provisioningblocks k WHERE k.standard_attr_id = p.standard_attr_id AND k.entity = 'L2') \
         FROM ports p LEFT JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "p.id", known));
    for row in tx.select(sql).await? {
        let (id, owner, bound) = (row.text(0)?, row.text(1)?, row.opt_text(3)?);
        let here = owner != DVR_INTERFACE && host.is_none_or(|host| bound.as_deref() == Some(host));
        ports.insert(id.clone(), Port { id, owner, status: row.text(2)?, blocked: row.bool(4)?, here });
    }
    if let Some(host) = host {
        look_at_distributed(&mut tx, &mut ports, host).await?;
    }
    Ok((ids, ports))
}

async fn look_at_distributed(tx: &mut Tx, ports: &mut HashMap<String, Port>, host: &str) -> Result<()> {
    let distributed: Vec<&str> = ports.values().filter(|port| port.is_distributed()).map(|port| port.id.as_str()).collect();
    if distributed.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("SELECT port_id, status FROM ml2_distributed_port_bindings WHERE host = ? AND ", args![host]);
    sql.append(Sql::in_texts(tx.dialect(), "port_id", distributed));
    for row in tx.select(sql).await? {
        if let Some(port) = ports.get_mut(&row.text(0)?) {
            port.status = row.text(1)?;
            port.here = true;
        }
    }
    Ok(())
}
