// SPDX-License-Identifier: Apache-2.0
//! Which names of ports an external DNS service hears of, under which domain and with which addresses.
//!
//! A name is published in the domain that the port asks for, or that of its network. It is of use outside only where the network's addresses
//! are: not where the segment is one of those that projects get by themselves, nor on external networks, unless the operator's subnet says
//! `dns_publish_fixed_ip`; then only the addresses of such subnets are published.

use std::collections::{HashMap, HashSet};

use neutrino_core::{
    Context, Engine, Op,
    dns::{DOMAIN_NOT_FOUND, DUPLICATE, ExternalDnsService, RecordSet},
};
use neutrino_db::args;
use neutrino_types::{Error, Result};
use serde_json::Value;

use crate::type_drivers::{Segment, TypeManager};

/// A network, as far as the names of its ports are concerned.
#[derive(Clone, Default)]
pub struct Network {
    /// Does the external service hear of its ports?
    pub is_published: bool,
    /// Its `dns_domain`; empty without one.
    pub domain: String,
    /// Subnets of which the operator said that they are to be published.
    subnets: HashSet<String>,
}

/// Networks that this transaction has looked at.
#[derive(Default)]
struct Known(HashMap<String, Network>);

impl Network {
    pub async fn of(op: &mut Op<'_>, id: &str) -> Result<Self> {
        if let Some(known) = op.note::<Known>().0.get(id) {
            return Ok(known.clone());
        }
        let found = Self::read(op, id).await?;
        op.note::<Known>().0.insert(id.to_owned(), found.clone());
        Ok(found)
    }

    async fn read(op: &mut Op<'_>, id: &str) -> Result<Self> {
        let sql = "SELECT s.id FROM subnets s JOIN subnet_dns_publish_fixed_ips p ON p.subnet_id = s.id \
                   WHERE s.network_id = ? AND p.dns_publish_fixed_ip = ?";
        let rows = op.tx.query(sql, args![id, true]).await?;
        let subnets = rows.iter().map(|row| row.text(0)).collect::<Result<HashSet<_>>>()?;
        let sql = "SELECT (SELECT d.dns_domain FROM networkdnsdomains d WHERE d.network_id = n.id), \
                   (SELECT count(*) FROM externalnetworks e WHERE e.network_id = n.id) FROM networks n WHERE n.id = ?";
        let Some(row) = op.tx.query_one(sql, args![id]).await? else { return Ok(Self::default()) };
        let (domain, is_external) = (row.opt_text(0)?.unwrap_or_default(), row.int(1)? > 0);
        let is_published = !subnets.is_empty() || (!is_external && reaches_outside(op, id).await?);
        Ok(Self { is_published, domain, subnets })
    }

    /// Those of a port's addresses that are published. Pairs of address and subnet.
    pub fn published(&self, addresses: &[(String, String)]) -> Vec<String> {
        let chosen: Vec<&String> =
            addresses.iter().filter(|(_, subnet)| self.subnets.contains(subnet)).map(|(address, _)| address).collect();
        if chosen.is_empty() {
            addresses.iter().map(|(address, _)| address.clone()).collect()
        } else {
            chosen.into_iter().cloned().collect()
        }
    }
}

/// Is the network on a segment that the operator connected to something?
async fn reaches_outside(op: &mut Op<'_>, network_id: &str) -> Result<bool> {
    let sql = "SELECT network_type, physical_network, segmentation_id FROM networksegments WHERE network_id = ? ORDER BY segment_index";
    let rows = op.tx.query(sql, args![network_id]).await?;
    let [row] = rows.as_slice() else { return Ok(rows.len() > 1) };
    let segment = Segment { network_type: row.text(0)?, physical_network: row.opt_text(1)?, segmentation_id: row.opt_int(2)? };
    match segment.network_type.as_str() {
        "flat" => Ok(true),
        "vlan" | "gre" | "vxlan" | "geneve" => {
            let types = op.engine.registry.service::<TypeManager>().ok_or_else(|| Error::internal("no types of networks"))?;
            Ok(!types.is_in_ranges(op.tx, &segment).await?)
        }
        _ => Ok(false),
    }
}

/// What the service is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub name: String,
    pub domain: String,
}

impl Target {
    /// Nothing, unless there are both a name and a domain. Keywords in the domain are replaced by what the caller is.
    pub fn of(op: &Op<'_>, name: &str, domain: &str) -> Self {
        if name.is_empty() || domain.is_empty() {
            return Self::default();
        }
        let domain =
            if op.engine.registry.has_extension("dns-integration-domain-keywords") { filled_in(op.cx, domain) } else { domain.to_owned() };
        Self { name: name.to_owned(), domain }
    }

    pub fn is_set(&self) -> bool {
        !self.name.is_empty()
    }

    fn with(self, addresses: Vec<String>) -> RecordSet {
        RecordSet { domain: self.domain, name: self.name, addresses }
    }
}

/// Names that the caller lacks stay as they are, and the service will know no such domain.
fn filled_in(cx: &Context, domain: &str) -> String {
    let caller = &cx.caller;
    let values = [
        ("<project_id>", &caller.project_id),
        ("<project_name>", &caller.project_name),
        ("<user_name>", &caller.user_name),
        ("<user_id>", &caller.user_id),
    ];
    values.into_iter().fold(domain.to_owned(), |domain, (keyword, value)| match value {
        Some(value) => domain.replace(keyword, value),
        None => domain,
    })
}

/// The addresses that a port has now, with their subnets.
pub async fn addresses(op: &mut Op<'_>, port_id: &str) -> Result<Vec<(String, String)>> {
    let rows = op.tx.query("SELECT ip_address, subnet_id FROM ipallocations WHERE port_id = ? ORDER BY ip_address", args![port_id]).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// The same of a port as it was, by its `fixed_ips`.
pub fn addresses_of(fixed_ips: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut found: Vec<_> = fixed_ips.iter().filter_map(|entry| Some((text(&entry["ip_address"])?, text(&entry["subnet_id"])?))).collect();
    found.sort();
    found
}

/// Has the service told once the transaction is committed. What does not succeed is in the log.
pub fn publish(op: &mut Op<'_>, target: Target, addresses: Vec<String>) {
    let set = target.with(addresses);
    if !set.addresses.is_empty() {
        op.afterwards(move |engine, cx| {
            Box::pin(async move {
                let done = publish_now(engine, cx, &set).await;
                done.or_else(|error| passed_over("published", &set, error))
            })
        });
    }
}

/// The contrary.
pub fn withdraw(op: &mut Op<'_>, target: Target, addresses: Vec<String>) {
    let set = target.with(addresses);
    if !set.addresses.is_empty() {
        op.afterwards(move |engine, cx| {
            Box::pin(async move {
                let Some(service) = engine.registry.service::<ExternalDnsService>() else { return Ok(()) };
                service.0.withdraw(cx, &set).await.or_else(|error| passed_over("withdrawn", &set, error))
            })
        });
    }
}

/// # Errors
/// The service's.
pub async fn publish_now(engine: &Engine, cx: &Context, set: &RecordSet) -> Result<()> {
    match engine.registry.service::<ExternalDnsService>() {
        Some(service) => service.0.publish(cx, set).await,
        None => Ok(()),
    }
}

/// # Errors
/// None: it is in the log.
pub fn passed_over(what: &str, set: &RecordSet, error: Error) -> Result<()> {
    let (name, domain, addresses) = (&set.name, &set.domain, set.addresses.join(", "));
    let log = error.log().unwrap_or_default();
    let usual = error.is(DOMAIN_NOT_FOUND) || error.is(DUPLICATE);
    let hint = if usual { "" } else { "; the external DNS service and Neutron may differ now" };
    tracing::error!(log, "the name {name} in {domain} for {addresses} could not be {what}: {error}{hint}");
    Ok(())
}
