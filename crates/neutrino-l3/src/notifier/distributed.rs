// SPDX-License-Identifier: Apache-2.0
//! What ports mean for distributed routers: a port that is bound brings the routers of its subnets to its host, the last one to go takes
//! them away; and all of these routers know the MAC address of each port, since none of them sees its answers.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_core::{
    Context, Engine,
    agents::L3,
    rpc::{self, Message},
};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{Result, cidr::Cidr, ip::Ip};
use serde_json::{Value, json};

use super::{TOPIC, hooks::addresses, is_on, leave, routers_updated_on_host};
use crate::{l3_agent_scheduler::Mode, routers::DISTRIBUTED_INTERFACE, rpc::gateways, spread};

const HOST: &str = "binding:host_id";

/// Ports of routers and of the server's own do not count, but for those of DHCP.
fn is_outside(engine: &Engine, port: &Record) -> bool {
    let owner = port.str("device_owner");
    !is_on(engine) || !engine.registry.has_extension("dvr") || (owner.starts_with("network:") && owner != "network:dhcp")
}

/// The distributed routers of a network, by the subnets on which they have interfaces.
struct Around {
    subnets: BTreeMap<String, (Cidr, BTreeSet<String>)>,
}

impl Around {
    async fn of(engine: &Engine, network_id: &str) -> Result<Self> {
        let sql = "SELECT s.id, s.cidr, r.router_id FROM subnets s JOIN ipallocations a ON a.subnet_id = s.id \
                   JOIN routerports r ON r.port_id = a.port_id WHERE s.network_id = ? AND r.port_type = ?";
        let mut subnets = BTreeMap::new();
        for row in engine.db.reader().await?.query(sql, args![network_id, DISTRIBUTED_INTERFACE]).await? {
            if let Ok(cidr) = row.text(1)?.parse::<Cidr>() {
                subnets.entry(row.text(0)?).or_insert_with(|| (cidr, BTreeSet::new())).1.insert(row.text(2)?);
            }
        }
        Ok(Self { subnets })
    }

    /// Those on the port's subnets.
    fn routers(&self, port: &Record) -> BTreeSet<String> {
        addresses(port).into_iter().filter_map(|(subnet, _)| self.subnets.get(subnet)).flat_map(|(_, routers)| routers).cloned().collect()
    }

    /// Tells agents of addresses of a port: `add_arp_entry`, `del_arp_entry`.
    fn tell(&self, engine: &Engine, cx: &Context, method: &'static str, port: &Record, entries: &[Entry]) {
        for Entry { subnet_id, address, mac } in entries {
            let subnet_id = subnet_id.clone().or_else(|| {
                let ip: Ip = address.parse().ok()?;
                self.subnets.iter().find(|(_, (cidr, _))| cidr.contains(ip)).map(|(id, _)| id.clone())
            });
            let Some((_, routers)) = subnet_id.as_ref().and_then(|id| self.subnets.get(id)) else { continue };
            let mac = mac.as_deref().unwrap_or_else(|| port.str("mac_address"));
            for router_id in routers {
                let entry = json!({"ip_address": address, "mac_address": mac, "subnet_id": subnet_id});
                let args = json!({"payload": {"router_id": router_id, "arp_table": entry}});
                rpc::cast(engine, cx, Message::new(TOPIC, "1.2", method, args).to_all());
            }
        }
    }
}

/// An address that answers by a MAC address, the port's own unless it names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    subnet_id: Option<String>,
    address: String,
    mac: Option<String>,
}

/// The other addresses that the port may use: single ones; prefixes have no MAC address.
fn pairs(port: &Record) -> Vec<Entry> {
    let one = |pair: &Value| {
        let text = pair["ip_address"].as_str()?;
        let address = text.strip_suffix("/32").or_else(|| text.strip_suffix("/128")).unwrap_or(text);
        let mac = pair["mac_address"].as_str().map(str::to_owned);
        (!address.contains('/')).then(|| Entry { subnet_id: None, address: address.to_owned(), mac })
    };
    port.list("allowed_address_pairs").iter().filter_map(one).collect()
}

/// All its addresses.
fn entries(port: &Record) -> Vec<Entry> {
    let own = |(subnet, address): (&str, &str)| Entry { subnet_id: Some(subnet.to_owned()), address: address.to_owned(), mac: None };
    let own: Vec<Entry> = addresses(port).into_iter().map(own).collect();
    if own.is_empty() { own } else { own.into_iter().chain(pairs(port)).collect() }
}

pub async fn port_came(engine: &Engine, cx: &Context, port: &Record) -> Result<()> {
    if is_outside(engine, port) || !spread::served(engine).owner(port.str("device_owner")) {
        return Ok(());
    }
    let around = Around::of(engine, port.str("network_id")).await?;
    if around.subnets.is_empty() {
        return Ok(());
    }
    arrive(engine, cx, &around, port, port.str(HOST)).await?;
    around.tell(engine, cx, "add_arp_entry", port, &entries(port));
    Ok(())
}

/// The routers of the port's subnets, and their neighbours, come to its host.
async fn arrive(engine: &Engine, cx: &Context, around: &Around, port: &Record, host: &str) -> Result<()> {
    let mut routers = around.routers(port);
    if host.is_empty() || routers.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.reader().await?;
    if tx.count("SELECT count(*) FROM agents WHERE agent_type = ? AND host = ?", args![L3, host]).await? == 0 {
        return Ok(());
    }
    let others = spread::neighbours(&mut tx, &routers).await?;
    drop(tx);
    routers.extend(others.into_iter().map(|(_, other)| other));
    routers_updated_on_host(engine, cx, &routers, host);
    Ok(())
}

/// A port that nobody owned until it was bound may have a floating IP that the central part of a router served.
async fn tell_central(engine: &Engine, cx: &Context, routers: &BTreeSet<String>, but: &str) -> Result<()> {
    let sql = "SELECT host, configurations FROM agents WHERE agent_type = ? AND admin_state_up = ? AND host <> ? ORDER BY host";
    let rows = engine.db.reader().await?.query(sql, args![L3, true, but]).await?;
    for row in rows {
        let configurations = serde_json::from_str(&row.opt_text(1)?.unwrap_or_default()).unwrap_or_default();
        if Mode::of(&configurations) == Mode::DvrSnat {
            routers_updated_on_host(engine, cx, routers, &row.text(0)?);
        }
    }
    Ok(())
}

pub async fn port_changed(engine: &Engine, cx: &Context, original: &Record, port: &Record) -> Result<()> {
    let (was, is) = (original.str(HOST), port.str(HOST));
    let next = port.get("binding:profile")["migrating_to"].as_str().filter(|next| !next.is_empty());
    let before = original.get("binding:profile")["migrating_to"].as_str();
    let migrates = next.filter(|next| Some(*next) != before);
    let same = |name: &str| original.get(name) == port.get(name);
    let told =
        ["mac_address", "allowed_address_pairs", "admin_state_up"].iter().all(|name| same(name)) && addresses(original) == addresses(port);
    if is_outside(engine, port) || (was == is && migrates.is_none() && told) {
        return Ok(());
    }
    let around = Around::of(engine, port.str("network_id")).await?;
    if around.subnets.is_empty() {
        return Ok(());
    }
    if !was.is_empty() && was != is {
        depart(engine, cx, &around, original, port).await?;
    }
    if is != was && !is.is_empty() && was.is_empty() && original.str("device_owner").is_empty() {
        tell_central(engine, cx, &around.routers(port), is).await?;
    }
    if let Some(host) = migrates {
        prepare(engine, cx, port, host).await?;
    }
    if let Some(host) = migrates.or(Some(is).filter(|is| *is != was && !is.is_empty())) {
        arrive(engine, cx, &around, port, host).await?;
        around.tell(engine, cx, "add_arp_entry", port, &entries(port));
        return Ok(());
    }
    if told {
        return Ok(());
    }
    let (old, new) = (entries(original), if port.bool("admin_state_up") { entries(port) } else { own_only(port) });
    let gone: Vec<Entry> = old.into_iter().filter(|entry| !new.contains(entry)).collect();
    around.tell(engine, cx, "del_arp_entry", original, &gone);
    around.tell(engine, cx, "add_arp_entry", port, &new);
    Ok(())
}

/// Pairs of a port that is switched off are not told.
fn own_only(port: &Record) -> Vec<Entry> {
    entries(port).into_iter().filter(|entry| entry.subnet_id.is_some()).collect()
}

/// The host to which a port with a floating IP is moving needs a gateway for it.
async fn prepare(engine: &Engine, cx: &Context, port: &Record, host: &str) -> Result<()> {
    let sql = "SELECT f.floating_network_id FROM floatingips f JOIN router_extra_attributes e ON e.router_id = f.router_id \
               AND e.distributed = ? WHERE f.fixed_port_id = ? ORDER BY f.id";
    let row = engine.db.reader().await?.query_one(sql, args![true, port.id()]).await?;
    if let Some(row) = row {
        gateways::ensure(engine, &cx.elevated(), &row.text(0)?, host).await?;
    }
    Ok(())
}

/// A port left its host; a floating IP on it leaves, too.
async fn depart(engine: &Engine, cx: &Context, around: &Around, original: &Record, port: &Record) -> Result<()> {
    let host = original.str(HOST);
    let gone = left_behind(engine, around, original, host).await?;
    let sql = "SELECT f.router_id FROM floatingips f JOIN router_extra_attributes e ON e.router_id = f.router_id AND e.distributed = ? \
               WHERE f.fixed_port_id = ? ORDER BY f.id";
    let served = engine.db.reader().await?.query_one(sql, args![true, port.id()]).await?.map(|row| row.text(0)).transpose()?;
    if !gone.is_empty() {
        around.tell(engine, cx, "del_arp_entry", original, &entries(original));
    }
    if let Some(router_id) = served.filter(|router_id| !gone.contains(router_id)) {
        routers_updated_on_host(engine, cx, &BTreeSet::from([router_id]), host);
    }
    leave(engine, &cx.elevated(), gone.into_iter().map(|router_id| (router_id, host.to_owned())).collect()).await
}

pub async fn port_went(engine: &Engine, cx: &Context, port: &Record) -> Result<()> {
    if is_outside(engine, port) {
        return Ok(());
    }
    let around = Around::of(engine, port.str("network_id")).await?;
    if around.subnets.is_empty() {
        return Ok(());
    }
    around.tell(engine, cx, "del_arp_entry", port, &entries(port));
    let host = port.str(HOST);
    let gone = left_behind(engine, &around, port, host).await?;
    leave(engine, &cx.elevated(), gone.into_iter().map(|router_id| (router_id, host.to_owned())).collect()).await
}

/// The routers that have nothing to do on a host without this port: those of its subnets and their neighbours, unless any of them still
/// serves a port there, to which the others lead.
async fn left_behind(engine: &Engine, around: &Around, port: &Record, host: &str) -> Result<BTreeSet<String>> {
    let (served, mut routers) = (spread::served(engine), around.routers(port));
    if host.is_empty() || routers.is_empty() || !served.owner(port.str("device_owner")) {
        return Ok(BTreeSet::new());
    }
    let mut tx = engine.db.reader().await?;
    let others = spread::neighbours(&mut tx, &routers).await?;
    routers.extend(others.into_iter().map(|(_, other)| other));
    let needed = spread::needed_on(&mut tx, served, host, &routers).await?;
    Ok(if needed.is_empty() { routers } else { BTreeSet::new() })
}
