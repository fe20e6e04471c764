// SPDX-License-Identifier: Apache-2.0
//! Every validator and converter that the contract names exists here, under its name and with its argument.

use std::collections::BTreeSet;
use std::path::PathBuf;

use neutrino_model::validate::python;
use serde_json::{Value, json};

use crate::build;

fn contract(file: &str) -> Value {
    let folder = std::env::var_os("NEUTRINO_CONTRACT")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/contract"), PathBuf::from);
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}. Set NEUTRINO_CONTRACT to the folder of the contract.", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An argument that the rule takes.
fn sample_argument(rule: &str) -> Value {
    match rule {
        "type:range" | "type:range_or_none" => json!([0, null]),
        "type:regex" | "type:regex_or_none" | "type:list_of_regex_or_none" => json!("^a+$"),
        "type:list_of_any_key_specs_or_none" => json!([{"a": {"type:uuid": null, "required": true}}]),
        _ => Value::Null,
    }
}

#[test]
fn every_name_of_the_contract_is_known() {
    let facts = contract("converters_validators.json");
    for rule in facts["validators"].as_object().unwrap().keys() {
        let validator = build::validator(rule, &sample_argument(rule)).unwrap_or_else(|| panic!("no validator {rule}"));
        assert_eq!(validator.name(), rule);
    }
    for name in facts["converters"].as_object().unwrap().keys() {
        // Not converters of attributes but functions with further arguments, or groups that the composed tables name one by one.
        let elsewhere = [
            "convert_to_sanitized_binding_profile_allocation",
            "availability_zone.convert_az_list_to_string / string_to_list",
            "sfc/flowclassifier normalize_*",
        ];
        if !elsewhere.contains(&name.as_str()) {
            let found = build::converter(name).or_else(|| build::converter(&format!("converters.{name}")));
            assert!(found.is_some(), "no converter {name}");
        }
    }
}

/// Collects `validate` maps and converters' names, at any depth outside a rule's own argument.
fn collect(value: &Value, rules: &mut BTreeSet<(String, String)>, converters: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                match (key.as_str(), item) {
                    ("validate", Value::Object(validate)) => {
                        rules.extend(validate.iter().map(|(rule, arg)| (rule.clone(), arg.to_string())));
                    }
                    ("convert_to" | "convert_list_to", Value::String(name)) => {
                        converters.insert(name.clone());
                    }
                    _ => collect(item, rules, converters),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, rules, converters)),
        _ => {}
    }
}

#[test]
fn every_rule_of_the_composed_tables_can_be_written_and_reads_back() {
    let (mut rules, mut converters) = (BTreeSet::new(), BTreeSet::new());
    collect(&contract("api-composed.json"), &mut rules, &mut converters);
    assert!(rules.len() > 80 && converters.len() > 20, "{} rules, {} converters", rules.len(), converters.len());
    for (rule, arg) in &rules {
        let arg: Value = serde_json::from_str(arg).unwrap();
        let validator = build::validator(rule, &arg).unwrap_or_else(|| panic!("{rule} {arg}"));
        assert_eq!(validator.name(), rule);
        // The contract writes one set of choices as Python prints it.
        if !arg.is_string() || rule.contains("regex") {
            let read_back = without_paths(&arg);
            assert!(python::equal(&validator.arg_json(), &read_back), "{rule}: {} is not {read_back}", validator.arg_json());
        }
    }
    for name in &converters {
        let converter = build::converter(name).unwrap_or_else(|| panic!("no converter {name}"));
        assert!(name.ends_with(converter.name()), "{name}");
    }
}

/// The contract names some converters with the whole path of their module.
fn without_paths(value: &Value) -> Value {
    let text = value.to_string().replace("networking_sfc.extensions.", "");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn every_pattern_of_the_contract_compiles() {
    let (mut rules, mut converters) = (BTreeSet::new(), BTreeSet::new());
    collect(&contract("api-composed.json"), &mut rules, &mut converters);
    let mut found = 0;
    for (rule, arg) in rules.iter().filter(|(rule, _)| rule.contains("regex")) {
        let text: String = serde_json::from_str(arg).unwrap();
        assert!(regex::Regex::new(&text).is_ok(), "{rule} {text}");
        found += 1;
    }
    assert!(found >= 2, "{found}");
}
