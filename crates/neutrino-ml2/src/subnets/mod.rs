// SPDX-License-Identifier: Apache-2.0
//! Subnets: the blocks of addresses of a network.
//!
//! Owns the collection `subnets`, its tables, and the extensions that add to it. [`rules`] judges a subnet by its own values,
//! [`create`] and [`change`] by everything else; [`details`] holds the lists; [`auto_address`] serves ports that were there first.
//! Invariants: the subnets of a network do not overlap; IPAM's rows ([`crate::ipam::records`]) live and die with the subnet; a
//! change of a subnet is a change of its network (revision).

mod auto_address;
mod change;
mod create;
mod details;
pub(crate) mod errors;
pub(crate) mod network;
mod rules;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, ListQuery, Op};
use neutrino_model::{
    Attribute, Body, Choice, Converter, Extension, Record, Resource, Validator, Visibility,
    attribute::{Default, Join, Kind, common},
};
use neutrino_types::{Result, cidr::Cidr};
use oslo_config::Config;

use crate::ipam::errors::SUBNET_NOT_FOUND;
use rules::SubnetLimits;

pub use rules::OPTIONS;

/// A network that is shared with the caller shares its subnets.
macro_rules! network_shared {
    () => {
        "EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = t.network_id AND r.action = 'access_as_shared' AND r.target_project IN ('*', :project))"
    };
}

/// Whether the network is shared with the caller, or open to it as an external one: either shows its subnets.
macro_rules! network_reachable {
    () => {
        "EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = t.network_id AND r.action IN ('access_as_shared', 'access_as_external') AND r.target_project IN ('*', :project))"
    };
}

const IPV6_MODES: &[Choice] = &[Choice::Str("dhcpv6-stateful"), Choice::Str("dhcpv6-stateless"), Choice::Str("slaac"), Choice::Null];

static RESOURCE: Resource = Resource::new(
    "subnets",
    "subnet",
    "subnets",
    "subnets",
    SUBNET_NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        Attribute::new("ip_version")
            .post()
            .convert(Converter::ToInt)
            .validate(Validator::Values(Some(&[Choice::Int(4), Choice::Int(6)])))
            .filter()
            .sort()
            .column("ip_version", Kind::Int),
        Attribute::new("network_id").post().validate(Validator::Uuid).filter().sort().required_by_policy().column("network_id", Kind::Text),
        Attribute::new("subnetpool_id")
            .post()
            .default(Default::Unset)
            .validate(Validator::SubnetpoolIdOrNone)
            .filter()
            .sort()
            .column("subnetpool_id", Kind::Text),
        Attribute::new("prefixlen")
            .post()
            .default(Default::Unset)
            .convert(Converter::ToInt)
            .validate(Validator::NonNegative)
            .hidden()
            .request_only(),
        Attribute::new("cidr")
            .post()
            .default(Default::Unset)
            .convert(Converter::CidrCanonical)
            .validate(Validator::SubnetOrNone)
            .filter()
            .sort()
            .column("cidr", Kind::Text),
        Attribute::new("gateway_ip")
            .post()
            .put()
            .default(Default::Unset)
            .convert(Converter::IpCanonical)
            .validate(Validator::IpAddressOrNone)
            .filter()
            .sort()
            .column("gateway_ip", Kind::Text),
        Attribute::new("allocation_pools")
            .post()
            .put()
            .default(Default::Unset)
            .convert(Converter::AllocationPoolsCanonical)
            .validate(Validator::IpPools),
        Attribute::new("dns_nameservers")
            .post()
            .put()
            .default(Default::Unset)
            .convert(Converter::NoneToEmptyList)
            .validate(Validator::Nameservers),
        Attribute::new("host_routes")
            .post()
            .put()
            .default(Default::Unset)
            .convert(Converter::NoneToEmptyList)
            .validate(Validator::Hostroutes),
        common::TENANT_ID,
        Attribute::new("enable_dhcp")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("enable_dhcp", Kind::Bool),
        Attribute::new("ipv6_ra_mode")
            .post()
            .default(Default::Unset)
            .validate(Validator::Values(Some(IPV6_MODES)))
            .filter()
            .sort()
            .column("ipv6_ra_mode", Kind::Text),
        Attribute::new("ipv6_address_mode")
            .post()
            .default(Default::Unset)
            .validate(Validator::Values(Some(IPV6_MODES)))
            .filter()
            .sort()
            .column("ipv6_address_mode", Kind::Text),
        Attribute::new("shared")
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .hidden()
            .filter()
            .required_by_policy()
            .enforce_policy()
            .expr(network_shared!(), Kind::Bool),
    ],
)
.core()
.standard("subnets")
.visibility(Visibility::Sql(concat!("t.project_id = :project OR ", network_reachable!())));

static ALLOCATION: Extension = Extension::new(
    "subnet_allocation",
    "Subnet Allocation",
    "Enables allocation of subnets from a subnet pool",
    "2015-03-30T10:00:00-00:00",
);

static SERVICE_TYPES: Extension = Extension::new(
    "subnet-service-types",
    "Subnet service types",
    "Provides ability to set the subnet service_types field",
    "2016-03-15T18:00:00-00:00",
)
.extends(&[(
    "subnets",
    &[Attribute::new("service_types").post().put().default(Default::Unset).validate(Validator::ListOfSubnetServiceTypes)],
)]);

static EXTERNAL_NETWORK: Extension = Extension::new(
    "subnet-external-network",
    "Subnet belongs to an external network",
    "Informs if the subnet belongs to an external network",
    "2024-02-05T18:00:00-00:00",
)
.extends(&[(
    "subnets",
    &[Attribute::new("router:external")
        .default(Default::Bool(false))
        .convert(Converter::ToBoolean)
        .filter()
        .required_by_policy()
        .enforce_policy()
        .expr("EXISTS (SELECT 1 FROM externalnetworks e WHERE e.network_id = t.network_id)", Kind::Bool)],
)]);

static PUBLISHED: Join = Join::when_set("subnet_dns_publish_fixed_ips", "subnet_id");

/// Belongs to the extension driver `subnet_dns_publish_fixed_ip`: [`register_dns_publish`].
static DNS_PUBLISH: Extension = Extension::new(
    "subnet-dns-publish-fixed-ip",
    "Subnet DNS publish fixed IP",
    "Support choosing to publish DNS records for IPs from a subnet",
    "2019-05-24T10:00:00-00:00",
)
.requires(&["dns-domain-ports"])
.extends(&[(
    "subnets",
    &[Attribute::new("dns_publish_fixed_ip").post().put().default(Default::Bool(false)).convert(Converter::ToBoolean).joined(
        &PUBLISHED,
        "dns_publish_fixed_ip",
        Kind::Bool,
    )],
)]);

struct Subnets {
    limits: SubnetLimits,
}

#[async_trait]
impl Behaviour for Subnets {
    /// A CIDR is stored as the network that it means; so it is looked for.
    async fn before_list(&self, engine: &Engine, _cx: &Context, query: &mut ListQuery) -> Result<()> {
        let cidr = engine.entry("subnets")?.table.find("cidr");
        for filter in query.filters.iter_mut().filter(|filter| Some(filter.attribute) == cidr) {
            for value in &mut filter.values {
                if let Some(cidr) = value.as_str().and_then(|text| text.parse::<Cidr>().ok()) {
                    *value = cidr.to_string().into();
                }
            }
        }
        Ok(())
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        create::create(op, &self.limits, id, body).await
    }

    async fn created(&self, op: &mut Op<'_>, record: &Record) -> Result<()> {
        auto_address::add_to_ports(op, record).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        change::update(op, &self.limits, original, body).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        change::delete(op, original).await
    }
}

pub fn register(builder: &mut Builder, config: &Config) {
    builder
        .resource(&RESOURCE)
        .extension(&ALLOCATION)
        .extension(&SERVICE_TYPES)
        .extension(&EXTERNAL_NETWORK)
        .behaviour("subnets", Subnets { limits: SubnetLimits::from_config(config) })
        .loader("subnets", details::Details)
        .invariants(&[
            (
                "subnet that IPAM does not know",
                "SELECT id FROM subnets WHERE id NOT IN (SELECT neutron_subnet_id FROM ipamsubnets WHERE neutron_subnet_id IS NOT NULL)",
            ),
            (
                "IPAM subnet without a subnet",
                "SELECT neutron_subnet_id FROM ipamsubnets WHERE neutron_subnet_id NOT IN (SELECT id FROM subnets)",
            ),
        ]);
}

/// The extension driver `subnet_dns_publish_fixed_ip`, which an operator turns on in `[ml2] extension_drivers`.
pub fn register_dns_publish(builder: &mut Builder) {
    builder.extension(&DNS_PUBLISH);
}
