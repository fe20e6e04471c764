// SPDX-License-Identifier: Apache-2.0
//! What features ask of the core plugin about network segments: to take and give back one, and which agents reach it.
//!
//! The core plugin offers it as a service of the registry ([`SegmentService`]); features look it up and know nothing of types of networks.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_types::Result;
use serde_json::Value;

use crate::{Engine, Op};

/// A segment as it is asked for or as it was reserved. What is absent is for the plugin to choose, or has no meaning for the type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    pub network_type: String,
    pub physical_network: Option<String>,
    pub segmentation_id: Option<i64>,
}

/// See the module's documentation.
#[async_trait]
pub trait Segments: Send + Sync {
    /// Takes a segment for a network, in the transaction; chooses what is absent.
    ///
    /// # Errors
    /// 400 for one that cannot be, 409 for one in use, 503 when none is left; the database's.
    async fn reserve(&self, op: &mut Op<'_>, segment: &Segment) -> Result<Segment>;

    /// Gives a segment back.
    ///
    /// # Errors
    /// The database's.
    async fn release(&self, op: &mut Op<'_>, segment: &Segment) -> Result<()>;

    /// May the network go on with the segments that its rows say now?
    ///
    /// # Errors
    /// 400 when its MTU is larger than they carry; the database's.
    async fn check_network(&self, op: &mut Op<'_>, network_id: &str) -> Result<()>;

    /// Is every host judged by [`Segments::reaches`]? If not, an agent may serve a network whatever its host reaches.
    fn judges_hosts(&self, engine: &Engine) -> bool;

    /// Can the host of this agent reach the segment? Only an agent of the layer below (a switch's) can say so.
    fn reaches(&self, engine: &Engine, segment: &Segment, agent_type: &str, configurations: &Value) -> bool;
}

/// The service, by its type.
pub struct SegmentService(pub Arc<dyn Segments>);
