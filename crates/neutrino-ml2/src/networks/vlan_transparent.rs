// SPDX-License-Identifier: Apache-2.0
//! Extensions `vlan-transparent` and `qinq`: networks that let the VLAN tags of their guests through. On where the operator says so.
//!
//! Rules: a network has one of the two at most; a mechanism driver must support it. Open vSwitch does not, and with it neither is offered.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record, Validator,
    attribute::{Default, Kind},
};
use neutrino_types::{Kind as ErrorKind, Result, error::kinds};
use oslo_config::{Config, Opt};

use crate::mech::manager::Manager;

const TRANSPARENCY_ERROR: ErrorKind = ErrorKind::new("VlanTransparencyDriverError", 400);
const QINQ_ERROR: ErrorKind = ErrorKind::new("VlanQinqDriverError", 400);

pub const VLAN_TRANSPARENT: &str = "vlan_transparent";
pub const QINQ: &str = "qinq";

pub static OPTIONS: &[Opt] = &[
    Opt::bool("DEFAULT", "vlan_transparent")
        .removal("the mechanism drivers decide it")
        .help("Offer networks that are transparent to VLANs."),
    Opt::bool("DEFAULT", "vlan_qinq").removal("the mechanism drivers decide it").help("Offer networks for VLANs in VLANs (802.1ad)."),
];

static TRANSPARENT_EXTENSION: Extension =
    Extension::new("vlan-transparent", "Vlantransparent", "Provides Vlan Transparent Networks", "2015-03-23T09:00:00-00:00").extends(&[(
        "networks",
        &[Attribute::new(VLAN_TRANSPARENT)
            .post()
            .default(Default::Unset)
            .convert(Converter::ToBoolean)
            .filter()
            .column("vlan_transparent", Kind::Bool)],
    )]);

static QINQ_EXTENSION: Extension = Extension::new(
    "qinq",
    "QinQ networks",
    "Expose network 'qinq' attribute in the API. This allows to configure network to allow vlan in vlan configuration using 0x88a8 \
     ethertype (QinQ).",
    "2024-12-02T10:00:00-00:00",
)
.extends(&[(
    "networks",
    &[Attribute::new(QINQ)
        .post()
        .default(Default::Unset)
        .convert(Converter::ToBoolean)
        .validate(Validator::Boolean)
        .filter()
        .column("qinq", Kind::Bool)],
)]);

pub fn register(builder: &mut Builder, config: &Config) {
    let refused =
        config.is_declared("ml2", "mechanism_drivers") && config.list("ml2", "mechanism_drivers").iter().any(|n| n == "openvswitch");
    for (option, extension) in [("vlan_transparent", &TRANSPARENT_EXTENSION), ("vlan_qinq", &QINQ_EXTENSION)] {
        if config.bool("DEFAULT", option) {
            if refused {
                tracing::warn!("[DEFAULT] {option} has no effect: the mechanism driver openvswitch does not support it");
            } else {
                builder.extension(extension);
            }
        }
    }
}

/// Refuses a new network whose VLANs no mechanism driver lets through. Without any driver nobody objects.
///
/// # Errors
/// 400.
pub fn created(drivers: &Manager, network: &Record) -> Result<()> {
    if drivers.drivers.is_empty() {
        return Ok(());
    }
    for (attribute, kind) in [(VLAN_TRANSPARENT, TRANSPARENCY_ERROR), (QINQ, QINQ_ERROR)] {
        let opinions: Vec<bool> = drivers.drivers.iter().filter_map(|driver| driver.lets_vlans_through(attribute, network)).collect();
        let supported = opinions.contains(&true) && !opinions.contains(&false);
        if network.bool(attribute) && !supported {
            return Err(kind.error(format!("The mechanism drivers here do not support networks with '{attribute}'.")));
        }
    }
    Ok(())
}

/// What was not asked for is false; both at once are refused.
///
/// # Errors
/// 400.
pub fn create(body: &mut Body) -> Result<()> {
    for name in [VLAN_TRANSPARENT, QINQ] {
        if body.get(name).is_none() {
            body.set(name, false);
        }
    }
    if body.bool(VLAN_TRANSPARENT) == Some(true) && body.bool(QINQ) == Some(true) {
        return Err(kinds::BAD_REQUEST_PLUGIN.error("A network has one of 'vlan_transparent' and 'qinq' at most."));
    }
    Ok(())
}
