// SPDX-License-Identifier: Apache-2.0
//! What agents ask of logs: which rules of which ports they are to log (`neutron/services/logapi/rpc/server.py`).
//!
//! Invariant: a call costs a constant number of statements, however many logs, ports and rules there are.

use std::collections::{BTreeSet, HashMap};

use neutrino_core::{
    Context, Engine, RpcEndpoint,
    rpc::{self, Args},
};
use neutrino_db::{Row, Sql, Tx, args};
use neutrino_types::{Result, error::kinds};
use serde_json::{Map, Value, json};

use super::{NOT_BOUND, SECURITY_GROUP, VIF_TYPES, VNIC_TYPES};

const TOPIC: &str = "logging-plugin";

pub static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &[TOPIC],
    namespace: Some(TOPIC),
    version: (1, 1),
    methods: &[
        ("get_sg_log_info_for_port", |engine, cx, args| Box::pin(for_port(engine, cx, args))),
        ("get_sg_log_info_for_log_resources", |engine, cx, args| Box::pin(for_logs(engine, cx, args))),
    ],
};

/// What counts of a log here.
struct Log {
    id: Value,
    event: Value,
    project_id: Value,
    group_id: Option<String>,
    port_id: Option<String>,
}

impl Log {
    fn of_row(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.text(0)?.into(),
            event: row.text(1)?.into(),
            project_id: row.opt_text(2)?.into(),
            group_id: row.opt_text(3)?,
            port_id: row.opt_text(4)?,
        })
    }

    /// As an agent has it from a push.
    fn of_object(object: &Value) -> Self {
        let text = |name: &str| object[name].as_str().map(str::to_owned);
        Self {
            id: object["id"].clone(),
            event: object["event"].clone(),
            project_id: object["project_id"].clone(),
            group_id: text("resource_id"),
            port_id: text("target_id"),
        }
    }

    /// Of a port's groups, those whose rules it logs.
    fn groups<'a>(&self, of_port: &'a [String]) -> Vec<&'a str> {
        of_port.iter().map(String::as_str).filter(|group| self.group_id.as_deref().is_none_or(|only| only == *group)).collect()
    }

    fn info(&self, ports: &[&str], groups: &Groups, rules: &Rules) -> Value {
        let of_port = |port: &&str| {
            let groups = groups.get(*port).map(|groups| self.groups(groups)).unwrap_or_default();
            let rules: Vec<&Value> = groups.iter().filter_map(|group| rules.get(*group)).flatten().collect();
            json!({"port_id": port, "security_group_rules": rules})
        };
        let ports: Vec<Value> = ports.iter().map(of_port).collect();
        json!({"id": self.id, "ports_log": ports, "event": self.event, "project_id": self.project_id})
    }
}

/// The groups of each port.
type Groups = HashMap<String, Vec<String>>;
/// The rules of each group, as agents get them.
type Rules = HashMap<String, Vec<Value>>;

fn ensure_type(args: &Args) -> Result<()> {
    match args.get("resource_type").and_then(Value::as_str) {
        None | Some(SECURITY_GROUP) => Ok(()),
        Some(other) => {
            let other: String = other.chars().take(64).collect();
            Err(kinds::NOT_IMPLEMENTED.error(format!("Resources of the type '{other}' are not logged by agents of this server.")))
        }
    }
}

async fn groups_of(tx: &mut Tx, ports: &[&str]) -> Result<Groups> {
    let mut sql = Sql::raw("SELECT port_id, security_group_id FROM securitygroupportbindings WHERE ");
    sql.append(Sql::in_texts(tx.dialect(), "port_id", ports.iter().copied())).push(" ORDER BY port_id, security_group_id");
    let mut groups = Groups::new();
    for row in tx.select(sql).await? {
        groups.entry(row.text(0)?).or_default().push(row.text(1)?);
    }
    Ok(groups)
}

async fn rules_of(tx: &mut Tx, groups: &Groups) -> Result<Rules> {
    let ids: BTreeSet<&str> = groups.values().flatten().map(String::as_str).collect();
    let mut sql = Sql::raw(
        "SELECT security_group_id, direction, ethertype, protocol, port_range_min, port_range_max, remote_group_id, remote_ip_prefix \
         FROM securitygrouprules WHERE ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "security_group_id", ids)).push(" ORDER BY standard_attr_id");
    let mut rules = Rules::new();
    for row in tx.select(sql).await? {
        let (group, direction) = (row.text(0)?, row.opt_text(1)?);
        let prefix = if direction.as_deref() == Some("egress") { "dest_ip_prefix" } else { "source_ip_prefix" };
        let mut rule = Map::new();
        rule.insert("direction".to_owned(), direction.into());
        rule.insert("ethertype".to_owned(), row.opt_text(2)?.into());
        let optional: [(&str, Option<Value>); 5] = [
            ("protocol", row.opt_text(3)?.map(Value::from)),
            ("port_range_min", row.opt_int(4)?.map(Value::from)),
            ("port_range_max", row.opt_int(5)?.map(Value::from)),
            ("remote_group_id", row.opt_text(6)?.map(Value::from)),
            (prefix, row.opt_text(7)?.map(Value::from)),
        ];
        rule.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        rule.insert("security_group_id".to_owned(), group.as_str().into());
        rules.entry(group).or_default().push(rule.into());
    }
    Ok(rules)
}

/// The logs that a port has something to do with.
async fn for_port(engine: &Engine, _cx: &Context, args: &Args) -> Result<Value> {
    ensure_type(args)?;
    let port_id = rpc::text(args, "port_id")?;
    let mut tx = engine.db.reader().await?;
    let sql = "SELECT l.id, l.event, l.project_id, l.resource_id, l.target_id FROM logs l JOIN ports p ON p.project_id = l.project_id \
               WHERE p.id = ? AND l.resource_type = ? AND l.enabled = ? ORDER BY l.standard_attr_id";
    let rows = tx.query(sql, args![port_id, SECURITY_GROUP, true]).await?;
    if rows.is_empty() {
        return Ok(json!([]));
    }
    let groups = groups_of(&mut tx, &[port_id]).await?;
    let rules = rules_of(&mut tx, &groups).await?;
    let of_port = groups.get(port_id).map(Vec::as_slice).unwrap_or_default();
    let is_bound = |log: &Log| {
        let by_group = log.group_id.as_ref().is_some_and(|group| of_port.contains(group));
        by_group || log.port_id.as_deref() == Some(port_id) || (log.group_id.is_none() && log.port_id.is_none())
    };
    let mut found = Vec::new();
    for row in rows {
        let log = Log::of_row(&row)?;
        if is_bound(&log) {
            found.push(log.info(&[port_id], &groups, &rules));
        }
    }
    Ok(found.into())
}

/// The ports of each log: the one that it names, those of the group that it names, or those of all groups of its project.
async fn candidates(tx: &mut Tx, logs: &[Log]) -> Result<Vec<Vec<String>>> {
    let groups: BTreeSet<&str> = logs.iter().filter(|log| log.port_id.is_none()).filter_map(|log| log.group_id.as_deref()).collect();
    let is_of_project = |log: &&Log| log.port_id.is_none() && log.group_id.is_none();
    let projects: BTreeSet<&str> = logs.iter().filter(is_of_project).filter_map(|log| log.project_id.as_str()).collect();
    let mut sql = Sql::raw(
        "SELECT b.port_id, b.security_group_id, g.project_id FROM securitygroupportbindings b \
         JOIN securitygroups g ON g.id = b.security_group_id WHERE ",
    );
    let parts = vec![Sql::in_texts(tx.dialect(), "b.security_group_id", groups), Sql::in_texts(tx.dialect(), "g.project_id", projects)];
    sql.append(Sql::join(parts, " OR ")).push(" ORDER BY b.port_id");
    let (mut by_group, mut by_project) = (HashMap::<String, Vec<String>>::new(), HashMap::<String, Vec<String>>::new());
    for row in tx.select(sql).await? {
        let port = row.text(0)?;
        by_group.entry(row.text(1)?).or_default().push(port.clone());
        let of_project = by_project.entry(row.opt_text(2)?.unwrap_or_default()).or_default();
        if of_project.last() != Some(&port) {
            of_project.push(port);
        }
    }
    let of_log = |log: &Log| match (&log.port_id, &log.group_id) {
        (Some(port), _) => vec![port.clone()],
        (None, Some(group)) => by_group.get(group).cloned().unwrap_or_default(),
        (None, None) => log.project_id.as_str().and_then(|project| by_project.get(project)).cloned().unwrap_or_default(),
    };
    Ok(logs.iter().map(of_log).collect())
}

/// Of these, the ports that are up and that the driver can log.
async fn loggable(tx: &mut Tx, ports: &BTreeSet<&str>) -> Result<BTreeSet<String>> {
    let mut sql = Sql::raw(
        "SELECT p.id, b.vif_type, b.vnic_type FROM ports p JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' \
         WHERE p.status = 'ACTIVE' AND ",
    );
    sql.append(Sql::in_texts(tx.dialect(), "p.id", ports.iter().copied()));
    let mut found = BTreeSet::new();
    for row in tx.select(sql).await? {
        let (vif_type, vnic_type) = (row.text(1)?, row.text(2)?);
        let is_bound = !NOT_BOUND.contains(&vif_type.as_str());
        if if is_bound { VIF_TYPES.contains(&vif_type.as_str()) } else { VNIC_TYPES.contains(&vnic_type.as_str()) } {
            found.insert(row.text(0)?);
        }
    }
    Ok(found)
}

async fn for_logs(engine: &Engine, _cx: &Context, args: &Args) -> Result<Value> {
    ensure_type(args)?;
    let Some(Value::Array(given)) = args.get("log_resources") else {
        return Err(kinds::INVALID_INPUT.error("The call has no list 'log_resources'."));
    };
    let logs: Vec<Log> = given.iter().map(Log::of_object).collect();
    let mut tx = engine.db.reader().await?;
    let candidates = candidates(&mut tx, &logs).await?;
    let all: BTreeSet<&str> = candidates.iter().flatten().map(String::as_str).collect();
    let up = loggable(&mut tx, &all).await?;
    let up: Vec<&str> = up.iter().map(String::as_str).collect();
    let groups = groups_of(&mut tx, &up).await?;
    let rules = rules_of(&mut tx, &groups).await?;
    let info = |(log, ports): (&Log, &Vec<String>)| {
        let ports: Vec<&str> = ports.iter().map(String::as_str).filter(|port| up.binary_search(port).is_ok()).collect();
        log.info(&ports, &groups, &rules)
    };
    Ok(logs.iter().zip(&candidates).map(info).collect())
}
