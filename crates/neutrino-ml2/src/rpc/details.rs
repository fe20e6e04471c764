// SPDX-License-Identifier: Apache-2.0
//! What an agent must know to wire a device: the port, its network and the segment that it is bound to.
//!
//! Asking is the first sign that a device is being wired: its port becomes BUILD, or DOWN if it is administratively so. A port that is not
//! bound yet is tried again.

use std::collections::HashMap;

use neutrino_core::{
    Context, Engine,
    rpc::{self, Args},
};
use neutrino_db::{Sql, args};
use neutrino_model::Record;
use neutrino_types::{Result, error::kinds};
use serde_json::{Value, json};

use super::{
    devices::{Device, resolve},
    host, list as list_of,
    load::{dict, some, whole},
};
use crate::mech::{
    bind::bind_if_needed,
    distributed::update_distributed_port_binding,
    portbindings::DVR_INTERFACE,
    status::{update_port_status, update_statuses},
};

const FIELDS: [&str; 15] = [
    "network_id",
    "mac_address",
    "admin_state_up",
    "status",
    "device_owner",
    "device_id",
    "fixed_ips",
    "allowed_address_pairs",
    "port_security_enabled",
    "qos_policy_id",
    "binding:host_id",
    "binding:vif_type",
    "binding:profile",
    "propagate_uplink_status",
    "trusted",
];

/// A port as one host sees it.
struct Seen {
    port: Record,
    /// Where it is bound: of a distributed port, the asking host if it is bound there.
    host: Option<String>,
    unbound: bool,
    segment: Option<Segment>,
}

struct Segment {
    network_type: String,
    segmentation_id: Option<i64>,
    physical_network: Option<String>,
}

impl Seen {
    fn is_distributed(&self) -> bool {
        self.port.str("device_owner") == DVR_INTERFACE
    }
}

/// `get_device_details`.
pub async fn one(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let named =
        args.get("device").or_else(|| args.get("network")).ok_or_else(|| kinds::INVALID_INPUT.error("The call names no device."))?;
    let mut entries = describe(engine, &cx.elevated(), std::slice::from_ref(named), host(args)).await?;
    Ok(entries.pop().unwrap_or_default())
}

/// `get_devices_details_list`.
pub async fn list(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    describe(engine, &cx.elevated(), list_of(args, "devices")?, host(args)).await.map(Value::from)
}

/// `get_devices_details_list_and_failed_devices`.
pub async fn list_and_failed(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let named = list_of(args, "devices")?;
    match describe(engine, &cx.elevated(), named, host(args)).await {
        Ok(devices) => Ok(json!({"devices": devices, "failed_devices": []})),
        Err(error) if error.status() < 500 => Err(error),
        Err(error) => {
            tracing::error!(error = %error, log = error.log().unwrap_or_default(), "the details of devices could not be had; the agent asks again");
            Ok(json!({"devices": [], "failed_devices": named}))
        }
    }
}

/// `get_network_details`.
pub async fn network(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let id = rpc::text(args, "network")?;
    dict(&engine.original(&cx.elevated(), "networks", None, id).await?)
}

/// `get_ports_by_vnic_type_and_host`.
pub async fn ports_on_host(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let (vnic_type, host) = (rpc::text(args, "vnic_type")?, rpc::text(args, "host")?);
    let text = "SELECT port_id FROM ml2_port_bindings WHERE vnic_type = ? AND host = ? ORDER BY port_id";
    let rows = engine.db.reader().await?.query(text, args![vnic_type, host]).await?;
    let ids: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    let ports = whole(engine, &cx.elevated(), "ports", ids.iter().map(String::as_str)).await?;
    ids.iter().filter_map(|id| ports.get(id)).map(dict).collect()
}

async fn describe(engine: &Engine, cx: &Context, named: &[Value], host: Option<&str>) -> Result<Vec<Value>> {
    let devices = Device::all(named)?;
    let ids = resolve(&mut engine.db.reader().await?, &devices).await?;
    let known: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
    let mut seen = look(engine, cx, &known, host).await?;
    if bind_waiting(engine, cx, &seen, host).await? {
        seen = look(engine, cx, &known, host).await?;
    }
    let networks = seen.values().map(|seen| seen.port.str("network_id"));
    let networks = some(engine, cx, "networks", networks, &["mtu", "qos_policy_id"]).await?;
    let mut entries = Vec::with_capacity(devices.len());
    let mut wired = Vec::new();
    for (device, id) in devices.iter().zip(&ids) {
        let seen = id.as_ref().and_then(|id| seen.get(id));
        let entry = match seen {
            Some(seen) => entry(&device.name, seen, networks.get(seen.port.str("network_id")), host),
            None => json!({"device": device.name}),
        };
        if let Some(seen) = seen.filter(|_| entry.get("network_id").is_some()) {
            wired.push(seen);
        }
        entries.push(entry);
    }
    begin(engine, cx, &wired, host).await?;
    Ok(entries)
}

/// Looks at ports from a host. At most three statements beside those of the ports' attributes.
async fn look(engine: &Engine, cx: &Context, ids: &[&str], host: Option<&str>) -> Result<HashMap<String, Seen>> {
    let ports = some(engine, cx, "ports", ids.iter().copied(), &FIELDS).await?;
    if ports.is_empty() {
        return Ok(HashMap::new());
    }
    let mut tx = engine.db.reader().await?;
    let distributed: Vec<&str> = ports.values().filter(|port| port.str("device_owner") == DVR_INTERFACE).map(Record::id).collect();
    let mut there = HashMap::new();
    if let (Some(host), false) = (host, distributed.is_empty()) {
        let mut sql = Sql::new("SELECT port_id, vif_type, status FROM ml2_distributed_port_bindings WHERE host = ? AND ", args![host]);
        sql.append(Sql::in_texts(tx.dialect(), "port_id", distributed));
        for row in tx.select(sql).await? {
            there.insert(row.text(0)?, (row.text(1)?, row.text(2)?));
        }
    }
    let mut sql = Sql::raw(
        "SELECT l.port_id, l.host, s.network_type, s.segmentation_id, s.physical_network FROM ml2_port_binding_levels l \
         JOIN networksegments s ON s.id = l.segment_id WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "l.port_id", ports.keys().map(String::as_str))).push(" ORDER BY l.level");
    let mut segments = HashMap::new();
    for row in tx.select(sql).await? {
        let segment = Segment { network_type: row.text(2)?, segmentation_id: row.opt_int(3)?, physical_network: row.opt_text(4)? };
        segments.insert((row.text(0)?, row.text(1)?), segment);
    }
    let mut seen = HashMap::with_capacity(ports.len());
    for (id, mut port) in ports {
        let (bound, vif_type) = if port.str("device_owner") == DVR_INTERFACE {
            // One that is not bound on this host is none of its ports.
            let Some((vif_type, status)) = there.remove(&id) else { continue };
            port.set("status", status);
            (host.map(str::to_owned), vif_type)
        } else {
            (port.opt_str("binding:host_id").map(str::to_owned), port.str("binding:vif_type").to_owned())
        };
        let bound = bound.filter(|host| !host.is_empty());
        let segment = bound.as_ref().and_then(|host| segments.remove(&(id.clone(), host.clone())));
        let unbound = bound.is_some() && matches!(vif_type.as_str(), "unbound" | "binding_failed");
        seen.insert(id, Seen { port, host: bound, unbound, segment });
    }
    Ok(seen)
}

/// Tries to bind the ports that wait for it; whether any changed.
async fn bind_waiting(engine: &Engine, cx: &Context, seen: &HashMap<String, Seen>, host: Option<&str>) -> Result<bool> {
    let mut changed = false;
    for (id, seen) in seen.iter().filter(|(_, seen)| seen.unbound) {
        changed |= match (seen.is_distributed(), host) {
            (true, Some(host)) => update_distributed_port_binding(engine, cx, id, host, seen.port.str("device_id")).await?,
            (true, None) => false,
            (false, _) => match engine.original(cx, "ports", None, id).await {
                Ok(port) => bind_if_needed(engine, cx, port, 1).await?,
                Err(_) => false,
            },
        };
    }
    Ok(changed)
}

/// What is said of one device.
fn entry(device: &str, seen: &Seen, network: Option<&Record>, host: Option<&str>) -> Value {
    let port = &seen.port;
    let (Some(segment), Some(network)) = (&seen.segment, network) else {
        tracing::warn!(device, network = port.str("network_id"), "an agent asks about a device whose port is not bound");
        return json!({"device": device});
    };
    if port.str("device_owner").starts_with("compute:") && seen.host.as_deref() != host {
        return json!({"device": device, "no_active_binding": true});
    }
    json!({
        "device": device,
        "network_id": port.str("network_id"),
        "port_id": port.id(),
        "mac_address": port.str("mac_address"),
        "admin_state_up": port.bool("admin_state_up"),
        "network_type": segment.network_type,
        "segmentation_id": segment.segmentation_id,
        "physical_network": segment.physical_network,
        "mtu": network.get("mtu"),
        "fixed_ips": port.list("fixed_ips"),
        "device_owner": port.str("device_owner"),
        "allowed_address_pairs": port.list("allowed_address_pairs"),
        "port_security_enabled": port.get("port_security_enabled").as_bool().unwrap_or(true),
        "qos_policy_id": port.get("qos_policy_id"),
        "qos_network_policy_id": network.get("qos_policy_id"),
        "profile": port.get("binding:profile"),
        "propagate_uplink_status": port.bool("propagate_uplink_status"),
    })
}

/// The agent begins to wire these ports.
async fn begin(engine: &Engine, cx: &Context, wired: &[&Seen], host: Option<&str>) -> Result<()> {
    let (mut build, mut down) = (Vec::new(), Vec::new());
    for seen in wired.iter().filter(|seen| host.is_none() || host == seen.host.as_deref()) {
        let (status, list) = if seen.port.bool("admin_state_up") { ("BUILD", &mut build) } else { ("DOWN", &mut down) };
        if seen.port.str("status") == status {
            continue;
        }
        if seen.is_distributed() {
            update_port_status(engine, cx, seen.port.id(), status, host).await?;
        } else {
            list.push(seen.port.id());
        }
    }
    update_statuses(engine, cx, &build, "BUILD").await?;
    update_statuses(engine, cx, &down, "DOWN").await?;
    Ok(())
}
