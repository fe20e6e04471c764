// SPDX-License-Identifier: Apache-2.0
//! Which versions of objects are in use: what live agents reported (`neutron/api/rpc/callbacks/version_manager.py`).
//!
//! Invariants: a kind is pushed in the server's own version and in each that a known agent understands; while no agent is known nothing is;
//! what was heard is looked up again in the database after a while, so that a message that was lost between servers does not matter.

use std::collections::{BTreeSet, HashMap};

use chrono::{Duration, NaiveDateTime};
use neutrino_core::{
    Context, Engine, RpcEndpoint, agents,
    rpc::{self, Args, Message},
};
use neutrino_db::args;
use neutrino_types::{Result, error::kinds as errors};
use serde_json::{Map, Value, json};

use crate::{object::Object, push::Pusher};

const TOPIC: &str = "q-server-resource-versions";
const METHOD: &str = "report_agent_resource_versions";
/// How long what was read stands: Neutron's.
const FRESH_S: i64 = 60;
/// Without any agent the next look comes sooner: the first one shall not miss what happens after its start.
const FRESH_WITHOUT_AGENTS_S: i64 = 5;

pub static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &[TOPIC],
    namespace: None,
    version: (1, 0),
    methods: &[(METHOD, |engine, cx, args| Box::pin(heard(engine, cx, args)))],
};

/// Another server, or this one, heard the versions of an agent.
async fn heard(engine: &Engine, cx: &Context, args: &Args) -> Result<Value> {
    let (agent_type, host) = (rpc::text(args, "agent_type")?, rpc::text(args, "agent_host")?);
    let Some(Value::Object(versions)) = args.get("version_map") else {
        return Err(errors::INVALID_INPUT.error("The call has no dictionary 'version_map'."));
    };
    if let Some(pusher) = engine.registry.service::<Pusher>() {
        pusher.tracker().set(cx.now(), agent_type, host, versions);
    }
    Ok(Value::Null)
}

/// Tells all servers.
pub fn tell(engine: &Engine, cx: &Context, agent_type: &str, host: &str, versions: &Map<String, Value>) {
    let args = json!({"agent_type": agent_type, "agent_host": host, "version_map": versions});
    rpc::cast(engine, cx, Message::new(TOPIC, "1.0", METHOD, args).to_all());
}

/// What is known of one agent.
#[derive(Debug)]
struct Known {
    versions: HashMap<String, String>,
    /// If it was heard of, and not read.
    heard_at: Option<NaiveDateTime>,
}

/// What is known of agents.
#[derive(Debug, Default)]
pub struct Tracker {
    /// By type and host of the agent, the version of each kind, and when the agent said so.
    agents: HashMap<(String, String), Known>,
    fresh_until: Option<NaiveDateTime>,
}

fn texts(versions: &Map<String, Value>) -> HashMap<String, String> {
    versions.iter().filter_map(|(kind, version)| Some((kind.clone(), version.as_str()?.to_owned()))).collect()
}

impl Tracker {
    /// An agent understands these, and nothing else.
    pub fn set(&mut self, now: NaiveDateTime, agent_type: &str, host: &str, versions: &Map<String, Value>) {
        let key = (agent_type.to_owned(), host.to_owned());
        if versions.is_empty() {
            self.agents.remove(&key);
        } else {
            self.agents.insert(key, Known { versions: texts(versions), heard_at: Some(now) });
        }
    }

    /// Is nobody there to be told? False as long as nobody has looked.
    pub fn is_idle(&self) -> bool {
        self.fresh_until.is_some() && self.agents.is_empty()
    }

    fn is_fresh(&self, now: NaiveDateTime) -> bool {
        self.fresh_until.is_some_and(|until| now < until)
    }

    /// What was read counts from now on, and what was heard a moment ago: its report may not be stored yet.
    fn replace(&mut self, read: HashMap<(String, String), HashMap<String, String>>, now: NaiveDateTime) {
        self.agents.retain(|_, known| known.heard_at.is_some_and(|at| now - at < Duration::seconds(FRESH_S)));
        for (agent, versions) in read {
            self.agents.entry(agent).or_insert(Known { versions, heard_at: None });
        }
        let fresh_s = if self.agents.is_empty() { FRESH_WITHOUT_AGENTS_S } else { FRESH_S };
        self.fresh_until = Some(now + Duration::seconds(fresh_s));
    }

    /// The minor versions to push a kind in.
    pub fn minors(&self, object: &Object) -> BTreeSet<u32> {
        if self.agents.is_empty() {
            return BTreeSet::new();
        }
        let mut minors = BTreeSet::from([object.version.1]);
        for version in self.agents.values().filter_map(|known| known.versions.get(object.name)) {
            match object.minor(version) {
                Ok(minor) => {
                    minors.insert(minor);
                }
                Err(error) => tracing::debug!(kind = object.name, version, error = %error, "an agent hears nothing of a kind of object"),
            }
        }
        minors
    }
}

/// Reads the versions of the agents that count, when those at hand are too old.
///
/// # Errors
/// The database's.
pub async fn refresh(pusher: &Pusher, engine: &Engine, cx: &Context) -> Result<()> {
    let now = cx.now();
    if pusher.tracker().is_fresh(now) {
        return Ok(());
    }
    let alive_since = agents::settings(engine).dead_before(now);
    let sql = "SELECT agent_type, host, resource_versions FROM agents WHERE admin_state_up = ? AND heartbeat_timestamp >= ? \
               AND resource_versions IS NOT NULL AND resource_versions <> ''";
    let mut known = HashMap::new();
    for row in engine.db.reader().await?.query(sql, args![true, alive_since]).await? {
        let Ok(Value::Object(versions)) = serde_json::from_str(&row.text(2)?) else { continue };
        if !versions.is_empty() {
            known.insert((row.text(0)?, row.text(1)?), texts(&versions));
        }
    }
    pusher.tracker().replace(known, now);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{PORT, QOS_POLICY};

    fn map(value: &Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn versions_in_use_are_those_of_agents_and_our_own() {
        let (mut tracker, now) = (Tracker::default(), chrono::DateTime::UNIX_EPOCH.naive_utc());
        assert!(!tracker.is_idle());
        assert!(tracker.minors(&PORT).is_empty());
        tracker.set(now, "Open vSwitch agent", "h1", &map(&json!({"Port": "1.8", "QosPolicy": "1.7"})));
        tracker.set(now, "Open vSwitch agent", "h2", &map(&json!({"Port": "1.11"})));
        assert_eq!(tracker.minors(&PORT), BTreeSet::from([8, 11]));
        assert_eq!(tracker.minors(&QOS_POLICY), BTreeSet::from([10]));
        tracker.set(now, "Open vSwitch agent", "h1", &map(&json!({"Port": "1.9"})));
        assert_eq!(tracker.minors(&PORT), BTreeSet::from([9, 11]));
        tracker.set(now, "Open vSwitch agent", "h1", &Map::new());
        assert_eq!(tracker.minors(&PORT), BTreeSet::from([11]));
    }

    #[test]
    fn what_was_read_stands_for_a_while() {
        let mut tracker = Tracker::default();
        let now = chrono::DateTime::UNIX_EPOCH.naive_utc();
        assert!(!tracker.is_fresh(now));
        tracker.replace(HashMap::new(), now);
        assert!(tracker.is_idle());
        assert!(tracker.is_fresh(now + Duration::seconds(4)) && !tracker.is_fresh(now + Duration::seconds(5)));
        tracker.replace([(("a".to_owned(), "h".to_owned()), HashMap::new())].into(), now);
        assert!(!tracker.is_idle());
        assert!(tracker.is_fresh(now + Duration::seconds(59)) && !tracker.is_fresh(now + Duration::seconds(60)));
        let later = now + Duration::seconds(60);
        tracker.set(later, "a", "new", &map(&json!({"Port": "1.9"})));
        tracker.replace(HashMap::new(), later + Duration::seconds(59));
        assert_eq!(tracker.minors(&PORT), BTreeSet::from([9, 11]));
        tracker.replace(HashMap::new(), later + Duration::seconds(60));
        assert!(tracker.is_idle());
    }
}
