// SPDX-License-Identifier: Apache-2.0
//! Guests that move: whoever runs them hears that a port was plugged where it is not bound yet.
//!
//! A port that becomes ACTIVE is seen by everybody; one that waits for its guest on another host changes nothing that is stored. A feature
//! that speaks to the guests' service offers this as a service of the registry ([`ArrivalService`]).

use std::sync::Arc;

use neutrino_model::Record;

/// See the module's documentation.
pub trait Arrivals: Send + Sync {
    /// The port was plugged on a host that it is not bound to. Returns at once. `device_id` and `device_owner` are loaded.
    fn plugged(&self, port: &Record);
}

/// The service, by its type.
pub struct ArrivalService(pub Arc<dyn Arrivals>);
