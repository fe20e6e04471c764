// SPDX-License-Identifier: Apache-2.0
//! The errors of routers: Neutron's types and statuses.

use neutrino_types::{Error, Kind, error::kinds};

pub const ROUTER_NOT_FOUND: Kind = Kind::new("RouterNotFound", 404);
pub const ROUTER_IN_USE: Kind = Kind::new("RouterInUse", 409);
pub const INTERFACE_NOT_FOUND: Kind = Kind::new("RouterInterfaceNotFound", 404);
pub const INTERFACE_NOT_FOUND_FOR_SUBNET: Kind = Kind::new("RouterInterfaceNotFoundForSubnet", 404);
pub const INTERFACE_IN_USE_BY_FLOATING_IP: Kind = Kind::new("RouterInterfaceInUseByFloatingIP", 409);
pub const INTERFACE_IN_USE_AS_GATEWAY: Kind = Kind::new("RouterInterfaceInUseAsGatewayByFloatingIP", 409);
pub const INTERFACE_IN_USE_BY_ROUTE: Kind = Kind::new("RouterInterfaceInUseByRoute", 409);
pub const GATEWAY_IN_USE_BY_FLOATING_IP: Kind = Kind::new("RouterExternalGatewayInUseByFloatingIp", 409);
pub const SUBNET_MISMATCH: Kind = Kind::new("SubnetMismatchForPort", 400);
pub const INVALID_ROUTES: Kind = Kind::new("InvalidRoutes", 400);
pub const PORT_IN_USE: Kind = Kind::new("PortInUse", 409);
pub const SERVICE_PORT_IN_USE: Kind = Kind::new("ServicePortInUse", 409);
pub const ZONE_NOT_FOUND: Kind = Kind::new("AvailabilityZoneNotFound", 404);

/// `BadRequest` about a router.
pub fn bad(sentence: impl std::fmt::Display) -> Error {
    kinds::BAD_REQUEST_PLUGIN.error(format!("Bad router request: {sentence}."))
}
