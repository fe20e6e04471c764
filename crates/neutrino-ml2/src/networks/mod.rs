// SPDX-License-Identifier: Apache-2.0
//! Networks: what one is, who sees it, and how it lives and dies.
//!
//! Owns the `networks` table and what Neutron keeps beside it for a network alone: sharing, being external, segments, the MTU,
//! availability zones. Subnets and ports belong to others; a network's death goes through their rules.
//! Invariants: `networkrbacs` is the truth about sharing; a network that dies leaves no segment allocated.

mod availability_zones;
mod external;
mod invariants;
mod loaders;
mod mtu;
mod provider;
mod rules;
mod segment_service;
mod sharing;
mod vlan_transparent;

use std::sync::Arc;

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Converter, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    rbac_exists,
};
use neutrino_types::Kind as ErrorKind;
use oslo_config::Config;

pub use vlan_transparent::OPTIONS;

use crate::{
    network_segment_ranges,
    type_drivers::{SyncAllocations, TypeManager},
};

pub const NOT_FOUND: ErrorKind = ErrorKind::new("NetworkNotFound", 404);
pub const IN_USE: ErrorKind = ErrorKind::new("NetworkInUse", 409);

/// Owners of ports that a network takes with it when it is deleted.
pub const AUTO_DELETE_PORT_OWNERS: [&str; 3] = ["network:dhcp", "network:distributed", "network:floatingip_agent_gateway"];

static RESOURCE: Resource = Resource::new(
    "networks",
    "network",
    "networks",
    "networks",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        Attribute::new("subnets").default(Default::EmptyList),
        Attribute::new("admin_state_up")
            .post()
            .put()
            .default(Default::Bool(true))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("admin_state_up", Kind::Bool),
        Attribute::new("status").filter().sort().column("status", Kind::Text),
        common::TENANT_ID,
        Attribute::new("shared")
            .post()
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .required_by_policy()
            .enforce_policy()
            .expr(rbac_exists!("networkrbacs", "access_as_shared"), Kind::Bool),
        Attribute::new("ipv4_address_scope").validate(Validator::StringOrNone(None)),
        Attribute::new("ipv6_address_scope").validate(Validator::StringOrNone(None)),
    ],
)
.core()
.standard("networks")
.first_revision(1)
.visibility(Visibility::Sql(
    "t.project_id = :project OR EXISTS (SELECT 1 FROM networkrbacs r WHERE r.object_id = t.id \
     AND r.action IN ('access_as_shared', 'access_as_external') AND r.target_project IN ('*', :project))",
));

/// Networks with the network types that the configuration loads.
///
/// # Errors
/// A sentence for the operator; see [`TypeManager::of`].
pub fn register(builder: &mut Builder, config: &Config) -> Result<(), String> {
    let types = Arc::new(TypeManager::of(config)?);
    builder.resource(&RESOURCE).behaviour("networks", rules::Networks { types: types.clone() }).loader("networks", loaders::Subnets);
    segment_service::register(builder, types.clone());
    if network_segment_ranges::is_on(config) {
        builder.startup(network_segment_ranges::Defaults(types.clone()));
    }
    builder.startup(SyncAllocations(types.clone())).service(types.clone());
    network_segment_ranges::register(builder, config, types);
    external::register(builder);
    invariants::register(builder);
    mtu::register(builder);
    availability_zones::register(builder);
    provider::register(builder);
    vlan_transparent::register(builder, config);
    Ok(())
}
