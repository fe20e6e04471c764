// SPDX-License-Identifier: Apache-2.0
//! `geneve`: RFC 8926. How long its header is, the operator says.

use oslo_config::Config;

use super::{
    mtu::Mtus,
    pool::Pool,
    ranges::{self, VNIS},
    tunnel::Tunnel,
};

const POOL: Pool = Pool { table: "ml2_geneve_allocations", key: "geneve_vni", by_physical_network: false };

pub fn driver(config: &Config, mtus: Mtus) -> Result<Tunnel, String> {
    let ranges = ranges::tunnels(config, "ml2_type_geneve", "vni_ranges", VNIS)?;
    Ok(Tunnel { network_type: "geneve", pool: POOL, valid: VNIS, ranges, overhead: config.int("ml2_type_geneve", "max_header_size"), mtus })
}
