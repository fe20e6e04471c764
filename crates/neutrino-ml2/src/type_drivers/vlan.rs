// SPDX-License-Identifier: Apache-2.0
//! `vlan`: IEEE 802.1Q tags on physical networks.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::Tx;
use neutrino_types::{Error, Result, error::kinds};
use oslo_config::Config;

use super::{
    driver::{NO_NETWORK_AVAILABLE, Segment, Supply, TypeDriver, VLAN_ID_IN_USE},
    mtu::Mtus,
    pool::{Pool, Range},
    ranges::{self, VLAN_IDS},
};
use crate::network_segment_ranges::stored;

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

    /// Where to look for a VLAN, in order.
    async fn places(&self, tx: &mut Tx, supply: Supply<'_>) -> Result<Vec<(String, Vec<Range>)>> {
        let Supply::Stored { project } = supply else { return Ok(self.physical_networks.clone()) };
        let mut places = Vec::new();
        for ranges in stored::of_project(tx, self.network_type(), project).await? {
            let mut ranges: Vec<(String, Vec<Range>)> = ranges.into_iter().collect();
            ranges.sort_by_key(|(name, _)| self.physical_networks.iter().position(|(known, _)| known == name).unwrap_or(usize::MAX));
            places.extend(ranges);
        }
        Ok(places)
    }

    async fn take_any(&self, cx: &Context, tx: &mut Tx, only: Option<&str>, supply: Supply<'_>) -> Result<Option<Segment>> {
        for (name, ranges) in &self.places(tx, supply).await? {
            if only.is_some_and(|only| only != name) {
                continue;
            }
            if let Some(id) = POOL.take_any(cx, tx, Some(name), ranges).await? {
                return Ok(Some(self.segment(name, id)));
            }
        }
        Ok(None)
    }

    /// Stored ranges may be of physical networks that the configuration does not know.
    async fn known(tx: &mut Tx, physical_network: Option<&str>, supply: Supply<'_>) -> Result<()> {
        let Some(name) = physical_network.filter(|_| supply.is_stored()) else { return Ok(()) };
        if stored::all(tx, "vlan").await?.contains_key(name) { Ok(()) } else { Err(unknown(name)) }
    }
}

fn unknown(physical_network: &str) -> Error {
    kinds::INVALID_INPUT.error(format!("The physical network '{physical_network}' is not one of those for VLAN networks."))
}

#[async_trait]
impl TypeDriver for Vlan {
    fn network_type(&self) -> &'static str {
        "vlan"
    }

    fn is_partial(&self, segment: &Segment) -> bool {
        segment.segmentation_id.is_none()
    }

    fn validate(&self, segment: &Segment, supply: Supply<'_>) -> Result<()> {
        let invalid = |reason: String| Err(kinds::INVALID_INPUT.error(reason));
        match (segment.physical_network.as_deref().filter(|name| !name.is_empty()), segment.segmentation_id) {
            (Some(name), _) if !supply.is_stored() && self.ranges(name).is_none() => Err(unknown(name)),
            (Some(_), Some(id)) if !(VLAN_IDS.0..=VLAN_IDS.1).contains(&id) => {
                invalid(format!("provider:segmentation_id {id} is no VLAN: they go from {} to {}.", VLAN_IDS.0, VLAN_IDS.1))
            }
            (None, Some(_)) => invalid("provider:segmentation_id of a VLAN network needs provider:physical_network.".to_owned()),
            _ => Ok(()),
        }
    }

    async fn reserve(&self, cx: &Context, tx: &mut Tx, segment: &Segment, supply: Supply<'_>) -> Result<Segment> {
        let name = segment.physical_network.as_deref().filter(|name| !name.is_empty());
        Self::known(tx, name, supply).await?;
        let (Some(name), Some(id)) = (name, segment.segmentation_id) else {
            return self.take_any(cx, tx, name, supply).await?.ok_or_else(|| {
                NO_NETWORK_AVAILABLE.error("Unable to create the network: no VLAN is free. Delete unused networks, or add ranges.")
            });
        };
        if POOL.take(tx, Some(name), id).await? {
            return Ok(self.segment(name, id));
        }
        Err(VLAN_ID_IN_USE.error(format!("Unable to create the network: the VLAN {id} on the physical network {name} is in use.")))
    }

    async fn allocate(&self, cx: &Context, tx: &mut Tx, supply: Supply<'_>) -> Result<Option<Segment>> {
        self.take_any(cx, tx, None, supply).await
    }

    async fn release(&self, tx: &mut Tx, segment: &Segment, supply: Supply<'_>) -> Result<()> {
        let (Some(name), Some(id)) = (segment.physical_network.as_deref(), segment.segmentation_id) else { return Ok(()) };
        if supply.is_stored() {
            let (kept, itself) = (stored::covers(tx, self.network_type(), name, id).await?, [(id, id)]);
            return POOL.release(tx, Some(name), id, if kept { &itself } else { &[] }).await;
        }
        POOL.release(tx, Some(name), id, self.ranges(name).unwrap_or_default()).await
    }

    fn mtu(&self, physical_network: Option<&str>) -> i64 {
        self.mtus.physical(physical_network)
    }

    fn configured(&self) -> Vec<(String, Range)> {
        let all = self.physical_networks.iter();
        all.flat_map(|(name, ranges)| ranges.iter().map(move |range| (name.clone(), *range))).collect()
    }

    async fn sync(&self, tx: &mut Tx, supply: Supply<'_>) -> Result<()> {
        let ranges = match supply {
            Supply::Configured => self.physical_networks.iter().cloned().collect(),
            Supply::Stored { .. } => stored::all(tx, self.network_type()).await?,
        };
        POOL.sync(tx, &ranges).await
    }
}
