// SPDX-License-Identifier: Apache-2.0
//! What features ask of the core plugin about where ports are: the hosts of distributed ones, and the status that agents have yet to confirm.
//!
//! The core plugin offers it as a service of the registry ([`BindingService`]). A port that is on one host is moved by an update of its
//! `binding:host_id` through the engine, many of them together by [`Bindings::move_ports`].

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_types::Result;

use crate::{Context, Engine, Op};

/// See the module's documentation.
#[async_trait]
pub trait Bindings: Send + Sync {
    /// Binds distributed ports on a host, each for its router: pairs of a port and a router. Those that are bound there already cost no
    /// statement of their own; those that are gone are left out. Whether anything was written.
    ///
    /// # Errors
    /// The database's.
    async fn bind_distributed(&self, engine: &Engine, cx: &Context, host: &str, ports: &[(String, String)]) -> Result<bool>;

    /// Moves ports that are on one host to another, or to none (the empty name), binds those that are there already and not bound, and tells
    /// everybody. The number of statements does not grow with the ports, but for those that leave a host where they are ACTIVE. Ports that are
    /// gone are left out. Whether anything was written.
    ///
    /// # Errors
    /// The database's; then some of the ports may have been moved.
    async fn move_ports(&self, engine: &Engine, cx: &Context, host: &str, ports: &[&str]) -> Result<bool>;

    /// Takes away the bindings of a router's ports, on one host or on all.
    ///
    /// # Errors
    /// The database's.
    async fn unbind_distributed(&self, op: &mut Op<'_>, router_id: &str, host: Option<&str>) -> Result<()>;

    /// Sets the status of ports that are not distributed, all with the same number of statements, and tells everybody. Ports that are gone
    /// are left out.
    ///
    /// # Errors
    /// The database's.
    async fn set_statuses(&self, engine: &Engine, cx: &Context, ports: &[&str], status: &str) -> Result<()>;
}

/// The service, by its type.
pub struct BindingService(pub Arc<dyn Bindings>);
