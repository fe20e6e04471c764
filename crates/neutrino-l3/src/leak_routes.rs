// SPDX-License-Identifier: Apache-2.0
//! Extension `ovn-bgp`, by the service plugin of that name: subnets whose routes are told to the fabric.
//!
//! Owns `subnet_bgp_leak_routes`. Rules: the subnet is plugged into a router with a gateway; its prefix overlaps with no other such
//! subnet's. Telling the routes is up to those that serve the routers.

use async_trait::async_trait;
use neutrino_core::{Builder, Hook, Op};
use neutrino_db::args;
use neutrino_model::{
    Attribute, Body, Converter, Extension, Record,
    attribute::{Default, Kind},
};
use neutrino_types::{Error, Result, cidr::Cidr, error::kinds};

const LEAK_ROUTES: &str = "leak_routes";

static EXTENSION: Extension =
    Extension::new("ovn-bgp", "OVN BGP", "Subnet extension to support OVN BGP route leaking", "2026-07-20T00:00:00-00:00").extends(&[(
        "subnets",
        &[Attribute::new(LEAK_ROUTES)
            .put()
            .default(Default::Bool(false))
            .convert(Converter::ToBoolean)
            .enforce_policy()
            .expr("CASE WHEN EXISTS (SELECT 1 FROM subnet_bgp_leak_routes l WHERE l.subnet_id = t.id) THEN 1 ELSE 0 END", Kind::Bool)],
    )]);

struct Leaks;

#[async_trait]
impl Hook for Leaks {
    async fn update(&self, op: &mut Op<'_>, original: &Record, body: &Body) -> Result<()> {
        let Some(asked) = body.bool(LEAK_ROUTES) else { return Ok(()) };
        if asked == original.bool(LEAK_ROUTES) {
            return Ok(());
        }
        if asked {
            ensure_may_leak(op, original).await?;
            op.insert_row("subnet_bgp_leak_routes", vec![("subnet_id", original.id().into())]).await?;
        } else {
            op.tx.execute("DELETE FROM subnet_bgp_leak_routes WHERE subnet_id = ?", args![original.id()]).await?;
        }
        op.touch(original.standard_attr_id);
        Ok(())
    }
}

async fn ensure_may_leak(op: &mut Op<'_>, subnet: &Record) -> Result<()> {
    let sql = "SELECT count(*) FROM routerports p JOIN ipallocations a ON a.port_id = p.port_id JOIN routers r ON r.id = p.router_id \
               WHERE a.subnet_id = ? AND p.port_type <> 'network:router_gateway' AND r.gw_port_id IS NOT NULL";
    if op.tx.count(sql, args![subnet.id()]).await? == 0 {
        return Err(bad(format!("subnet {} must be plugged into a router with an external gateway for leak_routes", subnet.id())));
    }
    let cidr = |text: &str| text.parse::<Cidr>().map_err(|_| Error::internal(format!("a subnet with the prefix {text}")));
    let own = cidr(subnet.str("cidr"))?;
    for row in op.tx.query("SELECT s.id, s.cidr FROM subnets s JOIN subnet_bgp_leak_routes l ON l.subnet_id = s.id", args![]).await? {
        let (id, other) = (row.text(0)?, cidr(&row.text(1)?)?);
        if other.overlaps(&own) {
            return Err(bad(format!("the prefix {own} overlaps with {other} of subnet {id}, whose routes are leaked already")));
        }
    }
    Ok(())
}

fn bad(sentence: impl std::fmt::Display) -> Error {
    kinds::BAD_REQUEST_PLUGIN.error(format!("Bad subnet request: {sentence}."))
}

pub fn register(builder: &mut Builder) {
    builder.extension(&EXTENSION).hook("subnets", Leaks);
}
