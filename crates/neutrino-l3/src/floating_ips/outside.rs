// SPDX-License-Identifier: Apache-2.0
//! The port that holds a floating IP's address on the external network. It belongs to no project and is seen by administrators alone.

use neutrino_core::Op;
use neutrino_db::args;
use neutrino_model::Body;
use neutrino_types::{Result, ip::Ip};
use serde_json::{Map, Value, json};

use super::{
    FLOATING_IP,
    errors::{NO_ADDRESS_LEFT, bad},
};

/// What a request says of the address.
pub(super) struct Asked<'a> {
    pub network_id: &'a str,
    pub subnet_id: Option<&'a str>,
    pub address: Option<&'a str>,
}

/// Refuses a network that gives no floating IPs.
async fn ensure_gives(op: &mut Op<'_>, network_id: &str) -> Result<()> {
    if op.tx.count("SELECT count(*) FROM externalnetworks WHERE network_id = ?", args![network_id]).await? == 0 {
        return Err(bad(format!("network {network_id} is not a valid external network")));
    }
    if op.tx.count("SELECT count(*) FROM subnets WHERE network_id = ? AND ip_version = 4", args![network_id]).await? == 0 {
        return Err(bad(format!("network {network_id} does not contain any IPv4 subnet")));
    }
    Ok(())
}

/// Takes an address for a floating IP; gives the port's id and the address.
///
/// # Errors
/// 400 for a network that gives none or an address that is not of it, 409 for one that is taken or when none is left; the database's.
pub(super) async fn create(op: &mut Op<'_>, floating_ip_id: &str, asked: &Asked<'_>) -> Result<(String, Ip)> {
    let network_id = asked.network_id;
    ensure_gives(op, network_id).await?;
    let mut request = Map::new();
    for (name, value) in
        [("network_id", network_id), ("device_id", floating_ip_id), ("device_owner", FLOATING_IP), ("project_id", ""), ("name", "")]
    {
        request.insert(name.to_owned(), value.into());
    }
    let given = [("subnet_id", asked.subnet_id), ("ip_address", asked.address)];
    let fixed: Map<String, Value> = given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.into()))).collect();
    if !fixed.is_empty() {
        request.insert("fixed_ips".to_owned(), json!([fixed]));
    }
    let engine = op.engine;
    let mut body = Body::create(engine.entry("ports")?.table.clone(), &request, Some(""), &engine.registry.limits)?;
    body.set("status", "N/A");
    let port_id = op.create_object("ports", &mut body).await?;
    let rows = op.tx.query("SELECT ip_address FROM ipallocations WHERE port_id = ? ORDER BY ip_address", args![&port_id]).await?;
    let texts = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
    let address = texts.iter().filter_map(|text| text.parse::<Ip>().ok()).find(|address| address.is_v4());
    let address =
        address.ok_or_else(|| NO_ADDRESS_LEFT.error(format!("Unable to find any IPv4 address on external network {network_id}.")))?;
    Ok((port_id, address))
}

/// Gives the address back.
///
/// # Errors
/// The database's.
pub(super) async fn delete(op: &mut Op<'_>, port_id: &str) -> Result<()> {
    let Some(port) = op.load("ports", &[port_id]).await?.into_iter().next() else { return Ok(()) };
    op.delete_object("ports", &port).await
}
