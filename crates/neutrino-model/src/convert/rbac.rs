// SPDX-License-Identifier: Apache-2.0
//! Conversions of an RBAC policy's attributes.

use serde_json::Value;

use crate::validate::{Invalid, Limits, python, shown};

/// `rbac.convert_valid_object_type`: the name of a type of object that can be shared, in lower case and without spaces around it.
///
/// # Errors
/// `InvalidInput` for a name that is not in [`Limits::rbac_object_types`].
pub fn convert_valid_object_type(v: Value, cx: &Limits) -> Result<Value, Invalid> {
    let wanted = v.as_str().map(|text| python::strip(text).to_lowercase());
    match wanted.filter(|wanted| cx.rbac_object_types.contains(wanted)) {
        Some(known) => Ok(Value::String(known)),
        None => Err(Invalid::reason(format!(
            "{} is not a type of object that can be shared; known: {}",
            shown(&v),
            cx.rbac_object_types.join(", ")
        ))),
    }
}
