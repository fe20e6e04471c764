// SPDX-License-Identifier: Apache-2.0
//! Ports go where their routers are: what an agent is about to plug is bound on its host first.
//!
//! A highly available router's interfaces are on the host where it is active; they move when an agent says that it has become so
//! ([`super::states`]), and are bound here only while they are nowhere. Ports of distributed routers are bound on each host.

use std::collections::BTreeMap;

use neutrino_core::{Context, Engine, bindings::BindingService};
use neutrino_types::Result;
use serde_json::Value;

use super::{
    objects::{Object, is, move_port, text},
    sync::{GATEWAY_HOST, GATEWAY_PORT, HA_PORT, INTERFACES, Router, SNAT_INTERFACES},
};
use crate::routers::DISTRIBUTED_INTERFACE;

/// What is to be done.
#[derive(Debug, Default)]
struct Moves {
    /// A port and its host.
    ports: Vec<(String, String)>,
    /// A distributed port and its router.
    distributed: Vec<(String, String)>,
}

impl Moves {
    fn add(&mut self, port: &Object, host: &str, ha: bool, router: &Router) {
        let id = text(port, "id");
        let unbound = ["unbound", "binding_failed"].contains(&text(port, "binding:vif_type"));
        let (distributed, bound) = (text(port, "device_owner") == DISTRIBUTED_INTERFACE, text(port, "binding:host_id"));
        if distributed {
            self.distributed.push((id.to_owned(), router.id().to_owned()));
        } else if ha && bound.is_empty() {
            let active = router.active_host.clone();
            self.ports.extend(active.map(|host| (id.to_owned(), host)));
        } else if !ha && (bound != host || (unbound && !host.is_empty())) {
            self.ports.push((id.to_owned(), host.to_owned()));
        }
    }
}

fn list<'a>(router: &'a Router, key: &str) -> impl Iterator<Item = &'a Object> {
    router.shown.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Binds the ports of routers on the host of the agent that asks for them, as far as they are not there. Whether anything was written.
///
/// # Errors
/// What ports say; the database's.
pub async fn ensure(engine: &Engine, cx: &Context, host: &str, routers: &[Router]) -> Result<bool> {
    let mut moves = Moves::default();
    for router in routers {
        let ha = is(&router.shown, "ha");
        let gateway = router.shown.get(GATEWAY_PORT).and_then(Value::as_object);
        if let (Some(gateway), true) = (gateway, is(&router.shown, "distributed")) {
            // The central part is elsewhere, or nowhere.
            let central = text(&router.shown, GATEWAY_HOST);
            for port in std::iter::once(gateway).chain(list(router, SNAT_INTERFACES)) {
                moves.add(port, central, ha, router);
            }
        } else if let Some(gateway) = gateway {
            moves.add(gateway, host, ha, router);
        }
        for port in list(router, INTERFACES) {
            moves.add(port, host, ha, router);
        }
        if let Some(port) = router.shown.get(HA_PORT).and_then(Value::as_object) {
            moves.add(port, host, false, router);
        }
    }
    let mut by_host: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (port, host) in &moves.ports {
        by_host.entry(host).or_default().push(port);
    }
    let mut written = false;
    for (host, ports) in by_host {
        written |= settle(engine, cx, &ports, host).await;
    }
    if let Some(bindings) = engine.registry.service::<BindingService>().filter(|_| !moves.distributed.is_empty()) {
        written |= bindings.0.bind_distributed(engine, cx, host, &moves.distributed).await?;
    }
    Ok(written)
}

/// Moves ports; one that cannot move must not keep the agent from all the others. Whether anything was written.
pub async fn settle(engine: &Engine, cx: &Context, ports: &[&str], host: &str) -> bool {
    let Some(bindings) = engine.registry.service::<BindingService>() else { return false };
    let error = match bindings.0.move_ports(engine, cx, host, ports).await {
        Ok(written) => return written,
        Err(error) => error,
    };
    tracing::error!(host, ports = ports.len(), error = %error, log = error.log().unwrap_or_default(), "ports of routers are moved one by one");
    let mut written = false;
    for port_id in ports {
        match move_port(engine, cx, port_id, host).await {
            Ok(done) => written |= done,
            Err(error) => {
                let log = error.log().unwrap_or_default();
                tracing::error!(port_id, host, error = %error, log, "a router's port does not follow its router");
            }
        }
    }
    written
}
