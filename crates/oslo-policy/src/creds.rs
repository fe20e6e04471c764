// SPDX-License-Identifier: Apache-2.0
//! Who asks: what a token says about a user, under the names that rules use.
//!
//! Owns the look-up of a credential by name and the scope of a token. Does not know how a token is checked.

use serde_json::{Map, Value};

use crate::target::Attr;

/// What kind of thing a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    System,
    Domain,
    Project,
}

impl Scope {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::System => "system",
            Scope::Domain => "domain",
            Scope::Project => "project",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Scope::System, Scope::Domain, Scope::Project].into_iter().find(|scope| scope.as_str() == name)
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The credentials of a request. Every named field is known to a rule, even when it is empty: then its text is `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Credentials {
    pub user_id: Option<String>,
    pub user_domain_id: Option<String>,
    pub project_id: Option<String>,
    pub project_domain_id: Option<String>,
    /// The domain a domain-scoped token is for.
    pub domain_id: Option<String>,
    pub system_scope: Option<String>,
    /// Compared without regard to case by `role:`.
    pub roles: Vec<String>,
    pub is_admin: bool,
    pub is_admin_project: bool,
    pub service_user_id: Option<String>,
    pub service_user_domain_id: Option<String>,
    pub service_project_id: Option<String>,
    pub service_project_domain_id: Option<String>,
    pub service_roles: Vec<String>,
    /// Whatever else a rule may ask for; `token.project.domain.id` descends into it. The fields above come first.
    pub extra: Map<String, Value>,
}

fn text(field: &Option<String>) -> Attr<'_> {
    field.as_deref().map_or(Attr::Null, Attr::from)
}

/// A credential found by its first name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found<'a> {
    Attr(Attr<'a>),
    Names(&'a [String]),
}

impl Credentials {
    /// The names of the fields, as rules write them.
    pub const NAMES: [&'static str; 15] = [
        "user_id",
        "user_domain_id",
        "project_id",
        "project_domain_id",
        "domain_id",
        "system_scope",
        "system",
        "roles",
        "is_admin",
        "is_admin_project",
        "service_user_id",
        "service_user_domain_id",
        "service_project_id",
        "service_project_domain_id",
        "service_roles",
    ];

    /// Credentials from an object, as a person writes them for a trial; what is no field becomes [`Self::extra`].
    ///
    /// # Errors
    /// The name of a field whose value has the wrong type.
    pub fn from_json(map: &Map<String, Value>) -> Result<Self, String> {
        let mut out = Self::default();
        for (name, value) in map {
            let text = |value: &Value| match value {
                Value::Null => Ok(None),
                Value::String(s) => Ok(Some(s.clone())),
                _ => Err(format!("{name} is a string")),
            };
            let names = |value: &Value| {
                let list = value.as_array().and_then(|list| list.iter().map(|v| v.as_str().map(str::to_owned)).collect());
                list.ok_or_else(|| format!("{name} is a list of strings"))
            };
            let flag = |value: &Value| value.as_bool().ok_or_else(|| format!("{name} is true or false"));
            match name.as_str() {
                "user_id" => out.user_id = text(value)?,
                "user_domain_id" => out.user_domain_id = text(value)?,
                "project_id" => out.project_id = text(value)?,
                "project_domain_id" => out.project_domain_id = text(value)?,
                "domain_id" => out.domain_id = text(value)?,
                "system_scope" => out.system_scope = text(value)?,
                "roles" => out.roles = names(value)?,
                "is_admin" => out.is_admin = flag(value)?,
                "is_admin_project" => out.is_admin_project = flag(value)?,
                "service_user_id" => out.service_user_id = text(value)?,
                "service_user_domain_id" => out.service_user_domain_id = text(value)?,
                "service_project_id" => out.service_project_id = text(value)?,
                "service_project_domain_id" => out.service_project_domain_id = text(value)?,
                "service_roles" => out.service_roles = names(value)?,
                _ => {
                    out.extra.insert(name.clone(), value.clone());
                }
            }
        }
        Ok(out)
    }

    /// What the token is for.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let set = |field: &Option<String>| field.as_deref().is_some_and(|s| !s.is_empty());
        let system = set(&self.system_scope) || self.extra.get("system").is_some_and(|v| Attr::from(v).is_truthy());
        match (system, set(&self.domain_id)) {
            (true, _) => Scope::System,
            (false, true) => Scope::Domain,
            (false, false) => Scope::Project,
        }
    }

    /// Does the user have this role, whatever its case?
    #[must_use]
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| {
            held.eq_ignore_ascii_case(role) || (!(held.is_ascii() && role.is_ascii()) && held.to_lowercase() == role.to_lowercase())
        })
    }

    pub(crate) fn find(&self, name: &str) -> Option<Found<'_>> {
        let attr = match name {
            "user_id" => text(&self.user_id),
            "user_domain_id" => text(&self.user_domain_id),
            "project_id" => text(&self.project_id),
            "project_domain_id" => text(&self.project_domain_id),
            "domain_id" => text(&self.domain_id),
            "system_scope" => text(&self.system_scope),
            "is_admin" => Attr::Bool(self.is_admin),
            "is_admin_project" => Attr::Bool(self.is_admin_project),
            "service_user_id" => text(&self.service_user_id),
            "service_user_domain_id" => text(&self.service_user_domain_id),
            "service_project_id" => text(&self.service_project_id),
            "service_project_domain_id" => text(&self.service_project_domain_id),
            "roles" => return Some(Found::Names(&self.roles)),
            "service_roles" => return Some(Found::Names(&self.service_roles)),
            "system" if self.system_scope.as_deref().is_some_and(|s| !s.is_empty()) => text(&self.system_scope),
            _ => Attr::from(self.extra.get(name)?),
        };
        Some(Found::Attr(attr))
    }

    /// The text of a credential, for a check that compares it whole.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
        Some(match self.find(name)? {
            Found::Attr(attr) => attr.text(),
            Found::Names(names) => crate::target::python_text(&Value::from(names)).into(),
        })
    }

    /// All of it as JSON, for a remote check.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let mut out = self.extra.clone();
        for name in Self::NAMES {
            let value = match self.find(name) {
                Some(Found::Names(names)) => Value::from(names),
                Some(Found::Attr(Attr::Bool(b))) => Value::from(b),
                Some(Found::Attr(Attr::Str(s))) => Value::from(&*s),
                Some(Found::Attr(Attr::Json(v))) => v.clone(),
                Some(Found::Attr(Attr::Int(n))) => Value::from(n),
                Some(Found::Attr(Attr::Null)) => Value::Null,
                None => continue,
            };
            out.insert(name.to_owned(), value);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_name_is_found_and_survives_json() {
        let creds = Credentials { system_scope: Some("all".into()), roles: vec!["a".into()], ..Credentials::default() };
        for name in Credentials::NAMES {
            assert!(creds.find(name).is_some(), "{name}");
        }
        let json = creds.to_json();
        assert_eq!(json.get("system"), Some(&json!("all")));
        assert_eq!(json.get("roles"), Some(&json!(["a"])));
        assert_eq!(json.get("user_id"), Some(&Value::Null));
        assert_eq!(Credentials::from_json(&json).map(|c| c.to_json()), Ok(json));
        assert!(Credentials::from_json(&Map::from_iter([("roles".to_owned(), json!("admin"))])).is_err());
    }

    #[test]
    fn a_field_cannot_be_replaced_from_outside() {
        let creds = Credentials { extra: Map::from_iter([("is_admin".to_owned(), json!(true))]), ..Credentials::default() };
        assert_eq!(creds.text("is_admin").as_deref(), Some("False"));
        assert_eq!(creds.to_json().get("is_admin"), Some(&json!(false)));
    }

    #[test]
    fn scope_of_a_token() {
        let none = Credentials::default();
        assert_eq!(none.scope(), Scope::Project);
        let domain = Credentials { domain_id: Some("d".into()), ..none.clone() };
        assert_eq!(domain.scope(), Scope::Domain);
        assert_eq!(Credentials { system_scope: Some("all".into()), ..domain }.scope(), Scope::System);
        assert_eq!(Credentials { system_scope: Some(String::new()), ..none }.scope(), Scope::Project);
    }

    #[test]
    fn roles_ignore_case_beyond_ascii() {
        let creds = Credentials { roles: vec!["Admin".into(), "ÄRZTE".into()], ..Credentials::default() };
        assert!(creds.has_role("aDMIN") && creds.has_role("ärzte") && !creds.has_role("admi"));
    }
}
