// SPDX-License-Identifier: Apache-2.0
//! Scheduling: from a network to the agents that shall serve it, in one transaction.

use std::collections::{HashMap, HashSet};

use chrono::{Duration, NaiveDateTime};
use neutrino_core::{
    Context, Engine, Op,
    scheduling::{self, Candidate},
    segments::{Segment, SegmentService},
};
use neutrino_db::{Arg, Sql, Tx, args};
use neutrino_types::{Error, Result};
use serde_json::Value;

use super::{Scheduler, scheduler};
use crate::agents::{self, Settings};

/// Networks that are scheduled in one transaction: three values for each are bound, and SQLite binds 32,766.
const CHUNK: usize = 500;

/// An agent that a network was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub network_id: String,
    pub agent_id: String,
    pub host: String,
}

/// A DHCP agent and what decides whether it may serve.
pub(super) struct Agent {
    pub candidate: Candidate,
    pub heard: NaiveDateTime,
    pub started: NaiveDateTime,
}

impl Agent {
    /// Alive, or still busy with starting: it needs time for each network before it reports.
    pub fn is_eligible(&self, settings: &Settings, now: NaiveDateTime) -> bool {
        self.heard >= settings.alive_since(now) || self.is_starting(settings, now)
    }

    pub fn is_starting(&self, settings: &Settings, now: NaiveDateTime) -> bool {
        self.started + Duration::seconds(settings.down_after_s * 2 + self.candidate.load.1 * 2) > now
    }
}

/// The DHCP agents that fulfil a condition over `a`.
pub(super) async fn dhcp_agents(tx: &mut Tx, condition: Sql) -> Result<Vec<Agent>> {
    let mut sql = Sql::new(
        "SELECT a.id, a.host, a.availability_zone, a.\"load\", \
         (SELECT count(*) FROM networkdhcpagentbindings b WHERE b.dhcp_agent_id = a.id), a.heartbeat_timestamp, a.started_at \
         FROM agents a WHERE a.agent_type = ? AND "
            .to_owned(),
        args![agents::DHCP],
    );
    sql.append(condition).push(" ORDER BY a.id");
    let rows = tx.select(sql).await?;
    rows.iter()
        .map(|row| {
            let candidate = Candidate { id: row.text(0)?, host: row.text(1)?, zone: row.opt_text(2)?, load: (row.int(3)?, row.int(4)?) };
            Ok(Agent { candidate, heard: row.opt_time(5)?.unwrap_or_default(), started: row.opt_time(6)?.unwrap_or_default() })
        })
        .collect()
}

struct Binding {
    agent_id: String,
    index: i64,
    host: String,
    zone: Option<String>,
}

async fn bindings(tx: &mut Tx, network_id: &str) -> Result<Vec<Binding>> {
    let sql = "SELECT b.dhcp_agent_id, b.binding_index, a.host, a.availability_zone FROM networkdhcpagentbindings b \
               JOIN agents a ON a.id = b.dhcp_agent_id WHERE b.network_id = ? ORDER BY b.binding_index";
    let rows = tx.query(sql, args![network_id]).await?;
    rows.iter().map(|row| Ok(Binding { agent_id: row.text(0)?, index: row.int(1)?, host: row.text(2)?, zone: row.opt_text(3)? })).collect()
}

/// Gives a network the agents that it lacks; none when the operator wants no automatic scheduling. `hosts`: only agents there count, and the
/// bound on their number does not (a segment's subnet needs an agent that reaches it).
///
/// # Errors
/// The database's.
pub async fn schedule(engine: &Engine, cx: &Context, network_id: &str, hosts: Option<Vec<String>>) -> Result<Vec<Placed>> {
    let Some(rules) = scheduler(engine).filter(|rules| rules.auto_schedule) else { return Ok(Vec::new()) };
    let (network, cx) = (network_id.to_owned(), cx.elevated());
    engine
        .transact(&cx, "networks", "schedule network", |op| {
            let (rules, network, hosts) = (rules.clone(), network.clone(), hosts.clone());
            Box::pin(async move { place(op, &rules, &network, hosts.as_deref()).await })
        })
        .await
}

async fn place(op: &mut Op<'_>, rules: &Scheduler, network_id: &str, hosts: Option<&[String]>) -> Result<Vec<Placed>> {
    let Some(zones) = zones_of(op.tx, rules, network_id).await? else { return Ok(Vec::new()) };
    let known = bindings(op.tx, network_id).await?;
    let in_place = |host: &String| hosts.is_none_or(|hosts| hosts.contains(host));
    let hosting: Vec<&Binding> = known.iter().filter(|binding| in_place(&binding.host)).collect();
    let Some(missing) = rules.agents_per_network.checked_sub(hosting.len()).filter(|missing| *missing > 0) else {
        return Ok(Vec::new());
    };
    let candidates = candidates(op, &zones, network_id, hosts, &hosting).await?;
    let hosting: Vec<Option<String>> = hosting.iter().map(|binding| binding.zone.clone()).collect();
    let cx = op.cx;
    let chosen = scheduling::choose(rules.driver, candidates, &hosting, missing, || cx.random());
    let mut taken: Vec<i64> = known.iter().map(|binding| binding.index).collect();
    let mut placed = Vec::with_capacity(chosen.len());
    for agent in chosen {
        let Some(index) = scheduling::vacant_index(&taken, rules.agents_per_network, hosts.is_some()) else { break };
        bind(op, network_id, &agent.id, index).await?;
        taken.push(index);
        placed.push(Placed { network_id: network_id.to_owned(), agent_id: agent.id, host: agent.host });
    }
    if placed.is_empty() && known.is_empty() {
        tracing::warn!(network_id, "no DHCP agent can serve the network; it is tried again with its next subnet or port");
    }
    Ok(placed)
}

/// The zones whose agents may serve the network (all when empty); `None` when it is gone.
async fn zones_of(tx: &mut Tx, rules: &Scheduler, network_id: &str) -> Result<Option<Vec<String>>> {
    let row = tx.query_one("SELECT availability_zone_hints FROM networks WHERE id = ?", args![network_id]).await?;
    let Some(row) = row else { return Ok(None) };
    let hints: Vec<String> = row.opt_text(0)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    Ok(Some(if hints.is_empty() { rules.default_zones.clone() } else { hints }))
}

async fn candidates(
    op: &mut Op<'_>,
    zones: &[String],
    network_id: &str,
    hosts: Option<&[String]>,
    hosting: &[&Binding],
) -> Result<Vec<Candidate>> {
    let (settings, now) = (agents::settings(op.engine), op.cx.now());
    let mut condition = Sql::new("a.admin_state_up = ?", args![true]);
    if !zones.is_empty() {
        condition.push(" AND ").append(Sql::in_texts(op.tx.dialect(), "a.availability_zone", zones.iter().map(String::as_str)));
    }
    if let Some(hosts) = hosts {
        condition.push(" AND ").append(Sql::in_texts(op.tx.dialect(), "a.host", hosts.iter().map(String::as_str)));
    }
    let agents = dhcp_agents(op.tx, condition).await?;
    let mut found: Vec<Candidate> = agents
        .into_iter()
        .filter(|agent| agent.is_eligible(&settings, now) && !hosting.iter().any(|binding| binding.agent_id == agent.candidate.id))
        .map(|agent| agent.candidate)
        .collect();
    if hosts.is_none() && !found.is_empty() {
        reachable(op, network_id, &mut found).await?;
    }
    Ok(found)
}

/// Leaves out the agents on hosts whose switches do not reach the network.
async fn reachable(op: &mut Op<'_>, network_id: &str, found: &mut Vec<Candidate>) -> Result<()> {
    let engine = op.engine;
    let Some(service) = engine.registry.service::<SegmentService>().filter(|service| service.0.judges_hosts(engine)) else {
        return Ok(());
    };
    let sql = "SELECT network_type, physical_network, segmentation_id FROM networksegments WHERE network_id = ?";
    let rows = op.tx.query(sql, args![network_id]).await?;
    let segments: Vec<Segment> = rows
        .iter()
        .map(|row| Ok(Segment { network_type: row.text(0)?, physical_network: row.opt_text(1)?, segmentation_id: row.opt_int(2)? }))
        .collect::<Result<_>>()?;
    let mut sql = Sql::raw("SELECT host, agent_type, configurations FROM agents WHERE ");
    sql.append(Sql::in_texts(op.tx.dialect(), "host", found.iter().map(|agent| agent.host.as_str())));
    let mut hosts: HashSet<String> = HashSet::new();
    for row in op.tx.select(sql).await? {
        let configurations: Value = serde_json::from_str(&row.text(2)?).unwrap_or_default();
        let kind = row.text(1)?;
        if segments.iter().any(|segment| service.0.reaches(engine, segment, &kind, &configurations)) {
            hosts.insert(row.text(0)?);
        }
    }
    found.retain(|agent| hosts.contains(&agent.host));
    Ok(())
}

/// Writes a binding.
///
/// # Errors
/// Transient when another server was faster; the database's.
async fn bind(op: &mut Op<'_>, network_id: &str, agent_id: &str, index: i64) -> Result<()> {
    let columns = vec![("network_id", network_id.into()), ("dhcp_agent_id", agent_id.into()), ("binding_index", index.into())];
    op.insert_row("networkdhcpagentbindings", columns).await.map_err(|error| raced(error, agent_id))
}

/// Gives a network to an agent by hand, even beyond the usual number of agents; false when the agent serves it already.
///
/// # Errors
/// As [`bind`].
pub(super) async fn add(op: &mut Op<'_>, network_id: &str, agent_id: &str) -> Result<bool> {
    let known = bindings(op.tx, network_id).await?;
    if known.iter().any(|binding| binding.agent_id == agent_id) {
        return Ok(false);
    }
    let taken: Vec<i64> = known.iter().map(|binding| binding.index).collect();
    if let Some(index) = scheduling::vacant_index(&taken, 0, true) {
        bind(op, network_id, agent_id, index).await?;
    }
    Ok(true)
}

/// Gives an agent that asks for work the networks that lack one and that it may serve: what `get_active_networks_info` begins with.
///
/// # Errors
/// The database's.
pub async fn auto_schedule(engine: &Engine, cx: &Context, host: &str) -> Result<Vec<Placed>> {
    let Some(rules) = scheduler(engine) else { return Ok(Vec::new()) };
    let (settings, now) = (agents::settings(engine), cx.now());
    let mut tx = engine.db.reader().await?;
    let found = dhcp_agents(&mut tx, Sql::new("a.admin_state_up = ? AND a.host = ?", args![true, host])).await?;
    let Some(agent) = found.into_iter().find(|agent| agent.heard >= settings.alive_since(now)) else { return Ok(Vec::new()) };
    let wanting = wanting(&mut tx, &rules, &agent.candidate).await?;
    drop(tx);
    let mut placed = Vec::new();
    let (cx, agent) = (cx.elevated(), agent.candidate);
    for chunk in wanting.chunks(CHUNK) {
        let done = engine.transact(&cx, "networks", "auto schedule networks", |op| {
            let (chunk, agent, most) = (chunk.to_vec(), agent.clone(), rules.agents_per_network);
            Box::pin(async move { bind_many(op, &chunk, &agent, most).await })
        });
        match done.await {
            Ok(bound) => placed.extend(bound),
            // Some networks must not keep the others from being served.
            Err(error) => {
                tracing::warn!(host, error = %error, log = error.log().unwrap_or_default(), "{} networks not scheduled", chunk.len())
            }
        }
    }
    Ok(placed)
}

/// Gives an agent those of the networks that are there and still have room for it. Two statements.
async fn bind_many(op: &mut Op<'_>, wanting: &[(String, bool)], agent: &Candidate, most: usize) -> Result<Vec<Placed>> {
    let mut sql = Sql::raw(
        "SELECT n.id, b.dhcp_agent_id, b.binding_index FROM networks n LEFT JOIN networkdhcpagentbindings b ON b.network_id = n.id WHERE ",
    );
    sql.append(Sql::in_texts(op.tx.dialect(), "n.id", wanting.iter().map(|(id, _)| id.as_str())));
    let mut known: HashMap<String, Vec<(String, i64)>> = HashMap::new();
    for row in op.tx.select(sql).await? {
        let taken = known.entry(row.text(0)?).or_default();
        if let (Some(agent_id), Some(index)) = (row.opt_text(1)?, row.opt_int(2)?) {
            taken.push((agent_id, index));
        }
    }
    let (mut placed, mut values) = (Vec::new(), Vec::new());
    for (network_id, routed) in wanting {
        let Some(bindings) = known.get(network_id).filter(|all| all.iter().all(|(id, _)| *id != agent.id)) else { continue };
        let taken: Vec<i64> = bindings.iter().map(|(_, index)| *index).collect();
        let Some(index) = scheduling::vacant_index(&taken, most, *routed) else { continue };
        values.extend([Arg::from(network_id), Arg::from(&agent.id), Arg::from(index)]);
        placed.push(Placed { network_id: network_id.clone(), agent_id: agent.id.clone(), host: agent.host.clone() });
    }
    if placed.is_empty() {
        return Ok(placed);
    }
    let rows = vec!["(?, ?, ?)"; placed.len()].join(", ");
    let text = format!("INSERT INTO networkdhcpagentbindings (network_id, dhcp_agent_id, binding_index) VALUES {rows}");
    op.tx.execute(&text, values).await.map_err(|error| raced(error, &agent.id))?;
    Ok(placed)
}

/// Another server was faster: what it did is to be looked at before the next try.
fn raced(error: Error, what: &str) -> Error {
    match error.is_duplicate("") || error.is_foreign_key() {
        true => Error::stale(format!("{what} or its networks changed while they were scheduled")),
        false => error,
    }
}

/// Networks with DHCP that have too few agents and that this one may serve; whether they are routed (their subnets are on segments).
async fn wanting(tx: &mut Tx, rules: &Scheduler, agent: &Candidate) -> Result<Vec<(String, bool)>> {
    let sql = "SELECT n.id, n.availability_zone_hints, max(CASE WHEN s.segment_id IS NULL THEN 0 ELSE 1 END), \
               max(CASE WHEN m.segment_id IS NULL THEN 0 ELSE 1 END) \
               FROM networks n JOIN subnets s ON s.network_id = n.id AND s.enable_dhcp = ? \
               LEFT JOIN segmenthostmappings m ON m.segment_id = s.segment_id AND m.host = ? \
               WHERE (SELECT count(*) FROM networkdhcpagentbindings b WHERE b.network_id = n.id) < ? \
               AND NOT EXISTS (SELECT 1 FROM networkdhcpagentbindings b WHERE b.network_id = n.id AND b.dhcp_agent_id = ?) \
               GROUP BY n.id, n.availability_zone_hints ORDER BY n.id";
    let most = i64::try_from(rules.agents_per_network).unwrap_or(i64::MAX);
    let rows = tx.query(sql, args![true, &agent.host, most, &agent.id]).await?;
    let mut wanting = Vec::new();
    for row in rows {
        let (routed, reached) = (row.int(2)? > 0, row.int(3)? > 0);
        let hints: Vec<String> = row.opt_text(1)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let zones = if hints.is_empty() { &rules.default_zones } else { &hints };
        let in_zone = zones.is_empty() || agent.zone.as_ref().is_some_and(|zone| zones.contains(zone));
        if in_zone && (!routed || reached) {
            wanting.push((row.text(0)?, routed));
        }
    }
    Ok(wanting)
}
