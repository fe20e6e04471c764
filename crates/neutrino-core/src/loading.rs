// SPDX-License-Identifier: Apache-2.0
//! From a SELECT to whole records: its rows, and what loaders fill.
//!
//! Invariant: the number of statements does not depend on the number of rows. Objects whose ids are known are one statement, with all loaders
//! that go by ids; a page of others is two. What needs attributes of the rows follows in one more.

use std::{collections::HashMap, sync::Arc};

use neutrino_db::{Arg, Dialect, Pending, Row, Sql, Tx};
use neutrino_model::{Extent, Page, Record};
use neutrino_types::Result;

use crate::{Context, ListQuery, Loader, apart::Apart, registry::Entry, select::Select};

/// From so many rows on, a page of all objects there are, or of a run of them, is completed by what the loaders' tables hold, without the ids of
/// the rows: a long list of ids costs the database more than the rows that it finds.
pub(crate) const MANY: usize = 16;

/// The condition that `column` holds the id of a row of the page.
///
/// For a page of all objects, or of a run of them, it is none, or two bounds: rows of others may come, too, and are to be passed over.
#[must_use]
pub fn of_page(dialect: Dialect, column: &str, page: &Page) -> Sql {
    match (page.extent, page.rows.as_slice()) {
        (Extent::All, _) => Sql::raw("1 = 1"),
        // In the database's own order of texts, in which the rows came.
        (Extent::Run, [first, .., last]) => Sql::new(format!("{column} BETWEEN ? AND ?"), [first.id(), last.id()].map(Arg::from).into()),
        _ => Sql::in_texts(dialect, column, page.ids()),
    }
}

/// [`of_page`] for a column that holds `standardattributes.id`.
#[must_use]
pub fn of_standard(dialect: Dialect, column: &str, page: &Page) -> Sql {
    let table = page.table().resource.table.unwrap_or_default();
    if page.is_unread {
        let mut sql = Sql::raw(format!("{column} IN (SELECT standard_attr_id FROM {} WHERE ", neutrino_db::quote(table)));
        sql.append(Sql::in_texts(dialect, "id", page.ids())).push(")");
        return sql;
    }
    let ids = page.standard_attr_ids();
    match (page.extent, ids.iter().min(), ids.iter().max()) {
        (Extent::All, Some(first), Some(last)) => Sql::new(format!("{column} BETWEEN ? AND ?"), vec![(*first).into(), (*last).into()]),
        _ => Sql::in_ints(dialect, column, &ids),
    }
}

/// Those of the objects with these ids that fulfil the condition, in the order of the ids, with the wanted attributes.
pub(crate) async fn by_ids(
    entry: &Entry,
    cx: &Context,
    tx: &mut Tx,
    ids: &[&str],
    condition: Option<Sql>,
    wanted: Vec<bool>,
) -> Result<Vec<Record>> {
    with(entry, cx, tx, ids, condition, wanted, None).await.map(|(records, _)| records)
}

/// [`by_ids`], and the rows of one more SELECT that goes along.
#[inline(never)]
fn with<'a>(
    entry: &'a Entry,
    cx: &'a Context,
    tx: &'a mut Tx,
    ids: &'a [&'a str],
    condition: Option<Sql>,
    wanted: Vec<bool>,
    beside: Option<Sql>,
) -> Pending<'a, (Vec<Record>, Vec<Row>)> {
    Box::pin(async move {
        if ids.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let select = Select::new(entry, cx, tx.dialect(), &wanted);
        let mut conditions = vec![Sql::in_texts(tx.dialect(), "t.id", ids.iter().copied())];
        conditions.extend(condition);
        let mut selects = vec![select.page(&ListQuery::default(), Some(Sql::join(conditions, " AND ")), None)?];
        let unread = Page::unread(entry.table.clone(), ids, wanted.clone());
        let mut due: Vec<Due> = due(entry, &unread);
        for due in &mut due {
            if due.loader.asks_by_id()
                && let Some(sql) = due.loader.query(tx.dialect(), &unread)
            {
                selects.push(sql);
                due.asked = true;
            }
        }
        let goes_along = beside.is_some();
        selects.extend(beside);
        let mut results = tx.select_together(selects).await?.into_iter();
        let beside = if goes_along { results.next_back().unwrap_or_default() } else { Vec::new() };
        let rows = results.next().unwrap_or_default();
        let mut records = rows.into_iter().map(|row| select.decode(row)).collect::<Result<Vec<_>>>()?;
        if records.is_empty() {
            return Ok((records, beside));
        }
        if ids.len() > 1 {
            let place: HashMap<&str, usize> = ids.iter().enumerate().map(|(n, id)| (*id, n)).collect();
            records.sort_by_key(|record| place.get(record.id()).copied().unwrap_or(usize::MAX));
        }
        for due in due.iter_mut().filter(|due| due.asked) {
            due.rows = results.next();
        }
        let mut page = Page::new(entry.table.clone(), records, wanted);
        complete(cx, tx, &mut page, due, &[]).await?;
        Ok((page.rows, beside))
    })
}

/// Whole objects by id, in the order of the ids. Missing ones are left out.
pub(crate) async fn load(entry: &Entry, cx: &Context, tx: &mut Tx, ids: &[&str]) -> Result<Vec<Record>> {
    by_ids(entry, cx, tx, ids, None, vec![true; entry.table.attributes.len()]).await
}

/// One whole object, if it is there, and the rows of a SELECT that goes along.
pub(crate) async fn load_beside(entry: &Entry, cx: &Context, tx: &mut Tx, id: &str, beside: Sql) -> Result<(Option<Record>, Vec<Row>)> {
    let (mut records, rows) = with(entry, cx, tx, &[id], None, vec![true; entry.table.attributes.len()], Some(beside)).await?;
    Ok((records.pop(), rows))
}

/// Reads what was left out of the SELECT of a page, and runs the loaders whose attributes are wanted.
#[inline(never)]
pub(crate) fn fill<'a>(
    entry: &'a Entry,
    cx: &'a Context,
    tx: &'a mut Tx,
    rows: Vec<Record>,
    wanted: Vec<bool>,
    apart: Vec<Apart>,
    extent: Extent,
) -> Pending<'a, Vec<Record>> {
    Box::pin(async move {
        if rows.is_empty() {
            return Ok(rows);
        }
        let mut page = Page::new(entry.table.clone(), rows, wanted);
        if page.rows.len() >= MANY {
            page.extent = extent;
        }
        let due = due(entry, &page);
        complete(cx, tx, &mut page, due, &apart).await?;
        Ok(page.rows)
    })
}

/// A loader that has something to fill.
struct Due<'a> {
    loader: &'a Arc<dyn Loader>,
    /// Does its query run?
    asked: bool,
    rows: Option<Vec<Row>>,
}

fn due<'a>(entry: &'a Entry, page: &Page) -> Vec<Due<'a>> {
    let due = entry.loaders.iter().filter(|loader| page.wants(loader.fills()));
    due.map(|loader| Due { loader, asked: false, rows: None }).collect()
}

/// Asks for what is not there yet, and fills the page.
async fn complete(cx: &Context, tx: &mut Tx, page: &mut Page, mut due: Vec<Due<'_>>, apart: &[Apart]) -> Result<()> {
    let mut selects: Vec<Sql> = apart.iter().map(|apart| apart.query(tx.dialect(), page)).collect();
    for due in due.iter_mut().filter(|due| !due.asked) {
        if let Some(sql) = due.loader.query(tx.dialect(), page) {
            selects.push(sql);
            due.asked = true;
        }
    }
    let mut results = tx.select_together(selects).await?.into_iter();
    for apart in apart {
        apart.fill(page, results.next().unwrap_or_default())?;
    }
    for due in due {
        if due.asked {
            due.loader.fill(page, due.rows.or_else(|| results.next()).unwrap_or_default())?;
        } else {
            due.loader.load(cx, tx, page).await?;
        }
    }
    Ok(())
}
