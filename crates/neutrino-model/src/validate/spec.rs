// SPDX-License-Identifier: Apache-2.0
//! The parts that tables of validators are made of: constant JSON literals, patterns, and the keys of a dictionary.

use std::sync::OnceLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::Validator;
use crate::convert::Converter;

/// A JSON value that a `static` table can hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Literal {
    Null,
    Bool(bool),
    Int(i64),
    Str(&'static str),
    List(&'static [Literal]),
    Dict(&'static [(&'static str, Literal)]),
}

/// One of the values that `type:values` allows.
pub type Choice = Literal;

impl Literal {
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(number) => Value::from(number),
            Self::Str(text) => Value::from(text),
            Self::List(items) => items.iter().map(|item| item.to_value()).collect(),
            Self::Dict(entries) => entries.iter().map(|(name, item)| ((*name).to_owned(), item.to_value())).collect::<Map<_, _>>().into(),
        }
    }
}

/// A regular expression, compiled when it is first used. Written in the syntax that Python and the regex crate share.
#[derive(Debug)]
pub struct Pattern {
    text: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// For a `static`. A text that does not compile matches nothing; the tests compile every pattern of the contract.
    #[must_use]
    pub const fn new(text: &'static str) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Python's `re.match`: anchored at the start; `$` also holds before a last newline.
    #[must_use]
    pub fn matches(&self, data: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&format!(r"\A(?:{})", self.text)).ok());
        let Some(regex) = compiled else { return false };
        regex.is_match(data) || data.strip_suffix('\n').is_some_and(|line| regex.is_match(line))
    }
}

/// One key that `type:dict` knows.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    pub key: &'static str,
    /// `None` when the definition does not say; then the key is optional.
    pub required: Option<bool>,
    pub convert: Option<Converter>,
    pub check: Option<Validator>,
    /// Kept for comparison with the contract: neither `type:dict` nor the API fills it in.
    pub default: Option<Literal>,
    /// A validator that the definition writes under `validate`, where `type:dict` does not look. Not run.
    pub described: Option<Validator>,
}

impl KeySpec {
    /// A key without a validator of its own.
    #[must_use]
    pub const fn any(key: &'static str) -> Self {
        Self { key, required: None, convert: None, check: None, default: None, described: None }
    }

    #[must_use]
    pub const fn new(key: &'static str, check: Validator) -> Self {
        Self { check: Some(check), ..Self::any(key) }
    }

    #[must_use]
    pub const fn required(self) -> Self {
        Self { required: Some(true), ..self }
    }

    #[must_use]
    pub const fn optional(self) -> Self {
        Self { required: Some(false), ..self }
    }

    #[must_use]
    pub const fn convert_to(self, converter: Converter) -> Self {
        Self { convert: Some(converter), ..self }
    }

    #[must_use]
    pub const fn default(self, literal: Literal) -> Self {
        Self { default: Some(literal), ..self }
    }

    #[must_use]
    pub const fn described(self, validator: Validator) -> Self {
        Self { described: Some(validator), ..self }
    }

    /// The definition of one key as the contract writes it.
    fn to_json(self) -> Value {
        let mut map = Map::new();
        if let Some(check) = self.check {
            map.insert(check.name().to_owned(), check.arg_json());
        }
        if let Some(required) = self.required {
            map.insert("required".to_owned(), Value::Bool(required));
        }
        if let Some(converter) = self.convert {
            map.insert("convert_to".to_owned(), Value::from(converter.name()));
        }
        if let Some(literal) = self.default {
            map.insert("default".to_owned(), literal.to_value());
        }
        if let Some(validator) = self.described {
            map.insert("validate".to_owned(), json!({ validator.name(): validator.arg_json() }));
        }
        Value::Object(map)
    }
}

/// The definition of a dictionary as the contract writes it; `null` when any dictionary will do.
pub(super) fn specs_json(specs: &[KeySpec]) -> Value {
    if specs.is_empty() {
        return Value::Null;
    }
    specs.iter().map(|spec| (spec.key.to_owned(), spec.to_json())).collect::<Map<_, _>>().into()
}
