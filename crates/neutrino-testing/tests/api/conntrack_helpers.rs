// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/routers/{id}/conntrack_helpers`.

use futures::future::join_all;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

use crate::policy::by;
use crate::routers::{MEMBER, router};

async fn add(server: &Server, router: &str, protocol: &str, port: Value, helper: &str) -> Answer {
    let body = json!({"conntrack_helper": {"protocol": protocol, "port": port, "helper": helper}});
    server.post(&format!("{router}/conntrack_helpers"), body).await
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::full().await;
    let router = router(&server, json!({})).await;
    let made = add(&server, &router, "udp", json!("69"), "tftp").await.expect(201);
    assert_eq!(made, json!({"id": made["id"], "protocol": "udp", "port": 69, "helper": "tftp"}));
    let path = format!("{router}/conntrack_helpers/{}", made["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), made);
    let shown = server.get(&router).await.expect(200);
    let short = json!([{"protocol": "udp", "port": 69, "helper": "tftp"}]);
    assert_eq!((&shown["conntrack_helpers"], &shown["revision_number"]), (&short, &json!(2)));
    let body = json!({"conntrack_helper": {"protocol": "tcp", "port": 21, "helper": "ftp"}});
    let changed = server.put(&path, body).await.expect(200);
    assert_eq!((&changed["port"], &changed["helper"]), (&json!(21), &json!("ftp")));
    server.put(&path, json!({"conntrack_helper": {}})).await.expect(200);
    assert_eq!(server.get(&router).await.expect(200)["revision_number"], 3);
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "ConntrackHelperNotFound");
    assert_eq!(server.get(&router).await.expect(200)["conntrack_helpers"], json!([]));
    add(&server, &router, "udp", json!(69), "tftp").await.expect(201);
    assert_eq!(server.delete(&router).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM conntrack_helpers").await, 0);
}

#[tokio::test]
async fn only_what_the_operator_allows_and_once() {
    let server = Server::full().await;
    let router = router(&server, json!({})).await;
    let made = add(&server, &router, "udp", json!(69), "tftp").await.expect(201);
    for (protocol, port, helper, kind) in [
        ("udp", json!(69), "tftp", "BadRequest"),
        ("tcp", json!(69), "tftp", "InvalidProtocolForHelper"),
        ("icmp", json!(69), "tftp", "InvalidProtocolForHelper"),
        ("tcp", json!(69), "foo", "ConntrackHelperNotAllowed"),
        ("udp", json!(0), "tftp", "HTTPBadRequest"),
        ("udp", json!(65536), "tftp", "HTTPBadRequest"),
        ("udp", json!("x"), "tftp", "InvalidInput"),
        ("udp", json!(1), &"t".repeat(65), "HTTPBadRequest"),
        ("17", json!(1), "tftp", "HTTPBadRequest"),
        ("esp", json!(1), "tftp", "InvalidInput"),
    ] {
        add(&server, &router, protocol, port, helper).await.refused(400, kind);
    }
    add(&server, &router, "udp", json!(70), "tftp").await.expect(201);
    let path = format!("{router}/conntrack_helpers/{}", made["id"].as_str().unwrap());
    server.put(&path, json!({"conntrack_helper": {"port": 70}})).await.refused(400, "BadRequest");
    server.put(&path, json!({"conntrack_helper": {"protocol": "tcp"}})).await.refused(400, "InvalidProtocolForHelper");
    add(&server, "/routers/11111111-1111-4111-8111-111111111111", "udp", json!(1), "tftp").await.refused(404, "RouterNotFound");
    let allowed =
        Server::with(&[("DEFAULT", "service_plugins", "router,conntrack_helper"), ("DEFAULT", "allowed_conntrack_helpers", "foo:tcp")]);
    let allowed = allowed.await;
    let router = crate::routers::router(&allowed, json!({})).await;
    add(&allowed, &router, "tcp", json!(1), "foo").await.expect(201);
    add(&allowed, &router, "udp", json!(1), "tftp").await.refused(400, "ConntrackHelperNotAllowed");
}

#[tokio::test]
async fn lists_bulk_and_others() {
    let server = Server::full().await;
    let router = router(&server, json!({"project_id": "a"})).await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let path = format!("{router}/conntrack_helpers");
    let helper = |port: i64| json!({"protocol": "udp", "port": port, "helper": "tftp"});
    a.post(&path, json!({"conntrack_helpers": [helper(1), helper(1)]})).await.refused(400, "BadRequest");
    a.post(&path, json!({"conntrack_helpers": [helper(1), helper(2)]})).await.expect(201);
    let sorted = a.get(&format!("{path}?sort_key=port&sort_dir=desc")).await.expect(200);
    assert_eq!((&sorted[0]["port"], &sorted[1]["port"]), (&json!(2), &json!(1)));
    for (filter, count) in [("helper=tftp", 2), ("port=2", 1), ("protocol=tcp", 0)] {
        a.get(&format!("{path}?{filter}")).await.expect_rows("conntrack_helpers", count);
    }
    a.get(&format!("{path}?port=x")).await.refused(400, "InvalidInput");
    b.get(&path).await.refused(404, "RouterNotFound");
    b.post(&path, json!({"conntrack_helper": helper(3)})).await.refused(403, "PolicyNotAuthorized");
    by(&server, "a", &["reader"]).post(&path, json!({"conntrack_helper": helper(3)})).await.refused(403, "PolicyNotAuthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_by_many_is_there_once() {
    let server = Server::full().await;
    let router = router(&server, json!({})).await;
    let answers = join_all((0..12).map(|_| add(&server, &router, "udp", json!(69), "tftp"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 201) {
        answer.refused(400, "BadRequest");
    }
}
