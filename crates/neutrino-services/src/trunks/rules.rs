// SPDX-License-Identifier: Apache-2.0
//! What a trunk may be made of, and its changes. The order of checks is Neutron's (`neutron/services/trunk/rules.py`).
//!
//! Everything is judged inside the transaction, after the rows of all ports that it names are claimed.

use std::collections::{HashMap, HashSet};

use neutrino_core::{Op, Verb, versions};
use neutrino_db::{Arg, Dialect, Sql, args};
use neutrino_model::Record;
use neutrino_types::{Error, Result};
use serde_json::Value;

use super::{
    DOWN, ERROR, Trunk, errors,
    request::{self, Asked, SubPort},
};

/// Rows of one INSERT.
const CHUNK: usize = 100;

/// A port as the rules see it.
struct PortFacts {
    network_id: String,
    device_id: String,
    mtu: i64,
    is_bound: bool,
    is_parent: bool,
    is_sub_port: bool,
}

/// Claims ports for this transaction, so that a deletion or another trunk waits for its end. On SQLite there is one writer anyway.
pub async fn claim(op: &mut Op<'_>, ids: &[&str]) -> Result<()> {
    if op.tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let mut sorted = ids.to_vec();
    sorted.sort_unstable();
    let mut sql = Sql::raw("UPDATE ports SET id = id WHERE ");
    sql.append(Sql::in_texts(op.tx.dialect(), "id", sorted));
    op.tx.run(sql).await.map(drop)
}

/// The ports that the caller sees, by id.
async fn facts(op: &mut Op<'_>, ids: &[&str]) -> Result<HashMap<String, PortFacts>> {
    let mut sql = Sql::raw(
        "SELECT p.id, p.network_id, p.device_id, n.mtu, \
         EXISTS (SELECT 1 FROM ml2_port_bindings b WHERE b.port_id = p.id AND b.status = 'ACTIVE' AND b.host <> ''), \
         EXISTS (SELECT 1 FROM trunks t WHERE t.port_id = p.id), EXISTS (SELECT 1 FROM subports s WHERE s.port_id = p.id) \
         FROM ports p JOIN networks n ON n.id = p.network_id WHERE ",
    );
    sql.append(Sql::in_texts(op.tx.dialect(), "p.id", ids.iter().copied()));
    if !op.cx.sees_all() {
        sql.push(" AND (p.project_id = ").bind(op.cx.project_id()).push(" OR n.project_id = ").bind(op.cx.project_id()).push(")");
    }
    let mut found = HashMap::new();
    for row in op.tx.select(sql).await? {
        let facts = PortFacts {
            network_id: row.text(1)?,
            device_id: row.text(2)?,
            mtu: row.opt_int(3)?.unwrap_or_default(),
            is_bound: row.bool(4)?,
            is_parent: row.bool(5)?,
            is_sub_port: row.bool(6)?,
        };
        found.insert(row.text(0)?, facts);
    }
    Ok(found)
}

/// The segment of each network that has exactly one: its type and number.
async fn segments(op: &mut Op<'_>, networks: &HashSet<&str>) -> Result<HashMap<String, (String, Option<i64>)>> {
    let mut sql = Sql::raw("SELECT network_id, min(network_type), min(segmentation_id), count(*) FROM networksegments WHERE is_dynamic = ");
    sql.bind(false).push(" AND ").append(Sql::in_texts(op.tx.dialect(), "network_id", networks.iter().copied()));
    sql.push(" GROUP BY network_id");
    let mut found = HashMap::new();
    for row in op.tx.select(sql).await? {
        if row.int(3)? == 1 {
            found.insert(row.text(0)?, (row.text(1)?, row.opt_int(2)?));
        }
    }
    Ok(found)
}

/// Judges a new trunk; its sub-ports as they are to be stored.
///
/// # Errors
/// The refusals of the rules; the database's.
pub async fn check_new(op: &mut Op<'_>, port_id: &str, asked: &[Asked]) -> Result<Vec<SubPort>> {
    let ids: Vec<&str> = std::iter::once(port_id).chain(asked.iter().map(|one| one.port_id.as_str())).collect();
    claim(op, &ids).await?;
    let ports = facts(op, &ids).await?;
    let parent = ports.get(port_id).ok_or_else(|| errors::no_port(port_id))?;
    if parent.is_sub_port {
        return Err(errors::port_in_use(port_id));
    }
    // No driver takes a port for a trunk once it is bound to a host.
    if parent.is_parent || parent.is_bound {
        return Err(errors::parent_in_use(port_id));
    }
    check_sub_ports(op, port_id, &ports, asked).await
}

async fn check_sub_ports(op: &mut Op<'_>, parent: &str, ports: &HashMap<String, PortFacts>, asked: &[Asked]) -> Result<Vec<SubPort>> {
    let known = |one: &Asked| ports.get(&one.port_id);
    let heirs: HashSet<&str> = asked.iter().filter(|one| one.inherits()).filter_map(known).map(|port| port.network_id.as_str()).collect();
    let segments = if heirs.is_empty() { HashMap::new() } else { segments(op, &heirs).await? };
    let parent_mtu = ports.get(parent).map_or(0, |port| port.mtu);
    let mut judged = Vec::with_capacity(asked.len());
    for one in asked {
        if one.port_id == parent {
            return Err(errors::parent_in_use(parent));
        }
        let port = known(one);
        if let Some(mtu) = port.map(|port| port.mtu).filter(|mtu| parent_mtu > 0 && *mtu > parent_mtu) {
            return Err(errors::SUB_PORT_MTU.error(format!(
                "The network of the sub-port {} has the MTU {mtu}, more than the {parent_mtu} of the network of the trunk's port {parent}.",
                one.port_id
            )));
        }
        let sub_port = one.judged(port.and_then(|port| segments.get(&port.network_id)))?;
        free(&one.port_id, port)?;
        judged.push(sub_port);
    }
    Ok(judged)
}

/// A sub-port belongs to nothing else.
fn free(id: &str, port: Option<&PortFacts>) -> Result<()> {
    let port = port.ok_or_else(|| errors::no_port(id))?;
    if port.is_sub_port {
        return Err(errors::port_in_use(id));
    }
    if port.is_parent {
        return Err(errors::parent_in_use(id));
    }
    if port.device_id.is_empty() {
        return Ok(());
    }
    Err(errors::PORT_IN_USE.error(format!(
        "Port {id} on network {} is the port of the device {}; a sub-port must not have a device.",
        port.network_id, port.device_id
    )))
}

/// The insert of a trunk met a key.
pub fn parent_refused(error: Error, port_id: &str) -> Error {
    if error.is_duplicate("port_id") {
        return errors::parent_in_use(port_id);
    }
    if error.is_foreign_key() { errors::no_port(port_id) } else { error }
}

/// Writes sub-ports of a trunk.
///
/// # Errors
/// 409 for a segmentation that comes twice; transient when a port was taken in between; the database's.
pub async fn insert(op: &mut Op<'_>, trunk_id: &str, sub_ports: &[SubPort]) -> Result<()> {
    let mut seen = HashSet::new();
    if let Some(twice) = sub_ports.iter().find(|one| !seen.insert(one.segmentation_id)) {
        return Err(duplicate(trunk_id, twice));
    }
    for chunk in sub_ports.chunks(CHUNK) {
        let marks = vec!["(?, ?, ?, ?)"; chunk.len()].join(", ");
        let values = chunk.iter().flat_map(|one| {
            [Arg::from(trunk_id), Arg::from(&one.port_id), Arg::from(&one.segmentation_type), Arg::from(one.segmentation_id)]
        });
        let text = format!("INSERT INTO subports (trunk_id, port_id, segmentation_type, segmentation_id) VALUES {marks}");
        op.tx.execute(&text, values.collect()).await.map_err(|error| match error.is_duplicate("") || error.is_foreign_key() {
            true => Error::stale(format!("trunk {trunk_id} or its sub-ports changed in between")),
            false => error,
        })?;
    }
    Ok(())
}

fn duplicate(trunk_id: &str, one: &SubPort) -> Error {
    errors::DUPLICATE_SUB_PORT.error(format!(
        "The segmentation {} {} of the sub-port {} is in use already on trunk {trunk_id}.",
        one.segmentation_type, one.segmentation_id, one.port_id
    ))
}

/// The sub-ports of a trunk.
///
/// # Errors
/// The database's.
pub async fn held(op: &mut Op<'_>, trunk_id: &str) -> Result<Vec<SubPort>> {
    let sql = "SELECT port_id, segmentation_type, segmentation_id FROM subports WHERE trunk_id = ?";
    let rows = op.tx.query(sql, args![trunk_id]).await?;
    rows.iter().map(|row| Ok(SubPort { port_id: row.text(0)?, segmentation_type: row.text(1)?, segmentation_id: row.int(2)? })).collect()
}

fn manageable(trunk: &Trunk) -> Result<()> {
    if trunk.admin_state_up {
        return Ok(());
    }
    Err(errors::TRUNK_DISABLED.error(format!("Trunk {} is disabled: set its admin_state_up to true before you change it.", trunk.id)))
}

/// A changed trunk has to be wired anew. As in Neutron, another status raises the revision; other sub-ports alone do not.
async fn changed(op: &mut Op<'_>, trunk: &Trunk, sub_ports: bool) -> Result<()> {
    if trunk.status != DOWN {
        op.tx.execute("UPDATE trunks SET status = ? WHERE id = ?", args![DOWN, &trunk.id]).await?;
        op.touch(trunk.standard_attr_id);
    } else if sub_ports {
        let text = "UPDATE standardattributes SET updated_at = ? WHERE id = ?";
        op.tx.execute(text, args![op.cx.now(), trunk.standard_attr_id]).await?;
    }
    Ok(())
}

/// The action `add_subports`.
///
/// # Errors
/// The refusals of the rules; the database's.
pub async fn add(op: &mut Op<'_>, id: &str, request: &Value) -> Result<()> {
    op.lock("trunks", id).await?;
    let trunk = Trunk::find(op.tx, id).await?;
    let asked = request::of_action(request)?;
    let ids: Vec<&str> = std::iter::once(trunk.port_id.as_str()).chain(asked.iter().map(|one| one.port_id.as_str())).collect();
    claim(op, &ids).await?;
    let ports = facts(op, &ids).await?;
    let sub_ports = check_sub_ports(op, &trunk.port_id, &ports, &asked).await?;
    manageable(&trunk)?;
    if trunk.status == ERROR {
        return Err(errors::TRUNK_IN_ERROR
            .error(format!("Trunk {id} is in the state ERROR: remove the sub-ports that cannot be wired before you add others.")));
    }
    let held = held(op, id).await?;
    if let Some(twice) = sub_ports.iter().find(|one| held.iter().any(|known| known.segmentation_id == one.segmentation_id)) {
        return Err(duplicate(id, twice));
    }
    changed(op, &trunk, !sub_ports.is_empty()).await?;
    insert(op, id, &sub_ports).await?;
    for one in &sub_ports {
        op.changed("subports", &one.port_id, Verb::Created, None);
    }
    Ok(())
}

/// The action `remove_subports`.
///
/// # Errors
/// The refusals of the rules; the database's.
pub async fn remove(op: &mut Op<'_>, id: &str, request: &Value) -> Result<()> {
    op.lock("trunks", id).await?;
    let trunk = Trunk::find(op.tx, id).await?;
    manageable(&trunk)?;
    let asked = request::of_action(request)?;
    let held: HashSet<String> = held(op, id).await?.into_iter().map(|one| one.port_id).collect();
    if let Some(unknown) = asked.iter().find(|one| !held.contains(&one.port_id)) {
        return Err(errors::SUB_PORT_NOT_FOUND.error(format!("Sub-port {} of trunk {id} could not be found.", unknown.port_id)));
    }
    let ids: Vec<&str> = asked.iter().map(|one| one.port_id.as_str()).collect();
    versions::going(op, "SubPort", &ids).await?;
    let mut sql = Sql::new("DELETE FROM subports WHERE trunk_id = ? AND ", args![id]);
    sql.append(Sql::in_texts(op.tx.dialect(), "port_id", ids));
    op.tx.run(sql).await?;
    changed(op, &trunk, !asked.is_empty()).await
}

/// May the trunk go?
///
/// # Errors
/// 409 while it is disabled, or its port is bound to a host; the database's.
pub async fn check_delete(op: &mut Op<'_>, original: &Record) -> Result<()> {
    let trunk = Trunk::find(op.tx, original.id()).await?;
    manageable(&trunk)?;
    claim(op, &[&trunk.port_id]).await?;
    let sql = "SELECT count(*) FROM ml2_port_bindings WHERE port_id = ? AND status = 'ACTIVE' AND host <> ''";
    if op.tx.count(sql, args![&trunk.port_id]).await? == 0 {
        return Ok(());
    }
    Err(errors::TRUNK_IN_USE
        .error(format!("Trunk {} is in use: its port {} is bound to a host; unbind that first.", trunk.id, trunk.port_id)))
}
