// SPDX-License-Identifier: Apache-2.0
//! The rules of floating IPs: what a create, an update and a delete check and write, in order.
//!
//! An update that names neither a port nor a router leaves the association alone, except that an update of nothing at all ends it, as it
//! always has. `status` is DOWN until the agent of the router says otherwise.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Op};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result};

use super::{
    association::{self, Asked, Association, claim},
    errors::{ALREADY_ASSOCIATED, PORT_NOT_FOUND, bad},
    outside,
};

pub struct FloatingIps;

/// What the caller names must be in its sight.
async fn ensure_visible(engine: &Engine, cx: &Context, body: &Body) -> Result<()> {
    for (attribute, collection) in [("port_id", "ports"), ("router_id", "routers")] {
        if let Some(id) = body.str(attribute) {
            engine.original(cx, collection, None, id).await?;
        }
    }
    Ok(())
}

fn ensure_address_has_port(body: &Body) -> Result<()> {
    if body.str("fixed_ip_address").is_some() && body.str("port_id").is_none() {
        return Err(bad("fixed_ip_address cannot be specified without a port_id"));
    }
    Ok(())
}

fn is_empty(body: &Body) -> bool {
    (0..body.table().attributes.len()).all(|at| !body.is_explicit(at))
}

fn set(body: &mut Body, association: Association) {
    body.set("port_id", association.port_id);
    body.set("fixed_ip_address", association.address);
    body.set("router_id", association.router_id);
}

/// What the keys of the table say to the caller.
fn refused(error: Error, floating_ip: &str, association: &Association) -> Error {
    let port = association.port_id.as_deref().unwrap_or_default();
    if error.is_duplicate("") {
        return ALREADY_ASSOCIATED.error(format!(
            "Cannot associate floating IP {floating_ip} with port {port} using fixed IP {}, as that fixed IP already has a floating IP on \
             the same external network.",
            association.address.as_deref().unwrap_or_default()
        ));
    }
    if error.is_foreign_key() && !port.is_empty() {
        return PORT_NOT_FOUND.error(format!("Port {port} could not be found."));
    }
    error
}

#[async_trait]
impl Behaviour for FloatingIps {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        if let Some(network_id) = body.str("floating_network_id") {
            engine.original(cx, "networks", None, network_id).await?;
        }
        ensure_address_has_port(body)?;
        ensure_visible(engine, cx, body).await
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let network_id = body.str("floating_network_id").unwrap_or_default().to_owned();
        let asked = outside::Asked { network_id: &network_id, subnet_id: body.str("subnet_id"), address: body.str("floating_ip_address") };
        let (outside_port, address) = outside::create(op, id, &asked).await?;
        let association = match body.str("port_id") {
            Some(port_id) => {
                let (fixed, router_id, project_id) = (body.str("fixed_ip_address"), body.str("router_id"), body.project_id());
                association::find(op, &Asked { port_id, address: fixed, router_id, network_id: &network_id, project_id }).await?
            }
            None => Association::default(),
        };
        set(body, association.clone());
        body.set("floating_ip_address", address.to_string());
        let columns = [("status", "DOWN".into()), ("floating_port_id", outside_port.into())];
        op.insert(id, body, &columns).await.map_err(|error| refused(error, &address.to_string(), &association))
    }

    async fn before_update(&self, engine: &Engine, cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        ensure_address_has_port(body)?;
        ensure_visible(engine, cx, body).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        let held = claim(op, original.id()).await?;
        let was = Association { port_id: held.port_id, address: held.address, router_id: held.router_id };
        if (was.port_id.as_deref(), was.router_id.as_deref()) != (original.opt_str("port_id"), original.opt_str("router_id")) {
            return Err(Error::stale(format!("floating IP {} changed in between", original.id())));
        }
        let becomes = becomes(op, original, body, &was).await?;
        set(body, becomes.clone());
        op.update(original, body).await.map_err(|error| refused(error, &held.outside, &becomes))?;
        if becomes != was {
            // An agent that still serves it knows by this whose it was.
            op.update_row("floatingips", "id", original.id(), vec![("last_known_router_id", was.router_id.into())]).await?;
        }
        Ok(())
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let held = claim(op, original.id()).await?;
        op.delete(original).await?;
        outside::delete(op, &held.outside_port_id).await
    }
}

/// Where the floating IP leads after an update.
async fn becomes(op: &mut Op<'_>, original: &Record, body: &Body, was: &Association) -> Result<Association> {
    let named = body.str("port_id");
    let kept = was.port_id.as_deref().filter(|_| !body.names("port_id") && !is_empty(body));
    let (port_id, address) = match (named, kept) {
        (Some(port_id), _) => (port_id, body.str("fixed_ip_address")),
        (None, Some(port_id)) if body.names("router_id") => (port_id, was.address.as_deref()),
        (None, Some(_)) => return Ok(was.clone()),
        // A floating IP without a port, but with a router, is one of port forwardings; these decide on its router.
        (None, None) if was.port_id.is_none() => return Ok(was.clone()),
        (None, None) => return Ok(Association::default()),
    };
    let (network_id, project_id) = (original.str("floating_network_id"), original.project_id());
    association::find(op, &Asked { port_id, address, router_id: body.str("router_id"), network_id, project_id }).await
}
