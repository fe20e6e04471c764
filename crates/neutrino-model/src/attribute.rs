// SPDX-License-Identifier: Apache-2.0
//! One attribute of a resource: what a request may do with it, how a value is made good, and where it is stored.

use serde_json::{Value, json};

use crate::{Converter, Record, Validator};

/// What an attribute has when a create request does not name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// The request must name it.
    Required,
    /// Nothing: the feature decides ("not specified" in Neutron's tables).
    Unset,
    Null,
    Bool(bool),
    Int(i64),
    Str(&'static str),
    EmptyList,
}

impl Default {
    /// The value, or `None` where there is none to fill in.
    #[must_use]
    pub fn value(self) -> Option<Value> {
        match self {
            Self::Required | Self::Unset => None,
            Self::Null => Some(Value::Null),
            Self::Bool(v) => Some(Value::Bool(v)),
            Self::Int(v) => Some(v.into()),
            Self::Str(v) => Some(v.into()),
            Self::EmptyList => Some(json!([])),
        }
    }
}

/// How a column's value is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Int,
    Bool,
    /// JSON kept as text; an empty or NULL column reads as the attribute's default.
    Json,
    /// A UTC time, shown as `YYYY-MM-DDTHH:MM:SSZ`.
    Time,
    /// An integer column that the API shows as a string (a subnet pool's prefix lengths).
    IntText,
}

/// A table with at most one row for an object, which holds attributes of it. It is joined (LEFT JOIN, under its own name) into the resource's
/// SELECT, or read beside a long page.
#[derive(Debug, PartialEq, Eq)]
pub struct Join {
    pub table: &'static str,
    /// The column that equals the resource's `id`, or the column [`of`](Join::of).
    pub key: &'static str,
    /// The column of the resource's own table that leads there; an attribute has the same name.
    pub of: &'static str,
    /// When the engine writes a row at create: always, or only if a request names one of its attributes with a value.
    pub always: bool,
    /// False: the feature writes the table itself; the engine only reads it.
    pub written: bool,
}

impl Join {
    /// A table with a row for every object.
    #[must_use]
    pub const fn always(table: &'static str, key: &'static str) -> Self {
        Self { table, key, of: "id", always: true, written: true }
    }

    /// A table with a row for those objects that were given one of its attributes.
    #[must_use]
    pub const fn when_set(table: &'static str, key: &'static str) -> Self {
        Self { table, key, of: "id", always: false, written: true }
    }

    /// A table that its feature writes.
    #[must_use]
    pub const fn read_only(table: &'static str, key: &'static str) -> Self {
        Self { table, key, of: "id", always: false, written: false }
    }

    /// Found by another column than the `id`: the table of what the object belongs to.
    #[must_use]
    pub const fn of(mut self, column: &'static str) -> Self {
        self.of = column;
        self
    }
}

/// Which table a column is in.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    /// The resource's own table.
    Main,
    /// `standardattributes`.
    Standard,
    Joined(&'static Join),
}

#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub place: Place,
    pub name: &'static str,
    pub kind: Kind,
}

/// Where an attribute's value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// Nowhere: only a request carries it (`prefixlen`), or a list is filtered by it (`tags-any`).
    Request,
    /// A loader or the feature fills it, once for a whole page.
    Loaded,
    Column(Column),
    /// An SQL expression over the main table, whose alias is `t`; `:project` stands for the caller's project.
    Expr {
        sql: &'static str,
        kind: Kind,
    },
}

/// See the module's documentation. Built by `const fn`; unless said otherwise an attribute is visible and nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    pub name: &'static str,
    /// May a create request name it?
    pub post: bool,
    /// May an update request name it?
    pub put: bool,
    pub default: Default,
    /// What an object shows that has no row in the one-to-one table; unset: the default.
    pub absent: Default,
    pub convert: Option<Converter>,
    /// Converts the whole list of a filter's values; without it each value goes through `convert`.
    pub convert_list: Option<Converter>,
    pub validate: Option<Validator>,
    pub visible: bool,
    pub filter: bool,
    pub sort: bool,
    pub primary_key: bool,
    pub required_by_policy: bool,
    pub enforce_policy: bool,
    /// Objects of which this holds are shown without the attribute, rather than with null.
    pub omit_when: Option<fn(&Record) -> bool>,
    /// Its value is JSON text already, to be written as it stands.
    pub raw_json: bool,
    pub source: Source,
}

impl Attribute {
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            post: false,
            put: false,
            default: Default::Required,
            absent: Default::Unset,
            convert: None,
            convert_list: None,
            validate: None,
            visible: true,
            filter: false,
            sort: false,
            primary_key: false,
            required_by_policy: false,
            enforce_policy: false,
            omit_when: None,
            raw_json: false,
            source: Source::Loaded,
        }
    }
    #[must_use]
    pub const fn post(mut self) -> Self {
        self.post = true;
        self
    }
    #[must_use]
    pub const fn put(mut self) -> Self {
        self.put = true;
        self
    }
    #[must_use]
    pub const fn default(mut self, default: Default) -> Self {
        self.default = default;
        self
    }
    /// What objects show that have no row in the table that is joined, where that is not the default.
    #[must_use]
    pub const fn absent(mut self, value: Default) -> Self {
        self.absent = value;
        self
    }
    /// The value of an attribute that is stored nowhere.
    #[must_use]
    pub fn unstored(&self) -> Value {
        self.absent.value().or_else(|| self.default.value()).unwrap_or(Value::Null)
    }
    #[must_use]
    pub const fn convert(mut self, converter: Converter) -> Self {
        self.convert = Some(converter);
        self
    }
    #[must_use]
    pub const fn convert_list(mut self, converter: Converter) -> Self {
        self.convert_list = Some(converter);
        self
    }
    #[must_use]
    pub const fn validate(mut self, validator: Validator) -> Self {
        self.validate = Some(validator);
        self
    }
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.visible = false;
        self
    }
    #[must_use]
    pub const fn filter(mut self) -> Self {
        self.filter = true;
        self
    }
    #[must_use]
    pub const fn sort(mut self) -> Self {
        self.sort = true;
        self
    }
    #[must_use]
    pub const fn primary_key(mut self) -> Self {
        self.primary_key = true;
        self
    }
    #[must_use]
    pub const fn required_by_policy(mut self) -> Self {
        self.required_by_policy = true;
        self
    }
    #[must_use]
    pub const fn enforce_policy(mut self) -> Self {
        self.enforce_policy = true;
        self
    }
    /// Left out of the answer for objects of which this holds. The condition may read only attributes that are always fetched
    /// (required by policy), or that this one's own loader fills.
    #[must_use]
    pub const fn omit_when(mut self, absent: fn(&Record) -> bool) -> Self {
        self.omit_when = Some(absent);
        self
    }
    /// The value is JSON text: for numbers that are too large for a JSON value in memory.
    #[must_use]
    pub const fn raw_json(mut self) -> Self {
        self.raw_json = true;
        self
    }
    /// Stored in a column of the resource's own table.
    #[must_use]
    pub const fn column(mut self, name: &'static str, kind: Kind) -> Self {
        self.source = Source::Column(Column { place: Place::Main, name, kind });
        self
    }
    /// Stored in a column of `standardattributes`.
    #[must_use]
    pub const fn standard(mut self, name: &'static str, kind: Kind) -> Self {
        self.source = Source::Column(Column { place: Place::Standard, name, kind });
        self
    }
    /// Stored in a column of a one-to-one table.
    #[must_use]
    pub const fn joined(mut self, join: &'static Join, name: &'static str, kind: Kind) -> Self {
        self.source = Source::Column(Column { place: Place::Joined(join), name, kind });
        self
    }
    /// Computed by SQL; see [`Source::Expr`].
    #[must_use]
    pub const fn expr(mut self, sql: &'static str, kind: Kind) -> Self {
        self.source = Source::Expr { sql, kind };
        self
    }
    /// Not stored.
    #[must_use]
    pub const fn request_only(mut self) -> Self {
        self.source = Source::Request;
        self
    }
}

/// The attributes that nearly every resource has.
pub mod common {
    use super::{Attribute, Default, Kind};
    use crate::Validator;

    pub const ID: Attribute = Attribute::new("id").validate(Validator::Uuid).filter().sort().primary_key().column("id", Kind::Text);
    pub const NAME: Attribute = Attribute::new("name")
        .post()
        .put()
        .default(Default::Str(""))
        .validate(Validator::NameString(Some(255)))
        .filter()
        .sort()
        .column("name", Kind::Text);
    /// Also answers to `project_id`.
    pub const TENANT_ID: Attribute = owner("tenant_id");
    /// Of collections that know no other name for it.
    pub const PROJECT_ID: Attribute = owner("project_id");
    /// A part is its parent's project's: a request may name one, and nothing is kept of it.
    pub const PROJECT_OF_PARENT: Attribute =
        Attribute::new("project_id").post().validate(Validator::String(Some(255))).hidden().required_by_policy().request_only();

    const fn owner(name: &'static str) -> Attribute {
        Attribute::new(name)
            .post()
            .validate(Validator::String(Some(255)))
            .filter()
            .sort()
            .required_by_policy()
            .column("project_id", Kind::Text)
    }
}
