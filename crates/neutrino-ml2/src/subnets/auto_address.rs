// SPDX-License-Identifier: Apache-2.0
//! A new subnet whose addresses follow from the MAC gives one to every port that the network has already.
//!
//! (`add_auto_addrs_on_network_ports` of Neutron, but in the transaction that makes the subnet, so that none is forgotten.)

use std::collections::{HashMap, HashSet};

use neutrino_core::Op;
use neutrino_db::{Sql, args};
use neutrino_model::Record;
use neutrino_types::Result;
use neutrino_types::ip::Ip;
use neutrino_types::mac::Mac;

use crate::ipam::allocate::{store, take_specific};
use crate::ipam::network::{Candidates, NetworkSubnets, SubnetFacts, is_auto_address, stored};
use crate::ipam::request::{Allocated, FixedIp, FixedIpsRequest, PortFacts, ROUTER_INTERFACE_OWNERS_SNAT};

struct Port {
    id: String,
    mac: Mac,
    device_owner: String,
    standard_attr_id: i64,
    host: String,
}

/// # Errors
/// The database's.
pub(super) async fn add_to_ports(op: &mut Op<'_>, record: &Record) -> Result<()> {
    if !is_auto_address(record.opt_str("ipv6_address_mode"), record.opt_str("ipv6_ra_mode")) {
        return Ok(());
    }
    let network_id = record.str("network_id");
    let ports = ports_of(op, network_id).await?;
    if ports.is_empty() {
        return Ok(());
    }
    let network = NetworkSubnets::load(op.tx, network_id).await?;
    let Some(subnet) = network.get(record.id()) else { return Ok(()) };
    let mut held = fixed_ips_of(op, network_id).await?;
    let taken = taken(op, subnet).await?;
    for port in &ports {
        let Some(ip) = port.mac.eui64_address(&subnet.cidr).filter(|ip| !taken.contains(ip)) else { continue };
        let facts = PortFacts { network_id, device_owner: &port.device_owner, mac: port.mac, host: &port.host };
        let request = FixedIpsRequest::Given(held.remove(&port.id).unwrap_or_default());
        // A port that no subnet of this network serves is no reason to refuse the new subnet.
        let Ok(Candidates::Subnets(candidates)) = network.candidates(op.tx, &facts, &request).await else { continue };
        if !candidates.iter().any(|candidate| candidate.id == subnet.id) {
            continue;
        }
        take_specific(op.tx, subnet, ip).await?;
        store(op.tx, &port.id, network_id, &[Allocated { subnet_id: subnet.id.clone(), ip_address: ip }]).await?;
        op.touch(port.standard_attr_id);
    }
    Ok(())
}

async fn ports_of(op: &mut Op<'_>, network_id: &str) -> Result<Vec<Port>> {
    let mut sql = Sql::new(
        "SELECT p.id, p.mac_address, p.device_owner, p.standard_attr_id, b.host FROM ports p \
         LEFT JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' WHERE p.network_id = ? AND NOT (",
        args![network_id],
    );
    sql.append(Sql::in_texts(op.tx.dialect(), "p.device_owner", ROUTER_INTERFACE_OWNERS_SNAT)).push(") ORDER BY p.id");
    let mut ports = Vec::new();
    for row in op.tx.select(sql).await? {
        ports.push(Port {
            id: row.text(0)?,
            mac: stored(&row.text(1)?)?,
            device_owner: row.text(2)?,
            standard_attr_id: row.int(3)?,
            host: row.opt_text(4)?.unwrap_or_default(),
        });
    }
    Ok(ports)
}

async fn fixed_ips_of(op: &mut Op<'_>, network_id: &str) -> Result<HashMap<String, Vec<FixedIp>>> {
    let text = "SELECT port_id, subnet_id, ip_address FROM ipallocations WHERE network_id = ? AND port_id IS NOT NULL";
    let mut found: HashMap<String, Vec<FixedIp>> = HashMap::new();
    for row in op.tx.query(text, args![network_id]).await? {
        let one = FixedIp { subnet_id: Some(row.text(1)?), ip_address: Some(stored(&row.text(2)?)?) };
        found.entry(row.text(0)?).or_default().push(one);
    }
    Ok(found)
}

/// What is taken on the new subnet already: another feature's rows of this same transaction.
async fn taken(op: &mut Op<'_>, subnet: &SubnetFacts) -> Result<HashSet<Ip>> {
    let rows = op.tx.query("SELECT ip_address FROM ipamallocations WHERE ipam_subnet_id = ?", args![&subnet.ipam_id]).await?;
    rows.iter().map(|row| stored(&row.text(0)?)).collect()
}
