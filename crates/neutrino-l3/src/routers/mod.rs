// SPDX-License-Identifier: Apache-2.0
//! Routers: their gateways, interfaces and routes.
//!
//! Owns `routers`, `router_extra_attributes`, `routerports`, `routerroutes`, and the ports that routers plug in. Refuses to own: which
//! agent serves a router. Invariants: a router's ports are those in `routerports`; no two of its subnets overlap; a port of a router goes
//! with its interface or gateway, and not by the ports' own API; what one request changes is one transaction.

mod attached;
mod default_routes;
mod dvr;
mod errors;
mod evpn;
mod gateway;
mod guards;
pub(crate) mod ha;
mod interfaces;
mod invariants;
mod loaders;
mod multihoming;
mod placement;
mod ports;
mod reach;
mod routes;
mod rules;
mod service;

use std::sync::Arc;

use neutrino_core::{Builder, routers::RouterService, service_plugin};
use neutrino_model::{
    Action, Attribute, Converter, Extension, Join, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    validate::KeySpec,
};
use oslo_config::{Config, Opt};

pub use errors::ROUTER_NOT_FOUND;
pub use ha::OPTIONS as HA_OPTIONS;
pub use placement::{Placement, PlacementService};
pub(crate) use reach::ways_out;
pub use reach::{AT_INTERFACES, Reach, router_between};

pub const INTERFACE: &str = "network:router_interface";
pub const DISTRIBUTED_INTERFACE: &str = "network:router_interface_distributed";
pub const HA_INTERFACE: &str = "network:ha_router_replicated_interface";
/// Of the ports over which the instances of a highly available router watch each other.
pub const HA_NETWORK_PORT: &str = "network:router_ha_interface";
pub const GATEWAY: &str = "network:router_gateway";
pub const CENTRALIZED_SNAT: &str = "network:router_centralized_snat";
/// Owners of the ports through which machines reach a router.
pub const INTERFACE_OWNERS: &[&str] = &[INTERFACE, HA_INTERFACE, DISTRIBUTED_INTERFACE];

pub static OPTIONS: &[Opt] = &[
    Opt::bool("DEFAULT", "enable_snat_by_default")
        .default("true")
        .help("Whether a gateway translates addresses if its request does not say."),
    Opt::bool("DEFAULT", "router_distributed").default("false").help("Whether routers are distributed if the request does not say."),
    Opt::bool("DEFAULT", "enable_dvr").default("true").help("Whether routers may be distributed."),
    Opt::bool("DEFAULT", "enable_default_route_ecmp")
        .default("false")
        .help("Whether a router has one default route for each gateway if the request does not say."),
    Opt::bool("DEFAULT", "enable_default_route_bfd")
        .default("false")
        .help("Whether a router watches its default routes by BFD if the request does not say."),
    Opt::bool("neutrino", "external_gateway_multihoming")
        .default("false")
        .help("Offer routers with several gateways, which Neutron offers with OVN alone."),
    Opt::bool("neutrino", "router_interface_fip").default("false").help(
        "Let floating IPs lead through a router's interface on an external network, too. What routes must translate there; \
         Neutron's L3 agent does so at gateways alone.",
    ),
];

/// One row for each router, with what extensions keep of it.
pub(crate) static EXTRA: Join = Join::always("router_extra_attributes", "router_id");

static GATEWAY_KEYS: &[KeySpec] = &[
    KeySpec::new("network_id", Validator::Uuid).required(),
    KeySpec::new("external_fixed_ips", Validator::FixedIps).optional(),
    KeySpec::new("enable_snat", Validator::Boolean).optional().convert_to(Converter::ToBoolean),
];

static RESOURCE: Resource = Resource::new(
    "routers",
    "router",
    "routers",
    "routers",
    ROUTER_NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        Attribute::new("admin_state_up")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("admin_state_up", Kind::Bool),
        Attribute::new("status").sort().column("status", Kind::Text),
        common::TENANT_ID,
        Attribute::new("external_gateway_info")
            .post()
            .put()
            .default(Default::Null)
            .validate(Validator::DictOrNodata(GATEWAY_KEYS))
            .enforce_policy(),
    ],
)
.standard("routers")
.first_revision(1)
.no_bulk()
.visibility(Visibility::Owner)
.actions(&[
    Action { name: "add_router_interface", method: "PUT", member: true },
    Action { name: "remove_router_interface", method: "PUT", member: true },
    Action { name: "add_extraroutes", method: "PUT", member: true },
    Action { name: "remove_extraroutes", method: "PUT", member: true },
    Action { name: "add_external_gateways", method: "PUT", member: true },
    Action { name: "update_external_gateways", method: "PUT", member: true },
    Action { name: "remove_external_gateways", method: "PUT", member: true },
]);

static ROUTER: Extension = Extension::new(
    "router",
    "Neutron L3 Router",
    "Router abstraction for basic L3 forwarding between L2 Neutron networks and access to external networks via a NAT gateway.",
    "2012-07-20T10:00:00-00:00",
)
.resources(&[&RESOURCE]);

static GATEWAY_MODE: Extension = Extension::new(
    "ext-gw-mode",
    "Neutron L3 Configurable external gateway mode",
    "Extension of the router abstraction for specifying whether SNAT should occur on the external gateway",
    "2013-03-28T10:00:00-00:00",
);

static EXTRA_ROUTE: Extension = Extension::new(
    "extraroute",
    "Neutron Extra Route",
    "Extra routes configuration for L3 router",
    "2013-02-01T10:00:00-00:00",
)
.extends(&[(
    "routers",
    &[Attribute::new(routes::ROUTES).put().default(Default::Unset).convert(Converter::NoneToEmptyList).validate(Validator::Hostroutes)],
)]);

static EXTRA_ROUTE_ATOMIC: Extension = Extension::new(
    "extraroute-atomic",
    "Atomically add/remove extra routes",
    "Edit extra routes of a router on server side by atomically adding/removing extra routes",
    "2019-07-10T00:00:00+00:00",
)
.requires(&["extraroute"]);

static ZONES: Extension = Extension::new(
    "router_availability_zone",
    "Router Availability Zone",
    "Availability zone support for router.",
    "2015-01-01T10:00:00-00:00",
)
.extends(&[(
    "routers",
    &[
        Attribute::new(loaders::ZONES),
        Attribute::new(loaders::ZONE_HINTS).post().default(Default::EmptyList).validate(Validator::AvailabilityZoneHintList).joined(
            &EXTRA,
            loaders::ZONE_HINTS,
            Kind::Json,
        ),
    ],
)]);

static DVR: Extension = Extension::new(
    "dvr",
    "Distributed Virtual Router",
    "Enables configuration of Distributed Virtual Routers.",
    "2014-06-1T10:00:00-00:00",
)
.extends(&[(
    "routers",
    &[Attribute::new(dvr::DISTRIBUTED)
        .post()
        .put()
        .default(Default::Unset)
        .convert(Converter::ToBooleanIfNotNone)
        .enforce_policy()
        .joined(&EXTRA, dvr::DISTRIBUTED, Kind::Bool)],
)]);

static DOWN_BEFORE_UPDATE: Extension = Extension::new(
    "router-admin-state-down-before-update",
    "Enforce Router's Admin State Down Before Update Extension",
    "Ensure that the admin state of a router is DOWN (admin_state_up=False) before updating the distributed attribute",
    "2019-07-02T15:56:00",
)
.requires(&["dvr"]);

static ADDRESSES_STAY: Extension = Extension::new(
    "l3-port-ip-change-not-allowed",
    "Prevent L3 router ports IP address change extension",
    "Prevent change of IP address for some L3 router ports",
    "2018-10-09T10:00:00-00:00",
)
.requires(&["router"]);

/// How an operator's choices change what a router is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub snat_by_default: bool,
    pub distributed_by_default: bool,
    /// `enable_dvr`.
    pub may_be_distributed: bool,
    pub ecmp_by_default: bool,
    pub bfd_by_default: bool,
}

/// Turns routers on.
///
/// # Errors
/// A sentence for the operator: what cannot be obeyed.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let settings = Settings {
        snat_by_default: config.bool("DEFAULT", "enable_snat_by_default"),
        distributed_by_default: config.bool("DEFAULT", "router_distributed"),
        may_be_distributed: config.bool("DEFAULT", "enable_dvr"),
        ecmp_by_default: config.bool("DEFAULT", "enable_default_route_ecmp"),
        bfd_by_default: config.bool("DEFAULT", "enable_default_route_bfd"),
    };
    for extension in [&ROUTER, &GATEWAY_MODE, &EXTRA_ROUTE, &EXTRA_ROUTE_ATOMIC, &ZONES, &ADDRESSES_STAY] {
        builder.extension(extension);
    }
    if settings.may_be_distributed {
        builder.extension(&DVR).extension(&DOWN_BEFORE_UPDATE);
    }
    if config.bool("neutrino", "external_gateway_multihoming") {
        multihoming::register(builder);
        default_routes::register(builder);
    }
    if service_plugin(config, "evpn") {
        evpn::register(builder);
    }
    invariants::register(builder);
    ha::register(builder, config)?;
    builder.behaviour("routers", rules::Routers { settings });
    builder.loader("routers", loaders::GatewayInfo).loader("routers", loaders::Routes).loader("routers", loaders::Zones);
    builder.hook("ports", guards::Ports);
    builder.service(Arc::new(RouterService(Arc::new(service::Service))));
    Ok(())
}
