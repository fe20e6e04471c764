// SPDX-License-Identifier: Apache-2.0
//! Designate as the external DNS service: `external_dns_driver = designate`.
//!
//! Owns: the group `[designate]`, the conversation with Designate's API v2, which records and zones stand for a name. Refuses to own: which
//! names are published (the core plugin's `dns` says). Names go with the caller's own token, records of reverse zones, which belong to the
//! operator, with the server's. Invariants: each request and each whole operation is bounded in time; nothing is kept here.

mod client;
mod driver;
mod reverse;

use std::sync::Arc;

use keystone_auth::{Service, Site};
use neutrino_core::{
    Builder,
    dns::{ExternalDnsService, is_on},
};
use oslo_config::{Config, Opt};

use crate::remote::{self, sign_in_options};

const GROUP: &str = "designate";
/// As `external_dns_driver` has it.
const NAME: &str = "designate";

pub static OPTIONS: &[Opt] = sign_in_options!(
    GROUP,
    "Designate",
    Opt::uri(GROUP, "url").schemes(&["http", "https"]).help("The address of Designate's API v2: http://designate:9001/v2."),
    Opt::bool(GROUP, "allow_reverse_dns_lookup").default("true").help("Whether PTR records are made, too."),
    Opt::int(GROUP, "ipv4_ptr_zone_prefix_size")
        .default("24")
        .min(8)
        .max(24)
        .help("Bits of an IPv4 address that name its reverse zone: 8, 16 or 24."),
    Opt::int(GROUP, "ipv6_ptr_zone_prefix_size")
        .default("120")
        .min(4)
        .max(124)
        .help("Bits of an IPv6 address that name its reverse zone: a multiple of 4."),
    Opt::str(GROUP, "ptr_zone_email").default("").help("The address in new reverse zones; empty: admin@ and the domain of the name."),
);

fn prefix(config: &Config, name: &str, step: i64) -> Result<u32, String> {
    let bits = config.int(GROUP, name);
    u32::try_from(bits)
        .ok()
        .filter(|_| bits % step == 0)
        .ok_or_else(|| config.refuse::<&str>(GROUP, name, &bits.to_string(), &format!("must be a multiple of {step}"), &[]).to_string())
}

/// # Errors
/// A sentence for the operator: a driver that is not known, an address or credentials that are missing.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    if !is_on(config) {
        return Ok(());
    }
    let driver = config.text("DEFAULT", "external_dns_driver");
    if driver != NAME {
        return Err(config.refuse("DEFAULT", "external_dns_driver", &driver, "no such driver", &[NAME]).to_string());
    }
    let url = config.text(GROUP, "url");
    if url.is_empty() {
        return Err(config
            .refuse::<&str>(GROUP, "url", "", "must be set: it is where Designate is, as http://designate:9001/v2", &[])
            .to_string());
    }
    let options = remote::options(config, GROUP)?;
    let refuse = |error: keystone_auth::OptionError| remote::refused(config, GROUP, &error);
    let site = Site::new(&options, "url", &url).map_err(refuse)?;
    let with_reverse = config.bool(GROUP, "allow_reverse_dns_lookup");
    let own = match remote::is_set(config, GROUP) {
        true => Some(Service::new(&options, "dns").and_then(|service| service.at("url", &url)).map_err(refuse)?),
        false if with_reverse => {
            let reason =
                "must be set with its credentials: PTR records are made in the server's name (or set allow_reverse_dns_lookup to False)";
            return Err(config.refuse::<&str>(GROUP, "auth_type", "", reason, &[]).to_string());
        }
        false => None,
    };
    let reverse = with_reverse
        .then(|| {
            Ok::<_, String>(reverse::Zones {
                ipv4_bits: prefix(config, "ipv4_ptr_zone_prefix_size", 8)?,
                ipv6_bits: prefix(config, "ipv6_ptr_zone_prefix_size", 4)?,
                email: config.str(GROUP, "ptr_zone_email").filter(|email| !email.is_empty()),
            })
        })
        .transpose()?;
    let driver = driver::Designate { client: client::Client { site, own }, reverse };
    builder.service(Arc::new(ExternalDnsService(Arc::new(driver))));
    Ok(())
}
