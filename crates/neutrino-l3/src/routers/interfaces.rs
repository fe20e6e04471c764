// SPDX-License-Identifier: Apache-2.0
//! `add_router_interface`, `remove_router_interface`: plugging a router into subnets.
//!
//! Rules: by a subnet, the router takes the subnet's gateway address; by a port, the port's addresses. IPv6 subnets of one network share
//! one port. An interface that floating IPs, port forwardings or routes need stays.

use neutrino_core::{Context, Engine, Op};
use neutrino_db::args;
use neutrino_model::Record;
use neutrino_types::{Result, ip::Ip};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    CENTRALIZED_SNAT, GATEWAY, INTERFACE_OWNERS,
    attached::{self, Attached, Subnet},
    dvr,
    errors::{
        INTERFACE_IN_USE_AS_GATEWAY, INTERFACE_IN_USE_BY_FLOATING_IP, INTERFACE_IN_USE_BY_ROUTE, INTERFACE_NOT_FOUND,
        INTERFACE_NOT_FOUND_FOR_SUBNET, PORT_IN_USE, SUBNET_MISMATCH, bad,
    },
    evpn, placement, ports, routes,
    rules::{claim, facts},
};
use crate::notifier;

/// What a request names.
#[derive(Clone, Debug, Default)]
struct Named {
    port_id: Option<String>,
    subnet_id: Option<String>,
    /// EVPN: the network is to be known in the fabric.
    advertise: bool,
}

impl Named {
    fn of(request: &Value) -> Result<Self> {
        let read = |key: &str| match request.get(key) {
            None => Ok(None),
            Some(Value::String(id)) if Uuid::try_parse(id).is_ok() => Ok(Some(id.clone())),
            Some(other) => {
                let text: String = other.to_string().chars().take(80).collect();
                Err(bad(format!("the {key} {text} is not a valid UUID")))
            }
        };
        let advertise = request["advertise_host"].as_bool() == Some(true);
        let named = Self { port_id: read("port_id")?, subnet_id: read("subnet_id")?, advertise };
        if named.port_id.is_none() && named.subnet_id.is_none() {
            return Err(bad("either subnet_id or port_id must be specified"));
        }
        Ok(named)
    }
}

/// An interface as the answers tell it.
pub(super) struct Interface {
    project_id: String,
    port_id: String,
    network_id: String,
    subnet_ids: Vec<String>,
    /// Of `subnet_ids`, the one that older clients look at.
    subnet_id: String,
}

impl Interface {
    fn shown(self, router_id: &str) -> (u16, Value) {
        let answer = json!({
            "id": router_id, "project_id": self.project_id, "port_id": self.port_id,
            "network_id": self.network_id, "subnet_id": self.subnet_id, "subnet_ids": self.subnet_ids,
        });
        (200, answer)
    }
}

pub(super) async fn add(engine: &Engine, cx: &Context, router_id: &str, request: &Value) -> Result<(u16, Value)> {
    let named = Named::of(request)?;
    if named.port_id.is_some() && named.subnet_id.is_some() {
        return Err(bad("cannot specify both subnet_id and port_id"));
    }
    // What the caller does not see is not there for it.
    if let Some(port_id) = &named.port_id {
        engine.original(cx, "ports", None, port_id).await?;
    }
    if let Some(subnet_id) = &named.subnet_id {
        engine.original(cx, "subnets", None, subnet_id).await?;
    }
    let id = router_id.to_owned();
    let added = engine.transact(cx, "routers", "add router interface", |op| {
        let (id, named) = (id.clone(), named.clone());
        Box::pin(async move {
            let standard = claim(op, &id).await?;
            let interface = match &named {
                Named { port_id: Some(port_id), .. } => by_port(op, &id, port_id).await?,
                Named { subnet_id, .. } => by_subnet(op, &id, subnet_id.as_deref().unwrap_or_default()).await?,
            };
            if named.advertise {
                evpn::advertise(op, &id, &interface.network_id, &interface.port_id).await?;
            }
            op.touch(standard);
            dvr::align(op, &id).await?;
            Ok(interface)
        })
    });
    let added = added.await?;
    placement::changed(engine, cx, router_id).await;
    Ok(added.shown(router_id))
}

pub(super) async fn by_subnet(op: &mut Op<'_>, router_id: &str, subnet_id: &str) -> Result<Interface> {
    let found = attached::subnets(op, &[subnet_id]).await?;
    let Some(subnet) = found.first() else { return Err(bad(format!("subnet {subnet_id} is gone"))) };
    let Some(gateway) = subnet.gateway else {
        return Err(bad("a subnet for a router interface must have a gateway IP"));
    };
    ensure_may_join(op, subnet).await?;
    ensure_advertises(subnet)?;
    let plugged = attached::ports(op, router_id).await?;
    attached::ensure_apart(op, &plugged, &found, attached::As::Interface).await?;
    let (project_id, owner) = facts(op, router_id).await?;
    let of_subnet = |project_id: &str, port_id: String| Interface {
        project_id: project_id.to_owned(),
        port_id,
        network_id: subnet.network_id.clone(),
        subnet_ids: vec![subnet.id.clone()],
        subnet_id: subnet.id.clone(),
    };
    let shares = |port: &&Attached| subnet.is_v6() && port.kind == owner && port.network_id == subnet.network_id && port.has_v6();
    if let Some(port) = plugged.iter().find(shares) {
        let mut fixed_ips = ports::fixed_ips(port.addresses.iter());
        fixed_ips.push(json!({"subnet_id": subnet.id, "ip_address": gateway.to_string()}));
        ports::update(op, &port.port_id, json!({"fixed_ips": fixed_ips})).await?;
        return Ok(of_subnet(&port.project_id, port.port_id.clone()));
    }
    let fixed_ips = json!([{"subnet_id": subnet.id, "ip_address": gateway.to_string()}]);
    let port_id = ports::create(op, router_id, owner, &project_id, &subnet.network_id, Some(fixed_ips)).await?;
    Ok(of_subnet(&project_id, port_id))
}

async fn by_port(op: &mut Op<'_>, router_id: &str, port_id: &str) -> Result<Interface> {
    // Who deletes it now waits; who was first has taken it away whole, not its addresses alone.
    op.lock("ports", port_id).await?;
    let port = op.find("ports", port_id).await?;
    if !port.str("device_id").is_empty() {
        return Err(PORT_IN_USE.error(format!(
            "Port {port_id} of network {} is in use already, by the device {}.",
            port.str("network_id"),
            port.str("device_id")
        )));
    }
    let addresses = addresses(&port);
    if addresses.is_empty() {
        return Err(bad("a router's port must have at least one fixed IP"));
    }
    let ids: Vec<&str> = addresses.iter().map(|(subnet, _)| subnet.as_str()).collect();
    let subnets = attached::subnets(op, &ids).await?;
    for subnet in &subnets {
        ensure_advertises(subnet)?;
    }
    let (_, owner) = facts(op, router_id).await?;
    // Refuses the port of another project, by the ports' own rules.
    ports::update(op, port_id, json!({"device_id": router_id, "device_owner": owner})).await?;
    let plugged = attached::ports(op, router_id).await?;
    ensure_one_v6_port(&plugged, &port, &addresses)?;
    attached::ensure_apart(op, &plugged, &subnets, attached::As::Port(port_id)).await?;
    if subnets.iter().filter(|subnet| !subnet.is_v6()).count() > 1 {
        return Err(bad("a router's port cannot have several IPv4 subnets"));
    }
    ensure_in_pools(op, port_id, &subnets, &addresses).await?;
    ports::attach(op, router_id, port_id, owner).await?;
    let subnet_ids: Vec<String> = addresses.into_iter().map(|(subnet, _)| subnet).collect();
    Ok(Interface {
        project_id: port.project_id().to_owned(),
        port_id: port_id.to_owned(),
        network_id: port.str("network_id").to_owned(),
        subnet_id: subnet_ids.last().cloned().unwrap_or_default(),
        subnet_ids,
    })
}

fn addresses(port: &Record) -> Vec<(String, Ip)> {
    let read = |entry: &Value| Some((entry["subnet_id"].as_str()?.to_owned(), entry["ip_address"].as_str()?.parse().ok()?));
    port.list("fixed_ips").iter().filter_map(read).collect()
}

/// The subnet is the caller's own, or its network is shared with the caller's project by name.
async fn ensure_may_join(op: &mut Op<'_>, subnet: &Subnet) -> Result<()> {
    let project = op.cx.project_id().to_owned();
    if op.cx.is_admin() || subnet.project_id == project {
        return Ok(());
    }
    let sql = "SELECT count(*) FROM networkrbacs WHERE object_id = ? AND action = 'access_as_shared' AND target_project = ?";
    if op.tx.count(sql, args![&subnet.network_id, project]).await? > 0 {
        return Ok(());
    }
    Err(bad(format!("subnet {} is not owned by the project that makes the request", subnet.id)))
}

fn ensure_advertises(subnet: &Subnet) -> Result<()> {
    if subnet.is_v6() && subnet.has_foreign_router {
        return Err(bad(format!("the IPv6 subnet {} expects router advertisements from an external router", subnet.id)));
    }
    Ok(())
}

fn ensure_one_v6_port(plugged: &[Attached], port: &Record, addresses: &[(String, Ip)]) -> Result<()> {
    if !addresses.iter().any(|(_, address)| address.is_v6()) {
        return Ok(());
    }
    let same = |other: &&Attached| other.network_id == port.str("network_id") && other.kind != CENTRALIZED_SNAT && other.has_v6();
    match plugged.iter().find(same) {
        None => Ok(()),
        Some(other) => Err(bad(format!(
            "the router already has the IPv6 port {} on network {}, and one for each network is enough",
            other.port_id, other.network_id
        ))),
    }
}

/// Who owns neither the subnet nor the cloud may plug only what came out of the subnet's pools.
async fn ensure_in_pools(op: &mut Op<'_>, port_id: &str, subnets: &[Subnet], addresses: &[(String, Ip)]) -> Result<()> {
    if op.cx.is_admin() {
        return Ok(());
    }
    for subnet in subnets.iter().filter(|subnet| subnet.project_id != op.cx.project_id()) {
        let rows = op.tx.query("SELECT first_ip, last_ip FROM ipallocationpools WHERE subnet_id = ?", args![&subnet.id]).await?;
        let mut pools: Vec<(Ip, Ip)> = Vec::new();
        for row in rows {
            if let (Ok(first), Ok(last)) = (row.text(0)?.parse(), row.text(1)?.parse()) {
                pools.push((first, last));
            }
        }
        let inside = |address: &Ip| pools.iter().any(|(first, last)| first <= address && address <= last);
        if addresses.iter().any(|(id, address)| *id == subnet.id && !inside(address)) {
            return Err(bad(format!(
                "port {port_id} has an address outside the allocation pools of subnet {}, which is not owned by the project that makes the request",
                subnet.id
            )));
        }
    }
    Ok(())
}

pub(super) async fn remove(engine: &Engine, cx: &Context, router_id: &str, request: &Value) -> Result<(u16, Value)> {
    let named = Named::of(request)?;
    if let (None, Some(subnet_id)) = (&named.port_id, &named.subnet_id) {
        engine.original(cx, "subnets", None, subnet_id).await?;
    }
    let places = notifier::places(engine, router_id).await?;
    let id = router_id.to_owned();
    let removed = engine.transact(cx, "routers", "remove router interface", |op| {
        let (id, named) = (id.clone(), named.clone());
        Box::pin(async move {
            let standard = claim(op, &id).await?;
            let interface = match &named {
                Named { port_id: Some(port_id), subnet_id, .. } => remove_port(op, &id, port_id, subnet_id.as_deref()).await?,
                Named { subnet_id, .. } => remove_subnet(op, &id, subnet_id.as_deref().unwrap_or_default()).await?,
            };
            op.touch(standard);
            dvr::align(op, &id).await?;
            Ok(interface)
        })
    });
    let removed = removed.await?;
    placement::changed(engine, cx, router_id).await;
    if let Err(error) = notifier::left(engine, cx, places).await {
        tracing::error!(router_id, error = %error, log = error.log().unwrap_or_default(), "agents were not told what they lost");
    }
    Ok(removed.shown(router_id))
}

pub(super) async fn interfaces(op: &mut Op<'_>, router_id: &str) -> Result<Vec<Attached>> {
    let mut plugged = attached::ports(op, router_id).await?;
    plugged.retain(|port| INTERFACE_OWNERS.contains(&port.kind.as_str()));
    Ok(plugged)
}

pub(super) async fn remove_port(op: &mut Op<'_>, router_id: &str, port_id: &str, subnet_id: Option<&str>) -> Result<Interface> {
    let Some(port) = interfaces(op, router_id).await?.into_iter().find(|port| port.port_id == port_id) else {
        return Err(INTERFACE_NOT_FOUND.error(format!("Router {router_id} does not have an interface with id {port_id}.")));
    };
    if let Some(subnet_id) = subnet_id.filter(|id| !port.is_on(id)) {
        return Err(SUBNET_MISMATCH.error(format!("Port {port_id} is not on the requested subnet {subnet_id}.")));
    }
    let ids: Vec<&str> = port.addresses.iter().map(|(subnet, _)| subnet.as_str()).collect();
    for subnet in attached::subnets(op, &ids).await? {
        ensure_not_in_use(op, router_id, &subnet).await?;
    }
    evpn::withdraw(op, router_id, &port.network_id).await?;
    ports::delete(op, port_id).await?;
    let subnet_ids: Vec<String> = port.addresses.into_iter().map(|(subnet, _)| subnet).collect();
    let subnet_id = subnet_ids.first().cloned().unwrap_or_default();
    Ok(Interface { project_id: port.project_id, port_id: port.port_id, network_id: port.network_id, subnet_ids, subnet_id })
}

async fn remove_subnet(op: &mut Op<'_>, router_id: &str, subnet_id: &str) -> Result<Interface> {
    let plugged = interfaces(op, router_id).await?;
    let (found, subnets) = (plugged.into_iter().find(|port| port.is_on(subnet_id)), attached::subnets(op, &[subnet_id]).await?);
    let (Some(port), Some(subnet)) = (found, subnets.first()) else {
        return Err(INTERFACE_NOT_FOUND_FOR_SUBNET.error(format!("Router {router_id} has no interface on subnet {subnet_id}.")));
    };
    ensure_not_in_use(op, router_id, subnet).await?;
    evpn::withdraw(op, router_id, &port.network_id).await?;
    let rest = ports::fixed_ips(port.addresses.iter().filter(|(id, _)| id != subnet_id));
    if rest.is_empty() {
        ports::delete(op, &port.port_id).await?;
    } else {
        ports::update(op, &port.port_id, json!({"fixed_ips": rest})).await?;
    }
    let subnet_id = subnet_id.to_owned();
    Ok(Interface {
        project_id: port.project_id,
        port_id: port.port_id,
        network_id: port.network_id,
        subnet_ids: vec![subnet_id.clone()],
        subnet_id,
    })
}

async fn ensure_not_in_use(op: &mut Op<'_>, router_id: &str, subnet: &Subnet) -> Result<()> {
    let by_address = [
        "SELECT count(*) FROM floatingips f JOIN ipallocations a ON a.port_id = f.fixed_port_id AND a.ip_address = f.fixed_ip_address \
         WHERE f.router_id = ? AND a.subnet_id = ?",
        "SELECT count(*) FROM portforwardings w JOIN floatingips f ON f.id = w.floatingip_id \
         JOIN ipallocations a ON a.port_id = w.internal_neutron_port_id WHERE f.router_id = ? AND a.subnet_id = ?",
    ];
    for sql in by_address {
        if op.tx.count(sql, args![router_id, &subnet.id]).await? > 0 {
            return Err(INTERFACE_IN_USE_BY_FLOATING_IP.error(format!(
                "Router interface for subnet {} on router {router_id} cannot be deleted: one or more floating IPs need it.",
                subnet.id
            )));
        }
    }
    // Without a gateway there it is this interface that they go through.
    let outside = format!(
        "SELECT count(*) FROM floatingips f WHERE f.router_id = ? AND f.floating_network_id = ? AND NOT EXISTS (SELECT 1 FROM ports g \
         WHERE g.device_id = f.router_id AND g.network_id = f.floating_network_id AND g.device_owner = '{GATEWAY}')"
    );
    if op.tx.count(&outside, args![router_id, &subnet.network_id]).await? > 0 {
        return Err(INTERFACE_IN_USE_AS_GATEWAY.error(format!(
            "Router interface for subnet {} on router {router_id} cannot be deleted: floating IPs of its network go through it.",
            subnet.id
        )));
    }
    match routes::through(op, router_id, &subnet.cidr).await? {
        None => Ok(()),
        Some(route) => Err(INTERFACE_IN_USE_BY_ROUTE.error(format!(
            "Router interface for subnet {} on router {router_id} cannot be deleted: the route to {} needs it.",
            subnet.id, route.destination
        ))),
    }
}
