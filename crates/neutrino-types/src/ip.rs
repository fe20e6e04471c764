// SPDX-License-Identifier: Apache-2.0
//! One IP address, as a version and a number, with the text that Neutron's database holds.
//!
//! Owns parsing, canonical text and arithmetic of single addresses. Does not know networks ([`crate::cidr`]) or ranges
//! ([`crate::range`]). Invariants: a version 4 value is below 2^32; equal addresses have equal text, and the text is the one
//! that `inet_ntop` of glibc gives (netaddr's `ipv6_compact`), because addresses are keys, as text, in Neutron's tables.
//! Order: every IPv4 address before every IPv6 address, then by number.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::error::{Error, kinds};

/// The two address families, with the number that the API calls `ip_version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IpVersion {
    V4,
    V6,
}

impl IpVersion {
    /// From the API's `ip_version`: 4 or 6.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            4 => Some(Self::V4),
            6 => Some(Self::V6),
            _ => None,
        }
    }

    /// The API's `ip_version`: 4 or 6.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::V4 => 4,
            Self::V6 => 6,
        }
    }

    /// Bits in an address: 32 or 128.
    #[must_use]
    pub const fn width(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The highest address as a number.
    #[must_use]
    pub const fn max(self) -> u128 {
        match self {
            Self::V4 => u32::MAX as u128,
            Self::V6 => u128::MAX,
        }
    }
}

impl fmt::Display for IpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

/// An IPv4 or IPv6 address. See the module's documentation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ip {
    version: IpVersion,
    value: u128,
}

impl Ip {
    /// `None` when `value` does not fit the version.
    #[must_use]
    pub const fn new(version: IpVersion, value: u128) -> Option<Self> {
        if value > version.max() { None } else { Some(Self { version, value }) }
    }

    /// For values that are in bounds by construction: bits above the version's width are cleared.
    #[must_use]
    pub(crate) const fn masked(version: IpVersion, value: u128) -> Self {
        Self { version, value: value & version.max() }
    }

    #[must_use]
    pub const fn version(self) -> IpVersion {
        self.version
    }

    #[must_use]
    pub const fn value(self) -> u128 {
        self.value
    }

    #[must_use]
    pub const fn is_v4(self) -> bool {
        matches!(self.version, IpVersion::V4)
    }

    #[must_use]
    pub const fn is_v6(self) -> bool {
        matches!(self.version, IpVersion::V6)
    }

    /// The address `count` further up; `None` past the end of the family.
    #[must_use]
    pub fn checked_add(self, count: u128) -> Option<Self> {
        self.value.checked_add(count).and_then(|value| Self::new(self.version, value))
    }

    /// The address `count` further down; `None` below zero.
    #[must_use]
    pub fn checked_sub(self, count: u128) -> Option<Self> {
        self.value.checked_sub(count).map(|value| Self { version: self.version, value })
    }
}

impl From<Ipv4Addr> for Ip {
    fn from(address: Ipv4Addr) -> Self {
        Self { version: IpVersion::V4, value: u128::from(address.to_bits()) }
    }
}

impl From<Ipv6Addr> for Ip {
    fn from(address: Ipv6Addr) -> Self {
        Self { version: IpVersion::V6, value: address.to_bits() }
    }
}

impl From<IpAddr> for Ip {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => v4.into(),
            IpAddr::V6(v6) => v6.into(),
        }
    }
}

impl From<Ip> for IpAddr {
    fn from(ip: Ip) -> Self {
        match ip.version {
            IpVersion::V4 => Self::V4(ip.to_v4()),
            IpVersion::V6 => Self::V6(Ipv6Addr::from_bits(ip.value)),
        }
    }
}

impl Ip {
    fn to_v4(self) -> Ipv4Addr {
        Ipv4Addr::from_bits(u32::try_from(self.value & u128::from(u32::MAX)).unwrap_or(u32::MAX))
    }
}

impl FromStr for Ip {
    type Err = Malformed;

    /// Accepts what `inet_pton` accepts: dotted quads without leading zeros, every spelling of IPv6 without a zone.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        text.parse::<IpAddr>().map(Self::from).map_err(|_| Malformed::new("IP address", text))
    }
}

impl fmt::Display for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            IpVersion::V4 => self.to_v4().fmt(f),
            // glibc writes an address whose first 96 bits are zero, and no more than those, with a dotted tail.
            IpVersion::V6 if self.value >> 32 == 0 && self.value >> 16 != 0 => f.pad(&format!("::{}", self.to_v4())),
            IpVersion::V6 => Ipv6Addr::from_bits(self.value).fmt(f),
        }
    }
}

impl fmt::Debug for Ip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not what it should be. Converts into `InvalidInput` (400).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// What was expected, as the sentence says it: "IP address", "MAC address"...
    pub expected: &'static str,
    /// The text, cut to a length that an answer may repeat.
    pub text: String,
}

impl Malformed {
    pub(crate) fn new(expected: &'static str, text: &str) -> Self {
        const LONGEST_CHARS: usize = 80;
        Self { expected, text: text.chars().take(LONGEST_CHARS).collect() }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not a valid {}.", self.text, self.expected)
    }
}

impl std::error::Error for Malformed {}

impl From<Malformed> for Error {
    fn from(malformed: Malformed) -> Self {
        kinds::INVALID_INPUT.error(malformed.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Left: what a caller may write. Right: what netaddr 1.3 prints for it.
    #[test]
    fn text_is_that_of_netaddr() {
        for (written, printed) in [
            ("10.0.0.1", "10.0.0.1"),
            ("FD00:0:0:1::", "fd00:0:0:1::"),
            ("fd00:0:0:1:0:0:0:5", "fd00:0:0:1::5"),
            ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("::", "::"),
            ("::1", "::1"),
            ("::ffff", "::ffff"),
            ("::1:0", "::0.1.0.0"),
            ("::102:304", "::1.2.3.4"),
            ("::ffff:102:304", "::ffff:1.2.3.4"),
            ("::ffff:0:102:304", "::ffff:0:102:304"),
            ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ] {
            assert_eq!(written.parse::<Ip>().unwrap().to_string(), printed, "{written}");
        }
    }

    #[test]
    fn refuses_what_inet_pton_refuses() {
        for text in ["", "10.0.0", "10.0.0.01", "10.0.0.256", "10.0.0.1/24", " 10.0.0.1", "fe80::1%eth0", "1::2::3", "::g", "1"] {
            assert!(text.parse::<Ip>().is_err(), "{text}");
        }
        assert_eq!("é".repeat(500).parse::<Ip>().unwrap_err().text.chars().count(), 80);
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        let last: Ip = "255.255.255.255".parse().unwrap();
        assert_eq!(last.checked_add(1), None);
        assert_eq!(last.checked_add(u128::MAX), None);
        assert_eq!(last.checked_sub(1).unwrap().to_string(), "255.255.255.254");
        assert_eq!("::".parse::<Ip>().unwrap().checked_sub(1), None);
        assert_eq!(Ip::new(IpVersion::V4, 1 << 32), None);
        assert!(last < "::".parse().unwrap());
    }

    proptest! {
        #[test]
        fn text_round_trips(v6: bool, value: u128, shift in 0u32..128) {
            let version = if v6 { IpVersion::V6 } else { IpVersion::V4 };
            let ip = Ip::masked(version, value >> shift);
            prop_assert_eq!(ip.to_string().parse::<Ip>().unwrap(), ip);
            prop_assert_eq!(Ip::from(IpAddr::from(ip)), ip);
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<Ip>();
        }
    }
}
