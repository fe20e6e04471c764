// SPDX-License-Identifier: Apache-2.0
//! Trunks: a port whose guest carries the traffic of further ports, told apart by VLAN tags (`neutron/services/trunk`).
//!
//! Owns `trunks` and `subports`, the actions on them, and what a port says of its trunk. Refuses to own: bindings and statuses of ports (it asks the
//! ports' own rules for them), what agents are told of trunks. Invariants: a port is the parent of one trunk or a sub-port of one, never both (unique keys, and
//! the rows of all ports of a change are claimed first); a port of a trunk is not deleted; a trunk that is administratively down does not change.

mod bind;
mod errors;
mod ports;
mod request;
mod rpc;
mod rules;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Loader, Op, loading::of_page, service_plugin};
use neutrino_db::{Dialect, Row, Sql, Tx, args};
use neutrino_model::{
    Action, Attribute, Body, Converter, Extension, Page, Record, Resource, Validator, View,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Error, Result, error::kinds};
use oslo_config::Config;
use serde_json::{Value, json};

pub use bind::{bind_subports, set_status};

const SUB_PORTS: &str = "sub_ports";

/// The statuses of a trunk that the server itself gives; agents bring it to ACTIVE.
const DOWN: &str = "DOWN";
const ERROR: &str = "ERROR";
/// Sub-ports are being bound.
const BUILD: &str = "BUILD";
/// Not all of them could be.
const DEGRADED: &str = "DEGRADED";

static RESOURCE: Resource = Resource::new(
    "trunks",
    "trunk",
    "trunks",
    "trunks",
    errors::TRUNK_NOT_FOUND,
    &[
        Attribute::new("admin_state_up")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("admin_state_up", Kind::Bool),
        common::ID,
        common::TENANT_ID,
        common::NAME,
        Attribute::new("port_id").post().validate(Validator::Uuid).filter().sort().required_by_policy().column("port_id", Kind::Text),
        Attribute::new("status").filter().sort().column("status", Kind::Text),
        Attribute::new(SUB_PORTS)
            .post()
            .default(Default::EmptyList)
            .convert_list(Converter::KvpListToDict)
            .validate(Validator::Subports)
            .enforce_policy(),
    ],
)
.standard("trunks")
.no_bulk()
.actions(&[
    Action { name: "add_subports", method: "PUT", member: true },
    Action { name: "remove_subports", method: "PUT", member: true },
    Action { name: "get_subports", method: "GET", member: true },
]);

static TRUNK: Extension = Extension::new("trunk", "Trunk Extension", "Provides support for trunk ports", "2016-01-01T10:00:00-00:00")
    .requires(&["binding"])
    .resources(&[&RESOURCE]);

static TRUNK_DETAILS: Extension =
    Extension::new("trunk-details", "Trunk port details", "Expose trunk port details", "2016-01-01T10:00:00-00:00")
        .requires(&["trunk"])
        .extends(&[("ports", &[ports::TRUNK_DETAILS])]);

struct Trunks;

#[async_trait]
impl Behaviour for Trunks {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let port_id = body.str("port_id").unwrap_or_default().to_owned();
        let asked = request::asked(body.list(SUB_PORTS).unwrap_or_default());
        let sub_ports = rules::check_new(op, &port_id, &asked).await?;
        op.insert(id, body, &[("status", DOWN.into())]).await.map_err(|error| rules::parent_refused(error, &port_id))?;
        rules::insert(op, id, &sub_ports).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        rules::check_delete(op, original).await?;
        op.delete(original).await
    }

    async fn action(&self, engine: &Engine, cx: &Context, name: &str, id: &str, request: &Value) -> Result<(u16, Value)> {
        if name == "get_subports" {
            let trunk = engine.original(cx, "trunks", None, id).await?;
            return Ok((200, json!({ SUB_PORTS: trunk.get(SUB_PORTS) })));
        }
        let adding = match name {
            "add_subports" => true,
            "remove_subports" => false,
            _ => return Err(kinds::NOT_IMPLEMENTED.error(format!("The action {name} is not supported."))),
        };
        let (id, request) = (id.to_owned(), std::sync::Arc::new(request.clone()));
        let trunk = id.clone();
        engine
            .transact(cx, "trunks", "change subports", move |op| {
                let (id, request) = (trunk.clone(), request.clone());
                Box::pin(async move { if adding { rules::add(op, &id, &request).await } else { rules::remove(op, &id, &request).await } })
            })
            .await?;
        let record = engine.original(cx, "trunks", None, &id).await?;
        Ok((200, shown(&record)?))
    }
}

/// What the actions, and agents, are answered with: the object, without the key that other answers have around it.
fn shown(record: &Record) -> Result<Value> {
    let mut text = Vec::new();
    View::new(record.table(), |_| true).write(record, &mut text);
    serde_json::from_slice(&text).map_err(|e| Error::internal(format!("an object is no JSON: {e}")))
}

/// Fills `sub_ports`, by segmentation.
struct SubPorts;

#[async_trait]
impl Loader for SubPorts {
    fn fills(&self) -> &'static [&'static str] {
        &[SUB_PORTS]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT trunk_id, port_id, segmentation_type, segmentation_id FROM subports WHERE ");
        sql.append(of_page(dialect, "trunk_id", page));
        sql.push(" ORDER BY trunk_id, segmentation_type, segmentation_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(SUB_PORTS, &json!([]));
        let place = page.by_id();
        for row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            let sub_port = json!({"port_id": row.text(1)?, "segmentation_type": row.text(2)?, "segmentation_id": row.int(3)?});
            page.push(at, SUB_PORTS, sub_port);
        }
        Ok(())
    }
}

/// The trunk a change is about.
struct Trunk {
    id: String,
    port_id: String,
    status: String,
    admin_state_up: bool,
    standard_attr_id: i64,
}

impl Trunk {
    async fn find(tx: &mut Tx, id: &str) -> Result<Self> {
        let sql = "SELECT port_id, status, admin_state_up, standard_attr_id FROM trunks WHERE id = ?";
        let row = tx.query_one(sql, args![id]).await?.ok_or_else(|| errors::not_found(id))?;
        Ok(Self {
            id: id.to_owned(),
            port_id: row.text(0)?,
            status: row.text(1)?,
            admin_state_up: row.bool(2)?,
            standard_attr_id: row.int(3)?,
        })
    }
}

/// Turns trunks on where the operator wants them.
///
/// # Errors
/// A sentence for the operator: no mechanism driver carries trunks.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    if !service_plugin(config, "trunk") {
        return Ok(());
    }
    if !config.list("ml2", "mechanism_drivers").iter().any(|driver| driver == "openvswitch") {
        let reason = "needs a mechanism driver that carries trunks: add openvswitch to [ml2] mechanism_drivers";
        return Err(config.refuse::<&str>("DEFAULT", "service_plugins", "trunk", reason, &[]).to_string());
    }
    builder.extension(&TRUNK).extension(&TRUNK_DETAILS);
    builder.behaviour("trunks", Trunks).loader("trunks", SubPorts);
    builder.hook("ports", ports::Guard).loader("ports", ports::Details).rpc(&rpc::ENDPOINT);
    Ok(())
}
