// SPDX-License-Identifier: Apache-2.0
//! Addresses of ports on a real SQLite file in Neutron's schema.

use std::sync::atomic::Ordering;

use neutrino_core::Context;
use neutrino_db::{Db, DbOptions, Tx, args};
use neutrino_types::Result;
use neutrino_types::mac::Mac;
use tempfile::TempDir;

use super::allocate::{addresses_of, allocate_for_port, release, store};
use super::request::{Allocated, Allocation, Changes, FixedIp, FixedIpsRequest, IpAllocation, PortFacts};
use super::update::{OldPort, update_for_port};
use super::{pools, records};

const NET: &str = "net";
const ANY: FixedIpsRequest = FixedIpsRequest::Unspecified;
const MAC: &str = "fa:16:3e:00:00:01";

struct World {
    _folder: TempDir,
    db: Db,
    cx: Context,
}

impl World {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:///{}", folder.path().join("neutron.sqlite").display());
        let db = Db::connect(&url, &DbOptions::default()).await.unwrap();
        neutrino_schema::upgrade(&db).await.unwrap();
        let world = Self { _folder: folder, db, cx: Context::internal("test") };
        let mut tx = world.db.begin().await.unwrap();
        let attr = standard(&mut tx, "networks").await;
        let text = "INSERT INTO networks (id, standard_attr_id, mtu, admin_state_up) VALUES (?, ?, 1500, ?)";
        tx.execute(text, args![NET, attr, true]).await.unwrap();
        tx.commit().await.unwrap();
        world
    }

    /// A subnet with default pools and gateway. `mode` is its IPv6 address mode.
    async fn subnet(&self, id: &str, cidr: &str, mode: Option<&str>) {
        let mut tx = self.db.begin().await.unwrap();
        let attr = standard(&mut tx, "subnets").await;
        let network = cidr.parse().unwrap();
        let gateway = pools::default_gateway(&network);
        let version = network.version().number();
        let text = "INSERT INTO subnets (id, network_id, ip_version, cidr, gateway_ip, enable_dhcp, ipv6_address_mode, ipv6_ra_mode, standard_attr_id) \
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let args = args![id, NET, version, network.to_string(), gateway.map(|ip| ip.to_string()), true, mode, mode, attr];
        tx.execute(text, args).await.unwrap();
        records::create(&mut tx, &self.cx, id, &pools::generate_pools(&network, gateway)).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Creates a port with addresses, as the ports' feature does.
    async fn port(&self, id: &str, owner: &str, request: &FixedIpsRequest) -> Result<Allocation> {
        let mut tx = self.db.begin().await?;
        let mac = Mac::random_under(MAC.parse().unwrap(), self.cx.random());
        let facts = PortFacts { network_id: NET, device_owner: owner, mac, host: "" };
        let allocation = allocate_for_port(&mut tx, &self.cx, &facts, request).await?;
        let attr = standard(&mut tx, "ports").await;
        tx.execute(
            "INSERT INTO ports (id, network_id, mac_address, admin_state_up, status, device_id, device_owner, standard_attr_id) \
             VALUES (?, ?, ?, ?, 'DOWN', '', ?, ?)",
            args![id, NET, mac.to_string(), true, owner, attr],
        )
        .await?;
        store(&mut tx, id, NET, &allocation.addresses).await?;
        tx.commit().await?;
        Ok(allocation)
    }

    /// Takes a port away; what it held.
    async fn goes(&self, tx: &mut Tx, id: &str) -> Vec<Allocated> {
        let held = addresses_of(tx, id).await.unwrap();
        release(tx, &held).await.unwrap();
        tx.execute("DELETE FROM ports WHERE id = ?", args![id]).await.unwrap();
        held
    }

    async fn update(&self, id: &str, owner: &str, mac: Option<&str>, fixed: Option<&[FixedIp]>) -> Result<Changes> {
        let mut tx = self.db.begin().await?;
        let row = tx.query_one("SELECT mac_address FROM ports WHERE id = ?", args![id]).await?.unwrap();
        let old_mac: Mac = row.text(0)?.parse().unwrap();
        let addresses = addresses_of(&mut tx, id).await?;
        let old = OldPort { id, host: "", mac: old_mac, deferred: false, addresses: &addresses };
        let new = PortFacts { network_id: NET, device_owner: owner, mac: mac.map_or(old_mac, |m| m.parse().unwrap()), host: "" };
        let changes = update_for_port(&mut tx, &self.cx, &old, &new, fixed).await?;
        let mut stored = addresses_of(&mut tx, id).await?;
        let mut said = changes.addresses();
        stored.sort();
        said.sort();
        assert_eq!(stored, said, "what the update says is what is stored");
        tx.commit().await?;
        Ok(changes)
    }

    /// Every address in one table has its twin in the other.
    async fn assert_twins(&self) {
        let mut tx = self.db.reader().await.unwrap();
        let both = "SELECT a.ip_address FROM ipallocations a JOIN ipamsubnets i ON i.neutron_subnet_id = a.subnet_id \
                    JOIN ipamallocations m ON m.ipam_subnet_id = i.id AND m.ip_address = a.ip_address";
        let twins = tx.query(both, vec![]).await.unwrap().len() as i64;
        assert_eq!(twins, tx.count("SELECT count(*) FROM ipallocations", vec![]).await.unwrap());
        assert_eq!(twins, tx.count("SELECT count(*) FROM ipamallocations", vec![]).await.unwrap());
    }
}

async fn standard(tx: &mut Tx, kind: &str) -> i64 {
    tx.insert_returning_id("INSERT INTO standardattributes (resource_type, revision_number) VALUES (?, 0)", args![kind]).await.unwrap()
}

fn fixed(entries: &[(Option<&str>, Option<&str>)]) -> Vec<FixedIp> {
    let one = |(id, ip): &(Option<&str>, Option<&str>)| FixedIp {
        subnet_id: id.map(str::to_owned),
        ip_address: ip.map(|ip| ip.parse().unwrap()),
    };
    entries.iter().map(one).collect()
}

fn given(entries: &[(Option<&str>, Option<&str>)]) -> FixedIpsRequest {
    FixedIpsRequest::Given(fixed(entries))
}

fn subnets_of(addresses: &[Allocated]) -> Vec<&str> {
    let mut found: Vec<&str> = addresses.iter().map(|one| one.subnet_id.as_str()).collect();
    found.sort_unstable();
    found
}

fn name<T: std::fmt::Debug>(result: Result<T>) -> &'static str {
    result.unwrap_err().kind().name
}

#[tokio::test]
async fn one_of_each_version_and_every_auto_address() {
    let world = World::new().await;
    world.subnet("v4a", "10.0.0.0/24", None).await;
    world.subnet("v4b", "10.1.0.0/24", None).await;
    world.subnet("v6", "fd00::/64", Some("dhcpv6-stateful")).await;
    world.subnet("slaac", "fd01::/64", Some("slaac")).await;
    world.subnet("less", "fd02::/64", Some("dhcpv6-stateless")).await;
    let got = world.port("p1", "compute:nova", &ANY).await.unwrap();
    assert_eq!(subnets_of(&got.addresses), ["less", "slaac", "v4a", "v6"]);
    assert_eq!(got.mode, IpAllocation::Immediate);
    let router = world.port("p2", "network:router_interface", &ANY).await.unwrap();
    assert_eq!(subnets_of(&router.addresses), ["v4a", "v6"]);
    let dhcp = world.port("p3", "network:dhcp", &ANY).await.unwrap();
    assert!(dhcp.addresses.iter().any(|one| one.ip_address.to_string() == "10.0.0.2"));
    world.assert_twins().await;
}

#[tokio::test]
async fn requests_are_checked() {
    let world = World::new().await;
    world.subnet("v4", "10.0.0.0/24", None).await;
    world.subnet("slaac", "fd01::/64", Some("slaac")).await;
    let try_one = async |id: &str, owner: &str, entries: &[(Option<&str>, Option<&str>)]| world.port(id, owner, &given(entries)).await;
    let owner = "compute:nova";
    assert_eq!(subnets_of(&try_one("ok", owner, &[(None, Some("10.0.0.77"))]).await.unwrap().addresses), ["slaac", "v4"]);
    assert_eq!(name(try_one("a", owner, &[(None, Some("10.0.0.77"))]).await), "IpAddressAlreadyAllocated");
    assert_eq!(name(try_one("a", owner, &[(None, Some("10.9.0.77"))]).await), "InvalidIpForNetwork");
    assert_eq!(name(try_one("a", owner, &[(Some("v4"), Some("10.9.0.77"))]).await), "InvalidIpForSubnet");
    assert_eq!(name(try_one("a", owner, &[(Some("v4"), Some("10.0.0.255"))]).await), "InvalidIpForSubnet");
    assert_eq!(name(try_one("a", owner, &[(Some("gone"), None)]).await), "SubnetNotFound");
    assert_eq!(name(try_one("a", owner, &[(None, None)]).await), "InvalidInput");
    assert_eq!(name(try_one("a", owner, &[(Some("slaac"), Some("fd01::5"))]).await), "AllocationOnAutoAddressSubnet");
    assert_eq!(try_one("r", "network:router_interface", &[(Some("slaac"), Some("fd01::5"))]).await.unwrap().addresses.len(), 1);
    // Outside of the pools but inside of the subnet.
    assert_eq!(try_one("gw", owner, &[(None, Some("10.0.0.1"))]).await.unwrap().addresses.len(), 2);
    let none = try_one("none", "network:router_interface", &[]).await.unwrap();
    assert_eq!((none.addresses.len(), none.mode), (0, IpAllocation::None));
    world.assert_twins().await;
}

#[tokio::test]
async fn a_network_without_subnets_gives_no_address() {
    let world = World::new().await;
    let got = world.port("p", "compute:nova", &ANY).await.unwrap();
    assert_eq!((got.addresses.len(), got.mode), (0, IpAllocation::Immediate));
    assert_eq!(name(world.port("q", "compute:nova", &given(&[(None, Some("10.0.0.1"))])).await), "InvalidInput");
}

#[tokio::test]
async fn the_last_address_is_found_and_then_no_more() {
    let world = World::new().await;
    world.subnet("small", "10.0.0.0/29", None).await;
    world.subnet("next", "10.0.1.0/30", None).await;
    let mut seen = Vec::new();
    for n in 0..6 {
        let got = world.port(&format!("p{n}"), "compute:nova", &ANY).await.unwrap();
        seen.extend(got.addresses.into_iter().map(|one| one.ip_address.to_string()));
    }
    seen.sort();
    assert_eq!(seen, ["10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.1.2"]);
    assert_eq!(name(world.port("p9", "compute:nova", &ANY).await), "IpAddressGenerationFailure");
    let mut tx = world.db.begin().await.unwrap();
    let freed = world.goes(&mut tx, "p3").await;
    tx.commit().await.unwrap();
    assert_eq!(world.port("p10", "compute:nova", &ANY).await.unwrap().addresses, freed);
    world.assert_twins().await;
}

#[tokio::test]
async fn a_new_mac_moves_the_addresses_that_follow_from_it() {
    let world = World::new().await;
    world.subnet("v4", "10.0.0.0/24", None).await;
    world.subnet("slaac", "fd01::/64", Some("slaac")).await;
    let before = world.port("p", "compute:nova", &ANY).await.unwrap().addresses;
    let changes = world.update("p", "compute:nova", Some("00:16:3e:33:44:55"), None).await.unwrap();
    assert_eq!(changes.kept, before.iter().filter(|one| one.subnet_id == "v4").cloned().collect::<Vec<_>>());
    assert_eq!(subnets_of(&changes.removed), ["slaac"]);
    assert_eq!(changes.added.iter().map(|one| one.ip_address.to_string()).collect::<Vec<_>>(), ["fd01::216:3eff:fe33:4455"]);
    world.assert_twins().await;
}

#[tokio::test]
async fn updates_add_keep_and_remove() {
    let world = World::new().await;
    world.subnet("a", "10.0.0.0/24", None).await;
    world.subnet("b", "10.1.0.0/24", None).await;
    world.subnet("slaac", "fd01::/64", Some("slaac")).await;
    world.port("p", "compute:nova", &given(&[(None, Some("10.0.0.9"))])).await.unwrap();
    let owner = "compute:nova";
    // The same address, and one of the other subnet.
    let changes = world.update("p", owner, None, Some(&fixed(&[(None, Some("10.0.0.9")), (Some("b"), None)]))).await.unwrap();
    assert_eq!((subnets_of(&changes.kept), subnets_of(&changes.added)), (vec!["a", "slaac"], vec!["b"]));
    // A subnet alone keeps the address that is there.
    let changes = world.update("p", owner, None, Some(&fixed(&[(Some("a"), None)]))).await.unwrap();
    assert_eq!((subnets_of(&changes.kept), subnets_of(&changes.removed)), (vec!["a", "slaac"], vec!["b"]));
    // An auto address stays even when nothing is asked for.
    let changes = world.update("p", owner, None, Some(&[])).await.unwrap();
    assert_eq!((subnets_of(&changes.kept), subnets_of(&changes.removed)), (vec!["slaac"], vec!["a"]));
    assert_eq!(world.update("p", owner, None, None).await.unwrap().kept.len(), 1);
    world.assert_twins().await;
}

/// A refused update writes nothing, and the price of a port does not grow with the subnet.
#[tokio::test]
async fn refusals_leave_nothing_and_the_price_is_constant() {
    let world = World::new().await;
    world.subnet("v4", "10.0.0.0/16", None).await;
    let price = async |id: &str| {
        let before = world.db.stats().statements.load(Ordering::Relaxed);
        world.port(id, "compute:nova", &ANY).await.unwrap();
        world.db.stats().statements.load(Ordering::Relaxed) - before
    };
    let first = price("p0").await;
    for n in 1..150 {
        world.port(&format!("p{n}"), "compute:nova", &ANY).await.unwrap();
    }
    assert_eq!(price("p150").await, first);
    assert!(
        world.update("p0", "compute:nova", None, Some(&fixed(&[(None, Some("10.7.7.7")), (None, Some("192.168.0.1"))]))).await.is_err()
    );
    world.assert_twins().await;
}

/// What Neutron itself wrote: a key of its own in `ipamsubnets`.
#[tokio::test]
async fn subnets_made_by_neutron_are_found() {
    let world = World::new().await;
    world.subnet("v4", "10.0.0.0/24", None).await;
    let mut tx = world.db.begin().await.unwrap();
    tx.execute("INSERT INTO ipamsubnets (id, neutron_subnet_id) VALUES ('other', 'v4')", vec![]).await.unwrap();
    tx.execute("UPDATE ipamallocationpools SET ipam_subnet_id = 'other'", vec![]).await.unwrap();
    tx.execute("DELETE FROM ipamsubnets WHERE id = 'v4'", vec![]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.port("p", "compute:nova", &ANY).await.unwrap().addresses.len(), 1);
    world.assert_twins().await;
    let mut tx = world.db.begin().await.unwrap();
    world.goes(&mut tx, "p").await;
    records::replace_pools(&mut tx, &world.cx, "v4", &[]).await.unwrap();
    assert_eq!(tx.count("SELECT count(*) FROM ipamallocations", vec![]).await.unwrap(), 0);
    assert_eq!(tx.count("SELECT count(*) FROM ipamallocationpools", vec![]).await.unwrap(), 0);
    records::remove(&mut tx, "v4").await.unwrap();
    assert_eq!(tx.count("SELECT count(*) FROM ipamsubnets", vec![]).await.unwrap(), 0);
}

/// Handlers run as tasks, so what they await must be sendable.
#[tokio::test]
async fn allocation_can_run_in_a_task() {
    let world = World::new().await;
    tokio::spawn(async move { world.port("p", "compute:nova", &ANY).await.map(drop) }).await.unwrap().unwrap();
}
