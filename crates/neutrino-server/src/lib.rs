// SPDX-License-Identifier: Apache-2.0
//! The server as a process: command line, configuration, logging, life cycle, and the explicit list of what is loaded.
//!
//! Owns: how the process starts, runs and ends ([`server`]), one supervisor for everything that runs in it ([`supervisor`]),
//! and the composition of the parts ([`mod@assemble`]). Refuses to own: any rule of the API, of a plugin or of the storage.
//! Invariants: nothing is loaded that [`mod@assemble`] does not name; a configuration that cannot be obeyed stops the start with
//! file and line; when one part ends, the others are stopped and the exit is not zero.

pub mod assemble;
pub mod banner;
pub mod cli;
pub mod db_manage;
pub mod integrity;
pub mod keystone;
pub mod known;
pub mod logging;
pub mod metrics;
pub mod notify;
pub mod options;
pub mod pipeline;
pub mod policy;
pub mod preflight;
pub mod programs;
mod retelling;
pub mod role;
pub mod server;
pub mod service_plugins;
pub mod standalone;
pub mod start;
pub mod supervisor;

/// What `--version` prints after the program's name: the release of Neutron whose API, configuration and schema we serve, and
/// our own.
pub const VERSION: &str = concat!("29.0.0 (Neutrino ", env!("CARGO_PKG_VERSION"), ")");

/// A declared number in another integer type; its limits are in the declaration, so the fallback is never seen.
pub(crate) fn number<T: TryFrom<i64> + Default>(conf: &oslo_config::Config, group: &str, name: &str) -> T {
    T::try_from(conf.int(group, name)).unwrap_or_default()
}
