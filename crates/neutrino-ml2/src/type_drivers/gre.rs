// SPDX-License-Identifier: Apache-2.0
//! `gre`: GRE with a key (RFC 2890).

use oslo_config::Config;

use super::{
    mtu::Mtus,
    pool::Pool,
    ranges::{self, GRE_KEYS},
    tunnel::Tunnel,
};

const POOL: Pool = Pool { table: "ml2_gre_allocations", key: "gre_id", by_physical_network: false };
/// Ethernet and GRE headers.
const OVERHEAD: i64 = 22;

pub fn driver(config: &Config, mtus: Mtus) -> Result<Tunnel, String> {
    let ranges = ranges::tunnels(config, "ml2_type_gre", "tunnel_id_ranges", GRE_KEYS)?;
    Ok(Tunnel { network_type: "gre", pool: POOL, valid: GRE_KEYS, ranges, overhead: OVERHEAD, mtus })
}
