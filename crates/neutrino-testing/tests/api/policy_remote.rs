// SPDX-License-Identifier: Apache-2.0
//! `http:` checks: what the remote server is sent, and what becomes of its answers.

use std::sync::{Arc, Mutex};

use http::Method;
use neutrino_testing::Server;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::policy::by;

/// Decides by the name of the object, and remembers what it was asked.
struct Decider {
    port: u16,
    asked: Arc<Mutex<Vec<(String, String, String)>>>,
}

impl Decider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, asked) = (listener.local_addr().unwrap().port(), Arc::<Mutex<Vec<_>>>::default());
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let seen = Arc::clone(&seen);
                tokio::spawn(async move {
                    let mut text = String::new();
                    let mut buffer = vec![0; 65536];
                    let body = loop {
                        let count = stream.read(&mut buffer).await.unwrap();
                        text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
                        if let Some((head, body)) = text.split_once("\r\n\r\n") {
                            let head = head.to_lowercase();
                            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                            if body.len() >= length.parse::<usize>().unwrap() {
                                break body.to_owned();
                            }
                        }
                        assert!(count > 0, "cut off");
                    };
                    let kind = text.lines().find(|line| line.to_lowercase().starts_with("content-type")).unwrap().to_owned();
                    let path = text.split(' ').nth(1).unwrap().to_owned();
                    seen.lock().unwrap().push((path.clone(), kind, body.clone()));
                    let answer = match path.as_str() {
                        "/quoted" => "\"True\"",
                        "/redirect" => {
                            return drop(stream.write_all(b"HTTP/1.1 302 F\r\nLocation: /quoted\r\nContent-Length: 0\r\n\r\n").await);
                        }
                        "/cut" => return,
                        "/flood" => &"True".repeat(5000),
                        _ if body.contains("open") => "True",
                        _ => "False",
                    };
                    let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{answer}", answer.len());
                    // The asker may have heard enough.
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<(String, String, String)> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    async fn server(&self, rules: Value, more: &[(&str, &str, &str)]) -> (Server, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("policy.json");
        std::fs::write(&file, rules.to_string().replace("PORT", &self.port.to_string())).unwrap();
        let path = file.display().to_string();
        let options = [&[("oslo_policy", "policy_file", path.as_str())], more].concat();
        (Server::with(&options).await, folder)
    }
}

fn network(name: &str) -> Value {
    json!({"network": {"name": name}})
}

#[tokio::test]
async fn a_remote_server_decides_and_is_told_everything() {
    let decider = Decider::start().await;
    let (server, _folder) = decider.server(json!({"create_network": "http://127.0.0.1:PORT/%(project_id)s"}), &[]).await;
    let ann = by(&server, "blue", &["member"]);
    ann.post("/networks", network("open one")).await.expect(201);
    ann.post("/networks", network("other")).await.refused(403, "PolicyNotAuthorized");
    let asked = decider.asked();
    let (path, kind, body) = &asked[0];
    assert_eq!((path.as_str(), kind.to_lowercase().as_str()), ("/blue", "content-type: application/x-www-form-urlencoded"));
    let decoded = percent_encoding::percent_decode_str(body).decode_utf8().unwrap();
    let fields: Vec<&str> = decoded.split('&').collect();
    assert_eq!(fields[0], "rule=\"create_network\"");
    let field = |at: usize, name: &str| -> Value { serde_json::from_str(fields[at].strip_prefix(name).unwrap()).unwrap() };
    let (target, credentials) = (field(1, "target="), field(2, "credentials="));
    assert_eq!((&target["name"], &target["project_id"]), (&json!("open one"), &json!("blue")));
    assert_eq!((&credentials["project_id"], &credentials["roles"]), (&json!("blue"), &json!(["member"])));
}

#[tokio::test]
async fn each_row_of_a_list_is_asked_about() {
    let decider = Decider::start().await;
    let rules = json!({"create_network": "@", "get_network": "rule:admin_only or http://127.0.0.1:PORT/x"});
    let (server, _folder) = decider.server(rules, &[("oslo_policy", "remote_content_type", "application/json")]).await;
    let ann = by(&server, "blue", &["member"]);
    for n in 0..12 {
        server
            .post("/networks", json!({"network": {"name": if n % 3 == 0 { "open" } else { "closed" }, "project_id": "blue"}}))
            .await
            .expect(201);
    }
    let before = decider.asked().len();
    assert_eq!(before, 0, "administrators are not asked about");
    let seen = ann.get("/networks?fields=id").await;
    assert_eq!(seen.body["networks"].as_array().unwrap().len(), 4, "{}", seen.body);
    let asked = decider.asked();
    assert_eq!(asked.len(), 12);
    let body: Value = serde_json::from_str(&asked[0].2).unwrap();
    assert_eq!((&body["rule"], &body["credentials"]["user_id"]), (&json!("get_network"), &json!("user-of-blue")));
}

#[tokio::test]
async fn what_is_not_a_clear_yes_is_none() {
    for (path, status, kind) in [
        ("quoted", 201, ""),
        ("redirect", 403, "PolicyNotAuthorized"),
        ("flood", 403, "PolicyNotAuthorized"),
        ("cut", 503, "HTTPServiceUnavailable"),
    ] {
        let decider = Decider::start().await;
        let (server, _folder) = decider.server(json!({"create_network": format!("http://127.0.0.1:PORT/{path}")}), &[]).await;
        let answer = by(&server, "blue", &["member"]).post("/networks", network("open")).await;
        match kind {
            "" => drop(answer.expect(status)),
            kind => answer.refused(status, kind),
        }
    }
    // Nobody listens; a negation makes no yes of it.
    let decider = Decider::start().await;
    let (server, _folder) = decider.server(json!({"create_network": "not http://127.0.0.1:1/"}), &[]).await;
    by(&server, "blue", &["member"]).ask(Method::POST, "/networks", Some(network("x"))).await.refused(503, "HTTPServiceUnavailable");
}
