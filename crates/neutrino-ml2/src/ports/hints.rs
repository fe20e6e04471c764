// SPDX-License-Identifier: Apache-2.0
//! Extension drivers `port_hints` and `port_hint_ovs_tx_steering`: tuning that a backend may follow.
//!
//! Rule: no hints means no row.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Choice, Extension, KeySpec, Record, Validator,
    attribute::{Default, Join, Kind},
};
use neutrino_types::Result;
use serde_json::Value;

static HINTS: Join = Join::read_only("porthints", "port_id");

const fn key(key: &'static str, check: Validator) -> KeySpec {
    KeySpec { key, required: None, convert: None, check: Some(check), default: None, described: None }
}

const STEERING: &[KeySpec] = &[key("tx-steering", Validator::Values(Some(&[Choice::Str("thread"), Choice::Str("hash")])))];
const OTHER_CONFIG: &[KeySpec] = &[key("other_config", Validator::Dict(STEERING))];
const OPENVSWITCH: &[KeySpec] = &[key("openvswitch", Validator::Dict(OTHER_CONFIG))];

static EXTENSION: Extension =
    Extension::new("port-hints", "Port hints", "Backend specific port hints to allow backend specific tuning", "2023-01-01T00:00:00-00:00")
        .extends(&[(
            "ports",
            &[Attribute::new("hints")
                .post()
                .put()
                .default(Default::Null)
                .validate(Validator::DictOrNone(OPENVSWITCH))
                .enforce_policy()
                .joined(&HINTS, "hints", Kind::Json)],
        )]);

static TX_STEERING: Extension = Extension::new(
    "port-hint-ovs-tx-steering",
    "Port hint: Open vSwitch Tx steering",
    "Enable Port hint: Open vSwitch Tx steering",
    "2023-01-01T00:00:00-00:00",
)
.requires(&["port-hints"]);

struct Write;

fn hints(body: &Body) -> Option<String> {
    body.get("hints").and_then(Value::as_object).filter(|hints| !hints.is_empty()).map(|hints| Value::from(hints.clone()).to_string())
}

#[async_trait]
impl Hook for Write {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        match hints(body) {
            Some(hints) => op.insert_row("porthints", vec![("port_id", id.into()), ("hints", hints.into())]).await,
            None => Ok(()),
        }
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(asked) = body.get("hints") else { return Ok(()) };
        if asked == original.get("hints") {
            return Ok(());
        }
        op.tx.execute("DELETE FROM porthints WHERE port_id = ?", args![original.id()]).await?;
        op.touch(original.standard_attr_id);
        self.create(op, original.id(), body).await
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("ports", Write);
}

pub fn register_ovs_tx_steering(builder: &mut Builder) {
    builder.extension(&TX_STEERING);
}
