// SPDX-License-Identifier: Apache-2.0
//! `field:networks:shared=True`, `field:port:device_owner=~^network:`: has an attribute of the object this value, or does its text
//! match this expression?
//!
//! The embedder says what the text means for an attribute's type, and which attributes may be taken from a related object.

use std::{collections::BTreeSet, fmt, sync::Arc};

use regex::Regex;
use serde_json::Value;

use crate::{
    creds::Credentials,
    eval::{Need, Stop},
    language::{Custom, Kind},
    target::{Attr, Target},
};

/// What the text after `=` is as a value of `(resource, field)`; the error is for the operator.
pub type Convert = dyn Fn(&str, &str, &str) -> Result<Value, String> + Send + Sync;

/// A field that, when the object has none of its own, is taken from another object it refers to.
#[derive(Debug, Clone)]
pub struct Related {
    pub resource: &'static str,
    pub field: &'static str,
    /// The attribute that refers to the other object; without it the check does not hold.
    pub via: &'static str,
}

/// The kind of check, registered as `field`.
#[derive(Clone)]
pub struct Field {
    convert: Arc<Convert>,
    related: Vec<Related>,
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("related", &self.related).finish_non_exhaustive()
    }
}

impl Field {
    #[must_use]
    pub fn new(convert: Arc<Convert>, related: &[Related]) -> Self {
        Self { convert, related: related.to_vec() }
    }
}

/// How much memory a compiled expression may take.
const MAX_REGEX: usize = 256 * 1024;

impl Kind for Field {
    fn compile(&self, kind: &str, text: &str) -> Result<Arc<dyn Custom>, String> {
        let form = || format!("{kind}: is written {kind}:resource:attribute=value, not \"{text}\"");
        let (resource, rest) = text.split_once(':').ok_or_else(form)?;
        let (field, value) = rest.split_once('=').ok_or_else(form)?;
        if resource.is_empty() || field.is_empty() {
            return Err(form());
        }
        let wanted = match value.strip_prefix('~') {
            Some(pattern) => {
                let anchored = format!(r"\A(?:{pattern})");
                let regex = regex::RegexBuilder::new(&anchored).size_limit(MAX_REGEX).build();
                Wanted::Match(regex.map_err(|e| format!("the expression {pattern} cannot be used: {}", last_line(&e.to_string())))?)
            }
            None => Wanted::Equal((self.convert)(resource, field, value)?),
        };
        let related = self.related.iter().find(|r| r.resource == resource && r.field == field);
        let related = related.map(|r| (r.via, Need::new(&format!("{resource}:{field}"), resource, field)));
        Ok(Arc::new(Compiled { field: field.into(), wanted, related }))
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or(text).trim_start_matches("error: ")
}

#[derive(Debug)]
enum Wanted {
    Equal(Value),
    Match(Regex),
}

#[derive(Debug)]
struct Compiled {
    field: Box<str>,
    wanted: Wanted,
    related: Option<(&'static str, Need)>,
}

impl Compiled {
    fn holds(&self, value: &Attr<'_>) -> Result<bool, Stop> {
        match (&self.wanted, value) {
            (_, Attr::Null) => Ok(false),
            (Wanted::Equal(wanted), value) => Ok(value.equals(wanted)),
            (Wanted::Match(regex), Attr::Str(text)) => Ok(regex.is_match(text)),
            (Wanted::Match(_), _) => Err(Stop::Failed(format!("\"{}\" is not a text", self.field))),
        }
    }
}

impl Custom for Compiled {
    fn check(&self, target: &dyn Target, _: &Credentials) -> Result<bool, Stop> {
        if let Some(value) = target.get(&self.field) {
            return self.holds(&value);
        }
        let Some((via, need)) = &self.related else { return Ok(false) };
        if let Some(value) = target.get(need.key()) {
            return self.holds(&value);
        }
        if target.get(via).is_some_and(|v| v.is_truthy()) { Err(Stop::Needs(need.clone())) } else { Ok(false) }
    }

    fn reads(&self) -> BTreeSet<Box<str>> {
        let mut keys = BTreeSet::from([self.field.clone()]);
        if let Some((via, need)) = &self.related {
            keys.extend([Box::from(*via), Box::from(need.key())]);
        }
        keys
    }

    fn needs(&self) -> Option<Need> {
        self.related.as_ref().map(|(_, need)| need.clone())
    }
}
