// SPDX-License-Identifier: Apache-2.0
//! What agents serve, from both sides: `/agents/{id}/dhcp-networks` and `/networks/{id}/dhcp-agents`.
//!
//! Owns the form of the requests and answers. Refuses to own: who may serve what, and what follows; the schedulers say so.

use std::collections::HashMap;

use async_trait::async_trait;
use neutrino_model::Record;
use neutrino_types::{Result, error::kinds};
use serde_json::{Value, json};

use crate::{Context, Engine, Facet, listing};

/// What one kind of agent serves.
#[async_trait]
pub trait Served: Send + Sync {
    /// What follows the agent's id in the URL.
    const PATH: &'static str;
    const COLLECTION: &'static str;
    /// The key under which a request names what the agent shall serve.
    const KEY: &'static str;
    /// Selects the ids of what an agent serves, by the agent's.
    const OF_AGENT: &'static str;

    async fn add(&self, engine: &Engine, cx: &Context, agent: &Record, id: &str) -> Result<()>;

    async fn remove(&self, engine: &Engine, cx: &Context, agent: &Record, id: &str) -> Result<()>;
}

/// `/agents/{id}/...`: list, add, remove.
pub struct OfAgent<T>(pub T);

#[async_trait]
impl<T: Served> Facet for OfAgent<T> {
    fn path(&self) -> &'static str {
        T::PATH
    }

    fn collections(&self) -> &'static [&'static str] {
        &["agents"]
    }

    fn verbs(&self) -> &'static [&'static str] {
        &["get", "create", "delete"]
    }

    async fn call(
        &self,
        engine: &Engine,
        cx: &Context,
        agent: &Record,
        item: Option<&str>,
        method: &str,
        body: &Value,
    ) -> Result<(u16, Option<Value>)> {
        match (method, item) {
            ("GET", None) => {
                let found = listing::objects(engine, cx, T::COLLECTION, ids(engine, T::OF_AGENT, agent.id()).await?).await?;
                let key = T::COLLECTION;
                Ok((200, Some(json!({ key: found }))))
            }
            ("POST", None) => {
                let sentence =
                    || format!("Failed to parse request. The body must be {{\"{}\": \"...\"}}, what the agent shall serve.", T::KEY);
                let id = body[T::KEY].as_str().ok_or_else(|| kinds::BAD_REQUEST.error(sentence()))?;
                self.0.add(engine, cx, agent, id).await?;
                Ok((201, Some(Value::Null)))
            }
            ("DELETE", Some(id)) => {
                self.0.remove(engine, cx, agent, id).await?;
                Ok((204, None))
            }
            _ => Err(kinds::METHOD_NOT_ALLOWED.error("What an agent serves is listed with GET, added with POST and removed with DELETE.")),
        }
    }
}

/// The agents that serve one object.
#[async_trait]
pub trait Serving: Send + Sync {
    /// What follows the object's id in the URL.
    const PATH: &'static str;
    const COLLECTIONS: &'static [&'static str];

    /// The ids of the agents, each with what is shown beside its attributes: an object, or null for nothing.
    async fn agents(&self, engine: &Engine, cx: &Context, object: &Record) -> Result<HashMap<String, Value>>;
}

/// `/networks/{id}/dhcp-agents`: a list.
pub struct AgentsOf<T>(pub T);

#[async_trait]
impl<T: Serving> Facet for AgentsOf<T> {
    fn path(&self) -> &'static str {
        T::PATH
    }

    fn collections(&self) -> &'static [&'static str] {
        T::COLLECTIONS
    }

    fn verbs(&self) -> &'static [&'static str] {
        &["get"]
    }

    async fn call(
        &self,
        engine: &Engine,
        cx: &Context,
        object: &Record,
        item: Option<&str>,
        method: &str,
        _body: &Value,
    ) -> Result<(u16, Option<Value>)> {
        if (method, item) != ("GET", None) {
            return Err(kinds::METHOD_NOT_ALLOWED.error("The agents that serve it are listed with GET; change them at the agent."));
        }
        let beside = self.0.agents(engine, cx, object).await?;
        let mut agents = listing::objects(engine, cx, "agents", beside.keys().cloned().collect()).await?;
        for agent in &mut agents {
            let more = agent["id"].as_str().and_then(|id| beside.get(id)).and_then(Value::as_object).cloned();
            if let (Some(agent), Some(more)) = (agent.as_object_mut(), more) {
                agent.extend(more);
            }
        }
        Ok((200, Some(json!({ "agents": agents }))))
    }
}

/// The ids that a statement selects by one.
///
/// # Errors
/// The database's.
pub async fn ids(engine: &Engine, sql: &str, id: &str) -> Result<Vec<String>> {
    let rows = engine.db.reader().await?.query(sql, neutrino_db::args![id]).await?;
    rows.iter().map(|row| row.text(0)).collect()
}
