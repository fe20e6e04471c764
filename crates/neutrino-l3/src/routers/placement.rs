// SPDX-License-Identifier: Apache-2.0
//! Who is told that a router has changed, so that it gets the agents that it lacks. Routers do not know how they are chosen.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Op};
use neutrino_types::Result;

/// See the module's documentation.
#[async_trait]
pub trait Placement: Send + Sync {
    /// After the commit of a change that no hook of routers sees: an interface that came or went.
    ///
    /// # Errors
    /// The database's; the change itself stands.
    async fn changed(&self, engine: &Engine, cx: &Context, router_id: &str) -> Result<()>;

    /// After the commit of a change that no hook of routers sees: the router leads to these networks no more.
    ///
    /// # Errors
    /// The database's; the change itself stands.
    async fn left(&self, engine: &Engine, cx: &Context, router_id: &str, networks: &[String]) -> Result<()>;

    /// In the transaction that makes it a router of another kind: its agents lose it. They, or others, get it again after the commit.
    ///
    /// # Errors
    /// The database's.
    async fn vacate(&self, op: &mut Op<'_>, router_id: &str) -> Result<()>;
}

/// The service, by its type.
pub struct PlacementService(pub Arc<dyn Placement>);

/// Tells whoever chooses agents. What was stored stands, whatever comes of it.
pub(super) async fn changed(engine: &Engine, cx: &Context, router_id: &str) {
    let Some(service) = engine.registry.service::<PlacementService>() else { return };
    if let Err(error) = service.0.changed(engine, cx, router_id).await {
        tracing::error!(router_id, error = %error, log = error.log().unwrap_or_default(), "the router was not scheduled");
    }
}

/// Tells it of networks to which the router leads no more.
pub(super) async fn left(engine: &Engine, cx: &Context, router_id: &str, networks: &[String]) {
    let Some(service) = engine.registry.service::<PlacementService>().filter(|_| !networks.is_empty()) else { return };
    if let Err(error) = service.0.left(engine, cx, router_id, networks).await {
        tracing::error!(router_id, error = %error, log = error.log().unwrap_or_default(), "what agents had for the router's gateways stays");
    }
}

/// Takes the router from its agents.
pub(super) async fn vacate(op: &mut Op<'_>, router_id: &str) -> Result<()> {
    match op.engine.registry.service::<PlacementService>() {
        Some(service) => service.0.vacate(op, router_id).await,
        None => Ok(()),
    }
}
