// SPDX-License-Identifier: Apache-2.0
//! Why a decision came out as it did, for a person.
//!
//! Follows the evaluation exactly, references opened, and says which parts were never looked at.

use std::fmt;

use crate::{
    check::{Check, Leaf, Test},
    eval::{Question, Stop},
    rules::{RuleId, Rules},
};

/// What became of one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Held,
    Failed,
    /// An earlier part had decided.
    NotReached,
    Stopped(Stop),
    /// The token's scope is not one of the rule's.
    WrongScope,
}

/// A part of a rule with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// `role:admin`, `rule:owner`, `and`, `or`, `not`.
    pub text: String,
    pub verdict: Verdict,
    /// What was compared, where that is not plain.
    pub detail: String,
    pub parts: Vec<Explanation>,
}

/// How many parts an explanation shows; more are evaluated and left out.
const MAX_PARTS: usize = 5_000;

impl Rules {
    /// Evaluates a rule and keeps the way there.
    #[must_use]
    pub fn explain(&self, id: RuleId, question: &Question<'_>) -> Explanation {
        if let Some(scope) = self.wrong_scope(id, question.creds) {
            let scopes: Vec<&str> = self.scopes(id).iter().map(|s| s.as_str()).collect();
            let detail = format!("the token's scope is {scope}, the rule is for {}", scopes.join(", "));
            return Explanation { text: self.name(id).to_owned(), verdict: Verdict::WrongScope, detail, parts: Vec::new() };
        }
        let mut witness = Witness { rules: self, question, left: MAX_PARTS };
        let inner = witness.look(self.check(id));
        witness.joined(self.name(id), inner.verdict.clone(), vec![inner])
    }
}

struct Witness<'a> {
    rules: &'a Rules,
    question: &'a Question<'a>,
    left: usize,
}

impl Witness<'_> {
    fn look(&mut self, check: &Check<RuleId>) -> Explanation {
        self.left = self.left.saturating_sub(1);
        match check {
            Check::Always => self.joined("@", Verdict::Held, Vec::new()),
            Check::Never => self.joined("!", Verdict::Failed, Vec::new()),
            Check::Rule(id) => {
                let inner = self.look(self.rules.check(*id));
                let verdict = match &inner.verdict {
                    Verdict::Stopped(Stop::Absent(_)) => Verdict::Failed,
                    verdict => verdict.clone(),
                };
                self.joined(&format!("rule:{}", self.rules.name(*id)), verdict, vec![inner])
            }
            Check::Leaf(leaf) => {
                let verdict = match leaf.test(self.question) {
                    Ok(true) => Verdict::Held,
                    Ok(false) => Verdict::Failed,
                    Err(stop) => Verdict::Stopped(stop),
                };
                Explanation { text: leaf.to_string(), verdict, detail: self.detail(leaf), parts: Vec::new() }
            }
            Check::Not(part) => {
                let inner = self.look(part);
                let verdict = match &inner.verdict {
                    Verdict::Held => Verdict::Failed,
                    Verdict::Failed => Verdict::Held,
                    other => other.clone(),
                };
                self.joined("not", verdict, vec![inner])
            }
            Check::And(parts) => self.several("and", parts, Verdict::Held),
            Check::Or(parts) => self.several("or", parts, Verdict::Failed),
        }
    }

    /// Goes on while the parts come out as `usual`; the first other verdict is the whole's.
    fn several(&mut self, word: &str, parts: &[Check<RuleId>], usual: Verdict) -> Explanation {
        let (mut whole, mut seen) = (usual.clone(), Vec::new());
        for part in parts {
            if whole == usual {
                let inner = self.look(part);
                whole = inner.verdict.clone();
                seen.push(inner);
            } else {
                let text = part.map(&mut |id| Check::Rule(Box::from(self.rules.name(*id)))).to_string();
                seen.push(Explanation { text, verdict: Verdict::NotReached, detail: String::new(), parts: Vec::new() });
            }
        }
        self.joined(word, whole, seen)
    }

    fn joined(&self, text: &str, verdict: Verdict, parts: Vec<Explanation>) -> Explanation {
        if self.left == 0 && !parts.is_empty() {
            return Explanation { text: text.to_owned(), verdict, detail: "shortened".to_owned(), parts: Vec::new() };
        }
        Explanation { text: text.to_owned(), verdict, detail: String::new(), parts }
    }

    /// What the target gave for the leaf's attributes.
    fn detail(&self, leaf: &Leaf) -> String {
        let with = match &leaf.test {
            Test::Role(with) | Test::Compare { with, .. } => with,
            Test::Http(_) | Test::Broken => return String::new(),
            Test::Custom(custom) => {
                let target = self.question.target;
                let shown = |key: &str| target.get(key).map(|value| format!("the object's {key} is \"{}\"", value.text()));
                return custom.reads().iter().filter_map(|key| shown(key)).collect::<Vec<_>>().join(", ");
            }
        };
        match with.render(self.question.target) {
            _ if with.fixed().is_some() => String::new(),
            Ok(text) => format!("the object has \"{text}\""),
            Err(name) => format!("the object has no \"{name}\""),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Held => f.write_str("yes"),
            Verdict::Failed => f.write_str("no"),
            Verdict::NotReached => f.write_str("not reached"),
            Verdict::WrongScope => f.write_str("wrong scope"),
            Verdict::Stopped(Stop::Needs(need)) => write!(f, "needs {}", need.key()),
            Verdict::Stopped(Stop::Http(url)) => write!(f, "asks {url}"),
            Verdict::Stopped(Stop::Absent(name)) => write!(f, "the object has no {name}"),
            Verdict::Stopped(Stop::Failed(reason)) => write!(f, "cannot be decided: {reason}"),
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn lines(part: &Explanation, indent: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{:indent$}{}: {}", "", part.text, part.verdict)?;
            if !part.detail.is_empty() {
                write!(f, " ({})", part.detail)?;
            }
            writeln!(f)?;
            part.parts.iter().try_for_each(|inner| lines(inner, indent + 2, f))
        }
        lines(self, 0, f)
    }
}
