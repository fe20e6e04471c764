// SPDX-License-Identifier: Apache-2.0
//! What an operator writes, and what is said about it: files, directories, reading again, the sample, remote checks, bounds.
#![expect(clippy::unwrap_used, reason = "a test's own data")]

use std::{fs, path::Path, sync::Arc};

use oslo_policy::{
    Credentials, Decision, DefaultRule, HttpCall, Language, Live, Operation, Options, Origin, Overrides, Owner, Parent, Problems, Question,
    Rules, Scope, Source, sample,
};
use proptest::prelude::*;
use serde_json::json;

const DEFAULTS: [DefaultRule<'static>; 6] = [
    DefaultRule::new("admin_only", "role:admin"),
    DefaultRule::new("owner", "project_id:%(project_id)s"),
    DefaultRule::new("default", "rule:admin_only or rule:owner"),
    DefaultRule::new("get_thing", "rule:admin_only or role:reader and rule:owner")
        .scopes(&[Scope::Project])
        .described("Show a thing,\nor all \"things\".", &[Operation::new("GET", "/things"), Operation::new("GET", "/things/{id}")])
        .replaces("get_thing", "rule:default", "Roles are finer now.", "X"),
    DefaultRule::new("tag_thing", "role:member").replaces("tag_things", "role:member", "Called by its resource.", "Y"),
    DefaultRule::new("drop_thing", "rule:admin_only").goes("Nobody drops.", "Z"),
];

fn build_with(text: &str, language: &Language, options: &Options) -> Result<Rules, Problems> {
    Rules::build(&DEFAULTS, &Overrides::from_text(text, Path::new("p.yaml"))?, language, options)
}

fn build(text: &str) -> Result<Rules, Problems> {
    build_with(text, &Language::new(), &Options::default())
}

fn problems(text: &str) -> Vec<String> {
    build(text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

fn warnings(text: &str) -> Vec<String> {
    build(text).unwrap().warnings().iter().map(ToString::to_string).collect()
}

fn check<'a>(rules: &'a Rules, name: &str) -> &'a str {
    rules.list().find(|r| r.name == name).unwrap().check
}

fn decide(rules: &Rules, name: &str, roles: &[&str]) -> Decision {
    let creds = Credentials { roles: roles.iter().map(|r| (*r).to_owned()).collect(), ..Credentials::default() };
    rules.decide_name(name, &Question::new(&creds, &json!({"project_id": "p1"})))
}

#[test]
fn yaml_as_operators_write_it() {
    let text = "# first\n---\n\"get_thing\": \"role:a\"  # why\ntag_thing: 'role:b or\n  role:c'\nadmin_only: |\n  role:d\n  or role:e\n\
                drop_thing:\n  - [role:f, role:g]\n  - role:h\nowner: [[\"role:i\"]]\nmine:x: !!str role:j\n";
    assert_eq!(
        problems(text),
        ["p.yaml:13: YAML takes ! as the start of a tag; put quotes around it".replace(": YAML", ": rule \"mine:x\": YAML")]
    );
    let rules = build(&text.replace("mine:x: !!str role:j", "default: rule:mine:x\nmine:x: ''")).unwrap();
    assert_eq!(check(&rules, "tag_thing"), "role:b or role:c");
    assert_eq!(check(&rules, "drop_thing"), r#"[["role:f","role:g"],["role:h"]]"#);
    assert_eq!(decide(&rules, "drop_thing", &["f", "g"]), Decision::Allowed);
    assert_eq!(decide(&rules, "drop_thing", &["f"]), Decision::Refused);
    assert_eq!(decide(&rules, "admin_only", &["e"]), Decision::Allowed);
    assert_eq!(decide(&rules, "owner", &["I"]), Decision::Allowed);
    assert_eq!(decide(&rules, "mine:x", &[]), Decision::Allowed);
    let origin = rules.list().find(|r| r.name == "tag_thing").unwrap().origin;
    assert_eq!(*origin, Origin::File { file: "p.yaml".into(), line: Some(4) });
    for empty in ["", "# nothing\n", "---\n", "{}", "\u{feff}# bom\n"] {
        assert_eq!(build(empty).unwrap().list().count(), DEFAULTS.len(), "{empty:?}");
    }
    let tabs = build("{\n\t\"get_thing\":\t\"role:x\",\n\t\"owner\": [[\"role:y\"]]\n}").unwrap();
    assert_eq!(check(&tabs, "get_thing"), "role:x");
}

#[test]
fn what_yaml_allows_and_a_policy_does_not() {
    for (text, said) in [
        ("get_thing: !\n", "tag"),
        ("get_thing: ! role:a\n", "tag"),
        ("!x get_thing: role:a\n", "tag"),
        ("get_thing:\nowner: role:a\n", "no value"),
        ("get_thing: ~\n", "no value"),
        ("get_thing: [[~]]\n", "no value"),
        ("get_thing: true\n", "no check"),
        ("get_thing: 5\n", "no check"),
        ("get_thing: &a role:a\nowner: role:b\n", "anchors"),
        ("a: role:a\nget_thing: *a\n", "YAML"),
        ("get_thing: {role: a}\n", "not a mapping"),
        ("get_thing:\n  role: a\n", "not a mapping"),
        ("get_thing: [[[role:a]]]\n", "two deep"),
        ("[a, b]: role:a\n", "name is a text"),
        ("\"\": role:a\n", "empty name"),
        ("- get_thing\n", "is a mapping"),
        ("role:a\n", "is a mapping"),
        ("a: role:a\n---\nb: role:b\n", "second document"),
        ("get_thing: @\n", "YAML"),
        ("get_thing: \"role:a\n", "YAML"),
        ("{\"get_thing\": 5,,\t}", "YAML"),
        ("{\t\"get_thing\": 5}", "no check"),
    ] {
        let found = problems(text);
        assert!(found.iter().any(|p| p.contains(said) && p.starts_with("p.yaml")), "{text:?}: {found:?}");
    }
}

#[test]
fn every_problem_is_said_with_its_place() {
    let text = "get_thing: role:a and\nowner: rule:adminonly\nx: rule:y\ny: 'not rule:z'\nz: rule:x or @\n\"tag_thing\": \"role:a or (project_id:%(a)d)\"\n";
    assert_eq!(
        problems(text),
        [
            r#"p.yaml:1: rule "get_thing", character 11: the text ends where a check is expected"#,
            r#"p.yaml:6: rule "tag_thing", character 23: an attribute is written %(a)s, with an s after it"#,
            r#"p.yaml:2: rule "owner", character 1: refers to rule:adminonly, which does not exist (oslo.policy would take "default"); did you mean "admin_only"?"#,
            r#"p.yaml:3: rule "x": refers to itself: x -> y -> z -> x"#,
        ]
    );
}

#[test]
fn leniently_what_is_broken_fails() {
    let lenient = Options { lenient: true, ..Options::default() };
    let text = "get_thing: nonsense or role:a\ntag_thing: not 1a:x\ndrop_thing: rule:nowhere\ndefault: role:b";
    let rules = build_with(text, &Language::new(), &lenient).unwrap();
    assert_eq!(rules.warnings().len(), 4, "{:?}", rules.warnings());
    assert_eq!(decide(&rules, "get_thing", &["a"]), Decision::Allowed);
    assert!(matches!(decide(&rules, "tag_thing", &[]), Decision::Failed(_)));
    assert_eq!(decide(&rules, "drop_thing", &["b"]), Decision::Allowed);
    // What is missing means the default rule, which is itself here.
    let circle = build_with("default: rule:nowhere", &Language::new(), &lenient).unwrap_err();
    assert!(circle.to_string().contains("refers to itself: default -> default"), "{circle}");
}

#[test]
fn warnings_name_what_was_meant() {
    assert_eq!(
        warnings("get_thingy: role:a\nunrelated_name: role:b\nhelper: role:c\nowner: rule:helper\n"),
        [
            r#"p.yaml:1: rule "get_thingy": nothing asks for a rule of this name; did you mean "get_thing"?"#,
            r#"p.yaml:2: rule "unrelated_name": nothing asks for a rule of this name"#,
        ]
    );
    assert_eq!(warnings("owner: role:a\nowner: role:b\n"), [r#"p.yaml:2: rule "owner": written twice; the first at line 1 is not used"#]);
    assert_eq!(warnings("drop_thing: role:a\n"), [r#"p.yaml:1: rule "drop_thing": deprecated for removal since Z. Nobody drops."#]);
    let renamed = build("tag_things: role:special").unwrap();
    assert_eq!(check(&renamed, "tag_thing"), "role:special");
    assert!(renamed.warnings()[0].to_string().contains(r#"called "tag_thing" now"#));
    assert!(
        matches!(renamed.list().find(|r| r.name == "tag_thing").unwrap().origin, Origin::FileByOldName { old, .. } if old == "tag_things")
    );
    let known = Language::new().with_credentials(&["token"]);
    let rules = build_with("owner: roel:admin or token.a:b or user_id:x", &known, &Options::default()).unwrap();
    let said: Vec<String> = rules.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(said, [r#"p.yaml:1: rule "owner": roel:admin never holds: there is no credential "roel"; did you mean "role"?"#]);
}

#[test]
fn old_defaults_beside_new_ones() {
    let both = Options { enforce_new_defaults: false, ..Options::default() };
    let rules = build_with("", &Language::new(), &both).unwrap();
    assert_eq!(check(&rules, "get_thing"), "((rule:admin_only or (role:reader and rule:owner)) or rule:default)");
    assert_eq!(check(&rules, "tag_thing"), "role:member");
    let rules = build_with("get_thing: role:x", &Language::new(), &both).unwrap();
    assert_eq!(check(&rules, "get_thing"), "role:x");
}

#[test]
fn scope_is_the_programs_even_for_a_files_rule() {
    let rules = build("get_thing: '@'").unwrap();
    let creds = Credentials { system_scope: Some("all".into()), ..Credentials::default() };
    let id = rules.find("get_thing").unwrap();
    assert_eq!(rules.decide(id, &Question::new(&creds, &())), Decision::WrongScope(Scope::System));
    assert_eq!(rules.decide_unscoped(id, &Question::new(&creds, &())), Decision::Allowed);
    assert_eq!(rules.by_credentials(id, &creds), Some(false));
    assert!(rules.explain(id, &Question::new(&creds, &())).to_string().contains("the token's scope is system, the rule is for project"));
    let off = build_with("get_thing: '@'", &Language::new(), &Options { enforce_scope: false, ..Options::default() }).unwrap();
    assert_eq!(off.decide(id, &Question::new(&creds, &())), Decision::Allowed);
}

#[test]
fn remote_checks_are_asked_and_answered() {
    let rules = build("get_thing: rule:remote\nremote: role:a or https://h/%(project_id)s/x and not http://i/").unwrap();
    let id = rules.find("get_thing").unwrap();
    let (creds, target) = (Credentials::default(), json!({"project_id": "p"}));
    let ask = |answers: &[(String, bool)]| rules.decide(id, &Question { answers, ..Question::new(&creds, &target) });
    let call = |url: &str| Decision::NeedsHttp(HttpCall { url: url.into(), rule: "get_thing".into() });
    let first = ("https://h/p/x".to_owned(), true);
    assert_eq!(ask(&[]), call("https://h/p/x"));
    assert_eq!(ask(std::slice::from_ref(&first)), call("http://i/"));
    assert_eq!(ask(&[first.clone(), ("http://i/".into(), false)]), Decision::Allowed);
    assert_eq!(ask(&[first, ("http://i/".into(), true)]), Decision::Refused);
    assert_eq!(ask(&[("https://h/p/x".into(), false)]), Decision::Refused);
    assert_eq!(rules.decide(id, &Question::new(&creds, &())), Decision::Refused);
    // The whole target is sent: any attribute may change the answer.
    assert_eq!(*rules.reads(id), [Box::from(oslo_policy::EVERYTHING)]);
}

#[test]
fn parents_are_asked_for_only_when_it_matters() {
    let owner = Owner::new(&[Parent { resource: "network", via: Some("network_id") }]);
    let language = Language::new().with("project_id", Arc::new(owner));
    let with = |text: &str| build_with(text, &language, &Options::default());
    let rules = with("get_thing: rule:admin_only or project_id:%(network:project_id)s").unwrap();
    let id = rules.find("get_thing").unwrap();
    let admin = Credentials { roles: vec!["admin".into()], ..Credentials::default() };
    let user = Credentials { project_id: Some("p".into()), ..Credentials::default() };
    let object = json!({"network_id": "n"});
    assert_eq!(rules.decide(id, &Question::new(&admin, &object)), Decision::Allowed);
    let Decision::Needs(need) = rules.decide(id, &Question::new(&user, &object)) else { panic!("needs the network") };
    assert_eq!((need.resource(), need.field(), need.key()), ("network", "project_id", "network:project_id"));
    let loaded = json!({need.key(): "p"});
    assert_eq!(rules.decide(id, &Question::new(&user, &(&object, &loaded))), Decision::Allowed);
    for (text, said) in [
        ("get_thing: project_id:%(netwrk:project_id)s", "there is no parent resource \"netwrk\"; did you mean \"network\"?"),
        ("get_thing: project_id:p1", "compares with one attribute"),
        ("get_thing: project_id:%(a)s-%(b)s", "compares with one attribute"),
    ] {
        let found = with(text).unwrap_err().to_string();
        assert!(found.contains(said), "{found}");
    }
    let old = with("get_thing: project_id:%(network_tenant_id)s").unwrap();
    let need = &old.required_targets(old.find("get_thing").unwrap())[0];
    assert_eq!((need.resource(), need.field()), ("network", "tenant_id"));
}

#[test]
fn what_a_later_part_decides_needs_no_parent() {
    let owner = Owner::new(&[Parent { resource: "network", via: Some("network_id") }]);
    let language = Language::new().with("project_id", Arc::new(owner));
    let user = Credentials { project_id: Some("p".into()), roles: vec!["reader".into()], ..Credentials::default() };
    let decide = |text: &str, object: &serde_json::Value, looks_ahead: bool| {
        let rules = build_with(text, &language, &Options::default()).unwrap();
        let question = Question { looks_ahead, ..Question::new(&user, object) };
        rules.decide(rules.find("get_thing").unwrap(), &question)
    };
    let (own, other) = (json!({"network_id": "n", "project_id": "p"}), json!({"network_id": "n", "project_id": "q"}));
    let either = "get_thing: role:reader and project_id:%(network:project_id)s or role:reader and project_id:%(project_id)s";
    assert_eq!(decide(either, &own, true), Decision::Allowed);
    assert!(matches!(decide(either, &own, false), Decision::Needs(_)));
    assert!(matches!(decide(either, &other, true), Decision::Needs(_)));
    let both = "get_thing: project_id:%(network:project_id)s and role:admin";
    assert_eq!(decide(both, &own, true), Decision::Refused);
    assert!(matches!(decide(both, &own, false), Decision::Needs(_)));
    // A part that cannot be evaluated decides nothing ahead of its turn.
    let broken = "get_thing: project_id:%(network:project_id)s or http://nowhere/";
    assert!(matches!(decide(broken, &own, true), Decision::Needs(_)));
}

#[test]
fn an_explanation_shows_the_way() {
    let rules = build("").unwrap();
    let creds = Credentials { project_id: Some("p".into()), roles: vec!["reader".into()], ..Credentials::default() };
    let target = json!({"project_id": "q"});
    let shown = rules.explain(rules.find("get_thing").unwrap(), &Question::new(&creds, &target)).to_string();
    let expected = "get_thing: no\n  or: no\n    rule:admin_only: no\n      role:admin: no\n    and: no\n      role:reader: yes\n      \
                    rule:owner: no\n        project_id:%(project_id)s: no (the object has \"q\")\n";
    assert_eq!(shown, expected);
    let admin = Credentials { roles: vec!["admin".into()], ..creds };
    let shown = rules.explain(rules.find("get_thing").unwrap(), &Question::new(&admin, &target)).to_string();
    assert!(shown.contains("    (role:reader and rule:owner): not reached\n"), "{shown}");
}

#[test]
fn chains_and_doublings_are_bounded() {
    let chain: String = (0..20_000).map(|i| format!("r{i}: rule:r{}\n", i + 1)).collect::<String>() + "r20000: '@'\n";
    assert!(build(&chain).unwrap_err().to_string().contains("nests deeper"));
    let circle: String = (0..20_000).map(|i| format!("r{i}: rule:r{}\n", (i + 1) % 20_000)).collect();
    let found = build(&circle).unwrap_err();
    assert_eq!(found.0.len(), 1);
    let doubling: String = (0..60).map(|i| format!("r{i}: rule:r{} or rule:r{}\n", i + 1, i + 1)).collect::<String>() + "r60: '!'\n";
    assert!(build(&doubling).unwrap_err().to_string().contains("takes more than"));
}

#[test]
fn files_and_directories_in_their_order() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let write = |name: &str, text: &str| fs::write(at(name), text).unwrap();
    fs::create_dir_all(at("policy.d/deeper")).unwrap();
    write("policy.yaml", "get_thing: role:file\nowner: role:file\n");
    write("policy.d/20.yaml", "get_thing: role:twenty\n");
    write("policy.d/10.json", "{\"get_thing\": \"role:ten\", \"tag_thing\": \"role:ten\"}");
    write("policy.d/.hidden.yaml", "get_thing: role:hidden\n");
    write("policy.d/deeper/x.yaml", "get_thing: role:deeper\n");
    let source = Source { policy_file: Some(at("policy.yaml")), policy_dirs: vec![at("policy.d"), at("none.d")] };
    let rules = Rules::build(&DEFAULTS, &source.read().unwrap(), &Language::new(), &Options::default()).unwrap();
    let found = ["get_thing", "owner", "tag_thing"].map(|name| check(&rules, name));
    assert_eq!(found, ["role:twenty", "role:file", "role:ten"]);
    assert!(rules.warnings().is_empty());
    assert_eq!(Source::find(Path::new("policy.yaml"), &["/none".into(), dir.path().into()]), Some(at("policy.yaml")));
    assert_eq!(Source::find(Path::new("policy.yml"), &[dir.path().into()]), None);
    fs::write(at("policy.d/30.yaml"), [0xff, 0xfe]).unwrap();
    assert!(source.read().unwrap_err().to_string().contains("30.yaml: cannot be read"));
}

#[test]
fn rules_follow_their_files_and_survive_bad_ones() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.yaml");
    let source = Source { policy_file: Some(file.clone()), policy_dirs: vec![dir.path().join("policy.d")] };
    let live = Live::start(DEFAULTS.to_vec(), source, Language::new(), Options::default()).unwrap();
    let owner = || check(&live.current(), "owner").to_owned();
    assert!(!live.poll().unwrap());
    fs::write(&file, "owner: role:first").unwrap();
    assert!(live.poll().unwrap());
    assert_eq!(owner(), "role:first");
    let kept = live.current();
    fs::write(&file, "owner: role:second and").unwrap();
    assert!(live.poll().unwrap_err().to_string().contains("policy.yaml:1: rule \"owner\""));
    assert!(!live.poll().unwrap(), "said once");
    assert_eq!(owner(), "role:first");
    fs::create_dir(dir.path().join("policy.d")).unwrap();
    fs::write(&file, "owner: role:third!").unwrap();
    fs::write(dir.path().join("policy.d/a.yaml"), "owner: role:dir").unwrap();
    assert!(live.poll().unwrap());
    assert_eq!((owner().as_str(), check(&kept, "owner")), ("role:dir", "role:first"));
    fs::remove_file(dir.path().join("policy.d/a.yaml")).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(live.poll().unwrap());
    assert_eq!(owner(), "project_id:%(project_id)s");
}

#[test]
fn the_sample_says_what_is_so_anyway() {
    let text = sample(&DEFAULTS);
    assert!(
        text.contains("# Show a thing,\n# or all \"things\".\n# GET  /things\n# GET  /things/{id}\n# Scope: project\n#\"get_thing\": \""),
        "{text}"
    );
    assert!(text.contains("write \"tag_things\":") && text.contains("DEPRECATED for removal since Z. Nobody drops."), "{text}");
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "{text}");
    let uncommented: String = text.lines().map(|l| l.strip_prefix("#\"").map_or(l.to_owned(), |l| format!("\"{l}")) + "\n").collect();
    let rules = build(&uncommented).unwrap();
    assert_eq!(rules.redundant().count(), DEFAULTS.len(), "{uncommented}");
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(text in "[a-z:&*!@%'\"#,\\[\\]{}~\\- \n\t|>?]{0,80}") {
        let _ = Overrides::from_text(&text, Path::new("p.yaml"));
    }

    #[test]
    fn a_quoted_rule_survives_yaml(name in "[a-z_:]{1,12}", check in "role:[a-z%@!#&*'\"\\\\:{}\\[\\],-]{1,12}") {
        let line = format!("{}: {}\n", json!(name), json!(check));
        let read = Overrides::from_text(&line, Path::new("p.yaml")).map_err(|e| TestCaseError::fail(e.to_string()))?;
        let found: Vec<_> = read.rules().map(|r| (r.name.clone(), r.text.to_string())).collect();
        prop_assert_eq!(found, [(name, check)]);
    }
}
