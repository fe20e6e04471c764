// SPDX-License-Identifier: Apache-2.0
//! Ports of distributed routers: bound on every host that asks, each with a row in `ml2_distributed_port_bindings`.
//!
//! Invariant: the row of a host is written by compare-and-swap, as the one binding of other ports is.

use std::{collections::HashSet, sync::Arc};

use neutrino_core::{Context, Engine, Op};
use neutrino_db::{Sql, args};
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::Value;

use super::bind::{Inputs, Outcome, ask, clear_levels, write_levels};

/// Binds a distributed port on a host for a router, unless it is bound there for that router already. A port that is gone is no
/// error. Whether anything was written.
///
/// # Errors
/// The database's.
pub async fn update_distributed_port_binding(engine: &Engine, cx: &Context, port_id: &str, host: &str, router_id: &str) -> Result<bool> {
    let cx = &cx.elevated();
    let Ok(port) = engine.original(cx, "ports", None, port_id).await else { return Ok(false) };
    if host.is_empty() || is_bound(engine, port_id, host, router_id).await? {
        return Ok(false);
    }
    let inputs = Inputs { host: host.to_owned(), vnic_type: "normal".to_owned(), profile: String::new() };
    let outcome = ask(engine, cx, &port, &inputs).await?;
    let plan = Arc::new((port, inputs, outcome, router_id.to_owned()));
    engine
        .transact(cx, "ports", "bind_distributed_port", move |op| {
            let plan = plan.clone();
            Box::pin(async move { commit(op, &plan.0, &plan.1.host, &plan.2, &plan.3).await })
        })
        .await
}

async fn is_bound(engine: &Engine, port_id: &str, host: &str, router_id: &str) -> Result<bool> {
    let text = "SELECT count(*) FROM ml2_distributed_port_bindings WHERE port_id = ? AND host = ? AND router_id = ? \
                AND vif_type NOT IN ('unbound', 'binding_failed')";
    Ok(engine.db.reader().await?.count(text, args![port_id, host, router_id]).await? > 0)
}

async fn commit(op: &mut Op<'_>, port: &Record, host: &str, outcome: &Outcome, router_id: &str) -> Result<bool> {
    let (vif_type, details) = match outcome {
        Outcome::Nothing => ("unbound", String::new()),
        Outcome::Failed => ("binding_failed", String::new()),
        Outcome::Bound(binding) => (binding.vif_type, Value::Object(binding.vif_details.clone()).to_string()),
    };
    let text = "UPDATE ml2_distributed_port_bindings SET vif_type = ?, vif_details = ?, router_id = ? WHERE port_id = ? AND host = ? \
                AND (vif_type IN ('unbound', 'binding_failed') OR router_id <> ?)";
    let known = op.tx.execute(text, args![vif_type, &details, router_id, port.id(), host, router_id]).await?;
    if known == 0 {
        let there = "SELECT count(*) FROM ml2_distributed_port_bindings WHERE port_id = ? AND host = ?";
        if op.tx.count(there, args![port.id(), host]).await? > 0 {
            return Ok(false);
        }
        let columns = vec![
            ("port_id", port.id().into()),
            ("host", host.into()),
            ("router_id", router_id.into()),
            ("vif_type", vif_type.into()),
            ("vif_details", details.into()),
            ("vnic_type", "normal".into()),
            ("profile", "".into()),
            ("status", "DOWN".into()),
        ];
        op.insert_row("ml2_distributed_port_bindings", columns).await?;
    }
    clear_levels(op, port.id(), host).await?;
    if let Outcome::Bound(binding) = outcome {
        write_levels(op, port.id(), host, binding).await?;
    }
    op.touch(port.standard_attr_id);
    Ok(true)
}

/// Takes away the bindings of all ports of a router that is distributed no more, or gone; with a host, only those there.
///
/// # Errors
/// The database's.
pub async fn delete_bindings_of_router(op: &mut Op<'_>, router_id: &str, host: Option<&str>) -> Result<()> {
    let only = |sql: &str| match host {
        Some(host) => (format!("{sql} AND host = ?"), args![router_id, host]),
        None => (sql.to_owned(), args![router_id]),
    };
    let (levels, arguments) = only(
        "DELETE FROM ml2_port_binding_levels WHERE EXISTS (SELECT 1 FROM ml2_distributed_port_bindings d \
         WHERE d.port_id = ml2_port_binding_levels.port_id AND d.host = ml2_port_binding_levels.host AND d.router_id = ?)",
    );
    op.tx.execute(&levels, arguments).await?;
    let (bindings, arguments) = only("DELETE FROM ml2_distributed_port_bindings WHERE router_id = ?");
    op.tx.execute(&bindings, arguments).await.map(drop)
}

/// Of these pairs of a port and a router, those that are not bound on the host.
///
/// # Errors
/// The database's.
pub async fn unbound_on<'a>(engine: &Engine, host: &str, ports: &'a [(String, String)]) -> Result<Vec<&'a (String, String)>> {
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::new(
        "SELECT port_id, router_id FROM ml2_distributed_port_bindings WHERE host = ? AND vif_type NOT IN ('unbound', 'binding_failed') AND ",
        args![host],
    );
    sql.append(Sql::in_texts(tx.dialect(), "port_id", ports.iter().map(|(port, _)| port.as_str())));
    let mut bound = HashSet::new();
    for row in tx.select(sql).await? {
        bound.insert((row.text(0)?, row.opt_text(1)?.unwrap_or_default()));
    }
    Ok(ports.iter().filter(|pair| !bound.contains(*pair)).collect())
}
