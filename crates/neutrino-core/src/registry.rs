// SPDX-License-Identifier: Apache-2.0
//! What is on: extensions, tables, rules, hooks, loaders and workers, collected at start from an explicit list, then frozen.

use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use neutrino_model::{Attribute, Extension, Limits, Resource, Table};

use crate::{Behaviour, Endpoint, Facet, Hook, Loader, Quota, RpcEndpoint, Startup, Watcher, Worker, behaviour::Plain, changes::Recall};

/// All that belongs to one collection.
pub struct Entry {
    pub table: Arc<Table>,
    pub behaviour: Arc<dyn Behaviour>,
    pub hooks: Vec<Arc<dyn Hook>>,
    pub loaders: Vec<Arc<dyn Loader>>,
    /// The alias of the extension that brought it; empty for the core.
    pub alias: &'static str,
}

/// Something that must hold of the database and that no key of it forbids.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// What violates it: "port without a binding".
    pub name: &'static str,
    /// SELECT of one column: an id for each violation. In the SQL that all databases share.
    pub violations: &'static str,
}

/// Collects what the configuration turns on. Features add themselves; the order of calls is the order of hooks.
#[derive(Default)]
pub struct Builder {
    extensions: Vec<&'static Extension>,
    resources: Vec<(&'static str, &'static Resource)>,
    extends: Vec<(&'static str, &'static [Attribute])>,
    behaviours: HashMap<&'static str, Arc<dyn Behaviour>>,
    hooks: HashMap<&'static str, Vec<Arc<dyn Hook>>>,
    hooks_where_served: Vec<(&'static str, Arc<dyn Hook>)>,
    loaders: HashMap<&'static str, Vec<Arc<dyn Loader>>>,
    loaders_where_served: Vec<(&'static str, Arc<dyn Loader>)>,
    startups: Vec<Arc<dyn Startup>>,
    facets: Vec<Arc<dyn Facet>>,
    endpoints: Vec<Arc<dyn Endpoint>>,
    quota: Option<Arc<dyn Quota>>,
    workers: Vec<Arc<dyn Worker>>,
    watchers: Vec<Arc<dyn Watcher>>,
    after_outage: Vec<Recall>,
    rpc: Vec<&'static RpcEndpoint>,
    services: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    invariants: Vec<Invariant>,
    plugins: Vec<&'static str>,
    pub limits: Limits,
}

impl Builder {
    /// A service plugin that brings no extension by which one could see that it is on.
    pub fn plugin(&mut self, name: &'static str) -> &mut Self {
        self.plugins.push(name);
        self
    }

    /// Turns an extension on, once.
    pub fn extension(&mut self, extension: &'static Extension) -> &mut Self {
        if self.has_extension(extension.alias) {
            return self;
        }
        self.extensions.push(extension);
        for resource in extension.resources {
            self.resources.push((extension.alias, resource));
        }
        self.extends.extend_from_slice(extension.extends);
        self
    }

    /// Is the extension on so far?
    #[must_use]
    pub fn has_extension(&self, alias: &str) -> bool {
        self.extensions.iter().any(|e| e.alias == alias)
    }

    /// Is the collection on so far?
    #[must_use]
    pub fn has_collection(&self, collection: &str) -> bool {
        self.resources.iter().any(|(_, resource)| key(resource) == collection)
    }

    /// Adds a resource that belongs to no extension (the core four).
    pub fn resource(&mut self, resource: &'static Resource) -> &mut Self {
        self.resources.push(("", resource));
        self
    }

    /// The rules of a collection. For a child resource the name is `parent/child` (`ports/bindings`).
    pub fn behaviour(&mut self, collection: &'static str, behaviour: impl Behaviour + 'static) -> &mut Self {
        self.behaviours.insert(collection, Arc::new(behaviour));
        self
    }

    pub fn hook(&mut self, collection: &'static str, hook: impl Hook + 'static) -> &mut Self {
        self.hooks.entry(collection).or_default().push(Arc::new(hook));
        self
    }

    /// A hook on a collection that may not be on: then it has nothing to do. It comes after the others.
    pub fn hook_where_served(&mut self, collection: &'static str, hook: impl Hook + 'static) -> &mut Self {
        self.hooks_where_served.push((collection, Arc::new(hook)));
        self
    }

    pub fn loader(&mut self, collection: &'static str, loader: impl Loader + 'static) -> &mut Self {
        self.loaders.entry(collection).or_default().push(Arc::new(loader));
        self
    }

    /// [`Builder::loader`] for a collection that may be off, or that a later feature brings; passed over when nobody serves it.
    pub fn loader_where_served(&mut self, collection: &'static str, loader: impl Loader + 'static) -> &mut Self {
        self.loaders_where_served.push((collection, Arc::new(loader)));
        self
    }

    /// Work for [`crate::Engine::start`]; in the order of these calls.
    pub fn startup(&mut self, startup: impl Startup + 'static) -> &mut Self {
        self.startups.push(Arc::new(startup));
        self
    }

    pub fn worker(&mut self, worker: impl Worker + 'static) -> &mut Self {
        self.workers.push(Arc::new(worker));
        self
    }

    /// Somebody who is told of every commit.
    pub fn watcher(&mut self, watcher: impl Watcher + 'static) -> &mut Self {
        self.watchers.push(Arc::new(watcher));
        self
    }

    /// What agents are told again after the broker was away.
    pub fn after_outage(&mut self, recall: Recall) -> &mut Self {
        self.after_outage.push(recall);
        self
    }

    /// Methods that agents may call.
    pub fn rpc(&mut self, endpoint: &'static RpcEndpoint) -> &mut Self {
        self.rpc.push(endpoint);
        self
    }

    /// A sub-resource of several collections.
    pub fn facet(&mut self, facet: impl Facet + 'static) -> &mut Self {
        self.facets.push(Arc::new(facet));
        self
    }

    /// A place at the root of the API.
    pub fn endpoint(&mut self, endpoint: impl Endpoint + 'static) -> &mut Self {
        self.endpoints.push(Arc::new(endpoint));
        self
    }

    /// What bounds the number of objects; the last one counts.
    pub fn quota(&mut self, quota: impl Quota + 'static) -> &mut Self {
        self.quota = Some(Arc::new(quota));
        self
    }

    /// What must hold of the feature's tables; `neutron-db-manage check-integrity` looks.
    pub fn invariant(&mut self, name: &'static str, violations: &'static str) -> &mut Self {
        self.invariants.push(Invariant { name, violations });
        self
    }

    /// Several of [`Builder::invariant`].
    pub fn invariants(&mut self, invariants: &[(&'static str, &'static str)]) -> &mut Self {
        self.invariants.extend(invariants.iter().map(|(name, violations)| Invariant { name, violations }));
        self
    }

    /// Offers a typed service to other features ([`Registry::service`]); the last of a type wins.
    pub fn service<T: Any + Send + Sync>(&mut self, service: Arc<T>) -> &mut Self {
        self.services.insert(TypeId::of::<T>(), service);
        self
    }

    /// Freezes what was collected.
    ///
    /// # Errors
    /// A sentence for the operator when the parts do not fit: an extension without what it requires, attributes or rules of a
    /// collection that is not there.
    pub fn build(self) -> Result<Registry, String> {
        for extension in &self.extensions {
            for needed in extension.requires {
                if !self.extensions.iter().any(|e| e.alias == *needed) {
                    return Err(format!("extension \"{}\" needs \"{needed}\", which is not on", extension.alias));
                }
            }
        }
        let mut entries = BTreeMap::new();
        let (mut hooks, mut loaders, mut behaviours) = (self.hooks, self.loaders, self.behaviours);
        for (collection, loader) in self.loaders_where_served {
            if self.resources.iter().any(|(_, resource)| key(resource) == collection) {
                loaders.entry(collection).or_default().push(loader);
            }
        }
        for (collection, hook) in self.hooks_where_served {
            if self.resources.iter().any(|(_, resource)| key(resource) == collection) {
                hooks.entry(collection).or_default().push(hook);
            }
        }
        for (alias, resource) in self.resources {
            let key = key(resource);
            let added: Vec<&'static [Attribute]> =
                self.extends.iter().filter(|(c, _)| *c == key).map(|(_, attributes)| *attributes).collect();
            let entry = Entry {
                table: Arc::new(Table::new(resource, &added)),
                behaviour: behaviours.remove(key.as_str()).unwrap_or_else(|| Arc::new(Plain)),
                hooks: hooks.remove(key.as_str()).unwrap_or_default(),
                loaders: loaders.remove(key.as_str()).unwrap_or_default(),
                alias,
            };
            if entries.insert(key.clone(), entry).is_some() {
                return Err(format!("two features bring the collection \"{key}\""));
            }
        }
        let orphan = behaviours.keys().chain(hooks.keys()).chain(loaders.keys()).next();
        if let Some(collection) = orphan {
            return Err(format!("rules were registered for the collection \"{collection}\", which is not there"));
        }
        Ok(Registry {
            extensions: self.extensions,
            entries,
            startups: self.startups,
            facets: self.facets,
            endpoints: self.endpoints,
            quota: self.quota,
            workers: self.workers,
            watchers: self.watchers,
            after_outage: self.after_outage,
            rpc: self.rpc,
            services: self.services,
            invariants: self.invariants,
            plugins: self.plugins,
            limits: self.limits,
        })
    }
}

/// `collection`, or `parent/collection` for a child.
#[must_use]
pub fn key(resource: &Resource) -> String {
    resource.parent.map_or_else(|| resource.collection.to_owned(), |parent| format!("{}/{}", parent.collection, resource.collection))
}

/// What is on. Does not change.
pub struct Registry {
    extensions: Vec<&'static Extension>,
    entries: BTreeMap<String, Entry>,
    startups: Vec<Arc<dyn Startup>>,
    facets: Vec<Arc<dyn Facet>>,
    endpoints: Vec<Arc<dyn Endpoint>>,
    quota: Option<Arc<dyn Quota>>,
    workers: Vec<Arc<dyn Worker>>,
    watchers: Vec<Arc<dyn Watcher>>,
    after_outage: Vec<Recall>,
    rpc: Vec<&'static RpcEndpoint>,
    services: HashMap<TypeId, Arc<dyn Any + Send + Sync>>,
    invariants: Vec<Invariant>,
    plugins: Vec<&'static str>,
    pub limits: Limits,
}

impl Registry {
    /// Is the service plugin without an extension on?
    #[must_use]
    pub fn has_plugin(&self, name: &str) -> bool {
        self.plugins.contains(&name)
    }

    /// The extensions, as `/v2.0/extensions` lists them.
    #[must_use]
    pub fn extensions(&self) -> &[&'static Extension] {
        &self.extensions
    }

    #[must_use]
    pub fn has_extension(&self, alias: &str) -> bool {
        self.extensions.iter().any(|e| e.alias == alias)
    }

    /// By collection, or `parent/collection` for a child.
    #[must_use]
    pub fn entry(&self, collection: &str) -> Option<&Entry> {
        self.entries.get(collection)
    }

    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    #[must_use]
    pub fn startups(&self) -> &[Arc<dyn Startup>] {
        &self.startups
    }

    #[must_use]
    pub fn endpoints(&self) -> &[Arc<dyn Endpoint>] {
        &self.endpoints
    }

    /// What bounds the number of objects, if anything does.
    #[must_use]
    pub fn quota(&self) -> Option<&Arc<dyn Quota>> {
        self.quota.as_ref()
    }

    #[must_use]
    pub fn facets(&self) -> &[Arc<dyn Facet>] {
        &self.facets
    }

    #[must_use]
    pub fn workers(&self) -> &[Arc<dyn Worker>] {
        &self.workers
    }

    #[must_use]
    pub fn watchers(&self) -> &[Arc<dyn Watcher>] {
        &self.watchers
    }

    #[must_use]
    pub fn after_outage(&self) -> &[Recall] {
        &self.after_outage
    }

    /// What agents may call.
    #[must_use]
    pub fn rpc(&self) -> &[&'static RpcEndpoint] {
        &self.rpc
    }

    #[must_use]
    pub fn invariants(&self) -> &[Invariant] {
        &self.invariants
    }

    /// The service of a type, when a feature offers one.
    #[must_use]
    pub fn service<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.services.get(&TypeId::of::<T>()).cloned().and_then(|s| s.downcast::<T>().ok())
    }
}
