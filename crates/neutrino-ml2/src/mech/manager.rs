// SPDX-License-Identifier: Apache-2.0
//! The loaded mechanism drivers in order: who is told of a change, and how a port is bound through levels.
//!
//! Invariants: a precommit failure rolls the operation back; a postcommit failure is logged, and undoes a create; a driver does not bind twice to one
//! segment of a port; there are at most [`MAX_LEVELS`] levels.

use futures::future::BoxFuture;
use neutrino_core::{Context, Engine, Op};
use neutrino_model::Record;
use neutrino_types::{Kind, Result};
use serde_json::{Map, Value};

use super::driver::{Attempt, Bound, Change, MechanismDriver, Segment, Wiring};

pub const MAX_LEVELS: usize = 10;

pub const DRIVER_ERROR: Kind = Kind::new("MechanismDriverError", 500);

/// One level of a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    pub driver: &'static str,
    pub segment_id: String,
}

/// A binding that succeeded.
#[derive(Clone, Debug, PartialEq)]
pub struct Binding {
    pub vif_type: &'static str,
    pub vif_details: Map<String, Value>,
    pub status: Option<&'static str>,
    /// From the top.
    pub levels: Vec<Level>,
}

/// See the module's documentation.
#[derive(Default)]
pub struct Manager {
    pub drivers: Vec<Box<dyn MechanismDriver>>,
    /// `agent_down_time`.
    pub agent_down_time_s: i64,
}

macro_rules! tell {
    ($precommit:ident, $postcommit:ident) => {
        /// # Errors
        /// What a driver refuses with.
        pub async fn $precommit(&self, op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
            for driver in self.in_order(&change) {
                driver.$precommit(op, change).await?;
            }
            Ok(())
        }

        /// Of a create, the first failure ends the round; of any other change, every driver is told.
        ///
        /// # Errors
        /// `MechanismDriverError` when a driver failed; the log has its reason.
        pub async fn $postcommit(&self, engine: &Engine, cx: &Context, change: Change<'_>) -> Result<()> {
            let mut failed = None;
            for driver in self.in_order(&change) {
                let Err(error) = driver.$postcommit(engine, cx, change).await else { continue };
                let log = error.log().unwrap_or_default();
                tracing::error!(driver = driver.name(), id = change.object().id(), error = %error, log, "mechanism driver failed after the commit");
                failed.get_or_insert(driver.name());
                if matches!(change, Change::Created(_)) {
                    break;
                }
            }
            failed.map_or(Ok(()), |name| Err(DRIVER_ERROR.error(format!("The mechanism driver {name} failed; the server's log says why."))))
        }
    };
}

impl Manager {
    tell!(network_precommit, network_postcommit);
    tell!(subnet_precommit, subnet_postcommit);
    tell!(port_precommit, port_postcommit);

    /// Tells every driver of several updates of ports; failures are logged.
    pub async fn ports_postcommit(&self, engine: &Engine, cx: &Context, changes: &[(&Record, &Record)]) {
        for driver in &self.drivers {
            log_failure(driver.as_ref(), driver.ports_postcommit(engine, cx, changes).await);
        }
    }

    /// Tells every driver of the status of a distributed port on a host; failures are logged.
    pub async fn status_on_host(&self, engine: &Engine, cx: &Context, port_id: &str, host: &str, status: &str) {
        for driver in &self.drivers {
            log_failure(driver.as_ref(), driver.status_on_host(engine, cx, port_id, host, status).await);
        }
    }

    /// Tells every driver what an agent says of its ports; failures are logged.
    pub async fn wired(&self, engine: &Engine, cx: &Context, wiring: &Wiring<'_>) {
        for driver in &self.drivers {
            log_failure(driver.as_ref(), driver.wired(engine, cx, wiring).await);
        }
    }

    /// Is the driver loaded?
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.drivers.iter().any(|driver| driver.name() == name)
    }

    /// What was built last is torn down first.
    fn in_order(&self, change: &Change<'_>) -> Vec<&dyn MechanismDriver> {
        let mut drivers: Vec<&dyn MechanismDriver> = self.drivers.iter().map(Box::as_ref).collect();
        if matches!(change, Change::Deleted(_)) {
            drivers.reverse();
        }
        drivers
    }

    #[must_use]
    pub fn watches_networks(&self) -> bool {
        self.drivers.iter().any(|driver| driver.watches_networks())
    }

    /// Does a driver bind ports by agents of this type?
    #[must_use]
    pub fn knows_agent_type(&self, agent_type: &str) -> bool {
        self.drivers.iter().any(|driver| driver.agent_type() == Some(agent_type))
    }

    /// Binds by the first chain of drivers that can.
    pub async fn bind(&self, attempt: &Attempt<'_>) -> Option<Binding> {
        let mut levels = Vec::new();
        self.bind_level(attempt, &mut levels).await
    }

    fn bind_level<'a>(&'a self, attempt: &'a Attempt<'a>, levels: &'a mut Vec<Level>) -> BoxFuture<'a, Option<Binding>> {
        Box::pin(async move {
            if levels.len() == MAX_LEVELS {
                tracing::error!(port = attempt.port.id(), host = attempt.host, "not bound: more than {MAX_LEVELS} levels");
                return None;
            }
            let addressed = !attempt.port.list("fixed_ips").is_empty();
            for driver in self.drivers.iter().filter(|driver| addressed || driver.connectivity() == "l2") {
                if has_bound(levels, driver.name(), attempt.segments) {
                    continue;
                }
                match driver.bind_port(attempt).await {
                    Ok(None) => {}
                    Err(error) => {
                        tracing::error!(driver = driver.name(), port = attempt.port.id(), error = %error, "mechanism driver failed to bind");
                    }
                    Ok(Some(Bound::Complete { segment_id, vif_type, vif_details, status })) => {
                        levels.push(Level { driver: driver.name(), segment_id });
                        return Some(Binding { vif_type, vif_details, status, levels: levels.clone() });
                    }
                    Ok(Some(Bound::Continue { segment_id, next })) => {
                        levels.push(Level { driver: driver.name(), segment_id });
                        let below = Attempt { segments: &next, ..*attempt };
                        if let Some(binding) = self.bind_level(&below, levels).await {
                            return Some(binding);
                        }
                        levels.pop();
                    }
                }
            }
            None
        })
    }
}

fn log_failure(driver: &dyn MechanismDriver, result: Result<()>) {
    if let Err(error) = result {
        let log = error.log().unwrap_or_default();
        tracing::error!(driver = driver.name(), error = %error, log, "mechanism driver failed after the commit");
    }
}

fn has_bound(levels: &[Level], driver: &str, segments: &[Segment]) -> bool {
    levels.iter().any(|level| level.driver == driver && segments.iter().any(|segment| segment.id == level.segment_id))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use neutrino_model::{Record, Resource, Table, attribute::common};

    use super::*;

    static PORT: Resource = Resource::new("ports", "port", "ports", "ports", Kind::new("PortNotFound", 404), &[common::ID]);

    /// Binds as a table says: (segment, the segments below or none).
    struct Scripted(&'static str, Vec<(&'static str, Vec<&'static str>)>);

    fn segment(id: &str) -> Segment {
        Segment { id: id.to_owned(), network_type: "vlan".to_owned(), physical_network: None, segmentation_id: Some(1) }
    }

    #[async_trait]
    impl MechanismDriver for Scripted {
        fn name(&self) -> &'static str {
            self.0
        }
        fn connectivity(&self) -> &'static str {
            "l2"
        }
        async fn bind_port(&self, attempt: &Attempt<'_>) -> Result<Option<Bound>> {
            let known = attempt.segments.iter().find_map(|segment| self.1.iter().find(|(id, _)| *id == segment.id));
            Ok(known.map(|(id, below)| match below.as_slice() {
                [] => Bound::Complete { segment_id: (*id).to_owned(), vif_type: "ovs", vif_details: Map::new(), status: None },
                below => Bound::Continue { segment_id: (*id).to_owned(), next: below.iter().map(|id| segment(id)).collect() },
            }))
        }
    }

    async fn levels(drivers: Vec<Scripted>, segments: &[&str]) -> Option<Vec<String>> {
        let manager =
            Manager { drivers: drivers.into_iter().map(|d| Box::new(d) as Box<dyn MechanismDriver>).collect(), agent_down_time_s: 75 };
        let port = Record::new(Arc::new(Table::new(&PORT, &[])));
        let segments: Vec<Segment> = segments.iter().map(|id| segment(id)).collect();
        let attempt = Attempt {
            port: &port,
            host: "h",
            vnic_type: "normal",
            profile: &Map::new(),
            segments: &segments,
            subnet_segments: &[],
            agents: &[],
        };
        let binding = manager.bind(&attempt).await?;
        Some(binding.levels.iter().map(|level| format!("{}:{}", level.driver, level.segment_id)).collect())
    }

    #[tokio::test]
    async fn levels_are_tried_and_taken_back() {
        let one = levels(vec![Scripted("a", vec![("x", vec![])])], &["s", "x"]).await.unwrap();
        assert_eq!(one, ["a:x"]);
        let two = levels(vec![Scripted("tor", vec![("x", vec!["y"])]), Scripted("ovs", vec![("y", vec![])])], &["x"]).await.unwrap();
        assert_eq!(two, ["tor:x", "ovs:y"]);
        // The first driver leads nowhere, so its level must not stay.
        let other = levels(vec![Scripted("tor", vec![("x", vec!["z"])]), Scripted("ovs", vec![("x", vec![])])], &["x"]).await.unwrap();
        assert_eq!(other, ["ovs:x"]);
        assert_eq!(levels(vec![Scripted("a", vec![("x", vec!["x"])])], &["x"]).await, None, "a loop ends");
        assert_eq!(levels(vec![], &["x"]).await, None);
    }

    #[tokio::test]
    async fn there_is_a_last_level() {
        let names = ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d10"];
        let ids = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];
        let chain = |length: usize| -> Vec<Scripted> {
            (0..length).map(|n| Scripted(names[n], vec![(ids[n], if n + 1 == length { vec![] } else { vec![ids[n + 1]] })])).collect()
        };
        assert_eq!(levels(chain(10), &["0"]).await.unwrap().len(), 10);
        assert_eq!(levels(chain(11), &["0"]).await, None);
    }
}
