// SPDX-License-Identifier: Apache-2.0
//! Start, refusal, signals, restart.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;

use tempfile::TempDir;

use crate::process::{Server, conf, db_manage, refusal, server};

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn names(body: &str) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let list = body["address_scopes"].as_array().unwrap();
    list.iter().map(|scope| scope["name"].as_str().unwrap().to_owned()).collect()
}

const SCOPES: &str = "/v2.0/address-scopes";

fn create(server: &Server, name: &str) {
    let (status, body) = server.ask("POST", SCOPES, &format!(r#"{{"address_scope": {{"name": "{name}", "ip_version": 4}}}}"#));
    assert!(status.contains("201"), "{status} {body}");
}

#[test]
fn a_newcomer_has_the_api_at_once_and_keeps_what_was_made() {
    let home = home();
    let mut first = Server::start(&mut server(home.path()));
    first.wait_for("OS_ENDPOINT=http://127.0.0.1:");
    assert!(first.address.starts_with("127.0.0.1:"), "{}", first.address);
    assert!(first.ask("GET", "/v2.0/", "").1.contains("\"resources\""));
    create(&first, "kept");
    first.signal("TERM");
    assert_eq!(first.end().code(), Some(0));

    let second = Server::start(&mut server(home.path()));
    assert_eq!(names(&second.ask("GET", SCOPES, "").1), ["kept"]);
    create(&second, "acknowledged");
    second.signal("KILL");
    assert!(!second.end().success());

    let third = Server::start(&mut server(home.path()));
    let sorted = format!("{SCOPES}?sort_key=name&sort_dir=asc");
    assert_eq!(names(&third.ask("GET", &sorted, "").1), ["acknowledged", "kept"]);
    third.signal("INT");
    assert_eq!(third.end().code(), Some(0));
}

#[test]
fn what_cannot_be_obeyed_is_refused_with_its_place() {
    let home = home();
    let file = conf(
        home.path(),
        "[DEFAULT]\nauth_strategy = kerberos\ncore_plugin = ml3\ntransport_url = kafka://u:hunter2@h\n[database]\nconnection = sqlite:////x\n",
    );
    let text = refusal(server(home.path()).arg("--config-file").arg(&file));
    let place = |line: usize| format!("neutron-server: {}:{line}: ", file.display());
    assert!(text.contains(&format!("{}[DEFAULT] auth_strategy = kerberos: no such way of authentication", place(2))), "{text}");
    assert!(text.contains(&format!("{}[DEFAULT] core_plugin = ml3: no such core plugin (known: ml2, ", place(3))), "{text}");
    assert!(text.contains(&format!("{}[DEFAULT] transport_url: messaging over kafka", place(4))), "{text}");
    assert!(!text.contains("hunter2"));

    let file = conf(home.path(), "[DEFAULT]\nbind_port = x\napi_workers = 0\n");
    let text = refusal(server(home.path()).env_remove("OS_DEFAULT__BIND_PORT").arg("--config-file").arg(&file));
    assert!(text.contains(":2: [DEFAULT] bind_port = x: must be a whole number\n"), "{text}");
    assert!(text.contains(":3: [DEFAULT] api_workers = 0: must be between 1 and 1024\n"), "{text}");
    assert!(
        refusal(server(home.path()).args(["--config-file", "/nowhere.conf"]))
            .contains("/nowhere.conf: the configuration file does not exist")
    );
}

fn operators_file(home: &TempDir, more: &str) -> std::path::PathBuf {
    let database = home.path().join("neutron.sqlite");
    let text = format!(
        "[DEFAULT]\nauth_strategy = noauth\ncore_plugin = ml2\nbind_host = 127.0.0.1\n{more}\n[database]\nconnection = sqlite:///{}\n",
        database.display()
    );
    conf(home.path(), &text)
}

#[test]
fn an_operators_server_wants_a_schema_and_then_runs() {
    let home = home();
    let file = operators_file(&home, "log_dir = $state_path\nlog_rotation_type = size");
    let path = file.to_str().unwrap();
    let run = || {
        let mut command = server(home.path());
        command.args(["--config-file", path, "--state-dir"]).arg(home.path());
        command
    };
    let text = refusal(&mut run());
    assert!(text.contains("[database] connection: ") && text.contains("neutron-db-manage"), "{text}");
    let made = db_manage(home.path(), &["--config-file", path, "upgrade", "heads"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let socket_path = home.path().join("notify");
    let socket = UnixDatagram::bind(&socket_path).unwrap();
    let told = || {
        let mut buffer = [0; 64];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let mut child = run().env("NOTIFY_SOCKET", &socket_path).spawn().unwrap();
    assert_eq!(told(), "READY=1");
    assert!(std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert_eq!(told(), "STOPPING=1");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let log = std::fs::read_to_string(home.path().join("neutron-server.log")).unwrap();
    assert!(log.contains("neutron.conf:6: [DEFAULT] log_rotation_type is not supported yet: the value has no effect"), "{log}");
    assert!(log.contains("the API is served at http://127.0.0.1:"), "{log}");
}

#[test]
fn a_service_plugin_that_nothing_loads_is_refused() {
    let home = home();
    let run = |names: &str| refusal(server(home.path()).env("OS_DEFAULT__SERVICE_PLUGINS", names));
    let text = run("rooter");
    assert!(
        text.contains("environment variable OS_DEFAULT__SERVICE_PLUGINS: [DEFAULT] service_plugins = rooter: no such service plugin"),
        "{text}"
    );
    assert!(run("ovn-bgp").contains("not supported yet"));
}

#[test]
fn a_port_that_is_taken_is_named() {
    let home = home();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let text = refusal(server(home.path()).env("OS_DEFAULT__BIND_PORT", &port));
    assert!(text.contains(&format!("127.0.0.1:{port} (bind_host, bind_port)")), "{text}");
    let text = refusal(server(home.path()).env("OS_NEUTRINO__METRICS_PORT", &port));
    assert!(text.contains("metrics_port") && text.contains(&port), "{text}");
}

#[test]
fn sighup_changes_the_log_level_and_nothing_else() {
    let home = home();
    let file = operators_file(&home, "");
    let path = file.to_str().unwrap().to_owned();
    assert!(db_manage(home.path(), &["--config-file", &path, "upgrade", "heads"]).status.success());
    let mut running = Server::start(server(home.path()).args(["--config-file", &path]));
    assert!(!running.seen.iter().any(|line| line.contains(" DEBUG ")));
    operators_file(&home, "debug = true\nbacklog = 7");
    running.signal("HUP");
    running.wait_for("[DEFAULT] backlog takes effect only after a restart");
    running.wait_for("[DEFAULT] debug has changed");
    operators_file(&home, "debug = perhaps");
    running.signal("HUP");
    running.wait_for("the configuration stays as it was");
    running.signal("TERM");
    running.wait_for(" DEBUG ");
    assert_eq!(running.end().code(), Some(0));
}

#[test]
fn sigterm_lets_a_request_in_flight_finish() {
    let home = home();
    let mut running = Server::start(&mut server(home.path()));
    let body = r#"{"address_scope": {"name": "late", "ip_version": 4}}"#;
    let mut slow = TcpStream::connect(&running.address).unwrap();
    write!(
        slow,
        "POST {SCOPES} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    slow.write_all(&body.as_bytes()[..10]).unwrap();
    // The listener must have read the head before it is told to stop.
    assert!(running.ask("GET", "/", "").0.contains("200"));
    running.signal("TERM");
    running.wait_for("SIGTERM: stopping");
    slow.write_all(&body.as_bytes()[10..]).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut slow, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(running.end().code(), Some(0));
}

#[test]
fn the_version_and_the_help_are_printed() {
    let home = home();
    let output = server(home.path()).arg("--version").output().unwrap();
    assert!(output.status.success() && String::from_utf8(output.stdout).unwrap().starts_with("neutron-server 29.0.0 "));
    let output = server(home.path()).arg("--help").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("api_workers sets the number of threads"));
    assert_eq!(server(home.path()).arg("--nonsense").output().unwrap().status.code(), Some(2));
}

/// All programs are one, known by its name: through a program of that name, or a link.
#[test]
fn the_name_says_which_program_it_is() {
    let home = home();
    let link = home.path().join("neutron-rpc-server");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_neutron-server"), &link).unwrap();
    for (path, name) in [
        (env!("CARGO_BIN_EXE_neutron-api"), "neutron-api"),
        (env!("CARGO_BIN_EXE_neutron-periodic-workers"), "neutron-periodic-workers"),
        (env!("CARGO_BIN_EXE_neutron-rpc-server"), "neutron-rpc-server"),
        (link.to_str().unwrap(), "neutron-rpc-server"),
    ] {
        let output = std::process::Command::new(path).arg("--version").output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && said.starts_with(&format!("{name} 29.0.0 ")), "{path}: {said}");
    }
    let alone = home.path().join("neutron-api");
    std::fs::copy(env!("CARGO_BIN_EXE_neutron-api"), &alone).unwrap();
    let output = std::process::Command::new(&alone).output().unwrap();
    assert!(!output.status.success() && String::from_utf8(output.stderr).unwrap().contains("must lie beside neutron-api"));
}
