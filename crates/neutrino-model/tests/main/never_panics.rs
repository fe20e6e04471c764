// SPDX-License-Identifier: Apache-2.0
//! No value makes a validator or a converter panic, and what a rule let pass it lets pass again.

use neutrino_model::Limits;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::build;

const WORDS: [&str; 40] = [
    "",
    " ",
    "true",
    "no",
    "5",
    " 7 ",
    "1_0",
    "-3",
    "5.5",
    "1e400",
    "default",
    "10.0.0.1",
    "10.0.0.0/24",
    "10.0.0.0/0.0.0.255",
    "::1",
    "2001:DB8::/33",
    "::/",
    "/",
    "fa:16:3e:00:00:01",
    "FA163E000001",
    "0.0.0.0/0",
    "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
    "{}",
    "urn:uuid:",
    "k=v",
    "=",
    "80:90",
    ":",
    "a.b.",
    "-a",
    "<project_id>",
    "\u{1f600}",
    "\u{130}",
    "\n",
    "network:x",
    "ip",
    "i",
    "any",
    "tcp",
    "65000:1",
];
const KEYS: [&str; 18] = [
    "start",
    "end",
    "ip_address",
    "subnet_id",
    "mac_address",
    "destination",
    "nexthop",
    "port_id",
    "segmentation_id",
    "segmentation_type",
    "network_id",
    "enable_snat",
    "provider:network_type",
    "provider:segmentation_id",
    "opt_name",
    "opt_value",
    "ppg_n_tuple_mapping",
    "ingress_n_tuple",
];

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3i64..70000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(&WORDS[..]).prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        "[0-9a-fA-F:./_x+ -]{0,45}".prop_map(Value::from),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let keys = prop_oneof![prop::sample::select(&KEYS[..]).prop_map(str::to_owned), ".{0,8}"];
    scalars().prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn rules() -> Vec<(&'static str, Value)> {
    let key = json!({"network_id": {"type:uuid": null, "required": true}, "enable_snat": {"type:boolean": null, "convert_to": "converters.convert_to_boolean"}});
    let plain = [
        "type:boolean",
        "type:integer",
        "type:non_negative",
        "type:values",
        "type:mac_address",
        "type:ip_address",
        "type:ip_or_subnet_or_none",
        "type:ip_pools",
        "type:fixed_ips",
        "type:nameservers",
        "type:hostroutes",
        "type:subnet",
        "type:subnet_list",
        "type:subnetpool_id",
        "type:uuid",
        "type:uuid_list",
        "type:uuid_list_non_empty",
        "type:port_range",
        "type:ethertype",
        "type:service_plugin_type",
        "type:list_of_subnet_service_types",
        "type:subports",
        "type:network_segments",
        "type:allowed_address_pairs",
        "type:availability_zone_hint_list",
        "type:valid_target_project",
    ];
    let texts = [
        "type:string",
        "type:not_empty_string",
        "type:oneline_not_empty_string",
        "type:name_string",
        "type:not_empty_name_string",
        "type:name_string_not_default",
        "type:name_not_default",
        "type:list_of_unique_strings",
        "type:dns_host_name",
        "type:fip_dns_host_name",
        "type:dns_domain_name",
    ];
    let mut all: Vec<(&str, Value)> = plain.into_iter().map(|rule| (rule, Value::Null)).collect();
    all.extend(texts.into_iter().map(|rule| (rule, json!(16))));
    all.extend([
        ("type:range", json!([-1, null])),
        ("type:values", json!([0, null, "x"])),
        ("type:regex", json!("^a+$")),
        ("type:list_of_regex_or_none", json!("^a+$")),
        ("type:dict", key.clone()),
        ("type:list_of_dict_or_nodata", key.clone()),
        ("type:list_of_any_key_specs_or_none", json!([key])),
    ]);
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn validators(value in values()) {
        let mut cx = Limits { dns_domain: "example.org".to_owned(), ..Limits::default() };
        for sg_filter_ethertypes in [false, true] {
            cx.sg_filter_ethertypes = sg_filter_ethertypes;
            for (rule, arg) in rules() {
                let validator = build::validator(rule, &arg).expect("known");
                let mut mine = value.clone();
                let first = validator.check(&mut mine, &cx);
                if first.is_ok() {
                    let again = validator.check(&mut mine.clone(), &cx);
                    prop_assert!(again.is_ok(), "{rule} lets {value} pass, then refuses {mine}: {again:?}");
                } else if let Err(invalid) = first {
                    let error = invalid.into_error("attribute");
                    prop_assert!((400..500).contains(&error.status()), "{error:?}");
                    prop_assert!(error.message().chars().count() < 2000, "{error:?}");
                }
            }
        }
    }

    #[test]
    fn converters(value in values()) {
        let cx = Limits { rbac_object_types: vec!["network".to_owned()], ..Limits::default() };
        for converter in build::every_converter() {
            if let Err(invalid) = converter.convert(value.clone(), &cx) {
                prop_assert_eq!(invalid.into_error("attribute").status(), 400);
            }
        }
    }
}

#[test]
fn the_deepest_value_that_a_request_can_hold() {
    let mut value = json!(1);
    for _ in 0..127 {
        value = json!([value]);
    }
    let cx = Limits::default();
    for (rule, arg) in rules() {
        let _ = build::validator(rule, &arg).expect("known").check(&mut value.clone(), &cx);
    }
    for converter in build::every_converter() {
        let _ = converter.convert(value.clone(), &cx);
    }
}
