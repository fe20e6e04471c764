// SPDX-License-Identifier: Apache-2.0
//! `port_details`: what there is to say of the port inside, loaded once for a page.

use async_trait::async_trait;
use neutrino_core::{Builder, Loader};
use neutrino_db::{Dialect, Row, Sql};
use neutrino_model::{Attribute, Extension, Page, attribute::Default};
use neutrino_types::Result;
use serde_json::{Value, json};
use std::collections::HashMap;

const DETAILS: &str = "port_details";

static EXTENSION: Extension = Extension::new(
    "fip-port-details",
    "Floating IP Port Details Extension",
    "Add port_details attribute to Floating IP resource",
    "2018-04-09T10:00:00-00:00",
)
.requires(&["router"])
.extends(&[("floatingips", &[Attribute::new(DETAILS).default(Default::Unset)])]);

struct Details;

#[async_trait]
impl Loader for Details {
    fn fills(&self) -> &'static [&'static str] {
        &[DETAILS]
    }

    fn needs(&self) -> &'static [&'static str] {
        &["port_id"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let ids: Vec<&str> = page.rows.iter().filter_map(|row| row.opt_str("port_id")).collect();
        if ids.is_empty() {
            return None;
        }
        let mut sql =
            Sql::raw("SELECT id, name, network_id, mac_address, admin_state_up, status, device_id, device_owner FROM ports WHERE ");
        sql.append(Sql::in_texts(dialect, "id", ids));
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let mut known: HashMap<String, Value> = HashMap::new();
        for row in rows {
            let text = |at: usize| row.opt_text(at).map(Option::unwrap_or_default);
            let details = json!({
                "name": text(1)?, "network_id": text(2)?, "mac_address": text(3)?, "admin_state_up": row.bool(4)?, "status": text(5)?,
                "device_id": text(6)?, "device_owner": text(7)?,
            });
            known.insert(row.text(0)?, details);
        }
        for row in &mut page.rows {
            if let Some(details) = row.opt_str("port_id").and_then(|id| known.get(id)) {
                let details = details.clone();
                row.set(DETAILS, details);
            }
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).loader("floatingips", Details);
}
