// SPDX-License-Identifier: Apache-2.0
//! Routers with the labels that count their traffic, as metering agents get them (`get_sync_data_metering` in
//! `neutron/db/metering/metering_db.py`).

use std::collections::{BTreeMap, HashMap};

use neutrino_core::Engine;
use neutrino_db::{Row, Sql, Tx, args};
use neutrino_types::Result;
use serde_json::{Value, json};

use crate::agents;

/// The key of a router's labels in messages.
pub const LABELS: &str = "_metering_labels";

/// A label, and the rules that agents shall know of it.
#[derive(Clone, Debug)]
pub struct Label {
    pub id: String,
    pub name: String,
    pub project_id: String,
    pub shared: bool,
    pub rules: Vec<Value>,
}

impl Label {
    /// A shared label counts for all routers, any other for those of its project.
    fn counts(&self, router: &Router) -> bool {
        self.shared || (!router.project_id.is_empty() && self.project_id == router.project_id)
    }
}

pub struct Router {
    project_id: String,
    admin_state_up: bool,
    dict: Value,
}

/// Labels that fulfil a condition over `meteringlabels`, with their rules. Two statements.
pub async fn labels(tx: &mut Tx, condition: Sql) -> Result<Vec<Label>> {
    let mut sql = Sql::raw("SELECT id, name, project_id, shared FROM meteringlabels WHERE ");
    sql.append(condition).push(" ORDER BY id");
    let one = |row: &Row| {
        Ok(Label {
            id: row.text(0)?,
            name: row.opt_text(1)?.unwrap_or_default(),
            project_id: row.opt_text(2)?.unwrap_or_default(),
            shared: row.opt_bool(3)?.unwrap_or_default(),
            rules: Vec::new(),
        })
    };
    let mut labels: Vec<Label> = tx.select(sql).await?.iter().map(one).collect::<Result<_>>()?;
    let place: HashMap<String, usize> = labels.iter().enumerate().map(|(at, label)| (label.id.clone(), at)).collect();
    let mut sql = Sql::raw(
        "SELECT metering_label_id, id, direction, remote_ip_prefix, source_ip_prefix, destination_ip_prefix, excluded FROM meteringlabelrules WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "metering_label_id", place.keys().map(String::as_str))).push(" ORDER BY id");
    for row in tx.select(sql).await? {
        let label_id = row.text(0)?;
        let rule = json!({
            "id": row.text(1)?, "metering_label_id": label_id, "direction": row.opt_text(2)?, "remote_ip_prefix": row.opt_text(3)?,
            "source_ip_prefix": row.opt_text(4)?, "destination_ip_prefix": row.opt_text(5)?, "excluded": row.opt_bool(6)?,
        });
        if let Some(label) = place.get(&label_id).and_then(|at| labels.get_mut(*at)) {
            label.rules.push(rule);
        }
    }
    Ok(labels)
}

/// Routers that fulfil a condition over `r`.
pub async fn routers(tx: &mut Tx, condition: Sql) -> Result<Vec<Router>> {
    let mut sql = Sql::raw(
        "SELECT r.id, r.name, r.project_id, r.admin_state_up, r.status, r.gw_port_id, x.distributed FROM routers r \
         LEFT JOIN router_extra_attributes x ON x.router_id = r.id WHERE ",
    );
    sql.append(condition).push(" ORDER BY r.id");
    let rows = tx.select(sql).await?;
    rows.iter()
        .map(|row| {
            let project_id = row.opt_text(2)?;
            let admin_state_up = row.opt_bool(3)?.unwrap_or_default();
            let dict = json!({
                "id": row.text(0)?, "name": row.opt_text(1)?, "project_id": project_id, "admin_state_up": admin_state_up, "status": row.opt_text(4)?,
                "gw_port_id": row.opt_text(5)?, "distributed": row.opt_bool(6)?.unwrap_or_default(), LABELS: [],
            });
            Ok(Router { project_id: project_id.unwrap_or_default(), admin_state_up, dict })
        })
        .collect()
}

/// The routers that labels count for, each with its labels and all their rules. Routers that are down count nothing.
pub fn with_labels(routers: &[Router], labels: &[Label]) -> Vec<Value> {
    let up = routers.iter().filter(|router| router.admin_state_up);
    let counted = up.filter_map(|router| {
        let counting = labels.iter().filter(|label| label.counts(router));
        let said = counting.map(|label| json!({"id": label.id, "rules": label.rules, "shared": label.shared, "name": label.name}));
        labelled(router, said.collect())
    });
    counted.collect()
}

/// The routers that a label counts for, with one rule of it.
pub fn with_rule(routers: &[Router], label: &Label, rule: &Value) -> Vec<Value> {
    let counted = routers.iter().filter(|router| label.counts(router));
    counted.filter_map(|router| labelled(router, vec![json!({"id": label.id, "rule": rule})])).collect()
}

fn labelled(router: &Router, labels: Vec<Value>) -> Option<Value> {
    if labels.is_empty() {
        return None;
    }
    let mut dict = router.dict.clone();
    dict[LABELS] = Value::Array(labels);
    Some(dict)
}

/// The hosts whose metering agents count the traffic of routers: those of living L3 agents that serve them. By host the ids of routers.
pub async fn hosts(engine: &Engine, tx: &mut Tx, routers: &[&str], now: chrono::NaiveDateTime) -> Result<BTreeMap<String, Vec<String>>> {
    let settings = agents::settings(engine);
    let mut sql = Sql::new(
        "SELECT a.host, b.router_id FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id \
         WHERE a.heartbeat_timestamp >= ? AND (a.admin_state_up = ? OR a.admin_state_up = ?) AND ",
        args![settings.alive_since(now), true, !settings.services_on_disabled],
    );
    sql.append(Sql::in_texts(tx.dialect(), "b.router_id", routers.iter().copied())).push(" ORDER BY a.host, b.router_id");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in tx.select(sql).await? {
        found.entry(row.text(0)?).or_default().push(row.text(1)?);
    }
    Ok(found)
}
