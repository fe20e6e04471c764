// SPDX-License-Identifier: Apache-2.0
//! What one connection may do: several requests, none, half of one; and what becomes of a handler whose client is gone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use neutrino_api::http::Limits;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use crate::harness::{Server, quick};

const GET: &str = "GET /v2.0/networks?a=1&a=2 HTTP/1.1\r\nHost: net.example:9696\r\n\r\n";

#[tokio::test]
async fn a_connection_carries_several_requests() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    for _ in 0..3 {
        client.say(GET).await;
        let answer = client.answer().await;
        assert_eq!(answer.status, 200);
        let seen = answer.json();
        assert_eq!((seen["path"].as_str(), seen["query"].as_str()), (Some("/v2.0/networks"), Some("a=1&a=2")));
        assert_eq!((seen["base_url"].as_str(), seen["remote"].as_str()), (Some("http://net.example:9696"), Some("127.0.0.1")));
    }
    client.say("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert_eq!(client.answer().await.json()["base_url"], format!("http://{}", server.address));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn requests_sent_together_are_answered_in_their_order() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    let request = |path: &str, body: &str| format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    client.say(request("/sleep/150", "one") + &request("/b", "three") + &request("/c", "")).await;
    let answers = [client.answer().await, client.answer().await, client.answer().await];
    let seen: Vec<_> = answers.iter().map(|answer| (answer.json()["path"].clone(), answer.json()["body_bytes"].clone())).collect();
    assert_eq!(seen, [("/sleep/150".into(), 3.into()), ("/b".into(), 5.into()), ("/c".into(), 0.into())]);
}

#[tokio::test]
async fn keep_alive_can_be_turned_off() {
    let server = Server::start(Limits { keep_alive: false, ..quick() }).await;
    let mut client = server.connect().await;
    client.say(GET).await;
    assert_eq!(client.answer().await.header("connection"), Some("close"));
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_client_that_says_nothing_more_is_dropped() {
    let server = Server::start(Limits { client_socket_timeout_seconds: 1, ..quick() }).await;
    let mut silent = server.connect().await;
    let mut halfway = server.connect().await;
    halfway.say("GET / HTTP/1.1\r\nHost: a\r\nX-Slow").await;
    let mut idle = server.connect().await;
    idle.say(GET).await;
    assert_eq!(idle.answer().await.status, 200);
    assert!(silent.is_closed().await && halfway.is_closed().await && idle.is_closed().await);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_a_timeout() {
    let server = Server::start(Limits { client_socket_timeout_seconds: 1, ..quick() }).await;
    let answer = server.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!((answer.status, answer.error_type().as_str()), (408, "HTTPRequestTimeout"));
    assert_eq!(server.echo.started.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_client_that_takes_nothing_is_dropped() {
    let limits = Limits { client_socket_timeout_seconds: 1, graceful_shutdown_timeout_seconds: 0, ..quick() };
    let server = Server::start(limits).await;
    let mut client = server.connect().await;
    client.say("GET /big/100000000 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    sleep(Duration::from_millis(300)).await;
    // With no limit on draining, this ends only when the connection does.
    assert_eq!(server.stop().await.connections_cut, 0);
}

#[tokio::test]
async fn a_handler_finishes_when_its_client_is_gone() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.say("GET /sleep/400 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    while server.echo.started.load(Ordering::SeqCst) == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    // A reset, which the server notices at once.
    let stream = client.stream.into_inner().into_std().unwrap();
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(stream);
    let echo = std::sync::Arc::clone(&server.echo);
    server.stop().await;
    assert_eq!(echo.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_closes_its_sending_side_still_gets_the_answer() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.say("GET /sleep/200 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.answer().await.status, 200);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn a_panic_is_an_answer_and_the_connection_goes_on() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.say("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.error_type().as_str()), (500, "HTTPInternalServerError"));
    assert!(!String::from_utf8_lossy(&answer.body).contains("told to"), "the panic's text is for the log only");
    client.say(GET).await;
    assert_eq!(client.answer().await.status, 200);
}

#[tokio::test]
async fn answers_without_a_body_have_none_on_the_wire() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.say("HEAD /big/5000 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer_without_body().await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("5000")));
    client.say("DELETE /empty HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.header("content-length")), (204, None));
    client.say(GET).await;
    assert_eq!(client.answer().await.status, 200);
}
