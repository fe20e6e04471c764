// SPDX-License-Identifier: Apache-2.0
//! `enable_ndp_proxy` of routers.
//!
//! Rules: only a router whose gateway has an IPv6 address on a network with an IPv6 address scope can be a proxy. Without a word in the
//! request, a router becomes what the operator's default says when it gets such a gateway, and stays what it is otherwise. Whoever
//! loses its gateway is no proxy any more, which is refused while there are proxies.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result};

use super::{ENABLE, GATEWAY_IN_USE, GATEWAY_NOT_VALID, IPV6_GATEWAY_IN_USE};

const GATEWAY_INFO: &str = "external_gateway_info";

pub(super) struct Routers {
    /// `enable_ndp_proxy_by_default`.
    pub by_default: bool,
}

/// The network of the gateway, and whether its port can serve a proxy.
struct Gateway {
    network_id: String,
    serves: bool,
}

async fn gateway(op: &mut Op<'_>, router_id: &str) -> Result<Option<Gateway>> {
    let sql = "SELECT p.network_id, \
               CASE WHEN EXISTS (SELECT 1 FROM ipallocations a JOIN subnets s ON s.id = a.subnet_id \
               WHERE a.port_id = p.id AND s.ip_version = 6) \
               AND EXISTS (SELECT 1 FROM subnets s JOIN subnetpools o ON o.id = s.subnetpool_id \
               WHERE s.network_id = p.network_id AND s.ip_version = 6 AND o.address_scope_id IS NOT NULL) THEN 1 ELSE 0 END \
               FROM routers r JOIN ports p ON p.id = r.gw_port_id WHERE r.id = ?";
    let row = op.tx.query_one(sql, args![router_id]).await?;
    row.map(|row| Ok(Gateway { network_id: row.text(0)?, serves: row.int(1)? == 1 })).transpose()
}

async fn stored(op: &mut Op<'_>, router_id: &str) -> Result<Option<bool>> {
    let row = op.tx.query_one("SELECT enable_ndp_proxy FROM router_ndp_proxy_state WHERE router_id = ?", args![router_id]).await?;
    row.map(|row| row.bool(0)).transpose()
}

async fn store(op: &mut Op<'_>, router_id: &str, enabled: bool) -> Result<()> {
    let columns = vec![(ENABLE, enabled.into())];
    if op.update_row("router_ndp_proxy_state", "router_id", router_id, columns).await? == 0 {
        op.insert_row("router_ndp_proxy_state", vec![("router_id", router_id.into()), (ENABLE, enabled.into())]).await?;
    }
    Ok(())
}

fn not_valid(router_id: &str, reason: &str) -> Error {
    GATEWAY_NOT_VALID.error(format!("Cannot enable NDP proxy on router {router_id}: {reason}."))
}

const NO_GATEWAY: &str = "it has no external gateway";
const NO_IPV6: &str = "its external gateway has no IPv6 address, or the external network no IPv6 address scope";

#[async_trait]
impl Hook for Routers {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let asked = body.bool(ENABLE);
        let gateway = match body.get(GATEWAY_INFO).is_some_and(|info| info["network_id"].is_string()) {
            true => gateway(op, id).await?,
            false => None,
        };
        match (gateway, asked) {
            (None, Some(true)) => Err(not_valid(id, NO_GATEWAY)),
            (Some(gateway), Some(true)) if !gateway.serves => Err(not_valid(id, NO_IPV6)),
            (Some(gateway), None) => store(op, id, gateway.serves && self.by_default).await,
            (_, Some(asked)) => store(op, id, asked).await,
            (None, None) => Ok(()),
        }
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let (id, asked) = (original.id(), body.bool(ENABLE));
        if asked.is_none() && !body.names(GATEWAY_INFO) {
            return Ok(());
        }
        let was = original.get(GATEWAY_INFO)["network_id"].as_str();
        let is = gateway(op, id).await?;
        let mut known = stored(op, id).await?;
        if was.is_some() && was != is.as_ref().map(|is| is.network_id.as_str()) {
            ensure_unused(op, id).await?;
            op.tx.execute("DELETE FROM router_ndp_proxy_state WHERE router_id = ?", args![id]).await?;
            known = None;
        }
        let Some(is) = is else {
            return if asked == Some(true) { Err(not_valid(id, NO_GATEWAY)) } else { Ok(()) };
        };
        let enabled = asked.or(known).unwrap_or(is.serves && self.by_default);
        match (enabled && !is.serves, asked) {
            (true, Some(_)) => Err(not_valid(id, NO_IPV6)),
            (true, None) => Err(IPV6_GATEWAY_IN_USE
                .error(format!("The external gateway of router {id} must keep an IPv6 address while the router is an NDP proxy."))),
            (false, _) if known == Some(enabled) => Ok(()),
            (false, _) => store(op, id, enabled).await,
        }
    }
}

async fn ensure_unused(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    let proxies = op.tx.count("SELECT count(*) FROM ndp_proxies WHERE router_id = ?", args![router_id]).await?;
    if proxies == 0 {
        return Ok(());
    }
    Err(GATEWAY_IN_USE.error(format!(
        "Unable to unset or move the external gateway of router {router_id}: {proxies} NDP proxies need it. Delete them first."
    )))
}
