// SPDX-License-Identifier: Apache-2.0
//! What a range may be, and when it may change: the order of checks is Neutron's.

use neutrino_core::Op;
use neutrino_db::{Dialect, args};
use neutrino_model::{Body, Record};
use neutrino_types::{Kind, Result, error::kinds};

use crate::type_drivers::{MOST_IDS, Range, TypeManager, valid_ids};

const TYPE_NOT_SUPPORTED: Kind = Kind::new("NetworkSegmentRangeNetTypeNotSupported", 400);
const REFERENCED: Kind = Kind::new("NetworkSegmentRangeReferencedByProject", 409);
const READ_ONLY: Kind = Kind::new("NetworkSegmentRangeDefaultReadOnly", 400);
const OVERLAPS: Kind = Kind::new("NetworkSegmentRangeOverlaps", 409);
/// Neutron answers 500 for these two, because nothing maps them; the caller can mend what is wrong.
const VLAN_RANGE: Kind = Kind::new("NetworkVlanRangeError", 400);
const TUNNEL_RANGE: Kind = Kind::new("NetworkTunnelRangeError", 400);

/// A range as it is or shall be.
struct Wanted<'a> {
    id: &'a str,
    network_type: &'a str,
    physical_network: &'a str,
    range: Range,
}

/// What needs no look at others: the type, the physical network, the owner.
///
/// # Errors
/// 400.
pub fn before_create(types: &TypeManager, body: &mut Body) -> Result<()> {
    let network_type = body.str("network_type").unwrap_or_default().to_owned();
    let Some(valid) = valid_ids(&network_type).filter(|_| types.network_types().any(|known| known == network_type)) else {
        return Err(TYPE_NOT_SUPPORTED.error(format!("The network type '{network_type}' has no network segment ranges here.")));
    };
    eligible(&network_type, valid, of(body.int("minimum"), body.int("maximum")))?;
    if network_type != "vlan" {
        body.set("physical_network", "");
    } else if body.str("physical_network").is_none_or(str::is_empty) {
        return Err(kinds::BAD_REQUEST_PLUGIN
            .error("Bad network_segment_range request: a range of VLANs needs the physical_network that they are on."));
    }
    if body.bool("shared") == Some(false) && body.project_id().is_empty() {
        return Err(kinds::BAD_REQUEST_PLUGIN.error("Bad network_segment_range request: a range that is not shared needs a project_id."));
    }
    if body.bool("shared") != Some(false) {
        body.remove("project_id");
    }
    Ok(())
}

fn of(minimum: Option<i64>, maximum: Option<i64>) -> Range {
    (minimum.unwrap_or_default(), maximum.unwrap_or_default())
}

fn eligible(network_type: &str, valid: Range, (first, last): Range) -> Result<()> {
    let kind = if network_type == "vlan" { VLAN_RANGE } else { TUNNEL_RANGE };
    if first < valid.0 || last > valid.1 {
        return Err(kind
            .error(format!("The range {first}:{last} is not valid: ids of the type {network_type} go from {} to {}.", valid.0, valid.1)));
    }
    if last < first {
        return Err(kind.error(format!("The range {first}:{last} is not valid: it ends before its beginning.")));
    }
    if last - first >= MOST_IDS {
        return Err(kind.error(format!("The range {first}:{last} is not valid: it has more than {MOST_IDS} ids.")));
    }
    Ok(())
}

async fn no_overlap(op: &mut Op<'_>, wanted: &Wanted<'_>) -> Result<()> {
    if op.tx.dialect() != Dialect::Sqlite {
        // Two new ranges wait for each other by the rows of their type.
        op.tx.execute("UPDATE network_segment_ranges SET id = id WHERE network_type = ?", args![wanted.network_type]).await?;
    }
    let sql = "SELECT id FROM network_segment_ranges WHERE \"default\" = ? AND network_type = ? AND physical_network = ? AND id <> ? \
               AND minimum <= ? AND maximum >= ? ORDER BY id";
    let (first, last) = wanted.range;
    let rows = op.tx.query(sql, args![false, wanted.network_type, wanted.physical_network, wanted.id, last, first]).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let ids = rows.iter().take(10).map(|row| row.text(0)).collect::<Result<Vec<_>>>()?.join(", ");
    Err(OVERLAPS.error(format!("The range {first}:{last} overlaps with the network segment range(s) {ids}.")))
}

/// The lowest and the highest id of a range that networks use.
async fn used(op: &mut Op<'_>, range: &Record) -> Result<Option<Range>> {
    let sql = "SELECT min(segmentation_id), max(segmentation_id) FROM networksegments WHERE network_type = ? \
               AND COALESCE(physical_network, '') = ? AND segmentation_id >= ? AND segmentation_id <= ?";
    let (first, last) = of(range.int("minimum"), range.int("maximum"));
    let row = op.tx.query_one(sql, args![range.str("network_type"), range.str("physical_network"), first, last]).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(row.opt_int(0)?.zip(row.opt_int(1)?))
}

fn referenced(id: &str) -> neutrino_types::Error {
    REFERENCED.error(format!("Network segment range {id} has ids that networks use; delete those networks first."))
}

fn writable(range: &Record) -> Result<()> {
    if !range.bool("default") {
        return Ok(());
    }
    Err(READ_ONLY
        .error(format!("Network segment range {} comes from the configuration; it is neither updated nor deleted here.", range.id())))
}

/// # Errors
/// 409 for a range that overlaps with another; the database's.
pub async fn create(op: &mut Op<'_>, types: &TypeManager, id: &str, body: &mut Body) -> Result<()> {
    let network_type = body.str("network_type").unwrap_or_default().to_owned();
    let physical_network = body.str("physical_network").unwrap_or_default().to_owned();
    let range = of(body.int("minimum"), body.int("maximum"));
    no_overlap(op, &Wanted { id, network_type: &network_type, physical_network: &physical_network, range }).await?;
    op.insert(id, body, &[("default", false.into()), ("physical_network", physical_network.into())]).await?;
    types.sync(op.tx, &network_type).await
}

/// # Errors
/// 400 for a default range, or one that cannot be; 409 when it would lose ids that are used, or overlap; the database's.
pub async fn update(op: &mut Op<'_>, types: &TypeManager, original: &Record, body: &mut Body) -> Result<()> {
    writable(original)?;
    let (first, last) = of(body.int("minimum").or(original.int("minimum")), body.int("maximum").or(original.int("maximum")));
    if used(op, original).await?.is_some_and(|(lowest, highest)| first > lowest || last < highest) {
        return Err(referenced(original.id()));
    }
    let network_type = original.str("network_type");
    eligible(network_type, valid_ids(network_type).unwrap_or((1, 1)), (first, last))?;
    let wanted = Wanted { id: original.id(), network_type, physical_network: original.str("physical_network"), range: (first, last) };
    no_overlap(op, &wanted).await?;
    op.update(original, body).await?;
    types.sync(op.tx, network_type).await
}

/// # Errors
/// 400 for a default range; 409 while networks use its ids; the database's.
pub async fn delete(op: &mut Op<'_>, types: &TypeManager, original: &Record) -> Result<()> {
    writable(original)?;
    if used(op, original).await?.is_some() {
        return Err(referenced(original.id()));
    }
    op.delete(original).await?;
    types.sync(op.tx, original.str("network_type")).await
}
