// SPDX-License-Identifier: Apache-2.0
//! Which hosts reach which segments: `segmenthostmappings`, from what agents report of their bridges and devices.
//!
//! Only segments on a physical network are mapped. A host's mapping is made anew when an agent there reports other mappings than before, from all
//! agents of the host; a new segment is mapped to all hosts that reach it.

use std::collections::{BTreeSet, HashSet};

use async_trait::async_trait;
use neutrino_core::{Hook, Op, segments::Segment};
use neutrino_db::{Arg, Sql, args};
use neutrino_model::{Body, Record};
use neutrino_types::Result;
use serde_json::Value;

use super::{inventories, rules::service};

/// The keys under which agents report the physical networks that they reach.
const MAPPINGS: [&str; 3] = ["bridge_mappings", "interface_mappings", "device_mappings"];
/// Rows of one INSERT.
const CHUNK: usize = 100;

/// Follows the reports of agents.
pub struct Reports;

#[async_trait]
impl Hook for Reports {
    async fn create(&self, op: &mut Op<'_>, _id: &str, body: &Body) -> Result<()> {
        map_host(op, body).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        // A change through the API names no configurations.
        match body.get("configurations") {
            Some(configurations) if configurations != original.get("configurations") => map_host(op, body).await,
            _ => Ok(()),
        }
    }
}

/// Maps the segments that new networks are made with.
pub struct NewNetworks;

#[async_trait]
impl Hook for NewNetworks {
    async fn create(&self, op: &mut Op<'_>, id: &str, _body: &Body) -> Result<()> {
        let segments = segments(op, Sql::new("network_id = ?", args![id])).await?;
        map_segments(op, &segments).await
    }
}

fn physical_networks(configurations: &Value) -> BTreeSet<String> {
    MAPPINGS.iter().filter_map(|key| configurations[*key].as_object()).flat_map(|map| map.keys().cloned()).collect()
}

/// The segments on physical networks that fulfil a condition.
async fn segments(op: &mut Op<'_>, condition: Sql) -> Result<Vec<(String, Segment)>> {
    let mut sql =
        Sql::raw("SELECT id, network_type, physical_network, segmentation_id FROM networksegments WHERE physical_network IS NOT NULL AND ");
    sql.append(condition);
    let rows = op.tx.select(sql).await?;
    rows.iter()
        .map(|row| {
            let segment = Segment { network_type: row.text(1)?, physical_network: row.opt_text(2)?, segmentation_id: row.opt_int(3)? };
            Ok((row.text(0)?, segment))
        })
        .collect()
}

struct Agent {
    host: String,
    kind: String,
    configurations: Value,
}

async fn agents(op: &mut Op<'_>, condition: Sql) -> Result<Vec<Agent>> {
    let mut sql = Sql::raw("SELECT host, agent_type, configurations FROM agents WHERE ");
    sql.append(condition);
    let rows = op.tx.select(sql).await?;
    rows.iter()
        .map(|row| {
            let configurations = serde_json::from_str(&row.text(2)?).unwrap_or_default();
            Ok(Agent { host: row.text(0)?, kind: row.text(1)?, configurations })
        })
        .collect()
}

/// Makes the mapping of the host of an agent that reported.
async fn map_host(op: &mut Op<'_>, body: &Body) -> Result<()> {
    let reported = body.get("configurations").map(physical_networks).unwrap_or_default();
    if reported.is_empty() {
        return Ok(());
    }
    let host = body.str("host").unwrap_or_default();
    let (service, engine) = (service(op)?, op.engine);
    let agents = agents(op, Sql::new("host = ?", args![host])).await?;
    let networks: BTreeSet<String> = agents.iter().flat_map(|agent| physical_networks(&agent.configurations)).collect();
    let condition = Sql::in_texts(op.tx.dialect(), "physical_network", networks.iter().map(String::as_str));
    let segments = segments(op, condition).await?;
    let reached: HashSet<String> = segments
        .into_iter()
        .filter(|(_, segment)| agents.iter().any(|agent| service.0.reaches(engine, segment, &agent.kind, &agent.configurations)))
        .map(|(id, _)| id)
        .collect();
    let rows = op.tx.query("SELECT segment_id FROM segmenthostmappings WHERE host = ?", args![host]).await?;
    let known = rows.iter().map(|row| row.text(0)).collect::<Result<HashSet<_>>>()?;
    let stale: Vec<&str> = known.difference(&reached).map(String::as_str).collect();
    if !stale.is_empty() {
        let mut sql = Sql::new("DELETE FROM segmenthostmappings WHERE host = ? AND ", args![host]);
        sql.append(Sql::in_texts(op.tx.dialect(), "segment_id", stale));
        op.tx.run(sql).await?;
    }
    inventories::note(op, reached.symmetric_difference(&known).cloned().collect(), true);
    let missing: Vec<(&str, &str)> = reached.difference(&known).map(|id| (id.as_str(), host)).collect();
    insert(op, &missing).await
}

/// Maps new segments to the hosts that reach them. No statement for segments without a physical network.
///
/// # Errors
/// The database's.
pub async fn map_segments(op: &mut Op<'_>, segments: &[(String, Segment)]) -> Result<()> {
    let physical: Vec<&(String, Segment)> = segments.iter().filter(|(_, segment)| segment.physical_network.is_some()).collect();
    if physical.is_empty() {
        return Ok(());
    }
    let (service, engine) = (service(op)?, op.engine);
    let agents = agents(op, Sql::raw("1 = 1")).await?;
    let mut pairs = BTreeSet::new();
    for (id, segment) in physical {
        let there = agents.iter().filter(|agent| service.0.reaches(engine, segment, &agent.kind, &agent.configurations));
        pairs.extend(there.map(|agent| (id.as_str(), agent.host.as_str())));
    }
    let pairs: Vec<(&str, &str)> = pairs.into_iter().collect();
    insert(op, &pairs).await
}

async fn insert(op: &mut Op<'_>, pairs: &[(&str, &str)]) -> Result<()> {
    for chunk in pairs.chunks(CHUNK) {
        let marks = vec!["(?, ?)"; chunk.len()].join(", ");
        let values = chunk.iter().flat_map(|(segment, host)| [Arg::from(*segment), Arg::from(*host)]).collect();
        op.tx.execute(&format!("INSERT INTO segmenthostmappings (segment_id, host) VALUES {marks}"), values).await?;
    }
    Ok(())
}
