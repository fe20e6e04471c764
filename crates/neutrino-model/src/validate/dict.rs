// SPDX-License-Identifier: Apache-2.0
//! Dictionaries checked against the keys they may have.

use serde_json::{Map, Value};

use super::invalid::{Invalid, shown, shown_text};
use super::limits::Limits;
use super::list;
use super::spec::KeySpec;

type Checked = Result<(), Invalid>;

/// `type:dict`: without specifications any dictionary; with them the required keys, no unknown key, and each present key converted
/// (in place) and checked.
pub(super) fn dict(v: &mut Value, specs: &[KeySpec], cx: &Limits) -> Checked {
    let map = as_map(v)?;
    if specs.is_empty() {
        return Ok(());
    }
    let missing = specs.iter().find(|spec| spec.required == Some(true) && !map.contains_key(spec.key));
    if let Some(spec) = missing {
        return Err(Invalid::reason(format!("the key '{}' is missing", spec.key)));
    }
    let unknown = map.keys().find(|key| !specs.iter().any(|spec| spec.key == key.as_str()));
    if let Some(key) = unknown {
        return Err(Invalid::reason(format!("the key {} is unknown", shown_text(key))));
    }
    for spec in specs {
        let Some(slot) = map.get_mut(spec.key) else { continue };
        if let Some(converter) = spec.convert {
            *slot = converter.convert(slot.take(), cx).map_err(|refusal| refusal.for_converted(spec.key))?;
        }
        if let Some(check) = spec.check {
            check.check(slot, cx)?;
        }
    }
    Ok(())
}

fn as_map(v: &mut Value) -> Result<&mut Map<String, Value>, Invalid> {
    match v {
        Value::Object(map) => Ok(map),
        other => Err(Invalid::reason(format!("{} is not a dictionary", shown(other)))),
    }
}

/// A dictionary with exactly these keys.
pub(super) fn exact<'a>(v: &'a Value, keys: &[&str]) -> Result<&'a Map<String, Value>, Invalid> {
    match v {
        Value::Object(map) if map.len() == keys.len() && keys.iter().all(|key| map.contains_key(*key)) => Ok(map),
        other => Err(Invalid::reason(format!("{} is not a dictionary with exactly the keys {}", shown(other), keys.join(", ")))),
    }
}

/// `type:list_of_any_key_specs_or_none`: each dictionary satisfies at least one of the sets of keys. Always raises `InvalidInput`.
pub(super) fn list_of_any_key_specs(v: &mut Value, sets: &[&[KeySpec]], cx: &Limits) -> Checked {
    let checked = list::list_of(v, |item| {
        for specs in sets {
            match dict(item, specs, cx) {
                Err(Invalid::Reason(_)) => {}
                settled => return settled,
            }
        }
        Err(Invalid::reason(format!("{} has none of the sets of keys that are known here", shown(item))))
    });
    checked.map_err(|refusal| match refusal {
        Invalid::Reason(reason) => Invalid::input(format!("Invalid list of dictionaries: {reason}.")),
        complete => complete,
    })
}
