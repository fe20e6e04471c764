// SPDX-License-Identifier: Apache-2.0
//! Many requests at once on the routers of one project: what is left is whole.

use std::sync::Arc;

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::routers::{network, router, whole};

/// One of the requests, by number.
async fn one(server: &Server, n: usize, routers: &[String], subnets: &[String], outside: &[String]) -> u16 {
    let (path, subnet) = (&routers[n % routers.len()], &subnets[(n / 3) % subnets.len()]);
    let put = async |path: String, body: Value| server.put(&path, body).await.status;
    match n % 8 {
        0..=2 => put(format!("{path}/add_router_interface"), json!({"subnet_id": subnet})).await,
        3 | 4 => put(format!("{path}/remove_router_interface"), json!({"subnet_id": subnet})).await,
        5 => {
            let info = json!({"network_id": outside[(n / 8) % outside.len()]});
            put(path.clone(), json!({"router": {"external_gateway_info": info}})).await
        }
        6 => put(path.clone(), json!({"router": {"external_gateway_info": null}})).await,
        _ => server.delete(path).await.status,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn interfaces_gateways_and_deletes_at_once_leave_no_orphan() {
    let server = Arc::new(Server::full().await);
    let mut subnets = Vec::new();
    for n in 0..4 {
        subnets.push(network(&server, json!({}), &format!("10.0.{n}.0/24")).await.1);
    }
    // Overlaps with the first: no router may have both.
    subnets.push(network(&server, json!({}), "10.0.0.128/25").await.1);
    let mut outside = Vec::new();
    for n in 0..2 {
        outside.push(network(&server, json!({"router:external": true}), &format!("192.0.{n}.0/24")).await.0);
    }
    let (subnets, outside) = (Arc::new(subnets), Arc::new(outside));
    for round in 0..3 {
        let mut routers = Vec::new();
        for n in 0..4 {
            routers.push(router(&server, json!({"distributed": n % 2 == 0})).await);
        }
        let routers = Arc::new(routers);
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let (server, routers, subnets, outside) = (server.clone(), routers.clone(), subnets.clone(), outside.clone());
                tokio::spawn(async move { one(&server, n, &routers, &subnets, &outside).await })
            })
            .collect();
        for task in tasks {
            let status = task.await.unwrap();
            assert!(matches!(status, 200 | 204 | 400 | 404 | 409), "round {round}: {status}");
        }
        whole(&server).await;
        let overlaps = "SELECT count(*) FROM routerports a JOIN ipallocations x ON x.port_id = a.port_id JOIN routerports b ON \
                        b.router_id = a.router_id AND b.port_id <> a.port_id JOIN ipallocations y ON y.port_id = b.port_id \
                        JOIN subnets s ON s.id = x.subnet_id JOIN subnets t ON t.id = y.subnet_id \
                        WHERE s.cidr = '10.0.0.0/24' AND t.cidr = '10.0.0.128/25'";
        assert_eq!(server.count(overlaps).await, 0, "round {round}");
        for path in routers.iter() {
            let id = path.rsplit('/').next().unwrap();
            let interfaces = server.get(&format!("/ports?device_id={id}")).await;
            for port in interfaces.body["ports"].as_array().unwrap() {
                server.put(&format!("{path}/remove_router_interface"), json!({"port_id": port["id"]})).await;
            }
            let gone = server.delete(path).await.status;
            assert!(matches!(gone, 204 | 404), "round {round}: {gone}");
        }
        assert_eq!(server.count("SELECT count(*) FROM ports").await, 0, "round {round}: a port outlived its router");
        assert_eq!(server.count("SELECT count(*) FROM routerports").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_port_is_plugged_in_or_deleted_and_never_both() {
    let server = Arc::new(Server::full().await);
    let (net, _) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = Arc::new(router(&server, json!({})).await);
    for _ in 0..12 {
        let port = server.post("/ports", json!({"port": {"network_id": net}})).await.expect(201);
        let target = format!("/ports/{}", port["id"].as_str().unwrap());
        let (other, at, id) = (server.clone(), path.clone(), port["id"].clone());
        let plug = tokio::spawn(async move { other.put(&format!("{at}/add_router_interface"), json!({"port_id": id})).await.status });
        let (other, at) = (server.clone(), target.clone());
        let delete = tokio::spawn(async move { other.delete(&at).await.status });
        let answers = (plug.await.unwrap(), delete.await.unwrap());
        assert!(matches!(answers, (200, 409) | (404, 204)), "{answers:?}");
        whole(&server).await;
        if answers.0 == 200 {
            server.put(&format!("{path}/remove_router_interface"), json!({"port_id": port["id"]})).await.expect(200);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn routes_added_at_once_are_all_there() {
    let server = Arc::new(Server::full().await);
    let (_, subnet) = network(&server, json!({}), "10.0.0.0/24").await;
    let path = Arc::new(router(&server, json!({})).await);
    server.put(&format!("{path}/add_router_interface"), json!({"subnet_id": subnet})).await.expect(200);
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let (server, path) = (server.clone(), path.clone());
            let route = json!({"destination": format!("20.0.{n}.0/24"), "nexthop": "10.0.0.5"});
            tokio::spawn(async move { server.put(&format!("{path}/add_extraroutes"), json!({"router": {"routes": [route]}})).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    assert_eq!(server.get(&path).await.expect(200)["routes"].as_array().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn vnis_chosen_at_once_differ() {
    let server = Arc::new(Server::full().await);
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let server = server.clone();
            tokio::spawn(async move { server.post("/routers", json!({"router": {"evpn_vni": 0}})).await.expect(201)["evpn_vni"].as_i64() })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap().unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=16).collect::<Vec<i64>>());
}
