// SPDX-License-Identifier: Apache-2.0
//! A trunk on its host: its status, and the binding of its sub-ports to the host of the parent (`update_subport_bindings` of Neutron).

use neutrino_core::{Authorized, Context, Engine, Precondition};
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
    Ok(bind_ports(engine, cx, trunk_id, &ports, host).await)
}

/// [`bind_subports`] of these ports only.
pub(super) async fn bind_ports(engine: &Engine, cx: &Context, trunk_id: &str, ports: &[String], host: &str) -> Vec<Record> {
    let cx = cx.elevated();
    let mut bound = Vec::with_capacity(ports.len());
    for port_id in ports {
        match bind_one(engine, &cx, port_id, host).await {
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
    bound
}

async fn bind_one(engine: &Engine, cx: &Context, port_id: &str, host: &str) -> Result<Record> {
    let auth = Authorized::internal("sub-ports follow the port that carries them");
    let original = engine.original(cx, "ports", None, port_id).await?;
    let wanted: Map<_, _> =
        [("binding:host_id".to_owned(), json!(host)), ("device_owner".to_owned(), json!(SUB_PORT_OWNER))].into_iter().collect();
    let body = Body::update(original.table().clone(), &wanted, &engine.registry.limits)?;
    engine.update(cx, &auth, "ports", &original, body, Precondition::default()).await
}
