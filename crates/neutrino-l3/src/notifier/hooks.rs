// SPDX-License-Identifier: Apache-2.0
//! Changes of others that agents hear of as changes of their routers.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use super::{distributed, fip_namespace_deleted, routers_updated, routers_updated_on_host, tell};
use crate::{
    routers::{CENTRALIZED_SNAT, GATEWAY, HA_INTERFACE, HA_NETWORK_PORT},
    rpc::gateways,
};

/// A distributed router that led to this network does so no more: where none does, floating IPs need no gateways there.
///
/// # Errors
/// The database's.
pub(crate) async fn gateway_left(engine: &Engine, cx: &Context, network_id: &str) -> Result<()> {
    if gateways::forget(engine, cx, network_id).await? {
        fip_namespace_deleted(engine, cx, network_id);
    }
    Ok(())
}

/// Its addresses, in no order.
pub(super) fn addresses(port: &Record) -> BTreeSet<(&str, &str)> {
    port.list("fixed_ips").iter().filter_map(|entry| Some((entry["subnet_id"].as_str()?, entry["ip_address"].as_str()?))).collect()
}

pub struct Ports;

#[async_trait]
impl Hook for Ports {
    async fn after_create(&self, engine: &Engine, cx: &Context, port: &Record) -> Result<()> {
        distributed::port_came(engine, cx, port).await
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, port: &Record) -> Result<()> {
        let owner = original.str("device_owner");
        let moved = addresses(original) != addresses(port);
        if owner == GATEWAY && moved {
            routers_updated(engine, cx, &[port.str("device_id").to_owned()]).await?;
        }
        // What watches over a router's instances is wired: its agent can begin.
        let (host, is_up) = (port.str("binding:host_id"), port.str("status") == "ACTIVE" && original.str("status") != "ACTIVE");
        if port.str("device_owner") == HA_NETWORK_PORT && is_up && !host.is_empty() {
            routers_updated_on_host(engine, cx, &BTreeSet::from([port.str("device_id").to_owned()]), host);
        }
        if !moved && [HA_INTERFACE, CENTRALIZED_SNAT, GATEWAY].contains(&owner) {
            return Ok(());
        }
        distributed::port_changed(engine, cx, original, port).await
    }

    async fn after_delete(&self, engine: &Engine, cx: &Context, port: &Record) -> Result<()> {
        distributed::port_went(engine, cx, port).await
    }
}

pub struct Subnets;

#[async_trait]
impl Hook for Subnets {
    /// Routers that lead to the subnet send what they do not know to its gateway.
    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, subnet: &Record) -> Result<()> {
        if original.get("gateway_ip") == subnet.get("gateway_ip") {
            return Ok(());
        }
        let sql = "SELECT DISTINCT p.device_id FROM ports p JOIN ipallocations a ON a.port_id = p.id \
                   WHERE a.subnet_id = ? AND p.device_owner = ? ORDER BY p.device_id";
        let rows = engine.db.reader().await?.query(sql, args![subnet.id(), GATEWAY]).await?;
        let routers: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        routers_updated(engine, cx, &routers).await
    }
}

pub struct SubnetPools;

#[async_trait]
impl Hook for SubnetPools {
    /// Routers translate addresses between scopes, and not within one.
    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, pool: &Record) -> Result<()> {
        if original.get("address_scope_id") == pool.get("address_scope_id") {
            return Ok(());
        }
        let sql = "SELECT DISTINCT r.router_id FROM routerports r JOIN ipallocations a ON a.port_id = r.port_id \
                   JOIN subnets s ON s.id = a.subnet_id WHERE s.subnetpool_id = ? ORDER BY r.router_id";
        let rows = engine.db.reader().await?.query(sql, args![pool.id()]).await?;
        let routers: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        tell(engine, cx, &routers).await
    }
}

pub struct Networks;

#[async_trait]
impl Hook for Networks {
    async fn after_delete(&self, engine: &Engine, cx: &Context, network: &Record) -> Result<()> {
        if network.bool("router:external") {
            fip_namespace_deleted(engine, cx, network.id());
        }
        Ok(())
    }
}
