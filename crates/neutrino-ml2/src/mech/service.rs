// SPDX-License-Identifier: Apache-2.0
//! Binding as a service to features that know nothing of mechanism drivers.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Op, bindings::Bindings};
use neutrino_types::Result;

use super::{distributed, status};

/// See [`Bindings`].
pub struct Service;

#[async_trait]
impl Bindings for Service {
    async fn bind_distributed(&self, engine: &Engine, cx: &Context, host: &str, ports: &[(String, String)]) -> Result<bool> {
        if ports.is_empty() {
            return Ok(false);
        }
        let mut written = false;
        for (port_id, router_id) in distributed::unbound_on(engine, host, ports).await? {
            written |= distributed::update_distributed_port_binding(engine, cx, port_id, host, router_id).await?;
        }
        Ok(written)
    }

    async fn unbind_distributed(&self, op: &mut Op<'_>, router_id: &str, host: Option<&str>) -> Result<()> {
        distributed::delete_bindings_of_router(op, router_id, host).await
    }

    async fn set_status(&self, engine: &Engine, cx: &Context, port_id: &str, status: &str) -> Result<()> {
        status::update_port_status(engine, cx, port_id, status, None).await.map(drop)
    }
}
