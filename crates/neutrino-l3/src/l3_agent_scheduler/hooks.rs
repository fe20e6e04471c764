// SPDX-License-Identifier: Apache-2.0
//! A router is scheduled once it leads somewhere or changes, not before: until then the operator may choose an agent by hand. Its agents hear of
//! each change then.

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
        let (was, is) = (gateway_network(original), gateway_network(router));
        match was {
            Some(network) if original.bool(DISTRIBUTED) && is != was => notifier::gateway_left(engine, cx, network).await,
            _ => Ok(()),
        }
    }

    async fn after_delete(&self, engine: &Engine, cx: &Context, router: &Record) -> Result<()> {
        notifier::router_deleted(engine, cx, router.id());
        match gateway_network(router) {
            Some(network) if router.bool(DISTRIBUTED) => notifier::gateway_left(engine, cx, network).await,
            _ => Ok(()),
        }
    }
}

fn gateway_network(router: &Record) -> Option<&str> {
    router.get("external_gateway_info")["network_id"].as_str()
}

#[async_trait]
impl Placement for Changes {
    async fn changed(&self, engine: &Engine, cx: &Context, router_id: &str) -> Result<()> {
        notifier::routers_updated(engine, cx, &[router_id.to_owned()]).await
    }

    async fn vacate(&self, op: &mut Op<'_>, router_id: &str) -> Result<()> {
        op.tx.execute("DELETE FROM routerl3agentbindings WHERE router_id = ?", args![router_id]).await?;
        ha::unplug_all(op, router_id).await
    }
}
