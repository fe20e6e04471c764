// SPDX-License-Identifier: Apache-2.0
//! Answers that are plain looks: the ports of a subnet, networks, and which service plugins are on.

use std::collections::HashMap;

use neutrino_core::{
    Context, Engine, Filter, ListQuery,
    rpc::{Args, text as argument, texts},
};
use neutrino_db::{Row, Sql, args};
use neutrino_types::Result;
use serde_json::{Value, json};

use super::objects;

/// An extension, and the name under which agents know the plugin that brings it.
const PLUGINS: &[(&str, &str)] = &[
    ("router", "L3_ROUTER_NAT"),
    ("metering", "METERING"),
    ("qos", "QOS"),
    ("trunk", "trunk"),
    ("segment", "segments"),
    ("floating-ip-port-forwarding", "PORTFORWARDING"),
    ("network-ip-availability", "network-ip-availability"),
    ("flavors", "FLAVORS"),
    ("auto-allocated-topology", "auto-allocated-topology"),
    ("standard-attr-tag", "TAG"),
    ("standard-attr-timestamp", "timestamp"),
    ("standard-attr-revisions", "revision_plugin"),
    ("logging", "LOGGING"),
    ("network-segment-range", "NETWORK_SEGMENT_RANGE"),
    ("l3-conntrack-helper", "CONNTRACKHELPER"),
    ("local_ip", "LOCAL_IP"),
    ("l3-ndp-proxy", "NDPPROXY"),
];

pub fn service_plugins(engine: &Engine) -> Value {
    let on = PLUGINS.iter().filter(|(alias, _)| engine.registry.has_extension(alias)).map(|(_, name)| *name);
    std::iter::once("CORE").chain(on).collect()
}

/// Networks, by filters of attributes, whole or some of their attributes.
pub async fn get_networks(engine: &Engine, cx: &Context, arguments: &Args) -> Result<Value> {
    let table = engine.entry("networks")?.table.clone();
    let mut query = ListQuery::default();
    for (name, values) in arguments.get("filters").and_then(Value::as_object).into_iter().flatten() {
        let values = values.as_array().cloned().unwrap_or_else(|| vec![values.clone()]);
        query.filters.extend(table.find(name).map(|attribute| Filter { attribute, values }));
    }
    let fields = texts(arguments, "fields")?;
    query.fields = (!fields.is_empty()).then_some(fields);
    let mut found = objects::list(engine, &cx.elevated(), "networks", &query).await?;
    for network in &mut found {
        network.retain(|name, _| query.wants(name));
    }
    Ok(found.into_iter().map(Value::Object).collect())
}

/// Columns of ports, in the order of [`port`].
pub const PORT: &str = "p.id, p.name, p.network_id, p.project_id, p.mac_address, p.admin_state_up, p.status, p.device_id, p.device_owner, \
                        p.standard_attr_id";

/// A port without what extensions add to it.
///
/// # Errors
/// The database's.
pub fn port(row: &Row) -> Result<Value> {
    let text = |at: usize| row.opt_text(at).map(Option::unwrap_or_default);
    let project = text(3)?;
    Ok(json!({
        "id": text(0)?, "name": text(1)?, "network_id": text(2)?, "project_id": project, "tenant_id": project, "mac_address": text(4)?,
        "admin_state_up": row.bool(5)?, "status": text(6)?, "device_id": text(7)?, "device_owner": text(8)?, "standard_attr_id": row.int(9)?,
    }))
}

/// The ports with an address of a subnet that are bound somewhere, with the addresses that others may use through them.
pub async fn get_ports_by_subnet(engine: &Engine, _cx: &Context, arguments: &Args) -> Result<Value> {
    let subnet_id = argument(arguments, "subnet_id")?;
    let mut tx = engine.db.reader().await?;
    let sql = format!(
        "SELECT {PORT} FROM ports p WHERE EXISTS (SELECT 1 FROM ipallocations a WHERE a.port_id = p.id AND a.subnet_id = ?) \
         AND EXISTS (SELECT 1 FROM ml2_port_bindings b WHERE b.port_id = p.id AND b.status = 'ACTIVE' \
         AND b.vif_type NOT IN ('unbound', 'binding_failed')) ORDER BY p.id"
    );
    let mut ports: Vec<Value> = tx.query(&sql, args![subnet_id]).await?.iter().map(port).collect::<Result<_>>()?;
    let place: HashMap<String, usize> =
        ports.iter().enumerate().map(|(at, port)| (port["id"].as_str().unwrap_or_default().to_owned(), at)).collect();
    for port in &mut ports {
        port["fixed_ips"] = json!([]);
        port["allowed_address_pairs"] = json!([]);
    }
    let of = |tx: &neutrino_db::Tx| Sql::in_texts(tx.dialect(), "port_id", place.keys().map(String::as_str));
    let mut add = |id: &str, key: &str, entry: Value| {
        if let Some(list) = place.get(id).and_then(|at| ports.get_mut(*at)).and_then(|port| port[key].as_array_mut()) {
            list.push(entry);
        }
    };
    let mut sql = Sql::raw("SELECT port_id, subnet_id, ip_address FROM ipallocations WHERE ");
    sql.append(of(&tx)).push(" ORDER BY port_id, ip_address");
    for row in tx.select(sql).await? {
        add(&row.text(0)?, "fixed_ips", json!({"subnet_id": row.text(1)?, "ip_address": row.text(2)?}));
    }
    let mut sql = Sql::raw("SELECT port_id, mac_address, ip_address FROM allowedaddresspairs WHERE ");
    sql.append(of(&tx)).push(" ORDER BY port_id, ip_address, mac_address");
    for row in tx.select(sql).await? {
        add(&row.text(0)?, "allowed_address_pairs", json!({"mac_address": row.text(1)?, "ip_address": row.text(2)?}));
    }
    Ok(ports.into())
}
