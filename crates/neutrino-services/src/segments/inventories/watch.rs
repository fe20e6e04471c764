// SPDX-License-Identifier: Apache-2.0
//! Which changes concern the addresses of a segment.
//!
//! Addresses of machines' ports are allocated in Placement by Nova, and DHCP ports are counted with their subnet; other ports are reserved.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Change, Changes, Context, Engine, Hook, Op, Verb, Watcher};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use super::Queue;

pub struct Changed(pub Arc<Queue>);

/// Is a port reserved beside what subnets and machines take?
fn counts(port: &Record) -> bool {
    let owner = port.str("device_owner");
    !owner.starts_with("compute:") && owner != "network:dhcp"
}

impl Changed {
    fn port(&self, change: &Change) {
        let states = [change.before.as_ref(), change.after.as_ref()];
        let known = || states.into_iter().flatten();
        if change.after.is_none() && change.verb != Verb::Deleted {
            self.0.port(&change.id);
        }
        if let [Some(before), Some(after)] = states
            && before.get("fixed_ips") == after.get("fixed_ips")
            && counts(before) == counts(after)
        {
            return;
        }
        if known().any(counts) {
            let subnets = known().flat_map(|port| port.list("fixed_ips")).filter_map(|entry| entry["subnet_id"].as_str());
            subnets.for_each(|subnet| self.0.subnet(subnet));
        }
    }

    fn subnet(&self, change: &Change) {
        for subnet in [&change.before, &change.after].into_iter().flatten() {
            if let Some(segment) = subnet.opt_str("segment_id") {
                self.0.segment(segment, false);
            }
        }
        if change.after.is_none() {
            self.0.subnet(&change.id);
        }
    }
}

impl Watcher for Changed {
    fn changed(&self, _engine: &Engine, _cx: &Context, changes: &Changes) {
        for change in &changes.objects {
            match change.collection.as_str() {
                "ports" => self.port(change),
                "subnets" => self.subnet(change),
                "segments" if change.verb == Verb::Deleted => self.0.segment(&change.id, true),
                _ => {}
            }
        }
    }
}

/// Has the segments looked at once the transaction is committed.
pub fn note(op: &mut Op<'_>, segments: Vec<String>, hosts: bool) {
    if segments.is_empty() || op.engine.registry.service::<Queue>().is_none() {
        return;
    }
    op.afterwards(move |engine, _| {
        if let Some(queue) = engine.registry.service::<Queue>() {
            segments.iter().for_each(|segment| queue.segment(segment, hosts));
        }
        Box::pin(async { Ok(()) })
    });
}

/// Segments go with their network.
pub struct Networks;

#[async_trait]
impl Hook for Networks {
    async fn delete(&self, op: &mut Op<'_>, network: &Record) -> Result<()> {
        let sql = "SELECT DISTINCT segment_id FROM subnets WHERE network_id = ? AND segment_id IS NOT NULL";
        let rows = op.tx.query(sql, args![network.id()]).await?;
        let segments = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        note(op, segments, true);
        Ok(())
    }
}

/// A subnet that goes may be the last of its segment.
pub struct Subnets;

#[async_trait]
impl Hook for Subnets {
    async fn delete(&self, op: &mut Op<'_>, subnet: &Record) -> Result<()> {
        let segments = subnet.opt_str("segment_id").map(str::to_owned).into_iter().collect();
        note(op, segments, true);
        Ok(())
    }
}
