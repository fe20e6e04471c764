// SPDX-License-Identifier: Apache-2.0
//! What the database says of a segment's IPv4 addresses.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_core::Engine;
use neutrino_db::{Sql, args};
use neutrino_types::{Result, ip::Ip};

use super::queue::Waiting;

/// See the module's documentation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Addresses in pools, and those of gateways; 0 when the segment has none to be reported.
    pub total: u64,
    pub reserved: u64,
    /// Who reaches the segment.
    pub hosts: BTreeSet<String>,
}

struct Subnet {
    pools: u64,
    has_gateway: bool,
    dhcp: bool,
}

fn size(first: &str, last: &str) -> u64 {
    let number = |text: &str| text.parse::<Ip>().ok().map(|ip| ip.value());
    match (number(first), number(last)) {
        (Some(first), Some(last)) if last >= first => u64::try_from(last - first + 1).unwrap_or(u64::MAX),
        _ => 0,
    }
}

fn sums(subnets: &[Subnet], ports: u64) -> (u64, u64) {
    let used = || subnets.iter().filter(|subnet| subnet.pools > 0);
    let total = used().map(|subnet| subnet.pools + u64::from(subnet.has_gateway)).sum();
    let reserved: u64 = used().map(|subnet| u64::from(subnet.has_gateway) + u64::from(subnet.dhcp)).sum();
    (total, reserved + ports)
}

/// Counts; four statements, whatever the segment has.
///
/// # Errors
/// The database's.
pub async fn of_segment(engine: &Engine, segment: &str) -> Result<Facts> {
    let mut tx = engine.db.reader().await?;
    let sql = "SELECT id, gateway_ip, enable_dhcp FROM subnets WHERE segment_id = ? AND ip_version = 4";
    let mut subnets = BTreeMap::new();
    for row in tx.query(sql, args![segment]).await? {
        let has_gateway = row.opt_text(1)?.is_some_and(|gateway| !gateway.is_empty());
        subnets.insert(row.text(0)?, Subnet { pools: 0, has_gateway, dhcp: row.bool(2)? });
    }
    if subnets.is_empty() {
        return Ok(Facts::default());
    }
    let sql = "SELECT p.subnet_id, p.first_ip, p.last_ip FROM ipallocationpools p JOIN subnets s ON s.id = p.subnet_id \
               WHERE s.segment_id = ? AND s.ip_version = 4";
    for row in tx.query(sql, args![segment]).await? {
        if let Some(subnet) = subnets.get_mut(&row.text(0)?) {
            subnet.pools = subnet.pools.saturating_add(size(&row.text(1)?, &row.text(2)?));
        }
    }
    let sql = "SELECT count(*) FROM ipallocations a JOIN ports p ON p.id = a.port_id JOIN subnets s ON s.id = a.subnet_id \
               WHERE s.segment_id = ? AND s.ip_version = 4 AND p.device_owner NOT LIKE 'compute:%' AND p.device_owner <> 'network:dhcp'";
    let ports = u64::try_from(tx.count(sql, args![segment]).await?).unwrap_or_default();
    let rows = tx.query("SELECT host FROM segmenthostmappings WHERE segment_id = ?", args![segment]).await?;
    let hosts = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    let (total, reserved) = sums(&subnets.into_values().collect::<Vec<_>>(), ports);
    Ok(Facts { total, reserved, hosts })
}

/// The segments that a batch concerns.
///
/// # Errors
/// The database's.
pub async fn segments(engine: &Engine, waiting: &Waiting) -> Result<BTreeMap<String, bool>> {
    let mut found = waiting.segments.clone();
    let mut tx = engine.db.reader().await?;
    let by_subnet = ("SELECT DISTINCT s.segment_id FROM subnets s WHERE s.segment_id IS NOT NULL AND ", "s.id", &waiting.subnets);
    let by_port = (
        "SELECT DISTINCT s.segment_id FROM subnets s JOIN ipallocations a ON a.subnet_id = s.id WHERE s.segment_id IS NOT NULL AND ",
        "a.port_id",
        &waiting.ports,
    );
    for (text, column, ids) in [by_subnet, by_port] {
        if !ids.is_empty() {
            let mut sql = Sql::raw(text);
            sql.append(Sql::in_texts(tx.dialect(), column, ids.iter().map(String::as_str)));
            for row in tx.select(sql).await? {
                found.entry(row.text(0)?).or_default();
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gateways_and_dhcp_servers_are_reserved_where_there_is_a_pool() {
        let subnet = |pools, has_gateway, dhcp| Subnet { pools, has_gateway, dhcp };
        assert_eq!(size("10.0.0.2", "10.0.0.254"), 253);
        assert_eq!(sums(&[subnet(253, true, true)], 2), (254, 4));
        assert_eq!(sums(&[subnet(253, false, false), subnet(0, true, true)], 0), (253, 0));
    }
}
