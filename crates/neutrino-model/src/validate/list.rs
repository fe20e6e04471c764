// SPDX-License-Identifier: Apache-2.0
//! Lists whose items are unique and checked one by one.

use std::collections::HashSet;

use serde_json::Value;

use super::invalid::{Invalid, shown};
use super::python;

type Checked = Result<(), Invalid>;

/// The items of a list, or a refusal.
pub(super) fn items(v: &mut Value) -> Result<&mut Vec<Value>, Invalid> {
    match v {
        Value::Array(items) => Ok(items),
        other => Err(Invalid::reason(format!("{} is not a list", shown(other)))),
    }
}

/// Refuses a list that holds the same item twice, by Python's equality. Linear in the size of the list.
pub(super) fn refuse_duplicates(items: &[Value]) -> Checked {
    let mut seen = HashSet::with_capacity(items.len());
    match items.iter().find(|item| !seen.insert(python::key(item))) {
        Some(twice) => Err(Invalid::reason(format!("the list holds {} twice", shown(twice)))),
        None => Ok(()),
    }
}

/// `type:list_of_*`: a list, no item twice, each item good.
pub(super) fn list_of(v: &mut Value, mut check: impl FnMut(&mut Value) -> Checked) -> Checked {
    let items = items(v)?;
    refuse_duplicates(items)?;
    items.iter_mut().try_for_each(&mut check)
}

pub(super) fn list_of_non_empty(v: &mut Value, check: impl FnMut(&mut Value) -> Checked) -> Checked {
    list_of(v, check)?;
    match v {
        Value::Array(items) if items.is_empty() => Err(Invalid::reason("the list must not be empty")),
        _ => Ok(()),
    }
}

/// `type:list_of_allowed_values`: a list of strings out of a set; the same one may come twice.
pub(super) fn list_of_allowed_values(v: &mut Value, allowed: &[&str]) -> Checked {
    let wrong = |item: &&mut Value| !item.as_str().is_some_and(|text| allowed.contains(&text));
    match items(v)?.iter_mut().find(wrong) {
        Some(item) => Err(Invalid::reason(format!("{} is not one of {}", shown(item), allowed.join(", ")))),
        None => Ok(()),
    }
}

/// `type:availability_zone_hint_list`: unique strings whose JSON text fits the column.
pub(super) fn availability_zone_hint_list(v: &mut Value) -> Checked {
    const COLUMN: usize = 255;
    list_of(v, |item| super::text::string(item, None))?;
    let length = python::json_dumps(v).len();
    if length > COLUMN {
        return Err(Invalid::input(format!("Too many availability zone hints: their JSON text has {length} characters, the most is {COLUMN}.")));
    }
    Ok(())
}
