// SPDX-License-Identifier: Apache-2.0
//! The subnets of one network as address allocation sees them, and which of them a port may use.
//!
//! Owns reading them (a constant number of statements for a network) and the choice of candidates by service type, segment and
//! host (`find_candidate_subnets` of neutron/objects/subnet.py). Writes nothing. Invariant: candidates come in a fixed order:
//! subnets with service types first, then by age.
//!
//! Neutron's `ipamsubnets` has no index over `neutron_subnet_id`. Rows that this server makes carry the subnet's own id as their
//! key, so that the join is a look in a primary key; rows that Neutron made are found by a second statement.

use std::collections::{BTreeMap, HashMap, HashSet};

use neutrino_db::{Sql, Tx, args};
use neutrino_types::cidr::Cidr;
use neutrino_types::ip::{Ip, IpVersion};
use neutrino_types::range::IpRange;
use neutrino_types::{Error, Result};

use super::errors;
use super::request::{FixedIp, FixedIpsRequest, PortFacts};

/// The `subnetpool_id` of subnets that wait for a delegated prefix.
pub const IPV6_PD_POOL_ID: &str = "prefix_delegation";
const PROVISIONAL_PREFIX_LEN: u8 = 64;

/// What allocation knows of a subnet.
#[derive(Clone, Debug)]
pub struct SubnetFacts {
    pub id: String,
    pub cidr: Cidr,
    /// SLAAC or stateless DHCPv6: addresses follow from the MAC.
    pub auto_address: bool,
    pub prefix_delegated: bool,
    pub enable_dhcp: bool,
    pub segment_id: Option<String>,
    pub service_types: Vec<String>,
    /// The key in `ipamsubnets`.
    pub ipam_id: String,
    pub pools: Vec<IpRange>,
}

impl SubnetFacts {
    #[must_use]
    pub fn is_v4(&self) -> bool {
        self.cidr.version() == IpVersion::V4
    }

    /// True while the subnet has no prefix of its own yet (`::/64`).
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.cidr.version() == IpVersion::V6 && self.cidr.network().value() == 0 && self.cidr.prefixlen() == PROVISIONAL_PREFIX_LEN
    }

    fn serves(&self, device_owner: &str) -> bool {
        self.service_types.is_empty()
            || self.service_types.iter().any(|known| known == device_owner)
            || (self.enable_dhcp && device_owner == super::request::DEVICE_OWNER_DHCP)
    }
}

/// True when the modes of a subnet make addresses follow from the MAC.
#[must_use]
pub fn is_auto_address(address_mode: Option<&str>, ra_mode: Option<&str>) -> bool {
    let auto = |mode: Option<&str>| matches!(mode, Some("slaac" | "dhcpv6-stateless"));
    auto(address_mode) || auto(ra_mode)
}

/// Which subnets a port may use.
#[derive(Debug)]
pub enum Candidates<'n> {
    Subnets(Vec<&'n SubnetFacts>),
    /// Nothing yet: the network is routed and the host is not known, so allocation waits for the host.
    Deferred,
}

/// All subnets of a network. Load once for many ports of one transaction.
#[derive(Debug)]
pub struct NetworkSubnets {
    pub network_id: String,
    subnets: Vec<SubnetFacts>,
}

impl NetworkSubnets {
    /// Two statements for a network without subnets made by Neutron itself, three with.
    ///
    /// # Errors
    /// The database's; internal when a row does not hold what Neutron writes.
    pub async fn load(tx: &mut Tx, network_id: &str) -> Result<Self> {
        let rows = tx
            .query(
                "SELECT s.id, s.cidr, s.ipv6_address_mode, s.ipv6_ra_mode, s.subnetpool_id, s.enable_dhcp, s.segment_id, i.id \
                 FROM subnets s LEFT JOIN ipamsubnets i ON i.id = s.id AND i.neutron_subnet_id = s.id \
                 WHERE s.network_id = ? ORDER BY s.standard_attr_id",
                args![network_id],
            )
            .await?;
        let mut subnets = Vec::with_capacity(rows.len());
        let mut unknown = Vec::new();
        for row in &rows {
            let id = row.text(0)?;
            let ipam_id = row.opt_text(7)?;
            if ipam_id.is_none() {
                unknown.push(id.clone());
            }
            subnets.push(SubnetFacts {
                cidr: stored(&row.text(1)?)?,
                auto_address: is_auto_address(row.opt_text(2)?.as_deref(), row.opt_text(3)?.as_deref()),
                prefix_delegated: row.opt_text(4)?.as_deref() == Some(IPV6_PD_POOL_ID),
                enable_dhcp: row.opt_bool(5)?.unwrap_or(false),
                segment_id: row.opt_text(6)?,
                service_types: Vec::new(),
                ipam_id: ipam_id.unwrap_or_default(),
                pools: Vec::new(),
                id,
            });
        }
        let found = ipam_ids_by_scan(tx, &unknown).await?;
        for subnet in subnets.iter_mut().filter(|subnet| subnet.ipam_id.is_empty()) {
            subnet.ipam_id = found.get(&subnet.id).cloned().unwrap_or_default();
        }
        let mut network = Self { network_id: network_id.to_owned(), subnets };
        network.load_details(tx).await?;
        // A stable sort: age stays the second criterion.
        network.subnets.sort_by_key(|subnet| subnet.service_types.is_empty());
        Ok(network)
    }

    /// Pools and service types, in one statement.
    async fn load_details(&mut self, tx: &mut Tx) -> Result<()> {
        if self.subnets.is_empty() {
            return Ok(());
        }
        let dialect = tx.dialect();
        let mut sql = Sql::raw("SELECT ipam_subnet_id, first_ip, last_ip FROM ipamallocationpools WHERE ");
        sql.append(Sql::in_texts(dialect, "ipam_subnet_id", self.subnets.iter().map(|subnet| subnet.ipam_id.as_str())));
        sql.push(" UNION ALL SELECT subnet_id, service_type, NULL FROM subnet_service_types WHERE ");
        sql.append(Sql::in_texts(dialect, "subnet_id", self.subnets.iter().map(|subnet| subnet.id.as_str())));
        let mut pools: HashMap<String, Vec<IpRange>> = HashMap::new();
        let mut types: HashMap<String, Vec<String>> = HashMap::new();
        for row in tx.select(sql).await? {
            let (id, value) = (row.text(0)?, row.text(1)?);
            match row.opt_text(2)? {
                None => types.entry(id).or_default().push(value),
                Some(last) => {
                    let range = IpRange::new(stored(&value)?, stored(&last)?);
                    pools.entry(id).or_default().push(range.ok_or_else(|| unreadable(&format!("{value}-{last}")))?);
                }
            }
        }
        for subnet in &mut self.subnets {
            subnet.pools = pools.remove(&subnet.ipam_id).unwrap_or_default();
            subnet.service_types = types.remove(&subnet.id).unwrap_or_default();
        }
        Ok(())
    }

    #[must_use]
    pub fn subnets(&self) -> &[SubnetFacts] {
        &self.subnets
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<&SubnetFacts> {
        self.subnets.iter().find(|subnet| subnet.id == id)
    }

    /// The subnets that the port may get addresses from.
    ///
    /// # Errors
    /// `FixedIpsSubnetsNotOnSameSegment`, `HostNotConnectedToAnySegment`, `IpAddressGenerationFailureNoMatchingSubnet`; the
    /// database's.
    pub async fn candidates(&self, tx: &mut Tx, port: &PortFacts<'_>, request: &FixedIpsRequest) -> Result<Candidates<'_>> {
        let reachable = self.segments_of_host(tx, port.host).await?;
        self.choose(port, request, &reachable)
    }

    /// The segments of this network that the host is connected to; nothing is asked when that cannot matter.
    async fn segments_of_host(&self, tx: &mut Tx, host: &str) -> Result<HashSet<String>> {
        let segments: HashSet<&str> = self.subnets.iter().filter_map(|subnet| subnet.segment_id.as_deref()).collect();
        if host.is_empty() || segments.is_empty() {
            return Ok(HashSet::new());
        }
        let mut sql = Sql::new("SELECT segment_id FROM segmenthostmappings WHERE host = ? AND ", args![host]);
        sql.append(Sql::in_texts(tx.dialect(), "segment_id", segments));
        tx.select(sql).await?.iter().map(|row| row.text(0)).collect()
    }

    fn choose(&self, port: &PortFacts<'_>, request: &FixedIpsRequest, reachable: &HashSet<String>) -> Result<Candidates<'_>> {
        let serving: Vec<&SubnetFacts> = self.subnets.iter().filter(|subnet| subnet.serves(port.device_owner)).collect();
        let chosen: Vec<&SubnetFacts> = match (port.host, request) {
            ("", FixedIpsRequest::Given(fixed)) => on_segment_of(&serving, fixed, port.is_distributed())?,
            ("", FixedIpsRequest::Unspecified) => serving.iter().copied().filter(|subnet| subnet.segment_id.is_none()).collect(),
            _ => {
                let reaches = |subnet: &SubnetFacts| subnet.segment_id.as_ref().is_none_or(|id| reachable.contains(id));
                serving.iter().copied().filter(|subnet| reaches(subnet)).collect()
            }
        };
        if !chosen.is_empty() || self.subnets.is_empty() {
            return Ok(Candidates::Subnets(chosen));
        }
        if !port.host.is_empty() && self.subnets.iter().any(|subnet| subnet.segment_id.is_some()) {
            return Err(errors::HOST_NOT_CONNECTED_TO_ANY_SEGMENT
                .error(format!("Host {} is not connected to any segment of the routed network {}.", port.host, self.network_id)));
        }
        if serving.is_empty() {
            return Err(errors::IP_ADDRESS_GENERATION_FAILURE_NO_MATCHING_SUBNET
                .error(format!("No subnet of network {} serves ports whose device owner is \"{}\".", self.network_id, port.device_owner)));
        }
        Ok(Candidates::Deferred)
    }
}

/// Without a host, all requested addresses must lie on one segment (or on none); the others are no candidates then. A request
/// that fits no subnet keeps all candidates: the check of the request itself says what is wrong.
fn on_segment_of<'n>(serving: &[&'n SubnetFacts], fixed: &[FixedIp], distributed: bool) -> Result<Vec<&'n SubnetFacts>> {
    let mut segment: Option<Option<&str>> = None;
    for one in fixed {
        let subnet = match (&one.subnet_id, one.ip_address) {
            (Some(id), _) => serving.iter().find(|subnet| subnet.id == *id),
            (None, Some(ip)) => serving.iter().find(|subnet| subnet.cidr.contains(ip)),
            (None, None) => continue,
        };
        let Some(subnet) = subnet else { return Ok(serving.to_vec()) };
        let own = subnet.segment_id.as_deref();
        if segment.is_some_and(|known| known != own) && !distributed {
            return Err(
                errors::FIXED_IPS_SUBNETS_NOT_ON_SAME_SEGMENT.error("The requested fixed IPs lie on more than one segment of the network.")
            );
        }
        segment.get_or_insert(own);
    }
    if distributed {
        return Ok(serving.to_vec());
    }
    let wanted = segment.flatten();
    Ok(serving.iter().copied().filter(|subnet| subnet.segment_id.as_deref() == wanted).collect())
}

/// The keys in `ipamsubnets` of subnets, by subnet id, for rows whose key is not the subnet's id.
async fn ipam_ids_by_scan(tx: &mut Tx, subnet_ids: &[String]) -> Result<BTreeMap<String, String>> {
    if subnet_ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = Sql::raw("SELECT neutron_subnet_id, id FROM ipamsubnets WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "neutron_subnet_id", subnet_ids.iter().map(String::as_str)));
    tx.select(sql).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The keys in `ipamsubnets` of these subnets, by subnet id. One statement, a second one for subnets that Neutron made.
///
/// # Errors
/// The database's.
pub async fn ipam_ids(tx: &mut Tx, subnet_ids: &[String]) -> Result<BTreeMap<String, String>> {
    let mut sql = Sql::raw("SELECT neutron_subnet_id, id FROM ipamsubnets WHERE neutron_subnet_id = id AND ");
    sql.append(Sql::in_texts(tx.dialect(), "id", subnet_ids.iter().map(String::as_str)));
    let mut found: BTreeMap<String, String> =
        tx.select(sql).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect::<Result<_>>()?;
    let rest: Vec<String> = subnet_ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
    found.extend(ipam_ids_by_scan(tx, &rest).await?);
    Ok(found)
}

/// A text that the database holds, as what it must be.
pub(crate) fn stored<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| unreadable(text))
}

fn unreadable(text: &str) -> Error {
    Error::internal(format!("the database holds \"{text}\" where an address, a range or a CIDR belongs"))
}

/// True for an address with `fffe` in the middle of its interface part, as EUI-64 makes them.
#[must_use]
pub fn is_eui64(address: Ip) -> bool {
    address.is_v6() && address.value() & 0xff_ff00_0000 == 0xff_fe00_0000
}

#[cfg(test)]
mod tests {
    use super::*;
    use neutrino_types::mac::Mac;

    fn subnet(id: &str, cidr: &str, segment: Option<&str>, types: &[&str]) -> SubnetFacts {
        SubnetFacts {
            id: id.to_owned(),
            cidr: cidr.parse().unwrap(),
            auto_address: false,
            prefix_delegated: false,
            enable_dhcp: true,
            segment_id: segment.map(str::to_owned),
            service_types: types.iter().map(|t| (*t).to_owned()).collect(),
            ipam_id: id.to_owned(),
            pools: Vec::new(),
        }
    }

    fn network(subnets: Vec<SubnetFacts>) -> NetworkSubnets {
        NetworkSubnets { network_id: "net".to_owned(), subnets }
    }

    /// The ids of the candidates, or the name of the refusal.
    fn chosen(network: &NetworkSubnets, owner: &str, host: &str, request: &FixedIpsRequest, reachable: &[&str]) -> String {
        let port = PortFacts { network_id: "net", device_owner: owner, mac: Mac::new([0; 6]), host };
        let reachable = reachable.iter().map(|s| (*s).to_owned()).collect();
        match network.choose(&port, request, &reachable) {
            Ok(Candidates::Subnets(subnets)) => subnets.iter().map(|s| s.id.clone()).collect::<Vec<_>>().join(" "),
            Ok(Candidates::Deferred) => "deferred".to_owned(),
            Err(error) => error.kind().name.to_owned(),
        }
    }

    fn given(fixed: &[(Option<&str>, Option<&str>)]) -> FixedIpsRequest {
        let one = |(id, ip): &(Option<&str>, Option<&str>)| FixedIp {
            subnet_id: id.map(str::to_owned),
            ip_address: ip.map(|ip| ip.parse().unwrap()),
        };
        FixedIpsRequest::Given(fixed.iter().map(one).collect())
    }

    const ANY: FixedIpsRequest = FixedIpsRequest::Unspecified;

    #[test]
    fn service_types() {
        let net = network(vec![subnet("fip", "10.1.0.0/24", None, &["network:floatingip"]), subnet("all", "10.0.0.0/24", None, &[])]);
        assert_eq!(chosen(&net, "network:floatingip", "", &ANY, &[]), "fip all");
        assert_eq!(chosen(&net, "compute:nova", "", &ANY, &[]), "all");
        assert_eq!(chosen(&net, "network:dhcp", "", &ANY, &[]), "fip all");
        let only = network(vec![subnet("fip", "10.1.0.0/24", None, &["network:floatingip"])]);
        assert_eq!(chosen(&only, "compute:nova", "", &ANY, &[]), "IpAddressGenerationFailureNoMatchingSubnet");
        assert_eq!(chosen(&network(vec![]), "compute:nova", "", &ANY, &[]), "");
    }

    #[test]
    fn segments_and_hosts() {
        let net = network(vec![subnet("a", "10.0.0.0/24", Some("sa"), &[]), subnet("b", "10.1.0.0/24", Some("sb"), &[])]);
        assert_eq!(chosen(&net, "", "", &ANY, &[]), "deferred");
        assert_eq!(chosen(&net, "", "h", &ANY, &["sb"]), "b");
        assert_eq!(chosen(&net, "", "h", &ANY, &[]), "HostNotConnectedToAnySegment");
        assert_eq!(chosen(&net, "", "", &given(&[(Some("b"), None)]), &[]), "b");
        assert_eq!(chosen(&net, "", "", &given(&[(None, Some("10.0.0.9"))]), &[]), "a");
        assert_eq!(chosen(&net, "", "", &given(&[(Some("a"), None), (Some("b"), None)]), &[]), "FixedIpsSubnetsNotOnSameSegment");
        assert_eq!(chosen(&net, "network:distributed", "", &given(&[(Some("a"), None), (Some("b"), None)]), &[]), "a b");
        assert_eq!(chosen(&net, "", "", &given(&[(Some("other"), None)]), &[]), "a b");
        assert_eq!(chosen(&net, "", "", &given(&[]), &[]), "deferred");
        let flat = network(vec![subnet("a", "10.0.0.0/24", None, &[])]);
        assert_eq!(chosen(&flat, "", "h", &ANY, &[]), "a");
        assert_eq!(chosen(&flat, "", "", &given(&[]), &[]), "a");
    }

    #[test]
    fn eui64_is_recognised() {
        assert!(is_eui64("fd00::f816:3eff:fe00:1".parse().unwrap()));
        assert!(!is_eui64("fd00::1".parse().unwrap()) && !is_eui64("10.0.0.1".parse().unwrap()));
    }
}
