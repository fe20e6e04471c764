// SPDX-License-Identifier: Apache-2.0
use neutrino_testing::Server;
use serde_json::{Value, json};

use crate::ports::{create, id, network, subnet, update};

async fn with(drivers: &str) -> Server {
    Server::with(&[("ml2", "extension_drivers", drivers)]).await
}

async fn is_on(server: &Server, alias: &str) -> bool {
    server.get(&format!("/extensions/{alias}")).await.status == 200
}

#[tokio::test]
async fn extensions_are_on_as_the_configuration_says() {
    let always = [
        "allowed-address-pairs",
        "aap-reject-multicast",
        "extra_dhcp_opt",
        "binding",
        "binding-extended",
        "port-device-profile",
        "port-mac-address-regenerate",
        "port-mac-override",
        "port-numa-affinity-policy",
        "port-numa-affinity-policy-socket",
    ];
    let drivers = [
        ("data_plane_status", "data-plane-status"),
        ("dns", "dns-integration"),
        ("dns_domain_ports", "dns-domain-ports"),
        ("dns_domain_keywords", "dns-integration-domain-keywords"),
        ("port_hardware_offload_type", "port-hardware-offload-type"),
        ("port_hints", "port-hints"),
        ("port_hints,port_hint_ovs_tx_steering", "port-hint-ovs-tx-steering"),
        ("port_security", "port-security"),
        ("port_trusted", "port-trusted-vif"),
        ("subnet_dns_publish_fixed_ip", "subnet-dns-publish-fixed-ip"),
        ("tag_ports_during_bulk_creation", "tag-ports-during-bulk-creation"),
        ("uplink_status_propagation", "uplink-status-propagation"),
        ("uplink_status_propagation,uplink_status_propagation_updatable", "uplink-status-propagation-updatable"),
    ];
    let plain = Server::start().await;
    for alias in always {
        assert!(is_on(&plain, alias).await, "{alias}");
    }
    for (names, alias) in drivers {
        assert!(!is_on(&plain, alias).await, "{alias}");
        assert!(is_on(&with(names).await, alias).await, "{alias}");
    }
}

#[test]
fn unknown_extension_drivers_stop_the_start() {
    let told = crate::ports::refused_at_start(&[("ml2", "extension_drivers", "port_security,nonsense")]);
    assert!(told.contains("nonsense") && told.contains("port_security"), "{told}");
    let told = crate::ports::refused_at_start(&[("ml2", "extension_drivers", "port_hint_ovs_tx_steering")]);
    assert!(told.contains("port-hints"), "{told}");
    let told = crate::ports::refused_at_start(&[("DEFAULT", "base_mac", "fa:16")]);
    assert!(told.contains("base_mac"), "{told}");
}

#[tokio::test]
async fn port_security_comes_from_the_network_and_binds_the_rest() {
    let server = with("port_security").await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let shown = server.get(&format!("/networks/{net}")).await.expect(200);
    assert_eq!(shown["port_security_enabled"], true);
    let port = create(&server, &net, json!({"allowed_address_pairs": [{"ip_address": "1.2.3.4"}]})).await.expect(201);
    assert_eq!(port["port_security_enabled"], true);
    update(&server, &port, json!({"port_security_enabled": false})).await.refused(409, "AddressPairAndPortSecurityRequired");
    let off = json!({"port_security_enabled": false, "allowed_address_pairs": []});
    update(&server, &port, off).await.refused(409, "PortSecurityPortHasSecurityGroup");
    let off = json!({"port_security_enabled": false, "allowed_address_pairs": [], "security_groups": []});
    let open = update(&server, &port, off).await.expect(200);
    let groups = json!({"security_groups": port["security_groups"]});
    update(&server, &port, groups).await.refused(400, "PortSecurityAndIPRequiredForSecurityGroups");
    create(&server, &net, json!({"port_security_enabled": false, "security_groups": port["security_groups"]}))
        .await
        .refused(400, "PortSecurityAndIPRequiredForSecurityGroups");
    assert_eq!((&open["port_security_enabled"], &open["revision_number"]), (&json!(false), &json!(2)));
    let pairs = json!({"allowed_address_pairs": [{"ip_address": "1.2.3.4"}]});
    update(&server, &port, pairs.clone()).await.refused(409, "AddressPairAndPortSecurityRequired");
    create(&server, &net, json!({"port_security_enabled": false, "allowed_address_pairs": pairs["allowed_address_pairs"]}))
        .await
        .refused(409, "AddressPairAndPortSecurityRequired");
    let dhcp = create(&server, &net, json!({"device_owner": "network:dhcp", "port_security_enabled": true})).await.expect(201);
    assert_eq!(dhcp["port_security_enabled"], false, "a service's port is not held");
    for bad in [json!("maybe"), json!({}), json!(2)] {
        assert_eq!(create(&server, &net, json!({"port_security_enabled": bad})).await.status, 400, "{bad}");
    }

    _ = server.put(&format!("/networks/{net}"), json!({"network": {"port_security_enabled": false}})).await.expect(200);
    assert_eq!(create(&server, &net, json!({})).await.expect(201)["port_security_enabled"], false);
    let own = create(&server, &net, json!({"port_security_enabled": "True"})).await.expect(201);
    assert_eq!(own["port_security_enabled"], true);
    server.sql("DELETE FROM portsecuritybindings").await;
    assert_eq!(server.get(&format!("/ports/{}", id(&open))).await.expect(200)["port_security_enabled"], true, "from before the driver");
    let written = update(&server, &open, json!({"port_security_enabled": false})).await.expect(200);
    assert_eq!(written["port_security_enabled"], false);
}

#[tokio::test]
async fn address_pairs_take_the_mac_of_the_port() {
    let server = Server::start().await;
    let net = network(&server).await;
    let pairs = json!([{"ip_address": "1.2.3.4"}, {"ip_address": "5.0.0.0/8", "mac_address": "fa:16:3e:00:00:01"}]);
    let port = create(&server, &net, json!({"mac_address": "fa:16:3e:00:00:02", "allowed_address_pairs": pairs})).await.expect(201);
    assert_eq!(
        port["allowed_address_pairs"],
        json!([{"mac_address": "fa:16:3e:00:00:01", "ip_address": "5.0.0.0/8"}, {"mac_address": "fa:16:3e:00:00:02", "ip_address": "1.2.3.4"}])
    );
    let twice = json!([{"ip_address": "1.2.3.4"}, {"ip_address": "1.2.3.4", "mac_address": "fa:16:3e:00:00:02"}]);
    update(&server, &port, json!({"allowed_address_pairs": twice})).await.refused(400, "DuplicateAddressPairInRequest");
    let same = update(&server, &port, json!({"allowed_address_pairs": port["allowed_address_pairs"]})).await.expect(200);
    assert_eq!(same["revision_number"], 1);
    let none = update(&server, &port, json!({"allowed_address_pairs": null})).await.expect(200);
    assert_eq!((&none["allowed_address_pairs"], &none["revision_number"]), (&json!([]), &json!(2)));
    let many: Vec<Value> = (0..11).map(|n| json!({"ip_address": format!("1.2.3.{n}")})).collect();
    update(&server, &port, json!({"allowed_address_pairs": many})).await.refused(400, "AllowedAddressPairExhausted");
}

#[tokio::test]
async fn dhcp_options_change_one_by_one() {
    let server = Server::start().await;
    let net = network(&server).await;
    let options = json!([{"opt_name": "mtu", "opt_value": "9000"}, {"opt_name": "router", "opt_value": "", "ip_version": "6"},
        {"opt_name": "gone", "opt_value": null}]);
    let port = create(&server, &net, json!({"extra_dhcp_opts": options})).await.expect(201);
    let (mtu, router) =
        (json!({"opt_name": "mtu", "opt_value": "9000", "ip_version": 4}), json!({"opt_name": "router", "opt_value": "", "ip_version": 6}));
    assert_eq!(port["extra_dhcp_opts"], json!([mtu, router]));
    let change = json!([{"opt_name": "mtu", "opt_value": "1500"}, {"opt_name": "router", "opt_value": null, "ip_version": 6},
        {"opt_name": "mtu", "opt_value": "1280", "ip_version": 6}]);
    let changed = update(&server, &port, json!({"extra_dhcp_opts": change})).await.expect(200);
    assert_eq!(
        changed["extra_dhcp_opts"],
        json!([{"opt_name": "mtu", "opt_value": "1500", "ip_version": 4}, {"opt_name": "mtu", "opt_value": "1280", "ip_version": 6}])
    );
    assert_eq!(changed["revision_number"], 2);
    for nothing in [json!([]), Value::Null] {
        let same = update(&server, &port, json!({"extra_dhcp_opts": nothing})).await.expect(200);
        assert_eq!(same["extra_dhcp_opts"], changed["extra_dhcp_opts"]);
    }
    assert_eq!(update(&server, &port, json!({"extra_dhcp_opts": [{"opt_name": "a\nb", "opt_value": "1"}]})).await.status, 400);
}

#[tokio::test]
async fn names_are_kept_where_there_is_a_domain() {
    let server = with("dns_domain_ports").await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let body = json!({"dns_name": "VM1", "dns_domain": "example.org.", "fixed_ips": [{"ip_address": "10.5.0.9"}]});
    let port = create(&server, &net, body.clone()).await.expect(201);
    assert_eq!((&port["dns_name"], &port["dns_domain"]), (&json!(""), &json!("")), "the default domain keeps no names");
    assert_eq!(
        port["dns_assignment"],
        json!([{"ip_address": "10.5.0.9", "hostname": "host-10-5-0-9", "fqdn": "host-10-5-0-9.openstacklocal."}])
    );

    let server = Server::with(&[("ml2", "extension_drivers", "dns_domain_ports"), ("DEFAULT", "dns_domain", "cloud.test")]).await;
    let net = network(&server).await;
    subnet(&server, &net, "10.5.0.0/24", json!({})).await;
    let port = create(&server, &net, body).await.expect(201);
    assert_eq!((&port["dns_name"], &port["dns_domain"]), (&json!("vm1"), &json!("example.org.")));
    assert_eq!(port["dns_assignment"], json!([{"ip_address": "10.5.0.9", "hostname": "vm1", "fqdn": "vm1.cloud.test."}]));
    let renamed = update(&server, &port, json!({"dns_name": "vm2"})).await.expect(200);
    assert_eq!(
        (&renamed["dns_name"], &renamed["dns_domain"], &renamed["revision_number"]),
        (&json!("vm2"), &json!("example.org."), &json!(2))
    );
    assert_eq!(renamed["dns_assignment"][0]["hostname"], "vm2");
    let late = create(&server, &net, json!({})).await.expect(201);
    assert_eq!(update(&server, &late, json!({"dns_name": "vm3"})).await.expect(200)["dns_name"], "vm3");
    for bad in [json!("-x"), json!("a b"), json!("x".repeat(256)), json!(7)] {
        assert_eq!(create(&server, &net, json!({"dns_name": bad})).await.status, 400, "{bad}");
    }
    let named = server.put(&format!("/networks/{net}"), json!({"network": {"dns_domain": "net.test."}})).await.expect(200);
    assert_eq!(named["dns_domain"], "net.test.");
}

#[tokio::test]
async fn small_attributes_are_kept_shown_and_checked() {
    let drivers = "data_plane_status,port_hints,port_trusted,port_hardware_offload_type,uplink_status_propagation";
    let server = with(drivers).await;
    let net = network(&server).await;
    let steering = json!({"openvswitch": {"other_config": {"tx-steering": "hash"}}});
    let body = json!({"hints": steering, "trusted": true, "hardware_offload_type": "switchdev", "propagate_uplink_status": false,
        "device_profile": "gpu", "numa_affinity_policy": "socket", "binding:profile": {"k": 1}});
    let port = create(&server, &net, body.clone()).await.expect(201);
    for name in ["hints", "trusted", "hardware_offload_type", "propagate_uplink_status", "device_profile", "numa_affinity_policy"] {
        assert_eq!(port[name], body[name], "{name}");
    }
    assert_eq!(port["binding:profile"], json!({"k": 1, "capabilities": ["switchdev"], "trusted": true}));
    assert_eq!(port["data_plane_status"], Value::Null);
    let plain = create(&server, &net, json!({})).await.expect(201);
    for (name, value) in [
        ("hints", Value::Null),
        ("trusted", Value::Null),
        ("hardware_offload_type", Value::Null),
        ("propagate_uplink_status", json!(true)),
        ("data_plane_status", Value::Null),
        ("binding:profile", json!({})),
    ] {
        assert_eq!(plain[name], value, "{name}");
    }
    let mut revision = port["revision_number"].as_i64().unwrap();
    for (name, value) in [
        ("hints", Value::Null),
        ("hints", steering),
        ("trusted", json!(false)),
        ("data_plane_status", json!("DOWN")),
        ("data_plane_status", Value::Null),
        ("numa_affinity_policy", json!("legacy")),
        ("numa_affinity_policy", Value::Null),
    ] {
        let changed = update(&server, &port, json!({name: value})).await.expect(200);
        revision += 1;
        assert_eq!((&changed[name], changed["revision_number"].as_i64()), (&value, Some(revision)), "{name}");
    }
    assert_eq!(server.get(&format!("/ports/{}", id(&port))).await.expect(200)["binding:profile"]["trusted"], false);
    for (name, value) in [
        ("hints", json!({"x": 1})),
        ("hints", json!("x")),
        ("hints", json!({"openvswitch": {"other_config": {"tx-steering": "x"}}})),
        ("trusted", json!("maybe")),
        ("data_plane_status", json!("BUILD")),
        ("hardware_offload_type", json!("switchdev")),
        ("propagate_uplink_status", json!(false)),
        ("device_profile", json!("x")),
        ("numa_affinity_policy", json!("")),
    ] {
        assert_eq!(update(&server, &port, json!({name: value})).await.status, 400, "{name} {value}");
    }
    create(&server, &net, json!({"data_plane_status": "ACTIVE"})).await.refused(400, "HTTPBadRequest");
    create(&server, &net, json!({"hardware_offload_type": "x"})).await.refused(400, "HTTPBadRequest");

    let server = with("uplink_status_propagation,uplink_status_propagation_updatable").await;
    let net = network(&server).await;
    let port = create(&server, &net, json!({})).await.expect(201);
    let off = update(&server, &port, json!({"propagate_uplink_status": "no"})).await.expect(200);
    assert_eq!((&off["propagate_uplink_status"], &off["revision_number"]), (&json!(false), &json!(2)));
    assert_eq!(update(&server, &port, json!({"propagate_uplink_status": true})).await.expect(200)["propagate_uplink_status"], true);
}

#[tokio::test]
async fn an_empty_device_profile_is_none() {
    let server = Server::start().await;
    let net = network(&server).await;
    assert_eq!(create(&server, &net, json!({"device_profile": ""})).await.expect(201)["device_profile"], Value::Null);
    assert_eq!(server.count("SELECT count(*) FROM portdeviceprofiles").await, 0);
}
