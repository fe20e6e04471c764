// SPDX-License-Identifier: Apache-2.0
//! What a router is plugged into: its ports with their addresses, and subnets as routers see them.

use neutrino_core::Op;
use neutrino_db::{Row, Sql, args};
use neutrino_types::{Error, Result, cidr::Cidr, ip::Ip};

use super::{GATEWAY, errors::bad};

/// The prefix of a subnet that waits for a delegated one: it overlaps nothing yet.
const PROVISIONAL: &str = "::/64";

#[derive(Clone, Debug)]
pub(crate) struct Subnet {
    pub id: String,
    pub network_id: String,
    pub cidr: Cidr,
    pub gateway: Option<Ip>,
    pub project_id: String,
    /// It hands out addresses that are told by a router of somebody else.
    pub has_foreign_router: bool,
}

impl Subnet {
    fn read(row: &Row) -> Result<Self> {
        let text = row.text(2)?;
        let cidr = text.parse().map_err(|_| Error::internal(format!("a subnet with the prefix {text}")))?;
        let gateway = row.opt_text(3)?.and_then(|text| text.parse().ok());
        let (ra, address) = (row.opt_text(4)?, row.opt_text(5)?);
        let project_id = row.opt_text(6)?.unwrap_or_default();
        let has_foreign_router = ra.is_none() && address.is_some();
        Ok(Self { id: row.text(0)?, network_id: row.text(1)?, cidr, gateway, project_id, has_foreign_router })
    }

    fn is_provisional(&self) -> bool {
        self.cidr.to_string() == PROVISIONAL
    }

    pub fn is_v6(&self) -> bool {
        self.cidr.network().is_v6()
    }
}

const SUBNETS: &str = "SELECT id, network_id, cidr, gateway_ip, ipv6_ra_mode, ipv6_address_mode, project_id FROM subnets WHERE ";

/// Subnets by id, in no order.
pub(crate) async fn subnets(op: &mut Op<'_>, ids: &[&str]) -> Result<Vec<Subnet>> {
    let mut sql = Sql::raw(SUBNETS);
    sql.append(Sql::in_texts(op.tx.dialect(), "id", ids.iter().copied()));
    op.tx.select(sql).await?.iter().map(Subnet::read).collect()
}

/// The subnets of a network, by id.
pub(crate) async fn subnets_of(op: &mut Op<'_>, network_id: &str) -> Result<Vec<Subnet>> {
    let sql = Sql::new(format!("{SUBNETS}network_id = ? ORDER BY id"), args![network_id]);
    op.tx.select(sql).await?.iter().map(Subnet::read).collect()
}

/// A port of the router.
#[derive(Clone, Debug)]
pub(crate) struct Attached {
    pub port_id: String,
    pub network_id: String,
    /// As the router keeps it; the port's own `device_owner` may have been changed since.
    pub kind: String,
    pub project_id: String,
    pub addresses: Vec<(String, Ip)>,
}

impl Attached {
    pub fn has_v6(&self) -> bool {
        self.addresses.iter().any(|(_, address)| address.is_v6())
    }

    pub fn is_on(&self, subnet_id: &str) -> bool {
        self.addresses.iter().any(|(subnet, _)| subnet == subnet_id)
    }
}

/// The ports of a router, by id.
pub(crate) async fn ports(op: &mut Op<'_>, router_id: &str) -> Result<Vec<Attached>> {
    let sql = "SELECT p.id, p.network_id, r.port_type, p.project_id, a.subnet_id, a.ip_address FROM routerports r \
               JOIN ports p ON p.id = r.port_id LEFT JOIN ipallocations a ON a.port_id = p.id WHERE r.router_id = ? \
               ORDER BY p.id, a.ip_address, a.subnet_id";
    let mut found: Vec<Attached> = Vec::new();
    for row in op.tx.query(sql, args![router_id]).await? {
        let port_id = row.text(0)?;
        if found.last().is_none_or(|last| last.port_id != port_id) {
            let (network_id, kind) = (row.text(1)?, row.opt_text(2)?.unwrap_or_default());
            let project_id = row.opt_text(3)?.unwrap_or_default();
            found.push(Attached { port_id, network_id, kind, project_id, addresses: Vec::new() });
        }
        if let (Some(subnet), Some(text), Some(port)) = (row.opt_text(4)?, row.opt_text(5)?, found.last_mut()) {
            let address = text.parse().map_err(|_| Error::internal(format!("a port with the address {text}")))?;
            port.addresses.push((subnet, address));
        }
    }
    Ok(found)
}

/// As what a router is plugged into subnets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum As<'a> {
    /// Several gateways may lead to one network.
    Gateway,
    Interface,
    /// A port that is there already, and does not count.
    Port(&'a str),
}

/// Refuses subnets that the router has a port on already, or that overlap one of its subnets.
pub(crate) async fn ensure_apart(op: &mut Op<'_>, attached: &[Attached], new: &[Subnet], role: As<'_>) -> Result<()> {
    let mut held: Vec<String> = Vec::new();
    let mut known: Vec<Subnet> = Vec::new();
    for port in attached.iter().filter(|port| role != As::Port(&port.port_id)) {
        let is_gateway = port.kind == GATEWAY;
        if is_gateway && role == As::Gateway && new.iter().all(|subnet| subnet.network_id == port.network_id) {
            continue;
        }
        if let Some(subnet) = new.iter().find(|subnet| port.is_on(&subnet.id)) {
            return Err(bad(format!("the router already has a port on subnet {}", subnet.id)));
        }
        if is_gateway {
            known.extend(subnets_of(op, &port.network_id).await?);
        } else {
            held.extend(port.addresses.iter().map(|(subnet, _)| subnet.clone()));
        }
    }
    known.extend(subnets(op, &held.iter().map(String::as_str).collect::<Vec<_>>()).await?);
    for subnet in new.iter().filter(|subnet| !subnet.is_provisional()) {
        if let Some(other) = known.iter().find(|other| other.cidr.overlaps(&subnet.cidr)) {
            return Err(bad(format!(
                "the prefix {} of subnet {} overlaps with the prefix {} of subnet {}",
                subnet.cidr, subnet.id, other.cidr, other.id
            )));
        }
    }
    Ok(())
}
