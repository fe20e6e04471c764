// SPDX-License-Identifier: Apache-2.0
//! Rules of security groups, as agents ask for them and hear of them.

use serde_json::{Value, json};

use crate::{
    bindings::on_host,
    ports::{create, id, subnet, update},
    rpc_devices::{ML2, call, lab},
};

fn dhcp(ethertype: &str, target: &str) -> Value {
    let (from, to) = if ethertype == "IPv4" { (67, 68) } else { (547, 546) };
    json!({"direction": "ingress", "ethertype": ethertype, "protocol": "udp", "port_range_min": to, "port_range_max": to,
        "source_port_range_min": from, "source_port_range_max": from, "dest_ip_prefix": target})
}

#[tokio::test]
async fn rules_of_devices_name_members_and_servers() {
    let (server, net) = lab(ML2).await;
    let group = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    let addresses = json!({"address_group": {"name": "a", "addresses": ["192.0.2.0/24", "2001:db8::/64"]}});
    let addresses = server.post("/address-groups", addresses).await.expect(201);
    let rule = async |more: Value| {
        let mut body = json!({"security_group_id": id(&group), "direction": "ingress"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.post("/security-group-rules", json!({"security_group_rule": body})).await.expect(201)
    };
    rule(json!({"protocol": "tcp", "port_range_min": 22, "port_range_max": 23, "remote_ip_prefix": "10.0.0.0/8"})).await;
    rule(json!({"remote_group_id": id(&group)})).await;
    rule(json!({"remote_address_group_id": id(&addresses)})).await;
    let member = json!({"security_groups": [id(&group)], "fixed_ips": [{"ip_address": "10.5.0.20"}],
        "allowed_address_pairs": [{"ip_address": "10.5.0.99", "mac_address": "fa:16:3e:00:00:99"}]});
    _ = create(&server, &net, member).await.expect(201);
    let port = on_host(&server, &net, "h1", json!({"security_groups": [id(&group)], "fixed_ips": [{"ip_address": "10.5.0.10"}]})).await;
    let port = port.expect(201);
    let trusted = create(&server, &net, json!({"device_owner": "network:dhcp"})).await.expect(201);
    let devices = json!([format!("tap{}", &id(&port)[..11]), id(&trusted), "none"]);

    let info = call(&server, "security_group_info_for_devices", json!({"devices": devices, "call_version": "1.3"})).await;
    let device = &info["devices"][id(&port)];
    let mut shown = server.get(&format!("/ports/{}", id(&port))).await.expect(200);
    for (name, value) in [
        ("fixed_ips", json!(["10.5.0.10"])),
        ("security_group_rules", json!([dhcp("IPv4", "10.5.0.10/32"), dhcp("IPv4", "255.255.255.255/32"), dhcp("IPv6", "fe80::/64")])),
        ("security_group_source_groups", json!([id(&group)])),
        ("security_group_remote_address_groups", json!([id(&addresses)])),
        ("device", devices[0].clone()),
        ("standard_attr_id", device["standard_attr_id"].clone()),
    ] {
        shown[name] = value;
    }
    assert_eq!(*device, shown);
    assert_eq!(info["devices"].as_object().unwrap().len(), 1, "trusted ports and those that are not there have no rules");
    assert_eq!(
        info["security_groups"],
        json!({id(&group): [
            {"direction": "egress", "ethertype": "IPv4", "stateful": true},
            {"direction": "egress", "ethertype": "IPv6", "stateful": true},
            {"direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 22, "port_range_max": 23,
             "source_ip_prefix": "10.0.0.0/8", "stateful": true},
            {"direction": "ingress", "ethertype": "IPv4", "remote_group_id": id(&group), "stateful": true},
            {"direction": "ingress", "ethertype": "IPv4", "remote_address_group_id": id(&addresses), "stateful": true},
        ]})
    );
    let with_macs = json!({id(&group): {"IPv4": [["10.5.0.10", null], ["10.5.0.20", null], ["10.5.0.99", "fa:16:3e:00:00:99"]]},
        id(&addresses): {"IPv4": [["192.0.2.0/24", null]]}});
    assert_eq!(info["sg_member_ips"], with_macs);
    let old = call(&server, "security_group_info_for_devices", json!({"devices": devices})).await;
    let plain = json!({id(&group): {"IPv4": ["10.5.0.10", "10.5.0.20", "10.5.0.99"]}, id(&addresses): {"IPv4": ["192.0.2.0/24"]}});
    assert_eq!(old["sg_member_ips"], plain);

    let rules = call(&server, "security_group_rules_for_devices", json!({"devices": devices})).await;
    let g = id(&group);
    let from = |remote: &str, group: &str, prefix: &str| json!({"security_group_id": g, "direction": "ingress", "ethertype": "IPv4", remote: group, "source_ip_prefix": prefix});
    assert_eq!(
        rules[id(&port)]["security_group_rules"],
        json!([
            {"security_group_id": g, "direction": "egress", "ethertype": "IPv4"},
            {"security_group_id": g, "direction": "egress", "ethertype": "IPv6"},
            {"security_group_id": g, "direction": "ingress", "ethertype": "IPv4", "protocol": "tcp", "port_range_min": 22,
             "port_range_max": 23, "source_ip_prefix": "10.0.0.0/8"},
            from("remote_group_id", &g, "10.5.0.20/32"),
            from("remote_group_id", &g, "10.5.0.99/32"),
            from("remote_address_group_id", &id(&addresses), "192.0.2.0/24"),
            dhcp("IPv4", "10.5.0.10/32"),
            dhcp("IPv4", "255.255.255.255/32"),
            dhcp("IPv6", "fe80::/64"),
        ])
    );
}

#[tokio::test]
async fn a_port_with_ipv6_may_hear_its_router() {
    let (server, net) = lab(ML2).await;
    subnet(&server, &net, "fd00::/64", json!({"ip_version": 6})).await;
    let group = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    for rule in group["security_group_rules"].as_array().unwrap() {
        server.delete(&format!("/security-group-rules/{}", id(rule))).await;
    }
    let port = create(&server, &net, json!({"security_groups": [id(&group)], "fixed_ips": [{"ip_address": "fd00::5"}]})).await.expect(201);
    let info = call(&server, "security_group_info_for_devices", json!({"devices": [id(&port)]})).await;
    assert_eq!(
        info["devices"][id(&port)]["security_group_rules"],
        json!([
            {"direction": "ingress", "ethertype": "IPv6", "protocol": "ipv6-icmp", "source_port_range_min": 134},
            dhcp("IPv4", "255.255.255.255/32"),
            dhcp("IPv6", "fd00::5/128"),
            dhcp("IPv6", "fe80::/64"),
        ])
    );
    assert_eq!(info["security_groups"], json!({id(&group): []}), "a group without rules lets nothing in");
    assert_eq!(info["sg_member_ips"], json!({}));
    let none = call(&server, "security_group_info_for_devices", json!({"devices": []})).await;
    assert_eq!(none, json!({"devices": {}, "security_groups": {}, "sg_member_ips": {}}));
}

#[tokio::test]
async fn agents_hear_of_rules_and_members() {
    let (server, net) = lab(ML2).await;
    let group = server.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    let other = server.post("/security-groups", json!({"security_group": {"name": "o"}})).await.expect(201);
    server.bus.take();
    let body = json!({"security_group_rules": [
        {"security_group_id": id(&group), "direction": "ingress", "protocol": "tcp"},
        {"security_group_id": id(&group), "direction": "ingress", "protocol": "udp"}]});
    let rules = server.post("/security-group-rules", body).await.expect(201);
    let [told] = server.bus.take_method("security_groups_rule_updated").try_into().unwrap();
    assert_eq!((told.topic.as_str(), told.version, told.fanout), ("q-agent-notifier-security_group-update", "1.1", true));
    assert_eq!(told.args, json!({"security_groups": [id(&group)]}));
    server.delete(&format!("/security-group-rules/{}", id(&rules[0]))).await;
    assert_eq!(server.bus.take_method("security_groups_rule_updated").len(), 1);

    let members = || {
        server.bus.take_method("security_groups_member_updated").into_iter().map(|m| m.args["security_groups"].clone()).collect::<Vec<_>>()
    };
    let body = json!({"security_groups": [id(&group)], "fixed_ips": [{"ip_address": "10.5.0.76"}]});
    let port = create(&server, &net, body).await.expect(201);
    assert_eq!(members(), [json!([id(&group)])]);
    update(&server, &port, json!({"name": "n"})).await.expect(200);
    assert_eq!(members(), Vec::<Value>::new());
    update(&server, &port, json!({"security_groups": [id(&other)]})).await.expect(200);
    let mut both = [id(&group), id(&other)];
    both.sort();
    assert_eq!(members(), [json!(both)]);
    update(&server, &port, json!({"fixed_ips": [{"ip_address": "10.5.0.77"}]})).await.expect(200);
    assert_eq!(members(), [json!([id(&other)])]);
    server.delete(&format!("/ports/{}", id(&port))).await;
    assert_eq!(members(), [json!([id(&other)])]);
    _ = create(&server, &net, json!({"device_owner": "network:dhcp"})).await.expect(201);
    assert_eq!(members(), Vec::<Value>::new());
}
