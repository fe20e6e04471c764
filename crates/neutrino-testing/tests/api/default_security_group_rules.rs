// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

use crate::security_groups::{group, id};

const PATH: &str = "/default-security-group-rules";

async fn create(server: &Server, more: Value) -> Answer {
    let mut rule = json!({"direction": "ingress", "used_in_default_sg": false, "used_in_non_default_sg": false});
    rule.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    server.post(PATH, json!({"default_security_group_rule": rule})).await
}

#[tokio::test]
async fn new_groups_begin_with_the_template() {
    let server = Server::start().await;
    let seeded = server.get(PATH).await.expect(200);
    assert_eq!(seeded.as_array().unwrap().len(), 4);
    let both = json!({"protocol": "TCP", "port_range_min": 22, "port_range_max": 22, "description": "d",
        "remote_group_id": "PARENT", "used_in_non_default_sg": true});
    let rule = create(&server, both).await.expect(201);
    let keys: std::collections::BTreeSet<_> = rule.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "id",
        "ethertype",
        "direction",
        "protocol",
        "port_range_min",
        "port_range_max",
        "remote_ip_prefix",
        "remote_address_group_id",
        "remote_group_id",
        "description",
        "used_in_default_sg",
        "used_in_non_default_sg",
    ];
    assert_eq!(keys, expected.into_iter().collect());
    assert_eq!((&rule["protocol"], &rule["remote_group_id"]), (&json!("tcp"), &json!("PARENT")));
    let path = format!("{PATH}/{}", id(&rule));
    assert_eq!(server.get(&path).await.expect(200), rule);
    let made = group(&server, "g").await;
    let copied: Vec<_> = made["security_group_rules"].as_array().unwrap().iter().filter(|r| r["direction"] == "ingress").collect();
    assert_eq!(copied.len(), 1);
    assert_eq!((&copied[0]["remote_group_id"], &copied[0]["port_range_min"]), (&made["id"], &json!(22)));
    assert_eq!(copied[0]["description"], Value::Null);
    let default = server.get("/security-groups?name=default").await.expect(200);
    assert_eq!(default[0]["security_group_rules"].as_array().unwrap().len(), 4, "not used in default groups");
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "DefaultSecurityGroupRuleNotFound");
    server.delete(&path).await.refused(404, "DefaultSecurityGroupRuleNotFound");
    assert_eq!(group(&server, "h").await["security_group_rules"].as_array().unwrap().len(), 2);
    let still = server.get(&format!("/security-groups/{}", id(&made))).await.expect(200);
    assert_eq!(still["security_group_rules"].as_array().unwrap().len(), 3, "a group that is there keeps its rules");
}

#[tokio::test]
async fn a_template_rule_whose_remote_is_gone_is_passed_over() {
    let server = Server::start().await;
    let remote = group(&server, "remote").await;
    create(&server, json!({"remote_group_id": remote["id"], "used_in_non_default_sg": true})).await.expect(201)["id"].as_str().unwrap();
    assert_eq!(group(&server, "g").await["security_group_rules"].as_array().unwrap().len(), 3);
    assert_eq!(server.delete(&format!("/security-groups/{}", id(&remote))).await.status, 204);
    assert_eq!(group(&server, "h").await["security_group_rules"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn duplicates_are_those_of_the_same_use() {
    let server = Server::start().await;
    let tcp = |more: Value| {
        let mut rule = json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 5});
        rule.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        rule
    };
    create(&server, tcp(json!({}))).await.expect(201)["id"].as_str().unwrap();
    create(&server, tcp(json!({"protocol": "6"}))).await.expect(201)["id"].as_str().unwrap();
    create(&server, tcp(json!({"used_in_non_default_sg": true}))).await.expect(201)["id"].as_str().unwrap();
    create(&server, tcp(json!({"protocol": 6, "used_in_non_default_sg": true}))).await.refused(409, "DefaultSecurityGroupRuleExists");
    create(&server, tcp(json!({"used_in_default_sg": true}))).await.expect(201)["id"].as_str().unwrap();
    create(&server, tcp(json!({"used_in_default_sg": true}))).await.refused(409, "DefaultSecurityGroupRuleExists");
    create(&server, json!({"direction": "egress", "used_in_default_sg": true})).await.refused(409, "DefaultSecurityGroupRuleExists");
}

#[tokio::test]
async fn bad_values_are_refused() {
    let server = Server::start().await;
    for (body, status, kind) in [
        (json!({"direction": "x"}), 400, "HTTPBadRequest"),
        (json!({"used_in_default_sg": "maybe"}), 400, "HTTPBadRequest"),
        (json!({"used_in_non_default_sg": null}), 400, "HTTPBadRequest"),
        (json!({"description": null}), 400, "HTTPBadRequest"),
        (json!({"description": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"port_range_min": 3}), 400, "SecurityGroupProtocolRequiredWithPorts"),
        (json!({"protocol": "foo"}), 400, "HTTPBadRequest"),
        (json!({"ethertype": "foo"}), 400, "HTTPBadRequest"),
        (json!({"remote_ip_prefix": "10.0.0.1/8", "remote_group_id": "PARENT"}), 400, "SecurityGroupMultipleRemoteEntites"),
        (json!({"remote_ip_prefix": "::/0"}), 400, "SecurityGroupRuleParameterConflict"),
        (json!({"remote_group_id": "nonsense"}), 404, "SecurityGroupNotFound"),
        (json!({"remote_address_group_id": "nonsense"}), 404, "AddressGroupNotFound"),
        (json!({"bad": 1}), 400, "HTTPBadRequest"),
    ] {
        create(&server, body).await.refused(status, kind);
    }
    for missing in [json!({"direction": "ingress"}), json!({"direction": "ingress", "used_in_default_sg": true})] {
        server.post(PATH, json!({"default_security_group_rule": missing})).await.refused(400, "HTTPBadRequest");
    }
    let bulk = json!({"default_security_group_rules": [{"direction": "ingress"}]});
    server.post(PATH, bulk).await.refused(400, "HTTPBadRequest");
    let seeded = server.get(&format!("{PATH}?used_in_non_default_sg=False")).await.expect(200);
    assert_eq!(seeded.as_array().unwrap().len(), 2);
    let path = format!("{PATH}/{}", id(&seeded[0]));
    server.put(&path, json!({"default_security_group_rule": {"description": "x"}})).await.refused(400, "HTTPBadRequest");
    server.get(&format!("{PATH}?project_id=q")).await.refused(400, "HTTPBadRequest");
    server.get(&format!("{PATH}/nope")).await.refused(404, "DefaultSecurityGroupRuleNotFound");
    assert_eq!(server.count("SELECT count(*) FROM securitygroupdefaultrules").await, 4);
}
