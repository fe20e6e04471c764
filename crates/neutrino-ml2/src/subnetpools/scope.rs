// SPDX-License-Identifier: Apache-2.0
//! Whether a subnet pool may be of an address scope (`_validate_address_scope_id` and its helpers of Neutron).
//!
//! Reads only. Differs from Neutron in one place, on purpose: networks are looked at only when the scope changes, so that a pool
//! whose networks also have subnets of another pool of the same scope can still be renamed.

use neutrino_core::Op;
use neutrino_db::{Sql, args};
use neutrino_types::Result;
use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::ip::IpVersion;
use neutrino_types::range::IpSet;

use crate::ipam::network::stored;
use crate::subnets::errors;

/// What a pool will be.
pub(super) struct Member<'a> {
    pub pool_id: &'a str,
    pub version: IpVersion,
    pub prefixes: &'a [Cidr],
    /// The scope is not the one that the pool has.
    pub scope_is_new: bool,
}

/// # Errors
/// `AddressScopeNotFound`, `IllegalSubnetPoolIpVersionAssociationToAddressScope`, `NetworkAddressScopeAffinityError`, `AddressScopePrefixConflict`.
pub(super) async fn check(op: &mut Op<'_>, scope_id: &str, member: &Member<'_>) -> Result<()> {
    let version = version_of(op, scope_id).await?;
    if version != Some(member.version) {
        return Err(errors::ILLEGAL_SUBNET_POOL_IP_VERSION_ASSOCIATION
            .error(format!("Subnet pool {} is of IP version {}, address scope {scope_id} is not.", member.pool_id, member.version)));
    }
    if member.scope_is_new {
        check_networks(op, member).await?;
    }
    check_prefixes(op, scope_id, member).await
}

/// A pool can be shared with everyone only if its scope is.
///
/// # Errors
/// `InvalidInput`.
pub(super) async fn check_shared(op: &mut Op<'_>, scope_id: &str) -> Result<()> {
    let text = "SELECT count(*) FROM addressscoperbacs WHERE object_id = ? AND target_project = '*'";
    if op.tx.count(text, args![scope_id]).await? > 0 {
        return Ok(());
    }
    Err(kinds::INVALID_INPUT
        .error(format!("A shared subnet pool cannot be of address scope {scope_id}, which is not shared: share the scope first.")))
}

/// The scope must be seen, and be the caller's own or shared with them.
async fn version_of(op: &mut Op<'_>, scope_id: &str) -> Result<Option<IpVersion>> {
    let mut sql = Sql::raw(
        "SELECT t.ip_version, t.project_id, EXISTS (SELECT 1 FROM addressscoperbacs r WHERE r.object_id = t.id \
         AND r.action = 'access_as_shared' AND r.target_project IN ('*', ",
    );
    sql.bind(op.cx.project_id()).push(")) FROM address_scopes t WHERE t.id = ").bind(scope_id);
    let rows = op.tx.select(sql).await?;
    let missing = || errors::ADDRESS_SCOPE_NOT_FOUND.error(format!("Address scope {scope_id} could not be found."));
    let row = rows.first().ok_or_else(missing)?;
    let own = op.cx.is_admin() || row.opt_text(1)?.as_deref() == Some(op.cx.project_id());
    // What the caller does not see is not there.
    if !own && !row.bool(2)? {
        return Err(missing());
    }
    Ok(IpVersion::from_number(row.int(0)?))
}

/// Networks must not end with subnets of one IP version in two scopes.
async fn check_networks(op: &mut Op<'_>, member: &Member<'_>) -> Result<()> {
    let others = op
        .tx
        .count(
            "SELECT count(*) FROM subnets o WHERE o.ip_version = ? AND (o.subnetpool_id IS NULL OR o.subnetpool_id <> ?) \
             AND EXISTS (SELECT 1 FROM subnets s WHERE s.network_id = o.network_id AND s.subnetpool_id = ?)",
            args![member.version.number(), member.pool_id, member.pool_id],
        )
        .await?;
    if others == 0 {
        return Ok(());
    }
    Err(errors::NETWORK_ADDRESS_SCOPE_AFFINITY_ERROR.error(format!(
        "The address scope of subnet pool {} cannot change: {others} subnets on its networks come from elsewhere.",
        member.pool_id
    )))
}

async fn check_prefixes(op: &mut Op<'_>, scope_id: &str, member: &Member<'_>) -> Result<()> {
    let rows = op
        .tx
        .query(
            "SELECT f.cidr FROM subnetpoolprefixes f JOIN subnetpools p ON p.id = f.subnetpool_id WHERE p.address_scope_id = ? AND p.id <> ?",
            args![scope_id, member.pool_id],
        )
        .await?;
    let others: IpSet = rows.iter().map(|row| stored::<Cidr>(&row.text(0)?)).collect::<Result<Vec<_>>>()?.into_iter().collect();
    match member.prefixes.iter().find(|prefix| others.overlaps(&prefix.range())) {
        None => Ok(()),
        Some(prefix) => Err(errors::ADDRESS_SCOPE_PREFIX_CONFLICT
            .error(format!("The prefix {prefix} overlaps a prefix of another subnet pool of address scope {scope_id}."))),
    }
}
