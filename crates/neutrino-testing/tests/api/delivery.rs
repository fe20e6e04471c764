// SPDX-License-Identifier: Apache-2.0
//! What a killed server would take along is not acknowledged: the answer waits until the broker has it.

use std::{pin::pin, time::Duration};

use neutrino_core::{Context, versions};
use neutrino_services::dhcp_agent_scheduler;
use neutrino_testing::Server;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    ports::{create, id, network, subnet},
    rpc_dhcp::{host, sync},
};

/// Long enough for an answer that does not wait.
const SOON: Duration = Duration::from_secs(20);
/// For an answer that waits.
const WHILE: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_deletion_is_answered_when_the_broker_has_what_agents_are_told_of_it() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let versions = json!({"Port": "1.11", "Network": "1.1", "QosPolicy": "1.11"});
    versions::reported(&server.engine, &Context::internal("test"), "Open vSwitch agent", "h1", versions.as_object().unwrap());
    let net = network(&server).await;
    subnet(&server, &net, "10.1.0.0/24", json!({})).await;
    let port = create(&server, &net, json!({})).await.expect(201);
    let path = format!("/ports/{}", id(&port));
    sync(&server, "h1").await;
    dhcp_agent_scheduler::flush(&server.engine).await;
    server.pushes().await;
    server.bus.confirm();

    let mut deleting = pin!(server.delete(&path));
    timeout(WHILE, &mut deleting).await.unwrap_err();
    assert_eq!(server.count(&format!("SELECT count(*) FROM ports WHERE id = '{}'", id(&port))).await, 0);
    let told = |method: &str| server.bus.take_method(method).len();
    assert_eq!(told("port_delete"), 1);
    server.bus.confirm();
    timeout(WHILE, &mut deleting).await.expect_err("its push and the DHCP agent's message are not made yet");
    dhcp_agent_scheduler::flush(&server.engine).await;
    assert_eq!(told("port_delete_end"), 1);
    server.bus.confirm();
    timeout(WHILE, &mut deleting).await.expect_err("its push is not made yet");
    assert!(!server.pushes().await.is_empty());
    timeout(WHILE, &mut deleting).await.expect_err("its push is not confirmed yet");
    server.bus.confirm();
    assert_eq!(timeout(SOON, deleting).await.unwrap().status, 204);
    // A read, and a refusal, wait for nothing.
    assert_eq!(timeout(SOON, server.get(&path)).await.unwrap().status, 404);
    assert_eq!(timeout(SOON, server.delete(&path)).await.unwrap().status, 404);
}

#[tokio::test]
async fn what_a_starting_server_finds_again_is_not_waited_for() {
    let server = Server::full().await;
    host(&server, "h1").await;
    let net = network(&server).await;
    sync(&server, "h1").await;
    server.bus.confirm();
    // Of a network's name L2 agents hear by a push alone, and DHCP agents by the worker.
    let body = json!({"network": {"name": "new"}});
    timeout(SOON, server.put(&format!("/networks/{net}"), body)).await.unwrap().expect(200);
}
