// SPDX-License-Identifier: Apache-2.0
//! Extension `external-gateway-multihoming`: routers with several gateways.
//!
//! `external_gateways` shows them, the first (that of `external_gateway_info`) before the others. `add_external_gateways`,
//! `update_external_gateways` and `remove_external_gateways` name gateways by their network, and by an address where several lead to it.
//! Rules: as those of `external_gateway_info` for each; two gateways of one router may lead to one network, but subnets of different networks
//! must not overlap; a gateway stays while floating IPs of its network need it.

use std::collections::BTreeSet;

use async_trait::async_trait;
use neutrino_core::{Builder, Context, Engine, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{
    Attribute, Body, Converter, Extension, Page, Validator,
    attribute::{Default, Kind as Stored},
    validate::KeySpec,
};
use neutrino_types::{Kind, Result, error::kinds};
use serde_json::{Value, json};

use super::{
    GATEWAY, dvr,
    gateway::{self, Gateway, Wanted},
    placement, ports,
    rules::{claim, shown},
};

const GATEWAYS: &str = "external_gateways";
const ALIAS: &str = "external-gateway-multihoming";

// Neutron answers these with 500; the request is at fault.
const CANNOT_MATCH: Kind = Kind::new("UnableToMatchGateways", 400);
const CANNOT_REMOVE: Kind = Kind::new("UnableToRemoveGateways", 400);

static KEYS: &[KeySpec] = &[
    KeySpec::new("network_id", Validator::Uuid).required(),
    KeySpec::new("external_fixed_ips", Validator::FixedIps).optional(),
    KeySpec::new("enable_snat", Validator::Boolean).optional().convert_to(Converter::ToBoolean),
];

static EXTENSION: Extension = Extension::new(
    ALIAS,
    "Neutron L3 External Gateway Multihoming",
    "Allow multiple external gateway ports per router",
    "2023-01-18T00:00:00-00:00",
)
.requires(&["router", "ext-gw-mode"])
.extends(&[("routers", &[Attribute::new(GATEWAYS).default(Default::Null).validate(Validator::ListOfDictOrNodata(KEYS)).enforce_policy()])]);

static ENABLE_SNAT: Extension = Extension::new(
    "router-enable-snat",
    "Exposes the router \"enable_snat\" read-only configuration flag",
    "Exposes the router \"enable_snat\" read-only configuration flag",
    "2025-09-18T18:00:00-00:00",
)
.extends(&[(
    "routers",
    &[Attribute::new("enable_snat")
        .default(Default::Bool(true))
        .convert(Converter::ToBoolean)
        .filter()
        .sort()
        .required_by_policy()
        .column("enable_snat", Stored::Bool)],
)]);

struct Gateways;

#[async_trait]
impl Loader for Gateways {
    fn fills(&self) -> &'static [&'static str] {
        &[GATEWAYS]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::new(
            "SELECT r.id, p.id, p.network_id, a.subnet_id, a.ip_address, \
             CASE WHEN p.id = r.gw_port_id THEN 0 ELSE 1 END, p.standard_attr_id FROM routers r JOIN routerports rp ON rp.router_id = r.id AND \
             rp.port_type = ? JOIN ports p ON p.id = rp.port_id LEFT JOIN ipallocations a ON a.port_id = p.id WHERE ",
            args![GATEWAY],
        );
        sql.append(of_page(dialect, "r.id", page));
        sql.push(" ORDER BY r.id, CASE WHEN p.id = r.gw_port_id THEN 0 ELSE 1 END, p.standard_attr_id, a.ip_address, a.subnet_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(GATEWAYS, &json!([]));
        let mut found: Vec<(usize, String, Value)> = Vec::new();
        let place = page.by_id();
        for row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            let port_id = row.text(1)?;
            if found.last().is_none_or(|(_, last, _)| *last != port_id) {
                found.push((at, port_id, json!({"network_id": row.text(2)?, "external_fixed_ips": []})));
            }
            let addresses = found.last_mut().and_then(|(_, _, shown)| shown["external_fixed_ips"].as_array_mut());
            if let (Some(subnet), Some(address), Some(list)) = (row.opt_text(3)?, row.opt_text(4)?, addresses) {
                list.push(json!({"subnet_id": subnet, "ip_address": address}));
            }
        }
        for (at, _, shown) in found {
            page.push(at, GATEWAYS, shown);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Verb {
    Add,
    Update,
    Remove,
}

/// Runs one of the three actions, as one transaction.
pub(super) async fn act(engine: &Engine, cx: &Context, name: &str, id: &str, request: &Value, snat: bool) -> Result<(u16, Value)> {
    let verb = match name {
        _ if !engine.registry.has_extension(ALIAS) => return Err(kinds::NOT_FOUND.error("The resource could not be found.")),
        "add_external_gateways" => Verb::Add,
        "update_external_gateways" => Verb::Update,
        _ => Verb::Remove,
    };
    let Some(asked) = asked(engine, request)? else { return shown(engine, cx, id).await };
    for wanted in &asked {
        wanted.ensure_visible(engine, cx).await?;
    }
    let router_id = id.to_owned();
    let done = engine.transact(cx, "routers", "external gateways", |op| {
        let (asked, id) = (asked.clone(), router_id.clone());
        Box::pin(async move {
            let standard = claim(op, &id).await?;
            let before = networks(op, &id).await?;
            match verb {
                Verb::Add => add(op, &id, &asked, snat).await?,
                Verb::Update => update(op, &id, &asked, snat).await?,
                Verb::Remove => remove(op, &id, &asked, snat).await?,
            }
            dvr::align(op, &id).await?;
            op.touch(standard);
            let after = networks(op, &id).await?;
            Ok(before.difference(&after).cloned().collect::<Vec<_>>())
        })
    });
    let left = done.await?;
    placement::changed(engine, cx, id).await;
    placement::left(engine, cx, id, &left).await;
    shown(engine, cx, id).await
}

/// Where the router leads.
async fn networks(op: &mut Op<'_>, router_id: &str) -> Result<BTreeSet<String>> {
    Ok(gateway::all(op, router_id).await?.into_iter().map(|gateway| gateway.network_id).collect())
}

/// The gateways that a request names; `None` when it names none at all, which asks for nothing.
fn asked(engine: &Engine, request: &Value) -> Result<Option<Vec<Wanted>>> {
    let malformed =
        || kinds::BAD_REQUEST.error("The request must have a list of gateways: {\"router\": {\"external_gateways\": [{\"network_id\"}]}}.");
    let router = request["router"].as_object().ok_or_else(malformed)?;
    let Some(given) = router.get(GATEWAYS) else { return Ok(None) };
    let mut asked = Vec::new();
    for gateway in given.as_array().ok_or_else(malformed)? {
        // One by one: two gateways may be asked for in the same words.
        let table = engine.entry("routers")?.table.clone();
        let gateway = Body::made_good(table, GATEWAYS, json!([gateway]), &engine.registry.limits)?;
        let wanted = Wanted::read(&gateway[0]);
        if wanted.network_id.is_none() {
            return Err(malformed());
        }
        asked.push(wanted);
    }
    Ok(Some(asked))
}

async fn add(op: &mut Op<'_>, router_id: &str, asked: &[Wanted], snat: bool) -> Result<()> {
    let mut asked = asked.iter();
    if gateway::all(op, router_id).await?.is_empty()
        && let Some(first) = asked.next()
    {
        gateway::apply(op, router_id, first, snat).await?;
    }
    for wanted in asked {
        gateway::add(op, router_id, wanted).await?;
    }
    Ok(())
}

/// The gateways become those of the list, the first of them the first.
async fn update(op: &mut Op<'_>, router_id: &str, asked: &[Wanted], snat: bool) -> Result<()> {
    let Some((first, rest)) = asked.split_first() else { return remove_all(op, router_id, snat).await };
    if let Some(gateway) = find(router_id, &gateway::all(op, router_id).await?, first)? {
        gateway::make_first(op, router_id, &gateway.port_id).await?;
    }
    gateway::apply(op, router_id, first, snat).await?;
    let mut others = gateway::all(op, router_id).await?;
    others.retain(|gateway| !gateway.is_first);
    let mut new = Vec::new();
    for wanted in rest {
        let Some(found) = find(router_id, &others, wanted)?.map(|gateway| gateway.port_id.clone()) else {
            new.push(wanted);
            continue;
        };
        others.retain(|gateway| gateway.port_id != found);
        gateway::ensure_fits(op, router_id, wanted, None).await?;
        if !wanted.fixed_ips.is_empty() {
            ports::update(op, &found, json!({"fixed_ips": wanted.fixed_ips})).await?;
        }
    }
    for gateway in &others {
        remove_other(op, router_id, gateway).await?;
    }
    for wanted in new {
        gateway::add(op, router_id, wanted).await?;
    }
    Ok(())
}

async fn remove(op: &mut Op<'_>, router_id: &str, asked: &[Wanted], snat: bool) -> Result<()> {
    let mut held = gateway::all(op, router_id).await?;
    if held.is_empty() {
        return Err(CANNOT_REMOVE.error(format!("Gateways of router {router_id} cannot be removed: it has none.")));
    }
    let mut first_goes = false;
    for wanted in asked {
        gateway::ensure_fits(op, router_id, wanted, None).await?;
        let Some(found) = find(router_id, &held, wanted)?.map(|gateway| gateway.port_id.clone()) else {
            let network = wanted.network_id.as_deref().unwrap_or_default();
            return Err(CANNOT_MATCH.error(format!(
                "Router {router_id} has no gateway to network {network} with the addresses {}.",
                Value::from(wanted.fixed_ips.clone())
            )));
        };
        let (gone, kept): (Vec<Gateway>, Vec<Gateway>) = held.into_iter().partition(|gateway| gateway.port_id == found);
        held = kept;
        for gateway in gone {
            // The first goes last: it is what another takes the place of.
            if gateway.is_first {
                first_goes = true;
            } else {
                remove_other(op, router_id, &gateway).await?;
            }
        }
    }
    if first_goes {
        gateway::apply(op, router_id, &Wanted::default(), snat).await?;
    }
    Ok(())
}

async fn remove_all(op: &mut Op<'_>, router_id: &str, snat: bool) -> Result<()> {
    for gateway in gateway::all(op, router_id).await?.iter().filter(|gateway| !gateway.is_first) {
        remove_other(op, router_id, gateway).await?;
    }
    gateway::apply(op, router_id, &Wanted::default(), snat).await.map(drop)
}

/// A gateway that is not the first.
async fn remove_other(op: &mut Op<'_>, router_id: &str, gateway: &Gateway) -> Result<()> {
    let sql = "SELECT count(*) FROM floatingips WHERE router_id = ? AND floating_network_id = ?";
    let held = op.tx.count(sql, args![router_id, &gateway.network_id]).await?;
    let leads_there = |other: &&Gateway| other.network_id == gateway.network_id;
    if held > 0 && gateway::all(op, router_id).await?.iter().filter(leads_there).count() < 2 {
        return Err(gateway::in_use(router_id, &gateway.network_id));
    }
    ports::delete(op, &gateway.port_id).await
}

/// The gateway that a request means: that to the network, by one of its addresses if the request names any.
///
/// # Errors
/// `UnableToMatchGateways` when several could be meant.
fn find<'a>(router_id: &str, held: &'a [Gateway], wanted: &Wanted) -> Result<Option<&'a Gateway>> {
    let mut there = held.iter().filter(|gateway| Some(gateway.network_id.as_str()) == wanted.network_id.as_deref());
    let addresses = wanted.values("ip_address");
    if addresses.is_empty() {
        let found = there.next();
        if there.next().is_some() {
            return Err(CANNOT_MATCH.error(format!(
                "Router {router_id} has several gateways to network {}: name one by an address in external_fixed_ips.",
                wanted.network_id.as_deref().unwrap_or_default()
            )));
        }
        return Ok(found);
    }
    let is_named = |address: &neutrino_types::ip::Ip| addresses.iter().any(|text| text.parse().ok() == Some(*address));
    Ok(there.find(|gateway| gateway.addresses.iter().any(|(_, address)| is_named(address))))
}

pub(super) fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).extension(&ENABLE_SNAT).loader("routers", Gateways);
}
