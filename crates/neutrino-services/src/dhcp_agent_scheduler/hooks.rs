// SPDX-License-Identifier: Apache-2.0
//! A network is scheduled when its subnets and ports come, not before: until then the operator may choose agents by hand.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use super::{notify, schedule, scheduler};
use crate::agents;

/// A port that waits for the DHCP agent that is next given the network.
pub const RESERVED: &str = "reserved_dhcp_port";

/// How many requests under way are remembered.
const REMEMBERED: usize = 64;

/// Schedules the network of a new subnet or port. One request asks once for each network, however many ports it makes.
#[derive(Default)]
pub struct First {
    asked: Mutex<Vec<(Arc<str>, String)>>,
}

impl First {
    fn is_new(&self, cx: &Context, network_id: &str) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // The same allocation is the same request: it lives as long as this keeps it.
        if asked.iter().any(|(request, network)| Arc::ptr_eq(request, &cx.request_id) && network == network_id) {
            return false;
        }
        if asked.len() >= REMEMBERED {
            asked.remove(0);
        }
        asked.push((cx.request_id.clone(), network_id.to_owned()));
        true
    }
}

#[async_trait]
impl Hook for First {
    async fn after_create(&self, engine: &Engine, cx: &Context, record: &Record) -> Result<()> {
        let network_id = record.str("network_id");
        if record.str("device_id") == RESERVED {
            return Ok(());
        }
        // A subnet on a segment needs an agent there; each of them asks for itself.
        let hosts = match record.opt_str("segment_id") {
            Some(segment_id) => Some(hosts_of(engine, segment_id).await?).filter(|hosts| !hosts.is_empty()),
            None => None,
        };
        if hosts.is_some() || (self.is_new(cx, network_id) && lacks_agents(engine, cx, network_id).await?) {
            notify::added(engine, cx, &schedule(engine, cx, network_id, hosts).await?);
        }
        Ok(())
    }
}

/// An agent of the layer below that is new, or begins anew, may open segments to agents that could not serve them so far.
pub struct NewHosts;

#[async_trait]
impl Hook for NewHosts {
    async fn after_create(&self, engine: &Engine, cx: &Context, record: &Record) -> Result<()> {
        serve_segments(engine, cx, record.str("host")).await
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, _original: &Record, record: &Record) -> Result<()> {
        // What the API changes opens no segment.
        match record.bool("alive") && record.get("heartbeat_timestamp").is_null() {
            true => serve_segments(engine, cx, record.str("host")).await,
            false => Ok(()),
        }
    }
}

/// Schedules the networks whose subnets on segments that a host reaches are served by no agent there.
async fn serve_segments(engine: &Engine, cx: &Context, host: &str) -> Result<()> {
    if scheduler(engine).is_none_or(|rules| !rules.auto_schedule) || !engine.registry.has_extension("segment") {
        return Ok(());
    }
    let sql = "SELECT DISTINCT s.network_id, m.segment_id FROM segmenthostmappings m JOIN subnets s ON s.segment_id = m.segment_id \
               WHERE m.host = ? AND s.enable_dhcp = ? AND NOT EXISTS (SELECT 1 FROM networkdhcpagentbindings b \
               JOIN agents a ON a.id = b.dhcp_agent_id JOIN segmenthostmappings o ON o.host = a.host AND o.segment_id = m.segment_id \
               WHERE b.network_id = s.network_id) ORDER BY s.network_id, m.segment_id";
    let rows = engine.db.reader().await?.query(sql, args![host, true]).await?;
    for row in rows {
        let hosts = hosts_of(engine, &row.text(1)?).await?;
        notify::added(engine, cx, &schedule(engine, cx, &row.text(0)?, Some(hosts)).await?);
    }
    Ok(())
}

async fn hosts_of(engine: &Engine, segment_id: &str) -> Result<Vec<String>> {
    let sql = "SELECT host FROM segmenthostmappings WHERE segment_id = ? ORDER BY host";
    let rows = engine.db.reader().await?.query(sql, args![segment_id]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// Is it worth a transaction? Most often a network has its agents, or there are none.
async fn lacks_agents(engine: &Engine, cx: &Context, network_id: &str) -> Result<bool> {
    let Some(rules) = scheduler(engine).filter(|rules| rules.auto_schedule) else { return Ok(false) };
    // Agents that are silent may be starting; only those that are long gone need not be looked at.
    let oldest = agents::settings(engine).dead_before(cx.now());
    let sql = "SELECT (SELECT count(*) FROM networkdhcpagentbindings WHERE network_id = ?), \
               (SELECT count(*) FROM agents WHERE agent_type = ? AND admin_state_up = ? AND (heartbeat_timestamp >= ? OR started_at >= ?))";
    let row = engine.db.reader().await?.query_one(sql, args![network_id, agents::DHCP, true, oldest, oldest]).await?;
    let Some(row) = row else { return Ok(false) };
    Ok(usize::try_from(row.int(0)?).unwrap_or_default() < rules.agents_per_network && row.int(1)? > 0)
}
