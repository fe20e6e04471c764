// SPDX-License-Identifier: Apache-2.0
//! `external_gateway_info`: the port that leads out, the first of the router's gateways.
//!
//! Rules: the network is external and in the caller's sight; the gateway's address is not the subnet's own gateway; a gateway that
//! floating IPs need stays; routes still have their next hops afterwards; while a router has gateways, one of them is the first.

use neutrino_core::{Context, Engine, Op};
use neutrino_db::args;
use neutrino_types::{Result, ip::Ip};
use serde_json::{Value, json};

use super::{
    GATEWAY, attached, dvr,
    errors::{GATEWAY_IN_USE_BY_FLOATING_IP, bad},
    ports, routes,
};

pub(crate) const INFO: &str = "external_gateway_info";

/// What a request asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub network_id: Option<String>,
    pub enable_snat: Option<bool>,
    pub fixed_ips: Vec<Value>,
}

impl Wanted {
    pub fn read(info: &Value) -> Self {
        Self {
            network_id: info["network_id"].as_str().map(str::to_owned),
            enable_snat: info["enable_snat"].as_bool(),
            fixed_ips: info["external_fixed_ips"].as_array().cloned().unwrap_or_default(),
        }
    }

    /// The different values of a key of the addresses, in order.
    pub fn values(&self, key: &str) -> Vec<&str> {
        let mut values: Vec<&str> = self.fixed_ips.iter().filter_map(|entry| entry[key].as_str()).collect();
        values.sort_unstable();
        values.dedup();
        values
    }

    /// Refuses a network that the caller does not see: 404.
    pub async fn ensure_visible(&self, engine: &Engine, cx: &Context) -> Result<()> {
        if let Some(network_id) = &self.network_id {
            engine.original(cx, "networks", None, network_id).await?;
        }
        Ok(())
    }
}

/// A gateway as it is.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub port_id: String,
    pub network_id: String,
    pub addresses: Vec<(String, Ip)>,
    /// It is the one that `external_gateway_info` shows.
    pub is_first: bool,
}

/// The router's gateways, the first before the others, these by age.
pub(crate) async fn all(op: &mut Op<'_>, router_id: &str) -> Result<Vec<Gateway>> {
    let sql = "SELECT p.id, p.network_id, CASE WHEN p.id = r.gw_port_id THEN 1 ELSE 0 END, a.subnet_id, a.ip_address FROM routers r \
               JOIN routerports rp ON rp.router_id = r.id AND rp.port_type = ? JOIN ports p ON p.id = rp.port_id \
               LEFT JOIN ipallocations a ON a.port_id = p.id WHERE r.id = ? ORDER BY 3 DESC, p.standard_attr_id, a.ip_address";
    let mut found: Vec<Gateway> = Vec::new();
    for row in op.tx.query(sql, args![GATEWAY, router_id]).await? {
        let port_id = row.text(0)?;
        if found.last().is_none_or(|last| last.port_id != port_id) {
            let (network_id, is_first) = (row.text(1)?, row.int(2)? == 1);
            found.push(Gateway { port_id, network_id, addresses: Vec::new(), is_first });
        }
        if let (Some(subnet), Some(Ok(address)), Some(gateway)) =
            (row.opt_text(3)?, row.opt_text(4)?.map(|text| text.parse()), found.last_mut())
        {
            gateway.addresses.push((subnet, address));
        }
    }
    Ok(found)
}

/// Brings the first gateway in line with the request. Whether anything changed.
pub(crate) async fn apply(op: &mut Op<'_>, router_id: &str, wanted: &Wanted, snat_by_default: bool) -> Result<bool> {
    let current = all(op, router_id).await?.into_iter().find(|gateway| gateway.is_first);
    ensure_fits(op, router_id, wanted, current.as_ref()).await?;
    let snat = wanted.enable_snat.unwrap_or(snat_by_default);
    let sql = "UPDATE routers SET enable_snat = ? WHERE id = ? AND enable_snat <> ?";
    let mut changed = op.tx.execute(sql, args![snat, router_id, snat]).await? > 0;
    match (&current, &wanted.network_id) {
        (Some(current), Some(network)) if current.network_id == *network => {
            if differs(current, wanted) {
                ports::update(op, &current.port_id, json!({"fixed_ips": wanted.fixed_ips})).await?;
                changed = true;
            }
        }
        (None, None) => {}
        _ => {
            if let Some(current) = &current {
                clear(op, router_id, current).await?;
            }
            match &wanted.network_id {
                Some(network) => {
                    let port_id = plug(op, router_id, network, wanted).await?;
                    make_first(op, router_id, &port_id).await?;
                }
                None => promote(op, router_id).await?,
            }
            dvr::align(op, router_id).await?;
            changed = true;
        }
    }
    Ok(changed)
}

/// One more gateway, beside the first.
pub(crate) async fn add(op: &mut Op<'_>, router_id: &str, wanted: &Wanted) -> Result<()> {
    ensure_fits(op, router_id, wanted, None).await?;
    if let Some(network) = &wanted.network_id {
        plug(op, router_id, network, wanted).await?;
    }
    Ok(())
}

fn differs(current: &Gateway, wanted: &Wanted) -> bool {
    if wanted.fixed_ips.is_empty() {
        return false;
    }
    let mut subnets: Vec<&str> = current.addresses.iter().map(|(subnet, _)| subnet.as_str()).collect();
    subnets.sort_unstable();
    subnets.dedup();
    let mut held: Vec<String> = current.addresses.iter().map(|(_, address)| address.to_string()).collect();
    held.sort_unstable();
    // An address may be asked for without its subnet, and a subnet without an address.
    let (asked_subnets, asked) = (wanted.values("subnet_id"), wanted.values("ip_address"));
    asked_subnets != subnets || asked != held.iter().map(String::as_str).collect::<Vec<_>>()
}

/// May a gateway be as the request wants it? `replaced`: the one whose place it takes.
pub(crate) async fn ensure_fits(op: &mut Op<'_>, router_id: &str, wanted: &Wanted, replaced: Option<&Gateway>) -> Result<()> {
    let mut outside = Vec::new();
    if let Some(network_id) = &wanted.network_id {
        ensure_external(op, network_id).await?;
        outside = attached::subnets_of(op, network_id).await?;
        for text in wanted.values("ip_address") {
            let address: Option<Ip> = text.parse().ok();
            if address.is_some() && outside.iter().any(|subnet| subnet.gateway == address) {
                return Err(bad(format!("the external IP {text} is the same as the gateway IP")));
            }
        }
    }
    let kept = routes::of(op, router_id).await?;
    if kept.is_empty() {
        return Ok(());
    }
    let mut places = routes::Places::without(op, router_id, replaced.map(|gateway| gateway.port_id.as_str())).await?;
    places.cidrs.extend(outside.iter().map(|subnet| subnet.cidr));
    places.check(&kept)
}

/// Takes the first gateway away.
async fn clear(op: &mut Op<'_>, router_id: &str, current: &Gateway) -> Result<()> {
    if op.tx.count("SELECT count(*) FROM floatingips WHERE router_id = ?", args![router_id]).await? > 0 {
        return Err(in_use(router_id, &current.network_id));
    }
    op.tx.execute("UPDATE routers SET gw_port_id = NULL WHERE id = ?", args![router_id]).await?;
    ports::delete(op, &current.port_id).await
}

pub(crate) fn in_use(router_id: &str, network_id: &str) -> neutrino_types::Error {
    GATEWAY_IN_USE_BY_FLOATING_IP.error(format!(
        "Gateway of router {router_id} to network {network_id} cannot be changed: floating IPs need it. Disassociate them first."
    ))
}

async fn ensure_external(op: &mut Op<'_>, network_id: &str) -> Result<()> {
    if op.tx.count("SELECT count(*) FROM externalnetworks WHERE network_id = ?", args![network_id]).await? == 0 {
        return Err(bad(format!("network {network_id} is not an external network")));
    }
    Ok(())
}

async fn plug(op: &mut Op<'_>, router_id: &str, network_id: &str, wanted: &Wanted) -> Result<String> {
    // Who makes the network internal looks for gateways with the same claim; what held before it may hold no longer.
    op.lock("networks", network_id).await?;
    ensure_external(op, network_id).await?;
    let (outside, ports_now) = (attached::subnets_of(op, network_id).await?, attached::ports(op, router_id).await?);
    attached::ensure_apart(op, &ports_now, &outside, attached::As::Gateway).await?;
    let fixed_ips = (!wanted.fixed_ips.is_empty()).then(|| Value::from(wanted.fixed_ips.clone()));
    // The port belongs to no project: who owns the router does not own an address outside.
    ports::create(op, router_id, GATEWAY, "", network_id, fixed_ips).await
}

pub(crate) async fn make_first(op: &mut Op<'_>, router_id: &str, port_id: &str) -> Result<()> {
    op.tx.execute("UPDATE routers SET gw_port_id = ? WHERE id = ?", args![port_id, router_id]).await?;
    Ok(())
}

/// Another gateway takes the place of the first that is gone.
async fn promote(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    match all(op, router_id).await?.first() {
        Some(next) if !next.is_first => make_first(op, router_id, &next.port_id).await,
        _ => Ok(()),
    }
}

/// The gateways go with their router.
pub(crate) async fn remove(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    match all(op, router_id).await?.first() {
        Some(first) => clear(op, router_id, first).await,
        None => Ok(()),
    }
}
