// SPDX-License-Identifier: Apache-2.0
//! Aggregates of hosts in Nova (API microversion 2.41, the first that shows their UUIDs).

use std::collections::BTreeSet;

use keystone_auth::{Headers, Service};
use serde_json::{Value, json};

const VERSION: Headers<'static> = &[("x-openstack-nova-api-version", "2.41")];

pub struct Nova(pub Service);

/// One of them.
#[derive(Debug)]
pub struct Aggregate {
    id: i64,
    pub uuid: String,
    hosts: BTreeSet<String>,
}

impl Aggregate {
    fn of(value: &Value) -> Option<Self> {
        let hosts = value["hosts"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Self { id: value["id"].as_i64()?, uuid: value["uuid"].as_str()?.to_owned(), hosts })
    }
}

impl Nova {
    /// An answer of one of `fine`, or of success.
    async fn call(&self, method: &str, path: &str, body: Option<Value>, fine: &[u16]) -> Result<Value, String> {
        let method = method.parse().map_err(|_| format!("no method {method}"))?;
        let body = body.map(|body| body.to_string().into()).unwrap_or_default();
        let (status, answer) = self.0.send(method, path, VERSION, body).await?;
        if (200..300).contains(&status) || fine.contains(&status) {
            return Ok(serde_json::from_slice(&answer).unwrap_or_default());
        }
        Err(format!("Nova answered {status} to {path}"))
    }

    /// # Errors
    /// A sentence for the log.
    pub async fn find(&self, uuid: &str) -> Result<Option<Aggregate>, String> {
        let all = self.call("GET", "/os-aggregates", None, &[]).await?;
        Ok(all["aggregates"].as_array().into_iter().flatten().filter_map(Aggregate::of).find(|known| known.uuid == uuid))
    }

    /// The aggregate of this name, made if there is none.
    ///
    /// # Errors
    /// A sentence for the log.
    pub async fn ensure(&self, name: &str) -> Result<Aggregate, String> {
        let all = self.call("GET", "/os-aggregates", None, &[]).await?;
        let known = all["aggregates"].as_array().into_iter().flatten().find(|known| known["name"] == name).and_then(Aggregate::of);
        if let Some(known) = known {
            return Ok(known);
        }
        let made = self.call("POST", "/os-aggregates", Some(json!({"aggregate": {"name": name, "availability_zone": null}})), &[]).await?;
        Aggregate::of(&made["aggregate"])
            .ok_or_else(|| "Nova shows no UUID of an aggregate: the compute endpoint must be of its API v2.1".to_owned())
    }

    async fn act(&self, aggregate: &Aggregate, action: &str, host: &str) -> Result<(), String> {
        let path = format!("/os-aggregates/{}/action", aggregate.id);
        // 409: it is there already; 404: it is not there, or Nova knows no such host.
        self.call("POST", &path, Some(json!({ action: {"host": host} })), &[404, 409]).await.map(drop)
    }

    /// # Errors
    /// A sentence for the log.
    pub async fn set_hosts(&self, aggregate: &Aggregate, hosts: &BTreeSet<String>) -> Result<(), String> {
        for host in hosts.difference(&aggregate.hosts) {
            self.act(aggregate, "add_host", host).await?;
        }
        for host in aggregate.hosts.difference(hosts) {
            self.act(aggregate, "remove_host", host).await?;
        }
        Ok(())
    }

    /// # Errors
    /// A sentence for the log.
    pub async fn delete(&self, aggregate: &Aggregate) -> Result<(), String> {
        self.set_hosts(aggregate, &BTreeSet::new()).await?;
        self.call("DELETE", &format!("/os-aggregates/{}", aggregate.id), None, &[404]).await.map(drop)
    }
}
