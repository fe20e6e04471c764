// SPDX-License-Identifier: Apache-2.0
//! Ethertypes, service types, subports and the segments of a network.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::invalid::{Invalid, raised, shown, shown_text};
use super::limits::Limits;
use super::list;
use super::python;
use super::text;

type Checked = Result<(), Invalid>;

/// Ethertypes by name, as the agents' packet library knows them, besides `IPv4`.
const ETHERTYPES: [&str; 13] = ["IP", "ARP", "TEB", "8021Q", "IPV6", "SLOW", "MPLS", "8021AD", "LLDP", "8021AH", "IEEE802_3", "CFM", "NSH"];

pub(super) fn ethertype(v: &Value, cx: &Limits) -> Checked {
    if !cx.sg_filter_ethertypes {
        return match v.as_str() {
            Some("IPv4" | "IPv6") => Ok(()),
            _ => Err(Invalid::reason(format!("{} is not an ethertype; the known ones are IPv4 and IPv6", shown(v)))),
        };
    }
    let number = match v {
        Value::String(text) if is_ethertype_name(text) => return Ok(()),
        Value::String(text) => python::int_text(text, 16),
        Value::Bool(_) => python::int(v),
        Value::Number(number) => number.as_i64(),
        _ => None,
    };
    match number {
        Some(0..=0xffff) => Ok(()),
        _ => Err(Invalid::reason(format!("{} is neither the name of an ethertype nor a hexadecimal number of two octets", shown(v)))),
    }
}

fn is_ethertype_name(text: &str) -> bool {
    let name = text.to_uppercase();
    name == "IPV4" || ETHERTYPES.contains(&name.as_str())
}

pub(super) fn service_plugin_type(v: &Value, cx: &Limits) -> Checked {
    let loaded = v.as_str().is_some_and(|wanted| cx.service_plugin_types.iter().any(|known| known == wanted));
    if loaded {
        return Ok(());
    }
    Err(Invalid::kind(raised::INVALID_SERVICE_TYPE, format!("No service plugin of the type {} is loaded.", shown(v))))
}

/// `type:list_of_subnet_service_types`: device owners, by their beginning. Neutron takes the prefix `compute:` letter by letter, so
/// that any owner which begins with one of its letters passes; clients rely on such names, and so it stays.
pub(super) fn list_of_subnet_service_types(v: &mut Value) -> Checked {
    if !python::truth(v) {
        return Ok(());
    }
    let Value::Array(items) = v else {
        return Err(Invalid::reason("subnet service types must be a list"));
    };
    for item in items {
        let Value::String(owner) = item else {
            let message = format!("The subnet service type {} is not a string.", shown(item));
            return Err(Invalid::kind(raised::INVALID_INPUT_SUBNET_SERVICE_TYPE, message));
        };
        let known = owner.starts_with("network:") || owner.starts_with("neutron:") || owner.starts_with(|c| "compute:".contains(c));
        if !known {
            let message =
                format!("The subnet service type {} is not a device owner such as 'compute:nova' or 'network:dhcp'.", shown_text(owner));
            return Err(Invalid::kind(raised::INVALID_SUBNET_SERVICE_TYPE, message));
        }
    }
    Ok(())
}

/// `type:subports`. Every item is checked, also those after one that inherits its segmentation (where Neutron stops looking).
pub(super) fn subports(v: &mut Value) -> Checked {
    let mut ports = HashSet::new();
    let mut segmentations = HashSet::new();
    for subport in list::items(v)? {
        let Value::Object(map) = subport else {
            return Err(Invalid::reason(format!("{} is not a dictionary", shown(subport))));
        };
        let port_id = map.get("port_id").ok_or_else(|| Invalid::reason("every subport needs the UUID of its port in port_id"))?;
        text::uuid(port_id)?;
        if !ports.insert(port_id.as_str().unwrap_or_default().to_owned()) {
            return Err(Invalid::reason(format!("the port {} comes twice", shown(port_id))));
        }
        if map.get("segmentation_type").and_then(Value::as_str) != Some("inherit") {
            check_segmentation(map, &mut segmentations)?;
        }
    }
    Ok(())
}

fn check_segmentation(map: &Map<String, Value>, seen: &mut HashSet<String>) -> Checked {
    let null = Value::Null;
    let segmentation_type = map.get("segmentation_type").unwrap_or(&null);
    let segmentation_id = map.get("segmentation_id").unwrap_or(&null);
    if map.len() > 1 && (!python::truth(segmentation_type) || segmentation_id.is_null()) {
        return Err(Invalid::reason("a subport needs both segmentation_type and segmentation_id, or neither"));
    }
    if segmentation_id.is_array() || segmentation_id.is_object() {
        return Err(Invalid::reason(format!("{} is not a segmentation ID", shown(segmentation_id))));
    }
    if !segmentation_id.is_null() && !seen.insert(python::key(segmentation_type) + &python::key(segmentation_id)) {
        return Err(Invalid::reason(format!("the segmentation ID {} comes twice", shown(segmentation_id))));
    }
    Ok(())
}

/// `type:network_segments`: only the three provider keys. The segmentation ID becomes an integer; one that is empty, zero or null
/// is taken out, which means "not given".
pub(super) fn network_segments(v: &mut Value) -> Checked {
    const NETWORK_TYPE: &str = "provider:network_type";
    const PHYSICAL_NETWORK: &str = "provider:physical_network";
    const SEGMENTATION_ID: &str = "provider:segmentation_id";
    for segment in list::items(v)? {
        let Value::Object(map) = segment else {
            return Err(Invalid::reason(format!("{} is not a dictionary", shown(segment))));
        };
        if let Some(id) = map.get_mut(SEGMENTATION_ID) {
            if python::truth(id) {
                let number =
                    python::int(id).ok_or_else(|| Invalid::input(format!("The segmentation ID {} is not an integer.", shown(id))))?;
                *id = Value::from(number);
            } else {
                map.shift_remove(SEGMENTATION_ID);
            }
        }
        let known = |key: &str| matches!(key, NETWORK_TYPE | PHYSICAL_NETWORK | SEGMENTATION_ID);
        if let Some(key) = map.keys().find(|key| !known(key.as_str())) {
            return Err(Invalid::reason(format!("a segment has no attribute {}", shown_text(key))));
        }
    }
    Ok(())
}
