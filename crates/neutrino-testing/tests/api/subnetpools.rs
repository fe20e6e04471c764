// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

async fn pool(server: &Server, more: Value) -> Answer {
    let mut body = json!({"name": "sp"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/subnetpools", json!({"subnetpool": body})).await
}

async fn network(server: &Server) -> String {
    id(&server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201))
}

async fn subnet(server: &Server, network: &str, more: Value) -> Answer {
    let mut body = json!({"network_id": network, "ip_version": 4});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.post("/subnets", json!({"subnet": body})).await
}

async fn scope(server: &Server, version: u8) -> String {
    id(&server.post("/address-scopes", json!({"address_scope": {"name": "as", "ip_version": version}})).await.expect(201))
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let made = pool(&server, json!({"prefixes": ["10.10.0.0/16", "10.11.0.0/16"], "default_prefixlen": 24})).await.expect(201);
    for (name, value) in [
        ("prefixes", json!(["10.10.0.0/15"])),
        ("min_prefixlen", json!("8")),
        ("default_prefixlen", json!("24")),
        ("max_prefixlen", json!("32")),
        ("ip_version", json!(4)),
        ("default_quota", json!(null)),
        ("is_default", json!(false)),
        ("shared", json!(false)),
        ("address_scope_id", json!(null)),
        ("revision_number", json!(0)),
    ] {
        assert_eq!(made[name], value, "{name}");
    }
    let path = format!("/subnetpools/{}", id(&made));
    assert_eq!(server.get(&path).await.expect(200), made);
    let changed = server
        .put(&path, json!({"subnetpool": {"name": "x", "default_prefixlen": 26, "prefixes": ["10.10.0.0/15", "10.12.0.0/16"]}}))
        .await
        .expect(200);
    assert_eq!((&changed["prefixes"], &changed["default_prefixlen"]), (&json!(["10.10.0.0/15", "10.12.0.0/16"]), &json!("26")));
    assert_eq!(changed["revision_number"], 1);
    server.put(&path, json!({"subnetpool": {"prefixes": ["10.10.0.0/16"]}})).await.refused(400, "IllegalSubnetPoolPrefixUpdate");
    server.put(&path, json!({"subnetpool": {"max_prefixlen": 20}})).await.refused(400, "IllegalSubnetPoolPrefixBounds");
    for prefixes in [json!([]), json!(["fd00::/48"])] {
        server.put(&path, json!({"subnetpool": {"prefixes": prefixes}})).await.refused(400, "IllegalSubnetPoolPrefixUpdate");
    }
    let mixed = json!(["10.10.0.0/15", "10.12.0.0/16", "fd00::/48"]);
    server.put(&path, json!({"subnetpool": {"prefixes": mixed}})).await.refused(400, "PrefixVersionMismatch");
    assert_eq!(server.get("/subnetpools?default_prefixlen=26&fields=name").await.expect(200), json!([{"name": "x"}]));
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "SubnetPoolNotFound");
    assert_eq!(server.count("SELECT count(*) FROM subnetpoolprefixes").await, 0);
}

#[tokio::test]
async fn bad_pools_are_refused() {
    let server = Server::start().await;
    let four = scope(&server, 4).await;
    _ = pool(&server, json!({"prefixes": ["10.0.0.0/8"], "address_scope_id": four, "is_default": true})).await.expect(201);
    for (more, status, kind) in [
        (json!({"prefixes": []}), 400, "EmptySubnetPoolPrefixList"),
        (json!({"prefixes": ["10.0.0.0/8", "fd00::/48"]}), 400, "PrefixVersionMismatch"),
        (json!({"prefixes": ["192.168.0.0/16"], "min_prefixlen": 25, "max_prefixlen": 24}), 400, "IllegalSubnetPoolPrefixBounds"),
        (json!({"prefixes": ["192.168.0.0/16"], "max_prefixlen": 33}), 400, "IllegalSubnetPoolPrefixBounds"),
        (json!({"prefixes": ["192.168.0.0/16"], "default_prefixlen": 4}), 400, "IllegalSubnetPoolPrefixBounds"),
        (json!({"prefixes": ["192.168.0.0/16"], "is_default": true}), 400, "InvalidInput"),
        (json!({"prefixes": ["192.168.0.0/16"], "name": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"prefixes": ["192.168.0.0/16"], "default_quota": 2_147_483_648_i64}), 400, "HTTPBadRequest"),
        (json!({"prefixes": ["192.168.0.0/16"], "address_scope_id": four, "shared": true}), 400, "InvalidInput"),
        (json!({"prefixes": ["10.3.0.0/16"], "address_scope_id": four}), 409, "AddressScopePrefixConflict"),
        (json!({"prefixes": ["fd00::/48"], "address_scope_id": four}), 400, "IllegalSubnetPoolIpVersionAssociationToAddressScope"),
        (json!({"prefixes": ["192.168.0.0/16"], "address_scope_id": "11111111-2222-4333-8444-555555555555"}), 404, "AddressScopeNotFound"),
    ] {
        let answer = pool(&server, more.clone()).await;
        assert_eq!((answer.status, answer.error()), (status, kind), "{more}: {}", answer.text);
    }
    assert_eq!(server.count("SELECT count(*) FROM subnetpools").await, 1);
    server.delete(&format!("/address-scopes/{four}")).await.refused(409, "AddressScopeInUse");
}

#[tokio::test]
async fn subnets_come_from_pools() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = pool(&server, json!({"prefixes": ["10.10.0.0/15"], "default_prefixlen": 24, "is_default": true})).await.expect(201);
    let from = |more: Value| {
        let mut body = json!({"subnetpool_id": id(&made)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (more, cidr, gateway) in [
        (json!({}), "10.10.0.0/24", json!("10.10.0.1")),
        (json!({"prefixlen": 26}), "10.10.1.0/26", json!("10.10.1.1")),
        (json!({"cidr": "10.11.5.0/24"}), "10.11.5.0/24", json!("10.11.5.1")),
        (json!({"prefixlen": 26}), "10.10.1.64/26", json!("10.10.1.65")),
        (json!({"prefixlen": 24, "gateway_ip": null}), "10.11.4.0/24", json!(null)),
        (json!({"prefixlen": 24, "gateway_ip": "10.11.77.9"}), "10.11.77.0/24", json!("10.11.77.9")),
    ] {
        let subnet = subnet(&server, &net, from(more)).await.expect(201);
        assert_eq!((subnet["cidr"].as_str(), &subnet["gateway_ip"]), (Some(cidr), &gateway));
        assert_eq!(subnet["subnetpool_id"], made["id"]);
    }
    for (more, status, kind) in [
        (json!({"cidr": "50.11.5.0/24"}), 400, "NetworkSubnetPoolAffinityError"),
        (from(json!({"prefixlen": 4})), 400, "MinPrefixSubnetAllocationError"),
        (from(json!({"prefixlen": 33})), 400, "MaxPrefixSubnetAllocationError"),
        (from(json!({"cidr": "10.10.0.0/25"})), 409, "SubnetAllocationError"),
        (from(json!({"prefixlen": 15})), 409, "SubnetAllocationError"),
        (from(json!({"ip_version": 6})), 400, "BadRequest"),
        (from(json!({"use_default_subnetpool": true})), 400, "BadRequest"),
        (from(json!({"allocation_pools": [{"start": "10.10.0.2", "end": "10.10.0.3"}]})), 400, "BadRequest"),
    ] {
        let answer = subnet(&server, &net, more.clone()).await;
        assert_eq!((answer.status, answer.error()), (status, kind), "{more}: {}", answer.text);
    }
    let other = network(&server).await;
    let default = subnet(&server, &other, json!({"use_default_subnetpool": true})).await.expect(201);
    assert_eq!(default["subnetpool_id"], made["id"]);
    server.delete(&format!("/subnetpools/{}", id(&made))).await.refused(400, "SubnetPoolDeleteError");
}

#[tokio::test]
async fn quota_counts_addresses() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = pool(&server, json!({"prefixes": ["10.10.0.0/16"], "default_prefixlen": 26, "default_quota": 100})).await.expect(201);
    _ = subnet(&server, &net, json!({"subnetpool_id": id(&made)})).await.expect(201);
    subnet(&server, &net, json!({"subnetpool_id": id(&made)})).await.refused(409, "SubnetPoolQuotaExceeded");
    _ = subnet(&server, &net, json!({"subnetpool_id": id(&made), "prefixlen": 27})).await.expect(201);
    // Zero is no quota.
    _ = server.put(&format!("/subnetpools/{}", id(&made)), json!({"subnetpool": {"default_quota": 0}})).await.expect(200);
    _ = subnet(&server, &net, json!({"subnetpool_id": id(&made)})).await.expect(201);
}

#[tokio::test]
async fn prefixes_come_and_go() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = pool(&server, json!({"prefixes": ["10.10.0.0/15"], "default_prefixlen": 24})).await.expect(201);
    let path = format!("/subnetpools/{}", id(&made));
    _ = subnet(&server, &net, json!({"subnetpool_id": id(&made)})).await.expect(201);
    let put = async |action: &str, prefixes: Value| server.put(&format!("{path}/{action}"), json!({"prefixes": prefixes})).await;
    assert_eq!(put("add_prefixes", json!(["10.12.0.0/16"])).await.expect(200), json!(["10.10.0.0/15", "10.12.0.0/16"]));
    assert_eq!(put("add_prefixes", json!(["10.12.5.0/24"])).await.expect(200), json!(["10.10.0.0/15", "10.12.0.0/16"]));
    put("add_prefixes", json!(["fd00::/48"])).await.refused(400, "PrefixVersionMismatch");
    put("add_prefixes", json!([])).await.refused(400, "HTTPBadRequest");
    put("add_prefixes", json!("10.12.0.0/16")).await.refused(400, "HTTPBadRequest");
    put("add_prefixes", json!(["x"])).await.refused(400, "InvalidInput");
    put("remove_prefixes", json!(["10.10.0.0/24"])).await.refused(400, "IllegalSubnetPoolPrefixUpdate");
    assert_eq!(put("remove_prefixes", json!(["11.0.0.0/8"])).await.expect(200), json!(["10.10.0.0/15", "10.12.0.0/16"]));
    assert_eq!(put("remove_prefixes", json!(["10.12.0.0/16"])).await.expect(200), json!(["10.10.0.0/15"]));
    assert_eq!(server.get(&path).await.expect(200)["revision_number"], 2);
    assert_eq!(server.get(&format!("{path}/add_prefixes")).await.status, 405);
}

#[tokio::test]
async fn subnets_of_a_network_are_onboarded() {
    let server = Server::start().await;
    let net = network(&server).await;
    let made = pool(&server, json!({"prefixes": ["10.10.0.0/16"]})).await.expect(201);
    let path = format!("/subnetpools/{}/onboard_network_subnets", id(&made));
    let own = subnet(&server, &net, json!({"cidr": "192.168.0.0/24"})).await.expect(201);
    let six = subnet(&server, &net, json!({"cidr": "fd00::/64", "ip_version": 6})).await.expect(201);
    server.put(&path, json!({})).await.refused(400, "InvalidInput");
    server.put(&path, json!({"network_id": "11111111-2222-4333-8444-555555555555"})).await.refused(404, "NetworkNotFound");
    let answer = server.put(&path, json!({"network_id": net})).await;
    assert_eq!((answer.status, answer.body), (200, json!([{"id": own["id"], "cidr": "192.168.0.0/24"}])));
    assert_eq!(server.get(&format!("/subnets/{}", id(&own))).await.expect(200)["subnetpool_id"], made["id"]);
    assert_eq!(server.get(&format!("/subnets/{}", id(&six))).await.expect(200)["subnetpool_id"], Value::Null);
    let prefixes = server.get(&format!("/subnetpools/{}?fields=prefixes", id(&made))).await.expect(200);
    assert_eq!(prefixes["prefixes"], json!(["10.10.0.0/16", "192.168.0.0/24"]));
    server.put(&path, json!({"network_id": net})).await.refused(400, "IllegalSubnetPoolUpdate");
}

#[tokio::test]
async fn a_network_stays_in_one_address_scope() {
    let server = Server::start().await;
    let (net, one, two) = (network(&server).await, scope(&server, 4).await, scope(&server, 4).await);
    let pools = [("10.0.0.0/16", &one), ("10.1.0.0/16", &one), ("10.2.0.0/16", &two)];
    let mut ids = Vec::new();
    for (prefix, scope) in pools {
        ids.push(id(&pool(&server, json!({"prefixes": [prefix], "default_prefixlen": 24, "address_scope_id": scope})).await.expect(201)));
    }
    _ = subnet(&server, &net, json!({"subnetpool_id": ids[0]})).await.expect(201);
    _ = subnet(&server, &net, json!({"subnetpool_id": ids[1]})).await.expect(201);
    subnet(&server, &net, json!({"subnetpool_id": ids[2]})).await.refused(400, "NetworkAddressScopeAffinityError");
    let path = format!("/subnetpools/{}", ids[0]);
    server.put(&path, json!({"subnetpool": {"address_scope_id": two}})).await.refused(400, "NetworkAddressScopeAffinityError");
    _ = server.put(&path, json!({"subnetpool": {"name": "still to be renamed"}})).await.expect(200);
    assert_eq!(server.get(&format!("/networks/{net}")).await.expect(200)["ipv4_address_scope"], json!(one));
}

/// Two allocations of the same moment never get overlapping subnets.
#[tokio::test]
async fn allocations_at_once_do_not_overlap() {
    let server = std::sync::Arc::new(Server::start().await);
    let net = network(&server).await;
    let made = pool(&server, json!({"prefixes": ["10.10.0.0/24"], "default_prefixlen": 27})).await.expect(201);
    let mut tasks = Vec::new();
    for _ in 0..10 {
        let (server, net, pool) = (server.clone(), net.clone(), id(&made));
        tasks.push(tokio::spawn(async move { subnet(&server, &net, json!({"subnetpool_id": pool})).await.status }));
    }
    let mut statuses = Vec::new();
    for task in tasks {
        statuses.push(task.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 201, 201, 201, 201, 201, 409, 409]);
    assert_eq!(server.count("SELECT count(DISTINCT cidr) FROM subnets").await, 8);
}
