// SPDX-License-Identifier: Apache-2.0
//! Which object has which policy: the tables `qos_*_policy_bindings`.
//!
//! Invariants: an object has one policy, by a key; it gets one only that its caller sees. Both are checked after the row is in: from then
//! on the policy cannot go, and it can neither cease to be shared nor get another rule before this transaction ends.

use neutrino_core::{Op, rbac::EVERYONE};
use neutrino_db::args;
use neutrino_types::{Error, Result};

use super::errors::{MAY_NOT_REMOVE, policy_not_found};

/// A type of object that has policies.
#[derive(Debug)]
pub struct Bound {
    pub table: &'static str,
    /// The column with its id.
    pub key: &'static str,
    pub name: &'static str,
}

pub static NETWORK: Bound = Bound { table: "qos_network_policy_bindings", key: "network_id", name: "network" };
pub static PORT: Bound = Bound { table: "qos_port_policy_bindings", key: "port_id", name: "port" };
pub static FLOATING_IP: Bound = Bound { table: "qos_fip_policy_bindings", key: "fip_id", name: "floating IP" };
pub static ROUTER: Bound = Bound { table: "qos_router_gw_policy_bindings", key: "router_id", name: "router" };

/// In the order in which a policy is asked who uses it.
pub static ALL: [&Bound; 4] = [&PORT, &NETWORK, &FLOATING_IP, &ROUTER];

/// SELECT of the projects (`project_id`) whose objects have the policy `?`.
pub const USERS: &str = "SELECT u.project_id FROM (\
     SELECT b.policy_id, o.project_id FROM qos_network_policy_bindings b JOIN networks o ON o.id = b.network_id \
     UNION ALL SELECT b.policy_id, o.project_id FROM qos_port_policy_bindings b JOIN ports o ON o.id = b.port_id \
     UNION ALL SELECT b.policy_id, o.project_id FROM qos_fip_policy_bindings b JOIN floatingips o ON o.id = b.fip_id \
     UNION ALL SELECT b.policy_id, o.project_id FROM qos_router_gw_policy_bindings b JOIN routers o ON o.id = b.router_id) u \
     WHERE u.policy_id = ?";

/// Gives an object without a policy one.
///
/// # Errors
/// 404 for a policy that the caller does not see; the database's.
pub async fn attach(op: &mut Op<'_>, of: &Bound, object_id: &str, policy_id: &str) -> Result<()> {
    let columns = vec![("policy_id", policy_id.into()), (of.key, object_id.into())];
    op.insert_row(of.table, columns).await.map_err(|error| {
        if error.is_foreign_key() {
            policy_not_found(policy_id)
        } else if error.is_duplicate("") {
            // Another request gave it one since this transaction looked.
            Error::stale(format!("{} {object_id} got a QoS policy", of.name))
        } else {
            error
        }
    })?;
    if sees(op, policy_id).await? { Ok(()) } else { Err(policy_not_found(policy_id)) }
}

/// Gives an object another policy, or none. Whether that changes anything.
///
/// # Errors
/// 403 when the caller does not see the old policy, 404 for the new one; the database's.
pub async fn change(op: &mut Op<'_>, of: &Bound, object_id: &str, old: Option<&str>, new: Option<&str>) -> Result<bool> {
    if old == new {
        return Ok(false);
    }
    if let Some(old) = old {
        if !sees(op, old).await? {
            return Err(MAY_NOT_REMOVE.error(format!("QoS policy {old} of the {} is not yours to take away.", of.name)));
        }
        let text = format!("DELETE FROM {} WHERE {} = ?", of.table, of.key);
        op.tx.execute(&text, args![object_id]).await?;
    }
    if let Some(new) = new {
        attach(op, of, object_id, new).await?;
    }
    Ok(true)
}

/// The policy of an object.
///
/// # Errors
/// The database's.
pub async fn of(op: &mut Op<'_>, of: &Bound, object_id: &str) -> Result<Option<String>> {
    let text = format!("SELECT policy_id FROM {} WHERE {} = ?", of.table, of.key);
    op.tx.query_one(&text, args![object_id]).await?.map(|row| row.text(0)).transpose()
}

/// Is the policy the caller's own, or shared with it?
async fn sees(op: &mut Op<'_>, policy_id: &str) -> Result<bool> {
    if op.cx.sees_all() {
        return Ok(true);
    }
    let project = op.cx.project_id();
    let text = "SELECT count(*) FROM qos_policies t WHERE t.id = ? AND (t.project_id = ? OR EXISTS (SELECT 1 FROM qospolicyrbacs r \
                WHERE r.object_id = t.id AND r.action = 'access_as_shared' AND r.target_project IN (?, ?)))";
    Ok(op.tx.count(text, args![policy_id, project, EVERYONE, project]).await? > 0)
}
