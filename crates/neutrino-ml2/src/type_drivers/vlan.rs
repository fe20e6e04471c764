// SPDX-License-Identifier: Apache-2.0
//! `vlan`: IEEE 802.1Q tags on physical networks.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::{Db, Tx};
use neutrino_types::{Result, error::kinds};
use oslo_config::Config;

use super::{
    driver::{NO_NETWORK_AVAILABLE, Segment, TypeDriver, VLAN_ID_IN_USE},
    mtu::Mtus,
    pool::{Pool, Range},
    ranges::{self, VLAN_IDS},
};

const POOL: Pool = Pool { table: "ml2_vlan_allocations", key: "vlan_id", by_physical_network: true };

pub struct Vlan {
    /// In the operator's order, which is the order in which projects use them up.
    physical_networks: Vec<(String, Vec<Range>)>,
    mtus: Mtus,
}

impl Vlan {
    pub fn of(config: &Config, mtus: Mtus) -> std::result::Result<Self, String> {
        Ok(Self { physical_networks: ranges::vlans(config)?, mtus })
    }

    fn ranges(&self, physical_network: &str) -> Option<&[Range]> {
        self.physical_networks.iter().find(|(name, _)| name == physical_network).map(|(_, ranges)| ranges.as_slice())
    }

    fn segment(&self, physical_network: &str, id: i64) -> Segment {
        Segment { physical_network: Some(physical_network.to_owned()), segmentation_id: Some(id), ..Segment::of(self.network_type()) }
    }

    async fn take_any(&self, cx: &Context, tx: &mut Tx, only: Option<&str>) -> Result<Option<Segment>> {
        for (name, ranges) in &self.physical_networks {
            if only.is_some_and(|only| only != name) {
                continue;
            }
            if let Some(id) = POOL.take_any(cx, tx, Some(name), ranges).await? {
                return Ok(Some(self.segment(name, id)));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl TypeDriver for Vlan {
    fn network_type(&self) -> &'static str {
        "vlan"
    }

    fn is_partial(&self, segment: &Segment) -> bool {
        segment.segmentation_id.is_none()
    }

    fn validate(&self, segment: &Segment) -> Result<()> {
        let invalid = |reason: String| Err(kinds::INVALID_INPUT.error(reason));
        match (segment.physical_network.as_deref().filter(|name| !name.is_empty()), segment.segmentation_id) {
            (Some(name), _) if self.ranges(name).is_none() => {
                invalid(format!("The physical network '{name}' is not one of those for VLAN networks."))
            }
            (Some(_), Some(id)) if !(VLAN_IDS.0..=VLAN_IDS.1).contains(&id) => {
                invalid(format!("provider:segmentation_id {id} is no VLAN: they go from {} to {}.", VLAN_IDS.0, VLAN_IDS.1))
            }
            (None, Some(_)) => invalid("provider:segmentation_id of a VLAN network needs provider:physical_network.".to_owned()),
            _ => Ok(()),
        }
    }

    async fn reserve(&self, cx: &Context, tx: &mut Tx, segment: &Segment) -> Result<Segment> {
        let name = segment.physical_network.as_deref().filter(|name| !name.is_empty());
        let (Some(name), Some(id)) = (name, segment.segmentation_id) else {
            return self.take_any(cx, tx, name).await?.ok_or_else(|| {
                NO_NETWORK_AVAILABLE.error("Unable to create the network: no VLAN is free. Delete unused networks, or add ranges.")
            });
        };
        if POOL.take(tx, Some(name), id).await? {
            return Ok(self.segment(name, id));
        }
        Err(VLAN_ID_IN_USE.error(format!("Unable to create the network: the VLAN {id} on the physical network {name} is in use.")))
    }

    async fn allocate(&self, cx: &Context, tx: &mut Tx) -> Result<Option<Segment>> {
        self.take_any(cx, tx, None).await
    }

    async fn release(&self, tx: &mut Tx, segment: &Segment) -> Result<()> {
        let (Some(name), Some(id)) = (segment.physical_network.as_deref(), segment.segmentation_id) else { return Ok(()) };
        POOL.release(tx, Some(name), id, self.ranges(name).unwrap_or_default()).await
    }

    fn mtu(&self, physical_network: Option<&str>) -> i64 {
        self.mtus.physical(physical_network)
    }

    async fn sync_allocations(&self, db: &Db) -> Result<()> {
        POOL.sync(db, &self.physical_networks.iter().cloned().collect()).await
    }
}
