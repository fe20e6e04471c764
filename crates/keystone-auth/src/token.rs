// SPDX-License-Identifier: Apache-2.0
//! What Keystone says about a token.
//!
//! Owns: reading `{"token": {...}}`. Refuses to guess: without a user or an expiry there is no token. The catalog is not
//! kept, only the types of service in it.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use crate::access_rules::AccessRule;

/// A token's owner, scope and roles. The token itself is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenInfo {
    pub user_id: String,
    pub user_name: Option<String>,
    pub user_domain_id: Option<String>,
    pub user_domain_name: Option<String>,
    pub project_id: Option<String>,
    pub project_name: Option<String>,
    pub project_domain_id: Option<String>,
    pub project_domain_name: Option<String>,
    /// Of a token for a whole domain.
    pub domain_id: Option<String>,
    pub domain_name: Option<String>,
    /// `all` for a token for the whole system.
    pub system_scope: Option<String>,
    /// Names, in Keystone's order.
    pub roles: Vec<String>,
    /// True where Keystone knows no admin project.
    pub is_admin_project: bool,
    pub expires_at: DateTime<Utc>,
    pub application_credential_id: Option<String>,
    /// The only requests that an application credential may make, if it is restricted.
    pub access_rules: Option<Vec<AccessRule>>,
    pub(crate) binds: Vec<String>,
    /// Types of service in the catalog, if one was sent.
    pub(crate) services: Option<Vec<String>>,
}

impl TokenInfo {
    /// Whether the token is past its time. A token expires with the moment that it names.
    #[must_use]
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at <= now
    }

    /// Reads Keystone's answer.
    ///
    /// # Errors
    /// What is missing or of another type.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(body).map_err(|error| format!("it is not JSON ({error})"))?;
        let Some(token) = value.get("token").and_then(Value::as_object) else { return Err("it holds no token".to_owned()) };
        Self::from_object(token)
    }

    fn from_object(token: &Map<String, Value>) -> Result<Self, String> {
        let user = object(token.get("user"), "user")?.ok_or("the token has no user")?;
        let project = object(token.get("project"), "project")?;
        let domain = object(token.get("domain"), "domain")?;
        let application_credential = object(token.get("application_credential"), "application_credential")?;
        let of = |parent: Option<&Map<String, Value>>, name: &str| parent.and_then(|parent| text(parent.get(name)));
        let domain_of = |parent: Option<&Map<String, Value>>, name: &str| {
            parent.and_then(|parent| parent.get("domain")).and_then(Value::as_object).and_then(|domain| text(domain.get(name)))
        };
        let info = Self {
            user_id: text(user.get("id")).filter(|id| !id.is_empty()).ok_or("its user has no id")?,
            user_name: text(user.get("name")),
            user_domain_id: domain_of(Some(user), "id"),
            user_domain_name: domain_of(Some(user), "name"),
            project_id: of(project, "id"),
            project_name: of(project, "name"),
            project_domain_id: domain_of(project, "id"),
            project_domain_name: domain_of(project, "name"),
            domain_id: of(domain, "id"),
            domain_name: of(domain, "name"),
            system_scope: system_scope(token.get("system"))?,
            roles: roles(token.get("roles"))?,
            is_admin_project: token.get("is_admin_project").is_none_or(truth),
            expires_at: expiry(token)?,
            application_credential_id: of(application_credential, "id"),
            access_rules: AccessRule::parse_all(application_credential.and_then(|credential| credential.get("access_rules")))?,
            binds: object(token.get("bind"), "bind")?.map(|bind| bind.keys().cloned().collect()).unwrap_or_default(),
            services: services(token.get("catalog")),
        };
        if project.is_some() && info.project_id.is_none() {
            return Err("its project has no id".to_owned());
        }
        Ok(info)
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let texts = [
            &self.user_name,
            &self.user_domain_id,
            &self.user_domain_name,
            &self.project_id,
            &self.project_name,
            &self.project_domain_id,
            &self.project_domain_name,
            &self.domain_id,
            &self.domain_name,
            &self.application_credential_id,
        ];
        let lists = self.roles.iter().chain(&self.binds).chain(self.services.iter().flatten());
        let rules = self.access_rules.iter().flatten().map(AccessRule::weight);
        let texts = texts.into_iter().flatten().chain(lists).map(|text| text.len() + size_of::<String>());
        size_of::<Self>() + self.user_id.len() + texts.sum::<usize>() + rules.sum::<usize>()
    }
}

/// When a token expires; read in the same way for the server's own token.
pub(crate) fn expiry(token: &Map<String, Value>) -> Result<DateTime<Utc>, String> {
    let text = token.get("expires_at").and_then(Value::as_str).ok_or("the token has no expires_at")?;
    DateTime::parse_from_rfc3339(text).map(|time| time.to_utc()).map_err(|_| format!("its expires_at '{text:.40}' is no time"))
}

fn object<'a>(value: Option<&'a Value>, name: &str) -> Result<Option<&'a Map<String, Value>>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(object)) => Ok(Some(object)),
        Some(_) => Err(format!("its {name} is not an object")),
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// As Python sees it: Keystone may write a flag as a number.
fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(items) => !items.is_empty(),
    }
}

fn system_scope(system: Option<&Value>) -> Result<Option<String>, String> {
    let all = object(system, "system")?.and_then(|system| system.get("all")).is_some_and(truth);
    Ok(all.then(|| "all".to_owned()))
}

fn roles(value: Option<&Value>) -> Result<Vec<String>, String> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(_) => return Err("its roles are not a list".to_owned()),
    };
    items.iter().map(|role| text(role.get("name")).ok_or_else(|| "one of its roles has no name".to_owned())).collect()
}

fn services(catalog: Option<&Value>) -> Option<Vec<String>> {
    Some(catalog?.as_array()?.iter().filter_map(|service| text(service.get("type"))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{"token": {"user": {"id": "u", "name": "demo", "domain": {"id": "default", "name": "Default"}},
        "project": {"id": "p", "name": "demo", "domain": {"id": "d2", "name": "Two"}}, "roles": [{"id": "1", "name": "member"}, {"name": "reader"}],
        "catalog": [{"type": "network"}, {"type": "identity"}], "expires_at": "2026-01-02T03:04:05.000000Z"}}"#;

    #[test]
    fn a_project_token() {
        let info = TokenInfo::parse(WHOLE.as_bytes()).unwrap();
        assert_eq!(
            (info.user_id.as_str(), info.user_name.as_deref(), info.user_domain_id.as_deref()),
            ("u", Some("demo"), Some("default"))
        );
        assert_eq!((info.project_id.as_deref(), info.project_domain_name.as_deref()), (Some("p"), Some("Two")));
        assert_eq!((info.roles.join(",").as_str(), &info.system_scope, &info.domain_id), ("member,reader", &None, &None));
        assert!(info.is_admin_project);
        assert!(info.is_expired(info.expires_at) && !info.is_expired(info.expires_at - chrono::TimeDelta::milliseconds(1)));
    }

    #[test]
    fn other_scopes() {
        let token = |extra: &str| {
            let text = format!(r#"{{"token": {{"user": {{"id": "u"}}, "expires_at": "2026-01-02T03:04:05Z"{extra}}}}}"#);
            TokenInfo::parse(text.as_bytes()).unwrap()
        };
        assert_eq!(token(r#", "system": {"all": true}"#).system_scope.as_deref(), Some("all"));
        assert_eq!(token(r#", "system": {"all": false}"#).system_scope, None);
        assert_eq!(token(r#", "domain": {"id": "d", "name": "D"}"#).domain_id.as_deref(), Some("d"));
        assert!(!token(r#", "is_admin_project": false"#).is_admin_project);
        assert!(token("").roles.is_empty());
    }

    #[test]
    fn what_is_not_whole_is_not_believed() {
        for broken in [
            "",
            "null",
            "[]",
            "{}",
            r#"{"token": null}"#,
            r#"{"token": {"expires_at": "2026-01-02T03:04:05Z"}}"#,
            r#"{"token": {"user": {"id": ""}, "expires_at": "2026-01-02T03:04:05Z"}}"#,
            r#"{"token": {"user": {"id": 1}, "expires_at": "2026-01-02T03:04:05Z"}}"#,
            r#"{"token": {"user": {"id": "u"}}}"#,
            r#"{"token": {"user": {"id": "u"}, "expires_at": "tomorrow"}}"#,
            r#"{"token": {"user": {"id": "u"}, "expires_at": "2026-01-02T03:04:05Z", "roles": "admin"}}"#,
            r#"{"token": {"user": {"id": "u"}, "expires_at": "2026-01-02T03:04:05Z", "roles": [{}]}}"#,
            r#"{"token": {"user": {"id": "u"}, "expires_at": "2026-01-02T03:04:05Z", "project": {"name": "x"}}}"#,
            r#"{"token": {"user": {"id": "u"}, "expires_at": "2026-01-02T03:04:05Z", "application_credential": {"access_rules": "all"}}}"#,
        ] {
            assert!(TokenInfo::parse(broken.as_bytes()).is_err(), "{broken}");
        }
        for cut in 0..WHOLE.len() {
            assert!(TokenInfo::parse(&WHOLE.as_bytes()[..cut]).is_err(), "{cut}");
        }
    }
}
