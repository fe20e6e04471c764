// SPDX-License-Identifier: Apache-2.0
//! `/local_ips/{id}/port_associations`: the ports that answer for a local IP. One is found by (local IP, port), never by the port alone.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, ListQuery, Op, Place, Verb, versions};
use neutrino_db::{Tx, args};
use neutrino_model::{Attribute, Body, Methods, Record, Resource, Validator, Visibility, attribute::Default};
use neutrino_types::{Error, Kind, Result, error::kinds};

use super::{NOT_FOUND, address_of, bad, seen_port, text};

const MISSING: Kind = Kind::new("LocalIPAssociationNotFound", 404);
const RESOURCE_NAME: &str = "local_ip_port_association";

pub static RESOURCE: Resource = Resource::new(
    "port_associations",
    "port_association",
    "port_associations",
    "",
    MISSING,
    &[
        Attribute::new("local_ip_id"),
        Attribute::new("local_ip_address").filter().sort(),
        Attribute::new("fixed_port_id").post().validate(Validator::Uuid).filter().sort().primary_key(),
        Attribute::new("fixed_ip").post().default(Default::Null).validate(Validator::IpAddressOrNone).filter().sort(),
        Attribute::new("host").filter().sort(),
        Attribute::new("project_id").post().validate(Validator::String(Some(255))).hidden().required_by_policy(),
    ],
)
.virtual_rows()
.child_of("local_ips", "local_ip_id")
.no_bulk()
.visibility(Visibility::Everyone)
.methods(Methods::IMMUTABLE);

/// The rules of associations.
pub struct Associations;

fn no_local_ip(id: &str) -> Error {
    let id: String = id.chars().take(64).collect();
    NOT_FOUND.error(format!("Local IP {id} could not be found."))
}

fn missing(local_ip_id: &str, port_id: &str) -> Error {
    let port_id: String = port_id.chars().take(64).collect();
    MISSING.error(format!("Local IP {local_ip_id} association with port {port_id} could not be found."))
}

/// All associations of a local IP; the local IP itself must be there.
async fn rows(engine: &Engine, tx: &mut Tx, local_ip_id: &str) -> Result<Vec<Record>> {
    let sql = "SELECT l.local_ip_address, l.project_id, a.fixed_port_id, a.fixed_ip, \
               (SELECT b.host FROM ml2_port_bindings b WHERE b.port_id = a.fixed_port_id AND b.status = 'ACTIVE') \
               FROM local_ips l LEFT JOIN local_ip_associations a ON a.local_ip_id = l.id WHERE l.id = ? ORDER BY a.fixed_port_id";
    let found = tx.query(sql, args![local_ip_id]).await?;
    if found.is_empty() {
        return Err(no_local_ip(local_ip_id));
    }
    let table = &engine.entry("local_ips/port_associations")?.table;
    let mut records = Vec::with_capacity(found.len());
    for row in found {
        let Some(port_id) = row.opt_text(2)? else { continue };
        let mut record = Record::new(table.clone());
        record.set("local_ip_id", local_ip_id);
        record.set("local_ip_address", row.text(0)?);
        record.set("project_id", row.opt_text(1)?.unwrap_or_default());
        record.set("fixed_port_id", port_id);
        record.set("fixed_ip", row.text(3)?);
        record.set("host", row.opt_text(4)?.unwrap_or_default());
        records.push(record);
    }
    Ok(records)
}

async fn insert(op: &mut Op<'_>, local_ip_id: &str, port_id: &str, address: &str) -> Result<()> {
    // Who deletes the local IP meanwhile waits, and finds the association.
    op.lock("local_ips", local_ip_id).await?.ok_or_else(|| no_local_ip(local_ip_id))?;
    let columns = vec![("local_ip_id", local_ip_id.into()), ("fixed_port_id", port_id.into()), ("fixed_ip", address.into())];
    op.insert_row("local_ip_associations", columns).await.map_err(|error| match (error.is_duplicate(""), error.is_foreign_key()) {
        (true, _) => kinds::CONFLICT.error(format!("Local IP {local_ip_id} is already associated with port {port_id}.")),
        (_, true) => bad(RESOURCE_NAME, format!("port {port_id} not found")),
        _ => error,
    })?;
    op.changed("local_ips/port_associations", &object_id(local_ip_id, port_id), Verb::Created, None);
    Ok(())
}

/// What agents call an association.
fn object_id(local_ip_id: &str, port_id: &str) -> String {
    format!("{local_ip_id}_{port_id}")
}

#[async_trait]
impl Behaviour for Associations {
    async fn rows(&self, engine: &Engine, _cx: &Context, tx: &mut Tx, parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        rows(engine, tx, parent.unwrap_or_default()).await
    }

    async fn show_row(&self, engine: &Engine, _cx: &Context, place: Place<'_>, _fields: Option<&[String]>) -> Result<Record> {
        let local_ip_id = place.parent.unwrap_or_default();
        let all = rows(engine, &mut engine.db.reader().await?, local_ip_id).await?;
        all.into_iter().find(|row| row.str("fixed_port_id") == place.id).ok_or_else(|| missing(local_ip_id, place.id))
    }

    async fn create_row(&self, engine: &Engine, cx: &Context, body: &Body) -> Result<Record> {
        let (local_ip_id, port_id) = (body.str("local_ip_id").unwrap_or_default(), body.str("fixed_port_id").unwrap_or_default());
        let port = seen_port(engine, cx, RESOURCE_NAME, port_id).await?;
        let address = address_of(&port, body.get("fixed_ip").map(text).filter(|asked| !asked.is_empty()))?;
        let what = (local_ip_id.to_owned(), port_id.to_owned(), address);
        engine
            .transact(cx, "local_ips", "associate a port with a local IP", |op| {
                let (local_ip_id, port_id, address) = what.clone();
                Box::pin(async move { insert(op, &local_ip_id, &port_id, &address).await })
            })
            .await?;
        self.show_row(engine, cx, Place { collection: "local_ips/port_associations", parent: Some(local_ip_id), id: port_id }, None).await
    }

    async fn delete_row(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
        let what = (original.str("local_ip_id").to_owned(), original.str("fixed_port_id").to_owned());
        engine
            .transact(cx, "local_ips", "disassociate a port from a local IP", |op| {
                let (local_ip_id, port_id) = what.clone();
                Box::pin(async move {
                    versions::going(op, "LocalIPAssociation", &[&object_id(&local_ip_id, &port_id)]).await?;
                    let sql = "DELETE FROM local_ip_associations WHERE local_ip_id = ? AND fixed_port_id = ?";
                    match op.tx.execute(sql, args![&local_ip_id, &port_id]).await? {
                        0 => Err(missing(&local_ip_id, &port_id)),
                        _ => Ok(()),
                    }
                })
            })
            .await
    }
}
