// SPDX-License-Identifier: Apache-2.0
//! The program `neutron-db-manage`: its command line, its sentences, its exit codes.
//!
//! Owns: which database is meant (as the server decides it, so that both work on the same one) and what is printed. Refuses to
//! own: tables, stamps, judgements (`neutrino-schema`). Exit codes: 0 done or good, 1 refused or failed, 2 a wrong command line.
//! Invariant: only `upgrade` writes; the other commands do not even create the file of an SQLite database.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Command};
use neutrino_db::{Db, DbOptions};
use neutrino_schema::{HEADS, SchemaError, State, TABLES, Upgraded, own};
use oslo_config::Config;

use crate::cli::CommandLine;
use crate::options;
use crate::standalone::{self, Surroundings};

const PROGRAM: &str = "neutron-db-manage";

/// What `upgrade` may be asked for. Neutron's two branches are made in one step, so each of the words means all of it.
const TARGETS: [&str; 2] = ["heads", "head"];

/// What a command came to: done, or the sentence for standard error.
type Outcome = Result<(), String>;

/// The whole program; the program's name is the first argument.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Clap prints help to standard output, errors to standard error; a closed pipe is nobody's loss.
            _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let outcome = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(run(&matches, &Surroundings::of_process(), &mut std::io::stdout())),
        Err(error) => Err(format!("the asynchronous runtime cannot start: {error}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            for line in text.lines() {
                _ = writeln!(std::io::stderr(), "{PROGRAM}: {line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn command() -> Command {
    let path = |name: &'static str, placeholder: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(placeholder).help(help).value_parser(clap::value_parser!(PathBuf)).global(true)
    };
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(help);
    let upgrade = Command::new("upgrade")
        .about("Create the schema in an empty database, or take over one of Neutron's")
        .arg(Arg::new("revision").value_name("REVISION").value_parser(TARGETS).help("How far; only to the heads"))
        .arg(flag("expand", "The same as heads"))
        .arg(flag("contract", "The same as heads"))
        .group(ArgGroup::new("target").args(["revision", "expand", "contract"]).required(true).multiple(true));
    let verbose = flag("verbose", "Also say what the database is").short('v');
    let connection = Arg::new("database-connection").long("database-connection").value_name("URL").global(true);
    let subproject = Arg::new("subproject").long("subproject").value_name("NAME").value_parser(["neutron"]).global(true);
    Command::new(PROGRAM)
        .version(crate::VERSION)
        .about("Creates and checks the database of the OpenStack Networking API server")
        .after_help("Without any configuration file, works on the standalone server's SQLite database.")
        .arg(path("config-file", "PATH", "A configuration file; may be repeated, later ones win").action(ArgAction::Append))
        .arg(path("config-dir", "DIR", "A folder whose *.conf are read, sorted; may be repeated").action(ArgAction::Append))
        .arg(path("state-dir", "DIR", "The standalone server's folder"))
        .arg(connection.help("The database, instead of [database] connection"))
        .arg(subproject.help("neutron: others have no schema of their own here"))
        .subcommand_required(true)
        .subcommand(upgrade)
        .subcommand(Command::new("current").about("Print the revisions that the database is stamped with").arg(verbose))
        .subcommand(Command::new("check").about("Exit with 0 if a server can run on the database, else say why not"))
        .subcommand(Command::new("check-integrity").about("Look for what is half done in the database; exit with 1 if anything is"))
        .subcommand(Command::new("heads").about("Print the revisions that this program works with"))
        .subcommand(Command::new("has_offline_migrations").about("Exit with 1 if servers must be stopped to upgrade"))
}

async fn run(matches: &ArgMatches, surroundings: &Surroundings, out: &mut dyn Write) -> Outcome {
    let (name, arguments) = matches.subcommand().unwrap_or(("heads", matches));
    if name == "heads" {
        return print(out, &HEADS.iter().map(|head| marked(head)).collect::<Vec<_>>().join("\n"));
    }
    let target = Target::find(arguments, surroundings)?;
    match name {
        "upgrade" => upgrade(&target, out).await,
        "current" => current(&target, arguments.get_flag("verbose"), out).await,
        "check" => check(&target, out).await,
        "check-integrity" => check_integrity(&target, &configuration(arguments, surroundings)?, out).await,
        _ => has_offline_migrations(&target, out).await,
    }
}

async fn upgrade(target: &Target, out: &mut dyn Write) -> Outcome {
    if let Some(folder) = &target.folder {
        std::fs::create_dir_all(folder).map_err(|error| format!("the folder {} cannot be made: {error}", folder.display()))?;
    }
    let db = target.open().await?;
    let done = neutrino_schema::upgrade(&db).await;
    db.close().await;
    let heads = HEADS.join(" and ");
    let what = match done.map_err(|error| target.failed(&error))? {
        Upgraded::Created => format!("created {} tables at Neutron's heads {heads}.", TABLES.len() + own::TABLES.len()),
        Upgraded::OwnTablesAdded => format!("already at Neutron's heads {heads}; recorded this server's own version beside them."),
        Upgraded::AlreadyCurrent => format!("already at Neutron's heads {heads}. Nothing to do."),
    };
    print(out, &format!("{}: {what}", target.place))
}

async fn current(target: &Target, verbose: bool, out: &mut dyn Write) -> Outcome {
    let (mut revisions, mut state) = (Vec::new(), State::Empty);
    if target.exists() {
        let db = target.open().await?;
        revisions = neutrino_schema::current(&db).await.map_err(|error| target.failed(&error))?;
        state = neutrino_schema::state(&db).await.map_err(|error| target.failed(&error))?;
        db.close().await;
    }
    let mut lines: Vec<String> = revisions.iter().map(|revision| marked(revision)).collect();
    if verbose {
        let own = match state {
            State::Current { own: Some(version) } => format!(", own tables at version {version}"),
            _ => String::new(),
        };
        lines.insert(0, format!("{}: {}{own}", target.place, state.refusal().unwrap_or_else(|| "good".to_owned())));
    }
    if lines.is_empty() { Ok(()) } else { print(out, &lines.join("\n")) }
}

async fn check(target: &Target, out: &mut dyn Write) -> Outcome {
    if !target.exists() {
        return Err(target.refused(&State::Empty));
    }
    let db = target.open().await?;
    let found = neutrino_schema::check(&db).await;
    db.close().await;
    found.map_err(|error| target.failed(&error))?;
    print(out, &format!("{}: good. All {} tables of Neutron are there, at its heads {}.", target.place, TABLES.len(), HEADS.join(" and ")))
}

/// Prints what violates the invariants of the features that the configuration turns on.
async fn check_integrity(target: &Target, conf: &Config, out: &mut dyn Write) -> Outcome {
    if !target.exists() {
        return Err(target.refused(&State::Empty));
    }
    let registry = crate::assemble::registry(conf)?;
    let db = target.open().await?;
    let checked = match neutrino_schema::check(&db).await {
        Ok(()) => crate::integrity::violations(&db, &registry).await,
        Err(error) => Err(error.to_string()),
    };
    db.close().await;
    let violations = checked.map_err(|error| format!("{}: {error}", target.place))?;
    for violation in &violations {
        print(out, &violation.to_string())?;
    }
    print(
        out,
        &format!("{}: {} of {} invariants are violated.", target.place, violations.len(), crate::integrity::questions(&registry).len()),
    )?;
    if violations.is_empty() { Ok(()) } else { Err("the database is not whole; see above".to_owned()) }
}

async fn has_offline_migrations(target: &Target, out: &mut dyn Write) -> Outcome {
    let mut state = State::Empty;
    if target.exists() {
        let db = target.open().await?;
        state = neutrino_schema::state(&db).await.map_err(|error| target.failed(&error))?;
        db.close().await;
    }
    match state {
        State::Current { .. } => print(out, "No offline migrations pending."),
        other => Err(target.refused(&other)),
    }
}

fn marked(revision: &str) -> String {
    if HEADS.contains(&revision) { format!("{revision} (head)") } else { revision.to_owned() }
}

fn print(out: &mut dyn Write, text: &str) -> Outcome {
    writeln!(out, "{text}").map_err(|error| format!("standard output cannot be written: {error}"))
}

/// The database that is meant.
struct Target {
    url: String,
    /// The same without user, password and parameters, for sentences.
    place: String,
    /// The standalone server's folder, to be made when it is not there.
    folder: Option<PathBuf>,
}

fn plan(matches: &ArgMatches, surroundings: &Surroundings) -> Result<standalone::Plan, String> {
    let line = CommandLine {
        configs: crate::cli::configs(matches),
        state_dir: matches.get_one::<PathBuf>("state-dir").cloned(),
        settings: Vec::new(),
        policy: None,
        openapi: false,
    };
    standalone::plan(&line, "neutron-server", surroundings)
}

/// All options of the configuration that the server would read.
fn configuration(matches: &ArgMatches, surroundings: &Surroundings) -> Result<Config, String> {
    Config::load(&plan(matches, surroundings)?.sources, &options::tables()).map_err(|errors| errors.to_string())
}

impl Target {
    /// `--database-connection`, else `[database] connection` of the configuration that the server would read.
    fn find(matches: &ArgMatches, surroundings: &Surroundings) -> Result<Self, String> {
        let given = matches.get_one::<String>("database-connection").cloned();
        if let Some(url) = given.clone().filter(|_| crate::cli::configs(matches).is_empty()) {
            return Ok(Self::new(url, None));
        }
        let plan = plan(matches, surroundings)?;
        let conf = Config::load(&plan.sources, &[options::PROCESS, options::DATABASE]).map_err(|errors| errors.to_string())?;
        let url = given.unwrap_or_else(|| crate::start::database_url(&conf));
        if url.is_empty() {
            let reason = "must be set, for instance to mysql+pymysql://user:password@host/neutron, or given with --database-connection";
            return Err(conf.refuse::<&str>("database", "connection", "", reason, &[]).to_string());
        }
        Ok(Self::new(url, plan.standalone))
    }

    fn new(url: String, folder: Option<PathBuf>) -> Self {
        let place = sqlite_file(&url).map_or_else(|| without_secrets(&url), |file| file.display().to_string());
        Self { url, place, folder }
    }

    /// False for an SQLite file that is not there: opening it would make it.
    fn exists(&self) -> bool {
        sqlite_file(&self.url).is_none_or(Path::exists)
    }

    async fn open(&self) -> Result<Db, String> {
        let options = DbOptions { max_connections: 2, pool_timeout_ms: 10_000, ..DbOptions::default() };
        let opened = Db::connect(&self.url, &options).await;
        opened.map_err(|error| format!("{}: cannot be opened: {}", self.place, error.log().unwrap_or_else(|| error.message())))
    }

    fn failed(&self, error: &SchemaError) -> String {
        format!("{}: {error}", self.place)
    }

    fn refused(&self, state: &State) -> String {
        format!("{}: {}", self.place, state.refusal().unwrap_or_default())
    }
}

/// The file of an SQLite URL: `sqlite:///relative`, `sqlite:////absolute`.
fn sqlite_file(url: &str) -> Option<&Path> {
    let (scheme, rest) = url.split_once("://")?;
    let file = rest.split('?').next().unwrap_or_default();
    (scheme.split('+').next() == Some("sqlite")).then(|| Path::new(file.strip_prefix('/').unwrap_or(file)))
}

/// `mysql+pymysql://user:secret@host/db?x=y` as `mysql+pymysql://host/db`.
fn without_secrets(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "the database".to_owned() };
    let rest = rest.split('?').next().unwrap_or_default();
    format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oslo_config::SearchRoots;

    struct Machine {
        top: tempfile::TempDir,
        around: Surroundings,
    }

    impl Machine {
        fn new() -> Self {
            let top = tempfile::tempdir().unwrap();
            let roots = SearchRoots { home: Some(top.path().join("home")), etc: top.path().join("etc"), snaps: Vec::new() };
            Self { around: Surroundings { roots, variables: Vec::new() }, top }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.top.path().join(name)
        }

        async fn run(&self, words: &str) -> Result<String, String> {
            let words = words.replace("TOP", &self.top.path().display().to_string());
            let words = std::iter::once(PROGRAM).chain(words.split_whitespace());
            let matches = command().try_get_matches_from(words).map_err(|error| error.to_string())?;
            let mut out = Vec::new();
            run(&matches, &self.around, &mut out).await?;
            Ok(String::from_utf8(out).unwrap())
        }
    }

    #[tokio::test]
    async fn without_configuration_it_works_on_the_standalone_database() {
        let machine = Machine::new();
        let file = machine.path("home/.local/state/neutrino/neutron.sqlite");
        assert_eq!(machine.run("current").await.unwrap(), "");
        assert!(machine.run("check").await.unwrap_err().ends_with("neutron-db-manage upgrade heads"));
        assert!(machine.run("has_offline_migrations").await.is_err());
        assert!(!file.exists(), "only upgrade makes the file");
        assert!(machine.run("upgrade heads").await.unwrap().contains("created 124 tables"));
        assert!(file.exists());
        assert!(machine.run("upgrade head").await.unwrap().ends_with("Nothing to do.\n"));
        assert!(machine.run("upgrade --expand").await.is_ok() && machine.run("upgrade --contract").await.is_ok());
        assert_eq!(machine.run("current").await.unwrap(), "5c85685d616d (head)\nc7f8d9e0f1a2 (head)\n");
        assert!(machine.run("current --verbose").await.unwrap().contains("neutron.sqlite: good, own tables at version 1\n"));
        assert!(machine.run("check").await.unwrap().contains(": good. All 123 tables"));
        assert!(machine.run("has_offline_migrations").await.is_ok());
    }

    #[tokio::test]
    async fn what_is_half_done_is_found() {
        let machine = Machine::new();
        assert!(machine.run("check-integrity").await.unwrap_err().ends_with("neutron-db-manage upgrade heads"));
        machine.run("upgrade heads").await.unwrap();
        let told = machine.run("check-integrity").await.unwrap();
        assert!(told.contains(": 0 of ") && told.lines().count() == 1, "{told}");
        let url = format!("sqlite:///{}", machine.path("home/.local/state/neutrino/neutron.sqlite").display());
        let db = Db::connect(&url, &DbOptions::default()).await.unwrap();
        let mut tx = db.begin().await.unwrap();
        tx.execute_raw("INSERT INTO standardattributes (id, resource_type, revision_number) VALUES (7, 'routers', 0)").await.unwrap();
        tx.commit().await.unwrap();
        let registry = crate::assemble::registry(&configuration(&command().get_matches_from([PROGRAM, "check"]), &machine.around).unwrap());
        let found = crate::integrity::violations(&db, &registry.unwrap()).await.unwrap();
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), ["standard attributes of none of the routers: 1 (7)"]);
        db.close().await;
        assert!(machine.run("check-integrity").await.is_err());
    }

    #[tokio::test]
    async fn the_database_is_that_of_the_file_or_of_the_command_line() {
        let machine = Machine::new();
        let file = machine.path("neutron.conf");
        std::fs::write(&file, format!("[database]\nconnection = sqlite:///{}\n", machine.path("a.sqlite").display())).unwrap();
        machine.run("--config-file TOP/neutron.conf upgrade heads").await.unwrap();
        assert!(machine.path("a.sqlite").exists());
        machine.run("upgrade heads --config-file TOP/neutron.conf --database-connection sqlite:///TOP/b.sqlite").await.unwrap();
        machine.run("--database-connection sqlite:///TOP/c.sqlite upgrade heads").await.unwrap();
        assert!(machine.path("b.sqlite").exists() && machine.path("c.sqlite").exists());
        assert!(!machine.path("home").exists(), "the standalone folder is not made for another database");

        std::fs::write(&file, "[DEFAULT]\n").unwrap();
        let text = machine.run("--config-file TOP/neutron.conf check").await.unwrap_err();
        assert!(text.contains("[database] connection: must be set"), "{text}");
        assert!(machine.run("--config-file TOP/nowhere.conf check").await.unwrap_err().contains("nowhere.conf"));
    }

    #[tokio::test]
    async fn what_is_not_offered_is_refused_with_the_choices() {
        let machine = Machine::new();
        assert!(machine.run("upgrade kilo").await.unwrap_err().contains("heads"));
        assert!(machine.run("upgrade").await.is_err());
        assert!(machine.run("downgrade -1").await.unwrap_err().contains("unrecognized subcommand"));
        assert!(machine.run("--subproject neutron-fwaas heads").await.unwrap_err().contains("neutron"));
        assert_eq!(machine.run("heads").await.unwrap(), "5c85685d616d (head)\nc7f8d9e0f1a2 (head)\n");
        let text = machine.run("--database-connection oracle://u:hunter2@h/db check").await.unwrap_err();
        assert!(text.starts_with("oracle://h/db: cannot be opened") && !text.contains("hunter2"), "{text}");
    }
}
