// SPDX-License-Identifier: Apache-2.0
//! What the driver asks the database: ports with their segments, hosts with their tunnels, and who is where. A constant number of statements
//! however many ports, networks or hosts.
//!
//! A port of a highly available router counts on every host that runs the router, whatever its binding says; a distributed one on every host
//! that it is bound to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::NaiveDateTime;
use neutrino_db::{Sql, Tx, args};
use neutrino_types::Result;
use serde_json::Value;

use super::{
    super::portbindings::DVR_INTERFACE,
    entries::{Entry, flooding},
};

const HA_INTERFACE: &str = "network:ha_router_replicated_interface";
const SNAT: &str = "network:router_centralized_snat";

/// Is the port one of a router that runs on several hosts?
const ON_HA_ROUTER: &str = "(p.device_owner IN ('network:ha_router_replicated_interface', 'network:router_centralized_snat') \
    AND EXISTS (SELECT 1 FROM ha_router_agent_port_bindings h WHERE h.router_id = p.device_id))";

/// What tells the networks in tunnels apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    pub network_type: String,
    pub segmentation_id: Option<i64>,
}

/// Where a host's tunnels end, and what they carry.
#[derive(Clone, Debug)]
pub struct Tunnel {
    pub ip: String,
    types: Vec<String>,
}

impl Tunnel {
    pub fn reaches(&self, segment: &Segment) -> bool {
        self.types.contains(&segment.network_type)
    }
}

/// A port on a host.
#[derive(Clone, Debug)]
pub struct Subject {
    pub id: String,
    pub network_id: String,
    pub mac: String,
    pub owner: String,
    pub device_id: String,
    /// Of the ACTIVE binding.
    pub host: Option<String>,
    /// Of a router that is highly available.
    pub ha: bool,
    /// The lowest that it is bound to; of a distributed port, on the asking host.
    pub segment: Option<Segment>,
    pub addresses: Vec<String>,
}

impl Subject {
    pub fn is_distributed(&self) -> bool {
        self.owner == DVR_INTERFACE
    }

    pub fn is_of_router(&self) -> bool {
        self.owner.starts_with("network:") && !self.device_id.is_empty()
    }

    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.addresses.iter().map(|ip| (self.mac.clone(), ip.clone()))
    }
}

/// The tunnels of hosts, by host; those without are left out.
///
/// # Errors
/// The database's.
pub async fn tunnels(tx: &mut Tx, hosts: &[&str]) -> Result<BTreeMap<String, Tunnel>> {
    let mut all = BTreeMap::new();
    if hosts.is_empty() {
        return Ok(all);
    }
    let mut sql = Sql::raw("SELECT host, configurations FROM agents WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "host", hosts.iter().copied())).push(" ORDER BY id");
    for row in tx.select(sql).await? {
        let said: Value = serde_json::from_str(&row.text(1)?).unwrap_or_default();
        let Some(ip) = said["tunneling_ip"].as_str().filter(|ip| !ip.is_empty()) else { continue };
        let types = said["l2pop_network_types"].as_array().or_else(|| said["tunnel_types"].as_array());
        let types = types.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        all.entry(row.text(0)?).or_insert_with(|| Tunnel { ip: ip.to_owned(), types });
    }
    Ok(all)
}

/// The lowest segment that a port is bound to on a host.
///
/// # Errors
/// The database's.
pub async fn segment(tx: &mut Tx, port_id: &str, host: &str) -> Result<Option<Segment>> {
    let text = "SELECT s.network_type, s.segmentation_id FROM ml2_port_binding_levels l JOIN networksegments s ON s.id = l.segment_id \
                WHERE l.port_id = ? AND l.host = ? ORDER BY l.level DESC LIMIT 1";
    let row = tx.query_one(text, args![port_id, host]).await?;
    row.map(|row| Ok(Segment { network_type: row.text(0)?, segmentation_id: row.opt_int(1)? })).transpose()
}

/// Ports as a host has them. Two statements.
///
/// # Errors
/// The database's.
pub async fn subjects(tx: &mut Tx, ids: &[&str], host: &str) -> Result<Vec<Subject>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::new(
        "SELECT p.id, p.network_id, p.mac_address, p.device_owner, p.device_id, b.host, x.ha, s.network_type, s.segmentation_id FROM ports p \
         LEFT JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
         LEFT JOIN router_extra_attributes x ON x.router_id = p.device_id \
         LEFT JOIN ml2_port_binding_levels l ON l.port_id = p.id AND l.host = CASE WHEN p.device_owner = ? THEN ? ELSE b.host END \
         LEFT JOIN networksegments s ON s.id = l.segment_id WHERE ",
        args![DVR_INTERFACE, host],
    );
    sql.append(Sql::in_texts(tx.dialect(), "p.id", ids.iter().copied())).push(" ORDER BY p.id, l.level");
    let mut all: Vec<Subject> = Vec::new();
    for row in tx.select(sql).await? {
        let (id, owner) = (row.text(0)?, row.text(3)?);
        let ha = owner == HA_INTERFACE || (owner == SNAT && row.opt_bool(6)?.unwrap_or_default());
        let network_type = row.opt_text(7)?;
        let segmentation_id = row.opt_int(8)?;
        let segment = network_type.map(|network_type| Segment { network_type, segmentation_id });
        match all.last_mut().filter(|last| last.id == id) {
            // A lower level.
            Some(last) => last.segment = segment,
            None => all.push(Subject {
                id,
                network_id: row.text(1)?,
                mac: row.text(2)?,
                owner,
                device_id: row.text(4)?,
                host: row.opt_text(5)?,
                ha,
                segment,
                addresses: Vec::new(),
            }),
        }
    }
    let mut held = addresses(tx, all.iter().map(|subject| subject.id.as_str())).await?;
    for subject in &mut all {
        subject.addresses = held.remove(&subject.id).unwrap_or_default();
    }
    Ok(all)
}

async fn addresses<'a>(tx: &mut Tx, ids: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Vec<String>>> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    let mut sql = Sql::raw("SELECT port_id, ip_address FROM ipallocations WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "port_id", ids)).push(" ORDER BY port_id, ip_address");
    for row in tx.select(sql).await? {
        all.entry(row.text(0)?).or_default().push(row.text(1)?);
    }
    Ok(all)
}

/// How many ACTIVE ports hosts have on networks, by (network, host); none is left out. `without` does not count.
///
/// # Errors
/// The database's.
pub async fn active_ports(
    tx: &mut Tx,
    networks: &BTreeSet<&str>,
    hosts: &[&str],
    without: Option<&str>,
) -> Result<HashMap<(String, String), i64>> {
    let dialect = tx.dialect();
    let mut sql = Sql::raw("SELECT c.network_id, c.host, count(*) FROM (");
    let on = |sql: &mut Sql, host: &str| {
        sql.append(Sql::in_texts(dialect, "p.network_id", networks.iter().copied())).push(" AND ");
        sql.append(Sql::in_texts(dialect, host, hosts.iter().copied()));
        if let Some(id) = without {
            sql.push(" AND p.id <> ").bind(id);
        }
    };
    sql.push(
        "SELECT p.network_id, b.host, p.id FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
         WHERE p.status = 'ACTIVE' AND p.device_owner <> ",
    );
    sql.bind(DVR_INTERFACE).push(" AND NOT ").push(ON_HA_ROUTER).push(" AND ");
    on(&mut sql, "b.host");
    sql.push(
        " UNION ALL SELECT p.network_id, d.host, p.id FROM ports p JOIN ml2_distributed_port_bindings d ON d.port_id = p.id \
         WHERE d.status = 'ACTIVE' AND p.device_owner = ",
    );
    sql.bind(DVR_INTERFACE).push(" AND ");
    on(&mut sql, "d.host");
    sql.push(
        " UNION ALL SELECT p.network_id, a.host, p.id FROM ports p JOIN ha_router_agent_port_bindings h ON h.router_id = p.device_id \
         JOIN agents a ON a.id = h.l3_agent_id WHERE p.status = 'ACTIVE' \
         AND p.device_owner IN ('network:ha_router_replicated_interface', 'network:router_centralized_snat') AND ",
    );
    on(&mut sql, "a.host");
    sql.push(") c GROUP BY c.network_id, c.host");
    let mut counts = HashMap::new();
    for row in tx.select(sql).await? {
        counts.insert((row.text(0)?, row.text(1)?), row.int(2)?);
    }
    Ok(counts)
}

/// The ports that are up and changed since then, with each host where they are. One statement.
///
/// # Errors
/// The database's.
pub async fn up_since(tx: &mut Tx, since: NaiveDateTime) -> Result<Vec<(String, String)>> {
    let changed = "JOIN standardattributes s ON s.id = p.standard_attr_id WHERE s.updated_at >= ";
    let mut sql =
        Sql::raw("SELECT p.id, b.host FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' AND b.host <> '' ");
    sql.push(changed).bind(since).push(" AND p.status = 'ACTIVE' AND p.device_owner <> ").bind(DVR_INTERFACE);
    sql.push(" AND NOT ").push(ON_HA_ROUTER);
    sql.push(" UNION SELECT p.id, d.host FROM ports p JOIN ml2_distributed_port_bindings d ON d.port_id = p.id AND d.status = 'ACTIVE' ");
    sql.push(changed).bind(since).push(" AND p.device_owner = ").bind(DVR_INTERFACE);
    sql.push(
        " UNION SELECT p.id, a.host FROM ports p JOIN ha_router_agent_port_bindings h ON h.router_id = p.device_id \
         JOIN agents a ON a.id = h.l3_agent_id ",
    );
    sql.push(changed).bind(since).push(
        " AND p.status = 'ACTIVE' AND p.device_owner IN ('network:ha_router_replicated_interface', 'network:router_centralized_snat')",
    );
    tx.select(sql).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

/// What a host has to know of a network: entries by the address of each tunnel.
pub type Tables = HashMap<String, BTreeMap<String, Vec<Entry>>>;

/// What a host has to know of networks. Four statements.
///
/// # Errors
/// The database's.
pub async fn tables(tx: &mut Tx, networks: &BTreeSet<&str>, for_host: &str) -> Result<Tables> {
    let dialect = tx.dialect();
    let mut sql = Sql::new(
        "SELECT p.network_id, b.host, p.id, p.mac_address FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
         WHERE p.status = 'ACTIVE' AND b.host <> ? AND p.device_owner <> ? AND ",
        args![for_host, DVR_INTERFACE],
    );
    sql.append(Sql::in_texts(dialect, "p.network_id", networks.iter().copied())).push(" AND NOT ").push(ON_HA_ROUTER);
    sql.push(" ORDER BY p.id");
    let mut ports = Vec::new();
    for row in tx.select(sql).await? {
        ports.push((row.text(0)?, row.text(1)?, row.text(2)?, row.text(3)?));
    }
    let mut sql = Sql::new(
        "SELECT p.network_id, d.host FROM ports p JOIN ml2_distributed_port_bindings d ON d.port_id = p.id \
         WHERE p.status = 'ACTIVE' AND p.device_owner = ? AND ",
        args![DVR_INTERFACE],
    );
    sql.append(Sql::in_texts(dialect, "p.network_id", networks.iter().copied())).push(
        " UNION SELECT p.network_id, a.host FROM ports p JOIN ha_router_agent_port_bindings h ON h.router_id = p.device_id \
         JOIN agents a ON a.id = h.l3_agent_id WHERE p.status = 'ACTIVE' \
         AND p.device_owner IN ('network:ha_router_replicated_interface', 'network:router_centralized_snat') AND ",
    );
    sql.append(Sql::in_texts(dialect, "p.network_id", networks.iter().copied()));
    let mut flooded: BTreeSet<(String, String)> = ports.iter().map(|port| (port.0.clone(), port.1.clone())).collect();
    for row in tx.select(sql).await? {
        flooded.insert((row.text(0)?, row.text(1)?));
    }
    flooded.retain(|(_, host)| host != for_host);
    let hosts: BTreeSet<&str> = flooded.iter().map(|(_, host)| host.as_str()).collect();
    let tunnels = tunnels(tx, &hosts.into_iter().collect::<Vec<_>>()).await?;
    let mut held = addresses(tx, ports.iter().map(|port| port.2.as_str())).await?;
    let mut tables = Tables::new();
    for (network, host) in flooded {
        let Some(tunnel) = tunnels.get(&host) else { continue };
        tables.entry(network).or_default().entry(tunnel.ip.clone()).or_insert_with(|| vec![flooding()]);
    }
    for (network, host, id, mac) in ports {
        let Some(tunnel) = tunnels.get(&host) else { continue };
        if let Some(list) = tables.get_mut(&network).and_then(|table| table.get_mut(&tunnel.ip)) {
            list.extend(held.remove(&id).unwrap_or_default().into_iter().map(|ip| (mac.clone(), ip)));
        }
    }
    Ok(tables)
}

/// The hosts that a distributed port is bound to.
///
/// # Errors
/// The database's.
pub async fn hosts_of_distributed(tx: &mut Tx, port_id: &str) -> Result<Vec<String>> {
    let rows = tx.query("SELECT host FROM ml2_distributed_port_bindings WHERE port_id = ? ORDER BY host", args![port_id]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}

/// The hosts that run a highly available router.
///
/// # Errors
/// The database's.
pub async fn ha_hosts(tx: &mut Tx, router_id: &str) -> Result<Vec<String>> {
    let text = "SELECT DISTINCT a.host FROM ha_router_agent_port_bindings h JOIN agents a ON a.id = h.l3_agent_id WHERE h.router_id = ?";
    tx.query(text, args![router_id]).await?.iter().map(|row| row.text(0)).collect()
}

/// Of these routers, those that are scheduled to a host.
///
/// # Errors
/// The database's.
pub async fn routers_on(tx: &mut Tx, host: &str, routers: &BTreeSet<&str>) -> Result<BTreeSet<String>> {
    if routers.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = Sql::new(
        "SELECT r.router_id FROM routerl3agentbindings r JOIN agents a ON a.id = r.l3_agent_id WHERE a.host = ? AND ",
        args![host],
    );
    sql.append(Sql::in_texts(tx.dialect(), "r.router_id", routers.iter().copied()));
    tx.select(sql).await?.iter().map(|row| row.text(0)).collect()
}
