// SPDX-License-Identifier: Apache-2.0
//! Security groups: the table, its rules, and the list of rules that each group carries.
//!
//! Invariants: a group that a port is bound to is neither deleted nor changed between stateful and stateless; the default group
//! keeps its name.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{
    Attribute, Body, Converter, Page, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    owned_or_shared, rbac_exists,
};
use neutrino_types::{Error, Result};
use serde_json::{Value, json};

use super::{default_group, errors, rule, statefulness};

pub static RESOURCE: Resource = Resource::new(
    "security_groups",
    "security_group",
    "security-groups",
    "securitygroups",
    errors::GROUP_NOT_FOUND,
    &[
        common::ID,
        Attribute::new("name")
            .post()
            .put()
            .default(Default::Str(""))
            .validate(Validator::NameNotDefault(Some(255)))
            .filter()
            .sort()
            .column("name", Kind::Text),
        common::TENANT_ID,
        Attribute::new("security_group_rules"),
    ],
)
.standard("securitygroups")
// The rules that come with a new group raise it once.
.first_revision(1)
.visibility(Visibility::Sql(owned_or_shared!("securitygrouprbacs")));

pub const STATEFUL: Attribute = Attribute::new("stateful")
    .post()
    .put()
    .default(Default::Bool(true))
    .convert(Converter::ToBoolean)
    .filter()
    .column("stateful", Kind::Bool);

pub const SHARED: Attribute = Attribute::new("shared")
    .convert(Converter::ToBoolean)
    .filter()
    .required_by_policy()
    .enforce_policy()
    .expr(rbac_exists!("securitygrouprbacs", "access_as_shared"), Kind::Bool);

struct Groups;

#[async_trait]
impl Behaviour for Groups {
    async fn before_list(&self, engine: &Engine, cx: &Context, query: &mut ListQuery) -> Result<()> {
        if !cx.project_id().is_empty() {
            ensure_for_list(engine, cx, query, "security_groups").await?;
        }
        Ok(())
    }

    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        let project = body.project_id();
        let questions = vec![default_group::query(project), statefulness::query(project)];
        let answers = engine.db.reader().await?.select_together(questions).await?;
        let [default, stateful] = answers.as_slice() else { return Err(Error::internal("two questions have no two answers")) };
        if default.is_empty() && default_group::may_make(cx, project) {
            default_group::make(engine, cx, project).await?;
        }
        if !body.names("stateful") {
            body.set("stateful", statefulness::read(stateful)?);
        }
        Ok(())
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let (project, is_default) = (body.project_id(), body.str("name") == Some(default_group::NAME));
        let rules = default_group::template(op, is_default).await?;
        if !rules.is_empty() {
            op.reserve("security_group_rules", project, i64::try_from(rules.len()).unwrap_or(i64::MAX)).await?;
        }
        let standard = op.insert_standard(body, "securitygrouprules", rules.len()).await?;
        let [own, of_rules @ ..] = standard.as_slice() else { return Err(Error::internal("a new group has no standard attributes")) };
        op.insert(id, body, &[("standard_attr_id", (*own).into())]).await?;
        if is_default {
            default_group::record(op, project, id).await?;
        }
        default_group::copy(op, project, id, &rules, of_rules).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        if original.str("name") == default_group::NAME && body.get("name").is_some() {
            return Err(errors::CANNOT_UPDATE_DEFAULT.error("The default security group keeps its name."));
        }
        if body.bool("stateful").is_some_and(|stateful| stateful != original.bool("stateful")) {
            op.lock("security_groups", original.id()).await?;
            refuse_if_bound(op, original.id()).await?;
        }
        op.update(original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        // A port or a rule that would refer to the group from now on waits, and finds it gone.
        op.lock("security_groups", original.id()).await?;
        refuse_if_bound(op, original.id()).await?;
        if original.str("name") == default_group::NAME && !op.cx.is_admin() {
            return Err(errors::CANNOT_REMOVE_DEFAULT.error("Only an administrator can delete a project's default security group."));
        }
        delete_rules(op, original.id()).await?;
        op.delete(original).await
    }
}

/// Makes the default group of the project that a list is about: the filter's, or the caller's.
pub async fn ensure_for_list(engine: &Engine, cx: &Context, query: &ListQuery, collection: &str) -> Result<()> {
    let asked = query.filter(&engine.entry(collection)?.table, "project_id").and_then(|values| values.first());
    let project = asked.map_or(cx.project_id(), |value| value.as_str().unwrap_or_default());
    default_group::ensure(engine, cx, project).await?;
    Ok(())
}

async fn refuse_if_bound(op: &mut Op<'_>, id: &str) -> Result<()> {
    let ports = op.tx.count("SELECT count(*) FROM securitygroupportbindings WHERE security_group_id = ?", args![id]).await?;
    if ports > 0 {
        return Err(errors::GROUP_IN_USE.error(format!("Security group {id} is in use by {ports} ports; take it off them first.")));
    }
    Ok(())
}

/// Deletes the group's rules, and those of other groups that admit its members; their groups change by that.
async fn delete_rules(op: &mut Op<'_>, id: &str) -> Result<()> {
    let text = "SELECT DISTINCT g.standard_attr_id FROM securitygrouprules r JOIN securitygroups g ON g.id = r.security_group_id \
                WHERE r.remote_group_id = ? AND r.security_group_id <> ?";
    for row in op.tx.query(text, args![id, id]).await? {
        op.touch(row.int(0)?);
    }
    let text = "SELECT standard_attr_id FROM securitygrouprules WHERE security_group_id = ? OR remote_group_id = ?";
    let rows = op.tx.query(text, args![id, id]).await?;
    let standard = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>>>()?;
    // The rules go by cascade.
    let mut sql = Sql::raw("DELETE FROM standardattributes WHERE ");
    sql.append(Sql::in_ints(op.tx.dialect(), "id", &standard));
    op.tx.run(sql).await?;
    Ok(())
}

/// Fills `security_group_rules`, in the order in which the rules were made.
struct Rules;

#[async_trait]
impl Loader for Rules {
    fn fills(&self) -> &'static [&'static str] {
        &["security_group_rules"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT r.security_group_id, r.id, r.project_id, r.direction, r.ethertype, r.protocol, r.port_range_min, r.port_range_max, \
             r.remote_ip_prefix, r.remote_group_id, r.remote_address_group_id, s.description, s.created_at, s.updated_at, \
             s.revision_number, EXISTS (SELECT 1 FROM default_security_group d WHERE d.security_group_id = r.security_group_id), \
             r.standard_attr_id \
             FROM securitygrouprules r JOIN standardattributes s ON s.id = r.standard_attr_id WHERE ",
        );
        sql.append(of_page(dialect, "r.security_group_id", page)).push(" ORDER BY r.standard_attr_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill("security_group_rules", &json!([]));
        for row in rows {
            let group = row.text(0)?;
            if let Some(at) = place.get(&group) {
                page.push(*at, "security_group_rules", embedded(&row, &group)?);
            }
        }
        Ok(())
    }
}

fn embedded(row: &Row, group: &str) -> Result<Value> {
    let project = row.opt_text(2)?;
    let prefix = row.opt_text(8)?;
    let time = |column| row.opt_time(column).map(|time| time.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()));
    Ok(json!({
        "id": row.text(1)?,
        "project_id": project,
        "tenant_id": project,
        "security_group_id": group,
        "direction": row.opt_text(3)?,
        "ethertype": row.opt_text(4)?,
        "protocol": row.opt_text(5)?,
        "port_range_min": row.opt_int(6)?,
        "port_range_max": row.opt_int(7)?,
        "normalized_cidr": prefix.as_deref().and_then(rule::normalized),
        "remote_ip_prefix": prefix,
        "remote_group_id": row.opt_text(9)?,
        "remote_address_group_id": row.opt_text(10)?,
        "belongs_to_default_sg": row.bool(15)?,
        "description": row.opt_text(11)?,
        "created_at": time(12)?,
        "updated_at": time(13)?,
        "revision_number": row.opt_int(14)?,
    }))
}

pub fn register(builder: &mut Builder) {
    builder.behaviour("security_groups", Groups).loader("security_groups", Rules);
}
