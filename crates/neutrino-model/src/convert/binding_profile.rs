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

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: &str = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
    const PROVIDER: &str = "36a9f27c-0001-4000-8000-000000000001";

    /// The group's UUID is the one that Neutron 29.0.0 makes of these ids.
    #[test]
    fn a_provider_is_filed_under_its_group() -> Result<(), Invalid> {
        let allocation = sanitized_allocation(json!(PROVIDER), PORT, &["rule-1", "rule-2"])?;
        assert_eq!(allocation, json!({"a11caedc-f777-55fc-9c08-ccbca84a5552": PROVIDER}));
        assert_eq!(sanitized_allocation(allocation.clone(), PORT, &[])?, allocation);
        assert!(sanitized_allocation(json!(PROVIDER), "x", &[]).is_err());
        Ok(())
    }
}
