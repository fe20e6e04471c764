// SPDX-License-Identifier: Apache-2.0
//! Is anything half done in a database? Asks what the features say must hold ([`neutrino_core::Invariant`]).
//!
//! Only reads. The rows of one moment: all questions are asked in one transaction.

use std::fmt;

use neutrino_core::Registry;
use neutrino_db::Db;

/// The most examples of a violation that are shown.
const SHOWN: usize = 5;

/// What does not hold, how often, and where for example.
#[derive(Debug, PartialEq, Eq)]
pub struct Violation {
    pub name: String,
    pub count: i64,
    pub examples: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = if usize::try_from(self.count).is_ok_and(|count| count > self.examples.len()) { ", ..." } else { "" };
        write!(out, "{}: {} ({}{more})", self.name, self.count, self.examples.join(", "))
    }
}

/// Name and question of each: those of features, and that standard attributes have the object that they belong to.
#[must_use]
pub fn questions(registry: &Registry) -> Vec<(String, String)> {
    let own = registry.invariants().iter().map(|invariant| (invariant.name.to_owned(), invariant.violations.to_owned()));
    let standard = registry.entries().filter_map(|(collection, entry)| {
        let (table, standard) = (entry.table.resource.table?, entry.table.resource.standard?);
        let sql = format!(
            "SELECT id FROM standardattributes WHERE resource_type = '{standard}' AND id NOT IN (SELECT standard_attr_id FROM {table})"
        );
        Some((format!("standard attributes of none of the {collection}"), sql))
    });
    own.chain(standard).collect()
}

/// The invariants that do not hold.
///
/// # Errors
/// A sentence: what the database answers to a question that cannot be asked.
pub async fn violations(db: &Db, registry: &Registry) -> Result<Vec<Violation>, String> {
    let told = |error: neutrino_types::Error| error.log().unwrap_or_else(|| error.message()).to_owned();
    let mut found = Vec::new();
    let mut tx = db.reader().await.map_err(told)?;
    for (name, sql) in questions(registry) {
        let told = |error: neutrino_types::Error| format!("{name}: {}", told(error));
        let count = tx.count(&format!("SELECT count(*) FROM ({sql}) violations"), Vec::new()).await.map_err(told)?;
        if count == 0 {
            continue;
        }
        let rows = tx.query(&format!("{sql} LIMIT {SHOWN}"), Vec::new()).await.map_err(told)?;
        let examples = rows.iter().map(|row| match row.opt_text(0) {
            Ok(text) => text.unwrap_or_else(|| "NULL".to_owned()),
            Err(_) => row.opt_int(0).ok().flatten().map_or_else(|| "?".to_owned(), |number| number.to_string()),
        });
        let examples = examples.collect();
        found.push(Violation { name, count, examples });
    }
    Ok(found)
}
