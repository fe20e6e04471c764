// SPDX-License-Identifier: Apache-2.0
//! The language as a whole: files on disk, the order of sources, references, errors, reloads.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};

use oslo_config::{Change, Config, ConfigErrors, Opt, Origin, Problem, Sources, Value};

static OPTIONS: &[Opt] = &[
    Opt::str("DEFAULT", "a"),
    Opt::str("DEFAULT", "b").default("$a-b"),
    Opt::bool("DEFAULT", "debug").default("false").mutable(),
    Opt::str("DEFAULT", "log-file").deprecated(&[("DEFAULT", "logfile")]),
    Opt::port("DEFAULT", "bind_port").default("9696"),
    Opt::list("DEFAULT", "plugins").default("x,y"),
    Opt::multi("DEFAULT", "provider").default("d"),
    Opt::str("db", "connection").secret(),
    Opt::str("db", "password").default("p").secret(),
    Opt::str("ml2", "overlay_ip_version").default("4").choices(&["4", "6"]),
    Opt::list("ml2", "project_network_types").default("local").deprecated(&[("ml2", "tenant_network_types")]),
    Opt::dict("ml2", "mtus"),
    Opt::int("ml2", "mtu").min(0).max(9000).default("0"),
    Opt::str("ml2", "old").removal("nobody needs it"),
];

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn load(text: &str) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    Config::load(&Sources::new().config_file(write(folder.path(), "x.conf", text)), &[OPTIONS])
}

fn sentence(text: &str) -> String {
    load(text).unwrap_err().to_string().split_once("x.conf").unwrap().1.to_owned()
}

#[test]
fn values_by_type() {
    let conf =
        load("[default]\na = ignored\n[DEFAULT]\nlog_file = f\nplugins = p, q\nprovider = 1\nprovider = 2\n[ML2]\nmtus = a:1,b:2\nmtu=\n")
            .unwrap();
    assert_eq!(conf.str("DEFAULT", "a"), None);
    assert_eq!(conf.text("DEFAULT", "b"), "-b");
    assert_eq!(conf.text("DEFAULT", "log_file"), "f");
    assert_eq!(conf.text("DEFAULT", "log-file"), "f");
    assert_eq!(conf.int("DEFAULT", "bind_port"), 9696);
    assert_eq!(conf.list("DEFAULT", "plugins"), ["p", "q"]);
    assert_eq!(conf.multi("DEFAULT", "provider"), ["1", "2"]);
    assert_eq!(conf.dict("ml2", "mtus"), [("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())]);
    assert_eq!(conf.opt_int("ml2", "mtu"), None);
    assert_eq!(conf.value("DEFAULT", "debug"), Value::Bool(false));
    let (file, line) = conf.location("DEFAULT", "plugins").unwrap();
    assert_eq!((file.file_name().unwrap().to_str(), line), (Some("x.conf"), 5));
    assert_eq!(conf.location("DEFAULT", "bind_port"), None);
}

#[test]
fn later_files_and_folders_win_and_multi_values_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let one = write(folder.path(), "one.conf", "[DEFAULT]\na=1\nb=1\nprovider=1\n[db]\nconnection=1\n");
    let two = write(folder.path(), "two.conf", "[DEFAULT]\na=2\na=3\nprovider=2\n");
    std::fs::create_dir(folder.path().join("d")).unwrap();
    write(&folder.path().join("d"), "20.conf", "[DEFAULT]\nb=20\nprovider=20\n");
    write(&folder.path().join("d"), "10.conf", "[DEFAULT]\nb=10\nprovider=10\n");
    write(&folder.path().join("d"), "30.txt", "nonsense");
    let sources = Sources::new().config_file(&one).config_file(&two).config_dir(folder.path().join("d"));
    let conf = Config::load(&sources, &[OPTIONS]).unwrap();
    assert_eq!((conf.text("DEFAULT", "a"), conf.text("DEFAULT", "b")), ("3".to_owned(), "20".to_owned()));
    assert_eq!(conf.multi("DEFAULT", "provider"), ["1", "2", "10", "20"]);
    assert_eq!(conf.files().len(), 4);

    let variables = [("OS_DEFAULT__A", "env"), ("OS_DB__CONNECTION", "env"), ("OS_DEFAULT__B", "env")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let conf = Config::load(&sources.environment(variables.into_iter()).set("DEFAULT", "a", "cli"), &[OPTIONS]).unwrap();
    assert_eq!(
        (conf.text("DEFAULT", "a"), conf.text("DEFAULT", "b"), conf.text("db", "connection")),
        ("cli".into(), "env".into(), "env".into())
    );
    assert_eq!(conf.origin("DEFAULT", "a"), Origin::CommandLine);
    assert_eq!(conf.origin("db", "connection"), Origin::Environment("OS_DB__CONNECTION".to_owned()));
}

#[test]
fn default_files_are_read_only_when_none_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let default = write(folder.path(), "neutron.conf", "[DEFAULT]\na=default\n");
    let named = write(folder.path(), "named.conf", "[DEFAULT]\nb=named\n");
    let sources = Sources::new().default_files(vec![default]).default_dirs(vec![folder.path().join("absent.d")]);
    assert_eq!(Config::load(&sources, &[OPTIONS]).unwrap().text("DEFAULT", "a"), "default");
    assert_eq!(Config::load(&sources.config_file(named), &[OPTIONS]).unwrap().str("DEFAULT", "a"), None);
}

#[test]
fn a_preset_counts_when_nobody_else_sets_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let file = write(folder.path(), "x.conf", "[DEFAULT]\na = file\n");
    let sources = Sources::new().config_file(file).preset("DEFAULT", "a", "preset").preset("DEFAULT", "b", "$a!");
    let conf = Config::load(&sources, &[OPTIONS]).unwrap();
    assert_eq!((conf.text("DEFAULT", "a"), conf.text("DEFAULT", "b")), ("file".to_owned(), "file!".to_owned()));
    assert_eq!(conf.origin("DEFAULT", "b"), Origin::Override);
}

#[test]
fn references() {
    let conf =
        load("[DEFAULT]\na = $bind_port ${ml2.mtu} $debug $plugins $$x \\$y\n[db]\nconnection = $password@$a\npassword = q\n").unwrap();
    assert_eq!(conf.text("DEFAULT", "a"), "9696 0 False x,y $x $y");
    assert_eq!(conf.text("DEFAULT", "b"), "9696 0 False x,y $x $y-b");
    assert_eq!(conf.text("db", "connection"), "q@9696 0 False x,y $x $y");
    assert_eq!(
        sentence("[DEFAULT]\n\na = x$nope\n"),
        ":3: [DEFAULT] a = x$nope: $nope refers to an option that does not exist; write $$ for a dollar sign"
    );
    assert!(sentence("[DEFAULT]\na = $db.nope\n").contains("$db.nope refers"));
    assert_eq!(sentence("[DEFAULT]\na = $b\n"), ":2: [DEFAULT] b = $a-b: $a leads back to this option");
}

#[test]
fn a_fault_behind_a_reference_is_reported_once() {
    let errors = load("[DEFAULT]\nbind_port = many\na = $bind_port\n").unwrap_err();
    assert_eq!(errors.0.len(), 1, "{errors}");
}

#[test]
fn faults_name_file_line_value_and_choices() {
    assert_eq!(sentence("[DEFAULT]\nbind_port = 99999\n"), ":2: [DEFAULT] bind_port = 99999: must be between 0 and 65535");
    assert_eq!(
        sentence("[ml2]\noverlay_ip_version = 44\n"),
        ":2: [ml2] overlay_ip_version = 44: not one of the known values (known: 4, 6)"
    );
    assert!(sentence("[DEFAULT]\nfoo\n").starts_with(":2: expected"));
    let errors = load("[DEFAULT]\nbind_port = x\ndebug = maybe\n[ml2]\nmtu = -1\n").unwrap_err();
    assert_eq!(errors.0.iter().filter(|error| error.problem == Problem::BadValue).count(), 3);
}

#[test]
fn missing_and_unreadable_files_are_faults() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Sources::new().config_file(folder.path().join("no.conf")).config_dir(folder.path().join("no.d"));
    let errors = Config::load(&missing, &[OPTIONS]).unwrap_err();
    assert_eq!(errors.0.iter().map(|error| error.problem).collect::<Vec<_>>(), [Problem::FileMissing; 2]);
    std::fs::write(folder.path().join("bad.conf"), b"[DEFAULT]\na=\xff\n").unwrap();
    let errors = Config::load(&Sources::new().config_file(folder.path().join("bad.conf")), &[OPTIONS]).unwrap_err();
    assert!(errors.to_string().ends_with("bad.conf:2: the line is not UTF-8"), "{errors}");
}

#[test]
fn a_secret_is_never_shown() {
    let text = "[db]\nconnection = mysql://u:hunter2$w@h/d\n";
    let errors = load(text).unwrap_err();
    assert!(!errors.to_string().contains("hunter2"), "{errors}");
    let conf = load("[db]\nconnection = hunter2\n").unwrap();
    assert!(!format!("{conf:?} {:?}", conf.dump()).contains("hunter2"));
    assert!(!conf.refuse("db", "connection", "hunter2", "no", &["x"]).to_string().contains("hunter2"));
}

#[test]
fn old_names_and_unknown_names() {
    let conf = load("[DEFAULT]\nlogfile = f\nbind_prot = 1\n[ml2]\ntenant_network_types = vlan\nold = 1\n[elsewhere]\nx = 1\n").unwrap();
    assert_eq!(conf.text("DEFAULT", "log_file"), "f");
    assert_eq!(conf.list("ml2", "project_network_types"), ["vlan"]);
    assert_eq!(conf.warnings().len(), 3, "{:?}", conf.warnings());
    let unused: Vec<_> = conf.unused().iter().map(|u| (u.group.as_str(), u.name.as_str(), u.location.line)).collect();
    assert_eq!(unused, [("DEFAULT", "bind_prot", 3), ("elsewhere", "x", 8)]);
    let conf = load("[ml2]\nproject_network_types = new\ntenant_network_types = old\n").unwrap();
    assert_eq!(conf.list("ml2", "project_network_types"), ["new"]);
}

#[test]
fn a_loader_can_say_where_a_bad_name_stands() {
    let conf = load("[DEFAULT]\nplugins = ml2,\n  rooter\n").unwrap();
    let error = conf.refuse("DEFAULT", "plugins", "rooter", "no such plugin", &["ml2", "router"]);
    assert!(
        error.to_string().ends_with("x.conf:2: [DEFAULT] plugins = rooter: no such plugin (known: ml2, router); did you mean 'router'?"),
        "{error}"
    );
}

#[test]
fn tests_override_values() {
    let conf = Config::for_test(&[OPTIONS], &[("DEFAULT", "a", "x"), ("DEFAULT", "provider", "1"), ("DEFAULT", "provider", "2")]).unwrap();
    assert_eq!((conf.text("DEFAULT", "b"), conf.multi("DEFAULT", "provider")), ("x-b".to_owned(), vec!["1".to_owned(), "2".to_owned()]));
    assert_eq!(conf.origin("DEFAULT", "a"), Origin::Override);
    assert!(Config::for_test(&[OPTIONS], &[("DEFAULT", "nope", "x")]).is_err());
    assert!(Config::for_test(&[OPTIONS], &[("DEFAULT", "bind_port", "x")]).is_err());
}

#[test]
fn tables_may_agree_but_not_differ() {
    static SAME: &[Opt] = &[Opt::str("DEFAULT", "a").help("elsewhere")];
    static OTHER: &[Opt] = &[Opt::str("DEFAULT", "a").default("x")];
    static REQUIRED: &[Opt] = &[Opt::str("DEFAULT", "must").required()];
    assert!(Config::for_test(&[OPTIONS, SAME], &[]).is_ok());
    assert_eq!(Config::for_test(&[OPTIONS, OTHER], &[]).unwrap_err().0[0].problem, Problem::Declaration);
    assert_eq!(Config::for_test(&[REQUIRED], &[]).unwrap_err().0[0].problem, Problem::Missing);
}

#[test]
fn a_reload_changes_mutable_options_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "x.conf", "[DEFAULT]\na=1\n");
    let conf = Config::load(&Sources::new().config_file(&path), &[OPTIONS]).unwrap();
    let clone = conf.clone();
    std::fs::write(&path, "[DEFAULT]\na=2\ndebug=on\n").unwrap();
    let change = |name: &str, applied| Change { group: "DEFAULT".to_owned(), name: name.to_owned(), applied };
    assert_eq!(conf.reload().unwrap(), [change("a", false), change("b", false), change("debug", true)]);
    assert_eq!((clone.text("DEFAULT", "a"), clone.bool("DEFAULT", "debug")), ("1".to_owned(), true));
    std::fs::write(&path, "[DEFAULT]\ndebug=perhaps\n").unwrap();
    assert!(conf.reload().is_err());
    assert!(clone.bool("DEFAULT", "debug"));
}

#[test]
fn files_beside_the_configuration_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "x.conf", "");
    let paste = write(folder.path(), "api-paste.ini", "");
    let conf = Config::load(&Sources::new().config_file(&path), &[OPTIONS]).unwrap();
    assert_eq!(conf.find_file("api-paste.ini"), Some(paste.clone()));
    assert_eq!(conf.find_file(paste.to_str().unwrap()), Some(paste));
    assert_eq!(conf.find_file("nope.ini"), None);
}
