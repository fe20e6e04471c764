// SPDX-License-Identifier: Apache-2.0
//! `/qos/rule-types`: which kinds of rules the loaded drivers enforce, and how.
//!
//! Has no table. Rule: only an administrator sees which drivers there are.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, ListQuery};
use neutrino_db::Tx;
use neutrino_model::{Attribute, Converter, Methods, Record, Resource, Visibility, attribute::Default};
use neutrino_types::{Result, error::kinds};
use serde_json::Value;

use super::{drivers::Drivers, errors::NOT_AUTHORIZED, rule::KINDS};

pub static RESOURCE: Resource = Resource::new(
    "rule_types",
    "rule_type",
    "qos/rule-types",
    "",
    kinds::NOT_FOUND,
    &[Attribute::new("type"), Attribute::new("drivers").omit_when(|record| record.get("drivers").is_null())],
)
.virtual_rows()
.methods(Methods::READ)
.visibility(Visibility::Everyone);

const ALL_RULES: &str = "all_rules";
const ALL_SUPPORTED: &str = "all_supported";

const fn flag(name: &'static str) -> Attribute {
    Attribute::new(name).post().put().default(Default::Unset).convert(Converter::ToBooleanIfNotNone).hidden().filter()
}

/// What `qos-rule-type-filter` adds.
pub const FILTERS: &[Attribute] = &[flag(ALL_RULES), flag(ALL_SUPPORTED)];

pub struct RuleTypes {
    pub drivers: Arc<Drivers>,
}

#[async_trait]
impl Behaviour for RuleTypes {
    async fn rows(&self, engine: &Engine, cx: &Context, _tx: &mut Tx, _parent: Option<&str>, query: &ListQuery) -> Result<Vec<Record>> {
        let table = &engine.entry("rule_types")?.table;
        let asked = |name: &str| query.filter(table, name).and_then(|values| values.first());
        let is = |name: &str| asked(name).and_then(Value::as_bool).unwrap_or_default();
        // A look at one of them: lists cannot be filtered by this.
        let one = asked("type").and_then(Value::as_str);
        if one.is_some() && !cx.is_admin() {
            return Err(NOT_AUTHORIZED.error("Only an administrator may see the drivers of a QoS rule type."));
        }
        let kinds: Vec<usize> = match one {
            Some(name) => (0..KINDS.len()).filter(|kind| KINDS[*kind].name == name).collect(),
            None if is(ALL_RULES) => (0..KINDS.len()).collect(),
            None => self.drivers.kinds(is(ALL_SUPPORTED)),
        };
        let row = |kind: usize| {
            let mut record = Record::new(table.clone());
            record.set("type", KINDS[kind].name);
            if one.is_some() {
                record.set("drivers", self.drivers.details(kind));
            }
            // Each row is what these ask for.
            for name in [ALL_RULES, ALL_SUPPORTED] {
                record.set(name, asked(name).cloned().unwrap_or(Value::Null));
            }
            record
        };
        Ok(kinds.into_iter().map(row).collect())
    }
}
