// SPDX-License-Identifier: Apache-2.0
//! How a subnet pool hands out CIDRs.
//!
//! Owns: prefixes of a pool and their bounds, free space, the choice of a CIDR, quota arithmetic (neutron/ipam/subnet_alloc.py).
//! Refuses: tables and concurrency; the caller makes two allocations of one pool exclude each other by comparing and swapping
//! the pool's `hash`.

use neutrino_types::Result;
use neutrino_types::cidr::Cidr;
use neutrino_types::ip::IpVersion;
use neutrino_types::range::IpSet;

use super::errors;

/// The lengths of prefix that a pool hands out. Invariant: min <= default <= max <= width of the IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrefixBounds {
    pub min: u8,
    pub default: u8,
    pub max: u8,
}

impl PrefixBounds {
    /// From a request: what is absent becomes 8 (IPv4) or 64 (IPv6) for min, the whole width for max, and min for default.
    ///
    /// # Errors
    /// `UnsupportedMinSubnetPoolPrefix` when min is negative, `IllegalSubnetPoolPrefixBounds` when the order is broken.
    pub fn new(version: IpVersion, min: Option<i64>, default: Option<i64>, max: Option<i64>) -> Result<Self> {
        let width = i64::from(version.width());
        let min = min.unwrap_or(match version {
            IpVersion::V4 => 8,
            IpVersion::V6 => 64,
        });
        let max = max.unwrap_or(width);
        let default = default.unwrap_or(min);
        if min < 0 {
            return Err(errors::UNSUPPORTED_MIN_SUBNET_POOL_PREFIX
                .error(format!("The min_prefixlen {min} is not possible in an IPv{version} subnet pool.")));
        }
        ordered(("min_prefixlen", min), ("max_prefixlen", max))?;
        ordered(("max_prefixlen", max), ("length of an address", width))?;
        ordered(("min_prefixlen", min), ("default_prefixlen", default))?;
        ordered(("default_prefixlen", default), ("max_prefixlen", max))?;
        let small = |length: i64| u8::try_from(length).unwrap_or(version.width());
        Ok(Self { min: small(min), default: small(default), max: small(max) })
    }

    /// # Errors
    /// `MaxPrefixSubnetAllocationError`, `MinPrefixSubnetAllocationError` when a subnet of that length is out of bounds.
    pub fn check(&self, prefixlen: i64) -> Result<()> {
        if prefixlen > i64::from(self.max) {
            return Err(errors::MAX_PREFIX_SUBNET_ALLOCATION_ERROR
                .error(format!("A subnet of prefix length {prefixlen} is not possible: the pool's max_prefixlen is {}.", self.max)));
        }
        if prefixlen < i64::from(self.min) {
            return Err(errors::MIN_PREFIX_SUBNET_ALLOCATION_ERROR
                .error(format!("A subnet of prefix length {prefixlen} is not possible: the pool's min_prefixlen is {}.", self.min)));
        }
        Ok(())
    }
}

fn ordered(low: (&str, i64), high: (&str, i64)) -> Result<()> {
    if low.1 <= high.1 {
        return Ok(());
    }
    Err(errors::ILLEGAL_SUBNET_POOL_PREFIX_BOUNDS.error(format!("The {} {} is above the {} {}.", low.0, low.1, high.0, high.1)))
}

/// The prefixes of a pool, joined where they touch or overlap, in order; and their IP version.
///
/// # Errors
/// `EmptySubnetPoolPrefixList`, `PrefixVersionMismatch`.
pub fn compact_prefixes(prefixes: &[Cidr]) -> Result<(IpVersion, Vec<Cidr>)> {
    let Some(first) = prefixes.first() else {
        return Err(errors::EMPTY_SUBNET_POOL_PREFIX_LIST.error("A subnet pool needs at least one prefix."));
    };
    if let Some(other) = prefixes.iter().find(|prefix| prefix.version() != first.version()) {
        return Err(errors::PREFIX_VERSION_MISMATCH
            .error(format!("The prefixes {first} and {other} are of different IP versions: a subnet pool has one version.")));
    }
    let set: IpSet = prefixes.iter().copied().collect();
    Ok((first.version(), set.cidrs().collect()))
}

/// What of the pool's prefixes no subnet has.
#[must_use]
pub fn available(prefixes: impl IntoIterator<Item = Cidr>, allocated: impl IntoIterator<Item = Cidr>) -> IpSet {
    let prefixes: IpSet = prefixes.into_iter().collect();
    prefixes.subtract(&allocated.into_iter().collect())
}

/// The CIDR for a request that names a length only: the start of the smallest free block that is large enough, the lowest of
/// equals.
///
/// # Errors
/// `SubnetAllocationError` when no free block is large enough.
pub fn allocate_any(available: &IpSet, prefixlen: u8) -> Result<Cidr> {
    let blocks = available.cidrs().filter(|block| block.prefixlen() <= prefixlen);
    // `min_by_key` keeps the first of equals.
    let smallest = blocks.min_by_key(|block| std::cmp::Reverse(block.prefixlen()));
    smallest.and_then(|block| block.first_subnet(prefixlen)).ok_or_else(|| {
        errors::SUBNET_ALLOCATION_ERROR.error(format!("The subnet pool has no room for a subnet of prefix length {prefixlen}."))
    })
}

/// Checks that the whole of a requested CIDR is free.
///
/// # Errors
/// `SubnetAllocationError`.
pub fn allocate_specific(available: &IpSet, cidr: &Cidr) -> Result<()> {
    if available.contains_range(&cidr.range()) {
        return Ok(());
    }
    Err(errors::SUBNET_ALLOCATION_ERROR
        .error(format!("The subnet {cidr} cannot be taken from the subnet pool: it lies outside the pool's free prefixes.")))
}

/// Checks a new subnet against the pool's `default_quota`, which counts addresses in IPv4 and /64 networks in IPv6. Absent and
/// zero mean no limit. Longer prefixes than /64 count as the fraction that they are.
///
/// # Errors
/// `SubnetPoolQuotaExceeded`.
pub fn check_quota(
    version: IpVersion,
    default_quota: Option<i64>,
    used: impl IntoIterator<Item = Cidr>,
    requested_prefixlen: u8,
) -> Result<()> {
    let Some(quota) = default_quota.and_then(|quota| u128::try_from(quota).ok()).filter(|quota| *quota > 0) else {
        return Ok(());
    };
    let unit_addresses: u128 = match version {
        IpVersion::V4 => 1,
        IpVersion::V6 => 1 << 64,
    };
    let addresses = |prefixlen: u8| 1u128.checked_shl(u32::from(version.width().saturating_sub(prefixlen))).unwrap_or(u128::MAX);
    let total = used.into_iter().fold(addresses(requested_prefixlen), |sum, cidr| sum.saturating_add(addresses(cidr.prefixlen())));
    if total > quota.saturating_mul(unit_addresses) {
        return Err(errors::SUBNET_POOL_QUOTA_EXCEEDED
            .error(format!("A subnet of prefix length {requested_prefixlen} would pass the quota of {quota} of the subnet pool.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cidrs(texts: &[&str]) -> Vec<Cidr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn name<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
        result.unwrap_err().kind().name
    }

    #[test]
    fn bounds() {
        let v4 = |min, default, max| PrefixBounds::new(IpVersion::V4, min, default, max);
        assert_eq!(v4(None, None, None).unwrap(), PrefixBounds { min: 8, default: 8, max: 32 });
        assert_eq!(v4(Some(20), None, None).unwrap(), PrefixBounds { min: 20, default: 20, max: 32 });
        assert_eq!(PrefixBounds::new(IpVersion::V6, None, None, None).unwrap(), PrefixBounds { min: 64, default: 64, max: 128 });
        assert_eq!(v4(Some(0), Some(24), Some(24)).unwrap(), PrefixBounds { min: 0, default: 24, max: 24 });
        assert_eq!(name(v4(Some(-1), None, None)), "UnsupportedMinSubnetPoolPrefix");
        for (min, default, max) in [
            (Some(25), None, Some(24)),
            (None, None, Some(33)),
            (Some(24), Some(23), None),
            (None, Some(29), Some(28)),
            (None, None, Some(7)),
            (None, None, Some(i64::MAX)),
            (Some(i64::MAX), None, None),
        ] {
            assert_eq!(name(v4(min, default, max)), "IllegalSubnetPoolPrefixBounds");
        }
        let bounds = PrefixBounds { min: 16, default: 24, max: 28 };
        assert!(bounds.check(16).is_ok() && bounds.check(28).is_ok());
        assert_eq!(name(bounds.check(29)), "MaxPrefixSubnetAllocationError");
        assert_eq!(name(bounds.check(15)), "MinPrefixSubnetAllocationError");
    }

    #[test]
    fn prefixes_are_compacted() {
        let (version, compact) = compact_prefixes(&cidrs(&["10.11.0.0/16", "10.10.0.0/16", "10.10.3.0/24"])).unwrap();
        assert_eq!((version, compact), (IpVersion::V4, cidrs(&["10.10.0.0/15"])));
        assert_eq!(name(compact_prefixes(&[])), "EmptySubnetPoolPrefixList");
        assert_eq!(name(compact_prefixes(&cidrs(&["10.0.0.0/8", "fd00::/8"]))), "PrefixVersionMismatch");
    }

    #[test]
    fn any_takes_the_smallest_hole_first() {
        let free = available(cidrs(&["10.0.0.0/16", "10.9.0.0/24"]), cidrs(&["10.0.0.0/24", "10.0.128.0/24"]));
        // Free: 10.0.1/24, 10.0.2/23, ..., 10.0.129/24, ..., 10.9.0/24: three holes of /24, the lowest first.
        assert_eq!(allocate_any(&free, 24).unwrap().to_string(), "10.0.1.0/24");
        assert_eq!(allocate_any(&free, 26).unwrap().to_string(), "10.0.1.0/26");
        assert_eq!(allocate_any(&free, 23).unwrap().to_string(), "10.0.2.0/23");
        assert_eq!(allocate_any(&free, 18).unwrap().to_string(), "10.0.64.0/18");
        assert_eq!(name(allocate_any(&free, 17)), "SubnetAllocationError");
        assert_eq!(name(allocate_any(&IpSet::new(), 32)), "SubnetAllocationError");
    }

    #[test]
    fn specific_must_be_free_as_a_whole() {
        let free = available(cidrs(&["10.0.0.0/16"]), cidrs(&["10.0.0.0/24"]));
        let check = |text: &str| allocate_specific(&free, &text.parse().unwrap());
        assert!(check("10.0.1.0/24").is_ok() && check("10.0.128.0/17").is_ok());
        for text in ["10.0.0.0/25", "10.0.0.0/16", "10.0.0.0/15", "11.0.0.0/24", "fd00::/64"] {
            assert_eq!(name(check(text)), "SubnetAllocationError", "{text}");
        }
    }

    #[test]
    fn quota_units() {
        let check = |version, quota, used: &[&str], prefixlen| check_quota(version, quota, cidrs(used), prefixlen);
        assert!(check(IpVersion::V4, Some(512), &["10.0.0.0/24"], 24).is_ok());
        assert_eq!(name(check(IpVersion::V4, Some(511), &["10.0.0.0/24"], 24)), "SubnetPoolQuotaExceeded");
        assert!(check(IpVersion::V4, None, &["10.0.0.0/8"], 8).is_ok() && check(IpVersion::V4, Some(0), &["10.0.0.0/8"], 8).is_ok());
        assert!(check(IpVersion::V6, Some(2), &["fd00::/64"], 64).is_ok());
        assert!(check(IpVersion::V6, Some(2), &["fd00::/64", "fd00:0:0:1::/65"], 65).is_ok());
        assert_eq!(name(check(IpVersion::V6, Some(2), &["fd00::/64", "fd00:0:0:1::/65"], 64)), "SubnetPoolQuotaExceeded");
        assert_eq!(name(check(IpVersion::V6, Some(i64::MAX), &["::/1", "8000::/1"], 0)), "SubnetPoolQuotaExceeded");
    }

    proptest! {
        /// Allocating until nothing fits hands out disjoint parts of the prefixes and loses no block of that length.
        #[test]
        fn allocation_is_complete_and_disjoint(lengths in proptest::collection::vec(20u8..=26, 1..80)) {
            let prefixes = cidrs(&["10.0.0.0/20", "10.0.32.0/21", "10.1.0.0/22"]);
            let mut taken: Vec<Cidr> = Vec::new();
            for length in lengths {
                let free = available(prefixes.clone(), taken.clone());
                match allocate_any(&free, length) {
                    Ok(cidr) => {
                        prop_assert_eq!(cidr.prefixlen(), length);
                        prop_assert!(prefixes.iter().any(|prefix| prefix.contains_cidr(&cidr)));
                        prop_assert!(!taken.iter().any(|other| other.overlaps(&cidr)));
                        prop_assert!(allocate_specific(&free, &cidr).is_ok());
                        taken.push(cidr);
                    }
                    Err(_) => prop_assert!(free.cidrs().all(|block| block.prefixlen() > length)),
                }
            }
        }
    }
}
