// SPDX-License-Identifier: Apache-2.0
//! The right side of a check: text with `%(attribute)s` in it.
//!
//! Python formats it with its `%` operator, which knows more conversions; the others are refused when the rule is read, since there they
//! would fail, or compare nonsense, at every request.

use std::{borrow::Cow, collections::BTreeSet};

use crate::target::Target;

/// See the module's documentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Template {
    Literal(Box<str>),
    One(Box<str>),
    Many(Box<[Part]>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Text(Box<str>),
    Attr(Box<str>),
}

impl Template {
    /// # Errors
    /// The byte offset and what is wrong there.
    pub(crate) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            let here = text.len() - rest.len() + at;
            let after = &rest[at + 1..];
            if let Some(tail) = after.strip_prefix('%') {
                literal.push('%');
                rest = tail;
                continue;
            }
            let Some(inner) = after.strip_prefix('(') else {
                return Err((here, "after % comes an attribute, as in %(project_id)s, or a second %".to_owned()));
            };
            let Some(end) = closing(inner) else {
                return Err((here, "the attribute's name has no end: write %(name)s".to_owned()));
            };
            let Some(tail) = inner[end + 1..].strip_prefix('s') else {
                return Err((here, format!("an attribute is written %({})s, with an s after it", &inner[..end])));
            };
            if end == 0 {
                return Err((here, "the attribute has no name".to_owned()));
            }
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal).into()));
            }
            parts.push(Part::Attr(inner[..end].into()));
            rest = tail;
        }
        literal.push_str(rest);
        if parts.is_empty() {
            return Ok(Self::Literal(literal.into()));
        }
        if !literal.is_empty() {
            parts.push(Part::Text(literal.into()));
        }
        if let [Part::Attr(name)] = parts.as_slice() {
            return Ok(Self::One(name.clone()));
        }
        Ok(Self::Many(parts.into()))
    }

    /// The text for this target, or the first attribute that it lacks. Allocates only for mixed text and for numbers.
    pub(crate) fn render<'a>(&'a self, target: &'a dyn Target) -> Result<Cow<'a, str>, &'a str> {
        match self {
            Self::Literal(text) => Ok(Cow::Borrowed(text)),
            Self::One(name) => target.get(name).map(crate::target::Attr::text).ok_or(name),
            Self::Many(parts) => {
                let mut out = String::new();
                for part in parts {
                    match part {
                        Part::Text(text) => out.push_str(text),
                        Part::Attr(name) => out.push_str(&target.get(name).ok_or(&**name)?.text()),
                    }
                }
                Ok(Cow::Owned(out))
            }
        }
    }

    /// The text, when it does not depend on the target.
    pub(crate) fn fixed(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::One(_) | Self::Many(_) => None,
        }
    }

    pub(crate) fn reads(&self, into: &mut BTreeSet<Box<str>>) {
        match self {
            Self::Literal(_) => {}
            Self::One(name) => {
                into.insert(name.clone());
            }
            Self::Many(parts) => into.extend(parts.iter().filter_map(|part| match part {
                Part::Attr(name) => Some(name.clone()),
                Part::Text(_) => None,
            })),
        }
    }
}

/// Where the parenthesis that is already open closes; names may hold pairs of their own.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn renders() {
        let target = json!({"a": "x", "n": 3, "b(c)": true, "": "no"});
        for (text, expected) in [
            ("plain", Ok("plain")),
            ("", Ok("")),
            ("%(a)s", Ok("x")),
            ("%(b(c))s", Ok("True")),
            ("<%(a)s-%(n)s>", Ok("<x-3>")),
            ("100%%", Ok("100%")),
            ("%%(a)s", Ok("%(a)s")),
            ("%(none)s", Err("none")),
            ("%(a)s%(none)s", Err("none")),
        ] {
            let template = Template::parse(text).unwrap();
            assert_eq!(template.render(&target).as_deref().map_err(|e| *e), expected, "{text}");
        }
    }

    #[test]
    fn refuses_what_python_would_fail_on() {
        for (text, at) in [("%", 0), ("a%", 1), ("%s", 0), ("%(a)d", 0), ("x%(a", 1), ("%()s", 0), ("%(a)", 0), ("é%(a)-5s", 2)] {
            assert_eq!(Template::parse(text).unwrap_err().0, at, "{text}");
        }
    }
}
