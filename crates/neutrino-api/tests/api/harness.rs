// SPDX-License-Identifier: Apache-2.0
//! A server around a small application, and a client that says exactly the bytes it is told.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use neutrino_api::app::{App, Request, Response};
use neutrino_api::http::{Drained, Limits, ListenConfig, Listener, TlsConfig};
use neutrino_api::metrics::HttpMetrics;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Nothing here takes longer than this unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Tells back what it was asked, and does what some paths say: `/panic`, `/sleep/<ms>`, `/big/<bytes>`, `/empty`.
#[derive(Default)]
pub struct Echo {
    pub started: AtomicUsize,
    pub finished: AtomicUsize,
    pub together: AtomicUsize,
    pub most_together: AtomicUsize,
}

#[async_trait]
impl App for Echo {
    async fn call(&self, request: Request) -> Response {
        self.started.fetch_add(1, Ordering::SeqCst);
        let together = self.together.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_together.fetch_max(together, Ordering::SeqCst);
        let (_, word) = request.path.rsplit_once('/').unwrap_or_default();
        let number: u64 = word.parse().unwrap_or(0);
        let response = match request.path.as_str() {
            "/panic" => panic!("the echo was told to"),
            "/empty" => Response::empty(http::StatusCode::NO_CONTENT),
            path if path.starts_with("/sleep/") => {
                tokio::time::sleep(Duration::from_millis(number)).await;
                echo(&request)
            }
            path if path.starts_with("/big/") => Response::text(http::StatusCode::OK, vec![b'x'; usize::try_from(number).unwrap()]),
            _ => echo(&request),
        };
        self.together.fetch_sub(1, Ordering::SeqCst);
        self.finished.fetch_add(1, Ordering::SeqCst);
        response
    }
}

/// What an application saw, as JSON.
pub fn echo(request: &Request) -> Response {
    let identity = &request.info.identity;
    let seen = json!({
        "method": request.method.as_str(),
        "path": request.path,
        "script_name": request.script_name,
        "query": request.query,
        "body_bytes": request.body.len(),
        "base_url": request.base_url(),
        "remote": request.info.remote_address,
        "request_id": request.info.request_id,
        "global_request_id": request.info.global_request_id,
        "user_id": identity.user_id,
        "project_id": identity.project_id,
        "roles": identity.roles,
        "is_admin": identity.is_admin,
    });
    Response::json(http::StatusCode::OK, &seen)
}

pub struct Server {
    pub address: SocketAddr,
    pub echo: Arc<Echo>,
    stop: CancellationToken,
    done: JoinHandle<Drained>,
}

/// Limits under which tests are quick.
pub fn quick() -> Limits {
    Limits { client_socket_timeout_seconds: 10, graceful_shutdown_timeout_seconds: 10, ..Limits::default() }
}

impl Server {
    pub async fn start(limits: Limits) -> Self {
        Self::start_with(limits, None, None).await
    }

    pub async fn start_with(limits: Limits, tls: Option<TlsConfig>, metrics: Option<Arc<HttpMetrics>>) -> Self {
        let config = ListenConfig { bind_host: "127.0.0.1".to_owned(), bind_port: 0, limits, tls, ..ListenConfig::default() };
        let listener = Listener::bind(config).unwrap();
        let (address, echo, stop) = (listener.local_addr().unwrap(), Arc::new(Echo::default()), CancellationToken::new());
        let done = tokio::spawn(listener.serve(Arc::clone(&echo) as Arc<dyn App>, metrics, stop.clone()));
        Self { address, echo, stop, done }
    }

    pub async fn connect(&self) -> Client<TcpStream> {
        Client { stream: BufReader::new(TcpStream::connect(self.address).await.unwrap()) }
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect().await;
        client.say(bytes).await;
        client.answer().await
    }

    pub fn begin_stop(&self) {
        self.stop.cancel();
    }

    pub async fn stop(self) -> Drained {
        self.stop.cancel();
        timeout(PATIENCE, self.done).await.unwrap().unwrap()
    }
}

pub struct Client<S> {
    pub stream: BufReader<S>,
}

impl<S: AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    pub async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    pub async fn answer(&mut self) -> Answer {
        timeout(PATIENCE, self.read_answer(true)).await.unwrap()
    }

    /// The answer to HEAD: headers only, whatever length they tell.
    pub async fn answer_without_body(&mut self) -> Answer {
        timeout(PATIENCE, self.read_answer(false)).await.unwrap()
    }

    async fn read_answer(&mut self, with_body: bool) -> Answer {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let count = self.stream.read_line(&mut head).await.unwrap();
            assert!(count > 0, "the connection ended within a head: {head:?}");
        }
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length = answer.header("content-length").map_or(0, |text| text.parse().unwrap());
        if with_body && length > 0 {
            answer.body.resize(length, 0);
            self.stream.read_exact(&mut answer.body).await.unwrap();
        }
        answer
    }

    /// Whether the server closes the connection, without a further byte, within the patience. A reset counts.
    pub async fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await.is_ok() && rest.is_empty()
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The `type` of the API's error body, which must have exactly Neutron's keys.
    pub fn error_type(&self) -> String {
        let body = self.json();
        let keys: Vec<&String> = body["NeutronError"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["type", "message", "detail"]);
        body["NeutronError"]["type"].as_str().unwrap().to_owned()
    }
}

/// A file of the contract, which lies beside the repository or where `NEUTRINO_CONTRACT` says.
pub fn contract(name: &str) -> Value {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract");
    let path = std::env::var_os("NEUTRINO_CONTRACT").map_or(beside, PathBuf::from).join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}. Set NEUTRINO_CONTRACT.", path.display()));
    serde_json::from_str(&text).unwrap()
}
