// SPDX-License-Identifier: Apache-2.0
//! Binding a port: drivers are asked outside any transaction, and what they say is committed by compare-and-swap.
//!
//! Invariant: a result is written only if host, VNIC type and profile are still those that the drivers judged and nobody has bound
//! the port in between; else all is asked again, at most [`MAX_TRIES`] times.

use neutrino_core::{Context, Engine, Op};
use neutrino_db::{Dialect, Row, Sql, Tx, args};
use neutrino_model::Record;
use neutrino_types::{Result, mac::Mac};
use serde_json::{Map, Value};

use super::{
    agents,
    driver::{Attempt, Change, Segment},
    manager,
    manager::Binding,
    portbindings::object,
};

pub const MAX_TRIES: usize = 10;

/// The row of `ml2_port_bindings` that drivers judge.
#[derive(Clone, Debug)]
pub struct Inputs {
    pub host: String,
    pub vnic_type: String,
    /// As stored.
    pub profile: String,
}

/// What the drivers said.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The network has no segments: there is nothing to bind to.
    Nothing,
    Failed,
    Bound(Binding),
}

/// Binds a port, as it was just loaded, whose host is known and that is not bound. `bumps` is by how much its revision rises.
/// Whether anything was written.
///
/// # Errors
/// The database's.
pub async fn bind_if_needed(engine: &Engine, cx: &Context, mut port: Record, bumps: i64) -> Result<bool> {
    let cx = &cx.elevated();
    for _ in 0..MAX_TRIES {
        let Some(inputs) = unbound(&mut engine.db.reader().await?, port.id()).await? else { return Ok(false) };
        let outcome = ask(engine, cx, &port, &inputs).await?;
        if matches!(outcome, Outcome::Nothing) {
            return Ok(false);
        }
        let plan = std::sync::Arc::new((port.clone(), inputs, outcome));
        let written = engine
            .transact(cx, "ports", "bind_port", move |op| {
                let plan = plan.clone();
                Box::pin(async move { commit(op, &plan.0, &plan.1, &plan.2, bumps).await })
            })
            .await?;
        if written {
            return Ok(true);
        }
        tracing::info!(port = port.id(), "the port changed while it was being bound; trying again");
        port = match engine.original(cx, "ports", None, port.id()).await {
            Ok(port) => port,
            Err(error) if error.status() == 404 => return Ok(false),
            Err(error) => return Err(error),
        };
    }
    tracing::error!(port = port.id(), "not bound: the port changed during each of {MAX_TRIES} tries");
    Ok(false)
}

/// Tries again to bind the ports that could not be bound on a host, as when its agent is back, and announces those that changed.
/// How many that are.
///
/// # Errors
/// The database's.
pub async fn rebind_failed(engine: &Engine, cx: &Context, host: &str) -> Result<usize> {
    let cx = &cx.elevated();
    let text = "SELECT port_id FROM ml2_port_bindings WHERE host = ? AND status = 'ACTIVE' AND vif_type = 'binding_failed'";
    let rows = engine.db.reader().await?.query(text, args![host]).await?;
    let mut changed = 0;
    for row in rows {
        let Ok(port) = engine.original(cx, "ports", None, &row.text(0)?).await else { continue };
        if bind_if_needed(engine, cx, port.clone(), 1).await? {
            super::status::announce(engine, cx, &port).await?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// The inputs of the ACTIVE binding, if it waits to be bound.
async fn unbound(tx: &mut Tx, port_id: &str) -> Result<Option<Inputs>> {
    let text = "SELECT host, vnic_type, profile FROM ml2_port_bindings WHERE port_id = ? AND status = 'ACTIVE' AND host <> '' \
                AND vif_type IN ('unbound', 'binding_failed')";
    let row = tx.query_one(text, args![port_id]).await?;
    row.map(|row| Ok(Inputs { host: row.text(0)?, vnic_type: row.text(1)?, profile: row.text(2)? })).transpose()
}

/// Asks the drivers.
///
/// # Errors
/// The database's.
pub async fn ask(engine: &Engine, cx: &Context, port: &Record, inputs: &Inputs) -> Result<Outcome> {
    let manager = manager(engine);
    let mut tx = engine.db.reader().await?;
    let mut questions = vec![of_network(port), agents::asked(&inputs.host)];
    questions.extend(of_subnets(tx.dialect(), port));
    let mut answers = tx.select_together(questions).await?.into_iter();
    drop(tx);
    let mut next = || answers.next().unwrap_or_default();
    let segments = next().iter().map(segment).collect::<Result<Vec<_>>>()?;
    if segments.is_empty() {
        return Ok(Outcome::Nothing);
    }
    let agents = agents::read(&next(), &inputs.host, cx.now(), manager.agent_down_time_s)?;
    let subnet_segments = next().iter().map(|row| row.opt_text(0)).collect::<Result<Vec<_>>>()?;
    let profile: Map<String, Value> = object(&inputs.profile);
    let attempt = Attempt {
        port,
        host: &inputs.host,
        vnic_type: &inputs.vnic_type,
        profile: &profile,
        segments: &segments,
        subnet_segments: &subnet_segments,
        agents: &agents,
    };
    match manager.bind(&attempt).await {
        Some(binding) => Ok(Outcome::Bound(binding)),
        None => {
            tracing::error!(port = port.id(), host = inputs.host, vnic_type = inputs.vnic_type, "failed to bind: no driver bound the port");
            Ok(Outcome::Failed)
        }
    }
}

/// The segments of a port's network.
fn of_network(port: &Record) -> Sql {
    let text =
        "SELECT id, network_type, physical_network, segmentation_id FROM networksegments WHERE network_id = ? ORDER BY segment_index, id";
    Sql::new(text, args![port.str("network_id")])
}

fn segment(row: &Row) -> Result<Segment> {
    Ok(Segment { id: row.text(0)?, network_type: row.text(1)?, physical_network: row.opt_text(2)?, segmentation_id: row.opt_int(3)? })
}

/// The segments of a port's subnets.
fn of_subnets(dialect: Dialect, port: &Record) -> Option<Sql> {
    let subnets: Vec<&str> = port.list("fixed_ips").iter().filter_map(|entry| entry["subnet_id"].as_str()).collect();
    if subnets.is_empty() {
        return None;
    }
    let mut sql = Sql::raw("SELECT segment_id FROM subnets WHERE ");
    sql.append(Sql::in_texts(dialect, "id", subnets));
    Some(sql)
}

/// Writes the outcome if the inputs are still the same and nobody bound the port; whether it did.
async fn commit(op: &mut Op<'_>, port: &Record, inputs: &Inputs, outcome: &Outcome, bumps: i64) -> Result<bool> {
    let (vif_type, details) = match outcome {
        Outcome::Bound(binding) => (binding.vif_type, Value::Object(binding.vif_details.clone()).to_string()),
        _ => ("binding_failed", String::new()),
    };
    // Whoever changes the binding claims the port first: an update that waited only for the binding's row would not see the levels written here.
    if op.lock("ports", port.id()).await?.is_none() {
        return Ok(false);
    }
    let text = "UPDATE ml2_port_bindings SET vif_type = ?, vif_details = ? WHERE port_id = ? AND host = ? AND vnic_type = ? AND profile = ? \
                AND status = 'ACTIVE' AND vif_type IN ('unbound', 'binding_failed')";
    let arguments = args![vif_type, details, port.id(), &inputs.host, &inputs.vnic_type, &inputs.profile];
    if op.tx.execute(text, arguments).await? == 0 {
        return Ok(false);
    }
    op.touch(port.standard_attr_id);
    if bumps > 1 {
        let text = "UPDATE standardattributes SET revision_number = revision_number + ? WHERE id = ?";
        op.tx.execute(text, args![bumps - 1, port.standard_attr_id]).await?;
    }
    let mut current = port.clone();
    current.set("binding:vif_type", vif_type);
    clear_levels(op, port.id(), &inputs.host).await?;
    if let Outcome::Bound(binding) = outcome {
        write_levels(op, port.id(), &inputs.host, binding).await?;
        current.set("binding:vif_details", binding.vif_details.clone());
        if let Some(status) = binding.status {
            op.tx.execute("UPDATE ports SET status = ? WHERE id = ?", args![status, port.id()]).await?;
            current.set("status", status);
        }
        follow_device(op, port, inputs).await?;
    }
    manager(op.engine).port_precommit(op, Change::Updated { original: port, current: &current }).await?;
    Ok(true)
}

/// # Errors
/// The database's.
pub async fn clear_levels(op: &mut Op<'_>, port_id: &str, host: &str) -> Result<()> {
    op.tx.execute("DELETE FROM ml2_port_binding_levels WHERE port_id = ? AND host = ?", args![port_id, host]).await.map(drop)
}

/// # Errors
/// The database's.
pub async fn write_levels(op: &mut Op<'_>, port_id: &str, host: &str, binding: &Binding) -> Result<()> {
    for (number, level) in (0i64..).zip(&binding.levels) {
        let columns = vec![
            ("port_id", port_id.into()),
            ("host", host.into()),
            ("level", number.into()),
            ("driver", level.driver.into()),
            ("segment_id", (&level.segment_id).into()),
        ];
        op.insert_row("ml2_port_binding_levels", columns).await?;
    }
    Ok(())
}

/// A port that is a physical function has that device's address: the profile names it, and without a name the port gets a new one,
/// so that another port can have the device.
///
/// # Errors
/// `MacAddressInUse`, `InvalidInput`; the database's.
pub async fn follow_device(op: &mut Op<'_>, port: &Record, inputs: &Inputs) -> Result<()> {
    if inputs.vnic_type != "direct-physical" {
        return Ok(());
    }
    let network_id = port.str("network_id");
    let named = object(&inputs.profile).get("device_mac_address").and_then(Value::as_str).map(str::to_owned);
    let mac: Mac = match named.as_deref().map(str::parse::<Mac>) {
        Some(Ok(mac)) => mac,
        Some(Err(_)) => {
            let reason = "The device_mac_address of the binding profile is no MAC address.";
            return Err(neutrino_types::error::kinds::INVALID_INPUT.error(reason));
        }
        None => crate::ports::mac::generate(op, network_id).await?,
    };
    let written = op.tx.execute("UPDATE ports SET mac_address = ? WHERE id = ?", args![mac.to_string(), port.id()]).await;
    written.map(drop).map_err(|error| crate::ports::mac::refused(error, network_id, mac, named.is_none()))
}
