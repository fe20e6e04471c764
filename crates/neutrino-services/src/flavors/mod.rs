// SPDX-License-Identifier: Apache-2.0
//! Flavors of services, the profiles that say what is behind a flavor, and the providers of services (`neutron/services/flavors`).
//!
//! Owns `flavors`, `serviceprofiles`, `flavorserviceprofilebindings`, `providerresourceassociations`, and `flavor_id` of routers. A flavor
//! that something uses, and a profile that belongs to a flavor, stay.

mod associations;
mod profiles;
mod providers;
mod routers;

use std::sync::Arc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Loader, Op, loading::of_page, service_plugin};
use neutrino_db::{Dialect, Row, Sql};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Page, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Kind as ErrorKind, Result, error::kinds};
use oslo_config::{Config, Opt};
use serde_json::{Value, json};

use providers::Providers;

const NOT_FOUND: ErrorKind = ErrorKind::new("FlavorNotFound", 404);
const IN_USE: ErrorKind = ErrorKind::new("FlavorInUse", 409);

pub static OPTIONS: &[Opt] = providers::OPTIONS;

/// The service types of flavors, by the service plugin that brings them; the core plugin and the plugins without a name here are always on.
const SERVICE_TYPES: &[(&str, &str)] = &[
    ("router", "L3_ROUTER_NAT"),
    ("metering", "METERING"),
    ("qos", "QOS"),
    ("log", "LOGGING"),
    ("port_forwarding", "PORTFORWARDING"),
    ("network_segment_range", "NETWORK_SEGMENT_RANGE"),
    ("conntrack_helper", "CONNTRACKHELPER"),
    ("pvlan", "PVLAN"),
    ("local_ip", "LOCAL_IP"),
    ("ndp_proxy", "NDPPROXY"),
    ("trunk", "trunk"),
    ("segments", "segments"),
    ("placement", "placement_report"),
    ("auto_allocate", "auto-allocated-topology"),
    ("flavors", "FLAVORS"),
    ("network_ip_availability", "network_ip_availability"),
    ("revisions", "revision_plugin"),
    ("tag", "TAG"),
    ("timestamp", "timestamp"),
];

const ENABLED: Attribute = Attribute::new("enabled")
    .post()
    .put()
    .default(Default::Bool(true))
    .convert(Converter::ToBooleanIfNotNone)
    .filter()
    .sort()
    .column("enabled", Kind::Bool);
const DESCRIPTION: Attribute = Attribute::new("description")
    .post()
    .put()
    .default(Default::Str(""))
    .validate(Validator::StringOrNone(Some(1024)))
    .filter()
    .sort()
    .column("description", Kind::Text);

static RESOURCE: Resource = Resource::new(
    "flavors",
    "flavor",
    "flavors",
    "flavors",
    NOT_FOUND,
    &[
        common::ID,
        common::NAME,
        DESCRIPTION,
        Attribute::new("service_type").post().validate(Validator::ServicePluginType).filter().sort().column("service_type", Kind::Text),
        Attribute::new("service_profiles").post().put().default(Default::EmptyList).validate(Validator::UuidList),
        ENABLED,
    ],
)
.no_bulk()
.visibility(Visibility::Everyone);

static EXTENSION: Extension = Extension::new(
    "flavors",
    "Neutron Service Flavors",
    "Flavor specification for Neutron advanced services.",
    "2015-09-17T10:00:00-00:00",
)
.resources(&[&RESOURCE, &profiles::RESOURCE, &associations::RESOURCE, &associations::NEXT]);

struct Flavors;

/// The column knows no third state.
fn ensure_enabled_is_said(body: &Body) -> Result<()> {
    if body.get("enabled").is_some_and(Value::is_null) {
        return Err(kinds::BAD_REQUEST.error("Invalid input for enabled. Reason: it is neither true nor false."));
    }
    Ok(())
}

#[async_trait]
impl Behaviour for Flavors {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        ensure_enabled_is_said(body)
    }

    async fn before_update(&self, _engine: &Engine, _cx: &Context, _original: &Record, body: &mut Body) -> Result<()> {
        ensure_enabled_is_said(body)
    }

    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        op.delete(original).await.map_err(|error| {
            if error.is_foreign_key() {
                return IN_USE.error(format!("Flavor {} is used by some service instance.", original.id()));
            }
            error
        })
    }
}

/// `service_profiles` of flavors.
struct Profiles;

#[async_trait]
impl Loader for Profiles {
    fn fills(&self) -> &'static [&'static str] {
        &["service_profiles"]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT flavor_id, service_profile_id FROM flavorserviceprofilebindings WHERE ");
        sql.append(of_page(dialect, "flavor_id", page)).push(" ORDER BY service_profile_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill("service_profiles", &json!([]));
        for row in rows {
            if let Some(at) = place.get(row.str(0)?) {
                page.push(*at, "service_profiles", row.text(1)?.into());
            }
        }
        Ok(())
    }
}

/// # Errors
/// A sentence for the operator: a service provider that cannot be.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    let on = service_plugin(config, "router");
    let providers = Arc::new(Providers::of(config, on)?);
    let types = SERVICE_TYPES.iter().filter(|(plugin, _)| service_plugin(config, plugin)).map(|(_, name)| (*name).to_owned());
    builder.limits.service_plugin_types = std::iter::once("CORE".to_owned()).chain(types).collect();
    builder.extension(&EXTENSION).extension(&providers::EXTENSION);
    builder.behaviour("flavors", Flavors).loader("flavors", Profiles);
    builder.behaviour("service_profiles", profiles::ServiceProfiles(providers.clone()));
    builder.behaviour("flavors/service_profiles", associations::Associations);
    builder.behaviour("flavors/next_providers", associations::NextProviders(providers.clone()));
    builder.behaviour("service_providers", providers::ServiceProviders(providers.clone()));
    if on {
        routers::register(builder, providers);
    }
    Ok(())
}
