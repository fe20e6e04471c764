// SPDX-License-Identifier: Apache-2.0
//! What the agents on a trunk's host say and ask (`neutron/services/trunk/rpc/server.py`): the sub-ports are to follow the parent to its host, and
//! the trunk is wired.

use std::collections::HashMap;

use neutrino_core::{
    Context, Engine, RpcEndpoint, listing,
    rpc::{self, Args},
};
use neutrino_db::Sql;
use neutrino_types::{Result, error::kinds};
use serde_json::{Map, Value};

use super::{BUILD, DEGRADED, ERROR, bind};

const TOPIC: &str = "trunk";
/// The statuses that an agent may bring a trunk to.
const STATUSES: [&str; 5] = ["ACTIVE", super::DOWN, BUILD, DEGRADED, ERROR];

pub static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &[TOPIC],
    namespace: Some(TOPIC),
    version: (1, 0),
    methods: &[
        ("update_subport_bindings", |engine, cx, args| Box::pin(update_subport_bindings(engine, cx, args))),
        ("update_trunk_status", |engine, cx, args| Box::pin(update_trunk_status(engine, cx, args))),
    ],
};

async fn update_trunk_status(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let (trunk, status) = (rpc::text(args, "trunk_id")?, rpc::text(args, "status")?);
    if !STATUSES.contains(&status) {
        let status: String = status.chars().take(32).collect();
        return Err(kinds::INVALID_INPUT.error(format!("A trunk has no status '{status}'; there are {}.", STATUSES.join(", "))));
    }
    bind::set_status(engine, cx, trunk, status).await?;
    Ok(Value::Null)
}

/// The ports that the call names, by trunk, in its order.
fn by_trunk(args: &Args) -> Result<Vec<(String, Vec<String>)>> {
    let wrong = || kinds::INVALID_INPUT.error("The call has no list 'subports' of objects with trunk_id and port_id.");
    let mut trunks: Vec<(String, Vec<String>)> = Vec::new();
    for one in args.get("subports").and_then(Value::as_array).ok_or_else(wrong)? {
        let (Some(trunk), Some(port)) = (one["trunk_id"].as_str(), one["port_id"].as_str()) else { return Err(wrong()) };
        match trunks.iter_mut().find(|(known, _)| known == trunk) {
            Some((_, ports)) => ports.push(port.to_owned()),
            None => trunks.push((trunk.to_owned(), vec![port.to_owned()])),
        }
    }
    Ok(trunks)
}

/// The host that the parent of each trunk is on, or on its way to.
async fn hosts(engine: &Engine, trunks: &[(String, Vec<String>)]) -> Result<HashMap<String, String>> {
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::raw(
        "SELECT t.id, b.host, b.profile FROM trunks t LEFT JOIN ml2_port_bindings b ON b.port_id = t.port_id AND b.status = 'ACTIVE' WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "t.id", trunks.iter().map(|(trunk, _)| trunk.as_str())));
    let mut hosts = HashMap::new();
    for row in tx.select(sql).await? {
        let profile: Value = row.opt_text(2)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let host = match profile["migrating_to"].as_str().filter(|host| !host.is_empty()) {
            Some(there) => there.to_owned(),
            None => row.opt_text(1)?.unwrap_or_default(),
        };
        hosts.insert(row.text(0)?, host);
    }
    Ok(hosts)
}

/// The trunk that each of these ports belongs to. Which it is may have changed since the agent was told.
async fn owners(engine: &Engine, trunks: &[(String, Vec<String>)]) -> Result<HashMap<String, String>> {
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::raw("SELECT port_id, trunk_id FROM subports WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "port_id", trunks.iter().flat_map(|(_, ports)| ports.iter().map(String::as_str))));
    let rows = tx.select(sql).await?;
    rows.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

async fn update_subport_bindings(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let trunks = by_trunk(args)?;
    let (hosts, owners) = (hosts(engine, &trunks).await?, owners(engine, &trunks).await?);
    let mut answer = Map::new();
    for (trunk, ports) in trunks {
        let Some(host) = hosts.get(&trunk) else { continue };
        // Until the agent says that all is wired.
        bind::set_status(engine, cx, &trunk, BUILD).await?;
        let of_trunk: Vec<String> = ports.iter().filter(|port| owners.get(*port) == Some(&trunk)).cloned().collect();
        let bound = bind::bind_ports(engine, cx, &trunk, &of_trunk, host).await?;
        let mut updated = bound.iter().map(listing::dict).collect::<Result<Vec<_>>>()?;
        if bound.iter().any(|port| port.str("binding:vif_type") == "binding_failed") {
            bind::set_status(engine, cx, &trunk, ERROR).await?;
            updated.clear();
        } else if bound.len() != ports.len() {
            bind::set_status(engine, cx, &trunk, DEGRADED).await?;
        }
        answer.insert(trunk, updated.into());
    }
    Ok(answer.into())
}
