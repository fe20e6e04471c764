// SPDX-License-Identifier: Apache-2.0
//! Highly available routers: several agents serve each, and watch each other by VRRP over a network of the project's own.
//!
//! Owns the attribute `ha`, and `ha_router_networks`, `ha_router_vrid_allocations`, `ha_router_agent_port_bindings` with the networks, subnets and
//! ports behind them. Refuses to own: which agents serve a router, and what they say of their state. Invariants: a project has one HA network,
//! made with its first such router and gone with its last, in the transactions of these; each router has a VRID of its own on that network;
//! each of its agents has one port there. Who makes, uses or removes a project's HA network claims its row first.

mod invariants;
mod network;
mod ports;

use std::sync::Arc;

use neutrino_core::{Builder, Op};
use neutrino_db::args;
use neutrino_model::{Attribute, Body, Converter, Extension, Record, attribute::Default, attribute::Kind};
use neutrino_types::{Error, Kind as ErrorKind, Result, cidr::Cidr};
use oslo_config::{Config, Opt};

pub(crate) use ports::{plug, unplug, unplug_all};

use super::{EXTRA, errors::bad};

pub(crate) const HA: &str = "ha";

const NO_VRID: ErrorKind = ErrorKind::new("NoVRIDAvailable", 409);
/// VRRP's numbers of virtual routers are one byte; 255 is its own.
const MOST_VRID: i64 = 254;

pub static OPTIONS: &[Opt] = &[
    Opt::bool("DEFAULT", "l3_ha").default("false").help("Whether routers are highly available if the request does not say."),
    Opt::str("DEFAULT", "l3_ha_net_cidr")
        .default("169.254.192.0/18")
        .help("The subnet of the networks over which highly available routers watch each other."),
    Opt::str("DEFAULT", "l3_ha_network_type").default("").help("The type of these networks; empty: as for any network of a project."),
    Opt::str("DEFAULT", "l3_ha_network_physical_name").default("").help("The physical network that carries them; empty: the type decides."),
];

static L3_HA: Extension = Extension::new("l3-ha", "HA Router extension", "Adds HA capability to routers.", "2014-04-26T00:00:00-00:00")
    .requires(&["router"])
    .extends(&[(
        "routers",
        &[Attribute::new(HA).post().put().default(Default::Unset).convert(Converter::ToBooleanIfNotNone).enforce_policy().joined(
            &EXTRA,
            HA,
            Kind::Bool,
        )],
    )]);

static NETWORK_HA: Extension =
    Extension::new("network_ha", "Network HA creation flag", "Network high availability creation flag.", "2023-04-27T10:00:00-00:00")
        .requires(&["router"])
        .extends(&[(
            "networks",
            &[Attribute::new(HA).post().default(Default::Bool(false)).convert(Converter::ToBoolean).hidden().request_only()],
        )]);

/// What the operator says. A service of the registry.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub by_default: bool,
    pub cidr: String,
    pub network_type: Option<String>,
    pub physical_network: Option<String>,
}

/// # Errors
/// A sentence for the operator: a prefix that is none.
pub(crate) fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    let cidr = config.text("DEFAULT", "l3_ha_net_cidr");
    match Cidr::parse_with_address(&cidr) {
        Ok((address, parsed)) if cidr.contains('/') && parsed.network() == address => {}
        _ => return Err(config.refuse::<&str>("DEFAULT", "l3_ha_net_cidr", &cidr, "is not the prefix of a network", &[]).to_string()),
    }
    let named = |name: &str| Some(config.text("DEFAULT", name)).filter(|text| !text.is_empty());
    builder.service(Arc::new(Settings {
        by_default: config.bool("DEFAULT", "l3_ha"),
        cidr,
        network_type: named("l3_ha_network_type"),
        physical_network: named("l3_ha_network_physical_name"),
    }));
    builder.extension(&L3_HA).extension(&NETWORK_HA);
    invariants::register(builder);
    builder.hook("networks", network::Given).hook("agents", ports::OfAgents);
    Ok(())
}

fn settings(op: &Op<'_>) -> Result<Arc<Settings>> {
    op.engine.registry.service::<Settings>().ok_or_else(|| Error::internal("routers are on without the settings of highly available ones"))
}

/// A router that does not say is what the operator's default says.
pub(crate) fn create(op: &Op<'_>, body: &mut Body) -> Result<()> {
    if body.bool(HA).is_none() {
        body.set(HA, settings(op)?.by_default);
    }
    Ok(())
}

/// Prepares a change of `ha`: what it becomes, when it changes.
///
/// # Errors
/// `BadRequest` while the router is up.
pub(crate) fn check_change(original: &Record, body: &mut Body) -> Result<Option<bool>> {
    let Some(asked) = body.bool(HA) else {
        // Null asks for nothing.
        body.remove(HA);
        return Ok(None);
    };
    if asked == original.bool(HA) {
        return Ok(None);
    }
    if body.bool("admin_state_up").unwrap_or_else(|| original.bool("admin_state_up")) {
        return Err(bad("the attribute 'ha' of an active router cannot change: set its admin_state_up to false first"));
    }
    Ok(Some(asked))
}

/// Gives a router that is highly available from now on its place on the project's HA network, which is made when it is the first.
///
/// # Errors
/// 409 `NoVRIDAvailable` when the network has no place left; what networks say; the database's.
pub(crate) async fn join(op: &mut Op<'_>, router_id: &str, project_id: &str) -> Result<()> {
    let network_id = network::ensure(op, project_id).await?;
    let rows = op.tx.query("SELECT vr_id FROM ha_router_vrid_allocations WHERE network_id = ?", args![&network_id]).await?;
    let taken: Vec<i64> = rows.iter().map(|row| row.int(0)).collect::<Result<_>>()?;
    let free: Vec<i64> = (1..=MOST_VRID).filter(|vr_id| !taken.contains(vr_id)).collect();
    let at = op.cx.random() % u64::try_from(free.len().max(1)).unwrap_or(1);
    let vr_id = usize::try_from(at).ok().and_then(|at| free.get(at)).copied();
    let vr_id = vr_id.ok_or_else(|| {
        NO_VRID.error(format!("The project has {MOST_VRID} highly available routers: there is no place left for router {router_id}."))
    })?;
    let columns = vec![("network_id", network_id.as_str().into()), ("vr_id", vr_id.into())];
    op.insert_row("ha_router_vrid_allocations", columns).await.map_err(|error| match error.is_duplicate("") || error.is_foreign_key() {
        true => Error::stale(format!("VRID {vr_id} of the HA network {network_id} was taken by another request")),
        false => error,
    })?;
    op.tx.execute("UPDATE router_extra_attributes SET ha_vr_id = ? WHERE router_id = ?", args![vr_id, router_id]).await?;
    Ok(())
}

/// Takes that place away from a router that goes, or is not highly available any more; the network goes with the project's last one.
///
/// # Errors
/// The database's.
pub(crate) async fn leave(op: &mut Op<'_>, router_id: &str, project_id: &str) -> Result<()> {
    unplug_all(op, router_id).await?;
    let Some(network_id) = network::claim(op, project_id).await? else { return Ok(()) };
    let sql = "DELETE FROM ha_router_vrid_allocations WHERE network_id = ? \
               AND vr_id = (SELECT ha_vr_id FROM router_extra_attributes WHERE router_id = ?)";
    op.tx.execute(sql, args![&network_id, router_id]).await?;
    op.tx.execute("UPDATE router_extra_attributes SET ha_vr_id = NULL WHERE router_id = ?", args![router_id]).await?;
    let sql = "SELECT count(*) FROM routers r JOIN router_extra_attributes e ON e.router_id = r.id \
               WHERE r.project_id = ? AND e.ha = ? AND r.id <> ?";
    if op.tx.count(sql, args![project_id, true, router_id]).await? == 0 {
        network::remove(op, &network_id).await?;
    }
    Ok(())
}
