// SPDX-License-Identifier: Apache-2.0
//! Ranges and sets of IP addresses.
//!
//! Owns [`IpRange`] (inclusive, one version) and [`IpSet`] (sorted, disjoint, never touching ranges; both versions side by
//! side), and their splitting into CIDRs. Costs follow the number of ranges, never the number of addresses. Invariants:
//! first <= last; sizes saturate at `u128::MAX` (only the whole IPv6 space, or a set that holds it, reaches that).

use std::fmt;

use crate::cidr::Cidr;
use crate::ip::{Ip, IpVersion};

/// `first..=last`. Ordered by version, first, last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IpRange {
    first: Ip,
    last: Ip,
}

impl IpRange {
    /// `None` when the versions differ or `first` is above `last`.
    #[must_use]
    pub fn new(first: Ip, last: Ip) -> Option<Self> {
        if first.version() != last.version() || first > last { None } else { Some(Self { first, last }) }
    }

    #[must_use]
    pub const fn single(address: Ip) -> Self {
        Self { first: address, last: address }
    }

    #[must_use]
    pub fn of(cidr: &Cidr) -> Self {
        Self { first: cidr.first(), last: cidr.last() }
    }

    #[must_use]
    pub const fn first(&self) -> Ip {
        self.first
    }

    #[must_use]
    pub const fn last(&self) -> Ip {
        self.last
    }

    #[must_use]
    pub const fn version(&self) -> IpVersion {
        self.first.version()
    }

    /// The number of addresses, saturating for the whole of IPv6.
    #[must_use]
    pub fn size(&self) -> u128 {
        (self.last.value() - self.first.value()).saturating_add(1)
    }

    /// The address at that offset from the first; `None` past the last.
    #[must_use]
    pub fn nth(&self, offset: u128) -> Option<Ip> {
        self.first.checked_add(offset).filter(|ip| *ip <= self.last)
    }

    #[must_use]
    pub fn contains(&self, address: Ip) -> bool {
        address.version() == self.version() && self.first <= address && address <= self.last
    }

    #[must_use]
    pub fn contains_range(&self, other: &Self) -> bool {
        self.contains(other.first) && self.contains(other.last)
    }

    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.version() == other.version() && self.first <= other.last && other.first <= self.last
    }

    /// The fewest CIDRs that cover exactly this range, in order.
    #[must_use]
    pub fn cidrs(&self) -> Vec<Cidr> {
        let version = self.version();
        let mut found = Vec::new();
        let mut next = Some(self.first);
        while let Some(first) = next {
            let aligned = first.value().trailing_zeros().min(u32::from(version.width()));
            // The largest power of two that fits in what is left; what is left can be 2^128.
            let left = (self.last.value() - first.value()).checked_add(1);
            let fitting = left.map_or(128, u128::ilog2);
            let bits = u8::try_from(aligned.min(fitting)).unwrap_or(u8::MAX);
            let Some(cidr) = Cidr::new(first, version.width().saturating_sub(bits)) else { break };
            found.push(cidr);
            next = cidr.last().checked_add(1).filter(|ip| *ip <= self.last);
        }
        found
    }

    /// What of this range lies below and above `other`.
    fn without(self, other: &Self) -> [Option<Self>; 2] {
        if !self.overlaps(other) {
            return [Some(self), None];
        }
        let below = other.first.checked_sub(1).and_then(|last| Self::new(self.first, last));
        let above = other.last.checked_add(1).and_then(|first| Self::new(first, self.last));
        [below, above]
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl fmt::Debug for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of addresses. See the module's documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IpSet {
    ranges: Vec<IpRange>,
}

impl IpSet {
    #[must_use]
    pub const fn new() -> Self {
        Self { ranges: Vec::new() }
    }

    #[must_use]
    pub fn ranges(&self) -> &[IpRange] {
        &self.ranges
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The number of addresses, saturating.
    #[must_use]
    pub fn size(&self) -> u128 {
        self.ranges.iter().fold(0, |sum, range| sum.saturating_add(range.size()))
    }

    #[must_use]
    pub fn contains(&self, address: Ip) -> bool {
        self.contains_range(&IpRange::single(address))
    }

    /// True when the whole range is in the set.
    #[must_use]
    pub fn contains_range(&self, range: &IpRange) -> bool {
        let after = self.ranges.partition_point(|own| own.first <= range.first);
        after.checked_sub(1).and_then(|at| self.ranges.get(at)).is_some_and(|own| own.contains_range(range))
    }

    /// True when some address is in both.
    #[must_use]
    pub fn overlaps(&self, range: &IpRange) -> bool {
        let at = self.ranges.partition_point(|own| own.last < range.first);
        self.ranges.get(at).is_some_and(|own| own.overlaps(range))
    }

    #[must_use]
    pub fn intersects(&self, other: &Self) -> bool {
        other.ranges.iter().any(|range| self.overlaps(range))
    }

    /// The addresses of both, joined where they touch.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.ranges.iter().chain(&other.ranges).copied().collect()
    }

    pub fn insert(&mut self, range: IpRange) {
        *self = self.union(&Self { ranges: vec![range] });
    }

    /// The addresses of this set that are not in `other`.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len());
        for own in &self.ranges {
            let mut rest = Some(*own);
            let from = other.ranges.partition_point(|cut| cut.last < own.first);
            for cut in other.ranges.iter().skip(from).take_while(|cut| cut.first <= own.last) {
                let Some(whole) = rest else { break };
                let [below, above] = whole.without(cut);
                ranges.extend(below);
                rest = above;
            }
            ranges.extend(rest);
        }
        Self { ranges }
    }

    /// The fewest CIDRs that cover exactly this set, in order.
    pub fn cidrs(&self) -> impl Iterator<Item = Cidr> + '_ {
        self.ranges.iter().flat_map(IpRange::cidrs)
    }
}

impl FromIterator<IpRange> for IpSet {
    fn from_iter<T: IntoIterator<Item = IpRange>>(iter: T) -> Self {
        let mut given: Vec<IpRange> = iter.into_iter().collect();
        given.sort_unstable();
        let mut ranges: Vec<IpRange> = Vec::with_capacity(given.len());
        for range in given {
            match ranges.last_mut() {
                Some(last) if last.overlaps(&range) || last.last.checked_add(1) == Some(range.first) => {
                    last.last = last.last.max(range.last);
                }
                _ => ranges.push(range),
            }
        }
        Self { ranges }
    }
}

impl FromIterator<Cidr> for IpSet {
    fn from_iter<T: IntoIterator<Item = Cidr>>(iter: T) -> Self {
        iter.into_iter().map(|cidr| cidr.range()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn cidrs(texts: &[&str]) -> IpSet {
        texts.iter().map(|text| text.parse::<Cidr>().unwrap()).collect()
    }

    fn printed(set: &IpSet) -> Vec<String> {
        set.cidrs().map(|cidr| cidr.to_string()).collect()
    }

    fn range(first: &str, last: &str) -> IpRange {
        IpRange::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
    }

    #[test]
    fn merges_as_netaddr_ipset() {
        assert_eq!(printed(&cidrs(&["10.11.0.0/16", "10.10.0.0/16"])), ["10.10.0.0/15"]);
        assert_eq!(printed(&cidrs(&["10.0.1.0/24", "10.0.2.0/24"])), ["10.0.1.0/24", "10.0.2.0/24"]);
        assert_eq!(printed(&cidrs(&["10.0.0.0/8", "10.3.0.0/16", "fd00::/64", "9.0.0.0/8"])), ["9.0.0.0/8", "10.0.0.0/8", "fd00::/64"]);
        assert_eq!(printed(&cidrs(&["::/1", "8000::/1"])), ["::/0"]);
        assert_eq!(printed(&cidrs(&["255.255.255.255/32", "::/128"])), ["255.255.255.255/32", "::/128"]);
        assert_eq!(printed(&IpSet::new()), Vec::<String>::new());
    }

    #[test]
    fn ranges_split_into_cidrs() {
        let split = |first, last| range(first, last).cidrs().iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(split("10.0.0.1", "10.0.0.6"), ["10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/31", "10.0.0.6/32"]);
        assert_eq!(split("0.0.0.0", "255.255.255.255"), ["0.0.0.0/0"]);
        assert_eq!(split("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ["::/0"]);
        assert_eq!(split("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").len(), 128);
        assert_eq!(split("255.255.255.254", "255.255.255.255"), ["255.255.255.254/31"]);
    }

    #[test]
    fn sizes_saturate() {
        assert_eq!(cidrs(&["::/0"]).size(), u128::MAX);
        assert_eq!(cidrs(&["::/0", "0.0.0.0/0"]).size(), u128::MAX);
        assert_eq!(cidrs(&["0.0.0.0/0"]).size(), 1 << 32);
        assert_eq!(range("::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").size(), u128::MAX);
    }

    #[test]
    fn bad_ranges_are_none() {
        let ip = |text: &str| text.parse::<Ip>().unwrap();
        assert_eq!(IpRange::new(ip("10.0.0.2"), ip("10.0.0.1")), None);
        assert_eq!(IpRange::new(ip("10.0.0.2"), ip("fd00::")), None);
        assert_eq!(range("10.0.0.1", "10.0.0.3").nth(2), Some(ip("10.0.0.3")));
        assert_eq!(range("10.0.0.1", "10.0.0.3").nth(3), None);
        assert_eq!(range("10.0.0.1", "10.0.0.3").nth(u128::MAX), None);
    }

    /// Ranges in the last 64 addresses of a family, where the arithmetic is most likely to overflow.
    fn any_ranges() -> impl Strategy<Value = Vec<IpRange>> {
        let one = (any::<bool>(), 0u8..64, 0u8..12).prop_map(|(v6, first, length)| {
            let version = if v6 { IpVersion::V6 } else { IpVersion::V4 };
            let at = |offset: u8| Ip::new(version, version.max() - 63 + u128::from(offset.min(63))).unwrap();
            IpRange::new(at(first), at(first.saturating_add(length))).unwrap()
        });
        proptest::collection::vec(one, 0..10)
    }

    fn members(ranges: &[IpRange]) -> BTreeSet<Ip> {
        ranges.iter().flat_map(|range| (0..range.size()).map(|offset| range.nth(offset).unwrap())).collect()
    }

    proptest! {
        #[test]
        fn behaves_as_a_set(a in any_ranges(), b in any_ranges()) {
            let (set_a, set_b): (IpSet, IpSet) = (a.iter().copied().collect(), b.iter().copied().collect());
            let (all_a, all_b) = (members(&a), members(&b));
            prop_assert_eq!(members(set_a.ranges()), all_a.clone());
            prop_assert_eq!(set_a.size(), all_a.len() as u128);
            prop_assert_eq!(members(set_a.union(&set_b).ranges()), &all_a | &all_b);
            let rest = set_a.subtract(&set_b);
            prop_assert_eq!(members(rest.ranges()), &all_a - &all_b);
            prop_assert_eq!(&rest.ranges().iter().copied().collect::<IpSet>(), &rest);
            prop_assert_eq!(set_a.intersects(&set_b), !all_a.is_disjoint(&all_b));
            for range in &b {
                let inside = members(&[*range]);
                prop_assert_eq!(set_a.contains_range(range), inside.is_subset(&all_a));
                prop_assert_eq!(set_a.overlaps(range), !inside.is_disjoint(&all_a));
            }
            let split: Vec<IpRange> = set_a.cidrs().map(|cidr| cidr.range()).collect();
            prop_assert!(split.is_sorted());
            prop_assert_eq!(split.iter().copied().collect::<IpSet>(), set_a);
        }
    }
}
