// SPDX-License-Identifier: Apache-2.0
//! The application at `/`: which versions of the API there are.

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::json;

use crate::app::{App, Request, Response};
use crate::http::{accept, fault::fault};

/// Answers `GET /` with the one version, v2.0.
pub struct Versions {
    network_link_prefix: Option<String>,
}

impl Versions {
    #[must_use]
    pub fn new(network_link_prefix: Option<String>) -> Self {
        Self { network_link_prefix: network_link_prefix.filter(|prefix| !prefix.is_empty()) }
    }
}

#[async_trait]
impl App for Versions {
    async fn call(&self, request: Request) -> Response {
        if !matches!(request.path.as_str(), "" | "/" | "/index") {
            return fault(&request, StatusCode::NOT_FOUND, "There is nothing at this address. The API is at /v2.0/.");
        }
        if [Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(&request.method) {
            return fault(&request, StatusCode::METHOD_NOT_ALLOWED, "The list of versions can only be read: use GET.");
        }
        if accept::best(request.header("accept"), &["application/json"]).is_none() {
            return fault(&request, StatusCode::NOT_ACCEPTABLE, "The list of versions is served as application/json only.");
        }
        let base = public_url(&request.base_url(), self.network_link_prefix.as_deref());
        let links = json!([{"rel": "self", "href": format!("{}/v2.0/", base.trim_end_matches('/'))}]);
        Response::json(StatusCode::OK, &json!({"versions": [{"id": "v2.0", "status": "CURRENT", "links": links}]}))
    }
}

/// A URL with `network_link_prefix` in place of its scheme and host, as links show it; `url` itself when no prefix is set.
#[must_use]
pub fn public_url(url: &str, network_link_prefix: Option<&str>) -> String {
    let Some(prefix) = network_link_prefix.filter(|prefix| !prefix.is_empty()) else { return url.to_owned() };
    let after_scheme = url.find("://").map_or(0, |position| position + 3);
    let path = url[after_scheme..].find('/').map_or("", |position| &url[after_scheme + position..]);
    format!("{prefix}{path}").trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::public_url;

    #[test]
    fn a_link_prefix_takes_the_place_of_scheme_and_host() {
        assert_eq!(public_url("http://a:9696/v2.0/ports", None), "http://a:9696/v2.0/ports");
        assert_eq!(public_url("http://a:9696/v2.0/ports", Some("https://net.example/n")), "https://net.example/n/v2.0/ports");
        assert_eq!(public_url("http://a:9696", Some("https://net.example")), "https://net.example");
    }
}
