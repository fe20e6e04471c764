// SPDX-License-Identifier: Apache-2.0
//! `neutron-server policy ...`: what an operator may ask about the rules; and the task that follows the rules' files.
//!
//! Owns: the words of the commands and what they print. Refuses to own: the rules and how they decide. Needs no database.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};
use neutrino_core::{Engine, Policy, policy};
use oslo_config::Config;
use oslo_policy::{Credentials, Listed, Origin, Question};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::assemble;

/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(5);

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyCommand {
    /// The rules in force; only those that files changed.
    List { changed: bool },
    /// Are the files right? And, of a rule, what it decides.
    Check { rule: Option<String>, credentials: String, target: String },
    /// Every default, as comments.
    Sample,
}

/// The commands, for the command line.
pub(crate) fn command() -> Command {
    let list = Command::new("list")
        .about("Print the rules in force")
        .arg(Arg::new("changed").long("changed").action(ArgAction::SetTrue).help("Only those that the policy files changed"));
    let json = |name: &'static str, help: &'static str| Arg::new(name).long(name).value_name("JSON").default_value("{}").help(help);
    let check = Command::new("check")
        .about("Check the policy files; with --rule, say what a rule decides and why")
        .arg(Arg::new("rule").long("rule").value_name("NAME").help("A rule, such as create_network:shared"))
        .arg(json("credentials", "Who asks: {\"roles\": [\"member\"], \"project_id\": \"...\"}"))
        .arg(json("target", "The object: {\"project_id\": \"...\"}"));
    let sample = Command::new("sample").about("Print a policy file with every default as a comment");
    Command::new("policy").about("Look at the rules of who may do what").subcommand_required(true).subcommands([list, check, sample])
}

pub(crate) fn read(matches: &ArgMatches) -> Option<PolicyCommand> {
    let (name, matches) = matches.subcommand()?;
    Some(match name {
        "list" => PolicyCommand::List { changed: matches.get_flag("changed") },
        "check" => {
            let text = |name: &str| matches.get_one::<String>(name).cloned();
            PolicyCommand::Check {
                rule: text("rule"),
                credentials: text("credentials").unwrap_or_default(),
                target: text("target").unwrap_or_default(),
            }
        }
        _ => PolicyCommand::Sample,
    })
}

/// Runs a command; prints to `out`.
///
/// # Errors
/// A sentence for the operator: files that cannot be used, a rule that is not there, text that is no JSON.
pub fn run(conf: &Config, command: &PolicyCommand, out: &mut impl Write) -> Result<ExitCode, String> {
    let printed = |result: std::io::Result<()>| result.map_err(|error| format!("the answer cannot be printed: {error}"));
    if *command == PolicyCommand::Sample {
        printed(out.write_all(oslo_policy::sample(&policy::defaults()).as_bytes()))?;
        return Ok(ExitCode::SUCCESS);
    }
    let registry = assemble::registry(conf)?;
    let (source, options) = policy::from_config(conf)?;
    let bound = Policy::start(&registry, source, options, policy::Remote::from_config(conf)?)?.current();
    match command {
        PolicyCommand::List { changed } => {
            for rule in bound.rules.list().filter(|rule| !changed || !is_default(rule)) {
                printed(writeln!(out, "{}", line(&rule)))?;
            }
        }
        PolicyCommand::Check { rule: Some(name), credentials, target } => {
            let id = bound.rules.find(name).ok_or_else(|| format!("there is no rule \"{name}\""))?;
            let credentials = Credentials::from_json(&object("credentials", credentials)?)?;
            let target = object("target", target)?;
            let question = Question::new(&credentials, &target);
            printed(writeln!(out, "{}", bound.rules.explain(id, &question)))?;
            let allowed = bound.rules.decide(id, &question) == oslo_policy::Decision::Allowed;
            printed(writeln!(out, "{}", if allowed { "allowed" } else { "refused" }))?;
            return Ok(ExitCode::from(u8::from(!allowed)));
        }
        PolicyCommand::Check { .. } => {
            for problem in bound.rules.warnings() {
                printed(writeln!(out, "warning: {problem}"))?;
            }
            for rule in bound.rules.redundant() {
                printed(writeln!(out, "redundant: {} says what the default says", rule.name))?;
            }
            let changed = bound.rules.list().filter(|rule| !is_default(rule)).count();
            printed(writeln!(out, "{} rules are in force, {changed} of them from policy files", bound.rules.list().count()))?;
        }
        PolicyCommand::Sample => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn is_default(rule: &Listed<'_>) -> bool {
    matches!(rule.origin, Origin::Default | Origin::DefaultOrDeprecated)
}

/// The rule as a policy file has it, and where it comes from.
fn line(rule: &Listed<'_>) -> String {
    let (name, check) = (Value::from(rule.name), Value::from(rule.check));
    let place = |file: &std::path::Path, line: Option<usize>| match line {
        Some(line) => format!("{}:{line}", file.display()),
        None => file.display().to_string(),
    };
    match rule.origin {
        Origin::Default => format!("{name}: {check}"),
        Origin::DefaultOrDeprecated => format!("{name}: {check}  # or what its deprecated form allows"),
        Origin::File { file, line } => format!("{name}: {check}  # {}", place(file, *line)),
        Origin::FileByOldName { old, file, line } => format!("{name}: {check}  # {}, as {old}", place(file, *line)),
    }
}

fn object(what: &str, text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(format!("--{what}: {text} is no JSON object")),
        Err(error) => Err(format!("--{what}: {text} is no JSON: {error}")),
    }
}

/// Reads the rules again when their files change. Files that cannot be used leave the rules as they were.
pub(crate) fn reload(engine: &Engine) {
    match engine.policy.reload() {
        Ok(true) => tracing::info!("the policy files have changed and are in force"),
        Ok(false) => {}
        Err(problems) => tracing::error!("the rules stay as they were, because the policy files have faults: {problems}"),
    }
}

/// Follows the files until told to stop.
pub(crate) async fn follow(engine: Arc<Engine>, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(POLL);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {
                let engine = Arc::clone(&engine);
                // It touches the disk.
                let _ = tokio::task::spawn_blocking(move || reload(&engine)).await;
            }
        }
    }
}
