// SPDX-License-Identifier: Apache-2.0
//! Connections to the database that rest between two requests: what becomes of them is not noticed.

use std::sync::atomic::Ordering;

use neutrino_db::{Dialect, Tx};
use neutrino_testing::Server;
use serde_json::json;

/// The others of this database, and how one of them is ended.
fn others(dialect: Dialect) -> Option<(&'static str, &'static str)> {
    match dialect {
        Dialect::Sqlite => None,
        Dialect::MySql => Some((
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Killed'",
            "KILL",
        )),
        Dialect::Postgres => Some((
            "SELECT CAST(pid AS bigint) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "SELECT pg_terminate_backend",
        )),
    }
}

/// Leaves connections at rest, ends them, and waits until they are gone. Who asks next gets one of those: the one that ended them is returned.
async fn end_others(s: &Server) -> (usize, Tx) {
    let mut at_once = Vec::new();
    for _ in 0..3 {
        let mut tx = s.engine.db.reader().await.unwrap();
        tx.count("SELECT 1", vec![]).await.unwrap();
        at_once.push(tx);
    }
    let mut tx = at_once.pop().unwrap();
    drop(at_once);
    let Some((others, end)) = others(tx.dialect()) else { return (0, tx) };
    let found = tx.query(others, vec![]).await.unwrap();
    for row in &found {
        // It may be gone by itself.
        let _ = tx.execute_raw(&format!("{end} ({})", row.int(0).unwrap())).await;
    }
    while !tx.query(others, vec![]).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    (found.len(), tx)
}

#[tokio::test]
async fn connections_that_end_between_requests_are_replaced() {
    let s = Server::full().await;
    let id = s.post("/networks", json!({"network": {}})).await.expect(201)["id"].as_str().unwrap().to_owned();
    let retries = s.engine.db.stats().retries.load(Ordering::Relaxed);
    for n in 0..3 {
        let (ended, held) = end_others(&s).await;
        if others(held.dialect()).is_some() {
            assert!(ended > 1, "only {ended} were ended");
        }
        s.put(&format!("/networks/{id}"), json!({"network": {"name": format!("n{n}")}})).await.expect(200);
        drop(held);
        let (_, held) = end_others(&s).await;
        s.post("/security-groups", json!({"security_group": {"name": format!("g{n}")}})).await.expect(201);
        drop(held);
        let (_, held) = end_others(&s).await;
        assert_eq!(s.get(&format!("/networks/{id}")).await.expect(200)["name"], json!(format!("n{n}")));
        drop(held);
    }
    assert_eq!(s.engine.db.stats().retries.load(Ordering::Relaxed), retries, "a whole transaction was tried again");
}

#[tokio::test]
async fn what_is_refused_in_a_transaction_leaves_nothing_on_its_connection() {
    let s = Server::full().await;
    let made = s.post("/networks", json!({"network": {}})).await.expect(201);
    let subnet = json!({"subnet": {"network_id": made["id"], "ip_version": 4, "cidr": "192.0.2.0/24"}});
    s.post("/subnets", subnet.clone()).await.expect(201);
    for _ in 0..20 {
        // It overlaps: found out in the transaction, which is dropped. The next one, on the same connection, keeps nothing of it.
        s.post("/subnets", subnet.clone()).await.refused(400, "InvalidInput");
        let group = s.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
        s.delete(&format!("/security-groups/{}", group["id"].as_str().unwrap())).await.expect(204);
    }
    assert_eq!(s.count("SELECT count(*) FROM subnets").await, 1);
    assert_eq!(s.count("SELECT count(*) FROM securitygroups WHERE name = 'g'").await, 0);
    assert_eq!(s.violations().await, Vec::<String>::new());
}
