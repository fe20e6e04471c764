// SPDX-License-Identifier: Apache-2.0
//! Signing in for other services: the options that every group of such a service has, and reading them.
//!
//! Invariant: what is set in such a group is obeyed or refused.

use keystone_auth::Options;
use oslo_config::Config;

/// The options of a group that says how to sign in at Keystone for a service (`keystoneauth1.loading`), and more of the group's own.
macro_rules! sign_in_options {
    ($group:expr, $who:literal $(, $more:expr)* $(,)?) => {
        &[
            oslo_config::Opt::str($group, "auth_type").deprecated(&[($group, "auth_plugin")])
                .help(concat!("How to sign in at Keystone for ", $who, ": password, v3password or v3applicationcredential.")),
            oslo_config::Opt::str($group, "auth_url").help("Where Keystone gives tokens."),
            oslo_config::Opt::str($group, "username").deprecated(&[($group, "user-name"), ($group, "user_name")]).help(concat!("The user for ", $who, ".")),
            oslo_config::Opt::str($group, "user_id").help("The user's id, instead of its name."),
            oslo_config::Opt::str($group, "password").secret().help("The user's password."),
            oslo_config::Opt::str($group, "user_domain_id").help("The domain of the user."),
            oslo_config::Opt::str($group, "user_domain_name").help("The domain of the user, by its name."),
            oslo_config::Opt::str($group, "project_id").deprecated(&[($group, "tenant_id")]).help("The project of the token."),
            oslo_config::Opt::str($group, "project_name").deprecated(&[($group, "tenant_name")]).help("The project of the token, by its name."),
            oslo_config::Opt::str($group, "project_domain_id").help("The domain of the project."),
            oslo_config::Opt::str($group, "project_domain_name").help("The domain of the project, by its name."),
            oslo_config::Opt::str($group, "default_domain_id").help("The domain of user and project, if they name none."),
            oslo_config::Opt::str($group, "default_domain_name").help("The domain of user and project by its name, if they name none."),
            oslo_config::Opt::str($group, "domain_id").help("A token for this domain."),
            oslo_config::Opt::str($group, "domain_name").help("A token for this domain, by its name."),
            oslo_config::Opt::str($group, "trust_id").help("A token by this trust."),
            oslo_config::Opt::str($group, "system_scope").help("all: a token for the whole deployment."),
            oslo_config::Opt::str($group, "application_credential_id").help("The id of an application credential."),
            oslo_config::Opt::str($group, "application_credential_name").help("The name of an application credential."),
            oslo_config::Opt::str($group, "application_credential_secret").secret().help("The secret of an application credential."),
            oslo_config::Opt::str($group, "cafile").deprecated(&[($group, "ca_cert")]).help("Certificates to trust."),
            oslo_config::Opt::str($group, "certfile").help("The certificate of this server."),
            oslo_config::Opt::str($group, "keyfile").help("The key of that certificate."),
            oslo_config::Opt::bool($group, "insecure").default("false").help("Whether certificates are not checked."),
            oslo_config::Opt::str($group, "timeout").help("Seconds that a request may take."),
            oslo_config::Opt::bool($group, "collect_timing").default("false").help("Not supported; must be off."),
            oslo_config::Opt::bool($group, "split_loggers").default("false").help("Not supported; must be off."),
            oslo_config::Opt::str($group, "tls_ciphers").help("Not supported; must not be set."),
            oslo_config::Opt::str($group, "tls_min_version").choices(&["", "1.2", "1.3"]).help("Not supported beyond 1.2; must not be 1.3."),
            $($more,)*
        ]
    };
}

pub(crate) use sign_in_options;

/// Is there anything to sign in with?
pub fn is_set(config: &Config, group: &str) -> bool {
    !config.text(group, "auth_type").is_empty()
}

/// A sentence for the operator about an option of the group that the client library refuses.
pub fn refused(config: &Config, group: &str, error: &keystone_auth::OptionError) -> String {
    config.refuse::<&str>(group, error.option, &config.text(group, error.option), &error.message, &[]).to_string()
}

/// What the group says, for the client library. A request is not repeated when there is no connection: who waits for it decides on that.
///
/// # Errors
/// A sentence for the operator: a value that cannot be used, an option that would be ignored.
pub fn options(config: &Config, group: &str) -> Result<Options, String> {
    let refuse = |name: &str, value: &str, reason: &str| Err(config.refuse::<&str>(group, name, value, reason, &[]).to_string());
    // A group of few options has none of these.
    let has = |name: &str| config.is_declared(group, name);
    for name in ["collect_timing", "split_loggers"] {
        if has(name) && config.bool(group, name) {
            return refuse(name, "True", "this is not supported; leave it off");
        }
    }
    if has("tls_ciphers") && config.str(group, "tls_ciphers").is_some_and(|value| !value.is_empty()) {
        return refuse("tls_ciphers", "", "the ciphers cannot be chosen; leave it out");
    }
    // 1.2 is the least that there is anyway.
    if has("tls_min_version") && config.text(group, "tls_min_version") == "1.3" {
        return refuse("tls_min_version", "1.3", "TLS 1.2 cannot be turned off; leave it out");
    }
    let read = Options::read(|info| match info.name {
        "interface" if config.is_declared(group, "endpoint_type") => config.str(group, "endpoint_type"),
        "interface" => Some("public".to_owned()),
        "http_connect_timeout" => config.str(group, "timeout"),
        "http_request_max_retries" => Some("0".to_owned()),
        "insecure" => Some(config.bool(group, "insecure").to_string()),
        name if config.is_declared(group, name) => config.str(group, name),
        _ => None,
    });
    read.map_err(|error| match error.option {
        "http_connect_timeout" => config.refuse::<&str>(group, "timeout", &config.text(group, "timeout"), &error.message, &[]).to_string(),
        "interface" => config.refuse::<&str>(group, "endpoint_type", "", &error.message, &[]).to_string(),
        _ => refused(config, group, &error),
    })
}
