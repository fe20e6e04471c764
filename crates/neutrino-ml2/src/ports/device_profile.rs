// SPDX-License-Identifier: Apache-2.0
//! The name of the accelerator profile (Cyborg) that the device behind a port is to have. Always on.

use neutrino_core::Builder;
use neutrino_model::{
    Attribute, Extension, Validator,
    attribute::{Default, Join, Kind},
};

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

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION);
}
