// SPDX-License-Identifier: Apache-2.0
//! `/flavors/{id}/service_profiles`: which profiles a flavor has; `/flavors/{id}/next_providers`: who provides the next instance of it.
//!
//! Of a flavor's profiles the first by id counts.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, ListQuery, Op};
use neutrino_db::{Tx, args};
use neutrino_model::{Attribute, Body, Methods, Record, Resource, Validator, Visibility};
use neutrino_types::{Error, Kind, Result};

use super::{
    NOT_FOUND,
    profiles::{self, DRIVER_NOT_FOUND},
    providers::{Provider, Providers},
};

const EXISTS: Kind = Kind::new("FlavorServiceProfileBindingExists", 409);
const BINDING_NOT_FOUND: Kind = Kind::new("FlavorServiceProfileBindingNotFound", 404);
const DISABLED: Kind = Kind::new("ServiceProfileDisabled", 503);

const FLAVOR: Attribute = Attribute::new("flavor_id").hidden();

pub static RESOURCE: Resource = Resource::new(
    "service_profiles",
    "service_profile",
    "service_profiles",
    "",
    BINDING_NOT_FOUND,
    &[FLAVOR, Attribute::new("id").post().validate(Validator::Uuid)],
)
.virtual_rows()
.child_of("flavors", "flavor_id")
.visibility(Visibility::Everyone)
.methods(Methods::IMMUTABLE);

pub static NEXT: Resource = Resource::new(
    "next_providers",
    "next_provider",
    "next_providers",
    "",
    BINDING_NOT_FOUND,
    &[FLAVOR, Attribute::new("provider"), Attribute::new("driver"), Attribute::new("metainfo")],
)
.virtual_rows()
.child_of("flavors", "flavor_id")
.visibility(Visibility::Everyone)
.methods(Methods { list: true, show: false, create: false, update: false, delete: false });

async fn ensure_flavor(tx: &mut Tx, id: &str) -> Result<()> {
    if tx.count("SELECT count(*) FROM flavors WHERE id = ?", args![id]).await? == 0 {
        return Err(no_flavor(id));
    }
    Ok(())
}

fn no_flavor(id: &str) -> Error {
    let id: String = id.chars().take(64).collect();
    NOT_FOUND.error(format!("Flavor {id} could not be found."))
}

/// The rules of a flavor's profiles.
pub struct Associations;

async fn associate(op: &mut Op<'_>, flavor_id: &str, profile_id: &str) -> Result<()> {
    ensure_flavor(op.tx, flavor_id).await?;
    // Who changes or deletes the profile meanwhile waits.
    if op.lock("service_profiles", profile_id).await?.is_none() {
        return Err(profiles::NOT_FOUND.error(format!("Service profile {profile_id} could not be found.")));
    }
    let columns = vec![("service_profile_id", profile_id.into()), ("flavor_id", flavor_id.into())];
    op.insert_row("flavorserviceprofilebindings", columns).await.map_err(|error| match (error.is_duplicate(""), error.is_foreign_key()) {
        (true, _) => EXISTS.error(format!("Service profile {profile_id} is already associated with flavor {flavor_id}.")),
        (_, true) => no_flavor(flavor_id),
        _ => error,
    })
}

fn row(engine: &Engine, flavor_id: &str, profile_id: &str) -> Result<Record> {
    let mut row = Record::new(engine.entry("flavors/service_profiles")?.table.clone());
    row.set("flavor_id", flavor_id);
    row.set("id", profile_id);
    Ok(row)
}

fn missing(flavor_id: &str, profile_id: &str) -> Error {
    BINDING_NOT_FOUND.error(format!("Service profile {profile_id} is not associated with flavor {flavor_id}."))
}

#[async_trait]
impl Behaviour for Associations {
    async fn rows(&self, engine: &Engine, _cx: &Context, tx: &mut Tx, parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let flavor_id = parent.unwrap_or_default();
        ensure_flavor(tx, flavor_id).await?;
        let sql = "SELECT service_profile_id FROM flavorserviceprofilebindings WHERE flavor_id = ? ORDER BY service_profile_id";
        tx.query(sql, args![flavor_id]).await?.iter().map(|found| row(engine, flavor_id, &found.text(0)?)).collect()
    }

    async fn create_row(&self, engine: &Engine, cx: &Context, body: &Body) -> Result<Record> {
        let (flavor_id, profile_id) = (body.str("flavor_id").unwrap_or_default(), body.str("id").unwrap_or_default());
        let ids = (flavor_id.to_owned(), profile_id.to_owned());
        engine
            .transact(cx, "flavors", "associate a service profile", |op| {
                let (flavor_id, profile_id) = ids.clone();
                Box::pin(async move { associate(op, &flavor_id, &profile_id).await })
            })
            .await?;
        row(engine, flavor_id, profile_id)
    }

    async fn delete_row(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
        let ids = (original.str("flavor_id").to_owned(), original.id().to_owned());
        engine
            .transact(cx, "flavors", "disassociate a service profile", |op| {
                let (flavor_id, profile_id) = ids.clone();
                Box::pin(async move {
                    let sql = "DELETE FROM flavorserviceprofilebindings WHERE flavor_id = ? AND service_profile_id = ?";
                    match op.tx.execute(sql, args![&flavor_id, &profile_id]).await? {
                        0 => Err(missing(&flavor_id, &profile_id)),
                        _ => Ok(()),
                    }
                })
            })
            .await
    }
}

/// What the next instance of a flavor is made with.
#[derive(Debug)]
pub struct Next<'a> {
    pub provider: &'a Provider,
    metainfo: Option<String>,
}

/// Who provides the next instance of a flavor.
///
/// # Errors
/// 404 for a flavor that is not there, that has no profile, or whose driver no provider has; 503 for a profile that is off; the database's.
pub async fn next<'a>(tx: &mut Tx, providers: &'a Providers, flavor_id: &str) -> Result<Next<'a>> {
    let sql = "SELECT p.id, p.driver, p.enabled, p.metainfo FROM flavors f \
               LEFT JOIN flavorserviceprofilebindings b ON b.flavor_id = f.id LEFT JOIN serviceprofiles p ON p.id = b.service_profile_id \
               WHERE f.id = ? ORDER BY p.id";
    let found = tx.query_one(sql, args![flavor_id]).await?.ok_or_else(|| no_flavor(flavor_id))?;
    let Some(profile_id) = found.opt_text(0)? else {
        return Err(BINDING_NOT_FOUND.error(format!("Flavor {flavor_id} has no service profile.")));
    };
    if !found.bool(2)? {
        return Err(DISABLED.error(format!("Service profile {profile_id} is not enabled.")));
    }
    let driver = found.opt_text(1)?.unwrap_or_default();
    let provider = providers.by_driver(&driver).ok_or_else(|| {
        DRIVER_NOT_FOUND
            .error(format!("The driver \"{driver}\" of service profile {profile_id} could not be found: no service provider has it."))
    })?;
    Ok(Next { provider, metainfo: found.opt_text(3)? })
}

/// The rules of a flavor's next provider.
pub struct NextProviders(pub Arc<Providers>);

#[async_trait]
impl Behaviour for NextProviders {
    async fn rows(&self, engine: &Engine, _cx: &Context, tx: &mut Tx, parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let flavor_id = parent.unwrap_or_default();
        let next = next(tx, &self.0, flavor_id).await?;
        let mut row = Record::new(engine.entry("flavors/next_providers")?.table.clone());
        row.set("flavor_id", flavor_id);
        row.set("provider", next.provider.name.as_str());
        row.set("driver", next.provider.driver.as_str());
        row.set("metainfo", next.metainfo.unwrap_or_default());
        Ok(vec![row])
    }
}
