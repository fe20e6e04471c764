// SPDX-License-Identifier: Apache-2.0
//! Which rules a policy cannot hold together.
//!
//! Rules: one of a kind for each direction; a minimum is not above the limit of its direction; packet rates are reserved for each direction
//! or for both together, not in both ways.

use neutrino_types::Result;

use super::{
    errors::{PARAMETER_CONFLICT, RULES_CONFLICT},
    rule::{ANY, BANDWIDTH_LIMIT, MINIMUM_BANDWIDTH, MINIMUM_PACKET_RATE, Rule},
};

/// Refuses a rule, new or changed, that does not go with the others of its policy.
///
/// # Errors
/// 409 `QoSRuleParameterConflict`, `QoSRulesConflict`.
pub fn check(rule: &Rule, of_policy: &[Rule]) -> Result<()> {
    let others = || of_policy.iter().filter(|other| other.id != rule.id);
    for other in others().filter(|other| other.direction == rule.direction) {
        let crossed = match (rule.kind, other.kind) {
            (BANDWIDTH_LIMIT, MINIMUM_BANDWIDTH) => other.value() > rule.value(),
            (MINIMUM_BANDWIDTH, BANDWIDTH_LIMIT) => other.value() < rule.value(),
            _ => false,
        };
        if crossed {
            return Err(does_not_fit(rule, &rule.value().to_string(), other, &other.value().to_string()));
        }
    }
    for other in others().filter(|other| other.kind == rule.kind) {
        let together = |rule: &Rule| rule.direction.as_deref() == Some(ANY);
        if rule.kind == MINIMUM_PACKET_RATE && together(rule) != together(other) {
            let text = |rule: &Rule| rule.direction.clone().unwrap_or_default();
            return Err(does_not_fit(rule, &text(rule), other, &text(other)));
        }
        if other.direction == rule.direction {
            return Err(exists(rule, Some(&other.id)));
        }
    }
    Ok(())
}

fn does_not_fit(rule: &Rule, value: &str, other: &Rule, other_value: &str) -> neutrino_types::Error {
    PARAMETER_CONFLICT.error(format!(
        "QoS policy {} cannot have a rule {} with {value}: its rule {} has {other_value}.",
        rule.policy_id,
        rule.kind().name,
        other.kind().name
    ))
}

/// A policy has one rule of a kind for each direction.
pub fn exists(rule: &Rule, other: Option<&str>) -> neutrino_types::Error {
    RULES_CONFLICT.error(format!(
        "QoS policy {} has a rule {} for this direction already{}.",
        rule.policy_id,
        rule.kind().name,
        other.map(|id| format!(": {id}")).unwrap_or_default()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qos::rule::DSCP_MARKING;

    fn rule(kind: usize, id: &str, value: i64, direction: Option<&str>) -> Rule {
        Rule { kind, id: id.to_owned(), policy_id: "p".to_owned(), numbers: [Some(value), None], direction: direction.map(str::to_owned) }
    }

    #[test]
    fn a_minimum_stays_below_the_limit_of_its_own_direction() {
        let limit = rule(BANDWIDTH_LIMIT, "a", 1000, Some("egress"));
        let minimum = |id: &str, value, direction| rule(MINIMUM_BANDWIDTH, id, value, Some(direction));
        let is = |rule: &Rule, others: &[Rule]| check(rule, others).err().map(|e| e.kind());
        assert_eq!(is(&minimum("b", 1000, "egress"), std::slice::from_ref(&limit)), None);
        assert_eq!(is(&minimum("b", 1001, "egress"), std::slice::from_ref(&limit)), Some(PARAMETER_CONFLICT));
        assert_eq!(is(&minimum("b", 1001, "ingress"), std::slice::from_ref(&limit)), None);
        assert_eq!(is(&limit, &[minimum("b", 1001, "egress")]), Some(PARAMETER_CONFLICT));
        assert_eq!(is(&limit, &[minimum("b", 1001, "ingress")]), None);
    }

    #[test]
    fn one_of_a_kind_for_each_direction() {
        let is = |rule: &Rule, others: &[Rule]| check(rule, others).err().map(|e| e.kind());
        let mark = rule(DSCP_MARKING, "a", 8, None);
        assert_eq!(is(&mark, std::slice::from_ref(&mark)), None);
        assert_eq!(is(&rule(DSCP_MARKING, "b", 10, None), std::slice::from_ref(&mark)), Some(RULES_CONFLICT));
        let any = rule(MINIMUM_PACKET_RATE, "c", 1, Some(ANY));
        assert_eq!(is(&rule(MINIMUM_PACKET_RATE, "d", 1, Some("egress")), std::slice::from_ref(&any)), Some(PARAMETER_CONFLICT));
        assert_eq!(is(&rule(MINIMUM_PACKET_RATE, "d", 1, Some(ANY)), std::slice::from_ref(&any)), Some(RULES_CONFLICT));
        assert_eq!(is(&rule(MINIMUM_PACKET_RATE, "c", 1, Some("egress")), std::slice::from_ref(&any)), None);
    }
}
