// SPDX-License-Identifier: Apache-2.0
//! Who learns of a floating IP that came, moved or went: the agents of its router; of a distributed one, the agent where its port is, or
//! those of the router's central part when that has no way out or the port is nowhere.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, agents::L3};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::Value;

use super::{routers_updated, routers_updated_on_host};
use crate::{l3_agent_scheduler::Mode, rpc::gateways};

pub struct FloatingIps;

#[async_trait]
impl Hook for FloatingIps {
    async fn after_create(&self, engine: &Engine, cx: &Context, floating_ip: &Record) -> Result<()> {
        changed(engine, cx, floating_ip, true).await
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, floating_ip: &Record) -> Result<()> {
        let leads = |of: &Record| (of.str("router_id").to_owned(), of.str("port_id").to_owned());
        changed(engine, cx, original, false).await?;
        if leads(original) == leads(floating_ip) {
            return Ok(());
        }
        changed(engine, cx, floating_ip, true).await
    }

    async fn after_delete(&self, engine: &Engine, cx: &Context, floating_ip: &Record) -> Result<()> {
        changed(engine, cx, floating_ip, false).await
    }
}

/// Tells those who serve the floating IP, if anybody does. `comes`: its port's host needs a gateway for it from now on.
async fn changed(engine: &Engine, cx: &Context, floating_ip: &Record, comes: bool) -> Result<()> {
    let (router_id, port_id) = (floating_ip.str("router_id"), floating_ip.str("port_id"));
    if router_id.is_empty() || port_id.is_empty() {
        return Ok(());
    }
    let cx = &cx.elevated();
    let sql = "SELECT e.distributed, b.host, b.profile, a.configurations FROM router_extra_attributes e \
               LEFT JOIN ml2_port_bindings b ON b.port_id = ? AND b.status = 'ACTIVE' \
               LEFT JOIN agents a ON a.host = b.host AND a.agent_type = ? WHERE e.router_id = ?";
    let row = engine.db.reader().await?.query_one(sql, args![port_id, L3, router_id]).await?;
    let Some(row) = row.filter(|row| row.opt_int(0).ok().flatten().unwrap_or_default() != 0) else {
        return routers_updated(engine, cx, &[router_id.to_owned()]).await;
    };
    let host = row.opt_text(1)?.filter(|host| !host.is_empty());
    let configurations: Option<Value> = row.opt_text(3)?.map(|text| serde_json::from_str(&text).unwrap_or_default());
    let only = BTreeSet::from([router_id.to_owned()]);
    let Some(host) = host.filter(|_| !configurations.as_ref().is_some_and(Mode::is_internal)) else {
        let sql = "SELECT a.host FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id WHERE b.router_id = ? ORDER BY a.host";
        let rows = engine.db.reader().await?.query(sql, args![router_id]).await?;
        for row in rows {
            routers_updated_on_host(engine, cx, &only, &row.text(0)?);
        }
        return Ok(());
    };
    if configurations.is_none() {
        tracing::warn!(host, router_id, "a floating IP waits: the host of its port has no L3 agent");
        return Ok(());
    }
    if comes {
        gateways::ensure(engine, cx, floating_ip.str("floating_network_id"), &host).await?;
    }
    routers_updated_on_host(engine, cx, &only, &host);
    let profile: Value = serde_json::from_str(&row.opt_text(2)?.unwrap_or_default()).unwrap_or_default();
    if let Some(next) = profile["migrating_to"].as_str().filter(|next| *next != host) {
        routers_updated_on_host(engine, cx, &only, next);
    }
    Ok(())
}
