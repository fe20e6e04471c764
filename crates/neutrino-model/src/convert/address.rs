// SPDX-License-Identifier: Apache-2.0
//! Canonical forms of IP addresses, networks, allocation pools and MAC addresses.

use neutrino_types::cidr::Cidr;
use neutrino_types::ip::{Ip, IpVersion};
use neutrino_types::mac::Mac;
use serde_json::{Map, Value};

use crate::validate::{Invalid, Limits, python, shown};

type Converted = Result<Value, Invalid>;

/// IPv6 in its canonical text. Everything else stays as it is. As in Neutron a number above the IPv4 range counts as IPv6.
pub(super) fn ip(v: Value) -> Value {
    let address = match &v {
        Value::String(text) => text.parse::<Ip>().ok().filter(|address| address.is_v6()),
        Value::Number(number) => number.as_u64().filter(|n| *n > u64::from(u32::MAX)).and_then(|n| Ip::new(IpVersion::V6, n.into())),
        _ => None,
    };
    address.map_or(v, |address| Value::String(address.to_string()))
}

/// A network with its host bits, in canonical text; a bare address gets the full prefix length.
pub(super) fn cidr(v: Value) -> Converted {
    canonical_cidr(&v).map(Value::String).ok_or_else(|| Invalid::reason(format!("{} is not a CIDR", shown(&v))))
}

/// The text that [`cidr`] gives.
pub(super) fn canonical_cidr(v: &Value) -> Option<String> {
    let text = v.as_str()?;
    // The number after the slash may end in blanks, as Python reads it.
    let text = if text.contains('/') { text.trim_end() } else { text };
    let (address, cidr) = Cidr::parse_with_address(text).ok()?;
    Some(format!("{address}/{}", cidr.prefixlen()))
}

/// Each value of each pool through [`ip`].
pub(super) fn allocation_pools(v: Value) -> Converted {
    let pools = match v {
        Value::Null => Vec::new(),
        Value::Array(pools) => pools,
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::Object(map) if map.is_empty() => Vec::new(),
        other => return Err(Invalid::reason(format!("{} is not a list of allocation pools", shown(&other)))),
    };
    let canonical = |pool| match pool {
        Value::Object(map) => Ok(Value::Object(map.into_iter().map(|(key, value)| (key, ip(value))).collect::<Map<_, _>>())),
        other => Err(Invalid::reason(format!("{} is not an allocation pool", shown(&other)))),
    };
    pools.into_iter().map(canonical).collect()
}

/// `xx:xx:xx:xx:xx:xx`; what is no MAC address stays as it is, for the validator to refuse. As in Neutron a number below 2^48 is
/// taken for the address that it encodes.
pub(super) fn sanitized_mac(v: Value) -> Value {
    let mac = match &v {
        Value::String(text) => mac_from_text(text),
        Value::Number(number) if !number.is_f64() => number.as_u64().and_then(mac_from_number),
        Value::Bool(flag) => mac_from_number(u64::from(*flag)),
        _ => None,
    };
    mac.map_or(v, |mac| Value::String(mac.to_string()))
}

fn mac_from_text(text: &str) -> Option<Mac> {
    let spelled = text.strip_suffix('\n').unwrap_or(text);
    let number = || python::int_text(text, 10).and_then(|number| u64::try_from(number).ok()).and_then(mac_from_number);
    spelled.parse().ok().or_else(number)
}

fn mac_from_number(number: u64) -> Option<Mac> {
    match number.to_be_bytes() {
        [0, 0, a, b, c, d, e, f] => Some(Mac::new([a, b, c, d, e, f])),
        _ => None,
    }
}

pub(super) fn mac_if_none(v: Value, cx: &Limits) -> Value {
    if v.is_null() {
        return Value::String(Mac::random_under(cx.base_mac, (cx.random)()).to_string());
    }
    sanitized_mac(v)
}
