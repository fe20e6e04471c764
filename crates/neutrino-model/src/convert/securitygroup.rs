// SPDX-License-Identifier: Apache-2.0
//! Conversions of a security group rule's attributes (`neutron/extensions/securitygroup.py`).

use serde_json::Value;

use super::address::canonical_cidr;
use crate::validate::{Invalid, Limits, python, raised, shown};

type Converted = Result<Value, Invalid>;

/// The protocols that a rule may name, besides `any`.
pub const PROTOCOLS: [&str; 25] = [
    "ah",
    "dccp",
    "egp",
    "esp",
    "gre",
    "hopopt",
    "icmp",
    "igmp",
    "ip",
    "ipip",
    "ipv6-encap",
    "ipv6-frag",
    "ipv6-icmp",
    "icmpv6",
    "ipv6-nonxt",
    "ipv6-opts",
    "ipv6-route",
    "ospf",
    "pgm",
    "rsvp",
    "sctp",
    "tcp",
    "udp",
    "udplite",
    "vrrp",
];

/// `securitygroup.convert_protocol`: no protocol for `null` and `any`, else a known name in lower case or a number from 0 to 255 as
/// a decimal string. Narrower than Neutron: booleans and fractions are refused, and a number loses spaces, sign and leading zeros.
///
/// # Errors
/// `SecurityGroupRuleInvalidProtocol`.
pub fn convert_protocol(v: Value, _: &Limits) -> Converted {
    let refused = |v: &Value| {
        let message =
            format!("The protocol {} is not supported: give a number from 0 to 255, or one of any, {}.", shown(v), PROTOCOLS.join(", "));
        Err(Invalid::kind(raised::SECURITY_GROUP_RULE_INVALID_PROTOCOL, message))
    };
    if let Value::String(text) = &v {
        let name = text.to_lowercase();
        if name == "any" {
            return Ok(Value::Null);
        }
        if PROTOCOLS.contains(&name.as_str()) {
            return Ok(Value::String(name));
        }
    }
    match v {
        Value::Null => Ok(v),
        Value::Number(_) | Value::String(_) => match python::exact_int(&v) {
            Some(number @ 0..=255) => Ok(Value::String(number.to_string())),
            _ => refused(&v),
        },
        other => refused(&other),
    }
}

/// `securitygroup.convert_ethertype_to_case_insensitive`: `IPv4` or `IPv6`.
///
/// # Errors
/// `SecurityGroupRuleInvalidEtherType`.
pub fn convert_ethertype_to_case_insensitive(v: Value, _: &Limits) -> Converted {
    match v.as_str().map(str::to_lowercase).as_deref() {
        Some("ipv4") => Ok(Value::from("IPv4")),
        Some("ipv6") => Ok(Value::from("IPv6")),
        _ => Err(Invalid::kind(
            raised::SECURITY_GROUP_RULE_INVALID_ETHER_TYPE,
            format!("The ethertype {} is not supported: give IPv4 or IPv6.", shown(&v)),
        )),
    }
}

/// `securitygroup.convert_validate_port_value`: `null`, or a number from 0 to 65535.
///
/// # Errors
/// `SecurityGroupInvalidPortValue`.
pub fn convert_validate_port_value(v: Value, _: &Limits) -> Converted {
    if v.is_null() {
        return Ok(v);
    }
    match python::int(&v) {
        Some(port @ 0..=65535) => Ok(Value::from(port)),
        _ => {
            let port = if v.is_number() { python::str(&v) } else { shown(&v) };
            let sentence = format!("Invalid value for port {port}: it must be a number from 0 to 65535.");
            Err(Invalid::kind(raised::SECURITY_GROUP_INVALID_PORT_VALUE, sentence))
        }
    }
}

/// `securitygroup.convert_ip_prefix_to_cidr`: a network in canonical text, host bits kept; nothing for an empty value.
///
/// # Errors
/// `InvalidCIDR`.
pub fn convert_ip_prefix_to_cidr(v: Value, _: &Limits) -> Converted {
    if !python::truth(&v) {
        return Ok(Value::Null);
    }
    match canonical_cidr(&v) {
        Some(text) => Ok(Value::String(text)),
        None => Err(Invalid::kind(raised::INVALID_CIDR, format!("{} is not a CIDR.", shown(&v)))),
    }
}
