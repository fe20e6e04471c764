// SPDX-License-Identifier: Apache-2.0
//! Availability zone hints, between the API's list and the JSON text that the database holds.

use serde_json::Value;

use crate::validate::{Invalid, Limits, python};

/// `availability_zone.convert_az_list_to_string`: the JSON text, letter for letter as Neutron writes it.
///
/// # Errors
/// None.
pub fn convert_az_list_to_string(v: Value, _: &Limits) -> Result<Value, Invalid> {
    Ok(Value::String(python::json_dumps(&v)))
}

/// `availability_zone.convert_az_string_to_list`: what the text holds; an empty list when there is none.
///
/// # Errors
/// A text that is not JSON.
pub fn convert_az_string_to_list(v: Value, _: &Limits) -> Result<Value, Invalid> {
    if !python::truth(&v) {
        return Ok(Value::Array(Vec::new()));
    }
    let parsed = v.as_str().and_then(|text| serde_json::from_str(text).ok());
    parsed.ok_or_else(|| Invalid::reason("the stored availability zone hints are not JSON"))
}
