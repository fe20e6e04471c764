// SPDX-License-Identifier: Apache-2.0
//! The default ranges: those of the configuration, written anew before the first request. Nobody changes them through the API.

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Startup};
use neutrino_db::{Tx, args};
use neutrino_types::Result;

use crate::type_drivers::TypeManager;

/// Type, physical network, first and last id.
type Row = (String, String, i64, i64);

/// How often it starts anew when another server process does the same.
const TRIES: usize = 5;

/// Brings the default ranges in line with the configuration.
pub struct Defaults(pub Arc<TypeManager>);

#[async_trait]
impl Startup for Defaults {
    fn name(&self) -> &'static str {
        "default network segment ranges"
    }

    async fn run(&self, engine: &Engine) -> Result<()> {
        let cx = Context::internal(self.name());
        let wanted: BTreeSet<Row> =
            self.0.configured_ranges().into_iter().map(|(kind, name, (first, last))| (kind.to_owned(), name, first, last)).collect();
        let mut tried = 0;
        loop {
            let done = engine
                .db
                .retry("default network segment ranges", || async {
                    let mut tx = engine.db.begin().await?;
                    write(&mut tx, &cx, &wanted).await?;
                    tx.witness(neutrino_db::Witness::Repeatable);
                    tx.commit().await
                })
                .await;
            tried += 1;
            match done {
                Err(error) if error.is_duplicate("") && tried < TRIES => {}
                done => return done,
            }
        }
    }
}

async fn write(tx: &mut Tx, cx: &Context, wanted: &BTreeSet<Row>) -> Result<()> {
    let sql = "SELECT network_type, physical_network, minimum, maximum, standard_attr_id FROM network_segment_ranges WHERE \"default\" = ?";
    let mut known = BTreeSet::new();
    for row in tx.query(sql, args![true]).await? {
        let range = (row.text(0)?, row.text(1)?, row.int(2)?, row.int(3)?);
        if !wanted.contains(&range) {
            tx.execute("DELETE FROM network_segment_ranges WHERE standard_attr_id = ?", args![row.int(4)?]).await?;
            tx.execute("DELETE FROM standardattributes WHERE id = ?", args![row.int(4)?]).await?;
        }
        known.insert(range);
    }
    for (network_type, physical_network, minimum, maximum) in wanted.difference(&known) {
        let now = cx.now();
        let standard = tx
            .insert_returning_id(
                "INSERT INTO standardattributes (resource_type, created_at, updated_at, revision_number) VALUES (?, ?, ?, ?)",
                args!["network_segment_ranges", now, now, 0],
            )
            .await?;
        tx.execute(
            "INSERT INTO network_segment_ranges (id, name, \"default\", shared, network_type, physical_network, minimum, maximum, \
             standard_attr_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            args![cx.new_id(), "", true, true, network_type, physical_network, *minimum, *maximum, standard],
        )
        .await?;
    }
    Ok(())
}
