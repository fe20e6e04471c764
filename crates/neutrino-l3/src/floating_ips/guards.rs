// SPDX-License-Identifier: Apache-2.0
//! What floating IPs ask of ports and networks: a port outside goes with its floating IP only; a port inside that goes, or an external
//! network, takes the association, or the floating IPs that nobody uses, with it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Result, error::kinds};

use super::{
    FLOATING_IP,
    errors::{PORT_HAS_FLOATING_IP, SERVICE_PORT_IN_USE},
};
use crate::notifier;

pub struct Ports;

#[async_trait]
impl Hook for Ports {
    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if !body.names("fixed_ips") {
            return Ok(());
        }
        op.lock("ports", original.id()).await?;
        let sql = "SELECT count(*) FROM floatingips f WHERE f.fixed_port_id = ? AND NOT EXISTS \
                   (SELECT 1 FROM ipallocations a WHERE a.port_id = f.fixed_port_id AND a.ip_address = f.fixed_ip_address)";
        if op.tx.count(sql, args![original.id()]).await? == 0 {
            return Ok(());
        }
        Err(kinds::BAD_REQUEST_PLUGIN.error(format!(
            "Bad port request: Cannot update the fixed_ips of port {}, because a fixed IP that it would lose has a floating IP.",
            original.id()
        )))
    }

    fn delete_if(&self) -> Option<&'static str> {
        Some(
            "EXISTS (SELECT 1 FROM floatingips f WHERE f.fixed_port_id = :id) OR EXISTS (SELECT 1 FROM floatingips f WHERE f.floating_port_id = :id)",
        )
    }

    async fn before_delete(&self, engine: &Engine, _cx: &Context, port: &Record) -> Result<()> {
        let mut tx = engine.db.reader().await?;
        if tx.count("SELECT count(*) FROM floatingips WHERE floating_port_id = ?", args![port.id()]).await? == 0 {
            return Ok(());
        }
        Err(SERVICE_PORT_IN_USE.error(format!(
            "Port {} cannot be deleted directly via the port API: has device owner {FLOATING_IP}. Delete the floating IP.",
            port.id()
        )))
    }

    async fn delete(&self, op: &mut Op<'_>, port: &Record) -> Result<()> {
        // An association that is being made now waits, and finds the port gone.
        op.lock("ports", port.id()).await?;
        let sql = "SELECT standard_attr_id, project_id, router_id FROM floatingips WHERE fixed_port_id = ?";
        let rows = op.tx.query(sql, args![port.id()]).await?;
        let mut routers = BTreeSet::new();
        for row in &rows {
            routers.extend(row.opt_text(2)?);
            if !op.cx.sees_all() && row.opt_text(1)?.as_deref() != Some(op.cx.project_id()) {
                return Err(PORT_HAS_FLOATING_IP.error(format!(
                    "Unable to complete the operation on port {} because the port still has an associated floating IP of another project.",
                    port.id()
                )));
            }
            op.touch(row.int(0)?);
        }
        if rows.is_empty() {
            return Ok(());
        }
        let sql = "UPDATE floatingips SET last_known_router_id = router_id, router_id = NULL, fixed_port_id = NULL, fixed_ip_address = NULL \
                   WHERE fixed_port_id = ?";
        op.tx.execute(sql, args![port.id()]).await?;
        notifier::tell_after_commit(op, &routers.into_iter().collect::<Vec<_>>()).await
    }
}

pub struct Networks;

#[async_trait]
impl Hook for Networks {
    async fn delete(&self, op: &mut Op<'_>, network: &Record) -> Result<()> {
        let sql = "SELECT id FROM floatingips WHERE floating_network_id = ? AND router_id IS NULL AND fixed_port_id IS NULL ORDER BY id";
        let rows = op.tx.query(sql, args![network.id()]).await?;
        let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for floating_ip in op.load("floatingips", &ids).await? {
            op.delete_object("floatingips", &floating_ip).await?;
        }
        Ok(())
    }
}
