// SPDX-License-Identifier: Apache-2.0
//! Extension `network_availability_zone`: in which zones a network's DHCP service shall run, and in which it does.

use async_trait::async_trait;
use neutrino_core::{Builder, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{
    Attribute, Body, Extension, Page, Validator,
    attribute::{Default, Kind},
};
use neutrino_types::{Kind as ErrorKind, Result};
use serde_json::{Value, json};

pub const NOT_FOUND: ErrorKind = ErrorKind::new("AvailabilityZoneNotFound", 404);

const HINTS: &str = "availability_zone_hints";
const ZONES: &str = "availability_zones";

static EXTENSION: Extension = Extension::new(
    "network_availability_zone",
    "Network Availability Zone",
    "Availability zone support for network.",
    "2015-01-01T10:00:00-00:00",
)
.extends(&[(
    "networks",
    &[
        Attribute::new(ZONES),
        Attribute::new(HINTS)
            .post()
            .default(Default::EmptyList)
            .validate(Validator::AvailabilityZoneHintList)
            .sort()
            .column(HINTS, Kind::Json),
    ],
)]);

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).loader("networks", Zones);
}

/// Refuses hints that name no zone with a DHCP agent. An absent column stands for no hint.
///
/// # Errors
/// 404 `AvailabilityZoneNotFound`; the database's.
pub async fn create(op: &mut Op<'_>, body: &mut Body) -> Result<()> {
    let hints: Vec<String> = body.list(HINTS).unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if hints.is_empty() {
        body.remove(HINTS);
        return Ok(());
    }
    let mut sql = Sql::new("SELECT DISTINCT availability_zone FROM agents WHERE agent_type = ? AND ".to_owned(), args!["DHCP agent"]);
    sql.append(Sql::in_texts(op.tx.dialect(), "availability_zone", hints.iter().map(String::as_str)));
    let known: Vec<String> = op.tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    match hints.iter().find(|hint| !known.contains(hint)) {
        None => Ok(()),
        Some(hint) => Err(NOT_FOUND.error(format!("Availability zone {hint} could not be found: no DHCP agent is in it."))),
    }
}

struct Zones;

#[async_trait]
impl Loader for Zones {
    fn fills(&self) -> &'static [&'static str] {
        &[ZONES]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT b.network_id, a.availability_zone FROM networkdhcpagentbindings b JOIN agents a ON a.id = b.dhcp_agent_id WHERE ",
        );
        sql.append(of_page(dialect, "b.network_id", page));
        sql.push(" ORDER BY b.network_id, a.availability_zone");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(ZONES, &json!([]));
        let place = page.by_id();
        for row in rows {
            let zone = row.opt_text(1)?.map_or(Value::Null, Value::String);
            if let Some(&at) = place.get(row.str(0)?)
                && page.rows[at].list(ZONES).last() != Some(&zone)
            {
                page.push(at, ZONES, zone);
            }
        }
        Ok(())
    }
}
