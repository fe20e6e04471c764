// SPDX-License-Identifier: Apache-2.0
//! Service plugin `port_forwarding`: single ports of a floating IP that lead to ports of machines inside.
//!
//! Owns `portforwardings`, and `floatingips.router_id` of floating IPs that have forwardings. Refuses to own: floating IPs, ports.
//! Invariants: a floating IP either leads to one port whole or has forwardings, never both; no two forwardings of a floating IP share an
//! outer port of one protocol, and no two of an inner address share an inner port; all of a floating IP go through one router, which is the
//! floating IP's as long as there are any; a forwarding leads to an address that its port has.

mod hooks;
mod invariants;
mod ranges;
mod rules;
mod shown;

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Choice, Converter, Extension, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::Kind as ErrorKind;

const NOT_FOUND: ErrorKind = ErrorKind::new("PortForwardingNotFound", 404);
const FLOATING_IP_IN_USE: ErrorKind = ErrorKind::new("FipInUseByPortForwarding", 409);
const PORT_HAS_FORWARDING: ErrorKind = ErrorKind::new("PortHasPortForwarding", 400);
const PORT_HAS_FLOATING_IP: ErrorKind = ErrorKind::new("PortHasBindingFloatingIP", 409);

/// As the registry knows the collection.
const COLLECTION: &str = "floatingips/port_forwardings";

/// Those that have ports, by the names of Neutron's API; a helper of connections has one of them, too.
pub(crate) const PROTOCOLS: Validator = Validator::Values(Some(&[
    Choice::Str("dccp"),
    Choice::Str("icmp"),
    Choice::Str("ipv6-icmp"),
    Choice::Str("sctp"),
    Choice::Str("tcp"),
    Choice::Str("udp"),
]));

const PORT: Attribute = Attribute::new("").post().put().default(Default::Null).validate(Validator::RangeOrNone(Some(1), Some(65_535)));
const RANGE: Attribute = Attribute::new("").post().put().default(Default::Null).validate(Validator::PortRange(Some((1, 65_535))));

/// A flag set under another name.
const fn named(mut attribute: Attribute, name: &'static str) -> Attribute {
    attribute.name = name;
    attribute
}

static RESOURCE: Resource = Resource::new(
    "port_forwardings",
    "port_forwarding",
    "port_forwardings",
    "portforwardings",
    NOT_FOUND,
    &[
        common::ID,
        common::PROJECT_OF_PARENT,
        Attribute::new("floatingip_id").hidden().column("floatingip_id", Kind::Text),
        named(PORT, ranges::EXTERNAL.port)
            .filter()
            .sort()
            .expr("CASE WHEN t.external_port_start = t.external_port_end THEN t.external_port_start END", Kind::Int),
        named(PORT, ranges::INTERNAL.port)
            .expr("CASE WHEN t.internal_port_start = t.internal_port_end THEN t.internal_port_start END", Kind::Int),
        Attribute::new("internal_ip_address").post().put().validate(Validator::IpAddress).column("internal_ip_address", Kind::Text),
        Attribute::new("protocol")
            .post()
            .put()
            .convert(Converter::ToProtocol)
            .validate(PROTOCOLS)
            .filter()
            .sort()
            .column("protocol", Kind::Text),
        Attribute::new("internal_port_id")
            .post()
            .put()
            .validate(Validator::Uuid)
            .filter()
            .sort()
            .column("internal_neutron_port_id", Kind::Text),
        Attribute::new(ranges::EXTERNAL.start).hidden().column(ranges::EXTERNAL.start, Kind::Int),
        Attribute::new(ranges::EXTERNAL.end).hidden().column(ranges::EXTERNAL.end, Kind::Int),
        Attribute::new(ranges::INTERNAL.start).hidden().column(ranges::INTERNAL.start, Kind::Int),
        Attribute::new(ranges::INTERNAL.end).hidden().column(ranges::INTERNAL.end, Kind::Int),
    ],
)
.standard("port_forwardings")
.child_of("floatingips", "floatingip_id")
.visibility(Visibility::Sql("EXISTS (SELECT 1 FROM floatingips f WHERE f.id = t.floatingip_id AND f.project_id = :project)"));

static EXTENSION: Extension = Extension::new(
    "floating-ip-port-forwarding",
    "Floating IP Port Forwarding",
    "Allow port forwarding from floating IP port to an internal port",
    "2018-01-19T10:00:00-00:00",
)
.requires(&["router"])
.resources(&[&RESOURCE]);

static DESCRIPTION: Extension = Extension::new(
    "floating-ip-port-forwarding-description",
    "Floating IP Port Forwarding new attribute description",
    "Add a description field to Port Forwarding rules",
    "2019-11-01T10:00:00-00:00",
)
.requires(&["floating-ip-port-forwarding"])
.extends(&[(
    COLLECTION,
    &[Attribute::new("description")
        .post()
        .put()
        .default(Default::Str(""))
        .validate(Validator::String(Some(255)))
        .filter()
        .standard("description", Kind::Text)],
)]);

static RANGES: Extension = Extension::new(
    "floating-ip-port-forwarding-port-ranges",
    "Floating IP Port Forwarding support port ranges",
    "Add support to port ranges",
    "2020-07-01T10:00:00-00:00",
)
.requires(&["floating-ip-port-forwarding"])
.extends(&[(
    COLLECTION,
    &[
        // Sorted by where they begin; the loader writes the range.
        named(RANGE, ranges::EXTERNAL.range).filter().sort().expr("t.external_port_start", Kind::Int),
        named(RANGE, ranges::INTERNAL.range).expr("t.internal_port_start", Kind::Int),
    ],
)]);

static EXPOSE: Extension = Extension::new(
    "expose-port-forwarding-in-fip",
    "Expose Floating IP port forwardings",
    "Expose port forwarding fields in floating IP response",
    "2018-06-28T16:00:00-00:00",
)
.requires(&["router", "floating-ip-port-forwarding"])
.extends(&[("floatingips", &[Attribute::new(shown::FORWARDINGS).default(Default::Null)])]);

static DETAIL: Extension = Extension::new(
    "floating-ip-port-forwarding-detail",
    "Floating IP port forwarding detail",
    "Allow list floating ip return more port forwarding data, include'id' and 'internal_port_id'",
    "2022-05-06T10:00:00-00:00",
)
.requires(&["expose-port-forwarding-in-fip"]);

pub fn register(builder: &mut Builder) {
    for extension in [&EXTENSION, &DESCRIPTION, &RANGES, &EXPOSE, &DETAIL] {
        builder.extension(extension);
    }
    builder.behaviour(COLLECTION, rules::PortForwardings).loader(COLLECTION, ranges::Ranges);
    builder.loader("floatingips", shown::Forwardings);
    invariants::register(builder);
    builder.hook("floatingips", hooks::FloatingIps).hook("ports", hooks::Ports);
}
