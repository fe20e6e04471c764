// SPDX-License-Identifier: Apache-2.0
//! What a type driver is: the rules of one kind of network segment.

use async_trait::async_trait;
use neutrino_core::Context;
use neutrino_db::Tx;
use neutrino_types::{Kind as ErrorKind, Result};

use super::pool::Range;

pub const VLAN_ID_IN_USE: ErrorKind = ErrorKind::new("VlanIdInUse", 409);
pub const TUNNEL_ID_IN_USE: ErrorKind = ErrorKind::new("TunnelIdInUse", 409);
pub const FLAT_NETWORK_IN_USE: ErrorKind = ErrorKind::new("FlatNetworkInUse", 409);
pub const NO_NETWORK_AVAILABLE: ErrorKind = ErrorKind::new("NoNetworkAvailable", 503);

/// A segment as it is asked for or as it was reserved. What is absent is for the driver to choose, or has no meaning for the type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    pub network_type: String,
    pub physical_network: Option<String>,
    pub segmentation_id: Option<i64>,
}

impl Segment {
    #[must_use]
    pub fn of(network_type: &str) -> Self {
        Self { network_type: network_type.to_owned(), physical_network: None, segmentation_id: None }
    }
}

/// Where the ids of segments come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply<'a> {
    /// The ranges of the configuration.
    Configured,
    /// Those of the database ([`crate::network_segment_ranges`]), for a network of this project.
    Stored { project: Option<&'a str> },
}

impl Supply<'_> {
    #[must_use]
    pub fn is_stored(self) -> bool {
        matches!(self, Self::Stored { .. })
    }
}

/// The rules of one type of segment. Which segments are taken is in the database; a driver remembers nothing of it.
#[async_trait]
pub trait TypeDriver: Send + Sync {
    /// `vlan`, `vxlan`, ...: what `provider:network_type` says.
    fn network_type(&self) -> &'static str;

    /// Is something left for the driver to choose?
    fn is_partial(&self, segment: &Segment) -> bool;

    /// Can the type have such a segment at all?
    ///
    /// # Errors
    /// 400 `InvalidInput`.
    fn validate(&self, segment: &Segment, supply: Supply<'_>) -> Result<()>;

    /// Takes the segment that was asked for, choosing what is absent.
    ///
    /// # Errors
    /// 409 when it is in use, 503 when none is left; the database's.
    async fn reserve(&self, cx: &Context, tx: &mut Tx, segment: &Segment, supply: Supply<'_>) -> Result<Segment>;

    /// Takes any segment for a project's network; `None` when there is none.
    ///
    /// # Errors
    /// The database's.
    async fn allocate(&self, cx: &Context, tx: &mut Tx, supply: Supply<'_>) -> Result<Option<Segment>>;

    /// Gives a segment back.
    ///
    /// # Errors
    /// The database's.
    async fn release(&self, tx: &mut Tx, segment: &Segment, supply: Supply<'_>) -> Result<()>;

    /// The largest packet, in octets, that the segment carries; 0 when the type sets no bound.
    fn mtu(&self, physical_network: Option<&str>) -> i64;

    /// The ranges of the configuration, by physical network; under the empty name for types without.
    fn configured(&self) -> Vec<(String, Range)> {
        Vec::new()
    }

    /// Brings the table of allocations in line with the ranges. Doing it again changes nothing.
    ///
    /// # Errors
    /// The database's.
    async fn sync(&self, _tx: &mut Tx, _supply: Supply<'_>) -> Result<()> {
        Ok(())
    }
}
