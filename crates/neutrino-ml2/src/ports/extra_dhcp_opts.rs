// SPDX-License-Identifier: Apache-2.0
//! Extra DHCP options of a port. Always on.
//!
//! Rules: an update changes the options that it names (null takes one away) and leaves the others; a name stands once for each IP
//! version; an empty value is kept for those options only to which it means something.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Body, Choice, Converter, Extension, KeySpec, Page, Record, Validator, attribute::Default};
use neutrino_types::{Result, error::kinds};
use serde_json::{Value, json};

const NAME: &str = "extra_dhcp_opts";
const MAY_BE_BLANK: [&str; 2] = ["router", "classless-static-route"];

const fn key(key: &'static str, required: bool, convert: Option<Converter>, check: Validator) -> KeySpec {
    KeySpec { key, required: Some(required), convert, check: Some(check), default: None, described: None }
}

const IP_VERSION: KeySpec = key("ip_version", false, Some(Converter::ToInt), Validator::Values(Some(&[Choice::Int(4), Choice::Int(6)])));
const BLANK: &[KeySpec] = &[
    key("opt_name", true, None, Validator::Values(Some(&[Choice::Str("router"), Choice::Str("classless-static-route")]))),
    key("opt_value", true, None, Validator::StringOrNone(Some(255))),
    IP_VERSION,
];
const OTHERS: &[KeySpec] = &[
    key("opt_name", true, None, Validator::OnelineNotEmptyString(Some(64))),
    key("opt_value", true, None, Validator::OnelineNotEmptyStringOrNone(Some(255))),
    IP_VERSION,
];

static EXTENSION: Extension = Extension::new(
    "extra_dhcp_opt",
    "Neutron Extra DHCP options",
    "Extra options configuration for DHCP. For example PXE boot options to DHCP clients can be specified (e.g. tftp-server, server-ip-address, bootfile-name)",
    "2013-03-17T12:00:00-00:00",
)
.extends(&[(
    "ports",
    &[Attribute::new(NAME).post().put().default(Default::Null).validate(Validator::ListOfAnyKeySpecsOrNone(&[BLANK, OTHERS]))],
)]);

/// One option of a request.
struct Asked<'b> {
    name: &'b str,
    value: Option<&'b str>,
    ip_version: i64,
}

impl Asked<'_> {
    /// Worth a row?
    fn is_kept(&self) -> bool {
        self.value.is_some_and(|value| !value.is_empty() || MAY_BE_BLANK.contains(&self.name))
    }
}

fn one_asked(option: &Value) -> Asked<'_> {
    Asked {
        name: option["opt_name"].as_str().unwrap_or_default(),
        value: option["opt_value"].as_str(),
        ip_version: option["ip_version"].as_i64().unwrap_or(4),
    }
}

fn asked(body: &Body) -> Vec<Asked<'_>> {
    body.list(NAME).unwrap_or_default().iter().map(one_asked).collect()
}

async fn insert(op: &mut Op<'_>, port_id: &str, option: &Asked<'_>) -> Result<()> {
    let columns = vec![
        ("id", op.cx.new_id().into()),
        ("port_id", port_id.into()),
        ("opt_name", option.name.into()),
        ("opt_value", option.value.into()),
        ("ip_version", option.ip_version.into()),
    ];
    op.insert_row("extradhcpopts", columns).await.map_err(|error| match error.is_duplicate("") {
        true => {
            kinds::INVALID_INPUT.error(format!("The request has the extra DHCP option {} for IPv{} twice.", option.name, option.ip_version))
        }
        false => error,
    })
}

struct Options;

#[async_trait]
impl Hook for Options {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        for option in asked(body).iter().filter(|option| option.is_kept()) {
            insert(op, id, option).await?;
        }
        Ok(())
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        for option in asked(body) {
            let held = original
                .list(NAME)
                .iter()
                .find(|held| held["opt_name"].as_str() == Some(option.name) && held["ip_version"].as_i64() == Some(option.ip_version));
            let key = args![original.id(), option.name, option.ip_version];
            match (held, option.value) {
                (Some(_), None) => {
                    let text = "DELETE FROM extradhcpopts WHERE port_id = ? AND opt_name = ? AND ip_version = ?";
                    op.tx.execute(text, key).await?;
                }
                (Some(held), Some(value)) if option.is_kept() && held["opt_value"].as_str() != Some(value) => {
                    let text = "UPDATE extradhcpopts SET opt_value = ? WHERE port_id = ? AND opt_name = ? AND ip_version = ?";
                    op.tx.execute(text, [args![value], key].concat()).await?;
                }
                (None, Some(_)) if option.is_kept() => insert(op, original.id(), &option).await?,
                _ => continue,
            }
            op.touch(original.standard_attr_id);
        }
        Ok(())
    }
}

#[async_trait]
impl Loader for Options {
    fn fills(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT port_id, opt_name, opt_value, ip_version FROM extradhcpopts WHERE ");
        sql.append(of_page(dialect, "port_id", page));
        sql.push(" ORDER BY opt_name, ip_version");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill(NAME, &json!([]));
        for row in rows {
            if let Some(at) = place.get(row.str(0)?) {
                page.push(*at, NAME, json!({"opt_name": row.text(1)?, "opt_value": row.text(2)?, "ip_version": row.int(3)?}));
            }
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("ports", Options).loader("ports", Options);
}
