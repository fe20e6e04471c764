// SPDX-License-Identifier: Apache-2.0
//! `get_ports`, by which metadata agents find the machine behind an address, and other agents their ports (`MetadataRpcCallback` in
//! `neutron/api/rpc/handlers/metadata_rpc.py`). Owns nothing else.

use futures::future::BoxFuture;
use neutrino_core::{Builder, Context, Engine, RpcEndpoint, listing, rpc::Args};
use neutrino_types::Result;
use serde_json::Value;

static ENDPOINT: RpcEndpoint =
    RpcEndpoint { topics: &["q-plugin"], namespace: None, version: (1, 0), methods: &[("get_ports", get_ports)] };

pub fn register(builder: &mut Builder) {
    builder.rpc(&ENDPOINT);
}

/// The ports that fulfil `filters`.
fn get_ports<'a>(engine: &'a Engine, cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        let query = listing::query(engine, "ports", args.get("filters").unwrap_or(&Value::Null))?;
        Ok(Value::Array(listing::for_agents(engine, cx, "ports", &query).await?))
    })
}
