// SPDX-License-Identifier: Apache-2.0
//! Host routes between the subnets of a routed network: each subnet tells its hosts that the others lie behind its gateway.
//!
//! The routes are kept among those that users give, in the transaction that adds, changes or removes a subnet. A user's route that covers a subnet
//! stands for the server's. Also here: a subnet on a segment stays while it alone gives addresses to a port.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::{Arg, args};
use neutrino_model::{Body, Record};
use neutrino_types::{Kind, Result, cidr::Cidr};

const SUBNET_IN_USE: Kind = Kind::new("SubnetInUse", 409);

/// Destination and next hop.
type Route = (String, String);

#[derive(Clone, Debug)]
struct Subnet {
    id: String,
    cidr: String,
    gateway: Option<String>,
    version: i64,
    segment: Option<String>,
    routes: BTreeSet<Route>,
}

impl Subnet {
    fn is_peer(&self, other: &Self) -> bool {
        self.id != other.id && self.segment != other.segment && self.version == other.version
    }

    /// The routes that it shall have beside these peers.
    fn wanted(&self, all: &[Self], old_gateway: Option<&str>) -> BTreeSet<Route> {
        let mut routes = self.routes.clone();
        for peer in all.iter().filter(|peer| self.is_peer(peer)) {
            if let Some(old) = old_gateway {
                routes.remove(&(peer.cidr.clone(), old.to_owned()));
            }
        }
        let given: Vec<Cidr> = routes.iter().filter_map(|(to, _)| to.parse().ok()).collect();
        for peer in all.iter().filter(|peer| self.is_peer(peer)) {
            let Some(gateway) = &self.gateway else { continue };
            let covered = peer.cidr.parse::<Cidr>().is_ok_and(|cidr| given.iter().any(|route| route.contains_cidr(&cidr)));
            if !covered {
                routes.insert((peer.cidr.clone(), gateway.clone()));
            }
        }
        routes
    }
}

pub struct Routes;

#[async_trait]
impl Hook for Routes {
    async fn create(&self, op: &mut Op<'_>, _id: &str, body: &Body) -> Result<()> {
        if body.str("segment_id").is_none() {
            return Ok(());
        }
        let all = subnets(op, body.str("network_id").unwrap_or_default()).await?;
        for subnet in &all {
            write(op, subnet, &subnet.wanted(&all, None)).await?;
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let on_segment = body.get("segment_id").unwrap_or_else(|| original.get("segment_id")).is_string();
        let changes = |name: &str| body.get(name).is_some_and(|value| value != original.get(name));
        if !on_segment || !(changes("host_routes") || changes("gateway_ip")) {
            return Ok(());
        }
        let all = subnets(op, original.str("network_id")).await?;
        let Some(own) = all.iter().find(|subnet| subnet.id == original.id()) else { return Ok(()) };
        let old_gateway = original.opt_str("gateway_ip").filter(|_| changes("gateway_ip"));
        write(op, own, &own.wanted(&all, old_gateway)).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        if original.opt_str("segment_id").is_none() {
            return Ok(());
        }
        not_alone(op, original).await?;
        op.lock("networks", original.str("network_id")).await?;
        let mut all = subnets(op, original.str("network_id")).await?;
        all.retain(|subnet| subnet.id != original.id());
        for subnet in &all {
            let mut known = subnet.clone();
            if let Some(gateway) = &subnet.gateway {
                known.routes.remove(&(original.str("cidr").to_owned(), gateway.clone()));
            }
            write(op, subnet, &known.wanted(&all, None)).await?;
        }
        Ok(())
    }
}

/// A subnet whose addresses follow from the MAC goes with its addresses, but a port of a routed network must keep one.
async fn not_alone(op: &mut Op<'_>, subnet: &Record) -> Result<()> {
    let auto = |name: &str| matches!(subnet.str(name), "slaac" | "dhcpv6-stateless");
    if !auto("ipv6_address_mode") && !auto("ipv6_ra_mode") {
        return Ok(());
    }
    let sql = "SELECT a.port_id FROM ipallocations a JOIN ports p ON p.id = a.port_id WHERE a.subnet_id = ? \
               AND p.device_owner NOT IN ('network:dhcp', 'network:distributed', 'network:floatingip_agent_gateway') \
               AND NOT EXISTS (SELECT 1 FROM ipallocations o WHERE o.port_id = a.port_id AND o.subnet_id <> a.subnet_id) LIMIT 1";
    match op.tx.query_one(sql, args![subnet.id()]).await? {
        None => Ok(()),
        Some(row) => Err(SUBNET_IN_USE.error(format!(
            "Subnet {} is in use: port {} has addresses of it alone, on the segment {}.",
            subnet.id(),
            row.text(0)?,
            subnet.str("segment_id")
        ))),
    }
}

/// The subnets of a network with their routes, in two statements.
async fn subnets(op: &mut Op<'_>, network_id: &str) -> Result<Vec<Subnet>> {
    let sql = "SELECT id, cidr, gateway_ip, ip_version, segment_id FROM subnets WHERE network_id = ? ORDER BY id";
    let rows = op.tx.query(sql, args![network_id]).await?;
    let routes =
        "SELECT r.subnet_id, r.destination, r.nexthop FROM subnetroutes r JOIN subnets s ON s.id = r.subnet_id WHERE s.network_id = ?";
    let mut known: HashMap<String, BTreeSet<Route>> = HashMap::new();
    for row in op.tx.query(routes, args![network_id]).await? {
        known.entry(row.text(0)?).or_default().insert((row.text(1)?, row.text(2)?));
    }
    rows.iter()
        .map(|row| {
            let id = row.text(0)?;
            Ok(Subnet {
                routes: known.remove(&id).unwrap_or_default(),
                id,
                cidr: row.text(1)?,
                gateway: row.opt_text(2)?,
                version: row.int(3)?,
                segment: row.opt_text(4)?,
            })
        })
        .collect()
}

/// Writes what differs.
async fn write(op: &mut Op<'_>, subnet: &Subnet, wanted: &BTreeSet<Route>) -> Result<()> {
    for (destination, nexthop) in subnet.routes.difference(wanted) {
        let text = "DELETE FROM subnetroutes WHERE subnet_id = ? AND destination = ? AND nexthop = ?";
        op.tx.execute(text, args![&subnet.id, destination, nexthop]).await?;
    }
    let added: Vec<&Route> = wanted.difference(&subnet.routes).collect();
    for chunk in added.chunks(100) {
        let marks = vec!["(?, ?, ?)"; chunk.len()].join(", ");
        let values = chunk.iter().flat_map(|(to, via)| [Arg::from(to), Arg::from(via), Arg::from(&subnet.id)]).collect();
        op.tx.execute(&format!("INSERT INTO subnetroutes (destination, nexthop, subnet_id) VALUES {marks}"), values).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subnet(id: &str, cidr: &str, gateway: Option<&str>, segment: &str, routes: &[(&str, &str)]) -> Subnet {
        Subnet {
            id: id.to_owned(),
            cidr: cidr.to_owned(),
            gateway: gateway.map(str::to_owned),
            version: if cidr.contains(':') { 6 } else { 4 },
            segment: Some(segment.to_owned()),
            routes: routes.iter().map(|(to, via)| ((*to).to_owned(), (*via).to_owned())).collect(),
        }
    }

    fn wanted(subnet: &Subnet, all: &[Subnet], old: Option<&str>) -> Vec<String> {
        subnet.wanted(all, old).into_iter().map(|(to, via)| format!("{to} {via}")).collect()
    }

    #[test]
    fn peers_lie_behind_the_gateway() {
        let all = [
            subnet("a", "10.1.0.0/24", Some("10.1.0.1"), "s1", &[]),
            subnet("b", "10.2.0.0/24", Some("10.2.0.1"), "s2", &[("10.1.0.0/16", "10.2.0.9")]),
            subnet("c", "10.3.0.0/24", None, "s3", &[]),
            subnet("d", "10.4.0.0/24", Some("10.4.0.1"), "s1", &[]),
            subnet("e", "fd00::/64", Some("fd00::1"), "s2", &[]),
        ];
        assert_eq!(wanted(&all[0], &all, None), ["10.2.0.0/24 10.1.0.1", "10.3.0.0/24 10.1.0.1"]);
        // The user's own route covers the first peer.
        assert_eq!(wanted(&all[1], &all, None), ["10.1.0.0/16 10.2.0.9", "10.3.0.0/24 10.2.0.1", "10.4.0.0/24 10.2.0.1"]);
        assert!(wanted(&all[2], &all, None).is_empty());
        assert!(wanted(&all[4], &all, None).is_empty());
    }

    #[test]
    fn another_gateway_takes_the_routes_over() {
        let all = [
            subnet("a", "10.1.0.0/24", Some("10.1.0.2"), "s1", &[("10.2.0.0/24", "10.1.0.1"), ("9.9.9.0/24", "10.1.0.1")]),
            subnet("b", "10.2.0.0/24", Some("10.2.0.1"), "s2", &[]),
        ];
        assert_eq!(wanted(&all[0], &all, Some("10.1.0.1")), ["10.2.0.0/24 10.1.0.2", "9.9.9.0/24 10.1.0.1"]);
    }
}
