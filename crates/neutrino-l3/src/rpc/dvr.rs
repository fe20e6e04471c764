// SPDX-License-Identifier: Apache-2.0
//! What OVS agents ask for distributed routers: the MAC addresses of hosts, and what is on a subnet.

use neutrino_core::{
    Context, Engine, listing,
    rpc::{Args, cast, text as argument},
};
use neutrino_db::args;
use neutrino_types::Result;
use serde_json::{Map, Value, json};

use super::plain;
use crate::{dvr_macs, notifier::dvr_macs_changed, spread};

fn shown(host: &str, mac: neutrino_types::mac::Mac) -> Value {
    json!({"host": host, "mac_address": dvr_macs::shown(mac)})
}

/// All hosts with their addresses.
pub async fn mac_addresses(engine: &Engine) -> Result<Value> {
    let all = dvr_macs::all(&mut engine.db.reader().await?).await?;
    Ok(all.into_iter().map(|(host, mac)| shown(&host, mac)).collect())
}

/// The address of a host, made when it has none; then all agents learn of it.
pub async fn mac_address_of_host(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let (cx, host) = (&cx.elevated(), argument(arguments, "host")?);
    if host.is_empty() {
        return Ok(Value::Null);
    }
    if let Some((host, mac)) = dvr_macs::all(&mut engine.db.reader().await?).await?.into_iter().find(|(known, _)| known == host) {
        return Ok(shown(&host, mac));
    }
    let name = host.to_owned();
    let mac = engine
        .transact(cx, "agents", "address of a host", |op| {
            let host = name.clone();
            Box::pin(async move { dvr_macs::of_host(op, &host).await })
        })
        .await?;
    cast(engine, cx, dvr_macs_changed(&dvr_macs::all(&mut engine.db.reader().await?).await?));
    Ok(shown(host, mac))
}

/// The ports on a host and a subnet that distributed routers serve.
pub async fn ports_on_host(engine: &Engine, _cx: &Context, arguments: &Args) -> Result<Value> {
    let (host, subnet) = (argument(arguments, "host")?, argument(arguments, "subnet")?);
    let served = spread::served(engine);
    let sql = format!(
        "SELECT {} FROM ports p WHERE EXISTS (SELECT 1 FROM ml2_port_bindings b WHERE b.port_id = p.id AND b.host = ?) \
         AND EXISTS (SELECT 1 FROM ipallocations a WHERE a.port_id = p.id AND a.subnet_id = ?) ORDER BY p.id",
        plain::PORT
    );
    let rows = engine.db.reader().await?.query(&sql, args![host, subnet]).await?;
    let mut ports = Vec::with_capacity(rows.len());
    for row in &rows {
        if served.owner(&row.opt_text(8)?.unwrap_or_default()) {
            ports.push(plain::port(row)?);
        }
    }
    Ok(ports.into())
}

/// A subnet with the MAC address of the router's port on it: that with the address that is named, or with the gateway's.
pub async fn subnet(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let named = arguments.get("fixed_ips").and_then(Value::as_array).and_then(|ips| ips.first());
    let subnet_id = match named.and_then(|entry| entry["subnet_id"].as_str()) {
        Some(id) => id,
        None => argument(arguments, "subnet")?,
    };
    let nothing = Ok(Value::Object(Map::new()));
    let Ok(record) = engine.original(&cx.elevated(), "subnets", None, subnet_id).await else { return nothing };
    let mut subnet = listing::dict(&record)?;
    let address = named.and_then(|entry| entry["ip_address"].as_str()).unwrap_or_else(|| record.str("gateway_ip"));
    let sql = "SELECT p.mac_address, (SELECT count(*) FROM externalnetworks e WHERE e.network_id = p.network_id) FROM ports p \
               JOIN ipallocations a ON a.port_id = p.id WHERE a.subnet_id = ? AND a.ip_address = ?";
    let Some(row) = engine.db.reader().await?.query_one(sql, args![subnet_id, address]).await? else {
        tracing::error!(subnet_id, address, "no port of a router has the subnet's gateway address");
        return nothing;
    };
    subnet["gateway_mac"] = row.text(0)?.into();
    subnet["router:external"] = (row.int(1)? > 0).into();
    Ok(subnet)
}
