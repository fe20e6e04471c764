// SPDX-License-Identifier: Apache-2.0
//! What the API costs over SQLite, in process: `cargo bench -p neutrino-testing`. Prints medians, and for reads the share of the time
//! that the bare statements of the same request take.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints and may fail")]

use std::{future::Future, time::Instant};

use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

/// The server's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs `operation` `times` times; the median in microseconds.
async fn median<F: Future>(times: usize, mut operation: impl FnMut(usize) -> F) -> f64 {
    let mut samples = Vec::with_capacity(times);
    for n in 0..times {
        let start = Instant::now();
        operation(n).await;
        samples.push(start.elapsed().as_secs_f64() * 1e6);
    }
    samples.sort_by(f64::total_cmp);
    samples[times / 2]
}

/// The median time of the statements that one request ran, without anything around them.
async fn bare(server: &Server, path: &str, times: usize) -> f64 {
    let db = &server.engine.db;
    db.stats().record();
    assert_eq!(server.get(path).await.status, 200);
    let statements = db.stats().recorded();
    median(times, |_| async {
        let mut tx = db.reader().await.unwrap();
        for sql in &statements {
            tx.query(&sql.text, sql.args.clone()).await.unwrap();
        }
    })
    .await
}

async fn read(server: &Server, name: &str, path: &str, times: usize) {
    let whole = median(times, |_| async { assert_eq!(server.get(path).await.status, 200) }).await;
    let statements = bare(server, path, times).await;
    println!("{name:<28} {whole:>12.0} us   bare statements {statements:>10.0} us   {:>5.0} %", 100.0 * statements / whole);
}

async fn ports(server: &Server, network: &Value, count: usize) {
    let bodies: Vec<Value> = (0..count).map(|n| json!({"network_id": network, "name": format!("p{n}")})).collect();
    assert_eq!(server.post("/ports", json!({ "ports": bodies })).await.status, 201);
}

/// What rules cost a list of 1,000 rows: the same rows for the operator, whose rules need no look at a row, for the owner, whose rules
/// do, and for a caller of another project, who sees none.
async fn authorization(server: &Server) {
    let by = |project: &str, roles: &[&str]| Identity {
        user_id: Some("u".to_owned()),
        project_id: Some(project.to_owned()),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Identity::default()
    };
    let rows = [("an admin's", by("other", &["admin", "reader"]), 1000), ("the owner's", by(PROJECT, &["member", "reader"]), 1000)];
    for (name, identity, expected) in rows {
        let ask = || server.send_as(identity.clone(), Method::GET, "/ports?limit=1000", "", &[]);
        assert_eq!(ask().await.body["ports"].as_array().unwrap().len(), expected);
        let before = server.statements();
        ask().await;
        let statements = server.statements() - before;
        let whole = median(20, |_| async { assert_eq!(ask().await.status, 200) }).await;
        println!("{:<28} {whole:>12.0} us   {statements} statements", format!("list 1,000 ports, {name}"));
    }
}

/// Creates objects of a collection in one request; their ids.
async fn make(server: &Server, collection: &str, path: &str, bodies: &[Value]) -> Vec<Value> {
    let answer = server.post(path, json!({ collection: bodies })).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body[collection].as_array().unwrap().iter().map(|object| object["id"].clone()).collect()
}

/// Lists whose rows have many parts each.
async fn with_parts() {
    let server = Server::with(&[("DEFAULT", "service_plugins", "router,trunk"), ("ml2", "mechanism_drivers", "openvswitch")]).await;
    let network = server.post("/networks", json!({"network": {"name": "bench"}})).await.expect(201)["id"].clone();
    let subnets: Vec<Value> =
        (0..1000).map(|n| json!({"network_id": network, "ip_version": 4, "cidr": format!("10.{}.{}.0/24", n / 256, n % 256)})).collect();
    for subnet in make(&server, "subnets", "/subnets", &subnets).await {
        let router = server.post("/routers", json!({"router": {"name": "r"}})).await.expect(201);
        let path = format!("/routers/{}/add_router_interface", router["id"].as_str().unwrap());
        assert_eq!(server.put(&path, json!({ "subnet_id": subnet })).await.status, 200);
    }
    let plain = server.post("/networks", json!({"network": {"name": "trunks"}})).await.expect(201)["id"].clone();
    let ports: Vec<Value> = (0..2000).map(|_| json!({ "network_id": plain })).collect();
    let ports = make(&server, "ports", "/ports", &ports).await;
    for (n, pair) in ports.chunks(2).enumerate() {
        let sub_port = json!({"port_id": pair[1], "segmentation_type": "vlan", "segmentation_id": 1 + n % 4000});
        let trunk = json!({"trunk": {"port_id": pair[0], "sub_ports": [sub_port]}});
        assert_eq!(server.post("/trunks", trunk).await.status, 201);
    }
    for _ in 0..5 {
        let groups: Vec<Value> = (0..1000).map(|n| json!({"name": format!("g{n}")})).collect();
        let groups = make(&server, "security_groups", "/security-groups", &groups).await;
        // Beside the two that every group begins with; one request speaks of one group.
        for group in groups {
            let rules = [22, 80].map(|port| {
                json!({"security_group_id": group, "direction": "ingress", "protocol": "tcp", "port_range_min": port, "port_range_max": port})
            });
            make(&server, "security_group_rules", "/security-group-rules", &rules).await;
        }
    }
    read(&server, "list 1,000 routers", "/routers", 10).await;
    read(&server, "list their 1,000 interfaces", "/ports?device_owner=network:router_interface", 10).await;
    read(&server, "list 5,000 groups, 20,000 rules", "/security-groups", 5).await;
    read(&server, "list 1,000 trunks", "/trunks", 10).await;
}

#[tokio::main]
async fn main() {
    let server = Server::start().await;
    let network = server.post("/networks", json!({"network": {"name": "bench"}})).await.expect(201)["id"].clone();
    let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/16"});
    assert_eq!(server.post("/subnets", json!({ "subnet": subnet })).await.status, 201);
    let one = median(200, |n| {
        let body = json!({"port": {"network_id": network, "name": format!("one{n}")}});
        let server = &server;
        async move { assert_eq!(server.post("/ports", body).await.status, 201) }
    })
    .await;
    println!("{:<28} {one:>12.0} us", "create a port");
    let port = server.get("/ports?limit=1").await.body["ports"][0]["id"].as_str().unwrap().to_owned();
    read(&server, "show a port", &format!("/ports/{port}"), 2000).await;
    let bulk = median(3, |_| ports(&server, &network, 1000)).await;
    println!("{:<28} {bulk:>12.0} us", "bulk create of 1,000 ports");
    read(&server, "list 1,000 ports", "/ports?limit=1000", 20).await;
    authorization(&server).await;
    for _ in 0..7 {
        ports(&server, &network, 1000).await;
    }
    read(&server, "list 10,000 ports", "/ports?limit=10000", 5).await;
    read(&server, "list 10,000 ports, id only", "/ports?limit=10000&fields=id", 5).await;
    let changed = median(200, |n| {
        let (path, body) = (format!("/ports/{port}"), json!({"port": {"name": format!("x{n}")}}));
        let server = &server;
        async move { assert_eq!(server.put(&path, body).await.status, 200) }
    })
    .await;
    println!("{:<28} {changed:>12.0} us", "update a port");
    with_parts().await;
}
