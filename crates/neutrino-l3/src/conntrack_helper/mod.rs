// SPDX-License-Identifier: Apache-2.0
//! Service plugin `conntrack_helper`: protocols whose connections a router must follow with a helper of its kernel.
//!
//! Owns `conntrack_helpers` and the attribute of routers that shows them. Rules: only helpers and protocols that the operator allows; a
//! router has each (protocol, port, helper) once. A change raises the router's revision.

mod rules;

use async_trait::async_trait;
use neutrino_core::{Builder, Loader, loading::of_page};
use neutrino_db::{Dialect, Row, Sql};
use neutrino_model::{
    Attribute, Converter, Extension, Page, Resource, Validator, Visibility,
    attribute::{Default, Kind, common},
};
use neutrino_types::{Kind as ErrorKind, Result};
use oslo_config::{Config, Opt, Value};
use serde_json::json;

use crate::port_forwarding::PROTOCOLS;

const NOT_FOUND: ErrorKind = ErrorKind::new("ConntrackHelperNotFound", 404);
const NOT_ALLOWED: ErrorKind = ErrorKind::new("ConntrackHelperNotAllowed", 400);
const WRONG_PROTOCOL: ErrorKind = ErrorKind::new("InvalidProtocolForHelper", 400);

/// As the registry knows the collection.
const COLLECTION: &str = "routers/conntrack_helpers";
const HELPERS: &str = "conntrack_helpers";

pub static OPTIONS: &[Opt] = &[Opt::list("DEFAULT", "allowed_conntrack_helpers")
    .item(&oslo_config::Kind::Dict { item: &oslo_config::Kind::Str { max_length: 0 }, bounds: false })
    .default("amanda:tcp,ftp:tcp,h323:udp,h323:tcp,irc:tcp,netbios-ns:udp,pptp:tcp,sane:tcp,sip:udp,sip:tcp,snmp:udp,tftp:udp")
    .help("Helpers that routers may use, each with its protocol.")];

static RESOURCE: Resource = Resource::new(
    HELPERS,
    "conntrack_helper",
    HELPERS,
    HELPERS,
    NOT_FOUND,
    &[
        common::ID,
        common::PROJECT_OF_PARENT,
        Attribute::new("router_id").hidden().column("router_id", Kind::Text),
        Attribute::new("protocol")
            .post()
            .put()
            .convert(Converter::ToProtocol)
            .validate(PROTOCOLS)
            .filter()
            .sort()
            .column("protocol", Kind::Text),
        Attribute::new("port")
            .post()
            .put()
            .convert(Converter::ToInt)
            .validate(Validator::Range(Some(1), Some(65_535)))
            .filter()
            .sort()
            .column("port", Kind::Int),
        Attribute::new("helper")
            .post()
            .put()
            .convert(Converter::ToString)
            .validate(Validator::String(Some(64)))
            .filter()
            .sort()
            .column("helper", Kind::Text),
    ],
)
.child_of("routers", "router_id")
.visibility(Visibility::Sql("EXISTS (SELECT 1 FROM routers r WHERE r.id = t.router_id AND r.project_id = :project)"));

static EXTENSION: Extension = Extension::new(
    "l3-conntrack-helper",
    "L3 Conntrack helper",
    "Allow adding CT target rules for conntrack helper",
    "2019-04-04T10:00:00-00:00",
)
.requires(&["router"])
.resources(&[&RESOURCE]);

static EXPOSE: Extension = Extension::new(
    "expose-l3-conntrack-helper",
    "Expose CT target rules for conntrack helper",
    "Expose allow adding CT target rules for conntrack helper",
    "2019-04-04T10:00:00-00:00",
)
.requires(&["router", "l3-conntrack-helper"])
.extends(&[("routers", &[Attribute::new(HELPERS).default(Default::Null)])]);

/// Fills `conntrack_helpers` of routers.
struct Helpers;

#[async_trait]
impl Loader for Helpers {
    fn fills(&self) -> &'static [&'static str] {
        &[HELPERS]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT router_id, protocol, port, helper, id FROM conntrack_helpers WHERE ");
        sql.append(of_page(dialect, "router_id", page)).push(" ORDER BY id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(HELPERS, &json!([]));
        let place = page.by_id();
        for row in rows {
            if let Some(&at) = place.get(row.str(0)?) {
                page.push(at, HELPERS, json!({"protocol": row.text(1)?, "port": row.int(2)?, "helper": row.text(3)?}));
            }
        }
        Ok(())
    }
}

/// What the operator allows: helper and protocol.
///
/// # Errors
/// A sentence for the operator: an entry that is not one pair.
fn allowed(config: &Config) -> std::result::Result<Vec<(String, String)>, String> {
    let Value::List(items) = config.value("DEFAULT", "allowed_conntrack_helpers") else { return Ok(Vec::new()) };
    let one = |item: &Value| match item {
        Value::Dict(pairs) => match pairs.iter().collect::<Vec<_>>().as_slice() {
            [(helper, Value::Str(protocol))] => Some((helper.clone(), protocol.clone())),
            _ => None,
        },
        _ => None,
    };
    let pairs: Option<Vec<_>> = items.iter().map(one).collect();
    pairs.ok_or_else(|| {
        let reason = "each entry must be one helper and its protocol, such as 'tftp:udp'";
        let value = config.list("DEFAULT", "allowed_conntrack_helpers").join(",");
        config.refuse::<&str>("DEFAULT", "allowed_conntrack_helpers", &value, reason, &[]).to_string()
    })
}

/// # Errors
/// A sentence for the operator.
pub fn register(builder: &mut Builder, config: &Config) -> std::result::Result<(), String> {
    builder.extension(&EXTENSION).extension(&EXPOSE);
    builder.behaviour(COLLECTION, rules::ConntrackHelpers { allowed: allowed(config)? }).loader("routers", Helpers);
    Ok(())
}
