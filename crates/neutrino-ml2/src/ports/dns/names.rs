// SPDX-License-Identifier: Apache-2.0
//! `dns_assignment`: the names by which DHCP agents know the addresses of a port.

use std::collections::HashMap;

use async_trait::async_trait;
use neutrino_core::{Context, Loader};
use neutrino_db::{Sql, Tx};
use neutrino_model::{Page, record::object};
use neutrino_types::Result;
use serde_json::Value;

/// The value of `dns_domain` that turns names of ports off.
const DEFAULT_DOMAIN: &str = "openstacklocal.";

#[derive(Clone)]
pub struct Names {
    /// `dns_domain` with its final dot; empty without one.
    domain: String,
}

impl Names {
    /// By `dns_domain` as the operator wrote it.
    pub fn of(domain: &str) -> Self {
        let dot = if domain.is_empty() || domain.ends_with('.') { "" } else { "." };
        Self { domain: format!("{domain}{dot}") }
    }

    /// Are the names that ports ask for kept?
    pub fn are_kept(&self) -> bool {
        !self.domain.is_empty() && self.domain != DEFAULT_DOMAIN
    }

    /// `published`: the domain in which an external service knows the port, if it does.
    fn assignment(&self, name: &str, published: Option<&str>, address: &str) -> Value {
        let named = !name.is_empty() && self.are_kept();
        let domain = published.filter(|_| self.are_kept()).unwrap_or(&self.domain);
        let host = if named { name.to_owned() } else { format!("host-{}", address.replace(['.', ':'], "-")) };
        let whole = match (named && name.ends_with('.'), domain.is_empty()) {
            (true, _) | (false, true) => host.clone(),
            (false, false) => format!("{host}.{domain}"),
        };
        object([("ip_address", address.into()), ("hostname", host.into()), ("fqdn", whole.into())])
    }
}

/// The domains in which an external service knows ports of the page.
async fn published(tx: &mut Tx, page: &Page) -> Result<HashMap<String, String>> {
    let named: Vec<&str> = page.rows.iter().filter(|row| !row.str("dns_name").is_empty()).map(|row| row.id()).collect();
    if named.is_empty() {
        return Ok(HashMap::new());
    }
    let mut sql = Sql::raw("SELECT port_id, current_dns_domain FROM portdnses WHERE current_dns_domain <> '' AND ");
    sql.append(Sql::in_texts(tx.dialect(), "port_id", named));
    tx.select(sql).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

#[async_trait]
impl Loader for Names {
    fn fills(&self) -> &'static [&'static str] {
        &["dns_assignment"]
    }

    /// Filled before this one, by the loader of ports' addresses.
    fn needs(&self) -> &'static [&'static str] {
        &["fixed_ips", "dns_name"]
    }

    async fn load(&self, _cx: &Context, tx: &mut Tx, page: &mut Page) -> Result<()> {
        let published = published(tx, page).await?;
        for row in &mut page.rows {
            let (name, domain) = (row.str("dns_name"), published.get(row.id()).map(String::as_str));
            let addresses = row.list("fixed_ips").iter().filter_map(|entry| entry["ip_address"].as_str());
            let assigned: Vec<Value> = addresses.map(|address| self.assignment(name, domain, address)).collect();
            row.set("dns_assignment", assigned);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_and_addresses() {
        let names = Names::of("example.org");
        let plain = json!({"ip_address": "10.0.0.5", "hostname": "vm1", "fqdn": "vm1.example.org."});
        assert_eq!(names.assignment("vm1", None, "10.0.0.5"), plain);
        assert_eq!(names.assignment("vm1", Some("net.org."), "10.0.0.5")["fqdn"], "vm1.net.org.");
        assert_eq!(names.assignment("vm1.x.", None, "10.0.0.5")["fqdn"], "vm1.x.");
        assert_eq!(names.assignment("", None, "fd00::5")["fqdn"], "host-fd00--5.example.org.");
        assert_eq!(Names::of("openstacklocal").assignment("vm1", None, "10.0.0.5")["hostname"], "host-10-0-0-5");
        assert_eq!(Names::of("").assignment("", None, "10.0.0.5")["fqdn"], "host-10-0-0-5");
    }
}
