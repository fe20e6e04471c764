// SPDX-License-Identifier: Apache-2.0
//! IP protocols of rules: names, numbers, and which texts mean the same (`neutron_lib/constants.py`).
//!
//! A rule keeps the text it was made with; two rules are the same when their protocols mean the same.

/// Every name but `icmpv6`, which is an old word for `ipv6-icmp`. Number 0 is `ip`; `hopopt` stands for itself.
const NUMBERS: [(&str, u8); 24] = [
    ("ah", 51),
    ("dccp", 33),
    ("egp", 8),
    ("esp", 50),
    ("gre", 47),
    ("hopopt", 0),
    ("icmp", 1),
    ("igmp", 2),
    ("ip", 0),
    ("ipip", 4),
    ("ipv6-encap", 41),
    ("ipv6-frag", 44),
    ("ipv6-icmp", 58),
    ("ipv6-nonxt", 59),
    ("ipv6-opts", 60),
    ("ipv6-route", 43),
    ("ospf", 89),
    ("pgm", 113),
    ("rsvp", 46),
    ("sctp", 132),
    ("tcp", 6),
    ("udp", 17),
    ("udplite", 136),
    ("vrrp", 112),
];

pub const ICMP: u8 = 1;
pub const IPV6_ICMP: u8 = 58;

/// The number of a protocol that a rule's converter let through.
pub fn number(protocol: &str) -> Option<u8> {
    if protocol == "icmpv6" {
        return Some(IPV6_ICMP);
    }
    NUMBERS.iter().find(|(name, _)| *name == protocol).map(|(_, number)| *number).or_else(|| protocol.parse().ok())
}

/// Does the protocol have ports?
pub fn has_ports(number: u8) -> bool {
    matches!(number, 6 | 17 | 33 | 132 | 136)
}

/// Does the protocol exist under IPv6 alone?
pub fn is_ipv6_only(protocol: &str) -> bool {
    protocol == "icmpv6" || number(protocol).is_some_and(|number| matches!(number, 41 | 43 | 44 | 58 | 59 | 60))
}

/// The text that a rule of this ethertype keeps: under IPv6 every ICMP is IPv6's.
pub fn canonical(protocol: &str, ipv6: bool) -> &str {
    match (ipv6, protocol) {
        (true, "icmp" | "icmpv6") => "ipv6-icmp",
        (true, "1") => "58",
        (_, other) => other,
    }
}

/// Every text that means the same protocol to rules of this ethertype; the first stands for all.
pub fn same(protocol: &str, ipv6: bool) -> Vec<String> {
    let protocol = canonical(protocol, ipv6);
    let name_of = |number: u8| NUMBERS.iter().find(|(name, n)| *n == number && *name != "hopopt").map(|(name, _)| *name);
    let mut all = match (protocol, number(protocol)) {
        ("hopopt", _) | (_, None) => vec![protocol.to_owned()],
        (_, Some(number)) => name_of(number).into_iter().map(str::to_owned).chain([number.to_string()]).collect(),
    };
    if ipv6 && all.iter().any(|text| text == "58") {
        // Rows from before these words were brought together.
        all.extend(["icmp", "icmpv6", "1"].map(str::to_owned));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_mean_the_same() {
        assert_eq!(same("tcp", false), ["tcp", "6"]);
        assert_eq!(same("6", true), ["tcp", "6"]);
        assert_eq!(same("0", false), same("ip", false));
        assert_eq!(same("hopopt", false), ["hopopt"]);
        assert_eq!(same("200", false), ["200"]);
        assert_eq!(same("icmp", true)[..2], ["ipv6-icmp", "58"]);
        assert_eq!(same("1", true), same("icmpv6", true));
        assert_eq!(same("icmp", false), ["icmp", "1"]);
    }

    #[test]
    fn every_name_that_the_converter_knows_has_a_number() {
        for name in neutrino_model::convert::securitygroup::PROTOCOLS {
            assert!(number(name).is_some(), "{name}");
        }
    }
}
