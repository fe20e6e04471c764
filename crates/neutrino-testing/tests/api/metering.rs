// SPDX-License-Identifier: Apache-2.0
use neutrino_api::app::Identity;
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

const LABELS: &str = "/metering/metering-labels";
const RULES: &str = "/metering/metering-label-rules";

async fn label(server: &Server, name: &str) -> String {
    let label = server.post(LABELS, json!({"metering_label": {"name": name}})).await.expect(201);
    label["id"].as_str().unwrap().to_owned()
}

fn rule(label: &str, more: Value) -> Value {
    let mut rule = json!({"metering_label_id": label, "direction": "ingress"});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "metering_label_rule": rule })
}

#[tokio::test]
async fn labels_live_from_create_to_delete() {
    let server = Server::full().await;
    let made = server.post(LABELS, json!({"metering_label": {"name": "a", "description": "d", "shared": "yes"}})).await.expect(201);
    let id = made["id"].as_str().unwrap();
    let whole = json!({"id": id, "name": "a", "description": "d", "shared": true, "project_id": PROJECT, "tenant_id": PROJECT});
    assert_eq!(made, whole);
    assert_eq!(server.get(&format!("{LABELS}/{id}")).await.expect(200), whole);
    let bare = server.post(LABELS, json!({"metering_label": {}})).await.expect(201);
    assert_eq!((&bare["name"], &bare["description"], &bare["shared"]), (&json!(""), &json!(""), &json!(false)));
    server.get(&format!("{LABELS}?shared=True")).await.expect_rows("metering_labels", 1);
    assert_eq!(server.put(&format!("{LABELS}/{id}"), json!({"metering_label": {"name": "b"}})).await.status, 405);
    server.post(LABELS, json!({"metering_label": {"shared": "x"}})).await.refused(400, "InvalidInput");
    assert_eq!(server.delete(&format!("{LABELS}/{id}")).await.status, 204);
    server.get(&format!("{LABELS}/{id}")).await.refused(404, "MeteringLabelNotFound");
    server.delete(&format!("{LABELS}/{id}")).await.refused(404, "MeteringLabelNotFound");
}

#[tokio::test]
async fn rules_go_with_their_label() {
    let server = Server::full().await;
    let id = label(&server, "a").await;
    let made = server.post(RULES, rule(&id, json!({"remote_ip_prefix": "10.1.0.1/16", "excluded": true}))).await.expect(201);
    let rule_id = made["id"].as_str().unwrap();
    let whole = json!({
        "id": rule_id, "metering_label_id": id, "direction": "ingress", "excluded": true,
        "remote_ip_prefix": "10.1.0.1/16", "source_ip_prefix": null, "destination_ip_prefix": null,
    });
    assert_eq!(made, whole);
    assert_eq!(server.get(&format!("{RULES}/{rule_id}")).await.expect(200), whole);
    let both = json!({"source_ip_prefix": "10.2.0.1", "destination_ip_prefix": "fe80::1/64"});
    let other = server.post(RULES, rule(&id, both)).await.expect(201);
    assert_eq!((&other["source_ip_prefix"], &other["destination_ip_prefix"]), (&json!("10.2.0.1/32"), &json!("fe80::1/64")));
    server.get(&format!("{RULES}?metering_label_id={id}&excluded=False")).await.expect_rows("metering_label_rules", 1);
    assert_eq!(server.put(&format!("{RULES}/{rule_id}"), json!({"metering_label_rule": {}})).await.status, 405);
    assert_eq!(server.delete(&format!("{RULES}/{rule_id}")).await.status, 204);
    server.get(&format!("{RULES}/{rule_id}")).await.refused(404, "MeteringLabelRuleNotFound");
    assert_eq!(server.delete(&format!("{LABELS}/{id}")).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM meteringlabelrules").await, 0);
}

#[tokio::test]
async fn what_makes_no_rule_is_refused() {
    let server = Server::full().await;
    let id = label(&server, "a").await;
    for more in [
        json!({}),
        json!({"remote_ip_prefix": "", "source_ip_prefix": null}),
        json!({"remote_ip_prefix": "10.0.0.0/8", "source_ip_prefix": "10.0.0.0/8"}),
        json!({"remote_ip_prefix": "10.0.0.0/8", "destination_ip_prefix": "10.0.0.0/8"}),
        json!({"source_ip_prefix": "zz"}),
        json!({"destination_ip_prefix": 5}),
        json!({"destination_ip_prefix": ["10.0.0.0/8"]}),
        json!({"remote_ip_prefix": "10.0.0.0/33"}),
    ] {
        server.post(RULES, rule(&id, more)).await.refused(400, "Invalid");
    }
    server.post(RULES, rule(&id, json!({"direction": "up", "remote_ip_prefix": "10.0.0.0/8"}))).await.refused(400, "HTTPBadRequest");
    server.post(RULES, rule("x", json!({"remote_ip_prefix": "10.0.0.0/8"}))).await.refused(400, "HTTPBadRequest");
    let absent = "11111111-1111-1111-1111-111111111111";
    server.post(RULES, rule(absent, json!({"remote_ip_prefix": "10.0.0.0/8"}))).await.refused(404, "MeteringLabelNotFound");
    assert_eq!(server.count("SELECT count(*) FROM meteringlabelrules").await, 0);
}

#[tokio::test]
async fn remote_prefixes_of_one_label_and_direction_do_not_overlap() {
    let server = Server::full().await;
    let (a, b) = (label(&server, "a").await, label(&server, "b").await);
    server.post(RULES, rule(&a, json!({"remote_ip_prefix": "10.1.0.0/16"}))).await.expect(201);
    for prefix in ["10.1.2.0/24", "10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"] {
        server.post(RULES, rule(&a, json!({ "remote_ip_prefix": prefix }))).await.refused(409, "MeteringLabelRuleOverlaps");
    }
    for (label, more) in [
        (&b, json!({"remote_ip_prefix": "10.1.0.0/16"})),
        (&a, json!({"remote_ip_prefix": "10.1.0.0/16", "direction": "egress"})),
        (&a, json!({"remote_ip_prefix": "10.1.0.0/16", "excluded": true})),
        (&a, json!({"remote_ip_prefix": "10.2.0.0/16"})),
        (&a, json!({"remote_ip_prefix": "::/0"})),
        (&a, json!({"source_ip_prefix": "10.1.0.0/16"})),
        (&a, json!({"source_ip_prefix": "10.1.0.0/16"})),
    ] {
        server.post(RULES, rule(label, more)).await.expect(201);
    }
    let pair = [json!({"remote_ip_prefix": "10.9.0.0/16"}), json!({"remote_ip_prefix": "10.9.0.0/24"})];
    let pair: Vec<Value> = pair.into_iter().map(|more| rule(&a, more)["metering_label_rule"].take()).collect();
    server.post(RULES, json!({ "metering_label_rules": pair })).await.refused(409, "MeteringLabelRuleOverlaps");
    server.get(&format!("{RULES}?remote_ip_prefix=10.9.0.0/16")).await.expect_rows("metering_label_rules", 0);
}

#[tokio::test]
async fn overlaps_are_seen_between_requests_at_once() {
    let server = Server::full().await;
    let id = label(&server, "a").await;
    let one = || server.post(RULES, rule(&id, json!({"remote_ip_prefix": "10.0.0.0/8"})));
    let answers = futures::future::join_all((0..8).map(|_| one())).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn others_see_nothing_of_labels_and_rules() {
    let server = Server::full().await;
    let caller = |project: &str| Identity {
        user_id: Some("u".to_owned()),
        project_id: Some(project.to_owned()),
        roles: ["manager", "member", "reader"].map(str::to_owned).to_vec(),
        ..Identity::default()
    };
    let made = server
        .send_as(caller("a"), http::Method::POST, LABELS, json!({"metering_label": {"name": "x", "shared": true}}).to_string(), &[])
        .await
        .expect(201);
    let id = made["id"].as_str().unwrap();
    let body = rule(id, json!({"remote_ip_prefix": "10.0.0.0/8"})).to_string();
    let own = server.send_as(caller("a"), http::Method::POST, RULES, body.clone(), &[]).await.expect(201);
    for (project, rows) in [("a", 1), ("b", 0)] {
        server.send_as(caller(project), http::Method::GET, LABELS, "", &[]).await.expect_rows("metering_labels", rows);
        server.send_as(caller(project), http::Method::GET, RULES, "", &[]).await.expect_rows("metering_label_rules", rows);
    }
    let path = format!("{RULES}/{}", own["id"].as_str().unwrap());
    for path in [path.as_str(), &format!("{LABELS}/{id}")] {
        for method in [http::Method::GET, http::Method::DELETE] {
            assert_eq!(server.send_as(caller("b"), method, path, "", &[]).await.status, 404, "{path}");
        }
    }
    server.send_as(caller("b"), http::Method::POST, RULES, body, &[]).await.refused(404, "MeteringLabelNotFound");
    assert_eq!(server.send_as(caller("a"), http::Method::DELETE, &path, "", &[]).await.status, 204);
}
