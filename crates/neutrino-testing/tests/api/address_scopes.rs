// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::Server;
use serde_json::json;

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let scope = server.post("/address-scopes", json!({"address_scope": {"name": "as", "ip_version": "4"}})).await.expect(201);
    assert_eq!(scope["ip_version"], 4);
    assert_eq!(scope["shared"], false);
    assert_eq!(scope["project_id"], neutrino_testing::PROJECT);
    assert_eq!(scope["tenant_id"], neutrino_testing::PROJECT);
    let path = format!("/address-scopes/{}", scope["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), scope);
    let changed = server.put(&path, json!({"address_scope": {"name": "b", "shared": true}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["shared"]), (&json!("b"), &json!(true)));
    server.put(&path, json!({"address_scope": {"shared": false}})).await.refused(400, "AddressScopeUpdateError");
    assert_eq!(server.get("/address-scopes?shared=True&fields=name").await.expect(200), json!([{"name": "b"}]));
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "AddressScopeNotFound");
    assert_eq!(server.count("SELECT count(*) FROM addressscoperbacs").await, 0);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let server = Server::start().await;
    for (body, kind) in [
        (json!({"address_scope": {"name": "x"}}), "HTTPBadRequest"),
        (json!({"address_scope": {"name": "x", "ip_version": 5}}), "HTTPBadRequest"),
        (json!({"address_scope": {"name": "x", "ip_version": "four"}}), "InvalidInput"),
        (json!({"address_scope": {"ip_version": 4, "colour": "red"}}), "HTTPBadRequest"),
        (json!({"address_scope": {"ip_version": 4, "id": "x"}}), "HTTPBadRequest"),
        (json!({"scope": {}}), "HTTPBadRequest"),
        (json!({"address_scopes": []}), "HTTPBadRequest"),
    ] {
        server.post("/address-scopes", body).await.refused(400, kind);
    }
    assert_eq!(server.count("SELECT count(*) FROM address_scopes").await, 0);
}

#[tokio::test]
async fn lists_page_by_marker_in_constant_statements() {
    let server = Server::start().await;
    let items: Vec<_> = (0..5).map(|n| json!({"name": format!("s{}", n / 2), "ip_version": 4})).collect();
    server.post("/address-scopes", json!({"address_scopes": items})).await.expect(201).as_array().unwrap();
    let mut seen = Vec::new();
    let mut path = "/address-scopes?limit=2&sort_key=name&sort_dir=desc".to_owned();
    loop {
        let before = server.statements();
        let answer = server.get(&path).await;
        let body = answer.body.clone();
        let rows = body["address_scopes"].as_array().unwrap();
        assert!(server.statements() - before <= 2, "a page and its marker are two statements");
        seen.extend(rows.iter().map(|r| r["name"].as_str().unwrap().to_owned()));
        let next = body["address_scopes_links"].as_array().and_then(|l| l.iter().find(|l| l["rel"] == "next").cloned());
        let Some(next) = next else { break };
        let href = next["href"].as_str().unwrap();
        path = href.split_once("/v2.0").unwrap().1.to_owned();
    }
    assert_eq!(seen, ["s2", "s1", "s1", "s0", "s0"]);
}
