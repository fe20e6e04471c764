// SPDX-License-Identifier: Apache-2.0
//! What Nova hears of ports, by a Keystone and a Nova of few words in one.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use neutrino_testing::Server;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

const DEVICE: &str = "6b9e6d83-6a3f-4d2e-9f0e-3f1f6f1e0a01";

/// What came, and how often the next requests for events fail.
#[derive(Default)]
struct Seen {
    events: Vec<Value>,
    tokens: Vec<String>,
    sign_ins: usize,
    failures: Vec<u16>,
}

async fn read(stream: &mut TcpStream) -> Option<(String, String)> {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let whole = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = whole.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some((head.to_owned(), body.to_owned()));
            }
        }
        match stream.read(&mut chunk).await {
            Ok(count) if count > 0 => text.extend_from_slice(&chunk[..count]),
            _ => return None,
        }
    }
}

fn answer(seen: &Mutex<Seen>, address: &str, head: &str, body: &str) -> (u16, String, Value) {
    let mut seen = seen.lock().unwrap();
    if head.starts_with("POST /v3/auth/tokens ") {
        seen.sign_ins += 1;
        let compute = json!({"type": "compute", "endpoints": [
            {"interface": "public", "region_id": "other", "url": "http://127.0.0.1:1/"},
            {"interface": "public", "region_id": "here", "url": format!("http://{address}/nova/v2.1/")}]});
        let token = json!({"token": {"expires_at": "2999-01-01T00:00:00.000000Z", "catalog": [compute]}});
        return (201, format!("X-Subject-Token: t{}\r\n", seen.sign_ins), token);
    }
    assert!(head.starts_with("POST /nova/v2.1/os-server-external-events "), "{head}");
    if let Some(status) = seen.failures.pop() {
        return (status, String::new(), json!({}));
    }
    let token = head.lines().find_map(|line| line.to_lowercase().strip_prefix("x-auth-token:").map(|token| token.trim().to_owned()));
    seen.tokens.push(token.unwrap_or_default());
    let events = serde_json::from_str::<Value>(body).unwrap()["events"].as_array().cloned().unwrap();
    seen.events.extend(events.clone());
    let judged: Vec<Value> = events
        .into_iter()
        .map(|mut event| {
            event["code"] = 200.into();
            event
        })
        .collect();
    (200, String::new(), json!({ "events": judged }))
}

/// Listens; gives its address and what it will have seen.
async fn nova() -> (String, Arc<Mutex<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen = Arc::new(Mutex::new(Seen::default()));
    let (place, all) = (address.clone(), seen.clone());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let Some((head, body)) = read(&mut stream).await else { continue };
            let (status, headers, body) = answer(&all, &place, &head, &body);
            let body = body.to_string();
            let text = format!("HTTP/1.1 {status} X\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    (address, seen)
}

async fn server(address: &str) -> Server {
    let url = format!("http://{address}/");
    let own = |name| ("nova", name, "x");
    Server::with(&[
        ("nova", "auth_type", "password"),
        ("nova", "auth_url", &url),
        ("nova", "region_name", "here"),
        own("username"),
        own("password"),
        own("user_domain_id"),
        own("project_name"),
        own("project_domain_id"),
        ("DEFAULT", "send_events_interval", "0"),
    ])
    .await
}

/// Runs the sender as a server does.
fn run(server: &Server) -> watch::Sender<bool> {
    let (stop, stopped) = watch::channel(false);
    let worker = server.engine.registry.workers().iter().find(|worker| worker.name() == "events for Nova").unwrap().clone();
    let engine = server.engine.clone();
    tokio::spawn(async move { worker.run(engine, stopped).await });
    stop
}

async fn wait(seen: &Mutex<Seen>, count: usize) -> Vec<Value> {
    for _ in 0..500 {
        if seen.lock().unwrap().events.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    seen.lock().unwrap().events.clone()
}

async fn port(server: &Server, owner: &str, device: &str) -> String {
    let network = server.post("/networks", json!({"network": {}})).await.expect(201);
    let port = json!({"port": {"network_id": network["id"], "device_owner": owner, "device_id": device}});
    server.post("/ports", port).await.expect(201)["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn nova_hears_of_its_ports_and_of_no_other() {
    let (address, seen) = nova().await;
    let server = server(&address).await;
    let _stop = run(&server);
    let (mine, other) = (port(&server, "compute:nova", DEVICE).await, port(&server, "network:dhcp", DEVICE).await);
    let named = port(&server, "compute:nova", "no-uuid").await;
    for id in [&other, &named, &mine] {
        server.put(&format!("/ports/{id}"), json!({"port": {"name": "n"}})).await.expect(200);
    }
    // A change that changes nothing is none.
    server.put(&format!("/ports/{mine}"), json!({"port": {"name": "n"}})).await.expect(200);
    for id in [&other, &named, &mine] {
        assert_eq!(server.delete(&format!("/ports/{id}")).await.status, 204);
    }
    let events = wait(&seen, 2).await;
    let event = |name: &str| json!({"server_uuid": DEVICE, "name": name, "tag": mine});
    assert_eq!(events, [event("network-changed"), event("network-vif-deleted")]);
    let seen = seen.lock().unwrap();
    assert_eq!((seen.sign_ins, seen.tokens[0].as_str()), (1, "t1"));
}

#[tokio::test]
async fn a_port_that_comes_and_goes_is_plugged_and_unplugged() {
    let (address, seen) = nova().await;
    let server = server(&address).await;
    let _stop = run(&server);
    let id = port(&server, "compute:nova", DEVICE).await;
    let cx = neutrino_core::Context::internal("test");
    for status in ["ACTIVE", "BUILD", "ACTIVE", "DOWN"] {
        neutrino_ml2::mech::status::update_port_status(&server.engine, &cx, &id, status, None).await.unwrap();
    }
    let events = wait(&seen, 3).await;
    let event = |name: &str| json!({"server_uuid": DEVICE, "name": name, "tag": id, "status": "completed"});
    let (plugged, unplugged) = (event("network-vif-plugged"), event("network-vif-unplugged"));
    assert_eq!(events, [plugged.clone(), plugged, unplugged]);
}

#[tokio::test]
async fn a_port_that_is_plugged_where_its_guest_goes_is_plugged() {
    let (address, seen) = nova().await;
    let server = server(&address).await;
    let _stop = run(&server);
    let id = port(&server, "compute:nova", DEVICE).await;
    let args = json!({"devices_up": [id], "agent_id": "a", "host": "destination"});
    server.rpc("q-plugin", "1.9", "update_device_list", args).await.unwrap();
    let events = wait(&seen, 1).await;
    assert_eq!(events, [json!({"server_uuid": DEVICE, "name": "network-vif-plugged", "tag": id, "status": "completed"})]);
    assert_eq!(server.get(&format!("/ports/{id}")).await.expect(200)["status"], "DOWN");
}

#[tokio::test]
async fn what_fails_is_sent_again_and_a_refused_token_is_renewed() {
    let (address, seen) = nova().await;
    seen.lock().unwrap().failures = vec![503, 401];
    let server = server(&address).await;
    let id = port(&server, "compute:nova", DEVICE).await;
    server.put(&format!("/ports/{id}"), json!({"port": {"name": "a"}})).await.expect(200);
    server.put(&format!("/ports/{id}"), json!({"port": {"name": "b"}})).await.expect(200);
    let stop = run(&server);
    let events = wait(&seen, 2).await;
    assert_eq!(events.len(), 2);
    assert_eq!(seen.lock().unwrap().sign_ins, 2);
    // Nothing is lost when the server stops.
    server.put(&format!("/ports/{id}"), json!({"port": {"name": "c"}})).await.expect(200);
    stop.send(true).unwrap();
    assert_eq!(wait(&seen, 3).await.len(), 3);
}

#[tokio::test]
async fn who_asks_for_it_must_say_how() {
    let asked = ("DEFAULT", "notify_nova_on_port_status_changes", "true");
    let told = crate::ports::refused_at_start(&[asked]);
    assert!(told.contains("notify_nova_on_port_status_changes") && told.contains("[nova] auth_type"), "{told}");
    let told = crate::ports::refused_at_start(&[("nova", "auth_type", "kerberos"), ("nova", "auth_url", "http://k")]);
    assert!(told.contains("[nova] auth_type") && told.contains("kerberos"), "{told}");
    let quiet = Server::start().await;
    assert!(!quiet.engine.registry.workers().iter().any(|worker| worker.name() == "events for Nova"));
}
