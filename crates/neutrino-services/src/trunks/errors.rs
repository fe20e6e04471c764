// SPDX-License-Identifier: Apache-2.0
//! The kinds of refusals, by Neutron's names, and the sentences that more than one rule needs.

use neutrino_types::{Error, Kind};

pub const TRUNK_NOT_FOUND: Kind = Kind::new("TrunkNotFound", 404);
pub const SUB_PORT_NOT_FOUND: Kind = Kind::new("SubPortNotFound", 404);
pub const PORT_NOT_FOUND: Kind = Kind::new("PortNotFound", 404);
pub const TRUNK_PORT_IN_USE: Kind = Kind::new("TrunkPortInUse", 409);
pub const DUPLICATE_SUB_PORT: Kind = Kind::new("DuplicateSubPort", 409);
pub const PARENT_PORT_IN_USE: Kind = Kind::new("ParentPortInUse", 409);
pub const SUB_PORT_MTU: Kind = Kind::new("SubPortMtuGreaterThanTrunkPortMtu", 409);
pub const PORT_IN_USE: Kind = Kind::new("PortInUse", 409);
pub const PORT_IN_USE_AS_PARENT: Kind = Kind::new("PortInUseAsTrunkParent", 409);
pub const PORT_IN_USE_AS_SUB_PORT: Kind = Kind::new("PortInUseAsSubPort", 409);
pub const TRUNK_IN_USE: Kind = Kind::new("TrunkInUse", 409);
pub const TRUNK_DISABLED: Kind = Kind::new("TrunkDisabled", 409);
pub const TRUNK_IN_ERROR: Kind = Kind::new("TrunkInErrorState", 409);

pub fn not_found(id: &str) -> Error {
    TRUNK_NOT_FOUND.error(format!("Trunk {id} could not be found."))
}

pub fn no_port(id: &str) -> Error {
    PORT_NOT_FOUND.error(format!("Port {id} could not be found."))
}

pub fn parent_in_use(id: &str) -> Error {
    PARENT_PORT_IN_USE.error(format!("Port {id} is in use, so that it cannot be the parent of a trunk or a sub-port of one."))
}

pub fn port_in_use(id: &str) -> Error {
    TRUNK_PORT_IN_USE.error(format!("Port {id} is a sub-port of a trunk already; remove it from that one first."))
}
