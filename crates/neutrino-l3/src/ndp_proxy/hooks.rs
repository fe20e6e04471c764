// SPDX-License-Identifier: Apache-2.0
//! What NDP proxies ask of ports: a router's interface that proxies need keeps its subnet, and an address that goes takes its proxy along.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::{Sql, args};
use neutrino_model::{Body, Record};
use neutrino_types::Result;

use super::{COLLECTION, INTERFACE_IN_USE, rules::addresses};
use crate::routers::INTERFACE_OWNERS;

pub(super) struct Ports;

/// Refuses that a router's interface leaves these subnets, if a proxy of the router is for an address on one of them.
async fn ensure_not_needed(op: &mut Op<'_>, port: &Record, subnets: &[String]) -> Result<()> {
    if subnets.is_empty() || !INTERFACE_OWNERS.contains(&port.str("device_owner")) {
        return Ok(());
    }
    let mut sql = Sql::new(
        "SELECT a.subnet_id FROM ndp_proxies x JOIN ipallocations a ON a.port_id = x.port_id AND a.ip_address = x.ip_address \
         WHERE x.router_id = ? AND "
            .to_owned(),
        args![port.str("device_id")],
    );
    sql.append(Sql::in_texts(op.tx.dialect(), "a.subnet_id", subnets.iter().map(String::as_str)));
    match op.tx.select(sql).await?.first() {
        None => Ok(()),
        Some(row) => Err(INTERFACE_IN_USE.error(format!(
            "Unable to remove subnet {} from router {}: one or more NDP proxies need it.",
            row.text(0)?,
            port.str("device_id")
        ))),
    }
}

async fn delete(op: &mut Op<'_>, condition: Sql) -> Result<()> {
    let mut sql = Sql::raw("SELECT x.id FROM ndp_proxies x WHERE ");
    sql.append(condition).push(" ORDER BY x.id");
    let ids = op.tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for proxy in op.load(COLLECTION, &ids).await? {
        op.delete_object(COLLECTION, &proxy).await?;
    }
    Ok(())
}

#[async_trait]
impl Hook for Ports {
    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if !body.names("fixed_ips") {
            return Ok(());
        }
        let rows = op.tx.query("SELECT DISTINCT subnet_id FROM ipallocations WHERE port_id = ?", args![original.id()]).await?;
        let kept = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        let lost: Vec<String> = addresses(original).into_iter().map(|(subnet, _)| subnet).filter(|subnet| !kept.contains(subnet)).collect();
        ensure_not_needed(op, original, &lost).await?;
        let gone =
            "x.port_id = ? AND NOT EXISTS (SELECT 1 FROM ipallocations a WHERE a.port_id = x.port_id AND a.ip_address = x.ip_address)";
        delete(op, Sql::new(gone, args![original.id()])).await
    }

    /// Proxies of the port, or of the router whose interface it is.
    fn delete_if(&self) -> Option<&'static str> {
        Some(
            "EXISTS (SELECT 1 FROM ndp_proxies x WHERE x.port_id = :id) \
             OR EXISTS (SELECT 1 FROM ports p JOIN ndp_proxies x ON x.router_id = p.device_id WHERE p.id = :id)",
        )
    }

    async fn delete(&self, op: &mut Op<'_>, port: &Record) -> Result<()> {
        let subnets: Vec<String> = addresses(port).into_iter().map(|(subnet, _)| subnet).collect();
        ensure_not_needed(op, port, &subnets).await?;
        delete(op, Sql::new("x.port_id = ?", args![port.id()])).await
    }
}
