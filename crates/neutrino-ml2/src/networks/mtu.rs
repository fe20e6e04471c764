// SPDX-License-Identifier: Apache-2.0
//! Extensions `net-mtu` and `net-mtu-writable`: the largest packet, in octets, that a network carries.
//!
//! Rules: no more than the segments carry; no less than the IP versions of its subnets need. 0 in a request asks for the most.

use neutrino_core::{Builder, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record, Validator,
    attribute::{Default, Kind},
};
use neutrino_types::{Kind as ErrorKind, Result, error::kinds};

use super::provider;
use crate::type_drivers::{Segment, TypeManager};

pub const MTU_SUBNET_CONFLICT: ErrorKind = ErrorKind::new("NetworkMTUSubnetConflict", 409);

/// RFC 791.
const IPV4_MIN_MTU: i64 = 68;
/// RFC 8200.
const IPV6_MIN_MTU: i64 = 1280;

static NET_MTU: Extension =
    Extension::new("net-mtu", "Network MTU", "Provides MTU attribute for a network resource.", "2015-03-25T10:00:00-00:00");

static NET_MTU_WRITABLE: Extension = Extension::new(
    "net-mtu-writable",
    "Network MTU (writable)",
    "Provides a writable MTU attribute for a network resource.",
    "2017-07-12T00:00:00-00:00",
)
.extends(&[(
    "networks",
    &[Attribute::new("mtu")
        .post()
        .put()
        .default(Default::Int(0))
        .convert(Converter::ToInt)
        .validate(Validator::NonNegative)
        .filter()
        .sort()
        .enforce_policy()
        .column("mtu", Kind::Int)],
)]);

pub fn register(builder: &mut Builder) {
    builder.extension(&NET_MTU).extension(&NET_MTU_WRITABLE);
}

/// Puts the MTU of a new network into its body.
///
/// # Errors
/// 400 when the one asked for is too big.
pub fn create(types: &TypeManager, segments: &[Segment], body: &mut Body) -> Result<()> {
    let mtu = judged(types, segments, body.int("mtu").unwrap_or_default())?;
    body.set("mtu", mtu);
    Ok(())
}

/// The same for an update request that names it.
///
/// # Errors
/// As [`create`]; 409 when it is too small for a subnet; the database's.
pub async fn update(op: &mut Op<'_>, types: &TypeManager, original: &Record, body: &mut Body) -> Result<()> {
    let Some(asked) = body.int("mtu") else { return Ok(()) };
    if asked < IPV6_MIN_MTU {
        ensure_large_enough(op, original.id(), asked).await?;
    }
    // Neutron writes what is asked for before it finds what that comes to, so that 0 is a change of its own.
    if Some(asked) != original.int("mtu") {
        op.touch(original.standard_attr_id);
    }
    let segments = provider::of_network(op.tx, original.id()).await?;
    body.set("mtu", judged(types, &segments, asked)?);
    Ok(())
}

/// Does the network's MTU fit the segments that it has now?
///
/// # Errors
/// 400 when it does not; the database's.
pub async fn check(op: &mut Op<'_>, types: &TypeManager, network_id: &str) -> Result<()> {
    let segments = provider::of_network(op.tx, network_id).await?;
    let mtu = op.tx.count("SELECT mtu FROM networks WHERE id = ?", args![network_id]).await?;
    judged(types, &segments, mtu).map(drop)
}

fn judged(types: &TypeManager, segments: &[Segment], asked: i64) -> Result<i64> {
    let most = types.max_mtu(segments);
    let bound = if most == 0 { i64::from(i32::MAX) } else { most };
    if asked > bound {
        return Err(kinds::INVALID_INPUT.error(format!("The requested MTU of {asked} is too big: {bound} is the most here.")));
    }
    Ok(if asked == 0 { most } else { asked })
}

async fn ensure_large_enough(op: &mut Op<'_>, id: &str, asked: i64) -> Result<()> {
    let rows = op.tx.query("SELECT DISTINCT ip_version FROM subnets WHERE network_id = ?", args![id]).await?;
    for row in rows {
        let (version, least) = if row.int(0)? == 6 { (6, IPV6_MIN_MTU) } else { (4, IPV4_MIN_MTU) };
        if asked < least {
            return Err(
                MTU_SUBNET_CONFLICT.error(format!("Network {id} has subnets of IPv{version}, which need an MTU of at least {least}."))
            );
        }
    }
    Ok(())
}
