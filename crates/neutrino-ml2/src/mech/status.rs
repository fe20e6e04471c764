// SPDX-License-Identifier: Apache-2.0
//! The status of ports, as agents report it.
//!
//! A distributed port has a status for each host, and is ACTIVE while any of them is. Many ports change with a constant number of
//! statements; only those of distributed ports are written one by one. Invariant: a port becomes ACTIVE by a report of an agent only while
//! it is claimed, bound and not blocked.

use std::sync::Arc;

use neutrino_core::{Context, Engine, Op};
use neutrino_db::{Sql, args};
use neutrino_model::Record;
use neutrino_types::Result;

use super::{driver::Change, manager, portbindings::DVR_INTERFACE};

/// Sets the status of a port, for a distributed port that on one host, and tells drivers and hooks of the change. False when the
/// port is gone.
///
/// # Errors
/// The database's; what a driver says in the transaction.
pub async fn update_port_status(engine: &Engine, cx: &Context, port_id: &str, status: &str, host: Option<&str>) -> Result<bool> {
    let cx = cx.elevated();
    let Ok(before) = engine.original(&cx, "ports", None, port_id).await else { return Ok(false) };
    if before.str("device_owner") == DVR_INTERFACE {
        if let Some(host) = host {
            update_on_host(engine, &cx, &before, status, host).await?;
        }
        return Ok(true);
    }
    update_statuses(engine, &cx, &[port_id], status).await?;
    Ok(true)
}

/// Sets the status of ports that are not distributed, and tells drivers and hooks of those that change; these.
///
/// # Errors
/// The database's; what a driver says in the transaction.
pub async fn update_statuses(engine: &Engine, cx: &Context, ids: &[&str], status: &str) -> Result<Vec<String>> {
    change(engine, cx, Asked { ids: owned(ids), status: status.to_owned(), entity: None }).await
}

/// An entity has done its part for ports: its blocks go, and ports without another become ACTIVE if they are bound and administratively up.
/// Those that did.
///
/// # Errors
/// The database's; what a driver says in the transaction.
pub async fn complete(engine: &Engine, cx: &Context, ids: &[&str], entity: &str) -> Result<Vec<String>> {
    change(engine, cx, Asked { ids: owned(ids), status: "ACTIVE".to_owned(), entity: Some(entity.to_owned()) }).await
}

fn owned(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

struct Asked {
    ids: Vec<String>,
    status: String,
    /// Whose blocks go; then only ports that are ready change.
    entity: Option<String>,
}

/// Writes what is asked in one transaction, and tells everybody of the ports that changed; these.
async fn change(engine: &Engine, cx: &Context, asked: Asked) -> Result<Vec<String>> {
    if asked.ids.is_empty() {
        return Ok(Vec::new());
    }
    let (cx, asked) = (&cx.elevated(), Arc::new(asked));
    let before = engine
        .transact(cx, "ports", "update_port_status", move |op| {
            let asked = asked.clone();
            Box::pin(async move {
                let ids: Vec<&str> = asked.ids.iter().map(String::as_str).collect();
                op.lock_all("ports", &ids).await?;
                let mut sql = match &asked.entity {
                    Some(entity) => {
                        unblock(op, &ids, entity).await?;
                        Sql::new(READY, args![true])
                    }
                    None => Sql::raw("SELECT p.id FROM ports p WHERE "),
                };
                sql.append(Sql::in_texts(op.tx.dialect(), "p.id", ids.iter().copied()));
                sql.push(" AND p.device_owner <> ").bind(DVR_INTERFACE).push(" AND p.status <> ").bind(&asked.status);
                let changing: Vec<String> = op.tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
                set(op, &changing, &asked.status).await
            })
        })
        .await?;
    announce_all(engine, cx, &before).await?;
    Ok(before.iter().map(|port| port.id().to_owned()).collect())
}

/// Ports that nothing keeps from being ACTIVE.
const READY: &str = "SELECT p.id FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
    WHERE b.vif_type NOT IN ('unbound', 'binding_failed') AND p.admin_state_up = ? \
    AND NOT EXISTS (SELECT 1 FROM provisioningblocks k WHERE k.standard_attr_id = p.standard_attr_id) AND ";

async fn unblock(op: &mut Op<'_>, ids: &[&str], entity: &str) -> Result<()> {
    let mut sql = Sql::new(
        "DELETE FROM provisioningblocks WHERE entity = ? AND standard_attr_id IN (SELECT standard_attr_id FROM ports WHERE ",
        args![entity],
    );
    sql.append(Sql::in_texts(op.tx.dialect(), "id", ids.iter().copied())).push(")");
    op.tx.run(sql).await.map(drop)
}

/// Writes the status of ports, which are given back as they were.
async fn set(op: &mut Op<'_>, ids: &[String], status: &str) -> Result<Vec<Record>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let before = op.load("ports", &ids).await?;
    let mut sql = Sql::new("UPDATE ports SET status = ? WHERE ", args![status]);
    sql.append(Sql::in_texts(op.tx.dialect(), "id", ids.iter().copied()));
    op.tx.run(sql).await?;
    for port in &before {
        op.touch(port.standard_attr_id);
        let mut current = port.clone();
        current.set("status", status);
        manager(op.engine).port_precommit(op, Change::Updated { original: port, current: &current }).await?;
    }
    Ok(before)
}

/// Sets the status of a distributed port on a host. A binding that no router wants goes when it is down.
async fn update_on_host(engine: &Engine, cx: &Context, before: &Record, status: &str, host: &str) -> Result<()> {
    let what = Arc::new((before.clone(), status.to_owned(), host.to_owned()));
    let (there, own) = engine
        .transact(cx, "ports", "update_port_status_on_host", move |op| {
            let what = what.clone();
            Box::pin(async move { set_on_host(op, &what.0, &what.1, &what.2).await })
        })
        .await?;
    if there {
        manager(engine).status_on_host(engine, cx, before.id(), host, status).await;
    }
    if own {
        announce(engine, cx, before).await?;
    }
    if there && status == "DOWN" {
        let what = Arc::new((before.id().to_owned(), host.to_owned()));
        engine
            .transact(cx, "ports", "drop_stale_binding", move |op| {
                let what = what.clone();
                Box::pin(async move { drop_stale(op, &what.0, &what.1).await })
            })
            .await?;
    }
    Ok(())
}

async fn drop_stale(op: &mut Op<'_>, port_id: &str, host: &str) -> Result<()> {
    let text = "DELETE FROM ml2_distributed_port_bindings WHERE port_id = ? AND host = ? AND status = 'DOWN' \
                AND (router_id IS NULL OR router_id = '')";
    if op.tx.execute(text, args![port_id, host]).await? > 0 {
        super::bind::clear_levels(op, port_id, host).await?;
    }
    Ok(())
}

/// Whether the status on the host changed, and whether the port's own did.
async fn set_on_host(op: &mut Op<'_>, port: &Record, status: &str, host: &str) -> Result<(bool, bool)> {
    let id = port.id();
    op.lock_all("ports", &[id]).await?;
    let text = "UPDATE ml2_distributed_port_bindings SET status = ? WHERE port_id = ? AND host = ? AND status <> ?";
    if op.tx.execute(text, args![status, id, host, status]).await? == 0 {
        return Ok((false, false));
    }
    // As in Neutron: the binding is a part of the port, and its own status is another change.
    op.touch(port.standard_attr_id);
    let text = "SELECT status FROM ml2_distributed_port_bindings WHERE port_id = ? GROUP BY status";
    let all: Vec<String> = op.tx.query(text, args![id]).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    let whole = overall(&all);
    if op.tx.execute("UPDATE ports SET status = ? WHERE id = ? AND status <> ?", args![whole, id, whole]).await? == 0 {
        return Ok((true, false));
    }
    op.tx.execute("UPDATE standardattributes SET revision_number = revision_number + 1 WHERE id = ?", args![port.standard_attr_id]).await?;
    let mut current = port.clone();
    current.set("status", whole);
    manager(op.engine).port_precommit(op, Change::Updated { original: port, current: &current }).await?;
    Ok((true, true))
}

/// Of the statuses on all hosts.
fn overall(all: &[String]) -> &'static str {
    if all.iter().any(|one| one == "ACTIVE") {
        "ACTIVE"
    } else if all.iter().any(|one| one == "DOWN") {
        "DOWN"
    } else {
        "BUILD"
    }
}

/// Tells drivers and hooks that a port changed outside an update request.
///
/// # Errors
/// The database's; failures of those who are told are logged.
pub async fn announce(engine: &Engine, cx: &Context, before: &Record) -> Result<()> {
    announce_all(engine, cx, std::slice::from_ref(before)).await
}

/// [`announce`] of several ports, which are loaded together.
///
/// # Errors
/// As there.
pub async fn announce_all(engine: &Engine, cx: &Context, before: &[Record]) -> Result<()> {
    if before.is_empty() {
        return Ok(());
    }
    let after = crate::rpc::load::whole(engine, &cx.elevated(), "ports", before.iter().map(Record::id)).await?;
    let pairs: Vec<(&Record, &Record)> = before.iter().filter_map(|before| Some((before, after.get(before.id())?))).collect();
    announce_pairs(engine, cx, &pairs).await
}

/// [`announce_all`] of ports as they were and as they are.
///
/// # Errors
/// Internal: there are no ports.
pub async fn announce_pairs(engine: &Engine, cx: &Context, pairs: &[(&Record, &Record)]) -> Result<()> {
    manager(engine).ports_postcommit(engine, cx, pairs).await;
    for hook in &engine.entry("ports")?.hooks {
        for (before, after) in pairs {
            if let Err(error) = hook.after_update(engine, cx, before, after).await {
                tracing::error!(error = %error, log = error.log().unwrap_or_default(), port = before.id(), "after update failed");
            }
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
        assert_eq!(all(&["DOWN", "BUILD"]), "DOWN");
        assert_eq!(all(&["BUILD"]), "BUILD");
        assert_eq!(all(&[]), "BUILD");
    }
}
