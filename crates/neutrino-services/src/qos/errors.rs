// SPDX-License-Identifier: Apache-2.0
//! The refusals of QoS.

use neutrino_types::{Error, Kind};

pub const POLICY_NOT_FOUND: Kind = Kind::new("QosPolicyNotFound", 404);
pub const RULE_NOT_FOUND: Kind = Kind::new("QosRuleNotFound", 404);
pub const DEFAULT_EXISTS: Kind = Kind::new("QoSPolicyDefaultAlreadyExists", 409);
pub const POLICY_IN_USE: Kind = Kind::new("QosPolicyInUse", 409);
pub const NOT_SUPPORTED_BY_PORT: Kind = Kind::new("QosRuleNotSupported", 409);
pub const NOT_SUPPORTED_BY_NETWORK: Kind = Kind::new("QosRuleNotSupportedByNetwork", 409);
pub const PARAMETER_CONFLICT: Kind = Kind::new("QoSRuleParameterConflict", 409);
pub const RULES_CONFLICT: Kind = Kind::new("QoSRulesConflict", 409);
pub const MAY_NOT_REMOVE: Kind = Kind::new("PolicyRemoveAuthorizationError", 403);
pub const NOT_AUTHORIZED: Kind = Kind::new("NotAuthorized", 403);
pub const SHARED_AND_USED: Kind = Kind::new("RbacPolicyInUse", 409);

pub const ALLOCATION_CONFLICT: Kind = Kind::new("QosPlacementAllocationUpdateConflict", 409);
pub const ALLOCATION_RACED: Kind = Kind::new("PlacementAllocationGenerationConflict", 409);
pub const ALLOCATION_REMOVED: Kind = Kind::new("PlacementAllocationRemoved", 400);
pub const NOT_ALLOCATED: Kind = Kind::new("PlacementAllocationRpNotExists", 400);

pub fn policy_not_found(id: &str) -> Error {
    let id: String = id.chars().take(64).collect();
    POLICY_NOT_FOUND.error(format!("QoS policy {id} could not be found."))
}
