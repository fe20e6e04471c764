// SPDX-License-Identifier: Apache-2.0
//! HTTP/1.1 to Keystone.
//!
//! Owns: connections (few, reused), time limits, retries, the size of answers. Knows nothing of tokens. Redirects are not
//! followed: credentials go to the address that the operator or the catalog named, and nowhere else.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::options::{Limits, Options};
use crate::url::{BaseUrl, Origin};

/// A server may close a connection that rests; it is not used again after this time.
const IDLE_TIME: Duration = Duration::from_secs(15);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// One request, to be sent as often as need be.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) base: &'a BaseUrl,
    pub(crate) path: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// Not connected, or cut off before an answer: another try may do.
    Connection(String),
    Timeout,
    TooLarge,
    Tls(String),
    Protocol(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(reason) => write!(f, "the connection failed: {reason}"),
            Self::Timeout => f.write_str("no answer in time"),
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::Tls(reason) => write!(f, "TLS failed: {reason}"),
            Self::Protocol(reason) => write!(f, "the answer is not HTTP: {reason}"),
        }
    }
}

type Sender = SendRequest<Full<Bytes>>;

struct Idle {
    origin: Origin,
    since: Instant,
    sender: Sender,
}

pub(crate) struct Client {
    tls: TlsConnector,
    permits: Semaphore,
    idle: Mutex<Vec<Idle>>,
    idle_connections: usize,
    request_time: Duration,
    response_bytes: usize,
    retries: u32,
    retry_pause: Duration,
}

impl Client {
    pub(crate) fn new(tls: Arc<ClientConfig>, options: &Options, limits: &Limits) -> Self {
        Self {
            tls: TlsConnector::from(tls),
            permits: Semaphore::new(limits.requests.max(1)),
            idle: Mutex::new(Vec::new()),
            idle_connections: limits.idle_connections,
            request_time: options.http_connect_timeout.unwrap_or(limits.request_time),
            response_bytes: limits.response_bytes,
            retries: options.http_request_max_retries,
            retry_pause: limits.retry_pause,
        }
    }

    /// Sends the request; again after a pause if no connection came about.
    pub(crate) async fn send(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let mut pause = self.retry_pause;
        let mut left = self.retries;
        loop {
            match self.attempt(call).await {
                Err(Failure::Connection(reason)) if left > 0 => {
                    tracing::debug!(%reason, left, "no connection to Keystone; trying again");
                    left -= 1;
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                other => return other,
            }
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        // The semaphore is never closed; were it, the request would merely not be counted.
        let _permit = self.permits.acquire().await.ok();
        timeout(self.request_time, self.exchange(call)).await.unwrap_or(Err(Failure::Timeout))
    }

    async fn exchange(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        if let Some(sender) = self.reuse(&call.base.origin) {
            match self.converse(sender, call).await {
                // The server closed the connection while it rested: nothing was lost.
                Err(Failure::Connection(_)) => {}
                other => return other,
            }
        }
        let sender = self.connect(&call.base.origin).await?;
        self.converse(sender, call).await
    }

    async fn connect(&self, origin: &Origin) -> Result<Sender, Failure> {
        let stream = TcpStream::connect((origin.host.as_str(), origin.port)).await.map_err(|error| connection(&error))?;
        let _ = stream.set_nodelay(true);
        let stream = if origin.tls {
            let name = ServerName::try_from(origin.host.clone()).map_err(|error| Failure::Tls(error.to_string()))?;
            let stream = self.tls.connect(name, stream).await.map_err(|error| handshake_failure(&error))?;
            Stream::Tls(Box::new(stream))
        } else {
            Stream::Plain(stream)
        };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| exchange_failure(&error))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to Keystone ended");
            }
        });
        Ok(sender)
    }

    async fn converse(&self, mut sender: Sender, call: &Call<'_>) -> Result<Answer, Failure> {
        sender.ready().await.map_err(|error| exchange_failure(&error))?;
        let response = sender.send_request(request(call)?).await.map_err(|error| exchange_failure(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.response_bytes).collect().await.map_err(|error| body_failure(error.as_ref()))?.to_bytes();
        self.keep(&call.base.origin, sender);
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    fn reuse(&self, origin: &Origin) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|entry| !entry.sender.is_closed() && entry.since.elapsed() < IDLE_TIME);
        let found = idle.iter().rposition(|entry| entry.origin == *origin)?;
        Some(idle.swap_remove(found).sender)
    }

    fn keep(&self, origin: &Origin, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !sender.is_closed() && idle.len() < self.idle_connections {
            idle.push(Idle { origin: origin.clone(), since: Instant::now(), sender });
        }
    }
}

fn request(call: &Call<'_>) -> Result<Request<Full<Bytes>>, Failure> {
    let built = Request::builder().method(call.method.clone()).uri(call.path).body(Full::new(call.body.clone()));
    let mut request = built.map_err(|error| Failure::Protocol(error.to_string()))?;
    *request.headers_mut() = call.headers.clone();
    let host = HeaderValue::from_str(&call.base.origin.authority).map_err(|error| Failure::Protocol(error.to_string()))?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(concat!("keystone-auth/", env!("CARGO_PKG_VERSION"))));
    if !call.body.is_empty() {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    Ok(request)
}

fn connection(error: &io::Error) -> Failure {
    Failure::Connection(error.to_string())
}

/// A certificate that is refused stays refused; a connection that breaks off may come about next time.
fn handshake_failure(error: &io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(reason) => Failure::Tls(reason.to_string()),
        None => connection(error),
    }
}

fn exchange_failure(error: &hyper::Error) -> Failure {
    let reason = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    if error.is_parse() { Failure::Protocol(reason) } else { Failure::Connection(reason) }
}

fn body_failure(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Failure {
    if error.downcast_ref::<LengthLimitError>().is_some() {
        return Failure::TooLarge;
    }
    Failure::Connection(error.to_string())
}

/// With or without TLS.
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buffer),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
