// SPDX-License-Identifier: Apache-2.0
//! Extension `evpn`, by the service plugin of that name: routers as virtual networks of an EVPN fabric.
//!
//! Owns `evpn_l3_instances`, `evpn_networks`, `evpn_advertised_ports` and, for them, `vni_allocations`, `vlan_allocations` and
//! `vni_vlan_mapping`. Rules: a VNI belongs to one router, chosen by an administrator or, for 0, by the server; it goes with the router.
//! An interface that is plugged in with `advertise_host` makes its network known in the fabric, by one subnet at most.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record, Validator,
    attribute::{Default, Kind as Stored},
};
use neutrino_types::{Error, Kind, Result};

const ALIAS: &str = "evpn";
const VNI: &str = "evpn_vni";

/// The one fabric there is, as Neutron names it.
const FABRIC: &str = "ovn-evpn";
const LAST_VNI: i64 = 16_777_215;
const LAST_VLAN: i64 = 4094;

const VNI_IN_USE: Kind = Kind::new("EVPNVNIInUse", 409);
const NO_VNI: Kind = Kind::new("EVPNNoVniAvailable", 409);
const NO_VLAN: Kind = Kind::new("EVPNNoVlanAvailable", 409);
const VNI_NOT_FOUND: Kind = Kind::new("EVPNVNINotFound", 404);
const ADVERTISED: Kind = Kind::new("EVPNAdvertisedSubnetConflict", 409);

static EXTENSION: Extension =
    Extension::new(ALIAS, "EVPN", "Router extension to support EVPN Type-5 route advertisement", "2026-04-28T00:00:00-00:00")
        .requires(&["router"])
        .extends(&[(
            "routers",
            &[Attribute::new(VNI)
                .post()
                .default(Default::Unset)
                .convert(Converter::ToInt)
                .validate(Validator::Range(Some(0), Some(LAST_VNI)))
                .filter()
                .sort()
                .enforce_policy()
                .expr(
                    "(SELECT v.vni FROM evpn_l3_instances i JOIN vni_vlan_mapping m ON m.id = i.mapping_id \
                          JOIN vni_allocations v ON v.id = m.vni_allocation_id WHERE i.router_id = t.id)",
                    Stored::Int,
                )],
        )]);

struct Instances;

#[async_trait]
impl Hook for Instances {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let Some(asked) = body.int(VNI) else { return Ok(()) };
        let vni = if asked == 0 { free(op, &VNIS, LAST_VNI).await?.ok_or_else(|| exhausted(NO_VNI, "VNI", LAST_VNI))? } else { asked };
        let taken = |error: Error| match error.is_duplicate("") {
            true if asked == 0 => Error::stale(format!("VNI {vni} was taken by another request")),
            true => VNI_IN_USE.error(format!("The EVPN VNI {vni} is in use already.")),
            false => error,
        };
        let vni_id = op.cx.new_id();
        let columns = vec![("id", vni_id.as_str().into()), ("vni", vni.into()), ("physnet", FABRIC.into())];
        op.insert_row("vni_allocations", columns).await.map_err(taken)?;
        let vlan = free(op, &VLANS, LAST_VLAN).await?.ok_or_else(|| exhausted(NO_VLAN, "VLAN", LAST_VLAN))?;
        let vlan_id = op.cx.new_id();
        let columns = vec![("id", vlan_id.as_str().into()), ("vlan_id", vlan.into()), ("physnet", FABRIC.into())];
        op.insert_row("vlan_allocations", columns).await.map_err(|error| match error.is_duplicate("") {
            true => Error::stale(format!("VLAN {vlan} was taken by another request")),
            false => error,
        })?;
        let mapping_id = op.cx.new_id();
        let columns = vec![
            ("id", mapping_id.as_str().into()),
            ("vni_allocation_id", vni_id.as_str().into()),
            ("vlan_allocation_id", vlan_id.as_str().into()),
        ];
        op.insert_row("vni_vlan_mapping", columns).await?;
        op.insert_row("evpn_l3_instances", vec![("router_id", id.into()), ("mapping_id", mapping_id.as_str().into())]).await
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let sql = "SELECT m.id, m.vni_allocation_id, m.vlan_allocation_id FROM evpn_l3_instances i \
                   JOIN vni_vlan_mapping m ON m.id = i.mapping_id WHERE i.router_id = ?";
        let Some(row) = op.tx.query_one(sql, args![original.id()]).await? else { return Ok(()) };
        for (sql, id) in [
            ("DELETE FROM evpn_networks WHERE router_id = ?", original.id().to_owned()),
            ("DELETE FROM evpn_l3_instances WHERE router_id = ?", original.id().to_owned()),
            ("DELETE FROM vni_vlan_mapping WHERE id = ?", row.text(0)?),
            ("DELETE FROM vni_allocations WHERE id = ?", row.text(1)?),
            ("DELETE FROM vlan_allocations WHERE id = ?", row.text(2)?),
        ] {
            op.tx.execute(sql, args![id]).await?;
        }
        Ok(())
    }
}

/// Numbers of a pool that are taken.
struct Pool {
    table: &'static str,
    column: &'static str,
}

const VNIS: Pool = Pool { table: "vni_allocations", column: "vni" };
const VLANS: Pool = Pool { table: "vlan_allocations", column: "vlan_id" };

/// The lowest number that is free: 1, or one that follows a taken one.
async fn free(op: &mut Op<'_>, pool: &Pool, last: i64) -> Result<Option<i64>> {
    let Pool { table, column } = pool;
    if op.tx.count(&format!("SELECT count(*) FROM {table} WHERE physnet = ? AND {column} = 1"), args![FABRIC]).await? == 0 {
        return Ok(Some(1));
    }
    let sql = format!(
        "SELECT MIN(a.{column}) + 1 FROM {table} a WHERE a.physnet = ? AND a.{column} < ? \
         AND NOT EXISTS (SELECT 1 FROM {table} b WHERE b.physnet = a.physnet AND b.{column} = a.{column} + 1)"
    );
    match op.tx.query_one(&sql, args![FABRIC, last]).await? {
        Some(row) => row.opt_int(0),
        None => Ok(None),
    }
}

fn exhausted(kind: Kind, what: &str, last: i64) -> Error {
    kind.error(format!("No EVPN {what} is available in the range [1, {last}]."))
}

/// Makes an interface's network known in the fabric.
///
/// # Errors
/// 404 when the router has no VNI, 409 when the network is known already; the database's.
pub(super) async fn advertise(op: &mut Op<'_>, router_id: &str, network_id: &str, port_id: &str) -> Result<()> {
    if !op.engine.registry.has_extension(ALIAS) {
        return Ok(());
    }
    if op.tx.count("SELECT count(*) FROM evpn_l3_instances WHERE router_id = ?", args![router_id]).await? == 0 {
        return Err(VNI_NOT_FOUND.error(format!("Router {router_id} has no EVPN VNI.")));
    }
    let columns = vec![("network_id", network_id.into()), ("router_id", router_id.into())];
    op.insert_row("evpn_networks", columns).await.map_err(|error| match error.is_duplicate("") {
        true => ADVERTISED.error(format!("Network {network_id} is advertised already, by another of its subnets or another router.")),
        false => error,
    })?;
    op.insert_row("evpn_advertised_ports", vec![("port_id", port_id.into()), ("network_id", network_id.into())]).await
}

/// The router leaves the network.
pub(super) async fn withdraw(op: &mut Op<'_>, router_id: &str, network_id: &str) -> Result<()> {
    if op.engine.registry.has_extension(ALIAS) {
        op.tx.execute("DELETE FROM evpn_networks WHERE router_id = ? AND network_id = ?", args![router_id, network_id]).await?;
    }
    Ok(())
}

pub(super) fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("routers", Instances);
    builder.invariant(
        "EVPN VNI that no router has",
        "SELECT v.id FROM vni_allocations v WHERE v.physnet = 'ovn-evpn' AND NOT EXISTS (SELECT 1 FROM vni_vlan_mapping m \
         JOIN evpn_l3_instances i ON i.mapping_id = m.id WHERE m.vni_allocation_id = v.id)",
    );
}
