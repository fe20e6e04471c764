// SPDX-License-Identifier: Apache-2.0
//! Names in an external DNS service: a Designate of few words, with its zones, record sets and refusals.

use std::time::Duration;

use http::Method;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

use crate::recorded::{Asked, Service};

#[derive(Default)]
struct Dns {
    /// Name and the token that owns it.
    zones: Vec<(String, String)>,
    /// Zone, name, type, records.
    sets: Vec<(usize, String, String, Vec<String>)>,
    /// What the next requests that write are answered.
    refusals: Vec<u16>,
    /// Record sets that only who edits managed ones may delete.
    managed: bool,
}

impl Dns {
    /// `A vm1.example.org. 10.0.0.5`, sorted.
    fn shown(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.sets.iter().map(|(_, name, kind, records)| format!("{kind} {name} {}", records.join(","))).collect();
        all.sort();
        all
    }
}

fn refusal(status: u16) -> (u16, Value) {
    let kind = if status == 413 { "over_quota" } else { "refused" };
    (status, json!({"code": status, "type": kind, "message": "no"}))
}

fn answer(dns: &mut Dns, asked: &Asked) -> (u16, Value) {
    let path = asked.path.split('?').next().unwrap_or_default().strip_prefix("/v2/").unwrap();
    let (token, all) = (asked.header("x-auth-token"), asked.header("x-auth-all-projects") == "true");
    let sees = |owner: &str| owner == token || (all && ["admin", "own"].contains(&token));
    if asked.method != "GET"
        && let Some(status) = dns.refusals.pop()
    {
        return refusal(status);
    }
    match (asked.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
        ("GET", ["zones"]) => {
            let name = asked.query("name").unwrap_or_default();
            let found = dns.zones.iter().enumerate().filter(|(_, (known, owner))| *known == name && sees(owner));
            (200, json!({"zones": found.map(|(at, _)| json!({"id": at.to_string(), "name": name})).collect::<Vec<_>>()}))
        }
        ("POST", ["zones"]) => {
            assert!(asked.body["email"].as_str().is_some_and(|email| email.contains('@')), "{asked:?}");
            dns.zones.push((asked.body["name"].as_str().unwrap().to_owned(), token.to_owned()));
            (202, json!({"id": (dns.zones.len() - 1).to_string()}))
        }
        (method, ["zones", zone, "recordsets", rest @ ..]) => {
            let zone: usize = zone.parse().unwrap();
            let edits_managed = asked.header("x-designate-edit-managed-records") == "true";
            assert!(sees(&dns.zones[zone].1) || edits_managed, "{asked:?}");
            record_sets(dns, asked, method, zone, rest)
        }
        _ => panic!("{asked:?}"),
    }
}

fn record_sets(dns: &mut Dns, asked: &Asked, method: &str, zone: usize, rest: &[&str]) -> (u16, Value) {
    match (method, rest) {
        ("GET", []) => {
            let name = asked.query("name").unwrap_or_default();
            let found = dns.sets.iter().enumerate().filter(|(_, set)| set.0 == zone && set.1 == name);
            let found =
                found.map(|(at, (_, name, kind, records))| json!({"id": at.to_string(), "name": name, "type": kind, "records": records}));
            (200, json!({"recordsets": found.collect::<Vec<_>>()}))
        }
        ("POST", []) => {
            let text = |name: &str| asked.body[name].as_str().unwrap().to_owned();
            if dns.sets.iter().any(|set| (set.0, &set.1, &set.2) == (zone, &text("name"), &text("type"))) {
                return refusal(409);
            }
            let records = asked.body["records"].as_array().unwrap().iter().map(|record| record.as_str().unwrap().to_owned()).collect();
            dns.sets.push((zone, text("name"), text("type"), records));
            (201, json!({}))
        }
        ("DELETE", [id]) => {
            if dns.managed && asked.header("x-designate-edit-managed-records") != "true" {
                return refusal(400);
            }
            let at: usize = id.parse().unwrap();
            // Ids are places: the others stay where they are.
            dns.sets[at] = (usize::MAX, String::new(), String::new(), Vec::new());
            (202, json!({}))
        }
        _ => panic!("{asked:?}"),
    }
}

async fn designate() -> Service<Dns> {
    let service = Service::start(&[], answer).await;
    service.with(|dns| dns.zones = vec![("example.org.".to_owned(), "me".to_owned()), ("net.org.".to_owned(), "me".to_owned())]);
    service
}

const DRIVERS: &str = "port_security,subnet_dns_publish_fixed_ip";

async fn server_with(address: &str, more: &[(&str, &str, &str)]) -> Server {
    let (url, keystone) = (format!("http://{address}/v2"), format!("http://{address}"));
    let own = |name| ("designate", name, "x");
    let mut options = vec![
        ("DEFAULT", "external_dns_driver", "designate"),
        ("DEFAULT", "dns_domain", "inside.org"),
        ("DEFAULT", "service_plugins", "router"),
        ("designate", "url", url.as_str()),
        ("designate", "auth_type", "password"),
        ("designate", "auth_url", keystone.as_str()),
        ("designate", "timeout", "2"),
        own("username"),
        own("password"),
        own("user_domain_id"),
        own("project_name"),
        own("project_domain_id"),
        ("ml2", "extension_drivers", DRIVERS),
        ("ml2", "project_network_types", "vxlan"),
        ("ml2_type_vxlan", "vni_ranges", "1:100"),
        ("ml2_type_vlan", "network_vlan_ranges", "physnet1:100:200"),
    ];
    options.retain(|(group, name, _)| !more.iter().any(|(g, n, _)| (g, n) == (group, name)));
    options.extend(more);
    Server::with(&options).await
}

async fn server(address: &str) -> Server {
    server_with(address, &[]).await
}

async fn as_me(server: &Server, method: Method, path: &str, body: Value) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.send(method, path, body, &[("x-auth-token", "me")]).await
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object[name].as_str().unwrap()
}

/// A network of the operator's, with a subnet: names of its ports are of use outside.
async fn network(server: &Server, more: Value, cidr: &str) -> (String, String) {
    let mut network = json!({"provider:network_type": "flat", "provider:physical_network": "physnet1", "dns_domain": "net.org."});
    network.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    network.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let network = server.post("/networks", json!({ "network": network })).await.expect(201);
    let subnet = subnet(server, text(&network, "id"), cidr, false).await;
    (text(&network, "id").to_owned(), subnet)
}

async fn subnet(server: &Server, network: &str, cidr: &str, published: bool) -> String {
    let version = if cidr.contains(':') { 6 } else { 4 };
    let subnet = json!({"network_id": network, "ip_version": version, "cidr": cidr, "dns_publish_fixed_ip": published});
    text(&server.post("/subnets", json!({ "subnet": subnet })).await.expect(201), "id").to_owned()
}

async fn port(server: &Server, network: &str, name: &str, address: &str) -> Value {
    let port = json!({"network_id": network, "dns_name": name, "fixed_ips": [{"ip_address": address}]});
    as_me(server, Method::POST, "/ports", json!({ "port": port })).await.expect(201)
}

#[tokio::test]
async fn a_name_goes_out_with_the_callers_token_and_its_addresses_with_the_servers() {
    let dns = designate().await;
    let server = server(&dns.address).await;
    let (network, _) = network(&server, json!({}), "10.0.1.0/24").await;
    subnet(&server, &network, "2001:db8::/64", false).await;
    let port = json!({"network_id": network, "dns_name": "vm1", "fixed_ips": [{"ip_address": "10.0.1.5"}, {"ip_address": "2001:db8::5"}]});
    let port = as_me(&server, Method::POST, "/ports", json!({ "port": port })).await.expect(201);
    assert_eq!(port["dns_assignment"][0]["fqdn"], "vm1.net.org.");
    let v6 = "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.";
    let all = ["A vm1.net.org. 10.0.1.5", "AAAA vm1.net.org. 2001:db8::5", "PTR 5.1.0.10.in-addr.arpa. vm1.net.org."];
    let mut all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    all.push(format!("PTR {v6} vm1.net.org."));
    all.sort();
    assert_eq!(dns.with(|dns| dns.shown()), all);
    for asked in dns.take().iter().filter(|asked| asked.method == "POST") {
        let (token, managed) = (asked.header("x-auth-token"), asked.header("x-designate-edit-managed-records"));
        let reverse = asked.body.to_string().contains("arpa");
        assert_eq!((token, managed), if reverse { ("own", "true") } else { ("me", "") }, "{asked:?}");
    }
    // All of it goes with the port; the reverse zones stay.
    as_me(&server, Method::DELETE, &format!("/ports/{}", text(&port, "id")), Value::Null).await.expect(204);
    assert_eq!(dns.with(|dns| dns.shown().concat().trim().to_owned()), "");
    assert_eq!(dns.with(|dns| dns.zones.len()), 4);
}

#[tokio::test]
async fn names_are_of_use_only_where_the_operator_connected_the_network() {
    let dns = designate().await;
    let server = server(&dns.address).await;
    let vlan = |id: i64| json!({"provider:network_type": "vlan", "provider:segmentation_id": id});
    for (at, (more, is_published)) in [
        (vlan(150), false),
        (vlan(250), true),
        (json!({"provider:network_type": "vxlan", "provider:physical_network": null, "provider:segmentation_id": 7}), false),
        (json!({"provider:network_type": "vxlan", "provider:physical_network": null, "provider:segmentation_id": 7000}), true),
        (json!({"provider:network_type": "local", "provider:physical_network": null}), false),
        (json!({"router:external": true}), false),
    ]
    .into_iter()
    .enumerate()
    {
        let (network, _) = network(&server, more.clone(), &format!("10.0.{at}.0/24")).await;
        let port = port(&server, &network, &format!("vm{at}"), &format!("10.0.{at}.9")).await;
        assert_eq!(port["dns_name"], format!("vm{at}"));
        let told = dns.take().iter().any(|asked| asked.method == "POST");
        assert_eq!(told, is_published, "{more}");
        let fqdn = format!("vm{at}.{}", if is_published { "net.org." } else { "inside.org." });
        assert_eq!(port["dns_assignment"][0]["fqdn"], fqdn);
        as_me(&server, Method::DELETE, &format!("/ports/{}", text(&port, "id")), Value::Null).await.expect(204);
        assert_eq!(dns.take().iter().any(|asked| asked.method == "DELETE"), is_published, "{more}");
    }
}

#[tokio::test]
async fn of_a_subnet_that_is_published_only_its_addresses_are() {
    let dns = designate().await;
    let server = server_with(&dns.address, &[("designate", "allow_reverse_dns_lookup", "false")]).await;
    let tenant = json!({"provider:network_type": "vxlan", "provider:physical_network": null, "provider:segmentation_id": 8});
    let (network, _) = network(&server, tenant, "10.0.0.0/24").await;
    subnet(&server, &network, "10.1.0.0/24", true).await;
    let port = json!({"network_id": network, "dns_name": "vm1", "dns_domain": "example.org.",
        "fixed_ips": [{"ip_address": "10.0.0.5"}, {"ip_address": "10.1.0.5"}]});
    as_me(&server, Method::POST, "/ports", json!({ "port": port })).await.expect(201);
    assert_eq!(dns.with(|dns| dns.shown()), ["A vm1.example.org. 10.1.0.5"]);
}

#[tokio::test]
async fn the_service_follows_name_domain_and_addresses() {
    let dns = designate().await;
    let server = server_with(&dns.address, &[("designate", "allow_reverse_dns_lookup", "false")]).await;
    let (network, _) = network(&server, json!({}), "10.0.1.0/24").await;
    let port = port(&server, &network, "vm1", "10.0.1.5").await;
    let path = format!("/ports/{}", text(&port, "id"));
    let change = async |change: Value| {
        dns.take();
        as_me(&server, Method::PUT, &path, json!({ "port": change })).await.expect(200);
        let shown = dns.with(|dns| dns.shown().into_iter().filter(|line| line.len() > 2).collect::<Vec<_>>());
        (shown.join(";"), dns.take().len())
    };
    assert_eq!(change(json!({"dns_name": "vm2"})).await.0, "A vm2.net.org. 10.0.1.5");
    assert_eq!(change(json!({"dns_domain": "example.org."})).await.0, "A vm2.example.org. 10.0.1.5");
    assert_eq!(change(json!({"fixed_ips": [{"ip_address": "10.0.1.6"}]})).await.0, "A vm2.example.org. 10.0.1.6");
    // What changes nothing of it is no matter of the service's.
    assert_eq!(change(json!({"dns_name": "vm2", "fixed_ips": [{"ip_address": "10.0.1.6"}]})).await.1, 0);
    assert_eq!(change(json!({"name": "x"})).await.1, 0);
    assert_eq!(change(json!({"dns_name": ""})).await.0, "");
    let row = server.count("SELECT count(*) FROM portdnses WHERE current_dns_name = '' AND previous_dns_name = 'vm2'").await;
    assert_eq!(row, 1);
    assert_eq!(change(json!({"fixed_ips": [{"ip_address": "10.0.1.7"}]})).await.1, 0);
}

#[tokio::test]
async fn a_port_does_not_depend_on_the_service() {
    let dns = designate().await;
    let server = server(&dns.address).await;
    let (network, _) = network(&server, json!({}), "10.0.1.0/24").await;
    // Its zone is another's; the quota is used up; the name is taken; it fails.
    for (at, (domain, refusals)) in
        [("nobody.org.", vec![]), ("net.org.", vec![413]), ("net.org.", vec![409]), ("net.org.", vec![500])].into_iter().enumerate()
    {
        dns.with(|dns| dns.refusals = refusals);
        let port = json!({"network_id": network, "dns_name": format!("vm{at}"), "dns_domain": domain});
        let port = as_me(&server, Method::POST, "/ports", json!({ "port": port })).await.expect(201);
        dns.with(|dns| dns.refusals = vec![500; 5]);
        as_me(&server, Method::DELETE, &format!("/ports/{}", text(&port, "id")), Value::Null).await.expect(204);
        dns.with(|dns| dns.refusals.clear());
    }
    // Somebody without a token: the server asks itself, with the sight of all projects.
    let port = json!({"network_id": network, "dns_name": "vm9", "fixed_ips": [{"ip_address": "10.0.1.9"}]});
    server.post("/ports", json!({ "port": port })).await.expect(201);
    assert!(dns.with(|dns| dns.shown()).contains(&"A vm9.net.org. 10.0.1.9".to_owned()));
}

#[tokio::test]
async fn an_administrator_withdraws_what_is_anothers_and_the_server_what_is_managed() {
    let dns = designate().await;
    let server = server(&dns.address).await;
    let (network, _) = network(&server, json!({}), "10.0.1.0/24").await;
    let [first, second] = [port(&server, &network, "vm1", "10.0.1.5").await, port(&server, &network, "vm2", "10.0.1.6").await];
    dns.with(|dns| dns.managed = true);
    as_me(&server, Method::DELETE, &format!("/ports/{}", text(&second, "id")), Value::Null).await.expect(204);
    assert!(!dns.with(|dns| dns.shown()).iter().any(|line| line.contains("vm2")));
    dns.take();
    dns.with(|dns| dns.managed = false);
    let own = format!("/ports/{}", text(&first, "id"));
    server.send(Method::DELETE, &own, "", &[("x-auth-token", "admin")]).await.expect(204);
    assert!(!dns.with(|dns| dns.shown()).iter().any(|line| line.contains("vm1")));
    let asked = dns.take();
    let deletion = asked.iter().find(|asked| asked.method == "DELETE").unwrap();
    assert_eq!((deletion.header("x-auth-token"), deletion.header("x-auth-all-projects")), ("admin", "true"));
}

async fn outside(server: &Server) -> (String, String) {
    let (external, subnet) = network(server, json!({"router:external": true, "dns_domain": ""}), "192.0.2.0/24").await;
    let router = json!({"name": "r", "external_gateway_info": {"network_id": external}});
    let router = server.post("/routers", json!({ "router": router })).await.expect(201);
    let inside = json!({"provider:network_type": "vxlan", "provider:physical_network": null, "provider:segmentation_id": 9});
    let (inside, inside_subnet) = network(server, inside, "10.0.0.0/24").await;
    let plug = json!({ "subnet_id": inside_subnet });
    let path = format!("/routers/{}/add_router_interface", text(&router, "id"));
    assert_eq!(server.put(&path, plug).await.status, 200);
    let _ = subnet;
    (external, inside)
}

#[tokio::test]
async fn floating_ips_are_known_by_their_own_name_or_that_of_the_port() {
    let dns = designate().await;
    let server = server_with(&dns.address, &[("designate", "allow_reverse_dns_lookup", "false")]).await;
    let (external, inside) = outside(&server).await;
    let shown = || dns.with(|dns| dns.shown().into_iter().filter(|line| line.len() > 2).collect::<Vec<_>>().join(";"));
    let named =
        json!({"floating_network_id": external, "floating_ip_address": "192.0.2.50", "dns_name": "www", "dns_domain": "example.org."});
    let half = json!({"floating_network_id": external, "dns_name": "www"});
    as_me(&server, Method::POST, "/floatingips", json!({ "floatingip": half })).await.refused(400, "BadRequest");
    let half = json!({"floating_network_id": external, "dns_domain": "example.org."});
    as_me(&server, Method::POST, "/floatingips", json!({ "floatingip": half })).await.refused(400, "BadRequest");
    let own = as_me(&server, Method::POST, "/floatingips", json!({ "floatingip": named })).await.expect(201);
    assert_eq!((&own["dns_name"], &own["dns_domain"]), (&json!("www"), &json!("example.org.")));
    assert_eq!(shown(), "A www.example.org. 192.0.2.50");
    let path = format!("/floatingips/{}", text(&own, "id"));
    let one = port(&server, &inside, "one", "10.0.0.11").await;
    let two = port(&server, &inside, "two", "10.0.0.12").await;
    // Its own name stays, whatever the port is called.
    as_me(&server, Method::PUT, &path, json!({"floatingip": {"port_id": one["id"]}})).await.expect(200);
    assert_eq!(shown(), "A www.example.org. 192.0.2.50");
    as_me(&server, Method::DELETE, &path, Value::Null).await.expect(204);
    assert_eq!(shown(), "");
    // One without a name follows the port.
    let plain = json!({"floating_network_id": external, "floating_ip_address": "192.0.2.51", "port_id": one["id"]});
    let plain = as_me(&server, Method::POST, "/floatingips", json!({ "floatingip": plain })).await.expect(201);
    assert_eq!((shown().as_str(), &plain["dns_name"]), ("A one.net.org. 192.0.2.51", &json!("")));
    let path = format!("/floatingips/{}", text(&plain, "id"));
    as_me(&server, Method::PUT, &path, json!({"floatingip": {"port_id": two["id"]}})).await.expect(200);
    assert_eq!(shown(), "A two.net.org. 192.0.2.51");
    as_me(&server, Method::DELETE, &format!("/ports/{}", text(&two, "id")), Value::Null).await.expect(204);
    assert_eq!((shown().as_str(), server.count("SELECT count(*) FROM floatingipdnses").await), ("", 0));
}

#[tokio::test]
async fn a_floating_ip_whose_name_finds_no_room_is_not_made() {
    let dns = designate().await;
    let server = server(&dns.address).await;
    let (external, _) = outside(&server).await;
    let ports = server.count("SELECT count(*) FROM ports").await;
    let named = |domain: &str| json!({"floatingip": {"floating_network_id": external, "dns_name": "www", "dns_domain": domain}});
    dns.with(|dns| dns.refusals = vec![413]);
    as_me(&server, Method::POST, "/floatingips", named("example.org.")).await.refused(409, "ExternalDNSOverQuota");
    // It answers too late.
    *dns.delay.lock().unwrap() = Duration::from_secs(5);
    as_me(&server, Method::POST, "/floatingips", named("example.org.")).await.refused(503, "HTTPServiceUnavailable");
    *dns.delay.lock().unwrap() = Duration::ZERO;
    assert_eq!(server.count("SELECT count(*) FROM floatingips").await, 0);
    assert_eq!(server.count("SELECT count(*) FROM ports").await, ports);
    // A domain that is not there, or a name that is, is only in the log, as in Neutron.
    as_me(&server, Method::POST, "/floatingips", named("nobody.org.")).await.expect(201);
    dns.with(|dns| dns.refusals = vec![409]);
    as_me(&server, Method::POST, "/floatingips", named("example.org.")).await.expect(201);
}

#[tokio::test]
async fn nobody_waits_long_for_a_service_that_is_away() {
    let server = server("127.0.0.1:1").await;
    let (network, _) = network(&server, json!({}), "10.0.1.0/24").await;
    let begin = std::time::Instant::now();
    let port = port(&server, &network, "vm1", "10.0.1.5").await;
    as_me(&server, Method::DELETE, &format!("/ports/{}", text(&port, "id")), Value::Null).await.expect(204);
    assert!(begin.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn keywords_stand_for_the_caller() {
    let dns = designate().await;
    dns.with(|dns| dns.zones.push((format!("{}.org.", "fake_project_id"), "me".to_owned())));
    let options = [("ml2", "extension_drivers", "port_security,dns_domain_keywords"), ("designate", "allow_reverse_dns_lookup", "false")];
    let server = server_with(&dns.address, &options).await;
    let (network, _) = network(&server, json!({"dns_domain": "<project_id>.org."}), "10.0.1.0/24").await;
    let port = port(&server, &network, "vm1", "10.0.1.5").await;
    assert_eq!(dns.with(|dns| dns.shown()), ["A vm1.fake_project_id.org. 10.0.1.5"]);
    assert_eq!(port["dns_assignment"][0]["fqdn"], "vm1.fake_project_id.org.");
}

#[test]
fn what_does_not_suffice_stops_the_start() {
    let refused = |options: &[(&str, &str, &str)]| {
        let mut builder = neutrino_core::Builder::default();
        let config = neutrino_testing::config(options);
        neutrino_services::designate::register(&mut builder, &config).unwrap_err()
    };
    let driver = ("DEFAULT", "external_dns_driver", "designate");
    let url = ("designate", "url", "http://127.0.0.1:9001/v2");
    assert!(refused(&[("DEFAULT", "external_dns_driver", "bind")]).contains("designate"));
    assert!(refused(&[driver]).contains("url"));
    assert!(refused(&[driver, url]).contains("auth_type"));
    let no_reverse = ("designate", "allow_reverse_dns_lookup", "false");
    let set = |name, value| refused(&[driver, url, no_reverse, ("designate", name, value)]);
    let with_token = [driver, url, no_reverse, ("designate", "auth_type", "token"), ("designate", "auth_url", "http://127.0.0.1:1")];
    assert!(refused(&with_token).contains("auth_type"));
    assert!(set("split_loggers", "true").contains("split_loggers"));
    assert!(set("tls_ciphers", "ALL").contains("tls_ciphers"));
    assert!(set("timeout", "soon").contains("timeout"));
}
