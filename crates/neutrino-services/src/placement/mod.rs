// SPDX-License-Identifier: Apache-2.0
//! Placement: the group `[placement]`, and its API as features need it ([`Client`], a service of the registry where credentials are set).
//!
//! Refuses to own what is told: routed networks, agents and QoS know that of their own. Invariants: a request is bounded in time; a change of a
//! provider that somebody else changed in between is made again from its newest generation, a few times.

mod client;

use std::sync::Arc;

use keystone_auth::Service;
use neutrino_core::Builder;
use oslo_config::{Config, Opt};

pub use client::{Answer, Client, Diff, Failure};

use crate::remote::{self, sign_in_options};

const GROUP: &str = "placement";

pub static OPTIONS: &[Opt] = sign_in_options!(
    GROUP,
    "Placement",
    Opt::str(GROUP, "region_name").help("The region of Placement in the catalog."),
    Opt::str(GROUP, "endpoint_type").default("public").choices(&["public", "admin", "internal"]).help("Which address of Placement to use."),
);

/// Did the operator give credentials for it?
pub fn is_set(config: &Config) -> bool {
    remote::is_set(config, GROUP)
}

/// A trait's name as Placement takes it: runs of anything but letters and digits are one `_` each.
pub fn custom_trait(prefix: &str, name: &str) -> String {
    let mut normal = format!("CUSTOM_{prefix}");
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            normal.push(c.to_ascii_uppercase());
        } else if !normal.ends_with('_') {
            normal.push('_');
        }
    }
    normal
}

/// # Errors
/// A sentence for the operator: credentials that do not suffice.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    if !remote::is_set(config, GROUP) {
        return Ok(());
    }
    let options = remote::options(config, GROUP)?;
    let service = Service::new(&options, "placement").map_err(|error| remote::refused(config, GROUP, &error))?;
    builder.service(Arc::new(Client::new(service)));
    Ok(())
}
