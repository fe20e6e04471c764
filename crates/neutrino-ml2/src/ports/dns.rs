// SPDX-License-Identifier: Apache-2.0
//! Extension drivers `dns`, `dns_domain_ports`, `dns_domain_keywords`: the names by which DHCP agents know a port.
//!
//! Owns `portdnses` and `networkdnsdomains`. Names are kept only where `dns_domain` is set to a domain of the operator's, as in
//! Neutron. An external DNS service (`external_dns_driver`) is not supported yet and is refused at start, so what Neutron keeps
//! for it (`current_*`, `previous_*`) stays empty.

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Hook, Loader, Op};
use neutrino_db::Tx;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Page, Record, Validator,
    attribute::{Default, Join, Kind},
};
use neutrino_types::Result;
use oslo_config::{Config, Opt};
use serde_json::{Value, json};

pub const OPTIONS: [Opt; 2] = [
    Opt::str("DEFAULT", "dns_domain").default("openstacklocal").help("The domain of the names of ports."),
    Opt::str("DEFAULT", "external_dns_driver").help("The driver for an external DNS service; not supported yet."),
];

/// The value of `dns_domain` that turns names of ports off.
const DEFAULT_DOMAIN: &str = "openstacklocal.";

static PORTS: Join = Join::read_only("portdnses", "port_id");
static NETWORKS: Join = Join::when_set("networkdnsdomains", "network_id");
/// Written only for an external DNS service.
static FLOATING_IPS: Join = Join::read_only("floatingipdnses", "floatingip_id");

const DOMAIN: Attribute = Attribute::new("dns_domain")
    .post()
    .put()
    .default(Default::Str(""))
    .convert(Converter::StringToCaseInsensitive)
    .validate(Validator::DnsDomainName(Some(255)));

static INTEGRATION: Extension =
    Extension::new("dns-integration", "DNS Integration", "Provides integration with DNS.", "2015-08-15T18:00:00-00:00").extends(&[
        (
            "ports",
            &[
                Attribute::new("dns_name")
                    .post()
                    .put()
                    .default(Default::Str(""))
                    .convert(Converter::StringToCaseInsensitive)
                    .validate(Validator::DnsHostName(Some(255)))
                    .joined(&PORTS, "dns_name", Kind::Text),
                Attribute::new("dns_assignment"),
            ],
        ),
        ("networks", &[DOMAIN.joined(&NETWORKS, "dns_domain", Kind::Text)]),
        (
            "floatingips",
            &[
                Attribute::new("dns_name")
                    .post()
                    .default(Default::Str(""))
                    .convert(Converter::StringToCaseInsensitive)
                    .validate(Validator::FipDnsHostName(Some(255)))
                    .joined(&FLOATING_IPS, "dns_name", Kind::Text),
                Attribute::new("dns_domain")
                    .post()
                    .default(Default::Str(""))
                    .convert(Converter::StringToCaseInsensitive)
                    .validate(Validator::DnsDomainName(Some(255)))
                    .joined(&FLOATING_IPS, "dns_domain", Kind::Text),
            ],
        ),
    ]);

static DOMAIN_PORTS: Extension = Extension::new(
    "dns-domain-ports",
    "dns_domain for ports",
    "Allows the DNS domain to be specified for a network port.",
    "2017-04-24T10:00:00-00:00",
)
.requires(&["dns-integration"])
.extends(&[("ports", &[DOMAIN.joined(&PORTS, "dns_domain", Kind::Text)])]);

static KEYWORDS: Extension = Extension::new(
    "dns-integration-domain-keywords",
    "DNS domain names with keywords allowed",
    "Allows to use keywords like <project_id>, <project_name>, <user_id> and <user_name> as DNS domain name",
    "2020-06-15T18:00:00-00:00",
)
.requires(&["dns-integration"]);

struct Dns {
    /// `dns_domain` with its final dot; empty without one.
    domain: String,
}

impl Dns {
    /// Are the names that ports ask for kept?
    fn keeps_names(&self) -> bool {
        !self.domain.is_empty() && self.domain != DEFAULT_DOMAIN
    }

    fn assignment(&self, name: &str, address: &str) -> Value {
        let named = !name.is_empty() && self.keeps_names();
        let host = if named { name.to_owned() } else { format!("host-{}", address.replace(['.', ':'], "-")) };
        let whole = match (named && name.ends_with('.'), self.domain.is_empty()) {
            (true, _) | (false, true) => host.clone(),
            (false, false) => format!("{host}.{}", self.domain),
        };
        json!({"ip_address": address, "hostname": host, "fqdn": whole})
    }

    async fn write(&self, op: &mut Op<'_>, port_id: &str, name: &str, domain: &str) -> Result<()> {
        let columns = vec![
            ("port_id", port_id.into()),
            ("current_dns_name", "".into()),
            ("current_dns_domain", "".into()),
            ("previous_dns_name", "".into()),
            ("previous_dns_domain", "".into()),
            ("dns_name", name.into()),
            ("dns_domain", domain.into()),
        ];
        op.insert_row("portdnses", columns).await
    }
}

#[async_trait]
impl Hook for Dns {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let (name, domain) = (body.str("dns_name").unwrap_or_default(), body.str("dns_domain").unwrap_or_default());
        if !self.keeps_names() || (name.is_empty() && domain.is_empty()) {
            return Ok(());
        }
        self.write(op, id, name, domain).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if !self.keeps_names() || !(body.names("dns_name") || body.names("dns_domain")) {
            return Ok(());
        }
        let (old_name, old_domain) = (original.str("dns_name"), original.str("dns_domain"));
        let (name, domain) = (body.str("dns_name").unwrap_or(old_name), body.str("dns_domain").unwrap_or(old_domain));
        if (name, domain) == (old_name, old_domain) {
            return Ok(());
        }
        op.touch(original.standard_attr_id);
        let columns = vec![("dns_name", name.into()), ("dns_domain", domain.into())];
        if op.update_row("portdnses", "port_id", original.id(), columns).await? == 0 {
            self.write(op, original.id(), name, domain).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Loader for Dns {
    fn fills(&self) -> &'static [&'static str] {
        &["dns_assignment"]
    }

    /// Filled before this one, by the loader of ports' addresses.
    fn needs(&self) -> &'static [&'static str] {
        &["fixed_ips", "dns_name"]
    }

    async fn load(&self, _cx: &Context, _tx: &mut Tx, page: &mut Page) -> Result<()> {
        for row in &mut page.rows {
            let name = row.str("dns_name");
            let addresses = row.list("fixed_ips").iter().filter_map(|entry| entry["ip_address"].as_str());
            let assigned: Vec<Value> = addresses.map(|address| self.assignment(name, address)).collect();
            row.set("dns_assignment", assigned);
        }
        Ok(())
    }
}

/// # Errors
/// A sentence for the operator when an external DNS service is asked for.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    if let Some(driver) = config.str("DEFAULT", "external_dns_driver").filter(|driver| !driver.is_empty()) {
        let reason = "external DNS services are not supported yet; unset this option";
        return Err(config.refuse::<&str>("DEFAULT", "external_dns_driver", &driver, reason, &[]).to_string());
    }
    if builder.has_extension("dns-integration") {
        return Ok(());
    }
    let domain = config.text("DEFAULT", "dns_domain");
    builder.limits.dns_domain.clone_from(&domain);
    let domain = if domain.is_empty() || domain.ends_with('.') { domain } else { domain + "." };
    builder.extension(&INTEGRATION).hook("ports", Dns { domain: domain.clone() }).loader("ports", Dns { domain });
    Ok(())
}

pub fn register_domain_ports(builder: &mut Builder) {
    builder.extension(&DOMAIN_PORTS);
}

pub fn register_keywords(builder: &mut Builder) {
    builder.extension(&KEYWORDS);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses() {
        let dns = Dns { domain: "example.org.".to_owned() };
        assert_eq!(dns.assignment("vm1", "10.0.0.5"), json!({"ip_address": "10.0.0.5", "hostname": "vm1", "fqdn": "vm1.example.org."}));
        assert_eq!(dns.assignment("vm1.x.", "10.0.0.5")["fqdn"], "vm1.x.");
        assert_eq!(dns.assignment("", "fd00::5")["fqdn"], "host-fd00--5.example.org.");
        let off = Dns { domain: DEFAULT_DOMAIN.to_owned() };
        assert_eq!(off.assignment("vm1", "10.0.0.5")["hostname"], "host-10-0-0-5");
        assert_eq!(Dns { domain: String::new() }.assignment("", "10.0.0.5")["fqdn"], "host-10-0-0-5");
    }
}
