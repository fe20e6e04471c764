// SPDX-License-Identifier: Apache-2.0
//! The `allocation` of a port's binding profile.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::validate::{Invalid, shown};

/// The UUID of a group of requested resources: made from the port's UUID and the ids of its minimum-bandwidth rules, in order.
#[must_use]
pub fn resource_request_group_uuid(port_id: &Uuid, rule_ids: &[&str]) -> Uuid {
    Uuid::new_v5(port_id, rule_ids.join(":").as_bytes())
}

/// `convert_to_sanitized_binding_profile_allocation`: a dictionary stays; the UUID of a resource provider becomes
/// `{group: provider}`.
///
/// # Errors
/// A port id that is not a UUID.
pub fn sanitized_allocation(allocation: Value, port_id: &str, rule_ids: &[&str]) -> Result<Value, Invalid> {
    if allocation.is_object() {
        return Ok(allocation);
    }
    let port = Uuid::parse_str(port_id).map_err(|_| Invalid::reason(format!("{} is not a UUID", shown(&json!(port_id)))))?;
    let group = resource_request_group_uuid(&port, rule_ids).to_string();
    Ok(json!({ group: allocation }))
}
