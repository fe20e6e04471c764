// SPDX-License-Identifier: Apache-2.0
//! The versions of versioned objects that agents understand: who hears them from agents says so here, who pushes objects asks.
//!
//! Owns: the way between the two. Refuses to own: the versions (the feature of versioned objects does, as the service
//! [`ResourceVersionsService`]) and the reports of agents (the feature of agents does).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{Context, Engine};

/// See the module's documentation.
pub trait ResourceVersions: Send + Sync {
    /// An agent said in a report which version of each kind of object it understands (`{"Port": "1.11"}`). Takes note at once; other
    /// servers hear of it later.
    fn reported(&self, engine: &Engine, cx: &Context, agent_type: &str, host: &str, versions: &Map<String, Value>);
}

/// The service, by its type.
pub struct ResourceVersionsService(pub Arc<dyn ResourceVersions>);

/// [`ResourceVersions::reported`], if anybody pushes objects.
pub fn reported(engine: &Engine, cx: &Context, agent_type: &str, host: &str, versions: &Map<String, Value>) {
    if let Some(service) = engine.registry.service::<ResourceVersionsService>() {
        service.0.reported(engine, cx, agent_type, host, versions);
    }
}
