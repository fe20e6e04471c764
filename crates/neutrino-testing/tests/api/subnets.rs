// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::Server;
use serde_json::{Value, json};

async fn network(server: &Server) -> String {
    let network = server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201);
    network["id"].as_str().unwrap().to_owned()
}

async fn subnet(server: &Server, network: &str, more: Value) -> neutrino_testing::Answer {
    let mut body = json!({"network_id": network, "ip_version": 4});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/subnets", json!({"subnet": body})).await
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = subnet(
        &server,
        &net,
        json!({"cidr": "10.5.0.7/24", "dns_nameservers": ["9.9.9.9", "8.8.8.8"],
        "host_routes": [{"destination": "7.0.0.0/8", "nexthop": "10.5.0.9"}], "service_types": ["compute:nova"]}),
    )
    .await
    .expect(201);
    for (name, value) in [
        ("cidr", json!("10.5.0.0/24")),
        ("gateway_ip", json!("10.5.0.1")),
        ("allocation_pools", json!([{"start": "10.5.0.2", "end": "10.5.0.254"}])),
        ("dns_nameservers", json!(["9.9.9.9", "8.8.8.8"])),
        ("host_routes", json!([{"destination": "7.0.0.0/8", "nexthop": "10.5.0.9"}])),
        ("service_types", json!(["compute:nova"])),
        ("enable_dhcp", json!(true)),
        ("subnetpool_id", json!(null)),
        ("ipv6_ra_mode", json!(null)),
        ("router:external", json!(false)),
        ("revision_number", json!(0)),
        ("network_id", json!(net)),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    assert_eq!(made.get("shared"), None);
    assert_eq!(made.get("prefixlen"), None);
    let path = format!("/subnets/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    let shown = server.get(&format!("/networks/{net}")).await.expect(200);
    assert_eq!((&shown["subnets"], shown["revision_number"].as_i64()), (&json!([id(&made)]), Some(2)));

    let change = json!({"subnet": {"name": "s", "gateway_ip": null, "dns_nameservers": [], "host_routes": [],
        "allocation_pools": [{"start": "10.5.0.20", "end": "10.5.0.30"}, {"start": "10.5.0.3", "end": "10.5.0.9"}], "service_types": []}});
    let changed = server.put(&path, change.clone()).await.expect(200);
    assert_eq!((&changed["gateway_ip"], &changed["dns_nameservers"], &changed["service_types"]), (&Value::Null, &json!([]), &json!([])));
    assert_eq!(changed["allocation_pools"], json!([{"start": "10.5.0.3", "end": "10.5.0.9"}, {"start": "10.5.0.20", "end": "10.5.0.30"}]));
    assert_eq!(changed["revision_number"], 1);
    assert_eq!(server.count("SELECT count(*) FROM ipamallocationpools").await, 2);
    let none = server.put(&path, json!({"subnet": {"allocation_pools": []}})).await.expect(200);
    assert_eq!(none["allocation_pools"], json!([]));
    server.put(&path, json!({"subnet": {"cidr": "10.6.0.0/24"}})).await.refused(400, "HTTPBadRequest");

    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "SubnetNotFound");
    for table in ["subnets", "ipamsubnets", "ipamallocationpools", "ipallocationpools", "dnsnameservers", "subnetroutes"] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'subnets'").await, 0);
}

/// The probes of the contract: what a live Neutron answered.
#[tokio::test]
async fn answers_as_neutron_did() {
    let server = Server::start().await;
    let net = network(&server).await;
    _ = subnet(&server, &net, json!({"cidr": "10.1.0.0/24"})).await.expect(201);
    for (more, status, kind) in [
        (json!({"cidr": "10.1.0.0/25"}), 400, "InvalidInput"),
        (json!({"cidr": "10.3.0.0/24", "ip_version": 6}), 400, "InvalidInput"),
        (
            json!({"cidr": "10.3.0.0/24", "gateway_ip": "10.3.0.1", "allocation_pools": [{"start": "10.3.0.1", "end": "10.3.0.10"}]}),
            409,
            "GatewayConflictWithAllocationPools",
        ),
        (
            json!({"cidr": "10.3.0.0/24", "allocation_pools": [{"start": "10.3.0.2", "end": "10.3.0.10"}, {"start": "10.3.0.5", "end": "10.3.0.20"}]}),
            409,
            "OverlappingAllocationPools",
        ),
        (json!({"cidr": "10.3.0.0/24", "allocation_pools": [{"start": "10.4.0.2", "end": "10.4.0.10"}]}), 400, "OutOfBoundsAllocationPool"),
        (json!({"cidr": "10.3.0.0/24", "allocation_pools": [{"start": "10.3.0.9", "end": "10.3.0.2"}]}), 400, "InvalidAllocationPool"),
        (json!({}), 400, "BadRequest"),
        (json!({"cidr": "10.3.0.0/24", "prefixlen": 26}), 400, "BadRequest"),
        (
            json!({"ip_version": 6, "cidr": "fd00:1::/64", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "dhcpv6-stateful"}),
            400,
            "InvalidInput",
        ),
        (json!({"ip_version": 6, "cidr": "fd00:1::/48", "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}), 400, "InvalidInput"),
        (json!({"cidr": "10.77.0.0/24", "gateway_ip": "10.77.0.255"}), 400, "InvalidInput"),
        (json!({"cidr": "10.80.0.0/31"}), 400, "InvalidInput"),
        (json!({"cidr": "10.81.0.0/32"}), 400, "InvalidInput"),
        (json!({"cidr": "0.0.0.0/0"}), 400, "InvalidInput"),
        (json!({"cidr": "0.0.0.0/0", "enable_dhcp": false}), 400, "InvalidInput"),
        (json!({"ip_version": 6, "use_default_subnetpool": true}), 400, "BadRequest"),
        (json!({"cidr": "10.82.0.0/24", "network_id": "11111111-2222-4333-8444-555555555555"}), 404, "NetworkNotFound"),
        (json!({"subnetpool_id": "11111111-2222-4333-8444-555555555555"}), 404, "SubnetPoolNotFound"),
        (json!({"cidr": "10.83.0.0/31", "enable_dhcp": false}), 409, "IpamValueInvalid"),
    ] {
        let answer = subnet(&server, &net, more.clone()).await;
        assert_eq!((answer.status, answer.error()), (status, kind), "{more}: {}", answer.text);
    }
    assert_eq!(server.count("SELECT count(*) FROM subnets").await, 1);
    for (more, cidr, gateway, pools) in [
        (
            json!({"cidr": "FD00:0:0:1::/64", "ip_version": 6, "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}),
            "fd00:0:0:1::/64",
            json!("fd00:0:0:1::"),
            json!([{"start": "fd00:0:0:1::1", "end": "fd00::1:ffff:ffff:ffff:ffff"}]),
        ),
        (
            json!({"cidr": "fd11::/64", "ip_version": 6}),
            "fd11::/64",
            json!("fd11::"),
            json!([{"start": "fd11::1", "end": "fd11::ffff:ffff:ffff:ffff"}]),
        ),
        (
            json!({"cidr": "fd13::/64", "ip_version": 6, "gateway_ip": null, "enable_dhcp": false}),
            "fd13::/64",
            json!(null),
            json!([{"start": "fd13::1", "end": "fd13::ffff:ffff:ffff:ffff"}]),
        ),
        (
            json!({"cidr": "10.78.0.0/24", "gateway_ip": "10.79.0.1"}),
            "10.78.0.0/24",
            json!("10.79.0.1"),
            json!([{"start": "10.78.0.1", "end": "10.78.0.254"}]),
        ),
        (
            json!({"cidr": "169.254.0.0/24"}),
            "169.254.0.0/24",
            json!("169.254.0.1"),
            json!([{"start": "169.254.0.2", "end": "169.254.0.254"}]),
        ),
        (
            json!({"subnetpool_id": "prefix_delegation", "ip_version": 6, "ipv6_ra_mode": "slaac", "ipv6_address_mode": "slaac"}),
            "::/64",
            json!("::"),
            json!([{"start": "::1", "end": "::ffff:ffff:ffff:ffff"}]),
        ),
    ] {
        // Prefix delegation does not go with other IPv6 subnets of a network.
        let net = network(&server).await;
        let made = subnet(&server, &net, more).await.expect(201);
        assert_eq!((made["cidr"].as_str(), &made["gateway_ip"], &made["allocation_pools"]), (Some(cidr), &gateway, &pools));
    }
}

#[tokio::test]
async fn updates_are_judged_against_what_is_there() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = subnet(&server, &net, json!({"cidr": "10.5.0.0/24"})).await.expect(201);
    let six = subnet(&server, &net, json!({"cidr": "fd00::/64", "ip_version": 6, "ipv6_address_mode": "slaac"})).await.expect(201);
    let path = format!("/subnets/{}", id(&made));
    for (change, status, kind) in [
        (json!({"gateway_ip": "10.5.0.9"}), 409, "GatewayConflictWithAllocationPools"),
        (json!({"gateway_ip": "10.5.0.255"}), 400, "InvalidInput"),
        (json!({"gateway_ip": "fd00::1"}), 400, "InvalidInput"),
        (json!({"allocation_pools": [{"start": "10.5.0.1", "end": "10.5.0.9"}]}), 409, "GatewayConflictWithAllocationPools"),
        (json!({"allocation_pools": [{"start": "10.6.0.1", "end": "10.6.0.9"}]}), 400, "OutOfBoundsAllocationPool"),
        (json!({"dns_nameservers": ["fd00::1"]}), 400, "InvalidInput"),
        (json!({"dns_nameservers": ["1.0.0.1", "1.0.0.2", "1.0.0.3", "1.0.0.4", "1.0.0.5", "1.0.0.6"]}), 400, "DNSNameServersExhausted"),
        (json!({"host_routes": [{"destination": "fd00::/8", "nexthop": "10.5.0.2"}]}), 400, "InvalidInput"),
    ] {
        let answer = server.put(&path, json!({"subnet": change})).await;
        assert_eq!((answer.status, answer.error()), (status, kind), "{change}: {}", answer.text);
    }
    assert_eq!(server.get(&path).await.expect(200), made);
    server.put(&format!("/subnets/{}", id(&six)), json!({"subnet": {"enable_dhcp": false}})).await.refused(400, "InvalidInput");
    // What is so already changes nothing.
    let same = server.put(&path, json!({"subnet": {"gateway_ip": "10.5.0.1", "enable_dhcp": true}})).await.expect(200);
    assert_eq!(same["revision_number"], 0);
    _ = server
        .put(&path, json!({"subnet": {"gateway_ip": "10.5.0.9", "allocation_pools": [{"start": "10.5.0.10", "end": "10.5.0.20"}]}}))
        .await
        .expect(200);
}

#[tokio::test]
async fn lists_are_filtered_and_cost_a_constant_number_of_statements() {
    let server = Server::start().await;
    let (net, other) = (network(&server).await, network(&server).await);
    let bulk: Vec<Value> = (0..20).map(|n| json!({"network_id": net, "ip_version": 4, "cidr": format!("10.{n}.0.0/24")})).collect();
    _ = server.post("/subnets", json!({"subnets": bulk})).await.expect(201);
    _ = subnet(&server, &other, json!({"cidr": "10.0.0.0/24"})).await.expect(201);
    let price = async |path: &str| {
        let before = server.statements();
        let rows = server.get(path).await.expect(200).as_array().unwrap().len();
        (rows, server.statements() - before)
    };
    let (one, first) = price("/subnets?cidr=10.3.0.0/24").await;
    let (all, second) = price(&format!("/subnets?network_id={net}")).await;
    assert_eq!((one, all, first), (1, 20, second));
    assert!(first <= 3, "{first} statements for a page");
    assert_eq!(price("/subnets?cidr=10.0.0.0/24").await.0, 2);
    assert_eq!(price("/subnets?gateway_ip=10.7.0.1&fields=id").await.0, 1);
    assert_eq!(price("/subnets?shared=True").await.0, 0);
    assert_eq!(price("/subnets?router:external=False&enable_dhcp=True").await.0, 21);
    server.get("/subnets?ip_version=abc").await.refused(400, "InvalidInput");
    // All or none.
    let clash = json!({"subnets": [{"network_id": other, "ip_version": 4, "cidr": "10.50.0.0/24"}, {"network_id": other, "ip_version": 4, "cidr": "10.50.0.0/16"}]});
    server.post("/subnets", clash).await.refused(400, "InvalidInput");
    assert_eq!(price("/subnets").await.0, 21);
}

/// A port behind the server's back, as it is before a subnet with automatic addresses comes.
async fn port(server: &Server, net: &str, name: &str, mac: &str, owner: &str, address: Option<(&str, &str)>) {
    let base = 9_000 + i64::from(name.as_bytes()[0]);
    server.sql(&format!("INSERT INTO standardattributes (id, resource_type, revision_number) VALUES ({base}, 'ports', 3)")).await;
    server
        .sql(&format!(
            "INSERT INTO ports (id, network_id, mac_address, admin_state_up, status, device_id, device_owner, standard_attr_id, project_id) \
             VALUES ('{name}', '{net}', '{mac}', TRUE, 'DOWN', '', '{owner}', {base}, 'p')"
        ))
        .await;
    if let Some((subnet, ip)) = address {
        server
            .sql(&format!("INSERT INTO ipamallocations (ip_address, status, ipam_subnet_id) VALUES ('{ip}', 'ALLOCATED', '{subnet}')"))
            .await;
        server
            .sql(&format!(
                "INSERT INTO ipallocations (port_id, ip_address, subnet_id, network_id) VALUES ('{name}', '{ip}', '{subnet}', '{net}')"
            ))
            .await;
    }
}

#[tokio::test]
async fn a_subnet_with_automatic_addresses_serves_ports_that_were_first() {
    let server = Server::start().await;
    let net = network(&server).await;
    port(&server, &net, "a", "00:16:3e:33:44:55", "compute:nova", None).await;
    port(&server, &net, "b", "00:16:3e:33:44:56", "network:router_interface", None).await;
    let made = subnet(&server, &net, json!({"cidr": "fd01::/64", "ip_version": 6, "ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"}))
        .await
        .expect(201);
    let held = format!("SELECT count(*) FROM ipallocations WHERE subnet_id = '{}'", id(&made));
    assert_eq!(server.count(&format!("{held} AND port_id = 'a' AND ip_address = 'fd01::216:3eff:fe33:4455'")).await, 1);
    assert_eq!((server.count(&held).await, server.count("SELECT count(*) FROM ipamallocations").await), (1, 1));
    assert_eq!(
        server.count("SELECT revision_number FROM standardattributes s JOIN ports p ON p.standard_attr_id = s.id WHERE p.id = 'a'").await,
        4
    );
    // Automatic addresses go with the subnet, and the port stays.
    assert_eq!(server.delete(&format!("/subnets/{}", id(&made))).await.status, 204);
    assert_eq!(
        (server.count("SELECT count(*) FROM ipallocations").await, server.count("SELECT count(*) FROM ipamallocations").await),
        (0, 0)
    );
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 2);
}

#[tokio::test]
async fn a_subnet_in_use_stays() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = subnet(&server, &net, json!({"cidr": "10.5.0.0/24"})).await.expect(201);
    let path = format!("/subnets/{}", id(&made));
    port(&server, &net, "a", "00:16:3e:33:44:55", "compute:nova", Some((&id(&made), "10.5.0.7"))).await;
    server.delete(&path).await.refused(409, "SubnetInUse");
    server.sql("UPDATE ports SET device_owner = 'network:router_interface'").await;
    server.delete(&path).await.refused(409, "SubnetInUse");
    server.sql("UPDATE ports SET device_owner = 'network:dhcp'").await;
    assert_eq!(server.delete(&path).await.status, 204);
    assert_eq!(server.count("SELECT count(*) FROM ipamallocations").await, 0);
}

#[tokio::test]
async fn availability_is_counted() {
    let server = Server::start().await;
    let net = network(&server).await;
    let four = subnet(&server, &net, json!({"cidr": "10.5.0.0/24"})).await.expect(201);
    _ = subnet(&server, &net, json!({"cidr": "fd00::/64", "ip_version": 6})).await.expect(201);
    port(&server, &net, "a", "00:16:3e:33:44:55", "compute:nova", Some((&id(&four), "10.5.0.7"))).await;
    port(&server, &net, "b", "00:16:3e:33:44:56", "compute:nova", Some((&id(&four), "10.5.0.1"))).await;
    let before = server.statements();
    let shown = server.get(&format!("/network-ip-availabilities/{net}")).await.expect(200);
    assert_eq!(server.statements() - before, 3);
    assert_eq!((&shown["network_id"], &shown["network_name"], &shown["used_ips"]), (&json!(net), &json!("n"), &json!(2)));
    let one = &shown["subnet_ip_availability"][0];
    assert_eq!((&one["total_ips"], &one["used_ips"], &one["cidr"]), (&json!(253), &json!(2), &json!("10.5.0.0/24")));
    assert_eq!(
        one["ip_availability_details"],
        json!({"total_ips_in_subnet": 254, "total_ips_in_allocation_pool": 253, "used_ips_in_subnet": 2, "used_ips_in_allocation_pool": 1})
    );
    assert_eq!(shown["subnet_ip_availability"][1]["total_ips"], json!(u64::MAX));
    let empty = network(&server).await;
    let list = server.get("/network-ip-availabilities?ip_version=4").await.expect(200);
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["total_ips"], 253);
    assert_eq!(server.get("/network-ip-availabilities").await.expect(200).as_array().unwrap().len(), 2);
    assert_eq!(server.get(&format!("/network-ip-availabilities/{empty}")).await.expect(200)["total_ips"], 0);
    server.get("/network-ip-availabilities/11111111-2222-4333-8444-555555555555").await.refused(404, "NetworkNotFound");
    assert_eq!(server.delete(&format!("/network-ip-availabilities/{net}")).await.status, 405);
}
