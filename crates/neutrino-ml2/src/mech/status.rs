// SPDX-License-Identifier: Apache-2.0
//! The status of ports, as agents report it.
//!
//! A distributed port has a status for each host, and is ACTIVE while any of them is.

use neutrino_core::{Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use super::{driver::Change, manager};

const DVR_INTERFACE: &str = "network:router_interface_distributed";

/// Sets the status of a port, for a distributed port that on one host, and tells drivers and hooks of the change. False when the
/// port is gone.
///
/// # Errors
/// The database's; what a driver says in the transaction.
pub async fn update_port_status(engine: &Engine, cx: &Context, port_id: &str, status: &str, host: Option<&str>) -> Result<bool> {
    let cx = cx.elevated();
    let Ok(before) = engine.original(&cx, "ports", None, port_id).await else { return Ok(false) };
    let (status, host) = (status.to_owned(), host.map(str::to_owned));
    let port = before.clone();
    let changed = engine
        .transact(&cx, "ports", "update_port_status", move |op| {
            let (port, status, host) = (port.clone(), status.clone(), host.clone());
            Box::pin(async move { set(op, &port, &status, host.as_deref()).await })
        })
        .await?;
    if changed {
        announce(engine, &cx, &before).await?;
    }
    Ok(true)
}

/// Writes the status; whether the port's own changed.
async fn set(op: &mut Op<'_>, port: &Record, status: &str, host: Option<&str>) -> Result<bool> {
    let id = port.id();
    let mut status = status.to_owned();
    if port.str("device_owner") == DVR_INTERFACE {
        let Some(host) = host else { return Ok(false) };
        let text = "UPDATE ml2_distributed_port_bindings SET status = ? WHERE port_id = ? AND host = ?";
        op.tx.execute(text, args![&status, id, host]).await?;
        let text = "SELECT status, count(*) FROM ml2_distributed_port_bindings WHERE port_id = ? GROUP BY status";
        let all: Vec<String> = op.tx.query(text, args![id]).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        status = overall(&all).to_owned();
    }
    if op.tx.execute("UPDATE ports SET status = ? WHERE id = ? AND status <> ?", args![&status, id, &status]).await? == 0 {
        return Ok(false);
    }
    op.touch(port.standard_attr_id);
    let mut current = port.clone();
    current.set("status", status);
    manager(op.engine).port_precommit(op, Change::Updated { original: port, current: &current }).await?;
    Ok(true)
}

/// Of the statuses on all hosts.
fn overall(all: &[String]) -> &'static str {
    if all.iter().any(|one| one == "ACTIVE") {
        "ACTIVE"
    } else if all.iter().any(|one| one == "BUILD") {
        "BUILD"
    } else {
        "DOWN"
    }
}

/// Tells drivers and hooks that a port changed outside an update request.
///
/// # Errors
/// The database's; failures of those who are told are logged.
pub async fn announce(engine: &Engine, cx: &Context, before: &Record) -> Result<()> {
    let Ok(after) = engine.original(&cx.elevated(), "ports", None, before.id()).await else { return Ok(()) };
    // Its failure is logged there, and the status stands.
    manager(engine).port_postcommit(engine, cx, Change::Updated { original: before, current: &after }).await.ok();
    for hook in &engine.entry("ports")?.hooks {
        if let Err(error) = hook.after_update(engine, cx, before, &after).await {
            tracing::error!(error = %error, log = error.log().unwrap_or_default(), port = before.id(), "after update failed");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn one_active_host_is_enough() {
        let all = |texts: &[&str]| super::overall(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
        assert_eq!(all(&["DOWN", "ACTIVE", "BUILD"]), "ACTIVE");
        assert_eq!(all(&["DOWN", "BUILD"]), "BUILD");
        assert_eq!(all(&["DOWN"]), "DOWN");
        assert_eq!(all(&[]), "DOWN");
    }
}
