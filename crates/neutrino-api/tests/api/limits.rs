// SPDX-License-Identifier: Apache-2.0
//! Every bound of the transport: its answer, and that the application never saw the request.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use neutrino_api::http::Limits;
use tokio::io::AsyncWriteExt;

use crate::harness::{Answer, Server, quick};

fn get(target: &str, headers: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
}

async fn refused(server: &Server, request: impl AsRef<[u8]>) -> Answer {
    let answer = server.ask(request).await;
    assert_eq!(server.echo.started.load(Ordering::SeqCst), 0, "the application was called");
    answer
}

#[tokio::test]
async fn a_long_url_is_414() {
    let server = Server::start(quick()).await;
    for bytes in [9_000, 50_000, 70_000, 120_000] {
        let answer = refused(&server, get(&format!("/v2.0/ports?{}", "x".repeat(bytes)), "")).await;
        assert_eq!(answer.status, 414, "{bytes}");
    }
    assert_eq!(refused(&server, get(&format!("/{}", "x".repeat(9000)), "")).await.error_type(), "HTTPRequestURITooLong");
    assert_eq!(server.ask(get(&format!("/{}", "x".repeat(8000)), "")).await.status, 200);
}

#[tokio::test]
async fn floods_of_headers_are_refused() {
    let server = Server::start(quick()).await;
    let many: String = (0..150).map(|number| format!("X-{number}: y\r\n")).collect();
    assert_eq!(refused(&server, get("/", &many)).await.status, 431);
    let answer = refused(&server, get("/", &format!("X-Long: {}\r\n", "y".repeat(20_000)))).await;
    assert_eq!((answer.status, answer.error_type().as_str()), (400, "HTTPBadRequest"));
    let heavy: String = (0..10).map(|number| format!("X-{number}: {}\r\n", "y".repeat(8000))).collect();
    let answer = refused(&server, get("/", &heavy)).await;
    assert_eq!((answer.status, answer.error_type().as_str()), (431, "HTTPRequestHeaderFieldsTooLarge"));
    let endless = format!("GET / HTTP/1.1\r\nX: {}", "y".repeat(300_000));
    assert_eq!(refused(&server, endless).await.status, 431);
}

#[tokio::test]
async fn what_is_no_http_is_400() {
    let server = Server::start(quick()).await;
    for request in [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        "GET / HTTP/1.1\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nnot-a-chunk\r\n",
    ] {
        assert_eq!(refused(&server, request).await.status, 400, "{request:?}");
    }
    let answer = refused(&server, b"GET / HTTP/1.1\r\nHost: \xff\xfe\x00\r\n\r\n").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_large_body_is_413_before_it_is_read() {
    let server = Server::start(Limits { max_body_bytes: 1000, ..quick() }).await;
    let mut client = server.connect().await;
    client.say("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 209715200\r\n\r\n").await;
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.error_type().as_str()), (413, "HTTPRequestEntityTooLarge"));
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(client.is_closed().await);

    let chunk = format!("{:x}\r\n{}\r\n", 400, "y".repeat(400));
    let chunked = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(3));
    assert_eq!(refused(&server, chunked).await.status, 413);

    let exact = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{}", "y".repeat(1000));
    assert_eq!(server.ask(exact).await.json()["body_bytes"], 1000);
    let chunked = format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(2));
    assert_eq!(server.ask(chunked).await.json()["body_bytes"], 800);
}

#[tokio::test]
async fn a_client_that_goes_on_sending_is_not_cut_off_before_it_reads_its_413() {
    let server = Server::start(quick()).await;
    let mut client = server.connect().await;
    client.say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 209715200\r\n\r\n").await;
    let block = vec![b'y'; 1 << 20];
    for _ in 0..48 {
        client.stream.write_all(&block).await.unwrap();
    }
    let answer = client.answer().await;
    assert_eq!((answer.status, answer.error_type().as_str()), (413, "HTTPRequestEntityTooLarge"));
    drop(client);
    assert_eq!(server.stop().await.connections_cut, 0);
}

#[tokio::test]
async fn all_bodies_together_are_bounded() {
    let server = Server::start(Limits { max_buffered_bytes: 100_000, max_body_bytes: 90_000, ..quick() }).await;
    let mut first = server.connect().await;
    first.say(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{}", "y".repeat(100))).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let second = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n{}", "y".repeat(60_000));
    let answer = refused(&server, &second).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    let unannounced =
        format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n0\r\n\r\n", 60_000, "y".repeat(60_000));
    assert_eq!(refused(&server, &unannounced).await.status, 503);
    first.say("y".repeat(59_900)).await;
    assert_eq!(first.answer().await.json()["body_bytes"], 60_000);
    assert_eq!((server.ask(&second).await.status, server.ask(&unannounced).await.status), (200, 200));
}

#[tokio::test]
async fn only_as_many_requests_run_as_the_pool_has_places() {
    let server = Arc::new(Server::start(Limits { wsgi_default_pool_size: 2, max_waiting_requests: 100, ..quick() }).await);
    let asked: Vec<_> = (0..10)
        .map(|_| {
            let server = Arc::clone(&server);
            tokio::spawn(async move { server.ask(get("/sleep/40", "")).await.status })
        })
        .collect();
    for answer in asked {
        assert_eq!(answer.await.unwrap(), 200);
    }
    assert_eq!(server.echo.most_together.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_full_queue_is_503() {
    let server = Server::start(Limits { wsgi_default_pool_size: 1, max_waiting_requests: 1, ..quick() }).await;
    let (mut running, mut waiting) = (server.connect().await, server.connect().await);
    running.say(get("/sleep/500", "")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    waiting.say(get("/sleep/1", "")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = server.ask(get("/", "")).await;
    assert_eq!((answer.status, answer.error_type().as_str()), (503, "HTTPServiceUnavailable"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!((running.answer().await.status, waiting.answer().await.status), (200, 200));
}
