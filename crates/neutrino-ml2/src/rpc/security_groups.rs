// SPDX-License-Identifier: Apache-2.0
//! The rules that an agent filters a device's traffic by, for agents that keep no objects of their own.
//!
//! Owns the answers only; groups and their rules are another feature's, whose tables are read. Ports of `network:*` owners are trusted and
//! left out. Invariant: a constant number of statements, whatever the number of devices, groups and members.

use std::collections::{BTreeMap, BTreeSet};

use neutrino_core::{Context, Engine, rpc::Args};
use neutrino_db::{Row, Sql, Tx};
use neutrino_types::{Result, cidr::Cidr, ip::Ip};
use serde_json::{Map, Value, json};

use super::{
    devices::{Device, resolve},
    list, load,
};

/// A rule as it is stored.
struct Rule {
    group: String,
    direction: String,
    ethertype: String,
    remote_group: Option<String>,
    remote_addresses: Option<String>,
    /// What it says, in the words of agents.
    said: Map<String, Value>,
    stateful: bool,
}

/// An address, and the MAC address that it must come with, if any.
type Member = (String, Option<String>);
/// The addresses of groups and of address groups by their ids.
type Members = BTreeMap<String, BTreeSet<Member>>;
/// Ports by their ids, as dictionaries.
type Ports = BTreeMap<String, Value>;

/// `security_group_info_for_devices`.
pub async fn info_for_devices(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let cx = cx.elevated();
    let mut ports = ports(engine, &cx, args).await?;
    let groups: BTreeSet<String> = ports.values().flat_map(|port| texts(&port["security_groups"])).collect();
    let mut tx = engine.db.reader().await?;
    let rules = rules(&mut tx, &groups).await?;
    let members = members(&mut tx, &rules).await?;
    drop(tx);
    let mut said: BTreeMap<&str, Vec<Value>> = groups.iter().map(|group| (group.as_str(), Vec::new())).collect();
    for rule in &rules {
        let mut one = rule.said.clone();
        one.insert("stateful".to_owned(), rule.stateful.into());
        let list = said.entry(&rule.group).or_default();
        let one = Value::Object(one);
        if !list.contains(&one) {
            list.push(one);
        }
    }
    for port in ports.values_mut() {
        let own: BTreeSet<String> = texts(&port["security_groups"]).collect();
        for rule in rules.iter().filter(|rule| own.contains(&rule.group)) {
            note_remote(port, rule, true);
        }
        add_provider_rules(port);
    }
    let with_macs = args.get("call_version").and_then(Value::as_str).is_some_and(|version| version != "1.2" && version != "1.1");
    let member_ips = by_ethertype(&rules, &members, with_macs);
    Ok(json!({"devices": ports, "security_groups": said, "sg_member_ips": member_ips}))
}

/// `security_group_rules_for_devices`.
pub async fn rules_for_devices(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let cx = cx.elevated();
    let mut ports = ports(engine, &cx, args).await?;
    let groups: BTreeSet<String> = ports.values().flat_map(|port| texts(&port["security_groups"])).collect();
    let mut tx = engine.db.reader().await?;
    let rules = rules(&mut tx, &groups).await?;
    let members = members(&mut tx, &rules).await?;
    drop(tx);
    for port in ports.values_mut() {
        let own: BTreeSet<String> = texts(&port["security_groups"]).collect();
        for rule in rules.iter().filter(|rule| own.contains(&rule.group)) {
            note_remote(port, rule, false);
            add_rule(port, rule, &members);
        }
        add_provider_rules(port);
    }
    Ok(json!(ports))
}

/// The devices' ports that are not trusted, by their ids, with room for rules.
async fn ports(engine: &Engine, cx: &Context, args: &Args) -> Result<Ports> {
    let devices = Device::all(list(args, "devices")?)?;
    let ids = resolve(&mut engine.db.reader().await?, &devices).await?;
    let records = load::whole(engine, cx, "ports", ids.iter().flatten().map(String::as_str)).await?;
    let mut ports = Ports::new();
    for (device, id) in devices.iter().zip(&ids) {
        let Some(record) = id.as_ref().and_then(|id| records.get(id)) else { continue };
        if record.str("device_owner").starts_with("network:") {
            continue;
        }
        let mut port = load::dict(record)?;
        let addresses: Vec<Value> = record.list("fixed_ips").iter().map(|entry| entry["ip_address"].clone()).collect();
        port["fixed_ips"] = addresses.into();
        if port["security_groups"].is_null() {
            port["security_groups"] = json!([]);
        }
        for name in ["security_group_rules", "security_group_source_groups", "security_group_remote_address_groups"] {
            port[name] = json!([]);
        }
        port["device"] = device.name.as_str().into();
        ports.insert(record.id().to_owned(), port);
    }
    Ok(ports)
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    let texts: Vec<String> = list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    texts.into_iter()
}

async fn rules(tx: &mut Tx, groups: &BTreeSet<String>) -> Result<Vec<Rule>> {
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::raw(
        "SELECT r.security_group_id, r.direction, r.ethertype, r.protocol, r.port_range_min, r.port_range_max, r.remote_ip_prefix, \
         r.remote_group_id, r.remote_address_group_id, g.stateful FROM securitygrouprules r JOIN securitygroups g ON g.id = r.security_group_id WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "r.security_group_id", groups.iter().map(String::as_str))).push(" ORDER BY r.standard_attr_id");
    tx.select(sql).await?.iter().map(rule).collect()
}

fn rule(row: &Row) -> Result<Rule> {
    let (direction, ethertype) = (row.opt_text(1)?.unwrap_or_default(), row.opt_text(2)?.unwrap_or_default());
    let (remote_group, remote_addresses) = (row.opt_text(7)?, row.opt_text(8)?);
    let prefix = if direction == "egress" { "dest_ip_prefix" } else { "source_ip_prefix" };
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| {
        if !value.is_null() {
            said.insert(name.to_owned(), value);
        }
    };
    say("direction", direction.as_str().into());
    say("ethertype", ethertype.as_str().into());
    say("protocol", row.opt_text(3)?.into());
    say("port_range_min", row.opt_int(4)?.into());
    say("port_range_max", row.opt_int(5)?.into());
    say(prefix, row.opt_text(6)?.into());
    say("remote_group_id", remote_group.clone().into());
    say("remote_address_group_id", remote_addresses.clone().into());
    let stateful = row.opt_bool(9)?.unwrap_or(true);
    Ok(Rule { group: row.text(0)?, direction, ethertype, remote_group, remote_addresses, said, stateful })
}

/// The addresses of all groups that rules name as remote ones: of members with what their ports may send from, and of address groups.
async fn members(tx: &mut Tx, rules: &[Rule]) -> Result<Members> {
    let mut all = Members::new();
    let groups: BTreeSet<&str> = rules.iter().filter_map(|rule| rule.remote_group.as_deref()).collect();
    if !groups.is_empty() {
        let mut sql = Sql::raw(
            "SELECT b.security_group_id, i.ip_address, NULL FROM securitygroupportbindings b JOIN ipallocations i ON i.port_id = b.port_id WHERE ",
        );
        sql.append(Sql::in_texts(tx.dialect(), "b.security_group_id", groups.iter().copied()));
        // A port without an address is no member, whatever else it may send from.
        sql.push(
            " UNION SELECT b.security_group_id, a.ip_address, a.mac_address FROM securitygroupportbindings b \
             JOIN allowedaddresspairs a ON a.port_id = b.port_id \
             WHERE EXISTS (SELECT 1 FROM ipallocations i WHERE i.port_id = b.port_id) AND ",
        );
        sql.append(Sql::in_texts(tx.dialect(), "b.security_group_id", groups.iter().copied()));
        for row in tx.select(sql).await? {
            all.entry(row.text(0)?).or_default().insert((row.text(1)?, row.opt_text(2)?));
        }
    }
    let groups: BTreeSet<&str> = rules.iter().filter_map(|rule| rule.remote_addresses.as_deref()).collect();
    if !groups.is_empty() {
        let mut sql = Sql::raw("SELECT address_group_id, address FROM address_associations WHERE ");
        sql.append(Sql::in_texts(tx.dialect(), "address_group_id", groups));
        for row in tx.select(sql).await? {
            all.entry(row.text(0)?).or_default().insert((row.text(1)?, None));
        }
    }
    Ok(all)
}

fn ethertype(address: &str) -> &'static str {
    if address.contains(':') { "IPv6" } else { "IPv4" }
}

/// The members of each remote group, of the ethertypes that its rules have.
fn by_ethertype(rules: &[Rule], members: &Members, with_macs: bool) -> Value {
    let mut all: BTreeMap<&str, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
    for rule in rules {
        let Some(group) = rule.remote_group.as_deref().or(rule.remote_addresses.as_deref()) else { continue };
        let lists = all.entry(group).or_default();
        if lists.contains_key(rule.ethertype.as_str()) {
            continue;
        }
        let mut list = Vec::new();
        for (address, mac) in members.get(group).into_iter().flatten().filter(|(address, _)| ethertype(address) == rule.ethertype) {
            let one = if with_macs { json!([address, mac]) } else { json!(address) };
            if with_macs || list.last() != Some(&one) {
                list.push(one);
            }
        }
        lists.insert(&rule.ethertype, list);
    }
    json!(all)
}

/// Notes on the port that a rule names a remote group; `once`: each group only once.
fn note_remote(port: &mut Value, rule: &Rule, once: bool) {
    let (name, group) = match (&rule.remote_group, &rule.remote_addresses) {
        (Some(group), _) => ("security_group_source_groups", group),
        (None, Some(group)) => ("security_group_remote_address_groups", group),
        (None, None) => return,
    };
    if let Some(list) = port[name].as_array_mut() {
        let group = json!(group);
        if !once || !list.contains(&group) {
            list.push(group);
        }
    }
}

/// The rule with its prefix; one that names a remote group, once for each of its addresses that is none of the port's own.
fn add_rule(port: &mut Value, rule: &Rule, members: &Members) {
    let mut base = rule.said.clone();
    base.insert("security_group_id".to_owned(), rule.group.as_str().into());
    let own: BTreeSet<String> = texts(&port["fixed_ips"]).collect();
    let Some(list) = port["security_group_rules"].as_array_mut() else { return };
    let Some(group) = rule.remote_group.as_deref().or(rule.remote_addresses.as_deref()) else {
        list.push(base.into());
        return;
    };
    let prefix = if rule.direction == "egress" { "dest_ip_prefix" } else { "source_ip_prefix" };
    for (address, _) in members.get(group).into_iter().flatten() {
        if own.contains(address) || ethertype(address) != rule.ethertype {
            continue;
        }
        let mut one = base.clone();
        one.insert(prefix.to_owned(), as_network(address).into());
        list.push(one.into());
    }
}

/// An address as the network of it alone; a network without what its mask hides.
fn as_network(text: &str) -> String {
    match text.parse::<Ip>() {
        Ok(ip) => Cidr::host(ip).to_string(),
        Err(_) => Cidr::parse_with_address(text).map_or_else(|_| text.to_owned(), |(_, cidr)| cidr.to_string()),
    }
}

/// What every port needs: router advertisements if it has an IPv6 address, and answers of DHCP servers to its own addresses.
fn add_provider_rules(port: &mut Value) {
    let own: Vec<String> = texts(&port["fixed_ips"]).collect();
    let of = |kind: &str, suffix: &str| -> Vec<String> {
        own.iter().filter(|ip| ethertype(ip) == kind).map(|ip| format!("{ip}{suffix}")).collect()
    };
    let (v4, v6) = (of("IPv4", "/32"), of("IPv6", "/128"));
    let Some(list) = port["security_group_rules"].as_array_mut() else { return };
    if !v6.is_empty() {
        list.push(json!({"direction": "ingress", "ethertype": "IPv6", "protocol": "ipv6-icmp", "source_port_range_min": 134}));
    }
    let mut dhcp = |kind: &str, from: i64, to: i64, targets: Vec<String>| {
        for target in targets {
            list.push(json!({"direction": "ingress", "ethertype": kind, "protocol": "udp", "port_range_min": to, "port_range_max": to,
                "source_port_range_min": from, "source_port_range_max": from, "dest_ip_prefix": target}));
        }
    };
    dhcp("IPv4", 67, 68, [v4, vec!["255.255.255.255/32".to_owned()]].concat());
    dhcp("IPv6", 547, 546, [v6, vec!["fe80::/64".to_owned()]].concat());
}
