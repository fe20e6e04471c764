// SPDX-License-Identifier: Apache-2.0
//! Policies of floating IPs.

use async_trait::async_trait;
use neutrino_core::{Hook, Op};
use neutrino_model::{
    Attribute, Body, Extension, Join, Record, Validator,
    attribute::{Default, Kind},
};
use neutrino_types::Result;

use super::{
    bindings::{self, FLOATING_IP},
    ports::POLICY,
};

static POLICIES: Join = Join::read_only("qos_fip_policy_bindings", "fip_id");

pub static EXTENSION: Extension =
    Extension::new("qos-fip", "Floating IP QoS", "The floating IP Quality of Service extension", "2017-07-20T00:00:00-00:00")
        .requires(&["router", "qos"])
        .extends(&[(
            "floatingips",
            &[Attribute::new(POLICY).post().put().default(Default::Null).validate(Validator::UuidOrNone).enforce_policy().joined(
                &POLICIES,
                "policy_id",
                Kind::Text,
            )],
        )]);

pub struct FloatingIps;

#[async_trait]
impl Hook for FloatingIps {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        match body.str(POLICY) {
            Some(policy) => bindings::attach(op, &FLOATING_IP, id, policy).await,
            None => Ok(()),
        }
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(asked) = body.get(POLICY) else { return Ok(()) };
        if bindings::change(op, &FLOATING_IP, original.id(), original.opt_str(POLICY), asked.as_str()).await? {
            op.touch(original.standard_attr_id);
        }
        Ok(())
    }
}
