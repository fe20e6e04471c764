// SPDX-License-Identifier: Apache-2.0
//! A stored object as the API sees it: one slot per attribute of its table. And a page of them, and how they become JSON.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use foldhash::fast::RandomState;
use serde_json::Value;

use crate::Table;

/// One object. A slot that nothing filled is JSON null.
#[derive(Clone, Debug)]
pub struct Record {
    table: Arc<Table>,
    slots: Box<[Value]>,
    /// `standardattributes.id`, 0 where the resource has none.
    pub standard_attr_id: i64,
}

impl Record {
    #[must_use]
    pub fn new(table: Arc<Table>) -> Self {
        let slots = std::iter::repeat_with(|| Value::Null).take(table.attributes.len()).collect();
        Self { table, slots, standard_attr_id: 0 }
    }

    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// The value of an attribute; null for an unknown name.
    #[must_use]
    pub fn get(&self, name: &str) -> &Value {
        self.table.find(name).map_or(&Value::Null, |at| &self.slots[at])
    }

    #[must_use]
    pub fn at(&self, index: usize) -> &Value {
        &self.slots[index]
    }

    pub fn set_at(&mut self, index: usize, value: Value) {
        self.slots[index] = value;
    }

    /// Fills an attribute; an unknown name (an extension that is off) is left out.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(at) = self.table.find(name) {
            self.slots[at] = value.into();
        }
    }

    /// The value of an attribute, null in its place.
    pub fn take(&mut self, name: &str) -> Value {
        self.table.find(name).map_or(Value::Null, |at| self.slots[at].take())
    }

    /// The text of an attribute; empty for null and for what is no text.
    #[must_use]
    pub fn str(&self, name: &str) -> &str {
        self.get(name).as_str().unwrap_or_default()
    }

    /// The text of an attribute, `None` for null.
    #[must_use]
    pub fn opt_str(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    #[must_use]
    pub fn bool(&self, name: &str) -> bool {
        self.get(name).as_bool().unwrap_or_default()
    }

    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name).as_i64()
    }

    #[must_use]
    pub fn list(&self, name: &str) -> &[Value] {
        self.get(name).as_array().map_or(&[], Vec::as_slice)
    }

    #[must_use]
    pub fn id(&self) -> &str {
        self.str("id")
    }

    #[must_use]
    pub fn project_id(&self) -> &str {
        self.str("project_id")
    }
}

/// A JSON object of these members; `json!` would copy the values.
#[must_use]
pub fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Which part of all objects of a table a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Any.
    Some,
    /// All whose ids lie between those of the first row and the last; the rows are in the order of their ids.
    Run,
    All,
}

/// Positions of the rows of a page by their ids.
pub type Places = HashMap<String, usize, RandomState>;

/// Rows of one table that are loaded together, so that a loader runs one statement for all of them.
#[derive(Debug)]
pub struct Page {
    pub rows: Vec<Record>,
    /// By attribute index: does the caller want it? A loader whose attributes nobody wants does nothing.
    pub wanted: Vec<bool>,
    pub extent: Extent,
    /// Only the ids are known yet, and what is not there is among them.
    pub is_unread: bool,
    table: Arc<Table>,
    places: OnceLock<Arc<Places>>,
}

impl Page {
    #[must_use]
    pub fn new(table: Arc<Table>, rows: Vec<Record>, wanted: Vec<bool>) -> Self {
        Self { rows, wanted, extent: Extent::Some, is_unread: false, table, places: OnceLock::new() }
    }

    /// The page of the objects with these ids, before they are read.
    #[must_use]
    pub fn unread(table: Arc<Table>, ids: &[&str], wanted: Vec<bool>) -> Self {
        let row = |id: &&str| {
            let mut row = Record::new(Arc::clone(&table));
            row.set("id", *id);
            row
        };
        let rows = ids.iter().map(row).collect();
        Self { is_unread: true, ..Self::new(table, rows, wanted) }
    }

    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// True when any of these attributes is wanted and on.
    #[must_use]
    pub fn wants(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.table.find(name).is_some_and(|at| self.wanted[at]))
    }

    /// The ids of the rows.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(Record::id)
    }

    #[must_use]
    pub fn standard_attr_ids(&self) -> Vec<i64> {
        self.rows.iter().map(|row| row.standard_attr_id).collect()
    }

    /// Positions of rows by their id; made once for all loaders of the page.
    #[must_use]
    pub fn by_id(&self) -> Arc<Places> {
        let make = || Arc::new(self.rows.iter().enumerate().map(|(at, row)| (row.id().to_owned(), at)).collect());
        Arc::clone(self.places.get_or_init(make))
    }

    /// Fills an attribute of every row.
    pub fn fill(&mut self, name: &str, value: &Value) {
        if let Some(at) = self.table.find(name) {
            for row in &mut self.rows {
                row.set_at(at, value.clone());
            }
        }
    }

    /// Appends a value to a list attribute of one row.
    pub fn push(&mut self, row: usize, name: &str, value: Value) {
        let Some(at) = self.table.find(name) else { return };
        let Some(record) = self.rows.get_mut(row) else { return };
        match &mut record.slots[at] {
            Value::Array(list) => list.push(value),
            slot => *slot = Value::Array(vec![value]),
        }
    }
}

/// Which attributes an answer carries, decided once per request.
#[derive(Debug)]
pub struct View {
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    /// The attribute's index.
    at: usize,
    name: &'static str,
    omit_when: Option<fn(&Record) -> bool>,
    raw_json: bool,
}

impl View {
    /// The visible attributes that `keep` lets through, in the table's order; the project under both its names.
    #[must_use]
    pub fn new(table: &Table, mut keep: impl FnMut(&str) -> bool) -> Self {
        let mut keys = Vec::with_capacity(table.attributes.len() + 1);
        for (at, attribute) in table.attributes.iter().enumerate() {
            if !attribute.visible {
                continue;
            }
            let names = if table.is_project(at) { &["project_id", "tenant_id"][..] } else { &[attribute.name][..] };
            for &name in names {
                if keep(name) {
                    keys.push(Key { at, name, omit_when: attribute.omit_when, raw_json: attribute.raw_json });
                }
            }
        }
        Self { keys }
    }

    /// Appends the record as a JSON object.
    pub fn write(&self, record: &Record, out: &mut Vec<u8>) {
        out.push(b'{');
        let mut first = true;
        for key in &self.keys {
            if key.omit_when.is_some_and(|absent| absent(record)) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.extend_from_slice(b", ");
            }
            out.push(b'"');
            out.extend_from_slice(key.name.as_bytes());
            out.extend_from_slice(b"\": ");
            match record.at(key.at) {
                Value::String(text) if key.raw_json => out.extend_from_slice(text.as_bytes()),
                value => write_value(value, out),
            }
        }
        out.push(b'}');
    }
}

/// Serialization of a `Value` into memory cannot fail: it has no maps with keys that are no text, and a `Vec` takes every byte.
fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        other => _ = serde_json::to_writer(out, other),
    }
}
