// SPDX-License-Identifier: Apache-2.0
//! Layer 3: routers, floating IPs and what hangs on them, one module each.
//!
//! What it needs of ports and networks it does through collections of the engine and services of `neutrino-core`; it does not know the
//! core plugin.

pub mod conntrack_helper;
pub mod dvr_macs;
pub mod floating_ips;
pub mod l3_agent_scheduler;
pub mod leak_routes;
pub mod ndp_proxy;
pub mod notifier;
pub mod port_forwarding;
pub mod routers;
pub mod rpc;
pub mod spread;

use neutrino_core::{Builder, service_plugin};
use oslo_config::{Config, Opt};

/// The options that these features obey.
pub static OPTIONS: &[&[Opt]] = &[
    routers::OPTIONS,
    routers::HA_OPTIONS,
    dvr_macs::OPTIONS,
    l3_agent_scheduler::OPTIONS,
    spread::OPTIONS,
    conntrack_helper::OPTIONS,
    ndp_proxy::OPTIONS,
];

/// Turns on what the configuration asks for.
///
/// # Errors
/// A sentence for the operator: what was asked for and is not known, or does not fit.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    if service_plugin(config, "router") {
        routers::register(builder, config)?;
        floating_ips::register(builder, config);
        l3_agent_scheduler::register(builder, config)?;
        dvr_macs::register(builder, config)?;
        spread::register(builder, config);
        rpc::register(builder);
        notifier::register(builder);
        if service_plugin(config, "ovn-bgp") {
            leak_routes::register(builder);
        }
    }
    if service_plugin(config, "port_forwarding") {
        port_forwarding::register(builder);
    }
    if service_plugin(config, "conntrack_helper") {
        conntrack_helper::register(builder, config)?;
    }
    if service_plugin(config, "ndp_proxy") {
        ndp_proxy::register(builder, config);
    }
    Ok(())
}
