// SPDX-License-Identifier: Apache-2.0
//! A subnet that changes or goes (`_update_subnet_precommit`, `delete_subnet` of Neutron).

use neutrino_core::Op;
use neutrino_db::{Sql, args};
use neutrino_model::{Body, Record};
use neutrino_types::Result;
use neutrino_types::cidr::Cidr;
use neutrino_types::ip::Ip;
use neutrino_types::range::IpRange;
use serde_json::Value;

use super::create::{gateway, requested_pools};
use super::network::{SegmentChange, check_segment};
use super::rules::{self, Current, Gateway, Spec, SubnetLimits};
use super::{details, errors};
use crate::ipam::network::{IPV6_PD_POOL_ID, is_auto_address, stored};
use crate::ipam::request::ROUTER_INTERFACE_OWNERS;
use crate::ipam::{pools, records};

/// Owners of ports that go, or lose their address, with the subnet.
const AUTO_DELETE_PORT_OWNERS: [&str; 3] = ["network:dhcp", "network:distributed", "network:floatingip_agent_gateway"];

/// Writes an update.
///
/// # Errors
/// The refusals of the rules; the database's.
pub(super) async fn update(op: &mut Op<'_>, limits: &SubnetLimits, original: &Record, body: &mut Body) -> Result<()> {
    let cidr: Cidr = stored(original.str("cidr"))?;
    let wanted_gateway = gateway(body)?;
    let spec = Spec {
        ip_version: cidr.version(),
        cidr: Some(cidr),
        gateway: wanted_gateway,
        enable_dhcp: body.bool("enable_dhcp"),
        dns_nameservers: details::texts(body, "dns_nameservers"),
        host_routes: details::host_routes(body),
        ra_mode: None,
        address_mode: None,
        prefix_delegated: original.str("subnetpool_id") == IPV6_PD_POOL_ID,
    };
    let has_ipv6_mode = original.opt_str("ipv6_ra_mode").is_some() || original.opt_str("ipv6_address_mode").is_some();
    let current = Current { enable_dhcp: original.bool("enable_dhcp"), has_ipv6_mode };
    rules::validate(&spec, Some(current), limits)?;
    let old_gateway = original.opt_str("gateway_ip").map(stored::<Ip>).transpose()?;
    let new_gateway = match wanted_gateway {
        Gateway::Unspecified => old_gateway,
        Gateway::Absent => None,
        Gateway::Address(ip) => Some(ip),
    };
    if new_gateway != old_gateway && !spec.prefix_delegated {
        check_gateway_unused(op, original.id(), old_gateway).await?;
    }
    let requested = requested_pools(body)?;
    if let Some(requested) = &requested {
        pools::validate_pools(requested, &cidr)?;
    }
    if let Some(gateway) = new_gateway.filter(|_| new_gateway != old_gateway || requested.is_some()) {
        let held = held_pools(original)?;
        pools::validate_gateway_out_of_pools(gateway, requested.as_deref().unwrap_or(&held))?;
    }
    if body.names("segment_id") {
        let change = SegmentChange {
            network_id: original.str("network_id"),
            subnet_id: original.id(),
            segment_id: body.str("segment_id"),
            old: original.opt_str("segment_id"),
        };
        check_segment(op, &change).await?;
    }
    if differs(original, body) {
        op.touch(original.standard_attr_id);
        op.touch_object("networks", original.str("network_id")).await?;
    }
    details::write(op.tx, original.id(), body, false).await?;
    if let Some(requested) = &requested {
        records::replace_pools(op.tx, op.cx, original.id(), requested).await?;
    }
    op.update(original, body).await
}

fn held_pools(original: &Record) -> Result<Vec<IpRange>> {
    let text = |pool: &Value, end: &str| pool.get(end).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pairs: Vec<(String, String)> =
        original.list("allocation_pools").iter().map(|pool| (text(pool, "start"), text(pool, "end"))).collect();
    pools::parse_pools(pairs.iter().map(|(start, end)| (start.as_str(), end.as_str())))
}

/// Does the body ask for anything that is not so already?
fn differs(original: &Record, body: &Body) -> bool {
    let table = original.table();
    (0..table.attributes.len()).any(|at| body.is_explicit(at) && body.at(at).is_some_and(|value| value != original.at(at)))
}

async fn check_gateway_unused(op: &mut Op<'_>, subnet_id: &str, gateway: Option<Ip>) -> Result<()> {
    let Some(gateway) = gateway else { return Ok(()) };
    let text =
        "SELECT a.port_id FROM ipallocations a JOIN routerports r ON r.port_id = a.port_id WHERE a.subnet_id = ? AND a.ip_address = ?";
    match op.tx.query_one(text, args![subnet_id, gateway.to_string()]).await? {
        None => Ok(()),
        Some(row) => Err(errors::GATEWAY_IP_IN_USE.error(format!(
            "The gateway {gateway} cannot be changed while port {} of a router holds it: remove the router's interface first.",
            row.text(0)?
        ))),
    }
}

/// Deletes a subnet. Addresses that follow from a MAC, and those of DHCP ports, go with it.
///
/// # Errors
/// `SubnetInUse` while a router or a user's port holds an address of it; the database's.
pub(super) async fn delete(op: &mut Op<'_>, original: &Record) -> Result<()> {
    let id = original.id();
    // Keeps an address from being taken between the look and the deletion: the foreign key of the new row waits for this one.
    op.lock("subnets", id).await?;
    let rows = op
        .tx
        .query(
            "SELECT p.id, p.device_owner, p.standard_attr_id FROM ipallocations a JOIN ports p ON p.id = a.port_id WHERE a.subnet_id = ?",
            args![id],
        )
        .await?;
    let auto = is_auto_address(original.opt_str("ipv6_address_mode"), original.opt_str("ipv6_ra_mode"));
    for row in &rows {
        let owner = row.text(1)?;
        let in_use = ROUTER_INTERFACE_OWNERS.contains(&owner.as_str()) || (!auto && !AUTO_DELETE_PORT_OWNERS.contains(&owner.as_str()));
        if in_use {
            return Err(errors::SUBNET_IN_USE.error(format!(
                "Subnet {id} is in use: port {} has an IP address of it. Delete the port, or remove the address, first.",
                row.text(0)?
            )));
        }
        op.touch(row.int(2)?);
    }
    op.tx.execute("DELETE FROM ipallocations WHERE subnet_id = ?", args![id]).await?;
    records::remove(op.tx, id).await?;
    let mut sql = Sql::raw("SELECT standard_attr_id FROM networks WHERE id = ");
    sql.bind(original.str("network_id"));
    for row in op.tx.select(sql).await? {
        op.touch(row.int(0)?);
    }
    op.delete(original).await
}
