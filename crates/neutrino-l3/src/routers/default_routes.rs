// SPDX-License-Identifier: Apache-2.0
//! `enable_default_route_ecmp`, `enable_default_route_bfd`: default routes of a router with several gateways. What they do is up to those
//! that serve the router.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Body, Converter, Extension,
    attribute::{Default, Kind},
};

use super::{EXTRA, Settings};

const ECMP: &str = "enable_default_route_ecmp";
const BFD: &str = "enable_default_route_bfd";

const fn switch(name: &'static str) -> Attribute {
    let attribute = Attribute::new(name).post().put().default(Default::Null).convert(Converter::ToBooleanIfNotNone);
    attribute.enforce_policy().joined(&EXTRA, name, Kind::Bool)
}

static ECMP_EXTENSION: Extension = Extension::new(
    "enable-default-route-ecmp",
    "Enable Default Route ECMP",
    "Enables configurable ECMP behavior for default routes",
    "2023-02-27T00:00:00-00:00",
)
.requires(&["router", "external-gateway-multihoming"])
.extends(&[("routers", &[switch(ECMP)])]);

static BFD_EXTENSION: Extension = Extension::new(
    "enable-default-route-bfd",
    "Enable Default Route BFD",
    "Enables configurable BFD behavior for default routes",
    "2023-02-27T00:00:00-00:00",
)
.requires(&["router", "external-gateway-multihoming"])
.extends(&[("routers", &[switch(BFD)])]);

/// A router that does not say is what the operator's default says.
pub(super) fn create(body: &mut Body, settings: &Settings) {
    for (name, default) in [(ECMP, settings.ecmp_by_default), (BFD, settings.bfd_by_default)] {
        if body.bool(name).is_none() {
            body.set(name, default);
        }
    }
}

/// Null asks for nothing.
pub(super) fn update(body: &mut Body) {
    for name in [ECMP, BFD] {
        if body.bool(name).is_none() {
            body.remove(name);
        }
    }
}

pub(super) fn register(builder: &mut Builder) {
    builder.extension(&ECMP_EXTENSION).extension(&BFD_EXTENSION);
}
