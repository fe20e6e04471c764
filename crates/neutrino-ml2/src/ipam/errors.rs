// SPDX-License-Identifier: Apache-2.0
//! The error kinds of IP address management: Neutron's exception names and statuses (`contract/errors.json`).
//!
//! Owns the names only; the sentences are written where the rule is.

use neutrino_types::Kind;

pub const INVALID_ALLOCATION_POOL: Kind = Kind::new("InvalidAllocationPool", 400);
pub const OUT_OF_BOUNDS_ALLOCATION_POOL: Kind = Kind::new("OutOfBoundsAllocationPool", 400);
pub const OVERLAPPING_ALLOCATION_POOLS: Kind = Kind::new("OverlappingAllocationPools", 409);
pub const GATEWAY_CONFLICT_WITH_ALLOCATION_POOLS: Kind = Kind::new("GatewayConflictWithAllocationPools", 409);

pub const IP_ADDRESS_GENERATION_FAILURE: Kind = Kind::new("IpAddressGenerationFailure", 409);
pub const IP_ADDRESS_ALREADY_ALLOCATED: Kind = Kind::new("IpAddressAlreadyAllocated", 409);

pub const EMPTY_SUBNET_POOL_PREFIX_LIST: Kind = Kind::new("EmptySubnetPoolPrefixList", 400);
pub const PREFIX_VERSION_MISMATCH: Kind = Kind::new("PrefixVersionMismatch", 400);
pub const UNSUPPORTED_MIN_SUBNET_POOL_PREFIX: Kind = Kind::new("UnsupportedMinSubnetPoolPrefix", 400);
pub const ILLEGAL_SUBNET_POOL_PREFIX_BOUNDS: Kind = Kind::new("IllegalSubnetPoolPrefixBounds", 400);
pub const MIN_PREFIX_SUBNET_ALLOCATION_ERROR: Kind = Kind::new("MinPrefixSubnetAllocationError", 400);
pub const MAX_PREFIX_SUBNET_ALLOCATION_ERROR: Kind = Kind::new("MaxPrefixSubnetAllocationError", 400);
pub const SUBNET_POOL_QUOTA_EXCEEDED: Kind = Kind::new("SubnetPoolQuotaExceeded", 409);
/// Neutron answers 500 here, because nothing maps the exception. A pool without room is no fault of the server, so this server
/// answers 409 under the same type.
pub const SUBNET_ALLOCATION_ERROR: Kind = Kind::new("SubnetAllocationError", 409);

pub const IP_ADDRESS_GENERATION_FAILURE_NO_MATCHING_SUBNET: Kind = Kind::new("IpAddressGenerationFailureNoMatchingSubnet", 409);
pub const INVALID_IP_FOR_SUBNET: Kind = Kind::new("InvalidIpForSubnet", 400);
pub const INVALID_IP_FOR_NETWORK: Kind = Kind::new("InvalidIpForNetwork", 400);
pub const ALLOCATION_ON_AUTO_ADDRESS_SUBNET: Kind = Kind::new("AllocationOnAutoAddressSubnet", 400);
pub const SUBNET_NOT_FOUND: Kind = Kind::new("SubnetNotFound", 404);
pub const HOST_NOT_CONNECTED_TO_ANY_SEGMENT: Kind = Kind::new("HostNotConnectedToAnySegment", 409);
pub const HOST_NOT_COMPATIBLE_WITH_FIXED_IPS: Kind = Kind::new("HostNotCompatibleWithFixedIps", 409);
pub const FIXED_IPS_SUBNETS_NOT_ON_SAME_SEGMENT: Kind = Kind::new("FixedIpsSubnetsNotOnSameSegment", 400);
