// SPDX-License-Identifier: Apache-2.0
//! `egg:Paste#urlmap`: applications by path prefix, and by host name where one is given.
//!
//! Invariant: the longest matching prefix wins, and a host's own entries before those for every host.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;

use crate::app::{App, Request, Response};
use crate::http::fault::fault;

/// Where an application is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// `host` or `host:port`, lower case.
    pub domain: Option<String>,
    /// Empty for `/`; otherwise starts with a slash and ends without one.
    pub prefix: String,
}

impl Mount {
    /// Reads `/path`, `domain NAME /path` or `domain NAME port N /path`.
    pub fn parse(expression: &str) -> Result<Self, String> {
        let (mut domain, mut port, mut path) = (None, None, None);
        let mut words = expression.split_whitespace();
        while let Some(word) = words.next() {
            let slot = match word {
                "domain" => &mut domain,
                "port" => &mut port,
                _ => {
                    if path.replace(word).is_some() {
                        return Err(format!("\"{expression}\" has more than one path"));
                    }
                    continue;
                }
            };
            let value = words.next().ok_or_else(|| format!("\"{expression}\": something must follow \"{word}\""))?;
            if slot.replace(value).is_some() {
                return Err(format!("\"{expression}\" says \"{word}\" twice"));
            }
        }
        let path = path.filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| format!("\"{expression}\" is no mount point: a path that starts with \"/\" is needed"))?;
        let domain = match (domain, port) {
            (None, None) => None,
            (None, Some(_)) => return Err(format!("\"{expression}\": a port needs a domain before it")),
            (Some(domain), None) => Some(domain.to_lowercase()),
            (Some(domain), Some(port)) => Some(format!("{}:{port}", domain.to_lowercase())),
        };
        Ok(Self { domain, prefix: single_slashes(path).trim_end_matches('/').to_owned() })
    }

    fn covers(&self, host: &str, host_and_port: &str, path: &str) -> bool {
        let domain_fits = self.domain.as_deref().is_none_or(|domain| domain == host || domain == host_and_port);
        domain_fits && path.strip_prefix(&self.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

pub(super) struct UrlMap {
    mounts: Vec<(Mount, Arc<dyn App>)>,
    not_found: Option<Arc<dyn App>>,
}

impl UrlMap {
    pub fn new(mut mounts: Vec<(Mount, Arc<dyn App>)>, not_found: Option<Arc<dyn App>>) -> Self {
        mounts.sort_by_key(|(mount, _)| (mount.domain.is_none(), std::cmp::Reverse(mount.prefix.len())));
        Self { mounts, not_found }
    }
}

#[async_trait]
impl App for UrlMap {
    async fn call(&self, mut request: Request) -> Response {
        request.path = single_slashes(&request.path);
        let host = request.info.host.to_lowercase();
        let (name, host_and_port) = match host.split_once(':') {
            Some((name, _)) => (name.to_owned(), host.clone()),
            None => (host.clone(), format!("{host}:{}", if request.info.scheme == "https" { 443 } else { 80 })),
        };
        let Some((mount, app)) = self.mounts.iter().find(|(mount, _)| mount.covers(&name, &host_and_port, &request.path)) else {
            return match &self.not_found {
                Some(app) => app.call(request).await,
                None => fault(&request, StatusCode::NOT_FOUND, "Nothing is served at this address."),
            };
        };
        request.script_name.push_str(&mount.prefix);
        request.path.drain(..mount.prefix.len());
        app.call(request).await
    }
}

fn single_slashes(path: &str) -> String {
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mount_points_are_read_as_paste_reads_them() {
        let mount = |domain: Option<&str>, prefix: &str| Ok(Mount { domain: domain.map(str::to_owned), prefix: prefix.to_owned() });
        assert_eq!(Mount::parse("/"), mount(None, ""));
        assert_eq!(Mount::parse("//v2.0/"), mount(None, "/v2.0"));
        assert_eq!(Mount::parse("domain Net.Example /v2.0"), mount(Some("net.example"), "/v2.0"));
        assert_eq!(Mount::parse("domain net.example port 9696 /"), mount(Some("net.example:9696"), ""));
        for wrong in ["v2.0", "", "port 80 /", "domain", "domain a domain b /", "/a /b", "domain a"] {
            assert!(Mount::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
