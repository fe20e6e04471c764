// SPDX-License-Identifier: Apache-2.0
//! The decision about a request: who asks, on behalf of which service, or not at all.
//!
//! Owns: the rules of service tokens, access rules and token binding. Refuses to own: the response, and reading identity
//! from headers. Invariant: `Accepted` needs a valid user token, and a valid service token if one came along.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};

use crate::token::TokenInfo;
use crate::validator::{Rejection, Unavailable, Validator};

/// What is asked for: access rules of application credentials depend on it.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub method: &'a str,
    /// The whole path as the client sent it, without the query.
    pub path: &'a str,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub user: Arc<TokenInfo>,
    /// The service that passes the user's request on.
    pub service: Option<Arc<TokenInfo>>,
}

/// `delay_auth_decision`: what is known of a request that would have been refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undecided {
    /// Set if the user's token is valid, and the service's is not.
    pub user: Option<Arc<TokenInfo>>,
    pub service: Option<Arc<TokenInfo>>,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Accepted(Identity),
    /// 401 with this `WWW-Authenticate`; [`rejection_body`] is a body for it.
    Rejected {
        www_authenticate: HeaderValue,
    },
    /// 503. Nobody knows whether the token is valid.
    Unavailable(Unavailable),
    /// `delay_auth_decision` leaves the decision to a later stage.
    Undecided(Undecided),
}

/// The JSON body of a 401.
#[must_use]
pub fn rejection_body() -> String {
    serde_json::json!({"error": {"code": 401, "title": "Unauthorized", "message": "This request needs a valid token of the Identity service."}}).to_string()
}

/// The JSON body of a 503.
#[must_use]
pub fn unavailable_body() -> String {
    serde_json::json!({"error": {"code": 503, "title": "Service Unavailable", "message": "The Identity service cannot be asked about the token at present. Try again later."}}).to_string()
}

/// `enforce_token_bind`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BindMode {
    Disabled,
    Permissive,
    Strict,
    Required,
    Named(String),
}

impl BindMode {
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "disabled" => Self::Disabled,
            "permissive" => Self::Permissive,
            "strict" => Self::Strict,
            "required" => Self::Required,
            name => Self::Named(name.to_owned()),
        }
    }

    /// A bound token is good only for a client that the web server has authenticated in that way. This server
    /// authenticates nobody by Kerberos, so that a token bound to it is never good.
    fn permits(&self, binds: &[String]) -> bool {
        let known = |bind: &String| bind == "kerberos";
        match self {
            Self::Disabled => true,
            Self::Permissive => !binds.iter().any(known),
            Self::Strict => binds.is_empty(),
            Self::Required | Self::Named(_) => false,
        }
    }
}

impl Validator {
    /// Decides about a request by its `X-Auth-Token` and `X-Service-Token`. Identity headers are neither read nor removed:
    /// see [`crate::strip_identity_headers`].
    pub async fn authenticate(&self, headers: &HeaderMap, target: Target<'_>) -> Outcome {
        match self.decide(headers, target).await {
            Ok((Some(user), service)) if !service.refused() => Outcome::Accepted(Identity { user, service: service.info() }),
            Ok((user, service)) if self.options().delay_auth_decision => Outcome::Undecided(Undecided { user, service: service.info() }),
            Ok(_) => Outcome::Rejected { www_authenticate: self.www_authenticate() },
            Err(unavailable) => Outcome::Unavailable(unavailable),
        }
    }

    async fn decide(&self, headers: &HeaderMap, target: Target<'_>) -> Result<(Option<Arc<TokenInfo>>, Service), Unavailable> {
        let service = match one(headers, "x-service-token") {
            Header::Absent => Service::None,
            Header::Ambiguous => Service::Refused,
            Header::Token(token) => self.service(token).await?,
        };
        // An empty X-Auth-Token counts as one: the older name is looked at only where the newer is missing.
        let name = if headers.contains_key("x-auth-token") { "x-auth-token" } else { "x-storage-token" };
        let user = match one(headers, name) {
            Header::Absent | Header::Ambiguous => None,
            Header::Token(token) => self.valid(token, service.may_pass_expired()).await?.filter(|user| {
                let bound = matches!(service, Service::None) && !self.bind().permits(&user.binds);
                !bound && self.permitted(user, target, &service)
            }),
        };
        Ok((user, service))
    }

    async fn service(&self, token: &str) -> Result<Service, Unavailable> {
        let Some(info) = self.valid(token, false).await?.filter(|info| self.bind().permits(&info.binds)) else {
            return Ok(Service::Refused);
        };
        let trusted = info.roles.iter().any(|role| self.options().service_token_roles.contains(role));
        if trusted {
            return Ok(Service::Trusted(info));
        }
        if self.options().service_token_roles_required {
            return Ok(Service::Refused);
        }
        if self.warn_once() {
            tracing::warn!(user_id = %info.user_id, "a token without a service role was accepted as a service token: service_token_roles_required is off");
        }
        Ok(Service::Tolerated(info))
    }

    async fn valid(&self, token: &str, allow_expired: bool) -> Result<Option<Arc<TokenInfo>>, Unavailable> {
        match self.validate_with(token, allow_expired).await {
            Ok(info) => Ok(Some(info)),
            Err(Rejection::Invalid) => Ok(None),
            // A later stage decides, and it is told nothing that is not certain.
            Err(Rejection::Unavailable(_)) if self.options().delay_auth_decision => Ok(None),
            Err(Rejection::Unavailable(unavailable)) => Err(unavailable),
        }
    }

    /// Whether a restricted application credential may do this.
    fn permitted(&self, user: &TokenInfo, target: Target<'_>, service: &Service) -> bool {
        let Some(rules) = &user.access_rules else { return true };
        let Some(own) = &self.options().service_type else {
            tracing::warn!("a token with access rules was refused: set service_type in [keystone_authtoken] to have them checked");
            return false;
        };
        if user.services.as_ref().is_some_and(|services| !services.contains(own)) {
            tracing::warn!(service_type = %own, "a token with access rules was refused: the catalog has no service of the type that [keystone_authtoken] service_type names");
            return false;
        }
        // What a service passes on was checked where the user asked.
        let passed_on = matches!(service, Service::Trusted(_) | Service::Tolerated(_));
        passed_on || rules.iter().any(|rule| rule.permits(own, target.method, target.path))
    }
}

/// What came of `X-Service-Token`.
enum Service {
    None,
    Refused,
    /// Valid, and without a service role.
    Tolerated(Arc<TokenInfo>),
    Trusted(Arc<TokenInfo>),
}

impl Service {
    fn refused(&self) -> bool {
        matches!(self, Self::Refused)
    }

    fn may_pass_expired(&self) -> bool {
        matches!(self, Self::Trusted(_))
    }

    fn info(self) -> Option<Arc<TokenInfo>> {
        match self {
            Self::None | Self::Refused => None,
            Self::Tolerated(info) | Self::Trusted(info) => Some(info),
        }
    }
}

enum Header<'a> {
    /// Missing or empty.
    Absent,
    /// Sent more than once, or no text: it may be read in more than one way, so that it is not read at all.
    Ambiguous,
    Token(&'a str),
}

fn one<'a>(headers: &'a HeaderMap, name: &str) -> Header<'a> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Header::Absent };
    if values.next().is_some() {
        return Header::Ambiguous;
    }
    match first.to_str() {
        Ok("") => Header::Absent,
        Ok(text) => Header::Token(text),
        Err(_) => Header::Ambiguous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binding() {
        let (none, kerberos, other) = (vec![], vec!["kerberos".to_owned()], vec!["x509".to_owned()]);
        for (mode, expected) in [
            ("disabled", [true, true, true]),
            ("permissive", [true, false, true]),
            ("strict", [true, false, false]),
            ("required", [false, false, false]),
            ("kerberos", [false, false, false]),
        ] {
            let mode = BindMode::parse(mode);
            assert_eq!([mode.permits(&none), mode.permits(&kerberos), mode.permits(&other)], expected, "{mode:?}");
        }
    }

    #[test]
    fn the_body_of_a_refusal_is_json() {
        let body: serde_json::Value = serde_json::from_str(&rejection_body()).unwrap();
        assert_eq!((body["error"]["code"].as_u64(), body["error"]["title"].as_str()), (Some(401), Some("Unauthorized")));
    }
}
