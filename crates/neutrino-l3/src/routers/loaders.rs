// SPDX-License-Identifier: Apache-2.0
//! Attributes of routers that come from other tables; one statement each for a page.

use async_trait::async_trait;
use neutrino_core::{Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{Body, Page};
use neutrino_types::Result;
use serde_json::{Value, json};

use super::{errors::ZONE_NOT_FOUND, gateway, routes};

pub(crate) const ZONES: &str = "availability_zones";
pub(crate) const ZONE_HINTS: &str = "availability_zone_hints";

pub struct GatewayInfo;

#[async_trait]
impl Loader for GatewayInfo {
    fn fills(&self) -> &'static [&'static str] {
        &[gateway::INFO]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT r.id, p.network_id, r.enable_snat, a.subnet_id, a.ip_address FROM routers r JOIN ports p ON p.id = r.gw_port_id \
             LEFT JOIN ipallocations a ON a.port_id = p.id WHERE ",
        );
        sql.append(of_page(dialect, "r.id", page));
        sql.push(" ORDER BY r.id, a.ip_address, a.subnet_id");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(gateway::INFO, &Value::Null);
        let place = page.by_id();
        for row in rows {
            let Some(&at) = place.get(row.str(0)?) else { continue };
            let mut info = page.rows[at].get(gateway::INFO).clone();
            if info.is_null() {
                info = json!({"network_id": row.text(1)?, "external_fixed_ips": [], "enable_snat": row.bool(2)?});
            }
            if let (Some(subnet), Some(address), Some(list)) =
                (row.opt_text(3)?, row.opt_text(4)?, info["external_fixed_ips"].as_array_mut())
            {
                list.push(json!({"subnet_id": subnet, "ip_address": address}));
            }
            page.rows[at].set(gateway::INFO, info);
        }
        Ok(())
    }
}

pub struct Routes;

#[async_trait]
impl Loader for Routes {
    fn fills(&self) -> &'static [&'static str] {
        &[routes::ROUTES]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw("SELECT router_id, destination, nexthop FROM routerroutes WHERE ");
        sql.append(of_page(dialect, "router_id", page)).push(" ORDER BY destination, nexthop");
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        page.fill(routes::ROUTES, &json!([]));
        let place = page.by_id();
        for row in rows {
            if let Some(&at) = place.get(row.str(0)?) {
                page.push(at, routes::ROUTES, routes::shown(&row.text(1)?, &row.text(2)?));
            }
        }
        Ok(())
    }
}

pub struct Zones;

#[async_trait]
impl Loader for Zones {
    fn fills(&self) -> &'static [&'static str] {
        &[ZONES]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql =
            Sql::raw("SELECT b.router_id, a.availability_zone FROM routerl3agentbindings b JOIN agents a ON a.id = b.l3_agent_id WHERE ");
        sql.append(of_page(dialect, "b.router_id", page)).push(" ORDER BY b.router_id, a.availability_zone");
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

/// Refuses hints that name no zone with an L3 agent. An absent column stands for no hint.
pub(crate) async fn check_hints(op: &mut Op<'_>, body: &mut Body) -> Result<()> {
    let hints: Vec<String> = body.list(ZONE_HINTS).unwrap_or_default().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    if hints.is_empty() {
        body.remove(ZONE_HINTS);
        return Ok(());
    }
    let mut sql = Sql::new("SELECT DISTINCT availability_zone FROM agents WHERE agent_type = ? AND ".to_owned(), args!["L3 agent"]);
    sql.append(Sql::in_texts(op.tx.dialect(), "availability_zone", hints.iter().map(String::as_str)));
    let known: Vec<String> = op.tx.select(sql).await?.iter().map(|row| row.text(0)).collect::<Result<_>>()?;
    match hints.iter().find(|hint| !known.contains(hint)) {
        None => Ok(()),
        Some(hint) => Err(ZONE_NOT_FOUND.error(format!("Availability zone {hint} could not be found: no L3 agent is in it."))),
    }
}
