// SPDX-License-Identifier: Apache-2.0
//! What an agent's report does to the table `agents` (`create_or_update_agent` in `neutron/db/agents_db.py`).
//!
//! The age of the message and the agents' view of versioned objects are [`super::rpc`]'s. Other features follow reports by
//! hooks of the collection `agents`: `create` for a new agent, `update` for a known one, with the configurations in the body.

use chrono::NaiveDateTime;
use neutrino_core::Op;
use neutrino_db::{Arg, args};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Map, Value};

use super::{DHCP, parsed, settings};

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentState {
    pub agent_type: String,
    pub binary: String,
    pub host: String,
    pub topic: String,
    /// `None`: the report does not speak of it, and what is stored stays.
    pub availability_zone: Option<Option<String>>,
    pub configurations: Map<String, Value>,
    /// Versions of objects by their names; `None` or empty: what is stored stays.
    pub resource_versions: Option<Map<String, Value>>,
    /// Does the agent begin with this report?
    pub start_flag: bool,
}

impl AgentState {
    /// Reads the `agent_state` of a `report_state` message.
    ///
    /// # Errors
    /// 400 `InvalidInput` for a report without a name that it needs.
    pub fn of(message: &Value) -> Result<Self> {
        let text = |name: &str| {
            let text = message[name].as_str().filter(|text| text.chars().count() <= 255);
            text.map(str::to_owned).ok_or_else(|| kinds::INVALID_INPUT.error(format!("The agent's report has no usable '{name}'.")))
        };
        let object = |name: &str| message[name].as_object().cloned();
        Ok(Self {
            agent_type: text("agent_type")?,
            binary: text("binary")?,
            host: text("host")?,
            topic: text("topic")?,
            availability_zone: message.get("availability_zone").map(|zone| zone.as_str().map(str::to_owned)),
            configurations: object("configurations").unwrap_or_default(),
            resource_versions: object("resource_versions"),
            start_flag: message["start_flag"].as_bool().unwrap_or_default(),
        })
    }
}

/// How the server sees an agent that reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    New,
    Alive,
    /// It was silent for longer than `agent_down_time`.
    Revived,
}

impl Status {
    /// The word in the answer to `report_state`.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Alive => "alive",
            Self::Revived => "revived",
        }
    }
}

/// What a report did.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    pub id: String,
    pub status: Status,
    pub admin_state_up: bool,
    /// Versions to make known to other parts: those of the report, or of a revived agent those that are stored.
    pub resource_versions: Option<Map<String, Value>>,
}

struct Known {
    id: String,
    admin_state_up: bool,
    heard: NaiveDateTime,
    configurations: String,
    resource_versions: Option<String>,
}

async fn known(op: &mut Op<'_>, state: &AgentState) -> Result<Option<Known>> {
    let sql =
        "SELECT id, admin_state_up, heartbeat_timestamp, configurations, resource_versions FROM agents WHERE agent_type = ? AND host = ?";
    let row = op.tx.query_one(sql, args![&state.agent_type, &state.host]).await?;
    row.map(|row| {
        Ok(Known {
            id: row.text(0)?,
            admin_state_up: row.bool(1)?,
            heard: row.opt_time(2)?.unwrap_or_default(),
            configurations: row.text(3)?,
            resource_versions: row.opt_text(4)?,
        })
    })
    .transpose()
}

/// Takes a report in: a row for an agent that is new, else its heartbeat and what it says of itself. Call it in a transaction of the
/// collection `agents`. Two statements, and those of hooks.
///
/// # Errors
/// 400 for a report that the table cannot hold; transient when the same agent reports for the first time elsewhere; the database's.
pub async fn report(op: &mut Op<'_>, state: &AgentState) -> Result<Reported> {
    let settings = settings(op.engine);
    let now = op.cx.now();
    let configurations = spaced(&state.configurations, 4095, "configurations")?;
    let given = state.resource_versions.clone().filter(|versions| !versions.is_empty());
    let versions = given.as_ref().map(|versions| spaced(versions, 8191, "resource_versions")).transpose()?;
    let mut columns: Vec<(&str, Arg)> = vec![
        ("binary", (&state.binary).into()),
        ("topic", (&state.topic).into()),
        ("configurations", configurations.into()),
        ("load", load(state, &settings.dhcp_load_type).into()),
        ("heartbeat_timestamp", now.into()),
    ];
    if let Some(zone) = &state.availability_zone {
        columns.push(("availability_zone", zone.as_deref().into()));
    }
    if let Some(versions) = versions {
        columns.push(("resource_versions", versions.into()));
    }
    match known(op, state).await? {
        Some(known) => {
            if state.start_flag {
                columns.push(("started_at", now.into()));
            }
            if op.update_row("agents", "id", &known.id, columns).await? == 0 {
                return Err(Error::stale(format!("agent {} is gone", known.id)));
            }
            let status = if known.heard >= settings.alive_since(now) { Status::Alive } else { Status::Revived };
            let stored = || known.resource_versions.as_deref().map(|text| parsed(text).as_object().cloned().unwrap_or_default());
            let resource_versions = match (&state.resource_versions, status) {
                (None, Status::Revived) => stored(),
                _ => given,
            };
            follow(op, state, Some(&known), &known.id).await?;
            Ok(Reported { id: known.id, status, admin_state_up: known.admin_state_up, resource_versions })
        }
        None => {
            let id = op.cx.new_id();
            columns.extend([
                ("id", (&id).into()),
                ("agent_type", (&state.agent_type).into()),
                ("host", (&state.host).into()),
                ("admin_state_up", settings.enable_new_agents.into()),
                ("created_at", now.into()),
                ("started_at", now.into()),
            ]);
            op.insert_row("agents", columns).await.map_err(|error| match error.is_duplicate("") {
                true => Error::stale(format!("{} on {} reports for the first time in two places", state.agent_type, state.host)),
                false => error,
            })?;
            follow(op, state, None, &id).await?;
            Ok(Reported { id, status: Status::New, admin_state_up: settings.enable_new_agents, resource_versions: given })
        }
    }
}

/// Lets the hooks of the collection see the report.
async fn follow(op: &mut Op<'_>, state: &AgentState, known: Option<&Known>, id: &str) -> Result<()> {
    let engine = op.engine;
    let entry = engine.entry("agents")?;
    if entry.hooks.is_empty() {
        return Ok(());
    }
    let mut body = Body::empty(entry.table.clone());
    body.set("agent_type", state.agent_type.as_str());
    body.set("host", state.host.as_str());
    body.set("configurations", Value::Object(state.configurations.clone()));
    let original = known.map(|known| {
        let mut record = Record::new(entry.table.clone());
        record.set("id", known.id.as_str());
        record.set("agent_type", state.agent_type.as_str());
        record.set("host", state.host.as_str());
        record.set("admin_state_up", known.admin_state_up);
        record.set("configurations", parsed(&known.configurations));
        record
    });
    for hook in &entry.hooks {
        match &original {
            Some(original) => hook.update(op, original, &body).await?,
            None => hook.create(op, id, &body).await?,
        }
    }
    Ok(())
}

/// Forgets the agent of a type on a host, as the call `delete_agent` of agents does; false when there is none.
///
/// # Errors
/// The database's.
pub async fn delete_by_host(op: &mut Op<'_>, agent_type: &str, host: &str) -> Result<bool> {
    let row = op.tx.query_one("SELECT id FROM agents WHERE agent_type = ? AND host = ?", args![agent_type, host]).await?;
    let Some(row) = row else { return Ok(false) };
    let agent = op.find("agents", &row.text(0)?).await?;
    op.delete_object("agents", &agent).await?;
    Ok(true)
}

/// How busy the agent says it is; only DHCP agents are asked.
fn load(state: &AgentState, kind: &str) -> i64 {
    match (state.agent_type.as_str(), state.configurations.get(kind)) {
        (DHCP, Some(Value::Number(load))) => load.as_i64().unwrap_or_default().clamp(0, i64::from(i32::MAX)),
        (DHCP, Some(Value::String(load))) => load.trim().parse().map_or(0, |load: i64| load.clamp(0, i64::from(i32::MAX))),
        _ => 0,
    }
}

/// JSON with Python's spaces: Neutron looks for `"agent_mode": "dvr"` in this text.
fn spaced(map: &Map<String, Value>, most: usize, name: &str) -> Result<String> {
    let mut text = String::new();
    write_object(map, &mut text);
    if text.chars().count() > most {
        return Err(kinds::INVALID_INPUT.error(format!("The agent's {name} are longer than {most} characters.")));
    }
    Ok(text)
}

fn write_object(map: &Map<String, Value>, out: &mut String) {
    out.push('{');
    for (n, (key, value)) in map.iter().enumerate() {
        out.push_str(if n > 0 { ", " } else { "" });
        out.push_str(&Value::from(key.as_str()).to_string());
        out.push_str(": ");
        write_value(value, out);
    }
    out.push('}');
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => write_object(map, out),
        Value::Array(list) => {
            out.push('[');
            for (n, item) in list.iter().enumerate() {
                out.push_str(if n > 0 { ", " } else { "" });
                write_value(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_report_needs_its_names() {
        let whole = json!({"agent_type": "a", "binary": "b", "host": "h", "topic": "t", "configurations": {"x": 1}});
        let state = AgentState::of(&whole).ok();
        assert!(state.is_some_and(|s| s.availability_zone.is_none() && s.configurations.len() == 1 && !s.start_flag));
        for name in ["agent_type", "binary", "host", "topic"] {
            let mut part = whole.clone();
            part[name] = Value::Null;
            assert!(AgentState::of(&part).is_err_and(|error| error.is(kinds::INVALID_INPUT)), "{name}");
        }
    }

    #[test]
    fn json_has_pythons_spaces() {
        let map = json!({"a": [1, {"b": "c,d"}], "e": null}).as_object().cloned().unwrap_or_default();
        assert_eq!(spaced(&map, 99, "x").ok().as_deref(), Some("{\"a\": [1, {\"b\": \"c,d\"}], \"e\": null}"));
        assert!(spaced(&map, 5, "x").is_err());
    }

    #[test]
    fn the_load_is_a_number() {
        let mut state = AgentState { agent_type: DHCP.to_owned(), ..AgentState::default() };
        for (value, load_is) in [(json!(7), 7), (json!("8"), 8), (json!([]), 0), (json!(-1), 0)] {
            state.configurations.insert("networks".to_owned(), value);
            assert_eq!(load(&state, "networks"), load_is);
        }
        state.agent_type = "L3 agent".to_owned();
        assert_eq!(load(&state, "networks"), 0);
    }
}
