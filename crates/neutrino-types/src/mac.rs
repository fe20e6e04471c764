// SPDX-License-Identifier: Apache-2.0
//! MAC addresses: every spelling that Neutron takes, one spelling that it stores.
//!
//! Owns parsing, text, generation under a base address and the EUI-64 rule (RFC 4291, appendix A). Makes no randomness: the
//! caller brings it. Invariant: the text is always six lower-case pairs joined by colons.

use std::fmt;
use std::str::FromStr;

use crate::cidr::Cidr;
use crate::ip::{Ip, IpVersion, Malformed};

/// A 48-bit Ethernet address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac([u8; 6]);

impl Mac {
    #[must_use]
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// A MAC under `base`, the option `base_mac`: its first three octets stay, the fourth too unless it is zero; the rest is
    /// taken from `random`.
    #[must_use]
    pub const fn random_under(base: Self, random: u64) -> Self {
        let [a, b, c, d, _, _] = base.0;
        let [r0, r1, r2, ..] = random.to_le_bytes();
        Self([a, b, c, if d == 0 { r2 } else { d }, r1, r0])
    }

    /// The IPv6 address that a host with this MAC gives itself in `prefix`; `None` when the prefix is IPv4 or the sum passes the
    /// end of the family. The prefix is normally a /64; a longer one is added to, as Neutron does.
    #[must_use]
    pub fn eui64_address(self, prefix: &Cidr) -> Option<Ip> {
        if prefix.version() != IpVersion::V6 {
            return None;
        }
        let [a, b, c, d, e, f] = self.0;
        let interface = u64::from_be_bytes([a, b, c, 0xff, 0xfe, d, e, f]);
        let sum = prefix.network().value().checked_add(u128::from(interface))?;
        Ip::new(IpVersion::V6, sum ^ (1 << 57))
    }
}

impl FromStr for Mac {
    type Err = Malformed;

    /// Accepts netaddr's spellings: six groups of one or two hexadecimal digits (`:` or `-`), three of one to four (`:`, `-` or `.`),
    /// two of five or six (`:` or `-`), or eleven or twelve digits bare.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        parse(text).map(|value| Self(low_octets(value))).ok_or_else(|| Malformed::new("MAC address", text))
    }
}

fn parse(text: &str) -> Option<u64> {
    if !(5..=17).contains(&text.len()) || !text.is_ascii() {
        return None;
    }
    let Some(separator) = text.chars().find(|c| matches!(c, ':' | '-' | '.')) else {
        return if (11..=12).contains(&text.len()) { hex(text) } else { None };
    };
    let groups: Vec<&str> = text.split(separator).collect();
    let (lengths, bits) = match (groups.len(), separator) {
        (6, ':' | '-') => (1..=2, 8),
        (3, _) => (1..=4, 16),
        (2, ':' | '-') => (5..=6, 24),
        _ => return None,
    };
    groups.iter().try_fold(0u64, |value, group| {
        if !lengths.contains(&group.len()) {
            return None;
        }
        Some((value << bits) | hex(group)?)
    })
}

/// Digits only: `from_str_radix` alone would take a sign.
fn hex(digits: &str) -> Option<u64> {
    if digits.bytes().all(|b| b.is_ascii_hexdigit()) { u64::from_str_radix(digits, 16).ok() } else { None }
}

const fn low_octets(value: u64) -> [u8; 6] {
    let [_, _, a, b, c, d, e, f] = value.to_be_bytes();
    [a, b, c, d, e, f]
}

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_netaddr() {
        for text in [
            "00:1b:77:49:54:fd",
            "0:1B:77:49:54:FD",
            "00-1B-77-49-54-FD",
            "001b:7749:54fd",
            "1b-7749-54fd",
            "001B.7749.54FD",
            "1b.7749.54fd",
            "001b77-4954fd",
            "01b77:4954fd",
            "001B774954FD",
            "01B774954FD",
        ] {
            assert_eq!(text.parse::<Mac>().unwrap().to_string(), "00:1b:77:49:54:fd", "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "",
            "00:1b:77:49:54",
            "00:1b:77:49:54:fd:00",
            "00:1b:77:49:54-fd",
            "00.1b.77.49.54.fd",
            "001b77.4954fd",
            "0001b:7749:54fd",
            "00:1b:77:49:54:+d",
            "+01B774954FD",
            "1b774954fd",
            "001b774954fd0",
            "00:1b:77:49:54:fg",
            " 00:1b:77:49:54:fd",
            "::::::",
            "é0:1b:77:49:54:fd",
        ] {
            assert!(text.parse::<Mac>().is_err(), "{text}");
        }
    }

    #[test]
    fn random_keeps_three_or_four_octets() {
        let three: Mac = "fa:16:3e:00:00:00".parse().unwrap();
        assert_eq!(Mac::random_under(three, 0xffff_ffff_ff12_3456).to_string(), "fa:16:3e:12:34:56");
        let four: Mac = "fa:16:3e:4f:00:00".parse().unwrap();
        assert_eq!(Mac::random_under(four, 0x12_3456).to_string(), "fa:16:3e:4f:34:56");
    }

    /// Expected values: oslo_utils.netutils.get_ipv6_addr_by_EUI64.
    #[test]
    fn eui64() {
        let mac: Mac = "00:16:3e:33:44:55".parse().unwrap();
        let address = |prefix: &str| mac.eui64_address(&prefix.parse().unwrap()).map(|ip| ip.to_string());
        assert_eq!(address("2001:db8::/64").unwrap(), "2001:db8::216:3eff:fe33:4455");
        assert_eq!(address("fe80::/10").unwrap(), "fe80::216:3eff:fe33:4455");
        assert_eq!(address("10.0.0.0/24"), None);
        assert_eq!(address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"), None);
        let local: Mac = "fa:16:3e:00:00:01".parse().unwrap();
        assert_eq!(local.eui64_address(&"fd00::/64".parse().unwrap()).unwrap().to_string(), "fd00::f816:3eff:fe00:1");
    }

    proptest! {
        #[test]
        fn text_round_trips(octets: [u8; 6]) {
            let mac = Mac::new(octets);
            prop_assert_eq!(mac.to_string().parse::<Mac>().unwrap(), mac);
            prop_assert_eq!(mac.to_string().replace(':', "").to_uppercase().parse::<Mac>().unwrap(), mac);
        }

        #[test]
        fn nothing_panics(text in "[0-9a-fA-F:.é-]{0,20}") {
            let _ = text.parse::<Mac>();
        }
    }
}
