// SPDX-License-Identifier: Apache-2.0
//! What every feature is written against: the operation's context, the proof of authorization, the plugin traits, the registry
//! of what is on, and the engine that lists, shows, creates, updates and deletes the objects of any table.
//!
//! Owns the order of an operation (guards, transaction, hooks, revision, postcommit). Names no resource.
//! Invariants: an entry point takes an [`Authorized`], which only the policy makes; precommit code gets a transaction and no network handle, postcommit code
//! the reverse; a page costs a constant number of statements; the registry does not change once built.

pub mod agents;
mod apart;
pub mod arrivals;
pub mod authz;
pub mod behaviour;
pub mod bindings;
pub mod changes;
pub mod context;
pub mod delivery;
pub mod dns;
pub mod engine;
mod gathering;
pub mod listing;
pub mod loading;
pub mod notifications;
pub mod op;
pub mod placement;
pub mod plugins;
pub mod policy;
pub mod provisioning;
pub mod query;
pub mod quota;
pub mod rbac;
pub mod registry;
pub mod relay;
pub mod routers;
mod rows;
pub mod rpc;
pub mod scheduling;
pub mod segments;
mod select;
pub mod served;
pub mod versions;

pub use authz::Authorized;
pub use behaviour::{Behaviour, Described, Endpoint, Facet, Hook, Loader, Place, Startup, Worker};
pub use changes::{Change, Changes, Verb, Watcher};
pub use context::{Caller, Context, Token};
pub use delivery::Delivery;
pub use engine::{Engine, Precondition};
pub use op::Op;
pub use plugins::service_plugin;
pub use policy::{Judge, Policy};
pub use query::{Direction, Filter, ListQuery};
pub use quota::Quota;
pub use registry::{Builder, Invariant, Registry};
pub use rpc::RpcEndpoint;
