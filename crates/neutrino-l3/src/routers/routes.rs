// SPDX-License-Identifier: Apache-2.0
//! Extra routes: destinations behind machines on the router's own subnets.
//!
//! Rules: a next hop is on a subnet that the router is plugged into, and is none of its own addresses; at most as many as the quota `router_route` of its project says.

use neutrino_core::Op;
use neutrino_db::args;
use neutrino_types::{Error, Result, cidr::Cidr, ip::Ip};
use serde_json::{Value, json};

use super::{attached, errors::INVALID_ROUTES};

pub(crate) const ROUTES: &str = "routes";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub destination: String,
    pub nexthop: String,
}

impl Route {
    /// In canonical spelling; what is no route was refused by the attribute's validator, or is refused here.
    fn read(value: &Value) -> Result<Self> {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let (destination, nexthop) = (text("destination"), text("nexthop"));
        let wrong = |what: &str, text: &str| INVALID_ROUTES.error(format!("Invalid routes: the {what} '{text}' is none."));
        let (_, cidr) = Cidr::parse_with_address(&destination).map_err(|_| wrong("destination", &destination))?;
        let hop: Ip = nexthop.parse().map_err(|_| wrong("nexthop", &nexthop))?;
        Ok(Self { destination: cidr.to_string(), nexthop: hop.to_string() })
    }

    fn hop(&self) -> Result<Ip> {
        self.nexthop.parse().map_err(|_| Error::internal(format!("a route with the next hop {}", self.nexthop)))
    }
}

/// The routes that a request names; one named twice counts once.
pub(crate) fn read(values: &[Value]) -> Result<Vec<Route>> {
    let mut routes = Vec::new();
    for value in values {
        let route = Route::read(value)?;
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    Ok(routes)
}

/// The router's routes.
pub(crate) async fn of(op: &mut Op<'_>, router_id: &str) -> Result<Vec<Route>> {
    let sql = "SELECT destination, nexthop FROM routerroutes WHERE router_id = ? ORDER BY destination, nexthop";
    let rows = op.tx.query(sql, args![router_id]).await?;
    rows.iter().map(|row| Ok(Route { destination: row.text(0)?, nexthop: row.text(1)? })).collect()
}

/// Where next hops may be.
#[derive(Debug, Default)]
pub(crate) struct Places {
    pub cidrs: Vec<Cidr>,
    own: Vec<Ip>,
}

impl Places {
    /// Of every port but one that is about to change.
    pub async fn without(op: &mut Op<'_>, router_id: &str, port_id: Option<&str>) -> Result<Self> {
        let ports = attached::ports(op, router_id).await?;
        let counted = ports.iter().filter(|port| Some(port.port_id.as_str()) != port_id);
        let addresses: Vec<&(String, Ip)> = counted.flat_map(|port| &port.addresses).collect();
        let ids: Vec<&str> = addresses.iter().map(|(subnet, _)| subnet.as_str()).collect();
        let cidrs = attached::subnets(op, &ids).await?.into_iter().map(|subnet| subnet.cidr).collect();
        Ok(Self { cidrs, own: addresses.iter().map(|(_, address)| *address).collect() })
    }

    /// # Errors
    /// `InvalidRoutes`.
    pub fn check(&self, routes: &[Route]) -> Result<()> {
        for route in routes {
            let hop = route.hop()?;
            let refuse =
                |reason: &str| Err(INVALID_ROUTES.error(format!("Invalid routes: {} via {}: {reason}.", route.destination, route.nexthop)));
            if !self.cidrs.iter().any(|cidr| cidr.contains(hop)) {
                return refuse("the nexthop is not connected with the router");
            }
            if self.own.contains(&hop) {
                return refuse("the nexthop is used by the router itself");
            }
        }
        Ok(())
    }
}

/// Makes these the router's routes. Whether anything changed.
///
/// # Errors
/// `InvalidRoutes`, `OverQuota`; the database's.
pub(crate) async fn replace(op: &mut Op<'_>, router_id: &str, routes: &[Route]) -> Result<bool> {
    Places::without(op, router_id, None).await?.check(routes)?;
    let (project_id, _) = super::rules::facts(op, router_id).await?;
    op.reserve("router_route", &project_id, i64::try_from(routes.len()).unwrap_or(i64::MAX)).await?;
    let old = of(op, router_id).await?;
    for route in old.iter().filter(|route| !routes.contains(route)) {
        let sql = "DELETE FROM routerroutes WHERE router_id = ? AND destination = ? AND nexthop = ?";
        op.tx.execute(sql, args![router_id, &route.destination, &route.nexthop]).await?;
    }
    for route in routes.iter().filter(|route| !old.contains(route)) {
        let columns = vec![
            ("destination", route.destination.as_str().into()),
            ("nexthop", route.nexthop.as_str().into()),
            ("router_id", router_id.into()),
        ];
        op.insert_row("routerroutes", columns).await?;
    }
    Ok(old.len() != routes.len() || old.iter().any(|route| !routes.contains(route)))
}

/// The first route whose next hop is in this subnet.
pub(crate) async fn through(op: &mut Op<'_>, router_id: &str, cidr: &Cidr) -> Result<Option<Route>> {
    let routes = of(op, router_id).await?;
    Ok(routes.into_iter().find(|route| route.hop().is_ok_and(|hop| cidr.contains(hop))))
}

pub(crate) fn shown(destination: &str, nexthop: &str) -> Value {
    json!({"destination": destination, "nexthop": nexthop})
}
