// SPDX-License-Identifier: Apache-2.0
//! The rules of ports: what a create, an update and a delete check and write, in order.

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::{Body, Record};
use neutrino_types::{Kind, Result};

use super::{fixed_ips, mac, network, port_security};
use crate::{
    ipam::{
        allocate,
        request::{Allocated, FixedIpsRequest, PortFacts, ROUTER_INTERFACE_OWNERS},
        update::{OldPort, update_for_port},
    },
    mech::{bind::bind_if_needed, driver::Change, manager, provisioning},
    rpc::notify,
};

const DEVICE_ID_NOT_OWNED_BY_TENANT: Kind = Kind::new("DeviceIDNotOwnedByTenant", 409);

pub struct Ports;

#[async_trait]
impl Behaviour for Ports {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let network_id = body.str("network_id").unwrap_or_default().to_owned();
        let owner = body.str("device_owner").unwrap_or_default().to_owned();
        check_device(op, &owner, body.str("device_id").unwrap_or_default(), body.project_id()).await?;
        let network = network::facts(op, &network_id).await?;
        port_security::decide(&network, body)?;
        let (mac, generated) = match body.str("mac_address") {
            Some(text) => (mac::parse(text)?, false),
            None => (mac::generate(op, &network_id).await?, true),
        };
        body.set("mac_address", mac.to_string());
        let request = match body.list("fixed_ips") {
            Some(entries) => FixedIpsRequest::Given(fixed_ips::requested(entries)?),
            None => FixedIpsRequest::Unspecified,
        };
        let host = body.str("binding:host_id").unwrap_or_default().to_owned();
        let port = PortFacts { network_id: &network_id, device_owner: &owner, mac, host: &host };
        let allocation = network.subnets.allocate(op.tx, op.cx, &port, &request).await?;
        let status = body.str("status").unwrap_or("DOWN").to_owned();
        let columns =
            [("mac_address", mac.to_string().into()), ("status", status.into()), ("ip_allocation", allocation.mode.text().into())];
        op.insert(id, body, &columns).await.map_err(|error| mac::refused(error, &network_id, mac, generated))?;
        allocate::store(op.tx, id, &network_id, &allocation.addresses).await
    }

    async fn created(&self, op: &mut Op<'_>, record: &Record) -> Result<()> {
        wait_for_dhcp(op, record, true).await?;
        manager(op.engine).port_precommit(op, Change::Created(record)).await
    }

    async fn confirm_create(&self, engine: &Engine, cx: &Context, record: &Record) -> Result<()> {
        manager(engine).port_postcommit(engine, cx, Change::Created(record)).await
    }

    async fn after_create(&self, engine: &Engine, cx: &Context, record: &mut Record) -> Result<()> {
        bind(engine, cx, record).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<()> {
        let mac_changes =
            mac::check_change(original, body, original.str("binding:vif_type"))? | reset_device_mac(op, original, body).await?;
        check_device_change(op, original, body).await?;
        port_security::check_update(original, body)?;
        let network_id = original.str("network_id");
        let mac = mac::parse(body.str("mac_address").unwrap_or_else(|| original.str("mac_address")))?;
        body.set("mac_address", mac.to_string());
        op.update(original, body).await.map_err(|error| mac::refused(error, network_id, mac, false))?;
        if body.names("fixed_ips") || mac_changes || host_changes(original, body) {
            change_addresses(op, original, body).await?;
        }
        Ok(())
    }

    async fn updated(&self, op: &mut Op<'_>, original: &Record, record: &Record) -> Result<()> {
        let moved = ["fixed_ips", "mac_address"].iter().any(|name| original.get(name) != record.get(name));
        if moved {
            wait_for_dhcp(op, record, false).await?;
        }
        manager(op.engine).port_precommit(op, Change::Updated { original, current: record }).await
    }

    async fn after_update(&self, engine: &Engine, cx: &Context, original: &Record, record: &mut Record) -> Result<()> {
        let told = manager(engine).port_postcommit(engine, cx, Change::Updated { original, current: record }).await;
        bind(engine, cx, record).await?;
        notify::port_updated(engine, cx, original, record).await?;
        told
    }

    async fn after_delete(&self, engine: &Engine, cx: &Context, original: &Record) -> Result<()> {
        manager(engine).port_postcommit(engine, cx, Change::Deleted(original)).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        manager(op.engine).port_precommit(op, Change::Deleted(original)).await?;
        // Of a port that this transaction has not claimed the addresses may have changed since it was loaded.
        let held = match op.holds(original) {
            true => fixed_ips::held(original)?,
            false => allocate::addresses_of(op.tx, original.id()).await?,
        };
        allocate::release(op.tx, &held).await?;
        op.delete(original).await
    }
}

/// Binds the port if its host is known and it is not bound, and shows what came of it.
async fn bind(engine: &Engine, cx: &Context, record: &mut Record) -> Result<()> {
    let waits = !record.str("binding:host_id").is_empty() && matches!(record.str("binding:vif_type"), "unbound" | "binding_failed");
    // As in Neutron: a binding that this request changed costs a revision more than another try of one that had failed.
    let bumps = if record.str("binding:vif_type") == "unbound" { 2 } else { 1 };
    if waits && bind_if_needed(engine, cx, record.clone(), bumps).await? {
        *record = engine.original(&cx.elevated(), "ports", None, record.id()).await?;
    }
    Ok(())
}

/// A DHCP agent that serves the port's network must have its addresses before the port is ACTIVE.
async fn wait_for_dhcp(op: &mut Op<'_>, port: &Record, new: bool) -> Result<()> {
    if provisioning::NOT_BLOCKED.contains(&port.str("device_owner")) {
        return Ok(());
    }
    let network = network::facts(op, port.str("network_id")).await?;
    let served = network.has_dhcp_agents && {
        let holds = |id: &str| port.list("fixed_ips").iter().any(|entry| entry["subnet_id"].as_str() == Some(id));
        network.subnets.subnets().iter().any(|subnet| subnet.enable_dhcp && holds(&subnet.id))
    };
    match (served, new) {
        (true, _) => provisioning::add_block(op, port.standard_attr_id, provisioning::DHCP_ENTITY).await,
        (false, true) => Ok(()),
        (false, false) => provisioning::remove_block(op, port.standard_attr_id, provisioning::DHCP_ENTITY).await.map(drop),
    }
}

/// A physical function that its guest leaves keeps its address: the port must not. Whether the port gets a new one.
async fn reset_device_mac(op: &mut Op<'_>, original: &Record, body: &mut Body) -> Result<bool> {
    let leaves = body.str("device_id") == Some("") && body.str("device_owner") == Some("") && !original.str("device_id").is_empty();
    if !leaves || original.str("binding:vnic_type") != "direct-physical" {
        return Ok(false);
    }
    let mac = mac::generate(op, original.str("network_id")).await?;
    body.set("mac_address", mac.to_string());
    Ok(true)
}

fn host_changes(original: &Record, body: &Body) -> bool {
    body.names("binding:host_id") && body.str("binding:host_id").unwrap_or_default() != original.str("binding:host_id")
}

/// Brings the addresses in line with the request, the new MAC address or the new host.
async fn change_addresses(op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
    let held: Vec<Allocated> = fixed_ips::held(original)?;
    let old_host = original.str("binding:host_id");
    let host = if body.names("binding:host_id") { body.str("binding:host_id").unwrap_or_default() } else { old_host };
    let new = PortFacts {
        network_id: original.str("network_id"),
        device_owner: body.str("device_owner").unwrap_or_else(|| original.str("device_owner")),
        mac: mac::parse(body.str("mac_address").unwrap_or_else(|| original.str("mac_address")))?,
        host,
    };
    let deferred = held.is_empty() && is_deferred(op, original.id()).await?;
    let old = OldPort { id: original.id(), host: old_host, mac: mac::parse(original.str("mac_address"))?, deferred, addresses: &held };
    let requested = body.list("fixed_ips").map(fixed_ips::requested).transpose()?;
    let changes = update_for_port(op.tx, op.cx, &old, &new, requested.as_deref()).await?;
    if changes.added.is_empty() && changes.removed.is_empty() {
        return Ok(());
    }
    op.touch(original.standard_attr_id);
    if deferred && !changes.added.is_empty() {
        op.tx.execute("UPDATE ports SET ip_allocation = 'immediate' WHERE id = ?", args![original.id()]).await?;
    }
    Ok(())
}

async fn is_deferred(op: &mut Op<'_>, id: &str) -> Result<bool> {
    Ok(op.tx.count("SELECT count(*) FROM ports WHERE id = ? AND ip_allocation = 'deferred'", args![id]).await? > 0)
}

async fn check_device_change(op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
    if body.get("device_owner").is_none() && body.get("device_id").is_none() {
        return Ok(());
    }
    let given = |name: &str| body.str(name).filter(|text| !text.is_empty()).unwrap_or_else(|| original.str(name)).to_owned();
    check_device(op, &given("device_owner"), &given("device_id"), original.project_id()).await
}

/// A port that says it is a router's interface must not name a router of another project.
async fn check_device(op: &mut Op<'_>, owner: &str, device_id: &str, project_id: &str) -> Result<()> {
    if op.cx.is_admin() || device_id.is_empty() || !ROUTER_INTERFACE_OWNERS.contains(&owner) {
        return Ok(());
    }
    if op.engine.registry.has_extension("router") {
        let row = op.tx.query_one("SELECT project_id FROM routers WHERE id = ?", args![device_id]).await?;
        match row.map(|row| row.opt_text(0)).transpose()?.flatten() {
            Some(router) if router != project_id => {}
            _ => return Ok(()),
        }
    }
    Err(DEVICE_ID_NOT_OWNED_BY_TENANT.error(format!("The device {device_id} is a router of another project, or none that can be checked.")))
}
