// SPDX-License-Identifier: Apache-2.0
//! One test for each class of hole that Neutron's security advisories tell of, as far as the API can have it.

use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::policy::by;

const MEMBER: &[&str] = &["member", "reader"];

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// OSSA-2013-033: who asks for metadata is told by the project of a port, so nobody makes or moves a port into the project of others.
#[tokio::test]
async fn ossa_2013_033_the_project_of_a_port_is_its_makers() {
    let server = Server::full().await;
    let b = by(&server, "b", MEMBER);
    let network = b.post("/networks", json!({"network": {}})).await.expect(201);
    for name in ["project_id", "tenant_id"] {
        let port = json!({"port": {"network_id": id(&network), "device_id": "vm-of-a", name: "a"}});
        assert!([400, 403].contains(&b.post("/ports", port).await.status));
    }
    let port = b.post("/ports", json!({"port": {"network_id": id(&network), "device_id": "vm-of-a"}})).await.expect(201);
    assert_eq!(port["project_id"], "b");
    for name in ["project_id", "tenant_id"] {
        assert!([400, 403].contains(&b.put(&format!("/ports/{}", id(&port)), json!({"port": {name: "a"}})).await.status));
    }
    server.get("/ports?project_id=a").await.expect_rows("ports", 0);
}

/// OSSA-2014-008: nobody plugs a network into the router of others, by a port that claims to be the router's.
#[tokio::test]
async fn ossa_2014_008_no_plug_into_the_router_of_others() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let router = a.post("/routers", json!({"router": {"name": "r"}})).await.expect(201);
    let network = b.post("/networks", json!({"network": {}})).await.expect(201);
    let subnet = json!({"subnet": {"network_id": id(&network), "ip_version": 4, "cidr": "10.7.0.0/24"}});
    let subnet = b.post("/subnets", subnet).await.expect(201);
    for owner in ["network:router_interface", "network:router_interface_distributed", "network:ha_router_replicated_interface"] {
        let port = json!({"port": {"network_id": id(&network), "device_owner": owner, "device_id": id(&router)}});
        let answer = b.post("/ports", port).await;
        assert!([403, 404, 409].contains(&answer.status), "{owner}: {}", answer.text);
        let port = b.post("/ports", json!({"port": {"network_id": id(&network), "device_owner": owner}})).await;
        if port.status == 201 {
            let path = format!("/ports/{}", id(&port.expect(201)));
            let answer = b.put(&path, json!({"port": {"device_id": id(&router)}})).await;
            assert!([403, 404, 409].contains(&answer.status), "{owner}: {}", answer.text);
            b.delete(&path).await;
        }
    }
    let port = b.post("/ports", json!({"port": {"network_id": id(&network)}})).await.expect(201);
    let both = json!({"port": {"device_owner": "network:router_interface", "device_id": id(&router)}});
    let answer = b.put(&format!("/ports/{}", id(&port)), both).await;
    assert!([403, 404, 409].contains(&answer.status), "{}", answer.text);
    for body in [json!({"subnet_id": id(&subnet)}), json!({"port_id": id(&port)})] {
        b.put(&format!("/routers/{}/add_router_interface", id(&router)), body).await.refused(404, "RouterNotFound");
    }
    server.get(&format!("/ports?device_id={}", id(&router))).await.expect_rows("ports", 0);
    // Nor is a network of others plugged into one's own router.
    let own = b.post("/routers", json!({"router": {"name": "own"}})).await.expect(201);
    let foreign = a.post("/networks", json!({"network": {}})).await.expect(201);
    let foreign_subnet = json!({"subnet": {"network_id": id(&foreign), "ip_version": 4, "cidr": "10.8.0.0/24"}});
    let foreign_subnet = a.post("/subnets", foreign_subnet).await.expect(201);
    let foreign_port = a.post("/ports", json!({"port": {"network_id": id(&foreign)}})).await.expect(201);
    let add = format!("/routers/{}/add_router_interface", id(&own));
    b.put(&add, json!({"subnet_id": id(&foreign_subnet)})).await.refused(404, "SubnetNotFound");
    b.put(&add, json!({"port_id": id(&foreign_port)})).await.refused(404, "PortNotFound");
}

/// OSSA-2014-014: a rule with a prefix that is none must not reach an agent, where it would open everything.
#[tokio::test]
async fn ossa_2014_014_a_rule_has_a_real_prefix() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let group = a.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    for prefix in ["/24", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/24\n0.0.0.0/0", "0.0.0.0/0 ", "10.0.0.0/-1", "bad/24", ""] {
        let rule = json!({"security_group_rule": {"security_group_id": id(&group), "direction": "ingress", "remote_ip_prefix": prefix}});
        let answer = a.post("/security-group-rules", rule).await;
        let stored = answer.body["security_group_rule"]["remote_ip_prefix"].clone();
        assert!(answer.status == 400 || stored.is_null() || stored == "0.0.0.0/0", "{prefix:?}: {}", answer.text);
    }
}

/// OSSA-2014-019: an IPv6 subnet that no router could serve must not stop an agent.
#[tokio::test]
async fn ossa_2014_019_a_subnet_is_one_that_agents_can_serve() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    for bad in [
        json!({"ip_version": 6, "cidr": "10.0.0.0/24"}),
        json!({"ip_version": 4, "cidr": "2001:db8::/64"}),
        json!({"ip_version": 6, "cidr": "2001:db8::/64", "gateway_ip": "10.0.0.1"}),
        json!({"ip_version": 6, "cidr": "2001:db8::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"}),
        json!({"ip_version": 4, "cidr": "10.0.0.0/24", "ipv6_ra_mode": "slaac"}),
    ] {
        let mut subnet = bad.clone();
        subnet["network_id"] = network["id"].clone();
        assert_eq!(a.post("/subnets", json!({ "subnet": subnet })).await.status, 400, "{bad}");
    }
}

/// OSSA-2014-025: address pairs of a port are bounded.
#[tokio::test]
async fn ossa_2014_025_address_pairs_are_bounded() {
    let server = Server::with(&[("DEFAULT", "max_allowed_address_pair", "3")]).await;
    let a = by(&server, "a", MEMBER);
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    let pairs = |count: usize| (0..count).map(|n| json!({"ip_address": format!("10.9.0.{n}")})).collect::<Vec<_>>();
    let port = |count| json!({"port": {"network_id": network["id"], "allowed_address_pairs": pairs(count)}});
    a.post("/ports", port(4)).await.refused(400, "AllowedAddressPairExhausted");
    let made = a.post("/ports", port(3)).await.expect(201);
    let more = json!({"port": {"allowed_address_pairs": pairs(4)}});
    a.put(&format!("/ports/{}", id(&made)), more).await.refused(400, "AllowedAddressPairExhausted");
}

/// OSSA-2014-031: setting an attribute of administrators back to its default is as much a change as any other.
#[tokio::test]
async fn ossa_2014_031_a_default_does_not_reset_what_administrators_set() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let made = json!({"network": {"project_id": "a", "shared": true, "router:external": true}});
    let network = server.post("/networks", made).await.expect(201);
    let path = format!("/networks/{}", id(&network));
    for default in [json!({"shared": false}), json!({"router:external": false})] {
        a.put(&path, json!({ "network": default })).await.refused(403, "PolicyNotAuthorized");
    }
    let is = server.get(&path).await.expect(200);
    assert_eq!((&is["shared"], &is["router:external"]), (&json!(true), &json!(true)));
    let port =
        server.post("/ports", json!({"port": {"network_id": id(&network), "project_id": "b", "binding:host_id": "h"}})).await.expect(201);
    let path = format!("/ports/{}", id(&port));
    by(&server, "b", MEMBER).put(&path, json!({"port": {"binding:host_id": ""}})).await.refused(403, "PolicyNotAuthorized");
    assert_eq!(server.get(&path).await.expect(200)["binding:host_id"], "h");
}

/// OSSA-2014-039: no expression whose time explodes looks at nameservers.
#[tokio::test]
async fn ossa_2014_039_long_nameservers_are_judged_at_once() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    for text in ["1".repeat(200_000) + "!", "a.".repeat(100_000), "1.2.3.4".repeat(20_000)] {
        let subnet = json!({"subnet": {"network_id": id(&network), "ip_version": 4, "cidr": "10.0.0.0/24", "dns_nameservers": [text]}});
        // Whoever needs more than this is stuck: the refusal takes milliseconds.
        let answer = tokio::time::timeout(std::time::Duration::from_secs(20), a.post("/subnets", subnet)).await;
        assert_eq!(answer.expect("an answer").status, 400);
    }
}

/// OSSA-2015-012: what a port may claim as its own is a list of addresses, not everything by accident.
#[tokio::test]
async fn ossa_2015_012_address_pairs_are_addresses() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    for bad in ["", "/0", "0.0.0.0/", "10.0.0.1/33", "10.0.0.0/24/8", "0.0.0.0/0;", "::/129"] {
        let pairs = json!([{"ip_address": bad}]);
        let port = json!({"port": {"network_id": id(&network), "allowed_address_pairs": pairs}});
        assert_eq!(a.post("/ports", port).await.status, 400, "{bad:?}");
    }
}

/// OSSA-2015-018, CVE-2026-50266: nobody gives a port on the network of others an owner that firewalls trust.
#[tokio::test]
async fn ossa_2015_018_device_owner_on_a_shared_network() {
    let server = Server::full().await;
    let b = by(&server, "b", MEMBER);
    let network = server.post("/networks", json!({"network": {"project_id": "a", "shared": true}})).await.expect(201);
    let port = b.post("/ports", json!({"port": {"network_id": id(&network)}})).await.expect(201);
    let path = format!("/ports/{}", id(&port));
    for owner in ["network:dhcp", "network:router_interface", "network:router_gateway", "network:floatingip", "network:", "network:x"] {
        let create = json!({"port": {"network_id": id(&network), "device_owner": owner}});
        b.post("/ports", create).await.refused(403, "PolicyNotAuthorized");
        b.put(&path, json!({"port": {"device_owner": owner}})).await.refused(403, "PolicyNotAuthorized");
        let bulk = json!({"ports": [{"network_id": id(&network)}, {"network_id": id(&network), "device_owner": owner}]});
        b.post("/ports", bulk).await.refused(403, "PolicyNotAuthorized");
    }
    b.get("/ports").await.expect_rows("ports", 1);
    assert_eq!(b.get(&path).await.expect(200)["device_owner"], "");
    b.put(&path, json!({"port": {"device_owner": "compute:nova"}})).await.expect(200);
}

/// OSSA-2019-001: ports are refused for a protocol that has none; a rule of that kind stopped the firewall of a whole host.
#[tokio::test]
async fn ossa_2019_001_ports_need_a_protocol_with_ports() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let group = a.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    for protocol in [json!("vrrp"), json!("112"), json!("esp"), json!("gre"), json!(null), json!("47")] {
        let rule = json!({"security_group_rule": {"security_group_id": id(&group), "direction": "ingress", "ethertype": "IPv4",
            "protocol": protocol, "port_range_min": 10, "port_range_max": 20}});
        let answer = a.post("/security-group-rules", rule).await;
        assert_eq!(answer.status, 400, "{protocol}: {}", answer.text);
    }
}

/// OSSA-2019-002: overlapping ranges with other remote groups are rules of their own, and each is kept as asked.
#[tokio::test]
async fn ossa_2019_002_overlapping_ranges_stay_apart() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let group = a.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    let other = a.post("/security-groups", json!({"security_group": {"name": "h"}})).await.expect(201);
    for (remote, min, max) in [(&group, 1, 100), (&other, 50, 150), (&group, 90, 90)] {
        let rule = json!({"security_group_rule": {"security_group_id": id(&group), "direction": "ingress", "protocol": "tcp",
            "port_range_min": min, "port_range_max": max, "remote_group_id": id(remote)}});
        let made = a.post("/security-group-rules", rule).await.expect(201);
        assert_eq!((&made["port_range_min"], &made["port_range_max"]), (&json!(min), &json!(max)));
    }
}

/// OSSA-2021-005: a line break in a DHCP option would write lines of its own into dnsmasq's file.
#[tokio::test]
async fn ossa_2021_005_no_line_break_in_dhcp_options() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    let port = a.post("/ports", json!({"port": {"network_id": id(&network)}})).await.expect(201);
    for value in ["x\ntag:y,66,evil", "x\r66", "\n", "x\u{0b}y", "x\u{2028}y"] {
        let options = json!([{"opt_name": "66", "opt_value": value}]);
        let create = json!({"port": {"network_id": id(&network), "extra_dhcp_opts": options}});
        let update = json!({"port": {"extra_dhcp_opts": options}});
        let answers = [a.post("/ports", create).await, a.put(&format!("/ports/{}", id(&port)), update).await];
        for answer in answers {
            let kept = answer.body["port"]["extra_dhcp_opts"][0]["opt_value"].as_str().unwrap_or_default().to_owned();
            assert!(answer.status == 400 || !kept.contains(['\n', '\r']), "{value:?}: {}", answer.text);
        }
    }
}

/// OSSA-2021-006: requests for what is not there leave nothing behind.
#[tokio::test]
async fn ossa_2021_006_unknown_routes_leave_nothing_behind() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    let before = server.engine.registry.entries().count();
    let rows = server.count("SELECT count(*) FROM standardattributes").await;
    for n in 0..500 {
        a.get(&format!("/unknown-{n}/{n}/x")).await.refused(404, "HTTPNotFound");
        assert_eq!(a.get(&format!("/networks/{n}/unknown-{n}")).await.status, 404);
    }
    assert_eq!(server.engine.registry.entries().count(), before);
    assert_eq!(server.count("SELECT count(*) FROM standardattributes").await, rows);
}

/// CVE-2022-3277, CVE-2023-3637: asking about other projects makes no default groups for them.
#[tokio::test]
async fn cve_2022_3277_asking_about_others_makes_nothing() {
    let server = Server::full().await;
    let a = by(&server, "a", MEMBER);
    a.get("/security-groups").await.expect_rows("security_groups", 1);
    for n in 0..20 {
        for query in [format!("project_id=p{n}"), format!("tenant_id=p{n}"), format!("project_id=p{n}&project_id=a")] {
            assert_eq!(a.get(&format!("/security-groups?{query}")).await.status, 200);
            assert_eq!(a.get(&format!("/security-group-rules?{query}")).await.status, 200);
        }
        a.get(&format!("/quotas/p{n}")).await.refused(403, "PolicyNotAuthorized");
    }
    assert_eq!(server.count("SELECT count(*) FROM securitygroups").await, 1);
    // A long or odd project id is no place for a group either.
    server.get(&format!("/security-groups?project_id={}", "x".repeat(300))).await;
    assert_eq!(server.count("SELECT count(*) FROM securitygroups WHERE length(project_id) > 255").await, 0);
}

/// OSSA-2024-005, CVE-2026-49299: tags have rules, and they are asked.
#[tokio::test]
async fn ossa_2024_005_tags_have_rules() {
    let server = Server::full().await;
    let (a, reader, b) = (by(&server, "a", MEMBER), by(&server, "a", &["reader"]), by(&server, "b", MEMBER));
    let network = server.post("/networks", json!({"network": {"project_id": "a", "shared": true}})).await.expect(201);
    let tags = format!("/networks/{}/tags", id(&network));
    assert_eq!(a.put(&tags, json!({"tags": ["red"]})).await.status, 200);
    for stranger in [&reader, &b] {
        assert_eq!(stranger.get(&tags).await.body["tags"], json!(["red"]));
        stranger.put(&tags, json!({"tags": ["blue"]})).await.refused(403, "PolicyNotAuthorized");
        stranger.put(&format!("{tags}/blue"), json!(null)).await.refused(403, "PolicyNotAuthorized");
        stranger.delete(&format!("{tags}/red")).await.refused(403, "PolicyNotAuthorized");
        stranger.delete(&tags).await.refused(403, "PolicyNotAuthorized");
    }
    assert_eq!(a.get(&tags).await.body["tags"], json!(["red"]));
    let hidden = server.post("/networks", json!({"network": {"project_id": "a"}})).await.expect(201);
    b.get(&format!("/networks/{}/tags", id(&hidden))).await.refused(404, "NetworkNotFound");
}

/// The class of 2026: an object that is named in a request beside the URL is judged, too, and a child only through its parent.
#[tokio::test]
async fn a_foreign_object_is_not_reached_by_its_id() {
    let server = Server::full().await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    // Address groups.
    let group = a.post("/address-groups", json!({"address_group": {"name": "g", "addresses": ["10.0.0.0/24"]}})).await.expect(201);
    let path = format!("/address-groups/{}", id(&group));
    for action in ["add_addresses", "remove_addresses"] {
        b.put(&format!("{path}/{action}"), json!({"addresses": ["10.0.0.0/24"]})).await.refused(404, "AddressGroupNotFound");
    }
    by(&server, "a", &["reader"])
        .put(&format!("{path}/add_addresses"), json!({"addresses": ["10.1.0.0/24"]}))
        .await
        .refused(403, "PolicyNotAuthorized");
    // Onboarding: the network in the body is the caller's, or nothing happens.
    let network = a.post("/networks", json!({"network": {}})).await.expect(201);
    let subnet = json!({"subnet": {"network_id": id(&network), "ip_version": 4, "cidr": "10.7.0.0/24"}});
    let subnet = a.post("/subnets", subnet).await.expect(201);
    let pool = b.post("/subnetpools", json!({"subnetpool": {"name": "p", "prefixes": ["10.8.0.0/16"]}})).await.expect(201);
    let onboard = format!("/subnetpools/{}/onboard_network_subnets", id(&pool));
    let answer = b.put(&onboard, json!({"network_id": id(&network)})).await;
    assert!([403, 404].contains(&answer.status), "{}", answer.text);
    assert_eq!(server.get(&format!("/subnets/{}", id(&subnet))).await.expect(200)["subnetpool_id"], Value::Null);
    // A rule in the group of others.
    let foreign = a.post("/security-groups", json!({"security_group": {"name": "g"}})).await.expect(201);
    let rule = json!({"security_group_rule": {"security_group_id": id(&foreign), "direction": "ingress"}});
    let answer = b.post("/security-group-rules", rule).await;
    assert!([403, 404].contains(&answer.status), "{}", answer.text);
    let rules = a.get(&format!("/security-group-rules?security_group_id={}", id(&foreign))).await;
    let rule = rules.body["security_group_rules"][0]["id"].as_str().unwrap().to_owned();
    b.delete(&format!("/security-group-rules/{rule}")).await.refused(404, "SecurityGroupRuleNotFound");
}

/// The same class: a child is what the URL says, or nothing. Neutron judges a QoS rule by the policy in the URL.
#[tokio::test]
async fn a_child_is_not_reached_through_a_foreign_parent() {
    let server = Server::full().await;
    let manager: &[&str] = &["manager", "member", "reader"];
    let (a, b) = (by(&server, "a", manager), by(&server, "b", manager));
    let policy = json!({"policy": {"name": "p"}});
    let (theirs, own) = (a.post("/qos/policies", policy.clone()).await.expect(201), b.post("/qos/policies", policy).await.expect(201));
    for (kind, body, change) in [
        ("bandwidth_limit_rule", json!({"max_kbps": 7}), json!({"max_kbps": 1})),
        ("dscp_marking_rule", json!({"dscp_mark": 8}), json!({"dscp_mark": 10})),
        ("minimum_bandwidth_rule", json!({"min_kbps": 7}), json!({"min_kbps": 1})),
        ("minimum_packet_rate_rule", json!({"min_kpps": 7}), json!({"min_kpps": 1})),
        ("packet_rate_limit_rule", json!({"max_kpps": 7}), json!({"max_kpps": 1})),
    ] {
        let real = format!("/qos/policies/{}/{kind}s", id(&theirs));
        let rule = a.post(&real, json!({ kind: body })).await.expect(201);
        let (real, foreign) = (format!("{real}/{}", id(&rule)), format!("/qos/policies/{}/{kind}s/{}", id(&own), id(&rule)));
        for answer in [
            b.get(&foreign).await,
            b.put(&foreign, json!({ kind: change })).await,
            b.delete(&foreign).await,
            server.get(&foreign).await,
            server.put(&foreign, json!({ kind: change })).await,
            server.delete(&foreign).await,
        ] {
            answer.refused(404, "QosRuleNotFound");
        }
        assert_eq!(a.get(&real).await.expect(200), rule);
    }
    assert_eq!(b.get(&format!("/qos/policies/{}", id(&own))).await.expect(200)["revision_number"], 0);
}

/// The class of 2026: a child is not reached through a parent that is not its own, though both are the caller's.
#[tokio::test]
async fn forwardings_and_helpers_are_not_reached_through_a_foreign_parent() {
    let server = Server::full().await;
    let f = crate::port_forwardings::Forwarded::new(&server, "a").await;
    let (a, b) = (by(&server, "a", MEMBER), by(&server, "b", MEMBER));
    let forwarding = f.add(&server, json!({"external_port": 1, "internal_port": 1})).await.expect(201);
    let router = crate::routers::router(&server, json!({"project_id": "a"})).await;
    let helper = json!({"conntrack_helper": {"protocol": "udp", "port": 69, "helper": "tftp"}});
    let helper = a.post(&format!("{router}/conntrack_helpers"), helper).await.expect(201);
    // Parents of both: another one of a's, and one of b's.
    let floating_ip = json!({"floatingip": {"floating_network_id": f.place.outside}});
    for (caller, project) in [(&a, "a"), (&b, "b")] {
        let other = caller.post("/floatingips", floating_ip.clone()).await.expect(201);
        let path = format!("/floatingips/{}/port_forwardings/{}", id(&other), id(&forwarding));
        caller.get(&path).await.refused(404, "PortForwardingNotFound");
        caller.put(&path, json!({"port_forwarding": {"external_port": 2}})).await.refused(404, "PortForwardingNotFound");
        caller.delete(&path).await.refused(404, "PortForwardingNotFound");
        let other = crate::routers::router(&server, json!({ "project_id": project })).await;
        let path = format!("{other}/conntrack_helpers/{}", id(&helper));
        caller.get(&path).await.refused(404, "ConntrackHelperNotFound");
        caller.put(&path, json!({"conntrack_helper": {"port": 70}})).await.refused(404, "ConntrackHelperNotFound");
        caller.delete(&path).await.refused(404, "ConntrackHelperNotFound");
    }
    // b does not see the right parent either.
    b.get(&format!("{}/{}", f.path, id(&forwarding))).await.refused(404, "FloatingIPNotFound");
    b.get(&format!("{router}/conntrack_helpers")).await.refused(404, "RouterNotFound");
    b.delete(&format!("{router}/conntrack_helpers/{}", id(&helper))).await.refused(404, "RouterNotFound");
    assert_eq!(server.get(&format!("{}/{}", f.path, id(&forwarding))).await.expect(200)["external_port"], 1);
    assert_eq!(server.get(&format!("{router}/conntrack_helpers/{}", id(&helper))).await.expect(200)["port"], 69);
}
