// SPDX-License-Identifier: Apache-2.0
//! Placement's API, as far as it is needed (microversion 1.37).

use std::{collections::BTreeMap, fmt};

use keystone_auth::{Headers, Service};
use serde_json::{Map, Value, json};

const VERSION: Headers<'static> = &[("openstack-api-version", "placement 1.37")];
/// How often a change is made again that met another one.
const TRIES: usize = 10;

/// What Placement says beside yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    NotFound,
    /// Somebody else changed it in between, again and again.
    Raced,
    /// Not possible as things are: not enough is left, or the name is taken.
    Conflict(String),
    /// The consumer has no allocation any more.
    AllocationRemoved,
    /// The consumer has no allocation of this provider.
    NoSuchProvider(String),
    /// No answer, or none that can be used.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("it is not there"),
            Self::Raced => f.write_str("it was changed by others again and again"),
            Self::Conflict(reason) => write!(f, "a conflict: {reason}"),
            Self::AllocationRemoved => f.write_str("the allocation is gone"),
            Self::NoSuchProvider(id) => write!(f, "nothing is allocated of the provider {id}"),
            Self::Other(reason) => f.write_str(reason),
        }
    }
}

pub type Answer<T> = Result<T, Failure>;
/// Changes of a consumer's allocation: by provider and class of resources.
pub type Diff = BTreeMap<String, BTreeMap<&'static str, i64>>;

/// See the module's documentation.
pub struct Client {
    service: Service,
}

fn judge(status: u16, body: &[u8]) -> Answer<Value> {
    if (200..300).contains(&status) {
        return Ok(serde_json::from_slice(body).unwrap_or_default());
    }
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &said["errors"][0];
    let detail: String = error["detail"].as_str().unwrap_or_default().trim().chars().take(300).collect();
    Err(match status {
        404 => Failure::NotFound,
        409 if error["code"] == "placement.concurrent_update" => Failure::Raced,
        409 => Failure::Conflict(detail),
        other => Failure::Other(format!("it answered {other} {detail}")),
    })
}

impl Client {
    pub fn new(service: Service) -> Self {
        Self { service }
    }

    async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer<Value> {
        let method = method.parse().map_err(|_| Failure::Other(format!("no method {method}")))?;
        let body = body.map(|body| body.to_string().into()).unwrap_or_default();
        let (status, answer) = self.service.send(method, path, VERSION, body).await.map_err(Failure::Other)?;
        judge(status, &answer)
    }

    async fn generation(&self, provider: &str) -> Answer<Value> {
        Ok(self.call("GET", &format!("/resource_providers/{provider}"), None).await?["generation"].clone())
    }

    /// Changes a part of a provider from its newest generation.
    async fn change(&self, provider: &str, part: &str, mut body: Value) -> Answer<()> {
        for _ in 0..TRIES {
            body["resource_provider_generation"] = self.generation(provider).await?;
            match self.call("PUT", &format!("/resource_providers/{provider}/{part}"), Some(&body)).await {
                Err(Failure::Raced) => {}
                done => return done.map(drop),
            }
        }
        Err(Failure::Raced)
    }

    /// # Errors
    /// [`Failure::Other`].
    pub async fn has_provider(&self, id: &str) -> Answer<bool> {
        match self.generation(id).await {
            Ok(_) => Ok(true),
            Err(Failure::NotFound) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The id of the provider with this name.
    ///
    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn provider_named(&self, name: &str) -> Answer<String> {
        let name = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
        let found = self.call("GET", &format!("/resource_providers?name={name}"), None).await?;
        found["resource_providers"][0]["uuid"].as_str().map(str::to_owned).ok_or(Failure::NotFound)
    }

    /// Makes a provider, or gives the one with this id its name and parent.
    ///
    /// # Errors
    /// [`Failure::Conflict`] for a name that is taken.
    pub async fn ensure_provider(&self, id: &str, name: &str, parent: Option<&str>) -> Answer<()> {
        let mut body = json!({ "name": name });
        if let Some(parent) = parent {
            body["parent_provider_uuid"] = parent.into();
        }
        match self.call("PUT", &format!("/resource_providers/{id}"), Some(&body)).await {
            Err(Failure::NotFound) => {}
            done => return done.map(drop),
        }
        body["uuid"] = id.into();
        self.call("POST", "/resource_providers", Some(&body)).await.map(drop)
    }

    /// One that is not there is gone.
    ///
    /// # Errors
    /// [`Failure::Conflict`] for a provider that is in use.
    pub async fn delete_provider(&self, id: &str) -> Answer<()> {
        match self.call("DELETE", &format!("/resource_providers/{id}"), None).await {
            Err(Failure::NotFound) => Ok(()),
            done => done.map(drop),
        }
    }

    /// Replaces all that a provider has.
    ///
    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Raced`].
    pub async fn put_inventories(&self, provider: &str, inventories: &Map<String, Value>) -> Answer<()> {
        self.change(provider, "inventories", json!({ "inventories": inventories })).await
    }

    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Raced`].
    pub async fn put_traits(&self, provider: &str, traits: &[String]) -> Answer<()> {
        self.change(provider, "traits", json!({ "traits": traits })).await
    }

    /// Makes a trait known.
    ///
    /// # Errors
    /// [`Failure::Other`].
    pub async fn ensure_trait(&self, name: &str) -> Answer<()> {
        self.call("PUT", &format!("/traits/{name}"), None).await.map(drop)
    }

    /// # Errors
    /// [`Failure::NotFound`].
    pub async fn aggregates(&self, provider: &str) -> Answer<Vec<String>> {
        let found = self.call("GET", &format!("/resource_providers/{provider}/aggregates"), None).await?;
        let ids = found["aggregates"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(ids.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// # Errors
    /// [`Failure::NotFound`], [`Failure::Raced`].
    pub async fn put_aggregates(&self, provider: &str, aggregates: &[&str]) -> Answer<()> {
        self.change(provider, "aggregates", json!({ "aggregates": aggregates })).await
    }

    /// Adds to what is allocated to a consumer, and takes from it.
    ///
    /// # Errors
    /// [`Failure::Conflict`] when so much is not left, [`Failure::AllocationRemoved`], [`Failure::NoSuchProvider`], [`Failure::Raced`].
    pub async fn change_allocation(&self, consumer: &str, diff: &Diff) -> Answer<()> {
        let path = format!("/allocations/{consumer}");
        for _ in 0..TRIES {
            let mut body = self.call("GET", &path, None).await?;
            let allocations = body["allocations"].as_object_mut().filter(|all| !all.is_empty()).ok_or(Failure::AllocationRemoved)?;
            for (provider, changes) in diff {
                let known = allocations.get_mut(provider).ok_or_else(|| Failure::NoSuchProvider(provider.clone()))?;
                let resources = known["resources"].as_object_mut().ok_or_else(|| Failure::NoSuchProvider(provider.clone()))?;
                add(resources, changes);
            }
            allocations.retain(|_, allocation| allocation["resources"].as_object().is_some_and(|resources| !resources.is_empty()));
            match self.call("PUT", &path, Some(&body)).await {
                Err(Failure::Raced) => {}
                done => return done.map(drop),
            }
        }
        Err(Failure::Raced)
    }
}

/// What is not more than nothing is left out.
fn add(resources: &mut Map<String, Value>, changes: &BTreeMap<&'static str, i64>) {
    for (class, change) in changes {
        let sum = resources.get(*class).and_then(Value::as_i64).unwrap_or_default() + change;
        if sum > 0 {
            resources.insert((*class).to_owned(), sum.into());
        } else {
            resources.remove(*class);
        }
    }
}
