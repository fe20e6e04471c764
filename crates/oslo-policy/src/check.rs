// SPDX-License-Identifier: Apache-2.0
//! A rule as a tree, before (`R` is a name) and after (`R` is an index) its references are resolved.
//!
//! Its text ([`std::fmt::Display`]) is oslo.policy's and reads back as the same tree. Invariant: `And` and `Or` have at least one part.

use std::{fmt, sync::Arc};

use crate::{language::Custom, literal::Subject, template::Template};

/// See the module's documentation.
#[derive(Debug, Clone)]
pub enum Check<R = Box<str>> {
    /// `@`
    Always,
    /// `!`
    Never,
    /// `rule:name`
    Rule(R),
    Leaf(Arc<Leaf>),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A check that looks at credentials or target.
#[derive(Debug)]
pub struct Leaf {
    /// As the operator wrote it.
    pub(crate) text: Box<str>,
    pub(crate) test: Test,
}

#[derive(Debug)]
pub(crate) enum Test {
    Role(Template),
    Compare {
        subject: Subject,
        with: Template,
    },
    /// The whole URL.
    Http(Template),
    Custom(Arc<dyn Custom>),
    /// Not understood, and read leniently: cannot be decided, so that no `not` around it makes an approval of it.
    Broken,
}

impl Leaf {
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.test, Test::Http(_))
    }
}

impl<R> Check<R> {
    /// The same tree with other references.
    pub(crate) fn map<S>(&self, rule: &mut impl FnMut(&R) -> Check<S>) -> Check<S> {
        match self {
            Check::Always => Check::Always,
            Check::Never => Check::Never,
            Check::Rule(name) => rule(name),
            Check::Leaf(leaf) => Check::Leaf(Arc::clone(leaf)),
            Check::Not(part) => Check::Not(Box::new(part.map(rule))),
            Check::And(parts) => Check::And(parts.iter().map(|part| part.map(rule)).collect()),
            Check::Or(parts) => Check::Or(parts.iter().map(|part| part.map(rule)).collect()),
        }
    }

    /// Calls `rule` for every reference and `leaf` for every leaf, and returns how deep the tree is.
    pub(crate) fn walk<'a>(&'a self, rule: &mut impl FnMut(&'a R), leaf: &mut impl FnMut(&'a Leaf)) -> usize {
        match self {
            Check::Always | Check::Never => 1,
            Check::Rule(name) => {
                rule(name);
                1
            }
            Check::Leaf(found) => {
                leaf(found);
                1
            }
            Check::Not(part) => 1 + part.walk(rule, leaf),
            Check::And(parts) | Check::Or(parts) => 1 + parts.iter().map(|part| part.walk(rule, leaf)).max().unwrap_or(0),
        }
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, parts: &[Check], word: &str| {
            for (at, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if at == 0 { "(" } else { word })?;
            }
            f.write_str(")")
        };
        match self {
            Check::Always => f.write_str("@"),
            Check::Never => f.write_str("!"),
            Check::Rule(name) => write!(f, "rule:{name}"),
            Check::Leaf(leaf) => leaf.fmt(f),
            Check::Not(part) => write!(f, "not {part}"),
            Check::And(parts) => join(f, parts, " and "),
            Check::Or(parts) => join(f, parts, " or "),
        }
    }
}
