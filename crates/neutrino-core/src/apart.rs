// SPDX-License-Identifier: Apache-2.0
//! One-to-one tables read beside a long page, instead of being joined to each of its rows.
//!
//! They go with the loaders' SELECTs, so they cost no statement more; and they cost what they hold, mostly nothing.

use std::collections::HashMap;

use neutrino_db::{Dialect, Row, Sql};
use neutrino_model::{Extent, Join, Kind, Page, Place, Source, Table};
use neutrino_types::Result;
use serde_json::Value;

use crate::{loading::of_page, select::decode};

/// A one-to-one table, and which attributes its columns are.
pub(crate) struct Apart {
    join: &'static Join,
    /// The attribute by which a row of the page finds its row here.
    by: usize,
    columns: Vec<Filled>,
}

struct Filled {
    attribute: usize,
    name: &'static str,
    kind: Kind,
}

impl Apart {
    /// The tables of wanted attributes that none of the `used` attributes is in.
    pub fn of(table: &Table, wanted: &[bool], used: &[usize]) -> Vec<Self> {
        let stored = |at: usize| match &table.attributes[at].source {
            Source::Column(column) => match column.place {
                Place::Joined(join) => Some((join, column)),
                Place::Main | Place::Standard => None,
            },
            _ => None,
        };
        let is_used = |join: &Join| used.iter().filter_map(|at| stored(*at)).any(|(other, _)| other.table == join.table);
        let mut found: Vec<Self> = Vec::new();
        for attribute in (0..table.attributes.len()).filter(|at| wanted[*at]) {
            let Some((join, column)) = stored(attribute) else { continue };
            let Some(by) = table.find(join.of).filter(|by| wanted[*by] && !is_used(join)) else { continue };
            let filled = Filled { attribute, name: column.name, kind: column.kind };
            match found.iter_mut().find(|apart| apart.join.table == join.table) {
                Some(apart) => apart.columns.push(filled),
                None => found.push(Self { join, by, columns: vec![filled] }),
            }
        }
        found
    }

    /// The attributes that are in it.
    pub fn attributes(&self) -> impl Iterator<Item = usize> {
        self.columns.iter().map(|column| column.attribute)
    }

    /// What the table holds for this page; rows of others may come, too.
    pub fn query(&self, dialect: Dialect, page: &Page) -> Sql {
        let mut sql = Sql::raw("SELECT ");
        sql.push_name(self.join.key);
        for column in &self.columns {
            sql.push(", ").push_name(column.name);
        }
        sql.push(" FROM ").push_name(self.join.table).push(" WHERE ");
        let key = neutrino_db::quote(self.join.key);
        let condition = if self.is_of_object() || page.extent == Extent::All {
            of_page(dialect, &key, page)
        } else {
            let mut owners: Vec<&str> = page.rows.iter().filter_map(|row| row.at(self.by).as_str()).collect();
            owners.sort_unstable();
            owners.dedup();
            Sql::in_texts(dialect, &key, owners)
        };
        sql.append(condition);
        sql
    }

    /// Is a row of the table that of one object, rather than of what several belong to?
    fn is_of_object(&self) -> bool {
        self.join.of == "id"
    }

    pub fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let read = |mut row: Row| -> Result<(String, Vec<Value>)> {
            let values = self.columns.iter().enumerate().map(|(n, column)| decode(&mut row, n + 1, column.kind)).collect::<Result<_>>()?;
            Ok((row.text(0)?, values))
        };
        if self.is_of_object() {
            let places = page.by_id();
            for row in rows {
                let (id, values) = read(row)?;
                if let Some(at) = places.get(&id) {
                    self.set(page, *at, values);
                }
            }
            return Ok(());
        }
        let rows = rows.into_iter().map(read).collect::<Result<HashMap<_, _>>>()?;
        for at in 0..page.rows.len() {
            if let Some(values) = page.rows[at].at(self.by).as_str().and_then(|owner| rows.get(owner)) {
                self.set(page, at, values.clone());
            }
        }
        Ok(())
    }

    /// Where a column holds nothing, what stands for that stays.
    fn set(&self, page: &mut Page, at: usize, values: Vec<Value>) {
        for (column, value) in self.columns.iter().zip(values) {
            if !value.is_null() {
                page.rows[at].set_at(column.attribute, value);
            }
        }
    }
}
