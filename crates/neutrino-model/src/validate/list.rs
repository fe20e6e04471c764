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
        return Err(Invalid::input(format!(
            "Too many availability zone hints: their JSON text has {length} characters, the most is {COLUMN}."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::validate::{KeySpec, Limits, Validator};

    #[test]
    fn allowed_values_may_come_twice() {
        assert!(list_of_allowed_values(&mut json!(["a", "a", "b"]), &["a", "b"]).is_ok());
        for bad in [json!(["c"]), json!([1]), json!("a"), json!(null), json!([["a"]])] {
            assert!(list_of_allowed_values(&mut bad.clone(), &["a", "b"]).is_err(), "{bad}");
        }
    }

    /// Neutron passes the keys as arguments of a function that does not take them, and fails; the keys are checked here.
    #[test]
    fn a_list_of_dictionaries_is_checked_key_by_key() {
        const GATEWAYS: Validator = Validator::ListOfDictOrNodata(&[KeySpec::new("network_id", Validator::Uuid).required()]);
        let cx = Limits::default();
        let network = json!({"network_id": "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"});
        for good in [json!(null), json!([]), json!([network]), json!([{}, network])] {
            assert!(GATEWAYS.check(&mut good.clone(), &cx).is_ok(), "{good}");
        }
        for bad in [json!([network, network]), json!([{"network_id": "x"}]), json!([{"other": 1}]), json!([5]), json!("x")] {
            assert!(GATEWAYS.check(&mut bad.clone(), &cx).is_err(), "{bad}");
        }
    }
}
