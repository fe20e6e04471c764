// SPDX-License-Identifier: Apache-2.0
//! The group `default` that every project has, and the rules that a new group begins with.
//!
//! Owns `default_security_group`, whose key, the project, makes the group the only one, whoever comes first. Invariant: none is made
//! for an empty project, nor by a caller for a project that is not its own (CVE-2022-3277, CVE-2023-3637), unless an administrator.

use std::{collections::HashMap, sync::Arc};

use neutrino_core::{Context, Engine, Op};
use neutrino_db::{Arg, Row, Sql, Tx, args};
use neutrino_model::Body;
use neutrino_types::{Error, Result};

/// No caller can choose this name; who has it is a default group.
pub const NAME: &str = "default";
/// Data that clients see, by Neutron's words.
const DESCRIPTION: &str = "Default security group";
/// What `default_security_group.project_id` holds.
const MAX_PROJECT: usize = 255;
/// In a template: the group that the rule is copied into.
pub const PARENT: &str = "PARENT";

/// May the caller make this project's default group?
pub fn may_make(cx: &Context, project: &str) -> bool {
    !project.is_empty() && project.chars().count() <= MAX_PROJECT && (cx.is_admin() || cx.project_id() == project)
}

/// Makes the project's default group unless it is there. `None`: the caller may not make one.
///
/// # Errors
/// The database's.
pub async fn ensure(engine: &Engine, cx: &Context, project: &str) -> Result<Option<String>> {
    if !may_make(cx, project) {
        return Ok(None);
    }
    let known = find(&mut engine.db.reader().await?, project).await?;
    if known.is_some() {
        return Ok(known);
    }
    make(engine, cx, project).await.map(Some)
}

/// [`ensure`] for a caller who may, when none was found.
///
/// # Errors
/// The database's.
pub async fn make(engine: &Engine, cx: &Context, project: &str) -> Result<String> {
    let project = project.to_owned();
    engine
        .transact(cx, "security_groups", "create default security group", move |op| {
            let project = project.clone();
            Box::pin(async move { ensure_in(op, &project).await })
        })
        .await
}

/// [`ensure`] within a transaction, without asking who may.
///
/// # Errors
/// The database's; transient when another transaction was first.
pub async fn ensure_in(op: &mut Op<'_>, project: &str) -> Result<String> {
    if let Some(id) = find(op.tx, project).await? {
        return Ok(id);
    }
    let mut body = Body::with_defaults(op.engine.entry("security_groups")?.table.clone());
    body.set("name", NAME);
    body.set("project_id", project);
    body.set("description", DESCRIPTION);
    op.create_object("security_groups", &mut body).await
}

/// Records a new group as its project's default.
///
/// # Errors
/// The database's; transient when another transaction was first, whose group the next try finds.
pub async fn record(op: &mut Op<'_>, project: &str, group_id: &str) -> Result<()> {
    let columns = vec![("project_id", project.into()), ("security_group_id", group_id.into())];
    op.insert_row("default_security_group", columns).await.map_err(|error| {
        if error.is_duplicate("") { Error::stale(format!("the default security group of {project} was made meanwhile")) } else { error }
    })
}

/// The id of the project's default group.
///
/// # Errors
/// The database's.
pub async fn find(tx: &mut Tx, project: &str) -> Result<Option<String>> {
    tx.select(query(project)).await?.first().map(|row| row.text(0)).transpose()
}

/// What [`find`] asks.
pub fn query(project: &str) -> Sql {
    Sql::new("SELECT security_group_id FROM default_security_group WHERE project_id = ?", args![project])
}

/// What was read in this transaction of the template, for groups that are default ones and that are not.
#[derive(Default)]
struct Known(HashMap<bool, Arc<Vec<Row>>>);

/// The rules of the template, read once in a transaction. One whose remote group is gone is left out: a stale row must not keep every project from
/// having groups.
///
/// # Errors
/// The database's.
pub async fn template(op: &mut Op<'_>, is_default: bool) -> Result<Arc<Vec<Row>>> {
    if let Some(known) = op.note::<Known>().0.get(&is_default) {
        return Ok(Arc::clone(known));
    }
    let used = if is_default { "used_in_default_sg" } else { "used_in_non_default_sg" };
    let text = format!(
        "SELECT t.direction, t.ethertype, t.protocol, t.port_range_min, t.port_range_max, t.remote_ip_prefix, t.remote_group_id, \
         t.remote_address_group_id FROM securitygroupdefaultrules t WHERE t.{used} = ? \
         AND (t.remote_group_id IS NULL OR t.remote_group_id = ? OR EXISTS (SELECT 1 FROM securitygroups g WHERE g.id = t.remote_group_id)) \
         AND (t.remote_address_group_id IS NULL OR EXISTS (SELECT 1 FROM address_groups a WHERE a.id = t.remote_address_group_id)) \
         ORDER BY t.standard_attr_id"
    );
    let rules = Arc::new(op.tx.query(&text, args![true, PARENT]).await?);
    op.note::<Known>().0.insert(is_default, Arc::clone(&rules));
    Ok(rules)
}

/// Copies rules of the template into a new group. `standard`: the ids of their standard attributes.
///
/// # Errors
/// The database's.
pub async fn copy(op: &mut Op<'_>, project: &str, group_id: &str, rules: &[Row], standard: &[i64]) -> Result<()> {
    if rules.is_empty() {
        return Ok(());
    }
    let mut values: Vec<Arg> = Vec::new();
    for (row, standard_id) in rules.iter().zip(standard) {
        let remote = row.opt_text(6)?.map(|id| if id == PARENT { group_id.to_owned() } else { id });
        values.extend(args![op.cx.new_id(), *standard_id, project, group_id, row.opt_text(0)?, row.opt_text(1)?, row.opt_text(2)?]);
        values.extend(args![row.opt_int(3)?, row.opt_int(4)?, row.opt_text(5)?, remote, row.opt_text(7)?]);
    }
    let marks = vec!["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"; rules.len()].join(", ");
    let text = format!(
        "INSERT INTO securitygrouprules (id, standard_attr_id, project_id, security_group_id, direction, ethertype, protocol, port_range_min, \
         port_range_max, remote_ip_prefix, remote_group_id, remote_address_group_id) VALUES {marks}"
    );
    op.tx.execute(&text, values).await?;
    Ok(())
}
