// SPDX-License-Identifier: Apache-2.0
//! From names to indexes: every reference is resolved, circles are found, and what a rule may cost is bounded.
//!
//! Works through the rules in the order of their references without recursion, since a file may chain as many rules as it likes.

use std::collections::{BTreeSet, HashMap};

use crate::{
    build::Draft,
    check::{Check, Leaf, Test},
    eval::Need,
    nearest::hint,
    parse::MAX_NESTING,
    problem::Problem,
    rules::{EVERYTHING, RuleId},
};

/// How deep a rule may nest with everything it refers to.
const MAX_DEPTH: usize = 8 * MAX_NESTING;
/// How many checks one decision may evaluate.
const MAX_WORK: usize = 100_000;

#[derive(Debug)]
pub(crate) struct Linked {
    pub check: Check<RuleId>,
    pub reads: BTreeSet<Box<str>>,
    pub needs: BTreeSet<Need>,
}

/// References to no rule go to `undefined`; read leniently they mean the default rule, else (or without one) a check that fails.
pub(crate) fn link(
    drafts: &[Draft],
    index: &HashMap<Box<str>, RuleId>,
    default: Option<RuleId>,
    lenient: bool,
    undefined: &mut Vec<Problem>,
) -> Result<Vec<Linked>, Vec<Problem>> {
    let mut resolve = |draft: &Draft, name: &str| {
        let id = index.get(name).copied().or_else(|| {
            undefined.push(draft.problem(position(&draft.text, name), missing(name, drafts, default)));
            default.filter(|_| lenient)
        });
        id.map_or(Check::Never, Check::Rule)
    };
    let checks: Vec<Check<RuleId>> = drafts.iter().map(|draft| draft.check.map(&mut |name| resolve(draft, name))).collect();
    let parts = checks.iter().map(|check| {
        let (mut refers, mut leaves) = (Vec::new(), Vec::new());
        check.walk(&mut |id: &RuleId| refers.push(id.at()), &mut |leaf| leaves.push(leaf));
        (refers, leaves)
    });
    let (refers, leaves): (Vec<Vec<usize>>, Vec<Vec<&Leaf>>) = parts.unzip();
    let order = order(&refers).map_err(|stuck| circles(drafts, &refers, &stuck))?;
    let mut costs = vec![Cost::default(); drafts.len()];
    let mut seen: Vec<(BTreeSet<Box<str>>, BTreeSet<Need>)> = vec![Default::default(); drafts.len()];
    let mut problems = Vec::new();
    for at in order {
        costs[at] = Cost::of(&checks[at], &costs);
        if let Some(message) = costs[at].complaint() {
            problems.push(drafts[at].problem(None, message));
            costs[at] = Cost::default();
        }
        let (mut reads, mut needs) = (BTreeSet::new(), BTreeSet::new());
        for leaf in &leaves[at] {
            look(leaf, &mut reads, &mut needs);
        }
        for to in &refers[at] {
            reads.extend(seen[*to].0.iter().cloned());
            needs.extend(seen[*to].1.iter().cloned());
        }
        seen[at] = (reads, needs);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(checks.into_iter().zip(seen).map(|(check, (reads, needs))| Linked { check, reads, needs }).collect())
}

fn missing(name: &str, drafts: &[Draft], default: Option<RuleId>) -> String {
    let hint = hint(name, drafts.iter().map(|d| &*d.name));
    let instead = default.and_then(|id| drafts.get(id.at())).map(|d| format!(" (oslo.policy would take \"{}\")", d.name));
    format!("refers to rule:{name}, which does not exist{}{hint}", instead.unwrap_or_default())
}

/// Where in the text the reference stands, in characters from 1.
fn position(text: &str, name: &str) -> Option<usize> {
    let wanted = format!("rule:{name}");
    let ends = |at: usize| text[at + wanted.len()..].chars().next().is_none_or(|c| c == ')' || c.is_whitespace());
    let at = text.match_indices(&wanted).map(|(at, _)| at).find(|at| ends(*at))?;
    Some(text[..at].chars().count() + 1)
}

fn look(leaf: &Leaf, reads: &mut BTreeSet<Box<str>>, needs: &mut BTreeSet<Need>) {
    match &leaf.test {
        Test::Role(template) | Test::Compare { with: template, .. } => template.reads(reads),
        // The remote server is sent the whole target.
        Test::Http(_) => {
            reads.insert(EVERYTHING.into());
        }
        Test::Broken => {}
        Test::Custom(custom) => {
            reads.extend(custom.reads());
            needs.extend(custom.needs());
        }
    }
}

/// The rules, those referred to before those that refer; or which of them cannot be ordered.
fn order(refers: &[Vec<usize>]) -> Result<Vec<usize>, Vec<bool>> {
    let mut referrers = vec![Vec::new(); refers.len()];
    let mut open: Vec<usize> = refers.iter().map(Vec::len).collect();
    for (from, list) in refers.iter().enumerate() {
        for to in list {
            referrers[*to].push(from);
        }
    }
    let mut order: Vec<usize> = (0..refers.len()).filter(|at| open[*at] == 0).collect();
    let mut next = 0;
    while let Some(at) = order.get(next).copied() {
        next += 1;
        for from in &referrers[at] {
            open[*from] -= 1;
            if open[*from] == 0 {
                order.push(*from);
            }
        }
    }
    if order.len() == refers.len() { Ok(order) } else { Err(open.iter().map(|left| *left > 0).collect()) }
}

/// One problem per circle. Every stuck rule refers to a stuck rule, so walking along them comes round.
fn circles(drafts: &[Draft], refers: &[Vec<usize>], stuck: &[bool]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut told = vec![false; drafts.len()];
    for start in (0..drafts.len()).filter(|at| stuck[*at]) {
        let (mut path, mut place, mut at) = (Vec::new(), HashMap::new(), start);
        while !told[at] && !place.contains_key(&at) {
            place.insert(at, path.len());
            path.push(at);
            let Some(next) = refers[at].iter().copied().find(|to| stuck[*to]) else { break };
            at = next;
        }
        if let Some(begin) = place.get(&at).filter(|_| !told[at]) {
            let names: Vec<&str> = path[*begin..].iter().chain([&at]).map(|i| &*drafts[*i].name).take(12).collect();
            problems.push(drafts[at].problem(None, format!("refers to itself: {}", names.join(" -> "))));
        }
        for at in path {
            told[at] = true;
        }
    }
    problems
}

#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    depth: usize,
    work: usize,
}

impl Cost {
    fn of(check: &Check<RuleId>, known: &[Cost]) -> Cost {
        let inner = match check {
            Check::Always | Check::Never | Check::Leaf(_) => Cost::default(),
            Check::Rule(id) => known.get(id.at()).copied().unwrap_or_default(),
            Check::Not(part) => Cost::of(part, known),
            Check::And(parts) | Check::Or(parts) => parts.iter().fold(Cost::default(), |sum, part| {
                let part = Cost::of(part, known);
                Cost { depth: sum.depth.max(part.depth), work: sum.work.saturating_add(part.work) }
            }),
        };
        Cost { depth: inner.depth + 1, work: inner.work.saturating_add(1) }
    }

    fn complaint(self) -> Option<String> {
        if self.depth > MAX_DEPTH {
            return Some(format!("nests deeper than {MAX_DEPTH} with the rules it refers to"));
        }
        (self.work > MAX_WORK).then(|| format!("takes more than {MAX_WORK} checks with the rules it refers to"))
    }
}
