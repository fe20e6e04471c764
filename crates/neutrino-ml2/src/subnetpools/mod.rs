// SPDX-License-Identifier: Apache-2.0
//! Subnet pools: prefixes from which subnets are cut.
//!
//! Owns the collection `subnetpools`, its tables and actions. The arithmetic is [`crate::ipam::subnet_alloc`]; allocation is
//! [`pool`]; address scopes are judged in [`scope`]. Invariants: a pool's prefixes are compact and of one IP version; they only
//! grow, but for `remove_prefixes`, which spares what is given out; pools of one address scope do not overlap.

mod actions;
mod pool;
mod scope;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Loader, Op, loading::of_page, rbac};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{
    Action, Attribute, Body, Converter, Extension, Page, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    owned_or_shared, rbac_exists,
};
use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::ip::IpVersion;
use neutrino_types::range::IpSet;
use neutrino_types::{Error, Result};
use serde_json::{Value, json};

use crate::ipam::subnet_alloc::{PrefixBounds, compact_prefixes};
use crate::subnets::errors;

pub(crate) use pool::{Pool, default_pool};

const RBACS: &str = "subnetpoolrbacs";

const fn prefixlen(name: &'static str) -> Attribute {
    Attribute::new(name)
        .post()
        .put()
        .default(Default::Unset)
        .convert(Converter::ToInt)
        .validate(Validator::NonNegative)
        .filter()
        .sort()
        .column(name, Kind::IntText)
}

static RESOURCE: Resource = Resource::new(
    "subnetpools",
    "subnetpool",
    "subnetpools",
    "subnetpools",
    errors::SUBNET_POOL_NOT_FOUND,
    &[
        common::ID,
        Attribute::new("name").post().put().validate(Validator::NotEmptyNameString(None)).filter().sort().column("name", Kind::Text),
        common::TENANT_ID,
        Attribute::new("prefixes").post().put().validate(Validator::SubnetList),
        Attribute::new("default_quota")
            .post()
            .put()
            .default(Default::Unset)
            .convert(Converter::ToInt)
            .validate(Validator::NonNegative)
            .filter()
            .sort()
            .column("default_quota", Kind::Int),
        Attribute::new("ip_version").filter().sort().column("ip_version", Kind::Int),
        prefixlen("default_prefixlen"),
        prefixlen("min_prefixlen"),
        prefixlen("max_prefixlen"),
        Attribute::new("is_default")
            .post()
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .required_by_policy()
            .enforce_policy()
            .column("is_default", Kind::Bool),
        Attribute::new("shared")
            .post()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .required_by_policy()
            .enforce_policy()
            .expr(rbac_exists!("subnetpoolrbacs", "access_as_shared"), Kind::Bool),
        Attribute::new("address_scope_id")
            .post()
            .put()
            .default(Default::Unset)
            .validate(Validator::UuidOrNone)
            .filter()
            .sort()
            .column("address_scope_id", Kind::Text),
    ],
)
.core()
.standard("subnetpools")
.visibility(Visibility::Sql(owned_or_shared!("subnetpoolrbacs")))
.actions(&[
    Action { name: "add_prefixes", method: "PUT", member: true },
    Action { name: "remove_prefixes", method: "PUT", member: true },
    Action { name: "onboard_network_subnets", method: "PUT", member: true },
]);

static DEFAULTS: Extension = Extension::new(
    "default-subnetpools",
    "Default Subnetpools",
    "Provides ability to mark and use a subnetpool as the default.",
    "2016-02-18T18:00:00-00:00",
)
.requires(&["subnet_allocation"])
.extends(&[(
    "subnets",
    &[Attribute::new("use_default_subnetpool").post().default(Default::Bool(false)).convert(Converter::ToBoolean).hidden().request_only()],
)]);

static PREFIX_OPS: Extension = Extension::new(
    "subnetpool-prefix-ops",
    "Subnet Pool Prefix Operations",
    "Provides support for adjusting the prefix list of subnet pools",
    "2019-02-08T10:00:00-00:00",
)
.requires(&["subnet_allocation"]);

static ONBOARD: Extension = Extension::new(
    "subnet_onboard",
    "Subnet Onboard",
    "Provides support for onboarding subnets into subnet pools",
    "2018-12-18T09:00:00-00:00",
)
.requires(&["subnet_allocation"]);

/// Loads `prefixes`.
struct Prefixes;

#[async_trait]
impl Loader for Prefixes {
    fn fills(&self) -> &'static [&'static str] {
        &["prefixes"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT subnetpool_id, cidr FROM subnetpoolprefixes WHERE ");
        sql.append(of_page(dialect, "subnetpool_id", page));
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill("prefixes", &json!([]));
        let by_id = page.by_id();
        let mut found: Vec<(usize, Cidr)> = Vec::new();
        for row in rows {
            let cidr = crate::ipam::network::stored(&row.text(1)?)?;
            found.extend(by_id.get(row.str(0)?).map(|at| (*at, cidr)));
        }
        found.sort_unstable();
        for (at, cidr) in found {
            page.push(at, "prefixes", cidr.to_string().into());
        }
        Ok(())
    }
}

/// The texts of a list as CIDRs.
fn cidrs(list: &[Value]) -> Result<Vec<Cidr>> {
    list.iter().map(|one| Ok(one.as_str().unwrap_or_default().parse::<Cidr>()?)).collect()
}

/// Refuses what the columns cannot hold: Neutron's attributes have no such limits, and its database fails.
fn check_sizes(body: &Body) -> Result<()> {
    const LONGEST_NAME_CHARS: usize = 255;
    if body.str("name").is_some_and(|name| name.chars().count() > LONGEST_NAME_CHARS) {
        return Err(kinds::BAD_REQUEST.error(format!("Invalid input for name. Reason: it exceeds {LONGEST_NAME_CHARS} characters.")));
    }
    if body.int("default_quota").is_some_and(|quota| quota > i64::from(i32::MAX)) {
        return Err(kinds::BAD_REQUEST.error(format!("Invalid input for default_quota. Reason: it exceeds {}.", i32::MAX)));
    }
    Ok(())
}

/// Refuses a second default pool of an IP version.
async fn check_default(op: &mut Op<'_>, version: IpVersion) -> Result<()> {
    match default_pool(op.tx, op.cx, version).await? {
        None => Ok(()),
        Some(_) => Err(kinds::INVALID_INPUT
            .error(format!("There is a default subnet pool for IP version {version} already, and there may be one only."))),
    }
}

/// Grows the prefixes of a pool to `all`, compacted; gives what they are now.
async fn update_prefixes(op: &mut Op<'_>, pool: &Pool, old: &[Cidr], all: &[Cidr]) -> Result<Vec<Cidr>> {
    let (before, after): (IpSet, IpSet) = (old.iter().copied().collect(), all.iter().copied().collect());
    if let Some(range) = before.ranges().iter().find(|range| !after.contains_range(range)) {
        return Err(errors::ILLEGAL_SUBNET_POOL_PREFIX_UPDATE
            .error(format!("The prefixes of subnet pool {} can only grow: {range} is missing from the new ones.", pool.id)));
    }
    let (version, new) = compact_prefixes(all)?;
    if version != pool.version {
        return Err(crate::ipam::errors::PREFIX_VERSION_MISMATCH
            .error(format!("Subnet pool {} is of IP version {}: its prefixes must be, too.", pool.id, pool.version)));
    }
    if let Some(scope_id) = &pool.address_scope_id {
        check_scope_is_own(op, &pool.id, scope_id).await?;
        let member = scope::Member { pool_id: &pool.id, version, prefixes: &new, scope_is_new: false };
        scope::check(op, scope_id, &member).await?;
    }
    if old != new.as_slice() {
        pool::write_prefixes(op.tx, &pool.id, old, &new).await?;
        op.touch_object("subnetpools", &pool.id).await?;
    }
    Ok(new)
}

/// A pool of somebody else's shared scope stays as it is.
async fn check_scope_is_own(op: &mut Op<'_>, pool_id: &str, scope_id: &str) -> Result<()> {
    if op.cx.is_admin() {
        return Ok(());
    }
    let row = op.tx.query_one("SELECT project_id FROM address_scopes WHERE id = ?", args![scope_id]).await?;
    if row.map(|row| row.opt_text(0)).transpose()?.flatten().as_deref() == Some(op.cx.project_id()) {
        return Ok(());
    }
    Err(errors::ILLEGAL_SUBNET_POOL_UPDATE.error(format!(
        "Illegal subnet pool update: subnet pool {pool_id} is of the shared address scope {scope_id}, which belongs to another project."
    )))
}

struct SubnetPools;

#[async_trait]
impl Behaviour for SubnetPools {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        check_sizes(body)?;
        let (version, prefixes) = compact_prefixes(&cidrs(body.list("prefixes").unwrap_or_default())?)?;
        let bounds = PrefixBounds::new(version, body.int("min_prefixlen"), body.int("default_prefixlen"), body.int("max_prefixlen"))?;
        if body.bool("is_default") == Some(true) {
            check_default(op, version).await?;
        }
        if let Some(scope_id) = body.str("address_scope_id").map(str::to_owned) {
            let member = scope::Member { pool_id: id, version, prefixes: &prefixes, scope_is_new: true };
            scope::check(op, &scope_id, &member).await?;
            if body.bool("shared") == Some(true) {
                scope::check_shared(op, &scope_id).await?;
            }
        }
        body.set("min_prefixlen", bounds.min);
        body.set("default_prefixlen", bounds.default);
        body.set("max_prefixlen", bounds.max);
        // The column "shared" is kept for Neutron's sake; the truth is in the RBAC rows.
        let extra = [("ip_version", version.number().into()), ("shared", false.into()), ("hash", op.cx.new_id().into())];
        op.insert(id, body, &extra).await?;
        pool::write_prefixes(op.tx, id, &[], &prefixes).await?;
        if body.bool("shared") == Some(true) {
            rbac::share_with_everyone(op, RBACS, id, body.project_id(), "access_as_shared").await?;
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        check_sizes(body)?;
        let pool = Pool::find(op.tx, op.cx, original.id()).await?;
        let number = |name: &str| body.int(name).or_else(|| original.str(name).parse().ok());
        PrefixBounds::new(pool.version, number("min_prefixlen"), number("default_prefixlen"), number("max_prefixlen"))?;
        if body.bool("is_default") == Some(true) && !original.bool("is_default") {
            check_default(op, pool.version).await?;
        }
        let old = cidrs(original.list("prefixes"))?;
        if let Some(scope_id) = &pool.address_scope_id {
            check_scope_is_own(op, &pool.id, scope_id).await?;
        }
        let new = match body.list("prefixes") {
            Some(list) => {
                pool.exclude_others(op).await?;
                update_prefixes(op, &pool, &old, &cidrs(list)?).await?
            }
            None => old,
        };
        if body.names("address_scope_id") && body.str("address_scope_id") != pool.address_scope_id.as_deref() {
            let scope_id = body.str("address_scope_id").map(str::to_owned);
            let member = scope::Member { pool_id: &pool.id, version: pool.version, prefixes: &new, scope_is_new: true };
            if let Some(scope_id) = scope_id {
                scope::check(op, &scope_id, &member).await?;
            }
        }
        op.update(original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        // An allocation of this moment reads the hash first and swaps it; after this it finds another one.
        Pool::find(op.tx, op.cx, original.id()).await?.exclude_others(op).await?;
        let used = op.tx.count("SELECT count(*) FROM subnets WHERE subnetpool_id = ?", args![original.id()]).await?;
        if used > 0 {
            return Err(errors::SUBNET_POOL_DELETE_ERROR
                .error(format!("Unable to delete subnet pool: {used} subnets come from {}; delete them first.", original.id())));
        }
        op.delete(original).await
    }

    async fn action(&self, engine: &Engine, cx: &Context, name: &str, id: &str, request: &Value) -> Result<(u16, Value)> {
        match name {
            "add_prefixes" | "remove_prefixes" | "onboard_network_subnets" => Ok((200, actions::run(engine, cx, name, id, request).await?)),
            _ => Err(Error::internal(format!("subnet pools have no action {name}"))),
        }
    }
}

pub fn register(builder: &mut Builder) {
    builder
        .resource(&RESOURCE)
        .extension(&DEFAULTS)
        .extension(&PREFIX_OPS)
        .extension(&ONBOARD)
        .behaviour("subnetpools", SubnetPools)
        .loader("subnetpools", Prefixes);
}
