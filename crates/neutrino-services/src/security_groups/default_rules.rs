// SPDX-License-Identifier: Apache-2.0
//! The template of new security groups: rules that every project's default group begins with, and those of all other groups.
//!
//! Owns `securitygroupdefaultrules`. What refers to nothing is refused: it would keep projects from having groups. A template rule
//! does not change once it is made; changing the template changes no group that is there.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Op};
use neutrino_db::{Dialect, Sql, args};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record, Resource, Validator, Visibility,
    attribute::{Kind, common},
};
use neutrino_types::{Result, error::kinds};

use super::{default_group::PARENT, errors, rule, rules};

const fn used_in(name: &'static str) -> Attribute {
    Attribute::new(name).post().convert(Converter::ToBoolean).filter().column(name, Kind::Bool)
}

static RESOURCE: Resource = Resource::new(
    "default_security_group_rules",
    "default_security_group_rule",
    "default-security-group-rules",
    "securitygroupdefaultrules",
    errors::DEFAULT_RULE_NOT_FOUND,
    &[
        common::ID,
        // Asked for as everywhere; the template belongs to nobody.
        Attribute::new("tenant_id").post().validate(Validator::String(Some(255))).hidden().required_by_policy().request_only(),
        rule::REMOTE_GROUP_ID,
        rule::REMOTE_ADDRESS_GROUP_ID,
        rule::DIRECTION,
        rule::PROTOCOL_ATTRIBUTE,
        rule::PORT_RANGE_MIN,
        rule::PORT_RANGE_MAX,
        rule::ETHERTYPE_ATTRIBUTE,
        rule::REMOTE_IP_PREFIX,
        used_in("used_in_default_sg"),
        used_in("used_in_non_default_sg"),
    ],
)
.standard("securitygroupdefaultrules")
.no_bulk()
.plain_refusals()
.visibility(Visibility::Everyone);

static EXTENSION: Extension = Extension::new(
    "security-groups-default-rules",
    "Default rules for security groups",
    "Configure set of security group rules used as default rules for every new security group",
    "2022-12-19T10:00:00-00:00",
)
.requires(&["security-group", "standard-attr-description"])
.resources(&[&RESOURCE]);

struct DefaultRules;

#[async_trait]
impl Behaviour for DefaultRules {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        rule::check(body)?;
        let mut remotes = rules::Remotes::default();
        remotes.add(body);
        remotes.groups.retain(|id| id != PARENT);
        // The template serves all projects: what it refers to need not be the caller's.
        remotes.check(engine, &cx.elevated(), body.project_id()).await
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        if op.tx.dialect() != Dialect::Sqlite {
            // Whoever makes template rules writes to the first of them meanwhile, so that two cannot make the same.
            let first = "SELECT MIN(standard_attr_id) FROM securitygroupdefaultrules";
            let first = op.tx.count(first, vec![]).await?;
            let claim = "UPDATE standardattributes SET revision_number = revision_number + 1 WHERE id = ?";
            op.tx.execute(claim, args![first]).await?;
        }
        for used in ["used_in_default_sg", "used_in_non_default_sg"] {
            if body.bool(used) != Some(true) {
                continue;
            }
            let mut sql = Sql::new(format!("SELECT t.id FROM securitygroupdefaultrules t WHERE t.{used} = ? AND "), args![true]);
            sql.append(rules::same_rule(op.tx.dialect(), &rule::Key::of(body))).push(" LIMIT 1");
            if let Some(row) = op.tx.select(sql).await?.first() {
                return Err(errors::DEFAULT_RULE_EXISTS.error(format!("The template has this rule already: it is {}.", row.text(0)?)));
            }
        }
        op.insert(id, body, &[]).await
    }

    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, _body: &mut Body) -> Result<()> {
        Err(kinds::BAD_REQUEST.error("A default security group rule does not change: delete it and create another."))
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).behaviour("default_security_group_rules", DefaultRules);
}
