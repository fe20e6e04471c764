// SPDX-License-Identifier: Apache-2.0
//! The validators' names and arguments as the contract writes them.

use serde_json::{Value, json};

use super::Validator;
use super::spec::{Choice, specs_json};

impl Validator {
    /// Neutron's name, such as `type:uuid`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Boolean => "type:boolean",
            Self::Integer(_) => "type:integer",
            Self::Range(..) => "type:range",
            Self::RangeOrNone(..) => "type:range_or_none",
            Self::NonNegative => "type:non_negative",
            Self::Values(_) => "type:values",
            Self::String(_) => "type:string",
            Self::StringOrNone(_) => "type:string_or_none",
            Self::NotEmptyString(_) => "type:not_empty_string",
            Self::NotEmptyStringOrNone(_) => "type:not_empty_string_or_none",
            Self::OnelineNotEmptyString(_) => "type:oneline_not_empty_string",
            Self::OnelineNotEmptyStringOrNone(_) => "type:oneline_not_empty_string_or_none",
            Self::NameString(_) => "type:name_string",
            Self::NameStringOrNone(_) => "type:name_string_or_none",
            Self::NotEmptyNameString(_) => "type:not_empty_name_string",
            Self::NameStringNotDefault(_) => "type:name_string_not_default",
            Self::NameNotDefault(_) => "type:name_not_default",
            Self::ListOfUniqueStrings(_) => "type:list_of_unique_strings",
            Self::ListOfAllowedValues(_) => "type:list_of_allowed_values",
            Self::Regex(_) => "type:regex",
            Self::RegexOrNone(_) => "type:regex_or_none",
            Self::ListOfRegexOrNone(_) => "type:list_of_regex_or_none",
            Self::MacAddress => "type:mac_address",
            Self::MacAddressOrNone => "type:mac_address_or_none",
            Self::IpAddress => "type:ip_address",
            Self::IpAddressOrNone => "type:ip_address_or_none",
            Self::IpOrSubnetOrNone => "type:ip_or_subnet_or_none",
            Self::IpPools => "type:ip_pools",
            Self::FixedIps => "type:fixed_ips",
            Self::Nameservers => "type:nameservers",
            Self::Hostroutes => "type:hostroutes",
            _ => self.later_name(),
        }
    }

    const fn later_name(&self) -> &'static str {
        match self {
            Self::Subnet => "type:subnet",
            Self::SubnetOrNone => "type:subnet_or_none",
            Self::SubnetList => "type:subnet_list",
            Self::ListOfSubnetsOrNone => "type:list_of_subnets_or_none",
            Self::SubnetpoolId => "type:subnetpool_id",
            Self::SubnetpoolIdOrNone => "type:subnetpool_id_or_none",
            Self::Uuid => "type:uuid",
            Self::UuidOrNone => "type:uuid_or_none",
            Self::UuidList => "type:uuid_list",
            Self::UuidListNonEmpty => "type:uuid_list_non_empty",
            Self::Dict(_) => "type:dict",
            Self::DictOrNone(_) => "type:dict_or_none",
            Self::DictOrEmpty(_) => "type:dict_or_empty",
            Self::DictOrNodata(_) => "type:dict_or_nodata",
            Self::ListOfDictOrNodata(_) => "type:list_of_dict_or_nodata",
            Self::ListOfAnyKeySpecsOrNone(_) => "type:list_of_any_key_specs_or_none",
            Self::PortRange(_) => "type:port_range",
            Self::Ethertype => "type:ethertype",
            Self::ServicePluginType => "type:service_plugin_type",
            Self::ListOfSubnetServiceTypes => "type:list_of_subnet_service_types",
            Self::Subports => "type:subports",
            Self::NetworkSegments => "type:network_segments",
            Self::AllowedAddressPairs => "type:allowed_address_pairs",
            Self::AvailabilityZoneHintList => "type:availability_zone_hint_list",
            Self::DnsHostName(_) => "type:dns_host_name",
            Self::FipDnsHostName(_) => "type:fip_dns_host_name",
            Self::DnsDomainName(_) => "type:dns_domain_name",
            Self::ValidTargetProject => "type:valid_target_project",
            Self::Custom { name, .. } => name,
            _ => "",
        }
    }

    /// The argument as the contract's `validate` maps write it; `null` when there is none.
    #[must_use]
    pub fn arg_json(&self) -> Value {
        match *self {
            Self::Integer(choices) | Self::Values(choices) => choices.map_or(Value::Null, choices_json),
            Self::Range(min, max) | Self::RangeOrNone(min, max) => json!([min, max]),
            Self::PortRange(bounds) => bounds.map_or(Value::Null, |(min, max)| json!([min, max])),
            Self::String(max)
            | Self::StringOrNone(max)
            | Self::NotEmptyString(max)
            | Self::NotEmptyStringOrNone(max)
            | Self::OnelineNotEmptyString(max)
            | Self::OnelineNotEmptyStringOrNone(max)
            | Self::NameString(max)
            | Self::NameStringOrNone(max)
            | Self::NotEmptyNameString(max)
            | Self::NameStringNotDefault(max)
            | Self::NameNotDefault(max)
            | Self::ListOfUniqueStrings(max)
            | Self::DnsHostName(max)
            | Self::FipDnsHostName(max)
            | Self::DnsDomainName(max) => json!(max),
            Self::ListOfAllowedValues(allowed) => json!(allowed),
            Self::Regex(pattern) | Self::RegexOrNone(pattern) | Self::ListOfRegexOrNone(pattern) => json!(pattern.text()),
            Self::Dict(specs)
            | Self::DictOrNone(specs)
            | Self::DictOrEmpty(specs)
            | Self::DictOrNodata(specs)
            | Self::ListOfDictOrNodata(specs) => specs_json(specs),
            Self::ListOfAnyKeySpecsOrNone(sets) => sets.iter().map(|specs| specs_json(specs)).collect(),
            _ => Value::Null,
        }
    }
}

fn choices_json(choices: &[Choice]) -> Value {
    choices.iter().map(|choice| choice.to_value()).collect()
}
