// SPDX-License-Identifier: Apache-2.0
use futures::future::join_all;
use neutrino_api::app::Identity;
use neutrino_core::{Authorized, Caller, Context, ListQuery};
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

use crate::security_groups::{group, id};

async fn create(server: &Server, body: Value) -> Answer {
    server.post("/address-groups", json!({"address_group": body})).await
}

async fn change(server: &Server, group: &Value, action: &str, body: Value) -> Answer {
    server.put(&format!("/address-groups/{}/{action}", id(group)), body).await
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let addresses = json!(["10.0.0.1/32", "2001:db8::/64", "10.0.0.5/24", "10.0.0.9/24"]);
    let made = create(&server, json!({"name": "a", "description": "d", "addresses": addresses})).await.expect(201);
    for (name, value) in [
        ("name", json!("a")),
        ("description", json!("d")),
        ("addresses", json!(["10.0.0.0/24", "10.0.0.1/32", "2001:db8::/64"])),
        ("revision_number", json!(3)),
        ("project_id", json!(PROJECT)),
        ("tenant_id", json!(PROJECT)),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    assert!(made.get("shared").is_none());
    let path = format!("/address-groups/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    let changed = server.put(&path, json!({"address_group": {"name": "b"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["addresses"]), (&json!("b"), &made["addresses"]));
    server.put(&path, json!({"address_group": {"addresses": []}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.get("/address-groups?name=b&fields=name").await.expect(200), json!([{"name": "b"}]));
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "AddressGroupNotFound");
    assert_eq!(server.count("SELECT count(*) FROM address_associations").await, 0);
}

#[tokio::test]
async fn addresses_come_and_go() {
    let server = Server::start().await;
    let made = create(&server, json!({})).await.expect(201);
    assert_eq!((&made["addresses"], &made["revision_number"]), (&json!([]), &json!(0)));
    let more = change(&server, &made, "add_addresses", json!({"addresses": ["10.0.0.1", "10.9.0.7/24", "10.9.0.0/24"]})).await.expect(200);
    assert_eq!((&more["addresses"], &more["revision_number"]), (&json!(["10.0.0.1/32", "10.9.0.0/24"]), &json!(1)));
    let path = format!("/address-groups/{}", id(&made));
    let mut shown = server.get(&path).await.expect(200);
    shown["shared"] = json!(false);
    assert_eq!(shown, more);
    change(&server, &made, "add_addresses", json!({"addresses": ["9.9.9.9", "10.0.0.1"]})).await.refused(400, "AddressesAlreadyExist");
    change(&server, &made, "remove_addresses", json!({"addresses": ["10.0.0.1", "9.9.9.9"]})).await.refused(404, "AddressesNotFound");
    assert_eq!(change(&server, &made, "add_addresses", json!({"addresses": []})).await.expect(200), more);
    for action in ["add_addresses", "remove_addresses"] {
        for (body, kind) in [
            (json!({"addresses": null}), "HTTPBadRequest"),
            (json!({"addresses": "10.1.1.1"}), "HTTPBadRequest"),
            (json!({}), "HTTPBadRequest"),
            (json!(5), "HTTPBadRequest"),
            (json!({"addresses": ["foo"]}), "AddrFormatError"),
            (json!({"addresses": [5]}), "AddrFormatError"),
            (json!({"addresses": ["10.0.0.0/33"]}), "AddrFormatError"),
        ] {
            change(&server, &made, action, body).await.refused(400, kind);
        }
        server.put(&format!("/address-groups/nope/{action}"), json!({"addresses": []})).await.refused(404, "AddressGroupNotFound");
        server.get(&format!("{path}/{action}")).await.refused(405, "HTTPMethodNotAllowed");
    }
    let less = change(&server, &made, "remove_addresses", json!({"addresses": ["10.9.0.3/24"]})).await.expect(200);
    assert_eq!((&less["addresses"], &less["revision_number"]), (&json!(["10.0.0.1/32"]), &json!(2)));
}

#[tokio::test]
async fn bad_values_are_refused() {
    let server = Server::start().await;
    for body in [
        json!({"addresses": ["foo"]}),
        json!({"addresses": ["10.0.0.1"]}),
        json!({"addresses": "10.0.0.0/8"}),
        json!({"addresses": [5]}),
        json!({"addresses": ["10.0.0.0/33"]}),
        json!({"addresses": ["10.0.0.1-10.0.0.3"]}),
        json!({"addresses": [""]}),
        json!({"addresses": ["10.0.0.0/24", "10.0.0.0/24"]}),
        json!({"name": null}),
        json!({"name": "x".repeat(256)}),
        json!({"description": "x".repeat(256)}),
        json!({"description": null}),
        json!({"shared": true}),
        json!({"id": "x"}),
    ] {
        create(&server, body).await.refused(400, "HTTPBadRequest");
    }
    assert_eq!(create(&server, json!({"addresses": null})).await.expect(201)["addresses"], json!([]));
    assert_eq!(create(&server, json!({"description": "x".repeat(255)})).await.status, 201);
    server.get("/address-groups?addresses=10.0.0.1/32").await.refused(400, "HTTPBadRequest");
    let list = json!({"address_groups": [{"name": "b1", "addresses": ["1.1.1.1/32"]}, {"name": "b2", "addresses": ["x"]}]});
    server.post("/address-groups", list).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.count("SELECT count(*) FROM address_groups").await, 2);
}

#[tokio::test]
async fn a_group_that_rules_use_stays() {
    let server = Server::start().await;
    let addresses = create(&server, json!({"addresses": ["10.0.0.0/8"]})).await.expect(201);
    let made = group(&server, "g").await;
    let rule = json!({"security_group_id": made["id"], "direction": "ingress", "remote_address_group_id": addresses["id"]});
    let body = json!({"security_group_rule": rule});
    let rule = server.post("/security-group-rules", body.clone()).await.expect(201);
    assert_eq!(rule["remote_address_group_id"], addresses["id"]);
    server.post("/security-group-rules", body).await.refused(409, "SecurityGroupRuleExists");
    let path = format!("/address-groups/{}", id(&addresses));
    server.delete(&path).await.refused(409, "AddressGroupInUse");
    assert_eq!(server.delete(&format!("/security-group-rules/{}", id(&rule))).await.status, 204);
    assert_eq!(server.delete(&path).await.status, 204);
}

#[tokio::test]
async fn sharing_shows_a_group_to_others() {
    let server = Server::start().await;
    let made = create(&server, json!({})).await.expect(201);
    let cx = Context::new("req-test", Caller { project_id: Some("other".to_owned()), ..Caller::default() });
    let auth = Authorized::internal("a test");
    let seen = async || server.engine.list(&cx, &auth, "address_groups", None, &ListQuery::default()).await.unwrap().len();
    assert_eq!(seen().await, 0);
    server
        .sql(&format!(
            "INSERT INTO addressgrouprbacs (id, project_id, object_id, target_project, action) \
             VALUES ('r1', '{PROJECT}', '{}', 'other', 'access_as_shared')",
            id(&made)
        ))
        .await;
    assert_eq!(seen().await, 1);
    // As in Neutron, it is shown to them, and nothing more: who may not change it is not told that it is there.
    let member = || Identity { project_id: Some("other".to_owned()), roles: vec!["member".to_owned()], ..Identity::default() };
    let body = json!({"address_group": {"name": "mine"}}).to_string();
    let answer = server.send_as(member(), http::Method::PUT, &format!("/address-groups/{}", id(&made)), body, &[]).await;
    assert_eq!(answer.status, 404, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_same_address_added_by_many_is_there_once() {
    let server = Server::start().await;
    let made = create(&server, json!({})).await.expect(201);
    let (server, made) = (&server, &made);
    let answers = join_all((0..16).map(|_| change(server, made, "add_addresses", json!({"addresses": ["10.0.0.1"]})))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.into_iter().filter(|answer| answer.status != 200) {
        answer.refused(400, "AddressesAlreadyExist");
    }
}

#[tokio::test]
async fn lists_take_a_constant_number_of_statements() {
    let server = Server::start().await;
    let one = json!({"name": "a", "addresses": ["10.0.0.0/8"]});
    create(&server, one.clone()).await.expect(201)["id"].as_str().unwrap();
    let count = async || {
        let before = server.statements();
        assert_eq!(server.get("/address-groups").await.status, 200);
        server.statements() - before
    };
    let few = count().await;
    server.post("/address-groups", json!({"address_groups": vec![one; 40]})).await.expect(201).as_array().unwrap();
    assert_eq!((few, count().await), (2, 2));
}
