// SPDX-License-Identifier: Apache-2.0
//! What a caller may see: which rows, and which attributes of them.

use std::{collections::HashMap, sync::Arc};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use neutrino_db::Pending;
use neutrino_model::Record;
use oslo_policy::{Credentials, Decision, EVERYTHING, Question, RuleId};

use super::{
    Bound,
    remote::AT_ONCE,
    subject::{Loaded, ParentOf, Subject, Want},
};
use crate::{Context, Engine, registry::Entry};

/// How often a decision may ask for something to be loaded before it counts as a refusal.
pub(crate) const MAX_ROUNDS: usize = 8;

/// What a rule says before any object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foreseen {
    Yes,
    No,
    Ask(RuleId),
}

/// See the module's documentation. Decided once for each request.
#[derive(Debug)]
pub(crate) struct Reading {
    bound: Arc<Bound>,
    credentials: Credentials,
    parent: Option<ParentOf>,
    rows: Foreseen,
    /// By attribute index.
    attributes: Vec<Foreseen>,
}

impl Reading {
    /// `None` when the caller sees everything.
    pub fn new(bound: &Arc<Bound>, credentials: &Credentials, key: &str, entry: &Entry, parent: Option<ParentOf>, judged: bool) -> Self {
        let foresee = |id: RuleId| match bound.rules.by_credentials(id, credentials) {
            Some(true) => Foreseen::Yes,
            Some(false) => Foreseen::No,
            None => Foreseen::Ask(id),
        };
        let collection = bound.collection(key);
        let default = || bound.rules.default_rule();
        let rows = match collection.and_then(|c| c.operation("get").id).or_else(default) {
            _ if !judged => Foreseen::Yes,
            Some(id) => foresee(id),
            None => Foreseen::No,
        };
        let shows = |at: usize| collection.and_then(|c| c.shows.get(at).copied().flatten());
        let attributes = (0..entry.table.attributes.len()).map(|at| shows(at).filter(|_| judged).map_or(Foreseen::Yes, foresee)).collect();
        Self { bound: bound.clone(), credentials: credentials.clone(), parent, rows, attributes }
    }

    /// Attributes that must be fetched because rules look at them; by index.
    pub fn mark(&self, entry: &Entry, wanted: &mut [bool]) {
        let rules = &self.bound.rules;
        let asked = self.attributes.iter().enumerate().filter(|(at, _)| wanted.get(*at) == Some(&true)).map(|(_, f)| *f);
        let asked: Vec<Foreseen> = asked.chain([self.rows]).collect();
        for foreseen in asked {
            let Foreseen::Ask(id) = foreseen else { continue };
            for name in rules.reads(id) {
                if **name == *EVERYTHING {
                    wanted.fill(true);
                }
                if let Some(at) = entry.table.find(name) {
                    wanted[at] = true;
                }
            }
        }
    }

    /// The rows that the caller may see, in order.
    #[inline(never)]
    pub fn admit<'a>(&'a self, engine: &'a Engine, cx: &'a Context, rows: Vec<Record>) -> Pending<'a, Vec<Record>> {
        Box::pin(async move {
            let id = match self.rows {
                Foreseen::Yes => return Ok(rows),
                Foreseen::No => return Ok(Vec::new()),
                Foreseen::Ask(id) => id,
            };
            let mut groups: HashMap<String, usize> = HashMap::new();
            let mut examples: Vec<usize> = Vec::new();
            let mut group_of = Vec::with_capacity(rows.len());
            let reads = self.bound.rules.reads(id);
            for (n, row) in rows.iter().enumerate() {
                let mut key = String::with_capacity(96);
                for name in reads {
                    if **name == *EVERYTHING {
                        key.push_str(&n.to_string());
                        continue;
                    }
                    match row.get(name).as_str() {
                        Some(text) => key.push_str(text),
                        None => key.push_str(&row.get(name).to_string()),
                    }
                    key.push('\u{1f}');
                }
                group_of.push(*groups.entry(key).or_insert_with(|| {
                    examples.push(n);
                    examples.len() - 1
                }));
            }
            let verdicts = self.decide(engine, cx, id, &examples.iter().map(|n| &rows[*n]).collect::<Vec<_>>()).await?;
            Ok(rows.into_iter().zip(group_of).filter(|(_, group)| verdicts[*group]).map(|(row, _)| row).collect())
        })
    }

    /// By attribute index: is it left out of the answer? As in Neutron, the first row decides for all.
    #[inline(never)]
    pub fn hidden<'a>(&'a self, engine: &'a Engine, cx: &'a Context, first: Option<&'a Record>) -> Pending<'a, Vec<bool>> {
        Box::pin(async move {
            let mut hidden: Vec<bool> = self.attributes.iter().map(|f| *f == Foreseen::No).collect();
            let Some(first) = first else { return Ok(hidden) };
            for (at, foreseen) in self.attributes.iter().enumerate() {
                if let Foreseen::Ask(id) = foreseen {
                    hidden[at] = !self.decide(engine, cx, *id, &[first]).await?.first().copied().unwrap_or(false);
                }
            }
            Ok(hidden)
        })
    }

    /// One rule for many objects. What it asks for is loaded for all of them together.
    #[inline(never)]
    fn decide<'a>(&'a self, engine: &'a Engine, cx: &'a Context, id: RuleId, records: &'a [&'a Record]) -> Pending<'a, Vec<bool>> {
        Box::pin(async move {
            let mut loaded = Loaded::default();
            let mut verdicts: Vec<Option<bool>> = vec![None; records.len()];
            let mut answers: HashMap<usize, Vec<(String, bool)>> = HashMap::new();
            for _ in 0..MAX_ROUNDS {
                let mut wants: Vec<Want> = Vec::new();
                let mut calls = Vec::new();
                for (n, (record, verdict)) in records.iter().zip(&mut verdicts).enumerate().filter(|(_, (_, verdict))| verdict.is_none()) {
                    let subject = Subject { record: Some(record), body: None, parent: self.parent.as_ref(), loaded: &loaded };
                    let answers = answers.get(&n).map_or(&[][..], Vec::as_slice);
                    // The parents of stored objects are there: keys of the database see to it.
                    let question = Question { answers, looks_ahead: true, ..Question::new(&self.credentials, &subject) };
                    match self.bound.rules.decide(id, &question) {
                        Decision::Allowed => *verdict = Some(true),
                        Decision::Needs(need) => wants.push(subject.wants(&need)),
                        Decision::NeedsHttp(call) => calls.push((n, call, subject.to_json())),
                        other => {
                            refused(self.bound.rules.name(id), &other);
                            *verdict = Some(false);
                        }
                    }
                }
                if wants.is_empty() && calls.is_empty() {
                    break;
                }
                loaded.load(engine, cx, wants).await?;
                let asked = calls.into_iter().map(|(n, call, target)| async move {
                    engine.policy.remote().ask(call, &target, &self.credentials).await.map(|answer| (n, answer))
                });
                let heard: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await?;
                for (n, answer) in heard {
                    answers.entry(n).or_default().push(answer);
                }
            }
            Ok(verdicts.into_iter().map(|verdict| verdict.unwrap_or(false)).collect())
        })
    }
}

/// Says in the log why a rule that could not be evaluated counts as a refusal.
pub(crate) fn refused(rule: &str, decision: &Decision) {
    match decision {
        Decision::Failed(reason) => tracing::debug!("rule {rule}: {reason}"),
        Decision::NeedsHttp(call) => tracing::error!("rule {rule} asks too many remote servers, the last of them {}", call.url),
        _ => {}
    }
}
