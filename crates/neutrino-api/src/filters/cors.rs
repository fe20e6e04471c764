// SPDX-License-Identifier: Apache-2.0
//! `cors`: which web pages of other origins may use the API from a browser.
//!
//! As oslo.middleware's: the application answers first, OPTIONS too; a preflight that it refused becomes an empty 200; headers are added
//! only for a known origin. Without `allowed_origin` nothing is added.

use std::sync::Arc;

use async_trait::async_trait;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderName, HeaderValue, ORIGIN, VARY,
};
use http::{Method, StatusCode};

use crate::app::{App, Request, Response};

/// The options of `[cors]`, with the defaults that Neutron gives them.
#[derive(Clone, Debug)]
pub struct CorsOptions {
    /// `scheme://host[:port]` each, or `*`.
    pub allowed_origin: Vec<String>,
    pub allow_credentials: bool,
    pub expose_headers: Vec<String>,
    /// How long a browser may keep a preflight's answer. 0: not said.
    pub max_age_seconds: u64,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
}

impl Default for CorsOptions {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            allowed_origin: Vec::new(),
            allow_credentials: true,
            expose_headers: owned(&[
                "X-Auth-Token",
                "X-Subject-Token",
                "X-Service-Token",
                "X-OpenStack-Request-ID",
                "OpenStack-Volume-microversion",
            ]),
            max_age_seconds: 3600,
            allow_methods: owned(&["GET", "PUT", "POST", "DELETE", "PATCH"]),
            allow_headers: owned(&[
                "X-Auth-Token",
                "X-Identity-Status",
                "X-Roles",
                "X-Service-Catalog",
                "X-User-Id",
                "X-Tenant-Id",
                "X-OpenStack-Request-ID",
            ]),
        }
    }
}

/// Headers that a page may always send.
const SIMPLE_HEADERS: [&str; 8] =
    ["Accept", "Accept-Language", "Content-Type", "Cache-Control", "Content-Language", "Expires", "Last-Modified", "Pragma"];

pub struct Cors {
    origins: Vec<String>,
    allow_credentials: bool,
    /// Joined; `None` when there is none to expose.
    expose_headers: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    allow_methods: Vec<String>,
    allow_headers: Vec<String>,
    inner: Arc<dyn App>,
}

impl Cors {
    /// # Errors
    /// The option that cannot be put into a header, and a sentence about it.
    pub fn new(options: &CorsOptions, inner: Arc<dyn App>) -> Result<Self, (&'static str, String)> {
        let header =
            |option, text: &str| HeaderValue::from_str(text).map_err(|_| (option, format!("{option} = {text}: not allowed in a header")));
        for origin in &options.allowed_origin {
            header("allowed_origin", origin)?;
        }
        let exposed = header("expose_headers", &options.expose_headers.join(","))?;
        Ok(Self {
            origins: options.allowed_origin.clone(),
            allow_credentials: options.allow_credentials,
            expose_headers: (!exposed.is_empty()).then_some(exposed),
            max_age: (options.max_age_seconds > 0).then(|| HeaderValue::from(options.max_age_seconds)),
            allow_methods: options.allow_methods.clone(),
            allow_headers: options.allow_headers.clone(),
            inner,
        })
    }

    /// The value of `Access-Control-Allow-Origin` for a request's origin; `None` when that origin is not allowed.
    fn origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let known = |wanted: &[u8]| self.origins.iter().any(|allowed| allowed.as_bytes() == wanted);
        if known(origin.as_bytes()) { Some(origin.clone()) } else { known(b"*").then(|| HeaderValue::from_static("*")) }
    }

    fn preflight(&self, asked: &HeaderMap, response: Response) -> Response {
        let mut response = if response.status.is_success() { response } else { Response::empty(StatusCode::OK) };
        let Some(origin) = self.origin(asked) else { return response };
        let Some(method) = asked.get(ACCESS_CONTROL_REQUEST_METHOD) else { return response };
        if !self.allow_methods.iter().any(|allowed| allowed.as_bytes() == method.as_bytes()) {
            return response;
        }
        let wanted = asked.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted: Vec<&str> = wanted.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        if !wanted.iter().all(|name| self.allows_header(name)) {
            return response;
        }
        let headers = &mut response.headers;
        headers.insert(VARY, HeaderValue::from_static("Origin"));
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.allow_credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(age) = &self.max_age {
            headers.insert(ACCESS_CONTROL_MAX_AGE, age.clone());
        }
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        insert_text(headers, ACCESS_CONTROL_ALLOW_HEADERS, &wanted.join(","));
        response
    }

    fn allows_header(&self, name: &str) -> bool {
        let own = self.allow_headers.iter().map(String::as_str);
        own.chain(SIMPLE_HEADERS).any(|allowed| allowed.eq_ignore_ascii_case(name))
    }

    fn decorate(&self, asked: &HeaderMap, headers: &mut HeaderMap) {
        let Some(origin) = self.origin(asked) else { return };
        match headers.get(VARY).and_then(|vary| vary.to_str().ok()).map(|vary| format!("{vary},Origin")) {
            Some(both) => insert_text(headers, VARY, &both),
            None => insert_text(headers, VARY, "Origin"),
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if self.allow_credentials {
            headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if let Some(exposed) = &self.expose_headers {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
        }
    }
}

#[async_trait]
impl App for Cors {
    async fn call(&self, request: Request) -> Response {
        let preflight = request.method == Method::OPTIONS;
        if !preflight && !request.headers.contains_key(ORIGIN) {
            return self.inner.call(request).await;
        }
        let asked = request.headers.clone();
        let mut response = self.inner.call(request).await;
        if response.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
            return response;
        }
        if preflight {
            return self.preflight(&asked, response);
        }
        self.decorate(&asked, &mut response.headers);
        response
    }
}

fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text)
        && !value.is_empty()
    {
        headers.insert(name, value);
    }
}
