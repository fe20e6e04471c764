// SPDX-License-Identifier: Apache-2.0
//! The checked-in tables are those of the contract, name for name, type for type.

use std::{error::Error, path::PathBuf};

use neutrino_schema::{HEADS, Key, OnDelete, ServerDefault, TABLES, Table, Type, table, unknown_names};
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

/// The contract's file, which must be there: beside the repository, or where `NEUTRINO_CONTRACT` says.
fn contract(file: &str) -> Result<String, Box<dyn Error>> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract");
    let path = std::env::var_os("NEUTRINO_CONTRACT").map_or(beside, PathBuf::from).join(file);
    std::fs::read_to_string(&path)
        .map_err(|e| format!("{}: {e}. Set NEUTRINO_CONTRACT to the folder of the contract", path.display()).into())
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The type as MariaDB's information_schema writes it.
fn mysql_type(ty: Type) -> String {
    match ty {
        Type::Varchar(n) => format!("varchar({n})"),
        Type::Integer => "int(11)".to_owned(),
        Type::BigInteger => "bigint(20)".to_owned(),
        Type::Boolean => "tinyint(1)".to_owned(),
        Type::DateTime => "datetime".to_owned(),
        Type::Timestamp => "timestamp".to_owned(),
        Type::Enum(words) => format!("enum({})", words.iter().map(|w| format!("'{w}'")).collect::<Vec<_>>().join(",")),
    }
}

fn mysql_default(default: ServerDefault) -> String {
    match default {
        ServerDefault::Bool(v) => i32::from(v).to_string(),
        ServerDefault::Int(v) => v.to_string(),
        ServerDefault::Text(v) => format!("'{v}'"),
    }
}

fn compare_columns(ours: &Table, theirs: &Value) {
    let columns: Vec<_> = theirs["columns"].as_object().into_iter().flatten().collect();
    assert_eq!(ours.columns.len(), columns.len(), "number of columns of {}", ours.name);
    for (column, (name, facts)) in ours.columns.iter().zip(columns) {
        let at = format!("{}.{name}", ours.name);
        assert_eq!(column.name, name, "{at}");
        assert_eq!(Some(mysql_type(column.ty).as_str()), facts["type"].as_str(), "{at}");
        assert_eq!(Some(column.nullable), facts["nullable"].as_bool(), "{at}");
        assert_eq!(column.default.map(mysql_default).as_deref(), facts.get("server_default").and_then(Value::as_str), "{at}");
        assert_eq!(column.autoincrement, facts.get("extra").is_some(), "{at}");
    }
}

fn compare_keys(table: &str, ours: &[Key], theirs: &Value) {
    let mut theirs: Vec<_> =
        theirs.as_array().into_iter().flatten().map(|k| (k["name"].as_str().unwrap_or_default(), texts(&k["columns"]))).collect();
    let mut ours: Vec<_> = ours.iter().map(|k| (k.name, k.columns.to_vec())).collect();
    ours.sort_unstable();
    theirs.sort_unstable();
    assert_eq!(ours, theirs, "keys of {table}");
}

fn compare_foreign_keys(ours: &Table, theirs: &Value) {
    let theirs = theirs["foreign_keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(ours.foreign_keys.len(), theirs.len(), "number of foreign keys of {}", ours.name);
    for (key, facts) in ours.foreign_keys.iter().zip(theirs) {
        let on_delete = match key.on_delete {
            OnDelete::Restrict => "RESTRICT",
            OnDelete::Cascade => "CASCADE",
            OnDelete::SetNull => "SET NULL",
        };
        assert_eq!(Some(key.name), facts["name"].as_str());
        assert_eq!(Some(key.table), facts["ref_table"].as_str(), "{}", key.name);
        assert_eq!(Some(on_delete), facts["ondelete"].as_str(), "{}", key.name);
        assert_eq!(key.columns, texts(&facts["columns"]), "{}", key.name);
        assert_eq!(key.references, texts(&facts["ref_columns"]), "{}", key.name);
    }
}

#[test]
fn the_tables_are_those_of_the_contract() -> Outcome {
    let schema: Value = serde_json::from_str(&contract("schema.json")?)?;
    let tables = schema["tables"].as_object().ok_or("no tables")?;
    let mut names: Vec<&str> = tables.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(TABLES.iter().map(|t| t.name).collect::<Vec<_>>(), names);
    assert_eq!(names.len(), 123, "122 tables and alembic_version");
    assert_eq!(HEADS, texts(&schema["alembic_heads"]));
    for ours in TABLES {
        let theirs = &tables[ours.name];
        compare_columns(ours, theirs);
        assert_eq!(ours.primary_key, texts(&theirs["primary_key"]), "primary key of {}", ours.name);
        compare_keys(ours.name, ours.uniques, &theirs["unique"]);
        compare_keys(ours.name, ours.indexes, &theirs["indexes"]);
        compare_foreign_keys(ours, theirs);
        let checks: Vec<_> = theirs["check"].as_array().into_iter().flatten().filter_map(|c| c["clause"].as_str()).collect();
        let ours_checks: Vec<_> = ours.checks.iter().map(|c| c.condition).collect();
        assert_eq!(ours_checks, checks.iter().map(|c| c.replace('`', "")).collect::<Vec<_>>(), "checks of {}", ours.name);
    }
    Ok(())
}

#[test]
fn collations_and_the_order_of_keys_are_those_of_the_dump() -> Outcome {
    let sql = contract("schema.sql")?;
    for ours in TABLES {
        let from = sql.find(&format!("CREATE TABLE `{}` (", ours.name)).ok_or(ours.name)?;
        let (body, tail) = sql[from..].split_once("\n) ENGINE=").ok_or(ours.name)?;
        let keys = body.lines().filter_map(|l| l.trim().trim_start_matches("UNIQUE ").strip_prefix("KEY `"));
        let theirs: Vec<_> = keys.filter_map(|l| l.split('`').next()).collect();
        assert_eq!(ours.uniques.iter().chain(ours.indexes).map(|k| k.name).collect::<Vec<_>>(), theirs, "order of keys of {}", ours.name);
        let tail = tail.lines().next().ok_or(ours.name)?;
        match ours.mysql_collation {
            Some((charset, collation)) => assert!(tail.ends_with(&format!("CHARSET={charset} COLLATE={collation};")), "{}", ours.name),
            None => assert!(tail.ends_with("CHARSET=utf8mb3 COLLATE=utf8mb3_general_ci;"), "{}", ours.name),
        }
    }
    Ok(())
}

#[test]
fn lookup_finds_neutrons_tables_and_ours_and_nothing_else() {
    assert!(TABLES.iter().all(|t| table(t.name).is_some_and(|found| std::ptr::eq(found, *t))));
    assert!(table("neutrino_schema_version").is_some());
    assert!(table("portz").is_none());
    assert_eq!(unknown_names("ports", ["id", "nmae"]), ["ports.nmae"]);
    assert_eq!(unknown_names("portz", ["id"]), ["portz"]);
}
