// SPDX-License-Identifier: Apache-2.0
//! The network that a subnet lies on, as the subnet's rules see it: who may use it, what else lies on it, its segments.
//!
//! Reads `networks`, `subnets`, `networksegments`; writes `network_subnet_lock` only. Invariant: two transactions that add subnets
//! to one network exclude each other by that row, so that what is checked here holds at the commit.

use neutrino_core::{Context, Op};
use neutrino_db::{Dialect, Sql, Tx, args};
use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::ip::IpVersion;
use neutrino_types::{Error, Result};

use super::errors;
use crate::ipam::network::{IPV6_PD_POOL_ID, stored};
use crate::subnetpools::Pool;

/// The owner's row; the network as such is the networks' feature's.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub id: String,
    pub project_id: String,
    pub mtu: i64,
    pub standard_attr_id: i64,
}

impl Network {
    /// # Errors
    /// `NetworkNotFound` when there is none that the caller may see.
    pub async fn find(tx: &mut Tx, cx: &Context, id: &str) -> Result<Self> {
        let mut sql = Sql::new("SELECT t.project_id, t.mtu, t.standard_attr_id FROM networks t WHERE t.id = ?", args![id]);
        if !cx.sees_all() {
            sql.push(" AND (t.project_id = ").bind(cx.project_id());
            sql.push(
                " OR EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = t.id AND r.action IN ('access_as_shared', \
                 'access_as_external') AND r.target_project IN ('*', ",
            );
            sql.bind(cx.project_id()).push(")))");
        }
        let rows = tx.select(sql).await?;
        let row = rows.first().ok_or_else(|| errors::NETWORK_NOT_FOUND.error(format!("Network {id} could not be found.")))?;
        Ok(Self { id: id.to_owned(), project_id: row.opt_text(0)?.unwrap_or_default(), mtu: row.int(1)?, standard_attr_id: row.int(2)? })
    }

    /// Makes this transaction the only one that changes the network's set of subnets.
    pub async fn lock(&self, tx: &mut Tx, subnet_id: &str) -> Result<()> {
        let text = format!(
            "INSERT INTO network_subnet_lock (network_id, subnet_id) VALUES (?, ?) {}",
            match tx.dialect() {
                Dialect::MySql => "ON DUPLICATE KEY UPDATE subnet_id = VALUES(subnet_id)",
                Dialect::Sqlite | Dialect::Postgres => "ON CONFLICT (network_id) DO UPDATE SET subnet_id = excluded.subnet_id",
            }
        );
        tx.execute(&text, args![&self.id, subnet_id]).await.map(drop)
    }
}

/// Another subnet of the network.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    pub cidr: Cidr,
    pub subnetpool_id: Option<String>,
    pub address_scope_id: Option<String>,
    pub segment_id: Option<String>,
    /// It routes for others (`network:routed`).
    pub routed: bool,
}

pub(super) async fn neighbours(tx: &mut Tx, network_id: &str) -> Result<Vec<Neighbour>> {
    let rows = tx
        .query(
            "SELECT s.cidr, s.subnetpool_id, p.address_scope_id, s.segment_id, EXISTS (SELECT 1 FROM subnet_service_types t \
             WHERE t.subnet_id = s.id AND t.service_type = 'network:routed') FROM subnets s \
             LEFT JOIN subnetpools p ON p.id = s.subnetpool_id WHERE s.network_id = ?",
            args![network_id],
        )
        .await?;
    let neighbour = |row: &neutrino_db::Row| {
        Ok(Neighbour {
            cidr: stored(&row.text(0)?)?,
            subnetpool_id: row.opt_text(1)?,
            address_scope_id: row.opt_text(2)?,
            segment_id: row.opt_text(3)?,
            routed: row.bool(4)?,
        })
    };
    rows.iter().map(neighbour).collect()
}

/// # Errors
/// `InvalidInput` for a /0, or when the subnet overlaps another one of the network.
pub(super) fn check_overlap(network_id: &str, cidr: &Cidr, neighbours: &[Neighbour]) -> Result<()> {
    if cidr.prefixlen() == 0 {
        return Err(kinds::INVALID_INPUT.error("A subnet with a prefix length of 0 is not allowed."));
    }
    let provisional =
        |other: &Neighbour| other.cidr.version() == IpVersion::V6 && other.cidr.network().value() == 0 && other.cidr.prefixlen() == 64;
    // The other subnet may be one that the caller cannot see: it is not named.
    if neighbours.iter().any(|other| other.cidr.overlaps(cidr) && !provisional(other)) {
        return Err(kinds::INVALID_INPUT.error(format!("The subnet {cidr} overlaps with another subnet of network {network_id}.")));
    }
    Ok(())
}

/// All subnets of one IP version on a network come from one subnet pool (or none), or from pools of one address scope.
///
/// # Errors
/// `NetworkAddressScopeAffinityError`, `NetworkSubnetPoolAffinityError`.
pub(super) fn check_affinity(version: IpVersion, pool_id: Option<&str>, pool: Option<&Pool>, neighbours: &[Neighbour]) -> Result<()> {
    let delegated = pool_id == Some(IPV6_PD_POOL_ID);
    let siblings: Vec<&Neighbour> = neighbours.iter().filter(|other| other.cidr.version() == version).collect();
    let scope = siblings.iter().find_map(|other| other.address_scope_id.as_deref());
    if let Some(scope) = scope
        && (delegated || pool.is_some_and(|pool| pool.address_scope_id.as_deref() != Some(scope)))
    {
        return Err(errors::NETWORK_ADDRESS_SCOPE_AFFINITY_ERROR
            .error("All subnets of one IP version on a network must be of the same address scope."));
    }
    let differs = siblings.iter().any(|other| match pool {
        Some(_) if scope.is_some() => false,
        _ => other.subnetpool_id.as_deref() != pool_id,
    });
    if differs {
        return Err(errors::NETWORK_SUBNET_POOL_AFFINITY_ERROR
            .error("All subnets of one IP version on a network must come from the same subnet pool, or none of them from a pool."));
    }
    Ok(())
}

/// The attribute `segment_id` of a change.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentChange<'a> {
    pub network_id: &'a str,
    pub subnet_id: &'a str,
    pub segment_id: Option<&'a str>,
    /// What the subnet had.
    pub old: Option<&'a str>,
}

/// Either all subnets of a network are on segments or none, but for those that route for others (`network:routed`).
fn check_mixture(network: &str, segments: &[Option<&str>]) -> Result<()> {
    if segments.iter().any(Option::is_none) && segments.iter().any(Option::is_some) {
        return Err(mixed(network));
    }
    Ok(())
}

fn mixed(network: &str) -> Error {
    errors::SUBNETS_NOT_ALL_ASSOCIATED_WITH_SEGMENTS
        .error(format!("Either all subnets of network {network} are associated with a segment, or none of them."))
}

/// The segment of a new subnet among those of its neighbours (`_validate_segment`).
///
/// # Errors
/// As [`check_segment`].
pub(super) async fn check_new_segment(
    op: &mut Op<'_>,
    network: &str,
    segment_id: Option<&str>,
    routed: bool,
    neighbours: &[Neighbour],
) -> Result<()> {
    let mut segments: Vec<Option<&str>> = neighbours.iter().filter(|one| !one.routed).map(|one| one.segment_id.as_deref()).collect();
    if !routed {
        segments.push(segment_id);
    }
    check_mixture(network, &segments)?;
    match segment_id {
        Some(segment_id) => check_segment_row(op, network, segment_id).await,
        None => Ok(()),
    }
}

/// The segment that an update gives to a subnet (`_validate_segment`). Call it before the row is written.
///
/// # Errors
/// `SegmentNotFound`, `NetworkIdsDontMatch`, `SubnetsNotAllAssociatedWithSegments` and their kin.
pub(super) async fn check_segment(op: &mut Op<'_>, change: &SegmentChange<'_>) -> Result<()> {
    let network = change.network_id;
    let others = neighbours(op.tx, network).await?;
    let segments: Vec<Option<&str>> = others.iter().filter(|one| !one.routed).map(|one| one.segment_id.as_deref()).collect();
    check_mixture(network, &segments)?;
    if change.old != change.segment_id {
        if segments.len() > 1 {
            return Err(mixed(network));
        }
        if segments.iter().all(|known| known.is_some_and(|known| Some(known) != change.segment_id)) && !segments.is_empty() {
            return Err(errors::SUBNET_SEGMENT_ASSOCIATION_CHANGE_NOT_ALLOWED
                .error(format!("The segment of subnet {} cannot be changed once it is set.", change.subnet_id)));
        }
        if op.tx.count("SELECT count(*) FROM networksegments WHERE network_id = ?", args![network]).await? > 1 {
            return Err(errors::NO_UPDATE_SUBNET_WHEN_MULTIPLE_SEGMENTS
                .error(format!("The segment of a subnet cannot be changed on network {network}, which has more than one segment.")));
        }
    }
    let Some(segment_id) = change.segment_id else { return Ok(()) };
    check_segment_row(op, network, segment_id).await
}

async fn check_segment_row(op: &mut Op<'_>, network: &str, segment_id: &str) -> Result<()> {
    let row = op.tx.query_one("SELECT network_id, is_dynamic FROM networksegments WHERE id = ?", args![segment_id]).await?;
    let row = row.ok_or_else(|| errors::SEGMENT_NOT_FOUND.error(format!("Segment {segment_id} could not be found.")))?;
    if row.text(0)? != network {
        return Err(errors::NETWORK_IDS_DONT_MATCH.error(format!("Segment {segment_id} does not belong to network {network}.")));
    }
    if row.bool(1)? {
        return Err(errors::SUBNET_CANT_ASSOCIATE_TO_DYNAMIC_SEGMENT
            .error(format!("Segment {segment_id} is dynamic: a subnet cannot be associated with it.")));
    }
    Ok(())
}
