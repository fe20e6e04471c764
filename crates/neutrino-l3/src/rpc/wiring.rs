// SPDX-License-Identifier: Apache-2.0
//! What an agent must know beside a router's port: the subnets of its network, their address scopes, and the MTU.

use std::collections::{BTreeSet, HashMap};

use neutrino_db::{Sql, Tx};
use neutrino_types::{Result, cidr::Cidr};
use serde_json::{Value, json};

use super::objects::{Object, text};
use crate::routers::GATEWAY;

struct Subnet {
    id: String,
    cidr: String,
    scope: Option<String>,
    segment: Option<String>,
    shown: Value,
}

impl Subnet {
    fn is_v6(&self) -> bool {
        self.cidr.contains(':')
    }
}

/// Networks as ports need them.
#[derive(Default)]
struct Networks {
    subnets: HashMap<String, Vec<Subnet>>,
    mtus: HashMap<String, i64>,
}

/// Adds `subnets`, `extra_subnets`, `address_scopes`, `mtu` and the prefix lengths of addresses to ports that have addresses. Three
/// statements. `by_segment`: a gateway on a routed network reaches only the subnets of its segment.
///
/// # Errors
/// The database's.
pub async fn fill(tx: &mut Tx, by_segment: bool, ports: &mut [&mut Object]) -> Result<()> {
    let wanted: BTreeSet<String> =
        ports.iter().filter(|port| !addresses(port).is_empty()).map(|port| text(port, "network_id").to_owned()).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let networks = load(tx, &wanted).await?;
    for port in ports.iter_mut().filter(|port| !addresses(port).is_empty()) {
        wire(port, &networks, by_segment);
    }
    Ok(())
}

fn addresses(port: &Object) -> &[Value] {
    port.get("fixed_ips").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

async fn load(tx: &mut Tx, ids: &BTreeSet<String>) -> Result<Networks> {
    let of = |tx: &Tx, column: &str| Sql::in_texts(tx.dialect(), column, ids.iter().map(String::as_str));
    let mut servers: HashMap<String, Vec<String>> = HashMap::new();
    let mut sql = Sql::raw("SELECT d.subnet_id, d.address FROM dnsnameservers d JOIN subnets s ON s.id = d.subnet_id WHERE ");
    sql.append(of(tx, "s.network_id")).push(" ORDER BY d.subnet_id, d.\"order\"");
    for row in tx.select(sql).await? {
        servers.entry(row.text(0)?).or_default().push(row.text(1)?);
    }
    let mut networks = Networks::default();
    let mut sql = Sql::raw(
        "SELECT s.network_id, s.id, s.cidr, s.gateway_ip, s.ipv6_ra_mode, s.subnetpool_id, s.segment_id, o.address_scope_id \
         FROM subnets s LEFT JOIN subnetpools o ON o.id = s.subnetpool_id WHERE ",
    );
    sql.append(of(tx, "s.network_id")).push(" ORDER BY s.standard_attr_id");
    for row in tx.select(sql).await? {
        let (id, cidr) = (row.text(1)?, row.text(2)?);
        let shown = json!({
            "id": id, "cidr": cidr, "gateway_ip": row.opt_text(3)?, "dns_nameservers": servers.remove(&id).unwrap_or_default(),
            "ipv6_ra_mode": row.opt_text(4)?, "subnetpool_id": row.opt_text(5)?,
        });
        let subnet = Subnet { id, cidr, scope: row.opt_text(7)?, segment: row.opt_text(6)?, shown };
        networks.subnets.entry(row.text(0)?).or_default().push(subnet);
    }
    let mut sql = Sql::raw("SELECT id, mtu FROM networks WHERE ");
    sql.append(of(tx, "id"));
    for row in tx.select(sql).await? {
        networks.mtus.insert(row.text(0)?, row.opt_int(1)?.unwrap_or_default());
    }
    Ok(networks)
}

fn wire(port: &mut Object, networks: &Networks, by_segment: bool) {
    let network_id = text(port, "network_id").to_owned();
    let is_gateway = by_segment && text(port, "device_owner") == GATEWAY;
    let all = networks.subnets.get(&network_id).map_or(&[][..], Vec::as_slice);
    let first = addresses(port).first().and_then(|entry| entry["subnet_id"].as_str());
    let segment = all.iter().find(|subnet| Some(subnet.id.as_str()) == first).and_then(|subnet| subnet.segment.clone());
    let (mut own, mut extra) = (Vec::new(), Vec::new());
    let mut scopes = json!({"4": null, "6": null});
    for subnet in all {
        scopes[if subnet.is_v6() { "6" } else { "4" }] = subnet.scope.clone().into();
        let prefix = subnet.cidr.parse::<Cidr>().map(|cidr| cidr.prefixlen()).unwrap_or_default();
        let mut used = false;
        for entry in port.get_mut("fixed_ips").and_then(Value::as_array_mut).into_iter().flatten() {
            if entry["subnet_id"].as_str() == Some(subnet.id.as_str()) {
                entry["prefixlen"] = prefix.into();
                used = true;
            }
        }
        if used {
            own.push(subnet.shown.clone());
        } else if !is_gateway || subnet.segment == segment {
            extra.push(subnet.shown.clone());
        }
    }
    port.insert("subnets".to_owned(), own.into());
    port.insert("extra_subnets".to_owned(), extra.into());
    port.insert("address_scopes".to_owned(), scopes);
    port.insert("mtu".to_owned(), networks.mtus.get(&network_id).copied().unwrap_or_default().into());
}
