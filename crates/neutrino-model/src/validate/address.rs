// SPDX-License-Identifier: Apache-2.0
//! MAC addresses, IP addresses, subnets, pools, fixed IPs, name servers and host routes.

use std::collections::HashSet;

use neutrino_types::cidr::Cidr;
use neutrino_types::ip::Ip;
use neutrino_types::mac::Mac;
use serde_json::Value;

use super::dict::exact;
use super::invalid::{Invalid, shown};
use super::list;
use super::python;
use super::text;

type Checked = Result<(), Invalid>;

/// A string without any white space.
fn solid(v: &Value) -> Option<&str> {
    v.as_str().filter(|text| !text.contains(python::is_space))
}

pub(super) fn mac_address(v: &Value) -> Checked {
    match solid(v).and_then(|text| text.parse::<Mac>().ok()) {
        Some(mac) if mac.octets() != [0; 6] && mac.octets() != [0xff; 6] => Ok(()),
        _ => Err(Invalid::reason(format!("{} is not a MAC address of one interface", shown(v)))),
    }
}

pub(super) fn ip_address(v: &Value) -> Checked {
    parsed_ip(v).map(drop)
}

/// IPv6 in any spelling; IPv4 only as four decimal numbers without leading zeros.
pub(super) fn parsed_ip(v: &Value) -> Result<Ip, Invalid> {
    v.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| Invalid::reason(format!("{} is not an IP address", shown(v))))
}

pub(super) fn subnet(v: &Value) -> Checked {
    parsed_subnet(v).map(drop)
}

/// A network with `/`; IPv4 only in its canonical text (host bits may be set), IPv6 in any spelling.
pub(super) fn parsed_subnet(v: &Value) -> Result<Cidr, Invalid> {
    match with_slash(v) {
        Some((text, address, cidr)) if address.is_v6() || format!("{address}/{}", cidr.prefixlen()) == text => Ok(cidr),
        _ => Err(Invalid::reason(format!("{} is not an IP subnet", shown(v)))),
    }
}

/// The text of a network that has `/`, its address as written, and the network.
fn with_slash(v: &Value) -> Option<(&str, Ip, Cidr)> {
    let text = solid(v).filter(|text| text.contains('/'))?;
    let (address, cidr) = Cidr::parse_with_address(text).ok()?;
    Some((text, address, cidr))
}

pub(super) fn ip_or_subnet(v: &Value) -> Checked {
    ip_address(v).or_else(|_| subnet(v)).map_err(|_| Invalid::reason(format!("{} is neither an IP address nor an IP subnet", shown(v))))
}

pub(super) fn ip_pools(v: &mut Value) -> Checked {
    for pool in list::items(v)? {
        let map = exact(pool, &["start", "end"])?;
        map.values().try_for_each(ip_address)?;
    }
    Ok(())
}

pub(super) fn fixed_ips(v: &mut Value) -> Checked {
    let mut seen = HashSet::new();
    for fixed_ip in list::items(v)? {
        let Value::Object(map) = fixed_ip else {
            return Err(Invalid::reason(format!("{} is not a dictionary", shown(fixed_ip))));
        };
        if let Some(address) = map.get("ip_address") {
            ip_address(address)?;
            if !seen.insert(address.as_str()) {
                return Err(Invalid::reason(format!("the IP address {} comes twice", shown(address))));
            }
        }
        map.get("subnet_id").map_or(Ok(()), text::uuid)?;
    }
    Ok(())
}

pub(super) fn nameservers(v: &mut Value) -> Checked {
    let mut seen = HashSet::new();
    for server in list::items(v)? {
        ip_address(server)?;
        if !seen.insert(server.as_str()) {
            return Err(Invalid::reason(format!("the name server {} comes twice", shown(server))));
        }
    }
    Ok(())
}

pub(super) fn hostroutes(v: &mut Value) -> Checked {
    let routes = list::items(v)?;
    for route in routes.iter() {
        let map = exact(route, &["destination", "nexthop"])?;
        map.get("destination").map_or(Ok(()), route_cidr)?;
        map.get("nexthop").map_or(Ok(()), ip_address)?;
    }
    list::refuse_duplicates(routes)
}

/// A network that a route may lead to: with `/`, without host bits, not loopback.
fn route_cidr(v: &Value) -> Checked {
    match with_slash(v).filter(|(_, address, cidr)| cidr.network() == *address) {
        Some((_, _, cidr)) if cidr.is_loopback() => {
            Err(Invalid::reason(format!("{} is a loopback network, which no route leads to", shown(v))))
        }
        Some(_) => Ok(()),
        None => Err(Invalid::reason(format!("{} is not a CIDR without host bits", shown(v)))),
    }
}
