// SPDX-License-Identifier: Apache-2.0
//! The form of messages: envelope 2.0 around a JSON text, requests, answers, failures.
//!
//! Owns: which keys there are and what they mean. Invariant: what cannot be read is an error with a reason, never a panic.

use serde_json::{Map, Value, json};

/// The version of the envelope that we write; any 2.x is read.
const ENVELOPE: &str = "2.0";
const CONTEXT: &str = "_context_";

/// A method that is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    pub method: String,
    pub namespace: Option<String>,
    /// `1.0` when the message names none.
    pub version: String,
    pub args: Map<String, Value>,
    /// What the caller says of itself, without the prefix `_context_`.
    pub context: Map<String, Value>,
}

/// Where an answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReplyTo {
    pub message_id: String,
    pub queue: String,
    /// Seconds within which the caller wants a sign of life, when it says so.
    pub monitor_s: Option<u64>,
}

/// A request as it came in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Incoming {
    pub request: Request,
    pub unique_id: Option<String>,
    /// `None` for a cast.
    pub reply_to: Option<ReplyTo>,
}

/// What went wrong on the other side, as the exception that it is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// Name of the exception's class.
    pub class: String,
    /// Module of the class. Callers make an exception of this type only of modules that they allow.
    pub module: String,
    pub message: String,
    /// Arguments to make the exception with.
    pub args: Vec<Value>,
    pub kwargs: Box<Map<String, Value>>,
}

impl Failure {
    /// A failure whose exception is made with its message.
    #[must_use]
    pub fn new(class: impl Into<String>, module: impl Into<String>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { class: class.into(), module: module.into(), args: vec![message.clone().into()], message, kwargs: Box::default() }
    }

    /// No endpoint of the topic has such a method.
    #[must_use]
    pub fn no_such_method(method: &str) -> Self {
        let message = format!("Endpoint does not support RPC method {method}");
        Self { args: vec![message.clone().into()], ..Self::of_dispatcher("NoSuchMethod", message) }
    }

    /// No endpoint of the topic serves the version and namespace.
    #[must_use]
    pub fn unsupported_version(version: &str, method: &str) -> Self {
        let message = format!("Endpoint does not support RPC version {version}. Attempted method: {method}");
        Self::of_dispatcher("UnsupportedVersion", message)
    }

    fn of_dispatcher(class: &str, message: String) -> Self {
        Self::new(class, "oslo_messaging.rpc.dispatcher", message)
    }

    fn to_text(&self) -> String {
        let Self { class, module, message, args, kwargs } = self;
        let line = format!("{module}.{class}: {message}\n");
        json!({"class": class, "module": module, "message": message, "tb": [line], "args": args, "kwargs": kwargs}).to_string()
    }

    fn read(text: &str) -> Self {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let word = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let args = value["args"].as_array().cloned().unwrap_or_default();
        let kwargs = Box::new(value["kwargs"].as_object().cloned().unwrap_or_default());
        Self { class: word("class"), module: word("module"), message: word("message"), args, kwargs }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.class, self.message)
    }
}

/// One message of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reply {
    pub message_id: String,
    pub unique_id: Option<String>,
    pub result: Result<Value, Failure>,
    /// False for a mere sign of life.
    pub ending: bool,
}

/// Puts the envelope around a message.
pub(crate) fn seal(message: &Value) -> Vec<u8> {
    json!({"oslo.version": ENVELOPE, "oslo.message": message.to_string()}).to_string().into_bytes()
}

/// Takes the envelope off; a message without one is itself.
fn open(body: &[u8]) -> Result<Map<String, Value>, String> {
    let outer: Value = serde_json::from_slice(body).map_err(|error| format!("it is no JSON: {error}"))?;
    let Value::Object(outer) = outer else { return Err("it is no JSON object".to_owned()) };
    let (Some(version), Some(inner)) = (outer.get("oslo.version"), outer.get("oslo.message")) else { return Ok(outer) };
    let version = version.as_str().unwrap_or_default();
    if version.split('.').next() != Some("2") {
        return Err(format!("its envelope is of version {version:?}; 2.0 is read"));
    }
    match serde_json::from_str(inner.as_str().unwrap_or_default()) {
        Ok(Value::Object(inner)) => Ok(inner),
        Ok(_) => Err("the envelope holds no JSON object".to_owned()),
        Err(error) => Err(format!("the envelope holds no JSON: {error}")),
    }
}

/// The message of a request. `call`: the id and the queue of the answer.
pub(crate) fn write_request(request: Request, unique_id: &str, call: Option<(&str, &str)>) -> Vec<u8> {
    let mut message = Map::new();
    message.insert("method".to_owned(), request.method.into());
    message.insert("args".to_owned(), Value::Object(request.args));
    if let Some(namespace) = request.namespace {
        message.insert("namespace".to_owned(), namespace.into());
    }
    message.insert("version".to_owned(), request.version.into());
    if let Some((message_id, queue)) = call {
        message.insert("_msg_id".to_owned(), message_id.into());
        message.insert("_reply_q".to_owned(), queue.into());
        message.insert("_timeout".to_owned(), Value::Null);
    }
    message.insert("_unique_id".to_owned(), unique_id.into());
    message.extend(request.context.into_iter().map(|(key, value)| (format!("{CONTEXT}{key}"), value)));
    seal(&Value::Object(message))
}

/// Reads a request.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_request(body: &[u8]) -> Result<Incoming, String> {
    let mut message = open(body)?;
    let mut take = |key: &str| message.remove(key).and_then(|value| value.as_str().map(str::to_owned));
    let method = take("method").ok_or("it names no method")?;
    let (namespace, version) = (take("namespace"), take("version"));
    let unique_id = take("_unique_id");
    let (message_id, queue) = (take("_msg_id"), take("_reply_q"));
    let monitor_s = message.remove("_timeout").and_then(|value| value.as_u64());
    let args = match message.remove("args") {
        Some(Value::Object(args)) => args,
        None | Some(Value::Null) => Map::new(),
        Some(_) => return Err(format!("the arguments of {method} are no object")),
    };
    let context = message.into_iter().filter_map(|(key, value)| Some((key.strip_prefix(CONTEXT)?.to_owned(), value))).collect();
    let version = version.unwrap_or_else(|| "1.0".to_owned());
    let reply_to = message_id.zip(queue).map(|(message_id, queue)| ReplyTo { message_id, queue, monitor_s });
    Ok(Incoming { request: Request { method, namespace, version, args, context }, unique_id, reply_to })
}

/// The message of an answer.
pub(crate) fn write_reply(reply: &Reply) -> Vec<u8> {
    let (result, failure) = match &reply.result {
        Ok(result) => (result.clone(), Value::Null),
        Err(failure) => (Value::Null, failure.to_text().into()),
    };
    let (id, unique) = (&reply.message_id, &reply.unique_id);
    seal(&json!({"result": result, "failure": failure, "ending": reply.ending, "_msg_id": id, "_unique_id": unique}))
}

/// Reads an answer.
///
/// # Errors
/// Why it cannot be read.
pub(crate) fn read_reply(body: &[u8]) -> Result<Reply, String> {
    let mut message = open(body)?;
    let mut take = |key: &str| message.remove(key);
    let message_id = take("_msg_id").and_then(|id| id.as_str().map(str::to_owned)).ok_or("it answers no message")?;
    let unique_id = take("_unique_id").and_then(|id| id.as_str().map(str::to_owned));
    let ending = take("ending").is_some_and(|ending| ending == true);
    let result = match take("failure") {
        None | Some(Value::Null) => Ok(take("result").unwrap_or_default()),
        Some(Value::String(text)) => Err(Failure::read(&text)),
        Some(other) => Err(Failure::read(&other.to_string())),
    };
    Ok(Reply { message_id, unique_id, result, ending })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    fn inner(body: &[u8]) -> Value {
        let outer: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(outer["oslo.version"], "2.0");
        serde_json::from_str(outer["oslo.message"].as_str().unwrap()).unwrap()
    }

    fn request() -> Request {
        Request {
            method: "report_state".into(),
            namespace: None,
            version: "1.2".into(),
            args: object(json!({"agent_state": {"host": "hé"}})),
            context: object(json!({"is_admin": true, "user": null})),
        }
    }

    #[test]
    fn a_call_has_the_keys_of_the_protocol() {
        let body = write_request(request(), "u1", Some(("m1", "reply_q1")));
        let expected = json!({"method": "report_state", "args": {"agent_state": {"host": "hé"}}, "version": "1.2", "_msg_id": "m1",
            "_reply_q": "reply_q1", "_timeout": null, "_unique_id": "u1", "_context_is_admin": true, "_context_user": null});
        assert_eq!(inner(&body), expected);
        let back = read_request(&body).unwrap();
        let reply_to = ReplyTo { message_id: "m1".into(), queue: "reply_q1".into(), monitor_s: None };
        assert_eq!(back, Incoming { request: request(), unique_id: Some("u1".into()), reply_to: Some(reply_to) });
    }

    #[test]
    fn a_cast_has_no_answer_and_a_namespace_is_there_only_if_named() {
        let body = write_request(Request { namespace: Some("trunk".into()), ..request() }, "u", None);
        assert!(inner(&body).get("_msg_id").is_none());
        assert_eq!(inner(&body)["namespace"], "trunk");
        assert_eq!(read_request(&body).unwrap().reply_to, None);
    }

    #[test]
    fn answers_and_failures_go_both_ways() {
        for result in [Ok(json!([1, null])), Err(Failure::new("PortNotFound", "neutron_lib.exceptions", "no port"))] {
            let reply = Reply { message_id: "m".into(), unique_id: Some("u".into()), result, ending: true };
            assert_eq!(read_reply(&write_reply(&reply)).unwrap(), reply);
        }
        let failure = Failure::no_such_method("x");
        let body = write_reply(&Reply { message_id: "m".into(), unique_id: None, result: Err(failure), ending: true });
        assert_eq!(inner(&body)["result"], Value::Null);
        let text: Value = serde_json::from_str(inner(&body)["failure"].as_str().unwrap()).unwrap();
        assert_eq!((&text["class"], &text["module"]), (&json!("NoSuchMethod"), &json!("oslo_messaging.rpc.dispatcher")));
        assert!(text["tb"].is_array() && text["kwargs"].is_object() && text["args"].is_array());
    }

    #[test]
    fn a_message_without_envelope_is_read_and_nonsense_is_told() {
        let plain = br#"{"method": "m", "args": null}"#;
        assert_eq!(read_request(plain).unwrap().request.version, "1.0");
        let bad: [&[u8]; 7] = [
            b"\xff",
            b"[]",
            b"{}",
            br#"{"oslo.version": "3.0", "oslo.message": "{}"}"#,
            br#"{"oslo.version": "2.0", "oslo.message": "x"}"#,
            br#"{"oslo.version": "2.0", "oslo.message": "[]"}"#,
            br#"{"method": "m", "args": []}"#,
        ];
        for body in bad {
            assert!(read_request(body).is_err(), "{body:?}");
        }
        assert!(read_reply(b"{}").is_err());
    }
}
