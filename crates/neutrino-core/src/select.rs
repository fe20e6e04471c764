// SPDX-License-Identifier: Apache-2.0
//! From a table and a query to one SELECT, and from its rows to records.
//!
//! One-to-one tables are joined only when an attribute of theirs is wanted, filtered or sorted by. Everything a caller sends is bound,
//! never spliced; names come from static tables.

use std::sync::Arc;

use chrono::NaiveDateTime;
use neutrino_db::{Arg, Dialect, Row, Sql};
use neutrino_model::{Attribute, Column, Join, Kind, Place, Record, Source, Visibility};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::Value;

use crate::{Authorized, Context, Direction, Filter, ListQuery, apart::Apart, registry::Entry};

/// Which attributes to fetch for the fields a caller wants: those, what policy needs, the key, and what their loaders read.
pub(crate) fn wanted(entry: &Entry, fields: Option<&[String]>, auth: Option<&Authorized>) -> Vec<bool> {
    let table = &entry.table;
    let mut wanted: Vec<bool> = match fields {
        None => table.attributes.iter().map(|a| a.visible || a.required_by_policy).collect(),
        Some(fields) => {
            let key = table.primary_key();
            let mut wanted: Vec<bool> =
                table.attributes.iter().enumerate().map(|(at, a)| key == Some(at) || a.required_by_policy).collect();
            for at in fields.iter().filter_map(|name| table.find(name)) {
                wanted[at] = true;
            }
            wanted
        }
    };
    if let Some(auth) = auth {
        auth.mark(entry, &mut wanted);
    }
    // What a loader reads may come from another one, which reads something in its turn.
    loop {
        let before = wanted.iter().filter(|wanted| **wanted).count();
        for loader in &entry.loaders {
            if loader.fills().iter().any(|name| table.find(name).is_some_and(|at| wanted[at])) {
                for at in loader.needs().iter().filter_map(|name| table.find(name)) {
                    wanted[at] = true;
                }
            }
        }
        if wanted.iter().filter(|wanted| **wanted).count() == before {
            return wanted;
        }
    }
}

/// Room for the text of a SELECT over a table with many one-to-one tables.
const TEXT: usize = 4096;

/// A SELECT being put together.
pub(crate) struct Select<'a> {
    entry: &'a Entry,
    cx: &'a Context,
    dialect: Dialect,
    wanted: &'a [bool],
    /// One-to-one tables that are left out, to be read by statements of their own.
    apart: Vec<Apart>,
    /// By attribute: is it in one of them? Nothing when there is none.
    left_out: Vec<bool>,
}

impl<'a> Select<'a> {
    pub fn new(entry: &'a Entry, cx: &'a Context, dialect: Dialect, wanted: &'a [bool]) -> Self {
        Self { entry, cx, dialect, wanted, apart: Vec::new(), left_out: Vec::new() }
    }

    /// Leaves out the one-to-one tables of this query that neither its filters nor its order needs: a join costs the database about as much for a
    /// row that is not there as for one that is, and these tables are mostly empty.
    pub fn leave_out_tables(&mut self, query: &ListQuery) {
        let used: Vec<usize> = query.filters.iter().map(|f| f.attribute).chain(query.sort.iter().map(|(at, _)| *at)).collect();
        self.apart = Apart::of(&self.entry.table, self.wanted, &used);
        self.left_out = vec![false; self.wanted.len()];
        for at in self.apart.iter().flat_map(Apart::attributes) {
            self.left_out[at] = true;
        }
    }

    /// The tables that were left out.
    pub fn into_apart(self) -> Vec<Apart> {
        self.apart
    }

    fn is_left_out(&self, at: usize) -> bool {
        self.left_out.get(at).copied().unwrap_or_default()
    }

    fn attribute(&self, at: usize) -> &Attribute {
        &self.entry.table.attributes[at]
    }

    /// SQL text with `:project` bound to the caller's project.
    fn with_project(&self, text: &str) -> Sql {
        let mut sql = Sql::default();
        self.push_with_project(&mut sql, text);
        sql
    }

    fn push_with_project(&self, sql: &mut Sql, text: &str) {
        for (n, part) in text.split(":project").enumerate() {
            if n > 0 {
                sql.bind(self.cx.project_id());
            }
            sql.push(part);
        }
    }

    fn push_column(sql: &mut Sql, column: &Column) {
        match column.place {
            Place::Main => sql.push("t"),
            Place::Standard => sql.push("std"),
            Place::Joined(join) => sql.push_name(join.table),
        };
        sql.push(".").push_name(column.name);
    }

    /// The attribute as an SQL value to compare or order by; an absent one-to-one row counts as the default.
    fn operand(&self, at: usize) -> Option<(Sql, Kind)> {
        let attribute = self.attribute(at);
        match &attribute.source {
            Source::Column(column) => {
                let mut name = Sql::default();
                Self::push_column(&mut name, column);
                let absent = match column.place {
                    Place::Joined(_) => Some(attribute.unstored()).filter(|v| !v.is_null()),
                    _ => None,
                };
                let sql = match absent {
                    Some(default) => {
                        let mut sql = Sql::raw("COALESCE(");
                        sql.append(name).push(", ").bind(encode(column.kind, &default)).push(")");
                        sql
                    }
                    None => name,
                };
                Some((sql, column.kind))
            }
            Source::Expr { sql, kind } => Some((self.with_project(&format!("({sql})")), *kind)),
            Source::Request | Source::Loaded => None,
        }
    }

    /// The statement for one page. `marker` holds the marker row's values of the sort keys.
    pub fn page(&self, query: &ListQuery, extra: Option<Sql>, marker: Option<&Record>) -> Result<Sql> {
        let order = self.order(query);
        let mut sql = self.head(query.filters.iter().map(|f| f.attribute).chain(order.iter().map(|o| o.0)))?;
        let mut conditions = Vec::new();
        conditions.extend(self.visible());
        conditions.extend(extra);
        for filter in &query.filters {
            conditions.push(self.condition(filter)?);
        }
        if let Some(marker) = marker {
            conditions.push(self.after(&order, marker));
        }
        if !conditions.is_empty() {
            sql.push(" WHERE ").append(Sql::join(conditions, " AND "));
        }
        for (n, (at, direction)) in order.iter().enumerate() {
            sql.push(if n == 0 { " ORDER BY " } else { ", " });
            let Some((operand, _)) = self.operand(*at) else {
                return Err(Error::internal(format!("no column to sort by for {}", self.attribute(*at).name)));
            };
            sql.append(operand).push(match (direction, self.dialect) {
                (Direction::Asc, Dialect::Postgres) => " ASC NULLS FIRST",
                (Direction::Desc, Dialect::Postgres) => " DESC NULLS LAST",
                (Direction::Asc, _) => " ASC",
                (Direction::Desc, _) => " DESC",
            });
        }
        if let Some(limit) = query.limit {
            sql.push(&format!(" LIMIT {limit}"));
        }
        Ok(sql)
    }

    /// `SELECT ... FROM ... JOIN ...` for the wanted attributes and the others that conditions touch.
    fn head(&self, others: impl Iterator<Item = usize>) -> Result<Sql> {
        let resource = self.entry.table.resource;
        let table = resource.table.ok_or_else(|| Error::internal(format!("{} has no table", resource.collection)))?;
        let mut sql = Sql::raw(String::with_capacity(TEXT));
        sql.push("SELECT ").push(if resource.standard.is_some() { "t.standard_attr_id" } else { "0" });
        let mut standard = false;
        let mut joins: Vec<&'static Join> = Vec::new();
        let mut join = |attribute: &Attribute| {
            if let Source::Column(column) = &attribute.source {
                match column.place {
                    Place::Standard => standard = true,
                    Place::Joined(j) if !joins.iter().any(|known| known.table == j.table) => joins.push(j),
                    _ => {}
                }
            }
        };
        for (at, attribute) in self.entry.table.attributes.iter().enumerate() {
            if !self.wanted[at] {
                continue;
            }
            match &attribute.source {
                Source::Column(_) if self.is_left_out(at) => {}
                Source::Column(column) => {
                    Self::push_column(sql.push(", "), column);
                    join(attribute);
                }
                Source::Expr { sql: text, .. } => {
                    self.push_with_project(sql.push(", "), text);
                }
                Source::Request | Source::Loaded => {}
            }
        }
        others.for_each(|at| join(self.attribute(at)));
        sql.push(" FROM ").push_name(table).push(" t");
        if standard {
            sql.push(" JOIN standardattributes std ON std.id = t.standard_attr_id");
        }
        for j in joins {
            sql.push(" LEFT JOIN ").push_name(j.table).push(" ON ").push_name(j.table).push(".").push_name(j.key).push(" = t.").push(j.of);
        }
        Ok(sql)
    }

    /// Would a page of this query be of all rows that the table has, but for its limit and marker?
    pub fn has_no_condition(&self, query: &ListQuery) -> bool {
        query.filters.is_empty() && self.visible().is_none()
    }

    fn visible(&self) -> Option<Sql> {
        if self.cx.sees_all() {
            return None;
        }
        match self.entry.table.resource.visibility {
            Visibility::Everyone => None,
            Visibility::Admin => Some(Sql::raw("1 = 0")),
            Visibility::Owner => Some(self.with_project("t.project_id = :project")),
            Visibility::Sql(text) => Some(self.with_project(text)),
        }
    }

    fn condition(&self, filter: &Filter) -> Result<Sql> {
        let attribute = self.attribute(filter.attribute);
        for loader in &self.entry.loaders {
            if loader.fills().contains(&attribute.name)
                && let Some(sql) = loader.filter(self.cx, self.dialect, attribute.name, &filter.values)?
            {
                return Ok(sql);
            }
        }
        let Some((operand, kind)) = self.operand(filter.attribute) else {
            return Err(kinds::BAD_REQUEST
                .error(format!("Lists of {} cannot be filtered by '{}'.", self.entry.table.resource.collection, attribute.name)));
        };
        let mut alternatives = Vec::new();
        if filter.values.iter().any(Value::is_null) {
            let mut null = operand.clone();
            null.push(" IS NULL");
            alternatives.push(null);
        }
        match kind {
            Kind::Bool => {
                for truth in filter.values.iter().filter_map(Value::as_bool) {
                    let mut sql = operand.clone();
                    // SQLite and MySQL keep truth values as 0 and 1, and expressions yield them.
                    sql.push(" = ").bind(truth);
                    alternatives.push(sql);
                }
            }
            Kind::Int | Kind::IntText => {
                for number in filter.values.iter().filter_map(as_int) {
                    let mut sql = operand.clone();
                    sql.push(" = ").bind(number);
                    alternatives.push(sql);
                }
            }
            Kind::Time | Kind::Json | Kind::Text => {
                let texts: Vec<String> = filter.values.iter().filter(|v| !v.is_null()).map(as_text).collect();
                if !texts.is_empty() {
                    let mut sql = Sql::new(String::new(), operand.args.clone());
                    sql.append(Sql::in_texts(self.dialect, &operand.text, texts.iter().map(String::as_str)));
                    alternatives.push(sql);
                }
            }
        }
        if alternatives.is_empty() {
            return Ok(Sql::raw("1 = 0"));
        }
        Ok(Sql::join(alternatives, " OR "))
    }

    /// The sort keys asked for, then the primary key; all reversed for a page that comes before its marker.
    pub fn order(&self, query: &ListQuery) -> Vec<(usize, Direction)> {
        let mut order = query.sort.clone();
        if let Some(key) = self.entry.table.primary_key()
            && !order.iter().any(|(at, _)| *at == key)
        {
            order.push((key, Direction::Asc));
        }
        if query.page_reverse {
            for (_, direction) in &mut order {
                *direction = direction.reversed();
            }
        }
        order
    }

    /// Rows that follow the marker row in this order. NULL comes first, as in the ORDER BY.
    fn after(&self, order: &[(usize, Direction)], marker: &Record) -> Sql {
        let mut alternatives = Vec::new();
        for n in 0..order.len() {
            let mut all: Vec<Sql> = order[..n].iter().filter_map(|(at, _)| self.equals(*at, marker)).collect();
            let (at, direction) = order[n];
            let Some(beyond) = self.beyond(at, direction, marker) else { continue };
            all.push(beyond);
            alternatives.push(Sql::join(all, " AND "));
        }
        if alternatives.is_empty() { Sql::raw("1 = 0") } else { Sql::join(alternatives, " OR ") }
    }

    fn equals(&self, at: usize, marker: &Record) -> Option<Sql> {
        let (mut sql, kind) = self.operand(at)?;
        match marker.at(at) {
            Value::Null => sql.push(" IS NULL"),
            value => sql.push(" = ").bind(encode(kind, value)),
        };
        Some(sql)
    }

    fn beyond(&self, at: usize, direction: Direction, marker: &Record) -> Option<Sql> {
        let (operand, kind) = self.operand(at)?;
        let mut sql = operand.clone();
        match (marker.at(at), direction) {
            (Value::Null, Direction::Asc) => sql.push(" IS NOT NULL"),
            (Value::Null, Direction::Desc) => return None,
            (value, Direction::Asc) => sql.push(" > ").bind(encode(kind, value)),
            (value, Direction::Desc) => sql.push(" < ").bind(encode(kind, value)).push(" OR ").append(operand).push(" IS NULL"),
        };
        Some(sql)
    }

    /// A record of a row of this SELECT.
    pub fn decode(&self, mut row: Row) -> Result<Record> {
        let mut record = Record::new(Arc::clone(&self.entry.table));
        record.standard_attr_id = row.opt_int(0)?.unwrap_or_default();
        let mut column = 0;
        for (at, attribute) in self.entry.table.attributes.iter().enumerate() {
            if !self.wanted[at] {
                continue;
            }
            let (kind, joined) = match &attribute.source {
                Source::Column(_) if self.is_left_out(at) => {
                    record.set_at(at, attribute.unstored());
                    continue;
                }
                Source::Column(c) => (c.kind, matches!(c.place, Place::Joined(_))),
                Source::Expr { kind, .. } => (*kind, false),
                Source::Request | Source::Loaded => continue,
            };
            column += 1;
            let value = decode(&mut row, column, kind)?;
            let value = match value {
                Value::Null if joined || kind == Kind::Json => attribute.unstored(),
                value => value,
            };
            record.set_at(at, value);
        }
        Ok(record)
    }
}

/// The value in a column of a row; NULL for an empty one that is to hold JSON.
pub(crate) fn decode(row: &mut Row, column: usize, kind: Kind) -> Result<Value> {
    Ok(match kind {
        Kind::Text => row.take_text(column)?.map_or(Value::Null, Value::String),
        Kind::Int => row.opt_int(column)?.map_or(Value::Null, Value::from),
        Kind::IntText => row.opt_int(column)?.map_or(Value::Null, |v| Value::String(v.to_string())),
        Kind::Bool => row.opt_bool(column)?.map_or(Value::Null, Value::Bool),
        Kind::Json => match row.opt_text(column)?.as_deref() {
            None | Some("") => Value::Null,
            Some(text) => serde_json::from_str(text).map_err(|e| Error::internal(format!("a stored value is no JSON: {e}: {text}")))?,
        },
        Kind::Time => row.opt_iso_time(column)?.map_or(Value::Null, Value::String),
    })
}

/// A JSON value as what the column takes.
#[must_use]
pub(crate) fn encode(kind: Kind, value: &Value) -> Arg {
    match (kind, value) {
        (_, Value::Null) => Arg::Null,
        (Kind::Json, value) => Arg::Text(value.to_string()),
        (Kind::Int | Kind::IntText, value) => as_int(value).into(),
        (Kind::Bool, value) => value.as_bool().into(),
        (Kind::Time, value) => value.as_str().and_then(|t| NaiveDateTime::parse_from_str(t, "%Y-%m-%dT%H:%M:%SZ").ok()).into(),
        (Kind::Text, value) => Arg::Text(as_text(value)),
    }
}

fn as_int(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok())).or_else(|| value.as_bool().map(i64::from))
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
