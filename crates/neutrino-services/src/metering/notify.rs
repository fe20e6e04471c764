// SPDX-License-Identifier: Apache-2.0
//! What metering agents are told (`neutron/api/rpc/agentnotifiers/metering_rpc_agent_api.py`): labels and rules that come and go, with the
//! routers that they count for, on the hosts that serve those.
//!
//! Invariants: nothing is told before its commit; a batch of changes costs a constant number of statements.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;
use neutrino_core::{
    Builder, Change, Context, Engine, Verb,
    relay::{self, Listener},
    rpc::{self, Message},
};
use neutrino_db::Sql;
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::{Map, Value, json};

use super::data::{self, Label, Router};

const TOPIC: &str = "metering_agent";
const COLLECTIONS: [&str; 2] = ["metering_labels", "metering_label_rules"];
/// The attributes of a rule that agents get.
const RULE: [&str; 7] =
    ["id", "metering_label_id", "direction", "remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix", "excluded"];

pub fn register(builder: &mut Builder) {
    relay::register::<MeteringAgents>(builder);
}

/// Tells agents everything that waits now.
pub async fn flush(engine: &Engine) {
    relay::flush::<MeteringAgents>(engine).await;
}

/// Metering agents, as those who hear of labels and rules.
struct MeteringAgents;

#[async_trait]
impl Listener for MeteringAgents {
    const NAME: &'static str = "metering agents";

    fn wants(change: &Change) -> bool {
        COLLECTIONS.contains(&change.collection.as_str()) && change.verb != Verb::Updated
    }

    async fn tell(engine: &Engine, batch: &[(Context, Change)]) -> Result<()> {
        tell(engine, batch).await
    }
}

/// Tells agents of changes, in their order; of several new labels at once.
async fn tell(engine: &Engine, batch: &[(Context, Change)]) -> Result<()> {
    let gone = deleted_labels(batch);
    let mut tx = engine.db.reader().await?;
    let known = data::labels(&mut tx, Sql::raw("1 = 1")).await?;
    let routers = data::routers(&mut tx, Sql::raw("1 = 1")).await?;
    let mut messages: Vec<(&Context, &'static str, Vec<Value>)> = Vec::new();
    for (cx, change) in batch {
        let Some((method, said)) = message(change, &gone, &known, &routers) else { continue };
        if method != "add_metering_label" || !messages.iter().any(|(_, known, _)| *known == method) {
            messages.push((cx, method, said));
        }
    }
    let ids: BTreeSet<&str> =
        messages.iter().flat_map(|(_, _, routers)| routers.iter().filter_map(|router| router["id"].as_str())).collect();
    let ids: Vec<&str> = ids.into_iter().collect();
    if ids.is_empty() {
        return Ok(());
    }
    if !engine.registry.has_extension("l3_agent_scheduler") {
        for (cx, method, routers) in messages {
            rpc::cast(engine, cx, Message::new(TOPIC, "1.0", method, json!({ "routers": routers })).to_all());
        }
        return Ok(());
    }
    let hosts = data::hosts(engine, &mut tx, &ids, Context::internal("metering notifications").now()).await?;
    drop(tx);
    for (cx, method, routers) in messages {
        for (host, serves) in &hosts {
            let here: Vec<&Value> = routers.iter().filter(|router| serves.iter().any(|id| router["id"] == id.as_str())).collect();
            if !here.is_empty() {
                rpc::cast(engine, cx, Message::new(TOPIC, "1.0", method, json!({ "routers": here })).to(host));
            }
        }
    }
    Ok(())
}

/// Labels that went, with the rules that went with them.
fn deleted_labels(batch: &[(Context, Change)]) -> HashMap<String, Label> {
    let deleted = |collection: &'static str| {
        let changes = batch.iter().map(|(_, change)| change).filter(|change| change.verb == Verb::Deleted);
        changes.filter(move |change| change.collection == collection).filter_map(|change| change.before.as_ref())
    };
    let mut labels: HashMap<String, Label> = deleted(COLLECTIONS[0])
        .map(|label| {
            let [id, name, project_id] = [label.id(), label.str("name"), label.project_id()].map(str::to_owned);
            (id.clone(), Label { id, name, project_id, shared: label.bool("shared"), rules: Vec::new() })
        })
        .collect();
    for rule in deleted(COLLECTIONS[1]) {
        if let Some(label) = labels.get_mut(rule.str("metering_label_id")) {
            label.rules.push(dict(rule));
        }
    }
    labels
}

/// What is to be told of a change: the method and the routers; nothing of the rules of a label that went, too.
fn message(change: &Change, gone: &HashMap<String, Label>, known: &[Label], routers: &[Router]) -> Option<(&'static str, Vec<Value>)> {
    if change.collection == COLLECTIONS[0] {
        return match change.verb {
            Verb::Deleted => Some(("remove_metering_label", data::with_labels(routers, std::slice::from_ref(gone.get(&change.id)?)))),
            _ => Some(("add_metering_label", data::with_labels(routers, known))),
        };
    }
    let (method, rule) = match change.verb {
        Verb::Deleted => ("remove_metering_label_rule", change.before.as_ref()?),
        _ => ("add_metering_label_rule", change.after.as_ref()?),
    };
    let label = known.iter().find(|label| label.id == rule.str("metering_label_id"))?;
    Some((method, data::with_rule(routers, label, &dict(rule))))
}

fn dict(rule: &Record) -> Value {
    Value::Object(RULE.iter().map(|name| ((*name).to_owned(), rule.get(name).clone())).collect::<Map<_, _>>())
}
