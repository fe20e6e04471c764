// SPDX-License-Identifier: Apache-2.0
//! The applications and filters that `api-paste.ini` may name, by the Python names that Neutron's file uses.
//!
//! A filter has one line here and one module in [`crate::filters`]. Invariant: a name or a setting that is not listed is refused with
//! the list of those that are.

use std::sync::Arc;

use super::PipelineOptions;
use super::error::PasteError;
use super::loader::Settings;
use crate::app::App;
use crate::filters::{authtoken, catch_errors, cors, debug, healthcheck, http_proxy, identity, request_id, sizelimit};
use crate::versions;

type MakeApp = fn(&Settings, &PipelineOptions) -> Result<Arc<dyn App>, PasteError>;
type MakeFilter = fn(&Settings, &PipelineOptions, Arc<dyn App>) -> Result<Arc<dyn App>, PasteError>;

pub(super) enum Maker {
    UrlMap,
    ByAuthStrategy,
    /// The API itself.
    Api,
    App(MakeApp),
}

struct KnownApp {
    names: &'static [&'static str],
    maker: Maker,
}

static APPS: &[KnownApp] = &[
    KnownApp { names: &["egg:paste#urlmap", "paste.urlmap:urlmap_factory"], maker: Maker::UrlMap },
    KnownApp { names: &["neutron.auth:pipeline_factory"], maker: Maker::ByAuthStrategy },
    KnownApp { names: &["neutron.api.v2.router:APIRouter.factory", "neutron.pecan_wsgi.app:v2_factory"], maker: Maker::Api },
    KnownApp {
        names: &["neutron.pecan_wsgi.app:versions_factory", "neutron.api.versions:Versions.factory"],
        maker: Maker::App(make_versions),
    },
    KnownApp {
        names: &[
            "oslo_middleware:Healthcheck.app_factory",
            "oslo_middleware.healthcheck:Healthcheck.app_factory",
            "egg:oslo-middleware#healthcheck",
        ],
        maker: Maker::App(make_healthcheck),
    },
];

struct KnownFilter {
    names: &'static [&'static str],
    /// Settings of its section that it obeys.
    settings: &'static [&'static str],
    make: MakeFilter,
}

static FILTERS: &[KnownFilter] = &[
    KnownFilter {
        names: &[
            "oslo_middleware.cors:filter_factory",
            "oslo_middleware:CORS.factory",
            "oslo_middleware.cors:CORS.factory",
            "egg:oslo-middleware#cors",
        ],
        settings: &["allowed_origin", "allow_credentials", "expose_headers", "max_age", "allow_methods", "allow_headers"],
        make: make_cors,
    },
    KnownFilter {
        names: &[
            "oslo_middleware.http_proxy_to_wsgi:HTTPProxyToWSGI.factory",
            "oslo_middleware:HTTPProxyToWSGI.factory",
            "egg:oslo-middleware#http_proxy_to_wsgi",
        ],
        settings: &["enable_proxy_headers_parsing"],
        make: make_http_proxy,
    },
    KnownFilter {
        names: &["oslo_middleware:RequestId.factory", "oslo_middleware.request_id:RequestId.factory", "egg:oslo-middleware#request_id"],
        settings: &[],
        make: |_, _, inner| Ok(Arc::new(request_id::RequestId::new(inner))),
    },
    KnownFilter {
        names: &[
            "oslo_middleware:CatchErrors.factory",
            "oslo_middleware.catch_errors:CatchErrors.factory",
            "egg:oslo-middleware#catch_errors",
        ],
        settings: &[],
        make: |_, _, inner| Ok(Arc::new(catch_errors::CatchErrors::new(inner))),
    },
    KnownFilter {
        names: &[
            "oslo_middleware:RequestBodySizeLimiter.factory",
            "oslo_middleware.sizelimit:RequestBodySizeLimiter.factory",
            "egg:oslo-middleware#sizelimit",
        ],
        settings: &["max_request_body_size"],
        make: make_sizelimit,
    },
    KnownFilter {
        names: &["oslo_middleware:Debug.factory", "oslo_middleware.debug:Debug.factory", "egg:oslo-middleware#debug"],
        settings: &[],
        make: |_, _, inner| Ok(Arc::new(debug::Debug::new(inner))),
    },
    KnownFilter {
        // It gives a request an id in its environment, which nothing here reads.
        names: &[
            "oslo_middleware:CorrelationId.factory",
            "oslo_middleware.correlation_id:CorrelationId.factory",
            "egg:oslo-middleware#correlation_id",
        ],
        settings: &[],
        make: |_, _, inner| Ok(inner),
    },
    KnownFilter {
        names: &["osprofiler.web:WsgiMiddleware.factory", "egg:osprofiler#osprofiler"],
        settings: &["enabled", "hmac_keys"],
        make: make_osprofiler,
    },
    KnownFilter {
        names: &["neutron.auth:NoauthFakeProjectId.factory"],
        settings: &[],
        make: |_, _, inner| Ok(Arc::new(identity::FakeProjectId::new(inner))),
    },
    KnownFilter {
        names: &["keystonemiddleware.auth_token:filter_factory", "egg:keystonemiddleware#auth_token"],
        settings: &[],
        make: make_authtoken,
    },
    KnownFilter {
        names: &["neutron.auth:NeutronKeystoneContext.factory"],
        settings: &[],
        make: |_, _, inner| Ok(Arc::new(identity::KeystoneContext::new(inner))),
    },
    KnownFilter {
        // The extensions' resources are part of the API itself.
        names: &["neutron.api.extensions:plugin_aware_extension_middleware_factory"],
        settings: &[],
        make: |_, _, inner| Ok(inner),
    },
];

/// Factories that Neutron's file may name and that this server cannot be: each with the reason.
static REFUSED: &[(&[&str], &str)] = &[
    (
        &["neutron.api.extensions:ProjectIdMiddleware.factory"],
        "asking Keystone whether a project exists is not supported. Take the filter out of the pipeline",
    ),
    (
        &[
            "oslo_middleware:BasicAuthMiddleware.factory",
            "oslo_middleware.basic_auth:BasicAuthMiddleware.factory",
            "egg:oslo-middleware#basic_auth",
        ],
        "basic authentication is not supported. Take the filter out of the pipeline",
    ),
    (
        &["oslo_middleware:Healthcheck.factory", "oslo_middleware.healthcheck:Healthcheck.factory"],
        "the health check is an application: mount it in the urlmap with \"paste.app_factory = oslo_middleware:Healthcheck.app_factory\"",
    ),
];

/// Settings that every oslo.middleware section may have: they say where Python would look for `neutron.conf`.
const OSLO_SETTINGS: &[&str] = &["oslo_config_project", "oslo_config_program"];

/// The factory that the value of a `use` names, in the form of the lists above; `None` when it names another section.
pub(super) fn canonical(used: &str) -> Option<String> {
    if let Some(call) = used.strip_prefix("call:") {
        return Some(call.trim().to_owned());
    }
    let egg = used.strip_prefix("egg:")?;
    let (distribution, entry) = egg.split_once('#').unwrap_or((egg, "main"));
    Some(format!("egg:{}#{entry}", distribution.trim().to_lowercase().replace(['.', '_'], "-")))
}

pub(super) fn app(factory: &str) -> Option<&'static Maker> {
    APPS.iter().find(|known| known.names.contains(&factory)).map(|known| &known.maker)
}

pub(super) fn app_names() -> String {
    APPS.iter().map(|known| known.names[0]).collect::<Vec<_>>().join(", ")
}

/// The API at its place in the pipeline.
pub(super) fn api(app: Arc<dyn App>) -> Arc<dyn App> {
    Arc::new(identity::ApiMount::new(app))
}

/// The filter that `factory` makes, around `inner`.
pub(super) fn filter(
    factory: &str,
    settings: &Settings,
    options: &PipelineOptions,
    inner: Arc<dyn App>,
) -> Result<Arc<dyn App>, PasteError> {
    if let Some((_, reason)) = REFUSED.iter().find(|(names, _)| names.contains(&factory)) {
        return Err(settings.wrong("", reason));
    }
    let Some(known) = FILTERS.iter().find(|known| known.names.contains(&factory)) else {
        let names = FILTERS.iter().map(|known| known.names[0]).collect::<Vec<_>>().join(", ");
        return Err(settings.wrong("", format!("{factory} is not a known filter. Known are: {names}")));
    };
    refuse_unknown(settings, known.settings)?;
    (known.make)(settings, options, inner)
}

/// Refuses a setting that the factory would not obey.
pub(super) fn refuse_unknown(settings: &Settings, known: &[&str]) -> Result<(), PasteError> {
    for (key, _) in &settings.local {
        if key == "oslo_config_file" {
            let message = "oslo_config_file: no other configuration file is read; put the options into neutron.conf or into this section";
            return Err(settings.wrong(key, message));
        }
        if !known.contains(&key.as_str()) && !OSLO_SETTINGS.contains(&key.as_str()) {
            let choices = if known.is_empty() { "It takes none".to_owned() } else { format!("It takes: {}", known.join(", ")) };
            return Err(settings.wrong(key, format!("{key} is not a setting of this section. {choices}")));
        }
    }
    Ok(())
}

fn make_versions(settings: &Settings, options: &PipelineOptions) -> Result<Arc<dyn App>, PasteError> {
    refuse_unknown(settings, &[])?;
    Ok(Arc::new(versions::Versions::new(options.network_link_prefix.clone())))
}

fn make_healthcheck(settings: &Settings, options: &PipelineOptions) -> Result<Arc<dyn App>, PasteError> {
    const KNOWN: &[&str] = &[
        "path",
        "detailed",
        "backends",
        "allowed_source_ranges",
        "ignore_proxied_requests",
        "disable_by_file_path",
        "disable_by_file_paths",
        "enable_by_file_paths",
    ];
    refuse_unknown(settings, KNOWN)?;
    let mut chosen = options.healthcheck.clone();
    set_bool(settings, "detailed", &mut chosen.detailed)?;
    set_list(settings, "backends", &mut chosen.backends);
    set_list(settings, "allowed_source_ranges", &mut chosen.allowed_source_ranges);
    set_bool(settings, "ignore_proxied_requests", &mut chosen.ignore_proxied_requests)?;
    set_list(settings, "disable_by_file_paths", &mut chosen.disable_by_file_paths);
    set_list(settings, "enable_by_file_paths", &mut chosen.enable_by_file_paths);
    if let Some(path) = settings.get("disable_by_file_path") {
        chosen.disable_by_file_path = Some(path.into());
    }
    let app = healthcheck::Healthcheck::new(&chosen).map_err(|(key, message)| settings.wrong(key, message))?;
    Ok(Arc::new(app))
}

fn make_cors(settings: &Settings, options: &PipelineOptions, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
    let mut chosen = options.cors.clone();
    set_list(settings, "allowed_origin", &mut chosen.allowed_origin);
    set_bool(settings, "allow_credentials", &mut chosen.allow_credentials)?;
    set_list(settings, "expose_headers", &mut chosen.expose_headers);
    set_number(settings, "max_age", &mut chosen.max_age_seconds)?;
    set_list(settings, "allow_methods", &mut chosen.allow_methods);
    set_list(settings, "allow_headers", &mut chosen.allow_headers);
    let filter = cors::Cors::new(&chosen, inner).map_err(|(key, message)| settings.wrong(key, message))?;
    Ok(Arc::new(filter))
}

fn make_http_proxy(settings: &Settings, options: &PipelineOptions, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
    let mut enabled = options.enable_proxy_headers_parsing;
    set_bool(settings, "enable_proxy_headers_parsing", &mut enabled)?;
    Ok(if enabled { Arc::new(http_proxy::HttpProxy::new(inner)) } else { inner })
}

fn make_authtoken(settings: &Settings, options: &PipelineOptions, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
    let Some(validator) = options.authtoken.clone() else {
        return Err(settings.wrong("", "this filter needs auth_strategy = keystone in neutron.conf"));
    };
    Ok(Arc::new(authtoken::AuthToken::new(validator, inner)))
}

fn make_sizelimit(settings: &Settings, options: &PipelineOptions, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
    let mut limit_bytes = options.max_request_body_bytes;
    set_number(settings, "max_request_body_size", &mut limit_bytes)?;
    Ok(Arc::new(sizelimit::SizeLimit::new(limit_bytes, inner)))
}

fn make_osprofiler(settings: &Settings, _: &PipelineOptions, inner: Arc<dyn App>) -> Result<Arc<dyn App>, PasteError> {
    let mut enabled = false;
    set_bool(settings, "enabled", &mut enabled)?;
    if enabled {
        tracing::warn!("[{}] enabled: there is no profiler in this server; the filter passes requests on", settings.section);
    }
    Ok(inner)
}

fn set_bool(settings: &Settings, key: &str, target: &mut bool) -> Result<(), PasteError> {
    let Some(value) = settings.get(key) else { return Ok(()) };
    *target = match value.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "yes" => true,
        "false" | "0" | "off" | "no" => false,
        other => return Err(settings.wrong(key, format!("{key} = {other}: write true or false"))),
    };
    Ok(())
}

fn set_number<N: std::str::FromStr>(settings: &Settings, key: &str, target: &mut N) -> Result<(), PasteError> {
    let Some(value) = settings.get(key) else { return Ok(()) };
    *target =
        value.trim().parse().map_err(|_| settings.wrong(key, format!("{key} = {value}: write a whole number that is not negative")))?;
    Ok(())
}

fn set_list(settings: &Settings, key: &str, target: &mut Vec<String>) {
    if let Some(value) = settings.get(key) {
        *target = value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect();
    }
}
