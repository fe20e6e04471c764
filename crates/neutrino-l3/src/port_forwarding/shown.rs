// SPDX-License-Identifier: Apache-2.0
//! `port_forwardings` of floating IPs; one statement for a page.

use async_trait::async_trait;
use neutrino_core::{Loader, loading::of_page};
use neutrino_db::{Dialect, Row, Sql};
use neutrino_model::Page;
use neutrino_types::Result;
use serde_json::json;

pub(super) const FORWARDINGS: &str = "port_forwardings";

pub(super) struct Forwardings;

#[async_trait]
impl Loader for Forwardings {
    fn fills(&self) -> &'static [&'static str] {
        &[FORWARDINGS]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT floatingip_id, id, protocol, internal_ip_address, internal_neutron_port_id, internal_port_start, internal_port_end, \
             external_port_start, external_port_end FROM portforwardings WHERE ",
        );
        sql.append(of_page(dialect, "floatingip_id", page)).push(" ORDER BY id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(FORWARDINGS, &json!([]));
        let place = page.by_id();
        for row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            let mut shown = json!({
                "id": row.text(1)?, "protocol": row.text(2)?, "internal_ip_address": row.text(3)?, "internal_port_id": row.text(4)?,
            });
            // A range has no single port, and is not shown here.
            for (name, start, end) in [("internal_port", row.int(5)?, row.int(6)?), ("external_port", row.int(7)?, row.int(8)?)] {
                if start == end {
                    shown[name] = start.into();
                }
            }
            page.push(at, FORWARDINGS, shown);
        }
        Ok(())
    }
}
