// SPDX-License-Identifier: Apache-2.0
//! Provisioning blocks: what must still be done for a port before it may be ACTIVE, by whom.
//!
//! Owns the table `provisioningblocks`. Invariant: a port goes ACTIVE by itself only when its last block is gone, it is bound and
//! it is administratively up.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{
    Builder, Context, Engine, Op,
    provisioning::{Provisioning, ProvisioningService},
};
use neutrino_db::args;
use neutrino_types::Result;

use super::status::complete;

pub const DHCP_ENTITY: &str = neutrino_core::provisioning::DHCP;
pub const L2_AGENT_ENTITY: &str = "L2";

/// Owners of ports that nothing waits for.
pub const NOT_BLOCKED: [&str; 10] = [
    "",
    "network:router_interface_distributed",
    "network:ha_router_replicated_interface",
    "network:router_interface",
    "network:router_gateway",
    "network:router_centralized_snat",
    "network:dhcp",
    "network:floatingip_agent_gateway",
    "network:router_ha_interface",
    "network:floatingip",
];

/// Adds a block; nothing happens if it is there.
///
/// # Errors
/// The database's.
pub async fn add_block(op: &mut Op<'_>, standard_attr_id: i64, entity: &str) -> Result<()> {
    let text = "INSERT INTO provisioningblocks (standard_attr_id, entity) SELECT id, ? FROM standardattributes s WHERE s.id = ? \
                AND NOT EXISTS (SELECT 1 FROM provisioningblocks b WHERE b.standard_attr_id = s.id AND b.entity = ?)";
    op.tx.execute(text, args![entity, standard_attr_id, entity]).await.map(drop)
}

/// Takes a block away that has become pointless. Whether it was there.
///
/// # Errors
/// The database's.
pub async fn remove_block(op: &mut Op<'_>, standard_attr_id: i64, entity: &str) -> Result<bool> {
    let text = "DELETE FROM provisioningblocks WHERE standard_attr_id = ? AND entity = ?";
    Ok(op.tx.execute(text, args![standard_attr_id, entity]).await? > 0)
}

/// An entity has done its part for a port: the block goes, and with the last one the port becomes ACTIVE if it can. A port that is
/// gone is no error.
///
/// # Errors
/// The database's.
pub async fn provisioning_complete(engine: &Engine, cx: &Context, port_id: &str, entity: &str) -> Result<()> {
    complete(engine, cx, &[port_id], entity).await.map(drop)
}

struct Service;

#[async_trait]
impl Provisioning for Service {
    async fn complete(&self, engine: &Engine, cx: &Context, port_ids: &[String], entity: &str) -> Result<()> {
        let port_ids: Vec<&str> = port_ids.iter().map(String::as_str).collect();
        complete(engine, &cx.elevated(), &port_ids, entity).await.map(drop)
    }
}

pub fn register(builder: &mut Builder) {
    builder.service(Arc::new(ProvisioningService(Arc::new(Service))));
}
