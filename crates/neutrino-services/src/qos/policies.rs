// SPDX-License-Identifier: Apache-2.0
//! `/qos/policies`: named sets of rules.
//!
//! Owns `qos_policies` and `qos_policies_default`. Rules: a policy that anything has cannot be deleted; a project has one default policy,
//! by a key; a policy ceases to be shared only when nobody else has it. `qospolicyrbacs` is the truth about sharing.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Loader, Op, rbac};
use neutrino_db::{Sql, Tx, args};
use neutrino_model::{
    Attribute, Body, Converter, Page, Record, Resource, Visibility,
    attribute::{Default, Kind, common},
    owned_or_shared, rbac_exists,
};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::json;

use super::{
    bindings,
    errors::{DEFAULT_EXISTS, POLICY_IN_USE, POLICY_NOT_FOUND, SHARED_AND_USED},
    rule::{self, KINDS},
};

const RBACS: &str = "qospolicyrbacs";
const SHARED: &str = "access_as_shared";

pub static RESOURCE: Resource = Resource::new(
    "policies",
    "policy",
    "qos/policies",
    "qos_policies",
    POLICY_NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        Attribute::new("shared")
            .post()
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .expr(rbac_exists!("qospolicyrbacs", "access_as_shared"), Kind::Bool),
        common::TENANT_ID,
        Attribute::new("rules"),
    ],
)
.standard("qos_policies")
.visibility(Visibility::Sql(owned_or_shared!("qospolicyrbacs")));

/// What `qos-default` adds.
pub const IS_DEFAULT: &[Attribute] = &[Attribute::new("is_default")
    .post()
    .put()
    .default(Default::Bool(false))
    .convert(Converter::ToBoolean)
    .filter()
    .expr("EXISTS (SELECT 1 FROM qos_policies_default d WHERE d.qos_policy_id = t.id)", Kind::Bool)];

pub struct Policies;

#[async_trait]
impl Behaviour for Policies {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        if body.project_id().is_empty() {
            return Err(kinds::BAD_REQUEST_PLUGIN.error("A QoS policy belongs to a project: name one with \"project_id\"."));
        }
        Ok(())
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        op.insert(id, body, &[]).await?;
        if body.bool("shared") == Some(true) {
            rbac::share_with_everyone(op, RBACS, id, body.project_id(), SHARED).await?;
        }
        if body.bool("is_default") == Some(true) {
            set_default(op, id, body.project_id()).await?;
            // In Neutron that is a change of the new policy.
            let text =
                "UPDATE standardattributes SET revision_number = 1 WHERE id = (SELECT standard_attr_id FROM qos_policies WHERE id = ?)";
            op.tx.execute(text, args![id]).await?;
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        match body.bool("shared") {
            Some(true) => rbac::share_with_everyone(op, RBACS, original.id(), original.project_id(), SHARED).await?,
            Some(false) => unshare(op, original).await?,
            None => {}
        }
        if let Some(wanted) = body.bool("is_default") {
            let changed = if wanted {
                set_default(op, original.id(), original.project_id()).await?
            } else {
                let text = "DELETE FROM qos_policies_default WHERE qos_policy_id = ?";
                op.tx.execute(text, args![original.id()]).await? > 0
            };
            if changed {
                op.touch(original.standard_attr_id);
            }
        }
        op.update(original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let id = original.id();
        // Who would give it to an object from now on waits, and finds it gone.
        op.lock("policies", id).await?;
        // Of a router whose gateway is gone.
        let stale = "DELETE FROM qos_router_gw_policy_bindings WHERE policy_id = ? AND router_id IN (SELECT id FROM routers WHERE gw_port_id IS NULL)";
        op.tx.execute(stale, args![id]).await?;
        let mut sql = Sql::default();
        for (n, of) in bindings::ALL.iter().enumerate() {
            sql.push(if n == 0 { "" } else { " UNION ALL " });
            sql.push(&format!("SELECT {n}, {} FROM {} WHERE policy_id = ", of.key, of.table)).bind(id);
        }
        sql.push(" LIMIT 1");
        if let Some(row) = op.tx.select(sql).await?.first() {
            let of = usize::try_from(row.int(0)?).ok().and_then(|n| bindings::ALL.get(n));
            let name = of.ok_or_else(|| Error::internal("a binding of no type"))?.name;
            return Err(POLICY_IN_USE.error(format!("QoS policy {id} is used by {name} {}.", row.text(1)?)));
        }
        op.delete(original).await
    }
}

/// Makes the policy its project's default. Whether it was not.
async fn set_default(op: &mut Op<'_>, id: &str, project_id: &str) -> Result<bool> {
    let exists =
        || DEFAULT_EXISTS.error(format!("Project {project_id} has a default QoS policy already; that one must cease to be it first."));
    match default_of(op, project_id).await? {
        Some(held) if held == id => Ok(false),
        Some(_) => Err(exists()),
        None => {
            let columns = vec![("qos_policy_id", id.into()), ("project_id", project_id.into())];
            let done = op.insert_row("qos_policies_default", columns).await;
            done.map_err(|error| if error.is_duplicate("") { exists() } else { error })?;
            Ok(true)
        }
    }
}

/// The default policy of a project.
///
/// # Errors
/// The database's.
pub async fn default_of(op: &mut Op<'_>, project_id: &str) -> Result<Option<String>> {
    let text = "SELECT qos_policy_id FROM qos_policies_default WHERE project_id = ?";
    op.tx.query_one(text, args![project_id]).await?.map(|row| row.text(0)).transpose()
}

/// Ends the sharing with everyone, unless a project that it is not shared with otherwise has the policy; as in Neutron the owner counts.
async fn unshare(op: &mut Op<'_>, original: &Record) -> Result<()> {
    let id = original.id();
    let held = "SELECT count(*) FROM qospolicyrbacs WHERE object_id = ? AND action = ? AND target_project = ?";
    if op.tx.count(held, args![id, SHARED, rbac::EVERYONE]).await? == 0 {
        return Ok(());
    }
    op.lock("policies", id).await?;
    let text = format!(
        "SELECT count(*) FROM ({}) x WHERE x.project_id <> '' AND NOT EXISTS (SELECT 1 FROM qospolicyrbacs r \
         WHERE r.object_id = ? AND r.action = ? AND r.target_project = x.project_id)",
        bindings::USERS
    );
    if op.tx.count(&text, args![id, id, SHARED]).await? > 0 {
        return Err(SHARED_AND_USED.error(format!("QoS policy {id} cannot cease to be shared: projects use it.")));
    }
    rbac::unshare_with_everyone(op, RBACS, id, SHARED).await
}

/// Fills `rules` of policies.
pub struct Rules;

#[async_trait]
impl Loader for Rules {
    fn fills(&self) -> &'static [&'static str] {
        &["rules"]
    }

    async fn load(&self, _cx: &Context, tx: &mut Tx, page: &mut Page) -> Result<()> {
        page.fill("rules", &json!([]));
        let ids: Vec<&str> = page.ids().collect();
        let all: Vec<usize> = (0..KINDS.len()).collect();
        let rules = rule::of_policies(tx, &ids, &all).await?;
        let place = page.by_id();
        for rule in rules {
            if let Some(at) = place.get(&rule.policy_id) {
                page.push(*at, "rules", rule.shown());
            }
        }
        Ok(())
    }
}
