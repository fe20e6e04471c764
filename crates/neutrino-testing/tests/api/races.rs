// SPDX-License-Identifier: Apache-2.0
//! Sixty-four clients of one project at once, each with a life of its own, on routers, interfaces, gateways, floating IPs, networks of highly
//! available routers and default groups: what is left is whole, and in the end nothing is left.

use futures::future::join_all;
use neutrino_testing::{Answer, Server};
use serde_json::{Value, json};

use crate::{
    floatingips::{Place, check},
    l3_agent_scheduler::agent,
    routers::{network, router, whole},
};

const CLIENTS: usize = 64;

/// What all clients share.
struct World {
    server: Server,
    place: Place,
    /// Networks and subnets that anybody may plug in anywhere.
    inside: Vec<(String, String)>,
    /// Paths.
    routers: Vec<String>,
    outside: Vec<String>,
}

/// A client may be refused, and told so; it may not be failed.
fn fine(answer: Answer) -> Value {
    assert!(matches!(answer.status, 200 | 201 | 204 | 400 | 404 | 409), "{}: {}", answer.status, answer.text);
    let made = answer.status < 300;
    answer.body.as_object().and_then(|body| body.values().next().cloned()).filter(|_| made).unwrap_or_default()
}

impl World {
    async fn new() -> Self {
        let server = Server::full().await;
        for host in ["h1", "h2", "h3"] {
            agent(&server, host, json!({})).await;
        }
        let place = Place::new(&server, neutrino_testing::PROJECT).await;
        let (mut inside, mut routers, mut outside) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..4 {
            inside.push(network(&server, json!({}), &format!("10.1.{n}.0/24")).await);
            routers.push(router(&server, json!({"distributed": n == 0})).await);
        }
        for n in 0..2 {
            outside.push(network(&server, json!({"router:external": true}), &format!("198.51.{n}.0/24")).await.0);
        }
        Self { server, place, inside, routers, outside }
    }

    async fn post(&self, path: &str, key: &str, attributes: Value) -> Option<String> {
        let made = fine(self.server.post(path, json!({ key: attributes })).await);
        Some(format!("{path}/{}", made["id"].as_str()?))
    }

    async fn put(&self, path: &str, body: Value) {
        fine(self.server.put(path, body).await);
    }

    async fn delete(&self, path: &str) {
        fine(self.server.delete(path).await);
    }

    /// A highly available router of one's own.
    async fn highly_available(&self, turns: bool) {
        let Some(path) = self.post("/routers", "router", json!({"ha": true})).await else { return };
        let change = async |attributes: Value| self.put(&path, json!({ "router": attributes })).await;
        if turns {
            change(json!({"admin_state_up": false})).await;
            change(json!({"ha": false})).await;
            change(json!({"ha": true})).await;
        }
        change(json!({"name": "renamed"})).await;
        self.delete(&path).await;
    }

    /// A router of one's own, with a gateway and an interface to a network of all.
    async fn router(&self, n: usize) {
        let gateway = json!({"network_id": self.outside[n % 2]});
        let Some(path) = self.post("/routers", "router", json!({"external_gateway_info": gateway})).await else { return };
        let interface = json!({"subnet_id": self.inside[n % 4].1});
        self.put(&format!("{path}/add_router_interface"), interface.clone()).await;
        self.put(&path, json!({"router": {"external_gateway_info": null}})).await;
        self.put(&format!("{path}/remove_router_interface"), interface).await;
        self.delete(&path).await;
    }

    /// Interfaces and gateways of a router of all.
    async fn shared_router(&self, n: usize) {
        let path = &self.routers[n % 4];
        let interface = json!({"subnet_id": self.inside[(n / 4) % 4].1});
        self.put(&format!("{path}/add_router_interface"), interface.clone()).await;
        let gateway = if n.is_multiple_of(2) { json!({"network_id": self.outside[(n / 2) % 2]}) } else { Value::Null };
        self.put(path, json!({"router": {"external_gateway_info": gateway}})).await;
        self.put(&format!("{path}/remove_router_interface"), interface).await;
    }

    /// A floating IP that moves to a port; one or the other goes first.
    async fn floating_ip(&self, n: usize, at_create: bool) {
        let port = json!({"network_id": self.place.inside, "fixed_ips": [{"subnet_id": self.place.inside_subnet}]});
        let Some(port) = self.post("/ports", "port", port).await else { return };
        let id = port.rsplit('/').next();
        let asked = json!({"floating_network_id": self.place.outside, "port_id": id.filter(|_| at_create)});
        let made = self.post("/floatingips", "floatingip", asked).await;
        if let Some(path) = &made {
            self.put(path, json!({"floatingip": {"port_id": id, "description": format!("of {n}")}})).await;
        }
        if n.is_multiple_of(3) {
            self.delete(&port).await;
        }
        if let Some(path) = &made {
            self.delete(path).await;
        }
        self.delete(&port).await;
    }

    /// The first looks at the default group of a project.
    async fn default_group(&self, project: &str) {
        let look = self.post("/security-groups", "security_group", json!({"name": "own", "project_id": project})).await;
        fine(self.server.get(&format!("/security-groups?project_id={project}")).await);
        if let Some(path) = look {
            self.delete(&path).await;
        }
    }

    async fn client(&self, n: usize, round: usize) {
        match n % 8 {
            0 => self.highly_available(false).await,
            1 => self.highly_available(true).await,
            2 => self.router(n / 8).await,
            3 | 4 => self.shared_router(n / 8 + round).await,
            5 => self.floating_ip(n / 8, false).await,
            6 => self.floating_ip(n / 8, true).await,
            _ => self.default_group(&format!("fresh{round}")).await,
        }
    }

    /// Takes what all shared away again.
    async fn end(&self) {
        let routers = self.routers.iter().chain([&self.place.router]);
        for path in routers {
            let id = path.rsplit('/').next().unwrap();
            self.server.put(path, json!({"router": {"external_gateway_info": null}})).await.expect(200);
            for port in self.server.get(&format!("/ports?device_id={id}")).await.expect(200).as_array().unwrap() {
                fine(self.server.put(&format!("{path}/remove_router_interface"), json!({"port_id": port["id"]})).await);
            }
            assert_eq!(self.server.delete(path).await.status, 204);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_all_kinds_leave_no_orphan_and_no_duplicate() {
    let world = World::new().await;
    for round in 0..2 {
        join_all((0..CLIENTS).map(|n| world.client(n, round))).await;
        whole(&world.server).await;
        check(&world.server).await;
        let left = async |sql: &str| assert_eq!(world.server.count(sql).await, 0, "round {round}: {sql}");
        left("SELECT count(*) FROM ha_router_networks").await;
        left("SELECT count(*) FROM ha_router_vrid_allocations").await;
        left("SELECT count(*) FROM ports WHERE device_owner = 'network:router_ha_interface'").await;
        left("SELECT count(*) FROM floatingips").await;
        let groups = format!("SELECT count(*) FROM securitygroups WHERE project_id = 'fresh{round}'");
        assert_eq!(world.server.count(&groups).await, 1, "round {round}: one default group");
    }
    world.end().await;
    whole(&world.server).await;
    for table in ["routers", "routerports", "ports", "ipallocations"] {
        assert_eq!(world.server.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
}
