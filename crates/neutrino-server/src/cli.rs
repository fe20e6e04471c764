// SPDX-License-Identifier: Apache-2.0
//! The command line of `neutron-server`, as Neutron's with `--state-dir` added.
//!
//! Owns: flags and their meaning as sources of a configuration. Invariant: `--config-file` and `--config-dir` are read in
//! the order in which they stand.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgAction, ArgMatches, Command};
use oslo_config::Sources;

use crate::policy::{self, PolicyCommand};

const WORKERS_HELP: &str = "One process does it all: api_workers sets the number of threads that serve requests (the number of \
processors if it is not set), rpc_workers the number of tasks that serve agents. Without any configuration file the server runs \
standalone: an SQLite database in the state folder, no authentication, 127.0.0.1 only.";

/// What the command line says.
#[derive(Debug)]
pub struct CommandLine {
    /// `--config-file` (true) and `--config-dir` (false), in order.
    pub configs: Vec<(bool, PathBuf)>,
    pub state_dir: Option<PathBuf>,
    /// `(name, value)` of options of `[DEFAULT]`.
    pub settings: Vec<(&'static str, String)>,
    /// `policy ...`: not to serve, but to answer a question about the rules.
    pub policy: Option<PolicyCommand>,
    /// `openapi`: not to serve, but to print the description of the API.
    pub openapi: bool,
}

fn command(program: &'static str) -> Command {
    let path = |name: &'static str, placeholder: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(placeholder).help(help).value_parser(clap::value_parser!(PathBuf))
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    Command::new(program)
        .version(crate::VERSION)
        .about("The OpenStack Networking API server")
        .after_help(WORKERS_HELP)
        .arg(path("config-file", "PATH", "A configuration file; may be repeated, later ones win").action(ArgAction::Append))
        .arg(path("config-dir", "DIR", "A folder whose *.conf are read, sorted; may be repeated").action(ArgAction::Append))
        .arg(
            path("state-dir", "DIR", "Folder for what the server keeps (state_path); holds the database when standalone")
                .alias("state_path"),
        )
        .arg(path("log-file", "PATH", "File to log to").alias("logfile"))
        .arg(path("log-dir", "DIR", "Folder of the log file").alias("logdir"))
        .arg(Arg::new("log-date-format").long("log-date-format").value_name("FORMAT").help("Form of the time in log lines"))
        .arg(flag("debug", "Log at DEBUG").short('d').overrides_with("nodebug"))
        .arg(flag("nodebug", "Log at INFO").hide(true).overrides_with("debug"))
        .arg(flag("use-json", "Log one JSON object a line"))
        .arg(flag("verbose", "Has no effect: INFO is the rule").short('v').hide(true))
        .subcommand(policy::command())
        .subcommand(Command::new("openapi").about("Print the description of the API that would be served, as OpenAPI 3.1"))
}

/// Reads the arguments, the program's name first.
///
/// # Errors
/// Clap's: also `--help` and `--version`, which are to be printed.
pub fn parse(program: &'static str, arguments: impl IntoIterator<Item = OsString>) -> Result<CommandLine, clap::Error> {
    let matches = command(program).try_get_matches_from(arguments)?;
    let text = |name: &str| matches.get_one::<PathBuf>(name).map(|path| path.to_string_lossy().into_owned());
    let mut settings: Vec<(&'static str, String)> = Vec::new();
    settings.extend(text("log-file").map(|value| ("log_file", value)));
    settings.extend(text("log-dir").map(|value| ("log_dir", value)));
    settings.extend(matches.get_one::<String>("log-date-format").map(|value| ("log_date_format", value.clone())));
    for (flag, name, value) in [("debug", "debug", "true"), ("nodebug", "debug", "false"), ("use-json", "use_json", "true")] {
        if matches.get_flag(flag) {
            settings.push((name, value.to_owned()));
        }
    }
    let state_dir = matches.get_one::<PathBuf>("state-dir").cloned();
    let policy = matches.subcommand_matches("policy").and_then(policy::read);
    let openapi = matches.subcommand_name() == Some("openapi");
    Ok(CommandLine { configs: configs(&matches), state_dir, settings, policy, openapi })
}

pub(crate) fn configs(matches: &ArgMatches) -> Vec<(bool, PathBuf)> {
    let of = |name: &str, is_file: bool| -> Vec<(usize, (bool, PathBuf))> {
        let paths = matches.get_many::<PathBuf>(name).into_iter().flatten();
        let indices = matches.indices_of(name).into_iter().flatten();
        indices.zip(paths).map(|(index, path)| (index, (is_file, path.clone()))).collect()
    };
    let mut all = of("config-file", true);
    all.extend(of("config-dir", false));
    all.sort_by_key(|(index, _)| *index);
    all.into_iter().map(|(_, config)| config).collect()
}

impl CommandLine {
    /// Adds what the command line says to the sources. `~/` at the start of a configuration's path is `home`: a shell does not
    /// expand it in `--config-file=~/x`.
    #[must_use]
    pub fn apply(&self, mut sources: Sources, home: Option<&Path>) -> Sources {
        for (is_file, path) in &self.configs {
            let path = match (path.strip_prefix("~"), home) {
                (Ok(rest), Some(home)) => &home.join(rest),
                _ => path,
            };
            sources = if *is_file { sources.config_file(path) } else { sources.config_dir(path) };
        }
        for (name, value) in &self.settings {
            sources = sources.set("DEFAULT", name, value.clone());
        }
        if let Some(folder) = &self.state_dir {
            sources = sources.set("DEFAULT", "state_path", folder.to_string_lossy().replace('$', "$$"));
        }
        sources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(words: &str) -> Result<CommandLine, clap::Error> {
        parse("neutron-server", std::iter::once("neutron-server").chain(words.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn files_and_folders_keep_their_order() {
        let line = parse_words("--config-file a --config-dir=b --config-file c -d --log-file f").unwrap();
        let paths: Vec<_> = line.configs.iter().map(|(is_file, path)| (*is_file, path.to_str().unwrap())).collect();
        assert_eq!(paths, [(true, "a"), (false, "b"), (true, "c")]);
        assert_eq!(line.settings, [("log_file", "f".to_owned()), ("debug", "true".to_owned())]);
    }

    #[test]
    fn a_tilde_is_the_home_folder() {
        let line = parse_words("--config-file=~/no.conf").unwrap();
        let errors = oslo_config::Config::load(&line.apply(Sources::new(), Some(Path::new("/home/x"))), &[]).unwrap_err();
        assert!(errors.to_string().starts_with("/home/x/no.conf: "), "{errors}");
    }

    #[test]
    fn policy_commands() {
        assert_eq!(parse_words("--config-file a policy list --changed").unwrap().policy, Some(PolicyCommand::List { changed: true }));
        assert_eq!(parse_words("policy sample").unwrap().policy, Some(PolicyCommand::Sample));
        assert_eq!(parse_words("").unwrap().policy, None);
        assert!(parse_words("policy").is_err() && parse_words("policy lst").is_err());
    }

    #[test]
    fn the_version_names_both_programs() {
        let error = parse_words("--version").unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::DisplayVersion);
        assert!(error.to_string().starts_with("neutron-server 29.0.0 (Neutrino "), "{error}");
    }

    #[test]
    fn unknown_flags_are_refused_and_old_ones_are_not() {
        assert!(parse_words("--config-fil x").is_err());
        assert!(parse_words("-v --logfile x --logdir y --nodebug --state_path z").is_ok());
    }
}
