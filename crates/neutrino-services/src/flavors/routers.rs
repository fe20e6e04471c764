// SPDX-License-Identifier: Apache-2.0
//! Extension `l3-flavors`: `flavor_id` of routers, and which provider has which router.
//!
//! Rules: a router of a flavor is what the flavor's provider supports, and stays so; any other router has the first provider that supports
//! it. What is on of routers (distributed, highly available) is read from their own rows, after their own rules.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Extension, Record,
    attribute::{Default, Kind},
};
use neutrino_types::{Result, error::kinds};

use super::{NOT_FOUND, associations::next, providers::Providers};

const FLAVOR: &str = "flavor_id";

static EXTENSION: Extension =
    Extension::new("l3-flavors", "Router Flavor Extension", "Flavor support for routers.", "2016-05-17T00:00:00-00:00")
        .requires(&["router", "flavors"])
        .extends(&[(
            "routers",
            &[Attribute::new(FLAVOR).post().default(Default::Unset).sort().enforce_policy().column(FLAVOR, Kind::Text)],
        )]);

pub fn register(builder: &mut Builder, providers: Arc<Providers>) {
    builder.extension(&EXTENSION).hook("routers", Routers(providers));
}

struct Routers(Arc<Providers>);

impl Routers {
    /// Writes down who provides a router. A router that nothing here can provide has no provider: other rules have let it be.
    async fn note(&self, op: &mut Op<'_>, id: &str, flavor_id: Option<&str>, body: &Body) -> Result<()> {
        let name = match (flavor_id, body.bool("distributed"), body.bool("ha")) {
            (Some(flavor_id), ..) => next(op.tx, &self.0, flavor_id).await?.provider.name.clone(),
            (None, Some(distributed), Some(ha)) => {
                let Some(provider) = self.0.of_router(distributed, ha) else { return Ok(()) };
                provider.name.clone()
            }
            (None, ..) => {
                let sql = "SELECT distributed, ha FROM router_extra_attributes WHERE router_id = ?";
                let row = op.tx.query_one(sql, args![id]).await?;
                let (distributed, ha) = match row {
                    Some(row) => (row.opt_bool(0)?.unwrap_or_default(), row.opt_bool(1)?.unwrap_or_default()),
                    None => (false, false),
                };
                let Some(provider) = self.0.of_router(distributed, ha) else { return Ok(()) };
                provider.name.clone()
            }
        };
        op.insert_row("providerresourceassociations", vec![("provider_name", name.into()), ("resource_id", id.into())]).await
    }
}

async fn forget(op: &mut Op<'_>, id: &str) -> Result<()> {
    op.tx.execute("DELETE FROM providerresourceassociations WHERE resource_id = ?", args![id]).await.map(drop)
}

#[async_trait]
impl Hook for Routers {
    async fn before_create(&self, engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        let Some(asked) = body.get(FLAVOR) else { return Ok(()) };
        let Some(flavor_id) = asked.as_str() else {
            return Err(NOT_FOUND.error("The flavor of a router is named by its id."));
        };
        let provider = next(&mut engine.db.reader().await?, &self.0, flavor_id).await?.provider;
        refuse(provider.refuses(body.bool("distributed"), body.bool("ha")))
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        self.note(op, id, body.str(FLAVOR), body).await
    }

    async fn before_update(&self, engine: &Engine, _cx: &Context, original: &Record, body: &mut Body) -> Result<()> {
        let Some(flavor_id) = original.opt_str(FLAVOR) else { return Ok(()) };
        let (distributed, ha) = (body.bool("distributed"), body.bool("ha"));
        if distributed.is_none() && ha.is_none() {
            return Ok(());
        }
        let refusal = match next(&mut engine.db.reader().await?, &self.0, flavor_id).await {
            Ok(next) => next.provider.refuses(distributed, ha),
            // The flavor has lost its profile since: what the router is cannot be judged, so it stays.
            Err(error) if error.status() < 500 => Some(format!("the provider of flavor {flavor_id} is not known any more")),
            Err(error) => return Err(error),
        };
        refuse(refusal.map(|reason| format!("{reason}, and a router associated with a flavor keeps its provider")))
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if original.opt_str(FLAVOR).is_some() || (body.bool("distributed").is_none() && body.bool("ha").is_none()) {
            return Ok(());
        }
        forget(op, original.id()).await?;
        self.note(op, original.id(), None, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        forget(op, original.id()).await
    }
}

fn refuse(reason: Option<String>) -> Result<()> {
    reason.map_or(Ok(()), |reason| Err(kinds::INVALID_INPUT.error(format!("Invalid input for operation: {reason}."))))
}
