// SPDX-License-Identifier: Apache-2.0
//! Who asks: `fake_project_id` (noauth), `keystonecontext`, and the API's own mount.
//!
//! Invariants: behind `authtoken` ([`super::authtoken`]) the caller is the one that Keystone confirmed, and headers say nothing. Without
//! that filter the headers are trusted as they are: that is what `auth_strategy = noauth` means, and why it belongs on a network that
//! only the operator can reach.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;

use crate::app::{App, Identity, Request, Response};
use crate::http::fault::fault;

/// The project of a caller that names none.
pub const FAKE_PROJECT_ID: &str = "fake_project_id";

/// The identity that the headers describe.
#[must_use]
pub fn from_headers(request: &Request) -> Identity {
    let first = |names: &[&str]| names.iter().find_map(|name| request.header(name)).filter(|value| !value.is_empty()).map(str::to_owned);
    let list = |names: &[&str]| -> Vec<String> {
        let names = first(names).unwrap_or_default();
        names.split(',').map(|role| role.trim().to_owned()).filter(|role| !role.is_empty()).collect()
    };
    Identity {
        user_id: first(&["x-user-id", "x-user"]),
        user_name: first(&["x-user-name"]),
        user_domain_id: first(&["x-user-domain-id"]),
        user_domain_name: first(&["x-user-domain-name"]),
        project_id: first(&["x-project-id", "x-tenant-id", "x-tenant"]),
        project_name: first(&["x-project-name", "x-tenant-name"]),
        project_domain_id: first(&["x-project-domain-id"]),
        project_domain_name: first(&["x-project-domain-name"]),
        domain_id: first(&["x-domain-id"]),
        domain_name: first(&["x-domain-name"]),
        system_scope: first(&["openstack-system-scope"]),
        roles: list(&["x-roles", "x-role"]),
        service_user_id: first(&["x-service-user-id"]),
        service_project_id: first(&["x-service-project-id"]),
        service_roles: list(&["x-service-roles"]),
        is_admin_project: first(&["x-is-admin-project"]).is_none_or(|value| value.eq_ignore_ascii_case("true")),
        is_admin: None,
    }
}

/// `fake_project_id`: a caller that names no project acts as admin in the project `fake_project_id`. One that names a project is left
/// to the mount, which makes it admin in no project: so does Neutron.
pub struct FakeProjectId {
    inner: Arc<dyn App>,
}

impl FakeProjectId {
    #[must_use]
    pub fn new(inner: Arc<dyn App>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl App for FakeProjectId {
    async fn call(&self, mut request: Request) -> Response {
        let identity = from_headers(&request);
        if identity.project_id.is_none() {
            request.info.identity = Identity { project_id: Some(FAKE_PROJECT_ID.to_owned()), ..identity }.elevated();
        }
        self.inner.call(request).await
    }
}

/// `keystonecontext`: the caller that `authtoken` confirmed, else the one that the headers describe; 401 without a user.
pub struct KeystoneContext {
    inner: Arc<dyn App>,
}

impl KeystoneContext {
    #[must_use]
    pub fn new(inner: Arc<dyn App>) -> Self {
        Self { inner }
    }
}

#[async_trait]
impl App for KeystoneContext {
    async fn call(&self, mut request: Request) -> Response {
        if request.info.identity.user_id.is_none() {
            request.info.identity = from_headers(&request);
        }
        if request.info.identity.user_id.is_none() {
            return fault(&request, StatusCode::UNAUTHORIZED, "This server could not verify who you are: the request carries no user.");
        }
        self.inner.call(request).await
    }
}

/// The API at the end of the pipeline. A caller whom no filter has named is the operator, as in Neutron.
pub struct ApiMount {
    app: Arc<dyn App>,
}

impl ApiMount {
    #[must_use]
    pub fn new(app: Arc<dyn App>) -> Self {
        Self { app }
    }
}

#[async_trait]
impl App for ApiMount {
    async fn call(&self, mut request: Request) -> Response {
        if request.info.identity.is_unknown() {
            request.info.identity = Identity::admin();
        }
        let span = tracing::Span::current();
        span.record("user_id", request.info.identity.user_id.as_deref().unwrap_or("-"));
        span.record("project_id", request.info.identity.project_id.as_deref().unwrap_or("-"));
        self.app.call(request).await
    }
}
