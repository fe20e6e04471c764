// SPDX-License-Identifier: Apache-2.0
//! One running `neutron-server`, started with an environment of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a test waits for what must happen; a slow machine gets there too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A program with nothing in its environment but a home folder and ports that the system chooses.
pub fn command(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).env("OS_DEFAULT__BIND_PORT", "0").env("OS_NEUTRINO__METRICS_PORT", "0");
    command.stdin(Stdio::null());
    command
}

pub fn server(home: &Path) -> Command {
    command(env!("CARGO_BIN_EXE_neutron-server"), home)
}

pub fn db_manage(home: &Path, arguments: &[&str]) -> Output {
    command(env!("CARGO_BIN_EXE_neutron-db-manage"), home).args(arguments).output().unwrap()
}

/// Runs a server that must refuse to start; what it said on standard error.
pub fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    text
}

/// Writes `neutron.conf` into a folder.
pub fn conf(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("neutron.conf");
    std::fs::write(&path, text).unwrap();
    path
}

pub struct Server {
    child: Child,
    lines: Receiver<String>,
    pub seen: Vec<String>,
    pub address: String,
}

impl Server {
    /// Starts a server that logs to standard output, and waits until it listens.
    pub fn start(command: &mut Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let mut server = Server { child, lines, seen: Vec::new(), address: String::new() };
        let line = server.wait_for("the API is served at http");
        server.address = line.split("://").nth(1).unwrap().split(',').next().unwrap().to_owned();
        server
    }

    /// Waits for a line that holds `part`.
    #[track_caller]
    pub fn wait_for(&mut self, part: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(part) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => panic!("no \"{part}\" in {:#?}", self.seen),
            }
        }
    }

    /// One request on a connection of its own: the status line and the body.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end, within [`PATIENCE`].
    pub fn end(mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not end: {:#?}", self.seen);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After a failed assertion the child must not stay; after `end` it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
