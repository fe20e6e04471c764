// SPDX-License-Identifier: Apache-2.0
//! The conversation with Keystone: the server's own token, and questions about others' tokens.
//!
//! Owns: the credentials' form on the wire, choosing the identity endpoint from the catalog, renewing the own token.
//! Invariants: one request for an own token at a time, and those who waited share its failure; a refused password is not
//! tried with every request; a question is asked a second time only after a 401, with a new own token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::client::{Answer, Call, Client};
use crate::clock::Clock;
use crate::options::{Limits, OptionError, Options};
use crate::token::{TokenInfo, expiry};
use crate::url::BaseUrl;

const X_AUTH_TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const X_SUBJECT_TOKEN: HeaderName = HeaderName::from_static("x-subject-token");
/// Says that this side enforces access rules; without it Keystone refuses restricted application credentials.
const ACCESS_RULES: HeaderName = HeaderName::from_static("openstack-identity-access-rules");

/// Keystone's own name in the catalog.
const IDENTITY: &str = "identity";

/// The own token is renewed this long before it expires, or at three quarters of its life if that is later.
const RENEWAL: TimeDelta = TimeDelta::seconds(120);

/// The own token, and where it may be used.
struct OwnToken {
    token: HeaderValue,
    endpoint: BaseUrl,
    renew_at: DateTime<Utc>,
    number: u64,
}

#[derive(Default)]
struct State {
    current: Option<Arc<OwnToken>>,
    /// How often an own token was asked for.
    rounds: u64,
    failure: Option<(Duration, String)>,
}

pub(crate) struct Keystone {
    client: Client,
    clock: Arc<dyn Clock>,
    auth_url: BaseUrl,
    credentials: Bytes,
    interface: String,
    region_name: Option<String>,
    /// What the own token is used for, as the catalog names it.
    service: String,
    /// Where that is, if the operator said so instead of leaving it to the catalog.
    address: Option<BaseUrl>,
    with_catalog: bool,
    failure_pause: Duration,
    state: Mutex<State>,
    gate: tokio::sync::Mutex<()>,
}

/// What Keystone says about a token, read and as it came. An error is a sentence for the log: Keystone said nothing that counts.
pub(crate) type Verdict = Result<Option<(TokenInfo, Bytes)>, String>;

impl Keystone {
    pub(crate) fn new(client: Client, clock: Arc<dyn Clock>, options: &Options, limits: &Limits) -> Result<Self, OptionError> {
        Ok(Self {
            client,
            clock,
            auth_url: auth_url(options)?,
            credentials: Bytes::from(credentials(options)?.to_string()),
            interface: interface(&options.interface)?,
            region_name: options.region_name.clone(),
            service: IDENTITY.to_owned(),
            address: None,
            // Who shares an answer may need the catalog in it.
            with_catalog: options.include_service_catalog && (options.service_type.is_some() || options.memcached.is_some()),
            failure_pause: limits.failure_pause,
            state: Mutex::default(),
            gate: tokio::sync::Mutex::new(()),
        })
    }

    /// The same for the use of another service.
    pub(crate) fn of_service(self, service_type: &str) -> Self {
        Self { service: service_type.to_owned(), ..self }
    }

    /// The same at this address, whatever the catalog says.
    pub(crate) fn at(self, address: BaseUrl) -> Self {
        Self { address: Some(address), ..self }
    }

    /// Sends a request to the service of the own token; a second time if the token is not accepted.
    pub(crate) async fn request(&self, method: Method, path: &str, more: &HeaderMap, body: Bytes) -> Result<(u16, Bytes), String> {
        let mut answered = None;
        for _ in 0..2 {
            let own = self.own_token().await?;
            let mut headers = more.clone();
            headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
            headers.insert(X_AUTH_TOKEN, own.token.clone());
            let path = own.endpoint.join(path);
            let call = Call { method: method.clone(), base: &own.endpoint, path: &path, headers, body: body.clone() };
            let place = &own.endpoint.origin.authority;
            let answer = self.client.send(&call).await.map_err(|failure| format!("{} at {place}: {failure}", self.service))?;
            if answer.status != StatusCode::UNAUTHORIZED {
                self.discard_gone(&own, answer.status);
                return Ok((answer.status.as_u16(), answer.body));
            }
            self.discard(&own);
            answered = Some((answer.status.as_u16(), answer.body));
        }
        answered.ok_or_else(|| format!("{} was not asked", self.service))
    }

    /// Gets the own token if there is none.
    pub(crate) async fn sign_in(&self) -> Result<(), String> {
        self.own_token().await.map(|_| ())
    }

    /// Asks about a token: its description, or `None` if Keystone does not accept it.
    pub(crate) async fn read_token(&self, token: &str, allow_expired: bool) -> Verdict {
        for last in [false, true] {
            let own = self.own_token().await?;
            let answer = self.ask(&own, token, allow_expired).await?;
            match answer.status {
                StatusCode::OK => {
                    return TokenInfo::parse(&answer.body)
                        .map(|info| Some((info, answer.body)))
                        .map_err(|reason| format!("Keystone's description of a token cannot be used: {reason}"));
                }
                StatusCode::NOT_FOUND => return Ok(None),
                StatusCode::UNAUTHORIZED if !last => self.discard(&own),
                StatusCode::UNAUTHORIZED => {
                    self.discard(&own);
                    return Err("Keystone accepts our credentials but refuses the token it gave for them".to_owned());
                }
                StatusCode::FORBIDDEN => {
                    return Err(
                        "Keystone does not let the user of [keystone_authtoken] validate tokens: it needs the role service or admin"
                            .to_owned(),
                    );
                }
                status => {
                    self.discard_after(&own, status);
                    return Err(format!("Keystone answered a question about a token with {}", status.as_u16()));
                }
            }
        }
        Err("Keystone refused our token twice".to_owned())
    }

    async fn ask(&self, own: &OwnToken, token: &str, allow_expired: bool) -> Result<Answer, String> {
        let mut subject = HeaderValue::from_str(token).map_err(|_| "a token that is no header value".to_owned())?;
        subject.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(X_AUTH_TOKEN, own.token.clone());
        headers.insert(X_SUBJECT_TOKEN, subject);
        headers.insert(ACCESS_RULES, HeaderValue::from_static("1"));
        let path = match (self.with_catalog, allow_expired) {
            (true, false) => "/auth/tokens",
            (true, true) => "/auth/tokens?allow_expired=1",
            (false, false) => "/auth/tokens?nocatalog",
            (false, true) => "/auth/tokens?nocatalog&allow_expired=1",
        };
        let call = Call { method: Method::GET, base: &own.endpoint, path: &own.endpoint.join(path), headers, body: Bytes::new() };
        self.client.send(&call).await.map_err(|failure| format!("Keystone at {} cannot be asked: {failure}", own.endpoint.origin.authority))
    }

    async fn own_token(&self) -> Result<Arc<OwnToken>, String> {
        let before = match self.known() {
            Ok(answer) => return answer,
            Err(rounds) => rounds,
        };
        let _gate = self.gate.lock().await;
        match self.known() {
            Ok(answer) => return answer,
            // Somebody asked while this caller waited, and failed: that is the answer for all who waited.
            Err(rounds) if rounds != before => {
                if let Some((_, reason)) = &self.state.lock().unwrap_or_else(PoisonError::into_inner).failure {
                    return Err(reason.clone());
                }
            }
            Err(_) => {}
        }
        let result = self.authenticate().await;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.rounds += 1;
        match result {
            Ok(own) => {
                let own = Arc::new(OwnToken { number: state.rounds, ..own });
                state.current = Some(Arc::clone(&own));
                state.failure = None;
                Ok(own)
            }
            Err(reason) => {
                state.failure = Some((self.clock.elapsed(), reason.clone()));
                Err(reason)
            }
        }
    }

    /// The own token, or a failure that is recent enough to stand; else how often was asked so far.
    fn known(&self) -> Result<Result<Arc<OwnToken>, String>, u64> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = state.current.as_ref().filter(|own| self.clock.now() < own.renew_at) {
            return Ok(Ok(Arc::clone(own)));
        }
        match &state.failure {
            Some((when, reason)) if self.clock.elapsed().saturating_sub(*when) < self.failure_pause => Ok(Err(reason.clone())),
            _ => Err(state.rounds),
        }
    }

    fn discard(&self, own: &OwnToken) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.current.as_ref().is_some_and(|current| current.number == own.number) {
            state.current = None;
        }
    }

    /// An answer below 500 from what the catalog calls Keystone may mean that Keystone has moved: look again.
    fn discard_after(&self, own: &OwnToken, status: StatusCode) {
        if !status.is_server_error() {
            self.discard(own);
        }
    }

    /// A service that does not know the path may have moved: look into the catalog again.
    fn discard_gone(&self, own: &OwnToken, status: StatusCode) {
        if status == StatusCode::GONE || status.is_redirection() {
            self.discard(own);
        }
    }

    async fn authenticate(&self) -> Result<OwnToken, String> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let path = self.auth_url.join("/auth/tokens");
        let call = Call { method: Method::POST, base: &self.auth_url, path: &path, headers, body: self.credentials.clone() };
        let place = &self.auth_url.origin.authority;
        let answer = self.client.send(&call).await.map_err(|failure| format!("Keystone at {place} gives no token: {failure}"))?;
        match answer.status {
            StatusCode::CREATED | StatusCode::OK => {
                self.own_token_of(&answer).map_err(|reason| format!("Keystone's token for us cannot be used: {reason}"))
            }
            StatusCode::UNAUTHORIZED if self.service != IDENTITY => {
                Err(format!("Keystone refuses the credentials for the service {}", self.service))
            }
            StatusCode::UNAUTHORIZED => Err("Keystone refuses the credentials of [keystone_authtoken]".to_owned()),
            status => Err(format!("Keystone at {place} answered {} when asked for a token", status.as_u16())),
        }
    }

    fn own_token_of(&self, answer: &Answer) -> Result<OwnToken, String> {
        let mut token = answer.headers.get(X_SUBJECT_TOKEN).cloned().ok_or("the answer has no X-Subject-Token")?;
        token.set_sensitive(true);
        let value: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("the answer is not JSON ({error})"))?;
        let body = value.get("token").and_then(Value::as_object).ok_or("the answer holds no token")?;
        let (now, expires_at) = (self.clock.now(), expiry(body)?);
        let life = expires_at - now;
        if life <= TimeDelta::zero() {
            return Err("it has expired already; are the clocks of this machine and Keystone's set right?".to_owned());
        }
        let renew_at = expires_at - RENEWAL.min(life / 4);
        Ok(OwnToken { token, endpoint: self.endpoint(body)?, renew_at, number: 0 })
    }

    fn endpoint(&self, token: &Map<String, Value>) -> Result<BaseUrl, String> {
        if let Some(address) = &self.address {
            return Ok(address.clone());
        }
        // Without a catalog (an unscoped token) there is only one address to ask.
        let Some(catalog) = token.get("catalog").and_then(Value::as_array).filter(|catalog| !catalog.is_empty()) else {
            if self.service != IDENTITY {
                return Err(format!("it has no catalog to find the service {} in", self.service));
            }
            return Ok(self.auth_url.clone());
        };
        let same = |value: &Value, name: &str, wanted: &str| value.get(name).and_then(Value::as_str) == Some(wanted);
        let in_region = |endpoint: &Value| match &self.region_name {
            None => true,
            Some(region) => same(endpoint, "region_id", region) || same(endpoint, "region", region),
        };
        let services = catalog.iter().filter(|service| same(service, "type", &self.service));
        let mut endpoints = services.filter_map(|service| service.get("endpoints").and_then(Value::as_array)).flatten();
        let found = endpoints.find(|endpoint| same(endpoint, "interface", &self.interface) && in_region(endpoint));
        let Some(url) = found.and_then(|endpoint| endpoint.get("url")).and_then(Value::as_str) else {
            let region = self.region_name.as_ref().map(|region| format!(" in the region {region}")).unwrap_or_default();
            return Err(format!("its catalog has no {} endpoint of the service {}{region}", self.interface, self.service));
        };
        let read = if self.service == IDENTITY { BaseUrl::parse(url) } else { BaseUrl::exact(url) };
        read.map_err(|reason| format!("the catalog's {} endpoint {reason}", self.service))
    }
}

/// The address of `auth_url`.
///
/// # Errors
/// It is missing or no address.
pub(crate) fn auth_url(options: &Options) -> Result<BaseUrl, OptionError> {
    let Some(text) = &options.auth_url else {
        return Err(OptionError::new("auth_url", "is not set; it is where Keystone gives tokens, as http://keystone:5000"));
    };
    BaseUrl::parse(text).map_err(|reason| OptionError::new("auth_url", reason))
}

fn interface(text: &str) -> Result<String, OptionError> {
    let plain = text.strip_suffix("URL").unwrap_or(text);
    if ["public", "internal", "admin"].contains(&plain) {
        return Ok(plain.to_owned());
    }
    Err(OptionError::new("interface", format!("'{text}' is not known; use public, internal or admin")))
}

/// The body of the request for an own token.
fn credentials(options: &Options) -> Result<Value, OptionError> {
    let known = "password, v3password and v3applicationcredential";
    let identity = match options.auth_type.as_deref() {
        Some("password" | "v3password") => return password(options),
        Some("v3applicationcredential") => application_credential(options)?,
        Some(other) => return Err(OptionError::new("auth_type", format!("'{other}' is not supported; there are {known}"))),
        None => return Err(OptionError::new("auth_type", format!("is not set; there are {known}"))),
    };
    Ok(json!({"auth": {"identity": identity}}))
}

fn password(options: &Options) -> Result<Value, OptionError> {
    let secret = options.password.as_ref().ok_or_else(|| OptionError::new("password", "is not set, and auth_type asks for it"))?;
    let mut user = user(options)?;
    user.insert("password".to_owned(), secret.reveal().into());
    let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
    if let Some(scope) = scope(options)? {
        auth["scope"] = scope;
    }
    Ok(json!({"auth": auth}))
}

fn application_credential(options: &Options) -> Result<Value, OptionError> {
    let secret = options.application_credential_secret.as_ref();
    let secret = secret.ok_or_else(|| OptionError::new("application_credential_secret", "is not set, and auth_type asks for it"))?;
    let mut data = Map::new();
    data.insert("secret".to_owned(), secret.reveal().into());
    match (&options.application_credential_id, &options.application_credential_name) {
        (Some(id), _) => {
            data.insert("id".to_owned(), id.as_str().into());
        }
        (None, Some(name)) => {
            data.insert("name".to_owned(), name.as_str().into());
            data.insert("user".to_owned(), user(options)?.into());
        }
        (None, None) => {
            return Err(OptionError::new("application_credential_id", "is not set, nor is application_credential_name"));
        }
    }
    Ok(json!({"methods": ["application_credential"], "application_credential": data}))
}

fn user(options: &Options) -> Result<Map<String, Value>, OptionError> {
    let mut user = Map::new();
    if let Some(id) = &options.user_id {
        user.insert("id".to_owned(), id.as_str().into());
        return Ok(user);
    }
    let name = options.username.as_ref().ok_or_else(|| OptionError::new("username", "is not set, nor is user_id"))?;
    user.insert("name".to_owned(), name.as_str().into());
    let domain = domain(options, &options.user_domain_id, &options.user_domain_name);
    let domain = domain.ok_or_else(|| {
        OptionError::new("user_domain_name", "is not set, nor is user_domain_id: a user's name means something only within a domain")
    })?;
    user.insert("domain".to_owned(), domain);
    Ok(user)
}

fn domain(options: &Options, id: &Option<String>, name: &Option<String>) -> Option<Value> {
    let by = |key: &str, value: &Option<String>| value.as_ref().map(|value| json!({key: value}));
    by("id", id)
        .or_else(|| by("name", name))
        .or_else(|| by("id", &options.default_domain_id))
        .or_else(|| by("name", &options.default_domain_name))
}

fn scope(options: &Options) -> Result<Option<Value>, OptionError> {
    let mut scopes = Vec::new();
    if let Some(id) = &options.project_id {
        scopes.push(json!({"project": {"id": id}}));
    } else if let Some(name) = &options.project_name {
        let domain = domain(options, &options.project_domain_id, &options.project_domain_name).ok_or_else(|| {
            OptionError::new(
                "project_domain_name",
                "is not set, nor is project_domain_id: a project's name means something only within a domain",
            )
        })?;
        scopes.push(json!({"project": {"name": name, "domain": domain}}));
    }
    if let Some(id) = &options.domain_id {
        scopes.push(json!({"domain": {"id": id}}));
    } else if let Some(name) = &options.domain_name {
        scopes.push(json!({"domain": {"name": name}}));
    }
    if let Some(id) = &options.trust_id {
        scopes.push(json!({"OS-TRUST:trust": {"id": id}}));
    }
    match options.system_scope.as_deref() {
        None => {}
        Some("all") => scopes.push(json!({"system": {"all": true}})),
        Some(other) => return Err(OptionError::new("system_scope", format!("'{other}' is not known; there is only all"))),
    }
    if scopes.len() > 1 {
        return Err(OptionError::new("project_name", "a token has one scope: set one of project, domain, trust and system_scope"));
    }
    Ok(scopes.pop())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Secret;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    fn good() -> Options {
        Options {
            auth_type: text("password"),
            auth_url: text("http://k:5000"),
            username: text("neutron"),
            password: Some(Secret::new("p")),
            user_domain_id: text("default"),
            project_name: text("service"),
            project_domain_name: text("Default"),
            ..Options::default()
        }
    }

    #[test]
    fn credentials_on_the_wire() {
        let expected = json!({"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "neutron", "domain": {"id": "default"}, "password": "p"}}},
            "scope": {"project": {"name": "service", "domain": {"name": "Default"}}}}});
        assert_eq!(credentials(&good()).unwrap(), expected);
        let system = Options { project_name: None, system_scope: text("all"), auth_type: text("v3password"), ..good() };
        assert_eq!(credentials(&system).unwrap()["auth"]["scope"], json!({"system": {"all": true}}));
        let own_domain = Options { user_domain_id: None, project_domain_name: None, default_domain_id: text("x"), ..good() };
        assert_eq!(credentials(&own_domain).unwrap()["auth"]["scope"]["project"]["domain"], json!({"id": "x"}));
        let application = Options {
            auth_type: text("v3applicationcredential"),
            application_credential_id: text("i"),
            application_credential_secret: Some(Secret::new("s")),
            ..Options::default()
        };
        let expected =
            json!({"auth": {"identity": {"methods": ["application_credential"], "application_credential": {"secret": "s", "id": "i"}}}});
        assert_eq!(credentials(&application).unwrap(), expected);
    }

    #[test]
    fn what_does_not_suffice_is_refused_by_the_option_that_is_missing() {
        let cases: [(Options, &str); 8] = [
            (Options { auth_type: None, ..good() }, "auth_type"),
            (Options { auth_type: text("v2password"), ..good() }, "auth_type"),
            (Options { username: None, ..good() }, "username"),
            (Options { password: None, ..good() }, "password"),
            (Options { user_domain_id: None, ..good() }, "user_domain_name"),
            (Options { project_domain_name: None, ..good() }, "project_domain_name"),
            (Options { domain_id: text("d"), ..good() }, "project_name"),
            (Options { auth_type: text("v3applicationcredential"), ..good() }, "application_credential_secret"),
        ];
        for (options, option) in cases {
            assert_eq!(credentials(&options).unwrap_err().option, option);
        }
        assert_eq!(auth_url(&Options { auth_url: None, ..good() }).unwrap_err().option, "auth_url");
        assert_eq!(auth_url(&Options { auth_url: text("keystone"), ..good() }).unwrap_err().option, "auth_url");
        assert_eq!((interface("internalURL").unwrap(), interface("secret").is_err()), ("internal".to_owned(), true));
    }
}
