// SPDX-License-Identifier: Apache-2.0
//! Where distributed routers are: on each host that has a port to be served on one of their subnets, and, since their neighbours must
//! reach such ports, where the routers of the same networks are.
//!
//! Refuses to own: the central part of a router, which is scheduled, and telling agents. Each function costs one statement, however
//! many routers are asked about.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use neutrino_core::{
    Builder, Engine,
    agents::{self, L3},
};
use neutrino_db::{Row, Sql, Tx, args};
use neutrino_types::Result;
use oslo_config::{Config, Opt};

use crate::routers::{DISTRIBUTED_INTERFACE, GATEWAY};

pub static OPTIONS: &[Opt] = &[Opt::bool("DEFAULT", "host_dvr_for_dhcp")
    .default("true")
    .help("Whether distributed routers are also on hosts that have nothing but a DHCP port on their subnets.")];

const SUBPORT: &str = "trunk:subport";
const DHCP: &str = "network:dhcp";

/// What the operator says of distributed routers. A service of the registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served {
    for_dhcp: bool,
}

impl Served {
    /// Do distributed routers serve ports of this owner where they are bound?
    #[must_use]
    pub fn owner(self, owner: &str) -> bool {
        owner.starts_with("compute:") || owner == SUBPORT || (self.for_dhcp && owner == DHCP)
    }

    /// The same over the table `p`.
    fn condition(self) -> &'static str {
        match self.for_dhcp {
            true => "(p.device_owner LIKE 'compute:%' OR p.device_owner IN ('trunk:subport', 'network:dhcp'))",
            false => "(p.device_owner LIKE 'compute:%' OR p.device_owner = 'trunk:subport')",
        }
    }
}

pub fn register(builder: &mut Builder, config: &Config) {
    builder.service(Arc::new(Served { for_dhcp: config.bool("DEFAULT", "host_dvr_for_dhcp") }));
}

#[must_use]
pub fn served(engine: &Engine) -> Served {
    engine.registry.service::<Served>().map(|served| *served).unwrap_or_default()
}

fn pair(row: &Row) -> Result<(String, String)> {
    Ok((row.text(0)?, row.text(1)?))
}

/// A router with a host, or with another router.
pub type Pairs = BTreeSet<(String, String)>;

fn in_ids<'a>(tx: &Tx, column: &str, ids: impl IntoIterator<Item = &'a String>) -> Sql {
    Sql::in_texts(tx.dialect(), column, ids.into_iter().map(String::as_str))
}

/// Those of the routers that are distributed.
///
/// # Errors
/// The database's.
pub async fn distributed(tx: &mut Tx, routers: &[String]) -> Result<BTreeSet<String>> {
    let mut sql = Sql::new("SELECT router_id FROM router_extra_attributes WHERE distributed = ? AND ", args![true]);
    sql.append(in_ids(tx, "router_id", routers));
    tx.select(sql).await?.iter().map(|row| row.text(0)).collect()
}

/// Routers with the hosts that have ports to be served on their subnets.
///
/// # Errors
/// The database's.
pub async fn hosts<'a>(tx: &mut Tx, served: Served, routers: impl IntoIterator<Item = &'a String>) -> Result<Pairs> {
    let mut sql = Sql::new(
        format!(
            "SELECT DISTINCT rp.router_id, b.host FROM routerports rp JOIN ipallocations a ON a.port_id = rp.port_id \
             JOIN ipallocations x ON x.subnet_id = a.subnet_id JOIN ports p ON p.id = x.port_id \
             JOIN ml2_port_bindings b ON b.port_id = p.id WHERE rp.port_type <> ? AND b.host <> '' AND {} AND ",
            served.condition()
        ),
        args![GATEWAY],
    );
    sql.append(in_ids(tx, "rp.router_id", routers));
    tx.select(sql).await?.iter().map(pair).collect()
}

/// Routers with the other distributed routers that have an interface on one of their networks.
///
/// # Errors
/// The database's.
pub async fn neighbours<'a>(tx: &mut Tx, routers: impl IntoIterator<Item = &'a String>) -> Result<Pairs> {
    let mut sql = Sql::new(
        "SELECT DISTINCT m.router_id, o.router_id FROM routerports m JOIN ports mp ON mp.id = m.port_id \
         JOIN ports op ON op.network_id = mp.network_id JOIN routerports o ON o.port_id = op.id \
         WHERE o.port_type = ? AND o.router_id <> m.router_id AND ",
        args![DISTRIBUTED_INTERFACE],
    );
    sql.append(in_ids(tx, "m.router_id", routers));
    tx.select(sql).await?.iter().map(pair).collect()
}

/// The distributed routers with an interface on a subnet on which the host has a port to be served.
///
/// # Errors
/// The database's.
pub async fn on_host(tx: &mut Tx, served: Served, host: &str) -> Result<BTreeSet<String>> {
    let sql = format!(
        "SELECT DISTINCT rp.router_id FROM ml2_port_bindings b JOIN ports p ON p.id = b.port_id JOIN ipallocations x ON x.port_id = p.id \
         JOIN ipallocations a ON a.subnet_id = x.subnet_id JOIN routerports rp ON rp.port_id = a.port_id \
         WHERE b.host = ? AND rp.port_type = ? AND {}",
        served.condition()
    );
    tx.query(&sql, args![host, DISTRIBUTED_INTERFACE]).await?.iter().map(|row| row.text(0)).collect()
}

/// Those of the routers that have something to serve on a host now, or soon, since a port is moving there.
///
/// # Errors
/// The database's.
pub async fn needed_on<'a>(
    tx: &mut Tx,
    served: Served,
    host: &str,
    routers: impl IntoIterator<Item = &'a String>,
) -> Result<BTreeSet<String>> {
    // The profile is JSON text; a host's name in quotes is that host.
    let named = format!("%\"{}\"%", host.replace(['%', '_', '\\'], "_"));
    let mut sql = Sql::new(
        format!(
            "SELECT DISTINCT rp.router_id FROM routerports rp JOIN ipallocations a ON a.port_id = rp.port_id \
             JOIN ipallocations x ON x.subnet_id = a.subnet_id JOIN ports p ON p.id = x.port_id \
             JOIN ml2_port_bindings b ON b.port_id = p.id WHERE rp.port_type <> ? AND b.status = 'ACTIVE' \
             AND (b.host = ? OR b.profile LIKE ?) AND {} AND ",
            served.condition()
        ),
        args![GATEWAY, host, named],
    );
    sql.append(in_ids(tx, "rp.router_id", routers));
    tx.select(sql).await?.iter().map(|row| row.text(0)).collect()
}

/// Routers with all hosts where they are because of ports to be served: their own, and their neighbours'. Three statements.
///
/// # Errors
/// The database's.
pub async fn reach(tx: &mut Tx, served: Served, routers: &BTreeSet<String>) -> Result<Pairs> {
    let beside = neighbours(tx, routers).await?;
    let all: BTreeSet<String> = routers.iter().chain(beside.iter().map(|(_, other)| other)).cloned().collect();
    let mut by_router: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (router, host) in hosts(tx, served, &all).await? {
        by_router.entry(router).or_default().insert(host);
    }
    let mut found = Pairs::new();
    for router in routers {
        let others = beside.iter().filter(|(one, _)| one == router).map(|(_, other)| other);
        for place in std::iter::once(router).chain(others).filter_map(|known| by_router.get(known)).flatten() {
            found.insert((router.clone(), place.clone()));
        }
    }
    Ok(found)
}

/// The routers that an agent serves by its bindings.
///
/// # Errors
/// The database's.
pub async fn bound_to(tx: &mut Tx, agent_id: &str, only: &[String]) -> Result<BTreeSet<String>> {
    let mut sql = Sql::new("SELECT router_id FROM routerl3agentbindings WHERE l3_agent_id = ?", args![agent_id]);
    if !only.is_empty() {
        sql.push(" AND ").append(in_ids(tx, "router_id", only));
    }
    tx.select(sql).await?.iter().map(|row| row.text(0)).collect()
}

/// Of these hosts, those with an L3 agent that serves; with its configurations.
///
/// # Errors
/// The database's.
pub async fn agents_on<'a>(
    engine: &Engine,
    tx: &mut Tx,
    hosts: impl IntoIterator<Item = &'a String>,
) -> Result<BTreeMap<String, serde_json::Value>> {
    let mut sql = Sql::new("SELECT host, configurations FROM agents WHERE agent_type = ? AND ", args![L3]);
    if !agents::settings(engine).services_on_disabled {
        sql.push("admin_state_up = ").bind(true).push(" AND ");
    }
    sql.append(in_ids(tx, "host", hosts));
    let read = |row: &Row| Ok((row.text(0)?, serde_json::from_str(&row.opt_text(1)?.unwrap_or_default()).unwrap_or_default()));
    tx.select(sql).await?.iter().map(read).collect()
}
