// SPDX-License-Identifier: Apache-2.0
//! From hyper's request to [`Request`]: the limits on lines and headers, and the body, read whole within its bound.
//!
//! Invariant: at most `max_body_bytes` of a body are ever held, and never more than `max_buffered_bytes` over all connections; what
//! goes beyond is refused before it is read.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, request::Parts};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::Limits;
use super::refusal::Refusal;
use crate::app::{Request, RequestInfo};
use crate::filters::request_id;

/// The unit in which held bodies are counted, so that the count fits a semaphore.
const BLOCK_BYTES: usize = 1024;

/// Where a connection comes from and arrives.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    pub scheme: &'static str,
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

/// A semaphore that counts held bytes of bodies.
pub(super) fn byte_budget(limits: &Limits) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((limits.max_buffered_bytes / BLOCK_BYTES).min(Semaphore::MAX_PERMITS)))
}

/// A request within all limits, with the share of the byte budget that its body holds; or the refusal to send.
pub(super) async fn receive(
    parts: Parts,
    body: Incoming,
    ends: Ends,
    limits: &Limits,
    budget: &Arc<Semaphore>,
) -> Result<(Request, Option<OwnedSemaphorePermit>), Refusal> {
    check_head(&parts, limits)?;
    let (body, held) = read(&parts.headers, body, limits, budget).await?;
    let uri = &parts.uri;
    let request = Request {
        method: parts.method,
        path: uri.path().to_owned(),
        script_name: String::new(),
        query: uri.query().map(str::to_owned),
        info: RequestInfo {
            request_id: request_id::generate(),
            global_request_id: None,
            scheme: ends.scheme.to_owned(),
            host: host(&parts.headers, ends.local),
            server_port: ends.local.port(),
            remote_address: ends.remote.ip().to_string(),
            identity: crate::app::Identity::default(),
        },
        headers: parts.headers,
        body,
    };
    Ok((request, held))
}

fn check_head(parts: &Parts, limits: &Limits) -> Result<(), Refusal> {
    let target_bytes = parts.uri.path_and_query().map_or(0, |target| target.as_str().len());
    // The method, two spaces, "HTTP/1.1" and the line's end belong to the request line.
    if target_bytes + parts.method.as_str().len() + 12 > limits.max_request_line_bytes {
        return Err(Refusal::uri_too_long(limits.max_request_line_bytes));
    }
    if !parts.uri.path().starts_with('/') {
        return Err(Refusal::bad_request("The request names no path. It must start with \"/\"."));
    }
    let line_bytes = |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + 4;
    if let Some((name, _)) = parts.headers.iter().find(|header| line_bytes(*header) > limits.max_header_line_bytes) {
        return Err(Refusal::bad_request(format!(
            "The header {name} is longer than max_header_line ({} bytes).",
            limits.max_header_line_bytes
        )));
    }
    if parts.headers.iter().map(line_bytes).sum::<usize>() > limits.max_headers_bytes {
        return Err(Refusal::headers_too_large(limits.max_headers_bytes));
    }
    Ok(())
}

fn host(headers: &HeaderMap, local: SocketAddr) -> String {
    let named = headers.get(HOST).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty());
    named.map_or_else(|| local.to_string(), str::to_owned)
}

async fn read(
    headers: &HeaderMap,
    mut body: Incoming,
    limits: &Limits,
    budget: &Arc<Semaphore>,
) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
    if body.is_end_stream() {
        return Ok((Bytes::new(), None));
    }
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|value| value.parse::<u64>().ok());
    let announced = announced.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if announced.is_some_and(|bytes| bytes > limits.max_body_bytes) {
        return Err(Refusal::body_too_large(limits.max_body_bytes));
    }
    let mut held = hold(budget, announced.unwrap_or(0))?;
    let mut collected = BytesMut::new();
    while let Some(chunk) = next_chunk(&mut body, limits).await? {
        let total = collected.len() + chunk.len();
        if total > limits.max_body_bytes {
            return Err(Refusal::body_too_large(limits.max_body_bytes));
        }
        let missing_blocks = total.div_ceil(BLOCK_BYTES).saturating_sub(held.num_permits());
        held.merge(hold(budget, missing_blocks * BLOCK_BYTES)?);
        if collected.is_empty() && Some(chunk.len()) == announced {
            return Ok((chunk, Some(held)));
        }
        collected.extend_from_slice(&chunk);
    }
    Ok((collected.freeze(), Some(held)))
}

async fn next_chunk(body: &mut Incoming, limits: &Limits) -> Result<Option<Bytes>, Refusal> {
    loop {
        let frame = match limits.client_timeout() {
            None => body.frame().await,
            Some(bound) => timeout(bound, body.frame()).await.map_err(|_| Refusal::too_slow(bound.as_secs()))?,
        };
        match frame {
            None => return Ok(None),
            Some(Err(error)) => {
                tracing::debug!(%error, "the body of a request could not be read");
                return Err(Refusal::bad_request("The body of the request is broken off or badly framed."));
            }
            // Trailers say nothing to us.
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

fn hold(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let blocks = u32::try_from(bytes.div_ceil(BLOCK_BYTES)).unwrap_or(u32::MAX);
    Arc::clone(budget).try_acquire_many_owned(blocks).map_err(|_| Refusal::busy("It holds as many request bodies as it may."))
}
