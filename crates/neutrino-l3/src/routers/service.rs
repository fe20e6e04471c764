// SPDX-License-Identifier: Apache-2.0
//! Routers as a service to features that know nothing of layer 3.

use async_trait::async_trait;
use neutrino_core::{Op, routers::Routers};
use neutrino_types::Result;

use super::{dvr, interfaces, rules::claim};

/// See [`Routers`].
pub struct Service;

#[async_trait]
impl Routers for Service {
    async fn plug(&self, op: &mut Op<'_>, router_id: &str, subnet_id: &str) -> Result<()> {
        let standard = claim(op, router_id).await?;
        interfaces::by_subnet(op, router_id, subnet_id).await?;
        op.touch(standard);
        dvr::align(op, router_id).await
    }

    async fn unplug(&self, op: &mut Op<'_>, router_id: &str) -> Result<()> {
        let standard = claim(op, router_id).await?;
        for port in interfaces::interfaces(op, router_id).await? {
            interfaces::remove_port(op, router_id, &port.port_id, None).await?;
        }
        op.touch(standard);
        dvr::align(op, router_id).await
    }
}
