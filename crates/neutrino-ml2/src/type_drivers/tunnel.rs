// SPDX-License-Identifier: Apache-2.0
//! What VXLAN, GRE and Geneve have in common: a number from a range, no physical network, a header that makes packets smaller.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::Tx;
use neutrino_types::{Result, error::kinds};

use super::{
    driver::{NO_NETWORK_AVAILABLE, Segment, Supply, TUNNEL_ID_IN_USE, TypeDriver},
    mtu::Mtus,
    pool::{Pool, Range},
};
use crate::network_segment_ranges::stored;

/// One of the three; their files say what differs.
pub struct Tunnel {
    pub network_type: &'static str,
    pub pool: Pool,
    /// The ids that the protocol has.
    pub valid: Range,
    pub ranges: Vec<Range>,
    /// What the protocol's headers take beneath the inner packet, without the outer IP header, in octets.
    pub overhead: i64,
    pub mtus: Mtus,
}

impl Tunnel {
    fn segment(&self, id: i64) -> Segment {
        Segment { segmentation_id: Some(id), ..Segment::of(self.network_type) }
    }
}

#[async_trait]
impl TypeDriver for Tunnel {
    fn network_type(&self) -> &'static str {
        self.network_type
    }

    fn is_partial(&self, segment: &Segment) -> bool {
        segment.segmentation_id.is_none()
    }

    fn validate(&self, segment: &Segment, _supply: Supply<'_>) -> Result<()> {
        if segment.physical_network.as_deref().is_some_and(|name| !name.is_empty()) {
            return Err(
                kinds::INVALID_INPUT.error(format!("A {} network has no provider:physical_network: leave it out.", self.network_type))
            );
        }
        let (first, last) = self.valid;
        match segment.segmentation_id {
            Some(id) if !(first..=last).contains(&id) => Err(kinds::INVALID_INPUT
                .error(format!("provider:segmentation_id {id} is no {} id: they go from {first} to {last}.", self.network_type))),
            _ => Ok(()),
        }
    }

    async fn reserve(&self, cx: &Context, tx: &mut Tx, segment: &Segment, supply: Supply<'_>) -> Result<Segment> {
        let Some(id) = segment.segmentation_id else {
            return self.allocate(cx, tx, supply).await?.ok_or_else(|| {
                NO_NETWORK_AVAILABLE.error(format!(
                    "Unable to create the network: no {} id is free. Delete unused networks, or add ranges.",
                    self.network_type
                ))
            });
        };
        if self.pool.take(tx, None, id).await? {
            return Ok(self.segment(id));
        }
        Err(TUNNEL_ID_IN_USE.error(format!("Unable to create the network: the tunnel id {id} is in use.")))
    }

    async fn allocate(&self, cx: &Context, tx: &mut Tx, supply: Supply<'_>) -> Result<Option<Segment>> {
        let Supply::Stored { project } = supply else {
            return Ok(self.pool.take_any(cx, tx, None, &self.ranges).await?.map(|id| self.segment(id)));
        };
        for ranges in stored::of_project(tx, self.network_type, project).await? {
            let ranges: Vec<Range> = ranges.into_values().flatten().collect();
            if let Some(id) = self.pool.take_any(cx, tx, None, &ranges).await? {
                return Ok(Some(self.segment(id)));
            }
        }
        Ok(None)
    }

    async fn release(&self, tx: &mut Tx, segment: &Segment, supply: Supply<'_>) -> Result<()> {
        let Some(id) = segment.segmentation_id else { return Ok(()) };
        if supply.is_stored() {
            let (kept, itself) = (stored::covers(tx, self.network_type, "", id).await?, [(id, id)]);
            return self.pool.release(tx, None, id, if kept { &itself } else { &[] }).await;
        }
        self.pool.release(tx, None, id, &self.ranges).await
    }

    fn mtu(&self, _physical_network: Option<&str>) -> i64 {
        self.mtus.tunnel(self.overhead)
    }

    fn configured(&self) -> Vec<(String, Range)> {
        self.ranges.iter().map(|range| (String::new(), *range)).collect()
    }

    async fn sync(&self, tx: &mut Tx, supply: Supply<'_>) -> Result<()> {
        let ranges = match supply {
            Supply::Configured => self.ranges.clone(),
            Supply::Stored { .. } => stored::all(tx, self.network_type).await?.into_values().flatten().collect(),
        };
        self.pool.sync(tx, &[(String::new(), ranges)].into()).await
    }
}
