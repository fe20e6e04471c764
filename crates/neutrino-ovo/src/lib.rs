// SPDX-License-Identifier: Apache-2.0
//! Versioned objects: what today's agents know ports, networks, security groups and the rest by (`neutron/objects`,
//! `neutron/api/rpc/handlers/resources_rpc.py`).
//!
//! Owns: the kinds of objects as data ([`kinds`]), their loading, `pull` and `bulk_pull`, the versions that agents understand, and the pushes that
//! follow every commit. Refuses to own: the tables it reads, and the wire. Invariants: an object on the wire is Neutron's, field by field;
//! a filter is obeyed or refused; a push says what is in the database when it is sent, never what a request meant to write; a call and a
//! batch of pushes cost a constant number of statements.

mod json;
pub mod kinds;
pub mod load;
pub mod object;
mod pull;
mod push;
mod queue;
mod versions;

use std::sync::Arc;

use neutrino_core::{Builder, changes::Recall, versions::ResourceVersionsService};

pub use push::Pusher;

/// Always on: the core plugin's agents need it. Comes after all features whose objects it knows.
pub fn register(builder: &mut Builder) {
    let pusher = Pusher::default();
    builder.service(Arc::new(ResourceVersionsService(Arc::new(pusher.clone())))).service(Arc::new(pusher.clone()));
    for collection in push::WHOLE {
        builder.hook_where_served(collection.0, push::Going { pusher: pusher.clone(), object: collection.1 });
    }
    builder.watcher(pusher.clone()).worker(push::Sender(pusher));
    builder.after_outage(Recall {
        name: "what objects are now",
        tell: |engine, since| {
            Box::pin(async move {
                if let Some(pusher) = engine.registry.service::<Pusher>() {
                    pusher.recall(since);
                }
                Ok(())
            })
        },
    });
    builder.rpc(&pull::ENDPOINT).rpc(&versions::ENDPOINT);
}
