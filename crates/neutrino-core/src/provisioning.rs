// SPDX-License-Identifier: Apache-2.0
//! What features that get ports ready ask of the core plugin: to take note that their part is done.
//!
//! The core plugin offers it as a service of the registry ([`ProvisioningService`]). Refuses to own: which parts there are, and what a port's
//! status is.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_types::Result;

use crate::{Context, Engine};

/// The entity whose part is done when a port's addresses are with its DHCP agents.
pub const DHCP: &str = "DHCP";

/// See the module's documentation.
#[async_trait]
pub trait Provisioning: Send + Sync {
    /// The entity has done its part for these ports: those for which nothing is left to be done become ACTIVE. Ports that are gone are no error.
    ///
    /// # Errors
    /// The database's.
    async fn complete(&self, engine: &Engine, cx: &Context, port_ids: &[String], entity: &str) -> Result<()>;
}

/// The service, by its type.
pub struct ProvisioningService(pub Arc<dyn Provisioning>);
