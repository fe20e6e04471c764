// SPDX-License-Identifier: Apache-2.0
//! Floating IPs of routers as agents get them, and what agents say of their status.
//!
//! A distributed router's floating IP is served on the host of its port; where that has no way out, or the port is nowhere, by the
//! router's central part.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neutrino_core::{
    Context, Engine, Op, Verb,
    rpc::{Args, text as argument},
};
use neutrino_db::{Sql, Tx, args};
use neutrino_types::{Result, error::kinds};
use serde_json::{Value, json};

use super::{
    objects::{self, Object, is, text},
    sync::{Agent, Router},
};
use crate::{l3_agent_scheduler::Mode, spread};

const FLOATING_IPS: &str = "_floatingips";
const FORWARDED: &str = "_pf_floatingips";
/// It is not for the agent that asks.
const UNBOUND: &str = "FLOATING_IP_HOST_UNBOUND";
/// It is served where the router's central part is.
const NEEDS_BINDING: &str = "FLOATING_IP_HOST_NEEDS_BINDING";
const STATUSES: [&str; 3] = ["ACTIVE", "DOWN", "ERROR"];

/// Where the port inside is.
#[derive(Debug, Default)]
struct Place {
    host: String,
    moving_to: Option<String>,
}

/// Adds floating IPs, and those of port forwardings, to routers. A constant number of statements.
///
/// # Errors
/// The database's.
pub async fn add(engine: &Engine, cx: &Context, agent: &Agent, routers: &mut BTreeMap<String, Router>) -> Result<()> {
    let ids: BTreeSet<&str> = routers.keys().map(String::as_str).collect();
    let all = objects::by(engine, cx, "floatingips", "router_id", ids).await?;
    if all.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.reader().await?;
    let scopes = scopes(&mut tx, &all).await?;
    let policies = if engine.registry.has_extension("qos-fip") { policies(&mut tx, &all).await? } else { HashMap::new() };
    let places = if agent.is_distributed() { places(&mut tx, &all).await? } else { HashMap::new() };
    let hosts: BTreeSet<String> = places.values().map(|place| place.host.clone()).filter(|host| !host.is_empty()).collect();
    let modes = if hosts.is_empty() { BTreeMap::new() } else { spread::agents_on(engine, &mut tx, &hosts).await? };
    drop(tx);
    for mut floating_ip in all {
        let Some(router) = routers.get_mut(text(&floating_ip, "router_id")) else { continue };
        let policy = policies.get(text(&floating_ip, "floating_network_id")).cloned();
        floating_ip.insert("qos_network_policy_id".to_owned(), policy.into());
        let Some(port_id) = floating_ip.get("port_id").and_then(Value::as_str).map(str::to_owned) else {
            forwarded(router, floating_ip);
            continue;
        };
        let place = places.get(&port_id);
        if agent.mode == Mode::Dvr && !agent.is_internal && !is_near(place, &agent.host) {
            continue;
        }
        if agent.is_distributed() && is(&router.shown, "distributed") {
            let internal = place.and_then(|place| modes.get(&place.host)).is_some_and(Mode::is_internal);
            let host = decide(agent, place, internal);
            if host == UNBOUND || (host == NEEDS_BINDING && agent.mode == Mode::Dvr && !agent.is_internal) {
                continue;
            }
            if let Some(place) = place.filter(|place| !place.host.is_empty()) {
                floating_ip.insert("dest_host".to_owned(), place.moving_to.clone().into());
            }
            if host == NEEDS_BINDING {
                floating_ip.insert("dvr_snat_bound".to_owned(), true.into());
            }
            floating_ip.insert("host".to_owned(), host.into());
        }
        let scope = scopes.get(text(&floating_ip, "id")).cloned().flatten();
        floating_ip.insert("fixed_ip_address_scope".to_owned(), scope.into());
        push(router, FLOATING_IPS, Value::Object(floating_ip));
    }
    Ok(())
}

fn push(router: &mut Router, key: &str, value: Value) {
    if let Some(list) = router.shown.entry(key).or_insert_with(|| json!([])).as_array_mut() {
        list.push(value);
    }
}

/// A floating IP with a router and no port is there for forwarded ports.
fn forwarded(router: &mut Router, floating_ip: Object) {
    let has_ports = floating_ip.get("port_forwardings").and_then(Value::as_array).is_some_and(|ports| !ports.is_empty());
    if has_ports {
        push(router, "port_forwardings_fip_set", format!("{}/32", text(&floating_ip, "floating_ip_address")).into());
        push(router, "fip_managed_by_port_forwardings", text(&floating_ip, "id").into());
        push(router, FORWARDED, Value::Object(floating_ip));
    }
}

/// A DVR agent gets those of its own host, and of ports on the way from one host to another.
fn is_near(place: Option<&Place>, host: &str) -> bool {
    place.is_some_and(|place| place.host == host || place.moving_to.is_some())
}

/// Where a floating IP of a distributed router is served, in the sight of an agent.
fn decide(agent: &Agent, place: Option<&Place>, internal: bool) -> String {
    let Some(place) = place.filter(|place| !place.host.is_empty()) else { return NEEDS_BINDING.to_owned() };
    if place.moving_to.as_deref() == Some(agent.host.as_str()) {
        return place.host.clone();
    }
    match place.host == agent.host {
        true if internal && agent.is_internal => NEEDS_BINDING.to_owned(),
        true => place.host.clone(),
        false if internal && agent.mode == Mode::DvrSnat => NEEDS_BINDING.to_owned(),
        false => UNBOUND.to_owned(),
    }
}

/// The address scopes of the networks inside.
async fn scopes(tx: &mut Tx, all: &[Object]) -> Result<HashMap<String, Option<String>>> {
    let mut sql = Sql::raw(
        "SELECT f.id, max(o.address_scope_id) FROM floatingips f JOIN ports p ON p.id = f.fixed_port_id \
         JOIN subnets s ON s.network_id = p.network_id AND s.ip_version = 4 LEFT JOIN subnetpools o ON o.id = s.subnetpool_id WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "f.id", all.iter().map(|one| text(one, "id")))).push(" GROUP BY f.id");
    tx.select(sql).await?.iter().map(|row| Ok((row.text(0)?, row.opt_text(1)?))).collect()
}

/// The QoS policies of the networks outside.
async fn policies(tx: &mut Tx, all: &[Object]) -> Result<HashMap<String, String>> {
    let mut sql = Sql::raw("SELECT network_id, policy_id FROM qos_network_policy_bindings WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "network_id", all.iter().map(|one| text(one, "floating_network_id"))));
    tx.select(sql).await?.iter().map(|row| Ok((row.text(0)?, row.text(1)?))).collect()
}

async fn places(tx: &mut Tx, all: &[Object]) -> Result<HashMap<String, Place>> {
    let ports = all.iter().map(|one| text(one, "port_id")).filter(|id| !id.is_empty());
    let mut sql = Sql::raw("SELECT port_id, host, profile FROM ml2_port_bindings WHERE status = 'ACTIVE' AND ");
    sql.append(Sql::in_texts(tx.dialect(), "port_id", ports));
    let one = |row: &neutrino_db::Row| {
        let profile: Value = serde_json::from_str(&row.text(2)?).unwrap_or_default();
        Ok((row.text(0)?, Place { host: row.text(1)?, moving_to: profile["migrating_to"].as_str().map(str::to_owned) }))
    };
    tx.select(sql).await?.iter().map(one).collect()
}

/// What an agent says of the floating IPs of a router. Those that left the router since it last spoke are down.
pub async fn update_statuses(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let router_id = argument(arguments, "router_id")?.to_owned();
    let told = arguments.get("fip_statuses").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut by_status: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for (id, status) in told {
        let known = STATUSES.iter().find(|known| Some(**known) == status.as_str());
        let status = known.ok_or_else(|| kinds::INVALID_INPUT.error(format!("The status {status} of floating IP {id} is none.")))?;
        by_status.entry(status).or_default().push(id);
    }
    engine
        .transact(&cx.elevated(), "floatingips", "floating IP statuses", |op| {
            let (router_id, by_status) = (router_id.clone(), by_status.clone());
            Box::pin(async move {
                for (status, ids) in by_status {
                    set_status(op, status, Sql::in_texts(op.tx.dialect(), "id", ids.iter().map(String::as_str))).await?;
                }
                set_status(op, "DOWN", Sql::new("last_known_router_id = ? AND router_id IS NULL", args![router_id])).await
            })
        })
        .await?;
    Ok(Value::Null)
}

/// Sets the status of those that have another.
async fn set_status(op: &mut Op<'_>, status: &'static str, which: Sql) -> Result<()> {
    let mut sql = Sql::new("SELECT id, standard_attr_id FROM floatingips WHERE (status IS NULL OR status <> ?) AND ", args![status]);
    sql.append(which);
    let rows = op.tx.select(sql).await?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        let id = row.text(0)?;
        op.touch(row.int(1)?);
        op.changed("floatingips", &id, Verb::Updated, None);
        ids.push(id);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let mut sql = Sql::new("UPDATE floatingips SET status = ? WHERE ", args![status]);
    sql.append(Sql::in_texts(op.tx.dialect(), "id", ids.iter().map(String::as_str)));
    op.tx.run(sql).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(host: &str, mode: Mode, is_internal: bool) -> Agent {
        Agent { id: "a".to_owned(), host: host.to_owned(), mode, is_internal, serves: true }
    }

    #[test]
    fn a_floating_ip_is_served_where_its_port_is() {
        let at = |host: &str, moving_to: Option<&str>| Place { host: host.to_owned(), moving_to: moving_to.map(str::to_owned) };
        let (here, there, central) = (agent("h1", Mode::Dvr, false), agent("h2", Mode::Dvr, false), agent("c", Mode::DvrSnat, false));
        let inner = agent("h3", Mode::Dvr, true);
        for (agent, place, internal, served) in [
            (&here, Some(at("h1", None)), false, "h1"),
            (&there, Some(at("h1", None)), false, UNBOUND),
            (&there, Some(at("h1", Some("h2"))), false, "h1"),
            (&central, Some(at("h1", None)), false, UNBOUND),
            (&central, Some(at("h3", None)), true, NEEDS_BINDING),
            (&inner, Some(at("h3", None)), true, NEEDS_BINDING),
            (&central, Some(at("", None)), false, NEEDS_BINDING),
            (&central, None, false, NEEDS_BINDING),
        ] {
            assert_eq!(decide(agent, place.as_ref(), internal), served, "{} {place:?}", agent.host);
        }
    }
}
