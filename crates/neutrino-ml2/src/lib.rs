// SPDX-License-Identifier: Apache-2.0
//! The core plugin: networks, subnets, ports, and the management of their addresses.
//!
//! Owns the Modular Layer 2 plugin: type drivers, mechanism drivers, binding, IPAM. Knows no other feature; they reach it
//! through hooks of `neutrino-core`.

pub mod address_scopes;
pub mod ipam;
pub mod mech;
pub mod network_ip_availability;
pub mod network_segment_ranges;
pub mod networks;
pub mod ports;
pub mod rpc;
pub mod subnetpools;
pub mod subnets;
pub mod type_drivers;

use neutrino_core::Builder;
use oslo_config::{Config, Opt};

/// The options that this plugin obeys.
pub static OPTIONS: &[&[Opt]] = &[networks::OPTIONS, type_drivers::OPTIONS, mech::OPTIONS, ports::OPTIONS, subnets::OPTIONS];

/// Turns on what the configuration asks for.
///
/// # Errors
/// A sentence for the operator: a type driver, mechanism driver or extension driver that is not known, or a range that is none.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    address_scopes::register(builder);
    networks::register(builder, config)?;
    ports::register(builder, config)?;
    mech::register(builder, config)?;
    subnets::register(builder, config);
    subnetpools::register(builder);
    network_ip_availability::register(builder);
    rpc::register(builder, config);
    Ok(())
}
