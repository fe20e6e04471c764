// SPDX-License-Identifier: Apache-2.0
//! Rules of security groups. A rule does not change once it is made.
//!
//! Invariants: no two rules of a group mean the same, even when they are made at once (the group's row is locked while its rules are
//! compared); making or deleting a rule raises the group's revision; the rules of one request belong to one group and one project.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery, Loader, Op};
use neutrino_db::{Sql, Tx, args};
use neutrino_model::{
    Attribute, Body, Converter, Page, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Result, cidr::Cidr, error::kinds};
use serde_json::Value;

use super::{errors, groups, protocol, rule};

pub static RESOURCE: Resource = Resource::new(
    "security_group_rules",
    "security_group_rule",
    "security-group-rules",
    "securitygrouprules",
    errors::RULE_NOT_FOUND,
    &[
        common::ID,
        Attribute::new("security_group_id")
            .post()
            .validate(Validator::String(Some(36)))
            .filter()
            .sort()
            .required_by_policy()
            .column("security_group_id", Kind::Text),
        rule::REMOTE_GROUP_ID,
        rule::DIRECTION,
        rule::PROTOCOL_ATTRIBUTE,
        rule::PORT_RANGE_MIN,
        rule::PORT_RANGE_MAX,
        rule::ETHERTYPE_ATTRIBUTE,
        rule::REMOTE_IP_PREFIX,
        common::TENANT_ID,
    ],
)
.standard("securitygrouprules")
.visibility(Visibility::Sql(
    "t.project_id = :project OR EXISTS (SELECT 1 FROM securitygroups g WHERE g.id = t.security_group_id AND g.project_id = :project)",
));

pub const NORMALIZED_CIDR: Attribute =
    Attribute::new("normalized_cidr").default(Default::Null).validate(Validator::SubnetOrNone).filter().sort();

pub const BELONGS_TO_DEFAULT: Attribute = Attribute::new("belongs_to_default_sg")
    .default(Default::Null)
    .convert(Converter::ToBooleanIfNotNone)
    .filter()
    .expr("EXISTS (SELECT 1 FROM default_security_group d WHERE d.security_group_id = t.security_group_id)", Kind::Bool);

struct Rules;

#[async_trait]
impl Behaviour for Rules {
    async fn before_list(&self, engine: &Engine, cx: &Context, query: &mut ListQuery) -> Result<()> {
        groups::ensure_for_list(engine, cx, query, "security_group_rules").await?;
        resolve_normalized(engine, query).await
    }

    async fn before_create_all(&self, engine: &Engine, cx: &Context, bodies: &mut [Body]) -> Result<()> {
        of_one_group(bodies)?;
        for body in bodies.iter_mut() {
            rule::check(body)?;
        }
        let Some(first) = bodies.first() else { return Ok(()) };
        let mut remotes = Remotes::default();
        for body in bodies.iter() {
            remotes.add(body);
        }
        remotes.groups.extend(first.str("security_group_id").map(str::to_owned));
        remotes.check(engine, cx, first.project_id()).await?;
        let mut keys = HashSet::new();
        if bodies.iter().all(|body| keys.insert(rule::Key::of(body))) {
            return Ok(());
        }
        Err(errors::DUPLICATE_RULE_IN_POST.error("Two rules of the request mean the same."))
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let group = body.str("security_group_id").unwrap_or_default().to_owned();
        let standard = lock_once(op, &group).await?;
        let key = rule::Key::of(body);
        let mut sql = Sql::new("SELECT t.id FROM securitygrouprules t WHERE t.security_group_id = ? AND ", args![group.as_str()]);
        sql.append(same_rule(op.tx.dialect(), &key)).push(" LIMIT 1");
        if let Some(row) = op.tx.select(sql).await?.first() {
            return Err(errors::RULE_EXISTS.error(format!("Security group {group} has this rule already: it is {}.", row.text(0)?)));
        }
        op.insert(id, body, &[]).await.map_err(|error| {
            if error.is_foreign_key() { kinds::CONFLICT.error("The remote group of the rule was deleted meanwhile.") } else { error }
        })?;
        op.touch(standard);
        Ok(())
    }

    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, _body: &mut Body) -> Result<()> {
        Err(kinds::METHOD_NOT_ALLOWED.error("A security group rule does not change: delete it and create another."))
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        op.touch_object("security_groups", original.str("security_group_id")).await?;
        op.delete(original).await
    }
}

/// A request makes rules of one group, for one project.
fn of_one_group(bodies: &[Body]) -> Result<()> {
    let Some(first) = bodies.first() else { return Ok(()) };
    for body in bodies {
        if body.str("security_group_id") != first.str("security_group_id") {
            return Err(errors::NOT_SINGLE_GROUP.error("The rules of one request must belong to one security group."));
        }
        if body.project_id() != first.project_id() {
            return Err(errors::NOT_SINGLE_PROJECT.error("The rules of one request must belong to one project."));
        }
    }
    Ok(())
}

/// Groups whose row this transaction holds.
#[derive(Default)]
struct Locked(HashMap<String, i64>);

async fn lock_once(op: &mut Op<'_>, group: &str) -> Result<i64> {
    if let Some(standard) = op.note::<Locked>().0.get(group) {
        return Ok(*standard);
    }
    let standard = op.lock("security_groups", group).await?.ok_or_else(|| errors::groups_not_found(&[group]))?;
    op.note::<Locked>().0.insert(group.to_owned(), standard);
    Ok(standard)
}

/// The condition that a stored rule `t` means the same.
pub fn same_rule(dialect: neutrino_db::Dialect, key: &rule::Key) -> Sql {
    let mut all = vec![
        Sql::new("t.direction = ?", args![key.direction.as_str()]),
        Sql::new("t.ethertype = ?", args![key.ethertype.as_str()]),
        equal("t.port_range_min", key.port_range_min),
        equal("t.port_range_max", key.port_range_max),
        equal("t.remote_group_id", key.remote_group_id.as_deref()),
        equal("t.remote_address_group_id", key.remote_address_group_id.as_deref()),
    ];
    all.push(match &key.protocol {
        None => Sql::raw("t.protocol IS NULL"),
        Some(name) => {
            let same = protocol::same(name, key.ethertype == "IPv6");
            Sql::in_texts(dialect, "t.protocol", same.iter().map(String::as_str))
        }
    });
    all.push(match &key.remote_ip_prefix {
        Some(prefix) => Sql::new("t.remote_ip_prefix = ?", args![prefix.as_str()]),
        None => {
            let mut sql = Sql::raw("t.remote_ip_prefix IS NULL OR ");
            sql.append(Sql::in_texts(dialect, "t.remote_ip_prefix", rule::EVERY_ADDRESS));
            sql
        }
    });
    Sql::join(all, " AND ")
}

fn equal<T: Into<neutrino_db::Arg>>(column: &str, value: Option<T>) -> Sql {
    match value {
        Some(value) => Sql::new(format!("{column} = ?"), vec![value.into()]),
        None => Sql::raw(format!("{column} IS NULL")),
    }
}

/// Objects that rules refer to. They must be there for the rules' project, or for an administrator.
#[derive(Default)]
pub struct Remotes {
    pub groups: Vec<String>,
    pub address_groups: Vec<String>,
}

impl Remotes {
    /// Takes note of what a rule refers to.
    pub fn add(&mut self, body: &Body) {
        self.groups.extend(body.get("remote_group_id").and_then(rule::id_text));
        self.address_groups.extend(body.get("remote_address_group_id").and_then(rule::id_text));
    }

    /// # Errors
    /// `AddressGroupNotFound`, `SecurityGroupNotFound`; the database's.
    pub async fn check(&self, engine: &Engine, cx: &Context, project: &str) -> Result<()> {
        let mut tx = engine.db.reader().await?;
        let project = (!cx.sees_all()).then_some(project);
        let missing = missing(&mut tx, "address_groups", "addressgrouprbacs", &self.address_groups, project).await?;
        if let Some(id) = missing.first() {
            let id: String = id.chars().take(64).collect();
            return Err(errors::ADDRESS_GROUP_NOT_FOUND.error(format!("Address group {id} could not be found.")));
        }
        let missing = self::missing(&mut tx, "securitygroups", "securitygrouprbacs", &self.groups, project).await?;
        if missing.is_empty() { Ok(()) } else { Err(errors::groups_not_found(&missing)) }
    }
}

/// Those of the ids that are not in the table, or not for this project to see.
async fn missing<'a>(tx: &mut Tx, table: &str, rbacs: &str, ids: &'a [String], project: Option<&str>) -> Result<Vec<&'a str>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = Sql::raw(format!("SELECT t.id FROM {table} t WHERE "));
    sql.append(Sql::in_texts(tx.dialect(), "t.id", ids.iter().map(String::as_str)));
    if let Some(project) = project {
        sql.push(" AND ").append(visible_to(rbacs, project));
    }
    let found = tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<HashSet<_>>>()?;
    Ok(ids.iter().filter(|id| !found.contains(*id)).map(String::as_str).collect())
}

/// The condition that the object `t` is the project's own or shared with it.
pub fn visible_to(rbacs: &str, project: &str) -> Sql {
    Sql::new(
        format!(
            "(t.project_id = ? OR EXISTS (SELECT 1 FROM {rbacs} r WHERE r.object_id = t.id AND r.action = 'access_as_shared' \
             AND r.target_project IN ('*', ?)))"
        ),
        args![project, project],
    )
}

/// `normalized_cidr` is computed, so that no SQL can compare it: a filter becomes one for the prefixes that lie in these networks, a
/// sort one by the prefix.
async fn resolve_normalized(engine: &Engine, query: &mut ListQuery) -> Result<()> {
    let table = &engine.entry("security_group_rules")?.table;
    let (Some(at), Some(prefix)) = (table.find("normalized_cidr"), table.find("remote_ip_prefix")) else { return Ok(()) };
    for (sorted, _) in query.sort.iter_mut().filter(|(sorted, _)| *sorted == at) {
        *sorted = prefix;
    }
    if !query.filters.iter().any(|filter| filter.attribute == at) {
        return Ok(());
    }
    let rows = engine.db.reader().await?.query("SELECT DISTINCT remote_ip_prefix FROM securitygrouprules", vec![]).await?;
    let stored = rows.iter().map(|row| row.opt_text(0)).collect::<Result<Vec<_>>>()?;
    for filter in query.filters.iter_mut().filter(|filter| filter.attribute == at) {
        let asked: HashSet<Option<Cidr>> = filter.values.iter().map(|v| v.as_str().and_then(|text| text.parse().ok())).collect();
        let wants_null = filter.values.iter().any(Value::is_null);
        filter.attribute = prefix;
        filter.values = stored
            .iter()
            .filter(|text| match text {
                None => wants_null,
                Some(text) => Cidr::parse_with_address(text).is_ok_and(|(_, cidr)| asked.contains(&Some(cidr))),
            })
            .map(|text| text.as_deref().map_or(Value::Null, Value::from))
            .collect();
    }
    Ok(())
}

/// Fills `normalized_cidr`; needs no statement.
struct Normalized;

#[async_trait]
impl Loader for Normalized {
    fn fills(&self) -> &'static [&'static str] {
        &["normalized_cidr"]
    }

    fn needs(&self) -> &'static [&'static str] {
        &["remote_ip_prefix"]
    }

    async fn load(&self, _cx: &Context, _tx: &mut Tx, page: &mut Page) -> Result<()> {
        for row in &mut page.rows {
            let cidr = row.opt_str("remote_ip_prefix").and_then(rule::normalized);
            row.set("normalized_cidr", cidr);
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.behaviour("security_group_rules", Rules).loader("security_group_rules", Normalized);
}
