// SPDX-License-Identifier: Apache-2.0
//! Service providers: which implementations of a service there are, as the operator named them, and `GET /service-providers`.
//!
//! Owns `[service_providers] service_provider` and the providers of routers that are always there. Nothing is stored. Invariant: a name is
//! unique in its service type, a driver among all; one provider of a type at most is the default one.

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Context, Engine, ListQuery};
use neutrino_db::Tx;
use neutrino_model::{Attribute, Extension, Methods, Record, Resource, Visibility};
use neutrino_types::{Kind, Result, error::kinds};
use oslo_config::{Config, Opt};
use serde_json::Value;

pub static OPTIONS: &[Opt] = &[Opt::multi("service_providers", "service_provider")
    .help("A provider of a service, as <service type>:<name>:<driver>[:default]; may be given several times.")];

/// The service type of routers.
pub const L3: &str = "L3_ROUTER_NAT";

const MAX_NAME: usize = 255;

/// May, must or cannot the routers of a driver have a property?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Support {
    Mandatory,
    Unsupported,
}

impl Support {
    fn fits(self, flag: bool) -> bool {
        (self == Self::Mandatory) == flag
    }
}

/// A driver of routers that is part of the server.
#[derive(Debug)]
struct L3Driver {
    name: &'static str,
    path: &'static str,
    distributed: Support,
    ha: Support,
}

use Support::{Mandatory, Unsupported};

/// By Neutron's names, in the order in which they are tried.
static L3_DRIVERS: [L3Driver; 4] = [
    L3Driver {
        name: "dvrha",
        path: "neutron.services.l3_router.service_providers.dvrha.DvrHaDriver",
        distributed: Mandatory,
        ha: Mandatory,
    },
    L3Driver { name: "dvr", path: "neutron.services.l3_router.service_providers.dvr.DvrDriver", distributed: Mandatory, ha: Unsupported },
    L3Driver { name: "ha", path: "neutron.services.l3_router.service_providers.ha.HaDriver", distributed: Unsupported, ha: Mandatory },
    L3Driver {
        name: "single_node",
        path: "neutron.services.l3_router.service_providers.single_node.SingleNodeDriver",
        distributed: Unsupported,
        ha: Unsupported,
    },
];

/// One provider.
#[derive(Clone, Debug)]
pub struct Provider {
    pub service_type: String,
    pub name: String,
    pub driver: String,
    pub default: bool,
}

impl Provider {
    fn l3(&self) -> Option<&'static L3Driver> {
        L3_DRIVERS.iter().find(|driver| driver.path == self.driver)
    }

    /// Why the provider cannot have such routers.
    pub fn refuses(&self, distributed: Option<bool>, ha: Option<bool>) -> Option<String> {
        let driver = self.l3()?;
        let asked = [("distributed", driver.distributed, distributed), ("ha", driver.ha, ha)];
        let refused = asked.into_iter().find(|(_, support, flag)| flag.is_some_and(|flag| !support.fits(flag)));
        refused.map(|(key, _, flag)| format!("the provider {} does not support {key}={}", self.name, flag.unwrap_or_default()))
    }
}

/// All providers, in their order.
#[derive(Debug, Default)]
pub struct Providers(pub Vec<Provider>);

impl Providers {
    /// # Errors
    /// A sentence for the operator: a definition that is none, that contradicts another, or that nothing here can provide.
    pub fn of(config: &Config, routers: bool) -> std::result::Result<Self, String> {
        let mut all = Self::default();
        for text in config.multi("service_providers", "service_provider") {
            let refuse = |reason: &str| config.refuse::<&str>("service_providers", "service_provider", &text, reason, &[]).to_string();
            let provider = parse(&text).map_err(refuse)?;
            let paths: Vec<&str> = L3_DRIVERS.iter().map(|driver| driver.path).collect();
            if provider.service_type != L3 || !routers {
                return Err(refuse("no service plugin that is on takes providers of this service type"));
            }
            if !paths.contains(&provider.driver.as_str()) {
                let reason = "is no driver of routers";
                return Err(config.refuse("service_providers", "service_provider", &provider.driver, reason, &paths).to_string());
            }
            all.add(provider).map_err(refuse)?;
        }
        if routers {
            for driver in &L3_DRIVERS {
                let (name, path) = (driver.name.to_owned(), driver.path.to_owned());
                // What the operator named under another name, or another driver under this name, counts.
                _ = all.add(Provider { service_type: L3.to_owned(), name, driver: path, default: false });
            }
        }
        Ok(all)
    }

    fn add(&mut self, new: Provider) -> std::result::Result<(), &'static str> {
        for known in &self.0 {
            if known.driver == new.driver {
                return Err("another provider has this driver");
            }
            if known.service_type == new.service_type && known.name == new.name {
                return Err("another provider of the service type has this name");
            }
            if known.service_type == new.service_type && known.default && new.default {
                return Err("another provider of the service type is the default one");
            }
        }
        self.0.push(new);
        Ok(())
    }

    #[must_use]
    pub fn by_driver(&self, driver: &str) -> Option<&Provider> {
        self.0.iter().find(|provider| provider.driver == driver)
    }

    /// Who provides such a router: the default provider if it can, else the first that can.
    #[must_use]
    pub fn of_router(&self, distributed: bool, ha: bool) -> Option<&Provider> {
        let fits = |provider: &&Provider| provider.service_type == L3 && provider.refuses(Some(distributed), Some(ha)).is_none();
        self.0.iter().filter(|provider| provider.default).find(fits).or_else(|| self.0.iter().find(fits))
    }
}

fn parse(text: &str) -> std::result::Result<Provider, &'static str> {
    let mut parts = text.split(':');
    let (Some(service_type), Some(name), Some(driver)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("a provider is written as <service type>:<name>:<driver>[:default]");
    };
    let default = match (parts.next(), parts.next()) {
        (None | Some(""), None) => false,
        (Some("default"), None) => true,
        _ => return Err("the last part of a provider must be 'default' or empty"),
    };
    if name.chars().count() > MAX_NAME {
        return Err("the name of a provider has at most 255 characters");
    }
    // Names have no case.
    Ok(Provider { service_type: service_type.to_owned(), name: name.to_lowercase(), driver: driver.to_owned(), default })
}

static RESOURCE: Resource = Resource::new(
    "service_providers",
    "service_provider",
    "service-providers",
    "",
    Kind::new("HTTPNotFound", 404),
    &[Attribute::new("service_type"), Attribute::new("name"), Attribute::new("default")],
)
.virtual_rows()
.no_bulk()
.any_filter()
.visibility(Visibility::Everyone)
.methods(Methods { list: true, show: false, create: false, update: false, delete: false });

pub static EXTENSION: Extension = Extension::new(
    "service-type",
    "Neutron Service Type Management",
    "API for retrieving service providers for Neutron advanced services",
    "2013-01-20T00:00:00-00:00",
)
.resources(&[&RESOURCE]);

/// The rules of `service_providers`.
pub struct ServiceProviders(pub Arc<Providers>);

#[async_trait]
impl Behaviour for ServiceProviders {
    async fn before_list(&self, _engine: &Engine, _cx: &Context, query: &mut ListQuery) -> Result<()> {
        if query.sort.is_empty() && query.marker.is_none() {
            return Ok(());
        }
        Err(kinds::BAD_REQUEST.error("Service providers are not sorted and have no pages."))
    }

    async fn rows(&self, engine: &Engine, _cx: &Context, _tx: &mut Tx, _parent: Option<&str>, _query: &ListQuery) -> Result<Vec<Record>> {
        let table = engine.entry("service_providers")?.table.clone();
        let row = |provider: &Provider| {
            let mut row = Record::new(table.clone());
            row.set("service_type", provider.service_type.as_str());
            row.set("name", provider.name.as_str());
            row.set("default", Value::Bool(provider.default));
            row
        };
        Ok(self.0.0.iter().map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> std::result::Result<Vec<(String, bool)>, String> {
        let values: Vec<_> = texts.iter().map(|text| ("service_providers", "service_provider", *text)).collect();
        let config = Config::for_test(&[OPTIONS], &values).unwrap();
        Providers::of(&config, true).map(|all| all.0.into_iter().map(|provider| (provider.name, provider.default)).collect())
    }

    #[test]
    fn routers_have_four_providers_and_the_operator_may_rename_them() {
        let names = |texts: &[&str]| of(texts).unwrap().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(&[]), ["dvrha", "dvr", "ha", "single_node"]);
        let mine = format!("L3_ROUTER_NAT:Mine:{}:default", L3_DRIVERS[3].path);
        assert_eq!(names(&[&mine]), ["mine", "dvrha", "dvr", "ha"]);
        assert!(of(&[&mine]).unwrap()[0].1);
    }

    #[test]
    fn what_cannot_be_provided_is_refused_with_a_reason() {
        let path = L3_DRIVERS[3].path;
        for (text, reason) in [
            ("x".to_owned(), "is written as"),
            (format!("L3_ROUTER_NAT:a:{path}:other"), "'default' or empty"),
            (format!("VPN:a:{path}"), "no service plugin"),
            ("L3_ROUTER_NAT:a:my.Driver".to_owned(), "no driver of routers"),
        ] {
            assert!(of(&[&text]).unwrap_err().contains(reason), "{text}");
        }
        let twice = of(&[&format!("L3_ROUTER_NAT:a:{path}"), &format!("L3_ROUTER_NAT:b:{path}")]);
        assert!(twice.unwrap_err().contains("has this driver"));
    }

    #[test]
    fn a_router_gets_the_first_provider_that_can_have_it() {
        let all = Providers::of(&Config::for_test(&[OPTIONS], &[]).unwrap(), true).unwrap();
        for (distributed, ha, name) in [(false, false, "single_node"), (true, false, "dvr"), (false, true, "ha"), (true, true, "dvrha")] {
            assert_eq!(all.of_router(distributed, ha).unwrap().name, name);
        }
        let single = all.by_driver(L3_DRIVERS[3].path).unwrap();
        assert_eq!(single.refuses(Some(true), None).unwrap(), "the provider single_node does not support distributed=true");
        assert_eq!(single.refuses(None, Some(false)), None);
    }
}
