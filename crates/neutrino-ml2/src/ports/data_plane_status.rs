// SPDX-License-Identifier: Apache-2.0
//! Extension driver `data_plane_status`: what an outside monitor says of the data plane under a port. Nothing here acts on it.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Choice, Extension, Validator,
    attribute::{Default, Join, Kind},
};

static STATUSES: Join = Join::when_set("portdataplanestatuses", "port_id");

static EXTENSION: Extension = Extension::new(
    "data-plane-status",
    "Port data plane status extension",
    "Expose status of underlying data plane",
    "2017-01-24T10:00:00-00:00",
)
.extends(&[(
    "ports",
    &[Attribute::new("data_plane_status")
        .put()
        .default(Default::Unset)
        .validate(Validator::Values(Some(&[Choice::Null, Choice::Str("ACTIVE"), Choice::Str("DOWN")])))
        .enforce_policy()
        .joined(&STATUSES, "data_plane_status", Kind::Text)],
)]);

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
}
