// SPDX-License-Identifier: Apache-2.0
//! The ports that routers plug in, made and changed by the ports' own rules within the router's transaction.

use neutrino_core::Op;
use neutrino_db::args;
use neutrino_model::Body;
use neutrino_types::{Error, Result, ip::Ip};
use serde_json::{Value, json};

use super::errors::ROUTER_NOT_FOUND;

fn body_of(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// `fixed_ips` as ports have them.
pub(crate) fn fixed_ips<'a>(addresses: impl Iterator<Item = &'a (String, Ip)>) -> Vec<Value> {
    addresses.map(|(subnet, address)| json!({"subnet_id": subnet, "ip_address": address.to_string()})).collect()
}

/// Makes a port of the router. `project_id` is empty for a port that nobody owns.
pub(crate) async fn create(
    op: &mut Op<'_>,
    router_id: &str,
    owner: &str,
    project_id: &str,
    network_id: &str,
    fixed_ips: Option<Value>,
) -> Result<String> {
    let mut request = body_of(&json!({"network_id": network_id, "device_id": router_id, "device_owner": owner, "project_id": project_id}));
    if let Some(fixed_ips) = fixed_ips {
        request.insert("fixed_ips".to_owned(), fixed_ips);
    }
    let engine = op.engine;
    let table = engine.entry("ports")?.table.clone();
    let mut body = Body::create(table, &request, Some(project_id), &engine.registry.limits)?;
    let id = op.create_object("ports", &mut body).await?;
    attach(op, router_id, &id, owner).await?;
    Ok(id)
}

/// Notes that a port is the router's.
///
/// # Errors
/// 404 when the router has gone meanwhile; transient when somebody else plugged the port; the database's.
pub(crate) async fn attach(op: &mut Op<'_>, router_id: &str, port_id: &str, kind: &str) -> Result<()> {
    let columns = vec![("router_id", router_id.into()), ("port_id", port_id.into()), ("port_type", kind.into())];
    op.insert_row("routerports", columns).await.map_err(|error| match (error.is_duplicate(""), error.is_foreign_key()) {
        (true, _) => Error::stale(format!("port {port_id} was plugged by another request")),
        (_, true) => ROUTER_NOT_FOUND.error(format!("Router {router_id} could not be found.")),
        _ => error,
    })
}

pub(crate) async fn update(op: &mut Op<'_>, port_id: &str, request: Value) -> Result<()> {
    let engine = op.engine;
    let table = engine.entry("ports")?.table.clone();
    let mut body = Body::update(table, &body_of(&request), &engine.registry.limits)?;
    let original = op.find("ports", port_id).await?;
    op.update_object("ports", &original, &mut body).await
}

pub(crate) async fn delete(op: &mut Op<'_>, port_id: &str) -> Result<()> {
    op.tx.execute("DELETE FROM routerports WHERE port_id = ?", args![port_id]).await?;
    let Some(original) = op.load("ports", &[port_id]).await?.into_iter().next() else { return Ok(()) };
    op.delete_object("ports", &original).await
}
