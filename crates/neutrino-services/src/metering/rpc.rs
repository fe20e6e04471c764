// SPDX-License-Identifier: Apache-2.0
//! What metering agents call: `get_sync_data_metering` (`neutron/db/metering/metering_rpc.py`). Five statements at most.

use futures::future::BoxFuture;
use neutrino_core::{Builder, Context, Engine, RpcEndpoint, rpc::Args};
use neutrino_db::{Sql, args};
use neutrino_types::Result;
use serde_json::Value;

use super::data;
use crate::agents;

static ENDPOINT: RpcEndpoint = RpcEndpoint {
    topics: &["q-metering-plugin"],
    namespace: None,
    version: (1, 0),
    methods: &[("get_sync_data_metering", get_sync_data_metering)],
};

pub fn register(builder: &mut Builder) {
    builder.rpc(&ENDPOINT);
}

/// The routers that the L3 agents of `host` serve and that labels count for; without a host all of them. Null when the host serves none.
fn get_sync_data_metering<'a>(engine: &'a Engine, _cx: &'a Context, args: &'a Args) -> BoxFuture<'a, Result<Value>> {
    Box::pin(async move {
        if !engine.registry.has_extension("router") {
            return Ok(Value::Null);
        }
        let mut tx = engine.db.reader().await?;
        let host = args.get("host").and_then(Value::as_str).filter(|_| engine.registry.has_extension("l3_agent_scheduler"));
        let condition = match host {
            None => Sql::raw("1 = 1"),
            Some(host) => {
                let sql = "SELECT DISTINCT b.router_id FROM agents a LEFT JOIN routerl3agentbindings b ON b.l3_agent_id = a.id \
                           WHERE a.agent_type = ? AND a.host = ?";
                let rows = tx.query(sql, args![agents::L3, host]).await?;
                if rows.is_empty() {
                    tracing::error!(host, "a metering agent asks for its routers, and its host has no L3 agent");
                }
                let ids = rows.iter().map(|row| row.opt_text(0)).collect::<Result<Vec<_>>>()?;
                let ids: Vec<&str> = ids.iter().flatten().map(String::as_str).collect();
                if ids.is_empty() {
                    return Ok(Value::Null);
                }
                Sql::in_texts(tx.dialect(), "r.id", ids)
            }
        };
        let labels = data::labels(&mut tx, Sql::raw("1 = 1")).await?;
        let routers = data::routers(&mut tx, condition).await?;
        Ok(Value::Array(data::with_labels(&routers, &labels)))
    })
}
