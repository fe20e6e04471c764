// SPDX-License-Identifier: Apache-2.0
//! A server for tests: the real API over a real database, called in process.
//!
//! Each [`Server`] has a database of its own ([`store`]).

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a harness for tests: a failure here is a failed test")]

pub mod bus;
pub mod contract;
pub mod store;

use std::sync::{Arc, atomic::Ordering};

use http::Method;
use neutrino_api::{
    app::{App as _, Identity, Request},
    dispatch::{Api, ApiOptions},
};
use neutrino_core::{Builder, Engine};
use oslo_config::Config;
use serde_json::Value;
use store::Store;

/// The project of requests, unless a test says otherwise; that of Neutron's own `noauth`.
pub const PROJECT: &str = "fake_project_id";

/// Every service plugin that is served.
pub const SERVICE_PLUGINS: &str =
    "router,metering,qos,log,local_ip,trunk,evpn,ovn-bgp,pvlan,port_forwarding,conntrack_helper,ndp_proxy,segments,network_segment_range";

/// Options that turn everything on.
const FULL: &[(&str, &str, &str)] = &[
    ("DEFAULT", "service_plugins", SERVICE_PLUGINS),
    ("neutrino", "external_gateway_multihoming", "true"),
    ("ml2", "project_network_types", "vxlan"),
    ("ml2", "mechanism_drivers", "openvswitch"),
    ("ml2_type_vxlan", "vni_ranges", "1:2000"),
    ("ml2_type_geneve", "vni_ranges", "2001:2100"),
    ("ml2_type_gre", "tunnel_id_ranges", "1:100"),
    ("ml2_type_vlan", "network_vlan_ranges", "physnet1:100:200"),
    (
        "ml2",
        "extension_drivers",
        "port_security,qos,data_plane_status,subnet_dns_publish_fixed_ip,uplink_status_propagation,uplink_status_propagation_updatable,\
         port_device_profile,port_numa_affinity_policy,port_hints,port_hint_ovs_tx_steering,port_trusted,port_hardware_offload_type,\
         tag_ports_during_bulk_creation",
    ),
];

/// No limits, unless a test sets some: tests make many objects.
const UNLIMITED: &[(&str, &str, &str)] = &[
    ("quotas", "quota_network", "-1"),
    ("quotas", "quota_subnet", "-1"),
    ("quotas", "quota_port", "-1"),
    ("quotas", "quota_rbac_policy", "-1"),
    ("quotas", "quota_security_group", "-1"),
    ("quotas", "quota_security_group_rule", "-1"),
    ("quotas", "quota_router", "-1"),
    ("quotas", "quota_floatingip", "-1"),
];

/// A configuration of these options, with all that features declare.
#[must_use]
pub fn config(options: &[(&str, &str, &str)]) -> Config {
    let tables = [
        &[neutrino_core::plugins::OPTIONS, neutrino_core::policy::OPTIONS][..],
        neutrino_ml2::OPTIONS,
        neutrino_services::OPTIONS,
        neutrino_l3::OPTIONS,
    ];
    Config::for_test(&tables.concat(), options).unwrap()
}

/// An answer: status, headers and the body as JSON (null when it is empty or no JSON).
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The `type` of the error body.
    #[must_use]
    pub fn error(&self) -> &str {
        self.body["NeutronError"]["type"].as_str().unwrap_or_default()
    }

    /// Fails the test unless the status is this; gives the one object in the body.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        match self.body {
            Value::Object(mut map) if map.len() == 1 => map.values_mut().next().map(Value::take).unwrap_or_default(),
            body => body,
        }
    }

    /// Fails the test unless the answer is a page of this many rows.
    #[track_caller]
    pub fn expect_rows(&self, collection: &str, count: usize) {
        assert_eq!(self.status, 200, "{}", self.text);
        assert_eq!(self.body[collection].as_array().map(Vec::len), Some(count), "{}", self.text);
    }

    /// Fails the test unless the answer is this error.
    #[track_caller]
    pub fn refused(self, status: u16, kind: &str) {
        assert_eq!((self.status, self.error()), (status, kind), "{}", self.text);
    }
}

/// What the server draws at random (addresses, MACs, ids) is the same in each run, so that a test which names an address of its own meets the same
/// allocated ones: it passes always or never. `NEUTRINO_TEST_SEED=N` draws others.
fn seed() {
    let row = std::env::var("NEUTRINO_TEST_SEED").ok().and_then(|row| row.parse().ok());
    neutrino_core::context::seed_for_tests(row.unwrap_or(1));
}

/// The API with a database of its own.
pub struct Server {
    pub engine: Arc<Engine>,
    /// What agents were told.
    pub bus: Arc<bus::Recorder>,
    api: Arc<Api>,
    store: Store,
}

impl Server {
    /// With Neutron's defaults.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// With every extension driver and type driver on: all that there is.
    pub async fn full() -> Self {
        Self::with(FULL).await
    }

    /// With options set: `("ml2_type_vlan", "network_vlan_ranges", "physnet1:100:110")`.
    pub async fn with(options: &[(&str, &str, &str)]) -> Self {
        Self::open(Store::make().await, options).await
    }

    async fn open(store: Store, options: &[(&str, &str, &str)]) -> Self {
        seed();
        let set = |name: &str| options.iter().any(|(group, known, _)| (*group, *known) == ("quotas", name));
        let limits = UNLIMITED.iter().filter(|(_, name, _)| !set(name));
        let options: Vec<_> = limits.chain(options).copied().collect();
        let config = config(&options);
        let db = store.connect().await;
        let mut builder = Builder::default();
        neutrino_ml2::register(&mut builder, &config).unwrap();
        neutrino_l3::register(&mut builder, &config).unwrap();
        neutrino_services::register(&mut builder, &config).unwrap();
        neutrino_ovo::register(&mut builder);
        let bus = Arc::new(bus::Recorder::default());
        builder.service(Arc::new(neutrino_core::rpc::BusService(bus.clone())));
        let registry = builder.build().unwrap();
        let (source, rules) = neutrino_core::policy::from_config(&config).unwrap();
        let remote = neutrino_core::policy::Remote::from_config(&config).unwrap();
        let policy = neutrino_core::Policy::start(&registry, source, rules, remote).unwrap();
        let engine = Arc::new(Engine::new(db, registry, policy));
        engine.start().await.unwrap();
        let api = Arc::new(Api::new(engine.clone(), ApiOptions::default()));
        Self { engine, bus, api, store }
    }

    /// The same database with another server process's worth of memory.
    pub async fn restart(self, options: &[(&str, &str, &str)]) -> Self {
        self.engine.db.close().await;
        Self::open(self.store, options).await
    }

    /// Sends a request as an administrator in [`PROJECT`] who is a service, too: some rules ask for that alone.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Vec<u8>>, headers: &[(&'static str, &str)]) -> Answer {
        let identity =
            Identity { project_id: Some(PROJECT.to_owned()), roles: vec!["service".to_owned()], ..Identity::default() }.elevated();
        self.send_as(identity, method, path, body, headers).await
    }

    pub async fn send_as(
        &self,
        identity: Identity,
        method: Method,
        path: &str,
        body: impl Into<Vec<u8>>,
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut request = Request::new(method, path, body.into());
        request.script_name = "/v2.0".to_owned();
        request.info.identity = identity;
        for (name, value) in headers {
            request.headers.append(*name, value.parse().unwrap());
        }
        let response = self.api.call(request).await;
        let text = String::from_utf8(response.body.to_vec()).expect("a body that is text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answer { status: response.status.as_u16(), headers: response.headers, body, text }
    }

    /// Paths are what follows `/v2.0`: `/networks`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, "", &[]).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body.to_string(), &[]).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, body.to_string(), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, "", &[]).await
    }

    /// A call of an agent, as the RPC server would pass it on: topic, namespace and version choose the method.
    ///
    /// # Panics
    /// When no endpoint serves it.
    pub async fn rpc(&self, topic: &str, version: &str, method: &str, args: Value) -> neutrino_types::Result<Value> {
        // Only these topics have a namespace, which is their own name.
        let namespace = ["trunk", "logging-plugin"].contains(&topic).then_some(topic);
        let endpoints = self.engine.registry.rpc().iter().copied();
        let handler = neutrino_core::rpc::find(endpoints, topic, namespace, version, method)
            .unwrap_or_else(|error| panic!("{topic} {version} {method}: {error:?}"));
        let cx = neutrino_core::Context::internal("req-agent");
        let args = args.as_object().cloned().unwrap_or_default();
        handler(&self.engine, &cx, &args).await
    }

    /// Sends the versioned objects that wait, as a server's worker does: the oldest first, all that agents were told meanwhile left out.
    pub async fn pushes(&self) -> Vec<neutrino_core::rpc::Message> {
        self.engine.registry.service::<neutrino_ovo::Pusher>().unwrap().flush(&self.engine).await.unwrap();
        self.bus.take_method("push")
    }

    /// Statements run so far, for tests that count them: take the difference around one request.
    #[must_use]
    pub fn statements(&self) -> u64 {
        self.engine.db.stats().statements.load(Ordering::Relaxed)
    }

    /// What violates an invariant of a feature, as `name: example`.
    pub async fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        for invariant in self.engine.registry.invariants() {
            let rows = self.engine.db.reader().await.unwrap().query(invariant.violations, vec![]).await.unwrap();
            found.extend(rows.iter().take(3).map(|row| format!("{}: {:?}", invariant.name, row.opt_text(0))));
        }
        found
    }

    /// Runs SQL that changes the database behind the server's back, as another program would.
    pub async fn sql(&self, text: &str) {
        let mut tx = self.engine.db.begin().await.unwrap();
        tx.execute_raw(text).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// The number that a count gives.
    pub async fn count(&self, text: &str) -> i64 {
        self.engine.db.reader().await.unwrap().count(text, vec![]).await.unwrap()
    }
}
