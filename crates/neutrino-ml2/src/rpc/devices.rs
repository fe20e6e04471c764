// SPDX-License-Identifier: Apache-2.0
//! From what agents call a device to the port: its id, the beginning of it with a prefix of an interface, or a MAC address.

use std::collections::HashMap;

use neutrino_db::{Sql, Tx};
use neutrino_types::{Result, error::kinds, mac::Mac};
use serde_json::Value;
use uuid::Uuid;

use crate::mech::portbindings::object;

/// Interfaces that are named by the beginning of their port's id.
const PREFIXES: [&str; 3] = ["tap", "qvo", "sg-"];
/// Conditions in one group: databases limit how deep an expression may be.
const GROUP: usize = 50;

/// A device as an agent names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// As in answers.
    pub name: String,
    /// Tells virtual functions with one MAC address apart.
    pci_slot: Option<String>,
}

impl Device {
    /// Reads a name, or a list of a MAC address and a PCI slot.
    ///
    /// # Errors
    /// 400 `InvalidInput`.
    pub fn of(value: &Value) -> Result<Self> {
        let (name, slot) = match value {
            Value::Array(parts) => (parts.first().and_then(Value::as_str), parts.get(1).and_then(Value::as_str)),
            other => (other.as_str(), None),
        };
        let name = name.ok_or_else(|| kinds::INVALID_INPUT.error("A device of the call is no name."))?;
        Ok(Self { name: name.to_owned(), pci_slot: slot.filter(|slot| !slot.is_empty()).map(str::to_owned) })
    }

    /// # Errors
    /// As [`Device::of`].
    pub fn all(values: &[Value]) -> Result<Vec<Self>> {
        values.iter().map(Self::of).collect()
    }

    fn key(&self) -> Key<'_> {
        let bare = PREFIXES.iter().find_map(|prefix| self.name.strip_prefix(prefix));
        let text = bare.unwrap_or(&self.name);
        if Uuid::try_parse(text).is_ok() {
            return Key::Id(text);
        }
        match (bare, self.name.parse::<Mac>()) {
            (None, Ok(mac)) => Key::Mac(mac.to_string()),
            _ => Key::Beginning(text),
        }
    }
}

enum Key<'a> {
    Id(&'a str),
    Mac(String),
    Beginning(&'a str),
}

struct Found {
    id: String,
    mac: String,
    pci_slot: Option<String>,
}

/// The ids of the devices' ports, in the order of the devices; `None` where no port fits, or several do. At most one statement.
///
/// # Errors
/// The database's.
pub async fn resolve(tx: &mut Tx, devices: &[Device]) -> Result<Vec<Option<String>>> {
    let keys: Vec<Key<'_>> = devices.iter().map(Device::key).collect();
    let mut conditions = Vec::new();
    let macs: Vec<&str> = keys.iter().filter_map(|key| if let Key::Mac(mac) = key { Some(mac.as_str()) } else { None }).collect();
    if !macs.is_empty() {
        conditions.push(Sql::in_texts(tx.dialect(), "p.mac_address", macs));
    }
    for group in keys.chunks(GROUP) {
        let beginnings = group.iter().filter_map(|key| match key {
            Key::Beginning(text) if is_beginning(text) => Some(Sql::new("p.id LIKE ?", vec![format!("{text}%").into()])),
            _ => None,
        });
        let beginnings: Vec<Sql> = beginnings.collect();
        if !beginnings.is_empty() {
            conditions.push(Sql::join(beginnings, " OR "));
        }
    }
    let found = if conditions.is_empty() { Vec::new() } else { find(tx, Sql::join(conditions, " OR ")).await? };
    let mut by_mac: HashMap<&str, Vec<&Found>> = HashMap::new();
    for port in &found {
        by_mac.entry(&port.mac).or_default().push(port);
    }
    Ok(devices
        .iter()
        .zip(&keys)
        .map(|(device, key)| match key {
            Key::Id(id) => Some((*id).to_owned()),
            Key::Mac(mac) => {
                let ports = by_mac.get(mac.as_str())?;
                let fits = |port: &&&Found| device.pci_slot.is_none() || port.pci_slot == device.pci_slot;
                ports.iter().rev().find(fits).map(|port| port.id.clone())
            }
            Key::Beginning(text) if is_beginning(text) => {
                let mut fitting = found.iter().filter(|port| port.id.starts_with(text)).map(|port| port.id.as_str());
                let first = fitting.next()?;
                fitting.all(|other| other == first).then(|| first.to_owned())
            }
            Key::Beginning(_) => None,
        })
        .collect())
}

/// Could an id begin so?
fn is_beginning(text: &str) -> bool {
    !text.is_empty() && text.len() < 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

async fn find(tx: &mut Tx, condition: Sql) -> Result<Vec<Found>> {
    let mut sql = Sql::raw("SELECT p.id, p.mac_address, b.profile FROM ports p LEFT JOIN ml2_port_bindings b ON b.port_id = p.id WHERE ");
    sql.append(condition).push(" ORDER BY p.id");
    let one = |row: &neutrino_db::Row| {
        let profile = object(&row.opt_text(2)?.unwrap_or_default());
        let pci_slot = profile.get("pci_slot").and_then(Value::as_str).map(str::to_owned);
        Ok(Found { id: row.text(0)?, mac: row.text(1)?, pci_slot })
    };
    tx.select(sql).await?.iter().map(one).collect()
}
