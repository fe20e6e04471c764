// SPDX-License-Identifier: Apache-2.0
//! One IP network: a network address and a prefix length.
//!
//! Owns parsing (as netaddr's `IPNetwork`), canonical text and the questions between two networks. Sets of networks are
//! [`crate::range::IpSet`]. Invariants: host bits are clear; the prefix length fits the version.

use std::fmt;
use std::str::FromStr;

use crate::ip::{Ip, IpVersion, Malformed};
use crate::range::IpRange;

/// Ordered by version, network address, then prefix length: a network comes before its parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cidr {
    network: Ip,
    prefixlen: u8,
}

impl Cidr {
    /// The network that holds `address`; host bits are cleared. `None` when the prefix length does not fit the version.
    #[must_use]
    pub fn new(address: Ip, prefixlen: u8) -> Option<Self> {
        let version = address.version();
        if prefixlen > version.width() {
            return None;
        }
        let network = Ip::masked(version, address.value() & !host_mask(version, prefixlen));
        Some(Self { network, prefixlen })
    }

    /// The network of one address: /32 or /128.
    #[must_use]
    pub fn host(address: Ip) -> Self {
        Self { network: address, prefixlen: address.version().width() }
    }

    /// Also gives the address as it was written, host bits and all.
    ///
    /// Accepts `address`, `address/length`, `address/netmask` and `address/hostmask`.
    pub fn parse_with_address(text: &str) -> Result<(Ip, Self), Malformed> {
        let malformed = || Malformed::new("CIDR", text);
        let (address, suffix) = match text.split_once('/') {
            Some((address, suffix)) => (address, Some(suffix)),
            None => (text, None),
        };
        let address: Ip = address.parse().map_err(|_| malformed())?;
        let prefixlen = match suffix {
            None => address.version().width(),
            Some(suffix) => parse_prefixlen(suffix, address.version()).ok_or_else(malformed)?,
        };
        Self::new(address, prefixlen).map(|cidr| (address, cidr)).ok_or_else(malformed)
    }

    #[must_use]
    pub const fn network(&self) -> Ip {
        self.network
    }

    #[must_use]
    pub const fn prefixlen(&self) -> u8 {
        self.prefixlen
    }

    #[must_use]
    pub const fn version(&self) -> IpVersion {
        self.network.version()
    }

    /// The network address.
    #[must_use]
    pub const fn first(&self) -> Ip {
        self.network
    }

    /// The highest address; in IPv4 the broadcast address, if the network is large enough to have one.
    #[must_use]
    pub fn last(&self) -> Ip {
        Ip::masked(self.version(), self.network.value() | host_mask(self.version(), self.prefixlen))
    }

    #[must_use]
    pub fn range(&self) -> IpRange {
        IpRange::of(self)
    }

    /// The number of addresses; for `::/0`, whose 2^128 does not fit, `u128::MAX`.
    #[must_use]
    pub fn size(&self) -> u128 {
        host_mask(self.version(), self.prefixlen).saturating_add(1)
    }

    #[must_use]
    pub fn contains(&self, address: Ip) -> bool {
        address.version() == self.version() && self.first() <= address && address <= self.last()
    }

    /// True when `other` is this network or a part of it.
    #[must_use]
    pub fn contains_cidr(&self, other: &Self) -> bool {
        other.prefixlen >= self.prefixlen && self.contains(other.network)
    }

    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.contains_cidr(other) || other.contains_cidr(self)
    }

    /// The first part of this network with that prefix length; `None` when it would be larger than this network.
    #[must_use]
    pub fn first_subnet(&self, prefixlen: u8) -> Option<Self> {
        if prefixlen < self.prefixlen { None } else { Self::new(self.network, prefixlen) }
    }

    /// True when the whole network is multicast (224.0.0.0/4, ff00::/8).
    #[must_use]
    pub fn is_multicast(&self) -> bool {
        match self.version() {
            IpVersion::V4 => self.prefixlen >= 4 && self.network.value() >> 28 == 0xe,
            IpVersion::V6 => self.prefixlen >= 8 && self.network.value() >> 120 == 0xff,
        }
    }

    /// True when the whole network is loopback (127.0.0.0/8, ::1/128).
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.version() {
            IpVersion::V4 => self.prefixlen >= 8 && self.network.value() >> 24 == 127,
            IpVersion::V6 => self.prefixlen == 128 && self.network.value() == 1,
        }
    }
}

/// The bits of the host part, all set.
const fn host_mask(version: IpVersion, prefixlen: u8) -> u128 {
    let bits = version.width().saturating_sub(prefixlen) as u32;
    match u128::MAX.checked_shl(bits) {
        Some(network_bits) => !network_bits,
        None => u128::MAX,
    }
}

fn parse_prefixlen(text: &str, version: IpVersion) -> Option<u8> {
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<u8>().ok().filter(|&length| length <= version.width());
    }
    let mask: Ip = text.parse().ok()?;
    if mask.version() != version {
        return None;
    }
    let lengths = 0..=version.width();
    let as_netmask = |&length: &u8| mask.value() == version.max() & !host_mask(version, length);
    let as_hostmask = |&length: &u8| mask.value() == host_mask(version, length);
    lengths.clone().find(as_netmask).or_else(|| lengths.clone().find(as_hostmask))
}

impl FromStr for Cidr {
    type Err = Malformed;

    fn from_str(text: &str) -> Result<Self, Malformed> {
        Self::parse_with_address(text).map(|(_, cidr)| cidr)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefixlen)
    }
}

impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    #[test]
    fn text_is_canonical() {
        for (written, printed) in [
            ("10.2.0.5/24", "10.2.0.0/24"),
            ("10.2.0.5", "10.2.0.5/32"),
            ("10.2.0.5/255.255.0.0", "10.2.0.0/16"),
            ("10.2.0.5/0.0.255.255", "10.2.0.0/16"),
            ("10.2.0.5/0.0.0.0", "0.0.0.0/0"),
            ("10.2.0.5/255.255.255.255", "10.2.0.5/32"),
            ("10.2.0.5/024", "10.2.0.0/24"),
            ("FD00:0:0:1:0:0:0:7/64", "fd00:0:0:1::/64"),
            ("fd00::1", "fd00::1/128"),
            ("fd00::1/ffff::", "fd00::/16"),
            ("::/0", "::/0"),
            ("::1.2.3.4/112", "::1.2.0.0/112"),
            ("0.0.0.0/0", "0.0.0.0/0"),
        ] {
            assert_eq!(cidr(written).to_string(), printed, "{written}");
        }
        let (address, network) = Cidr::parse_with_address("10.2.0.5/24").unwrap();
        assert_eq!((address.to_string(), network.to_string()), ("10.2.0.5".into(), "10.2.0.0/24".into()));
    }

    #[test]
    fn refuses_what_is_no_network() {
        for text in [
            "",
            "/24",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "fd00::/129",
            "10/8",
            "10.0.0.0/255.0.255.0",
            "10.0.0.0/ffff::",
            "10.0.0.0/8/8",
            "10.0.0.0/999",
            "x",
        ] {
            assert!(text.parse::<Cidr>().is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_do_not_overflow() {
        assert_eq!(cidr("::/0").size(), u128::MAX);
        assert_eq!(cidr("::/1").size(), 1 << 127);
        assert_eq!(cidr("0.0.0.0/0").size(), 1 << 32);
        assert_eq!(cidr("10.0.0.1/32").size(), 1);
        assert_eq!(cidr("0.0.0.0/0").last().to_string(), "255.255.255.255");
    }

    #[test]
    fn kinds_of_network() {
        assert!(cidr("224.0.0.0/4").is_multicast() && cidr("239.1.0.0/16").is_multicast() && cidr("ff02::/16").is_multicast());
        assert!(!cidr("224.0.0.0/3").is_multicast() && !cidr("10.0.0.0/8").is_multicast());
        assert!(cidr("127.0.0.0/8").is_loopback() && cidr("127.1.0.0/24").is_loopback() && cidr("::1/128").is_loopback());
        assert!(!cidr("126.0.0.0/7").is_loopback() && !cidr("::/64").is_loopback());
    }

    #[test]
    fn first_part() {
        assert_eq!(cidr("10.0.0.0/8").first_subnet(24), Some(cidr("10.0.0.0/24")));
        assert_eq!(cidr("10.0.0.0/8").first_subnet(8), Some(cidr("10.0.0.0/8")));
        assert_eq!(cidr("10.0.0.0/8").first_subnet(7), None);
        assert_eq!(cidr("10.0.0.0/8").first_subnet(33), None);
    }

    prop_compose! {
        fn any_cidr()(v6: bool, value: u128, prefixlen in 0u8..=128, near: bool) -> Cidr {
            let version = if v6 { IpVersion::V6 } else { IpVersion::V4 };
            // Half of the cases share their upper bits, so that overlaps happen.
            let value = if near { value & 0xf } else { value };
            Cidr::new(Ip::masked(version, value), prefixlen.min(version.width())).unwrap()
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(one in any_cidr()) {
            prop_assert_eq!(one.to_string().parse::<Cidr>().unwrap(), one);
            prop_assert!(one.contains(one.first()) && one.contains(one.last()));
        }

        #[test]
        fn overlap_is_a_common_address(one in any_cidr(), two in any_cidr()) {
            let common = one.first().max(two.first());
            prop_assert_eq!(one.overlaps(&two), one.contains(common) && two.contains(common));
            prop_assert_eq!(one.contains_cidr(&two), one.contains(two.first()) && one.contains(two.last()));
        }

        #[test]
        fn nothing_panics(text in "[0-9a-f:./é-]{0,50}") {
            let _ = text.parse::<Cidr>();
        }
    }
}
