// SPDX-License-Identifier: Apache-2.0
//! The error types of security groups, by Neutron's names (`neutron/extensions/securitygroup.py`, `security_groups_default_rules.py`).

use neutrino_types::{Error, Kind};

pub const GROUP_NOT_FOUND: Kind = Kind::new("SecurityGroupNotFound", 404);
pub const GROUP_IN_USE: Kind = Kind::new("SecurityGroupInUse", 409);
pub const GROUP_CONFLICT: Kind = Kind::new("SecurityGroupConflict", 409);
pub const CANNOT_REMOVE_DEFAULT: Kind = Kind::new("SecurityGroupCannotRemoveDefault", 409);
pub const CANNOT_UPDATE_DEFAULT: Kind = Kind::new("SecurityGroupCannotUpdateDefault", 409);

pub const RULE_NOT_FOUND: Kind = Kind::new("SecurityGroupRuleNotFound", 404);
pub const RULE_EXISTS: Kind = Kind::new("SecurityGroupRuleExists", 409);
pub const DUPLICATE_RULE_IN_POST: Kind = Kind::new("DuplicateSecurityGroupRuleInPost", 409);
pub const NOT_SINGLE_GROUP: Kind = Kind::new("SecurityGroupNotSingleGroupRules", 400);
pub const NOT_SINGLE_PROJECT: Kind = Kind::new("SecurityGroupRulesNotSingleProject", 400);

pub const INVALID_PORT_RANGE: Kind = Kind::new("SecurityGroupInvalidPortRange", 400);
pub const INVALID_PORT_VALUE: Kind = Kind::new("SecurityGroupInvalidPortValue", 400);
pub const INVALID_PROTOCOL_FOR_PORT: Kind = Kind::new("SecurityGroupInvalidProtocolForPort", 400);
pub const INVALID_ICMP_VALUE: Kind = Kind::new("SecurityGroupInvalidIcmpValue", 400);
pub const MISSING_ICMP_TYPE: Kind = Kind::new("SecurityGroupMissingIcmpType", 400);
pub const PROTOCOL_REQUIRED: Kind = Kind::new("SecurityGroupProtocolRequiredWithPorts", 400);
pub const ETHERTYPE_CONFLICT: Kind = Kind::new("SecurityGroupEthertypeConflictWithProtocol", 400);
pub const PARAMETER_CONFLICT: Kind = Kind::new("SecurityGroupRuleParameterConflict", 400);
/// Spelled as Neutron spells it.
pub const MULTIPLE_REMOTES: Kind = Kind::new("SecurityGroupMultipleRemoteEntites", 400);

/// The type of the feature `address_groups`.
pub const ADDRESS_GROUP_NOT_FOUND: Kind = Kind::new("AddressGroupNotFound", 404);

pub const DEFAULT_RULE_NOT_FOUND: Kind = Kind::new("DefaultSecurityGroupRuleNotFound", 404);
pub const DEFAULT_RULE_EXISTS: Kind = Kind::new("DefaultSecurityGroupRuleExists", 409);

pub const STATEFULNESS_NOT_FOUND: Kind = Kind::new("SecurityGroupDefaultStatefulnessNotFound", 404);
pub const STATEFULNESS_EXISTS: Kind = Kind::new("SecurityGroupDefaultStatefulnessAlreadyExists", 409);

/// Groups that are not there, or not to be seen.
pub fn groups_not_found(ids: &[&str]) -> Error {
    let shown: Vec<String> = ids.iter().take(8).map(|id| id.chars().take(64).collect()).collect();
    let (noun, verb) = if ids.len() == 1 { ("group", "does") } else { ("groups", "do") };
    GROUP_NOT_FOUND.error(format!("Security {noun} {} {verb} not exist.", shown.join(", ")))
}
