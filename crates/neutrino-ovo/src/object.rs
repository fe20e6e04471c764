// SPDX-License-Identifier: Apache-2.0
//! What a kind of versioned object is, as data: its fields in the order of the wire, where each comes from, since which version it is there.
//!
//! Owns the serialised form (`versioned_object.name` and so on) and the way back to older versions. Refuses to own: reading rows, sending.
//! Invariants: a kind is one `static`; what its data does not say is not sent; an object is never sent in a version that it cannot have.

use neutrino_types::{Kind, Result};
use serde_json::{Map, Value, json};

/// The data of one object, without what is around it on the wire.
pub type Data = Map<String, Value>;

const TOO_NEW: Kind = Kind::new("InvalidTargetVersion", 400);
const TOO_OLD: Kind = Kind::new("IncompatibleObjectVersion", 400);

/// A constant value of a field.
#[derive(Clone, Copy, Debug)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Text(&'static str),
}

impl From<Literal> for Value {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => value.into(),
            Literal::Int(value) => value.into(),
            Literal::Text(value) => value.into(),
        }
    }
}

/// How the value of a column is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Int,
    Bool,
    /// `2026-11-22T20:37:32Z`.
    Time,
    /// A column of JSON, written as a string of JSON as Python's `json` makes it; an empty one is no value.
    Json,
    /// A column with a JSON list of strings; an empty one is no value.
    Texts,
    /// The network of an address with a prefix.
    NetworkOf,
}

/// Where the value of a field comes from.
#[derive(Clone, Copy)]
pub enum Source {
    /// An expression over the object's tables.
    Column(Form, &'static str),
    /// Two expressions, written with this between them.
    Pair(Form, &'static str, &'static str, char),
    /// An object made of columns of the same row; none when its first column is null.
    Joined(&'static Object),
    /// The objects that name this one, one statement for each link.
    Many(&'static [Link]),
    /// The object that this one names.
    One(Link),
    /// Strings of another table that names this one.
    Strings(Strings),
}

/// Other objects that belong to one.
#[derive(Clone, Copy)]
pub struct Link {
    pub object: &'static Object,
    /// The expression of the other object ...
    pub by: &'static str,
    /// ... that equals this field of the one.
    pub key: &'static str,
}

/// Strings that belong to an object.
#[derive(Clone, Copy)]
pub struct Strings {
    pub table: &'static str,
    pub column: &'static str,
    pub by: &'static str,
}

/// A field of a kind.
#[derive(Clone, Copy)]
pub struct Field {
    pub name: &'static str,
    pub source: Source,
    /// What is written when there is no value; without it the field is left out, as Neutron does with columns that are null.
    pub null: Option<Literal>,
    /// Has an object that was never loaded the value of [`Field::null`]?
    pub default: bool,
    /// The minor version that brought it.
    pub since: u32,
    /// May agents filter by it?
    pub filter: bool,
}

impl Field {
    #[must_use]
    pub const fn new(name: &'static str, source: Source) -> Self {
        Self { name, source, null: None, default: false, since: 0, filter: false }
    }

    /// A stored value, which may be filtered by.
    #[must_use]
    pub const fn stored(name: &'static str, form: Form, column: &'static str) -> Self {
        Self { filter: true, ..Self::new(name, Source::Column(form, column)) }
    }

    /// A value that is looked up beside the object's own row.
    #[must_use]
    pub const fn derived(name: &'static str, form: Form, column: &'static str) -> Self {
        Self::new(name, Source::Column(form, column))
    }

    #[must_use]
    pub const fn text(name: &'static str, column: &'static str) -> Self {
        Self::stored(name, Form::Text, column)
    }

    #[must_use]
    pub const fn int(name: &'static str, column: &'static str) -> Self {
        Self::stored(name, Form::Int, column)
    }

    #[must_use]
    pub const fn bool(name: &'static str, column: &'static str) -> Self {
        Self::stored(name, Form::Bool, column)
    }

    /// Written so when there is no value.
    #[must_use]
    pub const fn or(self, null: Literal) -> Self {
        Self { null: Some(null), ..self }
    }

    /// [`Field::or`], and the value of an object of which only the id is known.
    #[must_use]
    pub const fn default(self, value: Literal) -> Self {
        Self { null: Some(value), default: true, ..self }
    }

    #[must_use]
    pub const fn since(self, minor: u32) -> Self {
        Self { since: minor, ..self }
    }

    #[must_use]
    pub const fn filtered(self) -> Self {
        Self { filter: true, ..self }
    }
}

/// A filter that is no field: `prefix` and a list of the values of `column`, and a closing parenthesis.
#[derive(Clone, Copy)]
pub struct ExtraFilter {
    pub name: &'static str,
    pub prefix: &'static str,
    pub column: &'static str,
}

/// A kind of versioned object.
pub struct Object {
    pub name: &'static str,
    pub version: (u32, u32),
    /// The lowest minor version that can be made.
    pub floor: u32,
    /// The tables: `ports t JOIN ...`, the object's own first, as `t`.
    pub from: &'static str,
    pub order: &'static str,
    /// The field that tells objects of the kind apart, and its column.
    pub id: &'static str,
    pub key: &'static str,
    /// The id is two ids with `_` between them, of which the column has the second.
    pub pair: bool,
    pub fields: &'static [Field],
    pub filters: &'static [ExtraFilter],
    /// What an older version needs beyond the loss of newer fields; the number is the minor version.
    pub compat: Option<fn(&mut Data, u32)>,
}

impl Object {
    /// A kind with the table `from`, told apart by `id`.
    #[must_use]
    pub const fn new(name: &'static str, version: (u32, u32), from: &'static str, fields: &'static [Field]) -> Self {
        Self { name, version, floor: 0, from, order: "t.id", id: "id", key: "t.id", pair: false, fields, filters: &[], compat: None }
    }

    #[must_use]
    pub const fn ordered(self, order: &'static str) -> Self {
        Self { order, ..self }
    }

    #[must_use]
    pub const fn floor(self, minor: u32) -> Self {
        Self { floor: minor, ..self }
    }

    #[must_use]
    pub const fn compat(self, compat: fn(&mut Data, u32)) -> Self {
        Self { compat: Some(compat), ..self }
    }

    /// The object's own table.
    #[must_use]
    pub fn table(&self) -> &'static str {
        self.from.split(' ').next().unwrap_or_default()
    }

    #[must_use]
    pub fn latest(&self) -> String {
        format!("{}.{}", self.version.0, self.version.1)
    }

    /// What an id is compared with.
    #[must_use]
    pub fn key_of<'a>(&self, id: &'a str) -> &'a str {
        if self.pair { id.split_once('_').map_or(id, |(_, key)| key) } else { id }
    }

    /// The object in its newest version.
    #[must_use]
    pub fn wrap(&self, data: Data) -> Value {
        wrapped(self.name, &self.latest(), data)
    }

    /// The minor version that a text like `1.8` asks for.
    ///
    /// # Errors
    /// That this version cannot be made.
    pub fn minor(&self, version: &str) -> Result<u32> {
        let asked = version.split_once('.').and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
        let shown: String = version.chars().take(20).collect();
        match asked {
            Some((major, minor)) if major == self.version.0 && (self.floor..=self.version.1).contains(&minor) => Ok(minor),
            Some(asked) if asked > self.version => {
                Err(TOO_NEW.error(format!("{} is known up to version {}, not {shown}.", self.name, self.latest())))
            }
            _ => Err(TOO_OLD.error(format!("{} cannot be given in version {shown}.", self.name))),
        }
    }

    /// The object in an older version.
    #[must_use]
    pub fn at(&self, data: &Data, minor: u32) -> Value {
        let mut data = data.clone();
        if minor < self.version.1 {
            data.retain(|name, _| self.fields.iter().any(|field| field.name == name && field.since <= minor));
            if let Some(compat) = self.compat {
                compat(&mut data, minor);
            }
        }
        wrapped(self.name, &format!("{}.{minor}", self.version.0), data)
    }

    /// An object of which nothing but its id is known, as Neutron announces that it is gone.
    #[must_use]
    pub fn gone(&self, id: &str, minor: u32) -> Value {
        let known = self.fields.iter().filter(|field| field.since <= minor && (field.name == self.id || field.default));
        let mut data = Data::new();
        for field in known {
            let value = if field.name == self.id { Value::from(id) } else { field.null.map_or(Value::Null, Value::from) };
            data.insert(field.name.to_owned(), value);
        }
        let changes: Vec<&String> = data.keys().collect();
        let changes = json!(changes);
        let mut object = wrapped(self.name, &format!("{}.{minor}", self.version.0), data);
        object["versioned_object.changes"] = changes;
        object
    }
}

fn wrapped(name: &str, version: &str, data: Data) -> Value {
    let mut object = Map::new();
    object.insert("versioned_object.name".to_owned(), name.into());
    object.insert("versioned_object.namespace".to_owned(), "versionedobjects".into());
    object.insert("versioned_object.version".to_owned(), version.into());
    object.insert("versioned_object.data".to_owned(), Value::Object(data));
    Value::Object(object)
}
