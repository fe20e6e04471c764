// SPDX-License-Identifier: Apache-2.0
//! The name of the accelerator profile (Cyborg) that the device behind a port is to have. Always on.

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook};
use neutrino_model::{
    Attribute, Body, Extension, Validator,
    attribute::{Default, Join, Kind},
};
use neutrino_types::Result;
use serde_json::Value;

static PROFILES: Join = Join::when_set("portdeviceprofiles", "port_id");

static EXTENSION: Extension =
    Extension::new("port-device-profile", "Port device profile", "Expose the port device profile (Cyborg)", "2020-12-17T10:00:00-00:00")
        .extends(&[(
            "ports",
            &[Attribute::new("device_profile").post().default(Default::Null).validate(Validator::StringOrNone(Some(255))).joined(
                &PROFILES,
                "device_profile",
                Kind::Text,
            )],
        )]);

/// An empty name is none.
struct NoEmptyName;

#[async_trait]
impl Hook for NoEmptyName {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        if body.str("device_profile") == Some("") {
            body.set("device_profile", Value::Null);
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("ports", NoEmptyName);
}
