// SPDX-License-Identifier: Apache-2.0
//! The rows of a subnet in IPAM's tables: `ipamsubnets`, and its allocation pools, which Neutron keeps twice (`ipallocationpools` for
//! the API, `ipamallocationpools` for the allocator).
//!
//! Invariant: both tables of pools hold the same ranges. There is no foreign key from `ipamsubnets` to `subnets`, so a subnet that
//! goes must call [`remove`].

use neutrino_core::Context;
use neutrino_db::{Tx, args};
use neutrino_types::Result;
use neutrino_types::range::IpRange;

use super::network::ipam_ids;

/// Writes IPAM's rows of a new subnet, whose own row exists.
///
/// # Errors
/// The database's.
pub async fn create(tx: &mut Tx, cx: &Context, subnet_id: &str, pools: &[IpRange]) -> Result<()> {
    // The key is the subnet's own id; see the head of `network`.
    tx.execute("INSERT INTO ipamsubnets (id, neutron_subnet_id) VALUES (?, ?)", args![subnet_id, subnet_id]).await?;
    insert_pools(tx, cx, subnet_id, subnet_id, pools).await
}

/// Puts other pools in the place of a subnet's.
///
/// # Errors
/// The database's.
pub async fn replace_pools(tx: &mut Tx, cx: &Context, subnet_id: &str, pools: &[IpRange]) -> Result<()> {
    let ids = ipam_ids(tx, &[subnet_id.to_owned()]).await?;
    let Some(ipam_id) = ids.get(subnet_id) else {
        return create(tx, cx, subnet_id, pools).await;
    };
    tx.execute("DELETE FROM ipallocationpools WHERE subnet_id = ?", args![subnet_id]).await?;
    tx.execute("DELETE FROM ipamallocationpools WHERE ipam_subnet_id = ?", args![ipam_id]).await?;
    insert_pools(tx, cx, subnet_id, ipam_id, pools).await
}

async fn insert_pools(tx: &mut Tx, cx: &Context, subnet_id: &str, ipam_id: &str, pools: &[IpRange]) -> Result<()> {
    if pools.is_empty() {
        return Ok(());
    }
    let marks = vec!["(?, ?, ?, ?)"; pools.len()].join(", ");
    for (table, column, owner) in [("ipallocationpools", "subnet_id", subnet_id), ("ipamallocationpools", "ipam_subnet_id", ipam_id)] {
        let values = pools.iter().flat_map(|pool| args![cx.new_id(), owner, pool.first().to_string(), pool.last().to_string()]).collect();
        tx.execute(&format!("INSERT INTO {table} (id, {column}, first_ip, last_ip) VALUES {marks}"), values).await?;
    }
    Ok(())
}

/// Removes IPAM's rows of a subnet: allocations and pools of the allocator go by cascade, the API's with the subnet.
///
/// # Errors
/// The database's.
pub async fn remove(tx: &mut Tx, subnet_id: &str) -> Result<()> {
    for ipam_id in ipam_ids(tx, &[subnet_id.to_owned()]).await?.values() {
        tx.execute("DELETE FROM ipamsubnets WHERE id = ?", args![ipam_id]).await?;
    }
    Ok(())
}
