// SPDX-License-Identifier: Apache-2.0
//! MAC addresses of ports: generated under `base_mac`, unique in a network, and when one may change.
//!
//! Owns the extensions `port-mac-address-regenerate` (JSON null asks for a new address: the attribute's converter makes it) and
//! `port-mac-override` (a `direct-physical` port takes the address that its binding profile names; the binding does it).
//! Invariant: uniqueness is the unique key over network and address; what is read here only spares a failure.

use std::collections::{HashMap, HashSet};

use neutrino_core::{Builder, Op};
use neutrino_db::{Sql, args};
use neutrino_model::{Body, Extension, Record};
use neutrino_types::{Error, Kind, Result, mac::Mac};

pub const MAC_ADDRESS_IN_USE: Kind = Kind::new("MacAddressInUse", 409);
pub const MAC_ADDRESS_GENERATION_FAILURE: Kind = Kind::new("MacAddressGenerationFailure", 503);
const PORT_BOUND: Kind = Kind::new("PortBound", 409);
const UNSUPPORTED_PORT_DEVICE_OWNER: Kind = Kind::new("UnsupportedPortDeviceOwner", 409);

/// How many candidates one look at the database judges, and how many looks there are at most.
const CANDIDATES: usize = 64;
const LOOKS: usize = 16;

static REGENERATE: Extension = Extension::new(
    "port-mac-address-regenerate",
    "Neutron Port MAC address regenerate",
    "Network port MAC address regenerate",
    "2018-05-03T10:00:00-00:00",
);
static OVERRIDE: Extension = Extension::new(
    "port-mac-override",
    "Neutron Port MAC address override",
    "Allow overriding the MAC address of a direct-physical Port via the active binding profile",
    "2022-03-18T10:00:00-00:00",
);

/// Addresses known to be free in a network, and those given out, in this transaction.
#[derive(Default)]
pub struct Macs(HashMap<String, Known>);

#[derive(Default)]
struct Known {
    free: Vec<Mac>,
    given: HashSet<Mac>,
}

/// A random address under `base_mac`.
pub fn random(op: &Op<'_>) -> Mac {
    Mac::random_under(op.engine.registry.limits.base_mac, op.cx.random())
}

/// Notes an address that was found free when the network was read, so that the first port costs no statement of its own.
pub fn note_free(op: &mut Op<'_>, network_id: &str, mac: Mac) {
    op.note::<Macs>().0.entry(network_id.to_owned()).or_default().free.push(mac);
}

/// An address that no port of the network has.
///
/// # Errors
/// `MacAddressGenerationFailure` when `base_mac` leaves none that is easily found; the database's.
pub async fn generate(op: &mut Op<'_>, network_id: &str) -> Result<Mac> {
    for _ in 0..=LOOKS {
        let known = op.note::<Macs>().0.entry(network_id.to_owned()).or_default();
        while let Some(mac) = known.free.pop() {
            if known.given.insert(mac) {
                return Ok(mac);
            }
        }
        let candidates: HashSet<Mac> = (0..CANDIDATES).map(|_| random(op)).collect();
        let texts: Vec<String> = candidates.iter().map(ToString::to_string).collect();
        let mut sql = Sql::new("SELECT mac_address FROM ports WHERE network_id = ? AND ", args![network_id]);
        sql.append(Sql::in_texts(op.tx.dialect(), "mac_address", texts.iter().map(String::as_str)));
        let taken: HashSet<Mac> =
            op.tx.select(sql).await?.iter().filter_map(|row| row.text(0).ok()).filter_map(|text| text.parse().ok()).collect();
        note_all(op, network_id, candidates.difference(&taken).copied());
    }
    Err(MAC_ADDRESS_GENERATION_FAILURE.error(format!("Unable to generate a MAC address that is unique on network {network_id}.")))
}

fn note_all(op: &mut Op<'_>, network_id: &str, free: impl Iterator<Item = Mac>) {
    op.note::<Macs>().0.entry(network_id.to_owned()).or_default().free.extend(free);
}

/// The address that a request names, parsed.
///
/// # Errors
/// Internal: the attribute's validator let through what is none.
pub fn parse(text: &str) -> Result<Mac> {
    text.parse().map_err(|_| Error::internal(format!("\"{text}\" stands where a MAC address belongs")))
}

/// What the unique key's refusal means.
#[must_use]
pub fn refused(error: Error, network_id: &str, mac: Mac, generated: bool) -> Error {
    if !error.is_duplicate("mac_address") {
        return error;
    }
    if generated {
        return Error::stale(format!("{mac} was taken on network {network_id} in between"));
    }
    MAC_ADDRESS_IN_USE.error(format!("Unable to complete operation for network {network_id}: the MAC address {mac} is in use."))
}

/// May the port's address change to the one in the body? Says whether it does.
///
/// # Errors
/// `PortBound`, `UnsupportedPortDeviceOwner`.
pub fn check_change(original: &Record, body: &Body, vif_type: &str) -> Result<bool> {
    let old = original.str("mac_address");
    let Some(new) = body.str("mac_address").filter(|new| !new.eq_ignore_ascii_case(old)) else { return Ok(false) };
    if !matches!(vif_type, "" | "unbound" | "binding_failed") {
        return Err(PORT_BOUND.error(format!(
            "Unable to change the MAC address of port {} from {old} to {new}: it is bound (vif type {vif_type}); unbind it first.",
            original.id()
        )));
    }
    let owner = body.str("device_owner").filter(|owner| !owner.is_empty()).unwrap_or_else(|| original.str("device_owner"));
    if owner.starts_with("network:") {
        return Err(UNSUPPORTED_PORT_DEVICE_OWNER
            .error(format!("A MAC address update is not supported for port {}, whose device owner is {owner}.", original.id())));
    }
    Ok(true)
}

pub fn register(builder: &mut Builder) {
    builder.extension(&REGENERATE).extension(&OVERRIDE);
}
