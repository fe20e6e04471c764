// SPDX-License-Identifier: Apache-2.0
//! Addresses of hosts for distributed routers. No request shows them; agents ask for them.

use neutrino_core::Context;
use neutrino_l3::dvr_macs;
use neutrino_services::agents::{DHCP, L3};
use neutrino_testing::Server;
use neutrino_types::mac::Mac;
use serde_json::json;

use crate::agents::{report, state};

async fn of(server: &Server, host: &str) -> Mac {
    let cx = Context::internal("test");
    let asked = server.engine.transact(&cx, "agents", "address of a host", |op| {
        let host = host.to_owned();
        Box::pin(async move { dvr_macs::of_host(op, &host).await })
    });
    asked.await.unwrap()
}

#[tokio::test]
async fn a_host_has_one_address_until_its_last_agent_goes() {
    let server = Server::full().await;
    let a = report(&server, state(L3, "h1", None, json!({}))).await.id;
    let b = report(&server, state(DHCP, "h1", None, json!({}))).await.id;
    let mac = of(&server, "h1").await;
    assert_eq!(mac.octets()[..3], [0xfa, 0x16, 0x3f]);
    let (again, other) = (of(&server, "h1").await, of(&server, "h2").await);
    assert_eq!(again, mac);
    assert_ne!(other, mac);
    let listed = dvr_macs::all(&mut server.engine.db.reader().await.unwrap()).await.unwrap();
    assert_eq!(listed, [("h1".to_owned(), mac), ("h2".to_owned(), other)]);
    assert_eq!(server.delete(&format!("/agents/{a}")).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM dvr_host_macs").await, 2);
    assert_eq!(server.delete(&format!("/agents/{b}")).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM dvr_host_macs WHERE host = 'h1'").await, 0);
}

#[tokio::test]
async fn the_operator_chooses_the_base() {
    let server = Server::with(&[("DEFAULT", "service_plugins", "router"), ("DEFAULT", "dvr_base_mac", "fa:16:3f:4f:00:00")]).await;
    assert_eq!(of(&server, "h1").await.octets()[..4], [0xfa, 0x16, 0x3f, 0x4f]);
    let tables = [&[neutrino_core::plugins::OPTIONS][..], neutrino_ml2::OPTIONS, neutrino_services::OPTIONS, neutrino_l3::OPTIONS].concat();
    let wrong = [("DEFAULT", "service_plugins", "router"), ("DEFAULT", "dvr_base_mac", "fa:16")];
    let config = oslo_config::Config::for_test(&tables, &wrong).unwrap();
    let told = neutrino_l3::register(&mut neutrino_core::Builder::default(), &config).unwrap_err();
    assert!(told.contains("dvr_base_mac"), "{told}");
}

#[tokio::test]
async fn hosts_that_ask_at_once_get_different_addresses() {
    let server = Server::full().await;
    let hosts: Vec<String> = (0..16).map(|n| format!("h{}", n / 2)).collect();
    let macs = futures::future::join_all(hosts.iter().map(|host| of(&server, host))).await;
    let different: std::collections::BTreeSet<String> = macs.iter().map(ToString::to_string).collect();
    assert_eq!(different.len(), 8);
}
