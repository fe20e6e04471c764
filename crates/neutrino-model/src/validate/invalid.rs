// SPDX-License-Identifier: Apache-2.0
//! Why a value is refused, and the error types that validators and converters raise by themselves.

use neutrino_types::error::{Error, Kind, kinds};
use serde_json::Value;

use super::python;

/// The longest part of a caller's value that a message repeats, in characters.
const SHOWN_CHARS: usize = 120;

/// A refusal.
#[derive(Debug)]
pub enum Invalid {
    /// Why, without the attribute's name: the caller knows it and answers 400, `HTTPBadRequest` after a validator and `InvalidInput`
    /// after a converter.
    Reason(String),
    /// An answer that is complete as it is.
    Error(Error),
}

impl Invalid {
    pub fn reason(text: impl Into<String>) -> Self {
        Self::Reason(text.into())
    }

    /// 400 `InvalidInput`, which converters raise.
    pub fn input(text: impl Into<String>) -> Self {
        Self::kind(kinds::INVALID_INPUT, text)
    }

    pub fn kind(kind: Kind, text: impl Into<String>) -> Self {
        Self::Error(Error::new(kind, text))
    }

    /// The error for the caller of the API.
    #[must_use]
    pub fn into_error(self, attribute: &str) -> Error {
        match self {
            Self::Reason(reason) => Error::new(kinds::BAD_REQUEST, format!("Invalid input for {attribute}. Reason: {reason}.")),
            Self::Error(error) => error,
        }
    }

    /// The same refusal, when a converter gave it: 400 `InvalidInput` instead of `HTTPBadRequest`.
    #[must_use]
    pub fn for_converted(self, attribute: &str) -> Self {
        match self {
            Self::Reason(reason) => Self::input(format!("Invalid input for {attribute}. Reason: {reason}.")),
            complete => complete,
        }
    }

    /// The kind of error that [`Self::into_error`] would make.
    #[must_use]
    pub fn error_kind(&self) -> Kind {
        match self {
            Self::Reason(_) => kinds::BAD_REQUEST,
            Self::Error(error) => error.kind(),
        }
    }
}

/// A value for a message: quoted when it is a string, cut when it is long.
#[must_use]
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => shown_text(text),
        Value::Array(_) | Value::Object(_) => cut(&value.to_string()),
        other => format!("'{}'", python::str(other)),
    }
}

#[must_use]
pub fn shown_text(text: &str) -> String {
    format!("'{}'", cut(text))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The kinds of error that belong to one validator or converter.
pub mod raised {
    use super::Kind;

    pub const SECURITY_GROUP_DEFAULT_ALREADY_EXISTS: Kind = Kind::new("SecurityGroupDefaultAlreadyExists", 409);
    pub const INVALID_SERVICE_TYPE: Kind = Kind::new("InvalidServiceType", 400);
    pub const INVALID_SUBNET_SERVICE_TYPE: Kind = Kind::new("InvalidSubnetServiceType", 400);
    pub const INVALID_INPUT_SUBNET_SERVICE_TYPE: Kind = Kind::new("InvalidInputSubnetServiceType", 400);
    pub const ALLOWED_ADDRESS_PAIR_EXHAUSTED: Kind = Kind::new("AllowedAddressPairExhausted", 400);
    pub const ALLOWED_ADDRESS_PAIRS_MISSING_IP: Kind = Kind::new("AllowedAddressPairsMissingIP", 400);
    pub const DUPLICATE_ADDRESS_PAIR_IN_REQUEST: Kind = Kind::new("DuplicateAddressPairInRequest", 400);
    pub const SECURITY_GROUP_RULE_INVALID_PROTOCOL: Kind = Kind::new("SecurityGroupRuleInvalidProtocol", 400);
    pub const SECURITY_GROUP_RULE_INVALID_ETHER_TYPE: Kind = Kind::new("SecurityGroupRuleInvalidEtherType", 400);
    pub const SECURITY_GROUP_INVALID_PORT_VALUE: Kind = Kind::new("SecurityGroupInvalidPortValue", 400);
    pub const INVALID_CIDR: Kind = Kind::new("InvalidCIDR", 400);
    pub const FLOW_CLASSIFIER_INVALID_PROTOCOL: Kind = Kind::new("FlowClassifierInvalidProtocol", 400);
    pub const FLOW_CLASSIFIER_INVALID_ETHERTYPE: Kind = Kind::new("FlowClassifierInvalidEthertype", 400);
    pub const FLOW_CLASSIFIER_INVALID_PORT_VALUE: Kind = Kind::new("FlowClassifierInvalidPortValue", 400);
    pub const FLOW_CLASSIFIER_INVALID_L7_PARAMETER: Kind = Kind::new("FlowClassifierInvalidL7Parameter", 400);
    pub const PORT_PAIR_GROUP_NOT_SPECIFIED: Kind = Kind::new("PortPairGroupNotSpecified", 400);
    pub const PPG_PARAMETERS_INVALID_N_TUPLE_MAPPING_PARAMETER: Kind = Kind::new("PPGParametersInvalidNTupleMappingParameter", 400);
    pub const INVALID_UUID: Kind = Kind::new("InvalidUUID", 400);
}
