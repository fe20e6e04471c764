// SPDX-License-Identifier: Apache-2.0
use futures::future::join_all;
use neutrino_core::{Authorized, Caller, Context, ListQuery};
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

pub async fn group(server: &Server, name: &str) -> Value {
    server.post("/security-groups", json!({"security_group": {"name": name}})).await.expect(201)
}

pub fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

async fn update(server: &Server, group: &Value, change: Value) -> Answer {
    server.put(&format!("/security-groups/{}", id(group)), json!({"security_group": change})).await
}

async fn default_of(server: &Server, project: &str) -> Value {
    server.get(&format!("/security-groups?name=default&project_id={project}")).await.expect(200)[0].clone()
}

async fn network(server: &Server) -> Value {
    server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201)
}

/// A caller without any rights but its project's.
fn member(project: &str) -> Context {
    Context::new("req-test", Caller { project_id: Some(project.to_owned()), ..Caller::default() })
}

async fn list_as(server: &Server, project: &str, collection: &str, filter: Option<&str>) -> Vec<String> {
    let table = &server.engine.registry.entry(collection).unwrap().table;
    let query = filter.map_or_else(ListQuery::default, |project| ListQuery::by(table, "project_id", project));
    let auth = Authorized::internal("a test");
    let rows = server.engine.list(&member(project), &auth, collection, None, &query).await.unwrap();
    rows.iter().map(|row| row.id().to_owned()).collect()
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let made = server.post("/security-groups", json!({"security_group": {"name": "g", "description": "d"}})).await.expect(201);
    for (name, value) in [
        ("name", json!("g")),
        ("description", json!("d")),
        ("stateful", json!(true)),
        ("shared", json!(false)),
        ("project_id", json!(PROJECT)),
        ("tenant_id", json!(PROJECT)),
        ("revision_number", json!(1)),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let rules = made["security_group_rules"].as_array().unwrap();
    let kinds: Vec<_> = rules.iter().map(|r| (r["direction"].as_str().unwrap(), r["ethertype"].as_str().unwrap())).collect();
    assert_eq!(kinds, [("egress", "IPv4"), ("egress", "IPv6")]);
    for rule in rules {
        // What a group embeds is the rule as it is shown by itself.
        assert_eq!(&server.get(&format!("/security-group-rules/{}", id(rule))).await.expect(200), rule);
        assert_eq!(rule["belongs_to_default_sg"], false);
        assert_eq!(rule["description"], Value::Null);
    }
    let path = format!("/security-groups/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    let changed = update(&server, &made, json!({"name": "h", "stateful": "no"})).await.expect(200);
    assert_eq!((&changed["name"], &changed["stateful"], &changed["revision_number"]), (&json!("h"), &json!(false), &json!(2)));
    assert_eq!(server.get("/security-groups?stateful=False&fields=name").await.expect(200), json!([{"name": "h"}]));
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "SecurityGroupNotFound");
    assert_eq!(server.count("SELECT count(*) FROM securitygrouprules").await, 4, "the default group's are left");
    assert_eq!(server.count("SELECT count(*) FROM standardattributes").await, 4 + 1 + 4, "template, default group, its rules");
}

#[tokio::test]
async fn bad_values_are_refused() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    for (body, status, kind) in [
        (json!({"name": null}), 400, "HTTPBadRequest"),
        (json!({"name": 5}), 400, "HTTPBadRequest"),
        (json!({"name": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"name": "default"}), 409, "SecurityGroupDefaultAlreadyExists"),
        (json!({"name": "Default"}), 409, "SecurityGroupDefaultAlreadyExists"),
        (json!({"stateful": null}), 400, "InvalidInput"),
        (json!({"stateful": "maybe"}), 400, "InvalidInput"),
        (json!({"shared": true}), 400, "HTTPBadRequest"),
        (json!({"description": null}), 400, "HTTPBadRequest"),
        (json!({"description": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"security_group_rules": []}), 400, "HTTPBadRequest"),
        (json!({"id": "x"}), 400, "HTTPBadRequest"),
        (json!({"revision_number": 5}), 400, "HTTPBadRequest"),
    ] {
        server.post("/security-groups", json!({"security_group": body})).await.refused(status, kind);
        update(&server, &made, body).await.refused(status, kind);
    }
    update(&server, &made, json!({"project_id": "other"})).await.refused(400, "HTTPBadRequest");
    server.post("/security-groups", json!({"security_group": {"project_id": null}})).await.refused(400, "HTTPBadRequest");
    for good in [json!({"name": ""}), json!({"name": " lead"}), json!({"name": "a\tb"}), json!({"name": "x".repeat(255)})] {
        server.post("/security-groups", json!({"security_group": good})).await.expect(201)["id"].as_str().unwrap();
    }
    server.get("/security-groups/nope").await.refused(404, "SecurityGroupNotFound");
    server.delete("/security-groups/nope").await.refused(404, "SecurityGroupNotFound");
    server.get("/security-groups?security_group_rules=x").await.refused(400, "HTTPBadRequest");
}

#[tokio::test]
async fn the_default_group_comes_with_the_first_look() {
    let server = Server::start().await;
    let groups = server.get("/security-groups").await.expect(200);
    assert_eq!(groups.as_array().unwrap().len(), 1);
    let default = &groups[0];
    assert_eq!((&default["name"], &default["description"]), (&json!("default"), &json!("Default security group")));
    let rules = default["security_group_rules"].as_array().unwrap();
    assert_eq!(rules.len(), 4);
    for rule in rules {
        let remote = if rule["direction"] == "ingress" { default["id"].clone() } else { Value::Null };
        assert_eq!((&rule["remote_group_id"], &rule["belongs_to_default_sg"]), (&remote, &json!(true)));
    }
    update(&server, default, json!({"name": "x"})).await.refused(409, "SecurityGroupCannotUpdateDefault");
    assert_eq!(update(&server, default, json!({"description": "x"})).await.expect(200)["description"], "x");
    assert_eq!(server.delete(&format!("/security-groups/{}", id(default))).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM default_security_group").await, 0);
    let again = default_of(&server, PROJECT).await;
    assert_ne!(again["id"], default["id"]);
}

#[tokio::test]
async fn every_first_access_makes_the_default_group() {
    for (method, path, body) in [
        ("GET", "/security-groups", json!(null)),
        ("GET", "/security-group-rules", json!(null)),
        ("POST", "/security-groups", json!({"security_group": {}})),
        ("POST", "/networks", json!({"network": {"name": "n"}})),
    ] {
        let server = Server::start().await;
        assert_eq!(server.count("SELECT count(*) FROM default_security_group").await, 0);
        let answer = server.send(method.parse().unwrap(), path, body.to_string(), &[]).await;
        assert!(answer.status < 300, "{}", answer.text);
        assert_eq!(server.count("SELECT count(*) FROM default_security_group").await, 1, "{method} {path}");
    }
}

#[tokio::test]
async fn no_default_group_for_nobody_or_by_strangers() {
    let server = Server::start().await;
    assert_eq!(server.get("/security-groups?project_id=").await.status, 200);
    assert_eq!(server.get("/security-group-rules?project_id=").await.status, 200);
    assert_eq!(server.count("SELECT count(*) FROM securitygroups").await, 0);
    assert_eq!(list_as(&server, "mine", "security_groups", Some("theirs")).await, Vec::<String>::new());
    assert_eq!(list_as(&server, "mine", "security_group_rules", Some("theirs")).await, Vec::<String>::new());
    assert_eq!(server.count("SELECT count(*) FROM securitygroups").await, 0, "not for a project that the caller is not in");
    assert_eq!(list_as(&server, "mine", "security_groups", None).await.len(), 1);
    // As in Neutron, an administrator who looks at a project finds its default group.
    assert_eq!(default_of(&server, "theirs").await["project_id"], "theirs");
    let group = server.post("/security-groups", json!({"security_group": {"project_id": ""}})).await.expect(201);
    assert_eq!(group["project_id"], "");
    assert_eq!(server.count("SELECT count(*) FROM default_security_group").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_first_accesses_make_one_default_group() {
    let server = Server::start().await;
    let server = &server;
    let answers = join_all((0..64).map(|n| async move {
        match n % 3 {
            0 => server.get("/security-groups").await,
            1 => server.get("/security-group-rules").await,
            _ => server.post("/networks", json!({"network": {"name": "n"}})).await,
        }
    }))
    .await;
    for answer in answers {
        assert!(answer.status < 300, "{}", answer.text);
    }
    assert_eq!(server.count("SELECT count(*) FROM default_security_group").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM securitygroups").await, 1);
    assert_eq!(server.count("SELECT count(*) FROM securitygrouprules").await, 4);
}

#[tokio::test]
async fn a_group_that_ports_use_stays_as_it_is() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = group(&server, "g").await;
    let port = json!({"port": {"network_id": net["id"], "security_groups": [made["id"]]}});
    let port = server.post("/ports", port).await.expect(201);
    let path = format!("/security-groups/{}", id(&made));
    server.delete(&path).await.refused(409, "SecurityGroupInUse");
    update(&server, &made, json!({"stateful": false})).await.refused(409, "SecurityGroupInUse");
    assert_eq!(update(&server, &made, json!({"stateful": true, "name": "n"})).await.expect(200)["name"], "n");
    assert_eq!(server.delete(&format!("/ports/{}", id(&port))).await.status, 204);
    assert_eq!(update(&server, &made, json!({"stateful": false})).await.expect(200)["stateful"], false);
    assert_eq!(server.delete(&path).await.status, 204);
}

#[tokio::test]
async fn a_group_takes_the_rules_that_admit_its_members_with_it() {
    let server = Server::start().await;
    let (a, b) = (group(&server, "a").await, group(&server, "b").await);
    let rule = json!({"security_group_id": a["id"], "direction": "ingress", "remote_group_id": b["id"]});
    let rule = server.post("/security-group-rules", json!({"security_group_rule": rule})).await.expect(201);
    let standard = server.count("SELECT count(*) FROM standardattributes").await;
    assert_eq!(server.delete(&format!("/security-groups/{}", id(&b))).await.status, 204);
    server.get(&format!("/security-group-rules/{}", id(&rule))).await.refused(404, "SecurityGroupRuleNotFound");
    assert_eq!(server.count("SELECT count(*) FROM standardattributes").await, standard - 4, "group, two rules, and the other's rule");
    let a = server.get(&format!("/security-groups/{}", id(&a))).await.expect(200);
    assert_eq!(a["revision_number"], 3, "made, given a rule, robbed of it");
}

#[tokio::test]
async fn sharing_shows_a_group_to_others() {
    let server = Server::start().await;
    let made = group(&server, "g").await;
    let group_id = id(&made).to_owned();
    assert!(!list_as(&server, "other", "security_groups", None).await.contains(&group_id));
    server
        .sql(&format!(
            "INSERT INTO securitygrouprbacs (id, project_id, object_id, target_project, action) \
             VALUES ('r1', '{PROJECT}', '{group_id}', 'other', 'access_as_shared')"
        ))
        .await;
    assert!(list_as(&server, "other", "security_groups", None).await.contains(&group_id));
    assert!(!list_as(&server, "third", "security_groups", None).await.contains(&group_id));
    let original = server.engine.original(&member("other"), "security_groups", None, &group_id).await.unwrap();
    assert!(original.bool("shared"));
    assert_eq!(original.list("security_group_rules").len(), 2);
    // The rules of a group belong to its owner, shared or not.
    let rule = id(&made["security_group_rules"][0]).to_owned();
    assert!(!list_as(&server, "other", "security_group_rules", None).await.contains(&rule));
    assert!(list_as(&server, PROJECT, "security_group_rules", None).await.contains(&rule));
    server.sql("UPDATE securitygrouprbacs SET target_project = '*'").await;
    assert_eq!(server.get("/security-groups?shared=True&fields=id").await.expect(200), json!([{"id": group_id}]));
    assert!(list_as(&server, "third", "security_groups", None).await.contains(&group_id));
}

#[tokio::test]
async fn lists_and_shows_take_a_constant_number_of_statements() {
    let server = Server::start().await;
    let one = group(&server, "g0").await;
    let (list, show) = ("/security-groups?name=g0".to_owned(), format!("/security-groups/{}", id(&one)));
    let count = async |path: &str| {
        let before = server.statements();
        assert_eq!(server.get(path).await.status, 200);
        server.statements() - before
    };
    let (listed, shown) = (count(&list).await, count(&show).await);
    assert!(listed <= 4 && shown <= 3, "{listed} {shown}");
    let many: Vec<_> = (0..40).map(|_| json!({"name": "g0"})).collect();
    server.post("/security-groups", json!({"security_groups": many})).await.expect(201).as_array().unwrap();
    assert_eq!(count(&list).await, listed);
    assert_eq!(count(&show).await, shown);
    assert_eq!(count("/security-groups?fields=name").await, 2, "without rules: the default group and the page");
}

#[tokio::test]
async fn statefulness_of_new_groups_can_be_set() {
    let server = Server::start().await;
    let path = "/security-groups-default-statefulness";
    let create = async |body: Value| server.post(path, json!({"security_groups_default_statefulness": body})).await;
    let all = create(json!({"stateful": false, "project_id": null})).await.expect(201);
    assert_eq!((&all["project_id"], &all["stateful"]), (&Value::Null, &json!(false)));
    create(json!({"project_id": null})).await.refused(409, "SecurityGroupDefaultStatefulnessAlreadyExists");
    assert_eq!(group(&server, "a").await["stateful"], false);
    let mine = create(json!({})).await.expect(201);
    assert_eq!((&mine["project_id"], &mine["stateful"]), (&json!(PROJECT), &json!(true)));
    create(json!({"stateful": false})).await.refused(409, "SecurityGroupDefaultStatefulnessAlreadyExists");
    assert_eq!(group(&server, "b").await["stateful"], true, "the project's own setting goes before that of all");
    let named = server.post("/security-groups", json!({"security_group": {"stateful": false}})).await.expect(201);
    assert_eq!(named["stateful"], false, "a request that says so is obeyed");
    let target = format!("{path}/{}", id(&mine));
    let changed = server.put(&target, json!({"security_groups_default_statefulness": {"stateful": "0"}})).await.expect(200);
    assert_eq!(changed["stateful"], false);
    server.put(&target, json!({"security_groups_default_statefulness": {"project_id": "x"}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(default_of(&server, "fresh").await["stateful"], true, "a default group is always stateful");
    for (body, kind) in [
        (json!({"stateful": "maybe"}), "InvalidInput"),
        (json!({"stateful": null}), "InvalidInput"),
        (json!({"project_id": 5}), "HTTPBadRequest"),
        (json!({"project_id": "x".repeat(256)}), "HTTPBadRequest"),
        (json!({"id": "x"}), "HTTPBadRequest"),
    ] {
        create(body).await.refused(400, kind);
    }
    assert_eq!(server.get(path).await.expect(200).as_array().unwrap().len(), 2);
    assert_eq!(server.delete(&target).await.status, 204);
    server.get(&target).await.refused(404, "SecurityGroupDefaultStatefulnessNotFound");
    server.delete(&target).await.refused(404, "SecurityGroupDefaultStatefulnessNotFound");
}
