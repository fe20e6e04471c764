// SPDX-License-Identifier: Apache-2.0
//! `floatingip_pools`: the IPv4 subnets from which the caller may take floating IPs.
//!
//! Rules: subnets of external networks that the caller sees; each is shown as the caller's own.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery};
use neutrino_db::{Sql, Tx};
use neutrino_model::{Attribute, Extension, Methods, Record, Resource, Validator, Visibility};
use neutrino_types::Result;

use super::errors::POOL_NOT_FOUND;

const COLLECTION: &str = "floatingip_pools";

static RESOURCE: Resource = Resource::new(
    COLLECTION,
    "floatingip_pool",
    "floatingip-pools",
    "",
    POOL_NOT_FOUND,
    &[
        Attribute::new("subnet_id").validate(Validator::Uuid),
        Attribute::new("subnet_name").validate(Validator::String(Some(255))),
        Attribute::new("network_id").validate(Validator::Uuid),
        Attribute::new("cidr").validate(Validator::SubnetOrNone),
        Attribute::new("project_id").validate(Validator::String(Some(255))),
    ],
)
.virtual_rows()
.visibility(Visibility::Everyone)
.methods(Methods { show: false, ..Methods::READ });

static EXTENSION: Extension =
    Extension::new("floatingip-pools", "Floating IP Pools Extension", "Provides a floating IP pools API.", "2018-03-21T10:00:00-00:00")
        .requires(&["router"])
        .resources(&[&RESOURCE]);

struct Pools;

#[async_trait]
impl Behaviour for Pools {
    async fn rows(&self, engine: &Engine, cx: &Context, tx: &mut Tx, _parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let mut sql = Sql::raw(
            "SELECT s.id, s.name, s.network_id, s.cidr FROM subnets s JOIN externalnetworks e ON e.network_id = s.network_id \
             JOIN networks n ON n.id = s.network_id WHERE s.ip_version = 4",
        );
        if !cx.sees_all() {
            sql.push(" AND (n.project_id = ").bind(cx.project_id());
            sql.push(
                " OR EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = n.id \
                 AND r.action IN ('access_as_shared', 'access_as_external') AND r.target_project IN ('*', ",
            );
            sql.bind(cx.project_id()).push(")))");
        }
        sql.push(" ORDER BY s.id");
        let table = &engine.entry(COLLECTION)?.table;
        let mut pools = Vec::new();
        for row in tx.select(sql).await? {
            let mut pool = Record::new(table.clone());
            pool.set("subnet_id", row.text(0)?);
            pool.set("subnet_name", row.opt_text(1)?.unwrap_or_default());
            pool.set("network_id", row.text(2)?);
            pool.set("cidr", row.text(3)?);
            pool.set("project_id", cx.project_id());
            pools.push(pool);
        }
        Ok(pools)
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).behaviour(COLLECTION, Pools);
}
