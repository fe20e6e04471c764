// SPDX-License-Identifier: Apache-2.0
//! Service plugin `ndp_proxy`: IPv6 addresses of machines inside that a router answers for outside, without translation.
//!
//! Owns `ndp_proxies`, `router_ndp_proxy_state` and the attribute `enable_ndp_proxy` of routers. Refuses to own: routers, ports.
//! Invariants: an address is proxied once by a router; the router has its gateway on a network whose IPv6 address scope is that of the
//! network inside; a gateway or an interface that proxies need stays; a proxy goes with the address that it is for.

mod hooks;
mod routers;
mod rules;

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Converter, Extension, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::Kind as ErrorKind;
use oslo_config::{Config, Opt};

const NOT_FOUND: ErrorKind = ErrorKind::new("NDPProxyNotFound", 404);
const DUPLICATE: ErrorKind = ErrorKind::new("NeutronDbObjectDuplicateEntry", 409);
const UNREACHABLE: ErrorKind = ErrorKind::new("PortUnreachableRouter", 409);
const NOT_ENABLED: ErrorKind = ErrorKind::new("RouterNDPProxyNotEnable", 409);
const SCOPE_CONFLICT: ErrorKind = ErrorKind::new("AddressScopeConflict", 409);
const INVALID_ADDRESS: ErrorKind = ErrorKind::new("InvalidAddress", 400);
const GATEWAY_NOT_VALID: ErrorKind = ErrorKind::new("RouterGatewayNotValid", 409);
const GATEWAY_IN_USE: ErrorKind = ErrorKind::new("RouterGatewayInUseByNDPProxy", 409);
const IPV6_GATEWAY_IN_USE: ErrorKind = ErrorKind::new("RouterIPv6GatewayInUse", 409);
const INTERFACE_IN_USE: ErrorKind = ErrorKind::new("RouterInterfaceInUseByNDPProxy", 409);

const COLLECTION: &str = "ndp_proxies";
const ENABLE: &str = "enable_ndp_proxy";

pub static OPTIONS: &[Opt] = &[Opt::bool("DEFAULT", "enable_ndp_proxy_by_default")
    .default("false")
    .help("Whether a router with an IPv6 gateway is an NDP proxy if the request for the gateway does not say.")];

static RESOURCE: Resource = Resource::new(
    COLLECTION,
    "ndp_proxy",
    "ndp-proxies",
    COLLECTION,
    NOT_FOUND,
    &[
        Attribute::new("id").validate(Validator::Uuid).sort().primary_key().column("id", Kind::Text),
        common::NAME,
        Attribute::new("project_id")
            .post()
            .validate(Validator::String(Some(255)))
            .sort()
            .required_by_policy()
            .column("project_id", Kind::Text),
        Attribute::new("router_id").post().validate(Validator::Uuid).sort().column("router_id", Kind::Text),
        Attribute::new("port_id").post().validate(Validator::Uuid).sort().column("port_id", Kind::Text),
        Attribute::new("ip_address")
            .post()
            .default(Default::Null)
            .validate(Validator::IpAddressOrNone)
            .sort()
            .column("ip_address", Kind::Text),
    ],
)
.standard(COLLECTION)
.no_bulk()
.visibility(Visibility::Owner);

static EXTENSION: Extension =
    Extension::new("l3-ndp-proxy", "name", "description", "2021-06-29T10:00:00-00:00").requires(&["router"]).resources(&[&RESOURCE]);

static ROUTERS: Extension = Extension::new(
    "l3-ext-ndp-proxy",
    "Router support to enable NDP proxy",
    "Router extension to enable ndp proxy",
    "2020-08-25T00:00:00-00:00",
)
.requires(&["router"])
.extends(&[(
    "routers",
    &[Attribute::new(ENABLE).post().put().default(Default::Unset).convert(Converter::ToBooleanIfNotNone).filter().expr(
        "EXISTS (SELECT 1 FROM router_ndp_proxy_state x WHERE x.router_id = t.id AND x.enable_ndp_proxy AND t.gw_port_id IS NOT NULL)",
        Kind::Bool,
    )],
)]);

pub fn register(builder: &mut Builder, config: &Config) {
    builder.extension(&EXTENSION).extension(&ROUTERS).behaviour(COLLECTION, rules::NdpProxies);
    builder.hook("routers", routers::Routers { by_default: config.bool("DEFAULT", "enable_ndp_proxy_by_default") });
    builder.hook("ports", hooks::Ports);
}
