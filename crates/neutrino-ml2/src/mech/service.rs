// SPDX-License-Identifier: Apache-2.0
//! Binding as a service to features that know nothing of mechanism drivers.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Op, bindings::Bindings};
use neutrino_types::Result;

use super::{bulk, distributed, status};

/// See [`Bindings`].
pub struct Service;

#[async_trait]
impl Bindings for Service {
    async fn bind_distributed(&self, engine: &Engine, cx: &Context, host: &str, ports: &[(String, String)]) -> Result<bool> {
        bulk::bind_distributed(engine, cx, host, ports).await
    }

    async fn move_ports(&self, engine: &Engine, cx: &Context, host: &str, ports: &[&str]) -> Result<bool> {
        bulk::move_ports(engine, cx, host, ports).await
    }

    async fn unbind_distributed(&self, op: &mut Op<'_>, router_id: &str, host: Option<&str>) -> Result<()> {
        distributed::delete_bindings_of_router(op, router_id, host).await
    }

    async fn set_statuses(&self, engine: &Engine, cx: &Context, ports: &[&str], status: &str) -> Result<()> {
        status::update_statuses(engine, cx, ports, status).await.map(drop)
    }
}
