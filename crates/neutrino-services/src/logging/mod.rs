// SPDX-License-Identifier: Apache-2.0
//! Service plugin `log`: which traffic of security groups is written to the logs of the hosts (`neutron/services/logapi`).
//!
//! Owns the table `logs`. Rules: a type of resource that a driver supports; the security group and the port are in the caller's sight; the
//! port is one that the driver can log, and has the group. A log goes with its group or port. Refuses to own: the writing of the logs.

mod rpc;

use async_trait::async_trait;
use neutrino_core::{Authorized, Behaviour, Builder, Context, Engine, Hook, ListQuery, Op, service_plugin};
use neutrino_db::{Tx, args};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Methods, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    validate::Literal,
};
use neutrino_types::{Kind as ErrorKind, Result};
use oslo_config::Config;

const NOT_FOUND: ErrorKind = ErrorKind::new("LogResourceNotFound", 404);
const INVALID_TYPE: ErrorKind = ErrorKind::new("InvalidLogResourceType", 400);
const RESOURCE_NOT_FOUND: ErrorKind = ErrorKind::new("ResourceNotFound", 404);
const TARGET_NOT_FOUND: ErrorKind = ErrorKind::new("TargetResourceNotFound", 404);
const TYPE_NOT_SUPPORTED: ErrorKind = ErrorKind::new("LoggingTypeNotSupported", 409);
const INVALID_CONSTRAINT: ErrorKind = ErrorKind::new("InvalidResourceConstraint", 400);

const SECURITY_GROUP: &str = "security_group";

/// What the driver beside the Open vSwitch agents can log.
const VIF_TYPES: [&str; 2] = ["ovs", "vhostuser"];
const VNIC_TYPES: [&str; 1] = ["normal"];
/// Of these the type of the card decides.
const NOT_BOUND: [&str; 2] = ["unbound", "binding_failed"];

const fn id(name: &'static str) -> Attribute {
    Attribute::new(name).post().default(Default::Null).validate(Validator::UuidOrNone).filter().sort().column(name, Kind::Text)
}

static LOGS: Resource = Resource::new(
    "logs",
    "log",
    "log/logs",
    "logs",
    NOT_FOUND,
    &[
        common::ID,
        common::PROJECT_ID,
        common::NAME,
        Attribute::new("resource_type")
            .post()
            .validate(Validator::String(Some(255)))
            .filter()
            .sort()
            .required_by_policy()
            .column("resource_type", Kind::Text),
        id("resource_id"),
        Attribute::new("event")
            .post()
            .default(Default::Str("ALL"))
            .validate(Validator::Values(Some(&[Literal::Str("ACCEPT"), Literal::Str("DROP"), Literal::Str("ALL")])))
            .filter()
            .column("event", Kind::Text),
        id("target_id"),
        Attribute::new("enabled")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("enabled", Kind::Bool),
    ],
)
.standard("logs")
.visibility(Visibility::Owner);

static LOGGABLE: Resource = Resource::new(
    "loggable_resources",
    "loggable_resource",
    "log/loggable-resources",
    "",
    ErrorKind::new("HTTPNotFound", 404),
    &[Attribute::new("type")],
)
.virtual_rows()
.visibility(Visibility::Everyone)
.methods(Methods { list: true, show: false, create: false, update: false, delete: false });

static EXTENSION: Extension = Extension::new(
    "logging",
    "Logging API Extension",
    "Provides a logging API for resources such as security group and firewall.",
    "2017-01-01T10:00:00-00:00",
)
.requires(&["security-group"])
.resources(&[&LOGS, &LOGGABLE]);

pub fn register(builder: &mut Builder, config: &Config) {
    if !service_plugin(config, "log") {
        return;
    }
    // The driver is part of the mechanism driver.
    let supported = config.list("ml2", "mechanism_drivers").iter().any(|driver| driver == "openvswitch");
    let types: &'static [&'static str] = if supported { &[SECURITY_GROUP] } else { &[] };
    builder.extension(&EXTENSION).behaviour("logs", Logs(types)).behaviour("loggable_resources", Loggable(types));
    builder.hook("security_groups", WITH_GROUP).hook("ports", WITH_PORT);
    if supported {
        builder.rpc(&rpc::ENDPOINT);
    }
}

/// The types of resources that can be logged.
struct Loggable(&'static [&'static str]);

#[async_trait]
impl Behaviour for Loggable {
    async fn rows(&self, engine: &Engine, _cx: &Context, _tx: &mut Tx, _parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let table = &engine.entry("loggable_resources")?.table;
        let row = |name: &&str| {
            let mut row = Record::new(table.clone());
            row.set("type", *name);
            row
        };
        Ok(self.0.iter().map(row).collect())
    }
}

struct Logs(&'static [&'static str]);

/// Is it in the caller's sight?
async fn sees(engine: &Engine, cx: &Context, collection: &str, id: &str, missing: ErrorKind, what: &str) -> Result<Record> {
    let auth = Authorized::internal("what a log names, in the caller's view");
    engine.show(cx, &auth, collection, None, id, None).await.map_err(|error| match error.status() {
        404 => missing.error(format!("{what} {id} could not be found.")),
        _ => error,
    })
}

/// Can the driver log the port?
async fn ensure_can_log(engine: &Engine, port_id: &str) -> Result<()> {
    let sql = "SELECT vif_type, vnic_type FROM ml2_port_bindings WHERE port_id = ? AND status = 'ACTIVE'";
    let row = engine.db.reader().await?.query_one(sql, args![port_id]).await?;
    let (vif_type, vnic_type) = match row {
        Some(row) => (row.text(0)?, row.text(1)?),
        None => ("unbound".to_owned(), "normal".to_owned()),
    };
    let is_bound = !NOT_BOUND.contains(&vif_type.as_str());
    if if is_bound { VIF_TYPES.contains(&vif_type.as_str()) } else { VNIC_TYPES.contains(&vnic_type.as_str()) } {
        return Ok(());
    }
    Err(TYPE_NOT_SUPPORTED.error(format!("Logging type {SECURITY_GROUP} is not supported on port {port_id}.")))
}

#[async_trait]
impl Behaviour for Logs {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        let asked = body.str("resource_type").unwrap_or_default();
        if !self.0.contains(&asked) {
            let asked: String = asked.chars().take(64).collect();
            return Err(INVALID_TYPE.error(format!("Invalid log resource_type: {asked}. What can be logged: [{}].", self.0.join(", "))));
        }
        if let Some(group_id) = body.str("resource_id") {
            sees(engine, cx, "security_groups", group_id, RESOURCE_NOT_FOUND, "Resource").await?;
        }
        if let Some(port_id) = body.str("target_id") {
            sees(engine, cx, "ports", port_id, TARGET_NOT_FOUND, "Target resource").await?;
            ensure_can_log(engine, port_id).await?;
        }
        Ok(())
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        // Neither may go before the log is there to go with it.
        for (attribute, collection, missing) in
            [("resource_id", "security_groups", RESOURCE_NOT_FOUND), ("target_id", "ports", TARGET_NOT_FOUND)]
        {
            if let Some(named) = body.str(attribute)
                && op.lock(collection, named).await?.is_none()
            {
                return Err(missing.error(format!("Resource {named} could not be found.")));
            }
        }
        if let (Some(group_id), Some(port_id)) = (body.str("resource_id"), body.str("target_id")) {
            let sql = "SELECT count(*) FROM securitygroupportbindings WHERE security_group_id = ? AND port_id = ?";
            if op.tx.count(sql, args![group_id, port_id]).await? == 0 {
                return Err(INVALID_CONSTRAINT.error(format!(
                    "Invalid resource constraint between resource (security_group {group_id}) and target resource (port {port_id}): the port does not have the group."
                )));
            }
        }
        op.insert(id, body, &[]).await
    }
}

/// A log goes with what this column names.
struct GoesWith {
    column: &'static str,
    delete_if: &'static str,
}

const WITH_GROUP: GoesWith = GoesWith { column: "resource_id", delete_if: "EXISTS (SELECT 1 FROM logs l WHERE l.resource_id = :id)" };
const WITH_PORT: GoesWith = GoesWith { column: "target_id", delete_if: "EXISTS (SELECT 1 FROM logs l WHERE l.target_id = :id)" };

#[async_trait]
impl Hook for GoesWith {
    fn delete_if(&self) -> Option<&'static str> {
        Some(self.delete_if)
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let sql = format!("SELECT id FROM logs WHERE {} = ?", self.column);
        let rows = op.tx.query(&sql, args![original.id()]).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = rows.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for log in op.load("logs", &ids).await? {
            op.delete_object("logs", &log).await?;
        }
        Ok(())
    }
}
