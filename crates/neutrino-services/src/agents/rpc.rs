// SPDX-License-Identifier: Apache-2.0
//! What agents call about themselves: `report_state`, `has_alive_neutron_server`, `get_agents`, `delete_agent` (`AgentExtRpcCallback` in
//! `neutron/db/agents_db.py`).
//!
//! Owns: the age of a report, and who hears of it after its commit. A report that was sent before this server began is passed over: its agent
//! has reported anew since, or soon will. Refuses to own: what a report does to the table ([`super::report`]).

use std::sync::Arc;

use chrono::NaiveDateTime;
use futures::future::BoxFuture;
use neutrino_core::{
    Builder, Context, Engine, RpcEndpoint,
    rpc::{self, Args},
    versions,
};
use neutrino_db::{Row, Sql, quote};
use neutrino_model::Record;
use neutrino_types::{Result, error::kinds};
use serde_json::{Map, Value, json};

use super::{AgentState, Reported, Status, delete_by_host, parsed, report, settings};

static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &["q-plugin", "q-reports-plugin"],
    namespace: None,
    version: (1, 4),
    methods: &[
        ("report_state", report_state),
        ("has_alive_neutron_server", has_alive_neutron_server),
        ("get_agents", get_agents),
        ("delete_agent", delete_agent),
    ],
};

/// When this server began. A service of the registry.
struct Begun(NaiveDateTime);

pub fn register(builder: &mut Builder) {
    builder.service(Arc::new(Begun(Context::internal("start").now())));
    builder.rpc(&ENDPOINT);
}

/// Answers `new`, `alive` or `revived`; null for a report that is too old to count.
fn report_state<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let sent = sent_at(rpc::text(args, "time")?)?;
        let state = AgentState::of(args.get("agent_state").map_or(&Value::Null, |outer| &outer["agent_state"]))?;
        warn_of_clock(engine, cx, &state, sent);
        if engine.registry.service::<Begun>().is_some_and(|begun| sent < begun.0) {
            tracing::debug!(agent = state.agent_type, host = state.host, %sent, "a report from before this server's start is passed over");
            return Ok(Value::Null);
        }
        let reported = engine
            .transact(cx, "agents", "report_state", |op| {
                let state = state.clone();
                Box::pin(async move { report(op, &state).await })
            })
            .await?;
        if let Some(versions) = reported.resource_versions.as_ref().filter(|versions| !versions.is_empty()) {
            versions::reported(engine, cx, &state.agent_type, &state.host, versions);
        }
        if reported.status != Status::Alive || state.start_flag {
            tell(engine, cx, &state, &reported).await?;
        }
        Ok(reported.status.text().into())
    })
}

/// The hooks of the collection see agents that are new, back, or begin anew: `alive` of the record says how it was and how it is.
async fn tell(engine: &Engine, cx: &Context, state: &AgentState, reported: &Reported) -> Result<()> {
    let entry = engine.entry("agents")?;
    let mut now = Record::new(entry.table.clone());
    now.set("id", reported.id.as_str());
    now.set("agent_type", state.agent_type.as_str());
    now.set("host", state.host.as_str());
    now.set("admin_state_up", reported.admin_state_up);
    now.set("configurations", Value::Object(state.configurations.clone()));
    now.set("alive", true);
    let mut before = now.clone();
    before.set("alive", reported.status == Status::Alive);
    for hook in &entry.hooks {
        let told = match reported.status {
            Status::New => hook.after_create(engine, cx, &now).await,
            _ => hook.after_update(engine, cx, &before, &now).await,
        };
        if let Err(error) = told {
            tracing::error!(agent = reported.id, error = %error, log = error.log().unwrap_or_default(), "not all was done for an agent that is back");
        }
    }
    Ok(())
}

/// The time in a message: `2026-11-22T21:03:17.336365`, UTC.
fn sent_at(text: &str) -> Result<NaiveDateTime> {
    let wrong = || kinds::INVALID_INPUT.error("The report's 'time' is no time of the form 2026-01-31T23:59:59.000000.");
    NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map_err(|_| wrong())
}

/// An agent whose clock is far off looks dead, or lives on when it is: the operator must know.
fn warn_of_clock(engine: &Engine, cx: &Context, state: &AgentState, sent: NaiveDateTime) {
    let apart = (cx.now() - sent).num_seconds().abs();
    if state.start_flag && apart > settings(engine).down_after_s {
        tracing::error!(agent = state.agent_type, host = state.host, "the clocks of the agent and of this server are {apart} s apart");
    }
}

/// Does the server reach its database?
fn has_alive_neutron_server<'a>(engine: &'a Engine, _cx: &'a Context, _args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let asked = async { engine.db.reader().await?.count("SELECT 1", Vec::new()).await };
        let answer = asked.await;
        if let Err(error) = &answer {
            tracing::error!(error = %error, log = error.log().unwrap_or_default(), "an agent asks whether the server works: the database does not answer");
        }
        Ok(answer.is_ok().into())
    })
}

/// An agent is forgotten, as when its host is taken away. Without both names nothing is done.
fn delete_agent<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let (Ok(host), Ok(agent_type)) = (rpc::text(args, "host"), rpc::text(args, "agent_type")) else {
            tracing::warn!("delete_agent was called without host or agent_type: nothing is deleted");
            return Ok(Value::Null);
        };
        let names = [agent_type, host].map(str::to_owned);
        engine
            .transact(cx, "agents", "delete_agent", |op| {
                let [agent_type, host] = names.clone();
                Box::pin(async move { delete_by_host(op, &agent_type, &host).await })
            })
            .await?;
        Ok(Value::Null)
    })
}

/// What agents may look for by; in the order of their columns.
const FILTERS: [&str; 7] = ["id", "agent_type", "binary", "topic", "host", "availability_zone", "description"];

/// The agents that have all of the values given, as the versioned object `Agent` has its fields.
fn get_agents<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let mut conditions = vec![Sql::raw("1 = 1")];
        let mut tx = engine.db.reader().await?;
        for (name, value) in args {
            conditions.push(match name.as_str() {
                "is_active" | "admin_state_up" => switch(engine, cx, name, value)?,
                text if FILTERS.contains(&text) => {
                    let values = rpc::texts(args, name)?;
                    Sql::in_texts(tx.dialect(), &quote(name), values.iter().map(String::as_str))
                }
                _ => return Err(kinds::INVALID_INPUT.error(format!("Agents cannot be looked for by '{name}'."))),
            });
        }
        let mut sql = Sql::raw(
            "SELECT id, agent_type, \"binary\", topic, host, availability_zone, description, admin_state_up, started_at, created_at, \
             heartbeat_timestamp, configurations, resource_versions, \"load\", resources_synced FROM agents WHERE ",
        );
        sql.append(Sql::join(conditions, " AND ")).push(" ORDER BY id");
        let rows = tx.select(sql).await?;
        Ok(Value::Array(rows.iter().map(fields).collect::<Result<_>>()?))
    })
}

fn switch(engine: &Engine, cx: &Context, name: &str, value: &Value) -> Result<Sql> {
    let wrong = || kinds::INVALID_INPUT.error(format!("Invalid input for {name}. Reason: it is neither true nor false."));
    let on = neutrino_model::Converter::ToBoolean.convert(value.clone(), &engine.registry.limits).ok().and_then(|on| on.as_bool());
    let on = on.ok_or_else(wrong)?;
    let mut sql = Sql::raw(match (name, on) {
        ("admin_state_up", _) => "admin_state_up = ",
        (_, true) => "heartbeat_timestamp >= ",
        (_, false) => "heartbeat_timestamp < ",
    });
    match name {
        "admin_state_up" => sql.bind(on),
        _ => sql.bind(settings(engine).alive_since(cx.now())),
    };
    Ok(sql)
}

fn fields(row: &Row) -> Result<Value> {
    let mut agent = Map::new();
    for (column, name) in FILTERS.iter().enumerate() {
        agent.insert((*name).to_owned(), json!(row.opt_text(column)?));
    }
    agent.insert("admin_state_up".to_owned(), row.bool(7)?.into());
    for (column, name) in [(8, "started_at"), (9, "created_at"), (10, "heartbeat_timestamp")] {
        let time = row.opt_time(column)?.map(|time| time.format("%Y-%m-%dT%H:%M:%S.%6f").to_string());
        agent.insert(name.to_owned(), json!(time));
    }
    agent.insert("configurations".to_owned(), parsed(&row.opt_text(11)?.unwrap_or_default()));
    agent.insert("resource_versions".to_owned(), row.opt_text(12)?.map_or(Value::Null, |text| parsed(&text)));
    agent.insert("load".to_owned(), row.int(13)?.into());
    agent.insert("resources_synced".to_owned(), json!(row.opt_bool(14)?));
    Ok(Value::Object(agent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_fractions_or_none() {
        let time = |text: &str| sent_at(text).map(|time| time.format("%s%.f").to_string()).ok();
        assert_eq!(time("2026-11-22T21:03:17.336365"), time("2026-11-22T21:03:17.336365"));
        assert_eq!(time("1970-01-01T00:00:01").as_deref(), Some("1"));
        assert_eq!(time("1970-01-01T00:00:01.500000").as_deref(), Some("1.500"));
        assert!(sent_at("yesterday").is_err_and(|error| error.is(kinds::INVALID_INPUT)));
    }
}
