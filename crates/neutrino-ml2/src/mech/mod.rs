// SPDX-License-Identifier: Apache-2.0
//! Mechanism drivers and the binding of ports: which driver connects a port on a host, by which segment, and what the host is told.
//!
//! Owns `ml2_port_bindings`, `ml2_port_binding_levels`, `ml2_distributed_port_bindings`, `provisioningblocks` and the status of ports.
//! Refuses to own: agents (their table is read), segments (networks' and type drivers'), messages to agents. Invariants: at most one
//! ACTIVE binding a port; drivers bind outside transactions, and their word is committed by compare-and-swap.

mod agent_driver;
pub mod agents;
pub mod bind;
mod bindings;
mod bulk;
pub mod distributed;
pub mod driver;
mod l2pop;
mod macvtap;
pub mod manager;
mod openvswitch;
pub mod portbindings;
pub mod provisioning;
mod quiet;
mod revived;
mod service;
mod sriovnicswitch;
pub mod status;
mod watch;

use std::sync::Arc;

use neutrino_core::{Builder, Engine, placement::ReportingAgents};
use oslo_config::{Config, Opt};

use driver::MechanismDriver;
use manager::Manager;

pub static OPTIONS: &[Opt] = &[
    Opt::list("ml2", "mechanism_drivers").default("").help("Mechanism drivers, in the order in which they are asked to bind a port."),
    agents::OPTION,
    openvswitch::OPTIONS[0],
    openvswitch::OPTIONS[1],
    sriovnicswitch::OPTION,
];

const KNOWN: [&str; 6] = ["openvswitch", "sriovnicswitch", "macvtap", "l2population", "logger", "test"];

fn driver(name: &str, config: &Config) -> Result<Box<dyn MechanismDriver>, String> {
    let refuse = |reason: &str| Err(config.refuse("ml2", "mechanism_drivers", name, reason, &KNOWN).to_string());
    Ok(match name {
        "openvswitch" => Box::new(openvswitch::OpenVSwitch::new(config)?),
        "sriovnicswitch" => Box::new(sriovnicswitch::SriovNicSwitch::new(config)?),
        "macvtap" => Box::new(macvtap::Macvtap::default()),
        "l2population" => Box::new(l2pop::L2Population),
        "logger" => Box::new(quiet::Logger),
        "test" => Box::new(quiet::Test),
        "ovn" | "ovn-sync" => return refuse("OVN is not supported yet"),
        "linuxbridge" => return refuse("Neutron has removed this driver; use openvswitch"),
        _ => return refuse("no such mechanism driver"),
    })
}

/// Turns on binding with the drivers that `mechanism_drivers` names.
///
/// # Errors
/// A sentence for the operator, with the known names.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let mut manager = Manager { drivers: Vec::new(), agent_down_time_s: config.int("DEFAULT", "agent_down_time") };
    for name in config.list("ml2", "mechanism_drivers").iter().filter(|name| !name.is_empty()) {
        if !manager.drivers.iter().any(|known| known.name() == name) {
            manager.drivers.push(driver(name, config)?);
        }
    }
    register_manager(builder, manager);
    Ok(())
}

/// [`register`] with drivers of the caller's, for tests and for drivers that are built elsewhere.
pub fn register_manager(builder: &mut Builder, manager: Manager) {
    portbindings::register(builder);
    bindings::register(builder);
    revived::register(builder);
    provisioning::register(builder);
    if manager.watches_networks() {
        watch::register(builder);
    }
    if manager.has(l2pop::NAME) {
        l2pop::register(builder);
    }
    builder.service(Arc::new(neutrino_core::bindings::BindingService(Arc::new(service::Service))));
    builder.service(Arc::new(ReportingAgents(manager.drivers.iter().filter_map(|driver| driver.reporting_agent()).collect())));
    builder.service(Arc::new(manager));
}

/// The loaded drivers; none before they are registered.
#[must_use]
pub fn manager(engine: &Engine) -> Arc<Manager> {
    engine.registry.service::<Manager>().unwrap_or_default()
}
