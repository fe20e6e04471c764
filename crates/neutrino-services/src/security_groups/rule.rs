// SPDX-License-Identifier: Apache-2.0
//! What a rule may say, whether of a group or of the template of new groups: guards over one body, without the database.
//!
//! The order of guards is Neutron's (`_validate_base_security_group_rule_attributes`).

use neutrino_model::{
    Attribute, Body, Choice, Converter, Validator,
    attribute::{Default, Kind},
    convert::securitygroup::{
        convert_ethertype_to_case_insensitive, convert_ip_prefix_to_cidr, convert_protocol, convert_validate_port_value,
    },
};
use neutrino_types::{Result, cidr::Cidr};
use serde_json::Value;

use super::{errors, protocol};

const PROTOCOL: Converter = Converter::Custom { name: "securitygroup.convert_protocol", convert: convert_protocol };
const PORT: Converter = Converter::Custom { name: "securitygroup.convert_validate_port_value", convert: convert_validate_port_value };
const ETHERTYPE: Converter =
    Converter::Custom { name: "securitygroup.convert_ethertype_to_case_insensitive", convert: convert_ethertype_to_case_insensitive };
const IP_PREFIX: Converter = Converter::Custom { name: "securitygroup.convert_ip_prefix_to_cidr", convert: convert_ip_prefix_to_cidr };

const fn plain(name: &'static str, kind: Kind) -> Attribute {
    Attribute::new(name).post().default(Default::Null).filter().sort().column(name, kind)
}

// The attributes that rules of groups and rules of the template share.
pub const REMOTE_GROUP_ID: Attribute = plain("remote_group_id", Kind::Text);
pub const REMOTE_ADDRESS_GROUP_ID: Attribute = plain("remote_address_group_id", Kind::Text);
pub const DIRECTION: Attribute = plain("direction", Kind::Text)
    .default(Default::Required)
    .validate(Validator::Values(Some(&[Choice::Str("ingress"), Choice::Str("egress")])));
pub const PROTOCOL_ATTRIBUTE: Attribute = plain("protocol", Kind::Text).convert(PROTOCOL);
pub const PORT_RANGE_MIN: Attribute = plain("port_range_min", Kind::Int).convert(PORT);
pub const PORT_RANGE_MAX: Attribute = plain("port_range_max", Kind::Int).convert(PORT);
pub const ETHERTYPE_ATTRIBUTE: Attribute = plain("ethertype", Kind::Text)
    .default(Default::Str("IPv4"))
    .convert(ETHERTYPE)
    .validate(Validator::Values(Some(&[Choice::Str("IPv4"), Choice::Str("IPv6")])));
pub const REMOTE_IP_PREFIX: Attribute = plain("remote_ip_prefix", Kind::Text).convert(IP_PREFIX);

/// What two rules of one group must differ in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub direction: String,
    pub ethertype: String,
    pub port_range_min: Option<i64>,
    pub port_range_max: Option<i64>,
    /// The first of [`protocol::same`].
    pub protocol: Option<String>,
    pub remote_group_id: Option<String>,
    pub remote_address_group_id: Option<String>,
    /// `None` for every address, however it is written.
    pub remote_ip_prefix: Option<String>,
}

impl Key {
    pub fn of(body: &Body) -> Self {
        let text = |name: &str| body.str(name).map(str::to_owned);
        let ethertype = text("ethertype").unwrap_or_default();
        Self {
            direction: text("direction").unwrap_or_default(),
            port_range_min: body.int("port_range_min"),
            port_range_max: body.int("port_range_max"),
            protocol: body.str("protocol").and_then(|name| protocol::same(name, ethertype == "IPv6").into_iter().next()),
            ethertype,
            remote_group_id: text("remote_group_id"),
            remote_address_group_id: text("remote_address_group_id"),
            remote_ip_prefix: text("remote_ip_prefix").filter(|prefix| !EVERY_ADDRESS.contains(&prefix.as_str())),
        }
    }
}

/// Prefixes that say no more than none at all.
pub const EVERY_ADDRESS: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// Brings a rule into its canonical form and checks it.
///
/// # Errors
/// The type of the first guard that it fails.
pub fn check(body: &mut Body) -> Result<()> {
    let ipv6 = body.str("ethertype") == Some("IPv6");
    if let Some(name) = body.str("protocol") {
        let canonical = protocol::canonical(name, ipv6).to_owned();
        body.set("protocol", canonical);
    }
    if (body.int("port_range_min"), body.int("port_range_max")) == (Some(1), Some(65535)) {
        // The whole range is no restriction; back ends do better without it.
        body.set("port_range_min", Value::Null);
        body.set("port_range_max", Value::Null);
    }
    check_ports(body)?;
    check_prefix(body, ipv6)?;
    check_ethertype(body, ipv6)?;
    check_remotes(body)
}

fn check_ports(body: &Body) -> Result<()> {
    let (min, max) = (body.int("port_range_min"), body.int("port_range_max"));
    if min.is_none() && max.is_none() {
        return Ok(());
    }
    let Some(protocol) = body.str("protocol") else {
        return Err(errors::PROTOCOL_REQUIRED.error("A rule with a port range must name a protocol too."));
    };
    let number = protocol::number(protocol).unwrap_or_default();
    if protocol::has_ports(number) {
        if min == Some(0) || max == Some(0) {
            return Err(errors::INVALID_PORT_VALUE.error("Invalid value for port 0: give ports from 1 to 65535."));
        }
        return match (min, max) {
            (Some(min), Some(max)) if min <= max => Ok(()),
            _ => Err(errors::INVALID_PORT_RANGE
                .error("A port range needs both port_range_min and port_range_max, and port_range_min must be <= port_range_max.")),
        };
    }
    if number == protocol::ICMP || number == protocol::IPV6_ICMP {
        return check_icmp(min, max);
    }
    Err(errors::INVALID_PROTOCOL_FOR_PORT
        .error(format!("The protocol {protocol} has no ports. Ports go with dccp, sctp, tcp, udp and udplite.")))
}

/// For ICMP the range holds type and code.
fn check_icmp(kind: Option<i64>, code: Option<i64>) -> Result<()> {
    for (value, field, attribute) in [(kind, "type", "port_range_min"), (code, "code", "port_range_max")] {
        if let Some(value) = value
            && !(0..=255).contains(&value)
        {
            return Err(errors::INVALID_ICMP_VALUE
                .error(format!("Invalid value for ICMP {field} ({attribute}) {value}: it must be from 0 to 255.")));
        }
    }
    match (kind, code) {
        (None, Some(code)) => Err(errors::MISSING_ICMP_TYPE
            .error(format!("The ICMP code (port-range-max) {code} is given, and the ICMP type (port-range-min) is missing."))),
        _ => Ok(()),
    }
}

fn check_prefix(body: &Body, ipv6: bool) -> Result<()> {
    let Some(prefix) = body.str("remote_ip_prefix") else { return Ok(()) };
    let is_ipv6 = Cidr::parse_with_address(prefix).is_ok_and(|(address, _)| address.is_v6());
    if is_ipv6 != ipv6 {
        let ethertype = body.str("ethertype").unwrap_or_default();
        return Err(errors::PARAMETER_CONFLICT
            .error(format!("Conflicting value ethertype {ethertype} for the prefix {prefix}: it is of the other IP version.")));
    }
    Ok(())
}

fn check_ethertype(body: &Body, ipv6: bool) -> Result<()> {
    match body.str("protocol") {
        Some(protocol) if !ipv6 && protocol::is_ipv6_only(protocol) => Err(errors::ETHERTYPE_CONFLICT
            .error(format!("The protocol {protocol} does not go with the ethertype IPv4: give the ethertype IPv6."))),
        _ => Ok(()),
    }
}

fn check_remotes(body: &Body) -> Result<()> {
    let remotes = ["remote_ip_prefix", "remote_group_id", "remote_address_group_id"];
    if remotes.iter().filter(|name| body.get(name).is_some_and(|value| !value.is_null())).count() > 1 {
        return Err(
            errors::MULTIPLE_REMOTES.error("A rule has at most one of remote_ip_prefix, remote_group_id and remote_address_group_id.")
        );
    }
    Ok(())
}

/// The network that a prefix lies in, host bits clear.
pub fn normalized(prefix: &str) -> Option<String> {
    Cidr::parse_with_address(prefix).ok().map(|(_, cidr)| cidr.to_string())
}

/// The id that an attribute without a validator holds, as a caller sent it: text as it is, anything else as JSON.
pub fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
