// SPDX-License-Identifier: Apache-2.0
//! What a table is, as data. Knows no table by name and no dialect.
//!
//! Everything is `const`-constructible, so that the tables of the tree are `static` and cost nothing at start.

/// A column's type, as Neutron's migrations declare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// At most so many characters.
    Varchar(u16),
    Integer,
    BigInteger,
    Boolean,
    /// One of these words. Its order is MySQL's sort order of the column.
    Enum(&'static [&'static str]),
    /// UTC, to the second on MySQL.
    DateTime,
    /// As `DateTime`, but stored by MySQL as `TIMESTAMP`.
    Timestamp,
}

/// What the database fills in when an INSERT leaves the column out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerDefault {
    Bool(bool),
    Int(i64),
    Text(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    pub ty: Type,
    pub nullable: bool,
    pub default: Option<ServerDefault>,
    /// The database makes the value: `standardattributes.id` only.
    pub autoincrement: bool,
}

impl Column {
    #[must_use]
    pub const fn required(name: &'static str, ty: Type) -> Self {
        Self { name, ty, nullable: false, default: None, autoincrement: false }
    }

    #[must_use]
    pub const fn nullable(name: &'static str, ty: Type) -> Self {
        Self { name, ty, nullable: true, default: None, autoincrement: false }
    }

    #[must_use]
    pub const fn default(mut self, default: ServerDefault) -> Self {
        self.default = Some(default);
        self
    }

    #[must_use]
    pub const fn autoincrement(mut self) -> Self {
        self.autoincrement = true;
        self
    }
}

/// A unique key, or a plain index, by the name that MySQL knows it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    pub name: &'static str,
    pub columns: &'static [&'static str],
}

/// What happens to the row that refers when the row referred to is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDelete {
    /// The deletion is refused.
    Restrict,
    Cascade,
    SetNull,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// MySQL's name of the constraint.
    pub name: &'static str,
    pub columns: &'static [&'static str],
    pub table: &'static str,
    pub references: &'static [&'static str],
    pub on_delete: OnDelete,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    /// A condition that every dialect understands as it stands.
    pub condition: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// Empty for the three binding tables that Neutron left without one.
    pub primary_key: &'static [&'static str],
    pub uniques: &'static [Key],
    pub indexes: &'static [Key],
    pub foreign_keys: &'static [ForeignKey],
    pub checks: &'static [Check],
    /// Character set and collation on MySQL where they are not the database's own (`tags` compares case).
    pub mysql_collation: Option<(&'static str, &'static str)>,
}

impl Table {
    /// A table without columns, to be completed by struct update.
    pub const NONE: Self = Self {
        name: "",
        columns: &[],
        primary_key: &[],
        uniques: &[],
        indexes: &[],
        foreign_keys: &[],
        checks: &[],
        mysql_collation: None,
    };

    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}
