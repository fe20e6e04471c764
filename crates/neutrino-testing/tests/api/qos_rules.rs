// SPDX-License-Identifier: Apache-2.0
//! The rules of QoS policies, inside their policy and by their own ids.

use serde_json::{Value, json};

use neutrino_testing::Server;

use crate::{
    policy::by,
    qos_policies::{A, B, MANAGER, id, policy, server, shown},
};

/// Collection, member, a valid rule, a change of it.
fn kinds() -> [(&'static str, &'static str, Value, Value); 5] {
    [
        ("bandwidth_limit_rules", "bandwidth_limit_rule", json!({"max_kbps": 1000}), json!({"max_burst_kbps": 5})),
        ("dscp_marking_rules", "dscp_marking_rule", json!({"dscp_mark": 8}), json!({"dscp_mark": 10})),
        ("minimum_bandwidth_rules", "minimum_bandwidth_rule", json!({"min_kbps": 1}), json!({"direction": "ingress"})),
        ("minimum_packet_rate_rules", "minimum_packet_rate_rule", json!({"min_kpps": 1}), json!({"direction": "any"})),
        ("packet_rate_limit_rules", "packet_rate_limit_rule", json!({"max_kpps": 1}), json!({"max_kpps": 2})),
    ]
}

async fn add(server: &Server, policy: &str, member: &str, rule: Value) -> neutrino_testing::Answer {
    server.post(&format!("{policy}/{member}s"), json!({ member: rule })).await
}

#[tokio::test]
async fn rules_of_every_kind_live_from_create_to_delete() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    for (collection, member, body, change) in kinds() {
        let before = shown(&server, &path, "revision_number").await.as_i64().unwrap();
        let made = add(&server, &path, member, body.clone()).await.expect(201);
        let mut expected = body;
        expected["id"] = made["id"].clone();
        for (name, default) in [("direction", json!("egress")), ("max_burst_kbps", json!(0)), ("max_burst_kpps", json!(0))] {
            if made.get(name).is_some() {
                expected[name] = default;
            }
        }
        assert_eq!(made, expected);
        let rule = format!("{path}/{collection}/{}", made["id"].as_str().unwrap());
        assert_eq!(server.get(&rule).await.expect(200), made);
        assert_eq!(server.get(&format!("{path}/{}", collection.replace('_', "-"))).await.body[collection], json!([made]));
        let embedded = shown(&server, &path, "rules").await;
        let mut inside = made.clone();
        inside["qos_policy_id"] = json!(id(&path));
        inside["type"] = json!(member.trim_end_matches("_rule"));
        assert_eq!(embedded, json!([inside]));
        assert_eq!(shown(&server, &path, "revision_number").await, before + 1);
        let changed = server.put(&rule, json!({ member: change })).await.expect(200);
        for (name, value) in change.as_object().unwrap() {
            assert_eq!(&changed[name], value);
        }
        assert_eq!(shown(&server, &path, "revision_number").await, before + 2);
        server.put(&rule, json!({ member: {} })).await.expect(200);
        server.put(&rule, json!({ member: change })).await.expect(200);
        assert_eq!(shown(&server, &path, "revision_number").await, before + 2);
        assert_eq!(server.delete(&rule).await.status, 204);
        assert_eq!(shown(&server, &path, "revision_number").await, before + 3);
        server.get(&rule).await.refused(404, "QosRuleNotFound");
        server.delete(&rule).await.refused(404, "QosRuleNotFound");
        server.put(&rule, json!({ member: change })).await.refused(404, "QosRuleNotFound");
    }
    assert_eq!(server.delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_rule_has_an_address_of_its_own() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    for (_, member, body, change) in kinds().into_iter().take(4) {
        let made = add(&server, &path, member, body).await.expect(201);
        let collection = format!("/qos/alias-{}s", member.replace('_', "-"));
        let (alias, key) = (format!("{collection}/{}", made["id"].as_str().unwrap()), format!("alias_{member}"));
        assert_eq!(server.get(&alias).await.expect(200), made);
        assert_eq!(
            server
                .get(&alias.replace('-', "_").replace(&made["id"].as_str().unwrap().replace('-', "_"), made["id"].as_str().unwrap()))
                .await
                .status,
            200
        );
        let before = shown(&server, &path, "revision_number").await.as_i64().unwrap();
        server.put(&alias, json!({ member: change.clone() })).await.refused(400, "HTTPBadRequest");
        let changed = server.put(&alias, json!({ key: change })).await.expect(200);
        assert_eq!(server.get(&format!("{path}/{member}s/{}", made["id"].as_str().unwrap())).await.expect(200), changed);
        assert_eq!(shown(&server, &path, "revision_number").await, before + 1);
        assert_eq!(server.get(&collection).await.status, 405);
        assert_eq!(server.delete(&alias).await.status, 204);
        server.get(&alias).await.refused(404, "QosRuleNotFound");
        assert_eq!(shown(&server, &path, "revision_number").await, before + 2);
    }
    // A rule of another kind is no rule of this one.
    let made = add(&server, &path, "dscp_marking_rule", json!({"dscp_mark": 8})).await.expect(201);
    let mark = made["id"].as_str().unwrap();
    server.get(&format!("/qos/alias-bandwidth-limit-rules/{mark}")).await.refused(404, "QosRuleNotFound");
    server.get(&format!("{path}/bandwidth_limit_rules/{mark}")).await.refused(404, "QosRuleNotFound");
}

#[tokio::test]
async fn rules_go_with_each_other() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    let limit = add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 1000})).await.expect(201);
    let limit = format!("{path}/bandwidth_limit_rules/{}", limit["id"].as_str().unwrap());
    add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 5})).await.refused(409, "QoSRulesConflict");
    add(&server, &path, "minimum_bandwidth_rule", json!({"min_kbps": 1001})).await.refused(409, "QoSRuleParameterConflict");
    add(&server, &path, "minimum_bandwidth_rule", json!({"min_kbps": 1001, "direction": "ingress"})).await.expect(201);
    add(&server, &path, "minimum_bandwidth_rule", json!({"min_kbps": 900})).await.expect(201);
    add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 1000, "direction": "ingress"}))
        .await
        .refused(409, "QoSRuleParameterConflict");
    server.put(&limit, json!({"bandwidth_limit_rule": {"max_kbps": 899}})).await.refused(409, "QoSRuleParameterConflict");
    server.put(&limit, json!({"bandwidth_limit_rule": {"direction": "ingress"}})).await.refused(409, "QoSRuleParameterConflict");
    // What counts is the minimum of its own direction.
    server.put(&limit, json!({"bandwidth_limit_rule": {"max_kbps": 950}})).await.expect(200);
    add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 2000, "direction": "ingress"})).await.expect(201);
    server.put(&limit, json!({"bandwidth_limit_rule": {"direction": "ingress", "max_kbps": 3000}})).await.refused(409, "QoSRulesConflict");
    add(&server, &path, "minimum_packet_rate_rule", json!({"min_kpps": 1, "direction": "any"})).await.expect(201);
    add(&server, &path, "minimum_packet_rate_rule", json!({"min_kpps": 1})).await.refused(409, "QoSRuleParameterConflict");
    add(&server, &path, "dscp_marking_rule", json!({"dscp_mark": 8})).await.expect(201);
    add(&server, &path, "dscp_marking_rule", json!({"dscp_mark": 10})).await.refused(409, "QoSRulesConflict");
    let revision = shown(&server, &path, "revision_number").await;
    // All or none.
    let both = json!({"packet_rate_limit_rules": [{"max_kpps": 1}]});
    server.post(&format!("{path}/packet_rate_limit_rules"), both).await.refused(400, "HTTPBadRequest");
    let other = policy(&server, json!({})).await;
    let both = json!({"bandwidth_limit_rules": [{"max_kbps": 1}, {"max_kbps": 2}]});
    server.post(&format!("{other}/bandwidth_limit_rules"), both).await.refused(409, "QoSRulesConflict");
    assert_eq!(shown(&server, &other, "rules").await, json!([]));
    let both = json!({"bandwidth_limit_rules": [{"max_kbps": 1}, {"max_kbps": 2, "direction": "ingress"}]});
    let made = server.post(&format!("{other}/bandwidth_limit_rules"), both).await.expect(201);
    assert_eq!(made.as_array().map(Vec::len), Some(2));
    assert_eq!(shown(&server, &path, "revision_number").await, revision);
}

#[tokio::test]
async fn equal_rules_at_once_are_one() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    for (_, member, body, _) in kinds() {
        let answers = futures::future::join_all((0..6).map(|_| add(&server, &path, member, body.clone()))).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409], "{member}");
    }
    // A limit and a minimum above it: never both.
    let path = policy(&server, json!({})).await;
    let limit = add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 10}));
    let minimum = add(&server, &path, "minimum_bandwidth_rule", json!({"min_kbps": 20}));
    let (limit, minimum) = tokio::join!(limit, minimum);
    assert_eq!(limit.status + minimum.status, 201 + 409, "{} {}", limit.text, minimum.text);
}

#[tokio::test]
async fn bad_values_are_refused() {
    let server = server().await;
    let path = policy(&server, json!({})).await;
    let cases = [
        ("bandwidth_limit_rule", json!({}), "HTTPBadRequest"),
        ("bandwidth_limit_rule", json!({"max_kbps": -1}), "HTTPBadRequest"),
        ("bandwidth_limit_rule", json!({"max_kbps": 2_147_483_648_i64}), "HTTPBadRequest"),
        ("bandwidth_limit_rule", json!({"max_kbps": "x"}), "InvalidInput"),
        ("bandwidth_limit_rule", json!({"max_kbps": 1, "direction": "any"}), "HTTPBadRequest"),
        ("bandwidth_limit_rule", json!({"max_kbps": 1, "tenant_id": A}), "HTTPBadRequest"),
        ("bandwidth_limit_rule", json!({"max_kbps": 1, "qos_policy_id": A}), "HTTPBadRequest"),
        ("bandwidth_limit_rule", json!({"max_kbps": 1, "max_burst_kbps": -1}), "HTTPBadRequest"),
        ("dscp_marking_rule", json!({"dscp_mark": 9}), "HTTPBadRequest"),
        ("dscp_marking_rule", json!({"dscp_mark": null}), "InvalidInput"),
        ("minimum_packet_rate_rule", json!({"min_kpps": 1, "direction": "x"}), "HTTPBadRequest"),
    ];
    for (member, body, kind) in cases {
        let answer = add(&server, &path, member, body.clone()).await;
        assert!(answer.status == 400, "{body}: {}", answer.text);
        assert!([kind, "HTTPBadRequest", "InvalidInput"].contains(&answer.error()), "{body}: {}", answer.text);
    }
    assert_eq!(shown(&server, &path, "rules").await, json!([]));
    assert_eq!(add(&server, &path, "dscp_marking_rule", json!({"dscp_mark": "16"})).await.expect(201)["dscp_mark"], 16);
    for nonsense in [json!(null), json!([]), json!({}), json!("\u{0}"), json!(1e300), json!(true), json!(["x"])] {
        for (_, member, body, _) in kinds() {
            for name in body.as_object().unwrap().keys().map(String::as_str).chain(["direction"]) {
                let mut bad = body.clone();
                bad[name] = nonsense.clone();
                let other = policy(&server, json!({})).await;
                let answer = add(&server, &other, member, bad.clone()).await;
                assert!(answer.status < 500, "{member} {bad}: {}", answer.text);
                assert_eq!(answer.status == 201, shown(&server, &other, "rules").await != json!([]), "{member} {bad}");
            }
        }
    }
}

#[tokio::test]
async fn a_missing_policy_is_told_from_a_missing_rule() {
    let server = server().await;
    let missing = "/qos/policies/00000000-0000-0000-0000-000000000000";
    for (collection, member, body, _) in kinds() {
        add(&server, missing, member, body.clone()).await.refused(404, "QosPolicyNotFound");
        server.get(&format!("{missing}/{collection}")).await.refused(404, "QosPolicyNotFound");
        server.get(&format!("{missing}/{collection}/x")).await.refused(404, "QosPolicyNotFound");
        server.put(&format!("{missing}/{collection}/x"), json!({ member: {} })).await.refused(404, "QosPolicyNotFound");
        server.delete(&format!("{missing}/{collection}/x")).await.refused(404, "QosPolicyNotFound");
    }
}

#[tokio::test]
async fn rules_are_listed_filtered_and_sorted() {
    let server = server().await;
    let (path, other) = (policy(&server, json!({})).await, policy(&server, json!({})).await);
    add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 1000})).await.expect(201);
    add(&server, &path, "bandwidth_limit_rule", json!({"max_kbps": 10, "direction": "ingress"})).await.expect(201);
    add(&server, &other, "bandwidth_limit_rule", json!({"max_kbps": 10})).await.expect(201);
    let list = format!("{path}/bandwidth_limit_rules");
    server.get(&list).await.expect_rows("bandwidth_limit_rules", 2);
    server.get(&format!("{list}?max_kbps=1000")).await.expect_rows("bandwidth_limit_rules", 1);
    server.get(&format!("{list}?direction=ingress")).await.refused(400, "HTTPBadRequest");
    let sorted = server.get(&format!("{list}?sort_key=max_kbps&sort_dir=asc&fields=max_kbps")).await;
    assert_eq!(sorted.body["bandwidth_limit_rules"], json!([{"max_kbps": 10}, {"max_kbps": 1000}]));
    let page = server.get(&format!("{list}?sort_key=max_kbps&sort_dir=asc&limit=1")).await;
    assert_eq!(page.body["bandwidth_limit_rules"][0]["max_kbps"], 10);
    // Rules inside a policy have one order.
    let directions: Vec<Value> = shown(&server, &path, "rules").await.as_array().unwrap().iter().map(|r| r["direction"].clone()).collect();
    assert_eq!(directions, ["egress", "ingress"]);
}

#[tokio::test]
async fn a_page_of_policies_costs_as_many_statements_as_one() {
    let server = server().await;
    let mut counts = Vec::new();
    for round in [1, 8] {
        for _ in 0..round {
            let path = policy(&server, json!({})).await;
            for (_, member, body, _) in kinds() {
                add(&server, &path, member, body).await.expect(201);
            }
        }
        let before = server.statements();
        let listed = server.get("/qos/policies").await;
        assert!(listed.body["policies"].as_array().unwrap().iter().all(|p| p["rules"].as_array().unwrap().len() == 5));
        counts.push(server.statements() - before);
    }
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn others_neither_see_nor_change_the_rules() {
    let server = server().await;
    let (a, b, member) = (by(&server, A, MANAGER), by(&server, B, MANAGER), by(&server, A, &["member", "reader"]));
    for shared in [false, true] {
        let path = policy(&server, json!({"project_id": A, "shared": shared})).await;
        for (collection, key, body, change) in kinds() {
            let list = format!("{path}/{collection}");
            member.post(&list, json!({ key: body })).await.refused(403, "PolicyNotAuthorized");
            let made = a.post(&list, json!({ key: body })).await.expect(201);
            let rule = format!("{list}/{}", made["id"].as_str().unwrap());
            member.get(&rule).await.expect(200);
            member.get(&list).await.expect_rows(collection, 1);
            member.put(&rule, json!({ key: change })).await.refused(403, "PolicyNotAuthorized");
            member.delete(&rule).await.refused(403, "PolicyNotAuthorized");
            b.post(&list, json!({ key: body })).await.refused(403, "PolicyNotAuthorized");
            // A shared policy shows its rules in itself, and nowhere else.
            let listed = b.get(&list).await;
            assert!(listed.status == 404 || listed.body[collection] == json!([]), "{}", listed.text);
            let alias = format!("/qos/alias-{}/{}", collection.replace('_', "-"), made["id"].as_str().unwrap());
            let mut paths = vec![(rule.clone(), key.to_owned())];
            if collection != "packet_rate_limit_rules" {
                a.get(&alias).await.expect(200);
                a.put(&alias, json!({ format!("alias_{key}"): change })).await.expect(200);
                member.put(&alias, json!({ format!("alias_{key}"): {} })).await.refused(403, "PolicyNotAuthorized");
                paths.push((alias, format!("alias_{key}")));
            }
            for (path, key) in paths {
                assert_eq!(b.get(&path).await.status, 404, "{path}");
                assert_eq!(b.put(&path, json!({ key: change })).await.status, 404, "{path}");
                assert_eq!(b.delete(&path).await.status, 404, "{path}");
            }
            a.get(&rule).await.expect(200);
        }
    }
}
