// SPDX-License-Identifier: Apache-2.0
//! The request headers that say who asks.
//!
//! Owns: their complete list, their removal from what a client sent, and writing them for a later stage that reads
//! headers. Invariant: after [`strip_identity_headers`] no header is left that could pass for a statement of this library,
//! in whatever spelling (WSGI servers read `X_User_Id` as `X-User-Id`).

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::authenticate::Identity;
use crate::token::TokenInfo;

/// Every header that the middleware sets, or that readers of its result accept in place of one.
static IDENTITY_HEADERS: [&str; 33] = [
    "openstack-system-scope",
    "x-domain-id",
    "x-domain-name",
    "x-identity-status",
    "x-is-admin-project",
    "x-project-domain-id",
    "x-project-domain-name",
    "x-project-id",
    "x-project-name",
    "x-role",
    "x-roles",
    "x-service-catalog",
    "x-service-domain-id",
    "x-service-domain-name",
    "x-service-identity-status",
    "x-service-project-domain-id",
    "x-service-project-domain-name",
    "x-service-project-id",
    "x-service-project-name",
    "x-service-roles",
    "x-service-user-domain-id",
    "x-service-user-domain-name",
    "x-service-user-id",
    "x-service-user-name",
    "x-tenant",
    "x-tenant-id",
    "x-tenant-name",
    "x-user",
    "x-user-domain-id",
    "x-user-domain-name",
    "x-user-id",
    "x-user-name",
    "x-service-is-admin-project",
];

/// Whether a header of this name states an identity; upper case and underscores make no difference.
#[must_use]
pub fn is_identity_header(name: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    IDENTITY_HEADERS.iter().any(|known| known.len() == name.len() && known.bytes().eq(name.bytes().map(plain)))
}

/// Removes every header that states an identity, so that no client can claim one.
pub fn strip_identity_headers(headers: &mut HeaderMap) {
    let claimed: Vec<HeaderName> = headers.keys().filter(|name| is_identity_header(name.as_str())).cloned().collect();
    for name in claimed {
        headers.remove(name);
    }
}

impl Identity {
    /// Replaces the identity headers of a request by this identity, for a later stage that reads headers.
    ///
    /// A value that no header can carry is left out, and so is a role whose name holds a comma: as a header it would read
    /// as two roles.
    pub fn write_headers(&self, headers: &mut HeaderMap) {
        strip_identity_headers(headers);
        write(headers, "x-identity-status", "Confirmed");
        write_token(headers, "", &self.user);
        write(headers, "x-is-admin-project", if self.user.is_admin_project { "True" } else { "False" });
        write_some(headers, "openstack-system-scope", self.user.system_scope.as_deref());
        write_some(headers, "x-user", self.user.user_name.as_deref());
        write_some(headers, "x-tenant-id", self.user.project_id.as_deref());
        write_some(headers, "x-tenant-name", self.user.project_name.as_deref());
        write_some(headers, "x-tenant", self.user.project_name.as_deref());
        write(headers, "x-role", &roles(&self.user));
        if let Some(service) = &self.service {
            write(headers, "x-service-identity-status", "Confirmed");
            write_token(headers, "-service", service);
        }
    }
}

fn write_token(headers: &mut HeaderMap, prefix: &str, token: &TokenInfo) {
    write(headers, &format!("x{prefix}-roles"), &roles(token));
    let values = [
        ("user-id", Some(token.user_id.as_str())),
        ("user-name", token.user_name.as_deref()),
        ("user-domain-id", token.user_domain_id.as_deref()),
        ("user-domain-name", token.user_domain_name.as_deref()),
        ("project-id", token.project_id.as_deref()),
        ("project-name", token.project_name.as_deref()),
        ("project-domain-id", token.project_domain_id.as_deref()),
        ("project-domain-name", token.project_domain_name.as_deref()),
        ("domain-id", token.domain_id.as_deref()),
        ("domain-name", token.domain_name.as_deref()),
    ];
    for (name, value) in values {
        write_some(headers, &format!("x{prefix}-{name}"), value);
    }
}

fn roles(token: &TokenInfo) -> String {
    let plain: Vec<&str> = token.roles.iter().map(String::as_str).filter(|role| !role.contains(',')).collect();
    plain.join(",")
}

fn write_some(headers: &mut HeaderMap, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        write(headers, name, value);
    }
}

fn write(headers: &mut HeaderMap, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes())) {
        headers.insert(name, value);
    }
}
