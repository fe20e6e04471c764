// SPDX-License-Identifier: Apache-2.0
//! Allocation pools and gateways of one subnet, as rules over numbers.
//!
//! Owns: default pools, default gateway, the checks of pools and of addresses against the subnet (neutron/ipam/utils.py and
//! `validate_allocation_pools` of neutron/db/ipam_backend_mixin.py). Refuses: any table, and what a port owner may do beyond
//! these rules.

use neutrino_types::Result;
use neutrino_types::cidr::Cidr;
use neutrino_types::ip::{Ip, IpVersion};
use neutrino_types::range::{IpRange, IpSet};

use super::errors;

/// The gateway of a subnet whose request names none: the first host in IPv4, the network address (the subnet-router anycast
/// address of RFC 4291) in IPv6. `None` for 255.255.255.255/32, which has nothing after it.
#[must_use]
pub fn default_gateway(cidr: &Cidr) -> Option<Ip> {
    match cidr.version() {
        IpVersion::V4 => cidr.network().checked_add(1),
        IpVersion::V6 => Some(cidr.network()),
    }
}

/// The gateway of a subnet that a subnet pool chose: the address after the network address in both families.
#[must_use]
pub fn gateway_in_allocated(cidr: &Cidr) -> Option<Ip> {
    cidr.network().checked_add(1)
}

/// True when the gateway is the network or the broadcast address of an IPv4 subnet. A gateway outside the subnet passes: it is
/// taken to be on-link.
#[must_use]
pub fn gateway_is_reserved(cidr: &Cidr, gateway: Ip) -> bool {
    cidr.version() == IpVersion::V4 && (gateway == cidr.first() || gateway == cidr.last())
}

/// True when a port may hold the address in that subnet. Network and broadcast addresses are refused in IPv4; in IPv6 only
/// routers may hold the network address (`router_owned`: a router's port, or an owner that is not known).
#[must_use]
pub fn address_fits(cidr: &Cidr, address: Ip, router_owned: bool) -> bool {
    cidr.contains(address)
        && match cidr.version() {
            IpVersion::V4 => address != cidr.first() && address != cidr.last(),
            IpVersion::V6 => router_owned || address != cidr.first(),
        }
}

/// The addresses that pools may hold: without network and broadcast address in IPv4 down to /30, without the network address in
/// IPv6. `None` for an IPv6 /128, where nothing is left.
fn pool_bounds(cidr: &Cidr) -> Option<IpRange> {
    let (first, last) = (cidr.first(), cidr.last());
    match cidr.version() {
        IpVersion::V4 if cidr.prefixlen() > 30 => IpRange::new(first, last),
        IpVersion::V4 => IpRange::new(first.checked_add(1)?, last.checked_sub(1)?),
        IpVersion::V6 => IpRange::new(first.checked_add(1)?, last),
    }
}

/// The pools of a subnet whose request names none: everything but the reserved addresses and the gateway. A subnet of one address
/// is its own pool, gateway or not.
#[must_use]
pub fn generate_pools(cidr: &Cidr, gateway: Option<Ip>) -> Vec<IpRange> {
    if cidr.first() == cidr.last() {
        return vec![IpRange::single(cidr.first())];
    }
    let all: IpSet = pool_bounds(cidr).into_iter().collect();
    let gateway: IpSet = gateway.map(IpRange::single).into_iter().collect();
    all.subtract(&gateway).ranges().to_vec()
}

/// Pools as a request gives them, `(start, end)`, made into ranges.
///
/// # Errors
/// `InvalidAllocationPool` when an end is no address, the families differ, or the start is above the end.
pub fn parse_pools<'a>(pools: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Vec<IpRange>> {
    pools.into_iter().map(|(start, end)| parse_pool(start, end)).collect()
}

fn parse_pool(start: &str, end: &str) -> Result<IpRange> {
    let parsed = start.parse::<Ip>().ok().zip(end.parse::<Ip>().ok());
    parsed.and_then(|(first, last)| IpRange::new(first, last)).ok_or_else(|| {
        let shown = |text: &str| text.chars().take(64).collect::<String>();
        errors::INVALID_ALLOCATION_POOL.error(format!(
            "The allocation pool {}-{} is not valid: start and end must be addresses of one IP version, start not above end.",
            shown(start),
            shown(end)
        ))
    })
}

/// # Errors
/// In this order: `InvalidAllocationPool` (other IP version) and `OutOfBoundsAllocationPool` pool by pool, then
/// `OverlappingAllocationPools`.
pub fn validate_pools(pools: &[IpRange], cidr: &Cidr) -> Result<()> {
    let bounds = pool_bounds(cidr);
    for pool in pools {
        if pool.version() != cidr.version() {
            return Err(
                errors::INVALID_ALLOCATION_POOL.error(format!("The allocation pool {pool} is not of the IP version of the subnet {cidr}."))
            );
        }
        if !bounds.is_some_and(|bounds| bounds.contains_range(pool)) {
            return Err(errors::OUT_OF_BOUNDS_ALLOCATION_POOL
                .error(format!("The allocation pool {pool} is not within the usable addresses of the subnet {cidr}.")));
        }
    }
    match first_overlap(pools) {
        None => Ok(()),
        Some((one, two)) => {
            Err(errors::OVERLAPPING_ALLOCATION_POOLS.error(format!("The allocation pools {one} and {two} of the subnet {cidr} overlap.")))
        }
    }
}

/// Two pools that share an address. Sorted neighbours are enough: an overlap anywhere means one between neighbours.
fn first_overlap(pools: &[IpRange]) -> Option<(IpRange, IpRange)> {
    let mut sorted = pools.to_vec();
    sorted.sort_unstable();
    sorted.iter().zip(sorted.iter().skip(1)).find(|(one, two)| one.overlaps(two)).map(|(one, two)| (*one, *two))
}

/// # Errors
/// `GatewayConflictWithAllocationPools` when the gateway lies in a pool.
pub fn validate_gateway_out_of_pools(gateway: Ip, pools: &[IpRange]) -> Result<()> {
    match pools.iter().find(|pool| pool.contains(gateway)) {
        None => Ok(()),
        Some(pool) => Err(errors::GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS
            .error(format!("The gateway {gateway} lies in the allocation pool {pool}: change one of them."))),
    }
}

/// The pools of a new subnet: the requested ones, checked, or the default ones.
///
/// # Errors
/// Those of [`validate_pools`] and [`validate_gateway_out_of_pools`].
pub fn prepare_pools(requested: Option<&[IpRange]>, cidr: &Cidr, gateway: Option<Ip>) -> Result<Vec<IpRange>> {
    let Some(pools) = requested else { return Ok(generate_pools(cidr, gateway)) };
    validate_pools(pools, cidr)?;
    if let Some(gateway) = gateway {
        validate_gateway_out_of_pools(gateway, pools)?;
    }
    Ok(pools.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cidr(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn generated(network: &str, gateway: Option<&str>) -> Vec<String> {
        let gateway = gateway.map(|text| text.parse().unwrap());
        generate_pools(&cidr(network), gateway).iter().map(ToString::to_string).collect()
    }

    /// Expected values: neutron.ipam.utils.generate_pools of 29.0.0.
    #[test]
    fn default_pools() {
        assert_eq!(generated("10.0.0.0/24", Some("10.0.0.1")), ["10.0.0.2-10.0.0.254"]);
        assert_eq!(generated("10.0.0.0/24", Some("10.0.0.9")), ["10.0.0.1-10.0.0.8", "10.0.0.10-10.0.0.254"]);
        assert_eq!(generated("10.0.0.0/24", Some("10.0.0.254")), ["10.0.0.1-10.0.0.253"]);
        assert_eq!(generated("10.0.0.0/24", Some("192.168.0.1")), ["10.0.0.1-10.0.0.254"]);
        assert_eq!(generated("10.0.0.0/24", None), ["10.0.0.1-10.0.0.254"]);
        assert_eq!(generated("10.0.0.0/30", Some("10.0.0.1")), ["10.0.0.2-10.0.0.2"]);
        assert_eq!(generated("10.0.0.0/31", Some("10.0.0.0")), ["10.0.0.1-10.0.0.1"]);
        assert_eq!(generated("10.0.0.0/31", None), ["10.0.0.0-10.0.0.1"]);
        assert_eq!(generated("10.0.0.7/32", Some("10.0.0.7")), ["10.0.0.7-10.0.0.7"]);
        assert_eq!(generated("fd00::/64", Some("fd00::")), ["fd00::1-fd00::ffff:ffff:ffff:ffff"]);
        assert_eq!(generated("fd00::/64", Some("fd00::1")), ["fd00::2-fd00::ffff:ffff:ffff:ffff"]);
        assert_eq!(generated("fd00::/127", Some("fd00::1")), Vec::<String>::new());
        assert_eq!(generated("fd00::/128", None), ["fd00::-fd00::"]);
        assert_eq!(generated("::/0", None), ["::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"]);
    }

    #[test]
    fn gateways() {
        let default = |network: &str| default_gateway(&cidr(network)).map(|ip| ip.to_string());
        assert_eq!(default("10.0.0.0/24").unwrap(), "10.0.0.1");
        assert_eq!(default("fd00::/64").unwrap(), "fd00::");
        assert_eq!(default("255.255.255.255/32"), None);
        let reserved = |network: &str, gateway: &str| gateway_is_reserved(&cidr(network), gateway.parse().unwrap());
        assert!(reserved("10.0.0.0/24", "10.0.0.0") && reserved("10.0.0.0/24", "10.0.0.255") && reserved("10.0.0.0/31", "10.0.0.1"));
        assert!(!reserved("10.0.0.0/24", "10.0.0.1") && !reserved("10.0.0.0/24", "10.9.0.0") && !reserved("fd00::/64", "fd00::"));
    }

    #[test]
    fn addresses_of_ports() {
        let fits = |network: &str, address: &str, router| address_fits(&cidr(network), address.parse().unwrap(), router);
        assert!(
            fits("10.0.0.0/24", "10.0.0.1", false) && !fits("10.0.0.0/24", "10.0.0.0", true) && !fits("10.0.0.0/24", "10.0.0.255", true)
        );
        assert!(!fits("10.0.0.0/24", "10.0.1.1", true) && !fits("10.0.0.0/24", "fd00::1", true));
        assert!(fits("fd00::/64", "fd00::", true) && !fits("fd00::/64", "fd00::", false));
        assert!(fits("fd00::/64", "fd00::ffff:ffff:ffff:ffff", false));
    }

    fn checked(network: &str, gateway: Option<&str>, pools: &[(&str, &str)]) -> &'static str {
        let gateway = gateway.map(|text| text.parse().unwrap());
        match parse_pools(pools.iter().copied()).and_then(|pools| prepare_pools(Some(&pools), &cidr(network), gateway)) {
            Ok(_) => "ok",
            Err(error) => error.kind().name,
        }
    }

    #[test]
    fn requested_pools() {
        let net = "10.0.0.0/24";
        assert_eq!(checked(net, Some("10.0.0.1"), &[("10.0.0.2", "10.0.0.20"), ("10.0.0.21", "10.0.0.254")]), "ok");
        assert_eq!(checked(net, None, &[]), "ok");
        assert_eq!(checked(net, None, &[("10.0.0.20", "10.0.0.2")]), "InvalidAllocationPool");
        assert_eq!(checked(net, None, &[("10.0.0.2", "fd00::1")]), "InvalidAllocationPool");
        assert_eq!(checked(net, None, &[("fd00::1", "fd00::2")]), "InvalidAllocationPool");
        assert_eq!(checked(net, None, &[("10.0.0.2", "10.0.0.300")]), "InvalidAllocationPool");
        assert_eq!(checked(net, None, &[("10.0.0.0", "10.0.0.2")]), "OutOfBoundsAllocationPool");
        assert_eq!(checked(net, None, &[("10.0.0.9", "10.0.0.255")]), "OutOfBoundsAllocationPool");
        assert_eq!(checked(net, None, &[("10.0.1.9", "10.0.1.20")]), "OutOfBoundsAllocationPool");
        assert_eq!(checked("fd00::/128", None, &[("fd00::", "fd00::")]), "OutOfBoundsAllocationPool");
        assert_eq!(checked(net, None, &[("10.0.0.9", "10.0.0.20"), ("10.0.0.2", "10.0.0.9")]), "OverlappingAllocationPools");
        assert_eq!(checked(net, Some("10.0.0.9"), &[("10.0.0.9", "10.0.0.20")]), "GatewayConflictWithAllocationPools");
        assert_eq!(checked(net, Some("10.0.0.0"), &[("10.0.0.9", "10.0.0.20")]), "ok");
        assert_eq!(checked("10.0.0.0/31", None, &[("10.0.0.0", "10.0.0.1")]), "ok");
    }

    proptest! {
        #[test]
        fn default_pools_pass_their_own_checks(value: u32, prefixlen in 0u8..=31, offset: u32) {
            let cidr = Cidr::new(std::net::Ipv4Addr::from_bits(value).into(), prefixlen).unwrap();
            let gateway = cidr.range().nth(u128::from(offset)).or_else(|| default_gateway(&cidr));
            let pools = generate_pools(&cidr, gateway);
            prop_assert!(validate_pools(&pools, &cidr).is_ok());
            prop_assert!(pools.iter().all(|pool| !pool.contains(gateway.unwrap())));
            let usable = cidr.size() - if prefixlen > 30 { 0 } else { 2 };
            let taken = u128::from(prefixlen > 30 || !gateway_is_reserved(&cidr, gateway.unwrap()));
            prop_assert_eq!(pools.iter().map(IpRange::size).sum::<u128>(), usable - taken);
        }

        #[test]
        fn overlap_is_found_wherever_it_is(points in proptest::collection::vec((1u8..250, 0u8..6), 0..12)) {
            let pools: Vec<IpRange> = points.iter().map(|(first, length)| {
                let at = |n: u8| std::net::Ipv4Addr::new(10, 0, 0, n).into();
                IpRange::new(at(*first), at(first.saturating_add(*length).min(254))).unwrap()
            }).collect();
            let overlaps = pools.iter().enumerate().any(|(i, one)| pools.iter().skip(i + 1).any(|two| one.overlaps(two)));
            prop_assert_eq!(validate_pools(&pools, &cidr("10.0.0.0/24")).is_err(), overlaps);
        }
    }
}
