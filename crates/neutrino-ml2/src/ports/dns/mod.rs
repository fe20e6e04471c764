// SPDX-License-Identifier: Apache-2.0
//! Extension drivers `dns`, `dns_domain_ports`, `dns_domain_keywords`: the names by which DHCP agents know a port.
//!
//! Owns `portdnses`, `networkdnsdomains` and `floatingipdnses`, and which names an external DNS service (`external_dns_driver`) is told of.
//! Refuses to own the conversation with it ([`neutrino_core::dns`]). Names are kept only where `dns_domain` is set to a domain of the
//! operator's, as in Neutron. Invariants: `current_*` and `published_*` are what the service was last told of, or will be right after the
//! commit; what the service makes of it never fails a request, except the creation of a floating IP.

mod external;
mod floating_ips;
mod names;
mod rules;

use neutrino_core::{Builder, dns};
use neutrino_model::{
    Attribute, Converter, Extension, Validator,
    attribute::{Default, Join, Kind},
};
use oslo_config::{Config, Opt};

pub const OPTION: Opt = Opt::str("DEFAULT", "dns_domain").default("openstacklocal").help("The domain of the names of ports.");

static PORTS: Join = Join::read_only("portdnses", "port_id");
static NETWORKS: Join = Join::when_set("networkdnsdomains", "network_id");
/// A row only for what an external DNS service was told of.
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

/// # Errors
/// None; the signature is that of every extension driver.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    if builder.has_extension("dns-integration") {
        return Ok(());
    }
    let domain = config.text("DEFAULT", "dns_domain");
    builder.limits.dns_domain.clone_from(&domain);
    let names = names::Names::of(&domain);
    builder.extension(&INTEGRATION).loader("ports", names.clone()).hook("ports", rules::Ports { names, external: dns::is_on(config) });
    if dns::is_on(config) {
        builder.hook_where_served("floatingips", floating_ips::FloatingIps);
    }
    Ok(())
}

pub fn register_domain_ports(builder: &mut Builder) {
    builder.extension(&DOMAIN_PORTS);
}

pub fn register_keywords(builder: &mut Builder) {
    builder.extension(&KEYWORDS);
}
