// SPDX-License-Identifier: Apache-2.0
//! An inclusive range of transport ports, as in `80` and `8000:8010`.
//!
//! Owns its text and set questions. Does not own which ports a feature allows (zero is a port here). Invariant: first <= last.

use std::fmt;
use std::str::FromStr;

use crate::ip::Malformed;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// `None` when `first` is above `last`.
    #[must_use]
    pub const fn new(first: u16, last: u16) -> Option<Self> {
        if first > last { None } else { Some(Self { first, last }) }
    }

    #[must_use]
    pub const fn single(port: u16) -> Self {
        Self { first: port, last: port }
    }

    #[must_use]
    pub const fn first(self) -> u16 {
        self.first
    }

    #[must_use]
    pub const fn last(self) -> u16 {
        self.last
    }

    /// The number of ports, 1 to 65,536.
    #[must_use]
    pub const fn size(self) -> u32 {
        self.last as u32 - self.first as u32 + 1
    }

    #[must_use]
    pub const fn contains(self, port: u16) -> bool {
        self.first <= port && port <= self.last
    }

    #[must_use]
    pub const fn contains_range(self, other: Self) -> bool {
        self.first <= other.first && other.last <= self.last
    }

    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

impl FromStr for PortRange {
    type Err = Malformed;

    /// `N` or `N:M` with N <= M, each 0 to 65535, digits only.
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (first, last) = text.split_once(':').unwrap_or((text, text));
        let range = port(first).zip(port(last)).and_then(|(first, last)| Self::new(first, last));
        range.ok_or_else(|| Malformed::new("port or range of ports (first:last)", text))
    }
}

fn port(digits: &str) -> Option<u16> {
    if digits.bytes().all(|b| b.is_ascii_digit()) { digits.parse().ok() } else { None }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}:{}", self.first, self.last) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text() {
        assert_eq!("80".parse::<PortRange>().unwrap(), PortRange::single(80));
        assert_eq!("80:80".parse::<PortRange>().unwrap().to_string(), "80");
        assert_eq!("0:65535".parse::<PortRange>().unwrap().size(), 65_536);
        for text in ["", ":", "80:", ":80", "90:80", "1:2:3", "65536", "-1", "+1", "a", "1 :2", "1.5"] {
            assert!(text.parse::<PortRange>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn overlap_is_a_common_port(a: u16, b: u16, c: u16, d: u16) {
            let one = PortRange::new(a.min(b), a.max(b)).unwrap();
            let two = PortRange::new(c.min(d), c.max(d)).unwrap();
            let common = one.first().max(two.first());
            prop_assert_eq!(one.overlaps(two), one.contains(common) && two.contains(common));
            prop_assert_eq!(one.contains_range(two), one.contains(two.first()) && one.contains(two.last()));
            prop_assert_eq!(one.to_string().parse::<PortRange>().unwrap(), one);
        }
    }
}
