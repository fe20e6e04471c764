// SPDX-License-Identifier: Apache-2.0
use std::collections::BTreeSet;

use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::{Answer, PROJECT, Server};
use serde_json::{Value, json};

pub async fn network(server: &Server) -> String {
    let network = server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201);
    id(&network)
}

pub async fn subnet(server: &Server, network: &str, cidr: &str, more: Value) -> String {
    let mut body = json!({"network_id": network, "ip_version": if cidr.contains(':') { 6 } else { 4 }, "cidr": cidr});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    id(&server.post("/subnets", json!({"subnet": body})).await.expect(201))
}

pub fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

pub async fn create(server: &Server, network: &str, more: Value) -> Answer {
    let mut body = json!({"network_id": network});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    server.post("/ports", json!({"port": body})).await
}

pub async fn update(server: &Server, port: &Value, change: Value) -> Answer {
    server.put(&format!("/ports/{}", id(port)), json!({"port": change})).await
}

/// The sentence with which a configuration stops the start.
pub fn refused_at_start(options: &[(&str, &str, &str)]) -> String {
    let config = neutrino_testing::config(options);
    let mut builder = neutrino_core::Builder::default();
    let told = neutrino_ml2::register(&mut builder, &config);
    let told = told.and_then(|()| neutrino_services::register(&mut builder, &config)).and_then(|()| builder.build().map(drop));
    told.unwrap_err()
}

fn addresses(port: &Value) -> Vec<&str> {
    port["fixed_ips"].as_array().unwrap().iter().map(|one| one["ip_address"].as_str().unwrap()).collect()
}

fn member(project: &str) -> Identity {
    Identity { project_id: Some(project.to_owned()), is_admin: Some(false), ..Identity::default() }
}

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let net = network(&server).await;
    let sub = subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let port = create(&server, &net, json!({"name": "p", "description": "d"})).await.expect(201);
    for (name, value) in [
        ("name", json!("p")),
        ("description", json!("d")),
        ("network_id", json!(net)),
        ("admin_state_up", json!(true)),
        ("device_id", json!("")),
        ("device_owner", json!("")),
        ("status", json!("DOWN")),
        ("project_id", json!(PROJECT)),
        ("tenant_id", json!(PROJECT)),
        ("allowed_address_pairs", json!([])),
        ("extra_dhcp_opts", json!([])),
        ("device_profile", json!(null)),
        ("numa_affinity_policy", json!(null)),
        ("revision_number", json!(1)),
    ] {
        assert_eq!(port[name], value, "{name}");
    }
    assert!(port["mac_address"].as_str().unwrap().starts_with("fa:16:3e:"));
    assert_eq!(port["fixed_ips"][0]["subnet_id"], json!(sub));
    assert!(port.get("port_security_enabled").is_none() && port.get("ip_allocation").is_none());
    let path = format!("/ports/{}", id(&port));
    assert_eq!(server.get(&path).await.expect(200), port);
    let change = json!({"name": "q", "admin_state_up": "no", "device_id": "vm", "device_owner": "compute:nova"});
    let changed = update(&server, &port, change).await.expect(200);
    assert_eq!(
        (&changed["name"], &changed["admin_state_up"], &changed["device_id"], &changed["device_owner"]),
        (&json!("q"), &json!(false), &json!("vm"), &json!("compute:nova"))
    );
    assert_eq!(changed["revision_number"], 2);
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "PortNotFound");
    server.delete(&path).await.refused(404, "PortNotFound");
    for table in ["ports", "ipallocations", "ipamallocations", "ml2_port_bindings"] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'ports'").await, 0);
}

#[tokio::test]
async fn bad_values_are_refused_and_write_nothing() {
    let server = Server::start().await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    for (body, status, kind) in [
        (json!({"network_id": "00000000-0000-4000-8000-000000000000"}), 404, "NetworkNotFound"),
        (json!({"network_id": "x"}), 400, "HTTPBadRequest"),
        (json!({"network_id": null}), 400, "HTTPBadRequest"),
        (json!({"status": "ACTIVE"}), 400, "HTTPBadRequest"),
        (json!({"mac_address": "x"}), 400, "HTTPBadRequest"),
        (json!({"mac_address": ""}), 400, "HTTPBadRequest"),
        (json!({"admin_state_up": "maybe"}), 400, "InvalidInput"),
        (json!({"name": 5}), 400, "HTTPBadRequest"),
        (json!({"device_id": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"device_owner": ["x"]}), 400, "HTTPBadRequest"),
        (json!({"fixed_ips": null}), 400, "HTTPBadRequest"),
        (json!({"fixed_ips": [{"ip_address": "10.5.0.999"}]}), 400, "HTTPBadRequest"),
        (json!({"fixed_ips": [{"ip_address": "10.6.0.1"}]}), 400, "InvalidIpForNetwork"),
        (json!({"fixed_ips": [{"subnet_id": "00000000-0000-4000-8000-000000000000"}]}), 404, "SubnetNotFound"),
        (json!({"fixed_ips": [{}]}), 400, "InvalidInput"),
        (json!({"allowed_address_pairs": [{"ip_address": "224.0.0.1"}]}), 400, "HTTPBadRequest"),
        (json!({"allowed_address_pairs": [{"mac_address": "fa:16:3e:00:00:01"}]}), 400, "AllowedAddressPairsMissingIP"),
        (json!({"allowed_address_pairs": vec![json!({"ip_address": "10.0.0.1"}); 2]}), 400, "DuplicateAddressPairInRequest"),
        (json!({"extra_dhcp_opts": [{"opt_name": "x"}]}), 400, "InvalidInput"),
        (json!({"extra_dhcp_opts": [{"opt_name": "x", "opt_value": "1", "ip_version": 5}]}), 400, "InvalidInput"),
        (json!({"extra_dhcp_opts": vec![json!({"opt_name": "x", "opt_value": "1"}); 2]}), 400, "InvalidInput"),
        (json!({"numa_affinity_policy": "x"}), 400, "HTTPBadRequest"),
        (json!({"device_profile": 7}), 400, "HTTPBadRequest"),
        (json!({"binding:vnic_type": "x"}), 400, "HTTPBadRequest"),
        (json!({"binding:profile": "x"}), 400, "HTTPBadRequest"),
        (json!({"binding:profile": {"k": "x".repeat(4095)}}), 400, "InvalidInput"),
        (json!({"binding:host_id": 5}), 400, "HTTPBadRequest"),
        (json!({"binding:host_id": "x".repeat(256)}), 400, "HTTPBadRequest"),
        (json!({"binding:vif_type": "ovs"}), 400, "HTTPBadRequest"),
    ] {
        let answer = create(&server, &net, body.clone()).await;
        assert_eq!((answer.status, answer.error()), (status, kind), "{body}: {}", answer.text);
    }
    for table in ["ports", "ipallocations", "ipamallocations", "allowedaddresspairs", "extradhcpopts"] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn addresses_are_chosen_asked_for_and_changed() {
    let server = Server::start().await;
    let net = network(&server).await;
    let v4 = subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let v6 = subnet(&server, &net, "fd00::/64", json!({"ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"})).await;
    // Asked for first: the next port's address is chosen at random.
    let asked = create(&server, &net, json!({"fixed_ips": [{"ip_address": "10.5.0.77"}]})).await.expect(201);
    let port = create(&server, &net, json!({"mac_address": "FA-16-3E-00-00-01"})).await.expect(201);
    assert_eq!(port["mac_address"], "fa:16:3e:00:00:01");
    assert_eq!(addresses(&port)[1], "fd00::f816:3eff:fe00:1");
    assert!(addresses(&asked).contains(&"10.5.0.77"));
    create(&server, &net, json!({"fixed_ips": [{"ip_address": "10.5.0.77"}]})).await.refused(409, "IpAddressAlreadyAllocated");
    create(&server, &net, json!({"fixed_ips": [{"subnet_id": v6, "ip_address": "fd00::5"}]}))
        .await
        .refused(400, "AllocationOnAutoAddressSubnet");
    let dhcp = create(&server, &net, json!({"device_owner": "network:dhcp"})).await.expect(201);
    assert_eq!(addresses(&dhcp)[0], "10.5.0.2");

    let moved = update(&server, &asked, json!({"fixed_ips": [{"subnet_id": v4, "ip_address": "10.5.0.78"}]})).await.expect(200);
    assert!(addresses(&moved).contains(&"10.5.0.78") && !addresses(&moved).contains(&"10.5.0.77"));
    assert_eq!(moved["revision_number"], 2);
    let same = update(&server, &moved, json!({"fixed_ips": moved["fixed_ips"]})).await.expect(200);
    assert_eq!(same["revision_number"], 2, "nothing changed");
    let again = create(&server, &net, json!({"fixed_ips": [{"ip_address": "10.5.0.77"}]})).await;
    assert_eq!(again.status, 201, "a released address is free");
    update(&server, &moved, json!({"fixed_ips": [{"ip_address": "10.5.0.77"}]})).await.refused(409, "IpAddressAlreadyAllocated");
    assert_eq!(server.get(&format!("/ports/{}", id(&moved))).await.expect(200)["fixed_ips"], moved["fixed_ips"]);
}

#[tokio::test]
async fn a_mac_address_is_unique_and_may_be_made_anew() {
    let server = Server::start().await;
    let (net, other) = (network(&server).await, network(&server).await);
    let mac = "fa:16:3e:aa:bb:cc";
    let port = create(&server, &net, json!({"mac_address": mac})).await.expect(201);
    create(&server, &net, json!({"mac_address": mac})).await.refused(409, "MacAddressInUse");
    assert_eq!(create(&server, &other, json!({"mac_address": mac})).await.status, 201, "another network");
    let second = create(&server, &net, json!({"mac_address": null})).await.expect(201);
    assert_ne!(second["mac_address"], mac);
    update(&server, &second, json!({"mac_address": mac})).await.refused(409, "MacAddressInUse");
    let anew = update(&server, &port, json!({"mac_address": null})).await.expect(200);
    assert_ne!(anew["mac_address"], mac);
    assert_eq!(update(&server, &second, json!({"mac_address": mac})).await.expect(200)["mac_address"], mac);
    let dhcp = create(&server, &net, json!({"device_owner": "network:dhcp"})).await.expect(201);
    update(&server, &dhcp, json!({"mac_address": "fa:16:3e:00:00:09"})).await.refused(409, "UnsupportedPortDeviceOwner");
}

#[tokio::test]
async fn lists_are_filtered() {
    let server = Server::start().await;
    let net = network(&server).await;
    let (a, b) = (subnet(&server, &net, "10.5.0.0/24", json!({})).await, subnet(&server, &net, "10.6.0.0/24", json!({})).await);
    for (name, subnet, ip, mac) in [
        ("p1", &a, "10.5.0.10", "fa:16:3e:00:00:01"),
        ("p2", &a, "10.5.0.11", "fa:16:3e:00:00:02"),
        ("p3", &b, "10.6.0.10", "fa:16:3e:00:00:03"),
    ] {
        let body = json!({"name": name, "mac_address": mac, "fixed_ips": [{"subnet_id": subnet, "ip_address": ip}], "device_owner": name});
        _ = create(&server, &net, body).await.expect(201);
    }
    for (query, expected) in [
        (format!("fixed_ips=subnet_id={a}"), "p1 p2"),
        (format!("fixed_ips=subnet_id%3D{b}"), "p3"),
        ("fixed_ips=ip_address=10.5.0.10".to_owned(), "p1"),
        ("fixed_ips=ip_address=10.5.0.10&fixed_ips=ip_address=10.6.0.10".to_owned(), "p1 p3"),
        (format!("fixed_ips=ip_address=10.5.0.10&fixed_ips=subnet_id={b}"), ""),
        ("fixed_ips=ip_address_substr=.0.10".to_owned(), "p1 p3"),
        ("fixed_ips=ip_address_substr=10_5".to_owned(), ""),
        ("mac_address=FA:16:3E:00:00:02".to_owned(), "p2"),
        ("mac_address=fa-16-3e-00-00-02&mac_address=fa:16:3e:00:00:03".to_owned(), "p2 p3"),
        ("device_owner=p1&device_owner=p3".to_owned(), "p1 p3"),
        ("device_id=".to_owned(), "p1 p2 p3"),
        ("status=ACTIVE".to_owned(), ""),
        ("admin_state_up=True&name=p2".to_owned(), "p2"),
        (format!("network_id={net}&sort_key=name&sort_dir=desc"), "p3 p2 p1"),
    ] {
        let query = if query.contains("sort_key") { query } else { format!("{query}&sort_key=name&sort_dir=asc") };
        let rows = server.get(&format!("/ports?{query}&fields=name")).await.expect(200);
        let names: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect();
        assert_eq!(names.join(" "), expected, "{query}");
    }
    assert_eq!(server.get("/ports?fixed_ips=10.5.0.10").await.status, 400);
    assert_eq!(server.get("/ports?nonsense=1").await.status, 400);
}

#[tokio::test]
async fn bulk_is_all_or_nothing_and_fast_enough() {
    let server = Server::start().await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/16", json!({})).await;
    let mut items: Vec<Value> = (0..1000).map(|n| json!({"network_id": net, "name": format!("p{n}")})).collect();
    items.push(json!({"network_id": net, "fixed_ips": [{"ip_address": "9.9.9.9"}]}));
    server.post("/ports", json!({"ports": items})).await.refused(400, "InvalidIpForNetwork");
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ipamallocations").await, 0);
    items.pop();
    let before = server.statements();
    let made = server.post("/ports", json!({"ports": items})).await.expect(201);
    let per_port = (server.statements() - before) as f64 / 1000.0;
    assert!(per_port < 8.2, "{per_port} statements for each port");
    let made = made.as_array().unwrap();
    assert!(made.iter().enumerate().all(|(n, port)| port["name"] == format!("p{n}")), "in the order of the request");
    let macs: BTreeSet<&str> = made.iter().map(|port| port["mac_address"].as_str().unwrap()).collect();
    let ips: BTreeSet<&str> = made.iter().map(|port| addresses(port)[0]).collect();
    assert_eq!((macs.len(), ips.len()), (1000, 1000));
}

#[tokio::test]
async fn creates_at_once_get_different_addresses() {
    let server = std::sync::Arc::new(Server::start().await);
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/26", json!({})).await;
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (server, net) = (server.clone(), net.clone());
            tokio::spawn(async move { create(&server, &net, json!({})).await })
        })
        .collect();
    let (mut ips, mut macs, mut refused) = (BTreeSet::new(), BTreeSet::new(), 0);
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == 201 {
            let port = answer.expect(201);
            assert!(ips.insert(addresses(&port)[0].to_owned()), "an address twice");
            assert!(macs.insert(port["mac_address"].as_str().unwrap().to_owned()), "a MAC address twice");
        } else {
            answer.refused(409, "IpAddressGenerationFailure");
            refused += 1;
        }
    }
    assert_eq!((ips.len(), refused), (61, 3), "62 hosts less the gateway");
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 61);
    assert_eq!(server.count("SELECT count(*) FROM ipallocations").await, 61);
    assert_eq!(server.count("SELECT count(*) FROM ipamallocations").await, 61);
}

#[tokio::test]
async fn statements_do_not_grow_with_the_page() {
    let drivers = "port_security,dns,data_plane_status,port_hints,port_trusted,uplink_status_propagation";
    let server = Server::with(&[("ml2", "extension_drivers", drivers)]).await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let mut counts = Vec::new();
    for more in [1, 99] {
        let items: Vec<Value> = (0..more)
            .map(|_| {
                json!({"network_id": net, "allowed_address_pairs": [{"ip_address": "1.2.3.4"}],
                "extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "9000"}]})
            })
            .collect();
        let made = server.post("/ports", json!({"ports": items})).await.expect(201);
        let before = server.statements();
        let rows = server.get("/ports").await.expect(200);
        let listed = server.statements();
        _ = server.get(&format!("/ports/{}", id(&made[0]))).await.expect(200);
        counts.push((listed - before, server.statements() - listed));
        assert_eq!(rows.as_array().unwrap().iter().map(|row| row["allowed_address_pairs"].as_array().unwrap().len()).max(), Some(1));
    }
    assert_eq!(counts[0], counts[1]);
    assert!(counts[0].0 <= 7, "{counts:?}");
}

#[tokio::test]
async fn creates_cost_the_same_whatever_is_there() {
    let server = Server::start().await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/16", json!({})).await;
    let mut costs = Vec::new();
    for _ in 0..2 {
        let before = server.statements();
        _ = create(&server, &net, json!({})).await.expect(201);
        costs.push(server.statements() - before);
        let items: Vec<Value> = (0..200).map(|_| json!({"network_id": net})).collect();
        server.post("/ports", json!({"ports": items})).await.expect(201).as_array().unwrap();
    }
    assert_eq!(costs[0], costs[1]);
}

#[tokio::test]
async fn who_may_not_see_a_network_or_port_is_told_it_is_not_there() {
    let server = Server::start().await;
    let net = network(&server).await;
    let port = create(&server, &net, json!({"project_id": "tenant-of-port"})).await.expect(201);
    let cx = |project: &str| {
        let caller = neutrino_core::Caller { project_id: Some(project.to_owned()), ..Default::default() };
        neutrino_core::Context::new("req", caller)
    };
    let sees = async |project: &str| server.engine.original(&cx(project), "ports", None, &id(&port)).await.is_ok();
    assert!(sees("tenant-of-port").await, "the owner of the port");
    assert!(sees(PROJECT).await, "the owner of the network");
    assert!(!sees("stranger").await);
    let answer = server.send_as(member("stranger"), Method::GET, &format!("/ports/{}", id(&port)), "", &[]).await;
    assert!(matches!(answer.status, 403 | 404), "{}", answer.text);
}
