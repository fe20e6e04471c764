// SPDX-License-Identifier: Apache-2.0
//! Ports: the table, and what belongs to it alone. Each small extension of ports is a file of its own beside this one.
//!
//! Owns the tables `ports` and those of the extensions in this folder. Refuses to own addresses (`ipam`), bindings and status
//! (`mech`), and security groups, QoS, tags, trunks, which come as hooks of other features. Invariants: a port's row, its
//! addresses and its binding are written in one transaction; a MAC address is unique in its network by a key.

mod address_pairs;
mod data_plane_status;
mod device_profile;
mod dns;
pub mod extension_drivers;
mod extra_dhcp_opts;
pub mod fixed_ips;
mod hardware_offload_type;
mod hints;
pub mod mac;
pub mod network;
mod numa_affinity_policy;
mod port_security;
mod rules;
pub mod shown;
mod tags_in_bulk;
mod trusted;
mod uplink_status_propagation;

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Converter, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::Kind as ErrorKind;
use oslo_config::{Config, Opt};

pub const NOT_FOUND: ErrorKind = ErrorKind::new("PortNotFound", 404);

static RESOURCE: Resource = Resource::new(
    "ports",
    "port",
    "ports",
    "ports",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        Attribute::new("network_id").post().validate(Validator::Uuid).filter().sort().required_by_policy().column("network_id", Kind::Text),
        Attribute::new("admin_state_up")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("admin_state_up", Kind::Bool),
        Attribute::new("mac_address")
            .post()
            .put()
            .default(Default::Unset)
            .convert(Converter::ToMacIfNone)
            .validate(Validator::MacAddress)
            .filter()
            .sort()
            .enforce_policy()
            .column("mac_address", Kind::Text),
        Attribute::new("fixed_ips")
            .post()
            .put()
            .default(Default::Unset)
            .convert_list(Converter::KvpListToDict)
            .validate(Validator::FixedIps)
            .filter()
            .enforce_policy(),
        Attribute::new("device_id")
            .post()
            .put()
            .default(Default::Str(""))
            .validate(Validator::String(Some(255)))
            .filter()
            .sort()
            .enforce_policy()
            .column("device_id", Kind::Text),
        Attribute::new("device_owner")
            .post()
            .put()
            .default(Default::Str(""))
            .validate(Validator::String(Some(255)))
            .filter()
            .sort()
            .enforce_policy()
            .column("device_owner", Kind::Text),
        common::TENANT_ID,
        Attribute::new("status").filter().sort().column("status", Kind::Text),
    ],
)
.core()
.standard("ports")
.first_revision(1)
.visibility(Visibility::Sql(
    "t.project_id = :project OR EXISTS (SELECT 1 FROM networks n WHERE n.id = t.network_id AND n.project_id = :project)",
));

pub static OPTIONS: &[Opt] = &[
    Opt::str("DEFAULT", "base_mac")
        .default("fa:16:3e:00:00:00")
        .help("What generated MAC addresses begin with: three octets, and the fourth too unless it is 00."),
    address_pairs::OPTION,
    dns::OPTION,
    extension_drivers::OPTION,
];

/// What must hold of ports in the database, beyond what its keys say.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "port without a binding",
        "SELECT id FROM ports WHERE id NOT IN (SELECT port_id FROM ml2_port_bindings) \
         AND id NOT IN (SELECT port_id FROM ml2_distributed_port_bindings)",
    ),
    (
        "port with an address that IPAM does not know",
        "SELECT a.port_id FROM ipallocations a JOIN ipamsubnets s ON s.neutron_subnet_id = a.subnet_id \
         WHERE NOT EXISTS (SELECT 1 FROM ipamallocations i WHERE i.ipam_subnet_id = s.id AND i.ip_address = a.ip_address)",
    ),
    (
        "address in IPAM that no port has",
        "SELECT i.ip_address FROM ipamallocations i JOIN ipamsubnets s ON s.id = i.ipam_subnet_id \
         WHERE NOT EXISTS (SELECT 1 FROM ipallocations a WHERE a.subnet_id = s.neutron_subnet_id AND a.ip_address = i.ip_address)",
    ),
    (
        "port with an address on a subnet of another network",
        "SELECT a.port_id FROM ipallocations a JOIN ports p ON p.id = a.port_id JOIN subnets s ON s.id = a.subnet_id \
         WHERE s.network_id <> p.network_id OR a.network_id <> p.network_id",
    ),
    (
        "provisioning block of no resource",
        "SELECT standard_attr_id FROM provisioningblocks WHERE standard_attr_id NOT IN (SELECT id FROM standardattributes)",
    ),
];

/// Turns on ports and the extensions that the configuration asks for.
///
/// # Errors
/// A sentence for the operator.
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    builder.limits.base_mac = config.text("DEFAULT", "base_mac").parse().map_err(|_| {
        config.refuse::<&str>("DEFAULT", "base_mac", &config.text("DEFAULT", "base_mac"), "this is no MAC address", &[]).to_string()
    })?;
    builder.resource(&RESOURCE).behaviour("ports", rules::Ports);
    builder.loader("ports", fixed_ips::FixedIps).loader("ports", fixed_ips::MacFilter);
    mac::register(builder);
    builder.invariants(INVARIANTS);
    builder.limits.max_allowed_address_pair = usize::try_from(config.int("DEFAULT", "max_allowed_address_pair")).unwrap_or_default();
    address_pairs::register(builder);
    extra_dhcp_opts::register(builder);
    device_profile::register(builder);
    if neutrino_core::service_plugin(config, "segments") {
        shown::register_ip_allocation(builder);
    }
    numa_affinity_policy::register(builder);
    extension_drivers::register(builder, config)
}
