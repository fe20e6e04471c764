// SPDX-License-Identifier: Apache-2.0
//! Many ports go to a host at once: what [`super::bind`] does for one, and [`super::distributed`] for one of a distributed router, with a
//! number of statements that does not grow with the ports.
//!
//! Invariant: as there, drivers are asked outside of any transaction, and their word is written only for ports whose binding is still the one
//! that they judged.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use neutrino_core::{Context, Engine, Op};
use neutrino_db::{Sql, Tx, args};
use neutrino_model::Record;
use neutrino_types::{Error, Result};
use serde_json::Value;

use super::{
    agents,
    bind::Outcome,
    distributed,
    driver::{Attempt, Change, Segment},
    l2pop, manager,
    manager::Binding,
    portbindings::{DVR_INTERFACE, object},
    status,
};
use crate::rpc::{load, notify};

/// Ports in one transaction.
const CHUNK: usize = 500;
const NORMAL: &str = "normal";
const UNBOUND: [&str; 2] = ["unbound", "binding_failed"];

/// The ACTIVE binding of a port, as drivers judge it.
#[derive(Clone, Debug, PartialEq)]
struct Judged {
    host: String,
    vnic_type: String,
    profile: String,
    vif_type: String,
}

/// A port, its binding, and what becomes of it.
struct Plan {
    port: Record,
    judged: Judged,
    outcome: Outcome,
}

/// Moves ports to a host, and binds those that are there and not bound; `host` may be empty. Those that need more than that (another type than
/// `normal`) are left out. Whether anything was written.
///
/// # Errors
/// The database's; what a driver says in the transaction.
pub async fn move_ports(engine: &Engine, cx: &Context, host: &str, ids: &[&str]) -> Result<bool> {
    let cx = &cx.elevated();
    let mut written = false;
    for ids in ids.chunks(CHUNK) {
        let mut before = load::whole(engine, cx, "ports", ids.iter().copied()).await?;
        let judged = judged(&mut engine.db.reader().await?, ids).await?;
        let due: Vec<(Record, Judged)> = judged
            .into_iter()
            .filter(|(_, row)| row.vnic_type == NORMAL && (row.host != host || UNBOUND.contains(&row.vif_type.as_str())))
            .filter_map(|(id, row)| Some((before.remove(&id).filter(|port| port.str("device_owner") != DVR_INTERFACE)?, row)))
            .filter(|(_, row)| !(row.host.is_empty() && host.is_empty()))
            .collect();
        if due.is_empty() {
            continue;
        }
        let questions: Vec<(&Record, &str)> = due.iter().map(|(port, row)| (port, row.profile.as_str())).collect();
        let outcomes = ask(engine, cx, host, &questions).await?;
        let plans = due.into_iter().zip(outcomes).map(|((port, judged), outcome)| Plan { port, judged, outcome });
        let what = Arc::new((host.to_owned(), plans.collect::<Vec<_>>()));
        let planned = what.clone();
        let moved = engine.transact(cx, "ports", "move_ports", move |op| {
            let what = what.clone();
            Box::pin(async move { commit(op, &what.0, &what.1).await })
        });
        let moved: HashSet<String> = moved.await?.into_iter().collect();
        let before: Vec<&Record> = planned.1.iter().map(|plan| &plan.port).filter(|port| moved.contains(port.id())).collect();
        if before.is_empty() {
            continue;
        }
        written = true;
        let after = load::whole(engine, cx, "ports", before.iter().map(|port| port.id())).await?;
        let pairs: Vec<(&Record, &Record)> = before.iter().filter_map(|before| Some((*before, after.get(before.id())?))).collect();
        status::announce_pairs(engine, cx, &pairs).await?;
        notify::ports_updated(engine, cx, &pairs).await?;
    }
    Ok(written)
}

/// The ACTIVE bindings of ports, in order of their ids.
async fn judged(tx: &mut Tx, ids: &[&str]) -> Result<BTreeMap<String, Judged>> {
    let mut sql = Sql::raw("SELECT port_id, host, vnic_type, profile, vif_type FROM ml2_port_bindings WHERE status = 'ACTIVE' AND ");
    sql.append(Sql::in_texts(tx.dialect(), "port_id", ids.iter().copied()));
    let one = |row: &neutrino_db::Row| {
        let judged = Judged { host: row.text(1)?, vnic_type: row.text(2)?, profile: row.text(3)?, vif_type: row.text(4)? };
        Ok((row.text(0)?, judged))
    };
    tx.select(sql).await?.iter().map(one).collect()
}

/// Asks the drivers about ports, each with its profile, of type `normal`.
async fn ask(engine: &Engine, cx: &Context, host: &str, ports: &[(&Record, &str)]) -> Result<Vec<Outcome>> {
    if host.is_empty() {
        return Ok(ports.iter().map(|_| Outcome::Nothing).collect());
    }
    let manager = manager(engine);
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::raw("SELECT network_id, id, network_type, physical_network, segmentation_id FROM networksegments WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "network_id", ports.iter().map(|(port, _)| port.str("network_id"))));
    sql.push(" ORDER BY network_id, segment_index, id");
    let mut segments: HashMap<String, Vec<Segment>> = HashMap::new();
    for row in tx.select(sql).await? {
        let segment =
            Segment { id: row.text(1)?, network_type: row.text(2)?, physical_network: row.opt_text(3)?, segmentation_id: row.opt_int(4)? };
        segments.entry(row.text(0)?).or_default().push(segment);
    }
    let subnets: Vec<&str> = ports.iter().flat_map(|(port, _)| subnets(port)).collect();
    let mut of_subnets: HashMap<String, Option<String>> = HashMap::new();
    if !subnets.is_empty() {
        let mut sql = Sql::raw("SELECT id, segment_id FROM subnets WHERE ");
        sql.append(Sql::in_texts(tx.dialect(), "id", subnets));
        for row in tx.select(sql).await? {
            of_subnets.insert(row.text(0)?, row.opt_text(1)?);
        }
    }
    let agents = agents::on_host(&mut tx, host, cx.now(), manager.agent_down_time_s).await?;
    drop(tx);
    let mut outcomes = Vec::with_capacity(ports.len());
    for (port, profile) in ports {
        let Some(segments) = segments.get(port.str("network_id")) else {
            outcomes.push(Outcome::Nothing);
            continue;
        };
        let subnet_segments: Vec<Option<String>> = subnets_of(port, &of_subnets);
        let profile = object(profile);
        let attempt =
            Attempt { port, host, vnic_type: NORMAL, profile: &profile, segments, subnet_segments: &subnet_segments, agents: &agents };
        outcomes.push(match manager.bind(&attempt).await {
            Some(binding) => Outcome::Bound(binding),
            None => {
                tracing::error!(port = port.id(), host, "failed to bind: no driver bound the port");
                Outcome::Failed
            }
        });
    }
    Ok(outcomes)
}

fn subnets(port: &Record) -> impl Iterator<Item = &str> {
    port.list("fixed_ips").iter().filter_map(|entry| entry["subnet_id"].as_str())
}

fn subnets_of(port: &Record, segments: &HashMap<String, Option<String>>) -> Vec<Option<String>> {
    subnets(port).filter_map(|subnet| segments.get(subnet).cloned()).collect()
}

/// What is stored of an outcome: the type and the details.
fn stored(outcome: &Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Nothing => ("unbound", String::new()),
        Outcome::Failed => ("binding_failed", String::new()),
        Outcome::Bound(binding) => (binding.vif_type, Value::Object(binding.vif_details.clone()).to_string()),
    }
}

/// Writes the outcomes for ports whose binding is still the same; their ids.
async fn commit(op: &mut Op<'_>, host: &str, plans: &[Plan]) -> Result<Vec<String>> {
    let ids: Vec<&str> = plans.iter().map(|plan| plan.port.id()).collect();
    op.lock_all("ports", &ids).await?;
    let now = judged(op.tx, &ids).await?;
    let plans: Vec<&Plan> = plans.iter().filter(|plan| now.get(plan.port.id()) == Some(&plan.judged)).collect();
    if plans.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = plans.iter().map(|plan| plan.port.id()).collect();
    for plan in &plans {
        if plan.judged.host != host && plan.port.str("status") == "ACTIVE" {
            l2pop::note_leaving(op, plan.port.id(), &plan.judged.host).await?;
        }
    }
    let mut groups: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let mut statuses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for plan in &plans {
        groups.entry(stored(&plan.outcome)).or_default().push(plan.port.id());
        let own = if let Outcome::Bound(Binding { status: Some(status), .. }) = &plan.outcome { Some(*status) } else { None };
        let leaves = (plan.judged.host != host).then_some("DOWN");
        if let Some(status) = own.or(leaves).filter(|status| plan.port.str("status") != *status) {
            statuses.entry(status).or_default().push(plan.port.id());
        }
    }
    for ((vif_type, details), ids) in groups {
        let text = "UPDATE ml2_port_bindings SET host = ?, vif_type = ?, vif_details = ? WHERE status = 'ACTIVE' AND ";
        run(op, Sql::new(text, args![host, vif_type, details]), "port_id", &ids).await?;
    }
    let text = "DELETE FROM ml2_port_binding_levels WHERE NOT EXISTS (SELECT 1 FROM ml2_port_bindings b \
                WHERE b.port_id = ml2_port_binding_levels.port_id AND b.host = ml2_port_binding_levels.host AND b.status = 'INACTIVE') AND ";
    run(op, Sql::raw(text), "port_id", &ids).await?;
    write_levels(op, host, plans.iter().map(|plan| (plan.port.id(), &plan.outcome))).await?;
    for (status, ids) in statuses {
        run(op, Sql::new("UPDATE ports SET status = ? WHERE ", args![status]), "id", &ids).await?;
    }
    // As after the two transactions in which one port is moved and then bound.
    let raised: Vec<i64> = plans.iter().map(|plan| plan.port.standard_attr_id).collect();
    let mut sql = Sql::raw("UPDATE standardattributes SET revision_number = revision_number + 2 WHERE ");
    sql.append(Sql::in_ints(op.tx.dialect(), "id", &raised));
    op.tx.run(sql).await?;
    for plan in &plans {
        op.touch(plan.port.standard_attr_id);
        let mut current = plan.port.clone();
        current.set("binding:host_id", host);
        current.set("binding:vif_type", stored(&plan.outcome).0);
        if plan.judged.host != host {
            current.set("status", "DOWN");
        }
        if let Outcome::Bound(binding) = &plan.outcome {
            current.set("binding:vif_details", binding.vif_details.clone());
        }
        manager(op.engine).port_precommit(op, Change::Updated { original: &plan.port, current: &current }).await?;
    }
    Ok(ids.into_iter().map(str::to_owned).collect())
}

async fn run(op: &mut Op<'_>, mut sql: Sql, column: &str, ids: &[&str]) -> Result<()> {
    sql.append(Sql::in_texts(op.tx.dialect(), column, ids.iter().copied()));
    op.tx.run(sql).await.map(drop)
}

/// The levels of those that are bound.
async fn write_levels<'a>(op: &mut Op<'_>, host: &str, outcomes: impl Iterator<Item = (&'a str, &'a Outcome)>) -> Result<()> {
    let mut rows = Vec::new();
    for (port_id, outcome) in outcomes {
        let Outcome::Bound(binding) = outcome else { continue };
        for (number, level) in (0i64..).zip(&binding.levels) {
            rows.push(Sql::new("?, ?, ?, ?, ?", args![port_id, host, number, level.driver, level.segment_id.as_str()]));
        }
    }
    insert(op, "ml2_port_binding_levels (port_id, host, level, driver, segment_id)", rows).await
}

async fn insert(op: &mut Op<'_>, into: &str, rows: Vec<Sql>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::raw(format!("INSERT INTO {into} VALUES "));
    sql.append(Sql::join(rows, ", "));
    op.tx.run(sql).await.map(drop)
}

/// Binds ports of distributed routers on a host, each for its router. Whether anything was written.
///
/// # Errors
/// The database's.
pub async fn bind_distributed(engine: &Engine, cx: &Context, host: &str, ports: &[(String, String)]) -> Result<bool> {
    let cx = &cx.elevated();
    let mut written = false;
    if host.is_empty() || ports.is_empty() {
        return Ok(false);
    }
    let due = distributed::unbound_on(engine, host, ports).await?;
    for due in due.chunks(CHUNK) {
        let known = load::whole(engine, cx, "ports", due.iter().map(|(port, _)| port.as_str())).await?;
        // A port that is gone is no error.
        let there: Vec<(&Record, &str)> = due.iter().filter_map(|(port, router)| Some((known.get(port)?, router.as_str()))).collect();
        let questions: Vec<(&Record, &str)> = there.iter().map(|(port, _)| (*port, "")).collect();
        let outcomes = ask(engine, cx, host, &questions).await?;
        let plans = there.iter().zip(outcomes).map(|((port, router), outcome)| ((*port).clone(), (*router).to_owned(), outcome));
        let what = Arc::new((host.to_owned(), plans.collect::<Vec<_>>()));
        if what.1.is_empty() {
            continue;
        }
        let done = engine.transact(cx, "ports", "bind_distributed_ports", move |op| {
            let what = what.clone();
            Box::pin(async move { commit_distributed(op, &what.0, &what.1).await })
        });
        written |= done.await?;
    }
    Ok(written)
}

async fn commit_distributed(op: &mut Op<'_>, host: &str, plans: &[(Record, String, Outcome)]) -> Result<bool> {
    let ids: Vec<&str> = plans.iter().map(|(port, ..)| port.id()).collect();
    op.lock_all("ports", &ids).await?;
    let mut sql = Sql::new("SELECT port_id, vif_type, router_id FROM ml2_distributed_port_bindings WHERE host = ? AND ", args![host]);
    sql.append(Sql::in_texts(op.tx.dialect(), "port_id", ids.iter().copied()));
    let mut known: HashMap<String, (String, String)> = HashMap::new();
    for row in op.tx.select(sql).await? {
        known.insert(row.text(0)?, (row.text(1)?, row.opt_text(2)?.unwrap_or_default()));
    }
    let mut groups: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let (mut new, mut done) = (Vec::new(), Vec::new());
    for plan in plans {
        let (port, router_id, outcome) = plan;
        let (vif_type, details) = stored(outcome);
        match known.get(port.id()) {
            Some((was, of)) if of == router_id && !UNBOUND.contains(&was.as_str()) => continue,
            Some((_, of)) => {
                if of != router_id {
                    let text = "UPDATE ml2_distributed_port_bindings SET router_id = ? WHERE port_id = ? AND host = ?";
                    op.tx.execute(text, args![router_id, port.id(), host]).await?;
                }
                groups.entry((vif_type, details)).or_default().push(port.id());
            }
            None => {
                let values = args![port.id(), host, router_id, vif_type, details, NORMAL, "", "DOWN"];
                new.push(Sql::new("?, ?, ?, ?, ?, ?, ?, ?", values));
            }
        }
        done.push(plan);
    }
    if done.is_empty() {
        return Ok(false);
    }
    for ((vif_type, details), ids) in groups {
        let text = "UPDATE ml2_distributed_port_bindings SET vif_type = ?, vif_details = ? WHERE host = ? AND ";
        run(op, Sql::new(text, args![vif_type, details, host]), "port_id", &ids).await?;
    }
    let into = "ml2_distributed_port_bindings (port_id, host, router_id, vif_type, vif_details, vnic_type, profile, status)";
    insert(op, into, new).await.map_err(|error| match (error.is_duplicate(""), error.is_foreign_key()) {
        (false, false) => error,
        _ => Error::stale("another request bound one of these ports, or deleted it"),
    })?;
    let ids: Vec<&str> = done.iter().map(|(port, ..)| port.id()).collect();
    run(op, Sql::new("DELETE FROM ml2_port_binding_levels WHERE host = ? AND ", args![host]), "port_id", &ids).await?;
    write_levels(op, host, done.iter().map(|(port, _, outcome)| (port.id(), outcome))).await?;
    for (port, ..) in done {
        op.touch(port.standard_attr_id);
    }
    Ok(true)
}
