// SPDX-License-Identifier: Apache-2.0
//! `vxlan`: RFC 7348.

use oslo_config::Config;

use super::{
    mtu::Mtus,
    pool::Pool,
    ranges::{self, VNIS},
    tunnel::Tunnel,
};

const POOL: Pool = Pool { table: "ml2_vxlan_allocations", key: "vxlan_vni", by_physical_network: false };
/// Ethernet, UDP and VXLAN headers.
const OVERHEAD: i64 = 30;

pub fn driver(config: &Config, mtus: Mtus) -> Result<Tunnel, String> {
    let ranges = ranges::tunnels(config, "ml2_type_vxlan", "vni_ranges", VNIS)?;
    Ok(Tunnel { network_type: "vxlan", pool: POOL, valid: VNIS, ranges, overhead: OVERHEAD, mtus })
}
