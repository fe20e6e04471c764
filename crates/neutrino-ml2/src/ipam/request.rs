// SPDX-License-Identifier: Apache-2.0
//! What a port asks of address allocation, and what it gets.
//!
//! Owns these types and the device owners that allocation treats apart. No rule, no table.

use neutrino_types::ip::Ip;
use neutrino_types::mac::Mac;

pub const DEVICE_OWNER_DHCP: &str = "network:dhcp";
pub const DEVICE_OWNER_DISTRIBUTED: &str = "network:distributed";
pub const DEVICE_OWNER_ROUTER_INTF: &str = "network:router_interface";
pub const DEVICE_OWNER_HA_REPLICATED_INT: &str = "network:ha_router_replicated_interface";
pub const DEVICE_OWNER_DVR_INTERFACE: &str = "network:router_interface_distributed";
pub const DEVICE_OWNER_ROUTER_SNAT: &str = "network:router_centralized_snat";
pub const DEVICE_OWNER_ROUTER_GW: &str = "network:router_gateway";

/// Interfaces of routers.
pub const ROUTER_INTERFACE_OWNERS: [&str; 3] = [DEVICE_OWNER_ROUTER_INTF, DEVICE_OWNER_HA_REPLICATED_INT, DEVICE_OWNER_DVR_INTERFACE];
/// Interfaces of routers, and the ports that centralize SNAT.
pub const ROUTER_INTERFACE_OWNERS_SNAT: [&str; 4] =
    [DEVICE_OWNER_ROUTER_INTF, DEVICE_OWNER_HA_REPLICATED_INT, DEVICE_OWNER_DVR_INTERFACE, DEVICE_OWNER_ROUTER_SNAT];

/// The port that wants addresses.
#[derive(Clone, Copy, Debug)]
pub struct PortFacts<'a> {
    pub network_id: &'a str,
    pub device_owner: &'a str,
    pub mac: Mac,
    /// The host that it is bound to (`binding:host_id`); empty when not known.
    pub host: &'a str,
}

impl PortFacts<'_> {
    #[must_use]
    pub fn is_distributed(&self) -> bool {
        self.device_owner == DEVICE_OWNER_DISTRIBUTED
    }

    #[must_use]
    pub fn is_router_interface(&self) -> bool {
        ROUTER_INTERFACE_OWNERS.contains(&self.device_owner)
    }

    #[must_use]
    pub fn is_router_interface_or_snat(&self) -> bool {
        ROUTER_INTERFACE_OWNERS_SNAT.contains(&self.device_owner)
    }

    /// A router's port of any kind, or a port whose owner is not known.
    #[must_use]
    pub fn is_router_or_unknown(&self) -> bool {
        self.is_router_interface_or_snat() || matches!(self.device_owner, "" | DEVICE_OWNER_ROUTER_GW)
    }
}

/// One entry of `fixed_ips` in a request. Neither of both is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixedIp {
    pub subnet_id: Option<String>,
    pub ip_address: Option<Ip>,
}

/// The attribute `fixed_ips` of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FixedIpsRequest {
    /// Absent: one IPv4 and one IPv6 address if there are such subnets.
    Unspecified,
    Given(Vec<FixedIp>),
}

/// An address that a port holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allocated {
    pub subnet_id: String,
    pub ip_address: Ip,
}

/// The port's attribute `ip_allocation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpAllocation {
    Immediate,
    /// The network is routed and the host is not known: addresses come with the host.
    Deferred,
    /// An empty list was asked for.
    None,
}

impl IpAllocation {
    /// As the column and the API say it.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Immediate => "immediate",
            Self::Deferred => "deferred",
            Self::None => "none",
        }
    }
}

/// What a new port gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    pub addresses: Vec<Allocated>,
    pub mode: IpAllocation,
}

/// What an update did to a port's addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    pub added: Vec<Allocated>,
    pub kept: Vec<Allocated>,
    pub removed: Vec<Allocated>,
}

impl Changes {
    /// What the port holds now.
    #[must_use]
    pub fn addresses(&self) -> Vec<Allocated> {
        self.kept.iter().chain(&self.added).cloned().collect()
    }
}
