// SPDX-License-Identifier: Apache-2.0
//! The attribute `security_groups` of ports.

use neutrino_core::{Caller, Context};
use neutrino_model::Body;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

use crate::security_groups::{group, id};

async fn network(server: &Server) -> Value {
    server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201)["id"].clone()
}

async fn create(server: &Server, network: &Value, more: Value) -> Answer {
    let mut body = json!({"network_id": network});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    server.post("/ports", json!({"port": body})).await
}

async fn update(server: &Server, port: &Value, change: Value) -> Answer {
    server.put(&format!("/ports/{}", id(port)), json!({"port": change})).await
}

async fn default_id(server: &Server) -> Value {
    server.get(&format!("/security-groups?name=default&project_id={PROJECT}")).await.expect(200)[0]["id"].clone()
}

#[tokio::test]
async fn a_port_has_the_default_group_unless_told_otherwise() {
    let server = Server::start().await;
    let net = network(&server).await;
    let default = default_id(&server).await;
    let made = group(&server, "g").await;
    for (more, groups) in [
        (json!({}), json!([default])),
        (json!({"security_groups": null}), json!([])),
        (json!({"security_groups": []}), json!([])),
        (json!({"security_groups": [made["id"]]}), json!([made["id"]])),
        (json!({"device_owner": "network:dhcp"}), json!([])),
        (json!({"device_owner": "compute:nova"}), json!([default])),
        (json!({"project_id": ""}), json!([])),
    ] {
        let port = create(&server, &net, more.clone()).await.expect(201);
        assert_eq!(port["security_groups"], groups, "{more}");
        assert_eq!(server.get(&format!("/ports/{}", id(&port))).await.expect(200)["security_groups"], groups, "{more}");
    }
    let other = create(&server, &net, json!({"project_id": "other"})).await.expect(201);
    let group = server.get(&format!("/security-groups/{}", other["security_groups"][0].as_str().unwrap())).await.expect(200);
    assert_eq!((&group["name"], &group["project_id"]), (&json!("default"), &json!("other")));
}

#[tokio::test]
async fn bad_groups_are_refused() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = group(&server, "g").await;
    let stateless = server.post("/security-groups", json!({"security_group": {"stateful": false}})).await.expect(201);
    let port = create(&server, &net, json!({"name": "p"})).await.expect(201);
    let unknown = "7ef1da2d-15fb-413e-b838-0500afa9fe7c";
    let before = server.count("SELECT count(*) FROM securitygroupportbindings").await;
    for (groups, status, kind) in [
        (json!("x"), 400, "HTTPBadRequest"),
        (json!(["x"]), 400, "HTTPBadRequest"),
        (json!([null]), 400, "HTTPBadRequest"),
        (json!([made["id"], made["id"]]), 400, "HTTPBadRequest"),
        (json!([unknown]), 404, "SecurityGroupNotFound"),
        (json!([made["id"], unknown]), 404, "SecurityGroupNotFound"),
        (json!([made["id"], stateless["id"]]), 409, "SecurityGroupConflict"),
    ] {
        create(&server, &net, json!({"security_groups": groups})).await.refused(status, kind);
        update(&server, &port, json!({"name": "changed", "security_groups": groups})).await.refused(status, kind);
    }
    assert_eq!(server.count("SELECT count(*) FROM securitygroupportbindings").await, before);
    assert_eq!(server.get(&format!("/ports/{}", id(&port))).await.expect(200), port, "a refused update changes nothing");
}

#[tokio::test]
async fn an_update_changes_the_groups_and_the_revision() {
    let server = Server::start().await;
    let net = network(&server).await;
    let (a, b) = (group(&server, "a").await, group(&server, "b").await);
    let port = create(&server, &net, json!({"security_groups": [a["id"]]})).await.expect(201);
    let first = port["revision_number"].as_i64().unwrap();
    let same = update(&server, &port, json!({"security_groups": [a["id"]]})).await.expect(200);
    assert_eq!(same["revision_number"], first);
    let both = update(&server, &port, json!({"security_groups": [b["id"], a["id"]]})).await.expect(200);
    let mut sorted = [id(&a), id(&b)];
    sorted.sort_unstable();
    assert_eq!((&both["security_groups"], &both["revision_number"]), (&json!(sorted), &json!(first + 1)));
    let only_b = update(&server, &port, json!({"security_groups": [b["id"]]})).await.expect(200);
    assert_eq!(only_b["security_groups"], json!([b["id"]]));
    let renamed = update(&server, &port, json!({"name": "p"})).await.expect(200);
    assert_eq!(renamed["security_groups"], json!([b["id"]]));
    let none = update(&server, &port, json!({"security_groups": null})).await.expect(200);
    assert_eq!((&none["security_groups"], &none["revision_number"]), (&json!([]), &json!(first + 4)));
}

#[tokio::test]
async fn lists_filter_by_group_in_constant_statements() {
    let server = Server::start().await;
    let net = network(&server).await;
    let (a, b) = (group(&server, "a").await, group(&server, "b").await);
    let mut wanted = Vec::new();
    for groups in [json!([a["id"]]), json!([b["id"]]), json!([a["id"], b["id"]]), json!([])] {
        wanted.push(id(&create(&server, &net, json!({"security_groups": groups})).await.expect(201)).to_owned());
    }
    let list = async |query: String| {
        let rows = server.get(&format!("/ports?fields=id&{query}")).await.expect(200);
        let mut ids: Vec<String> = rows.as_array().unwrap().iter().map(|p| id(p).to_owned()).collect();
        ids.sort();
        ids
    };
    let sorted = |mut ids: Vec<String>| {
        ids.sort();
        ids
    };
    let by_a = format!("security_groups={}", id(&a));
    assert_eq!(list(by_a.clone()).await, sorted(vec![wanted[0].clone(), wanted[2].clone()]));
    let by_both = format!("{by_a}&security_groups={}", id(&b));
    assert_eq!(list(by_both).await, sorted(wanted[..3].to_vec()));
    assert_eq!(list("security_groups=nope".to_owned()).await, Vec::<String>::new());
    let count = async || {
        let before = server.statements();
        assert_eq!(server.get("/ports?fields=id&fields=security_groups").await.status, 200);
        server.statements() - before
    };
    let few = count().await;
    let many: Vec<_> = (0..20).map(|_| json!({"network_id": net})).collect();
    server.post("/ports", json!({"ports": many})).await.expect(201).as_array().unwrap();
    assert_eq!(count().await, few);
    assert!(few <= 2, "{few}");
}

#[tokio::test]
async fn port_security_decides_whether_groups_may_be() {
    let server = Server::with(&[("ml2", "extension_drivers", "port_security")]).await;
    let net = network(&server).await;
    let made = group(&server, "g").await;
    let off = create(&server, &net, json!({"port_security_enabled": false})).await.expect(201);
    assert_eq!(off["security_groups"], json!([]));
    create(&server, &net, json!({"port_security_enabled": false, "security_groups": [made["id"]]}))
        .await
        .refused(400, "PortSecurityAndIPRequiredForSecurityGroups");
    update(&server, &off, json!({"security_groups": [made["id"]]})).await.refused(400, "PortSecurityAndIPRequiredForSecurityGroups");
    let on = create(&server, &net, json!({})).await.expect(201);
    assert_eq!(on["security_groups"], json!([default_id(&server).await]));
    update(&server, &on, json!({"port_security_enabled": false})).await.refused(409, "PortSecurityPortHasSecurityGroup");
    let off = update(&server, &on, json!({"port_security_enabled": false, "security_groups": []})).await.expect(200);
    assert_eq!(off["security_groups"], json!([]));
}

#[tokio::test]
async fn groups_of_others_must_be_shared() {
    let server = Server::start().await;
    let net = network(&server).await;
    server.sql("INSERT INTO networkrbacs (id, project_id, object_id, target_project, action) SELECT 'n1', project_id, id, '*', 'access_as_shared' FROM networks").await;
    let made = group(&server, "g").await;
    let cx = Context::new("req-test", Caller { project_id: Some("other".to_owned()), ..Caller::default() });
    let auth = neutrino_core::Authorized::internal("a test");
    let table = server.engine.entry("ports").unwrap().table.clone();
    let body = || {
        let request = json!({"network_id": net, "security_groups": [made["id"]]});
        Body::create(table.clone(), request.as_object().unwrap(), Some("other"), &server.engine.registry.limits).unwrap()
    };
    let error = server.engine.create(&cx, &auth, "ports", vec![body()]).await.unwrap_err();
    assert_eq!((error.status(), error.kind().name), (404, "SecurityGroupNotFound"));
    server
        .sql(&format!(
            "INSERT INTO securitygrouprbacs (id, project_id, object_id, target_project, action) \
             VALUES ('r1', '{PROJECT}', '{}', 'other', 'access_as_shared')",
            id(&made)
        ))
        .await;
    let ports = server.engine.create(&cx, &auth, "ports", vec![body()]).await.unwrap();
    assert_eq!(ports[0].get("security_groups"), &json!([made["id"]]));
}
