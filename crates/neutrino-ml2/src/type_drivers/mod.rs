// SPDX-License-Identifier: Apache-2.0
//! Network types: which there are, and who takes and gives back their segments.
//!
//! Owns the tables `ml2_*_allocations` and the choice of a driver by name. The rows of a network's segments (`networksegments`)
//! belong to [`crate::networks`]. Invariant: a segment that no row of `networksegments` names is free, apart from transactions
//! under way.

mod driver;
mod flat;
mod geneve;
mod gre;
mod local;
mod mtu;
mod options;
mod pool;
mod ranges;
#[cfg(test)]
mod tests;
mod tunnel;
mod vlan;
mod vxlan;

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Startup};
use neutrino_db::{Db, Tx};
use neutrino_types::{Result, error::kinds};
use oslo_config::Config;

pub use driver::{FLAT_NETWORK_IN_USE, NO_NETWORK_AVAILABLE, Segment, Supply, TUNNEL_ID_IN_USE, TypeDriver, VLAN_ID_IN_USE};

use crate::network_segment_ranges;
pub use options::OPTIONS;
pub use pool::{Range, merged};
pub use ranges::{MOST_IDS, valid_ids};

const KNOWN: [&str; 6] = ["local", "flat", "vlan", "gre", "vxlan", "geneve"];

/// The type drivers that are loaded. A service of the registry (`registry.service::<TypeManager>()`).
pub struct TypeManager {
    drivers: Vec<Box<dyn TypeDriver>>,
    project_network_types: Vec<String>,
    external_network_type: Option<String>,
    mtus: mtu::Mtus,
    /// Do rows of the database say which ids there are, rather than the configuration?
    stored: bool,
}

/// How often the synchronisation starts anew when another server process does the same.
const SYNC_TRIES: usize = 5;

impl TypeManager {
    /// The drivers that the configuration names, with their ranges.
    ///
    /// # Errors
    /// A sentence for the operator: an unknown driver, a type without a driver, a range that is none.
    pub fn of(config: &Config) -> std::result::Result<Self, String> {
        let mtus = mtu::Mtus::of(config)?;
        let mut drivers: Vec<Box<dyn TypeDriver>> = Vec::new();
        for name in config.list("ml2", "type_drivers") {
            if drivers.iter().any(|driver| driver.network_type() == name) {
                tracing::warn!("[ml2] type_drivers names {name} twice");
                continue;
            }
            drivers.push(match name.as_str() {
                "local" => Box::new(local::Local),
                "flat" => Box::new(flat::Flat::of(config, mtus.clone())),
                "vlan" => Box::new(vlan::Vlan::of(config, mtus.clone())?),
                "gre" => Box::new(gre::driver(config, mtus.clone())?),
                "vxlan" => Box::new(vxlan::driver(config, mtus.clone())?),
                "geneve" => Box::new(geneve::driver(config, mtus.clone())?),
                other => return Err(config.refuse("ml2", "type_drivers", other, "is not a type driver", &KNOWN).to_string()),
            });
        }
        let loaded: Vec<&str> = drivers.iter().map(|driver| driver.network_type()).collect();
        let check = |option: &str, name: &str| {
            if loaded.contains(&name) {
                return Ok(());
            }
            Err(config.refuse("ml2", option, name, "is not a network type that [ml2] type_drivers loads", &loaded).to_string())
        };
        let project_network_types = config.list("ml2", "project_network_types");
        project_network_types.iter().try_for_each(|name| check("project_network_types", name))?;
        let external_network_type = config.str("ml2", "external_network_type").filter(|name| !name.is_empty());
        external_network_type.iter().try_for_each(|name| check("external_network_type", name))?;
        let stored = network_segment_ranges::is_on(config);
        Ok(Self { drivers, project_network_types, external_network_type, mtus, stored })
    }

    fn supply<'a>(&self, project: Option<&'a str>) -> Supply<'a> {
        if self.stored { Supply::Stored { project } } else { Supply::Configured }
    }

    /// The types that are loaded, in the operator's order.
    pub fn network_types(&self) -> impl Iterator<Item = &'static str> {
        self.drivers.iter().map(|driver| driver.network_type())
    }

    /// # Errors
    /// 400 `InvalidInput` for a type that is not loaded.
    fn driver(&self, network_type: &str) -> Result<&dyn TypeDriver> {
        self.find(network_type).ok_or_else(|| {
            let known: Vec<&str> = self.network_types().collect();
            let name: String = network_type.chars().take(32).collect();
            kinds::INVALID_INPUT.error(format!("The network type '{name}' is not supported here; there are {}.", known.join(", ")))
        })
    }

    fn find(&self, network_type: &str) -> Option<&dyn TypeDriver> {
        self.drivers.iter().find(|driver| driver.network_type() == network_type).map(AsRef::as_ref)
    }

    /// Can there be such a segment?
    ///
    /// # Errors
    /// 400 `InvalidInput`.
    pub fn validate(&self, segment: &Segment) -> Result<()> {
        self.driver(&segment.network_type)?.validate(segment, self.supply(None))
    }

    /// Is something left for the driver to choose?
    ///
    /// # Errors
    /// 400 `InvalidInput` for a type that is not loaded.
    pub fn is_partial(&self, segment: &Segment) -> Result<bool> {
        Ok(self.driver(&segment.network_type)?.is_partial(segment))
    }

    /// Takes a segment that was asked for and is valid.
    ///
    /// # Errors
    /// 409 when it is in use, 503 when none is left; the database's.
    pub async fn reserve(&self, cx: &Context, tx: &mut Tx, segment: &Segment, project: Option<&str>) -> Result<Segment> {
        self.driver(&segment.network_type)?.reserve(cx, tx, segment, self.supply(project)).await
    }

    /// Takes a segment for a network of a project that asked for none, of the first type that has one.
    ///
    /// # Errors
    /// 503 `NoNetworkAvailable`; the database's.
    pub async fn allocate(&self, cx: &Context, tx: &mut Tx, external: bool, project: &str) -> Result<Segment> {
        let types = match &self.external_network_type {
            Some(name) if external => std::slice::from_ref(name),
            _ => self.project_network_types.as_slice(),
        };
        for name in types {
            if let Some(segment) = self.driver(name)?.allocate(cx, tx, self.supply(Some(project))).await? {
                return Ok(segment);
            }
        }
        Err(NO_NETWORK_AVAILABLE.error(format!(
            "Unable to create the network: no segment of the type {} is free. Delete unused networks, or ask the operator for more.",
            types.join(", ")
        )))
    }

    /// Gives a segment back. One of a type that is no longer loaded stays as it is.
    ///
    /// # Errors
    /// The database's.
    pub async fn release(&self, tx: &mut Tx, segment: &Segment) -> Result<()> {
        match self.find(&segment.network_type) {
            Some(driver) => driver.release(tx, segment, self.supply(None)).await,
            None => {
                tracing::error!("segment {segment:?} cannot be released: its type is not in [ml2] type_drivers");
                Ok(())
            }
        }
    }

    /// Is the segment one of those that its type gives to projects' networks?
    ///
    /// # Errors
    /// The database's.
    pub async fn is_in_ranges(&self, tx: &mut Tx, segment: &Segment) -> Result<bool> {
        let (Some(driver), Some(id)) = (self.find(&segment.network_type), segment.segmentation_id) else { return Ok(false) };
        let place = segment.physical_network.as_deref().unwrap_or_default();
        if self.stored {
            return network_segment_ranges::stored::covers(tx, &segment.network_type, place, id).await;
        }
        Ok(driver.configured().iter().any(|(name, (first, last))| name == place && (*first..=*last).contains(&id)))
    }

    /// The largest MTU of a network with these segments; 0 when there is no bound.
    #[must_use]
    pub fn max_mtu<'a>(&self, segments: impl IntoIterator<Item = &'a Segment>) -> i64 {
        let known = segments.into_iter().filter_map(|s| self.find(&s.network_type).map(|d| d.mtu(s.physical_network.as_deref())));
        match mtu::smallest(known) {
            0 => self.mtus.global.max(0),
            smallest => smallest,
        }
    }

    /// The ranges of the configuration: type, physical network (or nothing), first and last id.
    #[must_use]
    pub fn configured_ranges(&self) -> Vec<(&'static str, String, Range)> {
        let all = self.drivers.iter();
        all.flat_map(|driver| driver.configured().into_iter().map(move |(name, range)| (driver.network_type(), name, range))).collect()
    }

    /// Brings the allocations of one type in line with its ranges.
    ///
    /// # Errors
    /// The database's.
    pub async fn sync(&self, tx: &mut Tx, network_type: &str) -> Result<()> {
        match self.find(network_type) {
            Some(driver) => driver.sync(tx, self.supply(None)).await,
            None => Ok(()),
        }
    }

    /// Brings the tables of allocations in line with the ranges.
    ///
    /// # Errors
    /// The database's.
    pub async fn sync_allocations(&self, db: &Db) -> Result<()> {
        for driver in &self.drivers {
            let mut tried = 0;
            loop {
                let done = db
                    .retry("sync_allocations", || async {
                        let mut tx = db.begin().await?;
                        driver.sync(&mut tx, self.supply(None)).await?;
                        tx.witness(neutrino_db::Witness::Repeatable);
                        tx.commit().await
                    })
                    .await;
                tried += 1;
                match done {
                    // Another process made the same rows: look again.
                    Err(error) if error.is_duplicate("") && tried < SYNC_TRIES => {}
                    done => break done?,
                }
            }
        }
        Ok(())
    }
}

/// Runs [`TypeManager::sync_allocations`] before the first request.
pub struct SyncAllocations(pub Arc<TypeManager>);

#[async_trait]
impl Startup for SyncAllocations {
    fn name(&self) -> &'static str {
        "segment allocations"
    }

    async fn run(&self, engine: &Engine) -> Result<()> {
        self.0.sync_allocations(&engine.db).await
    }
}
