// SPDX-License-Identifier: Apache-2.0
//! JSON Schema of what requests may say and of what answers hold.
//!
//! A request's schema follows the validators; what a converter accepts beside the canonical form is left out. An answer's schema
//! follows where a value is kept. No attribute is required in an answer: `fields` and the policy decide which of them are there.

use neutrino_model::{
    Attribute, Converter, Default, Kind, Source, Table, Validator,
    validate::{Choice, KeySpec},
};
use serde_json::{Map, Value, json};

/// The body of every refusal.
pub fn error() -> Value {
    json!({
        "type": "object",
        "required": ["NeutronError"],
        "properties": {
            "NeutronError": {
                "type": "object",
                "required": ["type", "message", "detail"],
                "properties": {"type": {"type": "string"}, "message": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    })
}

/// What an object looks like in answers.
pub fn answer(table: &Table) -> Value {
    let mut properties = Map::new();
    for (at, attribute) in table.attributes.iter().enumerate().filter(|(_, attribute)| attribute.visible) {
        let names = if table.is_project(at) { &["project_id", "tenant_id"][..] } else { &[attribute.name][..] };
        for name in names {
            properties.insert((*name).to_owned(), kept(attribute));
        }
    }
    json!({"type": "object", "properties": properties})
}

/// What a create or update may say.
pub fn request(table: &Table, create: bool) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (at, attribute) in table.attributes.iter().enumerate() {
        if !(if create { attribute.post } else { attribute.put }) {
            continue;
        }
        let mut schema = asked(attribute);
        // A default of null stands for "not given", also where null may not be given.
        let default = attribute.default.value().filter(|value| !value.is_null());
        if let (true, Some(default), Some(schema)) = (create, default, schema.as_object_mut()) {
            schema.insert("default".to_owned(), default);
        }
        let names = if table.is_project(at) { &["project_id", "tenant_id"][..] } else { &[attribute.name][..] };
        for name in names {
            properties.insert((*name).to_owned(), schema.clone());
        }
        // A request without a project is for the caller's own.
        if create && attribute.default == Default::Required && !table.is_project(at) {
            required.push(attribute.name);
        }
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn kept(attribute: &Attribute) -> Value {
    let kind = match &attribute.source {
        Source::Column(column) => Some(column.kind),
        Source::Expr { kind, .. } => Some(*kind),
        Source::Loaded | Source::Request => None,
    };
    match kind {
        Some(Kind::Text) => match attribute.validate {
            Some(Validator::Uuid) => json!({"type": ["string", "null"], "format": "uuid"}),
            _ => json!({"type": ["string", "null"]}),
        },
        // A subnet pool's lengths are kept as numbers and shown as text.
        Some(Kind::IntText) => json!({"type": ["string", "null"]}),
        Some(Kind::Int) => json!({"type": ["integer", "null"]}),
        Some(Kind::Bool) => json!({"type": ["boolean", "null"]}),
        Some(Kind::Time) => json!({"type": ["string", "null"], "format": "date-time"}),
        Some(Kind::Json) | None => json!({}),
    }
}

/// What a request may say of an attribute.
pub fn asked(attribute: &Attribute) -> Value {
    match (&attribute.validate, &attribute.convert) {
        (Some(validator), _) => of(validator),
        (None, Some(Converter::ToBoolean)) => json!({"type": "boolean"}),
        (None, Some(Converter::ToBooleanIfNotNone)) => json!({"type": ["boolean", "null"]}),
        (None, Some(Converter::ToInt)) => json!({"type": "integer"}),
        (None, Some(Converter::ToIntIfNotNone)) => json!({"type": ["integer", "null"]}),
        (None, _) => json!({}),
    }
}

fn text(min: usize, max: Option<usize>) -> Value {
    let mut schema = json!({"type": "string"});
    if min > 0 {
        schema["minLength"] = min.into();
    }
    if let Some(max) = max {
        schema["maxLength"] = max.into();
    }
    schema
}

fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

fn number(min: Option<i64>, max: Option<i64>) -> Value {
    let mut schema = json!({"type": "integer"});
    if let Some(min) = min {
        schema["minimum"] = min.into();
    }
    if let Some(max) = max {
        schema["maximum"] = max.into();
    }
    schema
}

fn choices(all: Option<&[Choice]>) -> Value {
    all.map_or_else(|| json!({}), |all| json!({"enum": all.iter().map(|choice| choice.to_value()).collect::<Vec<_>>()}))
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "properties": properties})
}

fn keys(specs: &[KeySpec]) -> Value {
    let properties: Map<String, Value> =
        specs.iter().map(|spec| (spec.key.to_owned(), spec.check.as_ref().map_or_else(|| json!({}), of))).collect();
    let required: Vec<&str> = specs.iter().filter(|spec| spec.required == Some(true)).map(|spec| spec.key).collect();
    let mut schema = json!({"type": "object"});
    if !specs.is_empty() {
        schema["properties"] = properties.into();
        schema["additionalProperties"] = false.into();
    }
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

fn address() -> Value {
    json!({"anyOf": [{"type": "string", "format": "ipv4"}, {"type": "string", "format": "ipv6"}]})
}

fn network() -> Value {
    json!({"type": "string", "pattern": "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$", "description": "A network: 10.0.0.0/24, 2001:db8::/64."})
}

fn mac() -> Value {
    json!({"type": "string", "pattern": "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$"})
}

/// What a rule accepts.
pub fn of(validator: &Validator) -> Value {
    match validator {
        Validator::Boolean => json!({"type": "boolean"}),
        Validator::Integer(None) => json!({"type": "integer"}),
        Validator::Integer(all) | Validator::Values(all) => choices(*all),
        Validator::Range(min, max) => number(*min, *max),
        Validator::RangeOrNone(min, max) => or_null(number(*min, *max)),
        Validator::NonNegative => number(Some(0), None),
        Validator::PortRange(_) => json!({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^[0-9]+(:[0-9]+)?$"}]}),
        Validator::Ethertype => json!({"enum": ["IPv4", "IPv6"]}),
        Validator::Dict(specs) | Validator::DictOrEmpty(specs) => keys(specs),
        Validator::DictOrNone(specs) | Validator::DictOrNodata(specs) => or_null(keys(specs)),
        Validator::ListOfDictOrNodata(specs) => or_null(list(keys(specs))),
        Validator::ListOfAnyKeySpecsOrNone(all) => or_null(list(json!({"anyOf": all.iter().map(|specs| keys(specs)).collect::<Vec<_>>()}))),
        _ => of_text(validator),
    }
}

fn of_text(validator: &Validator) -> Value {
    match validator {
        Validator::String(max)
        | Validator::NameString(max)
        | Validator::NameStringNotDefault(max)
        | Validator::NameNotDefault(max)
        | Validator::DnsHostName(max)
        | Validator::FipDnsHostName(max)
        | Validator::DnsDomainName(max) => text(0, *max),
        Validator::StringOrNone(max) | Validator::NameStringOrNone(max) => or_null(text(0, *max)),
        Validator::NotEmptyString(max) | Validator::NotEmptyNameString(max) => text(1, *max),
        Validator::NotEmptyStringOrNone(max) => or_null(text(1, *max)),
        Validator::OnelineNotEmptyString(max) => oneline(*max),
        Validator::OnelineNotEmptyStringOrNone(max) => or_null(oneline(*max)),
        Validator::ValidTargetProject | Validator::ServicePluginType => text(1, Some(255)),
        Validator::Regex(pattern) => json!({"type": "string", "pattern": pattern.text()}),
        Validator::RegexOrNone(pattern) => or_null(json!({"type": "string", "pattern": pattern.text()})),
        Validator::ListOfRegexOrNone(pattern) => or_null(list(json!({"type": "string", "pattern": pattern.text()}))),
        Validator::ListOfUniqueStrings(max) => json!({"type": "array", "uniqueItems": true, "items": text(0, *max)}),
        Validator::ListOfAllowedValues(allowed) => list(json!({"enum": allowed})),
        Validator::Uuid => uuid(),
        Validator::UuidOrNone => or_null(uuid()),
        Validator::UuidList => json!({"type": "array", "uniqueItems": true, "items": uuid()}),
        Validator::UuidListNonEmpty => json!({"type": "array", "uniqueItems": true, "minItems": 1, "items": uuid()}),
        Validator::SubnetpoolId | Validator::SubnetpoolIdOrNone => or_null(json!({"anyOf": [uuid(), {"const": "prefix_delegation"}]})),
        _ => of_address(validator),
    }
}

fn oneline(max: Option<usize>) -> Value {
    let mut schema = text(1, max);
    schema["pattern"] = "^[^\\r\\n]*$".into();
    schema
}

fn of_address(validator: &Validator) -> Value {
    match validator {
        Validator::MacAddress => mac(),
        Validator::MacAddressOrNone => or_null(mac()),
        Validator::IpAddress => address(),
        Validator::IpAddressOrNone => or_null(address()),
        Validator::IpOrSubnetOrNone | Validator::SubnetOrNone => or_null(network()),
        Validator::Subnet => network(),
        Validator::SubnetList => list(network()),
        Validator::ListOfSubnetsOrNone => or_null(list(network())),
        Validator::IpPools => list(object(&["start", "end"], json!({"start": address(), "end": address()}))),
        Validator::FixedIps => list(object(&[], json!({"subnet_id": uuid(), "ip_address": address()}))),
        Validator::Nameservers => json!({"type": "array", "uniqueItems": true, "items": address()}),
        Validator::Hostroutes => list(object(&["destination", "nexthop"], json!({"destination": network(), "nexthop": address()}))),
        Validator::AllowedAddressPairs => list(object(&["ip_address"], json!({"ip_address": network(), "mac_address": mac()}))),
        Validator::ListOfSubnetServiceTypes | Validator::AvailabilityZoneHintList => {
            json!({"type": "array", "uniqueItems": true, "items": text(1, Some(255))})
        }
        Validator::Subports => list(object(
            &["port_id"],
            json!({"port_id": uuid(), "segmentation_type": {"type": "string"}, "segmentation_id": {"type": "integer"}}),
        )),
        Validator::NetworkSegments => list(json!({"type": "object"})),
        // A rule of one feature, which only the feature knows.
        _ => json!({}),
    }
}
