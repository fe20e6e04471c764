// SPDX-License-Identifier: Apache-2.0
//! `/v2.0/quotas`, `/quotas/{project}`, `/quotas/{project}/default`, `/quotas/{project}/details`, `/quotas/project`, `/quotas/tenant`.
//!
//! A project reads its own quota without a rule; a limit below what is used is set only with `force`. `check_limit` is taken and means
//! nothing: the check is always made. Queries (filters, fields) are not looked at, as in Neutron.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Context, Described, Endpoint, Engine};
use neutrino_model::{Converter, Invalid, Limits, Validator};
use neutrino_types::{Error, Kind, Result, error::kinds};
use serde_json::{Map, Value, json};

use super::{ADMIN_REQUIRED, Bounded, MISSING_PROJECT, Quotas, store};

const RANGE: Validator = Validator::Range(Some(-1), Some(2_147_483_647));
/// `quotas.project_id`.
const MAX_PROJECT: usize = 255;

pub struct Api {
    /// `None`: the null driver, which knows no limits.
    pub quotas: Option<Arc<Quotas>>,
}

#[async_trait]
impl Endpoint for Api {
    fn path(&self) -> &'static str {
        "quotas"
    }

    fn rule(&self, cx: &Context, method: &str, rest: &[String]) -> Result<Option<&'static str>> {
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let unless_own = |project: &str| if project == cx.project_id() { None } else { Some("get_quota") };
        match (rest.as_slice(), method) {
            ([], "GET") => Ok(Some("get_quota")),
            ([], "POST") => Err(kinds::NOT_IMPLEMENTED.error("Quotas are not created: set one with PUT /v2.0/quotas/{project_id}.")),
            (["tenant" | "project"], "GET") => Ok(None),
            ([project] | [project, "default"], "GET") => Ok(unless_own(project)),
            ([project, "details"], "GET") if self.quotas.is_some() => {
                if *project == cx.project_id() || cx.is_admin() {
                    return Ok(None);
                }
                Err(ADMIN_REQUIRED.error("Only an administrator sees the details of another project's quota."))
            }
            ([_], "PUT") => Ok(Some("update_quota")),
            ([_], "DELETE") => Ok(Some("delete_quota")),
            ([] | [_] | [_, "default" | "details"], _) => {
                Err(kinds::METHOD_NOT_ALLOWED.error("Quotas are read with GET, set with PUT and taken back with DELETE."))
            }
            _ => Err(kinds::NOT_FOUND.error("The resource could not be found.")),
        }
    }

    fn describe(&self) -> Vec<Described> {
        let limits = json!({"type": "object", "additionalProperties": {"type": ["integer", "string"]}});
        let quota = json!({"type": "object", "required": ["quota"], "properties": {"quota": limits}});
        let quotas = json!({"type": "object", "required": ["quotas"], "properties": {"quotas": {"type": "array", "items": limits}}});
        let used = json!({"type": "object", "properties": {"limit": {}, "used": {}, "reserved": {}}});
        let details = json!({"type": "object", "properties": {"quota": {"type": "object", "additionalProperties": used}}});
        let asked = json!({
            "type": "object",
            "required": ["quota"],
            "properties": {"quota": {
                "type": "object",
                "properties": {"force": {"type": "boolean"}, "check_limit": {"type": "boolean"}},
                "additionalProperties": {"type": "integer", "minimum": -1},
            }},
        });
        let get = |rest, answer| Described { method: "GET", rest, request: None, status: 200, answer: Some(answer) };
        let mut all = vec![
            get("", quotas),
            get("/{project_id}", quota.clone()),
            get("/{project_id}/default", quota.clone()),
            Described { method: "PUT", rest: "/{project_id}", request: Some(asked), status: 200, answer: Some(quota) },
            Described { method: "DELETE", rest: "/{project_id}", request: None, status: 204, answer: None },
        ];
        if self.quotas.is_some() {
            all.push(get("/{project_id}/details", details));
        }
        all
    }

    async fn call(&self, engine: &Engine, cx: &Context, method: &str, rest: &[String], body: &Value) -> Result<(u16, Option<Value>)> {
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        if let ([key @ ("tenant" | "project")], "GET") = (rest.as_slice(), method) {
            if cx.project_id().is_empty() {
                return Err(MISSING_PROJECT.error("The request has no project."));
            }
            return Ok((200, Some(json!({ *key: { format!("{key}_id"): cx.project_id() } }))));
        }
        let Some(quotas) = &self.quotas else {
            return Ok(match (rest.as_slice(), method) {
                ([], _) => (200, Some(json!({"quotas": []}))),
                (_, "DELETE") => (204, None),
                _ => (200, Some(json!({"quota": {}}))),
            });
        };
        let answer = match (rest.as_slice(), method) {
            ([project], "PUT") => {
                quotas.change(engine, cx, project, body).await?;
                json!({ "quota": quotas.limits(engine, project).await? })
            }
            ([project], "DELETE") => {
                let clear = || async {
                    let mut tx = engine.db.begin().await?;
                    store::clear_limits(&mut tx, project).await?;
                    tx.witness(neutrino_db::Witness::Repeatable);
                    tx.commit().await
                };
                engine.db.retry("delete_quota", clear).await?;
                return Ok((204, None));
            }
            ([], _) => json!({ "quotas": quotas.all(engine).await? }),
            ([_, "default"], _) => json!({ "quota": quotas.with(engine, None) }),
            ([project, "details"], _) => json!({ "quota": quotas.details(engine, cx, project).await? }),
            ([project, ..], _) => json!({ "quota": quotas.limits(engine, project).await? }),
        };
        Ok((200, Some(answer)))
    }
}

fn refuse(kind: Kind, name: &str, invalid: Invalid) -> Error {
    match invalid {
        Invalid::Reason(reason) => kind.error(format!("Invalid input for {name}. Reason: {reason}.")),
        Invalid::Error(error) => error,
    }
}

impl Quotas {
    /// Limits by kind: the defaults, and over them a project's own.
    fn with(&self, engine: &Engine, own: Option<&HashMap<String, i64>>) -> Map<String, Value> {
        let limit = |bounded: &Bounded| own.and_then(|own| own.get(bounded.name)).copied();
        self.on(engine).map(|(bounded, default)| (bounded.name.to_owned(), limit(bounded).unwrap_or(default).into())).collect()
    }

    async fn limits(&self, engine: &Engine, project: &str) -> Result<Map<String, Value>> {
        let own = store::own_limits(&mut engine.db.reader().await?, Some(project)).await?;
        Ok(self.with(engine, own.get(project)))
    }

    /// Of every project that has limits of its own.
    async fn all(&self, engine: &Engine) -> Result<Vec<Value>> {
        let own = store::own_limits(&mut engine.db.reader().await?, None).await?;
        let quota = |(project, own): (&String, &HashMap<String, i64>)| {
            let mut quota = self.with(engine, Some(own));
            quota.insert("project_id".to_owned(), project.as_str().into());
            quota.insert("tenant_id".to_owned(), project.as_str().into());
            Value::Object(quota)
        };
        Ok(own.iter().map(quota).collect())
    }

    async fn details(&self, engine: &Engine, cx: &Context, project: &str) -> Result<Map<String, Value>> {
        let asked: Vec<_> = self.on(engine).map(|(bounded, default)| (project, bounded, default)).collect();
        let uses = store::uses(&mut engine.db.reader().await?, cx, &asked, true).await?;
        let shown = asked
            .iter()
            .zip(uses)
            .map(|((_, bounded, _), u)| (bounded.name.to_owned(), json!({"limit": u.limit, "used": u.used, "reserved": u.reserved})));
        Ok(shown.collect())
    }

    /// What a body asks for, and whether it insists.
    fn asked(&self, engine: &Engine, body: &Value) -> Result<(Vec<(&'static Bounded, i64)>, bool)> {
        let quota = body.get("quota").and_then(Value::as_object);
        let quota =
            quota.ok_or_else(|| kinds::BAD_REQUEST.error("Unable to find 'quota' in request body: it must be {\"quota\": {...}}."))?;
        let (mut asked, mut unknown) = (Vec::new(), Vec::new());
        let conditions = Limits::default();
        for (name, value) in quota.iter().filter(|(name, _)| !matches!(name.as_str(), "force" | "check_limit")) {
            let Some((bounded, _)) = self.on(engine).find(|(bounded, _)| bounded.name == name) else {
                unknown.push(name.chars().take(64).collect::<String>());
                continue;
            };
            let mut limit = Converter::ToInt.convert(value.clone(), &conditions).map_err(|e| refuse(kinds::INVALID_INPUT, name, e))?;
            RANGE.check(&mut limit, &conditions).map_err(|e| refuse(kinds::BAD_REQUEST, name, e))?;
            let limit = limit.as_i64().ok_or_else(|| kinds::BAD_REQUEST.error(format!("Invalid input for {name}: no whole number.")))?;
            asked.push((bounded, limit));
        }
        if !unknown.is_empty() {
            unknown.truncate(8);
            return Err(kinds::BAD_REQUEST.error(format!("Unrecognized attribute(s) '{}' of quota.", unknown.join(", "))));
        }
        Ok((asked, quota.get("force") == Some(&Value::Bool(true))))
    }

    async fn change(&self, engine: &Engine, cx: &Context, project: &str, body: &Value) -> Result<()> {
        if project.chars().count() > MAX_PROJECT {
            return Err(kinds::BAD_REQUEST.error(format!("A project's id has at most {MAX_PROJECT} characters.")));
        }
        let (asked, force) = self.asked(engine, body)?;
        let bounds: Vec<(&str, &Bounded, i64)> = asked.iter().map(|(b, limit)| (project, *b, *limit)).collect();
        let limits: Vec<(&'static str, i64)> = asked.iter().map(|(b, limit)| (b.name, *limit)).collect();
        let (bounds, limits) = (&bounds, &limits);
        let put = || async {
            let mut tx = engine.db.begin().await?;
            if !force && limits.iter().any(|(_, limit)| *limit >= 0) {
                let uses = store::uses(&mut tx, cx, bounds, true).await?;
                for ((kind, limit), now) in limits.iter().zip(uses) {
                    let used = now.used + now.reserved;
                    if *limit >= 0 && used > *limit {
                        return Err(kinds::BAD_REQUEST.error(format!(
                            "Quota limit {limit} for {kind} must be greater than or equal to already used {used}; \"force\": true sets it anyway."
                        )));
                    }
                }
            }
            store::set_limits(&mut tx, cx, project, limits).await?;
            tx.witness(neutrino_db::Witness::Repeatable);
            tx.commit().await
        };
        engine.db.retry("update_quota", put).await
    }
}
