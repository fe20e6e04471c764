// SPDX-License-Identifier: Apache-2.0
//! `debug`: requests and answers in the log, at level debug, without tokens.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderMap;

use crate::app::{App, Request, Response};

pub struct Debug {
    inner: Arc<dyn App>,
}

impl Debug {
    #[must_use]
    pub fn new(inner: Arc<dyn App>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl App for Debug {
    async fn call(&self, request: Request) -> Response {
        tracing::debug!("{} {} {}", request.method, request.path_url(), headers(&request.headers));
        let response = self.inner.call(request).await;
        tracing::debug!("{} {} {}", response.status.as_u16(), headers(&response.headers), String::from_utf8_lossy(&response.body));
        response
    }
}

fn headers(headers: &HeaderMap) -> String {
    let secret = |name: &str| name.ends_with("-token") || matches!(name, "authorization" | "cookie" | "set-cookie");
    let shown = headers.iter().map(|(name, value)| {
        let value = if secret(name.as_str()) { "***".into() } else { String::from_utf8_lossy(value.as_bytes()) };
        format!("{name}: {value}")
    });
    shown.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    #[test]
    fn tokens_are_not_shown() {
        let mut map = HeaderMap::new();
        map.insert("x-auth-token", HeaderValue::from_static("secret"));
        map.insert("authorization", HeaderValue::from_static("secret"));
        map.insert("accept", HeaderValue::from_static("*/*"));
        assert_eq!(headers(&map), "x-auth-token: ***; authorization: ***; accept: */*");
    }
}
