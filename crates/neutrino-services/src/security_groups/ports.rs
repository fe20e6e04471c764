// SPDX-License-Identifier: Apache-2.0
//! The security groups of ports, and the default group that networks and ports bring into being.
//!
//! Owns `securitygroupportbindings`. Whether a port may have groups at all is `port_security`'s business (the ports feature); it puts
//! its verdict for a new port into the body. Invariants: the groups of a port are all stateful or all stateless; a port that is held
//! and names no groups has its project's default group; a new port of a `network:*` owner has none.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook, Loader, Op, loading::of_page};
use neutrino_db::{Arg, Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Body, Converter, Page, Record, Validator, attribute};
use neutrino_types::Result;
use serde_json::{Value, json};

use super::{default_group, errors, rules::visible_to};

pub const SECURITY_GROUPS: Attribute = Attribute::new("security_groups")
    .post()
    .put()
    .default(attribute::Default::Unset)
    .convert(Converter::NoneToEmptyList)
    .validate(Validator::UuidList)
    .filter();

/// Rows of one INSERT.
const CHUNK: usize = 100;

/// A first network is a first access of its project.
struct Networks;

#[async_trait]
impl Hook for Networks {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        default_group::ensure(engine, cx, body.project_id()).await?;
        Ok(())
    }
}

struct Ports;

#[async_trait]
impl Hook for Ports {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        default_group::ensure(engine, cx, body.project_id()).await?;
        Ok(())
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        if is_trusted(body.str("device_owner")) {
            return Ok(());
        }
        if let Some(asked) = body.list("security_groups") {
            let groups = groups_for(op, asked, body.project_id()).await?;
            return bind(op, id, &groups).await;
        }
        if body.bool("port_security_enabled").unwrap_or(true) {
            bind_default(op, id, body.project_id()).await?;
        }
        Ok(())
    }

    async fn before_update(&self, engine: &Engine, cx: &Context, original: &Record, _body: &mut Body) -> Result<()> {
        default_group::ensure(engine, cx, original.project_id()).await?;
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(asked) = body.list("security_groups") else { return Ok(()) };
        let held = texts(original.list("security_groups"));
        if texts(asked) == held {
            return Ok(());
        }
        let groups = if is_trusted(body.str("device_owner")) {
            BTreeSet::new()
        } else {
            // Who changes a port may give it what it sees itself.
            let project = op.cx.project_id().to_owned();
            groups_for(op, asked, &project).await?
        };
        let gone: Vec<&str> = held.difference(&groups).map(String::as_str).collect();
        if !gone.is_empty() {
            let mut sql = Sql::new("DELETE FROM securitygroupportbindings WHERE port_id = ? AND ", args![original.id()]);
            sql.append(Sql::in_texts(op.tx.dialect(), "security_group_id", gone));
            op.tx.run(sql).await?;
        }
        let new = groups.difference(&held).cloned().collect();
        bind(op, original.id(), &new).await?;
        op.touch(original.standard_attr_id);
        Ok(())
    }
}

/// The server's own ports (DHCP, routers) are trusted: who may make them is a matter of policy.
fn is_trusted(device_owner: Option<&str>) -> bool {
    device_owner.is_some_and(|owner| owner.starts_with("network:"))
}

fn texts(values: &[Value]) -> BTreeSet<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The groups asked for, when all are there for the project to see and agree in being stateful.
async fn groups_for(op: &mut Op<'_>, asked: &[Value], project: &str) -> Result<BTreeSet<String>> {
    let asked = texts(asked);
    if asked.is_empty() {
        return Ok(asked);
    }
    let mut sql = Sql::raw("SELECT t.id, t.stateful FROM securitygroups t WHERE ");
    sql.append(Sql::in_texts(op.tx.dialect(), "t.id", asked.iter().map(String::as_str)));
    if !op.cx.sees_all() {
        sql.push(" AND ").append(visible_to("securitygrouprbacs", project));
    }
    let (mut found, mut stateful, mut stateless) = (BTreeSet::new(), false, false);
    for row in op.tx.select(sql).await? {
        found.insert(row.text(0)?);
        if row.bool(1)? {
            stateful = true;
        } else {
            stateless = true;
        }
    }
    let missing: Vec<&str> = asked.difference(&found).map(String::as_str).collect();
    if !missing.is_empty() {
        return Err(errors::groups_not_found(&missing));
    }
    if stateful && stateless {
        return Err(errors::GROUP_CONFLICT.error("A port cannot have stateful and stateless security groups at the same time."));
    }
    Ok(asked)
}

async fn bind(op: &mut Op<'_>, port: &str, groups: &BTreeSet<String>) -> Result<()> {
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    for chunk in groups.chunks(CHUNK) {
        let rows = vec!["(?, ?)"; chunk.len()].join(", ");
        let values = chunk.iter().flat_map(|group| [Arg::from(port), Arg::from(*group)]).collect();
        let text = format!("INSERT INTO securitygroupportbindings (port_id, security_group_id) VALUES {rows}");
        op.tx.execute(&text, values).await.map_err(|error| {
            // Another transaction deleted a group since it was looked for.
            if error.is_foreign_key() { errors::groups_not_found(chunk) } else { error }
        })?;
    }
    Ok(())
}

/// Binds the project's default group, which is there unless it was deleted since the request began. A port of no project has none.
async fn bind_default(op: &mut Op<'_>, port: &str, project: &str) -> Result<()> {
    if project.is_empty() {
        return Ok(());
    }
    let text = "INSERT INTO securitygroupportbindings (port_id, security_group_id) \
                SELECT ?, security_group_id FROM default_security_group WHERE project_id = ?";
    if op.tx.execute(text, args![port, project]).await? == 0 {
        let group = default_group::ensure_in(op, project).await?;
        bind(op, port, &BTreeSet::from([group])).await?;
    }
    Ok(())
}

/// Fills `security_groups` of ports, in the order of their ids.
struct Groups;

#[async_trait]
impl Loader for Groups {
    fn fills(&self) -> &'static [&'static str] {
        &["security_groups"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT port_id, security_group_id FROM securitygroupportbindings WHERE ");
        sql.append(of_page(dialect, "port_id", page)).push(" ORDER BY security_group_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill("security_groups", &json!([]));
        for mut row in rows {
            if let Some(at) = place.get(row.str(0)?) {
                page.push(*at, "security_groups", row.take_text(1)?.into());
            }
        }
        Ok(())
    }

    fn filter(&self, _cx: &Context, dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        if attribute != "security_groups" {
            return Ok(None);
        }
        let mut sql = Sql::raw("EXISTS (SELECT 1 FROM securitygroupportbindings b WHERE b.port_id = t.id AND ");
        sql.append(Sql::in_texts(dialect, "b.security_group_id", values.iter().filter_map(Value::as_str))).push(")");
        Ok(Some(sql))
    }
}

pub fn register(builder: &mut Builder) {
    builder.hook("networks", Networks).hook("ports", Ports).loader("ports", Groups);
}
