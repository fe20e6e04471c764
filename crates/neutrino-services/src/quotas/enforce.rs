// SPDX-License-Identifier: Apache-2.0
//! The check before a create. See the parent module for why it holds under concurrency.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Op, Quota};
use neutrino_db::{Dialect, args};
use neutrino_types::{Error, Result};

use super::{
    Bounded, OVER_QUOTA, Quotas,
    store::{self, Limits, Use},
};

/// Where the counter of claims begins again; the column has 31 bits.
const CLAIMS: i64 = 1_000_000_000;
/// Projects of one statement: SQLite bounds the parts of a UNION.
const CHUNK: usize = 100;

pub struct Enforce(pub Arc<Quotas>);

#[async_trait]
impl Quota for Enforce {
    async fn reserve(&self, op: &mut Op<'_>, collection: &str, wanted: &BTreeMap<&str, i64>) -> Result<()> {
        let Some((bounded, default)) = self.0.of(collection) else { return Ok(()) };
        // In the order of projects, so that two requests never wait for each other.
        let wanted: Vec<(&str, i64)> = wanted.iter().map(|(project, more)| (*project, *more)).collect();
        for wanted in wanted.chunks(CHUNK) {
            // There the one writer is this transaction.
            if op.tx.dialect() == Dialect::Sqlite {
                check(bounded, wanted, &uses(op, bounded, default, wanted).await?)?;
                continue;
            }
            let wanted = limited(op, bounded, default, wanted).await?;
            if wanted.is_empty() {
                continue;
            }
            for (project, _) in &wanted {
                claim(op, bounded, project).await?;
            }
            check(bounded, &wanted, &uses(op, bounded, default, &wanted).await?)?;
        }
        Ok(())
    }
}

/// What was read in this transaction of the projects' own limits. A project without any is there, too.
#[derive(Default)]
struct Known(BTreeMap<String, Limits>);

/// Those of the projects that have a limit of this kind.
async fn limited<'p>(op: &mut Op<'_>, bounded: &Bounded, default: i64, wanted: &[(&'p str, i64)]) -> Result<Vec<(&'p str, i64)>> {
    let known = &op.note::<Known>().0;
    let unknown: Vec<&str> = wanted.iter().map(|(project, _)| *project).filter(|project| !known.contains_key(*project)).collect();
    if !unknown.is_empty() {
        let found = store::limits(op.tx, &unknown).await?;
        op.note::<Known>().0.extend(unknown.into_iter().map(str::to_owned).zip(found));
    }
    let known = &op.note::<Known>().0;
    let limit = |project: &str| known.get(project).and_then(|limits| limits.get(bounded.name)).copied().unwrap_or(default);
    Ok(wanted.iter().filter(|(project, _)| limit(project) >= 0).copied().collect())
}

async fn uses(op: &mut Op<'_>, bounded: &Bounded, default: i64, wanted: &[(&str, i64)]) -> Result<Vec<Use>> {
    let asked: Vec<(&str, &Bounded, i64)> = wanted.iter().map(|(project, _)| (*project, bounded, default)).collect();
    store::uses(op.tx, op.cx, &asked, false).await
}

fn check(bounded: &Bounded, wanted: &[(&str, i64)], uses: &[Use]) -> Result<()> {
    for ((project, more), Use { limit, used, reserved }) in wanted.iter().zip(uses) {
        let has = used.saturating_add(*reserved);
        if *limit >= 0 && has.saturating_add(*more) > *limit {
            return Err(OVER_QUOTA.error(format!(
                "Quota exceeded for resources: ['{}']. Project {project} may have {limit}, has {has}, and this request is for {more} more.",
                bounded.name,
            )));
        }
    }
    Ok(())
}

/// Changes the row that all creates of the kind in the project change, so that they come one after the other.
async fn claim(op: &mut Op<'_>, bounded: &Bounded, project_id: &str) -> Result<()> {
    let update = "UPDATE quotausages SET dirty = ?, reserved = CASE WHEN reserved < ? THEN reserved + 1 ELSE 0 END \
                  WHERE project_id = ? AND resource = ?";
    if op.tx.execute(update, args![true, CLAIMS, project_id, bounded.name]).await? > 0 {
        return Ok(());
    }
    let insert = "INSERT INTO quotausages (project_id, resource, dirty, in_use, reserved) VALUES (?, ?, ?, 0, 1)";
    match op.tx.execute(insert, args![project_id, bounded.name, true]).await {
        // Another one's first claim: try the whole again, and find the row.
        Err(error) if error.is_duplicate("") => Err(Error::stale(format!("first claim of {} for {project_id}", bounded.name))),
        other => other.map(drop),
    }
}
