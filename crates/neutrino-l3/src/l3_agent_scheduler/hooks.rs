// SPDX-License-Identifier: Apache-2.0
//! A router is scheduled once it leads somewhere or changes, not before: until then the operator may choose an agent by hand. Its agents hear of
//! each change then.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Op};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use crate::{
    notifier,
    routers::{Placement, ha},
};

const DISTRIBUTED: &str = "distributed";

pub struct Changes;

#[async_trait]
impl Hook for Changes {
    async fn after_create(&self, engine: &Engine, cx: &Context, router: &Record) -> Result<()> {
        if router.get("external_gateway_info").is_null() && !router.bool("ha") {
            return Ok(());
        }
        notifier::routers_updated(engine, cx, &[router.id().to_owned()]).await
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, router: &Record) -> Result<()> {
        notifier::routers_updated(engine, cx, &[router.id().to_owned()]).await?;
        let lost: Vec<&str> = gateway_networks(original).difference(&gateway_networks(router)).copied().collect();
        leave(engine, cx, original, lost).await
    }

    async fn after_delete(&self, engine: &Engine, cx: &Context, router: &Record) -> Result<()> {
        notifier::router_deleted(engine, cx, router.id());
        leave(engine, cx, router, gateway_networks(router)).await
    }
}

/// Where a router leads, by the first of its gateways and by the others.
fn gateway_networks(router: &Record) -> BTreeSet<&str> {
    let all = std::iter::once(router.get("external_gateway_info")).chain(router.list("external_gateways"));
    all.filter_map(|gateway| gateway["network_id"].as_str()).collect()
}

/// A router leads to these networks no more.
async fn leave(engine: &Engine, cx: &Context, router: &Record, networks: impl IntoIterator<Item = &str>) -> Result<()> {
    if router.bool(DISTRIBUTED) {
        for network in networks {
            notifier::gateway_left(engine, cx, network).await?;
        }
    }
    Ok(())
}

#[async_trait]
impl Placement for Changes {
    async fn changed(&self, engine: &Engine, cx: &Context, router_id: &str) -> Result<()> {
        notifier::routers_updated(engine, cx, &[router_id.to_owned()]).await
    }

    async fn left(&self, engine: &Engine, cx: &Context, router_id: &str, networks: &[String]) -> Result<()> {
        let router = engine.original(&cx.elevated(), "routers", None, router_id).await?;
        leave(engine, cx, &router, networks.iter().map(String::as_str)).await
    }

    async fn vacate(&self, op: &mut Op<'_>, router_id: &str) -> Result<()> {
        op.tx.execute("DELETE FROM routerl3agentbindings WHERE router_id = ?", args![router_id]).await?;
        ha::unplug_all(op, router_id).await
    }
}
