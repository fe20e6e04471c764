// SPDX-License-Identifier: Apache-2.0
//! Quality of service: policies, their rules, and the networks, ports, floating IPs and gateways that have them (service plugin `qos`).
//!
//! Owns every table `qos_*`. Refuses to own: `qospolicyrbacs` as far as RBAC policies write it, and what agents do with rules. Networks and
//! ports have policies only with ML2's extension driver `qos`; floating IPs and gateways only with the service plugin `router`.
//! Invariants: an object gets only a policy that its caller sees; a policy in use stays; the loaded drivers can enforce each rule of a
//! policy on each port that has it, at the time when either changes.

mod bindings;
mod conflicts;
mod drivers;
mod errors;
mod extensions;
mod floatingips;
mod gateways;
mod networks;
mod placed;
mod policies;
mod ports;
mod resource_request;
mod rule;
mod rule_types;
mod rules;

use std::sync::Arc;

use neutrino_core::{Builder, service_plugin};
use oslo_config::Config;

pub use bindings::USERS;
use drivers::Drivers;
use rule::{BANDWIDTH_LIMIT, DSCP_MARKING, MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE, PACKET_RATE_LIMIT};

/// The collections of rules, and their kinds.
const RULES: [(&str, usize); 9] = [
    ("policies/bandwidth_limit_rules", BANDWIDTH_LIMIT),
    ("policies/dscp_marking_rules", DSCP_MARKING),
    ("policies/minimum_bandwidth_rules", MINIMUM_BANDWIDTH),
    ("policies/minimum_packet_rate_rules", MINIMUM_PACKET_RATE),
    ("policies/packet_rate_limit_rules", PACKET_RATE_LIMIT),
    ("alias_bandwidth_limit_rules", BANDWIDTH_LIMIT),
    ("alias_dscp_marking_rules", DSCP_MARKING),
    ("alias_minimum_bandwidth_rules", MINIMUM_BANDWIDTH),
    ("alias_minimum_packet_rate_rules", MINIMUM_PACKET_RATE),
];

/// What no key of the database forbids.
const INVARIANTS: [(&str, &str); 2] = [
    (
        "minimum bandwidth above the limit of its QoS policy",
        "SELECT m.id FROM qos_minimum_bandwidth_rules m JOIN qos_bandwidth_limit_rules l ON l.qos_policy_id = m.qos_policy_id \
         AND l.direction = m.direction WHERE m.min_kbps > l.max_kbps",
    ),
    (
        "minimum packet rate for both directions beside one for a single direction",
        "SELECT a.id FROM qos_minimum_packet_rate_rules a JOIN qos_minimum_packet_rate_rules b ON b.qos_policy_id = a.qos_policy_id \
         WHERE a.direction = 'any' AND b.direction <> 'any'",
    ),
];

/// Turns QoS on if the configuration says so.
pub fn register(builder: &mut Builder, config: &Config) {
    if !service_plugin(config, "qos") {
        return;
    }
    builder.invariants(&INVARIANTS);
    let drivers = Arc::new(Drivers::of(config));
    let with_driver = config.list("ml2", "extension_drivers").iter().any(|name| name == "qos");
    for extension in if with_driver { &extensions::WITH_DRIVER } else { &extensions::WITHOUT_DRIVER } {
        builder.extension(extension);
    }
    for extension in &extensions::OTHERS {
        builder.extension(extension);
    }
    builder.behaviour("policies", policies::Policies).loader("policies", policies::Rules);
    builder.behaviour("rule_types", rule_types::RuleTypes { drivers: drivers.clone() });
    for (collection, kind) in RULES {
        builder.behaviour(collection, rules::Rules { kind, drivers: drivers.clone() });
    }
    builder.loader("ports", resource_request::Requests);
    if with_driver {
        builder.hook("networks", networks::Networks { drivers: drivers.clone() });
        builder.hook("ports", ports::Ports { drivers });
    }
    if builder.has_collection("routers") {
        builder.extension(&gateways::EXTENSION).hook("routers", gateways::Gateways).loader("routers", gateways::Gateways);
    }
    if builder.has_collection("floatingips") {
        builder.extension(&floatingips::EXTENSION).hook("floatingips", floatingips::FloatingIps);
    }
}
