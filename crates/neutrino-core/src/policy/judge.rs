// SPDX-License-Identifier: Apache-2.0
//! The decisions on one request.

use std::sync::Arc;

use neutrino_db::Pending;
use neutrino_model::{Body, Record, Validator, attribute::Default};
use neutrino_types::{Error, Kind as ErrorKind, Result, error::kinds};
use oslo_policy::{Credentials, Decision, Question};
use serde_json::Value;

use super::{
    Bound, Reading,
    bind::Rule,
    credentials,
    reading::{MAX_ROUNDS, refused},
    subject::{Loaded, ParentOf, Subject},
};
use crate::{Authorized, Context, Engine, op::not_found, registry::Entry};

const INVALID_SCOPE: ErrorKind = ErrorKind::new("InvalidScope", 403);

/// Judges the operations of one request by the rules that were in force when it began.
pub struct Judge<'a> {
    engine: &'a Engine,
    cx: &'a Context,
    bound: Arc<Bound>,
    credentials: Credentials,
    trusted: bool,
}

enum Refusal {
    Rule(String),
    Scope(String),
}

impl<'a> Judge<'a> {
    pub(crate) fn new(engine: &'a Engine, cx: &'a Context) -> Self {
        let trusted = engine.policy.trusts(&cx.caller);
        Self { engine, cx, bound: engine.policy.current(), credentials: credentials(&cx.caller), trusted }
    }

    /// A list or a look at one object: the engine leaves out the rows that the rule does not admit.
    ///
    /// # Errors
    /// 404 when the caller may not see the parent in the URL; the database's.
    #[inline(never)]
    pub fn read<'r>(&'r self, key: &'r str, parent: Option<&'r str>) -> Pending<'r, Authorized> {
        Box::pin(async move { self.proof("get", key, parent).await })
    }

    /// A create, for each of its objects.
    ///
    /// # Errors
    /// 403; as [`Judge::read`].
    #[inline(never)]
    pub fn create<'r>(&'r self, key: &'r str, parent: Option<&'r str>, bodies: &'r [Body]) -> Pending<'r, Authorized> {
        Box::pin(async move {
            let place = self.parent_of(key, parent)?;
            for body in bodies {
                let rules = self.rules_of("create", key, body, false)?;
                if let Some(refusal) = self.refuses(&rules, None, Some(body), place.as_ref()).await? {
                    return Err(forbidden(&refusal));
                }
            }
            // As in Neutron, who may not create a child is told so before its parent is looked for.
            self.proof("create", key, parent).await
        })
    }

    /// An update (with a body) or a delete.
    ///
    /// # Errors
    /// 404 when the caller may not even see the object, else 403; as [`Judge::read`].
    #[inline(never)]
    pub fn change<'r>(
        &'r self,
        verb: &'r str,
        key: &'r str,
        parent: Option<&'r str>,
        original: &'r Record,
        body: Option<&'r Body>,
    ) -> Pending<'r, Authorized> {
        Box::pin(async move {
            let proof = self.proof(verb, key, parent).await?;
            let place = self.parent_of(key, parent)?;
            let rules = match body {
                Some(body) => self.rules_of(verb, key, body, true)?,
                None => vec![self.operation(verb, key)?.clone()],
            };
            let Some(refusal) = self.refuses(&rules, Some(original), body, place.as_ref()).await? else { return Ok(proof) };
            let sight = [self.operation("get", key)?.clone()];
            let fetched = if body.is_some() { prefetched(original) } else { original.clone() };
            match self.refuses(&sight, Some(&fetched), body, place.as_ref()).await? {
                Some(_) => Err(kinds::NOT_FOUND.error("The resource could not be found.")),
                None => Err(forbidden(&refusal)),
            }
        })
    }

    /// An action on an object, or on a collection.
    ///
    /// # Errors
    /// 403; as [`Judge::read`].
    #[inline(never)]
    pub fn act<'r>(
        &'r self,
        name: &'r str,
        key: &'r str,
        parent: Option<&'r str>,
        object: Option<&'r Record>,
        request: &'r Value,
    ) -> Pending<'r, Authorized> {
        Box::pin(async move {
            let proof = self.proof(name, key, parent).await?;
            let place = self.parent_of(key, parent)?;
            let mut rules = vec![self.bound.rule(name.to_owned())];
            // Attributes of an action are judged where a rule for them is registered (`add_external_gateways:external_gateways`).
            let fields = request.as_object().into_iter().flat_map(|map| map.values()).filter_map(Value::as_object).flatten();
            for (attribute, value) in fields {
                let rule = self.bound.rule(format!("{name}:{attribute}"));
                if rule.id.is_some() {
                    rules.push(rule);
                    rules.extend(
                        keys_of(value)
                            .into_iter()
                            .map(|key| self.bound.rule(format!("{name}:{attribute}:{key}")))
                            .filter(|r| r.id.is_some()),
                    );
                }
            }
            let project;
            let object = match object {
                Some(object) => object,
                None => {
                    let mut own = Record::new(self.entry(key)?.table.clone());
                    own.set("project_id", self.cx.project_id());
                    project = own;
                    &project
                }
            };
            match self.refuses(&rules, Some(object), None, place.as_ref()).await? {
                Some(refusal) => Err(forbidden(&refusal)),
                None => Ok(proof),
            }
        })
    }

    /// A part of an object that has rules of its own: its tags.
    ///
    /// # Errors
    /// 403; the database's.
    #[inline(never)]
    pub fn facet<'r>(&'r self, verb: &'r str, key: &'r str, facet: &'r str, object: &'r Record) -> Pending<'r, Authorized> {
        Box::pin(async move {
            let rule = self.bound.facet(verb, key, facet);
            match self.refuses(&[rule], Some(object), None, None).await? {
                Some(refusal) => Err(forbidden(&refusal)),
                None => self.proof(verb, key, None).await,
            }
        })
    }

    /// A rule about nothing but a project.
    ///
    /// # Errors
    /// 403; the database's.
    #[inline(never)]
    pub fn project<'r>(&'r self, name: &'r str, project_id: &'r str) -> Pending<'r, ()> {
        Box::pin(async move {
            if self.trusted {
                return Ok(());
            }
            let rule = self.bound.rule(name.to_owned());
            let target = serde_json::Map::from_iter(["project_id", "tenant_id"].map(|key| (key.to_owned(), Value::from(project_id))));
            let mut answers = Vec::new();
            loop {
                let decision = {
                    let question = Question { answers: &answers, ..Question::new(&self.credentials, &target) };
                    self.bound.rules.decide_name(&rule.name, &question)
                };
                match decision {
                    Decision::Allowed => return Ok(()),
                    Decision::NeedsHttp(call) if answers.len() < MAX_ROUNDS => {
                        answers.push(self.engine.policy.remote().ask(call, &target, &self.credentials).await?);
                    }
                    other => {
                        refused(&rule.name, &other);
                        return Err(forbidden(&Refusal::Rule(rule.name)));
                    }
                }
            }
        })
    }

    async fn proof(&self, verb: &str, key: &str, parent: Option<&str>) -> Result<Authorized> {
        let entry = self.entry(key)?;
        self.engine.ensure_parent(self.cx, entry, parent).await?;
        let parent = self.parent_of(key, parent)?;
        let reading = Reading::new(&self.bound, &self.credentials, key, entry, parent, !self.trusted);
        Ok(Authorized::by_policy(verb, key, reading))
    }

    fn entry(&self, key: &str) -> Result<&'a Entry> {
        self.engine.entry(key)
    }

    fn operation(&self, verb: &str, key: &str) -> Result<&Rule> {
        let rules = self.bound.collection(key).ok_or_else(|| Error::internal(format!("no rules are bound to \"{key}\"")))?;
        Ok(rules.operation(verb))
    }

    fn parent_of(&self, key: &str, parent: Option<&str>) -> Result<Option<ParentOf>> {
        let declared = self.entry(key)?.table.resource.parent;
        Ok(declared.zip(parent).map(|(declared, id)| ParentOf { collection: declared.collection.to_owned(), id: id.to_owned() }))
    }

    /// The rule of the operation, and those of the attributes that the body sets.
    fn rules_of(&self, verb: &str, key: &str, body: &Body, update: bool) -> Result<Vec<Rule>> {
        let operation = self.operation(verb, key)?;
        let mut rules = vec![operation.clone()];
        for (at, attribute) in body.table().attributes.iter().enumerate().filter(|(_, a)| a.enforce_policy) {
            let Some(value) = body.at(at) else { continue };
            // A default that a create spells out is no choice of the caller's.
            if !update && attribute.default.value().is_some_and(|default| default == *value) {
                continue;
            }
            let name = format!("{}:{}", operation.name, attribute.name);
            let specs = match attribute.validate {
                Some(Validator::Dict(s) | Validator::DictOrNone(s) | Validator::DictOrEmpty(s) | Validator::DictOrNodata(s)) => s,
                _ => &[],
            };
            let keys = keys_of(value);
            rules.push(self.bound.rule(name.clone()));
            let known = |key: &&str| value.is_array() || specs.iter().any(|spec| spec.key == *key);
            rules.extend(keys.into_iter().filter(known).map(|key| self.bound.rule(format!("{name}:{key}"))));
        }
        Ok(rules)
    }

    /// Only the rule of the operation itself looks at the scope of the token.
    fn decide(&self, rule: &Rule, first: bool, subject: &Subject<'_>, answers: &[(String, bool)]) -> Decision {
        let question = Question { answers, ..Question::new(&self.credentials, subject) };
        match rule.id.or_else(|| self.bound.rules.default_rule()) {
            Some(id) if first => self.bound.rules.decide(id, &question),
            Some(id) => self.bound.rules.decide_unscoped(id, &question),
            None => Decision::Refused,
        }
    }

    /// The first of the rules that does not hold.
    async fn refuses(
        &self,
        rules: &[Rule],
        record: Option<&Record>,
        body: Option<&Body>,
        parent: Option<&ParentOf>,
    ) -> Result<Option<Refusal>> {
        if self.trusted {
            return Ok(None);
        }
        let mut loaded = Loaded::default();
        for (n, rule) in rules.iter().enumerate() {
            let mut decision = Decision::Refused;
            let mut answers = Vec::new();
            for _ in 0..MAX_ROUNDS {
                let (wants, call) = {
                    let subject = Subject { record, body, parent, loaded: &loaded };
                    decision = self.decide(rule, n == 0, &subject, &answers);
                    match &decision {
                        Decision::Needs(need) => (vec![subject.wants(need)], None),
                        Decision::NeedsHttp(call) => (Vec::new(), Some((call.clone(), subject.to_json()))),
                        _ => break,
                    }
                };
                if let Some((call, target)) = call {
                    answers.push(self.engine.policy.remote().ask(call, &target, &self.credentials).await?);
                    continue;
                }
                let missing = loaded.load(self.engine, self.cx, wants).await?;
                // So Neutron: a rule about a parent that is not there is neither kept nor broken.
                if let Some((collection, id)) = missing.into_iter().find(|(_, id)| !id.is_empty()) {
                    return Err(not_found(self.engine, &collection, &id));
                }
            }
            match decision {
                Decision::Allowed => {}
                Decision::WrongScope(scope) => {
                    return Ok(Some(Refusal::Scope(format!("rule:{} is not for a token of scope {scope}", rule.name))));
                }
                other => {
                    refused(&rule.name, &other);
                    return Ok(Some(Refusal::Rule(rule.name.clone())));
                }
            }
        }
        Ok(None)
    }
}

/// An object as Neutron fetches it for the policy of an update: key, what is marked as needed there, and what a request must name or nobody does. Whether the
/// refused caller may know of it is asked of this, so a rule about an attribute that is not fetched does not let it be known.
fn prefetched(original: &Record) -> Record {
    let mut seen = original.clone();
    for (at, attribute) in original.table().attributes.iter().enumerate() {
        let fetched = attribute.primary_key || attribute.required_by_policy || matches!(attribute.default, Default::Required);
        if !fetched {
            seen.set_at(at, Value::Null);
        }
    }
    seen
}

/// The keys of an object, or of the objects in a list; each once.
fn keys_of(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = match value {
        Value::Object(map) => map.keys().map(String::as_str).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_object).flat_map(|map| map.keys().map(String::as_str)).collect(),
        _ => Vec::new(),
    };
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn forbidden(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::Rule(name) => kinds::POLICY_NOT_AUTHORIZED.error(format!("rule:{name} is disallowed by policy.")),
        Refusal::Scope(sentence) => INVALID_SCOPE.error(format!("{sentence}.")),
    }
}
