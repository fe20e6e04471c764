// SPDX-License-Identifier: Apache-2.0
//! Which rule is in force: the program's default, its deprecated form beside it, or what an operator's file says.
//!
//! Everything wrong is collected, so that one start shows all of it.

use std::collections::{BTreeSet, HashMap};

use crate::{
    check::Check,
    creds::Scope,
    files::{FileRule, Overrides, RuleText},
    language::Language,
    link,
    nearest::hint,
    parse::{SyntaxError, doubt, parse_lenient, parse_lists},
    problem::{Problem, Problems},
    rules::{DefaultRule, DeprecatedRule, Entry, Options, Origin, Removal, RuleId, Rules},
};

/// A rule before its references are resolved.
#[derive(Debug)]
pub(crate) struct Draft {
    pub name: String,
    pub text: String,
    pub check: Check,
    pub origin: Origin,
    scopes: Vec<Scope>,
    redundant: bool,
}

impl Draft {
    /// A problem that names where the rule was written.
    pub(crate) fn problem(&self, position: Option<usize>, message: String) -> Problem {
        let (file, line) = match &self.origin {
            Origin::File { file, line } | Origin::FileByOldName { file, line, .. } => (Some(file.clone()), *line),
            Origin::Default | Origin::DefaultOrDeprecated => (None, None),
        };
        Problem { file, line, rule: Some(self.name.clone()), position, message }
    }
}

impl Rules {
    /// Compiles the defaults of a program with what its operator's files say.
    ///
    /// # Errors
    /// Every broken rule, every reference to no rule, every circle of references.
    pub fn build(defaults: &[DefaultRule<'_>], overrides: &Overrides, language: &Language, options: &Options) -> Result<Self, Problems> {
        let (problems, warnings, drafts) = (Vec::new(), overrides.warnings.clone(), Vec::new());
        let mut builder = Builder { language, options, overrides, problems, warnings, drafts };
        let written = builder.read_overrides();
        builder.add_defaults(defaults, &written);
        builder.add_overrides(defaults, &written);
        let Builder { drafts, mut problems, mut warnings, .. } = builder;
        let index: HashMap<Box<str>, RuleId> = (0_u32..).zip(&drafts).map(|(at, d)| (Box::from(&*d.name), RuleId(at))).collect();
        let default = index.get(&*options.default_rule).copied();
        let undefined = if options.lenient { &mut warnings } else { &mut problems };
        let linked = link::link(&drafts, &index, default, options.lenient, undefined).unwrap_or_else(|more| {
            problems.extend(more);
            Vec::new()
        });
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let entries = drafts.into_iter().zip(linked).map(|(draft, linked)| Entry {
            name: draft.name.into(),
            text: draft.text.into(),
            check: linked.check,
            scopes: draft.scopes.into(),
            origin: draft.origin,
            redundant: draft.redundant,
            reads: linked.reads.into_iter().collect(),
            needs: linked.needs.into_iter().collect(),
        });
        Ok(Self { entries: entries.collect(), index, default, enforce_scope: options.enforce_scope, warnings })
    }
}

struct Builder<'a> {
    language: &'a Language,
    options: &'a Options,
    overrides: &'a Overrides,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    drafts: Vec<Draft>,
}

type Written<'a> = HashMap<&'a str, (&'a FileRule, Check)>;

fn about(rule: &FileRule, position: Option<usize>, message: String) -> Problem {
    Problem { file: Some(rule.file.clone()), line: rule.line, rule: Some(rule.name.clone()), position, message }
}

impl<'a> Builder<'a> {
    fn read_overrides(&mut self) -> Written<'a> {
        let mut written = Written::new();
        for rule in self.overrides.rules() {
            let (check, errors) = match &rule.text {
                RuleText::Text(text) => parse_lenient(text, self.language),
                RuleText::Lists(lists) => parse_lists(lists, self.language),
            };
            let sink = if self.options.lenient { &mut self.warnings } else { &mut self.problems };
            sink.extend(errors.into_iter().map(|e| about(rule, Some(e.position), e.message)));
            check.walk(&mut |_| {}, &mut |leaf| {
                self.warnings.extend(doubt(leaf, self.language).map(|message| about(rule, None, message)));
            });
            written.insert(&rule.name, (rule, check));
        }
        written
    }

    /// A default is the program's own text: broken, it is refused even when files' rules are taken leniently.
    fn read_default(&mut self, name: &str, text: &str) -> Check {
        let (check, errors) = parse_lenient(text, self.language);
        self.problems.extend(errors.into_iter().map(|SyntaxError { position, message }| Problem {
            rule: Some(name.to_owned()),
            position: Some(position),
            message,
            ..Problem::default()
        }));
        check
    }

    fn add_defaults(&mut self, defaults: &[DefaultRule<'_>], written: &Written<'a>) {
        let mut seen = BTreeSet::new();
        for rule in defaults {
            if !seen.insert(rule.name) {
                let message = "registered twice".to_owned();
                self.problems.push(Problem { rule: Some(rule.name.to_owned()), message, ..Problem::default() });
                continue;
            }
            let own = self.read_default(rule.name, rule.check);
            let before = rule.deprecated.map(|old| (old, self.read_default(old.name, old.check)));
            let (text, check, origin, redundant) = match written.get(rule.name) {
                Some((file, check)) => {
                    self.warn_of_removal(rule, file);
                    let redundant = check.to_string() == own.to_string();
                    let origin = Origin::File { file: file.file.clone(), line: file.line };
                    (file.text.to_string(), check.clone(), origin, redundant)
                }
                None => {
                    let (text, check, origin) = self.in_force(rule, own, before, written);
                    (text, check, origin, false)
                }
            };
            let scopes = rule.scope_types.to_vec();
            self.drafts.push(Draft { name: rule.name.to_owned(), text, check, origin, scopes, redundant });
        }
    }

    fn warn_of_removal(&mut self, rule: &DefaultRule<'_>, file: &FileRule) {
        if let Some(Removal { reason, since }) = rule.removal {
            self.warnings.push(about(file, None, format!("deprecated for removal since {since}. {reason}")));
        }
    }

    /// What holds for a default that no file names: the rule of a file under its old name, the default or its old form, the default.
    fn in_force(
        &mut self,
        rule: &DefaultRule<'_>,
        own: Check,
        before: Option<(DeprecatedRule<'_>, Check)>,
        written: &Written<'a>,
    ) -> (String, Check, Origin) {
        let Some((old, old_check)) = before else { return (rule.check.to_owned(), own, Origin::Default) };
        if let Some((file, check)) = written.get(old.name).filter(|_| old.name != rule.name) {
            let message = format!("deprecated since {}, the rule is called \"{}\" now. {}", old.since, rule.name, old.reason);
            self.warnings.push(about(file, None, message));
            let text = check.to_string();
            if text != old_check.to_string() && text != format!("rule:{}", rule.name) {
                let origin = Origin::FileByOldName { old: old.name.to_owned(), file: file.file.clone(), line: file.line };
                return (file.text.to_string(), check.clone(), origin);
            }
        }
        if self.options.enforce_new_defaults || old.check == rule.check {
            return (rule.check.to_owned(), own, Origin::Default);
        }
        let either = Check::Or(vec![own, old_check]);
        (either.to_string(), either, Origin::DefaultOrDeprecated)
    }

    /// The rules that only files have. A name that nothing refers to is probably a slip.
    fn add_overrides(&mut self, defaults: &[DefaultRule<'_>], written: &Written<'a>) {
        let own: BTreeSet<&str> = defaults.iter().map(|d| d.name).collect();
        let mut expected: BTreeSet<Box<str>> = defaults.iter().filter_map(|d| d.deprecated).map(|old| Box::from(old.name)).collect();
        expected.insert(Box::from(&*self.options.default_rule));
        for (_, check) in written.values() {
            check.walk(&mut |name| expected.extend([name.clone()]), &mut |_| {});
        }
        for rule in self.overrides.rules().filter(|rule| !own.contains(&*rule.name)) {
            let Some((_, check)) = written.get(&*rule.name) else { continue };
            if !expected.contains(&*rule.name) {
                let message = format!("nothing asks for a rule of this name{}", hint(&rule.name, own.iter().copied()));
                self.warnings.push(about(rule, None, message));
            }
            self.drafts.push(Draft {
                name: rule.name.clone(),
                text: rule.text.to_string(),
                check: check.clone(),
                origin: Origin::File { file: rule.file.clone(), line: rule.line },
                scopes: Vec::new(),
                redundant: false,
            });
        }
    }
}
