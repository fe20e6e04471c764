// SPDX-License-Identifier: Apache-2.0
//! `authtoken`: the caller is whom Keystone says the token is of.
//!
//! Owns: the meeting of a request with [`keystone_auth::Validator`], and the answers 401 and 503. Refuses to own: how a token is
//! checked. Invariants: no header of the client's that states an identity gets past this filter, whatever becomes of its token;
//! behind it an identity is one that Keystone confirmed for this request, or none.

use std::sync::Arc;

use async_trait::async_trait;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use keystone_auth::{Outcome, TokenInfo, Validator};

use crate::app::{App, Identity, Request, Response};

/// See the module.
pub struct AuthToken {
    validator: Validator,
    inner: Arc<dyn App>,
}

impl AuthToken {
    #[must_use]
    pub fn new(validator: Validator, inner: Arc<dyn App>) -> Self {
        Self { validator, inner }
    }
}

#[async_trait]
impl App for AuthToken {
    async fn call(&self, mut request: Request) -> Response {
        keystone_auth::strip_identity_headers(&mut request.headers);
        request.info.identity = Identity::default();
        let path = format!("{}{}", request.script_name, request.path);
        let target = keystone_auth::Target { method: request.method.as_str(), path: &path };
        match self.validator.authenticate(&request.headers, target).await {
            Outcome::Accepted(confirmed) => request.info.identity = identity(&confirmed),
            // `keystonecontext` refuses a request without a user.
            Outcome::Undecided(_) => {}
            Outcome::Rejected { www_authenticate } => {
                let mut response = Response::new(StatusCode::UNAUTHORIZED, "application/json", keystone_auth::rejection_body());
                response.headers.insert(WWW_AUTHENTICATE, www_authenticate);
                return response;
            }
            Outcome::Unavailable(_) => {
                let body = keystone_auth::unavailable_body();
                return Response::new(StatusCode::SERVICE_UNAVAILABLE, "application/json", body);
            }
        }
        self.inner.call(request).await
    }
}

/// Whether the caller is an admin is for the policy to say.
fn identity(confirmed: &keystone_auth::Identity) -> Identity {
    let user: &TokenInfo = &confirmed.user;
    let service = confirmed.service.as_deref();
    Identity {
        user_id: Some(user.user_id.clone()),
        user_name: user.user_name.clone(),
        user_domain_id: user.user_domain_id.clone(),
        user_domain_name: user.user_domain_name.clone(),
        project_id: user.project_id.clone(),
        project_name: user.project_name.clone(),
        project_domain_id: user.project_domain_id.clone(),
        project_domain_name: user.project_domain_name.clone(),
        domain_id: user.domain_id.clone(),
        domain_name: user.domain_name.clone(),
        system_scope: user.system_scope.clone(),
        roles: user.roles.clone(),
        service_user_id: service.map(|token| token.user_id.clone()),
        service_project_id: service.and_then(|token| token.project_id.clone()),
        service_roles: service.map(|token| token.roles.clone()).unwrap_or_default(),
        is_admin_project: user.is_admin_project,
        is_admin: None,
    }
}
