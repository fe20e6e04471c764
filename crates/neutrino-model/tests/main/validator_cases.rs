// SPDX-License-Identifier: Apache-2.0
//! What Neutron 29.0.0's own validators and converters answered (`validator_cases.json`, made by `scripts/gen-validator-cases`),
//! against ours. Every difference on purpose is named here with its reason; one that is no longer a difference fails too.

use std::collections::BTreeSet;
use std::sync::Arc;

use neutrino_model::{Invalid, Limits};
use serde_json::Value;

use crate::build;

fn cases() -> Value {
    serde_json::from_str(include_str!("../validator_cases.json")).expect("the cases are JSON")
}

fn limits(settings: Option<&Value>) -> Limits {
    let mut cx = Limits::new(Arc::new(|| 0xabab_abab_abab_abab));
    cx.service_plugin_types = ["L3_ROUTER_NAT", "QOS"].map(str::to_owned).to_vec();
    cx.rbac_object_types =
        ["network", "qos_policy", "security_group", "address_scope", "subnetpool", "address_group"].map(str::to_owned).to_vec();
    let set = |key: &str| settings.and_then(|settings| settings.get(key));
    if let Some(domain) = set("dns_domain").and_then(Value::as_str) {
        cx.dns_domain = domain.to_owned();
    }
    if let Some(most) = set("max_allowed_address_pair").and_then(Value::as_u64) {
        cx.max_allowed_address_pair = usize::try_from(most).expect("small");
    }
    cx.sg_filter_ethertypes = set("sg_filter_ethertypes").is_some_and(|flag| flag == true);
    cx
}

/// What became of one value.
#[derive(Debug, PartialEq)]
enum Verdict {
    Pass(Value),
    Refused,
    Raised(String),
    /// An exception that Neutron answers with 500; ours must be a refusal of any kind.
    Crash,
}

/// Neutron's verdicts of one entry, by the position of the value.
fn expected(entry: &Value, values: &[Value]) -> Vec<Verdict> {
    let positions = |list: &Value| -> Vec<usize> {
        list.as_array().into_iter().flatten().filter_map(|at| usize::try_from(at.as_u64()?).ok()).collect()
    };
    let mut out: Vec<Verdict> = values.iter().map(|_| Verdict::Refused).collect();
    for at in positions(&entry["pass"]) {
        out[at] = Verdict::Pass(entry["becomes"].get(at.to_string()).unwrap_or(&values[at]).clone());
    }
    for (kind, list) in entry["raise"].as_object().into_iter().flatten() {
        for at in positions(list) {
            out[at] = Verdict::Raised(kind.clone());
        }
    }
    for at in positions(&entry["crash"]) {
        out[at] = Verdict::Crash;
    }
    out
}

/// `plain`: what a refusal without an error type of its own stands for.
fn ours(result: Result<Value, Invalid>, plain: &str) -> Verdict {
    match result {
        Ok(value) => Verdict::Pass(value),
        Err(Invalid::Error(error)) => Verdict::Raised(error.kind().name.to_owned()),
        Err(Invalid::Reason(_)) => Verdict::Raised(plain.to_owned()),
    }
}

fn agree(theirs: &Verdict, ours: &Verdict, plain: &str) -> bool {
    match (theirs, ours) {
        // Types included: 1 is not 1.0.
        (Verdict::Pass(a), Verdict::Pass(b)) => a == b,
        (Verdict::Raised(a), Verdict::Raised(b)) => a == b,
        (Verdict::Refused, Verdict::Raised(kind)) => kind == plain,
        (Verdict::Crash, Verdict::Raised(_)) => true,
        _ => false,
    }
}

/// A difference on purpose, told by the value and our verdict. Each must show in at least one case.
struct Difference {
    /// Beginnings of the names of the rules.
    rules: &'static [&'static str],
    why: &'static str,
    when: fn(&Value, &Verdict) -> bool,
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn beyond_64_bits(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.as_i64().is_none() && number.as_f64().is_some_and(|float| float.abs() >= 9.2e18),
        other => text(other).chars().filter(|c| c.is_numeric()).count() > 19,
    }
}

const DIFFERENCES: &[Difference] = &[
    Difference {
        rules: &["type:integer", "type:non_negative", "type:range", "converters.convert_to_int"],
        why: "An integer is one that a 64-bit column holds; Neutron lets a longer one pass and fails in the database.",
        when: |value, ours| beyond_64_bits(value) && matches!(ours, Verdict::Raised(_)),
    },
    Difference {
        rules: &["converters.convert_to_positive_float_or_none"],
        why: "Digits are ASCII digits.",
        when: |value, ours| !text(value).is_ascii() && matches!(ours, Verdict::Raised(_)),
    },
    Difference {
        rules: &["type:subnet", "type:ip_or_subnet", "converters.convert_cidr", "securitygroup.convert_ip_prefix_to_cidr"],
        why: "A prefix length is written in ASCII digits, without sign, space or underscore.",
        when: |value, ours| {
            let length = text(value).split_once('/').map_or("", |(_, length)| length);
            matches!(ours, Verdict::Raised(_)) && (!length.is_ascii() || length.contains(['+', '-', '_', ' ']))
        },
    },
    Difference {
        rules: &["type:nameservers", "type:network_segments"],
        why: "A list is a list; Neutron also walks over the letters of a string and the keys of a dictionary.",
        when: |value, ours| !value.is_array() && matches!(ours, Verdict::Raised(_)),
    },
    Difference {
        rules: &["type:subports"],
        why: "Subports after one that inherits its segmentation are checked too; Neutron stops at the first such.",
        when: |value, ours| value.to_string().contains("inherit") && matches!(ours, Verdict::Raised(_)),
    },
    Difference {
        rules: &["type:dns_", "type:fip_dns_"],
        why: "A name holds no line break, which would reach the DHCP agent's files.",
        when: |value, ours| text(value).contains('\n') && matches!(ours, Verdict::Raised(_)),
    },
    Difference {
        rules: &["converters.convert_to_sanitized_mac_address", "converters.convert_to_mac_if_none"],
        why: "What is no EUI-48 address is left for the validator to refuse; Neutron fails with 500, or takes small EUI-64 addresses.",
        when: |value, ours| matches!(ours, Verdict::Pass(same) if same == value),
    },
    Difference {
        rules: &["securitygroup.convert_protocol"],
        why: "A protocol's number is stored as its decimal digits; booleans and fractions are no numbers; ANY is any.",
        when: |value, ours| match ours {
            Verdict::Pass(Value::Null) => text(value) == "ANY",
            Verdict::Pass(Value::String(number)) => number.bytes().all(|byte| byte.is_ascii_digit()),
            _ => value.is_boolean() || value.is_f64(),
        },
    },
];

fn compare(part: &str, run: impl Fn(&Value, &Value) -> (String, Result<Value, Invalid>), plain: &str) {
    let cases = cases();
    let values = cases["values"].as_array().expect("values");
    assert!(values.len() > 500);
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for entry in cases[part].as_array().expect("entries") {
        for (value, theirs) in values.iter().zip(expected(entry, values)) {
            let (name, result) = run(entry, value);
            let mine = ours(result, plain);
            if agree(&theirs, &mine, plain) {
                continue;
            }
            let excuse = |one: &&Difference| one.rules.iter().any(|rule| name.starts_with(rule)) && (one.when)(value, &mine);
            match DIFFERENCES.iter().find(excuse) {
                Some(difference) => {
                    seen.insert(difference.why);
                }
                None => wrong.push(format!("{name} {} {}: {value}: Neutron {theirs:?}, we {mine:?}", entry["arg"], entry["settings"])),
            }
        }
    }
    assert!(wrong.is_empty(), "{} verdicts differ:\n{}", wrong.len(), wrong.join("\n"));
    let is_here = |one: &&Difference| one.rules.iter().any(|rule| rule.starts_with("type:") == (part == "validators"));
    let unused: Vec<_> = DIFFERENCES.iter().filter(is_here).map(|one| one.why).filter(|why| !seen.contains(why)).collect();
    assert!(unused.is_empty(), "no longer different: {unused:?}");
}

#[test]
fn validators_agree_with_neutron() {
    let run = |entry: &Value, value: &Value| {
        let rule = entry["rule"].as_str().expect("a rule");
        let validator = build::validator(rule, &entry["arg"]).unwrap_or_else(|| panic!("{rule}"));
        let mut mine = value.clone();
        let result = validator.check(&mut mine, &limits(entry.get("settings")));
        (rule.to_owned(), result.map(|()| mine))
    };
    compare("validators", run, "HTTPBadRequest");
}

#[test]
fn converters_agree_with_neutron() {
    let run = |entry: &Value, value: &Value| {
        let name = entry["name"].as_str().expect("a name");
        let converter = build::converter(name).unwrap_or_else(|| panic!("{name}"));
        (name.to_owned(), converter.convert(value.clone(), &limits(None)))
    };
    compare("converters", run, "InvalidInput");
}
