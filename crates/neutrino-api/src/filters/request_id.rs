// SPDX-License-Identifier: Apache-2.0
//! `request_id`: names each request to its caller, and takes over the id of a calling service.

use std::sync::Arc;

use async_trait::async_trait;
use http::header::{HeaderName, HeaderValue};

use crate::app::{App, Request, Response};

/// The header of both ids: ours in the answer, the calling service's in the request.
pub const HEADER: HeaderName = HeaderName::from_static("x-openstack-request-id");

/// A new request id: `req-` and a random UUID.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a request is named before there is a Context to ask")]
pub fn generate() -> String {
    format!("req-{}", uuid::Uuid::new_v4())
}

/// Whether a text has the form of [`generate`]'s.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    let Some(uuid) = text.strip_prefix("req-").filter(|uuid| uuid.len() == 36) else { return false };
    uuid.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    })
}

pub struct RequestId {
    inner: Arc<dyn App>,
}

impl RequestId {
    #[must_use]
    pub fn new(inner: Arc<dyn App>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl App for RequestId {
    async fn call(&self, mut request: Request) -> Response {
        let id = HeaderValue::from_str(&request.info.request_id).ok();
        let global = request.header(HEADER.as_str()).filter(|given| is_valid(given)).map(str::to_owned);
        if let Some(global) = &global {
            tracing::Span::current().record("global_request_id", global);
        }
        request.info.global_request_id = global;
        let mut response = self.inner.call(request).await;
        if let Some(id) = id {
            response.headers.entry(HEADER).or_insert(id);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_our_own_form_are_valid() {
        assert!(is_valid(&generate()));
        assert!(is_valid("req-11111111-1111-1111-1111-11111111111f"));
        for wrong in [
            "",
            "req-",
            "11111111-1111-1111-1111-111111111111",
            "req-11111111-1111-1111-1111-11111111111G",
            "req-11111111-1111-1111-1111-1111111111111",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
        assert!(!is_valid("req-11111111-1111-1111-1111-11111111111é"));
    }
}
