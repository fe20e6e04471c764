// SPDX-License-Identifier: Apache-2.0
//! The rules of policies: `/qos/policies/{id}/bandwidth_limit_rules` and its kin, and `/qos/alias-...` without the policy in the URL.
//!
//! Owns the five tables of rules. Rules: they go with each other ([`conflicts`]); the drivers can enforce them on every port that has the
//! policy; what Placement keeps account of does not change under a machine. A change of a rule is a change of its policy.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Op};
use neutrino_model::{
    Attribute, Body, Choice, Converter, Methods, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Result, error::kinds};

use super::{
    conflicts,
    drivers::{DSCP_MARKS, Drivers, EGRESS, INGRESS, MAX_NUMBER},
    errors::{RULE_NOT_FOUND, policy_not_found},
    ports,
    rule::{self, PLACED, Rule},
};

const VISIBLE: Visibility = Visibility::Sql(
    "EXISTS (SELECT 1 FROM qos_policies p WHERE p.id = t.qos_policy_id AND (p.project_id = :project OR EXISTS (SELECT 1 \
     FROM qospolicyrbacs r WHERE r.object_id = p.id AND r.action = 'access_as_shared' AND r.target_project IN ('*', :project))))",
);

/// Rules about its owner look at it; no answer shows it.
const POLICY_ID: Attribute =
    Attribute::new("qos_policy_id").default(Default::Unset).hidden().required_by_policy().column("qos_policy_id", Kind::Text);
/// Declared, and never shown: it is the policy's.
const TENANT_ID: Attribute = Attribute::new("tenant_id").required_by_policy().omit_when(|_| true);

const fn number(name: &'static str) -> Attribute {
    Attribute::new(name)
        .put()
        .convert(Converter::ToInt)
        .validate(Validator::Range(Some(0), Some(MAX_NUMBER)))
        .filter()
        .sort()
        .column(name, Kind::Int)
}

const fn burst(name: &'static str) -> Attribute {
    number(name).default(Default::Int(0))
}

const fn direction(choices: &'static [Choice]) -> Attribute {
    Attribute::new("direction")
        .put()
        .default(Default::Str("egress"))
        .validate(Validator::Values(Some(choices)))
        .column("direction", Kind::Text)
}

const BOTH: Attribute = direction(&[INGRESS, EGRESS]);
const BOTH_OR_ANY: Attribute = direction(&[Choice::Str("any"), INGRESS, EGRESS]).filter().sort();

const MARK: Attribute = Attribute::new("dscp_mark")
    .put()
    .convert(Converter::ToInt)
    .validate(Validator::Values(Some(DSCP_MARKS)))
    .filter()
    .sort()
    .column("dscp_mark", Kind::Int);

const fn child(collection: &'static str, member: &'static str, table: &'static str, attributes: &'static [Attribute]) -> Resource {
    Resource::new(collection, member, collection, table, RULE_NOT_FOUND, attributes)
        .child_of("policies", "qos_policy_id")
        .visibility(VISIBLE)
}

/// The same rows by their own ids alone.
const fn alias(
    collection: &'static str,
    member: &'static str,
    path: &'static str,
    table: &'static str,
    attributes: &'static [Attribute],
) -> Resource {
    Resource::new(collection, member, path, table, RULE_NOT_FOUND, attributes)
        .methods(Methods { list: false, show: true, create: false, update: true, delete: true })
        .visibility(VISIBLE)
}

pub static BANDWIDTH_LIMITS: Resource = child(
    "bandwidth_limit_rules",
    "bandwidth_limit_rule",
    "qos_bandwidth_limit_rules",
    &[common::ID, POLICY_ID, number("max_kbps").post(), burst("max_burst_kbps").post(), BOTH.post()],
);
pub static DSCP_MARKINGS: Resource =
    child("dscp_marking_rules", "dscp_marking_rule", "qos_dscp_marking_rules", &[common::ID, POLICY_ID, MARK.post()]);
pub static MINIMUM_BANDWIDTHS: Resource = child(
    "minimum_bandwidth_rules",
    "minimum_bandwidth_rule",
    "qos_minimum_bandwidth_rules",
    &[common::ID, POLICY_ID, number("min_kbps").post(), BOTH.post().filter().sort()],
);
pub static MINIMUM_PACKET_RATES: Resource = child(
    "minimum_packet_rate_rules",
    "minimum_packet_rate_rule",
    "qos_minimum_packet_rate_rules",
    &[common::ID, POLICY_ID, number("min_kpps").post(), BOTH_OR_ANY.post()],
);
pub static PACKET_RATE_LIMITS: Resource = child(
    "packet_rate_limit_rules",
    "packet_rate_limit_rule",
    "qos_packet_rate_limit_rules",
    &[common::ID, POLICY_ID, number("max_kpps").post(), burst("max_burst_kpps").post(), BOTH.post().filter().sort()],
)
.no_bulk();

pub static ALIAS_BANDWIDTH_LIMITS: Resource = alias(
    "alias_bandwidth_limit_rules",
    "alias_bandwidth_limit_rule",
    "qos/alias-bandwidth-limit-rules",
    "qos_bandwidth_limit_rules",
    &[common::ID, POLICY_ID, TENANT_ID, number("max_kbps"), burst("max_burst_kbps"), BOTH.filter().sort()],
);
pub static ALIAS_DSCP_MARKINGS: Resource = alias(
    "alias_dscp_marking_rules",
    "alias_dscp_marking_rule",
    "qos/alias-dscp-marking-rules",
    "qos_dscp_marking_rules",
    &[common::ID, POLICY_ID, TENANT_ID, MARK],
);
pub static ALIAS_MINIMUM_BANDWIDTHS: Resource = alias(
    "alias_minimum_bandwidth_rules",
    "alias_minimum_bandwidth_rule",
    "qos/alias-minimum-bandwidth-rules",
    "qos_minimum_bandwidth_rules",
    &[common::ID, POLICY_ID, TENANT_ID, number("min_kbps"), BOTH.filter().sort()],
);
pub static ALIAS_MINIMUM_PACKET_RATES: Resource = alias(
    "alias_minimum_packet_rate_rules",
    "alias_minimum_packet_rate_rule",
    "qos/alias-minimum-packet-rate-rules",
    "qos_minimum_packet_rate_rules",
    &[common::ID, POLICY_ID, number("min_kpps"), BOTH_OR_ANY],
);

/// The rules of one kind, with or without the policy in the URL.
pub struct Rules {
    pub kind: usize,
    pub drivers: Arc<Drivers>,
}

#[async_trait]
impl Behaviour for Rules {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let policy_id = body.str("qos_policy_id").unwrap_or_default().to_owned();
        let mut rules = claim(op, &policy_id).await?;
        let rule = Rule::of_body(self.kind, id, &policy_id, body);
        conflicts::check(&rule, &rules)?;
        op.insert(id, body, &[]).await.map_err(|e| if e.is_duplicate("") { conflicts::exists(&rule, None) } else { e })?;
        rules.push(rule);
        self.ensure_enforced(op, &policy_id, &rules).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        let old = Rule::of_record(self.kind, original);
        let rule = old.changed(body);
        if rule == old {
            return Ok(());
        }
        let mut rules = claim(op, &rule.policy_id).await?;
        conflicts::check(&rule, &rules)?;
        op.update(original, body).await.map_err(|e| if e.is_duplicate("") { conflicts::exists(&rule, None) } else { e })?;
        rules.retain(|other| other.id != rule.id);
        let policy_id = rule.policy_id.clone();
        rules.push(rule);
        self.ensure_enforced(op, &policy_id, &rules).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let policy_id = original.str("qos_policy_id");
        claim(op, policy_id).await?;
        op.delete(original).await?;
        self.ensure_enforced(op, policy_id, &[]).await
    }
}

impl Rules {
    /// The ports that have the policy take its new rules.
    async fn ensure_enforced(&self, op: &mut Op<'_>, policy_id: &str, rules: &[Rule]) -> Result<()> {
        let placed = PLACED.contains(&self.kind);
        if rules.is_empty() && !placed {
            return Ok(());
        }
        let users = ports::with_policy(op, policy_id).await?;
        ports::ensure_enforced(&self.drivers, rules, &users)?;
        if placed && users.iter().any(ports::Facts::is_machines) {
            return Err(kinds::NOT_IMPLEMENTED.error(format!(
                "QoS policy {policy_id} has ports of machines: rules whose resources Placement keeps account of cannot change under them."
            )));
        }
        Ok(())
    }
}

/// One change of a policy's rules at a time; gives the rules.
async fn claim(op: &mut Op<'_>, policy_id: &str) -> Result<Vec<Rule>> {
    let standard = op.lock("policies", policy_id).await?.ok_or_else(|| policy_not_found(policy_id))?;
    op.touch(standard);
    rule::of_policy(op.tx, policy_id).await
}
