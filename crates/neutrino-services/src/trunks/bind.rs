// SPDX-License-Identifier: Apache-2.0
//! A trunk on its host: its status, and the binding of its sub-ports to the host of the parent (`update_subport_bindings` of Neutron).

use std::collections::HashMap;

use neutrino_core::{Authorized, Context, Engine, Filter, ListQuery, Precondition};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::Result;
use serde_json::{Map, json};

/// The owner of a port that is carried by a trunk.
const SUB_PORT_OWNER: &str = "trunk:subport";

/// Sets the status of a trunk; one that is gone is no error. Whether it changed.
///
/// # Errors
/// The database's.
pub async fn set_status(engine: &Engine, cx: &Context, trunk_id: &str, status: &str) -> Result<bool> {
    let (id, status) = (trunk_id.to_owned(), status.to_owned());
    engine
        .transact(&cx.elevated(), "trunks", "set trunk status", move |op| {
            let (id, status) = (id.clone(), status.clone());
            Box::pin(async move {
                let text = "UPDATE trunks SET status = ? WHERE id = ? AND status <> ?";
                let changed = op.tx.execute(text, args![&status, &id, &status]).await? > 0;
                if changed {
                    op.touch_object("trunks", &id).await?;
                }
                Ok(changed)
            })
        })
        .await
}

/// Binds the sub-ports of a trunk to the host of its parent, each by the rules of ports. The ports as they are then; one that cannot be bound is
/// logged and stays with its status for the operator to see.
///
/// # Errors
/// The database's, of reading the trunk.
pub async fn bind_subports(engine: &Engine, cx: &Context, trunk_id: &str, host: &str) -> Result<Vec<Record>> {
    let sql = "SELECT port_id FROM subports WHERE trunk_id = ? ORDER BY segmentation_type, segmentation_id";
    let rows = engine.db.reader().await?.query(sql, args![trunk_id]).await?;
    let ports = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    bind_ports(engine, cx, trunk_id, &ports, host).await
}

/// [`bind_subports`] of these ports only. Those that are where they shall be, as when an agent comes back, cost nothing more than one list.
///
/// # Errors
/// The database's, of reading the ports.
pub(super) async fn bind_ports(engine: &Engine, cx: &Context, trunk_id: &str, ports: &[String], host: &str) -> Result<Vec<Record>> {
    let cx = cx.elevated();
    let mut now = loaded(engine, &cx, ports).await?;
    let mut bound = Vec::with_capacity(ports.len());
    for port_id in ports {
        // One that is gone, or given twice.
        let Some(port) = now.remove(port_id) else { continue };
        if is_there(&port, host) {
            bound.push(port);
            continue;
        }
        match bind_one(engine, &cx, &port, host).await {
            Ok(port) => {
                if port.str("binding:vif_type") == "binding_failed" {
                    tracing::error!(trunk_id, port_id, host, "the sub-port could not be bound");
                }
                bound.push(port);
            }
            Err(error) => {
                tracing::error!(trunk_id, port_id, host, error = %error, log = error.log().unwrap_or_default(), "the sub-port could not be bound");
            }
        }
    }
    Ok(bound)
}

fn auth() -> Authorized {
    Authorized::internal("sub-ports follow the port that carries them")
}

/// The ports that are there, by id.
async fn loaded(engine: &Engine, cx: &Context, ports: &[String]) -> Result<HashMap<String, Record>> {
    if ports.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = ListQuery::default();
    if let Some(attribute) = engine.entry("ports")?.table.find("id") {
        query.filters.push(Filter { attribute, values: ports.iter().map(|id| id.as_str().into()).collect() });
    }
    let auth = auth();
    let ports = engine.db.retry("load", || engine.list(cx, &auth, "ports", None, &query)).await?;
    Ok(ports.into_iter().map(|port| (port.id().to_owned(), port)).collect())
}

/// Is it bound to the host already, as a sub-port?
fn is_there(port: &Record, host: &str) -> bool {
    port.str("binding:host_id") == host
        && port.str("device_owner") == SUB_PORT_OWNER
        && (host.is_empty() || !matches!(port.str("binding:vif_type"), "unbound" | "binding_failed"))
}

async fn bind_one(engine: &Engine, cx: &Context, original: &Record, host: &str) -> Result<Record> {
    let wanted: Map<_, _> =
        [("binding:host_id".to_owned(), json!(host)), ("device_owner".to_owned(), json!(SUB_PORT_OWNER))].into_iter().collect();
    let body = Body::update(original.table().clone(), &wanted, &engine.registry.limits)?;
    engine.update(cx, &auth(), "ports", original, body, Precondition::default()).await
}
