// SPDX-License-Identifier: Apache-2.0
//! What `sync_routers` answers: routers with their ports, floating IPs and states, put together for one agent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neutrino_core::{
    Context, Engine,
    agents::{self, L3},
};
use neutrino_db::{Sql, Tx, args};
use neutrino_types::Result;
use serde_json::Value;

use super::{
    floating_ips,
    objects::{self, Object, is, text},
    wiring,
};
use crate::{
    l3_agent_scheduler::Mode,
    routers::{CENTRALIZED_SNAT, HA_INTERFACE, INTERFACE, INTERFACE_OWNERS},
};

pub const GATEWAY_PORT: &str = "gw_port";
pub const GATEWAY_HOST: &str = "gw_port_host";
pub const INTERFACES: &str = "_interfaces";
pub const SNAT_INTERFACES: &str = "_snat_router_interfaces";
pub const HA_PORT: &str = "_ha_interface";
const AGENT_GATEWAYS: &str = "_floatingip_agent_interfaces";
const HA_STATE: &str = "_ha_state";

pub const AGENT_GATEWAY: &str = "network:floatingip_agent_gateway";

/// The L3 agent that asks.
#[derive(Clone, Debug)]
pub struct Agent {
    pub id: String,
    pub host: String,
    pub mode: Mode,
    /// It has distributed routers, and none of their floating IPs.
    pub is_internal: bool,
    pub serves: bool,
}

impl Agent {
    /// The L3 agent of a host.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_host(engine: &Engine, tx: &mut Tx, host: &str) -> Result<Option<Self>> {
        let sql = "SELECT id, admin_state_up, configurations FROM agents WHERE agent_type = ? AND host = ?";
        let Some(row) = tx.query_one(sql, args![L3, host]).await? else { return Ok(None) };
        let configurations: Value = serde_json::from_str(&row.opt_text(2)?.unwrap_or_default()).unwrap_or_default();
        Ok(Some(Self {
            id: row.text(0)?,
            host: host.to_owned(),
            mode: Mode::of(&configurations),
            is_internal: Mode::is_internal(&configurations),
            serves: agents::may_serve(engine, row.bool(1)?),
        }))
    }

    pub fn is_distributed(&self) -> bool {
        self.mode != Mode::Legacy
    }
}

/// A router as the agent gets it.
#[derive(Debug, Default)]
pub struct Router {
    pub shown: Object,
    /// The host that said last that the router is active there, if its agent lives.
    pub active_host: Option<String>,
}

impl Router {
    pub fn id(&self) -> &str {
        text(&self.shown, "id")
    }
}

/// A port on the HA network of a router, and what its agent says.
struct Instance {
    router_id: String,
    port_id: Option<String>,
    host: String,
    state: String,
    alive: bool,
}

/// The routers with these ids that are up. A constant number of statements.
///
/// # Errors
/// The database's.
pub async fn data(engine: &Engine, cx: &Context, agent: &Agent, ids: &BTreeSet<String>) -> Result<Vec<Router>> {
    let mut routers: BTreeMap<String, Router> = BTreeMap::new();
    for mut shown in objects::by(engine, cx, "routers", "id", ids.iter().map(String::as_str)).await? {
        if is(&shown, "admin_state_up") {
            shown.remove("standard_attr_id");
            routers.insert(text(&shown, "id").to_owned(), Router { shown, ..Router::default() });
        }
    }
    if routers.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = engine.db.reader().await?;
    columns(&mut tx, &mut routers).await?;
    // What was deleted since the first look has no columns any more.
    routers.retain(|_, router| router.shown.contains_key("gw_port_id"));
    if routers.is_empty() {
        return Ok(Vec::new());
    }
    let instances = instances(engine, cx, &mut tx, &routers).await?;
    let plan = Plan::make(&mut tx, agent, &routers, &instances).await?;
    let served = served_by(&mut tx, &routers).await?;
    drop(tx);
    let mut ports: HashMap<String, Object> = HashMap::new();
    for port in objects::by(engine, cx, "ports", "id", plan.ports()).await? {
        ports.insert(text(&port, "id").to_owned(), port);
    }
    let mut tx = engine.db.reader().await?;
    let by_segment = engine.registry.has_extension("segment");
    wiring::fill(&mut tx, by_segment, &mut ports.values_mut().collect::<Vec<_>>()).await?;
    drop(tx);
    plan.place(&mut routers, &ports);
    for router in routers.values_mut() {
        let own: Vec<&Instance> = instances.iter().filter(|instance| instance.router_id == router.id()).collect();
        let host = gateway_host(router, &own, &served);
        router.active_host = own.iter().find(|instance| instance.state == "active" && instance.alive).map(|instance| instance.host.clone());
        router.shown.insert(GATEWAY_HOST.to_owned(), host.into());
        if let Some(here) = own.iter().find(|instance| instance.host == agent.host && instance.port_id.is_some()) {
            router.shown.insert(HA_STATE.to_owned(), here.state.clone().into());
        }
    }
    floating_ips::add(engine, cx, agent, &mut routers).await?;
    // The agent of a highly available router needs a port to watch the others by; what a DVR agent makes of it is its own affair.
    let complete = |router: &Router| agent.is_distributed() || !is(&router.shown, "ha") || router.shown.contains_key(HA_PORT);
    Ok(routers.into_values().filter(complete).collect())
}

fn ids(tx: &Tx, column: &str, routers: &BTreeMap<String, Router>) -> Sql {
    Sql::in_texts(tx.dialect(), column, routers.keys().map(String::as_str))
}

/// What the API does not show.
async fn columns(tx: &mut Tx, routers: &mut BTreeMap<String, Router>) -> Result<()> {
    let mut sql = Sql::raw(
        "SELECT r.id, r.enable_snat, r.gw_port_id, r.flavor_id, e.ha_vr_id, e.enable_default_route_ecmp, e.enable_default_route_bfd, \
         e.distributed, e.ha FROM routers r LEFT JOIN router_extra_attributes e ON e.router_id = r.id WHERE ",
    );
    sql.append(ids(tx, "r.id", routers));
    for row in tx.select(sql).await? {
        let Some(router) = routers.get_mut(&row.text(0)?) else { continue };
        let mut set = |name: &str, value: Value| router.shown.insert(name.to_owned(), value);
        set("enable_snat", row.opt_bool(1)?.unwrap_or(true).into());
        set("gw_port_id", row.opt_text(2)?.into());
        set("flavor_id", row.opt_text(3)?.into());
        set("ha_vr_id", row.opt_int(4)?.unwrap_or_default().into());
        for (at, name) in [(5, "enable_default_route_ecmp"), (6, "enable_default_route_bfd"), (7, "distributed"), (8, "ha")] {
            set(name, row.opt_bool(at)?.unwrap_or_default().into());
        }
    }
    Ok(())
}

async fn instances(engine: &Engine, cx: &Context, tx: &mut Tx, routers: &BTreeMap<String, Router>) -> Result<Vec<Instance>> {
    let alive_since = agents::settings(engine).alive_since(cx.now());
    let mut sql = Sql::new(
        "SELECT b.router_id, b.port_id, a.host, b.state, CASE WHEN a.admin_state_up = ? AND a.heartbeat_timestamp >= ? THEN 1 ELSE 0 END \
         FROM ha_router_agent_port_bindings b JOIN agents a ON a.id = b.l3_agent_id WHERE ",
        args![true, alive_since],
    );
    sql.append(ids(tx, "b.router_id", routers)).push(" ORDER BY b.router_id, b.port_id");
    let one = |row: &neutrino_db::Row| {
        let (router_id, port_id, host) = (row.text(0)?, row.opt_text(1)?, row.text(2)?);
        Ok(Instance { router_id, port_id, host, state: row.opt_text(3)?.unwrap_or_default(), alive: row.int(4)? > 0 })
    };
    tx.select(sql).await?.iter().map(one).collect()
}

/// The hosts of the agents that have the routers, the first of each.
async fn served_by(tx: &mut Tx, routers: &BTreeMap<String, Router>) -> Result<HashMap<String, String>> {
    let mut sql = Sql::raw("SELECT b.router_id, a.host FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id WHERE ");
    sql.append(ids(tx, "b.router_id", routers)).push(" ORDER BY b.router_id, b.binding_index");
    let mut hosts = HashMap::new();
    for row in tx.select(sql).await? {
        hosts.entry(row.text(0)?).or_insert(row.text(1)?);
    }
    Ok(hosts)
}

/// Where the central part of a router with a gateway is. A highly available one is where it says that it is active, and once its gateway
/// is up, only while that is there, too.
fn gateway_host(router: &Router, own: &[&Instance], served: &HashMap<String, String>) -> Option<String> {
    let gateway = router.shown.get(GATEWAY_PORT)?.as_object()?;
    if !is(&router.shown, "ha") {
        return served.get(router.id()).cloned();
    }
    let settled = text(gateway, "status") == "ACTIVE";
    let bound = text(gateway, "binding:host_id");
    let mut active = own.iter().filter(|instance| instance.state == "active" && instance.alive);
    active.find(|instance| !settled || instance.host == bound).map(|instance| instance.host.clone())
}

/// Which port goes where: a router, a key, and the port.
struct Plan {
    entries: Vec<(String, &'static str, String)>,
    agent_gateways: Vec<String>,
    distributed: bool,
}

impl Plan {
    async fn make(tx: &mut Tx, agent: &Agent, routers: &BTreeMap<String, Router>, instances: &[Instance]) -> Result<Self> {
        let distributed = agent.is_distributed();
        let mut plan = Self { entries: Vec::new(), agent_gateways: Vec::new(), distributed };
        for (id, router) in routers {
            if let Some(port) = router.shown["gw_port_id"].as_str() {
                plan.entries.push((id.clone(), GATEWAY_PORT, port.to_owned()));
            }
        }
        let interfaces: &[&str] = if distributed { INTERFACE_OWNERS } else { &[INTERFACE, HA_INTERFACE] };
        let mut sql = Sql::raw("SELECT router_id, port_id, port_type FROM routerports WHERE ");
        sql.append(ids(tx, "router_id", routers)).push(" ORDER BY router_id, port_id");
        for row in tx.select(sql).await? {
            let (router, port, kind) = (row.text(0)?, row.text(1)?, row.opt_text(2)?.unwrap_or_default());
            let leads_out = routers.get(&router).is_some_and(|router| router.shown["gw_port_id"].is_string());
            if interfaces.contains(&kind.as_str()) {
                plan.entries.push((router, INTERFACES, port));
            } else if distributed && leads_out && kind == CENTRALIZED_SNAT {
                plan.entries.push((router, SNAT_INTERFACES, port));
            }
        }
        for instance in instances.iter().filter(|instance| instance.host == agent.host) {
            if let Some(port) = &instance.port_id {
                plan.entries.push((instance.router_id.clone(), HA_PORT, port.clone()));
            }
        }
        if distributed {
            let sql = "SELECT id FROM ports WHERE device_id = ? AND device_owner = ? ORDER BY id";
            for row in tx.query(sql, args![&agent.id, AGENT_GATEWAY]).await? {
                plan.agent_gateways.push(row.text(0)?);
            }
        }
        Ok(plan)
    }

    fn ports(&self) -> BTreeSet<&str> {
        self.entries.iter().map(|(_, _, port)| port).chain(&self.agent_gateways).map(String::as_str).collect()
    }

    fn place(&self, routers: &mut BTreeMap<String, Router>, ports: &HashMap<String, Object>) {
        for router in routers.values_mut().filter(|router| self.distributed && router.shown["gw_port_id"].is_string()) {
            let gateways: Vec<Value> = self.agent_gateways.iter().filter_map(|id| ports.get(id)).cloned().map(Value::Object).collect();
            router.shown.insert(AGENT_GATEWAYS.to_owned(), gateways.into());
            router.shown.insert(SNAT_INTERFACES.to_owned(), Value::Array(Vec::new()));
        }
        for (id, key, port) in &self.entries {
            let (Some(router), Some(port)) = (routers.get_mut(id), ports.get(port)) else { continue };
            let port = Value::Object(port.clone());
            if *key == GATEWAY_PORT || *key == HA_PORT {
                router.shown.insert((*key).to_owned(), port);
            } else if let Some(list) = router.shown.entry(*key).or_insert_with(|| Value::Array(Vec::new())).as_array_mut() {
                list.push(port);
            }
        }
    }
}
