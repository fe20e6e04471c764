// SPDX-License-Identifier: Apache-2.0
//! oslo.messaging's protocol: calls, casts, fanouts and notifications between programs, over RabbitMQ or inside the process.
//!
//! Owns: transport URLs, the options of `[oslo_messaging_rabbit]`, the form of messages, the names and properties of exchanges and queues,
//! connections and how they come back. Refuses to own: who serves which method, and what is said. Knows nothing of Neutron.
//! Invariants: starting never fails because a broker is away; whatever waits is bounded; a message is kept until the broker has it; a
//! request is acknowledged when a handler takes it, and answered once.

mod backoff;
mod dedup;
mod dispatch;
mod fake;
mod ids;
pub mod message;
pub mod options;
mod parcel;
mod queue_names;
mod rabbit;
mod stats;
mod topology;
pub mod transport;
pub mod url;

pub use dispatch::Handler;
pub use message::{Failure, Request};
pub use options::{OPTIONS, Options};
pub use stats::Stats;
pub use transport::{CallError, Pending, Serving, Target, Transport};
pub use url::TransportUrl;
