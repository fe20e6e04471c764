// SPDX-License-Identifier: Apache-2.0
//! Decisions.
//!
//! Parts are tried from left to right and no further than needed, as in oslo.policy, so the order of a rule decides what it asks for.
//! Only where the asker says that it does not matter ([`Question::looks_ahead`]) a later part may spare what an earlier one needs.
//! Where oslo.policy raises an exception the evaluation stops ([`Stop`]): a negation around it cannot turn it into an approval.

use serde_json::Value;

use crate::{
    check::{Check, Leaf, Test},
    creds::{Credentials, Found, Scope},
    literal::Subject,
    rules::{RuleId, Rules},
    target::{Attr, Target},
};

/// An attribute of another object that a decision asks for. The embedder loads it and puts it into the target under [`Need::key`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    key: Box<str>,
    resource: Box<str>,
    field: Box<str>,
}

impl Need {
    #[must_use]
    pub fn new(key: &str, resource: &str, field: &str) -> Self {
        Self { key: key.into(), resource: resource.into(), field: field.into() }
    }

    /// `network:project_id`
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// `network`
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// `project_id`
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }
}

/// A remote check that a decision asks for: POST the rule's name, the target and [`Credentials::to_json`] to the URL; the answer is yes
/// if its text, without quotes, is `True`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCall {
    pub url: String,
    /// The rule the decision was asked for.
    pub rule: String,
}

/// Why an evaluation could not go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    Needs(Need),
    /// The URL.
    Http(String),
    /// The object lacks an attribute that says where to look. The innermost rule that a `rule:` refers to fails then; a rule asked for
    /// directly cannot be decided.
    Absent(String),
    /// The rule cannot be applied to these credentials and this target. Treat it as a refusal and log the reason.
    Failed(String),
}

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    Refused,
    /// The token is for something the rule is not meant for.
    WrongScope(Scope),
    Needs(Need),
    NeedsHttp(HttpCall),
    /// See [`Stop::Failed`].
    Failed(String),
}

/// Who asks, about what.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub creds: &'a Credentials,
    pub target: &'a dyn Target,
    /// What remote checks have answered so far, by URL.
    pub answers: &'a [(String, bool)],
    /// May a later part decide before what an earlier one needs is loaded? For objects whose parents are known to be there: then no part that
    /// needs them can stop the evaluation, and the order does not matter to the result.
    pub looks_ahead: bool,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("creds", &self.creds).field("answers", &self.answers).finish_non_exhaustive()
    }
}

impl<'a> Question<'a> {
    #[must_use]
    pub fn new(creds: &'a Credentials, target: &'a dyn Target) -> Self {
        Self { creds, target, answers: &[], looks_ahead: false }
    }
}

impl Rules {
    /// May the caller do what the rule guards? The rule's scope is checked first, unless [`crate::Options::enforce_scope`] is off.
    #[must_use]
    pub fn decide(&self, id: RuleId, question: &Question<'_>) -> Decision {
        if let Some(scope) = self.wrong_scope(id, question.creds) {
            return Decision::WrongScope(scope);
        }
        self.decide_unscoped(id, question)
    }

    /// The same without a look at the scope: for rules of parts of an object, beside the rule of the operation.
    #[must_use]
    pub fn decide_unscoped(&self, id: RuleId, question: &Question<'_>) -> Decision {
        match self.evaluate(self.check(id), question) {
            Ok(true) => Decision::Allowed,
            Ok(false) => Decision::Refused,
            Err(Stop::Needs(need)) => Decision::Needs(need),
            Err(Stop::Http(url)) => Decision::NeedsHttp(HttpCall { url, rule: self.name(id).to_owned() }),
            Err(Stop::Absent(name)) => Decision::Failed(format!("the object has no attribute \"{name}\"")),
            Err(Stop::Failed(reason)) => Decision::Failed(reason),
        }
    }

    /// By name. A name without a rule is judged by the default rule, and refused if there is none.
    #[must_use]
    pub fn decide_name(&self, name: &str, question: &Question<'_>) -> Decision {
        match self.find(name) {
            Some(id) => self.decide(id, question),
            None => self.default_rule().map_or(Decision::Refused, |id| self.decide_unscoped(id, question)),
        }
    }

    /// The result of a rule, if no target can change it. A list asks once, and looks at its rows only on `None`.
    #[must_use]
    pub fn by_credentials(&self, id: RuleId, creds: &Credentials) -> Option<bool> {
        if self.wrong_scope(id, creds).is_some() {
            return Some(false);
        }
        self.foresee(self.check(id), creds)
    }

    pub(crate) fn wrong_scope(&self, id: RuleId, creds: &Credentials) -> Option<Scope> {
        let allowed = self.scopes(id);
        let scope = creds.scope();
        (self.enforces_scope() && !allowed.is_empty() && !allowed.contains(&scope)).then_some(scope)
    }

    fn evaluate(&self, check: &Check<RuleId>, question: &Question<'_>) -> Result<bool, Stop> {
        match check {
            Check::Always => Ok(true),
            Check::Never => Ok(false),
            Check::Rule(id) => match self.evaluate(self.check(*id), question) {
                Err(Stop::Absent(_)) => Ok(false),
                result => result,
            },
            Check::Leaf(leaf) => leaf.test(question),
            Check::Not(part) => self.evaluate(part, question).map(|result| !result),
            Check::And(parts) => self.evaluate_parts(parts, question, false),
            Check::Or(parts) => self.evaluate_parts(parts, question, true),
        }
    }

    /// The first part with the deciding result decides; else the result is the other one.
    fn evaluate_parts(&self, parts: &[Check<RuleId>], question: &Question<'_>, deciding: bool) -> Result<bool, Stop> {
        for (n, part) in parts.iter().enumerate() {
            match self.evaluate(part, question) {
                Ok(result) if result == deciding => return Ok(deciding),
                Ok(_) => {}
                Err(Stop::Needs(_))
                    if question.looks_ahead && parts[n + 1..].iter().any(|later| self.evaluate(later, question) == Ok(deciding)) =>
                {
                    return Ok(deciding);
                }
                Err(stop) => return Err(stop),
            }
        }
        Ok(!deciding)
    }

    fn foresee(&self, check: &Check<RuleId>, creds: &Credentials) -> Option<bool> {
        match check {
            Check::Always => Some(true),
            Check::Never => Some(false),
            Check::Rule(id) => self.foresee(self.check(*id), creds),
            Check::Leaf(leaf) => leaf.foresee(creds),
            Check::Not(part) => self.foresee(part, creds).map(|result| !result),
            Check::And(parts) => self.foresee_parts(parts, creds, false),
            Check::Or(parts) => self.foresee_parts(parts, creds, true),
        }
    }

    /// One part with the deciding result decides; else every part must be foreseen.
    fn foresee_parts(&self, parts: &[Check<RuleId>], creds: &Credentials, deciding: bool) -> Option<bool> {
        let mut known = true;
        for part in parts {
            match self.foresee(part, creds) {
                Some(result) if result == deciding => return Some(deciding),
                Some(_) => {}
                None => known = false,
            }
        }
        known.then_some(!deciding)
    }
}

impl Leaf {
    pub(crate) fn test(&self, question: &Question<'_>) -> Result<bool, Stop> {
        let Question { creds, target, answers, .. } = *question;
        match &self.test {
            Test::Role(role) => Ok(role.render(target).is_ok_and(|role| creds.has_role(&role))),
            Test::Compare { subject, with } => match with.render(target) {
                Err(_) => Ok(false),
                Ok(text) => compare(subject, &text, creds),
            },
            Test::Http(url) => {
                let url = url.render(target).map_err(|name| Stop::Absent(name.to_owned()))?;
                match answers.iter().find(|(asked, _)| *asked == url) {
                    Some((_, answer)) => Ok(*answer),
                    None => Err(Stop::Http(url.into_owned())),
                }
            }
            Test::Custom(custom) => custom.check(target, creds),
            Test::Broken => Err(Stop::Failed(format!("{self} is not understood"))),
        }
    }

    fn foresee(&self, creds: &Credentials) -> Option<bool> {
        match &self.test {
            Test::Role(role) => match role.fixed() {
                Some(role) => Some(creds.has_role(role)),
                None => creds.roles.is_empty().then_some(false),
            },
            Test::Compare { subject, with } => match (with.fixed(), subject) {
                (Some(text), _) => compare(subject, text, creds).ok(),
                (None, Subject::Path(path)) => path.first().is_some_and(|first| creds.find(first).is_none()).then_some(false),
                (None, Subject::Constant(_)) => None,
            },
            Test::Http(_) | Test::Broken => None,
            Test::Custom(custom) => custom.by_credentials(creds),
        }
    }
}

fn compare(subject: &Subject, text: &str, creds: &Credentials) -> Result<bool, Stop> {
    let path = match subject {
        Subject::Constant(constant) => return Ok(**constant == *text),
        Subject::Path(path) => path,
    };
    let Some((first, rest)) = path.split_first() else { return Ok(false) };
    match creds.find(first) {
        None => Ok(false),
        Some(Found::Attr(Attr::Json(value))) => descend(value, rest, text),
        Some(Found::Attr(attr)) if rest.is_empty() => Ok(attr.text() == text),
        Some(Found::Names(names)) if rest.is_empty() => Ok(names.iter().any(|name| name == text)),
        Some(Found::Names([])) => Ok(false),
        Some(_) => Err(no_object(first)),
    }
}

fn no_object(name: &str) -> Stop {
    Stop::Failed(format!("a credential has nothing named \"{name}\" inside it, because it is no object"))
}

/// Through objects by name, and through every element of a list.
fn descend(value: &Value, path: &[Box<str>], text: &str) -> Result<bool, Stop> {
    let Value::Array(list) = value else { return within(value, path, text) };
    for item in list {
        if within(item, path, text)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn within(value: &Value, path: &[Box<str>], text: &str) -> Result<bool, Stop> {
    let Some((first, rest)) = path.split_first() else { return Ok(Attr::from(value).text() == text) };
    match value {
        Value::Object(map) => map.get(&**first).map_or(Ok(false), |inner| descend(inner, rest, text)),
        _ => Err(no_object(first)),
    }
}
