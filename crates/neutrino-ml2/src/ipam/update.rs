// SPDX-License-Identifier: Apache-2.0
//! Addresses of a port that changes: other `fixed_ips`, another MAC, another host.
//!
//! Owns the comparison of what a port holds with what it shall hold (`_get_changed_ips_for_port`, `update_port_with_ips` and
//! `update_port` of Neutron's IPAM), and writes the difference by [`super::allocate`]. Invariants: an address that stays is not
//! written; addresses that follow from the MAC stay until their subnet or the MAC goes.

use std::collections::{BTreeMap, HashSet};

use neutrino_core::Context;
use neutrino_db::Tx;
use neutrino_types::Result;
use neutrino_types::mac::Mac;

use super::allocate::{add_auto_addresses, release_some, store};
use super::errors;
use super::network::{Candidates, NetworkSubnets, is_eui64};
use super::request::{Allocated, Changes, FixedIp, FixedIpsRequest, PortFacts};

/// The port before the update.
#[derive(Clone, Copy, Debug)]
pub struct OldPort<'a> {
    pub id: &'a str,
    pub host: &'a str,
    pub mac: Mac,
    /// The stored `ip_allocation` is `deferred`.
    pub deferred: bool,
    pub addresses: &'a [Allocated],
}

/// Brings the addresses of a port in line with an update and writes both tables. `new` is the port as it will be (device owner,
/// MAC, host); `fixed_ips` is the request's, if it has the attribute.
///
/// # Errors
/// Those of [`NetworkSubnets::allocate`], and `HostNotCompatibleWithFixedIps`; the database's.
pub async fn update_for_port(
    tx: &mut Tx,
    cx: &Context,
    old: &OldPort<'_>,
    new: &PortFacts<'_>,
    fixed_ips: Option<&[FixedIp]>,
) -> Result<Changes> {
    let network = NetworkSubnets::load(tx, new.network_id).await?;
    let host_is_new = !new.host.is_empty() && new.host != old.host;
    let was_waiting = old.deferred && host_is_new && old.host.is_empty() && old.addresses.is_empty();
    if was_waiting && fixed_ips.is_none() {
        let added = network.allocate(tx, cx, new, &FixedIpsRequest::Unspecified).await?.addresses;
        store(tx, old.id, new.network_id, &added).await?;
        return Ok(Changes { added, ..Changes::default() });
    }
    let change = MacChange::of(old, new);
    let changes = match change.requested(old, fixed_ips) {
        None => Changes { kept: old.addresses.to_vec(), ..Changes::default() },
        Some(requested) => apply(tx, cx, &network, old, new, &requested, &change).await?,
    };
    if host_is_new && !old.addresses.is_empty() && fixed_ips.is_none() {
        check_host(tx, &network, old, new).await?;
    }
    Ok(changes)
}

/// What another MAC means for the addresses that followed from the old one.
struct MacChange {
    changed: bool,
    /// The subnets whose address must go and come again.
    subnets: HashSet<String>,
}

impl MacChange {
    fn of(old: &OldPort<'_>, new: &PortFacts<'_>) -> Self {
        let changed = new.mac != old.mac;
        let follows = old.addresses.iter().filter(|one| changed && is_eui64(one.ip_address));
        Self { changed, subnets: follows.map(|one| one.subnet_id.clone()).collect() }
    }

    /// The entries that the port shall hold, without those that follow from the MAC; `None` when addresses stay as they are.
    fn requested(&self, old: &OldPort<'_>, fixed_ips: Option<&[FixedIp]>) -> Option<Vec<FixedIp>> {
        let held = |one: &Allocated| FixedIp { subnet_id: Some(one.subnet_id.clone()), ip_address: Some(one.ip_address) };
        let entries = match fixed_ips {
            Some(given) => given.to_vec(),
            None if self.changed && !self.subnets.is_empty() => old.addresses.iter().map(held).collect(),
            None => return None,
        };
        let stays = |one: &FixedIp| one.subnet_id.as_ref().is_none_or(|id| !self.subnets.contains(id));
        Some(entries.into_iter().filter(stays).collect())
    }
}

async fn apply(
    tx: &mut Tx,
    cx: &Context,
    network: &NetworkSubnets,
    old: &OldPort<'_>,
    new: &PortFacts<'_>,
    requested: &[FixedIp],
    mac: &MacChange,
) -> Result<Changes> {
    let plan = compare(network, old.addresses, requested, new, &mac.subnets);
    let considered: Vec<FixedIp> = plan
        .add
        .iter()
        .cloned()
        .chain(plan.keep.iter().map(|one| FixedIp { subnet_id: Some(one.subnet_id.clone()), ip_address: Some(one.ip_address) }))
        .collect();
    let subnets = match network.candidates(tx, new, &FixedIpsRequest::Given(considered)).await? {
        Candidates::Subnets(subnets) => subnets,
        Candidates::Deferred => Vec::new(),
    };
    let mut wanted = network.requested(tx, new, &plan.add, &subnets).await?;
    release_some(tx, old.id, &plan.remove).await?;
    // Subnets that were dealt with are left alone, but for those whose address followed from the old MAC.
    let kept = plan.keep.iter().chain(&plan.remove).map(|one| one.subnet_id.as_str()).filter(|id| !mac.subnets.contains(*id));
    let named = plan.add.iter().filter(|one| one.ip_address.is_some()).filter_map(|one| one.subnet_id.as_deref());
    let handled: Vec<&str> = kept.chain(named).collect();
    add_auto_addresses(&mut wanted, new, &subnets, &handled)?;
    let added = network.take(tx, cx, new, wanted).await?;
    store(tx, old.id, new.network_id, &added).await?;
    Ok(Changes { added, kept: plan.keep, removed: plan.remove })
}

/// The difference between what a port holds and what it shall hold.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    add: Vec<FixedIp>,
    keep: Vec<Allocated>,
    remove: Vec<Allocated>,
}

fn compare(network: &NetworkSubnets, held: &[Allocated], requested: &[FixedIp], port: &PortFacts<'_>, forced: &HashSet<String>) -> Plan {
    let mut plan = Plan::default();
    let mut left: Vec<&Allocated> = held.iter().collect();
    for one in requested {
        let Some(ip) = one.ip_address else { continue };
        match left.iter().position(|known| known.ip_address == ip) {
            Some(at) => plan.keep.push(left.remove(at).clone()),
            None => plan.add.push(one.clone()),
        }
    }
    let mut by_subnet: BTreeMap<&str, Vec<&Allocated>> = BTreeMap::new();
    for one in left {
        by_subnet.entry(&one.subnet_id).or_default().push(one);
    }
    let mut unsure: Vec<&Allocated> = Vec::new();
    for one in requested.iter().filter(|one| one.ip_address.is_none()) {
        let known = one.subnet_id.as_deref().and_then(|id| by_subnet.get_mut(id)).and_then(Vec::pop);
        match known {
            None => plan.add.push(one.clone()),
            Some(known) if is_eui64(known.ip_address) => {
                plan.add.push(one.clone());
                unsure.push(known);
            }
            Some(known) => plan.keep.push(known.clone()),
        }
    }
    for one in by_subnet.into_values().flatten().chain(unsure) {
        let subnet = network.get(&one.subnet_id);
        let chosen_by_hand = subnet.is_none_or(|subnet| !subnet.auto_address || subnet.prefix_delegated);
        if port.is_router_interface_or_snat() || chosen_by_hand || forced.contains(&one.subnet_id) {
            plan.remove.push(one.clone());
        } else {
            plan.keep.push(one.clone());
        }
    }
    plan
}

/// Addresses that the port keeps must be on segments that the new host reaches.
async fn check_host(tx: &mut Tx, network: &NetworkSubnets, old: &OldPort<'_>, new: &PortFacts<'_>) -> Result<()> {
    let valid = match network.candidates(tx, new, &FixedIpsRequest::Unspecified).await? {
        Candidates::Subnets(subnets) => subnets,
        Candidates::Deferred => Vec::new(),
    };
    if old.addresses.iter().all(|one| valid.iter().any(|subnet| subnet.id == one.subnet_id)) {
        return Ok(());
    }
    Err(errors::HOST_NOT_COMPATIBLE_WITH_FIXED_IPS
        .error(format!("Host {} is not connected to the segments of the addresses that port {} holds.", new.host, old.id)))
}
