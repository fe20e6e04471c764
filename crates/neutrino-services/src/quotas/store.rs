// SPDX-License-Identifier: Apache-2.0
//! Limits and use of projects, in as few statements as there can be. Names come from static tables; what a caller sends is bound.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use neutrino_core::Context;
use neutrino_db::{Dialect, Sql, Tx, args, quote};
use neutrino_types::Result;

use super::{Bounded, NOT_FOUND, UNLIMITED};

/// What a project may have and has of one kind.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub limit: i64,
    pub used: i64,
    pub reserved: i64,
}

/// Limits by kind.
pub type Limits = HashMap<String, i64>;

/// The limits that projects have of their own, by project: of one project, or of all.
pub async fn own_limits(tx: &mut Tx, project_id: Option<&str>) -> Result<BTreeMap<String, Limits>> {
    let mut sql = Sql::raw(format!("SELECT project_id, resource, {} FROM quotas", quote("limit")));
    if let Some(project_id) = project_id {
        sql.push(" WHERE project_id = ").bind(project_id);
    }
    let mut limits: BTreeMap<String, Limits> = BTreeMap::new();
    for row in tx.select(sql).await? {
        if let (Some(project), Some(kind), Some(limit)) = (row.opt_text(0)?, row.opt_text(1)?, row.opt_int(2)?) {
            limits.entry(project).or_default().insert(kind, limit);
        }
    }
    Ok(limits)
}

/// The number that a project has of a kind.
fn used(bounded: &Bounded, project_id: &str) -> Sql {
    if bounded.counts.is_empty() {
        return Sql::raw("0");
    }
    Sql::join(bounded.counts.iter().map(|count| Sql::new(*count, vec![project_id.into()])).collect(), " + ")
}

/// The number that another server is about to make.
fn reserved(dialect: Dialect, bounded: &Bounded, project_id: &str, now: NaiveDateTime) -> Sql {
    // MySQL and PostgreSQL give sums types of their own.
    let mut sql = Sql::raw("CAST(COALESCE((SELECT SUM(d.amount) FROM reservations v JOIN resourcedeltas d ON d.reservation_id = v.id");
    sql.push(" WHERE v.project_id = ").bind(project_id).push(" AND d.resource = ").bind(bounded.name);
    sql.push(" AND v.expiration > ").bind(now);
    sql.push(if dialect == Dialect::MySql { "), 0) AS SIGNED)" } else { "), 0) AS BIGINT)" });
    sql
}

/// The limit of a project.
fn limit(project_id: &str, bounded: &Bounded, default: i64) -> Sql {
    let mut sql = Sql::raw(format!("COALESCE((SELECT {} FROM quotas WHERE project_id = ", quote("limit")));
    sql.bind(project_id).push(" AND resource = ").bind(bounded.name).push(&format!("), {default})"));
    sql
}

/// The limits of their own of each of these projects, in their order, by one statement. Which project is which, the database says: MySQL takes
/// some ids for the same that we do not.
pub async fn limits(tx: &mut Tx, projects: &[&str]) -> Result<Vec<Limits>> {
    let mut sql = Sql::default();
    for (n, project_id) in projects.iter().enumerate() {
        sql.push(if n == 0 { "" } else { " UNION ALL " });
        sql.push(&format!("SELECT {n}, resource, {} FROM quotas WHERE project_id = ", quote("limit"))).bind(*project_id);
    }
    let mut limits = vec![Limits::new(); projects.len()];
    for row in tx.select(sql).await? {
        let at = usize::try_from(row.int(0)?).ok().and_then(|at| limits.get_mut(at));
        if let (Some(own), Some(kind), Some(limit)) = (at, row.opt_text(1)?, row.opt_int(2)?) {
            own.insert(kind, limit);
        }
    }
    Ok(limits)
}

/// Limit and use of several (project, kind, limit by default), in one statement. With `all` false what has no limit is not counted.
pub async fn uses(tx: &mut Tx, cx: &Context, of: &[(&str, &Bounded, i64)], all: bool) -> Result<Vec<Use>> {
    let mut sql = Sql::raw("SELECT * FROM (");
    for (n, (project_id, bounded, default)) in of.iter().enumerate() {
        sql.push(if n == 0 { "" } else { " UNION ALL " }).push(&format!("SELECT {n} AS n, q.bound"));
        let parts = [(used(bounded, project_id), " AS used"), (reserved(tx.dialect(), bounded, project_id, cx.now()), " AS reserved")];
        for (part, name) in parts {
            sql.push(", ");
            if all {
                sql.append(part);
            } else {
                sql.push("CASE WHEN q.bound < 0 THEN 0 ELSE ").append(part).push(" END");
            }
            sql.push(name);
        }
        sql.push(" FROM (SELECT ").append(limit(project_id, bounded, *default)).push(" AS bound) q");
    }
    sql.push(") u ORDER BY n");
    let rows = tx.select(sql).await?;
    rows.iter().map(|row| Ok(Use { limit: row.int(1)?.max(UNLIMITED), used: row.int(2)?, reserved: row.int(3)? })).collect()
}

/// Gives a project limits of its own.
pub async fn set_limits(tx: &mut Tx, cx: &Context, project_id: &str, limits: &[(&'static str, i64)]) -> Result<()> {
    let update = format!("UPDATE quotas SET {} = ? WHERE project_id = ? AND resource = ?", quote("limit"));
    let insert = format!("INSERT INTO quotas (id, project_id, resource, {}) VALUES (?, ?, ?, ?)", quote("limit"));
    for (kind, limit) in limits {
        if tx.execute(&update, args![*limit, project_id, *kind]).await? == 0 {
            tx.execute(&insert, args![cx.new_id(), project_id, *kind, *limit]).await?;
        }
    }
    Ok(())
}

/// Takes a project's own limits away.
///
/// # Errors
/// 404 when it has none.
pub async fn clear_limits(tx: &mut Tx, project_id: &str) -> Result<()> {
    if tx.execute("DELETE FROM quotas WHERE project_id = ?", args![project_id]).await? > 0 {
        return Ok(());
    }
    let project: String = project_id.chars().take(64).collect();
    Err(NOT_FOUND.error(format!("Project {project} has no quota of its own; the default ones apply.")))
}
