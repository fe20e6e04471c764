// SPDX-License-Identifier: Apache-2.0
//! Extension `external-net`: networks that lead out, and which of them is the default one.
//!
//! Owns `externalnetworks` and the RBAC action `access_as_external`. Rules: a network with gateways of routers stays external; one external
//! network at most is the default.

use neutrino_core::{Builder, Op, rbac};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Join, Record,
    attribute::{Default, Kind},
};
use neutrino_types::{Kind as ErrorKind, Result};

use super::sharing::RBACS;

pub const EXTERNAL_NETWORK_IN_USE: ErrorKind = ErrorKind::new("ExternalNetworkInUse", 409);
pub const DEFAULT_EXISTS: ErrorKind = ErrorKind::new("DefaultExternalNetworkExists", 409);

pub const EXTERNAL: &str = "router:external";
const IS_DEFAULT: &str = "is_default";
pub const ACCESS_EXTERNAL: &str = "access_as_external";

static EXTERNALS: Join = Join::read_only("externalnetworks", "network_id");

static EXTENSION: Extension = Extension::new(
    "external-net",
    "Neutron external network",
    "Adds external network attribute to network resource.",
    "2013-01-14T10:00:00-00:00",
)
.extends(&[(
    "networks",
    &[
        Attribute::new(EXTERNAL)
            .post()
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .required_by_policy()
            .enforce_policy()
            .expr("EXISTS (SELECT 1 FROM externalnetworks e WHERE e.network_id = t.id)", Kind::Bool),
        Attribute::new(IS_DEFAULT)
            .post()
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .required_by_policy()
            .enforce_policy()
            .omit_when(|network| !network.bool(EXTERNAL))
            .joined(&EXTERNALS, "is_default", Kind::Bool),
    ],
)]);

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
}

/// Makes a new network external if it is asked for.
///
/// # Errors
/// 409 for a second default; the database's.
pub async fn create(op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
    if body.bool(EXTERNAL) != Some(true) {
        return Ok(());
    }
    let is_default = body.bool(IS_DEFAULT) == Some(true);
    add(op, id, body.project_id(), is_default).await
}

async fn add(op: &mut Op<'_>, id: &str, project_id: &str, is_default: bool) -> Result<()> {
    if is_default {
        ensure_no_other_default(op, id).await?;
    }
    op.insert_row("externalnetworks", vec![("network_id", id.into()), (IS_DEFAULT, is_default.into())]).await?;
    rbac::share_with_everyone(op, RBACS, id, project_id, ACCESS_EXTERNAL).await
}

/// Changes what an update request asks for.
///
/// # Errors
/// 409 for a network that routers use, or a second default; the database's.
pub async fn update(op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
    let id = original.id();
    let (was, is_default) = (original.bool(EXTERNAL), body.bool(IS_DEFAULT));
    match (was, body.bool(EXTERNAL).unwrap_or(was)) {
        (false, true) => add(op, id, original.project_id(), is_default == Some(true)).await?,
        (true, false) => remove(op, id).await?,
        (true, true) if is_default.is_some_and(|asked| asked != original.bool(IS_DEFAULT)) => {
            let asked = is_default == Some(true);
            if asked {
                ensure_no_other_default(op, id).await?;
            }
            op.update_row("externalnetworks", "network_id", id, vec![(IS_DEFAULT, asked.into())]).await?;
        }
        _ => return Ok(()),
    }
    op.touch(original.standard_attr_id);
    Ok(())
}

async fn remove(op: &mut Op<'_>, id: &str) -> Result<()> {
    op.lock("networks", id).await?;
    let gateways =
        op.tx.count("SELECT count(*) FROM ports WHERE network_id = ? AND device_owner = 'network:router_gateway'", args![id]).await?;
    if gateways > 0 {
        return Err(EXTERNAL_NETWORK_IN_USE.error(format!(
            "External network {id} is the gateway of {gateways} router(s): clear their gateways before it ceases to be external."
        )));
    }
    op.tx.execute("DELETE FROM externalnetworks WHERE network_id = ?", args![id]).await?;
    op.tx.execute("DELETE FROM networkrbacs WHERE object_id = ? AND action = ?", args![id, ACCESS_EXTERNAL]).await?;
    Ok(())
}

async fn ensure_no_other_default(op: &mut Op<'_>, id: &str) -> Result<()> {
    // No unique key of Neutron's schema says so: two that become the default at once must not miss each other.
    op.claim_name("default_external_network").await?;
    let sql = "SELECT network_id FROM externalnetworks WHERE is_default = ? AND network_id <> ?";
    match op.tx.query_one(sql, args![true, id]).await? {
        None => Ok(()),
        Some(row) => {
            Err(DEFAULT_EXISTS
                .error(format!("The default external network is {}; take that away before another becomes it.", row.text(0)?)))
        }
    }
}
