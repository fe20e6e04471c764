// SPDX-License-Identifier: Apache-2.0
//! From the configuration to what `neutrino-api` is told: the listener, the API, the pipeline around it.
//!
//! Owns: the mapping of options to plain values. Refuses to own: their meaning.

use std::path::PathBuf;
use std::sync::Arc;

use keystone_auth::Validator;
use neutrino_api::app::App;
use neutrino_api::dispatch::ApiOptions;
use neutrino_api::filters::cors::CorsOptions;
use neutrino_api::filters::healthcheck::HealthcheckOptions;
use neutrino_api::http::{Limits, ListenConfig, TlsConfig};
use neutrino_api::openapi::Open;
use neutrino_api::paste::{self, PasteSource, PipelineOptions};
use oslo_config::{Config, ConfigError};

use crate::number;
use crate::start::StartError;

/// How the API listens.
#[must_use]
pub fn listen_config(conf: &Config) -> ListenConfig {
    let text = |name: &str| conf.str("ssl", name).filter(|text| !text.is_empty());
    let file = |name: &str| text(name).map(PathBuf::from);
    let tls = conf.bool("DEFAULT", "use_ssl").then(|| TlsConfig {
        cert_file: file("cert_file").unwrap_or_default(),
        key_file: file("key_file").unwrap_or_default(),
        ca_file: file("ca_file"),
        version: text("version"),
        ciphers: text("ciphers"),
    });
    let limits = Limits {
        client_socket_timeout_seconds: number(conf, "DEFAULT", "client_socket_timeout"),
        max_header_line_bytes: number(conf, "DEFAULT", "max_header_line"),
        wsgi_default_pool_size: number(conf, "DEFAULT", "wsgi_default_pool_size"),
        keep_alive: conf.bool("DEFAULT", "wsgi_keep_alive"),
        graceful_shutdown_timeout_seconds: number(conf, "DEFAULT", "graceful_shutdown_timeout"),
        ..Limits::default()
    };
    ListenConfig {
        bind_host: conf.text("DEFAULT", "bind_host"),
        bind_port: number(conf, "DEFAULT", "bind_port"),
        backlog: number(conf, "DEFAULT", "backlog"),
        tcp_keepidle_seconds: number(conf, "DEFAULT", "tcp_keepidle"),
        tls,
        limits,
        log_requests: true,
    }
}

/// How the API answers.
#[must_use]
pub fn api_options(conf: &Config) -> ApiOptions {
    let limit = conf.text("DEFAULT", "pagination_max_limit");
    ApiOptions {
        allow_bulk: conf.bool("DEFAULT", "allow_bulk"),
        pagination_max_limit: limit.parse().ok().filter(|limit| *limit > 0),
        network_link_prefix: conf.str("DEFAULT", "network_link_prefix").filter(|prefix| !prefix.is_empty()),
        filter_validation: conf.bool("DEFAULT", "filter_validation"),
    }
}

fn pipeline_options(conf: &Config, authtoken: Option<Validator>) -> PipelineOptions {
    let health = |name: &str| conf.list("healthcheck", name);
    PipelineOptions {
        cors: CorsOptions {
            allowed_origin: conf.list("cors", "allowed_origin"),
            allow_credentials: conf.bool("cors", "allow_credentials"),
            expose_headers: conf.list("cors", "expose_headers"),
            max_age_seconds: number(conf, "cors", "max_age"),
            allow_methods: conf.list("cors", "allow_methods"),
            allow_headers: conf.list("cors", "allow_headers"),
        },
        healthcheck: HealthcheckOptions {
            detailed: conf.bool("healthcheck", "detailed"),
            backends: health("backends"),
            allowed_source_ranges: health("allowed_source_ranges"),
            ignore_proxied_requests: conf.bool("healthcheck", "ignore_proxied_requests"),
            disable_by_file_path: conf.str("healthcheck", "disable_by_file_path").map(PathBuf::from),
            disable_by_file_paths: health("disable_by_file_paths"),
            enable_by_file_paths: health("enable_by_file_paths"),
        },
        enable_proxy_headers_parsing: conf.bool("oslo_middleware", "enable_proxy_headers_parsing"),
        max_request_body_bytes: number(conf, "oslo_middleware", "max_request_body_size"),
        network_link_prefix: conf.str("DEFAULT", "network_link_prefix").filter(|prefix| !prefix.is_empty()),
        authtoken,
    }
}

/// The application: the API in the pipeline that `api_paste_config` describes, or in the one that is built in.
///
/// # Errors
/// A file that is not there, or a pipeline that cannot be built.
pub fn build(conf: &Config, api: Arc<dyn App>, authtoken: Option<Validator>) -> Result<Arc<dyn App>, StartError> {
    let source = paste_file(conf)?.map_or(PasteSource::BuiltIn, PasteSource::File);
    let strategy = conf.text("DEFAULT", "auth_strategy");
    let pipeline = paste::build(source, &strategy, Arc::clone(&api), pipeline_options(conf, authtoken))
        .map_err(|error| StartError(error.to_string()))?;
    Ok(Arc::new(Open::new(api, Arc::new(pipeline))))
}

/// `api_paste_config` as a file, searched for beside the configuration; `None` for the pipeline that is built in.
fn paste_file(conf: &Config) -> Result<Option<PathBuf>, ConfigError> {
    let name = conf.text("DEFAULT", "api_paste_config");
    let named = conf.is_set("DEFAULT", "api_paste_config");
    let found = if named || !conf.files().is_empty() { conf.find_file(&name) } else { None };
    if named && found.is_none() {
        return Err(conf.refuse::<&str>("DEFAULT", "api_paste_config", &name, "there is no such file beside the configuration", &[]));
    }
    Ok(found)
}
