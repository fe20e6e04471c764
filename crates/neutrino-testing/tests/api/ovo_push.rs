// SPDX-License-Identifier: Apache-2.0
//! Pushes of versioned objects: which change is told, by which word, and in which versions.

use neutrino_core::{Context, Verb, changes, rpc::Message, versions};
use neutrino_services::trunks;
use neutrino_testing::{PROJECT, Server};
use serde_json::{Map, Value, json};

use crate::{
    bindings::{on_host, ovs_agent},
    ndp_proxies::Scoped,
    ovo_pull::{NEWEST, all},
    port_forwardings::Forwarded,
    ports::{create, network, subnet, update},
    security_groups::id,
};

const AGENT: &str = "Open vSwitch agent";

/// Versions as an agent reports them.
fn reported(server: &Server, host: &str, versions: Value) {
    let cx = Context::internal("test");
    versions::reported(&server.engine, &cx, AGENT, host, versions.as_object().unwrap());
}

/// A server with an agent of the newest versions.
async fn server() -> Server {
    let server = Server::full().await;
    let newest: Map<String, Value> = NEWEST.iter().map(|(kind, version)| ((*kind).to_owned(), json!(version))).collect();
    reported(&server, "h1", Value::Object(newest));
    // The first look makes the project's default group.
    server.get("/security-groups").await;
    let first = pushed(&server).await;
    assert!(first.len() == 1 && first[0].starts_with("SecurityGroup updated"), "{first:?}");
    server
}

/// What was pushed since the last time, shortly: `Port updated id`.
async fn pushed(server: &Server) -> Vec<String> {
    let mut all = Vec::new();
    for message in server.pushes().await {
        assert!(message.fanout && message.namespace.is_none() && message.version == "1.1", "{message:?}");
        for object in message.args["resource_list"].as_array().unwrap() {
            let name = object["versioned_object.name"].as_str().unwrap();
            let version = object["versioned_object.version"].as_str().unwrap();
            assert_eq!(message.topic, format!("neutron-vo-{name}-{version}"));
            let data = &object["versioned_object.data"];
            let id = data.get("id").or_else(|| data.get("port_id")).unwrap().as_str().unwrap();
            all.push(format!("{name} {} {id}", message.args["event_type"].as_str().unwrap()));
        }
    }
    all
}

fn is(name: &str, event: &str, object: &Value) -> String {
    format!("{name} {event} {}", id(object))
}

async fn post(server: &Server, path: &str, member: &str, body: Value) -> Value {
    server.post(path, json!({ member: body })).await.expect(201)
}

fn data(message: &Message, at: usize) -> &Value {
    &message.args["resource_list"][at]["versioned_object.data"]
}

#[tokio::test]
async fn nobody_is_told_while_no_agent_is_known() {
    let server = Server::full().await;
    network(&server).await;
    assert!(server.pushes().await.is_empty());
    reported(&server, "h1", json!({"Port": "1.11"}));
    assert!(server.pushes().await.is_empty());
    let name = network(&server).await;
    assert!(pushed(&server).await.contains(&format!("Network updated {name}")));
}

#[tokio::test]
async fn agents_of_the_database_are_known_while_they_live() {
    let server = Server::full().await;
    ovs_agent(&server, "h1").await;
    server.sql("UPDATE agents SET resource_versions = '{\"Port\": \"1.9\"}'").await;
    let net = network(&server).await;
    create(&server, &net, json!({})).await.expect(201);
    let topics: Vec<String> = server.pushes().await.into_iter().map(|message| message.topic).collect();
    assert!(topics.contains(&"neutron-vo-Port-1.9".to_owned()) && topics.contains(&"neutron-vo-Port-1.11".to_owned()), "{topics:?}");
    for dead in ["heartbeat_timestamp = '2020-01-01 00:00:00'", "admin_state_up = FALSE"] {
        let server = server_with_agent(dead).await;
        network(&server).await;
        assert!(server.pushes().await.is_empty(), "{dead}");
    }
}

async fn server_with_agent(change: &str) -> Server {
    let server = Server::full().await;
    ovs_agent(&server, "h1").await;
    server.sql(&format!("UPDATE agents SET resource_versions = '{{\"Port\": \"1.9\"}}', {change}")).await;
    server
}

#[tokio::test]
async fn every_version_in_use_gets_its_own() {
    let server = server().await;
    reported(&server, "h2", json!({"Port": "1.7", "Network": "1.1", "QosPolicy": "1.1"}));
    let told = server.bus.take();
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].topic.as_str(), told[0].method, told[0].version, told[0].fanout),
        ("q-server-resource-versions", "report_agent_resource_versions", "1.0", true)
    );
    let said = json!({"agent_type": AGENT, "agent_host": "h2", "version_map": {"Port": "1.7", "Network": "1.1", "QosPolicy": "1.1"}});
    assert_eq!(told[0].args, said);
    let net = network(&server).await;
    let pushes = server.pushes().await;
    let topics: Vec<&str> = pushes.iter().map(|message| message.topic.as_str()).collect();
    assert_eq!(topics, ["neutron-vo-Network-1.1", "neutron-vo-Network-1.3"]);
    assert_eq!(data(&pushes[0], 0)["id"], json!(net));
    assert_eq!((data(&pushes[0], 0).get("pvlan"), data(&pushes[1], 0).get("pvlan")), (None, Some(&Value::Null)));
    // Another server heard that it went back to the newest.
    let args = json!({"agent_type": AGENT, "agent_host": "h2", "version_map": {"Network": "1.3"}});
    server.rpc("q-server-resource-versions", "1.0", "report_agent_resource_versions", args).await.unwrap();
    network(&server).await;
    assert_eq!(server.pushes().await.len(), 1);
}

#[tokio::test]
async fn ports_networks_and_subnets_are_updated_and_deleted() {
    let server = server().await;
    ovs_agent(&server, "h1").await;
    let net = network(&server).await;
    let sub = subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    assert_eq!(pushed(&server).await, [format!("Network updated {net}"), format!("Subnet updated {sub}")]);
    let port = on_host(&server, &net, "h1", json!({})).await.expect(201);
    let pushes = server.pushes().await;
    assert_eq!(pushes.iter().map(|m| m.topic.as_str()).collect::<Vec<_>>(), ["neutron-vo-Port-1.11"]);
    let seen = data(&pushes[0], 0);
    assert_eq!((&seen["id"], &seen["revision_number"]), (&port["id"], &port["revision_number"]));
    assert_eq!(seen["bindings"][0]["versioned_object.data"]["vif_type"], "ovs");
    assert_eq!(seen["binding_levels"].as_array().map(Vec::len), Some(1));
    assert_eq!(vec![seen.clone()], all(&server, "Port", json!({"id": port["id"]})).await);
    for change in [json!({"name": "b"}), json!({"allowed_address_pairs": [{"ip_address": "10.5.0.77"}]}), json!({"security_groups": []})] {
        update(&server, &port, change.clone()).await.expect(200);
        assert_eq!(pushed(&server).await, [is("Port", "updated", &port)], "{change}");
    }
    server.put(&format!("/subnets/{sub}"), json!({"subnet": {"dns_nameservers": ["10.5.0.9"]}})).await.expect(200);
    assert_eq!(pushed(&server).await, [format!("Subnet updated {sub}")]);
    server.put(&format!("/networks/{net}"), json!({"network": {"mtu": 1400}})).await.expect(200);
    assert_eq!(pushed(&server).await, [format!("Network updated {net}")]);
    assert_eq!(server.delete(&format!("/ports/{}", id(&port))).await.status, 204);
    let gone = server.pushes().await.pop().unwrap();
    assert_eq!(gone.args["event_type"], "deleted");
    assert_eq!(
        *data(&gone, 0),
        json!({"id": port["id"], "security_group_ids": null, "qos_policy_id": null, "qos_network_policy_id": null})
    );
    assert_eq!(gone.args["resource_list"][0]["versioned_object.changes"].as_array().map(Vec::len), Some(4));
    server.delete(&format!("/networks/{net}")).await;
    let mut told = pushed(&server).await;
    told.sort();
    assert_eq!(told, [format!("Network deleted {net}"), format!("Subnet deleted {sub}")]);
}

#[tokio::test]
async fn a_port_is_told_when_only_a_part_of_it_changes() {
    let server = server().await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let port = create(&server, &net, json!({})).await.expect(201);
    pushed(&server).await;
    // An address of its own comes with a subnet that gives every port one.
    let slaac = json!({"network_id": net, "ip_version": 6, "cidr": "2001:db8::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"});
    let sub = post(&server, "/subnets", "subnet", slaac).await;
    let told = pushed(&server).await;
    assert!(told.contains(&is("Subnet", "updated", &sub)) && told.contains(&is("Port", "updated", &port)), "{told:?}");
}

#[tokio::test]
async fn groups_and_rules() {
    let server = server().await;
    let group = post(&server, "/security-groups", "security_group", json!({"name": "g"})).await;
    let told = pushed(&server).await;
    assert!(told.contains(&is("SecurityGroup", "updated", &group)) && told.iter().all(|one| one.starts_with("SecurityGroup ")), "{told:?}");
    let rule = json!({"security_group_id": group["id"], "direction": "ingress", "protocol": "tcp"});
    let rule = post(&server, "/security-group-rules", "security_group_rule", rule).await;
    assert_eq!(pushed(&server).await, [is("SecurityGroupRule", "updated", &rule)]);
    assert_eq!(server.delete(&format!("/security-group-rules/{}", id(&rule))).await.status, 204);
    let gone = server.pushes().await;
    assert_eq!(gone[0].args["event_type"], "deleted");
    assert_eq!(*data(&gone[0], 0), json!({"id": rule["id"], "belongs_to_default_sg": false}));
    let addresses = post(&server, "/address-groups", "address_group", json!({"name": "a"})).await;
    assert_eq!(pushed(&server).await, [is("AddressGroup", "updated", &addresses)]);
    let path = format!("/address-groups/{}", id(&addresses));
    server.put(&format!("{path}/add_addresses"), json!({"addresses": ["198.18.2.0/24"]})).await.expect(200);
    let pushes = server.pushes().await;
    assert_eq!(data(&pushes[0], 0)["addresses"][0]["versioned_object.data"]["address"], "198.18.2.0/24");
    for path in [path, format!("/security-groups/{}", id(&group))] {
        assert_eq!(server.delete(&path).await.status, 204);
    }
    assert_eq!(pushed(&server).await, [is("AddressGroup", "deleted", &addresses), is("SecurityGroup", "deleted", &group)]);
}

#[tokio::test]
async fn policies_are_told_when_they_have_rules() {
    let server = server().await;
    let policy = post(&server, "/qos/policies", "policy", json!({"name": "q"})).await;
    assert!(pushed(&server).await.is_empty());
    let path = format!("/qos/policies/{}", id(&policy));
    let rule = post(&server, &format!("{path}/bandwidth_limit_rules"), "bandwidth_limit_rule", json!({"max_kbps": 9})).await;
    assert_eq!(pushed(&server).await, [is("QosPolicy", "updated", &policy)]);
    let change = json!({"bandwidth_limit_rule": {"max_kbps": 10}});
    server.put(&format!("{path}/bandwidth_limit_rules/{}", id(&rule)), change).await.expect(200);
    let pushes = server.pushes().await;
    assert_eq!(data(&pushes[0], 0)["rules"][0]["versioned_object.data"]["max_kbps"], 10);
    assert_eq!(server.delete(&path).await.status, 204);
    let gone = server.pushes().await;
    assert_eq!((&gone[0].args["event_type"], &data(&gone[0], 0)["name"]), (&json!("deleted"), &json!("q")));
}

#[tokio::test]
async fn trunks_and_sub_ports_come_and_go() {
    let server = server().await;
    let net = network(&server).await;
    let mut ports = Vec::new();
    for _ in 0..3 {
        ports.push(create(&server, &net, json!({})).await.expect(201));
    }
    pushed(&server).await;
    let sub_port = |port: &Value, number: i64| json!({"port_id": port["id"], "segmentation_type": "vlan", "segmentation_id": number});
    let trunk = post(&server, "/trunks", "trunk", json!({"port_id": ports[0]["id"], "sub_ports": [sub_port(&ports[1], 5)]})).await;
    let told = pushed(&server).await;
    assert!(told.contains(&is("Trunk", "created", &trunk)) && !told.iter().any(|one| one.starts_with("SubPort")), "{told:?}");
    let path = format!("/trunks/{}", id(&trunk));
    server.put(&format!("{path}/add_subports"), json!({"sub_ports": [sub_port(&ports[2], 6)]})).await;
    let told = pushed(&server).await;
    assert!(told.contains(&is("SubPort", "created", &ports[2])) && !told.iter().any(|one| one.starts_with("Trunk")), "{told:?}");
    let pusher = server.engine.registry.service::<neutrino_ovo::Pusher>().unwrap();
    pusher.recall(Context::internal("").now() - chrono::Duration::days(1));
    let told: Vec<_> = pushed(&server).await.into_iter().filter(|one| one.starts_with("SubPort") || one.starts_with("Trunk")).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(ports[1..].iter().all(|port| told.contains(&is("SubPort", "created", port))), "{told:?}");
    server.put(&format!("{path}/remove_subports"), json!({"sub_ports": [{"port_id": ports[2]["id"]}]})).await;
    let gone = server.pushes().await.into_iter().find(|message| message.topic == "neutron-vo-SubPort-1.0").unwrap();
    assert_eq!(gone.args["event_type"], "deleted");
    assert_eq!(
        *data(&gone, 0),
        json!({"port_id": ports[2]["id"], "trunk_id": trunk["id"], "segmentation_type": "vlan", "segmentation_id": 6})
    );
    let cx = Context::internal("test");
    trunks::set_status(&server.engine, &cx, id(&trunk), "ACTIVE").await.unwrap();
    assert!(pushed(&server).await.is_empty());
    assert_eq!(server.delete(&path).await.status, 204);
    let gone = server.pushes().await.into_iter().find(|message| message.topic == "neutron-vo-Trunk-1.1").unwrap();
    assert_eq!((&gone.args["event_type"], &data(&gone, 0)["status"]), (&json!("deleted"), &json!("ACTIVE")));
    assert_eq!(data(&gone, 0)["sub_ports"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn what_service_plugins_have_is_created_updated_and_deleted() {
    let server = server().await;
    let forwarded = Forwarded::new(&server, PROJECT).await;
    pushed(&server).await;
    let forwarding = forwarded.add(&server, json!({"external_port": 2222, "internal_port": 22})).await.expect(201);
    let mine = |told: Vec<String>, name: &str| told.into_iter().filter(|one| one.starts_with(name)).collect::<Vec<_>>();
    assert_eq!(mine(pushed(&server).await, "PortForwarding"), [is("PortForwarding", "created", &forwarding)]);
    let path = format!("{}/{}", forwarded.path, id(&forwarding));
    server.put(&path, json!({"port_forwarding": {"external_port": 2223}})).await.expect(200);
    assert_eq!(mine(pushed(&server).await, "PortForwarding"), [is("PortForwarding", "updated", &forwarding)]);
    assert_eq!(server.delete(&path).await.status, 204);
    let gone = server.pushes().await.into_iter().find(|message| message.topic == "neutron-vo-PortForwarding-1.3").unwrap();
    assert_eq!((&gone.args["event_type"], &data(&gone, 0)["external_port_range"]), (&json!("deleted"), &json!("2223:2223")));

    let router = post(&server, "/routers", "router", json!({})).await;
    let helper = json!({"protocol": "udp", "port": 69, "helper": "tftp"});
    let path = format!("/routers/{}/conntrack_helpers", id(&router));
    let helper = post(&server, &path, "conntrack_helper", helper).await;
    assert_eq!(mine(pushed(&server).await, "ConntrackHelper"), [is("ConntrackHelper", "created", &helper)]);
    assert_eq!(server.delete(&format!("{path}/{}", id(&helper))).await.status, 204);
    assert_eq!(mine(pushed(&server).await, "ConntrackHelper"), [is("ConntrackHelper", "deleted", &helper)]);

    let log = post(&server, "/log/logs", "log", json!({"resource_type": "security_group", "project_id": PROJECT})).await;
    let path = format!("/log/logs/{}", id(&log));
    server.put(&path, json!({"log": {"enabled": false}})).await.expect(200);
    // The two changes became one, which is new to agents.
    assert_eq!(mine(pushed(&server).await, "Log"), [is("Log", "created", &log)]);
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(mine(pushed(&server).await, "Log"), [is("Log", "deleted", &log)]);

    let scoped = Scoped::new(&server, PROJECT).await;
    let inside = scoped.port(&server, PROJECT).await;
    let proxy = post(&server, "/ndp_proxies", "ndp_proxy", scoped.body(&inside)).await;
    assert_eq!(mine(pushed(&server).await, "NDPProxy"), [is("NDPProxy", "created", &proxy)]);
    assert_eq!(server.delete(&format!("/ndp_proxies/{}", id(&proxy))).await.status, 204);
    assert_eq!(mine(pushed(&server).await, "NDPProxy"), [is("NDPProxy", "deleted", &proxy)]);

    let local = post(&server, "/local-ips", "local_ip", json!({"network_id": inside["network_id"]})).await;
    let path = format!("/local-ips/{}/port_associations", id(&local));
    let sub = subnet(&server, inside["network_id"].as_str().unwrap(), "10.99.0.0/24", json!({})).await;
    let port = create(&server, inside["network_id"].as_str().unwrap(), json!({"fixed_ips": [{"subnet_id": sub}]})).await.expect(201);
    post(&server, &path, "port_association", json!({"fixed_port_id": port["id"]})).await;
    let pair = format!("{}_{}", id(&local), id(&port));
    assert_eq!(mine(pushed(&server).await, "LocalIPAssociation"), [format!("LocalIPAssociation created {pair}")]);
    assert_eq!(server.delete(&format!("{path}/{}", id(&port))).await.status, 204);
    assert_eq!(mine(pushed(&server).await, "LocalIPAssociation"), [format!("LocalIPAssociation deleted {pair}")]);
}

#[tokio::test]
async fn many_changes_of_an_object_are_one_push_and_many_objects_one_load() {
    let server = server().await;
    let net = network(&server).await;
    let port = create(&server, &net, json!({})).await.expect(201);
    pushed(&server).await;
    for name in ["a", "b", "c"] {
        update(&server, &port, json!({ "name": name })).await.expect(200);
    }
    let before = server.statements();
    let pushes = server.pushes().await;
    let cost = server.statements() - before;
    assert_eq!((pushes.len(), &data(&pushes[0], 0)["name"]), (1, &json!("c")));
    let bodies = vec![json!({"network_id": net}); 60];
    server.post("/ports", json!({ "ports": bodies })).await.expect(201);
    let before = server.statements();
    let pushes = server.pushes().await;
    let counts: Vec<_> = pushes.iter().map(|message| message.args["resource_list"].as_array().unwrap().len()).collect();
    assert_eq!(counts, [50, 10]);
    assert!(server.statements() - before <= cost + 1, "{cost}");
}

/// A server that is killed between a commit and its pushes: the next one makes them.
#[tokio::test]
async fn what_a_killed_server_left_unsaid_is_pushed_at_the_start() {
    let server = server().await;
    let net = network(&server).await;
    let (old, new) = (create(&server, &net, json!({})).await.expect(201), create(&server, &net, json!({})).await.expect(201));
    pushed(&server).await;
    server
        .sql(&format!(
            "UPDATE standardattributes SET updated_at = '2020-01-01 00:00:00' WHERE id NOT IN (SELECT standard_attr_id FROM ports WHERE id = '{}')",
            id(&new)
        ))
        .await;
    let pusher = server.engine.registry.service::<neutrino_ovo::Pusher>().unwrap();
    let recall = async || pusher.recall(changes::untold_since(&server.engine, &Context::internal("")).await.unwrap());
    recall().await;
    assert_eq!(pushed(&server).await, [is("Port", "updated", &new)]);
    server.sql("UPDATE standardattributes SET updated_at = '2020-01-01 00:00:00'").await;
    recall().await;
    // However long it was away.
    assert!(pushed(&server).await.contains(&is("Port", "updated", &old)));
}

/// What is gone is not in the database: the message itself is kept, for agents that were away with the broker.
#[tokio::test]
async fn what_is_gone_stays_true() {
    let server = server().await;
    let net = network(&server).await;
    let port = create(&server, &net, json!({})).await.expect(201);
    assert!(server.pushes().await.iter().all(|message| !message.lasting));
    server.delete(&format!("/ports/{}", id(&port))).await;
    let last = server.pushes().await;
    let gone: Vec<_> = last.iter().filter(|message| message.topic.starts_with("neutron-vo-Port-")).collect();
    assert!(!gone.is_empty() && gone.iter().all(|message| message.lasting && message.args["event_type"] == "deleted"), "{last:?}");
}

#[tokio::test]
async fn what_a_transaction_did_not_commit_is_not_told() {
    let server = server().await;
    let cx = Context::internal("test");
    let failed: neutrino_types::Result<()> = server
        .engine
        .transact(&cx, "networks", "nothing", |op| {
            Box::pin(async move {
                op.changed("networks", "n", Verb::Deleted, None);
                Err(neutrino_types::error::kinds::CONFLICT.error("no"))
            })
        })
        .await;
    assert!(failed.is_err());
    assert!(server.pushes().await.is_empty());
}
