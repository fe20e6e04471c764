// SPDX-License-Identifier: Apache-2.0
//! What a mechanism driver is: it hears of changes to networks, subnets and ports, and it binds ports.
//!
//! Invariant: a `*_precommit` has the transaction and no network handle, a `*_postcommit` and `bind_port` the reverse.

use std::collections::HashSet;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Op, placement::ReportingAgent};
use neutrino_model::Record;
use neutrino_types::Result;
use serde_json::{Map, Value};

use super::agents::Agent;

/// A change of an object.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    Created(&'a Record),
    Updated { original: &'a Record, current: &'a Record },
    Deleted(&'a Record),
}

impl<'a> Change<'a> {
    /// The object as it is, or as it was before it went.
    #[must_use]
    pub fn object(&self) -> &'a Record {
        match self {
            Self::Created(record) | Self::Deleted(record) | Self::Updated { current: record, .. } => record,
        }
    }

    /// Whether the value of an attribute is new.
    #[must_use]
    pub fn changes(&self, attribute: &str) -> bool {
        match self {
            Self::Created(_) => true,
            Self::Updated { original, current } => original.get(attribute) != current.get(attribute),
            Self::Deleted(_) => false,
        }
    }
}

/// A network segment that a port can be bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub id: String,
    pub network_type: String,
    pub physical_network: Option<String>,
    pub segmentation_id: Option<i64>,
}

/// A try to bind a port on a host: everything a driver may judge by.
#[derive(Debug)]
pub struct Attempt<'a> {
    pub port: &'a Record,
    pub host: &'a str,
    pub vnic_type: &'a str,
    pub profile: &'a Map<String, Value>,
    /// The segments of this level.
    pub segments: &'a [Segment],
    /// For each subnet that the port has an address of: its segment, if it has one.
    pub subnet_segments: &'a [Option<String>],
    /// All agents that reported from the host.
    pub agents: &'a [Agent],
}

impl Attempt<'_> {
    /// The segments that the port's subnets allow: all, unless subnets belong to other segments.
    pub fn allowed_segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| {
            let allows = |own: &Option<String>| own.as_ref().is_none_or(|id| *id == segment.id);
            self.subnet_segments.is_empty() || self.subnet_segments.iter().any(allows)
        })
    }

    /// A capability that the profile asks for.
    #[must_use]
    pub fn asks_for(&self, capability: &str) -> bool {
        let list = self.profile.get("capabilities").and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|known| known.as_str() == Some(capability)))
    }
}

/// What a driver made of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub enum Bound {
    /// The port is bound to this segment; nothing lies below.
    Complete {
        segment_id: String,
        vif_type: &'static str,
        vif_details: Map<String, Value>,
        /// The port's status from now on, where the driver knows better than to wait for an agent.
        status: Option<&'static str>,
    },
    /// Bound at this level; the next level must bind to one of these segments.
    Continue { segment_id: String, next: Vec<Segment> },
}

/// What an agent says of ports on its host.
#[derive(Clone, Copy, Debug)]
pub struct Wiring<'a> {
    pub host: &'a str,
    pub ports: &'a [&'a str],
    pub up: bool,
    /// The agent has lost what it was told.
    pub refresh: bool,
    /// Of these drivers have just heard by [`MechanismDriver::ports_postcommit`].
    pub told: &'a HashSet<&'a str>,
}

/// See the module's documentation. The defaults do nothing.
#[async_trait]
pub trait MechanismDriver: Send + Sync {
    fn name(&self) -> &'static str;

    /// `l2`, `l3` or `legacy`; a port without addresses is bound by `l2` drivers only.
    fn connectivity(&self) -> &'static str {
        "legacy"
    }

    /// The agent by which it binds ports, if there is one.
    fn agent_type(&self) -> Option<&'static str> {
        None
    }

    /// Whether it wants to hear of networks and subnets; without it they are not loaded for the driver.
    fn watches_networks(&self) -> bool {
        false
    }

    async fn network_precommit(&self, _op: &mut Op<'_>, _change: Change<'_>) -> Result<()> {
        Ok(())
    }
    async fn network_postcommit(&self, _engine: &Engine, _cx: &Context, _change: Change<'_>) -> Result<()> {
        Ok(())
    }
    async fn subnet_precommit(&self, _op: &mut Op<'_>, _change: Change<'_>) -> Result<()> {
        Ok(())
    }
    async fn subnet_postcommit(&self, _engine: &Engine, _cx: &Context, _change: Change<'_>) -> Result<()> {
        Ok(())
    }
    async fn port_precommit(&self, _op: &mut Op<'_>, _change: Change<'_>) -> Result<()> {
        Ok(())
    }
    async fn port_postcommit(&self, _engine: &Engine, _cx: &Context, _change: Change<'_>) -> Result<()> {
        Ok(())
    }

    /// [`MechanismDriver::port_postcommit`] of several updates; for a driver that can say all at once.
    async fn ports_postcommit(&self, engine: &Engine, cx: &Context, changes: &[(&Record, &Record)]) -> Result<()> {
        let mut failed = None;
        for (original, current) in changes {
            if let Err(error) = self.port_postcommit(engine, cx, Change::Updated { original, current }).await {
                failed.get_or_insert(error);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The status of a distributed port on a host has changed.
    async fn status_on_host(&self, _engine: &Engine, _cx: &Context, _port_id: &str, _host: &str, _status: &str) -> Result<()> {
        Ok(())
    }

    /// The agent of a host says of ports, whatever their status, that they are wired there, or are no more.
    async fn wired(&self, _engine: &Engine, _cx: &Context, _wiring: &Wiring<'_>) -> Result<()> {
        Ok(())
    }

    /// Whether a network may let VLAN tags of guests through; `attribute` is `vlan_transparent` or `qinq`. `None`: no opinion. A network
    /// needs one driver that says yes and none that says no.
    fn lets_vlans_through(&self, _attribute: &str, _network: &Record) -> Option<bool> {
        None
    }

    /// VIF types of ports whose agents follow when the segmentation id of their network changes.
    fn follows_segmentation_id(&self) -> &'static [&'static str] {
        &[]
    }

    /// Can ports be bound to the segment on the agent's host? `None`: the driver knows nothing of hosts, so that none can be ruled out.
    fn reaches(&self, _segment: &Segment, _agent: &Agent) -> Option<bool> {
        None
    }

    /// The agents that it binds by, if Placement keeps account of their resources.
    fn reporting_agent(&self) -> Option<ReportingAgent> {
        None
    }

    /// Binds the port, or passes (`None`).
    async fn bind_port(&self, _attempt: &Attempt<'_>) -> Result<Option<Bound>> {
        Ok(None)
    }
}
