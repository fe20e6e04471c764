// SPDX-License-Identifier: Apache-2.0
//! The converters of the API's attributes, by Neutron's names, over JSON values.
//!
//! Owns how a value is brought into its canonical form, and which values have none; whether the form is allowed is the validators'
//! matter. A converter of one feature is a function here (or in the feature), wrapped in [`Converter::Custom`].
//! Invariants: no input panics; the cost is linear in the input; randomness comes from [`Limits`].

pub mod address;
pub mod availability_zone;
pub mod binding_profile;
pub mod plain;
pub mod rbac;
pub mod securitygroup;
pub mod sfc;

use serde_json::Value;

use crate::validate::{Invalid, Limits};

/// A conversion; [`Converter::name`] gives Neutron's name for it.
#[derive(Clone, Copy, Debug)]
pub enum Converter {
    ToBoolean,
    ToBooleanIfNotNone,
    ToInt,
    ToIntIfNotNone,
    ToPositiveFloatOrNone,
    KvpStrToList,
    /// `["k=v", ...]` to `{"k": ["v", ...]}`; for filters.
    KvpListToDict,
    NoneToEmptyList,
    NoneToEmptyDict,
    NoneToEmptyString,
    ToList,
    AllocationPoolsCanonical,
    IpCanonical,
    CidrCanonical,
    StringToCaseInsensitive,
    ToProtocol,
    ToString,
    /// Puts the prefix in this spelling, whatever its case.
    PrefixForcedCase(&'static str),
    UppercaseIp,
    /// A random address under `base_mac` when there is none.
    ToMacIfNone,
    SanitizedMac,
    /// A conversion of one feature.
    Custom {
        name: &'static str,
        convert: fn(Value, &Limits) -> Result<Value, Invalid>,
    },
}

impl Converter {
    /// Neutron's name, such as `converters.convert_to_boolean`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ToBoolean => "converters.convert_to_boolean",
            Self::ToBooleanIfNotNone => "converters.convert_to_boolean_if_not_none",
            Self::ToInt => "converters.convert_to_int",
            Self::ToIntIfNotNone => "converters.convert_to_int_if_not_none",
            Self::ToPositiveFloatOrNone => "converters.convert_to_positive_float_or_none",
            Self::KvpStrToList => "converters.convert_kvp_str_to_list",
            Self::KvpListToDict => "converters.convert_kvp_list_to_dict",
            Self::NoneToEmptyList => "converters.convert_none_to_empty_list",
            Self::NoneToEmptyDict => "converters.convert_none_to_empty_dict",
            Self::NoneToEmptyString => "converters.convert_none_to_empty_string",
            Self::ToList => "converters.convert_to_list",
            Self::AllocationPoolsCanonical => "converters.convert_allocation_pools_to_canonical_format",
            Self::IpCanonical => "converters.convert_ip_to_canonical_format",
            Self::CidrCanonical => "converters.convert_cidr_to_canonical_format",
            Self::StringToCaseInsensitive => "converters.convert_string_to_case_insensitive",
            Self::ToProtocol => "converters.convert_to_protocol",
            Self::ToString => "converters.convert_to_string",
            Self::PrefixForcedCase(_) => "converters.convert_prefix_forced_case",
            Self::UppercaseIp => "converters.convert_uppercase_ip",
            Self::ToMacIfNone => "converters.convert_to_mac_if_none",
            Self::SanitizedMac => "converters.convert_to_sanitized_mac_address",
            Self::Custom { name, .. } => name,
        }
    }

    /// Brings a value into its canonical form.
    ///
    /// # Errors
    /// [`Invalid::Reason`] stands for Neutron's `InvalidInput` (400) here; other error types come complete.
    pub fn convert(&self, v: Value, cx: &Limits) -> Result<Value, Invalid> {
        match *self {
            Self::ToBoolean => plain::to_boolean(v),
            Self::ToBooleanIfNotNone => if_not_none(v, plain::to_boolean),
            Self::ToInt => plain::to_int(v),
            Self::ToIntIfNotNone => if_not_none(v, plain::to_int),
            Self::ToPositiveFloatOrNone => if_not_none(v, plain::to_positive_float),
            Self::KvpStrToList => plain::kvp_str_to_list(v),
            Self::KvpListToDict => plain::kvp_list_to_dict(v),
            Self::NoneToEmptyList => Ok(if v.is_null() { Value::Array(Vec::new()) } else { v }),
            Self::NoneToEmptyDict => Ok(if v.is_null() { Value::Object(serde_json::Map::new()) } else { v }),
            Self::NoneToEmptyString => Ok(if v.is_null() { Value::String(String::new()) } else { v }),
            Self::ToList => Ok(plain::to_list(v)),
            Self::StringToCaseInsensitive => plain::string_to_case_insensitive(v),
            Self::ToProtocol => if_not_none(v, plain::to_protocol),
            Self::ToString => if_not_none(v, |v| Ok(plain::to_string(v))),
            Self::PrefixForcedCase(prefix) => Ok(plain::prefix_forced_case(v, prefix)),
            Self::UppercaseIp => Ok(plain::prefix_forced_case(v, "IP")),
            Self::AllocationPoolsCanonical => address::allocation_pools(v),
            Self::IpCanonical => Ok(address::ip(v)),
            Self::CidrCanonical => address::cidr(v),
            Self::ToMacIfNone => Ok(address::mac_if_none(v, cx)),
            Self::SanitizedMac => Ok(address::sanitized_mac(v)),
            Self::Custom { convert, .. } => convert(v, cx),
        }
    }
}

fn if_not_none(v: Value, convert: impl FnOnce(Value) -> Result<Value, Invalid>) -> Result<Value, Invalid> {
    if v.is_null() { Ok(v) } else { convert(v) }
}
