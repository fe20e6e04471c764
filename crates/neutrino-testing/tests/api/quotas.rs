// SPDX-License-Identifier: Apache-2.0
use std::sync::Arc;

use http::Method;
use neutrino_core::Builder;
use neutrino_db::Dialect;
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

const DEFAULTS: &[(&str, &str, &str)] = &[
    ("quotas", "quota_network", "100"),
    ("quotas", "quota_subnet", "100"),
    ("quotas", "quota_port", "500"),
    ("quotas", "quota_rbac_policy", "10"),
    ("quotas", "quota_security_group", "10"),
    ("quotas", "quota_security_group_rule", "100"),
];
const OTHER: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

async fn create_network(server: &Server, project: &str) -> neutrino_testing::Answer {
    server.post("/networks", json!({"network": {"project_id": project}})).await
}

async fn set(server: &Server, project: &str, quota: Value) -> Value {
    server.put(&format!("/quotas/{project}"), json!({ "quota": quota })).await.expect(200)
}

#[tokio::test]
async fn are_shown_set_and_taken_back() {
    let server = Server::with(DEFAULTS).await;
    let defaults = json!({"network": 100, "subnet": 100, "subnetpool": -1, "port": 500, "rbac_policy": 10, "security_group": 10,
        "security_group_rule": 100});
    let shown = server.get(&format!("/quotas/{OTHER}")).await.expect(200);
    for (kind, limit) in defaults.as_object().unwrap() {
        assert_eq!(&shown[kind], limit, "{kind}");
    }
    assert_eq!(server.get("/quotas").await.body, json!({"quotas": []}));
    let changed = set(&server, OTHER, json!({"network": "7", "port": -1, "subnet": true, "check_limit": true, "force": "no"})).await;
    assert_eq!((&changed["network"], &changed["port"], &changed["subnet"]), (&json!(7), &json!(-1), &json!(1)));
    let all = server.get("/quotas?fields=network&nonsense=1").await.expect(200);
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!((&all[0]["project_id"], &all[0]["tenant_id"], &all[0]["network"]), (&json!(OTHER), &json!(OTHER), &json!(7)));
    assert_eq!(server.get(&format!("/quotas/{OTHER}.json")).await.expect(200), changed);
    assert_eq!(server.get(&format!("/quotas/{OTHER}/default")).await.expect(200), shown);
    assert_eq!(server.get("/quotas/tenant").await.body, json!({"tenant": {"tenant_id": PROJECT}}));
    assert_eq!(server.get("/quotas/project").await.body, json!({"project": {"project_id": PROJECT}}));
    assert_eq!(server.delete(&format!("/quotas/{OTHER}")).await.status, 204);
    server.delete(&format!("/quotas/{OTHER}")).await.refused(404, "TenantQuotaNotFound");
    assert_eq!(server.count("SELECT count(*) FROM quotas").await, 0);
}

#[tokio::test]
async fn bad_input_is_refused() {
    let server = Server::start().await;
    let path = format!("/quotas/{OTHER}");
    for (quota, kind) in [
        (json!({"network": -2}), "HTTPBadRequest"),
        (json!({"network": 2_147_483_648_i64}), "HTTPBadRequest"),
        (json!({"network": "x"}), "InvalidInput"),
        (json!({"network": null}), "InvalidInput"),
        (json!({"network": []}), "InvalidInput"),
        (json!({"bogus": 1}), "HTTPBadRequest"),
        (json!({"network": 1, "project_id": OTHER}), "HTTPBadRequest"),
        (json!([]), "HTTPBadRequest"),
        (json!(null), "HTTPBadRequest"),
    ] {
        server.put(&path, json!({ "quota": quota })).await.refused(400, kind);
    }
    server.put(&path, json!({})).await.refused(400, "HTTPBadRequest");
    server.put(&path, json!([])).await.refused(400, "HTTPBadRequest");
    server.send(Method::PUT, &path, "", &[]).await.refused(400, "HTTPBadRequest");
    server.send(Method::PUT, &path, "{", &[]).await.refused(400, "MalformedRequestBody");
    server.put(&format!("/quotas/{}", "x".repeat(256)), json!({"quota": {"network": 1}})).await.refused(400, "HTTPBadRequest");
    server.post("/quotas", json!({"quota": {}})).await.refused(501, "HTTPNotImplemented");
    server.send(Method::PATCH, &path, "{}", &[]).await.refused(405, "HTTPMethodNotAllowed");
    server.post(&path, json!({})).await.refused(405, "HTTPMethodNotAllowed");
    server.get(&format!("{path}/nope")).await.refused(404, "HTTPNotFound");
    server.get(&format!("{path}/default/more")).await.refused(404, "HTTPNotFound");
    assert_eq!(server.count("SELECT count(*) FROM quotas").await, 0);
}

#[tokio::test]
async fn bound_every_kind_alone_and_in_bulk() {
    let server = Server::start().await;
    set(&server, PROJECT, json!({"network": 2, "port": 1, "subnet": 1, "subnetpool": 0, "rbac_policy": 1, "security_group_rule": 6})).await;
    let net = create_network(&server, PROJECT).await.expect(201)["id"].clone();
    server.post("/networks", json!({"networks": [{}, {}]})).await.refused(409, "OverQuota");
    // Each project has its own: one of each fits.
    server.post("/networks", json!({"networks": [{}, {"project_id": OTHER}, {"project_id": OTHER}]})).await.expect(201);
    create_network(&server, PROJECT).await.refused(409, "OverQuota");
    create_network(&server, OTHER).await.expect(201);
    let subnet = |cidr: &str| json!({"subnet": {"network_id": net, "ip_version": 4, "cidr": cidr}});
    server.post("/subnets", subnet("10.0.0.0/24")).await.expect(201);
    server.post("/subnets", subnet("10.0.1.0/24")).await.refused(409, "OverQuota");
    server.post("/subnetpools", json!({"subnetpool": {"name": "p", "prefixes": ["10.0.0.0/8"]}})).await.refused(409, "OverQuota");
    server.post("/ports", json!({"ports": [{"network_id": net}, {"network_id": net}]})).await.refused(409, "OverQuota");
    let port = server.post("/ports", json!({"port": {"network_id": net}})).await.expect(201)["id"].clone();
    server.post("/ports", json!({"port": {"network_id": net}})).await.refused(409, "OverQuota");
    let share = |target: &str| json!({"rbac_policy": {"object_type": "network", "object_id": net, "target_tenant": target, "action": "access_as_shared"}});
    server.post("/rbac-policies", share(OTHER)).await.expect(201);
    server.post("/rbac-policies", share("*")).await.refused(409, "OverQuota");
    // The default group has four rules, each further one two.
    let group = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201)["id"].clone();
    let rule = json!({"security_group_id": group, "direction": "ingress"});
    server.post("/security-group-rules", json!({ "security_group_rule": rule })).await.refused(409, "OverQuota");
    // What is deleted is free again.
    assert_eq!(server.delete(&format!("/ports/{}", port.as_str().unwrap())).await.status, 204);
    server.post("/ports", json!({"port": {"network_id": net}})).await.expect(201);
}

#[tokio::test]
async fn limits_below_what_is_used_need_force() {
    let server = Server::start().await;
    for _ in 0..3 {
        create_network(&server, OTHER).await.expect(201);
    }
    let path = format!("/quotas/{OTHER}");
    server.put(&path, json!({"quota": {"network": 2, "port": 9}})).await.refused(400, "HTTPBadRequest");
    server.put(&path, json!({"quota": {"network": 2, "force": "yes"}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.count("SELECT count(*) FROM quotas").await, 0);
    assert_eq!(set(&server, OTHER, json!({"network": 2, "force": true})).await["network"], 2);
    create_network(&server, OTHER).await.refused(409, "OverQuota");
    // Another server's reservation counts until it expires.
    server.sql(&format!("INSERT INTO reservations VALUES ('r', '{OTHER}', '2999-01-01 00:00:00')")).await;
    server.sql("INSERT INTO resourcedeltas VALUES ('network', 'r', 4)").await;
    let before = server.statements();
    let details = server.get(&format!("{path}/details")).await.expect(200);
    assert_eq!(server.statements() - before, 1, "details take one statement");
    assert_eq!(details["network"], json!({"limit": 2, "used": 3, "reserved": 4}));
    assert_eq!(details["port"], json!({"limit": -1, "used": 0, "reserved": 0}));
    set(&server, OTHER, json!({"network": 7})).await;
    create_network(&server, OTHER).await.refused(409, "OverQuota");
    server.sql("UPDATE reservations SET expiration = '2001-01-01 00:00:00'").await;
    create_network(&server, OTHER).await.expect(201);
}

/// 64 creates at once, singly and in bulk, with refusals among them for other reasons: exactly the limit is reached, and what is freed
/// can be had again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn hold_and_do_not_leak_under_64_concurrent_creates() {
    const LIMIT: i64 = 20;
    let server = Arc::new(Server::start().await);
    let net = create_network(&server, OTHER).await.expect(201)["id"].as_str().unwrap().to_owned();
    set(&server, PROJECT, json!({ "port": LIMIT })).await;
    for round in 0..2 {
        let tasks = (0..64).map(|n| {
            let (server, net) = (server.clone(), net.clone());
            tokio::spawn(async move {
                let body = match n % 4 {
                    0 => json!({"ports": [{"network_id": net}, {"network_id": net}]}),
                    1 => json!({"port": {"network_id": net, "fixed_ips": [{"ip_address": "10.0.0.1"}]}}),
                    _ => json!({"port": {"network_id": net}}),
                };
                let answer = server.post("/ports", body).await;
                match answer.status {
                    201 => answer.body["ports"].as_array().map_or(1, Vec::len),
                    409 => {
                        answer.refused(409, "OverQuota");
                        0
                    }
                    400 => 0,
                    _ => panic!("{}", answer.text),
                }
            })
        });
        let made: usize = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).sum();
        let count = format!("SELECT count(*) FROM ports WHERE project_id = '{PROJECT}'");
        assert_eq!((i64::try_from(made).unwrap(), server.count(&count).await), (LIMIT, LIMIT), "round {round}");
        server.sql(&format!("DELETE FROM ports WHERE project_id = '{PROJECT}'")).await;
    }
    assert_eq!(server.count("SELECT count(*) FROM reservations").await, 0);
}

#[tokio::test]
async fn a_check_is_one_statement_however_many_are_made() {
    let server = Server::start().await;
    set(&server, PROJECT, json!({"network": 1000})).await;
    let bulk = async |count: usize, project: &str| {
        let before = server.statements();
        let networks: Vec<Value> = (0..count).map(|_| json!({"project_id": project})).collect();
        server.post("/networks", json!({ "networks": networks })).await.expect(201);
        server.statements() - before
    };
    bulk(1, PROJECT).await;
    bulk(1, OTHER).await;
    // A limited project costs what an unlimited one does, with one object and with forty; where there are several writers, also its claim
    // and a second look.
    let more = if server.engine.db.dialect() == Dialect::Sqlite { 0 } else { 2 };
    assert_eq!(bulk(1, PROJECT).await, bulk(1, OTHER).await + more);
    assert_eq!(bulk(40, PROJECT).await, bulk(40, OTHER).await + more);
}

#[tokio::test]
async fn the_null_driver_knows_no_limits_and_an_unknown_one_is_refused() {
    let null = ("quotas", "quota_driver", "neutron.db.quota.driver_null.DbQuotaDriverNull");
    let server = Server::with(&[null, ("quotas", "quota_network", "0")]).await;
    create_network(&server, PROJECT).await.expect(201);
    assert_eq!(server.get(&format!("/quotas/{PROJECT}")).await.body, json!({"quota": {}}));
    assert_eq!(server.get("/quotas").await.body, json!({"quotas": []}));
    server.get("/extensions/quotas").await.expect(200);
    assert_eq!(server.get("/extensions/quota_details").await.status, 404);
    let config = neutrino_testing::config(&[("quotas", "quota_driver", "my.Driver")]);
    let told = neutrino_services::register(&mut Builder::default(), &config).unwrap_err();
    assert!(told.contains("DbQuotaNoLockDriver"), "{told}");
}
