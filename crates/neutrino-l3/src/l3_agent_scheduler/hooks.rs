// SPDX-License-Identifier: Apache-2.0
//! A router is scheduled once it leads somewhere or changes, not before: until then the operator may choose an agent by hand.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Op};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::Result;

use super::schedule;
use crate::routers::{Placement, ha};

pub struct Changes;

#[async_trait]
impl Hook for Changes {
    async fn after_create(&self, engine: &Engine, cx: &Context, router: &Record) -> Result<()> {
        if router.get("external_gateway_info").is_null() && !router.bool("ha") {
            return Ok(());
        }
        schedule(engine, cx, router.id()).await.map(drop)
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, _original: &Record, router: &Record) -> Result<()> {
        schedule(engine, cx, router.id()).await.map(drop)
    }
}

#[async_trait]
impl Placement for Changes {
    async fn changed(&self, engine: &Engine, cx: &Context, router_id: &str) -> Result<()> {
        schedule(engine, cx, router_id).await.map(drop)
    }

    async fn vacate(&self, op: &mut Op<'_>, router_id: &str) -> Result<()> {
        op.tx.execute("DELETE FROM routerl3agentbindings WHERE router_id = ?", args![router_id]).await?;
        ha::unplug_all(op, router_id).await
    }
}
