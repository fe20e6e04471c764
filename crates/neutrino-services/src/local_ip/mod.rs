// SPDX-License-Identifier: Apache-2.0
//! Service plugin `local_ip`: addresses that machines reach on their own host, whichever host that is (`neutron/db/local_ip_db.py`).
//!
//! Owns `local_ips`, `local_ip_associations`, and the ports that hold the addresses of local IPs without a port of their own. Rules: an
//! IPv4 address of a port or of a network in the caller's sight; one that ports are associated with stays; its port stays as long as it
//! does. Refuses to own: what the agents do.

mod associations;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Hook, Op, service_plugin};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Extension, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    validate::Literal,
};
use neutrino_types::{Error, Kind as ErrorKind, Result, error::kinds};
use oslo_config::Config;
use serde_json::{Value, json};

pub const NOT_FOUND: ErrorKind = ErrorKind::new("LocalIPNotFound", 404);
const IN_USE: ErrorKind = ErrorKind::new("LocalIPInUse", 409);
const NO_IP: ErrorKind = ErrorKind::new("LocalIPNoIP", 400);
const REQUESTED_NOT_FOUND: ErrorKind = ErrorKind::new("LocalIPRequestedIPNotFound", 400);
const NO_REQUESTED: ErrorKind = ErrorKind::new("LocalIPNoRequestedIP", 400);
const PORT_OR_NETWORK: ErrorKind = ErrorKind::new("LocalIPPortOrNetworkRequired", 400);
const SERVICE_PORT_IN_USE: ErrorKind = ErrorKind::new("ServicePortInUse", 409);

/// The owner of a port that holds the address of a local IP.
const OWNER: &str = "network:local_ip";

static RESOURCE: Resource = Resource::new(
    "local_ips",
    "local_ip",
    "local-ips",
    "local_ips",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        common::PROJECT_ID,
        Attribute::new("local_port_id")
            .post()
            .default(Default::Unset)
            .validate(Validator::Uuid)
            .filter()
            .sort()
            .column("local_port_id", Kind::Text),
        Attribute::new("network_id")
            .post()
            .default(Default::Unset)
            .validate(Validator::Uuid)
            .filter()
            .sort()
            .column("network_id", Kind::Text),
        Attribute::new("local_ip_address")
            .post()
            .default(Default::Unset)
            .validate(Validator::IpAddressOrNone)
            .filter()
            .sort()
            .enforce_policy()
            .column("local_ip_address", Kind::Text),
        Attribute::new("ip_mode")
            .post()
            .default(Default::Str("translate"))
            .validate(Validator::Values(Some(&[Literal::Str("translate"), Literal::Str("passthrough")])))
            .filter()
            .sort()
            .column("ip_mode", Kind::Text),
    ],
)
.standard("local_ips")
.visibility(Visibility::Owner);

static EXTENSION: Extension = Extension::new("local_ip", "Local IP", "Support Node Local Virtual IP", "2021-07-26T10:00:00-00:00")
    .resources(&[&RESOURCE, &associations::RESOURCE]);

pub fn register(builder: &mut Builder, config: &Config) {
    if service_plugin(config, "local_ip") {
        builder.extension(&EXTENSION).behaviour("local_ips", LocalIps).hook("ports", Ports);
        builder.behaviour("local_ips/port_associations", associations::Associations);
    }
}

fn bad(resource: &str, sentence: impl std::fmt::Display) -> Error {
    kinds::BAD_REQUEST_PLUGIN.error(format!("Bad {resource} request: {sentence}."))
}

/// A port with its addresses, in the caller's view.
async fn seen_port(engine: &Engine, cx: &Context, resource: &str, id: &str) -> Result<Record> {
    engine.original(cx, "ports", None, id).await.map_err(|error| match error.status() {
        404 => bad(resource, format!("port {id} not found")),
        _ => error,
    })
}

/// The address of a port that is meant: the one that is asked for, or its only one.
fn address_of(port: &Record, asked: Option<&str>) -> Result<String> {
    let id = port.id();
    let held: Vec<&str> = port.list("fixed_ips").iter().filter_map(|entry| entry["ip_address"].as_str()).collect();
    match (held.as_slice(), asked) {
        ([], _) => Err(NO_IP.error(format!("Port {id} has no fixed IPs."))),
        (held, Some(asked)) if held.contains(&asked) => Ok(asked.to_owned()),
        (_, Some(asked)) => Err(REQUESTED_NOT_FOUND.error(format!("Port {id} does not have the requested IP address {asked}."))),
        ([only], None) => Ok((*only).to_owned()),
        (_, None) => Err(NO_REQUESTED.error(format!("Port {id} has several IP addresses: the request must say which is meant."))),
    }
}

struct LocalIps;

#[async_trait]
impl Behaviour for LocalIps {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        if let Some(port_id) = body.str("local_port_id") {
            let port = seen_port(engine, cx, "local_ip", port_id).await?;
            let address = address_of(&port, body.str("local_ip_address"))?;
            body.set("local_ip_address", address);
            body.set("network_id", port.str("network_id"));
            return Ok(());
        }
        let Some(network_id) = body.str("network_id") else {
            return Err(PORT_OR_NETWORK.error("A local IP is made with a port (local_port_id) or on a network (network_id)."));
        };
        engine.original(cx, "networks", None, network_id).await.map(drop)
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        if body.str("local_port_id").is_none() {
            let (port_id, address) = hold(op, id, body).await?;
            body.set("local_port_id", port_id);
            body.set("local_ip_address", address);
        }
        op.insert(id, body, &[]).await.map_err(|error| {
            if error.is_foreign_key() {
                return bad("local_ip", format!("port {} not found", body.str("local_port_id").unwrap_or_default()));
            }
            error
        })
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let id = original.id();
        op.lock("local_ips", id).await?;
        if op.tx.count("SELECT count(*) FROM local_ip_associations WHERE local_ip_id = ?", args![id]).await? > 0 {
            return Err(IN_USE.error(format!("Local IP {id} is still associated with one or more ports: take them away first.")));
        }
        op.delete(original).await?;
        let port_id = original.str("local_port_id");
        match op.load("ports", &[port_id]).await?.first() {
            Some(port) if port.str("device_owner") == OWNER => op.delete_object("ports", port).await,
            _ => Ok(()),
        }
    }
}

/// Makes a port that holds an address for a local IP; gives its id and the address.
async fn hold(op: &mut Op<'_>, id: &str, body: &Body) -> Result<(String, String)> {
    let network_id = body.str("network_id").unwrap_or_default();
    if op.tx.count("SELECT count(*) FROM subnets WHERE network_id = ? AND ip_version = 4", args![network_id]).await? == 0 {
        return Err(bad("local_ip", format!("network {network_id} does not contain any IPv4 subnet")));
    }
    let mut request = json!({"network_id": network_id, "device_id": id, "device_owner": OWNER, "project_id": body.project_id()});
    if let Some(asked) = body.str("local_ip_address") {
        request["fixed_ips"] = json!([{ "ip_address": asked }]);
    }
    let engine = op.engine;
    let request = request.as_object().cloned().unwrap_or_default();
    let mut port = Body::create(engine.entry("ports")?.table.clone(), &request, None, &engine.registry.limits)?;
    let port_id = op.create_object("ports", &mut port).await?;
    op.tx.execute("UPDATE ports SET status = 'N/A' WHERE id = ?", args![&port_id]).await?;
    let sql = "SELECT a.ip_address FROM ipallocations a JOIN subnets s ON s.id = a.subnet_id WHERE a.port_id = ? ORDER BY s.ip_version, a.ip_address";
    let row = op.tx.query_one(sql, args![&port_id]).await?;
    let row = row.ok_or_else(|| NO_IP.error(format!("Network {network_id} has no address left for a local IP.")))?;
    Ok((port_id, row.text(0)?))
}

/// The port of a local IP is not deleted by itself.
struct Ports;

#[async_trait]
impl Hook for Ports {
    fn delete_if(&self) -> Option<&'static str> {
        Some("EXISTS (SELECT 1 FROM local_ips l WHERE l.local_port_id = :id)")
    }

    async fn before_delete(&self, engine: &Engine, _cx: &Context, port: &Record) -> Result<()> {
        let sql = "SELECT count(*) FROM local_ips WHERE local_port_id = ?";
        if engine.db.reader().await?.count(sql, args![port.id()]).await? == 0 {
            return Ok(());
        }
        Err(SERVICE_PORT_IN_USE
            .error(format!("Port {} cannot be deleted directly via the port API: it is still referenced by local IPs.", port.id())))
    }
}

/// The value of an attribute as text, empty for null.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
