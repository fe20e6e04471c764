// SPDX-License-Identifier: Apache-2.0
//! What validators and converters need from outside a value: configuration, what is loaded, and randomness.
//!
//! Owns no configuration parsing. Randomness comes from the operation's context, so that a test can fix it.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;

use neutrino_types::mac::Mac;

/// Gives 64 random bits at each call.
pub type Random = Arc<dyn Fn() -> u64 + Send + Sync>;

/// See the module's documentation. The defaults of [`Limits::new`] are Neutron's.
#[derive(Clone)]
pub struct Limits {
    /// `[DEFAULT] max_allowed_address_pair`: the most pairs that one port may have.
    pub max_allowed_address_pair: usize,
    /// `[DEFAULT] dns_domain`.
    pub dns_domain: String,
    /// `[DEFAULT] base_mac`: what every generated MAC address begins with.
    pub base_mac: Mac,
    /// `[DEFAULT] sg_filter_ethertypes`: accept every ethertype, not only IPv4 and IPv6.
    pub sg_filter_ethertypes: bool,
    /// Types of the service plugins that are loaded (`L3_ROUTER_NAT`, `QOS`, ...).
    pub service_plugin_types: Vec<String>,
    /// Object types that an RBAC policy may share.
    pub rbac_object_types: Vec<String>,
    pub random: Random,
}

impl Limits {
    /// Neutron's defaults, with this source of random bits.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            max_allowed_address_pair: 10,
            dns_domain: "openstacklocal".to_owned(),
            base_mac: Mac::new([0xfa, 0x16, 0x3e, 0, 0, 0]),
            sg_filter_ethertypes: false,
            service_plugin_types: Vec::new(),
            rbac_object_types: Vec::new(),
            random,
        }
    }
}

impl Default for Limits {
    /// Takes its random bits from the keys that the operating system gives the standard library's hashers.
    fn default() -> Self {
        Self::new(Arc::new(|| RandomState::new().build_hasher().finish()))
    }
}

impl fmt::Debug for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limits")
            .field("max_allowed_address_pair", &self.max_allowed_address_pair)
            .field("dns_domain", &self.dns_domain)
            .field("base_mac", &self.base_mac)
            .field("sg_filter_ethertypes", &self.sg_filter_ethertypes)
            .field("service_plugin_types", &self.service_plugin_types)
            .field("rbac_object_types", &self.rbac_object_types)
            .finish_non_exhaustive()
    }
}
