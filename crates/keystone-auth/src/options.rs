// SPDX-License-Identifier: Apache-2.0
//! What the operator may set, and the bounds that hold in any case.
//!
//! Owns: reading option values from text, their checks at start, and warnings about options without effect. Invariant: the
//! debug form of [`Options`] shows no secret.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::memcached::Memcached;
use crate::option_names::{OPTION_NAMES, OptionInfo, Support};
use crate::sealed::Protection;

/// A text that is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, to be sent to Keystone and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// An option's value cannot be honoured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    pub option: &'static str,
    pub message: String,
}

impl OptionError {
    pub(crate) fn new(option: &'static str, message: impl Into<String>) -> Self {
        Self { option, message: message.into() }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[keystone_authtoken] {}: {}", self.option, self.message)
    }
}

impl std::error::Error for OptionError {}

/// The values of `[keystone_authtoken]`.
#[derive(Clone, Debug)]
pub struct Options {
    /// `password`, `v3password` or `v3applicationcredential`.
    pub auth_type: Option<String>,
    pub auth_url: Option<String>,
    pub username: Option<String>,
    pub user_id: Option<String>,
    pub user_domain_id: Option<String>,
    pub user_domain_name: Option<String>,
    pub password: Option<Secret>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub project_domain_id: Option<String>,
    pub project_domain_name: Option<String>,
    pub default_domain_id: Option<String>,
    pub default_domain_name: Option<String>,
    pub domain_id: Option<String>,
    pub domain_name: Option<String>,
    pub system_scope: Option<String>,
    pub trust_id: Option<String>,
    pub application_credential_id: Option<String>,
    pub application_credential_name: Option<String>,
    pub application_credential_secret: Option<Secret>,
    pub www_authenticate_uri: Option<String>,
    pub interface: String,
    pub region_name: Option<String>,
    pub delay_auth_decision: bool,
    pub include_service_catalog: bool,
    pub http_connect_timeout: Option<Duration>,
    pub http_request_max_retries: u32,
    pub cafile: Option<PathBuf>,
    pub certfile: Option<PathBuf>,
    pub keyfile: Option<PathBuf>,
    pub insecure: bool,
    /// How long a confirmed token is believed without asking again, hence the longest time for which a revoked token
    /// still works. `None`: Keystone is asked on every request.
    pub token_cache_time: Option<Duration>,
    /// Where confirmed tokens are shared with other servers.
    pub memcached: Option<Memcached>,
    pub enforce_token_bind: String,
    pub service_token_roles: Vec<String>,
    pub service_token_roles_required: bool,
    pub service_type: Option<String>,
    /// What the operator should know: options that are set and have no effect, and unsafe choices.
    pub warnings: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            auth_type: None,
            auth_url: None,
            username: None,
            user_id: None,
            user_domain_id: None,
            user_domain_name: None,
            password: None,
            project_id: None,
            project_name: None,
            project_domain_id: None,
            project_domain_name: None,
            default_domain_id: None,
            default_domain_name: None,
            domain_id: None,
            domain_name: None,
            system_scope: None,
            trust_id: None,
            application_credential_id: None,
            application_credential_name: None,
            application_credential_secret: None,
            www_authenticate_uri: None,
            interface: "internal".to_owned(),
            region_name: None,
            delay_auth_decision: false,
            include_service_catalog: true,
            http_connect_timeout: None,
            http_request_max_retries: 3,
            cafile: None,
            certfile: None,
            keyfile: None,
            insecure: false,
            token_cache_time: Some(Duration::from_secs(300)),
            memcached: None,
            enforce_token_bind: "permissive".to_owned(),
            service_token_roles: vec!["service".to_owned()],
            service_token_roles_required: true,
            service_type: None,
            warnings: Vec::new(),
        }
    }
}

impl Options {
    /// Reads the options. `value` gives the text of an option as the operator wrote it, `None` for one that is not set;
    /// it is asked for every entry of [`OPTION_NAMES`], and may look for the older names itself.
    ///
    /// # Errors
    /// A value is not of its type. Whether the values suffice is checked by [`crate::Validator::new`].
    pub fn read(mut value: impl FnMut(&'static OptionInfo) -> Option<String>) -> Result<Self, OptionError> {
        let mut values = Values::default();
        for info in OPTION_NAMES {
            let Some(text) = value(info).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()) else { continue };
            if info.support == Support::NoEffect {
                values.warn_without_effect(info, &text);
            }
            values.texts.insert(info.name, text);
        }
        values.options()
    }
}

/// Texts by name; what is left after the defaults.
#[derive(Default)]
struct Values {
    texts: BTreeMap<&'static str, String>,
    warnings: Vec<String>,
}

impl Values {
    fn warn_without_effect(&mut self, info: &OptionInfo, text: &str) {
        if info.default.is_some_and(|default| default.eq_ignore_ascii_case(text)) {
            return;
        }
        let reason = match info.name {
            "auth_version" => "only version 3 of the Identity API is spoken",
            "cache" => "the cache of another WSGI filter cannot be shared",
            "memcache_pool_unused_timeout" | "memcache_pool_conn_get_timeout" | "memcache_use_advanced_pool" => {
                "nobody waits for a connection to memcached"
            }
            _ => "memcached is spoken to without TLS and SASL",
        };
        self.warnings.push(format!("[keystone_authtoken] {} has no effect: {reason}", info.name));
    }

    fn options(mut self) -> Result<Options, OptionError> {
        let token_cache_time = self.cache_time()?;
        let memcached = self.memcached()?;
        let defaults = Options::default();
        let options = Options {
            auth_type: self.text("auth_type"),
            auth_url: self.text("auth_url"),
            username: self.text("username"),
            user_id: self.text("user_id"),
            user_domain_id: self.text("user_domain_id"),
            user_domain_name: self.text("user_domain_name"),
            password: self.text("password").map(Secret),
            project_id: self.text("project_id"),
            project_name: self.text("project_name"),
            project_domain_id: self.text("project_domain_id"),
            project_domain_name: self.text("project_domain_name"),
            default_domain_id: self.text("default_domain_id"),
            default_domain_name: self.text("default_domain_name"),
            domain_id: self.text("domain_id"),
            domain_name: self.text("domain_name"),
            system_scope: self.text("system_scope"),
            trust_id: self.text("trust_id"),
            application_credential_id: self.text("application_credential_id"),
            application_credential_name: self.text("application_credential_name"),
            application_credential_secret: self.text("application_credential_secret").map(Secret),
            www_authenticate_uri: self.text("www_authenticate_uri"),
            interface: self.text("interface").unwrap_or(defaults.interface),
            region_name: self.text("region_name"),
            delay_auth_decision: self.flag("delay_auth_decision", defaults.delay_auth_decision)?,
            include_service_catalog: self.flag("include_service_catalog", defaults.include_service_catalog)?,
            http_connect_timeout: self.seconds("http_connect_timeout")?,
            http_request_max_retries: self.retries(defaults.http_request_max_retries)?,
            cafile: self.text("cafile").map(PathBuf::from),
            certfile: self.text("certfile").map(PathBuf::from),
            keyfile: self.text("keyfile").map(PathBuf::from),
            insecure: self.flag("insecure", defaults.insecure)?,
            token_cache_time,
            memcached,
            enforce_token_bind: self.text("enforce_token_bind").unwrap_or(defaults.enforce_token_bind),
            service_token_roles: self.list("service_token_roles").unwrap_or(defaults.service_token_roles),
            service_token_roles_required: self.flag("service_token_roles_required", defaults.service_token_roles_required)?,
            service_type: self.text("service_type"),
            warnings: Vec::new(),
        };
        self.warn_unsafe(&options);
        Ok(Options { warnings: self.warnings, ..options })
    }

    fn warn_unsafe(&mut self, options: &Options) {
        let mut warn = |text: &str| self.warnings.push(format!("[keystone_authtoken] {text}"));
        if options.insecure {
            warn("insecure is on: whoever can reach the network between here and Keystone can forge identities");
        }
        if !options.service_token_roles_required {
            warn("service_token_roles_required is off: any user's valid token is accepted as a service token");
        }
        if options.memcached.as_ref().is_some_and(|memcached| memcached.protection == Protection::None) {
            warn("memcache_security_strategy is None: whoever can write to memcached can forge identities");
        }
        if options.www_authenticate_uri.is_none() {
            warn("www_authenticate_uri is not set: clients that are refused are told the auth_url, which they may not be able to reach");
        }
    }

    fn text(&mut self, name: &'static str) -> Option<String> {
        self.texts.remove(name)
    }

    fn list(&mut self, name: &'static str) -> Option<Vec<String>> {
        let text = self.text(name)?;
        Some(text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect())
    }

    fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, OptionError> {
        let Some(text) = self.text(name) else { return Ok(default) };
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(true),
            "false" | "0" | "off" | "no" => Ok(false),
            _ => Err(OptionError::new(name, format!("'{text}' is neither true nor false"))),
        }
    }

    fn number(&mut self, name: &'static str) -> Result<Option<i64>, OptionError> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| OptionError::new(name, format!("'{text}' is not a whole number")))
    }

    fn seconds(&mut self, name: &'static str) -> Result<Option<Duration>, OptionError> {
        let Some(number) = self.number(name)? else { return Ok(None) };
        match u64::try_from(number) {
            Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
            _ => Err(OptionError::new(name, format!("{number} is not a number of seconds above 0"))),
        }
    }

    fn retries(&mut self, default: u32) -> Result<u32, OptionError> {
        let name = "http_request_max_retries";
        let Some(number) = self.number(name)? else { return Ok(default) };
        u32::try_from(number).map_err(|_| OptionError::new(name, format!("{number} is not a number of retries")))
    }

    fn memcached(&mut self) -> Result<Option<Memcached>, OptionError> {
        let protection = self.protection()?;
        let (socket_timeout, dead_retry) = (self.seconds("memcache_pool_socket_timeout")?, self.seconds("memcache_pool_dead_retry")?);
        let pool_maxsize = self.number("memcache_pool_maxsize")?.unwrap_or(10);
        let memcached = Memcached {
            servers: self.list("memcached_servers").unwrap_or_default(),
            protection,
            socket_timeout: socket_timeout.unwrap_or(Duration::from_secs(3)),
            dead_retry: dead_retry.unwrap_or(Duration::from_secs(300)),
            pool_maxsize: usize::try_from(pool_maxsize)
                .map_err(|_| OptionError::new("memcache_pool_maxsize", format!("{pool_maxsize} is below 0")))?,
        };
        if memcached.servers.is_empty() {
            return Ok(None);
        }
        for name in ["memcache_tls_enabled", "memcache_sasl_enabled"] {
            if self.flag(name, false)? {
                self.warnings.push(format!(
                    "[keystone_authtoken] {name} is not supported: memcached is not used, tokens are cached in this process only"
                ));
                return Ok(None);
            }
        }
        Ok(Some(memcached))
    }

    fn protection(&mut self) -> Result<Protection, OptionError> {
        let name = "memcache_security_strategy";
        let secret = self.text("memcache_secret_key").map(Secret);
        let Some(text) = self.text(name) else { return Ok(Protection::None) };
        let secret = || secret.ok_or_else(|| OptionError::new("memcache_secret_key", format!("must be set, since {name} is {text}")));
        match text.to_ascii_lowercase().as_str() {
            "none" => Ok(Protection::None),
            "mac" => secret().map(Protection::Signed),
            "encrypt" => secret().map(Protection::Encrypted),
            _ => Err(OptionError::new(name, format!("'{text}' is none of None, MAC, ENCRYPT"))),
        }
    }

    fn cache_time(&mut self) -> Result<Option<Duration>, OptionError> {
        let Some(number) = self.number("token_cache_time")? else { return Ok(Options::default().token_cache_time) };
        if number == 0 {
            self.warnings.push(
                "[keystone_authtoken] token_cache_time is 0: nothing is cached here (Keystone's own middleware would keep tokens for ever)"
                    .to_owned(),
            );
        }
        Ok(u64::try_from(number).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs))
    }
}

/// Bounds that hold whatever the options say.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Tokens known to be valid.
    pub cached_tokens: usize,
    /// Bytes of all cached answers together, about.
    pub cached_bytes: usize,
    /// Tokens known to be invalid; apart, so that nonsense does not crowd out what is valid.
    pub cached_refusals: usize,
    /// How long a refusal is believed: short, since a Keystone that lags behind refuses what it soon will know.
    pub refusal_time: Duration,
    /// Callers that wait for an answer about a token that is not cached.
    pub waiting_callers: usize,
    /// Tokens that Keystone is being asked about.
    pub flights: usize,
    /// Requests to Keystone at the same time.
    pub requests: usize,
    /// Connections kept open without use.
    pub idle_connections: usize,
    pub response_bytes: usize,
    pub token_bytes: usize,
    /// One request, unless `http_connect_timeout` says otherwise.
    pub request_time: Duration,
    /// Everything done for one token, with retries and the server's own token.
    pub total_time: Duration,
    /// The first pause before a retry; it doubles.
    pub retry_pause: Duration,
    /// After the server's own credentials failed, the failure stands this long: a refused password is not tried with every request.
    pub failure_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cached_tokens: 10_000,
            cached_bytes: 64 * 1024 * 1024,
            cached_refusals: 2_000,
            refusal_time: Duration::from_secs(5),
            waiting_callers: 4_096,
            flights: 1_024,
            requests: 32,
            idle_connections: 8,
            response_bytes: 1024 * 1024,
            token_bytes: 8 * 1024,
            request_time: Duration::from_secs(30),
            total_time: Duration::from_secs(60),
            retry_pause: Duration::from_millis(500),
            failure_pause: Duration::from_secs(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[(&str, &str)]) -> Result<Options, OptionError> {
        Options::read(|info| values.iter().find(|(name, _)| *name == info.name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn defaults_are_those_of_the_table() {
        let (unset, spelled) = (read(&[]).unwrap(), Options::read(|info| info.default.map(str::to_owned)).unwrap());
        assert_eq!(format!("{unset:?}"), format!("{spelled:?}"));
        assert_eq!(format!("{unset:?}").replace(&format!("{:?}", unset.warnings), "[]"), format!("{:?}", Options::default()));
    }

    #[test]
    fn values_are_read_and_secrets_hidden() {
        let options = read(&[
            ("password", "hunter2"),
            ("application_credential_secret", "hunter3"),
            ("insecure", "Yes"),
            ("service_token_roles", "service, admin,"),
            ("token_cache_time", "-1"),
            ("http_connect_timeout", "7"),
            ("memcached_servers", "a:1,b:2"),
            ("memcache_security_strategy", "Encrypt"),
            ("memcache_secret_key", "hunter4"),
            ("memcache_username", "me"),
        ])
        .unwrap();
        assert!(!format!("{options:?}").contains("hunter"), "{options:?}");
        assert_eq!(options.password.unwrap().reveal(), "hunter2");
        assert!(options.insecure && options.token_cache_time.is_none());
        assert_eq!(options.service_token_roles, ["service", "admin"]);
        assert_eq!(options.http_connect_timeout, Some(Duration::from_secs(7)));
        let memcached = options.memcached.unwrap();
        assert_eq!((memcached.servers.join(" ").as_str(), memcached.socket_timeout), ("a:1 b:2", Duration::from_secs(3)));
        assert_eq!(memcached.protection, Protection::Encrypted(Secret::new("hunter4")));
        assert!(options.warnings.iter().any(|line| line.contains("memcache_username has no effect")), "{:?}", options.warnings);
    }

    #[test]
    fn a_memcached_that_cannot_be_spoken_to_is_not_used() {
        let options = read(&[("memcached_servers", "a:1"), ("memcache_tls_enabled", "true")]).unwrap();
        assert_eq!(options.memcached, None);
        assert!(options.warnings.iter().any(|line| line.contains("memcache_tls_enabled is not supported")), "{:?}", options.warnings);
        let options = read(&[("memcached_servers", "a:1")]).unwrap();
        assert!(options.warnings.iter().any(|line| line.contains("can forge")), "{:?}", options.warnings);
        let error = read(&[("memcached_servers", "a:1"), ("memcache_security_strategy", "MAC")]).unwrap_err();
        assert_eq!(error.option, "memcache_secret_key");
    }

    #[test]
    fn values_of_another_type_are_refused() {
        for (name, value) in [
            ("insecure", "maybe"),
            ("token_cache_time", "soon"),
            ("http_connect_timeout", "0"),
            ("http_connect_timeout", "-3"),
            ("http_request_max_retries", "-1"),
            ("memcache_security_strategy", "rot13"),
            ("memcache_pool_maxsize", "-1"),
            ("memcache_pool_dead_retry", "never"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.to_string().contains(name) && error.to_string().contains(value), "{error}");
        }
    }
}
