// SPDX-License-Identifier: Apache-2.0
//! The sub-ports of a request, from JSON to what the rules judge.

use neutrino_model::{Converter, Limits, Validator};
use neutrino_types::{Error, Result, error::kinds};
use serde_json::Value;

use super::SUB_PORTS;

pub const VLAN: &str = "vlan";
const INHERIT: &str = "inherit";
/// IEEE 802.1Q.
const VLAN_IDS: std::ops::RangeInclusive<i64> = 1..=4094;

/// A sub-port as it is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub port_id: String,
    segmentation_type: Option<Value>,
    segmentation_id: Option<Value>,
}

/// A sub-port as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubPort {
    pub port_id: String,
    pub segmentation_type: String,
    pub segmentation_id: i64,
}

/// The items of a list that the attribute's validator has judged.
pub fn asked(items: &[Value]) -> Vec<Asked> {
    let one = |item: &Value| Asked {
        port_id: item["port_id"].as_str().unwrap_or_default().to_owned(),
        segmentation_type: item.get("segmentation_type").cloned(),
        segmentation_id: item.get("segmentation_id").cloned(),
    };
    items.iter().map(one).collect()
}

/// The items of an action's body, which nothing has judged yet.
///
/// # Errors
/// 400 `InvalidInput`.
pub fn of_action(request: &Value) -> Result<Vec<Asked>> {
    let invalid = |reason: &str| kinds::INVALID_INPUT.error(format!("Invalid input for operation: {reason}."));
    let Some(items) = request.get(SUB_PORTS) else {
        return Err(invalid("the body must be {\"sub_ports\": [...]}"));
    };
    let mut items = items.clone();
    Validator::Subports
        .check(&mut items, &Limits::default())
        .map_err(|e| invalid(e.into_error(SUB_PORTS).message().trim_end_matches('.')))?;
    Ok(asked(items.as_array().map(Vec::as_slice).unwrap_or_default()))
}

impl Asked {
    /// Does it take the segmentation of its network?
    pub fn inherits(&self) -> bool {
        self.segmentation_type.as_ref().is_some_and(|value| value == INHERIT)
    }

    /// What is to be stored. `network`: the type and number of the one segment of its network, for a sub-port that inherits them.
    ///
    /// # Errors
    /// 400 `InvalidInput`.
    pub fn judged(&self, network: Option<&(String, Option<i64>)>) -> Result<SubPort> {
        let invalid = |reason: String| kinds::INVALID_INPUT.error(format!("Invalid input for operation: {reason}."));
        let (kind, number) = match (self.inherits(), network) {
            (true, Some((kind, number))) => (Some(Value::from(kind.as_str())), number.map(Value::from)),
            (true, None) => (None, None),
            (false, _) => (self.segmentation_type.clone(), self.segmentation_id.clone()),
        };
        let (Some(kind), Some(number)) = (kind, number) else {
            return Err(invalid(format!(
                "the sub-port {} lacks its segmentation: it needs both segmentation_id and segmentation_type, or a network to inherit them from",
                self.port_id
            )));
        };
        let number =
            integer(number).map_err(|_| invalid(format!("the segmentation_id of the sub-port {} is not an integer", self.port_id)))?;
        if kind != VLAN {
            let kind: String = kind.to_string().chars().take(40).collect();
            return Err(invalid(format!("the segmentation_type {kind} is unknown; there is \"{VLAN}\"")));
        }
        if !VLAN_IDS.contains(&number) {
            return Err(invalid(format!(
                "the segmentation ID {number} is not in the range from {} to {}",
                VLAN_IDS.start(),
                VLAN_IDS.end()
            )));
        }
        Ok(SubPort { port_id: self.port_id.clone(), segmentation_type: VLAN.to_owned(), segmentation_id: number })
    }
}

fn integer(value: Value) -> std::result::Result<i64, Option<Error>> {
    let converted = Converter::ToInt.convert(value, &Limits::default()).map_err(|_| None)?;
    converted.as_i64().ok_or(None)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judged(item: Value, network: Option<(&str, Option<i64>)>) -> std::result::Result<i64, String> {
        let network = network.map(|(kind, number)| (kind.to_owned(), number));
        let found = asked(&[item]).remove(0).judged(network.as_ref());
        found.map(|one| one.segmentation_id).map_err(|error| error.kind().name.to_owned())
    }

    #[test]
    fn segmentation() {
        let vlan = |id: Value| judged(json!({"port_id": "p", "segmentation_type": "vlan", "segmentation_id": id}), None);
        let invalid = Err("InvalidInput".to_owned());
        for (id, is) in [
            (json!(1), Ok(1)),
            (json!("4094"), Ok(4094)),
            (json!(0), invalid.clone()),
            (json!(4095), invalid.clone()),
            (json!("x"), invalid.clone()),
        ] {
            assert_eq!(vlan(id.clone()), is, "{id}");
        }
        assert_eq!(judged(json!({"port_id": "p"}), None), invalid);
        assert_eq!(judged(json!({"port_id": "p", "segmentation_type": "vxlan", "segmentation_id": 5}), None), invalid);
        let inherit = json!({"port_id": "p", "segmentation_type": "inherit", "segmentation_id": 9});
        assert_eq!(judged(inherit.clone(), Some(("vlan", Some(7)))), Ok(7));
        assert_eq!(judged(inherit.clone(), Some(("vxlan", Some(7)))), invalid);
        assert_eq!(judged(inherit.clone(), Some(("flat", None))), invalid);
        assert_eq!(judged(inherit, None), invalid);
    }

    #[test]
    fn an_action_needs_its_list() {
        for body in [json!({}), json!([]), json!({"sub_ports": {}}), json!({"sub_ports": [1]}), json!({"sub_ports": [{"port_id": "x"}]})] {
            assert!(of_action(&body).is_err_and(|error| error.is(kinds::INVALID_INPUT)), "{body}");
        }
        assert_eq!(of_action(&json!({"sub_ports": []})).ok(), Some(vec![]));
    }
}
