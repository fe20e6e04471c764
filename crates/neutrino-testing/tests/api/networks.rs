// SPDX-License-Identifier: Apache-2.0
use neutrino_core::{Authorized, Caller, Context, ListQuery};
use neutrino_testing::{PROJECT, Server};
use serde_json::{Value, json};

#[tokio::test]
async fn lives_from_create_to_delete() {
    let server = Server::start().await;
    let network = server.post("/networks", json!({"network": {"name": "n"}})).await.expect(201);
    assert_eq!(network["name"], "n");
    assert_eq!(network["admin_state_up"], true);
    assert_eq!(network["status"], "ACTIVE");
    assert_eq!(network["shared"], false);
    assert_eq!(network["subnets"], json!([]));
    assert_eq!(network["ipv4_address_scope"], json!(null));
    assert_eq!(network["ipv6_address_scope"], json!(null));
    assert_eq!(network["project_id"], PROJECT);
    assert_eq!(network["revision_number"], 1);
    let path = format!("/networks/{}", network["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.expect(200), network);
    let changed = server.put(&path, json!({"network": {"admin_state_up": "false", "name": "m"}})).await.expect(200);
    assert_eq!((&changed["name"], &changed["admin_state_up"]), (&json!("m"), &json!(false)));
    assert_eq!(changed["revision_number"], 2);
    assert_eq!(server.delete(&path).await.status, 204);
    server.get(&path).await.refused(404, "NetworkNotFound");
    assert_eq!(server.count("SELECT count(*) FROM standardattributes WHERE resource_type = 'networks'").await, 0);
}

fn path(network: &Value) -> String {
    format!("/networks/{}", network["id"].as_str().unwrap())
}

async fn create(server: &Server, attributes: Value) -> Value {
    server.post("/networks", json!({"network": attributes})).await.expect(201)
}

/// As another program would: a port that no rule of ours has seen.
async fn port(server: &Server, network: &Value, id: &str, project: &str, owner: &str) {
    let network = network["id"].as_str().unwrap();
    server.sql("INSERT INTO standardattributes (resource_type, revision_number) VALUES ('ports', 0)").await;
    let standard = server.count("SELECT max(id) FROM standardattributes").await;
    server
        .sql(&format!(
            "INSERT INTO ports (id, project_id, network_id, mac_address, admin_state_up, status, device_id, device_owner, standard_attr_id) \
             VALUES ('{id}', '{project}', '{network}', 'fa:16:3e:00:00:{:02x}', TRUE, 'DOWN', '', '{owner}', {standard})",
            standard % 256
        ))
        .await;
}

#[tokio::test]
async fn bad_attributes_are_refused() {
    let server = Server::start().await;
    for (attributes, kind) in [
        (json!({"name": "n".repeat(256)}), "HTTPBadRequest"),
        (json!({"name": 5}), "HTTPBadRequest"),
        (json!({"name": null}), "HTTPBadRequest"),
        (json!({"admin_state_up": "maybe"}), "InvalidInput"),
        (json!({"shared": 7}), "InvalidInput"),
        (json!({"router:external": []}), "InvalidInput"),
        (json!({"is_default": "often"}), "InvalidInput"),
        (json!({"status": "DOWN"}), "HTTPBadRequest"),
        (json!({"subnets": []}), "HTTPBadRequest"),
        (json!({"id": "c0ffee00-0000-4000-8000-000000000000"}), "HTTPBadRequest"),
        (json!({"ipv4_address_scope": null}), "HTTPBadRequest"),
        (json!({"availability_zones": []}), "HTTPBadRequest"),
        (json!({"availability_zone_hints": "az"}), "HTTPBadRequest"),
        (json!({"availability_zone_hints": ["z".repeat(300)]}), "InvalidInput"),
        (json!({"vlan_transparent": true}), "HTTPBadRequest"),
        (json!({"qinq": true}), "HTTPBadRequest"),
        (json!({"tenant_id": "a", "project_id": "b"}), "HTTPBadRequest"),
    ] {
        let answer = server.post("/networks", json!({"network": attributes})).await;
        assert_eq!((answer.status, answer.error()), (400, kind), "{attributes}: {}", answer.text);
    }
    let network = create(&server, json!({})).await;
    for attributes in [json!({"status": "DOWN"}), json!({"project_id": "x"}), json!({"availability_zone_hints": []}), json!({"id": "x"})] {
        server.put(&path(&network), json!({"network": attributes})).await.refused(400, "HTTPBadRequest");
    }
}

#[tokio::test]
async fn all_or_none_of_a_bulk_are_made() {
    let server = Server::with(&[("ml2", "project_network_types", "vxlan"), ("ml2_type_vxlan", "vni_ranges", "1:2")]).await;
    let three = json!({"networks": [{"name": "a"}, {"name": "b"}, {"name": "c"}]});
    server.post("/networks", three).await.refused(503, "NoNetworkAvailable");
    assert_eq!(server.count("SELECT count(*) FROM networks").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ml2_vxlan_allocations WHERE allocated").await, 0);
    let two = server.post("/networks", json!({"networks": [{"name": "a"}, {"name": "b"}]})).await.expect(201);
    assert_eq!(two.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn sharing_ends_when_no_other_project_would_lose() {
    let server = Server::start().await;
    let network = create(&server, json!({"shared": true})).await;
    assert_eq!((&network["shared"], &network["revision_number"]), (&json!(true), &json!(1)));
    assert_eq!(server.get("/networks?shared=true&fields=shared").await.expect(200), json!([{"shared": true}]));
    assert_eq!(server.get("/networks?shared=false").await.expect(200), json!([]));
    let put = async |shared: bool| server.put(&path(&network), json!({"network": {"shared": shared}})).await;
    port(&server, &network, "own", PROJECT, "compute:nova").await;
    port(&server, &network, "dhcp", "other", "network:dhcp").await;
    let unshared = put(false).await.expect(200);
    assert_eq!((&unshared["shared"], &unshared["revision_number"]), (&json!(false), &json!(2)));
    assert_eq!(put(false).await.expect(200), unshared, "nothing to do, nothing done");
    assert_eq!(put(true).await.expect(200)["revision_number"], 3);
    port(&server, &network, "other", "other", "compute:nova").await;
    put(false).await.refused(409, "InvalidSharedSetting");
    let id = network["id"].as_str().unwrap();
    server
        .sql(&format!(
            "INSERT INTO networkrbacs (id, object_id, project_id, target_project, action) VALUES ('r', '{id}', 'p', 'other', 'access_as_shared')"
        ))
        .await;
    assert_eq!(put(false).await.expect(200)["shared"], false);
}

#[tokio::test]
async fn others_see_what_is_shared_or_external() {
    let server = Server::start().await;
    for (name, attributes) in [
        ("own", json!({"project_id": "me"})),
        ("hidden", json!({})),
        ("shared", json!({"shared": true})),
        ("external", json!({"router:external": true})),
        ("given", json!({})),
    ] {
        let mut attributes = attributes;
        attributes["name"] = name.into();
        let network = create(&server, attributes).await;
        if name == "given" {
            let id = network["id"].as_str().unwrap();
            server
                .sql(&format!(
                    "INSERT INTO networkrbacs (id, object_id, project_id, target_project, action) \
                     VALUES ('r', '{id}', 'p', 'me', 'access_as_shared')"
                ))
                .await;
        }
    }
    let seen = async |project: &str| {
        let cx = Context::new("req", Caller { project_id: Some(project.to_owned()), ..Caller::default() });
        let auth = Authorized::internal("a test of what a project sees");
        let rows = server.engine.list(&cx, &auth, "networks", None, &ListQuery::default()).await.unwrap();
        let mut rows: Vec<_> =
            rows.iter().map(|row| (row.str("name").to_owned(), row.bool("shared"), row.bool("router:external"))).collect();
        rows.sort();
        rows
    };
    let row = |name: &str, shared, external| (name.to_owned(), shared, external);
    assert_eq!(
        seen("me").await,
        [row("external", false, true), row("given", true, false), row("own", false, false), row("shared", true, false)]
    );
    assert_eq!(seen("stranger").await, [row("external", false, true), row("shared", true, false)]);
}

#[tokio::test]
async fn a_network_in_use_stays_and_agents_ports_go_with_it() {
    let server = Server::start().await;
    let network = create(&server, json!({})).await;
    port(&server, &network, "vm", PROJECT, "compute:nova").await;
    port(&server, &network, "dhcp", PROJECT, "network:dhcp").await;
    server.delete(&path(&network)).await.refused(409, "NetworkInUse");
    assert_eq!(server.count("SELECT count(*) FROM ports").await, 2);
    server.sql("DELETE FROM ports WHERE id = 'vm'").await;
    let id = network["id"].as_str().unwrap();
    for cidr in ["10.0.0.0/24", "10.0.1.0/24"] {
        let subnet = json!({"subnet": {"network_id": id, "ip_version": 4, "cidr": cidr}});
        let _ = server.post("/subnets", subnet).await.expect(201);
    }
    assert_eq!(server.get(&path(&network)).await.expect(200)["subnets"].as_array().unwrap().len(), 2);
    assert_eq!(server.delete(&path(&network)).await.status, 204);
    for table in ["ports", "subnets", "ipamsubnets", "ipamallocationpools", "networksegments", "networks"] {
        assert_eq!(server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn external_networks_and_the_default_one() {
    let server = Server::start().await;
    let network = create(&server, json!({"router:external": true})).await;
    assert_eq!((&network["router:external"], &network["is_default"], &network["shared"]), (&json!(true), &json!(false), &json!(false)));
    let inner = create(&server, json!({"is_default": true})).await;
    assert_eq!((&inner["router:external"], inner.get("is_default")), (&json!(false), None));
    let put = async |network: &Value, attributes: Value| server.put(&path(network), json!({"network": attributes})).await;
    let default = put(&network, json!({"is_default": true})).await.expect(200);
    assert_eq!((&default["is_default"], &default["revision_number"]), (&json!(true), &json!(2)));
    let second = json!({"network": {"router:external": true, "is_default": true}});
    server.post("/networks", second).await.refused(409, "DefaultExternalNetworkExists");
    put(&inner, json!({"router:external": true, "is_default": true})).await.refused(409, "DefaultExternalNetworkExists");
    assert_eq!(put(&inner, json!({"router:external": true})).await.expect(200)["is_default"], false);
    put(&inner, json!({"is_default": true})).await.refused(409, "DefaultExternalNetworkExists");
    let count = async |query: &str| server.get(&format!("/networks?{query}")).await.expect(200).as_array().unwrap().len();
    assert_eq!((count("router:external=True").await, count("router:external=False").await, count("is_default=True").await), (2, 0, 1));
    port(&server, &network, "gw", "", "network:router_gateway").await;
    put(&network, json!({"router:external": false})).await.refused(409, "ExternalNetworkInUse");
    server.sql("DELETE FROM ports").await;
    let back = put(&network, json!({"router:external": false})).await.expect(200);
    assert_eq!((&back["router:external"], back.get("is_default"), &back["revision_number"]), (&json!(false), None, &json!(3)));
    assert_eq!(server.count("SELECT count(*) FROM networkrbacs WHERE action = 'access_as_external'").await, 1);
    assert_eq!(put(&inner, json!({"is_default": true})).await.expect(200)["is_default"], true);
}

#[tokio::test]
async fn zones_are_hinted_and_shown() {
    let server = Server::start().await;
    let hinted = json!({"network": {"availability_zone_hints": ["z1", "z2"]}});
    server.post("/networks", hinted.clone()).await.refused(404, "AvailabilityZoneNotFound");
    for (id, kind, zone) in [("a1", "DHCP agent", "z1"), ("a2", "DHCP agent", "z2"), ("a3", "L3 agent", "z3")] {
        server
            .sql(&format!(
                "INSERT INTO agents (id, agent_type, \"binary\", topic, host, admin_state_up, created_at, started_at, heartbeat_timestamp, \
                 configurations, \"load\", availability_zone) VALUES ('{id}', '{kind}', 'b', 't', 'h-{id}', TRUE, '2026-01-01 00:00:00', \
                 '2026-01-01 00:00:00', '2026-01-01 00:00:00', '{{}}', 0, '{zone}')"
            ))
            .await;
    }
    let network = server.post("/networks", hinted).await.expect(201);
    assert_eq!((&network["availability_zone_hints"], &network["availability_zones"]), (&json!(["z1", "z2"]), &json!([])));
    server.post("/networks", json!({"network": {"availability_zone_hints": ["z3"]}})).await.refused(404, "AvailabilityZoneNotFound");
    let id = network["id"].as_str().unwrap();
    server.sql(&format!("INSERT INTO networkdhcpagentbindings (network_id, dhcp_agent_id, binding_index) VALUES ('{id}', 'a2', 1)")).await;
    assert_eq!(server.get(&path(&network)).await.expect(200)["availability_zones"], json!(["z2"]));
    let plain = create(&server, json!({})).await;
    assert_eq!(plain["availability_zone_hints"], json!([]));
    assert_eq!(server.count("SELECT count(*) FROM networks WHERE availability_zone_hints IS NULL").await, 1, "as Neutron keeps it");
}

#[tokio::test]
async fn vlan_transparency_is_there_when_configured() {
    let server = Server::with(&[("DEFAULT", "vlan_transparent", "true"), ("DEFAULT", "vlan_qinq", "true")]).await;
    let plain = create(&server, json!({})).await;
    assert_eq!((&plain["vlan_transparent"], &plain["qinq"]), (&json!(false), &json!(false)));
    let transparent = create(&server, json!({"vlan_transparent": "true"})).await;
    assert_eq!((&transparent["vlan_transparent"], &transparent["qinq"]), (&json!(true), &json!(false)));
    server.post("/networks", json!({"network": {"vlan_transparent": true, "qinq": true}})).await.refused(400, "BadRequest");
    server.put(&path(&plain), json!({"network": {"vlan_transparent": true}})).await.refused(400, "HTTPBadRequest");
    assert_eq!(server.get("/networks?vlan_transparent=true&fields=id").await.expect(200), json!([{"id": transparent["id"]}]));
}

#[tokio::test]
async fn vlan_transparency_needs_a_driver_that_has_it() {
    let options =
        |drivers| [("DEFAULT", "vlan_transparent", "true"), ("DEFAULT", "vlan_qinq", "true"), ("ml2", "mechanism_drivers", drivers)];
    let server = Server::with(&options("l2population,macvtap")).await;
    let made = create(&server, json!({"vlan_transparent": false})).await;
    assert_eq!(made["vlan_transparent"], false);
    for (attribute, kind) in [("vlan_transparent", "VlanTransparencyDriverError"), ("qinq", "VlanQinqDriverError")] {
        server.post("/networks", json!({"network": {attribute: true}})).await.refused(400, kind);
    }
    assert_eq!(server.count("SELECT count(*) FROM networks").await, 1);
    let server = server.restart(&options("openvswitch")).await;
    assert_eq!(create(&server, json!({})).await.get("vlan_transparent"), None);
    server.post("/networks", json!({"network": {"vlan_transparent": true}})).await.refused(400, "HTTPBadRequest");
}

#[tokio::test]
async fn a_page_costs_as_many_statements_as_a_row() {
    let server = Server::start().await;
    let network = create(&server, json!({"name": "first"})).await;
    let cost = async |path: String| {
        let before = server.statements();
        let _ = server.get(&path).await.expect(200);
        server.statements() - before
    };
    let (list, show) = (cost("/networks".to_owned()).await, cost(path(&network)).await);
    for n in 0..20 {
        let network = create(&server, json!({"name": format!("n{n}"), "shared": n % 2 == 0, "router:external": n % 3 == 0})).await;
        port(&server, &network, &format!("p{n}"), "x", "network:dhcp").await;
    }
    assert_eq!((cost("/networks".to_owned()).await, cost(path(&network)).await), (list, show));
    assert_eq!(cost("/networks?fields=name&fields=mtu&sort_key=name&sort_dir=asc".to_owned()).await, 1, "what is not wanted is not loaded");
}

#[tokio::test]
async fn what_a_mechanism_driver_fails_to_make_does_not_stay() {
    let server = Server::with(&[("ml2", "mechanism_drivers", "test")]).await;
    let name = "fails after the commit";
    let kept = create(&server, json!({"name": "kept"})).await;
    let rows = "SELECT (SELECT count(*) FROM standardattributes) + (SELECT count(*) FROM ports) + (SELECT count(*) FROM subnets)";
    create(&server, json!({"name": "makes the default security group"})).await;
    let before = server.count(rows).await;
    server.post("/networks", json!({"network": {"name": name}})).await.refused(500, "MechanismDriverError");
    server.post("/networks", json!({"networks": [{"name": "a"}, {"name": name}]})).await.refused(500, "MechanismDriverError");
    let subnet = json!({"subnet": {"name": name, "network_id": kept["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}});
    server.post("/subnets", subnet).await.refused(500, "MechanismDriverError");
    let port = |name: &str| json!({"port": {"name": name, "network_id": kept["id"], "security_groups": []}});
    server.post("/ports", port(name)).await.refused(500, "MechanismDriverError");
    server.get("/networks").await.expect_rows("networks", 2);
    assert_eq!(server.count(rows).await, before);
    server.post("/ports", port("fine")).await.expect(201);
}

#[tokio::test]
async fn of_many_that_become_the_default_external_network_at_once_one_does() {
    let server = std::sync::Arc::new(Server::full().await);
    let made: Vec<_> = (0..8)
        .map(|_| {
            let server = server.clone();
            let body = json!({"network": {"router:external": true, "is_default": true}});
            tokio::spawn(async move { server.post("/networks", body).await.status })
        })
        .collect();
    let mut statuses: Vec<u16> = futures::future::join_all(made).await.into_iter().map(Result::unwrap).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    server.get("/networks?is_default=true").await.expect_rows("networks", 1);
    // Neutron's tables show one row more, which no project owns; the quotas of projects do not.
    assert_eq!(server.count("SELECT count(*) FROM quotausages WHERE project_id = ''").await, 1);
    assert_eq!(server.get("/quotas").await.body, json!({"quotas": []}));
}
