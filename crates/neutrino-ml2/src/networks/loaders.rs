// SPDX-License-Identifier: Apache-2.0
//! What a network shows of its subnets: their ids, and the address scopes that their pools belong to.

use async_trait::async_trait;
use neutrino_core::{Loader, loading::of_page};
use neutrino_db::{Dialect, Row, Sql};
use neutrino_model::Page;
use neutrino_types::Result;
use serde_json::{Value, json};

pub struct Subnets;

#[async_trait]
impl Loader for Subnets {
    fn fills(&self) -> &'static [&'static str] {
        &["subnets", "ipv4_address_scope", "ipv6_address_scope"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT s.network_id, s.id, s.ip_version, p.address_scope_id FROM subnets s \
             LEFT JOIN subnetpools p ON p.id = s.subnetpool_id WHERE ",
        );
        sql.append(of_page(dialect, "s.network_id", page)).push(" ORDER BY s.id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill("subnets", &json!([]));
        let place = page.by_id();
        for row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            page.push(at, "subnets", Value::String(row.text(1)?));
            if let Some(scope) = row.opt_text(3)? {
                let attribute = if row.int(2)? == 4 { "ipv4_address_scope" } else { "ipv6_address_scope" };
                page.rows[at].set(attribute, scope);
            }
        }
        Ok(())
    }
}
