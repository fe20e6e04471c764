// SPDX-License-Identifier: Apache-2.0
//! From a body to the rows it means: columns of the main table, of `standardattributes`, and of the one-to-one tables.

use neutrino_db::Arg;
use neutrino_model::{Body, Column, Join, Kind, Place, Record, Source, Table};
use serde_json::Value;

use crate::select::encode;

pub(crate) type Columns = Vec<(&'static str, Arg)>;

/// A row of a one-to-one table.
pub(crate) struct JoinedRow {
    pub join: &'static Join,
    pub columns: Columns,
    /// Does an insert write it?
    pub wanted: bool,
}

/// What to write for one object.
#[derive(Default)]
pub(crate) struct Rows {
    pub main: Columns,
    /// `standardattributes.description`, when it is to be written.
    pub description: Option<Arg>,
    pub joined: Vec<JoinedRow>,
}

impl Rows {
    /// The rows of a new object.
    pub fn of_new(table: &Table, body: &Body) -> Self {
        let mut rows = Self::default();
        for (at, attribute) in table.attributes.iter().enumerate() {
            let Source::Column(Column { place, name, kind }) = attribute.source else { continue };
            let value = body.at(at);
            match place {
                Place::Main => {
                    let given = value.map(|v| encode(kind, v)).filter(|arg| *arg != Arg::Null);
                    if let (Some(arg), false) = (given, attribute.primary_key) {
                        rows.main.push((name, arg));
                    }
                }
                Place::Standard if name == "description" => rows.description = value.map(|v| encode(kind, v)),
                Place::Joined(join) if join.written => {
                    let default = attribute.default.value();
                    let named = value.is_some_and(|v| !v.is_null() && Some(v) != default.as_ref());
                    let stored = value.cloned().or(default).unwrap_or(Value::Null);
                    let row = rows.joined_row(join);
                    row.wanted |= named;
                    row.columns.push((name, encode(kind, &stored)));
                }
                Place::Standard | Place::Joined(_) => {}
            }
        }
        rows
    }

    /// The columns whose value differs from the stored one.
    pub fn of_change(table: &Table, original: &Record, body: &Body) -> Self {
        let mut rows = Self::default();
        for (at, attribute) in table.attributes.iter().enumerate() {
            let Source::Column(Column { place, name, kind }) = attribute.source else { continue };
            let Some(value) = body.at(at) else { continue };
            if same(kind, value, original.at(at)) {
                continue;
            }
            let arg = encode(kind, value);
            match place {
                Place::Main => rows.main.push((name, arg)),
                Place::Standard if name == "description" => rows.description = Some(arg),
                Place::Joined(join) if join.written => rows.joined_row(join).columns.push((name, arg)),
                Place::Standard | Place::Joined(_) => {}
            }
        }
        rows
    }

    pub fn is_empty(&self) -> bool {
        self.main.is_empty() && self.description.is_none() && self.joined.is_empty()
    }

    fn joined_row(&mut self, join: &'static Join) -> &mut JoinedRow {
        let at = self.joined.iter().position(|row| row.join.table == join.table).unwrap_or_else(|| {
            self.joined.push(JoinedRow { join, columns: Vec::new(), wanted: join.always });
            self.joined.len() - 1
        });
        &mut self.joined[at]
    }
}

/// Are the stored value and the asked-for one the same to this column?
fn same(kind: Kind, a: &Value, b: &Value) -> bool {
    a == b || (kind != Kind::Json && encode(kind, a) == encode(kind, b))
}
