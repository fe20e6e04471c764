// SPDX-License-Identifier: Apache-2.0
//! `[ml2] extension_drivers`: which of the optional extensions of networks, subnets and ports are on.
//!
//! Invariant: a name that is not known, or known but not supported yet, stops the start.

use neutrino_core::Builder;
use oslo_config::{Config, Opt};

use super::{data_plane_status, dns, hardware_offload_type, hints, port_security, tags_in_bulk, trusted, uplink_status_propagation};

pub const OPTION: Opt = Opt::list("ml2", "extension_drivers").default("").help("Extension drivers, in order.");

/// Turns one driver on.
type Register = fn(&mut Builder, &Config) -> Result<(), String>;

const DRIVERS: [(&str, Register); 16] = [
    ("data_plane_status", |b, _| on(b, data_plane_status::register)),
    ("dns", dns::register),
    ("dns_domain_keywords", |b, config| {
        dns_with_ports(b, config)?;
        crate::subnets::register_dns_publish(b);
        on(b, dns::register_keywords)
    }),
    ("dns_domain_ports", dns_with_ports),
    // Both are always on, with or without their driver.
    ("port_device_profile", |_, _| Ok(())),
    ("port_numa_affinity_policy", |_, _| Ok(())),
    ("port_hardware_offload_type", |b, _| on(b, hardware_offload_type::register)),
    ("port_hint_ovs_tx_steering", |b, _| on(b, hints::register_ovs_tx_steering)),
    ("port_hints", |b, _| on(b, hints::register)),
    ("port_security", |b, _| on(b, port_security::register)),
    ("port_trusted", |b, _| on(b, trusted::register)),
    // The service plugin looks for it: networks and ports have policies only with it.
    ("qos", |_, _| Ok(())),
    ("subnet_dns_publish_fixed_ip", |b, config| {
        dns_with_ports(b, config)?;
        on(b, crate::subnets::register_dns_publish)
    }),
    ("tag_ports_during_bulk_creation", |b, _| on(b, tags_in_bulk::register)),
    ("uplink_status_propagation", |b, _| on(b, uplink_status_propagation::register)),
    ("uplink_status_propagation_updatable", |b, _| on(b, uplink_status_propagation::register_updatable)),
];

/// A driver that needs no configuration and cannot fail.
fn on(builder: &mut Builder, register: fn(&mut Builder)) -> Result<(), String> {
    register(builder);
    Ok(())
}

fn dns_with_ports(builder: &mut Builder, config: &Config) -> Result<(), String> {
    dns::register(builder, config)?;
    dns::register_domain_ports(builder);
    Ok(())
}

fn refused(config: &Config, name: &str, reason: &str) -> Result<(), String> {
    let known: Vec<&str> = DRIVERS.iter().map(|(known, _)| *known).filter(|known| *known != name).collect();
    Err(config.refuse("ml2", "extension_drivers", name, reason, &known).to_string())
}

/// Turns on what `extension_drivers` names.
///
/// # Errors
/// A sentence for the operator, with the known names.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let mut done: Vec<String> = Vec::new();
    for name in config.list("ml2", "extension_drivers") {
        if name.is_empty() || done.contains(&name) {
            continue;
        }
        match DRIVERS.iter().find(|(known, _)| *known == name) {
            Some((_, register)) => register(builder, config)?,
            None => refused(config, &name, "no such extension driver")?,
        }
        done.push(name);
    }
    Ok(())
}
