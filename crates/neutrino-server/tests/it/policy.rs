// SPDX-License-Identifier: Apache-2.0
//! The operator's policy files: refused at start when wrong, followed while running, looked at with `neutron-server policy`.

use std::path::Path;
use std::process::Output;

use crate::process::{Server, conf, refusal, server};

const NETWORKS: &str = "/v2.0/networks";
const BODY: &str = r#"{"network": {"name": "n"}}"#;

/// A configuration beside which `policy.yaml` is found.
fn configured(home: &Path, policy: &str) -> String {
    std::fs::write(home.join("policy.yaml"), policy).unwrap();
    let database = home.join("neutron.sqlite");
    let text = format!(
        "[DEFAULT]\nauth_strategy = noauth\ncore_plugin = ml2\nbind_host = 127.0.0.1\nuse_stderr = false\n[database]\nconnection = sqlite:///{}\n\
         [ml2]\nproject_network_types = vxlan\n[ml2_type_vxlan]\nvni_ranges = 1:100\n",
        database.display()
    );
    let path = conf(home, &text).to_str().unwrap().to_owned();
    let made = crate::process::db_manage(home, &["--config-file", &path, "upgrade", "heads"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    path
}

fn policy(home: &Path, arguments: &[&str]) -> Output {
    server(home).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn rules_of_a_file_are_in_force_and_followed() {
    let home = tempfile::tempdir().unwrap();
    let path = configured(home.path(), "\"create_network\": \"role:nobody\"\n");
    let mut running = Server::start(server(home.path()).args(["--config-file", &path, "--debug"]).env("OS_DEFAULT__USE_STDOUT", "true"));
    let (status, body) = running.ask("POST", NETWORKS, BODY);
    assert!(status.contains("403") && body.contains("PolicyNotAuthorized") && body.contains("create_network"), "{status} {body}");

    std::fs::write(home.path().join("policy.yaml"), "\"create_network\": \"role:admin\"\n").unwrap();
    running.signal("HUP");
    running.wait_for("the policy files have changed and are in force");
    let (status, _) = running.ask("POST", NETWORKS, BODY);
    assert!(status.contains("201"), "{status}");

    std::fs::write(home.path().join("policy.yaml"), "\"create_network\": \"role:admin and (\"\n").unwrap();
    running.signal("HUP");
    let line = running.wait_for("the rules stay as they were");
    assert!(line.contains("policy.yaml") && line.contains("create_network"), "{line}");
    let (status, _) = running.ask("POST", NETWORKS, BODY);
    assert!(status.contains("201"), "{status}");
    running.signal("TERM");
    assert_eq!(running.end().code(), Some(0));
}

#[test]
fn a_change_is_seen_without_a_signal() {
    let home = tempfile::tempdir().unwrap();
    let path = configured(home.path(), "{}\n");
    let mut running = Server::start(server(home.path()).args(["--config-file", &path]).env("OS_DEFAULT__USE_STDOUT", "true"));
    assert!(running.ask("POST", NETWORKS, BODY).0.contains("201"));
    std::fs::write(home.path().join("policy.yaml"), "\"create_network\": \"!\"\n").unwrap();
    running.wait_for("the policy files have changed and are in force");
    assert!(running.ask("POST", NETWORKS, BODY).0.contains("403"));
}

#[test]
fn a_file_with_faults_stops_the_start() {
    let home = tempfile::tempdir().unwrap();
    let path = configured(home.path(), "\"create_network\": \"role:admin or rule:admin_onyl\"\n");
    let said = refusal(server(home.path()).args(["--config-file", &path]));
    assert!(said.contains("policy.yaml:1") && said.contains("admin_onyl"), "{said}");
    let checked = policy(home.path(), &["--config-file", &path, "policy", "check"]);
    assert_eq!(checked.status.code(), Some(1));
    assert!(text(&checked).contains("admin_only"), "the nearest name is offered: {}", text(&checked));
}

#[test]
fn an_operator_can_ask() {
    let home = tempfile::tempdir().unwrap();
    let path = configured(home.path(), "\"create_network\": \"role:boss\"\n\"get_flavor\": \"role:reader\"\n");
    let ask = |words: &[&str]| policy(home.path(), &[&["--config-file", &path, "policy"], words].concat());
    let changed = text(&ask(&["list", "--changed"]));
    assert!(changed.contains("\"create_network\": \"role:boss\"  # ") && changed.contains("policy.yaml:1"), "{changed}");
    assert!(text(&ask(&["list"])).lines().count() > 300);
    assert!(text(&ask(&["check"])).contains("redundant: get_flavor"), "{}", text(&ask(&["check"])));
    let boss = ask(&["check", "--rule", "create_network", "--credentials", r#"{"roles": ["boss"]}"#]);
    assert!(boss.status.success() && text(&boss).contains("allowed"), "{}", text(&boss));
    let member = ask(&["check", "--rule", "create_network", "--credentials", r#"{"roles": ["member"]}"#]);
    assert_eq!(member.status.code(), Some(1));
    assert!(text(&member).contains("role:boss") && text(&member).contains("refused"), "{}", text(&member));
    assert!(text(&ask(&["check", "--rule", "create_netwrok"])).contains("there is no rule"));
    let sample = text(&ask(&["sample"]));
    assert!(sample.contains("#\"create_network:shared\": \"rule:admin_only\""), "{sample}");
}
