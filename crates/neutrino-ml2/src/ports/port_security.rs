// SPDX-License-Identifier: Apache-2.0
//! Extension driver `port_security`: whether a port is held to its own addresses and security groups; and the rules between that,
//! address pairs and security groups, which also hold without the driver (then every port is held).
//!
//! Invariants: a port of a `network:*` owner is never held; a port that is not held has neither address pairs nor groups.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record,
    attribute::{Default, Join, Kind},
};
use neutrino_types::{Kind as ErrorKind, Result};
use serde_json::Value;

use super::network::NetworkFacts;

const ADDRESS_PAIR: ErrorKind = ErrorKind::new("AddressPairAndPortSecurityRequired", 409);
const SECURITY_GROUPS: ErrorKind = ErrorKind::new("PortSecurityAndIPRequiredForSecurityGroups", 400);
const HAS_SECURITY_GROUP: ErrorKind = ErrorKind::new("PortSecurityPortHasSecurityGroup", 409);

const TABLE: &str = "portsecuritybindings";
static PORTS: Join = Join::read_only(TABLE, "port_id");
static NETWORKS: Join = Join::always("networksecuritybindings", "network_id");

static EXTENSION: Extension = Extension::new("port-security", "Port Security", "Provides port security", "2012-07-23T10:00:00-00:00")
    .extends(&[
        (
            "networks",
            &[Attribute::new("port_security_enabled")
                .post()
                .put()
                .default(Default::Bool(true))
                .convert(Converter::ToBoolean)
                .enforce_policy()
                .joined(&NETWORKS, "port_security_enabled", Kind::Bool)],
        ),
        (
            "ports",
            &[Attribute::new("port_security_enabled")
                .post()
                .put()
                .default(Default::Unset)
                .convert(Converter::ToBoolean)
                .enforce_policy()
                // A port from before the driver was on has no row and is held.
                .absent(Default::Bool(true))
                .joined(&PORTS, "port_security_enabled", Kind::Bool)],
        ),
    ]);

fn names_any(body: &Body, attribute: &str) -> bool {
    body.list(attribute).is_some_and(|list| !list.is_empty())
}

fn pairs_need_port_security() -> neutrino_types::Error {
    ADDRESS_PAIR.error("Port security must be enabled for a port to have allowed address pairs.")
}

fn groups_need_port_security() -> neutrino_types::Error {
    SECURITY_GROUPS.error("Port security must be enabled for a port to have security groups.")
}

/// Decides whether a new port is held, writes that into the body, and checks what else the body asks for against it.
///
/// # Errors
/// `AddressPairAndPortSecurityRequired`, `PortSecurityAndIPRequiredForSecurityGroups`.
pub fn decide(network: &NetworkFacts, body: &mut Body) -> Result<()> {
    if body.table().find("port_security_enabled").is_none() {
        return Ok(());
    }
    let trusted = body.str("device_owner").is_some_and(|owner| owner.starts_with("network:"));
    let held = !trusted && body.bool("port_security_enabled").unwrap_or(network.port_security_enabled);
    body.set("port_security_enabled", held);
    if !held && names_any(body, "allowed_address_pairs") {
        return Err(pairs_need_port_security());
    }
    if !held && names_any(body, "security_groups") {
        return Err(groups_need_port_security());
    }
    Ok(())
}

/// Checks an update: what the port has and what it is asked to have must fit.
///
/// # Errors
/// As [`decide`], and `PortSecurityPortHasSecurityGroup`.
pub fn check_update(original: &Record, body: &Body) -> Result<()> {
    if original.table().find("port_security_enabled").is_none() {
        return Ok(());
    }
    let held = body.bool("port_security_enabled").unwrap_or_else(|| original.bool("port_security_enabled"));
    if held {
        return Ok(());
    }
    let keeps = |attribute: &str| body.get(attribute).is_none() && !original.list(attribute).is_empty();
    if names_any(body, "allowed_address_pairs") || keeps("allowed_address_pairs") {
        return Err(pairs_need_port_security());
    }
    if names_any(body, "security_groups") {
        return Err(groups_need_port_security());
    }
    if keeps("security_groups") {
        return Err(HAS_SECURITY_GROUP
            .error(format!("Port {} has security groups: take them off before port security is disabled.", original.id())));
    }
    Ok(())
}

struct Write;

#[async_trait]
impl Hook for Write {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let held = body.bool("port_security_enabled").unwrap_or(true);
        op.insert_row(TABLE, vec![("port_id", id.into()), ("port_security_enabled", held.into())]).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(held) = body.get("port_security_enabled").and_then(Value::as_bool) else { return Ok(()) };
        if held == original.bool("port_security_enabled") {
            return Ok(());
        }
        op.touch(original.standard_attr_id);
        if op.update_row(TABLE, "port_id", original.id(), vec![("port_security_enabled", held.into())]).await? == 0 {
            return self.create(op, original.id(), body).await;
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("ports", Write);
    builder.invariants(&[
        ("network without port security", "SELECT id FROM networks WHERE id NOT IN (SELECT network_id FROM networksecuritybindings)"),
        ("port without port security", "SELECT id FROM ports WHERE id NOT IN (SELECT port_id FROM portsecuritybindings)"),
    ]);
}
