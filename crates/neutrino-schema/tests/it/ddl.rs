// SPDX-License-Identifier: Apache-2.0
//! The statements: their order, the uniqueness and length of names, the words of each dialect.

use std::collections::HashSet;

use neutrino_db::Dialect;
use neutrino_schema::{TABLES, ddl, own, table};

fn statements(name: &str, dialect: Dialect) -> Vec<String> {
    table(name).map(|t| ddl::create(t, dialect)).unwrap_or_default()
}

fn first_line_with(text: &str, word: &str) -> String {
    text.lines().find(|line| line.contains(word)).unwrap_or_default().trim().trim_end_matches(',').to_owned()
}

#[test]
fn a_table_comes_after_those_that_its_foreign_keys_name() {
    let order = ddl::in_creation_order();
    assert_eq!(order.len(), TABLES.len());
    let mut made = HashSet::new();
    for table in order {
        for key in table.foreign_keys {
            assert!(made.contains(key.table), "{} needs {}", table.name, key.table);
        }
        made.insert(table.name);
    }
    assert!(own::TABLES.iter().all(|t| t.foreign_keys.is_empty()), "our own tables come first on MySQL");
}

#[test]
fn every_key_names_columns_that_exist() {
    for table in TABLES {
        let keys = table.uniques.iter().chain(table.indexes).map(|k| k.columns);
        let own = keys.chain(table.foreign_keys.iter().map(|k| k.columns)).chain([table.primary_key]).flatten();
        assert!(own.clone().all(|c| table.column(c).is_some()), "{}", table.name);
        for key in table.foreign_keys {
            let target = neutrino_schema::table(key.table);
            assert!(target.is_some_and(|t| key.references.iter().all(|c| t.column(c).is_some())), "{}", key.name);
        }
    }
}

#[test]
fn index_names_are_unique_and_fit_into_postgresqls_63_bytes() {
    for dialect in [Dialect::Sqlite, Dialect::Postgres] {
        let mut names: HashSet<String> = TABLES.iter().map(|t| t.name.to_owned()).collect();
        for statement in TABLES.iter().flat_map(|t| ddl::create(t, dialect)) {
            let indexes = statement.strip_prefix("CREATE INDEX ").into_iter();
            let uniques = statement.lines().filter_map(|l| l.trim().strip_prefix("CONSTRAINT "));
            for rest in indexes.chain(uniques) {
                let name = rest.split('"').nth(1).unwrap_or_default();
                assert!(!name.is_empty() && name.len() <= 63, "{name}");
                assert!(names.insert(name.to_owned()), "{name} twice");
            }
        }
    }
}

#[test]
fn each_dialect_in_its_words() {
    let [sqlite, mysql, postgres] =
        [Dialect::Sqlite, Dialect::MySql, Dialect::Postgres].map(|d| statements("standardattributes", d).join(";\n"));
    assert_eq!(first_line_with(&sqlite, "\"id\""), "\"id\" INTEGER PRIMARY KEY NOT NULL");
    assert!(!sqlite.contains("PRIMARY KEY (\"id\")"));
    assert_eq!(first_line_with(&mysql, "`id`"), "`id` BIGINT NOT NULL AUTO_INCREMENT");
    assert_eq!(first_line_with(&postgres, "\"id\""), "\"id\" BIGSERIAL NOT NULL");

    let mysql = statements("agents", Dialect::MySql).join("\n");
    assert_eq!(first_line_with(&mysql, "`admin_state_up`"), "`admin_state_up` BOOLEAN NOT NULL DEFAULT 1");
    assert!(mysql.contains("UNIQUE KEY `uniq_agents0agent_type0host` (`agent_type`, `host`)"));
    assert!(mysql.ends_with(") ENGINE=InnoDB"), "{mysql}");
    let postgres = statements("agents", Dialect::Postgres).join("\n");
    assert_eq!(first_line_with(&postgres, "\"admin_state_up\""), "\"admin_state_up\" BOOLEAN NOT NULL DEFAULT true");

    let direction = statements("qos_packet_rate_limit_rules", Dialect::Sqlite).join("\n");
    assert!(direction.contains("\"direction\" VARCHAR(7) NOT NULL DEFAULT 'egress' CHECK (\"direction\" IN ('egress', 'ingress'))"));
    assert!(statements("tags", Dialect::MySql).join("").ends_with("DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"));
    assert_eq!(
        first_line_with(&statements("ovn_revision_numbers", Dialect::MySql).join(""), "`updated_at`"),
        "`updated_at` TIMESTAMP NULL"
    );
}

#[test]
fn mysqls_own_key_names_stay_on_mysql() {
    let mysql = statements("floatingips", Dialect::MySql).join("\n");
    assert!(mysql.contains("KEY `router_id` (`router_id`)"));
    let sqlite = statements("floatingips", Dialect::Sqlite);
    assert!(sqlite.contains(&"CREATE INDEX \"ix_floatingips_router_id\" ON \"floatingips\" (\"router_id\")".to_owned()));
    assert!(statements("trunks", Dialect::Postgres).join("\n").contains("  UNIQUE (\"port_id\")"));
}
