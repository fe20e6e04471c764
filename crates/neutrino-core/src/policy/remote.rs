// SPDX-License-Identifier: Apache-2.0
//! `http:` and `https:` checks: another server decides.
//!
//! Owns the request that oslo.policy sends (rule, target and credentials by POST, as a form or as JSON), and reading the answer: yes is
//! the text `True`, with or without quotes. Refuses to own when to ask. Invariants: what was not clearly answered is an error of the
//! request, never a yes; time and size of an answer are bounded; no redirect is followed, so that nobody but the server that the
//! operator named decides.

use std::time::Duration;

use neutrino_types::{Error, Result, error::kinds};
use oslo_config::Config;
use oslo_policy::{Credentials, HttpCall};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Certificate, Client, Identity, header::CONTENT_TYPE, redirect};
use serde_json::{Map, Value, json};

/// How many checks of one list wait for answers together.
pub(crate) const AT_ONCE: usize = 8;

/// A yes or no is short.
const ANSWER_BYTES: usize = 4096;

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Remote {
    client: Client,
    as_json: bool,
}

impl Remote {
    /// As `[oslo_policy] remote_*` say.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn from_config(config: &Config) -> std::result::Result<Self, String> {
        let file = |name: &str| config.str("oslo_policy", name).filter(|path| !path.is_empty());
        let read = |name: &'static str| -> std::result::Result<Option<Vec<u8>>, String> {
            let Some(path) = file(name) else { return Ok(None) };
            std::fs::read(&path).map(Some).map_err(|error| wrong(config, name, &path, &format!("cannot be read: {error}")))
        };
        let mut builder = Client::builder().redirect(redirect::Policy::none()).no_proxy();
        let timeout = config.float("oslo_policy", "remote_timeout");
        if let Ok(timeout) = Duration::try_from_secs_f64(timeout) {
            builder = builder.timeout(timeout);
        }
        if !config.bool("oslo_policy", "remote_ssl_verify_server_crt") {
            builder = builder.danger_accept_invalid_certs(true);
        } else if let Some(pem) = read("remote_ssl_ca_crt_file")? {
            let faulty = |error: reqwest::Error| wrong(config, "remote_ssl_ca_crt_file", "", &error.to_string());
            let authorities = Certificate::from_pem_bundle(&pem).map_err(faulty)?;
            builder = builder.tls_built_in_root_certs(false);
            builder = authorities.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate);
        }
        if let Some(mut pem) = read("remote_ssl_client_crt_file")? {
            pem.extend(read("remote_ssl_client_key_file")?.unwrap_or_default());
            let identity = Identity::from_pem(&pem);
            builder = builder.identity(identity.map_err(|error| wrong(config, "remote_ssl_client_crt_file", "", &error.to_string()))?);
        }
        let client = builder.build().map_err(|error| format!("[oslo_policy] remote checks cannot be set up: {error}"))?;
        Ok(Self { client, as_json: config.text("oslo_policy", "remote_content_type") == "application/json" })
    }

    /// Asks; the URL and whether the answer is yes.
    ///
    /// # Errors
    /// 503 when there is no answer that counts.
    pub(crate) async fn ask(&self, call: HttpCall, target: &Map<String, Value>, credentials: &Credentials) -> Result<(String, bool)> {
        let credentials = Value::Object(credentials.to_json());
        let (kind, body) = if self.as_json {
            ("application/json", json!({"rule": call.rule, "target": target, "credentials": credentials}).to_string())
        } else {
            let field = |name: &str, value: String| format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC));
            let rule = Value::from(call.rule.as_str()).to_string();
            let target = json!(target).to_string();
            let fields = [field("rule", rule), field("target", target), field("credentials", credentials.to_string())];
            ("application/x-www-form-urlencoded", fields.join("&"))
        };
        let sent = self.client.post(&call.url).header(CONTENT_TYPE, kind).body(body).send();
        let mut response = sent.await.map_err(|error| unanswered(&call, &error))?;
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unanswered(&call, &error))? {
            text.extend_from_slice(&chunk);
            if text.len() > ANSWER_BYTES {
                break;
            }
        }
        let yes = std::str::from_utf8(&text).is_ok_and(|text| text.trim_matches('"') == "True");
        Ok((call.url, yes))
    }
}

fn wrong(config: &Config, name: &str, value: &str, reason: &str) -> String {
    config.refuse::<&str>("oslo_policy", name, value, reason, &[]).to_string()
}

fn unanswered(call: &HttpCall, error: &reqwest::Error) -> Error {
    tracing::error!(rule = call.rule, url = call.url, %error, "a remote check has no answer");
    kinds::UNAVAILABLE.error("The server that decides about this request cannot be asked at present. Try again later.")
}
