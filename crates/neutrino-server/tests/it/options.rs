// SPDX-License-Identifier: Apache-2.0
//! The declared options against those of Neutron.

use std::collections::BTreeMap;

use neutrino_server::{known, options};
use oslo_config::{Config, Sources, Value};
use serde_json::Value as Json;

/// Options whose default differs on purpose: an in-process bus, logs of ours, the name of the machine (the contract has that of another).
const OTHER_DEFAULTS: [(&str, &str); 5] = [
    ("DEFAULT", "transport_url"),
    ("DEFAULT", "default_log_levels"),
    ("DEFAULT", "host"),
    ("oslo_messaging_rabbit", "hostname"),
    ("oslo_messaging_rabbit", "processname"),
];

fn contract() -> BTreeMap<(String, String), Json> {
    let contract = neutrino_testing::contract::read("config.json");
    let mut all = BTreeMap::new();
    for groups in contract["namespaces"].as_object().unwrap().values() {
        for (group, options) in groups.as_object().unwrap().iter().filter(|(group, _)| *group != "sample_remote_file_source") {
            for option in options.as_array().unwrap() {
                let name = option["name"].as_str().unwrap().replace('-', "_");
                all.entry((group.clone(), name)).or_insert_with(|| option.clone());
            }
        }
    }
    all
}

/// A default of the contract in the form in which a configuration has it.
fn text(default: &Json) -> String {
    match default {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        Json::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Json::Object(pairs) => {
            format!("{{{}}}", pairs.iter().map(|(key, value)| format!("{key}:{}", text(value))).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::None => String::new(),
        Value::Str(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Range(first, last) => format!("{first}-{last}"),
        Value::List(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        Value::Dict(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}:{}", plain(value))).collect();
            if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) }
        }
    }
}

#[test]
fn declared_options_have_neutrons_defaults() {
    let (conf, contract) = (Config::for_test(&options::tables(), &[]).unwrap(), contract());
    let mut wrong = Vec::new();
    for opt in conf.options().filter(|opt| !OTHER_DEFAULTS.contains(&(opt.group, opt.name))) {
        let Some(theirs) = contract.get(&(opt.group.to_owned(), opt.dest())) else { continue };
        let (ours, theirs) = (plain(&conf.value(opt.group, opt.name)), text(&theirs["default"]));
        let theirs = if theirs == "{}" { String::new() } else { theirs };
        if ours != theirs && ours.parse::<f64>().ok() != theirs.parse::<f64>().ok().or(Some(f64::NAN)) {
            wrong.push(format!("[{}] {}: ours {ours:?}, Neutron's {theirs:?}", opt.group, opt.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_option_of_neutron_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.conf");
    let mut text = String::new();
    for (group, name) in contract().keys() {
        text.push_str(&format!("[{group}]\n{name} = \n"));
    }
    std::fs::write(&file, text).unwrap();
    // No table is declared here but one, so that every name goes the way of those that are only known.
    let conf = Config::load(&Sources::new().config_file(file), &[options::NEUTRINO]).unwrap();
    assert!(conf.unused().len() > 600, "{}", conf.unused().len());
    let unknown: Vec<String> = known::warnings(&conf)
        .into_iter()
        .filter(|sentence| sentence.contains("not a known option") || sentence.contains("no part of"))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}
