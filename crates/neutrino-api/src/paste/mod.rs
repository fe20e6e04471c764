// SPDX-License-Identifier: Apache-2.0
//! The request pipeline, built from `api-paste.ini` in paste.deploy's language.
//!
//! Owns the language ([`ini`]), the sections and what they refer to (`loader`), and the list of factories that may be named
//! (`factories`). The filters themselves are in [`crate::filters`]. Invariant: what a file says is obeyed or refused at start with its
//! file, line and the known choices; sections that nothing refers to are not looked at, as in paste.deploy.

mod error;
mod factories;
pub mod ini;
mod loader;
mod urlmap;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

pub use error::PasteError;

use crate::app::{App, Request, Response};
use crate::filters::cors::CorsOptions;
use crate::filters::healthcheck::HealthcheckOptions;

/// The section that a server begins with: `[composite:neutron]`.
pub const ROOT: &str = "neutron";

const BUILT_IN: &str = include_str!("../../etc/api-paste.ini");

/// Where the pipeline is described.
#[derive(Clone, Debug, Default)]
pub enum PasteSource {
    /// Our own file, compiled in.
    #[default]
    BuiltIn,
    /// `api_paste_config`.
    File(PathBuf),
    /// A text, with the name to use in messages.
    Text { name: String, text: String },
}

/// The options of `neutron.conf` that filters obey. A filter's own section in `api-paste.ini` wins over them.
#[derive(Clone)]
pub struct PipelineOptions {
    /// `[cors]`.
    pub cors: CorsOptions,
    /// `[healthcheck]`.
    pub healthcheck: HealthcheckOptions,
    /// `[oslo_middleware] enable_proxy_headers_parsing`.
    pub enable_proxy_headers_parsing: bool,
    /// `[oslo_middleware] max_request_body_size`, in bytes, for pipelines with the `sizelimit` filter.
    pub max_request_body_bytes: usize,
    /// `network_link_prefix`: what takes the place of scheme and host in links.
    pub network_link_prefix: Option<String>,
    /// `[keystone_authtoken]`; without it there is no filter `authtoken`.
    pub authtoken: Option<keystone_auth::Validator>,
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self {
            cors: CorsOptions::default(),
            healthcheck: HealthcheckOptions::default(),
            enable_proxy_headers_parsing: false,
            max_request_body_bytes: 114_688,
            network_link_prefix: None,
            authtoken: None,
        }
    }
}

/// A built pipeline.
pub struct Pipeline {
    root: Arc<dyn App>,
}

impl std::fmt::Debug for Pipeline {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Pipeline")
    }
}

#[async_trait]
impl App for Pipeline {
    async fn call(&self, request: Request) -> Response {
        self.root.call(request).await
    }
}

/// Builds the pipeline that `source` describes around `app`, the API.
///
/// # Errors
/// A file that cannot be read or parsed; a section, filter, app, factory or setting that is not known; a pipeline that
/// cannot be served. The message says which, where, and what is known.
pub fn build(source: PasteSource, auth_strategy: &str, app: Arc<dyn App>, options: PipelineOptions) -> Result<Pipeline, PasteError> {
    let (name, text) = match source {
        PasteSource::BuiltIn => ("api-paste.ini (built in)".to_owned(), BUILT_IN.to_owned()),
        PasteSource::Text { name, text } => (name, text),
        PasteSource::File(path) => {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(&path).map_err(|error| PasteError::new(&name, None, format!("cannot be read: {error}")))?;
            (name, text)
        }
    };
    let file = ini::IniFile::parse(&name, &text)?;
    let root = loader::Loader::new(&file, auth_strategy, app, &options).app(ROOT, None)?;
    Ok(Pipeline { root })
}
