// SPDX-License-Identifier: Apache-2.0
//! The validators of the API's attributes, by Neutron's names, over JSON values.
//!
//! Owns what each `type:*` rule accepts, and nothing else: when rules run, and on which attribute, is the tables' matter; limits
//! that need the database are the plugins'. Some rules change the value in place (a dictionary's keys are converted).
//! Invariants: no input panics; the cost is linear in the input; a table of validators is a constant. What is accepted equals
//! Neutron 29.0.0, except where `tests/validator_cases.rs` lists a difference and why.

mod address;
mod allowed_address_pairs;
mod dict;
mod dns;
mod invalid;
mod limits;
mod list;
mod names;
mod number;
pub mod python;
mod service;
mod spec;
mod text;

use serde_json::Value;

pub use invalid::{Invalid, raised, shown, shown_text};
pub use limits::{Limits, Random};
pub use spec::{Choice, KeySpec, Literal, Pattern};
pub use text::{is_uuid_like, to_bool};

/// A rule with its argument. [`Validator::name`] gives Neutron's name for it.
///
/// `Option<usize>` is the most code points; a slice of [`KeySpec`] lists the keys a dictionary may have (empty: any dictionary).
#[derive(Clone, Copy, Debug)]
pub enum Validator {
    Boolean,
    /// With the values to choose from, if limited.
    Integer(Option<&'static [Choice]>),
    Range(Option<i64>, Option<i64>),
    RangeOrNone(Option<i64>, Option<i64>),
    NonNegative,
    /// `None` as in a definition without an argument: everything passes.
    Values(Option<&'static [Choice]>),
    String(Option<usize>),
    StringOrNone(Option<usize>),
    NotEmptyString(Option<usize>),
    NotEmptyStringOrNone(Option<usize>),
    OnelineNotEmptyString(Option<usize>),
    OnelineNotEmptyStringOrNone(Option<usize>),
    NameString(Option<usize>),
    NameStringOrNone(Option<usize>),
    NotEmptyNameString(Option<usize>),
    NameStringNotDefault(Option<usize>),
    NameNotDefault(Option<usize>),
    ListOfUniqueStrings(Option<usize>),
    ListOfAllowedValues(&'static [&'static str]),
    Regex(&'static Pattern),
    RegexOrNone(&'static Pattern),
    ListOfRegexOrNone(&'static Pattern),
    MacAddress,
    MacAddressOrNone,
    IpAddress,
    IpAddressOrNone,
    IpOrSubnetOrNone,
    IpPools,
    FixedIps,
    Nameservers,
    Hostroutes,
    Subnet,
    SubnetOrNone,
    SubnetList,
    ListOfSubnetsOrNone,
    SubnetpoolId,
    SubnetpoolIdOrNone,
    Uuid,
    UuidOrNone,
    UuidList,
    UuidListNonEmpty,
    Dict(&'static [KeySpec]),
    DictOrNone(&'static [KeySpec]),
    DictOrEmpty(&'static [KeySpec]),
    DictOrNodata(&'static [KeySpec]),
    ListOfDictOrNodata(&'static [KeySpec]),
    ListOfAnyKeySpecsOrNone(&'static [&'static [KeySpec]]),
    PortRange(Option<(i64, i64)>),
    Ethertype,
    ServicePluginType,
    ListOfSubnetServiceTypes,
    Subports,
    NetworkSegments,
    AllowedAddressPairs,
    AvailabilityZoneHintList,
    DnsHostName(Option<usize>),
    FipDnsHostName(Option<usize>),
    DnsDomainName(Option<usize>),
    ValidTargetProject,
    /// A rule of one feature.
    Custom {
        name: &'static str,
        check: fn(&mut Value, &Limits) -> Result<(), Invalid>,
    },
}

impl Validator {
    /// Checks a value, and brings it into the form that the rule promises where it promises one.
    ///
    /// # Errors
    /// Why the value is refused.
    pub fn check(&self, v: &mut Value, cx: &Limits) -> Result<(), Invalid> {
        if v.is_null() && self.allows_null() {
            return Ok(());
        }
        match *self {
            Self::Dict(specs) | Self::DictOrNone(specs) => dict::dict(v, specs, cx),
            Self::DictOrEmpty(specs) => match v {
                Value::Object(map) if map.is_empty() => Ok(()),
                other => dict::dict(other, specs, cx),
            },
            Self::DictOrNodata(specs) => dict_or_nodata(v, specs, cx),
            Self::ListOfDictOrNodata(specs) => match python::truth(v) {
                true => list::list_of(v, |item| dict_or_nodata(item, specs, cx)),
                false => Ok(()),
            },
            Self::ListOfAnyKeySpecsOrNone(sets) => dict::list_of_any_key_specs(v, sets, cx),
            Self::ServicePluginType => service::service_plugin_type(v, cx),
            Self::Ethertype => service::ethertype(v, cx),
            Self::AllowedAddressPairs => allowed_address_pairs::allowed_address_pairs(v, cx),
            Self::DnsHostName(max) => dns::dns_host_name(v, max, cx),
            Self::Custom { check, .. } => check(v, cx),
            _ => self.check_alone(v),
        }
    }

    /// The rules that need nothing but the value.
    fn check_alone(self, v: &mut Value) -> Result<(), Invalid> {
        match self {
            Self::Boolean => text::boolean(v),
            Self::Integer(choices) => number::integer(v, choices),
            Self::Range(min, max) | Self::RangeOrNone(min, max) => number::range(v, min, max),
            Self::NonNegative => number::non_negative(v),
            Self::PortRange(bounds) => number::port_range(v, bounds),
            Self::Values(choices) => choices.map_or(Ok(()), |choices| text::values(v, choices)),
            Self::Regex(pattern) | Self::RegexOrNone(pattern) => text::regex(v, pattern),
            Self::ListOfRegexOrNone(pattern) => list::list_of(v, |item| text::regex(item, pattern)),
            Self::ListOfUniqueStrings(max) => list::list_of(v, |item| text::string(item, max)),
            Self::ListOfAllowedValues(allowed) => list::list_of_allowed_values(v, allowed),
            Self::AvailabilityZoneHintList => list::availability_zone_hint_list(v),
            Self::Uuid | Self::UuidOrNone => text::uuid(v),
            Self::UuidList => list::list_of(v, |item| text::uuid(item)),
            Self::UuidListNonEmpty => list::list_of_non_empty(v, |item| text::uuid(item)),
            Self::SubnetpoolId | Self::SubnetpoolIdOrNone => text::subnetpool_id(v),
            Self::ValidTargetProject => text::valid_target_project(v),
            Self::ListOfSubnetServiceTypes => service::list_of_subnet_service_types(v),
            Self::Subports => service::subports(v),
            Self::NetworkSegments => service::network_segments(v),
            Self::FipDnsHostName(max) => dns::fip_dns_host_name(v, max),
            Self::DnsDomainName(max) => dns::dns_domain_name(v, max),
            _ => self.check_text_or_address(v),
        }
    }

    fn check_text_or_address(self, v: &mut Value) -> Result<(), Invalid> {
        match self {
            Self::String(max) | Self::StringOrNone(max) => text::string(v, max),
            Self::NotEmptyString(max) | Self::NotEmptyStringOrNone(max) => text::not_empty_string(v, max),
            Self::OnelineNotEmptyString(max) | Self::OnelineNotEmptyStringOrNone(max) => text::oneline_not_empty_string(v, max),
            Self::NameString(max) | Self::NameStringOrNone(max) => text::name_string(v, max),
            Self::NotEmptyNameString(max) => text::not_empty_name_string(v, max),
            Self::NameStringNotDefault(max) => text::name_string_not_default(v, max),
            Self::NameNotDefault(max) => text::name_not_default(v, max),
            Self::MacAddress | Self::MacAddressOrNone => address::mac_address(v),
            Self::IpAddress | Self::IpAddressOrNone => address::ip_address(v),
            Self::IpOrSubnetOrNone => address::ip_or_subnet(v),
            Self::IpPools => address::ip_pools(v),
            Self::FixedIps => address::fixed_ips(v),
            Self::Nameservers => address::nameservers(v),
            Self::Hostroutes => address::hostroutes(v),
            Self::Subnet | Self::SubnetOrNone => address::subnet(v),
            Self::SubnetList | Self::ListOfSubnetsOrNone => list::list_of(v, |item| address::subnet(item)),
            // Unreachable: every other rule is dispatched above. Refusing is the safe answer should one be forgotten.
            _ => Err(Invalid::reason(format!("the rule {} is not wired up", self.name()))),
        }
    }

    /// True for the rules whose name ends in `_or_none`.
    const fn allows_null(self) -> bool {
        matches!(
            self,
            Self::RangeOrNone(..)
                | Self::StringOrNone(_)
                | Self::NotEmptyStringOrNone(_)
                | Self::OnelineNotEmptyStringOrNone(_)
                | Self::NameStringOrNone(_)
                | Self::RegexOrNone(_)
                | Self::ListOfRegexOrNone(_)
                | Self::MacAddressOrNone
                | Self::IpAddressOrNone
                | Self::IpOrSubnetOrNone
                | Self::SubnetOrNone
                | Self::ListOfSubnetsOrNone
                | Self::SubnetpoolIdOrNone
                | Self::UuidOrNone
                | Self::DictOrNone(_)
                | Self::ListOfAnyKeySpecsOrNone(_)
        )
    }
}

/// A value that Python calls false means "no data"; anything else must be a dictionary of the known keys.
fn dict_or_nodata(v: &mut Value, specs: &[KeySpec], cx: &Limits) -> Result<(), Invalid> {
    if python::truth(v) { dict::dict(v, specs, cx) } else { Ok(()) }
}
