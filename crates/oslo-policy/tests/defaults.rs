// SPDX-License-Identifier: Apache-2.0
//! The table that scripts/gen-policy-defaults makes for the server: it compiles, it is what the real oslo.policy was asked about, and it
//! makes rules, with everything that extends the server too.

#[path = "../../neutrino-core/src/policy/defaults.rs"]
mod policy_defaults;

use std::{path::Path, sync::Arc};

use oslo_policy::{Credentials, DefaultRule, Field, Language, Options, Overrides, Owner, Parent, Rules, sample};
use policy_defaults::{BGPVPN, DYNAMIC_ROUTING, FWAAS, LIB, NEUTRON, SFC, VPNAAS};
use serde_json::{Value, json};

fn language() -> Language {
    let owner = Arc::new(Owner::new(&["network", "security_group", "ext_parent"].map(|resource| Parent { resource, via: None })));
    let convert = |_: &str, _: &str, text: &str| Ok(json!(text));
    let field = Arc::new(Field::new(Arc::new(convert), &[]));
    Language::new().with("project_id", owner.clone()).with("tenant_id", owner).with("field", field)
}

fn all() -> Vec<DefaultRule<'static>> {
    [&NEUTRON[..], &LIB, &DYNAMIC_ROUTING, &SFC, &FWAAS, &BGPVPN, &VPNAAS].concat()
}

#[test]
fn the_table_is_what_was_asked_about() {
    let cases: Value = serde_json::from_str(include_str!("policy_cases.json")).unwrap();
    let asked = cases["defaults"]["rules"].as_array().unwrap();
    let mut ours: Vec<Value> = NEUTRON
        .iter()
        .map(|rule| {
            let scopes: Vec<&str> = rule.scope_types.iter().map(|s| s.as_str()).collect();
            let old = rule.deprecated.map(|old| [old.name, old.check]);
            json!({"name": rule.name, "check": rule.check, "scopes": scopes, "old": old, "removal": rule.removal.is_some()})
        })
        .collect();
    let mut asked = asked.clone();
    let by_name = |a: &Value, b: &Value| a["name"].as_str().cmp(&b["name"].as_str());
    ours.sort_by(by_name);
    asked.sort_by(by_name);
    assert_eq!(ours, asked);
}

#[test]
fn every_table_together_makes_rules() {
    for enforce_new_defaults in [true, false] {
        let options = Options { enforce_new_defaults, ..Options::default() };
        let rules = Rules::build(&all(), &Overrides::default(), &language(), &options).unwrap();
        assert_eq!(rules.warnings(), []);
        assert_eq!(rules.list().count(), all().len());
        let nobody = Credentials::default();
        let id = rules.find("create_network:provider:network_type").unwrap();
        assert_eq!(rules.by_credentials(id, &nobody), Some(false));
    }
}

#[test]
fn the_sample_of_all_tables_changes_nothing() {
    let text = sample(&all());
    let uncommented: String = text.lines().map(|l| l.strip_prefix("#\"").map_or(l.to_owned(), |l| format!("\"{l}")) + "\n").collect();
    let overrides = Overrides::from_text(&uncommented, Path::new("policy.yaml")).unwrap();
    let rules = Rules::build(&all(), &overrides, &language(), &Options::default()).unwrap();
    assert_eq!(rules.redundant().count(), all().len());
}
