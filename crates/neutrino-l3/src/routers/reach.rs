// SPDX-License-Identifier: Apache-2.0
//! Which router leads from a subnet to an external network: what floating IPs ask.

use neutrino_core::Op;
use neutrino_db::args;
use neutrino_types::Result;

use super::{GATEWAY, INTERFACE_OWNERS};

/// Extension of networking-midonet: routers translate at their interfaces on external networks, too.
pub const AT_INTERFACES: &str = "router-interface-fip";

/// The owners of the ports by which routers reach external networks for floating IPs, as a list of SQL.
pub(crate) fn ways_out(op: &Op<'_>) -> String {
    let interfaces = if op.engine.registry.has_extension(AT_INTERFACES) { INTERFACE_OWNERS } else { &[] };
    quoted([GATEWAY].iter().chain(interfaces))
}

fn quoted<'a>(owners: impl IntoIterator<Item = &'a &'a str>) -> String {
    owners.into_iter().map(|owner| format!("'{owner}'")).collect::<Vec<_>>().join(", ")
}

/// A router between the two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    pub router_id: String,
    /// Its interface holds the subnet's gateway address: machines there use it without a route of their own.
    pub is_gateway: bool,
}

/// The router that leads from a subnet of a network to an external network; the one with the subnet's gateway address if there are
/// several.
///
/// # Errors
/// The database's.
pub async fn router_between(op: &mut Op<'_>, network_id: &str, subnet_id: &str, external_network_id: &str) -> Result<Option<Reach>> {
    let sql = format!(
        "SELECT r.router_id, CASE WHEN a.ip_address = s.gateway_ip THEN 1 ELSE 0 END FROM routerports r \
         JOIN ports p ON p.id = r.port_id AND p.network_id = ? \
         JOIN ipallocations a ON a.port_id = p.id AND a.subnet_id = ? \
         JOIN subnets s ON s.id = a.subnet_id \
         JOIN ports g ON g.device_id = r.router_id AND g.network_id = ? AND g.device_owner IN ({}) AND g.id <> p.id \
         WHERE r.port_type IN ({}) ORDER BY 2 DESC, CASE WHEN g.device_owner = '{GATEWAY}' THEN 0 ELSE 1 END, r.router_id",
        ways_out(op),
        quoted(INTERFACE_OWNERS)
    );
    let row = op.tx.query_one(&sql, args![network_id, subnet_id, external_network_id]).await?;
    row.map(|row| Ok(Reach { router_id: row.text(0)?, is_gateway: row.int(1)? == 1 })).transpose()
}
