// SPDX-License-Identifier: Apache-2.0
//! What the API tells the operator's other programs of each request: `network.create.start`, `network.create.end`.
//!
//! A feature offers it as a service of the registry ([`NotificationService`]); without one nothing is prepared. Whoever implements it takes
//! the message at once and sends it later: a request does not wait for a message bus.

use std::sync::Arc;

use serde_json::Value;

use crate::Context;

/// See the module's documentation.
pub trait Notifications: Send + Sync {
    /// Takes one message. `event`: `<resource>.<verb>.start` or `.end`.
    fn emit(&self, cx: &Context, event: &str, payload: Value);
}

/// The service, by its type.
pub struct NotificationService(pub Arc<dyn Notifications>);
