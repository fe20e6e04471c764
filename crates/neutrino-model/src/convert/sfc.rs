// SPDX-License-Identifier: Apache-2.0
//! Conversions of service function chaining: flow classifiers, port chains, port pairs and groups, service graphs (networking-sfc).

use serde_json::{Map, Value, json};

use crate::validate::{Invalid, Limits, is_uuid_like, python, raised, shown, shown_text};

type Converted = Result<Value, Invalid>;

/// `flowclassifier.normalize_protocol`.
///
/// # Errors
/// `FlowClassifierInvalidProtocol`.
pub fn normalize_protocol(v: Value, _: &Limits) -> Converted {
    match v.as_str().map(str::to_lowercase) {
        Some(name) if matches!(name.as_str(), "tcp" | "udp" | "icmp") => Ok(Value::String(name)),
        _ if v.is_null() => Ok(v),
        _ => Err(Invalid::kind(
            raised::FLOW_CLASSIFIER_INVALID_PROTOCOL,
            format!("A flow classifier does not support the protocol {}: give tcp, udp or icmp.", shown(&v)),
        )),
    }
}

/// `flowclassifier.normalize_ethertype`: `IPv4` unless given.
///
/// # Errors
/// `FlowClassifierInvalidEthertype`.
pub fn normalize_ethertype(v: Value, _: &Limits) -> Converted {
    match v.as_str().map(str::to_lowercase).as_deref() {
        Some("ipv4") => Ok(Value::from("IPv4")),
        Some("ipv6") => Ok(Value::from("IPv6")),
        _ if v.is_null() => Ok(Value::from("IPv4")),
        _ => Err(Invalid::kind(
            raised::FLOW_CLASSIFIER_INVALID_ETHERTYPE,
            format!("A flow classifier does not support the ethertype {}: give IPv4 or IPv6.", shown(&v)),
        )),
    }
}

/// `flowclassifier.normalize_port_value`: `null`, or a number from 0 to 65535.
///
/// # Errors
/// `FlowClassifierInvalidPortValue`.
pub fn normalize_port_value(v: Value, _: &Limits) -> Converted {
    if v.is_null() {
        return Ok(v);
    }
    match python::int(&v) {
        Some(port @ 0..=65535) => Ok(Value::from(port)),
        _ => Err(Invalid::kind(raised::FLOW_CLASSIFIER_INVALID_PORT_VALUE, format!("{} is not a port from 0 to 65535.", shown(&v)))),
    }
}

/// `flowclassifier.normalize_string`.
///
/// # Errors
/// None.
pub fn normalize_string(v: Value, _: &Limits) -> Converted {
    Ok(if v.is_null() { Value::String(String::new()) } else { v })
}

/// `flowclassifier.normalize_l7parameters`: no parameter is known yet, so that only an empty dictionary passes.
///
/// # Errors
/// `FlowClassifierInvalidL7Parameter`.
pub fn normalize_l7parameters(v: Value, _: &Limits) -> Converted {
    if !python::truth(&v) {
        return Ok(json!({}));
    }
    Err(Invalid::kind(raised::FLOW_CLASSIFIER_INVALID_L7_PARAMETER, format!("No layer 7 parameter is supported; got {}.", shown(&v))))
}

/// `sfc.normalize_port_pair_groups`: a list with at least one group.
///
/// # Errors
/// `PortPairGroupNotSpecified`.
pub fn normalize_port_pair_groups(v: Value, _: &Limits) -> Converted {
    let groups = super::plain::to_list(v);
    if python::truth(&groups) {
        return Ok(groups);
    }
    Err(Invalid::kind(raised::PORT_PAIR_GROUP_NOT_SPECIFIED, "A port chain needs at least one port pair group."))
}

/// `sfc.normalize_chain_parameters`: MPLS and not symmetric unless given.
///
/// # Errors
/// None; what is not a dictionary is left for the validator.
pub fn normalize_chain_parameters(v: Value, _: &Limits) -> Converted {
    Ok(with_defaults(v, &[("correlation", json!("mpls")), ("symmetric", json!(false))]))
}

/// `sfc.normalize_sf_parameters`: defaults when there are none at all.
///
/// # Errors
/// None.
pub fn normalize_sf_parameters(v: Value, _: &Limits) -> Converted {
    Ok(if python::truth(&v) { v } else { json!({"correlation": null, "weight": 1}) })
}

/// `sfc.normalize_ppg_parameters`: no load-balancing fields and no mapping unless given; only the known keys in a mapping.
///
/// # Errors
/// `PPGParametersInvalidNTupleMappingParameter`.
pub fn normalize_ppg_parameters(v: Value, _: &Limits) -> Converted {
    const KNOWN: [&str; 6] = [
        "source_ip_prefix",
        "destination_ip_prefix",
        "source_port_range_min",
        "source_port_range_max",
        "destination_port_range_min",
        "destination_port_range_max",
    ];
    let defaults = [("lb_fields", json!([])), ("ppg_n_tuple_mapping", json!({"ingress_n_tuple": {}, "egress_n_tuple": {}}))];
    let v = with_defaults(v, &defaults);
    let Some(mapping) = v.get("ppg_n_tuple_mapping") else { return Ok(v) };
    let tuples = mapping.as_object().map(|map| map.values().collect::<Vec<_>>());
    let maps: Option<Vec<&Map<String, Value>>> = tuples.and_then(|tuples| tuples.into_iter().map(Value::as_object).collect());
    let refused = |why: String| Err(Invalid::kind(raised::PPG_PARAMETERS_INVALID_N_TUPLE_MAPPING_PARAMETER, why));
    let Some(maps) = maps else {
        return refused(format!("{} is not a mapping of dictionaries.", shown(mapping)));
    };
    if let Some(key) = maps.iter().flat_map(|map| map.keys()).find(|key| !KNOWN.contains(&key.as_str())) {
        return refused(format!("The key {} is unknown; known: {}.", shown_text(key), KNOWN.join(", ")));
    }
    Ok(v)
}

fn with_defaults(v: Value, defaults: &[(&str, Value)]) -> Value {
    let mut map = match v {
        Value::Object(map) => map,
        other if python::truth(&other) => return other,
        _ => Map::new(),
    };
    for (key, value) in defaults {
        map.entry(*key).or_insert_with(|| value.clone());
    }
    Value::Object(map)
}

/// `servicegraph.normalize_service_graph`: from the UUID of each port chain to the UUIDs that follow it.
///
/// # Errors
/// `InvalidUUID`.
pub fn normalize_service_graph(v: Value, _: &Limits) -> Converted {
    let graph = match v {
        Value::Null => Map::new(),
        Value::Object(map) => map,
        other => return Ok(other),
    };
    for (source, targets) in &graph {
        let good = |target: &Value| target.as_str().is_some_and(is_uuid_like);
        let all_good = targets.as_array().is_some_and(|targets| targets.iter().all(good));
        if !is_uuid_like(source) || !all_good {
            let message =
                format!("A service graph leads from the UUID of a port chain to a list of such UUIDs; {} does not.", shown_text(source));
            return Err(Invalid::kind(raised::INVALID_UUID, message));
        }
    }
    Ok(Value::Object(graph))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

    type Normalize = fn(Value, &Limits) -> Converted;

    /// What a value becomes, or the type of the error.
    fn run(normalize: Normalize, v: Value) -> Result<Value, &'static str> {
        normalize(v, &Limits::default()).map_err(|refusal| refusal.error_kind().name)
    }

    #[test]
    fn flow_classifiers() {
        assert_eq!(run(normalize_protocol, json!("TCP")), Ok(json!("tcp")));
        assert_eq!(run(normalize_protocol, json!("sctp")), Err("FlowClassifierInvalidProtocol"));
        assert_eq!(run(normalize_protocol, json!(6)), Err("FlowClassifierInvalidProtocol"));
        assert_eq!(run(normalize_ethertype, json!(null)), Ok(json!("IPv4")));
        assert_eq!(run(normalize_ethertype, json!("ipV6")), Ok(json!("IPv6")));
        assert_eq!(run(normalize_ethertype, json!("arp")), Err("FlowClassifierInvalidEthertype"));
        assert_eq!(run(normalize_port_value, json!("80")), Ok(json!(80)));
        assert_eq!(run(normalize_port_value, json!(65536)), Err("FlowClassifierInvalidPortValue"));
        assert_eq!(run(normalize_string, json!(null)), Ok(json!("")));
        assert_eq!(run(normalize_l7parameters, json!(null)), Ok(json!({})));
        assert_eq!(run(normalize_l7parameters, json!({"url": "x"})), Err("FlowClassifierInvalidL7Parameter"));
    }

    #[test]
    fn chains_pairs_and_groups() {
        assert_eq!(run(normalize_port_pair_groups, json!([])), Err("PortPairGroupNotSpecified"));
        assert_eq!(run(normalize_port_pair_groups, json!("a")), Ok(json!(["a"])));
        assert_eq!(run(normalize_chain_parameters, json!({"symmetric": true})), Ok(json!({"correlation": "mpls", "symmetric": true})));
        assert_eq!(run(normalize_sf_parameters, json!({})), Ok(json!({"correlation": null, "weight": 1})));
        assert_eq!(run(normalize_sf_parameters, json!({"weight": 2})), Ok(json!({"weight": 2})));
        let mapped = run(normalize_ppg_parameters, json!({"lb_fields": ["eth_src"]}));
        assert_eq!(mapped, Ok(json!({"lb_fields": ["eth_src"], "ppg_n_tuple_mapping": {"ingress_n_tuple": {}, "egress_n_tuple": {}}})));
        let unknown = json!({"ppg_n_tuple_mapping": {"ingress_n_tuple": {"colour": 1}}});
        assert_eq!(run(normalize_ppg_parameters, unknown), Err("PPGParametersInvalidNTupleMappingParameter"));
    }

    #[test]
    fn service_graphs() {
        assert_eq!(run(normalize_service_graph, json!(null)), Ok(json!({})));
        assert_eq!(run(normalize_service_graph, json!({SOURCE: [SOURCE]})), Ok(json!({SOURCE: [SOURCE]})));
        for bad in [json!({"x": []}), json!({SOURCE: ["x"]}), json!({SOURCE: SOURCE})] {
            assert_eq!(run(normalize_service_graph, bad), Err("InvalidUUID"));
        }
    }
}
