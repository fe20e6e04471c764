// SPDX-License-Identifier: Apache-2.0
//! What agents call and what they are told, without the wire.
//!
//! Owns: how a feature declares the methods it answers ([`RpcEndpoint`], static data), how a call finds its method, and how a feature sends
//! ([`Bus`], a service of the registry). Refuses to own: message formats, brokers, and what any method does.
//! Invariants: a handler gets an engine and no transaction; [`Bus::cast`] never waits; an answer waits for a broker only as [`Bus::delivered`]
//! says; nothing is sent before the commit of what it speaks of.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use neutrino_types::{Error, Result, error::kinds};
use serde_json::{Map, Value};

use crate::{Context, Delivery, Engine};

/// The arguments of a call, by name.
pub type Args = Map<String, Value>;

/// Answers one method. The context is that of the message.
pub type Handler = for<'a> fn(&'a Engine, &'a Context, &'a Args) -> BoxFuture<'a, Result<Value>>;

/// Methods that are answered on a topic: a target of oslo.messaging as data.
#[derive(Clone, Copy)]
pub struct RpcEndpoint {
    /// The topics that serve it: `q-plugin`.
    pub topics: &'static [&'static str],
    pub namespace: Option<&'static str>,
    /// A call of the same major and an equal or lower minor version is served.
    pub version: (u32, u32),
    pub methods: &'static [(&'static str, Handler)],
}

/// Why a call finds no method; the words are oslo.messaging's classes of `oslo_messaging.rpc.dispatcher`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unserved {
    NoSuchMethod,
    UnsupportedVersion,
}

/// The handler of a method among the endpoints of a topic. `version`: `1.0` when the message has none.
///
/// # Errors
/// That no endpoint serves the namespace and version, or that none of those that do has the method.
pub fn find<'a>(
    endpoints: impl Iterator<Item = &'a RpcEndpoint>,
    topic: &str,
    namespace: Option<&str>,
    version: &str,
    method: &str,
) -> std::result::Result<Handler, Unserved> {
    let asked = parse_version(version).ok_or(Unserved::UnsupportedVersion)?;
    let mut unserved = Unserved::UnsupportedVersion;
    for endpoint in endpoints.filter(|endpoint| endpoint.topics.contains(&topic)) {
        if endpoint.namespace != namespace || endpoint.version.0 != asked.0 || endpoint.version.1 < asked.1 {
            continue;
        }
        if let Some((_, handler)) = endpoint.methods.iter().find(|(name, _)| *name == method) {
            return Ok(*handler);
        }
        unserved = Unserved::NoSuchMethod;
    }
    Err(unserved)
}

fn parse_version(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// A text argument that must be there.
///
/// # Errors
/// 400 `InvalidInput` that names it.
pub fn text<'a>(args: &'a Args, name: &str) -> Result<&'a str> {
    args.get(name).and_then(Value::as_str).ok_or_else(|| kinds::INVALID_INPUT.error(format!("The call has no text argument '{name}'.")))
}

/// A list of texts; an argument that is missing or null is an empty one, and one text is a list of it.
///
/// # Errors
/// 400 `InvalidInput` that names it.
pub fn texts(args: &Args, name: &str) -> Result<Vec<String>> {
    let wrong = || kinds::INVALID_INPUT.error(format!("The argument '{name}' of the call is no list of texts."));
    match args.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(list)) => list.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        Some(_) => Err(wrong()),
    }
}

/// Where a message goes, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub topic: String,
    /// The host whose server of the topic gets it; without one any server of the topic.
    pub server: Option<String>,
    /// To every server of the topic.
    pub fanout: bool,
    pub namespace: Option<&'static str>,
    pub version: &'static str,
    pub method: &'static str,
    pub args: Value,
    /// See [`Message::lasting`].
    pub lasting: bool,
}

impl Message {
    /// To any one server of a topic.
    #[must_use]
    pub fn new(topic: impl Into<String>, version: &'static str, method: &'static str, args: Value) -> Self {
        Self { topic: topic.into(), server: None, fanout: false, namespace: None, version, method, args, lasting: false }
    }

    /// To the topic's server on this host.
    #[must_use]
    pub fn to(mut self, host: impl Into<String>) -> Self {
        self.server = Some(host.into());
        self
    }

    /// To all servers of the topic.
    #[must_use]
    pub fn to_all(mut self) -> Self {
        self.fanout = true;
        self
    }

    /// It stays true whatever happens later, or does no harm: something is gone for good, a tunnel ends somewhere. It is kept for a while, and
    /// said again to agents that were away with the broker.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        self.lasting = true;
        self
    }
}

/// Sends messages to agents.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Takes the message at once and sends it later, in the order of these calls.
    fn cast(&self, cx: &Context, message: Message);

    /// Waits until few messages wait: for who has many to give.
    async fn room(&self) {}

    /// Waits until the broker has what is on its way for a request; for a short time, and not at all when it takes nothing.
    async fn delivered(&self, delivery: &Delivery);

    /// Sends it and waits for the answer, as long as `rpc_response_timeout` says.
    ///
    /// # Errors
    /// What the other side says, that it does not answer in time, or that there is no broker.
    async fn call(&self, cx: &Context, message: Message) -> Result<Value>;
}

/// The bus, as a service of the registry. Without one there are no agents to tell.
pub struct BusService(pub Arc<dyn Bus>);

/// [`Bus::cast`], if there is a bus.
pub fn cast(engine: &Engine, cx: &Context, message: Message) {
    if let Some(bus) = engine.registry.service::<BusService>() {
        bus.0.cast(cx, message);
    }
}

/// [`Bus::room`].
pub async fn room(engine: &Engine) {
    if let Some(bus) = engine.registry.service::<BusService>() {
        bus.0.room().await;
    }
}

/// [`Bus::delivered`]: the last thing before an answer.
pub async fn delivered(engine: &Engine, delivery: &Delivery) {
    if !delivery.is_done()
        && let Some(bus) = engine.registry.service::<BusService>()
    {
        bus.0.delivered(delivery).await;
    }
}

/// [`Bus::call`].
///
/// # Errors
/// As there.
pub async fn call(engine: &Engine, cx: &Context, message: Message) -> Result<Value> {
    match engine.registry.service::<BusService>() {
        Some(bus) => bus.0.call(cx, message).await,
        None => Err(Error::internal("there is no message bus")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static OLD: RpcEndpoint =
        RpcEndpoint { topics: &["t"], namespace: None, version: (1, 2), methods: &[("a", |_, _, _| Box::pin(async { Ok(Value::Null) }))] };
    static NAMED: RpcEndpoint = RpcEndpoint {
        topics: &["t", "u"],
        namespace: Some("n"),
        version: (1, 0),
        methods: &[("b", |_, _, _| Box::pin(async { Ok(Value::Null) }))],
    };

    #[test]
    fn a_method_is_found_by_topic_namespace_and_version() {
        let find = |topic, namespace, version, method| super::find([&OLD, &NAMED].into_iter(), topic, namespace, version, method).err();
        assert_eq!(find("t", None, "1.0", "a"), None);
        assert_eq!(find("t", None, "1.2", "a"), None);
        assert_eq!(find("t", None, "1.3", "a"), Some(Unserved::UnsupportedVersion));
        assert_eq!(find("t", None, "2.0", "a"), Some(Unserved::UnsupportedVersion));
        assert_eq!(find("t", None, "x", "a"), Some(Unserved::UnsupportedVersion));
        assert_eq!(find("t", None, "1.1", "b"), Some(Unserved::NoSuchMethod));
        assert_eq!(find("u", Some("n"), "1.0", "b"), None);
        assert_eq!(find("u", None, "1.0", "a"), Some(Unserved::UnsupportedVersion));
    }

    #[test]
    fn arguments_are_read_or_named() {
        let args = json!({"one": "1", "many": ["a", "b"], "none": null, "bad": [1]});
        let args = args.as_object().cloned().unwrap_or_default();
        assert_eq!(text(&args, "one").ok(), Some("1"));
        assert!(text(&args, "many").is_err_and(|error| error.message().contains("'many'")));
        assert_eq!(texts(&args, "many").ok(), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(texts(&args, "one").ok(), Some(vec!["1".to_owned()]));
        assert_eq!(texts(&args, "none").ok(), Some(vec![]));
        assert!(texts(&args, "bad").is_err());
    }
}
