// SPDX-License-Identifier: Apache-2.0
//! The HA network of a project: it belongs to nobody, so that the project neither sees nor counts it.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::args;
use neutrino_model::Body;
use neutrino_types::{Error, Kind, Result};
use serde_json::{Map, Value, json};

use super::{HA, settings};

const DUPLICATE: Kind = Kind::new("DuplicatedHANetwork", 409);

/// The project's HA network, made when there is none, claimed for this transaction.
pub(super) async fn ensure(op: &mut Op<'_>, project_id: &str) -> Result<String> {
    if let Some(network_id) = claim(op, project_id).await? {
        // A network that was given by hand, or by a server that broke off, may have no subnet.
        if op.tx.count("SELECT count(*) FROM subnets WHERE network_id = ?", args![&network_id]).await? == 0 {
            add_subnet(op, &network_id, project_id).await?;
        }
        return Ok(network_id);
    }
    let wanted = settings(op)?;
    let mut request =
        json!({"name": format!("HA network project {project_id}"), "project_id": "", "shared": false, "admin_state_up": true});
    if let Some(network_type) = &wanted.network_type {
        request["provider:network_type"] = network_type.as_str().into();
    }
    if let Some(physical_network) = &wanted.physical_network {
        request["provider:physical_network"] = physical_network.as_str().into();
    }
    let network_id = make(op, "networks", &request).await?;
    note(op, project_id, &network_id).await.map_err(|error| match error.is_duplicate("") {
        true => Error::stale(format!("project {project_id} got its HA network by another request")),
        false => error,
    })?;
    add_subnet(op, &network_id, project_id).await?;
    Ok(network_id)
}

/// The project's HA network, if there is one; nobody else uses or removes it until the transaction ends.
pub(super) async fn claim(op: &mut Op<'_>, project_id: &str) -> Result<Option<String>> {
    let row = op.tx.query_one("SELECT network_id FROM ha_router_networks WHERE project_id = ?", args![project_id]).await?;
    let Some(network_id) = row.map(|row| row.text(0)).transpose()? else { return Ok(None) };
    match op.lock("networks", &network_id).await? {
        Some(_) => Ok(Some(network_id)),
        None => Err(Error::stale(format!("the HA network {network_id} has just gone"))),
    }
}

/// Removes the network; its row, its VRIDs and its subnet go with it. One that somebody else uses stays.
pub(super) async fn remove(op: &mut Op<'_>, network_id: &str) -> Result<()> {
    if op.tx.count("SELECT count(*) FROM ports WHERE network_id = ?", args![network_id]).await? > 0 {
        return Ok(());
    }
    let network = op.find("networks", network_id).await?;
    let cx = op.cx.elevated();
    op.seen_by(&cx).delete_object("networks", &network).await
}

async fn add_subnet(op: &mut Op<'_>, network_id: &str, project_id: &str) -> Result<()> {
    let request = json!({
        "network_id": network_id, "project_id": "", "name": format!("HA subnet project {project_id}"), "ip_version": 4,
        "cidr": settings(op)?.cidr, "enable_dhcp": false, "gateway_ip": null,
    });
    make(op, "subnets", &request).await.map(drop)
}

/// Makes an object by its collection's own rules, on the server's account: the project does not see it.
pub(super) async fn make(op: &mut Op<'_>, collection: &str, request: &Value) -> Result<String> {
    let request: Map<String, Value> = request.as_object().cloned().unwrap_or_default();
    let engine = op.engine;
    let mut body = Body::create(engine.entry(collection)?.table.clone(), &request, Some(""), &engine.registry.limits)?;
    let cx = op.cx.elevated();
    op.seen_by(&cx).create_object(collection, &mut body).await
}

async fn note(op: &mut Op<'_>, project_id: &str, network_id: &str) -> Result<()> {
    op.insert_row("ha_router_networks", vec![("project_id", project_id.into()), ("network_id", network_id.into())]).await
}

/// `ha` of a new network: the operator gives the project its HA network by hand.
pub(super) struct Given;

#[async_trait]
impl Hook for Given {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        if body.bool(HA) != Some(true) {
            return Ok(());
        }
        let project_id = op.cx.project_id().to_owned();
        note(op, &project_id, id).await.map_err(|error| match error.is_duplicate("") {
            true => DUPLICATE.error(format!("Project {project_id} has an HA network already.")),
            false => error,
        })
    }
}
