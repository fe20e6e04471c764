// SPDX-License-Identifier: Apache-2.0
//! What features ask of routers within a transaction of their own: to plug one into a subnet, and to unplug it.
//!
//! Layer 3 offers it as a service of the registry ([`RouterService`]), if routers are on.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_types::Result;

use crate::Op;

/// See the module's documentation.
#[async_trait]
pub trait Routers: Send + Sync {
    /// Gives a router an interface on a subnet, with the subnet's gateway address.
    ///
    /// # Errors
    /// What the rules of interfaces say; the database's.
    async fn plug(&self, op: &mut Op<'_>, router_id: &str, subnet_id: &str) -> Result<()>;

    /// Takes the interfaces of a router away.
    ///
    /// # Errors
    /// 409 for an interface that something needs; the database's.
    async fn unplug(&self, op: &mut Op<'_>, router_id: &str) -> Result<()>;
}

/// The service, by its type.
pub struct RouterService(pub Arc<dyn Routers>);
