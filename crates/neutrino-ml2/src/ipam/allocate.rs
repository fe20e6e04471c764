// SPDX-License-Identifier: Apache-2.0
//! Addresses of ports: planned, chosen, written, released.
//!
//! Owns the tables `ipamallocations` (which address is taken) and `ipallocations` (by which port), and the rules of
//! `_allocate_ips_for_port` and `_test_fixed_ips_for_port` of Neutron. Ports, networks and subnets are others'. Invariants: a row
//! in one of the tables has its twin in the other once [`store`] ran; uniqueness is their primary keys; nothing is locked.
//!
//! Order for a new port: [`allocate_for_port`], insert the port's row, [`store`]. For a port that goes: [`release`], then delete
//! the row. For a change of addresses: [`super::update`].

use std::collections::BTreeMap;

use neutrino_core::Context;
use neutrino_db::{Sql, Tx, args};
use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::ip::Ip;
use neutrino_types::{Error, Result};

use super::candidates::{self, Allocations, Preference};
use super::network::{Candidates, NetworkSubnets, SubnetFacts, ipam_ids, stored};
use super::request::{
    Allocated, Allocation, DEVICE_OWNER_DHCP, DEVICE_OWNER_DISTRIBUTED, FixedIp, FixedIpsRequest, IpAllocation, PortFacts,
};
use super::{errors, pools};

/// Takes addresses for a new port. Writes `ipamallocations` only: the caller inserts the port, then calls [`store`].
///
/// # Errors
/// The refusals of [`NetworkSubnets::allocate`]; the database's.
pub async fn allocate_for_port(tx: &mut Tx, cx: &Context, port: &PortFacts<'_>, request: &FixedIpsRequest) -> Result<Allocation> {
    NetworkSubnets::load(tx, port.network_id).await?.allocate(tx, cx, port, request).await
}

/// One address that is to be had.
#[derive(Debug)]
pub(super) enum Wanted<'n> {
    Specific(&'n SubnetFacts, Ip),
    /// Any address of the first of these subnets that has one.
    AnyOf(Vec<&'n SubnetFacts>),
}

impl NetworkSubnets {
    /// [`allocate_for_port`] with the subnets at hand, for many ports of one network in one transaction.
    ///
    /// # Errors
    /// Those of [`NetworkSubnets::candidates`]; `InvalidInput`, `SubnetNotFound`, `InvalidIpForSubnet`, `InvalidIpForNetwork`,
    /// `AllocationOnAutoAddressSubnet` for a request that does not fit; `IpAddressAlreadyAllocated`; `IpAddressGenerationFailure`.
    pub async fn allocate(&self, tx: &mut Tx, cx: &Context, port: &PortFacts<'_>, request: &FixedIpsRequest) -> Result<Allocation> {
        let mode = match request {
            FixedIpsRequest::Given(fixed) if fixed.is_empty() => IpAllocation::None,
            _ => IpAllocation::Immediate,
        };
        let subnets = match self.candidates(tx, port, request).await? {
            Candidates::Subnets(subnets) => subnets,
            Candidates::Deferred => {
                let mode = if mode == IpAllocation::None { mode } else { IpAllocation::Deferred };
                return Ok(Allocation { addresses: Vec::new(), mode });
            }
        };
        let mut wanted = match request {
            FixedIpsRequest::Given(fixed) => self.requested(tx, port, fixed, &subnets).await?,
            FixedIpsRequest::Unspecified => one_of_each_version(&subnets),
        };
        add_auto_addresses(&mut wanted, port, &subnets, &[])?;
        Ok(Allocation { addresses: self.take(tx, cx, port, wanted).await?, mode })
    }

    /// Checks the entries of a request against the candidates and says what is to be had for them. Entries that name an
    /// auto-address subnet alone give nothing: every such subnet serves every port anyway.
    pub(super) async fn requested<'n>(
        &'n self,
        tx: &mut Tx,
        port: &PortFacts<'_>,
        fixed: &[FixedIp],
        subnets: &[&'n SubnetFacts],
    ) -> Result<Vec<Wanted<'n>>> {
        let mut wanted = Vec::with_capacity(fixed.len());
        for one in fixed {
            let subnet = self.subnet_of(tx, port, one, subnets).await?;
            match one.ip_address {
                Some(ip) if !subnet.is_provisional() => {
                    if subnet.auto_address && !port.is_router_interface() && port.mac.eui64_address(&subnet.cidr) != Some(ip) {
                        return Err(errors::ALLOCATION_ON_AUTO_ADDRESS_SUBNET.error(format!(
                            "The address {ip} cannot be chosen on subnet {}: its addresses follow from the MAC address.",
                            subnet.id
                        )));
                    }
                    wanted.push(Wanted::Specific(subnet, ip));
                }
                _ if !subnet.auto_address || port.is_router_interface_or_snat() => wanted.push(Wanted::AnyOf(vec![subnet])),
                _ => {}
            }
        }
        Ok(wanted)
    }

    async fn subnet_of<'n>(
        &self,
        tx: &mut Tx,
        port: &PortFacts<'_>,
        one: &FixedIp,
        subnets: &[&'n SubnetFacts],
    ) -> Result<&'n SubnetFacts> {
        if subnets.is_empty() {
            return Err(
                kinds::INVALID_INPUT.error(format!("Network {} has no subnet from which this port could get an address.", self.network_id))
            );
        }
        let fits = |subnet: &SubnetFacts, ip: Ip| pools::address_fits(&subnet.cidr, ip, port.is_router_or_unknown());
        match (&one.subnet_id, one.ip_address) {
            (Some(id), ip) => {
                let Some(subnet) = subnets.iter().find(|subnet| subnet.id == *id) else {
                    return Err(self.no_such_subnet(tx, id).await?);
                };
                match ip {
                    Some(ip) if !fits(subnet, ip) => Err(errors::INVALID_IP_FOR_SUBNET
                        .error(format!("The address {ip} is not one that a port can have on subnet {id} ({}).", subnet.cidr))),
                    _ => Ok(subnet),
                }
            }
            (None, Some(ip)) => subnets.iter().find(|subnet| fits(subnet, ip)).copied().ok_or_else(|| {
                errors::INVALID_IP_FOR_NETWORK
                    .error(format!("The address {ip} is in no subnet of network {} that serves this port.", self.network_id))
            }),
            (None, None) => Err(kinds::INVALID_INPUT.error("Every entry of fixed_ips needs a subnet_id or an ip_address.")),
        }
    }

    async fn no_such_subnet(&self, tx: &mut Tx, id: &str) -> Result<Error> {
        if tx.query_one("SELECT 1 FROM subnets WHERE id = ?", args![id]).await?.is_none() {
            return Ok(errors::SUBNET_NOT_FOUND.error(format!("Subnet {id} could not be found.")));
        }
        Ok(kinds::INVALID_INPUT
            .error(format!("The fixed_ips name subnet {id}, which is not one that serves this port on network {}.", self.network_id)))
    }

    /// Takes what is wanted: named addresses first, so that a chosen one is not in their way.
    pub(super) async fn take(
        &self,
        tx: &mut Tx,
        cx: &Context,
        port: &PortFacts<'_>,
        mut wanted: Vec<Wanted<'_>>,
    ) -> Result<Vec<Allocated>> {
        wanted.sort_by_key(|one| matches!(one, Wanted::AnyOf(_)));
        let mut taken = Vec::with_capacity(wanted.len());
        for one in wanted {
            let (subnet, ip) = match one {
                Wanted::Specific(subnet, ip) => {
                    take_specific(tx, subnet, ip).await?;
                    (subnet, ip)
                }
                Wanted::AnyOf(subnets) => self.take_any(tx, cx, port, &subnets).await?,
            };
            taken.push(Allocated { subnet_id: subnet.id.clone(), ip_address: ip });
        }
        Ok(taken)
    }

    async fn take_any<'n>(
        &self,
        tx: &mut Tx,
        cx: &Context,
        port: &PortFacts<'_>,
        subnets: &[&'n SubnetFacts],
    ) -> Result<(&'n SubnetFacts, Ip)> {
        let preference = match port.device_owner {
            DEVICE_OWNER_DHCP | DEVICE_OWNER_DISTRIBUTED => Preference::Lowest,
            _ => Preference::Random,
        };
        for subnet in subnets {
            let mut taken = TakenIn { tx: &mut *tx, ipam_id: &subnet.ipam_id };
            let free = candidates::pick(&subnet.pools, 1, preference, &mut || cx.random(), &mut taken).await?;
            if let Some(ip) = free.first() {
                // Another transaction may have been faster: then this one runs again.
                mark(tx, &subnet.ipam_id, *ip).await.map_err(|error| match error.is_duplicate("") {
                    true => Error::stale(format!("{ip} of subnet {} was taken in between", subnet.id)),
                    false => error,
                })?;
                return Ok((subnet, *ip));
            }
        }
        Err(errors::IP_ADDRESS_GENERATION_FAILURE.error(format!("No more IP addresses are free on network {}.", self.network_id)))
    }
}

/// One IPv4 address and one IPv6 address that does not follow from the MAC.
fn one_of_each_version<'n>(subnets: &[&'n SubnetFacts]) -> Vec<Wanted<'n>> {
    let (v4, v6): (Vec<&SubnetFacts>, Vec<&SubnetFacts>) =
        subnets.iter().filter(|subnet| subnet.is_v4() || !subnet.auto_address).partition(|subnet| subnet.is_v4());
    [v4, v6].into_iter().filter(|group| !group.is_empty()).map(Wanted::AnyOf).collect()
}

/// Adds the addresses that follow from the port's MAC: one for each auto-address subnet except those in `but`, and except what is
/// wanted already. Interfaces of routers have none.
pub(super) fn add_auto_addresses<'n>(
    wanted: &mut Vec<Wanted<'n>>,
    port: &PortFacts<'_>,
    subnets: &[&'n SubnetFacts],
    but: &[&str],
) -> Result<()> {
    if port.is_router_interface_or_snat() {
        return Ok(());
    }
    for subnet in subnets.iter().filter(|subnet| subnet.auto_address && !but.contains(&subnet.id.as_str())) {
        let ip = eui64(port, &subnet.cidr)?;
        if !wanted.iter().any(|one| matches!(one, Wanted::Specific(known, chosen) if known.id == subnet.id && *chosen == ip)) {
            wanted.push(Wanted::Specific(subnet, ip));
        }
    }
    Ok(())
}

fn eui64(port: &PortFacts<'_>, cidr: &Cidr) -> Result<Ip> {
    let refuse = || kinds::INVALID_INPUT.error(format!("No address follows from the MAC address {} in {cidr}.", port.mac));
    port.mac.eui64_address(cidr).ok_or_else(refuse)
}

/// Takes one named address.
///
/// # Errors
/// `InvalidIpForSubnet`, `IpAddressAlreadyAllocated`; the database's.
pub async fn take_specific(tx: &mut Tx, subnet: &SubnetFacts, ip: Ip) -> Result<()> {
    if !pools::address_fits(&subnet.cidr, ip, true) {
        return Err(errors::INVALID_IP_FOR_SUBNET
            .error(format!("The address {ip} is not one that a port can have on subnet {} ({}).", subnet.id, subnet.cidr)));
    }
    mark(tx, &subnet.ipam_id, ip).await.map_err(|error| match error.is_duplicate("") {
        true => errors::IP_ADDRESS_ALREADY_ALLOCATED.error(format!("The address {ip} is taken already on subnet {}.", subnet.id)),
        false => error,
    })
}

/// True when the address is taken.
///
/// # Errors
/// The database's.
pub async fn is_taken(tx: &mut Tx, subnet: &SubnetFacts, ip: Ip) -> Result<bool> {
    let text = "SELECT 1 FROM ipamallocations WHERE ip_address = ? AND ipam_subnet_id = ?";
    Ok(tx.query_one(text, args![ip.to_string(), &subnet.ipam_id]).await?.is_some())
}

async fn mark(tx: &mut Tx, ipam_id: &str, ip: Ip) -> Result<()> {
    let text = "INSERT INTO ipamallocations (ip_address, status, ipam_subnet_id) VALUES (?, 'ALLOCATED', ?)";
    tx.execute(text, args![ip.to_string(), ipam_id]).await.map(drop)
}

/// Records that the port, whose row exists, holds these addresses.
///
/// # Errors
/// The database's; a foreign key's when the port or a subnet is gone.
pub async fn store(tx: &mut Tx, port_id: &str, network_id: &str, addresses: &[Allocated]) -> Result<()> {
    if addresses.is_empty() {
        return Ok(());
    }
    let rows = vec!["(?, ?, ?, ?)"; addresses.len()].join(", ");
    let values = addresses.iter().flat_map(|one| args![port_id, one.ip_address.to_string(), &one.subnet_id, network_id]).collect();
    tx.execute(&format!("INSERT INTO ipallocations (port_id, ip_address, subnet_id, network_id) VALUES {rows}"), values).await.map(drop)
}

/// The addresses that the port holds, ordered by subnet and address.
///
/// # Errors
/// The database's.
pub async fn addresses_of(tx: &mut Tx, port_id: &str) -> Result<Vec<Allocated>> {
    let rows = tx.query("SELECT subnet_id, ip_address FROM ipallocations WHERE port_id = ?", args![port_id]).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(Allocated { subnet_id: row.text(0)?, ip_address: stored(&row.text(1)?)? });
    }
    found.sort_unstable();
    Ok(found)
}

/// Gives back some addresses of a port that stays.
///
/// # Errors
/// The database's.
pub async fn release_some(tx: &mut Tx, port_id: &str, addresses: &[Allocated]) -> Result<()> {
    release(tx, addresses).await?;
    for one in addresses {
        tx.execute(
            "DELETE FROM ipallocations WHERE port_id = ? AND subnet_id = ? AND ip_address = ?",
            args![port_id, &one.subnet_id, one.ip_address.to_string()],
        )
        .await?;
    }
    Ok(())
}

/// Gives back addresses. It does not touch `ipallocations`, whose rows go with their port.
///
/// # Errors
/// The database's.
pub async fn release(tx: &mut Tx, addresses: &[Allocated]) -> Result<()> {
    let mut by_subnet: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in addresses {
        by_subnet.entry(&one.subnet_id).or_default().push(one.ip_address.to_string());
    }
    // Where the key in `ipamsubnets` is the subnet's own id, nothing need be asked.
    let mut elsewhere = Vec::new();
    for (subnet_id, texts) in &by_subnet {
        if forget(tx, subnet_id, texts).await? < u64::try_from(texts.len()).unwrap_or(u64::MAX) {
            elsewhere.push((*subnet_id).to_owned());
        }
    }
    if elsewhere.is_empty() {
        return Ok(());
    }
    for (subnet_id, ipam_id) in ipam_ids(tx, &elsewhere).await? {
        if let Some(texts) = by_subnet.get(subnet_id.as_str()) {
            forget(tx, &ipam_id, texts).await?;
        }
    }
    Ok(())
}

async fn forget(tx: &mut Tx, ipam_id: &str, texts: &[String]) -> Result<u64> {
    let mut sql = Sql::new("DELETE FROM ipamallocations WHERE ipam_subnet_id = ? AND ", args![ipam_id]);
    sql.append(Sql::in_texts(tx.dialect(), "ip_address", texts.iter().map(String::as_str)));
    tx.run(sql).await
}

/// `ipamallocations` of one subnet.
struct TakenIn<'t> {
    tx: &'t mut Tx,
    ipam_id: &'t str,
}

const PAGE_ROWS: i64 = 10_000;

impl Allocations for TakenIn<'_> {
    async fn taken(&mut self, addresses: &[Ip]) -> Result<Vec<Ip>> {
        let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let mut sql = Sql::new("SELECT ip_address FROM ipamallocations WHERE ipam_subnet_id = ? AND ", args![self.ipam_id]);
        sql.append(Sql::in_texts(self.tx.dialect(), "ip_address", texts.iter().map(String::as_str)));
        self.tx.select(sql).await?.iter().map(|row| stored(&row.text(0)?)).collect()
    }

    async fn page(&mut self, after: Option<Ip>) -> Result<Vec<Ip>> {
        let after = after.map(|ip| ip.to_string()).unwrap_or_default();
        let text = "SELECT ip_address FROM ipamallocations WHERE ipam_subnet_id = ? AND ip_address > ? ORDER BY ip_address LIMIT ?";
        let rows = self.tx.query(text, args![self.ipam_id, after, PAGE_ROWS]).await?;
        rows.iter().map(|row| stored(&row.text(0)?)).collect()
    }
}
