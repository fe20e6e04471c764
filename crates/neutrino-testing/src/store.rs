// SPDX-License-Identifier: Apache-2.0
//! Where a test's server keeps its objects: an SQLite file of its own, or, with `NEUTRINO_TEST_DATABASE`, a database of its own on a
//! MariaDB or PostgreSQL server that the test script started (`scripts/backends`).
//!
//! Invariant: a store is empty but for the schema when it is made, nobody else uses it, and it goes with its owner.

use std::sync::atomic::{AtomicU64, Ordering};

use neutrino_db::{Db, DbOptions, Dialect, args};
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// The server to make databases on, as a URL without a database: `mysql://user@127.0.0.1:3306`.
const SERVER: &str = "NEUTRINO_TEST_DATABASE";

/// What a database on a server is named after: the process and a number, so that tests run side by side.
const PREFIX: &str = "neutrino_test";

pub enum Store {
    File(TempDir),
    Database { server: String, name: String },
}

/// The bytes of an empty database, made once per process.
async fn template() -> &'static [u8] {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("template.sqlite");
            let db = Db::connect(&format!("sqlite:///{}", path.display()), &DbOptions::default()).await.unwrap();
            neutrino_schema::upgrade(&db).await.unwrap();
            db.close().await;
            std::fs::read(&path).unwrap()
        })
        .await
}

/// A connection to the server itself, outside of any database of a test's.
async fn server_itself(server: &str) -> Db {
    let maintenance = if server.starts_with("postgres") { "postgres" } else { "mysql" };
    let options = DbOptions { max_connections: 1, ..DbOptions::default() };
    Db::connect(&format!("{server}/{maintenance}"), &options).await.unwrap()
}

async fn create(server: &str, name: &str) {
    let db = server_itself(server).await;
    // PostgreSQL makes and drops databases outside of transactions only.
    db.reader().await.unwrap().execute_raw(&format!("CREATE DATABASE {name}")).await.unwrap();
    db.close().await;
}

/// Drops the database with whatever is still at work in it.
async fn drop_database(server: &str, name: &str) {
    let db = server_itself(server).await;
    let mut on = db.reader().await.unwrap();
    if on.dialect() == Dialect::Postgres {
        on.execute_raw(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
    } else {
        // A connection whose transaction was given up holds the tables until it is used again.
        for row in on.query("SELECT id FROM information_schema.processlist WHERE db = ?", args![name]).await.unwrap() {
            // It may have gone by itself.
            _ = on.execute_raw(&format!("KILL {}", row.int(0).unwrap())).await;
        }
        on.execute_raw(&format!("DROP DATABASE {name}")).await.unwrap();
    }
    drop(on);
    db.close().await;
}

impl Store {
    /// An empty one, with the schema.
    pub async fn make() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let Some(server) = std::env::var(SERVER).ok().filter(|server| !server.is_empty()) else {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("neutron.sqlite"), template().await).unwrap();
            return Self::File(folder);
        };
        let name = format!("{PREFIX}_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        create(&server, &name).await;
        let store = Self::Database { server, name };
        let db = store.connect().await;
        neutrino_schema::upgrade(&db).await.unwrap();
        db.close().await;
        store
    }

    pub async fn connect(&self) -> Db {
        Db::connect(&self.url(), &DbOptions::default()).await.unwrap()
    }

    /// As `[database] connection` has it.
    #[must_use]
    pub fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite:///{}", folder.path().join("neutron.sqlite").display()),
            Self::Database { server, name } => format!("{server}/{name}"),
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let Self::Database { server, name } = self else { return };
        let (server, name) = (server.clone(), name.clone());
        // A drop cannot wait in the test's own runtime.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(drop_database(&server, &name));
        });
        if dropping.join().is_err() && !std::thread::panicking() {
            panic!("a test's database could not be dropped");
        }
    }
}
