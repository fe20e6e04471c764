// SPDX-License-Identifier: Apache-2.0
//! The ids of a range: which are free, and whose networks have the others. Two statements for a page.

use async_trait::async_trait;
use neutrino_core::{Context, Loader, loading::of_page};
use neutrino_db::{Sql, Tx, quote};
use neutrino_model::Page;
use neutrino_types::Result;
use serde_json::{Value, json};

/// Type, table of allocations, column of the id.
const TABLES: [(&str, &str, &str); 4] = [
    ("vlan", "ml2_vlan_allocations", "vlan_id"),
    ("vxlan", "ml2_vxlan_allocations", "vxlan_vni"),
    ("gre", "ml2_gre_allocations", "gre_id"),
    ("geneve", "ml2_geneve_allocations", "geneve_vni"),
];

pub struct Ids;

#[async_trait]
impl Loader for Ids {
    fn fills(&self) -> &'static [&'static str] {
        &["used", "available"]
    }

    async fn load(&self, _cx: &Context, tx: &mut Tx, page: &mut Page) -> Result<()> {
        page.fill("used", &json!({}));
        page.fill("available", &json!([]));
        let place = page.by_id();
        if page.wants(&["available"]) {
            for row in tx.select(free(tx, page)).await? {
                if let Some(&at) = place.get(row.str(0)?) {
                    page.push(at, "available", row.int(1)?.into());
                }
            }
        }
        if page.wants(&["used"]) {
            for row in tx.select(taken(tx, page)).await? {
                let Some(range) = place.get(row.str(0)?).and_then(|at| page.rows.get_mut(*at)) else { continue };
                let mut used = range.get("used").clone();
                used[row.int(1)?.to_string()] = row.opt_text(2)?.map_or(Value::Null, Value::from);
                range.set("used", used);
            }
        }
        Ok(())
    }
}

fn free(tx: &Tx, page: &Page) -> Sql {
    let mut sql = Sql::default();
    for (n, (network_type, table, key)) in TABLES.iter().enumerate() {
        sql.push(if n > 0 { " UNION ALL " } else { "" });
        sql.push(&format!(
            "SELECT r.id, a.{0} FROM network_segment_ranges r JOIN {table} a ON a.{0} BETWEEN r.minimum AND r.maximum",
            quote(key)
        ));
        sql.push(if *network_type == "vlan" { " AND a.physical_network = r.physical_network" } else { "" });
        sql.push(" AND a.allocated = ").bind(false).push(" WHERE r.network_type = ").bind(*network_type).push(" AND ");
        sql.append(of_page(tx.dialect(), "r.id", page));
    }
    sql.push(" ORDER BY 1, 2");
    sql
}

fn taken(tx: &Tx, page: &Page) -> Sql {
    let mut sql = Sql::raw(
        "SELECT r.id, s.segmentation_id, n.project_id FROM network_segment_ranges r JOIN networksegments s \
         ON s.network_type = r.network_type AND COALESCE(s.physical_network, '') = r.physical_network \
         AND s.segmentation_id BETWEEN r.minimum AND r.maximum JOIN networks n ON n.id = s.network_id WHERE ",
    );
    sql.append(of_page(tx.dialect(), "r.id", page)).push(" ORDER BY r.id, s.segmentation_id");
    sql
}
