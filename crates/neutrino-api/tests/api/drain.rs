// SPDX-License-Identifier: Apache-2.0
//! Stopping a listener while requests are in flight.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use neutrino_api::http::{Drained, Limits};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::harness::{Server, quick};

#[tokio::test]
async fn requests_in_flight_are_answered_and_no_other_is_taken() {
    let server = Server::start(quick()).await;
    let mut idle = server.connect().await;
    idle.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(idle.answer().await.status, 200);
    let mut busy = server.connect().await;
    busy.say("GET /sleep/600 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(100)).await;

    server.begin_stop();
    assert!(idle.is_closed().await, "an idle connection is closed at once");
    sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing listens any more");
    let answer = busy.answer().await;
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(server.stop().await, Drained::default());
}

#[tokio::test]
async fn what_takes_too_long_is_cut_and_counted_but_runs_to_its_end() {
    let server = Server::start(Limits { graceful_shutdown_timeout_seconds: 1, ..quick() }).await;
    let mut busy = server.connect().await;
    busy.say("GET /sleep/2500 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(100)).await;
    let (began, echo) = (Instant::now(), Arc::clone(&server.echo));
    assert_eq!(server.stop().await, Drained { connections_cut: 1, requests_running: 1 });
    assert!(began.elapsed() < Duration::from_millis(2300));
    assert!(busy.is_closed().await);
    assert_eq!(echo.finished.load(Ordering::SeqCst), 0);
    sleep(Duration::from_millis(2000)).await;
    assert_eq!(echo.finished.load(Ordering::SeqCst), 1);
}
