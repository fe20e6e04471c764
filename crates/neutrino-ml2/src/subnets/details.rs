// SPDX-License-Identifier: Apache-2.0
//! What a subnet has many of: allocation pools, DNS servers, host routes, service types.
//!
//! Owns the tables `dnsnameservers`, `subnetroutes`, `subnet_service_types`, and the loading of all four lists for a page, in one
//! statement. Pools are written by [`crate::ipam::records`]. Order: pools by address, DNS servers as they were given, the rest by text.

use async_trait::async_trait;
use neutrino_core::{Loader, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, Tx, args};
use neutrino_model::{Body, Page};
use neutrino_types::Result;
use neutrino_types::ip::Ip;
use neutrino_types::range::IpRange;
use serde_json::{Value, json};

use crate::ipam::network::stored;

const FILLS: &[&str] = &["allocation_pools", "dns_nameservers", "host_routes", "service_types"];

pub(super) struct Details;

#[async_trait]
impl Loader for Details {
    fn fills(&self) -> &'static [&'static str] {
        FILLS
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        Some(statement(dialect, page))
    }

    fn fill(&self, page: &mut Page, found: Vec<Row>) -> Result<()> {
        for name in FILLS {
            page.fill(name, &json!([]));
        }
        let by_id = page.by_id();
        let mut rows: Vec<(i64, String, i64, String, Option<String>)> = Vec::new();
        for row in found {
            rows.push((row.int(0)?, row.text(1)?, row.int(4)?, row.text(2)?, row.opt_text(3)?));
        }
        rows.sort_unstable();
        let mut pools: Vec<(usize, IpRange)> = Vec::new();
        for (kind, subnet_id, _, first, second) in rows {
            let Some(at) = by_id.get(&subnet_id).copied() else { continue };
            match (kind, second) {
                (0, Some(last)) => pools.extend(IpRange::new(stored(&first)?, stored(&last)?).map(|range| (at, range))),
                (1, _) => page.push(at, "dns_nameservers", first.into()),
                (2, nexthop) => page.push(at, "host_routes", json!({"destination": first, "nexthop": nexthop})),
                _ => page.push(at, "service_types", first.into()),
            }
        }
        pools.sort_unstable();
        for (at, range) in pools {
            page.push(at, "allocation_pools", pool_json(&range));
        }
        Ok(())
    }
}

/// The parts that the page wants, each with: kind, subnet, two values, order.
fn statement(dialect: Dialect, page: &Page) -> Sql {
    const PARTS: [(&str, &str); 4] = [
        ("allocation_pools", "SELECT 0, subnet_id, first_ip, last_ip, 0 FROM ipallocationpools WHERE "),
        ("dns_nameservers", "SELECT 1, subnet_id, address, NULL, \"order\" FROM dnsnameservers WHERE "),
        ("host_routes", "SELECT 2, subnet_id, destination, nexthop, 0 FROM subnetroutes WHERE "),
        ("service_types", "SELECT 3, subnet_id, service_type, NULL, 0 FROM subnet_service_types WHERE "),
    ];
    let mut sql = Sql::default();
    for (name, text) in PARTS.iter().filter(|(name, _)| page.wants(&[name])) {
        if !sql.text.is_empty() {
            sql.push(" UNION ALL ");
        }
        debug_assert!(FILLS.contains(name), "every part fills an attribute");
        sql.push(text).append(of_page(dialect, "subnet_id", page));
    }
    sql
}

/// A pool as the API shows it.
pub(crate) fn pool_json(range: &IpRange) -> Value {
    json!({"start": range.first().to_string(), "end": range.last().to_string()})
}

/// The texts of a list; `None` when the body has none.
pub(super) fn texts(body: &Body, name: &str) -> Option<Vec<String>> {
    body.list(name).map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// Two texts of every object of a list; `None` when the body has none.
pub(super) fn pairs(body: &Body, name: &str, keys: [&str; 2]) -> Option<Vec<(String, String)>> {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    body.list(name).map(|list| list.iter().map(|one| (text(one, keys[0]), text(one, keys[1]))).collect())
}

pub(super) fn host_routes(body: &Body) -> Option<Vec<(String, String)>> {
    pairs(body, "host_routes", ["destination", "nexthop"])
}

/// Writes the lists that the body has in the place of what is there. A new subnet has nothing there.
pub(super) async fn write(tx: &mut Tx, subnet_id: &str, body: &Body, is_new: bool) -> Result<()> {
    if let Some(servers) = texts(body, "dns_nameservers") {
        clear(tx, "dnsnameservers", subnet_id, is_new).await?;
        for (order, server) in servers.iter().enumerate() {
            let order = i64::try_from(order).unwrap_or(i64::MAX);
            tx.execute("INSERT INTO dnsnameservers (address, subnet_id, \"order\") VALUES (?, ?, ?)", args![server, subnet_id, order])
                .await?;
        }
    }
    if let Some(routes) = host_routes(body) {
        clear(tx, "subnetroutes", subnet_id, is_new).await?;
        for (destination, nexthop) in routes {
            let nexthop: Ip = nexthop.parse()?;
            let text = "INSERT INTO subnetroutes (destination, nexthop, subnet_id) VALUES (?, ?, ?)";
            tx.execute(text, args![destination, nexthop.to_string(), subnet_id]).await?;
        }
    }
    if let Some(types) = texts(body, "service_types") {
        clear(tx, "subnet_service_types", subnet_id, is_new).await?;
        for service_type in types {
            let text = "INSERT INTO subnet_service_types (subnet_id, service_type) VALUES (?, ?)";
            tx.execute(text, args![subnet_id, service_type]).await?;
        }
    }
    Ok(())
}

async fn clear(tx: &mut Tx, table: &str, subnet_id: &str, is_new: bool) -> Result<()> {
    if !is_new {
        tx.execute(&format!("DELETE FROM {table} WHERE subnet_id = ?"), args![subnet_id]).await?;
    }
    Ok(())
}
