// SPDX-License-Identifier: Apache-2.0
//! Address scopes: names for address spaces within which subnet pools do not overlap.
//!
//! Rules: a shared scope stays shared; a scope with subnet pools cannot be deleted.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Op, rbac};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Choice, Converter, Extension, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    owned_or_shared, rbac_exists,
};
use neutrino_types::{Kind as ErrorKind, Result};

const NOT_FOUND: ErrorKind = ErrorKind::new("AddressScopeNotFound", 404);
const IN_USE: ErrorKind = ErrorKind::new("AddressScopeInUse", 409);
const UPDATE_ERROR: ErrorKind = ErrorKind::new("AddressScopeUpdateError", 400);

const RBACS: &str = "addressscoperbacs";

static RESOURCE: Resource = Resource::new(
    "address_scopes",
    "address_scope",
    "address-scopes",
    "address_scopes",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        common::TENANT_ID,
        Attribute::new("shared")
            .post()
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .required_by_policy()
            .enforce_policy()
            .expr(rbac_exists!("addressscoperbacs", "access_as_shared"), Kind::Bool),
        Attribute::new("ip_version")
            .post()
            .convert(Converter::ToInt)
            .validate(Validator::Values(Some(&[Choice::Int(4), Choice::Int(6)])))
            .filter()
            .sort()
            .column("ip_version", Kind::Int),
    ],
)
.visibility(Visibility::Sql(owned_or_shared!("addressscoperbacs")));

static EXTENSION: Extension =
    Extension::new("address-scope", "Address scope", "Address scopes extension.", "2015-07-26T10:00:00-00:00").resources(&[&RESOURCE]);

struct AddressScopes;

#[async_trait]
impl Behaviour for AddressScopes {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        // The column of old is kept for Neutron's sake; the truth is in the RBAC rows.
        op.insert(id, body, &[("shared", false.into())]).await?;
        if body.bool("shared") == Some(true) {
            rbac::share_with_everyone(op, RBACS, id, body.project_id(), "access_as_shared").await?;
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        match (original.bool("shared"), body.bool("shared")) {
            (true, Some(false)) => {
                return Err(UPDATE_ERROR
                    .error(format!("Unable to update address scope {}: a shared address scope cannot be unshared.", original.id())));
            }
            (false, Some(true)) => rbac::share_with_everyone(op, RBACS, original.id(), original.project_id(), "access_as_shared").await?,
            _ => {}
        }
        op.update(original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let pools = op.tx.count("SELECT count(*) FROM subnetpools WHERE address_scope_id = ?", args![original.id()]).await?;
        if pools > 0 {
            return Err(IN_USE.error(format!(
                "Unable to delete address scope {}: {pools} subnet pools are associated with it; delete them or move them first.",
                original.id()
            )));
        }
        op.delete(original).await
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).behaviour("address_scopes", AddressScopes);
}
