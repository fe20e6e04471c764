// SPDX-License-Identifier: Apache-2.0
//! The boundary between the transport, the pipeline and the API: a request, a response, and [`App`].
//!
//! Owns what a filter or an application may know of a request. Knows no resource, no socket and no configuration file.
//! Invariants: a body has already been read whole and is within the listener's limit; `path` is as the client sent it (still
//! percent-encoded) without the mount prefix, and is empty or starts with `/`; every request has a `request_id`.

use async_trait::async_trait;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::{Value, json};

/// Something that answers requests: the API itself, a filter around another `App`, a whole pipeline.
#[async_trait]
pub trait App: Send + Sync {
    async fn call(&self, request: Request) -> Response;
}

/// One request, as far as the pipeline has understood it.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    /// The path after the mount prefix, percent-encoded as sent: `/networks/{id}`, `/`, or empty for `/v2.0` itself.
    pub path: String,
    /// The mount prefix that was taken off `path`: `/v2.0`. With a proxy's `X-Forwarded-Prefix` that prefix comes first.
    pub script_name: String,
    /// What follows `?`, undecoded.
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub info: RequestInfo,
}

impl Request {
    /// A request as the listener would make it, for tests and for callers inside the process.
    #[must_use]
    pub fn new(method: Method, path_and_query: &str, body: impl Into<Bytes>) -> Self {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
            None => (path_and_query.to_owned(), None),
        };
        let (script_name, headers, info) = (String::new(), HeaderMap::new(), RequestInfo::default());
        Self { method, path, script_name, query, headers, body: body.into(), info }
    }

    /// `http://host:port/v2.0`: where this application is mounted, in the client's view, without a trailing slash.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}{}", self.info.host_url(), self.script_name)
    }

    /// `http://host:port/v2.0/networks`: the URL that was asked for, without the query.
    #[must_use]
    pub fn path_url(&self) -> String {
        format!("{}{}", self.base_url(), self.path)
    }

    /// The first value of a header, when it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// What is known of a request beside its own bytes.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// `req-<uuid>`, made when the request arrives.
    pub request_id: String,
    /// The id that the calling service gave in `X-Openstack-Request-Id`, when it is a valid one.
    pub global_request_id: Option<String>,
    /// `http` or `https`, in the client's view.
    pub scheme: String,
    /// `host` or `host:port`, in the client's view; `[::1]:9696` for IPv6.
    pub host: String,
    /// The port on which the request arrived, whatever the client calls it.
    pub server_port: u16,
    /// Address of the peer, or what a trusted proxy says it is.
    pub remote_address: String,
    /// Who asks.
    pub identity: Identity,
}

impl RequestInfo {
    /// `http://host:port` with the scheme's usual port left out.
    #[must_use]
    pub fn host_url(&self) -> String {
        let usual = match self.scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let host = self.host.strip_suffix(usual).filter(|_| !usual.is_empty()).unwrap_or(&self.host);
        format!("{}://{host}", self.scheme)
    }
}

impl Default for RequestInfo {
    fn default() -> Self {
        Self {
            request_id: crate::filters::request_id::generate(),
            global_request_id: None,
            scheme: "http".to_owned(),
            host: "localhost".to_owned(),
            server_port: 9696,
            remote_address: "127.0.0.1".to_owned(),
            identity: Identity::default(),
        }
    }
}

/// Who asks, as the identity filters of the pipeline established it. Names are oslo.context's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    pub user_id: Option<String>,
    pub user_name: Option<String>,
    pub user_domain_id: Option<String>,
    pub user_domain_name: Option<String>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub project_domain_id: Option<String>,
    pub project_domain_name: Option<String>,
    pub domain_id: Option<String>,
    pub domain_name: Option<String>,
    /// `all` for a token scoped to the whole deployment.
    pub system_scope: Option<String>,
    pub roles: Vec<String>,
    pub service_user_id: Option<String>,
    pub service_project_id: Option<String>,
    pub service_roles: Vec<String>,
    pub is_admin_project: bool,
    /// `Some(true)`: elevated by a filter, whatever the policy says. `None`: the policy's `context_is_admin` decides.
    pub is_admin: Option<bool>,
}

impl Identity {
    /// The operator itself, in no project.
    #[must_use]
    pub fn admin() -> Self {
        Self { is_admin_project: true, ..Self::default() }.elevated()
    }

    /// The same caller with the admin flag and the roles that an admin implies.
    #[must_use]
    pub fn elevated(mut self) -> Self {
        self.is_admin = Some(true);
        for role in ["admin", "member", "reader"] {
            if !self.roles.iter().any(|held| held == role) {
                self.roles.push(role.to_owned());
            }
        }
        self
    }

    /// True when no filter has said who asks.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.user_id.is_none() && self.project_id.is_none() && self.is_admin.is_none()
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// No body and no content type.
    #[must_use]
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    #[must_use]
    pub fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut response = Self::empty(status);
        response.headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        response.body = body.into();
        response
    }

    #[must_use]
    pub fn json(status: StatusCode, value: &Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    #[must_use]
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::new(status, "text/plain; charset=UTF-8", body)
    }

    /// An error in the API's form: `{"NeutronError": {"type", "message", "detail"}}`.
    #[must_use]
    pub fn neutron_error(status: StatusCode, kind: &str, message: &str) -> Self {
        Self::json(status, &json!({"NeutronError": {"type": kind, "message": message, "detail": ""}}))
    }

    /// The answer to a refusal or a fault: only the caller's part of the error is in it.
    #[must_use]
    pub fn from_error(error: &neutrino_types::Error) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::neutron_error(status, error.kind().name, error.message())
    }
}
