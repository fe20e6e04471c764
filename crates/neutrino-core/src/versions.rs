// SPDX-License-Identifier: Apache-2.0
//! Versioned objects, as other features see them: who hears from agents which versions they understand says so here, and who removes rows by its
//! own SQL says which objects go.
//!
//! Owns: the way between the features. Refuses to own: the objects and their versions (their feature does, as the service
//! [`ResourceVersionsService`]) and the reports of agents (the feature of agents does). What is made or changed is seen by watchers
//! ([`Op::changed`]); what goes is loaded while it is still there.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_types::Result;
use serde_json::{Map, Value};

use crate::{Context, Engine, Op};

/// See the module's documentation.
#[async_trait]
pub trait ResourceVersions: Send + Sync {
    /// An agent said in a report which version of each kind of object it understands (`{"Port": "1.11"}`). Takes note at once; other
    /// servers hear of it later.
    fn reported(&self, engine: &Engine, cx: &Context, agent_type: &str, host: &str, versions: &Map<String, Value>);

    /// Objects of a kind (`SubPort`) that this transaction is about to delete: agents hear of it after its commit.
    ///
    /// # Errors
    /// The database's.
    async fn going(&self, op: &mut Op<'_>, kind: &str, ids: &[&str]) -> Result<()>;
}

/// The service, by its type.
pub struct ResourceVersionsService(pub Arc<dyn ResourceVersions>);

/// [`ResourceVersions::reported`], if anybody pushes objects.
pub fn reported(engine: &Engine, cx: &Context, agent_type: &str, host: &str, versions: &Map<String, Value>) {
    if let Some(service) = engine.registry.service::<ResourceVersionsService>() {
        service.0.reported(engine, cx, agent_type, host, versions);
    }
}

/// [`ResourceVersions::going`], if anybody pushes objects.
///
/// # Errors
/// As there.
pub async fn going(op: &mut Op<'_>, kind: &str, ids: &[&str]) -> Result<()> {
    match op.engine.registry.service::<ResourceVersionsService>() {
        Some(service) if !ids.is_empty() => service.0.going(op, kind, ids).await,
        _ => Ok(()),
    }
}
