// SPDX-License-Identifier: Apache-2.0
//! What port forwardings ask of floating IPs and ports.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_db::{Sql, args};
use neutrino_model::{Body, Record};
use neutrino_types::Result;

use super::{COLLECTION, FLOATING_IP_IN_USE, PORT_HAS_FORWARDING};

pub(super) struct FloatingIps;

async fn ensure_free(op: &mut Op<'_>, floating_ip_id: &str) -> Result<()> {
    if op.tx.count("SELECT count(*) FROM portforwardings WHERE floatingip_id = ?", args![floating_ip_id]).await? == 0 {
        return Ok(());
    }
    Err(FLOATING_IP_IN_USE.error(format!("Floating IP {floating_ip_id} is in use by port forwardings: delete them first.")))
}

/// A port may have both, but not behind a distributed router: there the host of the port translates the one, and not the other.
async fn ensure_port_free(op: &mut Op<'_>, port_id: &str) -> Result<()> {
    let sql = "SELECT count(*) FROM portforwardings w JOIN floatingips f ON f.id = w.floatingip_id \
               JOIN router_extra_attributes e ON e.router_id = f.router_id WHERE w.internal_neutron_port_id = ? AND e.distributed = ?";
    if op.tx.count(sql, args![port_id, true]).await? == 0 {
        return Ok(());
    }
    Err(PORT_HAS_FORWARDING
        .error(format!("Cannot associate a floating IP with port {port_id} because a distributed router forwards ports to it already.")))
}

#[async_trait]
impl Hook for FloatingIps {
    async fn create(&self, op: &mut Op<'_>, _id: &str, body: &Body) -> Result<()> {
        match body.str("port_id") {
            Some(port_id) => ensure_port_free(op, port_id).await,
            None => Ok(()),
        }
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(port_id) = body.str("port_id").filter(|_| body.names("port_id")) else { return Ok(()) };
        ensure_free(op, original.id()).await?;
        ensure_port_free(op, port_id).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        // A forwarding that is being made now waits, and finds the floating IP gone.
        op.lock("floatingips", original.id()).await?;
        ensure_free(op, original.id()).await
    }
}

pub(super) struct Ports;

/// Deletes these forwardings by their own rules.
async fn delete(op: &mut Op<'_>, condition: Sql) -> Result<()> {
    let mut sql = Sql::raw("SELECT id FROM portforwardings w WHERE ");
    sql.append(condition).push(" ORDER BY id");
    let ids = op.tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for forwarding in op.load(COLLECTION, &ids).await? {
        op.delete_object(COLLECTION, &forwarding).await?;
    }
    Ok(())
}

#[async_trait]
impl Hook for Ports {
    /// An address that a port loses takes its forwardings with it.
    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if !body.names("fixed_ips") {
            return Ok(());
        }
        let lost = "w.internal_neutron_port_id = ? AND NOT EXISTS (SELECT 1 FROM ipallocations a \
                    WHERE a.port_id = w.internal_neutron_port_id AND a.ip_address = w.internal_ip_address)";
        delete(op, Sql::new(lost, args![original.id()])).await
    }

    fn delete_if(&self) -> Option<&'static str> {
        Some("EXISTS (SELECT 1 FROM portforwardings w WHERE w.internal_neutron_port_id = :id)")
    }

    async fn delete(&self, op: &mut Op<'_>, port: &Record) -> Result<()> {
        delete(op, Sql::new("w.internal_neutron_port_id = ?", args![port.id()])).await
    }
}
