// SPDX-License-Identifier: Apache-2.0
//! What L3 agents are told: which of their routers changed, came or went, and of neighbours of distributed routers.
//!
//! Owns the casts on the topic `l3_agent`. Refuses to own: which agent serves a router, where distributed routers are
//! ([`crate::spread`]), the answers that agents then ask for, versioned objects. Invariants: nothing is sent before the commit of what it
//! speaks of; an agent gets one message for a change of a router.

mod distributed;
mod floating_ips;
mod hooks;

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use neutrino_core::{
    Builder, Context, Engine, Op,
    agents::{self, L3},
    bindings::BindingService,
    changes,
    rpc::{self, BusService, Message},
};
use neutrino_db::{Sql, Tx, args};
use neutrino_types::{Result, mac::Mac};
use serde_json::json;

use crate::{dvr_macs, l3_agent_scheduler, spread};

pub(crate) use hooks::gateway_left;

const TOPIC: &str = "l3_agent";

pub fn register(builder: &mut Builder) {
    builder.hook("floatingips", floating_ips::FloatingIps).hook("ports", hooks::Ports).hook("subnets", hooks::Subnets);
    builder.hook("subnetpools", hooks::SubnetPools).hook("networks", hooks::Networks);
    let recall = changes::Recall { name: "what L3 agents may not have heard", tell: |engine, since| Box::pin(recall(engine, since)) };
    builder.worker(recall).after_outage(recall);
}

/// Tells agents of the routers that changed since then: a server that was killed may not have told them; and of what hangs on a router (port
/// forwardings, helpers for connections) they hear by messages to all, which are lost while they are away from the broker; so are the MAC addresses of
/// hosts.
///
/// # Errors
/// The database's.
pub async fn recall(engine: &Engine, since: NaiveDateTime) -> Result<()> {
    let cx = Context::internal("");
    let sql = "SELECT x.id FROM routers x JOIN standardattributes a ON a.id = x.standard_attr_id WHERE a.updated_at >= ? \
               UNION SELECT r.router_id FROM routerports r JOIN ports p ON p.id = r.port_id \
               JOIN standardattributes a ON a.id = p.standard_attr_id WHERE a.updated_at >= ? \
               UNION SELECT f.router_id FROM floatingips f JOIN standardattributes a ON a.id = f.standard_attr_id \
               WHERE a.updated_at >= ? AND f.router_id IS NOT NULL";
    let rows = engine.db.reader().await?.query(sql, args![since, since, since]).await?;
    let routers: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    let macs = dvr_macs::all(&mut engine.db.reader().await?).await?;
    if !macs.is_empty() {
        rpc::cast(engine, &cx, dvr_macs_changed(&macs));
    }
    tell(engine, &cx, &routers).await
}

fn is_on(engine: &Engine) -> bool {
    engine.registry.service::<BusService>().is_some()
}

fn updated(router_id: &str, host: &str) -> Message {
    Message::new(TOPIC, "1.1", "routers_updated", json!({"routers": [router_id]})).to(host)
}

/// The MAC addresses of all hosts, for those who answer for distributed routers.
#[must_use]
pub(crate) fn dvr_macs_changed(all: &[(String, Mac)]) -> Message {
    let all: Vec<_> = all.iter().map(|(host, mac)| json!({"host": host, "mac_address": dvr_macs::shown(*mac)})).collect();
    Message::new("q-agent-notifier-dvr-update", "1.0", "dvr_mac_address_update", json!({ "dvr_macs": all })).to_all()
}

/// Sends a message once the transaction is committed, and not if it is not.
pub(crate) fn after_commit(op: &mut Op<'_>, message: Message) {
    if let Some(bus) = op.engine.registry.service::<BusService>() {
        let cx = op.cx.clone();
        op.tx.after_commit(move || bus.0.cast(&cx, message));
    }
}

/// Tells the agents of routers that these changed, once they have the agents that they lack.
///
/// # Errors
/// The database's.
pub async fn routers_updated(engine: &Engine, cx: &Context, routers: &[String]) -> Result<()> {
    for router_id in routers {
        l3_agent_scheduler::schedule(engine, cx, router_id).await?;
    }
    tell(engine, cx, routers).await
}

/// [`routers_updated`] of routers that have all the agents that they can have.
///
/// # Errors
/// The database's.
pub async fn tell(engine: &Engine, cx: &Context, routers: &[String]) -> Result<()> {
    if routers.is_empty() || !is_on(engine) {
        return Ok(());
    }
    let mut tx = engine.db.reader().await?;
    let found = agents_of(engine, cx, &mut tx, routers).await?;
    drop(tx);
    for (router_id, host) in found {
        rpc::cast(engine, cx, updated(&router_id, &host));
    }
    Ok(())
}

/// [`tell`], once the transaction is committed.
///
/// # Errors
/// The database's.
pub async fn tell_after_commit(op: &mut Op<'_>, routers: &[String]) -> Result<()> {
    if routers.is_empty() || !is_on(op.engine) {
        return Ok(());
    }
    for (router_id, host) in agents_of(op.engine, op.cx, op.tx, routers).await? {
        after_commit(op, updated(&router_id, &host));
    }
    Ok(())
}

/// Routers with the hosts whose agents have them: those that were given the router, and for a distributed one all where it is.
async fn agents_of(engine: &Engine, cx: &Context, tx: &mut Tx, routers: &[String]) -> Result<spread::Pairs> {
    let settings = agents::settings(engine);
    let mut sql = Sql::new(
        "SELECT b.router_id, a.host FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id WHERE a.heartbeat_timestamp >= ? AND ",
        args![settings.alive_since(cx.now())],
    );
    if !settings.services_on_disabled {
        sql.push("a.admin_state_up = ").bind(true).push(" AND ");
    }
    sql.append(Sql::in_texts(tx.dialect(), "b.router_id", routers.iter().map(String::as_str)));
    let mut found = spread::Pairs::new();
    for row in tx.select(sql).await? {
        found.insert((row.text(0)?, row.text(1)?));
    }
    let distributed = spread::distributed(tx, routers).await?;
    if !distributed.is_empty() {
        let all = spread::reach(tx, spread::served(engine), &distributed).await?;
        let hosts: BTreeSet<String> = all.iter().map(|(_, host)| host.clone()).collect();
        let serving = spread::agents_on(engine, tx, &hosts).await?;
        found.extend(all.into_iter().filter(|(_, host)| serving.contains_key(host)));
    }
    Ok(found)
}

/// Tells the agent of one host of several routers.
pub(crate) fn routers_updated_on_host(engine: &Engine, cx: &Context, routers: &BTreeSet<String>, host: &str) {
    if !routers.is_empty() {
        rpc::cast(engine, cx, Message::new(TOPIC, "1.0", "routers_updated", json!({ "routers": routers })).to(host));
    }
}

pub(crate) fn router_deleted(engine: &Engine, cx: &Context, router_id: &str) {
    rpc::cast(engine, cx, Message::new(TOPIC, "1.0", "router_deleted", json!({ "router_id": router_id })).to_all().lasting());
}

pub(crate) fn router_removed_from_agent(engine: &Engine, cx: &Context, router_id: &str, host: &str) {
    let args = json!({"payload": {"router_id": router_id}});
    rpc::cast(engine, cx, Message::new(TOPIC, "1.0", "router_removed_from_agent", args).to(host));
}

/// The central part of a router left an agent: the rest of it may stay there, for the ports that it serves.
///
/// # Errors
/// The database's.
pub(crate) async fn router_left_agent(engine: &Engine, cx: &Context, router_id: &str, host: &str) -> Result<()> {
    let only = BTreeSet::from([router_id.to_owned()]);
    let mut tx = engine.db.reader().await?;
    let stays = !spread::distributed(&mut tx, &[router_id.to_owned()]).await?.is_empty()
        && !spread::needed_on(&mut tx, spread::served(engine), host, &only).await?.is_empty();
    drop(tx);
    if stays {
        routers_updated_on_host(engine, cx, &only, host);
    } else {
        router_removed_from_agent(engine, cx, router_id, host);
    }
    Ok(())
}

/// Tells an agent of a new router and waits until it has heard of it. One that does not answer learns of it by its next sync.
pub(crate) async fn router_added_to_agent(engine: &Engine, cx: &Context, router_id: &str, host: &str) {
    if !is_on(engine) {
        return;
    }
    let message = Message::new(TOPIC, "1.0", "router_added_to_agent", json!({"payload": [router_id]})).to(host);
    if let Err(error) = rpc::call(engine, cx, message).await {
        let log = error.log().unwrap_or_default();
        tracing::warn!(router_id, host, error = %error, log, "the agent did not confirm that it has the router; it will at its next sync");
    }
}

fn fip_namespace_deleted(engine: &Engine, cx: &Context, network_id: &str) {
    let args = json!({ "ext_net_id": network_id });
    rpc::cast(engine, cx, Message::new(TOPIC, "1.0", "fipnamespace_delete_on_ext_net", args).to_all());
}

/// Where a distributed router and its neighbours are because of the ports that they serve. Empty for other routers.
///
/// # Errors
/// The database's.
pub(crate) async fn places(engine: &Engine, router_id: &str) -> Result<spread::Pairs> {
    let router = BTreeSet::from([router_id.to_owned()]);
    let mut tx = engine.db.reader().await?;
    if spread::distributed(&mut tx, &[router_id.to_owned()]).await?.is_empty() {
        return Ok(spread::Pairs::new());
    }
    let others = spread::neighbours(&mut tx, &router).await?.into_iter().map(|(_, other)| other);
    let all: BTreeSet<String> = router.iter().cloned().chain(others).collect();
    spread::reach(&mut tx, spread::served(engine), &all).await
}

/// After an interface went: routers leave the hosts on which they have nothing to do any more.
///
/// # Errors
/// The database's.
pub(crate) async fn left(engine: &Engine, cx: &Context, before: spread::Pairs) -> Result<()> {
    if before.is_empty() {
        return Ok(());
    }
    let routers: BTreeSet<String> = before.iter().map(|(router, _)| router.clone()).collect();
    let mut tx = engine.db.reader().await?;
    let now = spread::reach(&mut tx, spread::served(engine), &routers).await?;
    let lost: Vec<(String, String)> = before.difference(&now).cloned().collect();
    drop(tx);
    leave(engine, cx, lost).await
}

/// Routers leave hosts, but those that their agents were given.
async fn leave(engine: &Engine, cx: &Context, mut lost: Vec<(String, String)>) -> Result<()> {
    if lost.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::raw("SELECT b.router_id, a.host FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "b.router_id", lost.iter().map(|(router, _)| router.as_str())));
    let mut given = spread::Pairs::new();
    for row in tx.select(sql).await? {
        given.insert((row.text(0)?, row.text(1)?));
    }
    let mut sql = Sql::new("SELECT host FROM agents WHERE agent_type = ? AND ", args![L3]);
    sql.append(Sql::in_texts(tx.dialect(), "host", lost.iter().map(|(_, host)| host.as_str())));
    let known: BTreeSet<String> = tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    drop(tx);
    lost.retain(|pair| !given.contains(pair) && known.contains(&pair.1));
    for (router_id, host) in lost {
        if let Some(bindings) = engine.registry.service::<BindingService>() {
            let (names, bindings) = ([router_id.clone(), host.clone()], &bindings);
            engine
                .transact(cx, "ports", "a router leaves a host", |op| {
                    let ([router_id, host], bindings) = (names.clone(), bindings.clone());
                    Box::pin(async move { bindings.0.unbind_distributed(op, &router_id, Some(&host)).await })
                })
                .await?;
        }
        router_removed_from_agent(engine, cx, &router_id, &host);
    }
    Ok(())
}
