// SPDX-License-Identifier: Apache-2.0
//! Every attribute of every collection with every kind of nonsense, made from the tables: the answer is a success or a 4xx with
//! an error body, never a 5xx, and a refusal leaves no row behind.

use http::Method;
use neutrino_testing::Server;
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::{Map, Value, json};

/// What a valid create needs beside the attribute under test. A new collection needs a line here.
async fn valid(server: &Server, collection: &str) -> Map<String, Value> {
    let body = match collection {
        "networks" | "routers" | "policies" | "security_groups" | "address_groups" | "security_groups_default_statefulness" => json!({}),
        // Agents make themselves known: every create is refused.
        "agents" => json!({}),
        "floatingips" => {
            let (outside, _) = crate::routers::network(server, json!({"router:external": true}), "192.0.2.0/24").await;
            json!({ "floating_network_id": outside })
        }
        "ndp_proxies" => {
            let place = crate::ndp_proxies::Scoped::new(server, neutrino_testing::PROJECT).await;
            place.body(&place.port(server, neutrino_testing::PROJECT).await)
        }
        "address_scopes" => json!({"ip_version": 4}),
        "subnetpools" => json!({"name": "p", "prefixes": ["10.0.0.0/8"], "default_prefixlen": 24}),
        "segments" => json!({"network_id": network(server).await, "network_type": "vxlan"}),
        // Of a type that no network has, so that each can be deleted again.
        "network_segment_ranges" => json!({"network_type": "geneve", "minimum": 5000, "maximum": 5005}),
        "trunks" => json!({"port_id": port(server).await}),
        "subnets" => json!({"network_id": network(server).await, "ip_version": 4, "cidr": "10.9.0.0/24"}),
        "ports" => json!({"network_id": network(server).await}),
        "security_group_rules" => {
            let group = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
            json!({"security_group_id": group["id"], "direction": "ingress"})
        }
        "default_security_group_rules" => {
            json!({"direction": "ingress", "protocol": "udp", "used_in_default_sg": false, "used_in_non_default_sg": true})
        }
        "metering_labels" => json!({"name": "m"}),
        "metering_label_rules" => {
            let label = server.post("/metering/metering-labels", json!({"metering_label": {"name": "m"}})).await.expect(201);
            json!({"metering_label_id": label["id"], "direction": "ingress", "source_ip_prefix": "10.0.0.0/8"})
        }
        "rbac_policies" => {
            json!({"object_type": "network", "object_id": network(server).await, "target_tenant": "*", "action": "access_as_shared"})
        }
        "flavors" => json!({"name": "f", "service_type": "CORE"}),
        "service_profiles" => json!({"metainfo": "m"}),
        "logs" => json!({"resource_type": "security_group"}),
        "local_ips" => json!({"network_id": network_with_subnet(server).await}),
        other => panic!("name a valid body for {other}"),
    };
    body.as_object().cloned().unwrap_or_default()
}

/// An object to change: its id.
async fn made(server: &Server, collection: &str, path: &str, member: &str) -> String {
    if collection == "agents" {
        return crate::agents::dhcp(server, "h", "z").await;
    }
    let base = valid(server, collection).await;
    let made = server.post(&format!("/{path}"), json!({ member: base })).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

async fn network(server: &Server) -> Value {
    server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201)["id"].clone()
}

async fn network_with_subnet(server: &Server) -> Value {
    let network = network(server).await;
    let subnet = json!({"network_id": network, "ip_version": 4, "cidr": "10.9.0.0/24"});
    server.post("/subnets", json!({ "subnet": subnet })).await.expect(201);
    network
}

async fn port(server: &Server) -> Value {
    let network = network(server).await;
    server.post("/ports", json!({"port": {"network_id": network}})).await.expect(201)["id"].clone()
}

fn nonsense() -> Vec<Value> {
    let long = "x".repeat(5000);
    let mut values = vec![
        json!(null),
        json!(true),
        json!(false),
        json!(0),
        json!(-1),
        json!(1),
        json!(4),
        json!(6),
        json!(1.5),
        json!(1e300),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(""),
        json!(" "),
        json!("x"),
        json!("\u{0}"),
        json!("a\nb"),
        json!("\u{1F600}\u{202e}"),
        json!("%s%n"),
        json!("'; DROP TABLE networks; --"),
        json!("None"),
        json!("null"),
        json!("-1"),
        json!("99999999999999999999"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("10.0.0.1"),
        json!("10.0.0.0/8"),
        json!("0.0.0.0/0"),
        json!("::/0"),
        json!("fe80::1%eth0"),
        json!("fa:16:3e:00:00:01"),
        json!("ff:ff:ff:ff:ff:ff"),
        json!("*"),
        json!([]),
        json!([null]),
        json!([[]]),
        json!([{}]),
        json!(["x"]),
        json!(["x", "x"]),
        json!([1]),
        json!({}),
        json!({"x": 1}),
        json!({"": null}),
        json!([{"ip_address": "999.1.1.1"}]),
        json!([{"subnet_id": 5}]),
        json!([{"start": "10.0.0.9", "end": "10.0.0.1"}]),
        json!([{"opt_name": "", "opt_value": 5}]),
        json!([{"destination": "x", "nexthop": "y"}]),
        json!([{"provider:network_type": "nonsense"}]),
        json!([{"mac_address": "x", "ip_address": "10.0.0.1"}]),
    ];
    values.push(json!(long));
    values.push(json!([long]));
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    values.push(deep);
    values
}

fn rows(collection: &str, server: &Server) -> String {
    let table = server.engine.registry.entry(collection).and_then(|e| e.table.resource.table).unwrap_or("standardattributes");
    format!("SELECT count(*) FROM {table}")
}

/// One request; fails with all there is to know when the answer is a fault or a refusal wrote something.
async fn try_one(server: &Server, collection: &str, method: Method, path: &str, body: Value) {
    let (count, standard) = (rows(collection, server), "SELECT count(*) FROM standardattributes");
    let before = (server.count(&count).await, server.count(standard).await);
    let answer = server.send(method.clone(), path, body.to_string(), &[]).await;
    let text: String = body.to_string().chars().take(300).collect();
    assert!(answer.status < 500, "{method} {path} {text}: {} {}", answer.status, answer.text);
    if answer.status >= 400 {
        assert!(!answer.error().is_empty(), "{method} {path} {text}: no error body: {}", answer.text);
        let after = (server.count(&count).await, server.count(standard).await);
        assert_eq!(before, after, "{method} {path} {text}: a refusal left rows behind: {}", answer.text);
    } else if method == Method::POST {
        let id = answer.expect(201)["id"].as_str().unwrap_or_default().to_owned();
        if collection == "trunks" {
            // A disabled one stays.
            server.put(&format!("{path}/{id}"), json!({"trunk": {"admin_state_up": true}})).await.expect(200);
        }
        let gone = server.delete(&format!("{path}/{id}")).await;
        assert_eq!(gone.status, 204, "what {text} made cannot be deleted: {}", gone.text);
    }
}

fn creatable(server: &Server) -> Vec<(String, &'static str, &'static str)> {
    let top = server.engine.registry.entries().filter(|(_, e)| e.table.resource.parent.is_none() && e.table.resource.methods.create);
    // Agents make themselves known; the API only refuses to create one.
    top.filter(|(name, _)| *name != "agents").map(|(name, e)| (name.to_owned(), e.table.resource.path, e.table.resource.member)).collect()
}

#[tokio::test]
async fn nonsense_in_any_attribute_of_a_create_is_refused_cleanly() {
    let server = Server::full().await;
    for (collection, path, member) in creatable(&server) {
        let base = valid(&server, &collection).await;
        let table = server.engine.registry.entry(&collection).unwrap().table.clone();
        for attribute in &table.attributes {
            for value in nonsense() {
                let mut item = base.clone();
                item.insert(attribute.name.to_owned(), value);
                try_one(&server, &collection, Method::POST, &format!("/{path}"), json!({ member: item })).await;
            }
        }
    }
}

#[tokio::test]
async fn nonsense_in_any_attribute_of_an_update_is_refused_cleanly() {
    let server = Server::full().await;
    for (collection, path, member) in creatable(&server) {
        let table = server.engine.registry.entry(&collection).unwrap().table.clone();
        if !table.resource.methods.update {
            continue;
        }
        let target = format!("/{path}/{}", made(&server, &collection, path, member).await);
        for attribute in &table.attributes {
            for value in nonsense() {
                let name = attribute.name;
                try_one(&server, &collection, Method::PUT, &target, json!({ member: { name: value } })).await;
            }
        }
    }
}

#[tokio::test]
async fn nonsense_in_any_filter_is_an_answer() {
    let server = Server::full().await;
    let listed = server.engine.registry.entries().filter(|(_, e)| e.table.resource.parent.is_none() && e.table.resource.methods.list);
    let entries: Vec<_> = listed.map(|(_, e)| e.table.clone()).collect();
    for table in entries {
        for attribute in table.attributes.iter().filter(|a| a.filter) {
            for value in
                ["", "x", "-1", "True", "a=b", "subnet_id=x", "ip_address_substr=%25", "=", "%00", "99999999999999999999", "10.0.0.0/8"]
            {
                let answer = server.get(&format!("/{}?{}={value}", table.resource.path, attribute.name)).await;
                assert!(
                    matches!(answer.status, 200 | 400),
                    "{}?{}={value}: {} {}",
                    table.resource.path,
                    attribute.name,
                    answer.status,
                    answer.text
                );
            }
        }
        for query in [
            "limit=x",
            "limit=-1",
            "limit=99999999999999999999999",
            "marker=x&limit=1",
            "sort_key=nope&sort_dir=asc",
            "sort_key=id",
            "sort_key=id&sort_dir=up",
            "%ff=1",
            "a=%ff",
            "&&==&",
            "fields=&fields=nope",
        ] {
            let answer = server.get(&format!("/{}?{query}", table.resource.path)).await;
            assert!(answer.status < 500, "{}?{query}: {}", table.resource.path, answer.text);
        }
    }
}

#[tokio::test]
async fn nonsense_that_is_no_object_at_all_is_refused() {
    let server = Server::full().await;
    let deep = "[".repeat(100_000);
    for (_, path, member) in creatable(&server) {
        for body in ["", "{", "null", "[]", "5", "\"x\"", "{}", "{\"x\": {}}", "\u{feff}{}", deep.as_str()] {
            let answer = server.send(Method::POST, &format!("/{path}"), body, &[]).await;
            assert_eq!(answer.status, 400, "{path} {:.40}: {}", body, answer.text);
            assert!(!answer.error().is_empty());
        }
        for body in [
            json!({ member: null }),
            json!({ member: [] }),
            json!({ member: 5 }),
            json!({ format!("{member}s"): {} }),
            json!({ format!("{member}s"): [] }),
            json!({ format!("{member}s"): [5] }),
        ] {
            let answer = server.post(&format!("/{path}"), body.clone()).await;
            assert_eq!(answer.status, 400, "{path} {body}: {}", answer.text);
        }
        let answer = server.send(Method::POST, &format!("/{path}"), vec![b'{', 0xff, 0xfe, b'}'], &[]).await;
        assert_eq!(answer.status, 400);
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9a-f:./]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        let key = prop_oneof![
            Just("ip_address".to_owned()),
            Just("subnet_id".to_owned()),
            Just("start".to_owned()),
            Just("end".to_owned()),
            Just("opt_name".to_owned()),
            Just("opt_value".to_owned()),
            Just("mac_address".to_owned()),
            Just("destination".to_owned()),
            Just("nexthop".to_owned()),
            any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..5).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

#[test]
fn generated_values_never_make_a_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::full());
    let mut targets = Vec::new();
    for (collection, path, member) in creatable(&server) {
        let base = runtime.block_on(valid(&server, &collection));
        let table = server.engine.registry.entry(&collection).unwrap().table.clone();
        let names: Vec<&'static str> = table.attributes.iter().filter(|a| a.post).map(|a| a.name).collect();
        if !names.is_empty() {
            targets.push((collection, path, member, base, names));
        }
    }
    let strategy = (0..targets.len(), any::<prop::sample::Index>(), any_json());
    let mut runner = TestRunner::new(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() });
    let done = runner.run(&strategy, |(n, at, value)| {
        let (collection, path, member, base, names) = &targets[n];
        let mut item = base.clone();
        item.insert(at.get(names).to_string(), value);
        runtime.block_on(try_one(&server, collection, Method::POST, &format!("/{path}"), json!({ *member: item })));
        Ok(())
    });
    done.unwrap();
}
