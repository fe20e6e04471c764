// SPDX-License-Identifier: Apache-2.0
//! Agents: what they reported of themselves, how the operator switches them, and the availability zones that they are in.
//!
//! Owns the table `agents` and its rules. An agent makes itself known by its reports ([`rpc`], [`report`]); the API only looks, changes
//! `admin_state_up` and `description`, and deletes, and tells the agent when it is switched. Refuses to own: what is scheduled to agents, the wire. Invariant: one row for a type and a host.

mod report;
mod rpc;
mod settings;
mod surplus;
mod watch;
mod zones;

use async_trait::async_trait;
use chrono::NaiveDateTime;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery, Loader, rpc::Message};
use neutrino_db::{Dialect, Sql, Tx};
use neutrino_model::{
    Attribute, Body, Converter, Default, Extension, Kind, Limits, Methods, Page, Record, Resource, Validator, Visibility,
};
use neutrino_types::{Error, Kind as ErrorKind, Result, error::kinds};
use oslo_config::Config;
use serde_json::{Value, json};

pub use neutrino_core::agents::{DHCP, L3, Settings, settings};
pub use report::{AgentState, Reported, Status, delete_by_host, report};
pub use settings::OPTIONS;
pub use surplus::sync_surplus;

pub const NOT_FOUND: ErrorKind = ErrorKind::new("AgentNotFound", 404);

/// How a time of an agent is shown; the other resources have another form.
const TIME: &str = "%Y-%m-%d %H:%M:%S";

const fn shown(name: &'static str, column: &'static str) -> Attribute {
    Attribute::new(name).filter().sort().column(column, Kind::Text)
}

static RESOURCE: Resource = Resource::new(
    "agents",
    "agent",
    "agents",
    "agents",
    NOT_FOUND,
    &[
        Attribute::new("id").validate(Validator::Uuid).filter().sort().column("id", Kind::Text),
        shown("agent_type", "agent_type"),
        shown("binary", "binary"),
        shown("topic", "topic"),
        shown("host", "host"),
        Attribute::new("admin_state_up").put().convert(Converter::ToBoolean).filter().sort().column("admin_state_up", Kind::Bool),
        Attribute::new("created_at").sort().column("created_at", Kind::Time),
        Attribute::new("started_at").sort().column("started_at", Kind::Time),
        Attribute::new("heartbeat_timestamp").sort().column("heartbeat_timestamp", Kind::Time),
        Attribute::new("alive").filter().sort(),
        Attribute::new("configurations").column("configurations", Kind::Text),
        Attribute::new("description").put().validate(Validator::StringOrNone(Some(255))).filter().sort().column("description", Kind::Text),
    ],
)
.methods(Methods::ALL)
.no_bulk()
.visibility(Visibility::Everyone);

static AGENT: Extension =
    Extension::new("agent", "agent", "The agent management extension.", "2013-02-03T10:00:00-00:00").resources(&[&RESOURCE]);

static SORT_KEY: Extension = Extension::new(
    "agent_sort_key",
    "Agents Sort Key",
    "Enabling the keyword sort_key for sorting in agents.",
    "2013-02-03T10:00:00-00:00",
)
.requires(&["agent"]);

static RESOURCES_SYNCED: Extension = Extension::new(
    "agent-resources-synced",
    "Agent's Resource View Synced to Placement",
    "Stores success/failure of last sync to Placement",
    "2018-12-19T00:00:00-00:00",
)
.requires(&["agent"])
.extends(&[("agents", &[Attribute::new("resources_synced").default(Default::Unset).column("resources_synced", Kind::Bool)])]);

/// Agents and availability zones, which are always on.
pub fn register(builder: &mut Builder, config: &Config) {
    let settings = Settings::of(config);
    builder.extension(&AGENT).extension(&SORT_KEY).extension(&RESOURCES_SYNCED);
    builder.behaviour("agents", Agents).loader("agents", Shown { down_after_s: settings.down_after_s });
    builder.worker(watch::HealthCheck { period_s: settings.down_after_s }).worker(surplus::Surplus);
    builder.service(std::sync::Arc::new(settings));
    zones::register(builder);
    rpc::register(builder);
}

struct Agents;

#[async_trait]
impl Behaviour for Agents {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, _body: &mut Body) -> Result<()> {
        Err(kinds::BAD_REQUEST_PLUGIN.error("An agent cannot be created through the API: it makes itself known when it first reports."))
    }

    async fn before_list(&self, engine: &Engine, _cx: &Context, query: &mut ListQuery) -> Result<()> {
        let alive = engine.entry("agents")?.table.find("alive");
        if query.sort.iter().any(|(at, _)| Some(*at) == alive) {
            return Err(kinds::BAD_REQUEST_PLUGIN.error("Agents cannot be sorted by 'alive': it is not stored. Use heartbeat_timestamp."));
        }
        Ok(())
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, record: &mut Record) -> Result<()> {
        let up = record.bool("admin_state_up");
        let topic = match record.str("agent_type") {
            DHCP if engine.registry.has_extension("dhcp_agent_scheduler") => "dhcp_agent",
            L3 if engine.registry.has_extension("l3_agent_scheduler") => "l3_agent",
            _ => return Ok(()),
        };
        if original.bool("admin_state_up") != up {
            let payload = json!({"payload": {"admin_state_up": up}});
            neutrino_core::rpc::cast(engine, cx, Message::new(topic, "1.0", "agent_updated", payload).to(record.str("host")));
        }
        Ok(())
    }
}

/// The JSON of a column; an agent that reported nonsense reported nothing.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).ok().filter(Value::is_object).unwrap_or_else(|| Value::Object(serde_json::Map::new()))
}

struct Shown {
    down_after_s: i64,
}

#[async_trait]
impl Loader for Shown {
    fn fills(&self) -> &'static [&'static str] {
        &["alive", "configurations", "created_at", "started_at", "heartbeat_timestamp"]
    }

    fn needs(&self) -> &'static [&'static str] {
        &["heartbeat_timestamp"]
    }

    async fn load(&self, cx: &Context, _tx: &mut Tx, page: &mut Page) -> Result<()> {
        let oldest = cx.now() - chrono::Duration::seconds(self.down_after_s);
        for row in &mut page.rows {
            let heard = NaiveDateTime::parse_from_str(row.str("heartbeat_timestamp"), "%Y-%m-%dT%H:%M:%SZ").ok();
            row.set("alive", heard.is_some_and(|heard| heard >= oldest));
            for name in ["created_at", "started_at", "heartbeat_timestamp"] {
                if let Ok(time) = NaiveDateTime::parse_from_str(row.str(name), "%Y-%m-%dT%H:%M:%SZ") {
                    row.set(name, time.format(TIME).to_string());
                }
            }
            if let Some(text) = row.opt_str("configurations") {
                let configurations = parsed(text);
                row.set("configurations", configurations);
            }
        }
        Ok(())
    }

    /// `alive`: the first value counts, as in Neutron.
    fn filter(&self, cx: &Context, _dialect: Dialect, attribute: &str, values: &[Value]) -> Result<Option<Sql>> {
        let (true, Some(asked)) = (attribute == "alive", values.first()) else { return Ok(None) };
        let asked = Converter::ToBoolean
            .convert(asked.clone(), &Limits::default())
            .ok()
            .and_then(|value| value.as_bool())
            .ok_or_else(|| kinds::INVALID_INPUT.error("Invalid input for alive. Reason: it is neither true nor false."))?;
        let mut sql = Sql::raw(if asked { "t.heartbeat_timestamp >= " } else { "t.heartbeat_timestamp < " });
        sql.bind(cx.now() - chrono::Duration::seconds(self.down_after_s));
        Ok(Some(sql))
    }
}

/// The 404 of an agent.
#[must_use]
pub fn not_found(id: &str) -> Error {
    let id: String = id.chars().take(64).collect();
    NOT_FOUND.error(format!("Agent {id} could not be found."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_read_as_nothing() {
        assert_eq!(parsed("{\"a\": 1}"), json!({"a": 1}));
        for text in ["", "[]", "null", "{", "3"] {
            assert_eq!(parsed(text), json!({}), "{text}");
        }
    }
}
