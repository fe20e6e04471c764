// SPDX-License-Identifier: Apache-2.0
//! `external_gateway_info`: the port that leads out.
//!
//! Rules: the network is external and in the caller's sight; the gateway's address is not the subnet's own gateway; a gateway that
//! floating IPs need stays; routes still have their next hops afterwards.

use neutrino_core::{Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::Body;
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
    /// `None` when the request does not speak of the gateway.
    pub fn of(body: &Body) -> Option<Self> {
        let info = body.get(INFO)?;
        Some(Self {
            network_id: info["network_id"].as_str().map(str::to_owned),
            enable_snat: info["enable_snat"].as_bool(),
            fixed_ips: info["external_fixed_ips"].as_array().cloned().unwrap_or_default(),
        })
    }

    fn values(&self, key: &str) -> Vec<&str> {
        let mut values: Vec<&str> = self.fixed_ips.iter().filter_map(|entry| entry[key].as_str()).collect();
        values.sort_unstable();
        values.dedup();
        values
    }
}

/// Refuses a network that the caller does not see: 404.
pub(crate) async fn ensure_visible(engine: &Engine, cx: &Context, body: &Body) -> Result<()> {
    if let Some(network_id) = Wanted::of(body).and_then(|wanted| wanted.network_id) {
        engine.original(cx, "networks", None, &network_id).await?;
    }
    Ok(())
}

/// The gateway's port as it is.
struct Current {
    port_id: String,
    network_id: String,
    addresses: Vec<(String, Ip)>,
}

async fn current(op: &mut Op<'_>, router_id: &str) -> Result<Option<Current>> {
    let sql = "SELECT p.id, p.network_id, a.subnet_id, a.ip_address FROM routers r JOIN ports p ON p.id = r.gw_port_id \
               LEFT JOIN ipallocations a ON a.port_id = p.id WHERE r.id = ? ORDER BY a.ip_address";
    let mut found: Option<Current> = None;
    for row in op.tx.query(sql, args![router_id]).await? {
        let (port_id, network_id) = (row.text(0)?, row.text(1)?);
        let current = found.get_or_insert_with(|| Current { port_id, network_id, addresses: Vec::new() });
        if let (Some(subnet), Some(Ok(address))) = (row.opt_text(2)?, row.opt_text(3)?.map(|text| text.parse())) {
            current.addresses.push((subnet, address));
        }
    }
    Ok(found)
}

/// Brings the gateway in line with the request. Whether anything changed.
pub(crate) async fn apply(op: &mut Op<'_>, router_id: &str, wanted: &Wanted, snat_by_default: bool) -> Result<bool> {
    let current = current(op, router_id).await?;
    ensure_fits(op, router_id, wanted).await?;
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
            if let Some(network) = &wanted.network_id {
                set(op, router_id, network, wanted).await?;
            }
            dvr::align(op, router_id).await?;
            changed = true;
        }
    }
    Ok(changed)
}

fn differs(current: &Current, wanted: &Wanted) -> bool {
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

async fn ensure_fits(op: &mut Op<'_>, router_id: &str, wanted: &Wanted) -> Result<()> {
    let mut outside = Vec::new();
    if let Some(network_id) = &wanted.network_id {
        if op.tx.count("SELECT count(*) FROM externalnetworks WHERE network_id = ?", args![network_id]).await? == 0 {
            return Err(bad(format!("network {network_id} is not an external network")));
        }
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
    let mut places = routes::Places::of_interfaces(op, router_id).await?;
    places.cidrs.extend(outside.iter().map(|subnet| subnet.cidr));
    places.check(&kept)
}

/// Takes the gateway away.
async fn clear(op: &mut Op<'_>, router_id: &str, current: &Current) -> Result<()> {
    if op.tx.count("SELECT count(*) FROM floatingips WHERE router_id = ?", args![router_id]).await? > 0 {
        return Err(GATEWAY_IN_USE_BY_FLOATING_IP.error(format!(
            "Gateway of router {router_id} to network {} cannot be changed: floating IPs need it. Disassociate them first.",
            current.network_id
        )));
    }
    op.tx.execute("UPDATE routers SET gw_port_id = NULL WHERE id = ?", args![router_id]).await?;
    ports::delete(op, &current.port_id).await
}

async fn set(op: &mut Op<'_>, router_id: &str, network_id: &str, wanted: &Wanted) -> Result<()> {
    let (outside, ports_now) = (attached::subnets_of(op, network_id).await?, attached::ports(op, router_id).await?);
    attached::ensure_apart(op, &ports_now, &outside, None).await?;
    let fixed_ips = (!wanted.fixed_ips.is_empty()).then(|| Value::from(wanted.fixed_ips.clone()));
    // The port belongs to no project: who owns the router does not own an address outside.
    let port_id = ports::create(op, router_id, GATEWAY, "", network_id, fixed_ips).await?;
    op.tx.execute("UPDATE routers SET gw_port_id = ? WHERE id = ?", args![&port_id, router_id]).await?;
    Ok(())
}

/// The gateway goes with its router.
pub(crate) async fn remove(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    match current(op, router_id).await? {
        Some(current) => clear(op, router_id, &current).await,
        None => Ok(()),
    }
}
