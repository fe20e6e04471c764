// SPDX-License-Identifier: Apache-2.0
//! Statements that make a table, per dialect. Text only: runs nothing.

use neutrino_db::Dialect;

use crate::{
    TABLES,
    model::{Column, ForeignKey, Key, OnDelete, ServerDefault, Table, Type},
};

/// Neutron's tables so that each comes after those that its foreign keys name; by name where that leaves a choice.
#[must_use]
pub fn in_creation_order() -> Vec<&'static Table> {
    let mut ordered: Vec<&'static Table> = Vec::with_capacity(TABLES.len());
    let mut waiting: Vec<&'static Table> = TABLES.to_vec();
    while !waiting.is_empty() {
        let is_made = |name: &str, table: &Table| name == table.name || ordered.iter().any(|made| made.name == name);
        let (ready, blocked): (Vec<_>, Vec<_>) =
            waiting.iter().partition(|table| table.foreign_keys.iter().all(|key| is_made(key.table, table)));
        if ready.is_empty() {
            // A cycle of foreign keys: Neutron has none, and a test says so. The rest as it stands, rather than no end.
            ordered.extend(blocked);
            break;
        }
        ordered.extend(ready);
        waiting = blocked;
    }
    ordered
}

/// The statements that make `table` and its indexes, in order.
#[must_use]
pub fn create(table: &Table, dialect: Dialect) -> Vec<String> {
    let mut statements = vec![create_table(table, dialect)];
    if dialect != Dialect::MySql {
        statements.extend(table.indexes.iter().map(|key| create_index(table, key, dialect)));
    }
    statements
}

fn create_table(table: &Table, dialect: Dialect) -> String {
    let name = |n: &str| quoted(n, dialect);
    let mut lines: Vec<String> = table.columns.iter().map(|c| column(c, dialect)).collect();
    let key_is_inline = dialect == Dialect::Sqlite && table.columns.iter().any(|c| c.autoincrement);
    if !table.primary_key.is_empty() && !key_is_inline {
        lines.push(format!("PRIMARY KEY ({})", list(table.primary_key, dialect)));
    }
    for key in table.uniques {
        let columns = list(key.columns, dialect);
        lines.push(match dialect {
            Dialect::MySql => format!("UNIQUE KEY {} ({columns})", name(key.name)),
            _ if is_named_by_mysql(key) => format!("UNIQUE ({columns})"),
            _ => format!("CONSTRAINT {} UNIQUE ({columns})", name(key.name)),
        });
    }
    if dialect == Dialect::MySql {
        lines.extend(table.indexes.iter().map(|key| format!("KEY {} ({})", name(key.name), list(key.columns, dialect))));
    }
    lines.extend(table.foreign_keys.iter().map(|key| foreign_key(key, dialect)));
    lines.extend(table.checks.iter().map(|check| format!("CONSTRAINT {} CHECK ({})", name(check.name), check.condition)));
    let tail = match (dialect, table.mysql_collation) {
        (Dialect::MySql, Some((charset, collation))) => format!(" ENGINE=InnoDB DEFAULT CHARSET={charset} COLLATE={collation}"),
        (Dialect::MySql, None) => " ENGINE=InnoDB".to_owned(),
        _ => String::new(),
    };
    format!("CREATE TABLE {} (\n  {}\n){tail}", name(table.name), lines.join(",\n  "))
}

fn create_index(table: &Table, key: &Key, dialect: Dialect) -> String {
    let (name, on) = (quoted(&index_name(table, key), dialect), quoted(table.name, dialect));
    format!("CREATE INDEX {name} ON {on} ({})", list(key.columns, dialect))
}

/// The index's name where names are unique in the whole database: Neutron's own, or one made up for MySQL's.
fn index_name(table: &Table, key: &Key) -> String {
    if key.name.starts_with("ix_") { key.name.to_owned() } else { format!("ix_{}_{}", table.name, key.columns.join("_")) }
}

/// MySQL names a key without a name after its first column, perhaps with a number, or after the foreign key it serves.
fn is_named_by_mysql(key: &Key) -> bool {
    key.columns.first().is_some_and(|first| key.name.starts_with(first)) || key.name.contains("_ibfk_")
}

fn foreign_key(key: &ForeignKey, dialect: Dialect) -> String {
    let action = match key.on_delete {
        OnDelete::Restrict => "",
        OnDelete::Cascade => " ON DELETE CASCADE",
        OnDelete::SetNull => " ON DELETE SET NULL",
    };
    let name = if dialect == Dialect::MySql { format!("CONSTRAINT {} ", quoted(key.name, dialect)) } else { String::new() };
    let (columns, references) = (list(key.columns, dialect), list(key.references, dialect));
    format!("{name}FOREIGN KEY ({columns}) REFERENCES {} ({references}){action}", quoted(key.table, dialect))
}

fn column(column: &Column, dialect: Dialect) -> String {
    let name = quoted(column.name, dialect);
    if column.autoincrement {
        return match dialect {
            Dialect::Sqlite => format!("{name} INTEGER PRIMARY KEY NOT NULL"),
            Dialect::MySql => format!("{name} BIGINT NOT NULL AUTO_INCREMENT"),
            Dialect::Postgres => format!("{name} BIGSERIAL NOT NULL"),
        };
    }
    let mut text = format!("{name} {}", type_name(column.ty, dialect));
    match (column.nullable, column.ty, dialect) {
        (false, ..) => text.push_str(" NOT NULL"),
        // Without the word, older MySQL makes a TIMESTAMP not null and fills it in.
        (true, Type::Timestamp, Dialect::MySql) => text.push_str(" NULL"),
        _ => {}
    }
    if let Some(default) = column.default {
        text.push_str(" DEFAULT ");
        text.push_str(&default_value(default, dialect));
    }
    if let (Type::Enum(words), Dialect::Sqlite | Dialect::Postgres) = (column.ty, dialect) {
        text.push_str(&format!(" CHECK ({name} IN ({}))", literals(words)));
    }
    text
}

fn type_name(ty: Type, dialect: Dialect) -> String {
    let fixed = match (ty, dialect) {
        (Type::Varchar(length), _) => return format!("VARCHAR({length})"),
        (Type::Enum(words), Dialect::MySql) => return format!("ENUM({})", literals(words)),
        (Type::Enum(words), _) => return format!("VARCHAR({})", words.iter().map(|w| w.len()).max().unwrap_or(1)),
        (Type::Integer, _) => "INTEGER",
        (Type::BigInteger, _) => "BIGINT",
        (Type::Boolean, _) => "BOOLEAN",
        (Type::DateTime | Type::Timestamp, Dialect::Postgres) => "TIMESTAMP WITHOUT TIME ZONE",
        (Type::DateTime, _) => "DATETIME",
        (Type::Timestamp, _) => "TIMESTAMP",
    };
    fixed.to_owned()
}

fn default_value(default: ServerDefault, dialect: Dialect) -> String {
    match default {
        ServerDefault::Bool(v) if dialect == Dialect::Postgres => v.to_string(),
        ServerDefault::Bool(v) => i64::from(v).to_string(),
        ServerDefault::Int(v) => v.to_string(),
        ServerDefault::Text(v) => literals(&[v]),
    }
}

fn literals(words: &[&str]) -> String {
    words.iter().map(|w| format!("'{}'", w.replace('\'', "''"))).collect::<Vec<_>>().join(", ")
}

fn list(columns: &[&str], dialect: Dialect) -> String {
    columns.iter().map(|c| quoted(c, dialect)).collect::<Vec<_>>().join(", ")
}

fn quoted(identifier: &str, dialect: Dialect) -> String {
    if dialect == Dialect::MySql { format!("`{identifier}`") } else { format!("\"{identifier}\"") }
}
