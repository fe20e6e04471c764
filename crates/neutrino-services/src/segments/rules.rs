// SPDX-License-Identifier: Apache-2.0
//! A segment's life beside its network's: another one for a network that is there, and its end.

use std::sync::Arc;

use neutrino_core::{
    Op,
    segments::{Segment, SegmentService},
};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Kind, Result, error::kinds};

use super::hosts;

const IN_USE: Kind = Kind::new("SegmentInUse", 409);
const NETWORK_NOT_FOUND: Kind = Kind::new("NetworkNotFound", 404);

/// How many objects a refusal names.
const NAMED: usize = 10;

pub fn service(op: &Op<'_>) -> Result<Arc<SegmentService>> {
    op.engine.registry.service::<SegmentService>().ok_or_else(|| Error::internal("the core plugin offers no segments"))
}

/// An empty text is none.
pub fn before_create(body: &mut Body) -> Result<()> {
    if body.str("physical_network") == Some("") {
        body.remove("physical_network");
    }
    if body.get("segmentation_id").is_some_and(|id| !id.is_null() && id.as_i64().is_none()) {
        return Err(kinds::INVALID_INPUT.error("Invalid input for segmentation_id. Reason: it is no number that a segment can have."));
    }
    Ok(())
}

/// Takes a segment for a network and writes it. What the request leaves open is chosen.
///
/// # Errors
/// 404 without the network; 400 for what cannot be, or does not carry the network's MTU; 409 for what is in use; the database's.
pub async fn create(op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
    let network_id = body.str("network_id").unwrap_or_default().to_owned();
    if op.lock("networks", &network_id).await?.is_none() {
        return Err(NETWORK_NOT_FOUND.error(format!("Network {network_id} could not be found.")));
    }
    let service = service(op)?;
    let asked = Segment {
        network_type: body.str("network_type").unwrap_or_default().to_owned(),
        physical_network: body.str("physical_network").map(str::to_owned),
        segmentation_id: body.int("segmentation_id"),
    };
    let taken = service.0.reserve(op, &asked).await?;
    let next =
        op.tx.count("SELECT COALESCE(max(segment_index), -1) + 1 FROM networksegments WHERE network_id = ?", args![&network_id]).await?;
    let columns = [
        ("physical_network", taken.physical_network.as_deref().into()),
        ("segmentation_id", taken.segmentation_id.into()),
        ("segment_index", next.into()),
        ("is_dynamic", false.into()),
    ];
    op.insert(id, body, &columns).await?;
    service.0.check_network(op, &network_id).await?;
    hosts::map_segments(op, &[(id.to_owned(), taken)]).await
}

/// Gives a segment back.
///
/// # Errors
/// 409 `SegmentInUse` while a subnet lies on it or a port is bound to it; the database's.
pub async fn delete(op: &mut Op<'_>, original: &Record) -> Result<()> {
    let id = original.id();
    op.lock("segments", id).await?;
    for (what, sql) in [
        ("subnet(s)", "SELECT id FROM subnets WHERE segment_id = ? ORDER BY id"),
        ("bound port(s)", "SELECT DISTINCT port_id FROM ml2_port_binding_levels WHERE segment_id = ? ORDER BY port_id"),
    ] {
        let rows = op.tx.query(sql, args![id]).await?;
        if !rows.is_empty() {
            let names = rows.iter().take(NAMED).map(|row| row.text(0)).collect::<Result<Vec<_>>>()?.join(", ");
            let more = if rows.len() > NAMED { ", ..." } else { "" };
            return Err(IN_USE.error(format!("Segment '{id}' cannot be deleted: it is still used by the {what} {names}{more}.")));
        }
    }
    let segment = Segment {
        network_type: original.str("network_type").to_owned(),
        physical_network: original.opt_str("physical_network").map(str::to_owned),
        segmentation_id: original.int("segmentation_id"),
    };
    service(op)?.0.release(op, &segment).await?;
    op.delete(original).await.map_err(|error| match error.is_foreign_key() {
        // A subnet came in between: look again.
        true => Error::stale(format!("segment {id} got a new user")),
        false => error,
    })
}
