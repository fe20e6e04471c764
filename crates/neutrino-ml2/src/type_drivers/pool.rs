// SPDX-License-Identifier: Apache-2.0
//! A table of allocations: one row for each segmentation id of the configured ranges, and whether it is taken.
//!
//! Rows outside the ranges exist while somebody asked for just that id. Invariant: an id is given to one taker only, by
//! compare-and-swap on `allocated` and by the table's primary key; no row is locked while a candidate is looked for.

use std::collections::BTreeMap;

use neutrino_core::Context;
use neutrino_db::{Arg, Sql, Tx, quote};
use neutrino_types::{Error, Result};

/// How many free ids are looked at together, so that concurrent takers rarely meet (`IDPOOL_SELECT_SIZE` of Neutron).
const WINDOW: i64 = 100;
/// How many candidates of a window are tried before the transaction starts anew.
const TRIES: usize = 8;
/// How many rows one statement of the synchronisation makes. The numbers come from four decimal digits.
const BLOCK: i64 = 10_000;

/// Ranges that one statement counts: databases bound the columns of a result.
const COUNTED: usize = 200;

/// First and last id, both allowed.
pub type Range = (i64, i64);

/// One of Neutron's `ml2_*_allocations` tables.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    pub table: &'static str,
    /// The column of the segmentation id.
    pub key: &'static str,
    /// Is an id one of a physical network (`physical_network`), or one for the whole deployment?
    pub by_physical_network: bool,
}

impl Pool {
    fn place(&self, physical_network: Option<&str>) -> Sql {
        match physical_network.filter(|_| self.by_physical_network) {
            Some(name) => Sql::new("physical_network = ? AND ", vec![name.into()]),
            None => Sql::default(),
        }
    }

    fn row(&self, physical_network: Option<&str>, id: i64) -> Sql {
        let mut sql = self.place(physical_network);
        sql.push(&quote(self.key)).push(" = ").bind(id);
        sql
    }

    /// Takes a free id, chosen at random among the lowest that are free; `None` when all are taken.
    pub async fn take_any(&self, cx: &Context, tx: &mut Tx, physical_network: Option<&str>, ranges: &[Range]) -> Result<Option<i64>> {
        if ranges.is_empty() {
            return Ok(None);
        }
        let mut free = self.lowest_free(tx, physical_network, ranges).await?;
        if free.is_empty() {
            return Ok(None);
        }
        for _ in 0..TRIES.min(free.len()) {
            let id = free.swap_remove(below(cx, free.len()));
            if self.swap(tx, physical_network, id, false, true).await? {
                return Ok(Some(id));
            }
        }
        Err(Error::stale(format!("{}: all candidates were taken in between", self.table)))
    }

    /// The lowest free ids of these ranges. Neutron's tables have an index of what is free, which gives them in order.
    async fn lowest_free(&self, tx: &mut Tx, physical_network: Option<&str>, ranges: &[Range]) -> Result<Vec<i64>> {
        let key = quote(self.key);
        let mut sql = Sql::raw(format!("SELECT {key} FROM {} WHERE ", self.table));
        sql.append(self.place(physical_network)).push("allocated = ").bind(false).push(" AND (");
        for (n, (first, last)) in merged(ranges).into_iter().enumerate() {
            sql.push(if n > 0 { " OR " } else { "" }).push(&key).push(" BETWEEN ").bind(first).push(" AND ").bind(last);
        }
        sql.push(&format!(") ORDER BY {key} LIMIT {WINDOW}"));
        tx.select(sql).await?.iter().map(|row| row.int(0)).collect()
    }

    /// Takes this id, whether it is in the ranges or not; false when it is taken.
    pub async fn take(&self, tx: &mut Tx, physical_network: Option<&str>, id: i64) -> Result<bool> {
        if self.swap(tx, physical_network, id, false, true).await? {
            return Ok(true);
        }
        let (columns, marks) = if self.by_physical_network { ("physical_network, ", "?, ") } else { ("", "") };
        let mut args: Vec<Arg> = Vec::new();
        if self.by_physical_network {
            args.push(physical_network.into());
        }
        args.extend([id.into(), true.into()]);
        let text = format!("INSERT INTO {} ({columns}{}, allocated) VALUES ({marks}?, ?)", self.table, quote(self.key));
        match tx.execute(&text, args).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_duplicate("") => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn swap(&self, tx: &mut Tx, physical_network: Option<&str>, id: i64, from: bool, to: bool) -> Result<bool> {
        let mut sql = Sql::raw(format!("UPDATE {} SET allocated = ", self.table));
        sql.bind(to).push(" WHERE ").append(self.row(physical_network, id)).push(" AND allocated = ").bind(from);
        Ok(tx.run(sql).await? > 0)
    }

    /// Gives an id back: its row stays when it is one of the ranges.
    pub async fn release(&self, tx: &mut Tx, physical_network: Option<&str>, id: i64, ranges: &[Range]) -> Result<()> {
        let found = if ranges.iter().any(|(first, last)| (*first..=*last).contains(&id)) {
            self.swap(tx, physical_network, id, true, false).await?
        } else {
            let mut sql = Sql::raw(format!("DELETE FROM {} WHERE ", self.table));
            sql.append(self.row(physical_network, id));
            tx.run(sql).await? > 0
        };
        if !found {
            tracing::warn!("{}: {id} of {} was not allocated when it was released", self.table, physical_network.unwrap_or("all"));
        }
        Ok(())
    }

    /// Makes the rows those of the ranges: adds what is missing, removes what is outside and free. Physical networks that are no
    /// longer configured lose all their rows, as in Neutron. For a pool without physical networks there is one entry, `""`.
    pub async fn sync(&self, tx: &mut Tx, wanted: &BTreeMap<String, Vec<Range>>) -> Result<()> {
        if self.by_physical_network {
            self.drop_physical_networks(tx, wanted).await?;
        }
        for (physical_network, ranges) in wanted {
            let place = self.by_physical_network.then_some(physical_network.as_str());
            self.sync_ranges(tx, place, &merged(ranges)).await?;
        }
        Ok(())
    }

    async fn drop_physical_networks(&self, tx: &mut Tx, wanted: &BTreeMap<String, Vec<Range>>) -> Result<()> {
        let rows = tx.query(&format!("SELECT DISTINCT physical_network FROM {}", self.table), vec![]).await?;
        for row in rows {
            let name = row.text(0)?;
            if !wanted.contains_key(&name) {
                tx.execute(&format!("DELETE FROM {} WHERE physical_network = ?", self.table), vec![name.into()]).await?;
            }
        }
        Ok(())
    }

    async fn sync_ranges(&self, tx: &mut Tx, physical_network: Option<&str>, ranges: &[Range]) -> Result<()> {
        let mut outside = Sql::raw(format!("DELETE FROM {} WHERE ", self.table));
        outside.append(self.place(physical_network)).push("allocated = ").bind(false);
        for (first, last) in ranges {
            outside.push(&format!(" AND NOT ({} BETWEEN ", quote(self.key))).bind(*first).push(" AND ").bind(*last).push(")");
        }
        tx.run(outside).await?;
        for ranges in ranges.chunks(COUNTED) {
            let counts = self.counts(tx, physical_network, ranges).await?;
            for ((first, last), _) in ranges.iter().zip(counts).filter(|((first, last), count)| *count != last - first + 1) {
                let mut from = *first;
                while from <= *last {
                    let to = (*last).min(from + BLOCK - 1);
                    self.add_missing(tx, physical_network, (from, to)).await?;
                    from = to + 1;
                }
            }
        }
        Ok(())
    }

    /// How many ids of each range have a row; one statement.
    async fn counts(&self, tx: &mut Tx, physical_network: Option<&str>, ranges: &[Range]) -> Result<Vec<i64>> {
        let mut sql = Sql::raw("SELECT ");
        for (n, (first, last)) in ranges.iter().enumerate() {
            sql.push(if n > 0 { ", " } else { "" });
            sql.push(&format!("count(CASE WHEN {} BETWEEN ", quote(self.key))).bind(*first).push(" AND ").bind(*last).push(" THEN 1 END)");
        }
        sql.push(&format!(" FROM {} WHERE ", self.table)).append(self.place(physical_network)).push("1 = 1");
        let Some(row) = tx.select(sql).await?.into_iter().next() else { return Ok(Vec::new()) };
        (0..ranges.len()).map(|n| row.int(n)).collect()
    }

    async fn add_missing(&self, tx: &mut Tx, physical_network: Option<&str>, (from, to): Range) -> Result<()> {
        const DIGIT: &str = "(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 \
                             UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)";
        let key = quote(self.key);
        let mut sql = Sql::raw(format!("INSERT INTO {} (", self.table));
        if self.by_physical_network {
            sql.push("physical_network, ").push(&key).push(", allocated) SELECT ").bind(physical_network).push(", n, ");
        } else {
            sql.push(&key).push(", allocated) SELECT n, ");
        }
        sql.bind(false).push(" FROM (SELECT ").bind(from).push(" + a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM ");
        for (n, name) in ["a", "b", "c", "e"].iter().enumerate() {
            sql.push(if n == 0 { "" } else { " CROSS JOIN " }).push(DIGIT).push(" ").push(name);
        }
        sql.push(") numbers WHERE n <= ").bind(to);
        sql.push(&format!(" AND NOT EXISTS (SELECT 1 FROM {0} known WHERE known.{key} = numbers.n", self.table));
        if self.by_physical_network {
            sql.push(" AND known.physical_network = ").bind(physical_network);
        }
        sql.push(")");
        tx.run(sql).await?;
        Ok(())
    }
}

/// A number below `count`, which is not 0.
fn below(cx: &Context, count: usize) -> usize {
    usize::try_from(cx.random() % (count as u64)).unwrap_or_default()
}

/// The same ids as ranges that neither overlap nor touch, in order.
#[must_use]
pub fn merged(ranges: &[Range]) -> Vec<Range> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable();
    let mut out: Vec<Range> = Vec::with_capacity(sorted.len());
    for (first, last) in sorted {
        match out.last_mut() {
            Some(before) if first <= before.1 + 1 => before.1 = before.1.max(last),
            _ => out.push((first, last)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_merge() {
        assert_eq!(merged(&[(5, 9), (1, 3), (4, 4), (20, 30), (25, 26)]), [(1, 9), (20, 30)]);
    }
}
