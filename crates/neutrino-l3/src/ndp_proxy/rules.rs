// SPDX-License-Identifier: Apache-2.0
//! The rules of NDP proxies. Only their name and description change.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result, error::kinds, ip::Ip};

use super::{DUPLICATE, ENABLE, INVALID_ADDRESS, NOT_ENABLED, SCOPE_CONFLICT, UNREACHABLE};
use crate::{floating_ips::fixed_ips, routers::ROUTER_NOT_FOUND};

pub(super) struct NdpProxies;

/// The addresses of IPv6 among `fixed_ips`, with their subnets.
pub(super) fn addresses(port: &Record) -> Vec<(String, Ip)> {
    fixed_ips(port).filter(|(_, address)| address.is_v6()).collect()
}

fn unreachable(port_id: &str, router_id: &str) -> Error {
    UNREACHABLE.error(format!("Port {port_id} cannot reach router {router_id} by an IPv6 subnet."))
}

#[async_trait]
impl Behaviour for NdpProxies {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        let name = |name: &str| body.str(name).unwrap_or_default().to_owned();
        let (port_id, router_id) = (name("port_id"), name("router_id"));
        let port = engine.original(cx, "ports", None, &port_id).await?;
        // As in Neutron, a router without a port on the network is told from one that the caller does not see only afterwards.
        let sql = "SELECT count(*) FROM ports WHERE device_id = ? AND network_id = ?";
        if engine.db.reader().await?.count(sql, args![&router_id, port.str("network_id")]).await? == 0 {
            return Err(unreachable(&port_id, &router_id));
        }
        engine.original(cx, "routers", None, &router_id).await.map(drop)
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let name = |name: &str| body.str(name).unwrap_or_default().to_owned();
        let (port_id, router_id) = (name("port_id"), name("router_id"));
        op.lock("ports", &port_id).await?;
        let missing = || ROUTER_NOT_FOUND.error(format!("Router {router_id} could not be found."));
        op.lock("routers", &router_id).await?.ok_or_else(missing)?;
        let port = op.find("ports", &port_id).await?;
        let inside = subnets_of(op, &router_id, port.str("network_id")).await?;
        let router = op.find("routers", &router_id).await?;
        let gateway = router.get("external_gateway_info")["network_id"].as_str();
        let Some(gateway) = gateway.filter(|_| router.bool(ENABLE)) else {
            return Err(NOT_ENABLED.error(format!("Router {router_id} is no NDP proxy: set its {ENABLE} to true first.")));
        };
        let address = choose(body.str("ip_address"), &port, &inside, &router_id)?;
        ensure_same_scope(op, gateway, port.str("network_id")).await?;
        body.set("ip_address", address.to_string());
        op.insert(id, body, &[]).await.map_err(|error| match error.is_duplicate("") {
            true => DUPLICATE.error(format!("Router {router_id} is a proxy for {address} already.")),
            false => error,
        })
    }
}

/// The subnets of a network on which the router has IPv6 addresses.
async fn subnets_of(op: &mut Op<'_>, router_id: &str, network_id: &str) -> Result<Vec<String>> {
    let sql = "SELECT a.subnet_id FROM ports p JOIN ipallocations a ON a.port_id = p.id JOIN subnets s ON s.id = a.subnet_id \
               WHERE p.device_id = ? AND p.network_id = ? AND s.ip_version = 6";
    op.tx.query(sql, args![router_id, network_id]).await?.iter().map(|row| row.text(0)).collect()
}

/// The address that is meant: the named one, or the first that the router reaches.
fn choose(asked: Option<&str>, port: &Record, inside: &[String], router_id: &str) -> Result<Ip> {
    let held = addresses(port);
    if held.is_empty() {
        return Err(kinds::BAD_REQUEST_PLUGIN.error(format!("Bad ndp_proxy request: port {} must have an IPv6 address.", port.id())));
    }
    let Some(text) = asked else {
        let reached = held.into_iter().find(|(subnet, _)| inside.contains(subnet));
        return reached.map(|(_, address)| address).ok_or_else(|| unreachable(port.id(), router_id));
    };
    let invalid = |reason: String| INVALID_ADDRESS.error(format!("The address {text} is invalid: {reason}."));
    let address: Option<Ip> = text.parse().ok();
    match held.into_iter().find(|(_, known)| Some(*known) == address) {
        None => Err(invalid(format!("it is not one of port {}", port.id()))),
        Some((subnet, _)) if !inside.contains(&subnet) => Err(invalid(format!("it cannot reach router {router_id}"))),
        Some((_, address)) => Ok(address),
    }
}

async fn ensure_same_scope(op: &mut Op<'_>, outside: &str, inside: &str) -> Result<()> {
    let networks = op.load("networks", &[outside, inside]).await?;
    let scope = |id: &str| networks.iter().find(|network| network.id() == id).and_then(|network| network.opt_str("ipv6_address_scope"));
    let (out, within) = (scope(outside), scope(inside));
    if out == within {
        return Ok(());
    }
    let named = |scope: Option<&str>| scope.unwrap_or("none").to_owned();
    Err(SCOPE_CONFLICT.error(format!(
        "The IPv6 address scope of the external network ({}) is not that of the internal network ({}).",
        named(out),
        named(within)
    )))
}
