// SPDX-License-Identifier: Apache-2.0
//! What a check compares credentials with: the attributes of the object an operation is about.
//!
//! Owns the values a check can see and their text, which is Python's `str()` of them, because operators' rules were written against it
//! (`True`, `None`). Does not know where a target comes from.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt::Write as _,
};

use serde_json::{Map, Value};

/// One attribute of a target, or one of the credentials.
#[derive(Debug, Clone, PartialEq)]
pub enum Attr<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Str(Cow<'a, str>),
    /// Anything else: fractions, lists, objects.
    Json(&'a Value),
}

impl<'a> From<&'a Value> for Attr<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Attr::Null,
            Value::Bool(b) => Attr::Bool(*b),
            Value::Number(n) => n.as_i64().map_or(Attr::Json(value), Attr::Int),
            Value::String(s) => Attr::Str(Cow::Borrowed(s)),
            Value::Array(_) | Value::Object(_) => Attr::Json(value),
        }
    }
}

impl<'a> From<&'a str> for Attr<'a> {
    fn from(value: &'a str) -> Self {
        Attr::Str(Cow::Borrowed(value))
    }
}

impl<'a> Attr<'a> {
    /// The text a rule compares. Borrowed for strings, booleans and null.
    #[must_use]
    pub fn text(self) -> Cow<'a, str> {
        match self {
            Attr::Null => Cow::Borrowed("None"),
            Attr::Bool(true) => Cow::Borrowed("True"),
            Attr::Bool(false) => Cow::Borrowed("False"),
            Attr::Int(n) => Cow::Owned(n.to_string()),
            Attr::Str(s) => s,
            Attr::Json(value) => Cow::Owned(python_text(value)),
        }
    }

    /// Python's truth of the value.
    #[must_use]
    pub fn is_truthy(&self) -> bool {
        match self {
            Attr::Null => false,
            Attr::Bool(b) => *b,
            Attr::Int(n) => *n != 0,
            Attr::Str(s) => !s.is_empty(),
            Attr::Json(Value::Array(list)) => !list.is_empty(),
            Attr::Json(Value::Object(map)) => !map.is_empty(),
            Attr::Json(value) => value.as_f64() != Some(0.0),
        }
    }

    /// Equal as Python compares: a boolean equals the number 1 or 0, a string never equals a number.
    #[must_use]
    pub fn equals(&self, value: &Value) -> bool {
        match (self, &Attr::from(value)) {
            (Attr::Bool(b), Attr::Int(n)) | (Attr::Int(n), Attr::Bool(b)) => *n == i64::from(*b),
            (left, right) => left == right,
        }
    }
}

/// The attributes of an object. A key is looked up as it stands in the rule: `%(network:project_id)s` asks for `network:project_id`.
pub trait Target {
    fn get(&self, key: &str) -> Option<Attr<'_>>;
}

impl Target for Map<String, Value> {
    fn get(&self, key: &str) -> Option<Attr<'_>> {
        Map::get(self, key).map(Attr::from)
    }
}

impl Target for Value {
    fn get(&self, key: &str) -> Option<Attr<'_>> {
        self.as_object().and_then(|map| Map::get(map, key)).map(Attr::from)
    }
}

impl Target for HashMap<String, Value> {
    fn get(&self, key: &str) -> Option<Attr<'_>> {
        HashMap::get(self, key).map(Attr::from)
    }
}

impl Target for BTreeMap<String, Value> {
    fn get(&self, key: &str) -> Option<Attr<'_>> {
        BTreeMap::get(self, key).map(Attr::from)
    }
}

/// No attributes at all.
impl Target for () {
    fn get(&self, _: &str) -> Option<Attr<'_>> {
        None
    }
}

/// An object, and beside it what was loaded for the decision: the second answers what the first does not know.
impl<A: Target, B: Target> Target for (&A, &B) {
    fn get(&self, key: &str) -> Option<Attr<'_>> {
        self.0.get(key).or_else(|| self.1.get(key))
    }
}

/// Python's `str()` of a JSON value.
pub(crate) fn python_text(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        _ => {
            let mut out = String::new();
            repr(value, &mut out);
            out
        }
    }
}

fn repr(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Number(n) => match (n.is_f64(), n.as_f64()) {
            (true, Some(f)) => out.push_str(&python_float(f)),
            _ => {
                let _ = write!(out, "{n}");
            }
        },
        Value::String(s) => repr_str(s, out),
        Value::Array(list) => {
            out.push('[');
            for (at, item) in list.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                repr(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                repr_str(key, out);
                out.push_str(": ");
                repr(item, out);
            }
            out.push('}');
        }
    }
}

fn repr_str(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

/// Rust writes `1e16` and `1e-5` where Python writes `1e+16` and `1e-05`.
pub(crate) fn python_float(f: f64) -> String {
    let text = format!("{f:?}");
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => match exponent.strip_prefix('-') {
            Some(digits) => format!("{mantissa}e-{digits:0>2}"),
            None => format!("{mantissa}e+{exponent:0>2}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_pythons() {
        for (value, text) in [
            (json!(null), "None"),
            (json!(true), "True"),
            (json!(-3), "-3"),
            (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
            (json!(1.5), "1.5"),
            (json!(1e16), "1e+16"),
            (json!(1e-5), "1e-05"),
            (json!(2.0), "2.0"),
            (json!(["a", "it's", "b\"'", 1, null]), r#"['a', "it's", 'b"\'', 1, None]"#),
            (json!({"a": {"b": [true]}}), "{'a': {'b': [True]}}"),
        ] {
            assert_eq!(Attr::from(&value).text(), text);
        }
    }

    #[test]
    fn equality_is_pythons() {
        assert!(Attr::Bool(true).equals(&json!(1)));
        assert!(Attr::Int(0).equals(&json!(false)));
        assert!(!Attr::from("1").equals(&json!(1)));
        assert!(!Attr::from("True").equals(&json!(true)));
        assert!(!Attr::Int(2).equals(&json!(true)));
    }

    #[test]
    fn the_second_of_a_pair_answers_what_the_first_does_not_know() {
        let (a, b) = (json!({"x": 1}), json!({"x": 2, "y": null}));
        let pair = (&a, &b);
        assert_eq!(pair.get("x"), Some(Attr::Int(1)));
        assert_eq!(pair.get("y"), Some(Attr::Null));
        assert_eq!(pair.get("z"), None);
        assert_eq!(().get("x"), None);
    }
}
