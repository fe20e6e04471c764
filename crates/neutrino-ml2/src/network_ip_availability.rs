// SPDX-License-Identifier: Apache-2.0
//! How many addresses each network has and how many are in use.
//!
//! Owns the collection `network_ip_availabilities`, which is counted from the tables of networks, subnets, pools and allocations
//! on each request, in three statements. Writes nothing. Counts pass 2^64, which no JSON value in memory holds, so they are written as text.

use std::collections::HashMap;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery};
use neutrino_db::{Sql, Tx};
use neutrino_model::{Attribute, Extension, Methods, Record, Resource, Visibility};
use neutrino_types::cidr::Cidr;
use neutrino_types::ip::{Ip, IpVersion};
use neutrino_types::range::IpSet;
use neutrino_types::{Error, Result};
use serde_json::{Value, json};

use crate::ipam::network::stored;
use crate::subnets::errors::NETWORK_NOT_FOUND;

const COLLECTION: &str = "network_ip_availabilities";

static RESOURCE: Resource = Resource::new(
    COLLECTION,
    "network_ip_availability",
    "network-ip-availabilities",
    "",
    NETWORK_NOT_FOUND,
    &[
        Attribute::new("network_id").filter().sort().primary_key(),
        Attribute::new("network_name").filter(),
        Attribute::new("tenant_id").filter(),
        Attribute::new("total_ips").raw_json(),
        Attribute::new("used_ips").raw_json(),
        Attribute::new("subnet_ip_availability").raw_json(),
        Attribute::new("ip_version").hidden().filter(),
    ],
)
.methods(Methods::READ)
.no_bulk()
.visibility(Visibility::Admin)
.virtual_rows();

static AVAILABILITY: Extension = Extension::new(
    "network-ip-availability",
    "Network IP Availability",
    "Provides IP availability data for each network and subnet.",
    "2015-09-24T00:00:00-00:00",
)
.resources(&[&RESOURCE]);

static DETAILS: Extension = Extension::new(
    "network-ip-availability-details",
    "Network IP Availability Details Extension",
    "Add ip_availability_details attribute to network-ip-availabilities resource.",
    "2025-10-31T00:00:00-00:00",
)
.requires(&["network-ip-availability"])
.extends(&[(COLLECTION, &[Attribute::new("ip_availability_details").raw_json()])]);

/// One subnet's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Counts {
    /// Addresses of the pools; of the whole subnet when it has none.
    total: u128,
    used: u128,
    in_subnet: u128,
    in_pools: u128,
    used_in_pools: u128,
}

impl Counts {
    fn of(cidr: &Cidr, pools: &IpSet, used: &[Ip]) -> Self {
        let reserved = match cidr.version() {
            IpVersion::V4 => 2,
            IpVersion::V6 => 0,
        };
        let in_pools = pools.size();
        Self {
            total: if pools.is_empty() { cidr.size() } else { in_pools },
            used: used.len() as u128,
            in_subnet: cidr.size().saturating_sub(reserved),
            in_pools,
            used_in_pools: used.iter().filter(|ip| pools.contains(**ip)).count() as u128,
        }
    }

    fn add(&mut self, other: &Self) {
        self.total = self.total.saturating_add(other.total);
        self.used = self.used.saturating_add(other.used);
        self.in_subnet = self.in_subnet.saturating_add(other.in_subnet);
        self.in_pools = self.in_pools.saturating_add(other.in_pools);
        self.used_in_pools = self.used_in_pools.saturating_add(other.used_in_pools);
    }

    /// As JSON text.
    fn details(&self) -> String {
        object(&[
            ("total_ips_in_subnet", self.in_subnet.to_string()),
            ("total_ips_in_allocation_pool", self.in_pools.to_string()),
            ("used_ips_in_subnet", self.used.to_string()),
            ("used_ips_in_allocation_pool", self.used_in_pools.to_string()),
        ])
    }
}

/// A JSON object of values that are JSON text.
fn object(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

struct Subnet {
    id: String,
    name: String,
    cidr: Cidr,
}

struct Availability;

#[async_trait]
impl Behaviour for Availability {
    async fn rows(&self, engine: &Engine, _cx: &Context, tx: &mut Tx, _parent: Option<&str>, query: &ListQuery) -> Result<Vec<Record>> {
        let table = engine.entry(COLLECTION)?.table.clone();
        let wanted = Wanted::of(query, &table);
        let (mut records, mut subnets) = networks(tx, &table, &wanted).await?;
        let mut pools = pools(tx, &wanted).await?;
        let mut used = used(tx, &wanted).await?;
        let details = table.find("ip_availability_details").is_some();
        for record in &mut records {
            let own = subnets.remove(record.str("network_id")).unwrap_or_default();
            let mut sum = Counts::default();
            let mut shown = Vec::with_capacity(own.len());
            for subnet in own {
                let pools: IpSet = pools.remove(&subnet.id).unwrap_or_default().into_iter().collect();
                let counts = Counts::of(&subnet.cidr, &pools, &used.remove(&subnet.id).unwrap_or_default());
                let mut one = vec![
                    ("subnet_id", json!(subnet.id).to_string()),
                    ("ip_version", subnet.cidr.version().number().to_string()),
                    ("cidr", json!(subnet.cidr.to_string()).to_string()),
                    ("subnet_name", json!(subnet.name).to_string()),
                    ("used_ips", counts.used.to_string()),
                    ("total_ips", counts.total.to_string()),
                ];
                if details {
                    one.push(("ip_availability_details", counts.details()));
                }
                shown.push(object(&one));
                sum.add(&counts);
            }
            record.set("subnet_ip_availability", format!("[{}]", shown.join(", ")));
            record.set("used_ips", sum.used.to_string());
            record.set("total_ips", sum.total.to_string());
            record.set("ip_availability_details", sum.details());
        }
        Ok(records)
    }
}

/// The filters that the statements can use. The engine applies all filters to the rows afterwards.
struct Wanted {
    networks: Option<Vec<String>>,
    versions: Option<Vec<i64>>,
    /// The version as the caller wrote it.
    version_text: Value,
}

impl Wanted {
    fn of(query: &ListQuery, table: &neutrino_model::Table) -> Self {
        let texts = |values: &[Value]| values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let asked = query.filter(table, "ip_version");
        Self {
            networks: query.filter(table, "network_id").map(texts),
            versions: asked.map(|values| values.iter().filter_map(Value::as_str).filter_map(|text| text.parse().ok()).collect()),
            version_text: asked.and_then(|values| values.first().cloned()).unwrap_or(Value::Null),
        }
    }

    /// ` WHERE ...` over a column that holds a network's id, and one that holds an IP version.
    fn condition(&self, tx: &Tx, network: &str, version: &str) -> Sql {
        let networks = self.networks.as_ref().map(|ids| Sql::in_texts(tx.dialect(), network, ids.iter().map(String::as_str)));
        let versions = self.versions.as_ref().map(|numbers| Sql::in_ints(tx.dialect(), version, numbers));
        let mut sql = Sql::raw(" WHERE ");
        sql.append(Sql::join(networks.into_iter().chain(versions).collect(), " AND "));
        sql
    }
}

async fn networks(
    tx: &mut Tx,
    table: &std::sync::Arc<neutrino_model::Table>,
    wanted: &Wanted,
) -> Result<(Vec<Record>, HashMap<String, Vec<Subnet>>)> {
    let mut sql =
        Sql::raw("SELECT n.id, n.name, n.project_id, s.id, s.name, s.cidr FROM networks n LEFT JOIN subnets s ON s.network_id = n.id");
    sql.append(wanted.condition(tx, "n.id", "s.ip_version")).push(" ORDER BY n.id, s.standard_attr_id");
    let mut records: Vec<Record> = Vec::new();
    let mut subnets: HashMap<String, Vec<Subnet>> = HashMap::new();
    for row in tx.select(sql).await? {
        let id = row.text(0)?;
        if records.last().is_none_or(|last| last.str("network_id") != id) {
            let mut record = Record::new(table.clone());
            record.set("network_name", row.opt_text(1)?.unwrap_or_default());
            record.set("project_id", row.opt_text(2)?.map_or(Value::Null, Value::from));
            // Rows are those of the versions asked for already; the filter must find what it asks for.
            record.set("ip_version", wanted.version_text.clone());
            record.set("network_id", id.as_str());
            records.push(record);
        }
        if let Some(subnet_id) = row.opt_text(3)? {
            let cidr = row.opt_text(5)?.ok_or_else(|| Error::internal(format!("subnet {subnet_id} has no CIDR")))?;
            let subnet = Subnet { id: subnet_id, name: row.opt_text(4)?.unwrap_or_default(), cidr: stored(&cidr)? };
            subnets.entry(id).or_default().push(subnet);
        }
    }
    Ok((records, subnets))
}

async fn pools(tx: &mut Tx, wanted: &Wanted) -> Result<HashMap<String, Vec<neutrino_types::range::IpRange>>> {
    let mut sql = Sql::raw("SELECT p.subnet_id, p.first_ip, p.last_ip FROM ipallocationpools p JOIN subnets s ON s.id = p.subnet_id");
    sql.append(wanted.condition(tx, "s.network_id", "s.ip_version"));
    let mut found: HashMap<String, Vec<_>> = HashMap::new();
    for row in tx.select(sql).await? {
        let range = neutrino_types::range::IpRange::new(stored(&row.text(1)?)?, stored(&row.text(2)?)?);
        found.entry(row.text(0)?).or_default().extend(range);
    }
    Ok(found)
}

async fn used(tx: &mut Tx, wanted: &Wanted) -> Result<HashMap<String, Vec<Ip>>> {
    let mut sql = Sql::raw("SELECT a.subnet_id, a.ip_address FROM ipallocations a JOIN subnets s ON s.id = a.subnet_id");
    sql.append(wanted.condition(tx, "s.network_id", "s.ip_version"));
    let mut found: HashMap<String, Vec<Ip>> = HashMap::new();
    for row in tx.select(sql).await? {
        found.entry(row.text(0)?).or_default().push(stored(&row.text(1)?)?);
    }
    Ok(found)
}

pub fn register(builder: &mut Builder) {
    builder.extension(&AVAILABILITY).extension(&DETAILS).behaviour(COLLECTION, Availability);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let ip = |text: &str| text.parse::<Ip>().unwrap();
        let cidr: Cidr = "10.0.0.0/24".parse().unwrap();
        let pools: IpSet = [neutrino_types::range::IpRange::new(ip("10.0.0.2"), ip("10.0.0.254")).unwrap()].into_iter().collect();
        let counts = Counts::of(&cidr, &pools, &[ip("10.0.0.1"), ip("10.0.0.7")]);
        assert_eq!(counts, Counts { total: 253, used: 2, in_subnet: 254, in_pools: 253, used_in_pools: 1 });
        let none = Counts::of(&cidr, &IpSet::new(), &[]);
        assert_eq!((none.total, none.in_pools), (256, 0));
        let huge = Counts { in_subnet: 1 << 80, ..Counts::default() };
        assert!(huge.details().starts_with("{\"total_ips_in_subnet\": 1208925819614629174706176, "), "{}", huge.details());
    }
}
