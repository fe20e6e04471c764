// SPDX-License-Identifier: Apache-2.0
//! Metering: labels under which agents count the traffic of routers, and the rules that say which traffic belongs to a label
//! (`neutron/services/metering`).
//!
//! Owns `meteringlabels` and `meteringlabelrules`; [`rpc`] answers agents, [`notify`] tells them. Refuses to own: counting. Invariants: a rule names the remote side, or
//! source and destination, and never nothing; remote prefixes of one label, direction and sense do not overlap; a rule is its label's owner's
//! and goes with the label.

mod data;
mod notify;
mod rpc;

use async_trait::async_trait;
use neutrino_core::{Behaviour, Builder, Context, Engine, Op, Verb, service_plugin};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Methods, Record, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
    validate::Choice,
};
use neutrino_types::{Kind as ErrorKind, Result, cidr::Cidr};
use oslo_config::Config;

pub use notify::flush;

const LABEL_NOT_FOUND: ErrorKind = ErrorKind::new("MeteringLabelNotFound", 404);
const RULE_NOT_FOUND: ErrorKind = ErrorKind::new("MeteringLabelRuleNotFound", 404);
const OVERLAPS: ErrorKind = ErrorKind::new("MeteringLabelRuleOverlaps", 409);
/// Neutron's type for prefixes that make no rule.
const INVALID: ErrorKind = ErrorKind::new("Invalid", 400);

const PREFIXES: [&str; 3] = ["remote_ip_prefix", "source_ip_prefix", "destination_ip_prefix"];

const fn prefix(name: &'static str) -> Attribute {
    Attribute::new(name).post().default(Default::Null).filter().sort().column(name, Kind::Text)
}

static LABELS: Resource = Resource::new(
    "metering_labels",
    "metering_label",
    "metering/metering-labels",
    "meteringlabels",
    LABEL_NOT_FOUND,
    &[
        Attribute::new("id").filter().sort().primary_key().column("id", Kind::Text),
        Attribute::new("name")
            .post()
            .default(Default::Str(""))
            .validate(Validator::NameString(Some(255)))
            .filter()
            .sort()
            .column("name", Kind::Text),
        Attribute::new("description")
            .post()
            .default(Default::Str(""))
            .validate(Validator::String(Some(1024)))
            .filter()
            .sort()
            .column("description", Kind::Text),
        common::TENANT_ID,
        Attribute::new("shared")
            .post()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("shared", Kind::Bool),
    ],
)
.methods(Methods::IMMUTABLE)
.visibility(Visibility::Sql("t.project_id = :project OR t.shared"));

static RULES: Resource = Resource::new(
    "metering_label_rules",
    "metering_label_rule",
    "metering/metering-label-rules",
    "meteringlabelrules",
    RULE_NOT_FOUND,
    &[
        Attribute::new("id").filter().sort().primary_key().column("id", Kind::Text),
        Attribute::new("metering_label_id")
            .post()
            .validate(Validator::Uuid)
            .filter()
            .sort()
            .required_by_policy()
            .column("metering_label_id", Kind::Text),
        Attribute::new("direction")
            .post()
            .validate(Validator::Values(Some(&[Choice::Str("ingress"), Choice::Str("egress")])))
            .filter()
            .sort()
            .column("direction", Kind::Text),
        Attribute::new("excluded")
            .post()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .filter()
            .sort()
            .column("excluded", Kind::Bool),
        prefix("remote_ip_prefix"),
        // The label's owner, for the policy; answers do not show it.
        Attribute::new("tenant_id")
            .post()
            .validate(Validator::String(Some(255)))
            .required_by_policy()
            .omit_when(|_| true)
            .expr("(SELECT l.project_id FROM meteringlabels l WHERE l.id = t.metering_label_id)", Kind::Text),
    ],
)
.methods(Methods::IMMUTABLE)
.visibility(Visibility::Sql(
    "EXISTS (SELECT 1 FROM meteringlabels l WHERE l.id = t.metering_label_id AND (l.project_id = :project OR l.shared))",
));

static METERING: Extension = Extension::new("metering", "Neutron Metering", "Neutron Metering extension.", "2013-06-12T10:00:00-00:00")
    .resources(&[&LABELS, &RULES]);

static SOURCE_AND_DESTINATION: Extension = Extension::new(
    "metering_source_and_destination_fields",
    "Neutron Metering with source and destination filtering",
    "Neutron Metering extension that enables the use of source and destination IP prefixes to create metering label rules.",
    "2020-08-21T08:12:00-00:00",
)
.requires(&["metering"])
.extends(&[("metering_label_rules", &[prefix("source_ip_prefix").put(), prefix("destination_ip_prefix").put()])]);

/// Turns metering on when the operator asks for it.
pub fn register(builder: &mut Builder, config: &Config) {
    if service_plugin(config, "metering") {
        builder.extension(&METERING).extension(&SOURCE_AND_DESTINATION);
        builder.behaviour("metering_labels", Labels).behaviour("metering_label_rules", Rules);
        rpc::register(builder);
        notify::register(builder);
    }
}

struct Labels;

#[async_trait]
impl Behaviour for Labels {
    async fn delete(&self, op: &mut Op<'_>, original: &Record) -> Result<()> {
        let rows = op.tx.query("SELECT id FROM meteringlabelrules WHERE metering_label_id = ?", args![original.id()]).await?;
        let ids = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>>>()?;
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        // The rules go by cascade; who follows the label learns which they were.
        for rule in op.load("metering_label_rules", &ids).await? {
            op.changed("metering_label_rules", rule.id(), Verb::Deleted, Some(&rule));
        }
        op.delete(original).await
    }
}

struct Rules;

#[async_trait]
impl Behaviour for Rules {
    async fn before_create(&self, engine: &Engine, cx: &Context, body: &mut Body) -> Result<()> {
        let label_id = body.str("metering_label_id").unwrap_or_default().to_owned();
        let label = engine.original(cx, "metering_labels", None, &label_id).await?;
        // A shared label counts for everybody; what it counts is its owner's business.
        if !cx.sees_all() && label.project_id() != cx.project_id() {
            return Err(label_not_found(&label_id));
        }
        canonical(body)
    }

    async fn create(&self, op: &mut Op<'_>, id: &str, body: &mut Body) -> Result<()> {
        let label_id = body.str("metering_label_id").unwrap_or_default().to_owned();
        // One new rule of a label at a time, so that overlaps are seen.
        op.lock("metering_labels", &label_id).await?.ok_or_else(|| label_not_found(&label_id))?;
        ensure_apart(op, &label_id, body).await?;
        op.insert(id, body, &[]).await
    }
}

/// Writes prefixes as they are stored, with their host bits, and refuses those that make no rule.
fn canonical(body: &mut Body) -> Result<()> {
    let mut named = Vec::new();
    for name in PREFIXES {
        let value = body.get(name).cloned().unwrap_or_default();
        // Neutron's tables check nothing here; what is empty counts as not given.
        let text = match &value {
            value if value.is_null() || value == "" => {
                body.set(name, serde_json::Value::Null);
                continue;
            }
            value => value.as_str().unwrap_or_default(),
        };
        let Ok((address, cidr)) = Cidr::parse_with_address(text) else {
            let shown: String = value.to_string().chars().take(64).collect();
            return Err(INVALID.error(format!("{name}: {shown} is no IP address or network.")));
        };
        body.set(name, format!("{address}/{}", cidr.prefixlen()));
        named.push(name);
    }
    match named[..] {
        [] => Err(INVALID.error(format!("A metering label rule needs at least one of {}.", PREFIXES.join(", ")))),
        [first, _, ..] if first == PREFIXES[0] => {
            Err(INVALID.error("remote_ip_prefix cannot be used together with source_ip_prefix or destination_ip_prefix."))
        }
        _ => Ok(()),
    }
}

async fn ensure_apart(op: &mut Op<'_>, label_id: &str, body: &Body) -> Result<()> {
    let cidr = |text: &str| Cidr::parse_with_address(text).ok().map(|(_, cidr)| cidr);
    let Some(text) = body.str(PREFIXES[0]) else { return Ok(()) };
    let Some(new) = cidr(text) else { return Ok(()) };
    let sql = "SELECT remote_ip_prefix FROM meteringlabelrules \
               WHERE metering_label_id = ? AND direction = ? AND excluded = ? AND remote_ip_prefix IS NOT NULL";
    let same = args![label_id, body.str("direction").unwrap_or_default(), body.bool("excluded").unwrap_or_default()];
    for row in op.tx.query(sql, same).await? {
        let other = row.text(0)?;
        if cidr(&other).is_some_and(|other| other.overlaps(&new)) {
            return Err(OVERLAPS.error(format!("Metering label rule with remote_ip_prefix {text} overlaps another, that with {other}.")));
        }
    }
    Ok(())
}

fn label_not_found(id: &str) -> neutrino_types::Error {
    LABEL_NOT_FOUND.error(format!("Metering label {id} could not be found."))
}
