// SPDX-License-Identifier: Apache-2.0
//! Extension driver `port_hardware_offload_type`: the kind of offload that a port needs from its NIC. Chosen at create for good.
//!
//! Rule: the type is also asked for as a capability in the binding profile, where the binding and Nova look.

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Hook};
use neutrino_model::{
    Attribute, Body, Choice, Converter, Extension, Validator,
    attribute::{Default, Join, Kind},
};
use neutrino_types::Result;
use serde_json::{Value, json};

static TYPES: Join = Join::when_set("porthardwareoffloadtype", "port_id");

static EXTENSION: Extension = Extension::new(
    "port-hardware-offload-type",
    "Port hardware offload",
    "Expose port hardware offload extension",
    "2023-05-09T10:00:00-00:00",
)
.extends(&[(
    "ports",
    &[Attribute::new("hardware_offload_type")
        .post()
        .default(Default::Unset)
        .convert(Converter::ToString)
        .validate(Validator::Values(Some(&[Choice::Str("switchdev")])))
        .enforce_policy()
        .joined(&TYPES, "hardware_offload_type", Kind::Text)],
)]);

struct Capability;

#[async_trait]
impl Hook for Capability {
    async fn before_create(&self, _engine: &Engine, _cx: &Context, body: &mut Body) -> Result<()> {
        let Some(kind) = body.str("hardware_offload_type").map(str::to_owned) else { return Ok(()) };
        let mut profile = body.get("binding:profile").and_then(Value::as_object).cloned().unwrap_or_default();
        let capabilities = profile.entry("capabilities").or_insert_with(|| json!([]));
        match capabilities {
            Value::Array(list) if !list.iter().any(|known| known.as_str() == Some(&kind)) => list.push(kind.into()),
            _ => {}
        }
        body.set("binding:profile", profile);
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("ports", Capability);
}
