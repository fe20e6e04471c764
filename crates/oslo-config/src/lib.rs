// SPDX-License-Identifier: Apache-2.0
//! oslo.config's language in Rust: what an operator may write in an OpenStack service's configuration
//! files, environment and command line, and how it is read.
//!
//! Owns: the INI dialect ([`ini`]), option declarations ([`Opt`], [`Kind`]), value types, `$reference`
//! substitution, the search for files, the order of sources, and errors that say where a value stands.
//! Refuses to own: any option of any service, logging, and the parsing of a whole command line.
//!
//! Invariants:
//! - every declared option is converted when the configuration is loaded, so a bad value is an error at
//!   start and a getter cannot fail on what an operator wrote;
//! - nothing here panics on input, and files are bounded in size;
//! - the order of sources is: command line, environment, files (later ones win), default.
//!
//! Differences from oslo.config, on purpose: a command line value always beats a file (oslo lets a file
//! named later on the command line win for some options); a cycle of references is an error; a list that is
//! referred to by `$name` is written with commas, not in Python's notation.

pub mod ini;

mod config;
mod error;
mod load;
mod nearest;
mod net;
mod opt;
mod reload;
mod sources;
mod template;
mod value;

pub use config::{Config, Unused};
pub use error::{ConfigError, ConfigErrors, Fault, Location, Origin, Problem};
pub use nearest::nearest;
pub use opt::{Check, Kind, Opt};
pub use reload::Change;
pub use sources::{SearchRoots, Sources, find_config_dirs, find_config_files};
pub use value::{Value, parse_bool};
