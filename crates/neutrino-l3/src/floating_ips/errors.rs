// SPDX-License-Identifier: Apache-2.0
//! The errors of floating IPs: Neutron's types and statuses.

use neutrino_types::{Error, Kind, error::kinds};

pub const NOT_FOUND: Kind = Kind::new("FloatingIPNotFound", 404);
pub const NO_WAY_OUT: Kind = Kind::new("ExternalGatewayForFloatingIPNotFound", 404);
pub const ALREADY_ASSOCIATED: Kind = Kind::new("FloatingIPPortAlreadyAssociated", 409);
pub const PORT_HAS_FLOATING_IP: Kind = Kind::new("FipAssociated", 409);
pub const NO_ADDRESS_LEFT: Kind = Kind::new("ExternalIpAddressExhausted", 400);
pub const SERVICE_PORT_IN_USE: Kind = Kind::new("ServicePortInUse", 409);
pub const PORT_NOT_FOUND: Kind = Kind::new("PortNotFound", 404);
pub const POOL_NOT_FOUND: Kind = Kind::new("HTTPNotFound", 404);

/// `BadRequest` about a floating IP.
pub fn bad(sentence: impl std::fmt::Display) -> Error {
    kinds::BAD_REQUEST_PLUGIN.error(format!("Bad floatingip request: {sentence}."))
}

/// The floating IP is not there.
pub fn gone(id: &str) -> Error {
    NOT_FOUND.error(format!("Floating IP {id} could not be found."))
}
