// SPDX-License-Identifier: Apache-2.0
//! Policies of ports: their own, or their network's.
//!
//! Rules: the drivers can enforce the policy on the port; the policy of a machine's port whose resources are allocated in Placement changes
//! with Placement's consent ([`super::placed`]), and not at all where there is no Placement to be asked.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use neutrino_core::{Context, Engine, Hook, Op};
use neutrino_db::{Row, args};
use neutrino_model::{Body, Record};
use neutrino_types::{Error, Result, error::kinds};

use super::{
    bindings::{self, PORT},
    drivers::Drivers,
    errors::NOT_SUPPORTED_BY_PORT,
    placed::{self, Placed},
    rule::{self, PLACED, Rule},
};

pub const POLICY: &str = "qos_policy_id";
pub const NETWORK_POLICY: &str = "qos_network_policy_id";

const MACHINES: &str = "compute:";

/// What of a port decides whether rules can be enforced on it.
#[derive(Clone, Debug)]
pub struct Facts {
    id: String,
    device_owner: String,
    vif_type: String,
    vnic_type: String,
    /// Does Placement keep account of its resources?
    allocated: bool,
}

const FACTS: &str = "SELECT p.id, p.device_owner, b.vif_type, b.vnic_type, b.profile FROM ports p \
                     LEFT JOIN ml2_port_bindings b ON b.port_id = p.id AND b.status = 'ACTIVE' WHERE ";

impl Facts {
    fn of_row(row: &Row) -> Result<Self> {
        let profile = row.opt_text(4)?.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok()).unwrap_or_default();
        Ok(Self {
            id: row.text(0)?,
            device_owner: row.opt_text(1)?.unwrap_or_default(),
            vif_type: row.opt_text(2)?.unwrap_or_default(),
            vnic_type: row.opt_text(3)?.unwrap_or_else(|| "normal".to_owned()),
            allocated: is_allocated(&profile),
        })
    }

    pub fn is_machines(&self) -> bool {
        self.device_owner.starts_with(MACHINES)
    }
}

fn is_allocated(profile: &serde_json::Value) -> bool {
    profile.get("allocation").is_some_and(|allocation| !allocation.is_null())
}

/// The ports whose policy this is: those that have it, and those of networks that have it and have none of their own.
///
/// # Errors
/// The database's.
pub async fn with_policy(op: &mut Op<'_>, policy_id: &str) -> Result<Vec<Facts>> {
    let text = format!(
        "{FACTS}p.id IN (SELECT q.port_id FROM qos_port_policy_bindings q WHERE q.policy_id = ?) OR (p.network_id IN (SELECT n.network_id \
         FROM qos_network_policy_bindings n WHERE n.policy_id = ?) AND NOT EXISTS (SELECT 1 FROM qos_port_policy_bindings o WHERE o.port_id = p.id))"
    );
    op.tx.query(&text, args![policy_id, policy_id]).await?.iter().map(Facts::of_row).collect()
}

/// The ports of a network that have no policy of their own.
///
/// # Errors
/// The database's.
pub async fn by_network(op: &mut Op<'_>, network_id: &str) -> Result<Vec<Facts>> {
    let text = format!("{FACTS}p.network_id = ? AND NOT EXISTS (SELECT 1 FROM qos_port_policy_bindings o WHERE o.port_id = p.id)");
    op.tx.query(&text, args![network_id]).await?.iter().map(Facts::of_row).collect()
}

/// Refuses rules that no driver enforces on one of the ports.
///
/// # Errors
/// 409 `QosRuleNotSupported`.
pub fn ensure_enforced(drivers: &Drivers, rules: &[Rule], ports: &[Facts]) -> Result<()> {
    for port in ports {
        if let Some(rule) = rules.iter().find(|rule| !drivers.serve_port(rule, &port.vif_type, &port.vnic_type)) {
            return Err(NOT_SUPPORTED_BY_PORT.error(format!(
                "Rule {} of QoS policy {} is not supported by port {}: no loaded driver enforces it there.",
                rule.kind().name,
                rule.policy_id,
                port.id
            )));
        }
    }
    Ok(())
}

/// Refuses another policy for ports whose resources are allocated by the old one.
///
/// # Errors
/// 501; the database's.
pub async fn ensure_not_placed(op: &mut Op<'_>, old_policy: Option<&str>, ports: &[Facts]) -> Result<()> {
    let Some(old) = old_policy.filter(|_| !placed::is_on(op.engine)) else { return Ok(()) };
    let Some(port) = ports.iter().find(|port| port.is_machines() && port.allocated) else { return Ok(()) };
    if rule::of_policies(op.tx, &[old], PLACED).await?.is_empty() {
        return Ok(());
    }
    Err(kinds::NOT_IMPLEMENTED.error(format!(
        "Port {} has resources allocated in Placement by QoS policy {old}; this server has no credentials for Placement to change that.",
        port.id
    )))
}

/// Policies and rules that were read in this transaction, by network and by policy.
#[derive(Default)]
struct Known {
    of_networks: HashMap<String, Option<String>>,
    rules: HashMap<String, Arc<Vec<Rule>>>,
}

async fn of_network(op: &mut Op<'_>, network_id: &str) -> Result<Option<String>> {
    if let Some(known) = op.note::<Known>().of_networks.get(network_id) {
        return Ok(known.clone());
    }
    let policy = bindings::of(op, &bindings::NETWORK, network_id).await?;
    op.note::<Known>().of_networks.insert(network_id.to_owned(), policy.clone());
    Ok(policy)
}

async fn rules_of(op: &mut Op<'_>, policy_id: &str) -> Result<Arc<Vec<Rule>>> {
    if let Some(known) = op.note::<Known>().rules.get(policy_id) {
        return Ok(known.clone());
    }
    let rules = Arc::new(rule::of_policy(op.tx, policy_id).await?);
    op.note::<Known>().rules.insert(policy_id.to_owned(), rules.clone());
    Ok(rules)
}

async fn facts(op: &mut Op<'_>, id: &str) -> Result<Facts> {
    let row = op.tx.query_one(&format!("{FACTS}p.id = ?"), args![id]).await?;
    Facts::of_row(&row.ok_or_else(|| Error::internal(format!("port {id} has no row")))?)
}

pub struct Ports {
    pub drivers: Arc<Drivers>,
}

impl Ports {
    async fn ensure_enforced(&self, op: &mut Op<'_>, id: &str, policy_id: &str) -> Result<()> {
        let rules = rules_of(op, policy_id).await?;
        if rules.is_empty() {
            return Ok(());
        }
        let port = facts(op, id).await?;
        ensure_enforced(&self.drivers, &rules, std::slice::from_ref(&port))
    }
}

#[async_trait]
impl Hook for Ports {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let policy = match body.str(POLICY) {
            Some(own) => {
                bindings::attach(op, &PORT, id, own).await?;
                Some(own.to_owned())
            }
            None => of_network(op, body.str("network_id").unwrap_or_default()).await?,
        };
        match policy {
            Some(policy) => self.ensure_enforced(op, id, &policy).await,
            None => Ok(()),
        }
    }

    async fn before_update(&self, engine: &Engine, cx: &Context, original: &Record, body: &mut Body) -> Result<()> {
        let Some(asked) = body.get(POLICY).map(|asked| asked.as_str().map(str::to_owned)) else { return Ok(()) };
        let of_network = original.opt_str(NETWORK_POLICY);
        let (old, new) = (original.opt_str(POLICY).or(of_network), asked.as_deref().or(of_network));
        let profile = original.get("binding:profile");
        if old == new || !original.str("device_owner").starts_with(MACHINES) || !is_allocated(profile) || !placed::is_on(engine) {
            return Ok(());
        }
        let (old, new) = {
            let mut tx = engine.db.reader().await?;
            placed::rules(&mut tx, old, new).await?
        };
        let port = Placed { port_id: original.id().to_owned(), device_id: original.str("device_id").to_owned(), profile: profile.clone() };
        if let Some(change) = placed::change(&port, &old, &new)? {
            placed::ask(engine, cx, &port, &change.diff).await?;
            body.set("binding:profile", placed::profile_with(&port, &change));
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(asked) = body.get(POLICY) else { return Ok(()) };
        let (old, new) = (original.opt_str(POLICY), asked.as_str());
        let effective = old.or_else(|| original.opt_str(NETWORK_POLICY));
        if old != new && is_allocated(original.get("binding:profile")) && new.or_else(|| original.opt_str(NETWORK_POLICY)) != effective {
            let port = facts(op, original.id()).await?;
            ensure_not_placed(op, effective, std::slice::from_ref(&port)).await?;
        }
        if !bindings::change(op, &PORT, original.id(), old, new).await? {
            return Ok(());
        }
        op.touch(original.standard_attr_id);
        match new {
            Some(new) => self.ensure_enforced(op, original.id(), new).await,
            None => Ok(()),
        }
    }
}
