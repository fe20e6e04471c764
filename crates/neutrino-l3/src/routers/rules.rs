// SPDX-License-Identifier: Apache-2.0
//! The rules of routers: what a create, an update, a delete and an action do, in order.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record, View};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Value, json};

use super::{
    INTERFACE_OWNERS, Settings, attached, default_routes, dvr,
    errors::{ROUTER_IN_USE, ROUTER_NOT_FOUND},
    gateway::{self, Wanted},
    ha, interfaces, loaders, multihoming, placement, ports,
    routes::{self, ROUTES},
};

pub struct Routers {
    pub(super) settings: Settings,
}

#[async_trait]
impl Behaviour for Routers {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        ensure_visible(engine, cx, body).await
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        loaders::check_hints(op, body).await?;
        dvr::create(body, &self.settings);
        ha::create(op, body)?;
        default_routes::create(body, &self.settings);
        op.insert(id, body, &[("status", "ACTIVE".into()), ("enable_snat", true.into())]).await?;
        if body.bool(ha::HA) == Some(true) {
            let project_id = body.project_id().to_owned();
            ha::join(op, id, &project_id).await?;
        }
        if let Some(wanted) = wanted(body).filter(|wanted| wanted.network_id.is_some()) {
            gateway::apply(op, id, &wanted, self.settings.snat_by_default).await?;
        }
        Ok(())
    }

    async fn before_update(&self, engine: &Engine, cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        ensure_visible(engine, cx, body).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        let id = original.id();
        claim(op, id).await?;
        let migrates = dvr::check_change(original, body)?;
        let becomes_ha = ha::check_change(original, body)?;
        default_routes::update(body);
        let mut changed = false;
        if let Some(asked) = body.list(ROUTES) {
            changed |= routes::replace(op, id, &routes::read(asked)?).await?;
        }
        if let Some(wanted) = wanted(body) {
            changed |= gateway::apply(op, id, &wanted, self.settings.snat_by_default).await?;
        }
        if changed {
            op.touch(original.standard_attr_id);
        }
        op.update(original, body).await?;
        if migrates || becomes_ha.is_some() {
            migrate(op, original, becomes_ha).await?;
        }
        Ok(())
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let id = original.id();
        claim(op, id).await?;
        let interfaces: Vec<String> = attached::ports(op, id)
            .await?
            .into_iter()
            .filter(|port| INTERFACE_OWNERS.contains(&port.kind.as_str()))
            .map(|port| port.port_id)
            .collect();
        if !interfaces.is_empty() {
            let (shown, more) = (&interfaces[..interfaces.len().min(20)], if interfaces.len() > 20 { ", ..." } else { "" });
            return Err(ROUTER_IN_USE.error(format!("Router {id} has ports still attached: {}{more}.", shown.join(", "))));
        }
        gateway::remove(op, id).await?;
        for port in attached::ports(op, id).await? {
            ports::delete(op, &port.port_id).await?;
        }
        if original.bool(ha::HA) {
            ha::leave(op, id, original.project_id()).await?;
        }
        op.delete(original).await
    }

    async fn action(&self, engine: &Engine, cx: &Context, name: &str, id: &str, request: &Value) -> Result<(u16, Value)> {
        match name {
            "add_router_interface" => interfaces::add(engine, cx, id, request).await,
            "remove_router_interface" => interfaces::remove(engine, cx, id, request).await,
            "add_extraroutes" => extra_routes(engine, cx, true, id, request).await,
            "remove_extraroutes" => extra_routes(engine, cx, false, id, request).await,
            _ => multihoming::act(engine, cx, name, id, request, self.settings.snat_by_default).await,
        }
    }
}

/// What a request wants of the gateway; `None` when it does not speak of it.
fn wanted(body: &Body) -> Option<Wanted> {
    body.get(gateway::INFO).map(Wanted::read)
}

async fn ensure_visible(engine: &Engine, cx: &Context, body: &Body) -> Result<()> {
    match wanted(body) {
        Some(wanted) => wanted.ensure_visible(engine, cx).await,
        None => Ok(()),
    }
}

/// `add_extraroutes`, `remove_extraroutes`: changes against the routes as they are, in one transaction. One that is there already, or
/// not there, is no error.
async fn extra_routes(engine: &Engine, cx: &Context, adds: bool, id: &str, request: &Value) -> Result<(u16, Value)> {
    let asked = request["router"][ROUTES].as_array().ok_or_else(|| {
        kinds::BAD_REQUEST.error("The request must have a list of routes: {\"router\": {\"routes\": [{\"destination\", \"nexthop\"}]}}.")
    })?;
    let (asked, router_id) = (routes::read(asked)?, id.to_owned());
    engine
        .transact(cx, "routers", "extra routes", |op| {
            let (asked, id) = (asked.clone(), router_id.clone());
            Box::pin(async move {
                let standard = claim(op, &id).await?;
                let old = routes::of(op, &id).await?;
                let kept = old.iter().filter(|route| adds || !asked.contains(route));
                let added = asked.iter().filter(|route| adds && !old.contains(route));
                let new: Vec<_> = kept.chain(added).cloned().collect();
                if routes::replace(op, &id, &new).await? {
                    op.touch(standard);
                }
                Ok(())
            })
        })
        .await?;
    placement::changed(engine, cx, id).await;
    shown(engine, cx, id).await
}

/// The router as the answer of an action: what the caller may see of it.
pub(super) async fn shown(engine: &Engine, cx: &Context, id: &str) -> Result<(u16, Value)> {
    let router = engine.original(cx, "routers", None, id).await?;
    let hidden = engine.judge(cx).read("routers", None).await?.hidden(engine, cx, Some(&router)).await?;
    let mut text = Vec::new();
    let is_hidden = |name: &str| router.table().find(name).and_then(|at| hidden.get(at)).copied().unwrap_or(false);
    View::new(router.table(), |name| !is_hidden(name)).write(&router, &mut text);
    let shown: Value = serde_json::from_slice(&text).map_err(|error| Error::internal(format!("a router that is no JSON: {error}")))?;
    Ok((200, json!({ "router": shown })))
}

/// One change of a router at a time; gives its standard attributes.
///
/// # Errors
/// 404 when it is gone; the database's.
pub(super) async fn claim(op: &mut Op<'_>, id: &str) -> Result<i64> {
    op.lock("routers", id).await?.ok_or_else(|| ROUTER_NOT_FOUND.error(format!("Router {id} could not be found.")))
}

/// A router of another kind needs other agents, and other ports.
async fn migrate(op: &mut Op<'_>, original: &Record, becomes_ha: Option<bool>) -> Result<()> {
    let id = original.id();
    placement::vacate(op, id).await?;
    match becomes_ha {
        Some(true) => ha::join(op, id, original.project_id()).await?,
        Some(false) => ha::leave(op, id, original.project_id()).await?,
        None => {}
    }
    dvr::migrate(op, id).await
}

/// Who owns the router, and the owner of its interfaces.
pub(super) async fn facts(op: &mut Op<'_>, id: &str) -> Result<(String, &'static str)> {
    let sql =
        "SELECT r.project_id, e.distributed, e.ha FROM routers r LEFT JOIN router_extra_attributes e ON e.router_id = r.id WHERE r.id = ?";
    let row = op.tx.query_one(sql, args![id]).await?;
    let row = row.ok_or_else(|| ROUTER_NOT_FOUND.error(format!("Router {id} could not be found.")))?;
    let is = |value: Option<i64>| value.unwrap_or_default() != 0;
    Ok((row.opt_text(0)?.unwrap_or_default(), dvr::interface_owner(is(row.opt_int(1)?), is(row.opt_int(2)?))))
}
