// SPDX-License-Identifier: Apache-2.0
//! The attribute `fixed_ips`: what a request asks for, what a port holds, and how lists are filtered by it.
//!
//! Owns no address: `ipam` chooses, writes and frees them.

use async_trait::async_trait;
use neutrino_core::{Context, Loader, loading::of_page};
use neutrino_db::{Arg, Dialect, Row, Sql, Tx};
use neutrino_model::{Page, Record, record::object};
use neutrino_types::{Error, Result, error::kinds, ip::Ip};
use serde_json::{Value, json};

use crate::ipam::request::{Allocated, FixedIp};

/// More addresses than this on one port are refused: each costs rows and statements, and no network has so many subnets.
const MAX_FIXED_IPS: usize = 256;

/// The entries of a request, whose form the attribute's validator has checked.
///
/// # Errors
/// `InvalidInput` for an address that is none or for too many of them.
pub fn requested(entries: &[Value]) -> Result<Vec<FixedIp>> {
    if entries.len() > MAX_FIXED_IPS {
        return Err(kinds::INVALID_INPUT.error(format!("A port can have at most {MAX_FIXED_IPS} fixed IPs.")));
    }
    entries.iter().map(entry).collect()
}

fn entry(entry: &Value) -> Result<FixedIp> {
    let address = match entry["ip_address"].as_str() {
        None => None,
        Some(text) => Some(text.parse::<Ip>().map_err(|_| kinds::INVALID_INPUT.error("An ip_address of fixed_ips is no IP address."))?),
    };
    Ok(FixedIp { subnet_id: entry["subnet_id"].as_str().map(str::to_owned), ip_address: address })
}

/// The addresses of a loaded port.
///
/// # Errors
/// Internal, when the database holds what is no address.
pub fn held(port: &Record) -> Result<Vec<Allocated>> {
    let one = |entry: &Value| {
        let (subnet, address) = (entry["subnet_id"].as_str(), entry["ip_address"].as_str());
        match (subnet, address.map(str::parse::<Ip>)) {
            (Some(subnet), Some(Ok(address))) => Ok(Allocated { subnet_id: subnet.to_owned(), ip_address: address }),
            _ => Err(Error::internal(format!("port {} holds the unreadable address {entry}", port.id()))),
        }
    };
    port.list("fixed_ips").iter().map(one).collect()
}

/// Fills `fixed_ips`, in Neutron's order: by the text of the address, then by subnet.
pub struct FixedIps;

#[async_trait]
impl Loader for FixedIps {
    fn fills(&self) -> &'static [&'static str] {
        &["fixed_ips"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT port_id, subnet_id, ip_address FROM ipallocations WHERE ");
        sql.append(of_page(dialect, "port_id", page));
        sql.push(" ORDER BY ip_address, subnet_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill("fixed_ips", &json!([]));
        for mut row in rows {
            if let Some(at) = place.get(row.str(0)?) {
                let entry = object([("subnet_id", row.take_text(1)?.into()), ("ip_address", row.take_text(2)?.into())]);
                page.push(*at, "fixed_ips", entry);
            }
        }
        Ok(())
    }

    fn filter(&self, _cx: &Context, dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        if attribute != "fixed_ips" {
            return Ok(None);
        }
        let mut conditions = Vec::new();
        for (key, asked) in values.iter().filter_map(Value::as_object).flatten() {
            let texts: Vec<&str> = asked.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            let condition = match key.as_str() {
                "ip_address" | "subnet_id" => Sql::in_texts(dialect, &format!("i.{key}"), texts),
                "ip_address_substr" => substrings(&texts),
                // Neutron passes over what it does not know here.
                _ => continue,
            };
            let mut exists = Sql::raw("EXISTS (SELECT 1 FROM ipallocations i WHERE i.port_id = t.id AND (");
            exists.append(condition).push("))");
            conditions.push(exists);
        }
        Ok(Some(Sql::join(conditions, " AND ")))
    }
}

/// `LIKE '%part%'` for each part, with the wildcards of LIKE taken literally.
fn substrings(texts: &[&str]) -> Sql {
    if texts.is_empty() {
        return Sql::raw("1 = 0");
    }
    let like = |text: &&str| {
        let literal = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        Sql::new("i.ip_address LIKE ? ESCAPE '!'", vec![Arg::Text(format!("%{literal}%"))])
    };
    Sql::join(texts.iter().map(like).collect(), " OR ")
}

/// Lists are filtered by a MAC address in any spelling.
pub struct MacFilter;

#[async_trait]
impl Loader for MacFilter {
    fn fills(&self) -> &'static [&'static str] {
        &["mac_address"]
    }

    /// The column is in the main table.
    async fn load(&self, _cx: &Context, _tx: &mut Tx, _page: &mut Page) -> Result<()> {
        Ok(())
    }

    fn filter(&self, _cx: &Context, dialect: Dialect, _attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        let spelled = |text: &str| text.parse::<neutrino_types::mac::Mac>().map_or_else(|_| text.to_owned(), |mac| mac.to_string());
        let texts: Vec<String> = values.iter().filter_map(Value::as_str).map(spelled).collect();
        Ok(Some(Sql::in_texts(dialect, "t.mac_address", texts.iter().map(String::as_str))))
    }
}
