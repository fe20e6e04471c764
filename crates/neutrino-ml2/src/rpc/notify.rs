// SPDX-License-Identifier: Apache-2.0
//! Fanouts to L2 agents about ports, networks, tunnels and security groups.
//!
//! Most follow from what a commit changed, so that a watcher sends them; what depends on the binding after it is sent where that is known.
//! Invariant: the name of a topic, a version and the names of arguments are those that agents of Neutron expect.

use std::collections::{BTreeSet, HashMap};

use neutrino_core::{Builder, Change, Changes, Context, Engine, Verb, Watcher, rpc};
use neutrino_db::Sql;
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::{Value, json};

use super::load::dict;

const PORT_UPDATE: &str = "q-agent-notifier-port-update";
const PORT_DELETE: &str = "q-agent-notifier-port-delete";
const NETWORK_UPDATE: &str = "q-agent-notifier-network-update";
const NETWORK_DELETE: &str = "q-agent-notifier-network-delete";
const TUNNEL_UPDATE: &str = "q-agent-notifier-tunnel-update";
const TUNNEL_DELETE: &str = "q-agent-notifier-tunnel-delete";
const BINDING_ACTIVATE: &str = "q-agent-notifier-binding-activate";
const BINDING_DEACTIVATE: &str = "q-agent-notifier-binding-deactivate";
const SECURITY_GROUP_UPDATE: &str = "q-agent-notifier-security_group-update";

/// Attributes of a port whose change agents must hear of; the status changes with the binding.
const TOLD: [&str; 12] = [
    "mac_address",
    "fixed_ips",
    "admin_state_up",
    "security_groups",
    "port_security_enabled",
    "allowed_address_pairs",
    "extra_dhcp_opts",
    "qos_policy_id",
    "binding:host_id",
    "binding:vnic_type",
    "binding:profile",
    "binding:vif_type",
];

fn fanout(engine: &Engine, cx: &Context, topic: &str, version: &'static str, method: &'static str, args: Value) {
    rpc::cast(engine, cx, rpc::Message::new(topic, version, method, args).to_all());
}

fn lasting(engine: &Engine, cx: &Context, topic: &str, method: &'static str, args: Value) {
    rpc::cast(engine, cx, rpc::Message::new(topic, "1.0", method, args).to_all().lasting());
}

/// A port was updated, and bound if it could be.
///
/// # Errors
/// The database's.
pub async fn port_updated(engine: &Engine, cx: &Context, original: &Record, port: &Record) -> Result<()> {
    ports_updated(engine, cx, &[(original, port)]).await
}

/// [`port_updated`] of ports as they were and as they are.
///
/// # Errors
/// The database's.
pub async fn ports_updated(engine: &Engine, cx: &Context, pairs: &[(&Record, &Record)]) -> Result<()> {
    let is_told = |(original, port): &&(&Record, &Record)| {
        let bound = !matches!(port.str("binding:vif_type"), "unbound" | "binding_failed" | "distributed");
        bound && TOLD.iter().any(|name| original.get(name) != port.get(name))
    };
    let told: Vec<&Record> = pairs.iter().filter(is_told).map(|(_, port)| *port).collect();
    if told.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.reader().await?;
    let mut sql = Sql::raw(
        "SELECT l.port_id, l.host, s.network_type, s.segmentation_id, s.physical_network FROM ml2_port_binding_levels l \
         JOIN networksegments s ON s.id = l.segment_id WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "l.port_id", told.iter().map(|port| port.id()))).push(" ORDER BY l.port_id, l.level");
    // The last level of a port on a host is where it is.
    let mut segments = HashMap::new();
    for row in tx.select(sql).await? {
        segments.insert((row.text(0)?, row.text(1)?), (row.text(2)?, row.opt_int(3)?, row.opt_text(4)?));
    }
    drop(tx);
    for port in told {
        let place = (port.id().to_owned(), port.str("binding:host_id").to_owned());
        let Some((network_type, segmentation_id, physical_network)) = segments.get(&place) else { continue };
        let args = json!({"port": dict(port)?, "network_type": network_type, "segmentation_id": segmentation_id, "physical_network": physical_network});
        fanout(engine, cx, PORT_UPDATE, "1.0", "port_update", args);
    }
    Ok(())
}

/// The ACTIVE binding of a port has moved.
pub fn binding_moved(engine: &Engine, cx: &Context, port: &Record, from: &str, to: &str) {
    let args = json!({"port_id": port.id(), "host": from, "network_id": port.str("network_id")});
    fanout(engine, cx, BINDING_DEACTIVATE, "1.5", "binding_deactivate", args);
    fanout(engine, cx, BINDING_ACTIVATE, "1.5", "binding_activate", json!({"port_id": port.id(), "host": to}));
}

/// Without `l2population` nothing else brings an agent the tunnels to hosts that are new.
pub fn tunnel_update(engine: &Engine, cx: &Context, ip: &str, tunnel_type: &str) {
    lasting(engine, cx, TUNNEL_UPDATE, "tunnel_update", json!({"tunnel_ip": ip, "tunnel_type": tunnel_type}));
}

pub fn tunnel_delete(engine: &Engine, cx: &Context, ip: &str, tunnel_type: &str) {
    fanout(engine, cx, TUNNEL_DELETE, "1.0", "tunnel_delete", json!({"tunnel_ip": ip, "tunnel_type": tunnel_type}));
}

struct Fanouts;

impl Watcher for Fanouts {
    fn changed(&self, engine: &Engine, cx: &Context, changes: &Changes) {
        let (mut rules, mut members) = (BTreeSet::new(), BTreeSet::new());
        for change in &changes.objects {
            match (change.collection.as_str(), change.verb) {
                ("ports", verb) => {
                    members_of(change, &mut members);
                    if verb == Verb::Deleted {
                        lasting(engine, cx, PORT_DELETE, "port_delete", json!({"port_id": change.id}));
                    }
                }
                ("networks", Verb::Deleted) => {
                    lasting(engine, cx, NETWORK_DELETE, "network_delete", json!({"network_id": change.id}));
                }
                ("networks", Verb::Updated) => network_updated(engine, cx, change),
                ("security_group_rules", _) => {
                    let group = change.after.as_ref().or(change.before.as_ref()).map(|rule| rule.str("security_group_id").to_owned());
                    rules.extend(group);
                }
                _ => {}
            }
        }
        for (groups, method) in [(members, "security_groups_member_updated"), (rules, "security_groups_rule_updated")] {
            if !groups.is_empty() {
                fanout(engine, cx, SECURITY_GROUP_UPDATE, "1.1", method, json!({"security_groups": groups}));
            }
        }
    }
}

/// The security groups that gain or lose an address by a change of a port.
fn members_of(change: &Change, groups: &mut BTreeSet<String>) {
    let of = |port: Option<&Record>| -> Vec<String> {
        let port = port.filter(|port| port.str("device_owner") != "network:dhcp");
        port.into_iter().flat_map(|port| port.list("security_groups")).filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (before, after) = (change.before.as_ref(), change.after.as_ref());
    if let (Some(was), Some(is)) = (before, after)
        && was.get("fixed_ips") == is.get("fixed_ips")
        && sorted(of(before)) == sorted(of(after))
    {
        return;
    }
    // Of a change by another object's rules only the old state is known.
    if change.verb == Verb::Updated && after.is_none() {
        return;
    }
    groups.extend(of(before));
    groups.extend(of(after));
}

fn sorted(mut list: Vec<String>) -> Vec<String> {
    list.sort_unstable();
    list
}

fn network_updated(engine: &Engine, cx: &Context, change: &Change) {
    let (Some(was), Some(is)) = (&change.before, &change.after) else { return };
    if ["mtu", "qos_policy_id"].iter().any(|name| was.get(name) != is.get(name)) {
        match dict(is) {
            Ok(network) => fanout(engine, cx, NETWORK_UPDATE, "1.4", "network_update", json!({ "network": network })),
            Err(error) => {
                tracing::error!(error = %error, log = error.log().unwrap_or_default(), "agents are not told of a network's change")
            }
        }
    }
}

pub fn register(builder: &mut Builder) {
    builder.watcher(Fanouts);
}
