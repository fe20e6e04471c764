// SPDX-License-Identifier: Apache-2.0
//! Networks as DHCP agents get them: with their subnets that have DHCP, all their ports, and, of routed networks, what lies on other hosts.

use std::collections::{BTreeSet, HashMap};

use futures::future::BoxFuture;
use neutrino_core::{
    Context, Engine, Filter, ListQuery, listing,
    rpc::{self, Args},
};
use neutrino_db::{Row, Sql, Tx, args};
use neutrino_types::Result;
use serde_json::{Map, Value, json};

use super::super::{auto_schedule, scheduler};
use crate::agents;

/// The networks that the agent of `host` serves; those that lack an agent are given to it first.
pub fn get_active_networks_info<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let host = rpc::text(args, "host")?;
        let with_dhcp = args.get("enable_dhcp_filter").and_then(Value::as_bool).unwrap_or(true).then_some(true);
        if scheduler(engine).is_some_and(|rules| rules.auto_schedule) {
            auto_schedule(engine, cx, host).await?;
        }
        let Some(condition) = active(engine, host).await? else { return Ok(json!([])) };
        Ok(Value::Array(infos(engine, cx, condition, host, with_dhcp).await?))
    })
}

/// One network, whether the agent serves it or not; null when it is gone. `enable_dhcp`: only subnets with it, or without; null for all.
pub fn get_network_info<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let host = args.get("host").and_then(Value::as_str).unwrap_or_default();
        let condition = Sql::new("n.id = ?", args![rpc::text(args, "network_id")?]);
        let with_dhcp = match args.get("enable_dhcp") {
            None => Some(true),
            Some(asked) => asked.as_bool(),
        };
        Ok(infos(engine, cx, condition, host, with_dhcp).await?.pop().unwrap_or_default())
    })
}

/// Which networks `n` the agent of a host shall serve; `None` when there is no such agent, or it is switched off.
async fn active(engine: &Engine, host: &str) -> Result<Option<Sql>> {
    let sql = "SELECT id, admin_state_up FROM agents WHERE agent_type = ? AND host = ?";
    let row = engine.db.reader().await?.query_one(sql, args![agents::DHCP, host]).await?;
    let Some(row) = row else { return Ok(None) };
    let Some(_) = scheduler(engine) else {
        // Without scheduling every agent serves all networks.
        return Ok(row.bool(1)?.then(|| Sql::new("n.admin_state_up = ?", args![true])));
    };
    if !row.bool(1)? && !agents::settings(engine).services_on_disabled {
        return Ok(None);
    }
    let text = "n.admin_state_up = ? AND n.id IN (SELECT b.network_id FROM networkdhcpagentbindings b WHERE b.dhcp_agent_id = ?)";
    Ok(Some(Sql::new(text, args![true, row.text(0)?])))
}

struct Network {
    id: String,
    project_id: Option<String>,
    admin_state_up: bool,
    mtu: i64,
}

async fn networks(tx: &mut Tx, condition: Sql) -> Result<Vec<Network>> {
    let mut sql = Sql::raw("SELECT n.id, n.project_id, n.admin_state_up, n.mtu FROM networks n WHERE ");
    sql.append(condition).push(" ORDER BY n.id");
    let one = |row: &Row| Ok(Network { id: row.text(0)?, project_id: row.opt_text(1)?, admin_state_up: row.bool(2)?, mtu: row.int(3)? });
    tx.select(sql).await?.iter().map(one).collect()
}

async fn infos(engine: &Engine, cx: &Context, condition: Sql, host: &str, with_dhcp: Option<bool>) -> Result<Vec<Value>> {
    let networks = networks(&mut engine.db.reader().await?, condition).await?;
    if networks.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = networks.iter().map(|network| network.id.as_str()).collect();
    let mut ports = of_networks(engine, cx, "ports", &ids).await?;
    let mut subnets = of_networks(engine, cx, "subnets", &ids).await?;
    if let Some(with_dhcp) = with_dhcp {
        for list in subnets.values_mut() {
            list.retain(|subnet| subnet["enable_dhcp"].as_bool() == Some(with_dhcp));
        }
    }
    let routed: BTreeSet<&str> = subnets.iter().filter(|(_, list)| is_routed(list)).map(|(id, _)| id.as_str()).collect();
    let mut segments = match engine.registry.has_extension("segment") && !routed.is_empty() {
        true => segments(&mut engine.db.reader().await?, &routed).await?,
        false => HashMap::new(),
    };
    let info = |network: Network| {
        let subnets = subnets.remove(&network.id).unwrap_or_default();
        let segments = segments.remove(&network.id).unwrap_or_default();
        let (local, elsewhere) = apart(subnets, &segments, host);
        let mut info = json!({
            "id": network.id, "project_id": network.project_id, "admin_state_up": network.admin_state_up, "mtu": network.mtu,
            "subnets": local, "non_local_subnets": elsewhere, "ports": ports.remove(&network.id).unwrap_or_default(),
        });
        if !segments.is_empty() {
            info["segments"] = Value::Array(segments);
        }
        info
    };
    Ok(networks.into_iter().map(info).collect())
}

/// Objects by their network, in the order of their ids: the agent numbers them by their place.
async fn of_networks(engine: &Engine, cx: &Context, collection: &str, ids: &[&str]) -> Result<HashMap<String, Vec<Value>>> {
    let mut query = ListQuery::default();
    if let Some(attribute) = engine.entry(collection)?.table.find("network_id") {
        query.filters.push(Filter { attribute, values: ids.iter().map(|id| (*id).into()).collect() });
    }
    let mut found = listing::for_agents(engine, cx, collection, &query).await?;
    found.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
    let mut by_network: HashMap<String, Vec<Value>> = HashMap::new();
    for object in found {
        by_network.entry(object["network_id"].as_str().unwrap_or_default().to_owned()).or_default().push(object);
    }
    Ok(by_network)
}

fn is_routed(subnets: &[Value]) -> bool {
    subnets.iter().any(|subnet| subnet["segment_id"].is_string())
}

/// The subnets that a host reaches, and those on segments that it does not. A network whose segments do not matter is reached whole.
fn apart(subnets: Vec<Value>, segments: &[Value], host: &str) -> (Vec<Value>, Vec<Value>) {
    if segments.is_empty() || !is_routed(&subnets) {
        return (subnets, Vec::new());
    }
    let here = |segment: &&Value| segment["hosts"].as_array().is_some_and(|hosts| hosts.iter().any(|known| known == host));
    let reached: BTreeSet<&str> = segments.iter().filter(here).filter_map(|segment| segment["id"].as_str()).collect();
    let on_segments = subnets.into_iter().filter(|subnet| subnet["segment_id"].is_string());
    on_segments.partition(|subnet| subnet["segment_id"].as_str().is_some_and(|id| reached.contains(id)))
}

/// The segments of networks, with the hosts that reach each. Two statements.
async fn segments(tx: &mut Tx, networks: &BTreeSet<&str>) -> Result<HashMap<String, Vec<Value>>> {
    let mut sql = Sql::raw(
        "SELECT id, network_id, name, network_type, physical_network, segmentation_id, is_dynamic, segment_index FROM networksegments WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "network_id", networks.iter().copied())).push(" ORDER BY network_id, segment_index, id");
    let rows = tx.select(sql).await?;
    let mut sql = Sql::raw("SELECT m.segment_id, m.host FROM segmenthostmappings m JOIN networksegments s ON s.id = m.segment_id WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "s.network_id", networks.iter().copied())).push(" ORDER BY m.segment_id, m.host");
    let mut hosts: HashMap<String, Vec<String>> = HashMap::new();
    for row in tx.select(sql).await? {
        hosts.entry(row.text(0)?).or_default().push(row.text(1)?);
    }
    let mut found: HashMap<String, Vec<Value>> = HashMap::new();
    for row in rows {
        let (id, network_id) = (row.text(0)?, row.text(1)?);
        let mut segment = Map::new();
        segment.insert("hosts".to_owned(), json!(hosts.remove(&id).unwrap_or_default()));
        for (name, value) in [
            ("id", json!(id)),
            ("network_id", json!(network_id)),
            ("name", json!(row.opt_text(2)?)),
            ("network_type", json!(row.text(3)?)),
            ("physical_network", json!(row.opt_text(4)?)),
            ("segmentation_id", json!(row.opt_int(5)?)),
            ("is_dynamic", json!(row.bool(6)?)),
            ("segment_index", json!(row.int(7)?)),
        ] {
            segment.insert(name.to_owned(), value);
        }
        found.entry(network_id).or_default().push(Value::Object(segment));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_subnets_on_segments_of_the_host_are_served() {
        let subnets =
            vec![json!({"id": "a", "segment_id": "s1"}), json!({"id": "b", "segment_id": "s2"}), json!({"id": "c", "segment_id": null})];
        let segments = [json!({"id": "s1", "hosts": ["h1"]}), json!({"id": "s2", "hosts": ["h2"]})];
        let ids = |list: &[Value]| list.iter().map(|subnet| subnet["id"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
        let (here, there) = apart(subnets.clone(), &segments, "h1");
        assert_eq!((ids(&here), ids(&there)), (vec!["a".to_owned()], vec!["b".to_owned()]));
        let (here, there) = apart(subnets.clone(), &[], "h1");
        assert_eq!((here.len(), there.len()), (3, 0));
        let (here, there) = apart(subnets[2..].to_vec(), &segments, "h9");
        assert_eq!((here.len(), there.len()), (1, 0));
    }
}
