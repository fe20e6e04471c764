// SPDX-License-Identifier: Apache-2.0
//! Tells mechanism drivers of networks and subnets, when any driver wants to hear of them.

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook, Op};
use neutrino_model::{Body, Record};
use neutrino_types::Result;

use super::{driver::Change, manager};

macro_rules! watch {
    ($name:ident, $collection:literal, $precommit:ident, $postcommit:ident) => {
        struct $name;

        #[async_trait]
        impl Hook for $name {
            async fn create(&self, op: &mut Op<'_>, id: &str, _body: &Body) -> Result<()> {
                let record = op.find($collection, id).await?;
                manager(op.engine).$precommit(op, Change::Created(&record)).await
            }
            async fn confirm_create(&self, engine: &Engine, cx: &Context, record: &Record) -> Result<()> {
                manager(engine).$postcommit(engine, cx, Change::Created(record)).await
            }
            async fn update(&self, op: &mut Op<'_>, original: &Record, _body: &Body) -> Result<()> {
                let current = op.find($collection, original.id()).await?;
                manager(op.engine).$precommit(op, Change::Updated { original, current: &current }).await
            }
            async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, current: &Record) -> Result<()> {
                manager(engine).$postcommit(engine, cx, Change::Updated { original, current }).await
            }
            async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
                manager(op.engine).$precommit(op, Change::Deleted(original)).await
            }
            async fn after_delete(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
                manager(engine).$postcommit(engine, cx, Change::Deleted(original)).await
            }
        }
    };
}

watch!(Networks, "networks", network_precommit, network_postcommit);
watch!(Subnets, "subnets", subnet_precommit, subnet_postcommit);

pub fn register(builder: &mut Builder) {
    builder.hook("networks", Networks).hook("subnets", Subnets);
}
