// SPDX-License-Identifier: Apache-2.0
//! Mechanism drivers that talk to nobody: `logger` writes down what it hears, `test` binds by the name of the host.

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Op};
use neutrino_types::{Error, Result};
use serde_json::Map;

use super::driver::{Attempt, Bound, Change, MechanismDriver};

/// Writes every change to the log.
#[derive(Debug)]
pub struct Logger;

fn log(what: &str, change: Change<'_>) {
    let kind = match change {
        Change::Created(_) => "created",
        Change::Updated { .. } => "updated",
        Change::Deleted(_) => "deleted",
    };
    tracing::info!(driver = "logger", id = change.object().id(), kind, "{what}");
}

#[async_trait]
impl MechanismDriver for Logger {
    fn name(&self) -> &'static str {
        "logger"
    }

    fn watches_networks(&self) -> bool {
        true
    }

    async fn network_precommit(&self, _op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        log("network precommit", change);
        Ok(())
    }
    async fn network_postcommit(&self, _engine: &Engine, _cx: &Context, change: Change<'_>) -> Result<()> {
        log("network postcommit", change);
        Ok(())
    }
    async fn subnet_precommit(&self, _op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        log("subnet precommit", change);
        Ok(())
    }
    async fn subnet_postcommit(&self, _engine: &Engine, _cx: &Context, change: Change<'_>) -> Result<()> {
        log("subnet postcommit", change);
        Ok(())
    }
    async fn port_precommit(&self, _op: &mut Op<'_>, change: Change<'_>) -> Result<()> {
        log("port precommit", change);
        Ok(())
    }
    async fn port_postcommit(&self, _engine: &Engine, _cx: &Context, change: Change<'_>) -> Result<()> {
        log("port postcommit", change);
        Ok(())
    }

    async fn bind_port(&self, attempt: &Attempt<'_>) -> Result<Option<Bound>> {
        tracing::info!(driver = "logger", id = attempt.port.id(), host = attempt.host, "bind_port");
        Ok(None)
    }
}

/// Binds ports on hosts of certain names, and fails after the commit for objects of a certain name, for tests of the plugin.
#[derive(Debug)]
pub struct Test;

/// The name of an object for which [`Test`] fails.
pub const FAILS: &str = "fails after the commit";

fn fails(change: Change<'_>) -> Result<()> {
    match change {
        Change::Created(record) if record.str("name") == FAILS => Err(Error::internal("asked for by the object's name")),
        _ => Ok(()),
    }
}

#[async_trait]
impl MechanismDriver for Test {
    fn name(&self) -> &'static str {
        "test"
    }

    fn connectivity(&self) -> &'static str {
        "l2"
    }

    fn watches_networks(&self) -> bool {
        true
    }

    async fn network_postcommit(&self, _engine: &Engine, _cx: &Context, change: Change<'_>) -> Result<()> {
        fails(change)
    }
    async fn subnet_postcommit(&self, _engine: &Engine, _cx: &Context, change: Change<'_>) -> Result<()> {
        fails(change)
    }
    async fn port_postcommit(&self, _engine: &Engine, _cx: &Context, change: Change<'_>) -> Result<()> {
        fails(change)
    }

    async fn bind_port(&self, attempt: &Attempt<'_>) -> Result<Option<Bound>> {
        let Some(segment) = attempt.segments.first() else { return Ok(None) };
        let (vif_type, filters, status) = match attempt.host {
            "host-ovs-no_filter" => ("ovs", false, None),
            "host-bridge-filter" => ("bridge", true, None),
            "host-ovs-filter-active" => ("ovs", true, Some("ACTIVE")),
            "host-hierarchical" if segment.network_type == "local" => {
                let next = attempt.segments.iter().filter(|other| other.network_type == "vlan").cloned().collect();
                return Ok(Some(Bound::Continue { segment_id: segment.id.clone(), next }));
            }
            "host-hierarchical" if segment.network_type == "vlan" => ("ovs", false, None),
            _ => return Ok(None),
        };
        let mut vif_details = Map::new();
        vif_details.insert("port_filter".to_owned(), filters.into());
        Ok(Some(Bound::Complete { segment_id: segment.id.clone(), vif_type, vif_details, status }))
    }
}
