// SPDX-License-Identifier: Apache-2.0
//! `local`: a network within each host. Nothing is allocated.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::Tx;
use neutrino_types::{Result, error::kinds};

use super::driver::{Segment, Supply, TypeDriver};

pub struct Local;

#[async_trait]
impl TypeDriver for Local {
    fn network_type(&self) -> &'static str {
        "local"
    }

    fn is_partial(&self, _segment: &Segment) -> bool {
        false
    }

    fn validate(&self, segment: &Segment, _supply: Supply<'_>) -> Result<()> {
        let physical = segment.physical_network.as_deref().is_some_and(|name| !name.is_empty());
        if physical || segment.segmentation_id.is_some_and(|id| id != 0) {
            return Err(kinds::INVALID_INPUT
                .error("A local network has neither provider:physical_network nor provider:segmentation_id: leave both out."));
        }
        Ok(())
    }

    async fn reserve(&self, _cx: &Context, _tx: &mut Tx, _segment: &Segment, _supply: Supply<'_>) -> Result<Segment> {
        Ok(Segment::of(self.network_type()))
    }

    async fn allocate(&self, _cx: &Context, _tx: &mut Tx, _supply: Supply<'_>) -> Result<Option<Segment>> {
        Ok(Some(Segment::of(self.network_type())))
    }

    async fn release(&self, _tx: &mut Tx, _segment: &Segment, _supply: Supply<'_>) -> Result<()> {
        Ok(())
    }

    fn mtu(&self, _physical_network: Option<&str>) -> i64 {
        0
    }
}
