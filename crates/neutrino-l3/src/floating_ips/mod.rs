// SPDX-License-Identifier: Apache-2.0
//! Floating IPs: addresses of an external network that a router translates to an address of a port inside.
//!
//! Owns `floatingips` and the ports that hold the addresses outside. Refuses to own: which router is between two networks
//! (`routers::router_between`), the addresses (the ports' own rules give them). Invariants: a floating IP and its port outside come and go
//! in one transaction; an address inside has at most one floating IP of an external network (a unique key); a floating IP never names an
//! address that its port no longer has. Order of claims, so that two requests seldom wait for each other: floating IP, port, router; a port
//! that goes claims itself first, and where the database sees two that wait for each other, one is tried again.

mod association;
mod details;
mod errors;
mod guards;
mod invariants;
mod outside;
mod pools;
mod rules;

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Extension, Resource, Validator,
    attribute::{Default, Kind, common},
};

use oslo_config::Config;

use crate::routers;

pub use association::{Inside, claim, fixed_ips, router_to};
pub use errors::{ALREADY_ASSOCIATED, NOT_FOUND};

pub const FLOATING_IP: &str = "network:floatingip";
const DHCP: &str = "network:dhcp";

static RESOURCE: Resource = Resource::new(
    "floatingips",
    "floatingip",
    "floatingips",
    "floatingips",
    NOT_FOUND,
    &[
        common::ID,
        Attribute::new("floating_ip_address")
            .post()
            .default(Default::Null)
            .validate(Validator::IpAddressOrNone)
            .filter()
            .sort()
            .enforce_policy()
            .column("floating_ip_address", Kind::Text),
        Attribute::new("subnet_id").post().default(Default::Null).validate(Validator::UuidOrNone).hidden().request_only(),
        Attribute::new("floating_network_id").post().validate(Validator::Uuid).filter().sort().column("floating_network_id", Kind::Text),
        Attribute::new("router_id").validate(Validator::UuidOrNone).filter().sort().column("router_id", Kind::Text),
        Attribute::new("port_id")
            .post()
            .put()
            .default(Default::Null)
            .validate(Validator::UuidOrNone)
            .filter()
            .required_by_policy()
            .column("fixed_port_id", Kind::Text),
        Attribute::new("fixed_ip_address")
            .post()
            .put()
            .default(Default::Null)
            .validate(Validator::IpAddressOrNone)
            .filter()
            .sort()
            .column("fixed_ip_address", Kind::Text),
        common::TENANT_ID,
        Attribute::new("status").filter().sort().column("status", Kind::Text),
    ],
)
.standard("floatingips")
.no_bulk();

static ROUTER_WRITABLE: Extension = Extension::new(
    "floating-ip-router-writable",
    "Floating IP Router (writable)",
    "Provides a writable router_id attribute for a floating IP resource.",
    "2026-08-05T00:00:00-00:00",
)
.requires(&["router"])
.extends(&[(
    "floatingips",
    &[Attribute::new("router_id")
        .post()
        .put()
        .default(Default::Null)
        .validate(Validator::UuidOrNone)
        .filter()
        .sort()
        .column("router_id", Kind::Text)],
)]);

static AT_INTERFACES: Extension = Extension::new(
    routers::AT_INTERFACES,
    "Floating IPs on router interfaces",
    "Floating IPs lead through router interfaces on external networks, too.",
    "2016-12-01T00:00:00-00:00",
)
.requires(&["router"]);

/// Turns floating IPs on. The resource is one of the extension `router`.
pub fn register(builder: &mut Builder, config: &Config) {
    builder.resource(&RESOURCE).extension(&ROUTER_WRITABLE);
    if config.bool("neutrino", "router_interface_fip") {
        builder.extension(&AT_INTERFACES);
    }
    builder.behaviour("floatingips", rules::FloatingIps);
    builder.hook("ports", guards::Ports).hook("networks", guards::Networks);
    details::register(builder);
    pools::register(builder);
    invariants::register(builder);
}
