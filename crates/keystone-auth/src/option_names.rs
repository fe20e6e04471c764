// SPDX-License-Identifier: Apache-2.0
//! The options of `[keystone_authtoken]`, so that a server can declare them.
//!
//! Invariant: names, types and defaults are those of the middleware; [`Support`] says which of them have an effect here.

/// How the text of an option is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    Str,
    Int,
    Bool,
    /// Values separated by commas.
    List,
}

/// Whether an option has an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    Obeyed,
    /// Known, without effect: [`crate::Options::warnings`] says so when it is set to anything but its default.
    NoEffect,
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    pub name: &'static str,
    pub kind: OptionKind,
    pub default: Option<&'static str>,
    /// Its value must not be shown.
    pub secret: bool,
    /// Part of the credentials: read from the group that `auth_section` names, if it names one.
    pub credential: bool,
    /// Older names of the same option.
    pub deprecated: &'static [&'static str],
    pub support: Support,
}

const fn option(name: &'static str, kind: OptionKind, default: Option<&'static str>) -> OptionInfo {
    OptionInfo { name, kind, default, secret: false, credential: false, deprecated: &[], support: Support::Obeyed }
}

const fn text(name: &'static str) -> OptionInfo {
    option(name, OptionKind::Str, None)
}

const fn flag(name: &'static str, default: &'static str) -> OptionInfo {
    option(name, OptionKind::Bool, Some(default))
}

const fn number(name: &'static str, default: Option<&'static str>) -> OptionInfo {
    option(name, OptionKind::Int, default)
}

const fn list(name: &'static str, default: Option<&'static str>) -> OptionInfo {
    option(name, OptionKind::List, default)
}

const fn credential(name: &'static str, deprecated: &'static [&'static str]) -> OptionInfo {
    OptionInfo { credential: true, deprecated, ..text(name) }
}

const fn no_effect(info: OptionInfo) -> OptionInfo {
    OptionInfo { support: Support::NoEffect, ..info }
}

const fn secret(info: OptionInfo) -> OptionInfo {
    OptionInfo { secret: true, ..info }
}

/// Every option of the group, those of the credentials last.
pub static OPTION_NAMES: &[OptionInfo] = &[
    text("www_authenticate_uri"),
    no_effect(text("auth_version")),
    option("interface", OptionKind::Str, Some("internal")),
    flag("delay_auth_decision", "false"),
    number("http_connect_timeout", None),
    number("http_request_max_retries", Some("3")),
    no_effect(text("cache")),
    text("certfile"),
    text("keyfile"),
    text("cafile"),
    flag("insecure", "false"),
    text("region_name"),
    OptionInfo { deprecated: &["memcache_servers"], ..list("memcached_servers", None) },
    number("token_cache_time", Some("300")),
    option("memcache_security_strategy", OptionKind::Str, Some("None")),
    secret(text("memcache_secret_key")),
    flag("memcache_tls_enabled", "false"),
    no_effect(text("memcache_tls_cafile")),
    no_effect(text("memcache_tls_certfile")),
    no_effect(text("memcache_tls_keyfile")),
    no_effect(text("memcache_tls_allowed_ciphers")),
    number("memcache_pool_dead_retry", Some("300")),
    number("memcache_pool_maxsize", Some("10")),
    number("memcache_pool_socket_timeout", Some("3")),
    no_effect(number("memcache_pool_unused_timeout", Some("60"))),
    no_effect(number("memcache_pool_conn_get_timeout", Some("10"))),
    no_effect(flag("memcache_use_advanced_pool", "true")),
    flag("include_service_catalog", "true"),
    option("enforce_token_bind", OptionKind::Str, Some("permissive")),
    list("service_token_roles", Some("service")),
    flag("service_token_roles_required", "true"),
    text("service_type"),
    flag("memcache_sasl_enabled", "false"),
    no_effect(text("memcache_username")),
    secret(no_effect(text("memcache_password"))),
    OptionInfo { deprecated: &["auth_plugin"], ..text("auth_type") },
    text("auth_section"),
    credential("auth_url", &[]),
    credential("system_scope", &[]),
    credential("domain_id", &[]),
    credential("domain_name", &[]),
    credential("project_id", &["tenant_id"]),
    credential("project_name", &["tenant_name"]),
    credential("project_domain_id", &[]),
    credential("project_domain_name", &[]),
    credential("trust_id", &[]),
    credential("default_domain_id", &[]),
    credential("default_domain_name", &[]),
    credential("user_id", &[]),
    credential("username", &["user_name"]),
    credential("user_domain_id", &[]),
    credential("user_domain_name", &[]),
    secret(credential("password", &[])),
    credential("application_credential_id", &[]),
    credential("application_credential_name", &[]),
    secret(credential("application_credential_secret", &[])),
];
