// SPDX-License-Identifier: Apache-2.0
//! Whether new security groups are stateful when the request does not say: for one project, or for all that have no setting.
//!
//! Owns `security_groups_default_statefulness`; a row without a project is the setting for all. A default group is always stateful.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Op};
use neutrino_db::{Row, Sql, args};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Resource, Validator,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Error, Result};

use super::errors;

const COLLECTION: &str = "security_groups_default_statefulness";

static RESOURCE: Resource = Resource::new(
    COLLECTION,
    COLLECTION,
    "security-groups-default-statefulness",
    COLLECTION,
    errors::STATEFULNESS_NOT_FOUND,
    &[
        common::ID,
        Attribute::new("project_id")
            .post()
            .default(Default::Null)
            .validate(Validator::StringOrNone(Some(255)))
            .filter()
            .sort()
            .required_by_policy()
            .column("project_id", Kind::Text),
        Attribute::new("stateful")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("stateful", Kind::Bool),
    ],
)
.no_bulk();

static EXTENSION: Extension = Extension::new(
    "security-groups-default-statefulness",
    "Security Groups Default Statefulness",
    "Allows configuring the default value of the 'stateful' attribute for new security groups, on a per-project or system-wide basis",
    "2026-04-13T00:00:00-00:00",
)
.requires(&["security-group", "stateful-security-group"])
.resources(&[&RESOURCE]);

struct Statefulness;

#[async_trait]
impl Behaviour for Statefulness {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let project = body.str("project_id").map(str::to_owned);
        let mut sql = Sql::raw("SELECT id FROM security_groups_default_statefulness WHERE project_id");
        match &project {
            Some(project) => sql.push(" = ").bind(project),
            // No key holds this one; two at once would agree in all but their ids, and the first is obeyed.
            None => sql.push(" IS NULL"),
        };
        if !op.tx.select(sql).await?.is_empty() {
            return Err(exists(project.as_deref()));
        }
        let inserted = op.insert(id, body, &[]).await;
        inserted.map_err(|error| if error.is_duplicate("project_id") { exists(project.as_deref()) } else { error })
    }
}

fn exists(project: Option<&str>) -> Error {
    let whose = project.map_or_else(|| "for all projects".to_owned(), |id| format!("for project {id}"));
    errors::STATEFULNESS_EXISTS.error(format!("A default statefulness is set {whose} already: update it instead."))
}

/// Asks for the setting that a new group of the project obeys.
pub fn query(project: &str) -> Sql {
    let text = "SELECT stateful FROM security_groups_default_statefulness WHERE project_id = ? OR project_id IS NULL \
                ORDER BY CASE WHEN project_id IS NULL THEN 1 ELSE 0 END, id LIMIT 1";
    Sql::new(text, args![project])
}

/// What was answered to [`query`].
///
/// # Errors
/// When it is no truth value.
pub fn read(rows: &[Row]) -> Result<bool> {
    Ok(rows.first().map(|row| row.bool(0)).transpose()?.unwrap_or(true))
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).behaviour(COLLECTION, Statefulness);
}
