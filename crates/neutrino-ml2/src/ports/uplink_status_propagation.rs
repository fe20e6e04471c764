// SPDX-License-Identifier: Apache-2.0
//! Extension drivers `uplink_status_propagation` and `.._updatable`: does a virtual function follow the link of its physical one?
//! Ports that never said so do.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Converter, Extension,
    attribute::{Default, Join, Kind},
};

static PROPAGATION: Join = Join::when_set("portuplinkstatuspropagation", "port_id");

const ATTRIBUTE: Attribute = Attribute::new("propagate_uplink_status")
    .post()
    .default(Default::Bool(true))
    .convert(Converter::ToBoolean)
    .joined(&PROPAGATION, "propagate_uplink_status", Kind::Bool);

static EXTENSION: Extension = Extension::new(
    "uplink-status-propagation",
    "Uplink status propagation extension",
    "Provides ability to propagate port uplink status.",
    "2018-05-31T18:00:00-00:00",
)
.extends(&[("ports", &[ATTRIBUTE])]);

static UPDATABLE: Extension = Extension::new(
    "uplink-status-propagation-updatable",
    "Uplink status propagation updatable extension",
    "Provides ability to update the port uplink status.",
    "2024-09-03T18:00:00-00:00",
)
.requires(&["uplink-status-propagation"])
.extends(&[("ports", &[ATTRIBUTE.put()])]);

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
}

pub fn register_updatable(builder: &mut Builder) {
    builder.extension(&UPDATABLE);
}
