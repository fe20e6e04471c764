// SPDX-License-Identifier: Apache-2.0
//! The rules of port forwardings: what a create, an update and a delete check and write, in order.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Op};
use neutrino_db::{Sql, args};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result, ip::Ip, port_range::PortRange};

use super::{
    PORT_HAS_FLOATING_IP,
    ranges::{EXTERNAL, INTERNAL, Side, bad, ensure_match, shown},
};
use crate::floating_ips::{ALREADY_ASSOCIATED, Inside, claim, router_to};

pub struct PortForwardings;

/// A forwarding as it will be.
struct Wanted {
    floating_ip_id: String,
    /// Its own id, which does not stand in its way.
    id: String,
    protocol: String,
    port_id: String,
    address: Ip,
    external: PortRange,
    internal: PortRange,
}

fn address(text: &str) -> Result<Ip> {
    text.parse().map_err(|_| bad("the internal_ip_address is no IP address"))
}

async fn ensure_port_visible(engine: &Engine, cx: &Context, body: &Body) -> Result<()> {
    if let Some(port_id) = body.str("internal_port_id") {
        engine.original(cx, "ports", None, port_id).await?;
    }
    Ok(())
}

fn write(body: &mut Body, wanted: &Wanted) {
    EXTERNAL.set(body, wanted.external);
    INTERNAL.set(body, wanted.internal);
    body.set("internal_ip_address", wanted.address.to_string());
    body.set("internal_port_id", wanted.port_id.as_str());
    body.set("protocol", wanted.protocol.as_str());
}

#[async_trait]
impl Behaviour for PortForwardings {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        ensure_port_visible(engine, cx, body).await
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let text = |name: &str| body.str(name).unwrap_or_default().to_owned();
        let wanted = Wanted {
            floating_ip_id: text("floatingip_id"),
            id: id.to_owned(),
            protocol: text("protocol"),
            port_id: text("internal_port_id"),
            address: address(&text("internal_ip_address"))?,
            external: EXTERNAL.required(body)?,
            internal: INTERNAL.required(body)?,
        };
        wanted.settle(op, true).await?;
        write(body, &wanted);
        op.insert(id, body, &[]).await.map_err(|error| wanted.refused(error))
    }

    async fn before_update(&self, engine: &Engine, cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        ensure_port_visible(engine, cx, body).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        let was = |side: &Side| side.of(original).ok_or_else(|| Error::internal(format!("port forwarding {} has no ports", original.id())));
        let text = |name: &str| body.str(name).unwrap_or_else(|| original.str(name)).to_owned();
        let port_id = text("internal_port_id");
        let moves = port_id != original.str("internal_port_id");
        let mut wanted = Wanted {
            floating_ip_id: original.str("floatingip_id").to_owned(),
            id: original.id().to_owned(),
            protocol: text("protocol"),
            address: address(&text("internal_ip_address"))?,
            external: EXTERNAL.asked(body)?.map_or_else(|| was(&EXTERNAL), Ok)?,
            internal: INTERNAL.asked(body)?.map_or_else(|| was(&INTERNAL), Ok)?,
            port_id,
        };
        if moves && body.str("internal_ip_address").is_none() {
            // Another port has other addresses: its first one is meant.
            let inside = Inside::hold(op, &wanted.port_id).await?;
            wanted.address = inside.addresses().first().map_or(wanted.address, |(_, address)| *address);
        }
        let reaches = moves || wanted.address.to_string() != original.str("internal_ip_address");
        wanted.settle(op, reaches || body.names("internal_port_id")).await?;
        if moves {
            op.touch_object("ports", original.str("internal_port_id")).await?;
        }
        write(body, &wanted);
        op.update(original, body).await.map_err(|error| wanted.refused(error))
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let floating_ip = claim(op, original.str("floatingip_id")).await?;
        op.delete(original).await?;
        op.touch(floating_ip.standard_attr_id);
        op.touch_object("ports", original.str("internal_port_id")).await?;
        free_router(op, original.str("floatingip_id")).await
    }
}

/// A floating IP whose last forwarding went has no router any more.
async fn free_router(op: &mut Op<'_>, floating_ip_id: &str) -> Result<()> {
    let sql = "UPDATE floatingips SET last_known_router_id = router_id, router_id = NULL WHERE id = ? AND fixed_port_id IS NULL \
               AND NOT EXISTS (SELECT 1 FROM portforwardings w WHERE w.floatingip_id = ?)";
    op.tx.execute(sql, args![floating_ip_id, floating_ip_id]).await?;
    Ok(())
}

impl Wanted {
    /// Checks all there is to check, and makes the floating IP the router's that leads to the port.
    async fn settle(&self, op: &mut Op<'_>, moves: bool) -> Result<()> {
        ensure_match(self.external, self.internal)?;
        let floating_ip = claim(op, &self.floating_ip_id).await?;
        let inside = Inside::hold(op, &self.port_id).await?;
        self.ensure_apart(op).await?;
        if moves {
            self.ensure_port_has_no_floating_ip(op).await?;
        }
        if floating_ip.port_id.is_some() {
            return Err(ALREADY_ASSOCIATED.error(format!(
                "Cannot forward ports of floating IP {} ({}) to port {}, as it is associated with a port as a whole.",
                floating_ip.outside, self.floating_ip_id, self.port_id
            )));
        }
        let subnet_id = self.subnet(&inside)?;
        if moves {
            let Some(router_id) = router_to(op, &inside.port, subnet_id, &floating_ip.network_id).await? else {
                return Err(bad(format!(
                    "external network {} is not reachable from subnet {subnet_id}; cannot set port forwarding for port {} with floating IP {}",
                    floating_ip.network_id, self.port_id, self.floating_ip_id
                )));
            };
            match floating_ip.router_id {
                None => _ = op.update_row("floatingips", "id", &self.floating_ip_id, vec![("router_id", router_id.into())]).await?,
                Some(known) if known != router_id => {
                    return Err(bad(format!(
                        "floating IP {} is on router {known}, which the internal port {} cannot reach",
                        self.floating_ip_id, self.port_id
                    )));
                }
                Some(_) => {}
            }
        }
        op.touch(floating_ip.standard_attr_id);
        op.touch(inside.port.standard_attr_id);
        Ok(())
    }

    fn subnet<'i>(&self, inside: &'i Inside) -> Result<&'i str> {
        if inside.addresses().is_empty() {
            return Err(bad(format!("the internal port {} must have an IPv4 address", self.port_id)));
        }
        inside
            .subnet_of(self.address)
            .ok_or_else(|| bad(format!("the internal IP address {} is not one of port {}", self.address, self.port_id)))
    }

    /// No other forwarding leads from or to the same.
    async fn ensure_apart(&self, op: &mut Op<'_>) -> Result<()> {
        let address = self.address.to_string();
        let inner = Sql::new("internal_neutron_port_id = ? AND internal_ip_address = ?", args![&self.port_id, address]);
        let outer = Sql::new("floatingip_id = ?", args![&self.floating_ip_id]);
        for (side, wanted, place) in [(INTERNAL, self.internal, inner), (EXTERNAL, self.external, outer)] {
            let mut sql = Sql::raw(format!("SELECT {}, {} FROM portforwardings WHERE ", side.start, side.end));
            sql.append(place).push(" AND protocol = ").bind(self.protocol.as_str()).push(" AND id <> ").bind(self.id.as_str());
            sql.push(&format!(" AND {} <= ", side.start)).bind(i64::from(wanted.last()));
            sql.push(&format!(" AND {} >= ", side.end)).bind(i64::from(wanted.first())).push(" LIMIT 1");
            if let Some(row) = op.tx.select(sql).await?.first() {
                return Err(bad(format!(
                    "there is a port collision with the {}: {}:{} and {}",
                    side.range,
                    row.int(0)?,
                    row.int(1)?,
                    shown(wanted)
                )));
            }
        }
        Ok(())
    }

    async fn ensure_port_has_no_floating_ip(&self, op: &mut Op<'_>) -> Result<()> {
        let sql = "SELECT id, floating_ip_address FROM floatingips WHERE fixed_port_id = ? ORDER BY id";
        match op.tx.query_one(sql, args![&self.port_id]).await? {
            None => Ok(()),
            Some(row) => Err(PORT_HAS_FLOATING_IP.error(format!(
                "Cannot forward ports to port {}, as it has the floating IP {} ({}).",
                self.port_id,
                row.text(1)?,
                row.text(0)?
            ))),
        }
    }

    /// What the keys of the table say to the caller.
    fn refused(&self, error: Error) -> Error {
        if error.is_duplicate("") {
            return bad(format!("a port forwarding of the same ports of floating IP {} exists already", self.floating_ip_id));
        }
        error
    }
}
