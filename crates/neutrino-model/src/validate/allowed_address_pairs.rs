// SPDX-License-Identifier: Apache-2.0
//! `type:allowed_address_pairs`: further addresses that a port may send from.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use neutrino_types::cidr::Cidr;
use neutrino_types::ip::IpVersion;
use neutrino_types::mac::Mac;
use serde_json::Value;

use super::address::{mac_address, parsed_ip, parsed_subnet};
use super::invalid::{Invalid, raised, shown, shown_text};
use super::limits::Limits;

type Checked = Result<(), Invalid>;

pub(super) fn allowed_address_pairs(v: &mut Value, cx: &Limits) -> Checked {
    let Value::Array(pairs) = v else {
        return Err(Invalid::reason("allowed address pairs must be a list"));
    };
    let most = cx.max_allowed_address_pair;
    if pairs.len() > most {
        return Err(Invalid::kind(
            raised::ALLOWED_ADDRESS_PAIR_EXHAUSTED,
            format!("A port may have at most {most} allowed address pairs."),
        ));
    }
    let mut seen = HashSet::new();
    for pair in pairs {
        let (ip, mac) = parts(pair)?;
        if !seen.insert((mac, ip)) {
            let message =
                format!("The request has the address pair of IP {} and MAC '{}' twice.", shown_text(ip), mac.unwrap_or("of the port"));
            return Err(Invalid::kind(raised::DUPLICATE_ADDRESS_PAIR_IN_REQUEST, message));
        }
        refuse_unknown_keys(pair)?;
        check_ip(ip)?;
        refuse_multicast_mac(mac)?;
    }
    Ok(())
}

/// The address and, when given, the MAC address of one pair.
fn parts(pair: &Value) -> Result<(&str, Option<&str>), Invalid> {
    let Value::Object(map) = pair else {
        return Err(Invalid::reason(format!("{} is not a dictionary", shown(pair))));
    };
    let mac = map.get("mac_address");
    mac.map_or(Ok(()), mac_address)?;
    let Some(ip) = map.get("ip_address") else {
        return Err(Invalid::kind(raised::ALLOWED_ADDRESS_PAIRS_MISSING_IP, "Every allowed address pair needs an ip_address."));
    };
    let ip = ip.as_str().ok_or_else(|| Invalid::reason(format!("{} is not an IP address", shown(ip))))?;
    Ok((ip, mac.and_then(Value::as_str)))
}

fn refuse_unknown_keys(pair: &Value) -> Checked {
    let unknown = pair.as_object().and_then(|map| map.keys().find(|key| !matches!(key.as_str(), "ip_address" | "mac_address")));
    match unknown {
        Some(key) => Err(Invalid::reason(format!("an allowed address pair has no attribute {}", shown_text(key)))),
        None => Ok(()),
    }
}

fn check_ip(ip: &str) -> Checked {
    let value = Value::from(ip);
    if !ip.contains('/') {
        return match parsed_ip(&value)? {
            address if IpAddr::from(address).is_multicast() => Err(Invalid::reason(format!("'{ip}' is a multicast address"))),
            _ => Ok(()),
        };
    }
    let network = parsed_subnet(&value)?;
    let everything = network.prefixlen() == 0 && network.version() == IpVersion::V4;
    if !everything && multicast_networks().into_iter().flatten().any(|multicast| network.overlaps(&multicast)) {
        return Err(Invalid::reason(format!("the subnet '{ip}' holds multicast addresses")));
    }
    Ok(())
}

fn multicast_networks() -> [Option<Cidr>; 2] {
    [Cidr::new(Ipv4Addr::new(224, 0, 0, 0).into(), 4), Cidr::new(Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0).into(), 8)]
}

fn refuse_multicast_mac(mac: Option<&str>) -> Checked {
    match mac.and_then(|text| text.parse::<Mac>().ok()) {
        Some(address) if address.octets()[0] & 1 == 1 => {
            Err(Invalid::reason(format!("'{}' is a multicast MAC address", mac.unwrap_or_default())))
        }
        _ => Ok(()),
    }
}
