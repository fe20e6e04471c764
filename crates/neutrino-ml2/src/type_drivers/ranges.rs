// SPDX-License-Identifier: Apache-2.0
//! Ranges of segmentation ids as operators write them: `physnet1:100:199`, `1:1000`.

use oslo_config::Config;

use super::pool::Range;

pub const VLAN_IDS: Range = (1, 4094);
/// VNIs are 24 bits wide (RFC 7348, RFC 8926).
pub const VNIS: Range = (1, (1 << 24) - 1);
/// GRE keys are 32 bits wide; Neutron's column holds 31 of them.
pub const GRE_KEYS: Range = (1, (1 << 31) - 1);
/// The most ids that one type may have: each is a row.
pub const MOST_IDS: i64 = 1 << 24;

/// The ids that a type has at all; `None` for one without ids.
#[must_use]
pub fn valid_ids(network_type: &str) -> Option<Range> {
    match network_type {
        "vlan" => Some(VLAN_IDS),
        "vxlan" | "geneve" => Some(VNIS),
        "gre" => Some(GRE_KEYS),
        _ => None,
    }
}

/// `network_vlan_ranges`: physical networks in the order in which they are written, with their ranges. A name alone stands for all
/// VLANs there.
pub fn vlans(config: &Config) -> Result<Vec<(String, Vec<Range>)>, String> {
    const OPTION: (&str, &str) = ("ml2_type_vlan", "network_vlan_ranges");
    let mut networks: Vec<(String, Vec<Range>)> = Vec::new();
    for entry in config.list(OPTION.0, OPTION.1) {
        let entry = entry.trim();
        let parts: Vec<&str> = entry.split(':').collect();
        let range = match parts.as_slice() {
            ["", ..] => return Err(refuse(config, OPTION, entry, "has no physical network: write <physical_network>[:<first>:<last>]")),
            [_] => VLAN_IDS,
            [_, first, last] => bounds(first, last, VLAN_IDS).map_err(|reason| refuse(config, OPTION, entry, &reason))?,
            _ => return Err(refuse(config, OPTION, entry, "is not of the form <physical_network>[:<first>:<last>]")),
        };
        let name = parts[0].to_owned();
        if name.chars().count() > 64 {
            return Err(refuse(config, OPTION, entry, "has a physical network of more than 64 characters"));
        }
        match networks.iter_mut().find(|(known, _)| *known == name) {
            Some((_, ranges)) => ranges.push(range),
            None => networks.push((name, vec![range])),
        }
    }
    Ok(networks)
}

/// The ranges of a tunnel type, all of whose ids lie within `valid`.
pub fn tunnels(config: &Config, group: &'static str, name: &'static str, valid: Range) -> Result<Vec<Range>, String> {
    let mut ranges = Vec::new();
    for entry in config.list(group, name) {
        let entry = entry.trim();
        let Some((first, last)) = entry.split_once(':') else {
            return Err(refuse(config, (group, name), entry, "is not of the form <first>:<last>"));
        };
        ranges.push(bounds(first, last, valid).map_err(|reason| refuse(config, (group, name), entry, &reason))?);
    }
    let count: i64 = ranges.iter().map(|(first, last)| last - first + 1).sum();
    if count > MOST_IDS {
        return Err(refuse(config, (group, name), "", &format!("has {count} ids; {MOST_IDS} are the most that are supported")));
    }
    Ok(ranges)
}

fn bounds(first: &str, last: &str, valid: Range) -> Result<Range, String> {
    let number = |text: &str| {
        let number = text.trim().parse::<i64>().ok().filter(|n| (valid.0..=valid.1).contains(n));
        number.ok_or_else(|| format!("has '{}', which is not a number from {} to {}", text.trim(), valid.0, valid.1))
    };
    let (first, last) = (number(first)?, number(last)?);
    if last < first {
        return Err(format!("ends with {last}, before its beginning {first}"));
    }
    Ok((first, last))
}

fn refuse(config: &Config, (group, name): (&'static str, &'static str), value: &str, reason: &str) -> String {
    config.refuse::<&str>(group, name, value, reason, &[]).to_string()
}
