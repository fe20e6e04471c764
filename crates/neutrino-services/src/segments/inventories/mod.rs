// SPDX-License-Identifier: Apache-2.0
//! What Placement and Nova know of routed networks (`NovaSegmentNotifier` in Neutron's segments plugin): how many IPv4 addresses each segment
//! has left, and which hosts reach it.
//!
//! A segment with IPv4 subnets is a resource provider of its own id, with an inventory of addresses, in an aggregate of Nova with the hosts that
//! reach the segment. Changes only note which segment they concern; a worker counts in the database and brings Placement and Nova in line, so
//! that a report that was lost is made good by the next one. Invariants: what waits is bounded, and each segment waits once; what cannot be
//! told now is told later; no request waits.

mod aggregates;
mod facts;
mod queue;
mod report;
mod watch;

use std::sync::Arc;

use keystone_auth::Service;
use neutrino_core::Builder;
use oslo_config::Config;

pub use queue::Queue;
pub use watch::note;

use crate::{placement, remote};

/// Nova's own credentials serve for its aggregates.
const NOVA: &str = "nova";

/// Turned on by the credentials of `[placement]`.
///
/// # Errors
/// A sentence for the operator: credentials of `[nova]` that do not suffice.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    if !placement::is_set(config) {
        return Ok(());
    }
    let nova = match remote::is_set(config, NOVA) {
        true => {
            let options = remote::options(config, NOVA)?;
            Some(aggregates::Nova(Service::new(&options, "compute").map_err(|error| remote::refused(config, NOVA, &error))?))
        }
        false => {
            tracing::warn!("[nova] gives no credentials: Nova will not know which hosts reach the segments of routed networks");
            None
        }
    };
    let queue = Arc::new(Queue::default());
    let interval_s = u64::try_from(config.int("DEFAULT", "send_events_interval")).unwrap_or_default();
    builder.service(queue.clone());
    builder.watcher(watch::Changed(queue.clone()));
    builder.hook("networks", watch::Networks).hook("subnets", watch::Subnets);
    builder.worker(report::Reporter { queue, nova, interval_s });
    Ok(())
}
