// SPDX-License-Identifier: Apache-2.0
//! Makes a validator or converter from the name and argument that the contract writes. Tests only: the texts are leaked.

use neutrino_model::convert::{availability_zone, rbac, securitygroup, sfc};
use neutrino_model::validate::{Choice, KeySpec, Literal, Pattern};
use neutrino_model::{Converter, Invalid, Limits, Validator};
use serde_json::Value;

fn leak<T>(items: Vec<T>) -> &'static [T] {
    Box::leak(items.into_boxed_slice())
}

fn leak_text(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn literal(value: &Value) -> Literal {
    match value {
        Value::Null => Literal::Null,
        Value::Bool(flag) => Literal::Bool(*flag),
        Value::Number(number) => Literal::Int(number.as_i64().unwrap_or_default()),
        Value::String(text) => Literal::Str(leak_text(text)),
        Value::Array(items) => Literal::List(leak(items.iter().map(literal).collect())),
        Value::Object(map) => Literal::Dict(leak(map.iter().map(|(key, item)| (leak_text(key), literal(item))).collect())),
    }
}

fn choices(arg: &Value) -> Option<&'static [Choice]> {
    arg.as_array().map(|items| leak(items.iter().map(literal).collect()))
}

fn specs(arg: &Value) -> Option<&'static [KeySpec]> {
    if arg.is_null() {
        return Some(&[]);
    }
    let all: Option<Vec<KeySpec>> = arg.as_object()?.iter().map(|(key, spec)| key_spec(key, spec)).collect();
    all.map(leak)
}

fn key_spec(key: &str, spec: &Value) -> Option<KeySpec> {
    let mut out = KeySpec::any(leak_text(key));
    for (name, item) in spec.as_object()? {
        out = match name.as_str() {
            "required" if item == true => out.required(),
            "required" => out.optional(),
            "default" => out.default(literal(item)),
            "convert_to" => out.convert_to(converter(item.as_str()?)?),
            "validate" => {
                let (rule, arg) = item.as_object()?.iter().next()?;
                out.described(validator(rule, arg)?)
            }
            rule => KeySpec { check: Some(validator(rule, item)?), ..out },
        };
    }
    Some(out)
}

fn pattern(arg: &Value) -> Option<&'static Pattern> {
    Some(Box::leak(Box::new(Pattern::new(leak_text(arg.as_str()?)))))
}

fn pair(arg: &Value) -> Option<(Option<i64>, Option<i64>)> {
    match arg.as_array()?.as_slice() {
        [min, max] => Some((min.as_i64(), max.as_i64())),
        _ => None,
    }
}

/// `None` for a name, or an argument, that is unknown here.
pub fn validator(rule: &str, arg: &Value) -> Option<Validator> {
    use Validator as V;
    let max = arg.as_u64().and_then(|max| usize::try_from(max).ok());
    Some(match rule {
        "type:boolean" => V::Boolean,
        "type:integer" => V::Integer(choices(arg)),
        "type:range" => pair(arg).map(|(min, max)| V::Range(min, max))?,
        "type:range_or_none" => pair(arg).map(|(min, max)| V::RangeOrNone(min, max))?,
        "type:non_negative" => V::NonNegative,
        "type:values" => V::Values(choices(arg)),
        "type:string" => V::String(max),
        "type:string_or_none" => V::StringOrNone(max),
        "type:not_empty_string" => V::NotEmptyString(max),
        "type:not_empty_string_or_none" => V::NotEmptyStringOrNone(max),
        "type:oneline_not_empty_string" => V::OnelineNotEmptyString(max),
        "type:oneline_not_empty_string_or_none" => V::OnelineNotEmptyStringOrNone(max),
        "type:name_string" => V::NameString(max),
        "type:name_string_or_none" => V::NameStringOrNone(max),
        "type:not_empty_name_string" => V::NotEmptyNameString(max),
        "type:name_string_not_default" => V::NameStringNotDefault(max),
        "type:name_not_default" => V::NameNotDefault(max),
        "type:list_of_unique_strings" => V::ListOfUniqueStrings(max),
        "type:list_of_allowed_values" => {
            V::ListOfAllowedValues(leak(arg.as_array()?.iter().filter_map(Value::as_str).map(leak_text).collect()))
        }
        "type:regex" => V::Regex(pattern(arg)?),
        "type:regex_or_none" => V::RegexOrNone(pattern(arg)?),
        "type:list_of_regex_or_none" => V::ListOfRegexOrNone(pattern(arg)?),
        "type:dict" => V::Dict(specs(arg)?),
        "type:dict_or_none" => V::DictOrNone(specs(arg)?),
        "type:dict_or_empty" => V::DictOrEmpty(specs(arg)?),
        "type:dict_or_nodata" => V::DictOrNodata(specs(arg)?),
        "type:list_of_dict_or_nodata" => V::ListOfDictOrNodata(specs(arg)?),
        "type:list_of_any_key_specs_or_none" => {
            let sets: Option<Vec<_>> = arg.as_array()?.iter().map(specs).collect();
            V::ListOfAnyKeySpecsOrNone(leak(sets?))
        }
        "type:port_range" => V::PortRange(pair(arg).and_then(|(min, max)| Some((min?, max?)))),
        "type:dns_host_name" => V::DnsHostName(max),
        "type:fip_dns_host_name" => V::FipDnsHostName(max),
        "type:dns_domain_name" => V::DnsDomainName(max),
        _ => return without_argument(rule),
    })
}

fn without_argument(rule: &str) -> Option<Validator> {
    use Validator as V;
    const ALL: [Validator; 27] = [
        V::MacAddress,
        V::MacAddressOrNone,
        V::IpAddress,
        V::IpAddressOrNone,
        V::IpOrSubnetOrNone,
        V::IpPools,
        V::FixedIps,
        V::Nameservers,
        V::Hostroutes,
        V::Subnet,
        V::SubnetOrNone,
        V::SubnetList,
        V::ListOfSubnetsOrNone,
        V::SubnetpoolId,
        V::SubnetpoolIdOrNone,
        V::Uuid,
        V::UuidOrNone,
        V::UuidList,
        V::UuidListNonEmpty,
        V::Ethertype,
        V::ServicePluginType,
        V::ListOfSubnetServiceTypes,
        V::Subports,
        V::NetworkSegments,
        V::AllowedAddressPairs,
        V::AvailabilityZoneHintList,
        V::ValidTargetProject,
    ];
    ALL.into_iter().find(|validator| validator.name() == rule)
}

type Convert = fn(Value, &Limits) -> Result<Value, Invalid>;

/// The converters that features wrap.
const CUSTOM: [(&str, Convert); 17] = [
    ("securitygroup.convert_protocol", securitygroup::convert_protocol),
    ("securitygroup.convert_ethertype_to_case_insensitive", securitygroup::convert_ethertype_to_case_insensitive),
    ("securitygroup.convert_validate_port_value", securitygroup::convert_validate_port_value),
    ("securitygroup.convert_ip_prefix_to_cidr", securitygroup::convert_ip_prefix_to_cidr),
    ("rbac.convert_valid_object_type", rbac::convert_valid_object_type),
    ("availability_zone.convert_az_list_to_string", availability_zone::convert_az_list_to_string),
    ("availability_zone.convert_az_string_to_list", availability_zone::convert_az_string_to_list),
    ("flowclassifier.normalize_protocol", sfc::normalize_protocol),
    ("flowclassifier.normalize_ethertype", sfc::normalize_ethertype),
    ("flowclassifier.normalize_port_value", sfc::normalize_port_value),
    ("flowclassifier.normalize_string", sfc::normalize_string),
    ("flowclassifier.normalize_l7parameters", sfc::normalize_l7parameters),
    ("sfc.normalize_port_pair_groups", sfc::normalize_port_pair_groups),
    ("sfc.normalize_chain_parameters", sfc::normalize_chain_parameters),
    ("sfc.normalize_sf_parameters", sfc::normalize_sf_parameters),
    ("sfc.normalize_ppg_parameters", sfc::normalize_ppg_parameters),
    ("servicegraph.normalize_service_graph", sfc::normalize_service_graph),
];

const PLAIN: [Converter; 21] = [
    Converter::ToBoolean,
    Converter::ToBooleanIfNotNone,
    Converter::ToInt,
    Converter::ToIntIfNotNone,
    Converter::ToPositiveFloatOrNone,
    Converter::KvpStrToList,
    Converter::KvpListToDict,
    Converter::NoneToEmptyList,
    Converter::NoneToEmptyDict,
    Converter::NoneToEmptyString,
    Converter::ToList,
    Converter::AllocationPoolsCanonical,
    Converter::IpCanonical,
    Converter::CidrCanonical,
    Converter::StringToCaseInsensitive,
    Converter::ToProtocol,
    Converter::ToString,
    Converter::PrefixForcedCase("Foo"),
    Converter::UppercaseIp,
    Converter::ToMacIfNone,
    Converter::SanitizedMac,
];

pub fn converter(name: &str) -> Option<Converter> {
    let plain = PLAIN.into_iter().find(|converter| converter.name() == name);
    plain.or_else(|| {
        let (known, convert) = CUSTOM.into_iter().find(|(known, _)| name == *known || name.ends_with(&format!(".{known}")))?;
        Some(Converter::Custom { name: known, convert })
    })
}

pub fn every_converter() -> Vec<Converter> {
    PLAIN.into_iter().chain(CUSTOM.into_iter().map(|(name, convert)| Converter::Custom { name, convert })).collect()
}
