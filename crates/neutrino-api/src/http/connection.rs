// SPDX-License-Identifier: Apache-2.0
//! One connection, from the accepted socket to its end.
//!
//! Owns TLS, keep-alive, and a polite end: a client that is told "too large" while it still sends gets the answer before the
//! connection closes. Invariant: a connection ends when its listener stops, as soon as the request in flight is answered.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::Limits;
use super::admission::Admission;
use super::body::{self, Ends};
use super::stream::WriteTimeout;
use crate::app::Response;

const TLS_HANDSHAKE: Duration = Duration::from_secs(30);
/// How long, and how much, a client that was refused may go on sending before the connection is closed on it.
const LINGER: Duration = Duration::from_secs(5);
const LINGER_IDLE: Duration = Duration::from_secs(1);
const LINGER_BYTES: usize = 512 << 20;
/// hyper's buffer for one request head: room for any head that our own limits judge, and a bound for one that never ends.
const HEAD_BUFFER_BYTES: usize = 128 << 10;

/// What all connections of a listener share.
pub(super) struct Shared {
    pub admission: Admission,
    pub limits: Limits,
    pub budget: Arc<Semaphore>,
    pub tls: Option<TlsAcceptor>,
    /// Cancelled: finish the request in flight, take no other.
    pub drain: CancellationToken,
    /// Cancelled: end now.
    pub cut: CancellationToken,
}

/// Serves a connection to its end.
pub(super) async fn serve(shared: Arc<Shared>, socket: TcpStream, remote: SocketAddr) {
    let cut = shared.cut.clone();
    tokio::select! {
        () = cut.cancelled() => {}
        () = start(shared, socket, remote) => {}
    }
}

async fn start(shared: Arc<Shared>, socket: TcpStream, remote: SocketAddr) {
    let Ok(local) = socket.local_addr() else { return };
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "a client closed its connection at once");
        return;
    }
    match shared.tls.clone() {
        None => converse(shared, socket, Ends { scheme: "http", local, remote }).await,
        Some(acceptor) => {
            let bound = shared.limits.client_timeout().map_or(TLS_HANDSHAKE, |bound| bound.min(TLS_HANDSHAKE));
            match timeout(bound, acceptor.accept(socket)).await {
                Ok(Ok(stream)) => converse(shared, stream, Ends { scheme: "https", local, remote }).await,
                Ok(Err(error)) => tracing::debug!(%remote, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%remote, "a TLS handshake took too long"),
            }
        }
    }
}

async fn converse<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(shared: Arc<Shared>, stream: S, ends: Ends) {
    let unread = Arc::new(AtomicBool::new(false));
    let service = {
        let (shared, unread) = (Arc::clone(&shared), Arc::clone(&unread));
        service_fn(move |request| {
            let (shared, unread) = (Arc::clone(&shared), Arc::clone(&unread));
            Box::pin(async move { Ok::<_, std::convert::Infallible>(answer(&shared, ends, request, &unread).await) })
        })
    };
    let limits = &shared.limits;
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.client_timeout())
        .keep_alive(limits.keep_alive)
        .half_close(true)
        .max_headers(limits.max_headers)
        .max_buf_size(HEAD_BUFFER_BYTES.max(limits.max_headers_bytes + limits.max_request_line_bytes));
    let stream = TokioIo::new(WriteTimeout::new(stream, limits.client_timeout()));
    let mut connection = builder.serve_connection(stream, service);
    let mut draining = false;
    let outcome = loop {
        tokio::select! {
            outcome = poll_fn(|context| connection.poll_without_shutdown(context)) => break outcome,
            () = shared.drain.cancelled(), if !draining => {
                draining = true;
                std::pin::Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    if let Err(error) = &outcome {
        tracing::debug!(remote = %ends.remote, %error, "a connection ended early");
    }
    let refused_head = outcome.is_err_and(|error| error.is_parse());
    let stream = connection.into_parts().io.into_inner();
    finish(stream, refused_head || unread.load(Ordering::Relaxed)).await;
}

/// Closes the sending side, and when the client may still be sending, takes what comes for a while: a socket that is closed with
/// unread data resets, and the client would lose the answer that says why.
async fn finish<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, still_sending: bool) {
    if stream.shutdown().await.is_err() || !still_sending {
        return;
    }
    let swallow = async {
        let (mut scrap, mut taken) = (vec![0u8; 64 << 10], 0);
        while let Ok(Ok(count)) = timeout(LINGER_IDLE, stream.read(&mut scrap)).await {
            taken += count;
            if count == 0 || taken > LINGER_BYTES {
                break;
            }
        }
    };
    let _ = timeout(LINGER, swallow).await;
}

async fn answer(shared: &Shared, ends: Ends, request: hyper::Request<Incoming>, unread: &AtomicBool) -> hyper::Response<Full<Bytes>> {
    let (parts, incoming) = request.into_parts();
    let outcome = match body::receive(parts, incoming, ends, &shared.limits, &shared.budget).await {
        Ok((request, held)) => shared.admission.run(request, held).await,
        Err(refusal) => {
            unread.store(true, Ordering::Relaxed);
            Err(refusal)
        }
    };
    let response = outcome.unwrap_or_else(|refusal| {
        shared.admission.refused(&refusal);
        let mut response = refusal.response();
        response.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        response
    });
    wire(response)
}

fn wire(response: Response) -> hyper::Response<Full<Bytes>> {
    let bodiless =
        response.status == StatusCode::NO_CONTENT || response.status == StatusCode::NOT_MODIFIED || response.status.is_informational();
    let mut wire = hyper::Response::new(Full::new(if bodiless { Bytes::new() } else { response.body }));
    *wire.status_mut() = response.status;
    *wire.headers_mut() = response.headers;
    wire
}
