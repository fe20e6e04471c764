// SPDX-License-Identifier: Apache-2.0
//! `sizelimit`: a smaller bound for bodies than the listener's own.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;

use crate::app::{App, Request, Response};
use crate::http::fault::fault;

pub struct SizeLimit {
    limit_bytes: usize,
    inner: Arc<dyn App>,
}

impl SizeLimit {
    #[must_use]
    pub fn new(limit_bytes: usize, inner: Arc<dyn App>) -> Self {
        Self { limit_bytes, inner }
    }
}

#[async_trait]
impl App for SizeLimit {
    async fn call(&self, request: Request) -> Response {
        if request.body.len() > self.limit_bytes {
            let sentence = format!("The body of the request is larger than max_request_body_size ({} bytes).", self.limit_bytes);
            return fault(&request, StatusCode::PAYLOAD_TOO_LARGE, &sentence);
        }
        self.inner.call(request).await
    }
}
