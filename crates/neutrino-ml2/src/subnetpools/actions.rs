// SPDX-License-Identifier: Apache-2.0
//! The actions on one subnet pool: `add_prefixes`, `remove_prefixes`, `onboard_network_subnets`.

use futures::FutureExt as _;
use neutrino_core::{Context, Engine, Op};
use neutrino_db::args;
use neutrino_types::Result;
use neutrino_types::cidr::Cidr;
use neutrino_types::error::kinds;
use neutrino_types::range::IpSet;
use serde_json::{Value, json};

use super::pool::{Pool, allocated, prefixes, write_prefixes};
use super::update_prefixes;
use crate::ipam::network::stored;
use crate::subnets::errors;
use crate::subnets::network::Network;

/// More prefixes than this in one request are refused.
const MAX_PREFIXES: usize = 10_000;

pub(super) async fn run(engine: &Engine, cx: &Context, name: &str, pool_id: &str, request: &Value) -> Result<Value> {
    // What a retried transaction uses is its own: each try takes a copy.
    let pool_id = pool_id.to_owned();
    match name {
        "add_prefixes" => {
            let wanted = requested(request)?;
            engine
                .transact(cx, "subnetpools", "add_prefixes", move |op| {
                    let (pool_id, wanted) = (pool_id.clone(), wanted.clone());
                    async move { add(op, &pool_id, &wanted).await }.boxed()
                })
                .await
        }
        "remove_prefixes" => {
            let wanted = requested(request)?;
            engine
                .transact(cx, "subnetpools", "remove_prefixes", move |op| {
                    let (pool_id, wanted) = (pool_id.clone(), wanted.clone());
                    async move { remove(op, &pool_id, &wanted).await }.boxed()
                })
                .await
        }
        _ => {
            let network_id = request.get("network_id").and_then(Value::as_str).map(str::to_owned);
            let network_id = network_id.ok_or_else(|| kinds::INVALID_INPUT.error("The request must name a network_id."))?;
            engine
                .transact(cx, "subnetpools", "onboard_network_subnets", move |op| {
                    let (pool_id, network_id) = (pool_id.clone(), network_id.clone());
                    async move { onboard(op, &pool_id, &network_id).await }.boxed()
                })
                .await
        }
    }
}

fn requested(request: &Value) -> Result<Vec<Cidr>> {
    let list = request.get("prefixes").and_then(Value::as_array).filter(|list| !list.is_empty() && list.len() <= MAX_PREFIXES);
    let list = list.ok_or_else(|| kinds::BAD_REQUEST.error("The request must have a list of prefixes under \"prefixes\"."))?;
    list.iter().map(|one| Ok(one.as_str().unwrap_or_default().parse::<Cidr>()?)).collect()
}

fn answer(prefixes: &[Cidr]) -> Value {
    json!({"prefixes": prefixes.iter().map(ToString::to_string).collect::<Vec<_>>()})
}

async fn add(op: &mut Op<'_>, pool_id: &str, wanted: &[Cidr]) -> Result<Value> {
    let pool = Pool::find(op.tx, op.cx, pool_id).await?;
    pool.exclude_others(op).await?;
    let old = prefixes(op.tx, pool_id).await?;
    let all: Vec<Cidr> = old.iter().chain(wanted).copied().collect();
    Ok(answer(&update_prefixes(op, &pool, &old, &all).await?))
}

async fn remove(op: &mut Op<'_>, pool_id: &str, wanted: &[Cidr]) -> Result<Value> {
    let pool = Pool::find(op.tx, op.cx, pool_id).await?;
    pool.exclude_others(op).await?;
    let old = prefixes(op.tx, pool_id).await?;
    let (all, gone): (IpSet, IpSet) = (old.iter().copied().collect(), wanted.iter().copied().collect());
    if !all.intersects(&gone) {
        return Ok(answer(&old));
    }
    if let Some(cidr) = allocated(op.tx, pool_id).await?.iter().find(|cidr| gone.overlaps(&cidr.range())) {
        return Err(errors::ILLEGAL_SUBNET_POOL_PREFIX_UPDATE
            .error(format!("The prefixes cannot be removed from subnet pool {pool_id}: the subnet {cidr} is in use.")));
    }
    let new: Vec<Cidr> = all.subtract(&gone).cidrs().collect();
    write_prefixes(op.tx, pool_id, &old, &new).await?;
    op.touch_object("subnetpools", pool_id).await?;
    Ok(answer(&new))
}

/// Takes the subnets of a network, as they are, into the pool.
async fn onboard(op: &mut Op<'_>, pool_id: &str, network_id: &str) -> Result<Value> {
    let network = Network::find(op.tx, op.cx, network_id).await?;
    // Who merely sees a shared network must not move subnets of others into a pool of their own.
    if !op.cx.is_admin() && network.project_id != op.cx.project_id() {
        return Err(errors::NOT_AUTHORIZED.error("Not authorized: the network belongs to another project."));
    }
    let pool = Pool::find(op.tx, op.cx, pool_id).await?;
    pool.exclude_others(op).await?;
    let taken: IpSet = allocated(op.tx, pool_id).await?.into_iter().collect();
    let text = "SELECT id, cidr, standard_attr_id FROM subnets WHERE network_id = ? AND ip_version = ? ORDER BY standard_attr_id";
    let rows = op.tx.query(text, args![network_id, pool.version.number()]).await?;
    let mut all = prefixes(op.tx, pool_id).await?;
    let old = all.clone();
    let mut onboarded = Vec::with_capacity(rows.len());
    for row in &rows {
        let (id, cidr) = (row.text(0)?, stored::<Cidr>(&row.text(1)?)?);
        if taken.overlaps(&cidr.range()) {
            return Err(errors::ILLEGAL_SUBNET_POOL_UPDATE.error(format!(
                "Illegal subnet pool update: the subnet {id} ({cidr}) overlaps what subnet pool {pool_id} has given out."
            )));
        }
        all.push(cidr);
        onboarded.push(json!({"id": id, "cidr": cidr.to_string()}));
        op.touch(row.int(2)?);
    }
    if rows.is_empty() {
        return Ok(Value::Array(onboarded));
    }
    update_prefixes(op, &pool, &old, &all).await?;
    let text = "UPDATE subnets SET subnetpool_id = ? WHERE network_id = ? AND ip_version = ?";
    op.tx.execute(text, args![pool_id, network_id, pool.version.number()]).await?;
    op.touch(network.standard_attr_id);
    Ok(Value::Array(onboarded))
}
