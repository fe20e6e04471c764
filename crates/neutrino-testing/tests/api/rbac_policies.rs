// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

const ALICE: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const BOB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const NOBODY: &str = "11111111-2222-3333-4444-555555555555";

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

async fn network(server: &Server) -> String {
    id(&server.post("/networks", json!({"network": {"project_id": PROJECT}})).await.expect(201))
}

async fn share(server: &Server, kind: &str, object: &str, target: &str, action: &str) -> Answer {
    let policy = json!({"object_type": kind, "object_id": object, "target_tenant": target, "action": action});
    server.post("/rbac-policies", json!({ "rbac_policy": policy })).await
}

async fn shared(server: &Server, kind: &str, object: &str, target: &str) -> String {
    format!("/rbac-policies/{}", id(&share(server, kind, object, target, "access_as_shared").await.expect(201)))
}

async fn revision(server: &Server, network: &str) -> i64 {
    server.get(&format!("/networks/{network}")).await.expect(200)["revision_number"].as_i64().unwrap()
}

#[tokio::test]
async fn live_from_create_to_delete_and_revise_the_network() {
    let server = Server::start().await;
    let net = network(&server).await;
    let first = revision(&server, &net).await;
    let made = share(&server, "Network ", &net, ALICE, "access_as_shared").await.expect(201);
    let expected = json!({"id": made["id"], "project_id": PROJECT, "tenant_id": PROJECT, "object_type": "network", "object_id": net,
        "target_tenant": ALICE, "action": "access_as_shared"});
    assert_eq!(made, expected);
    assert_eq!(revision(&server, &net).await, first + 1);
    let path = format!("/rbac-policies/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    share(&server, "network", &net, ALICE, "access_as_shared").await.refused(409, "DuplicateRbacPolicy");
    let other = shared(&server, "network", &net, BOB).await;
    server.put(&other, json!({"rbac_policy": {"target_tenant": ALICE}})).await.refused(409, "DuplicateRbacPolicy");
    let moved = server.put(&other, json!({"rbac_policy": {"target_tenant": NOBODY}})).await.expect(200);
    assert_eq!(moved["target_tenant"], NOBODY);
    assert_eq!(server.get(&other).await.expect(200), moved);
    server.put(&other, json!({"rbac_policy": {"action": "access_as_external"}})).await.refused(400, "HTTPBadRequest");
    let before = revision(&server, &net).await;
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(revision(&server, &net).await, before + 1);
    server.get(&path).await.refused(404, "RbacPolicyNotFound");
    server.put(&path, json!({"rbac_policy": {"target_tenant": BOB}})).await.refused(404, "RbacPolicyNotFound");
    server.delete(&path).await.refused(404, "RbacPolicyNotFound");
    assert_eq!(server.delete(&format!("/networks/{net}")).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM networkrbacs").await, 0);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let server = Server::start().await;
    let net = network(&server).await;
    let good = json!({"object_type": "network", "object_id": net, "target_tenant": ALICE, "action": "access_as_shared"});
    for (attribute, value, kind) in [
        ("object_type", json!("router"), "InvalidInput"),
        ("object_type", Value::Null, "InvalidInput"),
        ("object_type", json!(5), "InvalidInput"),
        ("object_id", json!("x"), "HTTPBadRequest"),
        ("object_id", json!(NOBODY), "InvalidInput"),
        ("target_tenant", json!("short"), "InvalidInput"),
        ("target_tenant", Value::Null, "InvalidInput"),
        ("action", json!("foo"), "InvalidActionForType"),
        ("action", Value::Null, "HTTPBadRequest"),
        ("target_project", json!(ALICE), "HTTPBadRequest"),
    ] {
        let mut policy = good.clone();
        policy[attribute] = value;
        server.post("/rbac-policies", json!({ "rbac_policy": policy })).await.refused(400, kind);
    }
    // Both spellings of a list body: Neutron forms the plural by itself, and cannot make several.
    server.post("/rbac-policies", json!({"rbac_policies": [good]})).await.refused(400, "HTTPBadRequest");
    server.post("/rbac-policies", json!({"rbac_policys": [good]})).await.refused(400, "HTTPBadRequest");
    for kind in ["address_scope", "subnetpool", "security_group", "address_group"] {
        share(&server, kind, NOBODY, ALICE, "access_as_shared").await.refused(400, "InvalidInput");
        share(&server, kind, NOBODY, ALICE, "access_as_external").await.refused(400, "InvalidActionForType");
    }
    server.get("/rbac-policies?sort_key=id&sort_dir=asc").await.refused(400, "HTTPBadRequest");
    server.get("/rbac-policies?target_project=x").await.refused(400, "HTTPBadRequest");
    server.get("/rbac-policies?object_type=router").await.refused(400, "InvalidInput");
    assert_eq!(server.count("SELECT count(*) FROM networkrbacs").await, 0);
}

#[tokio::test]
async fn lists_are_one_statement_over_all_types() {
    let server = Server::start().await;
    let net = network(&server).await;
    let scope = id(&server.post("/address-scopes", json!({"address_scope": {"name": "s", "ip_version": 4}})).await.expect(201));
    shared(&server, "network", &net, ALICE).await;
    let mut cost = Vec::new();
    for n in 0..30 {
        let before = server.statements();
        assert_eq!(server.get("/rbac-policies").await.expect(200).as_array().unwrap().len(), n + 1);
        cost.push(server.statements() - before);
        shared(&server, "address_scope", &scope, &format!("{n:032x}")).await;
    }
    assert!(cost.iter().all(|c| *c == 1), "{cost:?}");
    for (query, count) in [
        ("object_type=NETWORK", 1),
        ("object_type=network&object_type=address_scope", 31),
        ("object_type=subnetpool", 0),
        (&format!("object_id={scope}"), 30),
        (&format!("target_tenant={ALICE}"), 1),
        ("action=access_as_external", 0),
        ("tenant_id=other", 0),
        (&format!("project_id={PROJECT}&object_type=network"), 1),
    ] {
        let rows = server.get(&format!("/rbac-policies?{query}")).await.expect(200);
        assert_eq!(rows.as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn a_network_in_use_stays_shared() {
    let server = Server::start().await;
    let net = network(&server).await;
    let policy = shared(&server, "network", &net, ALICE).await;
    let port = id(&server.post("/ports", json!({"port": {"network_id": net, "project_id": ALICE}})).await.expect(201));
    server.delete(&policy).await.refused(409, "RbacPolicyInUse");
    server.put(&policy, json!({"rbac_policy": {"target_tenant": BOB}})).await.refused(409, "RbacPolicyInUse");
    // Covered by the wildcard, it may go; then the wildcard may not.
    let everyone = shared(&server, "network", &net, "*").await;
    assert_eq!(server.delete(&policy).await.status, 204);
    server.delete(&everyone).await.refused(409, "RbacPolicyInUse");
    server.put(&everyone, json!({"rbac_policy": {"target_tenant": BOB}})).await.refused(409, "RbacPolicyInUse");
    server.put(&everyone, json!({"rbac_policy": {"target_tenant": ALICE}})).await.expect(200);
    server.put(&everyone, json!({"rbac_policy": {"target_tenant": "*"}})).await.expect(200);
    server.delete(&format!("/ports/{port}")).await;
    assert_eq!(server.delete(&everyone).await.status, 204);
}

#[tokio::test]
async fn what_others_use_stays_shared() {
    let server = Server::start().await;
    let scope = id(&server.post("/address-scopes", json!({"address_scope": {"name": "s", "ip_version": 4}})).await.expect(201));
    let pool = json!({"name": "p", "prefixes": ["10.0.0.0/16"], "address_scope_id": scope});
    let pool = id(&server.post("/subnetpools", json!({ "subnetpool": pool })).await.expect(201));
    let group = id(&server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201));
    let addresses = id(&server.post("/address-groups", json!({"address_group": {"name": "a"}})).await.expect(201));
    let net = network(&server).await;
    // A pool goes nowhere without its scope.
    share(&server, "subnetpool", &pool, ALICE, "access_as_shared").await.refused(400, "InvalidInput");
    let mut policies = Vec::new();
    for (kind, object) in [("address_scope", &scope), ("subnetpool", &pool), ("security_group", &group), ("address_group", &addresses)] {
        policies.push(shared(&server, kind, object, ALICE).await);
    }
    for policy in &policies {
        // Not used yet: it may be moved, and back.
        server.put(policy, json!({"rbac_policy": {"target_tenant": BOB}})).await.expect(200);
        server.put(policy, json!({"rbac_policy": {"target_tenant": ALICE}})).await.expect(200);
    }
    server.sql(&format!("UPDATE subnetpools SET project_id = '{ALICE}' WHERE id = '{pool}'")).await;
    let subnet = json!({"network_id": net, "subnetpool_id": pool, "ip_version": 4, "prefixlen": 24, "project_id": ALICE});
    server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    server.sql(&format!("UPDATE subnetpools SET project_id = '{BOB}' WHERE id = '{pool}'")).await;
    server.post("/ports", json!({"port": {"network_id": net, "project_id": ALICE, "security_groups": [group]}})).await.expect(201);
    let rule = json!({"security_group_id": group, "direction": "ingress", "remote_address_group_id": addresses, "project_id": ALICE});
    server.post("/security-group-rules", json!({ "security_group_rule": rule })).await.expect(201);
    server.sql(&format!("UPDATE subnetpools SET project_id = '{ALICE}' WHERE id = '{pool}'")).await;
    server.delete(&policies[0]).await.refused(409, "RbacPolicyInUse");
    server.sql(&format!("UPDATE subnetpools SET project_id = '{PROJECT}' WHERE id = '{pool}'")).await;
    assert_eq!(server.delete(&policies[0]).await.status, 204);
    for policy in &policies[1..] {
        server.delete(policy).await.refused(409, "RbacPolicyInUse");
        server.put(policy, json!({"rbac_policy": {"target_tenant": BOB}})).await.refused(409, "RbacPolicyInUse");
        server.put(policy, json!({"rbac_policy": {"target_tenant": "*"}})).await.expect(200);
    }
}

#[tokio::test]
async fn external_policies_make_and_unmake_external_networks() {
    let server = Server::start().await;
    let net = network(&server).await;
    let path = format!("/networks/{net}");
    let external = async || server.get(&path).await.expect(200)["router:external"].clone();
    let wild = id(&share(&server, "network", &net, "*", "access_as_external").await.expect(201));
    assert_eq!(external().await, true);
    let alice = id(&share(&server, "network", &net, ALICE, "access_as_external").await.expect(201));
    server.put(&path, json!({"network": {"is_default": true}})).await.expect(200);
    server.delete(&format!("/rbac-policies/{wild}")).await.refused(409, "RbacPolicyInUse");
    server.put(&path, json!({"network": {"is_default": false}})).await.expect(200);
    assert_eq!(server.delete(&format!("/rbac-policies/{wild}")).await.status, 204);
    assert_eq!(external().await, true);
    assert_eq!(server.delete(&format!("/rbac-policies/{alice}")).await.status, 204);
    assert_eq!(external().await, false);
    assert_eq!(server.count("SELECT count(*) FROM externalnetworks").await, 0);
}
