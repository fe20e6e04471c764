// SPDX-License-Identifier: Apache-2.0
//! The error kinds of subnets and subnet pools beside those of [`crate::ipam::errors`].

use neutrino_types::Kind;

pub const NETWORK_NOT_FOUND: Kind = Kind::new("NetworkNotFound", 404);
pub const SUBNET_IN_USE: Kind = Kind::new("SubnetInUse", 409);
pub const GATEWAY_IP_IN_USE: Kind = Kind::new("GatewayIpInUse", 409);
pub const IPAM_VALUE_INVALID: Kind = Kind::new("IpamValueInvalid", 409);
pub const DNS_NAME_SERVERS_EXHAUSTED: Kind = Kind::new("DNSNameServersExhausted", 400);
pub const HOST_ROUTES_EXHAUSTED: Kind = Kind::new("HostRoutesExhausted", 400);
pub const NETWORK_MTU_SUBNET_CONFLICT: Kind = Kind::new("NetworkMTUSubnetConflict", 409);
pub const NETWORK_SUBNET_POOL_AFFINITY_ERROR: Kind = Kind::new("NetworkSubnetPoolAffinityError", 400);
pub const NETWORK_ADDRESS_SCOPE_AFFINITY_ERROR: Kind = Kind::new("NetworkAddressScopeAffinityError", 400);

pub const SEGMENT_NOT_FOUND: Kind = Kind::new("SegmentNotFound", 404);
pub const NETWORK_IDS_DONT_MATCH: Kind = Kind::new("NetworkIdsDontMatch", 400);
pub const SUBNETS_NOT_ALL_ASSOCIATED_WITH_SEGMENTS: Kind = Kind::new("SubnetsNotAllAssociatedWithSegments", 400);
pub const SUBNET_CANT_ASSOCIATE_TO_DYNAMIC_SEGMENT: Kind = Kind::new("SubnetCantAssociateToDynamicSegment", 400);
pub const SUBNET_SEGMENT_ASSOCIATION_CHANGE_NOT_ALLOWED: Kind = Kind::new("SubnetSegmentAssociationChangeNotAllowed", 400);
pub const NO_UPDATE_SUBNET_WHEN_MULTIPLE_SEGMENTS: Kind = Kind::new("NoUpdateSubnetWhenMultipleSegmentsOnNetwork", 400);

pub const SUBNET_POOL_NOT_FOUND: Kind = Kind::new("SubnetPoolNotFound", 404);
pub const SUBNET_POOL_DELETE_ERROR: Kind = Kind::new("SubnetPoolDeleteError", 400);
pub const ILLEGAL_SUBNET_POOL_PREFIX_UPDATE: Kind = Kind::new("IllegalSubnetPoolPrefixUpdate", 400);
pub const ILLEGAL_SUBNET_POOL_UPDATE: Kind = Kind::new("IllegalSubnetPoolUpdate", 400);
pub const ILLEGAL_SUBNET_POOL_IP_VERSION_ASSOCIATION: Kind = Kind::new("IllegalSubnetPoolIpVersionAssociationToAddressScope", 400);
pub const ADDRESS_SCOPE_PREFIX_CONFLICT: Kind = Kind::new("AddressScopePrefixConflict", 409);
pub const ADDRESS_SCOPE_NOT_FOUND: Kind = Kind::new("AddressScopeNotFound", 404);
pub const NOT_AUTHORIZED: Kind = Kind::new("NotAuthorized", 403);
