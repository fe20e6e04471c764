// SPDX-License-Identifier: Apache-2.0
//! Allowed address pairs: further addresses that a port may send from. Always on.
//!
//! Rules: a pair without a MAC address has the port's; a pair stands once. That they need port security is `port_security`'s.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Body, Converter, Extension, Page, Record, Validator, attribute::Default};
use neutrino_types::{Kind, Result};
use oslo_config::Opt;
use serde_json::{Value, json};

const DUPLICATE: Kind = Kind::new("DuplicateAddressPairInRequest", 400);
const TABLE: &str = "allowedaddresspairs";
const NAME: &str = "allowed_address_pairs";

static EXTENSION: Extension =
    Extension::new("allowed-address-pairs", "Allowed Address Pairs", "Provides allowed address pairs", "2013-07-23T10:00:00-00:00")
        .extends(&[(
            "ports",
            &[Attribute::new(NAME)
                .post()
                .put()
                .default(Default::Unset)
                .convert(Converter::NoneToEmptyList)
                .convert_list(Converter::KvpListToDict)
                .validate(Validator::AllowedAddressPairs)
                .enforce_policy()],
        )]);

/// The validator refuses multicast addresses.
static REJECT_MULTICAST: Extension = Extension::new(
    "aap-reject-multicast",
    "Allowed address pairs reject multicast extension",
    "Reject multicast addresses in Allowed Address Pairs",
    "2026-04-01T00:00:00-00:00",
)
.requires(&["allowed-address-pairs"]);

pub const OPTION: Opt =
    Opt::int("DEFAULT", "max_allowed_address_pair").default("10").min(0).help("The most allowed address pairs that one port may have.");

struct Pairs;

/// The pairs of a body as (MAC, IP), with the port's MAC where a pair names none.
fn pairs<'b>(body: &'b Body, port_mac: &'b str) -> Option<Vec<(&'b str, &'b str)>> {
    let one = |pair: &'b Value| (pair["mac_address"].as_str().unwrap_or(port_mac), pair["ip_address"].as_str().unwrap_or_default());
    Some(body.list(NAME)?.iter().map(one).collect())
}

async fn insert(op: &mut Op<'_>, id: &str, pairs: Vec<(&str, &str)>) -> Result<()> {
    for (mac, ip) in pairs {
        let columns = vec![("port_id", id.into()), ("mac_address", mac.into()), ("ip_address", ip.into())];
        op.insert_row(TABLE, columns).await.map_err(|error| match error.is_duplicate("") {
            true => DUPLICATE.error(format!("The request has the address pair of IP {ip} and MAC {mac} twice.")),
            false => error,
        })?;
    }
    Ok(())
}

#[async_trait]
impl Hook for Pairs {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        let pairs = pairs(body, body.str("mac_address").unwrap_or_default()).unwrap_or_default();
        insert(op, id, pairs).await
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let mac = body.str("mac_address").unwrap_or_else(|| original.str("mac_address"));
        let Some(mut asked) = pairs(body, mac) else { return Ok(()) };
        let mut held: Vec<(&str, &str)> = original
            .list(NAME)
            .iter()
            .map(|pair| (pair["mac_address"].as_str().unwrap_or_default(), pair["ip_address"].as_str().unwrap_or_default()))
            .collect();
        asked.sort_unstable();
        held.sort_unstable();
        if asked == held {
            return Ok(());
        }
        op.touch(original.standard_attr_id);
        op.tx.execute("DELETE FROM allowedaddresspairs WHERE port_id = ?", args![original.id()]).await?;
        insert(op, original.id(), asked).await
    }
}

#[async_trait]
impl Loader for Pairs {
    fn fills(&self) -> &'static [&'static str] {
        &[NAME]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT port_id, mac_address, ip_address FROM allowedaddresspairs WHERE ");
        sql.append(of_page(dialect, "port_id", page));
        sql.push(" ORDER BY mac_address, ip_address");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        page.fill(NAME, &json!([]));
        for row in rows {
            if let Some(at) = place.get(row.str(0)?) {
                page.push(*at, NAME, json!({"mac_address": row.text(1)?, "ip_address": row.text(2)?}));
            }
        }
        Ok(())
    }
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).extension(&REJECT_MULTICAST).hook("ports", Pairs).loader("ports", Pairs);
}
