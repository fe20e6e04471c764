// SPDX-License-Identifier: Apache-2.0
//! What ports have to do with trunks: a port of a trunk stays, a parent shows its trunk, and its binding decides the trunk's.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Page, Record, attribute::Default};
use neutrino_types::Result;
use serde_json::{Value, json};

use super::{DOWN, bind, errors, rules};

const DETAILS: &str = "trunk_details";

/// Only the parent of a trunk has it.
pub const TRUNK_DETAILS: Attribute =
    Attribute::new(DETAILS).default(Default::Unset).required_by_policy().enforce_policy().omit_when(|port| port.get(DETAILS).is_null());

pub struct Guard;

#[async_trait]
impl Hook for Guard {
    /// Who makes a trunk of the port, or a sub-port, claims it first.
    fn delete_if(&self) -> Option<&'static str> {
        Some("EXISTS (SELECT 1 FROM trunks k WHERE k.port_id = :id) OR EXISTS (SELECT 1 FROM subports s WHERE s.port_id = :id)")
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let id = original.id();
        rules::claim(op, &[id]).await?;
        let sql = "SELECT (SELECT t.id FROM trunks t WHERE t.port_id = p.id), (SELECT s.trunk_id FROM subports s WHERE s.port_id = p.id) \
                   FROM ports p WHERE p.id = ?";
        let Some(row) = op.tx.query_one(sql, args![id]).await? else { return Ok(()) };
        if let Some(trunk) = row.opt_text(1)? {
            return Err(
                errors::PORT_IN_USE_AS_SUB_PORT.error(format!("Port {id} is a sub-port of trunk {trunk}: remove it from there first."))
            );
        }
        match row.opt_text(0)? {
            Some(trunk) => {
                Err(errors::PORT_IN_USE_AS_PARENT.error(format!("Port {id} is the parent port of trunk {trunk}: delete the trunk first.")))
            }
            None => Ok(()),
        }
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, record: &Record) -> Result<()> {
        let Some(trunk) = record.get(DETAILS)["trunk_id"].as_str() else { return Ok(()) };
        let is = |name: &str, value: &str| record.str(name) == value && original.str(name) != value;
        if is("binding:vif_type", "unbound") {
            bind::set_status(engine, cx, trunk, DOWN).await?;
        }
        let by_switch = record.get("binding:vif_details")["bound_drivers"]["0"] == "openvswitch";
        if by_switch && is("status", "ACTIVE") {
            bind::bind_subports(engine, cx, trunk, record.str("binding:host_id")).await?;
        }
        Ok(())
    }
}

pub struct Details;

#[async_trait]
impl Loader for Details {
    fn fills(&self) -> &'static [&'static str] {
        &[DETAILS]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT t.port_id, t.id, s.port_id, s.segmentation_type, s.segmentation_id, p.mac_address FROM trunks t \
             LEFT JOIN subports s ON s.trunk_id = t.id LEFT JOIN ports p ON p.id = s.port_id WHERE ",
        );
        sql.append(of_page(dialect, "t.port_id", page));
        sql.push(" ORDER BY t.id, s.segmentation_type, s.segmentation_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        for row in rows {
            let Some(port) = place.get(row.str(0)?).and_then(|at| page.rows.get_mut(*at)) else { continue };
            let mut details = port.get(DETAILS).clone();
            if details.is_null() {
                details = json!({"trunk_id": row.text(1)?, "sub_ports": []});
            }
            if let (Some(sub_port), Value::Array(list)) = (row.opt_text(2)?, &mut details["sub_ports"]) {
                list.push(json!({
                    "segmentation_id": row.int(4)?,
                    "segmentation_type": row.text(3)?,
                    "port_id": sub_port,
                    "mac_address": row.opt_text(5)?,
                }));
            }
            port.set(DETAILS, details);
        }
        Ok(())
    }
}
