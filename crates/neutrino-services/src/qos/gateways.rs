// SPDX-License-Identifier: Apache-2.0
//! Policies of the addresses by which routers lead out: `qos_policy_id` in `external_gateway_info`.
//!
//! Owns that key alone; the rest is the routers' business, and is written before the hook runs. Rules: a router without a gateway has no
//! policy; a request that does not name one keeps it. As in Neutron the key is shown once the router or its outer network has a policy.

use async_trait::async_trait;
use neutrino_core::{Hook, Loader, Op, loading::of_page};
use neutrino_db::{Dialect, Row, Sql, args};
use neutrino_model::{Attribute, Body, Converter, Extension, KeySpec, Page, Record, Validator, attribute::Default};
use neutrino_types::Result;
use serde_json::Value;

use super::{
    bindings::{self, ROUTER},
    ports::POLICY,
};

const INFO: &str = "external_gateway_info";

static KEYS: &[KeySpec] = &[
    KeySpec::new("network_id", Validator::Uuid).required(),
    KeySpec::new("external_fixed_ips", Validator::FixedIps).optional(),
    KeySpec::new("enable_snat", Validator::Boolean).optional().convert_to(Converter::ToBoolean),
    KeySpec::new(POLICY, Validator::UuidOrNone).optional(),
];

pub static EXTENSION: Extension = Extension::new(
    "qos-gateway-ip",
    "Router gateway IP QoS",
    "The Router gateway IP Quality of Service extension",
    "2018-02-24T00:00:00-00:00",
)
.requires(&["router", "qos", "ext-gw-mode"])
.extends(&[(
    "routers",
    &[Attribute::new(INFO).post().put().default(Default::Null).validate(Validator::DictOrNodata(KEYS)).enforce_policy()],
)]);

pub struct Gateways;

/// Brings the router's policy in line with a request. `led_out`: did it have a gateway before? Whether that changes anything.
async fn apply(op: &mut Op<'_>, id: &str, body: &Body, led_out: bool) -> Result<bool> {
    let Some(info) = body.get(INFO) else { return Ok(false) };
    let row = op.tx.query_one("SELECT gw_port_id FROM routers WHERE id = ?", args![id]).await?;
    let leads_out = row.map(|row| row.opt_text(0)).transpose()?.flatten().is_some();
    let wanted = match info.get(POLICY) {
        _ if !leads_out => None,
        Some(wanted) => wanted.as_str(),
        None if led_out => return Ok(false),
        // A first gateway inherits nothing of one that an action took away.
        None => None,
    };
    let old = bindings::of(op, &ROUTER, id).await?;
    bindings::change(op, &ROUTER, id, old.as_deref(), wanted).await
}

#[async_trait]
impl Hook for Gateways {
    async fn create(&self, op: &mut Op<'_>, id: &str, body: &Body) -> Result<()> {
        if !body.get(INFO).is_some_and(Value::is_object) {
            return Ok(());
        }
        apply(op, id, body, false).await.map(drop)
    }

    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        if apply(op, original.id(), body, original.get(INFO).is_object()).await? {
            op.touch(original.standard_attr_id);
        }
        Ok(())
    }
}

/// Adds the key to what the routers' own loader made.
#[async_trait]
impl Loader for Gateways {
    fn fills(&self) -> &'static [&'static str] {
        &[INFO]
    }

    fn query(&self, dialect: Dialect, page: &Page) -> Option<Sql> {
        let mut sql = Sql::raw(
            "SELECT r.id, b.policy_id FROM routers r JOIN ports p ON p.id = r.gw_port_id \
             LEFT JOIN qos_router_gw_policy_bindings b ON b.router_id = r.id \
             LEFT JOIN qos_network_policy_bindings n ON n.network_id = p.network_id \
             WHERE (b.policy_id IS NOT NULL OR n.policy_id IS NOT NULL) AND ",
        );
        sql.append(of_page(dialect, "r.id", page));
        Some(sql)
    }

    fn fill(&self, page: &mut Page, rows: Vec<Row>) -> Result<()> {
        let place = page.by_id();
        for row in rows {
            let Some(&at) = place.get(row.str(0)?).filter(|at| page.rows[**at].get(INFO).is_object()) else { continue };
            let mut info = page.rows[at].get(INFO).clone();
            info[POLICY] = row.opt_text(1)?.map_or(Value::Null, Value::String);
            page.rows[at].set(INFO, info);
        }
        Ok(())
    }
}
