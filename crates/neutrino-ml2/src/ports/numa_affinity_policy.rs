// SPDX-License-Identifier: Apache-2.0
//! On which NUMA nodes the device behind a port may be placed. Always on, with the policy `socket`.
//!
//! Rule: it cannot change while the port is bound.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_model::{
    Attribute, Body, Choice, Extension, Record, Validator,
    attribute::{Default, Join, Kind},
};
use neutrino_types::{Kind as ErrorKind, Result};

const BOUND: ErrorKind = ErrorKind::new("PortBoundNUMAAffinityPolicy", 409);

static POLICIES: Join = Join::when_set("portnumaaffinitypolicies", "port_id");

static EXTENSION: Extension = Extension::new(
    "port-numa-affinity-policy",
    "Port NUMA affinity policy",
    "Expose the port NUMA affinity policy",
    "2020-07-08T10:00:00-00:00",
)
.extends(&[(
    "ports",
    &[Attribute::new("numa_affinity_policy")
        .post()
        .put()
        .default(Default::Null)
        .validate(Validator::Values(Some(&[
            Choice::Str("required"),
            Choice::Str("preferred"),
            Choice::Str("legacy"),
            Choice::Str("socket"),
            Choice::Null,
        ])))
        .joined(&POLICIES, "numa_affinity_policy", Kind::Text)],
)]);

static SOCKET: Extension = Extension::new(
    "port-numa-affinity-policy-socket",
    "Port NUMA affinity policy \"socket\"",
    "Adds \"socket\" to the supported port NUMA affinity policies",
    "2024-02-09T10:00:00-00:00",
)
.requires(&["port-numa-affinity-policy"]);

struct Rules;

#[async_trait]
impl Hook for Rules {
    async fn update(&self, _op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let vif_type = original.str("binding:vif_type");
        if body.get("numa_affinity_policy").is_none() || matches!(vif_type, "" | "unbound" | "binding_failed") {
            return Ok(());
        }
        Err(BOUND.error(format!(
            "Unable to change the NUMA affinity policy of port {}: it is bound to host {}; unbind it first.",
            original.id(),
            original.str("binding:host_id")
        )))
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).extension(&SOCKET).hook("ports", Rules);
}
