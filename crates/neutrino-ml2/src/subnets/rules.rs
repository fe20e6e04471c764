// SPDX-License-Identifier: Apache-2.0
//! What a subnet may be, judged by its own values alone (`_validate_subnet` and its helpers of neutron/db/db_base_plugin_v2.py).
//!
//! Pure. What needs other rows (overlaps, gateways in use, pools, segments) is in [`super::create`] and [`super::change`].

use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::ip::{Ip, IpVersion};
use neutrino_types::{Error, Result};
use oslo_config::{Config, Opt};

use super::errors;
use crate::ipam::network::is_auto_address;
use crate::ipam::pools::gateway_is_reserved;

pub static OPTIONS: &[Opt] = &[
    Opt::int("DEFAULT", "max_dns_nameservers").default("5").help("The most DNS servers that one subnet may have."),
    Opt::int("DEFAULT", "max_subnet_host_routes").default("20").help("The most host routes that one subnet may have."),
    Opt::bool("DEFAULT", "ipv6_pd_enabled").default("false").help("Let use_default_subnetpool mean prefix delegation for IPv6 subnets."),
];

/// The operator's limits.
#[derive(Clone, Copy, Debug)]
pub struct SubnetLimits {
    pub dns_nameservers: usize,
    pub host_routes: usize,
    pub ipv6_pd: bool,
}

impl SubnetLimits {
    #[must_use]
    pub fn from_config(config: &Config) -> Self {
        let count = |name: &str| usize::try_from(config.int("DEFAULT", name)).unwrap_or(0);
        Self {
            dns_nameservers: count("max_dns_nameservers"),
            host_routes: count("max_subnet_host_routes"),
            ipv6_pd: config.bool("DEFAULT", "ipv6_pd_enabled"),
        }
    }
}

/// The attribute `gateway_ip` of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gateway {
    Unspecified,
    /// null: no gateway.
    Absent,
    Address(Ip),
}

/// The values to judge: of a new subnet, or of one as an update would leave it (`None`: not asked for).
#[derive(Clone, Debug)]
pub struct Spec {
    pub ip_version: IpVersion,
    pub cidr: Option<Cidr>,
    pub gateway: Gateway,
    pub enable_dhcp: Option<bool>,
    pub dns_nameservers: Option<Vec<String>>,
    /// Destination and next hop.
    pub host_routes: Option<Vec<(String, String)>>,
    pub ra_mode: Option<String>,
    pub address_mode: Option<String>,
    /// The prefix will be delegated: `::/64` stands in its place.
    pub prefix_delegated: bool,
}

/// What an update starts from.
#[derive(Clone, Copy, Debug)]
pub struct Current {
    pub enable_dhcp: bool,
    pub has_ipv6_mode: bool,
}

fn refuse(sentence: impl Into<String>) -> Error {
    kinds::INVALID_INPUT.error(sentence)
}

/// # Errors
/// `InvalidInput`, `DNSNameServersExhausted`, `HostRoutesExhausted`.
pub fn validate(spec: &Spec, current: Option<Current>, limits: &SubnetLimits) -> Result<()> {
    if let Some(cidr) = &spec.cidr {
        same_version(spec.ip_version, cidr.version(), "cidr", cidr)?;
        if cidr.version() == IpVersion::V6 && cidr.network().value() == 0 && !spec.prefix_delegated {
            return Err(refuse(format!("The IPv6 subnet {cidr} is not supported: it begins with the unspecified address.")));
        }
        let turned_on = spec.enable_dhcp == Some(true) && !current.is_some_and(|current| current.enable_dhcp);
        if turned_on {
            fits_dhcp(cidr)?;
        }
    }
    if let Gateway::Address(gateway) = spec.gateway {
        same_version(spec.ip_version, gateway.version(), "gateway_ip", &gateway)?;
        if let Some(cidr) = spec.cidr.filter(|cidr| gateway_is_reserved(cidr, gateway)) {
            return Err(refuse(format!("The gateway {gateway} is the network or the broadcast address of the subnet {cidr}.")));
        }
    }
    name_servers(spec, limits)?;
    routes(spec, limits)?;
    match spec.ip_version {
        IpVersion::V4 => match (&spec.ra_mode, &spec.address_mode) {
            (None, None) => Ok(()),
            (Some(_), _) => Err(refuse("The ipv6_ra_mode belongs to IPv6 subnets only.")),
            (_, Some(_)) => Err(refuse("The ipv6_address_mode belongs to IPv6 subnets only.")),
        },
        IpVersion::V6 => ipv6_modes(spec, current),
    }
}

fn same_version(wanted: IpVersion, is: IpVersion, name: &str, value: &dyn std::fmt::Display) -> Result<()> {
    if wanted == is {
        return Ok(());
    }
    Err(refuse(format!("The {name} '{value}' is not of IP version {wanted}, which is the subnet's.")))
}

fn fits_dhcp(cidr: &Cidr) -> Result<()> {
    let longest = match cidr.version() {
        IpVersion::V4 => 30,
        IpVersion::V6 => 126,
    };
    if cidr.prefixlen() > longest {
        return Err(refuse(format!(
            "The subnet {cidr} is too small for DHCP: disable enable_dhcp, or use a prefix of at most /{longest}."
        )));
    }
    if cidr.is_multicast() {
        return Err(refuse(format!("The multicast subnet {cidr} cannot have DHCP: disable enable_dhcp.")));
    }
    if cidr.is_loopback() {
        return Err(refuse(format!("The loopback subnet {cidr} cannot have DHCP: disable enable_dhcp.")));
    }
    if cidr.version() == IpVersion::V4 && cidr.network().value() == 0 {
        return Err(refuse(format!("The subnet {cidr} begins with 0.0.0.0 and cannot have DHCP: disable enable_dhcp.")));
    }
    Ok(())
}

fn name_servers(spec: &Spec, limits: &SubnetLimits) -> Result<()> {
    let Some(servers) = &spec.dns_nameservers else { return Ok(()) };
    if servers.len() > limits.dns_nameservers {
        return Err(errors::DNS_NAME_SERVERS_EXHAUSTED.error(format!(
            "A subnet has at most {} DNS servers; the request names {}.",
            limits.dns_nameservers,
            servers.len()
        )));
    }
    for server in servers {
        let address: Ip = server.parse()?;
        same_version(spec.ip_version, address.version(), "dns_nameserver", server)?;
    }
    Ok(())
}

fn routes(spec: &Spec, limits: &SubnetLimits) -> Result<()> {
    let Some(routes) = &spec.host_routes else { return Ok(()) };
    if routes.len() > limits.host_routes {
        return Err(errors::HOST_ROUTES_EXHAUSTED.error(format!(
            "A subnet has at most {} host routes; the request names {}.",
            limits.host_routes,
            routes.len()
        )));
    }
    for (destination, nexthop) in routes {
        let (to, via): (Cidr, Ip) = (destination.parse()?, nexthop.parse()?);
        same_version(spec.ip_version, via.version(), "nexthop", nexthop)?;
        same_version(spec.ip_version, to.version(), "destination", destination)?;
    }
    Ok(())
}

fn ipv6_modes(spec: &Spec, current: Option<Current>) -> Result<()> {
    let modes_set = spec.ra_mode.is_some() || spec.address_mode.is_some();
    if let Some(current) = current {
        if spec.enable_dhcp == Some(false) && (modes_set || current.has_ipv6_mode) {
            return Err(refuse("DHCP cannot be disabled while ipv6_ra_mode or ipv6_address_mode is set."));
        }
        return Ok(());
    }
    if modes_set && spec.enable_dhcp != Some(true) {
        return Err(refuse("The ipv6_ra_mode and ipv6_address_mode cannot be set when enable_dhcp is false."));
    }
    if let (Some(ra), Some(address)) = (&spec.ra_mode, &spec.address_mode)
        && ra != address
    {
        return Err(refuse(format!("The ipv6_ra_mode '{ra}' and the ipv6_address_mode '{address}' must be equal when both are set.")));
    }
    if is_auto_address(spec.address_mode.as_deref(), spec.ra_mode.as_deref())
        && let Some(cidr) = spec.cidr.filter(|cidr| cidr.prefixlen() != 64)
    {
        return Err(refuse(format!("The subnet {cidr} cannot give out EUI-64 addresses: they need a prefix of /64.")));
    }
    Ok(())
}

/// # Errors
/// `BadRequest`: what a subnet that waits for a delegated prefix must be.
pub fn validate_for_prefix_delegation(spec: &Spec) -> Result<()> {
    let refuse = |sentence: &str| Err(kinds::BAD_REQUEST_PLUGIN.error(format!("Bad subnets request: {sentence}")));
    let fits = |mode: &Option<String>| matches!(mode.as_deref(), Some("slaac" | "dhcpv6-stateless"));
    if spec.ip_version != IpVersion::V6 {
        return refuse("prefix delegation is for IPv6 subnets only.");
    }
    if !fits(&spec.ra_mode) {
        return refuse("prefix delegation needs the ipv6_ra_mode slaac or dhcpv6-stateless.");
    }
    if !fits(&spec.address_mode) {
        return refuse("prefix delegation needs the ipv6_address_mode slaac or dhcpv6-stateless.");
    }
    Ok(())
}

const IPV4_MIN_MTU: i64 = 68;
const IPV6_MIN_MTU: i64 = 1280;

/// # Errors
/// `NetworkMTUSubnetConflict` when the network's MTU is below what the IP version requires (RFC 791, RFC 8200).
pub fn validate_mtu(network_id: &str, mtu: i64, version: IpVersion) -> Result<()> {
    let needed = match version {
        _ if mtu == 0 => return Ok(()),
        IpVersion::V4 => IPV4_MIN_MTU,
        IpVersion::V6 if mtu < IPV4_MIN_MTU => IPV4_MIN_MTU,
        IpVersion::V6 => IPV6_MIN_MTU,
    };
    if mtu >= needed {
        return Ok(());
    }
    Err(errors::NETWORK_MTU_SUBNET_CONFLICT
        .error(format!("The MTU {mtu} of network {network_id} is too small for a subnet of IP version {version}, which needs {needed}.")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: SubnetLimits = SubnetLimits { dns_nameservers: 2, host_routes: 1, ipv6_pd: false };

    fn spec(cidr: &str) -> Spec {
        let cidr: Cidr = cidr.parse().unwrap();
        Spec {
            ip_version: cidr.version(),
            cidr: Some(cidr),
            gateway: Gateway::Unspecified,
            enable_dhcp: Some(true),
            dns_nameservers: None,
            host_routes: None,
            ra_mode: None,
            address_mode: None,
            prefix_delegated: false,
        }
    }

    fn judged(spec: &Spec, current: Option<Current>) -> &'static str {
        match validate(spec, current, &LIMITS) {
            Ok(()) => "ok",
            Err(error) => error.kind().name,
        }
    }

    #[test]
    fn cidrs_and_dhcp() {
        for (cidr, with_dhcp, without) in [
            ("10.0.0.0/30", "ok", "ok"),
            ("10.0.0.0/31", "InvalidInput", "ok"),
            ("fd00::/126", "ok", "ok"),
            ("fd00::/127", "InvalidInput", "ok"),
            ("::/64", "InvalidInput", "InvalidInput"),
            ("224.0.0.0/24", "InvalidInput", "ok"),
            ("127.0.0.0/24", "InvalidInput", "ok"),
            ("0.0.0.0/24", "InvalidInput", "ok"),
            ("169.254.0.0/24", "ok", "ok"),
        ] {
            let on = spec(cidr);
            let off = Spec { enable_dhcp: Some(false), ..on.clone() };
            assert_eq!((judged(&on, None), judged(&off, None)), (with_dhcp, without), "{cidr}");
            // A subnet that has DHCP already is not judged again.
            let current = Current { enable_dhcp: true, has_ipv6_mode: false };
            assert_eq!(judged(&on, Some(current)), without, "{cidr}");
        }
        assert_eq!(judged(&Spec { ip_version: IpVersion::V6, ..spec("10.0.0.0/24") }, None), "InvalidInput");
    }

    #[test]
    fn gateways_servers_and_routes() {
        let gateway = |text: &str| Spec { gateway: Gateway::Address(text.parse().unwrap()), ..spec("10.0.0.0/24") };
        assert_eq!(judged(&gateway("10.0.0.0"), None), "InvalidInput");
        assert_eq!(judged(&gateway("10.0.0.255"), None), "InvalidInput");
        assert_eq!(judged(&gateway("fd00::1"), None), "InvalidInput");
        assert_eq!(judged(&gateway("10.9.0.255"), None), "ok");
        let dns =
            |servers: &[&str]| Spec { dns_nameservers: Some(servers.iter().map(|s| (*s).to_owned()).collect()), ..spec("10.0.0.0/24") };
        assert_eq!(judged(&dns(&["8.8.8.8", "1.1.1.1"]), None), "ok");
        assert_eq!(judged(&dns(&["8.8.8.8", "1.1.1.1", "9.9.9.9"]), None), "DNSNameServersExhausted");
        assert_eq!(judged(&dns(&["fd00::1"]), None), "InvalidInput");
        assert_eq!(judged(&dns(&["name"]), None), "InvalidInput");
        let routes = |routes: &[(&str, &str)]| Spec {
            host_routes: Some(routes.iter().map(|(d, n)| ((*d).to_owned(), (*n).to_owned())).collect()),
            ..spec("10.0.0.0/24")
        };
        assert_eq!(judged(&routes(&[("7.0.0.0/8", "10.0.0.9")]), None), "ok");
        assert_eq!(judged(&routes(&[("7.0.0.0/8", "10.0.0.9"), ("8.0.0.0/8", "10.0.0.9")]), None), "HostRoutesExhausted");
        assert_eq!(judged(&routes(&[("fd00::/8", "10.0.0.9")]), None), "InvalidInput");
        assert_eq!(judged(&routes(&[("7.0.0.0/8", "fd00::1")]), None), "InvalidInput");
    }

    #[test]
    fn ipv6_modes() {
        let modes = |cidr: &str, ra: Option<&str>, address: Option<&str>| Spec {
            ra_mode: ra.map(str::to_owned),
            address_mode: address.map(str::to_owned),
            ..spec(cidr)
        };
        assert_eq!(judged(&modes("fd00::/64", Some("slaac"), Some("slaac")), None), "ok");
        assert_eq!(judged(&modes("fd00::/64", None, Some("dhcpv6-stateless")), None), "ok");
        assert_eq!(judged(&modes("fd00::/64", Some("slaac"), Some("dhcpv6-stateful")), None), "InvalidInput");
        assert_eq!(judged(&modes("fd00::/48", Some("slaac"), Some("slaac")), None), "InvalidInput");
        assert_eq!(judged(&modes("fd00::/48", Some("dhcpv6-stateful"), None), None), "ok");
        assert_eq!(judged(&modes("10.0.0.0/24", Some("slaac"), None), None), "InvalidInput");
        let off = Spec { enable_dhcp: Some(false), ..modes("fd00::/64", Some("slaac"), None) };
        assert_eq!(judged(&off, None), "InvalidInput");
        let update = Spec { enable_dhcp: Some(false), ..spec("fd00::/64") };
        assert_eq!(judged(&update, Some(Current { enable_dhcp: true, has_ipv6_mode: true })), "InvalidInput");
        assert_eq!(judged(&update, Some(Current { enable_dhcp: true, has_ipv6_mode: false })), "ok");
    }

    #[test]
    fn mtus() {
        let judged = |mtu, version| validate_mtu("n", mtu, version).is_ok();
        assert!(judged(0, IpVersion::V6) && judged(68, IpVersion::V4) && judged(1280, IpVersion::V6));
        assert!(!judged(67, IpVersion::V4) && !judged(1279, IpVersion::V6));
    }
}
