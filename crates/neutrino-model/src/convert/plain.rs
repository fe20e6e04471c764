// SPDX-License-Identifier: Apache-2.0
//! Conversions of booleans, numbers, strings, lists, `key=value` pairs and protocols.

use serde_json::{Map, Value};

use crate::validate::{Invalid, python, shown, to_bool};

type Converted = Result<Value, Invalid>;

pub(super) fn to_boolean(v: Value) -> Converted {
    to_bool(&v).map(Value::Bool).ok_or_else(|| Invalid::reason(format!("{} is not a boolean", shown(&v))))
}

pub(super) fn to_int(v: Value) -> Converted {
    python::int(&v).map(Value::from).ok_or_else(|| Invalid::reason(format!("{} is not an integer", shown(&v))))
}

pub(super) fn to_positive_float(v: Value) -> Converted {
    let float = python::float(&v).filter(|float| *float >= 0.0);
    float.map(Value::from).ok_or_else(|| Invalid::reason(format!("{} is not a number of zero or more", shown(&v))))
}

/// `"k=v"`, split at the first `=`.
fn key_and_value(v: &Value) -> Result<(String, String), Invalid> {
    let parts = v.as_str().and_then(|text| text.split_once('='));
    match parts.map(|(key, value)| (python::strip(key), python::strip(value))) {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Invalid::reason(format!("{} does not have the form key=value", shown(v)))),
    }
}

pub(super) fn kvp_str_to_list(v: Value) -> Converted {
    let (key, value) = key_and_value(&v)?;
    Ok(Value::from(vec![key, value]))
}

/// Values of one key come once each, in the order in which they were first given. `["True"]` stands for a filter without a value.
pub(super) fn kvp_list_to_dict(v: Value) -> Converted {
    if v == "" {
        return Ok(Value::Object(Map::new()));
    }
    let Value::Array(pairs) = v else {
        return match v {
            Value::Object(map) if map.is_empty() => Ok(Value::Object(map)),
            other => Err(Invalid::reason(format!("{} is not a list of key=value pairs", shown(&other)))),
        };
    };
    let mut out: Map<String, Value> = Map::new();
    if matches!(pairs.as_slice(), [only] if only == "True") {
        return Ok(Value::Object(out));
    }
    let mut seen = std::collections::HashSet::new();
    for pair in &pairs {
        let (key, value) = key_and_value(pair)?;
        if !seen.insert((key.clone(), value.clone())) {
            continue;
        }
        if let Value::Array(values) = out.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
            values.push(Value::String(value));
        }
    }
    Ok(Value::Object(out))
}

pub(super) fn to_list(v: Value) -> Value {
    match v {
        Value::Null => Value::Array(Vec::new()),
        Value::Array(_) => v,
        Value::Object(map) => map.into_iter().map(|(key, _)| Value::String(key)).collect(),
        other => Value::Array(vec![other]),
    }
}

pub(super) fn string_to_case_insensitive(v: Value) -> Converted {
    match v {
        Value::String(text) => Ok(Value::String(text.to_lowercase())),
        other => Err(Invalid::reason(format!("{} is not a string", shown(&other)))),
    }
}

/// A protocol's name or number, as a string; it stays as it was written.
pub(super) fn to_protocol(v: Value) -> Converted {
    const NAMES: [&str; 6] = ["dccp", "icmp", "ipv6-icmp", "sctp", "tcp", "udp"];
    let good =
        v.as_str().is_some_and(|text| NAMES.contains(&text.to_lowercase().as_str()) || matches!(python::int_text(text, 10), Some(0..=255)));
    if good {
        return Ok(v);
    }
    Err(Invalid::reason(format!(
        "{} is not a protocol: give a number from 0 to 255 as a string, or one of {}",
        shown(&v),
        NAMES.join(", ")
    )))
}

pub(super) fn to_string(v: Value) -> Value {
    match v {
        Value::String(_) => v,
        other => Value::String(python::str(&other)),
    }
}

pub(super) fn prefix_forced_case(v: Value, prefix: &str) -> Value {
    let forced = v.as_str().and_then(|text| {
        let length = text.char_indices().nth(prefix.chars().count()).map_or(text.len(), |(at, _)| at);
        let (head, tail) = text.split_at(length);
        (head.to_lowercase() == prefix.to_lowercase()).then(|| format!("{prefix}{tail}"))
    });
    forced.map_or(v, Value::String)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_one_key_are_gathered_once_each() -> Result<(), Invalid> {
        let pairs = json!(["subnet_id=b", "ip_address=1", "subnet_id=a", " subnet_id = b "]);
        assert_eq!(kvp_list_to_dict(pairs)?, json!({"subnet_id": ["b", "a"], "ip_address": ["1"]}));
        Ok(())
    }

    #[test]
    fn a_prefix_is_counted_in_characters() {
        assert_eq!(prefix_forced_case(json!("fOozar"), "Foo"), json!("Foozar"));
        assert_eq!(prefix_forced_case(json!("fo"), "Foo"), json!("fo"));
        assert_eq!(prefix_forced_case(json!("\u{e9}\u{e9}\u{e9}x"), "Foo"), json!("\u{e9}\u{e9}\u{e9}x"));
    }
}
