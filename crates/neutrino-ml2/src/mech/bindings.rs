// SPDX-License-Identifier: Apache-2.0
//! `/ports/{port_id}/bindings`: the bindings of a port on several hosts, of which one is ACTIVE. Nova moves guests by it.
//!
//! Rules: ports of `compute:` and `manila:` owners only; a port is found in the caller's view, a binding by (port, host). A binding
//! that no driver can make is refused, and an INACTIVE one is written only when it is bound.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery, Op};
use neutrino_db::{Sql, Tx, args};
use neutrino_model::{Attribute, Body, Extension, Methods, Record, Resource, Validator, Visibility, attribute::Default, resource::Action};
use neutrino_types::{Error, Kind, Result, error::kinds};
use serde_json::Value;

use super::{
    bind::{self, Inputs, Outcome},
    driver::Change,
    manager,
    manager::Binding,
    portbindings::{ALREADY_EXISTS, VNIC_TYPES, host, object, stored_profile},
    status::announce,
};

const NOT_FOUND: Kind = Kind::new("PortBindingNotFound", 404);
const ALREADY_ACTIVE: Kind = Kind::new("PortBindingAlreadyActive", 409);
/// Neutron answers 500. That a host cannot carry a port is a conflict with the state of that host and no fault of the server.
const BINDING_ERROR: Kind = Kind::new("PortBindingError", 409);

static RESOURCE: Resource = Resource::new(
    "bindings",
    "binding",
    "bindings",
    "",
    NOT_FOUND,
    &[
        Attribute::new("port_id").hidden(),
        Attribute::new("host").post().put().filter().primary_key(),
        Attribute::new("vif_type").default(Default::Unset).filter().enforce_policy(),
        Attribute::new("vif_details").default(Default::Unset).validate(Validator::DictOrNone(&[])).enforce_policy(),
        Attribute::new("vnic_type").post().put().default(Default::Str("normal")).validate(VNIC_TYPES).filter().enforce_policy(),
        Attribute::new("profile").post().put().default(Default::Unset).validate(Validator::DictOrNone(&[])).enforce_policy(),
        Attribute::new("status").filter(),
        // It is the port's; a binding never shows one.
        Attribute::new("project_id").post().validate(Validator::String(Some(255))).required_by_policy().omit_when(|_| true),
    ],
)
.virtual_rows()
.child_of("ports", "port_id")
.no_bulk()
.methods(Methods::ALL)
.visibility(Visibility::Everyone)
.actions(&[Action { name: "activate", method: "PUT", member: true }]);

static EXTENSION: Extension = Extension::new(
    "binding-extended",
    "Port Bindings Extended",
    "Expose port bindings of a virtual port to external application",
    "2017-07-17T10:00:00-00:00",
)
.requires(&["binding"])
.resources(&[&RESOURCE]);

struct Bindings;

/// A stored binding.
struct Row {
    inputs: Inputs,
    vif_type: String,
    vif_details: String,
    status: String,
}

async fn rows(tx: &mut Tx, port_id: &str) -> Result<Vec<Row>> {
    let text = "SELECT host, vnic_type, profile, vif_type, vif_details, status FROM ml2_port_bindings WHERE port_id = ? ORDER BY host";
    let one = |row: &neutrino_db::Row| {
        Ok(Row {
            inputs: Inputs { host: row.text(0)?, vnic_type: row.text(1)?, profile: row.text(2)? },
            vif_type: row.text(3)?,
            vif_details: row.text(4)?,
            status: row.text(5)?,
        })
    };
    tx.query(text, args![port_id]).await?.iter().map(one).collect()
}

/// What bindings need of their port.
struct Port {
    id: String,
    project_id: String,
    trusted: Option<bool>,
}

/// The port in the caller's view, if it may have several bindings.
async fn port(engine: &Engine, cx: &Context, tx: &mut Tx, id: &str) -> Result<Port> {
    let mut sql = Sql::new(
        "SELECT p.device_owner, p.project_id, t.trusted FROM ports p LEFT JOIN porttrusted t ON t.port_id = p.id WHERE p.id = ?",
        args![id],
    );
    if !cx.sees_all() {
        sql.push(" AND (p.project_id = ").bind(cx.project_id());
        sql.push(" OR EXISTS (SELECT 1 FROM networks n WHERE n.id = p.network_id AND n.project_id = ").bind(cx.project_id()).push("))");
    }
    let row = tx.select(sql).await?.into_iter().next();
    let row = row.ok_or_else(|| crate::ports::NOT_FOUND.error(format!("Port {id} could not be found.")))?;
    let owner = row.text(0)?;
    if !(owner.starts_with("compute:") || owner.starts_with("manila:")) {
        let reason = "Bindings can be managed for compute and shared file system ports only";
        return Err(kinds::BAD_REQUEST_PLUGIN.error(format!("Bad port request: {reason}, and port {id} is none.")));
    }
    let shows_trusted = engine.entry("ports")?.table.find("trusted").is_some();
    Ok(Port { id: id.to_owned(), project_id: row.opt_text(1)?.unwrap_or_default(), trusted: row.opt_bool(2)?.filter(|_| shows_trusted) })
}

fn record(engine: &Engine, port: &Port, row: &Row) -> Result<Record> {
    let mut record = Record::new(engine.entry("ports/bindings")?.table.clone());
    let mut profile = object(&row.inputs.profile);
    if let (Some(trusted), true) = (port.trusted, row.vif_type != "unbound") {
        profile.insert("trusted".to_owned(), trusted.into());
    }
    record.set("port_id", port.id.as_str());
    record.set("host", row.inputs.host.as_str());
    record.set("vif_type", row.vif_type.as_str());
    record.set("vif_details", object(&row.vif_details));
    record.set("vnic_type", row.inputs.vnic_type.as_str());
    record.set("profile", profile);
    record.set("status", row.status.as_str());
    record.set("project_id", port.project_id.as_str());
    Ok(record)
}

/// The binding as it is stored now, as a record.
async fn stored(engine: &Engine, cx: &Context, port_id: &str, host: &str) -> Result<Record> {
    let mut tx = engine.db.reader().await?;
    let port = port(engine, cx, &mut tx, port_id).await?;
    let all = rows(&mut tx, port_id).await?;
    let row = all.iter().find(|row| row.inputs.host == host).ok_or_else(|| missing(port_id, host))?;
    record(engine, &port, row)
}

fn missing(port_id: &str, host: &str) -> Error {
    let host: String = host.chars().take(64).collect();
    NOT_FOUND.error(format!("Binding for port {port_id} on host {host} could not be found."))
}

fn exists(port_id: &str, host: &str) -> Error {
    ALREADY_EXISTS.error(format!("Binding for port {port_id} on host {host} already exists."))
}

fn failed(port_id: &str, host: &str) -> Error {
    BINDING_ERROR
        .error(format!("Binding for port {port_id} on host {host} could not be made: no mechanism driver can bind the port there."))
}

/// Asks the drivers about a binding that is not the ACTIVE one.
///
/// # Errors
/// `PortBindingError` when none can.
async fn judged(engine: &Engine, cx: &Context, port: &Record, inputs: &Inputs) -> Result<Option<Binding>> {
    let mut port = port.clone();
    port.set("binding:host_id", inputs.host.as_str());
    port.set("binding:vnic_type", inputs.vnic_type.as_str());
    port.set("binding:profile", object(&inputs.profile));
    port.set("binding:vif_details", serde_json::Map::new());
    match bind::ask(engine, cx, &port, inputs).await? {
        Outcome::Nothing => Ok(None),
        Outcome::Failed => Err(failed(port.id(), &inputs.host)),
        Outcome::Bound(binding) => Ok(Some(binding)),
    }
}

/// Puts a row in the place of the one that the host may have; with it the levels.
async fn put(op: &mut Op<'_>, port: &Record, inputs: &Inputs, binding: Option<&Binding>, status: &str) -> Result<()> {
    let (id, host) = (port.id(), inputs.host.as_str());
    bind::clear_levels(op, id, host).await?;
    op.tx.execute("DELETE FROM ml2_port_bindings WHERE port_id = ? AND host = ?", args![id, host]).await?;
    let details = binding.map(|binding| Value::Object(binding.vif_details.clone()).to_string()).unwrap_or_default();
    let columns = vec![
        ("port_id", id.into()),
        ("host", host.into()),
        ("vif_type", binding.map_or("unbound", |binding| binding.vif_type).into()),
        ("vnic_type", (&inputs.vnic_type).into()),
        ("profile", (&inputs.profile).into()),
        ("vif_details", details.into()),
        ("status", status.into()),
    ];
    op.insert_row("ml2_port_bindings", columns).await?;
    if let Some(binding) = binding {
        bind::write_levels(op, id, host, binding).await?;
    }
    op.touch(port.standard_attr_id);
    Ok(())
}

async fn down(op: &mut Op<'_>, port: &Record) -> Result<()> {
    op.touch(port.standard_attr_id);
    op.tx.execute("UPDATE ports SET status = 'DOWN' WHERE id = ? AND status <> 'DOWN'", args![port.id()]).await.map(drop)
}

/// What one write is about.
struct Plan {
    port: Record,
    inputs: Inputs,
    binding: Option<Binding>,
}

/// One change of a port's bindings at a time: at most one of them is ACTIVE, which no key of the table says.
async fn claim(op: &mut Op<'_>, port_id: &str) -> Result<()> {
    match op.lock("ports", port_id).await? {
        Some(_) => Ok(()),
        None => Err(crate::ports::NOT_FOUND.error(format!("Port {port_id} could not be found."))),
    }
}

/// Creates the row unless the host has one. `active` is what the drivers were asked under; if that is not so any more, all is tried
/// again by the caller's client.
async fn create(op: &mut Op<'_>, plan: &Plan) -> Result<()> {
    claim(op, plan.port.id()).await?;
    let all = rows(op.tx, plan.port.id()).await?;
    if all.iter().any(|row| row.inputs.host == plan.inputs.host) {
        return Err(exists(plan.port.id(), &plan.inputs.host));
    }
    if all.iter().any(|row| row.status == "ACTIVE") {
        return put(op, &plan.port, &plan.inputs, plan.binding.as_ref(), "INACTIVE").await;
    }
    put(op, &plan.port, &plan.inputs, None, "ACTIVE").await?;
    down(op, &plan.port).await
}

async fn update(op: &mut Op<'_>, plan: &Plan) -> Result<()> {
    claim(op, plan.port.id()).await?;
    let all = rows(op.tx, plan.port.id()).await?;
    let row = all.iter().find(|row| row.inputs.host == plan.inputs.host);
    match row.ok_or_else(|| missing(plan.port.id(), &plan.inputs.host))?.status.as_str() {
        "ACTIVE" => {
            put(op, &plan.port, &plan.inputs, None, "ACTIVE").await?;
            down(op, &plan.port).await
        }
        status => put(op, &plan.port, &plan.inputs, plan.binding.as_ref(), status).await,
    }
}

async fn delete(op: &mut Op<'_>, port: &Record, host: &str) -> Result<()> {
    claim(op, port.id()).await?;
    bind::clear_levels(op, port.id(), host).await?;
    if op.tx.execute("DELETE FROM ml2_port_bindings WHERE port_id = ? AND host = ?", args![port.id(), host]).await? == 0 {
        return Err(missing(port.id(), host));
    }
    op.touch(port.standard_attr_id);
    Ok(())
}

/// The binding of the host becomes the ACTIVE one; the other becomes INACTIVE and unbound, and the port waits for its new agent.
async fn activate(op: &mut Op<'_>, port: &Record, host: &str) -> Result<()> {
    claim(op, port.id()).await?;
    let (id, all) = (port.id(), rows(op.tx, port.id()).await?);
    let row = all.iter().find(|row| row.inputs.host == host).ok_or_else(|| missing(id, host))?;
    if row.status == "ACTIVE" {
        return Err(ALREADY_ACTIVE.error(format!("Binding for port {id} on host {host} is already active.")));
    }
    if let Some(active) = all.iter().find(|row| row.status == "ACTIVE") {
        super::l2pop::note_leaving(op, id, &active.inputs.host).await?;
        bind::clear_levels(op, id, &active.inputs.host).await?;
        let text =
            "UPDATE ml2_port_bindings SET status = 'INACTIVE', vif_type = 'unbound', vif_details = '' WHERE port_id = ? AND host = ?";
        op.tx.execute(text, args![id, &active.inputs.host]).await?;
    }
    let text = "UPDATE ml2_port_bindings SET status = 'ACTIVE' WHERE port_id = ? AND host = ? AND status = 'INACTIVE'";
    op.tx.execute(text, args![id, host]).await?;
    down(op, port).await?;
    bind::follow_device(op, port, &row.inputs).await?;
    let mut current = port.clone();
    current.set("binding:host_id", host);
    current.set("status", "DOWN");
    manager(op.engine).port_precommit(op, Change::Updated { original: port, current: &current }).await
}

/// The flat answer of an activation.
fn flat(record: &Record) -> Value {
    let names = ["host", "vif_type", "vnic_type", "status", "profile", "vif_details"];
    Value::Object(names.iter().map(|name| ((*name).to_owned(), record.get(name).clone())).collect())
}

#[async_trait]
impl Behaviour for Bindings {
    async fn rows(&self, engine: &Engine, cx: &Context, tx: &mut Tx, parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let port = port(engine, cx, tx, parent.unwrap_or_default()).await?;
        rows(tx, &port.id).await?.iter().map(|row| record(engine, &port, row)).collect()
    }

    async fn create_row(&self, engine: &Engine, cx: &Context, body: &Body) -> Result<Record> {
        let id = body.str("port_id").unwrap_or_default();
        let host = host(body.get("host").unwrap_or(&Value::Null))?;
        if host.is_empty() {
            return Err(kinds::INVALID_INPUT.error("A port binding needs the name of a host."));
        }
        let all = {
            let mut tx = engine.db.reader().await?;
            port(engine, cx, &mut tx, id).await?;
            rows(&mut tx, id).await?
        };
        if all.iter().any(|row| row.inputs.host == host) {
            return Err(exists(id, host));
        }
        let vnic_type = body.str("vnic_type").unwrap_or("normal").to_owned();
        let inputs = Inputs { host: host.to_owned(), vnic_type, profile: stored_profile(body.get("profile"))? };
        let port = engine.original(&cx.elevated(), "ports", None, id).await?;
        let binding = judged(engine, cx, &port, &inputs).await?;
        let plan = Arc::new(Plan { port: port.clone(), inputs, binding });
        engine
            .transact(cx, "ports", "create_port_binding", move |op| {
                let plan = plan.clone();
                Box::pin(async move { create(op, &plan).await })
            })
            .await?;
        bind::bind_if_needed(engine, cx, port, 1).await?;
        stored(engine, cx, id, host).await
    }

    async fn update_row(&self, engine: &Engine, cx: &Context, original: &Record, body: &Body) -> Result<Record> {
        let (id, on) = (original.str("port_id"), original.str("host"));
        if body.get("host").is_some_and(|value| value.as_str() != Some(on)) {
            let reason = "a binding stays on its host; create one on the other host and activate it";
            return Err(kinds::BAD_REQUEST_PLUGIN.error(format!("Bad binding request: {reason}.")));
        }
        let row = rows(&mut engine.db.reader().await?, id).await?.into_iter().find(|row| row.inputs.host == on);
        let row = row.ok_or_else(|| missing(id, on))?;
        let mut inputs = row.inputs.clone();
        if let Some(vnic_type) = body.str("vnic_type") {
            vnic_type.clone_into(&mut inputs.vnic_type);
        }
        if let Some(profile) = body.get("profile") {
            inputs.profile = stored_profile(Some(profile))?;
        }
        if inputs.vnic_type == row.inputs.vnic_type && object(&inputs.profile) == object(&row.inputs.profile) {
            return Ok(original.clone());
        }
        let port = engine.original(&cx.elevated(), "ports", None, id).await?;
        let binding = judged(engine, cx, &port, &inputs).await?;
        let plan = Arc::new(Plan { port: port.clone(), inputs, binding });
        engine
            .transact(cx, "ports", "update_port_binding", move |op| {
                let plan = plan.clone();
                Box::pin(async move { update(op, &plan).await })
            })
            .await?;
        if bind::bind_if_needed(engine, cx, port.clone(), 1).await? {
            announce(engine, cx, &port).await?;
        }
        stored(engine, cx, id, on).await
    }

    async fn delete_row(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
        let port = engine.original(&cx.elevated(), "ports", None, original.str("port_id")).await?;
        let what = Arc::new((port, original.str("host").to_owned()));
        engine
            .transact(cx, "ports", "delete_port_binding", move |op| {
                let what = what.clone();
                Box::pin(async move { delete(op, &what.0, &what.1).await })
            })
            .await
    }

    async fn action(&self, engine: &Engine, cx: &Context, _name: &str, id: &str, _request: &Value) -> Result<(u16, Value)> {
        let (port_id, host) = id.split_once('/').unwrap_or((id, ""));
        port(engine, cx, &mut engine.db.reader().await?, port_id).await?;
        let before = engine.original(&cx.elevated(), "ports", None, port_id).await?;
        let what = Arc::new((before.clone(), host.to_owned()));
        engine
            .transact(cx, "ports", "activate_port_binding", move |op| {
                let what = what.clone();
                Box::pin(async move { activate(op, &what.0, &what.1).await })
            })
            .await?;
        announce(engine, cx, &before).await?;
        crate::rpc::notify::binding_moved(engine, cx, &before, before.str("binding:host_id"), host);
        Ok((200, flat(&stored(engine, cx, port_id, host).await?)))
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).behaviour("ports/bindings", Bindings);
}
