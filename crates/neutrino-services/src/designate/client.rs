// SPDX-License-Identifier: Apache-2.0
//! Designate's API v2, as far as it is needed: zones and record sets, by name.

use keystone_auth::{Headers, Service, Site};
use neutrino_core::Context;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// What Designate says beside yes.
#[derive(Debug)]
pub enum Failure {
    NotFound,
    Forbidden,
    Conflict,
    OverQuota,
    /// The request is not right; so is one for a record that only an administrator may change.
    BadRequest(String),
    /// No answer, or none that can be understood.
    Other(String),
}

/// In whose name a request is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum As {
    Caller,
    /// With the sight of an administrator, if the caller is one.
    CallerInAllProjects,
    /// The server itself, which may change records that Designate keeps for others.
    Server,
}

/// See the module's documentation.
pub struct Client {
    pub site: Site,
    /// Absent when the operator gave no credentials.
    pub own: Option<Service>,
}

const ALL_PROJECTS: Headers<'static> = &[("x-auth-all-projects", "true")];
const EDIT_MANAGED: Headers<'static> = &[("x-designate-edit-managed-records", "true")];
/// For what no caller asked: the server on its own account.
const EVERYTHING: Headers<'static> = &[("x-auth-all-projects", "true"), ("x-designate-edit-managed-records", "true")];

fn judge(status: u16, body: &[u8]) -> Result<Value, Failure> {
    if (200..300).contains(&status) {
        return Ok(serde_json::from_slice(body).unwrap_or_default());
    }
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let kind = said["type"].as_str().unwrap_or_default();
    let message: String = said["message"].as_str().unwrap_or_default().chars().take(200).collect();
    Err(match status {
        413 => Failure::OverQuota,
        _ if kind == "over_quota" => Failure::OverQuota,
        400 => Failure::BadRequest(message),
        401 | 403 => Failure::Forbidden,
        404 => Failure::NotFound,
        409 => Failure::Conflict,
        other => Failure::Other(format!("it answered {other} {kind} {message}")),
    })
}

fn by_name(path: &str, name: &str) -> String {
    format!("{path}?name={}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

fn unreadable() -> Failure {
    Failure::Other("its answer cannot be understood".to_owned())
}

impl Client {
    async fn call(&self, cx: &Context, who: As, method: &str, path: &str, body: Option<Value>) -> Result<Value, Failure> {
        let method = method.parse().map_err(|_| Failure::Other(format!("no method {method}")))?;
        let body = body.map(|body| body.to_string().into()).unwrap_or_default();
        let token = cx.caller.token.as_ref();
        let (status, answer) = match (who, token, &self.own) {
            (As::Caller, Some(token), _) => self.site.send(token.reveal(), method, path, &[], body).await,
            (As::CallerInAllProjects, Some(token), _) => self.site.send(token.reveal(), method, path, ALL_PROJECTS, body).await,
            (As::Server, _, Some(own)) => own.send(method, path, EDIT_MANAGED, body).await,
            (_, None, Some(own)) => own.send(method, path, EVERYTHING, body).await,
            (_, _, None) => Err("[designate] gives no credentials, and there is no caller's token to use".to_owned()),
        }
        .map_err(Failure::Other)?;
        judge(status, &answer)
    }

    /// The id of a zone.
    pub async fn zone(&self, cx: &Context, who: As, name: &str) -> Result<String, Failure> {
        let found = self.call(cx, who, "GET", &by_name("/zones", name), None).await?;
        let zones = found["zones"].as_array().ok_or_else(unreadable)?;
        match zones.as_slice() {
            [] => Err(Failure::NotFound),
            [zone] => zone["id"].as_str().map(str::to_owned).ok_or_else(unreadable),
            _ => Err(Failure::Other(format!("more than one zone is called {name}"))),
        }
    }

    pub async fn create_zone(&self, cx: &Context, who: As, name: &str, email: &str) -> Result<(), Failure> {
        let description = "Names of addresses, made for Neutron.";
        let zone = json!({"name": name, "type": "PRIMARY", "email": email, "description": description});
        self.call(cx, who, "POST", "/zones", Some(zone)).await.map(drop)
    }

    /// The record sets of a whole name.
    pub async fn record_sets(&self, cx: &Context, who: As, zone_id: &str, name: &str) -> Result<Vec<Value>, Failure> {
        let found = self.call(cx, who, "GET", &by_name(&format!("/zones/{zone_id}/recordsets"), name), None).await?;
        found["recordsets"].as_array().cloned().ok_or_else(unreadable)
    }

    /// Makes a record set of a whole name.
    pub async fn create(&self, cx: &Context, who: As, zone_id: &str, name: &str, kind: &str, records: &[String]) -> Result<(), Failure> {
        let set = json!({"name": name, "type": kind, "records": records});
        self.call(cx, who, "POST", &format!("/zones/{zone_id}/recordsets"), Some(set)).await.map(drop)
    }

    pub async fn delete(&self, cx: &Context, who: As, zone_id: &str, id: &str) -> Result<(), Failure> {
        self.call(cx, who, "DELETE", &format!("/zones/{zone_id}/recordsets/{id}"), None).await.map(drop)
    }
}
