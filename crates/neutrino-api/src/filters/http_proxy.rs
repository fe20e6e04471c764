// SPDX-License-Identifier: Apache-2.0
//! `http_proxy_to_wsgi`: scheme, host, client address and path prefix as a trusted reverse proxy gives them.
//!
//! In the pipeline only when `enable_proxy_headers_parsing` is on: the headers are then believed. `Forwarded` (RFC 7239) wins over
//! the `X-Forwarded-` family; `X-Forwarded-Prefix` is obeyed with both.

use std::sync::Arc;

use async_trait::async_trait;

use crate::app::{App, Request, RequestInfo, Response};

pub struct HttpProxy {
    inner: Arc<dyn App>,
}

impl HttpProxy {
    #[must_use]
    pub fn new(inner: Arc<dyn App>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl App for HttpProxy {
    async fn call(&self, mut request: Request) -> Response {
        match request.header("forwarded").filter(|value| !value.is_empty()).map(first_proxy) {
            Some([proto, host, client]) => believe(&mut request.info, proto, host, client),
            None => {
                let header = |name| request.header(name).filter(|value| !value.is_empty()).map(str::to_owned);
                let [proto, host, client] = ["x-forwarded-proto", "x-forwarded-host", "x-forwarded-for"].map(header);
                believe(&mut request.info, proto, host, client);
            }
        }
        if let Some(prefix) = request.header("x-forwarded-prefix").map(str::to_owned) {
            request.script_name.insert_str(0, &prefix);
        }
        self.inner.call(request).await
    }
}

fn believe(info: &mut RequestInfo, proto: Option<String>, host: Option<String>, client: Option<String>) {
    if let Some(proto) = proto {
        info.scheme = proto;
    }
    if let Some(host) = host {
        info.host = host;
    }
    if let Some(client) = client {
        info.remote_address = client;
    }
}

/// `proto`, `host` and `for` of the first element of a `Forwarded` header: the proxy nearest to the client.
fn first_proxy(header: &str) -> [Option<String>; 3] {
    let first = header.split(',').next().unwrap_or_default();
    ["proto", "host", "for"].map(|wanted| {
        first.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let value = value.trim().trim_matches('"');
            (name.trim().eq_ignore_ascii_case(wanted) && !value.is_empty()).then(|| value.to_owned())
        })
    })
}
