// SPDX-License-Identifier: Apache-2.0
//! What a port asks of its network, read once per transaction and network.
//!
//! Owns `NetworkNotFound` for ports. Writes nothing. Invariant: who may not see a network gets the answer of one that is not there.

use std::{collections::HashMap, sync::Arc};

use neutrino_core::Op;
use neutrino_db::{Sql, args};
use neutrino_types::{Kind, Result};

use super::mac;
use crate::ipam::network::NetworkSubnets;

const NETWORK_NOT_FOUND: Kind = Kind::new("NetworkNotFound", 404);

/// See the module's documentation.
#[derive(Debug)]
pub struct NetworkFacts {
    pub id: String,
    /// `networksecuritybindings`; true where there is no row.
    pub port_security_enabled: bool,
    /// Does any DHCP agent serve the network?
    pub has_dhcp_agents: bool,
    pub subnets: NetworkSubnets,
}

#[derive(Default)]
struct Networks(HashMap<String, Arc<NetworkFacts>>);

/// The facts of a network that the caller sees.
///
/// # Errors
/// `NetworkNotFound`; the database's.
pub async fn facts(op: &mut Op<'_>, network_id: &str) -> Result<Arc<NetworkFacts>> {
    if let Some(known) = op.note::<Networks>().0.get(network_id) {
        return Ok(known.clone());
    }
    let facts = Arc::new(read(op, network_id).await?);
    op.note::<Networks>().0.insert(network_id.to_owned(), facts.clone());
    Ok(facts)
}

async fn read(op: &mut Op<'_>, network_id: &str) -> Result<NetworkFacts> {
    let mac = mac::random(op);
    let mut sql = Sql::new(
        "SELECT s.port_security_enabled, EXISTS (SELECT 1 FROM networkdhcpagentbindings d WHERE d.network_id = n.id), \
         EXISTS (SELECT 1 FROM ports p WHERE p.network_id = n.id AND p.mac_address = ?) \
         FROM networks n LEFT JOIN networksecuritybindings s ON s.network_id = n.id WHERE n.id = ?",
        args![mac.to_string(), network_id],
    );
    if !op.cx.sees_all() {
        sql.push(" AND (n.project_id = ").bind(op.cx.project_id());
        sql.push(
            " OR EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = n.id AND r.action IN ('access_as_shared', 'access_as_external')",
        );
        sql.push(" AND r.target_project IN ('*', ").bind(op.cx.project_id()).push(")))");
    }
    let row = op.tx.select(sql).await?.into_iter().next();
    let row = row.ok_or_else(|| NETWORK_NOT_FOUND.error(format!("Network {network_id} could not be found.")))?;
    if !row.bool(2)? {
        mac::note_free(op, network_id, mac);
    }
    Ok(NetworkFacts {
        id: network_id.to_owned(),
        port_security_enabled: row.opt_bool(0)?.unwrap_or(true),
        has_dhcp_agents: row.bool(1)?,
        subnets: NetworkSubnets::load(op.tx, network_id).await?,
    })
}
