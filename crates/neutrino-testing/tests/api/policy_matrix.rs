// SPDX-License-Identifier: Apache-2.0
//! Every kind of caller × every operation × own, shared and foreign objects, over the API.
//!
//! What was observed is written to the file that `NEUTRINO_POLICY_OBSERVATIONS` names, for `scripts/policy-matrix`, which asks the real
//! oslo.policy about each; without it the test checks only what holds for any rules.

use http::Method;
use neutrino_api::app::Identity;
use neutrino_testing::Server;
use serde_json::{Map, Value, json};

/// A kind of object: its collection, and what makes one. `{network}`, `{subnet}`, `{group}` stand for the fixtures of the same ownership.
struct Kind {
    collection: &'static str,
    path: &'static str,
    create: Value,
    update: Value,
    /// How `create` looks for an object that everybody may use, if there is such a thing.
    shared: Option<Value>,
    /// The type of the RBAC policy that shares it, where `shared` is not enough.
    rbac: Option<&'static str>,
}

fn kinds() -> Vec<Kind> {
    let plain = |collection, path, create: Value, shared: Option<Value>, rbac| Kind {
        collection,
        path,
        create,
        update: json!({"name": "changed"}),
        shared,
        rbac,
    };
    let yes = || Some(json!({"shared": true}));
    vec![
        plain("networks", "networks", json!({"name": "n"}), yes(), None),
        plain("subnets", "subnets", json!({"network_id": "{network}", "ip_version": 4, "cidr": "10.0.{n}.0/24"}), Some(json!({})), None),
        plain("ports", "ports", json!({"network_id": "{network}"}), Some(json!({})), None),
        plain("subnetpools", "subnetpools", json!({"name": "p", "prefixes": ["10.0.0.0/16"]}), yes(), None),
        plain("address_scopes", "address-scopes", json!({"name": "s", "ip_version": 4}), yes(), None),
        plain("address_groups", "address-groups", json!({"name": "g", "addresses": []}), None, Some("address_group")),
        plain("security_groups", "security-groups", json!({"name": "g"}), None, Some("security_group")),
        Kind {
            update: json!({}),
            ..plain(
                "security_group_rules",
                "security-group-rules",
                json!({"security_group_id": "{group}", "direction": "ingress", "protocol": "tcp", "port_range_min": "{n}", "port_range_max": "{n}"}),
                None,
                None,
            )
        },
    ]
}

/// Values that a create may set to something else than the default.
fn chosen(collection: &str) -> Value {
    match collection {
        "networks" => json!({"shared": true, "router:external": true, "port_security_enabled": false, "provider:network_type": "vxlan"}),
        "ports" => json!({"device_id": "d", "device_owner": "network:dhcp", "mac_address": "fa:16:3e:00:01:{x}",
            "fixed_ips": [{"subnet_id": "{subnet}"}], "port_security_enabled": false, "binding:host_id": "h",
            "binding:profile": {"a": 1}, "binding:vnic_type": "direct", "allowed_address_pairs": [{"ip_address": "10.99.0.1"}]}),
        "subnetpools" | "address_scopes" => json!({"shared": true}),
        _ => json!({}),
    }
}

fn callers() -> Vec<(&'static str, Identity)> {
    let by = |project: Option<&str>, roles: &[&str]| Identity {
        user_id: Some("u".to_owned()),
        project_id: project.map(str::to_owned),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Identity::default()
    };
    let system = |roles: &[&str]| Identity { system_scope: Some("all".to_owned()), ..by(None, roles) };
    vec![
        ("nobody", by(Some("a"), &[])),
        ("reader", by(Some("a"), &["reader"])),
        ("member", by(Some("a"), &["member", "reader"])),
        ("manager", by(Some("a"), &["manager", "member", "reader"])),
        ("admin", by(Some("a"), &["admin", "manager", "member", "reader"])),
        ("service", by(Some("services"), &["service"])),
        ("member of another project", by(Some("b"), &["member", "reader"])),
        ("admin of the system", system(&["admin", "member", "reader"])),
        ("reader of the system", system(&["reader"])),
        ("nobody at all", Identity { is_admin: Some(false), ..Identity::default() }),
    ]
}

struct Fixture {
    ownership: &'static str,
    project: &'static str,
    network: Value,
    subnet: String,
    group: Value,
}

struct Matrix {
    server: Server,
    serial: u32,
    seen: Vec<Value>,
}

impl Matrix {
    /// Fills in the places of a body.
    fn body(&mut self, template: &Value, at: &Fixture) -> Value {
        self.serial += 1;
        let text = template.to_string();
        let text = text.replace("{network}", at.network["id"].as_str().unwrap()).replace("{subnet}", &at.subnet);
        let text = text.replace("{group}", at.group["id"].as_str().unwrap());
        serde_json::from_str(&text.replace("{x}", &format!("{:02x}", self.serial % 256)).replace("{n}", &(self.serial % 250).to_string()))
            .unwrap()
    }

    async fn make(&mut self, kind: &Kind, at: &Fixture) -> Value {
        let mut body = self.body(&kind.create, at);
        body["project_id"] = json!(at.project);
        if at.ownership == "shared" {
            body.as_object_mut().unwrap().extend(kind.shared.clone().and_then(|v| v.as_object().cloned()).unwrap_or_default());
        }
        let made = self.server.post(&format!("/{}", kind.path), json!({ member(kind.collection): body })).await.expect(201);
        if let Some(object_type) = kind.rbac.filter(|_| at.ownership == "shared") {
            let policy = json!({"object_type": object_type, "object_id": made["id"], "target_tenant": "*", "action": "access_as_shared",
                "project_id": at.project});
            self.server.post("/rbac-policies", json!({ "rbac_policy": policy })).await.expect(201);
        }
        let mut object = self.server.get(&format!("/{}/{}", kind.path, made["id"].as_str().unwrap())).await.expect(200);
        if kind.rbac.is_some() {
            // Some keep it to themselves.
            object["shared"] = json!(at.ownership == "shared");
        }
        object
    }

    /// What a rule sees of an object beside its own attributes.
    fn target(object: &Value, at: &Fixture) -> Value {
        let mut target = object.clone();
        if target.get("network_id").is_some() {
            target["network:project_id"] = at.network["project_id"].clone();
            target["networks:shared"] = at.network["shared"].clone();
        }
        if target.get("security_group_id").is_some() {
            target["security_group:project_id"] = at.group["project_id"].clone();
        }
        target
    }

    #[expect(clippy::too_many_arguments, reason = "one observation")]
    async fn observe(
        &mut self,
        who: &(&str, Identity),
        verb: &str,
        kind: &Kind,
        method: Method,
        path: &str,
        set: &Value,
        target: Value,
        at: &Fixture,
    ) -> u16 {
        let request = if set.is_null() { String::new() } else { json!({ member(kind.collection): set }).to_string() };
        let answer = self.server.send_as(who.1.clone(), method, path, request, &[]).await;
        assert!(answer.status < 500, "{} {verb} {path} {set}: {}", who.0, answer.text);
        let enforced: Vec<&str> = self
            .server
            .engine
            .registry
            .entry(kind.collection)
            .unwrap()
            .table
            .attributes
            .iter()
            .filter(|a| a.enforce_policy)
            .map(|a| a.name)
            .collect();
        let asked: Map<String, Value> = set
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| enforced.contains(&name.as_str()))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        self.seen.push(json!({
            "who": who.0, "ownership": at.ownership, "path": path, "verb": verb, "member": member(kind.collection), "set": asked, "target": target,
            "status": answer.status, "type": answer.error(),
            "creds": {"user_id": who.1.user_id, "project_id": who.1.project_id, "roles": who.1.roles, "system_scope": who.1.system_scope,
                "tenant_id": who.1.project_id, "is_admin": who.1.roles.iter().any(|r| r == "admin"), "service_roles": [], "domain_id": null},
        }));
        answer.status
    }

    async fn one(&mut self, kind: &Kind, at: &Fixture) {
        let mut object = self.make(kind, at).await;
        for who in callers() {
            let member_path = |object: &Value| format!("/{}/{}", kind.path, object["id"].as_str().unwrap());
            let target = Self::target(&object, at);
            self.observe(&who, "get", kind, Method::GET, &member_path(&object), &Value::Null, target.clone(), at).await;
            let mut sets = vec![kind.update.clone()];
            let table = self.server.engine.registry.entry(kind.collection).unwrap().table.clone();
            for attribute in table.attributes.iter().filter(|a| a.enforce_policy && a.put) {
                if let Some(value) = object.get(attribute.name).filter(|value| !value.is_null()) {
                    sets.push(json!({ attribute.name: value }));
                }
            }
            for set in sets.iter().filter(|_| table.resource.methods.update && kind.update != json!({})) {
                let mut merged = target.clone();
                merged.as_object_mut().unwrap().extend(set.as_object().cloned().unwrap());
                self.observe(&who, "update", kind, Method::PUT, &member_path(&object), set, merged, at).await;
            }
            if self.observe(&who, "delete", kind, Method::DELETE, &member_path(&object), &Value::Null, target, at).await == 204 {
                object = self.make(kind, at).await;
            }
            if at.ownership != "own" || who.1.project_id.is_none() {
                continue;
            }
            let mut wanted = vec![json!({})];
            wanted.extend(chosen(kind.collection).as_object().into_iter().flatten().map(|(name, value)| json!({ name: value })));
            for choice in wanted {
                let mut template = kind.create.clone();
                template.as_object_mut().unwrap().extend(choice.as_object().cloned().unwrap());
                let body = self.body(&template, at);
                let mut target = Self::target(&body, at);
                target["project_id"] = json!(who.1.project_id);
                target["tenant_id"] = json!(who.1.project_id);
                for (name, default) in table.attributes.iter().filter_map(|a| a.default.value().map(|v| (a.name, v))) {
                    if target.get(name).is_none() {
                        target[name] = default;
                    }
                }
                self.observe(&who, "create", kind, Method::POST, &format!("/{}", kind.path), &body, target, at).await;
            }
        }
    }
}

fn member(collection: &str) -> &str {
    collection.strip_suffix('s').unwrap_or(collection)
}

#[tokio::test]
async fn every_caller_every_operation_every_ownership() {
    let server = Server::full().await;
    let mut matrix = Matrix { server, serial: 0, seen: Vec::new() };
    for (ownership, project) in [("own", "a"), ("shared", "c"), ("foreign", "c")] {
        let body = json!({"network": {"project_id": project, "shared": ownership == "shared"}});
        let network = matrix.server.post("/networks", body).await.expect(201);
        let subnet = json!({"subnet": {"project_id": project, "network_id": network["id"], "ip_version": 4, "cidr": "10.77.0.0/22"}});
        let subnet = matrix.server.post("/subnets", subnet).await.expect(201);
        let group = json!({"security_group": {"name": "g", "project_id": project}});
        let group = matrix.server.post("/security-groups", group).await.expect(201);
        let at = Fixture { ownership, project, network, subnet: subnet["id"].as_str().unwrap().to_owned(), group };
        for kind in kinds() {
            if ownership != "shared" || kind.shared.is_some() || kind.rbac.is_some() {
                matrix.one(&kind, &at).await;
            }
        }
    }
    assert!(matrix.seen.len() > 800, "only {} observations", matrix.seen.len());
    // What holds whatever the rules say: without a role nothing changes, and what is foreign is not there.
    for seen in &matrix.seen {
        let (who, verb) = (seen["who"].as_str().unwrap(), seen["verb"].as_str().unwrap());
        let refused = [400, 403, 404].contains(&seen["status"].as_u64().unwrap());
        let foreign = who == "member of another project" && seen["ownership"] == "foreign" && verb != "create";
        let idle = ["nobody", "nobody at all"].contains(&who) && verb != "get";
        assert!(refused || !(foreign || idle), "{seen}");
    }
    if let Ok(path) = std::env::var("NEUTRINO_POLICY_OBSERVATIONS") {
        std::fs::write(path, serde_json::to_string(&matrix.seen).unwrap()).unwrap();
    }
}
