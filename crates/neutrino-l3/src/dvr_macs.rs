// SPDX-License-Identifier: Apache-2.0
//! The MAC addresses under which the parts of distributed routers on different hosts speak to each other.
//!
//! Owns the table `dvr_host_macs`. An address is made when an agent of the host first asks for it ([`of_host`]) and goes with the host's last
//! agent. Refuses to own: messages to agents. Invariant: a host has one address, and no other host has it (unique keys).

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_db::{Tx, args};
use neutrino_model::Record;
use neutrino_types::{Error, Kind, Result, mac::Mac};
use oslo_config::{Config, Opt};

use crate::notifier;

const GENERATION_FAILURE: Kind = Kind::new("HostMacAddressGenerationFailure", 503);
/// How often an address that nobody has is looked for.
const LOOKS: usize = 16;

pub static OPTIONS: &[Opt] = &[Opt::str("DEFAULT", "dvr_base_mac").default("fa:16:3f:00:00:00").help(
    "The base of the addresses of hosts for distributed routers: its first three octets stay, the fourth as well unless it is 00. It must \
     differ from base_mac.",
)];

/// What the addresses begin with. A service of the registry.
struct Base(Mac);

/// # Errors
/// A sentence for the operator: a base that is no MAC address.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    let text = config.text("DEFAULT", "dvr_base_mac");
    let base: Mac =
        text.parse().map_err(|_| config.refuse::<&str>("DEFAULT", "dvr_base_mac", &text, "is no MAC address", &[]).to_string())?;
    if base == builder.limits.base_mac {
        tracing::warn!("dvr_base_mac is base_mac: addresses of hosts and of ports may be the same");
    }
    builder.service(Arc::new(Base(base))).hook("agents", Hosts);
    Ok(())
}

/// The address of a host, made when it has none.
///
/// # Errors
/// 503 `HostMacAddressGenerationFailure` when the base leaves none that is easily found; transient when the same host, or another, was
/// faster; the database's.
pub async fn of_host(op: &mut Op<'_>, host: &str) -> Result<Mac> {
    let known = op.tx.query_one("SELECT mac_address FROM dvr_host_macs WHERE host = ?", args![host]).await?;
    if let Some(row) = known {
        return read(&row.text(0)?);
    }
    let base = op.engine.registry.service::<Base>().ok_or_else(|| Error::internal("distributed routers are off"))?;
    for _ in 0..LOOKS {
        let mac = Mac::random_under(base.0, op.cx.random());
        let text = mac.to_string();
        if op.tx.count("SELECT count(*) FROM dvr_host_macs WHERE mac_address = ?", args![&text]).await? > 0 {
            continue;
        }
        let columns = vec![("host", host.into()), ("mac_address", text.as_str().into())];
        return match op.insert_row("dvr_host_macs", columns).await {
            Ok(()) => Ok(mac),
            Err(error) if error.is_duplicate("") => Err(Error::stale(format!("another request gave host {host} or address {text} away"))),
            Err(error) => Err(error),
        };
    }
    Err(GENERATION_FAILURE.error(format!("No MAC address under dvr_base_mac is left for host {host}.")))
}

/// All hosts with their addresses, by host.
///
/// # Errors
/// The database's.
pub async fn all(tx: &mut Tx) -> Result<Vec<(String, Mac)>> {
    let rows = tx.query("SELECT host, mac_address FROM dvr_host_macs ORDER BY host", args![]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, read(&row.text(1)?)?))).collect()
}

/// An address as agents get it, in the form of IEEE 802.
#[must_use]
pub fn shown(mac: Mac) -> String {
    mac.to_string().to_uppercase().replace(':', "-")
}

fn read(text: &str) -> Result<Mac> {
    text.parse().map_err(|_| Error::internal(format!("a host with the MAC address {text}")))
}

/// The address of a host goes with its last agent, and the others hear of it.
struct Hosts;

#[async_trait]
impl Hook for Hosts {
    async fn delete(&self, op: &mut Op<'_>, agent: &Record) -> Result<()> {
        let sql = "DELETE FROM dvr_host_macs WHERE host = ? AND NOT EXISTS (SELECT 1 FROM agents a WHERE a.host = ? AND a.id <> ?)";
        if op.tx.execute(sql, args![agent.str("host"), agent.str("host"), agent.id()]).await? > 0 {
            let left = all(op.tx).await?;
            notifier::after_commit(op, notifier::dvr_macs_changed(&left));
        }
        Ok(())
    }
}
