// SPDX-License-Identifier: Apache-2.0
//! Which port and address a floating IP leads to, and through which router.
//!
//! Everything here runs in the transaction of the change, and holds the rows it looked at: the port against a change of its addresses,
//! the router against a change of its gateway and interfaces.

use neutrino_core::Op;
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{Error, Result, ip::Ip};

use super::{
    DHCP,
    errors::{NO_WAY_OUT, PORT_NOT_FOUND, bad, gone},
};
use crate::routers::{ROUTER_NOT_FOUND, router_between, ways_out};

/// VNIC types that a distributed router can serve with floating IPs.
const ON_VIRTUAL_BRIDGES: [&str; 2] = ["normal", "smart-nic"];

/// The addresses of a port, each with its subnet.
pub fn fixed_ips(port: &Record) -> impl Iterator<Item = (String, Ip)> {
    let read = |entry: &serde_json::Value| Some((entry["subnet_id"].as_str()?.to_owned(), entry["ip_address"].as_str()?.parse().ok()?));
    port.list("fixed_ips").iter().filter_map(read)
}

/// The port inside, held for this transaction.
pub struct Inside {
    pub port: Record,
    addresses: Vec<(String, Ip)>,
}

impl Inside {
    /// Reads a port and keeps others from changing it until the transaction ends.
    ///
    /// # Errors
    /// `PortNotFound`; the database's.
    pub async fn hold(op: &mut Op<'_>, port_id: &str) -> Result<Self> {
        let missing = || PORT_NOT_FOUND.error(format!("Port {port_id} could not be found."));
        op.lock("ports", port_id).await?.ok_or_else(missing)?;
        let port = op.load("ports", &[port_id]).await?.into_iter().next().ok_or_else(missing)?;
        let addresses = fixed_ips(&port).filter(|(_, address)| address.is_v4()).collect();
        Ok(Self { port, addresses })
    }

    /// Its IPv4 addresses with their subnets, in the order in which the port shows them.
    #[must_use]
    pub fn addresses(&self) -> &[(String, Ip)] {
        &self.addresses
    }

    /// The subnet of an address that it has.
    #[must_use]
    pub fn subnet_of(&self, address: Ip) -> Option<&str> {
        self.addresses.iter().find(|(_, known)| *known == address).map(|(subnet, _)| subnet.as_str())
    }

    /// The address that a request means: the named one, or the only one.
    fn choose(&self, asked: Option<&str>) -> Result<(&str, Ip)> {
        let id = self.port.id();
        if let Some(text) = asked {
            let address: Option<Ip> = text.parse().ok();
            let Some(address) = address.filter(|address| address.is_v4()) else {
                return Err(bad(format!("cannot process a floating IP association with {text}, since that is not an IPv4 address")));
            };
            let subnet = self.subnet_of(address).ok_or_else(|| bad(format!("port {id} does not have fixed ip {text}")))?;
            return Ok((subnet, address));
        }
        match self.addresses.as_slice() {
            [] => Err(bad(format!("cannot add floating IP to port {id} that has no fixed IPv4 addresses"))),
            [(subnet, address)] => Ok((subnet, *address)),
            _ => {
                Err(bad(format!("port {id} has multiple fixed IPv4 addresses; a specific one must be given when assigning a floating IP")))
            }
        }
    }

    /// May a floating IP of this project lead here?
    fn ensure_open_to(&self, op: &Op<'_>, project_id: &str) -> Result<()> {
        let id = self.port.id();
        if self.port.project_id() != project_id && !op.cx.is_admin() {
            return Err(bad(format!(
                "cannot process floating IP association with port {id}, since that port is owned by a different project"
            )));
        }
        if self.port.str("device_owner") == DHCP {
            return Err(bad(format!("port {id} is unable to be assigned a floating IP")));
        }
        Ok(())
    }
}

/// Where a floating IP leads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Association {
    pub port_id: Option<String>,
    pub address: Option<String>,
    pub router_id: Option<String>,
}

/// What a request asks for, of a floating IP on this external network that this project owns.
pub(super) struct Asked<'a> {
    pub port_id: &'a str,
    pub address: Option<&'a str>,
    pub router_id: Option<&'a str>,
    pub network_id: &'a str,
    pub project_id: &'a str,
}

/// Finds the address and the router for an association. Who owns the port is checked here, whether the caller sees it is not.
///
/// # Errors
/// 400 for a port that cannot have one, 404 for a router that is not there or does not reach it; the database's.
pub(super) async fn find(op: &mut Op<'_>, asked: &Asked<'_>) -> Result<Association> {
    let inside = Inside::hold(op, asked.port_id).await?;
    inside.ensure_open_to(op, asked.project_id)?;
    let (subnet_id, address) = inside.choose(asked.address)?;
    let router_id = match asked.router_id {
        Some(router_id) => {
            ensure_leads_out(op, router_id, asked.network_id).await?;
            router_id.to_owned()
        }
        None => router_to(op, &inside.port, subnet_id, asked.network_id).await?.ok_or_else(|| {
            NO_WAY_OUT.error(format!(
                "External network {} is not reachable from subnet {subnet_id}. Therefore, cannot associate port {} with a floating IP.",
                asked.network_id, asked.port_id
            ))
        })?,
    };
    if !ON_VIRTUAL_BRIDGES.contains(&inside.port.str("binding:vnic_type")) && is_distributed(op, &router_id).await? {
        return Err(bad("the port's VNIC type is not valid to associate a floating IP by a distributed router"));
    }
    Ok(Association { port_id: Some(asked.port_id.to_owned()), address: Some(address.to_string()), router_id: Some(router_id) })
}

/// The router that leads from a subnet of the port's network to an external network, held for this transaction.
///
/// # Errors
/// The database's; transient when the router changed in between.
pub async fn router_to(op: &mut Op<'_>, port: &Record, subnet_id: &str, external_network_id: &str) -> Result<Option<String>> {
    let network_id = port.str("network_id");
    let Some(found) = router_between(op, network_id, subnet_id, external_network_id).await? else { return Ok(None) };
    op.lock("routers", &found.router_id).await?;
    // While it waited, an interface or the gateway may have gone.
    let again = router_between(op, network_id, subnet_id, external_network_id).await?;
    match again {
        Some(again) if again.router_id == found.router_id => Ok(Some(found.router_id)),
        _ => Err(Error::stale(format!("router {} changed in between", found.router_id))),
    }
}

/// A router that a request names must have a way out to the external network; a way from the port to it is the caller's affair.
async fn ensure_leads_out(op: &mut Op<'_>, router_id: &str, network_id: &str) -> Result<()> {
    op.lock("routers", router_id).await?.ok_or_else(|| ROUTER_NOT_FOUND.error(format!("Router {router_id} could not be found.")))?;
    let sql = format!("SELECT count(*) FROM ports WHERE device_id = ? AND network_id = ? AND device_owner IN ({})", ways_out(op));
    if op.tx.count(&sql, args![router_id, network_id]).await? > 0 {
        return Ok(());
    }
    let sentence = format!("Router {router_id} has no way out to network {network_id}.");
    Err(neutrino_types::error::kinds::CONFLICT.error(sentence))
}

async fn is_distributed(op: &mut Op<'_>, router_id: &str) -> Result<bool> {
    let sql = "SELECT count(*) FROM router_extra_attributes WHERE router_id = ? AND distributed = ?";
    Ok(op.tx.count(sql, args![router_id, true]).await? > 0)
}

/// A floating IP as it is, held for this transaction.
#[derive(Debug)]
pub struct Held {
    pub standard_attr_id: i64,
    pub port_id: Option<String>,
    pub address: Option<String>,
    pub router_id: Option<String>,
    pub network_id: String,
    /// The address outside.
    pub outside: String,
    pub outside_port_id: String,
}

/// One change of a floating IP, and of what hangs on it, at a time.
///
/// # Errors
/// `FloatingIPNotFound`; the database's.
pub async fn claim(op: &mut Op<'_>, id: &str) -> Result<Held> {
    let standard_attr_id = op.lock("floatingips", id).await?.ok_or_else(|| gone(id))?;
    let sql = "SELECT fixed_port_id, fixed_ip_address, router_id, floating_network_id, floating_ip_address, floating_port_id \
               FROM floatingips WHERE id = ?";
    let row = op.tx.query_one(sql, args![id]).await?.ok_or_else(|| gone(id))?;
    Ok(Held {
        standard_attr_id,
        port_id: row.opt_text(0)?,
        address: row.opt_text(1)?,
        router_id: row.opt_text(2)?,
        network_id: row.text(3)?,
        outside: row.text(4)?,
        outside_port_id: row.text(5)?,
    })
}
