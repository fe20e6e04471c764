// SPDX-License-Identifier: Apache-2.0
//! `flat`: a physical network as it is, without tags. One network for each; the table has a row for each that is taken.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::{Tx, args};
use neutrino_types::{Result, error::kinds};
use oslo_config::Config;

use super::{
    driver::{FLAT_NETWORK_IN_USE, Segment, Supply, TypeDriver},
    mtu::Mtus,
};

pub struct Flat {
    /// `None`: any name.
    physical_networks: Option<Vec<String>>,
    mtus: Mtus,
}

impl Flat {
    pub fn of(config: &Config, mtus: Mtus) -> Self {
        let names = config.list("ml2_type_flat", "flat_networks");
        let physical_networks = (!names.iter().any(|name| name == "*")).then_some(names);
        Self { physical_networks, mtus }
    }
}

#[async_trait]
impl TypeDriver for Flat {
    fn network_type(&self) -> &'static str {
        "flat"
    }

    fn is_partial(&self, _segment: &Segment) -> bool {
        false
    }

    fn validate(&self, segment: &Segment, _supply: Supply<'_>) -> Result<()> {
        let invalid = |reason: String| Err(kinds::INVALID_INPUT.error(reason));
        let Some(name) = segment.physical_network.as_deref().filter(|name| !name.is_empty()) else {
            return invalid("A flat network needs provider:physical_network.".to_owned());
        };
        match &self.physical_networks {
            Some(known) if known.is_empty() => return invalid("Flat networks are turned off here.".to_owned()),
            Some(known) if !known.iter().any(|k| k == name) => {
                return invalid(format!("The physical network '{name}' is not one of those for flat networks."));
            }
            _ => {}
        }
        if segment.segmentation_id.is_some_and(|id| id != 0) {
            return invalid("A flat network has no provider:segmentation_id: leave it out.".to_owned());
        }
        Ok(())
    }

    async fn reserve(&self, _cx: &Context, tx: &mut Tx, segment: &Segment, _supply: Supply<'_>) -> Result<Segment> {
        let name = segment.physical_network.as_deref().unwrap_or_default();
        match tx.execute("INSERT INTO ml2_flat_allocations (physical_network) VALUES (?)", args![name]).await {
            Err(error) if error.is_duplicate("") => {
                Err(FLAT_NETWORK_IN_USE.error(format!("Unable to create the flat network: the physical network {name} is in use.")))
            }
            Err(error) => Err(error),
            Ok(_) => Ok(Segment { segmentation_id: None, ..segment.clone() }),
        }
    }

    /// Projects do not choose physical networks.
    async fn allocate(&self, _cx: &Context, _tx: &mut Tx, _supply: Supply<'_>) -> Result<Option<Segment>> {
        Ok(None)
    }

    async fn release(&self, tx: &mut Tx, segment: &Segment, _supply: Supply<'_>) -> Result<()> {
        let name = segment.physical_network.as_deref().unwrap_or_default();
        tx.execute("DELETE FROM ml2_flat_allocations WHERE physical_network = ?", args![name]).await?;
        Ok(())
    }

    fn mtu(&self, physical_network: Option<&str>) -> i64 {
        self.mtus.physical(physical_network)
    }
}
