// SPDX-License-Identifier: Apache-2.0
//! Service profiles: the driver that is behind a flavor, or what a driver shall know.
//!
//! Rules: a profile has a driver or metadata; the driver is that of a provider; a profile that belongs to a flavor does not change.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Kind as ErrorKind, Result, error::kinds};
use serde_json::Value;

use super::{DESCRIPTION, ENABLED, ensure_enabled_is_said, providers::Providers};

pub const NOT_FOUND: ErrorKind = ErrorKind::new("ServiceProfileNotFound", 404);
const IN_USE: ErrorKind = ErrorKind::new("ServiceProfileInUse", 409);
const EMPTY: ErrorKind = ErrorKind::new("ServiceProfileEmpty", 400);
pub const DRIVER_NOT_FOUND: ErrorKind = ErrorKind::new("ServiceProfileDriverNotFound", 404);

/// What the column takes.
const MAX_METAINFO: usize = 4096;

pub static RESOURCE: Resource = Resource::new(
    "service_profiles",
    "service_profile",
    "service_profiles",
    "serviceprofiles",
    NOT_FOUND,
    &[
        common::ID,
        DESCRIPTION,
        Attribute::new("driver")
            .post()
            .put()
            .default(Default::Str(""))
            .validate(Validator::String(Some(1024)))
            .filter()
            .sort()
            .column("driver", Kind::Text),
        Attribute::new("metainfo").post().put().default(Default::Str("")).sort().column("metainfo", Kind::Text),
        ENABLED,
    ],
)
.no_bulk()
.visibility(Visibility::Everyone);

/// The rules of `service_profiles`.
pub struct ServiceProfiles(pub Arc<Providers>);

impl ServiceProfiles {
    fn check(&self, body: &Body) -> Result<()> {
        ensure_enabled_is_said(body)?;
        let metainfo = body.get("metainfo");
        let fits = |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.chars().count() <= MAX_METAINFO);
        if !metainfo.is_none_or(fits) {
            return Err(kinds::BAD_REQUEST
                .error(format!("Invalid input for metainfo. Reason: it must be text of at most {MAX_METAINFO} characters.")));
        }
        match body.str("driver").filter(|driver| !driver.is_empty()) {
            Some(driver) if self.0.by_driver(driver).is_none() => {
                let driver: String = driver.chars().take(128).collect();
                Err(DRIVER_NOT_FOUND.error(format!("Service profile driver {driver} could not be found: no service provider has it.")))
            }
            _ => Ok(()),
        }
    }
}

/// Refuses a change of a profile that a flavor has. Others that would give it to one wait.
async fn ensure_not_in_use(op: &mut Op<'_>, id: &str) -> Result<()> {
    op.lock("service_profiles", id).await?;
    let flavors = op.tx.count("SELECT count(*) FROM flavorserviceprofilebindings WHERE service_profile_id = ?", args![id]).await?;
    if flavors > 0 {
        return Err(IN_USE.error(format!("Service profile {id} belongs to {flavors} flavor(s): take it away from them first.")));
    }
    Ok(())
}

#[async_trait]
impl Behaviour for ServiceProfiles {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        self.check(body)?;
        if body.str("driver").is_none_or(str::is_empty) && body.str("metainfo").is_none_or(str::is_empty) {
            return Err(EMPTY.error("A service profile needs either a driver or metainfo."));
        }
        Ok(())
    }

    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        self.check(body)
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        ensure_not_in_use(op, original.id()).await?;
        op.update(original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        ensure_not_in_use(op, original.id()).await?;
        op.delete(original).await
    }
}
