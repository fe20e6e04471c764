// SPDX-License-Identifier: Apache-2.0
//! How large a packet may be on a segment, in octets. 0 means: nothing is known, no bound.

use std::collections::HashMap;

use oslo_config::Config;

/// What the operator says of the networks beneath.
#[derive(Clone, Debug)]
pub struct Mtus {
    /// `[DEFAULT] global_physnet_mtu`.
    pub global: i64,
    path: i64,
    physical_networks: HashMap<String, i64>,
    ip_header: i64,
}

impl Mtus {
    pub fn of(config: &Config) -> Result<Self, String> {
        let mut physical_networks = HashMap::new();
        for (name, value) in config.dict("ml2", "physical_network_mtus") {
            let mtu = value.trim().parse::<i64>().ok().filter(|mtu| (1..=i64::from(i32::MAX)).contains(mtu)).ok_or_else(|| {
                config
                    .refuse::<&str>(
                        "ml2",
                        "physical_network_mtus",
                        &format!("{name}:{value}"),
                        "has an MTU that is no positive number",
                        &[],
                    )
                    .to_string()
            })?;
            physical_networks.insert(name, mtu);
        }
        Ok(Self {
            global: config.int("DEFAULT", "global_physnet_mtu"),
            path: config.int("ml2", "path_mtu"),
            physical_networks,
            ip_header: if config.int("ml2", "overlay_ip_version") == 6 { 40 } else { 20 },
        })
    }

    /// On a physical network itself.
    #[must_use]
    pub fn physical(&self, physical_network: Option<&str>) -> i64 {
        let own = physical_network.and_then(|name| self.physical_networks.get(name)).copied().unwrap_or_default();
        smallest([self.global, own])
    }

    /// In a tunnel whose own header takes `overhead`.
    #[must_use]
    pub fn tunnel(&self, overhead: i64) -> i64 {
        match smallest([self.global, self.path]) {
            0 => 0,
            outer => (outer - self.ip_header - overhead).max(0),
        }
    }
}

/// The smallest that is known.
#[must_use]
pub fn smallest(mtus: impl IntoIterator<Item = i64>) -> i64 {
    mtus.into_iter().filter(|mtu| *mtu > 0).min().unwrap_or_default()
}
