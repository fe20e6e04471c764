// SPDX-License-Identifier: Apache-2.0
//! The answers of the transport itself: a request that breaks a limit never reaches the application.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};

use crate::app::Response;

/// Why a request was refused.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    /// The `type` of the error body.
    kind: &'static str,
    sentence: String,
    /// The label under which it is counted.
    pub reason: &'static str,
}

impl Refusal {
    fn new(status: StatusCode, kind: &'static str, reason: &'static str, sentence: String) -> Self {
        Self { status, kind, sentence, reason }
    }

    pub fn bad_request(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "HTTPBadRequest", "bad_request", sentence.into())
    }

    pub fn uri_too_long(limit_bytes: usize) -> Self {
        let sentence = format!("The URL is longer than this server takes: a request line may have {limit_bytes} bytes.");
        Self::new(StatusCode::URI_TOO_LONG, "HTTPRequestURITooLong", "uri_too_long", sentence)
    }

    pub fn headers_too_large(limit_bytes: usize) -> Self {
        let sentence = format!("The headers together are longer than {limit_bytes} bytes.");
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        Self::new(status, "HTTPRequestHeaderFieldsTooLarge", "headers_too_large", sentence)
    }

    pub fn body_too_large(limit_bytes: usize) -> Self {
        let sentence = format!("The body of the request is larger than {limit_bytes} bytes. Send less in one request.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "HTTPRequestEntityTooLarge", "body_too_large", sentence)
    }

    pub fn too_slow(seconds: u64) -> Self {
        let sentence = format!("The body of the request did not arrive: nothing came for {seconds} seconds.");
        Self::new(StatusCode::REQUEST_TIMEOUT, "HTTPRequestTimeout", "client_too_slow", sentence)
    }

    /// A bound of the server is reached; the same request may succeed later.
    pub fn busy(why: &str) -> Self {
        let sentence = format!("The server is busy. {why} Try again in a moment.");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "HTTPServiceUnavailable", "busy", sentence)
    }

    pub fn response(&self) -> Response {
        let mut response = Response::neutron_error(self.status, self.kind, &self.sentence);
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
