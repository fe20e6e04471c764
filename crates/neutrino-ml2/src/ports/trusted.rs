// SPDX-License-Identifier: Apache-2.0
//! Extension driver `port_trusted`: may the virtual function behind a port be a trusted one? Shown in the binding profile, too.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Converter, Extension, Validator,
    attribute::{Default, Join, Kind},
};

static TRUSTED: Join = Join::when_set("porttrusted", "port_id");

static EXTENSION: Extension =
    Extension::new("port-trusted-vif", "Port trusted vif", "Expose port 'trusted' attribute in the API", "2024-07-10T10:00:00-00:00")
        .requires(&["binding"])
        .extends(&[(
            "ports",
            &[Attribute::new("trusted")
                .post()
                .put()
                .default(Default::Unset)
                .convert(Converter::ToBoolean)
                .validate(Validator::Boolean)
                .enforce_policy()
                .joined(&TRUSTED, "trusted", Kind::Bool)],
        )]);

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
}
