// SPDX-License-Identifier: Apache-2.0
use http::Method;
use neutrino_testing::Server;
use serde_json::{Value, json};

async fn network(server: &Server, name: &str) -> String {
    server.post("/networks", json!({"network": {"name": name}})).await.expect(201)["id"].as_str().unwrap().to_owned()
}

fn names(rows: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn are_set_added_shown_and_removed_with_their_own_statuses() {
    let server = Server::full().await;
    let id = network(&server, "n").await;
    let path = format!("/networks/{id}/tags");
    assert_eq!(server.get(&path).await.body, json!({"tags": []}));
    assert_eq!(server.put(&path, json!({"tags": ["b", "a"]})).await.body, json!({"tags": ["b", "a"]}));
    assert_eq!(server.get(&path).await.body, json!({"tags": ["a", "b"]}));
    let before = server.get(&format!("/networks/{id}")).await.expect(200)["revision_number"].as_i64().unwrap();
    let put = server.send(Method::PUT, &format!("{path}/c"), "", &[]).await;
    assert_eq!((put.status, put.text.as_str()), (201, "null"));
    let after = server.get(&format!("/networks/{id}")).await.expect(200);
    assert_eq!(after["tags"], json!(["a", "b", "c"]));
    assert_eq!(after["revision_number"].as_i64().unwrap(), before + 1);
    let got = server.get(&format!("{path}/c")).await;
    assert_eq!((got.status, got.text.as_str()), (204, ""));
    server.get(&format!("{path}/z")).await.refused(404, "TagNotFound");
    assert_eq!(server.post(&path, json!({"tags": ["d"]})).await.body, json!({"tags": ["d"]}));
    assert_eq!(server.delete(&format!("{path}/c")).await.status, 204);
    server.delete(&format!("{path}/c")).await.refused(404, "TagNotFound");
    assert_eq!(server.put(&path, json!({"tags": ["d", "e"]})).await.status, 200);
    assert_eq!(server.get(&path).await.body, json!({"tags": ["d", "e"]}));
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM tags").await, 0);
    server.get("/networks/nope/tags").await.refused(404, "NetworkNotFound");
}

#[tokio::test]
async fn bad_tags_are_refused() {
    let server = Server::full().await;
    let path = format!("/networks/{}/tags", network(&server, "n").await);
    let long = "x".repeat(256);
    for body in [
        json!({"tags": "a"}),
        json!({"tags": [long]}),
        json!({"tags": ["a", "a"]}),
        json!({"tags": [5]}),
        json!({}),
        json!([]),
        json!({"tags": null}),
    ] {
        server.put(&path, body.clone()).await.refused(400, "InvalidInput");
        server.post(&path, body).await.refused(400, "InvalidInput");
    }
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    server.put(&path, json!({ "tags": many })).await.refused(400, "BadRequest");
    server.put(&path, json!({ "tags": many[..50] })).await.expect(200);
    server.post(&path, json!({"tags": ["one more"]})).await.refused(400, "BadRequest");
    server.send(Method::PUT, &format!("{path}/{long}"), "", &[]).await.refused(400, "InvalidInput");
    server.send(Method::PATCH, &path, "{}", &[]).await.refused(405, "HTTPMethodNotAllowed");
    assert_eq!(server.count("SELECT count(*) FROM tags").await, 50);
}

#[tokio::test]
async fn lists_are_filtered_by_all_any_and_their_opposites() {
    let server = Server::full().await;
    for (name, tags) in [("none", json!([])), ("a", json!(["a"])), ("ab", json!(["a", "b"])), ("bc", json!(["b", "c"]))] {
        let id = network(&server, name).await;
        server.put(&format!("/networks/{id}/tags"), json!({ "tags": tags })).await.expect(200);
    }
    for (query, expected) in [
        ("tags=a", vec!["a", "ab"]),
        ("tags=a,b", vec!["ab"]),
        ("tags=a&tags=b", vec!["ab"]),
        ("tags-any=a,c", vec!["a", "ab", "bc"]),
        ("not-tags=a,b", vec!["a", "bc", "none"]),
        ("not-tags-any=a,c", vec!["none"]),
        ("tags=a&not-tags=b", vec!["a"]),
    ] {
        let rows = server.get(&format!("/networks?{query}&fields=name")).await.expect(200);
        assert_eq!(names(&rows), expected, "{query}");
    }
}

#[tokio::test]
async fn ports_take_tags_at_creation_and_pages_cost_one_statement() {
    let server = Server::full().await;
    let net = network(&server, "n").await;
    let ports: Vec<Value> = (0..20).map(|n| json!({"network_id": net, "tags": [format!("t{n}"), "all"]})).collect();
    let made = server.post("/ports", json!({ "ports": ports })).await.expect(201);
    assert_eq!(made[3]["tags"], json!(["all", "t3"]));
    let mut counts = Vec::new();
    for limit in [1, 20] {
        let before = server.statements();
        server.get(&format!("/ports?limit={limit}&fields=id&fields=tags")).await.expect_rows("ports", limit);
        counts.push(server.statements() - before);
    }
    // The ports; their tags together with what rules may look at (their trunks).
    assert_eq!(counts, [2, 2]);
}

#[tokio::test]
async fn texts_of_all_kinds_come_back_as_they_were() {
    let server = Server::full().await;
    let net = network(&server, "n").await;
    let texts =
        [r#"a "quoted" \ 'text'"#, "two\nlines\tand a tab", "null", "0", "", "\u{1}\u{7f}", "é ü 漢字", "?", "$1 :a %s", "[1, 2]", "true"];
    let options: Vec<Value> = texts
        .iter()
        .enumerate()
        .filter(|(_, text)| !text.is_empty() && !text.contains(char::is_whitespace))
        .map(|(n, text)| json!({"opt_name": format!("{n:03}"), "opt_value": text, "ip_version": 4}))
        .collect();
    let tags: Vec<&str> = texts.iter().copied().filter(|text| !text.is_empty() && !text.contains(',')).collect();
    let port = json!({"network_id": net, "extra_dhcp_opts": options, "tags": tags, "binding:profile": {"texts": texts}});
    let made = server.post("/ports", json!({ "port": port })).await.expect(201);
    let shown = server.get(&format!("/ports/{}", made["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(shown["extra_dhcp_opts"], json!(options));
    assert_eq!(shown["binding:profile"], json!({"texts": texts}));
    let mut kept: Vec<&str> = shown["tags"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut sent = tags.clone();
    kept.sort_unstable();
    sent.sort_unstable();
    assert_eq!(kept, sent);
}
