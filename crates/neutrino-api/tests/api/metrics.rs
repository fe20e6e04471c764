// SPDX-License-Identifier: Apache-2.0
//! What `/metrics` shows, and that clients cannot make it grow.

use neutrino_api::metrics::{HttpMetrics, Metrics, MetricsListener};
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use crate::harness::{Client, Server, quick};

#[tokio::test]
async fn requests_are_counted_by_known_collections() {
    let metrics = Metrics::new();
    let http = HttpMetrics::register(&metrics, ["networks".to_owned(), "qos/policies".to_owned()]);
    let server = Server::start_with(quick(), None, Some(http)).await;
    for path in
        ["/v2.0/networks", "/v2.0/networks.json", "/v2.0/networks/1234", "/v2.0/qos/policies/5", "/", "/v2.0/", "/healthcheck", "/panic"]
    {
        server.ask(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    }
    for number in 0..50 {
        server.ask(format!("X{number} /v2.0/made-up-{number}/{number} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    }
    server.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n").await;

    let stop = CancellationToken::new();
    let listener = MetricsListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(listener.serve(metrics, stop.clone()));
    let ask = async |request: &str| {
        let mut client = Client { stream: BufReader::new(TcpStream::connect(address).await.unwrap()) };
        client.say(request).await;
        client.answer().await
    };
    let answer = ask("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-type").unwrap().split(';').next()), (200, Some("application/openmetrics-text")));
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "neutrino_http_requests_total{method=\"GET\",resource=\"networks\",status=\"200\"} 3",
        "neutrino_http_requests_total{method=\"GET\",resource=\"qos/policies\",status=\"200\"} 1",
        "neutrino_http_requests_total{method=\"GET\",resource=\"versions\",status=\"200\"} 2",
        "neutrino_http_requests_total{method=\"GET\",resource=\"healthcheck\",status=\"200\"} 1",
        "neutrino_http_requests_total{method=\"GET\",resource=\"other\",status=\"500\"} 1",
        "neutrino_http_requests_total{method=\"other\",resource=\"other\",status=\"200\"} 50",
        "neutrino_http_request_seconds_count{method=\"GET\",resource=\"networks\"} 3",
        "neutrino_http_requests_in_flight 0",
        "neutrino_http_refused_total{reason=\"body_too_large\"} 1",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
    }
    assert_eq!(ask("GET /other HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 404);
    assert_eq!(ask("POST /metrics HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 405);
    stop.cancel();
    serving.await.unwrap();
}
