// SPDX-License-Identifier: Apache-2.0
//! The mechanism driver `l2population`: tells agents behind which tunnel each address is, so that they need not flood to find out.
//!
//! An agent learns of a network what it needs when its first port there is up ([`facts::Tables`]), and of every port that comes, goes or
//! changes its addresses afterwards. Owns no table; binds nothing. Invariants: who a message speaks of was committed before it is sent; what
//! is said of a port that leaves a host is put together in the transaction that makes it leave, since nobody knows it afterwards.

mod entries;
mod facts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use async_trait::async_trait;
use chrono::NaiveDateTime;
use neutrino_core::{
    Builder, Context, Engine, Op,
    changes::Recall,
    rpc::{self, BusService, Message},
};
use neutrino_db::Tx;
use neutrino_model::Record;
use neutrino_types::{Result, error::kinds};
use serde_json::{Value, json};

use super::{
    driver::{Change, MechanismDriver, Wiring},
    portbindings::DVR_INTERFACE,
};
use entries::{Fdb, flooding};
use facts::{Subject, Tunnel};

pub const NAME: &str = "l2population";

const TOPIC: &str = "q-agent-notifier-l2population-update";
const HOST: &str = "binding:host_id";

/// Ports that are looked up at once, and told in one message.
const AT_ONCE: usize = 1000;

pub fn register(builder: &mut Builder) {
    let recall = Recall { name: "behind which tunnel addresses are", tell: |engine, since| Box::pin(recall(engine, since)) };
    builder.worker(recall).after_outage(recall);
}

/// Tells all of the ports that are up and changed since then, as if each were the first of its network on its host: a server that was killed may
/// not have told it, and agents that came back to the broker later may not have heard it. What one agent alone is told has waited for it.
///
/// # Errors
/// The database's.
pub async fn recall(engine: &Engine, since: NaiveDateTime) -> Result<()> {
    let cx = Context::internal("");
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (port, host) in facts::up_since(&mut engine.db.reader().await?, since).await? {
        places.entry(host).or_default().insert(port);
    }
    let (mut fdb, mut said) = (Fdb::default(), 0);
    for (host, ports) in places {
        let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
        for some in ports.chunks(AT_ONCE) {
            let mut tx = engine.db.reader().await?;
            let subjects = facts::subjects(&mut tx, some, &host).await?;
            let Some((tunnel, subjects)) = reachable(&mut tx, &host, subjects).await? else { continue };
            for subject in &subjects {
                add(&mut fdb, &tunnel, subject, true);
            }
            said += subjects.len();
            if said >= AT_ONCE {
                cast(engine, &cx, "add_fdb_entries", std::mem::take(&mut fdb));
                said = 0;
            }
        }
    }
    cast(engine, &cx, "add_fdb_entries", fdb);
    Ok(())
}

/// What all learn of a port that is up. `first`: that the network is behind this tunnel, too.
fn add(fdb: &mut Fdb, tunnel: &Tunnel, subject: &Subject, first: bool) {
    let Some(segment) = &subject.segment else { return };
    fdb.add(&subject.network_id, segment, &tunnel.ip, first.then(flooding));
    if !subject.is_distributed() && !subject.ha {
        fdb.add(&subject.network_id, segment, &tunnel.ip, subject.entries());
    }
}

/// The segments of ports whose binding a transaction takes away, by port.
#[derive(Default)]
pub struct Left(HashMap<String, facts::Segment>);

/// Remembers by which segment a port was bound to a host, before its levels go.
///
/// # Errors
/// The database's.
pub async fn note_leaving(op: &mut Op<'_>, port_id: &str, host: &str) -> Result<()> {
    if host.is_empty() || !super::manager(op.engine).has(NAME) {
        return Ok(());
    }
    if let Some(segment) = facts::segment(op.tx, port_id, host).await? {
        op.note::<Left>().0.insert(port_id.to_owned(), segment);
    }
    Ok(())
}

/// See the module's documentation.
#[derive(Debug)]
pub struct L2Population;

fn message(method: &'static str, fdb: Value) -> Message {
    Message::new(TOPIC, "1.0", method, json!({"fdb_entries": fdb}))
}

/// Sends to all agents when the transaction is committed.
fn cast_after_commit(op: &mut Op<'_>, method: &'static str, fdb: Fdb) {
    let Some(bus) = op.engine.registry.service::<BusService>() else { return };
    let cx = op.cx.clone();
    op.tx.after_commit(move || {
        for part in fdb.into_parts() {
            bus.0.cast(&cx, message(method, part).to_all());
        }
    });
}

fn cast(engine: &Engine, cx: &Context, method: &'static str, fdb: Fdb) {
    for part in fdb.into_parts() {
        rpc::cast(engine, cx, message(method, part).to_all());
    }
}

fn networks(subjects: &[Subject]) -> BTreeSet<&str> {
    subjects.iter().map(|subject| subject.network_id.as_str()).collect()
}

/// Ports are up on a host: its agent learns what it does not know, all others learn of the ports. `fresh`: those that are ACTIVE since this
/// change, of which there may be several at once.
async fn up(engine: &Engine, cx: &Context, host: &str, subjects: Vec<Subject>, fresh: &BTreeSet<&str>, refresh: bool) -> Result<()> {
    let mut tx = engine.db.reader().await?;
    let Some((tunnel, subjects)) = reachable(&mut tx, host, subjects).await? else { return Ok(()) };
    let nets = networks(&subjects);
    let counts = facts::active_ports(&mut tx, &nets, &[host], None).await?;
    let mut first = BTreeSet::new();
    for net in &nets {
        let active = counts.get(&((*net).to_owned(), host.to_owned())).copied().unwrap_or_default();
        let new = subjects.iter().filter(|subject| subject.network_id == **net && fresh.contains(subject.id.as_str())).count();
        // Ports that come up one by one, but at the same time, may each see the other.
        if refresh || (active >= 1 && active - i64::try_from(new.max(1)).unwrap_or(1) <= 1) {
            first.insert(*net);
        }
    }
    if !first.is_empty() {
        let tables = facts::tables(&mut tx, &first, host).await?;
        let mut fdb = Fdb::default();
        for subject in &subjects {
            let Some(segment) = subject.segment.as_ref().filter(|_| first.contains(subject.network_id.as_str())) else { continue };
            for (ip, known) in tables.get(&subject.network_id).into_iter().flatten() {
                fdb.set(&subject.network_id, segment, ip, known);
            }
        }
        for part in fdb.into_parts() {
            rpc::cast(engine, cx, message("add_fdb_entries", part).to(host));
        }
    }
    let mut fdb = Fdb::default();
    for subject in &subjects {
        add(&mut fdb, &tunnel, subject, first.contains(subject.network_id.as_str()));
    }
    cast(engine, cx, "add_fdb_entries", fdb);
    Ok(())
}

/// The host's end of tunnels, and the ports whose segments it reaches by them.
async fn reachable(tx: &mut Tx, host: &str, subjects: Vec<Subject>) -> Result<Option<(Tunnel, Vec<Subject>)>> {
    if subjects.iter().all(|subject| subject.segment.is_none()) {
        return Ok(None);
    }
    let Some(tunnel) = facts::tunnels(tx, &[host]).await?.remove(host) else { return Ok(None) };
    let subjects: Vec<Subject> =
        subjects.into_iter().filter(|subject| subject.segment.as_ref().is_some_and(|segment| tunnel.reaches(segment))).collect();
    Ok((!subjects.is_empty()).then_some((tunnel, subjects)))
}

/// What a removal is about.
#[derive(Clone, Copy, Default)]
struct Removal<'a> {
    /// A port that is going and no longer counts.
    without: Option<&'a str>,
    /// An agent says so of ports of highly available routers, too.
    with_ha: bool,
    /// Ports whose router stays on the host, which is flooded to as before.
    keeps_flooding: Option<&'a BTreeSet<String>>,
}

/// What all agents have to forget of ports that left a host.
async fn removal(tx: &mut Tx, host: &str, subjects: Vec<Subject>, removal: Removal<'_>) -> Result<Option<Fdb>> {
    let Some((tunnel, subjects)) = reachable(tx, host, subjects).await? else { return Ok(None) };
    let nets = networks(&subjects);
    let counts = facts::active_ports(tx, &nets, &[host], removal.without).await?;
    let mut fdb = Fdb::default();
    for subject in &subjects {
        let Some(segment) = &subject.segment else { continue };
        let active = counts.get(&(subject.network_id.clone(), host.to_owned())).copied().unwrap_or_default();
        let stays = removal.keeps_flooding.is_some_and(|routers| routers.contains(&subject.device_id));
        if active == 0 && !stays {
            fdb.add(&subject.network_id, segment, &tunnel.ip, [flooding()]);
        }
        if !subject.is_distributed() && (removal.with_ha || !subject.ha) {
            fdb.add(&subject.network_id, segment, &tunnel.ip, subject.entries());
        }
    }
    Ok((!fdb.is_empty()).then_some(fdb))
}

/// A port of a highly available router is deleted: hosts that had only it on the network are flooded to no more.
async fn removal_of_ha(tx: &mut Tx, subject: &Subject) -> Result<Option<Fdb>> {
    let Some(segment) = &subject.segment else { return Ok(None) };
    let hosts = facts::ha_hosts(tx, &subject.device_id).await?;
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let counts = facts::active_ports(tx, &BTreeSet::from([subject.network_id.as_str()]), &hosts, Some(&subject.id)).await?;
    let mut fdb = Fdb::default();
    for (host, tunnel) in facts::tunnels(tx, &hosts).await? {
        if !counts.contains_key(&(subject.network_id.clone(), host)) {
            fdb.add(&subject.network_id, segment, &tunnel.ip, [flooding()]);
        }
    }
    Ok((!fdb.is_empty()).then_some(fdb))
}

fn addresses(port: &Record) -> BTreeSet<&str> {
    port.list("fixed_ips").iter().filter_map(|entry| entry["ip_address"].as_str()).collect()
}

/// Agents that answer for addresses learn which ones a port on a host has now.
async fn addresses_changed(engine: &Engine, cx: &Context, original: &Record, port: &Record, host: &str) -> Result<()> {
    let (was, is) = (addresses(original), addresses(port));
    if was == is || host.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.reader().await?;
    let Some(segment) = facts::segment(&mut tx, port.id(), host).await? else { return Ok(()) };
    let Some(tunnel) = facts::tunnels(&mut tx, &[host]).await?.remove(host).filter(|tunnel| tunnel.reaches(&segment)) else {
        return Ok(());
    };
    drop(tx);
    let pairs = |some: &BTreeSet<&str>, other: &BTreeSet<&str>| -> Vec<Value> {
        some.difference(other).map(|ip| json!([port.str("mac_address"), ip])).collect()
    };
    let mut change = json!({});
    for (name, list) in [("before", pairs(&was, &is)), ("after", pairs(&is, &was))] {
        if !list.is_empty() {
            change[name] = list.into();
        }
    }
    let fdb = json!({"chg_ip": {port.str("network_id"): {tunnel.ip: change}}});
    rpc::cast(engine, cx, message("update_fdb_entries", fdb).to_all());
    Ok(())
}

/// Statuses of ports changed, all on one host and in one direction.
async fn statuses_changed(engine: &Engine, cx: &Context, host: &str, ids: &[&str], is_up: bool) -> Result<()> {
    let mut subjects = facts::subjects(&mut engine.db.reader().await?, ids, host).await?;
    // What happens to ports of highly available routers is seen by their agents alone.
    subjects.retain(|subject| !subject.ha);
    if is_up {
        return up(engine, cx, host, subjects, &ids.iter().copied().collect(), false).await;
    }
    let mut tx = engine.db.reader().await?;
    if let Some(fdb) = removal(&mut tx, host, subjects, Removal::default()).await? {
        cast(engine, cx, "remove_fdb_entries", fdb);
    }
    Ok(())
}

#[async_trait]
impl MechanismDriver for L2Population {
    fn name(&self) -> &'static str {
        NAME
    }

    fn lets_vlans_through(&self, attribute: &str, _network: &Record) -> Option<bool> {
        (attribute == "qinq").then_some(false)
    }

    async fn port_precommit(&self, op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        match change {
            Change::Created(_) => Ok(()),
            Change::Updated { original, current } => leaves(op, original, current).await,
            Change::Deleted(port) => deleted(op, port).await,
        }
    }

    async fn port_postcommit(&self, engine: &Engine, cx: &Context, change: Change<'_>) -> Result<()> {
        match change {
            Change::Updated { original, current } => self.ports_postcommit(engine, cx, &[(original, current)]).await,
            _ => Ok(()),
        }
    }

    async fn ports_postcommit(&self, engine: &Engine, cx: &Context, changes: &[(&Record, &Record)]) -> Result<()> {
        let mut changed: BTreeMap<(&str, bool), Vec<&str>> = BTreeMap::new();
        for (original, port) in changes {
            if port.str("device_owner") == DVR_INTERFACE {
                for host in facts::hosts_of_distributed(&mut engine.db.reader().await?, port.id()).await? {
                    addresses_changed(engine, cx, original, port, &host).await?;
                }
                continue;
            }
            let (was, is) = (original.str(HOST), port.str(HOST));
            addresses_changed(engine, cx, original, port, was).await?;
            match port.str("status") {
                status if status == original.str("status") || is.is_empty() || was != is => {}
                "ACTIVE" => changed.entry((is, true)).or_default().push(port.id()),
                "DOWN" => changed.entry((is, false)).or_default().push(port.id()),
                _ => {}
            }
        }
        for ((host, is_up), ids) in changed {
            statuses_changed(engine, cx, host, &ids, is_up).await?;
        }
        Ok(())
    }

    async fn status_on_host(&self, engine: &Engine, cx: &Context, port_id: &str, host: &str, status: &str) -> Result<()> {
        match status {
            "ACTIVE" => statuses_changed(engine, cx, host, &[port_id], true).await,
            "DOWN" => statuses_changed(engine, cx, host, &[port_id], false).await,
            _ => Ok(()),
        }
    }

    async fn wired(&self, engine: &Engine, cx: &Context, wiring: &Wiring<'_>) -> Result<()> {
        let Wiring { host, ports, up: is_up, refresh, told } = *wiring;
        let mut tx = engine.db.reader().await?;
        let mut subjects = facts::subjects(&mut tx, ports, host).await?;
        subjects.retain(|subject| {
            let news = refresh || subject.ha || !told.contains(subject.id.as_str());
            news && (!is_up || subject.is_distributed() || subject.ha || subject.host.as_deref() == Some(host))
        });
        if subjects.is_empty() {
            return Ok(());
        }
        if is_up {
            drop(tx);
            let fresh = told.iter().copied().collect();
            return up(engine, cx, host, subjects, &fresh, refresh).await;
        }
        let routers: BTreeSet<&str> =
            subjects.iter().filter(|subject| subject.is_of_router()).map(|subject| subject.device_id.as_str()).collect();
        let staying = facts::routers_on(&mut tx, host, &routers).await?;
        let what = Removal { without: None, with_ha: true, keeps_flooding: Some(&staying) };
        if let Some(fdb) = removal(&mut tx, host, subjects, what).await? {
            cast(engine, cx, "remove_fdb_entries", fdb);
        }
        Ok(())
    }
}

/// An ACTIVE port must keep its MAC address, which agents know it by; and what leaves a host is forgotten there.
async fn leaves(op: &mut Op<'_>, original: &Record, current: &Record) -> Result<()> {
    if original.get("mac_address") != current.get("mac_address") && current.str("status") == "ACTIVE" {
        let reason = format!("The MAC address of port {} cannot be changed while it is ACTIVE.", current.id());
        return Err(kinds::INVALID_INPUT.error(reason));
    }
    let host = original.str(HOST);
    let left = original.str("status") == "ACTIVE" && current.str("status") == "DOWN" && host != current.str(HOST) && !host.is_empty();
    if !left || original.str("device_owner") == DVR_INTERFACE {
        return Ok(());
    }
    let Some(segment) = op.note::<Left>().0.remove(original.id()) else { return Ok(()) };
    let mut subjects = facts::subjects(op.tx, &[original.id()], host).await?;
    subjects.retain(|subject| !subject.ha);
    for subject in &mut subjects {
        // As it was there.
        subject.segment = Some(segment.clone());
        original.str("mac_address").clone_into(&mut subject.mac);
        subject.addresses = addresses(original).into_iter().map(str::to_owned).collect();
    }
    if let Some(fdb) = removal(op.tx, host, subjects, Removal::default()).await? {
        cast_after_commit(op, "remove_fdb_entries", fdb);
    }
    Ok(())
}

async fn deleted(op: &mut Op<'_>, port: &Record) -> Result<()> {
    let hosts = match port.str("device_owner") {
        DVR_INTERFACE => facts::hosts_of_distributed(op.tx, port.id()).await?,
        _ if port.str(HOST).is_empty() => return Ok(()),
        _ => vec![port.str(HOST).to_owned()],
    };
    for host in &hosts {
        let subjects = facts::subjects(op.tx, &[port.id()], host).await?;
        let fdb = match subjects.first() {
            Some(subject) if subject.ha => removal_of_ha(op.tx, subject).await?,
            _ => removal(op.tx, host, subjects, Removal { without: Some(port.id()), ..Removal::default() }).await?,
        };
        if let Some(fdb) = fdb {
            cast_after_commit(op, "remove_fdb_entries", fdb);
        }
    }
    Ok(())
}
