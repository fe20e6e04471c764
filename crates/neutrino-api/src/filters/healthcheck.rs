// SPDX-License-Identifier: Apache-2.0
//! `/healthcheck`: whether a load balancer should send requests here.
//!
//! As oslo.middleware's application: 200 or 503 by its backends (files that are there or not), as text, HTML or JSON; HEAD answers 204 or
//! 503. In detailed mode it adds the host name, the time and each backend's details; Python's own figures (threads, garbage collector)
//! have no counterpart here.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::app::{App, Request, Response};
use crate::http::accept;
use crate::http::fault::{escape_html, fault};

/// The options of `[healthcheck]`.
#[derive(Clone, Debug, Default)]
pub struct HealthcheckOptions {
    pub detailed: bool,
    /// `disable_by_file`, `disable_by_files_ports`, `enable_by_files`.
    pub backends: Vec<String>,
    /// Networks that may ask; empty: all.
    pub allowed_source_ranges: Vec<String>,
    /// Answer 404 to requests that came through a proxy.
    pub ignore_proxied_requests: bool,
    /// Unhealthy while this file exists.
    pub disable_by_file_path: Option<PathBuf>,
    /// `port:path` each: unhealthy on that port while the file exists.
    pub disable_by_file_paths: Vec<String>,
    /// Unhealthy unless all these files exist.
    pub enable_by_file_paths: Vec<String>,
}

#[derive(Debug)]
enum Backend {
    DisableByFile(Option<PathBuf>),
    DisableByFilesPorts(Vec<(u16, PathBuf)>),
    EnableByFiles(Vec<PathBuf>),
}

struct Finding {
    available: bool,
    reason: &'static str,
    details: String,
}

/// A range of source addresses.
#[derive(Debug)]
struct Source {
    network: IpAddr,
    prefix_bits: u32,
}

#[derive(Debug)]
pub struct Healthcheck {
    detailed: bool,
    backends: Vec<Backend>,
    sources: Vec<Source>,
    ignore_proxied_requests: bool,
}

const BACKENDS: &str = "disable_by_file, disable_by_files_ports, enable_by_files";
const PROXY_HEADERS: [&str; 5] = ["x-forwarded", "x-forwarded-proto", "x-forwarded-host", "x-forwarded-for", "x-forwarded-prefix"];

impl Healthcheck {
    /// # Errors
    /// The option that cannot be obeyed, and a sentence about it.
    pub fn new(options: &HealthcheckOptions) -> Result<Self, (&'static str, String)> {
        let has = |name: &str| options.backends.iter().any(|backend| backend == name);
        if has("disable_by_file") && has("enable_by_files") {
            return Err(("backends", "backends: disable_by_file and enable_by_files contradict each other; choose one".to_owned()));
        }
        let mut names = options.backends.clone();
        names.sort();
        names.dedup();
        let backends = names.iter().map(|name| backend(name, options)).collect::<Result<_, _>>()?;
        let sources = options.allowed_source_ranges.iter().map(|range| source(range)).collect::<Result<_, _>>()?;
        Ok(Self { detailed: options.detailed, backends, sources, ignore_proxied_requests: options.ignore_proxied_requests })
    }

    fn may_ask(&self, request: &Request) -> bool {
        if self.ignore_proxied_requests && PROXY_HEADERS.iter().any(|name| request.header(name).is_some_and(|value| !value.is_empty())) {
            return false;
        }
        let address = request.info.remote_address.parse().ok();
        self.sources.is_empty() || address.is_some_and(|address| self.sources.iter().any(|source| source.contains(address)))
    }

    fn body(&self, kind: &str, findings: &[Finding]) -> (&'static str, String) {
        match kind {
            "text/html" => ("text/html; charset=UTF-8", self.html(findings)),
            "application/json" => ("application/json", format!("{:#}", self.json(findings))),
            _ => {
                let reasons: Vec<&str> = findings.iter().map(|finding| finding.reason).collect();
                ("text/plain; charset=UTF-8", reasons.join("\n"))
            }
        }
    }

    fn json(&self, findings: &[Finding]) -> Value {
        if !self.detailed {
            return json!({"detailed": false, "reasons": findings.iter().map(|finding| finding.reason).collect::<Vec<_>>()});
        }
        let reason = |finding: &Finding| json!({"class": "HealthcheckResult", "details": finding.details, "reason": finding.reason});
        json!({
            "detailed": true,
            "now": now(),
            "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
            "reasons": findings.iter().map(reason).collect::<Vec<_>>(),
        })
    }

    fn html(&self, findings: &[Finding]) -> String {
        let mut page = String::from("<HTML>\n<HEAD><TITLE>Healthcheck Status</TITLE></HEAD>\n<BODY>\n");
        if self.detailed {
            page.push_str(&format!("<H1>Server status</H1>\n<B>Current time:</B><PRE>{}</PRE>\n<HR></HR>\n", now()));
        }
        let head = if self.detailed { "<TH>Kind</TH><TH>Reason</TH><TH>Details</TH>" } else { "<TH>Reason</TH>" };
        page.push_str(&format!("<H2>Result of {} checks:</H2>\n<TABLE border=\"1\">\n<TBODY>\n<TR>{head}</TR>\n", findings.len()));
        for finding in findings {
            let (reason, details) = (escape_html(finding.reason), escape_html(&finding.details));
            let row = if self.detailed {
                format!("<TR><TD>HealthcheckResult</TD><TD>{reason}</TD><TD>{details}</TD></TR>\n")
            } else {
                format!("<TR><TD>{reason}</TD></TR>\n")
            };
            page.push_str(&row);
        }
        page.push_str("</TBODY>\n</TABLE>\n<HR></HR>\n</BODY>\n</HTML>");
        page
    }
}

#[async_trait]
impl App for Healthcheck {
    async fn call(&self, request: Request) -> Response {
        if !self.may_ask(&request) {
            return fault(&request, StatusCode::NOT_FOUND, "Nothing is served at this address.");
        }
        let mut findings = Vec::with_capacity(self.backends.len());
        for backend in &self.backends {
            findings.push(backend.check(request.info.server_port).await);
        }
        let healthy = findings.iter().all(|finding| finding.available);
        if request.method == Method::HEAD {
            return if healthy { Response::empty(StatusCode::NO_CONTENT) } else { Response::text(StatusCode::SERVICE_UNAVAILABLE, "") };
        }
        let kind = accept::best(request.header("accept"), &["text/plain", "text/html", "application/json"]).unwrap_or("text/plain");
        let (content_type, body) = self.body(kind, &findings);
        Response::new(if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, content_type, body)
    }
}

impl Backend {
    async fn check(&self, port: u16) -> Finding {
        match self {
            Self::DisableByFile(None) => Finding::good("No disable_by_file_path is set".to_owned()),
            Self::DisableByFile(Some(path)) => disabled_by(path).await,
            Self::DisableByFilesPorts(paths) => match paths.iter().find(|(listed, _)| *listed == port) {
                Some((_, path)) => disabled_by(path).await,
                None => Finding::good("No file is listed for this port".to_owned()),
            },
            Self::EnableByFiles(paths) => {
                for path in paths {
                    if !exists(path).await {
                        let details = format!("File path {} is missing", path.display());
                        return Finding { available: false, reason: "FILE PATH MISSING", details };
                    }
                }
                Finding::good("Specified file paths are available".to_owned())
            }
        }
    }
}

impl Finding {
    fn good(details: String) -> Self {
        Self { available: true, reason: "OK", details }
    }
}

async fn disabled_by(path: &Path) -> Finding {
    if exists(path).await {
        return Finding { available: false, reason: "DISABLED BY FILE", details: format!("Path '{}' was found", path.display()) };
    }
    Finding::good(format!("Path '{}' was not found", path.display()))
}

/// A path that cannot be looked at counts as absent, as Python's `os.path.exists` has it.
async fn exists(path: &Path) -> bool {
    tokio::fs::try_exists(path).await.unwrap_or(false)
}

fn backend(name: &str, options: &HealthcheckOptions) -> Result<Backend, (&'static str, String)> {
    match name {
        "disable_by_file" => Ok(Backend::DisableByFile(options.disable_by_file_path.clone().filter(|path| !path.as_os_str().is_empty()))),
        "enable_by_files" => Ok(Backend::EnableByFiles(options.enable_by_file_paths.iter().map(PathBuf::from).collect())),
        "disable_by_files_ports" => {
            let pair = |text: &String| {
                let pair = text.split_once(':').and_then(|(port, path)| Some((port.trim().parse().ok()?, PathBuf::from(path.trim()))));
                pair.ok_or_else(|| ("disable_by_file_paths", format!("disable_by_file_paths: {text} is not \"port:path\"")))
            };
            Ok(Backend::DisableByFilesPorts(options.disable_by_file_paths.iter().map(pair).collect::<Result<_, _>>()?))
        }
        other => Err(("backends", format!("backends: {other} is not known. Known are: {BACKENDS}"))),
    }
}

fn source(range: &str) -> Result<Source, (&'static str, String)> {
    let wrong = || ("allowed_source_ranges", format!("allowed_source_ranges: {range} is not a network like 192.0.2.0/24"));
    let (address, prefix) = range.split_once('/').map_or((range, None), |(address, prefix)| (address, Some(prefix)));
    let network: IpAddr = address.parse().map_err(|_| wrong())?;
    let full = if network.is_ipv4() { 32 } else { 128 };
    let prefix_bits = prefix.map_or(Ok(full), str::parse).ok().filter(|bits| *bits <= full).ok_or_else(wrong)?;
    Ok(Source { network, prefix_bits })
}

impl Source {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - self.prefix_bits;
                network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - self.prefix_bits;
                network.to_bits().checked_shr(shift).unwrap_or(0) == address.to_bits().checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

/// The time of day for people, in UTC.
fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_ranges_hold_their_own_family_only() {
        let range = source("192.0.2.0/24").unwrap();
        assert!(range.contains("192.0.2.9".parse().unwrap()));
        assert!(!range.contains("192.0.3.9".parse().unwrap()));
        assert!(!range.contains("::1".parse().unwrap()));
        assert!(source("0.0.0.0/0").unwrap().contains("203.0.113.1".parse().unwrap()));
        assert!(source("::1").unwrap().contains("::1".parse().unwrap()));
        for wrong in ["", "192.0.2.0/33", "net", "192.0.2.0/-1"] {
            assert!(source(wrong).is_err(), "{wrong}");
        }
    }
}
