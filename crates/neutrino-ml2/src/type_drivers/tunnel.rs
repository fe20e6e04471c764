// SPDX-License-Identifier: Apache-2.0
//! What VXLAN, GRE and Geneve have in common: a number from a range, no physical network, a header that makes packets smaller.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::{Db, Tx};
use neutrino_types::{Result, error::kinds};

use super::{
    driver::{NO_NETWORK_AVAILABLE, Segment, TUNNEL_ID_IN_USE, TypeDriver},
    mtu::Mtus,
    pool::{Pool, Range},
};

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

    fn validate(&self, segment: &Segment) -> Result<()> {
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

    async fn reserve(&self, cx: &Context, tx: &mut Tx, segment: &Segment) -> Result<Segment> {
        let Some(id) = segment.segmentation_id else {
            return self.allocate(cx, tx).await?.ok_or_else(|| {
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

    async fn allocate(&self, cx: &Context, tx: &mut Tx) -> Result<Option<Segment>> {
        Ok(self.pool.take_any(cx, tx, None, &self.ranges).await?.map(|id| self.segment(id)))
    }

    async fn release(&self, tx: &mut Tx, segment: &Segment) -> Result<()> {
        match segment.segmentation_id {
            Some(id) => self.pool.release(tx, None, id, &self.ranges).await,
            None => Ok(()),
        }
    }

    fn mtu(&self, _physical_network: Option<&str>) -> i64 {
        self.mtus.tunnel(self.overhead)
    }

    async fn sync_allocations(&self, db: &Db) -> Result<()> {
        self.pool.sync(db, &[(String::new(), self.ranges.clone())].into()).await
    }
}
