// SPDX-License-Identifier: Apache-2.0
//! Creation, take-over, and every kind of database that is refused, on SQLite files.

use neutrino_db::{Db, DbOptions, Dialect, args};
use neutrino_schema::{HEADS, Result, SchemaError, State, TABLES, Upgraded, check, current, ddl, ensure_current, own, state, upgrade};

struct Database {
    db: Db,
    folder: tempfile::TempDir,
}

impl Database {
    async fn empty() -> Result<Self> {
        let folder = tempfile::tempdir().map_err(|e| neutrino_types::Error::internal(e.to_string()))?;
        let db = Self::open(&folder).await?;
        Ok(Self { db, folder })
    }

    async fn open(folder: &tempfile::TempDir) -> Result<Db> {
        Ok(Db::connect(&format!("sqlite:///{}/neutron.sqlite", folder.path().display()), &DbOptions::default()).await?)
    }

    async fn made() -> Result<Self> {
        let database = Self::empty().await?;
        upgrade(&database.db).await?;
        Ok(database)
    }

    async fn run(&self, text: &str) -> Result<()> {
        let mut tx = self.db.begin().await?;
        tx.execute_raw(text).await?;
        Ok(tx.commit().await?)
    }

    async fn count(&self, text: &str) -> Result<i64> {
        Ok(self.db.reader().await?.count(text, args![]).await?)
    }

    /// `upgrade`, `check` and `ensure_current` all refuse it, with the same words, and change nothing.
    async fn is_refused_with(&self, words: &[&str]) -> Result<()> {
        let before = state(&self.db).await?;
        for outcome in [upgrade(&self.db).await.map(drop), check(&self.db).await, ensure_current(&self.db).await] {
            let Err(SchemaError::Refused(text)) = outcome else { panic!("not refused: {outcome:?}") };
            assert!(words.iter().all(|word| text.contains(word)), "{text}");
        }
        assert_eq!(state(&self.db).await?, before);
        Ok(())
    }
}

#[tokio::test]
async fn an_empty_database_becomes_neutrons_in_one_step_and_only_once() -> Result<()> {
    let database = Database::empty().await?;
    assert_eq!(state(&database.db).await?, State::Empty);
    assert!(current(&database.db).await?.is_empty());
    let Err(SchemaError::Refused(text)) = ensure_current(&database.db).await else { panic!("an empty database was accepted") };
    assert!(text.contains("neutron-db-manage upgrade heads"), "{text}");

    assert_eq!(upgrade(&database.db).await?, Upgraded::Created);
    assert_eq!(upgrade(&database.db).await?, Upgraded::AlreadyCurrent);
    check(&database.db).await?;
    assert_eq!(current(&database.db).await?, HEADS);
    assert_eq!(state(&database.db).await?, State::Current { own: Some(own::VERSION) });

    // And once more through a new connection, as after a restart.
    database.db.close().await;
    let again = Database::open(&database.folder).await?;
    check(&again).await?;
    assert_eq!(upgrade(&again).await?, Upgraded::AlreadyCurrent);
    Ok(())
}

#[tokio::test]
async fn the_seed_rows_are_the_four_templates() -> Result<()> {
    let database = Database::made().await?;
    let rows = database
        .db
        .reader()
        .await?
        .query(
            "SELECT s.id, s.description, r.direction, r.ethertype, r.remote_group_id, r.used_in_default_sg, r.used_in_non_default_sg \
             FROM securitygroupdefaultrules r JOIN standardattributes s ON s.id = r.standard_attr_id ORDER BY s.id",
            args![],
        )
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let id = row.int(0)?;
        let words = (row.text(1)?.ends_with(&format!("{} traffic", row.text(2)?)), row.text(2)?, row.text(3)?, row.opt_text(4)?);
        found.push((id, words, row.bool(5)?, row.bool(6)?));
    }
    let rule = |id, direction: &str, ethertype: &str, group: Option<&str>, others| {
        (id, (true, direction.to_owned(), ethertype.to_owned(), group.map(str::to_owned)), true, others)
    };
    assert_eq!(
        found,
        [
            rule(1, "egress", "IPv4", None, true),
            rule(2, "egress", "IPv6", None, true),
            rule(3, "ingress", "IPv4", Some("PARENT"), false),
            rule(4, "ingress", "IPv6", Some("PARENT"), false),
        ]
    );
    for table in TABLES.iter().filter(|t| !["alembic_version", "standardattributes", "securitygroupdefaultrules"].contains(&t.name)) {
        assert_eq!(database.count(&format!("SELECT count(*) FROM \"{}\"", table.name)).await?, 0, "{}", table.name);
    }
    Ok(())
}

#[tokio::test]
async fn keys_and_checks_are_enforced() -> Result<()> {
    let database = Database::made().await?;
    let orphan = database.run("INSERT INTO tags (standard_attr_id, tag) VALUES (4711, 'x')").await;
    assert!(matches!(&orphan, Err(SchemaError::Database(e)) if e.is_foreign_key()), "{orphan:?}");
    assert!(database.run("INSERT INTO ml2_vlan_allocations (physical_network, vlan_id, allocated) VALUES ('p', 4095, 0)").await.is_err());
    database.run("INSERT INTO tags (standard_attr_id, tag) VALUES (1, 'x')").await?;
    let twice = database.run("INSERT INTO tags (standard_attr_id, tag) VALUES (1, 'x')").await;
    assert!(matches!(&twice, Err(SchemaError::Database(e)) if e.is_duplicate("tags.tag")), "{twice:?}");
    let wrong_word = "INSERT INTO qos_policies (id, standard_attr_id) VALUES ('q', 2); \
                      INSERT INTO qos_bandwidth_limit_rules (id, qos_policy_id, direction) VALUES ('r', 'q', 'sideways')";
    assert!(database.run(wrong_word).await.is_err());
    database.run("DELETE FROM standardattributes WHERE id = 1").await?;
    assert_eq!(database.count("SELECT count(*) FROM tags").await?, 0, "deletion cascades");
    assert_eq!(database.count("SELECT count(*) FROM pragma_foreign_key_check").await?, 0);
    Ok(())
}

#[tokio::test]
async fn a_creation_cut_short_on_sqlite_leaves_an_empty_database() -> Result<()> {
    let database = Database::empty().await?;
    {
        let mut tx = database.db.begin().await?;
        for statement in ddl::in_creation_order().into_iter().flat_map(|t| ddl::create(t, Dialect::Sqlite)).take(100) {
            tx.execute_raw(&statement).await?;
        }
    }
    assert_eq!(state(&database.db).await?, State::Empty);
    assert_eq!(upgrade(&database.db).await?, Upgraded::Created);
    Ok(())
}

#[tokio::test]
async fn two_upgrades_at_once_make_it_once() -> Result<()> {
    let database = Database::empty().await?;
    let other = Database::open(&database.folder).await?;
    let (a, b) = tokio::join!(upgrade(&database.db), upgrade(&other));
    let (a, b) = (a?, b?);
    assert!(matches!((a, b), (Upgraded::Created, Upgraded::AlreadyCurrent) | (Upgraded::AlreadyCurrent, Upgraded::Created)), "{a:?} {b:?}");
    assert_eq!(database.count("SELECT count(*) FROM securitygroupdefaultrules").await?, 4);
    Ok(())
}

#[tokio::test]
async fn a_half_made_schema_is_refused_and_tells_ours_from_neutrons() -> Result<()> {
    // As a MySQL creation that was killed leaves it: the marker, some tables, no stamp.
    let database = Database::empty().await?;
    database.run("CREATE TABLE neutrino_schema_version (version INTEGER PRIMARY KEY)").await?;
    database.is_refused_with(&["cut short", "0 of 123", "drop the database", "upgrade heads"]).await?;
    database.run("CREATE TABLE agents (id INTEGER); CREATE TABLE alembic_version (version_num VARCHAR(32))").await?;
    database.is_refused_with(&["2 of 123", "drop the database"]).await?;

    let database = Database::empty().await?;
    database.run("CREATE TABLE agents (id INTEGER)").await?;
    database.is_refused_with(&["(1 of them)", "alembic_version", "backup"]).await?;
    assert_eq!(database.count("SELECT count(*) FROM agents").await?, 0, "left alone");
    Ok(())
}

#[tokio::test]
async fn other_revisions_are_refused_by_name() -> Result<()> {
    let database = Database::made().await?;
    let mut at = "c7f8d9e0f1a2";
    for (head, release) in [("b1bca967e19d", "2026.1"), ("d553edeb540f", "2025.2"), ("ad80a9f07c5c", "2025.1")] {
        database.run(&format!("UPDATE alembic_version SET version_num = '{head}' WHERE version_num = '{at}'")).await?;
        at = head;
        database
            .is_refused_with(&[&format!("{head} ({release})"), "older", "Neutron 29.0.0's own \"neutron-db-manage upgrade heads\""])
            .await?;
    }
    database.run("DELETE FROM alembic_version WHERE version_num = 'ad80a9f07c5c'").await?;
    database.is_refused_with(&["5c85685d616d (newton)", "older"]).await?;
    database.run("INSERT INTO alembic_version (version_num) VALUES ('feedfacefeed')").await?;
    database.is_refused_with(&["feedfacefeed", "does not know", "another"]).await?;
    assert_eq!(current(&database.db).await?, ["5c85685d616d", "feedfacefeed"]);
    Ok(())
}

#[tokio::test]
async fn a_database_of_neutrons_is_taken_over() -> Result<()> {
    let database = Database::made().await?;
    database.run("DROP TABLE neutrino_schema_version").await?;
    assert_eq!(state(&database.db).await?, State::Current { own: None });
    check(&database.db).await?;
    assert_eq!(upgrade(&database.db).await?, Upgraded::OwnTablesAdded);
    assert_eq!(upgrade(&database.db).await?, Upgraded::AlreadyCurrent);
    assert_eq!(database.count("SELECT count(*) FROM securitygroupdefaultrules").await?, 4, "seeded once");
    Ok(())
}

#[tokio::test]
async fn damage_and_later_builds_are_refused() -> Result<()> {
    let database = Database::made().await?;
    database.run("ALTER TABLE ports DROP COLUMN ip_allocation").await?;
    let Err(SchemaError::Refused(text)) = check(&database.db).await else { panic!("a missing column was accepted") };
    assert!(text.contains("lacks ports.ip_allocation"), "{text}");
    database.run("DROP TABLE tags").await?;
    database.is_refused_with(&["lacks tags", "backup"]).await?;

    let database = Database::made().await?;
    database.run("UPDATE neutrino_schema_version SET version = 99").await?;
    database.is_refused_with(&["version 99", "later build"]).await?;
    Ok(())
}

#[tokio::test]
async fn foreign_tables_do_not_matter() -> Result<()> {
    let database = Database::empty().await?;
    database.run("CREATE TABLE my_notes (id INTEGER PRIMARY KEY)").await?;
    assert_eq!(upgrade(&database.db).await?, Upgraded::Created);
    Ok(())
}
