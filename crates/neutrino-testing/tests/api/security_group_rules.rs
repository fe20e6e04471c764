// SPDX-License-Identifier: Apache-2.0
use futures::future::join_all;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

use crate::security_groups::{group, id};

fn with(group: &Value, more: Value) -> Value {
    let mut rule = json!({"security_group_id": group["id"], "direction": "ingress"});
    rule.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    rule
}

async fn create(server: &Server, group: &Value, more: Value) -> Answer {
    server.post("/security-group-rules", json!({"security_group_rule": with(group, more)})).await
}

async fn bulk(server: &Server, rules: Value) -> Answer {
    server.post("/security-group-rules", json!({"security_group_rules": rules})).await
}

async fn revision(server: &Server, group: &Value) -> i64 {
    server.get(&format!("/security-groups/{}", id(group))).await.expect(200)["revision_number"].as_i64().unwrap()
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    let asked = json!({"protocol": "TCP", "port_range_min": "80", "port_range_max": 90, "remote_ip_prefix": "10.0.0.5/24"});
    let rule = create(&server, &made, asked).await.expect(201);
    for (name, value) in [
        ("security_group_id", made["id"].clone()),
        ("direction", json!("ingress")),
        ("ethertype", json!("IPv4")),
        ("protocol", json!("tcp")),
        ("port_range_min", json!(80)),
        ("port_range_max", json!(90)),
        ("remote_ip_prefix", json!("10.0.0.5/24")),
        ("normalized_cidr", json!("10.0.0.0/24")),
        ("remote_group_id", json!(null)),
        ("remote_address_group_id", json!(null)),
        ("belongs_to_default_sg", json!(false)),
        ("description", json!("")),
        ("revision_number", json!(0)),
        ("project_id", json!(PROJECT)),
        ("tenant_id", json!(PROJECT)),
    ] {
        assert_eq!(rule[name], value, "{name}");
    }
    assert_eq!(revision(&server, &made).await, 2);
    let path = format!("/security-group-rules/{}", id(&rule));
    assert_eq!(server.get(&path).await.expect(200), rule);
    server.put(&path, json!({"security_group_rule": {"direction": "egress"}})).await.refused(400, "HTTPBadRequest");
    server.put(&path, json!({"security_group_rule": {"description": "x"}})).await.refused(405, "HTTPMethodNotAllowed");
    server.put("/security-group-rules/nope", json!({"security_group_rule": {}})).await.refused(404, "SecurityGroupRuleNotFound");
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "SecurityGroupRuleNotFound");
    server.delete(&path).await.refused(404, "SecurityGroupRuleNotFound");
    assert_eq!(revision(&server, &made).await, 3);
}

#[tokio::test]
async fn good_values_are_kept_in_canonical_form() {
    let server = Server::start().await;
    let whole = json!({"port_range_min": null, "port_range_max": null});
    for (asked, kept) in [
        (json!({"protocol": "any"}), json!({"protocol": null})),
        (json!({"protocol": 6}), json!({"protocol": "6"})),
        (json!({"protocol": "6", "port_range_min": 1, "port_range_max": 1}), json!({"protocol": "6", "port_range_min": 1})),
        (json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 65535}), whole.clone()),
        (json!({"protocol": "icmp", "port_range_min": 1, "port_range_max": 65535}), whole.clone()),
        (json!({"port_range_min": 1, "port_range_max": 65535}), whole),
        (json!({"protocol": "icmp", "port_range_min": 8}), json!({"port_range_min": 8, "port_range_max": null})),
        (json!({"protocol": "icmp", "port_range_min": 0, "port_range_max": 255}), json!({"port_range_min": 0, "port_range_max": 255})),
        (json!({"protocol": "icmp", "ethertype": "ipv6"}), json!({"protocol": "ipv6-icmp", "ethertype": "IPv6"})),
        (json!({"protocol": "icmpv6", "ethertype": "IPv6"}), json!({"protocol": "ipv6-icmp"})),
        (json!({"protocol": "1", "ethertype": "IPv6", "port_range_min": 1}), json!({"protocol": "58", "port_range_min": 1})),
        (json!({"protocol": "udplite", "port_range_min": 1, "port_range_max": 2}), json!({"protocol": "udplite"})),
        (json!({"remote_ip_prefix": "10.0.0.1"}), json!({"remote_ip_prefix": "10.0.0.1/32", "normalized_cidr": "10.0.0.1/32"})),
        (json!({"remote_ip_prefix": ""}), json!({"remote_ip_prefix": null, "normalized_cidr": null})),
        (
            json!({"remote_ip_prefix": "2001:DB8::1/64", "ethertype": "IPv6"}),
            json!({"remote_ip_prefix": "2001:db8::1/64", "normalized_cidr": "2001:db8::/64"}),
        ),
        (json!({"protocol": "ipv6-frag", "ethertype": "IPv6"}), json!({"protocol": "ipv6-frag"})),
        (json!({"project_id": "other"}), json!({"project_id": "other"})),
    ] {
        // A group for each, so that none is a duplicate of another.
        let made = group(&server, "g").await;
        let rule = create(&server, &made, asked.clone()).await.expect(201);
        for (name, value) in kept.as_object().unwrap() {
            assert_eq!(&rule[name], value, "{asked}: {name}");
        }
    }
}

#[tokio::test]
async fn bad_values_are_refused() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    let unknown = "7ef1da2d-15fb-413e-b838-0500afa9fe7c";
    let before = server.count("SELECT count(*) FROM securitygrouprules").await;
    for (body, status, kind) in [
        (json!({"direction": "x"}), 400, "HTTPBadRequest"),
        (json!({"direction": null}), 400, "HTTPBadRequest"),
        (json!({"security_group_id": null}), 400, "HTTPBadRequest"),
        (json!({"security_group_id": 5}), 400, "HTTPBadRequest"),
        (json!({"security_group_id": "x".repeat(37)}), 400, "HTTPBadRequest"),
        (json!({"security_group_id": unknown}), 404, "SecurityGroupNotFound"),
        (json!({"security_group_id": "x"}), 404, "SecurityGroupNotFound"),
        (json!({"ethertype": null}), 400, "SecurityGroupRuleInvalidEtherType"),
        (json!({"ethertype": "foo"}), 400, "SecurityGroupRuleInvalidEtherType"),
        (json!({"ethertype": 4}), 400, "SecurityGroupRuleInvalidEtherType"),
        (json!({"protocol": "300"}), 400, "SecurityGroupRuleInvalidProtocol"),
        (json!({"protocol": -1}), 400, "SecurityGroupRuleInvalidProtocol"),
        (json!({"protocol": ""}), 400, "SecurityGroupRuleInvalidProtocol"),
        (json!({"protocol": "foo"}), 400, "SecurityGroupRuleInvalidProtocol"),
        (json!({"protocol": {}}), 400, "SecurityGroupRuleInvalidProtocol"),
        (json!({"protocol": "tcp", "port_range_min": 70000, "port_range_max": 80}), 400, "SecurityGroupInvalidPortValue"),
        (json!({"protocol": "tcp", "port_range_min": "x", "port_range_max": 80}), 400, "SecurityGroupInvalidPortValue"),
        (json!({"protocol": "tcp", "port_range_min": -1, "port_range_max": 80}), 400, "SecurityGroupInvalidPortValue"),
        (json!({"protocol": "tcp", "port_range_min": 0, "port_range_max": 80}), 400, "SecurityGroupInvalidPortValue"),
        (json!({"protocol": "tcp", "port_range_min": 0, "port_range_max": 0}), 400, "SecurityGroupInvalidPortValue"),
        (json!({"protocol": "tcp", "port_range_min": 90, "port_range_max": 80}), 400, "SecurityGroupInvalidPortRange"),
        (json!({"protocol": "17", "port_range_min": 90}), 400, "SecurityGroupInvalidPortRange"),
        (json!({"protocol": "sctp", "port_range_max": 90}), 400, "SecurityGroupInvalidPortRange"),
        (json!({"port_range_min": 3, "port_range_max": 4}), 400, "SecurityGroupProtocolRequiredWithPorts"),
        (json!({"protocol": "any", "port_range_min": 3, "port_range_max": 4}), 400, "SecurityGroupProtocolRequiredWithPorts"),
        (json!({"protocol": "gre", "port_range_min": 5, "port_range_max": 6}), 400, "SecurityGroupInvalidProtocolForPort"),
        (json!({"protocol": "200", "port_range_min": 5}), 400, "SecurityGroupInvalidProtocolForPort"),
        (json!({"protocol": "icmp", "port_range_min": 300}), 400, "SecurityGroupInvalidIcmpValue"),
        (json!({"protocol": "icmp", "port_range_min": 5, "port_range_max": 256}), 400, "SecurityGroupInvalidIcmpValue"),
        (json!({"protocol": "1", "port_range_max": 3}), 400, "SecurityGroupMissingIcmpType"),
        (json!({"protocol": "58"}), 400, "SecurityGroupEthertypeConflictWithProtocol"),
        (json!({"protocol": "icmpv6"}), 400, "SecurityGroupEthertypeConflictWithProtocol"),
        (json!({"protocol": "ipv6-route"}), 400, "SecurityGroupEthertypeConflictWithProtocol"),
        (json!({"remote_ip_prefix": "foo"}), 400, "InvalidCIDR"),
        (json!({"remote_ip_prefix": {"a": 1}}), 400, "InvalidCIDR"),
        (json!({"remote_ip_prefix": "10.0.0.0/33"}), 400, "InvalidCIDR"),
        (json!({"remote_ip_prefix": "10.0.0.0/8", "ethertype": "IPv6"}), 400, "SecurityGroupRuleParameterConflict"),
        (json!({"remote_ip_prefix": "::/0"}), 400, "SecurityGroupRuleParameterConflict"),
        (json!({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": made["id"]}), 400, "SecurityGroupMultipleRemoteEntites"),
        (json!({"remote_group_id": made["id"], "remote_address_group_id": "x"}), 400, "SecurityGroupMultipleRemoteEntites"),
        (json!({"remote_group_id": unknown}), 404, "SecurityGroupNotFound"),
        (json!({"remote_group_id": 5}), 404, "SecurityGroupNotFound"),
        (json!({"remote_group_id": ""}), 404, "SecurityGroupNotFound"),
        (json!({"remote_address_group_id": ""}), 404, "AddressGroupNotFound"),
        (json!({"remote_address_group_id": "nope"}), 404, "AddressGroupNotFound"),
        (json!({"description": null}), 400, "HTTPBadRequest"),
        (json!({"description": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"id": "x"}), 400, "HTTPBadRequest"),
        (json!({"normalized_cidr": "10.0.0.0/8"}), 400, "HTTPBadRequest"),
        (json!({"belongs_to_default_sg": true}), 400, "HTTPBadRequest"),
        (json!({"colour": "red"}), 400, "HTTPBadRequest"),
    ] {
        create(&server, &made, body).await.refused(status, kind);
    }
    server.post("/security-group-rules", json!({"security_group_rule": {"direction": "egress"}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.count("SELECT count(*) FROM securitygrouprules").await, before);
    assert_eq!(revision(&server, &made).await, 1);
}

#[tokio::test]
async fn rules_that_mean_the_same_are_duplicates() {
    let server = Server::start().await;
    for (first, second, same) in [
        (json!({"protocol": "tcp"}), json!({"protocol": "TCP"}), true),
        (json!({"protocol": "tcp"}), json!({"protocol": "6"}), true),
        (json!({"protocol": "132"}), json!({"protocol": "sctp"}), true),
        (json!({"protocol": "ip"}), json!({"protocol": 0}), true),
        (json!({"protocol": "hopopt"}), json!({"protocol": 0}), false),
        (json!({"protocol": "tcp"}), json!({"protocol": "udp"}), false),
        (json!({"protocol": "tcp"}), json!({}), false),
        (json!({"protocol": "icmp", "ethertype": "IPv6"}), json!({"protocol": "58", "ethertype": "IPv6"}), true),
        (json!({"remote_ip_prefix": "0.0.0.0/0"}), json!({}), true),
        (json!({"ethertype": "IPv6"}), json!({"ethertype": "IPv6", "remote_ip_prefix": "::/0"}), true),
        (json!({"remote_ip_prefix": "1.2.3.4/0"}), json!({}), false),
        (json!({"remote_ip_prefix": "10.0.0.1"}), json!({"remote_ip_prefix": "10.0.0.1/32"}), true),
        (json!({"remote_ip_prefix": "10.0.0.1/24"}), json!({"remote_ip_prefix": "10.0.0.2/24"}), false),
        (json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 65535}), json!({"protocol": "6"}), true),
        (json!({"protocol": "tcp", "port_range_min": 1, "port_range_max": 2}), json!({"protocol": "tcp"}), false),
        (json!({"description": "a"}), json!({"description": "b"}), true),
        (json!({"direction": "egress", "protocol": "tcp"}), json!({"protocol": "tcp"}), false),
        (json!({"protocol": "tcp"}), json!({"protocol": "tcp", "ethertype": "IPv6"}), false),
    ] {
        let made = group(&server, "g").await;
        create(&server, &made, first.clone()).await.expect(201)["id"].as_str().unwrap();
        let again = create(&server, &made, second.clone()).await;
        if same {
            again.refused(409, "SecurityGroupRuleExists");
        } else {
            assert_eq!(again.status, 201, "{first} {second}: {}", again.text);
        }
        let other = group(&server, "h").await;
        let both = bulk(&server, json!([with(&other, first.clone()), with(&other, second.clone())])).await;
        if same {
            both.refused(409, "DuplicateSecurityGroupRuleInPost");
        } else {
            assert_eq!(both.status, 201, "{first} {second}: {}", both.text);
        }
    }
}

#[tokio::test]
async fn a_list_is_made_whole_or_not_at_all() {
    let server = Server::start().await;
    let (a, b) = (group(&server, "a").await, group(&server, "b").await);
    let made = bulk(&server, json!([with(&a, json!({"protocol": "tcp"})), with(&a, json!({"protocol": "udp"}))])).await.expect(201);
    assert_eq!(made.as_array().unwrap().len(), 2);
    let before = server.count("SELECT count(*) FROM securitygrouprules").await;
    let revision_before = revision(&server, &a).await;
    for (rules, status, kind) in [
        (json!([with(&a, json!({"protocol": "gre"})), with(&a, json!({"protocol": "udp"}))]), 409, "SecurityGroupRuleExists"),
        (json!([with(&a, json!({"protocol": "gre"})), with(&b, json!({"protocol": "gre"}))]), 400, "SecurityGroupNotSingleGroupRules"),
        (
            json!([with(&a, json!({"protocol": "gre"})), with(&a, json!({"protocol": "ah", "project_id": "other"}))]),
            400,
            "SecurityGroupRulesNotSingleProject",
        ),
        (
            json!([with(&a, json!({"protocol": "gre"})), with(&a, json!({"port_range_min": 5}))]),
            400,
            "SecurityGroupProtocolRequiredWithPorts",
        ),
        (json!([with(&a, json!({"protocol": "gre"})), with(&a, json!({"remote_group_id": "x"}))]), 404, "SecurityGroupNotFound"),
    ] {
        bulk(&server, rules).await.refused(status, kind);
    }
    assert_eq!(server.count("SELECT count(*) FROM securitygrouprules").await, before);
    assert_eq!(revision(&server, &a).await, revision_before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_make_one_rule() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    let (server, made) = (&server, &made);
    let protocols = ["tcp", "6", "TCP", "tcp"];
    let answers = join_all((0..32).map(|n| create(server, made, json!({"protocol": protocols[n % 4]})))).await;
    let mut made_rules = 0;
    for answer in answers {
        if answer.status == 201 {
            made_rules += 1;
        } else {
            answer.refused(409, "SecurityGroupRuleExists");
        }
    }
    assert_eq!(made_rules, 1);
    assert_eq!(revision(server, made).await, 2);
}

#[tokio::test]
async fn filters_and_sorting() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    for body in [
        json!({"remote_ip_prefix": "10.0.0.5/24"}),
        json!({"remote_ip_prefix": "10.0.0.0/24", "protocol": "tcp"}),
        json!({"remote_ip_prefix": "10.0.1.0/24", "protocol": "udp"}),
        json!({"remote_ip_prefix": "2001:db8::5/64", "ethertype": "IPv6"}),
    ] {
        create(&server, &made, body).await.expect(201)["id"].as_str().unwrap();
    }
    let list = async |query: &str| {
        let path = format!("/security-group-rules?security_group_id={}&fields=normalized_cidr&{query}", id(&made));
        let rows = server.get(&path).await.expect(200);
        let mut cidrs: Vec<Value> = rows.as_array().unwrap().iter().map(|r| r["normalized_cidr"].clone()).collect();
        cidrs.sort_by_key(Value::to_string);
        cidrs
    };
    assert_eq!(list("protocol=tcp").await, ["10.0.0.0/24"]);
    assert_eq!(list("normalized_cidr=10.0.0.0/24").await, ["10.0.0.0/24", "10.0.0.0/24"]);
    assert_eq!(list("normalized_cidr=2001:db8::/64&normalized_cidr=10.0.1.0/24").await, ["10.0.1.0/24", "2001:db8::/64"]);
    assert_eq!(list("normalized_cidr=192.0.2.0/24").await, Vec::<Value>::new());
    assert_eq!(list("direction=egress").await.len(), 2);
    assert_eq!(list("direction=ingress&direction=egress").await.len(), 6);
    assert_eq!(list("sort_key=normalized_cidr&sort_dir=asc").await.len(), 6);
    assert_eq!(list("belongs_to_default_sg=True").await.len(), 0);
    assert_eq!(list("belongs_to_default_sg=False").await.len(), 6);
    let default = server.get("/security-group-rules?belongs_to_default_sg=True").await.expect(200);
    assert_eq!(default.as_array().unwrap().len(), 4);
    let ordered =
        server.get("/security-group-rules?protocol=tcp&protocol=udp&sort_key=protocol&sort_dir=desc&fields=protocol").await.expect(200);
    assert_eq!(ordered, json!([{"protocol": "udp"}, {"protocol": "tcp"}]));
}

#[tokio::test]
async fn lists_and_shows_take_a_constant_number_of_statements() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    let rule = create(&server, &made, json!({"protocol": "tcp"})).await.expect(201);
    let show = format!("/security-group-rules/{}", id(&rule));
    let count = async |path: &str| {
        let before = server.statements();
        assert_eq!(server.get(path).await.status, 200);
        server.statements() - before
    };
    let (listed, shown) = (count("/security-group-rules").await, count(&show).await);
    assert!(listed <= 2 && shown <= 1, "{listed} {shown}");
    let many: Vec<_> = (1..60).map(|n| with(&made, json!({"protocol": "udp", "port_range_min": n, "port_range_max": n}))).collect();
    bulk(&server, json!(many)).await.expect(201).as_array().unwrap();
    assert_eq!((count("/security-group-rules").await, count(&show).await), (listed, shown));
}
