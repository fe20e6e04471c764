// SPDX-License-Identifier: Apache-2.0
//! A network's life: creation, changes, deletion with all that hangs on it.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Op, rbac};
use neutrino_db::{Row, Sql, args};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result};

use super::{
    AUTO_DELETE_PORT_OWNERS, IN_USE, availability_zones, external, mtu, provider,
    sharing::{self, ACCESS_SHARED, RBACS},
    vlan_transparent,
};
use crate::{mech, type_drivers::TypeManager};

/// How many ports a refusal names.
const NAMED_PORTS: usize = 20;

pub struct Networks {
    pub types: Arc<TypeManager>,
}

#[async_trait]
impl Behaviour for Networks {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        vlan_transparent::create(body)?;
        availability_zones::create(op, body).await?;
        let segments = provider::reserve(op, &self.types, body).await?;
        mtu::create(&self.types, &segments, body)?;
        op.insert(id, body, &[("status", "ACTIVE".into())]).await?;
        provider::insert(op, id, &segments).await?;
        if body.bool("shared") == Some(true) {
            rbac::share_with_everyone(op, RBACS, id, body.project_id(), ACCESS_SHARED).await?;
        }
        external::create(op, id, body).await
    }

    async fn created(&self, op: &mut Op<'_>, record: &Record) -> Result<()> {
        vlan_transparent::created(&mech::manager(op.engine), record)
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        if let Some(shared) = body.bool("shared") {
            sharing::change(op, original, shared).await?;
        }
        provider::update(op, &self.types, original, body).await?;
        mtu::update(op, &self.types, original, body).await?;
        external::update(op, original, body).await?;
        op.update(original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        ensure_not_in_use(op, original.id()).await?;
        // What is left are ports of agents and the subnets; they go by their own rules, so that their addresses go too.
        delete_parts(op, "ports", original.id()).await?;
        delete_parts(op, "subnets", original.id()).await?;
        provider::delete(op, &self.types, original.id()).await?;
        match op.delete(original).await {
            // A port or subnet came in between: look again.
            Err(error) if error.is_foreign_key() => Err(Error::stale(format!("network {} got a new part", original.id()))),
            done => done,
        }
    }
}

async fn ensure_not_in_use(op: &mut Op<'_>, id: &str) -> Result<()> {
    let mut sql = Sql::new("SELECT id FROM ports WHERE network_id = ? AND NOT (".to_owned(), args![id]);
    sql.append(Sql::in_texts(op.tx.dialect(), "device_owner", AUTO_DELETE_PORT_OWNERS)).push(") ORDER BY id");
    let ports = texts(op.tx.select(sql).await?)?;
    if ports.is_empty() {
        return Ok(());
    }
    let more = if ports.len() > NAMED_PORTS { ", ..." } else { "" };
    let named = ports[..ports.len().min(NAMED_PORTS)].join(", ");
    // Clients look for the words "There are one or more ports still in use on the network".
    Err(IN_USE.error(format!(
        "Unable to delete network {id}. There are one or more ports still in use on the network: {named}{more}. Delete them first."
    )))
}

async fn delete_parts(op: &mut Op<'_>, collection: &'static str, network_id: &str) -> Result<()> {
    if op.engine.registry.entry(collection).is_none() {
        return Ok(());
    }
    let sql = format!("SELECT id FROM {collection} WHERE network_id = ?");
    let ids = texts(op.tx.query(&sql, args![network_id]).await?)?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for part in op.load(collection, &ids).await? {
        op.delete_object(collection, &part).await?;
    }
    Ok(())
}

fn texts(rows: Vec<Row>) -> Result<Vec<String>> {
    rows.iter().map(|row| row.text(0)).collect()
}
